"""Rules over a prompt's tokens: what it states of the key."""

import re
from itertools import islice

from musicbench import quoted
from musicbench.music.keys import MODES, Key
from musicbench.music.stylewords import GENRE_WORDS
from musicbench.prompt.reading import OF_MUSIC, left_out

CHORD_WORDS = set("chord chords progression progressions harmony changes sequence".split())
_MODE = re.compile(rf"(?:{MODES})(?!\w)", re.IGNORECASE)
# A mode by itself, "harmonic minor in A": no letter stands before it.
_LONE_MODE = re.compile(
    rf"(?<!relative )(?<!\b[A-Ga-g][ -])(?<!\b[A-Ga-g][#b][ -])\b(?:{MODES}|minor)(?!\w)(?! (?:third|seventh|chord))", re.IGNORECASE
)
_MAJOR = re.compile(r"\bmajor\b", re.I)
_KEY_NAMES = {"key", "tonality", "tonic", "tonart", "tonalité", "tonalidad", "tonalidade", "tonalità"}
_IS = set("of is = : the in center centre tonal signature".split())
_AFTER_A_KEY = set(
    """
    at and with over on for in then key by using featuring that about but played time ballad jam tuning to mode progression style please pls plz or maybe if thanks thx tempo around feel
    """.split()
)
_TRANSPOSING = re.compile(
    r"\b(?:clarinets?|horns?|trumpets?|cornets?|fl[uü]gelhorns?|sax(?:ophone)?s?|tubas?|euphoniums?|bugles?)$",
    re.I,
)
_NO_KEY_AFTER = re.compile(r"\s*(?:chords?|third|seventh|7|hit|label|detail|setback|mistake|way|problem|change|role|issue)\b", re.I)
_CAMELOT = (
    ["Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#", "Db"],
    ["B", "F#", "Db", "Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E"],
)


def read_marked_keys(reading):
    """Use the tokens of keys that are called keys, or stand after "in"; return [(first, end, key, mode or None), ...]."""
    keys = []
    for i in range(len(reading.tokens)):
        found = _key_root(reading, i) if i not in reading.used else None
        if found and _is_marked_key(reading, i, *found):
            keys.append(_with_mode_around(reading, i, *found))
            reading.use(i, found[0])
    return keys


def read_other_keys(reading, chords_found):
    """Use and return the keys that stand by themselves: "A minor", "F#m, 98 bpm" (if no chords are stated), "Camelot 8A"."""
    keys = []
    for i in range(len(reading.tokens)):
        if i in reading.used:
            continue
        camelot = _camelot_key(reading, i)
        if camelot:
            keys.append((i, i + 1, camelot, None))
            reading.used.add(i)
            continue
        found = _key_root(reading, i)
        if found and (_is_spoken_key(reading, i, *found) or (not chords_found and _is_short_key(reading, i, found[0]))):
            keys.append(_with_mode_around(reading, i, *found))
            reading.use(i, found[0])
            _note_groove(reading, i, found[0])
    return keys


def first_key(reading, keys):
    """Return the first of the keys, None if there is none; notes on the others and on modes."""
    key, denied, quotes = None, [], _in_quotes(reading)
    for first, end, found, mode in sorted(keys, key=lambda one: one[0] in quotes):
        if key and first in quotes:
            continue
        if reading.is_denied(first) or (reading.word(first - 1) in ("in", "of", "key") and reading.is_denied(first - 1)):
            denied.append(reading.words(first, end))
            continue
        if (
            reading.word(first - 1) == "of"
            and reading.word(first - 3) == "relative"
            and reading.word(first - 2) in ("minor", "major")
        ):
            found = found if found.mode == reading.word(first - 2) else found.relative
        if key is None:
            key = found
            if mode:
                reading.note("key", f"{reading.words(first, end)} in the prompt is played as {key}")
        elif not found.same_as(key):
            reading.note("key", left_out(reading.words(first, end), str(key)))
    for said in denied if key is None else ():
        reading.note("key", f"{quoted(said)} in the prompt is denied there, and left out")
    changing = _CHANGING.search(reading.text)
    if changing and not any("left out" in text for name, text in reading.notes if name == "key"):
        reading.note("key", f"the key cannot change within a clip; {quoted(changing[0])} in the prompt is not played")
    german = _GERMAN.search(reading.text)
    if key is None and german:
        reading.note("key", f"{quoted(german[0])} in the prompt is no key known here; the German H is B, and the German B is Bb")
    return key


