"""Train MuNet and the beat and chord encoders on latents and texts that are encoded once and kept.

Shapes: B batch, C latent channels, H rows of latents (time), W columns (frequency).
"""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
import transformers
from diffusers import AutoencoderKL, DDPMScheduler
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoTokenizer

from musicbench import InputError
from musicbench.build.dataset import row_captions, row_clip
from musicbench.files import written_whole
from musicbench.sound.audio import load_audio
from mustango.model.conditioning import (
    CHORD_TYPES,
    Conditioner,
    Conditioning,
    encode_text,
    pooled,
)
from mustango.model.control import CONTROL_CHANNELS, control_signal
from mustango.model.mel import LogMel
from mustango.model.munet import MuNet
from mustango.release.checkpoint import read_json
from mustango.request.knows import Knows, learn
from mustango.train.checks import part
from mustango.train.loop import SCHEDULER, begin, keep_parts, save_part, training_rows

WINDOW_S = 10.24
CONDITIONER = dict(
    dim=384, root_dim=128, time_dim=128, root_base=10000.0, n_beat_types=9, max_beats=1024, max_chords=1024, cycle_s=WINDOW_S,
    chord_types=(*CHORD_TYPES, "sus4", "sus2", "dim7", "minmaj7", "sus4(b7)", "9", "maj9", "min9", "maj(9)", "aug(b7)", "5"),
)  # fmt: skip
MUNET = dict(
    in_channels=16, out_channels=16, block_out_channels=(96, 160, 224), layers_per_block=1, num_heads=(3, 5, 7),
    attention_levels=(False, False, True), cross_attention_dim=384, norm_num_groups=16, ff_mult=2, pooled_text=True,
    rotary_seconds=0.128, control_channels=CONTROL_CHANNELS, frames_per_row=8, columns=12,
)  # fmt: skip
CAPTIONS_A_CLIP = 3
PARTS_GIVEN, NOTES_GIVEN = 0.4, 0.3  # how often a draw is told the parts, and the melody and the hits
REMEMBER_WEIGHT = 10.0


