"""A song's own caption for a copy: its facts moved as the copy's labels are, all else as it was written.

Keys, chords and notes are transposed, tempi and times moved with the rate, a swell is said as the copy has it. What cannot
be said again, the duration or the pitch in Hz, is cut with its clause. What comes out is read back: a sentence that does
not state the moved facts is left out.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

from musicbench import InputError
from musicbench.build.clauses import sentences, without_clause
from musicbench.build.moved_notes import Transposition
from musicbench.build.moved_times import Stretch
from musicbench.music.annotation import Annotation
from musicbench.music.dynamics import Dynamics
from musicbench.music.keys import Key
from musicbench.music.normalise import normalised
from musicbench.music.progression import Progression
from musicbench.music.tempo import tempo_class
from musicbench.prompt.facts import Stated, read_prompt

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
_SWELL_NOUN = re.compile(r"\b(decrescendo|diminuendo|crescendo)\b", re.IGNORECASE)
_HOW = r"(?:(?:gradually|slowly|steadily|progressively|constantly|continuously|softly|quietly|gently|really|very|ever|more|and) )*"
_SWELL_VERB = re.compile(  # what a piece or its volume does: the verb that says how it is conjugated, and the rest
    rf"\b{_HOW}(?:(?P<loudness>(?<=volume )|(?<=level )|(?<=loudness )){_HOW}(?P<moves>increas|decreas|ris|fall|drop|grow|climb|swell)"
    r"(?P<end1>\w*)(?: (?:up|down))?"
    r"|(?:start|begin|open)(?P<end2>\w*) (?:off |out )?(?:\w+ )?(?:quiet|soft|loud)\w*(?:,? (?:and|but|then)(?: then)? (?:end|finish|get|grow|becom)\w* (?:\w+ )?(?:quiet|soft|loud)\w*)?"
    r"|(?:end|finish)(?P<end3>\w*) (?:\w+ )?(?:quiet|soft|loud)\w*"
    r"|(?:get|grow|becom|go|turn)t?(?P<end4>\w*) (?:\w+ ){0,3}?(?P<to>louder|softer|quieter)(?: and (?P=to))?"
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
_MAY_STATE = re.compile(
    r"\d|[A-G](?![a-z])|\b[a-g](?:#|b|♯|♭| flat| sharp|[- ]?m)|[#♯♭]|(?i:bpm|tempo|minute|second|mid-?way|half|do|re|mi|fa|sol|la|si)\b"
)


@lru_cache(4096)
def _read(text):
    return read_prompt(text)


def moved_caption(text: str, clip_before: Annotation, steps: Sequence[dict], clip_s: float = 10.0) -> str:
    """Return a song's own caption as it holds for a copy of its clip.

    clip_before: the labels of the clip that `steps` (as `musicbench.sound.augment` has them) were applied to. clip_s: how
    long clips are. Returns "" where nothing of the caption holds.
    """
    key, bpm = clip_before.key, clip_before.bpm
    for step in steps:
        if step["transform"] == "pitch":
            key = key and key.transposed(step["semitones"])
            text = _transposed(text, step["semitones"], key)
        elif step["transform"] == "tempo":
            text = _stretched(text, Stretch(step["rate"], bpm, clip_before.meter, clip_s))
            bpm = bpm and bpm * step["rate"]
        elif step["transform"] == "dynamics":
            text = _with_dynamics(text, Dynamics(step["kind"], step["where"], step["turn_s"]))
    return text


def _transposed(text: str, semitones: int, key: Key | None) -> str:
    move = Transposition(semitones, key, lambda said: (_read(said).key, _read(said).chords))
    return _moved_by(text, move, lambda before, after: _is_transposed(before, after, semitones))


def _stretched(text: str, stretch: Stretch) -> str:
    def move(sentence):
        return stretch(sentence, _read(sentence))

    return _moved_by(text, move, lambda before, after: _is_stretched(before, after, stretch))


def _moved_by(text, move, holds):
    """Move the sentences of a text one by one; where the whole is then not read as it should be, the text in one, then those
    sentences alone that state nothing."""
    kept = [said for sentence in sentences(text) if (said := _moved_sentence(sentence, move, holds))]
    result = " ".join(kept)
    if result == text or (len(kept) == len(sentences(text)) and holds(_read(text), _read(result))):
        return result
    whole = move(text)
    if whole and holds(_read(text), _read(whole)):
        return whole
    return result


def _moved_sentence(sentence, move, holds):
    """Return a sentence moved, "" where what it then states is not what it should be."""
    moved = move(sentence)
    if moved == sentence and not _MAY_STATE.search(sentence):
        return sentence
    if moved and holds(_read(sentence), _read(moved)):
        return moved
    plain = move(normalised(sentence))  # in plain signs and English letters
    return plain if plain and holds(_read(sentence), _read(plain)) else ""


def _is_transposed(before: Stated, after: Stated, semitones: int) -> bool:
    """Return whether what is read after a change of pitch is what was read before it, moved; or what moved it cannot say is gone."""
    if before.key and after.key and not after.key.same_as(before.key.transposed(semitones)):
        return False
    if after.key and not before.key:
        return False
    said, now = _chords(before), _chords(after)
    return said is None or now is None or now == [(c[0] and c[0].transposed(semitones), c[1]) for c in said]


def _chords(stated):
    """Return [(chord, symbol or None), ...] of what is stated in letters; a numeral stays as it is."""
    if not stated.chords:
        return None
    line = re.sub(r"\||:\d+(?:\.\d+)?(?= |$)|\(.*?bars?\)", " ", stated.chords)
    if not re.search("[A-G]", line):
        return [(None, line)]
    try:
        return [(chord, None) for chord in Progression.parse(line, key=stated.key or Key("C")).chords]
    except InputError:
        return [(None, line)]


def _is_stretched(before: Stated, after: Stated, stretch: Stretch) -> bool:
    if before.tempo is None:
        return after.tempo is None
    if after.tempo is not None:
        wanted = before.tempo * stretch.rate
        is_word = after.tempo_word is not None
        if not is_word and abs(after.tempo - wanted) > 0.6 + 0.01 * wanted:
            return False
        if is_word and abs(tempo_class(after.tempo) - tempo_class(wanted)) > 1:
            return False
    was_s, is_s = (said.dynamics and said.dynamics.turn_s for said in (before, after))
    return was_s is None or is_s is None or abs(is_s - was_s / stretch.rate) < 0.06


def _with_dynamics(text, dynamics):
    """Return a text with its swells as a copy's: a "crescendo" by its name and times, all else cut with its clause."""
    kept = []
    for sentence in sentences(text):
        said = _SWELL.search(sentence) is not None or _read(sentence).dynamics is not None
        ways = (_renamed(sentence, dynamics), without_clause(sentence, _SWELL)) if said else (sentence,)
        kept += [way for way in ways if way and (not said or _read(way).dynamics in (None, dynamics))][:1]
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
    verbs = list(_SWELL_VERB.finditer(sentence))
    if len(verbs) == 1 and not nouns:
        moved = _conjugated(sentence, verbs[0], dynamics)
        if len(_SWELL.findall(moved)) <= 1:
            return moved
    return ""


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
