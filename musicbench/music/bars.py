"""Bars of a chart: whether its bar lines divide chords, and the bars that they make."""

import re
from itertools import pairwise

from musicbench.music.sections import section_marks
from musicbench.music.tokens import Token

SOFT_BAR = Token("LINE", "", "", 0, 0)  # between the times that something is played: a bar line where none is yet


_BAR = Token("BAR", "|", "|", 0, 0)


def is_barred(tokens):
    """Return whether the bar lines of a chord line divide its chords; between repeat signs or sections that have none, chords are one a bar."""
    regions = _regions(tokens)
    if len(regions) == 1:
        return any(token.kind == "BAR" for token in tokens)
    return any(_is_divided(tokens[first:end], is_repeated) for first, end, is_repeated in regions)


def with_bars_of_long_regions(tokens):
    """Return the tokens of a barred line with bar lines where three chords or more stand between repeat signs or marks without any."""
    result, done, regions = [], 0, _regions(tokens)
    for first, end, is_repeated in regions if len(regions) > 1 else ():
        inside = tokens[first:end]
        places = [i for i, token in enumerate(inside) if token.kind in _SOUNDING]
        has_lengths = any(t.kind in ("HOLD", "QUANTITY") or re.search(r":[\d.]+$", str(t.value)) for t in inside)
        if len(places) > 2 and not has_lengths and not _is_divided(inside, is_repeated):
            result += tokens[done:first]
            later = set(places[1:])
            for i, token in enumerate(inside):
                result += [_BAR, token] if i in later else [token]
            done = end
    return result + tokens[done:]


_SOUNDING = ("CHORD", "ROMAN", "SAME")


def _regions(tokens):
    """Return [(first, end, whether it is repeated), ...] of what stands between repeat signs, section marks and "| then"."""
    marks = dict(section_marks(tokens))
    cuts = [(0, 0, "START")]
    for i, token in enumerate(tokens):
        if i in marks:
            cuts.append((i, marks[i], "MARK"))
        elif token.kind in ("OPEN", "CLOSE", "CLOSE_OPEN"):
            cuts.append((i, i + 1, token.kind))
        elif token.value == "then" and i and tokens[i - 1].kind == "BAR":
            cuts.append((i, i + 1, "MARK"))
    cuts.append((len(tokens), len(tokens), "END"))
    return [
        (end, first, opening in ("OPEN", "CLOSE_OPEN") or closing in ("CLOSE", "CLOSE_OPEN"))
        for (_, end, opening), (first, _, closing) in pairwise(cuts)
    ]


def _is_divided(tokens, is_repeated):
    """Return whether a bar line stands between two symbols, or at the start where no repeat sign does its work."""
    kinds = [token.kind for token in tokens]
    places = [i for i, kind in enumerate(kinds) if kind in _SOUNDING]
    is_empty_bar = any(a == b == "BAR" for a, b in pairwise(kinds))
    return bool(places) and (is_empty_bar or "BAR" in kinds[places[0] if is_repeated else 0 : places[-1]])


def bars_of(tokens):
    """Split played tokens into bars: lists of tokens, [] for an empty one, in which the chord before goes on."""
    bars, bar, lines, is_soft = [], [], 0, False
    while tokens and tokens[-1] is SOFT_BAR:
        tokens = tokens[:-1]
    for token in [*tokens, SOFT_BAR]:
        if token.kind in ("BAR", "LINE", "MARK"):
            is_one = token.kind == "BAR" and is_soft and lines > 0  # at the end of a line and at the start of the next
            lines += token.kind == "BAR" and not is_one
            is_soft = token.kind != "BAR"
            if bar:
                bars.append(bar)
                bar = []
            continue
        if bars and not bar and lines > 1:
            bars += [[] for _ in range(lines - 1)]
        bar.append(token)
        lines, is_soft = 0, False
    return bars + [[] for _ in range(lines - 1)]
