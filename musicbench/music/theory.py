"""Chords, keys, meters, tempo words and dynamics: parse, spell, transpose, reduce.

Everything here is plain data without audio. Pitch classes are 0..11 with C = 0. Chord grammar after Harte et al.,
"Symbolic representation of musical chords" (ISMIR 2005); lead-sheet spellings are read as well.
"""

import re
from collections import Counter
from dataclasses import dataclass, field, replace

import numpy as np

from musicbench import InputError
from musicbench.music.chordtypes import (
    degree_semitones,
    intervals_of,
    nearest_spelling,
    nearest_type,
    notes_of,
    read_harte_type,
    read_type,
    suffix_of,
)

# ---------------------------------------------------------------------------------------------------- notes

LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
FIFTHS = ["F", "C", "G", "D", "A", "E", "B"]  # the line of fifths: each note is a fifth above the one before
PLAIN_NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
EXAMPLES = "C, F#m7, Bbmaj7, Csus4, G7b9, Am7/C, A:min7/b3, N"
NOTE = r"[A-G](?:##|bb|#|b)?"
_UNICODE = str.maketrans({"♯": "#", "♭": "b", "–": "-", "−": "-", "△": "Δ", "º": "°", "Ø": "ø", "’": "'"})
_UNICODE.update(str.maketrans({"∆": "Δ", "▲": "Δ", "▵": "Δ", "˚": "°", "∘": "°", "○": "°", "∅": "ø", "⌀": "ø", "⦰": "ø"}))
_UNICODE.update({ord("𝄪"): "##", ord("𝄫"): "bb"})


def ascii_accidentals(text):
    """Replace unicode sharps, flats and their look-alikes by ASCII ones."""
    return text.translate(_UNICODE)


def quoted(text):
    """Quote what a user wrote, shortened, for a message."""
    text = str(text)
    return repr(text if len(text) <= 40 else text[:37] + "...")


def pitch_class(note):
    """Return the pitch class of a note name: `pitch_class("Bb") == 10`."""
    note = ascii_accidentals(note)
    if not re.fullmatch(NOTE, note):
        raise InputError(f"unknown note {quoted(note)}; write a letter A to G with # or b, such as F# or Bb")
    return (LETTERS[note[0]] + note.count("#") - note.count("b")) % 12


def _note_at(position):
    """Name the note at a place on the line of fifths (C = 0, G = 1, F = -1, F# = 6)."""
    octave, letter = divmod(position + 1, 7)
    return FIFTHS[letter] + ("#" * octave if octave >= 0 else "b" * -octave)


def _place(note):
    return FIFTHS.index(note[0]) - 1 + 7 * (note.count("#") - note.count("b"))


def spell_note(pc, key=None):
    """Name a pitch class as it is written in `key` (in no key: C C# D Eb E F F# G Ab A Bb B)."""
    if key is None:
        return PLAIN_NAMES[pc % 12]
    # Twelve consecutive places on the line of fifths around the key: Db..F# in C major, Eb..G# in A minor.
    lowest = _place(key.tonic) - (5 if key.mode == "major" else 6)
    return next(_note_at(p) for p in range(lowest, lowest + 12) if p * 7 % 12 == pc % 12)


def spell_above(note, semitones, minor=False):
    """Name the note so many semitones above `note` as its scale does: `spell_above("E", 4) == "G#"`, third of E major."""
    steps = (0, -5, 2, -3, 4, -1, -6 if minor else 6, 1, -4 if minor else 8, 3, -2, 5)  # along the line of fifths
    name = _note_at(_place(note) + steps[semitones % 12])
    return name if len(name) < 3 else spell_note(pitch_class(note) + semitones)


# ---------------------------------------------------------------------------------------------------- chords

BASS_DEGREES = ("1", "b2", "2", "b3", "3", "4", "b5", "5", "b6", "6", "b7", "7")

