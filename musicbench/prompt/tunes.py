"""Names of harmony in a prompt that nothing here knows: tunes and rare cadences, "Giant Steps changes"."""

import re
from functools import cache

from musicbench.prompt.forms import form_phrases
from musicbench.prompt.genres import genres_in
from musicbench.prompt.lexicon import Phrases, quoted_titles, read_words
from musicbench.prompt.sounds import TUNES, known_phrases

_HEADS = (
    ("chord", "progression"), ("chord", "change"), ("progression",), ("change",), ("chord",), ("cadence",), ("turnaround",), ("harmony",),
)  # fmt: skip
# Cadences that theory names and this table lacks, whatever their capitals.
_CADENCES = {"landini", "burgundian", "corelli", "moravian", "clausula", "medial", "inverted", "english", "bach", "spondaic"}
# What stands before "chords" and "changes" in capitals and names no tune.
_ORDINARY = set(
    """
    a an the and with of in on to for over from by some my its it use play using chord chords major minor new more simple easy lush rich warm soft
    sad happy dark bright open big basic beautiful gentle dreamy jazzy emotional nice smooth slow fast deep complex complicated interesting catchy
    classic common standard famous typical traditional modern vintage retro extended seventh suspended augmented diminished altered dominant
    tonic triad power block broken rolled stacked sustained held long short staccato stab strummed arpeggiated ambient cinematic epic
    triumphant moody mellow chill airy ethereal heavenly haunting mysterious tense tension dissonant consonant chromatic diatonic modal
    functional parallel borrowed secondary colorful colourful crunchy clean loud quiet low high wide close spread upbeat uplifting hopeful
    nostalgic melancholic melancholy romantic gospel blues jazz rock pop key tempo time meter mood scene pace volume dynamic dynamics rhythm
    rhythmic harmonic melodic sudden subtle constant frequent quick gradual no few many two three four five six seven one final last first
    opening closing ending full half whole same different other repeating repeated looping looped loop descending ascending rising falling
    soulful funky heavy light intro outro verse chorus bridge reverb synth pad guitar piano organ strings drum snare vocal spoken solo
    backing evolving shifting moving changing unusual unexpected surprising sophisticated generic random neutral pretty lovely sweet
    classical baroque church flamenco spanish latin cuban lo fi lofi house techno trance ukulele bass string dorian phrygian lydian mixolydian
    aeolian locrian ionian royal circle old school and european american eastern western celtic russian french italian german indian japanese
    """.split()
)
_FUNCTION_WORDS = {"of", "the", "it", "you", "me", "my", "your", "i", "we", "is", "are", "be", "to", "in", "on", "for", "and", "a"}


@cache
def _tunes():
    return Phrases([(tune, tune) for tune in TUNES])


def unknown_name(prompt):
    """Return the name in a prompt of changes, chords or a cadence that nothing here knows, "Giant Steps", or None.

    It is a well-known tune's, or one in capitals or quotes, before such words as "changes"; "lush chords" names nothing.
    """
    words = read_words(prompt)
    known = {j for found in form_phrases().find(words) for j in range(found.first, found.last)}
    ends = {found.last: found.first for found in _tunes().find(words)}
    for i in range(len(words)):
        head = next((head for head in _HEADS if tuple(word.text for word in words[i : i + len(head)]) == head), None)
        if head is None or i in known or words[i].denied:
            continue
        first = ends.get(i, i - _length_of_name(prompt, words[:i], head))
        if first < i:
            return prompt[words[first].start : words[i - 1].end]
        if end := _end_of_name(prompt, words, i + len(head) + 1):
            return prompt[words[i + len(head) + 1].start : words[end - 1].end]
    return tune_named(prompt)


