"""What moves sound in time and colour: chorus, flanger, phaser, vibrato, tremolo, sweeps, delays, stutter.

Samples are mono (n,).
"""

import numpy as np
from scipy.ndimage import maximum_filter1d, uniform_filter1d

from musicbench.synth.filters import RESPONSES, bounded_hz, moved_filter, one_pole, read_at, still_filter, turning, wandering

SILENT_DB = -50.0  # echoes softer than this are left out


def _speed(scene, hz, beats):
    """Return turns a second: of a period in beats where that is given, and there is a tempo."""
    return scene.bpm / 60 / beats if beats and scene.bpm else hz


def _delayed(samples, delays):
    return read_at(samples, np.arange(len(samples)) - delays)


def chorus(samples, scene, voices=2, hz=0.7, depth_s=0.0025, delay_s=0.015, mix=0.4):
    """Return samples (n,) with copies beside them whose delays swing."""
    if mix == 0:
        return samples
    start, wet = scene.rng.random(), 0
    for voice in range(voices):
        swing = turning(len(samples), scene.rate, hz * (1 + 0.13 * voice), start + voice / voices)
        wet = wet + _delayed(samples, (delay_s * (1 + 0.25 * voice) + depth_s * swing) * scene.rate)
    return ((1 - 0.5 * mix) * samples + mix * wet / voices**0.5) / np.hypot(1 - 0.5 * mix, mix)


def flanger(samples, scene, hz=0.25, beats=None, depth_s=0.0025, feedback=0.5, mix=0.5):
    """Return samples (n,) with a copy whose delay sweeps over the shortest times, fed back."""
    if mix == 0:
        return samples
    swing = turning(len(samples), scene.rate, _speed(scene, hz, beats), scene.rng.random())
    delays = (0.0007 + depth_s * (0.5 + 0.5 * swing)) * scene.rate
    wet = sum(feedback**echo * _delayed(samples, delays * (echo + 1)) for echo in range(4))
    return (samples + mix * wet) / np.hypot(1, mix)


def phaser(samples, scene, hz=0.4, beats=None, low_hz=300.0, octaves=2.5, stages=4, mix=1.0):
    """Return samples (n,) with notches that sweep: beside themselves through `stages` all-passes."""
    if mix == 0:
        return samples
    speed, start = _speed(scene, hz, beats), scene.rng.random()

    def gains(f, times):
        corner = low_hz * np.exp2(octaves * (0.5 + 0.5 * np.sin(2 * np.pi * (speed * times + start))))
        return (1 + 0.3 * mix) * (1 + 0.5 * mix * (((1 - 1j * f / corner) / (1 + 1j * f / corner)) ** stages - 1))

    return moved_filter(samples, scene.rate, gains)


def vibrato(samples, scene, hz=5.5, cents=15.0):
    """Return samples (n,) whose pitch swings by so many cents either way."""
    if cents == 0:
        return samples
    depth = (2 ** (cents / 1200) - 1) / (2 * np.pi * hz) * scene.rate
    return _delayed(samples, depth * (1 + turning(len(samples), scene.rate, hz, scene.rng.random())))


def tremolo(samples, scene, hz=5.0, beats=None, depth=0.6, square=False):
    """Return samples (n,) whose loudness swings, in a tempo if `beats` are given; square: on and off."""
    if depth == 0:
        return samples
    start = 0.25 if beats and scene.bpm else scene.rng.random()
    swing = turning(len(samples), scene.rate, _speed(scene, hz, beats), start)
    if square:
        swing = uniform_filter1d(np.sign(swing), max(round(0.006 * scene.rate), 1))
    return samples * (1 - depth * (0.5 - 0.5 * swing))


def rotary(samples, scene, hz=6.3, mix=1.0):
    """Return samples (n,) from a turning horn (above 800 Hz) and drum: each swings in pitch and loudness."""
    if mix == 0:
        return samples
    low = still_filter(samples, scene.rate, "low", 800.0, 2)
    horn = vibrato(tremolo(samples - low, scene, hz, depth=0.5), scene, hz, 14.0)
    drum = tremolo(low, scene, 0.85 * hz, depth=0.25)
    return samples + mix * (horn + drum - samples)


def filter_still(samples, scene, kind="low", hz=None, order=2):
    """Return samples (n,) through a low, high or band filter that stands still.

    hz: a pair for a band, None for none.
    """
    return samples if hz is None else still_filter(samples, scene.rate, kind, hz, order)


