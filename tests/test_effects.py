"""Effects: neutral settings give the input back, lengths and loudness are kept, each does what its name says."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musicbench.synth.distortion import CURVES, shaped_by
from musicbench.synth.effects import EFFECTS, apply
from musicbench.synth.filters import coloured, low_response, moved_filter, read_at
from musicbench.synth.reverbs import ROOMS, impulse_response

RATE = 24000
TIMED = dict(bpm=120, hits_s=(0.0, 0.5, 1.0, 1.5))
NOISY = {"tape", "vinyl"}
NEUTRAL = {  # the parameters at which an effect gives back its input; for the others that is no mix
    "vibrato": {"cents": 0.0}, "tremolo": {"depth": 0.0}, "compressor": {"ratio": 1.0}, "side chain": {"depth": 0.0}, "fade": {},
    "gate": {"depth": 0.0}, "noise gate": {"floor_db": 0.0}, "vinyl": {"crackle": 0.0, "wow_cents": 0.0, "top_hz": None},
    "tape": {"saturation_db": 0.0, "wow_cents": 0.0, "flutter_cents": 0.0, "hiss": 0.0, "top_hz": None},
    **{name: {"hz": None} for name in ("low pass", "high pass", "band pass", "underwater")},
}  # fmt: skip


def generator(seed=0):
    return np.random.default_rng(seed)


def music(seconds=2.0, seed=0):
    """Struck tones and noise, four a second."""
    rng, time = generator(seed), np.arange(round(seconds * RATE)) / RATE
    ages = time % 0.25
    tones = sum(np.sin(2 * np.pi * hz * time) for hz in (110, 220.5, 331, 880, 2640))
    wave = tones * np.exp(-6 * ages) + rng.standard_normal(len(time)) * np.exp(-40 * ages)
    return (0.3 * wave / np.abs(wave).max()).astype(np.float32)


def tone(hz, seconds=2.0, level=0.2):
    return (level * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE)).astype(np.float32)


def sent(name, wave, seed=0, rate=RATE, **parameters):
    return apply([(name, parameters)], wave, rate, generator(seed), **TIMED)


def spectrum(wave):
    return np.abs(np.fft.rfft(wave * np.hanning(len(wave)))) / (len(wave) / 4)


def levels(wave, window_s=0.01):
    count = round(window_s * RATE)
    return np.sqrt((wave[: len(wave) // count * count].reshape(-1, count).astype(np.float64) ** 2).mean(axis=1))


@pytest.mark.slow
@pytest.mark.parametrize("name", EFFECTS)
def test_neutral_settings_give_the_input_back(name):
    wave = music()
    np.testing.assert_array_equal(sent(name, wave, **NEUTRAL.get(name, {"mix": 0.0})), wave)


@pytest.mark.slow
@pytest.mark.parametrize("name", EFFECTS)
def test_an_effect_is_clean_exact_and_repeatable(name):
    wave = music()
    for rate in (8000, 24000, 96000):
        out = sent(name, wave, 1, rate)
        assert out.dtype == np.float32 and out.shape == wave.shape and np.isfinite(out).all()
        assert abs(out.mean()) < 1e-3 and 0.2 < out.std() / wave.std() < 2.0
        np.testing.assert_array_equal(out, sent(name, wave, 1, rate))
    if name not in ("fade", "noise gate", "stutter"):  # that stutters later
        assert (sent(name, wave) - wave).std() > 0.03 * wave.std()
    longer = apply([name], wave, RATE, generator(), **TIMED, tail_s=0.51)
    assert len(longer) == len(wave) + round(0.51 * RATE)


@pytest.mark.slow
@pytest.mark.parametrize("name", EFFECTS)
def test_silence_stays_silent_and_short_clips_short(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for count in (0, 1, 2, 50, 3000):
            out = sent(name, np.zeros(count, np.float32))
            assert len(out) == count and (name in NOISY or not out.any())
            assert np.isfinite(sent(name, np.full(count, 0.1, np.float32))).all()
        assert np.isfinite(apply([name], music(), RATE, generator())).all()  # no tempo, no hits


@pytest.mark.slow
@settings(max_examples=20)
@given(st.lists(st.sampled_from(sorted(EFFECTS)), max_size=5), st.integers(0, 99), st.sampled_from([60.0, 133.3, None]))
def test_any_chain_holds(chain, seed, bpm):
    out = apply(chain, music(1.0, seed), RATE, generator(seed), bpm=bpm, hits_s=(0.2,))
    assert len(out) == RATE and np.isfinite(out).all() and np.abs(out).max() < 5


# -- bent ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("curve", CURVES)
def test_a_curve_is_followed_where_the_wave_is_slow(curve):
    wave = 2 * np.sin(2 * np.pi * 20 * np.arange(RATE) / RATE)
    np.testing.assert_allclose(shaped_by(wave, curve)[1:], CURVES[curve][0](0.5 * (wave[1:] + wave[:-1])), atol=2e-3)


@pytest.mark.parametrize("name", ["overdrive", "distortion", "metal", "fuzz", "saturation"])
def test_distortion_adds_harmonics_keeps_loudness_and_folds_little_back(name):
    wave = tone(1250.0)
    out = sent(name, wave)
    assert out.std() == pytest.approx(wave.std(), rel=0.05)
    power = spectrum(out) ** 2
    hz = np.arange(len(power)) / 2
    assert power[(hz > 3700) & (hz < 3800)].sum() > 1e-5 * power.sum()
    beside = np.abs(hz / 1250 - np.round(hz / 1250)) > 0.02
    assert power[beside].sum() < 10**-3.5 * power.sum()
    plain = np.sign(wave)  # the same without care
    assert spectrum(np.where(plain == 0, 1, plain))[beside].max() > 10 * spectrum(out / out.std())[beside].max()


def test_drive_does_not_depend_on_how_loud_the_input_is():
    wave = music()
    np.testing.assert_allclose(sent("distortion", 0.01 * wave), 0.01 * sent("distortion", wave), atol=2e-5)


def test_a_cabinet_cuts_above_five_kilohertz():
    hiss = 0.1 * generator().standard_normal(2 * RATE).astype(np.float32)
    power = spectrum(sent("cabinet", hiss)) ** 2
    hz = np.arange(len(power)) / 2
    assert power[(hz > 7000) & (hz < 11000)].mean() < 0.03 * power[(hz > 500) & (hz < 3000)].mean()
    assert np.argmax(np.abs(coloured(np.eye(1, 500)[0], RATE, ((100, 1.0), (8000, 0.5))))) < 3  # without delay


def test_bits_are_counted():
    wave = tone(100.0, 1.0, 1.0)
    assert len(np.unique(sent("bitcrusher", wave, bits=3, hold_hz=None))) <= 9
    held = sent("bitcrusher", wave, bits=None, hold_hz=3000.0)
    assert (np.diff(held) == 0).mean() == pytest.approx(7 / 8, abs=0.02)


# -- moved --------------------------------------------------------------------------------------------------------------


def test_a_moving_filter_that_does_nothing_gives_the_input_back():
    wave = music(1.1)
    for rate in (8000, 24000, 96000):
        np.testing.assert_allclose(moved_filter(wave, rate, lambda hz, times: np.ones((len(times), hz.shape[1]))), wave, atol=1e-6)


def test_a_moving_filter_that_stands_is_the_filter():
    out = moved_filter(tone(2000.0), RATE, lambda hz, times: low_response(hz, 1000.0, 0.7) + 0 * times)
    assert out[RATE // 2 : RATE].std() / tone(2000.0).std() == pytest.approx(abs(low_response(2000.0, 1000.0, 0.7)), rel=0.05)


def test_a_sweep_opens():
    hiss = 0.1 * generator().standard_normal(2 * RATE).astype(np.float32)
    out = sent("filter sweep", hiss, hz=(200.0, 9000.0))
    assert levels(out, 0.25)[-1] > 3 * levels(out, 0.25)[0]
    swung = levels(sent("filter lfo", hiss, beats=1.0), 0.125)  # half a second a beat
    assert min(swung[2::4]) > 1.5 * max(swung[4::4])


def test_reading_between_samples():
    wave = tone(500.0)
    places = np.arange(1000, 20000) + 0.37
    np.testing.assert_allclose(read_at(wave, places), 0.2 * np.sin(2 * np.pi * 500 * places / RATE), atol=1e-4)
    assert not read_at(wave, np.array([-10.0, -5.5, len(wave) + 3.2])).any()


@pytest.mark.slow
def test_vibrato_swings_by_the_cents_asked():
    import librosa

    out = sent("vibrato", tone(440.0, 3.0), hz=4.0, cents=40.0)
    found = librosa.pyin(out, fmin=300, fmax=600, sr=RATE, frame_length=1024, hop_length=256, resolution=0.02)[0][20:-20]
    cents = 1200 * np.log2(found / 440)
    assert np.nanmax(cents) == pytest.approx(40, abs=8) and np.nanmin(cents) == pytest.approx(-40, abs=8)


def test_chorus_and_phaser_colour_and_tremolo_keeps_time():
    for name in ("chorus", "flanger", "phaser"):
        hiss = 0.1 * generator().standard_normal(2 * RATE).astype(np.float32)
        assert (sent(name, hiss) - hiss).std() > 0.2 * hiss.std()
    level = levels(sent("tremolo", tone(1000.0), beats=0.5, depth=0.8))  # four a second
    assert np.argmax(np.abs(np.fft.rfft(level - level.mean()))) == 8
    assert level.min() == pytest.approx(0.2 * level.max(), rel=0.15)


def test_echoes_come_in_tempo():
    click = np.zeros(2 * RATE, np.float32)
    click[100] = 1
    out = sent("delay", click, beats=0.75, feedback=0.5, mix=0.5)  # 120 bpm: 0.375 s
    for number in (1, 2, 3):
        place = 100 + round(number * 0.375 * RATE)
        assert np.argmax(np.abs(out[place - 50 : place + 50])) == pytest.approx(50, abs=6)
    peaks = [np.abs(out[round(n * 0.375 * RATE) :][:1000]).max() for n in (1, 2, 3)]
    assert peaks[0] > peaks[1] > peaks[2] > 0


@pytest.mark.parametrize("kind", ROOMS)
def test_rooms_decay_as_long_as_they_say(kind):
    response = impulse_response(kind, 1.0, RATE, 1)
    assert np.sum(response**2) == pytest.approx(1, rel=1e-3) and np.isfinite(response).all()
    if kind in ("gated", "reverse"):
        return
    energy = np.cumsum(response[::-1].astype(np.float64) ** 2)[::-1]
    decay_db = 10 * np.log10(energy / energy[0])
    first, last = np.flatnonzero(decay_db < -5)[0], np.flatnonzero(decay_db < -25)[0]
    t60_s = 3 * (last - first) / RATE
    assert ROOMS[kind].high_t60_s * 0.5 < t60_s < ROOMS[kind].t60_s * 1.3


def test_high_frequencies_fade_first_and_the_tail_rings():
    response = impulse_response("cathedral", 1.0, RATE, 0)
    early, late = (spectrum(piece) ** 2 for piece in (response[:RATE], response[2 * RATE : 3 * RATE]))
    assert late[4000:].sum() / late[:1000].sum() < 0.1 * early[4000:].sum() / early[:1000].sum()
    out = apply([("hall reverb", {"mix": 0.5})], music(0.5), RATE, generator(), tail_s=1.0)
    assert out[int(0.6 * RATE) :].std() > 1e-4 and abs(out[-1]) < 1e-2


# -- loudness -----------------------------------------------------------------------------------------------------------


def test_the_side_chain_ducks_at_the_kicks():
    level = levels(sent("side chain", tone(1000.0, 2.2), depth=0.9)) / levels(tone(1000.0, 2.2))
    for hit_s in TIMED["hits_s"]:
        place = round(hit_s * 100)
        assert level[place + 1] < 0.25 and level[place + 40] > 0.95
    assert level[-10:] == pytest.approx(1, abs=0.01)
    assert (sent("side chain", tone(300.0), depth=0.5, beats=None, release_s=0.1)).std() > level.mean() * 0.1


def test_a_compressor_evens_out():
    loud_and_soft = np.concatenate([tone(500.0, 1.0, 0.5), tone(500.0, 1.0, 0.05)])
    level = levels(sent("compressor", loud_and_soft, threshold_db=-20.0, ratio=4.0))
    assert 20 * np.log10(level[50] / level[180]) == pytest.approx(20 - 15, abs=2.5)
    assert level[50] == pytest.approx(0.5 / 2**0.5, rel=0.1)


def test_gate_and_stutter_keep_the_tempo():
    level = levels(sent("gate", tone(1000.0), pattern="x...", beats=0.25, length=1.0), 0.0625)
    assert all((level[i] > 0.1) == (i % 8 < 2) for i in range(32))
    wave = music(2.0)
    out = sent("stutter", wave, every_beats=2.0, length_beats=1.0, slice_beats=0.25)
    piece = 3000  # an eighth of a second
    np.testing.assert_array_equal(out[:12000], wave[:12000])
    np.testing.assert_allclose(out[12100 : 12000 + piece - 100], out[12100 + piece : 12000 + 2 * piece - 100], atol=1e-6)


# -- media --------------------------------------------------------------------------------------------------------------


def test_media_are_as_narrow_as_they_should_be():
    hiss = 0.1 * generator().standard_normal(2 * RATE).astype(np.float32)
    for name, low_hz, high_hz in (("telephone", 250, 4500), ("underwater", 0, 900)):
        power = spectrum(sent(name, hiss)) ** 2
        hz = np.arange(len(power)) / 2
        assert power[(hz > low_hz) & (hz < high_hz)].sum() > 0.97 * power.sum(), name


def test_tape_wavers_and_vinyl_crackles():
    out = sent("tape", tone(1000.0, 3.0), wow_cents=15.0, hiss=0.0)
    power = spectrum(out) ** 2
    assert power[2997:3004].sum() < 0.9 * power.sum() and power[2950:3051].sum() > 0.97 * power.sum()
    quiet = sent("vinyl", np.zeros(4 * RATE, np.float32), crackle=1.0)
    assert np.abs(quiet).max() > 10 * quiet.std() > 0
