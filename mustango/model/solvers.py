"""Solvers by name: which of diffusers' schedulers takes the steps from noise to latents, set as the model was trained."""

from typing import Any

from diffusers import (
    DDIMScheduler,
    DDPMScheduler,
    DPMSolverMultistepScheduler,
    EulerDiscreteScheduler,
    UniPCMultistepScheduler,
)

from musicbench import InputError, quoted
from mustango import SCHEDULERS

CLASSES = (DPMSolverMultistepScheduler, DDIMScheduler, DDPMScheduler, UniPCMultistepScheduler, EulerDiscreteScheduler)
SOLVERS = dict(zip(SCHEDULERS, CLASSES, strict=True))
SHARED = ("num_train_timesteps", "beta_start", "beta_end", "beta_schedule", "prediction_type")


def solver(name: str, config: Any, restarts: bool) -> Any:
    """Return a new scheduler by its name in SCHEDULERS, for the noise of another's `config`. Raises InputError.

    restarts: whether its noise is to be that of given places of the schedule, the first of them its end.
    """
    if name not in SCHEDULERS:
        raise InputError(f"unknown scheduler {quoted(name)}; choose one of {', '.join(SCHEDULERS)}")
    settings: dict[str, Any] = {key: config[key] for key in SHARED}
    if name in ("ddim", "ddpm"):
        settings["clip_sample"] = False
    if name != "dpm" and restarts:
        settings["timestep_spacing"] = "trailing"
    return SOLVERS[name](**settings)
