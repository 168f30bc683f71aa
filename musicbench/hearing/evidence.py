"""What a detector keeps of a clip, small beside its samples: how strong beats and keys are, and its chords."""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from musicbench.music.chords import Chord
from musicbench.sound.features import SILENCE_DB, loudness_db

SLOWEST_BPM, FASTEST_BPM = 55.0, 300.0  # of beats that are looked for
PROPOSED = 5  # tempi of a clip
MIN_S = 1.0  # shorter than this, nothing can be heard
PULSE, HARMONY = "pulse", "harmony"  # what is heard together: beats, tempo and meter; chords and key
ALL = (PULSE, HARMONY)
SAME = 0.06  # tempi that differ by less are one


@dataclass(frozen=True)
class Evidence:
    """What a detector found in a clip.

    pulse: (frames, 2), how strongly a beat and a downbeat are heard, at `fps` frames a second; empty where nothing can
    beat. key_scores: (24,), log-likelihoods of C to B major, C to B minor; empty where there is no tone. reasons: why
    something is empty, by label.
    """

    duration_s: float
    pulse: np.ndarray
    fps: float
    key_scores: np.ndarray
    chords: tuple[Chord, ...] = ()
    chord_times: tuple[float, ...] = ()
    reasons: dict = field(default_factory=dict)

    def to_json(self) -> dict:
        """Return an object of texts, lists and numbers from which `of_json` makes the same again."""
        chords = [chord.harte() for chord in self.chords]
        return {**vars(self), "chords": chords, **{name: _text_of(getattr(self, name)) for name in ("pulse", "key_scores")}}

    @classmethod
    def of_json(cls, read: Mapping) -> Self:
        """Read what `to_json` returned."""
        arrays = {name: _array_of(read[name]) for name in ("pulse", "key_scores")}
        chords, times = tuple(map(Chord.parse, read["chords"])), tuple(read["chord_times"])
        return cls(**{**read, **arrays, "chords": chords, "chord_times": times})


def _text_of(array):
    return [array.dtype.str, list(array.shape), b64encode(array.tobytes()).decode()]


def _array_of(text):
    kind, shape, data = text
    return np.frombuffer(b64decode(data), np.dtype(kind)).reshape(shape)


def nothing_found(duration_s: float, reason: str) -> Evidence:
    """Return the evidence of a clip in which nothing can be heard."""
    reasons = dict.fromkeys(("beats", "chords", "key"), reason)
    return Evidence(duration_s, np.zeros((0, 2), np.float16), 100.0, np.zeros(0), reasons=reasons)


def unheard(samples: np.ndarray, sample_rate: int) -> str | None:
    """Say why nothing can be heard in samples, or return None."""
    if len(samples) < MIN_S * sample_rate:
        return f"the clip lasts {len(samples) / sample_rate:.2f} s, below {MIN_S:g} s"
    loudest_db = loudness_db(samples, sample_rate).max()
    if loudest_db < SILENCE_DB:
        return f"silence: the loudest 100 ms lie at {loudest_db:.0f} dB, below {SILENCE_DB:g} dB"
    return None


def strength_at(times: np.ndarray, pulse: np.ndarray, fps: float) -> float:
    """Return the mean strength of a pulse (frames, 2) within two frames of the times."""
    frames = np.minimum(np.round(times * fps).astype(int), len(pulse) - 1)
    near = [pulse[np.clip(frames + d, 0, len(pulse) - 1)].sum(axis=1) for d in (-2, -1, 0, 1, 2)]
    return float(np.max(near, axis=0).mean())


def proposed_tempi(pulse: np.ndarray, fps: float) -> list[tuple[float, float]]:
    """Return up to PROPOSED (beats a minute, strength) at which a pulse (frames, 2) repeats itself, the strongest first.

    The strength of a lag is the autocorrelation there and half of that at twice the lag.
    """
    strength = pulse.astype(float).sum(axis=1)
    strength -= strength.mean()
    count = len(strength)
    lags = np.arange(round(fps * 60 / FASTEST_BPM), min(round(fps * 60 / SLOWEST_BPM) + 2, count - 1))
    if len(lags) < 3 or not strength.any():
        return []
    spectrum = np.fft.rfft(strength, 2 * count)
    correlation = np.fft.irfft(spectrum * spectrum.conj())[:count]
    correlation *= count / (count - np.arange(count)) / correlation[0]
    fit = correlation[lags] + 0.5 * correlation[np.minimum(2 * lags, count - 1)]
    peaks = [i for i in range(1, len(lags) - 1) if fit[i] >= max(fit[i - 1], fit[i + 1], 1e-9)]
    peaks.sort(key=lambda i: -fit[i])
    return [(60 * fps / _parabolic(lags, fit, i), float(fit[i])) for i in peaks[:PROPOSED]]


def _parabolic(lags, fit, i):
    """Return the lag of the top of the parabola through a peak and its neighbours."""
    before, at, after = fit[i - 1 : i + 2]
    bend = before - 2 * at + after
    return lags[i] + (0.5 * (before - after) / bend if bend else 0.0)
