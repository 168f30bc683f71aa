"""The critics learn, and the vocoder is compared with the right sound at the right time."""

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL

from musicbench import InputError
from musicbench.clip import save_audio
from musicbench.dataset import write_rows
from mustango.train import MEL, VAE, fit
from mustango.train_vocoder import SPECTRA, VOCODER, Critic, TrainVocoder, TrainVocoderWithCritics, spectral_distance
from mustango.vocoder import ISTFTVocoder


@pytest.fixture
def task(tmp_path):
    rng = np.random.default_rng(0)
    rows = []
    for i in range(2):
        times = np.arange(10 * MEL["sample_rate"]) / MEL["sample_rate"]
        samples = sum(np.sin(2 * np.pi * rng.uniform(100, 2000) * times) for _ in range(4)) * 0.1 * (1 + np.sin(3 * times)) / 2
        save_audio(tmp_path / f"{i}.flac", samples.astype(np.float32), MEL["sample_rate"])
        rows.append({"location": f"{i}.flac"})
    write_rows(tmp_path / "rows.jsonl", rows)
    torch.manual_seed(0)
    AutoencoderKL(**VAE).save_pretrained(tmp_path / "run" / "parts" / "vae")
    vocoder = ISTFTVocoder(**(VOCODER | {"channels": 16, "hidden": 16, "layers": 1}))
    vocoder.start_from_mels()
    vocoder.save_pretrained(tmp_path / "run" / "parts" / "vocoder")
    return TrainVocoderWithCritics(tmp_path, tmp_path / "run")


def test_a_critic_learns_to_tell_tones_from_noise():
    torch.manual_seed(0)
    critic = Critic(768, 192, channels=4)
    optimizer = torch.optim.AdamW(critic.parameters(), lr=3e-3)
    times = torch.arange(6000) / 24000

    def sounds():
        return (torch.sin(6.3 * (200 + 2000 * torch.rand(4, 1)) * times), 0.7 * torch.randn(4, 6000))

    for _ in range(60):
        real, made = sounds()
        loss = (critic(real)[0] - 1).square().mean() + critic(made)[0].square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    real, made = sounds()
    assert critic(real)[0].mean() > critic(made)[0].mean() + 0.5


def test_mels_and_waveform_of_a_batch_are_in_step(task):
    mels, waveform = task.batch(np.random.default_rng(1), 2)
    assert waveform.shape[1] == (mels.shape[1] - 1) * MEL["hop_length"]
    again = task.mel(waveform)
    inside = slice(4, -4)  # windows that lie in the waveform
    torch.testing.assert_close(again[:1, inside], mels[:1, inside], atol=1e-3, rtol=0)  # the second went through the VAE


def test_the_real_sound_is_as_near_as_can_be(task):
    _, waveform = task.batch(np.random.default_rng(2), 2)
    noisy = waveform + 0.01 * torch.randn_like(waveform)
    for sizes in SPECTRA:
        assert spectral_distance(waveform, waveform, *sizes) < 1e-6 < 0.1 < spectral_distance(noisy, waveform, *sizes)


def test_critics_teach_only_themselves_and_are_heard_later(task, monkeypatch):
    monkeypatch.setattr("mustango.train_vocoder.ALONE", 1)
    monkeypatch.setattr("mustango.train_vocoder.RAMP", 1)
    task.samples = 6144
    batch = task.batch(np.random.default_rng(3), 2)
    before = [p.detach().clone() for p in task.critics.parameters()]
    heard = []
    for _ in range(2):
        loss, terms = task.loss(batch)
        heard.append(terms["adversarial"])
        assert all(p.grad is None for p in task.model.parameters())
    assert heard[0] == 0 < heard[1]
    assert not any(torch.equal(a, b) for a, b in zip(before, task.critics.parameters(), strict=True))
    taught = [p.detach().clone() for p in task.critics.parameters()]
    loss.backward()
    assert all(p.grad is not None for p in task.model.parameters())
    assert all(torch.equal(a, b) for a, b in zip(taught, task.critics.parameters(), strict=True))
    ours = batch[1].clone().requires_grad_(True)
    assert torch.autograd.grad(task._judged(ours, batch[1])[0], ours)[0].abs().max() > 0


def test_an_interrupted_run_remembers_its_critics(task, tmp_path):
    task.samples = 6144
    options = dict(lr=1e-4, batch_size=2, save_every=1)
    fit(task, tmp_path / "run", steps=1, **options)
    again = TrainVocoderWithCritics(tmp_path, tmp_path / "run")
    again.samples = 6144
    fit(again, tmp_path / "run", steps=2, **options)
    assert again._lessons() == 2
    with pytest.raises(InputError, match="critics have gone on"):
        TrainVocoder(tmp_path, tmp_path / "run")
