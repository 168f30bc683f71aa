"""Text -> the facts it states about tempo, key, meter, chords and dynamics."""

import re
from bisect import bisect_left
from dataclasses import dataclass, field
from functools import lru_cache

from musicbench.music.chords import Chord
from musicbench.music.dynamics import Dynamics
from musicbench.music.keys import Key
from musicbench.music.meters import Meter
from musicbench.music.normalise import normalised
from musicbench.music.tokens import symbol_of
from musicbench.prompt.chordlists import note_not_understood, note_unused_chords, read_chords
from musicbench.prompt.chordruns import marker_before
from musicbench.prompt.degrees import in_minor, numerals_of, read_degrees
from musicbench.prompt.genres import genres_in
from musicbench.prompt.keys import (
    first_key,
    note_mode_alone,
    note_mode_beside_chords,
    note_outside_a_key,
    read_marked_keys,
    read_other_keys,
)
from musicbench.prompt.lengths import read_duration_stated, read_section_lengths
from musicbench.prompt.meters import read_meter_stated
from musicbench.prompt.pace import note_eighths, read_tempo
from musicbench.prompt.reading import CHORD_WORDS, Reading
from musicbench.prompt.rewording import reworded, with_plain_slashes
from musicbench.prompt.sounds import known_phrases, unpitched, words_of
from musicbench.prompt.tunings import note_tunings

MAX_READ = 20_000  # characters of a prompt

_FALLING = re.compile(r"\b(decrescendo|diminuendo|(?:volume|level|loudness|music) (?:falls|drops|goes down)|softer|quieter)", re.I)
_RISING = re.compile(r"\b(crescendo|(?:volume|level|loudness|music) (?:rises|climbs|goes up)|louder)", re.I)
_UNTIL = re.compile(r"\b(until|up to|first \d|from the (?:start|beginning|outset)|(?:begins|starts|opens) with)", re.I)
_SECONDS = re.compile(r"\b(\d+(?:\.\d+)?)[- ]?(?:s\b|sec\b|seconds?\b)|\bsecond (\d+(?:\.\d+)?)", re.I)


@dataclass(frozen=True)
class Stated:
    """What a text says outright; None where it says nothing. `chords` is a chord line.

    duration: seconds, or text such as "8 bars".
    A tempo word means its middle; `tempo_word` is that word, or None. notes: (name, what is not taken as it is said and why), ...
    """

    tempo: float | None = None
    key: Key | None = None
    meter: Meter | None = None
    chords: str | None = None
    dynamics: Dynamics | None = None
    duration: float | str | None = None
    tempo_word: str | None = field(default=None, compare=False)
    notes: tuple = field(default=(), compare=False)


def _read_dynamics(text):
    for sentence in re.split(r"(?<!\d)[.!?]|[.!?](?!\d)|\n", text):
        falls, rises = _FALLING.search(sentence), _RISING.search(sentence)
        seconds = _SECONDS.search(sentence)
        if (falls or rises) and (seconds or "midway" in sentence.lower()):
            turn_s = float(seconds[1] or seconds[2]) if seconds else None
            return Dynamics("decrescendo" if falls else "crescendo", "start" if _UNTIL.search(sentence) else "end", turn_s)
    return None


_BESIDE_CHORDS = CHORD_WORDS | {"vamp", "loop", "play", "playing", "over", "between", "alternating"}


_LETTERS = set("bcdefg")  # "a" is an article


def _use_styles(reading):
    """Use the letters of a style's name, "go-go", "D and b": they are no chords, unless chords or words for them stand beside."""
    starts = [token.start for token in reading.tokens]
    for start, end in (place for group in genres_in(reading.text) for _, place in group):
        inside = [i for i in range(bisect_left(starts, start), bisect_left(starts, end)) if reading.tokens[i].end <= end]
        letters = [i for i in inside if reading.kind(i) == "CHORD" or reading.word(i) in _LETTERS]
        capitals = [i for i in letters if reading.kind(i) == "CHORD"]
        if not letters or (len(capitals) > 1 and any(reading.word(i) == "and" for i in inside)):  # "D and B" are two chords
            continue
        first, last = inside[0], inside[-1]
        is_asked = marker_before(reading, first) is not None or {reading.word(first - 1), reading.word(last + 1)} & _BESIDE_CHORDS
        if not is_asked and not _is_symbol_beside(reading, first, -1) and not _is_symbol_beside(reading, last, 1):
            reading.use(first, last + 1)


