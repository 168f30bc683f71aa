"""Rules over a prompt's tokens: which of them are chords that are to be played, and in what order."""

import re
from dataclasses import dataclass
from itertools import pairwise

from musicbench import InputError, quoted
from musicbench.music.chart import unfolded
from musicbench.music.chords import Chord, nearest_symbol
from musicbench.music.keys import MODES
from musicbench.music.sections import SECTIONS
from musicbench.music.stylewords import GENRE_WORDS
from musicbench.music.tokens import LIKE_A_CHORD
from musicbench.prompt.chordwords import SYMBOLS, length_of_each, write_out
from musicbench.prompt.keys import CHORD_WORDS, KEY_CHANGE
from musicbench.prompt.reading import OF_MUSIC, left_out

_VAMPS = set(
    """
    vamp vamps vamping loop loops looping groove jam drone alternating alternates alternate between pedal turnaround cadence
    over on
    """.split()
)
_IN_RUN = set("CHORD ROMAN TIMED BAR OPEN CLOSE CLOSE_OPEN SAME HOLD TIMES ENDING GAP".split())
_STRUCTURE = set("OPEN CLOSE CLOSE_OPEN TIMES ENDING QUANTITY LINE".split())
_JOINS = set("and then to back followed by repeat repeated twice thrice each again finally resolving into".split())
_PLAYED = {"only", "just", "alternating", "use", "using", "play", "strum", "strumming", "strummed", "playing"}
_ENDINGS = {"end", "ends", "ending", "finish", "finishes", "finishing", "landing"}
_LEADS = set(
    """
    is are goes go going follows from through of with like using uses as be progression sequence chords chord used the in order
    should progressions changes being song piece this music moves move it over around between on built loop include includes
    including here these follow following play i'd want please use harmony track my my: simple
    """.split()
)
_BEFORE_LETTERS = re.compile(
    r"\b(?:notes?|pitches|tones|rhymes?|list|ukulele|movements?|solo in|scales?|melody|arpeggios?|bass ?(?:line)?(?: plays)?|grades?|vitamins?|strings|section|sections)[ :]+(?:(?:to|of|is|are) )?$",
    re.IGNORECASE,
)
_AFTER_LETTERS = re.compile(r"[ ,.]*(?:scale|melody|arpeggio|students|strings|section|sections|form|structure)\b", re.IGNORECASE)
_WEAK = re.compile(r"[A-G](?:M|[0-58])?|[IiVv]|N")  # letters that are words, notes and radios, too


@dataclass
class Run:
    """Neighbouring chord symbols: the tokens from `first` to before `end`, and the places of the symbols among them."""

    first: int
    end: int
    places: list


def read_chords(reading, beats_a_bar=4):
    """Return the chord line that the text states, or None. What looks like a chord and is not played is named in a note.

    beats_a_bar: of the meter; chords of "2 beats each" are repeated until they fill whole bars.
    """
    write_out(reading)
    each = length_of_each(reading) or reading.each
    found = list(_runs(reading))
    runs = [run for run in found if _is_chord_line(reading, run)]
    rejected = [run for run in found if run not in runs and _could_be_chords(reading, run)]
    if not runs:
        for run in rejected:
            said = _line_of(reading, run, quiet=True)
            reading.note("chords", f"{quoted(said)} in the prompt is not played; to have it played write 'chords: {said}'")
            reading.use(run.first, run.end)
        return None
    played, others = _sections(reading, runs)
    lines = [_repeated_line(reading, run, each) for run in played]
    line = (" | " if any("|" in part for part in lines) else " ").join(lines)
    if each and each[1] == "beats":
        line = " ".join([line] * _times_to_fill(line.count(":") * each[0], beats_a_bar))
    for run in runs:
        reading.use(run.first, run.end)
    for run in others + rejected:
        other = _line_of(reading, run, quiet=True)
        if other != line:
            reading.note("chords", left_out(other, quoted(line)))
    return line


def _times_to_fill(beats, beats_a_bar):
    """Return how often beats follow one another until whole bars are full, 1 where they never are."""
    return next((times for times in range(1, beats_a_bar + 1) if beats * times % beats_a_bar == 0), 1)


