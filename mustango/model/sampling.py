"""How a model is sampled: its settings of inference, the noise it begins with, the steps from noise to latents.

Shapes: B clips, C latent channels, H rows of latents (time), W columns (frequency), K control channels, T mel frames.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from inspect import signature
from typing import Any

import numpy as np
import torch

from musicbench.compose.styles import MOODS, OPPOSITES
from mustango.model.conditioning import Conditioning
from mustango.model.control import control_signal, off_beats
from mustango.model.devices import check_made

FEWEST_STEPS = 10  # with which noise was measured; with fewer it grows no further


@dataclass(frozen=True)
class SamplingConfig:
    """A model's settings of inference, measured on it and saved with it. The defaults, which do nothing, are the released model's.

    guidance_db: how much louder each unit of guidance above 1 makes clips; it is taken back, so that loud and soft takes stay apart.
    restart: if not 0, half of the steps (of fewer than 20 a third) make a draft, which is noised again to about this share of the
    schedule and denoised by the others, so that what went wrong in the first, noisiest steps is mended (after Xu et al., "Restart
    sampling for improving generative processes", 2306.14878).
    extra_noise: the noise from which the draft and the rest begin is 1 + extra_noise / steps times the schedule's. It makes up for
    detail that the denoiser takes away with the noise, the more the fewer its steps, down to 10 (S_noise of Karras et al.,
    2206.00364, section 4).
    slow_bpm: below this tempo, where listeners take off-beats for beats, guidance leads away from a pulse on the off-beats: the null
    condition's frame-aligned control has beats there, (slow_bpm - bpm) / 20 times as strong as in training, at most 1.5 times.
    beat_accent, downbeat_accent: how many times as strongly as in training beats and downbeats are asked for.
    opposites: guidance leads away from "dark" where the prompt says bright, and the other way round.
    postfilter_strength: how many times as strongly as it was learnt the vocoder's postfilter acts on what the denoiser makes, which is
    softer than the VAE's mels of real audio; those are sharpened too, see `mustango.model.mel`.
    lead_in_s: how much is denoised before the clip and then cut off, so that the first attack is as clear as later ones; a whole
    number of latent rows.
    """

    guidance_db: float = 0.0
    restart: float = 0.0
    extra_noise: float = 0.0
    slow_bpm: float = 0.0
    beat_accent: float = 1.0
    downbeat_accent: float = 1.0
    opposites: bool = False
    postfilter_strength: float = 1.0
    lead_in_s: float = 0.0

    @property
    def accents(self) -> tuple[float, float]:
        """How strongly beats and downbeats are asked for."""
        return self.beat_accent, self.downbeat_accent


# The bundled model's, each measured on it.
BUNDLED_SAMPLING = SamplingConfig(
    guidance_db=1.8,  # at guidance 3: without it clips are 3.6 dB louder than the composer's of the same controls
    restart=0.83,  # what lies above settles the sound as a whole, and is kept from the draft
    extra_noise=2.0,  # the detail that denoising takes away comes back, chords and beats stay
    slow_bpm=120.0,  # below it beat trackers begin to hear twice the tempo
    beat_accent=2.0,
    downbeat_accent=4.0,  # without drums half of the octaves that beat trackers get wrong come right
    opposites=True,
    postfilter_strength=2.0,  # MuNet's mels are softer than the round trips that the postfilter learns from
    lead_in_s=0.512,  # four latent rows, as MuNet's lowest level takes together: without it first attacks are 8 dB too soft
)


def control_against(controls: Any, slow_bpm: float, frames: int, frame_s: float) -> np.ndarray:
    """Return the control signal (K, T) that guidance leads away from: of slow music one with beats on the off-beats, else zeros."""
    strength = min(max((slow_bpm - controls.bpm) / 20, 0.0), 1.5)
    beats = (off_beats(controls.beat_times), controls.beat_positions)
    return np.float32(strength) * control_signal(beats, ([], []), frames, frame_s, controls.meter.beats)


def draw_noise(
    generators: Iterable[torch.Generator],
    spans: tuple[int, int, int],
    channels: int,
    columns: int,
) -> torch.Tensor:
    """Draw Gaussian noise (B, C, H, W) on the CPU, so that devices agree; each clip's from its own generator.

    spans: rows of lead-in, clip and tail. What is around a clip has another generator, so that a lead-in or a tail leaves the
    clip's own noise as it is.
    """
    lead_in, rows, tail = spans

    def drawn(rows, generator):
        return torch.randn(channels, rows, columns, generator=generator)

    noise = []
    for generator in generators:
        around = torch.Generator().manual_seed(int(torch.randint(2**62, (1,), generator=generator.clone_state())))
        noise.append(torch.cat([drawn(lead_in, around), drawn(rows, generator), drawn(tail, around)], dim=1))
    return torch.stack(noise)


def set_timesteps(scheduler: Any, count: int, start: float, device: torch.device | str) -> torch.Tensor:
    """Set a scheduler to `count` steps from about the share `start` of its schedule on, and return them.

    Schedulers of second order name each timestep but the first twice.
    """
    whole = round(count / start)
    scheduler.set_timesteps(whole, device=device)
    skipped = (whole - count) * getattr(scheduler, "order", 1)
    if skipped and hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(skipped)
    return scheduler.timesteps[skipped:]


def passes(steps: int, restart: float) -> list[tuple[int, float]]:
    """Return [(steps, share of the schedule from which they begin)] of the draft, if there is one, and of the rest."""
    draft = steps // 3 if steps < 20 else steps // 2
    if not restart or round((steps - draft) / restart) == steps - draft:  # too few to begin anywhere but at the noise
        draft = 0
    return [(draft, 1.0), (steps - draft, restart)] if draft else [(steps, 1.0)]


@dataclass(frozen=True)
class Sampler:
    """From noise to latents. `draw()` gives noise (B, C, H, W) for a restart; `generators`, one a clip, are for schedulers that add noise.

    interval: between which shares of the way from noise to music guidance acts (after Kynkaanniemi et al., "Applying guidance in a
    limited interval", 2404.07724). cache_interval: the denoiser's lower levels are computed at each so-many-th step of a pass alone.
    on_latents(number, timestep, latents): called after each step, returns the latents with which to go on.
    """

    unet: Any
    scheduler: Any
    config: SamplingConfig
    draw: Callable[[], torch.Tensor]
    generators: list | None = None
    interval: tuple[float, float] = (0.0, 1.0)
    cache_interval: int = 1
    on_latents: Callable[[int, Any, torch.Tensor], torch.Tensor] | None = None

    def denoise(
        self,
        condition: Conditioning,
        latents: torch.Tensor,
        steps: int,
        guidance: float = 1.0,
        on_step: Callable[[int, int], None] | None = None,
    ) -> torch.Tensor:
        """Denoise noise (B, C, H, W); with guidance above 1 the condition has the null conditions first, 2 B in all.

        Keys and values are projected once for all steps. on_step(step, steps) is called after each. Raises InputError for what is not
        finite.
        """
        conditions, done = self._projected(condition, len(latents)), 0
        scale = 1 + self.config.extra_noise / max(steps, FEWEST_STEPS)
        if getattr(self.unet, "is_cache_enabled", False):
            self.unet._reset_stateful_cache()  # diffusers', of the last clip
        restart = 0.0 if hasattr(self.scheduler, "plms_timesteps") else self.config.restart  # PNDM begins at the noise
        for count, start in passes(steps, restart):
            timesteps = set_timesteps(self.scheduler, count, start, latents.device)
            if done:
                latents = self.scheduler.add_noise(latents, scale * self.draw(), timesteps[:1])
            else:
                latents = scale * latents * self.scheduler.init_noise_sigma
            for number, t in enumerate(timesteps):
                way = 1 - start * (1 - number / len(timesteps))
                acts = guidance > 1 and self.interval[0] - 1e-6 <= way <= self.interval[1] + 1e-6
                latents = self._step(conditions[acts], latents, t, guidance if acts else 1.0, number)
                if self.on_latents:
                    latents = self.on_latents(done + number, t, latents)
                before, now = (n * count // len(timesteps) for n in (number, number + 1))
                if on_step and now > before:
                    on_step(done + now, steps)
            done += count
        check_made(latents)
        return latents

    def _projected(self, condition, clips):
        """Return {whether guidance acts: the condition prepared for that}; both keep the same between steps."""
        whole = self.unet.project(condition)
        if len(condition.text) == clips:
            return {False: whole}
        if self.interval == (0.0, 1.0):
            return {True: whole}
        return {True: whole, False: replace(self.unet.project(condition.last(clips)), kept=whole.kept)}

    def _step(self, condition, latents, t, guidance, number):
        doubled = torch.cat([latents, latents]) if guidance > 1 else latents
        reuse = number % self.cache_interval > 0 and len(condition.kept["deep"]) >= len(doubled)
        output = self.unet(self.scheduler.scale_model_input(doubled, t), t, condition, reuse=reuse)
        if guidance > 1:
            null, full = output.chunk(2)
            output = null + guidance * (full - null)
        noisy = {"generator": self.generators} if "generator" in signature(self.scheduler.step).parameters else {}
        return self.scheduler.step(output, t, latents, **noisy).prev_sample


def framed(controls: Any, lead_in_s: float) -> Any:
    """Return controls as they are denoised: the first chord and the pulse begin up to `lead_in_s` before 0.

    The last chord is held through the tail, where there is no pulse: told that no chord sounds there, the model is silent after 0.3 s.
    """
    chord_times = list(controls.chord_times)
    if chord_times and chord_times[0] == 0:
        chord_times[0] = -lead_in_s
    times, positions = list(controls.beat_times), list(controls.beat_positions)
    if times:
        beat_s = times[1] - times[0] if len(times) > 1 else 60 / controls.bpm
        count = int((times[0] + lead_in_s) / beat_s + 1e-6) if lead_in_s else 0
        before = [i for i in range(-count, 0) if times[0] + i * beat_s < 0]
        times = [times[0] + i * beat_s for i in before] + times
        positions = [(positions[0] - 1 + i) % controls.meter.beats + 1 for i in before] + positions
    return replace(controls, chord_times=tuple(chord_times), beat_times=tuple(times), beat_positions=tuple(positions))


def moved_on(controls: Any, by_s: float) -> Any:
    """Return controls whose labels come `by_s` later."""
    chord_times, beat_times = (tuple(t + by_s for t in times) for times in (controls.chord_times, controls.beat_times))
    melody = tuple((start + by_s, end + by_s, pitch) for start, end, pitch in controls.melody)
    hits = tuple((time + by_s, drum) for time, drum in controls.hits)
    return replace(controls, chord_times=chord_times, beat_times=beat_times, melody=melody, hits=hits)


def opposite_moods(prompt: str) -> str:
    """Return "dark" for a prompt that says bright, cheerful or sunny, "bright" for one that says the like of dark, "" for others."""
    words = {mood: rf"(?<!\bnot )(?<!\bno )\b({'|'.join(MOODS[mood])})\b" for mood in OPPOSITES}
    said = [mood for mood in OPPOSITES if re.search(words[mood], prompt.lower())]
    return OPPOSITES[said[0]] if len(said) == 1 else ""
