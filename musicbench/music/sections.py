"""The sections of a chart: their marks, [Verse 2] or A:, and the order in which they are played."""

import re
from dataclasses import replace
from itertools import accumulate, pairwise

from musicbench import InputError
from musicbench.music.tokens import Token

MAX_LINE = 20_000  # characters, and symbols with repeats played out: 120 s with a chord on every beat

SECTIONS = set(
    """
    verse chorus bridge intro outro refrain hook solo coda interlude break tag head turnaround prechorus pre-chorus pre post
    ending vamp section part instrumental strophe theme end drop build middle
    """.split()
)
FILLERS = set(
    "progression changes progressions and then to back followed by repeat repeated loop etc each for the chord chords = per".split()
)
SAME_WORDS = {"sim", "simile", "ditto"}
SILENT_WORDS = {"rest", "tacet", "silence", "break", "pause"}
SPOKEN_TIMES = {"once": 1, "twice": 2, "thrice": 3}
AGAIN = {"repeat", "repeated", "repeats", "again"}  # twice, where no number says how often
REPEAT_WORDS = SAME_WORDS | set(SPOKEN_TIMES) | AGAIN


def marked(tokens):
    """Return the tokens with those of a section mark, [Verse 2] or Chorus:, as one MARK, whose value is how often it is played."""
    result, done = [], 0
    for first, end in section_marks(tokens):
        times = next((token.value for token in tokens[first:end] if token.kind == "TIMES"), 1)
        result += [*tokens[done:first], replace(tokens[first], kind="MARK", value=times)]
        done = end
    return result + tokens[done:]


def section_marks(tokens):
    """Return [(first, end), ...] of the section marks among tokens."""
    letters, marks, i = _rehearsal_letters(tokens), [], 0
    while i < len(tokens):
        end = _mark_end(tokens, i, letters)
        if end:
            marks.append((i, end))
        i = end or i + 1
    return marks


def _rehearsal_letters(tokens):
    """Return {place: the place after it} of [A], [B] ... or A:, B: ... where they are marks: in this order, beside other chords."""
    ends = _abbreviated(tokens)
    if ends:
        return ends
    for i, (token, after) in enumerate(pairwise(tokens)):
        if _is_letter(token) and after.text in (":", ".", "="):
            ends[i] = i + 2
        elif i and _is_letter(token) and tokens[i - 1].kind == "LEFT" and after.kind == "RIGHT":
            ends[i - 1] = i + 2
    named = [next(t.text for t in tokens[i : i + 2] if t.kind in ("CHORD", "ROMAN")) for i in ends]
    letters, numbers = all(len(name) == 1 and name in "ABCDEFG" for name in named), all(name in _SECTION_NUMBERS for name in named)
    places = [("ABCDEFG".index(n) if letters else _SECTION_NUMBERS.index(n)) for n in named] if letters or numbers else [9]
    in_order = places[:1] == [0] and all(
        place <= highest + 1 for place, highest in zip(places[1:], accumulate(places, max), strict=False)
    )
    only_one = len(ends) == 1 and not any(tokens[i].text == "[" or tokens[i + 1].text == ":" for i in ends)
    if only_one or (not letters and len(ends) < 2):  # one (A) is a chord, one "A." the end of a sentence
        return {}
    symbols = [token.kind for token in tokens if token.kind in ("CHORD", "ROMAN")]
    labels = [i for i in ends if tokens[i].kind == "CHORD" and tokens[i + 1].text == ":"]
    if labels == [0] == list(ends) and len(symbols) > 1:  # "B: C F", but not "C: G: Am:"
        return ends
    is_other = letters or "CHORD" in symbols  # numbers of sections stand beside chords, not beside numerals
    return ends if in_order and len(symbols) > len(ends) and is_other else {}


_ABBREVIATIONS = re.compile(r"(?:V|C|B|I|O|S|P|PC|Ch|Br|Pre|Int)\d?")


