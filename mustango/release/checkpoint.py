"""Weights on disk: find or fetch a model folder and verify it; turn the released Mustango files into our components.

Released layout: ldm/pytorch_model_ldm.bin, vae/pytorch_model_vae.bin, beats/microsoft-deberta-v3-large.pt,
chords/flan-t5-large.bin and configs/*.json; weights may be safetensors, in shards, or under accelerate's names too. Every tensor is
renamed by the tables below; one that is missing, unknown, of another shape or not finite is an error that names it.
"""

import json
import os
import pickle
import re
import shutil
import struct
from contextlib import contextmanager
from fnmatch import fnmatch
from importlib import import_module
from itertools import chain
from pathlib import Path

from safetensors import SafetensorError, safe_open

from musicbench import InputError
from musicbench.files import check_writable

BUNDLED = "mustango-mini"
# The released predictors and their tokenizers, which a model may lack; they come last, when they are asked.
PREDICTOR_PARTS = ("beat_tokenizer", "beat_predictor", "chord_tokenizer", "chord_predictor")
PARTS = ("tokenizer", "text_encoder", "conditioner", "unet", "scheduler", "mel", "vae", "vocoder")

# ---------------------------------------------------------------------------------------------------- released names -> ours

# Patterns applied in turn; `released_name` applies them backwards.
MUNET_NAMES = (
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
    (r"\.transformer_blocks\.0\.attn1\.", ".self_attention."),
    (r"\.transformer_blocks\.0\.attn2\.", ".cross_attention."),
    (r"\.transformer_blocks\.0\.ff\.", ".feed_forward."),
    (r"(\.streams\.\w+)\.transformer_blocks\.0\.norm(\d)\.", r"\1.norm\2."),
    (r"\.to_out\.0\.", ".to_out."),
)
CONDITIONER_NAMES = (
    (r"^chord_embedding_layer\.FME\.translation_bias$", "root_bias"),  # the file holds it twice, or once
    (r"^FME\.translation_bias$", "root_bias"),
    (r"^(beat|chord)_embedding_layer\.\1_ffn\.", r"\1_projection."),
)
TEXT_NAMES = ((r"^text_encoder\.", ""),)
VAE_NAMES = (
    (r"\.(down)\.(\d+)\.block\.(\d+)\.", r".\1_blocks.\2.resnets.\3."),
    (r"\.down\.(\d+)\.downsample\.", r".down_blocks.\1.downsamplers.0."),
    (r"\.mid\.block_1\.", ".mid_block.resnets.0."),
    (r"\.mid\.block_2\.", ".mid_block.resnets.1."),
    (r"\.mid\.attn_1\.norm\.", ".mid_block.attentions.0.group_norm."),
    (r"\.mid\.attn_1\.([qkv])\.", r".mid_block.attentions.0.to_\1."),
    (r"\.mid\.attn_1\.proj_out\.", ".mid_block.attentions.0.to_out.0."),
    (r"\.up\.(\d+)\.block\.(\d+)\.", r".up_blocks.\1.resnets.\2."),  # counted from the other end, see `convert_vae`
    (r"\.up\.(\d+)\.upsample\.", r".up_blocks.\1.upsamplers.0."),
    (r"\.nin_shortcut\.", ".conv_shortcut."),
    (r"\.norm_out\.", ".conv_norm_out."),
)
VOCODER_NAMES = ((r"^vocoder\.", ""), (r"^ups\.", "upsampler."))

# Settings of vae_config.json, at its top and in ddconfig, that our VAE has built in.
VAE_SETTINGS = {"subband": 1, "time_shuffle": 1}
VAE_DD_SETTINGS = {
    "downsample_time": False, "double_z": True, "resamp_with_conv": True, "give_pre_end": False, "tanh_out": False,
    "use_linear_attn": False, "attn_type": "vanilla",
}  # fmt: skip

# Released buffers that no forward pass reads.
IGNORED = r"^((beat_embedding_layer\.|chord_embedding_layer\.)?PE\.pe|deberta\.embeddings\.position_ids)$"
# Tensors a file may lack or hold twice, by the version of transformers that saved it.
TIED = ("shared.weight", "encoder.embed_tokens.weight", "decoder.embed_tokens.weight")

# The scheduler of stabilityai/stable-diffusion-2-1, which released Mustango names; its public source is gone. Other owners keep copies.
SCHEDULER_NAME = "stable-diffusion-2-1"
RELEASED_SCHEDULER = {
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "prediction_type": "v_prediction",
}
# The released code ignores its vocoder config: this one is built in.
RELEASED_VOCODER = {
    "upsample_rates": [5, 4, 2, 2, 2],
    "upsample_kernel_sizes": [16, 16, 8, 4, 4],
    "upsample_initial_channel": 1024,
    "resblock_kernel_sizes": [3, 7, 11],
    "resblock_dilation_sizes": [[1, 3, 5], [1, 3, 5], [1, 3, 5]],
    "num_mels": 64,
}


