"""How well music obeys: metrics on asked and heard labels, and the intervals of their means.

`control_metrics` are Mustango's own (paper section 5.3), with the public code's faults mended; `clip_scores` adds the field's, by
mir_eval. Asked is a `Target`, heard a `musicbench.hearing.heard.Heard`.
"""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from musicbench import InputError
from musicbench.music.annotation import Annotation, spans
from musicbench.music.chords import Chord
from musicbench.music.chordtypes import intervals_of
from musicbench.music.keys import Key
from musicbench.music.tempo import tempo_class


@dataclass(frozen=True)
class Labels:
    """Labels of a clip, asked or heard; None or empty where there are none. `beats_a_bar` is the highest beat number."""

    bpm: float | None = None
    key: Key | None = None
    chords: tuple = ()
    beats_a_bar: int | None = None


def matched_in_order(asked, heard):
    """Return how many of the asked chords a single scan over the heard ones finds in order."""
    place = 0
    for chord in heard:
        if place < len(asked) and chord == asked[place]:
            place += 1
    return place


def overlap(asked, heard):
    """Return how many of the asked items are among the heard ones, in any order, each counted once."""
    return sum((Counter(asked) & Counter(heard)).values())


def root_and_class(name):
    """Return (root, class) of a chord symbol: 1 major-like, 2 minor-like, 3 others (diminished, augmented, suspended)."""
    chord = Chord.parse(name)
    if chord.root is None:
        return None, 0
    intervals = intervals_of(chord.quality)
    if chord.quality in ("dim", "dim7", "aug", "aug(b7)") or not {3, 4} & set(intervals):
        return chord.root, 3
    return chord.root, 1 if 4 in intervals else 2


CONTROL_METRICS = ("TB", "TBT", "CK", "CKD", "PCM", "ECM", "CMO", "CMOT", "BM")


def control_scores(asked, heard):
    """Return {metric: 0 to 1, or None where nothing is asked} of one clip's asked and heard Labels; see `control_metrics`."""
    scores = dict.fromkeys(CONTROL_METRICS)
    if asked.bpm is not None:
        apart = 99 if heard.bpm is None else abs(tempo_class(asked.bpm) - tempo_class(heard.bpm))
        scores |= {"TB": float(apart == 0), "TBT": float(apart <= 1)}
    if asked.key is not None:
        same = heard.key is not None and asked.key.same_as(heard.key)
        relative = heard.key is not None and asked.key.relative.same_as(heard.key)
        scores |= {"CK": float(same), "CKD": float(same or relative)}
    if asked.chords:
        share = matched_in_order(asked.chords, heard.chords) / len(asked.chords)
        classes = [list(map(root_and_class, names)) for names in (asked.chords, heard.chords)]
        scores |= {
            "PCM": float(share == 1),
            "ECM": share,
            "CMO": overlap(asked.chords, heard.chords) / len(asked.chords),
            "CMOT": overlap(*classes) / len(asked.chords),
        }
    if asked.beats_a_bar is not None:
        scores["BM"] = float(asked.beats_a_bar == heard.beats_a_bar)
    return scores


def control_metrics(pairs):
    """Return {metric: share or None} of (asked, heard) Labels.

    TB, TBT: tempo class equal, or next to it. CK, CKD: key equal, or the relative major or minor. PCM, ECM: whole list, mean
    share of it, matched in order by name. CMO, CMOT: mean share found in any order by name, by root and class. BM: beats in
    a bar equal. Clips that ask for no tempo, key, chords or beats are left out of the metrics on them; a clip in which none
    was heard counts as wrong. Raises InputError for no pairs.
    """
    pairs = list(pairs)
    if not pairs:
        raise InputError("no rows to evaluate; give at least one")
    scores = [control_scores(asked, heard) for asked, heard in pairs]
    values = {name: [score[name] for score in scores if score[name] is not None] for name in CONTROL_METRICS}
    return {name: sum(v) / len(v) if v else None for name, v in values.items()}


# ---------------------------------------------------------------------------------------------------- the field's metrics


