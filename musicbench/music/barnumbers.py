"""Numbers beside bars in a chart: endings, |1 C :|2 F, and bars that are counted, "bar 1: C G"."""

import re
from dataclasses import replace
from itertools import pairwise

from musicbench import InputError
from musicbench.music.tokens import Token

_ORDINALS = {"1st": 1, "first": 1, "2nd": 2, "second": 2, "3rd": 3, "third": 3, "4th": 4, "fourth": 4, "last": 1}
_ENDING_WORDS = {"ending", "time", "times", "volta", "x"}


def with_endings(tokens):
    """Return the tokens with other ways to write an ending as ENDING: [1 C, [1. C], (2.), [1st ending], 2nd time:, where there are repeats."""
    if not any(token.kind in ("CLOSE", "CLOSE_OPEN") for token in tokens):
        return tokens
    result, i, is_open = [], 0, False
    while i < len(tokens):
        is_bracket = tokens[i].kind == "LEFT"
        number, end = _ending_at(tokens, i + is_bracket)
        is_closed = end < len(tokens) and tokens[end].kind == "RIGHT"
        is_list = end - i == 1 and i > 0 and tokens[i].text[1:2] == "," and tokens[i - 1].kind in ("BAR", "CLOSE")  # |1,2 C
        # 1. is one already, of a number alone `begins_ending` decides
        is_plain = tokens[i].kind == "ENDING" or (end - i == 1 and not is_list) or not number
        is_place = i == 0 or tokens[i - 1].kind in ("BAR", "CLOSE", "LINE") or not is_closed or end - i > 2
        if number and is_bracket and is_place or not is_plain:
            result.append(Token("ENDING", tokens[i].text, number, tokens[i].start, tokens[end - 1].end))
            is_open = is_bracket and not is_closed
            i = end + (is_bracket and is_closed)
            i += i < len(tokens) and tokens[i].text == ":" and tokens[i].kind == "STOP"
            continue
        if tokens[i].kind == "RIGHT" and is_open:
            is_open = False
        else:
            is_open = is_open and not is_bracket
            result.append(tokens[i])
        i += 1
    return result


def _ending_at(tokens, i):
    """Return (how often the ending that begins at a place is played, the place after its name); (0, i) where none begins."""
    token, after = (tokens[i] if i < len(tokens) else None), tokens[i + 1] if i + 1 < len(tokens) else None
    if token is None:
        return 0, i
    if token.kind == "ENDING":
        return token.value, i + 1
    is_named = after is not None and after.value in _ENDING_WORDS
    if token.kind == "WORD" and token.value in _ORDINALS and is_named:
        return 1, i + 2
    if token.value in ("ending", "volta") and after is not None and after.kind == "NUMBER" and after.value in (1, 2, 3, 4):
        return 1, i + 2
    if token.kind == "NUMBER" and re.fullmatch("[1-4](?:,[1-4])+", token.text):
        return len(token.text.split(",")), i + 1
    if token.kind == "NUMBER" and token.value in (1, 2, 3, 4):
        return 1, i + 1 + (is_named and after.kind == "WORD")
    if token.kind == "RANGE" and token.value[0] == 1 and token.value[1] in (2, 3, 4):
        return int(token.value[1]), i + 1
    return 0, i


def begins_ending(tokens, i):
    """Return whether a number stands right behind a bar line, and chords behind it: |1 Am :|2 F."""
    after = tokens[i + 1].kind if i + 1 < len(tokens) else "END"
    return (
        i > 0
        and tokens[i - 1].kind in ("BAR", "CLOSE")
        and tokens[i - 1].end >= tokens[i].start - 1
        and after in ("CHORD", "ROMAN")
    )


_BAR_WORDS = {"bar", "bars", "measure", "measures", "mm", "m", "takt"}


def without_bar_numbers(tokens):
    """Return the tokens of a numbered list as chords: "1) C 2) G", and as bars: "bar 1: C G, bar 2: Am", "bars 1-2: C, bars 3-4: F"."""
    labels = _bar_numbers(tokens)
    spans = [span for _, _, span, _ in labels]
    if not labels or any(b[0] != a[1] + 1 for a, b in pairwise(spans)) or spans[0][0] != 1:
        return tokens
    result = tokens[: labels[0][0]]
    ends = [first for first, _, _, _ in labels[1:]] + [len(tokens)]
    for (_, start, (low, high), is_bar), end in zip(labels, ends, strict=True):
        inside = tokens[start:end]
        result += _numbered_bars(inside, high - low + 1) if is_bar else inside
    return result


def _numbered_bars(tokens, bars):
    """Return tokens behind "bar 1:" between bar lines; of several bars each chord has one, or one chord all."""
    line = Token("BAR", "|", "|", tokens[0].start if tokens else 0, tokens[0].start if tokens else 0)
    symbols = [token for token in tokens if token.kind in ("CHORD", "ROMAN")]
    if bars == 1:
        return [line, *tokens]
    if len(symbols) == 1:
        return [line, *symbols, *(bars - 1) * [line, replace(symbols[0], kind="SAME")]]
    if len(symbols) == bars:
        return [sign for token in symbols for sign in (line, token)]
    raise InputError(
        f"{bars} bars are numbered, but {len(symbols)} chords stand behind them; give one chord a bar, or number each bar"
    )


def _bar_numbers(tokens):
    """Return [(first, the place after it, (low, high), whether it says "bar"), ...] of 1), (1), bar 1: and bars 1-2:."""
    labels, i = [], 0
    while i < len(tokens):
        first = i
        is_bar = tokens[i].kind == "WORD" and tokens[i].value in _BAR_WORDS
        i += is_bar or tokens[i].kind == "LEFT"
        token, after = (tokens[i], tokens[i + 1]) if i + 1 < len(tokens) else (None, None)
        is_number = token is not None and (token.kind == "NUMBER" or (is_bar and token.kind == "RANGE"))
        is_end = is_number and (after.text == ":" or after.kind == "RIGHT" or (is_bar and after.text in (":", "-", "=", ")", ".")))
        is_name = not is_bar and i > 0 and tokens[i - 1].kind == "WORD"  # [Verse 1]
        if is_number and (is_end or is_bar) and not is_name:
            span = token.value if token.kind == "RANGE" else (token.value, token.value)
            i += 1 + is_end
            labels.append((first, i, (int(span[0]), int(span[1])), is_bar))
        else:
            i = first + 1
    return labels
