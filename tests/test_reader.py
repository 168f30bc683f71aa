import re
from dataclasses import replace
from functools import cache
from itertools import combinations

import numpy as np
import pytest
from conftest import processor_s, resolve
from hypothesis import example, given, settings
from hypothesis import strategies as st

from musicbench import InputError
from musicbench.compose.compose import caption, describe, plan
from musicbench.music.chords import Chord
from musicbench.music.keys import Key
from musicbench.music.meters import Meter
from musicbench.music.progression import Progression
from musicbench.prompt.facts import drums_alone, read_prompt
from mustango.request.bounds import read_duration
from mustango.request.choosing import rng_of
from mustango.request.controls import chord_line


@pytest.mark.parametrize(
    ("prompt", "tempo"),
    [("house at 128 bpm", 128), ("Tempo: 90", 90), ("128BPM techno", 128), ("a tempo of 72.5 beats per minute", 72.5),
     ("an Allegro sonata", 125), ("played grave", 35), ("a grave mood", None), ("tempo 999", None), ("8 bars", None), ("the 90s", None),
     ("1200 bpm gabber", None), ("95-100 bpm", 97.5), ("Tempo: 95-100 bpm", 97.5), ("bpm 85-95", 90), ("between 90 and 100 bpm", 95), ("Studio 54 - 118 bpm disco", 118), ("from 60 to 140 bpm", 100), ("tempo 120 - 16 bars", 120), ("80 to 90 beats per minute", 85), ("120bpm, 100-110 bpm at the end", 120),
     ("♩=72", 72), ("quarter note = 72", 72), ("in 6/8, quarter = 60", 120), ("♩. = 60 in 6/8", 180), ("jig in 6/8, dotted quarter = 60", 180), ("half note = 60", 120), ("key:Am BPM:128", 128),
     ("120 beats/min", 120), ("100 b.p.m. groove", 100), ("120 BPMs", 120), ("140 bmp techno", 140), ("q=120", 120), ("a Lento", 52), ("Larghetto, light", 63), ("Allegretto", 116), ("Andantino in G", 92),
     ("not 120 bpm but 90 bpm", 90), ("not 120 bpm", None), ("5 bpm drone", None)],
)  # fmt: skip
def test_reads_tempo(prompt, tempo):
    assert read_prompt(prompt).tempo == tempo


@pytest.mark.parametrize(
    ("prompt", "key"),
    [("in A minor", "A minor"), ("key of F#", "F# major"), ("a waltz in E flat major", "Eb major"), ("B♭ minor blues", "Bb minor"),
     ("Key: C#m", "C# minor"), ("a major hit", None), ("in a minor way", None), ("G major scale run", "G major"), ("in Berlin", None), ("piano B minor", "B minor"), ("A minor blues", "A minor"), ("A major hit", None), ("song in Am", "A minor"), ("the A minor chord", None),
     ("in d minor", "D minor"), ("in Bflat minor", "Bb minor"), ("Fsharp major waltz", "F# major"), ("in Bflatulence", None), ("bb minor jam", "Bb minor"), ("a minor setback", None), ("in B-movie style", None), ("in D&B style", None),
     ("In A quiet room", None), ("key of Bb ballad", "Bb major"), ("in C, slow", "C major"), ("key:Am", "A minor"), ("G Major", "G major"), ("KEY OF A MINOR", "A minor"), ("A Major Hit", None), ("F#m, 98 bpm", "F# minor"), ("Dm7 vamp", None), ("trap, Bbm 140bpm", "Bb minor"), ("Am F C G", None), ("Em dash", None), ("key=F#", "F# major"), ("a ballad in G with strings", "G major"),
     ("D dorian jazz", "D minor"), ("in A mixolydian", "A major"), ("E phrygian flamenco", "E minor"), ("A harmonic minor tango", "A minor"), ("Em pentatonic solo", "E minor"), ("in Bb Lydian", "Bb major"), ("a dorian mode jam", None),
     ("chords A minor, F major", None)],
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
     ("a 2-5-1 progression in Bb", "ii V I"), ("1-5-6-4 chords in A minor", "i V VI iv"), ("A A B A form ballad", None), ("Sections A, B, C", None), ("1-2-3 loop pedal", None), ("Am F C G in verse-chorus form", "Am F C G"), ("Em C G D song, loose structure", "Em C G D"), ("chords in A", None), ("1-2-3-4 count", None)],
)  # fmt: skip
def test_reads_chords(prompt, chords):
    assert read_prompt(prompt).chords == chords and not read_prompt(prompt).notes


@pytest.mark.parametrize(
    ("prompt", "chords"),
    [("pop, chords:C G Am F", "C G Am F"), ("Chords=Am F C G", "Am F C G"), ("progression:I V vi IV", "I V vi IV"), ("key=C;chords=C G Am F;tempo=100", "C G Am F"),
     ("chords A minor, F major, C major, B flat minor 7", "Am F C Bbm7"), ("chords: Am7 | D7 | % | Gmaj7", "Am7 | D7 | % | Gmaj7"), ("chords |: C | G :| F", "C | G | C | G | F"),
     ("chords:|C|G:|F", "C | G | C | G | F"), ("chords C + G + Am", "C G Am"), ("C / G / Am / F", "C G Am F"), ("C > G > Am", "C G Am"), ("C => G=>Am", "C G Am"), ("chords C, G; Am & F", "C G Am F"),
     ("chords `C G Am F`", "C G Am F"), ("**C G Am F**", "C G Am F"), ("chords ([C] [G])", "C G"), ("piano\nchords:\nC G\nAm F\n120 bpm", "C G Am F"), ("| C | G |\n| Am | F |", "C | G | Am | F"),
     ("chords: N.C. Am F C", "N Am F C"), ("chords: Cm(maj7) F7(b9)", "Cm(maj7) F7(b9)"), ("chords  C\tG   Am", "C G Am"), ("C major 7 chords then G", "Cmaj7 G"), ("jazz, chords Dm7 G7alt Cmaj7 A7", "Dm7 G7alt Cmaj7 A7"), ("chords C x2 G", "C C G"), ("Verse: C G Am F, chorus: F G C C", "C G Am F F G C C"), ("the chord is G7", "G7"), ("The chords in this song are D, G.", "D G"), ("chords |: C G", "C G"), ("The chord progression is A. It is slow.", "A")],
)  # fmt: skip
def test_reads_chords_as_people_write_them(prompt, chords):
    assert read_prompt(prompt).chords == chords and not read_prompt(prompt).notes


@pytest.mark.parametrize(
    "prompt",
    ["a song with chords i love", "jazz chords, v slow", "power chords, B side", "lush chords and a D drone", "chord changes in the style of C Corea", "chord stabs on beat 1 and E piano",
     "chord stabs on the E and B strings", "rich chords, B3 organ", "notes C E G", "the notes are C# E G#", "notes C4 E4 G4", "C D E F G A B scale", "melody E D C D E E E",
     "bass plays C C G G", "arpeggio C E G C", "vitamin A B C D E", "the A B C song", "grade A B C students", "chords: none", "no chords, only drums", "the chords are A bit sad"],
)  # fmt: skip
def test_words_and_letters_are_no_chords(prompt):
    assert read_prompt(prompt).chords is None and not read_prompt(prompt).notes


@pytest.mark.slow
@pytest.mark.parametrize(
    ("prompt", "chords", "says"),
    [("jazz, chords Dm7 G7alters Cmaj7 A7", "Dm7 G7alt Cmaj7 A7", "'G7alters' in the prompt is no chord known here, G7alt is played"), ("chords Hm G D", "G D", "'Hm' in the prompt .* left out"),      ("chords C | Hm | G | F", "C | G | F", "'Hm'"), ("C G Am F, and later on: F G C C", "C G Am F", "'F G C C' in the prompt is left out"), ("chords: c g am f", "C G Am F", "is read as C G Am F"), ("chords: xyz", None, "not understood"),
     ("1000 bpm speedcore", None, "'1000 bpm' .* outside 20-300"), ("5 bpm drone", None, "outside 20-300"), ("jig in 6/8, ♩. = 116", None, "is 348 beats a minute, outside"),
     ("D dorian jazz", None, "D dorian in the prompt is played as D minor")],
)  # fmt: skip
def test_what_is_not_taken_as_it_is_said_is_noted(prompt, chords, says):
    stated = read_prompt(prompt)
    ((name, note),) = stated.notes
    assert stated.chords == chords and re.search(says, note)
    (resolved,) = resolve(prompt, duration=20).notes
    assert resolved == note
    given = {"chords": {"chords": "E A"}, "tempo": {"tempo": 90}, "key": {"key": "E"}}[name]
    notes = resolve(prompt, **given, duration=20).notes
    assert note not in notes and all(note.startswith("the prompt says") for note in notes), "what is given takes its place"


@pytest.mark.parametrize(
    ("prompt", "chords"),
    [
        ("chord progression A minor, F, C, G at 90 bpm", "Am F C G"), ("chords: C# minor, A, E, B", "C#m A E B"), ("chords: B flat, E flat, F", "Bb Eb F"), ("chords: Dm 7, G 7", "Dm7 G7"),
        ("chords: Cmaj7 (1 bar), Am7 (1 bar)", "Cmaj7 Am7"), ("minor blues in C: Cm7 Fm7 Cm7 G7", "Cm7 Fm7 Cm7 G7"), ("jazz trio in Bb: ii7 V7 Imaj7", "ii7 V7 Imaj7"), ("pop song in G, G D Em C", "G D Em C"),
        ("Rocky III IV V", None), ("Henry IV V VI", None), ("I IV V in A", "I IV V"), ("clarinet in A", None), ("D&B in the R&B style", None), ("FM synth and AM radio", None), ("(C G Am F)x2", "C G Am F C G Am F"),
        ("chords: |: C | G :| x2 then F", "C | G | C | G | F"), ("[Verse] C G Am F [Chorus] F G C C", "C G Am F F G C C"), ("verse Am F chorus C G", "Am F C G"), ("Am F in the verse and C G in the chorus", "Am F C G"),
        ("chords：C G Am F", "C G Am F"), ("funk vamp on E7#9", "E7#9"), ("alternating between Am7 and D9", "Am7 D9"), ("chords: Am for two bars, then F for two bars", "Am (2 bars) F (2 bars)"), ("2 bars of C, 2 bars of G", "C (2 bars) G (2 bars)"),
        ("chords are: a minor, d minor, e major", "Am Dm E"), ("chords in C, G, Am, F", "C G Am F"), ("two-five-one in G", "ii V I"), ("chords: am f c g", "Am F C G"), ("section A: Am F, section B: C G", "Am F C G"), ("A section Dm G, B section F C", "Dm G F C"), ("Verse (x2): Am F; Chorus: F G", "Am F Am F F G"), ("1 5 6 4 in G", "I V vi IV"),
        ("goes from C to F", "C F"), ("C and G", "C G"), ("ending with an Fmaj7 chord", None), ("not Am F C G", None), ("modulates from E minor to G major", None), ("movements I, II, III, IV", None), ("ii V in F", "ii V"), ("B minor 7 to E7", "Bm7 E7"), ("Dm7, 3/4", "Dm7"),
    ],
)  # fmt: skip
def test_chord_lists_lose_no_chord(prompt, chords):
    assert read_prompt(prompt).chords == chords


