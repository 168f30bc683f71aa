"""Sentences of a caption, and what is left of one when a clause of it is cut."""

import re
from itertools import pairwise

# Not after "Dr.", "No.", "feat." or an initial.
SENTENCE_END = re.compile(
    r"(?<=[.!?])(?<!\b(?:Dr|Mr|Ms|St|Jr|No|no|Op|op|vs|ft)\.)(?<!\b(?:Mrs|Vol|vol|arr)\.)(?<!\b(?:feat|prod)\.)(?<!\b[H-Z]\.)\s+"
)
_JOINTS = re.compile(
    r"\s*[,;:]\s+(?:(?:and|but|or|then|while|which|that|with)\s+)*|\s+[-–—]\s+|\s*[()]\s*"
    r"|\s+(?:and then|and|but|then|while|which|that|who|with|before|until it|as it|as the)\s+"
    r"|\s+(?=(?:fading|building|swelling|getting|growing|rising|becoming|lasting)\b)"
)
_BEGINS = re.compile(r"(?:an?|the|it|its|this|that|these|there|we|she|he|they|one|two|some|in|at|over|\w+s)\b", re.IGNORECASE)
_DANGLES = re.compile(
    r"(?:^|\s)(?:an?|the|its|of|in|at|on|to|for|from|by|with|and|or|but|then|that|which|is|are|was|has|have|as|very|more|key"
    r"|about|around|until)[.!?]?$",
    re.IGNORECASE,
)
_VERB = re.compile(
    r"(?:features|has|uses|is|plays|sounds|contains|includes|goes|runs|starts|ends|opens|moves|combines|blends|stays)\b"
)
_SUBJECT = re.compile(r"(?:it|this|(?:the|this) (?:song|piece|track|music|recording|clip|tune|instrumental))\b(?= )", re.IGNORECASE)
_STUMP = re.compile(r"(?:an?|the) [\w'-]+", re.IGNORECASE)


def sentences(text: str) -> list[str]:
    """Return the sentences of a text."""
    return SENTENCE_END.split(text)


def without_clause(sentence: str, pattern: re.Pattern) -> str:
    """Return a sentence without those clauses in which a pattern is found; "" where nothing that can stand alone is left."""
    while found := pattern.search(sentence):
        sentence = _cut(sentence, *found.span())
    return sentence


def clause_spans(sentence: str) -> list[tuple[int, int]]:
    """Return where the clauses of a sentence begin and end."""
    return [(before[1], behind[0]) for before, behind in pairwise(_joints(sentence.rstrip(".!?")))]


def _joints(core):
    return [(0, 0), *(joint.span() for joint in _JOINTS.finditer(core)), (len(core), len(core))]


def _cut(sentence, start, end):
    """Return a sentence without the clauses that a span touches, "" where what is left does not stand alone."""
    core = sentence.rstrip(".!?")
    mark = sentence[len(core) :]
    clauses = list(pairwise(_joints(core)))  # the joint before each, and the one behind
    touched = [i for i, (before, behind) in enumerate(clauses) if before[1] < end and behind[0] > start]
    if not touched or len(touched) == len(clauses):
        return ""
    first, last = touched[0], touched[-1]
    head, tail = core[: clauses[first][0][0]], core[clauses[last][1][0] :]
    if first == 0:
        joint, tail = core[slice(*clauses[last][1])].strip(" ,;:-"), core[clauses[last][1][1] :]
        subject = _SUBJECT.match(core)
        if subject and joint in ("and", ", and", "but", ", but", ",") and _VERB.match(tail):
            left = f"{subject[0]} {tail}"
        elif joint in ("with", "which", "that", "who", "before", "as it", "(") or not _BEGINS.match(tail):
            return ""
        else:
            left = tail[0].upper() + tail[1:]
    else:
        if (
            core[slice(*clauses[first][0])].strip() == "("
            and tail.startswith(")")
            or re.search("which|who|that", core[slice(*clauses[first][0])])
            and tail.startswith(",")
        ):
            tail = tail[1:]
        left = head + tail
    left = left.strip(" ,;:-")
    is_stump = _STUMP.fullmatch(left) and "," in core[slice(*clauses[first][0])]
    return "" if not left or is_stump or _DANGLES.search(left) else left + mark
