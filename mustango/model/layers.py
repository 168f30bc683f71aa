"""What the denoiser is made of: streams of attention to text, beats and chords, the layers that hold them, its levels, its control.

Shapes: B batch, C channels, H latent rows (time), W latent columns (frequency), N = H * W positions, L tokens of a
condition, D features of a token, h heads, d channels of a head.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import torch
import torch.nn.functional as F
from diffusers.models.attention import FeedForward
from diffusers.models.resnet import ResnetBlock2D
from torch import nn
from torch.utils.checkpoint import checkpoint

from mustango.model.attention import Attention, Source

STREAMS = ("text", "beat", "chord")


@dataclass(frozen=True)
class Projected:
    """A Conditioning for all steps of a clip: Sources of each stream, one for rows of as many tokens.

    Their keys and values are projected at the first step and kept. kept: what a step leaves for those that make less anew.
    """

    sources: dict
    text_pooled: torch.Tensor | None
    control: torch.Tensor | None
    kept: dict = field(default_factory=dict)


class StreamBlock(nn.Module):
    """One condition's transformer on a feature map: self-attention, cross-attention to the condition, feed-forward."""

    def __init__(self, channels: int, heads: int, groups: int, source_dim: int, ff_mult: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(groups, channels, eps=1e-6)
        self.proj_in = nn.Linear(channels, channels)
        self.norm1 = nn.LayerNorm(channels)
        self.self_attention = Attention(channels, heads)
        self.norm2 = nn.LayerNorm(channels)
        self.cross_attention = Attention(channels, heads, source_dim)
        self.norm3 = nn.LayerNorm(channels)
        self.feed_forward = FeedForward(channels, mult=ff_mult, activation_fn="geglu")
        self.proj_out = nn.Linear(channels, channels)

    def forward(self, x: torch.Tensor, sources: list[Source], seconds: torch.Tensor | None) -> torch.Tensor:
        height_width = x.shape[2:]
        h = self.proj_in(self.norm(x).flatten(2).transpose(1, 2))
        h = h + self.self_attention(self.norm1(h))
        h = h + self.cross_attention(self.norm2(h), sources, seconds)
        h = h + self.feed_forward(self.norm3(h))
        return x + self.proj_out(h).transpose(1, 2).unflatten(2, height_width)


class Layer(nn.Module):
    """A residual block, then, at an attention place, the three streams: text, beat, chord, each on the one before."""

    def __init__(
        self,
        in_channels: int,
        channels: int,
        time_dim: int,
        groups: int,
        eps: float,
        attention: dict | None,
    ) -> None:
        super().__init__()
        self.resnet = ResnetBlock2D(in_channels=in_channels, out_channels=channels, temb_channels=time_dim, groups=groups, eps=eps)
        self.streams = nn.ModuleDict({name: StreamBlock(channels, **attention) for name in STREAMS} if attention else {})
        self.is_checkpointed = False  # whether the streams are computed again on the way back, to save memory

    def forward(
        self,
        x: torch.Tensor,
        temb: torch.Tensor,
        condition: Projected,
        seconds: torch.Tensor | None,
    ) -> torch.Tensor:
        return attend(self.streams, self.resnet(x, temb), condition, seconds, self.is_checkpointed and torch.is_grad_enabled())


def attend(
    streams: Any, x: torch.Tensor, condition: Projected, seconds: torch.Tensor | None, is_checkpointed: bool = False
) -> torch.Tensor:
    """Run text, beat and chord streams in turn; only beats and chords know time."""
    for name, stream in streams.items():
        when = None if name == "text" or seconds is None else seconds.repeat_interleave(x.shape[3])[None]
        sources = condition.sources[name]
        x = computed_again(stream, x, sources, when) if is_checkpointed else stream(x, sources, when)
    return x


def computed_again(stream: nn.Module, x: torch.Tensor, sources: list[Source], when: torch.Tensor | None) -> torch.Tensor:
    """Run a stream without keeping what its gradients need, which is computed again; keys and values are not kept, either."""
    (source,) = sources  # with masks, as `project` keeps a batch together for training

    def run(x: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
        return stream(x, [Source(features, source.mask, source.seconds)], when)

    return cast(torch.Tensor, checkpoint(run, x, source.features, use_reentrant=False))


def times_of_rows(row_s: float | None, rows: int, x: torch.Tensor) -> torch.Tensor | None:
    """Return the times of the rows of a map x (B, C, h, w): the middles of the latent rows that a row covers.

    row_s: seconds of one of the `rows` latent rows; None without rotary time, which gives None.
    """
    if row_s is None:
        return None
    level_s = row_s * 2 ** round(math.log2(rows / x.shape[2]))
    return (torch.arange(x.shape[2], device=x.device) + 0.5) * level_s


class Down(nn.Module):
    """A level on the way down: layers, then, but at the last level, half the rows and columns."""

    def __init__(self, layers: Iterable[nn.Module], downsample: nn.Module | None) -> None:
        super().__init__()
        self.layers, self.downsample = nn.ModuleList(layers), downsample

    def forward(
        self,
        x: torch.Tensor,
        temb: torch.Tensor,
        condition: Projected,
        times: Callable[[torch.Tensor], torch.Tensor | None],
    ) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Return the map, and the list of maps that the way up takes again."""
        skips = []
        for layer in self.layers:
            x = layer(x, temb, condition, times(x))
            skips.append(x)
        if self.downsample is not None:
            x = self.downsample(x)
            skips.append(x)
        return x, skips


class Up(nn.Module):
    """A level on the way up: layers, each with a map of the way down beside its input.

    Then the map becomes larger, but at the first level.
    """

    def __init__(self, layers: Iterable[nn.Module], upsample: nn.Module | None) -> None:
        super().__init__()
        self.layers, self.upsample = nn.ModuleList(layers), upsample

    def forward(
        self,
        x: torch.Tensor,
        skips: list[torch.Tensor],
        temb: torch.Tensor,
        condition: Projected,
        times: Callable[[torch.Tensor], torch.Tensor | None],
        size: Sequence[int],
    ) -> torch.Tensor:
        """Return the map (B, C, *size); `skips` are taken from the end."""
        for layer, skip in zip(self.layers, reversed(skips), strict=True):
            x = layer(torch.cat([x, skip], dim=1), temb, condition, times(x))
        return x if self.upsample is None else self.upsample(x, output_size=size)


class Control(nn.Module):
    """Frame-aligned control (B, K, T) -> a map (B, C, H, W) at the latent's rate, added to the denoiser's input.

    Of the control's channels it takes the first.
    """

    def __init__(self, control_channels: int, channels: int, frames_per_row: int, columns: int) -> None:
        super().__init__()
        width, self.columns = 96, columns
        halvings = int(math.log2(frames_per_row))
        sizes = [control_channels] + [width] * halvings
        self.convs = nn.ModuleList(nn.Conv1d(a, b, 5, stride=2, padding=2) for a, b in zip(sizes, sizes[1:], strict=False))
        self.out = nn.Conv1d(sizes[-1], channels * columns, 3, padding=1)

    def forward(self, control: torch.Tensor) -> torch.Tensor:
        control = control[:, : self.convs[0].in_channels]
        for conv in self.convs:
            control = F.silu(conv(control))
        return self.out(control).unflatten(1, (-1, self.columns)).transpose(2, 3)
