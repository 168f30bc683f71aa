"""Rules over a prompt's tokens: how long it asks the music to be."""

import re
from dataclasses import replace

from musicbench import quoted
from musicbench.music.sections import SECTIONS
from musicbench.music.stylewords import GENRE_WORDS
from musicbench.prompt.reading import OF_MUSIC, left_out

_NO_LENGTH = set(
    "in into mark later apart ago before after delay reverb tail gap pause silence attack release decay fade fades fadeout fadein each per".split()
)
_PARTS = set(
    """
    intro outro build buildup break breakdown drop solo riser ending section phrase phrases form swell turnaround verse chorus bridge hook fill
    """.split()
)
_POINTS = set("after until till from first last every each within over to by next around second per through in wait".split())
# They are a part of a piece wherever they stand; a "drum solo" and a "4 bar riff" may be all of it.
_ONLY_PARTS = set(
    "intro outro verse chorus bridge interlude prechorus pre-chorus breakdown ending silence rest pause stop stops count pickup".split()
)
_JOINING = set("with and then plus has including after followed by before into over".split())
_NOT_WITHIN = set("with and then in at for on over by before after to the a an as is like".split())
_DRUMMED = {"drum", "drums", "percussion", "amen", "breakbeat"}
_ENDS = {"stop", "stops", "end", "ends", "fade", "fades", "silence", "repeat", "repeats", "loop", "loops"}
_STARTING = set("start starts starting begin begins beginning open opens opening end ends ending".split())
_DYNAMIC = re.compile(r"\b(?:de)?crescendo|diminuendo|\b(?:volume|loudness|level|louder|softer|quieter)\b", re.I)
_PIECES = r"(?:tracks?|songs?|pieces?|jingles?|clips?|jams?|mix|tunes?|recordings?|compositions?|soundscapes?)"
_PICKUP = re.compile(
    r"\b(?:(?:pick-?up|anacrusis|upbeat)(?= of )|anacrusis|pick-?up (?:bar|beat|measure|notes?)|with a pick-?up(?=[,.]|$))\b", re.I
)
_VAGUE_LENGTH = re.compile(
    rf"\b(?:(?:very |really )?(?:long|short|lengthy|extended)(?: [a-z-]+){{0,2}}? {_PIECES}|(?:full|whole|entire|complete)[- ](?:length(?: {_PIECES})?|{_PIECES})"
    r"|(?:radio|album|single|song|standard)[- ](?:length|edit|cut)|(?:extended|club|12 inch) (?:mix|version|cut))\b",
    re.I,
)


def read_duration_stated(reading):
    """Return how long the text says the music is: seconds, text such as "8 bars", or None."""
    duration = None
    for i in range(len(reading.tokens)):
        found = _duration_at(reading, i)
        if not found or i in reading.used:
            continue
        end, value = found
        if _is_a_part(reading, i, end, value):
            part = None if _is_by_chords(reading, i, end) or reading.is_denied(i) else _part_at(reading, i, end)
            if part:
                said = quoted(reading.words(*part))
                reading.note("duration", f"{said} in the prompt is the length of a part, and not taken; a clip is one loop")
            continue
        reading.use(i, end)
        if duration is None:
            duration = value
        elif value != duration:
            played = f"{duration:g} s" if isinstance(duration, float) else duration
            reading.note("duration", left_out(reading.words(i, end), played))
    for i, token in enumerate(reading.tokens):
        is_alone = token.kind == "QUANTITY" and token.value[1] == "beats" and reading.ends(i - 1) and reading.ends(i + 1)
        if (
            is_alone and i not in reading.used and not any(other.kind in _CHORD_KINDS for other in reading.tokens)
        ):  # "rock, 16 beats"
            reading.note("duration", f"{quoted(token.text)} in the prompt is not taken as a length; write bars or seconds")
    pickup = _PICKUP.search(reading.text)
    if pickup:
        reading.note("duration", f"{quoted(pickup[0])} in the prompt is not played; a clip begins with a whole bar")
    vague = _VAGUE_LENGTH.search(reading.text) if duration is None else None
    if vague:
        reading.note("duration", f"{quoted(vague[0])} in the prompt names no length; write one, such as '30 seconds' or '16 bars'")
    if isinstance(duration, float) and duration < 1:
        reading.note("duration", f"{duration:g} s in the prompt is below 1 s, and not taken")
        return None
    return duration


