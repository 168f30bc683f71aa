"""What words say about chords, written as the tokens of a chord list: small letters, lengths, basses, "a C chord", "two bars each"."""

import re
from dataclasses import replace

from musicbench.music.sections import section_marks
from musicbench.music.stylewords import GENRE_WORDS
from musicbench.music.tokens import Token, symbol_of
from musicbench.prompt.reading import CHORD_WORDS

SYMBOLS = {"CHORD", "ROMAN", "TIMED"}
_BETWEEN = {"and", "then"}


def write_out(reading):
    """Rewrite the tokens of a reading in place, before its chords are looked for."""
    _join_basses(reading)
    _tell_in_order(reading)
    _capitalise_small_chords(reading)
    _leave_chord_out(reading)
    _mark_sections(reading)
    _put_lengths_behind(reading)


def _blank(reading, first, end):
    """Make tokens into signs that only separate chords."""
    for i in range(first, end):
        reading.tokens[i] = replace(reading.tokens[i], kind="GAP", value=" ")


# ---------------------------------------------------------------------------------------------------- names of chords


def _small_chord(reading, i):
    """Return the symbol that a token means if its letter is made large, "am" Am; None where that is no chord."""
    text = reading.tokens[i].text if 0 <= i < len(reading.tokens) else ""
    if reading.kind(i) not in ("WORD", "ROMAN", "CHORD") or not re.match("[a-gA-G]", text):
        return None
    if reading.kind(i) == "CHORD":
        return reading.value(i)
    upper = text[0].upper() + text[1:]
    return upper if symbol_of(upper) == ("CHORD", upper) else None


def _capitalise_small_chords(reading):
    """Turn "chords: c g am f" and "dm7 g7 cmaj7" into chords, with a note."""
    i = 0
    while i < len(reading.tokens):
        places, end = _small_list(reading, i)
        small = [j for j in places if reading.kind(j) != "CHORD"]
        if small and _are_chords(reading, places, small):
            for j in small:
                reading.tokens[j] = replace(reading.tokens[j], kind="CHORD", value=_small_chord(reading, j))
            said = reading.words(places[0], places[-1] + 1)
            reading.note("chords", f"{said!r} in the prompt is read as {' '.join(reading.value(j) for j in places)}")
        i = max(end, i + 1)


def _small_list(reading, i):
    """Return (places of neighbouring chords, of small or large letters, from `i` on; the place after them)."""
    places, end = [], i
    while i not in reading.used and _small_chord(reading, i):
        places.append(i)
        i = end = i + 1
        while reading.kind(i) in ("GAP", "BAR") or reading.word(i) in _BETWEEN:
            i += 1
    first_is_article = len(places) > 1 and reading.tokens[places[0]].text == "a" and places[1] == places[0] + 1
    if first_is_article and reading.kind(places[0] - 1) != "STOP" and not re.fullmatch("[a-g]", reading.tokens[places[1]].text):
        places = places[1:]  # "a dm7 g7 progression", "a C chord"
    is_article = len(places) > 1 and reading.tokens[places[-1]].text == "a" and reading.kind(end) == "WORD"
    if is_article and not re.match(
        "[aeio]|u(?!k|ni|s[eu])", reading.tokens[end].text.lower()
    ):  # "f c g, a ballad"; but "g d a acoustic guitar"
        places = places[:-1]
    return places, end


def _are_chords(reading, places, small):
    """Return whether a list that has small letters is one of chords: after "chords", or with enough that is no other word."""
    texts = [reading.tokens[j].text for j in places]
    if reading.tokens[places[0]].text in ("a", "am") and len(places) == 1:
        return False
    before = places[0] - 1 - (reading.kind(places[0] - 1) in ("STOP", "LEFT"))
    is_named = reading.word(before) in CHORD_WORDS or (
        reading.word(before) in ("are", "is") and reading.word(before - 1) in CHORD_WORDS
    )
    is_named = is_named or (reading.word(before) in ("use", "using", "play") and reading.ends(places[-1] + 1) and len(places) > 2)
    if is_named or reading.word(places[-1] + 1) in CHORD_WORDS - {"harmony", "changes", "sequence"}:
        return len(places) > 1 or (is_named and reading.ends(places[0] + 1) and len(texts[0]) > 1)
    clear = [bool(re.fullmatch(r"[a-g][#b]?(?:(?:maj|min|m|sus|add|dim)\d\S*|dim|7\S*|9)", text)) for text in texts]
    if all(clear) and (
        len(places) > 1 or reading.word(places[-1] + 1) in _GO_ON or len(texts[0]) > 3
    ):  # "dmaj9 -> gmaj7", "e9 vamp"
        return True
    if len(places) > 2 and len(small) == len(places) and _is_phrase_of_letters(reading, places, texts):
        return True
    is_beside = len(small) < len(places) and all(
        len(text) > 1 or _stands_apart(reading, j) for j, text in zip(places, texts, strict=True)
    )
    strong = sum(len(text) > 1 for text in texts) - texts.count("am")
    return is_beside or (len(places) > 2 and (strong > 0 or ("am" in texts and "a" not in texts)))


