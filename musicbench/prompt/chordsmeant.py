"""Whether a run of symbols is meant as chords: a title, a scale, a form, a key or a word is not."""

import re
from itertools import pairwise

from musicbench import quoted
from musicbench.music.chords import Chord
from musicbench.music.keys import MODES
from musicbench.music.sections import SECTIONS
from musicbench.music.stylewords import GENRE_WORDS
from musicbench.prompt.chordruns import marker_before
from musicbench.prompt.chordwords import SYMBOLS
from musicbench.prompt.keysmeant import KEY_CHANGE
from musicbench.prompt.reading import CHORD_WORDS, OF_MUSIC

_VAMPS = set(
    """
    vamp vamps vamping loop loops looping groove jam drone alternating alternates alternate between pedal turnaround
    cadence over on
    """.split()
)
_PLAYED = {"only", "just", "alternating", "use", "using", "play", "strum", "strumming", "strummed", "playing"}
_LEADS = set(
    """
    is are goes go going follows from through of with like using uses as be progression sequence chords chord used the
    in order should progressions changes being song piece this music moves move it over around between on built loop
    include includes including here these follow following play i'd want please use harmony track my my: simple
    """.split()
)
BEFORE_LETTERS = re.compile(
    r"\b(?:notes?|pitches|tones|rhymes?|list|ukulele|movements?|solo in|scales?|melody|arpeggios?"
    r"|bass ?(?:line)?(?: plays)?|grades?|vitamins?|strings|section|sections)[ :]+(?:(?:to|of|is|are) )?$",
    re.IGNORECASE,
)
_AFTER_LETTERS = re.compile(r"[ ,.]*(?:scale|melody|arpeggio|students|strings|section|sections|form|structure)\b", re.IGNORECASE)
WEAK = re.compile(r"[A-G](?:M|[0-58])?|[IiVv]|N")  # letters that are words, notes and radios, too


def could_be_chords(reading, run):
    """Return whether a run that is not played may be meant as chords all the same; a scale, a title, "D&B" and "A I" are not."""
    tokens = [reading.tokens[i] for i in run.places]
    if len(tokens) < 2 or reading.used & set(run.places):
        return False
    if reading.is_denied(run.first) or _are_letters(reading, run, tokens, None) or _is_key_change(reading, run, tokens):
        return False
    if tokens[0].kind == "ROMAN" and _is_title(reading, run, tokens):
        return False
    return not all(token.text in ("A", "I", "i", "v", "V", "X") for token in tokens)


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


def is_chord_line(reading, run):
    """Return whether a run of symbols is meant as chords; a title, a scale, a form or a word is not. May trim the run."""
    _trim(reading, run)
    _leave_key_out(reading, run)
    tokens = [reading.tokens[i] for i in run.places]
    marker = marker_before(reading, run.first) if tokens else None
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
    is_pair = len(tokens) == 2 and (reading.word(run.first - 1) == "from" or _is_key_after_key(reading, run))
    return bool(spoken) and all(spoken) and bool(is_pair or reading.says(run.first, KEY_CHANGE))


def _is_key_after_key(reading, run):
    """Return whether nothing or "then" stands between two symbols, and nothing asks for chords: "E minor E major", "C major then A minor"."""
    first, second = run.places
    between = {reading.word(i) for i in range(first + 1, second)}
    near = {
        token.text.lower() for token in (*reading.tokens[max(run.first - 3, 0) : run.first], *reading.tokens[run.end : run.end + 2])
    }
    asks = near & (_VAMPS | CHORD_WORDS | _PLAYED | _REPEATS) or marker_before(reading, run.first) is not None
    follows = second == first + 1 or (between != {"and"} and between <= {"and", "then", "to", "into"})
    return follows and not asks and not _has_length_beside(reading, run) and reading.value(first) != reading.value(second)


def _is_key_twice(reading, run, tokens):
    """Return whether two names of one key stand side by side, "C# / Db major"; the first is used."""
    is_spoken = bool(re.search(r"\b(?:major|minor)$", tokens[-1].text, re.I))
    if (
        len(tokens) != 2
        or not is_spoken
        or tokens[0].text == tokens[1].text
        or len({(Chord.parse(token.value).root, token.value[-1:] == "m") for token in tokens if token.kind == "CHORD"}) > 1
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
    weak = [bool(WEAK.fullmatch(token.text)) for token in tokens]
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
    if BEFORE_LETTERS.search(reading.text[max(start - 40, 0) : start]) or _AFTER_LETTERS.match(reading.text, end):
        return True
    first, stop = reading.sentence(run.first)
    sentence, texts = reading.words(first, stop), [token.text for token in tokens]
    has_parts = re.search(r"\b[Ss]ections?\b", sentence)
    is_form = re.search(r"\b(?:form|structure)\b", sentence) and len(set(texts)) < len(texts)
    joined = len(tokens) == 2 and any(reading.tokens[i].text in ("&", "/") for i in range(run.first, run.end))
    return marker is None and bool(has_parts or is_form or texts[:3] == ["A", "B", "C"] or "4" in "".join(texts) or joined)


def runs_played(reading, runs):
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