VOCABULARIES = {
    "majmin": ("maj", "min"),
    "triads": ("maj", "min", "dim", "aug", "sus4", "sus2"),
    "sevenths": ("maj", "min", "7", "maj7", "min7"),
    "tetrads": ("maj", "min", "7", "maj7", "min7", "dim", "aug", "sus4", "sus2", "hdim7", "dim7", "maj6", "min6", "minmaj7"),
    # What the released Mustango's chord tokenizer knows.
    "mustango": ("maj", "maj7", "min", "min6", "min7", "hdim7", "maj6", "7", "aug", "dim"),
}


def _bass_degree(text):
    try:
        return degree_semitones(text) % 12
    except KeyError:
        raise InputError(f"unknown bass {quoted(text)} after the slash; write a note (C/E) or a degree (C:maj/3)") from None


def _added_after_slash(chord_type, added):
    """Return the type of `7/9` (which is 9), `sus4/7` (7sus4), `/9` (add9) or `m/maj7`; None where there is none."""
    if added == "4" and chord_type.endswith("sus2"):
        return read_type(f"{chord_type}4")
    if added not in ("9", "11", "13"):
        return read_type(f"{chord_type}({added})")
    return read_type(chord_type[:-1] + added if chord_type.endswith("7") else f"{chord_type}add{added}")


def nearest_symbol(symbol):
    """Return the known spelling nearest to an unknown chord symbol: C7 for C7xyz; None without a root."""
    match = re.match(NOTE, symbol)
    return match[0] + nearest_spelling(symbol[match.end() :]) if match else None


_SOLFEGE = {"Do": "C", "Ré": "D", "Re": "D", "Mi": "E", "Fa": "F", "Sol": "G", "La": "A", "Si": "B"}
_SOLFEGE_NAME = re.compile(rf"({'|'.join(_SOLFEGE)})([#b]?)(.*)", re.IGNORECASE)
_GERMAN_NAME = re.compile(r"(?:(H)|([B-DF-Hbcdfgh])(is|es)|([AEae])(is|s))([^a-zA-Z]?.*)")


def foreign_name(symbol):
    """Return (whose note name a symbol begins with, the chord here) of `Sol7` and `Fism`; None for others. B is always B here."""
    solfege, german = _SOLFEGE_NAME.fullmatch(symbol), _GERMAN_NAME.fullmatch(symbol)
    if solfege:
        whose, root, rest = "the names Do Re Mi are C D E here", _SOLFEGE[solfege[1].capitalize()] + solfege[2], solfege[3]
    elif german:
        h, letter, ending, vowel, vowel_ending, rest = german.groups()
        whose = "the German H is B here, and the German B is Bb"
        root = (h or letter or vowel).upper().replace("H", "B") + ("" if h else "#" if "is" in (ending, vowel_ending) else "b")
        if not h:
            whose = "German -is is # here, and -es is b"
    else:
        return None
    kind = re.sub("^-?(?i:dur|majeur|maj)$", "", re.sub("^-?(?i:moll|mineur)$", "m", rest))
    return (whose, root + kind) if read_type(kind) is not None else None