def _could_be_chords(reading, run):
    """Return whether a run that is not played may be meant as chords all the same; a scale, a title, "D&B" and "A I" are not."""
    tokens = [reading.tokens[i] for i in run.places]
    if len(tokens) < 2 or reading.used & set(run.places):
        return False
    if reading.is_denied(run.first) or _are_letters(reading, run, tokens, None) or _is_key_change(reading, run, tokens):
        return False
    if tokens[0].kind == "ROMAN" and _is_title(reading, run, tokens):
        return False
    return not all(token.text in ("A", "I", "i", "v", "V", "X") for token in tokens)


def _repeated_line(reading, run, each):
    """Write a run, as often as the mark before it says: "Verse x2: Am F"."""
    line = _line_of(reading, run, each)
    if run.first in reading.lengths:
        return _filled(reading, line, reading.lengths[run.first])
    mark = next((reading.tokens[i] for i in (run.first - 1, run.first - 2) if reading.kind(i) == "MARK"), None)
    return unfolded(f"({line}) x{mark.value}") if mark and isinstance(mark.value, int) and mark.value > 1 else line


def _filled(reading, line, bars):
    """Write a section's line as often as fills its bars; fewer bars than chords are shared."""
    chords = line.split()
    if re.search(r"[|:()]", line) or (len(chords) > bars and len(chords) % bars):
        reading.note("chords", f"{line!r} in the prompt is played once, whatever fills its {bars} bars")
        return line
    if len(chords) == 1:
        return f"{line} ({bars} bars)" if bars > 1 else line
    if len(chords) > bars:
        return " ".join(f"{chord} ({bars / len(chords):g} bars)" for chord in chords)
    return " ".join(chords[i % len(chords)] for i in range(bars))


def note_not_understood(reading):
    """Note that the prompt says "chords:" and none can be read."""
    if re.search(r"\bchords? ?[:=] ?(?!none|no\b)\S", reading.text, re.IGNORECASE):
        reading.note("chords", "the chords in the prompt are not understood; write them as in 'chords: C G Am F'")


_CAPO = re.compile(r"\bcapo\b(?: (?:on|at|in|the|fret))* ?(?:\d+\w*|[a-z]+)?(?: fret)?", re.I)


def note_unused_chords(reading, line):
    """Note chord symbols that no rule has used, and a capo, so that none is dropped in silence."""
    if line and (capo := _CAPO.search(reading.text)):
        reading.note("chords", f"{quoted(capo[0])} in the prompt changes no chord; write the chords as they sound")
    for i, token in enumerate(reading.tokens):
        is_weak = _WEAK.fullmatch(token.text) and reading.word(i + 1) != "chord"
        if i in reading.used or token.kind not in ("CHORD", "TIMED") or is_weak or token.text == "N":
            continue
        if token.text.startswith("A ") and reading.sentence(i)[0] == i:  # "A major success"
            continue
        before = reading.text[max(token.start - 40, 0) : token.start]
        if _BEFORE_LETTERS.search(before) or re.search(r"\b(?:notes?|scale|melody|arpeggio)\b", before):
            continue
        if line:
            reading.note("chords", left_out(token.text, quoted(line)))
        else:
            reading.note(
                "chords",
                f"{quoted(token.text)} in the prompt is not played as a chord; to have it played write 'chords: {token.value}'",
            )


def _runs(reading):
    """Yield the Runs of a text."""
    i = 0
    while i < len(reading.tokens):
        run = _run_at(reading, i) if i not in reading.used else None
        if run:
            yield run
        i = run.end if run else i + 1


