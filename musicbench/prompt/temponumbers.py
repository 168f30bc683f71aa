"""Tempi that a prompt states in numbers: "120 bpm", "tempo: 90-100", "quarter = 72", "techno 128"."""

import re

from musicbench.music.stylewords import GENRE_WORDS
from musicbench.music.tempo import BETWEEN_TEMPO_WORDS, MAX_BPM, MIN_BPM, TEMPO_WORDS

_ABOUT = set("is of at around about approximately approx circa ca c roughly near between from set to range marking =".split())
_TEMPO_NAMES = {"tempo", "bpm", "bpms", "pace", "speed", "metronome", "mm", "m.m", "pulse"}
_CHANGING = set(
    "rises rising climbs increases increasing drops falls decreases goes up down doubles doubling halves changes changing".split()
)
NOTE_VALUES = {"half": 2, "minim": 2, "quarter": 1, "crotchet": 1, "eighth": 0.5, "quaver": 0.5}
ALL_TEMPO_WORDS = {word.lower() for word in (*TEMPO_WORDS, *BETWEEN_TEMPO_WORDS)}
_BOUNDS = {"than", "over", "above", "below", "under", "beyond"}


def is_bound(reading, first):
    """Return whether a tempo is a bound, "no faster than 80 bpm", "not over 100": the bound itself is played."""
    word = reading.word(first - 1)
    return word in _BOUNDS and (
        word != "than" or reading.word(first - 2) in ("faster", "slower", "quicker", "more", "less", "higher", "lower")
    )


def tempi_in_numbers(reading, meter):
    """Yield (first, end, lowest bpm, highest bpm) of each tempo that is stated in numbers."""
    i = 0
    while i < len(reading.tokens):
        if i in reading.used:
            i += 1
            continue
        found = (
            _note_tempo(reading, i, meter)
            or _changing_tempo(reading, i)
            or _named_tempo(reading, i)
            or _unit_tempo(reading, i)
            or _bare_tempo(reading, i)
        )
        if found:
            yield found
        i = found[1] if found else i + 1


def _changing_tempo(reading, i):
    """Read each number of "100 then 140 bpm" and of "120 bpm then 90": the one beside a tempo is a tempo, too."""
    if reading.kind(i) != "NUMBER" or not MIN_BPM <= reading.value(i) <= MAX_BPM:
        return None
    behind, before = _past_then(reading, i + 1, 1), _past_then(reading, i - 1, -1)
    if reading.kind(behind) == "NUMBER" and (last := _past_then(reading, behind + 1, 1)) > 0:  # "90 then 120 then 150 bpm"
        behind = last
    is_first = reading.kind(behind) == "TEMPO" or (reading.kind(behind) == "NUMBER" and reading.word(i - 1) in _BEFORE_TEMPO)
    is_second = reading.kind(before) == "TEMPO" or (reading.kind(before) == "NUMBER" and before in reading.used)
    return (i, i + 1, *[reading.value(i)] * 2) if is_first or is_second else None


def _past_then(reading, i, step):
    """Return the place past "then" and the words and commas around it, -1 where there is no "then"."""
    passed = set()
    while reading.word(i) in ("and", "then", "at", "to") or (reading.kind(i) == "GAP" and reading.tokens[i].text == ","):
        passed.add(reading.word(i))
        i += step
    return i if "then" in passed else -1