def _is_symbol_beside(reading, i, step):
    """Return whether a chord stands next to a token, a sign or "and" between at most; an article is none."""
    j = i + step
    j += step * (reading.kind(j) in ("GAP", "BAR") or reading.word(j) == "and")
    return reading.kind(j) == "CHORD" or reading.word(j) in _LETTERS


@lru_cache(maxsize=2048)  # the copies of a clip share sentences
def read_prompt(prompt, key=None, meter=None):
    """Find tempo, key, meter, chords, dynamics and duration that a prompt states in words. Values outside their bounds are not taken.

    key, meter: those given besides, which say what degrees ("2-5-1") and note values ("quarter = 60") mean. What is musical in the
    prompt and not taken is named in the notes.
    """
    text, reworded_notes = reworded(normalised(with_plain_slashes(prompt[:MAX_READ])))
    reading = Reading.of(text)
    for name, note in reworded_notes:
        reading.note(name, note)
    note_tunings(reading)
    degrees = read_degrees(reading)
    own_meter = read_meter_stated(reading)
    tempo, word = read_tempo(reading, meter or own_meter)
    note_eighths(reading, None if word else tempo, meter or own_meter)
    read_section_lengths(reading)
    duration = read_duration_stated(reading)
    keys = read_marked_keys(reading)
    _use_styles(reading)
    chords = read_chords(reading, (meter or own_meter or Meter(4)).beats)
    keys += read_other_keys(reading, chords and re.search("[A-G]", chords))  # of numerals a letter is the key
    own_key = first_key(reading, keys)
    if degrees and not chords:
        chords = numerals_of(degrees, key or own_key or Key("C"))
    elif chords and (key or own_key or Key("C")).mode == "minor":
        chords = in_minor(chords)
    elif not chords:
        note_not_understood(reading)
    if not chords:
        note_outside_a_key(reading)
        if own_key is None:
            note_mode_alone(reading)
    elif own_key is None:
        note_mode_beside_chords(reading, chords)
    note_unused_chords(reading, chords)
    order = ("tuning", "tempo", "key", "meter", "chords", "duration")
    notes = tuple(sorted(reading.notes, key=lambda note: order.index(note[0])))
    return Stated(tempo, own_key, own_meter, chords, _read_dynamics(reading.text), duration, word, notes)


def same_facts(one, other):
    """True when two texts state the same tempo, key, meter, chords, dynamics and numbers: what a paraphrase must keep."""
    if one == other:
        return True
    a, b = read_prompt(one), read_prompt(other)
    return (
        (a.tempo, a.meter, a.dynamics) == (b.tempo, b.meter, b.dynamics)
        and (a.key == b.key or (a.key is not None and b.key is not None and a.key.same_as(b.key)))
        and _chord_list(a.chords) == _chord_list(b.chords)
        and _numbers(one) == _numbers(other)
    )


def _chord_list(line):
    return [
        Chord.parse(symbol) if symbol_of(symbol) == ("CHORD", symbol) else symbol
        for symbol in (line or "").replace("|", " ").split()
    ]


def _numbers(text):
    return sorted({float(number) for number in re.findall(r"\d+(?:\.\d+)?", text)})


# Drums alone: the prompt's first words are a drum piece, or a part of it says "only drums", and nothing else that sounds is named.
_DRUMS = (
    r"(?:drums(?:,? (?:(?:and|or|plus|with) )?(?:an? |the )?drums)*)"  # percussion of any name, as `_percussion_marked` writes it
)
_ADJECTIVES = (
    r"(?:an? |the )?(?:(?!(?:with|without|not|and|over|on|to|plus|has|featuring|features|by|driven|backing|steel|light|only|song|music|piece|tune|drums)"
    r"\b)[\w'&-]+ ){0,5}"
)
_PIECES = (
    "solo loop beat break breakbeat groove pattern fill track piece ensemble circle jam improvisation improv interlude duet duo trio quartet "
    "quintet battle rudiment cadence corps performance session workout rhythm intro outro sequence"
).split()
_PIECE = rf"(?:{'|'.join(_PIECES)})s?"
_OF_DRUMS = r"(?:(?!and\b)[\w-]+ ){0,2}(?:drums|fills?|rolls?|ghost notes?|swing|reverb)"
_DRUM_PIECE = re.compile(
    rf"{_ADJECTIVES}(?:{_DRUMS} {_PIECE}\b(?: {_PIECE}\b)?|(?:piece|track|music|solo) for (?:solo )?{_DRUMS}\b)"
    rf"(?=$| (?:at|in|around|without|\d+|for (?!an? |the ))\b| with (?:no|a? ?lots? of|{_OF_DRUMS})\b)"
)
_AT_A_TEMPO = r"(?: (?:at |in )?\d.*)?"
_ONLY_DRUMS = re.compile(
    rf"(?:(?:only|just|solo|unaccompanied|nothing but) (?:a |the )?(?:[\w-]+ )?{_DRUMS}|{_DRUMS} (?:only|alone|solo)){_AT_A_TEMPO}"
)
_LONE_BREAKBEAT = re.compile(rf"(?:an? )?(?:[\w-]+ )?breakbeats?(?: (?:loop|break|pattern))?{_AT_A_TEMPO}")
_NOTHING_ELSE = re.compile(r"\b(?:(?:no|without)(?: any)? other (?:instrument|sound)s?|nothing else|no melody|no chords)\b")
_CLAUSE_ENDS = r"[,.;:!?\n()]"
_CLAUSE_ENDS_OUT_OF_LISTS = r"[.;:!?\n()]|(?<!drums),|,(?! (?:and )?drums\b)"  # "congas, bongos and claves" is one
# Others that play, and what only they play.
_OTHERS = {
    "melody",
    "chord",
    "harmony",
    "hook",
    "tune",
    "riff",
    "arpeggio",
    "drone",
    "band",
    "group",
    "ensemble",
    "music box",
    "bassline",
    "pluck",
}
_KIT = {
    "drum kit",
    "drum machine",
    "lo-fi drums",
    "mpc drums",
    "glitch drums",
}  # "rock drums" may play with a band, "a djembe" plays alone

