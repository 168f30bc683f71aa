"""Songs -> clips, heard once, augmented, captioned, written as rows (MusicBench; Mustango, section 3).

Resumable; many workers; the main process holds no rows. A song is one piece of work: what is heard in it
(heard/), its audio files and then, as the mark that it is done, parts/../<song>.jsonl with its rows. Everything drawn
depends on the build's seed and the song's path alone, so rows and files are the same for any number of workers, engine
or interruption.

OUT/train/../*.flac, OUT/test/../*.flac, each with metadata.jsonl; rows.jsonl (all); test_a.jsonl, test_b.jsonl (the test
originals with no and with all four control sentences); rejected.jsonl; splits.jsonl, duplicates.jsonl (`splits`);
manifests.txt (what was read of metadata.csv and its like); build.json (settings and versions).
"""

import sys
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from musicbench import InputError
from musicbench.build.captioners import Captioner
from musicbench.build.card import write_card
from musicbench.build.engines import Engine
from musicbench.build.index import Done, Index, file_state
from musicbench.build.manifests import read_manifests
from musicbench.build.marks import rejection
from musicbench.build.metadata import values_of
from musicbench.build.packing import SUFFIX, is_packed, pack, shard_of, sweep_shards
from musicbench.build.paraphrases import Paraphraser
from musicbench.build.plan import lengths_of
from musicbench.build.preparing import prepare, sweep
from musicbench.build.remote import LISTINGS, Sent, is_url, listed_songs, local_path, url_of
from musicbench.build.row_tables import Source, write_tables
from musicbench.build.settings import Settings, digest_of
from musicbench.build.shelves import SPLITS, audio_counts, mark_of
from musicbench.build.song_labels import LABEL_FILES
from musicbench.build.song_rows import Built, Given, build_song
from musicbench.build.songs import CAPTION_FILES, caption_lines, datasets_in, find_songs, passed_over, sidecars, song_id
from musicbench.build.splits import TAGS, Songs, split_songs
from musicbench.files import alone_in, check_folder, path_text, printable, written_whole
from musicbench.hearing.detectors import load_detector
from musicbench.hearing.tagger import why_no_tags
from musicbench.sound.fingerprint import why_no_fingerprints
from musicbench.sound.opening import file_sha256

HIDDEN = "hidden, as its name begins with a dot; rename it"
KILLED_BY = "reading it ended the process, perhaps for memory"


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
    columns: dict
    hidden: list
    told: list
    values: dict = field(default_factory=dict)  # {song: its value of the column that is split by}
    same: dict = field(default_factory=dict)  # {song: why it is not used, as it is another}
    splits: dict = field(default_factory=dict)  # {song: its split}
    unmarked: dict = field(default_factory=dict)  # {song: entries of rejected.jsonl}, of this run alone


def build(
    songs: Path | str,
    out: Path | str,
    settings: Settings | None = None,
    *,
    engine: Engine | None = None,
    overwrite: bool = False,
    accept_versions: bool = False,
    work: Path | str | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    on_compared: Callable[[int, int], None] | None = None,
) -> Summary:
    """Turn a folder of songs into a dataset folder; returns a Summary. What is there of the same build is kept.

    engine: an `engines.Engine`, one process here if there is none. overwrite: where settings changed, make anew what
    depends on them. accept_versions: go on with other versions of the libraries. work: where a dataset that is sent to a URL is built,
    see `remote.Sent`. on_progress(clips done, clips in all, about); on_compared(songs compared by sound, songs to be
    compared). Raises InputError.
    """
    sent, settings = Sent(str(out), work) if is_url(out) else None, settings or Settings()
    out = sent.work if sent else local_path(out)
    check_folder(out)
    found = _find(listed_songs(str(songs), out / LISTINGS) if is_url(songs) else local_path(songs), out, settings.split_by)
    for name in filter(None, (settings.hearing.detector, settings.hearing.agree)):
        load_detector(name)  # where it is missing, nothing is written
    Paraphraser(*settings.paraphrase).check()
    if settings.captioner[0]:
        Captioner(*settings.captioner).check()
    with alone_in(out):
        shards = prepare(out, found, settings, overwrite=overwrite, accept_versions=accept_versions)
        _tell(found.told, out / "manifests.txt")
        with Index(out) as index:
            same = _same_bytes(found, index)
            paths = [path for path in found.paths if path not in same]
            splits = split_songs(
                out, Songs(found.folder, paths, same, found.values), settings, index, engine or Engine(), on_compared or _silent
            )
            for line in splits.lines:
                print(line, file=sys.stderr)
            found.splits = splits.of
            found.same = {path: f"the same bytes as {path_text(first)}" for path, first in same.items()} | splits.dropped
            left = _Work(out, found, settings, index, shards)
            left.run(engine or Engine(), sent, on_progress or _silent)
            counted = _write(out, found, settings, index)
            used = [path for path in found.paths if path not in found.same]
            write_card(out, found.folder, used, found.columns, settings, index)
            _keep_lines(found.told + left.told(), out / "manifests.txt")
            sweep(out, index, is_loose=settings.form == "files")
            sweep_shards(out, settings.form, shards)
            if sent:
                sent.send(index)
    return counted


