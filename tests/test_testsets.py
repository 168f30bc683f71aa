"""Test sets: composed ones by seed, published rows as they come."""

import json

import numpy as np
import pytest
from conftest import needs_fluidsynth, resolve

from musicbench import InputError
from musicbench.hearing.heard import Heard
from musicbench.music.chords import NO_CHORD, Chord
from musicbench.music.keys import Key, likely_key
from mustango.evaluate.testsets import HELD_OUT, composed_audio, composed_case, load_cases, read_cases
from mustango.hear.metrics import clip_scores


@pytest.mark.slow
def test_a_composed_set_is_its_seed_and_a_smaller_one_its_beginning():
    assert (
        load_cases("composed:5") == load_cases("composed:5:7") == load_cases("composed:9")[:5] == load_cases("composed:9", limit=5)
    )
    assert load_cases("composed:5:8") != load_cases("composed:5")
    held_out = {composed_case(7, index, HELD_OUT).seed for index in range(40)}
    assert len(held_out | {case.seed for case in load_cases("composed:40")}) == 80


@pytest.mark.slow
def test_composed_sets_cover_what_can_be_asked():
    cases = load_cases("composed:200")
    assert {c.controls["meter"] for c in cases} == {"3/4", "4/4"} and sum(c.asked.key is not None for c in cases) == 100
    tempi = [c.asked.bpm for c in cases]
    assert min(tempi) < 70 and max(tempi) > 160
    assert {c.root for case in cases for c in case.asked.chords} == set(range(12))
    assert {c.quality for case in cases for c in case.asked.chords} >= {"maj", "min", "7", "maj7", "min7", "sus4", "dim"}
    assert {c.asked.key.mode for c in cases if c.asked.key} == {"major", "minor"}
    assert all(case.prompt for case in cases) and len({case.prompt for case in cases}) > 150


@pytest.mark.slow
def test_the_generator_resolves_a_composed_case_to_what_is_asked():
    for case in load_cases("composed:40"):
        controls = resolve(case.prompt, **case.controls, duration=case.asked.duration_s, seed=case.seed)
        asked = case.asked
        assert (controls.bpm, controls.chords, controls.chord_times) == (asked.bpm, asked.chords, asked.chord_times)
        assert (controls.beat_times, controls.beat_positions) == (asked.beat_times, asked.beat_positions)
        assert asked.key is None or controls.key.same_as(asked.key)


@pytest.mark.slow
def test_progressions_establish_the_key_that_is_asked():
    keyed = [case.asked for case in load_cases("composed:100") if case.asked.key]
    assert np.mean([likely_key(asked.chords).same_as(asked.key) for asked in keyed]) > 0.9


@pytest.mark.slow
@needs_fluidsynth
def test_composed_audio_has_the_labels_that_are_asked():
    from mustango.hear.judges import load_judge

    cases = load_cases("composed:12")
    scores = [clip_scores(c.asked, load_judge("librosa")(composed_audio(c, 24000), 24000), ("chords",)) for c in cases]
    assert np.mean([s["majmin"] for s in scores]) > 0.45


PUBLISHED = {
    "dataset": "MusicBench", "location": "data_aug2/-0SdAVK79lg_1.wav",
    "main_caption": "A mellow electric guitar. The key is Ab minor. The bpm is 115.", "alt_caption": "...",
    "prompt_aug": "", "prompt_ch": "", "prompt_bt": "The beat counts to 2.", "prompt_bpm": "The bpm is 115.", "prompt_key": "The key is Ab minor.",
    "beats": [[0.56, 1.08, 1.6, 2.12], [2.0, 1.0, 2.0, 1.0]], "bpm": 115.0, "chords": ["Gbm7", "B/D#", "N", "F#m7b5"],
    "chords_time": [0.46, 2.4, 5.0, 7.25], "key": ["Ab", "minor"], "keyprob": [0.87], "is_audioset_eval_mcaps": False,
}  # fmt: skip


def write(path, *rows):
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows))
    return path


def test_reads_a_published_row(tmp_path):
    [case] = read_cases(write(tmp_path / "TestB.json", PUBLISHED))
    assert (
        case.id == "-0SdAVK79lg_1"
        and case.prompt == PUBLISHED["main_caption"]
        and case.audio.endswith("data_aug2/-0SdAVK79lg_1.wav")
    )
    assert case.labels.bpm == 115 and case.labels.key == Key("Ab", "minor") and case.labels.beat_positions == (2, 1, 2, 1)
    assert [c.harte() for c in case.labels.chords] == ["F#:min7", "B:maj/3", "N", "F#:hdim7"]
    assert case.labels.chord_times == (0.46, 2.4, 5.0, 7.25)
    # The generator counts from 0, at the asked tempo and meter, and takes the chords at their times, none before the first.
    assert case.asked.beat_times[:2] == (0.0, pytest.approx(60 / 115)) and case.controls["meter"] == "2/4"
    resolved = resolve(case.prompt, **case.controls, duration=10.0, seed=0)
    assert resolved.chord_times == pytest.approx((0.0, *case.asked.chord_times))
    assert resolved.chords == (NO_CHORD, *case.asked.chords)


def test_a_row_whose_first_chord_comes_late_scores_one_when_heard_so(tmp_path):
    row = {"chords": ["C", "G", "Am", "F"], "chords_time": [0.37, 2.5, 5, 7.5], "duration": 10}
    [case] = read_cases(write(tmp_path / "rows.jsonl", row))
    for lead in ((), (NO_CHORD,)):  # judges do or do not name what comes before the first chord
        heard = Heard(chords=(*lead, *case.labels.chords), chord_times=(*([0.0] * len(lead)), *case.labels.chord_times))
        scores = clip_scores(case.asked, heard, ("chords",))
        assert [scores[name] for name in ("PCM", "ECM", "CMO", "CMOT")] == [1, 1, 1, 1]
        assert scores["majmin"] == 1 if lead else scores["majmin"] == pytest.approx(1 - 0.37 / 10)


