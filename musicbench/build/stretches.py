"""Times as people write them, and what they say of stretches of time: objects with a start and an end, pairs, triples."""

import ast
import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

STARTS = (
    "start",
    "start_s",
    "start_time",
    "start_sec",
    "starttime",
    "begin",
    "from",
    "time",
    "time_s",
    "onset",
    "timestamp",
    "t",
    "at",
)
ENDS = ("end", "end_s", "end_time", "end_sec", "endtime", "stop", "to", "offset", "until")
LENGTHS = ("duration", "duration_s", "length")
BOTH = ("segment", "interval", "timestamps", "timestamp", "time", "times", "span")
CLOCK = r"(?:(?:\d{1,2}:)?\d{1,3}:[0-5]\d(?:[.,]\d+)?)"
_CLOCK = re.compile(CLOCK)
_SECONDS = re.compile(r"(-?(?:\d+(?:[.,]\d*)?|\.\d+)(?:e[+-]?\d{1,2})?) ?(?:s|sec|secs|seconds?)?", re.IGNORECASE)
CAPTIONS = ("caption", "captions", "text", "sentences", "description", "desc", "prompt", "sentence", "label", "name", "title")
_OF_LINE = re.compile(rf"\s*(?P<start>{CLOCK})(?:\s*(?:[-–—]|to)\s*(?P<end>{CLOCK}))?(?:\s*[-–—:.)|]+)?\s+(?P<said>\S.*)")
_LONGEST = 1 << 22  # characters of a cell that is read as a list


class Stretch(NamedTuple):
    """What is said of a stretch of a song in seconds; end_s: None where it lasts until the next."""

    start_s: float
    end_s: float | None
    said: Any


def seconds(value: object) -> float | None:
    """Return a time in seconds from a number, "12.5 s", "1:20" or "0:01:20.5"; None where it is no time."""
    if isinstance(value, str):
        text = value.strip()
        if _CLOCK.fullmatch(text):
            parts = [float(part.replace(",", ".")) for part in text.split(":")]
            return sum(part * 60**i for i, part in enumerate(reversed(parts)))
        match = _SECONDS.fullmatch(text)
        return float(match[1].replace(",", ".")) if match else None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if math.isfinite(value) else None


def listed(cell: object) -> list | None:
    """Return the list in a cell, also where it is written as text: JSON, Python, numpy's, or parted by commas or blanks.

    None where it is none.
    """
    if isinstance(cell, (list, tuple)):
        return list(cell)
    if not isinstance(cell, str) or len(cell) > _LONGEST:
        return [cell] if isinstance(cell, (int, float)) and not isinstance(cell, bool) else None
    text = cell.strip()
    for read in (json.loads, ast.literal_eval):
        try:
            value = read(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if isinstance(value, (list, tuple)):
            return list(value)
    plain = text[1:-1] if re.fullmatch(r"\[[^\[\]]*\]", text, re.DOTALL) else text
    return [part.strip("'\"") for part in re.split(r"[;|\s]+|,(?![^()]*\))", plain) if part.strip("'\" ")]


def stretches(entries: Iterable, names: tuple[str, ...]) -> list[Stretch] | None:
    """Return what a list says of stretches of time, or None where one of its entries names no time.

    Entries are objects (`names`: the fields that may hold what is said), [start, end, said] or [time, said].
    """
    found = [_stretch(entry, names) for entry in entries]
    return None if not found or None in found else [each for each in found if each]


def _stretch(entry, names):
    if isinstance(entry, Mapping):
        return _of_object({str(name).lower(): value for name, value in entry.items()}, names)
    if not isinstance(entry, (list, tuple)) or not 2 <= len(entry) <= 3:
        return None
    times = [time for time in map(seconds, entry[:-1]) if time is not None]
    return None if len(times) < len(entry) - 1 else Stretch(times[0], times[1] if len(times) > 1 else None, entry[-1])


def _of_object(entry, names):
    said = next((entry[name] for name in names if entry.get(name) is not None), None)
    both = next((entry[name] for name in BOTH if isinstance(entry.get(name), (list, tuple))), None)
    if both is not None:
        start_s, end_s = map(seconds, both) if len(both) == 2 else (None, None)
    else:
        start_s, end_s = (next((seconds(entry[name]) for name in some if name in entry), None) for some in (STARTS, ENDS))
        lasts_s = next((seconds(entry[name]) for name in LENGTHS if name in entry), None)
        end_s = start_s + lasts_s if end_s is None and start_s is not None and lasts_s else end_s
    return None if start_s is None or said is None else Stretch(start_s, end_s, said)


def timed_text(value: object) -> str:
    """Return captions with times as one text, "[30-45] Drums enter. [45-60] Chorus."; "" for what holds none.

    They come as a list of `stretches`, as such a list in JSON, or as lines that begin with a clock's time.
    """
    if isinstance(value, str) and re.match(r"\s*\[\s*[\[{]", value):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return ""
    if isinstance(value, str):
        lines = [line for line in value.splitlines() if line.strip()]
        found = [_OF_LINE.fullmatch(line) for line in lines]
        if len(lines) < 2 or sum(map(bool, found)) < 2:
            return ""
        return " ".join(
            _mark(seconds(match["start"]), seconds(match["end"])) + _ended(match["said"]) if match else _ended(line)
            for line, match in zip(lines, found, strict=True)
        )
    timed = stretches(columns, CAPTIONS) if isinstance(columns := columns_of(value), list) else None
    if not timed or not all(isinstance(each.said, str) and each.said.strip() for each in timed):
        return ""
    return " ".join(_mark(each.start_s, each.end_s) + _ended(each.said) for each in sorted(timed, key=lambda each: each.start_s))


def _mark(start_s, end_s):
    return f"[{start_s:g}-{end_s:g}] " if end_s is not None else f"[{start_s:g} s] "


def _ended(said):
    said = " ".join(said.split()).rstrip(" ,;:-–—")
    return said if said[-1:] in tuple(".!?") else said + "."


def columns_of(value: object) -> object:
    """Return a list of objects for an object of lists, as JAMS writes dense data; all else as it is."""
    if isinstance(value, Mapping) and value and all(isinstance(column, list) for column in value.values()):
        return [dict(zip(value, cells, strict=False)) for cells in zip(*value.values(), strict=False)]
    return value
