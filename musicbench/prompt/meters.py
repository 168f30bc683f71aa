"""Rules over a prompt's tokens: what it states of the meter."""

import re

from musicbench import InputError, quoted
from musicbench.music.meters import Meter, read_meter
from musicbench.music.stylewords import GENRE_WORDS
from musicbench.prompt.reading import OF_MUSIC, left_out

_COUNT_WORDS = {
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "nine": 9,
    "eleven": 11,
    "twelve": 12,
    "fifteen": 15,
}
_IN_METERS = {2: 4, 3: 4, 5: 4, 6: 8, 7: 8, 9: 8, 11: 8, 12: 8}  # "in 7"
_UNIT_WORDS = {"four": 4, "quarter": 4, "eight": 8, "eighth": 8, "eighths": 8, "sixteen": 16, "two": 2}
_BEATS_A_BAR = re.compile(
    r"\b([2-7]) beats (?:in|to|per|a) (?:a |the |each )?bar|\bbar has ([2-7]) beats|\bdownbeat comes every ([2-7])\b"
    r"|\bbeat (?:is|counts to) ([2-7])\b",
    re.IGNORECASE,
)
_KINDS_OF_METER = re.compile(r"\b(?:(compound|simple) )?(duple|triple|quadruple) (?:met(?:er|re)|time)\b", re.I)
_METERS_BY_KIND = {
    ("simple", "duple"): "2/4", ("simple", "triple"): "3/4", ("simple", "quadruple"): "4/4",
    ("compound", "duple"): "6/8", ("compound", "triple"): "9/8", ("compound", "quadruple"): "12/8",
}  # fmt: skip
_UNSAID_METER = re.compile(
    r"\b(?:odd|irregular|asymmetric(?:al)?|uneven|unusual|complex) (?:met(?:er|re)s?|time(?: signatures?)?)\b",
    re.I,
)


def read_meter_stated(reading):
    """Return the meter that the text states, or None; notes on others and on what cannot be counted as it is written."""
    meter = None
    for first, end, text in _meters(reading):
        reading.use(first, end)
        if reading.is_denied(first):
            continue
        try:
            found, note = read_meter(text)
        except InputError as error:
            reading.note("meter", f"{error}; the prompt's meter is not taken")
            continue
        if meter is None:
            meter = found
            reading.is_compound = bool(note) and "dotted" in note
            if note:
                reading.note("meter", note)
        elif found != meter:
            reading.note("meter", left_out(reading.words(first, end), str(meter)))
    if meter is None and (match := _KINDS_OF_METER.search(reading.text)):
        meter, note = read_meter(_METERS_BY_KIND[(match[1] or "simple").lower(), match[2].lower()])
        reading.is_compound = bool(note)
        if note:
            reading.note("meter", note)
    if meter is None and (match := _UNSAID_METER.search(reading.text)):
        reading.note("meter", f"{quoted(match[0])} in the prompt names no meter; write one, such as 7/8")
    if meter is None and (match := _BEATS_A_BAR.search(reading.text)):
        beats = int(next(g for g in match.groups() if g))
        return Meter(beats, 8 if beats == 6 else 4)
    return meter