# A released part's folder -> how its file of weights is named; accelerate's names come after that.
RELEASED_WEIGHTS = {
    "ldm": "pytorch_model_ldm.bin",
    "vae": "pytorch_model_vae.bin",
    "beats": "microsoft-deberta-v3-large.pt",
    "chords": "flan-t5-large.bin",
}
WEIGHT_STEMS = ("model", "pytorch_model")  # accelerate's
WEIGHT_SUFFIXES = (".safetensors", ".safetensors.index.json", ".bin", ".bin.index.json", ".pt")
WRAPPED = r"(?:^|(?<=\.))(?:(?:module|_orig_mod)\.)+"  # what DistributedDataParallel and torch.compile put into names
STATE_DICT_KEYS = ("state_dict", "model_state_dict", "model", "module")  # under which training loops save one
OUTER = "model."  # what a training loop's own class puts before all names
# How files begin that stand where weights or settings should -> what they are and what helps.
STAND_INS = (
    ((b"version https://git-lfs",), "is a pointer of Git LFS; run `git lfs pull` there, or download the file itself"),
    ((b"<!doctype", b"<html", b"<head", b"<?xml"), "is a web page; download the file itself, logged in where that is needed"),
    ((b"entry not found",), "holds the hub's answer that there is no such file; download it under its right name"),
)
RELEASED_WINDOW_S = 10.24
LEGACY = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46"  # how files begin that torch before 1.6 wrote, which cannot be mapped
SHARD = "700MB"  # a shard is copied in memory when it is written
# Where the released model takes its tokenizers from; the text encoder's is named in configs/main_config.json.
TOKENIZERS = {
    "tokenizer": "google/flan-t5-large",
    "beat_tokenizer": "microsoft/deberta-v3-large",
    "chord_tokenizer": "google/flan-t5-large",
}
# What of microsoft/deberta-v3-large's config its tensors do not tell; the released layout does not hold it.
DEBERTA = {
    "relative_attention": True, "norm_rel_ebd": "layer_norm", "share_att_key": True,
    "pos_att_type": "p2c|c2p", "position_biased_input": False, "type_vocab_size": 0, "max_position_embeddings": 512,
    "max_relative_positions": -1, "layer_norm_eps": 1e-7, "hidden_act": "gelu", "pad_token_id": 0,
}  # fmt: skip


def rename(name, table):
    """Apply a table to a released tensor name: `rename("unet.conv_in.bias", MUNET_NAMES) == "conv_in.bias"`."""
    for pattern, replacement in table:
        name = re.sub(pattern, replacement, name)
    return name


def released_name(name, table):
    """Return the released name that `rename` turns into `name`: the table is applied backwards, each row with its sides swapped."""
    for pattern, replacement in reversed(table):
        groups = re.findall(r"\([^)]*\)", pattern)
        wanted, back = re.escape(replacement), pattern.strip("^$")
        for number, group in enumerate(groups, 1):
            wanted = wanted.replace(rf"\\{number}", group, 1)
            back = back.replace(group, rf"\{number}", 1)
        begin, end = "^" * pattern.startswith("^"), "$" * pattern.endswith("$")
        name = re.sub(begin + wanted + end, back.replace(r"\.", "."), name)
    return name


# ---------------------------------------------------------------------------------------------------- model folders


def model_folder(model, revision=None, fetch="pipeline", **hub):
    """Return the folder of a model: the one that ships with the repository, a path, or a hub id (fetched once, then cached).

    fetch: what is wanted of a hub id, "configs", "pipeline" or "predictors" (a pipeline with the released predictors). revision: a hub
    id's branch, tag or commit. hub: options of `huggingface_hub.snapshot_download`. Raises InputError for anything else.
    """
    folder = Path(__file__).resolve().parents[2] / "checkpoints" / BUNDLED if str(model) == BUNDLED else Path(model)
    if is_hub_id(model):
        return _fetched(str(model), revision, fetch, hub)
    if not folder.is_dir():
        raise InputError(
            f"no model folder {folder}; give {BUNDLED}, a folder with a model_index.json or in the released layout, or a hub id"
        )
    if revision is not None:
        raise InputError(f"revision {revision} says nothing of the folder {folder}; leave it out, or give a hub id")
    return folder


def commit_of(model, revision=None):
    """Return the commit that a hub id has at a revision, as it was fetched; what is asked for where the cache does not tell, or for a folder."""
    if not is_hub_id(model):
        return revision
    folder = model_folder(model, revision, "configs")
    return folder.name if folder.parent.name == "snapshots" else revision


def is_hub_id(model):
    """True for what can only be a name on the hub: owner/name, and no such file or folder here."""
    return bool(re.fullmatch(r"[\w-][\w.-]*/[\w-][\w.-]*", str(model))) and not Path(model).exists()


