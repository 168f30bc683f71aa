import json

import numpy as np
import pytest
import torch
from conftest import GOLDEN
from safetensors.torch import load_file

from mustango.model.mel import LogMel


def test_defaults_equal_the_original_front_end():
    golden = load_file(GOLDEN / "stft.safetensors")
    config = json.loads((GOLDEN / "stft.json").read_text())["config"]
    mel = LogMel(
        sample_rate=config["sampling_rate"], n_fft=config["filter_length"], hop_length=config["hop_length"],
        n_mels=config["n_mel_channels"], f_min=config["mel_fmin"], f_max=config["mel_fmax"],
    )  # fmt: skip
    wave = golden["raw_wave"].reshape(1, -1).clamp(-1, 1)
    torch.testing.assert_close(mel(wave), golden["raw_mel"].transpose(1, 2), atol=1e-3, rtol=0)
    torch.testing.assert_close(mel.mel_basis, golden["mel_basis"], atol=1e-6, rtol=0)


@pytest.mark.parametrize("frequency", [110.0, 440.0, 1760.0])
def test_a_tone_lights_its_band(frequency):
    mel = LogMel(sample_rate=24000, n_fft=3072, hop_length=384, n_mels=192, f_max=12000.0, htk=True)
    tone = torch.sin(2 * torch.pi * frequency * torch.arange(24000) / 24000)[None] * 0.5
    band = mel(tone)[0, 30].argmax().item()
    centers = np.linspace(0, 2595 * np.log10(1 + 12000 / 700), 194)[1:-1]
    assert abs(centers[band] - 2595 * np.log10(1 + frequency / 700)) <= centers[1] - centers[0]


def test_folding_is_undone():
    mel = LogMel(n_mels=64, fold=(4, 8))
    x = torch.randn(2, 16, 64)
    folded = mel.folded(x)
    assert folded.shape == (2, 32, 4, 8)
    assert torch.equal(mel.unfolded(folded), x)
    assert torch.equal(folded[0, :, 1, 2].reshape(4, 8), x[0, 4:8, 16:24])


def test_sharpening_leaves_levels_and_is_off_by_default():
    x = torch.randn(2, 50, 64)
    assert LogMel(n_mels=64).sharpened(x) is x
    mel = LogMel(n_mels=64, sharpening_taps=5)
    torch.testing.assert_close(mel.sharpened(x), x)  # before it is measured
    mel.sharpening.copy_(torch.tensor([0.0, -0.5, 2.0, -0.5, 0.0]))
    steady = torch.randn(2, 1, 64).expand(2, 50, 64)
    torch.testing.assert_close(mel.sharpened(steady), steady)  # at the ends too
    mel.sharpening[1:] = torch.tensor([0.0, 0.0, 1.0, 0.0, 0.0])
    sharp = mel.sharpened(x)
    torch.testing.assert_close(sharp[:, :, 1:], x[:, :, 1:])  # a filter a band
    torch.testing.assert_close(sharp[:, 1:-1, 0], 2 * x[:, 1:-1, 0] - (x[:, 2:, 0] + x[:, :-2, 0]) / 2)