def _abbreviated(tokens):
    """Return {place: the place after it} of V: and C: where lines begin with them, one of them V for the verse; {} where a label is none."""
    ends = {i: i + 2 for i, (token, after) in enumerate(pairwise(tokens)) if after.text == ":" and after.start == token.end}
    labels = [tokens[i].text for i in ends]
    at_starts = all(i == 0 or tokens[i - 1].kind == "LINE" for i in ends)
    is_each = at_starts and bool(ends) and all(map(_ABBREVIATIONS.fullmatch, labels))
    is_verse = (
        labels == ["V"] and [t.kind for t in tokens if t.kind in ("CHORD", "ROMAN")][1:].count("ROMAN") == 0 and len(tokens) > 3
    )
    return ends if is_each and (is_verse or (len(set(labels)) > 1 and any(label[0] == "V" for label in labels))) else {}


_SECTION_NUMBERS = ("I", "II", "III", "IV", "V")


def _is_letter(token):
    """Return whether a token may be the name of a section: A, or II."""
    return (token.kind == "CHORD" and len(token.text) == 1) or (token.kind == "ROMAN" and token.text in _SECTION_NUMBERS)


def _mark_end(tokens, i, letters):
    """Return the place after a section mark that begins at `i`, 0 where none does."""
    token, after = tokens[i], tokens[i + 1] if i + 1 < len(tokens) else None
    if i in letters:
        return letters[i]
    if token.kind == "LEFT":
        end = next((j for j in range(i + 1, min(i + 7, len(tokens))) if tokens[j].kind == "RIGHT"), 0)
        inside = tokens[i + 1 : end]
        choice = next((t for t in inside if t.value in ("or", "alt")), None)
        if choice and any(t.kind == "CHORD" for t in inside):
            return 0  # an alternative, which `_terminals` refuses
        is_mark = any(
            t.kind == "WORD" and (token.text == "[" or t.value in SECTIONS) and t.value not in FILLERS | set(SPOKEN_TIMES)
            for t in inside
        )
        is_named = any(re.search("[A-Za-z]{2}", t.text) or t.kind == "CHORD" for t in inside)
        return _mark_tail(tokens, end + 1) if is_mark and is_named else 0
    if _is_letter(token) and after and after.value in ("section", "part"):
        return _mark_tail(tokens, i + 2)
    if token.kind == "WORD" and token.value in SECTIONS:
        return _mark_tail(tokens, i + 1)
    return 0


_WHOLE_NAMES = SECTIONS - set("pre post ending section part instrumental end drop build middle break tag".split())


def _mark_tail(tokens, i):
    """Pass over what belongs to a mark after its first word: "-chorus", a number, a letter, "x2", a colon."""
    while i < len(tokens):
        token = tokens[i]
        if token.value in _WHOLE_NAMES and tokens[i - 1].value in _WHOLE_NAMES:  # Verse Chorus
            return i
        is_number = token.kind == "NUMBER" and token.value < 20
        is_times = token.kind == "TIMES" or (token.kind == "LEFT" and [t.kind for t in tokens[i + 1 : i + 3]] == ["TIMES", "RIGHT"])
        if not (is_number or is_times or token.value in SECTIONS or token.value == "joined"):
            break
        i += 3 if token.kind == "LEFT" else 1
    if i + 1 < len(tokens) and _is_letter(tokens[i]) and tokens[i + 1].text == ":":
        i += 1
    return i + 1 if i < len(tokens) and tokens[i].text in (":", "-") else i


def with_form(text):
    """Return a sheet whose first or last line is a form, "A A B A" or "Form: AABA", with its sections A: and B: in that order; others as they are."""
    head, _, below = text.partition("\n")
    above, _, last = text.rpartition("\n")
    for line, body in ((head, below), (last, above)):
        form = re.fullmatch(r"(?:(?i:form|structure) ?:? ?)?((?:[A-D][ ,-]*){3,16})", line.strip())
        if not form:
            continue
        sections, letters = {}, re.findall("[A-D]", form[1])
        for part in body.split("\n"):
            named = re.match(r"[\[(]?([A-D])(?:[\])] ?:?| ?[:|]) ?", part)
            if named:
                sections[named[1]] = part[named.end() :]
            elif sections:
                sections[next(reversed(sections))] += f"\n{part}"
        if sections and set(letters) <= set(sections):
            return "\n".join(sections[letter] for letter in letters)
    return text


# ---------------------------------------------------------------------------------------------------- sections that come again

_SOUNDING = ("CHORD", "ROMAN", "SAME", "TIMED", "LIKE", "NUMBER")


