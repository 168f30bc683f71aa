"""The evaluation of words: what is drawn, how it is judged; the probe hears what a composed clip plays."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import needs_fluidsynth, resolve
from test_embeddings import needs_musicnn

from musicbench.compose.compose import render
from musicbench.compose.pieces import Voice
from musicbench.compose.styles import MOODS
from musicbench.hearing.heard import Heard
from musicbench.music.chords import NO_CHORD
from musicbench.music.progression import Progression
from mustango.__main__ import main
from mustango.evaluate import words
from mustango.evaluate.probe import Probe, measures, tone
from mustango.evaluate.testsets import DURATION_S
from mustango.evaluate.word_cases import (
    INSTRUMENTS,
    PAIRS,
    contradictions,
    control_wins,
    drums_asked,
    instrument_cases,
    mood_cases,
    only_drums_heard,
    silences,
)
from mustango.evaluate.words import repetition, words_markdown


@pytest.mark.slow
def test_instruments_are_asked_equally_often():
    cases = instrument_cases(3, 12)
    assert sorted(piece.comping for _, piece in cases) == sorted(INSTRUMENTS * 2)
    assert all(piece.comping in case.prompt for case, piece in cases)
    assert [c.prompt for c, _ in instrument_cases(3, 6)] != [c.prompt for c, _ in instrument_cases(4, 6)]


@pytest.mark.parametrize(
    ("prompt", "asked"),
    [("piano pop with drums", True), ("A tune; there are no drums.", False), ("organ, without drums", False), ("calm harp", None),
     ("percussion and flute", True)],
)  # fmt: skip
def test_drums_asked(prompt, asked):
    assert drums_asked(prompt) is asked


def test_moods_differ_in_one_word_and_one_field():
    for moods, (less, low), (more, high) in mood_cases(3, 2):
        field = PAIRS[moods][0]
        assert less.controls == more.controls and less.seed == more.seed and 86 <= less.controls["tempo"] <= 109
        words = [set(case.prompt.split()) for case in (less, more)]
        assert len(words[0] - words[1]) == len(words[1] - words[0]) == 1
        assert (words[0] - words[1]).pop() in MOODS[moods[0]] and (words[1] - words[0]).pop() in MOODS[moods[1]]
        assert {name for name in vars(low) if getattr(low, name) != getattr(high, name)} == {field}


@pytest.mark.slow
def test_chords_fit_at_every_tempo():
    cases = [case for _, *pair in mood_cases(7, 12) for case, _ in pair] + [case for case, *_ in contradictions(7, 40)]
    for case in cases:
        laid = resolve(case.prompt, **case.controls, duration=DURATION_S)
        assert laid.bpm == case.controls["tempo"]


def test_a_contradiction_is_won_by_what_is_heard():
    for case, piece, what, gainsaid in contradictions(3, 8):
        if what == "tempo":
            beats = {bpm: Heard(beat_times=tuple(np.arange(0, DURATION_S, 60 / bpm))) for bpm in (case.controls["tempo"], gainsaid)}
            assert str(gainsaid) in case.prompt
            won, lost = beats[case.controls["tempo"]], beats[gainsaid]
        else:
            laid = [p.lay_out(case.controls["tempo"], DURATION_S) for p in (piece.progression, gainsaid)]
            won, lost = (Heard(chords=tuple(chords), chord_times=tuple(times)) for chords, times in laid)
        assert control_wins(case, piece, what, gainsaid, won) == 1
        assert control_wins(case, piece, what, gainsaid, lost) == 0
        assert control_wins(case, piece, what, gainsaid, Heard()) == 0


@pytest.mark.slow
def test_silences_are_asked_as_a_user_would():
    drawn = silences(3, 6)
    assert sorted(what for _, _, what in drawn) == ["a break"] * 6 + ["drums alone"] * 6
    for case, piece, _ in drawn:
        asked = resolve(case.prompt, **case.controls, duration=DURATION_S)
        laid = piece.progression.lay_out(piece.bpm, DURATION_S, whole=False)
        assert (list(asked.chords), asked.bpm, asked.meter) == (laid[0], piece.bpm, piece.meter)
        np.testing.assert_allclose(asked.chord_times, laid[1], atol=1e-5)
        assert NO_CHORD in asked.chords and ("chords" in case.controls) == bool(piece.comping)


@pytest.mark.slow
@needs_fluidsynth
def test_silences_are_heard():
    right = []
    for _, piece, _ in silences(3, 4):
        band = replace(
            piece, progression=Progression.parse("C"), voices=(Voice("chords", "drawbar organ", "sustained"),), groove="none"
        )
        right.append(only_drums_heard(piece, tone(render(piece, DURATION_S, 24000).samples, 24000)))
        assert only_drums_heard(piece, tone(render(band, DURATION_S, 24000).samples, 24000)) == 0
    assert np.mean(right) >= 0.5


def test_measures_follow_the_sound():
    rate, rng = 16000, np.random.default_rng(0)
    t = np.arange(4 * rate) / rate
    low, high = (np.sin(2 * np.pi * f * t).astype(np.float32) * 0.1 for f in (200, 3000))
    assert measures(high, rate)["spectral centroid"] > measures(low, rate)["spectral centroid"]
    assert measures(2 * low, rate)["loudness"] - measures(low, rate)["loudness"] == pytest.approx(6.02, abs=0.01)
    clicks = [np.where(np.arange(len(t)) % (rate // a_second) < 200, rng.normal(0, 0.3, len(t)), 0) for a_second in (1, 4)]
    assert (
        measures(clicks[1].astype(np.float32), rate)["onsets a second"]
        > 2 * measures(clicks[0].astype(np.float32), rate)["onsets a second"]
    )


def test_repetition_is_seen():
    rng = np.random.default_rng(0)
    takes = rng.normal(size=(6, 20))
    trips = takes + 0.01 * rng.normal(size=takes.shape)
    assert repetition(takes, trips)["alike"] == 0
    takes[3] = 2 * takes[1]
    found = repetition(takes, trips)
    assert found["alike"] == 1 and found["closest"] == pytest.approx(0, abs=1e-9)


@pytest.mark.slow
@needs_fluidsynth
@needs_musicnn
def test_a_probe_tells_piano_from_organ():
    from mustango.evaluate.probe import timbre

    cases = [(c, p) for c, p in instrument_cases(3, 180) if p.comping in ("piano", "organ")]
    kinds = [[case for case in cases if case[1].comping == kind] for kind in ("piano", "organ")]
    cases = [case for both in zip(*kinds, strict=True) for case in both]
    sounds = [timbre(render(piece, 6.0, 24000).samples, 24000) for _, piece in cases]
    names, drums = [p.comping for _, p in cases], [p.groove != "none" for _, p in cases]
    drums[0] = not drums[1]  # both kinds, whatever was drawn
    probe = Probe(sounds[:44], names[:44], drums[:44])
    right = [probe.right(s, n, None)["instrument"] for s, n in zip(sounds[44:], names[44:], strict=True)]
    assert len(right) == 16 and np.mean(right) >= 0.7


def test_the_table_names_every_row():
    mean = {"value": 0.5, "low": 0.4, "high": 0.6, "n": 8}
    report = {
        "setup": {"model": "m", "weights": "w", "steps": 20, "guidance": 3.0, "seed": 7},
        "rows": [{"what": "drums", "model": mean, "composed": mean | {"value": 1.0}}],
        "repetition": {"takes": 2, "closest": 0.1, "median": 0.2, "own round trip": 0.01, "alike": 0},
    }
    text = words_markdown(report)
    assert "| drums | 0.500 [0.400, 0.600] N=8 | 1.000" in text and "50.0 %" in text and "0.1000" in text


@pytest.mark.parametrize("count", ["0", "7"])
def test_too_few_words_are_refused(count, tmp_path, capsys):
    assert main(["evaluate", "--words", count, "-o", str(tmp_path / "out")]) == 2
    assert f"{count} clips of words are too few; give 8 or more" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [["--set", "composed:8"], ["--audio", "."], ["--limit", "3"], ["--words-only"], ["--judges", "madmom"], ["--columns", "model"],
     ["--embedding", "none"], ["--dropped", "5"], ["--real", "."], ["--compare", "a", "b"]],
)  # fmt: skip
def test_options_that_words_have_no_use_for_are_refused(arguments, tmp_path, capsys):
    assert main(["evaluate", "--words", "8", "-o", str(tmp_path / "out"), *arguments]) == 2
    err = capsys.readouterr().err
    assert "beside --" in err and err.count("\n") == 1 and not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_made_is_refused(tmp_path, capsys, monkeypatch):
    for name in ("find_soundfont", "musicnn", "madmom"):
        monkeypatch.setattr(words, name, lambda *_: None)
    (tmp_path / "file").touch()
    assert main(["evaluate", "--words", "8", "-o", str(tmp_path / "file" / "out")]) == 2
    err = capsys.readouterr().err
    assert "cannot make the folder" in err and err.count("\n") == 1
