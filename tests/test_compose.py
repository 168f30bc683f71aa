import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from conftest import needs_fluidsynth
from hypothesis import example, given, settings
from hypothesis import strategies as st

from musicbench import InputError
from musicbench.compose import QUICKEST_S, _events, arrange, caption, compose, describe, find_soundfont, plan, render
from musicbench.features import loudness_db
from musicbench.progression import Progression
from musicbench.styles import STYLES
from musicbench.theory import NO_CHORD, Chord, Key, Meter

seeds = st.integers(0, 10**6)


@settings(max_examples=100)
@given(seeds)
def test_plans_stay_in_bounds(seed):
    piece = plan(seed)
    assert 50 <= piece.bpm <= 200 and str(piece.meter) in ("2/4", "3/4", "4/4", "6/8")
    assert piece.progression.bars and (piece.comping or piece.groove != "none")
    assert all(sum(beats for _, beats in bar) == piece.meter.beats for bar in piece.progression.bars)
    assert piece == plan(seed)


def test_there_is_variety():
    pieces = [plan(s) for s in range(400)]
    assert len(STYLES) >= 20 and {p.style for p in pieces} == set(STYLES)
    assert len({(p.comping, p.bass, p.lead) for p in pieces}) > 200
    qualities = {c.quality for p in pieces for c in p.progression.chords}
    assert {"maj", "min", "7", "maj7", "min7", "sus4", "dim"} <= qualities
    assert any(c.bass is not None for p in pieces for c in p.progression.chords)
    assert 0.15 < np.mean([p.groove == "none" for p in pieces]) < 0.7


@settings(max_examples=60)
@given(seeds)
@example(142567)  # a syncopated bass, struck twice
def test_comping_plays_the_chord_and_the_bass_its_lowest_note(seed):
    piece = plan(seed)
    beats = 16
    notes = arrange(piece, beats)
    chords, times = piece.progression.lay_out(piece.bpm, beats * 60 / piece.bpm, whole=False)
    starts = np.round(np.array(times) * piece.bpm / 60, 4)

    def chord_at(beat):
        return chords[int(np.searchsorted(starts, beat + 1e-6)) - 1]

    for note in notes:
        assert 1 <= note.velocity <= 127 and 0 < note.pitch < 128 and note.beats > 0
        if note.part == "comping" and not piece.swing:
            assert note.pitch % 12 in chord_at(note.beat).pitch_classes
    if piece.bass:
        for start, chord in zip(starts, chords, strict=True):
            first = [n for n in notes if n.part == "bass" and abs(n.beat - start) < 1e-6]
            assert first[0].pitch % 12 == chord.lowest if chord.root is not None else not first


@settings(max_examples=60)
@given(seeds)
def test_melodies_use_chord_tones_on_long_strong_notes(seed):
    piece = plan(seed)
    if not piece.lead or piece.swing:
        return
    chords, times = piece.progression.lay_out(piece.bpm, 16 * 60 / piece.bpm, whole=False)
    starts = np.round(np.array(times) * piece.bpm / 60, 4)
    for note in arrange(piece, 16):
        if note.part == "lead" and note.beat % piece.meter.beats == 0 and note.beats > 0.9:
            chord = chords[int(np.searchsorted(starts, note.beat + 1e-6)) - 1]
            assert note.pitch % 12 in chord.pitch_classes