# Titles that small letters write as ordinary words, and those of one word that stand for a tune by themselves.
_ORDINARY_TITLES = set(
    """
    all of me/so what/all blues/body and soul/just friends/beautiful love/tune up/let it be/with or without you/autumn leaves/blue in green/blue moon/my way/
    feeling good/country roads/purple rain/get lucky/sweet dreams/take on me/in the mood/silent night/come together/moment notice/stand by me/black orpheus/
    over the rainbow/blue skies/last christmas/white christmas/let it snow/jingle bells/swan lake/free bird/blinding lights/26 2/a day in the life
    """.replace("\n", "")
    .replace("    ", "")
    .strip()
    .split("/")
)
_BEFORE_TITLES = {
    "play",
    "plays",
    "playing",
    "cover",
    "of",
    "tune",
    "song",
    "standard",
    "like",
    "called",
    "hymn",
    "carol",
    "melody",
}
_AFTER_TITLES = {"for", "by", "on", "in", "at", "as", "cover", "version", "changes", "theme", "melody", "played", "with", "style", "arrangement", "arranged", "remix", "solo"}  # fmt: skip
_VERSIONS = {
    "cover",
    "covers",
    "version",
    "versions",
    "rendition",
    "arrangement",
    "remix",
    "reharmonization",
    "reharm",
    "interpretation",
}
_PIECES = {"tune", "song", "standard", "hymn", "carol", "aria", "melody"}
_STOPS_OF_NAMES = {"by", "in", "on", "for", "with", "at", "as", "from", "but", "played", "using", "style", "version"}
_NO_NAMES = set(
    """
    composed written performed played inspired made driven sung led followed backed accompanied produced a an my some this that your our it any
    his her their one another music guitar acoustic electric instrumental orchestral solo
    """.split()
)


_MOST_READ = 600  # characters of a prompt in which a tune is looked for


def tune_named(prompt):
    """Return the name of a tune that a prompt asks for, or None.

    It is a well-known title, "Misty for piano"; what stands behind "a cover of" or "the tune", or before "by" and a name; or words in quotes.
    """
    prompt = prompt[:_MOST_READ]
    words = read_words(prompt)
    for found in sorted(_tunes().find(words), key=lambda found: found.first):
        if _stands_as_title(prompt, words, found):
            return prompt[words[found.first].start : words[found.last - 1].end]
    quotes = [(start, end) for start, end in quoted_titles(prompt) if re.search(r"[a-z]{3}", prompt[start:end])]
    if quotes and not re.search(r"\b(?:called|titled|entitled|named|lyrics?|sing\w*|say\w*)[:,]? ?$", prompt[: quotes[0][0]], re.I):
        return prompt[quotes[0][0] + 1 : quotes[0][1] - 1]
    for i, word in enumerate(words):
        before = words[i - 1].text if i else ""
        if word.text == "of" and before in _VERSIONS:
            end = _end_of_small_name(words, i + 1) if before in ("cover", "covers") else _end_of_capitals(prompt, words, i + 1)
        elif word.text in _PIECES and before == "the":
            end = _end_of_capitals(prompt, words, i + 1)
        elif word.text == "cover" and (name := _name_before_cover(prompt, words, i)):
            return name
        elif (place := _possession(prompt, words, i) or _theme(prompt, words, i)) and not word.denied:
            return prompt[words[place[0]].start : words[place[1] - 1].end]
        elif word.text == "by" and (first := _name_by(prompt, words, i)) is not None:
            return prompt[words[first].start : words[i - 1].end]
        else:
            continue
        if end > i + 1 and not word.denied:
            return prompt[words[i + 1].start : words[end - 1].end]
    return None


def _stands_as_title(prompt, words, found):
    """Return whether a well-known title stands where one is meant: in capitals, or where its words can mean nothing else."""
    first, last = found.first, found.last
    is_large = _is_capital(prompt, words[first]) and _is_capital(prompt, words[last - 1])
    begins = first == 0 or words[first - 1].is_mark or words[first - 1].text in _BEFORE_TITLES
    ends = last == len(words) or words[last].is_mark or words[last].text in _AFTER_TITLES or bool(genres_in(words[last].text))
    if words[first].denied:
        return False
    if last - first == 1:
        is_asked = first and words[first - 1].text in ("play", "playing", "cover", "tune", "song", "standard")
        return (is_large or bool(is_asked)) and begins and ends
    return is_large or found.value not in _ORDINARY_TITLES or (begins and ends and not _is_scenery(words, first, last))


def _is_scenery(words, first, last):
    """Return whether small words are a part of a list, "piano, autumn leaves, rain", and not what is played."""
    return first > 0 and words[first - 1].is_mark