def test_words_only(tmp_path):
    [case] = read_cases(write(tmp_path / "rows.jsonl", PUBLISHED), given=False)
    assert (
        case.controls == {}
        and case.asked.bpm == 115
        and case.asked.chords
        and not case.asked.chord_times
        and not case.asked.beat_times
    )


def test_what_a_row_lacks_or_garbles_is_left_out_with_a_note(tmp_path):
    bare, odd = read_cases(
        write(
            tmp_path / "rows.jsonl",
            {"prompt": "calm piano"},
            {"id": "odd", "chords": ["C", "Q7"], "chords_time": [0, 1], "key": "H"},
        )
    )
    assert bare.asked.bpm is None and bare.controls == {} and bare.notes == () and bare.id == "00001"
    assert odd.asked.chords == () and odd.asked.key is None and len(odd.notes) == 2 and "Q7" in " ".join(odd.notes)


def test_a_case_written_as_a_row_reads_back(tmp_path):
    cases = load_cases("composed:6")
    again = read_cases(write(tmp_path / "rows.jsonl", *(case.row() for case in cases)))
    assert [c.labels for c in again] == [c.labels for c in cases] and [c.id for c in again] == [c.id for c in cases]
    assert [c.asked for c in again] == [c.asked for c in cases] and [c.seed for c in again] == [c.seed for c in cases]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{oops", "line 1 is not JSON"), ("[1]", "not a JSON object"), ("", "no line"), ('{"id": "a/b"}', "'a/b'"),
        ('{"id": "a"}\n{"id": "a"}', "line 2"), ('{"beats": [[1, 2], [1]]}', "two lists"), ('{"beats": [["x"], [1]]}', "line 1"), ('{"beats": {"times": [1], "positions": [1]}}', "two lists"),
        ('{"meter": "9/4"}', "9/4"), ('{"bpm": -5}', "bpm -5 is outside 1-1000"), ('{"bpm": 0}', "bpm 0"), ('{"bpm": NaN}', "bpm nan"),
        ('{"bpm": Infinity, "meter": "4/4"}', "bpm inf"), ('{"bpm": 1e9}', "bpm 1000000000.0"), ('{"duration": Infinity}', "duration inf"),
        ('{"seed": "x"}', "seed 'x'"), ('{"seed": 1.5}', "seed 1.5"), ('{"seed": -1}', "seed -1"), ('{"seed": 1e999}', "seed inf"),
        ('{"seed": true}', "seed True"), ('{"location": 5}', "audio '5'"), ('{"beats": [[1], [1e999]]}', "line 1"), ("[" * 100000, "not JSON"),
        ('{"id": "a\\u0000"}', "plain file name"), ('{"id": "\\ud800"}', "plain file name"), ('{"id": "' + "x" * 300 + '"}', "200 bytes"),
    ],
)  # fmt: skip
def test_bad_rows(tmp_path, text, says):
    with pytest.raises(InputError, match=says.replace("[", r"\[")):
        read_cases(write(tmp_path / "rows.jsonl", text))


def test_rows_with_rare_chords_can_be_asked_for(tmp_path):
    row = {"prompt": "piano", "chords": ["C:7(*5,b5)", "G:7"], "bpm": 120, "meter": "7/8"}
    for times in ({}, {"chords_time": [0.0, 3.5]}):
        (case,) = read_cases(write(tmp_path / "rows.jsonl", row | times))
        assert resolve(case.prompt, **case.controls, duration=10.0).chords[:2] == (Chord(0, "7(*5,b5)"), Chord(7, "7"))


def test_rows_start_from_seeds_of_their_own(tmp_path):
    rows = [{"id": "a"}, {"id": "b"}, {"id": "c", "seed": 5}, {"id": "d", "seed": 5}, {"id": "e", "seed": 5}]
    cases = read_cases(write(tmp_path / "rows.jsonl", *rows))
    seeds = [case.seed for case in cases]
    assert len(set(seeds)) == 5 and seeds[2] == 5
    assert [case.seed for case in read_cases(tmp_path / "rows.jsonl", limit=4)] == seeds[:4]
    assert all(case.seed for case in cases)


def test_an_indented_row_and_a_byte_order_mark_are_read(tmp_path):
    (tmp_path / "row.json").write_text("\ufeff" + json.dumps({"id": "a", "bpm": 100}, indent=2), encoding="utf-8")
    [case] = read_cases(tmp_path / "row.json")
    assert case.id == "a" and case.labels.bpm == 100


@pytest.mark.parametrize("text", ["composed:", "composed:0", "composed:x", "composed:5:-1", "nowhere.jsonl"])
def test_bad_sets(text):
    with pytest.raises(InputError, match="composed:N"):
        load_cases(text)


def test_times_that_fall_are_left_out_with_a_note(tmp_path):
    row = {"chords": ["C", "G", "F"], "chords_time": [0, 5, 3], "beats": [[2, 1, 3], [1, 2, 3]], "bpm": 60}
    early = {"chords": ["C", "G"], "chords_time": [-0.1, 3], "beats": [[0.5, 1.5], [1, 2]]}
    earlier = {"chords": ["C", "G", "F"], "chords_time": [-0.5, -0.1, 3]}
    first, second, third = read_cases(write(tmp_path / "rows.jsonl", row, early, earlier))
    assert not third.labels.chords and len(third.notes) == 1
    assert not first.labels.chords and not first.labels.beat_times and len(first.notes) == 2
    assert second.labels.chord_times == (0.0, 3.0) and second.labels.beat_times == (0.5, 1.5)
