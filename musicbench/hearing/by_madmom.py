"""Beats, chords and key by madmom's networks (Boeck et al. 2016; Korzeniowski and Widmer 2016, 2018).

madmom's code is BSD, its models are CC BY-NC-SA 4.0: labels made with them are for non-commercial use.
"""

from collections.abc import Collection
from functools import cache, lru_cache

import numpy as np

from musicbench import InputError
from musicbench.hearing.evidence import ALL, HARMONY, PULSE, Evidence, nothing_found, proposed_tempi, strength_at, unheard
from musicbench.hearing.heard import METERS, Heard, nothing_heard
from musicbench.music.chords import Chord
from musicbench.music.keys import Key
from musicbench.sound.features import bpm_of

RATE = 44100  # what madmom's models were trained on
FPS = 100  # of the beats' network
MIN_BEAT_ACTIVATION = 0.12  # mean network output at the beats; noise and drones lie below 0.1, music with a pulse above 0.15
LEAD = 5.0  # nats by which 2 or 6 beats a bar must explain the sound better than 3 or 4, which they resemble
MIN_KEY_PROBABILITY = 0.15  # noise gives 0.1, chance is 0.04
NEAR = 1.05  # a tempo is sought up to so many times as fast and as slow
GRID = 1.02  # the tempi that trackers are kept for lie so far apart


def import_madmom() -> tuple:
    """Return madmom's modules for chords, downbeats and keys. Raises InputError when it is not installed."""
    try:
        import onnxruntime
        from madmom.features import chords, downbeats, key
    except ImportError as error:
        raise InputError(
            f"madmom is needed to hear beats, chords and key ({error}); pip install -r requirements-madmom.txt"
        ) from None
    onnxruntime.set_default_logger_severity(3)
    return chords, downbeats, key


class _Networks:
    """madmom's networks, loaded once, each on one thread: threads of so small ones wait longer than they work."""

    def __init__(self):
        chords, downbeats, key = import_madmom()
        from madmom.ml.nn import NeuralNetwork, NeuralNetworkEnsemble
        from madmom.models import CHORDS_CNN_FEAT, KEY_CNN

        self.beat_activations = downbeats.RNNDownBeatProcessor(intra_op_num_threads=1)
        self.chord_features, self.decode_chords = chords.CNNChordFeatureProcessor(), chords.CRFChordRecognitionProcessor()
        self.key_probabilities = key.CNNKeyRecognitionProcessor()
        # These two take no number of threads, so that their network is put in anew.
        _replace(self.chord_features, NeuralNetwork, NeuralNetwork.load(CHORDS_CNN_FEAT[0], intra_op_num_threads=1))
        _replace(self.key_probabilities, NeuralNetworkEnsemble, NeuralNetworkEnsemble.load(KEY_CNN, intra_op_num_threads=1))


def _replace(processor, kind, network):
    index = next(i for i, step in enumerate(processor.processors) if isinstance(step, kind))
    processor.processors[index] = network


networks = cache(_Networks)


@cache
def trackers(beats_a_bar: tuple[int, ...]) -> dict:
    """Return madmom's trackers of any tempo for each number of beats that a bar may have."""
    _, downbeats, _ = import_madmom()
    return {beats: downbeats.DBNDownBeatTrackingProcessor(beats_per_bar=[beats], fps=FPS) for beats in beats_a_bar}


def madmom(beats_a_bar: tuple[int, ...] = tuple(METERS)) -> tuple:
    """Load what hears with so many beats a bar. Raises InputError when madmom is not installed."""
    return networks(), trackers(beats_a_bar)


class MadmomDetector:
    """madmom as a detector (see `musicbench.hearing.detectors`)."""

    name, licence, may_be_sold = "madmom", "code BSD, models CC BY-NC-SA 4.0", False
    beats_a_bar, least_strength = tuple(METERS), MIN_BEAT_ACTIVATION

    def __init__(self):
        networks()

    def evidence(self, samples: np.ndarray, sample_rate: int, wanted: Collection[str] = ALL) -> Evidence:
        """Run the networks over mono samples."""
        duration_s = len(samples) / sample_rate
        fault = unheard(samples, sample_rate)
        if fault:
            return nothing_found(duration_s, fault)
        signal = _signal(samples, sample_rate)
        pulse = np.zeros((0, 2), np.float16)
        if PULSE in wanted:
            pulse = networks().beat_activations(signal).astype(np.float16)
        if HARMONY not in wanted:
            return Evidence(duration_s, pulse, FPS, np.zeros(0))
        scores = np.log(np.maximum(networks().key_probabilities(signal).ravel(), 1e-9))
        # madmom counts its keys from A
        scores = np.concatenate([np.roll(scores[:12], -3), np.roll(scores[12:], -3)])
        reasons = {}
        return Evidence(duration_s, pulse, FPS, scores.astype(np.float32), reasons=reasons, **_chords(signal, reasons))

    def proposals(self, evidence: Evidence) -> list[tuple[float, float]]:
        """Return (beats a minute, strength) that a clip may have."""
        return proposed_tempi(evidence.pulse, evidence.fps)

    def scores(self, evidence: Evidence, bpm: float, beats_a_bar: tuple[int, ...]) -> np.ndarray:
        """Return for each number of beats a bar how well beats near a tempo explain a clip, in nats."""
        pulse = evidence.pulse.astype(float)
        return np.array([_near(_place(bpm), beats).hmms[0].viterbi(pulse)[1] for beats in beats_a_bar])

    def track(self, evidence: Evidence, bpm: float, beats: int) -> tuple[np.ndarray, np.ndarray]:
        """Return (times in seconds, positions in the bar) of beats near a tempo, so many a bar."""
        found = np.asarray(_near(_place(bpm), beats)(evidence.pulse.astype(float)), float).reshape(-1, 2)
        return found[:, 0], found[:, 1].astype(int)