SPOKEN = {
    "Am": "A minor",
    "Bb": "B flat",
    "C#m": "C sharp minor",
    "F#": "F sharp",
    "Dm7": "D minor 7",
    "Ebmaj7": "E flat major seventh",
    "Gsus4": "G sus",
    "Bdim": "B diminished",
}
LISTED = st.sampled_from(
    ["C", "G", "Am", "F#m7", "Bb", "Dm7", "Gsus4", "Cmaj9", "E7#9", "A/C#", "Bdim", "C#m", "Ebmaj7", "F#", "Em7b5", "G13sus4"]
)
TEMPLATES = (
    "chords: {}",
    "chord progression {}",
    "a song with the chords {}.",
    "The chords are {} at 120 bpm",
    "jazz, chords {} in 3/4",
    "chords = {}; slow",
    "A chord progression of {}, with drums",
)


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(
    st.lists(LISTED, min_size=2, max_size=8),
    st.sampled_from(TEMPLATES),
    st.sampled_from([", ", " - ", " → ", " | ", " / ", "; ", " then "]),
    st.booleans(),
)
def test_after_a_word_for_chords_every_chord_is_played(names, template, separator, aloud):
    said = [SPOKEN.get(name, name) if aloud else name for name in names]
    stated = read_prompt(template.format(separator.join(said)))
    assert Progression.parse(stated.chords).chords == [Chord.parse(name) for name in names], stated


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "Dm7",
                "F#m7b5",
                "Bbmaj7",
                "piano",
                "slow",
                "and",
                ",",
                ".",
                "loop",
                "in",
                "G13",
                "the",
                "120 bpm",
                "Ebm9",
                "with",
                "C",
                "A",
            ]
        ),
        max_size=12,
    )
)
def test_no_chord_symbol_is_dropped_in_silence(words):
    text = " ".join(words)
    stated = read_prompt(text)
    told = f"{stated.chords} {stated.key} {[note for _, note in stated.notes]}"
    assert all(word in told for word in words if word in ("Dm7", "F#m7b5", "Bbmaj7", "G13", "Ebm9")), (text, stated)


@pytest.mark.parametrize(
    ("prompt", "tempo", "notes"),
    [
        ("trap beat at 140", 140, 0), ("DnB, 174", 174, 0), ("house @ 122", 122, 0), ("techno 128", 128, 0), ("100+ bpm", 100, 0), ("80ish bpm", 80, 0), ("tempo: ~120", 120, 0), ("BPM (120)", 120, 0),
        ("Tempo: Allegro (132)", 132, 0), ("120,5 bpm", 120.5, 0), ("quarter note equals 72", 72, 0), ("speeding up from 90 to 120 bpm", 105, 1), ("90 to 120 bpm", 105, 0), ("60 to 140 bpm", 100, 1),
        ("Allegro 140", 140, 0), ("Largo (44)", 44, 0), ("slow 60", 60, 0), ("instead of 120 bpm use 90", 90, 0), ("a hundred and twenty bpm", 120, 0), ("174 DnB", 174, 0), ("F minor 140", 140, 0), ("low 120s house", 122, 0),
        ("12/8, dotted quarter = 60", 60, 1), ("12/8, quarter = 120", 80, 1), ("M.M. 92", 92, 0), ("Studio 54", None, 0), ("an 808 kick", None, 0), ("the 90s", None, 0), ("Symphony No. 40", None, 0), ("2 guitars", None, 0), ("recorded at 96 kHz", None, 0), ("a TR-909 loop", None, 0),
    ],
)  # fmt: skip
def test_tempi_said_loosely(prompt, tempo, notes):
    stated = read_prompt(prompt)
    assert (stated.tempo, len(stated.notes)) == (tempo, notes), stated


@pytest.mark.parametrize(
    ("prompt", "key"),
    [
        ("120bpm Em", "E minor"), ("G maj, 90 bpm", "G major"), ("a-minor waltz", "A minor"), ("Camelot 8A", "A minor"), ("124 bpm, 8B", "C major"), ("minor blues in C", "C minor"), ("clarinet in A", None), ("horn in F", None),
        ("trumpet solo in Bb", "Bb major"), ("in a minor key", None), ("not in C major, in D minor", "D minor"), ("trap Gm", "G minor"), ("F blues", "F major"), ("B flat clarinet solo", None), ("A major success", None), ("in am", "A minor"),
        ("house in 8A", "A minor"), ("A minor chord progression", "A minor"), ("modulates from E minor to G major", "E minor"), ("C-sharp-minor prelude", "C# minor"), ("chords: A minor, F", None),
    ],
)  # fmt: skip
def test_keys_said_loosely(prompt, key):
    stated = read_prompt(prompt).key
    assert (str(stated) if stated else None) == key


@pytest.mark.parametrize(
    ("prompt", "duration"),
    [
        ("1:30", 90), ("two minutes of ambient", 120), ("60 seconds", 60), ("a 30 second jingle", 30), ("a minute and a half", 90), ("half a minute of jazz", 30), ("1 min 30 s", 90), ("1 minute and 20 seconds", 80), ("15-20 seconds", 17.5), ("8 bars at 100", "8 bars"), ("24 bars of blues", "24 bars"), ("a 15-second intro", 15), ("at least 20 seconds", 20), ("1m30s", 90), ("two and a half minutes", 150),
        ("20s swing", None), ("2:30 am jazz", None), ("Gone in 60 Seconds", None), ("3m techno", None), ("an 8-bar loop", "8 bars"), ("16 bars of techno", "16 bars"),
        ("12-bar blues", None), ("80s pop", None), ("808s", None), ("a crescendo until 6 seconds", None), ("pop with a 4 bar intro", None), ("the drop comes at 0:45", None), ("chords: C (2 bars) G (2 bars)", None),
        ("fades out over 5 seconds", None), ("120 bpm", None), ("a second guitar", None),
    ],
)  # fmt: skip
def test_durations_in_prompts(prompt, duration):
    assert read_prompt(prompt).duration == duration


@pytest.mark.parametrize(
    ("prompt", "meter", "notes"),
    [
        ("12/8 shuffle", "4/4", 1),
        ("twelve-eight blues", "4/4", 1),
        ("9/8 jig", "3/4", 1),
        ("11/8 prog", None, 1),
        ("in 5", "5/4", 0),
        ("7/8 rock", "7/8", 0),
        ("4 / 4", "4/4", 0),
        ("4-4 time", "4/4", 0),
        ("cut time", "2/2", 0),
        ("3/4 of the song", None, 0),
    ],
)
def test_meters_said_loosely(prompt, meter, notes):
    stated = read_prompt(prompt)
    assert (str(stated.meter) if stated.meter else None, len(stated.notes)) == (meter, notes), stated
    if meter and notes:
        assert resolve("", meter=prompt.split()[0] if "/" in prompt else "12/8", duration=4).notes == stated.notes[0][1:]


def test_a_mode_that_is_given_is_noted():
    controls = resolve("", key="D dorian", duration=10)
    assert controls.key == Key("D", "minor") and controls.notes == ("the key D dorian is played as D minor",)


@cache
def full_of_chords_s():
    return processor_s(read_prompt.__wrapped__, "C G " * 4750)


