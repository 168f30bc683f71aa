"""Asked beside heard."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import resolve

from musicbench.hearing.heard import Heard
from musicbench.music.chords import Chord
from musicbench.music.keys import Key
from mustango.hear.obeyed import best_take, compare, matched_share


def chords(line):
    return [Chord.parse(symbol) for symbol in line.split()]


def test_share_of_time():
    asked = chords("C G"), (0.0, 5.0)
    assert matched_share(*asked, *asked, 10.0) == 1
    assert matched_share(*asked, chords("C"), (0.0,), 10.0) == pytest.approx(0.5)
    assert matched_share(*asked, chords("Cmaj7 G7"), (0.0, 6.0), 10.0) == pytest.approx(0.9)  # sevenths count as their triads
    assert matched_share(*asked, chords("Cm Gm"), (0.0, 5.0), 10.0) == 0
    assert matched_share(*asked, chords("C G"), (2.0, 5.0), 10.0) == pytest.approx(0.8)  # before the first chord there is none
    assert matched_share(chords("N C"), (0.0, 4.0), chords("C"), (4.0,), 10.0) == 1
    assert matched_share(*asked, chords("C G F"), (0.0, 5.0, 99.0), 10.0) == 1


def asked():
    return resolve("", chords="C G Am F", tempo=120, key="C", duration=8.0)


@pytest.mark.parametrize(
    ("bpm", "obeyed", "octave"),
    [(120, True, ""), (124, True, ""), (126, False, ""), (180, False, ""), (60, None, "half as fast"), (62, None, "half as fast"),
     (63, False, ""), (240, None, "twice as fast"), (248, None, "twice as fast"), (251, False, ""), (None, None, "")],
)  # fmt: skip
def test_tempo(bpm, obeyed, octave):
    scores = compare(asked(), Heard(bpm=bpm))
    assert (scores.tempo_obeyed, scores.tempo_octave) == (obeyed, octave)


@pytest.mark.parametrize(
    ("key", "obeyed", "relative"),
    [("C", True, False), ("B#", True, False), ("A minor", False, True), ("G", False, False), ("C minor", False, False), (None, None, False)],
)  # fmt: skip
def test_only_the_same_key_is_obeyed(key, obeyed, relative):
    scores = compare(asked(), Heard(key=Key.parse(key) if key else None))
    assert (scores.key_obeyed, scores.key_is_relative) == (obeyed, relative)


@pytest.mark.parametrize(
    ("matched", "obeyed"), [(1.0, True), (0.901, True), (0.9, False), (0.85, False), (0.0, False), (None, None)]
)
def test_chords_are_obeyed_above_nine_tenths_of_the_time(matched, obeyed):
    assert replace(compare(asked(), Heard()), chords_matched=matched).chords_obeyed is obeyed


def test_nothing_heard_has_reasons():
    scores = compare(asked(), Heard(reasons={"chords": "silence"}))
    assert scores.chords_matched is None and scores.reasons == {"chords": "silence"}


def test_chords():
    controls = asked()
    heard = Heard(chords=controls.chords, chord_times=controls.chord_times)
    assert compare(controls, heard).chords_matched == 1 and compare(controls, heard).chords_obeyed
    half = Heard(chords=controls.chords[:2], chord_times=controls.chord_times[:2])
    assert compare(controls, half).chords_matched == 0.5 and compare(controls, half).chords_obeyed is False
    assert compare(controls, Heard()).chords_obeyed is None


def test_share_is_the_mean_of_what_was_heard():
    controls = asked()
    all_heard = Heard(
        beat_times=controls.beat_times, chords=controls.chords, chord_times=controls.chord_times, key=Key.parse("C"), bpm=120.0
    )
    assert compare(controls, all_heard).share == pytest.approx(1)
    assert compare(controls, Heard(key=Key.parse("C"))).share == pytest.approx(1 / 3)
    assert compare(controls, Heard()).share == 0


def test_the_best_take_is_kept(monkeypatch):
    controls = asked()
    heard = {0: Heard(), 1: Heard(beat_times=controls.beat_times), 2: Heard(key=Key.parse("D"))}
    monkeypatch.setattr("mustango.hear.obeyed.hear", lambda audio, rate: heard[int(audio[0])])
    output = SimpleNamespace(audios=np.arange(3.0)[:, None], sample_rate=24000, controls=[controls] * 3)
    best, scores = best_take(output)
    assert best == 1 and [round(s.share, 2) for s in scores] == [0, 0.33, 0]


def test_drums_alone_obey_where_no_chord_is_heard():
    controls = resolve("drum solo", tempo=120, duration=4.0)
    silent, tonal = (
        compare(controls, Heard(beat_times=controls.beat_times, bpm=120.0, chords=c, chord_times=(0.0,) * len(c)))
        for c in ((), (Chord(0),))
    )
    assert (silent.share, silent.chords_matched, silent.key_obeyed) == (1, 1, None) and tonal.share == 0.5
