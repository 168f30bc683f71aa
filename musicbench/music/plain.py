"""A chord line's text before it is read: signs of print, other apps' signs and other spellings made plain."""

import re
from urllib.parse import unquote

from musicbench import InputError

_IREAL_SIGNS = (
    (r"T(\d)(\d)", r" \1/\2 "), (r"\*([A-Dv-z])", r" "), (r"\*i", " "), (r"[YUSQ](?=[\s|*\[{A-GTN])|<[^>]*>", " "), (r"\{", " |: "), (r"\}", " :| "), (r"Z", " | "),
    (r"[\[\]]", " | "), (r"N([1-4])", r" \1. "), (r"Kcl", " | % "), (r"\bx\b", " % "), (r"(?<![a-z])[ls](?=[A-G])", ""), (r"XyQ|LZ", " | "),
)  # fmt: skip


def from_ireal(text):
    """Return a text in iReal Pro's signs, "T44*A{C^7 |A7 }", as a chord line; any other as it is. Raises InputError for a scrambled link."""
    if text.strip().startswith("irealb://"):
        raise InputError("an irealb:// link is scrambled; write the bars out, such as 'C^7 | A7 | D-7 G7'")
    if text.strip().startswith("irealbook://"):
        parts = unquote(text).split("=")
        named = f"{parts[2]}: key {parts[3].replace('-', 'm')}, " if len(parts) > 5 else ""
        return named + from_ireal(parts[-1])
    if not re.search(r"(?<![A-Za-z])(?:\*[A-Di])?T[2-9][248](?=[\s|*\[{A-G])", text) and not re.search(r"\{\*[A-D]", text):
        return text
    for sign, plain in _IREAL_SIGNS:
        text = re.sub(sign, plain, text)
    return re.sub(r"^[\s|]*(\d/\d)?\s*", lambda match: f"{match[1] or ''} ", text)


_QUOTES = str.maketrans({"‘": "'", "‚": "'", "‛": "'", "„": " ", "‟": " ", "【": " [", "】": "] "})


def plain_signs(text):
    """Return a text with plain quotes and slashes, C\\G, and augmented and Neapolitan sixths as numerals."""
    text = re.sub("«([^«»]*)»", r" \1 ", text)
    text = re.sub(r"(?m)^#+ +(?=[A-Za-z])| +#+$", "", text)  # headings
    text = re.sub(r"[\u21d2\u21e8\u2794-\u27be\u27f6\u27f9\u25b6\u25ba\u2b95\u21a6\u21e2\u2b62]", "→", text)
    text = re.sub(r"(?m)^\s*[▪■●‣⁃◦◆★☆✓]+(?=\s|[A-G])", " ", text)
    text = re.sub(r"(?<=[A-Gmb#\d])[\[{](\d)[\]}]", r"(\1)", text)  # C[4] F[4]
    text = re.sub(r"(?<!\S)\^(?=[A-G])", "", text)
    is_harte = re.search(r"[A-G][#b]?:[a-zA-Z(79]", text) and not re.search(r"[\w#)]:(?:[2-6.]|8)", text)
    if is_harte:  # beside C:maj, C:1 is a root alone
        text = re.sub(r"(?<![\w:])([A-G][#b]?):1(?![\w.])", r"\1:(1)", text)
    text = re.sub(r":\]", ":|", re.sub(r"\[:", "|:", text))
    text = re.sub(r"(?<=[\w#])(/{4,8})(?!\S)", lambda match: (len(match[1]) - 1) * " .", text)  # C////
    if re.fullmatch(r"(?:\s*\d{1,3} ?\|[^\n]*\n?){2,}", text):  # a bar's number before each line
        text = re.sub(r"(?m)^\s*\d{1,3} ?(?=\|)", "", text)
    if " // " in text and " / " not in text and all("|" in part for part in text.split(" // ")):
        text = text.replace(" // ", "\n")
    text = re.sub(r"(?<=[\w#♯♭])\\+(?=[A-Ga-g](?![a-z]{2}))", "/", text.translate(_QUOTES))
    text = re.sub(r"(?<![\w/])(N6|Ger\+?6|It\+?6|Fr\+?6)(?![\w/])", lambda match: _SIXTHS[match[1].replace("+", "")], text)
    if re.search(r"(?<!\w)[A-CE-G][b#♭♯]?o7?(?!\w)", text):  # beside Co7, Do7 is diminished, too
        text = re.sub(r"(?<!\w)Do(?=7?(?!\w))", "D°", text)
    return text


_SIXTHS = {"N6": "bII63", "Ger6": "bVI7", "It6": "bVI7", "Fr6": "bVI7b5"}
SMALL_SLASH = re.compile(r"(?<![\w/])([a-g][#b]?(?:maj|min|m|dim|sus|add|\d)*)/([a-gA-G][#b]?)(?![\w/])")


def capital(name):
    return name[:1].upper() + name[1:]


def plain_line(text):
    """Return a chord line without the signs of print around symbols: <C>, C>, C_G, "no chord", "A) C F", //: C G ://."""
    text = re.sub(r"(?i)\b(?:(?:bar|measure)s?\.? ?|mm?\. ?)(?=\d)", "bar ", text)
    text = re.sub(r":/{1,2}(?!\S)", " :| ", re.sub(r"(?<!\S)/{1,2}:", " |: ", text))
    text = re.sub(r"(?<=[\w#])>(?=[A-G])", " ", text)  # C>G>Am
    text = re.sub(r"[<>](?=[A-G])|(?<=[\w#])[>~](?=\s|$)", "", text.replace("_", " "))
    text = re.sub(r"\ba (?=(?:minor|major)\b)", "A ", text)
    text = re.sub(r"(?i)\bno chord\b", "N", text)
    return text if "(" in text else re.sub(r"(?:^|(?<=\s))([A-D])\)(?=\s)", r"[\1]", text)
