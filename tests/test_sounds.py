"""The words for sounds: each is found by its words, and all that is near leads somewhere."""

import pytest

from musicbench.compose.instruments import INSTRUMENTS
from musicbench.prompt.lexicon import read_words
from musicbench.prompt.sounds import COMMON, KINDS, NEAR, nearest, phrases, unpitched, words_for, words_of

PHRASES = phrases()


def found(prompt):
    return [one.value for one in PHRASES.find(read_words(prompt))]


def test_every_instrument_of_the_composer_has_words():
    kinds = {one.kind for one in INSTRUMENTS.values()}
    for name in kinds:
        assert found(f"a calm {name} piece") == [(name,)]
    assert len(INSTRUMENTS) > len(kinds) > len(kinds & set(COMMON)) > 20


def test_each_sound_is_found_by_its_words_and_their_plural():
    for name, words in words_for().items():
        for word in words:
            plural = (
                word
                if len(word) < 4 or not word[-1].isalpha() or word.endswith(("s", "h", "x", "y", "z", "che", "wind"))
                else f"{word}s"
            )
            assert found(word) == found(f"some {plural}.") == [(name,)], word
    for words, names in KINDS.items():
        assert all(found(word) == [names] for word in words.split(" / "))


def test_what_is_near_is_known():
    assert {name for near in NEAR for name in near} <= set(COMMON)
    assert {name for names in KINDS.values() for name in names} <= set(COMMON)
    assert set(nearest()) == set(words_for()) and len(nearest()) > 300


@pytest.mark.parametrize(
    ("prompt", "names"),
    [
        ("steel guitar", "steel guitar"), ("bass clarinet", "bass clarinet"), ("steel drums", "steel drum"), ("mouth harp", "jaw harp"),
        ("English horn", "english horn"), ("pan flute", "pan flute"), ("upright bass", "acoustic bass"), ("a Hammond B3", "organ"),
        ("sitarist", "sitar"), ("koto player", "koto"), ("cellist", "cello"), ("808s", "808"), ("d'n'b", ""), ("bass drop", ""),
        ("good vibes", ""), ("in the key of C", ""), ("120 beats per minute", ""), ("a love song", ""), ("organic", ""), ("saxophones", "saxophone"),
    ],
)  # fmt: skip
def test_compound_words_and_words_that_only_look_alike(prompt, names):
    assert found(prompt) == ([(names,)] if names else [])


def test_own_words_come_first():
    own = phrases({"zorp": ["zorp", "sitar"]})
    assert [one.value for one in own.find(read_words("a sitar, a zorp and a koto"))] == [("zorp",), ("zorp",), ("koto",)]


def test_percussion_without_a_pitch_is_known():
    assert {"congas", "tamborim", "taiko", "claps", "castanets", "gong", "body percussion", "drum kit"} <= unpitched()
    assert not unpitched() & {"timpani", "marimba", "steel drum", "handpan", "slit drum", "jaw harp", "tubular bells", "808"}
    assert unpitched() <= set(words_for())


@pytest.mark.parametrize(
    ("prompt", "names"),
    [
        ("Cuban tres", "tres"), ("a nay", "ney"), ("cavaco", "cavaquinho"), ("krakebs", "qraqeb"), ("guitarra portuguesa", "portuguese guitar"), ("riq", "riqq"),
        ("an 8-string", "8 string guitar"), ("808 drum kit", "808 drums"), ("V in A", ""), ("I V in A minor", ""), ("shout", ""), ("launch pad", ""), ("Bm", ""),
    ],
)  # fmt: skip
def test_more_sounds_and_false_alarms(prompt, names):
    assert found(prompt) == ([(names,)] if names else [])


def test_a_denial_ends_with_the_sound_after_it():
    asked = [
        one.value[0]
        for one in PHRASES.find(words_of("no strings, banjo or melody; no bass harp; without drums ukulele"))
        if not one.denied
    ]
    assert asked == ["harp", "ukulele"]
