"""MustangoPipeline: prompt, chords and tempo -> audio; the whole route on one screen."""

import json
import re
import shutil
from dataclasses import asdict, dataclass, fields, replace
from functools import cache
from importlib import import_module
from pathlib import Path

import diffusers
import numpy as np
import torch
import transformers
from diffusers import AutoencoderKL, DDIMScheduler, DDPMScheduler, DiffusionPipeline, DPMSolverMultistepScheduler, SchedulerMixin
from diffusers.utils import BaseOutput
from transformers import PreTrainedModel, PreTrainedTokenizerBase, SpeechT5HifiGan

from musicbench import InputError
from musicbench.compose.styles import MOODS, OPPOSITES
from musicbench.sound.master import check_loudness, check_tail, finished
from mustango import PREDICTORS, SCHEDULERS
from mustango.model.conditioning import Conditioner, Conditioning, encode_text, pooled
from mustango.model.control import PULSE, control_signal
from mustango.model.mel import LogMel
from mustango.model.munet import MuNet
from mustango.model.sampling import Sampler, SamplingConfig, control_against, draw_noise, framed, moved_on
from mustango.model.vocoder import ISTFTVocoder
from mustango.release.conversion import released_components, released_predictors
from mustango.release.files import check_finite, read_json
from mustango.release.folder import (
    BUNDLED,
    has_predictors,
    model_folder,
    model_index,
    model_written_whole,
    verify,
    with_todays_names,
    write_part,
)
from mustango.release.hub import is_hub_id
from mustango.release.layouts import PREDICTOR_PARTS, is_released
from mustango.release.predictors import NeuralPredictors, execution_device, predictors_from
from mustango.release.tokenizers import TOKENIZERS, MissingPackage, load_tokenizer
from mustango.request.knows import read_knows
from mustango.request.reader import Controls, check_options
from mustango.request.sidecar import NO_PREDICTORS, ModelFacts, describe, resolve_in_plain_key

HUB_OPTIONS = ("cache_dir", "local_files_only", "token", "force_download", "proxies")
HEAVY = ("text_encoder", "unet", "vae", "vocoder")
SCHEDULER_CLASSES = dict(zip(SCHEDULERS, (DPMSolverMultistepScheduler, DDIMScheduler, DDPMScheduler), strict=True))
# What to do with a LoRA adapter that is to be saved, by what the component it is in can do: diffusers', peft's, transformers'.
ADAPTER_REMEDIES = {
    "unload_lora": "call its fuse_lora() and then unload_lora() to keep the adapter in the weights, or unload_lora() alone to leave it out",
    "merge_and_unload": "set the pipeline's {0} to what its merge_and_unload() returns, or its unload() to leave the adapter out",
    "modules": "write the adapter with {0}.save_pretrained(FOLDER) and set the pipeline's {0} to what peft's "
    "PeftModel.from_pretrained(OTHER, FOLDER).merge_and_unload() returns, OTHER a {0} without it; or to OTHER, to leave it out",
}  # fmt: skip
TOGETHER_S = 164  # seconds of music that are made at once, 16 clips of 10 s, which bounds memory


@dataclass
class MustangoOutput(BaseOutput):
    """audios: float32 (clips, samples) in [-1, 1], a list of (samples,) where clips differ in length; controls and seeds: one a clip."""

    audios: np.ndarray | list[np.ndarray]
    sample_rate: int
    controls: list[Controls]
    seeds: list[int]


