"""Plans stay in bounds, differ, and obey what is given."""

import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musicbench import InputError
from musicbench.compose.arranging import arrange, chord_events
from musicbench.compose.compose import caption, describe, plan
from musicbench.compose.harmony import QUICKEST_S
from musicbench.compose.instruments import INSTRUMENTS
from musicbench.compose.styles import STYLES
from musicbench.music.chords import NO_CHORD
from musicbench.music.keys import Key
from musicbench.music.meters import Meter
from musicbench.music.progression import Progression

seeds = st.integers(0, 10**6)
PIECES = [plan(seed) for seed in range(1500)]


@pytest.mark.slow
@settings(max_examples=100)
@given(seeds)
def test_plans_stay_in_bounds(seed):
    piece = plan(seed)
    assert 50 <= piece.bpm <= 300 and str(piece.meter) in ("2/4", "3/4", "4/4", "5/4", "5/8", "6/8", "7/8")
    assert piece.progression.bars and (piece.voices or piece.drums)
    assert all(sum(beats for _, beats in bar) == piece.meter.beats for bar in piece.progression.bars)
    assert piece.style == "drone" or all(voice.sound.parts for voice in piece.voices), (
        "what sounds no note, or another one, is not drawn"
    )
    assert len(piece.fonts) == len(piece.voices) + 1 and piece == plan(seed)


def test_there_is_variety():
    assert {p.style for p in PIECES} == set(STYLES)
    assert len({(p.comping, p.bass, p.lead) for p in PIECES}) > 700
    assert len({voice.sound.kind for p in PIECES for voice in p.voices}) > 90
    qualities = {c.quality for p in PIECES for c in p.progression.chords}
    assert {"maj", "min", "7", "maj7", "min7", "sus4", "dim"} <= qualities
    assert any(c.bass is not None for p in PIECES for c in p.progression.chords)
    assert 0.25 < np.mean([p.drums is None for p in PIECES]) < 0.6
    assert {p.form.name for p in PIECES} == {"whole", "intro", "build-up", "drop-out", "ending"}
    assert {p.feel for p in PIECES} == {"even", "triplet"} and any(p.meter == Meter(7, 8) for p in PIECES)
    assert 0.15 < np.mean([p.mixed for p in PIECES]) < 0.35
    assert {font for p in PIECES for font in p.fonts} == {"FluidR3_GM", "MuseScore_General", "TimGM6mb"}


def test_some_play_alone_or_in_twos():
    alone = [p for p in PIECES if len({v.instrument for v in p.voices}) == 1 and not p.drums]
    assert 0.04 < len(alone) / len(PIECES) < 0.25
    assert len({p.voices[0].sound.kind for p in alone}) > 40
    two = [p for p in PIECES if len(p.voices) == 2 and not p.drums]
    assert 0.05 < len(two) / len(PIECES) < 0.4


