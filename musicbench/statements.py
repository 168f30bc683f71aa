"""Rules over tokens: what a prompt states of chords, tempo, key, meter and duration.

Each rule takes a `Reading` and marks the tokens that it used. What is musical and was not used is named in a note.
"""

import re
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise

from musicbench import InputError
from musicbench.progression import SECTIONS, unfolded
from musicbench.theory import (
    BETWEEN_TEMPO_WORDS,
    MAX_BPM,
    MIN_BPM,
    MODES,
    TEMPO_WORDS,
    Key,
    Meter,
    nearest_symbol,
    quoted,
    read_meter,
    word_tempo,
)
from musicbench.tokens import LIKE_A_CHORD, symbol_of, tokens_of


@dataclass
class Reading:
    """A text's tokens, which of them a rule has used, and the notes: (name of the control, what is played otherwise and why)."""

    text: str
    tokens: list
    used: set = field(default_factory=set)
    notes: dict = field(default_factory=dict)  # keys only: in order, each once
    searched: dict = field(default_factory=dict)

    @classmethod
    def of(cls, text):
        """Read the tokens of a text that is `normalised`."""
        return cls(text, tokens_of(text))

    @cached_property
    def _sentences(self):
        """(first, end) of the sentence of each token, of one more for the end of the text."""
        bounds, first = [], 0
        for i in range(len(self.tokens) + 1):
            if i == len(self.tokens) or self._is_stop(i):
                bounds += [(first, i)] * (i + 1 - first)
                first = i + 1
        return bounds

    def use(self, first, end):
        self.used.update(range(first, end))

    def note(self, name, text):
        self.notes[name, text] = True

    def words(self, first, end):
        """Return the text from one token to before another."""
        return self.text[self.tokens[first].start : self.tokens[end - 1].end]

    def kind(self, i):
        return self.tokens[i].kind if 0 <= i < len(self.tokens) else "END"

    def value(self, i):
        """Return a token's value, a word in small letters; None outside the text."""
        return self.tokens[i].value if 0 <= i < len(self.tokens) else None

    def word(self, i):
        """Return a word in small letters, "" for what is no word."""
        return self.tokens[i].value if self.kind(i) == "WORD" else ""

    def ends(self, i):
        """Return whether a phrase ends before token `i`."""
        if self.kind(i) == "GAP" and self.tokens[i].text not in ',;"':
            return i == 0 or self.tokens[i - 1].end < self.tokens[i].start  # D&B, B-movie
        return self.kind(i) in _PHRASE_ENDS

    def sentence(self, i):
        """Return (first, end) of the sentence around token `i`."""
        return self._sentences[i]

    def says(self, i, pattern):
        """Return whether a compiled pattern is found in the sentence around token `i`."""
        first, end = self._sentences[i]
        if (pattern, first) not in self.searched:
            self.searched[pattern, first] = bool(first < end and pattern.search(self.words(first, end)))
        return self.searched[pattern, first]

    def _is_stop(self, i):
        return self.kind(i) == "LINE" or (self.kind(i) == "STOP" and self.tokens[i].text in ".!?")

    def is_denied(self, i):
        """Return whether "not" stands before token `i`, perhaps with two words between."""
        return any(self.word(j) in ("not", "no", "without") for j in range(max(i - 3, 0), i) if not self.ends(j))


_PHRASE_ENDS = {"END", "GAP", "STOP", "LINE", "RIGHT", "BAR"}


def left_out(said, played):
    """Say that something a prompt says is not played."""
    return f"{quoted(said)} in the prompt is left out; {played} is played"


# ---------------------------------------------------------------------------------------------------- tempo

_ABOUT = {
    "is",
    "of",
    "at",
    "around",
    "about",
    "approximately",
    "approx",
    "circa",
    "ca",
    "c",
    "roughly",
    "near",
    "between",
    "from",
    "set",
    "to",
    "range",
    "marking",
    "=",
}
_TEMPO_NAMES = {"tempo", "bpm", "bpms", "pace", "speed"}
_NOTE_VALUES = {"half": 2, "minim": 2, "quarter": 1, "crotchet": 1, "eighth": 0.5, "quaver": 0.5}
_TEMPO_WORDS = {word.lower() for word in (*TEMPO_WORDS, *BETWEEN_TEMPO_WORDS)}
_CHANGES = re.compile(
    r"\b(?:speed\w* up|accelerat\w*|slow\w* down|ritard\w*|rallent\w*|gradual\w*|get\w* (?:faster|slower)|builds?|ris(?:es|ing)|increas\w*)\b",
    re.I,
)
# Music whose makers say "techno 128".
_COUNTED_GENRES = {
    "techno", "house", "trance", "dnb", "d&b", "dubstep", "trap", "drill", "garage", "jungle", "hardstyle", "hardcore", "edm", "electro", "breakbeat",
    "phonk", "disco", "beat", "groove", "grime", "reggaeton", "amapiano", "ambient", "hop", "hiphop", "lofi", "lo-fi", "downtempo", "bass", "step", "psytrance",
    "footwork", "juke", "gabber", "rave", "club", "dance", "pop", "rock", "metal", "punk", "funk", "soul", "r&b", "jazz", "swing", "bossa", "samba", "salsa",
    "loop", "track", "song", "moombahton", "dembow", "afrobeat", "afrobeats", "synthwave", "eurodance", "nightcore", "dub", "ska", "reggae", "riddim", "bounce",
}  # fmt: skip


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

