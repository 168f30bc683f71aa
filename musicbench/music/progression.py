"""Chords in time: a chord line read into a `Progression`; the beat grid. Times are in seconds, lengths in beats."""

import math
import re
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import pairwise

from musicbench import InputError, quoted
from musicbench.music.barlengths import packed, read_bars, read_sequence
from musicbench.music.barnumbers import with_endings, without_bar_numbers
from musicbench.music.bars import bars_of, is_barred, with_bars_of_long_regions
from musicbench.music.chart import play_out
from musicbench.music.chords import NO_CHORD
from musicbench.music.lengths import with_lengths, without_separators
from musicbench.music.lexer import tokens_of
from musicbench.music.meters import Meter
from musicbench.music.normalise import normalised
from musicbench.music.numbers import numerals_for_numbers, spaced_degrees
from musicbench.music.numerallines import (
    in_minor_key,
    key_of_numerals,
    notes_of_basses,
    notes_of_sixths,
    with_inversions,
    without_key,
)
from musicbench.music.numerals import parse_symbol
from musicbench.music.plain import SMALL_SLASH, capital, from_ireal, plain_line, plain_signs
from musicbench.music.sections import FILLERS, MAX_LINE, SECTIONS, with_form, with_recalled
from musicbench.music.sheets import sheet_of
from musicbench.music.spokenbasses import with_spoken_bass
from musicbench.music.tokens import symbol_of


def beat_grid(bpm, meter, duration_s, first_s=0.0, first_position=1):
    """Return (times, positions) of the beats in [0, duration_s): a steady pulse whose first beat is at `first_s`."""
    times, positions = [], []
    index = 0
    while (t := first_s + index * 60 / bpm) < duration_s - 1e-9:
        if t > -1e-9:
            times.append(round(max(t, 0.0), 6))
            positions.append((first_position - 1 + index) % meter.beats + 1)
        index += 1
    return times, positions


MAX_START_S = 100_000


@lru_cache(64)
def read_sheet(text):
    """Read a chord line into a `Sheet`: its chords as plain text, and what it says beside them, or its slashes show of the meter."""
    text = SMALL_SLASH.sub(lambda match: f"{capital(match[1])}/{capital(match[2])}", normalised(plain_signs(from_ireal(text))))
    text, number_notes = spaced_degrees(with_form(plain_line(text)))
    if len(text) > MAX_LINE:
        raise InputError(f"the chord line has {len(text)} characters, above {MAX_LINE}; shorten it")
    sheet = sheet_of(text)
    sheet = replace(sheet, notes=(*sheet.notes, *number_notes))
    return sheet if sheet.meter else replace(sheet, meter=_meter_of_slashes(tokens_of(sheet.text)), meter_is_counted=True)


def _meter_of_slashes(tokens):
    """Return the meter that bars with a slash or dot for each beat show, "G / / | C / / |"; None where they show none, or not all the same."""
    bars, bar = [], []
    for token in [*tokens, None]:
        if token is None or token.kind in ("BAR", "OPEN", "CLOSE", "CLOSE_OPEN", "LINE"):
            bars.append(bar)
            bar = []
        elif token.kind in ("CHORD", "ROMAN", "HOLD", "SAME", "QUANTITY", "LIKE", "NUMBER"):
            bar.append(token)
    has_lines = any(token.kind in ("BAR", "OPEN", "CLOSE", "CLOSE_OPEN") for token in tokens)
    if not has_lines:  # each chord and its slashes
        starts = [i for i, token in enumerate(bars[0]) if token.kind != "HOLD"] if len(bars) == 1 else []
        is_spaced = all(a.end < b.start for bar in bars for a, b in pairwise(bar) if b.kind == "HOLD")
        bars = [bars[0][a:b] for a, b in pairwise([*starts, len(bars[0])])] if is_spaced and len(starts) > 1 else []
        if any(len(bar) < 3 for bar in bars):
            return None
    held = [bar for bar in bars if any(a.kind == b.kind == "HOLD" for a, b in pairwise(bar))]
    others = [bar for bar in bars if bar not in held and any(token.kind == "HOLD" for token in bar)]
    counts = {len(bar) for bar in [*held, *others]}
    is_plain = all(token.kind in ("CHORD", "ROMAN", "HOLD") and ":" not in str(token.value) for bar in held for token in bar)
    if not held or len(counts) != 1 or not is_plain or not (len(held) > 1 or len([b for b in bars if b]) == 1):
        return None
    return _METER_OF_PLACES.get(counts.pop())


