"""Train MuNet and the beat and chord encoders on latents and texts (see `mustango.train.latents`).

Shapes: B batch, C latent channels, H rows of latents (time), W columns (frequency).
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL, DDPMScheduler
from safetensors.torch import load_file
from transformers import AutoTokenizer

from musicbench import InputError
from musicbench.build.dataset import row_clip
from mustango.model.conditioning import (
    CHORD_TYPES,
    Conditioner,
    Conditioning,
    encode_text,
    pooled,
)
from mustango.model.control import CONTROL_CHANNELS, Notes, control_signal
from mustango.model.mel import LogMel
from mustango.model.munet import MuNet
from mustango.release.files import read_json
from mustango.request.knows import Knows, learn
from mustango.train.checks import part
from mustango.train.latents import CAPTIONS_A_CLIP, WINDOW_S, LatentGrid, encode_dataset, load_text_encoder
from mustango.train.loop import SCHEDULER
from mustango.train.parts import begin, save_part

CONDITIONER = dict(
    dim=384, root_dim=128, time_dim=128, root_base=10000.0, n_beat_types=9, max_beats=1024, max_chords=1024,
    cycle_s=WINDOW_S,
    chord_types=(
        *CHORD_TYPES, "sus4", "sus2", "dim7", "minmaj7", "sus4(b7)", "9", "maj9", "min9", "maj(9)", "aug(b7)", "5",
    ),
)  # fmt: skip
MUNET = dict(
    in_channels=16, out_channels=16, block_out_channels=(96, 160, 224), layers_per_block=1, num_heads=(3, 5, 7),
    attention_levels=(False, False, True), cross_attention_dim=384, norm_num_groups=16, ff_mult=2, pooled_text=True,
    rotary_seconds=0.128, control_channels=CONTROL_CHANNELS, frames_per_row=8, columns=12,
)  # fmt: skip
PARTS_GIVEN, NOTES_GIVEN = 0.4, 0.3  # how often a draw is told the parts, and the melody and the hits


def min_snr_weight(alphas_cumprod, timesteps, gamma=5.0):
    """Weight of losses as the released Mustango was trained with, min(SNR, gamma) / SNR.

    The form of Hang et al. (2303.09556) for noise prediction, though it predicts velocities.
    """
    a = alphas_cumprod[timesteps]
    snr = a / (1 - a)
    return snr.clamp(max=gamma) / snr


def noisy_timesteps(size, steps=1000):
    """Draw timesteps (size,) with a density that grows with the noise.

    Half of them fall into the noisiest three tenths. There a clip's instruments and texture are settled. Weights that
    fade with the noise, such as `min_snr_weight`, leave them
    unlearned in a short training: clips then change their sound from second to second and from band to band.
    """
    return (steps * torch.rand(size).sqrt()).long().clamp(max=steps - 1)


def mean_inside(error, inside=None):
    """Return the means (B,) of errors (B, C, H, W) over those rows that are `inside` (B, H), all of them when None."""
    if inside is None:
        return error.mean(dim=(1, 2, 3))
    return (error * inside[:, None, :, None]).mean(dim=(1, 2, 3)) * (inside.shape[1] / inside.sum(dim=1))


def v_prediction_error(unet, scheduler, latents, noise, timesteps, condition, inside=None):
    """Return the mean squared error (B,) of MuNet's velocity on noised latents (B, C, H, W).

    Only rows that are `inside` (B, H) count.
    """
    noisy = scheduler.add_noise(latents, noise, timesteps)
    target = scheduler.get_velocity(latents, noise, timesteps)
    return mean_inside((unet(noisy, timesteps, condition) - target).square(), inside)


@dataclass(frozen=True)
class NoteControls:
    """What a row tells of parts, melody and drum hits: parts None, has_notes False where it does not.

    is_apart: some of its parts are left out.
    """

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
        """Return the Notes that a draw is told; `drop`: no others than a piece whose parts lie apart needs."""
        wanted = [not drop and rng.random() < share for share in (PARTS_GIVEN, NOTES_GIVEN, NOTES_GIVEN)]
        told = {"parts": self.parts} if self.is_apart or (wanted[0] and self.parts is not None) else {}
        if self.has_notes:
            told |= {
                name: value
                for name, value, is_wanted in zip(("melody", "hits"), (clip.melody, clip.hits), wanted[1:], strict=True)
                if is_wanted
            }
        return Notes(**told)


class TrainMuNet:
    """MuNet and the beat and chord encoders on cached latents, with condition dropout for guidance.

    Clips that are shorter than the longest are padded; the padding is not learnt from. Rows that have more beats or
    chords than the model can be told of are left out. Models without frame-aligned control are trained as the released
    one was: timesteps drawn evenly, errors weighted by `min_snr_weight`.
    """

    name = "munet"
    drops = 1.0  # how often conditions are left out, as a share of how often they are in training

    def __init__(self, folder, run, device="cpu", bf16=False):
        self.bf16 = bf16 or torch.device(device).type == "cuda"
        mel = LogMel.from_pretrained(part(run, "mel")).to(device)
        vae = AutoencoderKL.from_pretrained(part(run, "vae")).eval().to(device)
        tokenizer = AutoTokenizer.from_pretrained(part(run, "tokenizer"), trust_remote_code=False)
        text_encoder = load_text_encoder(part(run, "text_encoder")).eval().to(device)
        rows, paths = encode_dataset(folder, Path(run) / "munet" / "cache", (mel, vae, tokenizer, text_encoder))
        self.clips = [row_clip(row) for row in rows]
        self.notes = [NoteControls.of(row, clip) for row, clip in zip(rows, self.clips, strict=True)]
        with torch.no_grad():
            null_text = encode_text(tokenizer, text_encoder, [""])[0][0].half()
        files = [load_file(path, device=str(device)) for path in paths]
        self.latents = torch.cat([f["latents"] for f in files])  # (clips, C, H, W)
        # token after token; the null text's come last
        self.states = torch.cat([*(f["states"] for f in files), null_text])
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
        """Return the places of the clips whose beats and chords the model can be told of.

        Raises InputError when there are none.
        """
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
        """Draw whole clips, in three of ten batches twice as many halves: where latents and texts lie, and controls."""
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
            controls.append(control_signal(*control, rows * self.grid.frames, self.grid.row_s / self.grid.frames, notes=notes))
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
