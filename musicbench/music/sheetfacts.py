"""Facts among the tokens of a chord line: tempo, meter, key, capo, transposition, tuning, style."""

import re

from musicbench.music.keys import Key
from musicbench.music.stylewords import GENRE_WORDS
from musicbench.music.tempo import BETWEEN_TEMPO_WORDS, TEMPO_WORDS

FACT_WORDS = {"tempo", "bpm", "key", "capo", "tuning", "transpose", "time", "meter"}
TEMPI = {word.lower() for word in TEMPO_WORDS} | set(BETWEEN_TEMPO_WORDS)
_TIMES_BY_NAME = {"common": "4/4", "cut": "2/2", "waltz": "3/4"}
_BESIDE = {"of", "is", "in", "the", "at", "on", "fret", "signature", "to", "by", "around", "about", "ca", "original", "song"}
STYLES = GENRE_WORDS - {"bass", "drum"} | set(
    """
    swing swung straight shuffle medium slow slowly fast up uptempo up-tempo mid-tempo moderate moderately easy latin bossa nova rumba bolero
    ballad feel groove style half-time halftime double-time eighths 8ths 16ths gently softly freely rubato bluegrass folk worship hymn
    acoustic electric guitar piano ukulele
    """.split()
)
KEY_WORDS = {"major": "major", "minor": "minor", "maj": "major", "min": "minor"}


def _skipped(tokens, i):
    """Pass over signs and small words between a name and its value: key OF, tempo =."""
    while i < len(tokens) and (tokens[i].kind in ("STOP", "GAP") or tokens[i].value in _BESIDE):
        i += 1
    return i


def fact_at(tokens, i):
    """Return (name, value, the place after it) of a tempo, meter, key, capo, transposition or tuning that begins at a place, or None."""
    token = tokens[i] if i < len(tokens) else None
    if token is None:
        return None
    word = token.value if token.kind == "WORD" else ""
    at = _skipped(tokens, i + 1)
    after = tokens[at] if at < len(tokens) else None
    if token.kind == "TEMPO":
        return "tempo", sum(token.value) / 2, i + 1
    if word in TEMPI:  # Allegro, Allegro (132), Allegro (q = 132)
        inside = [j for j in range(i + 1, min(i + 5, len(tokens))) if tokens[j].kind not in ("LEFT", "NOTE", "STOP", "GAP")][:1]
        number = tokens[inside[0]] if inside else None
        is_number = number is not None and (number.kind == "TEMPO" or (number.kind == "NUMBER" and number.value >= 20))
        if not is_number:
            return "tempo", word, i + 1
        is_closed = inside[0] + 1 < len(tokens) and tokens[inside[0] + 1].kind == "RIGHT"
        return "tempo", float(sum(number.value) / 2 if number.kind == "TEMPO" else number.value), inside[0] + 1 + is_closed
    if word in ("tempo", "bpm", "speed") and after is not None:
        if after.kind in ("NUMBER", "TEMPO", "RANGE") and (after.kind != "NUMBER" or after.value >= 20):
            value = after.value if after.kind == "NUMBER" else sum(after.value) / 2
            return "tempo", float(value), at + 1
        return ("tempo", after.value, at + 1) if after.value in TEMPI else None
    if token.kind == "NOTE" and after is not None and after.kind == "NUMBER" and at > i + 1:
        is_dotted = token.value == 1.5 or (tokens[i + 1].text == "." and tokens[i + 1].start == token.end)
        return "quarters", float(after.value * (1.5 if is_dotted else 1)), at + 1
    if token.kind == "FRACTION" and _is_meter(token):
        has_time = i + 1 < len(tokens) and tokens[i + 1].value in ("time", "meter")
        return "meter", "/".join(map(str, token.value)), i + 1 + has_time
    if word in ("time", "meter", "metre", "in") and after is not None and after.kind == "FRACTION" and _is_meter(after):
        has_time = at + 1 < len(tokens) and tokens[at + 1].value == "time"
        return "meter", "/".join(map(str, after.value)), at + 1 + has_time
    if word in _TIMES_BY_NAME and i + 1 < len(tokens) and tokens[i + 1].value == "time":
        return "meter", _TIMES_BY_NAME[word], i + 2
    if word in ("key", "in") or (word in ("original", "song") and after is not None and after.value == "key"):
        at = _skipped(tokens, at + 1) if after is not None and after.value == "key" else at
        return key_at(tokens, at)
    if word == "no" and after is not None and after.value == "capo":
        return "nothing", None, i + 2
    if word in ("capo", "transpose", "transposed") and after is not None:
        if after.value == "none":
            return "nothing", None, at + 1
        end = at + 1
        while end < len(tokens) and (tokens[end].value in ("fret", "semitones", "semitone", "steps", "half", "up", "down")):
            end += 1
        is_number = re.match(r"[+-]?\d", after.text) or after.kind == "ROMAN"
        return (word.removesuffix("d"), after.text, end) if is_number else None
    if word == "tuning" and i + 1 < len(tokens):
        return "tuning", None, next((j for j in range(i, len(tokens)) if tokens[j].kind in ("LINE", "BAR")), len(tokens))
    if word == "standard" and after is not None and after.value == "tuning":
        return "tuning", None, i + 2
    return None


def _is_meter(token):
    beats, unit = token.value
    return beats >= 2 and unit in (2, 4, 8, 16)


