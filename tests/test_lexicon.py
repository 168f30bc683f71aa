"""Words of a prompt: spellings that are one, phrases, what is denied."""

import pytest
from conftest import processor_s
from hypothesis import given
from hypothesis import strategies as st

from musicbench.prompt.lexicon import Phrases, joined, read_words, singular, table, without_titles


@pytest.mark.parametrize(
    "spellings",
    [
        ("lo-fi", "lo fi", "lofi", "Lo-Fi", "LOFI"), ("drum and bass", "drum & bass", "Drum'n'Bass", "drum ’n’ bass", "DnB", "drum n bass"),
        ("R&B", "r and b", "RnB", "r'n'b"), ("synthesizers", "synthesiser", "Synthesisers"), ("handpan", "hand pans", "hand-pan"),
        ("hip hop", "hip-hop", "HipHop"), ("8-bit", "eight bit", "8bit"), ("808s", "808"), ("harpsichord", "Harpsichords"),
        ("children's choir", "childrens choir"), ("a cappella", "acappella", "A-Cappella"), ("señor", "senor"),
    ],
)  # fmt: skip
def test_spellings_that_are_one(spellings):
    assert len({joined(text) for text in spellings}) == 1


def test_what_is_no_plural_stays():
    assert [singular(word) for word in ("bass", "brass", "blues", "chorus", "this", "keys", "drums", "brushes", "melodies", "gas")] == [
        "bass", "brass", "blues", "chorus", "this", "keys", "drum", "brush", "melody", "gas",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "denied"),
    [
        ("no drums, sitar melody", "drum"), ("without vocals or drums, 808s", "vocal drum"), ("no piano, guitar or bass", "piano guitar bass"),
        ("not only drums", ""), ("vocal-free pads", "vocal"), ("it doesn't have drums", "drum"), ("instead of guitar, a harp", "guitar"),
        ("no a cappella", "cappella"), ("never drums; flute", "drum"), ("piano but no strings and no drums", "string drum"),
        ("no drums with a flute", "drum"), ("harp with no drums", "drum"), ("no drums but a harp", "drum"), ("no vocals just guitar", "vocal"),
    ],
)  # fmt: skip
def test_what_is_denied(text, denied):
    names = {"drum", "sitar", "vocal", "808", "piano", "guitar", "bass", "pad", "harp", "cappella", "flute", "string"}
    assert [word.text for word in read_words(text) if word.denied and word.text in names] == denied.split()


def test_the_longest_phrase_is_found_and_hides_its_words():
    phrases = Phrases([("bass", 1), ("bass clarinet", 2), ("steel guitar", None), ("guitar", 3)])
    values = [
        found.value for found in phrases.find(read_words("bass, bass clarinets, a steel guitar and a guitar; bass. clarinet"))
    ]
    assert values == [1, 2, 3, 1]


def test_table():
    assert table("a / b c; d;\n e / f ") == {"a": ("a", "b c"), "d": ("d",), "e": ("e", "f")}


@given(st.text(max_size=200))
def test_any_text_has_words_with_their_places(text):
    words = read_words(text)
    assert all(0 <= word.start < word.end <= len(text) and word.text for word in words)
    assert [word.start for word in words] == sorted(word.start for word in words)


