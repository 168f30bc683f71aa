"""The files of takes: where they go, and which of them are made already, as they would be made now."""

import json
import os
import re
import sys
from pathlib import Path

from musicbench import InputError
from musicbench.files import bytes_of

MOST_SIDECAR = 1 << 26  # bytes

# ---------------------------------------------------------------------------------------------------- where they go


def next_paths(count):
    """Return where takes go that nobody has named: music.wav, or music-1.wav and so on, after those that are there."""
    found = (re.fullmatch(r"music(?:-(\d+))?\.(wav|json|mid)", path.name) for path in Path().iterdir())
    first = max((int(match[1] or 1) for match in found if match), default=0) + 1
    return [Path("music.wav")] if first == count == 1 else [Path(f"music-{first + i}.wav") for i in range(count)]


def numbered(path, count):
    """Return where `count` takes go: `path`, numbered if they are several."""
    return [path.with_stem(f"{path.stem}-{i + 1}") for i in range(count)] if count > 1 else [path]


def stem_path(path, part):
    """Return where a part of a take lies."""
    return path.with_name(f"{path.stem}-{part}.wav")


def check_places(paths, suffixes, parts=()):
    """Raise InputError unless every file of takes can be written: the sound at `paths`, and what lies beside it."""
    beside = [path.with_suffix(suffix) for path in paths for suffix in (path.suffix, *suffixes)]
    for place in [*beside, *(stem_path(path, part) for path in paths for part in parts)]:
        size = len(os.fsencode(place.name))
        if size > 255:
            raise InputError(f"the name {place.name[:40]}... would have {size} bytes, above 255; choose a shorter one")
        if place.is_dir():
            raise InputError(f"{place} is a folder, where a file is to be written; choose another name or place")


def places_of(ids, options, count):
    """Return where the takes of each line of a prompts file go, named by their ids, `count` each; or those of one prompt.

    Raises InputError unless all can be written there.
    """
    from musicbench.build.songs import SUFFIXES
    from musicbench.compose.instruments import PARTS
    from musicbench.files import check_folder
    from musicbench.sound.audio import check_audio_path

    is_folder_name = str(options.out or "").endswith(("/", os.sep))
    if options.prompts:
        out = Path(options.out or ".")
        if out.suffix.lower() in (*SUFFIXES, ".json", ".mid") and not out.is_dir() and not is_folder_name:
            raise InputError(
                f"-o {options.out} is the name of a file; with --prompts give a folder, or {options.out}/ if you mean one"
            )
        check_folder(out)
        places = [numbered(out / f"{name}.wav", count) for name in ids]
    else:
        out = Path("music.wav" if options.out is None else options.out)
        if is_folder_name:
            raise InputError(f"-o {options.out} is the name of a folder; give a file, such as {out / 'music.wav'}")
        check_audio_path(out)
        places = [next_paths(count) if options.out is None else numbered(out, count) for _ in ids]
    check_places(
        [path for paths in places for path in paths],
        (".json", ".mid") if options.midi else (".json",),
        PARTS if options.stems else (),
    )
    return places


# ---------------------------------------------------------------------------------------------------- made already


def is_written(path):
    """Return whether a take and its sidecar, which is written last, are there and whole."""
    from musicbench.sound.audio import is_whole_audio

    try:
        about = json.loads(bytes_of(path.with_suffix(".json"), MOST_SIDECAR, "delete it"))
        lasts_s = float(about["duration"]) + float(about.get("tail") or 0)
        return is_whole_audio(path, lasts_s, tolerance_s=1e-4)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return False


def made_otherwise(would, paths, options, takes):
    """Say which take at `paths`, all whole, does not have the sidecar that it `would` have now, and in what it differs.

    Returns None where all are.
    """
    from mustango.request.sidecar import difference

    for i, path in enumerate(paths):
        there = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        expected = would[i]
        if options.pick == "best":
            picked = there.get("picked")
            if not isinstance(picked, dict) or picked.get("of") != takes:
                return f"{path} is not the best of {takes} takes"
            expected = next((sidecar for sidecar in would if sidecar["seed"] == there.get("seed")), would[0])
        name = difference(there, expected)
        if name:
            return f"{path} has another {name.replace('_', ' ')}"
    return None


def left_to_make(wanted, facts, loaded, options, takes):
    """Return those of [(line, paths), ...] whose files are not there, whole and as they would be now.

    Says how many are, and which were made otherwise.
    """
    from mustango.request.sidecar import sidecars_of

    todo, changed = [], []
    for line, paths in wanted:
        if not all(is_written(path) and (not options.midi or path.with_suffix(".mid").is_file()) for path in paths):
            todo.append((line, paths))
        elif differs := made_otherwise(sidecars_of(line.asked, facts, loaded), paths, options, takes):
            todo.append((line, paths))
            changed.append(differs)
    told = f"{len(wanted) - len(todo)} of {len(wanted)} prompts are made already"
    if changed:
        shown = "; ".join(changed[:3]) + ("; ..." if len(changed) > 3 else "")
        told += f"; made otherwise, and made again: {len(changed)} ({shown})"
    print(told, file=sys.stderr if options.dry_run else sys.stdout, flush=True)
    return todo
