"""Text -> musical tokens with their places: chords, numerals, numbers with units, meters, bars, repeats, section marks, words.

`musicbench.prompt.facts` (prompts) and `musicbench.music.progression` (chord lines) decide over the same tokens what they mean.
"""

import re
import unicodedata
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import lru_cache

from musicbench import InputError
from musicbench.music.chordtypes import read_harte_type
from musicbench.music.theory import Chord, ascii_accidentals, is_roman

# Words of styles.
GENRE_WORDS = set(
    """
    country gospel breaks polka bebop vaporwave dancehall ebm ukg hard drum blues ballad waltz march latin cumbia tango rnb
    techno house trance dnb d&b dubstep trap drill garage jungle hardstyle hardcore edm electro breakbeat phonk disco beat
    beats groove grime reggaeton amapiano ambient hop hiphop lofi lo-fi downtempo bass step psytrance footwork juke gabber rave club
    dance pop rock metal punk funk soul r&b jazz swing bossa samba salsa loop track song moombahton dembow afrobeat afrobeats
    synthwave eurodance nightcore dub ska reggae riddim bounce
    """.split()
)


@dataclass(frozen=True)
class Token:
    """A piece of text. `text` is as written, `value` what it means: a chord's symbol, a number, a pair of them, a word in small letters.

    kind: CHORD, ROMAN, TIMED (seconds and symbol), LIKE (looks like a chord and is none), NUMBER, RANGE, CLOCK (seconds of 1:30),
    FRACTION, QUANTITY (number and unit), TEMPO (lowest and highest bpm), NOTE (a note value in quarters), BAR, OPEN, CLOSE, SAME, HOLD, TIMES, ENDING, JUMP (D.C.), MARK, GAP, LEFT, RIGHT, STOP, LINE, WORD.
    start, end: the place in the text that `normalised` gives.
    """

    kind: str
    text: str
    value: object
    start: int
    end: int


ARROWS = "->|→|=>|>"
_SPACED = re.compile(r"(:?\|+:?|\[\||\|\]|%|𝄎)")
# "G,120bpm" and "rock,4/4": what a comma parts without a blank; not "7,5 min", nor what is in brackets.
_COMMA_OF_A_LIST = re.compile(
    r"(\([^()\s]*\))|,(?=\d)(?:(?<=[A-Za-z#)],)|(?<=[A-Za-z#/]\d,)(?=(?!1[13]\b)\d{2})|(?<=\d,)(?=\d{1,2}/\d)|(?<=\d,)(?=\d{2,3} ?bpm))",
    re.I,
)
# C7[b9], Am (add9), and C /E, C/ E: what belongs to the symbol before it.
_GLUED_BRACKET = re.compile(
    r"(?<=[A-G#bmj\d°ø+Δ-]) ?[\[{(]((?:[b#+-]\d+|Δ7?|add ?[b#]?\d+|no ?\d|omit ?\d|alt|sus\d?|[mM]aj ?\d+|[,/ ])+)[\])}]"
)
_SPLIT_SLASH = re.compile(r"(?<![\w/])([A-G][\w#°ø+]*)(?: /|/ )([A-G][#b]?)(?![\w/]| /)")
_SLASH_BEHIND = re.compile(r"(?<![\w/])[A-G][\w#°ø+]*/(?=\s|$)")  # "Am/ F/ C": a beat, no bass
_LOOKALIKES = {
    "А": "A", "В": "B", "С": "C", "Е": "E", "м": "m", "♮": "", "¦": "|", "-//-": "%", "◇": "", "·": " - ", "♦": " - ", "➔": "→", "⇒": "→", "▸": "→", "»": "→", "〃": "%", "𝄫": "bb", "𝄪": "##",
    "‖": "|", "𝄆": "|:", "𝄇": ":|", "𝄀": "|", "𝄁": "||", "𝄂": "||", "⁄": "/", "…": " ", "\u200b": "",
    "、": ", ", "､": ", ", "。": ". ", "｡": ". ", "・": " - ", "〜": "~", "،": ", ", "؛": "; ",
}  # fmt: skip


_MISSPELT = re.compile(r"\b([Mm])(?:inr|nor|inro|innor|ineur|inore|enor|oll|ajr|jor|ajro|ajer|ajeur|ayor|aggiore)\b")
_COUNT_IN_BRACKET = re.compile(r"(?<=[\w#°ø+Δ)])\((?:[x×](\d{1,2})|(\d{1,2})[x×])\)", re.IGNORECASE)  # Dmaj7(x2)
_LISTED_NOTES = re.compile(r"(?<=[A-G#b]):(\([b#*\d, ]{1,40}\))")  # Harte's C:(1,5)


