"""Beats, chords and key by essentia (AGPL-3.0), which is installed on request."""

from collections.abc import Collection
from importlib import import_module
from typing import Any

import numpy as np

from musicbench import InputError
from musicbench.hearing.by_librosa import LibrosaDetector, at_rate
from musicbench.hearing.evidence import ALL, HARMONY, PULSE, Evidence, unheard
from musicbench.music.chords import NO_CHORD, Chord
from musicbench.music.keys import Key

RATE, CHORD_HOP = 44100, 2048
KEY_NATS = 8.0  # of a key whose strength is 1
BEAT_GAIN = 2.0  # onsets at essentia's beats count so many times more


class EssentiaDetector(LibrosaDetector):
    """essentia as a detector: its beats among librosa's onsets (RhythmExtractor2013), its chords and key."""

    name, licence, may_be_sold = "essentia", "AGPL-3.0", True

    def __init__(self):
        load_essentia()
        super().__init__()

    def evidence(self, samples: np.ndarray, sample_rate: int, wanted: Collection[str] = ALL) -> Evidence:
        """Find onsets, chords and key in mono samples."""
        found = super().evidence(samples, sample_rate, wanted)
        if unheard(samples, sample_rate):
            return found
        wave = np.asarray(at_rate(samples, sample_rate, RATE), np.float32)
        pulse = found.pulse.astype(np.float32)
        if PULSE in wanted:
            frames = np.round(np.array(beats_of(wave)) * found.fps).astype(int)
            at_beats = np.zeros(len(pulse), bool)
            for step in (-1, 0, 1):
                at_beats[np.clip(frames + step, 0, len(pulse) - 1)] = True
            pulse[at_beats, 0] *= BEAT_GAIN
        if HARMONY not in wanted:
            return Evidence(found.duration_s, pulse.astype(np.float16), found.fps, found.key_scores)
        key, strength = key_of(wave)
        scores = np.zeros(24, np.float32)
        scores[key.pitch_class + 12 * (key.mode == "minor")] = KEY_NATS * strength
        labels = chord_labels(wave)
        new = [i for i in range(len(labels)) if i == 0 or labels[i] != labels[i - 1]]
        times = tuple(round(i * CHORD_HOP / RATE, 4) for i in new)
        return Evidence(found.duration_s, pulse.astype(np.float16), found.fps, scores, tuple(named(labels[i]) for i in new), times)


def load_essentia() -> Any:
    """Return essentia's modules, quiet. Raises InputError when it is not installed."""
    try:
        essentia: Any = import_module("essentia")  # types are checked without it, too
        standard = import_module("essentia.standard")
    except ImportError as error:
        raise InputError(f"essentia is needed to hear with it ({error}); pip install essentia") from None
    essentia.log.infoActive = essentia.log.warningActive = False
    return standard


def named(label: str) -> Chord:
    """Return the chord of a label, or no chord where it names none."""
    try:
        return Chord.parse(label)
    except InputError:
        return NO_CHORD


def beats_of(wave: np.ndarray) -> list[float]:
    """Return the times of beats in samples at RATE."""
    return [float(t) for t in load_essentia().RhythmExtractor2013()(wave)[1]]


def key_of(wave: np.ndarray) -> tuple[Key, float]:
    """Return the key of samples at RATE, and how strong it is."""
    tonic, mode, strength = load_essentia().KeyExtractor()(wave)[:3]
    return Key.parse(f"{tonic} {mode}"), float(strength)


def chord_labels(wave: np.ndarray) -> list[str]:
    """Return the label of each CHORD_HOP of samples at RATE: major and minor, heard in windows of 1 s."""
    standard = load_essentia()
    window, peaks = standard.Windowing(type="blackmanharris62"), standard.SpectralPeaks(magnitudeThreshold=1e-5)
    spectrum, hpcp = standard.Spectrum(), standard.HPCP(size=36)
    frames = standard.FrameGenerator(wave, frameSize=8192, hopSize=CHORD_HOP)
    profile = np.array([hpcp(*peaks(spectrum(window(frame)))) for frame in frames], np.float32)
    return list(standard.ChordsDetection(hopSize=CHORD_HOP, windowSize=1)(profile)[0])