@pytest.mark.slow
@pytest.mark.parametrize("repeated", ["no a, ", "no ", "a", "a, ", "n't ", "solo ", "with "])
def test_no_text_takes_longer_than_in_proportion(repeated):
    """Quadratic growth would take a hundred times as long."""
    phrases = Phrases([("a a a a a", 1)])
    long, plain = (text * (10_000 // len(text)) for text in (repeated, "word "))
    assert processor_s(lambda text: phrases.find(read_words(text)), long) < 20 * processor_s(
        lambda text: phrases.find(read_words(text)), plain
    )


NOUNS = Phrases((noun, noun) for noun in ("drum", "drum loop", "piano", "vocal", "guitar", "bass", "harp"))


@pytest.mark.parametrize(
    ("text", "denied"),
    [
        ("no vocals techno", "vocal"), ("no piano or guitar polka", "piano guitar"), ("without drums, bass or vocals, trance", "drum bass vocal"),
        ("no drums/bass techno", "drum bass"), ("w/o guitar ska", "guitar"), ("w/ guitar, ska", ""), ("no loud guitar march", "guitar"), ("no polka", "polka"),
        ("a no frills march", ""), ("no-nonsense polka", ""), ("never-ending trance", ""), ("without a doubt the best polka", ""), ("not too loud techno", ""),
        ("not exactly techno", "techno"), ("not your usual ska", ""), ("zero gravity trance", ""), ("drum-free ska", "drum"), ("piano free jazz", ""),
        ("ska free of drums", "drum"), ("ska, drums off", "drum"), ("drums: none, harp", "drum"), ("harp off the beat", ""), ("mute the bass, polka", "bass"),
        ("turn the drums off", "drum"), ("anything but drums, ska", "drum"), ("nothing but drums", ""), ("polka -drums", "drum"), ("polka - drums", ""),
        ("polka-drums", ""), ("leave out the guitar", "guitar"), ("sans piano", "piano"), ("minus harp", "harp"), ("devoid of bass", "bass"), 
        ("take the drums out of this polka", "drum"), ("non-vocal techno", "vocal"), ("non-stop techno", ""), ("nothing except harp", ""),
        ("no guitar except harp", "guitar"),
    ],
)  # fmt: skip
def test_a_denial_covers_the_noun_after_it(text, denied):
    names = {"drum", "vocal", "piano", "guitar", "bass", "harp", "techno", "polka", "trance", "ska", "march", "jazz"}
    assert [word.text for word in read_words(text, NOUNS) if word.denied and word.text in names] == denied.split()


def test_words_of_one_letter_are_no_part_of_a_longer_word():
    phrases = Phrases([("veena", 1), ("vina", 1), ("r and b", 2), ("agogo", 3), ("ebm", 4), ("d'amore", 5)])

    def values(text):
        return [found.value for found in phrases.find(read_words(text))]

    assert values("V in A, v in a, a go-go, Ebm") == []
    assert values("vina; R & B; rnb; agogo; EBM; ebm; d'amore") == [1, 2, 2, 3, 4, 4, 5]


@pytest.mark.parametrize(
    "text", ["32 beats", "four beats", "90 beats/min", "80 dotted beats", "beats per bar: 3", "(2 beats)", "an 8-beat loop"]
)
def test_beats_that_are_counted_are_a_unit(text):
    assert "beat" not in {word.text for word in read_words(text)}


@pytest.mark.parametrize("text", ["trap beats", "90s beats", "909 beats", "a beat", "beats"])
def test_other_beats_are_drums(text):
    assert "beat" in {word.text for word in read_words(text)}


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ('a track called "Deep House Nights", harp', "Deep House Nights"), ("harp, titled Metal Sunrise", "Metal Sunrise"), ('lyrics "rock all night"', "rock all night"),
        ("we are the rock: piano", "we are the rock"), ("flute, 'Jazz of the North'", "Jazz of the North"), ("“Trap Door Blues” on piano", "Trap Door Blues"),
        ("sound of my soul: strings", "sound of my soul"),
    ],
)  # fmt: skip
def test_titles_are_left_out(text, title):
    assert title in text and title not in without_titles(text) and len(without_titles(text)) == len(text)


@pytest.mark.parametrize(
    "text",
    ['"upbeat jazz"', 'a "lo-fi" beat', "style: jazz", "jazz: piano and bass", "rock with the drums: loud", "it's rock 'n' roll", "'80s pop and '90s house", "house, 120 bpm"],
)  # fmt: skip
def test_other_words_are_no_titles(text):
    assert without_titles(text) == text


@pytest.mark.parametrize("text", ["100bpm", "12bar blues", "30sec"])
def test_a_unit_is_parted_from_its_number(text):
    assert read_words(text)[0].text.isdigit()