_CHORD_KINDS = {"CHORD", "ROMAN"}


def _duration_at(reading, i):
    """Return (end, seconds or "8 bars") of a length of time at `i`, None where there is none."""
    if reading.kind(i) == "CLOCK":
        return _clock(reading, i)
    fraction = {("half",): 0.5, ("quarter", "of"): 0.25, ("three", "quarters", "of"): 0.75}
    for words, share in fraction.items():
        end = i + len(words)
        if (
            [reading.word(j) for j in range(i, end)] == list(words)
            and reading.kind(end) == "QUANTITY"
            and reading.value(end) == (1, "min")
        ):
            return end + 1, 60 * share
    if reading.word(i) in ("duration", "length") and reading.kind(i + 1 + (reading.value(i + 1) in (":", "="))) == "NUMBER":
        end = i + 1 + (reading.value(i + 1) in (":", "="))
        return end + 1, reading.value(end)
    halves = {"one": 1, "two": 2, "three": 3}.get(reading.word(i))
    if halves and [reading.word(j) for j in range(i + 1, i + 5)] == ["and", "a", "half", "minutes"]:
        return i + 5, 60.0 * halves + 30
    if (
        reading.kind(i) == "NUMBER"
        and reading.kind(i + 2) == "QUANTITY"
        and reading.word(i + 1) in ("and", "to")
        and reading.word(i - 1) in ("between", "from")
    ):
        count, unit = reading.value(i + 2)
        return _length(reading, i, i + 3, (count + reading.value(i)) / 2, unit)
    if reading.kind(i) != "QUANTITY":
        return None
    return _length(reading, i, i + 1, *reading.value(i))


_OF_YEARS = {
    "style",
    "styled",
    "sound",
    "sounds",
    "sounding",
    "era",
    "vibe",
    "vibes",
    "feel",
    "radio",
    "film",
    "movie",
    "noir",
    "big",
    "inspired",
    "music",
}


_SMALL_KEY = "[a-g][#b]?(?:m|min|minor|maj|major)"


def _is_among_numbers(reading, i):
    """Return whether a tempo, a meter or a key stands just before "30s" and no style or piece behind: "85 bpm Cm 30s"."""
    before = i - 1 - (reading.kind(i - 1) == "GAP")
    is_fact = reading.kind(before) in ("TEMPO", "FRACTION", "CHORD") or re.fullmatch(_SMALL_KEY, reading.word(before))
    has_tempo = any(token.kind == "TEMPO" for token in reading.tokens)
    after = reading.word(i + 1)
    return (
        is_fact
        and has_tempo
        and after not in GENRE_WORDS | OF_MUSIC | _OF_YEARS
        and reading.kind(i + 1) in ("WORD", "END", "GAP", "STOP", "LINE")
    )


# What of 30 seconds is made, not of the 1930s.
_TEXTURES = {"pad", "pads", "ambient", "drone", "texture", "soundscape", "atmosphere", "riser", "bed", "cue", "sample", "loop", "clip", "techno", "trap", "lofi", "edm"}  # fmt: skip


def _clock(reading, i):
    """Read "1:30" as a length; not as a time of day, or a verse."""
    before = reading.tokens[i - 1] if i else None
    is_place = (
        before is not None
        and before.kind == "WORD"
        and before.text[0].isupper()
        and before.value not in ("length", "duration", "time")
    )
    if reading.word(i + 1) in ("am", "pm", "a.m", "p.m", "news", "o'clock") or (
        is_place and reading.tokens[i].end == len(reading.text.rstrip())
    ):
        return None
    return i + (2 if reading.word(i + 1) in ("min", "mins", "minutes", "long") else 1), float(reading.value(i))


