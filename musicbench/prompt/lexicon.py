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
    "minus",
    "sans",
}
SAME = {
    "celli": "cello", "tympani": "timpani", "n": "and", "&": "and", "dnb": "drum and bass", "rnb": "r and b", "n't": "not",
    "eight": "8", "twelve": "12", "sixteen": "16", "synthesiser": "synthesizer", "theatre": "theater", "electronica": "electronic",
    "hiphop": "hip hop", "w/o": "without", "w/": "with",
}  # fmt: skip
_TOKEN = re.compile(
    r"\d+(?=(?:bpm|bars?|secs?|mins?)\b)|w/o\b|w/(?= ?[a-z])|(?<=[^\s] )-(?=[a-z])|n't\b|'s\b|(?<=[a-z])'n'?(?=[a-z ])|[a-z]+(?=n't\b)|[a-z0-9]+|&|[,.;:!?()/\n]"
)
# A chord symbol as it is written: no part of a name, "Ebm drill" is no EBM.
_CHORD = re.compile(r"[A-G]b?(?:maj|min|m|dim|aug|sus|add)?(?:2|4|5|6|7|9|11|13)?")
_DENY = {
    "no", "not", "without", "never", "neither", "minus", "except", "nor", "lacks", "lacking", "lack", "absence", "devoid", "non", "avoid", "zero", "sans",
    "dont", "skip", "omit", "exclude", "excluding", "remove", "-",
}  # fmt: skip
# They deny what follows only before these, "mute the drums".
_SWITCHES = {"mute", "hold", "lose", "ditch", "cut", "kill", "forget"}
_DENY_PAIRS = {
    "instead of",
    "free of",
    "leave out",
    "take out",
    "cut out",
    "turn off",
    "switch off",
    "everything but",
    "anything but",
}
_SWITCHED_OFF = {"off", "none", "muted", "removed", "omitted", "excluded", "absent"}
_TAKING = {"leave", "keep", "take", "cut", "left", "kept", "taken"}  # "leave the drums out"
_WANTED = {"wanted", "needed", "required", "allowed", "necessary"}
# They deny nothing, "a no frills rock song", or only the one word after them, "not too fast".
_IDIOMS = {
    "no": {
        "frill", "nonsense", "fuss", "bullshit", "bull", "bs", "gimmick", "holds barred", "string attached", "limit", "doubt", "matter", "regret", "mercy", "worry", "problem", "rush",
        "hurry", "end", "brainer", "compromise", "apology", "pressure", "less", "shortage", "stranger", "wave", "one", "surprise", "escape",
        "tomorrow", "fear", "sleep", "faster", "slower", "longer", "louder", "shame", "way", "rule", "name", "return", "budget",
    },
    "without": {"end", "limit", "doubt", "fail", "equal", "pause", "rest", "fuss", "compromise", "rush", "hurry", "stopping", "warning", "apology", "hesitation"},
    "never": {"ending", "end", "stopping", "stop", "boring", "mind", "before", "resting", "sleeping", "dull", "again", "tiring", "stale", "failing", "predictable"},
    "not": {"bad", "unlike", "least", "your", "surprisingly"},
    "non": {"stop", "linear", "conformist"},
    "skip": {"rope", "beat", "ahead", "hop"},
    "zero": {"gravity", "g", "hour", "point"},
}  # fmt: skip
_DEGREES = {"too", "very", "so", "overly", "that", "particularly", "terribly", "especially", "quite", "exactly", "entirely"}
_IDIOM_ADVERBS = {"a", "any"}  # "without a doubt"
_ASK_AGAIN = {
    "but", "with", "only", "just", "featuring", "then", "over", "under", "in", "at", "for", "on", "plus", "has", "have", "is", "are",
    "plays", "play", "a", "an", "the", "instead", "than",
}  # fmt: skip
_CONNECTORS = {",", "/", "or", "nor", "and"}
_NO_FREE_OF = {
    "jazz",
    "improvisation",
    "improv",
    "form",
    "flow",
    "flowing",
    "time",
    "tempo",
    "spirited",
    "style",
    "verse",
    "fall",
    "of",
    "from",
}
COUNTED_BEAT = "counted beat"  # what "beats" is in "16 beats" and "beats/min": a unit, which no table has
_NUMBERS = set(
    "one two three four five six seven nine ten eleven thirteen fourteen fifteen twenty thirty forty sixty hundred".split()
)
_DRUM_MACHINES = {"808", "909", "707", "606"}
_KINDS_OF_BEAT = {"dotted", "quarter", "eighth", "half", "whole", "full", "counted", "silent", "more", "to", "steady", "even"}


