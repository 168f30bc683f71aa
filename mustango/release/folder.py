"""A model's folder: find it here or on the hub, say what it holds, verify it, write it whole."""

import math
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from musicbench import InputError
from musicbench.files import alone_at, check_writable
from musicbench.model_folders import built_within
from mustango.release.classes import class_of
from mustango.release.files import check_regular_in, check_tensors, one_line, read_json, tensor_shapes
from mustango.release.hub import fetched, is_hub_id
from mustango.release.layouts import PARTS, PREDICTOR_PARTS, is_released
from mustango.release.limits import check_configs

BUNDLED = "mustango-mini"
RELEASED_WINDOW_S = 10.24
SHARD = "700MB"  # a shard is copied in memory when it is written

# ---------------------------------------------------------------------------------------------------- found


def bundled_folder() -> Path:
    """Return the folder of the bundled model: inside the package where that was installed from a wheel, else in the repository."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "checkpoints" / BUNDLED
    return installed if installed.is_dir() else package.parent / "checkpoints" / BUNDLED


def model_folder(model: Path | str, revision: str | None = None, fetch: str = "pipeline", **hub: Any) -> Path:
    """Return the folder of a model: the one that ships with the repository, a path, or a hub id's.

    A hub id is fetched once, then cached. fetch: what is wanted of it, "configs", "pipeline" or "predictors" (a
    pipeline with the released predictors). revision: its branch, tag or commit. hub: options of
    `huggingface_hub.snapshot_download`. Raises InputError for anything else.
    """
    folder = bundled_folder() if str(model) == BUNDLED else Path(model)
    if is_hub_id(model):
        return fetched(str(model), revision, fetch, hub)
    if not folder.is_dir():
        raise InputError(
            f"no model folder {folder}; give {BUNDLED}, a folder with a model_index.json or in the released layout, or a hub id"
        )
    if revision is not None:
        raise InputError(f"revision {revision} says nothing of the folder {folder}; leave it out, or give a hub id")
    return folder


def commit_of(model: Path | str, revision: str | None = None) -> str | None:
    """Return the commit that a hub id has at a revision, as it was fetched.

    Of a folder, and where the cache does not tell, it is the revision that is asked for.
    """
    if not is_hub_id(model):
        return revision
    folder = model_folder(model, revision, "configs")
    return folder.name if folder.parent.name == "snapshots" else revision


# ---------------------------------------------------------------------------------------------------- what it holds


def model_index(folder: Path | str) -> dict:
    """Read a pipeline folder's index: {component: [library, class]} and settings. Raises InputError."""
    path = Path(folder) / "model_index.json"
    if not path.is_file():
        raise InputError(
            f"{folder} holds no model_index.json; give a folder that `mustango train bundle` or save_pretrained wrote, "
            "or one in the released layout"
        )
    return with_todays_names(read_json(path))


def with_todays_names(index: dict) -> dict:
    """Return a model's index with our own classes under "mustango"; until 0.1.0 it had the modules where they lay."""
    return {
        name: ["mustango", entry[1]]
        if isinstance(entry, list) and len(entry) == 2 and str(entry[0]).startswith("mustango.")
        else entry
        for name, entry in index.items()
    }


def has_predictors(folder: Path, hub_id: str | None = None) -> bool:
    """True if a model has the released predictors, in its folder or on the hub, not fetched yet."""
    folder = Path(folder)
    if is_released(folder):
        return hub_id is not None or (folder / "beats").is_dir()
    entry = model_index(folder).get("beat_predictor")
    if entry is not None:
        return entry[1] is not None and (hub_id is not None or (folder / "beat_predictor").is_dir())
    return (folder / "beat_predictor").is_dir()  # an older folder, whose index does not list it


def durations_of(model: Path | str, revision: str | None = None) -> tuple[float, float]:
    """Return how long a model's clips are if nobody says, and the longest it makes, in seconds, without loading it."""
    folder = model_folder(model, revision, "configs")
    index = {} if is_released(folder) else model_index(folder)
    window_s = index.get("window_s", RELEASED_WINDOW_S)
    return window_s, index.get("longest_s") or window_s


# ---------------------------------------------------------------------------------------------------- verified


def verify(folder: Path | str) -> None:
    """Check a pipeline folder: every component there and of a known class, no setting out of bounds, no tensor missing,
    unknown or of another shape.

    Raises InputError.
    """
    folder = Path(folder)
    check_regular_in(folder)
    check_configs(folder)
    index = model_index(folder)
    if not isinstance(index.get("_class_name", ""), str):
        raise InputError(
            f"{folder / 'model_index.json'} names a pipeline of its own, whose code is not run; get the model whole again"
        )
    for name in PARTS:
        if not isinstance(index.get(name), list) or len(index[name]) != 2 or index[name][1] is None:
            raise InputError(f"{folder / 'model_index.json'} lists no {name}; get the model whole again")
    for name, entry in index.items():
        if not isinstance(entry, list):
            continue
        if len(entry) != 2:
            raise InputError(f"{folder / 'model_index.json'} lists no class for {name}; get the model whole again")
        if entry[1] is None:
            continue
        part = folder / name
        if name in PREDICTOR_PARTS and (name.endswith("tokenizer") or not part.is_dir()):  # fetched, or read, when they are asked
            continue
        if (part / "adapter_config.json").exists():  # transformers would take the weights from where it says
            raise InputError(f"{part} holds an adapter; get the model with its own weights")
        kind = class_of(name, *entry)
        if not part.is_dir():
            raise InputError(f"{folder} lacks the folder {name}; get the model whole again")
        if name.endswith("tokenizer") or name == "scheduler":
            continue
        _check_component(part, kind)
    _check_sizes(folder)


