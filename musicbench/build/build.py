"""Songs -> clips, heard once, augmented, captioned, written as rows (MusicBench; Mustango, section 3).

Resumable; many workers; the main process holds no rows. A song is one piece of work: what is heard in it
(heard/), its audio files and then, as the mark that it is done, parts/../<song>.jsonl with its rows. Everything drawn
depends on the build's seed and the song's path alone, so rows and files are the same for any number of workers, engine
or interruption.

OUT/train/../*.flac, OUT/test/../*.flac, each with metadata.jsonl; rows.jsonl (all); test_a.jsonl, test_b.jsonl (the test
originals with no and with all four control sentences); rejected.jsonl; manifests.txt (what was read of metadata.csv and
its like); build.json (settings and versions).
"""

import json
import os
import shutil
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from musicbench import InputError
from musicbench.build.engines import Engine
from musicbench.build.index import INDEX, Done, Index, file_state
from musicbench.build.manifests import read_manifests
from musicbench.build.marks import marked_rows, read_object, rejection
from musicbench.build.paraphrases import Paraphraser
from musicbench.build.plan import lengths_of
from musicbench.build.row_tables import Source, write_tables
from musicbench.build.settings import Settings, digest_of, versions
from musicbench.build.shelves import AUDIO, MARK, SPLITS, audio_counts, files_on, mark_of
from musicbench.build.song_rows import Built, Given, build_song
from musicbench.build.songs import caption_lines, datasets_in, find_songs, passed_over, sidecars, song_id
from musicbench.files import alone_in, check_folder, make_folder, path_text, printable, save_json, sweep_torn, written_whole
from musicbench.sound.features import import_madmom
from musicbench.sound.opening import file_sha256

HIDDEN = "hidden, as its name begins with a dot; rename it"


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


@dataclass
class _Songs:
    """The songs of a folder, what is said of them, and lines on what is not used."""

    folder: Path
    paths: list
    captions: dict
    hidden: list
    told: list
    same: dict = field(default_factory=dict)  # {song: the first one with the same bytes}
    unmarked: dict = field(default_factory=dict)  # {song: entries of rejected.jsonl}, of this run alone


def build(
    songs: Path | str,
    out: Path | str,
    settings: Settings | None = None,
    *,
    engine: Engine | None = None,
    overwrite: bool = False,
    accept_versions: bool = False,
    on_progress: Callable[[int, int], None] | None = None,
) -> Summary:
    """Turn a folder of songs into a dataset folder; returns a Summary. What is there of the same build is kept.

    engine: an `engines.Engine`, one process here if there is none. overwrite: where settings changed, make anew what
    depends on them. accept_versions: go on with other versions of the libraries. on_progress(clips done, clips in all,
    about). Raises InputError.
    """
    out, settings = Path(out), settings or Settings()
    found = _find(Path(songs), out)
    check_folder(out)
    import_madmom()  # where it is missing, nothing is written
    Paraphraser(*settings.paraphrase).check()
    with alone_in(out):
        _prepare(out, found.folder, settings, overwrite, accept_versions)
        _tell(found.told, out / "manifests.txt")
        with Index(out) as index:
            found.same = _same_bytes(found, index)
            given = _left(found, out, settings, index)
            jobs = ((found.folder.absolute(), path, out.absolute(), settings, given[path]) for path in given)
            lengths = lengths_of(found.folder, list(given), settings.recipe)
            if given:
                print(lengths, file=sys.stderr)
            for job, built in _build_songs(engine or Engine(), jobs, round(lengths.clips.mean), on_progress):
                _keep(job[1], built, given[job[1]], out, found, index)
            counted = _write(out, found, settings, index)
            _sweep(out, index)
    return counted


def _find(folder, out):
    """Find the songs and what is said of them."""
    others = [place for place in datasets_in(folder) if place.resolve() != out.resolve()]
    paths = find_songs(folder, leave_out=(out, *others))
    captions, told = read_manifests(folder, paths, leave_out=(out, *others))
    told += [f"{printable(place.relative_to(folder))}: left out; another build wrote it" for place in others]
    told += caption_lines(folder, paths, captions)
    hidden, left = passed_over(folder, leave_out=(out, *others))
    return _Songs(folder, paths, captions, hidden, left + told)


def _tell(lines, path):
    """Print lines on the folder of songs and keep them in a file."""
    for line in lines:
        print(line, file=sys.stderr)
    with written_whole(path) as temporary:
        temporary.write_text("".join(line + "\n" for line in lines), encoding="utf-8")


# ---------------------------------------------------------------------------------------------------- what is left


def _prepare(out, songs, settings, overwrite, accept_versions):
    """Make the folders of a build, or check that those there are of the same build.

    What a killed writer left is deleted.
    """
    path, now = out / "build.json", {"songs": path_text(songs.absolute()), "settings": settings.by_name(), "versions": versions()}
    if path.is_file():
        there = read_object(path)
        if not overwrite and there.get("settings") != now["settings"]:
            raise InputError(f"{out} was built with {_other(there, now['settings'])}; {REMEDY}")
        if there.get("versions") != now["versions"] and not (accept_versions or overwrite):
            changed = _changed_versions(there.get("versions"))
            raise InputError(f"{out} was begun with {changed}; give --accept-versions to go on, or another folder")
        if not there.get("settings"):  # of an earlier version, or not ours to read
            _delete(out)
    elif any(not left.name.startswith(".") for left in out.iterdir()):
        raise InputError(f"{out} is not empty and no build of ours; give another folder")
    save_json(path, now)  # first, so that what follows is known as ours
    for name in ("parts", "heard", *(SPLITS if settings.audio != "none" else ())):
        make_folder(out / name)
    for folder in (out, *(place for name in ("parts", "heard", *SPLITS) for place in _shelves(out / name))):
        sweep_torn(folder)


