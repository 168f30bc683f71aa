"""JSON Lines files that people write: read line by line, each error with its place."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from musicbench import InputError
from musicbench.files import bytes_of

MOST_BYTES = 1 << 28
FEW = 4  # so many wrong lines are each told


def read_lines(path: Path | str, remedy: str = "give a JSON Lines file") -> Iterator[tuple[int, str, str]]:
    """Yield (line number, where, text) of a JSON Lines file, or of a file that is one object. Raises InputError."""
    try:
        text = bytes_of(path, MOST_BYTES, remedy).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{path} is not UTF-8 text; save it as UTF-8 (a take's sidecar is its .json)") from None
    if not text.strip():
        raise InputError(f"{path} holds no line; write one JSON object a line")
    lines = [(1, text)] if isinstance(_parsed(text), dict) else [*enumerate(text.split("\n"), 1)]
    if len(lines) >= FEW and not any(isinstance(_parsed(line), dict) for _, line in lines):
        raise InputError(f"{path} holds no JSON object in its {len(lines)} lines; {remedy} with one object a line")
    yield from ((number, f"{path} line {number}", line) for number, line in lines if line.strip())


def read_object(where: str, line: str) -> dict:
    """Return the JSON object of a line. Raises InputError, which names `where`."""
    value = _parsed(line)
    if not isinstance(value, dict):
        wrong = "is not JSON" if value is None else "is not a JSON object"
        raise InputError(f'{where} {wrong}; write one object a line, such as {{"prompt": "calm piano"}}')
    return value


def read_objects(path: Path | str, remedy: str = "give a JSON Lines file") -> Iterator[tuple[int, str, dict]]:
    """Yield (line number, where, object) of a JSON Lines file, or of a file that is one object. Raises InputError."""
    for number, where, line in read_lines(path, remedy):
        yield number, where, read_object(where, line)


def _parsed(text):
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def check_id(name: Any, seen: set, where: str) -> None:
    """Add `name` to the set `seen`. Raises InputError unless it is a new one and files can be named after it."""
    try:
        odd = not name.isprintable() or len(name.encode()) > 200
    except UnicodeEncodeError:
        odd = True
    shown = name if len(name) < 40 else f"{name[:40]}..."
    if odd or not name or Path(name).name != name or name in (".", ".."):
        raise InputError(f"{where}: id {shown!r} is no plain file name of up to 200 bytes; give one without slashes")
    if name in seen:
        raise InputError(f"{where}: id {shown!r} is taken by a line before; give each line its own")
    seen.add(name)
