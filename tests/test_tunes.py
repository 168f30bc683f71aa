"""Tunes by name: those before "changes" and "chords" are told of, ordinary words are not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musicbench.prompt.tunes import tune_named, unknown_name


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


@pytest.mark.parametrize(
    ("prompt", "name"),
    [
        ("Misty", "Misty"), ("Misty for piano trio", "Misty"), ("Summertime, slow", "Summertime"), ("fly me to the moon swing 140", "fly me to the moon"), ("Take the A Train", "Take the A Train"),
        ("amazing grace on bagpipes", "amazing grace"), ("Happy Birthday", "Happy Birthday"), ("Jingle Bells", "Jingle Bells"), ("autumn leaves lofi", "autumn leaves"), ("a cover of Yesterday", "Yesterday"),
        ("a cover of blinding lights on piano", "blinding lights"), ("Wonderwall by Oasis", "Wonderwall"), ("the tune Danny Boy", "Danny Boy"), ("the song Karma Police on piano", "Karma Police"),
        ('"Nocturne in Eb" for piano', "Nocturne in Eb"), ("Hello cover, sad piano", "Hello"), ("piano version of Clocks", "Clocks"), ("play blackbird on guitar", "blackbird"),
    ],
)  # fmt: skip
def test_tunes_without_the_word_changes(prompt, name):
    assert tune_named(prompt) == name


@pytest.mark.parametrize(
    "prompt",
    [
        "Misty morning ambient", "summertime vibes", "piano, autumn leaves falling, rain", "christmas pop with jingle bells", "cover of a jazz standard", "Played by Ear", "my way or the highway",
        "Deep House by the Sea", "no autumn leaves please", '"Am F C G" please', 'a song called "Deep House"', "Acoustic cover", "jazz", "LOUD ROCK BY NIGHT",
    ],
)  # fmt: skip
def test_ordinary_words_are_no_tune(prompt):
    assert tune_named(prompt) is None


@given(st.text(max_size=100))
def test_any_text_may_name_a_tune(text):
    tune_named(text + " a cover of Yesterday by Someone")


@pytest.mark.parametrize(
    ("prompt", "name"),
    [
        ("Beethoven's Fifth", "Beethoven's Fifth"), ("Mozart's Eine kleine Nachtmusik for strings", "Mozart's Eine kleine Nachtmusik"), ("Vivaldi’s Four Seasons on harpsichord", "Vivaldi’s Four Seasons"),
        ("Beethoven's Ninth Symphony, slow", "Beethoven's Ninth Symphony"), ("Bach's Cello Suite No. 1", "Bach's Cello Suite"), ("the Star Wars theme", "Star Wars theme"),
        ("piano, the Game of Thrones theme", "Game of Thrones theme"), ("theme from Jaws", "Jaws"), ("Theme from the Godfather", "Godfather"),
        ("99 red balloons", "99 red balloons"), ("Summer of 69", "Summer of 69"), ("A day in the life", "A day in the life"),
    ],
)  # fmt: skip
def test_tunes_of_somebody_and_themes(prompt, name):
    assert tune_named(prompt) == name


@pytest.mark.parametrize(
    "prompt",
    [
        "Bach's style", "Bach's Style", "St. Patrick's Day jig", "a composer's dream", "New Year's Eve party house", "Nature's Calm Piano", "It's Friday, rock", "Mother's Day song", "Dilla's drums",
        "the Main theme", "the Jazz theme", "The Hero theme", "theme of love", "the theme from a horror film", "piano for a day in the life of a cat", "not like Beethoven's Fifth",
    ],
)  # fmt: skip
def test_what_is_somebodys_is_not_always_a_tune(prompt):
    assert tune_named(prompt) is None
