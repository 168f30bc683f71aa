"""Rhythms: patterns as text, laid out on bars of any meter, and varied by rule.

A pattern is text, one word a beat, one sign a step: "x.x. x..x" has two beats of four steps. "." is a rest, "-" holds
what sounds, every other sign is a hit whose meaning its reader knows. A beat may have any number of steps: "x.x" is a
triplet, "xxxxxx" a roll.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np


@dataclass(frozen=True)
class Hit:
    """One hit of a pattern in a bar: onset and length in counted beats, its sign."""

    onset: float
    length: float
    sign: str


@dataclass(frozen=True)
class Layout:
    """How a bar is felt. beats: counted ones; cells: (start, length) in counted beats of its pulses.

    feel: "even" or "triplet".
    """

    beats: int
    cells: tuple
    feel: str = "even"
    is_irregular: bool = False

    @property
    def is_compound(self):
        """Whether each pulse has three parts that are counted, as in 6/8."""
        return not self.is_irregular and self.cells[0][1] == 3


def layout_of(meter, feel="even"):
    """Return the Layout of a Meter: 6/8 in two pulses of three eighths, 7/8 in 2+2+3, 5/8 in 3+2, others in their
    beats."""
    groups = {6: (3, 3), 7: (2, 2, 3), 5: (3, 2), 3: (3,), 4: (2, 2)}.get(meter.beats) if meter.unit >= 8 else None
    groups = groups or (1,) * meter.beats
    starts = [sum(groups[:i]) for i in range(len(groups))]
    return Layout(meter.beats, tuple(zip(map(float, starts), map(float, groups), strict=True)), feel, len(set(groups)) > 1)


# Beats of a pattern -> pulses of a bar -> which beat of the pattern each pulse takes.
_TAKEN = {
    (4, 1): (0,), (4, 2): (0, 1), (4, 3): (0, 1, 3), (4, 5): (0, 1, 1, 2, 3), (4, 6): (0, 1, 1, 2, 3, 3), (4, 7): (0, 1, 2, 1, 0, 2, 3),
    (3, 2): (0, 1), (3, 4): (0, 1, 0, 2), (3, 5): (0, 1, 2, 0, 1), (2, 3): (0, 1, 1), (2, 4): (0, 1, 0, 1), (2, 5): (0, 1, 1, 0, 1),
}  # fmt: skip


@lru_cache(4096)
def lay_out(pattern, layout, bar=0):
    """Return the Hits of a pattern in a bar of a Layout.

    A pattern of two bars ("|" between them) takes that of `bar`, counted round.
    """
    bars = pattern.split("|")
    words = bars[bar % len(bars)].split()
    count = len(layout.cells)
    taken = range(count) if len(words) == count else _TAKEN.get((len(words), count), [i % len(words) for i in range(count)])
    signs = []
    for i, (start, length) in zip(taken, layout.cells, strict=True):
        signs += _steps(words[i], start, length, layout)
    hits, end = [], float(layout.beats)
    for onset, sign in reversed(signs):
        if sign not in ".-":
            hits.append(Hit(onset, end - onset, sign))
        if sign != "-":
            end = onset
    return tuple(reversed(hits))


def _steps(word, start, length, layout):
    """Return [(onset, sign)] of one beat's word on a pulse, at most one a place."""
    if layout.is_irregular and length == 3 and len(word) % 2 == 0:  # a long pulse: the beat, and its second half again
        word += word[len(word) // 2 :]
    ternary = (layout.feel == "triplet" or (length == 3 and not layout.is_irregular)) and len(word) in (2, 4, 8)
    places = {}
    for i, sign in enumerate(word):
        where = i / len(word)
        if ternary:
            where = (0.0, 2 / 3)[i] if len(word) == 2 else (0.0, 1 / 3, 2 / 3, 5 / 6)[i * 4 // len(word)]
        at = round(start + length * where, 4)
        if places.get(at, ".") in ".-":
            places[at] = sign
    return sorted(places.items())


# ---------------------------------------------------------------------------------------------------- variation


def varied(hits, layout, rng, liveliness, kept=""):
    """Return Hits with some of them gone, moved by a sixteenth, or joined by others between.

    Those on pulses stay more often. liveliness: 0 leaves all as it is, 1 changes much. kept: signs that are never
    touched.
    """
    step = _step(layout)
    taken = {hit.onset for hit in hits}
    made = []
    for hit in hits:
        is_pulse = any(abs(hit.onset - start) < 1e-6 for start, _ in layout.cells)
        if hit.sign in kept or hit.onset == 0:
            made.append(hit)
            continue
        chance = rng.random()
        if chance < (0.1 if is_pulse else 0.25) * liveliness:
            continue
        moved = round(hit.onset + step * (-1 if rng.random() < 0.7 else 1), 4)
        if chance < (0.2 if is_pulse else 0.5) * liveliness and moved not in taken and 0 < moved < layout.beats:
            taken.add(moved)
            hit = replace(hit, onset=moved)
        made.append(hit)
    for hit, room in _with_room(hits, layout):
        between = round(hit.onset + room / 2, 4)
        is_step = room >= 2 * step - 1e-6 and abs(between / step - round(between / step)) < 1e-3
        if hit.sign not in kept and is_step and between not in taken and rng.random() < 0.3 * liveliness:
            taken.add(between)
            made.append(Hit(between, min(hit.length, room / 2), hit.sign))
    return _ended(made, layout)


def _step(layout):
    """Return the smallest step that a variation moves by, in counted beats."""
    if layout.feel == "triplet":
        return 1 / 3
    return 1.0 if layout.is_compound else 0.5 if layout.is_irregular else 0.25


def _ended(hits, layout):
    """Return Hits in order, each ending at the latest where the next begins."""
    hits = sorted(hits, key=lambda hit: hit.onset)
    ends = [*(hit.onset for hit in hits[1:]), float(layout.beats)][: len(hits)]
    return tuple(
        replace(hit, length=min(hit.length, end - hit.onset)) for hit, end in zip(hits, ends, strict=True) if end > hit.onset
    )


def thinned(hits, rng, chance, kept=""):
    """Return Hits without some of those off the bar's first beat."""
    return tuple(hit for hit in hits if hit.onset == 0 or hit.sign in kept or rng.random() >= chance)


def doubled(hits, layout, rng, chance, shortest):
    """Return Hits of which some with room for `shortest` beats or more before the next are struck again in its
    middle, and so on."""
    made = []
    for hit, room in _with_room(hits, layout):
        made += _struck_again(hit, room, rng, chance, shortest)
    return tuple(made)


def _with_room(hits, layout):
    """Return [(hit, beats from its onset to the next)]."""
    ends = [*(hit.onset for hit in hits[1:]), float(layout.beats)][: len(hits)]
    return [(hit, end - hit.onset) for hit, end in zip(hits, ends, strict=True)]


def _struck_again(hit, room, rng, chance, shortest):
    if room < shortest or hit.sign in "bf" or rng.random() >= chance:
        return [hit]
    half = round(np.ceil(2 * room) / 4 if room > 1 else room / 2, 4)  # on the grid where a beat is halved
    first = replace(hit, length=min(hit.length, half))
    second = replace(hit, onset=round(hit.onset + half, 4), length=min(hit.length, room - half))
    return _struck_again(first, half, rng, chance, shortest) + _struck_again(second, room - half, rng, chance, shortest)


PHRASES = ("AAAB", "ABAB", "AABA", "ABAC", "AABC", "AAAA", "ABCB")  # bars of a phrase that are alike have the same letter


def phrase_of(make, rng, phrase=None):
    """Return four bars as a phrase has them: `make(rng)` is called once for each letter."""
    phrase = phrase or PHRASES[int(rng.integers(len(PHRASES)))]
    bars = {letter: make(rng) for letter in sorted(set(phrase))}
    return tuple(bars[letter] for letter in phrase)