def _run_at(reading, first):
    """Return the Run that begins at a token, None where none does."""
    starts = reading.kind(first) in SYMBOLS or reading.kind(first) in ("BAR", "OPEN") or _is_unknown(reading, first)
    if not starts and not (reading.kind(first) == "LEFT" and reading.kind(first + 1) in SYMBOLS):
        return None
    i, places, depth, last = first, [], 0, first
    while i < len(reading.tokens) and i not in reading.used:
        kind = reading.kind(i)
        if kind in SYMBOLS or _is_unknown(reading, i):
            places.append(i)
        elif kind == "LEFT":
            if not _is_bracket_of_chords(reading, i):
                break
            depth += 1
        elif kind == "RIGHT":
            if not depth:
                break
            depth -= 1
        elif kind == "GAP":
            if reading.value(i) == "joined" and reading.kind(i + 1) not in SYMBOLS:
                break
        elif kind == "QUANTITY":
            if (
                reading.value(i)[1] not in ("bars", "beats")
                or reading.word(i + 1) in ("loop", "long", "of")
                or not (reading.kind(i - 1) in ("CHORD", "LEFT") or reading.word(i - 1) == "for" or reading.kind(i - 1) == "GAP")
            ):
                break
        elif kind == "LINE":
            if not _is_chord_only_line(reading, i + 1):
                break
        elif kind == "STOP":
            if not (
                reading.tokens[i].text == "."
                and reading.kind(i - 1) == "CHORD"
                and reading.kind(i + 1) == "CHORD"
                and reading.kind(i + 2) in ("STOP", "END", "CHORD")
                and places
            ):
                break
        elif kind not in _IN_RUN and not (places and _is_joining_word(reading, i)):
            break
        i += 1
        if kind in SYMBOLS | {"BAR", "CLOSE", "SAME", "HOLD", "TIMES", "RIGHT", "QUANTITY", "LIKE"} or reading.word(i - 1) in (
            "twice",
            "thrice",
        ):
            last = i
    places = [place for place in places if place < last]
    return Run(first, last if places else max(i, first + 1), places)


def _is_joining_word(reading, i):
    """Return whether a word goes on with a list of chords: "then", "for 2 bars", "end on"."""
    word = reading.word(i)
    is_for = word == "for" and _is_length(reading, i + 1) and _ends_a_chord(reading, i - 1)
    is_end = word in ("on", "with") and reading.word(i - 1) in _ENDINGS
    return is_for or is_end or word in _JOINS | _ENDINGS | {"chord", "chords"}


def _is_length(reading, i):
    return i not in reading.used and reading.kind(i) == "QUANTITY" and reading.value(i)[1] in ("bars", "beats")


def _ends_a_chord(reading, i):
    return reading.kind(i) == "CHORD" or (reading.word(i) == "chord" and reading.kind(i - 1) == "CHORD")


def _is_unknown(reading, i):
    """Return whether a token after a chord word looks like a chord and is none."""
    if reading.kind(i) != "LIKE" and not (reading.kind(i) == "WORD" and LIKE_A_CHORD.fullmatch(reading.tokens[i].text)):
        return False
    return _marker_before(reading, i) is not None


def _is_bracket_of_chords(reading, i):
    j = i + 1
    while j < len(reading.tokens) and reading.kind(j) != "RIGHT" and j < i + 80:
        is_part = (
            reading.kind(j) in _IN_RUN
            or (reading.kind(j) == "QUANTITY" and reading.value(j)[1] in ("bars", "beats"))
            or reading.word(j) in _JOINS
        )
        if not is_part:
            return False
        j += 1
    return reading.kind(j) == "RIGHT"


def _is_chord_only_line(reading, i):
    """Return whether a line of text is one of chords alone, with at least one."""
    has_symbol = False
    while i < len(reading.tokens) and reading.kind(i) != "LINE":
        if reading.kind(i) not in _IN_RUN | {"LEFT", "RIGHT"} and reading.word(i) not in _JOINS:
            return False
        has_symbol = has_symbol or reading.kind(i) in SYMBOLS
        i += 1
    return has_symbol


def _marker_before(reading, i):
    """Return the place of the last word for chords in the sentence before token `i`, None where there is none."""
    first, _ = reading.sentence(i)
    if reading.kind(first - 1) == "LINE" and reading.kind(first - 2) == "STOP":  # "chords:" and a new line
        first = reading.sentence(first - 2)[0]
    return next((j for j in range(i - 1, max(first, i - 60) - 1, -1) if reading.word(j) in CHORD_WORDS), None)


def _leads_in(reading, marker, first):
    """Return whether only words such as "are" stand between a word for chords and the chords."""
    between = [
        j
        for j in range(marker + 1, first)
        if reading.kind(j) not in ("LEFT", "LINE", "BAR") and reading.tokens[j].text not in (":", "=", "*", "'")
    ]
    has_colon = any(reading.tokens[j].text in (":", "=") for j in range(marker + 1, first))
    if not between or (has_colon and all(reading.word(j) for j in between)):
        return True
    words = [reading.word(j) for j in between]
    return (
        all(words)
        and len(words) < 9
        and (all(word in _LEADS for word in words) or words[-1] in ("is", "are", "go", "goes", "follows", "from", "through"))
    )


