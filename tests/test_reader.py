import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from musicbench import InputError
from musicbench.facts import read_prompt
from musicbench.theory import Chord, Key, Meter
from mustango.reader import chord_line, resolve


@pytest.mark.parametrize(
    ("prompt", "tempo"),
    [("house at 128 bpm", 128), ("Tempo: 90", 90), ("128BPM techno", 128), ("a tempo of 72.5 beats per minute", 72.5),
     ("an Allegro sonata", 125), ("played grave", 35), ("a grave mood", None), ("tempo 999", None), ("8 bars", None), ("the 90s", None),
     ("1200 bpm gabber", None), ("95-100 bpm", 97.5), ("Tempo: 95-100 bpm", 97.5), ("bpm 85-95", 90), ("between 90 and 100 bpm", 95), ("Studio 54 - 118 bpm disco", 118), ("from 60 to 140 bpm", 140), ("tempo 120 - 16 bars", 120), ("80 to 90 beats per minute", 85), ("120bpm, 100-110 bpm at the end", 120),
     ("♩=72", 72), ("quarter note = 72", 72), ("in 6/8, quarter = 60", 120), ("♩. = 60 in 6/8", 180), ("jig in 6/8, dotted quarter = 60", 180), ("half note = 60", 120), ("key:Am BPM:128", 128)],
)  # fmt: skip
def test_reads_tempo(prompt, tempo):
    assert read_prompt(prompt).tempo == tempo


@pytest.mark.parametrize(
    ("prompt", "key"),
    [("in A minor", "A minor"), ("key of F#", "F# major"), ("a waltz in E flat major", "Eb major"), ("B♭ minor blues", "Bb minor"),
     ("Key: C#m", "C# minor"), ("a major hit", None), ("in a minor way", None), ("G major scale run", "G major"), ("in Berlin", None), ("piano B minor", "B minor"), ("A minor blues", "A minor"), ("A major hit", None), ("song in Am", "A minor"), ("the A minor chord", None),
     ("in d minor", "D minor"), ("bb minor jam", "Bb minor"), ("a minor setback", None), ("in B-movie style", None), ("in D&B style", None),
     ("In A quiet room", None), ("key of Bb ballad", "Bb major"), ("in C, slow", "C major"), ("key:Am", "A minor"), ("G Major", "G major"), ("KEY OF A MINOR", "A minor"), ("A Major Hit", None), ("F#m, 98 bpm", "F# minor"), ("Dm7 vamp", None), ("trap, Bbm 140bpm", "Bb minor"), ("Am F C G", None), ("Em dash", None), ("key=F#", "F# major"), ("a ballad in G with strings", "G major")],
)  # fmt: skip
def test_reads_key(prompt, key):
    stated = read_prompt(prompt).key
    assert (str(stated) if stated else None) == key


@pytest.mark.parametrize(
    ("prompt", "meter"), [("in 3/4", Meter(3)), ("6/8 time", Meter(6, 8)), ("C6/9 chords", None), ("on 24/7 radio", None), ("counts 5 beats to the bar", Meter(5)),
     ("The beat counts to 3.", Meter(3)), ("The downbeat comes every 3.", Meter(3)), ("The beat is 3.", Meter(3)),
     ("three-four time", Meter(3)), ("in six eight time", Meter(6, 8)), ("in common time", Meter(4)), ("two four bar phrases", None), ("in three-quarter time", Meter(3)), ("the most common time for lullabies", None), ("two four-time winners", None)]
)  # fmt: skip
def test_reads_meter(prompt, meter):
    assert read_prompt(prompt).meter == meter


@pytest.mark.parametrize(
    ("prompt", "chords"),
    [("rock with chords C - G - Am - F", "C G Am F"), ("chords: Am7, D7/F#, Gmaj7.", "Am7 D7/F# Gmaj7"), ("progression I V vi IV in D", "I V vi IV"),
     ("C | G Am | F", "C | G Am | F"), ("C|G Am|F", "C | G Am | F"), ("Am -> F -> C -> G", "Am F C G"), ("I am a fan of A pop", None),
     ("calm piano", None), ("the chords go from Dm to G7", "Dm G7"), ("I like A", None), ("C-G-Am-F piano", "C G Am F"), ("Am/F/C/G ballad", "Am F C G"), ("C6/9/E D/F# G", "C6/9/E D/F# G"),
     ("a 2-5-1 progression in Bb", "ii V I"), ("1-5-6-4 chords in A minor", "i V VI iv"), ("A A B A form ballad", None), ("guitar in open tuning D A D G A D", None), ("Sections A, B, C", None), ("1-2-3 loop pedal", None), ("Am F C G in verse-chorus form", "Am F C G"), ("Em C G D song, loose structure", "Em C G D"), ("chords in A", None), ("1-2-3-4 count", None)],
)  # fmt: skip
def test_reads_chords(prompt, chords):
    assert read_prompt(prompt).chords == chords


