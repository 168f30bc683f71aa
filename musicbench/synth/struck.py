"""Synthesised plucked strings, keys, bells, bars and gongs: how each plays one note.

A voice takes a Note, gives samples (count,). A plucked string is the modes of the Karplus-Strong loop: harmonics, each
of which fades at the speed that the loop's filter gives it.
"""

from functools import lru_cache

import numpy as np

from musicbench.synth.leads import top
from musicbench.synth.waves import (
    DECAY,
    HIGHEST,
    fading,
    formants,
    harmonic_numbers,
    hiss,
    kept,
    made_table,
    modes,
    modulated,
    read_rows,
    shaped,
    sine,
)

ROWS = 20
STEEL_PAN = ((1.0, 1.0, 1.1), (2.0, 0.55, 0.8), (3.0, 0.22, 0.5), (4.02, 0.12, 0.35), (5.1, 0.05, 0.2), (2.01, 0.3, 0.9))
KALIMBA = ((1.0, 1.0, 1.6), (2.0, 0.06, 0.5), (5.8, 0.16, 0.16), (6.3, 0.1, 0.1), (11.2, 0.05, 0.05))
MARIMBA = ((1.0, 1.0, 0.9), (3.93, 0.22, 0.22), (9.24, 0.09, 0.08))
SARON = ((1.0, 1.0, 3.0), (1.0, 0.35, 4.5), (2.71, 0.3, 0.9), (5.15, 0.16, 0.4), (8.4, 0.07, 0.2))
BONANG = ((1.0, 1.0, 1.4), (1.52, 0.25, 0.6), (2.33, 0.22, 0.5), (3.46, 0.2, 0.4), (4.7, 0.1, 0.25), (6.1, 0.06, 0.15))
GONG = ((1.0, 1.0, 7.0), (1.49, 0.22, 3.5), (2.02, 0.4, 4.5), (2.43, 0.2, 3.0), (3.01, 0.22, 2.6), (3.58, 0.14, 2.0), (4.21, 0.12, 1.6),
        (5.4, 0.08, 1.1), (6.83, 0.06, 0.8))  # fmt: skip
BOWL = ((1.0, 1.0, 9.0), (2.77, 0.5, 5.0), (5.18, 0.2, 2.5), (8.1, 0.07, 1.2))
GLOCKENSPIEL = ((1.0, 1.0, 2.2), (2.76, 0.35, 0.8), (5.4, 0.16, 0.3))


@lru_cache(maxsize=24)
def _string_tables(base_hz, top_hz, rate, ring_s, damping, place, buzz, stiffness_hz):
    """Return tables (ROWS, N) of a string's spectrum as time goes on: ever later rows, half of them in the first tenth
    of ring_s.

    place: where it is plucked, as a part of its length. buzz: how much a flat bridge (jivari) feeds high harmonics,
    which bloom after the attack and sink, late, towards low ones.
    """
    k = harmonic_numbers(top_hz, rate)
    times = ring_s * (np.arange(ROWS)[:, None] / (ROWS - 1)) ** 2.5
    fades = DECAY / ring_s * (1 + damping * (k / 10) ** 2 + 0.15 * k)
    spectrum = np.abs(np.sin(np.pi * k * place)) / k * np.exp(-fades * times) / np.sqrt(1 + (k * base_hz / stiffness_hz) ** 2)
    if buzz:
        centre_hz = 900 + 2600 * np.exp(-3 * times / ring_s)
        bloom = (1 - np.exp(-times / 0.04)) * np.exp(-0.7 * DECAY * times / ring_s)
        spectrum = spectrum + buzz * bloom * np.exp(-(((k * base_hz - centre_hz) / (0.5 * centre_hz)) ** 2)) / np.sqrt(k)
    return made_table(spectrum * np.where(k % 2 == 1, 1, -1))


def string(note, ring_s=4.0, damping=1.0, place=0.18, buzz=0.0, bright_hz=2500.0, hz=None):
    """Play a plucked string; harder is brighter."""
    hz = note.hz if hz is None else hz
    stiffness_hz = round(bright_hz * (0.4 + note.velocity), -2)
    tables = _string_tables(round(note.base_hz, 1), top(note, 1.06), note.rate, ring_s, damping, place, buzz, stiffness_hz)
    places = (ROWS - 1) * np.minimum(note.time / np.float32(ring_s), 1) ** np.float32(0.4)
    return read_rows(tables, places, hz, note) * np.minimum(note.time / np.float32(0.0015), 1)


def tanpura(note):
    """Play a tanpura's string: a soft pluck whose overtones bloom and sink, over and over as strings beat."""
    wave = string(note, 7.0, 0.25, 0.45, 0.5, 1200.0) + 0.6 * string(note, 7.0, 0.2, 0.45, 0.6, 1200.0, note.hz * 1.0009)
    return wave * shaped(note, 0.02)


