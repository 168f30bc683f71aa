"""What is written obeys the chords, the meter and the form."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from musicbench.compose.arranging import arrange, chord_events, sounding, voicing
from musicbench.compose.pieces import Form, Plan, Voice
from musicbench.compose.planning import plan
from musicbench.music.chords import Chord
from musicbench.music.keys import Key
from musicbench.music.meters import Meter
from musicbench.music.progression import Progression

seeds = st.integers(0, 10**6)


def chord_at(piece, beats):
    events = chord_events(piece, beats)
    return lambda beat: next(c for s, e, c in events if s - 1e-3 <= beat < e - 1e-3)


@pytest.mark.slow
@settings(max_examples=80)
@given(seeds)
@example(142567)
def test_chords_hold_nothing_but_chord_notes_and_the_bass_begins_with_the_lowest(seed):
    piece = replace(plan(seed), swing=0.0)
    beats, at = 16, chord_at(replace(plan(seed), swing=0.0), 17)
    first = {}
    for note in arrange(piece, beats):
        assert 1 <= note.velocity <= 127 and 0 < note.pitch < 128 and note.beats > 0
        if note.drum:
            continue
        chord = at(note.beat)
        if note.part == "chords":
            assert note.pitch % 12 in chord.pitch_classes
        if note.part == "bass":
            start = next(s for s, e, c in chord_events(piece, 17) if s - 1e-3 <= note.beat < e - 1e-3)
            if note.beat - start < 0.5:  # else the voice comes in while the chord sounds
                first.setdefault((note.voice, start), (note.pitch, chord))
    assert all(pitch % 12 == chord.lowest for pitch, chord in first.values())


@pytest.mark.slow
@settings(max_examples=60)
@given(seeds)
def test_melodies_use_chord_notes_on_long_strong_notes_and_do_not_rub(seed):
    piece = replace(plan(seed), swing=0.0)
    at, rubs, notes = chord_at(piece, 17), 0, [n for n in arrange(piece, 16) if n.part == "lead" and n.beats > 0.3]
    for note in notes:
        tones = at(note.beat).pitch_classes
        if note.beat % piece.meter.beats == 0 and note.beats > 0.9:
            assert note.pitch % 12 in tones
        rubs += note.pitch % 12 not in tones and bool({(note.pitch + 1) % 12, (note.pitch - 1) % 12} & set(tones))
    assert rubs <= 0.02 * len(notes)


@pytest.mark.slow
@pytest.mark.parametrize("style", ["raga", "gamelan", "gagaku", "techno", "drone", "chamber music", "salsa", "balkan"])
def test_what_sounds_longest_is_the_chord(style):
    """At any time the notes that sound are of the chord, but for a few that pass."""
    inside = []
    for seed in range(12):
        piece = plan(seed, style=style)
        at = chord_at(replace(piece, swing=0.0), 17)
        for note in arrange(piece, 16):
            if not note.drum:
                inside += [(note.beats, note.pitch % 12 in at(min(note.beat + 0.01, 16.9)).pitch_classes)]
    lengths, right = np.transpose(inside)
    assert np.sum(lengths * right) / np.sum(lengths) > 0.88


def test_voicings_move_little():
    first = voicing(Chord.parse("C"), None, 60.0)
    second = voicing(Chord.parse("F"), first, 60.0)
    assert {p % 12 for p in second} == {5, 9, 0} and max(abs(a - b) for a, b in zip(first, second, strict=True)) <= 5


def made(**changes):
    voices = (Voice("chords", "piano", "quarters"), Voice("bass", "fingered bass", "roots"), Voice("lead", "flute", "melody"))
    base = Plan(
        1, "pop", Key("C"), Meter(), 120.0, Progression.parse("C | G | Am | F"), voices, "rock", "standard", density=0.5, loose=0.1
    )
    return replace(base, **changes)


def test_a_form_lets_parts_enter_and_leave():
    piece = made(form=Form("intro", {1: 1, 2: 2, "drums": 2}, ((1, 3, 4),)))
    bars = {who: {int(n.beat // 4) for n in arrange(piece, 24) if n.part == who} for who in ("chords", "bass", "drums")}
    assert bars["chords"] == {0, 1, 2, 3, 4, 5} and bars["bass"] == {1, 2, 4, 5} and min(bars["drums"]) == 2


def test_an_ending_rings_for_its_bar():
    silence = " | N" * 12
    piece = made(progression=Progression.parse("C | G | C" + silence), form=Form("ending", final_bar=2))
    notes = arrange(piece, 24)
    last = [note for note in notes if note.beat >= 8]
    assert {note.part for note in last} >= {"chords", "bass", "drums"} and max(note.beat for note in notes) < 8.2
    assert all(note.beats > 3.5 for note in last if note.part in ("chords", "bass"))


def test_a_build_up_gets_denser():
    piece = made(form=Form("build-up", build=(1, 3)))
    snares = [[n for n in arrange(piece, 16) if n.drum == "snare" and n.beat // 4 == bar] for bar in (1, 2)]
    assert len(snares[0]) < len(snares[1]) and not [n for n in arrange(piece, 16) if n.drum == "kick" and n.beat // 4 == 2]


def test_swing_delays_the_second_of_two():
    straight, swung = (arrange(made(swing=s, swing_step=0.5), 16) for s in (0.0, 0.33))
    assert len(straight) == len(swung)
    late = {round(b.beat - a.beat, 3) for a, b in zip(straight, swung, strict=True) if a.beat % 1 == 0.5}
    assert late <= {0.165} and all(a.beat == b.beat for a, b in zip(straight, swung, strict=True) if a.beat % 1 == 0)


@pytest.mark.slow
@given(seeds)
@settings(max_examples=30)
def test_soundings_begin_around_the_clip(seed):
    piece = plan(seed)
    notes = sounding(piece, 6.0)
    assert all(-piece.before_s - 0.05 <= one.start_s < 6.0 and one.end_s > one.start_s for one in notes)
    assert [one.note for one in sounding(piece, 6.0)] == [one.note for one in notes]
