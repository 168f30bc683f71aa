"""Synthesised noises: what rises, falls and hits between sections, and what lies under the music.

The table NOISES, and `make_noise`.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from musicbench.synth.drum_hits import CRASH_HZ, metal
from musicbench.synth.filters import band_response, low_response, moved_filter, one_pole, still_filter, wandering
from musicbench.synth.waves import Note, fading, hiss, read_table, sine, wave_table, without_dc

PEAK = 0.4
LEVEL = 0.04  # rms of what lies under the music


class Noise(NamedTuple):
    """How a noise is made, what it is, and whether it lies under the music (else it leads to its end or away from
    its start)."""

    make: Callable
    what: str
    lies: bool = False


def _part(note):
    """Return how much of the noise is over (count,), 0 to 1."""
    return np.arange(note.count, dtype=np.float32) / max(note.count - 1, 1)


def _swept_noise(note, start_hz, end_hz, q=2.0, response=band_response):
    """Return noise (count,) through a filter that moves from one frequency to another."""
    length_s = note.count / note.rate
    top_hz = 0.45 * note.rate

    def gains(hz, times):
        cutoffs = start_hz * (end_hz / start_hz) ** np.clip(times / length_s, 0, 1)
        return response(hz, np.minimum(cutoffs, top_hz), q)

    return moved_filter(hiss(note.rng, note.count), note.rate, gains)


def riser(note):
    """Noise that rises and grows to the end."""
    return _swept_noise(note, 250.0, 9000.0) * _part(note) ** 1.5


def tonal_riser(note, octaves=2.0):
    """Saws that slide up to the end, with noise."""
    part = _part(note)
    hz = 110.0 * np.exp2(octaves * part**1.3)
    top_hz = 115.0 * 2**octaves
    table = wave_table("saw", top_hz, note.rate, min(6000.0, 0.4 * note.rate), 0.0)
    wave = sum(read_table(table, hz * ratio, note, note.rng.random()) for ratio in (0.992, 1.0, 1.009))
    return (0.25 * wave + 0.5 * riser(note)) * (0.15 + 0.85 * part)


def downlifter(note):
    """Noise that falls and fades."""
    return _swept_noise(note, 8000.0, 150.0) * (1 - _part(note)) ** 1.5


def impact(note):
    """A boom with a crash of noise, in a great space."""
    boom = sine(38.0 * (1 + 2.5 * np.exp(note.time / np.float32(-0.05))), note) * fading(note, 1.8)
    crash = _swept_noise(note, 5000.0, 200.0, 0.7, low_response) * fading(note, 2.2)
    return np.tanh(1.5 * boom) + 0.3 * crash


def sub_drop(note):
    """A sine that falls below hearing."""
    return sine(30.0 + 60.0 * np.exp(note.time * np.float32(-3.0 * note.rate / note.count)), note) * (1 - _part(note))


def reverse_cymbal(note):
    """A crash played backwards, loudest at the end."""
    return metal(note, hz=CRASH_HZ, band=(2500.0, None), t60_s=note.count / note.rate, noise=0.9)[::-1]


def whoosh(note):
    """Air that passes: up and down."""
    part = _part(note)
    length_s = note.count / note.rate

    def gains(hz, times):
        return band_response(hz, 300 * 12 ** np.sin(np.pi * np.clip(times / length_s, 0, 1)), 1.2)

    return moved_filter(hiss(note.rng, note.count), note.rate, gains) * np.sin(np.pi * part) ** 2


def siren(note):
    """A dub siren: a square whose pitch goes up and down."""
    hz = 600 * np.exp2(0.7 * sine(2.2, note))
    return read_table(wave_table("square", 990.0, note.rate), hz, note) * np.minimum(8 * (1 - _part(note)), 1)


def ticks(note, a_second, low_hz, high_hz, spread=1.0):
    """Return sparse clicks of very different sizes (count,), filtered."""
    wave = np.zeros(note.count, np.float32)
    count = int(note.rng.poisson(a_second * note.count / note.rate))
    places = note.rng.integers(0, note.count, count)
    np.add.at(wave, places, note.rng.choice([-1.0, 1.0], count) * note.rng.lognormal(0, spread, count))
    return still_filter(wave, note.rate, "band", (low_hz, high_hz), 1)


def vinyl_crackle(note):
    """Dust and scratches of a record, its hiss and its rumble."""
    dust = ticks(note, 25.0, 1200.0, 7000.0, 1.0) + 0.5 * ticks(note, 300.0, 2500.0, 9000.0, 0.5)
    rumble = one_pole(one_pole(hiss(note.rng, note.count), note.rate, 45.0), note.rate, 45.0)
    return dust + 0.004 * still_filter(hiss(note.rng, note.count), note.rate, "high", 1500.0, 1) + 0.05 * rumble


def tape_hiss(note):
    """The hiss of a cassette."""
    return still_filter(hiss(note.rng, note.count), note.rate, "high", 2500.0, 1)


def rain(note):
    """Rain: a soft roar, and drops."""
    roar = still_filter(hiss(note.rng, note.count), note.rate, "band", (900.0, 9000.0), 1)
    return roar * (1 + 0.15 * wandering(note.count, note.rate, 0.7, note.rng)) + 1.5 * ticks(note, 180.0, 1500.0, 6000.0, 0.7)


def wind(note):
    """Wind: a band of noise that wanders."""
    points = wandering(note.count, note.rate, 0.6, note.rng)
    gusts = np.exp(0.5 * points)

    def gains(hz, times):
        places = np.clip(times[:, 0] * note.rate, 0, note.count - 1).astype(int)
        return band_response(hz, 450 * np.exp2(0.6 * points[places])[:, None], 3.0)

    return moved_filter(hiss(note.rng, note.count), note.rate, gains) * gusts


def sea(note):
    """Waves on a beach, one in some six seconds."""
    swell = 0.15 + np.maximum(sine(1 / 6.0, note, note.rng.random()), 0) ** 1.5
    return (one_pole(hiss(note.rng, note.count), note.rate, 600.0) + 0.15 * hiss(note.rng, note.count)) * swell


def fire(note):
    """A fire that crackles."""
    return ticks(note, 20.0, 900.0, 6000.0, 1.2) + 0.15 * one_pole(hiss(note.rng, note.count), note.rate, 250.0)


def hum(note):
    """The hum of an amplifier, 50 Hz and its harmonics."""
    return sum(level * sine(50.0 * k, note) for k, level in ((1, 1.0), (2, 0.5), (3, 0.5), (5, 0.25), (7, 0.12), (9, 0.08)))


NOISES = {
    "riser": Noise(riser, "noise that rises to the end"),
    "tonal riser": Noise(tonal_riser, "saws and noise that slide up to the end"),
    "downlifter": Noise(downlifter, "noise that falls away"),
    "impact": Noise(impact, "boom and crash"),
    "sub drop": Noise(sub_drop, "sine that falls below hearing"),
    "reverse cymbal": Noise(reverse_cymbal, "crash played backwards"),
    "whoosh": Noise(whoosh, "air that passes"),
    "siren": Noise(siren, "dub siren"),
    "vinyl crackle": Noise(vinyl_crackle, "dust, hiss and rumble of a record", True),
    "tape hiss": Noise(tape_hiss, "hiss of a cassette", True),
    "rain": Noise(rain, "rain", True),
    "wind": Noise(wind, "wind", True),
    "sea": Noise(sea, "waves on a beach", True),
    "fire": Noise(fire, "crackling fire", True),
    "hum": Noise(hum, "hum of an amplifier", True),
}


def make_noise(name, duration_s, sample_rate, rng):
    """Return a noise of NOISES, float32 mono (n,), n = duration_s * sample_rate rounded, without a click at either end.

    Peaks are at 0.4; of what lies under the music the rms is 0.04 (and peaks at most 0.4).
    """
    count = round(duration_s * sample_rate)
    if count < 16:
        return np.zeros(count, np.float32)
    known = NOISES[name]
    note = Note(1.0, count, count, 0.8, sample_rate, rng)
    wave = without_dc(known.make(note), sample_rate)
    fade = min(round(0.005 * sample_rate), count // 4)
    wave[:fade] *= np.linspace(0, 1, fade)
    wave[count - fade :] *= np.linspace(1, 0, fade)
    peak, rms = max(float(np.abs(wave).max()), 1e-9), max(float(wave.std()), 1e-9)
    gain = min(LEVEL / rms, PEAK / peak) if known.lies else PEAK / peak
    return (wave * gain).astype(np.float32)
