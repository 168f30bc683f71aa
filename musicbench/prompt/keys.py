"""What a prompt states of the key."""

import re

from musicbench import quoted
from musicbench.prompt.keysmeant import is_marked_key, is_short_key, is_spoken_key
from musicbench.prompt.reading import left_out
from musicbench.prompt.tonics import camelot_key, tonic_at, with_mode_around


def read_marked_keys(reading):
    """Use the tokens of keys that are called keys, or stand after "in"; return [(first, end, key, mode or None), ...]."""
    keys = []
    for i in range(len(reading.tokens)):
        found = tonic_at(reading, i) if i not in reading.used else None
        if found and is_marked_key(reading, i, *found):
            keys.append(with_mode_around(reading, i, *found))
            reading.use(i, found[0])
    return keys


def read_other_keys(reading, chords_found):
    """Use and return the keys that stand by themselves: "A minor", "F#m, 98 bpm" (if no chords are stated), "Camelot 8A"."""
    keys = []
    for i in range(len(reading.tokens)):
        if i in reading.used:
            continue
        camelot = camelot_key(reading, i)
        if camelot:
            keys.append((i, i + 1, camelot, None))
            reading.used.add(i)
            continue
        found = tonic_at(reading, i)
        if found and (is_spoken_key(reading, i, *found) or (not chords_found and is_short_key(reading, i, found[0]))):
            keys.append(with_mode_around(reading, i, *found))
            reading.use(i, found[0])
            _note_groove(reading, i, found[0])
    return keys


def first_key(reading, keys):
    """Return the first of the keys, None if there is none; notes on the others and on modes."""
    key, denied, quotes, ends = None, [], _in_quotes(reading), {end for _, end, *_ in keys}
    for first, end, found, mode in sorted(keys, key=lambda one: one[0] in quotes):
        if key and first in quotes:
            continue
        if reading.is_denied(first) or (reading.word(first - 1) in ("in", "of", "key") and reading.is_denied(first - 1)):
            denied.append(reading.words(first, end))
            continue
        if (
            reading.word(first - 1) == "of"
            and reading.word(first - 3) == "relative"
            and reading.word(first - 2) in ("minor", "major")
        ):
            found = found if found.mode == reading.word(first - 2) else found.relative
        if key is None:
            key = found
            if mode:
                reading.note("key", f"{reading.words(first, end)} in the prompt is played as {key}")
        elif not found.same_as(key):
            said, is_next = reading.words(first, end), reading.word(first - 1) in ("then", "to", "into") or first in ends
            why = f"{quoted(said)} in the prompt is left out, as the key cannot change within a clip; {key} is played"
            reading.note("key", why if is_next else left_out(said, str(key)))
    for said in denied if key is None else ():
        reading.note("key", f"{quoted(said)} in the prompt is denied there, and left out")
    changing = _CHANGING.search(reading.text)
    if changing and not any("left out" in text for name, text in reading.notes if name == "key"):
        reading.note("key", f"the key cannot change within a clip; {quoted(changing[0])} in the prompt is not played")
    german = _GERMAN.search(reading.text)
    if key is None and german:
        reading.note("key", f"{quoted(german[0])} in the prompt is no key known here; the German H is B, and the German B is Bb")
    return key


def _in_quotes(reading):
    """Return the places of the tokens of titles in quotes, "Nocturne in Eb", whose key is played where nothing else says one."""
    marks = [j for j, token in enumerate(reading.tokens) if token.text in ('"', "“", "”")]
    return {i for start, end in zip(marks[::2], marks[1::2], strict=False) for i in range(start, end)}


def note_outside_a_key(reading):
    """Note words for harmony outside a key, "chromatic", "atonal", of a text that writes no chords."""
    outside = _OUTSIDE_A_KEY.search(reading.text)
    if outside and not reading.is_denied(next(i for i, token in enumerate(reading.tokens) if token.end > outside.start())):
        reading.note("key", f"{quoted(outside[0])} in the prompt is not played; the chords stay in one key")


def note_mode_alone(reading):
    """Note a mode or a scale without a tonic, "dorian groove", "pentatonic flute"."""
    said = _MODE_ALONE.search(reading.text)
    if said and not reading.is_denied(next(i for i, token in enumerate(reading.tokens) if token.end > said.start())):
        reading.note("key", f"{quoted(said[0])} in the prompt names no tonic; write one, such as 'D {said[0].lower()}'")


_MODE_ALONE = re.compile(
    r"(?<![A-G] )(?<![A-G][#b] )\b(?:ionian|dorian|phrygian|lydian|mixolydian|aeolian|locrian|(?:(?:minor"
    r"|major) )?pentatonic)(?! (?:dominant|cadence|half))\b",
    re.I,
)


def note_mode_beside_chords(reading, chords):
    """Note "in minor" beside chords in letters, which it does not change."""
    said = _IN_A_MODE.search(reading.text) if re.search("[A-G]", chords) else None
    if said:
        reading.note("key", f"{quoted(said[0])} in the prompt changes no chord; {chords} is played as written")


_IN_A_MODE = re.compile(r"\b(?:in|into|to) (?:a )?(?:minor|major)(?: mode| key)?\b", re.IGNORECASE)
_CHANGING = re.compile(
    r"\b(?:key changes?|chang(?:es?|ing) (?:the )?keys?|modulat(?:es?|ing|ion)|(?:shifts?|moves?) up a (?:(?:half"
    r"|whole) (?:step|tone)|semitone|tone|step)"
    r"|transpos(?:e|es|ed|ing)|truck driver'?s gear change"
    r"|(?:in|through|round|around|across) (?:all|every|each|twelve|the twelve|all twelve|12|all 12|the 12|all of the"
    r"|different|several|many|various)(?: different| major| minor)? keys?)\b",
    re.I,
)
_OUTSIDE_A_KEY = re.compile(
    r"\b(?:atonal(?:ity|ly)?|twelve[- ]tone|12[- ]tone|dodecaphonic|serialis[mt]|chromaticism|chromatically"
    r"|chromatic)\b"
    r"(?! (?:harmonicas?|accordions?|button|percussion|tuner|aberration|line cliche|mediants?))",
    re.I,
)
_GERMAN = re.compile(
    r"\b(?:H[- ]?(?:[Mm]oll|[Dd]ur|minor|major)|h[- ](?:moll|dur|minor|major)|(?<=key of )H|(?<=in )H(?= [a-z]|$|[,.])"
    r"|(?:Cis|Dis|Fis|Gis|Es|As|Des|Ges)[- ]?(?:[Mm]oll|[Dd]ur))(?!\w)"
)
_GROOVES = {
    "groove",
    "grooves",
    "jam",
    "loop",
    "riff",
    "beat",
    "beats",
    "lick",
    "arpeggio",
    "arpeggios",
    "pattern",
    "bassline",
    "ostinato",
}


def _note_groove(reading, i, end):
    """Note that the chord of "Dm groove" or "Em riff" is read as the key."""
    said = reading.tokens[i].text
    if end == i + 1 and " " not in said and {reading.word(i - 1), reading.word(end)} & _GROOVES:
        reading.note("key", f"{quoted(said)} in the prompt is read as the key; for the one chord write 'chords: {said}'")