def _is_chord_line(reading, run):
    """Return whether a run of symbols is meant as chords; a title, a scale, a form or a word is not. May trim the run."""
    _trim(reading, run)
    _leave_key_out(reading, run)
    tokens = [reading.tokens[i] for i in run.places]
    marker = _marker_before(reading, run.first) if tokens else None
    leads_in = marker is not None and _leads_in(reading, marker, run.first)
    numerals = sum(token.kind == "ROMAN" for token in tokens)
    if not tokens or numerals not in (0, len(tokens)):
        return False
    is_one_phrase = marker is not None and not any(reading.tokens[j].text in ",;" for j in range(marker + 1, run.first))
    if reading.is_denied(run.first) or (is_one_phrase and reading.is_denied(marker)):
        reading.note("chords", f"{quoted(reading.words(run.first, run.end))} in the prompt is denied there, and left out")
        reading.use(run.first, run.end)
        return False
    if _is_key_change(reading, run, tokens) or _is_key_twice(reading, run, tokens):
        return False
    if numerals and not leads_in and _is_title(reading, run, tokens):
        return False
    if any(reading.kind(i) in ("BAR", "OPEN", "CLOSE") for i in range(run.first, run.end)) and len(tokens) > 1:
        return True
    return _is_asked(reading, run, tokens, marker, leads_in) and not _are_letters(reading, run, tokens, marker)


def _is_key_change(reading, run, tokens):
    """Return whether spoken keys, "from E minor to G major", are said to follow one another."""
    spoken = [re.search(r"\b(?:major|minor)\b", token.text, re.I) for token in tokens]
    is_from = reading.word(run.first - 1) == "from" and len(tokens) == 2
    return bool(spoken) and all(spoken) and (is_from or reading.says(run.first, KEY_CHANGE))


def _is_key_twice(reading, run, tokens):
    """Return whether two names of one key stand side by side, "C# / Db major"; the first is used."""
    is_spoken = bool(re.search(r"\b(?:major|minor)$", tokens[-1].text, re.I))
    if (
        len(tokens) != 2
        or not is_spoken
        or tokens[0].text == tokens[1].text
        or len({Chord.parse(token.value).root for token in tokens if token.kind == "CHORD"}) > 1
    ):
        return False
    reading.use(run.places[0], run.places[0] + 1)
    run.places = run.places[1:]
    run.first = run.places[0]
    return True


def _trim(reading, run):
    """Leave out an article or pronoun, or a numeral among letters, at the ends of a run."""
    kinds = ["CHORD" if reading.kind(i) not in SYMBOLS else reading.kind(i) for i in run.places]
    if len(set(kinds)) > 1 and "TIMED" not in kinds:
        if kinds[0] != kinds[1] and len(set(kinds[1:])) == 1:
            run.places = run.places[1:]
            run.first = run.places[0]
        elif kinds[-1] != kinds[-2] and len(set(kinds[:-1])) == 1:
            run.places = run.places[:-1]
            run.end = run.places[-1] + 1


def _leave_key_out(reading, run):
    """Leave a key out of a run, "A minor, Am F C G" or "Am F C G, C major": what parts it from the chords parts no two of them."""
    if len(run.places) < 3:
        return
    gaps = [tuple(reading.tokens[i].text for i in range(a + 1, b)) for a, b in pairwise(run.places)]
    spoken = [bool(re.search(r"\b(?:major|minor)$", reading.tokens[i].text, re.I)) for i in run.places]
    first, second = (reading.value(i) for i in run.places[:2])
    is_twice = first == second and re.fullmatch("[A-G][#b]?m?", first) and not any(spoken)  # "Dm, Dm Bb F C"
    if gaps[0] and gaps[0] not in gaps[1:] and (is_twice or (spoken[0] and not any(spoken[1:]))):
        if is_twice:
            reading.use(run.places[0], run.places[0] + 1)
        run.places = run.places[1:]
        run.first = run.places[0]
    elif spoken[-1] and not any(spoken[:-1]) and gaps[-1] and gaps[-1] not in gaps[:-1]:
        run.places = run.places[:-1]
        run.end = run.places[-1] + 1


