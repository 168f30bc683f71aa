"""Runs of neighbouring chord symbols in a prompt."""

from dataclasses import dataclass

from musicbench.music.tokens import LIKE_A_CHORD
from musicbench.prompt.chordwords import SYMBOLS
from musicbench.prompt.reading import CHORD_WORDS

_IN_RUN = set("CHORD ROMAN TIMED BAR OPEN CLOSE CLOSE_OPEN SAME HOLD TIMES ENDING GAP".split())
_JOINS = set("and then to back followed by repeat repeated twice thrice each again finally resolving into".split())
_ENDINGS = {"end", "ends", "ending", "finish", "finishes", "finishing", "landing"}


@dataclass
class Run:
    """Neighbouring chord symbols: the tokens from `first` to before `end`, and the places of the symbols among them."""

    first: int
    end: int
    places: list


def runs_of(reading):
    """Yield the Runs of a text."""
    i = 0
    while i < len(reading.tokens):
        run = _run_at(reading, i) if i not in reading.used else None
        if run:
            yield run
        i = run.end if run else i + 1


def _run_at(reading, first):
    """Return the Run that begins at a token, None where none does."""
    starts = reading.kind(first) in SYMBOLS or reading.kind(first) in ("BAR", "OPEN") or _is_unknown(reading, first)
    if not starts and not (reading.kind(first) == "LEFT" and reading.kind(first + 1) in SYMBOLS):
        return None
    i, places, depth, last = first, [], 0, first
    while i < len(reading.tokens) and i not in reading.used:
        kind = reading.kind(i)
        if kind in SYMBOLS or _is_unknown(reading, i):
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
            if reading.value(i) == "joined" and reading.kind(i + 1) not in SYMBOLS:
                break
        elif kind == "QUANTITY":
            if (
                reading.value(i)[1] not in ("bars", "beats")
                or reading.word(i + 1) in ("loop", "long", "of")
                or not (reading.kind(i - 1) in ("CHORD", "LEFT") or reading.word(i - 1) == "for" or reading.kind(i - 1) == "GAP")
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
        elif kind not in _IN_RUN and not (places and _is_joining_word(reading, i)):
            break
        i += 1
        if kind in SYMBOLS | {"BAR", "CLOSE", "SAME", "HOLD", "TIMES", "RIGHT", "QUANTITY", "LIKE"} or reading.word(i - 1) in (
            "twice",
            "thrice",
        ):
            last = i
    places = [place for place in places if place < last]
    return Run(first, last if places else max(i, first + 1), places)


def _is_joining_word(reading, i):
    """Return whether a word goes on with a list of chords: "then", "for 2 bars", "end on"."""
    word = reading.word(i)
    is_for = word == "for" and _is_length(reading, i + 1) and _ends_a_chord(reading, i - 1)
    is_end = word in ("on", "with") and reading.word(i - 1) in _ENDINGS
    return is_for or is_end or word in _JOINS | _ENDINGS | {"chord", "chords"}


def _is_length(reading, i):
    return i not in reading.used and reading.kind(i) == "QUANTITY" and reading.value(i)[1] in ("bars", "beats")


def _ends_a_chord(reading, i):
    return reading.kind(i) == "CHORD" or (reading.word(i) == "chord" and reading.kind(i - 1) == "CHORD")


def _is_unknown(reading, i):
    """Return whether a token after a chord word looks like a chord and is none."""
    if reading.kind(i) != "LIKE" and not (reading.kind(i) == "WORD" and LIKE_A_CHORD.fullmatch(reading.tokens[i].text)):
        return False
    return marker_before(reading, i) is not None


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
        has_symbol = has_symbol or reading.kind(i) in SYMBOLS
        i += 1
    return has_symbol


def marker_before(reading, i):
    """Return the place of the last word for chords in the sentence before token `i`, None where there is none."""
    first, _ = reading.sentence(i)
    if reading.kind(first - 1) == "LINE" and reading.kind(first - 2) == "STOP":  # "chords:" and a new line
        first = reading.sentence(first - 2)[0]
    return next((j for j in range(i - 1, max(first, i - 60) - 1, -1) if reading.word(j) in CHORD_WORDS), None)