def _way(times, length_s, scene, shape, beats):
    """Return how far open a moving filter is at times (T, 1), 0 to 1."""
    turns = times * _speed(scene, 1 / length_s, beats)
    if shape == "up":
        return np.clip(turns, 0, 1) if not beats else turns % 1
    if shape == "down":
        return 1 - (np.clip(turns, 0, 1) if not beats else turns % 1)
    if shape == "steps":
        steps = np.random.default_rng(int(scene.rng.integers(2**31))).random(16)
        return steps[np.floor(np.maximum(turns, 0)).astype(int) % 16]
    return 0.5 - 0.5 * np.cos(2 * np.pi * turns)


def filter_sweep(samples, scene, kind="low", hz=(200.0, 8000.0), q=1.5, shape="up", beats=None, mix=1.0):
    """Return samples (n,) through a filter whose frequency moves from the first hz to the second: once over all, or
    every so many beats.

    kind: low, high, band. shape: up, down, sine, or steps (drawn).
    """
    if mix == 0:
        return samples
    length_s = max(len(samples) / scene.rate, 1e-3)

    def gains(f, times):
        cutoffs = hz[0] * (hz[1] / hz[0]) ** _way(times, length_s, scene, shape, beats)
        return 1 - mix + mix * RESPONSES[kind](f, bounded_hz(cutoffs, scene.rate), q, 4 if kind != "band" else 2)

    return moved_filter(samples, scene.rate, gains)


def auto_wah(samples, scene, low_hz=350.0, octaves=2.2, q=4.0, mix=0.8):
    """Return samples (n,) through a band-pass that opens with their loudness."""
    if mix == 0:
        return samples
    level = maximum_filter1d(np.abs(samples), max(round(0.02 * scene.rate), 1))
    level = one_pole(level, scene.rate, 6.0)
    level = level / max(float(level.max()), 1e-9)

    def gains(f, times):
        places = np.clip(times[:, 0] * scene.rate, 0, len(level) - 1).astype(int)
        cutoffs = low_hz * np.exp2(octaves * level[places])[:, None]
        return 1 - mix + mix * (1 + 0.6 * q) * RESPONSES["band"](f, bounded_hz(cutoffs, scene.rate), q)

    return moved_filter(samples, scene.rate, gains)


def delay(samples, scene, beats=0.75, time_s=0.35, feedback=0.4, mix=0.3, tone_hz=4000.0, low_cut_hz=150.0):
    """Return samples (n,) with echoes, each softer and duller than the one before.

    `beats` apart if there is a tempo, else time_s.
    """
    if mix == 0:
        return samples
    apart_s = beats * 60 / scene.bpm if beats and scene.bpm else time_s
    step = max(round(apart_s * scene.rate), 1)
    echo, wet = still_filter(samples, scene.rate, "high", low_cut_hz, 1), np.zeros(len(samples))
    count = int(min(np.log(10 ** (SILENT_DB / 20)) / np.log(min(max(feedback, 1e-6), 0.95)) + 1, 16))
    for number in range(1, count + 1):
        if number * step >= len(samples):
            break
        echo = one_pole(echo, scene.rate, tone_hz)
        wet[number * step :] += feedback ** (number - 1) * echo[: len(samples) - number * step]
    return samples + mix * wet


def stutter(samples, scene, every_beats=8.0, length_beats=1.0, slice_beats=0.25, mix=1.0):
    """Return samples (n,) of which every so often a slice is repeated: the last length_beats of every_beats."""
    if mix == 0 or not scene.bpm:
        return samples
    beat = 60 / scene.bpm * scene.rate
    places = np.arange(len(samples), dtype=np.float64)
    into = places % (every_beats * beat) - (every_beats - length_beats) * beat
    into_slice = into % (slice_beats * beat)
    chopped = samples[np.where(into >= 0, places - into + into_slice, places).astype(np.int64)]
    edge = 0.003 * scene.rate
    left = slice_beats * beat - into_slice
    gain = np.where(into >= 0, np.clip(np.minimum(into_slice + 1, left) / edge, 0, 1), 1.0)
    return samples + mix * (chopped * gain - samples)


def wow(samples, scene, wow_cents=0.0, flutter_cents=0.0, wow_hz=0.7, flutter_hz=8.0):
    """Return samples (n,) whose pitch drifts slowly (wow) and trembles (flutter), in cents (rms)."""
    delays = 0
    for cents, hz in ((wow_cents, wow_hz), (flutter_cents, flutter_hz)):
        if cents:
            curve = uniform_filter1d(wandering(len(samples), scene.rate, hz, scene.rng), max(round(0.4 / hz * scene.rate), 1))
            delays = delays + curve * (2 ** (cents / 1200) - 1) / (2 * np.pi * hz) * scene.rate * 1.6
    return samples if np.ndim(delays) == 0 else _delayed(samples, delays - delays.min())
