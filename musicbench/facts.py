"""Text -> the facts it states about tempo, key, meter, chords and dynamics."""

import re
from bisect import bisect
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice

from musicbench import InputError
from musicbench.progression import ARROWS, unfolded
from musicbench.theory import (
    BETWEEN_TEMPO_WORDS,
    MAX_BPM,
    MIN_BPM,
    MODES,
    TEMPO_WORDS,
    Chord,
    Dynamics,
    Key,
    Meter,
    ascii_accidentals,
    is_roman,
    nearest_symbol,
    quoted,
    word_tempo,
)


def _range(digits):
    return rf"(?<![\d.,])(\d{{{digits}}}(?:\.\d+)?)(?:\s*(?:-|to|and)\s*(\d{{{digits}}}(?:\.\d+)?))?"


_TEMPO = re.compile(
    rf"{_range('1,6')}\s*-?\s*(?:bpms?\b|bmp\b|b\. ?p\. ?m\b|beats?(?:\s+(?:per|a)\s+|\s*/\s*)min(?:ute)?\b)"
    rf"|\b(?:tempo|bpm|pace)\b(?:\s+(?:is|of|at|around|about|between|from)|\s*[:=])*\s*{_range('2,3')}\b(?:\s*bpms?\b)?",
    re.IGNORECASE,
)
_METRONOME = re.compile(
    r"(?:♩(\.)?|\bq|\b(dotted[- ])?(half|minim|quarter|crotchet|eighth|quaver)(?:[- ]notes?)?)"
    r"\s*=\s*(\d{2,3})(?!\d)",
    re.IGNORECASE,
)
_QUARTERS = {"half": 2, "minim": 2, "quarter": 1, "crotchet": 1, "eighth": 0.5, "quaver": 0.5}
_TEMPO_WORD = re.compile(rf"\b({'|'.join([*TEMPO_WORDS, *BETWEEN_TEMPO_WORDS])})\b", re.IGNORECASE)
_TEMPO_CONTEXT = re.compile(r"\b(tempo|pace|played|moves|marking)\b", re.IGNORECASE)
_TONIC = r"[A-G](?:#|b|[- ]?(?:[Ss]harp|[Ff]lat))?"
_KEY_WORDS = r"(?:(?i:key)\b(?:\s+(?i:of)|\s+is|\s*[:=])*|(?P<within>[Ii]n)|[Tt]onality\s+is|[Tt]onal\s+cent(?:er|re)\s+is)"
# After "in", a tonic alone is a key only where its phrase ends: not "in A quiet room", "in B-movie style".
_PHRASE_ENDS = r"(?=\s*(?:$|[.,;:!?)\n\d]|(?:at|and|with|over|on|for|in|then|key)\b))"
_KEY_MARKED = re.compile(
    rf"\b{_KEY_WORDS}(?:\s+|(?<=[:=]))(?P<tonic>{_TONIC})(?:[- ]?(?P<mode>(?i:{MODES}|major|minor|maj|min)|m)\b(?![#\w])|(?(within){_PHRASE_ENDS}|(?![\w#])))"
)
_KEY_BARE = re.compile(  # "a minor" is no key without more
    rf"(?<![\w#])(?P<tonic>{_TONIC}|[b-g](?:#|b)?)[- ]?(?P<mode>(?i:{MODES}|major|minor))\b(?!(?i:\s*(?:chord|third|seventh|7|hit|label|detail|setback|mistake)))"
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
    r"(?<![\d-])([1-7](?:\s*-\s*[1-7]){2,31})(?=\s+(?:chords?\b|progression|turnaround|loop\b(?!\s+(?:pedal|station))))",
    re.IGNORECASE,
)
_ROMANS = {"major": ("I", "ii", "iii", "IV", "V", "vi", "vii°"), "minor": ("i", "ii°", "III", "iv", "V", "VI", "VII")}
_CHORD_WORD = re.compile(r"\b(chords?|progression|harmony|changes)\b", re.IGNORECASE)
_NAMED = r"([A-G](?:#|b)?)((?i:[- ]sharp|[- ]flat)?)[- ]((?i:major|minor))(?: (7))?(?![\w#-])"
_NAMED_CHORD = re.compile(_NAMED)
_NAMED_CHORDS = re.compile(  # "chords: A minor, F major"
    rf"(?i:{_CHORD_WORD.pattern}(?:[ :=]|is|are|go|from|of)*){_NAMED}(?:(?:[ ,|&=>→-]|and|then|to)+{_NAMED})+"
)
_PASSED = {"-", "+", "/", "&", "—", "then", "and", "to", *ARROWS.split("|")}
_WORDS = re.compile(r":?\|+:?|[^\s,;|]+")
_LIKE_A_CHORD = re.compile(
    r"(?![A-H]\d+$)[A-H](?:maj|Maj|MAJ|min|Min|MIN|dim|aug|sus|add|alt|omit|no|dom|[mM#b+°øΔ^()/,\d-])*(?:/[A-G][#b]?)?"
    r"|(?:maj|min|m|dim|sus|add)\d+|\(?[xX×]\d\)?"
)
# Between the word "chords" and one or two chords.
_LEADS_IN = re.compile(
    r"(?:[^,;]* (?:is|are|goes?|follows|from|through))?(?: (?:progression|sequence))?(?: (?:is|are|goes|of))?[ :=|(\[\"'`*]*"
)
_BEFORE_LETTERS = re.compile(
    r"\b(?:notes?|scales?|melody|arpeggios?|bass(?: line)?(?: plays)?|grades?|vitamins?)[ :]+(?:(?:of|is|are) )?$", re.IGNORECASE
)
_AFTER_LETTERS = re.compile(r"[ ,.]*(?:scale|melody|arpeggio|students)\b", re.IGNORECASE)


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


