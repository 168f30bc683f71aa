"""How well music obeys: Mustango's own metrics (paper section 5.3) on asked and heard labels, with the public code's faults mended.

A row pairs what was asked with what a detector heard. Chords here are compared by name as written.
"""

from collections import Counter
from dataclasses import dataclass

from musicbench import InputError
from musicbench.theory import QUALITIES, Chord, Key, tempo_class


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
    intervals = QUALITIES[chord.quality][0]
    if chord.quality in ("dim", "dim7", "aug", "aug(b7)") or not {3, 4} & set(intervals):
        return chord.root, 3
    return chord.root, 1 if 4 in intervals else 2


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
    values = {name: [] for name in ("TB", "TBT", "CK", "CKD", "PCM", "ECM", "CMO", "CMOT", "BM")}
    for asked, heard in pairs:
        if asked.bpm is not None:
            apart = 99 if heard.bpm is None else abs(tempo_class(asked.bpm) - tempo_class(heard.bpm))
            values["TB"].append(apart == 0)
            values["TBT"].append(apart <= 1)
        if asked.key is not None:
            same = heard.key is not None and asked.key.same_as(heard.key)
            values["CK"].append(same)
            values["CKD"].append(same or (heard.key is not None and asked.key.relative.same_as(heard.key)))
        if asked.chords:
            share = matched_in_order(asked.chords, heard.chords) / len(asked.chords)
            values["PCM"].append(share == 1)
            values["ECM"].append(share)
            values["CMO"].append(overlap(asked.chords, heard.chords) / len(asked.chords))
            classes = [list(map(root_and_class, names)) for names in (asked.chords, heard.chords)]
            values["CMOT"].append(overlap(*classes) / len(asked.chords))
        if asked.beats_a_bar is not None:
            values["BM"].append(asked.beats_a_bar == heard.beats_a_bar)
    return {name: sum(v) / len(v) if v else None for name, v in values.items()}


def row_labels(row, suffix=""):
    """Read the Labels of a row of extracted features: fields bpm, key2, chords, beats, with `suffix` ("_ext" for heard)."""
    key, beats = row.get(f"key2{suffix}"), row.get(f"beats{suffix}")
    return Labels(
        bpm=row.get(f"bpm{suffix}"),
        key=Key(key[0], key[1]) if key else None,
        chords=tuple(row.get(f"chords{suffix}") or ()),
        beats_a_bar=int(max(beats[1])) if beats and beats[1] else None,
    )
