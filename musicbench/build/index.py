"""What is done of a build, song by song, in a small database that the main process alone writes.

With it a run knows what is left without reading what is there. It may be lost: the songs' own marks tell the same, and
the next run reads them.
"""

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

INDEX = "index.sqlite"
COMMIT_EVERY = 200  # songs

_TABLES = """
CREATE TABLE IF NOT EXISTS songs (
  path BLOB PRIMARY KEY, name TEXT, made_of TEXT, mark TEXT, train INTEGER, validation INTEGER, test INTEGER, rejected INTEGER,
  is_rejected INTEGER, is_contradicted INTEGER
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS digests (path BLOB PRIMARY KEY, state TEXT, sha256 TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sent (name BLOB PRIMARY KEY, state TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS prints (path BLOB PRIMARY KEY, state TEXT, words BLOB, tags TEXT);
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
"""


@dataclass(frozen=True)
class Done:
    """What a finished song came to.

    name: `songs.song_id`; made_of: a digest of all that its rows depend on; mark: `file_state` of its mark; train,
    validation and test: its rows in each split; rejected: places of it that are not used; is_rejected: nothing of it is used.
    """

    name: str
    made_of: str
    mark: str
    train: int
    validation: int
    test: int
    rejected: int
    is_rejected: bool
    is_contradicted: bool


class Index:
    """The songs of a build that are done; used as a context manager."""

    def __init__(self, folder: Path | str) -> None:
        path = Path(folder) / INDEX
        try:
            self._open(path)
        except sqlite3.DatabaseError:  # damaged; the marks are still there
            for suffix in ("", "-journal", "-wal", "-shm"):
                path.with_name(INDEX + suffix).unlink(missing_ok=True)
            self._open(path)

    def _open(self, path):
        self._base, self._waiting = sqlite3.connect(path), 0
        self._base.executescript(_TABLES)
        self._base.execute("SELECT validation FROM songs, facts LIMIT 1").fetchall()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with suppress(sqlite3.Error), closing(self._base):
            self._base.commit()

    def get(self, path: str) -> Done | None:
        """Return what a song came to when it was last done."""
        found = self._base.execute("SELECT * FROM songs WHERE path = ?", (os.fsencode(path),)).fetchone()
        return _done(found) if found else None

    def __iter__(self) -> Iterator[tuple[str, Done]]:
        for found in self._base.execute("SELECT * FROM songs ORDER BY path"):
            yield os.fsdecode(found[0]), _done(found)

    def put(self, path: str, done: Done) -> None:
        """Keep what a song came to; written to disk now and then."""
        values = (os.fsencode(path), *vars(done).values())
        self._base.execute(f"REPLACE INTO songs VALUES ({', '.join('?' * len(values))})", values)
        self._commit_now_and_then()

    def _commit_now_and_then(self):
        self._waiting += 1
        if self._waiting >= COMMIT_EVERY:
            self._base.commit()
            self._waiting = 0

    def digest(self, path: str, state: str) -> str:
        """Return the SHA-256 of a song's file, "" unless it was kept while the file was in the same state."""
        found = self._base.execute("SELECT state, sha256 FROM digests WHERE path = ?", (os.fsencode(path),)).fetchone()
        return found[1] if found and found[0] == state else ""

    def keep_digest(self, path: str, state: str, sha256: str) -> None:
        """Keep the SHA-256 of a song's file in a state (`file_state`)."""
        self._base.execute("REPLACE INTO digests VALUES (?, ?, ?)", (os.fsencode(path), state, sha256))
        self._commit_now_and_then()

    def sent(self, name: str) -> str:
        """Return the state in which a file of the dataset was sent, "" if it was not."""
        found = self._base.execute("SELECT state FROM sent WHERE name = ?", (os.fsencode(name),)).fetchone()
        return found[0] if found else ""

    def keep_sent(self, name: str, state: str) -> None:
        """Keep the state (`file_state`) in which a file was sent; "": it is there no more."""
        if state:
            self._base.execute("REPLACE INTO sent VALUES (?, ?)", (os.fsencode(name), state))
        else:
            self._base.execute("DELETE FROM sent WHERE name = ?", (os.fsencode(name),))
        self._commit_now_and_then()

    def all_sent(self) -> Iterator[str]:
        """Yield the names of all files that were sent."""
        yield from (os.fsdecode(found[0]) for found in self._base.execute("SELECT name FROM sent"))

    def keep_told(self, path: str, lines: Iterable[str]) -> None:
        """Keep lines on what is given of a song and not used."""
        name, text = "told " + os.fsencode(path).hex(), "\n".join(lines)
        if text != self.fact(name):
            self.fact(name, text)

    def told(self) -> Iterator[tuple[str, list[str]]]:
        """Yield the songs of which there are such lines, and these."""
        for name, text in self._base.execute(
            "SELECT name, value FROM facts WHERE name LIKE 'told %' AND value != '' ORDER BY name"
        ):
            yield os.fsdecode(bytes.fromhex(name.removeprefix("told "))), text.splitlines()

    def has_print(self, path: str, state: str) -> bool:
        """Tell whether a song's fingerprint and tags were kept while its file was in a state."""
        found = self._base.execute("SELECT state FROM prints WHERE path = ?", (os.fsencode(path),)).fetchone()
        return bool(found) and found[0] == state

    def print_of(self, path: str) -> tuple[bytes, dict]:
        """Return (words, tags) of a song's fingerprint as they were kept, without any (b"", {})."""
        found = self._base.execute("SELECT words, tags FROM prints WHERE path = ?", (os.fsencode(path),)).fetchone()
        return (found[0], json.loads(found[1])) if found else (b"", {})

    def keep_print(self, path: str, state: str, words: bytes, tags: dict) -> None:
        """Keep a song's fingerprint and tags (`fingerprint`); written to disk now and then."""
        values = os.fsencode(path), state, words, json.dumps(tags)
        self._base.execute("REPLACE INTO prints VALUES (?, ?, ?, ?)", values)
        self._commit_now_and_then()

    def forget_prints(self, paths: Iterable[str]) -> None:
        """Drop the fingerprints of songs that are gone."""
        self._base.executemany("DELETE FROM prints WHERE path = ?", ((os.fsencode(path),) for path in paths))
        self._base.commit()

    def printed(self) -> list[str]:
        """Return the songs whose fingerprints are kept."""
        return [os.fsdecode(found[0]) for found in self._base.execute("SELECT path FROM prints")]

    def forget(self, paths: Iterable[str]) -> None:
        """Drop songs that are gone, or are to be made again."""
        self._base.executemany("DELETE FROM songs WHERE path = ?", ((os.fsencode(path),) for path in paths))
        self._base.commit()

    def fact(self, name: str, value: str | None = None) -> str:
        """Return a fact of the whole build, "" where it is not known; keep it first when it is given."""
        if value is not None:
            self._base.execute("REPLACE INTO facts VALUES (?, ?)", (name, value))
            self._base.commit()
        found = self._base.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return found[0] if found else ""


def _done(found):
    name, made_of, mark, train, validation, test, rejected, is_rejected, is_contradicted = found[1:]
    return Done(name, made_of, mark, train, validation, test, rejected, bool(is_rejected), bool(is_contradicted))


def file_state(path: Path | str) -> str:
    """Return the size and the time of a file, by which a change is seen; "" where there is none."""
    try:
        stat = os.stat(path)
    except OSError:
        return ""
    return f"{stat.st_size} {stat.st_mtime_ns}"