# Keys of French, Italian, Spanish and Portuguese: "en la mineur", "fa dièse majeur", "si bemol mayor".
_SOLFEGE = {"do": "C", "ut": "C", "re": "D", "mi": "E", "fa": "F", "sol": "G", "la": "A", "si": "B"}
_SOLFEGE_KEY = re.compile(
    r"(?:\b(?P<into>en|em|in) )?\b(?P<note>do|ut|re|mi|fa|sol|la|si)"
    r"(?P<sign>#|b|[ -]?(?:diese|diesis|dieze|sostenido|sustenido|bemol(?:le)?|flat|sharp))?[ -](?P<mode>m(?:ineur|inore|enor|ajeur|aggiore|ayor|aior|inor|ajor|in|aj))\b"
    r"(?! (?:league|changes?|repairs?|damage|things?|issues?|problems?|key|label))",
    re.IGNORECASE,
)
_MODES_OF_ENGLISH = {"minor", "major", "min", "maj"}


_GERMAN_KEY = re.compile(r"\b(?P<note>[A-Ha-h])(?P<sign>is|es|s)?[- ]?(?P<mode>dur|moll)\b", re.IGNORECASE)


def _german_key(match):
    """Return a German key in English letters: "fis-moll" as "F# minor", "B-Dur" as "Bb major", "h moll" as "B minor"."""
    note, sign = match["note"].upper(), (match["sign"] or "").lower()
    tonic = {"H": "B", "B": "Bb"}.get(note, note) if not sign else note + ("#" if sign == "is" else "b")
    return f"{tonic} {'major' if match['mode'].lower() == 'dur' else 'minor'}"


def _in_letters(text):
    """Return a text whose keys of solfège are in letters, "la mineur" as "A minor"; with one of them alone as "in A minor"."""
    plain = unicodedata.normalize("NFD", text)
    if len(unicodedata.normalize("NFC", plain)) != len(text):
        return text
    plain = "".join(unicodedata.normalize("NFD", letter)[0] for letter in text)
    found = [match for match in _SOLFEGE_KEY.finditer(plain) if _is_solfege(match)]
    for match in reversed(found):
        sign, mode = (match["sign"] or "").lower().strip(" -"), match["mode"].lower()
        accidental = "" if not sign else "b" if sign in ("b", "flat") or sign.startswith("bem") else "#"
        key = f"{_SOLFEGE[match['note'].lower()]}{accidental} {'minor' if mode[1] in 'ie' else 'major'}"
        text = text[: match.start()] + ("in " if len(found) == 1 else "") + key + text[match.end() :]
    return text


def _is_solfege(match):
    """Return whether a match is a key: "do major damage" and "LA minor" with an English mode are none."""
    return match["mode"].lower() not in _MODES_OF_ENGLISH or (match["note"].lower() not in ("do", "ut") and match["note"] != "LA")


_MODE_BEHIND_A_ROOT = re.compile(
    r"(?<![\w'])([A-Ga-g](?:#|b|[ -]?flat|[ -]?sharp)?[ -])([Mm][a-zA-Z]{3,6}|phryg|dor|lyd|aeol)\b(?!')"
)


_CUT_MODES = {"mixo": "mixolydian", "phryg": "phrygian", "dor": "dorian", "lyd": "lydian", "aeol": "aeolian"}


def _spelt(match):
    """Return a root with its mode spelt right, "d miner" as "d minor", "A mixo" as "A mixolydian"; "a miner" and "A motor" are no keys."""
    word = match[2].lower()
    if word in _CUT_MODES:
        return match[1] + _CUT_MODES[word]
    near = get_close_matches(word, ("minor", "major"), 1, 0.78)
    is_article = match[1] in ("A ", "a ") and word in ("miner", "manor", "mayor", "minors", "majors")
    return match[1] + near[0] if near and not is_article and word not in ("minors", "majors", "manor") else match[0]


def _harte_name(match):
    name = read_harte_type(match[1].replace(" ", ""))
    return f":{name}" if name else match[0]


def normalised(text):
    """Return the text with plain accidentals, dashes, bar lines, digits and letters; full-width and Roman numeral characters too."""
    text = re.sub(r"(?<=\b[A-G])\s+(?=[♯♭#])", "", text.replace("½", " 1/2 "))
    text = ascii_accidentals(text)
    for odd, plain in _LOOKALIKES.items():
        text = text.replace(odd, plain)
    text = unicodedata.normalize("NFKC", text)
    text = _GERMAN_KEY.sub(_german_key, _in_letters(text))
    text = _MODE_BEHIND_A_ROOT.sub(_spelt, text)
    text = _MISSPELT.sub(lambda match: match[1] + ("ajor" if match[0][1] in "aj" else "inor"), text)
    text = re.sub(r"(?<!\w)::(?!\w)", ":|:", text)
    text = re.sub(r"\|\s*\[([1-4])(?=\s)", r"| \1.", text)
    text = _COMMA_OF_A_LIST.sub(lambda match: match[1] or ", ", text)
    text = _COUNT_IN_BRACKET.sub(lambda match: f"x{match[1] or match[2]}", text)
    text = _LISTED_NOTES.sub(_harte_name, text)
    text = _GLUED_BRACKET.sub(lambda match: f"({match[1].replace(' ', '')})", text)
    joined = _SPLIT_SLASH.sub(r"\1/\2", text)
    text = text if _SLASH_BEHIND.search(joined) else joined
    text = _RAISED.sub(lambda match: ("#" if match[2] == "+" else "b") + match[1], text)
    lines = (" ".join(_SPACED.sub(r" \1 ", line).split()) for line in text.splitlines())
    return "\n".join(filter(None, map(_plain_bars, lines)))


