"""Synthesised basses: how each plays one note. A voice takes a Note and gives samples (count,) of about unit size."""

from functools import lru_cache

import numpy as np
from scipy.fft import rfft

from musicbench.synth.waves import (
    beat_wave,
    drifting,
    fading,
    formants,
    harmonic_numbers,
    made_table,
    modulated,
    read_rows,
    read_table,
    shaped,
    sine,
    swept,
    wave_table,
)

ACCENT = 0.85  # from this velocity on an acid note is an accent
WOBBLE_BEATS = (1.0, 0.5, 0.5, 1 / 3, 0.25)
LIPS_HZ = 4200.0  # above it a voice is soft
VOWELS = {  # centre and width in Hz, gain: a grown man's throat
    "ah": ((730, 110, 1.0), (1090, 120, 0.55), (2440, 170, 0.2), (3400, 250, 0.1)),
    "oh": ((480, 90, 1.0), (800, 100, 0.4), (2400, 170, 0.07), (3300, 250, 0.04)),
    "oo": ((320, 80, 1.0), (700, 90, 0.2), (2250, 170, 0.03), (3200, 250, 0.02)),
    "ee": ((280, 80, 1.0), (2250, 150, 0.35), (2900, 200, 0.3), (3500, 250, 0.15)),
    "eh": ((560, 90, 1.0), (1750, 130, 0.5), (2500, 170, 0.3), (3500, 250, 0.12)),
    "mm": ((250, 90, 1.0), (900, 200, 0.06), (2200, 300, 0.02), (3200, 300, 0.01)),
}


@lru_cache(maxsize=24)
def _driven_tables(top_hz, rate, rows, most):
    """Return a sine driven harder from row to row, without what would fold back."""
    angle = np.arange(4096) * (2 * np.pi / 4096)
    drives = np.linspace(0.05, most, rows)[:, None]
    driven = np.tanh(drives * np.sin(angle) + 0.12 * drives * np.sin(angle) ** 2) / np.tanh(drives)
    count = min(len(harmonic_numbers(top_hz, rate)), 60)
    return made_table(rfft(driven, axis=-1)[:, 1 : count + 1] / (-0.5j * 4096))


def eight_oh_eight(note, decay_s=1.6, drive=2.0, punch=9.0):
    """Play a long kick drum as a bass: a driven sine that falls onto its pitch, then fades and gets purer."""
    drop = np.exp2(punch / 12 * np.exp(note.time / np.float32(-0.018)))
    level = fading(note, decay_s * 1.8) * shaped(note, 0.003)
    rows = 12
    tables = _driven_tables(round(note.top_hz * 2 ** (punch / 12), 1), note.rate, rows, drive * (0.6 + 0.8 * note.velocity))
    return level * read_rows(tables, (rows - 1) * level, note.hz * drop, note)


def sub(note, second=0.12):
    """Play a sine with a little of its octave and twelfth."""
    wave = sine(note.hz, note) + second * sine(note.hz * 2.0, note) + 0.4 * second * sine(note.hz * 3.0, note)
    return wave * shaped(note, 0.008, 0.6, 0.85)


def reese(note, cents=18.0, cutoff_hz=900.0):
    """Play three saws out of tune with each other, through a low-pass that wanders."""
    cutoffs = cutoff_hz * np.exp2(0.5 * drifting(note, 0.4) + 0.4 * beat_wave(note, 8, note.rng.random())) * (0.5 + note.velocity)
    wave = 0
    for shift in (-cents, 0.0, cents * 0.83):
        wave = wave + swept(note, "saw", cutoffs, 0.25, "low", note.hz * 2 ** (shift / 1200), note.rng.random())
    return (wave + 0.8 * sine(note.hz, note)) * shaped(note, 0.01, 0.5, 0.9)


def acid(note, wave="saw", resonance=0.82, base_hz=260.0):
    """Play one oscillator through a resonant ladder that an envelope opens.

    An accent opens it further, and faster shut.
    """
    accent = note.velocity >= ACCENT
    decay_s = 0.18 if accent else 0.3
    octaves = (2.2 + 1.6 * note.velocity + 0.6 * accent) * np.exp(note.time / np.float32(-decay_s))
    start_hz = base_hz * 2 ** note.rng.uniform(-0.2, 0.3)
    out = swept(note, wave, start_hz * np.exp2(octaves), min(resonance + 0.1 * accent, 0.95), "ladder")
    return out * shaped(note, 0.003, 1.2, 0.55) * (1.25 if accent else 1.0)


