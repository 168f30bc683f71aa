"""A model's files, read and checked: JSON objects, and what tensors a file holds."""

import json
import os
import stat
from pathlib import Path

from safetensors import SafetensorError, safe_open

from musicbench import InputError

# How files begin that stand where weights or settings should -> what they are and what helps.
STAND_INS = (
    ((b"version https://git-lfs",), "is a pointer of Git LFS; run `git lfs pull` there, or download the file itself"),
    ((b"<!doctype", b"<html", b"<head", b"<?xml"), "is a web page; download the file itself, logged in where that is needed"),
    ((b"entry not found",), "holds the hub's answer that there is no such file; download it under its right name"),
)
# Tensors a file may lack or hold twice, by the version of transformers that saved it.
MOST_JSON = 1 << 26  # bytes
TIED = ("shared.weight", "encoder.embed_tokens.weight", "decoder.embed_tokens.weight")


def read_json(path):
    """Read a JSON object. Raises InputError for anything else."""
    check_no_stand_in(path)
    try:
        with Path(path).open("rb") as file:
            text = file.read(MOST_JSON + 1)
        if len(text) > MOST_JSON:
            raise InputError(f"{path} is larger than {MOST_JSON >> 20} MB, which no settings are; get the folder whole again")
        value = json.loads(text.decode("utf-8"))
    except RecursionError:
        raise InputError(f"{path} is nested too deeply; get the folder whole again") from None
    except InputError:
        raise
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {path} ({one_line(error)}); get the folder whole again") from None
    if not isinstance(value, dict):
        raise InputError(f"{path} holds no JSON object; get the folder whole again")
    return value


def check_no_stand_in(path):
    """Raise InputError for a file that is empty, or a web page, a pointer or a pipe that stands in its place.

    A file that cannot be opened passes.
    """
    check_regular(path)
    try:
        with Path(path).open("rb") as file:
            begins = file.read(256).lstrip(b"\xef\xbb\xbf \t\r\n")
    except OSError:
        return
    if not begins:
        raise InputError(f"{path} is empty; download it again")
    for beginnings, what in STAND_INS:
        if begins.lower().startswith(beginnings):
            raise InputError(f"{path} {what}")


def check_regular(path):
    """Raise InputError for a pipe, a socket or a device, which may never end. What is not there passes."""
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise InputError(f"{path} is no file but a pipe or a device; get the model whole again")


def check_regular_in(folder):
    """Raise InputError for a pipe or a device in a model's folder or its parts'."""
    for path in (*Path(folder).glob("*"), *Path(folder).glob("*/*")):
        check_regular(path)


def one_line(error):
    return " ".join(str(error).split())[:300]


def tensor_shapes(folder):
    """Return {name: shape} of all safetensors in a folder. Raises InputError for a file that cannot be read."""
    shapes = {}
    for path in sorted(Path(folder).glob("*.safetensors")):
        check_no_stand_in(path)
        try:
            with safe_open(path, "pt") as file:
                shapes |= {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
        except (SafetensorError, OSError, ValueError) as error:
            raise InputError(f"cannot read {path} ({one_line(error)}); the file is cut short or foreign, get it again") from None
    return shapes


def check_tensors(wanted, have, where, named=str):
    """Compare {name: shape} asked for with {name: shape} there. Raises InputError naming the first that differs.

    named: turns a name into the one that the file has.
    """
    for what, names in (("lacks", wanted.keys() - have.keys()), ("has the unknown", have.keys() - wanted.keys())):
        names = {n for n in names if n not in TIED}
        if names:
            first = min(map(named, names))
            raise InputError(f"{where} {what} tensor {first} ({len(names)} in all); its config and weights do not belong together")
    for name in wanted.keys() & have.keys():
        if have[name] != wanted[name]:
            raise InputError(
                f"{where}: tensor {named(name)} is {have[name]}, its config asks for {wanted[name]}; get the model whole again"
            )


def check_finite(tensors, where):
    """Raise InputError naming the first of {name: tensor} that holds NaN or infinity."""
    import torch

    for name, tensor in tensors.items():
        if tensor.is_meta or not tensor.is_floating_point() or not tensor.numel():
            continue
        if not all(torch.isfinite(bound) for bound in torch.aminmax(tensor.detach())):
            raise InputError(
                f"{where}: tensor {name} holds NaN or infinity; get the model again, or take an earlier state of its training"
            )