def key_at(tokens, at):
    """Return ("key", Key, the place after it) of a key's name at a place, or None."""
    token = tokens[at] if at < len(tokens) else None
    name = str(token.value) if token is not None and token.kind in ("CHORD", "WORD") else ""
    match = re.fullmatch(r"([A-Ga-g][#b]?)(m|maj|min)?", name)
    if not match or name == "a":
        return None
    mode, end = match[2], at + 1
    if end < len(tokens) and tokens[end].value in KEY_WORDS:
        mode, end = KEY_WORDS[tokens[end].value], end + 1
    is_minor = mode in ("m", "min", "minor")
    return "key", Key(match[1][0].upper() + match[1][1:], "minor" if is_minor else "major"), end


def is_content(token):
    """Return whether a token is what a chord line is made of: a chord, a number of a degree, a sign between them."""
    return token.kind in ("CHORD", "ROMAN", "LIKE", "NUMBER", "TIMED", "SAME", "HOLD")


def stands_alone(tokens, i):
    """Return whether a fact at a line's end is none of its degrees: "1 4 5/4" has no meter, "C F 5/4" and "1 4 in 5/4" have."""
    return tokens[i].kind not in ("FRACTION", "NUMBER") or any(t.kind in ("CHORD", "ROMAN") for t in tokens[:i])


def facts_from(tokens, first, end, marks, is_key_alone, is_tail=False):
    """Return ([(name, value, first, end), ...] of the facts from a place on, the place of the first token that is none)."""
    found, i = [], first
    while i < end:
        token = tokens[i]
        fact = fact_at(tokens[:end], i) or _spoken_key(tokens[:end], i, is_tail, bool(found))
        fact = fact or (_key_before_numbers(tokens[:end], i) if is_key_alone and not is_tail else None)
        is_length = token.kind == "QUANTITY" and i + 1 < end and tokens[i + 1].value in STYLES  # 12 bar blues
        # at a line's end they stand behind a comma
        is_apart = not is_tail or found or token.text[:1] == "@" or (i > 0 and tokens[i - 1].text in (",", ";"))
        is_last = is_tail and i + 1 == end and i > 0 and tokens[i - 1].kind in ("CHORD", "ROMAN", "RIGHT")
        is_bpm = token.kind == "NUMBER" and 40 <= token.value <= 300 and (is_apart or is_last)
        if fact and not (fact[0] == "key" and fact[2] < end and tokens[fact[2]].value in ("bass", "inversion", "the")):
            found += [(fact[0], fact[1], i, fact[2])]
            i = fact[2]
        elif is_bpm:
            found.append(("tempo", float(token.value), i, i + 1))
            i += 1
        elif (is_length or (token.kind == "WORD" and token.value in STYLES)) and i not in marks and is_apart:
            found.append(("style", None, i, i + 1))
            i += 1
        elif i in marks and not is_tail:
            i = marks[i]
        elif token.kind in ("GAP", "STOP", "LEFT", "RIGHT", "BAR") or token.value in (_BETWEEN_FACTS if found else _BEFORE_FACTS):
            i += 1
        else:
            break
    return found, min(i, end)


_BETWEEN_FACTS = {"and", "with", "at", "a", "the", "/"}
_BEFORE_FACTS = {"progression", "chords", "changes", "chord"}


def _spoken_key(tokens, i, is_tail, is_beside):
    """Return the key of "C minor: ..." at a line's start, or of "..., 120 bpm, C minor" at its end, or None."""
    if tokens[i].kind != "CHORD" or not _is_spoken(tokens[i]):
        return None
    fact = key_at(tokens, i)
    end = fact[2] if fact else len(tokens)
    end += end < len(tokens) and tokens[end].value in ("scale", "key")
    is_label = not is_tail and end < len(tokens) and tokens[end].text == ":"
    return ("key", fact[1], end) if fact and (is_label or (is_tail and is_beside and end == len(tokens))) else None


def key_heading(tokens):
    """Return (Key, the place behind it) of a key that stands before all chords: "C major" on a line, "Bm: Bm G D", "E minor - Em C G"; or None."""
    fact = key_at(tokens, 0) if tokens and tokens[0].kind == "CHORD" else None
    if not fact or fact[2] + 2 >= len(tokens):
        return None
    key, end = fact[1:]
    sign, rest = tokens[end], tokens[end + 1 :]
    chords = [token for token in rest if token.kind == "CHORD"]
    is_spoken, is_list = _is_spoken(tokens[0]), any(map(_is_spoken, chords))
    is_only = sign.text not in [token.text for token in rest]
    first = key_at([chords[0]], 0) if chords else None
    is_tonic = bool(first) and first[1].same_as(key)
    is_named = {
        "\n": is_spoken,
        ":": is_only and (is_spoken or is_tonic or len(tokens[0].text) > 1),
        ",": is_only and is_spoken and is_tonic,
    }.get(sign.text, sign.kind == "GAP" and is_only and (is_spoken or is_tonic))
    return (key, end + 1) if len(chords) > 1 and is_named and not is_list else None


def _is_spoken(token):
    return bool(re.search(r" (?:major|minor|maj|min)$", token.text.lower()))


def _key_before_numbers(tokens, i):
    """Return the key that a chord before a line of numbers names: G: 1 5 6m 4, G major - 1 5, (G) 1 4."""
    fact = key_at(tokens, i) if tokens[i].kind == "CHORD" else None
    after = tokens[fact[2]] if fact and fact[2] < len(tokens) else None
    is_said = after is not None and (after.kind in ("STOP", "GAP", "RIGHT", "BAR") or len(tokens[i].text) > 2)
    return fact if is_said and not any(token.kind == "CHORD" for token in tokens[fact[2] :]) else None


def has_numbers(text):
    """Return whether a line has degrees as numbers, two or more, and at most one chord beside them."""
    return len(re.findall(r"(?<![\w/.])[b#]?[1-7](?:m7?|-|maj7|7)?(?![\w/.])", text)) > 1