def _fetched(hub_id, revision, fetch, hub):
    """Return the cached snapshot of a hub id, fetching what is not there yet. Raises InputError."""
    from huggingface_hub import snapshot_download

    patterns = wanted_patterns(fetch)
    try:
        names = None if hub.get("local_files_only") else _names_on_hub(hub_id, revision)
        chosen = wanted_files(names, patterns) if names else patterns
        return Path(snapshot_download(hub_id, revision=revision, allow_patterns=chosen, **hub))
    except (OSError, ValueError) as error:  # the hub's errors derive from these
        at = f" at revision {revision}" if revision else ""
        cause = _one_line(error.__cause__ or error)[:160]  # what the connection said, where the hub tells only that there was none
        raise InputError(
            f"no folder {hub_id}, and the hub does not give it{at} ({cause}); check name, revision and connection"
        ) from None


def _names_on_hub(hub_id, revision):
    """Return the names of a hub id's files, or None when the hub does not answer, where the cache may do.

    It is asked once: listing the files by pages would try six times, for 24 s, and tell of each.
    """
    from huggingface_hub import constants, model_info

    if constants.HF_HUB_OFFLINE:
        return None
    try:
        return [file.rfilename for file in model_info(hub_id, revision=revision).siblings]
    except Exception:  # of the HTTP library below, whichever it is; fetching meets the same and says it
        return None


def wanted_patterns(fetch):
    """Return patterns of the files that are wanted of a repository in either layout; see `model_folder`."""
    patterns = ["*.json"]
    if fetch == "configs":
        return patterns
    ours, released = (PARTS, ("ldm", "vae")) if fetch == "pipeline" else (PARTS + PREDICTOR_PARTS, tuple(RELEASED_WEIGHTS))
    for name in ours:
        patterns.append(f"{name}/*" if name.endswith("tokenizer") else f"{name}/*.safetensors")
    for name in released:
        patterns += [f"{name}/{file}" for file in weight_names(name)]
        patterns += [f"{name}/*-of-*{suffix}" for suffix in (".safetensors", ".bin")]
    return patterns


def wanted_files(names, patterns):
    """Return which of a repository's files match the patterns; of weights that are there in several formats only the first's.

    The order of formats is that of `weight_names`.
    """
    wanted = [name for name in names if any(fnmatch(name, pattern) for pattern in patterns)]
    return wanted if "model_index.json" in names else [name for name in wanted if _is_first_format(name, wanted)]


def _is_first_format(name, names):
    """True for a file that is no weights of a released part, or belongs to the first of the formats in which `names` has them."""
    part, _, file = name.partition("/")
    if part not in RELEASED_WEIGHTS or not file.endswith((".safetensors", ".bin", ".pt")):
        return True
    first = next((own for own in weight_names(part) if f"{part}/{own}" in names), file)
    if first.endswith(".index.json"):
        shard = Path(first.removesuffix(".index.json"))
        return fnmatch(file, f"{shard.stem}-*-of-*{shard.suffix}")
    return file == first


def is_released(folder):
    """True for a folder in the layout of the released Mustango, whole or not."""
    return not (Path(folder) / "model_index.json").exists() and (
        (Path(folder) / "ldm").is_dir() or (Path(folder) / "configs").is_dir()
    )


def has_predictors(folder, hub_id=None):
    """True if a model has the released predictors: in its folder, or on the hub, from where they have not been fetched yet."""
    folder = Path(folder)
    if is_released(folder):
        return hub_id is not None or (folder / "beats").is_dir()
    entry = model_index(folder).get("beat_predictor")
    if entry is not None:
        return entry[1] is not None and (hub_id is not None or (folder / "beat_predictor").is_dir())
    return (folder / "beat_predictor").is_dir()  # an older folder, whose index does not list it


def durations_of(model, revision=None):
    """Return how long a model's clips are if nobody says, and the longest it makes, in seconds, without loading it."""
    folder = model_folder(model, revision, "configs")
    index = {} if is_released(folder) else model_index(folder)
    window_s = index.get("window_s", RELEASED_WINDOW_S)
    return window_s, index.get("longest_s") or window_s


def model_index(folder):
    """Read a pipeline folder's index: {component: [library, class]} and settings. Raises InputError."""
    path = Path(folder) / "model_index.json"
    if not path.is_file():
        raise InputError(
            f"{folder} holds no model_index.json; give a folder that `mustango train bundle` or save_pretrained wrote, or one in the released layout"
        )
    return with_todays_names(read_json(path))


def with_todays_names(index):
    """Return a model's index with our own classes under "mustango"; until 0.1.0 it had the modules where they lay."""
    return {
        name: ["mustango", entry[1]] if isinstance(entry, list) and str(entry[0]).startswith("mustango.") else entry
        for name, entry in index.items()
    }


def read_json(path):
    """Read a JSON object. Raises InputError for anything else."""
    check_no_stand_in(path)
    try:
        value = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {path} ({_one_line(error)}); get the folder whole again") from None
    if not isinstance(value, dict):
        raise InputError(f"{path} holds no JSON object; get the folder whole again")
    return value


def check_no_stand_in(path):
    """Raise InputError for a file that is empty, or a web page or a pointer that stands in its place; not for one that cannot be opened."""
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


def _one_line(error):
    return " ".join(str(error).split())[:300]


