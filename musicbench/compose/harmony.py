"""The chords of a piece: a loop of its style, or chords on any roots.

Coloured, with breaks, quick changes, an ending.
"""

from dataclasses import replace
from itertools import cycle, groupby

import numpy as np

from musicbench.compose.styles import MAJOR_LOOPS, MINOR_LOOPS, SEVENTH_OF
from musicbench.music.chords import NO_CHORD, Chord
from musicbench.music.chordtypes import intervals_of
from musicbench.music.numerals import roman_chord
from musicbench.music.progression import Progression

QUICKEST_S = 0.35  # how long a chord lasts at least in quick bars
LONGEST_S = 620  # what is written out once lasts longer than any clip
_QUALITIES = ["maj", "min", "7", "maj7", "min7", "sus4", "dim", "hdim7", "sus2", "aug", "dim7", "maj6", "min6", "sus4(b7)"]
_SHARES = [0.21, 0.20, 0.12, 0.11, 0.12, 0.07, 0.05, 0.03, 0.02, 0.02, 0.01, 0.01, 0.01, 0.02]


def _random_chord(rng):
    return Chord(int(rng.integers(12)), str(rng.choice(_QUALITIES, p=_SHARES)))


def draw_progression(rng, key, meter, style):
    """Return a Progression: a loop in the key, of the style's or any, or, in some pieces, chords on any roots.

    Then coloured.
    """
    own = style.genre.loops(key.mode)
    is_still = bool(own) and all(len(loop.split()) < 2 for loop in own)  # a style of one chord
    if rng.random() < (0.06 if is_still else 0.25):
        chords = [_random_chord(rng) for _ in range(rng.integers(2, 9))]
    else:
        any_loop = MAJOR_LOOPS if key.mode == "major" else MINOR_LOOPS
        loops = own if own and rng.random() < (0.94 if is_still else 0.7) else any_loop
        chords = [roman_chord(symbol, key) for symbol in str(rng.choice(loops)).split()]
        if len(chords) > 1 and rng.random() < 0.06:  # modulate: the loop again, a tone or a minor third higher
            up = int(rng.choice([1, 2, 3, 5]))
            chords = chords[:4] + [c.transposed(up) for c in chords[:4]]
        chords = _coloured(rng, chords, key, style.share("sevenths", 0.25))
    if len(chords) > 1:
        for i, chord in enumerate(chords):
            if rng.random() < 0.08:
                tone = rng.choice(intervals_of(chord.quality)[1:])
                chords[i] = replace(chord, bass=int(chord.root + tone) % 12)
    return _in_bars(rng, chords, meter)


def _coloured(rng, chords, key, sevenths):
    """Return chords, some of the triads with a seventh or suspended; a piece of one chord stays as it is."""
    if len(chords) < 2:
        return chords
    made = []
    for chord in chords:
        if rng.random() < sevenths and chord.quality in SEVENTH_OF:
            dominant = chord.quality == "maj" and chord.root == (key.pitch_class + 7) % 12
            chord = replace(chord, quality="7" if dominant else str(rng.choice(SEVENTH_OF[chord.quality])))
        elif rng.random() < 0.07 and chord.quality == "maj":
            chord = replace(chord, quality=str(rng.choice(["sus4", "sus2"])))
        made.append(chord)
    return made


def _in_bars(rng, chords, meter):
    bars, i = [], 0
    pace = rng.choice(["bar", "half", "mixed", "two bars"], p=[0.66, 0.12, 0.14, 0.08])
    while i < len(chords):
        split = meter.beats in (4, 6) and (pace == "half" or (pace == "mixed" and rng.random() < 0.4))
        if split and i + 1 < len(chords):
            bars.append(((chords[i], meter.beats / 2), (chords[i + 1], meter.beats / 2)))
            i += 2
        else:
            bars.extend([((chords[i], float(meter.beats)),)] * (2 if pace == "two bars" else 1))
            i += 1
    return Progression(bars=tuple(bars))


def with_break(progression, rng):
    """Return the progression with a bar, two of four and more, or its end from some bar on, where nobody plays but
    drums, if any."""
    bars = list(progression.bars)
    length = 2 if len(bars) > 3 and rng.random() < 0.4 else 1
    first = int(rng.integers(len(bars) - length + 1))
    if rng.random() < 0.3:
        first = int(rng.integers(len(bars) // 2, len(bars)))
        length = len(bars) - first
    for bar in range(first, first + length):
        bars[bar] = ((NO_CHORD, sum(beats for _, beats in bars[bar])),)
    return Progression(bars=tuple(bars))


def quickened(progression, meter, bpm, rng):
    """Return the progression with one bar or more whose chords change on every beat, or as often as QUICKEST_S lets
    them."""
    beats = next((n for n in (1, 2, 3) if meter.beats % n == 0 and n * 60 / bpm >= QUICKEST_S), None)
    chords = [chord for chord, _ in groupby(progression.chords)]
    chords = chords[:-1] if chords[-1] == chords[0] else chords
    if beats is None or len(chords) < 2:
        return progression
    bars, following, share = list(progression.bars), cycle(chords), rng.choice([0.3, 0.6, 1.0])
    for place in sorted({int(rng.integers(len(bars))), *np.flatnonzero(rng.random(len(bars)) < share)}):
        bars[place] = tuple((next(following), float(beats)) for _ in range(meter.beats // beats))
    return Progression(bars=tuple(bars))


def _bars_in(meter, bpm, seconds):
    return max(1, int(np.ceil(seconds * bpm / 60 / meter.beats)))


def with_ending(progression, meter, bpm, final_bar):
    """Return the progression until a last bar, `final_bar`, of its first chord, and nothing after it."""
    silence = ((NO_CHORD, float(meter.beats)),)
    bars = [progression.bars[i % len(progression.bars)] for i in range(final_bar)]
    last = ((progression.bars[0][0][0], float(meter.beats)),)
    return Progression(bars=(*bars, last, *[silence] * _bars_in(meter, bpm, LONGEST_S)))


def with_drums_first(progression, meter, bpm, count):
    """Return the progression after `count` bars without a chord."""
    silence = ((NO_CHORD, float(meter.beats)),)
    bars = _bars_in(meter, bpm, LONGEST_S)
    return Progression(bars=(*[silence] * count, *[progression.bars[i % len(progression.bars)] for i in range(bars)]))