def _silent(done, total):
    """Show no progress."""


def _find(folder, out, split_by):
    """Find the songs and what is said of them."""
    others = [place for place in datasets_in(folder) if place.resolve() != out.resolve()]
    paths = find_songs(folder, leave_out=(out, *others))
    captions, columns, told = read_manifests(folder, paths, leave_out=(out, *others))
    told += [f"{printable(place.relative_to(folder))}: left out; another build wrote it" for place in others]
    told += caption_lines(folder, paths, captions)
    told += list(filter(None, [why_no_tags(), why_no_fingerprints()]))
    values = values_of(columns, split_by) if split_by else {}
    if split_by and not values and split_by not in TAGS:
        raise InputError(f"no manifest in {folder} has a column {split_by!r}; give one that it has, or {', '.join(TAGS)}")
    hidden, left = passed_over(folder, leave_out=(out, *others))
    return _Songs(folder, paths, captions, columns, hidden, left + told, values)


def _tell(lines, path):
    """Print lines on the folder of songs and keep them in a file."""
    for line in lines:
        print(line, file=sys.stderr)
    _keep_lines(lines, path)


def _keep_lines(lines, path):
    with written_whole(path) as temporary:
        temporary.write_text("".join(line + "\n" for line in lines), encoding="utf-8")


# ---------------------------------------------------------------------------------------------------- what is left


def _same_bytes(found, index):
    """Return {path: the first path whose file has the same bytes}, links included; only files of one size are read.

    Of songs at a URL, whose bytes are not here, none is.
    """
    if url_of(found.folder):
        return {}
    states = {path: state for path in found.paths if (state := file_state(found.folder / path))}
    sizes = {path: int(state.split()[0]) for path, state in states.items()}
    alike = Counter(sizes.values())
    first, same = {}, {}
    for path, size in sizes.items():
        if size and alike[size] > 1:  # of an empty file it is said that it is empty
            with suppress(InputError):  # build_song says why it cannot be read
                digest = index.digest(path, states[path])
                if not digest:
                    digest = file_sha256(found.folder / path)
                    index.keep_digest(path, states[path], digest)
                if first.setdefault(digest, path) != path:
                    same[path] = first[digest]
    return same