def tensor_shapes(folder):
    """Return {name: shape} of all safetensors in a folder. Raises InputError for a file that cannot be read."""
    shapes = {}
    for path in sorted(Path(folder).glob("*.safetensors")):
        check_no_stand_in(path)
        try:
            with safe_open(path, "pt") as file:
                shapes |= {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
        except (SafetensorError, OSError) as error:
            raise InputError(f"cannot read {path} ({error}); the file is cut short or foreign, get it again") from None
    return shapes


def _build_on_meta(folder, library, class_name):
    """Build a component from its config without allocating its weights."""
    import torch

    kind = getattr(import_module(library), class_name)
    with torch.device("meta"):
        if library == "transformers":
            from transformers import AutoConfig

            return kind(AutoConfig.from_pretrained(folder))
        if hasattr(kind, "config_class"):  # our own classes on transformers' bodies
            return kind(kind.config_class.from_pretrained(folder))
        return kind.from_config(kind.load_config(folder))


def check_tensors(wanted, have, where, named=str):
    """Compare {name: shape} asked for with {name: shape} there. Raises InputError naming the first that differs.

    named: turns a name into the one that the file has.
    """
    for what, names in (("lacks", wanted.keys() - have.keys()), ("has the unknown", have.keys() - wanted.keys())):
        names = {n for n in names if n not in TIED}
        if names:
            raise InputError(
                f"{where} {what} tensor {min(map(named, names))} ({len(names)} in all); its config and weights do not belong together"
            )
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


def verify(folder):
    """Check a pipeline folder: every component there, no tensor missing, unknown or of another shape. Raises InputError."""
    folder = Path(folder)
    index = model_index(folder)
    for name in PARTS:
        if not isinstance(index.get(name), list) or len(index[name]) != 2 or index[name][1] is None:
            raise InputError(f"{folder / 'model_index.json'} lists no {name}; get the model whole again")
    for name, entry in index.items():
        if not isinstance(entry, list) or entry[1] is None:
            continue
        part = folder / name
        if name in PREDICTOR_PARTS and not part.is_dir():  # fetched when they are asked
            continue
        if not part.is_dir():
            raise InputError(f"{folder} lacks the folder {name}; get the model whole again")
        if name.endswith("tokenizer") or name == "scheduler":
            continue
        try:
            model = _build_on_meta(part, *entry)
        except (OSError, ValueError, TypeError, AttributeError, ImportError) as error:
            raise InputError(f"cannot build {name} from {part} ({_one_line(error)}); get the model whole again") from None
        wanted = {key: tuple(value.shape) for key, value in model.state_dict().items()}
        ignored = {*(getattr(model, "_keys_to_ignore_on_load_unexpected", None) or ())} - wanted.keys()
        check_tensors(wanted, {key: shape for key, shape in tensor_shapes(part).items() if key not in ignored}, part)
    mel, vae, unet, vocoder = (read_json(folder / name / "config.json") for name in ("mel", "vae", "unet", "vocoder"))
    fold = mel.get("fold", (1, 1))
    pairs = {
        "the mel's fold": (fold[0] * fold[1], "the vae's in_channels", vae.get("in_channels")),
        "the vae's latent_channels": (vae.get("latent_channels"), "the unet's in_channels", unet.get("in_channels")),
        "the mel's n_mels": (mel.get("n_mels"), "the vocoder's", vocoder.get("n_mels", vocoder.get("model_in_dim"))),
    }
    for one, (size, other, needed) in pairs.items():
        if size != needed:
            raise InputError(f"in {folder} {one} is {size}, {other} {needed}; get the model whole again")


@contextmanager
def model_written_whole(folder):
    """Give a temporary folder beside `folder` whose files take their places in it only if the block ends well.

    Other files in `folder` stay, weights apart. While files are moved its index is away, so that it is never taken for a model when
    it is half of one and half of another. Raises InputError when it cannot be written.
    """
    folder = Path(folder).resolve()
    new = folder.with_name(f".{folder.name}.new")
    try:
        shutil.rmtree(new, ignore_errors=True)  # a killed one's
        new.mkdir(parents=True)
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
            f"cannot write {folder} ({getattr(error, 'strerror', None) or _one_line(error)}); choose another place"
        ) from None
    finally:
        shutil.rmtree(new, ignore_errors=True)


# ---------------------------------------------------------------------------------------------------- released files


def weight_names(part):
    """Return how a released part's file of weights may be named, the likeliest first; a name in .index.json lists shards."""
    released = Path(RELEASED_WEIGHTS[part])
    own = [released.stem + suffix for suffix in (".safetensors", ".safetensors.index.json")] + [released.name]
    own += [name for suffix in WEIGHT_SUFFIXES if (name := released.stem + suffix) not in own]
    return own + [stem + suffix for stem in WEIGHT_STEMS for suffix in WEIGHT_SUFFIXES]


