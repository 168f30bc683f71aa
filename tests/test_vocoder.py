import numpy as np
import pytest
import torch
from scipy.sparse import csr_array
from scipy.sparse.csgraph import minimum_spanning_tree

from mustango.mel import LogMel
from mustango.vocoder import ISTFTVocoder, Postfilter, Refiner, loudest_tree, phases_of, slopes_of


@pytest.fixture
def vocoder():
    torch.manual_seed(0)
    return ISTFTVocoder(
        sample_rate=8000, n_mels=32, n_fft=512, hop_length=64, channels=16, hidden=32, layers=1,
        f_max=4000.0, htk=False, mean=-3.0,
    )  # fmt: skip


def front_end():
    return LogMel(sample_rate=8000, n_fft=512, hop_length=64, n_mels=32, f_max=4000.0, mean=-3.0, std=2.0)


def tones(*frequencies):
    return sum(0.3 * torch.sin(torch.arange(8000) * 2 * torch.pi * f / 8000 + f) for f in frequencies)[None]


def spectrum(waveform):
    return torch.stft(waveform, 512, 64, window=torch.hann_window(512), return_complex=True)


@torch.no_grad()
@pytest.mark.parametrize("levels", [None, 3, 1])
def test_the_loudest_tree_is_the_maximal_spanning_tree(levels):
    logs = np.random.default_rng(0).normal(size=(23, 41))
    if levels:  # plateaus: many edges are as loud as each other
        logs = np.round(logs).clip(0, levels - 1)
    before = loudest_tree(logs)
    nodes = np.arange(logs.size).reshape(logs.shape)
    ends = [np.concatenate([nodes[:, :-1].ravel(), nodes[:-1].ravel()]), np.concatenate([nodes[:, 1:].ravel(), nodes[1:].ravel()])]
    cost = 10 - logs.ravel()[ends].sum(axis=0)
    whole = minimum_spanning_tree(csr_array((cost, ends), shape=(logs.size, logs.size)))

    children = np.flatnonzero(before != nodes.ravel())
    assert len(children) == logs.size - 1 and before[logs.argmax()] == logs.argmax()
    assert set(np.abs(children - before[children])) <= {1, 41}
    np.testing.assert_allclose((10 - logs.ravel()[children] - logs.ravel()[before[children]]).sum(), whole.sum())
    reached = before
    for _ in range(10):
        reached = reached[reached]
    assert (reached == logs.argmax()).all()


def test_gives_a_hop_of_samples_a_frame(vocoder):
    assert vocoder(torch.randn(2, 20, 32)).shape == (2, 20 * 64)


@torch.no_grad()
def test_starts_from_the_front_end(vocoder):
    """Untrained, the loudest bin lies where the tone is."""
    mel = front_end()
    vocoder.start_from_mels()
    torch.nn.init.zeros_(vocoder.head.weight)
    torch.nn.init.zeros_(vocoder.head.bias)
    for frequency in (300.0, 1000.0, 2500.0):
        magnitude = vocoder.magnitudes(mel(tones(frequency))[:, :-1])
        assert abs(magnitude[0, :, 60].argmax().item() * 8000 / 512 - frequency) < 80


@torch.no_grad()
def test_learns_magnitudes(vocoder):
    mel, wave = front_end(), tones(440.0, 1330.0)
    mels, real = mel(wave), spectrum(wave).abs()
    vocoder.start_from_mels()
    optimizer = torch.optim.Adam(vocoder.parameters(), 1e-2)

    def error():
        return ((vocoder.magnitudes(mels).sqrt() - real.sqrt()).abs().mean()) / real.sqrt().mean()

    first = error().item()
    with torch.enable_grad():
        for _ in range(60):
            loss = error()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    assert error().item() < 0.3 * first


def found_phases(magnitude):
    """Phases (K, T), as its slopes tell, of an STFT's magnitudes (K, T)."""
    logs = magnitude.clamp(min=1e-6).log()
    turns, delays = slopes_of(logs[None], 64, 512)
    return phases_of(logs.numpy(), turns[0].numpy(), delays[0].numpy())


def inconsistency(vocoder, magnitude, phases):
    """How far the magnitudes of the waveform that comes out lie from those that went in, of 1."""
    again = spectrum(vocoder.invert(torch.polar(magnitude, phases))).abs()
    return ((again - magnitude).norm() / magnitude.norm()).item()