@dataclass(frozen=True)
class Chord:
    """A chord symbol. `root` and `bass` are pitch classes, `root` None for no chord (N); `quality` names a chord type.

    `bass` is None in root position. `typed`: how somebody spelled root and bass, ("Eb", None), or None; equal chords may differ in it.
    """

    root: int | None = None
    quality: str = "maj"
    bass: int | None = None
    typed: tuple | None = field(default=None, compare=False, repr=False)

    @classmethod
    def parse(cls, text, keep_spelling=False):
        """Read a Harte (`A:min7/b3`) or lead-sheet (`Am7/C`) symbol, `N` for none. Raises InputError for anything else.

        keep_spelling: write its root and bass as they are spelled here, not as the key would spell them.
        """
        symbol = ascii_accidentals(text.strip())
        symbol = symbol[1:-1] if re.fullmatch(r"\(.*\)|\[.*\]", symbol) else symbol
        if re.fullmatch(r"N\.?(?:C\.?)?", symbol):
            return cls()
        match = re.match(NOTE, symbol)
        foreign = foreign_name(symbol)
        is_known = bool(foreign and match) and cls._parse_type(symbol[match.end() :], 0)[0] is not None
        if foreign and (not is_known or symbol.startswith("Do")):
            as_dim = f", or {symbol.replace('o', '°', 1)} for a diminished chord" if is_known else ""
            raise InputError(f"unknown chord {quoted(text)}; {foreign[0]}: write {foreign[1]}{as_dim}")
        if not match:
            fixed = symbol[:1].upper() + symbol[1:40]
            is_chord = fixed != symbol and re.match(NOTE, fixed) and cls._parse_type(fixed[1:].lstrip("b#"), 0)[0] is not None
            hint = f"did you mean {fixed}?" if is_chord else "start with a root A to G"
            raise InputError(f"unknown chord {quoted(text)}; {hint} (examples: {EXAMPLES})")
        root, rest = pitch_class(match[0]), symbol[match.end() :]
        quality, bass, bass_name = cls._parse_type(rest, root)
        if quality is None and re.fullmatch("[A-Z]?[a-z]{2,}", symbol):
            raise InputError(f"unknown chord {quoted(text)}: this is a word (examples: {EXAMPLES})")
        if quality is None:
            raise InputError(
                f"unknown chord {quoted(text)}: {quoted(rest)} is no chord type known here; the nearest is {nearest_symbol(symbol)}; "
                f"examples: {EXAMPLES}; a bass is a note (C/E), or after a colon a degree (C:maj/3)"
            )
        bass = None if bass == root else bass
        return cls(root, quality, bass, (match[0], bass_name) if keep_spelling else None)

    @staticmethod
    def _parse_type(rest, root):
        """Return (type or None, bass or None, the bass's name or None) of what stands after a root."""
        body, is_harte = rest.removeprefix(":"), rest.startswith(":")
        read = read_harte_type if is_harte else read_type
        quality = read(body) if rest != ":" else None
        if quality is not None or "/" not in body:  # "6/9" has a slash of its own
            return quality, None, None
        body, _, below = body.rpartition("/")
        quality = read(body) if body or not is_harte else "maj"
        if re.fullmatch(NOTE, below):
            return quality, pitch_class(below), below
        if is_harte or (not body and below in BASS_DEGREES):
            return quality, (root + _bass_degree(below)) % 12, None
        return (_added_after_slash(body, below) if quality and below else None), None, None

    @property
    def pitch_classes(self):
        """The chord's notes as pitch classes, root first, the bass included; () for no chord."""
        if self.root is None:
            return ()
        notes = tuple((self.root + s) % 12 for s in intervals_of(self.quality))
        return notes if self.bass is None or self.bass in notes else (*notes, self.bass)

    @property
    def lowest(self):
        """Pitch class of the bass note, None for no chord."""
        return self.root if self.bass is None else self.bass

    def transposed(self, semitones):
        """Return the chord moved by whole semitones."""
        if self.root is None:
            return self
        bass = None if self.bass is None else (self.bass + semitones) % 12
        return replace(self, root=(self.root + semitones) % 12, bass=bass, typed=None)

    def inverted(self, inversion):
        """Return the chord with its third (1), fifth (2) or seventh (3) in the bass, in root position for 0. Raises InputError for a note it has not."""
        intervals = () if self.root is None else intervals_of(self.quality)
        if inversion >= len(intervals):
            raise InputError(f"the chord {self} has {len(intervals)} notes, too few for inversion {inversion}; name the bass, C/E")
        bass = (self.root + intervals[inversion]) % 12
        return replace(self, bass=bass if inversion else None)

    def reduced(self, vocabulary):
        """Return the nearest chord whose quality is in `vocabulary` (a name in VOCABULARIES or a list of qualities).

        Nearest: third, fifth and seventh stay if they can, then as many added notes as can be. The bass is kept.
        """
        allowed = VOCABULARIES[vocabulary] if isinstance(vocabulary, str) else tuple(vocabulary)
        return self if self.root is None else replace(self, quality=nearest_type(self.quality, allowed))

    def harte(self, key=None):
        """Write Harte style, spelled as typed or in `key`: `A:min7/b3`."""
        if self.root is None:
            return "N"
        bass = "" if self.bass is None else "/" + BASS_DEGREES[(self.bass - self.root) % 12]
        return f"{self.root_name(key)}:{self.quality}{bass}"

    def root_name(self, key=None):
        """Name the root as it was typed, else as `key` spells it."""
        return self.typed[0] if self.typed else spell_note(self.root, key)

    def lead_sheet(self, key=None):
        """Write lead-sheet style, spelled as typed or in `key`: `Am7/C`."""
        if self.root is None:
            return "N"
        root, bass = self.root_name(key), ""
        if self.bass is not None:
            above = spell_above(root, (self.bass - self.root) % 12, minor=3 in intervals_of(self.quality))
            bass = "/" + ((self.typed and self.typed[1]) or above)
        return root + suffix_of(self.quality) + bass

    __str__ = lead_sheet