def weights_path(folder, part):
    """Return the file of weights, or the index of its shards, of a released part; the released name where there is none."""
    folder = Path(folder) / part
    return next((folder / name for name in weight_names(part) if (folder / name).exists()), folder / RELEASED_WEIGHTS[part])


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
        raise InputError(f"cannot read {path} ({_one_line(error)}); the file is cut short or foreign, download it again") from None


def _read_pickle(path):
    import torch

    try:
        with path.open("rb") as file:
            old = file.read(len(LEGACY)) == LEGACY
        tensors = torch.load(path, map_location="cpu", weights_only=True, mmap=not old)
    except pickle.UnpicklingError as error:
        raise InputError(f"{path} holds something else than tensors ({_one_line(error)[:160]}); it is not loaded") from None
    except (RuntimeError, OSError, EOFError, ValueError, LookupError, struct.error) as error:
        raise InputError(f"cannot read {path} ({_one_line(error)}); the file is cut short or foreign, download it again") from None
    for key in STATE_DICT_KEYS:
        if isinstance(tensors, dict) and isinstance(tensors.get(key), dict):
            tensors = tensors[key]
    if not isinstance(tensors, dict) or not all(isinstance(t, torch.Tensor) for t in tensors.values()):
        raise InputError(f"{path} is no state dict of tensors; download it again")
    return tensors


def taken(tensors, prefix, where):
    """Return those of {released name: tensor} that begin with a pattern. Raises InputError for one that is not finite."""
    own = {name: tensor for name, tensor in tensors.items() if re.match(prefix, name)}
    check_finite(own, where)
    return own


def without_weights():
    """Build modules whose parameters take no memory until they are filled in; buffers are real, as files do not hold all of them."""
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


def check_settings(config, fixed, where):
    """Raise InputError for a setting that a config has otherwise than ours, {name: value}, which are built in."""
    for name, value in fixed.items():
        if config.get(name, value) != value:
            raise InputError(f"{where} has {name} = {config[name]!r}; only {value!r} is supported")


def munet_config(released):
    """Turn a released MuNet config into ours. Raises InputError for a setting that ours does not have."""
    fixed = {
        "use_linear_projection": True, "flip_sin_to_cos": True, "freq_shift": 0, "act_fn": "silu", "downsample_padding": 1,
        "mid_block_scale_factor": 1, "only_cross_attention": False, "dual_cross_attention": False, "center_input_sample": False,
        "num_class_embeds": None, "class_embed_type": None, "resnet_time_scale_shift": "default",
    }  # fmt: skip
    check_settings(released, fixed, "the MuNet config")
    try:
        widths, heads = released["block_out_channels"], released["attention_head_dim"]  # which holds the number of heads
        levels = [kind.startswith("CrossAttn") for kind in released["down_block_types"]]
        for width, count in zip(widths, heads if isinstance(heads, list) else [heads] * len(widths), strict=True):
            if not isinstance(count, int) or count < 1 or width % count:
                raise InputError(f"the MuNet config has attention_head_dim {heads!r}, which does not divide {widths}; get it again")
        if [kind.startswith("CrossAttn") for kind in reversed(released["up_block_types"])] != levels:
            raise InputError("the MuNet config's up blocks do not mirror its down blocks; only mirrored ones are supported")
        return {
            "in_channels": released["in_channels"],
            "out_channels": released["out_channels"],
            "block_out_channels": widths,
            "layers_per_block": released["layers_per_block"],
            "num_heads": heads if isinstance(heads, list) else [heads] * len(widths),
            "attention_levels": levels,
            "cross_attention_dim": released["cross_attention_dim"],
            "norm_num_groups": released["norm_num_groups"],
            "norm_eps": released["norm_eps"],
        }
    except InputError:
        raise
    except (TypeError, AttributeError, ValueError):
        raise InputError("the MuNet config cannot be read; get configs/music_diffusion_model_config.json again") from None
    except KeyError as error:
        raise InputError(f"the MuNet config lacks {error}; get configs/music_diffusion_model_config.json again") from None


def convert_munet(tensors, config):
    """Build MuNet from released tensors (`unet.*`) and its released config."""

    from mustango.model.munet import MuNet

    with without_weights():
        model = MuNet(**munet_config(config))
    own = taken(tensors, r"unet\.", "the released MuNet")
    return fill(
        model, {rename(k, MUNET_NAMES): v for k, v in own.items()}, "the released MuNet", lambda k: released_name(k, MUNET_NAMES)
    )


def convert_conditioner(tensors, root_base=1.0, time_base=10001.0):
    """Build the beat and chord encoders; their sizes follow from the tensors."""

    from mustango.model.conditioning import CHORD_TYPES, Conditioner

    where = "the released beat and chord encoders"
    own = taken(tensors, rf"(?!{IGNORED})(beat_embedding_layer|chord_embedding_layer|FME)\.", where)
    check_same({k: v for k, v in own.items() if rename(k, CONDITIONER_NAMES) == "root_bias"}, where)
    own = {rename(k, CONDITIONER_NAMES): v for k, v in own.items()}

    def named(name):
        return released_name(name, CONDITIONER_NAMES)

    try:
        root_dim = own["root_bias"].shape[1]
        dim, chord_in = own["chord_projection.weight"].shape
        time_dim = chord_in - root_dim - len(CHORD_TYPES) - 4
        n_beat_types = own["beat_projection.weight"].shape[1] - time_dim
    except KeyError as error:
        raise InputError(f"{where} lack tensor {named(error.args[0])}; download the model again") from None
    with without_weights():
        model = Conditioner(dim, root_dim, time_dim, root_base, time_base, n_beat_types)
    return fill(model, own, where, named)


