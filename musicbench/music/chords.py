"""Chords: Harte's symbols and those of lead sheets, read and written, inverted, transposed, reduced."""

import re
from dataclasses import dataclass, field, replace

from musicbench import InputError, quoted
from musicbench.music.chordtypes import degree_semitones, intervals_of, nearest_type
from musicbench.music.notes import NOTE, ascii_accidentals, pitch_class, spell_above, spell_note
from musicbench.music.suffixes import nearest_spelling, read_harte_type, read_type, suffix_of

EXAMPLES = "C, F#m7, Bbmaj7, Csus4, G7b9, Am7/C, A:min7/b3, N"


BASS_DEGREES = ("1", "b2", "2", "b3", "3", "4", "b5", "5", "b6", "6", "b7", "7")

VOCABULARIES = {
    "majmin": ("maj", "min"),
    "triads": ("maj", "min", "dim", "aug", "sus4", "sus2"),
    "sevenths": ("maj", "min", "7", "maj7", "min7"),
    "tetrads": ("maj", "min", "7", "maj7", "min7", "dim", "aug", "sus4", "sus2", "hdim7", "dim7", "maj6", "min6", "minmaj7"),
    # What the released Mustango's chord tokenizer knows.
    "mustango": ("maj", "maj7", "min", "min6", "min7", "hdim7", "maj6", "7", "aug", "dim"),
}


def bass_degree(text):
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
                f"unknown chord {quoted(text)}: {quoted(rest)} is no chord type known here; the nearest is "
                f"{nearest_symbol(symbol)}; "
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
            return quality, (root + bass_degree(below)) % 12, None
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