class _Work:
    """The songs of a build that are to be done, and the shards they go into."""

    def __init__(self, out, found, settings, index, shards):
        self.out, self.found, self.settings, self.index = out, found, settings, index
        self.shards, self.is_packed = shards, settings.form in SUFFIX
        paths, self.by_name = [path for path in found.paths if path not in found.same], settings.by_name()
        self.given = {path: self._given(path) for path in paths}
        self.of_shard: dict[int, list] = {}
        for path in paths if self.is_packed else ():
            self.of_shard.setdefault(shard_of(song_id(path), shards), []).append(path)
        index.forget({path for path, _ in index} - self.given.keys())
        self.left = self._left()

    def _given(self, path):
        """Return what is given of a song, with a digest of all that its rows depend on."""
        place, caption = self.found.folder / path, self.found.captions.get(path, "")
        columns, split = self.found.columns.get(path, ""), self.found.splits[path]
        said = [[sidecar.name, file_state(sidecar)] for sidecar in sidecars(place, CAPTION_FILES + LABEL_FILES)]
        made_of = digest_of(file_state(place), said, caption, columns, self.found.folder.name, self.by_name, split)
        return Given(caption, made_of, columns, split)

    def _left(self):
        """Return the songs that are to be built, shard by shard, of each the largest first."""
        fresh = {path for path in self.given if self._is_fresh(path)}
        kept = {
            path
            for number, paths in self.of_shard.items()
            if fresh.issuperset(paths) and is_packed(self.out, self.settings.form, number, self._marks(paths), self.index)
            for path in paths
        }
        if self.settings.form == "rows":
            kept = fresh
        counts = {split: audio_counts(self.out / split) for split in SPLITS}
        for path in fresh - kept:
            done = self.index.get(path)
            if done and [counts[split][done.name] for split in SPLITS] == [done.train, done.validation, done.test]:
                kept.add(path)
        left = [path for path in self.given if path not in kept]
        self.index.forget(set(left) - fresh)
        sizes = {path: int((file_state(self.found.folder / path) or "0").split()[0]) for path in left}
        return sorted(left, key=lambda path: (self._shard(path), -sizes[path]))

    def _is_fresh(self, path):
        done = self.index.get(path)
        return done and done.made_of == self.given[path].made_of and done.mark == file_state(mark_of(self.out, path))

    def _shard(self, path):
        return shard_of(song_id(path), self.shards) if self.is_packed else 0

    def _marks(self, paths):
        return [file_state(mark_of(self.out, path)) for path in paths]

    def run(self, engine, sent, report):
        """Build the songs that are left, and pack each shard as soon as its songs are done."""
        waiting = Counter(map(self._shard, self.left))
        for number in self.of_shard.keys() - waiting.keys():
            self._pack(number)
        lengths = lengths_of(self.found.folder, self.left, self.settings.recipe)
        if self.left:
            print(lengths, file=sys.stderr)
        songs, out, total = self.found.folder.absolute(), self.out.absolute(), round(lengths.clips.mean)
        results = engine.each(
            build_song,
            ((songs, path, out, self.settings, self.given[path]) for path in self.left),
            on_progress=lambda done: report(min(done, total), total),
            killed=lambda job: Built(rejected=(rejection(job[1], KILLED_BY),), is_marked=False),
            steps_of=lambda built: built.clips + len(built.rejected),
        )
        for job, built in results:
            self._keep(job[1], built)
            if sent:
                sent.send_now_and_then(self.index)
            waiting[self._shard(job[1])] -= 1
            if self.is_packed and not waiting[self._shard(job[1])]:
                self._pack(self._shard(job[1]))
        report(total, total)

    def _pack(self, number):
        """Write a shard, unless it is there of the same songs."""
        paths, form = self.of_shard[number], self.settings.form
        if not is_packed(self.out, form, number, self._marks(paths), self.index):
            pack(self.out, form, number, paths, self.index)

    def told(self):
        """Return the lines on what is given of single songs and not used."""
        return [line for path, lines in self.index.told() if path in self.given for line in lines]

    def _keep(self, path, built):
        """Keep what a song came to."""
        for line in built.told:
            print(line, file=sys.stderr)
        self.index.keep_told(path, built.told)
        if not built.is_marked:
            self.found.unmarked[path] = list(built.rejected)
            self.index.forget([path])
            return
        whole = any(entry["clip_start"] is None for entry in built.rejected)
        rejected = sum(entry["clip_start"] is not None for entry in built.rejected)
        mark = file_state(mark_of(self.out, path))
        counts = built.train, built.validation, built.test, rejected, whole, built.is_contradicted
        self.index.put(path, Done(song_id(path), self.given[path].made_of, mark, *counts))


# ---------------------------------------------------------------------------------------------------- tables


def _write(out, found, settings, index):
    """Write the tables, unless they are of the same marks already; returns the Summary."""
    songs = rows = clips = contradicted = 0
    for _, done in index:
        songs += done.is_rejected
        rows += done.train + done.validation + done.test
        clips += done.rejected
        contradicted += done.is_contradicted
    whole = [entries for entries in found.unmarked.values() if any(entry["clip_start"] is None for entry in entries)]
    rejected = songs + len(whole) + len(found.same)
    write_tables(out, lambda: _sources(out, found), index, with_audio=settings.form == "files")
    return Summary(len(found.paths), rows, rejected, clips, len(found.same), contradicted)


def _sources(out, found):
    """Yield a Source of each song, in order, and of what was not read in the end."""
    for path in found.paths:
        if path in found.same:
            yield Source(None, [rejection(path, found.same[path])])
        elif path in found.unmarked:
            yield Source(None, found.unmarked[path])
        else:
            yield Source(mark_of(out, path))
    yield Source(None, [rejection(path, HIDDEN) for path in found.hidden])