_METER_OF_PLACES = {3: Meter(3, 4), 4: Meter(4, 4), 5: Meter(5, 4), 6: Meter(6, 8), 7: Meter(7, 4)}


def _settled_meter(sheet, meter):
    """Return the meter asked for, or a chord line's own. Raises InputError where they differ; the places of a bar may be parts of a beat."""
    own = sheet.meter
    if meter is None or own is None:
        return meter or own or Meter()
    is_part = sheet.meter_is_counted and not (own.beats % meter.beats and meter.beats % own.beats)
    if own != meter and not is_part:
        raise InputError(f"the chord line is in {own}, but the meter is {meter}; give --meter {own}, or write the bars in {meter}")
    return meter


@lru_cache(64)
def key_of_line(text):
    """Return the key that a chord line's numerals are read in, where none is given: its own, "G: I V vi IV", or C; None without numerals."""
    sheet = read_sheet(text)
    tokens, key = without_key(tokens_of(numerals_for_numbers(sheet.text)))
    return sheet.key or key or key_of_numerals(tokens)


def _as_chords(tokens):
    """Return the tokens of a chord line in which small letters are chords too: am F c G."""
    result = []
    for token in with_spoken_bass(tokens):
        upper = token.text[:1].upper() + token.text[1:]
        is_small = token.kind in ("WORD", "ROMAN") and re.match("[a-g]", token.text) and token.value not in FILLERS | SECTIONS
        if is_small and symbol_of(upper) == ("CHORD", upper):
            token = replace(token, kind="CHORD", value=upper)
        if (
            token.kind == "CHORD" and len(result) > 1 and result[-2].kind == "QUANTITY" and result[-1].value == "of"
        ):  # "2 bars of C"
            length = result[-2]
            del result[-2:]
            result += [token, length]
            continue
        result.append(token)
    return result


def _with_times(tokens):
    """Turn "0:00 C 0:04 G" and "0.0 C 2.5 G" into chords with start times; other lines stay as they are."""
    marks = [token for token in tokens if token.kind not in ("GAP", "LINE", "LEFT", "RIGHT")]
    times, chords = marks[::2], marks[1::2]
    seconds = [
        t.value[0] if t.kind == "QUANTITY" else t.value
        for t in times
        if t.kind in ("CLOCK", "NUMBER") or (t.kind == "QUANTITY" and t.value[1] == "s")
    ]
    is_timed = len(seconds) == len(times) == len(chords) > 1 and all(c.kind == "CHORD" for c in chords)
    if not is_timed or seconds[0] != 0 or sorted(set(seconds)) != seconds:
        return tokens
    return [replace(c, kind="TIMED", value=(float(t), c.value)) for t, c in zip(seconds, chords, strict=True)]


def _timed(tokens, key):
    timed = []
    for token in tokens:
        if token.kind in ("GAP", "LINE"):
            continue
        if token.kind != "TIMED":
            raise InputError(
                f"{quoted(token.text)} has no start time while the first chord has; write all as seconds:chord, '0:C 2.5:G'"
            )
        start_s, symbol = token.value
        if start_s > MAX_START_S:
            raise InputError(f"the chord time {quoted(token.text)} is above {MAX_START_S} s; give seconds from the clip's start")
        if timed and start_s <= timed[-1][0]:
            raise InputError(f"chord times must rise, but {quoted(token.text)} comes after {timed[-1][0]:g} s")
        timed.append((start_s, parse_symbol(symbol, key)))
    return tuple(timed)


def _no_chords(written, notes):
    """Return the InputError of a line without chords, with what is left out of it."""
    said = quoted(written) if written else "the chord line"
    words = "; words and forms go into the prompt" if re.search("[A-Za-z]{3}", written) and not notes else ""
    return InputError("; ".join([f"no chords in {said}; write chords such as 'C G Am F', or leave it out{words}", *notes[:1]]))


