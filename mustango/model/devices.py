"""Components on a device and in a number type."""

from typing import Any

import torch

from musicbench import InputError


def cast(component: Any, dtype: torch.dtype) -> Any:
    """Cast a component as transformers loads it: in float16, layers that would overflow stay in float32 (T5's `wo`)."""
    torch.nn.Module.to(component, dtype)  # diffusers' own `to` warns of layers that it keeps in float32, of which there are none
    if dtype == torch.float16:
        kept = getattr(component, "_keep_in_fp32_modules", None) or ()
        for name, module in component.named_modules():
            if name.rpartition(".")[2] in kept:
                module.float()
    return component


def moved(component: Any, device: torch.device | str | None) -> Any:
    """Move a tensor, module or pipeline to a device: "cpu", "cuda", "cuda:1", "mps". Raises InputError where that cannot be."""
    try:
        return component.to(device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(
            f"cannot use the device {device!r} ({str(error).splitlines()[0][:100]}); choose cpu, cuda or mps as there is"
        ) from None


def check_device(device: torch.device | str | None) -> None:
    """Raise InputError unless torch can use a device here."""
    moved(torch.zeros(1), device)


def check_made(numbers: torch.Tensor) -> None:
    """Raise InputError unless all that a model made is finite."""
    if not torch.isfinite(numbers).all():
        raise InputError("the model makes numbers that are not finite; get it whole again, or make the take with --dtype float32")
