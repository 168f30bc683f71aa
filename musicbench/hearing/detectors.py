"""What hears beats, tempo, meter, chords and key: one interface, chosen by name.

A detector turns a clip into its `Evidence` once, which is the slow part. How well a tempo and a meter explain it is asked
often, while a song votes.
"""

from collections.abc import Collection
from functools import cache
from typing import Protocol

import numpy as np

from musicbench import InputError
from musicbench.hearing.by_essentia import EssentiaDetector
from musicbench.hearing.by_librosa import LibrosaDetector
from musicbench.hearing.by_madmom import MadmomDetector
from musicbench.hearing.evidence import ALL, Evidence, nothing_found


class Detector(Protocol):
    """What hears. licence: of its code and models; may_be_sold: whether what is made with its labels may be; beats_a_bar:
    how many a bar may have; least_strength: of its pulse at the beats of a clip that has any."""

    name: str
    licence: str
    may_be_sold: bool
    beats_a_bar: tuple[int, ...]
    least_strength: float

    def evidence(self, samples: np.ndarray, sample_rate: int, wanted: Collection[str] = ALL) -> Evidence:
        """Return what is found in mono samples, of PULSE and HARMONY what is wanted."""
        ...

    def proposals(self, evidence: Evidence) -> list[tuple[float, float]]:
        """Return (beats a minute, strength) that a clip may have."""
        ...

    def scores(self, evidence: Evidence, bpm: float, beats_a_bar: tuple[int, ...]) -> np.ndarray:
        """Return for each number of beats a bar how well beats near a tempo explain a clip, in nats."""
        ...

    def track(self, evidence: Evidence, bpm: float, beats: int) -> tuple[np.ndarray, np.ndarray]:
        """Return (times in seconds, positions in the bar) of beats near a tempo, so many a bar."""
        ...


class NoDetector:
    """Hears nothing: labels are given, or left out."""

    name, licence, may_be_sold = "none", "none needed", True
    beats_a_bar, least_strength = (), 0.0

    def evidence(self, samples: np.ndarray, sample_rate: int, wanted: Collection[str] = ALL) -> Evidence:
        return nothing_found(len(samples) / sample_rate, "nothing is heard with the detector none")

    def proposals(self, evidence: Evidence) -> list[tuple[float, float]]:
        return []

    def scores(self, evidence: Evidence, bpm: float, beats_a_bar: tuple[int, ...]) -> np.ndarray:
        return np.zeros(len(beats_a_bar))

    def track(self, evidence: Evidence, bpm: float, beats: int) -> tuple[np.ndarray, np.ndarray]:
        return np.zeros(0), np.zeros(0, int)


DETECTORS = {"madmom": MadmomDetector, "librosa": LibrosaDetector, "essentia": EssentiaDetector, "none": NoDetector}


@cache
def load_detector(name: str) -> Detector:
    """Return the detector of a name in DETECTORS, loaded once a process. Raises InputError when it is unknown or not
    installed."""
    if name not in DETECTORS:
        raise InputError(f"unknown detector {name!r:.40}; choose from {', '.join(DETECTORS)}")
    return DETECTORS[name]()
