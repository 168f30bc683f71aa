"""Chords in time: the chord line that a user writes, read into a `Progression`; the beat grid.

Times are seconds, lengths beats of the meter.
"""

import math
import re
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import pairwise

from musicbench import InputError, quoted
from musicbench.music.barnumbers import with_endings, without_bar_numbers
from musicbench.music.bars import bars_of, is_barred, with_bars_of_long_regions
from musicbench.music.chart import play_out
from musicbench.music.chords import NO_CHORD, Chord
from musicbench.music.keys import Key
from musicbench.music.lengths import with_lengths, without_separators
from musicbench.music.lexer import tokens_of
from musicbench.music.meters import Meter
from musicbench.music.normalise import normalised
from musicbench.music.numbers import numerals_for_numbers, spaced_degrees
from musicbench.music.numerals import is_figured, is_numeral_bass, numeral_key, parse_symbol
from musicbench.music.plain import SMALL_SLASH, capital, from_ireal, plain_line, plain_signs
from musicbench.music.sections import FILLERS, MAX_LINE, SECTIONS, section_marks, with_form, with_recalled
from musicbench.music.sheets import sheet_of
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


def key_of_line(text):
    """Return the key that a chord line's numerals are read in, where none is given: its own, "G: I V vi IV", or C; None without numerals."""
    sheet = read_sheet(text)
    tokens, key = _without_key(tokens_of(numerals_for_numbers(sheet.text)))
    return sheet.key or key or _key_of_numerals(tokens)


def _key_of_numerals(tokens):
    """Return the key that numerals are read in, None without any; V: and I: may be names of sections."""
    names = {i for first, end in section_marks(tokens) for i in range(first, end)}
    return numeral_key(" ".join(token.value for i, token in enumerate(tokens) if token.kind == "ROMAN" and i not in names))


def _without_key(tokens):
    """Return (tokens, key or None): beside numerals the one chord that begins or ends the line names their key, "in G", "G:", "(G)"."""
    places = [i for i, token in enumerate(tokens) if token.kind == "CHORD" and token.value != "N"]
    numerals = [i for i, token in enumerate(tokens) if token.kind == "ROMAN"]
    if len(places) != 1 or not numerals or numerals[0] < places[0] < numerals[-1]:
        return tokens, None
    (place,) = places
    key = re.fullmatch(r"([A-G][#b]?)(m|maj|min)?", tokens[place].value)
    if not key:
        return tokens, None
    beside = tokens[: numerals[0]] if place < numerals[0] else tokens[numerals[-1] + 1 :]
    spare = [t for t in beside if t.kind in ("WORD", "LEFT", "RIGHT", "STOP", "GAP", "CHORD")]
    if any(t.kind == "WORD" and t.value not in ("in", "key", "of", "the", "major", "minor") for t in spare):
        return tokens, None
    return [t for t in tokens if t not in spare], Key(key[1], "minor" if key[2] in ("m", "min") else "major")


_OVER = ("over", "slash", "on")
_BESIDE_BASS = {"a", "an", "the", "in", "at", "as", "for", "bass", "bottom", "note", "its", "joined"}


def _with_spoken_bass(tokens):
    """Return the tokens with "C over E", "C with E in the bass" and "C in first inversion" as C/E."""
    result, place = [], 0
    while place < len(tokens):
        token, place = tokens[place], place + 1
        if token.kind == "CHORD":
            bass, end = _spoken_bass(tokens, place)
            inversion, after = _spoken_inversion(tokens, place)
            if bass:
                token, place = replace(token, value=f"{token.value}/{bass}"), end
            elif inversion is not None:
                chord = Chord.parse(str(token.value), keep_spelling=True).inverted(inversion)
                token, place = replace(token, value=str(chord)), after
        result.append(token)
    return result


def _spoken_bass(tokens, place):
    """Return (the bass that words at a place say, the place after them); (None, place) for others."""
    if place + 1 >= len(tokens) or tokens[place].value not in (*_OVER, "with"):
        return None, place
    note = next((i for i in range(place + 1, min(place + 6, len(tokens))) if tokens[i].value not in _BESIDE_BASS), len(tokens))
    name = capital(tokens[note].text) if note < len(tokens) else ""
    if not re.fullmatch("[A-G][#b]?", name) and note < len(tokens):
        name = str(tokens[note].value)  # F sharp
    end = note + 1
    while end < len(tokens) and tokens[end].value in _BESIDE_BASS:
        end += 1
    is_bass = tokens[place].value in _OVER or any(t.value in ("bass", "bottom") for t in tokens[place:end])
    return (name, end) if is_bass and re.fullmatch("[A-G][#b]?", name) else (None, place)


