"""Captions as plain text, whatever a table or a file holds for one; how many there are, and some of them, in words."""

import html
import re

from musicbench.build.charsets import twice_decoded
from musicbench.build.stretches import timed_text
from musicbench.files import printable

NO_CAPTION = {  # values as `_bare` spells them
    "", "nan", "none", "n a", "na", "null", "nil", "undefined", "unknown", "missing", "empty", "tbd", "tba", "tbc",
    "todo", "fixme", "no caption", "no captions", "no description", "no text", "no prompt", "not available",
    "not applicable", "true", "false", "value", "ref", "name", "div 0",
}  # fmt: skip
INVISIBLE = re.compile(
    r"\x1b\[[0-9;]*[A-Za-z]|[\0-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
)
QUOTES = {'"': '"', "'": "'", "\u201c": "\u201d", "\u2018": "\u2019", "\u00ab": "\u00bb", "\u201e": "\u201c", "`": "`"}
MAX_CAPTION = 2000  # characters; what is longer is cut at the end of a sentence or a word
TAG = re.compile(r"</?(?:a|b|i|u|p|br|em|strong|span|div)(?:\s[^<>]*)?/?>", re.IGNORECASE)
FORMULA = re.compile(r"=[^=\s]|[@+-][A-Z.]+\(")  # as spreadsheets write it


def is_caption(text):
    """Tell whether a value says something in words; "nan", "None", "N/A", "TBD" and the like do not."""
    return isinstance(text, str) and bool(re.search(r"[^\W\d_]", text)) and _bare(text) not in NO_CAPTION


def is_missing(value):
    """Tell whether a cell holds nothing: empty, NaN, "None", "N/A", "-" and the like."""
    if isinstance(value, str):
        return _bare(value) in NO_CAPTION
    return value is None or value != value or (isinstance(value, (list, tuple, dict)) and not value)


def _bare(text):
    return re.sub(r"[\W_]+", " ", INVISIBLE.sub("", text[:100])).strip().casefold()


def caption_text(value):
    """Return a value's caption in one line, without control characters, HTML and outer quotes, of a list its first.

    "" where it has none.
    """
    value = timed_text(value) or (value[0] if isinstance(value, list) and value else value)
    if not is_caption(value):
        return ""
    plain = html.unescape(TAG.sub("", twice_decoded(value)))
    text = " ".join(INVISIBLE.sub("", plain).encode("utf-8", "replace").decode().split())
    if FORMULA.match(text):
        return ""
    quotes = text[0], QUOTES.get(text[0])
    if text[-1] == quotes[1] and not any(quote in text[1:-1] for quote in quotes):
        text = text[1:-1].strip()
    return text


def shortened(caption, most=MAX_CAPTION):
    """Return a caption of up to `most` characters, cut at the end of a sentence or a word."""
    if len(caption) <= most:
        return caption
    cut = caption[: most + 1]
    sentence = max(cut.rfind(mark) for mark in (". ", "! ", "? ", "。"))
    return cut[: sentence + 1] if sentence > most / 2 else cut[:most].rsplit(" ", 1)[0]


def some(names):
    """Return up to three of some names in one line."""
    shown = ", ".join(printable(name) for name in names[:3])
    return f"{shown} ..." if len(names) > 3 else shown


def counted(number, what):
    """Return a number of things in words: "1 song", "2 songs"."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