@pytest.mark.slow
@pytest.mark.parametrize(
    "repeated",
    [
        " ",
        "\n",
        " \n",
        "-",
        " - ",
        "1",
        "1-",
        "1 - ",
        "12 ",
        "|",
        ":|",
        "chords ",
        "chords: ",
        "tempo ",
        "key: ",
        "A minor -> ",
        "not ",
        "C x ",
        "softer ",
    ],
)
def test_no_prompt_takes_longer_than_one_full_of_chords(repeated):
    """Quadratic growth would take a hundred times as long."""

    longest_s = 10 * full_of_chords_s()
    for begin in ("", "12", "chords: C", "chords A minor"):
        hostile = begin + repeated * (19_000 // len(repeated)) + "x"
        assert processor_s(read_prompt.__wrapped__, hostile, longest_s) < longest_s, begin


@pytest.mark.slow
@given(st.text(max_size=300))
def test_any_text_can_be_read(text):
    read_prompt(text)


@given(st.text(alphabet="ABCDEFGabcdefgmIViv #b/|-:.0123457", max_size=60), st.integers(0, 99))
def test_any_musical_noise_resolves_or_is_refused(text, seed):
    try:
        controls = resolve(text, duration=10, seed=seed)
    except InputError:
        return
    assert controls.chord_times[0] == 0 and len(controls.chords) == len(controls.chord_times)


def test_options_override_the_prompt():
    controls = resolve("in A minor at 90 bpm, 3/4, chords Am Dm E7", tempo=120, duration=10)
    assert (controls.bpm, str(controls.key), str(controls.meter)) == (120, "A minor", "3/4")
    assert controls.origin == {"duration": "given", "tempo": "given", "meter": "prompt", "key": "prompt", "chords": "prompt"}
    controls = resolve("in A minor, chords Am Dm E7", chords="I IV", key="Eb", duration=10)
    assert [c.lead_sheet(controls.key) for c in controls.chords][:2] == ["Eb", "Ab"]
    assert controls.origin["chords"] == controls.origin["key"] == "given"


@pytest.mark.slow
@pytest.mark.parametrize(
    "prompt",
    [
        "drums only", "rock drum solo", "A funky drum loop, 100 bpm.", "just drums, no bass, no guitar", "solo drums, energetic", "drums-only",
        "a fast samba percussion track without any other instruments", "bass drum and snare, only drums", "hip-hop drum beat in 4/4",
        "rapid drum solo", "drum loop, No bass", "drum solo, no piano, guitar or bass", "rock drums, no other instruments", "drums, nothing else",
        "drum loop with lots of cymbals", "drum beat with a heavy snare", "drum loop for studying",
        "trap drums, no melody", '"funky drum loop"', "organic percussion loop", "jazz drums alone", "rock drums only at 120 bpm",
        "only bongos and maracas", "udu solo", "solo cajon", "castanets only", "clap only", "percussion quartet", "djembe ensemble", "drum corps cadence",
        "beatbox loop", "body percussion", "frame drum circle", "samba: only surdo, pandeiro and cuica", "a darbuka groove at 100 bpm", "gong solo",
        "just a tambourine, no melody", "nothing but congas, bongos and claves", "hi-hat pattern", "piece for solo snare drum", "tabla, nothing else", "drum groove 95bpm", "trap drum pattern 140BPM", "a breakbeat at 165 bpm", "bongos 110bpm",
        "only a metronome", "click track 60 bpm", "drum loop @ 128bpm",
    ],
)  # fmt: skip
def test_drums_alone_have_no_chords(prompt):
    controls = resolve(prompt, duration=10.0)
    assert [str(c) for c in controls.chords] == ["N"] and controls.origin["chords"] == "prompt"
    assert resolve(prompt, chords="C", duration=10.0).chords == (Chord(0),)


@pytest.mark.parametrize(
    "prompt",
    [
        "drum and bass", "pop with drums", "piano over a drum loop", "not only drums", "only drums and bass", "no drums", "guitar, drum beat",
        "drum solo with organ", "an orchestra and a drum track", "rock song with a drum solo", "just a piano", "upbeat rock",
        "calm ambient music, no drum beat", "relaxing song without a drum loop", "a quiet meditation, no percussion track", "don't use only drums",
        "upbeat song, drum beat", "upbeat dance song driven by a drum beat", "a pop song that features a drum solo", "backing track for drums",
        "a drum solo followed by a funky jam", "acoustic folk, light percussion only", "techno with only percussion",
        "a song with drums only in the chorus", "the only percussion is a tambourine", "pop, music box, a drum beat", "steel drum solo",
        "drum beat in the key of A minor", "calm folk, harmonica, a drum beat", "ambient music, no drums alone",
        "A drum groove drives this happy pop piece", "A drum beat kicks in after a dreamy intro", "Energetic drum track of a festival banger",
        "drum solo. Then the whole group comes in", "drum loop with an erhu", "drum track for a rock crowd", "tongue drum solo",
        "amapiano log drum groove", "drum fill into the chorus", "timpani solo", "steelpan ensemble", "congas and piano", "salsa with bongos", "reggae, bongos",
        "not only congas", "marimba loop", "lo-fi beats", "chill beat loop", "tabla and sitar", "jaw harp solo", "just claps and vocals", "taiko intro before the strings",
        "thrash metal with blast beats 200", "death metal, blast beats", "a breakbeat track with a pad", "piano at metronome 90",
    ],
)  # fmt: skip
def test_drums_beside_others_have_chords(prompt):
    assert Chord() not in resolve(prompt, duration=10.0).chords


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(st.integers(0, 10**6))
def test_the_composers_words_for_drums_alone_are_read(seed):
    piece = plan(seed)
    words = caption(describe(piece), np.random.default_rng(seed))
    assert drums_alone(words) == (not describe(piece)["voices"]), words
    drums = {"voices": [], "drums": "rock", "kit": "standard", "percussion": ["drum kit"]}
    alone = caption(describe(piece) | {"comping": None, "bass": None, "lead": None, **drums}, np.random.default_rng(seed))
    assert drums_alone(alone), alone


def test_what_nobody_says_is_chosen_by_seed():
    first, again, other = (resolve("calm piano", duration=10, seed=s) for s in (1, 1, 2))
    assert first == again and first != other
    assert set((resolve("calm piano", seed=1)).origin.values()) == {"chosen"}
    assert resolve("a slow ballad", duration=10).bpm < 90 < resolve("fast punk", duration=10).bpm
    assert str(resolve("a waltz", duration=10).meter) == "3/4"
    assert resolve("dark and sad strings", duration=10).key.mode == "minor"


def test_what_is_given_does_not_change_what_is_chosen():
    for seed in range(8):
        for prompt in ("piano", "sad jazz ballad"):
            free = resolve(prompt, duration=60, seed=seed)
            chosen = {"tempo": free.bpm, "key": str(free.key), "chords": chord_line(free)}
            for n in range(4):
                for names in combinations(chosen, n):
                    again = resolve(prompt, **{name: chosen[name] for name in names}, duration=60, seed=seed)
                    assert (again.bpm, again.chords) == (free.bpm, free.chords), names
                    assert again.key == free.key or "chords" in names


def test_numerals_without_a_key_choose_theirs():
    controls = resolve("flamenco guitar, i VII VI V progression", duration=10)
    assert [str(c) for c in controls.chords[:4]] == ["Cm", "Bb", "Ab", "G"] and controls.key == Key("C", "minor")
    assert resolve("", chords="I IV ii", duration=10).key == Key("C")
    assert resolve("i IV progression in D minor", chords="i IV", duration=10).key == Key("D", "minor")


@pytest.mark.parametrize(
    ("prompt", "given", "says"),
    [("techno at 120 bpm, later 90 bpm", {}, ["'90 bpm' in the prompt is left out; 120 bpm is played"]),
     ("at 120 bpm, then 90 bpm", {"tempo": 100}, ["the prompt says 120 bpm; 100 bpm is played"]), ("at 120 bpm, 120 BPM", {}, []),
     ("in C major, then in G major", {}, ["'G major' in the prompt is left out; C major is played"]), ("key of F, in F major", {}, []),
     ("in C, then in G", {"key": "D"}, ["the prompt says C major; D major is played"]), ("a waltz in 3/4 with a 4/4 ending", {}, ["'4/4' in the prompt is left out; 3/4 is played"]),
     ("in 3/4, then 4/4", {"meter": "2/4"}, ["the prompt says 3/4; 2/4 is played"]),
     ("Presto jig in 6/8", {}, ["Presto in 6/8 is more than 300 counted beats a minute; 300 is played"]),
     ("jig", {"meter": "6/8", "tempo": "presto"}, ["presto in 6/8 is more than 300 counted beats a minute; 300 is played"]),
     ("jig", {"meter": "6/8", "tempo": 300}, []),
     ("very slow strings", {"chords": "C G Am"}, ["bpm, faster than usual for the prompt"]),
     ("very slow strings", {"chords": "C G"}, []),
     ("at 120 bpm, then 90 bpm in 3/4 and 4/4", {"tempo": "120", "meter": "3/4"}, ["'90 bpm'", "'4/4'"]),  # as the page fills it in
     ("♩. = 60 bpm in 6/8", {}, []), ("half note = 60 bpm", {}, []), ("tempo: 120 bpm 64 bars", {}, ["the prompt says 64 bars; 7 s is played"]),
     ("tempo: 120 bpm 90 seconds long", {}, ["the prompt says 90 s; 7 s is played"]), ("97.5 bpm, tempo about 97", {}, []), ("3/4 time, not 4/4", {}, []),
     ("120 bpm, not faster than 130 bpm", {}, []), ("in C major, not in G major", {}, [])],
)  # fmt: skip
def test_what_a_prompt_says_twice_and_otherwise_is_noted(prompt, given, says):
    notes = resolve(prompt, **given, duration=7)
    assert len(notes.notes) == len(says) and all(said in note for said, note in zip(says, notes.notes, strict=True)), notes.notes


@pytest.mark.parametrize(
    ("prompt", "given", "says"),
    [
        ("piano at 140 bpm", {"tempo": 120}, ["the prompt says 140 bpm; 120 bpm is played"]), ("piano at 140 bpm", {"tempo": "140.0"}, []),
        ("piano at 140 bpm", {"tempo": "Allegro"}, ["the prompt says 140 bpm; 125 bpm is played"]), ("Allegro", {"tempo": 130}, []),
        ("Allegro piano", {"tempo": 60}, ["the prompt says Allegro; 60 bpm is played"]), ("Allegro piano", {"tempo": "allegro"}, []),
        ("waltz in 3/4", {"meter": "4/4"}, ["the prompt says 3/4; 4/4 is played"]), ("in 3/4", {"meter": "3/4"}, []), ("in cut time", {"meter": "2/2"}, []),
        ("piano in D major", {"key": "C"}, ["the prompt says D major; C major is played"]), ("in C# major", {"key": "Db"}, []), ("in A minor", {"key": "Am"}, []),
        ("piano in D major", {"chords": "C G Am F"}, ["the prompt says D major; the chords are in C major and are played as they are"]),
        ("piano in D major", {"chords": "C G Am F", "key": "D"}, ["the prompt says D major; the chords are in C major"]),
        ("piano", {"chords": "C G Am F", "key": "D"}, ["D major is asked for; the chords are in C major"]), ("piano", {"chords": "C G Am F"}, []),
        ("in E flat, chords C G Am F", {}, ["the prompt says Eb major; the chords are in C major"]),
        ("piano in D major", {"chords": "I V vi IV"}, []), ("piano in D major", {"chords": "D A Bm G"}, []), ("in B minor", {"chords": "D A Bm G"}, []),
        ("in A minor", {"chords": "Am Dm E7 Am"}, []), ("blues in E", {"chords": "E7 A7 E7 B7"}, []), ("rock in G", {"chords": "G F C G"}, []),
        ("in D major", {"chords": "N"}, []), ("pop, chords C G Am F", {"chords": "C G Am F"}, []), ("pop, chords C G Am F", {"chords": "C | G | Am | F"}, []),
        ("pop, chords C G Am F", {"chords": "C G Am F C G Am F"}, []), ("pop, I V vi IV", {"chords": "C G Am F", "key": "C"}, []),
        ("pop, chords C G Am F", {"chords": "C G Am"}, ["the prompt says the chords C G Am F; the given chords are played"]),
        ("pop, chords C G Am F", {"chords": "Dm G"}, ["the prompt says the chords C G Am F; the given chords are played"]),
        ("a drum solo", {"chords": "C G"}, ["the prompt says drums alone; the given chords are played"]), ("a drum solo", {"chords": "N"}, []),
    ],
)  # fmt: skip
def test_what_is_given_otherwise_than_the_prompt_says_is_noted(prompt, given, says):
    notes = resolve(prompt, **given, duration=20).notes
    assert len(notes) == len(says) and all(note.startswith(said) for said, note in zip(says, notes, strict=True)), notes


def test_a_length_that_is_given_otherwise_is_noted():
    assert resolve("8 bars of piano", tempo=120, duration="10").notes == ("the prompt says 8 bars; 10 s is played",)
    assert (
        resolve("8 bars of piano", tempo=120, duration=16).notes
        == ()
        == resolve("16 s of piano", tempo=120, duration="8 bars").notes
    )
    assert resolve("30 seconds of piano", tempo=120, duration="8 bars").notes == ("the prompt says 30 s; 16 s is played",)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1:30", 90), ("0:45", 45), ("2 minutes", 120), ("2min", 120), ("1 minute", 60), ("1.5 min", 90), ("1,5 minutes", 90), ("1 min 30 s", 90), ("1m30s", 90),
     ("1 minute and 5 seconds", 65), ("2,5", 2.5), ("2.5", 2.5), ("2,5 s", 2.5), ("90 seconds", 90), ("45 secs", 45), (" 10  S ", 10), ("-4", -4), ("0", 0)],
)  # fmt: skip
def test_lengths_are_read_as_people_write_them(text, seconds):
    assert read_duration(text) == seconds


@pytest.mark.parametrize("text", ["1:75", "1:5", ":30", "1,000", "x", "2 hours", "minutes", "1:30:00", "5 5", "s", "nan"])
def test_what_is_no_length_is_refused(text):
    with pytest.raises(InputError, match=f"duration '{text}' is not a number; give a number of seconds, minutes"):
        read_duration(text)


@pytest.mark.parametrize("given", [{"tempo": 60}, {}])
def test_a_chart_longer_than_the_model_makes_is_refused_for_its_length(given):
    with pytest.raises(
        InputError, match=r"the chords fill 96 bars of 4/4, .* above the 120 s that this model makes; .* or 192 bpm or more"
    ):
        resolve("piano", chords="C G " * 48, **given)
    assert resolve("piano", chords="C G " * 48, tempo=192).duration_s == 120
    with pytest.raises(
        InputError, match=r"above the 120 s that this model makes; give fewer chords, several a bar \('C G \| Am F'\)$"
    ):
        resolve("piano", chords="C G " * 100, **given)


@pytest.mark.slow
def test_durations_in_bars_follow_tempo_and_meter():
    controls = resolve("", chords="C G", tempo=120, meter="3/4", duration="8 bars")
    assert controls.duration_s == 12 and len(controls.beat_times) == 24 and len(controls.chords) == 8
    once = resolve("", chords="C | G Am | N", tempo=90, duration=" Chart ")
    assert once.duration_s == 8 and [str(c) for c in once.chords] == ["C", "G", "Am", "N"]
    assert resolve("sad waltz", duration="1 bar", seed=3).duration_s == pytest.approx(
        180 / resolve("sad waltz", duration=9, seed=3).bpm
    )
    chosen = resolve("sad waltz", duration="chart", seed=3)
    assert chosen.duration_s == pytest.approx(len(chosen.beat_times) * 60 / chosen.bpm) and len(chosen.beat_times) % 3 == 0
    for tempo in range(60, 181):
        controls = resolve("", chords="C G Am F", tempo=tempo, duration="chart")
        assert len(controls.beat_times) == 16 and len(controls.chords) == 4, tempo
    for text, duration in (("8bars", "8 bars"), ("1 Bar", "1 bars"), ("08-bars", "8 bars"), ("10 s", 10), ("7.5sec", 7.5), (4, 4)):
        assert read_duration(text) == duration
    unhurried = resolve("very slow strings", chords="C G Am F C G Am F", duration="chart")
    assert unhurried.bpm <= 65 and len(unhurried.chords) == 8
    for asked, says in (
        ({"duration": "90 bars", "tempo": 60}, "90 bars of 4/4 at 60 bpm, 360 s, is outside 1-120 s"),
        ({"duration": "1 bar", "tempo": 300, "meter": "2/4"}, "1 bar of 2/4 at 300 bpm, 0.4 s, is outside"),
        ({"duration": "chart", "chords": "0:C 2:G"}, "in seconds, so 'chart'"),
        (
            {"duration": "2 bars", "chords": "C G Am"},
            "the chords fill 3 bars, above 2; give fewer, several a bar ('C G | Am F'), or '3 bars'",
        ),
        ({"duration": "0 bars"}, "a duration of 0 bars is below 1"),
        ({"duration": "-4 bars"}, "a duration of -4 bars is below 1"),
        ({"duration": "2,5 bars"}, "2,5 bars is not whole; give a whole number of bars"),
        ({"duration": "some bars"}, "'some bars' is not a number; give a number of seconds, minutes ('1:30'), whole bars"),
    ):
        with pytest.raises(InputError, match=re.escape(says)):
            resolve("piano", **asked)
    with pytest.raises(InputError, match="predictors"):
        resolve("piano", duration="2 bars", predict=lambda prompt: None)


BEATS = [[0.1, 0.62, 1.1, 1.61, 2.1, 2.6, 3.1], [3, 1, 2, 3, 1, 2, 3]]


