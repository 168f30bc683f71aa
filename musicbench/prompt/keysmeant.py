"""Whether a tonic is meant as the key: a chord, an instrument's tuning, a form's letter or a word is not."""

import re
from itertools import islice

from musicbench import quoted
from musicbench.music.stylewords import GENRE_WORDS
from musicbench.prompt.reading import CHORD_WORDS, OF_MUSIC
from musicbench.prompt.tonics import KEY_NAMES

_IS = set("of is = : the in center centre tonal signature".split())
_AFTER_A_KEY = set(
    """
    at and with over on for in then key by using featuring that about but played time ballad jam tuning to mode
    progression style please pls plz or maybe if thanks thx tempo around feel
    """.split()
)
_TRANSPOSING = re.compile(
    r"\b(?:clarinets?|horns?|trumpets?|cornets?|fl[uü]gelhorns?|sax(?:ophone)?s?|tubas?|euphoniums?|bugles?)$",
    re.I,
)
_NO_KEY_AFTER = re.compile(r"\s*(?:chords?|third|seventh|7|hit|label|detail|setback|mistake|way|problem|change|role|issue)\b", re.I)
KEY_CHANGE = re.compile(r"\b(?:modulat\w*|key changes?|gear change|chang\w* keys?|shifts?|moves? from)\b", re.I)


def is_marked_key(reading, i, end, key, mode):
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
    if reading.word(j) in KEY_NAMES | {"center", "centre"} and j < i and (reading.word(j), reading.word(j + 1)) != ("tonic", "of"):
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
    freygish hijaz hijaz-kar rast bayati nahawand kurd saba ahava yaman bhairav bhairavi kafi todi hungarian gypsy
    byzantine neapolitan bebop altered enigmatic persian arabic hirajoshi insen kumoi pelog slendro raga raag maqam
    makam octatonic hexatonic
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


def is_spoken_key(reading, i, end, key, mode):
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


def is_short_key(reading, i, end):
    """Return whether a lone "F#m" or "Emin", a lone "Bb" next to a tempo, or the F of "F blues" is a key."""
    token = reading.tokens[i]
    if token.kind != "CHORD" or end != i + 1 or reading.is_denied(i) or _is_article_before_tempo(reading, i):
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


def _is_article_before_tempo(reading, i):
    """Return whether an "A" is an article: "A 120 BPM house track", "A 90 bpm, dusty beat", but not "reggae A 120 bpm"."""
    if reading.tokens[i].text != "A" or reading.kind(i + 1) != "TEMPO" or reading.word(i - 1) in OF_MUSIC | GENRE_WORDS | {"in"}:
        return False
    _, end = reading.sentence(i)
    is_music = any(reading.word(j) in OF_MUSIC for j in range(i + 2, end))
    return is_music or (not reading.ends(i + 2) and reading.word(i + 2) not in ("with", "and", "in", "at", "for"))


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
