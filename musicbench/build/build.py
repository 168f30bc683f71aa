"""Songs -> clips, heard once, augmented, captioned, written as rows (MusicBench; Mustango, section 3).

Resumable; many workers. A song is one piece of work: its audio files and then, as the mark that it is done,
parts/<song>.json. Until then parts/<song>/ holds the rows of its clips that are done. Everything drawn depends on the
build's seed and the song's path alone, so rows and files are the same for any number of workers, engine or
interruption.

OUT/train/*.flac, OUT/test/*.flac, each with metadata.jsonl; rows.jsonl (all); test_a.jsonl, test_b.jsonl (the test
originals with no and with all four control sentences); rejected.jsonl; manifests.txt (what was read of metadata.csv and
its like); build.json (settings).
"""

import json
import re
import shutil
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from musicbench import InputError
from musicbench.build.dataset import ROWS, remove_packed, write_metadata
from musicbench.build.engines import Engine
from musicbench.build.manifests import read_manifests
from musicbench.build.paraphrases import Paraphraser
from musicbench.build.recipe import Recipe
from musicbench.build.song_rows import build_song, mark_of, read_object, rejection, versions
from musicbench.build.songs import caption_lines, datasets_in, find_songs, passed_over
from musicbench.files import (
    alone_in,
    check_folder,
    make_folder,
    path_text,
    printable,
    save_json,
    save_json_lines,
    sweep_torn,
    written_whole,
)
from musicbench.hearing.by_madmom import import_madmom
from musicbench.sound.opening import file_sha256
from musicbench.sound.soundfiles import SoundFile

HIDDEN = "hidden, as its name begins with a dot; rename it"
WRITTEN = re.compile(r"[A-Za-z0-9-]+-[0-9a-f]{8}(\.json|-\d{4,}(_\d+)?\.flac)")  # names of a song's mark and audio files


@dataclass(frozen=True)
class Summary:
    """What a build made: numbers of songs, rows, songs and clips rejected.

    Songs that are the same as another, which count as rejected, and songs whose caption contradicts what was heard.
    """

    songs: int
    rows: int
    rejected_songs: int
    rejected_clips: int
    same_songs: int
    contradicted_songs: int


def build(
    songs: Path | str,
    out: Path | str,
    recipe: Recipe | None = None,
    *,
    seed: int = 0,
    engine: Engine | None = None,
    paraphrase: tuple[str, Any] = ("rules", None),
    overwrite: bool = False,
    on_progress: Callable[[int, int], None] | None = None,
) -> Summary:
    """Turn a folder of songs into a dataset folder; returns a Summary. What is there of the same build is kept.

    engine: an `engines.Engine`, one process here if there is none. paraphrase: (way, model) as for
    `paraphrases.Paraphraser`. on_progress(clips done, clips in all). Raises InputError.
    """
    songs, out, recipe = Path(songs), Path(out), recipe or Recipe()
    if seed < 0:
        raise InputError(f"seed {seed} is below 0; give a whole number from 0")
    others = [folder for folder in datasets_in(songs) if folder.resolve() != out.resolve()]
    paths = find_songs(songs, leave_out=(out, *others))
    check_folder(out)
    import_madmom()  # where it is missing, nothing is written
    Paraphraser(*paraphrase).check()
    captions, told = read_manifests(songs, paths, leave_out=(out, *others))
    told += [f"{printable(folder.relative_to(songs))}: left out; another build wrote it" for folder in others]
    told += caption_lines(songs, paths, captions)
    hidden, left = passed_over(songs, leave_out=(out, *others))
    settings = {"recipe": asdict(recipe), "seed": seed, "paraphrase": list(paraphrase), "versions": versions()}
    with alone_in(out):
        _prepare(out, json.loads(json.dumps(settings)), overwrite)
        _tell(left + told, out / "manifests.txt")
        same = _same_bytes(songs, paths)
        clips = {path: _clips_in(songs / path, recipe) for path in paths if path not in same}
        jobs = [
            (songs.absolute(), path, out.absolute(), recipe, seed, captions.get(path, ""), tuple(paraphrase))
            for path in sorted(clips, key=lambda path: clips[path], reverse=True)  # the longest first
        ]
        results = _build_songs(engine or Engine(), jobs, sum(clips.values()), on_progress or (lambda done, total: None))
        for path, first in same.items():
            results[path] = [], [rejection(path, f"the same bytes as {path_text(first)}")]
        rows = [row for path in paths for row in results[path][0]]
        rejected = [entry for path in paths for entry in results[path][1]]
        _write_tables(out, rows, rejected + [rejection(path, HIDDEN) for path in hidden])
        _sweep(out, clips, rows)
    return Summary(
        len(paths),
        len(rows),
        rejected_songs=len({entry["source"] for entry in rejected if entry["clip_start"] is None}),
        rejected_clips=sum(entry["clip_start"] is not None for entry in rejected),
        same_songs=len(same),
        contradicted_songs=len({row["source"] for row in rows if row.get("contradicted")}),
    )


