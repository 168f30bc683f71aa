"""A dataset folder made ready for a build, or found to be of the same one; and what of it nobody needs any more."""

import json
import os
import shutil
from contextlib import suppress

from musicbench import InputError
from musicbench.build.index import INDEX
from musicbench.build.marks import marked_rows, read_object
from musicbench.build.packing import SHARD_BYTES, SUFFIX
from musicbench.build.plan import lengths_of
from musicbench.build.settings import versions
from musicbench.build.shelves import AUDIO, MARK, SPLITS, audio_counts, files_on, mark_of
from musicbench.files import make_folder, path_text, save_json, sweep_torn

OPUS_BYTES_A_SECOND, FLAC_BYTES_A_SAMPLE = 4500, 1.1  # of mono music, about
REMEDY = "give --overwrite to make anew what depends on it, or another folder"


def prepare(out, found, settings, *, overwrite, accept_versions):
    """Make the folders of a build, or check that those there are of the same build; returns the number of shards.

    found: the songs' `folder` and `paths`, of which the lengths are read when the build begins. What a killed writer left
    is deleted.
    """
    path, now = (
        out / "build.json",
        {"songs": path_text(found.folder.absolute()), "settings": settings.by_name(), "versions": versions()},
    )
    there = read_object(path) if path.is_file() else {}
    if path.is_file():
        if not overwrite and there.get("settings") != now["settings"]:
            raise InputError(f"{out} was built with {_other(there, now['settings'])}; {REMEDY}")
        if there.get("versions") != now["versions"] and not (accept_versions or overwrite):
            changed = _changed_versions(there.get("versions"))
            raise InputError(f"{out} was begun with {changed}; give --accept-versions to go on, or another folder")
        if not there.get("settings"):  # of an earlier version, or not ours to read
            _delete(out)
    elif any(not left.name.startswith(".") for left in out.iterdir()):
        raise InputError(f"{out} is not empty and no build of ours; give another folder")
    now["shards"] = there.get("shards") or _shards_for(settings, found)
    save_json(path, now)  # first, so that what follows is known as ours
    for name in ("parts", "heard", "said", *(splits_of(settings.recipe) if settings.form == "files" else ())):
        make_folder(out / name)
    for folder in (out, *(place for name in ("parts", "heard", "said", "shards", *SPLITS) for place in _shelves(out / name))):
        sweep_torn(folder)
    return now["shards"]


def splits_of(recipe):
    """Return the splits of a recipe; only one with a share of validation has that."""
    return [split for split in SPLITS if split != "validation" or recipe.validation_share]


def _shards_for(settings, found):
    """Return into how many shards of about a gigabyte the clips of songs and their copies go; 0 where none are written."""
    if settings.form not in SUFFIX:
        return 0
    recipe, lengths = settings.recipe, lengths_of(found.folder, found.paths, settings.recipe)
    bytes_a_second = OPUS_BYTES_A_SECOND if settings.audio == "opus" else FLAC_BYTES_A_SAMPLE * recipe.sample_rate
    return max(round(lengths.clips.mean * lengths.rows_a_clip * recipe.clip_s * bytes_a_second / SHARD_BYTES), 1)


def _other(there, settings):
    """Say in which setting a build differs from what is there."""
    before = there.get("settings")
    if not isinstance(before, dict):
        return "an earlier version, or its build.json does not hold a build's settings"
    return "another " + min(name for name in settings.keys() | before if before.get(name, settings) != settings.get(name, before))


def _changed_versions(before):
    before, now = before if isinstance(before, dict) else {}, versions()
    names = sorted(name for name in now.keys() | before if now.get(name) != before.get(name))
    return ", ".join(f"{name} {before.get(name) or '(none)'}, now {now.get(name) or '(none)'}" for name in names)


def _delete(out):
    for name in ("parts", "heard", "said", *SPLITS, "shards", "parquet"):  # marks first: they do not outlive their files
        shutil.rmtree(out / name, ignore_errors=True)
    (out / INDEX).unlink(missing_ok=True)


def _shelves(folder):
    return [folder, *(place for place in folder.iterdir() if place.is_dir())] if folder.is_dir() else []


def sweep(out, index, *, is_loose):
    """Delete what a build left of songs that are gone or shorter now: marks, what was heard, and audio files that no
    row names; all of these and their metadata unless `is_loose`."""
    rows = {
        done.name: (path, {split: getattr(done, split) for split in SPLITS} if is_loose else dict.fromkeys(SPLITS))
        for path, done in index
    }
    for folder in ("parts", "heard", "said"):
        for entry in files_on(out / folder):
            match = MARK.fullmatch(entry.name)
            if match and (entry.is_dir() or match["song"] not in rows):
                _remove(entry)
    for split in SPLITS:
        counts = audio_counts(out / split)
        odd = {name for name, count in counts.items() if name not in rows or rows[name][1][split] != count}
        named = {place for name in odd if is_loose and name in rows for place in _locations(mark_of(out, rows[name][0]))}
        for entry in files_on(out / split) if odd else ():
            match = AUDIO.fullmatch(entry.name)
            if match and match["song"] in odd and os.path.relpath(entry.path, out) not in named:
                _remove(entry)

    if not is_loose:
        for split in SPLITS:
            (out / split / "metadata.jsonl").unlink(missing_ok=True)
            for place in (*_shelves(out / split)[1:], out / split):
                with suppress(OSError):  # somebody's own files are in it
                    place.rmdir()


def _locations(mark):
    return [json.loads(line)["location"] for line in marked_rows(mark)]


def _remove(entry):
    if entry.is_dir():
        shutil.rmtree(entry.path, ignore_errors=True)
    else:
        os.unlink(entry.path)
