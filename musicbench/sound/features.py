"""Sound -> beats, chords, key and tempo, heard by madmom (Boeck et al. 2016).

What cannot be heard is None, with a reason. madmom's code is BSD, its models are CC BY-NC-SA 4.0: labels made with them
are for non-commercial use.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from musicbench import InputError
from musicbench.music.annotation import Annotation
from musicbench.music.chords import Chord
from musicbench.music.keys import Key
from musicbench.music.meters import Meter
from musicbench.music.tempo import MAX_BPM, MIN_BPM

RATE = 44100  # what madmom's models were trained on
METERS = {2: Meter(2, 4), 3: Meter(3, 4), 4: Meter(4, 4), 6: Meter(6, 8)}
SILENCE_DB = -60.0  # a clip whose loudest 100 ms lie below is silent
MIN_S = 1.0  # shorter than this, nothing can be heard
MIN_BEAT_ACTIVATION = 0.12  # mean network output at the beats; noise and drones lie below 0.1, music with a pulse above 0.15
LEAD = 5.0  # nats by which 2 or 6 beats a bar must explain the sound better than 3 or 4, which they resemble
MIN_KEY_PROBABILITY = 0.15  # noise gives 0.1, chance is 0.04


@dataclass(frozen=True)
class Heard(Annotation):
    """What was heard in a clip; None or empty where nothing was, with the reason under "beats", "chords" or "key"."""

    key_probability: float | None = None
    reasons: dict = field(default_factory=dict)


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


class _Madmom:
    """madmom's processors, loaded once for each choice of the beats that a bar may have."""

    def __init__(self, beats_a_bar):
        chords, downbeats, key = import_madmom()
        # By default each of its eight networks has two threads, which wait for each other longer than they work.
        self.beat_activations = downbeats.RNNDownBeatProcessor(intra_op_num_threads=1)
        self.trackers = {beats: downbeats.DBNDownBeatTrackingProcessor(beats_per_bar=[beats], fps=100) for beats in beats_a_bar}
        self.chord_features, self.decode_chords = chords.CNNChordFeatureProcessor(), chords.CRFChordRecognitionProcessor()
        self.key_probabilities = key.CNNKeyRecognitionProcessor()


madmom = cache(_Madmom)


def hear(samples: np.ndarray, sample_rate: int, beats_a_bar: tuple[int, ...] = tuple(METERS)) -> Heard:
    """Hear beats, tempo, meter, chords and key in mono samples; `beats_a_bar`: which numbers of beats a bar may have.

    Raises InputError when madmom is not installed.
    """
    processors = madmom(beats_a_bar)
    from madmom.audio.signal import Signal

    if len(samples) < MIN_S * sample_rate:
        return _nothing(f"the clip lasts {len(samples) / sample_rate:.2f} s, below {MIN_S:g} s")
    loudest_db = loudness_db(samples, sample_rate).max()
    if loudest_db < SILENCE_DB:
        return _nothing(f"silence: the loudest 100 ms lie at {loudest_db:.0f} dB, below {SILENCE_DB:g} dB")
    if sample_rate != RATE:
        import soxr

        samples = soxr.resample(samples, sample_rate, RATE)
    signal = Signal(samples, sample_rate=RATE)
    reasons = {}
    return Heard(
        **_beats(processors, signal, reasons), **_chords(processors, signal, reasons),
        **_key(processors, signal, reasons),
        reasons=reasons,
    )  # fmt: skip


def loudness_db(samples: np.ndarray, sample_rate: int, window_s: float = 0.1) -> np.ndarray:
    """Return the root-mean-square level of each window, in dB below full scale."""
    window = max(round(window_s * sample_rate), 1)
    whole = len(samples) // window * window
    blocks = samples[:whole].reshape(-1, window) if whole else samples[None]
    return 10 * np.log10(np.square(blocks, dtype=np.float64).mean(axis=1) + 1e-12)


