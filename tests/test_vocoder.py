import numpy as np
import pytest
import torch
from scipy.sparse import csr_array
from scipy.sparse.csgraph import minimum_spanning_tree

from mustango.model.mel import LogMel
from mustango.model.vocoder import ISTFTVocoder, Postfilter, Refiner, maximum_spanning_tree, phases_of, slopes_of


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


@pytest.mark.parametrize("levels", [None, 3, 1])
def test_the_tree_is_the_maximum_spanning_tree(levels):
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=shape) for shape in ((23, 40), (22, 41))]
    if levels:  # plateaus: many edges weigh the same
        weights = [np.round(w).clip(0, levels - 1) for w in weights]
    before = maximum_spanning_tree(*weights)
    nodes = np.arange(23 * 41).reshape(23, 41)
    ends = [np.concatenate([nodes[:, :-1].ravel(), nodes[:-1].ravel()]), np.concatenate([nodes[:, 1:].ravel(), nodes[1:].ravel()])]
    costs = csr_array((10 - np.concatenate([w.ravel() for w in weights]), ends), shape=(nodes.size, nodes.size))

    children = np.flatnonzero(before != nodes.ravel())
    assert len(children) == nodes.size - 1 and before[0] == 0
    assert set(np.abs(children - before[children])) <= {1, 41}
    ours = costs[np.minimum(children, before[children]), np.maximum(children, before[children])]
    np.testing.assert_allclose(ours.sum(), minimum_spanning_tree(costs).sum())
    reached = before
    for _ in range(10):
        reached = reached[reached]
    assert (reached == 0).all()


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
    return phases_of(*(x[0].double() for x in slopes_of(logs[None], 64, 512))).numpy()


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


def noise_and_its_slopes():
    truth = spectrum(0.1 * torch.randn(1, 8000, generator=torch.Generator().manual_seed(0)))[0]
    return truth, (truth[:, 1:] * truth[:, :-1].conj()).angle(), (truth[1:] * truth[:-1].conj()).angle()


def apart(phases, spectrum):
    """How far phases are from a spectrum's, but for a constant: 0 to 1."""
    return 1 - (torch.polar(torch.ones_like(phases), phases) / spectrum.sgn()).mean().abs().item()


def test_phases_are_the_true_ones_where_their_slopes_are():
    """Summed up along any tree, true ways from bin to bin lead to the true phases."""
    truth, turns, delays = noise_and_its_slopes()
    weights = torch.rand(turns.shape), torch.rand(delays.shape)
    assert apart(phases_of(turns.double(), delays.double(), *weights), truth) < 1e-4


def test_phases_go_around_what_weighs_little():
    truth, turns, delays = noise_and_its_slopes()
    wrong = torch.rand(turns.shape, generator=torch.Generator().manual_seed(1)) < 0.3
    slopes = (turns + 2 * wrong).double(), delays.double()
    weights = torch.where(wrong, -1.0, 1.0), torch.ones(delays.shape)
    assert apart(phases_of(*slopes, *weights), truth) < 1e-4
    assert apart(phases_of(*slopes, weights[0].abs(), weights[1]), truth) > 0.1


def test_phases_have_gradients():
    """A bin's phase hangs on the slopes on the way to it, each by 1, and on no others."""
    turns, delays = torch.zeros(4, 5, requires_grad=True), torch.zeros(3, 6, requires_grad=True)
    weights = torch.zeros(4, 5), torch.zeros(3, 6)
    weights[1][:, 0] = weights[0][3] = 1.0  # up in the first frame, then along the highest bin
    phases_of(turns, delays, *weights)[3, 4].backward()
    assert delays.grad[:, 0].tolist() == [1, 1, 1] and turns.grad[3].tolist() == [1, 1, 1, 1, 0]
    assert delays.grad.sum() == 3 and turns.grad.sum() == 4


