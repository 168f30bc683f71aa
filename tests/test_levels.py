"""Copies are as loud as their originals, and no sample is clipped."""

import numpy as np
import pytest
from test_augment import RATE, tone

from musicbench.sound import augment
from musicbench.sound.audio import load_audio, save_audio
from musicbench.sound.clip import Clip
from musicbench.sound.features import loudness_db
from musicbench.sound.levels import below_full_scale, level
from musicbench.sound.master import loudness_of


def loud_music(seconds=4.0):
    """Square waves in chords under strokes of noise, driven into full scale: a stretcher raises such peaks by decibels."""
    rng, times = np.random.default_rng(0), np.arange(round(seconds * RATE)) / RATE
    wave = sum(np.sign(np.sin(2 * np.pi * hz * times)) for hz in (110, 220, 277.2, 329.6))
    strokes = rng.normal(size=len(times)) * np.exp(-12 * (times % 0.5))
    return np.clip(0.15 * wave + strokes, -1, 1).astype(np.float32)


STEPS = [{"transform": "pitch", "semitones": 3}, {"transform": "pitch", "semitones": -3}, {"transform": "tempo", "rate": 1.2}]


@pytest.mark.parametrize("step", STEPS)
def test_a_loud_copy_is_as_loud_as_its_original_and_not_clipped(step):
    original = Clip(loud_music(), RATE)
    raw = augment.apply(original, [step])
    assert np.abs(raw.samples).max() > 1.2  # else there is nothing to see
    copy, gain_db = level(raw, loudness_of(original.samples, RATE))
    assert abs(loudness_of(copy.samples, RATE) - loudness_of(original.samples, RATE)) < 0.5
    assert np.abs(copy.samples).max() <= 0.99 and copy.samples.dtype == np.float32
    assert abs(gain_db) < 6 and gain_db == round(gain_db, 2)


def test_the_limiter_moves_only_what_is_near_a_peak():
    samples = tone(seconds=1.0)
    samples[RATE // 2] = 3.0
    limited = below_full_scale(samples, RATE)
    assert np.abs(limited).max() <= 0.99
    far = np.abs(np.arange(RATE) - RATE // 2) > 0.025 * RATE
    np.testing.assert_array_equal(limited[far], samples[far])
    np.testing.assert_array_equal(below_full_scale(tone(), RATE), tone())


def test_an_original_above_full_scale_is_not_cut(tmp_path):
    samples = 1.5 * np.sin(2 * np.pi * 220 * np.arange(RATE) / RATE).astype(np.float32)
    save_audio(tmp_path / "x.flac", below_full_scale(samples, RATE), RATE)
    read = load_audio(tmp_path / "x.flac")[0]
    assert np.mean(np.abs(read) >= 32766 / 32768) == 0


def test_silence_and_a_copy_of_nothing_keep_their_level():
    silent, quiet = Clip(np.zeros(RATE, np.float32), RATE), Clip(0.01 * tone(), RATE)
    assert level(silent, -20.0)[1] == 0 and level(quiet, None)[1] == 0
    assert loudness_db(level(quiet, None)[0].samples, RATE).mean() == pytest.approx(loudness_db(quiet.samples, RATE).mean())
