"""What is known of a song besides captions and labels: artist, title, album, licence, url and any other column, passed on to
its rows."""

import datetime
import math
from collections.abc import Iterable, Mapping
from typing import Any

from musicbench.build.columns import plain_name
from musicbench.build.texts import INVISIBLE

TAGS = ("title", "artist", "album", "license", "copyright")  # of a sound file
NOTHING = {"", "nan", "none", "null", "n/a", "<na>"}  # as tables write it
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
