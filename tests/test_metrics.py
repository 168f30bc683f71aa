from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from musicbench import InputError
from musicbench.hearing.heard import Heard
from musicbench.music.chords import Chord
from musicbench.music.keys import Key
from musicbench.music.meters import Meter
from musicbench.music.progression import beat_grid
from mustango.hear.metrics import (
    METRICS,
    Labels,
    Target,
    beat_scores,
    beats_f_measure,
    bootstrap,
    chord_scores,
    clip_scores,
    control_metrics,
    matched_in_order,
    overlap,
    root_and_class,
)


def labels(bpm=120.0, key="A minor", chords=("Am", "F", "C", "G"), beats=4):
    return Labels(bpm, Key.parse(key) if key else None, tuple(chords), beats)


def test_perfect_labels_give_one():
    assert set(control_metrics([(labels(), labels())] * 3).values()) == {1.0}


def test_half_tempo_and_neighbours():
    assert control_metrics([(labels(120), labels(60))])["TBT"] == 0
    near = control_metrics([(labels(108), labels(112))])
    assert near["TB"] == 0 and near["TBT"] == 1
    assert control_metrics([(labels(), labels(None))])["TB"] == 0


def test_relative_keys_count_in_the_right_direction():
    relative = control_metrics([(labels(key="A minor"), labels(key="C major")), (labels(key="C major"), labels(key="A minor"))])
    assert relative["CK"] == 0 and relative["CKD"] == 1
    wrong = control_metrics([(labels(key="A minor"), labels(key="F# major"))])
    assert wrong["CKD"] == 0
    assert control_metrics([(labels(key="C# minor"), labels(key="Db minor"))])["CK"] == 1


def test_chord_order():
    other = control_metrics([(labels(), labels(chords=("F", "Am", "G", "C")))])
    assert other["PCM"] == 0 and other["ECM"] == 0.25 and other["CMO"] == 1
    tolerant = control_metrics([(labels(chords=("Am7", "F")), labels(chords=("Am", "F6")))])
    assert tolerant["CMO"] == 0 and tolerant["CMOT"] == 1


def test_what_is_not_asked_is_left_out():
    nothing = control_metrics([(Labels(), labels())])
    assert set(nothing.values()) == {None}
    mixed = control_metrics([(Labels(), labels()), (labels(), labels())])
    assert set(mixed.values()) == {1.0}
    assert control_metrics([(labels(), Labels())])["ECM"] == 0


def test_no_rows_is_an_error():
    with pytest.raises(InputError, match="no rows"):
        control_metrics([])


def test_counting():
    assert matched_in_order(("C", "G", "C"), ("G", "C", "C", "G", "C")) == 3
    assert matched_in_order(("C",), ()) == 0
    assert overlap(("C", "C", "G"), ("C", "G", "G")) == 2


def test_classes():
    assert [root_and_class(c)[1] for c in ("C", "C7", "Cmaj7", "C6/E", "Cm", "Cm7b5", "Cdim", "Caug", "Csus4")] == [
        1,
        1,
        1,
        1,
        2,
        2,
        3,
        3,
        3,
    ]


# ---------------------------------------------------------------------------------------------------- the field's metrics

ALL = ("beats", "downbeats", "chords", "key")


@pytest.fixture
def target():
    beats, positions = beat_grid(120, Meter(4, 4), 10.0)
    chords = tuple(map(Chord.parse, ("Am7", "F", "C", "G7", "Am7")))
    return Target(
        duration_s=10.0,
        beat_times=tuple(beats),
        beat_positions=tuple(positions),
        bpm=120.0,
        chords=chords,
        chord_times=(0.0, 2.0, 4.0, 6.0, 8.0),
        key=Key("A", "minor"),
    )


def heard_as(target, **changes):
    """Return what a judge without fault hears in a clip of this target."""
    return replace(
        Heard(
            beat_times=target.beat_times,
            beat_positions=target.beat_positions,
            bpm=target.bpm,
            chords=target.chords,
            chord_times=target.chord_times,
            key=target.key,
        ),
        **changes,
    )