def _is_title(reading, run, tokens):
    """Return whether numerals number something: "Rocky III IV V", "Henry IV V"; a loop has a tonic, or small numerals."""
    before = reading.tokens[run.first - 1] if run.first else None
    if before is not None and re.fullmatch(r"(?:movement|part|act|volume|chapter|book|scene|type|phase)s?", str(before.value)):
        return True
    follows_name = before is not None and before.kind == "WORD" and before.text[0].isupper()
    order = ("I", "II", "III", "IV", "V", "VI", "VII")
    texts = [token.text for token in tokens]
    counts_up = all(text in order for text in texts) and [order.index(t) for t in texts] == list(
        range(order.index(texts[0]), order.index(texts[0]) + len(texts))
    )
    has_tonic = any(re.fullmatch("[Ii](?![IVv]).*", text) for text in texts)
    is_large = all(text.upper() == text for text in texts)
    return (follows_name or not has_tonic) and is_large and (counts_up or not has_tonic)


def _is_asked(reading, run, tokens, marker, leads_in):
    """Return whether there are enough signs that chords are asked for: three symbols are enough, fewer need words around them."""
    if len(tokens) > 2 or tokens[0].kind == "TIMED" or run.first in reading.lengths:
        return True
    weak = [bool(_WEAK.fullmatch(token.text)) for token in tokens]
    if len(tokens) == 2:
        return leads_in or not any(weak) or _is_asked_pair(reading, run, marker, all(weak))
    is_of_list = reading.kind(run.end) == "STOP" and reading.kind(run.end + 1) in SYMBOLS and reading.kind(run.end + 2) in SYMBOLS
    if is_of_list:  # "pedal point on C: C F/C G/C C"
        return False
    is_measured = reading.word(run.first - 1) == "of" and _has_length_beside(reading, run)
    if is_measured and (reading.ends(run.end) or reading.word(run.end) == "at") and tokens[0].value == tokens[0].text:
        return True  # "one bar of Am"
    if weak[0] and _is_vamp(reading, run, tokens[0]):
        return True
    is_word = weak[0] and not (reading.ends(run.end) or reading.word(run.end) in ("at", "for", "chord"))
    if leads_in and not (is_word and tokens[0].text in ("A", "I", "i", "v")):
        return True
    is_named = reading.word(run.end) == "chord" and (
        tokens[0].text not in ("A", "I") or reading.word(run.first - 1) in ("an", "the")
    )
    return (not weak[0] or is_named) and tokens[0].kind == "CHORD" and _is_asked_alone(reading, run, tokens[0])


_ONE_CHORD = {"vamp", "vamps", "vamping", "pedal", "ostinato"}


def _is_vamp(reading, run, token):
    """Return whether a triad is the one chord of a piece, "Dm vamp", "pedal on A", "one-chord jam on Am", "jam over Em"; of a groove it is the key."""
    behind = reading.word(run.end)
    if re.fullmatch(MODES, behind, re.IGNORECASE):  # "jam on E dorian"
        return False
    before = reading.word(run.first - 1 - (reading.word(run.first - 1) in ("tone", "point", "note")))
    near = {reading.word(i) for i in range(max(run.first - 4, 0), run.first)}
    if behind in _ONE_CHORD and reading.word(run.end + 1) not in ("steel", "harp", "board", "organ"):
        return token.text != "A" or reading.sentence(run.first)[0] != run.first
    is_over = before in ("on", "over") and near & (_ONE_CHORD | {"jam", "riff", "groove", "loop", "arpeggio", "arpeggios", "chord"})
    return bool(is_over or before in _ONE_CHORD or (len(token.value) > 1 and {"one", "chord"} <= near))


def _is_asked_pair(reading, run, marker, all_weak):
    """Return whether two symbols, of which one could be a word, are chords."""
    inside = range(run.first, run.end)
    if reading.word(run.first - 1) == "from" and [reading.tokens[i].text for i in run.places] in (["A", "B"], ["A", "C"]):
        return False  # "from A to B"
    has_arrow = any(reading.tokens[i].text in ("->", "→", "=>", ">") for i in inside)
    has_length = any(reading.kind(i) in ("QUANTITY", "TIMES") for i in inside) or _has_length_beside(reading, run)
    stands_alone = reading.ends(run.first - 1) and (reading.ends(run.end) or reading.word(run.end) == "in")
    is_joined = any(
        reading.tokens[i].text in "&/" and reading.tokens[i].end == reading.tokens[i + 1].start
        for i in range(run.first, run.end - 1)
    )
    is_named = reading.word(run.end) in CHORD_WORDS | {"plagal", "cadence", "turnaround"} or (
        reading.word(run.end) == "in" and reading.kind(run.end + 1) == "CHORD"
    )
    is_word = reading.tokens[run.first].text in ("A", "I", "i") and not is_named
    if stands_alone and not is_joined and not is_word:
        return True
    is_named = is_named or reading.word(run.first - 1) in _PLAYED or reading.word(run.end) == "only"
    is_named = is_named or (reading.word(run.end) == "on" and reading.word(run.end + 1) in OF_MUSIC)
    if is_named and not is_joined and not is_word:
        return True
    if reading.word(run.first - 1) == "from" or reading.word(run.end) in ("vamp", "loop", "vamps"):
        return True
    if has_arrow or has_length or _section_near(reading, run) or any(reading.word(i) in CHORD_WORDS for i in inside):
        return True
    near = {reading.word(i) for i in (*range(max(run.first - 3, 0), run.first), run.end, run.end + 1)}
    return not all_weak and (marker is not None or bool(near & (_VAMPS | CHORD_WORDS)))


