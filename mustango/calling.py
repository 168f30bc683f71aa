"""A call with the words of diffusers' pipelines, as Requests and what these do not hold.

Shapes: B clips, L tokens, D features, C latent channels, H rows of latents, W columns.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import torch

from musicbench import InputError
from mustango.request.request import MAX_SEED, Request

# diffusers' words for fields of a Request.
WORDS = {
    "num_inference_steps": "steps", "guidance_scale": "guidance", "num_waveforms_per_prompt": "count", "audio_length_in_s": "duration",
}  # fmt: skip
OUTPUT_TYPES = ("np", "pt", "latent")


@dataclass(frozen=True)
class Extras:
    """What a call may give beside a Request.

    latents: the noise to begin with (B, C, H, W), lead-in and tail with it. prompt_embeds, negative_prompt_embeds: states of texts (B, L, D) in
    place of those of the prompts. output_type: "np", "pt" (a tensor), "latent" (no sound is made). return_dict: False for a tuple.
    callback_on_step_end(pipeline, number, timestep, {"latents": ...}): called after each step, may return other latents.
    """

    latents: torch.Tensor | None = None
    prompt_embeds: torch.Tensor | None = None
    negative_prompt_embeds: torch.Tensor | None = None
    output_type: str = "np"
    return_dict: bool = True
    callback_on_step_end: Callable | None = None
    callback_on_step_end_tensor_inputs: Sequence[str] = ("latents",)

    def checked(self, clips: int) -> "Extras":
        """Return what is given for `clips` clips. Raises InputError."""
        if self.output_type not in OUTPUT_TYPES:
            raise InputError(f"unknown output_type {self.output_type!r}; choose one of {', '.join(OUTPUT_TYPES)}")
        if list(self.callback_on_step_end_tensor_inputs) != ["latents"]:
            raise InputError("callback_on_step_end is told the latents alone; give callback_on_step_end_tensor_inputs=['latents']")
        given = {}
        for name in ("latents", "prompt_embeds", "negative_prompt_embeds"):
            value = getattr(self, name)
            if value is None:
                continue
            if clips % len(value) or (name == "latents" and len(value) != clips):
                raise InputError(f"{name} are of {len(value)} clips, not of {clips}; give one for each")
            given[name] = value.repeat_interleave(clips // len(value), 0)
        return replace(self, **given)

    def of(self, part: slice) -> "Extras":
        """Return what is given for some of the clips."""
        names = ("latents", "prompt_embeds", "negative_prompt_embeds")
        given = {name: getattr(self, name) for name in names}
        return replace(self, **{name: value if value is None else value[part] for name, value in given.items()})

    def told(self, pipeline: Any) -> Callable | None:
        """Return the callback as a Sampler calls it: number, timestep and latents -> latents."""
        callback = self.callback_on_step_end
        if callback is None:
            return None

        def on_latents(number, timestep, latents):
            return (callback(pipeline, number, timestep, {"latents": latents}) or {}).get("latents", latents)

        return on_latents


def read_call(prompt: str | Sequence[str] | None, words: dict[str, Any]) -> tuple[list[Request], Extras]:
    """Return the Requests of a call, one a prompt (or one a generator), and its Extras. Raises InputError."""
    names = {field.name for field in fields(Extras)}
    extras = Extras(**{name: value for name, value in words.items() if name in names})
    asked = {name: value for name, value in words.items() if name not in (*names, *WORDS, "generator")}
    for word, name in WORDS.items():
        if words.get(word) is not None:
            if name in asked:
                raise InputError(f"{word} and {name} are the same; give one of them")
            asked[name] = words[word]
    unknown = set(asked) - {field.name for field in fields(Request)}
    if unknown:
        raise InputError(f"unknown argument {min(unknown)[:40]!r}; docs/python.md lists those that there are")
    prompts: list[Any] = [*prompt] if isinstance(prompt, (list, tuple)) else [prompt]
    if extras.prompt_embeds is not None and not prompt:
        prompts = [""] * len(extras.prompt_embeds)
    if not prompts:
        raise InputError("the list of prompts is empty; give at least one")
    return _seeded([Request(prompt=text, **asked) for text in prompts], words.get("generator"), "seed" in asked), extras


def _seeded(requests, generator, has_seed):
    """Return requests with seeds drawn from a torch generator, or one request a clip from a list of them."""
    if generator is None:
        return requests
    if has_seed:
        raise InputError("generator and seed both choose the seed; give one of them")
    if isinstance(generator, torch.Generator):
        return [replace(request, seed=_drawn(generator)) for request in requests]
    clips = [replace(request, count=1) for request in requests for _ in range(int(request.count))]
    if len(generator) != len(clips):
        raise InputError(f"{len(generator)} generators for {len(clips)} clips; give one for each, or one in all")
    return [replace(clip, seed=_drawn(one)) for clip, one in zip(clips, generator, strict=True)]


def _drawn(generator):
    """Return a seed that a generator draws."""
    return int(torch.randint(MAX_SEED, (1,), generator=generator, device=generator.device))
