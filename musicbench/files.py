"""Files and folders: written whole or not at all, one writer at a time; JSON and JSON Lines; paths as text."""

import json
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from musicbench import InputError


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


def save_json(path: Path | str, data: object) -> None:
    """Write JSON, two spaces of indent."""
    with written_whole(path) as temporary:
        temporary.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


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
    """Raise InputError unless files can be made in a folder; by making one, as rights do not tell everything, and for no more than a moment."""
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
    """Make a folder if need be and keep others who ask so out of it, where the system and its file system have locks.

    Raises InputError when somebody is writing there, or the folder cannot be made.
    """
    make_folder(folder)
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    opened = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # a network's folder may have no locks
            try:
                fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise InputError(f"another run is writing {folder}; wait for it or give another folder") from None
        yield
    finally:
        os.close(opened)


def path_text(path: Path | str) -> str:
    """Return a path as valid text, whatever bytes are in it."""
    try:
        return os.fsencode(path).decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # half a letter that no file system gave
        return str(path).encode("utf-8", "backslashreplace").decode()


def printable(path: Path | str) -> str:
    """Return a path as valid text on one line."""
    return path_text(path).replace("\n", "\\n").replace("\r", "\\r")