@dataclass(frozen=True)
class Progression:
    """Chords in time. Either `bars` (each a tuple of (chord, beats)) or `timed` ((start in seconds, chord), ...)."""

    bars: tuple = ()
    timed: tuple = ()
    notes: tuple = field(default=(), compare=False)

    @classmethod
    @lru_cache(8)  # a request is settled in several steps
    def parse(cls, text, meter=None, key=None):
        """Read a chord line or chart.

        `C G Am F`: one chord a bar. `C | G Am | F:2 G:2`: bars; the chords of a bar share it (three in 4/4: 2, 1, 1), `:n` gives beats (a number above the
        meter's beats that is a chord type is one: `C:7` is C7 in 4/4, `C:8` two bars), "C half", C(2) and "2 bars C" too, `%` is the bar before again, an empty bar holds the chord, `.`
        or `/` is one place more. `0:C 2.5:G`: starts in seconds. |: :| (with x3, with endings 1. and 2.), (C G)x2 and "C G x2" are
        played out; [Verse] and Chorus: are marks, and one without chords plays that section again. Chords may be spoken: "B flat minor 7". Commas, arrows, dashes and other signs
        between chords are passed over. Roman numerals are read in `key` (when None in C major, or in C minor where the tonic is a
        small i). What else a line says, "4/4 | C F |", "120 bpm C F", lyrics, (let ring), is left out of the chords; see `read_sheet`.
        `meter` None: the line's own, or 4/4. `notes` of the result: what is left out. Raises InputError, which names the place.
        """
        sheet, written = read_sheet(text), " ".join(text.split())
        text, meter = sheet.text, _settled_meter(sheet, meter)
        tokens, own_key = without_key(tokens_of(numerals_for_numbers(text)))
        own_key, notes = sheet.key or own_key, sheet.notes
        if not tokens:
            raise _no_chords(written, notes)
        if key and own_key and not key.same_as(own_key):
            notes += (f"the chord line says {own_key}; {key} is played",)
        key = key or own_key or key_of_numerals(tokens)
        tokens, length_notes = with_lengths(with_inversions(without_bar_numbers(with_endings(tokens))), meter)
        tokens, minor_notes = in_minor_key(tokens, key)
        tokens, more_notes = without_separators(tokens, meter)
        notes += minor_notes + length_notes + more_notes + notes_of_sixths(tokens) + notes_of_basses(tokens)
        tokens = _with_times(tokens)
        if tokens[0].kind == "TIMED":
            return cls(timed=_timed(tokens, key), notes=notes)
        tokens, recall_notes = with_recalled(_as_chords(tokens))
        notes += recall_notes
        barred = is_barred(tokens)
        symbols = play_out(with_bars_of_long_regions(tokens) if barred else tokens)
        if not any(token.kind == "SYMBOL" for token in symbols):
            raise _no_chords(written, notes)
        if barred:
            return cls(tuple(read_bars(bars_of(symbols), meter, key)), notes=notes)
        events = read_sequence(symbols, meter, key)
        if any(token.kind == "HOLD" for token in symbols):  # the last chord fills its bar
            chord, beats = events[-1]
            events[-1] = (chord, beats + -sum(n for _, n in events) % meter.beats)
        return cls(tuple(packed(events, meter)), notes=notes)

    @property
    def chords(self):
        """All chords in order."""
        return [c for _, c in self.timed] or [c for bar in self.bars for c, _ in bar]

    def lay_out(self, bpm, duration_s, whole=True, longest_s=math.inf):
        """Return (chords, start times) over `duration_s`; bars are repeated until it is full, equal neighbours merged.

        Raises InputError when `whole` and a chord would start only after the end; `longest_s` is the longest clip to be had.
        """
        if self.timed:
            events = [(t, c) for t, c in self.timed]
            if events[0][0] > 0:
                events.insert(0, (0.0, NO_CHORD))
            length_s = duration_s
        else:
            events, beat = [], 0.0
            for bar in self.bars:
                for chord, beats in bar:
                    events.append((beat * 60 / bpm, chord))
                    beat += beats
            length_s = beat * 60 / bpm
        late = next(((t, c) for t, c in events if t >= duration_s - 1e-6), None)
        if late and whole:
            needed_s = math.ceil(round(max(length_s, events[-1][0] + 1), 6))
            longer = f", or a duration of {needed_s} s or more" if needed_s <= longest_s else ""
            raise InputError(
                f"chord {late[1]} would start at {late[0]:.2f} s, but the clip ends at {duration_s:.2f} s; "
                f"give fewer chords, several a bar ('C G | Am F'), a faster tempo{longer}"
            )
        chords, times, repeat = [], [], 0
        while repeat * length_s < duration_s - 1e-6:
            for t, chord in events:
                start_s = t + repeat * length_s
                if start_s < duration_s - 1e-6 and (not chords or chords[-1] != chord):
                    chords.append(chord)
                    times.append(round(start_s, 6))
            repeat += 1
        return chords, times
