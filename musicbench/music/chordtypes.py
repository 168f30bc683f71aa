"""Chord types by Harte's names ("Symbolic representation of musical chords", ISMIR 2005): notes, the nearest."""

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


@lru_cache(4096)
def notes_of(name):
    """Return the Notes of a type's name: `notes_of("7(b9)")`. Raises KeyError or ValueError for what is no name."""
    shorthand, bracket, degrees = name.partition("(")
    listed = degrees.removesuffix(")").split(",") if bracket else ()
    notes = SHORTHANDS[shorthand] if shorthand else _listed(listed)
    for degree in listed if shorthand else ():
        notes = _without(notes, degree[1:]) if degree.startswith("*") else with_degree(notes, degree)
    return notes


def _listed(degrees):
    """Return the Notes of Harte's list without a shorthand, (1,5): no others, the 4th or 2nd in place of a missing third."""
    notes = Notes(None, None)
    for degree in degrees:
        notes = notes if degree == "1" else with_degree(notes, degree)
    for degree, name, third in (("4", "11", 5), ("2", "9", 2)):
        if notes.third is None and degree in degrees:
            notes = replace(notes, third=third, added=notes.added - {name})
    return notes


def with_degree(notes, degree):
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


def intervals_of(name):
    """Return the semitones above the root of a type's notes, rising: `intervals_of("min7") == (0, 3, 7, 10)`."""
    return notes_of(name).intervals


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
