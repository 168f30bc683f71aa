"""A given chord line: in plain chords where it tells them in words, and what it says of tempo, meter and key."""

from contextlib import suppress

from musicbench import InputError, quoted
from musicbench.music.keys import Key
from musicbench.music.lexer import tokens_of
from musicbench.music.meters import read_meter
from musicbench.music.normalise import normalised
from musicbench.music.progression import Progression, read_sheet
from musicbench.music.tempo import parse_tempo
from musicbench.prompt.chordwords import STORY_WORDS
from musicbench.prompt.facts import read_prompt
from musicbench.prompt.forms import bars_of, form_in
from musicbench.prompt.rewording import solfege_in_letters


def with_plain_chords(given):
    """Return (what is given, with a chord line that tells its chords in words, "from Dm to G", in solfège or as a form in plain chords; notes)."""
    line = given["chords"]
    if line is None or _is_readable(line):
        return given, []
    plain, key = solfege_in_letters(line), given["key"]
    if plain == line or not _is_readable(plain):
        stated, tokens, (form, _) = read_prompt(line), tokens_of(normalised(line)), form_in(line)
        words = {token.value for token in tokens if token.kind == "WORD"}
        symbols = [token.value for token in tokens if token.kind in ("CHORD", "ROMAN", "LIKE")]
        if stated.chords and words <= STORY_WORDS and sorted(stated.chords.split()) == sorted(symbols):
            plain = stated.chords
        elif form and not stated.chords:
            key = key or (str(stated.key) if stated.key else None)
            is_minor = Key.parse(key).mode == "minor" if key else form.mode == "minor"
            bars = bars_of(form.minor if is_minor else form.major)
            plain = " | ".join(bars) if any(" " in bar for bar in bars) else " ".join(bars)
        else:
            return given, []
    said = f"the {form.name}" if plain not in (line, solfege_in_letters(line)) and form and not stated.chords else plain
    return given | {"chords": plain, "key": key}, [f"{quoted(line)} in the chord line is read as {said}"]


def _is_readable(line):
    with suppress(InputError):
        Progression.parse(line)
        return True
    return False


def with_sheet(given):
    """Return (what is given, with the tempo, meter and key that a given chord line says where no option does; notes on other tempi)."""
    if given["chords"] is None:
        return given, []
    sheet, notes = read_sheet(given["chords"]), []
    said = {"tempo": sheet.tempo, "meter": sheet.meter and str(sheet.meter), "key": sheet.key and str(sheet.key)}
    if given["tempo"] is not None and sheet.tempo is not None:
        meter = read_meter(given["meter"] or said["meter"] or "4/4")[0]
        if abs(parse_tempo(sheet.tempo, meter) / parse_tempo(given["tempo"], meter) - 1) > 1e-6:
            notes.append(f"the chord line says {_in_bpm(sheet.tempo)}; {_in_bpm(given['tempo'])} is played")
    return {name: said.get(name) if value is None else value for name, value in given.items()}, notes


def _in_bpm(tempo):
    return f"{tempo:g} bpm" if isinstance(tempo, (int, float)) else str(tempo)
