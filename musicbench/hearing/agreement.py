"""Labels on which two detectors agree; the others are left out, with the reason.

tempo: within TEMPO_SHARE, in beats that people tap; meter: the same number of beats a bar, 2 and 4 being alike; key: the
same tonic and mode; chords: the same root and mode in at least CHORD_SHARE of the time; beats: an F-measure of at least
BEAT_F within BEAT_S.
"""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from musicbench.hearing.heard import Heard
from musicbench.music.annotation import Annotation
from musicbench.music.chords import Chord

TEMPO_SHARE, CHORD_SHARE, BEAT_F, BEAT_S = 0.04, 0.6, 0.7, 0.07
AHeard = TypeVar("AHeard", bound=Heard)


def agreed(first: AHeard, second: Heard, name: str, duration_s: float) -> AHeard:
    """Return what a detector heard in a clip without the labels in which a second one, of that name, does not agree."""
    for label, differs in disagreements(first, second, duration_s).items():
        first = first.without(label, f"{name} does not agree: {differs}")
    return first


def disagreements(first: Heard, second: Heard, duration_s: float) -> dict[str, str]:
    """Return what a second detector heard instead, by the label of the first; labels that are not there are not asked."""
    found = {}
    if first.pace_bpm and not _is_near(first.pace_bpm, second.pace_bpm):
        found["tempo"] = f"{second.pace_bpm:.1f} bpm" if second.pace_bpm else "no tempo"
    if first.meter and (second.meter is None or _bar(first) != _bar(second)):
        found["meter"] = str(second.meter or "no meter")
    if first.beat_times and beat_f(first.beat_times, second.beat_times) < BEAT_F:
        found["beats"] = f"{beat_f(first.beat_times, second.beat_times):.2f} of the beats are the same, below {BEAT_F:g}"
    if first.key and not (second.key and first.key.same_as(second.key)):
        found["key"] = str(second.key or "no key")
    if first.chords and (share := same_chords(first, second, duration_s)) < CHORD_SHARE:
        found["chords"] = f"the same in {share:.0%} of the time, below {CHORD_SHARE:.0%}"
    return found


def _is_near(bpm, other):
    return bool(other) and abs(np.log(bpm / other)) <= np.log(1 + TEMPO_SHARE)


def _bar(heard):
    return 4 if heard.meter.beats == 2 else heard.meter.beats


def beat_f(first: Sequence[float] | np.ndarray, second: Sequence[float] | np.ndarray) -> float:
    """Return the F-measure of two lists of times, each matched once, within BEAT_S."""
    i = j = same = 0
    while i < len(first) and j < len(second):
        if abs(first[i] - second[j]) <= BEAT_S:
            same, i, j = same + 1, i + 1, j + 1
        elif first[i] < second[j]:
            i += 1
        else:
            j += 1
    return 2 * same / (len(first) + len(second)) if len(first) + len(second) else 0.0


def same_chords(first: Annotation, second: Annotation, duration_s: float, step_s: float = 0.05) -> float:
    """Return the share of the time in which root and mode are the same, of that in which the first has a chord."""
    times = np.arange(step_s / 2, duration_s, step_s)
    same = [one == two for one, two in zip(_at(first, times), _at(second, times), strict=True) if one is not None]
    return float(np.mean(same)) if same else 0.0


def _at(heard: Annotation, times: np.ndarray) -> list[tuple[int, bool] | None]:
    """Return (root, is minor) of the chord at each time, None where there is none."""
    if not heard.chords:
        return [None] * len(times)
    places = np.searchsorted(heard.chord_times, times, side="right") - 1
    kinds = [None if chord.root is None else (chord.root, is_minor(chord)) for chord in heard.chords]
    return [kinds[place] if place >= 0 else None for place in places]


def is_minor(chord: Chord) -> bool:
    """Tell whether a chord has a minor third."""
    return chord.quality.startswith(("min", "dim", "hdim"))
