"""Tango's release, which knows texts alone -> the components of a model whose beat and chord attention are new, as Mustango began.

Its folder holds pytorch_model_main.bin, pytorch_model_vae.bin and JSON files, without folders for them; its UNet's config, where it
lies beside them, is diffusion_model_config.json.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from musicbench import InputError
from musicbench.model_folders import built_within
from mustango.release.conversion import RELEASED_SCHEDULER, check_scheduler
from mustango.release.files import check_no_stand_in, check_regular_in, check_tensors, read_json
from mustango.release.layouts import TANGO_WEIGHTS
from mustango.release.limits import check_settings_of
from mustango.release.names import MUNET_NAMES, released_name, rename
from mustango.release.released import convert_mel, convert_text_encoder, convert_vae, convert_vocoder, munet_config
from mustango.release.tokenizers import TOKENIZERS, load_tokenizer
from mustango.release.weights import load_released, taken

MAIN, VAE = TANGO_WEIGHTS
ATTENTIONS = ("fresh", "copied")
NEW_STREAMS = ("beat", "chord")


def is_tango(folder: Path | str) -> bool:
    """Return whether a folder is laid out as Tango's release."""
    return (Path(folder) / MAIN).is_file()


def tango_components(folder: Path, attentions: str = "fresh") -> Iterator[tuple[str, Any]]:
    """Yield (name, component) of Tango's folder, the beat and chord attention new.

    attentions: "copied" takes the text attention's weights for them, but for what projects the conditions if that is of another
    width; "fresh" draws them from torch's generator, and they add nothing at first: the model begins as Tango. Raises InputError.
    """
    from diffusers import DPMSolverMultistepScheduler

    check_regular_in(folder)
    for name in (MAIN, VAE):
        check_no_stand_in(folder / name)
    check_scheduler(folder / "main_config.json")
    main = load_released(folder / MAIN)
    if stray := [name for name in main if not re.match(r"(unet|text_encoder)\.", name)]:
        raise InputError(f"{folder / MAIN} has the unknown tensor {stray[0]}; this is no released Tango")
    with built_within(3 * len(main), folder / MAIN):
        unet = munet_of(main, _unet_settings(folder), attentions)
    yield "unet", unet
    yield "conditioner", _conditioner(unet.config)
    yield "text_encoder", convert_text_encoder(main)
    vae = load_released(folder / VAE)
    config, stft = read_json(folder / "vae_config.json"), read_json(folder / "stft_config.json")
    yield "vae", convert_vae(vae, config.get("vae", config))
    yield "vocoder", convert_vocoder(vae, config.get("vocoder"), stft.get("sampling_rate", 16000))
    yield "mel", convert_mel(stft)
    yield "scheduler", DPMSolverMultistepScheduler(**RELEASED_SCHEDULER)


def tango_tokenizer(folder: Path, given: Any = None) -> Any:
    """Return the tokenizer that Tango's main_config.json names, or the `given` one's. Raises InputError."""
    name = read_json(folder / "main_config.json").get("text_encoder_name", TOKENIZERS["tokenizer"])
    return load_tokenizer(folder, "tokenizer", given or name)


def _unet_settings(folder):
    """Return MuNet's settings for Tango's UNet: those of its config where that is there, else the released ones, which are the same."""
    path = folder / "diffusion_model_config.json"
    settings = munet_config(read_json(path)) if path.is_file() else {}
    check_settings_of("unet", settings, path)
    return settings


def munet_of(tensors: dict, settings: dict, attentions: str) -> Any:
    """Return a MuNet of Tango's tensors (`unet.*`), see `tango_components`. Raises InputError."""
    import torch

    from mustango.model.munet import MuNet

    model, where = MuNet(**settings), "Tango's UNet"
    own = {rename(name, MUNET_NAMES): tensor for name, tensor in taken(tensors, r"unet\.", where).items()}
    begun = model.state_dict()
    is_new = re.compile(rf"\.streams\.({'|'.join(NEW_STREAMS)})\.")
    wanted = {name: tuple(value.shape) for name, value in begun.items() if not is_new.search(name)}
    have = {name: tuple(value.shape) for name, value in own.items()}
    check_tensors(wanted, have, where, lambda name: released_name(name, MUNET_NAMES))
    for name in begun.keys() - wanted.keys():
        if attentions == "copied":
            own[name] = own[is_new.sub(".streams.text.", name)].clone()
        else:
            own[name] = torch.zeros_like(begun[name]) if ".proj_out." in name else begun[name]
    model.load_state_dict(own)
    return model


def _conditioner(config):
    """Return new beat and chord encoders as wide as the text's states."""
    from mustango.model.conditioning import Conditioner

    width = config.cross_attention_dim
    return Conditioner(dim=width, root_dim=width, time_dim=width)
