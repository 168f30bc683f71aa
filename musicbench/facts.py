"""Text -> the facts it states about tempo, key, meter, chords and dynamics."""

import re
from dataclasses import dataclass, field

from musicbench.chordlists import note_unused_chords, numerals_of, read_chords
from musicbench.keys import first_key, read_marked_keys, read_other_keys
from musicbench.pace import read_duration_stated, read_meter_stated, read_tempo
from musicbench.reading import Reading
from musicbench.theory import Chord, Dynamics, Key, Meter
from musicbench.tokens import normalised, symbol_of

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


def read_prompt(prompt, key=None, meter=None):
    """Find tempo, key, meter, chords, dynamics and duration that a prompt states in words. Values outside their bounds are not taken.

    key, meter: those given besides, which say what degrees ("2-5-1") and note values ("quarter = 60") mean. What is musical in the
    prompt and not taken is named in the notes.
    """
    reading = Reading.of(normalised(prompt[:MAX_READ]))
    own_meter = read_meter_stated(reading)
    tempo, word = read_tempo(reading, meter or own_meter)
    duration = read_duration_stated(reading)
    keys = read_marked_keys(reading)
    chords = read_chords(reading)
    keys += read_other_keys(reading, chords)
    own_key = first_key(reading, keys)
    if isinstance(chords, list):
        chords = numerals_of(chords, key or own_key or Key("C"))
    note_unused_chords(reading, chords)
    order = ("tempo", "key", "meter", "chords", "duration")
    notes = tuple(sorted(reading.notes, key=lambda note: order.index(note[0])))
    return Stated(tempo, own_key, own_meter, chords, _read_dynamics(reading.text), duration, word, notes)


def same_facts(one, other):
    """True when two texts state the same tempo, key, meter, chords, dynamics and numbers: what a paraphrase must keep."""
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
_DRUMS = r"(?:drums?|drumming|drum[ -]?(?:kit|set|machine)|percussion)"
_ADJECTIVES = (
    r"(?:an? |the )?(?:(?!(?:with|and|over|on|to|plus|has|featuring|features|by|driven|backing|steel|light|only|song|music|piece|tune|band)"
    r"\b)[\w'/&-]+ ){0,5}"
)
_OF_DRUMS = r"(?:(?!and\b)[\w-]+ ){0,2}(?:drums?|cymbals?|hi-?hats?|snares?|kicks?|toms?|rimshots?|brush(?:es)?|fills?|rolls?|ghost notes|swing|reverb)"
_DRUM_PIECE = re.compile(
    rf"{_ADJECTIVES}(?:{_DRUMS}[ -]?(?:solo|loop|beat|break|breakbeat|groove|pattern|fill|track|piece)s?\b"
    rf"|(?:piece|track|music|solo) for (?:solo )?{_DRUMS}\b)(?=$| (?:at|in|around|without|\d|for (?!an? |the ))| with (?:no|a? ?lots? of|{_OF_DRUMS})\b)"
)
_ONLY_DRUMS = re.compile(
    rf"(?:(?:only|just|solo|unaccompanied|nothing but) (?:a |the )?(?:[\w-]+ )?{_DRUMS}|{_DRUMS}[ -](?:only|alone|solo))(?: (?:at|in) \d.*| \d.*)?"
)
_NOTHING_ELSE = re.compile(r"\b(?:(?:no|without)(?: any)? other (?:instrument|sound)s?|nothing else|no melody|no chords)\b")
_NEGATED = re.compile(  # "no bass", "without bass and guitar", "not only drums"
    r"\b(?:no|without|nor|not|don't use|never)(?: any| only| just)?(?: other)? [\w-]+(?:(?:,| or| and|, or|, and) (?!no\b|just\b|only\b|without\b)[\w-]+)*"
)
_SOUNDS_BESIDE_DRUMS = re.compile(
    r"\b(?:guitar|piano|keyboard|key|rhodes|organ|synth(?:esi[sz]er)?|string|violin|viola|fiddle|cello|harp|harpsichord|brass|trumpet|trombone"
    r"|tuba|horn|sax(?:ophone)?|flute|clarinet|oboe|bassoon|woodwind|pad|choir|voice|vocal|singer|rapper|melody|melodie|chord|harmony|bell"
    r"|glockenspiel|marimba|vibraphone|xylophone|kalimba|music box|accordion|harmonica|orchestra|riff|arpeggio|ukulele|banjo|sitar|koto"
    r"|lute|mandolin|bagpipe|didgeridoo|whistle|theremin|(?:steel|tongue|hang) drum|handpan|steelpan|gamelan|timpani|808|singing"
    r"|bass(?! drum)|bassline|erhu|kora|bouzouki|shamisen|oud|pipa|guzheng|drone|pluck|hook|tune|band|group|ensemble)(?:s|es)?\b"
)


def drums_alone(prompt):
    """Return whether a prompt begins with a drum piece ("rock drum solo") or says that only drums play ("just drums, no bass"),

    and names none of the other instruments known here.
    """
    text = re.sub('["“”]', "", prompt.lower())
    named = _NEGATED.sub("", text)
    if _SOUNDS_BESIDE_DRUMS.search(named):
        return False
    parts = [" ".join(part.split()) for part in re.split(r"[,.;:!?\n]| - ", named)]
    first = next(filter(None, parts), "")
    return bool(
        _DRUM_PIECE.match(first)
        or any(map(_ONLY_DRUMS.fullmatch, parts))
        or re.fullmatch(_ADJECTIVES + _ONLY_DRUMS.pattern, first)
        or (_NOTHING_ELSE.search(text) and re.fullmatch(_ADJECTIVES + _DRUMS, first))
    )
