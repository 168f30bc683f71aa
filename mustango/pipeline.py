"""MustangoPipeline: prompt, chords and tempo -> audio; the whole route on one screen."""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import torch
import transformers
from diffusers import AutoencoderKL, SchedulerMixin
from diffusers.utils import BaseOutput
from transformers import PreTrainedModel, PreTrainedTokenizerBase, SpeechT5HifiGan

from musicbench import InputError
from musicbench.compose.instruments import PARTS
from musicbench.model_folders import reason
from musicbench.sound.master import finished
from mustango import DTYPES
from mustango.calling import Extras, read_call
from mustango.model.conditioning import Conditioner, Conditioning, pooled, together
from mustango.model.control import PULSE, Notes, control_signal
from mustango.model.devices import check_device, check_made, moved
from mustango.model.mel import LogMel
from mustango.model.munet import MuNet
from mustango.model.sampling import Sampler, control_against, draw_noise, framed, moved_on, opposite_moods
from mustango.model.vocoder import ISTFTVocoder
from mustango.release.adapters import WithAdapters
from mustango.release.folder import BUNDLED
from mustango.request.controls import Controls
from mustango.request.model_facts import ModelFacts
from mustango.request.request import SETTINGS
from mustango.request.settled import Settled, resolve
from mustango.request.sidecar import describe
from mustango.tuned import TunedPipeline

# Seconds of music that are denoised at once, 16 clips of 10 s, and decoded at once, which bounds memory.
TOGETHER_S, DECODED_S = 164, 41


@dataclass
class MustangoOutput(BaseOutput):
    """audios: float32 (clips, samples) in [-1, 1], a list of (samples,) where clips differ in length; controls and seeds: one a clip.

    stems: of each clip the samples of its parts by name, float32 as they come out of the vocoder, whose sum was finished to the audio; None
    unless they were asked for.
    """

    audios: Any  # np.ndarray | list[np.ndarray]; tensors where a call asks for these
    sample_rate: int
    controls: list[Controls]
    seeds: list[int]
    stems: list[dict[str, np.ndarray]] | None = None


