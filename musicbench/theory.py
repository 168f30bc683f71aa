"""Chords, keys, meters, tempo words and dynamics: parse, spell, transpose, reduce.

Everything here is plain data without audio. Pitch classes are 0..11 with C = 0. Chord grammar after Harte et al.,
"Symbolic representation of musical chords" (ISMIR 2005); lead-sheet spellings are read as well.
"""

import re
from collections import Counter
from dataclasses import dataclass, replace

import numpy as np

from musicbench import InputError

# ---------------------------------------------------------------------------------------------------- notes

LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
FIFTHS = ["F", "C", "G", "D", "A", "E", "B"]  # the line of fifths: each note is a fifth above the one before
PLAIN_NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
NOTE = r"[A-G](?:##|bb|#|b)?"
_UNICODE = str.maketrans({"♯": "#", "♭": "b", "–": "-", "−": "-", "△": "Δ", "º": "°", "Ø": "ø", "’": "'"})
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

# Harte shorthand -> (semitones above the root, lead-sheet suffix, other spellings). The order is the order of preference
# in `Chord.reduced`.
QUALITIES = {
    "maj": ((0, 4, 7), "", ("M", "major", "ma")),
    "min": ((0, 3, 7), "m", ("-", "minor", "mi")),
    "7": ((0, 4, 7, 10), "7", ("dom7", "dom")),
    "maj7": ((0, 4, 7, 11), "maj7", ("M7", "ma7", "Δ", "Δ7", "j7", "major7")),
    "min7": ((0, 3, 7, 10), "m7", ("-7", "mi7", "minor7")),
    "dim": ((0, 3, 6), "dim", ("°", "o", "diminished")),
    "aug": ((0, 4, 8), "aug", ("+", "augmented")),
    "sus4": ((0, 5, 7), "sus4", ("sus", "4")),
    "sus2": ((0, 2, 7), "sus2", ()),
    "hdim7": ((0, 3, 6, 10), "m7b5", ("ø", "ø7", "-7b5", "min7b5", "m7(b5)", "mi7b5", "hdim")),
    "dim7": ((0, 3, 6, 9), "dim7", ("°7", "o7")),
    "maj6": ((0, 4, 7, 9), "6", ("M6", "add6", "ma6")),
    "min6": ((0, 3, 7, 9), "m6", ("-6", "mi6")),
    "minmaj7": ((0, 3, 7, 11), "mM7", ("mmaj7", "m(maj7)", "min(maj7)", "-Δ7", "-M7", "mΔ", "mΔ7")),
    "sus4(b7)": ((0, 5, 7, 10), "7sus4", ("7sus", "sus4,7", "sus7")),
    "aug(b7)": ((0, 4, 8, 10), "7#5", ("aug7", "+7", "7+", "7(#5)")),
    "7(*5,b5)": ((0, 4, 6, 10), "7b5", ("7(b5)",)),
    "maj(9)": ((0, 2, 4, 7), "add9", ("(add9)", "2", "add2")),
    "min(9)": ((0, 2, 3, 7), "madd9", ("m(add9)", "m2", "madd2")),
    "9": ((0, 2, 4, 7, 10), "9", ()),
    "maj9": ((0, 2, 4, 7, 11), "maj9", ("M9", "ma9", "Δ9")),
    "min9": ((0, 2, 3, 7, 10), "m9", ("-9", "mi9")),
    "maj6(9)": ((0, 2, 4, 7, 9), "6/9", ("69", "6add9", "maj6/9")),
    "7(b9)": ((0, 1, 4, 7, 10), "7b9", ()),
    "7(#9)": ((0, 3, 4, 7, 10), "7#9", ()),
    "11": ((0, 2, 4, 5, 7, 10), "11", ()),
    "min11": ((0, 2, 3, 5, 7, 10), "m11", ("-11", "mi11")),
    "13": ((0, 2, 4, 7, 9, 10), "13", ()),
    "5": ((0, 7), "5", ("power", "no3")),
}
_QUALITY_OF = {spelling: name for name, (_, suffix, others) in QUALITIES.items() for spelling in (name, suffix, *others)}
_PLAINER = (  # other ways to write a chord type
    (r"M(?:AJ(?:OR)?|aj(?:or)?|A|a)(?![a-z])", "maj"), (r"M(?:IN(?:OR)?|in(?:or)?|I|i)(?![a-z])", "min"), (r"\^", "Δ"),
    (r"(?<=\d)-(?=\d)", "b"), (r"(?<=\d)\+(?=\d)", "#"), (r"\(([^()]*)\)", r"\1"),
)  # fmt: skip
DEGREES = {"1": 0, "2": 2, "3": 4, "4": 5, "5": 7, "6": 9, "7": 11, "8": 12, "9": 14, "10": 16, "11": 17, "12": 19, "13": 21}
BASS_DEGREES = ("1", "b2", "2", "b3", "3", "4", "b5", "5", "b6", "6", "b7", "7")