def _has_length_beside(reading, run):
    """Return whether bars stand before two chords, "8 bars C G", or a word that repeats them behind, "C G repeated"."""
    before = run.first - 1 - (reading.word(run.first - 1) == "of")
    return (
        (reading.kind(before) == "QUANTITY" and reading.value(before)[1] == "bars")
        or reading.word(run.end) in _REPEATS
        or reading.each is not None
    )


_REPEATS = {"repeated", "repeat", "repeating", "looped", "looping"}
_MENTIONED = re.compile(
    r"\b(?:end(?:s|ing)?|start(?:s|ing)?|begin\w*|final|last|first|opening|closing|now and then|occasional\w*)\b", re.I
)


def _is_asked_alone(reading, run, token):
    """Return whether one symbol, which is no word, is a chord: "vamp on Dm7", "Dm chord", or a four-note chord in a part of its own."""
    if reading.says(run.first, _MENTIONED):
        return False
    if reading.word(run.first - 1) == "the" and not (reading.word(run.end) == "chord" and reading.ends(run.end + 1)):
        return False
    after = reading.word(run.end)
    is_spoken = re.search(r"\b(?:major|minor)\b", token.text)  # "A minor jam" names a key
    near = {reading.word(i) for i in range(max(run.first - 3, 0), run.first)}
    if _section_near(reading, run) and not is_spoken:  # "solo piano, A minor" names a key
        return True
    if any(reading.word(i) == "chord" for i in range(run.first, run.end)):
        return True
    if is_spoken and after == "chord" and reading.word(run.end + 1) in CHORD_WORDS:  # "A minor chord progression"
        return False
    if after in ("chord", "chords") or _is_vamp(reading, run, token):
        return True
    if re.fullmatch("[A-G][#b]?(?:m|min|maj)?", token.value):
        return not is_spoken and (after == "drone" or "drone" in near)
    if after in _VAMPS - {"over", "on"} or near & {"vamp", "vamping", "drone", "jam", "arpeggios", "arpeggio", "riff"}:
        return True
    if not re.search("[679]|1[13]|sus|dim|aug|/", token.value):
        return False
    is_plain = re.fullmatch(r"[A-G]\d+", token.text)  # "E7" may be a road, "Dm7" and "E7#9" are nothing but chords
    among_music = after in GENRE_WORDS | OF_MUSIC or reading.word(run.first - 1) in GENRE_WORDS | OF_MUSIC | {"in", "on"}
    return not is_plain or among_music or (reading.ends(run.first - 1) and reading.ends(run.end))


def _are_letters(reading, run, tokens, marker):
    """Return whether letters are those of a scale, a melody, a form or a tuning."""
    if _section_near(reading, run):
        return False
    if not all(re.fullmatch(r"[A-G][#b]?\d?", token.text) for token in tokens):
        return False
    start, end = reading.tokens[run.first].start, reading.tokens[run.end - 1].end
    if _BEFORE_LETTERS.search(reading.text[max(start - 40, 0) : start]) or _AFTER_LETTERS.match(reading.text, end):
        return True
    first, stop = reading.sentence(run.first)
    sentence, texts = reading.words(first, stop), [token.text for token in tokens]
    has_parts = re.search(r"\b[Ss]ections?\b", sentence)
    is_form = re.search(r"\b(?:form|structure)\b", sentence) and len(set(texts)) < len(texts)
    joined = len(tokens) == 2 and any(reading.tokens[i].text in ("&", "/") for i in range(run.first, run.end))
    return marker is None and bool(has_parts or is_form or texts[:3] == ["A", "B", "C"] or "4" in "".join(texts) or joined)


