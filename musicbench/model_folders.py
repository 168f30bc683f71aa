"""Folders of others' models that transformers reads: what their settings may ask for, held before anything is built."""

import json
import math
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from musicbench import InputError
from musicbench.files import bytes_of

# What makes transformers fetch or run something else than the folder's own weights.
FOREIGN = (
    "quantization_config", "adapter_config", "attn_implementation", "_attn_implementation", "_attn_implementation_internal",
    "experts_implementation", "_experts_implementation",
)  # fmt: skip
LOCAL: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}  # how a folder is loaded
MOST = 10**7  # any whole number in a config
MOST_JSON = 1 << 26  # bytes
MOST_OF_TOKENIZER = 1 << 15  # any whole number but an id in its config, such as the tokens that it makes up
MOST_OF = {"feature_size": 1 << 12, "num_mel_bins": 1 << 12, "n_fft": 1 << 15, "fft_window_size": 1 << 15}  # what hears sound
MOST_STEPS, MOST_SIGNS, MOST_GROWTH = 100, 1000, 64  # of what a tokenizer does to a text; signs put in for one; longer than it was
UNBOUNDED = ("model_max_length", "max_length")  # 10^30 in many tokenizers: texts are not cut
GET_WHOLE = "get the model whole again"
WEIGHTS = ("*.safetensors", "*.bin")


def check_model_folder(folder: Path | str) -> None:
    """Raise InputError for a pipe in a model's folder, for settings by which others' code or weights would come, and for such as take
    memory without bound."""
    if Path(folder, "adapter_config.json").exists():
        raise InputError(f"{folder} holds an adapter; give the folder of a model with its own weights")
    for path in sorted(Path(folder).iterdir()):
        if path.exists() and not path.is_file() and not path.is_dir():
            raise InputError(f"{path} is no file but a pipe or a device; {GET_WHOLE}")
        if path.name == "tokenizer.json":
            check_tokenizer(settings_of(path), path)
        elif path.name.endswith("config.json"):
            check_settings(settings_of(path), path)


def settings_of(path: Path | str) -> dict:
    """Read a JSON object. Raises InputError for anything else."""
    try:
        value = json.loads(bytes_of(path, MOST_JSON, GET_WHOLE).decode("utf-8"))
    except (RecursionError, UnicodeDecodeError, json.JSONDecodeError):
        value = None
    if not isinstance(value, dict):
        raise InputError(f"{path} holds no JSON object; {GET_WHOLE}")
    return value


def check_settings(config: dict, path: Path | str) -> None:
    """Raise InputError for a setting of a config, wherever in it, by which others' code or weights would come, or that is too large."""
    is_tokenizers = Path(path).name == "tokenizer_config.json"
    for name, value in _fields(config):
        if name in FOREIGN and value is not None:
            raise InputError(f"{path} has {name}, by which others' code or weights would come; get the model without it")
        if isinstance(value, float) and math.isnan(value):
            raise _unknown(path, name, value)
        if not isinstance(value, int) or (is_tokenizers and name in UNBOUNDED):
            continue
        most = MOST_OF_TOKENIZER if is_tokenizers and not name.endswith("_id") else MOST
        if abs(value) > min(most, MOST_OF.get(name, MOST)):
            raise _unknown(path, name, value)


def check_tokenizer(tokenizer: dict, path: Path | str) -> None:
    """Raise InputError for a tokenizer.json that would make a short text a long one."""
    steps, growth, charsmaps = 0, 1.0, 0
    for part in ("normalizer", "pre_tokenizer", "post_processor", "decoder"):
        for step in _objects(tokenizer.get(part)):
            steps += "type" in step
            growth *= _growth(step)
            charsmaps += "precompiled_charsmap" in step
            given = (step.get(name) for name in ("single", "pair", "ids", "tokens"))
            if any(isinstance(value, list) and len(value) > MOST_STEPS for value in given):
                raise InputError(f"{path} has a {part} that puts more than {MOST_STEPS} tokens before or after a text; {GET_WHOLE}")
    if steps > MOST_STEPS or growth > MOST_GROWTH or charsmaps > 1:
        raise InputError(f"{path} has normalizers by which a text grows without bound; {GET_WHOLE}")
    for name, value in _fields([tokenizer.get("padding"), tokenizer.get("truncation")]):
        if isinstance(value, int) and value > MOST_OF_TOKENIZER:
            raise _unknown(path, name, value)


