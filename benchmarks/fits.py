"""What fits in training, by GPU size: python benchmarks/fits.py

Weights, gradients, the optimizer's averages and averaged weights are counted; what a pass keeps for the way back is computed: the same
code runs on tensors that have shapes and no numbers, so that the released size needs no memory. At small widths it also runs on real
tensors, where `mustango.train.plan` measures the same: the first table shows both. The second says how many clips of 10.24 s fit at once in
bfloat16 (`--batch-size` over `--accumulate` and GPUs). What the CUDA context, work space and fragments take is assumed: 1.5 GB and a
tenth. Nothing here was run on a GPU.
"""

import argparse
import sys
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import torch
from peft import LoraConfig
from torch._subclasses.fake_tensor import FakeTensorMode

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from mustango.model.conditioning import Conditioning
from mustango.model.munet import MuNet
from mustango.train.adapter import CHANGED
from mustango.train.munet import MUNET
from mustango.train.plan import plan_of
from mustango.train.processes import Learner

GB = 1e9
SIZES_GB = (8, 12, 16, 24, 40, 48, 80, 141)
CONTEXT_GB, FREE = 1.5, 0.9
BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
TEXT_ENCODER_NUMBERS = 341_231_104  # of FLAN-T5 large's encoder, which the original's recipe asks at each step
HOW = {
    "munet": {},
    "munet --checkpointing": {"again": True},
    "adapter": {"rank": 8},
    "adapter --checkpointing": {"rank": 8, "again": True},
}


def released(width):
    """Return the released denoiser at a width of its first level, with its heads of 64 numbers."""
    widths = tuple(width * times for times in (1, 2, 4, 4))
    return MuNet(block_out_channels=widths, num_heads=tuple(size // 64 for size in widths), norm_num_groups=32)


def batch_for(unet, size):
    """Return the arguments of the denoiser for a batch of whole clips."""
    config = unet.config
    rows, columns = (256, 16) if config.control_channels == 0 else (80, config.columns)
    dim, lengths = config.cross_attention_dim, {"text": 64, "beat": 50, "chord": 20}
    told = {name: torch.randn(size, lengths[name.removesuffix("s")], dim) for name in ("text", "beats", "chords")}
    told |= {f"{name}_mask": torch.zeros(size, length) for name, length in lengths.items()}
    told |= {f"{name}_times": torch.rand(size, lengths[name]) for name in ("beat", "chord")}
    control = torch.randn(size, config.control_channels, rows * config.frames_per_row) if config.control_channels else None
    pooled = torch.randn(size, dim) if config.pooled_text else None
    condition = Conditioning(**told, text_pooled=pooled, control=control)
    return torch.randn(size, config.in_channels, rows, columns), torch.full((size,), 500), condition


def prepared(unet, rank=0, again=False):
    """Return a denoiser as it is trained: whole, or an adapter of a rank; attention computed again or not."""
    if rank:
        unet.requires_grad_(False)
        unet.add_adapter(LoraConfig(r=rank, lora_alpha=rank, target_modules=CHANGED))
    if again:
        unet.enable_gradient_checkpointing()
    return unet.train()


def kept_bytes(unet, size, bf16):
    """Return the bytes that a pass over so many clips keeps for the way back, beside weights and batch."""
    given = batch_for(unet, size)
    held = {tensor.untyped_storage()._cdata for tensor in (*unet.parameters(), *unet.buffers())}
    kept = {}

    def keep(tensor):
        storage = tensor.untyped_storage()
        if storage._cdata not in held:
            kept[storage._cdata] = storage  # held on to, so that no other takes its place
        return tensor

    with torch.autocast("cpu", torch.bfloat16, enabled=bf16), torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loss = unet(*given).float().square().mean()
    del loss
    return sum(storage.nbytes() for storage in kept.values())


def computed(make, size, bf16, **how):
    """Return (numbers, numbers that are learnt, bytes kept) of a denoiser that has shapes alone."""
    keeps_place = patch.object(torch.nn.Module, "to", lambda module, *_, **__: module)  # without numbers nothing can be moved
    with FakeTensorMode(), keeps_place:
        unet = prepared(make(), **how)
        numbers = [(parameter.numel(), parameter.requires_grad) for parameter in unet.parameters()]
        return sum(n for n, _ in numbers), sum(n for n, learnt in numbers if learnt), kept_bytes(unet, size, bf16)


def measured(make, size, **how):
    """Return what `plan_of` measures of the same on real tensors."""
    unet = prepared(make(), **how)
    sample, steps, condition = batch_for(unet, size)
    task = SimpleNamespace(model=unet, loss=lambda batch: (unet(sample, steps, condition).square().mean(), {}))
    return plan_of(Learner(task), unet, {"sample": sample}, False).bytes_of["activations"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--widths", type=int, nargs="*", default=[64], help="at which it is measured, too")
    options = parser.parse_args()
    print("| width | training | kept for the way back, one clip, float32: measured | computed |\n|---|---|---|---|")
    for width in options.widths:
        for name, how in HOW.items():
            make = partial(released, width)
            real, told = measured(make, 1, **how), computed(make, 1, False, **how)[2]
            print(f"| {width} | {name} | {real / 1e6:,.0f} MB | {told / 1e6:,.0f} MB |", flush=True)
    print("\n| model, training | learnt, of | fixed | a clip | " + " | ".join(f"{size} GB" for size in SIZES_GB) + " |")
    print("|---" * (4 + len(SIZES_GB)) + "|")
    for model, make, text in (
        ("mustango-mini", lambda: MuNet(**MUNET), 0),
        ("released size", lambda: released(320), TEXT_ENCODER_NUMBERS),
    ):
        for name, how in HOW.items():
            numbers, learnt, one = computed(make, 1, True, **how)
            two = computed(make, 2, True, **how)[2]
            a_clip = two - one
            fixed = 4 * (numbers + 4 * learnt + text) + max(2 * one - two, 0)  # weights, gradients, two averages, EMA
            room = [(size * FREE - CONTEXT_GB) * GB - fixed for size in SIZES_GB]
            fits = [max((count for count in BATCHES if count * a_clip <= left), default=0) for left in room]
            cells = " | ".join(str(count) if count else "-" for count in fits)
            print(
                f"| {model}, {name} | {learnt / 1e6:,.1f} of {numbers / 1e6:,.1f} M | {fixed / GB:.1f} GB | {a_clip / GB:.2f} GB | {cells} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
