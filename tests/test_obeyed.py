"""Asked beside heard."""

import pytest

from musicbench.features import Heard
from musicbench.theory import Chord, Key
from mustango.obeyed import compare, matched_share
from mustango.reader import resolve


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
    return resolve("", chords="C G Am F", tempo=120, key="C", duration_s=8.0)


@pytest.mark.parametrize(("bpm", "obeyed"), [(120, True), (124, True), (126, False), (60, False), (None, None)])
def test_tempo(bpm, obeyed):
    assert compare(asked(), Heard(bpm=bpm)).tempo_obeyed is obeyed


@pytest.mark.parametrize(("key", "obeyed"), [("C", True), ("A minor", True), ("G", False), ("C minor", False), (None, None)])
def test_key(key, obeyed):
    assert compare(asked(), Heard(key=Key.parse(key) if key else None)).key_obeyed is obeyed


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
