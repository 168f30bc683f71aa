"""Train MuNet and the beat and chord encoders on latents and texts (see `mustango.train.latents`), by a recipe.

Shapes: B batch, C latent channels, H rows of latents (time), W columns (frequency).
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL, DDPMScheduler
from torch.nn.utils.rnn import pad_sequence
from transformers import AutoTokenizer

from musicbench import InputError
from musicbench.build.clauses import sentences
from musicbench.build.dataset import row_clip
from mustango.model.conditioning import (
    CHORD_TYPES,
    Conditioner,
    Conditioning,
    pooled,
    text_tokens,
)
from mustango.model.control import CONTROL_CHANNELS, Notes, control_signal
from mustango.model.mel import LogMel
from mustango.model.munet import MuNet
from mustango.release.files import read_json
from mustango.request.knows import Knows, learn
from mustango.train.checks import part
from mustango.train.latents import WINDOW_S, LatentGrid, encode_dataset, load_text_encoder
from mustango.train.loop import SCHEDULER
from mustango.train.parts import begin, save_part
from mustango.train.recipe import Recipe
from mustango.train.sources import leave_out, open_source, tell_left_out
from mustango.train.texts import with_sentences_dropped

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
PARTS_GIVEN, NOTES_GIVEN = 0.4, 0.5  # how often a draw is told the parts, and the melody and the hits


def min_snr_weight(alphas_cumprod, timesteps, gamma=5.0):
    """Weight of losses as the released Mustango was trained with, min(SNR, gamma) / SNR.

    The form of Hang et al. (2303.09556) for noise prediction, though it predicts velocities.
    """
    a = alphas_cumprod[timesteps]
    snr = a / (1 - a)
    return snr.clamp(max=gamma) / snr


def noisy_timesteps(size, steps=1000, generator=None):
    """Draw timesteps (size,) with a density that grows with the noise.

    Half of them fall into the noisiest three tenths. There a clip's instruments and texture are settled. Weights that
    fade with the noise, such as `min_snr_weight`, leave them
    unlearned in a short training: clips then change their sound from second to second and from band to band.
    """
    return (steps * torch.rand(size, generator=generator).sqrt()).long().clamp(max=steps - 1)


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


@lru_cache(4)
def shuffled(count, seed, epoch):
    """Return the places of `count` clips in the order of an epoch."""
    return np.random.default_rng([seed, epoch]).permutation(count)


class TrainMuNet:
    """MuNet and the beat and chord encoders on cached latents, with condition dropout for guidance, by a Recipe.

    Clips that are shorter than the longest are padded; the padding is not learnt from, unless the recipe says so. Rows
    that have more beats or chords than the model can be told of are left out. Models without frame-aligned control are
    trained as the released one was: timesteps drawn evenly, errors weighted by `min_snr_weight`.
    """

    name = "munet"
    drops = 1.0  # how often conditions are left out, as a share of how often they are in training

    def __init__(self, data, run, device="cpu", bf16=False, recipe=None, audio=None):
        self.bf16, self.recipe, source = bf16, recipe or Recipe(), open_source(data, audio)
        mel = LogMel.from_pretrained(part(run, "mel")).to(device)
        vae = AutoencoderKL.from_pretrained(part(run, "vae")).eval().to(device)
        self.tokenizer = AutoTokenizer.from_pretrained(part(run, "tokenizer"), trust_remote_code=False)
        text_encoder = (
            load_text_encoder(part(run, "text_encoder"), self.recipe.text_dropout).eval().requires_grad_(False).to(device)
        )
        cache = Path(run) / self.name / "cache"
        self.encoded = encode_dataset(source, cache, (mel, vae, self.tokenizer, text_encoder), self.recipe)
        self.text_encoder = text_encoder.train(self.recipe.text_dropout > 0) if self.recipe.encodes_texts_at_each_step else None
        rows = self.encoded.rows
        self.clips = [row_clip(row) for row in rows]
        self.notes = [NoteControls.of(row, clip) for row, clip in zip(rows, self.clips, strict=True)]
        self.grid, self.rows = LatentGrid.of(mel, vae), self.encoded.longest
        self.clip_rows = [self.rows if self.recipe.padding_counts else self.grid.rows(row) for row in rows]
        unet, conditioner = begin(MuNet, MUNET, run, "unet"), begin(Conditioner, CONDITIONER, run, "conditioner")
        if unet.control is not None:
            unet.widen_control(CONTROL_CHANNELS)
        self.model = torch.nn.ModuleDict({"unet": unet, "conditioner": conditioner}).to(device)
        unread = {rows[place]["location"] for place in self.encoded.bad}  # those that were found when they were encoded
        leave_out(source, {name: f"the sound of {name} cannot be read" for name in unread - source.bad.keys()})
        tell_left_out(source)
        self.learnable = self._learnable(data)
        self.sentences = np.mean([len(sentences(rows[index]["main_caption"])) for index in self.learnable])
        self.learnt = Knows.of_rows([rows[index] for index in self.learnable])
        own = Path(run) / "parts" / "scheduler" / "scheduler_config.json"
        self.scheduler = DDPMScheduler.from_config(read_json(own)) if own.is_file() else DDPMScheduler(**SCHEDULER)

    def _learnable(self, data):
        """Return the places of the clips whose beats and chords the model can be told of.

        Raises InputError when there are none.
        """
        conditioner, learnable, refused = self.model["conditioner"], [], None
        for index, clip in enumerate(self.clips):
            if index in self.encoded.bad:
                continue
            try:
                conditioner.tokens([(clip.beat_times, clip.beat_positions)], [(clip.chords, clip.chord_times)])
            except InputError as error:
                refused = error
            else:
                learnable.append(index)
        if refused:
            left_out = len(self.clips) - len(self.encoded.bad) - len(learnable)
            print(f"{left_out} of {len(self.clips)} rows of {data} are left out: {refused}", flush=True)
        if not learnable:
            raise InputError(f"no row of {data} can be learnt from: {refused}")
        return learnable

    def _drawn_places(self, rng, size, at):
        """Yield the places of the clips of a batch: each drawn, or the next of an epoch. at: (seed, step)."""
        count = len(self.learnable)
        for number in range(at[1] * size, (at[1] + 1) * size):
            if self.recipe.order == "epochs":
                yield self.learnable[shuffled(count, at[0], number // count)[number % count]]
            else:
                yield self.learnable[int(rng.integers(count))]

    def draw(self, rng, size, at=(0, 0)):
        """Draw whole clips, in some batches twice as many halves: latents and noise for them, texts, beats, chords and control."""
        recipe, rows = self.recipe, self.rows
        if rng.random() < recipe.halves:
            size, rows = 2 * size, rows // 2
        generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
        column = int(rng.random() >= recipe.main_share)  # of the batch: main_caption, or alt_caption
        latents, inside, texts, beats, chords, controls = [], [], [], [], [], []
        for index in self._drawn_places(rng, size, at):
            first = int(rng.integers(max(self.clip_rows[index] - rows, 0) + 1))
            latents.append(self.encoded.latents(index, first, rows, generator))
            inside.append(first + torch.arange(rows) < self.clip_rows[index])
            drop_all = rng.random() < recipe.drop_all * self.drops
            drop_text, drop_beats, drop_chords, drop_control = (
                drop_all or rng.random() < share * self.drops
                for share in (recipe.drop_text, recipe.drop_beats, recipe.drop_chords, recipe.drop_control)
            )
            own = self.encoded.captions[index]
            caption = own[int(rng.integers(len(own))) if recipe.wordings else column]
            texts.append(0 if drop_text else caption)
            clip = self.clips[index].cropped(first * self.grid.row_s, rows * self.grid.row_s)
            notes = self.notes[index].drawn(rng, clip, drop_control)
            beats.append(([], []) if drop_beats else (clip.beat_times, clip.beat_positions))
            chords.append(([], []) if drop_chords else (clip.chords, clip.chord_times))
            control = (([], []), ([], [])) if drop_control else (beats[-1], chords[-1])
            controls.append(control_signal(*control, rows * self.grid.frames, self.grid.row_s / self.grid.frames, notes=notes))
        latents = torch.stack(latents)
        return {
            "latents": latents,
            "noise": torch.randn(latents.shape, generator=generator),
            "timesteps": self._drawn_timesteps(len(latents), generator),
            "inside": torch.stack(inside),
            "control": torch.from_numpy(np.stack(controls)),
            **self._told(texts, rng),
            **self.model["conditioner"].tokens(beats, chords),
        }

    def _drawn_timesteps(self, size, generator):
        steps = self.scheduler.config.num_train_timesteps
        if self.model["unet"].config["control_channels"]:
            return noisy_timesteps(size, steps, generator)
        return torch.randint(steps, (size,), generator=generator)

    def _told(self, texts, rng):
        """Return what is told of texts, by their places: their states, or their tokens where those are encoded at each step; and the mask."""
        if self.text_encoder is None:
            states = [self.encoded.states(text) for text in texts]
            mask = pad_sequence([torch.ones(len(own), dtype=torch.bool) for own in states], batch_first=True)
            return {"text": pad_sequence(states, batch_first=True), "text_mask": mask}
        share = self.recipe.drop_sentences
        said = [with_sentences_dropped(self.encoded.texts[text], rng, share, self.sentences) for text in texts]
        ids, mask = text_tokens(self.tokenizer, self.text_encoder, said)
        return {"text_ids": ids, "text_mask": mask.bool()}

    def condition(self, batch, conditioner):
        """Return what a batch is conditioned on, its beats and chords encoded by `conditioner`."""
        sizes, mask = self.model["unet"].config, batch["text_mask"]
        if self.text_encoder is None:
            text = batch["text"].float()
        else:
            with torch.no_grad():
                text = self.text_encoder(input_ids=batch["text_ids"], attention_mask=mask.long()).last_hidden_state
        return Conditioning(
            text=text, text_mask=mask,
            text_pooled=pooled(text, mask) if sizes["pooled_text"] else None,
            control=batch["control"] if sizes["control_channels"] else None,
            **conditioner.embed(batch),
        )  # fmt: skip

    def loss(self, batch):
        condition, t = self.condition(batch, self.model["conditioner"]), batch["timesteps"]
        given = batch["latents"], batch["noise"], t, condition, batch["inside"]
        with torch.autocast(t.device.type, torch.bfloat16, enabled=self.bf16):
            error = v_prediction_error(self.model["unet"], self.scheduler, *given)
        if not self.model["unet"].config["control_channels"] and self.recipe.snr_gamma:
            error = error * min_snr_weight(self.scheduler.alphas_cumprod.to(t.device), t, self.recipe.snr_gamma)
        noisy = (error * (t > 700)).sum().detach() / (t > 700).sum().clamp(min=1)
        return error.mean(), {"noisy": noisy}

    def save(self, parts):
        save_part(self.model["unet"], parts / "unet")
        save_part(self.model["conditioner"], parts / "conditioner")
        learn(parts, self.learnt)