def _length(reading, i, end, count, unit):
    """Return (end, seconds or "8 bars") of a number and its unit; what is written as a title is none."""
    text = reading.tokens[end - 1].text
    is_title = re.search(r"(?:Seconds?|Minutes?|Hours?)$", text) and reading.text != reading.text.title()
    if is_title or count <= 0:
        return None
    if unit == "bars" and count == int(count):
        return end, f"{int(count)} bars"
    if unit == "s":
        is_glued = re.fullmatch(r"\d+s", text)
        is_named = (
            reading.word(i - 1) in ("for", "duration", "length", "lasting")
            or reading.word(i + 1)
            in ("long", "clip", "loop", "jingle", "ad", "sting", "bumper", "spot", "teaser", "intro", "outro")
            or (reading.ends(i - 1) and reading.ends(i + 1))
        )
        is_decade = (
            count in range(20, 100, 10) or count > 600 or reading.word(i - 1) in ("the", "low", "mid", "high", "early", "late")
        )
        if is_glued and not is_named and is_decade and count <= 60 and reading.word(i - 1) != "the":
            if _TEXTURES.intersection((reading.word(i + 1), reading.word(i + 2))) or _is_among_numbers(reading, i):
                return end, float(count)
            reading.note("duration", f"{quoted(text)} in the prompt is read as years; write '{count:g} seconds' if it is a length")
        return None if is_glued and not is_named and is_decade or is_glued and count > 600 else (end, float(count))
    if unit == "h":
        return end, 3600.0 * count
    if unit != "min":
        return None
    second = end + 1 if reading.word(end) == "and" else end
    if reading.kind(second) == "QUANTITY" and reading.value(second)[1] == "s":
        return second + 1, 60.0 * count + reading.value(second)[0]
    if [reading.word(j) for j in (end, end + 1, end + 2)] == ["and", "a", "half"]:
        return end + 3, 60.0 * count + 30
    return end, 60.0 * count


def _lengths_in_bars(reading):
    return [j for j in range(len(reading.tokens)) if reading.kind(j) == "QUANTITY" and reading.value(j)[1] == "bars"]


_OF_EACH = {"each", "every", "per", "last", "lasts", "lasting", "held", "holding"}
_SPREAD = {"over", "across", "spread"}


def read_section_lengths(reading):
    """Take the bars of sections, "intro 4 bars G", "verse (8 bars): Am F", "8-bar chorus F C", out of the tokens into `lengths`."""
    for i in range(len(reading.tokens)):
        if reading.word(i) not in SECTIONS:
            continue
        is_before = reading.kind(i - 1) == "QUANTITY" and i - 1 not in reading.used
        at = i - 1 if is_before else _skip(reading, i + 1, 1, {"of", "for", "is", "lasts"})
        if reading.kind(at) != "QUANTITY" or reading.value(at)[1] != "bars" or reading.value(at)[0] % 1:
            continue
        chord = _skip(reading, max(at, i) + 1, 1, {"of", "on", "in", "with", "is"})
        if reading.kind(chord) not in _CHORD_KINDS or reading.word(chord - 1) == "in":  # "verse 8 bars in C"
            continue
        reading.lengths[chord] = int(reading.value(at)[0])
        for j in (at, *range(i + 1, chord)):
            reading.tokens[j] = replace(reading.tokens[j], kind="GAP", value=" ")


def _skip(reading, i, step, words):
    """Return the place of the next token from `i` on, at most six away, that is no sign between chords and none of `words`."""
    for _ in range(6):
        if not (
            reading.kind(i) in ("GAP", "LEFT", "RIGHT")
            or reading.tokens[i : i + 1]
            and reading.tokens[i].text == ":"
            or reading.word(i) in words
        ):
            break
        i += step
    return i


