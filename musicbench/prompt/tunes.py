"""Names of harmony in a prompt that nothing here knows: tunes and rare cadences, "Giant Steps changes"."""

import re
from functools import cache

from musicbench.prompt.forms import form_phrases
from musicbench.prompt.genres import genres_in
from musicbench.prompt.lexicon import Phrases, read_words
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
    for first, last in sorted(
        (first, last) for last, first in ends.items()
    ):  # "play Happy Birthday", "in the manner of Giant Steps"
        if last - first > 1 and all(_is_capital(prompt, word) for word in (words[first], words[last - 1])) and not prompt.istitle():
            return prompt[words[first].start : words[last - 1].end]
    return None


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