def _is_chord(token):
    try:
        Chord.parse(token)
    except InputError:
        return False
    return True


@lru_cache(4096)
def _symbols(word):
    """Return the chord symbols in a word (Am-F-C, Am/F/C, F:2), without the quotes and brackets around it; () for any other."""
    plain = word.strip(".:!?_\"'`*")
    for bare in (plain, plain.strip("()[]")):
        for parts in ([bare], re.split(rf"{ARROWS}|-", bare), bare.split("/") if bare.count("/") > 1 else []):
            parts = tuple(filter(None, parts))
            if parts and all(_is_chord(re.sub(r"(?<=.):\d(\.\d)?$", "", p)) or is_roman(p) for p in parts):
                return parts
    return ()


def _chord_runs(sentence, marked_at):
    """Yield (start, end, tokens, unknown) of each run of neighbouring chord symbols, with its bar lines.

    After `marked_at` what only looks like a symbol is unknown; the nearest known one, if any, stands for it.
    """
    run, known, unknown, spans = [], 0, [], []
    for match in [*_WORDS.finditer(sentence), None]:
        word = match[0] if match else ""
        if "|" in word or (known and word == "%"):
            run.append(re.sub(r"\|+", "|", word))
        elif not run or word not in _PASSED:
            symbols = _symbols(word)
            if not symbols and match and match.start() >= marked_at and _LIKE_A_CHORD.fullmatch(word.strip(".:")):
                symbols = tuple(filter(None, [nearest_symbol(word)]))
                unknown.append((word, *symbols))
            elif not symbols:
                if known:
                    yield spans[0][0], spans[-1][1], run, unknown
                run, known, unknown, spans = [], 0, [], []
                continue
            run += symbols
            known += len(symbols)
            spans.append(match.span())


