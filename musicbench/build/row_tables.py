"""The rows of all songs in the forms in which they are read: written song by song, so that memory does not grow."""

import hashlib
import json
import re
from collections.abc import Callable, Iterable
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from musicbench.build.dataset import ROWS, metadata_line
from musicbench.build.index import Index, file_state
from musicbench.build.marks import marked_rejections, marked_rows
from musicbench.build.settings import digest_of
from musicbench.build.shelves import SPLITS
from musicbench.files import json_line, written_whole

REJECTED, TESTS = "rejected.jsonl", ("test_a.jsonl", "test_b.jsonl")
DURATION = re.compile(r'"duration": ([\d.]+)')


@dataclass(frozen=True)
class Source:
    """A song's share of the tables: its mark, or what is rejected of one that has none."""

    mark: Path | None
    rejected: list = field(default_factory=list)


def write_tables(out: Path, sources: Callable[[], Iterable[Source]], index: Index, *, with_audio: bool) -> None:
    """Write the rows in all their forms, and keep their totals, unless they are there of the same marks.

    with_audio: an audiofolder's metadata, too. sources: called for each pass over the songs.
    """
    metadata = {split: out / split / "metadata.jsonl" for split in SPLITS if (out / split).is_dir()} if with_audio else {}
    paths = {name: out / name for name in (ROWS, REJECTED, *TESTS)} | metadata
    of_marks = _digest(sources())
    if index.fact("tables") == digest_of(of_marks, [file_state(path) for path in paths.values()]):
        return
    counts = dict.fromkeys(paths, 0)
    totals = {split: {"rows": 0, "songs": 0, "seconds": 0.0} for split in SPLITS}
    with ExitStack() as open_files:
        files = {name: open_files.enter_context(_whole_file(path)) for name, path in paths.items()}

        def write(name, line):
            files[name].write(line)
            counts[name] += 1

        for source in sources():
            for entry in source.rejected or (marked_rejections(source.mark) if source.mark else ()):
                write(REJECTED, json_line(entry))
            rows = [_write_row(line, write, metadata) for line in (marked_rows(source.mark) if source.mark else ())]
            for split in {split for split, _ in rows}:
                totals[split]["songs"] += 1
            for split, seconds in rows:
                totals[split]["rows"] += 1
                totals[split]["seconds"] += seconds
    for name, path in metadata.items():
        if not counts[name]:
            path.unlink()
    index.fact("totals", json.dumps(totals))
    index.fact("tables", digest_of(of_marks, [file_state(path) for path in paths.values()]))


def _digest(sources):
    digest = hashlib.sha256()
    for source in sources:
        digest.update(json_line([source.mark.name, file_state(source.mark)] if source.mark else source.rejected).encode())
    return digest.hexdigest()


@contextmanager
def _whole_file(path):
    """Give a file for text that is there whole in the end, or not at all."""
    with written_whole(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        yield file


def _write_row(line, write, metadata):
    """Write a row; returns (its split, its length in seconds)."""
    if not metadata and '"location": "train/' in line:  # as no text in a row can be, whose quotes are escaped
        write(ROWS, line)
        return "train", float(DURATION.search(line)[1])
    row = json.loads(line)
    split = row["location"].split("/")[0]
    write(ROWS, line)
    if split in metadata:
        write(split, metadata_line(row))
    if split == "test" and not row["transforms"]:
        write(TESTS[0], json_line({**row, "main_caption": row["own_caption"]}))
        write(TESTS[1], json_line({**row, "main_caption": _with_all_sentences(row)}))
    return split, row["duration"]


def _with_all_sentences(row):
    main = row["own_caption"]
    sentences = [row[name] for name in ("prompt_ch", "prompt_bt", "prompt_bpm", "prompt_key") if row[name]]
    return " ".join([main if main[-1] in ".!?" else main + ".", *sentences])
