"""Tags of instruments and styles: what may be said of their probabilities; MusiCNN where its weights are."""

import numpy as np
import pytest
from test_embeddings import needs_musicnn, plucked

from musicbench import InputError
from musicbench.hearing import tagger
from musicbench.hearing.tagger import INSTRUMENTS, MAX_INSTRUMENTS, MODELS, STYLES, Said, instruments_heard, styles_heard

NOTHING = {f"{model}:{tag}": 0.001 for model, tags in MODELS.items() for tag in tags}
SAID = [one for one in (*INSTRUMENTS, *STYLES) if one.least is not None]


def test_every_word_has_tags_of_the_models():
    for one in (*INSTRUMENTS, *STYLES):
        assert set(one.tags) <= set(NOTHING) and one.score(NOTHING) == pytest.approx(np.log(0.002), abs=1e-6)
    assert len(NOTHING) == 100 and len({one.word for one in INSTRUMENTS}) == len(INSTRUMENTS)
    assert {"drums", "electric guitar"} <= {one.word for one in SAID}


def test_a_word_is_said_from_its_threshold_on():
    assert instruments_heard(NOTHING) == styles_heard(NOTHING) == []
    drums = next(one for one in INSTRUMENTS if one.word == "drums")
    probability = float(np.exp(drums.least)) - 1e-3
    for factor, is_said in ((1.01, True), (0.99, False)):
        heard = NOTHING | dict.fromkeys(drums.tags, probability * factor)
        assert ("drums" in instruments_heard(heard)) is is_said
    never = [one.word for one in (*INSTRUMENTS, *STYLES) if one.least is None]
    everything = dict.fromkeys(NOTHING, 1.0)
    assert not set(never) & {*instruments_heard(everything), *styles_heard(everything)}


def test_three_instruments_are_said_at_most_and_no_wider_word_beside_a_narrow_one(monkeypatch):
    words = ("distorted guitar", "electric guitar", "drums", "piano", "harp", "plucked strings")
    monkeypatch.setattr(tagger, "INSTRUMENTS", tuple(Said(word, ("mtt:guitar",), -3 - i / 10) for i, word in enumerate(words)))
    heard = instruments_heard(dict.fromkeys(NOTHING, 0.9))
    assert heard == ["harp", "piano", "drums"] and len(heard) == MAX_INSTRUMENTS


def test_without_weights_nothing_is_heard_and_why_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    tagger._models.cache_clear()
    try:
        assert "make judges" in tagger.why_no_tags() and "\n" not in tagger.why_no_tags()
        with pytest.raises(InputError, match="no weights .*make judges"):
            tagger.tags(np.zeros(16000, np.float32), 16000)
    finally:
        tagger._models.cache_clear()


@needs_musicnn
@pytest.mark.skipif(not tagger.musicnn_file("msd").is_file(), reason="the MSD model's weights are not there (make judges)")
def test_tags_of_a_sound_are_those_of_both_models():
    assert tagger.why_no_tags() is None
    heard = tagger.tags(plucked([60, 64, 67, 72]), 16000)
    assert set(heard) == set(NOTHING) and all(0 <= p <= 1 for p in heard.values())
    assert max((p, tag) for tag, p in heard.items() if tag.startswith("mtt:"))[1] == "mtt:piano"