def _chord_lines(text):
    """Yield (chord line, unknown symbols) for each run of chord symbols that is one."""
    for sentence in re.split(r"(?<=[A-Ga-z0-9#])(?<!N\.C)[.!?](?:\s|$)|\n", text):
        sentence = re.sub(rf"({_CHORD_WORD.pattern} ?[:=])", r"\1 ", sentence, flags=re.IGNORECASE)
        sentence = re.sub(r"(:?\|+:?)", r" \1 ", sentence)
        markers = [match.end() for match in _CHORD_WORD.finditer(sentence)]
        is_form, has_parts = re.search(r"\b(form|structure)\b", sentence), re.search(r"\b([Ss]ections?|tuned|tuning)\b", sentence)
        for start, end, run, unknown in _chord_runs(sentence, markers[0] if markers else len(sentence)):
            symbols = [token for token in run if "|" not in token and token != "%"]
            marker = markers[bisect(markers, start) - 1] if markers and markers[0] <= start else None
            leads_in = marker is not None and start - marker < 60 and _LEADS_IN.fullmatch(sentence[marker:start])
            if sum(map(is_roman, symbols)) not in (0, len(symbols)):
                continue
            # "A" and "I" are words too: a lone one is a chord where it ends the sentence, and without "chords" three in a row are asked for.
            if len(symbols) == 1 and (not leads_in or (symbols[0] in ("A", "I", "i", "v") and sentence[end:].strip(" .,\"')"))):
                continue
            if len(symbols) == 2 and not leads_in and (marker is None or any(len(s) == 1 for s in symbols)):
                continue
            if all(re.fullmatch(r"[A-G][#b]?\d?", s) for s in symbols):  # the letters of a scale, a form, a tuning; C4 E4 G4
                if _BEFORE_LETTERS.search(sentence[max(start - 30, 0) : start]) or _AFTER_LETTERS.match(sentence, end):
                    continue
                repeats, alphabet, octaves = (
                    len(set(symbols)) < len(symbols),
                    symbols[:3] == ["A", "B", "C"],
                    "4" in "".join(symbols),
                )
                if marker is None and (has_parts or (is_form and repeats) or alphabet or octaves):
                    continue
            line = re.sub(r"\|(?: \|)+", "|", " ".join(run))
            if "|:" in line or ":|" in line:
                try:
                    line = unfolded(line)
                except InputError:  # left open
                    line = line.replace("|:", "|").replace(":|", "|")
            yield line.strip("| "), unknown


def _read_chords(text):
    """Return (chord line or None, notes) of a text."""
    (line, unknown), *others = [*islice(_chord_lines(text), 2)] or [(None, [])]
    if line is None and re.search(r"\bchords? ?[:=] ?(?!none|no\b)\S", text, re.IGNORECASE):
        return None, ["the chords in the prompt are not understood; write them as in 'chords: C G Am F'"]
    notes = [
        f"{quoted(word)} in the prompt is no chord known here, {near[0] + ' is played' if near else 'left out'}"
        for word, *near in dict.fromkeys(unknown)
    ]
    return line, notes + [_left_out(other, quoted(line)) for other, _ in others if other != line]


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
    text = _in_lines(ascii_accidentals(prompt[:20000]))
    own_meter = _read_meter(text)
    tempo, notes = _read_tempo(text, meter or own_meter)
    word = None
    if tempo is None:
        for sentence in re.split(r"[.!?\n]", text):
            match = _TEMPO_WORD.search(sentence)
            # "grave" is an English word as well
            if match and (match[1].lower() != "grave" or _TEMPO_CONTEXT.search(sentence)):
                word, tempo, notes = match[1], word_tempo(match[1]), []
                break
    chords, unread = _read_chords(text)
    own_key, on_key = _read_key(text, (_KEY_MARKED, _KEY_BARE) if chords else (_KEY_MARKED, _KEY_BARE, _KEY_SHORT))
    notes += [("key", note) for note in on_key]
    for match in _METER.finditer(text):
        if Meter(*map(int, match.groups())) != own_meter and not _denied(text, match):
            notes.append(("meter", _left_out(match[0], str(own_meter))))
    if chords is None and (match := _DEGREES.search(text)):
        romans = _ROMANS[(key or own_key or Key("C")).mode]
        chords, unread = " ".join(romans[int(digit) - 1] for digit in re.findall(r"\d", match[1])), []
    notes += [("chords", note) for note in unread]
    return Stated(tempo, own_key, own_meter, chords, _read_dynamics(text), None, word, tuple(dict.fromkeys(notes)))


