"""How long chords last, as it is written beside them: C(2), "C half", "2 bars C", C:8."""

import re
from dataclasses import replace
from itertools import accumulate

from musicbench.music.tokens import Token, symbol_of

_SYMBOLS = ("CHORD", "ROMAN", "LIKE")
_OF_A_BAR = {"whole": 1.0, "half": 0.5, "quarter": 0.25}
_BAR_SIGNS = ("BAR", "OPEN", "CLOSE", "CLOSE_OPEN", "LINE")


def with_lengths(tokens, meter):
    """Return (tokens in which what says how long a chord lasts is a QUANTITY behind it, notes)."""
    tokens = _with_lengths_before(_with_spoken_lengths(_with_slashes(tokens)))
    tokens, notes = _with_digits(_with_numbers(tokens, meter))
    tokens, more = _with_long_beats(tokens, meter)
    return tokens, notes + more


def _with_slashes(tokens):
    """Return the tokens with "C/ G/" as chords with a slash."""
    result = []
    for token in tokens:
        if token.kind == "LIKE" and token.text.endswith("/") and symbol_of(token.text[:-1]):
            chord, at = token.text[:-1], token.end - 1
            result += [
                replace(token, kind=symbol_of(chord)[0], text=chord, value=chord, end=at),
                Token("HOLD", ".", ".", at, at + 1),
            ]
        else:
            result.append(token)
    return result


def _with_spoken_lengths(tokens):
    """Return the tokens with "C half", "C (half bar)", "C half note" and "C 1/2" as chords and parts of a bar."""
    result, i = [], 0
    while i < len(tokens):
        length, end = _spoken_length(tokens, i) if i and tokens[i - 1].kind in _SYMBOLS else (None, i)
        result.append(replace(tokens[i], kind="QUANTITY", value=length) if length else tokens[i])
        i = end if length else i + 1
    return result


def _spoken_length(tokens, i):
    """Return ((number, "bars" or "beats") of a length in words at a place, the place after it); (None, i) for others."""
    at = i + (tokens[i].kind == "LEFT")
    token = tokens[at] if at < len(tokens) else None
    if token is None:
        return None, i
    is_part = token.kind == "FRACTION" and token.value[0] < token.value[1] and token.value[1] in (2, 4) and token.value != (2, 4)
    is_part = is_part and (token.value != (3, 4) or any(t.kind == "FRACTION" and t.value == (1, 4) for t in tokens))
    share = token.value[0] / token.value[1] if is_part else _OF_A_BAR.get(token.value) if token.kind == "WORD" else None
    if share is None:
        return None, i
    end = at + 1
    unit = tokens[end].value if end < len(tokens) else None
    end += unit in ("bar", "note", "measure")
    is_closed = end < len(tokens) and tokens[end].kind == "RIGHT"
    if at > i and not is_closed:
        return None, i
    return ((4 * share, "beats") if unit == "note" else (share, "bars")), end + (at > i)


def _with_lengths_before(tokens):
    """Return the tokens of "2 bars C, 2 bars G" with each length behind its chord; "4 bars: C G Am F" without what it counts."""
    places = [i for i, token in enumerate(tokens) if _is_length(token) or token.kind in ("CHORD", "ROMAN")]
    kinds = ["LENGTH" if _is_length(tokens[i]) else "CHORD" for i in places]
    if kinds[:1] != ["LENGTH"]:
        return tokens
    if kinds == len(kinds) // 2 * ["LENGTH", "CHORD"]:
        result = list(tokens)
        for length, chord in zip(places[::2], places[1::2], strict=True):
            result[length], result[chord] = None, [tokens[chord], tokens[length]]
        flat = [token for part in result if part for token in (part if isinstance(part, list) else [part])]
        return [t for t in flat if t.value != "of"]
    bars = sum(tokens[i].kind not in _BAR_SIGNS for i in places) - 1
    is_count = kinds.count("LENGTH") == 1 and tokens[places[0]].value == (float(bars), "bars")
    return [token for i, token in enumerate(tokens) if i != places[0]] if is_count else tokens


def _is_length(token):
    return token.kind == "QUANTITY" and token.value[1] in ("bars", "beats")


def _with_numbers(tokens, meter):
    """Return the tokens with C(2) G(2) and C (2) G (2) as chords and beats: where all chords have such a number, or all of a bar that they fill."""
    joined, i = [], 0
    while i < len(tokens):
        kinds = [token.kind for token in tokens[i : i + 3]]
        is_number = kinds == ["LEFT", "NUMBER", "RIGHT"] and joined and joined[-1].kind in _SYMBOLS
        if is_number and tokens[i].text == "(" and tokens[i + 1].value in range(1, 17):
            joined[-1] = replace(joined[-1], value=f"{joined[-1].value} ({tokens[i + 1].value:g})")
            i += 3
        else:
            joined.append(tokens[i])
            i += 1
    found = {i: match for i, t in enumerate(joined) if (match := _numbered(t))}
    symbols = [i for i, token in enumerate(joined) if token.kind in _SYMBOLS]
    if len(found) < len(symbols) or len(found) < 2:
        bars, bar = [], []
        for i, token in enumerate([*joined, Token("BAR", "|", "|", 0, 0)]):
            if token.kind in _BAR_SIGNS:
                bars.append(bar)
                bar = []
            elif token.kind in _SYMBOLS:
                bar.append(i)
        filled = [b for b in bars if all(i in found for i in b) and sum(float(found[i][2]) for i in b) == meter.beats]
        kept = {i for b in filled for i in b if len(bars) > 1}
        if not kept:
            return tokens
        found = {i: match for i, match in found.items() if i in kept}
    result = []
    for i, token in enumerate(joined):
        if i in found:
            symbol, beats = found[i].groups()
            result.append(replace(token, kind=symbol_of(symbol)[0], value=symbol))
            result.append(replace(token, kind="QUANTITY", value=(float(beats), "beats")))
        else:
            result.append(token)
    return result


