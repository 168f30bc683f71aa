"""What moves loudness: compressor, side-chain ducking, gates in tempo, swells.

Samples are mono (n,); times in seconds.
"""

import numpy as np
from scipy.ndimage import maximum_filter1d, uniform_filter1d

from musicbench.synth.distortion import loud_level

BLOCK_S = 0.002


def _levels_db(samples, rate):
    """Return the peak level of every block of 2 ms in dB, (blocks,), and how many samples a block has."""
    block = max(round(BLOCK_S * rate), 1)
    padded = np.pad(np.abs(samples), (0, -len(samples) % block))
    return 20 * np.log10(padded.reshape(-1, block).max(axis=1) + 1e-6), block


def compressor(samples, scene, threshold_db=-12.0, ratio=3.0, attack_s=0.008, release_s=0.15, makeup=True):
    """Return samples (n,) of which what is louder than the threshold is turned down.

    threshold_db: from the level where it is loudest. ratio: 1 leaves all. attack_s, release_s: how fast, the latter for
    20 dB. makeup: whether the loudest stays as loud.
    """
    if ratio == 1:
        return samples
    levels, block = _levels_db(samples, scene.rate)
    slope = 20 * block / scene.rate / release_s  # dB a block: levels are held, then fall in a straight line
    ramp = slope * np.arange(len(levels))
    held = np.maximum.accumulate(levels + ramp) - ramp
    loudest_db = 20 * np.log10(1.4 * loud_level(samples, scene.rate))
    turned_db = (1 / ratio - 1) * np.maximum(held - loudest_db - threshold_db, 0)
    turned_db = uniform_filter1d(turned_db, max(round(attack_s * scene.rate / block), 1), mode="nearest")
    gains = 10 ** ((turned_db - (turned_db.min() if makeup else 0)) / 20)
    return samples * np.interp(np.arange(len(samples)), (np.arange(len(gains)) + 0.5) * block, gains)


def side_chain(samples, scene, depth=0.8, beats=0.5, release_s=0.25, attack_s=0.008):
    """Return samples (n,) that duck at every hit of the scene (at every beat if it has none), and come back within
    `beats`."""
    hits_s = np.sort(np.asarray(scene.hits_s, np.float64))
    if depth == 0:
        return samples
    if not len(hits_s):
        if not scene.bpm:
            return samples
        hits_s = np.arange(0, len(samples) / scene.rate, 60 / scene.bpm)
    back_s = beats * 60 / scene.bpm if beats and scene.bpm else release_s
    times = np.arange(len(samples)) / scene.rate
    last = np.searchsorted(hits_s, times, side="right") - 1
    since = np.where(last >= 0, times - hits_s[np.maximum(last, 0)], np.inf)
    way = np.clip(since / back_s, 0, 1)
    ducked = np.where(np.isfinite(since), 1 - depth * (1 - way * way * (3 - 2 * way)), 1.0)
    return samples * uniform_filter1d(ducked, max(round(attack_s * scene.rate), 1), mode="nearest")


def gate(samples, scene, pattern="x.xxx.x.", beats=0.25, depth=1.0, length=0.7):
    """Return samples (n,) cut by a pattern in tempo: x lets them through for `length` of a step of so many beats, .
    does not."""
    if depth == 0 or not scene.bpm:
        return samples
    steps = np.array([letter == "x" for letter in pattern], np.float64)
    place = np.arange(len(samples)) / scene.rate * scene.bpm / 60 / beats
    whole = place.astype(np.int64)
    opened = steps[whole % len(steps)] * (place - whole < length)
    opened = uniform_filter1d(opened, max(round(0.006 * scene.rate), 1), mode="nearest")
    return samples * (1 - depth + depth * opened)


def noise_gate(samples, scene, threshold_db=-40.0, floor_db=-60.0):
    """Return samples (n,) turned down where they are softer than the threshold, in dB from the loudest.

    A floor of 0 dB leaves all.
    """
    if floor_db == 0:
        return samples
    levels, block = _levels_db(samples, scene.rate)
    near = maximum_filter1d(levels, max(round(0.06 * scene.rate / block), 1))
    opened = (near > levels.max() + threshold_db).astype(np.float64)
    opened = uniform_filter1d(opened, max(round(0.02 * scene.rate / block), 1), mode="nearest")
    gains = 1 - (1 - 10 ** (floor_db / 20)) * (1 - opened)
    return samples * np.interp(np.arange(len(samples)), (np.arange(len(gains)) + 0.5) * block, gains)


def fade(samples, scene, in_s=0.0, out_s=0.0):
    """Return samples (n,) that fade in and out."""
    if not in_s and not out_s:
        return samples
    times = np.arange(len(samples)) / scene.rate
    rising = np.clip(times / in_s, 0, 1) if in_s else 1.0
    falling = np.clip((times[-1] - times) / out_s, 0, 1) if out_s else 1.0
    return samples * (rising * falling) ** 1.5