def _check_component(folder, kind):
    """Raise InputError unless a component's tensors are those that its config asks for."""
    shapes = tensor_shapes(folder)
    if not shapes:
        raise InputError(f"{folder} lacks its weights; get the model whole again")
    with built_within(len(shapes), folder):
        model = _build_on_meta(folder, kind)
    wanted = {key: tuple(value.shape) for key, value in model.state_dict().items()}
    ignored = {*(getattr(model, "_keys_to_ignore_on_load_unexpected", None) or ())} - wanted.keys()
    check_tensors(wanted, {key: shape for key, shape in shapes.items() if key not in ignored}, folder)


def _build_on_meta(folder, kind):
    """Build a component from its config without allocating its weights."""
    import torch

    with torch.device("meta"):
        if hasattr(kind, "config_class"):  # transformers', or ours on their bodies
            return kind(kind.config_class.from_pretrained(folder))
        return kind.from_config(kind.load_config(folder))


def _check_sizes(folder):
    """Raise InputError unless the sizes of a model's components, as their configs have them, fit each other."""
    mel, vae, unet, vocoder, conditioner, text = (
        read_json(folder / name / "config.json") for name in ("mel", "vae", "unet", "vocoder", "conditioner", "text_encoder")
    )
    f_t, f_m = mel.get("fold", (1, 1))
    scale = 2 ** (len(vae.get("block_out_channels", ())) - 1)
    hop_length = vocoder.get("hop_length") or math.prod(vocoder.get("upsample_rates", ()))
    width = unet.get("cross_attention_dim")
    pairs = {
        "the mel's fold": (f_t * f_m, "the vae's in_channels", vae.get("in_channels")),
        "the vae's out_channels": (vae.get("out_channels"), "its in_channels", vae.get("in_channels")),
        "the vae's latent_channels": (vae.get("latent_channels"), "the unet's in_channels", unet.get("in_channels")),
        "the unet's out_channels": (unet.get("out_channels"), "its in_channels", unet.get("in_channels")),
        "the mel's n_mels": (mel.get("n_mels"), "the vocoder's", vocoder.get("n_mels", vocoder.get("model_in_dim"))),
        "the mel's hop_length": (mel.get("hop_length"), "the vocoder's", hop_length),
        "the mel's sample_rate": (
            mel.get("sample_rate"),
            "the vocoder's",
            vocoder.get("sample_rate", vocoder.get("sampling_rate")),
        ),
        "the conditioner's dim": (conditioner.get("dim"), "the unet's cross_attention_dim", width),
        "the text encoder's width": (_width_of(text), "the unet's cross_attention_dim", width),
        "the rest of the mel's n_mels": (mel.get("n_mels", 0) % (f_m * scale), "but what divides them leaves", 0),
    }
    if unet.get("control_channels"):
        pairs |= {
            "the unet's columns": (unet.get("columns"), "those of a latent row", mel.get("n_mels", 0) // (f_m * scale)),
            "the unet's frames_per_row": (unet.get("frames_per_row"), "those of a latent row", f_t * scale),
        }
    for one, (size, other, needed) in pairs.items():
        if size != needed:
            raise InputError(f"in {folder} {one} is {size}, {other} {needed}; get the model whole again")


def _width_of(text):
    """Return how wide a text encoder's states are, by its config."""
    return next((text[name] for name in ("hidden_size", "d_model", "dim") if name in text), None)


# ---------------------------------------------------------------------------------------------------- written


def check_target(target: Path) -> None:
    """Raise InputError unless a folder `target` is not there yet and its parent is."""
    target = Path(target)
    if target.exists():
        raise InputError(f"{target} exists; choose another name or remove it")
    if not target.parent.is_dir():
        raise InputError(f"the folder {target.parent} does not exist; make it first or choose another place")
    check_writable(target.parent)


@contextmanager
def model_written_whole(folder: Path | str) -> Iterator[Path]:
    """Give a temporary folder beside `folder` whose files take their places in it only if the block ends well.

    Other files in `folder` stay, weights apart. While files are moved its index is away, so that it is never taken for
    a model when it is half of one and half of another. Raises InputError when it cannot be written, or another run is writing it.
    """
    folder = Path(folder).resolve()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot write {folder} ({error.strerror}); choose another place") from None
    with alone_at(folder), _new_beside(folder) as new:
        yield new


@contextmanager
def _new_beside(folder):
    new = folder.with_name(f".{folder.name}.new")
    try:
        shutil.rmtree(new, ignore_errors=True)  # a killed one's
        new.mkdir()
        yield new
        if not folder.exists():
            new.rename(folder)
            return
        (folder / "model_index.json").unlink(missing_ok=True)
        for path in sorted(new.rglob("*"), key=lambda path: path.name == "model_index.json"):
            place = folder / path.relative_to(new)
            if path.is_dir():
                place.mkdir(exist_ok=True)
                for stale in place.glob("*.safetensors*"):
                    stale.unlink()
            else:
                os.replace(path, place)
    except (OSError, SafetensorError) as error:
        raise InputError(
            f"cannot write {folder} ({getattr(error, 'strerror', None) or one_line(error)}); choose another place"
        ) from None
    finally:
        shutil.rmtree(new, ignore_errors=True)


def write_part(component: Any, folder: Path) -> list[str]:
    """Write a component into a folder and return its entry in a model's index, [library, class]."""
    component.save_pretrained(folder, **({"max_shard_size": SHARD} if hasattr(component, "parameters") else {}))
    library = type(component).__module__
    return [library if library.startswith("mustango") else library.split(".")[0], type(component).__name__]