def _in_quotes(reading):
    """Return the places of the tokens of titles in quotes, "Nocturne in Eb", whose key is played where nothing else says one."""
    marks = [j for j, token in enumerate(reading.tokens) if token.text in ('"', "“", "”")]
    return {i for start, end in zip(marks[::2], marks[1::2], strict=False) for i in range(start, end)}


def note_outside_a_key(reading):
    """Note words for harmony outside a key, "chromatic", "atonal", of a text that writes no chords."""
    outside = _OUTSIDE_A_KEY.search(reading.text)
    if outside and not reading.is_denied(next(i for i, token in enumerate(reading.tokens) if token.end > outside.start())):
        reading.note("key", f"{quoted(outside[0])} in the prompt is not played; the chords stay in one key")


def note_mode_alone(reading):
    """Note a mode or a scale without a tonic, "dorian groove", "pentatonic flute"."""
    said = _MODE_ALONE.search(reading.text)
    if said and not reading.is_denied(next(i for i, token in enumerate(reading.tokens) if token.end > said.start())):
        reading.note("key", f"{quoted(said[0])} in the prompt names no tonic; write one, such as 'D {said[0].lower()}'")


_MODE_ALONE = re.compile(
    r"(?<![A-G] )(?<![A-G][#b] )\b(?:ionian|dorian|phrygian|lydian|mixolydian|aeolian|locrian|(?:(?:minor|major) )?pentatonic)(?! (?:dominant|cadence|half))\b",
    re.I,
)


def note_mode_beside_chords(reading, chords):
    """Note "in minor" beside chords in letters, which it does not change."""
    said = _IN_A_MODE.search(reading.text) if re.search("[A-G]", chords) else None
    if said:
        reading.note("key", f"{quoted(said[0])} in the prompt changes no chord; {chords} is played as written")


_IN_A_MODE = re.compile(r"\b(?:in|into|to) (?:a )?(?:minor|major)(?: mode| key)?\b", re.IGNORECASE)
KEY_CHANGE = re.compile(r"\b(?:modulat\w*|key changes?|gear change|chang\w* keys?|shifts?|moves? from)\b", re.I)
_CHANGING = re.compile(
    r"\b(?:key changes?|chang(?:es?|ing) (?:the )?keys?|modulat(?:es?|ing|ion)|(?:shifts?|moves?) up a (?:(?:half|whole) (?:step|tone)|semitone|tone|step)"
    r"|transpos(?:e|es|ed|ing)|truck driver'?s gear change"
    r"|(?:in|through|round|around|across) (?:all|every|each|twelve|the twelve|all twelve|12|all 12|the 12|all of the|different|several|many|various)(?: different| major| minor)? keys?)\b",
    re.I,
)
_OUTSIDE_A_KEY = re.compile(
    r"\b(?:atonal(?:ity|ly)?|twelve[- ]tone|12[- ]tone|dodecaphonic|serialis[mt]|chromaticism|chromatically|chromatic)\b"
    r"(?! (?:harmonicas?|accordions?|button|percussion|tuner|aberration|line cliche|mediants?))",
    re.I,
)
_GERMAN = re.compile(
    r"\b(?:H[- ]?(?:[Mm]oll|[Dd]ur|minor|major)|h[- ](?:moll|dur|minor|major)|(?<=key of )H|(?<=in )H(?= [a-z]|$|[,.])|(?:Cis|Dis|Fis|Gis|Es|As|Des|Ges)[- ]?(?:[Mm]oll|[Dd]ur))(?!\w)"
)


def _key_root(reading, i):
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
    return j if j < i - 1 and reading.word(j) in _KEY_NAMES else None


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


