"""What bends waves: overdrive, distortion with a cabinet, fuzz, folding, bits.

Samples are mono (n,); their loudness is kept. A curve f is applied without folding much back: between two samples its
mean is taken, by its integral F, at twice the sample rate (antiderivative antialiasing: Parker, Zavalishin and Le
Bivic, DAFx-16).
"""

import numpy as np
from scipy.ndimage import uniform_filter1d
from scipy.signal import lfilter, resample_poly

from musicbench.synth.filters import coloured, one_pole, still_filter

LOUD_S = 0.05
CABINETS = {  # (hz, gain)
    "guitar": ((50, 0.05), (90, 0.6), (130, 1.1), (400, 0.8), (1000, 0.8), (2500, 1.3), (3800, 1.0), (5000, 0.3), (6500, 0.05), (9000, 0.01)),
    "combo": ((70, 0.05), (140, 0.8), (300, 1.0), (1500, 0.9), (3000, 1.4), (4500, 0.9), (6000, 0.2), (8000, 0.02)),
    "bass": ((35, 0.3), (60, 1.0), (120, 1.2), (500, 0.8), (1500, 0.9), (3000, 0.5), (4500, 0.15), (7000, 0.02)),
    "radio": ((250, 0.02), (500, 0.7), (900, 1.2), (2000, 1.0), (3000, 0.7), (4000, 0.1), (6000, 0.01)),
}  # fmt: skip


BIAS = 0.4  # of a valve: how far off the middle it works
CURVES = {  # a curve and its integral
    "soft": (np.tanh, lambda x: np.abs(x) + np.log1p(np.exp(-2 * np.abs(x)))),
    "hard": (lambda x: np.clip(x, -1, 1), lambda x: np.where(np.abs(x) < 1, 0.5 * x**2, np.abs(x) - 0.5)),
    "tube": (
        lambda x: np.tanh(x + BIAS) - np.tanh(BIAS),
        lambda x: np.abs(x + BIAS) + np.log1p(np.exp(-2 * np.abs(x + BIAS))) - np.tanh(BIAS) * x,
    ),
    "fold": (np.sin, lambda x: -np.cos(x)),
    "octave": (
        lambda x: np.sqrt(x * x + 0.01),
        lambda x: 0.5 * (x * np.sqrt(x * x + 0.01) + 0.01 * np.arcsinh(10 * x)),
    ),
}


def shaped_by(samples, curve):
    """Return samples (n,) through a curve of CURVES, half a sample late, folding little back."""
    bend, integral = CURVES[curve]
    samples = np.asarray(samples, np.float64)
    step, rise = (np.diff(wave, prepend=wave[:1]) for wave in (samples, integral(samples)))
    small = np.abs(step) < 1e-4
    out = rise / np.where(small, 1, step)
    out[small] = bend(samples[small] - 0.5 * step[small])
    return out


def loud_level(samples, rate):
    """Return the rms where it is loudest: of the loudest 50 ms, a little averaged."""
    power = uniform_filter1d(np.asarray(samples, np.float64) ** 2, max(round(LOUD_S * rate), 1), mode="constant")
    return float(np.sqrt(max(power.max(initial=0.0), 1e-12)))


def _as_loud(wave, samples):
    """Return a wave (n,) with the rms of samples."""
    return wave * (np.sqrt(np.mean(np.square(samples))) / max(np.sqrt(np.mean(np.square(wave))), 1e-9))


def drive(samples, scene, amount_db=18.0, curve="soft", tone_hz=None, low_cut_hz=None, cabinet=None, mix=1.0):
    """Return samples (n,) overdriven. amount_db: by how much the loudest is above where the curve begins to bend, 0
    to 50."""
    level = loud_level(samples, scene.rate)
    if mix == 0 or level <= 1e-6:
        return samples
    wave = samples if low_cut_hz is None else still_filter(samples, scene.rate, "high", low_cut_hz, 1)
    bent = shaped_by(resample_poly(wave, 2, 1) * (10 ** (amount_db / 20) / (2 * level)), curve)
    wet = resample_poly(bent, 1, 2)[: len(samples)]
    pole = np.exp(-2 * np.pi * 15 / scene.rate)
    wet = lfilter([1, -1], [1, -pole], wet)
    if tone_hz is not None:
        wet = one_pole(wet, scene.rate, tone_hz)
    if cabinet is not None:
        wet = coloured(wet, scene.rate, CABINETS[cabinet])
    return samples + mix * (_as_loud(wet, samples) - samples)


def crush(samples, scene, bits=8, hold_hz=None, mix=1.0):
    """Return samples (n,) in few bits (of the peak), and held so that there are only hold_hz of them a second.

    Both can be None.
    """
    if mix == 0:
        return samples
    wave = samples
    if hold_hz is not None and hold_hz < scene.rate:
        places = np.floor(np.floor(np.arange(len(wave)) * (hold_hz / scene.rate)) * (scene.rate / hold_hz)).astype(int)
        wave = wave[places]
    peak = max(float(np.abs(samples).max()), 1e-9)
    if bits is not None:
        steps = 2.0 ** (bits - 1)
        wave = np.round(wave / peak * steps) / steps * peak
    return samples + mix * (wave - samples)


def cabinet_only(samples, scene, kind="guitar", mix=1.0):
    """Return samples (n,) as a loudspeaker of CABINETS plays them."""
    if mix == 0:
        return samples
    return samples + mix * (_as_loud(coloured(samples, scene.rate, CABINETS[kind]), samples) - samples)


def ring(samples, scene, hz=200.0, mix=0.5):
    """Return samples (n,) multiplied with a sine."""
    if mix == 0:
        return samples
    wet = still_filter(samples, scene.rate, "low", max(0.47 * scene.rate - hz, 100.0), 4) if hz > 0.03 * scene.rate else samples
    return samples + mix * (1.4 * wet * np.sin(2 * np.pi * hz / scene.rate * np.arange(len(samples))) - samples)