def _numbered(token):
    match = re.fullmatch(r"(.+?) ?\((\d{1,2})\)", str(token.value)) if token.kind in _SYMBOLS else None
    is_beats = match and symbol_of(match[1]) and 1 <= int(match[2]) <= (16 if " (" in str(token.value) else 8)
    return match if is_beats else None


def _with_digits(tokens):
    """Return (tokens, notes): C4 G4 Am4 with a digit behind every chord are beats where one could be no such chord, as Am4; else noted."""
    symbols = [token for token in tokens if token.kind in _SYMBOLS]
    matches = [re.fullmatch(r"([A-G][#b]?m?)([12348])", token.text) for token in symbols]
    if len(symbols) < 2 or not all(matches):
        return tokens, ()
    text, digit = symbols[0].text, matches[0][2]
    if not any(match[1].endswith("m") or match[2] in "138" for match in matches):
        return tokens, (f"'{text}' in the chord line is read as a chord type; write {matches[0][1]}:{digit} for beats",)
    result = []
    for token in tokens:
        match = re.fullmatch(r"(.+)(\d)", token.text) if token.kind in _SYMBOLS else None
        result.append(replace(token, kind="CHORD", value=match[1]) if match else token)
        result += [replace(token, kind="QUANTITY", value=(float(match[2]), "beats"))] if match else []
    return result, (
        f"the digits in the chord line, '{text}', are read as beats; write {matches[0][1]}sus4 or {matches[0][1]}add9 for a chord type",
    )


_LONG = re.compile(r"(.+):(\d{1,2}(?:\.\d+)?)")


def _with_long_beats(tokens, meter):
    """Return (tokens, notes): C:8 has more beats than a bar where no chord type is meant, and C:6 where all chords say how long they last."""
    symbols = [token for token in tokens if token.kind in ("CHORD", "ROMAN")]
    matches = [_LONG.fullmatch(str(token.value)) for token in symbols]
    beats = [float(match[2]) for match in matches if match]
    is_filled = len(beats) == len(symbols) > 1 and sum(beats) % meter.beats == 0 and min(beats) <= meter.beats < max(beats)
    result, notes = [], ()
    for token in tokens:
        match = _LONG.fullmatch(str(token.value)) if token.kind in ("CHORD", "ROMAN") else None
        if not match or float(match[2]) <= meter.beats:
            result.append(token)
        elif is_filled or not symbol_of(token.value):
            result += [
                replace(token, kind=symbol_of(match[1])[0], value=match[1]),
                replace(token, kind="QUANTITY", value=(float(match[2]), "beats")),
            ]
        else:
            result.append(token)
            if match[2] in ("2", "4", "5", "6"):
                notes = (
                    f"'{token.text}' in the chord line is read as a chord type, as {meter} has {meter.beats} beats; "
                    f"write '{match[1]} ({match[2]} beats)' for beats",
                )
    return result, notes


def without_separators(tokens, meter):
    """Return (tokens without signs that hold no chord, notes): "Am F // C G" where the slashes fill no bars, a stop at the end."""
    holds = [i for i, token in enumerate(tokens) if token.kind == "HOLD"]
    if len(holds) == 1 and holds[0] == len(tokens) - 1 and tokens[-1].text == ".":
        return tokens[:-1], ()
    if not holds or any(token.kind in _BAR_SIGNS[:-1] for token in tokens):
        return tokens, ()
    is_pair = len(holds) % 2 == 0 and all(_stands_alone(tokens, a, b) for a, b in zip(holds[::2], holds[1::2], strict=True))
    beats = []
    for token in tokens:
        if token.kind in ("CHORD", "ROMAN", "SAME"):
            beats.append(1)
        elif token.kind == "HOLD" and beats:
            beats[-1] += 1
    starts = [start % meter.beats for start in accumulate([0, *beats])]
    is_filled = not starts[-1] and all(start + n <= meter.beats or not start for start, n in zip(starts, beats, strict=False))
    if not is_pair or is_filled or (beats and min(beats) > 1):
        return tokens, ()
    note = "'//' in the chord line is passed over, as it fills no bars; write a bar line | between bars"
    return [token for token in tokens if token.kind != "HOLD"], (note,)


def _stands_alone(tokens, a, b):
    """Return whether two holds are one sign "//" between blanks."""
    is_sign = tokens[a].text == tokens[b].text == "/" and tokens[a].end == tokens[b].start
    return is_sign and (not a or tokens[a - 1].end < tokens[a].start)
