"""Main captions written from what was measured and heard: they vary, say something, and nothing that is not known."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musicbench.build.captions import key_sentence, tempo_sentence, whole_caption
from musicbench.build.heard_captions import ADJECTIVES, DETAILS, PACE, Sounds, heard_caption, known_styles, pace_word
from musicbench.hearing.sound_facts import SoundFacts
from musicbench.music.annotation import Annotation
from musicbench.music.chords import Chord
from musicbench.music.keys import Key
from musicbench.music.meters import Meter
from musicbench.prompt.facts import Stated, read_prompt
from musicbench.sound.clip import Clip

FACTS = SoundFacts(loudness_lufs=-20.0, range_db=10.0, onsets_per_s=3.0, brightness_hz=900.0, brightness=0.0, density=0.0)
LABELS = Annotation(beat_times=(0.0, 0.5, 1.0, 1.5), beat_positions=(1, 2, 3, 4), bpm=120.0, meter=Meter(4, 4))
OPPOSITES = {"calm": "energetic", "sparse": "busy", "dark": "bright"} | {"energetic": "calm", "busy": "sparse", "bright": "dark"}


def said(text, name):
    """Return whether a caption has a word or a sentence for something."""
    phrases = [*ADJECTIVES.get(name, PACE.get(name, "")).split(", "), *DETAILS.get(name, ())]
    return any(phrase and re.search(rf"(?<![\w-]){re.escape(phrase)}(?![\w-])", text) for phrase in phrases)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    words=st.tuples(st.sampled_from(["calm", "energetic", None]), st.sampled_from(["sparse", "busy", None]), st.sampled_from(["dark", "bright", None])),
    instruments=st.lists(st.sampled_from(["drums", "piano", "acoustic guitar", "synthesizer"]), max_size=3, unique=True),
    bpm=st.sampled_from([None, 60.0, 100.0, 170.0]),
)  # fmt: skip
def test_a_caption_says_what_is_known_and_nothing_else(seed, words, instruments, bpm):
    labels = replace(LABELS, bpm=bpm)
    sounds = Sounds(tuple(filter(None, words)), instruments=instruments, facts=FACTS, genre="none")
    text = heard_caption(labels, sounds, np.random.default_rng(seed))
    assert read_prompt(text) == Stated(), text  # facts are for control sentences
    assert not any(said(text, OPPOSITES[word]) for word in sounds.words), text
    assert bpm != 60.0 or not said(text, "fast")
    assert len(text.split()) > 3 and "none" not in text and not re.search(r"\ba [aeio]|\ban [b-df-hj-np-tv-z]|[{}]|  |,,", text), (
        text
    )
    assert text[0].isupper() and text.endswith(".") and not re.search(r"[.!?] [a-z]", text)
    if not sounds.words and not instruments:
        assert len(text.split()) > 5, text


@pytest.mark.slow
def test_words_vary_and_some_captions_have_several_sentences():
    rng, texts = np.random.default_rng(0), []
    for seed in range(1000):
        words = [
            str(rng.choice(pair)) for pair in (("calm", "energetic"), ("sparse", "busy"), ("dark", "bright")) if rng.random() < 0.4
        ]
        instruments = [str(name) for name in rng.permutation(["drums", "piano", "acoustic guitar"])[: rng.integers(0, 3)]]
        labels = replace(LABELS, bpm=float(rng.integers(50, 180)))
        facts = replace(FACTS, onsets_per_s=float(rng.uniform(0, 8)), range_db=float(rng.uniform(3, 30)))
        texts.append(heard_caption(labels, Sounds(words, instruments=instruments, facts=facts), np.random.default_rng(seed)))
    assert len({word for text in texts for word in re.findall(r"[a-z]+", text.lower())}) >= 400
    counts = [text.count(".") for text in texts]
    assert max(counts) == 4 and np.mean([count > 1 for count in counts]) > 0.5
    assert len(set(texts)) > 950


@pytest.mark.parametrize(
    ("genre", "styles"),
    [
        ("none", []), ("Music", []), ("sound fx", []), ("Other", []), ("Soundtrack", []), ("Unknown", []), ("", []),
        ("Heavy Metal", ["heavy metal"]), ("R&B", ["R&B"]), ("Ambient;Chillout", ["ambient", "chillout"]), ("Children's Music", ["children's"]),
    ],
)  # fmt: skip
def test_only_known_styles_of_a_tag_are_said(genre, styles):
    assert known_styles(genre) == styles
    texts = [heard_caption(LABELS, Sounds(genre=genre, facts=FACTS), np.random.default_rng(seed)) for seed in range(20)]
    assert all(
        styles[0] in text if styles else not re.search("none|music piece|fx|unknown", text)
        for text in texts[:1] * bool(styles) or texts
    )


def test_a_pace_is_that_of_the_beat_people_feel():
    beats = {"beat_times": (0.0, 1.0, 2.0)}
    assert (
        pace_word(Annotation(bpm=180.0, meter=Meter(6, 8), **beats), replace(FACTS, onsets_per_s=7.0)) is None
    )  # 60, and many attacks
    assert pace_word(Annotation(bpm=210.0, meter=Meter(6, 8), **beats), FACTS) == "slow"
    assert pace_word(Annotation(bpm=150.0, meter=Meter(4, 4), **beats), FACTS) == "fast"
    assert pace_word(Annotation(bpm=150.0, meter=Meter(4, 4), **beats), replace(FACTS, onsets_per_s=0.5)) is None
    assert pace_word(Annotation()) is None


def test_a_clip_without_a_pulse_is_said_to_have_none():
    texts = [heard_caption(Annotation(), Sounds(facts=FACTS, no_pulse=True), np.random.default_rng(seed)) for seed in range(20)]
    assert sum(bool(re.search("pulse|beat|free time|unmetered", text)) for text in texts) > 8
    assert not any(said(text, word) for text in texts for word in PACE)


def labelled(**labels):
    return Clip(np.zeros(0), 1, beat_times=(0.0,), **labels)


def test_sentences_have_whole_tempi_and_the_pace_of_the_dotted_beat():
    jig = labelled(bpm=195.35, meter=Meter(6, 8))
    texts = {tempo_sentence(jig, np.random.default_rng(seed)) for seed in range(60)}
    assert any("195" in text for text in texts) and not any("195." in text.rstrip(".") for text in texts)
    assert {word for text in texts for word in re.findall("(?i)adagio|presto|vivace", text)} <= {"Adagio", "adagio"}


def test_a_relative_key_has_the_same_signature():
    assert [str(Key(*key).relative) for key in (("Eb", "minor"), ("F#",), ("Gb",), ("C",), ("A", "minor"))] == [
        "Gb major", "D# minor", "Eb minor", "A minor", "C major",
    ]  # fmt: skip


def test_a_key_and_a_tonic_chord_of_the_other_mode_are_not_told_together():
    blues, own = (tuple(map(Chord.parse, names)) for names in (("E", "A", "B7"), ("Em", "A", "B7")))
    for chords, is_said in ((blues, False), (own, True), ((Chord.parse("E5"),), True), ((), True)):
        clip = labelled(key=Key("E", "minor"), chords=chords, chord_times=tuple(float(i) for i in range(len(chords))))
        assert bool(key_sentence(clip, np.random.default_rng(0))) is is_said
        caption = whole_caption("A harp.", clip, np.random.default_rng(0), 4)[0]
        assert (read_prompt(caption).key is not None) is is_said