def _is_marked_key(reading, i, end, key, mode):
    """Return whether a tonic at `i` is a key for the words before it: "key of", "tonality is", "in"."""
    j = i - 1
    while j >= 0 and (reading.word(j) in _IS - {"in"} or (reading.kind(j) in ("STOP", "GAP") and reading.tokens[j].text in ":=-")):
        j -= 1
    says_mode = (
        mode
        or reading.tokens[i].kind != "CHORD"
        or reading.tokens[i].value != reading.tokens[i].text
        or reading.tokens[i].value[-1] == "m"
    )
    if reading.word(i - 1) in ("from", "to") and reading.says(i, KEY_CHANGE):  # "key change from C to D"
        return True
    if reading.word(i - 1) in ("low", "concert") and reading.word(i - 2) == "in" and reading.ends(end):  # "in low C"
        return True
    if reading.word(i - 1) == "of" and reading.word(i - 3) == "relative":  # "the relative minor of G"
        return True
    if reading.word(j) in _KEY_NAMES | {"center", "centre"} and j < i and (reading.word(j), reading.word(j + 1)) != ("tonic", "of"):
        return says_mode or not _goes_on(reading, end)
    if reading.word(i - 1) != "in":
        return False
    if _begins_a_list(reading, i, end) or _ends_a_story(reading, i):
        return False
    if reading.tokens[i].text == "a":  # "in a minor key"
        return reading.ends(end) or reading.word(end) in _AFTER_A_KEY - {"key"}
    if says_mode:
        return not _NO_KEY_AFTER.match(reading.text, reading.tokens[end - 1].end) or reading.tokens[i].kind == "CHORD"
    if _instrument_before(reading, i):
        reading.note("key", f"{quoted(reading.words(i - 2, end))} in the prompt names an instrument; it sets no key")
        reading.use(i, end)
        return False
    after = reading.word(end)
    if after in _SCALES:
        reading.note("key", f"{quoted(after)} in the prompt is no scale known here; {key} is played")
    is_of_music = after in OF_MUSIC | GENRE_WORDS | _SCALES or reading.tokens[i].value[-1] in "#b"
    return (
        reading.ends(end)
        or after in _AFTER_A_KEY
        or is_of_music
        or reading.kind(end) in ("TEMPO", "NUMBER", "FRACTION", "QUANTITY", "RANGE")
    )


_SCALES = set(
    """
    freygish hijaz hijaz-kar rast bayati nahawand kurd saba ahava yaman bhairav bhairavi kafi todi hungarian gypsy byzantine neapolitan bebop
    altered enigmatic persian arabic hirajoshi insen kumoi pelog slendro raga raag maqam makam octatonic hexatonic
    """.split()
)


_A_SCALE = re.compile(rf"\b(?:{'|'.join(sorted(_SCALES))})\b", re.IGNORECASE)


def _goes_on(reading, end):
    """Return whether chords follow directly, with nothing between."""
    return reading.kind(end) in ("CHORD", "ROMAN") and reading.kind(end + 1) in ("CHORD", "ROMAN", "GAP")


def _begins_a_list(reading, i, end):
    """Return whether "in" and a tonic begin a list of chords: "chords in C, G, Am, F"; "in C G Am F"."""
    if reading.kind(end) in ("CHORD", "ROMAN") and reading.tokens[i].value == reading.tokens[i].text:
        return True
    commas = (
        reading.kind(end) == "GAP"
        and reading.kind(end + 1) == "CHORD"
        and reading.kind(end + 2) == "GAP"
        and reading.kind(end + 3) == "CHORD"
    )
    return commas and reading.word(i - 2) in CHORD_WORDS and reading.value(end + 1) != reading.value(i)


def _ends_a_story(reading, i):
    """Return whether "ends in F" tells the last of several chords: another stands in the sentence, and not behind "in" as a key does."""
    if reading.word(i - 2) not in ("end", "ends", "ending", "resolves", "lands", "finishes"):
        return False
    first, stop = reading.sentence(i)
    others = [
        j
        for j in range(max(first, i - 40), min(stop, i + 40))
        if reading.kind(j) == "CHORD" and j != i and reading.word(j - 1) not in ("in", "of")
    ]
    return bool(others)


def _instrument_before(reading, i):
    """Return whether "in" and a letter name a transposing instrument: "clarinet in A"."""
    begin, _ = reading.sentence(i)
    return i - 2 >= begin and reading.kind(i - 2) == "WORD" and bool(_TRANSPOSING.search(reading.tokens[i - 2].text))


def _with_mode_around(reading, i, end, key, mode):
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


