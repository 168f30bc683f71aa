"""Which split each song is in: songs that are the same recording, or share a title or a given value, are never in two.

Groups are the connected components of these likenesses, found before songs are built, whatever their order. A group's split
is drawn by its name alone. It stays when songs are added; where that joins groups of two splits, their songs go to the one
that was trained on.

splits.jsonl: what it depends on, then song, group (its first song) and split of each. duplicates.jsonl: song, like, alike,
by what, and how much later it begins.
"""

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from musicbench.build.engines import Engine
from musicbench.build.index import Index, file_state
from musicbench.build.metadata import value_of
from musicbench.build.near_copies import Copy, near_copies
from musicbench.build.recipe import Recipe
from musicbench.build.remote import song_file
from musicbench.build.settings import Settings, digest_of
from musicbench.build.shelves import SPLITS
from musicbench.build.texts import counted, some
from musicbench.build.titles import titles_of
from musicbench.files import json_line, path_text, save_json_lines
from musicbench.sound.fingerprint import fingerprint, why_no_fingerprints

TABLE, DUPLICATES = "splits.jsonl", "duplicates.jsonl"
TAGS = ("artist", "album", "title", "genre", "date", "license", "copyright")  # of files, by which songs can be split
LARGE = 10  # songs, from which on a group of more than half of all is told
DROPPED_ALIKE, DROPPED_OVERLAP = 0.85, 0.8  # from which on a copy has nothing of its own


@dataclass(frozen=True)
class Splits:
    """of: {song: its split}; dropped: {song: why it is not used}; lines: what is to be told."""

    of: dict[str, str]
    dropped: dict[str, str] = field(default_factory=dict)
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Songs:
    """The songs that are to be split: their folder and paths, {path: the path with the same bytes} of others, and
    {path: value} of the column that is split by."""

    folder: Path
    paths: list[str]
    same: dict[str, str]
    values: dict[str, str]


def split_songs(
    out: Path, songs: Songs, settings: Settings, index: Index, engine: Engine, on_progress: Callable[[int, int], None]
) -> Splits:
    """Return the Splits of songs, and write splits.jsonl and duplicates.jsonl, unless they are there of the same songs.

    on_progress(songs compared, songs to be compared).
    """
    made_of, files = _digest(songs, settings), (out / TABLE, out / DUPLICATES)
    if index.fact("splits") == digest_of(made_of, *map(file_state, files)):
        return _read(out / TABLE, songs.paths)
    _listen(songs, settings, index, engine, on_progress)
    before = _before(out / TABLE, settings)
    likenesses = _Likenesses(songs, settings, index)
    groups = likenesses.groups()
    of, lines = _split(songs.paths, groups, likenesses.titles, before, settings.recipe)
    dropped = _dropped(likenesses, before) if settings.drop_duplicates else {}
    firsts = {path: path_text(group[0]) for group in groups for path in group}
    table = [
        {"song": path_text(path), "group": firsts[path], "split": None if path in dropped else of[path]}
        | ({"dropped": dropped[path]} if path in dropped else {})
        for path in songs.paths
    ]
    save_json_lines(files[0], [{"made_of": settings.of_splits()}, *table])
    save_json_lines(files[1], likenesses.rows())
    index.fact("splits", digest_of(made_of, *map(file_state, files)))
    return Splits(of, dropped, (*likenesses.lines(), *lines))


def drawn_split(name: str, recipe: Recipe) -> str:
    """Return the split of a group by its name."""
    drawn = int(hashlib.sha256(name.encode()).hexdigest()[:8], 16) / 2**32
    if drawn < recipe.test_share:
        return "test"
    return "validation" if drawn < recipe.test_share + recipe.validation_share else "train"


# ---------------------------------------------------------------------------------------------------- what is kept