_NOT_THE_WHOLE = {
    "intro", "outro", "fade", "fades", "fadeout", "fadein", "fading", "build", "buildup", "break", "breakdown", "drop", "solo", "delay", "reverb", "tail", "gap",
    "pause", "silence", "in", "into", "mark", "later", "apart", "ago", "before", "after", "riser", "ending", "section", "blues", "phrase", "phrases", "form", "swell",
    "attack", "release", "decay", "cycle", "turnaround", "verse", "chorus", "bridge", "each", "of", "hook", "chords", "chord", "per",
}  # fmt: skip
_POINTS = {
    "at",
    "after",
    "until",
    "till",
    "from",
    "first",
    "last",
    "every",
    "each",
    "within",
    "over",
    "to",
    "by",
    "next",
    "around",
    "second",
    "than",
    "per",
    "through",
}
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


def _duration_at(reading, i):
    """Return (end, seconds or "8 bars") of a length of time at `i`, None where there is none."""
    if reading.kind(i) == "CLOCK":
        return i + (2 if reading.word(i + 1) in ("min", "mins", "minutes", "long") else 1), float(reading.value(i))
    if reading.word(i) == "half" and reading.word(i + 1) in ("a", "") and reading.word(i + 2) == "minute":
        return i + 3, 30.0
    if reading.kind(i) != "QUANTITY":
        return None
    count, unit = reading.value(i)
    if unit == "bars" and count >= 1 and count == int(count):
        return i + 1, f"{int(count)} bars"
    if unit == "s":
        is_decade = (
            re.fullmatch(r"\d0s", reading.tokens[i].text)
            and reading.word(i - 1) not in ("for", "duration", "length", "lasting")
            and reading.word(i + 1) != "long"
        )
        return None if is_decade or count < 1 else (i + 1, float(count))
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
    after = end + 1 if reading.value(end) == "joined" else end
    if reading.word(after) in _NOT_THE_WHOLE and not (
        reading.word(after) == "of" and reading.word(after + 1) in ("music", "techno", "jazz", "rock", "piano")
    ):
        return True
    if isinstance(value, str):
        stands_alone = reading.ends(i - 1) and reading.ends(end)
        is_length = reading.word(after) in ("loop", "long", "clip", "piece", "total", "track") or before & {
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


# ---------------------------------------------------------------------------------------------------- key

_MODE_WORDS = {"major", "minor", "maj", "min"}
_MODE = re.compile(rf"(?:{MODES})(?!\w)", re.IGNORECASE)
_KEY_NAMES = {"key", "tonality"}
_IS = {"of", "is", "=", ":", "the", "in", "center", "centre", "tonal", "signature"}
_AFTER_A_KEY = {
    "at",
    "and",
    "with",
    "over",
    "on",
    "for",
    "in",
    "then",
    "key",
    "by",
    "using",
    "featuring",
    "that",
    "about",
    "but",
    "played",
    "time",
    "ballad",
    "jam",
    "tuning",
}
_TRANSPOSING = re.compile(
    r"\b(?:clarinets?|horns?|trumpets?|cornets?|fl[uü]gelhorns?|sax(?:ophone)?s?|tubas?|euphoniums?|harmonicas?|whistles?|recorders?|bagpipes?|ocarinas?|bugles?|flutes?)$",
    re.I,
)
_NO_KEY_AFTER = re.compile(r"\s*(?:chords?|third|seventh|7|hit|label|detail|setback|mistake|way|problem|change|role|issue)\b", re.I)
_CAMELOT = (
    ["Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#", "Db"],
    ["B", "F#", "Db", "Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E"],
)


def read_marked_keys(reading):
    """Use the tokens of keys that are called keys, or stand after "in"; return [(first, end, key, mode or None), ...]."""
    keys = []
    for i in range(len(reading.tokens)):
        found = _key_root(reading, i) if i not in reading.used else None
        if found and _is_marked_key(reading, i, *found):
            keys.append(_with_mode_around(reading, i, *found))
            reading.use(i, found[0])
    return keys


def read_other_keys(reading, chords_found):
    """Use and return the keys that stand by themselves: "A minor", "F#m, 98 bpm" (if no chords are stated), "Camelot 8A"."""
    keys = []
    for i in range(len(reading.tokens)):
        if i in reading.used:
            continue
        camelot = _camelot_key(reading, i)
        if camelot:
            keys.append((i, i + 1, camelot, None))
            reading.used.add(i)
            continue
        found = _key_root(reading, i)
        if found and (_is_spoken_key(reading, i, *found) or (not chords_found and _is_short_key(reading, i, found[0]))):
            keys.append((i, *found))
            reading.use(i, found[0])
    return keys


def first_key(reading, keys):
    """Return the first of the keys, None if there is none; notes on the others and on modes."""
    key = None
    for first, end, found, mode in keys:
        if key is None:
            key = found
            if mode:
                reading.note("key", f"{reading.words(first, end)} in the prompt is played as {key}")
        elif not found.same_as(key) and not reading.is_denied(first):
            reading.note("key", left_out(reading.words(first, end), str(key)))
    return key


def _key_root(reading, i):
    """Return (end, key, mode's name or None) of a tonic with what follows of a mode at `i`, None where there is no tonic."""
    token = reading.tokens[i]
    is_small = token.kind == "WORD" and re.fullmatch("[a-g](?:#|b)?", token.text)
    match = re.fullmatch(r"([A-G](?:#|b)?)(m|maj|min)?", token.value) if token.kind == "CHORD" else None
    if not match and not is_small:
        return None
    end, place = i + 1, token.end
    mode = re.compile(r"[- ]?(?:" + _MODE.pattern + r"|(?:major|minor)(?!\w))", re.I).match(reading.text, place)
    if mode:
        while end < len(reading.tokens) and reading.tokens[end].end <= mode.end():
            end += 1
        name = mode[0].strip("- ")
        is_plain = name.lower() in ("major", "minor")
        tonic = match[1] if match else token.text[0].upper() + token.text[1:]
        return end, Key.parse(f"{tonic} {name}"), None if is_plain else name
    if not match:
        return None
    is_minor = match[2] in ("m", "min")
    if is_minor and reading.word(end) == "pentatonic":
        return end + 1, Key(match[1], "minor"), "minor pentatonic"
    return end, Key(match[1], "minor" if is_minor else "major"), None


def _is_marked_key(reading, i, end, key, mode):
    """Return whether a tonic at `i` is a key for the words before it: "key of", "tonality is", "in"."""
    j = i - 1
    while j >= 0 and (reading.word(j) in _IS - {"in"} or (reading.kind(j) in ("STOP", "GAP") and reading.tokens[j].text in ":=-")):
        j -= 1
    says_mode = (
        mode
        or reading.tokens[i].kind != "CHORD"
        or reading.tokens[i].value != reading.tokens[i].text
        or reading.tokens[i].value[-1] == "m"
    )
    if reading.word(j) in _KEY_NAMES | {"center", "centre"} and j < i:
        return says_mode or not _goes_on(reading, end)
    if reading.word(i - 1) != "in":
        return False
    if _begins_a_list(reading, i, end):
        return False
    if says_mode:
        return not _NO_KEY_AFTER.match(reading.text, reading.tokens[end - 1].end) or reading.tokens[i].kind == "CHORD"
    if _instrument_before(reading, i):
        reading.note("key", f"{quoted(reading.words(i - 2, end))} in the prompt names an instrument; it sets no key")
        reading.use(i, end)
        return False
    after = reading.word(end)
    return reading.ends(end) or after in _AFTER_A_KEY or reading.kind(end) in ("TEMPO", "NUMBER", "FRACTION", "QUANTITY", "RANGE")


def _goes_on(reading, end):
    """Return whether chords follow directly, with nothing between."""
    return reading.kind(end) in ("CHORD", "ROMAN") and reading.kind(end + 1) in ("CHORD", "ROMAN", "GAP")


def _begins_a_list(reading, i, end):
    """Return whether "in" and a tonic begin a list of chords: "chords in C, G, Am, F"; "in C G Am F"."""
    if reading.kind(end) in ("CHORD", "ROMAN") and reading.tokens[i].value == reading.tokens[i].text:
        return True
    commas = (
        reading.kind(end) == "GAP"
        and reading.kind(end + 1) == "CHORD"
        and reading.kind(end + 2) == "GAP"
        and reading.kind(end + 3) == "CHORD"
    )
    return commas and reading.word(i - 2) in CHORD_WORDS and reading.value(end + 1) != reading.value(i)


def _instrument_before(reading, i):
    """Return whether "in" and a letter name a transposing instrument: "clarinet in A"."""
    begin, _ = reading.sentence(i)
    return i - 2 >= begin and reading.kind(i - 2) == "WORD" and bool(_TRANSPOSING.search(reading.tokens[i - 2].text))


def _with_mode_around(reading, i, end, key, mode):
    """Return (first, end, key, mode): of "minor blues in C" the key is C minor."""
    begin, stop = reading.sentence(i)
    says_mode = mode or reading.tokens[i].value != reading.tokens[i].text or end > i + 1
    others = {reading.word(j) for j in range(begin, stop) if reading.kind(j - 1) != "CHORD" and reading.value(j - 1) != "joined"}
    if not says_mode and "minor" in others and "major" not in others:
        key = replace(key, mode="minor")
    return i, end, key, mode


def _is_spoken_key(reading, i, end, key, mode):
    """Return whether "A minor", "G maj" or "a-minor" by itself is a key; "a minor" and "A major hit" are none."""
    token = reading.tokens[i]
    if token.kind == "WORD":
        if token.text == "a" and reading.value(i + 1) != "joined":
            return False
    elif token.value == token.text and not mode and end == i + 1:
        return False
    short = re.search(r"\b(?:maj|min)$", reading.words(i, end))
    if short and not (reading.ends(end) or reading.kind(end) in ("TEMPO", "NUMBER") or reading.word(end) in _AFTER_A_KEY):
        return False
    return not _NO_KEY_AFTER.match(reading.text, reading.tokens[end - 1].end)


def _is_short_key(reading, i, end):
    """Return whether a lone "F#m", or a lone "Bb" next to a tempo, is a key."""
    token = reading.tokens[i]
    near_tempo = any(
        reading.kind(j) == "TEMPO" or j in reading.used and reading.kind(j) == "NUMBER" for j in (i - 2, i - 1, end, end + 1)
    )
    alone = (reading.ends(i - 1) or reading.kind(i - 1) in ("TEMPO", "NUMBER")) and (
        reading.ends(end) or reading.kind(end) in ("TEMPO", "NUMBER") or reading.word(end) == "at"
    )
    if token.kind != "CHORD" or end != i + 1 or not alone:
        return False
    return token.value.endswith("m") or near_tempo


def _camelot_key(reading, i):
    """Return the key of a place on the Camelot wheel, "8A", where the wheel is named or a tempo stands beside it."""
    match = re.fullmatch(r"(1[0-2]|[1-9])([ab])", str(reading.value(i)).lower()) if reading.kind(i) in ("WORD", "LIKE") else None
    is_named = "camelot" in reading.text.lower() or any(
        reading.kind(j) == "TEMPO" or reading.word(j) in _KEY_NAMES for j in (i - 2, i - 1, i + 1, i + 2)
    )
    if not match or not is_named:
        return None
    wheel = _CAMELOT["ab".index(match[2])]
    return Key(wheel[int(match[1]) - 1], "minor" if match[2] == "a" else "major")


# ---------------------------------------------------------------------------------------------------- chords

CHORD_WORDS = {"chord", "chords", "progression", "progressions", "harmony", "changes", "changes:", "sequence"}
_VAMPS = {
    "vamp",
    "vamps",
    "vamping",
    "loop",
    "loops",
    "looping",
    "groove",
    "jam",
    "drone",
    "alternating",
    "alternates",
    "alternate",
    "between",
    "pedal",
    "turnaround",
    "cadence",
    "over",
    "on",
}
_IN_RUN = {"CHORD", "ROMAN", "TIMED", "BAR", "OPEN", "CLOSE", "CLOSE_OPEN", "SAME", "HOLD", "TIMES", "ENDING", "GAP"}
_SYMBOLS = {"CHORD", "ROMAN", "TIMED"}
_STRUCTURE = {"OPEN", "CLOSE", "CLOSE_OPEN", "TIMES", "ENDING", "QUANTITY", "LINE"}
_JOINS = {
    "and",
    "then",
    "to",
    "back",
    "followed",
    "by",
    "repeat",
    "repeated",
    "twice",
    "thrice",
    "each",
    "again",
    "finally",
    "resolving",
    "into",
}
_LEADS = {
    "is",
    "are",
    "goes",
    "go",
    "going",
    "follows",
    "from",
    "through",
    "of",
    "with",
    "like",
    "using",
    "uses",
    "as",
    "be",
    "progression",
    "sequence",
    "chords",
    "chord",
    "used",
    "the",
    "in",
    "order",
    "should",
    "progressions",
    "changes",
    "being",
    "song",
    "piece",
    "this",
    "music",
    "moves",
    "move",
    "it",
    "over",
    "around",
    "between",
    "on",
    "built",
    "loop",
    "include",
    "includes",
    "including",
    "here",
    "these",
    "follow",
    "following",
    "play",
    "i'd",
    "want",
    "please",
    "use",
    "harmony",
    "track",
    "my",
    "my:",
    "simple",
}
_BEFORE_LETTERS = re.compile(
    r"\b(?:notes?|scales?|melody|arpeggios?|bass(?: line)?(?: plays)?|grades?|vitamins?|strings|section|sections|tuned|tuning)[ :]+(?:(?:to|of|is|are) )?$",
    re.IGNORECASE,
)
_AFTER_LETTERS = re.compile(
    r"[ ,.]*(?:scale|melody|arpeggio|students|strings|section|sections|form|structure|tuning)\b", re.IGNORECASE
)
_WEAK = re.compile(r"[A-G](?:M|\d)?|[IiVv]|N")  # letters that are words, notes and radios, too


@dataclass
class Run:
    """Neighbouring chord symbols: the tokens from `first` to before `end`, and the places of the symbols among them."""

    first: int
    end: int
    places: list


def read_chords(reading, meter=None):
    """Return the chord line that the text states, or None. What looks like a chord and is not played is named in a note."""
    _capitalise_small_chords(reading)
    degrees = _degrees(reading)
    runs = [run for run in _runs(reading) if _is_chord_line(reading, run)]
    if not runs:
        return degrees or _none_understood(reading)
    played, others = _sections(reading, runs)
    lines = [_line_of(reading, run) for run in played]
    line = (" | " if any("|" in part for part in lines) else " ").join(lines)
    for run in runs:
        reading.use(run.first, run.end)
    for run in others:
        other = _line_of(reading, run, quiet=True)
        if other != line:
            reading.note("chords", left_out(other, quoted(line)))
    return line


def _none_understood(reading):
    if re.search(r"\bchords? ?[:=] ?(?!none|no\b)\S", reading.text, re.IGNORECASE):
        reading.note("chords", "the chords in the prompt are not understood; write them as in 'chords: C G Am F'")


def note_unused_chords(reading, line):
    """Note chord symbols that no rule has used, so that none is dropped in silence."""
    for i, token in enumerate(reading.tokens):
        if i in reading.used or token.kind not in ("CHORD", "TIMED") or _WEAK.fullmatch(token.text) or token.value == "N":
            continue
        before = reading.text[max(token.start - 40, 0) : token.start]
        if _BEFORE_LETTERS.search(before) or re.search(r"\b(?:notes?|scale|melody|arpeggio)\b", before):
            continue
        if line:
            reading.note("chords", left_out(token.text, quoted(line)))
        else:
            reading.note(
                "chords",
                f"{quoted(token.text)} in the prompt is not played as a chord; to have it played write 'chords: {token.value}'",
            )


def _capitalise_small_chords(reading):
    """Turn "chords: c g am f" into chords, with a note."""
    i = 0
    while i < len(reading.tokens):
        small = []
        if reading.word(i) in CHORD_WORDS and reading.kind(i + 1) == "STOP":
            j = i + 2
            while j < len(reading.tokens) and (reading.kind(j) == "GAP" or _small_chord(reading, j)):
                small += [j] * (reading.kind(j) != "GAP")
                j += 1
        if len(small) > 1 and reading.tokens[small[0]].text[0].islower():
            for j in small:
                reading.tokens[j] = replace(reading.tokens[j], kind="CHORD", value=_small_chord(reading, j))
            said = reading.words(small[0], small[-1] + 1)
            reading.note("chords", f"{quoted(said)} in the prompt is read as {' '.join(reading.value(j) for j in small)}")
        i += 1


def _small_chord(reading, i):
    text = reading.tokens[i].text
    upper = text[:1].upper() + text[1:]
    return (
        upper
        if reading.kind(i) in ("WORD", "ROMAN", "CHORD") and re.match("[a-gA-G]", text) and symbol_of(upper) == ("CHORD", upper)
        else None
    )


_DEGREE_WORDS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7}
_ROMANS = {"major": ("I", "ii", "iii", "IV", "V", "vi", "vii°"), "minor": ("i", "ii°", "III", "iv", "V", "VI", "VII")}


