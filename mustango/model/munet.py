"""MuNet: the denoiser, a UNet whose attention places attend to text, then beats, then chords (paper section 3.3).

Shapes: B batch, C channels, H latent rows (time), W latent columns (frequency), N = H * W positions, L tokens of a
condition, D features of a token, h heads, d channels of a head.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

import torch
import torch.nn.functional as F
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from diffusers.loaders import PeftAdapterMixin
from diffusers.models.attention import AttentionMixin, FeedForward
from diffusers.models.cache_utils import CacheMixin
from diffusers.models.downsampling import Downsample2D
from diffusers.models.embeddings import TimestepEmbedding, get_timestep_embedding
from diffusers.models.resnet import ResnetBlock2D
from diffusers.models.upsampling import Upsample2D
from diffusers.utils.peft_utils import set_weights_and_activate_adapters
from torch import nn
from torch.utils.checkpoint import checkpoint

from mustango.model.attention import Attention, Source, attention_mask, trimmed
from mustango.model.conditioning import Conditioning

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


def way_down(
    widths: Sequence[int],
    layers_per_block: int,
    layer: Callable[[int, int], Layer],
) -> tuple[nn.ModuleList, list[int]]:
    """Return the levels of the way down, and the widths of the maps that they hand to the way up.

    layer: makes a Layer of the width of its input and its level.
    """
    ways, skips, width = nn.ModuleList(), [widths[0]], widths[0]
    for level in range(len(widths)):
        layers = []
        for _ in range(layers_per_block):
            layers.append(layer(width, level))
            width = widths[level]
            skips.append(width)
        downsample = None
        if level < len(widths) - 1:
            downsample = Downsample2D(width, use_conv=True, padding=1, name="op")
            skips.append(width)
        ways.append(Down(layers, downsample))
    return ways, skips


def way_up(
    widths: Sequence[int],
    layers_per_block: int,
    layer: Callable[[int, int], Layer],
    skips: list[int],
) -> nn.ModuleList:
    """Return the levels of the way up; `skips` are the widths that `way_down` returned, and are used up."""
    ways, width = nn.ModuleList(), widths[-1]
    for level in reversed(range(len(widths))):
        layers = []
        for _ in range(layers_per_block + 1):
            layers.append(layer(width + skips.pop(), level))
            width = widths[level]
        ways.append(Up(layers, Upsample2D(width, use_conv=True) if level else None))
    return ways


class MuNet(ModelMixin, ConfigMixin, AttentionMixin, CacheMixin, PeftAdapterMixin):
    """The denoiser. Defaults are the released model's config; the fields below `ff_mult` are off for it.

    num_heads: heads at each level. attention_levels: which levels have attention (the mid block always has).
    pooled_text: add the pooled text to the time embedding. rotary_seconds: seconds of one latent row; gives beat and
    chord attention rotary time. control_channels: frame-aligned control, `frames_per_row` frames a latent row, for
    latents `columns` wide.
    """

    __module__ = "mustango"  # under which model folders name it

    config: Any  # diffusers gives it: the arguments of __init__ as attributes

    _supports_gradient_checkpointing = False
    _no_split_modules = ["Layer"]
    _repeated_blocks = ["StreamBlock", "ResnetBlock2D"]  # what `compile_repeated_blocks` compiles

    @register_to_config
    def __init__(
        self,
        in_channels: int = 8,
        out_channels: int = 8,
        block_out_channels: tuple = (320, 640, 1280, 1280),
        layers_per_block: int = 2,
        num_heads: tuple = (5, 10, 20, 20),
        attention_levels: tuple = (True, True, True, False),
        cross_attention_dim: int = 1024,
        norm_num_groups: int = 32,
        norm_eps: float = 1e-5,
        ff_mult: int = 4,
        pooled_text: bool = False,
        rotary_seconds: float | None = None,
        control_channels: int = 0,
        frames_per_row: int = 8,
        columns: int = 16,
    ):
        super().__init__()
        widths = tuple(block_out_channels)
        time_dim = 4 * widths[0]
        self.conv_in = nn.Conv2d(in_channels, widths[0], 3, padding=1)
        self.time_embedding = TimestepEmbedding(widths[0], time_dim)
        self.text_pool = nn.Linear(cross_attention_dim, time_dim) if pooled_text else None
        self.control = Control(control_channels, widths[0], frames_per_row, columns) if control_channels else None

        def attention(level):
            return dict(heads=num_heads[level], groups=norm_num_groups, source_dim=cross_attention_dim, ff_mult=ff_mult)

        def layer(in_width, level):
            with_attention = attention(level) if attention_levels[level] else None
            return Layer(in_width, widths[level], time_dim, norm_num_groups, norm_eps, with_attention)

        self.down, skips = way_down(widths, layers_per_block, layer)
        width = widths[-1]
        self.mid = Layer(width, width, time_dim, norm_num_groups, norm_eps, attention(len(widths) - 1))
        self.mid_resnet = ResnetBlock2D(
            in_channels=width, out_channels=width, temb_channels=time_dim, groups=norm_num_groups, eps=norm_eps
        )

        self.up = way_up(widths, layers_per_block, layer, skips)
        self.conv_norm_out = nn.GroupNorm(norm_num_groups, widths[0], eps=norm_eps)
        self.conv_out = nn.Conv2d(widths[0], out_channels, 3, padding=1)

    def widen_control(self, channels: int) -> None:
        """Let the model take `channels` of control.

        What it makes stays as it is until the new ones, whose weights are 0, are learnt.
        """
        assert self.control is not None
        conv = cast(Any, self.control.convs[0])
        if conv.in_channels >= channels:
            return
        wide = nn.Conv1d(channels, conv.out_channels, conv.kernel_size, stride=conv.stride, padding=conv.padding).to(conv.weight)
        with torch.no_grad():
            wide.weight.zero_()
            wide.weight[:, : conv.in_channels] = conv.weight
            cast(torch.Tensor, wide.bias).copy_(conv.bias)
        self.control.convs[0] = wide
        self.register_to_config(control_channels=channels)

    def enable_gradient_checkpointing(self, *_: Any) -> None:
        """Compute text, beat and chord attention again on the way back: slower, with less memory."""
        for module in self.modules():
            if isinstance(module, Layer):
                module.is_checkpointed = True

    def disable_gradient_checkpointing(self) -> None:
        """Keep what gradients need, as is usual."""
        for module in self.modules():
            if isinstance(module, Layer):
                module.is_checkpointed = False

    def set_adapters(self, adapter_names: str | Sequence[str], weights: float | Sequence[float] | None = None) -> None:
        """Choose which of the LoRA adapters on the model are active, and how strongly; diffusers knows its own models alone."""
        names = [adapter_names] if isinstance(adapter_names, str) else [*adapter_names]
        scales = weights if isinstance(weights, (list, tuple)) else [weights] * len(names)
        set_weights_and_activate_adapters(self, names, [1.0 if scale is None else scale for scale in scales])

    def project(self, condition: Conditioning, with_masks: bool = False) -> Projected:
        """Prepare conditions for all steps of a clip; `forward` takes the result as `condition`.

        It projects their keys and values at the first step and takes them again at the others. Rows are grouped by how
        many of their tokens count; with masks (in training, where lengths are many) they stay together.
        """
        rotary = self.config.rotary_seconds is not None
        beat_times, chord_times = (condition.beat_times, condition.chord_times) if rotary else (None, None)
        streams = {
            "text": (condition.text, condition.text_mask, None),
            "beat": (condition.beats, condition.beat_mask, beat_times),
            "chord": (condition.chords, condition.chord_mask, chord_times),
        }
        sources = {}
        for name, (features, mask, seconds) in streams.items():
            if with_masks:
                sources[name] = [Source(features, attention_mask(mask, features.dtype), seconds)]
            else:
                sources[name] = trimmed(features, mask, seconds)
        return Projected(sources, condition.text_pooled, condition.control)

    def forward(
        self,
        sample: torch.Tensor,
        timestep: torch.Tensor | float,
        condition: Conditioning | Projected,
        reuse: bool = False,
    ) -> torch.Tensor:
        """Return the model output (B, C, H, W) for noisy latents `sample` (B, C, H, W).

        `timestep` is a number or (B,); `condition` is a Conditioning, or what `project` made of it. reuse: take the
        levels below the first as the last whole call of this condition left them, of its last B clips (after Ma et al.,
        "DeepCache: accelerating diffusion models for free", 2312.00858).
        """
        if isinstance(condition, Conditioning):
            condition = self.project(condition, with_masks=True)
        timestep = torch.as_tensor(timestep, device=sample.device).expand(sample.shape[0])
        code = get_timestep_embedding(timestep, self.config.block_out_channels[0], flip_sin_to_cos=True, downscale_freq_shift=0)
        temb = self.time_embedding(code.to(sample.dtype))
        if self.text_pool is not None:
            temb = temb + self.text_pool(condition.text_pooled)
        x = self.conv_in(sample)
        if self.control is not None:
            x = x + self._controlled(condition)
        x = self._shallow(x, temb, condition) if reuse else self._whole(x, temb, condition)
        return self.conv_out(F.silu(self.conv_norm_out(x)))

    def _controlled(self, condition):
        """Return the map (B, C, H, W) of a condition's control, made at the first step."""
        name = "control", len(condition.control)
        if name not in condition.kept:
            condition.kept[name] = cast(Control, self.control)(condition.control)
        return condition.kept[name]

    def _whole(self, x, temb, condition):
        """Return the map (B, C, H, W) that all levels make of a map; what enters the last is kept."""
        times = partial(times_of_rows, self.config.rotary_seconds, x.shape[2])
        skips = [x]
        for block in self.down:
            x, passed = block(x, temb, condition, times)
            skips += passed

        x = self.mid_resnet(self.mid(x, temb, condition, times(x)), temb)

        for block in self.up:
            count = len(cast(Up, block).layers)
            skips, own = skips[:-count], skips[-count:]
            if not skips:
                condition.kept["deep"] = x
            x = block(x, own, temb, condition, times, tuple(skips[-1].shape[2:]) if skips else None)
        return x

    def _shallow(self, x, temb, condition):
        """Return the map that the first and the last level make of a map and of what a whole call left between them."""
        times, skips = partial(times_of_rows, self.config.rotary_seconds, x.shape[2]), [x]
        for layer in cast(Down, self.down[0]).layers:
            skips.append(layer(skips[-1], temb, condition, times(x)))
        return self.up[-1](condition.kept["deep"][-len(x) :], skips, temb, condition, times, None)