def _digest(songs, settings):
    digest = hashlib.sha256(json_line([settings.of_splits(), settings.drop_duplicates, why_no_fingerprints()]).encode())
    for path in songs.paths:
        digest.update(json_line([path_text(path), file_state(songs.folder / path), songs.values.get(path, "")]).encode())
    digest.update(json_line([[path_text(path), path_text(first)] for path, first in songs.same.items()]).encode())
    return digest.hexdigest()


def _rows(path):
    """Yield what a splits.jsonl says it depends on, then its songs; nothing of one that is not whole."""
    try:
        first, *rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    except (OSError, ValueError):
        return
    if (
        all(isinstance(row, dict) for row in (first, *rows))
        and "made_of" in first
        and all({"song", "split"} <= row.keys() for row in rows)
    ):
        yield from (first, *rows)


def _read(path, paths):
    rows = {row["song"]: row for row in islice(_rows(path), 1, None)}
    of = {path: rows[path_text(path)]["split"] for path in paths}
    dropped = {path: rows[path_text(path)]["dropped"] for path, split in of.items() if not split}
    return Splits({path: split for path, split in of.items() if split}, dropped)


def _before(path, settings):
    """Return {song: split} of the songs that an earlier run with the same settings split."""
    rows = _rows(path)
    made_of = next(rows, {}).get("made_of")
    return {row["song"]: row["split"] for row in rows if row["split"] in SPLITS} if made_of == settings.of_splits() else {}


def print_song(songs: Path, path: str, on_step: Callable | None = None) -> tuple[bytes, dict]:
    """Return (the words of a song's fingerprint, its tags); nothing of one that cannot be read, of which the build tells."""
    try:
        with song_file(songs, path) as file:
            words, tags = fingerprint(file)
    except Exception:
        return b"", {}
    return words.tobytes(), tags


def _print_state(songs, path):
    return f"{file_state(songs.folder / path)} {'words' if not why_no_fingerprints() else 'tags'}"


def _listen(songs, settings, index, engine, on_progress):
    """Keep the fingerprints and tags of all songs, where either is used."""
    if why_no_fingerprints() and settings.split_by not in TAGS:
        return
    index.forget_prints(set(index.printed()) - set(songs.paths))
    left = [path for path in songs.paths if not index.has_print(path, _print_state(songs, path))]
    folder = songs.folder.absolute()
    results = engine.each(print_song, ((folder, path) for path in left), killed=lambda job: (b"", {}))
    for done, ((_, path), (words, tags)) in enumerate(results, 1):
        index.keep_print(path, _print_state(songs, path), words, tags)
        on_progress(done, len(left))


# ---------------------------------------------------------------------------------------------------- groups


