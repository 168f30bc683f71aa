"""What synthesised sounds are made of: band-limited waves, resonances, envelopes, noise. Only numpy and scipy.

A wave is a table of one period, made from the amplitudes of its harmonics, and read at a pitch; no harmonic lies above
0.46 of the sample rate, so nothing is folded back. A filter that moves is a row of such tables, one a cut-off
frequency, and a place between them. Frequencies are in Hz, arrays along time have shape (count,).
"""

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from scipy.fft import irfft, rfft
from scipy.signal import butter, lfilter, sosfilt

HIGHEST = 0.46  # of the sample rate: above it there is no harmonic
TURN = 2.0**32  # a period, in the integers that count phases and wrap by themselves
DECAY = 6.9078  # exp(-DECAY) is -60 dB
ROWS_AN_OCTAVE = 5


@dataclass(frozen=True)
class Tone:
    """A note that is to be played: start and duration in seconds, pitch as a MIDI number (60 is C4, fractions are
    fine).

    velocity: 0 to 1. glide_s: how long the pitch takes to come from that of the tone before. bends: (seconds from the
    start, semitones) pairs, joined by straight lines, that are added to the pitch.
    """

    start_s: float
    duration_s: float
    pitch: float
    velocity: float = 0.8
    glide_s: float = 0.0
    bends: tuple = ()


@dataclass
class Note:
    """What a voice gets to play: hz (one number, or (count,) where the pitch moves), samples in all and until the
    key goes up."""

    hz: object
    count: int
    gate: int
    velocity: float
    rate: int
    rng: np.random.Generator
    bpm: float = 120.0
    time: np.ndarray = field(init=False)  # seconds since the start, (count,)

    def __post_init__(self):
        self.time = np.arange(self.count, dtype=np.float32) / np.float32(self.rate)

    @property
    def top_hz(self):
        return float(np.max(self.hz))

    @property
    def base_hz(self):
        """Return the pitch where it stands, or the one in its middle."""
        return float(np.median(self.hz))


def to_hz(pitch):
    """Return the frequency of a MIDI pitch number (one or many)."""
    return 440.0 * 2.0 ** ((np.asarray(pitch, np.float64) - 69) / 12)


# -- tables -----------------------------------------------------------------------------------------------------------


def harmonic_numbers(top_hz, rate, most=2000):
    """Return 1, 2, ... K (float64), the harmonics of `top_hz` that fit below 0.46 of the sample rate.

    None if it does not itself.
    """
    return np.arange(1.0, min(int(HIGHEST * rate / top_hz), most) + 1)


