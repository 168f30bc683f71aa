"""Chord types: what stands after the root of a chord symbol, read into thirds, fifths, sevenths and added notes; and written back.

A type's name is Harte's ("Symbolic representation of musical chords", ISMIR 2005): a shorthand, then added (b9) or missing (*5)
degrees: `7(b9,b13)`. Numbers are semitones above the root.
"""

import re
from dataclasses import dataclass, replace
from functools import lru_cache

DEGREES = {"1": 0, "2": 2, "3": 4, "4": 5, "5": 7, "6": 9, "7": 11, "8": 12, "9": 14, "10": 16, "11": 17, "12": 19, "13": 21}


@dataclass(frozen=True)
class Notes:
    """What a chord type is made of. `third` is 2 or 5 where it is suspended; None means that the note is missing.

    added: degrees above the seventh or beside the triad, by name: "6", "9", "b9", "#11", "b13".
    """

    third: int | None = 4
    fifth: int | None = 7
    seventh: int | None = None
    added: frozenset = frozenset()

    @property
    def intervals(self):
        """The notes as semitones above the root within one octave, rising, root first."""
        inside = {0, self.third, self.fifth, self.seventh} - {None}
        return tuple(sorted(inside | {degree_semitones(name) % 12 for name in self.added}))


def degree_semitones(name):
    """Return the semitones of a degree: `degree_semitones("b9") == 13`. Raises KeyError for an unknown one."""
    number = name.lstrip("b#")
    return DEGREES[number] + name.count("#") - name.count("b")


def _made(third=4, fifth=7, seventh=None, *added):
    return Notes(third, fifth, seventh, frozenset(added))


# Harte's shorthands, and 11, 13 and 5, which he does not have.
SHORTHANDS = {
    "maj": _made(), "min": _made(3), "dim": _made(3, 6), "aug": _made(4, 8), "sus4": _made(5), "sus2": _made(2), "5": _made(None),
    "maj7": _made(4, 7, 11), "min7": _made(3, 7, 10), "7": _made(4, 7, 10), "dim7": _made(3, 6, 9), "hdim7": _made(3, 6, 10),
    "minmaj7": _made(3, 7, 11), "maj6": _made(4, 7, None, "6"), "min6": _made(3, 7, None, "6"),
    "9": _made(4, 7, 10, "9"), "maj9": _made(4, 7, 11, "9"), "min9": _made(3, 7, 10, "9"),
    "11": _made(4, 7, 10, "9", "11"), "maj11": _made(4, 7, 11, "9", "11"), "min11": _made(3, 7, 10, "9", "11"),
    "13": _made(4, 7, 10, "9", "13"), "maj13": _made(4, 7, 11, "9", "13"), "min13": _made(3, 7, 10, "9", "13"),
}  # fmt: skip