@dataclass(frozen=True)
class Word:
    """A word or a punctuation mark of a text as it is compared, its place in the text, and whether it is denied ("no drums")."""

    text: str
    start: int
    end: int
    denied: bool = False
    is_chord: bool = False  # it is written as a chord symbol

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


# What comes before the name of something, and the words of titles that stand before a colon: "house of the rising sun: folk".
_CALLED = re.compile(
    r"\b(?:called|titled|entitled|named|lyrics?|sing(?:s|ing)?|chant(?:s|ing)?|say(?:s|ing)?|song|track|tune|album|title|hit|text|words)"
    r"(?: is| are)?[:,]? ?$",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"[\"“«„]([^\"“”«»„]+)[\"”»“]|(?<!\w)['‘]([^'‘’]+(?:['’]\w[^'‘’]*)*)['’](?!\w)")
_NAMED = re.compile(
    r"\b(?:called|titled|entitled) ((?:[A-Z][\w']*|of|the|a|an|in|on|for|and|to)(?: (?:[A-Z][\w']*|of|the|a|an|in|on|for|and|to))*)"
)
_TITLE_BEFORE_COLON = re.compile(
    r"[^\n:.,;]*\b(?:of the|of my|of your|my|your|you|me|we|i|i'm|is|are|don't|in the|on the|for the) [^\n:.,;]*(?=:\s)|[^\n:.,;]* (?:you|me)(?=:\s)",
    re.IGNORECASE,
)
_DESCRIBES = re.compile(
    r"\b(?:with|song|track|music|piece|tune|beat|loop|make|write|want|need|style|genre|mood|chords?|progression|key|tempo|here|bpm)\b",
    re.IGNORECASE,
)


def without_titles(text):
    """Return a text whose titles and quoted words are blank, each with a comma for it: a track called "Deep House" is not one.

    Quoted words are a title where "called" and the like stand before them, or where all their longer words are in capitals.
    """
    spans = quoted_titles(text)
    spans += [match.span(1) for match in _NAMED.finditer(text)]
    first = _TITLE_BEFORE_COLON.match(text)
    if first and not _DESCRIBES.search(first[0]) and len(first[0].split()) > 2:
        spans.append(first.span())
    for start, end in spans:
        text = text[:start] + "," + " " * (end - start - 1) + text[end:]
    return text


def quoted_titles(text):
    """Return the places (start, end) of quoted words that name a thing, quotes included."""
    return [match.span() for match in _QUOTED.finditer(text) if _is_title(text, match)]


def _is_title(text, match):
    """Return whether quoted words name a thing; a whole text in quotes does not."""
    said = (match[1] or match[2]).strip()
    if not said or not (text[: match.start()] + text[match.end() :]).strip(" .!?"):
        return False
    long_words = [word for word in said.split() if len(word) > 3]
    is_in_capitals = len(said.split()) > 1 and all(word[0].isupper() for word in long_words) and said[0].isupper()
    return bool(_CALLED.search(text[: match.start()])) or is_in_capitals


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


def read_words(text, nouns=None):
    """Return the Words of a text, punctuation marks among them; hyphens part words, an apostrophe's s is left out.

    nouns: Phrases; a denial covers the first of them after it and, in a list, the next: of "no vocals techno" the vocals alone.
    """
    words = []
    for match in _TOKEN.finditer("".join(map(_plain_letter, text))):
        said = match[0].strip("'") if match[0] != "n't" else match[0]
        if match[0] == "'s":
            continue
        alike = SAME.get(said) or singular(said)
        is_chord = len(said) > 1 and bool(_CHORD.fullmatch(text[match.start() : match.end()]))
        words += [Word(part, *match.span(), is_chord=is_chord) for part in SAME.get(alike, alike).split()]
    words = [replace(word, text=COUNTED_BEAT) if _is_counted_beat(words, i) else word for i, word in enumerate(words)]
    return _with_denials(words, nouns)


def _text(words, i):
    """Return the text of word `i`, empty where there is none."""
    return words[i].text if 0 <= i < len(words) else ""


def _is_counted_beat(words, i):
    """Return whether word `i` is "beats" as a unit: "16 beats", "60 dotted beats", "beats per minute"."""
    if words[i].text != "beat":
        return False
    if _text(words, i + 1) in ("/", "per", "a") and _text(words, i + 2) in ("m", "min", "minute", "bar", "measure"):
        return True
    before = i - 1
    while _text(words, before) in _KINDS_OF_BEAT:
        before -= 1
    return before >= 0 and _is_number(words[before])