def t5_config(tensors, prefix="", **settings):
    """Read a (gated-gelu) T5's sizes off its tensors; `settings` are what tensors do not tell, flan-t5's by default.

    prefix: what is before its tensors' names in the file. Raises InputError.
    """
    from transformers import T5Config

    def layers(stack):
        return 1 + max((int(m[1]) for k in tensors if (m := re.match(rf"{stack}\.block\.(\d+)\.", k))), default=-1)

    try:
        bias = tensors["encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight"]
        query = tensors["encoder.block.0.layer.0.SelfAttention.q.weight"]
        embedding = tensors["encoder.embed_tokens.weight" if "shared.weight" not in tensors else "shared.weight"]
        sizes = dict(
            vocab_size=embedding.shape[0], d_model=embedding.shape[1], num_heads=bias.shape[1],
            relative_attention_num_buckets=bias.shape[0], d_kv=query.shape[0] // bias.shape[1], num_layers=layers("encoder"),
            num_decoder_layers=layers("decoder") or None, d_ff=tensors["encoder.block.0.layer.1.DenseReluDense.wi_0.weight"].shape[0],
            feed_forward_proj="gated-gelu", relative_attention_max_distance=128, layer_norm_epsilon=1e-6,
            dropout_rate=0.0, tie_word_embeddings=False, decoder_start_token_id=0,
        )  # fmt: skip
        return T5Config(**sizes | settings)
    except KeyError as error:
        raise InputError(f"the released T5 lacks tensor {prefix}{error.args[0]}; download the model again") from None


def convert_text_encoder(tensors, **settings):
    """Build the T5 encoder from released tensors (`text_encoder.*`); `settings` replace flan-t5's (T5Config)."""
    from transformers import T5EncoderModel

    own = {rename(k, TEXT_NAMES): v for k, v in taken(tensors, r"text_encoder\.", "the released text encoder").items()}
    with without_weights():
        model = T5EncoderModel(t5_config(own, "text_encoder.", **settings))
    return fill(model, own, "the released text encoder", lambda k: released_name(k, TEXT_NAMES))


def convert_vae(tensors, config):
    """Build diffusers' AutoencoderKL from released tensors and the released `vae_config.json`."""
    from diffusers import AutoencoderKL

    try:
        d = config["ddconfig"]
        levels = len(d["ch_mult"])
        check_settings(config, VAE_SETTINGS, "vae_config.json")
        check_settings(d, VAE_DD_SETTINGS, "vae_config.json")
        if d.get("attn_resolutions") or config["embed_dim"] != d["z_channels"]:
            raise InputError("vae_config.json asks for attention or an embed_dim that ours does not have")
        with without_weights():
            model = AutoencoderKL(
                in_channels=d["in_channels"], out_channels=d["out_ch"], latent_channels=d["z_channels"], norm_num_groups=32,
                block_out_channels=[d["ch"] * m for m in d["ch_mult"]], layers_per_block=d["num_res_blocks"],
                down_block_types=["DownEncoderBlock2D"] * levels, up_block_types=["UpDecoderBlock2D"] * levels,
                sample_size=d["resolution"], scaling_factor=config["scale_factor"],
            )  # fmt: skip
    except KeyError as error:
        raise InputError(f"vae_config.json lacks {error}; get it again") from None

    def mirrored(name):
        return re.sub(r"(?<=\.up_blocks\.)\d+", lambda level: str(levels - 1 - int(level[0])), name)

    own = {}
    for name, tensor in taken(tensors, r"(?!vocoder\.)", "the released VAE").items():
        ours = mirrored(rename(name, VAE_NAMES))
        is_attention = re.search(r"attentions\.0\.to_\w+(\.0)?\.weight$", ours)  # 1 x 1 convolutions there, linear here
        own[ours] = tensor[:, :, 0, 0] if is_attention and tensor.ndim == 4 else tensor
    return fill(model, own, "the released VAE", lambda k: released_name(mirrored(k), VAE_NAMES))


