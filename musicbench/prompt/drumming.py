"""Whether the music that a prompt means has drums; whether one instrument plays alone."""

import re
from functools import cache

from musicbench.prompt.genres import Leaning, style_phrases, without_players
from musicbench.prompt.lexicon import Phrases
from musicbench.prompt.sounds import drums, known_phrases, unpitched, words_for, words_of

_DRUM_WORDS = (
    "drum", "drum kit", "drumkit", "drumming", "drummer", "drum machine", "drum beat", "percussion", "percussive", "beat", "kick", "snare", "hi hat",
    "cymbal", "808", "backbeat", "beatbox", "beatboxing", "four on the floor", "clap", "hand clap", "shaker", "tambourine", "bongo", "conga",
    "cajon", "djembe", "taiko", "tabla", "dhol", "bodhran", "timpani", "rimshot", "breakbeat", "drum break", "brushed drum", "toms", "maraca",
    "clave", "cowbell", "timbale", "cabasa", "guiro", "darbuka", "amen break", "drum fill", "drum loop", "beatless", "drumless", "percussionless", "rhythm section", "drumbeat",
)  # fmt: skip
_NO_DRUM_WORDS = (
    "drum and bass", "steel drum", "tongue drum", "hang drum", "steel tongue drum", "beat per minute", "beat a minute", "beat a bar", "beat in a bar",
    "beat to the bar", "beat per bar", "big beat", "drum and bass beat", "the beatles", "beat generation",
)  # fmt: skip
# Words for all of the drums; that another of them is missing says nothing of the rest.
_ALL_DRUMS = {
    "drum", "drum kit", "drumkit", "drum set", "drumming", "drummer", "drum machine", "drum beat", "drum groove", "drum loop", "drumbeat", "percussion",
    "percussive", "beat", "beatless", "drumless", "percussionless", "rhythm section",
}  # fmt: skip
_ALONE = ("solo", "unaccompanied", "alone", "by itself", "on its own", "duet", "duo")
_JOINED = {"with", "and", "over", "featuring", "plus", "has", "by", "then", "into", "on", "under", "to", "followed", "drum"}


@cache
def _drum_phrases():
    others = [word for name in sorted(drums()) for word in words_for()[name]]
    return Phrases([*((phrase, None) for phrase in _NO_DRUM_WORDS), *((phrase, phrase) for phrase in (*_DRUM_WORDS, *others))])


@cache
def _alone_phrases():
    return Phrases((phrase, phrase) for phrase in _ALONE)


def drum_words(prompt):
    """Return {word for drums: whether it is denied} of what a prompt says of drums; "drum and bass" and "steel drum" say nothing of them."""
    found = _drum_phrases().find(words_of(without_players(prompt)))
    return {one.value: one.denied or one.value in ("beatless", "drumless", "percussionless") for one in found}


def drums_said(prompt):
    """Return whether a prompt itself asks for drums, or says that there are none; None when it says neither."""
    said = drum_words(prompt)
    return not all(said.values()) if said else None


def plays_alone(prompt):
    """Return whether a prompt is for an instrument alone or for two: "solo harp", "a cello solo", but not "rock with a guitar solo"."""
    words = words_of(prompt)
    for found in _alone_phrases().find(words):
        clause = []
        for word in words[: found.first]:
            clause = [] if word.is_mark else [*clause, word.text]
        before = words[found.first - 1].text if found.first else ""
        if (
            not found.denied
            and (found.value in ("duet", "duo", "alone") or not _JOINED.intersection(clause))
            and before not in ("not", "home", "me")
            and not _over_a_band(words[found.last :])
            and not (
                found.value == "solo" and before == "guitar" and words[max(found.first - 2, 0)].text in ("electric", "lead", "rock")
            )
        ):
            return True
    return False


_BAND = {"band", "groove", "backing", "backbeat", "trio", "quartet", "quintet", "combo", "section", "beat", "rhythm"}