_RAISED = re.compile(r"(?<=[(,])(5|9|11|13)([+-])(?=[),])")  # E7(9+)


def _plain_bars(line):
    """Return a line whose beats of a bar are dots, not dashes, and that is parted by double bars only where it has single ones, too."""
    if "||" in line and not re.search(r":\||\|:", line) and not re.search(r"(?<!\|)\|(?!\|)", line):  # "Am F || C G": sections
        line = line.replace("||", "\n").strip("\n ")
    if "|" in line and re.search(r"(?<=[\w)#]) - - ", line):  # "| C - - G |"
        return re.sub(r"(?<= )-(?= )", ".", line)
    is_ellipsis = "|" not in line and line.count("..") == 1 and " ." not in line
    return re.sub(r"(?<=[\w#])\.{3}$", "", line) if is_ellipsis else line


# ---------------------------------------------------------------------------------------------------- chunks

_CHUNK = re.compile(
    r"\n|:?\|+:?|\[\||\|\]|[%𝄎]|[()\[\]{}\"“”`]|[,;]+(?!\d)|[,;]|(?:[^\s|()\[\]{}\"“”`,;%]|,(?=\d)|(?<=[\w#°ø+-])\((?!\d ?(?:bar|beat|x))[^()\s|]{1,24}\))+"
)
_TRAILING = re.compile(r"[.:!?'*_…]+$")
_NUMBER = r"\d+(?:[.,]\d+)?"
_UNITS = {
    "bpm": r"bpms?|bmps?|bpn|bps|bp|b\.?p\.?m",
    "s": r"s|secs?|seconds?", "min": r"mins?|minutes?", "h": r"hours?|hrs?", "bars": r"bars?|measures?", "beats": r"beats?|crotchets?|clicks?", "hz": r"k?hz",
}  # fmt: skip
_UNIT_OF = {name: re.compile(f"(?:{pattern})", re.IGNORECASE) for name, pattern in _UNITS.items()}
_WITH_UNIT = re.compile(rf"[~≈@]?({_NUMBER})(?:(\+)|-?(ish))?(?:-?({'|'.join(_UNITS.values())}))?", re.IGNORECASE)
_RANGE = re.compile(rf"[~≈@]?({_NUMBER})-({_NUMBER})(?:-?({'|'.join(_UNITS.values())}))?", re.IGNORECASE)
_CLOCK = re.compile(r"(\d{1,2}):([0-5]\d)")
_FRACTION = re.compile(r"(\d{1,3})/(\d{1,3})(?:-(?:time|takt|beat|feel|groove|waltz|shuffle|meter|metre|rock))?", re.IGNORECASE)
_TIMES = re.compile(r"[xX×*](\d{1,2})|(\d{1,2})[xX×]")
_TIMED = re.compile(r"(\d+(?:\.\d+)?)s?:(\S+)")
_JUMP = re.compile(r"D\.? ?[CS]\.?|(?i:fine|segno|𝄋|𝄌)")
_SEPARATOR = re.compile(rf"{ARROWS}|[-–—+&~=>*_·•']+")
_ENDING = re.compile(r"([1-4](?:[.,-]{1,2}[1-4])*)\.")
LIKE_A_CHORD = re.compile(
    r"(?![A-H]\d+$)[A-H](?:maj|Maj|MAJ|min|Min|MIN|dim|aug|sus|add|alt|omit|no|dom|[mM#b+°øΔ^()/,\d-])*(?:/[A-G][#b]?)?"
    r"|(?:maj|min|m|dim|sus|add)\d+|(?![A-H]\d+$)[A-H][\w#+°øΔ^()/-]{0,12}\d[\w#+°øΔ^()/-]{0,12}"
)
_LENGTH = re.compile(r"(.+):(\d{1,2}(?:\.\d+)?)")


def symbol_of(text):
    """Return ("CHORD" or "ROMAN", symbol) of a chord symbol or Roman numeral, None for any other text."""
    if is_roman(text):
        return "ROMAN", text
    try:
        Chord.parse(text)
    except InputError:
        return None
    return "CHORD", text


def number(text):
    """Return a number that may have a decimal comma: `number("120,5") == 120.5`."""
    whole, comma, rest = text.partition(",")
    return float(whole + rest) if comma and len(rest) == 3 else float(text.replace(",", "."))


def _unit(text):
    return next((name for name, pattern in _UNIT_OF.items() if text and pattern.fullmatch(text)), None)


def _chords_in(text):
    """Return [(offset, kind, symbol or None for what stands between)] of Am-F-C, Am/F/C, C:2 or one symbol; None for other text."""
    found = symbol_of(text)
    if found:
        return [(0, *found)]
    match = _LENGTH.fullmatch(text)
    if match and symbol_of(match[1]):
        return [(0, symbol_of(match[1])[0], text)]
    for separator in (rf"{ARROWS}|-|–|—|~", "/", r"\+|&", r"\.|,", ":"):
        pieces = re.split(f"({separator})", text)
        names = [piece for piece in pieces[::2] if piece]
        if len(names) < 2 or (separator in "/:" and len(names) < 3):
            continue
        parts, offset = [], 0
        for i, piece in enumerate(pieces):
            inner = _chords_in(piece) if piece and i % 2 == 0 else []
            if inner is None:
                break
            parts += [(offset + at, *rest) for at, *rest in inner]
            if i % 2:
                parts.append((offset, "GAP", piece))
            offset += len(piece)
        else:
            return parts
    return None


