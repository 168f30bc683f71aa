"""Beats and chords -> what MuNet attends to: token features (paper section 3.2).

Shapes: B batch, L tokens, D features, T mel frames, K control channels (`mustango.model.control`).
"""

import weakref
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from torch import nn

from musicbench import InputError
from musicbench.music.chords import Chord

# The released chord types, in the order of their ids; "N" is no chord.
CHORD_TYPES = ("pad", "N", "maj", "maj7", "min", "min6", "min7", "hdim7", "maj6", "7", "aug", "dim")
PAD, NONE = 0, 1  # ids shared by roots, types and inversions
INVERTED, ROOT_POSITION = 2, 3


@dataclass(frozen=True)
class Conditioning:
    """What one call of MuNet is conditioned on; the batch comes first, None where a model has no use for it.

    text, beats, chords: features (B, L, D); *_mask (B, L) bool, True for real tokens; *_times (B, L) seconds;
    text_pooled (B, D); control (B, K, T).
    """

    text: torch.Tensor
    text_mask: torch.Tensor
    beats: torch.Tensor
    beat_mask: torch.Tensor
    chords: torch.Tensor
    chord_mask: torch.Tensor
    text_pooled: torch.Tensor | None = None
    beat_times: torch.Tensor | None = None
    chord_times: torch.Tensor | None = None
    control: torch.Tensor | None = None

    def to(self, device: torch.device | str | None) -> "Conditioning":
        """Return the same on another device."""
        return replace(self, **{name: value.to(device) for name, value in vars(self).items() if value is not None})

    def last(self, clips: int) -> "Conditioning":
        """Return the same of the last clips alone, those that follow the null conditions."""
        return replace(self, **{name: value[-clips:] for name, value in vars(self).items() if value is not None})


