"""A chord line or chart as text: its grammar; repeats, endings and groups played out into bars of symbols."""

import math
import re
from dataclasses import replace
from functools import cache
from itertools import pairwise

from lark import Lark, UnexpectedInput
from lark import Token as Terminal
from lark.lexer import Lexer

from musicbench import InputError
from musicbench.music.theory import parse_symbol, quoted
from musicbench.music.tokens import Token, normalised, tokens_of

MAX_LINE = 20_000  # characters, and symbols with repeats played out: 120 s with a chord on every beat

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
SECTIONS = set(
    """
    verse chorus bridge intro outro refrain hook solo coda interlude break tag head turnaround prechorus pre-chorus pre post
    ending vamp section part instrumental strophe theme end drop build middle
    """.split()
)
FILLERS = set(
    "progression changes progressions and then to back followed by repeat repeated loop etc each for the chord chords = per".split()
)
_SAME_WORDS = {"sim", "simile", "ditto"}
SILENT_WORDS = {"rest", "tacet", "silence", "break", "pause"}
_SPOKEN_TIMES = {"once": 1, "twice": 2, "thrice": 3}
_AGAIN = {"repeat", "repeated", "repeats", "again"}  # twice, where no number says how often
REPEAT_WORDS = _SAME_WORDS | set(_SPOKEN_TIMES) | _AGAIN
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
    tokens = _repeats_counted(_counts_joined(_marked(tokens)))
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
        elif token.kind == "WORD" and (token.value in _SAME_WORDS or (token.value == "x" and barred)):
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
        elif token.kind == "WORD" and token.value in _SPOKEN_TIMES:
            result.append(replace(token, kind="TIMES", value=_SPOKEN_TIMES[token.value]))
        elif barred and token.kind == "NUMBER" and token.value in (1, 2, 3, 4) and _begins_ending(tokens, i):
            result.append(replace(token, kind="ENDING", value=1))
        elif token.kind in ("BAR", "OPEN", "CLOSE", "SAME", "TIMES", "LINE", "ENDING", "MARK", "LEFT", "RIGHT"):
            result.append(token)
        elif token.kind not in ("GAP", "STOP", "HOLD") and token.value not in FILLERS:
            _refuse(token)
    is_count = [token.kind == "TIMES" for token in [*result[1:], _SOFT_BAR]]
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
        elif before and number is not None and before.kind == "WORD" and before.value in ("x", "×", "times"):
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
        beside = [t for t in tokens[max(i - 2, 0) : i + 3] if t.kind == "TIMES" or t.value in _SPOKEN_TIMES]
        is_again = token.kind == "WORD" and token.value in _AGAIN
        is_group = i + 1 < len(tokens) and tokens[i + 1].kind == "MARK"
        if is_again and not beside and not is_group:
            token = replace(token, kind="TIMES", value=2)
        result.append(token)
    return result


_ORDINALS = {"1st": 1, "first": 1, "2nd": 2, "second": 2, "3rd": 3, "third": 3, "4th": 4, "fourth": 4, "last": 1}
_ENDING_WORDS = {"ending", "time", "times", "volta", "x"}


def with_endings(tokens):
    """Return the tokens with other ways to write an ending as ENDING: [1 C, [1. C], (2.), [1st ending], 2nd time:, where there are repeats."""
    if not any(token.kind in ("CLOSE", "CLOSE_OPEN") for token in tokens):
        return tokens
    result, i, is_open = [], 0, False
    while i < len(tokens):
        is_bracket = tokens[i].kind == "LEFT"
        number, end = _ending_at(tokens, i + is_bracket)
        is_closed = end < len(tokens) and tokens[end].kind == "RIGHT"
        is_list = end - i == 1 and i > 0 and tokens[i].text[1:2] == "," and tokens[i - 1].kind in ("BAR", "CLOSE")  # |1,2 C
        # 1. is one already, of a number alone `_begins_ending` decides
        is_plain = tokens[i].kind == "ENDING" or (end - i == 1 and not is_list) or not number
        is_place = i == 0 or tokens[i - 1].kind in ("BAR", "CLOSE", "LINE") or not is_closed or end - i > 2
        if number and is_bracket and is_place or not is_plain:
            result.append(Token("ENDING", tokens[i].text, number, tokens[i].start, tokens[end - 1].end))
            is_open = is_bracket and not is_closed
            i = end + (is_bracket and is_closed)
            i += i < len(tokens) and tokens[i].text == ":" and tokens[i].kind == "STOP"
            continue
        if tokens[i].kind == "RIGHT" and is_open:
            is_open = False
        else:
            is_open = is_open and not is_bracket
            result.append(tokens[i])
        i += 1
    return result