@lru_cache(8192)
def _read_chunk(text):
    """Return ((kind, text, value, offset), ...) of a chunk without blanks."""
    if _SEPARATOR.fullmatch(text):
        return (("GAP", text, text, 0),)
    core = text.strip("'*_")
    lead = text.index(core) if core else 0
    ending = _ENDING.fullmatch(core)
    if ending:
        return (("ENDING", core, _passes(ending[1]), lead),)
    if re.fullmatch(r"(?i)n\.?c\.?", core) and core[0] + core[-1] != "NN":
        return (("CHORD", core, "N", lead),)
    if _JUMP.fullmatch(core):
        return (("JUMP", core, core, lead),)
    if re.fullmatch(r"\*[A-D]", text):
        return (("MARK", text, text, 0),)
    held = re.fullmatch(r"(.+?)((?:-{2,3}|/{2,3}|~{2,3}|\.{2,3}))", core)
    if held and symbol_of(held[1]):
        holds = tuple(("HOLD", ".", ".", lead + len(held[1]) + i) for i in range(len(held[2])))
        return (*_read_body(held[1], lead), *holds)
    if re.fullmatch(r"[./]+", core):
        return tuple(("HOLD", sign, sign, lead + i) for i, sign in enumerate(core))
    body = _TRAILING.sub("", core)
    tail = core[len(body) :]
    tokens = _read_body(body, lead) if body else ()
    stops = tuple(("STOP", sign, sign, lead + len(body) + i) for i, sign in enumerate(tail) if sign in ".:!?")
    return tokens + stops


def _passes(digits):
    numbers = [int(digit) for digit in re.findall(r"\d", digits)]
    return numbers[-1] - numbers[0] + 1 if "-" in digits else len(numbers)


def _read_body(body, at):
    for pattern, read in _READERS:
        match = pattern.fullmatch(body)
        value = match and read(match)
        if value:
            kind, value = value
            return ((kind, body, value, at),)
    name, at_sign, rest = body.partition("@")
    if name and re.match(r"\d", rest):  # techno@130, Am@128bpm
        return (*_read_body(name, at), *_read_body(at_sign + rest, at + len(name)))
    if re.search("[A-Za-z]{2,}[:=].", body) and not symbol_of(re.split("[:=]", body)[0]):  # key:Am, chords=C, Bpm:120
        return _split_at_signs(body, at)
    glued = re.fullmatch(r"([A-Ga-g])(flat|sharp)((?:m|maj|min)?\d*)", body)
    if glued:
        rest = _read_body(glued[3], at + 1 + len(glued[2])) if glued[3] else ()
        return (*_read_body(glued[1], at), ("WORD", glued[2], glued[2], at + 1), *rest)
    times = re.fullmatch(r"(.+?)[x×*](\d{1,2})", body)
    if times and symbol_of(times[1]):
        return (*_read_body(times[1], at), ("TIMES", "x1", int(times[2]), at + len(times[1])))
    chords = _chords_in(body)
    if chords:
        return tuple(
            (kind, str(value) if kind == "GAP" else body if len(chords) == 1 else str(value), value, at + offset)
            for offset, kind, value in chords
        )
    if re.search(".=.", body):
        return _split_at_signs(body, at)
    if LIKE_A_CHORD.fullmatch(body) or ("/" in body and symbol_of(body.partition("/")[0])):
        return (("LIKE", body, body, at),)
    if re.search(r"\w[/-]\w", body) or re.search(r"\w[–—~+&]\w", body):
        return _split_body(body, at)
    return (("WORD", body, body.lower(), at),)


def _split_at_signs(body, at):
    """Read what stands between the signs : and =; they are STOPs."""
    tokens = []
    for match in re.finditer("[:=]|[^:=]+", body):
        part, start = match[0], at + match.start()
        tokens += [("STOP", part, part, start)] if part in ":=" else _read_body(part, start)
    return tuple(tokens)


def _split_body(body, at):
    """Read a compound: a-minor, C-sharp-minor, 12-bar; its parts are tokens, the signs between them GAPs "joined"."""
    tokens = []
    for match in re.finditer(r"[^/–—~+&-]+|[/–—~+&-]+", body):
        part = match[0]
        if re.fullmatch(r"[/–—~+&-]+", part):
            tokens.append(("GAP", part, "joined", at + match.start()))
        else:
            tokens += _read_body(part, at + match.start())
    return tuple(tokens)


def _read_quantity(match):
    unit = _unit(match[4])
    if match[4] and not unit:
        return None
    value = number(match[1])
    if unit == "bpm":
        return "TEMPO", (value, value)
    return ("QUANTITY", (value, unit)) if unit else ("NUMBER", value)