def encode_text(
    tokenizer: Any, text_encoder: Any, texts: list[str], device: torch.device | str | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return token states (B, L, D) and mask (B, L) bool of texts, padded to the longest; a text beyond the limit is cut.

    device: where the encoder runs, if its weights lie elsewhere until then (offloading).
    """
    device = text_encoder.device if device is None else device
    ids, mask = (tensor.to(device) for tensor in text_tokens(tokenizer, text_encoder, texts))
    return text_encoder(input_ids=ids, attention_mask=mask).last_hidden_state, mask.bool()


def text_tokens(tokenizer: Any, text_encoder: Any, texts: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return token ids and mask (B, L) of texts on the CPU, padded to the longest; a text beyond the limit is cut."""
    limit = min(tokenizer.model_max_length, getattr(text_encoder.config, "max_position_embeddings", 512))
    tokens = tokenizer(texts, padding=True, truncation=True, max_length=limit, return_tensors="pt")
    return tokens.input_ids, tokens.attention_mask


class TextStates:
    """The states (L, D) of texts, each encoded alone and kept: the same text is not encoded twice by the same encoder."""

    def __init__(self, most: int = 64) -> None:
        self._most, self._kept, self._encoder = most, {}, None

    def of(self, texts: Sequence[str], tokenizer: Any, text_encoder: Any, device: torch.device | str | None) -> list[torch.Tensor]:
        """Return the states of texts, see `encode_text`."""
        encoder = weakref.ref(text_encoder), text_encoder.dtype, sum(1 for _ in text_encoder.modules())
        if encoder != self._encoder:
            self._kept, self._encoder = {}, encoder
        found = {}
        for text in dict.fromkeys(texts):
            found[text] = self._kept.pop(text, None)
            if found[text] is None:
                found[text] = encode_text(tokenizer, text_encoder, [text], device)[0][0]
        self._kept = dict(list((self._kept | found).items())[-self._most :])
        return [found[text].to(device) for text in texts]


def together(states: Sequence[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return states (B, L, D) and mask (B, L) bool of texts' states (L, D), padded with zeros to the longest."""
    lengths = torch.tensor([len(x) for x in states], device=states[0].device)
    mask = torch.arange(int(lengths.max()), device=lengths.device) < lengths[:, None]
    return torch.nn.utils.rnn.pad_sequence(list(states), batch_first=True), mask


def pooled(states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return the mean (B, D) of the real tokens' states."""
    return (states * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)


def sinusoid(x: torch.Tensor, dim: int, base: float) -> torch.Tensor:
    """Return interleaved [sin, cos] codes (..., dim) of numbers x (...): frequency i is base^(-2 (i // 2) / dim)."""
    index = torch.arange(dim, device=x.device)
    angles = 1 / torch.pow(torch.tensor(float(base)), (2 * (index // 2)) / dim)
    values = x.unsqueeze(-1) * angles.to(x)
    return torch.where(index % 2 == 0, values.sin(), values.cos())


class Conditioner(ModelMixin, ConfigMixin):
    """The beat and chord encoders. Defaults are the released model's sizes.

    cycle_s: how long the clips were that the model learnt from, if it has other means (rotary time) to tell the order of tokens
    in longer ones: the time code begins anew after it, so that no code comes that was never learnt.

    A beat is one_hot(position) ++ code(time); a chord is code(root) + bias ++ one_hot(type) ++ one_hot(inversion) ++
    code(time); each goes through one linear layer. The released root code has base 1: every frequency is the same.
    """

    __module__ = "mustango"  # under which model folders name it

    config: Any  # diffusers gives it: the arguments of __init__ as attributes

    @register_to_config
    def __init__(
        self,
        dim: int = 1024,
        root_dim: int = 1024,
        time_dim: int = 1024,
        root_base: float = 1.0,
        time_base: float = 10001.0,
        n_beat_types: int = 7,
        chord_types: tuple = CHORD_TYPES,
        n_inversions: int = 4,
        max_beats: int = 50,
        max_chords: int = 20,
        cycle_s: float | None = None,
    ):
        super().__init__()
        self.root_bias = nn.Parameter(torch.zeros(1, root_dim))
        self.beat_projection = nn.Linear(n_beat_types + time_dim, dim)
        self.chord_projection = nn.Linear(root_dim + len(chord_types) + n_inversions + time_dim, dim)

    def beat_tokens(self, times: Sequence[float], positions: Sequence[int]) -> tuple[list[int], list[float]]:
        """Return ids (L,) and times (L,) of one item's beats; [] gives none. Raises InputError beyond the model's limits."""
        c = self.config
        if len(times) > c.max_beats:
            raise InputError(f"{len(times)} beats are above the model's {c.max_beats}; shorten the clip or slow the tempo")
        highest = c.n_beat_types - 2
        for p in positions:
            if not 1 <= p <= highest:
                raise InputError(f"beat position {p} is outside the model's 1-{highest}; choose a meter of at most {highest} beats")
        return [int(p) + 1 for p in positions], [float(t) for t in times]

    def chord_tokens(
        self,
        chords: Sequence[Chord],
        times: Sequence[float],
    ) -> tuple[list[tuple[int, int, int]], list[float]]:
        """Return (root, type, inversion) ids (L, 3) and times (L,) of one item's chords; [] gives the null chord N at 0.

        A quality outside the vocabulary becomes the nearest one in it. Raises InputError for too many chords.
        """
        c = self.config
        if len(chords) > c.max_chords:
            raise InputError(f"{len(chords)} chords are above the model's {c.max_chords}; give fewer chords or a shorter clip")
        types = list(c.chord_types)
        ids = []
        for chord in chords:
            if chord.root is None:
                ids.append((NONE, NONE, NONE))
                continue
            quality = chord.reduced(types[2:]).quality
            ids.append(((chord.root - 9) % 12 + 2, types.index(quality), ROOT_POSITION if chord.bass is None else INVERTED))
        return (ids, [float(t) for t in times]) if ids else ([(NONE, NONE, NONE)], [0.0])

    def _time_code(self, times):
        c = self.config
        return sinusoid(times % c.cycle_s if c.cycle_s else times, c.time_dim, c.time_base)

    def embed_beats(self, ids: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
        """Return features (B, L, D) of beat ids (B, L) at times (B, L)."""
        one_hot = F.one_hot(ids, self.config.n_beat_types)
        code = self._time_code(times)
        return self.beat_projection(torch.cat([one_hot.to(code), code], -1).to(self.dtype))

    def embed_chords(self, ids: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
        """Return features (B, L, D) of chord ids (B, L, 3) at times (B, L)."""
        c = self.config
        root = sinusoid(ids[..., 0].float(), c.root_dim, c.root_base) + self.root_bias.float()
        kind = F.one_hot(ids[..., 1], len(c.chord_types))
        inversion = F.one_hot(ids[..., 2], c.n_inversions)
        code = self._time_code(times)
        return self.chord_projection(torch.cat([root, kind.to(code), inversion.to(code), code], -1).to(self.dtype))

    def tokens(self, beats: Sequence, chords: Sequence, beat_length: int = 1, chord_length: int = 1) -> dict[str, torch.Tensor]:
        """Return ids, times and masks of a batch as CPU tensors, for `embed`; arguments as for `forward`."""
        beat_ids, beat_times, beat_mask = _padded([self.beat_tokens(*item) for item in beats], PAD, beat_length)
        chord_ids, chord_times, chord_mask = _padded([self.chord_tokens(*item) for item in chords], (PAD,) * 3, chord_length)
        return {
            "beat_ids": beat_ids, "beat_times": beat_times, "beat_mask": beat_mask,
            "chord_ids": chord_ids, "chord_times": chord_times, "chord_mask": chord_mask,
        }  # fmt: skip

    def embed(self, tokens: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Return the Conditioning fields of `tokens`, see `forward`."""
        fields = {name: tokens[name] for name in ("beat_mask", "beat_times", "chord_mask", "chord_times")}
        return {
            "beats": self.embed_beats(tokens["beat_ids"], tokens["beat_times"]),
            "chords": self.embed_chords(tokens["chord_ids"], tokens["chord_times"]),
            **fields,
        }

    def forward(self, beats: Sequence, chords: Sequence, beat_length: int = 1, chord_length: int = 1) -> dict[str, torch.Tensor]:
        """Encode a batch. `beats`: [(times, positions), ...]; `chords`: [(chords, times), ...]; ([], []) is the null condition.

        Returns a dict of the Conditioning fields beats, beat_mask, beat_times, chords, chord_mask, chord_times, padded to
        the longest item or to the given lengths (the released training pads to 50 and 20).
        """
        tokens = self.tokens(beats, chords, beat_length, chord_length)
        device = self.root_bias.device  # under offloading only now where the other weights will be
        return self.embed({name: tensor.to(device) for name, tensor in tokens.items()})


def _padded(items, pad, length):
    """Pad ids with `pad` and times with the last time; returns tensors (ids, times, mask)."""
    length = max(length, *(len(ids) for ids, _ in items))
    ids = [list(i) + [pad] * (length - len(i)) for i, _ in items]
    times = [t + [t[-1] if t else 0.0] * (length - len(t)) for _, t in items]
    mask = [[True] * len(i) + [False] * (length - len(i)) for i, _ in items]
    return torch.tensor(ids), torch.tensor(times), torch.tensor(mask)
