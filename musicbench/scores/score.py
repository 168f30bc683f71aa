"""A MIDI file -> its lead's notes and its drums' strokes, in quarter notes."""

import re
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from statistics import median

from musicbench import InputError
from musicbench.files import bytes_of

DRUM_CHANNEL = 9  # the tenth
# General MIDI's percussion keys as the kinds of drums that a model is told of.
DRUM_OF_KEY = {
    35: "kick", 36: "kick", 37: "snare", 38: "snare", 39: "snare", 40: "snare", 42: "hats", 44: "hats", 46: "hats",
    **dict.fromkeys((41, 43, 45, 47, 48, 50), "toms"), **dict.fromkeys((49, 51, 52, 53, 55, 57, 59), "cymbals"),
}  # fmt: skip
MOST_BYTES = 1 << 20  # of a file: 250,000 notes
MOST_TICKS = 1 << 40
ENDLESS = re.compile(rb"[\x80-\xff]{4000}")  # what would be read as one number, in time that grows with its square
TOGETHER = 1 / 16  # quarter notes: what begins within so much is a chord


@dataclass(frozen=True)
class Score:
    """What a MIDI file holds: notes of its lead (start and end in quarter notes, pitch), strokes of drums (place in quarter notes,
    name of the drum), and the tempo it begins with, in quarter notes a minute; None where it tells none."""

    notes: tuple = ()
    hits: tuple = ()
    quarters_bpm: float | None = None


def open_midi(path: Path | str):
    """Return a MIDI file as mido reads it. Raises InputError for what is none, or counts no beats."""
    from mido import MidiFile

    data = bytes_of(path, MOST_BYTES, "give a MIDI file")
    if ENDLESS.search(data):
        raise InputError(f"{path} is no MIDI file that can be read (it holds a number without end); write it anew")
    try:
        file = MidiFile(file=BytesIO(data))
    except Exception as error:  # what a file of somebody's raises nobody foresees
        raise InputError(f"{path} is no MIDI file that can be read ({str(error) or 'it breaks off'}); write it anew") from None
    if file.ticks_per_beat <= 0:
        raise InputError(f"{path} counts time in frames, not in beats; export it with beats")
    return file


def read_score(path: Path | str) -> Score:
    """Read a MIDI file. Of several voices the lead is the one that a track calls so, else the highest; of notes at once the highest.

    Raises InputError for what is no MIDI file.
    """
    from mido import tempo2bpm

    file = open_midi(path)
    voices, hits, tempos = {}, [], []
    for track in file.tracks:
        now, sounding, name = 0, {}, track.name  # which mido looks for in the whole track
        for message in track:
            now += message.time
            if now > MOST_TICKS:
                raise InputError(f"{path} has an event after {MOST_TICKS} ticks, which no music has; write it anew")
            place = now / file.ticks_per_beat
            if message.type == "set_tempo" and message.tempo:
                tempos.append((place, tempo2bpm(message.tempo)))
            elif message.type == "note_on" and message.velocity and message.channel == DRUM_CHANNEL:
                hits.append((place, DRUM_OF_KEY.get(message.note, "percussion")))
            elif message.type in ("note_on", "note_off") and message.channel != DRUM_CHANNEL:
                voice = voices.setdefault((name, message.channel), [])
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
