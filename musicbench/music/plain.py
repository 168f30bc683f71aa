"""A chord line's text before it is read: signs of print, other apps' signs and other spellings made plain."""

import re
from urllib.parse import unquote

from musicbench import InputError
from musicbench.music.tokens import symbol_of

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
    text = re.sub(r"(?<![^\s|])[.·•*]/[.·•*](?![^\s|])", "%", text)  # ./. as a simile sign
    is_harte = re.search(r"[A-G][#b]?:[a-zA-Z(79]", text) and not re.search(r"[\w#)]:(?:[2-6.]|8)", text)
    if is_harte:  # beside C:maj, C:1 is a root alone
        text = re.sub(r"(?<![\w:])([A-G][#b]?):1(?![\w.])", r"\1:(1)", text)
    text = re.sub(r":\]", ":|", re.sub(r"\[:", "|:", text))
    text = re.sub(r"(?<=[\w#])(/{4,8})(?!\S)", lambda match: (len(match[1]) - 1) * " .", text)  # C////
    if _has_numbered_lines(text):
        text = re.sub(r"(?m)^\s*\d{1,3} ?(?=\|)", "", text)
    if " // " in text and " / " not in text and all("|" in part for part in text.split(" // ")):
        text = text.replace(" // ", "\n")
    text = re.sub(r"(?<=[\w#♯♭])\\+(?=[A-Ga-g](?![a-z]{2}))", "/", text.translate(_QUOTES))
    text = re.sub(r"(?<![\w/])(N6|Ger\+?6|It\+?6|Fr\+?6)(?![\w/])", lambda match: _SIXTHS[match[1].replace("+", "")], text)
    if re.search(r"(?<!\w)[A-CE-G][b#♭♯]?o7?(?!\w)", text):  # beside Co7, Do7 is diminished, too
        text = re.sub(r"(?<!\w)Do(?=7?(?!\w))", "D°", text)
    return text


def _has_numbered_lines(text):
    """Return whether a bar's number stands before each line, "1 | C F"; where a line holds degrees alone, "1 | 4 | 5", it is one of them."""
    lines = [line for line in text.splitlines() if line.strip()]
    numbers = [int(match[1]) for line in lines if (match := re.match(r"\s*(\d{1,3}) ?\|", line))]
    is_rising = len(lines) == len(numbers) > 1 and numbers == sorted(set(numbers))
    return is_rising and all(re.search("[A-GIV]", line) for line in lines)


_SIXTHS = {"N6": "bII63", "Ger6": "bVI7", "It6": "bVI7no5", "Fr6": "bVI7b5"}
SMALL_SLASH = re.compile(r"(?<![\w/])([a-g][#b]?(?:maj|min|m|dim|sus|add|\d)*)/([a-gA-G][#b]?)(?![\w/])")


def capital(name):
    return name[:1].upper() + name[1:]


def plain_line(text):
    """Return a chord line without the signs of print around symbols: <C>, C>, C_G, "no chord", "A) C F", //: C G ://."""
    text = re.sub(r"(?i)\b(?:(?:bar|measure)s?\.? ?|mm?\. ?)(?=\d)", "bar ", text)
    text = re.sub(r":/{1,2}(?!\S)", " :| ", re.sub(r"(?<!\S)/{1,2}:", " |: ", text))
    text = re.sub(r"(?<=[\w#])>(?=[A-G])", " ", text)  # C>G>Am
    text = re.sub(r"[<>](?=[A-G])|<(?=[b#]?[1-7])|(?<=[\w#-])[>~](?=\s|$)", "", text.replace("_", " "))
    text = re.sub(r"\ba (?=(?:minor|major)\b)", "A ", text)
    text = re.sub(r"(?i)\bno chord\b", "N", text)
    text = re.sub(r"@ (?=\d)", "@", text)
    text = re.sub(r"(?<=\S)[•∙⋅](?=\S)", " - ", text)
    text = re.sub(r"(?m)^(?:[ivx]{1,4}|[a-h])\) ", "", text)  # i) C G
    text = re.sub(r"(?i)(?<=\|) ?same(?: (?:again|bar))?(?= ?(?:\||$))", " % ", text)
    text = re.sub(r"(?i)\bsame again\b", "again", text)
    text = _with_last_chord(text)
    text = "\n".join(_small_chords(_parted(line)) for line in text.split("\n"))
    return text if "(" in text else re.sub(r"(?:^|(?<=\s))([A-D])\)(?=\s)", r"[\1]", text)


_GLUED = re.compile(r"(?<![^\s|,;>→-])[A-G][\w#°ø+Δ/]+(?![^\s|,;>→-])")


def _parted(line):
    """Return a line with glued chords apart, "CGAmF" and "Dm7G7"; letters alone, "CGDA", only where the line has no words."""
    has_words = re.search(r"(?<![A-Za-z])(?![A-G])[A-Za-z]{3,}", line)

    def part(match):
        name = match[0]
        pieces = [piece for piece in re.split(r"(?<!/)(?=[A-G])", name) if piece]
        is_word = re.fullmatch("[A-G]+", name) and (has_words or re.fullmatch("[AB]+[CD]?[AB]*", name))
        is_glued = len(pieces) > 1 and not is_word and not symbol_of(name) and all(map(symbol_of, pieces))
        return " ".join(pieces) if is_glued else name

    return _GLUED.sub(part, line)


def _small_chords(line):
    """Return a line of chords in small letters with capitals: "a-7 d-7 g7 c^7", "c# m a e b"; any other as it is."""
    line_of_chords = re.sub(r"(?<![\w#])([a-g][#b]?) (m|min|maj)(?=\d|\s|$)", r"\1\2", line)
    words = re.split(r"([\s|,;%]+|\bx ?\d+\b)", line_of_chords)
    names = [word for word in words[::2] if word and not re.fullmatch(r"-|@?\d+|bpm", word)]
    is_small = len(names) > 1 and all(re.match("[a-g]", name) and symbol_of(capital(name)) for name in names)
    return "".join(capital(word) if i % 2 == 0 else word for i, word in enumerate(words)) if is_small else line


_ENDS_ON = re.compile(
    r"[,;.]? ?[(\[]?(?<![A-Za-z])(?:and )?(?i:ends?|ending|finish(?:es|ing)?|resolv(?:es?|ing)|clos(?:es?|ing)) (?:on|with|to) (?:an? |the )?([A-GIVi][^\s()\[\]]*)[)\].]?$"
)


def _with_last_chord(text):
    """Return a text that says what it ends on, "C G Am F, ends on C", with that chord as its last bar."""
    match = _ENDS_ON.search(text)
    if not match or not symbol_of(match[1]):
        return text
    head = text[: match.start()].rstrip()
    is_there = re.search(rf"(?<![\w#/]){re.escape(match[1])}[ |]*$", head)
    return head if is_there else f"{head.rstrip('|')}{' | ' if '|' in head else ' '}{match[1]}"
