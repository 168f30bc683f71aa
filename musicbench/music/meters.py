"""Meters: a bar's counted beats, each a note value."""

import re
from dataclasses import dataclass

from musicbench import InputError, quoted


@dataclass(frozen=True)
class Meter:
    """A time signature; `beats` are counted in a bar, each a 1/`unit` note."""

    beats: int = 4
    unit: int = 4

    @classmethod
    def parse(cls, text):
        """Read `3/4`; a bar of more than 7 beats as in `read_meter`. Raises InputError."""
        return read_meter(text)[0]

    def __str__(self):
        return f"{self.beats}/{self.unit}"


MAX_BEATS = 7  # in a bar


def meter_counted_to(highest: int) -> Meter | None:
    """Return the meter of bars whose beats are counted up to `highest`: six are eighths, others quarters; None beyond 2-7."""
    return Meter(highest, 8 if highest == 6 else 4) if 2 <= highest <= MAX_BEATS else None


def read_meter(text):
    """Return (meter, note or None) of `beats/unit`. A bar of more than 7 beats is counted in longer ones, and the note says so:

    12/8 in four dotted beats, 10/8 in five quarters. Raises InputError for no meter, and for one that cannot be counted so (11/8).
    """
    match = re.fullmatch(r"\s*(\d{1,3})\s*/\s*(\d{1,3})\s*", str(text))
    if not match or int(match[1]) < 2 or int(match[2]) not in (2, 4, 8, 16):
        raise InputError(f"unknown meter {quoted(text)}; write beats/unit with 2 to {MAX_BEATS} beats, such as 4/4, 3/4 or 6/8")
    beats, unit = int(match[1]), int(match[2])
    if beats <= MAX_BEATS:
        return Meter(beats, unit), None
    for together, name in ((3, "dotted beats"), (2, "beats")):
        if beats % together == 0 and beats // together <= MAX_BEATS and (together == 2 or unit >= 8):
            counted = Meter(beats // together, 4)
            return counted, f"{beats}/{unit} is played as {counted.beats} {name} a bar, written {counted}"
    raise InputError(
        f"the meter {beats}/{unit} has {beats} beats a bar, above {MAX_BEATS}, and cannot be counted in twos or "
        "threes; "
        "give 4/4, 3/4, 6/8, 7/8, 9/8 or 12/8"
    )
