"""Numbers in words or apart from their units, "ninety bpm", "4 times", joined to one token."""

from dataclasses import replace

from musicbench.music.tokens import Token, next_word, unit_named


def join_times(tokens, place, text):
    """Join "x 2", "2 x", "4 times" to one TIMES; None where there is none."""
    first, second = tokens[place], tokens[place + 1] if place + 1 < len(tokens) else None
    if second is None:
        return None
    first, second = _counted(first), _counted(second)  # "four times"
    pair = {first.kind: first, second.kind: second}
    number = pair.get("NUMBER")
    word = pair.get("WORD") or pair.get("GAP")
    if number is None or word is None or not 1 <= number.value <= 99 or number.value != int(number.value):
        return None
    is_times = word.text in ("x", "X", "×") or (word.value == "times" and word is second)
    if not is_times or (first is number and word.text in "xX" and place + 2 < len(tokens) and tokens[place + 2].kind == "NUMBER"):
        return None
    return Token("TIMES", text[first.start : second.end], int(number.value), first.start, second.end), place + 2


def _counted(token):
    is_number = token.kind == "WORD" and token.value in NUMBERS_BY_WORD
    return replace(token, kind="NUMBER", value=float(NUMBERS_BY_WORD[token.value])) if is_number else token


_ONES = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
NUMBERS_BY_WORD = (
    {word: i + 1 for i, word in enumerate(_ONES)} | {word: 10 * (i + 2) for i, word in enumerate(_TENS)} | {"hundred": 100}
)
_COUNTED = {"bpm", "bpms", "beats", "bars", "bar", "measures", "seconds", "second", "minutes", "minute", "secs", "sec"}


def join_numerals(tokens, place, text):
    """Join a number in words before a unit, "a hundred and twenty bpm", to one NUMBER, in place of its first word."""
    value, i, last = 0, place, place
    while i < len(tokens) and i < place + 8:
        word = tokens[i].value
        if tokens[i].kind == "WORD" and word in NUMBERS_BY_WORD:
            is_hundreds = value < 10 <= NUMBERS_BY_WORD[word] and value  # "one twenty bpm"
            value = max(value, 1) * 100 if word == "hundred" else value * (100 if is_hundreds else 1) + NUMBERS_BY_WORD[word]
            last = i
        elif word not in ("and", "joined"):
            break
        i += 1
    is_named = place and value >= 20 and tokens[place - 1].value in ("bpm", "tempo")  # "tempo ninety"
    is_counted = last > place and last + 1 < len(tokens) and tokens[last + 1].value in _COUNTED
    if not (is_named or is_counted):
        return
    joined = Token("NUMBER", text[tokens[place].start : tokens[last].end], float(value), tokens[place].start, tokens[last].end)
    tokens[place : last + 1] = [joined]


COUNTS = {
    "a": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "twelve": 12,
    "fifteen": 15, "sixteen": 16, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "ninety": 90, "hundred": 100,
}  # fmt: skip


def join_quantity(tokens, place, text):
    """Join a number with the unit after it: 60 seconds, 120 bpm, 8 bars, 90 beats per minute."""
    first = tokens[place]
    word, after = next_word(tokens, place)
    unit = unit_named(word or "")
    if unit == "beats" and _is_per(tokens, after, ("min", "minute")):
        unit, after = "bpm", after + 2 - (tokens[after].value in ("/", "min", "minute"))
    elif unit == "beats" and _is_per(tokens, after, ("s", "sec", "second")):
        value = 60 * first.value if first.kind == "NUMBER" else 60 * sum(first.value) / 2
        return Token(
            "TEMPO", text[first.start : tokens[after + 1].end], (value, value), first.start, tokens[after + 1].end
        ), after + 2
    if not unit or (unit == "min" and len(word) == 1):  # "2 m" is no time
        return first, place + 1
    low, high = first.value if first.kind == "RANGE" else (first.value, first.value)
    token = tokens[after - 1]
    kind, value = ("TEMPO", (low, high)) if unit == "bpm" else ("QUANTITY", ((low + high) / 2, unit))
    return Token(kind, text[first.start : token.end], value, first.start, token.end), after


def _is_per(tokens, place, units):
    """Return whether "per", "a" or a stroke and one of the units stand at a place."""
    words = [str(token.value).lower() for token in tokens[place : place + 2]]
    return len(words) == 2 and words[0] in ("per", "a", "/", "joined") and words[1] in units