def _read_range(match):
    low, high, unit = number(match[1]), number(match[2]), _unit(match[3])
    if unit == "bpm":
        return "TEMPO", (low, high)
    return "RANGE", (low, high)


_READERS = (
    (_TIMES, lambda match: ("TIMES", int(match[1] or match[2]))),
    (_CLOCK, lambda match: ("CLOCK", 60 * int(match[1]) + int(match[2]))),
    (re.compile(r"(\d{1,2})(?:m|min|')(\d{1,2})(?:s|sec|\")?"), lambda match: ("CLOCK", 60 * int(match[1]) + int(match[2]))),
    (_TIMED, lambda match: ("TIMED", (float(match[1]), match[2])) if symbol_of(match[2]) else None),
    (_FRACTION, lambda match: ("FRACTION", (int(match[1]), int(match[2])))),
    (_WITH_UNIT, _read_quantity),
    (_RANGE, _read_range),
    (re.compile(r"♩\.?|q\.?|𝅘𝅥"), lambda match: ("NOTE", 1.5 if "." in match[0] else 1.0)),
)


def tokens_of(text):
    """Return the tokens of a text that is `normalised`; spoken chords ("B flat minor 7") are single tokens."""
    tokens = []
    for match in _CHUNK.finditer(text):
        chunk, start = match[0], match.start()
        kind = _SIGNS.get(chunk)
        if kind is None and "|" in chunk:
            kind = _bar_kind(chunk)
        if kind is None and re.fullmatch("[,;]+", chunk):
            kind = "GAP"
        if kind:
            tokens.append(Token(kind, chunk, chunk, start, match.end()))
            continue
        for part_kind, part, value, offset in _read_chunk(chunk):
            tokens.append(Token(part_kind, part, value, start + offset, start + offset + len(part)))
    return _joined(tokens, text)


_SIGNS = {
    "\n": "LINE", "%": "SAME", "𝄎": "SAME", "(": "LEFT", "[": "LEFT", "{": "LEFT", ")": "RIGHT", "]": "RIGHT", "}": "RIGHT",
    '"': "GAP", "“": "GAP", "”": "GAP", "`": "GAP", "|]": "BAR", "[|": "BAR",
}  # fmt: skip


def _bar_kind(chunk):
    if chunk.startswith(":") and chunk.endswith(":"):
        return "CLOSE_OPEN"
    if chunk.startswith(":"):
        return "CLOSE"
    return "OPEN" if chunk.endswith(":") else "BAR"


# ---------------------------------------------------------------------------------------------------- spoken chords

_ACCIDENTALS = {"flat": "b", "sharp": "#"}
_QUALITY_WORDS = {
    "major": "maj", "maj": "maj", "dur": "maj", "moll": "m", "minor": "m", "min": "m", "dim": "dim", "diminished": "dim", "aug": "aug", "augmented": "aug",
    "sus": "sus4", "suspended": "sus4", "sus2": "sus2", "sus4": "sus4", "dominant": "", "dom": "", "power": "5", "half-diminished": "ø", "half": "",
}  # fmt: skip
_NUMBER_WORDS = {
    "six": "6", "sixth": "6", "seven": "7", "seventh": "7", "7th": "7", "nine": "9", "ninth": "9", "9th": "9", "eleventh": "11", "11th": "11",
    "thirteenth": "13", "13th": "13", "6th": "6", "eleven": "11", "thirteen": "13",
}  # fmt: skip
_EXTENSIONS = {6.0: "6", 7.0: "7", 9.0: "9", 11.0: "11", 13.0: "13"}
_SUSPENDED = {"four": "4", "fourth": "4", "4th": "4", "4.0": "4", "two": "2", "second": "2", "2nd": "2", "2.0": "2"}
_AFTER_A_SYMBOL = set("chord chords and to then at in with over on for vamp groove loop".split())
_ENDS_A_SYMBOL = {
    "GAP",
    "BAR",
    "OPEN",
    "CLOSE",
    "CLOSE_OPEN",
    "CHORD",
    "ROMAN",
    "STOP",
    "LINE",
    "LEFT",
    "RIGHT",
    "HOLD",
    "SAME",
    "TIMES",
}


def _joined(tokens, text):
    """Join what several tokens say together: B flat minor 7; Dm 7; quarter note; 60 seconds."""
    result, place = [], 0
    while place < len(tokens):
        token, place = _join_at(tokens, place, text)
        result.append(token)
    return result