VOCABULARIES = {
    "majmin": ("maj", "min"),
    "triads": ("maj", "min", "dim", "aug", "sus4", "sus2"),
    "sevenths": ("maj", "min", "7", "maj7", "min7"),
    "tetrads": ("maj", "min", "7", "maj7", "min7", "dim", "aug", "sus4", "sus2", "hdim7", "dim7", "maj6", "min6", "minmaj7"),
    # What the released Mustango's chord tokenizer knows.
    "mustango": ("maj", "maj7", "min", "min6", "min7", "hdim7", "maj6", "7", "aug", "dim"),
}


def _plainer(chord_type):
    for pattern, plain in _PLAINER:
        chord_type = chord_type if chord_type in _QUALITY_OF else re.sub(pattern, plain, chord_type)
    return chord_type


def _quality(chord_type):
    return _QUALITY_OF.get(_plainer(chord_type))


def _degree(text):
    match = re.fullmatch(r"([b#]*)(\d+)", text)
    if not match or match[2] not in DEGREES:
        raise InputError(f"unknown bass {quoted(text)} after the slash; write a note (C/E) or a degree (C:maj/3)")
    return (DEGREES[match[2]] + match[1].count("#") - match[1].count("b")) % 12


def _with_tension(chord_type, added):
    """Return the quality of a lead sheet's `7/9` (which is 9), `sus4/7` (7sus4) or `m/maj7`; None where there is none."""
    if chord_type.endswith("7") and added in ("9", "11", "13"):
        ways = (chord_type[:-1] + added,)
    else:
        ways = (f"{chord_type}add{added}", chord_type + added, added + chord_type)[: 3 if chord_type else 1]
    return next(filter(None, map(_quality, ways)), None)


def nearest_symbol(symbol):
    """Return the known spelling nearest to an unknown chord symbol: C7 for C7alt, Cmaj9 for Cmaj13; None without a root."""
    match = re.match(NOTE, symbol)
    if not match:
        return None
    rest = re.sub(r"(?<=[mj])13", "9", _plainer(symbol[match.end() :].lstrip(":")[:40]))
    known = "7sus4" if "sus" in rest else next(rest[:n] for n in range(len(rest), -1, -1) if rest[:n] in _QUALITY_OF)
    return match[0] + known


@dataclass(frozen=True)
class Chord:
    """A chord symbol. `root` and `bass` are pitch classes, `root` None for no chord (N); `quality` is a key of QUALITIES.

    `bass` is None in root position.
    """

    root: int | None = None
    quality: str = "maj"
    bass: int | None = None

    @classmethod
    def parse(cls, text):
        """Read a Harte (`A:min7/b3`) or lead-sheet (`Am7/C`) symbol, `N` for none. Raises InputError for anything else."""
        symbol = ascii_accidentals(text.strip())
        symbol = symbol[1:-1] if re.fullmatch(r"\(.*\)|\[.*\]", symbol) else symbol
        if re.fullmatch(r"N\.?(?:C\.?)?", symbol):
            return cls()
        match = re.match(NOTE, symbol)
        if not match:
            fixed = symbol[:1].upper() + symbol[1:40]
            hint = f"did you mean {fixed}?" if fixed != symbol and re.match(NOTE, fixed) else "start with a root A to G"
            hint = "write a repeat as |: C G :|" if re.match(r"\(?[xX×]\d|\d\.", symbol) else hint
            raise InputError(f"unknown chord {quoted(text)}; {hint} (examples: C, F#m7, Bbmaj7, Csus4, Am7/C, A:min7/b3, N)")
        root, rest = pitch_class(match[0]), symbol[match.end() :]
        body, is_harte, bass = rest.removeprefix(":"), rest.startswith(":"), None
        quality = _quality(body) if rest != ":" else None
        if quality is None and "/" in body:  # "6/9" has a slash of its own
            body, _, below = body.rpartition("/")
            quality = _quality(body)
            if re.fullmatch(NOTE, below):
                bass = pitch_class(below)
            elif is_harte or (not body and below in BASS_DEGREES):
                bass = (root + _degree(below)) % 12
            elif quality is not None:
                quality = _with_tension(body, below) if below else None
        if quality is None:
            raise InputError(
                f"unknown chord {quoted(text)}: {quoted(rest)} is no chord type known here; the nearest is {nearest_symbol(symbol)}; known "
                f"after the root: {', '.join(s or '(nothing)' for _, s, _ in QUALITIES.values())}; a bass is a note (C/E), or after a "
                "colon a degree (C:maj/3)"
            )
        return cls(root, quality, None if bass == root else bass)

    @property
    def pitch_classes(self):
        """The chord's notes as pitch classes, root first, the bass included; () for no chord."""
        if self.root is None:
            return ()
        notes = tuple((self.root + s) % 12 for s in QUALITIES[self.quality][0])
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
        return replace(self, root=(self.root + semitones) % 12, bass=bass)

    def reduced(self, vocabulary):
        """Return the nearest chord whose quality is in `vocabulary` (a name in VOCABULARIES or a list of qualities).

        Nearest: the fewest notes to change, a wrong third counting most, then fifth and seventh. The bass is kept.
        """
        allowed = VOCABULARIES[vocabulary] if isinstance(vocabulary, str) else vocabulary
        if self.root is None or self.quality in allowed:
            return self
        weight = {3: 4, 4: 4, 6: 3, 7: 2, 8: 3, 10: 2, 11: 2}
        own = set(QUALITIES[self.quality][0])
        nearest = min(allowed, key=lambda q: sum(weight.get(s, 1) for s in own ^ set(QUALITIES[q][0])))
        return replace(self, quality=nearest)

    def harte(self, key=None):
        """Write Harte style, spelled in `key`: `A:min7/b3`."""
        if self.root is None:
            return "N"
        bass = "" if self.bass is None else "/" + BASS_DEGREES[(self.bass - self.root) % 12]
        return f"{spell_note(self.root, key)}:{self.quality}{bass}"

    def lead_sheet(self, key=None):
        """Write lead-sheet style, spelled in `key`: `Am7/C`."""
        if self.root is None:
            return "N"
        root, bass = spell_note(self.root, key), ""
        if self.bass is not None:
            bass = "/" + spell_above(root, (self.bass - self.root) % 12, minor=3 in QUALITIES[self.quality][0])
        return root + QUALITIES[self.quality][1] + bass

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