def _over_a_band(words):
    """Return whether a band is named behind a solo: "over a funk groove", "in a jazz trio"."""
    clause = [word.text for word in words[:8]]
    starts = clause[:1] and clause[0] in ("over", "in", "on", "above", "with", "from", "by")
    return bool(starts and (_BAND.intersection(clause) or Leaning.of(" ".join(clause)).drums))


def drums_wanted(prompt):
    """Return whether the music that a prompt means has drums: what it says, else that it is for one alone, else what its style has; or None."""
    said = drums_said(prompt)
    if said is False and not _ALL_DRUMS.intersection(drum_words(prompt)):
        return bool(Leaning.of(prompt).drums)  # "trap, no hi-hats"
    if said is not None:
        return said
    if only_others_play(prompt) or (plays_alone(prompt) and not _rock_solo(prompt) and not _is_percussion(_sounds_asked(prompt))):
        return False
    return Leaning.of(prompt).drums


# Between "only" and what alone plays; "just a touch of strings" says nothing of the rest.
_NO_ADJECTIVES = {
    "touch", "hint", "bit", "little", "few", "like", "of", "for", "in", "enough", "right", "as", "before", "after", "when", "not", "with", "on", "add", "need",
    "chord", "note", "melody",
}  # fmt: skip
_ONLY = {"only", "just", "solely", "purely", "exclusively", "strictly"}
_NOTHING_ELSE = re.compile(
    r"\b(?:nothing (?:else|more)|no (?:instrument|sound)s? (?:except|but|other than|besides|apart from)|(?:no"
    r"|without)(?: any)? (?:other|more|further) (?:instrument|sound|part|voice)s?|no one else|and that is all)\b"
)


def _sounds_asked(prompt):
    """Return the sounds Found in a prompt, those denied apart."""
    return [found for found in known_phrases().find(words_of(prompt)) if not found.denied]


def _is_percussion(sounds):
    """Return whether any of the sounds Found is percussion without a pitch."""
    return any(unpitched().intersection(found.value) for found in sounds)


def only_others_play(prompt):
    """Return whether a prompt says that nothing but an instrument or a voice plays: "just harp", "organ only", "harp, nothing else"."""
    words, sounds = words_of(prompt), _sounds_asked(prompt)
    if _is_percussion(sounds):
        return False
    if sounds and _NOTHING_ELSE.search(" ".join(prompt.lower().split())):
        return True
    return any(_only_before(words, found.first) or _only_after(words, found.last) for found in sounds)


def _only_before(words, i):
    """Return whether "only" or "nothing but" stands before the sound at `i`, at most three words away."""
    for j in range(i - 1, max(i - 5, -1), -1):
        text, before = words[j].text, words[j - 1].text if j else ""
        if text in _ONLY:
            return before not in ("not", "the", "if")
        if text == "but" and before == "nothing":
            return True
        if words[j].is_mark or text in _NO_ADJECTIVES:
            return False
    return False


def _only_after(words, i):
    """Return whether "only" ends the phrase of the sound before `i`, "organ only", not "organ only in the chorus"."""
    if i >= len(words) or words[i].text not in ("only", "exclusively"):
        return False
    if any(found.first == 0 for found in style_phrases().find(words[i + 1 : i + 7])):
        return True  # "guitar-only blues"
    after = [word.text for word in words[i + 1 : i + 3]] + ["", ""]
    is_end = (
        after[0] in ("", "please", "music", "piece", "track", "arrangement", "version", "cover", "recording")
        or words[i + 1].is_mark
    )
    return is_end or after[0].isdigit() or (after[0] in ("in", "at") and after[1] not in ("the", "a", "some"))


def _rock_solo(prompt):
    """Return whether a style that has drums stands before the word "solo" in its clause: "heavy metal guitar solo"."""
    before, solo, after = prompt.lower().partition("solo")
    parts = re.split(r"[,.;:!?\n]", before)
    is_of_player = len(parts) > 1 and parts[-1].strip() and not after.strip().startswith(("piano", "guitar"))  # "rock, guitar solo"
    return bool(solo) and ("backing track" in after or Leaning.of(before if is_of_player else parts[-1]).drums is True)