_GO_ON = {"vamp", "groove", "loop", "jam", "riff", "chord", "chords", "funk"}


def _is_phrase_of_letters(reading, places, texts):
    """Return whether small letters are a part of their own and no alphabet: "in open g, g c d"."""
    behind = places[-1] + 1
    if (
        reading.ends(places[0] - 1) and GENRE_WORDS & {reading.word(behind), reading.word(behind + 1)} and len(set(texts)) > 2
    ):  # "a d e rock"
        return texts != sorted(texts, key=lambda text: ord(text[0])) or texts[1][0] > "b"
    is_own = reading.ends(places[0] - 1) and reading.ends(behind)
    steps = {ord(after[0]) - ord(text[0]) for text, after in zip(texts, texts[1:], strict=False)}
    return is_own and "a" not in texts and steps != {1} and all(re.fullmatch("[b-g][#b]?m?", text) for text in texts)


def _stands_apart(reading, i):
    """Return whether a letter cannot be an article: no word follows it."""
    return reading.tokens[i].text != "a" or reading.ends(i + 1) or _small_chord(reading, i + 1) is not None


def _leave_chord_out(reading):
    """Turn "a C chord and an F chord", "the A chord, the D chord" into C, F and A, D: two or more chords that are called so."""
    named = [i for i in range(len(reading.tokens) - 1) if reading.kind(i) == "CHORD" and reading.word(i + 1) == "chord"]
    named = [i for i in named if reading.word(i + 2) not in CHORD_WORDS]
    for i, following in zip(named, named[1:], strict=False):
        between = [reading.word(j) for j in range(i + 2, following) if reading.kind(j) != "GAP"]
        if following - i < 7 and set(between) <= _BETWEEN | {"a", "an", "the", "by", "to", "followed"}:
            _blank(reading, i + 1, following)
            if i == named[0]:
                _blank_article(reading, i - 1)
            if following == named[-1]:
                _blank(reading, following + 1, following + 2)


def _blank_article(reading, i):
    if reading.word(i) in ("a", "an", "the"):
        _blank(reading, i, i + 1)


def _join_basses(reading):
    """Turn "C over E" and "C with a G in the bass" into C/E and C/G; but "Dm7 over G7" are two chords."""
    i = 0
    while i < len(reading.tokens) - 2:
        end = _bass_after(reading, i) if reading.kind(i) == "CHORD" and reading.value(i) != "N" else None
        symbol = end and f"{reading.value(i)}/{reading.value(end - 1)}"
        if end and symbol_of(symbol):
            last = end + 3 if [reading.word(j) for j in range(end, end + 3)] == ["in", "the", "bass"] else end
            reading.tokens[i] = replace(reading.tokens[i], text=symbol, value=symbol)
            _blank(reading, i + 1, last)
        i += 1


def _bass_after(reading, i):
    """Return the place after the bass note of the chord at `i`, None where none follows."""
    j = i + 1
    is_with = reading.word(j) == "with"
    if reading.word(j) not in ("over", "with"):
        return None
    j += 1
    j += is_with and reading.word(j) in ("a", "an")
    is_note = reading.kind(j) == "CHORD" and re.fullmatch("[A-G][#b]?", reading.value(j)) and "/" not in reading.value(i)
    in_bass = [reading.word(k) for k in range(j + 1, j + 4)] == ["in", "the", "bass"]
    if not is_note or (is_with and not in_bass) or reading.word(j + 1) in ("pedal", "drone", "vamp"):
        return None
    return j + 1


def _mark_sections(reading):
    """Turn the tokens of section marks, [Verse], "A:", "Section B -", into MARKs, as in a chord line."""
    for first, end in section_marks(reading.tokens):
        if not reading.used & set(range(first, end)) and _has_chords_behind(reading, end):
            times = next((token.value for token in reading.tokens[first:end] if token.kind == "TIMES"), 1)
            for i in range(first, end):
                reading.tokens[i] = replace(reading.tokens[i], kind="MARK", value=times)


def _has_chords_behind(reading, i):
    starts = SYMBOLS | {"BAR", "OPEN"}
    return reading.kind(i) in starts or (reading.kind(i) in ("LINE", "GAP", "LEFT") and reading.kind(i + 1) in starts)


# ---------------------------------------------------------------------------------------------------- a story in order

