"""Scale degrees as numbers in a chord line, "1 5 6- 4", as Roman numerals."""

import re

from musicbench.music.lexer import tokens_of
from musicbench.music.numerals import is_roman
from musicbench.music.sections import section_marks

_NASHVILLE = re.compile(r"([b#]?)([1-7])(-|min|m(?!a))?([^/]*)(?:/([b#]?[1-7]))?(/9)?")
_NASHVILLE_SIGNS = re.compile(r"[\s|,;%()/\[\]>.:→\ue000-\uefff-]*|x\d+|\d+x|N|N\.?C\.?")
_DASHED = re.compile(r"[b#]?[1-7](?:m7?|maj7)?(?:-[b#]?[1-7](?:m7?|maj7)?)+")
_MINOR_SEVENTH = re.compile(r"[b#]?[1-7]-(?:7|9|11|13)")
_BRACKETED_SEVENTH = re.compile(r"(?<![\w#/.(])([b#]?[1-7](?:-|m)?)\((maj7|7|9|11|13)\)")  # 5(7)
_NUMERALS = ("I", "ii", "iii", "IV", "V", "vi", "vii")
_METERS = ("2/4", "3/4", "4/4", "5/4", "6/4")  # at the start of a line they are no chords
_MARK_SIGN = "[\ue000-\uefff]"


def _named_marks(text):
    """Return ([section mark, ...], the text with one sign in place of each): [Verse 1] or CHORUS: before numbers."""
    tokens, marks, pieces, done = tokens_of(text) if re.search("[A-Za-z]{3}", text) else [], [], [], 0
    for first, end in section_marks(tokens):
        if tokens[first].kind == "LEFT":
            end = next((j + 1 for j in range(first, end) if tokens[j].kind == "RIGHT"), end)
        elif tokens[end - 1].text != ":" and not _is_line(tokens, first, end):
            continue
        pieces += [text[done : tokens[first].start], f" {chr(0xE000 + len(marks) % 0xFFF)} "]
        done = tokens[end - 1].end
        marks.append(text[tokens[first].start : done])
    return (marks, "".join([*pieces, text[done:]])) if len(marks) < 0xFFF else ([], text)


def _is_line(tokens, first, end):
    return (first == 0 or tokens[first - 1].kind == "LINE") and (end == len(tokens) or tokens[end].kind == "LINE")


def numerals_for_numbers(text):
    """Return a line of scale degrees, "1 5 6- 4", "2-7 57 1", "1 5/7 6-", as Roman numerals; any other text as it is."""
    text = _BRACKETED_SEVENTH.sub(r"\1\2", text)
    marks, text_of_marks = _named_marks(text)
    if marks:
        read = numerals_for_numbers(text_of_marks)
        return re.sub(_MARK_SIGN, lambda match: marks[ord(match[0]) - 0xE000], read) if read != text_of_marks else text
    line, sign, key = re.sub(r"(?i)^nashville(?: numbers?)?\s*:?\s*", "", text).partition(" in ")
    line = re.sub(r"(?<=[\d-])\.{2,}(?=\s|$)", "", re.sub(r" [—–~•·] ", " - ", line))
    words = [word for word in re.split(r"(->|[\s|,;%()\[\]→>]+)", line) if word]
    lists = [word for word in words if _DASHED.fullmatch(word)]
    if not all(_MINOR_SEVENTH.fullmatch(word) for word in lists) or len(words) == 1:  # 1-5-6-4, but 2-7 5-7
        words = [part for word in words for part in (re.split("(-)", word) if word in lists else [word])]
    read = [word if _NASHVILLE_SIGNS.fullmatch(word) else _numeral(word) for word in words]
    degrees = [word for word, numeral in zip(words, read, strict=True) if word != numeral]
    if len(degrees) < 2 or None in read or degrees[0] in _METERS:
        return text
    return sign + key + " " * bool(sign) + "".join(" " if word == "-" else word for word in read)


def _numeral(word):
    """Return a scale degree, "6-", "57" or "5/7", as a Roman numeral, its bass as "/^7"; None for what is none."""
    match = _NASHVILLE.fullmatch(word)
    if not match:
        return None
    accidental, degree, minor, kind, bass, ninth = match.groups()
    numeral = _NUMERALS[int(degree) - 1]
    if minor:
        numeral = numeral.lower()
    elif accidental or kind.startswith(("maj", "M", "Δ", "sus", "+")) or (kind[:1] in tuple("79") and degree not in "236"):
        numeral = numeral.upper()
    kind = "°" if degree == "7" and not (minor or accidental or kind) else kind
    numeral = accidental + numeral + kind + (ninth or "") + (f"/^{bass}" if bass else "")
    return numeral if is_roman(numeral) else None


def spaced_degrees(text):
    """Return (a line of degrees without blanks with them, notes): "251 x2" as "2 5 1 x2", and pairs, "14 15", as bars of two."""
    head, sign, tail = text.partition(" in ")
    words = head.replace(",", " ").split()
    runs = [word for word in words if not re.fullmatch(r"[x×*]?\d{0,2}[x×]?|\|", word) or re.fullmatch("[1-7]{2}", word)]
    if runs and all(re.fullmatch("[1-7]{3,8}", word) for word in runs):
        return re.sub("[1-7]{3,8}", lambda match: " ".join(match[0]), head) + sign + tail, ()
    is_pairs = len(runs) == len(words) > 1 and all(re.fullmatch("[1-7][1-6]", word) for word in runs)
    if is_pairs and any(word[1] in "12345" for word in runs):
        example = runs[0]
        note = f"'{example}' in the chord line is read as the degrees {example[0]} and {example[1]} in one bar; write 1sus4 for a suspended chord"
        return " | ".join(" ".join(word) for word in runs) + sign + tail, (note,)
    return text, ()
