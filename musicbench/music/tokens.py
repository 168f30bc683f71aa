"""A token, and what a word or sign of a text is: chord, numeral, number with its unit, meter, bar, repeat, section mark."""

import re
from dataclasses import dataclass
from functools import lru_cache

from musicbench import InputError
from musicbench.music.chords import Chord
from musicbench.music.numerals import is_roman


@dataclass(frozen=True)
class Token:
    """A piece of text. `text` is as written, `value` what it means: a chord's symbol, a number, a pair of them, a word in small letters.

    kind: CHORD, ROMAN, TIMED (seconds and symbol), LIKE (looks like a chord and is none), NUMBER, RANGE, CLOCK (seconds of 1:30),
    FRACTION, QUANTITY (number and unit), TEMPO (lowest and highest bpm), NOTE (a note value in quarters), BAR, OPEN, CLOSE, SAME, HOLD, TIMES, ENDING, JUMP (D.C.), MARK, GAP, LEFT, RIGHT, STOP, LINE, WORD.
    start, end: the place in the text that `normalised` gives.
    """

    kind: str
    text: str
    value: object
    start: int
    end: int


ARROWS = "->|→|=>|>"


_TRAILING = re.compile(r"[.:!?'*_…]+$")
_NUMBER = r"\d+(?:[.,]\d+)?"
_UNITS = {
    "bpm": r"bpms?|bmps?|bpn|bps|bp|b\.?p\.?m",
    "s": r"s|secs?|seconds?", "min": r"mins?|minutes?", "h": r"hours?|hrs?", "bars": r"bars?|measures?", "beats": r"beats?|crotchets?|clicks?", "hz": r"k?hz",
}  # fmt: skip
_UNIT_OF = {name: re.compile(f"(?:{pattern})", re.IGNORECASE) for name, pattern in _UNITS.items()}
_WITH_UNIT = re.compile(rf"[~≈@]?({_NUMBER})(?:(\+)|-?(ish))?(?:-?({'|'.join(_UNITS.values())}))?", re.IGNORECASE)
_RANGE = re.compile(rf"[~≈@]?({_NUMBER})-({_NUMBER})(?:-?({'|'.join(_UNITS.values())}))?", re.IGNORECASE)
_CLOCK = re.compile(r"(\d{1,2}):([0-5]\d)")
_FRACTION = re.compile(r"(\d{1,3})/(\d{1,3})(?:-(?:time|takt|beat|feel|groove|waltz|shuffle|meter|metre|rock))?", re.IGNORECASE)
_TIMES = re.compile(r"[xX×*](\d{1,2})|(\d{1,2})[xX×]")
_TIMED = re.compile(r"(\d+(?:\.\d+)?)s?:(\S+)")
_JUMP = re.compile(r"D\.? ?[CS]\.?|(?i:fine|segno|𝄋|𝄌)")
_SEPARATOR = re.compile(rf"{ARROWS}|[-–—+&~=>*_·•']+")
_ENDING = re.compile(r"([1-4](?:[.,-]{1,2}[1-4])*)\.")
LIKE_A_CHORD = re.compile(
    r"(?![A-H]\d+$)[A-H](?:maj|Maj|MAJ|min|Min|MIN|dim|aug|sus|add|alt|omit|no|dom|[mM#b+°øΔ^()/,\d-])*(?:/[A-G][#b]?)?"
    r"|(?:maj|min|m|dim|sus|add)\d+|(?![A-H]\d+$)[A-H][\w#+°øΔ^()/-]{0,12}\d[\w#+°øΔ^()/-]{0,12}"
)
_LENGTH = re.compile(r"(.+):(\d{1,2}(?:\.\d+)?)")


def symbol_of(text):
    """Return ("CHORD" or "ROMAN", symbol) of a chord symbol or Roman numeral, None for any other text."""
    if is_roman(text):
        return "ROMAN", text
    try:
        Chord.parse(text)
    except InputError:
        return None
    return "CHORD", text