def _ending_at(tokens, i):
    """Return (how often the ending that begins at a place is played, the place after its name); (0, i) where none begins."""
    token, after = (tokens[i] if i < len(tokens) else None), tokens[i + 1] if i + 1 < len(tokens) else None
    if token is None:
        return 0, i
    if token.kind == "ENDING":
        return token.value, i + 1
    is_named = after is not None and after.value in _ENDING_WORDS
    if token.kind == "WORD" and token.value in _ORDINALS and is_named:
        return 1, i + 2
    if token.value in ("ending", "volta") and after is not None and after.kind == "NUMBER" and after.value in (1, 2, 3, 4):
        return 1, i + 2
    if token.kind == "NUMBER" and re.fullmatch("[1-4](?:,[1-4])+", token.text):
        return len(token.text.split(",")), i + 1
    if token.kind == "NUMBER" and token.value in (1, 2, 3, 4):
        return 1, i + 1 + (is_named and after.kind == "WORD")
    if token.kind == "RANGE" and token.value[0] == 1 and token.value[1] in (2, 3, 4):
        return int(token.value[1]), i + 1
    return 0, i


def _begins_ending(tokens, i):
    """Return whether a number stands right behind a bar line, and chords behind it: |1 Am :|2 F."""
    after = tokens[i + 1].kind if i + 1 < len(tokens) else "END"
    return (
        i > 0
        and tokens[i - 1].kind in ("BAR", "CLOSE")
        and tokens[i - 1].end >= tokens[i].start - 1
        and after in ("CHORD", "ROMAN")
    )


_BAR_WORDS = {"bar", "bars", "measure", "measures", "mm", "m", "takt"}


def without_bar_numbers(tokens):
    """Return the tokens of a numbered list as chords: "1) C 2) G", and as bars: "bar 1: C G, bar 2: Am", "bars 1-2: C, bars 3-4: F"."""
    labels = _bar_numbers(tokens)
    spans = [span for _, _, span, _ in labels]
    if not labels or any(b[0] != a[1] + 1 for a, b in pairwise(spans)) or spans[0][0] != 1:
        return tokens
    result = tokens[: labels[0][0]]
    ends = [first for first, _, _, _ in labels[1:]] + [len(tokens)]
    for (_, start, (low, high), is_bar), end in zip(labels, ends, strict=True):
        inside = tokens[start:end]
        result += _numbered_bars(inside, high - low + 1) if is_bar else inside
    return result


def _numbered_bars(tokens, bars):
    """Return tokens behind "bar 1:" between bar lines; of several bars each chord has one, or one chord all."""
    line = Token("BAR", "|", "|", tokens[0].start if tokens else 0, tokens[0].start if tokens else 0)
    symbols = [token for token in tokens if token.kind in ("CHORD", "ROMAN")]
    if bars == 1:
        return [line, *tokens]
    if len(symbols) == 1:
        return [line, *symbols, *(bars - 1) * [line, replace(symbols[0], kind="SAME")]]
    if len(symbols) == bars:
        return [sign for token in symbols for sign in (line, token)]
    raise InputError(
        f"{bars} bars are numbered, but {len(symbols)} chords stand behind them; give one chord a bar, or number each bar"
    )


