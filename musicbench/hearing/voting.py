"""What a song's clips have in common: tempo and meter, and key, voted over the song.

A song is a path through (tempo, meter), and another through keys: a clip's score says how well a state explains it, and
a change of state costs as much as noise could gain. So one clip that is misheard is outvoted, and where the music
changes the path does. In 6/8 eighths are counted, and the pace is the dotted beat.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from musicbench.hearing.agreement import is_minor
from musicbench.hearing.evidence import SAME, Evidence
from musicbench.music.annotation import spans
from musicbench.music.chords import Chord
from musicbench.music.keys import SCALES
from musicbench.music.meters import meter_counted_to
from musicbench.music.tempo import beats_counted

MOST_TEMPI = 8  # of a song that are scored
FAR = 100.0  # nats by which a tempo lies behind in every clip that is given up
USUAL_BPM, PACE_NATS = 115.0, 50.0  # the pace that people tap most, and what a clip loses by each squared octave from it
METER_NATS = {2: 5.0, 3: 2.0, 4: 0.0, 6: 20.0}  # what a clip loses by a meter: 2 and 6 beats resemble 4 and 3
CHANGE_NATS, OCTAVE_NATS, KEY_NATS = 60.0, 120.0, 3.0  # what a change costs: of tempo or meter; by an octave or so; of key
OCTAVES = np.log2([2, 3, 1.5, 4])
MAJOR_MINOR = [(mode, root) for mode in ("major", "minor") for root in range(12)]
# How a key is told by what is heard in a section (fitted to composed songs).
KEY_WEIGHTS = {"network": 0.3, "inside": 3.0, "tonic chord": 1.85, "tonic": 1.5, "first": 1.7, "cadence": 0.7, "minor": 0.43}


@dataclass(frozen=True)
class Beat:
    """How fast and in what meter a clip goes, as voted. margin: nats a clip by which the best other pace, and the best
    other meter at this one, explain the clips of its section worse."""

    bpm: float
    beats: int
    pace_margin: float
    meter_margin: float
    clips: int  # in its section


def voted_beats(detector, found: Sequence[Evidence]) -> list[Beat | None]:
    """Return the Beat of each clip as its song votes; None for clips in which nothing beats."""
    beating = [i for i, evidence in enumerate(found) if len(evidence.pulse)]
    tempi = _tempi([detector.proposals(found[i]) for i in beating])
    result: list[Beat | None] = [None] * len(found)
    if not tempi:
        return result
    first = np.array([[detector.scores(found[i], bpm, (4,))[0] for bpm in tempi] for i in beating])
    kept = np.nonzero((first > first.max(axis=1, keepdims=True) - FAR).any(axis=0))[0]
    states = [(tempi[j], beats) for j in kept for beats in detector.beats_a_bar]
    scores = np.concatenate(
        [[np.concatenate([detector.scores(found[i], tempi[j], detector.beats_a_bar) for j in kept])] for i in beating]
    )
    scores = scores - np.array([_loss(*state) for state in states])
    path = best_path(scores, _changes(states))
    for start, end in _sections(path):
        total = scores[start:end].sum(axis=0) / (end - start)
        chosen = states[path[start]]
        pace = [abs(np.log(_pace(*state) / _pace(*chosen))) < SAME for state in states]
        other = max((total[k] for k, same in enumerate(pace) if not same), default=-np.inf)
        meter = max((total[k] for k, same in enumerate(pace) if same and states[k][1] != chosen[1]), default=-np.inf)
        top = total[path[start]]
        for i in beating[start:end]:
            result[i] = Beat(*chosen, float(min(top - other, 1e3)), float(min(top - meter, 1e3)), end - start)
    return result


def _pace(bpm, beats):
    return bpm / beats_counted(meter_counted_to(beats))


def _loss(bpm, beats):
    return PACE_NATS * np.log2(_pace(bpm, beats) / USUAL_BPM) ** 2 + METER_NATS[beats]


def _tempi(proposals):
    """Return up to MOST_TEMPI different tempi of what is proposed for each clip, the strongest first."""
    pool = []
    for bpm, strength in (each for clip in proposals for each in clip):
        same = next((kept for kept in pool if abs(np.log(bpm / kept[0])) < SAME), None)
        if same:
            same[1] += strength
        else:
            pool.append([bpm, strength])
    return [bpm for bpm, _ in sorted(pool, key=lambda kept: -kept[1])[:MOST_TEMPI]]


def _changes(states):
    """Return what it costs to go from each state to each."""
    bpm, beats = np.log2([state[0] for state in states]), np.array([state[1] for state in states])
    apart = np.abs(bpm[:, None] - bpm)
    is_octave = (np.abs(apart[..., None] - OCTAVES) < 0.08).any(axis=-1)
    costs = np.where(is_octave, OCTAVE_NATS, CHANGE_NATS)
    return np.where((apart == 0) & (beats[:, None] == beats), 0.0, costs)


def best_path(scores: np.ndarray, costs: np.ndarray) -> list[int]:
    """Return the state of each clip, of scores (clips, states), on the path whose scores less its changes are highest."""
    best, came = scores[0], []
    for row in scores[1:]:
        reached = best[:, None] - costs
        came.append(reached.argmax(axis=0))
        best = reached.max(axis=0) + row
    path = [int(best.argmax())]
    for before in reversed(came):
        path.append(int(before[path[-1]]))
    return path[::-1]


def _sections(path):
    """Return (first, end) of the stretches of a path with one state."""
    edges = [0, *(i for i in range(1, len(path)) if path[i] != path[i - 1]), len(path)]
    return list(pairwise(edges))


@dataclass(frozen=True)
class VotedKey:
    """A key (mode, pitch class) as its section votes, and the probability that it is right."""

    mode: str
    root: int
    probability: float
    clips: int  # in its section


def voted_keys(found: Sequence[Evidence], lasts_s: Sequence[float]) -> list[VotedKey | None]:
    """Return the key of each clip as its song votes, of which each counts for its first `lasts_s`; None where there is
    no tone."""
    sounding = [i for i, evidence in enumerate(found) if len(evidence.key_scores)]
    result: list[VotedKey | None] = [None] * len(found)
    if not sounding:
        return result
    alone = np.array([_key_scores([found[i]], [lasts_s[i]], is_start=False) for i in sounding])
    path = best_path(alone, KEY_NATS * (1 - np.eye(24)))
    for start, end in _sections(path):
        clips = sounding[start:end]
        scores = _key_scores([found[i] for i in clips], [lasts_s[i] for i in clips])
        odds = np.exp(scores - scores.max())
        best = int(odds.argmax())
        for i in clips:
            result[i] = VotedKey(*MAJOR_MINOR[best], float(odds[best] / odds.sum()), len(clips))
    return result


def _key_scores(found, lasts_s, is_start=True):
    """Return the log-likelihood of each key in a section: by the network, and by its chords."""
    weights = KEY_WEIGHTS
    network = np.mean([evidence.key_scores for evidence in found], axis=0, dtype=np.float64)
    scores = weights["network"] * (network - network.max()) + weights["minor"] * (np.arange(24) >= 12)
    chords = _chords_of(found, lasts_s)
    if not chords:
        return scores
    whole_s = sum(length_s for _, length_s in chords)
    first = next((chord for chord, length_s in chords if length_s > 0.5), chords[0][0])
    falls = [b for (a, _), (b, _) in pairwise(chords) if _triad(a)[0] == (_triad(b)[0] + 7) % 12 and _mode(a) == "major"]
    for i, (mode, root) in enumerate(MAJOR_MINOR):
        scale = {(root + step) % 12 for step in SCALES[mode]}
        for chord, length_s in chords:
            inside = np.mean([pitch in scale for pitch in _triad(chord)])
            is_tonic = weights["tonic"] * (chord.root == root)
            is_tonic_chord = weights["tonic chord"] * _is_tonic_chord(chord, mode, root)
            scores[i] += (weights["inside"] * inside + is_tonic + is_tonic_chord) * length_s / whole_s
        scores[i] += weights["first"] * (is_start and _is_tonic_chord(first, mode, root))
        scores[i] += weights["cadence"] * sum(_is_tonic_chord(b, mode, root) for b in falls) / max(len(chords) - 1, 1)
    return scores


def _chords_of(found, lasts_s):
    """Return [(chord, seconds)] of a section in order, neighbours that are equal once, without silence."""
    merged: list[tuple[Chord, float]] = []
    for evidence, end_s in zip(found, lasts_s, strict=True):
        for chord, (start, end) in zip(evidence.chords, spans(evidence.chord_times, evidence.duration_s), strict=True):
            length_s = min(end, end_s) - start
            if chord.root is None or length_s <= 0:
                continue
            if merged and _triad(merged[-1][0]) == _triad(chord):
                length_s += merged.pop()[1]
            merged.append((chord, length_s))
    return merged


def _mode(chord):
    return "minor" if is_minor(chord) else "major"


def _triad(chord: Chord) -> tuple[int, int, int]:
    """Return root, third and fifth of a chord that sounds."""
    assert chord.root is not None
    third = 3 if is_minor(chord) else 4
    return chord.root, (chord.root + third) % 12, (chord.root + 7) % 12


def _is_tonic_chord(chord, mode, root):
    return chord.root == root and _mode(chord) == mode
