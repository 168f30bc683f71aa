"""Chords and beats -> a Standard MIDI File: voiced chords, their names as markers, a click on every beat; MIDI files read."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from musicbench import InputError
from musicbench.files import written_whole
from musicbench.music.annotation import spans
from musicbench.music.theory import Chord, Key

TICKS = 480  # a quarter note
BASS, MIDDLE = 36, 55  # lowest MIDI pitches of the bass and of the notes above it
CLICK_CHANNEL, DOWNBEAT_CLICK, BEAT_CLICK = 9, 76, 77  # General MIDI: high and low wood block
DRUM_CHANNEL = 9
# General MIDI's percussion keys as the kinds of drums that a model is told of.
DRUM_OF_KEY = {
    35: "kick", 36: "kick", 37: "snare", 38: "snare", 39: "snare", 40: "snare", 42: "hats", 44: "hats", 46: "hats",
    **dict.fromkeys((41, 43, 45, 47, 48, 50), "toms"), **dict.fromkeys((49, 51, 52, 53, 55, 57, 59), "cymbals"),
}  # fmt: skip
TOGETHER = 1 / 16  # quarter notes: what begins within so much is a chord


def voicing(chord):
    """Return the MIDI pitches of a chord: the bass in the octave from C2, its notes in the octave from G3; [] for no chord."""
    if chord.root is None:
        return []
    return [BASS + chord.lowest, *sorted(MIDDLE + (pc - MIDDLE) % 12 for pc in chord.pitch_classes)]


def _track(name, events):
    """Return a track of (tick, message) events in the order of their ticks; at one tick notes end before others begin."""
    from mido import MetaMessage, MidiTrack

    track, now = MidiTrack([MetaMessage("track_name", name=name)]), 0
    for tick, message in sorted(events, key=lambda event: (event[0], event[1].type != "note_off")):
        track.append(message.copy(time=tick - now))
        now = tick
    return track


def save_midi(path, controls):
    """Write the chords and beats of `controls` (`mustango.request.reader.Controls`), which are played; what was asked is a text beside them.

    Raises InputError when the place is not writable.
    """
    from mido import Message, MetaMessage, MidiFile, bpm2tempo

    quarter_s = 60 / controls.bpm * controls.meter.unit / 4

    def tick(seconds):
        return round(seconds / quarter_s * TICKS)

    def notes(pitches, start_s, end_s, channel, velocity):
        for pitch in pitches:
            yield tick(start_s), Message("note_on", note=pitch, channel=channel, velocity=velocity)
            yield tick(end_s), Message("note_off", note=pitch, channel=channel)

    key = Key.of(controls.key.pitch_class, controls.key.mode)
    plan = [
        (0, MetaMessage("set_tempo", tempo=bpm2tempo(60 / quarter_s))),
        (0, MetaMessage("time_signature", numerator=controls.meter.beats, denominator=controls.meter.unit)),
        (0, MetaMessage("key_signature", key=key.tonic + ("m" if key.mode == "minor" else ""))),
    ]
    asked = {name: value for name, value in controls.asked.items() if value is not None}
    if asked:
        plan.append((0, MetaMessage("text", text=f"asked: {json.dumps(asked)}")))
    chords = []
    for chord, (start_s, end_s) in zip(controls.chords, spans(controls.chord_times, controls.duration_s), strict=True):
        plan.append((tick(start_s), MetaMessage("marker", text=chord.lead_sheet(controls.key))))
        chords.extend(notes(voicing(chord), start_s, end_s, 0, 80))
    clicks = []
    for start_s, position in zip(controls.beat_times, controls.beat_positions, strict=True):
        pitch = DOWNBEAT_CLICK if position == 1 else BEAT_CLICK
        clicks.extend(notes([pitch], start_s, start_s + quarter_s / 8, CLICK_CHANNEL, 100))
    tracks = [_track("Plan", plan), _track("Chords", chords), _track("Beats", clicks)]
    with written_whole(path) as temporary:
        MidiFile(type=1, ticks_per_beat=TICKS, tracks=tracks).save(temporary)


def read_chords(path):
    """Return (chords, start times in seconds) from the markers of a file that `save_midi` wrote."""
    from mido import MidiFile

    chords, times, now = [], [], 0.0
    for message in MidiFile(path):
        now += message.time
        if message.type == "marker":
            chords.append(Chord.parse(message.text))
            times.append(now)
    return chords, times


@dataclass(frozen=True)
class Score:
    """What a MIDI file holds: notes of its lead (start and end in quarter notes, pitch), strokes of drums (place in quarter notes,
    name of the drum), and the tempo it begins with, in quarter notes a minute; None where it tells none."""

    notes: tuple = ()
    hits: tuple = ()
    quarters_bpm: float | None = None


def read_score(path: Path | str) -> Score:
    """Read a MIDI file. Of several voices the lead is the one that a track calls so, else the highest; of notes at once the highest.

    Raises InputError for what is no MIDI file.
    """
    from mido import MidiFile, tempo2bpm

    try:
        file = MidiFile(path)
    except OSError as error:
        raise InputError(f"cannot read {path} ({error.strerror or error}); give a MIDI file") from None
    except (EOFError, ValueError, IndexError, KeyError) as error:
        raise InputError(f"{path} is no MIDI file that can be read ({str(error) or 'it breaks off'}); write it anew") from None
    if file.ticks_per_beat <= 0:
        raise InputError(f"{path} counts time in frames, not in beats; export it with beats")
    voices, hits, tempos = {}, [], []
    for track in file.tracks:
        now, sounding = 0, {}
        for message in track:
            now += message.time
            place = now / file.ticks_per_beat
            if message.type == "set_tempo":
                tempos.append((place, tempo2bpm(message.tempo)))
            elif message.type == "note_on" and message.velocity and message.channel == DRUM_CHANNEL:
                hits.append((place, DRUM_OF_KEY.get(message.note, "percussion")))
            elif message.type in ("note_on", "note_off") and message.channel != DRUM_CHANNEL:
                voice = voices.setdefault((track.name, message.channel), [])
                started = sounding.pop((message.channel, message.note), None)
                if started is not None and place > started:
                    voice.append((started, place, message.note))
                if message.type == "note_on" and message.velocity:
                    sounding[message.channel, message.note] = place
    return Score(
        _lead([(name, notes) for (name, _), notes in voices.items() if notes]),
        tuple(sorted(hits)),
        min(tempos, default=(0, None))[1],
    )


def _lead(voices):
    """Return the notes of the lead of [(track's name, notes), ...], one at a time."""
    named = [notes for name, notes in voices if re.search("lead|melod|vocal|voice", name, re.IGNORECASE)]
    notes = (
        named[0]
        if named
        else max((notes for _, notes in voices), key=lambda notes: median(pitch for _, _, pitch in notes), default=[])
    )
    line = []
    for start, end, pitch in sorted(notes, key=lambda note: (note[0], -note[2])):
        if line and start < line[-1][1]:
            if start - line[-1][0] < TOGETHER or pitch < line[-1][2]:
                continue  # a chord's lower notes, and what is played below a note that is held
            line[-1] = (line[-1][0], start, line[-1][2])
        line.append((start, end, pitch))
    return tuple(line)
