"""Text -> musical tokens with their places; `musicbench.prompt` and `musicbench.music.progression` decide what they mean."""

import re

from musicbench.music.numerals import is_roman
from musicbench.music.spokenchords import SUFFIX, is_small_root, join_chord
from musicbench.music.spokennumbers import COUNTS, NUMBERS_BY_WORD, join_numerals, join_quantity, join_times
from musicbench.music.tokens import Token, next_word, read_chunk, unit_named

_CHUNK = re.compile(
    r"\n|:?\|+:?|\[\||\|\]|[%𝄎]|[()\[\]{}\"“”`]|[,;]+(?!\d)|[,;]|(?:[^\s|()\[\]{}\"“”`,;%]|,(?=\d)"
    r"|(?<=[\w#°ø+-])\((?!\d ?(?:bar|beat|x))[^()\s|]{1,24}\))+"
)


def tokens_of(text):
    """Return the tokens of a text that is `normalised`; spoken chords ("B flat minor 7") are single tokens."""
    tokens = []
    for match in _CHUNK.finditer(text):
        chunk, start = match[0], match.start()
        kind = _SIGNS.get(chunk)
        if kind is None and "|" in chunk:
            kind = _bar_kind(chunk)
        if kind is None and re.fullmatch("[,;]+", chunk):
            kind = "GAP"
        if kind:
            tokens.append(Token(kind, chunk, chunk, start, match.end()))
            continue
        for part_kind, part, value, offset in read_chunk(chunk):
            tokens.append(Token(part_kind, part, value, start + offset, start + offset + len(part)))
    return _joined(tokens, text)


_SIGNS = {
    "\n": "LINE", "%": "SAME", "𝄎": "SAME", "(": "LEFT", "[": "LEFT", "{": "LEFT", ")": "RIGHT", "]": "RIGHT", "}": "RIGHT",
    '"': "GAP", "“": "GAP", "”": "GAP", "`": "GAP", "|]": "BAR", "[|": "BAR",
}  # fmt: skip


def _bar_kind(chunk):
    if chunk.startswith(":") and chunk.endswith(":"):
        return "CLOSE_OPEN"
    if chunk.startswith(":"):
        return "CLOSE"
    return "OPEN" if chunk.endswith(":") else "BAR"


def _joined(tokens, text):
    """Join what several tokens say together: B flat minor 7; Dm 7; quarter note; 60 seconds."""
    result, place = [], 0
    while place < len(tokens):
        token, place = _join_at(tokens, place, text)
        result.append(token)
    return result


def _join_at(tokens, place, text):
    first = tokens[place]
    if first.kind == "CHORD" and first.value != "N":
        return join_chord(tokens, place, text)
    after = tokens[place + 1] if place + 1 < len(tokens) else None
    if first.kind == "ROMAN" and after and SUFFIX.fullmatch(after.text) and is_roman(first.value + after.text):  # "I maj7"
        return Token("ROMAN", text[first.start : after.end], first.value + after.text, first.start, after.end), place + 2
    times = join_times(tokens, place, text)
    if times:
        return times
    if first.kind == "WORD" and first.value in NUMBERS_BY_WORD:
        join_numerals(tokens, place, text)
        first = tokens[place]
    if first.kind in ("NUMBER", "RANGE"):
        return join_quantity(tokens, place, text)
    if (
        first.kind == "WORD"
        and first.value in COUNTS
        and unit_named(next_word(tokens, place)[0] or "") in ("s", "min", "h", "bars", "beats", "bpm")
    ):
        if first.value == "a" and tokens[place + 1].value == "second":  # "a second guitar"
            return first, place + 1
        if first.value == "a" and tokens[place + 1].value == "min" and _is_tempo_at(tokens, place + 2):  # "a min 75 bpm"
            tokens[place] = Token("CHORD", first.text, "A", first.start, first.end)
            return join_chord(tokens, place, text)
        tokens[place] = Token("NUMBER", first.text, float(COUNTS[first.value]), first.start, first.end)
        return join_quantity(tokens, place, text)
    if (
        first.value == "half"
        and after
        and after.value == "a"
        and unit_named(str(next_word(tokens, place + 1)[0])) in ("bars", "beats")
    ):
        unit, end = tokens[place + 2], place + 3
        return Token("QUANTITY", text[first.start : unit.end], (0.5, unit_named(unit.value)), first.start, unit.end), end
    if first.kind == "WORD" and is_small_root(tokens, place):
        upper = first.text[0].upper() + first.text[1:]
        tokens[place] = Token("CHORD", first.text, upper, first.start, first.end)
        return join_chord(tokens, place, text)
    return first, place + 1


def _is_tempo_at(tokens, place):
    """Return whether a tempo stands at a place, perhaps behind a comma: "75 bpm"."""
    place += place < len(tokens) and tokens[place].text == ","
    kinds = [token.kind for token in tokens[place : place + 2]]
    return kinds[:1] == ["TEMPO"] or (kinds == ["NUMBER", "WORD"] and unit_named(tokens[place + 1].value) == "bpm")