_PLAYED_IN_BANDS = {"blast"}  # "black metal blast beats" are no piece for drums


def _percussion_marked(words, sounds):
    """Return a prompt's words with percussion of any name written "drums"; what is denied is left out, and "no" is "without"."""
    text, i, at = [], 0, {found.first: found for found in sounds}
    while i < len(words):
        if i in at:
            found = at[i]
            if words[i].text == "beat":  # "lo-fi beats" are more than drums
                at.pop(i)
                continue
            is_piece = words[found.last - 1].text in _PIECES and found.last - i > 1 and words[i].text not in _PLAYED_IN_BANDS
            piece = [words[found.last - 1].text] if is_piece else []
            text += ["drums", *piece]
            i = found.last
            continue
        if words[i].denied:
            text += ["without"] if text[-1:] != ["without"] else []
        else:
            text.append(words[i].text)
        i += 1
    return re.sub(r" (?=[,.;:!?)])", "", " ".join(text))


def _names_others(words, sounds):
    """Return whether words name anything that plays beside percussion."""
    if not all(set(found.value) <= unpitched() for found in sounds):
        return True
    ends = {found.last for found in sounds}
    taken = {i for found in sounds for i in range(found.first, found.last)}
    asked = [i for i, word in enumerate(words) if i not in taken and not word.denied]
    return any(words[i].text in _OTHERS and i not in ends for i in asked)


def drums_alone(prompt):
    """Return whether a prompt begins with a piece for percussion ("rock drum solo", "taiko ensemble"), or says that only percussion plays

    ("just drums, no bass"), or names nothing but hand drums and the like; and names none of the other instruments known here.
    """
    words = words_of(re.sub('["“”]', "", prompt))
    sounds = [found for found in known_phrases().find(words) if not found.denied]
    if not sounds or _names_others(words, sounds):
        return False
    if _LONE_BREAKBEAT.fullmatch(" ".join(word.text for word in words if word.text != ",")):
        return True
    text = _percussion_marked(words, sounds)
    if re.search(r"\bwithout (?:use |using )?(?:only|just)\b|\bnot (?:only|just)\b", text):
        return False
    is_of_hand_drums = not any(_KIT.intersection(found.value) for found in sounds) and not genres_in(prompt)
    is_bare = is_of_hand_drums or bool(_NOTHING_ELSE.search(prompt.lower()))
    return any(_is_for_drums(re.split(ends, text), is_bare) for ends in (_CLAUSE_ENDS, _CLAUSE_ENDS_OUT_OF_LISTS))


def _is_for_drums(clauses, is_bare):
    """Return whether clauses tell of percussion alone. is_bare: percussion without more words, "a djembe", is alone."""
    parts = list(filter(None, (" ".join(clause.split()) for clause in clauses)))
    first = parts[0] if parts else ""
    return bool(
        _DRUM_PIECE.match(first)
        or any(map(_ONLY_DRUMS.fullmatch, parts))
        or re.fullmatch(_ADJECTIVES + _ONLY_DRUMS.pattern, first)
        or (is_bare and re.fullmatch(_ADJECTIVES + _DRUMS + _AT_A_TEMPO, first))
    )
