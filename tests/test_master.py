"""Finished sound: properties of DC, true peaks, loudness and tails."""

import numpy as np
import pyloudnorm
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import resample_poly

from musicbench import InputError
from musicbench.sound.audio import save_audio
from musicbench.sound.master import (
    at_loudness,
    centred,
    check_loudness,
    check_tail,
    finished,
    limited,
    loudness_of,
    mastered,
    rung_out,
    true_peak_db,
)

RATE = 24000


def music(seed=0, seconds=3.0, peak=0.9, dc=0.0):
    """Struck tones and noise, two a second."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * RATE)) / RATE
    ages = time % 0.5
    tones = sum(np.sin(2 * np.pi * hz * time) for hz in rng.uniform(40, 2000, 4))
    wave = tones * np.exp(-4 * ages) + rng.standard_normal(len(time)) * np.exp(-80 * ages)
    return (peak * wave / np.abs(wave).max() + dc).astype(np.float32)


def other_peak_db(samples):
    """The true peak as another resampler finds it."""
    return 20 * np.log10(np.abs(resample_poly(np.asarray(samples, np.float64), 4, 1)).max())


def levels_db(samples, window_s=0.05):
    count = round(window_s * RATE)
    whole = samples[: len(samples) // count * count].reshape(-1, count).astype(np.float64)
    return 10 * np.log10(np.mean(whole**2, axis=1) + 1e-12)


@pytest.mark.slow
@given(st.integers(0, 99), st.floats(0.05, 3.0), st.floats(-0.2, 0.2), st.floats(0.5, 4.0))
def test_finished_sound_has_no_dc_and_true_peaks_below_the_ceiling(seed, peak, dc, seconds):
    wave, notes = finished(music(seed, seconds, peak, dc), RATE)
    assert wave.dtype == np.float32 and len(wave) == round(seconds * RATE) and notes == ()
    assert abs(wave.mean()) < 1e-5 and max(true_peak_db(wave), other_peak_db(wave)) <= -1
    assert abs(wave[0]) < 0.05 and wave[-1] == 0


def test_a_true_peak_lies_between_the_samples():
    wave = np.sin(2 * np.pi * 0.25 * np.arange(RATE) + np.pi / 4)  # its samples are all at 0.707
    assert true_peak_db(wave[1000:-1000] * np.hanning(len(wave) - 2000)) == pytest.approx(0, abs=0.1)
    assert true_peak_db(np.zeros(100)) == true_peak_db(np.zeros(0)) == -np.inf


def test_nothing_rings_before_an_attack():
    wave = np.zeros(RATE)
    wave[RATE // 2 :] = np.sin(2 * np.pi * 100 * np.arange(RATE // 2) / RATE)
    before = centred(wave, RATE)[: RATE // 2]
    assert np.abs(before).max() < 5e-3 and np.abs(np.diff(before)).max() < 1e-5  # the mean alone is taken off


def test_the_bass_stays_and_what_is_below_it_goes():
    time = np.arange(4 * RATE) / RATE
    for hz, low, high in ((3, -40, -25), (41, -0.2, 0), (1000, -0.01, 0.01)):
        wave = np.sin(2 * np.pi * hz * time)
        gain_db = 10 * np.log10(np.mean(centred(wave, RATE)[RATE:] ** 2) / np.mean(wave[RATE:] ** 2))
        assert low <= gain_db <= high, hz


def test_only_what_is_around_peaks_is_turned_down():
    wave = 0.3 * np.sin(2 * np.pi * 200 * np.arange(2 * RATE) / RATE)
    loud = wave.copy()
    loud[RATE - 300 : RATE + 300] *= 8
    strong = np.flatnonzero(np.abs(wave) > 0.2)
    gains = (limited(loud, RATE) / np.where(wave == 0, 1, loud))[strong]
    far = np.abs(strong - RATE) > 300 + 0.06 * RATE
    np.testing.assert_allclose(gains[far], 1, atol=2e-2)
    assert gains.min() == pytest.approx(10 ** (-1.2 / 20) / 2.4, rel=0.05)
    quiet = wave.astype(np.float32)
    assert np.array_equal(limited(quiet, RATE), quiet)


def test_what_is_louder_stays_louder():
    """Two takes that both reach full scale, one of them everywhere but for its peaks twice as loud."""
    quiet = 0.1 * np.random.default_rng(1).standard_normal(2 * RATE).clip(-3, 3)
    quiet[:: RATE // 2] = 1.5
    levels = [np.median(limited(wave, RATE) ** 2) for wave in (quiet, 2 * quiet)]
    assert levels[1] / levels[0] == pytest.approx(4, rel=0.2)


@pytest.mark.slow
@pytest.mark.parametrize("lufs", [-30, -20, -14.0])
@pytest.mark.parametrize("peak", [0.05, 0.9, 2.0])
def test_loudness_is_reached(lufs, peak):
    wave, note = at_loudness(music(2, 4.0, peak), RATE, lufs)
    assert note is None and true_peak_db(wave) <= -1
    assert pyloudnorm.Meter(RATE).integrated_loudness(wave.astype(np.float64)) == pytest.approx(lufs, abs=0.5)
    np.testing.assert_allclose(mastered(music(2, 4.0, peak), RATE, lufs).std(), wave.std(), rtol=0.02)


def test_a_loudness_that_would_squash_the_peaks_is_not_reached_and_told():
    clicks = 0.01 * music(3, 4.0)
    clicks[::RATE] = 0.9
    wave, note = at_loudness(clicks, RATE, -5.0)
    assert "not -5" in note and f"{loudness_of(wave, RATE):.1f} LUFS" in note and true_peak_db(wave) <= -1
    assert finished(clicks, RATE, lufs=-5.0)[1] and not finished(clicks, RATE)[1]


@pytest.mark.parametrize("samples", [np.zeros(0), np.zeros(2 * RATE), music(seconds=0.3), np.zeros(1), np.ones(5)])
def test_silence_and_the_shortest_clips_keep_their_loudness(samples):
    wave, (note,) = finished(samples, RATE, lufs=-14.0)
    assert len(wave) == len(samples) and np.isfinite(wave).all() and "stays as it was" in note
    assert len(mastered(samples, RATE)) == len(mastered(samples, RATE, None)) == len(samples)
    assert np.abs(wave).max(initial=0) <= np.abs(samples).max(initial=0) + 1e-6


@pytest.mark.parametrize("value", [-41, 0, "loud", float("nan"), True, [1], "-inf", 10**400])
def test_loudness_out_of_bounds_is_named(value):
    with pytest.raises(InputError, match="-40 to -5 LUFS; give a number such as -14"):
        check_loudness(value)
    assert check_loudness("-14") == -14.0 and check_loudness(None) is None


@pytest.mark.parametrize(
    ("value", "says"), [(-1, "0 to 10 s"), (11, "0 to 10 s"), ("x", "'x'"), ([1], "1"), (3, "13 s, above the model's 12")]
)
def test_a_tail_out_of_bounds_is_named(value, says):
    with pytest.raises(InputError, match=says):
        check_tail(value, 10.0, 12.0)
    assert check_tail("2", 10.0, 12.0) == 2.0 and check_tail(None, 12.0, 12.0) == 0 and check_tail(0, 12.0, 12.0) == 0


@pytest.mark.parametrize("tail_s", [0.1, 0.5, 2.0, 10.0])
def test_a_tail_decays_whatever_plays_in_it(tail_s):
    """Music that plays on as before, with an attack each half second."""
    wave = music(4, 3.0 + tail_s)
    out, _ = finished(wave, RATE, tail_s)
    first = round(3.0 * RATE)
    tail = levels_db(out[first:])
    if tail_s >= 0.5:
        assert np.diff(tail).max() < 6
    assert tail[-1] < levels_db(out[first - RATE : first]).max() - 35
    assert np.abs(out[-10:]).max() < 1e-3
    plain, _ = finished(wave[:first], RATE)
    np.testing.assert_allclose(out[1000 : first - RATE // 10], plain[1000 : first - RATE // 10], atol=0.02)


def test_a_ring_that_decays_by_itself_is_left_alone():
    time = np.arange(4 * RATE) / RATE
    wave = 0.5 * np.sin(2 * np.pi * 220 * time) * 10 ** (-40 / 20 * np.maximum(time - 2, 0))
    out = rung_out(wave, RATE, 2.0)
    assert np.array_equal(out[: 2 * RATE - 2000], wave[: 2 * RATE - 2000])
    np.testing.assert_allclose(levels_db(out)[41:70], levels_db(wave)[41:70], atol=1.5)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg"])
def test_written_files_keep_the_ceiling(tmp_path, suffix):
    for seed in range(3):
        path = tmp_path / f"x{seed}{suffix}"
        save_audio(path, mastered(music(seed, 2.0, 2.0), RATE, -8.0), RATE)
        again, _ = soundfile.read(path)
        assert true_peak_db(again) <= -1 and abs(again.mean()) < (1e-3 if suffix == ".ogg" else 1e-4)