def load_mir_eval():
    """Return the package mir_eval. Raises InputError where it is not installed."""
    try:
        import mir_eval.beat
        import mir_eval.chord
        import mir_eval.key
    except ImportError as error:
        raise InputError(f"scores need mir_eval ({error}); run: make judges, or pip install -r requirements-madmom.txt") from None
    return mir_eval


CHORD_METRICS = ("root", "thirds", "triads", "majmin", "tetrads", "sevenths")


@dataclass(frozen=True, kw_only=True)
class Target(Annotation):
    """What a clip of `duration_s` should be: its labels, any of them empty when nobody asked."""

    duration_s: float


def labels_of(clip):
    """Return the Labels of a Target or a Heard: the names of its chords, N left out, the beats of its longest bar, the whole bpm.

    Whole, as the paper's extraction has it: over ten seconds a detector hears 90 bpm as 89.9 or 90.1, and tempo classes end at 90.
    """
    positions, chords = clip.beat_positions, tuple(c.lead_sheet() for c in clip.chords if c.root is not None)
    return Labels(None if clip.bpm is None else round(clip.bpm), clip.key, chords, max(positions) if positions else None)


def _within(heard, duration_s):
    """Return (labels, times) of the heard chords that begin before the end, the first from 0."""
    events = [(t, c.harte()) for t, c in zip(heard.chord_times, heard.chords, strict=True) if t < duration_s - 0.01]
    events = events or [(0.0, "N")]
    return [label for _, label in events], [0.0, *(t for t, _ in events[1:])]


def chord_scores(target, heard):
    """Return duration-weighted agreement of heard and asked chords (mir_eval), and their intersection over union.

    IoU: the time in which both name the same chord, bass apart, over the time in which either names one (JASCO's measure).
    Without IoU where neither names a chord.
    """
    mir_eval = load_mir_eval()
    labels, times = _within(heard, target.duration_s)
    wanted, starts = [c.harte() for c in target.chords], list(target.chord_times)
    if starts[0] > 1e-6:  # until the first chord no chord is asked
        wanted, starts = ["N", *wanted], [0.0, *starts]
    bounds, asked, found = mir_eval.util.merge_labeled_intervals(
        np.array(spans(starts, target.duration_s)), wanted, np.array(spans(times, target.duration_s)), labels
    )
    lengths = np.diff(bounds)[:, 0]
    scores = {}
    for name in CHORD_METRICS:
        agreed = getattr(mir_eval.chord, name)(asked, found)  # -1 where the asked chord is none that the metric compares
        counted = agreed >= 0
        if lengths[counted].sum() > 0:
            scores[name] = float((agreed * lengths)[counted].sum() / lengths[counted].sum())
    names = [tuple(label.split("/")[0] for label in pair) for pair in zip(asked, found, strict=True)]
    shared = sum(length for (a, b), length in zip(names, lengths, strict=True) if a == b != "N")
    either = sum(length for pair, length in zip(names, lengths, strict=True) for _ in {*pair} - {"N"})
    return scores | ({"IoU": float(shared / either)} if either else {})


def beats_f_measure(asked, heard, tolerance_s=0.07):
    """Return the F measure of heard beat times on asked ones (mir_eval), each matched once at most; 0 where either has none."""
    if not len(asked) or not len(heard):
        return 0.0
    return float(load_mir_eval().beat.f_measure(np.asarray(asked, float), np.asarray(heard, float), tolerance_s))


def beat_scores(target, heard, tolerance_s=0.07):
    """Return beat F, CMLt, AMLt (half and double tempo allowed), tempo Acc1 (4 %) and Acc2 (octaves allowed)."""
    mir_eval = load_mir_eval()
    scores, asked, found = {}, np.asarray(target.beat_times, float), np.asarray(heard.beat_times, float)
    if len(asked):
        scores["beat F"] = beats_f_measure(asked, found, tolerance_s)
        both = len(asked) > 1 and len(found) > 1
        _, cmlt, _, amlt = mir_eval.beat.continuity(asked, found) if both else (0.0,) * 4
        scores |= {"CMLt": float(cmlt), "AMLt": float(amlt)}
    if target.bpm is not None:
        ratio = (heard.bpm or 0.0) / target.bpm
        scores["tempo Acc1"] = float(abs(ratio - 1) <= 0.04)
        scores["tempo Acc2"] = float(any(abs(ratio / octave - 1) <= 0.04 for octave in (1 / 3, 1 / 2, 1, 2, 3)))
    return scores


