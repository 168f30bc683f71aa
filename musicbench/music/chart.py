"""A chord line or chart as text: its grammar; repeats, endings and groups played out into bars of symbols."""

import math
import re
from dataclasses import replace
from functools import cache
from itertools import pairwise

from lark import Lark, UnexpectedInput
from lark import Token as Terminal
from lark.lexer import Lexer

from musicbench import InputError, quoted
from musicbench.music.barnumbers import begins_ending, with_endings
from musicbench.music.bars import SOFT_BAR, bars_of, is_barred, with_bars_of_long_regions
from musicbench.music.chords import foreign_name
from musicbench.music.lexer import tokens_of
from musicbench.music.normalise import normalised
from musicbench.music.numerals import parse_symbol
from musicbench.music.sections import AGAIN, FILLERS, MAX_LINE, SAME_WORDS, SILENT_WORDS, SPOKEN_TIMES, marked
from musicbench.music.tokens import Token, symbol_of

# A repeat may begin without |: at the start or after the repeat before. The terminals are kinds of musicbench.music.tokens.
GRAMMAR = """
line: segment (close segment)*
close: CLOSE TIMES?
segment: atom* (OPEN atom*)?
?atom: SYMBOL | BAR | SAME | HOLD | LENGTH | MARK | ENDING | TIMES | LINE | group
group: _LEFT inside _RIGHT TIMES?
inside: atom+
%declare SYMBOL BAR SAME HOLD LENGTH MARK ENDING TIMES LINE _LEFT _RIGHT OPEN CLOSE
"""
_ADVICE = {
    "JUMP": "jumps such as D.C., D.S. and Fine are not played: write the bars out", "FRACTION": "give the meter with --meter",
    "TEMPO": "give the tempo with --tempo", "tempo": "give the tempo with --tempo", "bpm": "give the tempo with --tempo",
    "key": "give the key with --key", "capo": "write the chords as they sound", "or": "choose one of the chords",
    "in": "give the key with --key, the meter with --meter, the tempo with --tempo",
    "2nd": "write the second time out", "second": "write the second time out",
    "CLOCK": "write chord times as seconds:chord, '0:C 2.5:G'", "NUMBER": "write beats as C:2, bars as 'C (2 bars)'",
}  # fmt: skip
REMEDIES = {
    "CLOSE": "a repeat inside brackets ends outside of them; close the bracket first",
    "OPEN": "a repeat |: is left open before it; end it with :| or write a plain bar line |",
    "_RIGHT": "a bracket is closed that was not opened; leave it out",
    "$END": "a bracket is left open; close it with )",
}
MAX_TIMES = 99


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
    tokens = _repeats_counted(_counts_joined(marked(tokens)))
    barred = any(token.kind in ("BAR", "OPEN", "CLOSE", "CLOSE_OPEN") for token in tokens)
    held = barred or any(a.kind == b.kind == "HOLD" for a, b in pairwise(tokens)) or _each_is_held(tokens)
    result, has_comma = [], False
    for i, token in enumerate(tokens):
        has_comma = (has_comma or token.text == ",") and token.kind not in ("LINE", "MARK")
        is_after_one = has_comma and tokens[i - 1].kind in ("CHORD", "ROMAN") and re.search("[xX×*]", token.text)
        if token.kind == "CHORD" and re.match(r"[Bb]\W+(?:dur|moll)", token.text, re.IGNORECASE):
            raise InputError(
                f"{quoted(token.text)} at character {token.start + 1}: the German B is Bb here, and H is B; write Bb or Bbm"
            )
        if token.kind == "TIMES" and not 1 <= token.value <= MAX_TIMES:
            side = "below 1; play the chords once or more" if token.value < 1 else f"above {MAX_TIMES}; repeat less"
            raise InputError(f"{quoted(token.text)} at character {token.start + 1}: {token.value} times is {side}")
        if token.kind == "TIMES" and is_after_one:  # "C, G x2, Am", but not "C, G, 2 times"
            result.append(replace(token, text="x1"))
        elif token.kind == "WORD" and (token.value in SAME_WORDS or (token.value == "x" and barred)):
            result.append(replace(token, kind="SAME"))
        elif token.kind == "WORD" and token.value in SILENT_WORDS:
            result.append(replace(token, kind="SYMBOL", value="N"))
        elif token.kind in ("CHORD", "ROMAN"):
            result.append(replace(token, kind="SYMBOL"))
        elif token.kind == "CLOSE_OPEN":
            result += [replace(token, kind="CLOSE"), replace(token, kind="OPEN")]
        elif token.kind == "QUANTITY" and token.value[1] in ("bars", "beats"):
            result.append(replace(token, kind="LENGTH"))
        elif token.kind == "HOLD" and (held or token.text == "."):
            result.append(token)
        elif token.kind == "WORD" and token.value in SPOKEN_TIMES:
            result.append(replace(token, kind="TIMES", value=SPOKEN_TIMES[token.value]))
        elif barred and token.kind == "NUMBER" and token.value in (1, 2, 3, 4) and begins_ending(tokens, i):
            result.append(replace(token, kind="ENDING", value=1))
        elif token.kind in ("BAR", "OPEN", "CLOSE", "SAME", "TIMES", "LINE", "ENDING", "MARK", "LEFT", "RIGHT"):
            result.append(token)
        elif token.kind not in ("GAP", "STOP", "HOLD") and token.value not in FILLERS:
            _refuse(token, tokens[i + 1 :])
    is_count = [token.kind == "TIMES" for token in [*result[1:], SOFT_BAR]]
    behind_repeat = [False, *(token.kind == "CLOSE" for token in result)]
    drop = [
        a.kind == "LINE" and b and c for a, b, c in zip(result, is_count, behind_repeat, strict=False)
    ]  # :|, and x3 on the next line
    return _without_empty_brackets([token for token, is_dropped in zip(result, drop, strict=True) if not is_dropped])


