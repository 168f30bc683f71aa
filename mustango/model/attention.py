"""Attention to a condition: what is attended to, which of its tokens count, its time; run by the backend that is chosen.

Shapes: B batch, C channels, N positions, L tokens of a condition, D features of a token, h heads, d channels of a head.
"""

import math
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any, cast

import torch
from diffusers.models.attention import AttentionModuleMixin
from diffusers.models.attention_dispatch import dispatch_attention_fn
from torch import nn

from musicbench import InputError

FEW = 16  # rows
MASKING_BACKENDS = ("native", "_native_efficient", "_native_math", "_native_cudnn", "flex", "xformers")  # of diffusers
# Those of `mustango.ATTENTION`: diffusers' names, and what is to be installed.
BACKENDS = {
    "auto": ("native", ""), "native": ("native", ""), "flash": ("_native_flash", ""), "math": ("_native_math", ""), "flex": ("flex", ""),
    "sage": ("sage", "sageattention"), "xformers": ("xformers", "xformers"),
}  # fmt: skip


@dataclass(frozen=True)
class Source:
    """What some rows of a batch attend to in one stream: features (B, L, D), their mask and times.

    rows: which rows of the batch these are, None for all. With them what each Attention made of them, once for all steps: keys and
    values, or of a single token its output.
    """

    features: torch.Tensor
    mask: torch.Tensor | None = None
    seconds: torch.Tensor | None = None
    rows: Any = None  # a slice or a list of numbers
    made: dict = field(default_factory=dict)


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


def trimmed(features: torch.Tensor, mask: torch.Tensor, seconds: torch.Tensor | None) -> list[Source]:
    """Return Sources without masks: the tokens (B, L, D) that count, rows with as many of them together.

    What comes out is what the mask gives, but flash kernels take it. In a row without any True all tokens count, see
    `attention_mask`; where they are all alike, one stands for them. Float masks stay as they are.
    """
    if mask.dtype != torch.bool:
        return [Source(features, attention_mask(mask, features.dtype), seconds)]
    rows_of: dict[int, list[int]] = {}
    kept = []
    for row, counts in enumerate(mask.cpu()):
        tokens = counts.nonzero().flatten()
        if not len(tokens):
            tokens = torch.arange(1 if _are_alike(features[row], seconds, row) else len(counts))
        kept.append(tokens)
        rows_of.setdefault(len(tokens), []).append(row)
    sources = []
    for rows in rows_of.values():
        chosen = torch.tensor(rows)[:, None], torch.stack([kept[row] for row in rows])
        times = None if seconds is None else seconds[chosen[0].to(seconds.device), chosen[1].to(seconds.device)]
        tokens = features[chosen[0].to(features.device), chosen[1].to(features.device)]
        sources.append(Source(tokens, None, times, _as_slice(rows) if len(rows_of) > 1 else None))
    return sources


def _as_slice(rows):
    """Return ascending numbers as a slice where they follow each other, else as they are."""
    run = slice(rows[0], rows[-1] + 1)
    return run if len(rows) == run.stop - run.start else rows


def _are_alike(tokens, seconds, row):
    """Return whether all tokens (L, D) of a row are the same, at the same time."""
    same_time = seconds is None or bool((seconds[row] == seconds[row, 0]).all())
    return same_time and bool((tokens == tokens[0]).all())


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
    to_qkv: nn.Linear  # where diffusers has fused them

    _default_processor_cls = AttentionKernel
    _available_processors = [AttentionKernel]
    use_bias = False  # of the projections, as diffusers asks where it fuses them

    def __init__(self, channels: int, heads: int, source_dim: int | None = None) -> None:
        super().__init__()
        self.heads = heads
        self.is_cross_attention = source_dim is not None  # by which diffusers' caches tell them apart
        self._supports_qkv_fusion = source_dim is None  # a condition's keys and values are made once a clip
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
        sources: list[Source] | None = None,
        seconds: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Return what the rows of x (B, N, C) take from their Sources, or from themselves when None.

        `seconds` (1, N) rotates the queries if given.
        """
        if sources is None and self.fused_projections:
            q, k, v = (part.unflatten(-1, (self.heads, -1)) for part in self.to_qkv(x).chunk(3, dim=-1))
            return self.to_out(self.processor(q, k, v, None).flatten(-2))
        if sources is None:
            return self._taken(x, *self._keys_values(x))
        if sources[0].rows is None:
            return self._from(sources[0], x, seconds)
        out = torch.empty_like(x)
        for source in sources:
            out[source.rows] = self._from(source, x[source.rows], seconds).to(out.dtype)
        return out

    def _from(self, source, x, seconds):
        """Return what x (B, N, C) takes from a Source: (B, N, C), or (B, 1, C) if it is alike at all positions."""
        if self not in source.made:
            is_one = source.features.shape[1] == 1 and source.mask is None  # all that is given comes from the only token
            if is_one and not torch.is_grad_enabled():  # processes that train together wait for the gradient of each weight
                several = source.features.repeat(1, FEW, 1)  # few rows' product depends on where weights lie in memory
                source.made[self] = self.to_out(self.to_v(several))[:, :1]
            else:
                source.made[self] = self._keys_values(source.features, source.seconds)
        made = source.made[self]
        return made if isinstance(made, torch.Tensor) else self._taken(x, *made, mask=source.mask, seconds=seconds)

    def _taken(self, x, k, v, mask=None, seconds=None):
        """Return what x (B, N, C) takes by keys and values (B, L, h, d)."""
        q = self.to_q(x).unflatten(-1, (self.heads, -1))
        q = q if seconds is None else rotate(q, seconds)
        return self.to_out(self.processor(q, k, v, mask if mask is None else mask.to(x.device)).flatten(-2))


def choose_attention(unet: nn.Module, name: str, device: torch.device | str) -> None:
    """Have a denoiser's attention run by a kernel of `mustango.ATTENTION`; auto is what torch chooses. Raises InputError."""
    backend, package = BACKENDS[name]
    if package and torch.device(device).type != "cuda":
        raise InputError(f"attention {name} runs on cuda alone, not on {device}; choose auto, native, flash, flex or math")
    if package and find_spec(package) is None:
        raise InputError(f"attention {name} needs {package}; pip install {package}")
    for module in unet.modules():
        if isinstance(module, Attention):
            module.set_attention_backend(backend)