def sound_facts(samples: np.ndarray, sample_rate: int) -> dict[str, float]:
    """Return how mono samples sound, in numbers: loudness in dB, attacks a second, the spectrum's centre in Hz."""
    levels = loudness_db(samples, sample_rate, 0.02)
    spectrum = np.abs(np.fft.rfft(samples)) ** 2
    centroid_hz = (spectrum * np.fft.rfftfreq(len(samples), 1 / sample_rate)).sum() / (spectrum.sum() + 1e-12)
    attacks = np.sum((np.diff(levels) > 4) & (levels[1:] > levels.max() - 30)) / (len(samples) / sample_rate)
    return {
        "loudness_db": round(float(np.median(levels)), 2), "attacks_per_s": round(float(attacks), 3),
        "centroid_hz": round(float(centroid_hz), 1),
    }  # fmt: skip


def bpm_of(beat_times: Sequence[float] | np.ndarray) -> float | None:
    """Return the tempo by least squares of beat time on beat number, or None below three beats or outside 20-300
    bpm."""
    if len(beat_times) < 3:
        return None
    bpm = 60 / np.polyfit(np.arange(len(beat_times)), beat_times, 1)[0]
    return round(float(bpm), 2) if MIN_BPM <= bpm <= MAX_BPM else None


def _nothing(reason):
    return Heard(reasons=dict.fromkeys(("beats", "chords", "key"), reason))


def _best_meter(trackers, activations):
    """Return the beats in a bar whose dynamic Bayesian network explains the activations best."""
    likelihood = {beats: tracker.hmms[0].viterbi(activations)[1] for beats, tracker in trackers.items()}
    return max(likelihood, key=lambda beats: likelihood[beats] - (LEAD if beats in (2, 6) else 0))


def _beats(processors, signal, reasons):
    activations = processors.beat_activations(signal).astype(float)
    beats_a_bar = _best_meter(processors.trackers, activations)
    beats = np.asarray(processors.trackers[beats_a_bar](activations), float).reshape(-1, 2)
    if len(beats) < 4:
        reasons["beats"] = f"{len(beats)} beats found, fewer than 4"
        return {}
    frames = np.minimum(np.round(beats[:, 0] * 100).astype(int), len(activations) - 1)
    near = np.max([activations[np.clip(frames + d, 0, len(activations) - 1)].sum(axis=1) for d in (-2, -1, 0, 1, 2)], axis=0)
    if near.mean() < MIN_BEAT_ACTIVATION:
        reasons["beats"] = f"no clear pulse: mean activation at the beats {near.mean():.2f}, below {MIN_BEAT_ACTIVATION}"
        return {}
    times, positions = beats[:, 0], beats[:, 1].astype(int)
    return {
        "beat_times": tuple(round(float(t), 4) for t in times),
        "beat_positions": tuple(int(p) for p in positions),
        "bpm": bpm_of(times),
        "meter": METERS[beats_a_bar],
    }


def _chords(processors, signal, reasons):
    heard = [
        (float(start), Chord.parse(str(label))) for start, _, label in processors.decode_chords(processors.chord_features(signal))
    ]
    if all(chord.root is None for _, chord in heard):
        reasons["chords"] = "no chord heard"
        return {}
    return {"chords": tuple(chord for _, chord in heard), "chord_times": tuple(round(start, 4) for start, _ in heard)}


def _key(processors, signal, reasons):
    from madmom.features.key import key_prediction_to_label

    probabilities = processors.key_probabilities(signal)
    probability = float(probabilities.max())
    if probability < MIN_KEY_PROBABILITY:
        reasons["key"] = f"no clear key: highest probability {probability:.2f}, below {MIN_KEY_PROBABILITY}"
        return {}
    heard = Key.parse(key_prediction_to_label(probabilities))
    return {"key": Key.of(heard.pitch_class, heard.mode), "key_probability": round(probability, 4)}