def _degrees(reading):
    """Return the degrees of "2-5-1 progression" or "two-five-one" as (first, end), None where there are none."""
    for i in range(len(reading.tokens)):
        digits, j = [], i
        while _degree(reading, j) and (not digits or reading.value(j - 1) == "joined" or reading.tokens[j - 1].text == "-"):
            digits.append(_degree(reading, j))
            j += 2
        end = j - 1
        after = reading.word(end)
        is_loop = after == "loop" and reading.word(end + 1) not in ("pedal", "station")
        if (
            len(digits) > 2
            and len(digits) < 33
            and reading.value(i - 1) != "joined"
            and (after in CHORD_WORDS | {"turnaround", "cadence"} or is_loop)
        ):
            reading.use(i, end)
            return digits
    return None


def _degree(reading, i):
    if reading.kind(i) == "NUMBER" and reading.tokens[i].text in "1234567":
        return int(reading.tokens[i].text)
    return _DEGREE_WORDS.get(reading.word(i))


def numerals_of(degrees, key):
    """Write scale degrees as Roman numerals of a key: `numerals_of([2, 5, 1], C major) == "ii V I"`."""
    return " ".join(_ROMANS[key.mode][degree - 1] for degree in degrees)


def _runs(reading):
    """Yield the Runs of a text."""
    i = 0
    while i < len(reading.tokens):
        run = _run_at(reading, i) if i not in reading.used else None
        if run:
            yield run
        i = run.end if run else i + 1