NO_CHORD = Chord()


# ---------------------------------------------------------------------------------------------------- keys

SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}
_KEY_NAMES = {
    "major": ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"),
    "minor": ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B"),
}


_MAJOR_MODES = "lydian|mixolydian|ionian|major pentatonic|pentatonic major"
MODES = f"{_MAJOR_MODES}|dorian|phrygian|aeolian|locrian|(?:harmonic|melodic|natural|pentatonic) minor|m(?:inor)? pentatonic"


@dataclass(frozen=True)
class Key:
    """A key: `tonic` a note name as the user wrote it, `mode` "major" or "minor"."""

    tonic: str
    mode: str = "major"

    @classmethod
    def parse(cls, text):
        """Read `C`, `Am`, `F sharp minor`, `A:min`; `D dorian` and other modes as the key nearest to them. Raises InputError."""
        plain = ascii_accidentals(" ".join(str(text).split()))
        plain = re.sub(r"(?i)(?<=^[A-G])[- ]?(sharp|flat)\b", lambda match: "#" if match[1][0] in "sS" else "b", plain)
        match = re.fullmatch(rf"(?i:({NOTE})[- :]*(|maj|major|m|min|minor|{MODES}))", plain)
        if not match or match[1][0].islower() and not match[2]:
            raise InputError(
                f"unknown key {quoted(text)}; write a tonic A to G with # or b and major or minor, such as 'A minor' or 'Bb'"
            )
        is_major = match[2] in ("", "M") or re.fullmatch(rf"(?i:maj|major|{_MAJOR_MODES})", match[2])
        return cls(match[1][0].upper() + match[1][1:].lower(), "major" if is_major else "minor")

    @classmethod
    def of(cls, pc, mode):
        """Return the key on a pitch class under its usual name."""
        return cls(_KEY_NAMES[mode][pc % 12], mode)

    @property
    def pitch_class(self):
        return pitch_class(self.tonic)

    @property
    def scale(self):
        """The seven pitch classes of the scale (natural minor), tonic first."""
        return tuple((self.pitch_class + s) % 12 for s in SCALES[self.mode])

    @property
    def relative(self):
        """The relative minor or major: A minor lies 3 semitones below C major."""
        return Key.of(self.pitch_class - 3, "minor") if self.mode == "major" else Key.of(self.pitch_class + 3, "major")

    def transposed(self, semitones):
        return Key.of(self.pitch_class + semitones, self.mode)

    def same_as(self, other):
        """True when both name the same key, enharmonics equal."""
        return self.pitch_class == other.pitch_class and self.mode == other.mode

    def __str__(self):
        return f"{self.tonic} {self.mode}"


def _resolves(dominant, chord):
    """Return whether a dominant seventh falls a fifth to a chord that is none itself."""
    notes, after = notes_of(dominant.quality), notes_of(chord.quality)
    is_dominant = notes.seventh == 10 and notes.third in (4, 5)
    return is_dominant and (dominant.root + 5) % 12 == chord.root and after.seventh != 10


