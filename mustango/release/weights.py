"""Released weights: files of tensors read by name, and put into a model built without weights.

A tensor that is missing, unknown, of another shape or not finite is an error that names it.
"""

import pickle
import re
import struct
from pathlib import Path

from safetensors import SafetensorError, safe_open

from musicbench import InputError
from mustango.release.files import TIED, check_finite, check_no_stand_in, check_tensors, one_line, read_json
from mustango.release.names import IGNORED

WRAPPED = r"(?:^|(?<=\.))(?:(?:module|_orig_mod)\.)+"  # what DistributedDataParallel and torch.compile put into names
STATE_DICT_KEYS = ("state_dict", "model_state_dict", "model", "module")  # under which training loops save one
OUTER = "model."  # what a training loop's own class puts before all names
LEGACY = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46"  # how files begin that torch before 1.6 wrote, which cannot be mapped


def load_released(path):
    """Memory-map a released state dict: {name: tensor}. Only plain tensors are unpickled.

    path: a pickle, a safetensors file, or the index of the shards of either. Raises InputError.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"no file {path}; the released layout has one, download the model again")
    tensors = {}
    for shard in _shards_of(path):
        check_no_stand_in(shard)
        read = _read_safetensors if shard.suffix == ".safetensors" else _read_pickle
        for name, tensor in read(shard).items():
            name = re.sub(WRAPPED, "", name)
            if name in tensors:
                raise InputError(f"{path} holds tensor {name} twice; save the model once, without what wraps it")
            tensors[name] = tensor
    if all(name.startswith(OUTER) for name in tensors):
        tensors = {name.removeprefix(OUTER): tensor for name, tensor in tensors.items()}
    return {name: tensor for name, tensor in tensors.items() if not re.match(IGNORED, name)}


def _shards_of(path):
    """Return the files that an index lists, or the one file. Raises InputError for one that is not there."""
    if path.suffix != ".json":
        return [path]
    listed = read_json(path).get("weight_map")
    if not isinstance(listed, dict) or not listed or not all(isinstance(name, str) for name in listed.values()):
        raise InputError(f"{path} has no weight_map that lists its shards; download the model again")
    shards = [path.with_name(Path(name).name) for name in sorted(set(listed.values()))]
    for shard in shards:
        if not shard.is_file():
            raise InputError(f"no file {shard}, which {path.name} lists; download the model again")
    return shards


def _read_safetensors(path):
    try:
        with safe_open(path, "pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(f"cannot read {path} ({one_line(error)}); the file is cut short or foreign, download it again") from None


def _read_pickle(path):
    import torch

    try:
        with path.open("rb") as file:
            old = file.read(len(LEGACY)) == LEGACY
        tensors = torch.load(path, map_location="cpu", weights_only=True, mmap=not old)
    except pickle.UnpicklingError as error:
        raise InputError(f"{path} holds something else than tensors ({one_line(error)[:160]}); it is not loaded") from None
    except (RuntimeError, OSError, EOFError, ValueError, LookupError, struct.error) as error:
        raise InputError(f"cannot read {path} ({one_line(error)}); the file is cut short or foreign, download it again") from None
    for key in STATE_DICT_KEYS:
        if isinstance(tensors, dict) and isinstance(tensors.get(key), dict):
            tensors = tensors[key]
    if not isinstance(tensors, dict) or not all(isinstance(t, torch.Tensor) for t in tensors.values()):
        raise InputError(f"{path} is no state dict of tensors; download it again")
    return tensors


def taken(tensors, prefix, where):
    """Return those of {released name: tensor} that begin with a pattern.

    Raises InputError for one that is not finite.
    """
    own = {name: tensor for name, tensor in tensors.items() if re.match(prefix, name)}
    check_finite(own, where)
    return own


def without_weights():
    """Build modules whose parameters take no memory until they are filled in.

    Their buffers are real, as files do not hold all of them.
    """
    from accelerate import init_empty_weights

    return init_empty_weights(include_buffers=False)


def fill(model, tensors, where, named=str):
    """Put renamed tensors into a model built without weights; strict. named: see `check_tensors`. Raises InputError."""
    wanted = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    check_tensors(wanted, {name: tuple(value.shape) for name, value in tensors.items()}, where, named)
    check_same({named(name): tensors[name] for name in TIED if name in tensors}, where)
    for name in TIED:  # a tied copy that the file lacks
        if name in wanted and name not in tensors:
            tensors[name] = tensors["shared.weight"] if "shared.weight" in tensors else tensors["encoder.embed_tokens.weight"]
    model.load_state_dict({name: value for name, value in tensors.items() if name in wanted}, strict=True, assign=True)
    if hasattr(model, "tie_weights"):
        model.tie_weights()
    return model.eval().requires_grad_(False)


def check_same(tensors, where):
    """Raise InputError unless all of {name: tensor}, which are one tensor in the model, hold the same numbers."""
    names = list(tensors)
    for name in names[1:]:
        if not tensors[name].is_meta and not tensors[name].equal(tensors[names[0]]):
            raise InputError(
                f"{where} has another tensor {name} than {names[0]}, which are one in the model; save it with one of the two"
            )
