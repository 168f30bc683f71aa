"""Chords in time: the chord line that a user writes, read into a `Progression`; the beat grid.

Times are seconds, lengths beats of the meter.
"""

import math
import re
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise

from lark import Lark, UnexpectedInput
from lark import Token as Terminal
from lark.lexer import Lexer

from musicbench import InputError
from musicbench.theory import NO_CHORD, Meter, numeral_key, parse_symbol, quoted
from musicbench.tokens import Token, normalised, symbol_of, tokens_of


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


MAX_LINE = 20_000  # characters: 120 s with a chord on every beat
MAX_START_S = 100_000

# ---------------------------------------------------------------------------------------------------- the grammar of charts

# A repeat may begin without |: at the start or after the repeat before. The terminals are kinds of musicbench.tokens.
GRAMMAR = """
line: segment (close segment)*
close: CLOSE TIMES?
segment: atom* (OPEN atom*)?
?atom: SYMBOL | BAR | SAME | HOLD | LENGTH | MARK | ENDING | TIMES | LINE | group
group: _LEFT inside _RIGHT TIMES?
inside: atom+
%declare SYMBOL BAR SAME HOLD LENGTH MARK ENDING TIMES LINE _LEFT _RIGHT OPEN CLOSE
"""
REMEDIES = {
    "CLOSE": "a repeat inside brackets ends outside of them; close the bracket first",
    "OPEN": "a repeat |: is left open before it; end it with :| or write a plain bar line |",
    "_RIGHT": "a bracket is closed that was not opened; leave it out",
    "$END": "a bracket is left open; close it with )",
}
SECTIONS = {
    "verse", "chorus", "bridge", "intro", "outro", "refrain", "hook", "solo", "coda", "interlude", "break", "tag", "head", "turnaround", "prechorus",
    "pre-chorus", "pre", "post", "ending", "vamp", "section", "part", "instrumental", "strophe", "theme", "end", "drop", "build", "middle",
}  # fmt: skip
FILLERS = {
    "and",
    "then",
    "to",
    "back",
    "followed",
    "by",
    "repeat",
    "repeated",
    "loop",
    "etc",
    "each",
    "for",
    "the",
    "chord",
    "chords",
    "=",
    "per",
}
_SPOKEN_TIMES = {"twice": 2, "thrice": 3}


class _TokenLexer(Lexer):
    """Hand the tokens that are there to lark."""

    def __init__(self, lexer_conf):
        pass

    def lex(self, data):
        for token in data:
            kind = {"LEFT": "_LEFT", "RIGHT": "_RIGHT"}.get(token.kind, token.kind)
            yield Terminal(kind, token, start_pos=token.start)


@cache
def _parser():
    return Lark(GRAMMAR, start="line", parser="lalr", lexer=_TokenLexer)


def _terminals(tokens):
    """Return the tokens under the grammar's names: chords and numerals are SYMBOLs, section marks MARKs; what only separates is left out.

    Raises InputError for a token that has no place in a chord line, and names the place.
    """
    tokens = list(_marked(tokens))
    barred = any(token.kind in ("BAR", "OPEN", "CLOSE", "CLOSE_OPEN") for token in tokens)
    held = barred or any(a.kind == b.kind == "HOLD" for a, b in pairwise(tokens))
    result = []
    for token in tokens:
        if token.kind in ("CHORD", "ROMAN"):
            result.append(replace(token, kind="SYMBOL"))
        elif token.kind == "CLOSE_OPEN":
            result += [replace(token, kind="CLOSE"), replace(token, kind="OPEN")]
        elif token.kind == "QUANTITY" and token.value[1] in ("bars", "beats"):
            result.append(replace(token, kind="LENGTH"))
        elif token.kind == "HOLD" and (held or token.text == "."):
            result.append(token)
        elif token.kind == "WORD" and token.value in _SPOKEN_TIMES:
            result.append(replace(token, kind="TIMES", value=_SPOKEN_TIMES[token.value]))
        elif token.kind in ("BAR", "OPEN", "CLOSE", "SAME", "TIMES", "LINE", "ENDING", "MARK", "LEFT", "RIGHT"):
            result.append(token)
        elif token.kind not in ("GAP", "STOP", "HOLD") and token.value not in FILLERS:
            _refuse(token)
    return _without_empty_brackets(result)


def _refuse(token):
    """Raise InputError for a token that is no part of a chord line."""
    try:
        parse_symbol(token.text)
        said = f"{quoted(token.text)} has no place in a chord line; write chords such as 'C G Am F'"
    except InputError as error:
        said = str(error)
        if re.match(r"H(?:[m#b\d]|$)", token.text):
            said = f"unknown chord {quoted(token.text)}; the German H is B here, and the German B is Bb"
    raise InputError(f"{said} (at character {token.start + 1} of the chord line)")