def _sections(reading, runs):
    """Return (the runs that are played one after the other, the others): all where each stands by the name of a section, else one."""
    if len(runs) > 1 and all(_section_near(reading, run) for run in runs):
        return runs, []
    return runs[:1], runs[1:]


def _section_near(reading, run):
    """Return whether the name of a section stands just before a run, or "in the chorus" just after it."""
    if reading.kind(run.first - 1) == "MARK" or (
        reading.kind(run.first - 1) in ("LINE", "GAP") and reading.kind(run.first - 2) == "MARK"
    ):
        return True
    before = [reading.word(i) for i in range(max(run.first - 5, 0), run.first) if reading.kind(i) not in SYMBOLS]
    after = [reading.word(i) for i in range(run.end, run.end + 3)]
    named = any(word in SECTIONS for word in before)
    return named or (after[:1] in (["in"], ["for"], ["on"]) and any(word in SECTIONS for word in after))


def _line_of(reading, run, each=None, quiet=False):
    """Write a run as a chord line that `Progression.parse` reads, its repeats played out; notes on symbols that are no chords."""
    parts, groups = [], _groups(reading, run)
    kinds = [reading.kind(i) for i in range(run.first, run.end)]
    held = "BAR" in kinds or any(pair == ("HOLD", "HOLD") for pair in pairwise(kinds))
    each = None if {"BAR", "OPEN", "CLOSE", "HOLD", "QUANTITY"}.intersection(kinds) else each
    for i in range(run.first, run.end):
        token = reading.tokens[i]
        if token.kind in ("LEFT", "RIGHT"):
            parts += ["(" if token.kind == "LEFT" else ")"] if i in groups else []
        elif token.kind == "QUANTITY":
            count, unit = token.value
            parts += [] if token.value == (1, "bars") else [f"({count:g} {unit})"]
        elif token.kind == "LINE":
            parts.append("\n")
        elif token.kind in ("CHORD", "ROMAN"):
            parts.append(f"{token.value}:{each[0]:g}" if each and each[1] == "beats" else token.value)
            parts += [f"({each[0]:g} bars)"] if each and each[1] == "bars" else []
        elif i in run.places and token.kind != "TIMED":
            parts += _known_instead(reading, token, quiet)
        elif token.kind == "WORD":
            parts += [token.text] if token.value in ("twice", "thrice") else []
        elif token.kind == "BAR":
            parts.append("|")
        elif token.kind == "HOLD" and not held:
            continue
        elif token.kind not in ("GAP", "STOP"):
            parts.append(token.text)
    line = " ".join(parts)
    structured = (
        any(reading.kind(i) in _STRUCTURE for i in range(run.first, run.end)) or "twice" in parts or "thrice" in parts or each
    )
    return _played_out(reading, line, quiet) if structured else re.sub(r"\|(?: \|)+", "|", line).strip("| ")


def _known_instead(reading, token, quiet):
    nearest = nearest_symbol(token.text)
    if not quiet:
        reading.note(
            "chords",
            f"{quoted(token.text)} in the prompt is no chord known here, {nearest + ' is played' if nearest else 'left out'}",
        )
    return [nearest] if nearest else []


def _groups(reading, run):
    """Return the places of brackets that "x2" repeats, or that stand around it."""
    places, opened = set(), []
    for i in range(run.first, run.end):
        if reading.kind(i) == "LEFT":
            opened.append(i)
        elif reading.kind(i) == "RIGHT" and opened:
            left = opened.pop()
            is_repeated = reading.kind(i + 1) == "TIMES" and i + 1 < run.end
            if is_repeated or (left == i - 2 and reading.kind(i - 1) == "TIMES"):
                places |= {left, i}
    return places


def _played_out(reading, line, quiet):
    try:
        return unfolded(line).strip("| ")
    except InputError:
        plain = re.sub(r"[()\n]|:\||\|:|\b\d\.|\bx\d+\b", " | " if "|" in line else " ", line)
        if not quiet and ":|" in line:
            reading.note("chords", f"the repeats in {quoted(line)} cannot be read; each bar is played once")
        return re.sub(r"\|(?: *\|)+", "|", " ".join(plain.split())).strip("| ")
