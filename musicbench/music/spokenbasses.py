"""Basses in words, "C over E", "C in first inversion", as C/E."""

import re
from dataclasses import replace

from musicbench.music.chords import Chord
from musicbench.music.plain import capital

_OVER = ("over", "slash", "on")
_BESIDE_BASS = {"a", "an", "the", "in", "at", "as", "for", "bass", "bottom", "note", "its", "joined"}


def with_spoken_bass(tokens):
    """Return the tokens with "C over E", "C with E in the bass" and "C in first inversion" as C/E."""
    result, place = [], 0
    while place < len(tokens):
        token, place = tokens[place], place + 1
        if token.kind == "CHORD":
            bass, end = _spoken_bass(tokens, place)
            inversion, after = _spoken_inversion(tokens, place)
            if bass:
                token, place = replace(token, value=f"{token.value}/{bass}"), end
            elif inversion is not None:
                chord = Chord.parse(str(token.value), keep_spelling=True).inverted(inversion)
                token, place = replace(token, value=str(chord)), after
        result.append(token)
    return result


def _spoken_bass(tokens, place):
    """Return (the bass that words at a place say, the place after them); (None, place) for others."""
    if place + 1 >= len(tokens) or tokens[place].value not in (*_OVER, "with"):
        return None, place
    note = next((i for i in range(place + 1, min(place + 6, len(tokens))) if tokens[i].value not in _BESIDE_BASS), len(tokens))
    name = capital(tokens[note].text) if note < len(tokens) else ""
    if not re.fullmatch("[A-G][#b]?", name) and note < len(tokens):
        name = str(tokens[note].value)  # F sharp
    end = note + 1
    while end < len(tokens) and tokens[end].value in _BESIDE_BASS:
        end += 1
    is_bass = tokens[place].value in _OVER or any(t.value in ("bass", "bottom") for t in tokens[place:end])
    return (name, end) if is_bass and re.fullmatch("[A-G][#b]?", name) else (None, place)


_INVERSIONS = {"root": 0, "first": 1, "1st": 1, "second": 2, "2nd": 2, "third": 3, "3rd": 3}


def _spoken_inversion(tokens, place):
    """Return (which inversion words at a place say, "in first inversion", the place after them); (None, place) for others."""
    place += place < len(tokens) and tokens[place].value == "in"
    words = [str(token.value) for token in tokens[place : place + 2]]
    is_said = len(words) == 2 and words[0] in _INVERSIONS and words[1] in ("inversion", "position")
    return (_INVERSIONS[words[0]], place + 2) if is_said else (None, place)