_INVERSIONS = {"root": 0, "first": 1, "1st": 1, "second": 2, "2nd": 2, "third": 3, "3rd": 3}


def _spoken_inversion(tokens, place):
    """Return (which inversion words at a place say, "in first inversion", the place after them); (None, place) for others."""
    place += place < len(tokens) and tokens[place].value == "in"
    words = [str(token.value) for token in tokens[place : place + 2]]
    is_said = len(words) == 2 and words[0] in _INVERSIONS and words[1] in ("inversion", "position")
    return (_INVERSIONS[words[0]], place + 2) if is_said else (None, place)


def _with_inversions(tokens):
    """Return the tokens with I6 and IV6 as first inversions where another numeral has figured bass: "I V6 vi I6"."""
    numerals = [token.value for token in tokens if token.kind == "ROMAN"]
    if "bII6" in numerals and ("i" in numerals or any(re.match("V(?!I)", numeral) for numeral in numerals)):  # the Neapolitan sixth
        tokens = [replace(t, value="bII63") if t.kind == "ROMAN" and t.value == "bII6" else t for t in tokens]
    if not any(map(is_figured, numerals)):
        return tokens
    return [replace(t, value=f"{t.value}3") if t.kind == "ROMAN" and re.fullmatch("[b#]?[IViv]+6", t.value) else t for t in tokens]


def _notes_of_sixths(tokens):
    """Return notes of I6 and IV6 among triads, which others read as first inversions."""
    numerals = [str(token.value) for token in tokens if token.kind == "ROMAN"]
    sixths = [numeral for numeral in numerals if re.fullmatch("(?:I|IV|i|iv)6", numeral)]
    is_plain = all(re.fullmatch("[b#]?[IViv]+[°+]?|V7", numeral) for numeral in numerals if numeral not in sixths)
    if not sixths or not is_plain or len(sixths) == len(numerals):
        return ()
    (said, third) = (sixths[0], f"{sixths[0][:-1]}/3")
    return (f"'{said}' in the chord line is read as an added sixth; write {third} for the first inversion",)


_IN_MINOR = {"I": "i", "ii": "ii°", "ii7": "iiø7", "iii": "III", "IV": "iv", "V": "V", "V7": "V7"}


def _in_minor_key(tokens, key):
    """Return (tokens, notes): numerals of a major pattern, "ii V I", beside a minor key are those of that key, ii° V i."""
    numerals = [token.value for token in tokens if token.kind == "ROMAN"]
    if key is None or key.mode != "minor" or len(set(numerals)) < 2 or "I" not in numerals or not set(numerals) <= set(_IN_MINOR):
        return tokens, ()
    read = [replace(token, value=_IN_MINOR[token.value]) if token.kind == "ROMAN" else token for token in tokens]
    said, meant = " ".join(dict.fromkeys(numerals)), " ".join(dict.fromkeys(_IN_MINOR[numeral] for numeral in numerals))
    return read, (f"{quoted(said)} in {key} is read as {meant}; write chords such as {key.tonic} for others",)


def _notes_of_basses(tokens):
    """Return notes of numerals over a numeral that could be another key's degree as well: IV/V."""
    pairs = [str(token.value).partition("/") for token in tokens if token.kind == "ROMAN"]
    said = next((f"{over}/{below}" for over, _, below in pairs if below != "I" and is_numeral_bass(over, below)), None)
    return (f"'{said}' in the chord line is read as a chord over a bass, not as a degree of another key",) if said else ()


def _as_chords(tokens):
    """Return the tokens of a chord line in which small letters are chords too: am F c G."""
    result = []
    for token in _with_spoken_bass(tokens):
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
            raise InputError(f"{token.text!r} has no start time while the first chord has; write all as seconds:chord, '0:C 2.5:G'")
        start_s, symbol = token.value
        if start_s > MAX_START_S:
            raise InputError(f"the chord time {quoted(token.text)} is above {MAX_START_S} s; give seconds from the clip's start")
        if timed and start_s <= timed[-1][0]:
            raise InputError(f"chord times must rise, but {token.text!r} comes after {timed[-1][0]:g} s")
        timed.append((start_s, parse_symbol(symbol, key)))
    return tuple(timed)


