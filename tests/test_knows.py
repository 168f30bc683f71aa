"""What a model knows, and what a prompt is told that asks for something else."""

import json
from dataclasses import asdict

import numpy as np
import pytest
from conftest import ROOT, resolve
from hypothesis import given
from hypothesis import strategies as st

from musicbench import InputError
from musicbench.compose.chains import NOISE_KINDS
from musicbench.compose.compose import caption, describe, plan
from musicbench.compose.instruments import INSTRUMENTS, suited
from musicbench.compose.styles import STYLES
from musicbench.music.meters import Meter
from mustango.request.knows import DRUM_NAMES, KNOWS, Knows, learn, read_knows

BUNDLED = read_knows(ROOT / "checkpoints" / "mustango-mini")
KINDS = {INSTRUMENTS[name].kind for part in ("chords", "bass", "lead") for name in suited(part)}
METERS = ("2/4", "3/4", "4/4", "5/4", "5/8", "6/8", "7/8")
# What a model knows that is trained on enough of what the composer writes.
COMPOSER = Knows._of(KINDS | set(NOISE_KINDS.values()), DRUM_NAMES, set(STYLES), METERS, "the composer's tables")
TAGS = {"style": "folk", "comping": "harp", "bass": None, "lead": "flute", "drums": None, "moods": []}


def test_the_composer_has_all_that_the_bundled_model_knows_and_more():
    assert set(COMPOSER.styles) == set(STYLES) > set(BUNDLED.styles)
    assert {*BUNDLED.instruments, *BUNDLED.voices} < KINDS
    assert {"choir", "singer"} <= set(COMPOSER.voices) and set(BUNDLED.drums) < set(COMPOSER.drums)
    assert set(BUNDLED.meters) < set(COMPOSER.meters)


@pytest.mark.parametrize(
    ("prompt", "told"),
    [
        ("sitar", "no sitar; nearest: acoustic guitar"), ("jazz with a female singer", "no female singer; nearest: choir"),
        ("a cappella", "no a cappella; nearest: choir"), ("epic score with braams", "no braams; nearest: brass section"),
        ("chiptune", "no chiptune; nearest: electronic"), ("theremin", "no theremin; nearest: synth lead"), ("808s and piano", "no 808s; nearest: drum kit"),
        ("rapper over piano", "no rapper; nearest: choir"), ("steel guitar", "no steel guitar; nearest: electric guitar"),
        ("bass clarinet", "no bass clarinet; nearest: clarinet"), ("deep house", "no deep house; nearest: electronic"), ("trap", "no trap; nearest: lo-fi"),
        ("drum'n'bass", "no drum'n'bass; nearest: electronic"), ("Hand-pans", "no Hand-pans; nearest: marimba"), ("koto", "no koto; nearest: harp"),
        ("duduk", "no duduk; nearest: oboe"), ("erhu", "no erhu; nearest: violin"), ("djembe", "no djembe; nearest: congas"),
        ("brushed drums", "no brushed drums; nearest: drum kit"), ("vinyl crackle", "no vinyl crackle"), ("synthesisers with a vocoder", "no vocoder; nearest: synth lead"),
        ("bandoneon", "no bandoneon; nearest: accordion"), ("octobass contrabass", "no octobass"), ("celesta", "no celesta; nearest: music box"),
        ("piano, featuring a waterphonium", "knows no 'waterphonium'"), ("zorp solo", "knows no 'zorp'"), ("a tune played on the glorb", "knows no 'glorb'"),
        ("cavaquinho", "no cavaquinho; nearest: acoustic guitar"), ("sanfona", "no sanfona; nearest: accordion"), ("qraqeb", "no qraqeb; nearest: shaker"),
        ("no vocals zydeco", "no zydeco; nearest: blues"), ("no drums ukulele waltz", "no ukulele; nearest: acoustic guitar"), ("kizomba", "no kizomba; nearest: latin"),
        ("vocals, not instrumental", "no vocals; nearest: choir"), ("rain sounds", "no rain sounds"), ("gregorian chant", "no gregorian chant; nearest: choir"),
    ],
)  # fmt: skip
def test_what_the_model_lacks_is_told(prompt, told):
    assert any(told in note for note in BUNDLED.notes_on(prompt)), BUNDLED.notes_on(prompt)


@pytest.mark.parametrize(
    "prompt",
    [
        "upbeat piano pop with drums", "calm harp lullaby in 3/4", "jazz trio, ii7 V7 Imaj7 in Bb at 140 bpm", "acoustic folk, no drums", "choir",
        "warm sunny morning", "no sitar", "harp without vocals", "choir, never a rapper", "double bass, fiddle and sax", "Hammond B3 and Rhodes",
        "nylon-string guitar", "epic guitar solo", "featuring a catchy melody", "a long flute solo", "string quartet", "brass band", "a love song",
        "happy country song", "slow blues", "waltz", "vibes of summer", "beats", "organic groove", "rainy night", "dreamy textures", "", "piano instead of guitar or sitar",
        "V in A", "piano, v in a", "Final Fantasy", "polka-dot", "shout", "no vocals waltz", "no sitar folk", "16 beats", "circle of fifths",
        "dorian vamp", "a solo of great beauty", "featuring violin", "orchestral strings", "synthesiser lead", "claps and shakers",
    ],
)  # fmt: skip
def test_what_the_model_has_is_not_told(prompt):
    assert BUNDLED.notes_on(prompt) == ()