def clicks():
    wave = torch.zeros(1, 8000)
    wave[0, 900::1300] = 0.8
    return wave


@torch.no_grad()
@pytest.mark.parametrize(
    "wave, limit",
    [
        (tones(312.0, 1000.0, 2503.0), 0.15),
        (clicks(), 0.1),
        (tones(440.0) + clicks(), 0.15),
        (0.1 * torch.randn(1, 8000, generator=torch.Generator().manual_seed(0)), 0.3),
    ],
    ids=["tones", "clicks", "both", "noise"],
)
def test_phases_follow_from_magnitudes(vocoder, wave, limit):
    magnitude = spectrum(wave).abs()
    found = torch.from_numpy(found_phases(magnitude[0]))[None].float()
    chance = 6.28 * torch.rand(magnitude.shape)
    assert inconsistency(vocoder, magnitude, found) < limit < 0.4 < inconsistency(vocoder, magnitude, chance)


def test_phases_turn_with_the_frequency():
    """A tone's bins turn by its frequency from frame to frame; a click's phases lean with its place in the window."""
    turn = np.diff(found_phases(spectrum(tones(1003.0))[0].abs())[64, 10:-10])
    np.testing.assert_allclose(np.exp(1j * (turn - 2 * np.pi * 64 * 1003 / 8000)), 1, atol=0.02)
    wave = torch.zeros(1, 8000)
    wave[0, 4010] = 1.0
    frame = 4010 // 64  # the window's middle is 64 * frame, so the click lies 256 + 42 samples after its start
    phases = found_phases(spectrum(wave)[0].abs())[:, frame]
    leans = np.diff(phases)[20:-20] + 2 * np.pi * (256 + 4010 - 64 * frame) / 512
    np.testing.assert_allclose(np.exp(1j * leans), 1, atol=0.1)


def test_phases_are_the_true_ones_where_their_slopes_are():
    """Summed up along any tree, true ways from bin to bin lead to the true phases."""
    truth = spectrum(0.1 * torch.randn(1, 8000, generator=torch.Generator().manual_seed(0)))[0]
    turns, delays = (truth[:, 1:] * truth[:, :-1].conj()).angle(), (truth[1:] * truth[:-1].conj()).angle()
    found = phases_of(truth.abs().log().numpy(), turns.numpy(), delays.numpy())
    apart = np.exp(1j * (found - truth.angle().numpy()))  # everywhere by the same constant
    np.testing.assert_allclose(np.abs(apart.mean()), 1, atol=1e-4)


def test_silence_has_phases_too():
    assert np.isfinite(found_phases(torch.zeros(257, 5))).all()


@torch.no_grad()
def test_the_waveform_has_the_mel_that_was_asked_for(vocoder):
    mel = front_end()
    mels = mel(tones(440.0, 1330.0) + 0.02 * torch.randn(1, 8000, generator=torch.Generator().manual_seed(0)))[:, :-1]
    vocoder.start_from_mels()
    torch.nn.init.zeros_(vocoder.head.weight)
    torch.nn.init.zeros_(vocoder.head.bias)
    apart = (mel(vocoder(mels))[:, :-1] - mels)[:, 8:-8]
    plain = vocoder.invert(torch.polar(vocoder.magnitudes(mels), 6.28 * torch.rand(1, 257, mels.shape[1])))
    assert apart.abs().mean() < 0.6 * (mel(plain)[:, : apart.shape[1]] - mels[:, : apart.shape[1]]).abs().mean()


@torch.no_grad()
def test_an_untrained_refiner_changes_nothing_and_a_trained_one_the_lowest_bins():
    config = dict(sample_rate=8000, n_mels=32, n_fft=512, hop_length=64, channels=16, hidden=32, layers=1)
    vocoder, mels = ISTFTVocoder(**config, refiner_channels=4, refiner_bins=40), torch.randn(2, 20, 32)
    logs = vocoder.log_magnitudes(mels)
    plain = slopes_of(logs, 64, 512)
    for ours, theirs in zip(vocoder.slopes(logs, mels), plain, strict=True):
        torch.testing.assert_close(ours, theirs)
    torch.nn.init.normal_(vocoder.refiner.head.weight)
    for ours, theirs, bins in zip(vocoder.slopes(logs, mels), plain, (40, 39), strict=True):
        assert ours.shape == theirs.shape
        assert (ours != theirs)[:, :bins].float().mean() > 0.99
        assert torch.equal(ours[:, bins:], theirs[:, bins:])
    assert vocoder(mels).shape == (2, 20 * 64)


