"""The chords of bars -> how many beats each lasts, so that every bar is filled."""

import re
from itertools import pairwise

from musicbench import InputError, quoted
from musicbench.music.numerals import parse_symbol


def _read_symbol(token, meter, key):
    """Return (chord, beats or None) of a symbol that may end in ":n". Raises InputError, which names the place."""
    match = re.fullmatch(r"(.+):(\d+(?:\.\d+)?)", token.value)
    try:
        if match and 0 < float(match[2]) <= meter.beats:
            return parse_symbol(match[1], key), float(match[2])
        return parse_symbol(token.value, key), None
    except InputError as error:
        raise InputError(f"{error} (at character {token.start + 1} of the chord line)") from None


def read_bars(bars, meter, key):
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
            for bar in packed(read_sequence(tokens, meter, key), meter):
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
            f"the bar {quoted(text)} holds {taken:g} beats, {meter} has {meter.beats}; lengthen a chord, or set bars "
            "apart with |: 'F:2 G:2 | C'"
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


def read_sequence(tokens, meter, key):
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


def packed(events, meter):
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
            f"the chords of the last bar hold {meter.beats - free:g} beats, {meter} has {meter.beats}; lengthen a "
            "chord, or set bars apart with |: 'F:2 G:2 | C'"
        )
    return bars
