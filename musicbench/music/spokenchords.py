"""Chords in words, "B flat minor 7", joined to one token."""

import re

from musicbench.music.tokens import Token, followed_by, next_word, symbol_of

_ACCIDENTALS = {"flat": "b", "sharp": "#"}
_QUALITY_WORDS = {
    "major": "maj", "maj": "maj", "dur": "maj", "moll": "m", "minor": "m", "min": "m", "dim": "dim", "diminished": "dim", "aug": "aug", "augmented": "aug",
    "sus": "sus4", "suspended": "sus4", "sus2": "sus2", "sus4": "sus4", "dominant": "", "dom": "", "power": "5", "half-diminished": "ø", "half": "",
}  # fmt: skip
_NUMBER_WORDS = {
    "six": "6", "sixth": "6", "seven": "7", "seventh": "7", "7th": "7", "nine": "9", "ninth": "9", "9th": "9", "eleventh": "11", "11th": "11",
    "thirteenth": "13", "13th": "13", "6th": "6", "eleven": "11", "thirteen": "13",
}  # fmt: skip
_EXTENSIONS = {6.0: "6", 7.0: "7", 9.0: "9", 11.0: "11", 13.0: "13"}
_SUSPENDED = {"four": "4", "fourth": "4", "4th": "4", "4.0": "4", "two": "2", "second": "2", "2nd": "2", "2.0": "2"}
_AFTER_A_SYMBOL = set("chord chords and to then at in with over on for vamp groove loop".split())
_ENDS_A_SYMBOL = {
    "GAP",
    "BAR",
    "OPEN",
    "CLOSE",
    "CLOSE_OPEN",
    "CHORD",
    "ROMAN",
    "STOP",
    "LINE",
    "LEFT",
    "RIGHT",
    "HOLD",
    "SAME",
    "TIMES",
}


def is_small_root(tokens, place):
    """Return whether a small letter is a root: "b flat", "d minor"; "a" only after a colon, a comma or another chord ("a minor setback")."""
    letter = tokens[place].text
    if not re.fullmatch("[a-g][#b]?", letter):
        return False
    if letter == "a":
        before = tokens[place - 1] if place else None
        is_joined = before is not None and before.value == "and" and place > 1 and tokens[place - 2].value in ("minor", "major")
        in_list = (
            is_joined
            or (before is not None and before.value in ("chords", "progression", "chord"))
            or (before is not None and (before.text in (":", ",", "-", "->") or before.kind == "CHORD"))
        )
        after = tokens[place + 2] if place + 2 < len(tokens) else None
        return (
            in_list
            and followed_by(tokens, place, {"minor", "major"})
            and (after is None or after.kind in _ENDS_A_SYMBOL | {"NUMBER"} or after.value == "and")
        )
    return followed_by(tokens, place, {"minor", "major", "min", "maj"}) or (
        len(letter) == 1 and followed_by(tokens, place, set(_ACCIDENTALS))
    )


def join_chord(tokens, place, text):
    """Join a root with the words after it; a bare letter, a sharp or flat after it, a quality, an extension."""
    first = tokens[place]
    symbol, end, is_dominant = first.value, place + 1, False
    is_root = bool(re.fullmatch(r"[A-G][#b]?", symbol))
    if is_root and len(symbol) == 1 and followed_by(tokens, place, _ACCIDENTALS):
        word, end = next_word(tokens, place)
        symbol += _ACCIDENTALS[word]
    if is_root and followed_by(tokens, end - 1, _QUALITY_WORDS) and not _is_plain_word(tokens, end - 1):
        word, after = next_word(tokens, end - 1)
        if word == "half":
            word, after = next_word(tokens, after - 1)
            word = "half-diminished" if word in ("diminished", "dim") else None
        if word:
            symbol, end = symbol + _QUALITY_WORDS[word], after
        is_dominant = word in ("dominant", "dom")
    if is_root and end == place + 1 or symbol[-1:] in "b#" and len(symbol) == 2:
        symbol, end = _with_suffix(tokens, symbol, end)
    symbol, end = _with_suspension(tokens, symbol, end)
    symbol, end = _with_extension(tokens, symbol, end)
    symbol = f"{symbol}7" if is_dominant and not symbol[-1].isdigit() else symbol
    symbol, end = _with_tails(tokens, symbol, end)
    symbol, end = _with_alterations(tokens, symbol, end)
    symbol = symbol.removesuffix("maj")
    if end == place + 1:
        return first, end
    start, stop = first.start, tokens[end - 1].end
    return Token("CHORD", text[start:stop], symbol, start, stop), end


def _with_suspension(tokens, symbol, end):
    """Add the number of "sus four" and "suspended second"."""
    number = _SUSPENDED.get(str(tokens[end].value)) if end < len(tokens) and re.search("sus4?$", symbol) else None
    return (symbol.removesuffix("4") + number, end + 1) if number else (symbol, end)


_TAIL = re.compile(
    r"(?:dom)?(?:7|9|11|13)(?:sus[24]?|alt|[b#]\d+)|dom\d*|add[b#]?\d+|sus[24]?|alt|[b#](?:5|9|11|13)|(?:maj|M|Maj)\d+"
    r"|Δ\d*|°7?|ø7?|(?:no|omit)[35]"
)


