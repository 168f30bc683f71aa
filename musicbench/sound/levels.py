"""How loud a copy is: as its original, and nowhere above full scale.

A stretcher moves the phases of partials, so that a copy's peaks lie up to 10 dB above the original's at the same
loudness. A look-ahead limiter turns down the milliseconds around them, not the clip.
"""

from dataclasses import replace

import numpy as np

from musicbench.sound.clip import Clip
from musicbench.sound.master import loudness_of

FULL_SCALE = 32767 / 32768  # the highest sample that 16 bits hold
CEILING = 0.99  # of what is limited
LOOK_AHEAD_S = 0.002  # how long before and after a peak the limiter's gain moves
MOST_GAIN_DB = 20.0  # a copy that differs from its original by more is left as it is
CLOSE_LU, ROUNDS = 0.2, 6  # what the limiter takes is added again until the loudness is so close


def below_full_scale(samples: np.ndarray, sample_rate: int) -> np.ndarray:
    """Return samples (n,) as float32 as they are, or limited if one lies above full scale; far from peaks nothing changes.

    The gain that a peak needs is held for LOOK_AHEAD_S before and after it, then averaged over as long: so it moves
    smoothly and is nowhere above what is needed.
    """
    from scipy.ndimage import minimum_filter1d, uniform_filter1d

    samples = np.asarray(samples, np.float32)
    peaks = np.abs(samples)
    if peaks.max(initial=0) <= FULL_SCALE:
        return samples
    length = 2 * round(LOOK_AHEAD_S * sample_rate) + 1
    needed = minimum_filter1d(CEILING / np.maximum(peaks, CEILING).astype(np.float64), length, mode="nearest")
    gains = uniform_filter1d(needed, length, mode="nearest")
    return np.clip(samples * gains, -CEILING, CEILING).astype(np.float32)  # what the sums of the average round up


def level(copy: Clip, loudness_lufs: float | None) -> tuple[Clip, float]:
    """Return a copy at the loudness of its original (`master.loudness_of`), no sample above full scale, and the gain in
    dB that it took.

    Where either has no loudness (silence, or less than 0.4 s) the gain is 0.
    """
    found = loudness_of(copy.samples, copy.sample_rate)
    if loudness_lufs is None or found is None or abs(loudness_lufs - found) > MOST_GAIN_DB:
        return replace(copy, samples=below_full_scale(copy.samples, copy.sample_rate)), 0.0
    gain_db, samples = 0.0, copy.samples
    for _ in range(ROUNDS):
        gain_db = round(gain_db + loudness_lufs - found, 2)
        samples = below_full_scale(copy.samples * np.float32(10 ** (gain_db / 20)), copy.sample_rate)
        found = loudness_of(samples, copy.sample_rate)
        if found is None or abs(loudness_lufs - found) < CLOSE_LU:
            break
    return replace(copy, samples=samples), gain_db