def number(text):
    """Return a number that may have a decimal comma: `number("120,5") == 120.5`."""
    whole, comma, rest = text.partition(",")
    return float(whole + rest) if comma and len(rest) == 3 else float(text.replace(",", "."))


def unit_named(text):
    return next((name for name, pattern in _UNIT_OF.items() if text and pattern.fullmatch(text)), None)


def _chords_in(text):
    """Return [(offset, kind, symbol or None for what stands between)] of Am-F-C, Am/F/C, C:2 or one symbol; None for other text."""
    found = symbol_of(text)
    if found:
        return [(0, *found)]
    match = _LENGTH.fullmatch(text)
    if match and symbol_of(match[1]):
        return [(0, symbol_of(match[1])[0], text)]
    for separator in (rf"{ARROWS}|-|–|—|~", "/", r"\+|&", r"\.|,", ":"):
        pieces = re.split(f"({separator})", text)
        names = [piece for piece in pieces[::2] if piece]
        if len(names) < 2 or (separator in "/:" and len(names) < 3):
            continue
        parts, offset = [], 0
        for i, piece in enumerate(pieces):
            inner = _chords_in(piece) if piece and i % 2 == 0 else []
            if inner is None:
                break
            parts += [(offset + at, *rest) for at, *rest in inner]
            if i % 2:
                parts.append((offset, "GAP", piece))
            offset += len(piece)
        else:
            return parts
    return None


@lru_cache(8192)
def read_chunk(text):
    """Return ((kind, text, value, offset), ...) of a chunk without blanks."""
    if _SEPARATOR.fullmatch(text):
        return (("GAP", text, text, 0),)
    core = text.strip("'*_")
    lead = text.index(core) if core else 0
    ending = _ENDING.fullmatch(core)
    if ending:
        return (("ENDING", core, _passes(ending[1]), lead),)
    if re.fullmatch(r"(?i)n\.?c\.?", core) and core[0] + core[-1] != "NN":
        return (("CHORD", core, "N", lead),)
    if _JUMP.fullmatch(core):
        return (("JUMP", core, core, lead),)
    if re.fullmatch(r"\*[A-D]", text):
        return (("MARK", text, text, 0),)
    held = re.fullmatch(r"(.+?)((?:-{2,3}|/{2,3}|~{2,3}|\.{2,3}))", core)
    if held and symbol_of(held[1]):
        holds = tuple(("HOLD", ".", ".", lead + len(held[1]) + i) for i in range(len(held[2])))
        return (*_read_body(held[1], lead), *holds)
    if re.fullmatch(r"[./]+", core):
        return tuple(("HOLD", sign, sign, lead + i) for i, sign in enumerate(core))
    body = _TRAILING.sub("", core)
    tail = core[len(body) :]
    tokens = _read_body(body, lead) if body else ()
    stops = tuple(("STOP", sign, sign, lead + len(body) + i) for i, sign in enumerate(tail) if sign in ".:!?")
    return tokens + stops


def _passes(digits):
    numbers = [int(digit) for digit in re.findall(r"\d", digits)]
    return numbers[-1] - numbers[0] + 1 if "-" in digits else len(numbers)


