"""What the judges hear in chords and clicks that are known. Those not installed are skipped, with the reason."""

import os
import subprocess
import sys

import numpy as np
import pytest

from musicbench import InputError
from musicbench.music.chords import Chord
from musicbench.music.keys import Key
from musicbench.music.meters import Meter
from musicbench.music.progression import beat_grid
from mustango.hear.judges import JUDGES, is_silent, load_judge
from mustango.hear.metrics import Target, clip_scores

RATE, BPM = 24000, 120
CHORDS = ("C", "F", "G7", "C", "Am", "Dm", "G7", "C")  # half a bar of two beats each would blur: one each 2 s


def installed(name):
    try:
        return load_judge(name)
    except InputError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def target():
    beats, positions = beat_grid(BPM, Meter(4, 4), 16.0)
    chords = tuple(map(Chord.parse, CHORDS))
    return Target(
        duration_s=16.0,
        beat_times=tuple(beats),
        beat_positions=tuple(positions),
        bpm=float(BPM),
        chords=chords,
        chord_times=tuple(2.0 * i for i in range(8)),
        key=Key("C", "major"),
    )


@pytest.fixture(scope="module")
def sound(target):
    """Each chord struck on every beat with its bass, a click of noise on the beats, a lower one on the first of a bar."""
    t, rng = np.arange(round(RATE * target.duration_s)) / RATE, np.random.default_rng(0)
    out = np.zeros_like(t)
    for onset, position in zip(target.beat_times, target.beat_positions, strict=True):
        after = np.clip(t - onset, 0, None) * (t >= onset)
        chord = target.chords[int(onset // 2)]
        pitches = [36 + chord.root] + [60 + (pc - 0) % 12 for pc in chord.pitch_classes]
        envelope = (t >= onset) * (t < onset + 0.5) * np.exp(-2 * after)
        for pitch in pitches:
            hz = 440 * 2 ** ((pitch - 69) / 12)
            out += 0.08 * envelope * sum(np.sin(2 * np.pi * hz * k * after) / k**1.5 for k in range(1, 5))
        if position == 1:
            out += 0.9 * (t >= onset) * np.exp(-40 * after) * np.sin(2 * np.pi * 60 * after)
        out += 0.15 * (t >= onset) * np.exp(-120 * after) * rng.normal(size=t.size)
    return (out / np.abs(out).max() * 0.8).astype(np.float32)


@pytest.mark.slow
@pytest.mark.parametrize("name", JUDGES)
def test_hears_known_music(name, target, sound):
    judge = installed(name)
    heard = judge(sound, RATE)
    scores = clip_scores(target, heard, judge.hears)
    if "chords" in judge.hears:
        assert scores["majmin"] > 0.8, scores
    if "beats" in judge.hears:
        assert scores["tempo Acc2"] == 1 and scores["AMLt"] > 0.8, scores
    if "key" in judge.hears:
        assert scores["CKD"] == 1, scores
    assert judge.name and judge.licence and set(judge.hears) <= {"beats", "downbeats", "chords", "key"}


@pytest.mark.slow
@pytest.mark.parametrize("name", JUDGES)
def test_hears_the_same_a_tone_higher_played_a_tone_higher(name, target, sound):
    import librosa

    judge = installed(name)
    if "chords" not in judge.hears:
        pytest.skip("hears no chords")
    higher = librosa.effects.pitch_shift(sound, sr=RATE, n_steps=2)
    moved = Target(duration_s=16.0, chords=tuple(c.transposed(2) for c in target.chords), chord_times=target.chord_times)
    assert clip_scores(moved, judge(higher, RATE), ("chords",))["root"] > 0.7


@pytest.mark.parametrize("name", ["librosa", "madmom"])
def test_silence_and_noise_break_nothing(name):
    judge = installed(name)
    for quiet in (np.zeros(RATE * 3, np.float32), np.full(RATE * 3, 0.5, np.float32)):
        heard = judge(quiet, RATE)
        assert len(heard.beat_times) == len(heard.beat_positions) or not heard.beat_positions


def test_silence_is_told_from_sound(sound):
    assert is_silent(np.zeros(1000, np.float32), RATE) and is_silent(np.zeros(0, np.float32), RATE)
    assert is_silent(1e-5 * sound, RATE) and not is_silent(sound, RATE)


def test_unknown_and_missing_judges(monkeypatch):
    with pytest.raises(InputError, match="choose from madmom"):
        load_judge("ears")
    monkeypatch.setattr("mustango.hear.judges.find_spec", lambda name: None)
    for name in ("chordino", "essentia"):
        with pytest.raises(InputError, match="pip install"):
            JUDGES[name]()


@pytest.mark.slow
def test_one_process_compiles_all_of_librosa_that_is_used(tmp_path):
    """After `compile_librosa` on an empty cache, neither judging nor measuring compiles anything more."""
    script = """
import os
from pathlib import Path

import numpy as np

from mustango.hear.judges import Librosa, compile_librosa
from mustango.evaluate.probe import measures

def kept():
    return {path.name for path in Path(os.environ["NUMBA_CACHE_DIR"]).rglob("*.nbi")}

compile_librosa()
first = kept()
noise = np.random.default_rng(1).normal(0, 0.1, 48000).astype(np.float32)
Librosa()(noise, 24000)
measures(noise, 24000)
assert first and kept() == first, (first, kept() - first)
"""
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", script], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
