"""Rules over a prompt's tokens: tunings of instruments, "open G tuning", "tuned down to Eb", "DADGAD", which set no key and no chord."""

import re
from dataclasses import replace

from musicbench import quoted
from musicbench.music.stylewords import GENRE_WORDS
from musicbench.prompt.reading import OF_MUSIC

_TUNED = {"tuned", "detuned", "downtuned", "retuned", "tuning"}
_BETWEEN = {"down", "up", "to", "in", "a", "an", "it", "at", "by", "low", "guitar", "guitars", "is", "of", "are"}
_NO_TUNING = {
    "fine",
    "pythagorean",
    "meantone",
    "just",
    "auto",
    "microtonal",
    "a",
    "the",
    "of",
    "in",
    "and",
    "with",
    "this",
    "that",
}
_NO_OPEN = set(
    "chord chords string strings voicing voicings position shape shapes fifth fifths ended ending season world beat groove".split()
)
_STRINGS = {"dadgad", "eadgbe", "dadgbe", "eadgbd", "dadgbd", "dgdgbd", "dgdgbe", "cgcgce", "cgdgbe", "cgcfce", "eaeac#e", "dadf#ad", "dadfad", "eadg", "gdae", "gcea"}  # fmt: skip
_WORDS_OF_LETTERS = {"decade", "facade", "efface", "deface", "bagged", "gabbed", "dabbed", "beaded", "cabbed", "faded"}
_MOST_STRINGS = 12
_STEPS = {"step", "steps", "tone", "tones", "semitone", "semitones"}
_PARTS_OF_STEPS = {"half", "whole", "full", "a", "one", "two", "three", "1/2"}
_MOVES = re.compile(r"\b(?:modulat\w*|key|keys|transpos\w*|mov(?:e|es|ing)|shift\w*|walk\w*|steps down)\b", re.I)


def note_tunings(reading):
    """Take tunings out of a reading, as if a comma stood in their place, with a note on each."""
    i = 0
    while i < len(reading.tokens):
        if (
            reading.kind(i) == "QUANTITY"
            and reading.value(i)[1] == "hz"
            and "k" not in reading.tokens[i].text.lower()
            and not _pitch(reading, i)
        ):
            reading.note("tuning", f"{quoted(reading.tokens[i].text)} in the prompt sets no tempo, no note and no rate")
        found = next((end for rule in _RULES if (end := rule(reading, i))), None)
        if found:
            said = reading.words(i, found)
            reading.note(
                "tuning", f"{quoted(said)} in the prompt is a tuning, which sets no key and no chord; write chords as they sound"
            )
            for j in range(i, found):
                reading.tokens[j] = replace(reading.tokens[j], kind="GAP", text=",", value=",")
            reading.use(i, found)
        i = found or i + 1


def _next(reading, i):
    """Return the place behind token `i`, and behind a hyphen that joins."""
    return i + 2 if reading.value(i + 1) == "joined" else i + 1


def _is_letter(reading, i):
    """Return whether a token names a note: "D", "F#", "Eb", "g"."""
    text = str(reading.value(i)) if reading.kind(i) == "CHORD" else reading.word(i)
    return bool(re.fullmatch("[A-G](?:#|b)?|[b-g](?:#|b)?|a[#b]", text))


def _letters(reading, i):
    """Return the end of neighbouring letters without commas from `i` on, perhaps joined by hyphens; `i` where there is none."""
    first = end = i
    while i - first < 2 * _MOST_STRINGS and _is_letter(reading, i):
        end = i + 1
        i = end + (reading.kind(end) == "GAP" and reading.tokens[end].text == "-")
    return end


def _all_strings(reading, i):
    """Return the end of the strings' letters at `i`: those without commas, or four and more of which each has one."""
    end = _letters(reading, i)
    j, count = i, 0
    while count < _MOST_STRINGS and _is_letter(reading, j) and (reading.ends(j + 1) or j + 1 == len(reading.tokens)):
        count, last = count + 1, j + 1
        j += 2
    return last if count > 3 and end == i + 1 else end


def _with_tuning(reading, end):
    """Return the end of what is named, the word "tuning" behind it and six letters behind that included."""
    while reading.word(end) in ("tuning", "tunings", "standard", "tuned"):
        end += 1
    colon = end + (reading.kind(end) == "STOP" or reading.kind(end) == "LEFT")
    letters = _letters(reading, colon)
    return letters if letters - colon > 4 else end