def _run_at(reading, first):
    """Return the Run that begins at a token, None where none does."""
    starts = reading.kind(first) in _SYMBOLS or reading.kind(first) in ("BAR", "OPEN") or _is_unknown(reading, first)
    if not starts and not (reading.kind(first) == "LEFT" and reading.kind(first + 1) in _SYMBOLS):
        return None
    i, places, depth, last = first, [], 0, first
    while i < len(reading.tokens) and i not in reading.used:
        kind = reading.kind(i)
        if kind in _SYMBOLS or _is_unknown(reading, i):
            places.append(i)
        elif kind == "LEFT":
            if not _is_bracket_of_chords(reading, i):
                break
            depth += 1
        elif kind == "RIGHT":
            if not depth:
                break
            depth -= 1
        elif kind == "GAP":
            if reading.value(i) == "joined" and reading.kind(i + 1) not in _SYMBOLS:
                break
        elif kind == "QUANTITY":
            if (
                reading.value(i)[1] not in ("bars", "beats")
                or reading.word(i + 1) in ("loop", "long", "of")
                or reading.kind(i - 1) not in ("CHORD", "LEFT")
            ):
                break
        elif kind == "LINE":
            if not _is_chord_only_line(reading, i + 1):
                break
        elif kind == "STOP":
            if not (
                reading.tokens[i].text == "."
                and reading.kind(i - 1) == "CHORD"
                and reading.kind(i + 1) == "CHORD"
                and reading.kind(i + 2) in ("STOP", "END", "CHORD")
                and places
            ):
                break
        elif kind not in _IN_RUN and not (kind == "WORD" and reading.word(i) in _JOINS | {"chord", "chords"} and places):
            break
        i += 1
        if kind in _SYMBOLS | {"BAR", "CLOSE", "SAME", "HOLD", "TIMES", "RIGHT", "QUANTITY", "LIKE"} or reading.word(i - 1) in (
            "twice",
            "thrice",
        ):
            last = i
    places = [place for place in places if place < last]
    return Run(first, last, places) if places else None