def _meters(reading):
    """Yield (first, end, "beats/unit") of each meter in figures or words."""
    for i in range(len(reading.tokens)):
        if i in reading.used:
            continue
        if reading.kind(i) == "FRACTION":
            beats, unit = reading.value(i)
            if beats > 1 and unit in (2, 4, 8, 16) and reading.word(i + 1) not in ("of", "note", "notes", "inch"):
                yield i, i + 1, f"{beats}/{unit}"
        elif (
            reading.word(i) in ("common", "cut")
            and reading.word(i + 1 + (reading.value(i + 1) == "joined")) == "time"
            and (reading.word(i - 1) in ("in", "a", "") or reading.ends(i - 1))
        ):
            yield i, i + 2 + (reading.value(i + 1) == "joined"), "4/4" if reading.word(i) == "common" else "2/2"
        elif (
            reading.kind(i) == reading.kind(i + 2) == "NUMBER"
            and reading.kind(i + 1) == "HOLD"
            and reading.value(i + 2) in (2, 4, 8, 16)
        ):
            yield i, i + 3, f"{reading.value(i):g}/{reading.value(i + 2):g}"
        elif (
            reading.kind(i) == "RANGE"
            and reading.value(i)[1] in (2, 4, 8, 16)
            and reading.word(i + 1) in ("time", "meter", "metre")
        ):
            yield i, i + 2, "{:g}/{:g}".format(*reading.value(i))
        elif (
            reading.value(i) in _IN_METERS
            and reading.kind(i) == "NUMBER"
            and reading.word(i - 1) == "in"
            and (reading.ends(i + 1) or reading.word(i + 1) == "time")
        ):
            yield i, i + 1, f"{reading.value(i):g}/{_IN_METERS[reading.value(i)]}"
        elif (
            reading.kind(i) == reading.kind(i + 1) == "NUMBER"
            and reading.word(i + 2) in ("time", "meter")
            and reading.value(i + 1) in (2, 4, 8)
        ):
            yield i, i + 3, f"{reading.value(i):g}/{reading.value(i + 1):g}"
        elif _is_spaced_meter(reading, i):
            yield i, i + 2, f"{reading.value(i):g}/{reading.value(i + 1):g}"
        elif reading.word(i) == "alla" and reading.word(i + 1) == "breve":
            yield i, i + 2, "2/2"
        else:
            found = _spoken_meter(reading, i)
            if found:
                yield found


_SPACED_METERS = {(2, 4), (3, 4), (4, 4), (5, 4), (6, 4), (7, 4), (3, 8), (5, 8), (6, 8), (7, 8), (9, 8), (11, 8), (12, 8)}


def _is_spaced_meter(reading, i):
    """Return whether two numbers are a meter without its stroke: "6 8 ballad", "waltz 3 4"; not those of a row of numbers."""
    if (
        reading.kind(i) != "NUMBER"
        or reading.kind(i + 1) != "NUMBER"
        or (reading.value(i), reading.value(i + 1)) not in _SPACED_METERS
    ):
        return False
    is_row = "NUMBER" in (reading.kind(i - 1), reading.kind(i + 2)) or "QUANTITY" in (reading.kind(i - 1), reading.kind(i + 2))
    behind = (
        reading.ends(i + 2)
        or reading.kind(i + 2) in ("CHORD", "TEMPO")
        or reading.word(i + 2) in OF_MUSIC | GENRE_WORDS | {"feel", "in"}
    )
    return behind and not is_row and reading.word(i - 1) not in ("top", "take", "track", "op", "no", "part", "number", "chapter")


def _spoken_meter(reading, i):
    """Read "three-four time", "twelve-eight", "in six eight", "in five"."""
    if reading.word(i) not in _COUNT_WORDS or reading.value(i - 1) == "joined":
        return None
    j = i + 2 if reading.value(i + 1) == "joined" else i + 1
    beats, unit = _COUNT_WORDS[reading.word(i)], _UNIT_WORDS.get(reading.word(j))
    end = j + 1
    if reading.value(end) == "joined":
        end += 1
    is_time = reading.word(end) in ("time", "meter", "metre", "feel", "groove", "signature")
    hyphened = reading.value(i + 1) == "joined" and reading.value(j + 1) != "joined"
    if (
        unit == 8 and beats in (6, 7, 9, 12) and reading.value(i + 1) != "joined" and reading.value(j + 1) != "joined"
    ):  # "six eight"
        return i, end + is_time, f"{beats}/8"
    if unit and (
        is_time
        and not (reading.value(j + 1) == "joined" and hyphened)
        or hyphened
        and beats > 4
        or reading.word(i - 1) == "in"
        and reading.ends(j + 1)
    ):
        if reading.value(i - 1) == "joined" or (reading.value(j + 1) == "joined" and reading.value(i + 1) != "joined"):
            return None  # "two four-time winners"
        return i, end + is_time, f"{beats}/{unit}"
    if (
        reading.word(i - 1) == "in"
        and beats in (3, 5, 7)
        and (reading.ends(i + 1) or reading.word(i + 1) == "time")
        and reading.value(i + 1) != "joined"
    ):
        return i, i + 1, f"{beats}/{_IN_METERS[beats]}"
    return None