# Words before a chord that say when it is heard: 0 at the start, 1 in between, 2 at the end.
_TOLD = {
    0: "start starts starting begin begins beginning open opens opening first".split(),
    1: "goes go going moves move moving changes then next later afterwards after to passes passing leads leading via through continues climbs drops falls rises".split(),
    2: "end ends ending finish finishes finishing resolve resolves resolving land lands landing close closes closing finally last".split(),
}  # fmt: skip
_WHEN = {word: when for when, words in _TOLD.items() for word in words}
_FILLS = set("on with at from in the a an it and but up down back into to by chord of is that which music".split())
STORY_WORDS = {*_WHEN, *_FILLS}


def _tell_in_order(reading):
    """Turn "ends on C, starts on Am" and "starts on Dm, goes to Bb, then F" into chords in the order in which they are heard."""
    i = 0
    while i < len(reading.tokens):
        first, end, groups = _story(reading, i) if reading.word(i) in _WHEN else (i, i, [])
        if len(groups) > 1 and sum(len(places) for _, places in groups) > 1 and any(when != 1 for when, _ in groups):
            _write_story(reading, first, end, groups)
        i = max(end, i + 1)


def _story(reading, i):
    """Return (first, end, [(when, places of its chords), ...]) of what is told from token `i` on."""
    first, end, groups, when = i, i, [], None
    while i < len(reading.tokens) and i not in reading.used and _WHEN.keys() | _FILLS >= {reading.word(i)} - {""}:
        kind, word = reading.kind(i), reading.word(i)
        if word in _WHEN and not (word == "to" and when is not None and reading.word(i - 1) in _WHEN):
            when = _WHEN[word]
        elif kind == "CHORD" and when is None:
            break
        elif kind == "CHORD":
            is_new = not groups or groups[-1][0] != when or groups[-1][1][-1] != end - 1
            groups += [(when, [i])] if is_new or groups[-1][0] != when else []
            if groups[-1][1][-1] != i:
                groups[-1][1].append(i)
            end = i + 1
        elif word == "" and not (kind == "GAP" or kind == "STOP" and reading.tokens[i].text == "."):
            break
        i += 1
    return first, end if groups else i, groups


def _write_story(reading, first, end, groups):
    """Write the chords of a story one behind the other in the order in which they are heard, behind a word for chords."""
    told = sorted(groups, key=lambda group: group[0])
    chords = [reading.tokens[place] for _, places in told for place in places]
    places = sorted(place for _, group in groups for place in group)
    said = reading.words(first, end)
    _blank(reading, first, end)
    reading.tokens[first] = replace(reading.tokens[first], kind="WORD", text="chords", value="chords")
    for place, chord in zip(places, chords, strict=True):
        reading.tokens[place] = replace(chord, start=reading.tokens[place].start, end=reading.tokens[place].end)
    if told != groups:
        reading.note("chords", f"{said!r} in the prompt is read as {' '.join(chord.value for chord in chords)}")


# ---------------------------------------------------------------------------------------------------- lengths of chords

_ORDINALS = set("first second third fourth fifth sixth seventh eighth next last final then other".split())


_COUNTS = {"one": 1.0, "two": 2.0, "three": 3.0, "four": 4.0, "eight": 8.0}


def _say_units(reading):
    """Write "F for one" as "F for one bar" where a length before it says which unit: "Am for two bars then F for one"."""
    unit = None
    for i in range(len(reading.tokens)):
        if reading.kind(i) == "QUANTITY" and reading.value(i)[1] in ("bars", "beats"):
            unit = reading.value(i)[1]
        count = _COUNTS.get(reading.word(i)) or (reading.value(i) if reading.kind(i) == "NUMBER" else None)
        if unit and count and reading.word(i - 1) == "for" and reading.kind(i - 2) == "CHORD":
            reading.tokens[i] = replace(reading.tokens[i], kind="QUANTITY", value=(count, unit))


def _put_lengths_behind(reading):
    """Turn "2 bars of C", "first four bars C, next four bars F", "bars 1-4 Am" and "C in the first bar" into chords with lengths."""
    _say_units(reading)
    lengths = [found for i in range(len(reading.tokens)) if (found := _length_before(reading, i))]
    is_list = len(lengths) > 1
    for first, chord, count, unit, is_sure in lengths:
        if not (is_list or is_sure):
            continue
        token = reading.tokens[chord]
        _blank(reading, first, chord + 1)
        reading.tokens[first] = replace(token, start=reading.tokens[first].start, end=reading.tokens[first].end)
        behind = reading.tokens[first + 1]
        reading.tokens[first + 1] = Token("QUANTITY", behind.text, (count, unit), behind.start, behind.end)
    for i in range(len(reading.tokens)):
        ordinal = i + 2 + (reading.word(i + 2) == "the")
        if (
            reading.kind(i) == "CHORD"
            and reading.word(i + 1) in ("in", "on", "for")
            and reading.word(ordinal) in _ORDINALS
            and ordinal > i + 2
        ):
            end = ordinal + 1 + (reading.word(ordinal + 1) in ("bar", "measure", "one"))
            if reading.ends(end) or reading.word(end) in _BETWEEN:
                _blank(reading, i + 1, end)


