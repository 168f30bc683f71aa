"""Rooms: impulse responses made of early reflections and noise that decays, high frequencies faster.

Convolution by FFT.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.fft import irfft
from scipy.signal import oaconvolve

from musicbench.synth.filters import moved_filter, still_filter

DECAY = 6.9078  # exp(-DECAY) is -60 dB
SEEDS = 8  # so many rooms there are of each kind and size


class Room(NamedTuple):
    """A kind of room: seconds to -60 dB at low and at high frequencies, seconds to its first echo, reflections,
    level of the noise."""

    t60_s: float
    high_t60_s: float
    first_s: float
    reflections: int
    noise: float
    band_hz: tuple = (80.0, 10000.0)
    attack_s: float = 0.004


ROOMS = {
    "booth": Room(0.18, 0.1, 0.002, 10, 0.5),
    "room": Room(0.5, 0.25, 0.004, 18, 0.7),
    "chamber": Room(1.1, 0.6, 0.008, 20, 0.8),
    "hall": Room(2.2, 0.9, 0.018, 24, 1.0, attack_s=0.02),
    "plate": Room(1.7, 1.3, 0.0, 0, 1.0, (180.0, 12000.0), 0.001),
    "spring": Room(1.6, 1.0, 0.0, 0, 1.0, (120.0, 4200.0)),
    "cathedral": Room(5.0, 1.6, 0.03, 24, 1.0, attack_s=0.05),
    "gated": Room(3.0, 2.0, 0.003, 16, 1.0),
    "reverse": Room(1.2, 0.9, 0.0, 0, 1.0),
}
GATED_S = 0.28
SPRING_ECHOES, SPRING_S, SPRING_TURN_HZ = 14, 0.037, 4300.0


def _decaying_noise(room, size, rate, rng):
    """Return noise that decays, (n,): each frequency in its own time."""
    count = int(room.t60_s * size * 1.05 * rate)

    def gains(hz, times):
        t60_s = size * (room.high_t60_s + (room.t60_s - room.high_t60_s) / (1 + (hz / 2500) ** 1.5))
        return np.exp(-DECAY / t60_s * np.maximum(times, 0))

    wave = moved_filter(rng.standard_normal(count, dtype=np.float32), rate, gains)
    rise = np.minimum(np.arange(count) / (room.attack_s * size * rate), 1)
    return still_filter(wave * rise, rate, "band", room.band_hz, 1)


def _spring(room, size, rate, rng):
    """Return a spring's response (n,): echoes of a click, in which high frequencies come later and later."""
    count = int(room.t60_s * size * rate)
    hz = np.fft.rfftfreq(2 * count, 1 / rate)
    turn_hz = min(SPRING_TURN_HZ, 0.45 * rate)
    spectrum = np.zeros(len(hz), complex)
    for length_s in (SPRING_S * rng.uniform(0.9, 1.1), SPRING_S * 1.27 * rng.uniform(0.9, 1.1)):
        delay_s = length_s * (1 + 0.9 * np.minimum(hz / turn_hz, 1) ** 3)
        angle = -2 * np.pi * np.cumsum(delay_s) * (hz[1] - hz[0])
        for echo in range(SPRING_ECHOES):
            level = np.exp(-DECAY * (echo + 0.5) * length_s * 2 / (room.t60_s * size))
            spectrum += level * (-1) ** echo * np.exp(1j * angle * (2 * echo + 1))
    wave = irfft(spectrum * (hz < turn_hz))[:count]
    return still_filter(wave * np.linspace(1, 0, count) ** 0.5, rate, "band", room.band_hz, 1)


@lru_cache(maxsize=48)
def impulse_response(kind, size, rate, seed):
    """Return the response (n,) of a room of ROOMS to a click, with energy 1; size stretches its times."""
    room, rng = ROOMS[kind], np.random.default_rng(seed)
    if kind == "spring":
        wave = _spring(room, size, rate, rng)
    else:
        wave = _decaying_noise(room, size, rate, rng)
        wave = wave * room.noise / max(np.sqrt(np.sum(wave**2)), 1e-9)
    if room.reflections:
        last_s = room.first_s + 0.07 * size * min(room.t60_s, 1.0)
        times = np.sort(rng.uniform(room.first_s, last_s, room.reflections)) * rate
        levels = rng.choice([-1.0, 1.0], room.reflections) * np.exp(-2.0 * times / (last_s * rate))
        early = np.zeros(len(wave))
        np.add.at(early, np.minimum(times.astype(int), len(wave) - 1), levels / np.sqrt(np.sum(levels**2)))
        wave = wave + 0.7 * still_filter(early, rate, "band", room.band_hz, 1)
    if kind == "gated":
        wave = wave[: int(GATED_S * size * rate)]
    if kind == "reverse":
        wave = wave[: int(0.5 * size * rate)][::-1]
    return (wave / max(np.sqrt(np.sum(wave**2)), 1e-9)).astype(np.float32)


def reverb(samples, scene, kind="hall", size=1.0, mix=0.25, delay_s=0.0, low_cut_hz=150.0):
    """Return samples (n,) in a room of ROOMS. size: 0.5 to 2. mix: 0 dry to 1 wet. delay_s: before it answers."""
    seed = int(scene.rng.integers(SEEDS))
    if mix == 0:
        return samples
    response = impulse_response(kind, round(float(size), 2), scene.rate, seed)
    wet = oaconvolve(still_filter(samples, scene.rate, "high", low_cut_hz, 1).astype(np.float32), response)
    late = round(delay_s * scene.rate)
    wet = np.concatenate([np.zeros(late, np.float32), wet])[: len(samples)]
    return (1 - 0.5 * mix) * samples * min(1, 2 - 2 * mix) + mix * wet