# Types with a spelling of their own: name -> (lead-sheet suffix, other spellings). The order is the order of preference of `nearest`.
SPELLINGS = {
    "maj": ("", ("M", "major", "ma")),
    "min": ("m", ("-", "minor", "mi")),
    "7": ("7", ("dom7", "dom")),
    "maj7": ("maj7", ("M7", "ma7", "Δ", "Δ7", "j7", "mj7", "Mj7", "MJ7", "MAJ7", "major7")),
    "min7": ("m7", ("-7", "mi7", "minor7")),
    "dim": ("dim", ("°", "o", "diminished")),
    "aug": ("aug", ("+", "augmented")),
    "sus4": ("sus4", ("sus", "4")),
    "sus2": ("sus2", ()),
    "hdim7": ("m7b5", ("ø", "ø7", "hdim")),
    "dim7": ("dim7", ("°7", "o7")),
    "maj6": ("6", ("M6", "add6", "ma6")),
    "min6": ("m6", ("-6", "mi6")),
    "minmaj7": ("mM7", ("mmaj7", "mmj7", "m(maj7)", "min(maj7)", "-Δ7", "-M7", "mΔ", "mΔ7")),
    "sus4(b7)": ("7sus4", ("7sus", "sus4,7", "sus7")),
    "aug(b7)": ("7#5", ("aug7", "+7", "7+")),
    "7(*5,b5)": ("7b5", ()),
    "maj(9)": ("add9", ("2", "add2")),
    "min(9)": ("madd9", ("m2", "madd2")),
    "9": ("9", ()),
    "maj9": ("maj9", ("M9", "ma9", "Δ9")),
    "min9": ("m9", ("-9", "mi9")),
    "maj6(9)": ("6/9", ("69", "6add9", "maj6/9")),
    "7(b9)": ("7b9", ()),
    "7(#9)": ("7#9", ()),
    "11": ("11", ()),
    "min11": ("m11", ("-11", "mi11")),
    "13": ("13", ()),
    "5": ("5", ("power", "no3")),
    "min6(9)": ("m6/9", ("m69",)),
    "maj13": ("maj13", ()),
    "min13": ("m13", ()),
    "maj11": ("maj11", ()),
    "7(b9,13)": ("13b9", ()),
    "7(#9,13)": ("13#9", ()),
    "maj(11)": ("add11", ("add4",)),
    "min(11)": ("madd11", ("madd4", "m4")),
    "sus2(b7)": ("7sus2", ()),
    "sus4(b7,9)": ("9sus4", ()),
    "sus4(b7,9,13)": ("13sus4", ()),
    "aug(7)": ("maj7#5", ()),
    "maj7(#11)": ("maj7#11", ()),
    "7(#11)": ("7#11", ()),
    "7(b13)": ("7b13", ()),
    "7(b9,#9,b13)": ("7alt", ("alt",)),
}
_BY_SPELLING = {spelling: name for name, (suffix, others) in SPELLINGS.items() for spelling in (name, suffix, *others)}


# ---------------------------------------------------------------------------------------------------- Harte's names


@lru_cache(4096)
def notes_of(name):
    """Return the Notes of a type's name: `notes_of("7(b9)")`. Raises KeyError or ValueError for what is no name."""
    shorthand, bracket, degrees = name.partition("(")
    listed = degrees.removesuffix(")").split(",") if bracket else ()
    notes = SHORTHANDS[shorthand] if shorthand else _listed(listed)
    for degree in listed if shorthand else ():
        notes = _without(notes, degree[1:]) if degree.startswith("*") else _with_degree(notes, degree)
    return notes


def _listed(degrees):
    """Return the Notes of Harte's list without a shorthand, (1,5): no others, the 4th or 2nd in place of a missing third."""
    notes = Notes(None, None)
    for degree in degrees:
        notes = notes if degree == "1" else _with_degree(notes, degree)
    for degree, name, third in (("4", "11", 5), ("2", "9", 2)):
        if notes.third is None and degree in degrees:
            notes = replace(notes, third=third, added=notes.added - {name})
    return notes


def _with_degree(notes, degree):
    number = degree.lstrip("b#")
    semitones = degree_semitones(degree)
    if number == "5":
        return replace(notes, fifth=semitones)
    if number == "7":
        return replace(notes, seventh=semitones)
    if number == "3":
        return replace(notes, third=semitones)
    higher = {"2": "9", "4": "11", "10": "3", "12": "5"}
    return replace(notes, added=notes.added | {degree.replace(number, higher.get(number, number))})


def _without(notes, degree):
    number = degree.lstrip("b#")
    places = {"3": "third", "5": "fifth", "7": "seventh"}
    if number in places:
        return replace(notes, **{places[number]: None})
    return replace(notes, added=notes.added - {degree})


_NAMES = {}  # Notes -> the name that has a spelling of its own, or is a shorthand
for _name in (*SPELLINGS, *SHORTHANDS):
    _NAMES.setdefault(notes_of(_name), _name)