def _without_empty_brackets(tokens):
    """Take the brackets away from around what is no group: (C), (x2), (1 bar)."""
    result, i = [], 0
    while i < len(tokens):
        inside = tokens[i + 1 : i + 3]
        kinds = [token.kind for token in inside]
        if tokens[i].kind == "LEFT" and kinds[-1:] == ["RIGHT"] and kinds[0] in ("TIMES", "LENGTH", "SYMBOL", "MARK"):
            result.append(inside[0])
            i += 3
        elif tokens[i].kind == "LEFT" and kinds[:1] == ["RIGHT"]:  # what stood in them was left out: (repeat)
            i += 2
        else:
            result.append(tokens[i])
            i += 1
    return result


def _marked(tokens):
    """Yield the tokens with those of a section mark, [Verse 2] or Chorus:, as one MARK."""
    letters = _rehearsal_letters(tokens)
    i = 0
    while i < len(tokens):
        end = _mark_end(tokens, i, letters)
        if end:
            yield replace(tokens[i], kind="MARK", value=" ".join(token.text for token in tokens[i:end]))
        else:
            yield tokens[i]
        i = end or i + 1


def _rehearsal_letters(tokens):
    """Return {place: the place after it} of [A], [B] ... or A:, B: ... where they are marks: in this order, beside other chords."""
    ends = {}
    for i, (token, after) in enumerate(pairwise(tokens)):
        if _is_letter(token) and after.text == ":":
            ends[i] = i + 2
        elif i and _is_letter(token) and tokens[i - 1].text == "[" and after.text == "]":
            ends[i - 1] = i + 2
    named = [next(t.text for t in tokens[i : i + 2] if t.kind == "CHORD") for i in ends]
    in_order = named[:1] == ["A"] and all(ord(b) - ord(a) in (0, 1) or b == "A" for a, b in pairwise(named))
    is_beside = sum(token.kind in ("CHORD", "ROMAN") for token in tokens) > len(ends)
    return ends if in_order and is_beside else {}


def _is_letter(token):
    return token.kind == "CHORD" and len(token.text) == 1


def _mark_end(tokens, i, letters):
    """Return the place after a section mark that begins at `i`, 0 where none does."""
    token, after = tokens[i], tokens[i + 1] if i + 1 < len(tokens) else None
    if i in letters:
        return letters[i]
    if token.kind == "LEFT":
        end = next((j for j in range(i + 1, min(i + 7, len(tokens))) if tokens[j].kind == "RIGHT"), 0)
        inside = tokens[i + 1 : end]
        is_mark = any(
            t.kind == "WORD" and (token.text == "[" or t.value in SECTIONS) and t.value not in FILLERS | set(_SPOKEN_TIMES)
            for t in inside
        )
        return end + 1 if is_mark else 0
    if _is_letter(token) and after and after.value in ("section", "part"):
        return _mark_tail(tokens, i + 2)
    if token.kind == "WORD" and token.value in SECTIONS:
        return _mark_tail(tokens, i + 1)
    return 0


def _mark_tail(tokens, i):
    """Pass over what belongs to a mark after its first word: "-chorus", a number, a letter, a colon."""
    while i < len(tokens) and (
        tokens[i].value in SECTIONS or tokens[i].value == "joined" or (tokens[i].kind == "NUMBER" and tokens[i].value < 20)
    ):
        i += 1
    if i + 1 < len(tokens) and _is_letter(tokens[i]) and tokens[i + 1].text == ":":
        i += 1
    return i + 1 if i < len(tokens) and tokens[i].text in (":", "-") else i


# ---------------------------------------------------------------------------------------------------- repeats are played

_SOFT_BAR = Token("LINE", "", "", 0, 0)  # between the times that something is played: a bar line where none is yet


def _played(tokens):
    """Return the tokens of a chord line in the order in which they are played, repeats and endings written out. Raises InputError."""
    terminals = _terminals(tokens)
    try:
        tree = _parser().parse(terminals)
    except UnexpectedInput as error:
        kind, token = error.token.type, error.token.value
        place = f"{quoted(token.text)} at character {token.start + 1}" if isinstance(token, Token) else "the end"
        remedy = REMEDIES.get(kind, "write chords, with bar lines | between bars")
        raise InputError(f"the chord line cannot be read at {place}: {remedy}") from None
    played = _play_segments(tree.children)
    if len(played) > MAX_LINE:
        raise InputError(f"with its repeats the chord line has {len(played)} symbols, above {MAX_LINE}; repeat less")
    return played


