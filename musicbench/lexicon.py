"""Words in a prompt: spelled alike, phrases of a table found among them, and what is denied.

A phrase is compared by the letters of neighbouring words joined, so that "lo-fi", "lo fi" and "LoFi" are one phrase, and "hand pan"
is "handpans".
"""

import re
import unicodedata
from dataclasses import dataclass, replace

LONGEST = 6  # words of a phrase
LONGEST_LIST = 40  # words of a list of what is denied
# The s of these is no plural, or their singular means something else.
KEPT = {
    "blues",
    "keys",
    "toms",
    "winds",
    "reeds",
    "vibes",
    "lyrics",
    "stabs",
    "afrobeats",
    "always",
    "others",
    "this",
    "its",
    "chorus",
    "thus",
    "plus",
}
SAME = {
    "celli": "cello", "tympani": "timpani", "n": "and", "&": "and", "dnb": "drum and bass", "rnb": "r and b", "n't": "not",
    "eight": "8", "twelve": "12", "sixteen": "16", "synthesiser": "synthesizer", "theatre": "theater", "electronica": "electronic",
    "hiphop": "hip hop",
}  # fmt: skip
_TOKEN = re.compile(r"n't\b|'s\b|(?<=[a-z])'n'?(?=[a-z ])|[a-z]+(?=n't\b)|[a-z0-9]+|&|[,.;:!?()\n]")
_DENY = {
    "no",
    "not",
    "without",
    "never",
    "minus",
    "except",
    "nor",
    "lacks",
    "lacking",
    "excluding",
    "avoid",
    "zero",
    "sans",
    "dont",
}
_ASK_AGAIN = {
    "but", "with", "only", "just", "featuring", "then", "over", "under", "in", "at", "for", "on", "plus", "has", "have", "is", "are",
    "plays", "play", "a", "an", "the", "instead",
}  # fmt: skip


@dataclass(frozen=True)
class Word:
    """A word or a punctuation mark of a text as it is compared, its place in the text, and whether it is denied ("no drums")."""

    text: str
    start: int
    end: int
    denied: bool = False

    @property
    def is_mark(self):
        return not self.text[0].isalnum()


@dataclass(frozen=True)
class Found:
    """A phrase found: its value in the table, its words (`first` to before `last` in the list), and whether it is denied."""

    value: object
    first: int
    last: int
    denied: bool


def singular(word):
    """Return a word without the ending of its plural, or as it is."""
    if re.fullmatch(r"\d{2,}s", word):
        return word[:-1]
    if len(word) < 4 or word in KEPT or not word.endswith("s") or word.endswith("ss"):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-2] if word.endswith(("ches", "shes", "xes", "sses")) else word[:-1]


def _plain_letter(letter):
    letter = {"’": "'", "‘": "'", "`": "'"}.get(letter, unicodedata.normalize("NFKD", letter)[:1].lower())
    return letter if len(letter) == 1 and letter.isascii() else " "


def read_words(text):
    """Return the Words of a text, punctuation marks among them; hyphens part words, an apostrophe's s is left out."""
    words = []
    for match in _TOKEN.finditer("".join(map(_plain_letter, text))):
        said = match[0].strip("'") if match[0] != "n't" else match[0]
        if match[0] == "'s":
            continue
        alike = SAME.get(said) or singular(said)
        words += [Word(part, *match.span()) for part in SAME.get(alike, alike).split()]
    return _with_denials(words)


def _with_denials(words):
    """Mark what follows a "no" or the like until a word or a mark that asks for something again; "no piano, guitar or bass" is one list."""
    marked, denying = [], False
    for i, word in enumerate(words):
        if word.text in _DENY:
            denying = not (word.text == "not" and words[i + 1 : i + 2] and words[i + 1].text in ("only", "just"))
        elif word.text == "instead" and words[i + 1 : i + 2] and words[i + 1].text == "of":
            denying = True
        elif word.text == ",":
            denying = denying and _list_goes_on(words, i + 1)
        elif word.is_mark or (word.text in _ASK_AGAIN and words[i - 1].text not in _DENY):
            denying = False
        follows = words[i + 1].text if i + 1 < len(words) else ""
        marked.append(replace(word, denied=denying or (follows == "free" and word.text not in ("royalty",))))
    return marked


def _list_goes_on(words, i):
    """Return whether words from `i` on are an item of a list that "or" or "nor" ends: at most three words an item."""
    length = 0
    for word in words[i : i + LONGEST_LIST]:
        if word.text in ("or", "nor"):
            return length > 0
        if word.text in _ASK_AGAIN or (word.is_mark and word.text != ",") or length > 3:
            return False
        length = 0 if word.text == "," else length + 1
    return False


def joined(phrase):
    """Return a phrase's letters as they are compared."""
    return "".join(word.text for word in read_words(phrase))


class Phrases:
    """A table of phrases: what each means. Later entries of a phrase do not replace earlier ones."""

    def __init__(self, entries):
        self.meanings = {}
        for phrase, value in entries:
            self.meanings.setdefault(joined(phrase), value)

    def find(self, words):
        """Return the phrases Found in words from left to right, the longest first; none overlap. A phrase of value None only hides its words."""
        found, i = [], 0
        while i < len(words):
            last = self._longest(words, i)
            if last is None:
                i += 1
                continue
            value = self.meanings["".join(word.text for word in words[i:last])]
            if value is not None:
                found.append(Found(value, i, last, words[last - 1].denied))
            i = last
        return found

    def _longest(self, words, i):
        """Return the end of the longest phrase that begins with word `i`, or None."""
        text, ends = "", []
        for last, word in enumerate(words[i : i + LONGEST], i + 1):
            if word.is_mark:
                break
            text += word.text
            if text in self.meanings:
                ends.append(last)
        return ends[-1] if ends else None


def table(text):
    """Read "name / other word / ...; name / ...": {name: (name, other word, ...)}."""
    rows = ([word.strip() for word in row.split("/")] for row in text.split(";") if row.strip())
    return {row[0]: tuple(row) for row in rows}