def _is_spoken_key(reading, i, end, key, mode):
    """Return whether "A minor", "G maj" or "a-minor" by itself is a key; "a minor", "A major hit" and "B flat clarinet" are none."""
    token, said = reading.tokens[i], reading.words(i, end)
    if token.kind == "WORD" and end == i + 1 and token.text != "a":  # "gmin", "em 80 bpm"
        return True
    if token.kind == "WORD" and token.text == "a" and reading.value(i + 1) != "joined":
        return False
    if not mode and not re.search(r"(?:major|minor|maj|min|moll|dur)\b", said, re.I):
        return False
    if reading.word(end) == "chord" and reading.word(end + 1) in CHORD_WORDS:  # "A minor chord progression"
        return True
    is_free = (
        reading.ends(end) or reading.kind(end) in ("TEMPO", "NUMBER", "FRACTION", "QUANTITY") or reading.word(end) in _AFTER_A_KEY
    )
    if re.search(r"(?:maj|min)$", said):
        return is_free or (end == i + 1 and reading.word(end) in OF_MUSIC | GENRE_WORDS)
    if said[:2] in ("A ", "a ") and not mode and not is_free and reading.word(end) not in OF_MUSIC:  # "A major success"
        return False
    return not _NO_KEY_AFTER.match(reading.text, reading.tokens[end - 1].end)


def _is_short_key(reading, i, end):
    """Return whether a lone "F#m" or "Emin", a lone "Bb" next to a tempo, or the F of "F blues" is a key."""
    token = reading.tokens[i]
    if token.kind != "CHORD" or end != i + 1 or reading.is_denied(i):
        return False
    is_article = token.text == "A" and reading.sentence(i)[0] == i
    is_bare = re.fullmatch("[A-G][#b]?", token.value) is not None
    if is_bare and _names_music(reading, i, end):
        return True
    behind = [reading.word(j) for j in range(end, end + 3)]
    is_scale = behind[:2] == ["blues", "scale"] or (behind[0] == "whole" and "tone" in behind)
    if is_bare and is_scale and (token.text != "A" or reading.ends(end + 2)):  # "A blues scale", "C whole tone"
        return True
    if is_bare and reading.ends(i + 1) and reading.word(i - 1) in ("just", "only") and reading.ends(i - 2):  # "just C"
        return True
    of_what = end + (reading.kind(end) == "QUANTITY" and reading.value(end)[1] == "bars")  # "E 12-bar blues"
    if is_bare and reading.word(of_what) in ("blues", "jam", "boogie", "drone") and not is_article:
        return True
    if (
        is_bare
        and reading.word(i - 1) == "on"
        and reading.word(i - 2) in ("drone", "drones", "pedal", "jam", "vamp")
        and reading.ends(end)
    ):
        return True
    if is_bare and reading.word(i - 1) == "on" and reading.ends(end) and reading.says(i, _A_SCALE):
        return True
    follows_music = reading.word(i - 1) in OF_MUSIC | GENRE_WORDS and (
        reading.ends(end) or reading.kind(end) in ("NUMBER", "TEMPO", "FRACTION")
    )
    if is_bare and follows_music and _is_only_letter(reading, i):  # "reggae A", "country G 100 bpm"
        return True
    if is_bare and reading.ends(i - 1) and reading.ends(end) and not is_article and _is_only_letter(reading, i):
        return True
    if is_bare and reading.word(i - 1) == "blues" and reading.ends(end):
        return True
    if len(token.value) > 1 and re.fullmatch(r"[A-G][#b]?(?:m|min|maj)", token.value):
        return (
            str(reading.value(end)).lower() not in _NO_SHORT_KEY
            and not _NO_KEY_AFTER.match(reading.text, token.end)
            and _is_alone(reading, i)
        )
    if is_bare and reading.kind(end) == "TEMPO" and _is_only_letter(reading, i) and not is_article:
        return reading.word(i - 1) not in _BEFORE_OTHER_LETTERS  # "dreamscape F 60bpm"
    near_tempo = any(
        reading.kind(j) == "TEMPO" or j in reading.used and reading.kind(j) == "NUMBER" for j in (i - 2, i - 1, end, end + 1)
    )
    alone = (reading.ends(i - 1) or reading.kind(i - 1) in ("TEMPO", "NUMBER")) and (
        reading.ends(end) or reading.kind(end) in ("TEMPO", "NUMBER") or reading.word(end) == "at"
    )
    return alone and (near_tempo or len(token.value) > 1)


