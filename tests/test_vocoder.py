import pytest
import torch

from mustango.mel import LogMel
from mustango.vocoder import ISTFTVocoder


@pytest.fixture
def vocoder():
    torch.manual_seed(0)
    return ISTFTVocoder(sample_rate=8000, n_mels=32, n_fft=512, hop_length=64, channels=16, hidden=32, layers=1, refine_steps=8)


def front_end():
    return LogMel(sample_rate=8000, n_fft=512, hop_length=64, n_mels=32, f_max=4000.0, mean=-3.0, std=2.0)


@torch.no_grad()
def test_gives_a_hop_of_samples_a_frame(vocoder):
    assert vocoder(torch.randn(2, 20, 32)).shape == (2, 20 * 64)


def test_can_learn_a_tone(vocoder):
    mels = torch.ones(1, 32, 32)
    target = torch.sin(torch.arange(32 * 64) * 0.1)[None]
    optimizer = torch.optim.Adam(vocoder.parameters(), 1e-2)
    first = None
    for _ in range(200):
        magnitude, phasor = vocoder.predict(mels)
        loss = (vocoder.invert(magnitude * phasor) - target).square().mean()
        first = first or loss.item()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.1 * first


@torch.no_grad()
def test_starts_from_the_front_end(vocoder):
    """Untrained, the loudest bin lies where the tone is."""
    mel = front_end()
    vocoder.start_from(mel)
    torch.nn.init.zeros_(vocoder.head.weight)
    torch.nn.init.zeros_(vocoder.head.bias)
    for frequency in (300.0, 1000.0, 2500.0):
        tone = 0.5 * torch.sin(torch.arange(8000) * 2 * torch.pi * frequency / 8000)[None]
        magnitude, _ = vocoder.predict(mel(tone)[:, :-1])
        assert abs(magnitude[0, :, 60].argmax().item() * 8000 / 512 - frequency) < 80


@torch.no_grad()
def test_refining_makes_the_spectrum_consistent(vocoder):
    mel = front_end()
    vocoder.start_from(mel)
    torch.manual_seed(1)
    wave = torch.randn(1, 8000) * 0.1
    magnitude, phasor = vocoder.predict(mel(wave)[:, :-1])

    def inconsistency(phasor):
        window = torch.hann_window(512)
        again = torch.stft(vocoder.invert(magnitude * phasor), 512, 64, window=window, return_complex=True).abs()
        return ((again - magnitude).norm() / magnitude.norm()).item()

    assert inconsistency(vocoder.refined(magnitude, phasor)) < 0.8 * inconsistency(phasor)
