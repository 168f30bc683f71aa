"""A caption that tells times of a song -> what of it holds in a stretch of the song, with times from the stretch's start.

Times are marks, "[0:30] chorus", which hold until the next or their own end, or stand in sentences: "at 0:45 the drums
enter", "a solo from 1:20 to 1:50". Of a sentence without a time all of the song is meant.
"""

import re

from musicbench.build.clauses import clause_spans, sentences, without_clause
from musicbench.build.stretches import CLOCK, seconds
from musicbench.build.texts import MAX_CAPTION, shortened

MAX_TIMED = 40_000  # characters of a caption with times, of which a clip takes its share
LEAST_S = 0.5  # of a stretch, for what holds in it to be told
_NUMBER = r"\d+(?:[.,]\d+)?"
_UNIT = r"(?:[- ]?(?:seconds?|secs?|minutes?|mins?)\b|(?<!0) ?s\b|(?<=0) s\b)"  # "80s" is none
_MINUTES = {"half a minute": 30.0, "a minute": 60.0, "one minute": 60.0, "two minutes": 120.0, "three minutes": 180.0,
            "four minutes": 240.0, "five minutes": 300.0}  # fmt: skip
_TIME = rf"(?:{CLOCK}(?![\d:])|{_NUMBER}{_UNIT}|{'|'.join(_MINUTES)})"
_ABOUT = r"(?:about |around |roughly |approximately |exactly |the )?"
_TO = r" ?(?:-|–|—|to|until|till|and|through) ?"
_PHRASE = re.compile(
    rf"(?<![\d.:])(?:"
    rf"(?:\b(?:from|between) )?{_ABOUT}(?P<first>{_TIME}|{_NUMBER}(?={_TO}{_ABOUT}{_NUMBER}{_UNIT})){_TO}{_ABOUT}(?P<last>{_TIME})"
    rf"|\b(?:from|after|since|starting (?:at|from)|beginning (?:at|from)) {_ABOUT}(?P<on>{_TIME})(?: on(?:wards?)?\b)?"
    rf"|\b(?:until|till|up to|before) {_ABOUT}(?P<until>{_TIME})"
    rf"|(?P<before>\bat {_ABOUT}|(?<!for )(?<!lasts )(?<!of )(?<!lasting )\baround )(?P<at>{_TIME})(?P<behind> mark\b)?"
    rf"|(?P<in>{_TIME})(?= in(?: ?to (?:the|this) \w+|[,.;]|$))|(?P<bare>{CLOCK}(?![\d:]))"
    rf")(?! long\b)",
    re.IGNORECASE,
)
_MARK = re.compile(
    rf"[\[(] ?(?P<start>{CLOCK}|{_NUMBER}(?= ?(?:s|secs?|seconds?|[-–—]|to) ?))(?: ?(?:s|secs?|seconds?))?"
    rf"(?: ?(?:[-–—]|to) ?(?P<end>{CLOCK}|{_NUMBER})(?: ?(?:s|secs?|seconds?))?)? ?[\])] ?[-–—:]? ?",
    re.IGNORECASE,
)
_IN_BRACKETS = re.compile(
    rf" [(\[] ?(?:(?P<words>[a-z][^()\[\]]*)|(?P<first>{_TIME}){_TO}(?P<last>{_TIME})|(?P<at>{_TIME})) ?[)\]]"
)
_FALSE = re.compile("\0[^\0]*\0")
_STUMP = re.compile(r"(?:it|this|that|there|they|we) \S+", re.IGNORECASE)
_GONE = "\1"  # stands for a phrase that is true of all of the stretch


def tells_times(text: str) -> bool:
    """Tell whether a caption names points or stretches of time."""
    return bool(_MARK.search(text) or _PHRASE.search(text))


def longest_caption(text: str) -> int:
    """Return how many characters a song's caption may have: more where it tells times, as each clip takes its own share."""
    return MAX_TIMED if tells_times(text) else MAX_CAPTION


