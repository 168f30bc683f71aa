"""What a sentence says of swells, said as a copy has it whose loudness was changed."""

import re
from collections.abc import Callable

from musicbench.build.clauses import sentences, without_clause
from musicbench.music.dynamics import Dynamics
from musicbench.prompt.facts import Stated

_SWELL = re.compile(
    r"\b(?:de)?crescendo\b|diminuendo|\bfad(?:es?|ed|ing)\b|\b(?:get|grow|becom|go|turn)\w* (?:\w+ ){0,3}?(?:louder|softer|quieter)\b"
    r"|\b(?:louder and louder|softer and softer|quieter and quieter)\b"
    r"|\b(?:buil\w+|swell\w*) (?:\w+ )?(?:up|to|towards?)\b|\bswell(?:s|ing)?\b|\bclimax"
    r"|\b(?:start|begin|open|end|finish)\w* (?:\w+ ){0,2}(?:quiet|soft|loud)"
    r"|\b(?:quiet|soft|loud)\w* (?:at (?:first|the (?:start|beginning|end))|to (?:very )?(?:quiet|soft|loud))"
    r"|\b(?:volume|level|loudness)\b.*\b(?:increas|decreas|ris|fall|drop|grow|climb|swell|go(?:es)? (?:up|down)"
    r"|constant|steady|same)"
    r"|\b(?:constant|steady|even|same) (?:volume|level|loudness)\b"
    r"|\b(?:increas|decreas|ris|fall|drop|grow)\w* (?:in |of )?(?:the |its )?(?:volume|level|loudness)\b",
    re.IGNORECASE,
)
_SWELL_NOUN = re.compile(
    r"\b(decrescendo|diminuendo|crescendo|(?<![s] )(?<=\w )swell(?= (?:in|of|at|from|until|with|to)\b|[.,]))\b", re.IGNORECASE
)
_HOW = r"(?:(?:gradually|slowly|steadily|progressively|constantly|continuously|softly|quietly|gently|really|very|ever|more|and) )*"
_SWELL_VERB = re.compile(  # what a piece or its volume does: the verb that says how it is conjugated, and the rest
    rf"\b{_HOW}(?:(?P<loudness>(?<=volume )|(?<=level )|(?<=loudness )){_HOW}(?P<moves>increas|decreas|ris|fall|drop|grow|climb|swell)"
    r"(?P<end1>\w*)(?: (?:up|down))?"
    r"|(?:start|begin|open)(?P<end2>\w*) (?:off |out )?(?:\w+ )?(?:quiet|soft|loud)\w*(?:,? (?:and|but|then)(?: then)? "
    r"(?:\w+ly )?(?:end|finish|get|grow|becom)\w* (?:\w+ )?(?:quiet|soft|loud)\w*)?"
    r"|(?:end|finish)(?P<end3>\w*) (?:\w+ )?(?:quiet|soft|loud)\w*"
    r"|(?:get|grow|becom|go|turn|play|sing|sound)t?(?P<end4>\w*) (?:\w+ ){0,3}?(?P<to>louder|softer|quieter)(?: and (?P=to))?"
    r"|fad(?P<end5>\w+)(?: (?:in|out|away))?|buil(?:d|t)(?P<end6>\w*) (?:up )?(?:to|towards?) an? (?:\w+ )?climax|swell(?P<end7>\w*)(?: up)?)"
    r"(?: (?:\w+ly|bit by bit|in (?:volume|intensity)|until(?= (?!\d|mid|half))[^,.;]+|(?:in)?to (?:an?|the) [^,.;]+?(?=[,.;]|$| with )))*",
    re.IGNORECASE,
)
_S = r"\d+(?:\.\d+)? ?(?:s|secs?|seconds?)\b"
_SWELL_TIME = re.compile(
    rf"(?:\bfrom the (?:start|beginning|outset) )?\b(?:that lasts )?(?:until|till|up to|to) (?:about )?(?:{_S}|mid-?way|half-?way)"
    rf"|\b(?:from|after|at) (?:{_S}|mid-?way|half-?way)(?: on(?:wards?)?\b)?(?: to the end\b)?|\bmid-?way\b"
    r"|\bfrom the (?:start|beginning|outset)\b|\bat the (?:end|start|beginning)\b",
    re.IGNORECASE,
)