def likely_key(chords):
    """Guess the key of a chord list: most chord notes in the scale, then where a dominant seventh resolves to, the first chord, the last, and the
    one played most.

    In a blues, where dominant sevenths stand on the tonic and the fourth, sevenths do not count; chords without a third fit both
    modes, and power chords alone make a minor key. Returns None when no chord sounds.
    """
    sounding = [c for c in chords if c.root is not None]
    if not sounding:
        return None
    thirds = {c: notes_of(c.quality).third for c in sounding}
    dominant_roots = {c.root for c in sounding if thirds[c] == 4 and notes_of(c.quality).seventh == 10}
    is_blues = {sounding[0].root, (sounding[0].root + 5) % 12} <= dominant_roots
    count = Counter()
    for c in sounding:
        dropped = (c.root + 10) % 12 if is_blues and c.root in dominant_roots else None
        count.update(pc for pc in c.pitch_classes if pc != dropped)
    homes = {
        c.root for before, c in zip(sounding, sounding[1:] + sounding[:1], strict=True) if _resolves(before, c) and not is_blues
    }
    only_power = all(c.quality == "5" for c in sounding)

    def is_tonic(chord, key):
        wanted = 3 if key.mode == "minor" else 4
        return chord.root == key.pitch_class and thirds[chord] in (wanted, 2, 5, None)

    def fit(key):
        inside = sum(count[pc] for pc in key.scale) / count.total()
        home = sum(is_tonic(c, key) for c in sounding) / len(sounding)
        first, last = is_tonic(sounding[0], key), sounding[-1].root == key.pitch_class
        resolved = key.pitch_class in homes and any(is_tonic(c, key) for c in sounding)
        return 10 * inside + 2 * home + 2 * resolved + 1.5 * first + 0.5 * last + 0.1 * (only_power and key.mode == "minor")

    return max((Key.of(pc, mode) for mode in SCALES for pc in range(12)), key=fit)


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
        raise InputError(f"unknown Roman numeral {symbol!r}; write I to VII or i to vii, such as 'I V vi IV' or 'ii7 V7 Imaj7'")
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
    own = (root + _bass_degree(degree)) % 12
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


# ---------------------------------------------------------------------------------------------------- meter and tempo


@dataclass(frozen=True)
class Meter:
    """A time signature; `beats` are counted in a bar, each a 1/`unit` note."""

    beats: int = 4
    unit: int = 4

    @classmethod
    def parse(cls, text):
        """Read `3/4`; a bar of more than 7 beats as in `read_meter`. Raises InputError."""
        return read_meter(text)[0]

    def __str__(self):
        return f"{self.beats}/{self.unit}"


MAX_BEATS = 7  # in a bar