def likely_key(chords):
    """Guess the key of a chord list: most chord notes in the scale, ties to the first and the last chord's root.

    Returns None when no chord sounds.
    """
    sounding = [c for c in chords if c.root is not None]
    if not sounding:
        return None

    count = Counter(pc for c in sounding for pc in c.pitch_classes)

    def fit(key):
        inside = sum(count[pc] for pc in key.scale)
        minor = 3 in QUALITIES[sounding[0].quality][0]
        first = sounding[0].root == key.pitch_class and minor == (key.mode == "minor")
        return inside + 1.5 * first + 0.5 * (sounding[-1].root == key.pitch_class)

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
    """Turn a Roman numeral into a chord of `key`: `roman_chord("ii7", C major)` is Dm7.

    Upper case is major, lower case minor; what follows is a chord type as in lead sheets (`V7`, `Imaj7`, `vii°`, `iiø7`), which
    after lower case has no major third.
    Degrees count along the key's own scale. In minor, a flat before III, VI and VII names the degree that is low there already, and
    vii° stands on the leading tone.
    """
    match = _ROMAN.fullmatch(ascii_accidentals(symbol))
    if not match:
        raise InputError(f"unknown Roman numeral {symbol!r}; write I to VII or i to vii, such as 'I V vi IV' or 'ii7 V7 Imaj7'")
    accidental, numeral, suffix = match.groups()
    degree, minor = _ROMANS[numeral.upper()], key.mode == "minor"
    if minor and degree in (3, 6, 7) and accidental == "b":
        accidental = ""
    elif minor and numeral == "vii" and not accidental and suffix.startswith(("°", "o", "dim", "ø")):
        accidental = "#"
    root = key.scale[degree - 1] + accidental.count("#") - accidental.count("b")
    kind, slash, bass = suffix.partition("/")
    if numeral.islower():  # no major third: ii7 is m7, ii7b5 m7b5, iiø7 and iisus4 are as written
        kind = next((way for way in ("m" + kind, kind) if 4 not in QUALITIES.get(_quality(way), [[4]])[0]), "?")
    try:
        return Chord.parse(spell_note(root % 12, key) + kind + slash + bass)
    except InputError:
        known = "7, maj7, 9 or °7, none with a major third" if numeral.islower() else "7, maj7 or sus4"
        raise InputError(f"unknown chord {quoted(symbol)}: {quoted(suffix)} cannot follow {numeral}; write {known}") from None


def parse_symbol(symbol, key=None):
    """Read a chord symbol, or a Roman numeral in `key` (C major when None). Raises InputError."""
    return roman_chord(symbol, key or Key("C")) if _ROMAN.match(symbol) else Chord.parse(symbol)


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
        match = re.fullmatch(r"\s*(\d{1,3})\s*/\s*(\d{1,3})\s*", str(text))
        if not match or not 2 <= int(match[1]) <= 7 or int(match[2]) not in (2, 4, 8, 16):
            raise InputError(f"unknown meter {quoted(text)}; write beats/unit with 2 to 7 beats, such as 4/4, 3/4 or 6/8")
        return cls(int(match[1]), int(match[2]))

    def __str__(self):
        return f"{self.beats}/{self.unit}"


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


def parse_tempo(value, meter=None):
    """Return bpm as float from a number or a tempo word, whose beat `meter` tells. Raises InputError outside 20..300 bpm."""
    text = str(value).strip()
    if text.lower() in (word.lower() for word in (*TEMPO_WORDS, *BETWEEN_TEMPO_WORDS)):
        return word_tempo(text, meter)
    match = re.fullmatch(r"([+-]?\d+(?:\.\d+)?)\s*(?:bpm)?", text, re.IGNORECASE)
    if not match:
        raise InputError(f"unknown tempo {quoted(text)}; give {MIN_BPM}-{MAX_BPM} bpm, or a word: {', '.join(TEMPO_WORDS)}")
    bpm = float(match[1])
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