class MustangoPipeline(DiffusionPipeline):
    """Text-to-music with chords, tempo, meter and key.

    `window_s`: how long clips are if nobody says, as long as those that the model learnt from; `longest_s`: the longest it makes, if
    not that. `sampling`: its settings of inference, fields of `mustango.model.sampling.SamplingConfig`.
    """

    model_cpu_offload_seq = "beat_predictor->chord_predictor->text_encoder->conditioner->unet->vae->vocoder"
    _exclude_from_cpu_offload = ["mel"]  # a few numbers, of which other methods than `forward` make use, too
    _optional_components = [*PREDICTOR_PARTS, *HEAVY]  # loaded when they are needed: the predictors, with low memory the others
    # Of a pipeline that was loaded: its folder and hub id, and how parts that come later are loaded.
    _folder, _hub_id, _low_memory, _dtype, _neural, _tokenizers, _hub_options = None, None, False, torch.float32, None, {}, {}

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

    @property
    def sampling(self):
        """The model's settings of inference."""
        return SamplingConfig(**self.config.sampling)

    def set_sampling(self, **settings):
        """Set settings of inference by the names of SamplingConfig; the others stay as they are. Raises InputError for an unknown name."""
        try:
            sampling = replace(self.sampling if "sampling" in self.config else SamplingConfig(), **settings)
        except TypeError:
            known = [field.name for field in fields(SamplingConfig)]
            unknown = next(name for name in settings if name not in known)
            raise InputError(f"unknown sampling setting {unknown[:40]!r}; known: {', '.join(known)}") from None
        self.register_to_config(sampling=asdict(sampling))

    @classmethod
    def from_pretrained(
        cls, model=BUNDLED, *, dtype=torch.float32, low_memory=False, revision=None, fetch_predictors=None, **options
    ):
        """Load the bundled model, a folder or a hub id; a folder in the released layout is converted on the fly.

        low_memory: keep only the components of the stage at work (text, denoising, decoding), loading each when its turn
        comes; for folders in our layout. revision: a hub id's branch, tag or commit. fetch_predictors: the released predictors'
        weights come when they are first asked; True fetches them and their tokenizers before anything is converted, False leaves the
        tokenizers alone, too. options: those of the hub (`cache_dir`, `local_files_only`, `token`, ...), `torch_dtype`, and components to use instead of those in the folder, such as `tokenizer`; for released
        folders also `beat_tokenizer` and `chord_tokenizer`, names or folders. Raises InputError.
        """
        dtype = options.pop("torch_dtype", dtype)  # diffusers' former word
        hub = {name: options.pop(name) for name in HUB_OPTIONS if name in options}
        folder = model_folder(model, revision, "predictors" if fetch_predictors else "pipeline", **hub)
        hub_id = str(model) if is_hub_id(model) else None
        tokenizers = {}
        if is_released(folder):
            if low_memory:
                raise InputError("low memory needs a folder in our layout; run `mustango convert` on the released one first")
            tokenizers = {role: options.pop(role) for role in TOKENIZERS if role in options}
            options = _released_tokenizers(folder, hub_id, tokenizers, fetch_predictors) | options
            parts = {
                name: cast(part, dtype) if isinstance(part, torch.nn.Module) else part for name, part in released_components(folder)
            }
            pipeline = cls(**parts | options)
        else:
            verify(folder)
            absent = dict.fromkeys(HEAVY) if low_memory else {}
            later = dict.fromkeys(PREDICTOR_PARTS)
            pipeline = super().from_pretrained(str(folder), dtype=dtype, **{**absent, **later, **options})
            for name, part in pipeline.components.items():
                if isinstance(part, torch.nn.Module):
                    check_finite(part.state_dict(), folder / name)
        pipeline._folder, pipeline._hub_id, pipeline._tokenizers = folder, hub_id, tokenizers
        pipeline._low_memory, pipeline._dtype, pipeline._hub_options = low_memory, dtype, hub
        return pipeline

    @classmethod
    def load_config(cls, *arguments, **options):
        """Read a model's index, as diffusers does, also one that was written by an older version."""
        config = super().load_config(*arguments, **options)
        return (_as_today(config[0]), *config[1:]) if isinstance(config, tuple) else _as_today(config)

    def save_pretrained(self, save_directory, *, push_to_hub=False, **options):
        """Write all of the pipeline as a folder in our layout, the predictors too, and what is not loaded at the moment.

        options: as for diffusers' pipelines. Raises InputError, for one with a LoRA adapter too, which such a folder does not hold.
        """
        for name, part in self.components.items():
            if isinstance(part, torch.nn.Module):
                _check_saveable(name, part)
        hub = {
            name: options.pop(name) for name in ("repo_id", "commit_message", "private", "token", "create_pr") if name in options
        }
        with model_written_whole(save_directory) as building:
            super().save_pretrained(str(building), **options)
            index = read_json(building / "model_index.json") | self._write_absent(building)
            (building / "model_index.json").write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")
            if self.knows:
                self.knows.save(building)
        if push_to_hub:
            self.push_to_hub(hub.pop("repo_id", Path(save_directory).name), **hub)

    def _write_absent(self, building):
        """Write what the pipeline has, but has not loaded, one part at a time; returns {name: [library, class]}."""
        if self._folder is None:
            return {}
        absent = [name for name in (*HEAVY, *PREDICTOR_PARTS) if getattr(self, name) is None]
        if not self._has_predictors:
            absent = [name for name in absent if name not in PREDICTOR_PARTS]
        if not absent:
            return {}
        folder = self._folder_with_predictors() if set(absent) & set(PREDICTOR_PARTS) else self._folder
        if is_released(folder):
            tokenizers = {name: self._predictor_tokenizer(name) for name in absent if name.endswith("tokenizer")}
            entries = {name: write_part(part, building / name) for name, part in tokenizers.items()}
            for name, part in released_predictors(folder):
                if name in absent:
                    entries[name] = write_part(part, building / name)
            return entries
        for name in absent:
            shutil.copytree(folder / name, building / name)
        index = model_index(folder)
        return {name: index.get(name) or _entry_of(name, folder / name) for name in absent}

    @property
    def _execution_device(self):
        """The device that models run on, also where only some are offloaded and the others' weights do not tell."""
        device = super()._execution_device
        if device.type != "meta":
            return device
        models = [part for part in self.components.values() if isinstance(part, torch.nn.Module)]
        return next((found for found in map(execution_device, models) if found.type != "meta"), device)

    def _stage(self, *names):
        """With low memory: load the named components and let go of the others."""
        if not self._low_memory:
            return
        device = self._execution_device
        for name in set(HEAVY) - set(names):
            self.register_modules(**{name: None})
        for name in names:
            if getattr(self, name) is None:
                library, kind = model_index(self._folder)[name]
                component = getattr(import_module(library), kind).from_pretrained(self._folder / name, dtype=self._dtype)
                check_finite(component.state_dict(), self._folder / name)
                self.register_modules(**{name: component.eval().to(device)})

    def set_scheduler(self, name):
        """Choose the sampler by name: "dpm" (DPM-Solver++, the default), "ddim", "ddpm" (the original's). Raises InputError."""
        if name not in SCHEDULERS:
            raise InputError(f"unknown scheduler {name!r}; choose one of {', '.join(SCHEDULERS)}")
        shared = ("num_train_timesteps", "beta_start", "beta_end", "beta_schedule", "prediction_type")
        settings = {key: self.scheduler.config[key] for key in shared}
        extra = {} if name == "dpm" else {"clip_sample": False}
        if name != "dpm" and self.sampling.restart:  # its noise is that of given places of the schedule, the first its end
            extra["timestep_spacing"] = "trailing"
        self.register_modules(scheduler=SCHEDULER_CLASSES[name](**settings, **extra))

    # ------------------------------------------------------------------------------------------------ the route

    @torch.no_grad()
    def __call__(
        self,
        prompt="",
        *,
        chords=None,
        chords_time=None,
        tempo=None,
        meter=None,
        key=None,
        beats=None,
        duration=None,
        seed=0,
        count=1,
        steps=20,
        guidance=3.0,
        negative_prompt="",
        predictors="auto",
        controls=None,
        loudness=None,
        tail=0.0,
        on_step=None,
    ):
        """Make `count` takes of a prompt, or of each of a list of prompts; take i has seed `seed + i`.

        What is asked for holds for every prompt of a list; clips come prompt by prompt. chords: a chord line ("C | G Am | F:2 G:2",
        "0:C 2.5:G", "I V vi IV") or a list, one a bar or, with chords_time, each at its time (s). tempo: bpm or a tempo word. meter: "3/4". key: "A minor". beats: [[times (s)],
        [positions in the bar]], which tell tempo and meter too. duration: seconds, "8 bars", or "chart", the bars of the chord line
        once; what the prompt says when None, else `window_s`. What is not given is read from the prompt, else chosen.
        predictors: who settles what nobody stated: "reader" chooses by rule, "auto" asks the released predictors if the model has
        them. "neural" asks them always, as the paper's inference does: their beats and chords are played, whatever the prompt states,
        but for what is given here. controls: Controls to be played as they are, in place of all that (`mustango.request.sidecar.restored`).
        loudness: LUFS, -40 to -5; as it comes when None. tail: seconds, 0 to 10, in which the ending rings out after `duration`.
        on_step(step, steps) is called after each denoising step; more than 164 s of music are made in
        parts, whose steps are counted together. Returns a MustangoOutput; raises InputError.
        """
        prompts = list(prompt) if isinstance(prompt, (list, tuple)) else [prompt]
        if not prompts:
            raise InputError("the list of prompts is empty; give at least one")
        for text in prompts:
            check_options(text, duration, seed, count, steps, guidance, negative_prompt, longest_s=self.longest_s)
        lufs, guidance = check_loudness(loudness), float(guidance)
        prompts, seeds = [p for p in prompts for _ in range(count)], [seed + i for i in range(count)] * len(prompts)
        if controls is None:
            given = {
                "chords": chords, "chords_time": chords_time, "tempo": tempo, "meter": meter, "key": key, "beats": beats,
                "duration": duration,
            }  # fmt: skip
            controls = self._resolve(prompts, seeds, given, predictors)
        else:
            controls = [controls] * len(prompts)
        controls = [self.facts.played(c) for c in controls]
        self._release_predictors()
        for c in controls:
            tail_s = check_tail(tail, c.duration_s, self.longest_s)
        parts, audios = parts_of([c.duration_s + tail_s for c in controls]), []
        for done, part in enumerate(parts):
            counted = on_step and (lambda step, steps, done=done: on_step(done * steps + step, len(parts) * steps))
            self._stage("text_encoder")
            generators = [torch.Generator().manual_seed(s) for s in seeds[part]]
            condition = self.encode([c.text for c in controls[part]], negative_prompt, controls[part], guidance > 1, tail_s)
            self._stage("unet")
            duration_s = controls[part.start].duration_s
            spans = self.spans(duration_s, tail_s)
            noise = self._drawn(generators, spans)
            latents = self.denoise(condition, noise, steps, guidance, generators, counted, spans)
            self._stage("vae", "vocoder")
            mels, gain_db = self.mel.sharpened(self.decode(latents)), -self.sampling.guidance_db * max(guidance - 1, 0)
            waves = self.waves(mels, self.sampling.lead_in_s, duration_s + tail_s, gain_db, self.sampling.postfilter_strength)
            audios += [finished(wave, self.mel.config.sample_rate, tail_s, lufs) for wave in waves]
        audios, notes = zip(*audios, strict=True)
        controls = [replace(c, notes=tuple(dict.fromkeys((*c.notes, *more)))) for c, more in zip(controls, notes, strict=True)]
        self.maybe_free_model_hooks()
        audios = np.stack(audios) if len({len(audio) for audio in audios}) == 1 else audios
        return MustangoOutput(audios=audios, sample_rate=self.mel.config.sample_rate, controls=controls, seeds=seeds)

    def _resolve(self, prompts, seeds, given, predictors):
        """Return the Controls of each prompt with its seed."""
        predict = self.predictor(predictors)
        how = {
            "predict": predict and cache(predict),  # once a prompt, not once a take
            "always_predict": predictors == "neural", "window_s": self.config.window_s, "longest_s": self.longest_s, "knows": self.knows,
        }  # fmt: skip
        return [resolve_in_plain_key(p, **given, seed=s, **how) for p, s in zip(prompts, seeds, strict=True)]

    @property
    def facts(self):
        """What the model can be told, and what it gives: ModelFacts."""
        return ModelFacts.of(self.config, self.conditioner.config, self.mel.config.sample_rate, self._has_predictors, self.knows)

    @property
    def knows(self):
        """What the model knows, None where its folder does not say."""
        return read_knows(self._folder) if self._folder is not None else None

    @property
    def longest_s(self):
        """The longest clip the model makes, in seconds."""
        return self.config.longest_s or self.config.window_s

    def predictor(self, predictors):
        """Return what predicts beats and chords of a prompt, or None. Raises InputError."""
        if predictors not in PREDICTORS:
            raise InputError(f"unknown predictors {predictors!r}; choose one of {', '.join(PREDICTORS)}")
        if predictors == "reader" or (predictors == "auto" and not self._has_predictors):
            return None
        if not self._has_predictors:
            raise InputError(NO_PREDICTORS)
        return self._predict

    @property
    def _has_predictors(self):
        if self.beat_predictor is not None and self.chord_predictor is not None:
            return True
        return self._folder is not None and has_predictors(self._folder, self._hub_id)

    def _predict(self, prompt):
        """Ask the released predictors, loading them when first asked."""
        if self._neural is None:
            self._load_predictors()
            parts = (getattr(self, name) for name in PREDICTOR_PARTS)
            self._neural = NeuralPredictors(*parts)
        return self._neural(prompt)

    def _load_predictors(self):
        """Load those of the predictors and their tokenizers that are not there yet, in full precision, on the CPU."""
        absent = [name for name in PREDICTOR_PARTS if getattr(self, name) is None]
        if not absent:
            return
        folder = self._folder_with_predictors()
        parts = {name: self._predictor_tokenizer(name) for name in absent if name.endswith("tokenizer")}
        for name, part in released_predictors(folder) if is_released(folder) else predictors_from(folder):
            if name in absent:
                check_finite(part.state_dict(), folder / name)
                parts[name] = part.float()
        self.register_modules(**parts)

    def _release_predictors(self):
        """With low memory: let go of predictors that can be loaded again."""
        if self._low_memory and self._folder is not None and self._neural is not None:
            self._neural = None
            if has_predictors(self._folder, self._hub_id):
                self.register_modules(**dict.fromkeys(PREDICTOR_PARTS))

    @property
    def commit(self):
        """The hub's commit that the model is of, None for a folder's."""
        return self._folder.name if self._hub_id is not None and self._folder.parent.name == "snapshots" else None

    def _folder_with_predictors(self):
        """Return the model's folder with the predictors' files, which are fetched if they are not there. Raises InputError."""
        if self._hub_id is None:
            return self._folder
        return model_folder(self._hub_id, self.commit, "predictors", **self._hub_options)

    def _predictor_tokenizer(self, role):
        folder = self._folder_with_predictors()
        return load_tokenizer(folder, role, self._tokenizers.get(role) if is_released(folder) else folder / role)

    def rows(self, duration_s):
        """Return how many latent rows cover `duration_s`."""
        frames_a_row = self.mel.config.fold[0] * self.vae_scale
        return -(-self.mel.frames(duration_s) // frames_a_row)

    def spans(self, duration_s, tail_s=0.0):
        """Return how many latent rows the lead-in, the clip and its tail have."""
        rows = self.rows(duration_s)
        return self.rows(self.sampling.lead_in_s), rows, self.rows(duration_s + tail_s) - rows

    @property
    def vae_scale(self):
        """How many of the VAE's input rows make a latent row."""
        config = self.vae.config if self.vae is not None else read_json(self._folder / "vae" / "config.json")
        return 2 ** (len(config["block_out_channels"]) - 1)

    @property
    def _unet_config(self):
        return self.unet.config if self.unet is not None else read_json(self._folder / "unet" / "config.json")

    def encode(self, prompts, negative_prompt, controls, guided, tail_s=0.0):
        """Return the Conditioning of a batch; when guided, the null conditions come first, batch 2B.

        Beats and chords are told from the lead-in on: the code of their times is that of the clip's own, what is aligned begins earlier.
        """
        sampling, spans = self.sampling, self.spans(controls[0].duration_s, tail_s)
        lead_in_s = sampling.lead_in_s
        controls = [framed(c, lead_in_s) for c in controls]
        nulls = [negative_prompt] * len(prompts)
        if sampling.opposites:
            nulls = [", ".join(filter(None, (negative_prompt, opposite_moods(prompt)))) for prompt in prompts]
        texts = nulls + prompts if guided else prompts
        device = self._execution_device
        text, text_mask = encode_text(self.tokenizer, self.text_encoder, texts, device)
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
            signals.append(control_signal(*asked, frames, frame_s, c.meter.beats, sampling.accents))
        return torch.from_numpy(np.stack(signals))

    def _drawn(self, generators, spans):
        """Draw noise (B, C, H, W), see `draw_noise`, where the denoiser runs."""
        columns = self.mel.config.n_mels // self.mel.config.fold[1] // self.vae_scale
        noise = draw_noise(generators, spans, self.unet.config.in_channels, columns)
        return noise.to(self._execution_device, self.unet.dtype)

    def denoise(self, condition, latents, steps, guidance=1.0, generators=None, on_step=None, spans=None):
        """Return denoised latents (B, C, H, W), see `Sampler.denoise`. spans: the rows of lead-in, clip and tail."""
        device, spans = self._execution_device, spans or (0, latents.shape[2], 0)
        sampler = Sampler(self.unet, self.scheduler, self.sampling, lambda: self._drawn(generators, spans), generators)
        return sampler.denoise(condition.to(device), latents.to(device), steps, guidance, on_step)

    def latents_of(self, mels):
        """Return the latents (B, C, H, W) of normalised log-mels (B, T, M), T a multiple of what a latent row spans."""
        z = self.vae.encode(self.mel.folded(mels.to(self._execution_device))).latent_dist.mode()
        return (z - (self.vae.config.shift_factor or 0.0)) * self.vae.config.scaling_factor

    def decode(self, latents):
        """Return normalised log-mels (B, T, M) of latents, as they come out of the VAE."""
        z = latents / self.vae.config.scaling_factor + (self.vae.config.shift_factor or 0.0)
        return self.mel.unfolded(self.vae.decode(z.to(self._execution_device)).sample)

    def vocode(self, mels, duration_s, gain_db=0.0, postfilter_strength=1.0):
        """Return float32 waveforms (B, N) of log-mels, cut to `duration_s` and finished, see `musicbench.sound.master`."""
        waves = self.waves(mels, 0.0, duration_s, gain_db, postfilter_strength)
        return np.stack([finished(wave, self.mel.config.sample_rate)[0] for wave in waves])

    def waves(self, mels, start_s, duration_s, gain_db=0.0, postfilter_strength=1.0):
        """Return float32 waveforms (B, N) of log-mels: `duration_s` from `start_s` on, as they come out of the vocoder."""
        first, samples = (round(s * self.mel.config.sample_rate) for s in (start_s, duration_s))
        options = {"postfilter_strength": postfilter_strength} if isinstance(self.vocoder, ISTFTVocoder) else {}
        audio = self.vocoder(mels.to(self._execution_device), **options)[:, first : first + samples].float() * 10 ** (gain_db / 20)
        return audio.cpu().numpy()


def parts_of(durations):
    """Return slices of clips that are made at once: neighbours of one duration, TOGETHER_S in all at most, or one clip."""
    parts, first = [], 0
    for last, duration_s in enumerate([*durations[1:], None], 1):
        if duration_s != durations[first] or (last - first + 1) * duration_s > TOGETHER_S:
            parts.append(slice(first, last))
            first = last
    return parts


def _as_today(index):
    """Return a model's index as this version writes it; until 0.1.0 the settings of inference lay among the others."""
    names = [field.name for field in fields(SamplingConfig) if field.name in index]
    sampling = {"sampling": {name: index[name] for name in names}} if names else {}
    return with_todays_names({name: value for name, value in index.items() if name not in names} | sampling)


def opposite_moods(prompt):
    """Return "dark" for a prompt that says bright, cheerful or sunny, "bright" for one that says the like of dark, "" for others."""
    words = {mood: rf"(?<!\bnot )(?<!\bno )\b({'|'.join(MOODS[mood])})\b" for mood in OPPOSITES}
    said = [mood for mood in OPPOSITES if re.search(words[mood], prompt.lower())]
    return OPPOSITES[said[0]] if len(said) == 1 else ""


def sidecar(output, index, prompt, options):
    """Describe one take of a MustangoOutput, see `mustango.request.sidecar.describe`."""
    return describe(prompt, output.controls[index], output.seeds[index], output.sample_rate, options)


def _released_tokenizers(folder, hub_id, given, fetch_predictors):
    """Return {role: tokenizer} of a released folder before anything of it is converted.

    The predictors' are left for later where they cannot be had now and nobody has said that they will be asked. Raises InputError.
    """
    loaded = {"tokenizer": load_tokenizer(folder, "tokenizer", given.get("tokenizer"))}
    if fetch_predictors is False or not has_predictors(folder, hub_id):
        return loaded
    for role in ("beat_tokenizer", "chord_tokenizer"):
        try:
            loaded[role] = load_tokenizer(folder, role, given.get(role))
        except MissingPackage:
            raise
        except InputError:
            if fetch_predictors:
                raise
    return loaded


def _check_saveable(name, component):
    """Raise InputError for a component whose weights are not as its class names them, or are not there."""
    if any(hasattr(module, "base_layer") for module in component.modules()):
        remedy = next(remedy for method, remedy in ADAPTER_REMEDIES.items() if hasattr(component, method))
        raise InputError(f"the {name} has a LoRA adapter, which a model folder does not hold; {remedy.format(name)}")
    if any(parameter.is_meta for parameter in component.parameters()):
        raise InputError(f"the {name} is offloaded; call remove_all_hooks() before you save the pipeline")


def _entry_of(name, folder):
    """Return a predictor part's entry in a model's index, for an older folder whose index does not list it."""
    if name.endswith("tokenizer"):
        return ["transformers", read_json(folder / "tokenizer_config.json").get("tokenizer_class", "AutoTokenizer")]
    return ["mustango", "BeatPredictor" if name == "beat_predictor" else "ChordPredictor"]


def cast(component, dtype):
    """Cast a component as transformers loads it: in float16, layers that would overflow stay in float32 (T5's `wo`)."""
    torch.nn.Module.to(component, dtype)  # diffusers' own `to` warns of layers that it keeps in float32, of which there are none
    if dtype == torch.float16:
        kept = getattr(component, "_keep_in_fp32_modules", None) or ()
        for name, module in component.named_modules():
            if name.rpartition(".")[2] in kept:
                module.float()
    return component


def moved(component, device):
    """Move a tensor, module or pipeline to a device: "cpu", "cuda", "cuda:1", "mps". Raises InputError where that cannot be."""
    try:
        return component.to(device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(
            f"cannot use the device {device!r} ({str(error).splitlines()[0][:100]}); choose cpu, cuda or mps as there is"
        ) from None


def check_device(device):
    """Raise InputError unless torch can use a device here."""
    moved(torch.zeros(1), device)


def load_pipeline(model=BUNDLED, device="cpu", dtype="float32", quiet=False, **options):
    """Load a pipeline: the bundled one, a folder or hub id, in our layout or the released one; checked whole.

    quiet: without progress bars, here and later. options: as for `MustangoPipeline.from_pretrained`. Raises InputError.
    """
    if quiet:
        diffusers.utils.logging.disable_progress_bar()
        transformers.utils.logging.disable_progress_bar()
    check_device(device)
    try:
        pipeline = MustangoPipeline.from_pretrained(model, dtype=getattr(torch, dtype), **options)
    except InputError:
        raise
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise InputError(
            f"cannot load the model in {model} ({' '.join(str(error).split())[:300]}); get the folder whole again"
        ) from None
    return moved(pipeline, device)