def _join_at(tokens, place, text):
    first = tokens[place]
    if first.kind == "CHORD" and first.value != "N":
        return _join_chord(tokens, place, text)
    after = tokens[place + 1] if place + 1 < len(tokens) else None
    if first.kind == "ROMAN" and after and _SUFFIX.fullmatch(after.text) and is_roman(first.value + after.text):  # "I maj7"
        return Token("ROMAN", text[first.start : after.end], first.value + after.text, first.start, after.end), place + 2
    times = _join_times(tokens, place, text)
    if times:
        return times
    if first.kind == "WORD" and first.value in _NUMERALS:
        _join_numerals(tokens, place, text)
        first = tokens[place]
    if first.kind in ("NUMBER", "RANGE"):
        return _join_quantity(tokens, place, text)
    if (
        first.kind == "WORD"
        and first.value in _COUNTS
        and _unit(_next_word(tokens, place)[0] or "") in ("s", "min", "h", "bars", "beats", "bpm")
    ):
        if first.value == "a" and tokens[place + 1].value == "second":  # "a second guitar"
            return first, place + 1
        if first.value == "a" and tokens[place + 1].value == "min" and _is_tempo_at(tokens, place + 2):  # "a min 75 bpm"
            tokens[place] = Token("CHORD", first.text, "A", first.start, first.end)
            return _join_chord(tokens, place, text)
        tokens[place] = Token("NUMBER", first.text, float(_COUNTS[first.value]), first.start, first.end)
        return _join_quantity(tokens, place, text)
    if first.value == "half" and after and after.value == "a" and _unit(str(_next_word(tokens, place + 1)[0])) in ("bars", "beats"):
        unit, end = tokens[place + 2], place + 3
        return Token("QUANTITY", text[first.start : unit.end], (0.5, _unit(unit.value)), first.start, unit.end), end
    if first.kind == "WORD" and _is_small_root(tokens, place):
        upper = first.text[0].upper() + first.text[1:]
        tokens[place] = Token("CHORD", first.text, upper, first.start, first.end)
        return _join_chord(tokens, place, text)
    return first, place + 1


def _join_times(tokens, place, text):
    """Join "x 2", "2 x", "4 times" to one TIMES; None where there is none."""
    first, second = tokens[place], tokens[place + 1] if place + 1 < len(tokens) else None
    if second is None:
        return None
    first, second = _counted(first), _counted(second)  # "four times"
    pair = {first.kind: first, second.kind: second}
    number = pair.get("NUMBER")
    word = pair.get("WORD") or pair.get("GAP")
    if number is None or word is None or not 1 <= number.value <= 99 or number.value != int(number.value):
        return None
    is_times = word.text in ("x", "X", "×") or (word.value == "times" and word is second)
    if not is_times or (first is number and word.text in "xX" and place + 2 < len(tokens) and tokens[place + 2].kind == "NUMBER"):
        return None
    return Token("TIMES", text[first.start : second.end], int(number.value), first.start, second.end), place + 2


def _is_tempo_at(tokens, place):
    """Return whether a tempo stands at a place, perhaps behind a comma: "75 bpm"."""
    place += place < len(tokens) and tokens[place].text == ","
    kinds = [token.kind for token in tokens[place : place + 2]]
    return kinds[:1] == ["TEMPO"] or (kinds == ["NUMBER", "WORD"] and _unit(tokens[place + 1].value) == "bpm")


def _counted(token):
    is_number = token.kind == "WORD" and token.value in _NUMERALS
    return replace(token, kind="NUMBER", value=float(_NUMERALS[token.value])) if is_number else token


_ONES = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_NUMERALS = {word: i + 1 for i, word in enumerate(_ONES)} | {word: 10 * (i + 2) for i, word in enumerate(_TENS)} | {"hundred": 100}
_COUNTED = {"bpm", "bpms", "beats", "bars", "bar", "measures", "seconds", "second", "minutes", "minute", "secs", "sec"}


def _join_numerals(tokens, place, text):
    """Join a number in words before a unit, "a hundred and twenty bpm", to one NUMBER, in place of its first word."""
    value, i, last = 0, place, place
    while i < len(tokens) and i < place + 8:
        word = tokens[i].value
        if tokens[i].kind == "WORD" and word in _NUMERALS:
            is_hundreds = value < 10 <= _NUMERALS[word] and value  # "one twenty bpm"
            value = max(value, 1) * 100 if word == "hundred" else value * (100 if is_hundreds else 1) + _NUMERALS[word]
            last = i
        elif word not in ("and", "joined"):
            break
        i += 1
    is_named = place and value >= 20 and tokens[place - 1].value in ("bpm", "tempo")  # "tempo ninety"
    is_counted = last > place and last + 1 < len(tokens) and tokens[last + 1].value in _COUNTED
    if not (is_named or is_counted):
        return
    joined = Token("NUMBER", text[tokens[place].start : tokens[last].end], float(value), tokens[place].start, tokens[last].end)
    tokens[place : last + 1] = [joined]


def _is_small_root(tokens, place):
    """Return whether a small letter is a root: "b flat", "d minor"; "a" only after a colon, a comma or another chord ("a minor setback")."""
    letter = tokens[place].text
    if not re.fullmatch("[a-g][#b]?", letter):
        return False
    if letter == "a":
        before = tokens[place - 1] if place else None
        is_joined = before is not None and before.value == "and" and place > 1 and tokens[place - 2].value in ("minor", "major")
        in_list = (
            is_joined
            or (before is not None and before.value in ("chords", "progression", "chord"))
            or (before is not None and (before.text in (":", ",", "-", "->") or before.kind == "CHORD"))
        )
        after = tokens[place + 2] if place + 2 < len(tokens) else None
        return (
            in_list
            and _followed(tokens, place, {"minor", "major"})
            and (after is None or after.kind in _ENDS_A_SYMBOL | {"NUMBER"} or after.value == "and")
        )
    return _followed(tokens, place, {"minor", "major", "min", "maj"}) or (
        len(letter) == 1 and _followed(tokens, place, set(_ACCIDENTALS))
    )