def made_table(amplitudes):
    """Return a period or rows of periods, float32 (..., N), of sines with amplitudes (..., K).

    Complex ones also shift phases.
    """
    count = amplitudes.shape[-1]
    size = 4096 if count <= 32 else 8192 if count <= 128 else 16384
    spectrum = np.zeros((*amplitudes.shape[:-1], size // 2 + 1), np.complex64)
    spectrum[..., 1 : count + 1] = -0.5j * size * amplitudes
    return irfft(spectrum, axis=-1)


def counted_phases(hz, count, rate, start=0.0):
    """Return phases (count,) as uint32, of which 2**32 make a turn; start: in turns."""
    if np.ndim(hz) == 0:
        step = np.uint32(round(float(hz) / rate * TURN) % int(TURN))
        return np.arange(count, dtype=np.uint32) * step + np.uint32(int(start % 1 * TURN))
    steps = (np.asarray(hz) * (TURN / rate)).astype(np.int64).astype(np.uint32)
    steps[:1] = np.uint32(int(start % 1 * TURN))
    return np.cumsum(steps, dtype=np.uint32)


def read_table(table, hz, note, start=0.0):
    """Return a wave (count,): a table (N,) read at a pitch, one number or (count,)."""
    shift = np.uint32(33 - len(table).bit_length())
    return table.take(counted_phases(hz, note.count, note.rate, start) >> shift)


def read_rows(tables, places, hz, note, start=0.0):
    """Return a wave (count,) from tables (rows, N): `places` (count,) from 0 to rows - 1 say between which two it
    lies."""
    rows, size = tables.shape
    shift = np.uint32(33 - size.bit_length())
    places = np.clip(places, 0, rows - 1.001).astype(np.float32)
    first = places.astype(np.int32)
    index = (counted_phases(hz, note.count, note.rate, start) >> shift).astype(np.int32) + first * size
    flat, share = tables.reshape(-1), places - first
    lower = flat.take(index)
    return lower + share * (flat.take(index + size) - lower)


@lru_cache(maxsize=1)
def _sine_table():
    return made_table(np.ones((1, 1)) * np.eye(1, 129))[0]  # 16384 places


def sine(hz, note, start=0.0):
    """Return a sine (count,) at a pitch, one number or (count,)."""
    return read_table(_sine_table(), hz, note, start)


# -- spectra: amplitudes of harmonics k ---------------------------------------------------------------------------------


def _stepped(levels):
    """Return a spectrum of a wave of equal steps, as sound chips make them."""
    period = np.repeat(np.asarray(levels, np.float64), 4096 // len(levels))
    known = rfft(period - period.mean())[1:] / (-0.5j * len(period))
    return lambda k: known[: len(k)] if len(k) <= len(known) else np.pad(known, (0, len(k) - len(known)))


def _drawbars(**levels):
    """Return an organ's spectrum: the level of each harmonic."""
    found = {int(name[1:]): level for name, level in levels.items()}
    return lambda k: np.array([found.get(int(number), 0.0) for number in k])


def _pulse(width):
    return lambda k: np.sin(np.pi * k * width) / k


WAVES = {
    "saw": lambda k: 1 / k,
    "square": lambda k: (k % 2) / k,
    "triangle": lambda k: (k % 2) * np.sin(np.pi * k / 2) / k**2,
    "pulse 1/3": _pulse(1 / 3),
    "pulse 1/4": _pulse(1 / 4),
    "pulse 1/8": _pulse(1 / 8),
    "hollow": lambda k: np.where(k % 2 == 1, 1.0, 0.12) / k**1.2,
    "soft": lambda k: 1 / k**1.8,
    "string": lambda k: (1 + 0.6 * np.cos(1.7 * k)) / k**1.1,
    "reed": lambda k: (1 + 0.5 * np.cos(2.3 * k + 1)) / k**0.7,
    "chip triangle": _stepped([*range(15, -1, -1), *range(16)]),
    "drawbars": _drawbars(h1=1.0, h2=0.9, h3=0.75, h4=0.4, h6=0.25, h8=0.3),
    "jazz drawbars": _drawbars(h1=0.8, h2=0.35, h3=0.9, h4=0.15),
    "combo": _drawbars(h1=0.8, h2=0.7, h4=0.6, h8=0.4, h3=0.25, h5=0.2, h6=0.2, h7=0.15),
    "pipes": _drawbars(h1=1.0, h2=0.7, h3=0.2, h4=0.5, h6=0.15, h8=0.3, h12=0.1, h16=0.12),
}


def low_pass(hz, cutoff_hz, resonance):
    """Return the gain of a two-pole low-pass; resonance 0 to 1 is a Q of 0.6 to 12."""
    w, q = hz / cutoff_hz, 0.6 * 20**resonance
    return 1 / np.sqrt((1 - w**2) ** 2 + (w / q) ** 2) / q**0.35


def ladder(hz, cutoff_hz, resonance):
    """Return the gain of a four-pole ladder with feedback; resonance 0 to 1, at which it all but whistles."""
    feedback = 3.85 * resonance
    return (1 + 0.5 * feedback) / np.abs((1 + 1j * hz / cutoff_hz) ** 4 + feedback)


def band_pass(hz, cutoff_hz, resonance):
    """Return the gain of a band-pass; resonance 0 to 1 is a Q of 0.6 to 12."""
    w, q = hz / cutoff_hz, 0.6 * 20**resonance
    return (w / q) / np.sqrt((1 - w**2) ** 2 + (w / q) ** 2)


RESPONSES = {"low": low_pass, "ladder": ladder, "band": band_pass}


def formants(hz, peaks):
    """Return the gain of a throat at frequencies (K,): peaks of (centre_hz, width_hz, gain)."""
    return sum(gain / np.sqrt(1 + ((hz - centre) / (0.5 * width)) ** 2) for centre, width, gain in peaks)


@lru_cache(maxsize=256)
def wave_table(wave, top_hz, rate, cutoff_hz=None, resonance=0.0):
    """Return the table of a wave of WAVES whose highest pitch is top_hz, through a low-pass at cutoff_hz if given."""
    k = harmonic_numbers(top_hz, rate)
    amplitudes = WAVES[wave](k)
    return made_table(amplitudes if cutoff_hz is None else amplitudes * low_pass(k * top_hz, cutoff_hz, resonance))


@lru_cache(maxsize=24)
def _swept_tables(wave, response, resonance, base_hz, top_hz, rate, first, rows):
    k = harmonic_numbers(top_hz, rate)
    cutoffs = 2.0 ** (first + np.arange(rows)[:, None] / ROWS_AN_OCTAVE)
    return made_table(WAVES[wave](k) * RESPONSES[response](k * base_hz, cutoffs, resonance))


def swept(note, wave, cutoff_hz, resonance=0.3, response="ladder", hz=None, start=0.0):
    """Return a wave of WAVES (count,) through a filter of RESPONSES whose cut-off frequency (count,) moves."""
    octaves = np.log2(np.clip(cutoff_hz, 20, 0.5 * note.rate)).astype(np.float32)
    first = np.floor(octaves.min())
    rows = int(np.ceil((octaves.max() - first) * ROWS_AN_OCTAVE)) + 2
    hz = note.hz if hz is None else hz
    pitches = round(float(np.median(hz)), 1), round(float(np.max(hz)) * 1.002 + 0.1, 1)
    tables = _swept_tables(wave, response, round(float(resonance), 2), *pitches, note.rate, float(first), rows)
    return read_rows(tables, (octaves - first) * ROWS_AN_OCTAVE, hz, note, start)


@lru_cache(maxsize=24)
def _fm_tables(carrier, modulator, step, rows, top_hz, rate):
    angle = np.arange(16384) * (2 * np.pi / 16384)
    turns = np.sin(carrier * angle + step * np.arange(rows)[:, None] * np.sin(modulator * angle))
    count = len(harmonic_numbers(top_hz / carrier, rate, 1000))
    return made_table(rfft(turns, axis=-1)[:, 1 : count + 1] / (-0.5j * 16384))


def modulated(note, carrier, modulator, index, start=0.0):
    """Return a frequency-modulated sine (count,) without its sidebands above the highest: `carrier` is the pitch, in
    whole numbers `modulator` relates to it; index (count,) in radians moves the brightness."""
    step = 0.5
    rows = int(np.max(index) / step) + 2
    tables = _fm_tables(carrier, modulator, step, rows, round(note.top_hz * 1.002 + 0.1, 1), note.rate)
    return read_rows(tables, index / step, np.asarray(note.hz) / carrier if np.ndim(note.hz) else note.hz / carrier, note, start)


@lru_cache(maxsize=64)
def wide_table(wave, hz, rate, width_cents, cutoff_hz, seed):
    """Return two to four seconds (N,) in which each harmonic is a narrow band of noise: many players of one note, as a
    loop.

    The idea is that of Nasca Octavian Paul's PADsynth: a spectrum with random phases, and one inverse transform.
    """
    size = 1 << int(np.ceil(np.log2(2 * rate)))
    k = harmonic_numbers(hz * 1.02, rate, 160)
    levels = WAVES[wave](k) * low_pass(k * hz, cutoff_hz, 0.0)
    spectrum = np.zeros(size // 2 + 1)
    for number, level in zip(k, levels, strict=True):
        centre = number * hz / rate * size
        width = max(centre * (2 ** (width_cents / 1200) - 1), 0.8)
        first, last = max(int(centre - 3 * width), 1), min(int(centre + 3 * width) + 2, len(spectrum))
        spectrum[first:last] += level / np.sqrt(width) * np.exp(-0.5 * ((np.arange(first, last) - centre) / width) ** 2)
    angles = np.random.default_rng(seed).uniform(0, 2 * np.pi, len(spectrum))
    loop = irfft((spectrum * np.exp(1j * angles)).astype(np.complex64))
    return loop / max(float(np.sqrt(np.mean(loop**2))), 1e-12)


def wide(note, wave, width_cents, cutoff_hz, seed=1):
    """Return many players of one note (count,), rms about 1."""
    base_hz = note.base_hz
    loop = wide_table(wave, round(base_hz, 2), note.rate, width_cents, round(float(cutoff_hz), -1), seed)
    begin = int(note.rng.integers(len(loop)))
    if np.ndim(note.hz) == 0:
        return loop.take(np.arange(begin, begin + note.count), mode="wrap")
    places = begin + np.cumsum(note.hz / base_hz)
    return loop.take(places.astype(np.int64), mode="wrap")


# -- what moves ---------------------------------------------------------------------------------------------------------


def vibrato(note, speed_hz=5.2, cents=20.0, delay_s=0.25, drift_cents=0.0):
    """Return the note's pitch (count,) with a vibrato that sets in after a while, and a slow drift."""
    wave = sine(speed_hz * note.rng.uniform(0.93, 1.07), note, note.rng.random())
    bend = cents * np.clip(note.time / max(delay_s, 1e-3) - 0.5, 0, 1) * wave
    if drift_cents:
        bend = bend + drift_cents * drifting(note)
    return note.hz * np.exp2(bend / 1200)


def drifting(note, every_s=0.15):
    """Return a slow random curve (count,), about -2 to 2."""
    points = note.rng.standard_normal(int(note.count / note.rate / every_s) + 3)
    return np.interp(note.time, np.arange(len(points)) * every_s, points).astype(np.float32)


def fading(note, t60_s):
    """Return a gain (count,) that falls by 60 dB in t60_s."""
    return np.exp(note.time * np.float32(-DECAY / t60_s))


def risen(note, attack_s):
    """Return a gain (count,) that rises from 0 to 1 within attack_s, rounded."""
    part = np.minimum(note.time / np.float32(max(attack_s, 1e-4)), 1)
    return part * (2 - part)


def shaped(note, attack_s, decay_s=1.0, sustain=1.0):
    """Return a gain (count,): up within attack_s, then down to `sustain`, by most of the way within decay_s."""
    late = np.maximum(note.time - np.float32(attack_s), 0)
    return risen(note, attack_s) * (sustain + (1 - sustain) * np.exp(late * np.float32(-3 / decay_s)))


def beat_wave(note, beats, start=0.0):
    """Return a sine (count,) that takes so many beats."""
    return sine(note.bpm / 60 / beats, note, start)


# -- noise and modes ------------------------------------------------------------------------------------------------------


def hiss(rng, count):
    """Return white noise (count,), rms 1."""
    return rng.standard_normal(count, dtype=np.float32)


def kept(samples, rate, low_hz=None, high_hz=None, order=2):
    """Return samples (n,) through a filter that keeps what is between two frequencies; either can be left out."""
    if low_hz is not None and low_hz < HIGHEST * rate:
        samples = sosfilt(butter(order, low_hz, "highpass", fs=rate, output="sos"), samples)
    if high_hz is not None and high_hz < HIGHEST * rate:
        samples = sosfilt(butter(order, high_hz, "lowpass", fs=rate, output="sos"), samples)
    return samples


def without_dc(samples, rate, low_hz=12.0):
    """Return samples (n,) through a gentle filter that lets nothing through at 0 Hz."""
    pole = np.exp(-2 * np.pi * low_hz / rate)
    return lfilter([(1 + pole) / 2, -(1 + pole) / 2], [1, -pole], samples)


def modes(note, partials, start=0.0):
    """Return a struck body (count,): partials of (frequency ratio, level, t60_s), each a sine that fades.

    Those too high are left out.
    """
    wave = np.zeros(note.count, np.float32)
    for ratio, level, t60_s in partials:
        if ratio * note.top_hz < HIGHEST * note.rate:
            last = min(note.count, int(1.3 * t60_s * note.rate) + 1)
            part = Note(note.hz if np.ndim(note.hz) == 0 else note.hz[:last], last, last, 1.0, note.rate, note.rng)
            wave[:last] += np.float32(level) * sine(part.hz * ratio, part, start) * fading(part, t60_s)
    return wave