def _end_of_capitals(prompt, words, first):
    """Return the end of a name in capitals that begins with word `first`, function words inside it; `first` where there is none."""
    end = i = first
    while (
        i < len(words)
        and not words[i].is_mark
        and (_is_capital(prompt, words[i]) or (end > first and words[i].text in _FUNCTION_WORDS))
    ):
        i += 1
        end = i if _is_capital(prompt, words[i - 1]) else end
    is_name = end > first and not prompt.isupper() and not words[first].is_chord and not _is_musical(words[first:end])
    return end if is_name else first


# "St. Patrick's Day" is a feast, "Bach's Style" no title, "the Main theme" nobody's.
_OWNED = set(
    "day days eve night style sound music era time way vibe mood lead hands world works tune song songs piece theme".split()
)
_WORKS = set("symphony sonata suite concerto prelude nocturne waltz requiem canon fugue mass march rhapsody etude minuet".split())
_ROLES = set("main title boss battle love hero villain".split())


def _possession(prompt, words, i):
    """Return the place (first, end) of a title in capitals behind a name and its 's, "Beethoven's Fifth"; None where there is none."""
    has_s = prompt[words[i].end : words[i].end + 2].replace("’", "'") == "'s"
    if not has_s or not _is_capital(prompt, words[i]) or prompt.isupper() or words[i].text in _NO_OWNERS:
        return None
    end = i + 1
    while end < len(words) and not words[end].is_mark:
        # "Eine kleine Nachtmusik"
        is_between = end > i + 1 and end + 1 < len(words) and words[end].text not in _STOPS_OF_NAMES | {"and"}
        if not (_is_capital(prompt, words[end]) or (is_between and _is_capital(prompt, words[end + 1]))):
            break
        end += 1
    end -= words[end - 1].text == "no"  # "Cello Suite No. 1"
    texts = [word.text for word in words[i + 1 : end]]
    is_work = not _WORKS.isdisjoint(texts[1:])
    is_title = texts and not words[i + 1].is_chord and _OWNED.isdisjoint(texts) and (is_work or not _is_style(words[i + 1 : end]))
    first = i - (i > 0 and _is_capital(prompt, words[i - 1]) and words[i - 1].text not in _BEFORE_TITLES | _NO_NAMES)
    return (first, end) if is_title else None


_NO_OWNERS = {"it", "that", "let", "there", "here", "what", "he", "she", "who", "where", "how"}


def _theme(prompt, words, i):
    """Return the place (first, end) of a name in capitals in "the Star Wars theme" or "theme from Jaws"; None where there is none."""
    if words[i].text != "theme" or prompt.isupper():
        return None
    if i + 2 < len(words) and words[i + 1].text in ("from", "of", "to"):
        start = i + 2 + (words[i + 2].text == "the")
        end = start
        while end < len(words) and _is_of_name(prompt, words[end], end > start):
            end += 1
        while end > start and not _is_capital(prompt, words[end - 1]):
            end -= 1
        return (start, end) if end > start and not _is_style(words[start:end]) else None
    first = i
    while first and words[first - 1].text != "the" and _is_of_name(prompt, words[first - 1], True):
        first -= 1
    is_called = 0 < first < i and words[first - 1].text == "the"
    is_name = is_called and _is_capital(prompt, words[first]) and _is_capital(prompt, words[i - 1])
    return (first, i + 1) if is_name and not _is_style(words[first:i]) else None


def _is_of_name(prompt, word, inside):
    """Return whether a word may be one of a name: in capitals, or small inside it."""
    return not word.is_mark and (_is_capital(prompt, word) or (inside and word.text in _FUNCTION_WORDS))


def _is_style(words):
    """Return whether a style or an instrument is among words, or all of them are ordinary."""
    text = " ".join(word.text for word in words)
    return bool(known_phrases().find(words) or genres_in(text)) or set(text.split()) <= set(_ORDINARY) | _ROLES


def _end_of_small_name(words, first):
    """Return the end of what a cover is of, whatever its letters: "a cover of blinding lights on piano"."""
    end = first
    while (
        end < len(words) and end < first + 7 and not words[end].is_mark and (end == first or words[end].text not in _STOPS_OF_NAMES)
    ):
        end += 1
    return end if end > first and words[first].text not in _NO_NAMES else first