def _is_unknown(reading, i):
    """Return whether a token after a chord word looks like a chord and is none."""
    if reading.kind(i) != "LIKE" and not (reading.kind(i) == "WORD" and LIKE_A_CHORD.fullmatch(reading.tokens[i].text)):
        return False
    return _marker_before(reading, i) is not None


def _is_bracket_of_chords(reading, i):
    j = i + 1
    while j < len(reading.tokens) and reading.kind(j) != "RIGHT" and j < i + 80:
        is_part = (
            reading.kind(j) in _IN_RUN
            or (reading.kind(j) == "QUANTITY" and reading.value(j)[1] in ("bars", "beats"))
            or reading.word(j) in _JOINS
        )
        if not is_part:
            return False
        j += 1
    return reading.kind(j) == "RIGHT"


def _is_chord_only_line(reading, i):
    """Return whether a line of text is one of chords alone, with at least one."""
    has_symbol = False
    while i < len(reading.tokens) and reading.kind(i) != "LINE":
        if reading.kind(i) not in _IN_RUN | {"LEFT", "RIGHT"} and reading.word(i) not in _JOINS:
            return False
        has_symbol = has_symbol or reading.kind(i) in _SYMBOLS
        i += 1
    return has_symbol


def _marker_before(reading, i):
    """Return the place of the last word for chords in the sentence before token `i`, None where there is none."""
    first, _ = reading.sentence(i)
    if reading.kind(first - 1) == "LINE" and reading.kind(first - 2) == "STOP":  # "chords:" and a new line
        first = reading.sentence(first - 2)[0]
    return next((j for j in range(i - 1, max(first, i - 60) - 1, -1) if reading.word(j) in CHORD_WORDS), None)


