"""What is known of a song besides captions and labels: artist, title, album, licence, url and any other column, passed on to
its rows."""

import datetime
import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from musicbench.build.columns import plain_name
from musicbench.build.texts import INVISIBLE, NO_CAPTION
from musicbench.files import printable

TAGS = ("title", "artist", "album", "license", "copyright")  # of a sound file
NOTHING = {"", "nan", "none", "null", "n/a", "<na>"}  # as tables write it
NO_VALUE = {"various", "various artists", "va", "v a", "unknown artist", "unknown album", "anonymous", "traditional", "untitled"}
MOST_CHARACTERS = 10_000  # of a value; a row holds it, and so does each of its copies


def plain_value(value: Any) -> Any:
    """Return a cell as JSON holds it, None where it holds nothing."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, (bytes, bytearray, memoryview)):
        return None
    if isinstance(value, str):
        text = INVISIBLE.sub("", value).encode("utf-8", "replace").decode().strip()
        return None if text.lower() in NOTHING else text
    if isinstance(value, Mapping):
        return {str(plain_value(str(name))): plain_value(inner) for name, inner in value.items()} or None
    if isinstance(value, (list, tuple)):
        return [plain_value(inner) for inner in value] or None
    return value.isoformat() if isinstance(value, (datetime.date, datetime.time)) else str(value)


def is_long(value: Any) -> bool:
    """Tell whether a value is too long to be repeated in every row."""
    return len(value if isinstance(value, str) else str(value)) > MOST_CHARACTERS


def joined(*known: Mapping[str, Any], leave_out: Iterable[str] = ()) -> dict[str, Any]:
    """Return all that is known, of two fields of one name the first; `leave_out`: names that are told elsewhere."""
    seen, result = set(leave_out), {}
    for fields in known:
        for name, value in fields.items():
            if plain_name(name) not in seen and value is not None and not is_long(value):
                seen.add(plain_name(name))
                result[name] = value
    return result


def values_of(columns: Mapping[str, str], *names: str) -> dict[str, str]:
    """Return {song: value} of the first of these columns that says something of it; columns: {song: its columns as JSON}."""
    found = {}
    for song, text in columns.items():
        fields = {plain_name(name): cell for name, cell in json.loads(text).items()}
        if value := next(filter(None, (value_of(fields.get(plain_name(name))) for name in names)), ""):
            found[song] = value
    return found


def value_of(cell: object) -> str:
    """Return a value, or several of a list, in one line; "" where it says nothing."""
    if isinstance(cell, list):
        return ", ".join(filter(None, map(value_of, cell)))
    if cell is None or isinstance(cell, (bool, dict)):
        return ""
    text = " ".join(printable(str(cell)).split())
    bare = re.sub(r"[\W_]+", " ", text).strip().casefold()
    return "" if bare in NO_CAPTION | NO_VALUE else text