def convert_vocoder(tensors, config=None, sample_rate=16000):
    """Build transformers' SpeechT5HifiGan from released tensors (`vocoder.*`, weight norm already folded)."""
    import torch
    from transformers import SpeechT5HifiGan, SpeechT5HifiGanConfig

    settings = dict(config or RELEASED_VOCODER)
    settings["model_in_dim"] = settings.pop("num_mels")
    if str(settings.pop("resblock", "1")) != "1":
        raise InputError("the vocoder config asks for resblock 2; only 1 is supported")
    config = SpeechT5HifiGanConfig(sampling_rate=sample_rate, normalize_before=False, leaky_relu_slope=0.1, **settings)
    own = {rename(k, VOCODER_NAMES): v for k, v in taken(tensors, r"vocoder\.", "the released vocoder").items()}
    # Unused here (normalize_before is off), but the class has them.
    own |= {"mean": torch.zeros(config.model_in_dim), "scale": torch.ones(config.model_in_dim)}
    with without_weights():
        model = SpeechT5HifiGan(config)
    return fill(model, own, "the released vocoder", lambda k: released_name(k, VOCODER_NAMES))


def convert_beat_predictor(tensors, config):
    """Build the DeBERTa beat predictor from released tensors and its body's config (a dict)."""
    from transformers import DebertaV2Config

    from mustango.release.predictors import BeatPredictor

    own = taken(tensors, f"(?!{IGNORED})", "the released beat predictor")
    with without_weights():
        model = BeatPredictor(DebertaV2Config(**config))
    return fill(model, own, "the released beat predictor")


def convert_chord_predictor(tensors):
    """Build the T5 chord predictor from released tensors."""

    from mustango.release.predictors import ChordPredictor

    with without_weights():
        model = ChordPredictor(t5_config(tensors))
    return fill(model, taken(tensors, "", "the released chord predictor"), "the released chord predictor")


def convert_mel(config):
    """Build the mel front end from the released `stft_config.json`."""
    from mustango.model.mel import LogMel

    try:
        if config["win_length"] != config["filter_length"]:
            raise InputError("stft_config.json has a win_length other than filter_length; only equal ones are supported")
        return LogMel(
            sample_rate=config["sampling_rate"], n_fft=config["filter_length"], hop_length=config["hop_length"],
            n_mels=config["n_mel_channels"], f_min=float(config["mel_fmin"]), f_max=float(config["mel_fmax"]),
        )  # fmt: skip
    except KeyError as error:
        raise InputError(f"stft_config.json lacks {error}; get it again") from None


def released_components(folder):
    """Yield (name, component) of a released folder one by one, each converted when it is asked for."""
    from diffusers import DPMSolverMultistepScheduler

    folder = Path(folder)
    configs, ldm = folder / "configs", weights_path(folder, "ldm")
    for part in ("ldm", "vae"):
        check_no_stand_in(weights_path(folder, part))
    check_scheduler(configs / "main_config.json")
    known = r"(unet|text_encoder|beat_embedding_layer|chord_embedding_layer|FME)\."
    if stray := [name for name in load_released(ldm) if not re.match(known, name)]:
        raise InputError(f"{ldm} has the unknown tensor {stray[0]}; this is no released Mustango")
    # The file is mapped anew for each component, so that the pages of the one before can go.
    yield "unet", convert_munet(load_released(ldm), read_json(configs / "music_diffusion_model_config.json"))
    yield "conditioner", convert_conditioner(load_released(ldm))
    yield "text_encoder", convert_text_encoder(load_released(ldm))
    stft = read_json(configs / "stft_config.json")
    vae = load_released(weights_path(folder, "vae"))
    vae_config = read_json(configs / "vae_config.json")
    yield "vae", convert_vae(vae, vae_config.get("vae", vae_config))
    n_mels, expected = stft.get("n_mel_channels", RELEASED_VOCODER["num_mels"]), RELEASED_VOCODER["num_mels"]
    if n_mels != expected or not isinstance(stft.get("sampling_rate", 16000), int):
        raise InputError(
            f"{configs / 'stft_config.json'} has n_mel_channels {n_mels!r} and sampling_rate {stft.get('sampling_rate')!r}; the vocoder "
            f"takes {expected} and a whole number; get the model again"
        )
    yield "vocoder", convert_vocoder(vae, vae_config.get("vocoder"), stft.get("sampling_rate", 16000))
    yield "mel", convert_mel(stft)
    yield "scheduler", DPMSolverMultistepScheduler(**RELEASED_SCHEDULER)


def check_scheduler(path):
    """Raise InputError for a main_config.json that names another scheduler than the release's; one that is not there names none."""
    name = read_json(path).get("scheduler_name", SCHEDULER_NAME) if path.is_file() else SCHEDULER_NAME
    if str(name).rstrip("/").rpartition("/")[2] != SCHEDULER_NAME:
        raise InputError(f"{path} has scheduler_name = {name!r}; only stabilityai/{SCHEDULER_NAME}, which predicts v, is built in")


def load_tokenizer(folder, role, given=None):
    """Return a released model's tokenizer: `given` (a name, folder or tokenizer), else the one the release names.

    Raises InputError, MissingPackage where a package is missing.
    """
    from transformers import AutoTokenizer, PreTrainedTokenizerBase

    if isinstance(given, PreTrainedTokenizerBase):
        return given
    name = given or TOKENIZERS[role]
    if not given and role == "tokenizer":
        name = read_json(Path(folder) / "configs" / "main_config.json").get("text_encoder_name", name)
    try:
        return AutoTokenizer.from_pretrained(name)
    except OSError as error:
        raise InputError(
            f"cannot get the {role} {name} ({_one_line(error)[:160]}); connect once, or name a folder that holds it"
        ) from None
    except (ValueError, ImportError, LookupError, TypeError, AttributeError, RuntimeError) as error:
        check_sentencepiece(role, name)
        raise InputError(
            f"cannot read the {role} {name} ({_one_line(error)[:160]}); get its files again, or name a folder that holds it"
        ) from None