def _bar_numbers(tokens):
    """Return [(first, the place after it, (low, high), whether it says "bar"), ...] of 1), (1), bar 1: and bars 1-2:."""
    labels, i = [], 0
    while i < len(tokens):
        first = i
        is_bar = tokens[i].kind == "WORD" and tokens[i].value in _BAR_WORDS
        i += is_bar or tokens[i].kind == "LEFT"
        token, after = (tokens[i], tokens[i + 1]) if i + 1 < len(tokens) else (None, None)
        is_number = token is not None and (token.kind == "NUMBER" or (is_bar and token.kind == "RANGE"))
        is_end = is_number and (after.text == ":" or after.kind == "RIGHT" or (is_bar and after.text in (":", "-", "=", ")", ".")))
        is_name = not is_bar and i > 0 and tokens[i - 1].kind == "WORD"  # [Verse 1]
        if is_number and (is_end or is_bar) and not is_name:
            span = token.value if token.kind == "RANGE" else (token.value, token.value)
            i += 1 + is_end
            labels.append((first, i, (int(span[0]), int(span[1])), is_bar))
        else:
            i = first + 1
    return labels


def _refuse(token):
    """Raise InputError for a token that is no part of a chord line."""
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


def _marked(tokens):
    """Return the tokens with those of a section mark, [Verse 2] or Chorus:, as one MARK, whose value is how often it is played."""
    result, done = [], 0
    for first, end in section_marks(tokens):
        times = next((token.value for token in tokens[first:end] if token.kind == "TIMES"), 1)
        result += [*tokens[done:first], replace(tokens[first], kind="MARK", value=times)]
        done = end
    return result + tokens[done:]


def section_marks(tokens):
    """Return [(first, end), ...] of the section marks among tokens."""
    letters, marks, i = _rehearsal_letters(tokens), [], 0
    while i < len(tokens):
        end = _mark_end(tokens, i, letters)
        if end:
            marks.append((i, end))
        i = end or i + 1
    return marks


def _rehearsal_letters(tokens):
    """Return {place: the place after it} of [A], [B] ... or A:, B: ... where they are marks: in this order, beside other chords."""
    ends = {}
    for i, (token, after) in enumerate(pairwise(tokens)):
        if _is_letter(token) and after.text in (":", ".", "="):
            ends[i] = i + 2
        elif i and _is_letter(token) and tokens[i - 1].kind == "LEFT" and after.kind == "RIGHT":
            ends[i - 1] = i + 2
    named = [next(t.text for t in tokens[i : i + 2] if t.kind in ("CHORD", "ROMAN")) for i in ends]
    letters, numbers = all(len(name) == 1 and name in "ABCDEFG" for name in named), all(name in _SECTION_NUMBERS for name in named)
    places = [("ABCDEFG".index(n) if letters else _SECTION_NUMBERS.index(n)) for n in named] if letters or numbers else [9]
    in_order = places[:1] == [0] and all(b - a in (0, 1) or b == 0 for a, b in pairwise(places))
    only_one = len(ends) == 1 and not any(tokens[i].text == "[" or tokens[i + 1].text == ":" for i in ends)
    if only_one or (not letters and len(ends) < 2):  # one (A) is a chord, one "A." the end of a sentence
        return {}
    symbols = [token.kind for token in tokens if token.kind in ("CHORD", "ROMAN")]
    labels = [i for i in ends if tokens[i].kind == "CHORD" and tokens[i + 1].text == ":"]
    if labels == [0] == list(ends) and len(symbols) > 1:  # "B: C F", but not "C: G: Am:"
        return ends
    is_other = letters or "CHORD" in symbols  # numbers of sections stand beside chords, not beside numerals
    return ends if in_order and len(symbols) > len(ends) and is_other else {}


_SECTION_NUMBERS = ("I", "II", "III", "IV", "V")


