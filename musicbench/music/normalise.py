"""Text with plain accidentals, dashes and bar lines, its keys in English letters."""

import re
import unicodedata
from difflib import get_close_matches

from musicbench.music.notes import ascii_accidentals
from musicbench.music.suffixes import read_harte_type

_SPACED = re.compile(r"(:?\|+:?|\[\||\|\]|%|𝄎)")
# "G,120bpm" and "rock,4/4": what a comma parts without a blank; not "7,5 min", nor what is in brackets.
_COMMA_OF_A_LIST = re.compile(
    r"(\([^()\s]*\))|,(?=\d)(?:(?<=[A-Za-z#)],)|(?<=[A-Za-z#/]\d,)(?=(?!1[13]\b)\d{2})|(?<=\d,)(?=\d{1,2}/\d)"
    r"|(?<=\d,)(?=\d{2,3} ?bpm))",
    re.I,
)
# C7[b9], Am (add9), and C /E, C/ E: what belongs to the symbol before it.
_GLUED_BRACKET = re.compile(
    r"(?<=[A-G#bmj\d°ø+Δ-]) ?[\[{(]((?:[b#+-]\d+|Δ7?|add ?[b#]?\d+|no ?\d|omit ?\d|alt|sus\d?|[mM]aj ?\d+"
    r"|[,/ ])+)[\])}]"
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
    r"(?P<sign>#|b|[ -]?(?:diese|diesis|dieze|sostenido|sustenido|bemol(?:le)?|flat|sharp))?[ -](?P<mode>m(?:ineur"
    r"|inore|enor|ajeur|aggiore|ayor|aior|inor|ajor|in|aj))\b"
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
