"""A MIDI file -> the beats, tempi, meters and keys that it tells, in seconds."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from musicbench import InputError
from musicbench.music.keys import Key
from musicbench.music.meters import Meter, read_meter
from musicbench.music.tempo import MAX_BPM, MIN_BPM
from musicbench.scores.score import open_midi

MOST_BEATS = 100_000  # of a file whose last event lies oddly far away
FEW_NOTES = 32  # of which it cannot be told whether they keep to the beats
GRIDS = (1, 2, 3, 4)  # parts of a quarter note on which notes lie
CHANCE = 2.5  # by how many standard errors notes on a grid stand out from notes anywhere
DEFAULT_US = 500_000  # a quarter note, where no tempo is told


@dataclass(frozen=True)
class TempoMap:
    """What a MIDI file tells of time. beats: (seconds, position in the bar, None where no meter is told); the others (seconds,
    value), each until the next.

    Beats are counted as `Meter` counts them, and so are the tempi.
    """

    beats: tuple[tuple[float, int | None], ...] = ()
    tempo: tuple[tuple[float, float], ...] = ()
    meter: tuple[tuple[float, Meter], ...] = ()
    key: tuple[tuple[float, Key], ...] = ()


def read_tempo_map(path: Path | str) -> TempoMap:
    """Read a MIDI file's tempi, time and key signatures; beats of the whole file by them.

    Raises InputError for what is no MIDI file, and where its notes do not keep to its beats, as those of a transcription
    that was written without a tempo.
    """
    file = open_midi(path)
    tempi, meters, keys, onsets, end = _events(file)
    at = _Clock(tempi, file.ticks_per_beat)
    key = tuple((at.seconds(tick), _key(name)) for tick, name in keys)
    if not tempi:
        return TempoMap(key=key)
    if not _keep_to_beats(np.array(onsets) / file.ticks_per_beat):
        raise InputError(f"{path} tells a tempo to which its notes do not keep; write it with the music's beats")
    stretches = meters if meters and meters[0][0] == 0 else [(0, Meter(4, 4), 1.0), *meters]
    beats, tempo = [], []
    for (start, meter, quarters), (next_start, *_) in zip(stretches, [*stretches[1:], (end, None)], strict=True):
        ticks = quarters * file.ticks_per_beat
        count = min(int(np.ceil((next_start - start) / ticks - 1e-6)), MOST_BEATS - len(beats))
        beats += [(round(at.seconds(start + i * ticks), 6), i % meter.beats + 1 if meters else None) for i in range(count)]
        tempo += _tempi(tempi, start, next_start, quarters, at)
    told = tuple((at.seconds(start), meter) for start, meter, _ in meters)
    return TempoMap(tuple(beats), tuple(tempo), told, key)


def _events(file):
    """Return (tempi, meters with the quarter notes of a counted beat, keys, onsets of notes) by ticks, and the last tick."""
    tempi, meters, keys, onsets, end = [], [], [], [], 0
    for track in file.tracks:
        now = 0
        for message in track:
            now += message.time
            if message.type == "set_tempo" and message.tempo:
                tempi.append((now, message.tempo))
            elif message.type == "time_signature" and (meter := _meter(message)):
                meters.append((now, *meter))
            elif message.type == "key_signature":
                keys.append((now, message.key))
            elif message.type == "note_on" and message.velocity:
                onsets.append(now)
        end = max(end, now)
    return sorted(tempi), sorted(meters, key=lambda each: each[0]), sorted(keys), sorted(set(onsets)), end


def _meter(message):
    """Return (meter, quarter notes of a counted beat) of a time signature, None for one that is not counted here."""
    try:
        meter, _ = read_meter(f"{message.numerator}/{message.denominator}")
    except InputError:
        return None
    return meter, 4 * message.numerator / message.denominator / meter.beats


def _key(name):
    return Key.parse(name[:-1] + " minor" if name.endswith("m") else name)


def _tempi(tempi, start, end, quarters, at):
    """Return (seconds, counted beats a minute) of a stretch with one meter; tempi that cannot be played are left out."""
    before = [us for tick, us in tempi if tick <= start]
    inside = [(tick, us) for tick, us in tempi if start < tick < end]
    own = [(start, before[-1] if before else DEFAULT_US), *inside]
    found = [(at.seconds(tick), round(60e6 / us / quarters, 3)) for tick, us in own]
    return [(time, bpm) for time, bpm in found if MIN_BPM <= bpm <= MAX_BPM]


def _keep_to_beats(quarters):
    """Tell whether notes lie on some grid of the beats more than notes anywhere would; of a few it is taken for granted."""
    if len(quarters) < FEW_NOTES:
        return True
    lengths = [abs(np.exp(2j * np.pi * parts * quarters).mean()) for parts in GRIDS]
    return bool(max(lengths) > CHANCE / np.sqrt(len(quarters)))


class _Clock:
    """Ticks in seconds."""

    def __init__(self, tempi, ticks_per_beat):
        changes = {0: DEFAULT_US, **dict(tempi)}
        self.ticks = np.array(sorted(changes))
        self.tick_s = np.array([changes[tick] for tick in sorted(changes)]) / 1e6 / ticks_per_beat
        self.times = np.concatenate([[0.0], np.cumsum(np.diff(self.ticks) * self.tick_s[:-1])])

    def seconds(self, tick):
        """Return when a tick is."""
        i = int(np.searchsorted(self.ticks, tick, side="right")) - 1
        return float(self.times[i] + (tick - self.ticks[i]) * self.tick_s[i])