def _is_letter(token):
    """Return whether a token may be the name of a section: A, or II."""
    return (token.kind == "CHORD" and len(token.text) == 1) or (token.kind == "ROMAN" and token.text in _SECTION_NUMBERS)


def _mark_end(tokens, i, letters):
    """Return the place after a section mark that begins at `i`, 0 where none does."""
    token, after = tokens[i], tokens[i + 1] if i + 1 < len(tokens) else None
    if i in letters:
        return letters[i]
    if token.kind == "LEFT":
        end = next((j for j in range(i + 1, min(i + 7, len(tokens))) if tokens[j].kind == "RIGHT"), 0)
        inside = tokens[i + 1 : end]
        choice = next((t for t in inside if t.value in ("or", "alt")), None)
        if choice and any(t.kind == "CHORD" for t in inside):
            return 0  # an alternative, which `_terminals` refuses
        is_mark = any(
            t.kind == "WORD" and (token.text == "[" or t.value in SECTIONS) and t.value not in FILLERS | set(_SPOKEN_TIMES)
            for t in inside
        )
        is_named = any(re.search("[A-Za-z]{2}", t.text) or t.kind == "CHORD" for t in inside)
        return _mark_tail(tokens, end + 1) if is_mark and is_named else 0
    if _is_letter(token) and after and after.value in ("section", "part"):
        return _mark_tail(tokens, i + 2)
    if token.kind == "WORD" and token.value in SECTIONS:
        return _mark_tail(tokens, i + 1)
    return 0


def _mark_tail(tokens, i):
    """Pass over what belongs to a mark after its first word: "-chorus", a number, a letter, "x2", a colon."""
    while i < len(tokens):
        token = tokens[i]
        is_number = token.kind == "NUMBER" and token.value < 20
        is_times = token.kind == "TIMES" or (token.kind == "LEFT" and [t.kind for t in tokens[i + 1 : i + 3]] == ["TIMES", "RIGHT"])
        if not (is_number or is_times or token.value in SECTIONS or token.value == "joined"):
            break
        i += 3 if token.kind == "LEFT" else 1
    if i + 1 < len(tokens) and _is_letter(tokens[i]) and tokens[i + 1].text == ":":
        i += 1
    return i + 1 if i < len(tokens) and tokens[i].text in (":", "-") else i


# ---------------------------------------------------------------------------------------------------- repeats are played

_SOFT_BAR = Token("LINE", "", "", 0, 0)  # between the times that something is played: a bar line where none is yet


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
            played += [*common, _SOFT_BAR]
        played += [*_without_endings(before), _SOFT_BAR]
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
            played += passes * [*common, *ending, _SOFT_BAR]
        is_first = _begins_with_ending(repeated) and sum(passes for passes, _ in endings) == 1 and not is_next
        if is_first:  # a first ending alone: the second time goes on behind it, or plays it again where nothing follows
            after = _flat(children[i + 2].children)
            if not any(token.kind in ("SYMBOL", "SAME") for token in after):
                played += [*common, *endings[0][1], _SOFT_BAR]
            elif not _begins_with_ending(after):
                played += [*common, _SOFT_BAR]
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
            endings.append((token.value, [_SOFT_BAR]))
        elif endings:
            endings[-1][1].append(token)
    return endings


def _without_endings(tokens):
    return [_SOFT_BAR if token.kind == "ENDING" else token for token in tokens]


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
    before = [_SOFT_BAR] if first and tokens[first - 1].kind == "SYMBOL" else []
    tokens[first:] = [*before, *times * [*end, _SOFT_BAR]]


def _last_bar(tokens):
    """Return the place behind the last bar line."""
    return next((i + 1 for i in range(len(tokens) - 1, -1, -1) if tokens[i].kind in ("BAR", "LINE")), 0)


def _last_symbol(tokens):
    """Return the place of the last symbol, the end where there is none."""
    return next((i for i in range(len(tokens) - 1, -1, -1) if tokens[i].kind == "SYMBOL"), len(tokens))


