"""Filters, still and moving, and reading at a moving place.

Samples are mono (n,), frequencies in Hz, times in seconds.
"""

from functools import lru_cache

import numpy as np
from scipy.fft import irfft, rfft
from scipy.signal import butter, firwin2, lfilter, minimum_phase, oaconvolve, sosfilt

FRAME_S = 0.02  # a moving filter stands still for a quarter of it
LOWEST_SHARE, HIGHEST_SHARE = 0.0005, 0.49  # of the sample rate: where cut-off frequencies can lie


@lru_cache(maxsize=8)
def _window(size):
    return np.sqrt(0.25 - 0.25 * np.cos(2 * np.pi * np.arange(size) / size)).astype(np.float32)  # squares at quarters add to 1


def frame_size(rate):
    """Return how many samples a moving filter's frame has."""
    return 1 << max(round(np.log2(FRAME_S * rate)), 6)


def moved_filter(samples, rate, response):
    """Return samples (n,) through a filter that moves.

    response: function of frequencies (1, F) and times (T, 1) that returns gains (T, F), complex or not. Frames overlap
    by three quarters, so that one gain fades into the next; gains of 1 give the samples back.
    """
    size = frame_size(rate)
    hop, count = size // 4, len(samples)
    frames_count = (count + size) // hop + 1
    padded = np.zeros((frames_count - 1) * hop + size, np.float32)
    padded[size - hop : size - hop + count] = samples
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop]
    spectrum = rfft(frames * _window(size), axis=1)
    times = ((np.arange(frames_count) - 3) * hop + size / 2) / rate
    spectrum *= response(np.fft.rfftfreq(size, 1 / rate)[None], times[:, None])
    done = (irfft(spectrum, size, axis=1) * _window(size)).reshape(frames_count, 4, hop)
    out = np.zeros((frames_count + 3, hop), np.float32)
    for part in range(4):
        out[part : part + frames_count] += done[:, part]
    return out.reshape(-1)[size - hop : size - hop + count]


def low_response(hz, cutoff_hz, q, poles=2):
    """Return the complex gain of a resonant low-pass of two or four poles."""
    s = 1j * hz / cutoff_hz
    gain = 1 / (s * s + s / q + 1)
    return gain / (s * s + 1.4 * s + 1) if poles == 4 else gain


def high_response(hz, cutoff_hz, q, poles=2):
    """Return the complex gain of a resonant high-pass of two or four poles."""
    return low_response(cutoff_hz, np.maximum(hz, 1e-3), q, poles).conj()


def band_response(hz, cutoff_hz, q, poles=2):
    """Return the complex gain of a band-pass, 1 at its centre."""
    s = 1j * hz / cutoff_hz
    return (s / q / (s * s + s / q + 1)) ** (poles // 2)


RESPONSES = {"low": low_response, "high": high_response, "band": band_response}


def bounded_hz(hz, rate):
    """Return a cut-off frequency within what the sample rate can hold."""
    return np.clip(hz, LOWEST_SHARE * rate, HIGHEST_SHARE * rate)


def still_filter(samples, rate, kind, hz, order=2):
    """Return samples (n,) through a Butterworth filter: kind is low, high or band (hz is then a pair)."""
    name = {"low": "lowpass", "high": "highpass", "band": "bandpass"}[kind]
    cutoffs = bounded_hz(np.asarray(hz, np.float64), rate)
    if kind == "low" and hz >= HIGHEST_SHARE * rate:
        return samples
    if kind == "band" and cutoffs[1] <= 1.05 * cutoffs[0]:
        cutoffs[0] = cutoffs[1] / 2
    return sosfilt(butter(order, cutoffs, name, fs=rate, output="sos"), samples)


def one_pole(samples, rate, hz):
    """Return samples (n,) through the gentlest low-pass."""
    pole = np.exp(-2 * np.pi * min(hz, HIGHEST_SHARE * rate) / rate)
    return lfilter([1 - pole], [1, -pole], samples)


@lru_cache(maxsize=32)
def _fir(points, rate, taps):
    hz, gains = np.array(points).T
    fitting = hz < 0.5 * rate
    top = np.interp(0.5 * rate, hz, gains)
    grid = np.concatenate([[0.0], hz[fitting], [0.5 * rate]])
    wanted = np.concatenate([gains[:1], gains[fitting], [top]])
    return minimum_phase(firwin2(2 * taps - 1, grid, np.maximum(wanted, 1e-3), fs=rate), half=True).astype(np.float32)


def coloured(samples, rate, points, length_s=0.008):
    """Return samples (n,) through a short filter without delay whose gain follows `points`, (hz, gain) pairs from
    low to high."""
    taps = _fir(tuple(points), rate, max(int(length_s * rate), 32))
    return oaconvolve(np.asarray(samples, np.float32), taps)[: len(samples)]


def read_at(samples, places):
    """Return samples (n,) read at fractional places (m,), by cubic curves; 0 before the first and after the last."""
    count = len(samples)
    whole = np.floor(places)
    part = (places - whole).astype(np.float32)
    index = np.clip(whole, -3, count + 2).astype(np.int64) + 4
    padded = np.zeros(count + 9, np.float32)
    padded[4 : 4 + count] = samples
    a, b, c, d = padded[index - 1], padded[index], padded[index + 1], padded[index + 2]
    return b + 0.5 * part * (c - a + part * (2 * a - 5 * b + 4 * c - d + part * (3 * (b - c) + d - a)))


def turning(count, rate, hz, start=0.0):
    """Return a sine (count,) for what moves slowly; start: in turns."""
    return np.sin(2 * np.pi * (hz / rate * np.arange(count, dtype=np.float32) + start), dtype=np.float32)


def wandering(count, rate, hz, rng):
    """Return a slow random curve (count,), rms about 1, that turns about `hz` times a second."""
    every = max(rate / hz / 2, 1.0)
    points = rng.standard_normal(int(count / every) + 3)
    return np.interp(np.arange(count) / every, np.arange(len(points)), points).astype(np.float32)
