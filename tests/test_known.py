"""What a model knows: the measures on made-up notes and clicks; the cases ask for what the composer's piece beside them plays."""

import sys

import numpy as np
import pytest
from conftest import ROOT

from musicbench import InputError
from musicbench.compose.compose import describe
from mustango.evaluate.known_cases import (
    PARTS_ALONE,
    RHYTHM_BPM,
    SOLO_SECONDS,
    STYLES_ASKED,
    TAGGED,
    drummed,
    instruments,
    melodies,
    parts_alone,
    rhythms,
    stemmed,
    styles,
    tagged,
)
from mustango.evaluate.measured import (
    area_under_curve,
    bar_pattern,
    mean_correlation,
    melody_f_measure,
    nearest_gaps,
    onset_strength,
    onset_times,
)

sys.path.insert(0, str(ROOT / "benchmarks"))
from knows import Making, markdown, median_row, row  # noqa: E402

RATE = 24000
TUNE = [(0.0, 0.4, 60), (0.5, 0.9, 62), (1.0, 1.4, 64), (1.5, 1.9, 60)]


def clicks(times_s, duration_s=8.0):
    """Return short bursts of noise at times."""
    samples = np.zeros(round(duration_s * RATE), np.float32)
    burst = np.random.default_rng(0).normal(size=400).astype(np.float32) * np.linspace(0.5, 0, 400, dtype=np.float32)
    for time_s in times_s:
        first = round(time_s * RATE)
        samples[first : first + 400] += burst[: len(samples) - first]
    return samples


def test_a_melody_is_heard_where_it_was_asked():
    assert melody_f_measure(TUNE, TUNE) == 1
    assert melody_f_measure(TUNE, [(s + 0.09, e, p + 12) for s, e, p in TUNE]) == 1
    assert melody_f_measure(TUNE, [(s + 0.11, e, p) for s, e, p in TUNE]) == 0
    assert melody_f_measure(TUNE, [(s, e, p + 1) for s, e, p in TUNE]) == 0
    assert melody_f_measure(TUNE, TUNE[:2]) == pytest.approx(2 / 3)
    assert melody_f_measure(TUNE, []) == 0
    repeated = [*TUNE, *TUNE]
    assert melody_f_measure(TUNE, repeated) == pytest.approx(2 * 4 / 12), "each asked note counts once"


def test_area_under_curve():
    assert area_under_curve([3, 4], [1, 2]) == 1
    assert area_under_curve([1, 2], [3, 4]) == 0
    assert area_under_curve([1, 1], [1, 1]) == 0.5
    assert area_under_curve([1, 3], [2]) == 0.5
    with pytest.raises(InputError, match="2 scores and 0 of others"):
        area_under_curve([1, 2], [])


def test_rhythms_of_one_bar_correlate_and_others_do_not():
    on_beats, off_beats = np.arange(0.0, 8, 0.5), np.arange(0.25, 8, 0.5)
    takes = [clicks(on_beats), 0.3 * clicks(on_beats), clicks(off_beats)]
    patterns = [bar_pattern(onset_strength(samples, RATE), RATE, 2.0) for samples in takes]
    assert all(pattern.shape == (16,) for pattern in patterns)
    assert mean_correlation(patterns[:2]) > 0.9
    assert mean_correlation(patterns[1:]) < 0
    assert set(np.argsort(patterns[0])[-4:]) == {0, 4, 8, 12}
    with pytest.raises(InputError, match="hold no bar"):
        bar_pattern(np.ones(10), RATE, 2.0)


def test_onsets_side_by_side():
    struck = np.arange(0.5, 7, 0.5)
    heard = onset_times(clicks(struck), RATE)
    gaps = nearest_gaps(heard, struck)
    assert len(gaps) == len(struck) and np.median(gaps) < 0.01
    late = onset_times(clicks(struck + 0.02), RATE)
    assert 0.01 < np.median(nearest_gaps(late, heard)) < 0.03
    assert len(nearest_gaps(struck, struck + 0.1)) == len(nearest_gaps([], struck)) == 0


def test_cases_ask_for_what_the_piece_beside_them_plays():
    for asked, kind in instruments(3, 1)[:12]:
        tags = describe(asked.piece, SOLO_SECONDS)
        assert len({name for _, name in tags["voices"]}) == 1 and not tags["drums"]
        assert kind in {voice.sound.kind for voice in asked.piece.voices} | {voice.instrument for voice in asked.piece.voices}
        assert kind in asked.prompt.lower()
    assert [label for _, label in styles(3, 1)] == list(STYLES_ASKED)
    assert all(asked.piece.style == label for asked, label in styles(3, 1))
    for asked, wanted in drummed(3, 1):
        assert bool(asked.piece.drums) == wanted, asked.prompt
    assert [number for _, number in tagged(3, 1)] == list(range(len(TAGGED)))
    assert all(asked.piece.bpm == RHYTHM_BPM and asked.piece.drums for asked, _ in rhythms(3, 1))


def test_parts_and_melodies_are_asked_of_pieces_that_have_them():
    drawn = parts_alone(3, 2)
    assert [part for _, part in drawn] == [part for part in PARTS_ALONE for _ in range(2)]
    for asked, part in drawn:
        assert asked.controls["parts"] == asked.parts == (part,)
        assert part in describe(asked.piece)["parts"]
    for alone, whole, melody in melodies(3, 2):
        assert alone.parts == ("lead",) and whole.parts is None and alone.controls["melody"] == whole.controls["melody"] == melody
        assert all(0 <= start < end <= SOLO_SECONDS for start, end, _ in melody)
        assert all(end <= later for (_, end, _), (later, *_) in zip(melody, melody[1:], strict=False)), "one note at a time"
    for asked in stemmed(3, 2):
        assert {"drums", "bass", "chords"} <= set(describe(asked.piece)["parts"])


def test_clips_are_drawn_by_seed_and_others_by_another():
    def prompts(seed):
        return [asked.prompt for asked, _ in instruments(seed, 1)]

    assert prompts(3) == prompts(3) != prompts(4)


def test_rows_hold_beside_the_composers():
    of_composed = row("named", {"model": [1, 1, 0, 1], "composed": [1, 1, 1, 1]}, 0.85, of=True)
    assert of_composed["ratio"] == 0.75 and not of_composed["holds"]
    assert row("clean", {"model": [1, 1, 1, 1], "composed": [0, 0, 0, 0]}, 0.95)["holds"]
    assert not row("of nothing", {"model": [1], "composed": [0]}, 0.8, of=True)["holds"]
    late = {"model": [12.0, 13.0, 50.0], "composed": [2.0, 4.0, 6.0]}
    assert median_row("gaps", late, above_composed=10)["holds"] and not median_row("gaps", late, above_composed=8)["holds"]
    assert not median_row("alike", {"model": [0.8], "composed": [0.5]}, 0.7)["holds"]
    with pytest.raises(InputError, match="nothing is heard of gaps"):
        median_row("gaps", {"model": [], "composed": [1.0]})
    report = {"making": vars(Making()), "weights": "0", "rows": [of_composed], "not told": ["parts"]}
    text = markdown(report)
    assert "| named | 0.750 [" in text and "75.0 % | at least 0.85 of composed | no |" in text and "of: parts." in text
