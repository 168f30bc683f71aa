"""Scale degrees in a prompt: "1 5 6m 4 in G", "a 2-5-1", "two-five-one", "country in G, 1-4-5"."""

import re

from musicbench.prompt.reading import CHORD_WORDS

# "1564 in G", "145 blues in E", "the 251 progression": three or four degrees without blanks, which are no year and no tempo.
_GLUED = re.compile(
    r"(?<![\w.:/#$-])(?<!\b(?:from|year) )(?<!\b(?:of|in|by) )(?=[2-7]*1)(?!(?:\d*(\d)\1))[1-7]{3,4}(?= (?:[a-z]+ ){0,2}in (?:the key of )?[A-G](?:b|#)?m?\b| (?:chord )?(?:progression|changes|turnaround|cadence|loop|vamp)\b)"
)
_NO_TEMPO = re.compile(r" (?:blues|country|chord|progression|changes|turnaround|cadence)\b")
_QUALITY = r"(?:-7(?!-)|-(?!\d)|m(?:aj)?7?|min7?|maj7|M7|sus[24]?|dim7?|°7?|ø7?|add9|[79]|\((?:maj7|7|9)\))"
_DEGREE = rf"[b#]?[1-7]{_QUALITY}?(?:/[b#]?[1-7])?"
_LIST = re.compile(rf"(?<![\w./:#-]){_DEGREE}(?:(?: ?[|,] ?| ?- ?| ){_DEGREE}){{2,31}}(?![\w/:%]|\.\d| ?bpm| ?/)")
_PLAIN = re.compile(r"[1-7]")
_NAMED = "|".join(sorted(CHORD_WORDS - {"harmony", "sequence"}))
_BEFORE = re.compile(rf"\b(?:{_NAMED}|nashville|numbers?|degrees)\b[ :=]*(?:(?:is|are|of|like|as|go|goes|follows)[ :=]+)*$", re.I)
_AFTER = re.compile(
    rf"[ ,-]*(?:{_NAMED}|turnaround|cadence|vamp|loop(?! pedal| station)|(?:\w+ ){{0,2}}in (?:the key of )?(?-i:[A-G])\b)", re.I
)
_KEY = re.compile(
    r"\b(?:in|key|of|is) (?:of )?[A-G][b#]?m?\b|\b[A-G](?:b|#| flat| sharp)?[ -]?(?:major|minor|maj|min)\b|\b[A-G][b#]?m?: ", re.I
)
_WORDS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7}
_SPOKEN = re.compile(rf"\b(?:{'|'.join(_WORDS)})(?:-(?:{'|'.join(_WORDS)})){{2,31}}\b", re.I)
_ROMANS = {"major": ("I", "ii", "iii", "IV", "V", "vi", "vii°"), "minor": ("i", "ii°", "III", "iv", "V", "VI", "VII")}


def read_degrees(reading):
    """Use the tokens of the first list of degrees and return it: numbers, or texts such as "6m"; None where there is none."""
    for match in _LIST.finditer(reading.text):
        degrees = re.findall(_DEGREE, match[0])
        if _are_degrees(reading.text, match, degrees):
            _use(reading, match)
            is_plain = all(_PLAIN.fullmatch(degree) for degree in degrees)
            return [int(degree) for degree in degrees] if is_plain else degrees
    glued = _GLUED.search(reading.text)
    if glued and (int(glued[0]) > 250 or _NO_TEMPO.match(reading.text, glued.end())):
        _use(reading, glued)
        degrees = [int(digit) for digit in glued[0]]
        reading.note("chords", f"{glued[0]!r} in the prompt is read as the degrees {' '.join(glued[0])}")
        return degrees
    for match in _SPOKEN.finditer(reading.text):
        _use(reading, match)
        return [_WORDS[word] for word in match[0].lower().split("-")]
    return None


def _use(reading, match):
    reading.used.update(i for i, token in enumerate(reading.tokens) if token.start < match.end() and token.end > match.start())


def _are_degrees(text, match, degrees):
    """Return whether the words around digits say that they are degrees: "progression", "in D", or a key elsewhere; "1 2 3 4" is a count."""
    before, after = text[max(match.start() - 40, 0) : match.start()], text[match.end() :]
    if re.match(r" ?(?:time|bars?|beats?|count|seconds?|minutes?|takes?|people|players?)\b", after):
        return False
    if _BEFORE.search(before) or re.match(rf"[ ,-]*(?:{_NAMED}|turnaround|cadence)\b", after, re.I):
        return True
    numbers = [int(re.search(r"[1-7]", degree)[0]) for degree in degrees]
    steps = {b - a for a, b in zip(numbers, numbers[1:], strict=False)}
    return steps not in ({1}, {-1}, {0}) and bool(_AFTER.match(after) or _KEY.search(before) or _KEY.search(after))


def numerals_of(degrees, key):
    """Write scale degrees as Roman numerals of a key: `numerals_of([2, 5, 1], C major) == "ii V I"`; texts among them as they are."""
    if any(isinstance(degree, str) for degree in degrees):
        return " ".join(degrees)
    return " ".join(_ROMANS[key.mode][degree - 1] for degree in degrees)


_OF_RELATIVE = {"I": "III", "ii": "iv", "iii": "v", "IV": "VI", "V": "VII", "vi": "i", "vii": "ii"}


def in_minor(line):
    """Write numerals that count from the relative major, "vi IV I V" of A minor, as those of the minor key: "i VI III VII"."""
    numerals = re.findall(r"[ivIV]+", line)
    if not {"vi", "I"} <= set(numerals) or not set(numerals) <= set(_OF_RELATIVE):
        return line
    return re.sub(r"[ivIV]+", lambda match: _OF_RELATIVE[match[0]], line)