def test_some_pieces_have_breaks_and_some_are_for_drums_alone():
    pieces = [plan(seed) for seed in range(1000)]
    alone = [p for p in pieces if not p.comping]
    breaks = [p for p in pieces if p.comping and NO_CHORD in p.progression.chords]
    assert 10 < len(alone) < 40 < 60 < len(breaks) < 120
    assert not any(NO_CHORD in plan(p.seed, chords=Progression.parse("C G")).progression.chords for p in alone + breaks)
    for piece in alone:
        assert {note.part for note in arrange(piece, 16)} == {"drums"}
        assert re.search("drum|percussion", caption(describe(piece), np.random.default_rng(piece.seed)))
    for piece in breaks:
        beats = len(piece.progression.bars) * piece.meter.beats
        silent = {i for i, bar in enumerate(piece.progression.bars) if bar[0][0] == NO_CHORD}
        begun = {int(n.beat // piece.meter.beats) for n in arrange(piece, beats) if n.part != "drums"}
        assert 1 <= len(silent) <= max(2, (len(piece.progression.bars) + 1) // 2) and not silent & begun
    endings = [p for p in breaks if p.progression.bars[-1][0][0] == NO_CHORD != p.progression.bars[0][0][0]]
    assert len(endings) > 0.4 * len(breaks)


def test_some_pieces_change_chords_on_every_beat():
    quick = [p for p in map(plan, range(1000)) if any(len(bar) > 2 for bar in p.progression.bars)]
    assert 20 < len(quick) < 70 and any(len(bar) == 1 for p in quick for bar in p.progression.bars)
    for piece in quick:
        assert all(sum(beats for _, beats in bar) == piece.meter.beats for bar in piece.progression.bars)
        assert all(one[0] != other[0] for bar in piece.progression.bars for one, other in pairwise(bar))
        assert all(beats * 60 / piece.bpm >= QUICKEST_S for bar in piece.progression.bars for _, beats in bar)
        starts = {start for start, end, _ in _events(piece.progression, piece.bpm, 8) if end - start < 2}
        assert starts <= {round(n.beat, 4) for n in arrange(piece, 8) if n.part == "comping"}


def test_controls_replace_what_would_be_drawn():
    progression = Progression.parse("C#m7 | F#7", Meter(3))
    piece = plan(5, chords=progression, bpm=77.0, meter=Meter(3), key=Key("E"), style="jazz", lead_in=False)
    assert (piece.progression, piece.bpm, piece.meter, piece.key, piece.style) == (progression, 77.0, Meter(3), Key("E"), "jazz")
    with pytest.raises(InputError, match="unknown style 'polka'"):
        plan(1, style="polka")


def test_moods_follow_the_playing():
    calm = [p for p in map(plan, range(300)) if "calm" in describe(p)["moods"]]
    loud = [p for p in map(plan, range(300)) if "energetic" in describe(p)["moods"]]
    assert calm and loud
    assert np.mean([p.energy for p in calm]) < 0.4 < 0.6 < np.mean([p.energy for p in loud])


def test_busy_pieces_have_more_attacks_than_sparse_ones():
    def attacks(seed, density):
        return len({(note.part, note.beat) for note in arrange(replace(plan(seed), density=density), 32)})

    ratios = np.array([attacks(seed, 0.12) / attacks(seed, 0.88) for seed in range(100)])
    assert np.mean(ratios < 0.8) > 0.95 and np.mean(ratios) < 0.6


def test_missing_soundfont_is_named(monkeypatch):
    monkeypatch.setenv("MUSICBENCH_SOUNDFONT", "/nowhere/at/all.sf2")
    with pytest.raises(InputError, match="/nowhere/at/all.sf2"):
        find_soundfont()


@needs_fluidsynth
def test_a_seed_is_a_piece():
    first, again, other = compose(3, 3.0), compose(3, 3.0), compose(4, 3.0)
    assert np.array_equal(first.samples, again.samples) and first.labels() == again.labels() and first.caption == again.caption
    assert not np.array_equal(first.samples, other.samples)
    assert len(first.samples) == 72000 and np.abs(first.samples).max() <= 1


@needs_fluidsynth
def test_silence_makes_nothing_louder():
    def loudest(chords, seed):
        piece = plan(seed, chords=Progression.parse(chords, Meter(4)), bpm=100.0, meter=Meter(4), style="folk", lead_in=False)
        return np.quantile(loudness_db(render(piece, 9.6).samples, 24000), 0.9)

    assert np.median([loudest("C | G | N | N", seed) - loudest("C | G | C | G", seed) for seed in range(1, 6)]) < 0.5


@needs_fluidsynth
def test_sound_agrees_with_labels():
    """Chroma of the render matches the labelled chord better than it matches others; onsets fall on labelled beats."""
    import librosa

    hits = []
    for seed in range(6):
        clip = compose(seed, 8.0, 22050, chords=Progression.parse("C | F#m | Bb | E7"), bpm=100.0, lead_in=False)
        chroma = librosa.feature.chroma_cqt(y=clip.samples, sr=22050, hop_length=512)
        templates = [Chord.parse(c) for c in ("C", "F#m", "Bb", "E7")]
        for k, chord in enumerate(templates):
            middle = slice(int((k * 2.4 + 0.3) * 22050 / 512), int(min(k * 2.4 + 2.1, 7.9) * 22050 / 512))
            energy = chroma[:, middle].mean(axis=1)
            scores = [energy[list(c.pitch_classes)].sum() / len(c.pitch_classes) for c in templates]
            hits.append(templates[int(np.argmax(scores))] == chord)
    assert np.mean(hits) > 0.9


def test_what_is_no_soundfont_is_refused(tmp_path):
    (tmp_path / "passwd").write_text("root:x:0:0:root:/root:/bin/bash\n")
    with pytest.raises(InputError, match="passwd is no SoundFont"):
        find_soundfont(tmp_path / "passwd")


@needs_fluidsynth
def test_what_fluidsynth_cannot_play_is_refused(tmp_path, monkeypatch):
    import fluidsynth

    (tmp_path / "hollow.sf2").write_bytes(b"RIFF\x04\0\0\0sfbk")
    with pytest.raises(InputError, match="cannot load the SoundFont"):
        compose(3, 1.0, soundfont=tmp_path / "hollow.sf2")
    for rate in (7999, 96001):
        with pytest.raises(InputError, match="outside 8000-96000"):
            compose(3, 1.0, rate)
    monkeypatch.setattr(fluidsynth.Synth, "program_select", lambda *_: -1)
    with pytest.raises(InputError, match="no program"):
        compose(3, 1.0)