def _name_before_cover(prompt, words, i):
    """Return the name in capitals before "cover", up to two players between: "Hello cover", "Blinding Lights piano cover"; or None."""
    if i + 1 < len(words) and words[i + 1].text == "of":
        return None
    last = next((j for j in range(i, max(i - 3, 0), -1) if _is_capital(prompt, words[j - 1])), 0)
    first = last
    while first and _is_capital(prompt, words[first - 1]):
        first -= 1
    is_name = first < last and not prompt.isupper() and not _is_musical(words[first:last]) and words[first].text not in _NO_NAMES
    return prompt[words[first].start : words[last - 1].end] if is_name else None


def _name_by(prompt, words, i):
    """Return the first word of a title in capitals before "by" and a name in capitals, "Wonderwall by Oasis"; None where there is none."""
    if i + 1 >= len(words) or not _is_capital(prompt, words[i + 1]) or prompt.isupper() or prompt.istitle():
        return None
    first = i
    while (
        first
        and not words[first - 1].is_mark
        and (_is_capital(prompt, words[first - 1]) or (words[first - 1].text in _FUNCTION_WORDS and first > 1))
    ):
        first -= 1
    while first < i and not _is_capital(prompt, words[first]):
        first += 1
    name = words[first:i]
    is_title = name and name[0].text not in _NO_NAMES and not any(word.is_chord for word in name)
    return first if is_title and not (_is_musical(name) or _is_musical(words[i + 1 : i + 2])) else None


def _end_of_name(prompt, words, first):
    """Return the end of a tune's name that begins with word `first` after "chords of", or None."""
    if first >= len(words) or words[first - 1].text not in ("of", "from", "to", "for"):
        return None
    tune = next((found for found in _tunes().find(words[first:]) if found.first == 0), None)
    if tune:
        return first + tune.last
    end = first
    while end < len(words) and _is_capital(prompt, words[end]):
        end += 1
    return end if end > first + 1 and not _is_musical(words[first:end]) and not prompt.isupper() else None


def _length_of_name(prompt, words, head):
    """Return how many of the last words are a name in capitals or in quotes; 0 for what is ordinary, or a style's or an instrument's."""
    if not words or words[-1].is_mark or words[-1].text[:1].isdigit():
        return 0
    quoted = re.search(r"[\"“][^\"“”]+[\"”]\s*$", prompt[: words[-1].end + 2])
    if quoted:
        return sum(word.start >= quoted.start() for word in words)
    if head == ("cadence",) and words[-1].text in _CADENCES:
        return 1
    n = 0
    while n < len(words) and (_is_capital(prompt, words[-1 - n]) or (n and _is_inside_a_title(prompt, words[: len(words) - n]))):
        n += 1
    name = words[len(words) - n :] if not prompt.isupper() else []
    while name and name[0].text in ("use", "play", "using", "write", "with", "over", "the"):
        name = name[1:]
    texts = [word.text for word in name]
    begins = len(name) == len(words) or (name and words[len(words) - len(name) - 1].is_mark)
    is_sentence = not set(texts) - _ORDINARY or any(word.is_chord or word.text in "abcdefg" for word in name)
    if not name or is_sentence or (begins and len(name) == 1 and head != ("change",)):
        return 0
    has_title_word = len(name) > 2 and any(text in _FUNCTION_WORDS for text in texts[1:])
    return len(name) if has_title_word or not _is_musical(name) else 0


def _is_capital(prompt, word):
    return not word.is_mark and (prompt[word.start].isupper() or prompt[word.start].isdigit())


def _is_inside_a_title(prompt, words):
    """Return whether the last of words is small in a title, with a capital before it: "Back in" of "Back in Anger"."""
    return words[-1].text in _FUNCTION_WORDS and len(words) > 1 and _is_capital(prompt, words[-2])


def _is_musical(words):
    """Return whether a style, a form or an instrument is among words."""
    text = " ".join(word.text for word in words)
    return bool(
        known_phrases().find(words) or form_phrases().find(words) or genres_in(text) or set(_ORDINARY).intersection(text.split())
    )
