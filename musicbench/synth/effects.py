"""Effects: the table EFFECTS, and `apply`, which sends mono samples (n,) through a chain of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from musicbench.synth import distortion, dynamics, modulation, reverbs
from musicbench.synth.filters import still_filter
from musicbench.synth.noises import make_noise


@dataclass(frozen=True)
class Scene:
    """Where an effect is applied: samples a second, a generator, counted beats a minute or None, and when the kick
    is struck."""

    rate: int
    rng: np.random.Generator
    bpm: float | None = None
    hits_s: tuple = ()


class Effect(NamedTuple):
    """An effect, what it does, and its own settings."""

    process: Callable
    what: str
    settings: Mapping = MappingProxyType({})


def tape(samples, scene, saturation_db=6.0, wow_cents=4.0, flutter_cents=2.0, hiss=0.15, top_hz=9000.0):
    """Return samples (n,) from a tape: saturated, unsteady, duller, with hiss (1 is an rms of 0.04)."""
    wave = modulation.wow(samples, scene, wow_cents, flutter_cents)
    if saturation_db:
        wave = distortion.drive(wave, scene, saturation_db, "soft")
    if top_hz is not None:
        wave = still_filter(wave, scene.rate, "low", top_hz, 1)
    return wave + hiss * make_noise("tape hiss", len(wave) / scene.rate, scene.rate, scene.rng) if hiss else wave


def vinyl(samples, scene, crackle=0.4, wow_cents=5.0, top_hz=7500.0, low_hz=60.0):
    """Return samples (n,) from a record: its middle frequencies, a slow drift once a turn, crackle (1 is an rms of
    up to 0.04)."""
    wave = modulation.wow(samples, scene, wow_cents, 0.0, wow_hz=0.55)
    if top_hz is not None:
        wave = still_filter(wave, scene.rate, "band", (low_hz, top_hz), 1)
    return wave + crackle * make_noise("vinyl crackle", len(wave) / scene.rate, scene.rate, scene.rng) if crackle else wave


def telephone(samples, scene, low_hz=350.0, high_hz=3200.0, drive_db=10.0, mix=1.0):
    """Return samples (n,) through a telephone: its band, and a little distortion."""
    if mix == 0:
        return samples
    band = still_filter(samples, scene.rate, "band", (low_hz, high_hz), 3)
    return samples + mix * (still_filter(distortion.drive(band, scene, drive_db, "soft"), scene.rate, "low", high_hz, 2) - samples)


_drive, _reverb, _still = distortion.drive, reverbs.reverb, modulation.filter_still
EFFECTS = {
    # bent
    "overdrive": Effect(_drive, "warm valve overdrive", dict(amount_db=14.0, curve="tube", tone_hz=6000.0)),
    "crunch": Effect(_drive, "overdriven guitar amplifier",
                     dict(amount_db=20.0, curve="tube", low_cut_hz=120.0, cabinet="combo")),
    "distortion": Effect(_drive, "distorted guitar amplifier with its cabinet",
                         dict(amount_db=34.0, curve="hard", low_cut_hz=180.0, cabinet="guitar")),
    "metal": Effect(_drive, "high gain, tight lows, cabinet",
                    dict(amount_db=46.0, curve="soft", low_cut_hz=320.0, cabinet="guitar")),
    "fuzz": Effect(_drive, "square, woolly distortion", dict(amount_db=44.0, curve="hard", tone_hz=3500.0)),
    "octave fuzz": Effect(_drive, "distortion an octave up", dict(amount_db=24.0, curve="octave", tone_hz=4000.0)),
    "bass drive": Effect(_drive, "overdriven bass amplifier",
                         dict(amount_db=20.0, curve="tube", cabinet="bass", mix=0.7)),
    "saturation": Effect(_drive, "gentle saturation", dict(amount_db=8.0, curve="soft")),
    "wavefolder": Effect(_drive, "waves folded back on themselves", dict(amount_db=12.0, curve="fold")),
    "cabinet": Effect(distortion.cabinet_only, "loudspeaker of a guitar amplifier"),
    "bitcrusher": Effect(distortion.crush, "few bits, few samples", dict(bits=6, hold_hz=8000.0)),
    "sampler": Effect(distortion.crush, "twelve-bit sampler", dict(bits=12, hold_hz=15000.0)),
    "ring modulator": Effect(distortion.ring, "multiplied with a sine"),
    # moved
    "chorus": Effect(modulation.chorus, "copies slightly out of tune"),
    "ensemble": Effect(modulation.chorus, "chorus of a string machine", dict(voices=3, hz=0.9, depth_s=0.003, mix=0.6)),
    "flanger": Effect(modulation.flanger, "jet-like sweep"),
    "phaser": Effect(modulation.phaser, "sweeping notches"),
    "vibrato": Effect(modulation.vibrato, "pitch that swings"),
    "tremolo": Effect(modulation.tremolo, "loudness that swings"),
    "rotary": Effect(modulation.rotary, "turning loudspeaker"),
    "auto wah": Effect(modulation.auto_wah, "filter that opens with loudness"),
    # filtered
    "low pass": Effect(_still, "what is below a frequency", dict(kind="low", hz=3000.0)),
    "high pass": Effect(_still, "what is above a frequency", dict(kind="high", hz=300.0)),
    "band pass": Effect(_still, "what is between two frequencies", dict(kind="band", hz=(400.0, 2500.0))),
    "filter sweep": Effect(modulation.filter_sweep, "filter that opens or shuts"),
    "filter lfo": Effect(modulation.filter_sweep, "filter that swings in tempo",
                         dict(hz=(250.0, 3500.0), q=2.5, shape="sine", beats=1.0)),
    "underwater": Effect(_still, "dull, as under water", dict(kind="low", hz=500.0, order=4)),
    "telephone": Effect(telephone, "a telephone's band"),
    # echoes
    "delay": Effect(modulation.delay, "echoes in tempo"),
    "slapback": Effect(modulation.delay, "one quick echo", dict(beats=None, time_s=0.11, feedback=0.1, mix=0.4)),
    "dub delay": Effect(modulation.delay, "dark echoes that go on", dict(feedback=0.65, mix=0.45, tone_hz=1800.0)),
    "reverb": Effect(_reverb, "a room of ROOMS"),
    **{f"{kind} reverb": Effect(_reverb, f"reverb: {kind}", dict(kind=kind)) for kind in reverbs.ROOMS},
    # loudness
    "compressor": Effect(dynamics.compressor, "loud turned down"),
    "side chain": Effect(dynamics.side_chain, "ducks under the kick"),
    "gate": Effect(dynamics.gate, "cut in tempo"),
    "noise gate": Effect(dynamics.noise_gate, "silence where it is soft"),
    "stutter": Effect(modulation.stutter, "a slice repeated"),
    "fade": Effect(dynamics.fade, "in and out"),
    # media
    "tape": Effect(tape, "cassette or reel"),
    "vinyl": Effect(vinyl, "record"),
}  # fmt: skip


def apply(chain, samples, sample_rate, rng, *, bpm=None, hits_s=(), tail_s=0.0):
    """Return samples (n,) through a chain of effects, float32 (n + tail_s * sample_rate rounded,).

    chain: sequence of (name, {parameters}) or names, of EFFECTS. rng: a numpy Generator; the same one gives the same
    samples. bpm: counted beats a minute, from 0 s, for what moves in tempo. hits_s: when the kick is struck, for the
    side chain. tail_s: how much longer the result is, so that it rings.
    """
    wave = np.asarray(samples, np.float32)
    wave = np.concatenate([wave, np.zeros(round(tail_s * sample_rate), np.float32)])
    if not len(wave):
        return wave
    scene = Scene(sample_rate, rng, bpm, tuple(hits_s))
    for step in chain:
        name, parameters = (step, {}) if isinstance(step, str) else step
        effect = EFFECTS[name]
        wave = np.asarray(effect.process(wave, scene, **{**effect.settings, **parameters}), np.float32)
    return wave
