"""The numerals of a chord line: which key they are read in, inversions, patterns of major in a minor key."""

import re
from dataclasses import replace

from musicbench import quoted
from musicbench.music.keys import Key
from musicbench.music.numerals import is_figured, is_numeral_bass, numeral_key
from musicbench.music.sections import section_marks


def key_of_numerals(tokens):
    """Return the key that numerals are read in, None without any; V: and I: may be names of sections."""
    names = {i for first, end in section_marks(tokens) for i in range(first, end)}
    return numeral_key(" ".join(token.value for i, token in enumerate(tokens) if token.kind == "ROMAN" and i not in names))


def without_key(tokens):
    """Return (tokens, key or None): beside numerals the one chord that begins or ends the line names their key, "in G", "G:", "(G)"."""
    places = [i for i, token in enumerate(tokens) if token.kind == "CHORD" and token.value != "N"]
    numerals = [i for i, token in enumerate(tokens) if token.kind == "ROMAN"]
    if len(places) != 1 or not numerals or numerals[0] < places[0] < numerals[-1]:
        return tokens, None
    (place,) = places
    key = re.fullmatch(r"([A-G][#b]?)(m|maj|min)?", tokens[place].value)
    if not key:
        return tokens, None
    beside = tokens[: numerals[0]] if place < numerals[0] else tokens[numerals[-1] + 1 :]
    spare = [t for t in beside if t.kind in ("WORD", "LEFT", "RIGHT", "STOP", "GAP", "CHORD")]
    if any(t.kind == "WORD" and t.value not in ("in", "key", "of", "the", "major", "minor") for t in spare):
        return tokens, None
    return [t for t in tokens if t not in spare], Key(key[1], "minor" if key[2] in ("m", "min") else "major")


def with_inversions(tokens):
    """Return the tokens with I6 and IV6 as first inversions where another numeral has figured bass: "I V6 vi I6"."""
    numerals = [token.value for token in tokens if token.kind == "ROMAN"]
    if "bII6" in numerals and ("i" in numerals or any(re.match("V(?!I)", numeral) for numeral in numerals)):  # the Neapolitan sixth
        tokens = [replace(t, value="bII63") if t.kind == "ROMAN" and t.value == "bII6" else t for t in tokens]
    if not any(map(is_figured, numerals)):
        return tokens
    return [replace(t, value=f"{t.value}3") if t.kind == "ROMAN" and re.fullmatch("[b#]?[IViv]+6", t.value) else t for t in tokens]


def notes_of_sixths(tokens):
    """Return notes of I6 and IV6 among triads, which others read as first inversions."""
    numerals = [str(token.value) for token in tokens if token.kind == "ROMAN"]
    sixths = [numeral for numeral in numerals if re.fullmatch("(?:I|IV|i|iv)6", numeral)]
    is_plain = all(re.fullmatch("[b#]?[IViv]+[°+]?|V7", numeral) for numeral in numerals if numeral not in sixths)
    if not sixths or not is_plain or len(sixths) == len(numerals):
        return ()
    (said, third) = (sixths[0], f"{sixths[0][:-1]}/3")
    return (f"'{said}' in the chord line is read as an added sixth; write {third} for the first inversion",)


_IN_MINOR = {"I": "i", "ii": "ii°", "ii7": "iiø7", "iii": "III", "IV": "iv", "V": "V", "V7": "V7"}


def in_minor_key(tokens, key):
    """Return (tokens, notes): numerals of a major pattern, "ii V I", beside a minor key are those of that key, ii° V i."""
    numerals = [token.value for token in tokens if token.kind == "ROMAN"]
    if key is None or key.mode != "minor" or len(set(numerals)) < 2 or "I" not in numerals or not set(numerals) <= set(_IN_MINOR):
        return tokens, ()
    read = [replace(token, value=_IN_MINOR[token.value]) if token.kind == "ROMAN" else token for token in tokens]
    said, meant = " ".join(dict.fromkeys(numerals)), " ".join(dict.fromkeys(_IN_MINOR[numeral] for numeral in numerals))
    return read, (f"{quoted(said)} in {key} is read as {meant}; write chords such as {key.tonic} for others",)


def notes_of_basses(tokens):
    """Return notes of numerals over a numeral that could be another key's degree as well: IV/V."""
    pairs = [str(token.value).partition("/") for token in tokens if token.kind == "ROMAN"]
    said = next((f"{over}/{below}" for over, _, below in pairs if below != "I" and is_numeral_bass(over, below)), None)
    return (f"'{said}' in the chord line is read as a chord over a bass, not as a degree of another key",) if said else ()