def test_perfect_labels_give_one_in_every_metric(target):
    scores = clip_scores(target, heard_as(target), ALL)
    assert set(scores) == set(METRICS) and set(scores.values()) == {1.0}


def test_nothing_heard_gives_zero_not_nan(target):
    scores = clip_scores(target, Heard(), ALL)
    assert set(scores) == set(METRICS) and set(scores.values()) == {0.0}


def test_beats_shifted_by_100_ms_are_not_found(target):
    late = heard_as(target, beat_times=tuple(t + 0.1 for t in target.beat_times))
    scores = clip_scores(target, late, ALL)
    assert scores["beat F"] == scores["downbeat F"] == 0 and scores["tempo Acc1"] == scores["TB"] == 1
    near = heard_as(target, beat_times=tuple(t + 0.05 for t in target.beat_times))
    assert beat_scores(target, near)["beat F"] == 1


def test_the_first_five_seconds_count(target):
    second_half = heard_as(target, beat_times=tuple(t for t in target.beat_times if t >= 5), beat_positions=())
    assert beat_scores(target, second_half)["beat F"] == pytest.approx(2 / 3)


def test_half_tempo(target):
    slow = heard_as(target, beat_times=target.beat_times[::2], beat_positions=(1, 2, 3, 4, 1, 2, 3, 4, 1, 2), bpm=60.0)
    scores = clip_scores(target, slow, ALL)
    assert scores["beat F"] == pytest.approx(2 / 3)
    assert scores["CMLt"] == 0 and scores["AMLt"] == 1 and scores["tempo Acc1"] == 0 and scores["tempo Acc2"] == 1
    assert scores["TB"] == scores["TBT"] == 0


@pytest.mark.parametrize("heard, equal", [(110.04, 1), (109.9, 1), (110.6, 0), (90.4, 0), (90.6, 1)])
def test_tempo_classes_are_of_whole_bpm(target, heard, equal):
    """110 bpm is the end of a class (90, 110]; what detectors hear of it lies a tenth to either side."""
    assert clip_scores(replace(target, bpm=110.0), heard_as(target, bpm=heard), ALL)["TB"] == equal


def test_a_break_is_no_chord_to_be_named(target):
    drums = replace(target, chords=(Chord(),), chord_times=(0.0,))
    for heard in (Heard(), heard_as(drums)):
        scores = clip_scores(drums, heard, {"chords"})
        assert scores == {"majmin": 1.0} | dict.fromkeys(scores, 1.0) and not {"PCM", "CMO", "IoU"} & set(scores)


def test_downbeats_on_the_wrong_beat(target):
    moved = heard_as(target, beat_positions=tuple(p % 4 + 1 for p in target.beat_positions))
    scores = clip_scores(target, moved, ALL)
    assert scores["beat F"] == 1 and scores["downbeat F"] == 0 and scores["BM"] == 1


def test_relative_and_fifth_keys(target):
    relative = clip_scores(target, heard_as(target, key=Key("C", "major")), ALL)
    assert (relative["CK"], relative["CKD"], relative["key MIREX"]) == (0, 1, 0.3)
    fifth = clip_scores(target, heard_as(target, key=Key("E", "minor")), ALL)
    assert (fifth["CK"], fifth["CKD"], fifth["key MIREX"]) == (0, 0, 0.5)
    spelled = clip_scores(replace(target, key=Key("Cb", "major")), heard_as(target, key=Key("B", "major")), ALL)
    assert (spelled["CK"], spelled["key MIREX"]) == (1, 1)


def test_chords_in_another_order(target):
    turned = heard_as(target, chords=target.chords[::-1])
    scores = clip_scores(target, turned, ALL)
    assert scores["CMO"] == 1 and scores["PCM"] == 0 and scores["ECM"] < 1
    assert scores["root"] == pytest.approx(0.6)  # Am7 at both ends, C in the middle


