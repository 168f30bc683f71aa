"""Rules over a prompt's tokens: what it states of tempo, meter and duration."""

import re

from musicbench import InputError
from musicbench.reading import left_out
from musicbench.theory import BETWEEN_TEMPO_WORDS, MAX_BPM, MIN_BPM, TEMPO_WORDS, Meter, quoted, read_meter, word_tempo

# ---------------------------------------------------------------------------------------------------- tempo

_ABOUT = set("is of at around about approximately approx circa ca c roughly near between from set to range marking =".split())
_TEMPO_NAMES = {"tempo", "bpm", "bpms", "pace", "speed"}
_NOTE_VALUES = {"half": 2, "minim": 2, "quarter": 1, "crotchet": 1, "eighth": 0.5, "quaver": 0.5}
_TEMPO_WORDS = {word.lower() for word in (*TEMPO_WORDS, *BETWEEN_TEMPO_WORDS)}
_CHANGES = re.compile(
    r"\b(?:speed\w* up|accelerat\w*|slow\w* down|ritard\w*|rallent\w*|gradual\w*|get\w* (?:faster|slower)|builds?|ris(?:es|ing)|increas\w*)\b",
    re.I,
)
# Music whose makers say "techno 128".
_COUNTED_GENRES = set(
    """
    techno house trance dnb d&b dubstep trap drill garage jungle hardstyle hardcore edm electro breakbeat phonk disco beat
    groove grime reggaeton amapiano ambient hop hiphop lofi lo-fi downtempo bass step psytrance footwork juke gabber rave club
    dance pop rock metal punk funk soul r&b jazz swing bossa samba salsa loop track song moombahton dembow afrobeat afrobeats
    synthwave eurodance nightcore dub ska reggae riddim bounce
    """.split()
)


def read_tempo(reading, meter):
    """Return (bpm or None, tempo word or None) that the text states; notes on what is left out."""
    bpm, refused = None, []
    for first, end, low, high in _tempi(reading, meter):
        said = reading.words(first, end)
        reading.use(first, end)
        if reading.word(first - 1) == "not" or (reading.word(first - 1) == "at" and reading.word(first - 2) == "not"):
            continue
        value = (low + high) / 2
        if not MIN_BPM <= value <= MAX_BPM:
            refused.append(f"{quoted(said)} in the prompt is {value:g} beats a minute, outside {MIN_BPM}-{MAX_BPM}, and not taken")
        elif bpm is None:
            bpm = value
            _note_range(reading, first, said, low, high)
        elif abs(value - bpm) > 0.015 * bpm and not reading.is_denied(first):
            reading.note("tempo", left_out(said, f"{bpm:g} bpm"))
    if bpm is None and refused:
        reading.note("tempo", refused[-1])
    word = _tempo_word(reading)
    if bpm is None and word:
        return word_tempo(word), word
    return bpm, None


def _note_range(reading, first, said, low, high):
    """Note a range that is wide, or said to be a change of tempo."""
    if low < high and reading.says(first, _CHANGES):
        reading.note(
            "tempo",
            f"the tempo cannot change within a clip: of {quoted(said)} in the prompt the middle, {(low + high) / 2:g} bpm, is played",
        )
    elif high > 1.34 * low:
        reading.note("tempo", f"{quoted(said)} in the prompt is a wide range; its middle, {(low + high) / 2:g} bpm, is played")


def _tempi(reading, meter):
    """Yield (first, end, lowest bpm, highest bpm) of each tempo that is stated in numbers."""
    i = 0
    while i < len(reading.tokens):
        found = _note_tempo(reading, i, meter) or _named_tempo(reading, i) or _unit_tempo(reading, i) or _bare_tempo(reading, i)
        if found:
            yield found
        i = found[1] if found else i + 1


