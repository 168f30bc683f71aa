"""Tunes by name: those before "changes" and "chords" are told of, ordinary words are not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musicbench.prompt.tunes import unknown_name


@pytest.mark.parametrize(
    ("prompt", "name"),
    [
        ("Giant Steps changes", "Giant Steps"), ("swing over autumn leaves changes in G minor", "autumn leaves"), ("Strange Fruit chord progression", "Strange Fruit"),
        ("Don't Look Back in Anger chords", "Back in Anger"), ('"Creep" chords, guitar', "Creep"), ("the chords of Hey Jude", "Hey Jude"), ("Burgundian cadence", "Burgundian"),
        ("guitar, Purple Rain chords", "Purple Rain"), ("chords from 'Imagine'", "Imagine"), ("So What changes", "So What"),
    ],
)  # fmt: skip
def test_names_of_tunes(prompt, name):
    assert name in (unknown_name(prompt) or "")


@pytest.mark.parametrize(
    "prompt",
    [
        "lush chords", "piano chords", "simple chord progression", "chord changes", "Warm Rhodes chords", "House chords", "Beautiful Piano Chords", "key changes",
        "the D chord and the E chord", "C major chords", "Dm7 chords", "DARK PIANO CHORDS", "chords for Piano", "drum cadence", "Coltrane changes", "Plagal cadence",
        "final cadence", "Neo Soul Chords", "sudden tempo changes", "chords of a sad song", "ending on a C chord", "Jazz changes", "Minor chords", "changes", "",
    ],
)  # fmt: skip
def test_ordinary_words_name_no_tune(prompt):
    assert unknown_name(prompt) is None


@given(st.text(max_size=100))
def test_any_text_can_be_asked(text):
    unknown_name(text + " chords of Giant Steps changes")