def _leads_in(reading, marker, first):
    """Return whether only words such as "are" stand between a word for chords and the chords."""
    between = [
        j
        for j in range(marker + 1, first)
        if reading.kind(j) not in ("LEFT", "LINE", "BAR") and reading.tokens[j].text not in (":", "=", "*", "'")
    ]
    has_colon = any(reading.tokens[j].text in (":", "=") for j in range(marker + 1, first))
    if not between or (has_colon and all(reading.word(j) for j in between)):
        return True
    words = [reading.word(j) for j in between]
    return (
        all(words)
        and len(words) < 9
        and (all(word in _LEADS for word in words) or words[-1] in ("is", "are", "go", "goes", "follows", "from", "through"))
    )


def _is_chord_line(reading, run):
    """Return whether a run of symbols is meant as chords; a title, a scale, a form or a word is not. May trim the run."""
    _trim(reading, run)
    tokens = [reading.tokens[i] for i in run.places]
    marker = _marker_before(reading, run.first) if tokens else None
    leads_in = marker is not None and _leads_in(reading, marker, run.first)
    numerals = sum(token.kind == "ROMAN" for token in tokens)
    if not tokens or numerals not in (0, len(tokens)):
        return False
    if marker is not None and reading.is_denied(marker) and not leads_in:
        return False
    if numerals and not leads_in and _is_title(reading, run, tokens):
        return False
    if any(reading.kind(i) in ("BAR", "OPEN", "CLOSE") for i in range(run.first, run.end)) and len(tokens) > 1:
        return True
    return _is_asked(reading, run, tokens, marker, leads_in) and not _are_letters(reading, run, tokens, marker)


