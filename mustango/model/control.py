"""Beats, chords, parts, melody and drum hits -> a control signal aligned in time, which MuNet adds to its input.

Shapes: K control channels, T mel frames.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from musicbench.compose.instruments import PARTS

# The channels, in order; a model has the first so many of them. Of a melody: the pitch class, the octave from MIDI note
# 0, where a note begins.
CHORD_CHANNELS, PULSE_CHANNELS = 38, 7
PLAIN_CHANNELS = CHORD_CHANNELS + PULSE_CHANNELS  # those of models that know neither parts nor melody nor hits
DRUMS = ("kick", "snare", "hats", "toms", "cymbals", "percussion")
OCTAVES = 11
PULSE = slice(CHORD_CHANNELS, PLAIN_CHANNELS)
_PARTS = PLAIN_CHANNELS
_MELODY = _PARTS + len(PARTS) + 1
_HITS = _MELODY + 12 + OCTAVES + 2
CONTROL_CHANNELS = _HITS + len(DRUMS) + 1

_DRUM_OF = {
    "kick": "kick", "snare": "snare", "rim": "snare", "clap": "snare", "brush": "snare",
    "closed": "hats", "pedal": "hats", "open": "hats", "tom": "toms",
    "ride": "cymbals", "crash": "cymbals", "china": "cymbals", "splash": "cymbals",
}  # fmt: skip


def drum_class(name: str) -> str:
    """Return the one of DRUMS that a drum of the composer's, or one of DRUMS itself, counts as.

    Those of the composer are `musicbench.compose.instruments.DRUMS`.
    """
    return name if name in DRUMS else _DRUM_OF.get(name.split("_")[0], "percussion")


def _pulses(times, frames, frame_s):
    """Unit triangles, one frame to either side, at each time."""
    signal = np.zeros(frames, np.float32)
    for t in times:
        place = t / frame_s
        for i in (int(np.floor(place)), int(np.floor(place)) + 1):
            if 0 <= i < frames:
                signal[i] += 1 - abs(place - i)
    return signal


def off_beats(times: Sequence[float]) -> Sequence[float] | np.ndarray:
    """Return the times halfway from each beat to the next; none of fewer than two beats."""
    return np.asarray(times) + np.diff(times, append=2 * times[-1] - times[-2]) / 2 if len(times) > 1 else []


@dataclass(frozen=True)
class Notes:
    """What is asked of parts, melody and drums; each None where it is left open, empty where there shall be none.

    parts: names of PARTS; melody: notes (start in seconds, end, MIDI pitch), one at a time; hits: strokes (time in
    seconds, drum).
    """

    parts: tuple | None = None
    melody: tuple | None = None
    hits: tuple | None = None


OPEN = Notes()


def control_signal(
    beats: tuple,
    chords: tuple,
    frames: int,
    frame_s: float,
    bar: int | None = None,
    accents: tuple[float, float] = (1.0, 1.0),
    notes: Notes = OPEN,
) -> np.ndarray:
    """Draw what is asked for on the mel's time axis: (K, T) float32.

    Channels: chord notes (12), root (12), bass (12), chord given, chord start, beat, downbeat, sine and cosine of the
    place in the beat and in the bar, beats given; one each of PARTS that sound, parts given; the melody's pitch class
    (12) and octave (11), where its notes begin, melody given; strokes of DRUMS (6), hits given. Zeros where nothing is
    asked.
    bar: beats in a bar, the highest position when None.
    accents: how strong a beat is in the beats' channel, and how strong a downbeat; both are 1 in training.
    """
    signal = np.zeros((CONTROL_CHANNELS, frames), np.float32)
    symbols, starts = chords
    edges = [round(t / frame_s) for t in starts] + [frames]
    for chord, first, last in zip(symbols, edges, edges[1:], strict=False):
        signal[36, first:last] = 1
        if chord.root is not None:
            signal[list(chord.pitch_classes), first:last] = 1
            signal[12 + chord.root, first:last] = 1
            signal[24 + chord.lowest, first:last] = 1
    signal[37] = _pulses(starts, frames, frame_s)
    _draw_pulse(signal, beats, frame_s, bar, accents)
    _draw_notes(signal, notes, frame_s)
    return signal


def _draw_pulse(signal, beats, frame_s, bar, accents):
    """Draw beats (times, positions) on a signal (K, T); fewer than two are no pulse."""
    frames, (times, positions) = signal.shape[1], beats
    if len(times) < 2:
        return
    times, positions = np.asarray(times, float), np.asarray(positions)
    signal[39] = _pulses(times[positions == 1], frames, frame_s)
    signal[38] = accents[0] * _pulses(times[positions != 1], frames, frame_s) + accents[1] * signal[39]
    clock, index = np.arange(frames) * frame_s, np.arange(len(times))
    beat = np.interp(clock, times, index)  # the pulse goes on at its own pace before the first and after the last beat
    beat += np.minimum(clock - times[0], 0) / (times[1] - times[0])
    beat += np.maximum(clock - times[-1], 0) / (times[-1] - times[-2])
    bar = bar or max(positions)
    for channel, phase in ((40, beat), (42, (beat + positions[0] - 1) / bar)):
        signal[channel], signal[channel + 1] = np.sin(2 * np.pi * phase), np.cos(2 * np.pi * phase)
    signal[44] = 1


def _draw_notes(signal, notes, frame_s):
    """Draw the Notes that are asked for on a signal (K, T)."""
    frames = signal.shape[1]
    if notes.parts is not None:
        signal[_PARTS : _PARTS + len(PARTS)] = np.array([part in notes.parts for part in PARTS], np.float32)[:, None]
        signal[_PARTS + len(PARTS)] = 1
    if notes.melody is not None:
        _draw_melody(signal[_MELODY:_HITS], notes.melody, frame_s)
    if notes.hits is not None:
        for place, drum in enumerate(DRUMS):
            times = [time for time, name in notes.hits if drum_class(name) == drum]
            signal[_HITS + place] = np.minimum(_pulses(times, frames, frame_s), 1)
        signal[_HITS + len(DRUMS)] = 1


def _draw_melody(channels, notes, frame_s):
    """Draw a melody's notes on its channels (25, T)."""
    frames = channels.shape[1]
    for start_s, end_s, pitch in notes:
        first, last = max(round(start_s / frame_s), 0), round(end_s / frame_s)
        channels[:-2, first:last] = 0  # of two notes at once the later one is played
        channels[[pitch % 12, 12 + pitch // 12], first:last] = 1
    channels[-2] = np.minimum(_pulses([start for start, _, _ in notes], frames, frame_s), 1)
    channels[-1] = 1
