"""Melodies: a rhythm that comes back, chord notes on strong beats, steps of a scale between."""

from dataclasses import replace

import numpy as np

from musicbench.compose.pieces import Note
from musicbench.compose.playing import MELODIES, SCALES
from musicbench.compose.rhythms import PHRASES
from musicbench.music.chords import NO_CHORD

LOWEST_LEAD, HIGHEST_LEAD = 55, 84  # where melodies lie, if the instrument reaches there
GRACE_S = 0.07


def write_lead(piece, number, events, beats_needed, rng):
    """Return the Notes of the lead voice `number` of a plan over its chords, events (start beat, end beat, chord)."""
    voice = piece.voices[number]
    way = MELODIES[voice.playing]
    is_alone = all(other.part == "lead" for other in piece.voices)
    motifs = {letter: _motif(piece, way, rng) for letter in "ABC"}
    phrase = str(rng.choice(PHRASES)) if rng.random() < way.repeats else "ABCA"
    line = _Line(piece, voice, way, is_alone, rng)
    notes = []
    for bar in range(int(np.ceil(beats_needed / piece.meter.beats))):
        if not is_alone and rng.random() < 0.08:
            continue
        for onset, length, sounds, drift in motifs[phrase[bar % 4]]:
            at = bar * piece.meter.beats + onset
            if (sounds or (is_alone and onset == 0)) and at < beats_needed:
                notes += line.note(events, at, onset, length, drift, number)
    return notes


def _motif(piece, way, rng):
    """Return a bar's rhythm as [(onset, length, whether it sounds, which way the melody moves)], lengths in counted
    beats."""
    layout = piece.layout
    pulses = len(layout.cells)
    lengths = list(way.lengths)
    weights = np.array([way.lengths[n] * np.exp(2.5 * (piece.density - 0.5) * np.log2(1 / n)) for n in lengths])
    shortest = 0.14 * piece.bpm / 60 / layout.cells[0][1]  # pulses; no note is shorter
    weights[np.array(lengths) < shortest] = 1e-9
    points, at = [0.0], 0.0
    while at < pulses - 1e-6:
        at = min(at + lengths[rng.choice(len(lengths), p=weights / weights.sum())], float(pulses))
        points.append(at)
    beats = [_to_beats(layout, point) for point in points]
    beats = sorted(set(beats))
    rests = min(way.rests + max(0.5 - piece.density, 0) * 0.5, 0.7)
    return [
        (start, end - start, bool(rng.random() >= rests), float(rng.normal(0, way.leap)))
        for start, end in zip(beats, beats[1:], strict=False)
    ]


def _to_beats(layout, point):
    """Return counted beats of a place in pulses, on the grid of the meter."""
    pulse = min(int(point + 1e-9), len(layout.cells) - 1)
    start, length = layout.cells[pulse]
    within = (point - pulse) * length
    if layout.feel == "triplet":
        step = 1 / 3
    elif layout.is_irregular:
        step = 0.5
    else:
        step = 1.0 if layout.is_compound and layout.beats <= 6 and point * 3 % 1 < 1e-6 else 0.5 if layout.is_compound else 0.25
    return round(start + round(within / step) * step, 4)


class _Line:
    """A melody as it goes on: where it is, and what may follow."""

    def __init__(self, piece, voice, way, is_alone, rng):
        sound = voice.sound
        low = max(sound.low, min(LOWEST_LEAD, sound.high - 14))
        high = min(sound.high, max(HIGHEST_LEAD, sound.low + 14))
        middle = (low + high) / 2 + 5 * piece.register
        self.low, self.high = int(max(low, middle - 10)), int(min(high, middle + 10))
        self.piece, self.way, self.is_alone, self.rng = piece, way, is_alone, rng
        self.pitch = (self.low + self.high) / 2

    def note(self, events, at, onset, length, drift, number):
        """Return the notes of one place of the melody: none where no chord sounds, two with a grace note."""
        start, chord = next(((s, c) for s, e, c in events if s - 1e-6 <= at < e - 1e-6), (0.0, NO_CHORD))
        if chord.root is None:
            return []
        is_strong = self._is_strong(onset, length)
        allowed = self._allowed(chord, is_strong)
        if self.is_alone and abs(at - start) < 1e-6 and self.rng.random() < 0.7:
            allowed = {chord.lowest}
        near = [p for p in range(self.low, self.high + 1) if p % 12 in allowed]
        if not near:
            return []
        middle = (self.low + self.high) / 2
        pull = np.array([np.exp(-abs(p - self.pitch - drift) / 1.6 - abs(p - middle) / 12) for p in near])
        pull[[p == self.pitch for p in near]] *= 0.4
        self.pitch = int(self.rng.choice(near, p=pull / pull.sum()))
        velocity = 84 + (8 if is_strong else 0) + int(self.rng.integers(-6, 7))
        made = Note(at, length * float(self.rng.uniform(0.85, 0.98)), self.pitch, velocity, "lead", number)
        return self._with_grace(made, chord)

    def _is_strong(self, onset, length):
        starts = [start for start, _ in self.piece.layout.cells]
        return any(abs(onset - start) < 1e-6 for start in starts) and (
            length >= 1 or onset in (starts[0], starts[len(starts) // 2])
        )

    def _allowed(self, chord, is_strong):
        """Return the pitch classes that may sound: chord notes, and steps of the scale that do not rub against one."""
        tones = set(chord.pitch_classes)
        steps = SCALES[self.way.scale]
        if self.way.scale == "triad":
            return tones
        tonic, mode = self.piece.key.pitch_class, self.piece.key.mode == "minor"
        scale = {(tonic + step) % 12 for step in steps[mode]} if steps else set(self.piece.key.scale)
        if is_strong or len(tones & scale) < 2 or (self.is_alone and self.rng.random() < 0.6):
            return tones
        return {pc for pc in scale if not ({(pc + 1) % 12, (pc - 1) % 12} & tones)} | (tones & scale)

    def _with_grace(self, note, chord):
        grace = GRACE_S * self.piece.bpm / 60
        if note.beats < 3 * grace or self.rng.random() >= self.way.ornaments:
            return [note]
        above = [p for p in (1, 2, 3, -1, -2) if (note.pitch + p) % 12 in self._allowed(chord, False)]
        if not above:
            return [note]
        before = replace(note, beats=grace, pitch=note.pitch + above[0], velocity=note.velocity - 14)
        return [before, replace(note, beat=round(note.beat + grace, 4), beats=note.beats - grace)]


def write_second(piece, number, first, events):
    """Return the Notes of a second lead, which follows the first a third or so below, on notes of the chord."""
    sound, notes = piece.voices[number].sound, []
    for note in first:
        chord = next((c for s, e, c in events if s - 1e-6 <= note.beat < e - 1e-6), NO_CHORD)
        below = [
            p for p in range(note.pitch - 3, note.pitch - 9, -1) if p % 12 in chord.pitch_classes and sound.low <= p <= sound.high
        ]
        if below:
            notes.append(replace(note, pitch=below[0], velocity=note.velocity - 8, voice=number))
    return notes