def _unit_tempo(reading, i):
    """Read "120 bpm", "95-100 bpm", "between 90 and 100 bpm" whose last part is at `i` or begins there."""
    kind = reading.kind(i)
    if kind == "TEMPO":
        return (i, i + 1, *reading.value(i))
    if kind == "NUMBER" and reading.kind(i + 2) == "TEMPO":
        low, (high, _) = reading.value(i), reading.value(i + 2)
        joins = reading.word(i + 1) in ("to", "and") or reading.value(i + 1) == "joined"
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
        reading.word(j) in _ABOUT | _TEMPO_WORDS
        or reading.kind(j) == "LEFT"
        or reading.kind(j) == "STOP"
        and reading.tokens[j].text in ":="
        or reading.tokens[j : j + 1]
        and reading.tokens[j].text in "~=-"
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
        if low < high <= MAX_BPM:
            return (i, j + 3, low, high)
    end = j + 2 if reading.word(j + 1) in ("bpm", "bpms") else j + 1
    return (i, end, low, low)


def _note_tempo(reading, i, meter):
    """Read "♩ = 72", "dotted quarter = 60", "quarter note equals 72"; in beats of the meter."""
    start, dotted = i, 1.0
    if reading.word(i) == "dotted":
        dotted, i = 1.5, i + (2 if reading.value(i + 1) == "joined" else 1)
    if reading.kind(i) == "NOTE":
        quarters = reading.value(i)
    elif reading.word(i) in _NOTE_VALUES:
        quarters = _NOTE_VALUES[reading.word(i)]
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
    bpm = value * quarters * dotted * (meter.unit if meter else 4) / 4
    return (start, j + 1, bpm, bpm)


def _bare_tempo(reading, i):
    """Read "at 140", "@ 122", "techno 128" and the 174 of "DnB, 174": a number that stands where makers of music write a tempo."""
    if reading.kind(i) not in ("NUMBER", "RANGE"):
        return None
    low, high = reading.value(i) if reading.kind(i) == "RANGE" else (reading.value(i),) * 2
    before, text = reading.word(i - 1), reading.tokens[i].text
    follows = (
        reading.ends(i + 1)
        or reading.kind(i + 1) in ("CHORD", "ROMAN", "LEFT")
        or reading.word(i + 1) in ("with", "in", "and", "or", "for", "over", "key", "feel", "groove")
    )
    if not (40 <= low <= high <= 250) or not follows or reading.value(i + 1) == "joined" or reading.value(i - 1) == "joined":
        return None
    is_marked = (
        before in ("at", "around", "about", "@", "ca", "circa")
        or text[0] in "@~"
        or (i and reading.tokens[i - 1].text in ("@", "~"))
    )
    is_own_part = (
        reading.ends(i - 1)
        and reading.ends(i + 1)
        and low >= 50
        and low == int(low)
        and reading.tokens[i - 1 : i]
        and reading.tokens[i - 1].text == ","
    )
    if is_marked or is_own_part or (before in _COUNTED_GENRES and low >= 55):
        return (i, i + 1, low, high)
    return None


_OF_TEMPO = re.compile(r"\b(tempo|pace|played|moves|marking)\b", re.I)


def _tempo_word(reading):
    """Return the first tempo word, which "grave" is only where the sentence speaks of tempo, and use all."""
    found = None
    for i, token in enumerate(reading.tokens):
        if reading.word(i) not in _TEMPO_WORDS:
            continue
        if token.value == "grave" and not reading.says(i, _OF_TEMPO):
            continue
        reading.used.add(i)
        found = found or token.text
    return found


# ---------------------------------------------------------------------------------------------------- meter

_COUNT_WORDS = {
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "nine": 9,
    "eleven": 11,
    "twelve": 12,
    "fifteen": 15,
}
_UNIT_WORDS = {"four": 4, "quarter": 4, "eight": 8, "eighth": 8, "eighths": 8, "sixteen": 16, "two": 2}
_BEATS_A_BAR = re.compile(
    r"\b([2-7]) beats (?:in|to|per|a) (?:a |the |each )?bar|\bbar has ([2-7]) beats|\bdownbeat comes every ([2-7])\b"
    r"|\bbeat (?:is|counts to) ([2-7])\b",
    re.IGNORECASE,
)


