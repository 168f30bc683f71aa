"""MuNet: the denoiser, a UNet whose attention places attend to text, then beats, then chords (paper section 3.3).

Shapes: B batch, C channels, H latent rows (time), W latent columns (frequency), N = H * W positions, L tokens of a
condition, D features of a token, h heads, d channels of a head.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, cast

import torch
import torch.nn.functional as F
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from diffusers.loaders import PeftAdapterMixin
from diffusers.models.attention import AttentionMixin
from diffusers.models.cache_utils import CacheMixin
from diffusers.models.downsampling import Downsample2D
from diffusers.models.embeddings import TimestepEmbedding, get_timestep_embedding
from diffusers.models.resnet import ResnetBlock2D
from diffusers.models.upsampling import Upsample2D
from diffusers.utils.peft_utils import set_weights_and_activate_adapters
from torch import nn

from mustango.model.attention import Source, attention_mask, trimmed
from mustango.model.conditioning import Conditioning
from mustango.model.layers import Control, Down, Layer, Projected, Up, times_of_rows


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