def _with_tails(tokens, symbol, end):
    """Add what stands apart from a symbol: "Am add9", "A7 alt", "G7 sus", "C7 b9", "G seven sus four"."""
    while end < len(tokens):
        token = tokens[end]
        word = "sus4" if token.value in ("sus", "suspended") else token.text
        number = _number_at(tokens, end + 1) if token.value == "add" else None
        if number and symbol_of(f"{symbol}add{number}"):
            symbol, end = f"{symbol}add{number}", end + 2
            continue
        is_whole = token.kind in ("WORD", "LIKE", "CHORD", "NUMBER") and _TAIL.fullmatch(word) and symbol_of(symbol + word)
        is_plain = word in ("sus4", "alt") and not (_is_end(tokens, end + 1) or str(tokens[end + 1].value) in _SUSPENDED)
        if not is_whole or is_plain or (word[0] in "b#" and not symbol[-1].isdigit()):
            break
        symbol, end = _with_suspension(tokens, symbol + word, end + 1)
    return symbol, end


def _number_at(tokens, place):
    """Return the degree that a token names, "9" for 9 and nine; None for others."""
    value = tokens[place].value if place < len(tokens) else None
    spoken = _ALTERED | _NUMBER_WORDS | _SUSPENDED
    return spoken.get(str(value)) or (_EXTENSIONS.get(value) if isinstance(value, float) else None)


def _is_end(tokens, place):
    """Return whether nothing at a place goes on with a symbol's sentence: "A7 alt |", but not "A alt rock song"."""
    return place >= len(tokens) or tokens[place].kind in _ENDS_A_SYMBOL or tokens[place].value in _AFTER_A_SYMBOL


_ALTERING = _ACCIDENTALS | {"b": "b", "#": "#"}
_ALTERED = {
    "five": "5",
    "5.0": "5",
    "nine": "9",
    "ninth": "9",
    "eleven": "11",
    "eleventh": "11",
    "thirteen": "13",
    "thirteenth": "13",
}


def _with_alterations(tokens, symbol, end):
    """Add what is spoken after an extension: "seven flat nine"; "minor" before "major seven" has a major seventh."""
    if re.fullmatch(r"[A-G][#b]?m", symbol) and end < len(tokens) and tokens[end].value == "major":
        seventh = next_word(tokens, end)
        if seventh[0] in ("7", "7.0", "seven", "seventh", "7th"):
            return f"{symbol}M7", seventh[1]
    if re.fullmatch(r"[A-G][#b]?m?6", symbol) and _number_at(tokens, end) == "9" and _is_end(tokens, end + 1):  # "six nine"
        return f"{symbol}/9", end + 1
    while end + 1 < len(tokens) and tokens[end].value in _ALTERING and symbol[-1:].isdigit():
        number = _ALTERED.get(str(tokens[end + 1].value), _EXTENSIONS.get(tokens[end + 1].value))
        if not number or not symbol_of(f"{symbol}({_ALTERING[tokens[end].value]}{number})"):
            break
        symbol, end = f"{symbol}({_ALTERING[tokens[end].value]}{number})", end + 2
    return symbol, end


def _is_plain_word(tokens, place):
    """Return whether a word after a root is one of English: "A dim room"."""
    word, after = next_word(tokens, place)
    if word not in ("dim", "power", "sus", "half", "dominant"):
        return False
    is_end = after >= len(tokens) or tokens[after].kind in _ENDS_A_SYMBOL | {"NUMBER"}
    return not (
        is_end
        or tokens[after].value in _AFTER_A_SYMBOL | set(_NUMBER_WORDS) | set(_SUSPENDED) | set(_ACCIDENTALS) | {"diminished", "dim"}
    )


def _with_suffix(tokens, symbol, end):
    """Add a suffix that stands apart: "C maj7", "E sus4", "A m7"."""
    token = tokens[end] if end < len(tokens) else None
    if token is None or token.kind not in ("WORD", "LIKE") or not SUFFIX.fullmatch(token.text):
        return symbol, end
    return (symbol + token.text, end + 1) if symbol_of(symbol + token.text) else (symbol, end)


SUFFIX = re.compile(
    r"(?:major|minor|diminished|augmented|maj|Maj|M|m|min|dim|aug|sus|add|7|9)[b#]?\d+\S*|m|7?alt|m7b5|mM7|ø7?|°7?|\+"
)


def _with_extension(tokens, symbol, end):
    """Add the 7 of "Dm 7" or "C major seventh", where no unit follows it."""
    if end >= len(tokens) or not re.fullmatch(r"[A-G][#b]?(?:maj|m|min|dim|aug|ø|[°oΔ+-])?", symbol):
        return symbol, end
    token = tokens[end]
    after = tokens[end + 1] if end + 1 < len(tokens) else None
    if token.value == (6, 9):
        return f"{symbol}6/9", end + 1
    if token.kind == "WORD":
        extension, last = _NUMBER_WORDS.get(token.value), True
    else:
        extension = _EXTENSIONS.get(token.value) if token.kind == "NUMBER" else None
        last = _is_end(tokens, end + 1) or after.value in (*_ALTERING, "sus", "suspended", "alt")
    if not extension or not last or symbol_of(symbol + extension) is None:
        return symbol, end
    return symbol + extension, end + 1