def read_meter_stated(reading):
    """Return the meter that the text states, or None; notes on others and on what cannot be counted as it is written."""
    meter = None
    for first, end, text in _meters(reading):
        reading.use(first, end)
        if reading.is_denied(first):
            continue
        try:
            found, note = read_meter(text)
        except InputError as error:
            reading.note("meter", f"{error}; the prompt's meter is not taken")
            continue
        if meter is None:
            meter = found
            if note:
                reading.note("meter", note)
        elif found != meter:
            reading.note("meter", left_out(reading.words(first, end), str(meter)))
    if meter is None and (match := _BEATS_A_BAR.search(reading.text)):
        beats = int(next(g for g in match.groups() if g))
        return Meter(beats, 8 if beats == 6 else 4)
    return meter


def _meters(reading):
    """Yield (first, end, "beats/unit") of each meter in figures or words."""
    for i in range(len(reading.tokens)):
        if reading.kind(i) == "FRACTION":
            beats, unit = reading.value(i)
            if beats > 1 and unit in (2, 4, 8, 16) and reading.word(i + 1) not in ("of", "note", "notes", "inch"):
                yield i, i + 1, f"{beats}/{unit}"
        elif (
            reading.word(i) in ("common", "cut")
            and reading.word(i + 1) == "time"
            and (reading.word(i - 1) in ("in", "") or reading.ends(i - 1))
        ):
            yield i, i + 2, "4/4" if reading.word(i) == "common" else "2/2"
        elif (
            reading.kind(i) == reading.kind(i + 2) == "NUMBER"
            and reading.kind(i + 1) == "HOLD"
            and reading.value(i + 2) in (2, 4, 8, 16)
        ):
            yield i, i + 3, f"{reading.value(i):g}/{reading.value(i + 2):g}"
        elif (
            reading.kind(i) == "RANGE"
            and reading.value(i)[1] in (2, 4, 8, 16)
            and reading.word(i + 1) in ("time", "meter", "metre")
        ):
            yield i, i + 2, "{:g}/{:g}".format(*reading.value(i))
        elif (
            reading.value(i) in (3, 5, 7)
            and reading.kind(i) == "NUMBER"
            and reading.word(i - 1) == "in"
            and (reading.ends(i + 1) or reading.word(i + 1) == "time")
        ):
            yield i, i + 1, f"{reading.value(i):g}/{8 if reading.value(i) == 7 else 4}"
        elif reading.word(i) == "alla" and reading.word(i + 1) == "breve":
            yield i, i + 2, "2/2"
        else:
            found = _spoken_meter(reading, i)
            if found:
                yield found


def _spoken_meter(reading, i):
    """Read "three-four time", "twelve-eight", "in six eight", "in five"."""
    if reading.word(i) not in _COUNT_WORDS or reading.value(i - 1) == "joined":
        return None
    j = i + 2 if reading.value(i + 1) == "joined" else i + 1
    beats, unit = _COUNT_WORDS[reading.word(i)], _UNIT_WORDS.get(reading.word(j))
    end = j + 1
    if reading.value(end) == "joined":
        end += 1
    is_time = reading.word(end) in ("time", "meter", "metre", "feel", "groove", "signature")
    hyphened = reading.value(i + 1) == "joined" and reading.value(j + 1) != "joined"
    if unit and (
        is_time
        and not (reading.value(j + 1) == "joined" and hyphened)
        or hyphened
        and beats > 4
        or reading.word(i - 1) == "in"
        and reading.ends(j + 1)
    ):
        if reading.value(i - 1) == "joined" or (reading.value(j + 1) == "joined" and reading.value(i + 1) != "joined"):
            return None  # "two four-time winners"
        return i, end + is_time, f"{beats}/{unit}"
    if (
        reading.word(i - 1) == "in"
        and beats in (3, 5, 7)
        and (reading.ends(i + 1) or reading.word(i + 1) == "time")
        and reading.value(i + 1) != "joined"
    ):
        return i, i + 1, f"{beats}/{8 if beats == 7 else 4}"
    return None


# ---------------------------------------------------------------------------------------------------- duration