def _read_body(body, at):
    for pattern, read in _READERS:
        match = pattern.fullmatch(body)
        value = match and read(match)
        if value:
            kind, value = value
            return ((kind, body, value, at),)
    name, at_sign, rest = body.partition("@")
    if name and re.match(r"\d", rest):  # techno@130, Am@128bpm
        return (*_read_body(name, at), *_read_body(at_sign + rest, at + len(name)))
    if re.search("[A-Za-z]{2,}[:=].", body) and not symbol_of(re.split("[:=]", body)[0]):  # key:Am, chords=C, Bpm:120
        return _split_at_signs(body, at)
    glued = re.fullmatch(r"([A-Ga-g])(flat|sharp)((?:m|maj|min)?\d*)", body)
    if glued:
        rest = _read_body(glued[3], at + 1 + len(glued[2])) if glued[3] else ()
        return (*_read_body(glued[1], at), ("WORD", glued[2], glued[2], at + 1), *rest)
    times = re.fullmatch(r"(.+?)[x×*](\d{1,2})", body)
    if times and symbol_of(times[1]):
        return (*_read_body(times[1], at), ("TIMES", "x1", int(times[2]), at + len(times[1])))
    chords = _chords_in(body)
    if chords:
        return tuple(
            (kind, str(value) if kind == "GAP" else body if len(chords) == 1 else str(value), value, at + offset)
            for offset, kind, value in chords
        )
    if re.search(".=.", body):
        return _split_at_signs(body, at)
    if LIKE_A_CHORD.fullmatch(body) or ("/" in body and symbol_of(body.partition("/")[0])):
        return (("LIKE", body, body, at),)
    if re.search(r"\w[/-]\w", body) or re.search(r"\w[–—~+&]\w", body):
        return _split_body(body, at)
    return (("WORD", body, body.lower(), at),)


def _split_at_signs(body, at):
    """Read what stands between the signs : and =; they are STOPs."""
    tokens = []
    for match in re.finditer("[:=]|[^:=]+", body):
        part, start = match[0], at + match.start()
        tokens += [("STOP", part, part, start)] if part in ":=" else _read_body(part, start)
    return tuple(tokens)


def _split_body(body, at):
    """Read a compound: a-minor, C-sharp-minor, 12-bar; its parts are tokens, the signs between them GAPs "joined"."""
    tokens = []
    for match in re.finditer(r"[^/–—~+&-]+|[/–—~+&-]+", body):
        part = match[0]
        if re.fullmatch(r"[/–—~+&-]+", part):
            tokens.append(("GAP", part, "joined", at + match.start()))
        else:
            tokens += _read_body(part, at + match.start())
    return tuple(tokens)


def _read_quantity(match):
    unit = unit_named(match[4])
    if match[4] and not unit:
        return None
    value = number(match[1])
    if unit == "bpm":
        return "TEMPO", (value, value)
    return ("QUANTITY", (value, unit)) if unit else ("NUMBER", value)


def _read_range(match):
    low, high, unit = number(match[1]), number(match[2]), unit_named(match[3])
    if unit == "bpm":
        return "TEMPO", (low, high)
    return "RANGE", (low, high)


_READERS = (
    (_TIMES, lambda match: ("TIMES", int(match[1] or match[2]))),
    (_CLOCK, lambda match: ("CLOCK", 60 * int(match[1]) + int(match[2]))),
    (re.compile(r"(\d{1,2})(?:m|min|')(\d{1,2})(?:s|sec|\")?"), lambda match: ("CLOCK", 60 * int(match[1]) + int(match[2]))),
    (_TIMED, lambda match: ("TIMED", (float(match[1]), match[2])) if symbol_of(match[2]) else None),
    (_FRACTION, lambda match: ("FRACTION", (int(match[1]), int(match[2])))),
    (_WITH_UNIT, _read_quantity),
    (_RANGE, _read_range),
    (re.compile(r"♩\.?|q\.?|𝅘𝅥"), lambda match: ("NOTE", 1.5 if "." in match[0] else 1.0)),
)


def followed_by(tokens, place, words):
    """Return whether a word follows, perhaps joined by a hyphen."""
    return next_word(tokens, place)[0] in words


def next_word(tokens, place):
    """Return (the word or number that follows as text, the place after it); (None, place + 1) for anything else."""
    after = place + 1
    if after < len(tokens) and tokens[after].value == "joined" and tokens[after].text == "-":
        after += 1
    if after < len(tokens) and tokens[after].kind in ("WORD", "NUMBER", "LIKE"):
        return str(tokens[after].value).lower(), after + 1
    return None, place + 1
