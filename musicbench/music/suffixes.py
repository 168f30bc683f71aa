"""What stands after the root of a chord symbol in a lead sheet, read into a chord type and written back."""

import re
from dataclasses import replace
from functools import lru_cache

from musicbench.music.chordtypes import SPELLINGS, Notes, name_of, notes_of, with_degree

_BY_SPELLING = {spelling: name for name, (suffix, others) in SPELLINGS.items() for spelling in (name, suffix, *others)}
_PARTS = re.compile(
    r"(?P<major>maj(?:or)?|Maj(?:or)?|MAJ(?:OR)?|MA|Ma|ma|M(?![iI])|Δ|\^|j(?=7))"
    r"|(?P<minor>min(?:or)?|Min(?:or)?|MIN(?:OR)?|MI|Mi|mi|m)"
    r"|(?P<half>ø|hdim|half-?dim(?:inished)?|h(?=7|$))|(?P<dim>dim(?:inished)?|Dim|DIM|°|o(?![a-z]))"
    r"|(?P<aug>aug(?:mented)?|Aug|AUG)"
    r"|(?P<sus>[sS]us(?:24|42|2|4)?|SUS(?:24|42|2|4)?)|(?P<omit>(?:no|omit) ?(?:3r?d?|5(?:th)?))|(?P<alt>alt|Alt|ALT)"
    r"|(?P<dom>dom)|(?P<power>power)"
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
        self.notes = with_degree(self.notes, degree)

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


def nearest_spelling(text):
    """Return the longest beginning of a suffix that is a chord type: "7" for "7xyz"; "" where none is."""
    text = text.lstrip(":")[:40]
    return next(text[:n] for n in range(len(text), -1, -1) if n == 0 or read_type(text[:n]))