def caption_of_stretch(text: str, start_s: float, end_s: float) -> str:
    """Return what of a song's caption holds from one time of the song to another; "" where nothing does."""
    if not tells_times(text):
        return text
    said = [_at_times(part, first_s, last_s, start_s, end_s) for first_s, last_s, part in _parts(text)]
    return shortened(" ".join(filter(None, said)))


def _parts(text):
    """Yield (start, end in seconds, text) of what stands before the first mark, and after each."""
    marks = list(_MARK.finditer(text))
    if not marks or not re.search(r"(?:^|[.!?:;]\s)$", text[: marks[0].start()]):
        yield 0.0, float("inf"), text
        return
    if head := text[: marks[0].start()].strip():
        yield 0.0, float("inf"), head
    for mark, behind in zip(marks, [*marks[1:], None], strict=True):
        first_s = _seconds(mark["start"])
        last_s = _seconds(mark["end"]) if mark["end"] else _seconds(behind["start"]) if behind else float("inf")
        part = text[mark.end() : behind.start() if behind else len(text)].strip(" ,;-–—")
        if part:
            yield first_s, last_s, part


def _at_times(part, first_s, last_s, start_s, end_s):
    """Return a part of a caption that holds from `first_s` to `last_s`, as it holds in a stretch; "" where it does not."""
    if min(last_s, end_s) - max(first_s, start_s) < LEAST_S:
        return ""
    said = " ".join(filter(None, (_sentence(sentence, start_s, end_s) for sentence in sentences(part))))
    is_whole = first_s <= start_s and last_s >= end_s
    if not said or is_whole:
        return said and _ended(said) if first_s or last_s < float("inf") else said
    if first_s > start_s and last_s < end_s:
        when = f"From {_in_words(first_s - start_s)} until {_in_words(last_s - start_s)}"
    else:
        when = f"From {_in_words(first_s - start_s)} on" if first_s > start_s else f"Until {_in_words(last_s - start_s)}"
    return _ended(f"{when}: {said}")


def _ended(said):
    said = said.rstrip(" ,;:-")
    said = said[0].upper() + said[1:]
    return said if said[-1] in ".!?" else said + "."


def _sentence(sentence, start_s, end_s):
    """Return a sentence with its times moved; clauses that do not hold from `start_s` to `end_s` are cut."""
    sentence = _IN_BRACKETS.sub(_without_brackets, sentence)
    found = list(_PHRASE.finditer(sentence))
    if not found:
        return sentence
    said = [(match, _moved(match, start_s, end_s)) for match in found]
    spans = clause_spans(sentence)
    false = [_is_in_false(span, said) for span in spans]
    leading = [any(_begins(sentence[first : match.start()]) and moved == "\0" for match, moved in said) for first, _ in spans]
    timed = [any(first <= match.start() < last for match, _ in said) for first, last in spans]
    for i in range(1, len(spans)):  # what follows "at 0:45 the drums enter" goes with it
        if leading[i - 1] and not timed[i]:
            false[i] = leading[i] = True
    result, place = "", 0
    for match, moved in said:
        result += sentence[place : match.start()] + ("" if moved == "\0" else moved)
        place = match.end()
    if not any(false):
        return _clean(result + sentence[place:])
    left = _clean(without_clause(_with_marks(sentence, spans, false, said), _FALSE))
    return "" if _STUMP.fullmatch(left.rstrip(".!?")) else left


def _begins(before):
    """Tell whether no word stands before a phrase in its clause."""
    return not re.search(r"\w", before)


def _without_brackets(match):
    """Return " at 0:45" for " (0:45)", so that the time belongs to its clause."""
    if match["at"]:
        return f" at {match['at']}"
    if match["first"]:
        return f" from {match['first']} to {match['last']}"
    return f" {match['words']}" if _PHRASE.fullmatch(match["words"]) else match[0]


