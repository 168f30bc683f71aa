"""A run's parts, the trained components: begun, saved whole, kept, or taken from a model that is there."""

import shutil
from pathlib import Path

import diffusers
import torch

from musicbench import InputError
from musicbench.build.marks import read_object
from musicbench.files import save_json, sweep_torn
from mustango.release.folder import RELEASED_WINDOW_S, model_folder, verify, write_part
from mustango.release.tango import is_tango, tango_components, tango_tokenizer
from mustango.train.checks import check_start, part


def start_from(run, model, attentions="fresh", tokenizer=None):
    """Begin a run with all that is in a pipeline folder, for fine-tuning or further training, or with Tango's weights.

    attentions, tokenizer: of Tango, see `tango_components` and `load_tokenizer`. Raises InputError.
    """
    check_start(run, model)
    folder, parts = model_folder(model), Path(run) / "parts"
    copy = parts.with_name(".parts.new")
    shutil.rmtree(copy, ignore_errors=True)
    if is_tango(folder):
        write_tango(folder, copy, attentions, tokenizer)
    else:
        verify(folder)
        shutil.copytree(folder, copy, ignore=lambda place, names: [n for n in names if n.endswith((".md", ".png"))])
    copy.rename(parts)


def write_tango(folder, target, attentions, tokenizer=None):
    """Write Tango's release as a pipeline folder, see `tango_components`. Raises InputError."""
    target.mkdir(parents=True)
    try:
        index = {"_class_name": "MustangoPipeline", "_diffusers_version": diffusers.__version__, "window_s": RELEASED_WINDOW_S}
        index["tokenizer"] = write_part(tango_tokenizer(folder, tokenizer), target / "tokenizer")
        for name, component in tango_components(folder, attentions):
            index[name] = write_part(component, target / name)
        save_json(target / "model_index.json", index)
        verify(target)
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise


def mend_run(run):
    """Put right what a killed training left in a run: a part between its old and its new folder, and temporary files."""
    run = Path(run)
    for old in (run / "parts").glob(".*.old"):
        place, new = old.with_name(old.name[1:-4]), old.with_name(f"{old.name[:-4]}.new")
        if not place.exists():
            (new if new.is_dir() else old).rename(place)  # the new one is whole before the old one goes
    for left in (*run.glob(".*.new"), *run.glob("*/.*.new"), *run.glob("*/.*.old"), *run.glob("*/clips/.*.new")):
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
    forget_origin(new / "config.json")
    if folder.exists():
        folder.rename(old)
    new.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def forget_origin(config):
    """Take out of a config file where the component was loaded from, which is nobody's business."""
    told = read_object(config)
    if told.pop("_name_or_path", None) is not None:
        save_json(config, told)


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
