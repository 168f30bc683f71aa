"""Attention to a condition: what is attended to, its mask, its time; run by the backend that is chosen.

Shapes: B batch, C channels, N positions, L tokens of a condition, D features of a token, h heads, d channels of a head.
"""

import math
from dataclasses import dataclass, field
from typing import Any, cast

import torch
from diffusers.models.attention import AttentionModuleMixin
from diffusers.models.attention_dispatch import dispatch_attention_fn
from torch import nn

from musicbench import InputError

MASKING_BACKENDS = ("native", "_native_efficient", "_native_math", "_native_cudnn", "flex", "xformers")  # of diffusers


@dataclass(frozen=True)
class Source:
    """What one stream attends to: features (B, L, D), their mask and times.

    With them the keys and values that each Attention made of them.
    """

    features: torch.Tensor
    mask: torch.Tensor | None
    seconds: torch.Tensor | None
    keys_values: dict = field(default_factory=dict)


def attention_mask(mask: torch.Tensor, dtype: torch.dtype) -> torch.Tensor | None:
    """Turn a token mask (B, L) into what the kernel takes for queries of `dtype`.

    It is None where every token counts, else (B, 1, 1, L). Bool masks: where a row has no True, -10000 is added to the
    scores of masked tokens, as the released model does; all of such a row's then count, as if none was masked. Float
    masks are added to the scores as they are.
    """
    if mask.dtype == torch.bool:
        if mask.all():
            return None
        if not mask.any(dim=1).all():
            mask = (1 - mask.to(dtype)) * -10000.0
    return mask[:, None, None, :]


def rotate(x: torch.Tensor, seconds: torch.Tensor) -> torch.Tensor:
    """Rotate pairs of channels of x (B, N, h, d) by angles that grow with `seconds` (B or 1, N).

    Periods run from half a second to 64 s, so that the score of a query and a key depends on how far apart they are.
    """
    half = x.shape[-1] // 2
    frequencies = 2 * math.pi / torch.logspace(math.log2(0.5), 6, half, base=2, device=x.device)
    angles = (seconds.to(x.device).float()[..., None] * frequencies)[:, :, None, :]
    cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
    a, b = x[..., :half], x[..., half:]
    return torch.cat([a * cos - b * sin, a * sin + b * cos], dim=-1)


class AttentionKernel:
    """Runs the attention backend that the model or the caller chose (diffusers' dispatch)."""

    _attention_backend = None
    _parallel_config = None

    def __call__(self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        try:
            return dispatch_attention_fn(q, k, v, attn_mask=mask, backend=self._attention_backend)
        except ValueError as error:
            if mask is None or "mask" not in str(error):
                raise
            backend = getattr(self._attention_backend, "value", "in use")
            raise InputError(
                f"the attention backend {backend} does not take the masks of prompts, beats and "
                f"chords of unlike lengths; call unet.set_attention_backend with one of {', '.join(MASKING_BACKENDS)}"
            ) from None


class Attention(nn.Module, AttentionModuleMixin):
    """Multi-head attention to a Source, or to its own input.

    Keys and values are projected inside of `forward`, where hooks that bring weights to a device (offloading) have seen
    the call.
    """

    processor: AttentionKernel

    _default_processor_cls = AttentionKernel
    _available_processors = [AttentionKernel]
    _supports_qkv_fusion = False  # keys and values of a condition are projected once a clip: there is nothing to fuse

    def __init__(self, channels: int, heads: int, source_dim: int | None = None) -> None:
        super().__init__()
        self.heads = heads
        self.to_q = nn.Linear(channels, channels, bias=False)
        self.to_k = nn.Linear(source_dim or channels, channels, bias=False)
        self.to_v = nn.Linear(source_dim or channels, channels, bias=False)
        self.to_out = nn.Linear(channels, channels)
        self.set_processor(AttentionKernel())

    def set_processor(self, processor: "AttentionKernel") -> None:
        """Take an AttentionKernel, which the dispatcher of attention backends stands behind.

        Raises InputError for any other processor.
        """
        if not isinstance(processor, AttentionKernel):
            raise InputError(
                f"the denoiser's attention takes no {type(processor).__name__}; "
                "choose how it is computed with unet.set_attention_backend"
            )
        super().set_processor(cast(Any, processor))

    def _keys_values(self, features, seconds=None):
        """Return keys and values (B, L, h, d) of features (B, L, D), the keys rotated by `seconds` (B, L) if given."""
        k = self.to_k(features).unflatten(-1, (self.heads, -1))
        v = self.to_v(features).unflatten(-1, (self.heads, -1))
        return (k if seconds is None else rotate(k, seconds)), v

    def forward(
        self,
        x: torch.Tensor,
        source: Source | None = None,
        seconds: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Return what x (B, N, C) takes from a Source, or from itself when None.

        `seconds` (1, N) rotates the queries if given.
        """
        q = self.to_q(x).unflatten(-1, (self.heads, -1))
        q = q if seconds is None else rotate(q, seconds)
        if source is None:
            (k, v), mask = self._keys_values(x), None
        else:
            if self not in source.keys_values:
                source.keys_values[self] = self._keys_values(source.features, source.seconds)
            (k, v), mask = source.keys_values[self], source.mask
        mask = mask if mask is None else mask.to(x.device)
        return self.to_out(self.processor(q, k, v, mask).flatten(-2))