def _followed(tokens, place, words):
    """Return whether a word follows, perhaps joined by a hyphen."""
    return _next_word(tokens, place)[0] in words


def _next_word(tokens, place):
    """Return (the word or number that follows as text, the place after it); (None, place + 1) for anything else."""
    after = place + 1
    if after < len(tokens) and tokens[after].value == "joined" and tokens[after].text == "-":
        after += 1
    if after < len(tokens) and tokens[after].kind in ("WORD", "NUMBER", "LIKE"):
        return str(tokens[after].value).lower(), after + 1
    return None, place + 1


def _join_chord(tokens, place, text):
    """Join a root with the words after it; a bare letter, a sharp or flat after it, a quality, an extension."""
    first = tokens[place]
    symbol, end, is_dominant = first.value, place + 1, False
    is_root = bool(re.fullmatch(r"[A-G][#b]?", symbol))
    if is_root and len(symbol) == 1 and _followed(tokens, place, _ACCIDENTALS):
        word, end = _next_word(tokens, place)
        symbol += _ACCIDENTALS[word]
    if is_root and _followed(tokens, end - 1, _QUALITY_WORDS) and not _is_plain_word(tokens, end - 1):
        word, after = _next_word(tokens, end - 1)
        if word == "half":
            word, after = _next_word(tokens, after - 1)
            word = "half-diminished" if word in ("diminished", "dim") else None
        if word:
            symbol, end = symbol + _QUALITY_WORDS[word], after
        is_dominant = word in ("dominant", "dom")
    if is_root and end == place + 1 or symbol[-1:] in "b#" and len(symbol) == 2:
        symbol, end = _with_suffix(tokens, symbol, end)
    symbol, end = _with_suspension(tokens, symbol, end)
    symbol, end = _with_extension(tokens, symbol, end)
    symbol = f"{symbol}7" if is_dominant and not symbol[-1].isdigit() else symbol
    symbol, end = _with_tails(tokens, symbol, end)
    symbol, end = _with_alterations(tokens, symbol, end)
    symbol = symbol.removesuffix("maj")
    if end == place + 1:
        return first, end
    start, stop = first.start, tokens[end - 1].end
    return Token("CHORD", text[start:stop], symbol, start, stop), end


def _with_suspension(tokens, symbol, end):
    """Add the number of "sus four" and "suspended second"."""
    number = _SUSPENDED.get(str(tokens[end].value)) if end < len(tokens) and re.search("sus4?$", symbol) else None
    return (symbol.removesuffix("4") + number, end + 1) if number else (symbol, end)


_TAIL = re.compile(
    r"(?:dom)?(?:7|9|11|13)(?:sus[24]?|alt|[b#]\d+)|dom\d*|add[b#]?\d+|sus[24]?|alt|[b#](?:5|9|11|13)|(?:maj|M|Maj)\d+|Δ\d*|°7?|ø7?|(?:no|omit)[35]"
)


def _with_tails(tokens, symbol, end):
    """Add what stands apart from a symbol: "Am add9", "A7 alt", "G7 sus", "C7 b9", "G seven sus four"."""
    while end < len(tokens):
        token = tokens[end]
        word = "sus4" if token.value in ("sus", "suspended") else token.text
        number = _number_at(tokens, end + 1) if token.value == "add" else None
        if number and symbol_of(f"{symbol}add{number}"):
            symbol, end = f"{symbol}add{number}", end + 2
            continue
        is_whole = token.kind in ("WORD", "LIKE", "CHORD", "NUMBER") and _TAIL.fullmatch(word) and symbol_of(symbol + word)
        is_plain = word in ("sus4", "alt") and not (_is_end(tokens, end + 1) or str(tokens[end + 1].value) in _SUSPENDED)
        if not is_whole or is_plain or (word[0] in "b#" and not symbol[-1].isdigit()):
            break
        symbol, end = _with_suspension(tokens, symbol + word, end + 1)
    return symbol, end


def _number_at(tokens, place):
    """Return the degree that a token names, "9" for 9 and nine; None for others."""
    value = tokens[place].value if place < len(tokens) else None
    spoken = _ALTERED | _NUMBER_WORDS | _SUSPENDED
    return spoken.get(str(value)) or (_EXTENSIONS.get(value) if isinstance(value, float) else None)


def _is_end(tokens, place):
    """Return whether nothing at a place goes on with a symbol's sentence: "A7 alt |", but not "A alt rock song"."""
    return place >= len(tokens) or tokens[place].kind in _ENDS_A_SYMBOL or tokens[place].value in _AFTER_A_SYMBOL


_ALTERING = _ACCIDENTALS | {"b": "b", "#": "#"}
_ALTERED = {
    "five": "5",
    "5.0": "5",
    "nine": "9",
    "ninth": "9",
    "eleven": "11",
    "eleventh": "11",
    "thirteen": "13",
    "thirteenth": "13",
}