def test_a_meter_that_was_not_learnt_is_told_however_it_was_asked():
    for asked in ({"meter": "7/8"}, {"prompt": "brass band in 7/8"}):
        controls = resolve(**{"prompt": "brass band", "duration": 10, **asked}, knows=BUNDLED)
        assert controls.meter == Meter(7, 8) and controls.notes[-1] == "this model has not learnt 7/8; it learnt 2/4, 3/4, 4/4, 6/8"
    assert resolve("brass band in 6/8", duration=10, knows=BUNDLED).notes == ()


def test_notes_stand_beside_those_on_the_controls():
    notes = resolve("sitar in D dorian", duration=10, knows=BUNDLED).notes
    assert any("D dorian" in note for note in notes) and "this model has no sitar; nearest: acoustic guitar" in notes
    assert not any("sitar" in note for note in resolve("sitar in D dorian", duration=10).notes)


def test_what_a_model_knows_decides():
    other = Knows(
        instruments={"sitar": ["sitar"], "zorp": ["zorp", "zorpophone"]},
        voices={},
        drums={},
        styles={"raga": ["raga"]},
        meters=("4/4",),
    )
    assert other.notes_on("sitar and zorpophone raga, zorp solo") == ()
    assert other.notes_on("sarod") == ("this model has no sarod",)
    assert other.notes_on("piano with drums") == ("this model has no piano", "this model has no drums")
    assert other.notes_on("choir") == ("this model has no choir",)


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ("solo harp", "solo harp, no drums"), ("String quartet.", "String quartet, no drums"), ("trap", "trap with drums"),
        ("metal with organ", "metal with organ, drums"), ("jazz, no drums", "jazz, no drums"), ("jazz with drums", "jazz with drums"),
        ("raga without percussion", "raga without percussion, no drums"), ("DnB", "DnB with drums"), ("drum and bass", "drum and bass with drums"),
        ("calm piano", "calm piano"), ("", ""), ("beatless techno", "beatless techno, no drums"), ("funky drum loop", "funky drum loop"),
        ("upbeat piano pop with drums", "upbeat piano pop with drums"), ("tango with percussion", "tango with percussion"),
        ("no vocals techno", "no vocals techno with drums"), ("no hi-hats trap", "no hi-hats trap with drums"), ("just harp", "just harp, no drums"),
        ("organ only", "organ only, no drums"), ("jazz -drums", "jazz -drums, no drums"), ("sans drums, ska", "sans drums, ska, no drums"),
        ("loop of 64 beats", "loop of 64 beats"), ("100 beats/min", "100 beats/min"), ("Am (4 beats) F (4 beats)", "Am (4 beats) F (4 beats)"),
        ("frame drum circle", "frame drum circle"), ("90s beats", "90s beats with drums"), ("gong solo", "gong solo"),
    ],
)  # fmt: skip
def test_the_text_says_drums_or_none_in_the_captions_words(prompt, text):
    controls = resolve(prompt, duration=10, knows=BUNDLED)
    assert controls.text == BUNDLED.text_for(prompt) == COMPOSER.text_for(prompt) == text
    assert resolve(prompt, duration=10).text == prompt, "a model that says nothing is given the prompt"
    assert BUNDLED.text_for(text) == text


def test_rows_teach_instruments_beside_the_first_and_drums_that_sound():
    tags = TAGS | {"voices": [["chords", "nylon guitar"], ["chords", "metallophone"]], "percussion": ["tabla"], "drums": "tabla"}
    learnt = Knows.of_rows([{"tags": tags, "meter": "7/8"}] * 3)
    assert (
        {"acoustic guitar", "gamelan"} <= set(learnt.instruments) and set(learnt.drums) == {"tabla"} and learnt.meters == ("7/8",)
    )


@pytest.mark.slow
def test_rows_teach_what_three_of_them_have():
    rows = [{"tags": TAGS, "meter": "3/4"}] * 3 + [{"tags": TAGS | {"lead": "oboe", "drums": "latin"}, "meter": "4/4"}] * 2
    learnt = Knows.of_rows(rows)
    assert set(learnt.instruments) == {"harp", "flute"} and set(learnt.styles) == {"folk"} and learnt.meters == ("3/4",)
    assert learnt.drums == learnt.voices == {}
    more = Knows.of_rows(rows * 2)
    assert set(more.instruments) == {"harp", "flute", "oboe"} and set(more.drums) == {
        "drum kit",
        "congas",
        "claves",
        "shaker",
        "toms",
    }
    captions = Knows.of_rows([{"main_caption": "A sitar raga with tablas and a female singer, no piano.", "tags": {}}] * 3)
    assert (
        set(captions.instruments) == {"sitar", "female singer"}
        and set(captions.drums) == {"tabla"}
        and set(captions.styles) == {"raga"}
    )