_BEFORE_OTHER_LETTERS = {
    "vitamin",
    "plan",
    "grade",
    "section",
    "part",
    "side",
    "type",
    "mr",
    "hepatitis",
    "group",
    "option",
    "version",
    "take",
    "line",
}
_NO_SHORT_KEY = {"dash", "dashes", "i", "chord", "chords", "not", "sure", "here", "major"}


_TRANSPOSED_KINDS = {"alto", "tenor", "soprano", "baritone", "bass", "muted", "french", "solo", "contrabass"}
_IN_MANY_KEYS = {"harmonica", "harmonicas", "whistle", "flute", "recorder", "ocarina", "bagpipes"}  # built in a key each
_OTHER_NAMES = {
    "A": OF_MUSIC | GENRE_WORDS, "B": {"movie", "side", "section", "part"}, "C": {"pop"}, "D": {"beat", "drums", "bass"}, "G": {"funk", "house"},
    "E": {"piano", "guitar", "bass", "drums", "organ", "violin", "cello", "keys", "keyboard"},
}  # fmt: skip


def _names_music(reading, i, end):
    """Return whether a letter before a style or an instrument is its key, "A-flat piano", "Db rnb"; a "Bb trumpet" is noted and none."""
    after = reading.word(end)
    instrument = reading.word(end + 1) if after in _TRANSPOSED_KINDS else after
    if _TRANSPOSING.search(instrument) or instrument in _IN_MANY_KEYS:
        said = reading.words(i, end + 1 + (instrument != after))
        reading.note("key", f"{quoted(said)} in the prompt names an instrument; it sets no key")
        reading.use(i, end)
        return False
    if after in _SCALES and reading.tokens[i].text != "A":
        reading.note("key", f"{quoted(after)} in the prompt is no scale known here; {reading.tokens[i].text} major is played")
        return True
    is_music = after in OF_MUSIC | GENRE_WORDS and after not in _OTHER_NAMES.get(reading.tokens[i].text, ())
    before = reading.word(i - 1)
    starts = reading.ends(i - 1) or i == 0 or before in OF_MUSIC | GENRE_WORDS | {"a", "an", "slow", "fast", "some"}
    return is_music and starts and _is_only_letter(reading, i)


_GROOVES = {
    "groove",
    "grooves",
    "jam",
    "loop",
    "riff",
    "beat",
    "beats",
    "lick",
    "arpeggio",
    "arpeggios",
    "pattern",
    "bassline",
    "ostinato",
}


def _note_groove(reading, i, end):
    """Note that the chord of "Dm groove" or "Em riff" is read as the key."""
    said = reading.tokens[i].text
    if end == i + 1 and " " not in said and {reading.word(i - 1), reading.word(end)} & _GROOVES:
        reading.note("key", f"{quoted(said)} in the prompt is read as the key; for the one chord write 'chords: {said}'")


def _is_only_letter(reading, i):
    """Return whether no other letter could be a key or a part: "jazz, F, 4/4", but not "parts A, B, C"."""
    kinds = {"CHORD", "ROMAN"}
    others = (
        j for j, token in enumerate(reading.tokens) if token.kind in kinds and not (token.kind == "ROMAN" and j in reading.used)
    )
    return list(islice(others, 2)) == [i]


def _is_alone(reading, i):
    """Return whether no other chord symbol that is more than a letter stands unused in the text."""
    symbols = [j for j, token in enumerate(reading.tokens) if token.kind == "CHORD" and len(token.value) > 1]
    return set(symbols) - reading.used <= {i}


def _camelot_key(reading, i):
    """Return the key of a place on the Camelot wheel, "8A", where the wheel is named or a tempo stands beside it."""
    match = re.fullmatch(r"(1[0-2]|[1-9])([ab])", str(reading.value(i)).lower()) if reading.kind(i) in ("WORD", "LIKE") else None
    is_named = (
        "camelot" in reading.text.lower()
        or reading.word(i - 1) == "in"
        or reading.kind(i - 1) == "LEFT"
        or any(reading.kind(j) == "TEMPO" or reading.word(j) in _KEY_NAMES for j in (i - 2, i - 1, i + 1, i + 2))
    )
    if not match or not is_named:
        return None
    wheel = _CAMELOT["ab".index(match[2])]
    return Key(wheel[int(match[1]) - 1], "minor" if match[2] == "a" else "major")