def downbeat_score(target, heard, tolerance_s=0.07):
    """Return the F measure of the downbeats, or None where none is asked."""
    asked, found = ([t for t, p in zip(c.beat_times, c.beat_positions, strict=False) if p == 1] for c in (target, heard))
    return beats_f_measure(asked, found, tolerance_s) if asked else None


def clip_scores(target, heard, hears):
    """Return {metric: value} of a clip: all of METRICS that `hears` (see `mustango.hear.judges`) and the target allow."""
    control = control_scores(labels_of(target), labels_of(heard))
    scores = {}
    if "beats" in hears:
        scores |= {"TB": control["TB"], "TBT": control["TBT"], **beat_scores(target, heard)}
    if "downbeats" in hears:
        scores |= {"BM": control["BM"], "downbeat F": downbeat_score(target, heard)}
    if "chords" in hears:
        scores |= {name: control[name] for name in ("PCM", "ECM", "CMO", "CMOT")}
        if target.chords and len(target.chord_times) == len(target.chords):
            scores |= chord_scores(target, heard)
    if "key" in hears:
        scores |= {"CK": control["CK"], "CKD": control["CKD"]}
        if target.key is not None:
            scores["key MIREX"] = _key_score(target.key, heard.key)
    return {name: value for name, value in scores.items() if value is not None}


def _key_score(asked, heard):
    mir_eval = load_mir_eval()
    names = [str(Key.of(key.pitch_class, key.mode)) for key in (asked, heard) if key]  # mir_eval knows no Cb and no E#
    return float(mir_eval.key.weighted_score(*names)) if heard else 0.0


METRICS = {
    "TB": "tempo class (of 9) as asked, in whole bpm",
    "TBT": "tempo class at most one off",
    "tempo Acc1": "tempo within 4 %",
    "tempo Acc2": "tempo within 4 %, half, double or triple allowed",
    "beat F": "beats within 70 ms, F measure",
    "CMLt": "beats in continuity at the asked level",
    "AMLt": "beats in continuity, half and double tempo and off-beats allowed",
    "BM": "beats in a bar as asked",
    "downbeat F": "downbeats within 70 ms, F measure",
    "root": "time with the asked root",
    "thirds": "time with root and third as asked",
    "triads": "time with the triad as asked",
    "majmin": "time with root and major or minor as asked",
    "tetrads": "time with all four notes as asked",
    "sevenths": "time with the chord as asked among maj, min, 7, maj7, min7",
    "IoU": "time with the same chord name over time with either",
    "PCM": "clips whose whole chord list is found in order",
    "ECM": "asked chords found in order",
    "CMO": "asked chords found in any order",
    "CMOT": "the same by root and major-like, minor-like, other",
    "CK": "key as asked",
    "CKD": "key as asked, or its relative",
    "key MIREX": "key, with part of the score for fifth, relative and parallel",
}


# ---------------------------------------------------------------------------------------------------- intervals


@dataclass(frozen=True)
class Mean:
    """A mean over `n` clips with its 95 % interval."""

    value: float
    low: float
    high: float
    n: int


def bootstrap(values, of=None, seed=0, draws=2000):
    """Return the Mean of values over clips, or of their ratio to `of` (ratio of means, paired), with its bootstrap interval.

    Clips are drawn with replacement; the interval holds the middle 95 % of the draws. Raises InputError for no values.
    """
    values = np.asarray(values, float)
    if not len(values):
        raise InputError("no clips to average; give at least one")
    below = np.ones(len(values)) if of is None else np.asarray(of, float)
    picks = np.random.default_rng(seed).integers(len(values), size=(draws, len(values)))
    with np.errstate(invalid="ignore", divide="ignore"):
        draws = values[picks].sum(axis=1) / below[picks].sum(axis=1)
        value = values.sum() / below.sum()
    low, high = np.nanpercentile(np.where(np.isfinite(draws), draws, np.nan), [2.5, 97.5]) if np.isfinite(value) else (np.nan,) * 2
    return Mean(float(value), float(low), float(high), len(values))
