"""Numbers and lengths that are asked for, read and bounded."""

import math
import re

from musicbench import InputError


def read_number(name, value, kind=float, low=-math.inf, high=math.inf):
    """Return a number or its text as `kind`, None as None. Raises InputError when it is none or outside `low`-`high`."""
    if value is None:
        return None
    wanted = "a whole number" if kind is int else "a number"
    try:
        number = kind(value)
    except (TypeError, ValueError, OverflowError):
        number = None
    if number is None or isinstance(value, bool) or number != number or (isinstance(value, float) and number != value):
        raise InputError(f"{name} {repr(value)[:40]} is not {wanted}; give {wanted}")
    if not low <= number <= high:
        raise InputError(f"{name} {str(value)[:40]} is outside {low}-{high}; give {wanted} within it")
    return number


def read_interval(value):
    """Return (first, last), shares of 0 to 1, of text such as ".2:.8"; (0, 1) for None. Raises InputError."""
    if value is None or value == "":
        return 0.0, 1.0
    parts = value.split(":") if isinstance(value, str) else ()
    try:
        first, last = map(float, parts)
        fits = 0 <= first < last <= 1
    except ValueError:
        fits = False
    if not fits:
        raise InputError(
            f"guidance interval {repr(value)[:40]} is not two shares of 0 to 1; give the first and the last, as 0.2:0.8"
        )
    return first, last


CHART = "chart"
_NUMBER = r"(?:\d+(?:[.,]\d{1,2}(?!\d)|\.\d*)?|\.\d+)"  # with a decimal point or comma
_MINUTES_WORD, _SECONDS_WORD = r"[ -]?(?:m|mins?|minutes?)\.?", r"[ -]?(?:s|secs?|seconds?)\.?"
_CLOCK = re.compile(r"(\d+):([0-5]\d(?:\.\d+)?)(?: ?(?:m|mins?|minutes?))?")  # "1:30"
_MINUTES = re.compile(
    rf"({_NUMBER}){_MINUTES_WORD}(?:(?: and|,)? ?(\d+(?:\.\d+)?)(?:{_SECONDS_WORD})?)?"
)  # "2 minutes", "1 min 30 s"
_SECONDS = re.compile(rf"([-+]?{_NUMBER})(?:{_SECONDS_WORD})?")  # "90 s", "2,5"
_BARS = re.compile(rf"([-+]?{_NUMBER})[ -]?(?:bars?|measures?)")


def read_duration(value):
    """Return seconds as float; bars as text, "8 bars" or CHART, those of the chord line once; None for None or no text.

    Seconds may be written "90", "90 s", "1:30", "1.5 minutes", "1 min 30 s" or "2,5". Raises InputError for anything else.
    """
    number = value
    if isinstance(value, str):
        text = " ".join(value.lower().split())
        if not text:
            return None
        if text == CHART:
            return CHART
        if bars := _BARS.fullmatch(text):
            return _read_bars(bars[1])
        number = _seconds_written(text)
    try:
        return read_number("duration", number)
    except InputError as error:
        raise InputError(f"{error} of seconds, minutes ('1:30'), whole bars ('8 bars'), or 'chart' (the chords once)") from None


def _read_bars(text):
    """Return "8 bars". Raises InputError for a number of bars that is not whole or below one."""
    bars = float(text.replace(",", "."))
    if not bars.is_integer():
        raise InputError(f"a duration of {text} bars is not whole; give a whole number of bars, or seconds ('10 s')")
    if bars < 1:
        raise InputError(f"a duration of {text[:40]} bars is below 1; give a whole number of bars from 1, or seconds ('10 s')")
    if bars >= 10**6:
        raise InputError(f"a duration of {text[:40]} bars is longer than any model's clip; give fewer bars, or seconds ('10 s')")
    return f"{int(bars)} bars"


def _seconds_written(text):
    """Return a text's seconds as float or as the text of a number; the text itself where it has none."""
    if clock := _CLOCK.fullmatch(text):
        return 60 * float(clock[1]) + float(clock[2])
    if minutes := _MINUTES.fullmatch(text):
        return 60 * float(minutes[1].replace(",", ".")) + float(minutes[2] or 0)
    seconds = _SECONDS.fullmatch(text)
    return seconds[1].replace(",", ".") if seconds else text


def check_length(named, duration_s, longest_s):
    """Raise InputError, which begins with `named`, unless a model whose longest clip is `longest_s` makes clips of `duration_s`."""
    if not 1 <= duration_s <= longest_s:
        raise InputError(f"{named} is outside 1-{longest_s:g} s, what this model makes; give seconds or bars within it")
