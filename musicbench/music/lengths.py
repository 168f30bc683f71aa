"""How long chords last, as it is written beside them: C(2), "C half", "2 bars C", C:8."""

import re
from dataclasses import replace

from musicbench.music.tokens import Token, symbol_of


def with_beats(tokens):
    """Return the tokens with C(2) G(2) as chords and beats, where every chord has such a number; "C/ G/" as chords with a slash."""
    spelled = []
    for token in tokens:
        if token.kind == "LIKE" and token.text.endswith("/") and symbol_of(token.text[:-1]):
            chord, at = token.text[:-1], token.end - 1
            spelled += [
                replace(token, kind=symbol_of(chord)[0], text=chord, value=chord, end=at),
                Token("HOLD", ".", ".", at, at + 1),
            ]
        else:
            spelled.append(token)
    matches = {
        i: re.fullmatch(r"(.+)\(([1-8])\)", str(t.value)) for i, t in enumerate(spelled) if t.kind in ("CHORD", "ROMAN", "LIKE")
    }
    if len(matches) < 2 or not all(match and symbol_of(match[1]) for match in matches.values()):
        return spelled
    result = []
    for i, token in enumerate(spelled):
        if i not in matches:
            result.append(token)
            continue
        symbol, beats = matches[i].groups()
        result.append(replace(token, kind=symbol_of(symbol)[0], value=symbol))
        result.append(replace(token, kind="QUANTITY", value=(float(beats), "beats")))
    return result