def _each_is_held(tokens):
    """Return whether a sign stands behind each chord, the last one too: C / G / Am / F /."""
    kinds = [token.kind for token in tokens if token.kind in ("CHORD", "ROMAN", "HOLD")]
    return bool(kinds) and kinds[-1] == "HOLD" and kinds.count("HOLD") == len(kinds) / 2 and "HOLD" not in kinds[::2]


_COUNT = re.compile(r"[x×*](\d+)|(\d+)[x×]", re.IGNORECASE)


def _counts_joined(tokens):
    """Return the tokens with every count as one TIMES, too large ones too: x1000, x 1000, 100 times, times 4, x3 times."""
    result = []
    for token in tokens:
        before = result[-1] if result else None
        number, count = token.value if token.kind == "NUMBER" else None, _COUNT.fullmatch(token.text)
        if token.kind == "WORD" and count:
            result.append(replace(token, kind="TIMES", value=int(count[1] or count[2])))
        elif before and number is not None and before.value in ("x", "×", "times", "*"):
            result[-1] = replace(token, kind="TIMES", text=f"x{token.text}", value=int(number), start=before.start)
        elif before and token.value == "times" and before.kind in ("TIMES", "NUMBER"):
            result[-1] = replace(before, kind="TIMES", text=f"{before.text} times", value=int(before.value))
        else:
            result.append(token)
    return result


def _repeats_counted(tokens):
    """Return the tokens with "repeat" as TIMES 2, unless a count stands beside it: "repeat 3 times", "x3, repeat"."""
    result = []
    for i, token in enumerate(tokens):
        beside = [t for t in tokens[max(i - 2, 0) : i + 3] if t.kind == "TIMES" or t.value in SPOKEN_TIMES]
        is_again = token.kind == "WORD" and token.value in AGAIN
        is_group = i + 1 < len(tokens) and tokens[i + 1].kind == "MARK"
        if is_again and not beside and not is_group:
            token = replace(token, kind="TIMES", value=2)
        result.append(token)
    return result