class _Likenesses:
    """Which songs are alike, and by what."""

    def __init__(self, songs, settings, index):
        self.songs, self.settings = songs, settings
        self.titles, self.told = titles_of(songs.paths)
        has_prints = not why_no_fingerprints()
        self.sizes = {path: len(index.print_of(path)[0]) for path in songs.paths} if has_prints else {}
        self.copies: list[Copy] = near_copies(index.print_of(path)[0] for path in songs.paths) if has_prints else []
        self.values = {path: value.casefold() for path, value in songs.values.items()}
        if settings.split_by in TAGS:
            tagged = {path: value_of(index.print_of(path)[1].get(settings.split_by)) for path in songs.paths}
            self.values = {path: value.casefold() for path, value in tagged.items() if value} | self.values

    def _titled(self):
        """Yield (song, the first with its title). Where songs are split by a value, with its value, too; a song without one
        goes with the first of its title that has one."""
        valued, first = {}, {}
        for path in self.songs.paths:
            if path in self.values:
                valued.setdefault(self.titles[path], self.values[path])
        for path in self.songs.paths:
            title = self.titles[path]
            yield path, first.setdefault((title, self.values.get(path, valued.get(title))), path)

    def groups(self) -> list[list[str]]:
        """Return the songs that share a split, group by group, in order."""
        first, valued = {}, ((path, self.values[path]) for path in self.songs.paths if path in self.values)
        pairs = [*self._titled(), *((path, first.setdefault(value, path)) for path, value in valued)]
        return components(self.songs.paths, [*pairs, *self.copied()])

    def copied(self, least: Callable[[Copy], bool] = lambda copy: True) -> list[tuple[str, str]]:
        """Return the pairs of songs that are the same recording, if they are by `least`."""
        return [(self.songs.paths[copy.first], self.songs.paths[copy.second]) for copy in self.copies if least(copy)]

    def rows(self) -> Iterable[dict]:
        """Return the rows of duplicates.jsonl."""
        paths = self.songs.paths
        rows = [_row(path, first, 1.0, "bytes") for path, first in self.songs.same.items()]
        rows += [_row(path, first, None, "title") for path, first in self._titled() if path != first]
        rows += [_row(paths[copy.second], paths[copy.first], copy.alike, "sound", copy.later_s) for copy in self.copies]
        return sorted(rows, key=lambda row: (row["song"], row["like"], row["by"]))

    def lines(self) -> Iterable[str]:
        """Yield what is to be told."""
        yield from self.told
        if self.settings.split_by and not self.values:
            yield f"no song says its {self.settings.split_by}: songs are split by title{'' if why_no_fingerprints() else ' and sound'}"
        if copies := {copy.second for copy in self.copies}:
            yield f"{counted(len(copies), 'song')} of a recording that is there twice, see {DUPLICATES}: " + some(
                [self.songs.paths[number] for number in sorted(copies)]
            )


def _row(song, like, alike, by, later_s=None):
    return {"song": path_text(song), "like": path_text(like), "alike": alike, "by": by, "later_s": later_s}


def components(names: list[str], pairs: Iterable[tuple[str, str]]) -> list[list[str]]:
    """Return the connected components of names by pairs of them (union-find), each in the order of `names`."""
    parents = {name: name for name in names}

    def root(name):
        while parents[name] != name:
            parents[name] = name = parents[parents[name]]
        return name

    for one, other in pairs:
        parents[root(other)] = root(one)
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(root(name), []).append(name)
    return list(found.values())


def _split(paths, groups, titles, before, recipe):
    """Return ({song: split}, lines) of groups: as drawn, or as they were `before`."""
    of, moved, lines = {}, [], []
    for group in groups:
        known = {before[path_text(path)] for path in group if path_text(path) in before}
        drawn = drawn_split(min(titles[path] for path in group), recipe)
        split = next((name for name in SPLITS if name in known), drawn)
        of |= dict.fromkeys(group, split)
        moved += [path for path in group if before.get(path_text(path), split) != split] if len(known) > 1 else []
    if moved:
        lines.append(
            f"{counted(len(moved), 'song')} moved to another split, as songs added since join them with songs that were trained on: "
            + some(moved)
        )
    largest = max(groups, key=len, default=[])
    if len(paths) >= LARGE and len(largest) > len(paths) / 2 and (recipe.test_share or recipe.validation_share):
        lines.append(
            f"{len(largest)} of {len(paths)} songs share the split {of[largest[0]]}, so that shares are not kept: {some(largest)}"
        )
    return of, lines


def _dropped(likenesses, before):
    """Return {song: why it is not used} of copies with nothing of their own; of those alike the longest stays, of these
    the one that was there before, or else the first."""
    paths, dropped = likenesses.songs.paths, {}
    pairs = likenesses.copied(lambda copy: copy.alike >= DROPPED_ALIKE and max(copy.overlap) >= DROPPED_OVERLAP)
    of_length = {path: round(size / 160) for path, size in likenesses.sizes.items()}  # in steps of five seconds
    for group in components(paths, pairs):
        kept = min(group, key=lambda path: (path_text(path) not in before, -of_length[path]))
        dropped |= {path: f"the same recording as {path_text(kept)}" for path in group if path != kept}
    return dropped