def test_given_beats_are_taken_as_they_are_and_tell_tempo_and_meter():
    controls = resolve("", beats=BEATS, chords="C", duration=4)
    assert [list(controls.beat_times), list(controls.beat_positions)] == BEATS and str(controls.meter) == "3/4"
    assert controls.bpm == pytest.approx(60 / np.polyfit(range(7), BEATS[0], 1)[0])
    assert controls.origin["tempo"] == controls.origin["meter"] == "given" and controls.notes == ()
    assert resolve("", beats=np.array(BEATS), chords="C", duration=4) == controls
    assert resolve("", beats=[[0, 0.25], [1, 6]], duration=1).meter == Meter(6, 8)
    for nothing in (None, [], [[], []], ""):
        assert resolve("piano", beats=nothing) == resolve("piano")
    assert resolve("in 5/4 at 66 bpm", beats=[[0.4], [2]], duration=2).beat_times == (0.4,)
    assert resolve("in 5/4 at 66 bpm", beats=[[0.4], [2]], duration=2).bpm == 66  # one beat tells neither
    assert str(resolve("in 5/4 at 66 bpm", beats=[[0.4], [2]], duration=2).meter) == "5/4"


@pytest.mark.parametrize(
    ("prompt", "given", "says"),
    [
        ("at 120 bpm in 3/4", {}, []),
        ("Allegro", {}, []),
        ("", {"tempo": 120, "meter": "3/4"}, []),
        ("at 90 bpm", {}, ["90 bpm in the prompt is left out; the given beats, at 120.3 bpm, are played"]),
        ("Adagio in 4/4", {}, ["4/4 in the prompt is left out; the given beats, in 3/4", "Adagio in the prompt is left out"]),
        ("", {"tempo": "allegro"}, []),
        ("", {"meter": "4/4"}, ["the given beats count to 3, not to 4"]),
        ("", {"duration": 20}, ["the given beats end at 3.1 s of 20 s"]),
    ],
)
def test_what_given_beats_contradict_is_noted(prompt, given, says):
    controls = resolve(prompt, beats=BEATS, **{"chords": "C", "duration": 4} | given)
    assert len(controls.notes) == len(says) and all(map(str.__contains__, controls.notes, says)), controls.notes
    assert controls.beat_times == tuple(BEATS[0])


@pytest.mark.parametrize(
    ("beats", "given", "says"),
    [
        ([[0, 1], [1]], {}, "2 times and 1 positions"), ([[1, 0.5], [1, 2]], {}, "must rise, but 0.5 s comes after 1 s"),
        ([[1, 1], [1, 2]], {}, "must rise"), ([[-1, 0], [1, 2]], {}, "beat time -1"), ([[0, float("nan")], [1, 2]], {}, "beat time nan"),
        ([[0, float("inf")], [1, 2]], {}, "beat time inf"), ([["x"], [1]], {}, "'x'"), ([[True], [1]], {}, "True"),
        ([[0, 1], [0, 1]], {}, "beat position 0"), ([[0, 1], [1, 1.5]], {}, "beat position 1.5"), ([[0, 1], [1, 99]], {}, "beat position 99"),
        (5, {}, "no two lists"), ("0 1", {}, "no two lists"), ([[0], [1], [2]], {}, "no two lists"), ([0, 1], {}, "no two lists"),
        ({"a": [0], "b": [1]}, {}, "no two lists"),
        ([[0, 4], [1, 2]], {}, "15 bpm, outside 20-300"), ([[0, 0.1], [1, 2]], {}, "600 bpm, outside 20-300"),
        (BEATS, {"tempo": 100}, "the beats go at 120.3 bpm, but the tempo is 100; leave one of the two out"),
        (BEATS, {"tempo": "adagio"}, "but the tempo is adagio"),
        (BEATS, {"meter": "2/4"}, "beat position 3 is above the 2 beats of 2/4"),
        (BEATS, {"duration": 3.1}, "beat 7 is at 3.1 s, but the clip ends at 3.1 s; leave out what comes later, or a duration above 3.1 s"),
    ],
)  # fmt: skip
def test_beats_that_cannot_be_are_refused(beats, given, says):
    with pytest.raises(InputError) as error:
        resolve("piano", beats=beats, **{"duration": 4} | given)
    assert says in str(error.value) and "\n" not in str(error.value)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0.21, 2.9), min_size=2, max_size=30), st.integers(2, 7), st.integers(0, 6))
def test_any_rising_beats_come_out_as_they_went_in(steps_s, beats, first):
    times = np.cumsum(steps_s).tolist()
    positions = [(first + i) % beats + 1 for i in range(len(times))]
    controls = resolve("", beats=[times, positions], chords="C", meter=f"{beats}/4", duration=120)
    assert [list(controls.beat_times), list(controls.beat_positions)] == [times, positions] and str(controls.meter) == f"{beats}/4"
    again = resolve("", beats=[controls.beat_times, controls.beat_positions], chords="C", tempo=controls.bpm, duration=120)
    assert again.bpm == controls.bpm and again.beat_times == controls.beat_times


def test_bars_begin_where_given_beats_say():
    controls = resolve("", beats=BEATS, chords="C | G Am F | Dm", duration=4)
    assert [str(c) for c in controls.chords] == ["C", "G", "Am", "F", "Dm"]  # the first from the start, over the upbeat
    assert controls.chord_times == pytest.approx((0, 2.1, 2.6, 3.1, 3.1 + 60 / controls.bpm))
    assert resolve("", beats=BEATS, chords="C | G | N", duration="chart").duration_s == pytest.approx(3.1 + 4 * 60 / controls.bpm)
    assert resolve("", beats=BEATS, chords="0:C 1.5:G", duration=4).chord_times == (0, 1.5)
    with pytest.raises(InputError, match="chord Dm would start at 3.60 s, but the clip ends at 3.50 s"):
        resolve("", beats=BEATS, chords="C | G Am F | Dm", duration=3.5)
    assert resolve("calm piano", beats=[[1.4, 1.9], [3, 4]], duration=2).chord_times == (0,)
    skipped = resolve("", beats=[[0, 1, 2.5, 3, 3.5], [1, 3, 1, 2, 3]], chords="C:2 G:1 | F", duration=4)
    assert skipped.chord_times == (0, 1, 2.5)  # a beat that was not heard is counted


@pytest.mark.slow
@settings(max_examples=50, deadline=None)
@given(st.integers(40, 200), st.integers(2, 7), st.floats(2, 60))
def test_given_beats_of_a_grid_are_that_grid(bpm, beats, duration_s):
    asked = {"chords": "C | G Am |", "meter": f"{beats}/4", "duration": duration_s + 16 * 60 / bpm}
    grid = resolve("", tempo=bpm, **asked)
    exact = resolve("", tempo=bpm, beats=[grid.beat_times, grid.beat_positions], **asked)
    assert (exact.beat_times, exact.beat_positions, exact.chords) == (grid.beat_times, grid.beat_positions, grid.chords)
    assert exact.chord_times == pytest.approx(grid.chord_times, abs=1e-5) and exact.duration_s == grid.duration_s


