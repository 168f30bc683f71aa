"""A run's parts, the trained components: begun, saved whole, kept, or taken from a model that is there."""

import shutil
from pathlib import Path

import torch

from musicbench import InputError
from musicbench.files import sweep_torn
from mustango.release.folder import model_folder, verify
from mustango.train.checks import check_start, part


def start_from(run, model):
    """Begin a run with all that is in a pipeline folder, for fine-tuning or further training. Raises InputError."""
    check_start(run, model)
    folder, parts = model_folder(model), Path(run) / "parts"
    verify(folder)
    copy = parts.with_name(".parts.new")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(folder, copy, ignore=lambda place, names: [n for n in names if n.endswith((".md", ".png"))])
    copy.rename(parts)


def mend_run(run):
    """Put right what a killed training left in a run: a part between its old and its new folder, and temporary files."""
    run = Path(run)
    for old in (run / "parts").glob(".*.old"):
        place, new = old.with_name(old.name[1:-4]), old.with_name(f"{old.name[:-4]}.new")
        if not place.exists():
            (new if new.is_dir() else old).rename(place)  # the new one is whole before the old one goes
    for left in (*run.glob(".*.new"), *run.glob("*/.*.new"), *run.glob("*/.*.old")):
        shutil.rmtree(left, ignore_errors=True)
    for folder in (run, *run.glob("*/"), *run.glob("*/cache/*/")):
        sweep_torn(folder)


def begin(kind, config, run, name):
    """Return a component to train: the run's own where there is one (see `start_from`), else a new one."""
    folder = Path(run) / "parts" / name
    if not folder.is_dir():
        return kind(**config)
    try:
        # what its files lack begins as new
        return kind.from_pretrained(folder, dtype=torch.float32, low_cpu_mem_usage=False)
    except RuntimeError as error:
        said = str(error).strip().splitlines()[-1].strip()
        raise InputError(f"{folder} is of another version of {kind.__name__} ({said[:160]}); begin a new run folder") from None


def save_part(component, folder):
    """Save a component in `folder`, which never holds half of one: what is there is replaced at the end."""
    folder = Path(folder)
    new, old = folder.with_name(f".{folder.name}.new"), folder.with_name(f".{folder.name}.old")
    for leftover in (new, old):
        shutil.rmtree(leftover, ignore_errors=True)
    component.save_pretrained(new)
    if folder.exists():
        folder.rename(old)
    new.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def keep_parts(run, folder, names):
    """Copy a run's parts of those names into `folder`, in place of what is there.

    Raises InputError when one is missing.
    """
    folder, sources = Path(folder), [part(run, name) for name in names]
    copy = folder.with_name(f".{folder.name}.new")
    for old in (copy, folder):
        shutil.rmtree(old, ignore_errors=True)
    for source in sources:
        shutil.copytree(source, copy / source.name)
    copy.rename(folder)