def _trim(reading, run):
    """Leave out an article or pronoun, or a numeral among letters, at the ends of a run."""
    kinds = ["CHORD" if reading.kind(i) not in _SYMBOLS else reading.kind(i) for i in run.places]
    if len(set(kinds)) > 1 and "TIMED" not in kinds:
        if kinds[0] != kinds[1] and len(set(kinds[1:])) == 1:
            run.places = run.places[1:]
            run.first = run.places[0]
        elif kinds[-1] != kinds[-2] and len(set(kinds[:-1])) == 1:
            run.places = run.places[:-1]
            run.end = run.places[-1] + 1


def _is_title(reading, run, tokens):
    """Return whether numerals number something: "Rocky III IV V", "Henry IV V"; a loop has a tonic, or small numerals."""
    before = reading.tokens[run.first - 1] if run.first else None
    follows_name = before is not None and before.kind == "WORD" and before.text[0].isupper()
    order = ("I", "II", "III", "IV", "V", "VI", "VII")
    texts = [token.text for token in tokens]
    counts_up = all(text in order for text in texts) and [order.index(t) for t in texts] == list(
        range(order.index(texts[0]), order.index(texts[0]) + len(texts))
    )
    has_tonic = any(re.fullmatch("[Ii](?![IVv]).*", text) for text in texts)
    is_large = all(text.upper() == text for text in texts)
    return (follows_name or not has_tonic) and is_large and (counts_up or not has_tonic)


def _is_asked(reading, run, tokens, marker, leads_in):
    """Return whether there are enough signs that chords are asked for."""
    weak = [bool(_WEAK.fullmatch(token.text)) for token in tokens]
    near = {reading.word(i) for i in range(max(run.first - 3, 0), run.first)} | {reading.word(i) for i in (run.end, run.end + 1)}
    vamps = bool(near & (_VAMPS | {"chord", "chords"})) and reading.kind(run.first - 1) not in ("CHORD", "ROMAN")
    inside = {reading.word(i) for i in range(run.first, run.end)} & CHORD_WORDS
    if len(tokens) > 2 or tokens[0].kind == "TIMED":
        return True
    if len(tokens) == 2:
        arrows = any(reading.tokens[i].text in ("->", "→", "=>", ">") for i in range(run.first, run.end))
        return bool(
            leads_in or arrows or not any(weak) or (marker is not None and not all(weak)) or (vamps and not all(weak)) or inside
        )
    is_word = weak[0] and not (reading.ends(run.end) or reading.word(run.end) in ("at", "for", "chord"))
    if leads_in and not (is_word and tokens[0].text in ("A", "I", "i", "v")):
        return True
    names_chord = reading.word(run.end) in ("chord", "chords", "vamp", "groove", "drone", "jam", "loop", "pedal") or near & {
        "vamp",
        "vamping",
        "drone",
        "jam",
    }
    return bool(names_chord) and not weak[0] and tokens[0].kind == "CHORD" and reading.word(run.first - 1) != "the"