def _place(bpm):
    return round(np.log(bpm) / np.log(GRID))


@lru_cache(maxsize=128)
def _near(place, beats):
    """Return madmom's tracker of tempi near a place on the grid, a hundredth of the work of one of any tempo."""
    _, downbeats, _ = import_madmom()
    bpm = GRID**place
    return downbeats.DBNDownBeatTrackingProcessor(
        beats_per_bar=[beats], fps=FPS, min_bpm=bpm / NEAR, max_bpm=bpm * NEAR, num_tempi=None
    )


def _signal(samples, sample_rate):
    from madmom.audio.signal import Signal

    if sample_rate != RATE:
        import soxr

        samples = soxr.resample(samples, sample_rate, RATE)
    return Signal(samples, sample_rate=RATE)


def hear(samples: np.ndarray, sample_rate: int, beats_a_bar: tuple[int, ...] = tuple(METERS)) -> Heard:
    """Hear beats, tempo, meter, chords and key in mono samples alone; `beats_a_bar`: which numbers of beats a bar may have.

    Raises InputError when madmom is not installed.
    """
    madmom(beats_a_bar)
    if fault := unheard(samples, sample_rate):
        return nothing_heard(fault)
    signal, reasons = _signal(samples, sample_rate), {}
    return Heard(
        **_beats(trackers(beats_a_bar), networks().beat_activations(signal).astype(float), reasons),
        **_chords(signal, reasons),
        **_key(signal, reasons),
        reasons=reasons,
    )


def _best_meter(trackers, activations):
    """Return the beats in a bar whose dynamic Bayesian network explains the activations best."""
    likelihood = {beats: tracker.hmms[0].viterbi(activations)[1] for beats, tracker in trackers.items()}
    return max(likelihood, key=lambda beats: likelihood[beats] - (LEAD if beats in (2, 6) else 0))


def _beats(trackers, activations, reasons):
    beats_a_bar = _best_meter(trackers, activations)
    beats = np.asarray(trackers[beats_a_bar](activations), float).reshape(-1, 2)
    if len(beats) < 4:
        reasons["beats"] = f"{len(beats)} beats found, fewer than 4"
        return {}
    strength = strength_at(beats[:, 0], activations, FPS)
    if strength < MIN_BEAT_ACTIVATION:
        reasons["beats"] = f"no clear pulse: mean activation at the beats {strength:.2f}, below {MIN_BEAT_ACTIVATION}"
        return {}
    times, positions = beats[:, 0], beats[:, 1].astype(int)
    return {
        "beat_times": tuple(round(float(t), 4) for t in times),
        "beat_positions": tuple(int(p) for p in positions),
        "bpm": bpm_of(times),
        "meter": METERS[beats_a_bar],
    }


def _chords(signal, reasons):
    decoded = networks().decode_chords(networks().chord_features(signal))
    heard = [(float(start), Chord.parse(str(label))) for start, _, label in decoded]
    if all(chord.root is None for _, chord in heard):
        reasons["chords"] = "no chord heard"
        return {}
    return {"chords": tuple(chord for _, chord in heard), "chord_times": tuple(round(start, 4) for start, _ in heard)}


def _key(signal, reasons):
    from madmom.features.key import key_prediction_to_label

    probabilities = networks().key_probabilities(signal)
    probability = float(probabilities.max())
    if probability < MIN_KEY_PROBABILITY:
        reasons["key"] = f"no clear key: highest probability {probability:.2f}, below {MIN_KEY_PROBABILITY}"
        return {}
    heard = Key.parse(key_prediction_to_label(probabilities))
    return {"key": Key.of(heard.pitch_class, heard.mode), "key_probability": round(probability, 4)}
