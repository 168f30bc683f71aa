"""Text -> the facts it states about tempo, key, meter, chords and dynamics."""

import re
from dataclasses import dataclass

from musicbench import InputError
from musicbench.theory import (
    MAX_BPM,
    MIN_BPM,
    TEMPO_WORDS,
    Chord,
    Dynamics,
    Key,
    Meter,
    ascii_accidentals,
    is_roman,
    word_tempo,
)

_NUMBER = r"(?<![\d.,])(\d{2,3}(?:\.\d+)?)"
_RANGE = rf"{_NUMBER}(?:\s*(?:-|–|to|and)\s*(\d{{2,3}}(?:\.\d+)?))?"
_TEMPO = re.compile(
    rf"{_RANGE}\s*-?\s*(?:bpm\b|beats\s+(?:per|a)\s+minute)"
    rf"|\b(?:tempo|bpm|pace)\b(?:\s+(?:is|of|at|around|about|between|from)|\s*[:=])*\s*{_RANGE}\b",
    re.IGNORECASE,
)
_METRONOME = re.compile(
    r"(?:♩(\.)?|\b(dotted[- ])?(half|minim|quarter|crotchet|eighth|quaver)(?:[- ]notes?)?)\s*=\s*(\d{2,3})(?!\d)", re.IGNORECASE
)
_QUARTERS = {"half": 2, "minim": 2, "quarter": 1, "crotchet": 1, "eighth": 0.5, "quaver": 0.5}
_TEMPO_WORD = re.compile(rf"\b({'|'.join(TEMPO_WORDS)})\b", re.IGNORECASE)
_TEMPO_CONTEXT = re.compile(r"\b(tempo|pace|played|moves|marking)\b", re.IGNORECASE)
_TONIC = r"[A-G](?:#|b|[- ](?:[Ss]harp|[Ff]lat))?"
_KEY_WORDS = r"(?:(?i:key)\b(?:\s+(?i:of)|\s+is|\s*[:=])*|(?P<within>[Ii]n)|[Tt]onality\s+is|[Tt]onal\s+cent(?:er|re)\s+is)"
# After "in", a tonic alone is a key only where its phrase ends: not "in A quiet room", "in B-movie style".
_PHRASE_ENDS = r"(?=\s*(?:$|[.,;:!?)\n\d]|(?:at|and|with|over|on|for|in|then|key)\b))"
_KEY_MARKED = re.compile(
    rf"\b{_KEY_WORDS}(?:\s+|(?<=[:=]))(?P<tonic>{_TONIC})(?:[- ]?(?P<mode>(?i:major|minor|maj|min)|m)\b(?![#\w])|(?(within){_PHRASE_ENDS}|(?![\w#])))"
)
_KEY_BARE = re.compile(  # "a minor" is no key without more
    rf"(?<![\w#])(?P<tonic>{_TONIC}|[b-g](?:#|b)?)[- ]?(?P<mode>(?i:major|minor))\b(?!(?i:\s*(?:chord|third|seventh|7|hit|label|detail|setback|mistake)))"
)
_KEY_SHORT = re.compile(r"(?:^|[,;])\s*(?P<tonic>[A-G](?:#|b)?)(?P<mode>m)(?=\s*(?:$|[,;.])|\s+(?:\d|at\b))")  # "F#m, 98 bpm"
_METER = re.compile(r"(?<![\w/])([2-7])/(2|4|8|16)(?![\w/])")
_METER_WORDS = re.compile(
    r"(?<!-)\b(two|three|four|five|six|seven)[- /](four|quarter|eight)\s+(?:time|meter|metre)\b|(?:\bin|^|[.,;])\s*common time\b",
    re.IGNORECASE,
)
_COUNTS = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "quarter": 4}
_BEATS_A_BAR = re.compile(
    r"\b([2-7]) beats (?:in|to|per|a) (?:a |the |each )?bar|\bbar has ([2-7]) beats|\bdownbeat comes every ([2-7])\b"
    r"|\bbeat (?:is|counts to) ([2-7])\b",
    re.IGNORECASE,
)
_FALLING = re.compile(r"\b(decrescendo|diminuendo|(?:volume|level|loudness|music) (?:falls|drops|goes down)|softer|quieter)", re.I)
_RISING = re.compile(r"\b(crescendo|(?:volume|level|loudness|music) (?:rises|climbs|goes up)|louder)", re.I)
_UNTIL = re.compile(r"\b(until|up to|first \d|from the (?:start|beginning|outset)|(?:begins|starts|opens) with)", re.I)
_SECONDS = re.compile(r"\b(\d+(?:\.\d+)?)[- ]?(?:s\b|sec\b|seconds?\b)|\bsecond (\d+(?:\.\d+)?)", re.I)
_DEGREES = re.compile(
    r"(?<![\d-])([1-7](?:\s*-\s*[1-7]){2,})(?=\s+(?:chords?\b|progression|turnaround|loop\b(?!\s+(?:pedal|station))))",
    re.IGNORECASE,
)
_ROMANS = {"major": ("I", "ii", "iii", "IV", "V", "vi", "vii°"), "minor": ("i", "ii°", "III", "iv", "V", "VI", "VII")}
_CHORD_WORD = re.compile(r"\b(chords?|progression|harmony|changes)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Stated:
    """What a text says outright; None where it says nothing. `chords` is a chord line; tempo words mean their middle."""

    tempo: float | None = None
    key: Key | None = None
    meter: Meter | None = None
    chords: str | None = None
    dynamics: Dynamics | None = None


def _is_chord(token):
    try:
        Chord.parse(token)
    except InputError:
        return False
    return True


def _chord_runs(sentence):
    """Yield the longest runs of neighbouring chord symbols (or Roman numerals) in a sentence, with where they begin."""
    run, start = [], 0
    for match in re.finditer(r"\||[^\s,;|]+", sentence):
        token = match[0].strip(".:()[]\"'") if match[0] not in ("|", "-", "->", "→") else match[0]
        parts = [token] if _is_chord(token) or is_roman(token) else [p for p in re.split(r"->|→|-", token) if p] or [token]
        if parts == [token] and token.count("/") > 1 and not _is_chord(token):  # Am/F/C/G
            parts = [p for p in token.split("/") if p] or [token]
        if run and token in ("|", "-", "->", "→", "then", "and", "to"):
            run.append("|" if token == "|" else None)
        elif all(
            _is_chord(p) or is_roman(p) or re.fullmatch(r".+:\d(\.\d)?", p) and _is_chord(p.rpartition(":")[0]) for p in parts
        ):
            start = start if run else match.start()
            run.extend(parts)
        else:
            if run:
                yield start, run
            run = []
    if run:
        yield start, run


def _read_chords(prompt):
    for sentence in re.split(r"(?<=[A-Ga-z0-9#])[.!?](?:\s|$)|\n", prompt):
        marker = _CHORD_WORD.search(sentence)
        for start, run in _chord_runs(sentence):
            symbols = [token for token in run if token and token != "|"]
            romans = sum(is_roman(s) for s in symbols)
            if romans not in (0, len(symbols)):
                continue
            if len(symbols) == 1 and re.search(r"\bin\s+$", sentence[:start]):  # a key
                continue
            marked = marker and marker.start() < start
            if not marked and all(len(s) == 1 for s in symbols) and _are_letters(symbols, sentence):
                continue
            # "A" and "I" are words too: a lone one is no chord, and without the word "chords" three in a row are asked for.
            if len(symbols) >= 3 or (marked and (len(symbols) == 2 or symbols[0] not in ("A", "I"))):
                while run and run[-1] in (None, "|"):
                    run.pop()
                return " ".join(token for token in run if token)
    return None


def _are_letters(symbols, sentence):
    """True for the A A B A of a form, the names of sections, the strings of a tuning."""
    form = len(set(symbols)) < len(symbols) and re.search(r"\b(form|structure)\b", sentence)
    return form or re.search(r"\b([Ss]ections?|tuned|tuning)\b", sentence)


def _read_dynamics(text):
    for sentence in re.split(r"(?<!\d)[.!?]|[.!?](?!\d)|\n", text):
        falls, rises = _FALLING.search(sentence), _RISING.search(sentence)
        seconds = _SECONDS.search(sentence)
        if (falls or rises) and (seconds or "midway" in sentence.lower()):
            turn_s = float(seconds[1] or seconds[2]) if seconds else None
            return Dynamics("decrescendo" if falls else "crescendo", "start" if _UNTIL.search(sentence) else "end", turn_s)
    return None


def read_prompt(prompt, key=None, meter=None):
    """Find tempo, key, meter, chords and dynamics that a prompt states in words. Values outside their bounds are not taken.

    key, meter: those given besides, which say what degrees ("2-5-1") and note values ("quarter = 60") mean.
    """
    text = ascii_accidentals(prompt[:20000])
    own_meter = _read_meter(text)
    tempo = _read_tempo(text, meter or own_meter)
    if tempo is None:
        for sentence in re.split(r"[.!?\n]", text):
            match = _TEMPO_WORD.search(sentence)
            # "grave" is an English word as well
            if match and (match[1].lower() != "grave" or _TEMPO_CONTEXT.search(sentence)):
                tempo = word_tempo(match[1])
                break
    own_key, chords = None, _read_chords(text)
    for pattern in (_KEY_MARKED, _KEY_BARE) if chords else (_KEY_MARKED, _KEY_BARE, _KEY_SHORT):
        if match := pattern.search(text):
            tonic = re.sub(r"[- ][Ss]harp", "#", re.sub(r"[- ][Ff]lat", "b", match["tonic"]))
            own_key = Key(
                tonic[0].upper() + tonic[1:], "minor" if (match["mode"] or "").lower() in ("minor", "min", "m") else "major"
            )
            break
    if chords is None and (match := _DEGREES.search(text)):
        romans = _ROMANS[(key or own_key or Key("C")).mode]
        chords = " ".join(romans[int(digit) - 1] for digit in re.findall(r"\d", match[1]))
    return Stated(tempo, own_key, own_meter, chords, _read_dynamics(text))


def _read_tempo(text, meter):
    found = [match for pattern in (_TEMPO, _METRONOME) for match in pattern.finditer(text)]
    for match in sorted(found, key=lambda match: match.start()):
        if match.re is _METRONOME:
            quarters = _QUARTERS[(match[3] or "quarter").lower()] * (1.5 if match[1] or match[2] else 1)
            value = float(match[4]) * quarters * (meter.unit if meter else 4) / 4
        else:
            low, high = (float(n) if n else None for n in (match.group(1, 2) if match[1] else match.group(3, 4)))
            value = low if match[3] else high or low  # of "Studio 54 - 118 bpm" the number before bpm
            if high and low < high <= 1.34 * low:
                value = (low + high) / 2  # of a range its middle
        if MIN_BPM <= value <= MAX_BPM:
            return value
    return None


def _read_meter(text):
    if match := _METER.search(text):
        return Meter(int(match[1]), int(match[2]))
    if match := _METER_WORDS.search(text):
        beats, unit = (_COUNTS[word.lower()] for word in match.groups()) if match[1] else (4, 4)
        return Meter(beats, unit)
    if match := _BEATS_A_BAR.search(text):
        beats = int(next(g for g in match.groups() if g))
        return Meter(beats, 8 if beats == 6 else 4)
    return None


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
    return [Chord.parse(symbol) if _is_chord(symbol) else symbol for symbol in (line or "").replace("|", " ").split()]


def _numbers(text):
    return sorted({float(number) for number in re.findall(r"\d+(?:\.\d+)?", text)})