@torch.no_grad()
def test_a_partial_is_refined_alike_wherever_it_lies_in_time():
    torch.manual_seed(0)
    refiner = Refiner(torch.rand(8, 60), 30, 4)
    for layer in (*refiner.second, refiner.head):
        torch.nn.init.normal_(layer.weight, std=0.2)
    logs, mels = torch.zeros(1, 30, 64), torch.zeros(1, 64, 8)
    logs[:, 10, 24:] = 3.0
    earlier, later = refiner(logs, mels), refiner(logs.roll(4, dims=2), mels)
    for a, b in zip(earlier, later, strict=True):
        torch.testing.assert_close(a[:, :, 20:40], b[:, :, 24:44], atol=1e-4, rtol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_refiner_and_postfilter_work_in_half_precision(tmp_path, dtype):
    config = dict(sample_rate=8000, n_mels=32, n_fft=512, hop_length=64, channels=16, hidden=32, layers=1)
    vocoder, mels = ISTFTVocoder(**config, refiner_channels=4, refiner_bins=40, postfilter_channels=8), torch.randn(1, 20, 32)
    vocoder.save_pretrained(tmp_path)
    half = ISTFTVocoder.from_pretrained(tmp_path, dtype=dtype)
    logs = vocoder.log_magnitudes(mels)
    for ours, theirs in zip(half.slopes(logs, mels.to(dtype)), vocoder.slopes(logs, mels), strict=True):
        torch.testing.assert_close(ours, theirs, atol=0.1, rtol=0)
    assert half(mels.to(dtype)).shape == (1, 20 * 64)


@torch.no_grad()
def test_an_untrained_postfilter_changes_nothing():
    postfilter = Postfilter(32, 512, 64, 16)
    wave, mels = torch.randn(2, 40 * 64), torch.randn(2, 40, 32)
    torch.testing.assert_close(postfilter(wave, mels), wave, atol=1e-5, rtol=0)


@torch.no_grad()
def test_the_postfilter_puts_gains_where_the_mels_are(vocoder):
    """A gain that hangs on one mel frame changes the waveform around that frame and nowhere else; strength is its exponent."""
    postfilter = Postfilter(32, 512, 64, 16, layers=0)
    postfilter.head.bias.fill_(0.5)
    wave, mels = torch.randn(1, 80 * 64), torch.zeros(1, 80, 32)
    torch.testing.assert_close(postfilter(wave, mels), wave * np.exp(3 * np.tanh(0.5 / 3)), atol=1e-4, rtol=0)
    torch.testing.assert_close(postfilter(wave, mels, 2.0), wave * np.exp(6 * np.tanh(0.5 / 3)), atol=1e-4, rtol=0)
    torch.nn.init.normal_(postfilter.head.weight)
    other = mels.clone()
    other[:, 40] = 3.0
    apart = (postfilter(wave, other) - postfilter(wave, mels))[0].abs() > 1e-6
    assert apart[39 * 64 : 42 * 64].any()
    assert not apart[: 35 * 64].any() and not apart[46 * 64 :].any()


@torch.no_grad()
def test_refiner_and_postfilter_are_saved_with_the_vocoder(tmp_path):
    vocoder = ISTFTVocoder(
        sample_rate=8000, n_mels=32, n_fft=512, hop_length=64, channels=16, hidden=32, layers=1, postfilter_channels=8,
        refiner_channels=4, refiner_bins=40,
    )  # fmt: skip
    torch.nn.init.normal_(vocoder.postfilter.head.bias)
    torch.nn.init.normal_(vocoder.refiner.head.weight)
    vocoder.save_pretrained(tmp_path)
    mels = torch.randn(1, 20, 32)
    again = ISTFTVocoder.from_pretrained(tmp_path)(mels)
    torch.testing.assert_close(again, vocoder(mels))
    assert not torch.allclose(again, vocoder.unfiltered(mels))