def sitar(note):
    """Play a sitar's string: a hard pluck with a buzzing bridge, slightly sharp at first, and strings that sound
    along."""
    hz = note.hz * np.exp2(0.022 * np.exp(note.time / np.float32(-0.09)))
    wave = string(note, 3.2, 1.6, 0.11, 0.45, 4000.0, hz)
    along = sum(string(note, 5.0, 0.3, 0.3, 0.5, 3000.0, note.base_hz * ratio) for ratio in (1.0, 0.5017))
    return wave + 0.07 * along * shaped(note, 0.15)


def muted_string(note):
    """Play a string under the palm of the hand."""
    return string(note, 0.7, 6.0, 0.12, 0.0, 2000.0)


def fm_piano(note):
    """Play an electric piano by two pairs of sines: a body, and a tine that rings high for a moment."""
    touch = 0.3 + 1.3 * note.velocity**1.5
    ring_s = 5.0 * (220 / note.base_hz) ** 0.4
    body = modulated(note, 1, 1, touch * (0.35 + 0.65 * np.exp(note.time / np.float32(-0.35))))
    wave = 0.65 * body
    if note.top_hz * 15 < HIGHEST * note.rate:
        wave = wave + 0.45 * modulated(note, 1, 14, 0.55 * touch * np.exp(note.time / np.float32(-0.05)))
    swing = 1 + 0.06 * sine(4.5, note, note.rng.random())
    return wave * fading(note, ring_s) * shaped(note, 0.002) * swing


def fm_bell(note):
    """Play a bell by frequency modulation at a ratio of 7 to 5, that fades over seconds."""
    index = (0.3 + 1.1 * note.velocity) * np.exp(note.time / np.float32(-0.6))
    wave = modulated(note, 5, 7, index) + 0.3 * modulated(note, 1, 1, 0.3 * index, 0.1)
    return wave * fading(note, 3.5) * shaped(note, 0.001)


def fm_glass(note):
    """Play a short, hard, glassy pluck by frequency modulation at a ratio of 3 to 1."""
    index = (0.5 + 2.2 * note.velocity) * np.exp(note.time / np.float32(-0.08))
    return modulated(note, 1, 3, index) * fading(note, 1.6) * shaped(note, 0.001)


def bars(note, partials, knock=0.1, beating_hz=0.0, ring=1.0, rise_s=0.001):
    """Play a struck body of `partials` (frequency ratio, level, t60_s at middle C), with the beater's knock.

    beating_hz: how much higher a second body beside it is tuned, as pairs of gamelan instruments are.
    """
    size = ring * (262 / note.base_hz) ** 0.35
    bright = 0.35 + 0.85 * note.velocity
    tuned = [(ratio, level * bright ** (0 if i == 0 else 1), t60_s * size) for i, (ratio, level, t60_s) in enumerate(partials)]
    wave = modes(note, tuned)
    if beating_hz:
        shift = 1 + beating_hz / note.base_hz
        wave = wave + 0.8 * modes(note, [(ratio * shift, level, t60_s) for ratio, level, t60_s in tuned[:3]], 0.3)
    if knock:
        last = min(note.count, int(0.03 * note.rate))
        burst = kept(hiss(note.rng, last), note.rate, 300.0, 4000.0, 1) * np.exp(np.arange(last) / (-0.006 * note.rate))
        wave[:last] += (knock * note.velocity * burst).astype(np.float32)
    return wave * shaped(note, rise_s)


def steel_pan(note):
    """Play a steel pan: harmonics that swell just after the stroke, bending into tune."""
    hz = note.hz * np.exp2(-0.012 * np.exp(note.time / np.float32(-0.04)))
    swell = 1 - 0.6 * np.exp(note.time / np.float32(-0.03))
    wave = sine(hz, note) * fading(note, 1.4)
    for ratio, level, t60_s in STEEL_PAN[1:]:
        if ratio * note.top_hz < HIGHEST * note.rate:
            wave = wave + level * (0.5 + note.velocity) * swell * sine(hz * ratio, note) * fading(note, t60_s)
    return wave * shaped(note, 0.003)


def shimmering_gong(note):
    """Play a great gong: partials in pairs that beat, the higher of which bloom after the stroke."""
    wave = bars(note, GONG[:4], 0.05, 1.3, 1.0, 0.02)
    return wave + 0.7 * modes(note, GONG[4:], 0.2) * (1 - np.exp(note.time / np.float32(-0.15))) * (0.3 + note.velocity)


def rubbed_bowl(note):
    """Play a singing bowl, struck softly, that beats slowly."""
    return bars(note, BOWL, 0.02, 0.9, 1.0, 0.04)


def vocal_pluck(note):
    """Play a short syllable of a chopped voice."""
    k = harmonic_numbers(top(note), note.rate)
    peaks = [((500, 120, 1.0), (1500, 150, 0.5), (2600, 250, 0.3)), ((850, 150, 1.0), (1250, 150, 0.6), (2700, 250, 0.25))]
    tables = made_table(np.array([formants(k * note.base_hz, found) / k**0.7 for found in peaks]))
    places = np.minimum(note.time / np.float32(0.12), 1)
    return read_rows(tables, places, note.hz, note) * shaped(note, 0.012, 0.5, 0.2)
