"""What a prompt says out of place, written as others say it before it is read: corrections, endings named first, chords and modes of other tongues."""

import re

from musicbench import quoted
from musicbench.music.keys import MODES
from musicbench.music.lexer import tokens_of

_MODES_ABROAD = {
    "phrygian": "frigio frigia frígio phrygien phrygisch", "dorian": "dorico dórico doriano dorien dorisch", "lydian": "lidio lídio lydien lydisch",
    "mixolydian": "mixolidio mixolídio misolidio mixolydien mixolydisch", "aeolian": "eolio eólio eolien éolien äolisch", "locrian": "locrio lócrio locrien lokrisch",
}  # fmt: skip
_MODE_OF = {word: mode for mode, words in _MODES_ABROAD.items() for word in words.split()}
_MODE_ABROAD = re.compile(rf"\b(?:{'|'.join(_MODE_OF)})\b", re.IGNORECASE)

_TENS = "ten twenty thirty forty fifty sixty seventy eighty ninety".split()
_ONES = "one two three four five six seven eight nine".split()
_SPOKEN_HUNDREDS = re.compile(rf"\bat (one)[- ]({'|'.join(_TENS)})(?:[- ]({'|'.join(_ONES)}))?(?= ?bpm\b|[,.;]|$)", re.IGNORECASE)
_SLIPS = (  # of writing a tempo: (what is written, what is meant)
    (re.compile(r"\b(bpm|tempo)(\d{2,3})\b", re.I), r"\1 \2"),  # bpm120
    (re.compile(r"(?<=\d)( ?)(?:pbm|mpb|pmb)\b", re.I), r"\1bpm"),  # 120pbm
    (re.compile(r"(?<=\d) b p m\b", re.I), " bpm"),
    (re.compile(r"\b(\d{1,2})o(?= ?bpm\b)", re.I), r"\g<1>0"),  # 12O bpm
    (re.compile(r"(\b\d{2,3} ?(?:bpm)?) ?(?:±|\+/-|\+-) ?\d{1,2}\b", re.I), r"\1"),  # 100 bpm ± 5
    (re.compile(r"\b(around|at|near|about|round) the (\d{2,3})(?: ?bpm)?[- ]mark\b", re.I), r"\1 \2 bpm"),
)

_ARTICLE = re.compile(  # "A D minor waltz", "A G7 chord", "A C-G-Am loop", "A go-go song": no chord A
    rf"(?:^|(?<=[.!?] ))A(?= [A-G](?:#|b|[- ](?:flat|sharp))?[ -](?:major|minor|{MODES}) [a-z]| [A-G][\w#/]* chord\b| [A-G][\w#/]*(?:-[A-G][\w#/]*)+ [a-z]| go-go\b)"
)

_NOTES = {"do": "C", "ut": "C", "re": "D", "ré": "D", "mi": "E", "fa": "F", "sol": "G", "la": "A", "si": "B"}
_SOLFEGE = rf"(?:{'|'.join(_NOTES)})(?:[#b]|bemol)?(?:m7|maj7|min|m|7| m(?=[ ,|-]|$))?"
_SOLFEGE_LIST = re.compile(rf"\b{_SOLFEGE}(?:(?: ?[-,|] ?| ){_SOLFEGE}){{2,31}}(?![\w'])", re.IGNORECASE)
_SOLFEGE_CHORD = re.compile(rf"({'|'.join(_NOTES)})(#|b(?:emol)?)?(m7|maj7|min|m|7| m(?=[ ,|-]|$))?", re.IGNORECASE)
_NO_BASS = re.compile(r"(?<![\w/#-])([A-G][#b]?(?:maj7|m7|m|7)?)/([A-G][#b]?(?:maj7|m7|m|7))(?![\w/#-])")
_OPEN_SLASHES = re.compile(r"(?<=[\w#])/(?: (?=[A-G])|$)")


def with_plain_slashes(text):
    """Return a text whose chords are parted by strokes, "Dm/ F/ C/ G" and "Am/Cm", with dashes between them: they are no basses."""
    text = _NO_BASS.sub(r"\1 - \2", text)
    return _OPEN_SLASHES.sub(" - ", text) if len(_OPEN_SLASHES.findall(text)) > 1 else text


def reworded(text):
    """Return (a normalised text in usual words, notes [(name, what is read otherwise), ...])."""
    notes = []
    for pattern, plain in _SLIPS:
        text = pattern.sub(plain, text)
    text = _ARTICLE.sub("a", text)
    text = _SPOKEN_HUNDREDS.sub(lambda match: f"at {_hundreds(*match.groups())}", text)
    text = _MODE_ABROAD.sub(lambda match: _MODE_OF[match[0].lower()], text)
    text = _SOLFEGE_LIST.sub(lambda match: _in_letters(match[0], notes), text)
    text = _replaced(_corrected(text, notes), notes)
    text = _ending_last(text, notes)
    return text, notes