def _read_symbol(token, meter, key):
    """Return (chord, beats or None) of a symbol that may end in ":n". Raises InputError, which names the place."""
    match = re.fullmatch(r"(.+):(\d+(?:\.\d+)?)", token.value)
    try:
        if match and 0 < float(match[2]) <= meter.beats:
            return parse_symbol(match[1], key), float(match[2])
        return parse_symbol(token.value, key), None
    except InputError as error:
        raise InputError(f"{error} (at character {token.start + 1} of the chord line)") from None


def _read_bars(bars, meter, key):
    """Yield bars ((chord, beats), ...) of lists of tokens."""
    before = ()
    for tokens in bars:
        kinds = [token.kind for token in tokens]
        if kinds in ([], ["SAME"]) or set(kinds) == {"HOLD"}:
            if not before:
                raise InputError(
                    f"unknown chord {quoted(' '.join(t.text for t in tokens))} at the start: there is no bar before it"
                )
            bar = before if kinds == ["SAME"] else ((before[-1][0], float(meter.beats)),)
            yield bar
            before = bar
            continue
        if kinds[1:] == ["LENGTH"] and _in_bars(tokens[1].value, meter):
            for bar in _packed(_read_sequence(tokens, meter, key), meter):
                yield bar
                before = bar
            continue
        before = _read_bar(tokens, meter, key, before)
        yield before


def _each_hold_a_beat(tokens, meter):
    """Return the tokens of a bar with a hold less behind each held chord, where each hold is a beat: "C... G" in 4/4 holds C for three."""
    kinds = [token.kind for token in tokens]
    firsts = [i for i, (a, b) in enumerate(pairwise(kinds)) if (a, b) == ("SYMBOL", "HOLD")]
    if len(tokens) <= meter.beats or len(tokens) - len(firsts) != meter.beats or set(kinds) != {"SYMBOL", "HOLD"}:
        return tokens
    return [token for i, token in enumerate(tokens) if i - 1 not in firsts]


def _in_bars(length, meter):
    """Return whether a length is in bars, or fills several."""
    number, unit = length
    return unit == "bars" and number >= 1 or unit == "beats" and number > meter.beats and number % meter.beats == 0


def _read_bar(tokens, meter, key, before):
    """Return ((chord, beats), ...) of one bar, which its chords fill."""
    holds = [token for token in tokens if token.kind in ("HOLD", "SAME")]
    tokens = _each_hold_a_beat(tokens, meter)
    only_slashes = all(token.text == "/" for token in holds)
    if only_slashes and len(tokens) < meter.beats and len(tokens) % 2:  # "C / G" separates
        tokens = [token for token in tokens if token.kind != "HOLD"]
        holds = []
    chords, lengths = [], []
    for token, place in zip(tokens, shares(meter.beats, len(tokens)), strict=True):
        if token.kind == "SYMBOL":
            chord, beats = _read_symbol(token, meter, key)
            chords.append(chord)
            lengths.append(place if holds and beats is None else beats)
        elif token.kind == "LENGTH" and chords:
            lengths[-1] = float(token.value[0]) * (meter.beats if token.value[1] == "bars" else 1)
        elif not chords:
            if not before:
                raise InputError(f"unknown chord {quoted(token.text)} at the start: there is no chord before it")
            chords.append(before[-1][0])
            lengths.append(place)
        elif token.kind in ("HOLD", "SAME"):
            lengths[-1] += place
    return _filled(chords, lengths, meter, " ".join(token.text for token in tokens))


def _filled(chords, lengths, meter, text):
    """Share what is left of a bar among the chords without a length. Raises InputError where the bar is not filled."""
    taken, open_places = sum(n for n in lengths if n), lengths.count(None)
    left = meter.beats - taken
    if left < -1e-9 or (open_places and left < 1e-9):
        raise InputError(f"the bar {quoted(text)} holds {taken:g} beats or more, {meter} has {meter.beats}; shorten it")
    if not open_places and left > 1e-9:
        raise InputError(
            f"the bar {quoted(text)} holds {taken:g} beats, {meter} has {meter.beats}; lengthen a chord, or set bars apart with |: 'F:2 G:2 | C'"
        )
    open_shares = iter(shares(left, open_places))
    return tuple((c, n or next(open_shares)) for c, n in zip(chords, lengths, strict=True))