def test_chords_at_times_are_taken_as_they_are():
    controls = resolve("", chords=["C", "C", "ii7"], chords_time=[0.5, 1, 3.25], key="D", tempo=100, duration=4)
    assert [str(c) for c in controls.chords] == ["C", "C", "Em7"] and controls.chord_times == (0.5, 1, 3.25)
    for chords, times, says in (
        (["C", "G"], [0], "no two lists of one length"), ("C G", [0, 1], "no two lists"), (["C", "G"], [1, 1], "must rise"),
        (["C", "G"], [0, 4], "chord 2 is at 4 s"), (["C"], [-1], "chords_time -1"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=says):
            resolve("", chords=chords, chords_time=times, duration=4)


def stating(monkeypatch, duration):
    """Let every prompt state a duration."""
    monkeypatch.setattr(
        "mustango.request.settling_time.read_prompt", lambda *given: replace(read_prompt(*given), duration=duration)
    )


@pytest.mark.parametrize(
    ("duration", "seconds", "notes"),
    [
        (5.0, 5, 0), ("8 bars", 16, 0), ("1 bar", 8, 1), (300.0, 60, 1), (0.5, 8, None), ("99 bars", 60, 1),
    ],
)  # fmt: skip
def test_a_duration_that_the_prompt_states_holds_where_nothing_else_says_one(monkeypatch, duration, seconds, notes):
    stating(monkeypatch, duration)
    asked = {"tempo": 120, "longest_s": 60}
    if notes is None:
        assert resolve("pop", **asked).duration_s == 1  # the shortest
        return
    chords = "C G" if duration == 5.0 else "C G Am F"
    controls = resolve("pop", chords=chords, **asked)
    assert (controls.duration_s, controls.origin["duration"], len(controls.notes)) == (seconds, "prompt", notes)
    assert controls.asked["duration"] == duration
    given = resolve("pop", chords=chords, duration=9, **asked)
    assert (given.duration_s, given.origin["duration"], given.asked["duration"]) == (9, "given", 9)


def test_what_is_asked_is_told_as_it_was_written():
    asked = resolve("waltz in Bb minor, 3/4, Allegro", chords=["C", "G7"], duration="8 Bars").asked
    assert asked == {"chords": ["C", "G7"], "tempo": "Allegro", "key": "Bb minor", "meter": "3/4", "duration": "8 Bars"}
    assert set(resolve("calm piano").asked.values()) == {None}
    assert resolve("at 90 bpm", tempo=np.float64(97.5), duration=4).asked["tempo"] == 97.5


def test_tempo_words_count_dotted_beats_in_compound_meters():
    assert resolve("Adagio in 6/8", duration=10).bpm == resolve("", tempo="adagio", meter="6/8", duration=10).bpm == 195
    assert resolve("Allegro jig", meter="6/8", duration=10).bpm == 300 and resolve("Allegro in 3/4", duration=10).bpm == 125


def test_a_chosen_tempo_counts_eighths_where_the_meter_does():
    for seed in range(20):
        slow, fast, plain = (resolve(prompt, duration=10, seed=seed).bpm for prompt in ("ballad, 6/8", "fast jig, 6/8", "fast jig"))
        assert 90 <= slow <= 160 and 240 <= fast <= 300 and 240 <= plain <= 300
        assert 138 <= resolve("fast piece", duration=10, seed=seed).bpm <= 168
        assert resolve("fast piece, 6/8", duration=10, seed=seed).bpm == 200
        assert 120 <= resolve("jig in 4/4", duration=10, seed=seed).bpm <= 150


CHORDS = st.sampled_from(["C", "G7", "Am7/C", "F#m7b5", "Bb6/9", "N", "Db"])
BARS = st.lists(st.lists(CHORDS, min_size=1, max_size=3), min_size=1, max_size=4).map(
    lambda bars: " | ".join(map(" ".join, bars)) + " |"
)


@pytest.mark.slow
@example("0:Am 0.341:G7", 88, "6/8", 20.0)  # written to a tenth of a millisecond
@example("C G7 | G7 |", 199, "6/8", 20.0)  # the clip ends a third of a beat into a bar
@example("C | C | C | C C |", 75, "6/8", 20.0)  # the last chord just begins in the clip
@given(BARS, st.integers(75, 200), st.sampled_from(["4/4", "3/4", "6/8"]), st.sampled_from([20.0, 120.0]))
def test_chord_line_gives_the_same_chords_again(line, tempo, meter, duration_s):
    asked = {"tempo": tempo, "meter": meter, "key": "C", "duration": duration_s}
    first = resolve("", chords=line, **asked)
    again = resolve("", chords=chord_line(first), **asked)
    assert again.chords == first.chords and again.chord_times == pytest.approx(first.chord_times, abs=1e-4)


def test_lists_are_one_chord_a_bar_and_are_not_changed():
    chords = ["C", "G:7", "Am"]
    controls = resolve("", chords=chords, tempo=120, meter="3/4", key="C", duration=4.5)
    assert chords == ["C", "G:7", "Am"]
    assert controls.chord_times == (0, 1.5, 3.0) and controls.key == Key("C")


def test_what_is_given_says_what_degrees_and_note_values_mean():
    controls = resolve("a 1-5-6-4 progression, quarter = 60", key="A minor", meter="6/8", duration=20)
    assert [str(c) for c in controls.chords[:4]] == ["Am", "E", "F", "Dm"] and controls.bpm == 120


def test_a_chosen_tempo_lets_all_chords_begin():
    for seed in range(40):
        controls = resolve("slow ballad", chords="C G Am F", duration=10.24, seed=seed)
        assert controls.chords == tuple(map(Chord.parse, ["C", "G", "Am", "F"])) and 76 <= controls.bpm <= 88
    for prompt, chords in (("", "C G Am F " * 4), ("slow ballad", "C G Am F " * 2)):
        with pytest.raises(InputError, match="fewer chords"):
            resolve(prompt, chords=chords, duration=10.24)
    with pytest.raises(InputError, match="fewer chords.* a duration of 16 s or more"):
        resolve("", chords="C G Am F", tempo=60, duration=10.24)
    with pytest.raises(InputError, match="faster tempo$"):
        resolve("", chords="C G Am F", tempo=60, duration=10.24, longest_s=10.24)


@pytest.mark.parametrize(
    ("line", "meter", "wanted"),
    [("C G Am F", "4/4", "C G Am F"), ("Dm7 | G7 C |", "3/4", "Dm7 | G7 C |"), ("C | F:3 G:1 |", "4/4", "C | F:3 G:1 |"), ("C G C Am", "4/4", "C G C Am")],
)  # fmt: skip
def test_chord_line_writes_a_loop_once(line, meter, wanted):
    assert chord_line(resolve("", chords=line, tempo=97, meter=meter, key="C", duration=50)) == wanted


MUSICIANS = """
trap | 130-160 | minor | 4/4; deep house | 116-126 | minor | 4/4; DnB | 165-180 | minor | 4/4; thrash metal | 150-220 | minor | 4/4; doom metal | 45-80 | minor | 4/4;
solo harp, lullaby | 55-85 | major | 4/4; string quartet | 65-130 | major | 4/4; a cappella choir | 60-112 | major | 4/4; raga | 55-95 | major | 4/4;
waltz | 84-180 | major | 3/4; Viennese waltz | 160-190 | major | 3/4; slow waltz | 76-100 | major | 3/4; jazz waltz | 110-180 | major | 3/4; minuet | 88-132 | major | 3/4;
Irish jig | 240-300 | major | 6/8; polka | 100-140 | major | 2/4; samba | 88-115 | major | 2/4; 12-bar blues | 76-130 | major | 4/4; slow blues | 45-75 | major | 4/4;
minor blues | 66-120 | minor | 4/4; bebop | 165-270 | major | 4/4; jazz ballad | 48-80 | major | 4/4; bossa nova | 100-150 | major | 4/4; salsa | 150-215 | minor | 4/4;
cha-cha-cha | 105-132 | minor | 4/4; reggaeton | 84-102 | minor | 4/4; reggae | 60-95 | major | 4/4; ska | 120-180 | major | 4/4; punk rock | 145-205 | major | 4/4;
techno | 122-145 | minor | 4/4; dark techno | 122-145 | minor | 4/4; trance | 130-145 | minor | 4/4; psytrance | 136-150 | minor | 4/4; dubstep | 136-146 | minor | 4/4;
lo-fi hip hop | 62-92 | major | 4/4; boom-bap hip hop | 80-100 | minor | 4/4; jazz hip hop | 80-100 | minor | 4/4; ambient | 50-85 | major | 4/4; dark ambient | 48-76 | minor | 4/4;
gregorian chant | 50-80 | minor | 4/4; flamenco guitar | 90-135 | minor | 4/4; tango | 108-134 | minor | 4/4; surf rock | 135-180 | minor | 4/4; country | 90-135 | major | 4/4;
sad country | 80-120 | minor | 4/4; happy metal | 112-190 | major | 4/4; disco | 106-130 | minor | 4/4; funk | 90-120 | minor | 4/4; gospel | 66-115 | major | 4/4;
neo-soul | 66-98 | minor | 4/4; J-pop | 128-180 | major | 4/4; chiptune | 115-165 | major | 4/4; synthwave | 80-120 | minor | 4/4; horror film score | 55-126 | minor | 4/4;
epic trailer music | 110-155 | minor | 4/4; hymn | 62-104 | major | 4/4; ragtime | 80-112 | major | 2/4; fast jazz | 140-180 | major | 4/4; slow jazz | 48-90 | major | 4/4;
drone | 45-70 | minor | 4/4; dorian funk | 90-120 | minor | 4/4; mixolydian rock | 95-150 | major | 4/4; K-pop | 96-135 | minor | 4/4; afrobeats | 95-118 | major | 4/4
"""


@pytest.mark.slow
@pytest.mark.parametrize("line", [line.strip() for line in MUSICIANS.split(";")])
def test_what_is_chosen_fits_the_style(line):
    prompt, tempos, mode, meter = (part.strip() for part in line.split("|"))
    low, high = map(int, tempos.split("-"))
    for seed in range(12):
        controls = resolve(prompt, duration=20, seed=seed)
        assert low <= controls.bpm <= high and controls.key.mode == mode and str(controls.meter) == meter, controls
        origins = {value for name, value in controls.origin.items() if name != "chords"}  # of "12-bar blues" it is the prompt
        assert origins == {"chosen", "given"} and controls.origin["duration"] == "given"


@pytest.mark.parametrize(
    ("prompt", "loops"),
    [
        ("12-bar blues", {"C7 F7 C7 C7 F7 F7 C7 C7 G7 F7 C7 G7"}), ("acid house", {"Cm"}), ("D dorian vamp", {"Dm G", "Dm7 G7", "Dm C G Dm"}),
        ("flamenco", {"Cm Bb Ab G", "Fm Eb Db Cm"}), ("phrygian guitar", {"Cm Db", "Cm Db Cm Bb", "Cm Db Eb Db"}),
        ("doo-wop", {"C Am F G", "C Am Dm G"}), ("deep house", {"Cm7 Fm7", "Cm7 Abmaj7", "Cm7 Gm7", "Abmaj7 Cm7", "Cm7 F7"}),
        ("gregorian chant", {"Cm", "Cm Bb"}), ("montuno", {"Cm Fm G7 Fm", "Cm Bb Ab G7", "Fm Cm G7 Cm"}),
    ],
)  # fmt: skip
def test_harmony_follows_the_style(prompt, loops):
    heard = set()
    for seed in range(12):
        controls = resolve(prompt, duration="chart", tempo=120, seed=seed)
        names = []
        for chord in resolve(prompt, key=str(controls.key), tempo=120, duration="chart", seed=seed).chords:
            names.append(
                chord.transposed(-controls.key.pitch_class if "D dorian" not in prompt else 0).lead_sheet(Key("C", "minor"))
            )
        heard.add(" ".join(names))
    merged = {" ".join(name for i, name in enumerate(loop.split()) if i == 0 or loop.split()[i - 1] != name) for loop in loops}
    assert heard <= merged and (len(heard) > 1 or len(merged) == 1)


def test_slow_and_fast_move_the_tempo_within_the_style():
    for style in ("techno", "jazz piece", "metal", "reggae", "folk", "samba", "disco", "bluegrass"):
        for seed in range(5):
            slow, usual, fast = (resolve(f"{word} {style}", duration=10, seed=seed).bpm for word in ("slow", "", "fast"))
            assert slow < fast and (slow < usual or usual < fast), style
            assert fast < 1.25 * 210 and slow > 30


def test_what_is_drawn_depends_on_the_prompt_and_the_seed_alone():
    prompts = ("calm piano", "guitar and flute", "something for a rainy night", "upbeat song", "music for a film", "strings")
    drawn = {prompt: resolve(prompt, duration=10) for prompt in prompts}
    assert len({(c.key, c.chords) for c in drawn.values()}) == len(prompts)
    assert len({c.key.tonic for c in drawn.values()}) > 2
    for prompt, controls in drawn.items():
        assert resolve(f"  {prompt.upper()} ", duration=10).chords == controls.chords, "the same words"
        takes = {(c.key, c.chords, c.bpm) for c in (resolve(prompt, duration=10, seed=seed) for seed in range(8))}
        assert len(takes) >= 7, "takes differ"
    assert rng_of("calm piano", 0).integers(10**6) == 267420, "in every process, on every machine"


@pytest.mark.slow
@given(st.text(max_size=80), st.integers(0, 2**32 - 65))
def test_any_prompt_and_seed_draw_the_same_again(prompt, seed):
    assert rng_of(prompt, seed).random() == rng_of(prompt, seed).random()


@pytest.mark.parametrize(
    ("prompt", "chords"),
    [("gm eb bb f slow song", "Gm Eb Bb F"), ("dm9 g13 cmaj7, jazz", "Dm9 G13 Cmaj7"), ("with the chords em, c, g and d", "Em C G D"), ("play f, g and c", "F G C"),
     ("Chords: D - A - bm - G", "D A Bm G"), ("an am dm e7 progression", "Am Dm E7"), ("em g d a acoustic song", "Em G D A"), ("I am a fan of a e d", None),
     ("a b c d song", None), ("a bass and a flute", None), ("g minor, d minor and a major", "Gm Dm A"),
     ("three bars each: Dm G", "Dm (3 bars) G (3 bars)"), ("D A Bm G, one bar each", "D (1 bars) A (1 bars) Bm (1 bars) G (1 bars)"), ("Em D, 2 beats per chord", "Em:2 D:2"), ("Em D C, 2 beats each", "Em:2 D:2 C:2 Em:2 D:2 C:2"), ("Em D, 3 beats each in 3/4", "Em:3 D:3"), ("two chords a bar: F G", "F (0.5 bars) G (0.5 bars)"),
     ("first two bars Dm, next two bars G", "Dm (2 bars) G (2 bars)"), ("bars 1-2 Em, bars 3-4 C", "Em (2 bars) C (2 bars)"), ("Em in the first bar, D in the second", "Em D"),
     ("hold an Em7 chord for 3 bars then A for 1 bar", "Em7 (3 bars) A"), ("Em C G D for 16 bars", "Em C G D"), ("3 bars Dm, 1 bar A7", "Dm (3 bars) A7"),
     ("D over F#, G, A", "D/F# G A"), ("F with an A in the bass", "F/A"), ("vamp on Gm over D", "Gm/D"),
     ("Gm9 neo soul", "Gm9"), ("A7 funk", "A7"), ("chillhop in Ebmaj9", "Ebmaj9"), ("the A7 motorway", None), ("D9 visa song", None),
     ("a G chord and a D chord", "G D"), ("an E chord", "E"), ("a tune with E and A chords", "E A"), ("just D and G", "D G"), ("from A to B, a journey", None),
     ("avoid the B7 chord, use E A", "E A"), ("go from D to Bm, then G, and end on A", "D Bm G A"), ("Imaj7 ii7 in F", "Imaj7 ii7"), ("I maj7 IV maj7 in F", "Imaj7 IVmaj7"),
     ("2, 5, 1 in F", "ii V I"), ("the progression is 1, 6m, 4, 5 in F", "1 6m 4 5"), ("1, 2, 3, 4 in F", None)],
)  # fmt: skip
def test_reads_chords_in_words(prompt, chords):
    assert read_prompt(prompt).chords == chords


@pytest.mark.parametrize(
    ("prompt", "tempo"),
    [("no faster than 90 bpm", 90), ("not over 95", 95), ("no slower than 110 bpm", 110), ("not over 130, at 120 bpm", 120), ("96 crotchets per minute", 96), ("three beats per second", 180),
     ("70-something bpm", 75), ("mid-90s bpm", 95), ("the mid-90s", None), ("house@124", 124), ("Dm@95bpm", 95), ("Presto at 70 bpm", 70), ("90 or 100 bpm", 95), ("house piano 122", 122), ("piano 88 keys", None), ("trance 138bps", 138), ("at a walking pace", 80)],
)  # fmt: skip
def test_reads_tempo_in_words(prompt, tempo):
    assert read_prompt(prompt).tempo == tempo


@pytest.mark.parametrize(
    ("prompt", "key"),
    [("F", "F major"), ("harp, lullaby, E", "E major"), ("funk, D, 4/4", "D major"), ("drone on E", "E major"), ("parts A, B", None), ("vitamin C", None), ("Am I right", None),
     ("F maj dembow", "F major"), ("concert E flat blues", "Eb major"), ("the relative minor of F", "D minor"), ("anything but F major", None), ("any key except D minor", None),
     ("in g minr", "G minor"), ("D majr", "D major")],
)  # fmt: skip
def test_reads_keys_in_words(prompt, key):
    stated = read_prompt(prompt).key
    assert (str(stated) if stated else None) == key


@pytest.mark.parametrize(
    ("prompt", "said"),
    [("anything but F major", "'F major'"), ("capo 3, D A Bm", "'capo 3'"), ("D A Bm transposed to E", "'transposed'"), ("starts in D and modulates to E", "'E'"), ("modulates up a tone", "'modulates'"), ("a waltz with a gear change from D to E", "'E'"), ("6/8 at 90 bpm", "30 dotted"),
     ("speeds up from 90 bpm", "'speeds up'"), ("a rubato solo", "'rubato'"), ("Adagio at 150 bpm", "'Adagio'"), ("a sad mood 85", "85 "), ("odd time signatures", "'odd time signatures'"), ("rock in an uneven meter", "'uneven meter'"),
     ("in H minor", "'H minor'"), ("in H, slow", "'H'")],
)  # fmt: skip
def test_what_cannot_be_played_is_noted(prompt, said):
    assert any(said in note for _, note in read_prompt(prompt).notes), read_prompt(prompt).notes


@pytest.mark.parametrize(
    ("prompt", "meter"),
    [
        ("compound duple metre", Meter(6, 8)),
        ("simple triple time", Meter(3)),
        ("compound triple meter", Meter(3)),
        ("duple time", Meter(2)),
    ],
)
def test_reads_kinds_of_meter(prompt, meter):
    assert read_prompt(prompt).meter == meter


@pytest.mark.parametrize(
    ("prompt", "bars"),
    [("12-bar blues in E", 12), ("twelve bar blues, 100 bpm", 12), ("8-bar blues", 8), ("16 bar blues in F, 90 bpm", 16), ("Pachelbel's canon, 120 bpm", 8),
     ("jazz blues in F", 12), ("la folia in D minor", 16), ("rhythm changes in Bb, 180 bpm", 32), ("Andalusian cadence, 60 bpm", 4)],
)  # fmt: skip
def test_a_form_without_a_length_is_played_whole(prompt, bars):
    controls = resolve(prompt)
    assert controls.duration_s == pytest.approx(bars * 240 / controls.bpm) and controls.origin["chords"] == "prompt"


def test_a_form_that_is_cut_is_told():
    cut = resolve("12-bar blues in A, 100 bpm, 12 seconds")
    assert cut.duration_s == 12 and any("has 12 bars; the first 5" in note for note in cut.notes)
    longest = resolve("rhythm changes, 60 bpm", longest_s=60)
    assert longest.duration_s == 60 and any("the first 60 s" in note for note in longest.notes)
    assert resolve("12-bar blues, 60 bpm", window_s=10.24, longest_s=10.24).duration_s == 10.24


@pytest.mark.parametrize(
    ("prompt", "first"),
    [
        ("F blues, medium swing, 20 seconds", "F7 Bb7 F7"), ("gospel blues in C, 20 seconds", "C7 F7 C7"), ("a blues in G with a jazz trio, 20 seconds", "G7 C7 G7"),
        ("blues rock in E, 20 seconds", "E7 A7 E7"), ("blues with seventh chords in A", "A7 D7 A7"), ("andalusian cadence in E", "Em D C B"),
        ("andalusian cadence in G major", "Em D C B"), ("minor ii-V-i in D minor", "Em7b5 A7 Dm7"), ("dorian vamp in E", "Em"), ("minor plagal cadence in C", "Fm C"),
        ("royal road in A minor", "F G Em Am"), ("12 bars of folk in G", "G"),
    ],
)  # fmt: skip
def test_what_is_named_is_played(prompt, first):
    controls = resolve(prompt)
    assert " ".join(chord.lead_sheet(controls.key) for chord in controls.chords).startswith(first)


def test_names_that_are_not_known_are_told_with_what_is_played():
    (note,) = [note for note in resolve("Autumn Leaves changes").notes if "not known" in note]
    assert "'Autumn Leaves'" in note and "is played" in note
    assert not resolve("lush chords").notes and not resolve("Autumn Leaves changes: Cm7 F7 Bbmaj7 Ebmaj7").notes
    assert any("12-bar blues" in note for note in resolve("12-bar blues in C", chords="Am G F E").notes)
    assert not resolve("Andalusian cadence", chords="Am G F E").notes
    assert any("picardy" in note for note in resolve("in A minor, ending with a Picardy third").notes)


@pytest.mark.parametrize(
    ("prompt", "chords", "key"),
    [("I V vi IV in E folk", "I V vi IV", "E major"), ("piano in G pop", None, "G major"), ("ballad in D guitar", None, "D major"), ("in A blues", None, "A major"), ("in B movie style", None, None), ("in A quiet room", None, None),
     ("E minor, Em C G D", "Em C G D", "E minor"), ("G major. G D Em C", "G D Em C", "G major"), ("Em C G D, E minor", "Em C G D", "E minor"), ("Em, Em C G D", "Em C G D", None),
     ("E minor, C, G, D", "Em C G D", None), ("E minor, C major, G major", "Em C G", None), ("a catchy chorus, E minor", None, "E minor"), ("violin solo, G minor", None, "G minor"),
     ("worship, key of D, 1 5 6 4", "I V vi IV", "D major"), ("country in A, 1-4-5", "I IV V", "A major"), ("1 5/7 6- 4 in F", "1 5/7 6- 4", "F major"), ("2m7 57 1maj7 in Bb", "2m7 57 1maj7", "Bb major"), ("1 b7 4 in E, rock", "1 b7 4", "E major"),
     ("3 2 1 go, in C", None, "C major"), ("vi IV I V in E minor", "i VI III VII", "E minor"), ("i VI III VII in E minor", "i VI III VII", "E minor"),
     ("dmin trap", None, "D minor"), ("guitar em 90 bpm", None, "E minor"), ("i am 90 years old", None, None), ("piano in Gmajor", None, "G major"), ("not D major but B minor", None, "B minor"),
     ("bluegrass G 100 bpm", None, "G major"), ("piano d-moll 90 bpm", None, "D minor"), ("in G majer", None, "G major"), ("harp in a minnor", None, "A minor"),
     ("E drone", None, "E major"), ("whistle in D, reel", None, "D major"), ("trumpet in Bb", None, None)],
)  # fmt: skip
def test_reads_keys_beside_chords(prompt, chords, key):
    stated = read_prompt(prompt)
    assert (stated.chords, str(stated.key) if stated.key else None) == (chords, key)


@pytest.mark.parametrize(
    ("prompt", "chords"),
    [("D (1 bar), G (half a bar), A (half a bar)", "D G (0.5 bars) A (0.5 bars)"), ("strum a G major chord for 2 bars", "G (2 bars)"), ("strumming D to G", "D G"), ("D and G only", "D G"), ("funky clavinet riff on Em7", "Em7"),
     ("hold each chord 4 beats: Em C", "Em:4 C:4"), ("chords a minor, d minor", "Am Dm")],
)  # fmt: skip
def test_reads_few_chords(prompt, chords):
    assert read_prompt(prompt).chords == chords


@pytest.mark.parametrize(
    ("line", "given", "played", "note"),
    [("120 bpm 3/4 C F G", {}, (120, "3/4", "C major"), None), ("G / / | C / / |", {}, (None, "3/4", "G major"), None), ("120 bpm C F", {"tempo": 90}, (90, "4/4", "C major"), "the chord line says 120 bpm; 90 bpm is played"),
     ("Key of D: 1 5", {}, (None, "4/4", "D major"), None), ("Key of D: 1 5", {"key": "G"}, (None, "4/4", "G major"), "the chord line says D major; G major is played"), ("Capo 2: C F", {}, (None, "4/4", "C major"), "'Capo 2' in the chord line is left out"),
     ("C F (let ring)", {}, (None, "4/4", "C major"), "'let ring' in the chord line is left out"), ("6/8 ♩. = 60 | C | F |", {}, (180, "6/8", "C major"), None)],
)  # fmt: skip
def test_a_chord_line_says_tempo_meter_and_key_where_no_option_does(line, given, played, note):
    controls = resolve("calm piano", chords=line, duration=20, **given)
    assert (played[0] and controls.bpm, str(controls.meter), str(controls.key)) == played
    assert any(text.startswith(note) for text in controls.notes) if note else not controls.notes
    again = resolve("calm piano", chords=line, duration=20, tempo=controls.bpm, meter=str(controls.meter), key=str(controls.key))
    assert (again.chords, again.chord_times) == (controls.chords, controls.chord_times)


@pytest.mark.parametrize(
    ("line", "chords", "note"),
    [("Cmj7 Amin7 Dmin7 G7", "Cmaj7 Am7 Dm7 G7", ""), ("CMJ7 FMj7 Cmmj7", "Cmaj7 Fmaj7 CmM7", ""), ("ii-V-I in G minor", "Adim D Gm", "'ii V I' in G minor is read as ii° V i"), ("ii7 V7 I in C minor", "Dm7b5 G7 Cm", "iiø7"),
     ("ii V i in C minor", "Dm G Cm", ""), ("I IV V in A", "A D E", ""), ("I6 IV V7 I", "C6 F G7 C", "write I/3"), ("I6 vi7 ii7 V7", "C6 Am7 Dm7 G7", ""), ("I/3 IV V7 I", "C/E F G7 C", ""), ("1maj7 6-7 2-7 5(7) in F", "Fmaj7 Dm7 Gm7 C7", ""),
     ("Start on C, go to Am, then F, end on G", "C Am F G", "is read as C Am F G"), ("from Dm to G to C", "Dm G C", "Dm G C"), ("12 bar blues in A", "A7 D7 A7 D7 A7 E7 D7 A7 E7", "the 12-bar blues"),
     ("Do Sol Lam Fa", "C G Am F", "C G Am F"), ("do sol la m fa", "C G Am F", "C G Am F"), ("Do Sol7 Rem Lam", "C G7 Dm Am", "C G7 Dm Am"), ("| Do | Sol | Lam |", "C G Am", "C | G | Am")],
)  # fmt: skip
def test_a_chord_line_is_read_as_it_is_said(line, chords, note):
    controls = resolve("calm piano", chords=line, duration=60, tempo=60)
    said, notes = [chord.lead_sheet(controls.key) for chord in controls.chords], " ".join(controls.notes)
    assert said[: len(chords.split())] == chords.split() and note in notes and bool(note or not notes), notes


@pytest.mark.parametrize("line", ["3/4 | C | F |", "G / / | C / / |"])
def test_a_meter_beside_that_of_the_chord_line_is_refused(line):
    with pytest.raises(InputError, match="is in 3/4, but the meter is 4/4; give --meter 3/4"):
        resolve("calm piano", chords=line, meter="4/4", duration=20)
    assert str(resolve("calm piano, chords: G / / | C / / |", duration=20).meter) == "3/4"


@pytest.mark.parametrize(
    ("prompt", "chords", "said"),
    [("open G tuning, G C D", "G C D", "open G tuning"), ("in drop D, D5 F5", "D5 F5", "drop D"), ("tuned to D, D G A", "D G A", "tuned to D"), ("folk in DADGAD", None, "DADGAD"),
     ("standard tuning, Em C G", "Em C G", "standard tuning"), ("tuned down to Eb, Em C G", "Em C G", "tuned down to Eb"), ("half step down, Am F C G", "Am F C G", "half step down"),
     ("drop-C riff, Cm Ab Bb", "Cm Ab Bb", "drop-C"), ("Eb standard, Em D C", "Em D C", "Eb standard"), ("G C D in open tuning", "G C D", "open tuning"), ("violin tuned to A E A E", None, "tuned to A E A E"),
     ("open D tuning: D A D F# A D", None, "open D tuning: D A D F# A D"), ("tune down half a step, Am G F", "Am G F", "tune down half a step"), ("in open g, g c d", "G C D", "open g"),
     ("downtuned metal, E5 G5", "E5 G5", "downtuned"), ("A=432, Am F", "Am F", "A=432"), ("D-A-D-G-A-D tuning, Dm C", "Dm C", "D-A-D-G-A-D tuning"), ("guitar in open tuning D A D G A D", None, "open tuning D A D G A D"), ("emo, FACGCE tuning", None, "FACGCE tuning")],
)  # fmt: skip
def test_a_tuning_is_noted_and_sets_no_key_and_no_chord(prompt, chords, said):
    stated = read_prompt(prompt)
    assert (stated.chords, stated.key) == (chords, None)
    assert any(name == "tuning" and f"{said!r} in the prompt is a tuning" in note for name, note in stated.notes), stated.notes


@pytest.mark.parametrize(
    "prompt",
    ["open C chord, strummed", "the drop Am F C G", "moves down a half step", "tuned percussion", "fine tuning", "drop a beat", "a tune in D", "detuned saws", "a decade of pop"],
)  # fmt: skip
def test_other_words_are_no_tuning(prompt):
    assert not any(name == "tuning" for name, _ in read_prompt(prompt).notes)


@pytest.mark.parametrize(
    ("prompt", "key"),
    [("la mineur", "A minor"), ("ballade en la mineur triste", "A minor"), ("do maggiore", "C major"), ("re menor", "D minor"), ("sol majeur", "G major"), ("fa# mineur", "F# minor"), ("si bemol mayor", "Bb major"),
     ("do diesis minore", "C# minor"), ("ré bémol majeur", "Db major"), ("dó maior samba", "C major"), ("fá sustenido menor", "F# minor"), ("mib majeur jazz", "Eb major"), ("do major damage", None), ("LA minor league", None),
     ("d miner", "D minor"), ("in a minro", "A minor"), ("G magor", "G major"), ("f# minot", "F# minor"), ("c mjaor", "C major"), ("in a miner's hut", None), ("Bb manor house", None), ("a motor hums", None),
     ("B-Dur", "Bb major"), ("h moll", "B minor"), ("Fis-Dur", "F# major"), ("Es-Dur, ruhig", "Eb major"), ("techno, f# min, dark", "F# minor"),
     ("jazz Bb", "Bb major"), ("A-flat piano", "Ab major"), ("Db rnb", "Db major"), ("F# techno", "F# major"), ("C piano", "C major"), ("A piano ballad", None), ("E piano", None), ("G funk", None), ("Bb trumpet solo", None),
     ("Eb alto sax", None), ("Dm groove", "D minor"), ("beat Gm", "G minor"), ("Em riff", "E minor"), ("Am jam", "A minor"), ("surf rock em 165", "E minor"), ("in Eb please", "Eb major"), ("klezmer in D freygish", "D major"),
     ("maqam hijaz on D, 80 bpm", "D major"), ('"Nocturne in Eb" for piano', "Eb major"), ('"Nocturne in Eb" for piano in D minor', "D minor")],
)  # fmt: skip
def test_reads_keys_of_other_tongues_and_places(prompt, key):
    stated = read_prompt(prompt)
    assert (str(stated.key) if stated.key else None) == key


@pytest.mark.parametrize(
    ("prompt", "said"),
    [("Bb trumpet solo", "'Bb trumpet' in the prompt names an instrument"), ("Em riff", "read as the key"), ("klezmer in D freygish", "'freygish'"), ("ii V I in all keys", "'in all keys'"), ("through all 12 keys", "12 keys"),
     ("chromatic harmony", "'chromatic'"), ("atonal piano", "'atonal'"), ("half time trap", "'half time'"), ("double-time swing", "'double-time'"), ("happy 120", "taken as 120 bpm"), ("100 beats", "taken as 100 bpm"),
     ("30s swing", "read as years"), ("long ambient track", "names no length"), ("short jingle", "names no length"), ("full song", "names no length"), ("radio length pop", "names no length"),
     ("dotted quarter = 116 in 6/8", "348 beats a minute, outside 20-300, and not taken; the beats are eighths: write at most 100 dotted quarters a minute, or a meter in quarters such as 2/4 at 116 bpm"),
     ("116 dotted quarters in 6/8", "348 beats"), ("quarter = 160 in 6/8", "write at most 150 quarters"), ("528 hz tones", "'528 hz'"), ("rit. at the end", "'rit'")],
)  # fmt: skip
def test_what_is_read_otherwise_is_noted(prompt, said):
    assert any(said in note for _, note in read_prompt(prompt).notes), read_prompt(prompt).notes


@pytest.mark.parametrize(
    "prompt", ["chromatic harmonica", "half time show", "long reverb", "short stabs", "Juno 106 pads", "Studio 54 disco", "blink 182", "top 40 pop", "synth 1985", "100 guitars", "a 5 piece band"]
)  # fmt: skip
def test_ordinary_words_and_numbers_are_not_noted(prompt):
    stated = read_prompt(prompt)
    assert not stated.notes and stated.tempo is stated.duration is None


@pytest.mark.parametrize(
    ("prompt", "chords"),
    [("ends on C, starts on Am", "Am C"), ("starts on Dm, goes to Bb, then F", "Dm Bb F"), ("from Em to C and back", "Em C"), ("ends on E7, begins on Am, goes to Dm", "Am Dm E7"), ("starts on Am. Goes to F. Ends on C.", "Am F C"),
     ("a song that ends on Em and starts with C then G", "C G Em"), ("first C then Am; ends in F", "C Am F"), ("last chord is C, first chord is F", "F C"), ("begins with G, then D, finally Em", "G D Em"),
     ("Dm vamp", "Dm"), ("Am7 vamp", "Am7"), ("pedal on A", "A"), ("one-chord jam on Am", "Am"), ("E vamp", "E"), ("pedal steel in E", None), ("dmaj9 -> gmaj7", "Dmaj9 Gmaj7"), ("e9 vamp", "E9"),
     ("alternating Cmaj7 and Fmaj7 every 2 bars", "Cmaj7 (2 bars) Fmaj7 (2 bars)")],
)  # fmt: skip
def test_reads_chords_told_in_order(prompt, chords):
    assert read_prompt(prompt).chords == chords


@pytest.mark.parametrize(
    ("prompt", "tempo", "meter", "duration"),
    [("30s pad", None, None, 30), ("the 30s, big band", None, None, None), ("80s synth", None, None, None), ("6 8 ballad", None, Meter(6, 8), None), ("waltz 3 4", None, Meter(3), None), ("1 2 3 4 count in", None, None, None),
     ("cut-time swing", None, Meter(2, 2), None), ("3/4-Takt", None, Meter(3), None), ("sax 280 bebop", 280, None, None), ("fast sax jazz 240 in Bb", 240, None, None), ("funk guitar 105 Em", 105, None, None),
     ("jazz waltz F 3/4 140", 140, Meter(3), None), ("lofi. 78. warm", 78, None, None), ("about one twenty bpm", 120, None, None), ("tempo ninety five", 95, None, None), ("60/min", 60, None, None), ("120, Am, dark", 120, None, None),
     ("60 dotted quarters a minute in 6/8", 180, Meter(6, 8), None), ("Am F C G,120bpm,rock,30secs", 120, None, 30), ("C G Am F,90bpm", 90, None, None), ("rock,120bpm,4/4", 120, Meter(4), None), ("rock,Em7,90bpm,3/4", 90, Meter(3), None),
     ("post rock crescendo, 6/8, 5 mins", None, Meter(6, 8), 300), ("10 min ambient", None, None, 600), ("crescendo, 20 seconds", None, None, 20), ("lofi beat 85bpm cmin 30s thx", 85, None, 30), ("85 bpm, 30s swing", 85, None, None),
     ("a min of jazz 80 bpm", 80, None, 60), ("half a min of jazz 80 bpm", 80, None, 30), ("1,5 min drone", None, None, 90)],
)  # fmt: skip
def test_reads_sloppy_numbers(prompt, tempo, meter, duration):
    stated = read_prompt(prompt)
    assert (stated.tempo, stated.meter, stated.duration) == (tempo, meter, duration)


@pytest.mark.parametrize(
    ("prompt", "key"),
    [("key: f#m, tempo: slow", "F# minor"), ("bpm: 90, key: am, genre: lofi", "A minor"), ("key - dm", "D minor"), ("key: bb, jazz", "Bb major"), ("tonality: em", "E minor"), ("pop ballad, key: g", "G major"),
     ("techno, gm, 130", "G minor"), ("sad piano, cm", "C minor"), ("lofi | am | 80", "A minor"), ("am, 90 bpm, lofi", "A minor"), ("synthwave - am - 100 bpm", "A minor"), ("key (am)", "A minor"), ("tonart: am", "A minor"), ("key: AM I right", None), ("E whole-tone", "E major"),
     ("rock in the key of a", "A major"), ("the tonic of a major key is major", None), ("C F (hold) G", None), ("the key: a good hook", None), ("parts a, b, c", None), ("option e, 120 bpm", None),
     ("harmonic minor, A, oriental", "A minor"), ("harmonic minor in A", "A minor"), ("minor, A, 90bpm", "A minor"), ("lofi, dorian in D", "D minor"), ("mixolydian, G, rock", "G major"),
     ("E phrygian dominant", "E major"), ("A blues scale", "A major"), ("C whole tone", "C major"), ("I bVII IV I, A, 120", "A major"), ("C# / Db major ballad", "Db major"),
     ("chill beat a min 75 BPM 4 bars plsss", "A minor"), ("lofi a min, 75 bpm", "A minor"), ("a min of jazz 75 bpm", None),
     ("resolve to the tonic C at the end", "C major"), ("just C", "C major"),
     ("A 120 BPM house track with pads.", None), ("A 90 bpm beat", None), ("A 128 bpm, four-on-the-floor track", None), ("A 174 bpm roller", None),
     ("A, 120 bpm", "A major"), ("reggae A 120 bpm with horns", "A major"), ("house in A, 128 bpm", "A major"), ("E 120 bpm", "E major")],
)  # fmt: skip
def test_reads_keys_out_of_place(prompt, key):
    stated = read_prompt(prompt).key
    assert (str(stated) if stated else None) == key


@pytest.mark.parametrize(
    ("prompt", "chords", "duration"),
    [("8 bars of Am F C G", "Am F C G", "8 bars"), ("4 bars of C G Am F", "C G Am F", "4 bars"), ("2 bars of C G", "C G", "2 bars"), ("two chords a bar: F G", "F (0.5 bars) G (0.5 bars)", None), ("each chord lasts 2 bars: C G", "C (2 bars) G (2 bars)", None), ("Am (4 bars) F C G", "Am (4 bars) F C G", None), ("8 bars C G", "C G", "8 bars"), ("loop 4 bars C G", "C G", "4 bars"),
     ("2 bars of C G Am F", "C (0.5 bars) G (0.5 bars) Am (0.5 bars) F (0.5 bars)", "2 bars"), ("loop C G Am F 4 bars", "C G Am F", "4 bars"), ("C and G chords, 8 bars", "C G", "8 bars"),
     ("C G Am F 2 bars", "C G Am F (2 bars)", None), ("Am F C G over 8 bars at 120", "Am (2 bars) F (2 bars) C (2 bars) G (2 bars)", "8 bars"), ("C G spread over 4 bars", "C (2 bars) G (2 bars)", "4 bars"),
     ("4 bars of C then 4 bars of G", "C (4 bars) G (4 bars)", None), ("intro 4 bars G, verse G D Em C", "G (4 bars) G D Em C", None), ("intro (4 bars): Am, verse: F C G Am", "Am (4 bars) F C G Am", None),
     ("verse (8 bars): Am F C G, chorus (8 bars): F G C Am", "Am F C G Am F C G F G C Am F G C Am", None), ("verse 4 bars C G Am F, chorus 4 bars F G C C", "C G Am F F G C C", None),
     ("8-bar verse Am F C G, 4-bar chorus F G C Am", "Am F C G Am F C G F G C Am", None), ("C G repeated", "C G", None), ("iv - I plagal minor in G", "iv I", None), ("one bar of Am, 60bpm, piano", "Am", "1 bars"), ("4 bars of Em7 at 80 bpm", "Em7", "4 bars"),
     ("Am for two bars then F for one and G for one, 80bpm", "Am (2 bars) F G", None), ("1maj7 6-7 2-7 5(7) in F", "1maj7 6-7 2-7 5(7)", None), ("stops at 20 seconds, C major", None, 20.0)],
)  # fmt: skip
def test_bars_beside_a_list_or_a_section_are_those_of_all_its_chords(prompt, chords, duration):
    stated = read_prompt(prompt)
    assert (stated.chords, stated.duration) == (chords, duration)


@pytest.mark.parametrize(
    ("prompt", "stated", "said"),
    [("piano in C, no wait, D", {"key": "D major"}, "'C' in the prompt is taken back"), ("piano in D. Actually make it E.", {"key": "E major"}, "'D'"), ("in C minor, sorry, I mean D", {"key": "D minor"}, "'C minor'"),
     ("bpm 90 no 100", {"tempo": 100}, "'90'"), ("120 bpm, sorry I meant 100", {"tempo": 100}, "'120 bpm'"), ("4/4, or rather 3/4", {"meter": "3/4"}, "'4/4'"), ("no drums, 120 bpm, in C", {"tempo": 120, "key": "C major"}, ""),
     ("ends with E major, Am G F", {"chords": "Am G F E"}, ""), ("last chord is E: Am G F", {"chords": "Am G F E"}, ""), ("final chord Em, prog C D G", {"chords": "C D G Em"}, ""),
     ("last chord C, Am F G", {"chords": "Am F G C"}, ""), ("ending C, chords Am F G", {"chords": "Am F G C"}, ""), ("finish on G. progression G C D", {"chords": "G C D G"}, ""), ("ends on C, G, Am, F", {"chords": "C G Am F"}, ""),
     ("ends with a C chord, Am F G", {"chords": "Am F G C"}, ""), ("the last chord should be C. Am F G", {"chords": "Am F G C"}, ""), ("chords Am F G, last chord C", {"chords": "Am F G C"}, ""), ("Am F C G ending in C", {"chords": "Am F C G C"}, ""),
     ("end on a D chord: chords G C D", {"chords": "G C D"}, ""), ("verse Am F, chorus C G, end on D", {"chords": "Am F C G D"}, ""), ("ends on a high note, C G Am F", {"chords": "C G Am F"}, ""), ("in Am. No, Dm.", {"key": "D minor"}, "'Am'"),
     ("La la la", {"chords": None}, ""), ("piano, end on C", {"chords": None}, "'end on C'"), ("Am/Cm chords", {"chords": "Am Cm"}, ""), ("C/E G/B Am", {"chords": "C/E G/B Am"}, ""), ("key of A, I mean Am", {"key": "A minor"}, "'A'"),
     ('"key": "am", "bpm": 90', {"key": "A minor", "tempo": 90}, ""), ("E/ A/ B/ A/", {"chords": "E A B A"}, ""), ("tempo halves from 160 to 80", {"tempo": 120}, "cannot change"),
     ("Dm/ F/ C/ G 80bpm", {"chords": "Dm F C G", "tempo": 80}, ""), ("Do Sol Lam Fa", {"chords": "C G Am F"}, "C G Am F"), ("do re mi song", {"chords": None}, ""), ("do sol la m fa", {"chords": "C G Am F"}, "C G Am F"), ("chords C# minor, C# minor", {"chords": "C#m C#m"}, ""),
     ("C G Am F but no F, use Dm instead", {"chords": "C G Am Dm"}, "'F'"), ("C G Am F, replace F with Dm", {"chords": "C G Am Dm"}, "'F'"), ("C G Am F, Dm instead of F", {"chords": "C G Am Dm"}, "'F'"),
     ("rock, 16 beats", {"duration": None}, "'16 beats'"), ("pickup of one beat then Am F C", {"chords": "Am F C"}, "'pickup'"), ("pentatonic flute", {"key": None}, "'pentatonic'"), ("dorian groove 100 bpm", {"key": None}, "'dorian'"), ("a d e rock", {"chords": "A D E"}, ""), ("a b c rock", {"chords": None}, ""),
     ("N.C. drum intro then Am F", {"chords": "Am F"}, "'N.C.'"), ("C G Am F but in minor", {"chords": "C G Am F", "key": None}, "'in minor'"), ("pedal point on C: C F/C G/C C", {"chords": "C F/C G/C C"}, ""),
     ("1564 in G", {"chords": "I V vi IV"}, "'1564'"), ("251 in Bb", {"chords": "ii V I"}, "'251'"), ("145 blues in E", {"chords": "I IV V", "tempo": None}, "'145'"), ("124 house in E", {"chords": None, "tempo": 124}, ""),
     ("rock from 1764 in G", {"chords": None}, ""), ("bpm120", {"tempo": 120}, ""), ("80 pbm", {"tempo": 80}, ""), ("at 12O bpm", {"tempo": 120}, ""), ("100bpm±5", {"tempo": 100}, ""), ("around the 120 mark", {"tempo": 120}, ""),
     ("swing feel at one-forty", {"tempo": 140}, ""), ("tempo doubles from 80 to 160", {"tempo": 120}, "cannot change"), ("free time", {"tempo": None}, "'free time'"), ("grave", {"tempo": 35}, ""), ("the grave digger", {"tempo": None}, ""),
     ("vivo", {"tempo": 150}, "Vivace"), ("rock en vivo", {"tempo": None}, ""), ("langsam, piano", {"tempo": 52}, "Lento"), ("rápido", {"tempo": 125}, "Allegro"), ("E frigio", {"key": "E minor"}, "")],
)  # fmt: skip
def test_what_is_said_out_of_place_is_read(prompt, stated, said):
    found = read_prompt(prompt)
    values = {name: getattr(found, name) for name in stated}
    assert {name: value if name in ("tempo", "chords") else value and str(value) for name, value in values.items()} == stated
    assert any(said in note for _, note in found.notes) or not said


def test_note_names_of_other_tongues_are_all_named_where_a_line_is_refused():
    with pytest.raises(InputError, match="write B; write F# for Fis, C# for Cis"):
        resolve("calm piano", chords="H Fis Am Cis")


@pytest.mark.parametrize(
    ("prompt", "part"),
    [("rock with a 4 bar drum intro", "4 bar drum intro"), ("one bar break before the chorus, pop", "one bar break"), ("piano with a bar of silence at the end", "a bar of silence"),
     ("piano with a break of 2 bars", "break of 2 bars"), ("2 bars of drums then piano", "2 bars of drums"), ("pop, stop for one bar", "stop for one bar"), ("8 bar solo", "8 bar solo"),
     ("16-bar verse then chorus", "16-bar verse"), ("first 8 bars calm, then 8 bars loud", "first 8 bars"), ("verse (8 bars), rock", "verse (8 bars)"), ("pop with a 10 second intro", "10 second intro"),
     ("pop and 3 seconds of silence at the end", "3 seconds of silence"), ("funk with a 2 bar drum fill", "2 bar drum fill"), ("pop, 4 bar pre-chorus", "4 bar pre-chorus"), ("4 bar count-in, rock", "4 bar count"),
     ("starts with 4 bars of drums", "starts with 4 bars"), ("drums enter after 8 bars", "after 8 bars"), ("a bar in Paris, accordion", None), ("a bar band playing rock", None)],
)  # fmt: skip
def test_the_length_of_a_part_is_not_that_of_the_clip_and_is_told(prompt, part):
    controls = resolve(prompt)
    assert controls.duration_s == 10.24 and any("length of a part" in note for note in controls.notes) == bool(part)
    assert part is None or any(f"'{part}' in the prompt is the length of a part" in note for note in controls.notes)


@pytest.mark.parametrize(
    ("prompt", "duration"),
    [("8 bars", 8), ("a 4 bar loop", 4), ("piano, 8 bars", 8), ("4 bars of Am", 4), ("12 bars of blues", 12), ("a 2 bar drum loop", 2), ("8 bars of piano", 8), ("8 bars piano solo", 8),
     ("piano solo for 8 bars", 8), ("rock, 8 bars with a 2 bar intro", 8), ("16 bars of piano then fade out", 16), ("8 bars, then repeat", 8), ("16 bar techno intro loop", 16), ("a 2 bar drum break", 2)],
)  # fmt: skip
def test_bars_of_the_whole_stay_its_length(prompt, duration):
    assert read_prompt(prompt).duration == f"{duration} bars"


@pytest.mark.parametrize(
    "prompt", ["Am for 2 bars then F for 2 bars", "2 bars C then 2 bars G", "intro 4 bars G, verse 8 bars Am F"]
)
def test_the_length_of_a_chord_is_that_of_no_part(prompt):
    assert not any("length of a part" in note for note in resolve(prompt).notes)


@pytest.mark.parametrize(
    ("prompt", "tempo", "said"),
    [("jazz at 100 then 140 bpm", 100, "'140 bpm'"), ("100 then 140 bpm", 100, "'140 bpm'"), ("100, then 140 bpm", 100, "'140 bpm'"), ("100 bpm then 140", 100, "'140'"),
     ("at 100 then 140", 100, "'140'"), ("techno 128 then 140", 128, "'140'"), ("first 90 then 120 then 150 bpm", 90, "'150 bpm'")],
)  # fmt: skip
def test_the_first_of_tempi_is_played_and_the_next_are_told(prompt, tempo, said):
    stated = read_prompt(prompt)
    assert stated.tempo == tempo and any(said in note and f"{tempo} bpm is played" in note for _, note in stated.notes)


@pytest.mark.parametrize(
    ("prompt", "key", "said"),
    [("jazz, E minor E major", "E minor", "'E major'"), ("C major then A minor", "C major", "'A minor'"), ("piano in C major then A minor", "C major", "'A minor'"), ("E minor to E major, strings", "E minor", "'E major'"),
     ("C major A minor piano", "C major", "'A minor'")],
)  # fmt: skip
def test_the_first_of_keys_is_played_and_the_next_is_told(prompt, key, said):
    stated = read_prompt(prompt)
    assert str(stated.key) == key and stated.chords is None
    assert any(f"{said} in the prompt is left out, as the key cannot change" in note for _, note in stated.notes)


@pytest.mark.parametrize(
    "prompt",
    [
        "C major and A minor",
        "alternate C major then A minor",
        "C major then A minor chords",
        "piano vamp C major A minor",
        "8 bars C major then A minor",
        "C major A minor repeated",
    ],
)
def test_chords_in_words_stay_chords(prompt):
    assert read_prompt(prompt).chords == "C Am"


@pytest.mark.parametrize(
    "prompt",
    [
        "Go-go groove with congas",
        "D and b piece",
        "d & b",
        "D n B",
        "D & B at 174 bpm",
        "Go Go",
        "a d and b track with reese bass",
        "Go-go in A minor",
    ],
)
def test_the_letters_of_a_style_are_no_chords(prompt):
    stated = read_prompt(prompt)
    assert stated.chords is None and stated.notes == ()


@pytest.mark.parametrize(
    ("prompt", "chords"),
    [
        ("chords D and B", "D B"),
        ("D and B vamp", "D B"),
        ("D and B", "D B"),
        ("Am D and B", "Am D B"),
        ("go-go chords", "Go Go"),
        ("A go-go song. The chords are C, F.", "C F"),
        ("G funk in Am", None),
    ],
)
def test_chord_words_beside_the_letters_of_a_style_ask_for_chords(prompt, chords):
    assert read_prompt(prompt).chords == chords


@pytest.mark.parametrize(
    ("prompt", "said"),
    [("strings, no chords", "no chords"), ("strings without any chords", "without any chords"), ("no melody or chords, piano", "no melody or chords"), ("no chord changes, piano", None),
     ("no power chords, rock", None), ("strings, chords: N", None), ("just drums, no chords", None)],
)  # fmt: skip
def test_no_chords_is_told_where_chords_sound(prompt, said):
    notes = [note for note in resolve(prompt).notes if "chords sound unless" in note]
    assert [note.startswith(f"'{said}' in the prompt is not played") for note in notes] == ([True] if said else [])