@lru_cache(4096)
def name_of(notes):
    """Return the name of Notes, a shorthand with as few degrees added or missing as can be."""
    if notes in _NAMES:
        return _NAMES[notes]
    best, fewest = "", 99
    for shorthand, base in SHORTHANDS.items():
        changes = _changes(base, notes)
        cost = len(changes) + 3 * sum(change.startswith("*") for change in changes) if changes is not None else 99
        if cost < fewest:
            best, fewest = f"{shorthand}({','.join(changes)})", cost
    return best


def _changes(base, notes):
    """Return the degrees that turn one into the other, or None where a third would have to be moved."""
    changes = []
    if base.third != notes.third:
        if notes.third is not None:
            return None
        changes.append("*b3" if base.third == 3 else "*3")
    if base.fifth != notes.fifth:
        changes.append("*b5" if base.fifth == 6 else "*#5" if base.fifth == 8 else "*5")
        changes += {6: ["b5"], 8: ["#5"], 7: ["5"]}.get(notes.fifth, [])
    if base.seventh != notes.seventh:
        changes += {10: ["b7"], 11: ["7"], 9: ["bb7"]}.get(notes.seventh, ["*7"])
    missing, added = base.added - notes.added, notes.added - base.added
    changes += [f"*{degree}" for degree in sorted(missing, key=degree_semitones)]
    return changes + sorted(added, key=degree_semitones)


# ---------------------------------------------------------------------------------------------------- lead-sheet suffixes

_PARTS = re.compile(
    r"(?P<major>maj(?:or)?|Maj(?:or)?|MAJ(?:OR)?|MA|Ma|ma|M(?![iI])|Δ|\^|j(?=7))"
    r"|(?P<minor>min(?:or)?|Min(?:or)?|MIN(?:OR)?|MI|Mi|mi|m)"
    r"|(?P<half>ø|hdim|half-?dim(?:inished)?|h(?=7|$))|(?P<dim>dim(?:inished)?|Dim|DIM|°|o(?![a-z]))|(?P<aug>aug(?:mented)?|Aug|AUG)"
    r"|(?P<sus>[sS]us(?:24|42|2|4)?|SUS(?:24|42|2|4)?)|(?P<omit>(?:no|omit) ?(?:3r?d?|5(?:th)?))|(?P<alt>alt|Alt|ALT)|(?P<dom>dom)|(?P<power>power)"
    r"|(?P<add>(?:add|Add|ADD) ?[b#]?(?:13|11|9|7|6|5|4|2))|(?P<degree>[b#+-]?(?:13|11|10|69|9|7|6|5|4|2)(?!\d))"
    r"|(?P<sign>[+-])|(?P<gap>[, ()/])"
)