def _growth(step):
    """Tell how many times as long one step of a tokenizer can make a text."""
    charsmap = step.get("precompiled_charsmap")
    if isinstance(charsmap, str):
        try:
            data = b64decode(charsmap)
        except ValueError:
            return math.inf
        longest = max(map(len, data[4 + int.from_bytes(data[:4], "little") :].split(b"\0")))
        return max(1.0, longest / 8)  # NFKC puts up to 18 signs for one
    content, pattern = step.get("content") or step.get("prepend") or "", step.get("pattern")
    if not isinstance(content, str) or len(content) > MOST_SIGNS:
        return math.inf
    if not isinstance(pattern, dict) or "content" not in step:
        return 1.0
    if isinstance(pattern.get("String"), str):
        return max(1.0, len(content) / max(len(pattern["String"]), 1))
    return 1.0 + len(content)  # a pattern can match between any two signs


def _fields(value, name=""):
    """Yield (name, value) of all that a JSON value holds; what is in a list goes by the list's name."""
    left = [(name, value)]
    while left:
        name, value = left.pop()
        if isinstance(value, dict):
            left.extend(value.items())
        elif isinstance(value, list):
            left.extend((name, inner) for inner in value)
        if name in FOREIGN or not isinstance(value, (dict, list)):
            yield name, value


def _objects(value):
    """Yield the objects in a JSON value, itself too."""
    left = [value]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            yield value
            left.extend(value.values())
        elif isinstance(value, list):
            left.extend(value)


def _unknown(path, name, value):
    return InputError(f"{path} has {name} = {str(value)[:40]}, which no model has; {GET_WHOLE}")


@contextmanager
def built_within(tensors: int, where: Path | str, numbers: float = math.inf) -> Iterator[None]:
    """Stop building modules as soon as they are more than a file of so many tensors and numbers can fill, whatever their config asks for.

    What a config raises otherwise is an InputError, too.
    """
    from torch.nn.modules.module import register_module_parameter_registration_hook

    most, built, size = 2 * tensors + 100, 0, 0  # a tied tensor is registered twice

    def count(_, __, parameter):
        nonlocal built, size
        built += 1
        size += 0 if parameter is None else parameter.numel()
        if built > most:
            raise InputError(f"{where} has a config that asks for more than its {tensors} tensors; {GET_WHOLE}")
        if size > numbers:
            raise InputError(f"{where} has a config that asks for more than its files hold; {GET_WHOLE}")

    hook = register_module_parameter_registration_hook(count)
    try:
        yield
    except InputError:
        raise
    except ImportError:
        raise
    except Exception as error:  # what a config of somebody's raises nobody foresees
        raise InputError(f"cannot build a model by the config of {where} ({reason(error)}); {GET_WHOLE}") from error
    finally:
        hook.remove()


@contextmanager
def loaded_within(folder: Path | str) -> Iterator[None]:
    """Check a folder (`check_model_folder`); what is then loaded of it may be no larger than its weights. Raises InputError."""
    check_model_folder(folder)
    size = sum(path.stat().st_size for pattern in WEIGHTS for path in Path(folder).glob(pattern))
    with built_within(size // 64, folder, numbers=4 * size + 10**6):  # tensors tied, left out of the file, or of a byte a number
        yield


def reason(error: BaseException) -> str:
    """Return what an error says on one line; its name where it says nothing."""
    said = " ".join(str(error).split())[:300]
    if isinstance(error, InputError):
        return said
    return f"{type(error).__name__}: {said}" if said else type(error).__name__