_NOT_THE_WHOLE = set(
    """
    intro outro fade fades fadeout fadein fading build buildup break breakdown drop solo delay reverb tail gap pause silence in
    into mark later apart ago before after riser ending section blues phrase phrases form swell attack release decay cycle
    turnaround verse chorus bridge each hook chords chord per
    """.split()
)
_POINTS = set("at after until till from first last every each within over to by next around second than per through".split())
_DYNAMIC = re.compile(r"\b(?:de)?crescendo|diminuendo|\b(?:volume|loudness|level|louder|softer|quieter)\b", re.I)


def read_duration_stated(reading):
    """Return how long the text says the music is: seconds, text such as "8 bars", or None."""
    duration = None
    for i in range(len(reading.tokens)):
        found = _duration_at(reading, i)
        if not found or i in reading.used:
            continue
        end, value = found
        if _is_a_part(reading, i, end, value):
            continue
        reading.use(i, end)
        if duration is None:
            duration = value
        elif value != duration:
            played = f"{duration:g} s" if isinstance(duration, float) else duration
            reading.note("duration", left_out(reading.words(i, end), played))
    return duration


_CHORD_KINDS = {"CHORD", "ROMAN"}
_DECADES = {50, 60, 70, 80, 90}


def _duration_at(reading, i):
    """Return (end, seconds or "8 bars") of a length of time at `i`, None where there is none."""
    if reading.kind(i) == "CLOCK":
        return i + (2 if reading.word(i + 1) in ("min", "mins", "minutes", "long") else 1), float(reading.value(i))
    if reading.word(i) == "half" and reading.kind(i + 1) == "QUANTITY" and reading.value(i + 1) == (1, "min"):  # "half a minute"
        return i + 2, 30.0
    if reading.kind(i) != "QUANTITY":
        return None
    count, unit = reading.value(i)
    if unit == "bars" and count >= 1 and count == int(count):
        return i + 1, f"{int(count)} bars"
    if unit == "s":
        is_glued = re.fullmatch(r"\d+s", reading.tokens[i].text)
        is_named = reading.word(i - 1) in ("for", "duration", "length", "lasting") or reading.word(i + 1) == "long"
        is_other = is_glued and not is_named and (count in _DECADES or count > 600)  # 80s pop, 808s
        return None if is_other or count < 1 else (i + 1, float(count))
    if unit != "min":
        return None
    if reading.kind(i + 1) == "QUANTITY" and reading.value(i + 1)[1] == "s":
        return i + 2, 60.0 * count + reading.value(i + 1)[0]
    if [reading.word(j) for j in (i + 1, i + 2, i + 3)] == ["and", "a", "half"]:
        return i + 4, 60.0 * count + 30
    return i + 1, 60.0 * count


def _is_a_part(reading, i, end, value):
    """Return whether a length of time is that of a part, or a point in time, and not that of the whole."""
    begin, _ = reading.sentence(i)
    before = {reading.word(j) for j in (i - 1, i - 2) if j >= begin and not reading.ends(j)}
    if before & _POINTS or reading.says(i, _DYNAMIC):
        return True
    if (
        reading.kind(i - 1) in _CHORD_KINDS
        or (reading.word(i - 1) == "for" or reading.kind(i - 1) == "LEFT")
        and reading.kind(i - 2) in _CHORD_KINDS
    ):
        return True  # C (2 bars), Am for 2 bars
    after = end + 1 if reading.value(end) == "joined" else end
    of_what = reading.word(after + 1) if reading.word(after) == "of" else reading.word(after)
    if of_what in _NOT_THE_WHOLE or (reading.word(after) == "of" and reading.kind(after + 1) in _CHORD_KINDS):
        return True
    if isinstance(value, str):
        stands_alone = reading.ends(i - 1) and reading.ends(end)
        is_length = reading.word(after) in ("of", "loop", "long", "clip", "piece", "total", "track") or before & {
            "for",
            "duration",
            "length",
            "lasting",
            "lasts",
            "of",
            "is",
        }
        return not (stands_alone or is_length)
    return False