class _Suffix:
    """The state while a suffix is read from left to right."""

    def __init__(self):
        self.notes, self.is_major, self.seen, self.in_brackets = Notes(), False, [], False

    def set(self, **changes):
        self.notes = replace(self.notes, **changes)

    def add(self, degree):
        self.notes = _with_degree(self.notes, degree)

    def major(self, text):
        is_c7m = "7" in self.seen and self.notes.seventh == 10
        if text in "Δ^" or is_c7m:
            self.set(seventh=11)
        self.is_major = True

    def minor(self, _):
        if self.seen:
            raise ValueError("minor stands first")
        self.set(third=3)

    def half(self, _):
        self.set(third=3, fifth=6, seventh=10)

    def dim(self, _):
        self.set(third=3, fifth=6)

    def aug(self, _):
        self.set(fifth=8)

    def alt(self, _):
        self.set(seventh=10)
        for degree in ("b9", "#9", "b13"):
            self.add(degree)

    def dom(self, _):
        self.set(seventh=10)

    def power(self, _):
        self.set(third=None)

    def omit(self, text):
        self.set(**({"third": None} if "3" in text else {"fifth": None}))

    def sus(self, text):
        digits = re.sub(r"\D", "", text)
        if digits == "2":
            self.set(third=2)
            return
        if "2" in digits or self.notes.third == 2:
            self.add("9")
        self.set(third=5)

    def added(self, text):
        degree = re.sub(r"(?i)add ?", "", text)
        if degree == "7":
            degree = "b7"
        if degree == "5":
            return
        self.add(degree)

    def sign(self, text):
        if text == "+":
            self.aug(text)
        elif self.seen:
            raise ValueError("a minus after the first place needs a degree")
        else:
            self.minor(text)

    def degree(self, text):
        sign, number = (text[0], text[1:]) if text[0] in "b#+-" else ("", text)
        if sign and sign in "+-" and number in ("2", "4") and "sus" in self.seen:  # sus-4
            self.sus(number)
            return
        if sign and sign in "+#" and number == "7" and self.notes.third == 3:  # Cm(+7), Cm#7
            self.set(seventh=11)
            return
        if sign == "+" and number in ("7", "6") or (sign == "+" and not self.seen and number == "9"):
            self.aug("+")
            sign = ""
        if sign == "-" and not self.seen and number != "5":
            self.set(third=3)
            sign = ""
        sign = {"+": "#", "-": "b"}.get(sign, sign)
        if sign:
            self.altered(sign, number)
        else:
            self.plain(number)
        self.seen.append(number)

    def altered(self, sign, number):
        number = {"2": "9", "4": "11", "6": "13"}.get(number, number)
        sign, number = ("#", "9") if sign + number == "b10" else (sign, number)
        if number == "5" and self.notes.seventh is not None and self.notes.fifth not in (7, 6 if sign == "b" else 8):
            raise ValueError("a fifth cannot be altered twice")
        if number in ("7", "10", "69"):
            raise ValueError(f"an altered {number}")
        if number == "9" and {"11", "13"} & set(self.seen):  # 13b9 has one ninth
            self.set(added=self.notes.added - {"9"})
        self.add(sign + number)

    def plain(self, number):
        first = not any(n in self.seen for n in ("7", "9", "11", "13"))
        if number == "5" and not self.seen and self.notes == Notes():
            self.set(third=None)
        elif number == "69":
            self.add("6")
            self.add("9")
        elif number == "4" and self.notes.third == 3:  # Am4 stays minor
            self.add("11")
        elif number == "4" and self.notes.third == 4 and "6" not in self.seen:
            self.set(third=5)
        elif number == "2" and self.notes.seventh is None:
            self.add("9")
        elif number == "6" and self.notes.seventh is None:
            self.add("6")
        elif number == "9" and "6" in self.seen:
            self.add("9")
        elif number in ("7", "9", "11", "13"):
            is_added = number != "7" and not self.is_major and (self.in_brackets or "add" in self.seen)
            if first and self.notes.seventh is None and not is_added:
                self.extend(number)
            elif number != "7":
                self.add(number)
            elif self.is_major and self.notes.seventh == 10:
                self.set(seventh=11)
        else:
            raise ValueError(f"{number} at this place")

    def extend(self, number):
        is_full_dim = self.notes.third == 3 and self.notes.fifth == 6 and "half" not in self.seen
        seventh = 11 if self.is_major else 10
        if is_full_dim and not self.is_major and number == "7":
            seventh = 9
        self.set(seventh=seventh)
        for degree in {"9": ("9",), "11": ("9", "11"), "13": ("9", "13")}.get(number, ()):
            self.add(degree)