def _play_segments(children):
    """Play segments and the repeat signs between them; `common` is what is played again before a second ending."""
    played, common = [], []
    for i in range(0, len(children), 2):
        before, repeated, is_open = _split_open(children[i])
        close = children[i + 1] if i + 1 < len(children) else None
        if close is None:
            if is_open:
                raise InputError("a repeat |: is left open; end it with :| or write a plain bar line |")
            before, repeated = before + repeated, []
        elif not is_open:
            before, repeated = [], before
        if _begins_with_ending(before):
            played += [*common, _SOFT_BAR]
        played += [*_without_endings(before), _SOFT_BAR]
        if close is None:
            continue
        if _begins_with_ending(repeated):
            passes, repeated = _split_ending(repeated)[1:]
        else:
            common, passes, ending = _split_ending(repeated)
            repeated, passes = ending, passes or _times(close, 2)
        if len(played) + passes * (len(common) + len(repeated)) > 2 * MAX_LINE:
            raise InputError(f"with its repeats the chord line has more than {MAX_LINE} symbols; repeat less")
        played += passes * [*common, *repeated, _SOFT_BAR]
    return played


def _times(tree, otherwise):
    return next((terminal.value.value for terminal in tree.children if getattr(terminal, "type", "") == "TIMES"), otherwise)


def _split_open(segment):
    """Return (what is played before |:, what after it, whether there is one)."""
    opens = [i for i, child in enumerate(segment.children) if getattr(child, "type", "") == "OPEN"]
    if not opens:
        return _flat(segment.children), [], False
    return _flat(segment.children[: opens[0]]), _flat(segment.children[opens[0] + 1 :]), True


def _begins_with_ending(tokens):
    return next((token.kind == "ENDING" for token in tokens if token.kind not in ("BAR", "LINE", "MARK")), False)


def _split_ending(tokens):
    """Return (what stands before the first ending, how often it is played or None, the ending)."""
    at = next((i for i, token in enumerate(tokens) if token.kind == "ENDING"), None)
    if at is None:
        return [], None, tokens
    return tokens[:at], tokens[at].value, [_SOFT_BAR, *tokens[at + 1 :]]


def _without_endings(tokens):
    return [_SOFT_BAR if token.kind == "ENDING" else token for token in tokens]


def _flat(children):
    """Return the tokens of atoms, groups and "x2" written out."""
    flat, phrase = [], 0  # phrase: where the present line or section begins
    for i, child in enumerate(children):
        if not hasattr(child, "type"):
            flat += _repeated(_flat(child.children[0].children), _times(child, 1))
            continue
        token = child.value
        if token.kind == "TIMES":
            rest = [getattr(c, "type", "") for c in children[i + 1 :]]
            ends = next((kind in ("LINE", "MARK") for kind in rest if kind != "BAR"), True)
            start = phrase if ends else max((j for j, t in enumerate(flat) if t.kind == "SYMBOL"), default=len(flat))
            flat[start:] = _repeated(flat[start:], token.value)
            continue
        flat.append(token)
        if token.kind in ("LINE", "MARK"):
            phrase = len(flat)
    return flat


def _repeated(tokens, times):
    if times * len(tokens) > 2 * MAX_LINE:
        raise InputError(f"with its repeats the chord line has more than {MAX_LINE} symbols; repeat less")
    has_bars = any(token.kind == "BAR" for token in tokens)
    return times * [*tokens, *[_SOFT_BAR] * has_bars]


# ---------------------------------------------------------------------------------------------------- bars


def _bars_of(tokens):
    """Split played tokens into bars: lists of tokens, [] for an empty one, in which the chord before goes on."""
    bars, bar, lines, is_soft = [], [], 0, False
    for token in [*tokens, _SOFT_BAR]:
        if token.kind in ("BAR", "LINE", "MARK"):
            lines, is_soft = lines + (token.kind == "BAR"), is_soft or token.kind != "BAR"
            if bar:
                bars.append(bar)
                bar = []
            continue
        if bars and not bar and lines > 1 and not is_soft:
            bars += [[] for _ in range(lines - 1)]
        bar.append(token)
        lines, is_soft = 0, False
    return bars


def unfolded(text):
    """Write a chord line with its repeats, endings and section marks played out. Raises InputError."""
    tokens = tokens_of(normalised(text))
    played = _played(tokens)
    if any(token.kind in ("BAR", "OPEN", "CLOSE", "CLOSE_OPEN") for token in tokens):
        return " | ".join(" ".join(map(_written, bar)) for bar in _bars_of(played))
    return " ".join(_written(token) for token in played if token.kind not in ("LINE", "MARK"))


