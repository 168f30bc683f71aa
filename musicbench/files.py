"""Files and folders: written whole or not at all, one writer at a time; JSON and JSON Lines; paths as text."""

import json
import os
import re
import secrets
import stat
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from musicbench import InputError

LOCK = ".lock"  # of a folder that is being written
TORN = re.compile(r"\..*-[0-9a-f]{16}\..*", re.DOTALL)  # the name of a temporary file of `written_whole`


@contextmanager
def written_whole(path: Path | str) -> Iterator[Path]:
    """Give a temporary path beside `path` that becomes `path` only if the block ends well; else it is removed.

    Raises InputError when the folder does not exist or cannot be written.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.stem[:40]}-{secrets.token_hex(8)}{path.suffix}")
    try:
        temporary.touch(exist_ok=False)
    except OSError as error:
        raise InputError(f"cannot write {path} ({error.strerror}); choose a folder that exists and can be written") from None
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        raise InputError(f"cannot write {path} ({error.strerror or error}); choose another place") from None
    finally:
        temporary.unlink(missing_ok=True)


def sweep_torn(folder: Path | str, older_s: float = 0.0) -> None:
    """Delete what writers that were killed left in a folder in which nobody writes now, or for so long."""
    for name in os.listdir(folder) if os.path.isdir(folder) else ():
        if name[0] == "." and TORN.fullmatch(name):
            left = Path(folder, name)
            with suppress(FileNotFoundError):  # another run sweeps as well
                if not older_s or time.time() - left.stat().st_mtime > older_s:
                    left.unlink()


def save_bytes(path: Path | str, data: bytes) -> None:
    """Write bytes, whole or not at all."""
    with written_whole(path) as temporary:
        temporary.write_bytes(data)


def save_json(path: Path | str, data: object) -> None:
    """Write JSON, two spaces of indent."""
    with written_whole(path) as temporary:
        temporary.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def save_json_lines(path: Path | str, rows: Iterable[dict]) -> None:
    """Write rows as JSON Lines, whole or not at all."""
    with written_whole(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.writelines(map(json_line, rows))


def json_line(row: dict | list) -> str:
    """Return a row as a line of JSON Lines."""
    return json.dumps(row, ensure_ascii=False) + "\n"


def bytes_of(path: Path | str, most: int, remedy: str) -> bytes:
    """Return the bytes of a file. Raises InputError, which ends with the remedy, for a pipe or a device, which may never end, for a file
    of more than `most` bytes and for one that cannot be read."""
    try:
        mode = os.stat(path).st_mode
        is_endless = not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)
        data = b"" if is_endless else _first_bytes(path, most + 1)
    except (OSError, ValueError) as error:  # a null in the name
        raise InputError(f"cannot read {printable(path)} ({getattr(error, 'strerror', None) or error}); {remedy}") from None
    if is_endless:
        raise InputError(f"{printable(path)} is no file but a pipe or a device; {remedy}")
    if len(data) > most:
        raise InputError(f"{printable(path)} holds more than {most >> 10} KiB; {remedy}")
    return data


def _first_bytes(path, count):
    with open(path, "rb") as file:
        return file.read(count)


def check_folder(path: Path | str) -> None:
    """Raise InputError unless files can be written into the folder `path`, which may yet have to be made."""
    path = Path(path)
    place = path if path.exists() else path.absolute().parent
    if path.exists() and not path.is_dir():
        raise InputError(f"{path} is a file; give a folder")
    if not place.is_dir():
        raise InputError(f"the folder {place} does not exist; make it first or choose another place")
    check_writable(place)


def check_writable(folder: Path | str) -> None:
    """Raise InputError unless files can be made in a folder.

    It is tried with one that is there for no more than a moment, as rights do not tell everything.
    """
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        raise InputError(f"the folder {folder} cannot be written; choose another place") from None


def make_folder(folder: Path | str) -> None:
    """Make a folder and those above it where they are missing. Raises InputError."""
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make the folder {folder} ({error.strerror}); choose another place") from None


@contextmanager
def alone_in(folder: Path | str) -> Iterator[None]:
    """Make a folder if need be and keep others who ask so out of it, where its file system has locks; for it holds `LOCK` meanwhile.

    What a killed process leaves of it is no lock. Raises InputError when somebody is writing there, or the folder cannot be made or
    written.
    """
    make_folder(folder)
    check_writable(folder)
    with _locked(Path(folder, LOCK), folder):
        yield


@contextmanager
def alone_at(target: Path | str) -> Iterator[None]:
    """Keep others who ask so from writing a file or folder that may yet have to be made; the lock lies beside it. See `alone_in`."""
    target = Path(target)
    with _locked(target.with_name(f".{target.name}{LOCK}"), target):
        yield


@contextmanager
def _locked(path, named):
    lock = FileLock(path, blocking=False, fallback_to_soft=False)
    try:
        lock.acquire()
    except Timeout:
        raise InputError(f"another run is writing {named}; wait for it or give another folder") from None
    except PermissionError:
        raise InputError(
            f"cannot lock {named}, as {path.name} there is another user's; wait for that run, or delete the file where there is none"
        ) from None
    except OSError:  # a network's folder may have no locks
        pass
    try:
        yield
    finally:
        with suppress(OSError):
            path.unlink()  # while it is held: who has opened it sees that it is gone and begins anew
        lock.release()


def inside(folder: Path | str, name: Path | str) -> Path:
    """Return the path of a file that a row or the like names in a folder. Raises InputError where it lies outside, by "..", by a
    name from the root, or behind a link."""
    path = Path(folder, name)
    try:
        is_inside = path.resolve().is_relative_to(Path(folder).resolve())
    except (OSError, ValueError, RuntimeError):  # a ring of links, a null in the name
        is_inside = False
    if not is_inside:
        raise InputError(
            f"{printable(name)[:200]} is not inside {printable(folder)}; put the file there, or mend or delete its row"
        )
    return path


def path_text(path: Path | str) -> str:
    """Return a path as valid text, whatever bytes are in it."""
    try:
        return os.fsencode(path).decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # half a letter that no file system gave
        return str(path).encode("utf-8", "backslashreplace").decode()


def printable(path: Path | str) -> str:
    """Return a path as valid text on one line, its control characters spelled out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in path_text(path))
