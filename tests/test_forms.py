"""Forms by name: every line is what a musician expects in both modes, and prompts are read for them."""

import re

import pytest

from musicbench.compose.styles import MAJOR_LOOPS, MINOR_LOOPS
from musicbench.music.keys import Key
from musicbench.music.meters import Meter
from musicbench.music.progression import Progression
from musicbench.prompt.forms import BLUES_OF, FORMS, bars_of, form_at_the_end, form_in
from musicbench.prompt.genres import GENRES

C, A_MINOR, FOUR = Key("C"), Key("A", "minor"), Meter.parse("4/4")
LINES = {(mode, line) for form in FORMS for mode, line in (("major", form.major), ("minor", form.minor))}
LOOPS = {(mode, line) for genre in GENRES for mode in ("major", "minor") for line in genre.loops(mode)}
LOOPS |= {("major", line) for line in MAJOR_LOOPS} | {("minor", line) for line in MINOR_LOOPS}


def chords_of(line, key):
    return " ".join(chord.lead_sheet(key) for chord in Progression.parse(line, FOUR, key).chords)


@pytest.mark.parametrize(("mode", "line"), sorted(LINES | LOOPS))
def test_every_line_can_be_played_and_is_of_its_mode(mode, line):
    """A loop in minor stands on the degrees of minor; one in major writes its lowered degrees with a flat."""
    progression = Progression.parse(line, FOUR, C if mode == "major" else A_MINOR)
    assert len(progression.bars) == len(bars_of(line))
    numerals = [re.match(r"([b#]?)([IViv]+)(.*)", symbol).groups() for symbol in line.replace("|", " ").split()]
    if (mode, line) in LOOPS:
        bare = [(numeral, kind) for sign, numeral, kind in numerals if not sign]
        assert mode == "minor" or not any(numeral == "VII" for numeral, _ in bare), "VII in major is B in C, for bVII"
        assert mode == "major" or not any(numeral in ("vii", "iii", "vi") and kind[:1] not in "°ø" for numeral, kind in bare)
        homes = {numeral for _, numeral, _ in numerals} & {"i", "I"}
        assert mode == "minor" or "i" not in homes, "the tonic of a major key is major"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "in_c", "in_a_minor"),
    [
        ("andalusian cadence", "Am G F E", "Am G F E"), ("lament bass", "Am G F E", "Am G F E"), ("royal road", "F G Em Am", "F G Em Am"),
        ("passamezzo antico", "Am G Am E C G Am E Am", "Am G Am E C G Am E Am"), ("romanesca", "C G Am E C G Am E Am", "C G Am E C G Am E Am"),
        ("tristan chord", "Fm7b5 E7", "Fm7b5 E7"), ("picardy third", "Am Dm E A", "Am Dm E A"), ("perfect cadence", "G C", "E Am"),
        ("plagal cadence", "F C", "Dm Am"), ("deceptive cadence", "G Am", "E F"), ("half cadence", "C G", "Am E"), ("backdoor", "Fm7 Bb7 Cmaj7 Cmaj7", None),
        ("double plagal cadence", "Bb F C", None), ("aeolian cadence", "Ab Bb C", "F G Am"), ("tritone substitution", "Dm7 Db7 Cmaj7 Cmaj7", "Bm7b5 Bb7 Am7 Am7"),
        ("minor ii v i", None, "Bm7b5 E7 Am7 Am7"), ("50s progression", "C Am F G", "Am F Dm E"), ("axis progression", "C G Am F", None),
        ("line cliche", "C Cmaj7 C7 C6", "Am AmM7 Am7 Am6"), ("hendrix chord", "C7#9", None), ("petrushka chord", "C F#", None),
        ("coltrane changes", "Cmaj7 Eb7 Abmaj7 B7 Emaj7 G7 Cmaj7", None), ("circle progression", "C F Bdim Em Am Dm G C", "Am Dm G C F Bdim E Am"),
        ("neapolitan cadence", None, "Am Bb/D E7 Am"), ("quartal", "C7sus4 Bb7sus4", "A7sus4 G7sus4"), ("whole tone", "Caug Daug", None),
    ],
)  # fmt: skip
def test_progressions_in_both_modes(name, in_c, in_a_minor):
    form, _ = form_in(f"piano, {name}")
    assert in_c is None or chords_of(form.major, C) == in_c
    assert in_a_minor is None or chords_of(form.minor, A_MINOR) == in_a_minor


def test_rhythm_changes_have_sevenths_two_chords_a_bar_and_a_bridge():
    form, _ = form_in("rhythm changes")
    bars = bars_of(form.major)
    assert len(bars) == 32 and [len(bar.split()) for bar in bars[:7]] == [2] * 7
    assert bars[16:24] == ["III7", "III7", "VI7", "VI7", "II7", "II7", "V7", "V7"]
    assert all("7" in symbol for bar in bars for symbol in bar.split())


@pytest.mark.parametrize("bars", sorted(BLUES_OF))
def test_a_blues_has_the_bars_of_its_name(bars):
    for template in ("{}-bar blues", "{} bar slow blues in G", "blues, {}-bar, in E", "a {}bar blues"):
        form, _ = form_in(template.format(bars))
        assert len(bars_of(form.major)) == len(bars_of(form.minor)) == bars, template


@pytest.mark.parametrize(
    ("prompt", "name"),
    [
        ("twelve-bar blues", "12-bar blues"), ("eight measure blues", "8-bar blues"), ("12-bar jazz blues", "jazz blues"), ("minor blues in C", "minor blues"),
        ("12 bars of waltz", None), ("12 bar intro, strings", None), ("blues in C, 8 bars", None), ("no 12-bar blues", None), ("a quick-change blues", "quick change blues"),
        ("quick change blues", "quick change blues"), ("Bird blues", "bird blues"), ("12-bar rock and roll", "12-bar blues"), ("half cadence", "half cadence"),
        ("ending with a Picardy third", None), ("jazz with a perfect cadence at the end", None), ("pop", None), ("LA FOLIA", "la folia"),
    ],
)  # fmt: skip
def test_forms_in_prompts(prompt, name):
    form, places = form_in(prompt)
    assert (form.name if form else None) == name and bool(places) == bool(form)


def test_what_a_piece_ends_with_is_no_loop():
    assert form_at_the_end("ending on a plagal cadence") == "plagal cadence" and form_at_the_end("plagal cadence") is None


def test_no_name_means_two_forms():
    names = [word for form in FORMS for word in form.words]
    assert len(names) == len(set(names))
