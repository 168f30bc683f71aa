"""Drum machines and noises: bands and decays of each drum, exact times, chokes, the same from the same generator."""

import numpy as np
import pytest

from musicbench.synth.drum_machines import KITS, LEVELS, OTHER_LEVEL, PERCUSSION, drum_of, hit, play_kit
from musicbench.synth.noises import NOISES, make_noise

RATE = 24000
CORE = "kick snare rim clap closed_hat pedal_hat open_hat ride crash tom_low tom_mid tom_high".split()
ASKED = (
    "shaker tambourine cowbell clave conga_low conga_high bongo_low bongo_high djembe_slap tabla_na tabla_ge cajon_low surdo_low \
timbale_high agogo_low guiro_long cabasa taiko".split()
)
DRUMS = sorted({*PERCUSSION, *KITS["808"]})


def generator(seed=0):
    return np.random.default_rng(seed)


def power(wave):
    return np.abs(np.fft.rfft(wave)) ** 2, np.fft.rfftfreq(len(wave), 1 / RATE)


def share(wave, low_hz, high_hz):
    """How much of the energy lies in a band."""
    spectrum, hz = power(wave)
    return spectrum[(hz >= low_hz) & (hz < high_hz)].sum() / spectrum.sum()


def centre_hz(wave):
    spectrum, hz = power(wave)
    return (spectrum * hz).sum() / spectrum.sum()


def decay_s(wave, by_db=20.0):
    """Until when the level is within so many dB of its highest."""
    level = np.sqrt(np.convolve(wave**2, np.ones(240) / 240, "same"))
    return np.flatnonzero(level > level.max() * 10 ** (-by_db / 20))[-1] / RATE


@pytest.mark.slow
@pytest.mark.parametrize("kit", KITS)
def test_every_kit_has_every_drum_clean_and_repeatable(kit):
    assert set(CORE) <= set(KITS[kit]) and set(ASKED) <= set(PERCUSSION)
    for drum in DRUMS:
        for rate in (8000, 24000, 96000):
            wave = hit(kit, drum, 0.9, rate, generator(2))
            assert wave.dtype == np.float32 and len(wave) == round(drum_of(kit, drum).length_s * rate) and np.isfinite(wave).all()
            assert abs(wave.sum()) / rate < 1e-3 and abs(wave[-1]) < 1e-3
            assert np.abs(wave).max() == pytest.approx(LEVELS.get(drum, OTHER_LEVEL) * 0.9**1.3, rel=1e-3)
        np.testing.assert_array_equal(wave, hit(kit, drum, 0.9, 96000, generator(2)))
        assert np.abs(wave[-960:]).max() < 0.15 * np.abs(wave).max(), drum  # it has faded


@pytest.mark.slow
@pytest.mark.parametrize("kit", [kit for kit in KITS if kit not in ("chip", "hand percussion")])
def test_drums_lie_in_their_bands(kit):
    kick, snare, closed, opened, crash = (
        hit(kit, drum, 0.9, RATE, generator(1)) for drum in ("kick", "snare", "closed_hat", "open_hat", "crash")
    )
    assert share(kick, 25, 200) > 0.75 and centre_hz(kick) < 250
    assert share(closed, 3000, 12000) > 0.85 and share(crash, 1500, 12000) > 0.8
    assert kit == "cinematic" or share(snare, 400, 12000) > 0.15
    assert decay_s(opened) > 2.5 * decay_s(closed) and decay_s(crash) > 2 * decay_s(snare)
    toms = [np.argmax(power(hit(kit, drum, 0.9, RATE, generator(1)))[0]) / decided for drum, decided in lengths(kit)]
    assert toms[0] < toms[1] < toms[2] < 450


def lengths(kit):
    return [(drum, drum_of(kit, drum).length_s) for drum in ("tom_low", "tom_mid", "tom_high")]