def test_silence_has_phases_too():
    phases = found_phases(torch.zeros(257, 5))
    assert phases.shape == (257, 5) and np.isfinite(phases).all()


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
@pytest.mark.parametrize("frames", [20, 21])
def test_an_untrained_refiner_changes_nothing_and_a_trained_one_the_lowest_bins(frames):
    config = dict(sample_rate=8000, n_mels=32, n_fft=512, hop_length=64, channels=16, hidden=32, layers=1)
    vocoder, mels = ISTFTVocoder(**config, refiner_channels=4, refiner_bins=40), torch.randn(2, frames, 32)
    logs = vocoder.log_magnitudes(mels)
    plain = logs, *slopes_of(logs, 64, 512)
    for ours, theirs in zip(vocoder.refined(logs, mels), plain, strict=True):
        torch.testing.assert_close(ours, theirs)
    torch.nn.init.normal_(vocoder.refiner.head.weight)
    for ours, theirs, bins in zip(vocoder.refined(logs, mels), plain, (40, 40, 39, 40, 39), strict=True):
        assert ours.shape == theirs.shape
        assert (ours != theirs)[:, :bins].float().mean() > 0.99
        assert torch.equal(ours[:, bins:], theirs[:, bins:])
    assert vocoder(mels).shape == (2, frames * 64)


@torch.no_grad()
def test_a_partial_is_refined_alike_wherever_it_lies_in_time():
    torch.manual_seed(0)
    refiner = Refiner(torch.rand(8, 100), 30, 4)
    for layer in (*refiner.second, refiner.head):
        torch.nn.init.normal_(layer.weight, std=0.2)
    logs, mels = torch.zeros(1, 100, 72), torch.zeros(1, 72, 8)
    logs[:, 10, 30:] = logs[:, 20, 30:] = 3.0
    earlier, later = refiner(logs, mels), refiner(logs.roll(4, dims=2), mels)
    for a, b in zip(earlier, later, strict=True):
        assert a.std() > 0.01
        torch.testing.assert_close(a[:, :, 26:44], b[:, :, 30:48], atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_a_partial_is_refined_by_its_octave_and_its_twelfth():
    """What changes at bin 68, at frame 20, is seen around bins 34 and 68 / 3, at frame 20, and nowhere else."""
    torch.manual_seed(0)
    refiner = Refiner(torch.rand(8, 160), 50, 4, dilations=())
    torch.nn.init.normal_(refiner.head.weight)
    logs, mels = torch.zeros(1, 160, 40), torch.zeros(1, 40, 8)
    before = refiner(logs, mels)
    logs[:, 68, 20] = 3.0
    for a, b in zip(before, refiner(logs, mels), strict=True):
        bins, frames = (a != b)[0].nonzero().unbind(dim=1)
        near_octave, near_twelfth = (bins - 34).abs() <= 5, (bins - 22).abs() <= 5
        assert near_octave.any() and near_twelfth.any() and (near_octave | near_twelfth).all()
        assert ((frames - 20).abs() <= 5).all()


@torch.no_grad()
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_refiner_and_postfilter_work_in_half_precision(tmp_path, dtype):
    config = dict(sample_rate=8000, n_mels=32, n_fft=512, hop_length=64, channels=16, hidden=32, layers=1)
    vocoder, mels = ISTFTVocoder(**config, refiner_channels=4, refiner_bins=40, postfilter_channels=8), torch.randn(1, 20, 32)
    torch.nn.init.normal_(vocoder.refiner.head.weight, std=0.1)
    vocoder.save_pretrained(tmp_path)
    half = ISTFTVocoder.from_pretrained(tmp_path, dtype=dtype)
    logs = vocoder.log_magnitudes(mels)
    for ours, theirs in zip(half.refined(logs, mels.to(dtype)), vocoder.refined(logs, mels), strict=True):
        torch.testing.assert_close(ours, theirs, atol=0.02, rtol=0)
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