def test_chords_are_weighted_by_time():
    target = Target(duration_s=4.0, chords=(Chord.parse("C"), Chord.parse("G")), chord_times=(0.0, 3.0))
    scores = chord_scores(target, Heard(chords=(Chord.parse("C"),), chord_times=(0.5,)))
    assert scores["majmin"] == pytest.approx(0.75) and scores["IoU"] == pytest.approx(3 / 5)


def test_a_chord_type_that_a_metric_does_not_compare_leaves_it_out(target):
    suspended = replace(target, chords=(Chord.parse("Csus4"),), chord_times=(0.0,))
    scores = chord_scores(suspended, heard_as(suspended))
    assert "majmin" not in scores and "sevenths" not in scores and scores["root"] == scores["tetrads"] == 1
    third = heard_as(target, chords=tuple(map(Chord.parse, ("Am", "F", "C", "G", "Am"))))
    assert chord_scores(target, third)["majmin"] == 1 and chord_scores(target, third)["sevenths"] == pytest.approx(0.4)


def test_heard_chords_past_the_end_and_late_first_ones_do_no_harm(target):
    late = heard_as(target, chords=(*target.chords, Chord.parse("B")), chord_times=(0.4, 2.0, 4.0, 6.0, 8.0, 11.0))
    assert chord_scores(target, late)["sevenths"] == 1


def test_only_what_is_asked_and_can_be_heard_is_scored(target):
    assert set(clip_scores(target, heard_as(target), ("key",))) == {"CK", "CKD", "key MIREX"}
    assert clip_scores(Target(duration_s=10.0), heard_as(target), ALL) == {}
    order_only = replace(target, chord_times=())
    assert "ECM" in clip_scores(order_only, heard_as(target), ALL) and "root" not in clip_scores(order_only, heard_as(target), ALL)


def test_intervals():
    values = np.random.default_rng(0).random(400)
    few, many = bootstrap(values[:40]), bootstrap(values)
    assert many.low < values.mean() < many.high and many.n == 400 and many == bootstrap(values)
    assert few.high - few.low > 2 * (many.high - many.low)
    # The interval of a mean of n values of deviation s is about +-1.96 s / sqrt n.
    assert many.high - many.low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.15)
    assert bootstrap([0.5, 0.5]).low == 0.5
    share = bootstrap(0.9 * values, of=values)
    assert share.value == pytest.approx(0.9) and share.high - share.low < 1e-9  # paired: what is common cancels out
    assert np.isnan(bootstrap([0.0, 0.0], of=[0.0, 0.0]).value)
    with pytest.raises(InputError, match="no clips"):
        bootstrap([])


def test_beats_are_matched_once():
    asked = (0.0, 0.5, 1.0, 1.5)
    assert beats_f_measure(asked, asked) == 1
    assert beats_f_measure(asked, [t + 0.069 for t in asked]) == 1
    assert beats_f_measure(asked, [t + 0.071 for t in asked]) == 0
    assert beats_f_measure(asked, (0.0, 1.0)) == pytest.approx(2 / 3)  # half tempo
    assert beats_f_measure(asked, (0.0, 0.01, 0.02, 0.5)) == pytest.approx(0.5)  # a beat counts once
    assert beats_f_measure((), ()) == 0


TIMES = st.lists(st.floats(0, 30, allow_subnormal=False), max_size=40).map(lambda times: tuple(sorted(times)))


@given(TIMES, TIMES)
def test_the_beats_f_measure_is_that_of_one_scan(asked, heard):
    """Both lists in order, the first heard beat that is near enough taken each time: what `obeyed` did before mir_eval.

    Beats on the very edge of the window are left out: there rounding decides.
    """
    assume(all(abs(abs(a - h) - 0.07) > 1e-9 for a in asked for h in heard))
    matched, place = 0, 0
    for time in asked:
        while place < len(heard) and heard[place] < time - 0.07:
            place += 1
        if place < len(heard) and heard[place] <= time + 0.07:
            matched, place = matched + 1, place + 1
    scanned = 2 * matched / (len(asked) + len(heard)) if asked or heard else 0.0
    assert beats_f_measure(asked, heard) == pytest.approx(scanned, abs=1e-12)
