"""Styles by name: each is found by its words, its loops can be played, and prompts lean where a musician would."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musicbench.compose.styles import STYLES
from musicbench.music.keys import Key
from musicbench.music.meters import Meter
from musicbench.music.progression import Progression
from musicbench.music.tempo import MAX_BPM, MIN_BPM
from musicbench.prompt.drumming import drums_said, drums_wanted, plays_alone
from musicbench.prompt.genres import GENRES, Leaning, genres_in

STYLED = [genre for genre in GENRES if genre.bpm]


def names_in(prompt):
    return [[genre.name for genre, _ in group] for group in genres_in(prompt)]


def test_the_table_holds_enough_and_no_word_twice():
    words = [word for genre in GENRES for word in genre.words]
    assert len(STYLED) >= 150 and len(words) == len(set(words))
    assert set(STYLES) <= {genre.name for genre in GENRES}
    assert {like for genre in GENRES for like in genre.like} <= set(STYLES)


@pytest.mark.slow
@pytest.mark.parametrize("genre", GENRES, ids=lambda genre: genre.name)
def test_each_style_is_found_by_its_words_and_can_be_played(genre):
    for word in genre.words:
        for spelling in (word, word.upper(), word.replace(" ", "-"), word.replace("-", " ")):
            assert names_in(spelling) == [[genre.name]], spelling
    meter = Meter.parse(genre.meter or "4/4")
    for mode in ("major", "minor"):
        for loop in genre.loops(mode):
            for tonic in range(12):
                progression = Progression.parse(loop, meter, Key.of(tonic, mode))
                assert len(progression.bars) == len(loop.split()) and all(chord.root is not None for chord in progression.chords)
    assert genre.mode in ("major", "minor", None)
    if genre.bpm:
        low, high = genre.bpm
        assert MIN_BPM <= low < high <= MAX_BPM and high <= 1.8 * low
    if genre.mode and genre.bpm and (genre.major or genre.minor):
        assert genre.loops(genre.mode), "the usual mode has its own loops"


@pytest.mark.parametrize(
    ("prompt", "named"),
    [
        ("jazz hip hop", [["jazz hip hop"]]), ("ambient, then techno", [["ambient"], ["techno"]]), ("orchestral trap", [["classical", "trap"]]),
        ("jazz-inspired trap", [["jazz", "trap"]]), ("haunted house", [["horror"]]), ("opera house", []), ("not rock, folk", [["folk"]]),
        ("a song about a blue bird", []), ("blues", [["blues"]]), ("in March", []), ("a march", [["march"]]), ("metal pipes", []),
        ("no techno please", []), ("rock'n'roll", [["rock and roll"]]), ("drum & bass", [["drum and bass"]]), ("R&B ballad", [["r and b", "ballad"]]),
        ("a cappella", [["a cappella"]]), ("deathmetal", [["thrash"]]), ("upbeat", []), ("popping candy", []), ("rocking", []),
    ],
)  # fmt: skip
def test_styles_in_prompts(prompt, named):
    assert names_in(prompt) == named


@pytest.mark.parametrize(
    ("prompt", "bpm", "meter", "mode"),
    [
        ("jazz hip hop", (82, 96), None, "minor"), ("orchestral trap", (130, 160), None, "minor"), ("a jazz waltz", (120, 180), "3/4", "major"),
        ("metal ballad", (64, 80), None, "major"), ("ambient techno", (104, 124), None, "minor"), ("piano waltz, jazz", (116, 172), "3/4", "major"),
        ("phrygian rock", (100, 144), None, "minor"), ("mixolydian metal", (116, 176), None, "major"), ("a waltz in the style of metal", (116, 172), "3/4", "major"),
    ],
)  # fmt: skip
def test_what_several_styles_lean_to(prompt, bpm, meter, mode):
    leaning = Leaning.of(prompt)
    assert (leaning.bpm, leaning.meter, leaning.mode) == (bpm, meter, mode)


def test_harmony_is_of_the_first_style_and_scales_come_first():
    assert "7" in Leaning.of("jazz hip hop").minor[0] and Leaning.of("jazz house").minor == Leaning.of("jazz").minor
    assert Leaning.of("dorian jazz").minor == Leaning.of("dorian").minor
    assert Leaning.of("12-bar blues").major == Leaning.of("blues").major == ("I7 IV7 I7 I7 IV7 IV7 I7 I7 V7 IV7 I7 V7",)


WITH = """trap; trap beat at 140; deep house; DnB, 174; metal; 80s synth-pop; rock with a guitar solo; heavy metal guitar solo; salsa; reggaeton; boom bap hip hop;
    a jazz quartet; funk; disco strings; piano over a drum loop; acoustic guitar and congas; raga with tabla; drum solo; four on the floor; samba; cajon and guitar;
    bossa nova; ska; punk; techno 128; power ballad; lo-fi hip hop; marching band; blues shuffle; epic trailer; orchestral trap; rock, no vocals"""
NONE = """solo harp; string quartet; a cappella choir; raga; solo piano; unaccompanied cello; baroque fugue; ambient; gregorian chant; beautiful solo violin;
    a haunting cello solo; trap, no drums; deep house without drums; lullaby; hymn; drone; harp and flute duet; sonata for solo violin; barbershop quartet;
    metal, but no percussion; drumless jazz; beatless techno; drum-free funk; classical guitar; fado; bluegrass; wind quintet; solo jazz piano; meditation music"""
OPEN = "calm piano; guitar and flute; 120 beats per minute piano; steel drum melody; waltz; a song with a sad mood; piano ballad; film score"


@pytest.mark.parametrize(
    ("prompts", "wanted"), [(WITH, True), (NONE, False), (OPEN, None)], ids=["with drums", "without", "either"]
)
def test_drums_or_none(prompts, wanted):
    for prompt in prompts.split(";"):
        assert drums_wanted(prompt.strip()) is wanted, prompt


def test_what_says_nothing_of_drums():
    assert (
        drums_said("drum and bass") is drums_said("steel drums") is drums_said("upbeat") is drums_said("90 beats a minute") is None
    )
    assert drums_said("no snare") is False and drums_said("no snare, but congas") is True
    assert plays_alone("solo harp") and plays_alone("for solo cello") and not plays_alone("pop with a piano solo")
    assert not plays_alone("not a solo")


@given(st.lists(st.sampled_from(sorted(word for genre in STYLED for word in genre.words)), min_size=1, max_size=4))
def test_any_styles_together_lean_somewhere(words):
    leaning = Leaning.of(", ".join(words))
    assert leaning.bpm and (leaning.mode or leaning.bpm) and not any(genres_in(leaning.rest))


@given(st.text(max_size=200))
def test_any_text_leans(text):
    assert len(Leaning.of(text).rest) == len(text)
    drums_wanted(text)


@pytest.mark.parametrize(
    ("prompt", "named"),
    [
        ("no accordion polka", [["polka"]]), ("without any choir trance", [["trance"]]), ("no trumpet or sax ska", [["ska"]]), ("no-guitar metal", [["metal"]]),
        ("no melody drill", [["drill"]]), ("no rock guitar, folk", [["folk"]]), ("no rock", []), ("not rock or metal", []), ("no fuss bluegrass", [["bluegrass"]]),
        ("never-stopping house", [["house"]]), ("not very fast salsa", [["salsa"]]), ("not quite jazz", []), ("no nonsense punk", [["punk"]]),
        ("Ebm trap", [["trap"]]), ("Final Fantasy", []), ("polka-dot skirt", []), ("EBM", [["electro"]]), ("jazz hands", []),
    ],
)  # fmt: skip
def test_a_style_behind_a_denied_sound_is_asked_for(prompt, named):
    assert names_in(prompt) == named


@pytest.mark.parametrize(
    ("prompt", "meter", "mode", "drums"),
    [
        ("no strings waltz", "3/4", "major", None), ("a slip jig", "9/8", "major", None), ("tarantella", "6/8", "minor", None), ("pasillo", "3/4", "minor", None),
        ("springar", "3/4", "major", False), ("footwork", None, "minor", True), ("ethio-jazz", None, "minor", True), ("vaporwave", None, "major", True),
        ("soleá", None, "minor", False), ("frevo", "2/4", "major", True), ("alap", None, "major", False), ("screamo", None, "minor", True),
    ],
)  # fmt: skip
def test_styles_of_the_world(prompt, meter, mode, drums):
    leaning = Leaning.of(prompt)
    assert (leaning.meter, leaning.mode, leaning.drums) == (meter, mode, drums)


@pytest.mark.parametrize(
    ("prompt", "loop"),
    [
        ("50s progression", "I vi IV V"), ("rock with a doo-wop progression", "I vi IV V"), ("Pachelbel's canon progression", "I V vi iii IV I IV V"),
        ("pop, pachelbel", "I V vi iii IV I IV V"), ("jazz, circle of fifths", "vi ii V I"), ("the axis progression", "I V vi IV"),
    ],
)  # fmt: skip
def test_progressions_by_name(prompt, loop):
    assert Leaning.of(prompt).loops("major") == (loop,)


def test_old_dances_have_no_sevenths_but_that_of_the_dominant():
    for style in ("pavane", "renaissance lute pavane", "galliard"):
        assert not any("7" in loop for loop in (*Leaning.of(style).minor, *Leaning.of(style).major))


@pytest.mark.parametrize(
    ("prompts", "wanted"),
    [
        ("no hi-hats trap; house, no claps; no vocals drum loop; only surdo; a cajon, nothing else; techno with just a hint of harp; rock with organ only in the chorus; disco, no kick; pop, no strings attached; jazz with just two chords on piano; skip rope funk; rock, guitar only intro", True),
        ("just piano; nothing but strings; cello only; rock, only guitars; choir only in C; lute and nothing else; trance -drums; drums off; sans percussion; w/o drums, ska; guitar-only blues; leave the drums out, funk; ska, drums not needed; no instruments except a lute; percussionless rock; no drum set, pop", False),
        ("12 beats; C (2 beats) G (2 beats); 90 beats/min piano; 80 dotted beats; castanets only; a gong solo; piano, not only", None),
    ],
    ids=["with drums", "without", "either"],
)  # fmt: skip
def test_only_and_parts_and_units(prompts, wanted):
    for prompt in prompts.split(";"):
        assert drums_wanted(prompt.strip()) is wanted, prompt


@pytest.mark.parametrize(
    "prompt",
    """house of cards; vitamins for the soul; rock the cradle; a heavy metal door; mood swings; in the jungle; my house; soul searching; dentist drill; mouse trap; jazz it up;
    pop art; parking garage; concrete jungle; heart and soul; tree house; drone footage; moon rock; industrial park; scrap metal; the soul of the sea""".split(
        ";"
    ),
)
def test_idioms_name_no_style(prompt):
    assert names_in(prompt.strip()) == []


# What a musician knows of styles: counted tempo, meter, mode, drums.
DEFAULTS = """
rocksteady | 70-100 | 4/4 | major | yes; new jack swing | 95-116 | 4/4 | minor | yes; northern soul | 110-145 | 4/4 | major | yes; lo-fi house | 114-128 | 4/4 | minor | yes
congolese rumba | 95-130 | 4/4 | major | yes; maloya | 220-300 | 6/8 | minor | yes; hiplife | 100-135 | 4/4 | major | yes; wassoulou | 80-120 | 4/4 | minor | -; zamrock | 100-135 | 4/4 | minor | yes
arabesk | 88-128 | 4/4 | minor | yes; mugham | 50-90 | 4/4 | minor | no; zeybek | 55-90 | 9/8 | minor | yes; lezginka | 220-300 | 6/8 | minor | yes; manele | 92-135 | 4/4 | minor | yes
oberek | 110-180 | 3/4 | major | no; hopak | 115-165 | 2/4 | minor | -; doina | 50-90 | 4/4 | minor | no; chanson | 80-130 | 4/4 | minor | -; habanera | 80-125 | 2/4 | minor | no
muiñeira | 220-300 | 6/8 | major | -; slow air | 45-80 | 4/4 | minor | no; foxtrot | 104-140 | 4/4 | major | yes; quickstep | 185-212 | 4/4 | major | yes; charleston | 100-200 | 4/4 | major | -
nueva canción | 70-115 | 4/4 | minor | no; tinku | 88-125 | 4/4 | minor | yes; malambo | 190-290 | 6/8 | minor | yes; zamba | 140-210 | 6/8 | minor | -; sertanejo | 80-132 | 4/4 | major | yes
lambada | 105-145 | 4/4 | minor | yes; tropicália | 88-128 | 4/4 | major | yes; milonga | 88-116 | 2/4 | minor | no; calypso | 95-135 | 4/4 | major | yes; zouk | 85-122 | 4/4 | major | yes
korean trot | 90-135 | 4/4 | minor | yes; shibuya-kei | 100-135 | 4/4 | major | yes; min'yō | 55-105 | 4/4 | major | no; kundiman | 58-95 | 4/4 | minor | -; mor lam | 100-145 | 4/4 | minor | yes
garba | 90-140 | 4/4 | minor | yes; khyal | 55-100 | 4/4 | major | -; hula | 70-112 | 4/4 | major | no; powwow | 80-145 | 4/4 | minor | yes; passepied | 140-205 | 3/4 | major | no
ars nova | 55-95 | 4/4 | minor | no; Ravel's Bolero | 60-80 | 3/4 | major | yes; musical theatre | 88-135 | 4/4 | major | -; dungeon synth | 55-95 | 4/4 | minor | no; UK funky | 124-145 | 4/4 | minor | yes
future funk | 112-130 | 4/4 | major | yes; new beat | 96-120 | 4/4 | minor | yes; plugg | 130-168 | 4/4 | minor | yes; d-beat | 160-225 | 4/4 | minor | yes; madchester | 96-120 | 4/4 | minor | yes
neofolk | 60-105 | 4/4 | minor | no; quiet storm | 58-86 | 4/4 | major | yes; hi-NRG | 116-140 | 4/4 | minor | yes; memphis rap | 84-108 | 4/4 | minor | yes; joik | 45-80 | 4/4 | minor | no
"""


@pytest.mark.parametrize("line", [line.strip() for line in DEFAULTS.replace("\n", ";").split(";") if line.strip()])
def test_what_a_musician_knows_of_styles(line):
    prompt, tempos, meter, mode, drums = (part.strip() for part in line.split("|"))
    low, high = map(int, tempos.split("-"))
    leaning = Leaning.of(prompt)
    assert low <= leaning.bpm[0] < leaning.bpm[1] <= high
    assert (leaning.meter or "4/4", leaning.mode, leaning.drums) == (meter, mode, {"yes": True, "no": False, "-": None}[drums])


@pytest.mark.parametrize(
    ("prompt", "drums"),
    [("trumpet solo over a bossa groove", True), ("violin solo in a rock band", True), ("searing electric guitar solo", None), ("oboe solo", False), ("solo electric guitar", False),
     ("boys' choir in Latin", None), ("Latin motet for voices", None), ("latin jazz", True)],
)  # fmt: skip
def test_a_solo_over_a_band_has_its_drums_and_a_language_is_no_style(prompt, drums):
    assert drums_wanted(prompt) is drums