def test_the_808_rings_and_the_606_does_not():
    assert decay_s(hit("808", "kick", 0.9, RATE, generator())) > 2.5 * decay_s(hit("606", "kick", 0.9, RATE, generator()))
    wave = hit("808", "kick", 0.9, RATE, generator())[RATE // 10 :]
    assert np.argmax(power(wave)[0]) * RATE / len(wave) == pytest.approx(49, abs=3)


def test_hardcore_is_distorted():
    assert share(hit("hardcore", "kick", 0.9, RATE, generator()), 200, 12000) > 3 * share(
        hit("808", "kick", 0.9, RATE, generator()), 200, 12000
    )


def test_a_tabla_is_bent_upwards():
    wave = hit("808", "tabla_ge", 0.9, RATE, generator())
    early, late = (
        np.argmax(power(np.pad(piece, (0, RATE)))[0]) * RATE / (len(piece) + RATE) for piece in (wave[:2000], wave[6000:12000])
    )
    assert late > 1.2 * early and tabla_partials_are_harmonic()


def tabla_partials_are_harmonic():
    wave = hit("808", "tabla_na", 0.9, RATE, generator())
    spectrum = np.abs(np.fft.rfft(np.pad(wave[1000:], (0, RATE - len(wave[1000:])))))
    return all(spectrum[290 * k - 6 : 290 * k + 7].max() > 5 * spectrum[290 * k + 100 : 290 * k + 190].max() for k in (1, 2, 3))


def test_hits_are_where_they_are_asked_and_as_hard():
    hits = [(0.5 * i, "rim", velocity) for i, velocity in enumerate((0.2, 0.5, 0.8, 1.0))]
    wave = play_kit("909", hits, 2.0, RATE, generator())
    peaks = [np.abs(piece).max() for piece in wave.reshape(4, -1)]
    np.testing.assert_allclose(peaks, [LEVELS["rim"] * velocity**1.3 for *_, velocity in hits], rtol=0.05)
    for i in range(4):
        first = np.flatnonzero(np.abs(wave[i * 12000 : (i + 1) * 12000]) > 0.1 * peaks[i])[0]
        assert first < 0.003 * RATE
    alone = play_kit("909", [(0.3, "kick", 0.8)], 1.0, RATE, generator())
    assert not alone[: int(0.3 * RATE)].any() and alone[int(0.3 * RATE) + 20] != 0


@pytest.mark.slow
def test_a_part_is_clean_cut_and_repeatable():
    drawn = generator(7)
    hits = [(drawn.uniform(-0.5, 4), drawn.choice(DRUMS), drawn.uniform(0, 1)) for _ in range(200)]
    for kit in KITS:
        wave = play_kit(kit, hits, 3.333, RATE, generator(1))
        assert wave.dtype == np.float32 and wave.shape == (round(3.333 * RATE),) and np.isfinite(wave).all()
        np.testing.assert_array_equal(wave, play_kit(kit, hits[::-1], 3.333, RATE, generator(1)))
    assert not play_kit("808", [], 1.0, RATE, generator()).any()


def test_a_closed_hat_silences_an_open_one():
    """Both rendered with what follows taken off."""
    opened = play_kit("808", [(0.0, "open_hat", 0.8)], 1.0, RATE, generator())
    both = play_kit("808", [(0.0, "open_hat", 0.8), (0.2, "closed_hat", 0.05)], 1.0, RATE, generator())
    piece = slice(int(0.25 * RATE), int(0.35 * RATE))
    assert both[piece].std() < 0.2 * opened[piece].std()


def test_no_two_hats_are_the_same_and_harder_is_brighter():
    waves = [hit("909", "closed_hat", 0.8, RATE, generator(seed)) for seed in (0, 1)]
    assert np.abs(waves[0] - waves[1]).max() > 0.02
    soft, hard = (centre_hz(hit("break", "snare", velocity, RATE, generator())) for velocity in (0.2, 1.0))
    assert hard > 1.1 * soft


@pytest.mark.slow
@pytest.mark.parametrize("name", NOISES)
def test_a_noise_is_clean_exact_and_repeatable(name):
    for rate in (8000, 24000, 96000):
        wave = make_noise(name, 2.503, rate, generator(3))
        assert wave.dtype == np.float32 and wave.shape == (round(2.503 * rate),) and np.isfinite(wave).all()
        assert abs(wave.mean()) < 1e-3 and np.abs(wave).max() == pytest.approx(0.4, rel=1e-3) or NOISES[name].lies
        assert abs(wave[0]) < 1e-3 and abs(wave[-1]) < 1e-3
    np.testing.assert_array_equal(wave, make_noise(name, 2.503, 96000, generator(3)))
    for seconds in (0.0, 0.0003, 0.01):
        assert len(make_noise(name, seconds, RATE, generator())) == round(seconds * RATE)


def test_risers_rise_and_what_falls_falls():
    for name, rises in (("riser", True), ("tonal riser", True), ("reverse cymbal", True), ("downlifter", False), ("impact", False)):
        wave = make_noise(name, 4.0, RATE, generator())
        first, last = wave[: 2 * RATE], wave[2 * RATE :]
        assert (last.std() > 2 * first.std()) == rises and (first.std() > 2 * last.std()) != rises, name
        if name in ("riser", "downlifter"):
            assert (centre_hz(last) > 2 * centre_hz(first)) == rises
    drop = make_noise("sub drop", 2.0, RATE, generator())
    assert share(drop, 0, 120) > 0.95
    level = np.abs(make_noise("whoosh", 3.0, RATE, generator())).reshape(3, -1).mean(axis=1)
    assert level[1] > 2 * max(level[0], level[2])


def test_what_lies_under_the_music_is_soft():
    for name, noise in NOISES.items():
        if noise.lies:
            assert make_noise(name, 5.0, RATE, generator()).std() < 0.041
    crackle = make_noise("vinyl crackle", 5.0, RATE, generator())
    assert np.abs(crackle).max() > 12 * crackle.std()  # clicks, not hiss