def _are_letters(reading, run, tokens, marker):
    """Return whether letters are those of a scale, a melody, a form or a tuning."""
    if not all(re.fullmatch(r"[A-G][#b]?\d?", token.text) for token in tokens):
        return False
    start, end = reading.tokens[run.first].start, reading.tokens[run.end - 1].end
    if _BEFORE_LETTERS.search(reading.text[max(start - 40, 0) : start]) or _AFTER_LETTERS.match(reading.text, end):
        return True
    first, stop = reading.sentence(run.first)
    sentence, texts = reading.words(first, stop), [token.text for token in tokens]
    has_parts = re.search(r"\b(?:[Ss]ections?|tuned|tuning)\b", sentence)
    is_form = re.search(r"\b(?:form|structure)\b", sentence) and len(set(texts)) < len(texts)
    joined = len(tokens) == 2 and any(reading.tokens[i].text in ("&", "/") for i in range(run.first, run.end))
    return marker is None and bool(has_parts or is_form or texts[:3] == ["A", "B", "C"] or "4" in "".join(texts) or joined)


def _sections(reading, runs):
    """Return (the runs that are played one after the other, the others): all where each stands by the name of a section, else one."""
    if len(runs) > 1 and all(_section_near(reading, run) for run in runs):
        return runs, []
    return runs[:1], runs[1:]


def _section_near(reading, run):
    """Return whether the name of a section stands just before a run, or "in the chorus" just after it."""
    before = [reading.word(i) for i in range(max(run.first - 5, 0), run.first) if reading.kind(i) not in _SYMBOLS]
    after = [reading.word(i) for i in range(run.end, run.end + 3)]
    named = any(word in SECTIONS for word in before)
    return named or (after[:1] in (["in"], ["for"], ["on"]) and any(word in SECTIONS for word in after))


def _line_of(reading, run, quiet=False):
    """Write a run as a chord line that `Progression.parse` reads, its repeats played out; notes on symbols that are no chords."""
    parts, groups = [], _groups(reading, run)
    kinds = [reading.kind(i) for i in range(run.first, run.end)]
    held = "BAR" in kinds or any(pair == ("HOLD", "HOLD") for pair in pairwise(kinds))
    for i in range(run.first, run.end):
        token = reading.tokens[i]
        if token.kind in ("LEFT", "RIGHT"):
            parts += ["(" if token.kind == "LEFT" else ")"] if i in groups else []
        elif token.kind == "QUANTITY":
            parts.append(f"({token.value[0]:g} {token.value[1]})")
        elif token.kind == "LINE":
            parts.append("\n")
        elif token.kind in ("CHORD", "ROMAN"):
            parts.append(token.value)
        elif i in run.places and token.kind != "TIMED":
            parts += _known_instead(reading, token, quiet)
        elif token.kind == "WORD":
            parts += [token.text] if token.value in ("twice", "thrice") else []
        elif token.kind == "BAR":
            parts.append("|")
        elif token.kind == "HOLD" and not held:
            continue
        elif token.kind not in ("GAP", "STOP"):
            parts.append(token.text)
    line = " ".join(parts)
    structured = any(reading.kind(i) in _STRUCTURE for i in range(run.first, run.end)) or "twice" in parts or "thrice" in parts
    return _played_out(reading, line, quiet) if structured else re.sub(r"\|(?: \|)+", "|", line).strip("| ")


def _known_instead(reading, token, quiet):
    nearest = nearest_symbol(token.text)
    if not quiet:
        reading.note(
            "chords",
            f"{quoted(token.text)} in the prompt is no chord known here, {nearest + ' is played' if nearest else 'left out'}",
        )
    return [nearest] if nearest else []


def _groups(reading, run):
    """Return the places of brackets that "x2" repeats."""
    places, opened = set(), []
    for i in range(run.first, run.end):
        if reading.kind(i) == "LEFT":
            opened.append(i)
        elif reading.kind(i) == "RIGHT" and opened:
            left = opened.pop()
            if reading.kind(i + 1) == "TIMES" and i + 1 < run.end:
                places |= {left, i}
    return places


def _played_out(reading, line, quiet):
    try:
        return unfolded(line).strip("| ")
    except InputError:
        plain = re.sub(r"[()\n]|:\||\|:|\b\d\.|\bx\d+\b", " | " if "|" in line else " ", line)
        if not quiet and ":|" in line:
            reading.note("chords", f"the repeats in {quoted(line)} cannot be read; each bar is played once")
        return re.sub(r"\|(?: *\|)+", "|", " ".join(plain.split())).strip("| ")