def _unit_tempo(reading, i):
    """Read "120 bpm", "95-100 bpm", "between 90 and 100 bpm", "low 120s" whose last part is at `i` or begins there."""
    kind = reading.kind(i)
    if (
        kind == "FRACTION" and reading.word(i + 1) in ("bpm", "bpms") and reading.value(i)[1] * 2 == reading.value(i)[0]
    ):  # "140/70 bpm"
        return (i, i + 2, reading.value(i)[0], reading.value(i)[0])
    place = {"low": 2, "mid": 5, "high": 8, "upper": 8}.get(reading.word(i))
    tens = i + 2 if reading.value(i + 1) == "joined" else i + 1
    if place and reading.kind(tens) == "QUANTITY" and re.fullmatch(r"\d{2,3}s", reading.tokens[tens].text):
        low = reading.value(tens)[0] + place
        is_tempo = reading.word(tens + 1) in ("bpm", "tempo")
        if low >= 100 or reading.word(i) != "mid" or is_tempo:  # "mid-80s" is a decade
            return (i, tens + 1 + is_tempo, low, low)
    if kind == "TEMPO":
        return (i, i + 1, *reading.value(i))
    if (
        kind == "NUMBER"
        and reading.tokens[i + 1 : i + 2]
        and reading.tokens[i + 1].text == "/"
        and reading.word(i + 2) in ("min", "minute")
    ):
        return (i, i + 3, reading.value(i), reading.value(i))  # "60/min"
    about = i + 2 + (reading.value(i + 1) == "joined")
    if kind == "NUMBER" and reading.word(about - 1) in ("something", "odd") and reading.word(about) == "bpm":  # "80-something bpm"
        return (i, about + 1, reading.value(i) + 5, reading.value(i) + 5)
    if kind == "NUMBER" and reading.kind(i + 2) == "TEMPO":
        low, (high, _) = reading.value(i), reading.value(i + 2)
        joins = reading.word(i + 1) in ("to", "and", "or") or reading.value(i + 1) == "joined"
        spaced = reading.kind(i + 1) == "GAP" and reading.tokens[i + 1].text in "-~" and low < high <= 1.34 * low
        if low < high and low >= MIN_BPM and (joins or spaced):
            return (i, i + 3, low, high)
    return None


def _named_tempo(reading, i):
    """Read "tempo: ~120", "BPM (120)", "Tempo: Allegro (132)", "tempo between 90 and 100"."""
    if reading.word(i) not in _TEMPO_NAMES:
        return None
    j = i + 1
    while j < i + 7 and (
        reading.word(j) in _ABOUT | ALL_TEMPO_WORDS | _CHANGING
        or reading.kind(j) == "LEFT"
        or reading.kind(j) == "STOP"
        and reading.tokens[j].text in (":=." if reading.word(i) == "m.m" else ":=")
        or reading.tokens[j : j + 1]
        and reading.tokens[j].text in '~=-"'
    ):
        j += 1
    tempo = reading.kind(j) == "TEMPO"
    if tempo or reading.kind(j) == "RANGE":
        return (i, j + 1, *reading.value(j))
    if reading.kind(j) != "NUMBER" or reading.value(j) < 10:
        return None
    low = reading.value(j)
    if reading.word(j + 1) in ("to", "and") and reading.kind(j + 2) in ("NUMBER", "TEMPO"):
        high = reading.value(j + 2) if reading.kind(j + 2) == "NUMBER" else reading.value(j + 2)[0]
        if low != high and max(low, high) <= MAX_BPM and min(low, high) >= MIN_BPM:
            return (i, j + 3, min(low, high), max(low, high))
    end = j + 2 if reading.word(j + 1) in ("bpm", "bpms") else j + 1
    return (i, end, low, low)


def _note_tempo(reading, i, meter):
    """Read "♩ = 72", "dotted quarter = 60", "quarter note equals 72"; in beats of the meter."""
    start, dotted = i, 1.0
    behind = _number_of_notes(reading, i)
    if behind:
        end, quarters = behind
        bpm = reading.value(i) * quarters / _counted_quarters(reading, meter)
        return (i, end, bpm, bpm)
    if reading.word(i) == "dotted":
        dotted, i = 1.5, i + (2 if reading.value(i + 1) == "joined" else 1)
    if reading.kind(i) == "NOTE":
        quarters = reading.value(i)
    elif reading.word(i) in NOTE_VALUES:
        quarters = NOTE_VALUES[reading.word(i)]
    else:
        return None
    j = i + 1
    if reading.value(j) == "joined":
        j += 1
    if reading.word(j) in ("note", "notes"):
        j += 1
    if reading.kind(j) == "STOP" and reading.tokens[j].text == "." and reading.kind(i) == "NOTE":  # ♩. with a blank after it
        dotted, j = 1.5, j + 1
    signs = 0
    while reading.word(j) in ("equals", "at", "is", "about", "around") or (
        j < len(reading.tokens) and reading.tokens[j].text in ("=", ":", "~", "≈")
    ):
        signs, j = signs + 1, j + 1
    if not signs or reading.kind(j) not in ("NUMBER", "TEMPO"):
        return None
    value = reading.value(j) if reading.kind(j) == "NUMBER" else reading.value(j)[0]
    bpm = value * quarters * dotted / _counted_quarters(reading, meter)
    return (start, j + 1, bpm, bpm)


def _counted_quarters(reading, meter):
    """Return how many quarters a counted beat has."""
    return 1.5 if reading.is_compound else 4 / (meter.unit if meter else 4)