@lru_cache(4096)
def read_type(text):
    """Return the name of the chord type that a text after the root means, as a lead sheet or Harte writes it; None for no type.

    `read_type("7b9") == read_type("7(b9)") == "7(b9)"`.
    """
    if text in _BY_SPELLING:
        return _BY_SPELLING[text]
    if text.count("(") != text.count(")") or not text or text[-1] in "/, ":
        return None
    state, place = _Suffix(), 0
    while place < len(text):
        match = _PARTS.match(text, place)
        if not match:
            return None
        kind, part = match.lastgroup, match[0]
        place = match.end()
        if part == "/" and not state.in_brackets:  # a bass, or "6/9"
            return None
        if kind == "gap":
            state.in_brackets = part == "(" or (state.in_brackets and part != ")")
            continue
        try:
            getattr(state, "added" if kind == "add" else kind)(part)
        except (ValueError, KeyError):
            return None
        if kind not in ("degree", "major"):
            state.seen.append(kind)
        elif kind == "major":
            state.seen.append("maj")
    return name_of(state.notes)


def read_harte_type(text):
    """Return the name of a type as it stands after Harte's colon, `min7`, `maj(9)`, `7(*5,b5)`; lead-sheet suffixes are read too."""
    try:
        return name_of(notes_of(text)) if text else None
    except (KeyError, ValueError):
        return read_type(text)


@lru_cache(4096)
def suffix_of(name):
    """Write a type as a lead sheet does: `suffix_of("min7") == "m7"`, `suffix_of("7(*5,b5,b9)") == "7(b5,b9)"`."""
    if name in SPELLINGS:
        return SPELLINGS[name][0]
    base, _, degrees = name.removesuffix(")").partition("(")
    if not degrees:
        return name.replace("min", "m")
    is_triad = notes_of(base).seventh is None
    kept = [degree for degree in degrees.split(",") if not degree.startswith("*")]
    signs = "".join(f"add{degree}" if is_triad and degree[0] not in "b#" else f"({degree})" for degree in kept).replace(")(", ",")
    gone = "".join(f"no{degree.lstrip('*b#')}" for degree in degrees.split(",") if degree.startswith("*"))
    suffixes = (suffix_of(base) + signs, suffix_of(base) + signs + gone)
    return next((suffix for suffix in suffixes if read_type(suffix) == name), f":{name}")


def intervals_of(name):
    """Return the semitones above the root of a type's notes, rising: `intervals_of("min7") == (0, 3, 7, 10)`."""
    return notes_of(name).intervals


# ---------------------------------------------------------------------------------------------------- the nearest type


def _distance(own, other):
    """Return how much of a chord is lost in another: a wrong third most, then seventh, fifth, added notes."""
    is_eleventh = own.third == 4 and own.seventh == 10 and {"9", "11"} <= own.added
    if is_eleventh and other.third == 5 and other.seventh == 10:  # C11 is played without its third, as C9sus4
        own = replace(own, third=5, added=own.added - {"11"})
        return _distance(own, other) - 0.5
    cost = 0.0
    if own.third != other.third:
        cost += 10 if own.third in (3, 4) and other.third in (3, 4) else 6
        cost += 0.5 * (own.third not in (3, 4) and other.third == 3)  # a suspended chord resolves to major
    if own.fifth != other.fifth:
        cost += 4 if (own.third, own.fifth) == (3, 6) else 3
    if own.seventh != other.seventh:
        sevenths = {own.seventh, other.seventh}
        is_wrong = sevenths in ({10, 11}, {9, 11})
        cost += 4 if is_wrong else 1 if sevenths == {9, None} else 3.5
    if "9" in other.added and own.added & {"b9", "#9"}:  # never a natural ninth against an altered one
        cost += 5
    return cost + len(own.added - other.added) + 1.5 * len(other.added - own.added)


@lru_cache(4096)
def nearest_type(name, allowed):
    """Return the type in `allowed` (a tuple of names) that loses least of a chord; the first of equals."""
    if name in allowed:
        return name
    own = notes_of(name)
    return min(allowed, key=lambda other: _distance(own, notes_of(other)))


def nearest_spelling(text):
    """Return the longest beginning of a suffix that is a chord type: "7" for "7xyz"; "" where none is."""
    text = text.lstrip(":")[:40]
    return next(text[:n] for n in range(len(text), -1, -1) if n == 0 or read_type(text[:n]))
