"""A tonic in a prompt and the mode beside it: "A minor", "f#m", "dorian in C", "Camelot 8A"."""

import re

from musicbench import quoted
from musicbench.music.keys import MODES, Key
from musicbench.music.stylewords import GENRE_WORDS
from musicbench.prompt.reading import OF_MUSIC

_MODE = re.compile(rf"(?:{MODES})(?!\w)", re.IGNORECASE)
# A mode by itself, "harmonic minor in A": no letter stands before it.
_LONE_MODE = re.compile(
    rf"(?<!relative )(?<!\b[A-Ga-g][ -])(?<!\b[A-Ga-g][#b][ -])\b(?:{MODES}|minor)(?!\w)(?! (?:third|seventh|chord))", re.IGNORECASE
)
_MAJOR = re.compile(r"\bmajor\b", re.I)
KEY_NAMES = {"key", "tonality", "tonic", "tonart", "tonalité", "tonalidad", "tonalidade", "tonalità"}
_CAMELOT = (
    ["Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#", "Db"],
    ["B", "F#", "Db", "Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E"],
)


def tonic_at(reading, i):
    """Return (end, key, mode's name or None) of a tonic with what follows of a mode at `i`, None where there is no tonic."""
    token = reading.tokens[i]
    is_small_part = token.kind == "WORD" and _is_small_part(reading, i)
    if (
        token.kind == "WORD"
        and re.fullmatch("[a-g][#b]?m", token.text)
        and (is_small_part or reading.word(i - 1) in ("in", "key", "of"))
    ):  # "in am", "key: am", "lofi, am, 80 bpm"
        return i + 1, Key(token.text[0].upper() + token.text[1:-1], "minor"), None
    is_small = token.kind == "WORD" and re.fullmatch("[a-g](?:#|b)?", token.text)
    is_named = reading.word(i - 1) == "of" and reading.word(i - 2) == "key"
    is_in = is_small and (token.text != "a" or is_named) and reading.word(i - 1) in ("in", "of", "key") and reading.ends(i + 1)
    if is_in or (is_small and is_small_part):  # "in c", "key: c"
        return i + 1, Key(token.text[0].upper() + token.text[1:]), None
    glued = re.fullmatch("([a-g][#b]?)(min|minor|maj|major)", token.text) if token.kind == "WORD" else None  # "gmin"
    if glued or (token.kind == "WORD" and _is_small_minor(reading, i)):  # "em 80 bpm", "surf rock em"
        tonic, mode = glued.groups() if glued else (token.text[:-1], "minor")
        return i + 1, Key(tonic[0].upper() + tonic[1:], "minor" if mode.startswith("min") else "major"), None
    match = re.fullmatch(r"([A-G](?:#|b)?)(m|maj|min|major|minor)?", token.value) if token.kind == "CHORD" else None
    if not match and not is_small:
        return None
    end, place = i + 1, token.end
    mode = re.compile(r"[- ]?(?:" + _MODE.pattern + r"|(?:major|minor)(?!\w))", re.I).match(reading.text, place)
    if mode:
        while end < len(reading.tokens) and reading.tokens[end].end <= mode.end():
            end += 1
        name = mode[0].strip("- ")
        if name.lower() == "phrygian" and reading.word(end) == "dominant":  # it has a major third
            tonic = match[1] if match else token.text[0].upper() + token.text[1:]
            return end + 1, Key(tonic), reading.words(i + 1, end + 1)
        is_plain = name.lower() in ("major", "minor")
        tonic = match[1] if match else token.text[0].upper() + token.text[1:]
        return end, Key.parse(f"{tonic} {name}"), None if is_plain else name
    if not match:
        return None
    is_minor = match[2] in ("m", "min", "minor")
    if is_minor and reading.word(end) == "pentatonic":
        return end + 1, Key(match[1], "minor"), "minor pentatonic"
    return end, Key(match[1], "minor" if is_minor else "major"), None