def _refuse(token, behind):
    """Raise InputError for a token that is no part of a chord line; for note names of other tongues with those `behind` it."""
    advice = _ADVICE.get(token.kind) or _ADVICE.get(str(token.value).lower())
    if advice:
        raise InputError(f"{quoted(token.text)} at character {token.start + 1} is no part of a chord line; {advice}")
    try:
        parse_symbol(token.text)
        said = f"{quoted(token.text)} has no place in a chord line; write chords such as 'C G Am F'"
    except InputError as error:
        said = str(error)
        if re.fullmatch("[A-Z]?[a-z]{2,}", token.text) and re.search("this is a word|start with a root", said):
            said = f"unknown chord {quoted(token.text)}: this is a word; a chord line has chords alone, words go into the prompt"
    others = {other.text: name[1] for other in behind if (name := foreign_name(other.text)) and not symbol_of(other.text)}
    if foreign_name(token.text) and others:
        said += "; write " + ", ".join(f"{name} for {other}" for other, name in list(others.items())[:6])
    raise InputError(f"{said} (at character {token.start + 1} of the chord line)")


def _without_empty_brackets(tokens):
    """Take the brackets away from around what is no group: (C), (x2), (1 bar)."""
    result, i = [], 0
    while i < len(tokens):
        inside = tokens[i + 1 : i + 3]
        kinds = [token.kind for token in inside]
        if tokens[i].kind == "LEFT" and kinds[-1:] == ["RIGHT"] and kinds[0] in ("TIMES", "LENGTH", "SYMBOL", "MARK"):
            is_times = inside[0].kind == "TIMES"
            result.append(replace(inside[0], text=f"({inside[0].text})") if is_times else inside[0])
            i += 3
        elif tokens[i].kind == "LEFT" and kinds[:1] == ["RIGHT"]:  # what stood in them was left out: (repeat)
            i += 2
        else:
            result.append(tokens[i])
            i += 1
    return result


# ---------------------------------------------------------------------------------------------------- repeats are played


def play_out(tokens):
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
            played += [*common, SOFT_BAR]
        played += [*_without_endings(before), SOFT_BAR]
        if close is None:
            continue
        is_next = i > 0 and _begins_with_ending(repeated)  # the second ending, or a later one
        if not _begins_with_ending(repeated) or i == 0:
            common, repeated = _split_common(repeated)
        endings = _split_endings(repeated) or [(_times(close, 2), repeated)]
        total = sum(passes * (len(common) + len(ending)) for passes, ending in endings)
        if len(played) + total > 2 * MAX_LINE:
            raise InputError(f"with its repeats the chord line has more than {MAX_LINE} symbols; repeat less")
        for passes, ending in endings:
            played += passes * [*common, *ending, SOFT_BAR]
        is_first = _begins_with_ending(repeated) and sum(passes for passes, _ in endings) == 1 and not is_next
        if is_first:  # a first ending alone: the second time goes on behind it, or plays it again where nothing follows
            after = _flat(children[i + 2].children)
            if not any(token.kind in ("SYMBOL", "SAME") for token in after):
                played += [*common, *endings[0][1], SOFT_BAR]
            elif not _begins_with_ending(after):
                played += [*common, SOFT_BAR]
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


def _split_common(tokens):
    """Return (what stands before the first ending, the rest); ([], tokens) without endings."""
    at = next((i for i, token in enumerate(tokens) if token.kind == "ENDING"), 0)
    return tokens[:at], tokens[at:]


def _split_endings(tokens):
    """Return [(how often it is played, the ending), ...] of tokens that begin with an ending; [] for others."""
    endings = []
    for token in tokens:
        if token.kind == "ENDING":
            endings.append((token.value, [SOFT_BAR]))
        elif endings:
            endings[-1][1].append(token)
    return endings


def _without_endings(tokens):
    return [SOFT_BAR if token.kind == "ENDING" else token for token in tokens]


def _flat(children):
    """Return the tokens of atoms, groups, sections and "x2" written out; "x2" on a line of its own is for the section so far, or for the one behind it."""
    flat, section, phrase, times = [], [], [], 1
    for child in [*children, None]:
        token = child.value if hasattr(child, "type") else None
        is_mark = token is not None and token.kind == "MARK"
        if child is not None and not is_mark and not (token and token.kind == "LINE"):
            phrase.append(child)
            continue
        if phrase and all(getattr(part, "type", "") == "TIMES" for part in phrase):
            count = math.prod(part.value.value for part in phrase)
            if any(before.kind == "SYMBOL" for before in section):
                section = _repeated(section, count)
            else:
                times *= count
        else:
            section += _played_phrase(phrase)
        phrase = []
        if token and not is_mark:
            section.append(token)
            continue
        flat += _repeated(section, times)
        section = []
        if is_mark:
            flat.append(token)
            times = token.value if isinstance(token.value, int) else 1
    return flat