def _listed(reading, i, step):
    """Return how many chords stand side by side from place `i` on, forwards or (step -1) backwards."""
    count = 0
    while reading.kind(i) in _CHORD_KINDS or (count and (reading.kind(i) == "GAP" or reading.word(i) == "and")):
        count += reading.kind(i) in _CHORD_KINDS
        i += step
    return count


def _is_of_list(reading, i):
    """Return whether bars are how long several chords last in all, "8 bars of Am F C G", "C G, 8 bars": no other length is in the text.

    Chords that are more than the bars, or spread over them, share them.
    """
    of_each = {reading.word(j) for j in range(max(i - 4, reading.sentence(i)[0]), i)} & _OF_EACH
    if _lengths_in_bars(reading) != [i] or of_each or reading.tokens[i].text.lower().startswith("a "):  # "every 2 bars: Am F"
        return False
    bars, _ = reading.value(i)
    behind = _listed(reading, _skip(reading, i + 1, 1, {"of"}), 1)
    before = _listed(reading, _skip(reading, i - 1, -1, _SPREAD | {"for", "chord", "chords"}), -1)
    at = i - 1 - (reading.kind(i - 1) == "LEFT")
    if reading.kind(at) in _CHORD_KINDS and behind:  # "Am (4 bars) F C": its own
        return False
    is_spread = before > 1 and bars % before == 0 and bool(_SPREAD & {reading.word(i - 1), reading.word(i - 2)})
    is_dense = behind > max(bars, 1) and behind % bars == 0
    if is_spread or is_dense:
        reading.each = (bars / max(before, behind), "bars")
    return behind > 1 or (before > 1 and bars >= before) or (before > 1 and reading.word(i - 1) == "for")


def _is_before_chord(reading, i):
    """Return whether a number of bars is the length of the chord behind it, and others so: "2 bars C, 2 bars G"."""
    before_chords = [j for j in _lengths_in_bars(reading) if reading.kind(j + 1) in _CHORD_KINDS]
    return len(before_chords) > 1 and i in before_chords


def _is_only_chord(reading, i):
    """Return whether the chord at `i` is the only one of the text, and its length the only one: "one bar of Am, 60 bpm"."""
    chords = sum(token.kind in _CHORD_KINDS for token in reading.tokens)
    return chords == 1 == len(_lengths_in_bars(reading)) and (reading.ends(i + 1) or reading.word(i + 1) == "at")


def _part_at(reading, i, end):
    """Return the place (first, end) of a part of a piece with its bars, "4 bar drum intro", "stop for one bar"; None where there is none."""
    begin, stop = reading.sentence(i)
    is_joined = any(reading.word(j) in _JOINING for j in range(max(i - 4, begin), i))
    is_bars = reading.kind(i) == "QUANTITY" and reading.value(i)[1] == "bars"
    last = _part_behind(reading, i, end, is_joined) if is_bars or is_joined else None
    if last is not None or not is_bars:
        return None if last is None else (i, last + 1)
    before = i - 1 - (reading.word(i - 1) in ("of", "for") or reading.kind(i - 1) == "LEFT" or reading.word(i - 1) == "lasting")
    is_before = reading.word(before) in _ONLY_PARTS | (_PARTS if is_joined else set())
    if is_before and (before < i - 1 or reading.word(before) in SECTIONS):  # "intro 4 bars"
        return before, end + (reading.kind(i - 1) == "LEFT" and reading.kind(end) == "RIGHT")
    if reading.word(i - 1) == "with" and reading.word(i - 2) in _STARTING:
        return i - 2, end
    if reading.word(i - 1) in ("first", "last", "then", "after", "until", "till"):
        return i - (reading.word(i - 1) != "then"), end
    behind = next(
        (j for j in range(end, min(end + 5, stop)) if reading.kind(j) not in ("WORD", "GAP") or reading.word(j) == "then"), -1
    )
    goes_on = reading.word(behind) == "then" and reading.word(behind + 1) not in _ENDS
    return (i, behind - (reading.kind(behind - 1) == "GAP")) if goes_on else None


