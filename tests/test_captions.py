"""Every control sentence can be read back by the prompt reader."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musicbench import captions
from musicbench.clip import Clip
from musicbench.compose import caption, describe, plan
from musicbench.styles import MOODS
from musicbench.theory import Progression, tempo_class
from mustango.reader import read_prompt


def labelled(seed):
    piece = plan(seed, lead_in=False)
    chords, times = piece.progression.lay_out(piece.bpm, 10, whole=False)
    clip = Clip(np.zeros(0), 1, bpm=piece.bpm, meter=piece.meter, chords=tuple(chords), chord_times=tuple(times), key=piece.key)
    return clip, caption(describe(piece), np.random.default_rng(seed))


@pytest.mark.parametrize("family", [captions.CHORDS, captions.BEAT, captions.TEMPO_NUMBER, captions.TEMPO_WORD, captions.KEY])
def test_families_have_six_wordings(family):
    assert len(set(family)) >= 6


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_sentences_read_back(seed, words):
    clip, main = labelled(seed)
    rng = np.random.default_rng(words)
    stated = read_prompt(f"{main} {captions.chord_sentence(clip, rng)}")
    assert Progression.parse(stated.chords, clip.meter).chords == list(clip.chords)
    stated = read_prompt(f"{main} {captions.beat_sentence(clip, rng)}")
    assert stated.meter.beats == clip.meter.beats
    stated = read_prompt(f"{main} {captions.tempo_sentence(clip, rng)}")
    assert stated.tempo == clip.bpm or tempo_class(stated.tempo) == tempo_class(clip.bpm)
    stated = read_prompt(f"{main} {captions.key_sentence(clip, rng)}")
    assert stated.key.same_as(clip.key)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**6))
def test_main_captions_state_no_control(seed):
    _, main = labelled(seed)
    stated = read_prompt(main)
    assert (stated.tempo, stated.key, stated.meter, stated.chords) == (None,) * 4, main


def test_recipe_draws_sentence_counts():
    clip, _ = labelled(1)
    counts = [len(captions.control_sentences(clip, np.random.default_rng(s))) for s in range(3000)]
    shares = np.bincount(counts, minlength=5) / len(counts)
    np.testing.assert_allclose(shares, captions.SENTENCE_COUNTS, atol=0.03)


def test_missing_labels_have_no_sentence():
    clip = Clip(np.zeros(0), 1)
    assert captions.control_sentences(clip, np.random.default_rng(0), 4) == []


def test_moods_are_worded_in_several_ways():
    assert all(len(words) >= 2 for words in MOODS.values())