def _length_before(reading, i):
    """Return (first, place of the chord, count, unit, whether it can mean nothing else) of a length at `i` that stands before its chord."""
    numbered = reading.word(i) in ("bar", "bars", "measure", "measures") and reading.kind(i + 1) in ("NUMBER", "RANGE")
    if numbered and reading.kind(_chord_behind(reading, i + 2)) == "CHORD":
        value = reading.value(i + 1)
        low, high = value if reading.kind(i + 1) == "RANGE" else (value, value)
        return i, _chord_behind(reading, i + 2), high - low + 1, "bars", reading.kind(i + 1) == "RANGE"
    if (
        i in reading.used
        or reading.kind(i) != "QUANTITY"
        or reading.value(i)[1] not in ("bars", "beats")
        or reading.kind(i - 1) in SYMBOLS
    ):
        return None
    chord = _chord_behind(reading, i + 1)
    if reading.kind(chord) != "CHORD" or reading.word(i - 1) in ("for", "every"):
        return None
    count, unit = reading.value(i)
    is_ordered = reading.word(i - 1) in _ORDINALS
    first = i - is_ordered
    first -= reading.word(first - 1) == "the"
    return first, chord, count, unit, reading.word(chord - 1) == "of" or is_ordered


def _chord_behind(reading, i):
    """Return the place of what stands behind "of", "on", "in", a colon or an article at `i`."""
    while reading.word(i) in ("of", "on", "is", "are", "an", "a", "the") or (
        reading.kind(i) == "STOP" and reading.tokens[i].text in ":="
    ):
        i += 1
    return i


def length_of_each(reading):
    """Return (count, unit) that the text says each chord lasts, "two bars each", "two chords per bar"; None where it says nothing."""
    for i in range(len(reading.tokens)):
        found = _each_at(reading, i)
        if found:
            first, end, count, unit = found
            reading.use(first, end)
            return count, unit
    return None


def _each_at(reading, i):
    """Return (first, end, count, unit) of what is said at `i` of the length of every chord, None where nothing is."""
    if reading.kind(i) == "QUANTITY" and reading.value(i)[1] in ("bars", "beats"):
        return _length_of_each(reading, i)
    if reading.word(i + 1) in ("chord", "chords"):
        return _chords_a_bar(reading, i)
    is_beat = reading.word(i) in ("every", "each") and reading.word(i + 1) == "beat"
    if is_beat and {reading.word(i - 1), reading.word(i - 2)} & {"chord", "chords", "change", "changes"}:
        return i, i + 2, 1, "beats"
    return None


def _length_of_each(reading, i):
    """Read "two bars each", "2 beats per chord", "each chord lasts two bars", "half a bar each"."""
    count, unit = reading.value(i)
    behind = [reading.word(j) for j in range(i + 1, i + 4)]
    is_each = behind[0] == "each" or (behind[0] in ("per", "a", "for", "to") and "chord" in behind[1:])
    before = {reading.word(j) for j in range(max(reading.sentence(i)[0], i - 5), i)}
    is_behind = reading.word(i - 1) == "every" and reading.kind(i - 2) == "CHORD"
    is_told = (
        is_behind
        or {"each", "chord"} <= before
        or before & {"last", "lasts", "lasting", "every", "held"}
        and before & {"chord", "chords"}
    )
    if is_each or is_told:
        return i, i + 1 + (behind[0] == "each"), count, unit
    return None


def _chords_a_bar(reading, i):
    """Read "two chords per bar", "two chords a bar", "one chord per beat"."""
    many = {"a": 1, "one": 1, "two": 2, "three": 3, "four": 4}.get(reading.word(i)) or (
        reading.value(i) if reading.kind(i) == "NUMBER" else None
    )
    joined = reading.value(i + 2) if reading.kind(i + 2) == "QUANTITY" else None  # "a bar" is one token
    is_per = reading.word(i + 2) in ("per", "every", "each", "in", "to")
    unit = {"bar": "bars", "measure": "bars", "beat": "beats"}.get(reading.word(i + 3)) if is_per else None
    if joined in ((1, "bars"), (1, "beats")):
        unit = joined[1]
    if not many or not unit:
        return None
    return i, i + 3 + is_per, 1 / many, unit