class MustangoPipeline(WithAdapters, TunedPipeline):
    """Text-to-music with chords, tempo, meter and key.

    `window_s`: how long clips are if nobody says, as long as those that the model learnt from; `longest_s`: the longest it makes, if
    not that. `sampling`: its settings of inference, fields of `mustango.model.sampling.SamplingConfig`.
    """

    config: Any  # diffusers gives it: the arguments of __init__ as attributes

    model_cpu_offload_seq = "beat_predictor->chord_predictor->text_encoder->conditioner->unet->vae->vocoder"
    _exclude_from_cpu_offload = ["mel"]  # a few numbers, of which other methods than `forward` make use, too

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerBase,
        text_encoder: PreTrainedModel,
        conditioner: Conditioner,
        unet: MuNet,
        scheduler: SchedulerMixin,
        mel: LogMel,
        vae: AutoencoderKL,
        vocoder: ISTFTVocoder | SpeechT5HifiGan,
        beat_tokenizer: PreTrainedTokenizerBase | None = None,
        beat_predictor: PreTrainedModel | None = None,
        chord_tokenizer: PreTrainedTokenizerBase | None = None,
        chord_predictor: PreTrainedModel | None = None,
        window_s: float = 10.24,
        longest_s: float | None = None,
        sampling: dict | None = None,
    ):
        super().__init__()
        self.register_modules(
            tokenizer=tokenizer, text_encoder=text_encoder, conditioner=conditioner, unet=unet, scheduler=scheduler,
            mel=mel, vae=vae, vocoder=vocoder, beat_tokenizer=beat_tokenizer, beat_predictor=beat_predictor,
            chord_tokenizer=chord_tokenizer, chord_predictor=chord_predictor,
        )  # fmt: skip
        self.register_to_config(window_s=window_s, longest_s=longest_s)
        self.set_sampling(**(sampling or {}))

    def __call__(
        self, prompt: str | Sequence[str] | None = "", *, on_step: Callable[[int, int], None] | None = None, **asked: Any
    ) -> MustangoOutput | tuple:
        """Make takes of a prompt, or of each of a list of prompts; clips come prompt by prompt.

        asked: the other fields of `mustango.Request`, which say what is to be played and how, or the words of diffusers' pipelines for
        them, see `mustango.calling`; what is given holds for every prompt. on_step: see `play`. Raises InputError.
        """
        requests, extras = read_call(prompt, asked)
        facts = self.facts
        output = self.play([resolve(request, facts) for request in requests], on_step, extras)
        return output if extras.return_dict else (output.audios,)

    @torch.no_grad()
    def play(
        self,
        settled: Sequence[Settled],
        on_step: Callable[[int, int], None] | None = None,
        extras: Extras | None = None,
    ) -> MustangoOutput:
        """Make the takes of settled requests that are alike but for what they play; the predictors are asked where they have a say.

        on_step(step, steps) is called after each denoising step; more than 164 s of music are made in parts, whose steps are counted
        together. extras: what a Request does not hold. Raises InputError.
        """
        how, scheduler = settled[0].request, self.scheduler
        for name in SETTINGS:
            if any(getattr(s.request, name) != getattr(how, name) for s in settled):
                raise InputError(f"the requests differ in {name.replace('_', ' ')}; play those that are alike together")
        settled = self._predicted(settled)
        if how.scheduler:
            self.set_scheduler(how.scheduler)
        try:
            extras = (extras or Extras()).checked(sum(len(s.takes) for s in settled))
            with self.wearing(how.loras):
                return self._played(how, settled, on_step, extras)
        except InputError:
            raise
        except Exception as error:  # what fits by a folder's configs and its shapes may not fit when it plays, or in memory
            raise InputError(f"the model cannot play this ({reason(error)}); make it shorter, or get it whole again") from error
        finally:
            self.register_modules(scheduler=scheduler)

    def _played(self, how, settled, on_step, extras):
        """Return what `play` does of settled requests that are all made as `how` says."""
        played, seeds = [c for s in settled for c in s.takes], [seed for s in settled for seed in s.seeds]
        if how.stems:
            stems = self._stems(how, played, seeds, on_step, extras)
            waves = [np.sum([*parts.values()], axis=0) for parts in stems]
        else:
            stems, waves = None, self._waves_of(how, played, seeds, on_step, extras)
        self.maybe_free_model_hooks()
        rate = self.mel.config.sample_rate
        if extras.output_type == "latent":
            return MustangoOutput(audios=waves, sample_rate=rate, controls=played, seeds=seeds)
        audios, notes = zip(*(finished(wave, rate, how.tail, how.loudness) for wave in waves), strict=True)
        played = [replace(c, notes=tuple(dict.fromkeys((*c.notes, *more)))) for c, more in zip(played, notes, strict=True)]
        audios = np.stack(audios) if len({len(audio) for audio in audios}) == 1 else list(audios)
        if extras.output_type == "pt":
            audios = torch.as_tensor(audios) if isinstance(audios, np.ndarray) else [*map(torch.as_tensor, audios)]
        return MustangoOutput(audios=audios, sample_rate=rate, controls=played, seeds=seeds, stems=stems)

    def _predicted(self, settled):
        """Return settled requests with what the model's predictors tell, in those that ask them."""
        if self._has_predictors and any(s.asks_predictors for s in settled):
            predict, facts = cache(self.predict), self.facts  # once a prompt, not once a take
            settled = [resolve(s.request, facts, predict) if s.asks_predictors else s for s in settled]
            self._release_predictors()
        return settled

    def _stems(self, how, played, seeds, on_step, extras):
        """Return {part: samples} of each clip: its parts made one by one, on the same beats and from the same noise."""
        stems = [{} for _ in played]
        for done, part in enumerate(PARTS):
            counted = on_step and (lambda step, steps, done=done: on_step(done * steps + step, len(PARTS) * steps))
            waves = self._waves_of(how, [replace(c, parts=(part,)) for c in played], seeds, counted, extras)
            for parts, clip, wave in zip(stems, played, waves, strict=True):
                if part in sounding_parts(clip):
                    parts[part] = wave
        return stems

    def _waves_of(self, how, played, seeds, on_step, extras):
        """Return the samples of clips as they come out of the vocoder, those of one duration made at once."""
        parts, waves = parts_of([c.duration_s + how.tail for c in played]), []
        for done, part in enumerate(parts):
            counted = on_step and (lambda step, steps, done=done: on_step(done * steps + step, len(parts) * steps))
            waves += [*self._made(how, played[part], seeds[part], counted, extras.of(part))]
        return waves

    def _made(self, how, played, seeds, on_step, extras):
        """Return waveforms (B, N) of clips of one duration, made by a request's settings; or their latents."""
        duration_s = played[0].duration_s
        self._stage("text_encoder")
        generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        condition = self.encode([c.text for c in played], how.negative_prompt, played, how.guidance > 1, how.tail, extras)
        self._stage("unet")
        if self._low_memory:
            self.set_attention(self._attention)
        spans = self.spans(duration_s, how.tail)
        noise = self._drawn(generators, spans)
        if extras.latents is not None:
            if extras.latents.shape != noise.shape:
                raise InputError(f"latents are {tuple(extras.latents.shape)}; for this clip give {tuple(noise.shape)}")
            noise = extras.latents.to(noise)
        latents = self.denoise(
            condition, noise, how.steps, how.guidance, generators, on_step, spans, how.guided_between, how.cache_interval,
            extras.told(self),
        )  # fmt: skip
        if extras.output_type == "latent":
            return latents
        self._stage("vae", "vocoder")
        parts = latents.split(max(1, int(DECODED_S / (duration_s + how.tail))))
        return [wave for part in parts for wave in self._sounding(part, how, duration_s)]

    def _sounding(self, latents, how, duration_s):
        """Return waveforms (B, N) of the latents (B, C, H, W) of clips of one duration."""
        sampling, gain_db = self.sampling, -self.sampling.guidance_db * max(how.guidance - 1, 0)
        mels = self.mel.sharpened(self.decode(latents))
        return self.waves(mels, sampling.lead_in_s, duration_s + how.tail, gain_db, sampling.postfilter_strength)

    @property
    def facts(self) -> ModelFacts:
        """What the model can be told, and what it gives: ModelFacts."""
        return ModelFacts.of(
            self.config, self.conditioner.config, self.mel.config.sample_rate, self._has_predictors, self.knows,
            self._unet_config["control_channels"],
        )  # fmt: skip

    def encode(
        self,
        prompts: list[str],
        negative_prompt: str,
        controls: list[Controls],
        guided: bool,
        tail_s: float = 0.0,
        extras: Extras | None = None,
    ) -> Conditioning:
        """Return the Conditioning of a batch; when guided, the null conditions come first, batch 2B.

        Beats and chords are told from the lead-in on: the code of their times is that of the clip's own, what is aligned begins earlier.
        """
        sampling, spans = self.sampling, self.spans(controls[0].duration_s, tail_s)
        lead_in_s = sampling.lead_in_s
        controls = [framed(c, lead_in_s) for c in controls]
        nulls = [negative_prompt] * len(prompts)
        if sampling.opposites:
            nulls = [", ".join(filter(None, (negative_prompt, opposite_moods(prompt)))) for prompt in prompts]
        device, extras = self._execution_device, extras or Extras()
        halves = [(nulls, extras.negative_prompt_embeds), (prompts, extras.prompt_embeds)][0 if guided else 1 :]
        states = []
        for texts, embeds in halves:
            states += self._texts.of(texts, self.tokenizer, self.text_encoder, device) if embeds is None else embeds.to(device)
        text, text_mask = together(states)
        null = [([], [])] * len(prompts) if guided else []
        beats = null + [(c.beat_times, c.beat_positions) for c in controls]
        chords = null + [(c.chords, c.chord_times) for c in controls]
        tokens = self.conditioner(beats, chords)
        tokens |= {name: tokens[name] + lead_in_s for name in ("beat_times", "chord_times")}
        control = None
        if self._unet_config["control_channels"]:
            control = self._control_signals([moved_on(c, lead_in_s) for c in controls], sum(spans), guided).to(text)
            if tail_s:
                control[:, PULSE, round((lead_in_s + controls[0].duration_s) / self._frame_s) :] = 0
        text_pooled = pooled(text, text_mask) if self._unet_config["pooled_text"] else None
        return Conditioning(text=text, text_mask=text_mask, text_pooled=text_pooled, control=control, **tokens).to(device)

    @property
    def _frame_s(self):
        return self.mel.config.hop_length / self.mel.config.sample_rate

    def _control_signals(self, controls, rows, guided):
        """Return the frame-aligned control (B, K, T) of clips; when guided, what guidance leads away from comes first, 2 B in all."""
        frames, frame_s, sampling = rows * self.vae_scale * self.mel.config.fold[0], self._frame_s, self.sampling
        signals = [control_against(c, sampling.slow_bpm, frames, frame_s) for c in controls] if guided else []
        for c in controls:
            asked = (c.beat_times, c.beat_positions), (c.chords, c.chord_times)
            notes = Notes(c.parts, c.melody or None, c.hits or None)
            signals.append(control_signal(*asked, frames, frame_s, c.meter.beats, sampling.accents, notes))
        return torch.from_numpy(np.stack(signals))

    def _drawn(self, generators, spans):
        """Draw noise (B, C, H, W), see `draw_noise`, where the denoiser runs."""
        columns = self.mel.config.n_mels // self.mel.config.fold[1] // self.vae_scale
        noise = draw_noise(generators, spans, self.unet.config.in_channels, columns)
        return noise.to(self._execution_device, self.unet.dtype)

    def denoise(
        self,
        condition: Conditioning,
        latents: torch.Tensor,
        steps: int,
        guidance: float = 1.0,
        generators: list[torch.Generator] | None = None,
        on_step: Callable[[int, int], None] | None = None,
        spans: tuple[int, int, int] | None = None,
        interval: tuple[float, float] = (0.0, 1.0),
        cache_interval: int = 1,
        on_latents: Callable | None = None,
    ) -> torch.Tensor:
        """Return denoised latents (B, C, H, W), see `Sampler`. spans: the rows of lead-in, clip and tail."""
        device, spans = self._execution_device, spans or (0, latents.shape[2], 0)
        draw = lambda: self._drawn(generators, spans)  # noqa: E731
        sampler = Sampler(self.unet, self.scheduler, self.sampling, draw, generators, interval, cache_interval, on_latents)
        return sampler.denoise(condition.to(device), latents.to(device), steps, guidance, on_step)

    def latents_of(self, mels: torch.Tensor) -> torch.Tensor:
        """Return the latents (B, C, H, W) of normalised log-mels (B, T, M), T a multiple of what a latent row spans."""
        z = self.vae.encode(self.mel.folded(mels.to(self._execution_device))).latent_dist.mode()
        return (z - (self.vae.config.shift_factor or 0.0)) * self.vae.config.scaling_factor

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """Return normalised log-mels (B, T, M) of latents, as they come out of the VAE."""
        z = latents / self.vae.config.scaling_factor + (self.vae.config.shift_factor or 0.0)
        return self.mel.unfolded(self.vae.decode(z.to(self._execution_device)).sample)

    def vocode(
        self,
        mels: torch.Tensor,
        duration_s: float,
        gain_db: float = 0.0,
        postfilter_strength: float = 1.0,
    ) -> np.ndarray:
        """Return float32 waveforms (B, N) of log-mels, cut to `duration_s` and finished, see `musicbench.sound.master`."""
        waves = self.waves(mels, 0.0, duration_s, gain_db, postfilter_strength)
        return np.stack([finished(wave, self.mel.config.sample_rate)[0] for wave in waves])

    def waves(
        self,
        mels: torch.Tensor,
        start_s: float,
        duration_s: float,
        gain_db: float = 0.0,
        postfilter_strength: float = 1.0,
    ) -> np.ndarray:
        """Return float32 waveforms (B, N) of log-mels: `duration_s` from `start_s` on, as they come out of the vocoder."""
        first, samples = (round(s * self.mel.config.sample_rate) for s in (start_s, duration_s))
        options = {"postfilter_strength": postfilter_strength} if isinstance(self.vocoder, ISTFTVocoder) else {}
        audio = self.vocoder(mels.to(self._execution_device), **options)[:, first : first + samples].float() * 10 ** (gain_db / 20)
        check_made(audio)
        return audio.cpu().numpy()