def _in_lines(text):
    """Return the text with single blanks and line ends; a line of chords alone continues one of chords or with "chords" in it."""
    lines, goes_on = [], False
    for line in filter(None, (" ".join(line.split()) for line in text.splitlines())):
        words = _WORDS.findall(line)
        is_chords = any(map(_symbols, words)) and all("|" in w or w == "%" or w in _PASSED or _symbols(w) for w in words)
        if goes_on and is_chords:
            lines[-1].append(line)
        else:
            lines.append([line])
            goes_on = is_chords or _CHORD_WORD.search(line)
    text = "\n".join(" ".join(parts) for parts in lines)
    return _NAMED_CHORDS.sub(lambda match: _NAMED_CHORD.sub(_short_name, match[0]), text)


def _short_name(match):
    root, accidental, mode, seventh = match.groups("")
    kind = {"major": "maj7" if seventh else "", "minor": "m" + seventh}[mode.lower()]
    return root + {"s": "#", "f": "b", "": ""}[accidental[1:2].lower()] + kind


def _read_tempo(text, meter):
    """Return (bpm or None, notes), the notes as `Stated` has them."""
    found, bpm, notes, read_to = [match for pattern in (_TEMPO, _METRONOME) for match in pattern.finditer(text)], None, [], 0
    for match in sorted(found, key=lambda match: match.start()):
        if match.start() < read_to:  # "half note = 60 bpm" is one tempo
            continue
        read_to = match.end()
        if match.re is _METRONOME:
            quarters = _QUARTERS[(match[3] or "quarter").lower()] * (1.5 if match[1] or match[2] else 1)
            value = float(match[4]) * quarters * (meter.unit if meter else 4) / 4
        else:
            low, high = (float(n) if n else None for n in (match.group(1, 2) if match[1] else match.group(3, 4)))
            value = low if match[3] else high or low  # of "Studio 54 - 118 bpm" the number before bpm
            if high and low < high <= 1.34 * low:
                value = (low + high) / 2  # of a range its middle
        if re.search(r"\bnot (?:at )?$", text[max(match.start() - 9, 0) : match.start()], re.IGNORECASE):
            continue
        if bpm is None and MIN_BPM <= value <= MAX_BPM:
            bpm, notes = value, []
        elif bpm is None:
            outside = f"is {value:g} beats a minute, outside {MIN_BPM}-{MAX_BPM}, and not taken"
            notes = [("tempo", f"{quoted(match[0])} in the prompt {outside}")]
        elif abs(value - bpm) > 0.015 * bpm and not _denied(text, match):
            notes.append(("tempo", _left_out(match[0], f"{bpm:g} bpm")))
    return bpm, notes


def _denied(text, match):
    """Return whether "not", perhaps with two words after it, comes before a match."""
    return re.search(r"\bnot (?:\w+ ){0,2}$", text[max(match.start() - 30, 0) : match.start()], re.IGNORECASE)


def _left_out(said, played):
    return f"{quoted(said)} in the prompt is left out; {played} is played"


def _read_key(text, patterns):
    """Return (key or None, notes): the first that a pattern finds, those of earlier patterns first."""
    key, notes = None, []
    for match in (match for pattern in patterns for match in pattern.finditer(text)):
        said, found = text[match.start("tonic") : match.end()], Key.parse(f"{match['tonic']} {match['mode'] or 'major'}")
        if key is None:
            key = found
            if re.fullmatch(MODES, match["mode"] or "", re.IGNORECASE):
                notes.append(f"{said} in the prompt is played as {key}")
        elif not found.same_as(key) and not _denied(text, match):
            notes.append(_left_out(said, str(key)))
    return key, notes


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
