"""The table of styles names only what is there, and enough of it."""

from musicbench.compose.grooves import GROOVES
from musicbench.compose.instruments import INSTRUMENTS, KINDS, KITS
from musicbench.compose.playing import BASSES, CHORDS, MELODIES
from musicbench.compose.styles import MAJOR_LOOPS, MINOR_LOOPS, STYLES
from musicbench.music.keys import Key
from musicbench.music.meters import Meter
from musicbench.music.numerals import roman_chord
from musicbench.synth.drum_machines import KITS as MACHINES
from musicbench.synth.synths import PATCHES

SOUNDS = {*INSTRUMENTS, *KINDS}
DEMANDED = """trap, drum and bass, house, techno, dubstep, metal, punk, salsa, samba, bossa nova, afrobeat, reggaeton, ska, klezmer, balkan, flamenco, celtic, jig, raga,
gamelan, gagaku, chamber music, march, swing, a cappella, hymn, ragtime, boogie woogie, surf rock, chiptune, trailer, drone, slip jig"""


def test_there_are_the_styles_that_were_asked_for():
    assert len(STYLES) >= 90 and {name.strip() for name in DEMANDED.replace("\n", " ").split(",")} <= set(STYLES)


def test_styles_name_what_is_there():
    for style in STYLES.values():
        assert {*style.chords, *style.bass, *style.lead} <= SOUNDS, style.name
        assert set(style.patterns) <= set(CHORDS) and set(style.lines) <= set(BASSES), style.name
        assert set(style.melodies) <= set(MELODIES) and set(style.grooves) <= set(GROOVES) and set(style.kits) <= set(KITS), (
            style.name
        )
        assert style.chords and style.patterns and style.lead and style.melodies and style.grooves and style.kits
        assert style.genre.bpm and all(Meter.parse(meter) for meter in style.meters)
        assert all(0 <= share <= 1 for share in style.options.values()), style.name
    assert len(MACHINES) >= 10 and len(PATCHES) >= 50


def test_everything_in_the_tables_is_used():
    used = {name for style in STYLES.values() for name in (*style.patterns, *style.lines, *style.melodies, *style.grooves)}
    assert not {*CHORDS, *BASSES, *GROOVES} - used and set(MELODIES) - used == {"alone"}


def test_the_loops_of_any_style_can_be_played():
    for mode, loops in (("major", MAJOR_LOOPS), ("minor", MINOR_LOOPS)):
        for loop in loops:
            assert all(roman_chord(symbol, Key("C", mode)).root is not None for symbol in loop.split())