@given(st.text(max_size=300))
def test_any_text_can_be_read(text):
    read_prompt(text)


@given(st.text(alphabet="ABCDEFGabcdefgmIViv #b/|-:.0123457", max_size=60), st.integers(0, 99))
def test_any_musical_noise_resolves_or_is_refused(text, seed):
    try:
        controls = resolve(text, duration_s=10, seed=seed)
    except InputError:
        return
    assert controls.chord_times[0] == 0 and len(controls.chords) == len(controls.chord_times)


def test_options_override_the_prompt():
    controls = resolve("in A minor at 90 bpm, 3/4, chords Am Dm E7", tempo=120, duration_s=10)
    assert (controls.bpm, str(controls.key), str(controls.meter)) == (120, "A minor", "3/4")
    assert controls.origin == {"tempo": "given", "meter": "prompt", "key": "prompt", "chords": "prompt"}
    controls = resolve("in A minor, chords Am Dm E7", chords="I IV", key="Eb", duration_s=10)
    assert [c.lead_sheet(controls.key) for c in controls.chords][:2] == ["Eb", "Ab"]
    assert controls.origin["chords"] == controls.origin["key"] == "given"


def test_what_nobody_says_is_chosen_by_seed():
    first, again, other = (resolve("calm piano", duration_s=10, seed=s) for s in (1, 1, 2))
    assert first == again and first != other
    assert set(first.origin.values()) == {"chosen"}
    assert resolve("a slow ballad", duration_s=10).bpm < 90 < resolve("fast punk", duration_s=10).bpm
    assert str(resolve("a waltz", duration_s=10).meter) == "3/4"
    assert resolve("dark and sad strings", duration_s=10).key.mode == "minor"


CHORDS = st.sampled_from(["C", "G7", "Am7/C", "F#m7b5", "Bb6/9", "N", "Db"])
BARS = st.lists(st.lists(CHORDS, min_size=1, max_size=3), min_size=1, max_size=4).map(
    lambda bars: " | ".join(map(" ".join, bars)) + " |"
)


@example("0:Am 0.341:G7", 88, "6/8", 20.0)  # written to a tenth of a millisecond
@example("C G7 | G7 |", 199, "6/8", 20.0)  # the clip ends a third of a beat into a bar
@example("C | C | C | C C |", 75, "6/8", 20.0)  # the last chord just begins in the clip
@given(BARS, st.integers(75, 200), st.sampled_from(["4/4", "3/4", "6/8"]), st.sampled_from([20.0, 120.0]))
def test_chord_line_gives_the_same_chords_again(line, tempo, meter, duration_s):
    asked = {"tempo": tempo, "meter": meter, "key": "C", "duration_s": duration_s}
    first = resolve("", chords=line, **asked)
    again = resolve("", chords=chord_line(first), **asked)
    assert again.chords == first.chords and again.chord_times == pytest.approx(first.chord_times, abs=1e-4)


def test_lists_are_one_chord_a_bar_and_are_not_changed():
    chords = ["C", "G:7", "Am"]
    controls = resolve("", chords=chords, tempo=120, meter="3/4", key="C", duration_s=4.5)
    assert chords == ["C", "G:7", "Am"]
    assert controls.chord_times == (0, 1.5, 3.0) and controls.key == Key("C")


def test_what_is_given_says_what_degrees_and_note_values_mean():
    controls = resolve("a 1-5-6-4 progression, quarter = 60", key="A minor", meter="6/8", duration_s=20)
    assert [str(c) for c in controls.chords[:4]] == ["Am", "E", "F", "Dm"] and controls.bpm == 120


def test_a_chosen_tempo_lets_all_chords_begin():
    for seed in range(40):
        controls = resolve("slow ballad", chords="C G Am F", duration_s=10.24, seed=seed)
        assert controls.chords == tuple(map(Chord.parse, ["C", "G", "Am", "F"])) and 76 <= controls.bpm <= 88
    for prompt, chords in (("", "C G Am F " * 4), ("slow ballad", "C G Am F " * 2)):
        with pytest.raises(InputError, match="fewer chords"):
            resolve(prompt, chords=chords, duration_s=10.24)
    with pytest.raises(InputError, match="fewer chords"):
        resolve("", chords="C G Am F", tempo=60, duration_s=10.24)


@pytest.mark.parametrize(
    ("line", "meter", "wanted"),
    [("C G Am F", "4/4", "C G Am F"), ("Dm7 | G7 C |", "3/4", "Dm7 | G7 C |"), ("C | F:3 G:1 |", "4/4", "C | F:3 G:1 |"), ("C G C Am", "4/4", "C G C Am")],
)  # fmt: skip
def test_chord_line_writes_a_loop_once(line, meter, wanted):
    assert chord_line(resolve("", chords=line, tempo=97, meter=meter, key="C", duration_s=50)) == wanted
