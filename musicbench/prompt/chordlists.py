"""The chord line that a prompt states, written out, and notes on what looks like chords and is not played."""

import re
from itertools import pairwise

from musicbench import InputError, quoted
from musicbench.music.chart import unfolded
from musicbench.music.chords import nearest_symbol
from musicbench.prompt.chordruns import runs_of
from musicbench.prompt.chordsmeant import BEFORE_LETTERS, WEAK, could_be_chords, is_chord_line, runs_played
from musicbench.prompt.chordwords import length_of_each, write_out
from musicbench.prompt.reading import left_out

_STRUCTURE = set("OPEN CLOSE CLOSE_OPEN TIMES ENDING QUANTITY LINE".split())


def read_chords(reading, beats_a_bar=4):
    """Return the chord line that the text states, or None. What looks like a chord and is not played is named in a note.

    beats_a_bar: of the meter; chords of "2 beats each" are repeated until they fill whole bars.
    """
    write_out(reading)
    each = length_of_each(reading) or reading.each
    found = list(runs_of(reading))
    runs = [run for run in found if is_chord_line(reading, run)]
    rejected = [run for run in found if run not in runs and could_be_chords(reading, run)]
    if not runs:
        for run in rejected:
            said = _line_of(reading, run, quiet=True)
            reading.note("chords", f"{quoted(said)} in the prompt is not played; to have it played write 'chords: {said}'")
            reading.use(run.first, run.end)
        return None
    played, others = runs_played(reading, runs)
    lines = [_repeated_line(reading, run, each) for run in played]
    line = (" | " if any("|" in part for part in lines) else " ").join(lines)
    if each and each[1] == "beats":
        line = " ".join([line] * _times_to_fill(line.count(":") * each[0], beats_a_bar))
    for run in runs:
        reading.use(run.first, run.end)
    for run in others + rejected:
        other = _line_of(reading, run, quiet=True)
        if other != line:
            reading.note("chords", left_out(other, quoted(line)))
    return line


def _times_to_fill(beats, beats_a_bar):
    """Return how often beats follow one another until whole bars are full, 1 where they never are."""
    return next((times for times in range(1, beats_a_bar + 1) if beats * times % beats_a_bar == 0), 1)


def _repeated_line(reading, run, each):
    """Write a run, as often as the mark before it says: "Verse x2: Am F"."""
    line = _line_of(reading, run, each)
    if run.first in reading.lengths:
        return _filled(reading, line, reading.lengths[run.first])
    mark = next((reading.tokens[i] for i in (run.first - 1, run.first - 2) if reading.kind(i) == "MARK"), None)
    return unfolded(f"({line}) x{mark.value}") if mark and isinstance(mark.value, int) and mark.value > 1 else line


def _filled(reading, line, bars):
    """Write a section's line as often as fills its bars; fewer bars than chords are shared."""
    chords = line.split()
    if re.search(r"[|:()]", line) or (len(chords) > bars and len(chords) % bars):
        reading.note("chords", f"{line!r} in the prompt is played once, whatever fills its {bars} bars")
        return line
    if len(chords) == 1:
        return f"{line} ({bars} bars)" if bars > 1 else line
    if len(chords) > bars:
        return " ".join(f"{chord} ({bars / len(chords):g} bars)" for chord in chords)
    return " ".join(chords[i % len(chords)] for i in range(bars))


def note_not_understood(reading):
    """Note that the prompt says "chords:" and none can be read."""
    if re.search(r"\bchords? ?[:=] ?(?!none|no\b)\S", reading.text, re.IGNORECASE):
        reading.note("chords", "the chords in the prompt are not understood; write them as in 'chords: C G Am F'")


_CAPO = re.compile(r"\bcapo\b(?: (?:on|at|in|the|fret))* ?(?:\d+\w*|[a-z]+)?(?: fret)?", re.I)


def note_unused_chords(reading, line):
    """Note chord symbols that no rule has used, and a capo, so that none is dropped in silence."""
    if line and (capo := _CAPO.search(reading.text)):
        reading.note("chords", f"{quoted(capo[0])} in the prompt changes no chord; write the chords as they sound")
    for i, token in enumerate(reading.tokens):
        is_weak = WEAK.fullmatch(token.text) and reading.word(i + 1) != "chord"
        if i in reading.used or token.kind not in ("CHORD", "TIMED") or is_weak or token.text == "N":
            continue
        if token.text.startswith("A ") and reading.sentence(i)[0] == i:  # "A major success"
            continue
        before = reading.text[max(token.start - 40, 0) : token.start]
        if BEFORE_LETTERS.search(before) or re.search(r"\b(?:notes?|scale|melody|arpeggio)\b", before):
            continue
        if line:
            reading.note("chords", left_out(token.text, quoted(line)))
        else:
            reading.note(
                "chords",
                f"{quoted(token.text)} in the prompt is not played as a chord; to have it played write 'chords: {token.value}'",
            )


def _line_of(reading, run, each=None, quiet=False):
    """Write a run as a chord line that `Progression.parse` reads, its repeats played out; notes on symbols that are no chords."""
    parts, groups = [], _groups(reading, run)
    kinds = [reading.kind(i) for i in range(run.first, run.end)]
    held = "BAR" in kinds or any(pair == ("HOLD", "HOLD") for pair in pairwise(kinds))
    each = None if {"BAR", "OPEN", "CLOSE", "HOLD", "QUANTITY"}.intersection(kinds) else each
    for i in range(run.first, run.end):
        token = reading.tokens[i]
        if token.kind in ("LEFT", "RIGHT"):
            parts += ["(" if token.kind == "LEFT" else ")"] if i in groups else []
        elif token.kind == "QUANTITY":
            count, unit = token.value
            parts += [] if token.value == (1, "bars") else [f"({count:g} {unit})"]
        elif token.kind == "LINE":
            parts.append("\n")
        elif token.kind in ("CHORD", "ROMAN"):
            parts.append(f"{token.value}:{each[0]:g}" if each and each[1] == "beats" else token.value)
            parts += [f"({each[0]:g} bars)"] if each and each[1] == "bars" else []
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
    structured = (
        any(reading.kind(i) in _STRUCTURE for i in range(run.first, run.end)) or "twice" in parts or "thrice" in parts or each
    )
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
    """Return the places of brackets that "x2" repeats, or that stand around it."""
    places, opened = set(), []
    for i in range(run.first, run.end):
        if reading.kind(i) == "LEFT":
            opened.append(i)
        elif reading.kind(i) == "RIGHT" and opened:
            left = opened.pop()
            is_repeated = reading.kind(i + 1) == "TIMES" and i + 1 < run.end
            if is_repeated or (left == i - 2 and reading.kind(i - 1) == "TIMES"):
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