def fm_bass(note, modulator=1, index=4.5):
    """Play two sines, one of which modulates the other less and less."""
    falling = 0.7 + index * (0.4 + 0.7 * note.velocity) * np.exp(note.time / np.float32(-0.12))
    return modulated(note, 1, modulator, falling) * shaped(note, 0.003, 1.0, 0.5)


def wobble(note, cutoff_hz=160.0, octaves=4.0):
    """Play saws and a square through a low-pass that opens and shuts in tempo; how often is drawn for each note."""
    beats = WOBBLE_BEATS[note.rng.integers(len(WOBBLE_BEATS))]
    opening = 0.5 - 0.5 * beat_wave(note, beats, 0.25)
    cutoffs = cutoff_hz * np.exp2(octaves * opening)
    out = swept(note, "saw", cutoffs, 0.45, "low", note.hz * 1.006) + swept(note, "saw", cutoffs, 0.45, "low", note.hz / 1.006, 0.4)
    out = out + 0.7 * swept(note, "square", cutoffs, 0.45, "low")
    return (out * (0.45 + 0.55 * opening) + 1.1 * sine(note.hz, note)) * shaped(note, 0.005, 0.8, 0.95)


@lru_cache(maxsize=24)
def vowel_tables(vowels, base_hz, top_hz, rate, scale=1.0, slope=1.0):
    """Return tables (rows, N), one a vowel: a voice's harmonics through its throat.

    slope: of the source, in powers of k.
    """
    k = harmonic_numbers(top_hz, rate)
    lips = 1 / np.sqrt(1 + (k * base_hz / (LIPS_HZ * scale)) ** 4) / k**slope
    rows = [formants(k * base_hz, [(f * scale, w * scale, g) for f, w, g in VOWELS[name]]) * lips for name in vowels]
    rows = [row / max(np.sqrt(np.sum(row**2)), 1e-9) for row in rows]
    return made_table(np.array(rows))


def growl(note):
    """Play a bass that talks: two oscillators through vowels that change in tempo."""
    beats = WOBBLE_BEATS[note.rng.integers(len(WOBBLE_BEATS))]
    tables = vowel_tables(("oo", "oh", "ah", "ee"), note.base_hz, note.top_hz * 1.01, note.rate, 1.0, 0.5)
    places = 1.5 - 1.5 * beat_wave(note, beats, 0.25)
    wave = read_rows(tables, places, note.hz * 1.004, note) + read_rows(tables, places, note.hz / 1.004, note, 0.3)
    return (wave + 0.5 * sine(note.hz, note)) * shaped(note, 0.006, 0.8, 0.9)


def analogue(note, wave="saw", cutoff_hz=300.0, octaves=3.0, decay_s=0.25, resonance=0.35, sustain=0.75):
    """Play one oscillator and its sub-octave square through a ladder with an envelope: a small analogue synthesiser."""
    cutoffs = cutoff_hz * np.exp2(octaves * note.velocity * np.exp(note.time / np.float32(-decay_s)))
    out = swept(note, wave, cutoffs, resonance) + 0.5 * swept(note, wave, cutoffs, resonance, hz=note.hz * 1.003, start=0.37)
    return (out + 0.4 * sine(note.hz, note)) * shaped(note, 0.004, 0.8, sustain)


def donk(note):
    """Play a house organ's bass: three harmonics with a knock, short."""
    knock = modulated(note, 1, 3, 2.5 * note.velocity * np.exp(note.time / np.float32(-0.03)))
    return (knock + 0.5 * sine(note.hz * 2.0, note) + 0.2 * sine(note.hz * 3.0, note)) * shaped(note, 0.002, 0.35, 0.25)


def chip_bass(note):
    """Play a sound chip's triangle of 32 steps, on or off."""
    return 1 / 9 * read_table(wave_table("chip triangle", round(note.top_hz * 1.002 + 0.1, 1), note.rate), note.hz, note)