def read_meter(text):
    """Return (meter, note or None) of `beats/unit`. A bar of more than 7 beats is counted in longer ones, and the note says so:

    12/8 in four dotted beats, 10/8 in five quarters. Raises InputError for no meter, and for one that cannot be counted so (11/8).
    """
    match = re.fullmatch(r"\s*(\d{1,3})\s*/\s*(\d{1,3})\s*", str(text))
    if not match or int(match[1]) < 2 or int(match[2]) not in (2, 4, 8, 16):
        raise InputError(f"unknown meter {quoted(text)}; write beats/unit with 2 to {MAX_BEATS} beats, such as 4/4, 3/4 or 6/8")
    beats, unit = int(match[1]), int(match[2])
    if beats <= MAX_BEATS:
        return Meter(beats, unit), None
    for together, name in ((3, "dotted beats"), (2, "beats")):
        if beats % together == 0 and beats // together <= MAX_BEATS and (together == 2 or unit >= 8):
            counted = Meter(beats // together, 4)
            return counted, f"{beats}/{unit} is played as {counted.beats} {name} a bar, written {counted}"
    raise InputError(
        f"the meter {beats}/{unit} has {beats} beats a bar, above {MAX_BEATS}, and cannot be counted in twos or threes; "
        "give 4/4, 3/4, 6/8, 7/8, 9/8 or 12/8"
    )


MIN_BPM, MAX_BPM = 20, 300
TEMPO_MARKS = (40, 60, 70, 90, 110, 140, 160, 210)
TEMPO_WORDS = ("Grave", "Largo", "Adagio", "Andante", "Moderato", "Allegro", "Vivace", "Presto", "Prestissimo")
BETWEEN_TEMPO_WORDS = {"lento": 52.0, "larghetto": 63.0, "andantino": 92.0, "allegretto": 116.0}  # read, never written


def tempo_class(bpm):
    """Return 0..8: how many tempo marks lie strictly below `bpm`."""
    return sum(mark < bpm for mark in TEMPO_MARKS)


def beats_counted(meter):
    """Return how many counted beats make the one that people's tempo words mean: in compound meters (6/8) three, else one."""
    return 3 if meter and meter.beats == 6 else 1


def tempo_word(bpm):
    """Return the Italian tempo word: `tempo_word(120) == "Allegro"`."""
    return TEMPO_WORDS[tempo_class(bpm)]


def word_tempo(word, meter=None):
    """Return a bpm in the middle of a tempo word's range: `word_tempo("allegro") == 125`. Raises InputError.

    In compound meters (6/8) a word means the dotted beat, so three times as many counted ones, MAX_BPM at most.
    """
    marks = (30, *TEMPO_MARKS, 240)
    middles = {word.lower(): (marks[i] + marks[i + 1]) / 2 for i, word in enumerate(TEMPO_WORDS)} | BETWEEN_TEMPO_WORDS
    if word.lower() not in middles:
        raise InputError(f"unknown tempo word {quoted(word)}; use one of {', '.join(TEMPO_WORDS)}")
    return min(middles[word.lower()] * beats_counted(meter), MAX_BPM)


_TEMPO = re.compile(  # 120, ~120, "120,5 bpm", 90-100, Allegro (132)
    rf"(?i:(?:{'|'.join(TEMPO_WORDS)})[ ,(]+)?[~≈]?\s*([+-]?\d+(?:[.,]\d+)?)(?:\s*[-–]\s*(\d+(?:[.,]\d+)?))?\s*(?i:bpm)?\)?"
)


def parse_tempo(value, meter=None):
    """Return bpm as float from a number, a range or a tempo word, whose beat `meter` tells. Raises InputError outside 20..300 bpm."""
    text = str(value).strip()
    if text.lower() in (word.lower() for word in (*TEMPO_WORDS, *BETWEEN_TEMPO_WORDS)):
        return word_tempo(text, meter)
    match = _TEMPO.fullmatch(text)
    if not match:
        raise InputError(f"unknown tempo {quoted(text)}; give {MIN_BPM}-{MAX_BPM} bpm, or a word: {', '.join(TEMPO_WORDS)}")
    numbers = [float(number.replace(",", ".")) for number in match.groups() if number]
    bpm = sum(numbers) / len(numbers)  # of a range its middle
    if not MIN_BPM <= bpm <= MAX_BPM:
        side = f"below {MIN_BPM}" if bpm < MIN_BPM else f"above {MAX_BPM}"
        counted = f"; {meter} counts {meter.beats} beats a bar" if meter and beats_counted(meter) > 1 else ""
        raise InputError(f"tempo {bpm:g} bpm is {side}{counted}; give beats per minute, {MIN_BPM}-{MAX_BPM}")
    return bpm


# ---------------------------------------------------------------------------------------------------- dynamics


@dataclass(frozen=True)
class Dynamics:
    """A steady change of loudness, linear in dB, by a factor down to `floor`.

    kind: "crescendo" or "decrescendo". where: "start", from the start until `turn_s`, or "end", from `turn_s` to the end; beyond
    the change the gain stays. turn_s None: midway, as captions may say.
    """

    kind: str
    where: str
    turn_s: float | None
    floor: float | None = None

    def gain_db(self, times_s, duration_s):
        """Return the gain in dB at each time."""
        first_s, last_s = (0.0, self.turn_s) if self.where == "start" else (self.turn_s, duration_s)
        share = np.clip((np.asarray(times_s) - first_s) / max(last_s - first_s, 1e-9), 0, 1)
        return 20 * np.log10(self.floor) * (1 - share if self.kind == "crescendo" else share)
