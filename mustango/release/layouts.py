"""The two layouts of a model's folder, ours and the released one: its parts, and the names of their files.

Released: ldm/pytorch_model_ldm.bin, vae/pytorch_model_vae.bin, beats/microsoft-deberta-v3-large.pt,
chords/flan-t5-large.bin and configs/*.json; weights may be safetensors, in shards, or under accelerate's names too.
"""

from fnmatch import fnmatch
from pathlib import Path

PARTS = ("tokenizer", "text_encoder", "conditioner", "unet", "scheduler", "mel", "vae", "vocoder")
# The released predictors and their tokenizers, which a model may lack; they come last, when they are asked.
PREDICTOR_PARTS = ("beat_tokenizer", "beat_predictor", "chord_tokenizer", "chord_predictor")
# A released part's folder -> how its file of weights is named; accelerate's names come after that.
RELEASED_WEIGHTS = {
    "ldm": "pytorch_model_ldm.bin",
    "vae": "pytorch_model_vae.bin",
    "beats": "microsoft-deberta-v3-large.pt",
    "chords": "flan-t5-large.bin",
}
TANGO_WEIGHTS = ("pytorch_model_main.bin", "pytorch_model_vae.bin")  # of Tango, which Mustango began with
WEIGHT_STEMS = ("model", "pytorch_model")  # accelerate's
WEIGHT_SUFFIXES = (".safetensors", ".safetensors.index.json", ".bin", ".bin.index.json", ".pt")
NO_PREDICTORS = "this model has no neural predictors; use --predictors reader, or a released model with them"


def is_released(folder):
    """True for a folder in the layout of the released Mustango, whole or not."""
    return not (Path(folder) / "model_index.json").exists() and (
        (Path(folder) / "ldm").is_dir() or (Path(folder) / "configs").is_dir()
    )


def weight_names(part):
    """Return how a released part's file of weights may be named, the likeliest first.

    A file whose name ends in .index.json lists shards.
    """
    released = Path(RELEASED_WEIGHTS[part])
    own = [released.stem + suffix for suffix in (".safetensors", ".safetensors.index.json")] + [released.name]
    own += [name for suffix in WEIGHT_SUFFIXES if (name := released.stem + suffix) not in own]
    return own + [stem + suffix for stem in WEIGHT_STEMS for suffix in WEIGHT_SUFFIXES]


def weights_path(folder, part):
    """Return the file of weights, or the index of its shards, of a released part.

    Where there is none it is the released name.
    """
    folder = Path(folder) / part
    return next((folder / name for name in weight_names(part) if (folder / name).exists()), folder / RELEASED_WEIGHTS[part])


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
    return [*patterns, *TANGO_WEIGHTS]


def wanted_files(names, patterns):
    """Return which of a repository's files match the patterns.

    Of weights that are there in several formats only the first's.
    The order of formats is that of `weight_names`.
    """
    wanted = [name for name in names if any(fnmatch(name, pattern) for pattern in patterns)]
    return wanted if "model_index.json" in names else [name for name in wanted if _is_first_format(name, wanted)]


def _is_first_format(name, names):
    """True for a file that holds no released weights, or holds them in the first of the formats that `names` has."""
    part, _, file = name.partition("/")
    if part not in RELEASED_WEIGHTS or not file.endswith((".safetensors", ".bin", ".pt")):
        return True
    first = next((own for own in weight_names(part) if f"{part}/{own}" in names), file)
    if first.endswith(".index.json"):
        shard = Path(first.removesuffix(".index.json"))
        return fnmatch(file, f"{shard.stem}-*-of-*{shard.suffix}")
    return file == first