def _open_or_drop(reading, i):
    """Read "open G", "drop D tuning", "double drop D", "drop-C"; an open chord, "the drop Am F" and "drop a beat" are none."""
    first = _next(reading, i) if reading.word(i) == "double" else i
    if reading.word(first) not in ("open", "drop", "dropped"):
        return None
    root = _next(reading, first)
    is_minor = reading.kind(root) == "CHORD" and re.fullmatch("[A-G][#b]?m", reading.value(root)) and reading.word(first) == "open"
    if not (_is_letter(reading, root) or is_minor) or reading.word(root + 1) in _NO_OPEN:
        return None
    before, after = reading.word(i - 1), reading.word(root + 1)
    if reading.kind(root + 1) == "CHORD" and before not in ("in", "with") and not str(reading.value(root + 1)).endswith("5"):
        return None
    if reading.tokens[root].text == "A" and not (reading.ends(root + 1) or after in OF_MUSIC | GENRE_WORDS | {"tuning", "tuned"}):
        return None
    return _with_tuning(reading, root + 1)


def _standard(reading, i):
    """Read "Eb standard", "D standard tuning", "standard tuning", "alternate tunings", "G tuning", "D A D G A D tuning"."""
    letters = _letters(reading, i)
    if letters > i:
        is_standard = reading.word(letters) == "standard" and letters == i + 1 and reading.tokens[i].text != "A"
        return _with_tuning(reading, letters) if is_standard or reading.word(letters) in ("tuning", "tunings") else None
    word, after = reading.word(i), _next(reading, i)
    return (
        _with_tuning(reading, after) if word and word not in _NO_TUNING and reading.word(after) in ("tuning", "tunings") else None
    )


def _tuned(reading, i):
    """Read "tuned to D", "tuned down to Eb", "tune down half a step", "tuned D A D G A D", "tuning: DADGAD", "tuned to 432 Hz"."""
    word, place = reading.word(i), _next(reading, i)
    if word == "down" and reading.value(i + 1) == "joined" and reading.word(place) == "tuned":
        word, place = "downtuned", place + 1
    if word not in _TUNED and not (word == "tune" and reading.word(place) in ("down", "up", "to")):
        return None
    j, is_moved = place, word == "downtuned"
    while reading.word(j) in _BETWEEN or (reading.kind(j) == "STOP" and reading.tokens[j].text in ":="):
        is_moved = is_moved or reading.word(j) in ("down", "up")
        j += 1
    ends = [_all_strings(reading, j), _steps_at(reading, j), _strings(reading, j), _pitch(reading, j)]
    end = max((end for end in ends if end and end > j), default=None)
    if end and reading.word(end) in ("standard", "tuning", "down", "up"):
        end += 1
    return end or (place + (reading.word(place) in ("down", "up")) if is_moved else None)


def _strings(reading, i):
    """Read DADGAD and the like, the strings of a guitar in one word."""
    text = reading.tokens[i].text if reading.kind(i) in ("WORD", "LIKE", "CHORD") else ""
    is_written = re.fullmatch(r"(?:[A-G][#b]?){6}", text) and text.lower() not in _WORDS_OF_LETTERS and len(text) > 5
    is_known = text.lower() in _STRINGS and (
        len(text) > 4 or reading.word(i + 1) == "tuning" or reading.word(i - 1) in ("to", "tuned")
    )
    return _with_tuning(reading, i + 1) if is_written or is_known else None


def _steps_at(reading, i):
    """Return the end of "half a step", "a whole step", "2 semitones" at `i`, None where there is none."""
    j = i
    while j < i + 5 and (
        reading.word(j) in _PARTS_OF_STEPS or reading.kind(j) in ("NUMBER", "FRACTION") or reading.value(j) == "joined"
    ):
        j += 1
    return j + 1 if i < j < i + 5 and reading.word(j) in _STEPS else None


def _step_down(reading, i):
    """Read "half step down", "a whole tone lower", "down half a step", "down 2 semitones"; a key that moves is none."""
    if reading.says(i, _MOVES):
        return None
    if reading.word(i) == "down":
        return _steps_at(reading, i + 1 + (reading.word(i + 1) == "by"))
    end = _steps_at(reading, i)
    return end + 1 if end and reading.word(end) in ("down", "lower", "flat") else None


def _pitch(reading, i):
    """Read "A=440", "A = 432 Hz", "432 Hz", "440 hz tuning": where the A is."""
    first = i + 2 if str(reading.value(i)).lower() in ("a", "a4") and str(reading.value(i + 1)) in ("=", "at") else i
    value = reading.value(first)
    hertz = value if reading.kind(first) == "NUMBER" else value[0] if reading.kind(first) == "QUANTITY" and value[1] == "hz" else 0
    end = first + 1 + (reading.word(first + 1) in ("hz", "hertz"))
    is_named = (
        first > i
        or hertz == 432
        and end > i
        or reading.word(end) in ("tuning", "pitch")
        or reading.word(i - 1) in ("to", "tuned", "at")
    )
    is_number = reading.kind(first) == "NUMBER" and end == first + 1 and first == i and reading.word(end) not in ("tuning", "pitch")
    if not 390 <= hertz <= 470 or not is_named or is_number:
        return None
    return end + (reading.word(end) in ("tuning", "pitch"))


_RULES = (_open_or_drop, _tuned, _strings, _standard, _step_down, _pitch)