def _with_alterations(tokens, symbol, end):
    """Add what is spoken after an extension: "seven flat nine"; "minor" before "major seven" has a major seventh."""
    if re.fullmatch(r"[A-G][#b]?m", symbol) and end < len(tokens) and tokens[end].value == "major":
        seventh = _next_word(tokens, end)
        if seventh[0] in ("7", "7.0", "seven", "seventh", "7th"):
            return f"{symbol}M7", seventh[1]
    if re.fullmatch(r"[A-G][#b]?m?6", symbol) and _number_at(tokens, end) == "9" and _is_end(tokens, end + 1):  # "six nine"
        return f"{symbol}/9", end + 1
    while end + 1 < len(tokens) and tokens[end].value in _ALTERING and symbol[-1:].isdigit():
        number = _ALTERED.get(str(tokens[end + 1].value), _EXTENSIONS.get(tokens[end + 1].value))
        if not number or not symbol_of(f"{symbol}({_ALTERING[tokens[end].value]}{number})"):
            break
        symbol, end = f"{symbol}({_ALTERING[tokens[end].value]}{number})", end + 2
    return symbol, end


def _is_plain_word(tokens, place):
    """Return whether a word after a root is one of English: "A dim room"."""
    word, after = _next_word(tokens, place)
    if word not in ("dim", "power", "sus", "half", "dominant"):
        return False
    is_end = after >= len(tokens) or tokens[after].kind in _ENDS_A_SYMBOL | {"NUMBER"}
    return not (
        is_end
        or tokens[after].value in _AFTER_A_SYMBOL | set(_NUMBER_WORDS) | set(_SUSPENDED) | set(_ACCIDENTALS) | {"diminished", "dim"}
    )


def _with_suffix(tokens, symbol, end):
    """Add a suffix that stands apart: "C maj7", "E sus4", "A m7"."""
    token = tokens[end] if end < len(tokens) else None
    if token is None or token.kind not in ("WORD", "LIKE") or not _SUFFIX.fullmatch(token.text):
        return symbol, end
    return (symbol + token.text, end + 1) if symbol_of(symbol + token.text) else (symbol, end)


_SUFFIX = re.compile(
    r"(?:major|minor|diminished|augmented|maj|Maj|M|m|min|dim|aug|sus|add|7|9)[b#]?\d+\S*|m|7?alt|m7b5|mM7|ø7?|°7?|\+"
)


def _with_extension(tokens, symbol, end):
    """Add the 7 of "Dm 7" or "C major seventh", where no unit follows it."""
    if end >= len(tokens) or not re.fullmatch(r"[A-G][#b]?(?:maj|m|min|dim|aug|ø|[°oΔ+-])?", symbol):
        return symbol, end
    token = tokens[end]
    after = tokens[end + 1] if end + 1 < len(tokens) else None
    if token.value == (6, 9):
        return f"{symbol}6/9", end + 1
    if token.kind == "WORD":
        extension, last = _NUMBER_WORDS.get(token.value), True
    else:
        extension = _EXTENSIONS.get(token.value) if token.kind == "NUMBER" else None
        last = _is_end(tokens, end + 1) or after.value in (*_ALTERING, "sus", "suspended", "alt")
    if not extension or not last or symbol_of(symbol + extension) is None:
        return symbol, end
    return symbol + extension, end + 1


_COUNTS = {
    "a": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "twelve": 12,
    "fifteen": 15, "sixteen": 16, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "ninety": 90, "hundred": 100,
}  # fmt: skip


def _join_quantity(tokens, place, text):
    """Join a number with the unit after it: 60 seconds, 120 bpm, 8 bars, 90 beats per minute."""
    first = tokens[place]
    word, after = _next_word(tokens, place)
    unit = _unit(word or "")
    if unit == "beats" and _is_per(tokens, after, ("min", "minute")):
        unit, after = "bpm", after + 2 - (tokens[after].value in ("/", "min", "minute"))
    elif unit == "beats" and _is_per(tokens, after, ("s", "sec", "second")):
        value = 60 * first.value if first.kind == "NUMBER" else 60 * sum(first.value) / 2
        return Token(
            "TEMPO", text[first.start : tokens[after + 1].end], (value, value), first.start, tokens[after + 1].end
        ), after + 2
    if not unit or (unit == "min" and len(word) == 1):  # "2 m" is no time
        return first, place + 1
    low, high = first.value if first.kind == "RANGE" else (first.value, first.value)
    token = tokens[after - 1]
    kind, value = ("TEMPO", (low, high)) if unit == "bpm" else ("QUANTITY", ((low + high) / 2, unit))
    return Token(kind, text[first.start : token.end], value, first.start, token.end), after


def _is_per(tokens, place, units):
    """Return whether "per", "a" or a stroke and one of the units stand at a place."""
    words = [str(token.value).lower() for token in tokens[place : place + 2]]
    return len(words) == 2 and words[0] in ("per", "a", "/", "joined") and words[1] in units
