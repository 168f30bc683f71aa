"""Songs and datasets at URLs (S3 and whatever else fsspec opens; lists of songs over HTTP).

Songs: a folder of stand-ins is made of what is there, with the sizes of the songs and no sound. Songs are found, told apart and indexed
in it as in any other folder; who needs the sound of one fetches it, and deletes it afterwards. Datasets: built in a folder here, from
which each file that is done is sent.
"""

import hashlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from musicbench import InputError, quoted
from musicbench.build.columns import Unread
from musicbench.build.index import INDEX, Index, file_state
from musicbench.build.marks import read_object
from musicbench.build.songs import SUFFIXES
from musicbench.build.tables import MAX_BYTES, TABLES, read_table
from musicbench.files import make_folder, path_text, save_json, written_whole

URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://.+", re.DOTALL)
LISTED, LISTINGS = ".url.json", ".songs"  # in a folder of stand-ins: where its songs are; in a dataset: the folder of these
SAID = {*TABLES, ".json", ".txt"}  # files about songs, which are fetched when songs are listed
WHOLE = {"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "memory"}  # stores in which a file is there whole or not at all
SEND_EVERY_S = 300
ORDER = ("build.json", "train", "test", "shards", "heard", "said", "parts")  # in which files are sent: a mark after what it marks


def is_url(place: Path | str) -> bool:
    """Tell whether songs or a dataset are at a URL; one of a local file is a path."""
    return bool(URL.fullmatch(str(place))) and not str(place).startswith("file://")


def local_path(place: Path | str) -> Path:
    """Return the path of a place here, which may be written as a file:// URL."""
    return Path(unquote(text[7:])) if (text := str(place)).startswith("file://") else Path(place)


def _opened(url):
    """Return (fsspec's file system, the path in it) of a URL. Raises InputError."""
    try:
        return import_module("fsspec").core.url_to_fs(url.rstrip("/"))
    except ImportError as error:
        raise InputError(f"{quoted(url)} needs a library ({str(error).splitlines()[0]}); pip install fsspec and it") from None
    except ValueError as error:
        raise InputError(
            f"cannot open {quoted(url)} ({str(error).splitlines()[0]}); give s3://, gs://, https:// or a folder"
        ) from None


# ---------------------------------------------------------------------------------------------------- songs


def listed_songs(url: str, folder: Path) -> Path:
    """Make or renew a folder of stand-ins for the songs at a URL, below `folder`; returns it.

    Over HTTP the URL is that of a table or text that names the songs, which lie beside it or in folders there. Raises InputError.
    """
    system, root = _opened(url)
    is_http = re.match(r"https?://", url)
    base = url.rpartition("/")[0] if is_http else url.rstrip("/")
    place = Path(folder) / (re.sub(r"[^\w .-]", "_", base.rpartition("/")[2]).lstrip(".") or "songs")
    make_folder(place)
    there = {LISTED}
    try:
        for name, info in _named(system, url, place) if is_http else _found(system, root):
            if _is_plain(name):
                _stand_in(system, place, name, info)
                there.add(name)
    except (InputError, KeyboardInterrupt):
        raise
    except Exception as error:  # each store has its own
        why = " ".join(str(error).split())[:200]
        raise InputError(f"cannot list {quoted(url)} ({type(error).__name__}: {why}); check it, and who may read it") from None
    for at, _, names in os.walk(place):
        for name in names:
            if os.path.relpath(os.path.join(at, name), place) not in there:
                os.unlink(os.path.join(at, name))
    save_json(place / LISTED, {"url": base})
    return place


def _found(system, root):
    """Yield (name, what is known of it) of each file below a folder, folder by folder."""
    for at, _, files in system.walk(root, detail=True):
        for info in files.values():
            yield os.path.relpath(info["name"], root) if at else info["name"], info


def _named(system, url, place):
    """Yield (name, what is known of it) of a table at an HTTP URL and of the songs that it names."""
    info, name = system.info(url), unquote(re.sub(r"[?#].*", "", url.rpartition("/")[2]))
    if os.path.splitext(name)[1].lower() not in SAID:
        raise InputError(f"{quoted(url)} is no list of songs; give the URL of a .csv, .jsonl or .txt file that names them")
    yield name, info
    base = url.rpartition("/")[0] + "/"
    for song in dict.fromkeys(_songs_in(place / name)):
        song = unquote(song.removeprefix(base))
        if _is_plain(song):
            try:
                yield song, system.info(base + quote(song))
            except FileNotFoundError:  # it is rejected when it is to be built
                yield song, {}


def _songs_in(path):
    """Yield the names of sound files in a table or a text of one a line."""
    if path.suffix.lower() == ".txt":
        rows = [[line] for line in path.read_text(encoding="utf-8", errors="replace").splitlines()]
    else:
        try:
            _, rows = read_table(path, lambda name: (0, name) if _is_song(name) else None, [])
        except Unread as error:
            raise InputError(f"the list of songs {path.name} is not read: {error}") from None
    for row in rows:
        yield from [cell.strip() for cell in row if isinstance(cell, str) and _is_song(cell.strip())][:1]


def _is_song(name):
    return os.path.splitext(name)[1].lower() in SUFFIXES


def _is_plain(name):
    """Tell whether a name is one of a file below its folder that is not hidden."""
    return not any(part in ("", "..") or part[0] == "." or "\0" in part for part in name.split("/")) and "://" not in name


def _stand_in(system, place, name, info):
    """Make a file of a song's size, or fetch what is said of songs, unless it is there of the same version."""
    target, size = place / name, int(info.get("size") or 0)
    is_said = os.path.splitext(name)[1].lower() in SAID and size <= MAX_BYTES
    time_ns = _time_ns(name, info)
    if not (is_said or _is_song(name)) or file_state(target) == f"{size} {time_ns}":
        return
    make_folder(target.parent)
    with written_whole(target) as temporary:
        if is_said:
            system.get_file(info["name"], str(temporary))
        else:
            os.truncate(temporary, size)
        os.utime(temporary, ns=(time_ns, time_ns))


def _time_ns(name, info):
    """Return a time that stands for the version of a remote file: it changes when the file does."""
    known = [
        str(info[key]) for key in ("ETag", "etag", "LastModified", "last_modified", "mtime", "modified", "created") if info.get(key)
    ]
    digest = hashlib.sha256(f"{name} {known}".encode(errors="surrogateescape")).hexdigest()
    return 10**18 + int(digest[:14], 16)


def url_of(songs: Path | str) -> str:
    """Return the URL of a folder of stand-ins, or of songs that are at one; "" for any other folder."""
    return str(songs) if is_url(songs) else read_object(Path(songs) / LISTED).get("url", "")


@contextmanager
def song_file(songs: Path | str, path: str) -> Iterator[Path]:
    """Give the path of a song's file in a folder; of songs at a URL it is fetched, and deleted afterwards.

    Raises OSError where it cannot be fetched.
    """
    url = url_of(songs)
    if not url:
        yield Path(songs) / path
        return
    is_http = re.match(r"https?://", url)
    with tempfile.TemporaryDirectory(prefix="musicbench-") as folder:
        target = Path(folder) / f"song{Path(path).suffix}"
        system, root = _opened(url)
        system.get_file(f"{root}/{quote(path) if is_http else path}", str(target))
        yield target


# ---------------------------------------------------------------------------------------------------- datasets


class Sent:
    """A dataset at a URL, and the folder here in which it is built.

    work: that folder; None: one in the user's cache. What is at the URL is fetched into it where it is empty.
    """

    def __init__(self, url: str, work: Path | str | None = None) -> None:
        if url.partition("://")[0] not in WHOLE:
            raise InputError(f"{quoted(url)} is no place to write to; give one of {', '.join(sorted(WHOLE))}, or a folder")
        self.url, self._next_s = url.rstrip("/"), time.monotonic() + SEND_EVERY_S
        self._system, self._root = _opened(url)
        digest = hashlib.sha256(self.url.encode()).hexdigest()[:12]
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "musicbench" / digest
        self.work = Path(work or cache)
        make_folder(self.work)
        self._is_fetched = not (self.work / "build.json").is_file() and self._fetch()

    def _fetch(self):
        if not self._asked(self._system.exists, f"{self._root}/build.json"):
            if self._asked(self._system.exists, self._root) and self._asked(self._system.ls, self._root):
                raise InputError(f"{quoted(self.url)} is not empty and no build of ours; give another place")
            return False
        partial = self.work / ".fetched"
        shutil.rmtree(partial, ignore_errors=True)
        self._asked(self._system.get, f"{self._root}/", f"{partial}/", recursive=True)
        for path in sorted(partial.iterdir(), key=lambda path: path.name == "build.json"):  # which says that all is there
            shutil.rmtree(self.work / path.name, ignore_errors=True)
            path.rename(self.work / path.name)
        partial.rmdir()
        return True

    def _asked(self, call: Any, *arguments: Any, **named: Any) -> Any:
        try:
            return call(*arguments, **named)
        except Exception as error:  # each store has its own
            why = " ".join(str(error).split())[:200]
            raise InputError(f"{quoted(self.url)}: {type(error).__name__}: {why}; check it, and who may write there") from None

    def send_now_and_then(self, index: Index) -> None:
        """Send what is done, unless that was not long ago."""
        if time.monotonic() > self._next_s:
            self.send(index)
            self._next_s = time.monotonic() + SEND_EVERY_S

    def send(self, index: Index) -> None:
        """Send each file that is new or changed, and delete there what is gone here; marks come after what they mark."""
        there = set()
        for name in _names_in_order(self.work):
            state = file_state(self.work / name)
            there.add(name)
            if state and index.sent(name) != state:
                if not self._is_fetched:
                    self._asked(self._system.put_file, path_text(self.work / name), f"{self._root}/{name}")
                index.keep_sent(name, state)
        self._is_fetched = False
        for name in [name for name in index.all_sent() if name not in there]:
            if self._asked(self._system.exists, f"{self._root}/{name}"):
                self._asked(self._system.rm_file, f"{self._root}/{name}")
            index.keep_sent(name, "")


def _names_in_order(folder):
    rank = {name: number for number, name in enumerate(ORDER)}
    for top in sorted(os.listdir(folder), key=lambda name: (rank.get(name, len(rank)), name)):
        if top[0] != "." and not top.startswith(INDEX):
            if os.path.isdir(os.path.join(folder, top)):
                for at, _, names in os.walk(os.path.join(folder, top)):
                    yield from (os.path.relpath(os.path.join(at, name), folder) for name in names if name[0] != ".")
            else:
                yield top