def _label_before(reading, i):
    """Return the place of a word such as "key" that a sign parts from token `i`, "key: am", "key - dm"; None where there is none."""
    j = i - 1
    while j > i - 4 and (
        reading.word(j) == "is" or (reading.kind(j) in ("STOP", "GAP", "LEFT") and reading.tokens[j].text in ':=-("')
    ):
        j -= 1
    return j if j < i - 1 and reading.word(j) in KEY_NAMES else None


def _is_small_part(reading, i):
    """Return whether small letters are a key for where they stand: behind "key:", or a part of their own, "lofi, am, 80 bpm"."""
    text = reading.tokens[i].text
    if not re.fullmatch("[a-g][#b]?m?", text):
        return False
    if _label_before(reading, i) is not None:
        return reading.ends(i + 1) or (text != "a" and reading.kind(i + 1) in ("TEMPO", "NUMBER", "FRACTION"))
    if not (reading.ends(i - 1) and reading.ends(i + 1)) or reading.kind(i + 1) == "RIGHT" or len(reading.tokens) == 1:
        return False
    letters = [j for j in range(i - 4, i + 5) if j != i and re.fullmatch("[a-hA-H]|[a-g][#b]?m", str(reading.value(j)))]
    near_tempo = any(reading.kind(j) in ("TEMPO", "NUMBER") or reading.word(j) in _TEMPO_LABELS for j in (i - 2, i + 2))
    is_first = i == 0 and not near_tempo and reading.word(2) not in GENRE_WORDS | OF_MUSIC  # "am, well, ..."
    return not letters and text != "a" and not is_first and (len(text) > 1 or near_tempo)


_TEMPO_LABELS = {"bpm", "tempo"}


def _is_small_minor(reading, i):
    """Return whether "em" or "f#m" is a key: before a tempo, or beside styles and players; "i am 20", "fm synth" and "5 cm" are none."""
    text, before, after = reading.tokens[i].text, reading.word(i - 1), reading.kind(i + 1)
    if not re.fullmatch("[a-g][#b]?m", text) or before == "i":
        return False
    if after == "TEMPO":
        return True
    music = OF_MUSIC | GENRE_WORDS
    is_beside = before in music or (reading.ends(i - 1) and reading.kind(i - 1) != "NUMBER")
    follows = reading.ends(i + 1) or after in ("NUMBER", "FRACTION") or reading.word(i + 1) in music
    return (
        text not in ("am", "fm", "cm")
        and is_beside
        and follows
        and (before in music or reading.word(i + 1) in music or after == "NUMBER")
    )


def with_mode_around(reading, i, end, key, mode):
    """Return (first, end, key, mode): of "minor blues in C", "harmonic minor, C" and "dorian in C" the key is C minor."""
    says_mode = mode or reading.tokens[i].value != reading.tokens[i].text.capitalize() or end > i + 1 or key.mode == "minor"
    if says_mode or reading.says(i, _MAJOR):
        return i, end, key, mode
    lone = reading.says(i, _LONE_MODE)
    if lone:
        key = Key.parse(f"{key.tonic} {lone[0].lower()}")
        if lone[0].lower() not in ("minor", "natural minor"):
            reading.note("key", f"{quoted(lone[0])} in the prompt is played as {key}")
    return i, end, key, mode


def camelot_key(reading, i):
    """Return the key of a place on the Camelot wheel, "8A", where the wheel is named or a tempo stands beside it."""
    key = on_camelot_wheel(str(reading.value(i))) if reading.kind(i) in ("WORD", "LIKE") else None
    is_named = (
        "camelot" in reading.text.lower()
        or reading.word(i - 1) == "in"
        or reading.kind(i - 1) == "LEFT"
        or any(reading.kind(j) == "TEMPO" or reading.word(j) in KEY_NAMES for j in (i - 2, i - 1, i + 1, i + 2))
    )
    return key if is_named else None


def on_camelot_wheel(text):
    """Return the key of a place on the Camelot wheel, "8A"; None for other texts."""
    match = re.fullmatch(r"(1[0-2]|[1-9])([ab])", text.lower())
    if not match:
        return None
    wheel = _CAMELOT["ab".index(match[2])]
    return Key(wheel[int(match[1]) - 1], "minor" if match[2] == "a" else "major")
