import pytest
import torch

from mustango.mel import LogMel
from mustango.vocoder import ISTFTVocoder


@pytest.fixture
def vocoder():
    torch.manual_seed(0)
    return ISTFTVocoder(
        sample_rate=8000, n_mels=32, n_fft=512, hop_length=64, channels=16, hidden=32, layers=1, refine_steps=8,
        fit_below=1500.0, f_max=4000.0, htk=False, mean=-3.0,
    )  # fmt: skip


def front_end():
    return LogMel(sample_rate=8000, n_fft=512, hop_length=64, n_mels=32, f_max=4000.0, mean=-3.0, std=2.0)


def tones(*frequencies):
    return sum(0.3 * torch.sin(torch.arange(8000) * 2 * torch.pi * f / 8000 + f) for f in frequencies)[None]


def spectrum(waveform):
    return torch.stft(waveform, 512, 64, window=torch.hann_window(512), return_complex=True)


@torch.no_grad()
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


def inconsistency(vocoder, magnitude, phasor):
    again = spectrum(vocoder.invert(magnitude * phasor)).abs()
    return ((again - magnitude).norm() / magnitude.norm()).item()


@torch.no_grad()
def test_phases_of_steady_tones_follow_from_their_magnitudes(vocoder):
    wave = tones(312.0, 1000.0, 2503.0)
    magnitude = spectrum(wave).abs()
    found = vocoder.phasors(magnitude)
    chance = torch.polar(torch.ones_like(magnitude), 6.28 * torch.rand(magnitude.shape))
    assert inconsistency(vocoder, magnitude, found) < 0.25 < 0.5 < inconsistency(vocoder, magnitude, chance)


def mel_error(vocoder, mels, spectrum_):
    """Error of the mels that lie below `fit_below`."""
    again = front_end()(vocoder.invert(spectrum_))
    return (again - mels)[:, 4:-4, :18].abs().mean().item()


@torch.no_grad()
def test_refining_fits_the_mel(vocoder):
    """From wrong magnitudes, to a waveform that has the mels which were asked for."""
    torch.manual_seed(1)
    wave = tones(312.0, 1000.0, 1062.0, 2503.0) + 0.03 * torch.randn(1, 8000)
    mels = front_end()(wave)
    vocoder.start_from_mels()
    torch.nn.init.zeros_(vocoder.head.weight)
    torch.nn.init.zeros_(vocoder.head.bias)
    magnitude = vocoder.magnitudes(mels)
    phasor = vocoder.phasors(magnitude)
    refined = vocoder.refined(mels, magnitude, phasor)
    assert mel_error(vocoder, mels, refined) < 0.5 * mel_error(vocoder, mels, magnitude * phasor)
    vocoder.register_to_config(refine_steps=0)
    torch.testing.assert_close(vocoder.refined(mels, magnitude, phasor), magnitude * phasor)
