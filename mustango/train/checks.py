"""What is asked of `mustango train`, checked before torch is loaded: the options that a part needs and uses, places, processes."""

import os
from pathlib import Path

from musicbench import InputError
from musicbench.build.dataset import ROWS, rows_file
from musicbench.build.shelves import SPLITS
from musicbench.files import check_writable
from mustango.release.files import read_json
from mustango.release.folder import BUNDLED, model_folder, model_index
from mustango.release.layouts import is_released
from mustango.release.tango import is_tango
from mustango.request.bounds import read_number
from mustango.request.lines import read_prompts
from mustango.request.request import MAX_SEED
from mustango.train.curves import check_log
from mustango.train.recipe import Recipe
from mustango.train.sources import is_source_elsewhere

BUNDLED_PARTS = ("mel", "vae", "vocoder", "unet", "conditioner", "tokenizer", "text_encoder")
NEEDED = {"start": "source", "text": "text_encoder", "bundle": "to"}  # the option that a part needs; the others need "data"
FITTED = ("vae", "vocoder", "refiner", "postfilter", "munet", "adapter")  # by many steps
SHARED = ("munet", "adapter")  # in several processes, where a launcher started them
# The parts that use an option. What is not here is used by all, or stands for the next part (`data`).
USED_BY = {
    **dict.fromkeys(("held_out", "steps", "minutes", "save_every", "batch_size", "lr", "loaders", "device", "log"), FITTED),
    "seed": (*FITTED, "sharpen"), "bf16": ("munet", "adapter", "refiner", "vocoder"), "remember": ("munet",), "recipe": ("munet", "adapter"),
    **dict.fromkeys(("audio", "accumulate", "fp16", "checkpointing", "listen_every", "listen_to"), SHARED), "rank": ("adapter",), "licence": ("adapter",),
    "source": ("start", "adapter"), "new_attentions": ("start",), "tokenizer": ("start",), "text_encoder": ("text",), "to": ("bundle",),
}  # fmt: skip


def check_training(options, defaults):
    """Raise InputError for what is wrong with the options of `mustango train`; defaults: what they are when they are left out."""
    check_processes(options.part)
    needed = NEEDED.get(options.part, "data")
    if not getattr(options, needed):
        raise InputError(f"no {_written(needed)}; `mustango train {options.part}` needs one")
    for name, parts in USED_BY.items():
        if options.part not in parts and getattr(options, name) != defaults[name]:
            raise InputError(f"{_written(name)} says nothing to `mustango train {options.part}`; leave it out")
    read_number("seed", options.seed, int, 0, MAX_SEED)
    read_number("lr", options.lr, low=0, high=1)
    if options.fp16 and (options.bf16 or options.device == "cpu"):
        raise InputError(
            "--fp16 is for a GPU, without --bf16; leave it out" if options.device == "cpu" else "give --fp16 or --bf16, not both"
        )
    read_number("minutes", options.minutes, low=0)
    Recipe.read(options.recipe)
    check_log(options.log)
    check_prompts(options.listen_to, options.listen_every)
    check_place(options.out)
    if options.to:
        check_place(options.to)
        check_model_place(options.to)
    if options.held_out and options.data and Path(options.held_out).resolve() == Path(options.data).resolve():
        raise InputError(
            f"--held-out {options.held_out} is the training data; give rows that are not learnt from, composed with another seed"
        )
    _check_folders(options)


def check_prompts(prompts, every):
    """Raise InputError for prompts to listen to that cannot be read, or that nothing listens to."""
    if not prompts:
        return
    if not every:
        raise InputError(f"--listen-to {prompts} says nothing without --listen-every; give both")
    error = next((line.error for line in read_prompts(prompts) if line.error), None)
    if error:
        raise InputError(error)


def dataset_of(folder):
    """Return the folder of a dataset: `folder` itself, or the one that it is a split of, as DATASET/validation."""
    folder = Path(folder)
    is_split = folder.name in SPLITS and not (folder / ROWS).exists() and (folder.parent / ROWS).exists()
    return folder.parent if is_split else folder


def _written(name):
    return "--from" if name == "source" else f"--{name.replace('_', '-')}"