@dataclass(frozen=True)
class LatentGrid:
    """How a model's latents lie in time: a row of them stands for so many frames of the mel, and so many samples of sound."""

    sample_rate: int
    frames: int
    samples: int

    @classmethod
    def of(cls, mel, vae):
        frames = mel.config.fold[0] * 2 ** (len(vae.config.block_out_channels) - 1)
        return cls(mel.config.sample_rate, frames, frames * mel.config.hop_length)

    @property
    def row_s(self):
        return self.samples / self.sample_rate

    def rows(self, row):
        """Return how many rows of latents the clip of a dataset row has, the last perhaps in part."""
        return -(-round(min(row.get("duration") or 10.0, WINDOW_S) * self.sample_rate) // self.samples)


def load_text_encoder(folder):
    """Load a text encoder as the class that its config names: of a T5 the encoder alone."""
    (kind,) = AutoConfig.from_pretrained(folder).architectures
    return getattr(transformers, kind).from_pretrained(folder, dtype=torch.float32)


@torch.no_grad()
def encode_dataset(folder, cache, parts):
    """Encode rows to latents and caption states, once, in files of 250 rows under `cache`; returns rows and files.

    The files lie in a folder named by the rows and their captions, by their audio files' sizes and times and by the weights that
    encode them.
    """
    mel, vae, tokenizer, text_encoder = parts
    rows, paths = training_rows(folder, ("location", "dataset", "main_caption")), []
    captions = [row_captions(row, CAPTIONS_A_CLIP) for row in rows]
    digest = hashlib.sha256(json.dumps([rows, captions], sort_keys=True).encode())
    for row in rows:
        stat = (Path(folder) / row["location"]).stat()
        digest.update(f"{stat.st_size} {stat.st_mtime_ns} ".encode())
    for tensor in (*vae.encoder.state_dict().values(), *text_encoder.state_dict().values()):
        digest.update(tensor.contiguous().cpu().numpy().tobytes())
    folder, cache = Path(folder), Path(cache) / digest.hexdigest()[:16]
    cache.mkdir(parents=True, exist_ok=True)
    grid = LatentGrid.of(mel, vae)
    samples = max(map(grid.rows, rows)) * grid.samples

    def waveform(row):
        sound = torch.from_numpy(load_audio(folder / row["location"], grid.sample_rate)[0][:samples])
        return F.pad(sound, (0, samples - len(sound)))

    for first in range(0, len(rows), 250):
        chunk, said = (some[first : first + 250] for some in (rows, captions))
        path = cache / f"{first:08d}-{len(chunk)}.safetensors"
        paths.append(path)
        if path.exists():
            continue
        latents, states, lengths = [], [], []
        with ThreadPoolExecutor() as readers:
            waveforms = torch.stack(list(readers.map(waveform, chunk)))
        for some in range(0, len(chunk), 25):
            z = vae.encode(mel.folded(mel(waveforms[some : some + 25].to(vae.device))[:, :-1])).latent_dist.mode()
            latents.append(((z - (vae.config.shift_factor or 0.0)) * vae.config.scaling_factor).half().cpu())
            texts = [text for own in said[some : some + 25] for text in own]
            text, mask = encode_text(tokenizer, text_encoder, texts)
            states.append(text[mask].half().cpu())
            lengths.append(mask.sum(1).cpu())
        tensors = {"latents": torch.cat(latents).contiguous(), "states": torch.cat(states), "lengths": torch.cat(lengths)}
        with written_whole(path) as temporary:
            save_file(tensors, temporary)
        print(f"encoded {first + len(chunk)}/{len(rows)}", flush=True)
    return rows, paths


def min_snr_weight(alphas_cumprod, timesteps, gamma=5.0):
    """Weight of losses as the released Mustango was trained with, min(SNR, gamma) / SNR.

    The form of Hang et al. (2303.09556) for noise prediction, though it predicts velocities.
    """
    a = alphas_cumprod[timesteps]
    snr = a / (1 - a)
    return snr.clamp(max=gamma) / snr


def noisy_timesteps(size, steps=1000):
    """Draw timesteps (size,) with a density that grows with the noise: half of them fall into the noisiest three tenths.

    There a clip's instruments and texture are settled. Weights that fade with the noise, such as `min_snr_weight`, leave them
    unlearned in a short training: clips then change their sound from second to second and from band to band.
    """
    return (steps * torch.rand(size).sqrt()).long().clamp(max=steps - 1)


def mean_inside(error, inside=None):
    """Return the means (B,) of errors (B, C, H, W) over those rows that are `inside` (B, H), all of them when None."""
    if inside is None:
        return error.mean(dim=(1, 2, 3))
    return (error * inside[:, None, :, None]).mean(dim=(1, 2, 3)) * (inside.shape[1] / inside.sum(dim=1))


def v_prediction_error(unet, scheduler, latents, noise, timesteps, condition, inside=None):
    """Return the mean squared error (B,) of MuNet's velocity on noised latents (B, C, H, W), of those rows that are `inside` (B, H)."""
    noisy = scheduler.add_noise(latents, noise, timesteps)
    target = scheduler.get_velocity(latents, noise, timesteps)
    return mean_inside((unet(noisy, timesteps, condition) - target).square(), inside)


@dataclass(frozen=True)
class NoteControls:
    """What a row tells of parts, melody and drum hits: parts None, has_notes False where it does not. is_apart: some of its parts are left out."""

    parts: tuple | None
    has_notes: bool
    is_apart: bool

    @classmethod
    def of(cls, row, clip):
        parts = row.get("parts")
        if parts is None:
            return cls(None, False, False)
        return cls(tuple(parts), "melody" in row and "hits" in row, set(parts) != set(clip.tags.get("parts", parts)))

    def drawn(self, rng, clip, drop):
        """Return those that a draw is told, as arguments of `control_signal`; `drop`: no others than a piece whose parts lie apart needs."""
        wanted = [not drop and rng.random() < share for share in (PARTS_GIVEN, NOTES_GIVEN, NOTES_GIVEN)]
        told = {"parts": self.parts} if self.is_apart or (wanted[0] and self.parts is not None) else {}
        if self.has_notes:
            told |= {
                name: value
                for name, value, is_wanted in zip(("melody", "hits"), (clip.melody, clip.hits), wanted[1:], strict=True)
                if is_wanted
            }
        return told


class TrainMuNet:
    """MuNet and the beat and chord encoders on cached latents, with condition dropout for guidance.

    Clips that are shorter than the longest are padded; the padding is not learnt from. Rows that have more beats or chords than the
    model can be told of are left out. Models without frame-aligned control are trained as the released one was: timesteps drawn
    evenly, errors weighted by `min_snr_weight`.
    """

    name = "munet"
    drops = 1.0  # how often conditions are left out, as a share of how often they are in training

    def __init__(self, folder, run, device="cpu", bf16=False):
        self.bf16 = bf16 or torch.device(device).type == "cuda"
        mel = LogMel.from_pretrained(part(run, "mel")).to(device)
        vae = AutoencoderKL.from_pretrained(part(run, "vae")).eval().to(device)
        tokenizer = AutoTokenizer.from_pretrained(part(run, "tokenizer"))
        text_encoder = load_text_encoder(part(run, "text_encoder")).eval().to(device)
        rows, paths = encode_dataset(folder, Path(run) / "munet" / "cache", (mel, vae, tokenizer, text_encoder))
        self.clips = [row_clip(row) for row in rows]
        self.notes = [NoteControls.of(row, clip) for row, clip in zip(rows, self.clips, strict=True)]
        with torch.no_grad():
            null_text = encode_text(tokenizer, text_encoder, [""])[0][0].half()
        files = [load_file(path, device=str(device)) for path in paths]
        self.latents = torch.cat([f["latents"] for f in files])  # (clips, C, H, W)
        self.states = torch.cat([*(f["states"] for f in files), null_text])  # token after token; the null text's come last
        self.lengths = torch.cat([*(f["lengths"].flatten().cpu() for f in files), torch.tensor([len(null_text)])])
        self.offsets = F.pad(self.lengths.cumsum(0), (1, 0))
        self.grid = LatentGrid.of(mel, vae)
        self.clip_rows = [self.grid.rows(row) for row in rows]
        self.ends = torch.tensor(self.clip_rows, device=device)
        unet, conditioner = begin(MuNet, MUNET, run, "unet"), begin(Conditioner, CONDITIONER, run, "conditioner")
        if unet.control is not None:
            unet.widen_control(CONTROL_CHANNELS)
        self.model = torch.nn.ModuleDict({"unet": unet, "conditioner": conditioner}).to(device)
        self.learnable = self._learnable(folder)
        self.learnt = Knows.of_rows([rows[index] for index in self.learnable])
        own = Path(run) / "parts" / "scheduler" / "scheduler_config.json"
        self.scheduler = DDPMScheduler.from_config(read_json(own)) if own.is_file() else DDPMScheduler(**SCHEDULER)

    def _learnable(self, folder):
        """Return the places of the clips whose beats and chords the model can be told of. Raises InputError when there are none."""
        conditioner, learnable, refused = self.model["conditioner"], [], None
        for index, clip in enumerate(self.clips):
            try:
                conditioner.tokens([(clip.beat_times, clip.beat_positions)], [(clip.chords, clip.chord_times)])
            except InputError as error:
                refused = error
            else:
                learnable.append(index)
        if refused:
            print(f"{len(self.clips) - len(learnable)} of {len(self.clips)} rows of {folder} are left out: {refused}", flush=True)
        if not learnable:
            raise InputError(f"no row of {folder} can be learnt from: {refused}")
        return learnable

    def draw(self, rng, size):
        """Whole clips, or in three of ten batches twice as many halves: where latents and texts lie, and the controls."""
        rows = self.latents.shape[2]
        if rng.random() < 0.3:
            size, rows = 2 * size, rows // 2
        indices, firsts, texts, beats, chords, controls = [], [], [], [], [], []
        for _ in range(size):
            index = self.learnable[int(rng.integers(len(self.learnable)))]
            first = int(rng.integers(max(self.clip_rows[index] - rows, 0) + 1))
            indices.append(index)
            firsts.append(first)
            drop_all = rng.random() < 0.1 * self.drops
            drop_text, drop_beats, drop_chords, drop_control = (
                drop_all or rng.random() < p * self.drops for p in (0.1, 0.1, 0.1, 0.15)
            )
            caption = index * CAPTIONS_A_CLIP + int(rng.integers(CAPTIONS_A_CLIP))
            texts.append(len(self.lengths) - 1 if drop_text else caption)
            clip = self.clips[index].cropped(first * self.grid.row_s, rows * self.grid.row_s)
            notes = self.notes[index].drawn(rng, clip, drop_control)
            beats.append(([], []) if drop_beats else (clip.beat_times, clip.beat_positions))
            chords.append(([], []) if drop_chords else (clip.chords, clip.chord_times))
            control = (([], []), ([], [])) if drop_control else (beats[-1], chords[-1])
            controls.append(control_signal(*control, rows * self.grid.frames, self.grid.row_s / self.grid.frames, **notes))
        lengths = self.lengths[texts][:, None]
        place = torch.arange(int(lengths.max()))
        return {
            "clip": torch.tensor(indices)[:, None],
            "row": torch.tensor(firsts)[:, None] + torch.arange(rows),
            "token": self.offsets[:-1][texts][:, None] + torch.minimum(place, lengths - 1),
            "text_mask": place < lengths,
            "control": torch.from_numpy(np.stack(controls)),
            **self.model["conditioner"].tokens(beats, chords),
        }

    def condition(self, batch, conditioner):
        """Return what a batch is conditioned on, its beats and chords encoded by `conditioner`."""
        sizes, mask = self.model["unet"].config, batch["text_mask"]
        text = self.states[batch["token"]].float() * mask[..., None]
        return Conditioning(
            text=text, text_mask=mask,
            text_pooled=pooled(text, mask) if sizes["pooled_text"] else None,
            control=batch["control"] if sizes["control_channels"] else None,
            **conditioner.embed(batch),
        )  # fmt: skip

    def to_denoise(self, batch):
        """Return latents (B, C, H, W), noise for them, timesteps (B,) and which rows are inside their clips (B, H)."""
        latents = self.latents[batch["clip"], :, batch["row"]].transpose(1, 2).contiguous().float()
        steps = self.scheduler.config.num_train_timesteps
        aligned = self.model["unet"].config["control_channels"]
        t = noisy_timesteps(len(latents), steps) if aligned else torch.randint(steps, (len(latents),))
        return latents, torch.randn_like(latents), t.to(latents.device), batch["row"] < self.ends[batch["clip"]]

    def loss(self, batch):
        condition = self.condition(batch, self.model["conditioner"])
        latents, noise, t, inside = self.to_denoise(batch)
        with torch.autocast(latents.device.type, torch.bfloat16, enabled=self.bf16):
            error = v_prediction_error(self.model["unet"], self.scheduler, latents, noise, t, condition, inside)
        if not self.model["unet"].config["control_channels"]:
            error = error * min_snr_weight(self.scheduler.alphas_cumprod.to(t.device), t)
        noisy = (error * (t > 700)).sum().detach() / (t > 700).sum().clamp(min=1)
        return error.mean(), {"noisy": noisy}

    def save(self, parts):
        save_part(self.model["unet"], parts / "unet")
        save_part(self.model["conditioner"], parts / "conditioner")
        learn(parts, self.learnt)


def check_remembering(run, remember, held_out=None):
    """Raise InputError unless a run has a model to remember, and remembers (or does not) from its beginning on."""
    place = Path(run) / TrainMuNet.name
    begun, remembers = (place / "state.pt").is_file(), (place / "before").is_dir()
    if begun and remembers != bool(remember):
        raise InputError(f"{run} was begun with{'' if remembers else 'out'} --remember; go on so, or use a new run folder")
    if not remember:
        return
    if not (Path(run) / "parts" / "unet").is_dir():
        raise InputError(f"{run} has no model to remember; begin it with `mustango train start --from MODEL -o {run}`")
    if held_out and Path(held_out).resolve() == Path(remember).resolve():
        raise InputError(f"--held-out {held_out} is what is remembered; give rows that are not learnt from")
    training_rows(remember, ("location", "dataset", "main_caption"))


class Remembering:
    """Two `TrainMuNet` of one run: learn the rows of one, and on those of the other predict what the model did when the run began.

    What a few clips teach so cannot undo what many taught before (Learning without Forgetting, 1606.09282). Half of a batch is
    remembered. The new rows keep their conditions: what the model makes of none, which guidance leads away from, stays what it was. See `check_remembering` for the runs that it is for.
    """

    name = TrainMuNet.name

    def __init__(self, new, old, run):
        self.new, self.old, self.model = new, old, new.model
        old.model, new.drops = new.model, 0.0
        place = Path(run) / self.name
        if not (place / "state.pt").is_file():  # the run begins: its parts are still the model's
            keep_parts(run, place / "before", ("unet", "conditioner"))
        device = new.latents.device
        self.before = {
            name: kind.from_pretrained(place / "before" / name, dtype=torch.float32).eval().requires_grad_(False).to(device)
            for name, kind in (("unet", MuNet), ("conditioner", Conditioner))
        }

    def draw(self, rng, size):
        remembered = max(size // 2, 1)
        halves = {"new": self.new.draw(rng, max(size - remembered, 1)), "old": self.old.draw(rng, remembered)}
        return {f"{half} {name}": tensor for half, batch in halves.items() for name, tensor in batch.items()}

    def loss(self, batch):
        new, old = ({n.split()[1]: t for n, t in batch.items() if n.startswith(half)} for half in ("new", "old"))
        learnt, terms = self.new.loss(new)
        latents, noise, t, inside = self.old.to_denoise(old)
        noisy = self.old.scheduler.add_noise(latents, noise, t)
        conditions = [
            self.old.condition(old, conditioner) for conditioner in (self.model["conditioner"], self.before["conditioner"])
        ]
        with torch.autocast(latents.device.type, torch.bfloat16, enabled=self.old.bf16):
            now = self.model["unet"](noisy, t, conditions[0])
            with torch.no_grad():
                before = self.before["unet"](noisy, t, conditions[1])
        forgotten = mean_inside((now - before).square(), inside).mean()
        return learnt + REMEMBER_WEIGHT * forgotten, terms | {"learnt": learnt.detach(), "forgotten": forgotten.detach()}

    def save(self, parts):
        self.new.save(parts)
