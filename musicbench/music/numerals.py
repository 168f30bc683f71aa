"""Roman numerals -> chords of a key, with figured bass and secondary dominants."""

import re
from dataclasses import dataclass

from musicbench import InputError, quoted
from musicbench.music.chords import BASS_DEGREES, Chord, bass_degree
from musicbench.music.chordtypes import notes_of
from musicbench.music.keys import Key
from musicbench.music.notes import ascii_accidentals, spell_note
from musicbench.music.suffixes import read_type

_ROMANS = {"I": 1, "II": 2, "III": 3, "IV": 4, "V": 5, "VI": 6, "VII": 7}
_ROMAN = re.compile(r"([b#]?)(VII|VI|IV|V|III|II|I|vii|vi|iv|v|iii|ii|i)(.*)")


def is_roman(symbol):
    """True when a symbol reads as a Roman numeral (`ii7`, `bVII`)."""
    try:
        roman_chord(symbol, Key("C"))
    except InputError:
        return False
    return True


def roman_chord(symbol, key):
    """Turn a Roman numeral into a chord of `key`: `roman_chord("ii7", C major)` is Dm7, `roman_chord("V7/ii", C major)` A7.

    Upper case is major, lower case minor; what follows is a chord type as in lead sheets (`V7`, `Imaj7`, `vii°`, `iiø7`), which
    after lower case has no major third; a numeral after a slash is the degree whose own fifth or leading tone is meant.
    Degrees count along the key's own scale. In minor, a flat before III, VI and VII names the degree that is low there already, and
    vii° stands on the leading tone. Figured bass is an inversion (`V6`, `ii65`, `I64`), but I6, IV6 and those with a flat have an
    added sixth (beside other figures a chord line reads them as inversions); `V/^7` has the key's seventh degree in the bass.
    """
    match = _ROMAN.fullmatch(ascii_accidentals(symbol))
    if not match:
        raise InputError(
            f"unknown Roman numeral {quoted(symbol)}; write I to VII or i to vii, such as 'I V vi IV' or 'ii7 V7 Imaj7'"
        )
    accidental, numeral, suffix = match.groups()
    figures = _figures(symbol)
    if figures:
        chord = roman_chord(accidental + numeral + figures.kind(key), key)
        return chord.inverted(figures.inversion)
    kind, slash, below = suffix.partition("/")
    if below.startswith("^"):
        below = spell_note(_bass_of_key(below[1:], key), key)
    home = _ROMAN.fullmatch(below)
    if home and not home[3] and not is_numeral_bass(numeral, below):
        root = _numeral_root(home[1], home[2], home[3], key)
        own_key = Key.of(root, "minor" if home[2].islower() else "major")
        return roman_chord(accidental + numeral + kind, own_key)
    root = _numeral_root(accidental, numeral, suffix, key)
    if home and not home[3]:
        below = spell_note(_numeral_root(home[1], home[2], home[3], key), key)
    elif below in BASS_DEGREES and not kind.startswith(":"):
        below = _bass_of_numeral(below, root, accidental + numeral + kind, key)
    if numeral.islower():  # no major third: ii7 is m7, ii7b5 m7b5, iiø7 and iisus4 are as written
        kinds = [way for way in ("m" + kind, kind) if read_type(way) and notes_of(read_type(way)).third != 4]
        kind = kinds[0] if kinds else "?"
    try:
        return Chord.parse(spell_note(root, key) + kind + slash + below)
    except InputError:
        known = "7, maj7, 9 or °7, none with a major third" if numeral.islower() else "7, maj7 or sus4"
        raise InputError(f"unknown chord {quoted(symbol)}: {quoted(suffix)} cannot follow {numeral}; write {known}") from None


def is_numeral_bass(over, below):
    """Return whether the numeral `below` a slash is a bass, IV/I, IV/V and vi/V, and not the tonic of the other's key: V7/V, ii/V."""
    match = _ROMAN.fullmatch(over)
    if not match or not re.fullmatch("[b#]?[IViv]+", below):
        return False
    numeral = match[2]
    return below == "I" or not (numeral.upper() in ("V", "VII", "II") or numeral == "iv" or (numeral == "IV" and below != "V"))