def _check_folders(options):
    """Raise InputError where a part's rows or text encoder are not there."""
    if options.audio and not Path(options.audio).is_dir():
        raise InputError(f"no folder {options.audio}; give the folder that the locations of rows are in as --audio")
    if options.part in (*FITTED, "sharpen"):
        for folder in filter(None, (options.data, options.held_out, options.remember)):
            takes_any = options.part in SHARED and folder != options.remember
            if takes_any and (is_source_elsewhere(folder) or any(Path(folder).glob("*.tar")) or (Path(folder) / "shards").is_dir()):
                continue
            if Path(folder).is_file() and not takes_any:
                raise InputError(f"{folder} is a file; give a dataset folder, as `musicbench compose` and `build` write it")
            rows_file(dataset_of(folder))
    if options.text_encoder and not Path(options.text_encoder).is_dir():
        raise InputError(f"no folder {options.text_encoder}; give the folder of a text encoder, such as all-MiniLM-L6-v2")
    if options.text_encoder and not (Path(options.text_encoder) / "config.json").is_file():
        raise InputError(f"no text encoder in {options.text_encoder} (no config.json); give the folder of one with its tokenizer")
    if options.part == "start":
        check_start(options.out, options.source)
        for name in ("new_attentions", "tokenizer"):
            if getattr(options, name) and not is_tango(model_folder(options.source)):
                raise InputError(f"{_written(name)} is of a start from Tango's weights; {options.source} has its own, leave it out")
    if options.part == "adapter":
        check_adapter_begins(options.out, options.source)
    if options.part == "bundle" and not (Path(options.out) / "parts" / "model_index.json").is_file():
        for name in BUNDLED_PARTS:
            part(options.out, name)


def check_start(run, model):
    """Raise InputError unless a run can begin with a model."""
    folder = model_folder(model)
    if is_tango(folder):
        for name in ("main_config.json", "vae_config.json", "stft_config.json"):
            read_json(folder / name)
    elif is_released(folder):
        raise InputError(f"{model} is in the released layout; run `mustango convert` on it, and start from what that writes")
    else:
        model_index(folder)
    if (Path(run) / "parts").exists():
        raise InputError(f"{Path(run) / 'parts'} exists; use a new run folder")


def check_adapter_begins(run, model):
    """Raise InputError unless an adapter can begin in a run: with its model, or with one that is copied into it."""
    parts = Path(run) / "parts"
    if not parts.exists():
        check_start(run, model or BUNDLED)
    elif model:
        raise InputError(f"{run} has a model already; leave --from out, or use a new run folder")


def part(run, name):
    """Return the folder of a trained component in a run. Raises InputError when it is not there yet."""
    folder = Path(run) / "parts" / name
    if not folder.is_dir():
        maker = {"tokenizer": "text", "text_encoder": "text", "mel": "vae", "unet": "munet", "conditioner": "munet"}.get(name, name)
        raise InputError(
            f"{run} has no {name} yet; begin with a model (`mustango train start -o {run} --from mustango-mini`), or make one from "
            f"nothing (`mustango train {maker} -o {run}`)"
        )
    return folder


def launched() -> tuple[int, int]:
    """Return (this process's number, how many train together) as torchrun and accelerate tell them. Raises InputError."""
    told = [os.environ.get(name, "").strip() or default for name, default in (("RANK", "0"), ("WORLD_SIZE", "1"))]
    if not all(value.isdigit() for value in told):
        raise InputError(f"RANK and WORLD_SIZE are {' and '.join(told)[:40]}; start training with torchrun or accelerate launch")
    return int(told[0]), int(told[1])


def check_processes(part):
    """Raise InputError where a launcher has started several processes that would each train and write alike."""
    for name in ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE"):
        size = os.environ.get(name, "1").strip()
        if size.isdigit() and int(size) > 1 and launched()[1] == 1:
            raise InputError(f"{name} is {size}: training does not start under mpirun; use torchrun or accelerate launch")
    if launched()[1] > 1 and part not in SHARED:
        raise InputError(
            f"WORLD_SIZE is {launched()[1]}: {part} runs in one process; start it without torchrun or another launcher"
        )


def check_model_place(path):
    """Raise InputError for a folder that holds something else than a model, which its files would be mixed with."""
    path = Path(path)
    if (
        path.is_dir()
        and any(path.iterdir())
        and not (path / "model_index.json").is_file()
        and {p.name for p in path.iterdir()} - {"README.md"}
    ):
        raise InputError(f"{path} holds other files and no model; give a new folder, or a model's to replace it")


def check_place(path):
    """Raise InputError unless a folder `path` is there or can be made."""
    path = Path(path).absolute()
    place = next(p for p in (path, *path.parents) if p.exists())
    if not place.is_dir():
        raise InputError(f"cannot make the folder {path}: {place} is a file; choose another place")
    check_writable(place)