def _played_phrase(children):
    """Return the tokens of a line or section, in which "x2" repeats what stands before it since the last one, or all behind it.

    Where one stands within a bar, "Am x4 | F", it repeats that bar; before a bracket, "2x (C G) F", it repeats what is in it.
    """
    parts, counts, times = [[]], [], 1
    in_bars = any(_ends_bar(children, i) for i in range(len(children)))
    for i, child in enumerate(children):
        after = children[i + 1] if i + 1 < len(children) else None
        if not hasattr(child, "type"):
            parts[-1] += _repeated(_flat(child.children[0].children), times * _times(child, 1))
            times = 1
        elif child.type != "TIMES":
            parts[-1].append(child.value)
        elif after is not None and not hasattr(after, "type") and _is_before_group(child.value, parts[-1]):
            times = child.value.value
        elif child.value.text == "x1":  # of one chord
            _repeat_end(parts[-1], _last_symbol(parts[-1]), child.value.value)
        elif in_bars and parts[-1] and parts[-1][-1].kind not in ("BAR", "LINE"):
            _repeat_end(parts[-1], _last_bar(parts[-1]), child.value.value)
        else:
            counts.append(child.value.value)
            parts.append([])
    is_before = (
        bool(counts) and not any(token.kind == "SYMBOL" for token in parts[0]) and any(t.kind == "SYMBOL" for t in parts[-1])
    )
    order = zip(parts, [1, *counts] if is_before else [*counts, 1], strict=True)
    return [token for part, times in order for token in _repeated(part, times)]


def _ends_bar(children, i):
    """Return whether "x4" is the last thing in a bar: "Am x4 | F"."""
    if not 0 < i < len(children) - 1:
        return False
    before, child, after = (getattr(child, "type", "group") for child in children[i - 1 : i + 2])
    return child == "TIMES" and after == "BAR" and before != "BAR"


def _is_before_group(times, tokens):
    """Return whether a count belongs to the bracket after it: "3x (C G)", but not "F x3 (C G)"."""
    return times.text[-1:] in "xX×" or not any(token.kind == "SYMBOL" for token in tokens)


def _repeat_end(tokens, first, times):
    """Play the end of a list of tokens, from `first` on, so often, each time as a bar where there are bars."""
    end = tokens[first:]
    before = [SOFT_BAR] if first and tokens[first - 1].kind == "SYMBOL" else []
    tokens[first:] = [*before, *times * [*end, SOFT_BAR]]


def _last_bar(tokens):
    """Return the place behind the last bar line."""
    return next((i + 1 for i in range(len(tokens) - 1, -1, -1) if tokens[i].kind in ("BAR", "LINE")), 0)


def _last_symbol(tokens):
    """Return the place of the last symbol, the end where there is none."""
    return next((i for i in range(len(tokens) - 1, -1, -1) if tokens[i].kind == "SYMBOL"), len(tokens))


def _repeated(tokens, times):
    if not tokens:
        return []
    if times * len(tokens) > 2 * MAX_LINE:
        raise InputError(f"with its repeats the chord line has more than {MAX_LINE} symbols; repeat less")
    is_bar = times > 1 or any(token.kind == "BAR" for token in tokens)
    return times * [*tokens, *[SOFT_BAR] * is_bar]


# ---------------------------------------------------------------------------------------------------- bars


def unfolded(text):
    """Write a chord line with its repeats, endings and section marks played out. Raises InputError."""
    tokens = with_endings(tokens_of(normalised(text)))
    barred = is_barred(tokens)
    symbols = play_out(with_bars_of_long_regions(tokens) if barred else tokens)
    if barred:
        return " | ".join(" ".join(map(_written, bar)) for bar in bars_of(symbols))
    return " ".join(_written(token) for token in symbols if token.kind not in ("LINE", "MARK"))


def _written(token):
    if token.kind == "LENGTH":
        return f"({token.value[0]:g} {token.value[1]})"
    return str(token.value) if token.kind == "SYMBOL" else token.text