def parts_of(durations: list[float]) -> list[slice]:
    """Return slices of clips that are made at once: neighbours of one duration, TOGETHER_S in all at most, or one clip."""
    parts, first = [], 0
    for last, duration_s in enumerate([*durations[1:], math.inf], 1):
        if duration_s != durations[first] or (last - first + 1) * duration_s > TOGETHER_S:
            parts.append(slice(first, last))
            first = last
    return parts


def sounding_parts(controls: Controls) -> tuple[str, ...]:
    """Return the parts that a clip may have: those it is told, else all, drums only where its words do not rule them out."""
    return controls.parts or (PARTS[1:] if re.search(r"\bno drums\b", controls.text) else PARTS)


def sidecar(output: MustangoOutput, index: int, prompt: str, options: dict) -> dict:
    """Describe one take of a MustangoOutput, see `mustango.request.sidecar.describe`."""
    return describe(prompt, output.controls[index], output.seeds[index], output.sample_rate, options)


def load_pipeline(
    model: Path | str = BUNDLED,
    device: torch.device | str = "cpu",
    dtype: str = "float32",
    quiet: bool = False,
    attention: str = "auto",
    **options: Any,
) -> MustangoPipeline:
    """Load a pipeline: the bundled one, a folder or hub id, in our layout or the released one; checked whole.

    quiet: without progress bars, here and later. attention: see `set_attention`. options: as for `MustangoPipeline.from_pretrained`. Raises InputError.
    """
    if quiet:
        diffusers.utils.logging.disable_progress_bar()
        transformers.utils.logging.disable_progress_bar()
    check_device(device)
    if dtype not in DTYPES:
        raise InputError(f"unknown dtype {dtype!r}; choose one of {', '.join(DTYPES)}")
    try:
        pipeline = MustangoPipeline.from_pretrained(model, dtype=getattr(torch, dtype), **options)
    except InputError:
        raise
    except Exception as error:  # what a folder of somebody's raises nobody foresees
        raise InputError(f"cannot load the model in {model} ({reason(error)}); get the folder whole again") from error
    pipeline = moved(pipeline, device)
    if attention != "auto":
        pipeline.set_attention(attention)
    return pipeline
