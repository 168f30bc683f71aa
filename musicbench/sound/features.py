"""Plain facts of sound and of beats: how loud windows are, the tempo of beat times."""

from collections.abc import Sequence

import numpy as np

from musicbench.music.tempo import MAX_BPM, MIN_BPM

SILENCE_DB = -60.0  # a clip whose loudest 100 ms lie below is silent


def loudness_db(samples: np.ndarray, sample_rate: int, window_s: float = 0.1) -> np.ndarray:
    """Return the root-mean-square level of each window, in dB below full scale."""
    window = max(round(window_s * sample_rate), 1)
    whole = len(samples) // window * window
    blocks = samples[:whole].reshape(-1, window) if whole else samples[None]
    return 10 * np.log10(np.square(blocks, dtype=np.float64).mean(axis=1) + 1e-12)


def bpm_of(beat_times: Sequence[float] | np.ndarray) -> float | None:
    """Return the tempo by least squares of beat time on beat number, or None below three beats or outside 20-300
    bpm."""
    if len(beat_times) < 3:
        return None
    bpm = 60 / np.polyfit(np.arange(len(beat_times)), beat_times, 1)[0]
    return round(float(bpm), 2) if MIN_BPM <= bpm <= MAX_BPM else None
