"""How sure a label is, from 0 to 1, by what speaks for it; fitted to composed songs (benchmarks/hearing.py checks it on others).

Each label has a logistic curve for each detector: of labels with a confidence near .8 about 80 % are right.
"""

from collections.abc import Mapping

import numpy as np

from musicbench.hearing.voting import Beat
from musicbench.music.meters import meter_counted_to
from musicbench.music.tempo import beats_counted

# Weights of facts; "" is what is always added.
CURVES: dict[str, Mapping[str, Mapping[str, float]]] = {
    "madmom": {
        "tempo": {"": -2.01, "margin": 0.53, "strength": 3.02, "fast": -2.08, "slow": 1.01},
        "meter": {"": -0.67, "meter margin": 0.57, "margin": 0.2, "strength": 0.4},
        "beats": {"": -3.08, "margin": 0.69, "strength": 3.7, "fast": -3.61},
        "chords": {"": -2.81, "share": 2.62, "length": 0.29, "key": 1.48},
        "key": {"": -0.42, "odds": 0.44, "clips": 0.04, "odds by clips": 0.15},
    },
    "librosa": {
        "tempo": {"": -9.31, "margin": 1.35, "strength": 0.85},
        "meter": {"": -1.79, "meter margin": 0.49, "strength": 0.2},
        "beats": {"": -10.9, "margin": 0.91, "strength": 1.06, "fast": -1.09},
        "chords": {"": 0.09, "share": 0.09, "length": 0.12, "key": 0.48},
        "key": {"": -1.04, "odds": 0.38, "clips": 0.35},  # fitted to real songs as well, as essentia hears them
    },
}
CURVES["essentia"] = CURVES["librosa"]  # whose onsets it tracks; its own were not fitted


def confidence(detector: str, label: str, facts: Mapping[str, float]) -> float:
    """Return how sure a detector's label is by its facts (`beat_facts`, `key_facts`, `chord_facts`)."""
    weights = CURVES[detector][label]
    score = sum(weight * (facts[name] if name else 1.0) for name, weight in weights.items())
    return round(float(1 / (1 + np.exp(-score))), 3)


def beat_facts(beat: Beat, strength: float, bpm: float) -> dict[str, float]:
    """Return what speaks for tempo, meter and beats as a song votes them; strength: that of the pulse at a clip's beats."""
    pace_bpm = bpm / beats_counted(meter_counted_to(beat.beats))
    return {
        "margin": float(np.log1p(max(beat.pace_margin, 0.0))),
        "meter margin": float(np.log1p(max(beat.meter_margin, 0.0))),
        "clips": float(np.log2(min(beat.clips, 6))),
        "strength": strength,
        "fast": max(float(np.log2(pace_bpm / 130)), 0.0),
        "slow": max(float(np.log2(75 / pace_bpm)), 0.0),
    }


def key_facts(probability: float, clips: int) -> dict[str, float]:
    """Return what speaks for a key that its section gives a probability."""
    p = min(max(probability, 1e-3), 1 - 1e-3)
    odds, clips_log = float(np.log(p / (1 - p))), float(np.log2(min(clips, 6)))
    return {"odds": odds, "clips": clips_log, "odds by clips": odds * clips_log}


def chord_facts(spans: list, duration_s: float, key_probability: float) -> dict[str, float]:
    """Return what speaks for the chords of a clip, (start, end, chord): how long they last, and how many sound."""
    sounding = [end - start for start, end, chord in spans if chord.root is not None]
    return {
        "share": sum(sounding) / duration_s,
        "length": float(np.log2(np.clip(np.mean(sounding), 0.25, 4.0))) if sounding else -2.0,
        "key": key_probability,
    }
