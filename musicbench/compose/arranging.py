"""Plan -> notes: chords, basses, melodies and drums, each by the patterns of its style, in the plan's form."""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from musicbench.compose.drumming import write_drums
from musicbench.compose.melodies import write_lead, write_second
from musicbench.compose.pieces import Note
from musicbench.compose.playing import pattern_of
from musicbench.compose.rhythms import Hit, doubled, lay_out, phrase_of, thinned, varied
from musicbench.music.annotation import spans
from musicbench.music.chordtypes import intervals_of

UNDER = 0.6  # how often a broken chord has a soft one under it
STRUM_S, ROLL_S, SHORT_S, RING_BEATS = 0.013, 0.07, 0.15, 16
JITTER_S = 0.004  # how far players are off the grid
DRUM_S = 0.1  # how long a stroke's key is held


def chord_events(piece, beats_needed):
    """Return the progression as [(start beat, end beat, chord)] until `beats_needed`."""
    chords, times = piece.progression.lay_out(piece.bpm, beats_needed * 60 / piece.bpm, whole=False)
    starts = [round(t * piece.bpm / 60, 4) for t in times]
    return [(*span, chord) for span, chord in zip(spans(starts, float(beats_needed)), chords, strict=True)]


def arrange(piece, beats_needed):
    """Write the notes of a plan for `beats_needed` beats, in order of time."""
    events, notes, leads = chord_events(piece, beats_needed), [], []
    for number, voice in enumerate(piece.voices):
        rng = np.random.default_rng([piece.seed, 2, number])
        if voice.part == "chords":
            own = _write_chords(piece, number, events, rng)
        elif voice.part == "bass":
            own = _write_bass(piece, number, events, rng)
        else:
            own = write_second(piece, number, leads, events) if leads else write_lead(piece, number, events, beats_needed, rng)
            leads = leads or own
        notes += _in_form(piece, number, own, events)
    notes += [n for n in write_drums(piece, beats_needed) if piece.form.plays("drums", int(n.beat // piece.meter.beats))]
    scale = 0.72 + 0.5 * piece.energy
    notes = [replace(note, beat=_swung(piece, note.beat), velocity=int(np.clip(note.velocity * scale, 20, 127))) for note in notes]
    return sorted(notes, key=lambda note: (note.beat, note.part, note.voice or 0, note.pitch))


@dataclass(frozen=True)
class Sounding:
    """A Note in seconds from the start of the clip; start_s may lie before it."""

    start_s: float
    end_s: float
    note: object


def sounding(piece, duration_s):
    """Return the notes of a plan's clip as Soundings in order: those that begin up to `before_s` before it, or in
    it."""
    seconds_a_beat = 60 / piece.bpm
    first_s = piece.start_beat * seconds_a_beat
    beats_needed = piece.start_beat + int(np.ceil(duration_s / seconds_a_beat)) + 1
    rng = np.random.default_rng([piece.seed, 3])
    made = []
    for note in arrange(piece, beats_needed):
        jitter_s = 0.0 if piece.machine else float(rng.normal(0, JITTER_S))
        start_s = max(note.beat * seconds_a_beat + jitter_s, 0.0) - first_s
        end_s = start_s + (DRUM_S if note.drum else max(note.beats * seconds_a_beat - 0.01, 0.03))
        if start_s >= -piece.before_s and start_s < duration_s - 1e-3:
            made.append(Sounding(round(start_s, 6), round(end_s, 6), note))
    return made


def _swung(piece, beat):
    """Return where a beat falls when the second of two steps is late."""
    if not piece.swing:
        return beat
    step = piece.swing_step
    pair, within = divmod(beat + 1e-9, 2 * step)
    late = step * (1 + piece.swing)
    within = within * late / step if within < step else late + (within - step) * (2 * step - late) / step
    return round(pair * 2 * step + within, 6)


def _in_form(piece, number, notes, events):
    """Return those notes of a voice that its form lets sound, the last bar's as one that rings.

    Notes end where the same pitch comes again.
    """
    beats, form = piece.meter.beats, piece.form
    kept = [note for note in notes if form.plays(number, int(note.beat // beats))]
    if form.final_bar is not None:
        first = form.final_bar * beats
        end, chord = next(((e, c) for s, e, c in events if s - 1e-6 <= first < e - 1e-6), (first + beats, None))
        last = [note for note in kept if note.beat >= first - 1e-6]
        kept = [note for note in kept if note.beat < first - 1e-6] + _ringing(piece.voices[number].part, last, first, end, chord)
    return _without_overlaps(kept)


def _ringing(part, last, first, end, chord):
    """Return the notes of a last bar as one stroke at its beginning that lasts to the beat `end`: of a melody one
    note, of the chord."""
    start = min((note.beat for note in last), default=0.0)
    last = [note for note in last if note.beat < start + 0.2]
    if part == "lead" and last and chord is not None:
        longest = max(last, key=lambda note: note.beats)
        steps = [step for step in (0, -1, 1, -2, 2, -3, 3) if (longest.pitch + step) % 12 in chord.pitch_classes]
        last, start = [replace(longest, pitch=longest.pitch + steps[0])] if steps else [], longest.beat
    return [replace(note, beat=float(first) + note.beat - start, beats=end - first) for note in last]


def _without_overlaps(notes):
    """Return notes of one voice, each cut where its pitch is struck again."""
    following, kept = {}, []
    for note in sorted(notes, key=lambda note: note.beat, reverse=True):
        free = following.get(note.pitch, np.inf) - note.beat
        if free > 1e-3:
            kept.append(replace(note, beats=min(note.beats, free)))
            following[note.pitch] = note.beat
    return kept[::-1]


# ---------------------------------------------------------------------------------------------------- patterns in time


def left_out(piece):
    """Return the chance that a note of a pattern is left out."""
    return max(0.9 - 1.8 * piece.density, 0.0)


def struck_twice(piece):
    """Return the chance that a note of a pattern is struck twice in its time."""
    return max(1.8 * piece.density - 0.9, 0.0)


def _placed(piece, table, name, events, rng):
    """Yield (start, end, chord, following chord, hits) of each chord, its hits from a pattern that was drawn and
    varied bar by bar."""
    ways, patterns = pattern_of(table, name)
    pattern = patterns[int(rng.integers(len(patterns)))]
    layout, beats = piece.layout, piece.meter.beats
    shortest = max(0.45, 0.3 * piece.bpm / 60)

    def one_bar(rng, bar):
        hits = varied(lay_out(pattern, layout, bar), layout, rng, 0.7 * piece.loose, "bf-")
        return doubled(thinned(hits, rng, left_out(piece)), layout, rng, struck_twice(piece) * ("ring" not in ways), shortest)

    phrase = phrase_of(lambda rng: (one_bar(rng, 0), one_bar(rng, 1)), rng)
    for i, (start, end, chord) in enumerate(events):
        if chord.root is None:
            continue
        hits = []
        for bar in range(int(start // beats), int(np.ceil(end / beats))):
            for hit in phrase[bar % 4][bar % 2]:
                at = bar * beats + hit.onset
                if start - 1e-6 <= at < end - 1e-6:
                    hits.append(Hit(at, min(hit.length, end - at), hit.sign))
        yield start, end, chord, events[i + 1][2] if i + 1 < len(events) else chord, hits


# ---------------------------------------------------------------------------------------------------- chords


@lru_cache(8192)
def voicing(chord, previous, center):
    """Return the notes of a chord near `center`, moving as little as possible from the previous voicing."""
    tones = [(chord.root + s) % 12 for s in intervals_of(chord.quality)]
    best, best_cost = None, np.inf
    for turn in range(len(tones)):
        for octave in range(2, 8):
            pitches = [12 * octave + tones[turn]]
            for tone in tones[turn + 1 :] + tones[:turn]:
                pitches.append(pitches[-1] + (tone - pitches[-1]) % 12)
            cost = 0.6 * abs(sum(pitches) / len(pitches) - center)
            cost += sum(min(abs(p - q) for q in previous) for p in pitches) / len(pitches) if previous else 0
            if cost < best_cost:
                best, best_cost = tuple(pitches), cost
    return best


def _guitar_chord(chord, low):
    """Return root, fifth, octave and the third above it, with the seventh in place of the octave: a barre chord."""
    root = low + (chord.root - low) % 12
    steps = intervals_of(chord.quality)
    fifth = next((s for s in steps if s in (6, 7, 8)), 12)
    third = next((s for s in steps if s in (3, 4, 5, 2)), 7)
    top = next((s for s in steps if s in (9, 10, 11)), 12)
    return tuple(sorted({root, root + fifth, root + top, root + 12 + third}))


def _single_tones(chord):
    """Return a chord's pitch classes, the ones that tell it first: third, seventh or fifth, root."""
    steps = intervals_of(chord.quality)
    order = sorted(steps, key=lambda s: (s not in (3, 4, 5, 2), s not in (9, 10, 11), s not in (6, 7, 8), s))
    return [(chord.root + s) % 12 for s in order]


class _Hand:
    """What a voice has of the chords: the whole of each, or one note."""

    def __init__(self, piece, voice, ways, has_bass):
        sound = voice.sound
        shift = 12 * ("high" in ways) - 12 * ("low" in ways)
        self.low, self.high = sound.low, sound.high
        self.center = float(np.clip(60 + 9 * piece.register + shift, sound.low + 7, sound.high - 7))
        self.voice, self.ways, self.has_bass, self.previous = voice, ways, has_bass, None
        self.pitch = self.center

    def take(self, chord):
        """Return (the voicing, the root and the fifth below it) of the next chord."""
        if self.voice.note is not None:
            tones = _single_tones(chord)
            tone = tones[self.voice.note % len(tones)]
            self.pitch = min(
                (p for p in range(128) if p % 12 == tone), key=lambda p: abs(p - self.pitch) + 0.3 * abs(p - self.center)
            )
            return (self.pitch,), self.pitch, self.pitch
        if "power" in self.ways:
            pitches = _guitar_chord(chord, self.low)
        else:
            pitches = self.previous = voicing(chord, self.previous, self.center)
        below = min(pitches) - 1
        root = max(self.low - 12, below - (below - chord.lowest) % 12)
        fifth = chord.root + next((s for s in intervals_of(chord.quality) if s in (6, 7, 8)), 0)
        fifth = root + (fifth - root) % 12 - 12 * ((fifth - root) % 12 > 5 and root - 12 + (fifth - root) % 12 >= self.low)
        if chord.bass is not None and not self.has_bass:
            pitches = (root, *pitches)
        return pitches, root, fifth


def _write_chords(piece, number, events, rng):
    voice, notes = piece.voices[number], []
    ways, _ = pattern_of("chords", voice.playing)
    hand = _Hand(piece, voice, ways, has_bass=any(other.part == "bass" for other in piece.voices))
    is_first = number == next(i for i, other in enumerate(piece.voices) if other.part == "chords")
    for start, end, chord, _, hits in _placed(piece, "chords", voice.playing, events, rng):
        taken = hand.take(chord)
        latest = 1.01 if end - start >= 2 else 0.01  # beats after its start at which a chord is struck; a short one is at once
        if is_first and (not hits or hits[0].onset - start > latest):
            hits.insert(0, Hit(start, (hits[0].onset if hits else end) - start, "x"))
        elif is_first and end - start < 2 and hits[0].sign in "01234567":
            hits[0] = replace(hits[0], sign="x")
        for hit in hits:
            notes += _struck(piece, number, hit, end, taken, rng)
        if (
            is_first
            and voice.note is None
            and any(hit.sign in "01234567" for hit in hits)
            and rng.random() < UNDER + left_out(piece)
        ):
            length = min(end - start, piece.meter.beats if "short" not in ways else 1.0)
            notes += [Note(start, length, int(p), 50, "chords", number) for p in taken[0]]  # so that all of the chord is heard
    return notes


_FORCE = {"X": 88, "x": 76, "o": 52, "b": 78, "f": 76, "t": 70, "m": 74}


def _struck(piece, number, hit, end, taken, rng):
    """Return the Notes of one hit on a chord that lasts until the beat `end`; taken: (voicing, low root, low fifth)."""
    pitches, root, fifth = taken
    ways, _ = pattern_of("chords", piece.voices[number].playing)
    if hit.sign in "01234567":
        ladder = [p + 12 * octave for octave in range(3) for p in pitches]
        pitches = (ladder[int(hit.sign) % len(ladder)],)
    elif hit.sign in "bf":
        pitches = (root if hit.sign == "b" else fifth,)
    elif hit.sign == "m":
        pitches = pitches[:2]
    elif hit.sign == "t" and len(pitches) > 2:
        pitches = tuple(p for p in pitches if (p - root) % 12) or pitches
    length = hit.length
    if "ring" in ways:
        length = min(end - hit.onset, RING_BEATS)
    elif "short" in ways or hit.sign in "om":
        length = min(length, SHORT_S * piece.bpm / 60)
    elif "long" not in ways:
        length = min(length, 1.0) * 0.92
    force = (
        _FORCE.get(hit.sign, 70)
        - 16 * ("soft" in ways)
        + (5 if hit.onset % piece.meter.beats == 0 else 0)
        + int(rng.integers(-5, 6))
    )
    apart = STRUM_S if "strum" in ways else ROLL_S if "roll" in ways else 0.0
    apart *= piece.bpm / 60 if len(pitches) > 1 else 0.0
    ordered = pitches[::-1] if "strum" in ways and hit.onset % 1 else pitches
    return [
        Note(hit.onset + i * apart, max(length - i * apart, 0.1), int(p), force, "chords", number) for i, p in enumerate(ordered)
    ]


# ---------------------------------------------------------------------------------------------------- bass


def _bass_pitches(chord, sound):
    """Return {sign: pitch} of a chord's notes for the bass, from its lowest note upwards."""
    low = max(sound.low, 28)
    root = low + (chord.lowest - low) % 12
    root += 12 if root < 33 and root + 12 <= sound.high - 7 else 0
    tones = sorted(root + (pc - root) % 12 for pc in chord.pitch_classes)

    def first(*steps):
        return next((t for t in tones if (t - root) % 12 in steps), root + 12)

    fifth, seventh = first(7, 6, 8), first(10, 11, 9)
    sixth = root + 9 if (root + 9) % 12 in chord.pitch_classes or 10 not in {(t - root) % 12 for t in tones} else root + 10
    clear = {(pc + 1) % 12 for pc in chord.pitch_classes} | {(pc - 1) % 12 for pc in chord.pitch_classes}
    sixth = fifth if sixth % 12 in clear - set(chord.pitch_classes) else sixth
    made = {"1": root, "5": fifth, "8": root + 12, "3": first(3, 4, 5, 2), "7": seventh, "6": sixth}
    return {sign: pitch - 12 * (pitch > sound.high) for sign, pitch in made.items()}, tones


def _write_bass(piece, number, events, rng):
    voice, notes = piece.voices[number], []
    ways, _ = pattern_of("bass", voice.playing)
    for start, end, chord, following, hits in _placed(piece, "bass", voice.playing, events, rng):
        pitches, tones = _bass_pitches(chord, voice.sound)
        if not hits or hits[0].onset - start > 1.01:
            hits.insert(0, Hit(start, (hits[0].onset if hits else end) - start, "1"))
        for i, hit in enumerate(hits):
            pitch = pitches.get(hit.sign, pitches["1"])
            is_last = i == len(hits) - 1 and end - hit.onset <= 1.01 and following.root is not None and len(hits) > 1
            if i == 0:
                pitch = pitches["1"]
            elif hit.sign in "wa" and is_last:
                target = pitches["1"] + (following.lowest - pitches["1"]) % 12
                target -= 12 * (target - pitches["1"] > 6)
                pitch = target + int(rng.choice([-1, 1, 2]))
            elif hit.sign in "wa":
                pitch = tones[i % len(tones)] if hit.sign == "w" else pitches["5"]
            length = min(hit.length, SHORT_S * piece.bpm / 60) if "short" in ways else hit.length
            length = length if "long" in ways else min(length, 1.5) * 0.94
            glide = "glide" in ways and i > 0 and rng.random() < 0.5
            notes.append(Note(hit.onset, max(length, 0.1), int(pitch), 84 + int(rng.integers(-5, 6)), "bass", number, glide=glide))
    return notes