def shares(beats, places):
    """Return how many of the beats each of the places in a bar has: all as many, in whole and half beats, or the first ones one more.

    `shares(4, 3) == [2, 1, 1]`, as in `C F G | Am`; `shares(3, 2) == [1.5, 1.5]`.
    """
    if not places or places > beats or beats % 1 or 2 * beats % places == 0:
        return places * [beats / max(places, 1)]
    each, more = divmod(int(beats), places)
    return more * [each + 1.0] + (places - more) * [float(each)]


def _read_sequence(tokens, meter, key):
    """Return [(chord, beats), ...] of a line without bar lines: a chord lasts a bar, as long as it says, or one beat and its holds."""
    events, is_held = [], any(token.kind == "HOLD" for token in tokens)
    for token in tokens:
        if token.kind == "SYMBOL":
            chord, beats = _read_symbol(token, meter, key)
            events.append((chord, beats or (1.0 if is_held else float(meter.beats))))
        elif token.kind in ("HOLD", "SAME", "LENGTH") and not events:
            raise InputError(f"unknown chord {quoted(token.text)} at the start: there is no chord before it")
        elif token.kind == "HOLD":
            events[-1] = (events[-1][0], events[-1][1] + 1)
        elif token.kind == "SAME":
            events.append(events[-1])
        elif token.kind == "LENGTH":
            count, unit = token.value
            events[-1] = (events[-1][0], count * (meter.beats if unit == "bars" else 1))
    slashes_only = [(chord, beats - 1) for chord, beats in events]  # "C// F//": each slash is a beat
    is_better = is_held and not _keeps_bars(events, meter) and _keeps_bars(slashes_only, meter)
    return slashes_only if is_better and sum(beats for _, beats in slashes_only) % meter.beats == 0 else events


def _keeps_bars(events, meter):
    """Return whether no chord of [(chord, beats), ...] crosses a bar line, but those that start with a bar."""
    at = 0.0
    for _, beats in events:
        if beats <= 0 or (at and at + beats > meter.beats + 1e-9):
            return False
        at = (at + beats) % meter.beats
    return True


def _packed(events, meter):
    """Split [(chord, beats), ...] into bars. Raises InputError where they do not fill the last one."""
    bars, bar, free = [], [], float(meter.beats)
    for chord, beats in events:
        while beats > 1e-9:
            here = min(beats, free)
            bar.append((chord, here))
            beats, free = beats - here, free - here
            if free < 1e-9:
                bars.append(tuple(bar))
                bar, free = [], float(meter.beats)
    if bar:
        raise InputError(
            f"the chords of the last bar hold {meter.beats - free:g} beats, {meter} has {meter.beats}; lengthen a chord, or set bars apart with |: 'F:2 G:2 | C'"
        )
    return bars


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
        tokens, own_key = _without_key(tokens_of(numerals_for_numbers(text)))
        own_key, notes = sheet.key or own_key, sheet.notes
        if not tokens:
            raise _no_chords(written, notes)
        if key and own_key and not key.same_as(own_key):
            notes += (f"the chord line says {own_key}; {key} is played",)
        key = key or own_key or _key_of_numerals(tokens)
        tokens, length_notes = with_lengths(_with_inversions(without_bar_numbers(with_endings(tokens))), meter)
        tokens, minor_notes = _in_minor_key(tokens, key)
        tokens, more_notes = without_separators(tokens, meter)
        notes += minor_notes + length_notes + more_notes + _notes_of_sixths(tokens) + _notes_of_basses(tokens)
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
            return cls(tuple(_read_bars(bars_of(symbols), meter, key)), notes=notes)
        events = _read_sequence(symbols, meter, key)
        if any(token.kind == "HOLD" for token in symbols):  # the last chord fills its bar
            chord, beats = events[-1]
            events[-1] = (chord, beats + -sum(n for _, n in events) % meter.beats)
        return cls(tuple(_packed(events, meter)), notes=notes)

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