def _hundreds(hundreds, tens, ones):
    one = _ONES.index(ones.lower()) + 1 if ones else 0
    return 100 * (_ONES.index(hundreds.lower()) + 1) + 10 * (_TENS.index(tens.lower()) + 1) + one


def _spelt(found):
    return " ".join(_NOTES[note.lower()] + (sign or "")[:1] + (kind or "").lower().strip() for note, sign, kind in found)


def solfege_in_letters(line):
    """Return a chord line with its lists of solfège in letters: "Do Sol Lam Fa" as "C G Am F"."""
    return _SOLFEGE_LIST.sub(lambda match: _SOLFEGE_CHORD.sub(lambda found: _spelt([found.groups()]), match[0]), line)


def _in_letters(said, notes):
    """Return "Do Sol Lam Fa" in letters; "do re mi" and "Do Re Mi Fa" are a scale."""
    found = [match.groups() for match in _SOLFEGE_CHORD.finditer(said)]
    if len({note.lower() for note, *_ in found}) < 3 and not any(kind for _, _, kind in found):  # "La la la"
        return said
    is_scale = [note.lower() for note, *_ in found[:3]] == ["do", "re", "mi"]
    if is_scale or not (any(kind for _, _, kind in found) or said[0].isupper()):
        return said
    letters = _spelt(found)
    notes.append(("chords", f"{quoted(said)} in the prompt is read as {letters}"))
    return letters


# ---------------------------------------------------------------------------------------------------- corrections

_SORRY = ("no wait", "wait", "sorry", "oops", "i meant", "i mean", "actually", "make it", "make that", "scratch that", "or rather", "correction", "change it to", "change that to")  # fmt: skip
_SORRY = {tuple(words.split()) for words in _SORRY}
_OPENERS = {words[0] for words in _SORRY} | {"no"}
_AROUND = set("no not in at to it the should be let's lets do use key of it's rather".split())
_TEMPI, _LIST = {"NUMBER", "TEMPO"}, {"CHORD", "ROMAN"}
_KINDS = {"CHORD": ("key", {"CHORD"}), "NUMBER": ("tempo", _TEMPI), "TEMPO": ("tempo", _TEMPI), "FRACTION": ("meter", {"FRACTION"})}
_MODE = re.compile(rf"[ -](?:{MODES}|major|minor)\b", re.IGNORECASE)


def _corrected(text, notes):
    """Return a text with what it takes back left out: "in C, no wait, D", "bpm 90 no 100"."""
    if not re.search(r"\b(?:no|wait|sorry|oops|meant?|actually|make|scratch|rather|correction|change)\b", text, re.IGNORECASE):
        return text
    tokens = tokens_of(text)
    for i in range(1, len(tokens)):
        new = _place_corrected_to(tokens, i)
        name, kinds = _KINDS.get(tokens[new].kind, (None, ())) if new else (None, ())
        old = next((j for j in range(i - 1, max(i - 13, -1), -1) if tokens[j].kind in kinds), None)
        if old is None or _in_list(tokens, old) or _in_list(tokens, new):
            continue
        if name == "tempo" and not all(20 <= _bpm(tokens[j]) <= 300 for j in (old, new)):
            continue
        taken_back, instead = _with_mode(text, tokens[old]), _with_mode(text, tokens[new])
        written = instead
        if tokens[old].kind == "TEMPO" and tokens[new].kind == "NUMBER":
            written += " bpm"
        if name == "key" and re.search(r"m(?:inor)?$", taken_back) and re.fullmatch("[A-G][#b]?", instead):  # "C minor, no, D"
            written += " minor"
        notes.append((name, f"{quoted(taken_back)} in the prompt is taken back there; {written} is read"))
        start, end = tokens[old].start, tokens[new].start
        between = text[start + len(taken_back) : tokens[i].start].rstrip(" ,;-.!?")
        return text[:start] + written + between + text[end + len(instead) :]
    return text


_A_CHORD = r"([A-G][#b]?(?:maj|min|m|sus|dim|aug|add)?\d{0,2})"
_INSTEAD = re.compile(
    rf"(?:[,;.] ?| )(?:but |and )?(?:(?:no|not|without|replace|swap) (?:the )?{_A_CHORD},?(?: but| use| play| with| for| by)+ {_A_CHORD}(?: instead)?"
    rf"|(?:use |play |with )?{_A_CHORD} instead of (?:the )?{_A_CHORD})(?![\w#/])"
)


def _replaced(text, notes):
    """Return a text whose list of chords has the chord that is wanted instead of another: "C G Am F but no F, use Dm instead"."""
    match = _INSTEAD.search(text)
    old, new = (match[1] or match[4], match[2] or match[3]) if match else ("", "")
    is_told = match and re.search("instead|replace|swap", match[0])
    head, count = re.subn(rf"(?<![\w#/]){re.escape(old)}(?![\w#/])", new, text[: match.start()]) if is_told else ("", 0)
    if not count or sum(token.kind == "CHORD" for token in tokens_of(head)) < 2:
        return text
    notes.append(("chords", f"{quoted(old)} in the prompt is taken back there; {new} is played"))
    return head + text[match.end() :]


