"""A song's own captions in copies: every fact moved as the labels are, all else as it was written."""

import sys

import numpy as np
import pytest
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st

from musicbench.build.moved_captions import moved_caption
from musicbench.music.annotation import Annotation
from musicbench.music.keys import Key
from musicbench.music.meters import Meter

sys.path.insert(0, str(ROOT / "benchmarks"))
import own_captions

HEARD = Annotation(bpm=120.0, key=Key("C"), meter=Meter(4, 4))
PITCH = [{"transform": "pitch", "semitones": 2}]
TEMPO = [{"transform": "tempo", "rate": 1.2}]
SWELL = [{"transform": "dynamics", "kind": "decrescendo", "where": "end", "turn_s": 4.2, "floor": 0.2}]


@pytest.mark.slow
def test_own_captions_survive_in_every_copy():
    rng = np.random.default_rng(0)
    for text in own_captions.CAPTIONS:
        for step in own_captions.draw_steps(rng):
            assert own_captions.fault(text, own_captions.labels_of(text), step) is None, (text, step)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(["pitch", "tempo", "dynamics"]))
def test_what_a_grammar_draws_survives(seed, kind):
    rng = np.random.default_rng(seed)
    text = own_captions.drawn(rng)
    step = next(step for step in own_captions.draw_steps(rng) if step["transform"] == kind)
    assert own_captions.fault(text, own_captions.labels_of(text), step) is None, (text, step)


@pytest.mark.parametrize(
    ("steps", "before", "after"),
    [
        (TEMPO, "A metal song at 180 beats per minute.", "A metal song at 216 beats per minute."),
        (TEMPO, "A techno track at 128 has claps.", "A techno track at 154 has claps."),
        (TEMPO, "An allegro for strings, 120 BPM.", "A vivace for strings, 144 BPM."),
        (TEMPO, "Upbeat funk, one hundred and ten bpm.", "Upbeat funk, 132 bpm."),
        (TEMPO, "The drums enter at 0:06 and a guitar at 3 seconds.", "The drums enter at 0:05 and a guitar at 2.5 seconds."),
        (TEMPO, "A 10-second clip at 100 bpm.", "A clip at 120 bpm."),
        (TEMPO, "It lasts 10 seconds and is in 4/4 time.", "It is in 4/4 time."),
        (TEMPO, "An 80s hit recorded at 96 kHz. It is loud.", "An 80s hit recorded at 96 kHz. It is loud."),
        (TEMPO, "It grows louder until midway.", "It grows louder until 4.2 seconds."),
        ([{"transform": "tempo", "rate": 0.8}], "A bell at 9 seconds, and a drum at 4 seconds.", "A drum at 5 seconds."),
        (PITCH, "In e flat minor, with Gm7/Bb and C chords.", "In f minor, with Am7/C and D chords."),
        (PITCH, "A waltz in B♭ major.", "A waltz in C major."),
        (PITCH, "An A minor groove.", "A B minor groove."),
        (PITCH, "It modulates from C to D.", "It modulates from D to E."),
        (PITCH, "A C-G-Am loop. R&B with a Hammond B3.", "A D-A-Bm loop. R&B with a Hammond B3."),
        (PITCH, "It is tuned to A=440, the hum is at 60 Hz.", "It is tuned to A=494, the hum is at 67 Hz."),
        (PITCH, "A major hit in a minor key. Plan B. A Bb clarinet.", "A major hit in a minor key. Plan B. A Bb clarinet."),
        (PITCH, "Sonata No. 14 in C# minor. It is sad.", "Sonata No. 14. It is sad."),
        (PITCH, "A dark beat, Camelot 8A.", "A dark beat, Camelot 10A."),
        (SWELL, "A soft harp with a crescendo until 5 seconds.", "A soft harp with a decrescendo from 4.2 seconds on."),
        (SWELL, "A harp builds up to a climax, in D.", "A harp grows softer from 4.2 seconds on, in D."),
        (SWELL, "The volume rises steadily until 3 seconds.", "The volume falls from 4.2 seconds on."),
        (SWELL, "A harp at a constant volume. It is sad.", "It is sad."),
        (SWELL, "A loud song. It fades out.", "A loud song. It grows softer from 4.2 seconds on."),
        (SWELL, "A slow fade in at the start, then a bell in C.", "A bell in C."),
        (SWELL, "An orchestral swell in D at 3 seconds.", "An orchestral decrescendo in D from 4.2 seconds on."),
        (SWELL, "It begins softly and slowly becomes louder, with violins.", "It grows softer from 4.2 seconds on, with violins."),
        (SWELL, "Violins play louder and louder until 7 seconds in C.", "Violins grow softer from 4.2 seconds on in C."),
        (TEMPO, "A soul track, 80 beats a minute, in Eb.", "A soul track, 96 beats a minute, in Eb."),
        (PITCH, "A drone on Bb, then Db.", "A drone on C, then Eb."),
        ([*PITCH, *TEMPO], "In G at 100 bpm.", "In A at 120 bpm."),
        ([], "In G at 100 bpm, 5 seconds.", "In G at 100 bpm, 5 seconds."),
        (PITCH, "", ""),
    ],
)  # fmt: skip
def test_facts_move_and_the_rest_stays(steps, before, after):
    assert moved_caption(before, HEARD, steps) == after


def test_tempo_words_go_by_the_dotted_beat():
    jig = Annotation(bpm=195.0, meter=Meter(6, 8))  # 65 dotted beats: Adagio; 78 are Andante
    assert moved_caption("An adagio in 6/8.", jig, TEMPO) == "An andante in 6/8."
    assert moved_caption("A slow jig.", jig, [{"transform": "tempo", "rate": 2.0}]) == "A fast jig."
    assert moved_caption("A slow jig.", jig, TEMPO) == "A slow jig."


@pytest.mark.parametrize("step", [{"transform": "pitch", "semitones": 2}, {"transform": "tempo", "rate": 1.1},
                                  {"transform": "dynamics", "kind": "crescendo", "where": "start", "turn_s": 3.4, "floor": 0.2}])  # fmt: skip
def test_no_caption_stays_none(step):
    assert moved_caption("", Annotation(), [step]) == ""
    assert moved_caption("A calm tune.", Annotation(), [step]) == "A calm tune."
