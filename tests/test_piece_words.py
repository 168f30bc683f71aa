"""Captions: true to what sounds, of many forms, read back as what they say."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from musicbench.compose.arranging import sounding
from musicbench.compose.compose import caption, describe, plan
from musicbench.compose.instruments import INSTRUMENTS
from musicbench.compose.piece_words import BRASS, STRINGS, Words, article, joined, style_words
from musicbench.compose.pieces import Form
from musicbench.compose.styles import STYLES
from musicbench.prompt.drumming import drums_said
from musicbench.prompt.genres import GENRES, genres_in
from musicbench.prompt.sounds import phrases, words_of

PHRASES = phrases()
GENERAL = {"drum kit", "toms"}


def sounds_named(text):
    """Return the sets of sounds that a text names, any of which would do."""
    return [set(found.value) for found in PHRASES.find(words_of(text)) if not found.denied]


def kinds_in(tags):
    return {INSTRUMENTS[name].kind for _, name in tags["voices"]} | set(tags["percussion"])


@pytest.mark.slow
@settings(max_examples=300)
@given(st.integers(0, 10**6))
@example(819343)  # begins with FM bells
@example(996581)  # a sub bass line
@example(999337)  # a brass trio
def test_captions_name_only_what_sounds(seed):
    tags = describe(plan(seed))
    text = caption(tags, np.random.default_rng(seed))
    known = kinds_in(tags) | (GENERAL if tags["drums"] else set())
    noise = (
        {"rain sounds", "ocean waves", "vinyl crackle", "tape hiss", "wind sounds", "fire crackling"} if tags["noise"] else set()
    )
    voices = {"a cappella", "humming", "singer", "choir"} if known <= {"choir", "singer"} else set()
    ensembles = {name for kinds, name in ((STRINGS, "strings"), (BRASS, "brass section")) if known <= kinds}
    any_bass = sounds_named("sub bass line") if "808 bass" in known else []
    styled = [names for word in style_words(tags["style"]) for names in sounds_named(word)]
    for names in sounds_named(text):
        assert names in styled + any_bass or names & (known | noise | voices | ensembles), (text, names, known)
    said = drums_said(text) if "timpani" not in known else None  # which are drums to those who read
    assert said is None or said == bool(tags["drums"]), text


@pytest.mark.slow
@settings(max_examples=200)
@given(st.integers(0, 10**6))
def test_alone_is_said_only_of_what_is_alone(seed):
    tags = describe(plan(seed))
    text = caption(tags, np.random.default_rng(seed))
    if re.search(r"\b(solo|unaccompanied|alone|nothing else)\b", text) and tags["voices"]:
        one_kind = len({INSTRUMENTS[name].kind for _, name in tags["voices"]}) == 1
        only_voices = kinds_in(tags) <= {"choir", "singer"}
        assert not tags["drums"] and (one_kind or only_voices), text
    if "a cappella" in text and tags["style"] != "a cappella":
        assert kinds_in(tags) <= {"choir", "singer"}


def test_there_are_many_forms():
    tags = describe(plan(20))
    piece = next(
        p for p in (plan(seed, style="jazz") for seed in range(200)) if len(p.voices) == 3 and p.drums and p.form.name == "whole"
    )
    tags = describe(piece)
    texts = [caption(tags, np.random.default_rng(i)) for i in range(400)]
    assert len(set(texts)) > 350
    starts = {re.sub(r"[a-z]+", "w", text.lower()).replace("w w", "w")[:12] for text in texts}
    assert (
        len(starts) > 12
        and any(text.endswith(".") for text in texts)
        and any("," in text and " with " not in text for text in texts)
    )
    assert any(text.startswith(("make", "give", "create", "I want")) for text in texts)


@pytest.mark.slow
def test_what_is_absent_is_said():
    quiet = [t for t in (describe(plan(seed)) for seed in range(400)) if t["voices"] and not t["drums"]]
    texts = [caption(tags, np.random.default_rng(i)) for i, tags in enumerate(quiet)]
    assert np.mean([drums_said(text) is False for text in texts]) > 0.6
    assert any(re.search("no vocals|instrumental|no singing", text) for text in texts)
    assert any("solo" in text or "alone" in text or "unaccompanied" in text for text in texts)


def test_a_voice_that_does_not_sound_in_the_clip_is_not_named():
    piece = next(
        p for p in map(plan, range(300)) if len(p.voices) >= 3 and p.drums and p.form.name == "whole" and p.start_beat == 0
    )
    late = replace(piece, form=Form("intro", {len(piece.voices) - 1: 50, "drums": 50}))
    tags = describe(late, 8.0)
    assert tags["drums"] is None and tags["percussion"] == [] and len(tags["voices"]) < len(piece.voices)
    assert "drums" not in tags["parts"] and tags == describe(late, 8.0, sounding(late, 8.0))


def test_every_style_is_found_by_its_words():
    for name in STYLES:
        for word in style_words(name):
            found = {genre.name for group in genres_in(word) for genre, _ in group}
            assert found == {name}, (name, word)
    assert len({word for name in STYLES for word in style_words(name)}) > 250
    assert set(STYLES) <= {genre.name for genre in GENRES}


def test_rows_of_the_first_composer_can_still_be_worded():
    tags = {"style": "folk", "comping": "harp", "bass": "cello", "lead": "flute", "drums": None, "moods": ["calm"]}
    texts = [caption(tags, np.random.default_rng(i)) for i in range(60)]
    assert all(sounds <= {"harp", "cello", "flute"} for text in texts for sounds in sounds_named(text)) and len(set(texts)) > 40
    drums = tags | {"comping": None, "bass": None, "lead": None, "drums": "rock"}
    assert all(
        "drum" in caption(drums, np.random.default_rng(i)).lower() or "percussion" in caption(drums, np.random.default_rng(i))
        for i in range(30)
    )


def test_small_words():
    assert (
        article("upbeat song") == "an upbeat song"
        and article("piano") == "a piano"
        and article("uk drill beat") == "a uk drill beat"
    )
    assert joined(["a", "b", "c"]) == "a, b and c" and joined(["a"]) == "a" and joined([]) == ""
    quartet = describe(plan(0)) | {
        "voices": [["lead", "violin"], ["chords", "violin"], ["chords", "viola"], ["bass", "cello"]],
        "drums": None,
    }
    assert Words(quartet, np.random.default_rng(0)).ensemble == "string quartet"