def _is_by_chords(reading, i, end):
    """Return whether a length is that of a chord beside it."""
    return any(reading.kind(j) in _CHORD_KINDS for j in (i - 2, i - 1, end, end + 1))


def _part_behind(reading, i, end, is_joined):
    """Return the place of the part whose length stands before it, up to three words of its phrase between; None where there is none."""
    first = end + (reading.value(end) == "joined")
    first += reading.word(first) == "of"
    for j in range(first, first + 5):
        if reading.value(j) == "joined":  # "pre-chorus"
            continue
        word, after = reading.word(j), reading.word(j + 1)
        if not word or word in _NOT_WITHIN:
            return None
        if word not in _ONLY_PARTS | _PARTS:
            continue
        if after in ("loop", "clip", "track") or (word not in _ONLY_PARTS and not is_joined and _is_whole(reading, i, j)):
            return None
        return j
    return None


def _is_whole(reading, i, j):
    """Return whether bars of what may be a part, "4 bar riff", "2 bar drum break", "8 bars piano solo", are those of the whole."""
    is_adjective = reading.tokens[i].text.endswith("bar")
    return reading.word(j) not in ("solo", "break", "drop") or reading.word(j - 1) in _DRUMMED or not is_adjective


def _is_place(reading, i, end):
    """Return whether "a bar" is where people drink, "a bar in Paris": nothing behind it is counted in bars."""
    is_counted = reading.ends(end) or reading.word(end) in ("of", "long", "loop") or reading.kind(end) in _CHORD_KINDS
    return reading.tokens[i].text.lower() == "a bar" and not is_counted


def _is_a_part(reading, i, end, value):
    """Return whether a length of time is that of a part, or a point in time, and not that of the whole."""
    begin, _ = reading.sentence(i)
    near = [reading.word(j) for j in range(max(i - 3, begin), i)]
    if isinstance(value, str) and (_is_of_list(reading, i) or _is_before_chord(reading, i)):
        return _is_before_chord(reading, i)
    if isinstance(value, str) and not _is_by_chords(reading, i, end) and (_is_place(reading, i, end) or _part_at(reading, i, end)):
        return True
    if reading.kind(i - 1) in _CHORD_KINDS or (
        (reading.word(i - 1) == "for" or reading.kind(i - 1) == "LEFT") and reading.kind(i - 2) in _CHORD_KINDS
    ):
        return True  # C (2 bars), Am for 2 bars
    if near[-1:] == ["at"] and reading.word(i - 2) in ("stop", "stops", "end", "ends", "ending", "finish", "finishes", "cut"):
        return False  # "stops at 20 seconds"
    if near[-1:] == ["at"] or set(near[-2:]) & _POINTS:
        return True
    is_turn = reading.says(i, _DYNAMIC) and not (reading.ends(i - 1) and reading.ends(end))  # "crescendo, 5 mins" is a length
    if is_turn and "min" not in str(reading.value(i)):
        return True
    after = end + 1 if reading.value(end) == "joined" else end
    of_what = reading.word(after + 1) if reading.word(after) == "of" else reading.word(after)
    if reading.word(after) in _NO_LENGTH - {"in"} or (reading.word(after) == "in" and not isinstance(value, str)):
        return True
    if of_what in _PARTS | _ONLY_PARTS | {"up"} and set(near) & _JOINING:
        return True
    if (
        reading.word(after) == "of"
        and reading.kind(after + 1) in _CHORD_KINDS
        and reading.tokens[after + 1].value == reading.tokens[after + 1].text
    ):
        return not _is_only_chord(reading, after + 1)  # 2 bars of C, 2 bars of G
    is_form = isinstance(value, str) and reading.word(after) == "blues" and reading.word(after + 1) not in ("loop", "clip", "track")
    return is_form or "chords" in near or "chord" in near