def with_recalled(tokens):
    """Return (tokens in which a mark without chords has those of its section, notes): "Verse: C G, Chorus: F G, Verse, Chorus x2".

    Where marks alone stand first, all of sections behind them, they are the form: the sections are played in that order.
    """
    marks = section_marks(tokens)
    if not marks:
        return tokens, ()
    marks = marks + _bare_letters(tokens, marks)
    marks = sorted(set(marks))
    ends = [first for first, _ in marks[1:]] + [len(tokens)]
    parts = [
        (_name(tokens[first:after]), tokens[first:after], tokens[after:end])
        for (first, after), end in zip(marks, ends, strict=True)
    ]
    empty = [not _sounds(inside) for _, _, inside in parts]
    heads = next((i for i, is_empty in enumerate(empty) if not is_empty), len(parts))
    bodies = {name: inside for (name, _, inside), is_empty in reversed(list(zip(parts, empty, strict=True))) if not is_empty}
    alike = {_unnumbered(name): inside for name, inside in bodies.items()}
    if heads > 1 and not any(empty[heads:]) and all(_unnumbered(name) in alike for name, _, _ in parts[:heads]):
        parts, empty = parts[:heads], empty[:heads]
    result, notes = list(tokens[: marks[0][0]]), []
    for i, ((name, mark, inside), is_empty) in enumerate(zip(parts, empty, strict=True)):
        body = (bodies.get(name) or alike.get(_unnumbered(name))) if is_empty else None
        is_title = is_empty and not body and i + 1 < len(parts) and mark[-1].end + 1 >= parts[i + 1][1][0].start
        if body and name not in bodies:
            notes.append(f"the section '{name}' has no chords of its own; those of the section named alike are played")
        elif is_empty and not body and len(parts) > 1 and not is_title and re.search("[a-z]{2}", name):
            notes.append(f"the section '{name}' in the chord line has no chords; it is left out")
        times = next((token.value for token in mark if token.kind == "TIMES"), 1)
        mark = [replace(mark[0], kind="MARK", value=times)] if body else mark
        result += [*mark, *(_closed(body) if body else ()), *([] if is_empty and body and not _count(inside) else inside)]
        result += [LINE] if body else []
        if len(result) > 2 * MAX_LINE:
            raise InputError(f"with its sections played again the chord line has more than {MAX_LINE} symbols; repeat less")
    return result, tuple(notes)


LINE = Token("LINE", "\n", "\n", 0, 0)


def _count(tokens):
    return any(token.kind == "TIMES" for token in tokens)


def _sounds(tokens):
    return any(token.kind in _SOUNDING or token.value in SILENT_WORDS for token in tokens)


def _unnumbered(name):
    return re.sub(r" \d+$", "", name)


def _name(mark):
    """Return the name in a section mark's tokens: "verse 2" of [Verse 2] x3:."""
    words = [str(t.text).lower() for t in mark if t.kind in ("WORD", "CHORD", "ROMAN", "NUMBER", "LIKE")]
    return " ".join(words)


def _closed(tokens):
    """Return a section's tokens for another place: a repeat that was opened before it is opened in it, and one that is left open is none."""
    kinds = [token.kind for token in tokens if token.kind in ("OPEN", "CLOSE", "CLOSE_OPEN")]
    result = [LINE, *tokens]
    if kinds[:1] == ["CLOSE"]:
        result = [Token("OPEN", "|:", "|:", 0, 0), *result]
    if kinds[-1:] == ["OPEN"]:
        last = max(i for i, token in enumerate(result) if token.kind == "OPEN")
        del result[last]
    return result


def _bare_letters(tokens, marks):
    """Return [(first, end), ...] of letters alone on a line, "A" or "A B A", that are names of sections before them."""
    names, taken = {_name(tokens[a:b]).upper() for a, b in marks}, {i for a, b in marks for i in range(a, b)}
    lines = [i for i, token in enumerate(tokens) if token.kind == "LINE"]
    found = []
    for first, end in pairwise([-1, *lines, len(tokens)]):
        inside = [i for i in range(first + 1, end) if tokens[i].kind not in ("GAP", "TIMES")]
        if inside and all(_is_letter(tokens[i]) and tokens[i].text in names and i not in taken for i in inside):
            found += [(i, i + 1 + (i + 1 < end and tokens[i + 1].kind == "TIMES")) for i in inside]
    return found