def with_dynamics(text: str, dynamics: Dynamics, read: Callable[[str], Stated]) -> str:
    """Return a text with its swells as a copy's: a "crescendo" or "grows louder" with its times, all else cut with its clause.

    Where nothing else is left, the swell alone is said.
    """
    kept = []
    for sentence in sentences(text):
        said = _SWELL.search(sentence) is not None or read(sentence).dynamics is not None
        ways = (_renamed(sentence, dynamics), without_clause(sentence, _SWELL)) if said else (sentence,)
        kept += [way for way in ways if way and (not said or read(way).dynamics in (None, dynamics))][:1]
    if kept:
        return " ".join(kept)
    return "The music grows " + ("louder" if dynamics.kind == "crescendo" else "softer") + f" {_when(dynamics)}."


def _when(dynamics):
    at = f"{dynamics.turn_s:g} seconds"
    return f"from the start until {at}" if dynamics.where == "start" else f"from {at} on"


def _renamed(sentence, dynamics):
    """Return a sentence whose one "crescendo", or one verb that swells, is a copy's, with its times; "" where it says it otherwise."""
    nouns = list(_SWELL_NOUN.finditer(sentence))
    if len(nouns) == 1 and not re.search(r"\b(?:no|without)\b", sentence[: nouns[0].start()][-16:], re.IGNORECASE):
        kind = dynamics.kind.capitalize() if nouns[0][0][0].isupper() else dynamics.kind
        moved = sentence[: nouns[0].start()] + kind + sentence[nouns[0].end() :]
        times = list(_SWELL_TIME.finditer(moved))
        if times:
            moved = moved[: times[0].start()] + _when(dynamics) + moved[times[-1].end() :]
        if len(_SWELL.findall(moved)) == 1:
            return moved
    verbs = [verb for verb in _SWELL_VERB.finditer(sentence) if not _is_noun(sentence, verb)]
    if len(verbs) == 1 and not nouns:
        moved = _conjugated(sentence, verbs[0], dynamics)
        if len(_SWELL.findall(moved)) <= 1:
            return moved
    return ""


def _is_noun(sentence, verb):
    """Return whether a match without an ending, "a slow fade in", is no verb of a plural, "strings swell"."""
    is_bare = not any(ending for name, ending in verb.groupdict().items() if name.startswith("end") and ending not in (None, "e"))
    return is_bare and not re.search(r"(?:s|they|and|to|then|people|voices) $", sentence[: verb.start()])


def _conjugated(sentence, verb, dynamics):
    """Return a sentence whose one swelling verb does what a copy does, with its times."""
    ending = next(ending for name, ending in verb.groupdict().items() if name.startswith("end") and ending is not None)
    rises = dynamics.kind == "crescendo"
    if verb["loudness"] is not None:
        stem, past, after = ("ris", "rose", "") if rises else ("fall", "fell", "")
    else:
        stem, past, after = "grow", "grew", " louder" if rises else " softer"
    if ending.endswith("ing"):
        word = stem + "ing"
    elif ending in ("s", "es", "ns"):
        word = stem + ("es" if stem == "ris" else "s")
    elif ending in ("ed", "d", "n", "an"):
        word = past
    else:
        word = stem + ("e" if stem == "ris" else "")
    tail = sentence[verb.end() :]
    time = _SWELL_TIME.match(tail.lstrip())
    tail = tail.lstrip()[time.end() :] if time else tail
    return f"{sentence[: verb.start()]}{word}{after} {_when(dynamics)}{tail}"