def _place_corrected_to(tokens, i):
    """Return the place of the value behind words that correct at `i`, "no wait, D", "no 100"; None where there are none."""
    if tokens[i].text.lower() not in _OPENERS:
        return None
    j, is_sorry = i, False
    while j < min(i + 10, len(tokens)):
        phrase = next((words for words in _SORRY if _words(tokens, j, len(words)) == words), None)
        is_sign = tokens[j].kind in ("GAP", "STOP") and j > i
        if phrase:
            j, is_sorry = j + len(phrase), True
        elif is_sign or (tokens[j].kind == "WORD" and tokens[j].value in _AROUND):
            j += 1
        else:
            break
    if j >= len(tokens):
        return None
    is_no = tokens[i].value == "no" and (
        (j == i + 1 and tokens[j].kind in _TEMPI and tokens[i - 1].kind in _TEMPI) or tokens[i + 1].text == ","
    )
    is_opener = is_no or any(_words(tokens, i, len(words)) == words for words in _SORRY)
    return j if is_opener and (is_sorry or is_no) else None


def _words(tokens, i, count):
    return tuple(token.text.lower() for token in tokens[i : i + count])


def _bpm(token):
    return token.value if token.kind == "NUMBER" else token.value[0]


def _with_mode(text, token):
    mode = _MODE.match(text, token.end)
    return text[token.start : mode.end() if mode else token.end]


def _in_list(tokens, i):
    """Return whether another chord stands beside a chord."""
    if tokens[i].kind != "CHORD":
        return False
    near = []
    for step in (1, -1):
        j = i + step
        while 0 <= j < len(tokens) and tokens[j].kind in ("GAP", "BAR"):
            j += step
        near.append(0 <= j < len(tokens) and tokens[j].kind == "CHORD")
    return any(near)


# ---------------------------------------------------------------------------------------------------- endings

_END = re.compile(
    r"\b(?:(?:end|finish|resolve|land|close)(?:s|es|ing)?|(?:final|last|closing|ending)(?: chord)?)\b(?: (?:on|with|in|at|is|should|must|be|to|the|an?|chord))* ?[:=]? ?(?=[A-G])",
    re.IGNORECASE,
)


def _ending_last(text, notes):
    """Return a text whose wanted ending stands behind its list: "last chord is E: Am G F" as "Am G F E"."""
    ending = _END.search(text)
    if not ending or re.search(r"\b(?:start|begin|open)(?:s|ing)?\b", text, re.IGNORECASE):
        return text
    tokens = tokens_of(text)
    place = next((i for i, token in enumerate(tokens) if token.start == ending.end() and token.kind == "CHORD"), None)
    if place is None:
        return text
    wanted = tokens[place].value
    place += place + 1 < len(tokens) and tokens[place + 1].value == "chord"  # "ends with a C chord"
    sign = tokens[place + 1].text if place + 1 < len(tokens) else ""
    if sign not in ("", ",", ";", ".", ":", "\n", "-"):
        return text
    before = _list_behind(tokens[: next(i for i, token in enumerate(tokens) if token.start >= ending.start())], -1)
    chords = before or _list_behind(tokens, place)
    is_one_list = not before and chords and sign == "," and text[tokens[chords[0]].end :].lstrip().startswith(",")
    is_lone = len(wanted) == 1 and tokens[place].kind == "CHORD" and sum(token.kind in _LIST for token in tokens) == 1
    if is_lone and not re.search(r"\bin\b", ending[0], re.IGNORECASE):
        said = text[ending.start() : tokens[place].end]
        notes.append(("chords", f"{quoted(said)} in the prompt is not played; to have it played write all chords, {wanted} last"))
    if len(chords) < 2 or is_one_list:
        return text
    last, end = tokens[chords[-1]], tokens[chords[-1]].end
    behind = "" if last.value == wanted else text[tokens[chords[-2]].end : last.start] + wanted
    stop = tokens[place].end
    if before:
        return text[:end] + behind + text[end : ending.start()].rstrip(" ,;-") + text[stop:]
    return text[: ending.start()] + text[stop:end] + behind + text[end:]


def _list_behind(tokens, place):
    """Return the places of the last two or more chords that stand side by side behind a place."""
    lists = [[]]
    for i in range(place + 1, len(tokens)):
        if tokens[i].kind == "CHORD":
            lists[-1].append(i)
        elif tokens[i].kind not in ("GAP", "BAR") and lists[-1]:
            lists.append([])
    return next((chords for chords in reversed(lists) if len(chords) > 1), [])