def _bass_of_numeral(degree, root, numeral, key):
    """Return the bass that a number names under a numeral: a note of the chord by its own degrees, IV/5, else by those of the key, V/7."""
    chord = roman_chord(numeral, key)
    own = (root + bass_degree(degree)) % 12
    lowered = (root + 10) % 12
    if degree == "7" and lowered in chord.pitch_classes:
        return spell_note(lowered, key)
    of_key = _bass_of_key(degree, key)
    is_of_key = own not in chord.pitch_classes and of_key in chord.pitch_classes
    return spell_note(of_key if is_of_key else own, key)


_FIGURED = re.compile(r"([b#]?)([IViv]+)(°|o|ø|dim)?(5/3|6/3|6/4|6/5|4/3|4/2|53|63|64|65|43|42|6)((?:/[b#]?[IViv]+)?)")
_INVERSIONS = {"53": 0, "6": 1, "63": 1, "64": 2, "65": 1, "43": 2, "42": 3}


@dataclass(frozen=True)
class _Figures:
    """Figured bass after a numeral: `inversion` 0..3; `sign` ° or ø; `target` of a secondary dominant, "/V"."""

    numeral: str
    sign: str
    is_seventh: bool
    inversion: int
    target: str

    def kind(self, key):
        """Return what follows the numeral in root position: the seventh is the key's own."""
        sign = "°" if self.sign in ("o", "dim") else self.sign
        own = _ROMAN.fullmatch(self.numeral)
        is_plain_major = self.is_seventh and own[2].isupper() and not (own[1] or self.target or sign)
        degree = _ROMANS[own[2].upper()]
        is_major_seventh = is_plain_major and degree != 5 and (key.scale[(degree + 5) % 7] - key.scale[degree - 1]) % 12 == 11
        return sign + ("maj7" if is_major_seventh else "7" if self.is_seventh or sign == "ø" else "") + self.target


def _figures(symbol):
    """Return the _Figures of a numeral with figured bass; None for others, and for I6 and IV6, which have an added sixth."""
    match = _FIGURED.fullmatch(symbol)
    if not match or match[2].upper() not in _ROMANS:
        return None
    accidental, numeral, sign, figures, target = match.groups()
    if figures == "6" and not sign and (accidental or numeral.upper() in ("I", "IV")):
        return None
    figures = figures.replace("/", "")
    return _Figures(accidental + numeral, sign or "", figures in ("65", "43", "42"), _INVERSIONS[figures], target)


def is_figured(symbol):
    """Return whether a Roman numeral has figured bass that is no added sixth: V6, ii65."""
    return _figures(ascii_accidentals(symbol)) is not None


def _bass_of_key(degree, key):
    """Return the pitch class of a degree of a key: `_bass_of_key("b7", C major) == 10`."""
    number = degree.lstrip("b#")
    if number not in "1234567" or len(number) != 1:
        raise InputError(f"unknown bass {quoted(degree)}; write a degree 1 to 7 of the key")
    return (key.scale[int(number) - 1] + degree.count("#") - degree.count("b")) % 12


def _numeral_root(accidental, numeral, suffix, key):
    degree, minor = _ROMANS[numeral.upper()], key.mode == "minor"
    if minor and degree in (3, 6, 7) and accidental == "b":
        accidental = ""
    elif minor and numeral == "vii" and not accidental and suffix.startswith(("°", "o", "dim", "ø")):
        accidental = "#"
    return (key.scale[degree - 1] + accidental.count("#") - accidental.count("b")) % 12


def parse_symbol(symbol, key=None):
    """Read a chord symbol, or a Roman numeral in `key` (C major when None). Raises InputError."""
    return roman_chord(symbol, key or Key("C")) if _ROMAN.match(symbol) else Chord.parse(symbol, keep_spelling=True)


def numeral_key(line):
    """Return the key that a line's Roman numerals are read in where none is named: C minor if its tonic is a small i, else C major.

    None for a line without numerals.
    """
    numerals = re.findall(r"(?<![\w#/])[b#]?([IViv]+)", ascii_accidentals(line))
    return Key("C", "minor" if "i" in numerals and "I" not in numerals else "major") if numerals else None