def test_learning_adds_to_what_was_known(tmp_path):
    first, second = (
        Knows.of_rows([{"tags": TAGS | {"lead": lead}, "meter": meter}] * 3) for lead, meter in (("oboe", "3/4"), ("tuba", "2/4"))
    )
    for learnt in (first, second, second):
        learn(tmp_path, learnt)
    known = read_knows(tmp_path)
    assert set(known.instruments) == {"harp", "oboe", "tuba"} and known.meters == ("2/4", "3/4") and known.source == "3 rows"
    (tmp_path / "begun").mkdir()
    (tmp_path / "begun" / "model_index.json").write_text("{}")  # of a model that does not say what it knows
    learn(tmp_path / "begun", first)
    assert read_knows(tmp_path / "begun") is None


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    good = json.loads(json.dumps(asdict(COMPOSER)))
    for bad in (
        "[]",
        "{",
        "{}",
        json.dumps(good | {"drums": ["kit"]}),
        json.dumps(good | {"voices": {"choir": "choir"}}),
        json.dumps(good | {"meters": "4/4"}),
    ):
        (tmp_path / KNOWS).write_text(bad)
        with pytest.raises(InputError, match=r"knows\.json"):
            read_knows(tmp_path)
    COMPOSER.save(tmp_path)
    assert read_knows(tmp_path) == COMPOSER


@given(st.text(max_size=200))
def test_any_text_can_be_told_of(text):
    COMPOSER.notes_on(text)
    COMPOSER.text_for(text)


@given(
    st.sampled_from(sorted(COMPOSER.instruments)),
    st.sampled_from(sorted(COMPOSER.styles)),
    st.sampled_from(["calm", "upbeat", "dark", "a", "two"]),
)
def test_no_mix_of_what_is_known_is_told_of(instrument, style, mood):
    for prompt in (
        f"{mood} {instrument} {style}",
        f"{style} with {instrument}",
        f"{style}, {instrument} solo",
        f"{style} featuring {instrument}",
    ):
        assert COMPOSER.notes_on(prompt) == ()


@pytest.mark.slow
@given(st.integers(0, 10**6))
def test_nothing_is_told_of_what_the_composer_says_of_its_pieces(seed):
    piece = plan(seed)
    assert COMPOSER.notes_on(caption(describe(piece), np.random.default_rng(seed)), piece.meter) == ()


@pytest.mark.slow
def test_few_captions_get_drums_or_none_against_what_is_played():
    """Most captions say it, and where they do not the style is mostly right."""
    wrong = []
    for seed in range(300):
        tags = describe(plan(seed))
        words = caption(tags, np.random.default_rng(seed))
        added = COMPOSER.text_for(words)[len(words.rstrip(".")) :]
        wrong.append(
            ("no drums" in added and tags["drums"]) or ("drums" in added and "no drums" not in added and not tags["drums"])
        )
    assert sum(map(bool, wrong)) <= 9


@pytest.mark.parametrize(
    ("prompt", "told"),
    [
        ("piano that fades out", "no fades"), ("long fade in, strings", "no fades"), ("guitar hard left, bass hard right", "mono"), ("wide stereo pads", "mono"),
        ("pop in ABAB form", "without sections"), ("A-B-A form for piano", "without sections"), ("folk, verse-chorus structure", "without sections"), ("AABA standard", "without sections"),
        ("tone clusters", "one chord plays"), ("19-EDO piano", "twelve notes"), ("4 against 3 on marimba", "one meter"),
        ("piano with intro, verse, chorus and outro", "intro, verse, chorus and outro is not made: a clip is one stretch"), ("16-bar verse then chorus", "without sections"), ("pop with an intro then drums", "without sections"),
        ("crescendo strings", "crescendo is not made"), ("piano that gets louder", "gets louder is not made"), ("diminuendo, harp", "as loud at its end"),
        ("lyrics about rain", "no lyrics"), ("a narrator over piano", "no narrator"), ("reading a poem over piano", "no words"),
    ],
)  # fmt: skip
def test_what_no_model_makes_is_told(prompt, told):
    assert any(told in note for note in COMPOSER.notes_on(prompt)), COMPOSER.notes_on(prompt)


@pytest.mark.parametrize(
    "prompt",
    [
        "ABBA style piano",
        "ABC song for children",
        "no fade out",
        "mono piano",
        "no lyrics",
        "odd meter rock in 7/8",
        "the house of the sun: harp",
        "no stereo",
        "a fading memory",
        "a crescendo until 6 seconds",
        "no crescendo, piano",
        "guitar with chorus and bridge pickup",
        "guitar with chorus, reverb",
        "Verse: Am F, Chorus: C G",
        "piano, no intro or outro",
        "a pop intro",
    ],
)
def test_what_only_looks_like_it_is_not_told(prompt):
    assert not any("not made" in note or "names no" in note or "no house" in note for note in COMPOSER.notes_on(prompt))