def _written(token):
    if token.kind == "LENGTH":
        return f"({token.value[0]:g} {token.value[1]})"
    return str(token.value) if token.kind == "SYMBOL" else token.text


def _as_chords(tokens):
    """Return the tokens of a chord line in which small letters are chords too: am F c G."""
    result = []
    for token in tokens:
        upper = token.text[:1].upper() + token.text[1:]
        is_small = token.kind in ("WORD", "ROMAN") and re.match("[a-g]", token.text) and token.value not in FILLERS | SECTIONS
        if is_small and symbol_of(upper) == ("CHORD", upper):
            token = replace(token, kind="CHORD", value=upper)
        result.append(token)
    return result


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
        if kinds[1:] == ["LENGTH"] and tokens[1].value[1] == "bars":
            for bar in _packed(_read_sequence(tokens, meter, key), meter):
                yield bar
                before = bar
            continue
        before = _read_bar(tokens, meter, key, before)
        yield before


def _read_bar(tokens, meter, key, before):
    """Return ((chord, beats), ...) of one bar, which its chords fill."""
    holds = [token for token in tokens if token.kind in ("HOLD", "SAME")]
    only_slashes = all(token.text == "/" for token in holds)
    if only_slashes and len(tokens) < meter.beats and len(tokens) % 2:  # "C / G" separates
        tokens = [token for token in tokens if token.kind != "HOLD"]
        holds = []
    chords, lengths = [], []
    for token in tokens:
        if token.kind == "SYMBOL":
            chord, beats = _read_symbol(token, meter, key)
            chords.append(chord)
            lengths.append(meter.beats / len(tokens) if holds and beats is None else beats)
        elif token.kind == "LENGTH" and chords:
            lengths[-1] = float(token.value[0]) * (meter.beats if token.value[1] == "bars" else 1)
        elif not chords:
            if not before:
                raise InputError(f"unknown chord {quoted(token.text)} at the start: there is no chord before it")
            chords.append(before[-1][0])
            lengths.append(meter.beats / len(tokens))
        elif token.kind in ("HOLD", "SAME"):
            lengths[-1] += meter.beats / len(tokens)
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
    return tuple((c, n or left / open_places) for c, n in zip(chords, lengths, strict=True))


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
    return events


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


@dataclass(frozen=True)
class Progression:
    """Chords in time. Either `bars` (each a tuple of (chord, beats)) or `timed` ((start in seconds, chord), ...)."""

    bars: tuple = ()
    timed: tuple = ()

    @classmethod
    def parse(cls, text, meter=Meter(), key=None):  # noqa: B008 (frozen)
        """Read a chord line or chart.

        `C G Am F`: one chord a bar. `C | G Am | F:2 G:2`: bars; the chords of a bar share it, `:n` gives beats (n up to the meter's
        beats; a larger number is a chord type, so `C:7` is C7 in 4/4), `%` is the bar before again, an empty bar holds the chord, `.`
        or `/` is one place more. `0:C 2.5:G`: starts in seconds. |: :| (with x3, with endings 1. and 2.), (C G)x2 and "C G x2" are
        played out; [Verse] and Chorus: are marks. Chords may be spoken: "B flat minor 7". Commas, arrows, dashes and other signs
        between chords are passed over. Roman numerals are read in `key` (when None in C major, or in C minor where the tonic is a
        small i). Raises InputError, which names the place.
        """
        text = normalised(text)
        if len(text) > MAX_LINE:
            raise InputError(f"the chord line has {len(text)} characters, above {MAX_LINE}; shorten it")
        tokens = tokens_of(text)
        if not tokens:
            raise InputError("no chords in the chord line; write chords such as 'C G Am F', or leave it out")
        key = key or numeral_key(" ".join(token.value for token in tokens if token.kind == "ROMAN"))
        if tokens[0].kind == "TIMED":
            return cls(timed=_timed(tokens, key))
        played = _played(_as_chords(tokens))
        if not any(token.kind == "SYMBOL" for token in played):
            raise InputError(f"no chords in {quoted(text)}; write chords such as 'C G Am F', or leave it out")
        if any(token.kind in ("BAR", "OPEN", "CLOSE", "CLOSE_OPEN") for token in tokens):
            return cls(bars=tuple(_read_bars(_bars_of(played), meter, key)))
        return cls(bars=tuple(_packed(_read_sequence(played, meter, key), meter)))

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