@pytest.mark.slow
def test_some_pieces_have_breaks_and_some_are_for_drums_alone():
    alone = [p for p in PIECES if not p.voices]
    breaks = [p for p in PIECES if p.voices and NO_CHORD in p.progression.chords and p.form.name == "whole"]
    assert 0.01 < len(alone) / len(PIECES) < 0.06 < len(breaks) / len(PIECES) < 0.12
    assert not any(NO_CHORD in plan(p.seed, chords=Progression.parse("C G")).progression.chords for p in (alone + breaks)[:60])
    for piece in alone:
        assert {note.part for note in arrange(piece, 16)} == {"drums"}
        words = caption(describe(piece), np.random.default_rng(piece.seed))
        assert re.search("drum|percussion|taiko|brushes|tom|909|808", words), words
    for piece in breaks:
        beats = len(piece.progression.bars) * piece.meter.beats
        silent = {i for i, bar in enumerate(piece.progression.bars) if bar[0][0] == NO_CHORD}
        begun = {int((n.beat + 1e-3) // piece.meter.beats) for n in arrange(piece, beats) if n.part != "drums" and n.beats > 0.2}
        assert 1 <= len(silent) <= max(2, (len(piece.progression.bars) + 1) // 2) and not silent & begun
    endings = [p for p in breaks if p.progression.bars[-1][0][0] == NO_CHORD != p.progression.bars[0][0][0]]
    assert len(endings) > 0.4 * len(breaks)


@pytest.mark.slow
def test_some_pieces_end_and_ring_and_some_begin_with_drums():
    ending = [p for p in PIECES if p.form.name == "ending"]
    first = [p for p in PIECES if p.form.name == "intro" and p.progression.bars[0][0][0] == NO_CHORD]
    assert 0.03 < len(ending) / len(PIECES) < 0.12 and 0.005 < len(first) / len(PIECES) < 0.05
    for piece in ending:
        final, beats = piece.form.final_bar, piece.meter.beats
        notes = arrange(piece, (final + 3) * beats)
        assert all(note.beat < (final + 1) * beats for note in notes)
        chords = [bar[0][0] for bar in piece.progression.bars]
        assert chords[final] != NO_CHORD and set(chords[final + 1 :]) == {NO_CHORD}
    for piece in first[:10]:
        assert all(note.part == "drums" for note in arrange(piece, piece.meter.beats))


def test_some_pieces_change_chords_on_every_beat():
    quick = [p for p in PIECES if any(len(bar) > 2 for bar in p.progression.bars)]
    assert 0.015 < len(quick) / len(PIECES) < 0.07 and any(len(bar) == 1 for p in quick for bar in p.progression.bars)
    for piece in quick:
        assert all(one[0] != other[0] for bar in piece.progression.bars for one, other in pairwise(bar))
        assert all(beats * 60 / piece.bpm >= QUICKEST_S for bar in piece.progression.bars for _, beats in bar)
        if piece.comping and not piece.swing:
            starts = {start for start, end, chord in chord_events(piece, 8) if end - start < 2}
            begun = {round(note.beat, 4) for note in arrange(piece, 8) if note.part == "chords"}
            assert all(any(abs(start - beat) < 0.01 for beat in begun) for start in starts)


def test_controls_replace_what_would_be_drawn():
    progression = Progression.parse("C#m7 | F#7", Meter(3))
    piece = plan(5, chords=progression, bpm=77.0, meter=Meter(3), key=Key("E"), style="jazz", lead_in=False)
    assert (piece.progression, piece.bpm, piece.meter, piece.key, piece.style) == (progression, 77.0, Meter(3), Key("E"), "jazz")
    assert {plan(seed, style=("salsa", "samba")).style for seed in range(20)} == {"salsa", "samba"}
    with pytest.raises(InputError, match="unknown style 'yodel'"):
        plan(1, style="yodel")


def test_chords_that_are_given_are_played():
    progression = Progression.parse("C | F#m | Bb | E7")
    for seed in range(150):
        piece = plan(seed, chords=progression, bpm=100.0, meter=Meter(), lead_in=False)
        assert piece.comping or all(voice.part != "bass" for voice in piece.voices), piece.voices
        assert piece.comping, piece.voices


@pytest.mark.slow
def test_styles_sound_as_they_should():
    for name, drums in (("a cappella", False), ("chamber music", False), ("techno", True), ("salsa", True)):
        pieces = [p for p in (plan(seed, style=name) for seed in range(60)) if not p.mixed]
        assert np.mean([bool(p.drums) for p in pieces]) < 0.1 if not drums else np.mean([bool(p.drums) for p in pieces]) > 0.75
    voices = {v.sound.kind for p in (plan(s, style="a cappella") for s in range(40)) for v in p.voices}
    assert voices <= {"choir", "singer"}
    sevens = [plan(seed, style="balkan").meter for seed in range(40)]
    assert sevens.count(Meter(7, 8)) > 10


@pytest.mark.slow
def test_moods_follow_the_playing():
    calm = [p for p in PIECES[:500] if "calm" in describe(p)["moods"]]
    loud = [p for p in PIECES[:500] if "energetic" in describe(p)["moods"]]
    assert calm and loud
    assert np.mean([p.energy for p in calm]) < 0.4 < 0.6 < np.mean([p.energy for p in loud])


@pytest.mark.slow
def test_busy_pieces_have_more_attacks_than_sparse_ones():
    def attacks(piece, density):
        return len({(note.part, round(note.beat, 2)) for note in arrange(replace(piece, density=density), 32)})

    ratios = np.array([attacks(piece, 0.12) / attacks(piece, 0.88) for piece in PIECES[:150] if piece.form.name == "whole"])
    assert np.mean(ratios < 0.85) > 0.8 and np.mean(ratios) < 0.7


@pytest.mark.slow
def test_four_pieces_of_a_style_differ_in_rhythm():
    def pattern(piece):
        sounds = np.zeros(64)
        for note in arrange(piece, 16):
            sounds[min(int(round(note.beat * 4)), 63)] += note.velocity * (1.0 if note.drum else 0.5)
        return sounds

    medians = []
    for name in STYLES:
        pieces = [plan(seed, style=name, meter=Meter()) for seed in range(500, 512)]
        patterns = [pattern(p) for p in pieces if p.form.name == "whole" and p.voices][:4]
        medians.append(np.median([np.corrcoef(a, b)[0, 1] for i, a in enumerate(patterns) for b in patterns[:i]]))
    assert np.median(medians) < 0.6 and np.mean(np.array(medians) < 0.7) > 0.85


@pytest.mark.slow
def test_instruments_stay_in_their_range():
    for piece in PIECES[:300]:
        for note in arrange(piece, 16):
            if note.part == "lead":
                sound = piece.voices[note.voice].sound
                assert sound.low <= note.pitch <= sound.high + 12, (piece.seed, sound.name)
    assert INSTRUMENTS["violin"].low == 55