def _is_number(word):
    """Return whether a word counts something: "16", "four", but no drum machine and no decade."""
    is_decade = word.end - word.start > len(word.text)
    return word.text in _NUMBERS or (word.text.isdigit() and word.text not in _DRUM_MACHINES and not is_decade)


def _with_denials(words, nouns):
    """Mark what follows a "no" or the like until a word or a mark that asks for something again; "no piano, guitar or bass" is one list."""
    ends = {found.last: found.first for found in nouns.find(words)} if nouns else {}
    denied, denying = [False] * len(words), False
    for i, word in enumerate(words):
        if denying and i in ends and word.text not in _CONNECTORS:
            denying = False
        if _begins_denial(words, i):
            denying = not _is_idiom(words, i)
        elif word.text == ",":
            denying = denying and _list_goes_on(words, i + 1)
        elif word.text == "/":
            pass
        elif word.is_mark or (word.text in _ASK_AGAIN and not _belongs_to_denial(words, i)):
            denying = False
        denied[i] = denying
        if _text(words, i - 1) in _DEGREES and denying and _text(words, i - 2) in ("not", "never"):
            denying = False
    for i in range(len(words)):
        for j in _denied_by_what_follows(words, i, ends):
            denied[j] = True
    return [replace(word, denied=is_denied) for word, is_denied in zip(words, denied, strict=True)]


def _begins_denial(words, i):
    """Return whether a denial begins with word `i`: "no", "instead of", "mute the"."""
    text, before, after = words[i].text, _text(words, i - 1), _text(words, i + 1)
    pair = f"{before} {text}"
    return text in _DENY or pair in _DENY_PAIRS or (text in _SWITCHES and after in ("the", "all", "any"))


def _belongs_to_denial(words, i):
    """Return whether word `i`, "a" or "the", belongs to the denial before it: "skip the drums", "free of the drums"."""
    return i > 0 and words[i].text not in ("but", "only", "just") and (_begins_denial(words, i - 1))


def _is_idiom(words, i):
    """Return whether the "no" at `i` denies nothing: "no frills", "never-ending", "not only"."""
    text, j = words[i].text, i + 1
    if text == "not" and _text(words, j) in ("only", "just"):
        return True
    if text == "except":  # "nothing except harp"
        return any(word.text in ("no", "nothing", "none", "without") for word in words[max(i - 4, 0) : i])
    while text == "without" and _text(words, j) in _IDIOM_ADVERBS:
        j += 1
    idioms = _IDIOMS.get(text, ())
    return _text(words, j) in idioms or f"{_text(words, j)} {_text(words, j + 1)}" in idioms


def _denied_by_what_follows(words, i, ends):
    """Return the places of the words that word `i` denies after they are said: "drum-free funk", "drums off", "leave the drums out"."""
    text, before, after = words[i].text, _text(words, i - 1), _text(words, i + 1)
    if text == "free" and i and before != "royalty" and after not in _NO_FREE_OF:
        return [i - 1]
    is_taken_out = text == "out" and any(word.text in _TAKING for word in words[max(i - 5, 0) : i])
    is_unwanted = before == "not" and text in _WANTED
    is_off = text in _SWITCHED_OFF and (after in ("", "and", "but") or words[i + 1].is_mark)
    if not (is_taken_out or is_unwanted or is_off):
        return []
    end = i - 1 if before in (":", "not", "turned", "switched") else i
    return range(ends.get(end, end), end)


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
        self.meanings, self.letters = {}, {}
        for phrase, value in entries:
            words = read_words(phrase)
            together = "".join(word.text for word in words)
            self.meanings.setdefault(together, value)
            self.letters.setdefault(together, set()).update(map(_letters, [words]))

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
            if word.is_mark or word.is_chord:
                break
            text += word.text
            if text in self.meanings and self._may_join(text, words[i:last]):
                ends.append(last)
        return ends[-1] if ends else None

    def _may_join(self, text, words):
        """Return whether words of one letter among `words` are such in the phrase too: "V in A" is no "vina", "r and b" is R&B."""
        single = _letters(words)
        return not single or single in self.letters[text]


def _letters(words):
    """Return the words of one letter."""
    return "".join(word.text for word in words if len(word.text) == 1 and word.text.isalpha())


def table(text):
    """Read "name / other word / ...; name / ...": {name: (name, other word, ...)}."""
    rows = ([word.strip() for word in row.split("/")] for row in text.split(";") if row.strip())
    return {row[0]: tuple(row) for row in rows}
