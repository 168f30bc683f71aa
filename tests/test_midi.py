"""A MIDI file gives the asked chords and beats back."""

import json

import mido
import pytest
from conftest import read_chords, resolve

from musicbench import InputError
from musicbench.music.chords import Chord
from musicbench.music.chordtypes import SPELLINGS
from musicbench.scores.midi import BEAT_CLICK, DOWNBEAT_CLICK, save_midi, voicing

PLANS = [
    {"chords": "C G Am F", "tempo": 120, "key": "C"},
    {"chords": "Dm7 | G7:1 Db7:2 | Cmaj7/E", "tempo": 93, "meter": "3/4", "key": "C major"},
    {"chords": "0:Am 1.37:F#m7b5 4.5:N 6:Bb6/9", "tempo": 77.7, "meter": "6/8", "key": "G# minor"},
]


def plan(**asked):
    return resolve("", duration=10.24, **asked)


@pytest.mark.parametrize("asked", PLANS)
def test_chords_come_back(tmp_path, asked):
    controls = plan(**asked)
    save_midi(tmp_path / "x.mid", controls)
    chords, times = read_chords(tmp_path / "x.mid")
    assert tuple(chords) == controls.chords
    assert times == pytest.approx(controls.chord_times, abs=2e-3)


def notes(path, name):
    """Return [(start, end, pitch)] of a track, in seconds."""
    file = mido.MidiFile(path)
    track = next(t for t in file.tracks if t.name == name)
    tempo = next(m.tempo for m in file.tracks[0] if m.type == "set_tempo")
    begun, found, now = {}, [], 0
    for message in track:
        now += message.time
        at = mido.tick2second(now, file.ticks_per_beat, tempo)
        if message.type == "note_on":
            begun[message.note] = at
        elif message.type == "note_off":
            found.append((begun.pop(message.note), at, message.note))
    assert not begun
    return found


@pytest.mark.parametrize("asked", PLANS)
def test_notes_sound_the_chords_and_clicks_the_beats(tmp_path, asked):
    controls = plan(**asked)
    save_midi(tmp_path / "x.mid", controls)
    sounding = notes(tmp_path / "x.mid", "Chords")
    for chord, start_s in zip(controls.chords, controls.chord_times, strict=True):
        pitches = [p for start, end, p in sounding if start - 2e-3 <= start_s + 0.01 < end]
        assert {p % 12 for p in pitches} == set(chord.pitch_classes)
        assert not pitches or min(pitches) % 12 == chord.lowest
    assert max((end for _, end, _ in sounding), default=0) <= controls.duration_s + 2e-3
    clicks = notes(tmp_path / "x.mid", "Beats")
    assert [start for start, _, _ in clicks] == pytest.approx(controls.beat_times, abs=2e-3)
    assert [p for *_, p in clicks] == [DOWNBEAT_CLICK if n == 1 else BEAT_CLICK for n in controls.beat_positions]


def test_every_chord_has_a_voicing_in_range():
    for quality in SPELLINGS:
        for root in range(12):
            pitches = voicing(Chord(root, quality))
            assert sorted(pitches) == pitches and 36 <= pitches[0] < 48 and pitches[1] >= 55 and pitches[-1] < 67
    assert voicing(Chord()) == []


def test_given_beats_are_the_clicks(tmp_path):
    controls = resolve("", beats=[[0.2, 0.75, 1.31, 1.9], [2, 3, 1, 2]], chords="Am", tempo=None, duration=2.5)
    save_midi(tmp_path / "x.mid", controls)
    clicks = notes(tmp_path / "x.mid", "Beats")
    assert [start for start, _, _ in clicks] == pytest.approx(controls.beat_times, abs=2e-3)
    assert [p for *_, p in clicks] == [BEAT_CLICK, BEAT_CLICK, DOWNBEAT_CLICK, BEAT_CLICK]


def test_what_was_asked_is_a_text_in_any_script(tmp_path):
    controls = resolve("", chords="B♭ F", tempo="allegro", duration=8)
    save_midi(tmp_path / "x.mid", controls)
    (text,) = [message.text for message in mido.MidiFile(tmp_path / "x.mid").tracks[0] if message.type == "text"]
    assert json.loads(text.removeprefix("asked: ")) == {"chords": "B♭ F", "tempo": "allegro", "duration": 8}


def test_missing_folder(tmp_path):
    with pytest.raises(InputError, match="cannot write"):
        save_midi(tmp_path / "no" / "x.mid", plan(**PLANS[0]))