def _is_in_false(span, said):
    return any(span[0] <= match.start() < span[1] and moved == "\0" for match, moved in said)


def _with_marks(sentence, spans, false, said):
    """Return a sentence with its phrases moved and the sign \\0 around each run of clauses that are false."""
    changes = [(match.start(), 1, match.end(), "" if moved == "\0" else moved) for match, moved in said]
    for i, (first, last) in enumerate(spans):
        if false[i] and not (i and false[i - 1]):
            changes.append((first, 0, first, "\0"))
        if false[i] and not (i + 1 < len(spans) and false[i + 1]):
            changes.append((last, 2, last, "\0"))
    for first, _, last, moved in sorted(changes, reverse=True):
        sentence = sentence[:first] + moved + sentence[last:]
    return sentence


def _moved(match: re.Match, start_s: float, end_s: float) -> str:
    """Return a phrase of time from a stretch's start: _GONE where it is true of all of it, \\0 where it is not true of it."""
    first_s, last_s, point = _times(match)
    if point is not None:
        if not start_s <= _seconds(point) < end_s - LEAST_S:
            return "\0"
        moved = _moved_time(point, start_s)
        return f"{match['before'] or ''}{moved}{match['behind'] or ''}"
    if min(last_s, end_s) - max(first_s, start_s) < LEAST_S:
        return "\0"
    if first_s <= start_s and last_s >= end_s:
        return _GONE
    if first_s <= start_s:
        phrase = f"until {_moved_time(match['last'] or match['until'], start_s)}"
    elif last_s >= end_s:
        phrase = f"from {_moved_time(_unit_of(match), start_s)} on"
    else:
        phrase = f"from {_moved_time(_unit_of(match), start_s)} until {_moved_time(match['last'], start_s)}"
    return phrase[0].upper() + phrase[1:] if match[0][0].isupper() else phrase


def _times(match):
    """Return (first, last second that a phrase speaks of, None) or (0, 0, its one point of time)."""
    point = match["at"] or match["in"] or match["bare"]
    if point:
        return 0.0, 0.0, point
    if match["until"]:
        return 0.0, _seconds(match["until"]), None
    return _seconds(_unit_of(match)), _seconds(match["last"]) if match["last"] else float("inf"), None


def _unit_of(match):
    """Return where a phrase begins; in "from 1 to 2 minutes" the unit stands behind."""
    first = match["on"] or match["first"]
    return first + " " + re.sub(r"[\d., -]+", "", match["last"]) if re.fullmatch(_NUMBER, first) else first


def _seconds(time):
    plain = re.sub(r"[- ]?(?:seconds?|secs?|s)$", "", time.lower())
    if minutes := re.fullmatch(rf"({_NUMBER})[- ]?(?:minutes?|mins?)", plain):
        return 60 * float(minutes[1].replace(",", "."))
    return _MINUTES.get(plain) or seconds(plain) or 0.0


def _moved_time(time: str, start_s: float) -> str:
    """Return a time as it is written, from another start."""
    if not start_s:
        return time
    moved = _seconds(time) - start_s
    if re.fullmatch(CLOCK, time) and abs(moved - round(moved)) < 0.05:
        return f"{round(moved) // 60}:{round(moved) % 60:02d}"
    return _in_words(moved)


def _in_words(moved):
    number = f"{round(moved, 1):g}"
    return f"{number} second" if number == "1" else f"{number} seconds"


def _clean(sentence: str) -> str:
    """Return a sentence without what stands for phrases that are true of all of it, and without the blanks beside them."""
    if _GONE in sentence:
        sentence = re.sub(rf"^{_GONE}[ ,:;-]*", "", sentence)
        sentence = re.sub(rf" ?[(\[]? ?{_GONE} ?[)\]]?", "", sentence).strip()
        sentence = re.sub(r" +([,.;:!?])", r"\1", sentence)
        sentence = sentence[:1].upper() + sentence[1:]
    return sentence if re.search(r"[^\W\d_]", sentence) else ""