REMEDY = "give --overwrite to make anew what depends on it, or another folder"


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
    for name in ("parts", "heard", *SPLITS, "shards", "parquet"):  # marks first: they do not outlive their files
        shutil.rmtree(out / name, ignore_errors=True)
    (out / INDEX).unlink(missing_ok=True)


def _shelves(folder):
    return [folder, *(place for place in folder.iterdir() if place.is_dir())] if folder.is_dir() else []


def _same_bytes(found, index):
    """Return {path: the first path whose file has the same bytes}, links included; only files of one size are read."""
    states = {path: state for path in found.paths if (state := file_state(found.folder / path))}
    sizes = {path: int(state.split()[0]) for path, state in states.items()}
    alike = Counter(sizes.values())
    first, same = {}, {}
    for path, size in sizes.items():
        if size and alike[size] > 1:  # of an empty file it is said that it is empty
            with suppress(InputError):  # build_song says why it cannot be read
                digest = index.digest(path, states[path]) or file_sha256(found.folder / path)
                index.keep_digest(path, states[path], digest)
                if first.setdefault(digest, path) != path:
                    same[path] = first[digest]
    return same


def _left(found, out, settings, index):
    """Return {path: Given} of the songs that are to be built, the largest first."""
    named, counts = settings.by_name(), {split: audio_counts(out / split) for split in SPLITS}
    left, sizes = {}, {}
    for path in found.paths:
        if path in found.same:
            continue
        place = found.folder / path
        said = [[sidecar.name, file_state(sidecar)] for sidecar in sidecars(place)]
        state = file_state(place)
        given = Given(found.captions.get(path, ""), digest_of(state, said, found.captions.get(path, ""), found.folder.name, named))
        done, name = index.get(path), song_id(path)
        here = file_state(mark_of(out, path)), *(counts[split][name] for split in SPLITS)
        audio = (done.train, done.test) if done and settings.audio != "none" else (0, 0)
        if not done or done.made_of != given.made_of or here != (done.mark, *audio):
            left[path], sizes[path] = given, int(state.split()[0]) if state else 0
    gone = {path for path, _ in index} - (set(found.paths) - found.same.keys())
    index.forget(gone | left.keys())
    return {path: left[path] for path in sorted(left, key=lambda path: -sizes[path])}


# ---------------------------------------------------------------------------------------------------- work


def _build_songs(engine, jobs, total, on_progress):
    """Yield (job, Built) of jobs for `build_song`, which have about `total` clips."""
    report = on_progress or (lambda done, total: None)
    yield from engine.each(
        build_song,
        jobs,
        on_progress=lambda done: report(min(done, total), total),
        killed=lambda job: Built(
            rejected=(rejection(job[1], "reading it ended the process, perhaps for memory"),), is_marked=False
        ),
        steps_of=lambda built: built.clips + len(built.rejected),
    )
    report(total, total)


def _keep(path, built, given, out, found, index):
    """Keep what a song came to."""
    if not built.is_marked:
        found.unmarked[path] = list(built.rejected)
        return
    whole = any(entry["clip_start"] is None for entry in built.rejected)
    rejected = sum(entry["clip_start"] is not None for entry in built.rejected)
    index.put(
        path,
        Done(
            song_id(path), given.made_of, file_state(mark_of(out, path)), built.train, built.test, rejected, whole,
            built.is_contradicted,
        ),
    )  # fmt: skip


def _write(out, found, settings, index):
    """Write the tables, unless they are of the same marks already; returns the Summary."""
    songs = rows = clips = contradicted = 0
    for _, done in index:
        songs += done.is_rejected
        rows += done.train + done.test
        clips += done.rejected
        contradicted += done.is_contradicted
    whole = [entries for entries in found.unmarked.values() if any(entry["clip_start"] is None for entry in entries)]
    rejected = songs + len(whole) + len(found.same)
    write_tables(out, lambda: _sources(out, found), index, with_audio=settings.audio != "none")
    return Summary(len(found.paths), rows, rejected, clips, len(found.same), contradicted)


def _sources(out, found):
    """Yield a Source of each song, in order, and of what was not read in the end."""
    for path in found.paths:
        if path in found.same:
            yield Source(None, [rejection(path, f"the same bytes as {path_text(found.same[path])}")])
        elif path in found.unmarked:
            yield Source(None, found.unmarked[path])
        else:
            yield Source(mark_of(out, path))
    yield Source(None, [rejection(path, HIDDEN) for path in found.hidden])


def _sweep(out, index):
    """Delete what a build left of songs that are gone or shorter now: marks, what was heard, and audio files that no
    row names."""
    rows = {done.name: (path, {"train": done.train, "test": done.test}) for path, done in index}
    for folder in ("parts", "heard"):
        for entry in files_on(out / folder):
            match = MARK.fullmatch(entry.name)
            if match and (entry.is_dir() or match["song"] not in rows):
                _remove(entry)
    for split in SPLITS:
        counts = audio_counts(out / split)
        odd = {name for name, count in counts.items() if name not in rows or rows[name][1][split] != count}
        named = {place for name in odd if name in rows for place in _locations(mark_of(out, rows[name][0]))}
        for entry in files_on(out / split) if odd else ():
            match = AUDIO.fullmatch(entry.name)
            if match and match["song"] in odd and f"{split}/{Path(entry.path).parent.name}/{entry.name}" not in named:
                _remove(entry)


def _locations(mark):
    return [json.loads(line)["location"] for line in marked_rows(mark)]


def _remove(entry):
    if entry.is_dir():
        shutil.rmtree(entry.path, ignore_errors=True)
    else:
        os.unlink(entry.path)