class MissingPackage(InputError):
    """A package is not installed."""


def check_sentencepiece(role, name):
    """Raise MissingPackage unless what reads a tokenizer's spm.model is installed."""
    for module, package in (("sentencepiece", "sentencepiece"), ("google.protobuf", "protobuf")):
        try:
            import_module(module)
        except ImportError:
            raise MissingPackage(
                f"the {role} {name} needs the package {package}, which is not installed; pip install {package}"
            ) from None


def load_tokenizers(folder, given, predictors):
    """Return {role: tokenizer} of a released model, the predictors' too where those are wanted. Raises InputError."""
    roles = TOKENIZERS if predictors else ("tokenizer",)
    return {role: load_tokenizer(folder, role, given.get(role)) for role in roles}


def check_target(target):
    """Raise InputError unless a folder `target` is not there yet and its parent is."""
    target = Path(target)
    if target.exists():
        raise InputError(f"{target} exists; choose another name or remove it")
    if not target.parent.is_dir():
        raise InputError(f"the folder {target.parent} does not exist; make it first or choose another place")
    check_writable(target.parent)


def check_released(folder, named):
    """Raise InputError unless a folder, called `named` by who gave it, is in the released layout."""
    if (Path(folder) / "model_index.json").is_file():
        raise InputError(f"{named} is in our layout already, and needs no conversion; give it as --model")
    if not is_released(folder):
        raise InputError(f"{named} is not in the released layout (no ldm/pytorch_model_ldm.bin); only that is converted")


def convert(source, target, dtype=None, tokenizers=None, predictors=True, revision=None):
    """Write a released folder (or hub id) as a folder in our layout; component by component, so that memory holds one at a time.

    dtype: a torch dtype to store weights in. tokenizers: {role: name or folder} instead of those the release names.
    predictors: convert the beat and chord predictors too. revision: of a hub id. `target` appears only when it is whole. Raises InputError.
    """
    import diffusers
    import torch

    target = Path(target)
    check_target(target)
    source = model_folder(source, revision, "predictors" if predictors else "pipeline")
    check_released(source, source)
    index = {"_class_name": "MustangoPipeline", "_diffusers_version": diffusers.__version__, "window_s": RELEASED_WINDOW_S}
    with model_written_whole(target) as building:
        for role, tokenizer in load_tokenizers(source, tokenizers or {}, predictors).items():  # all before the first weight is read
            index[role] = write_part(tokenizer, building / role)
        for part in RELEASED_WEIGHTS if predictors else ():
            check_no_stand_in(weights_path(source, part))
        for name, component in chain(released_components(source), released_predictors(source) if predictors else ()):
            if dtype is not None and hasattr(component, "parameters") and name != "mel":
                torch.nn.Module.to(component, dtype)  # the classes' own `to` warn of it, or keep to full precision
            index[name] = write_part(component, building / name)
            del component
        (building / "model_index.json").write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")


def write_part(component, folder):
    """Write a component into a folder and return its entry in a model's index, [library, class]."""
    component.save_pretrained(folder, **({"max_shard_size": SHARD} if hasattr(component, "parameters") else {}))
    library = type(component).__module__
    return [library if library.startswith("mustango") else library.split(".")[0], type(component).__name__]


def released_predictors(folder):
    """Yield (name, component) of a released folder's beat and chord predictors."""
    beats = load_released(weights_path(folder, "beats"))
    yield "beat_predictor", convert_beat_predictor(beats, {**DEBERTA, **deberta_sizes(beats)})
    del beats
    yield "chord_predictor", convert_chord_predictor(load_released(weights_path(folder, "chords")))


def deberta_sizes(tensors):
    """Read a DeBERTa's sizes off its tensors."""
    try:
        vocabulary, hidden = tensors["deberta.embeddings.word_embeddings.weight"].shape
        layers = 1 + max(int(m[1]) for k in tensors if (m := re.match(r"deberta\.encoder\.layer\.(\d+)\.", k)))
        middle = tensors["deberta.encoder.layer.0.intermediate.dense.weight"].shape[0]
        buckets = tensors["deberta.encoder.rel_embeddings.weight"].shape[0] // 2
    except KeyError as error:
        raise InputError(f"the released beat predictor lacks tensor {error.args[0]}; download the model again") from None
    heads = max(hidden // 64, 1)
    return {
        "vocab_size": vocabulary, "hidden_size": hidden, "num_hidden_layers": layers, "intermediate_size": middle,
        "position_buckets": buckets, "num_attention_heads": heads, "pooler_hidden_size": hidden,
    }  # fmt: skip
