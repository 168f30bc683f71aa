"""A released folder turned into one in our layout, component by component, so that memory holds one at a time."""

import json
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from musicbench import InputError
from musicbench.model_folders import built_within
from mustango.release.files import check_no_stand_in, check_regular_in, read_json
from mustango.release.folder import RELEASED_WINDOW_S, check_target, model_folder, model_written_whole, write_part
from mustango.release.layouts import RELEASED_WEIGHTS, is_released, weights_path
from mustango.release.released import (
    DEBERTA,
    RELEASED_VOCODER,
    convert_beat_predictor,
    convert_chord_predictor,
    convert_conditioner,
    convert_mel,
    convert_munet,
    convert_text_encoder,
    convert_vae,
    convert_vocoder,
    deberta_sizes,
)
from mustango.release.tokenizers import load_tokenizers
from mustango.release.weights import load_released

if TYPE_CHECKING:  # importing this module needs no torch
    import torch

# The scheduler of stabilityai/stable-diffusion-2-1, which released Mustango names; its public source is gone. Other
# owners keep copies.
SCHEDULER_NAME = "stable-diffusion-2-1"
RELEASED_SCHEDULER = {
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "prediction_type": "v_prediction",
}


def released_components(folder: Path) -> Iterator[tuple[str, Any]]:
    """Yield (name, component) of a released folder one by one, each converted when it is asked for."""
    from diffusers import DPMSolverMultistepScheduler

    folder = Path(folder)
    check_regular_in(folder)
    configs, ldm = folder / "configs", weights_path(folder, "ldm")
    for part in ("ldm", "vae"):
        check_no_stand_in(weights_path(folder, part))
    check_scheduler(configs / "main_config.json")
    known = r"(unet|text_encoder|beat_embedding_layer|chord_embedding_layer|FME)\."
    if stray := [name for name in load_released(ldm) if not re.match(known, name)]:
        raise InputError(f"{ldm} has the unknown tensor {stray[0]}; this is no released Mustango")
    # The file is mapped anew for each component, so that the pages of the one before can go.
    yield "unet", _built(ldm, convert_munet, load_released(ldm), read_json(configs / "music_diffusion_model_config.json"))
    yield "conditioner", _built(ldm, convert_conditioner, load_released(ldm))
    yield "text_encoder", _built(ldm, convert_text_encoder, load_released(ldm))
    stft = read_json(configs / "stft_config.json")
    vae_weights = weights_path(folder, "vae")
    vae = load_released(vae_weights)
    vae_config = read_json(configs / "vae_config.json")
    yield "vae", _built(vae_weights, convert_vae, vae, vae_config.get("vae", vae_config))
    n_mels, expected = stft.get("n_mel_channels", RELEASED_VOCODER["num_mels"]), RELEASED_VOCODER["num_mels"]
    if n_mels != expected or not isinstance(stft.get("sampling_rate", 16000), int):
        raise InputError(
            f"{configs / 'stft_config.json'} has n_mel_channels {n_mels!r:.40} and sampling_rate "
            f"{stft.get('sampling_rate')!r:.40}; the vocoder takes {expected} and a whole number; get the model again"
        )
    yield "vocoder", _built(vae_weights, convert_vocoder, vae, vae_config.get("vocoder"), stft.get("sampling_rate", 16000))
    yield "mel", _built(configs / "stft_config.json", convert_mel, stft)
    yield "scheduler", DPMSolverMultistepScheduler(**RELEASED_SCHEDULER)


def _built(where, convert, held, *settings):
    """Return convert(held, *settings), a component of the tensors or settings `held` of the file `where`. Raises InputError."""
    with built_within(len(held), where):
        return convert(held, *settings)


def check_scheduler(path: Path) -> None:
    """Raise InputError for a main_config.json that names another scheduler than the release's.

    A file that is not there names none.
    """
    name = read_json(path).get("scheduler_name", SCHEDULER_NAME) if path.is_file() else SCHEDULER_NAME
    if str(name).rstrip("/").rpartition("/")[2] != SCHEDULER_NAME:
        raise InputError(
            f"{path} has scheduler_name = {name!r:.40}; only stabilityai/{SCHEDULER_NAME}, which predicts v, is built in"
        )


def released_predictors(folder: Path) -> Iterator[tuple[str, Any]]:
    """Yield (name, component) of a released folder's beat and chord predictors."""
    check_regular_in(folder)
    path = weights_path(folder, "beats")
    beats = load_released(path)
    with built_within(len(beats), path):
        sizes = {**DEBERTA, **deberta_sizes(beats)}
    yield "beat_predictor", _built(path, convert_beat_predictor, beats, sizes)
    del beats
    path = weights_path(folder, "chords")
    yield "chord_predictor", _built(path, convert_chord_predictor, load_released(path))


def check_released(folder: Path, named: Path | str) -> None:
    """Raise InputError unless a folder, called `named` by who gave it, is in the released layout."""
    if (Path(folder) / "model_index.json").is_file():
        raise InputError(f"{named} is in our layout already, and needs no conversion; give it as --model")
    if not is_released(folder):
        raise InputError(f"{named} is not in the released layout (no ldm/pytorch_model_ldm.bin); only that is converted")


def convert(
    source: Path | str,
    target: Path | str,
    dtype: "torch.dtype | None" = None,
    tokenizers: dict | None = None,
    predictors: bool = True,
    revision: str | None = None,
) -> None:
    """Write a released folder (or hub id) as a folder in our layout.

    It goes component by component, so that memory holds one at a time.
    dtype: a torch dtype to store weights in. tokenizers: {role: name or folder} instead of those the release names.
    predictors: convert the beat and chord predictors too. revision: of a hub id. `target` appears only when it is
    whole. Raises InputError.
    """
    import diffusers
    import torch

    target = Path(target)
    check_target(target)
    source = model_folder(source, revision, "predictors" if predictors else "pipeline")
    check_released(source, source)
    index = {"_class_name": "MustangoPipeline", "_diffusers_version": diffusers.__version__, "window_s": RELEASED_WINDOW_S}
    with model_written_whole(target) as building:
        # all before the first weight is read
        for role, tokenizer in load_tokenizers(source, tokenizers or {}, predictors).items():
            index[role] = write_part(tokenizer, building / role)
        for part in RELEASED_WEIGHTS if predictors else ():
            check_no_stand_in(weights_path(source, part))
        for name, component in chain(released_components(source), released_predictors(source) if predictors else ()):
            if dtype is not None and hasattr(component, "parameters") and name != "mel":
                torch.nn.Module.to(component, dtype)  # the classes' own `to` warn of it, or keep to full precision
            index[name] = write_part(component, building / name)
            del component
        (building / "model_index.json").write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")