def _number_of_notes(reading, i):
    """Return (end, quarters of the note value) of "116 dotted quarters", "116 dotted quarter notes a minute"; None where there is none."""
    if reading.kind(i) != "NUMBER" or reading.value(i) < 20:
        return None
    j = i + 2 if reading.word(i + 1) == "dotted" else i + 1
    j += reading.value(j) == "joined"
    quarters = NOTE_VALUES.get(reading.word(j).removesuffix("s"))
    end = j + 2 if reading.word(j + 1) in ("note", "notes") else j + 1
    is_a_minute = reading.value(end) == (1, "min") or (reading.word(end) == "per" and reading.word(end + 1) in ("minute", "min"))
    if quarters is None or not (j > i + 1 or is_a_minute):
        return None
    end += 0 if not is_a_minute else 2 if reading.word(end) == "per" else 1
    return end, quarters * (1.5 if j > i + 1 else 1)


def _bare_tempo(reading, i):
    """Read "at 140", "@ 122", "techno 128" and the 174 of "DnB, 174": a number that stands where makers of music write a tempo."""
    if reading.kind(i) not in ("NUMBER", "RANGE"):
        return None
    low, high = reading.value(i) if reading.kind(i) == "RANGE" else (reading.value(i),) * 2
    if not 30 <= low <= high <= 300 or reading.value(i + 1) == "joined" or reading.value(i - 1) == "joined":
        return None
    after = i + 1 + (reading.kind(i + 1) == "RIGHT")
    before = i - 1 - (reading.kind(i - 1) == "LEFT" or reading.value(i - 1) == "=")
    if reading.word(before) in ALL_TEMPO_WORDS | _SPEEDS and (
        before < i - 1 or _is_free(reading, after)
    ):  # "Allegro (144)", "slow 60"
        return (before, after, low, high)
    if reading.kind(i - 1) == "LEFT" and not (reading.kind(i + 1) == "RIGHT" and low >= 60):
        return None
    text, is_whole = reading.tokens[i].text, low == int(low)
    is_marked = (
        reading.word(i - 1) in _BEFORE_TEMPO
        or (is_bound(reading, i) and reading.word(i - 1) != "than" and reading.word(i - 2) in ("not", "no", "never", "nothing"))
        or text[0] in "@~"
        or (i and reading.tokens[i - 1].text in ("@", "~"))
    )
    end = next(
        (i + 1 + len(words) for words in _AFTER_TEMPO if [reading.word(i + 1 + j) for j in range(len(words))] == words), i + 1
    )
    if (is_marked or end > i + 1) and low >= 40 and high <= 250 and _is_free(reading, end):
        return (i, end, low, high)
    if not (is_whole and low >= 55 and high <= 300):
        return None
    is_own_part = reading.ends(i - 1) and reading.ends(i + 1) and i > 0 and reading.tokens[i - 1].text in (",", ";")
    begins = (i == 0 or reading.ends(i - 1)) and (
        reading.word(i + 1) in GENRE_WORDS
        or reading.kind(i + 1) == "CHORD"
        or (i == 0 and reading.kind(1) == "GAP" and reading.ends(1))
    )
    follows = reading.word(i - 1) in GENRE_WORDS | _PLAYERS or (reading.kind(i - 1) == "CHORD" and _is_free(reading, i + 1))
    if is_own_part or begins or (follows and reading.word(i + 1) not in COUNTED_THINGS):
        return (i, i + 1, low, high)
    return None


_BEFORE_TEMPO = set("at around about @ ca circa use like say maybe roughly near nearly approximately approx".split())
_AFTER_TEMPO = [["or", "so"], ["give", "or", "take"], ["or", "thereabouts"], ["ish"], ["plus", "or", "minus"]]
_PLAYERS = {"piano", "guitar", "sax", "saxophone", "bass", "hats", "strings", "organ", "synth", "violin", "trumpet"}
_SPEEDS = {"fast", "slow", "quick", "slowly", "moderate"}
COUNTED_THINGS = set(
    "keys key bit bits hz khz years year days times tracks songs people voices instruments strings percent degrees miles km".split()
)


def _is_free(reading, i):
    """Return whether nothing that is counted follows a number: its phrase ends, or goes on with other things."""
    words = GENRE_WORDS | {"with", "in", "and", "or", "for", "over", "key", "feel", "groove", "using", "featuring"}
    return reading.ends(i) or reading.kind(i) in ("CHORD", "ROMAN", "LEFT", "FRACTION") or reading.word(i) in words