def _tell(lines, path):
    """Print lines on the folder of songs and keep them in a file."""
    for line in lines:
        print(line, file=sys.stderr)
    with written_whole(path) as temporary:
        temporary.write_text("".join(line + "\n" for line in lines), encoding="utf-8")


def _build_songs(engine, jobs, total, report):
    """Return {path: (rows, rejected)} of jobs for `build_song`, which have about `total` clips."""
    results = engine.run(
        build_song,
        jobs,
        on_progress=lambda done: report(min(done, total), total),
        killed=lambda job: ([], [rejection(job[1], "reading it ended the process, perhaps for memory")]),
        steps_of=lambda result: len({row["base_id"] for row in result[0]}) + len(result[1]),
    )
    report(total, total)
    return {job[1]: result for job, result in zip(jobs, results, strict=True)}


def _same_bytes(songs, paths):
    """Return {path: the first path whose file has the same bytes}, links included; only files of one size are read."""
    sizes = {}
    for path in paths:
        with suppress(OSError):
            if size := (songs / path).stat().st_size:  # of an empty file it is said that it is empty
                sizes[path] = size
    alike = Counter(sizes.values())
    first, same = {}, {}
    for path in (path for path in sizes if alike[sizes[path]] > 1):
        with suppress(InputError):  # build_song says why it cannot be read
            digest = file_sha256(songs / path)
            if first.setdefault(digest, path) != path:
                same[path] = first[digest]
    return same


def _write_tables(out, rows, rejected):
    """Write the rows in all their forms; shards that were packed of other rows are deleted."""
    before = file_sha256(out / ROWS) if (out / ROWS).is_file() else None
    save_json_lines(out / ROWS, rows)
    if before != file_sha256(out / ROWS):
        remove_packed(out / "shards")
        remove_packed(out / "parquet")
    save_json_lines(out / "rejected.jsonl", rejected)
    for split in ("train", "test"):
        write_metadata(out / split, [row for row in rows if row["location"].startswith(split + "/")])
    originals = [row for row in rows if row["location"].startswith("test/") and not row["transforms"]]
    save_json_lines(out / "test_a.jsonl", [{**row, "main_caption": row["own_caption"]} for row in originals])
    save_json_lines(out / "test_b.jsonl", [{**row, "main_caption": _with_all_sentences(row)} for row in originals])


def _with_all_sentences(row):
    main = row["own_caption"]
    sentences = [row[name] for name in ("prompt_ch", "prompt_bt", "prompt_bpm", "prompt_key") if row[name]]
    return " ".join([main if main[-1] in ".!?" else main + ".", *sentences])


def _prepare(out, settings, overwrite):
    """Make the folders of a build, or check that those there are of the same build.

    What a killed writer left is deleted.
    """
    path, folders = out / "build.json", [out / name for name in ("parts", "train", "test", "shards", "parquet")]
    if overwrite and path.is_file():
        for folder in folders:  # a mark does not outlive its files
            shutil.rmtree(folder, ignore_errors=True)
    elif path.is_file():
        there = read_object(path)
        if not there:
            raise InputError(f"{path} does not hold a build's settings; give --overwrite to start anew, or another folder")
        if there != settings:
            differs = min(name for name in settings.keys() | there if there.get(name) != settings.get(name))
            raise InputError(f"{out} was built with another {differs}; give --overwrite to start anew, or another folder")
    elif any(not left.name.startswith(".") for left in out.iterdir()):
        raise InputError(f"{out} is not empty and no build of ours; give another folder")
    save_json(path, settings)  # first, so that what follows is known as ours
    for folder in folders[:3]:
        make_folder(folder)
    for folder in (out, *folders):
        sweep_torn(folder)


def _sweep(out, paths, rows):
    """Delete what a build left of songs that are gone or shorter now: marks, then audio files that no row names."""
    keep = {mark_of(out, path) for path in paths} | {out / row["location"] for row in rows}
    left = [*(out / "parts").glob("*.json"), *(out / "train").glob("*.flac"), *(out / "test").glob("*.flac")]
    for path in left:
        if path not in keep and WRITTEN.fullmatch(path.name):
            path.unlink()
    for folder in (out / "parts").iterdir():
        if folder.is_dir() and WRITTEN.fullmatch(f"{folder.name}.json"):
            shutil.rmtree(folder, ignore_errors=True)


def _clips_in(path, recipe):
    """Return about how many clips a song has, for the order of work and its progress."""
    try:
        with SoundFile(path) as file:
            return len(recipe.starts(file.likely_s))
    except Exception:  # build_song says what is wrong with it
        return 0
