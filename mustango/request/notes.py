"""Parts, melody and drums that are asked for: read from names, files and lists."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from musicbench import InputError
from musicbench.compose.instruments import PARTS
from musicbench.scores.score import read_score
from musicbench.sound.audio import load_audio
from musicbench.sound.melody import hear_melody
from mustango.model.control import DRUMS

MIDI_SUFFIXES = (".mid", ".midi")
MOST_NOTES = 10_000


@dataclass(frozen=True)
class Events:
    """Events of a melody or of drums: tuples that begin with their times, in seconds, or in quarter notes of a score.

    quarters_bpm: the tempo that a score tells.
    """

    events: tuple
    in_quarters: bool = False
    quarters_bpm: float | None = None

    def in_seconds(self, seconds: Callable[[float], float], duration_s: float) -> tuple:
        """Return the events that begin within `duration_s`, ends cut there. seconds: quarter notes -> seconds."""
        events = []
        for *times, what in self.events:
            start_s, *end_s = (round(seconds(time) if self.in_quarters else time, 6) for time in times)
            if start_s < duration_s:
                events.append((start_s, *(min(end, duration_s) for end in end_s), what))
        return tuple(events)


def read_parts(value: Any) -> tuple[str, ...] | None:
    """Return names of PARTS in their order, None for none. Raises InputError for another name."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    names = value.replace(",", " ").split() if isinstance(value, str) else value
    if not isinstance(names, Sequence) or not all(isinstance(name, str) for name in names) or not names:
        raise InputError(f"parts {repr(value)[:40]} are no names; give some of {', '.join(PARTS)}")
    named = [name.strip().lower() for name in names]
    unknown = next((name for name in named if name not in PARTS), None)
    if unknown is not None:
        raise InputError(f"unknown part {unknown[:40]!r}; give some of {', '.join(PARTS)}")
    return tuple(part for part in PARTS if part in named)


def read_melody(value: Any) -> Events | None:
    """Return a melody: of a MIDI file in quarter notes, heard in another file of sound, or a list of [start (s), end (s), MIDI pitch].

    None for None and empty text. Raises InputError.
    """
    if value is None or isinstance(value, Events):
        return value
    if isinstance(value, (str, Path)):
        return _melody_of_file(Path(value)) if str(value).strip() else None
    notes = _events(value, "melody", "[start in seconds, end in seconds, MIDI pitch]", 3)
    for start, end, pitch in notes:
        if not (isinstance(pitch, int) and 0 <= pitch <= 127 and 0 <= start < end):
            raise InputError(f"melody note {[start, end, pitch]} is none; give [start, later end, MIDI pitch 0-127]")
    return Events(notes)


def _melody_of_file(path):
    if path.suffix.lower() in MIDI_SUFFIXES:
        score = read_score(path)
        if not score.notes:
            raise InputError(f"{path} holds no notes but of drums; give a file with a melody")
        return Events(score.notes, True, score.quarters_bpm)
    notes = hear_melody(*load_audio(path))
    if not notes:
        raise InputError(f"no melody is heard in {path}; give one voice or instrument alone, or a MIDI file")
    return Events(notes)


def read_drums(value: Any) -> Events | None:
    """Return strokes of drums: of a MIDI file in quarter notes, or a list of [time (s), one of DRUMS].

    None for None and empty text. Raises InputError.
    """
    if value is None or isinstance(value, Events):
        return value
    if isinstance(value, (str, Path)):
        if not str(value).strip():
            return None
        if Path(value).suffix.lower() not in MIDI_SUFFIXES:
            raise InputError(f"drums {str(value)[:60]} are no MIDI file; give a .mid")
        score = read_score(value)
        if not score.hits:
            raise InputError(f"{value} has no drums, which MIDI writes on channel 10; give a file with drums")
        return Events(score.hits, True, score.quarters_bpm)
    hits = _events(value, "drums", f"[time in seconds, one of {', '.join(DRUMS)}]", 2)
    for time, drum in hits:
        if time < 0 or drum not in DRUMS:
            raise InputError(f"stroke {[time, drum]} is none; give [time in seconds, one of {', '.join(DRUMS)}]")
    return Events(hits)


def _events(value, name, form, size):
    """Return a list of lists as sorted tuples. Raises InputError unless each has `size` fields and begins with a number."""
    is_list = isinstance(value, (list, tuple)) and all(isinstance(event, (list, tuple)) and len(event) == size for event in value)
    times = [event[: size - 1] for event in value] if is_list else [[None]]
    if not all(isinstance(t, (int, float)) and not isinstance(t, bool) and t == t for row in times for t in row):
        raise InputError(f"{name} {repr(value)[:40]} is no list of {form}, nor a file")
    if len(value) > MOST_NOTES:
        raise InputError(f"{name} has {len(value)} notes, above {MOST_NOTES}; cut it")
    return tuple(sorted(map(tuple, value)))
