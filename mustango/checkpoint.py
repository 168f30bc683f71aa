"""Weights on disk -> components: verify that a folder holds just the tensors its configs ask for."""

import json
import re
from importlib import import_module
from pathlib import Path

from safetensors import SafetensorError, safe_open

from musicbench import InputError

BUNDLED = "mustango-mini"


def model_folder(model):
    """Return the folder of a model: the one that ships with the repository, or a path. Raises InputError if it is none."""
    folder = Path(__file__).resolve().parent.parent / "checkpoints" / BUNDLED if model == BUNDLED else Path(model)
    if not folder.is_dir():
        raise InputError(f"no model folder {folder}; give {BUNDLED} or a folder with a model_index.json")
    return folder


def model_index(folder):
    """Read a pipeline folder's index: {component: [library, class]} and settings. Raises InputError."""
    path = Path(folder) / "model_index.json"
    if not path.is_file():
        raise InputError(f"{folder} holds no model_index.json; give a folder that `mustango train bundle` or save_pretrained wrote")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {path} ({error}); get the folder whole again") from None


# Released tensor names -> ours: patterns applied in turn to a name of `pytorch_model_ldm.bin`.
RELEASED_NAMES = (
    (r"^unet\.", ""),
    (r"^(down|up)_blocks\.(\d+)\.resnets\.(\d+)\.", r"\1.\2.layers.\3.resnet."),
    (r"^(down|up)_blocks\.(\d+)\.attentions\.(\d+)\.", r"\1.\2.layers.\3.streams.text."),
    (r"^(down|up)_blocks\.(\d+)\.attentions2\.(\d+)\.", r"\1.\2.layers.\3.streams.beat."),
    (r"^(down|up)_blocks\.(\d+)\.attentions3\.(\d+)\.", r"\1.\2.layers.\3.streams.chord."),
    (r"^(down|up)_blocks\.(\d+)\.(down|up)samplers\.0\.", r"\1.\2.\3sample."),
    (r"^mid_block\.resnets\.0\.", "mid.resnet."),
    (r"^mid_block\.resnets\.1\.", "mid_resnet."),
    (r"^mid_block\.attentions\.0\.", "mid.streams.text."),
    (r"^mid_block\.attentions2\.0\.", "mid.streams.beat."),
    (r"^mid_block\.attentions3\.0\.", "mid.streams.chord."),
    (r"\.transformer_blocks\.0\.", "."),
    (r"\.attn1\.", ".self_attention."),
    (r"\.attn2\.", ".cross_attention."),
    (r"\.to_out\.0\.", ".to_out."),
    (r"\.ff\.", ".feed_forward."),
    (r"^chord_embedding_layer\.FME\.translation_bias$", "root_bias"),
    (r"^(beat|chord)_embedding_layer\.\1_ffn\.", r"\1_projection."),
)


def our_name(released):
    """Return our name of a released tensor: `our_name("unet.conv_in.bias") == "conv_in.bias"`."""
    for pattern, replacement in RELEASED_NAMES:
        released = re.sub(pattern, replacement, released)
    return released


def _build_on_meta(folder, library, class_name):
    """Build a component from its config without allocating its weights."""
    import torch

    kind = getattr(import_module(library), class_name)
    with torch.device("meta"):
        if library == "transformers":
            from transformers import AutoConfig

            return kind(AutoConfig.from_pretrained(folder))
        return kind.from_config(kind.load_config(folder))


def _one_line(error):
    return " ".join(str(error).split())[:300]


def tensor_shapes(folder):
    """Return {name: shape} of all safetensors in a folder. Raises InputError for a file that cannot be read."""
    shapes = {}
    for path in sorted(Path(folder).glob("*.safetensors")):
        try:
            with safe_open(path, "pt") as file:
                shapes |= {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
        except (SafetensorError, OSError) as error:
            raise InputError(f"cannot read {path} ({error}); the file is cut short or foreign, get it again") from None
    return shapes


def verify(folder):
    """Check a pipeline folder: every component there, no tensor missing, unknown or of another shape. Raises InputError."""
    folder = Path(folder)
    for name, entry in model_index(folder).items():
        if not isinstance(entry, list) or entry[1] is None:
            continue
        part = folder / name
        if not part.is_dir():
            raise InputError(f"{folder} lacks the folder {name}; get the model whole again")
        if name in ("tokenizer", "scheduler", "mel"):
            continue
        try:
            wanted = {key: tuple(value.shape) for key, value in _build_on_meta(part, *entry).state_dict().items()}
        except (OSError, ValueError, TypeError, AttributeError, ImportError) as error:
            raise InputError(f"cannot build {name} from {part} ({_one_line(error)}); get the model whole again") from None
        have = tensor_shapes(part)
        for what, keys in (("lacks", wanted.keys() - have.keys()), ("has the unknown", have.keys() - wanted.keys())):
            if keys:
                raise InputError(
                    f"{part} {what} tensor {min(keys)} ({len(keys)} in all); its config and weights do not belong together"
                )
        for key, shape in wanted.items():
            if have[key] != shape:
                raise InputError(f"{part}: tensor {key} is {have[key]}, its config asks for {shape}; get the model whole again")
