"""Measured sound and the words that it allows."""

from dataclasses import replace

import numpy as np
import pytest

from musicbench.hearing import sound_facts
from musicbench.hearing.sound_facts import CLEAR, SoundFacts, measured, place_in_song, sound_words

RATE = 24000
TIMES = np.arange(6 * RATE) / RATE
MIDDLE = SoundFacts(loudness_lufs=-20.5, range_db=10.0, onsets_per_s=3.0, brightness_hz=900.0, brightness=0.0, density=0.0)


def strokes(a_second, hz=440.0, gain=0.3):
    """Decaying tones, so many a second."""
    after = TIMES % (1 / a_second)
    return (gain * np.exp(-12 * after) * np.sin(2 * np.pi * hz * after)).astype(np.float32)


def test_numbers_follow_the_sound():
    few, many, high, soft = (measured(x, RATE) for x in (strokes(1), strokes(5), strokes(5, 3000.0), strokes(5, gain=0.03)))
    assert few.onsets_per_s == pytest.approx(1, abs=0.4) and many.onsets_per_s == pytest.approx(5, abs=0.5)
    assert many.density > few.density and few.range_db > many.range_db
    assert high.brightness_hz == pytest.approx(3000, rel=0.1) and many.brightness_hz == pytest.approx(440, rel=0.1)
    assert many.loudness_lufs - soft.loudness_lufs == pytest.approx(20, abs=0.1)
    for name in ("onsets_per_s", "brightness_hz", "range_db"):
        assert many.row()[name] == pytest.approx(soft.row()[name], rel=0.02), "but for the loudness, the level counts for nothing"
    assert soft.brightness == pytest.approx(many.brightness, abs=0.1) and soft.density == pytest.approx(many.density, abs=0.3)


def test_other_rates_silence_and_moments_are_measured():
    import soxr

    there, again = measured(strokes(4), RATE), measured(soxr.resample(strokes(4), RATE, 44100), 44100)
    assert again.onsets_per_s == there.onsets_per_s and again.brightness == pytest.approx(there.brightness, abs=0.3)
    for samples in (np.zeros(RATE, np.float32), np.zeros(10, np.float32), strokes(4)[:100]):
        assert all(np.isfinite(value) for value in measured(samples, RATE).row().values())
    assert sound_words(measured(np.zeros(RATE, np.float32), RATE)) == ()


def test_a_word_is_said_where_its_number_is_clear():
    assert sound_words(MIDDLE) == ()
    for word, name in (("dark", "brightness"), ("bright", "brightness"), ("sparse", "density"), ("busy", "density")):
        beyond = CLEAR[word] * 1.01
        assert sound_words(replace(MIDDLE, **{name: beyond})) == (word,)
        assert sound_words(replace(MIDDLE, **{name: CLEAR[word] * 0.99})) == ()
        song = [replace(MIDDLE, **{name: -3 * beyond})] * 3
        assert sound_words(replace(MIDDLE, **{name: beyond}), song) == (), "the song says otherwise"
    assert sound_words(replace(MIDDLE, loudness_lufs=-19.0)) == ("energetic",)
    assert sound_words(replace(MIDDLE, loudness_lufs=-23.0)) == ("calm",)
    assert sound_words(replace(MIDDLE, loudness_lufs=-19.0, onsets_per_s=1.0)) == ()


def test_how_mastered_music_is_played_shows_beside_its_song():
    """All of it is loud: that makes it not energetic, and a soft part of it is calm."""
    song = [replace(MIDDLE, loudness_lufs=-10.0)] * 4
    assert sound_words(song[0], song) == ()
    assert sound_words(replace(song[0], onsets_per_s=5.0), song) == ("energetic",)
    soft = replace(MIDDLE, loudness_lufs=-17.5)
    assert sound_words(soft, [*song, soft]) == ("calm",) and place_in_song(soft, [*song, soft]) == "quiet"
    assert place_in_song(song[0], [*song, soft]) is None and place_in_song(soft, [soft] * 2) is None
    assert place_in_song(replace(MIDDLE, loudness_lufs=-5.0), song) == "loud"


def test_a_faster_copy_has_more_attacks():
    assert MIDDLE.scaled(1.2) == replace(MIDDLE, onsets_per_s=3.6) and MIDDLE.scaled(1.0) == MIDDLE


def test_tables_fit_what_is_measured():
    power, levels_db, _ = sound_facts.analysed(strokes(2), RATE)
    for table, numbers in (
        (sound_facts.BRIGHTNESS, sound_facts.band_levels(strokes(2), RATE)),
        (sound_facts.DENSITY, sound_facts.attack_numbers(power, levels_db)),
    ):
        assert {len(table[name]) for name in ("means", "scales", "weights")} == {len(numbers)} and any(table["weights"])