def _repeated(tokens, times):
    if times * len(tokens) > 2 * MAX_LINE:
        raise InputError(f"with its repeats the chord line has more than {MAX_LINE} symbols; repeat less")
    is_bar = times > 1 or any(token.kind == "BAR" for token in tokens)
    return times * [*tokens, *[_SOFT_BAR] * is_bar]


# ---------------------------------------------------------------------------------------------------- bars


_BAR = Token("BAR", "|", "|", 0, 0)


def is_barred(tokens):
    """Return whether the bar lines of a chord line divide its chords; between repeat signs or sections that have none, chords are one a bar."""
    regions = _regions(tokens)
    if len(regions) == 1:
        return any(token.kind == "BAR" for token in tokens)
    return any(_is_divided(tokens[first:end], is_repeated) for first, end, is_repeated in regions)


def with_bars_of_long_regions(tokens):
    """Return the tokens of a barred line with bar lines where three chords or more stand between repeat signs or marks without any."""
    result, done, regions = [], 0, _regions(tokens)
    for first, end, is_repeated in regions if len(regions) > 1 else ():
        inside = tokens[first:end]
        places = [i for i, token in enumerate(inside) if token.kind in _SOUNDING]
        has_lengths = any(t.kind in ("HOLD", "QUANTITY") or re.search(r":[\d.]+$", str(t.value)) for t in inside)
        if len(places) > 2 and not has_lengths and not _is_divided(inside, is_repeated):
            result += tokens[done:first]
            later = set(places[1:])
            for i, token in enumerate(inside):
                result += [_BAR, token] if i in later else [token]
            done = end
    return result + tokens[done:]


_SOUNDING = ("CHORD", "ROMAN", "SAME")


def _regions(tokens):
    """Return [(first, end, whether it is repeated), ...] of what stands between repeat signs, section marks and "| then"."""
    marks = dict(section_marks(tokens))
    cuts = [(0, 0, "START")]
    for i, token in enumerate(tokens):
        if i in marks:
            cuts.append((i, marks[i], "MARK"))
        elif token.kind in ("OPEN", "CLOSE", "CLOSE_OPEN"):
            cuts.append((i, i + 1, token.kind))
        elif token.value == "then" and i and tokens[i - 1].kind == "BAR":
            cuts.append((i, i + 1, "MARK"))
    cuts.append((len(tokens), len(tokens), "END"))
    return [
        (end, first, opening in ("OPEN", "CLOSE_OPEN") or closing in ("CLOSE", "CLOSE_OPEN"))
        for (_, end, opening), (first, _, closing) in pairwise(cuts)
    ]


def _is_divided(tokens, is_repeated):
    """Return whether a bar line stands between two symbols, or at the start where no repeat sign does its work."""
    kinds = [token.kind for token in tokens]
    places = [i for i, kind in enumerate(kinds) if kind in _SOUNDING]
    is_empty_bar = any(a == b == "BAR" for a, b in pairwise(kinds))
    return bool(places) and (is_empty_bar or "BAR" in kinds[places[0] if is_repeated else 0 : places[-1]])


def bars_of(tokens):
    """Split played tokens into bars: lists of tokens, [] for an empty one, in which the chord before goes on."""
    bars, bar, lines, is_soft = [], [], 0, False
    while tokens and tokens[-1] is _SOFT_BAR:
        tokens = tokens[:-1]
    for token in [*tokens, _SOFT_BAR]:
        if token.kind in ("BAR", "LINE", "MARK"):
            is_one = token.kind == "BAR" and is_soft and lines > 0  # at the end of a line and at the start of the next
            lines += token.kind == "BAR" and not is_one
            is_soft = token.kind != "BAR"
            if bar:
                bars.append(bar)
                bar = []
            continue
        if bars and not bar and lines > 1:
            bars += [[] for _ in range(lines - 1)]
        bar.append(token)
        lines, is_soft = 0, False
    return bars + [[] for _ in range(lines - 1)]


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
