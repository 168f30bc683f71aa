"""Change pitch, tempo or dynamics of a clip, in process, its labels moved with the sound (MusicBench; Mustango, section
3.2).

What is done is data, drawn apart from applying it: a step is {"transform": "pitch", "semitones": 2}, {"transform":
"tempo", "rate": 1.1} or {"transform": "dynamics", "kind": ..., "where": ..., "turn_s": ..., "floor": ...}; a copy is a
list of steps, kept in its row, so that it can be made again. Stretching is Signalsmith's (MIT), seeded, so that the
same step gives the same bytes. Samples may come out above full scale: `musicbench.sound.levels` brings a copy to its
original's loudness without clipping it.
"""

from dataclasses import replace

import numpy as np

from musicbench import InputError
from musicbench.music.dynamics import Dynamics
from musicbench.sound.clip import Clip

MAX_SEMITONES, MAX_RATE = 12, 2.0
# Longer blocks than the library's 0.12 s, a quarter apart: chord recognisers then hear what they heard before.
BLOCK_S, INTERVAL_S = 0.2, 0.05


def shift_pitch(clip: Clip, semitones: int) -> Clip:
    """Transpose a clip by whole semitones, -12 to 12: chords and key with it. Formants move with the pitch.

    The clip is stretched, then resampled, so that its pitch is exact.
    """
    if semitones != int(semitones) or abs(semitones) > MAX_SEMITONES:
        raise InputError(f"a pitch shift of {semitones} semitones; give a whole number from -{MAX_SEMITONES} to {MAX_SEMITONES}")
    import soxr

    semitones = int(semitones)
    ratio = 2 ** (semitones / 12)
    longer = _stretched(clip.samples, clip.sample_rate, 1 / ratio)
    samples = soxr.resample(longer, clip.sample_rate * ratio, clip.sample_rate)
    samples = np.pad(samples, (0, max(len(clip.samples) - len(samples), 0)))[: len(clip.samples)]
    return replace(clip.transposed(semitones), samples=samples)


def change_tempo(clip: Clip, rate: float) -> Clip:
    """Play a clip `rate` times as fast, 0.5 to 2, at the same pitch: every time is divided by it, bpm multiplied."""
    if not 1 / MAX_RATE <= rate <= MAX_RATE:
        raise InputError(f"a tempo rate of {rate:g}; give a factor from {1 / MAX_RATE:g} to {MAX_RATE:g}")
    dynamics = clip.dynamics
    if dynamics and dynamics.turn_s is not None:
        dynamics = replace(dynamics, turn_s=dynamics.turn_s / rate)
    samples = _stretched(clip.samples, clip.sample_rate, rate)
    return replace(clip.paced(rate), samples=samples, dynamics=dynamics)


def change_dynamics(clip: Clip, dynamics: Dynamics) -> Clip:
    """Lay a crescendo or decrescendo over a clip; only its `dynamics` label changes."""
    turn_s, floor = dynamics.turn_s, dynamics.floor or 0
    if not 0 < floor <= 1 or turn_s is None or not 0 <= turn_s <= clip.duration_s + 0.05:
        raise InputError(f"{dynamics} does not fit a clip of {clip.duration_s:g} s; give 0 < floor <= 1 and a turn within the clip")
    times = np.arange(len(clip.samples)) / clip.sample_rate
    gain = 10 ** (dynamics.gain_db(times, clip.duration_s) / 20)
    return replace(clip, samples=(clip.samples * gain).astype(np.float32), dynamics=dynamics)


TRANSFORMS = {
    "pitch": (shift_pitch, {"semitones"}),
    "tempo": (change_tempo, {"rate"}),
    "dynamics": (lambda clip, **ramp: change_dynamics(clip, Dynamics(**ramp)), {"kind", "where", "turn_s", "floor"}),
}


def apply(clip: Clip, steps: list[dict]) -> Clip:
    """Apply a copy's steps in order. Raises InputError for a step that is unknown or out of bounds."""
    for step in steps:
        settings = {name: value for name, value in step.items() if name != "transform"}
        change, names = TRANSFORMS.get(step.get("transform", ""), (None, None))
        if change is None or settings.keys() != names:
            raise InputError(f"unknown step {step}; a step is pitch with semitones, tempo with rate or dynamics")
        clip = change(clip, **settings)
    return clip


def draw_tempo(rng: np.random.Generator, low: float, high: float) -> dict:
    """Draw a tempo step: a rate from `low` to `high` or its reciprocal, half and half."""
    rate = rng.uniform(low, high)
    return {"transform": "tempo", "rate": round(float(rate if rng.random() < 0.5 else 1 / rate), 4)}


def draw_dynamics(rng: np.random.Generator, duration_s: float, low: float, high: float) -> dict:
    """Draw a dynamics step: kind and place half and half, the turn around the middle (cosine density), a floor in
    the range."""
    return {
        "transform": "dynamics",
        "kind": str(rng.choice(["crescendo", "decrescendo"])),
        "where": str(rng.choice(["start", "end"])),
        "turn_s": round(float(duration_s * (0.5 + np.arcsin(2 * rng.random() - 1) / np.pi)), 1),
        "floor": round(float(rng.uniform(low, high)), 3),
    }


def _stretched(samples, sample_rate, rate):
    from python_stretch.Signalsmith import Stretch

    stretch = Stretch(0)
    stretch.configure(1, round(BLOCK_S * sample_rate), round(INTERVAL_S * sample_rate))
    stretch.setTimeFactor(rate)
    return np.asarray(stretch.process(np.ascontiguousarray(samples, np.float32)[None]))[0]
