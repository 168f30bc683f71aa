"""The critics learn, and decoder and vocoder are compared with the right sound at the right time."""

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL

from musicbench import InputError
from musicbench.clip import save_audio
from musicbench.dataset import write_rows
from mustango.train import MEL, VAE, TrainVAE, fit
from mustango.train_vocoder import VOCODER, Critic, TrainVocoder, TrainWithCritics, magnitude_distance, magnitudes
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
    AutoencoderKL(**(VAE | {"block_out_channels": (16, 16)})).save_pretrained(tmp_path / "run" / "parts" / "vae")
    vocoder = ISTFTVocoder(**(VOCODER | {"channels": 16, "hidden": 16, "layers": 1}))
    vocoder.start_from_mels()
    vocoder.save_pretrained(tmp_path / "run" / "parts" / "vocoder")
    return short(TrainWithCritics(tmp_path, tmp_path / "run"))


def short(task):
    task.frames, task.heard = 64, 32
    return task


def test_a_critic_learns_to_tell_tones_from_noise():
    torch.manual_seed(0)
    critic = Critic(4, channels=4)
    optimizer = torch.optim.AdamW(critic.parameters(), lr=3e-3)

    def sounds():
        tones = torch.full((4, 1537, 12), 1e-3)
        tones[torch.arange(4), torch.randint(1537, (4,))] = 100.0
        return tones, torch.rand(4, 1537, 12)

    for _ in range(60):
        real, made = sounds()
        loss = (critic(real)[0] - 1).square().mean() + critic(made)[0].square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    real, made = sounds()
    assert critic(real)[0].mean() > critic(made)[0].mean() + 0.5


def test_magnitudes_are_those_of_the_mels_frames(task):
    """The mel of the magnitudes is the mel: so the vocoder is asked for the sound of the frames it is given."""
    waveform = task.draw(np.random.default_rng(1), 2)["waveform"]
    mels = task.mel(waveform)
    spectra = magnitudes(waveform, 10, 32)
    again = ((task.mel.mel_basis @ spectra).clamp(min=1e-5).log().transpose(1, 2) - MEL["mean"]) / MEL["std"]
    torch.testing.assert_close(again, mels[:, 10:42], atol=1e-3, rtol=0)


def test_the_real_sound_is_as_near_as_can_be(task):
    waveform = task.draw(np.random.default_rng(2), 2)["waveform"]
    real, noisy = (magnitudes(x, 8, 32) for x in (waveform, waveform + 0.01 * torch.randn_like(waveform)))
    for nearest, farther in zip(magnitude_distance(real, real), magnitude_distance(noisy, real), strict=True):
        assert nearest < 1e-6 < 0.1 < farther


def test_critics_teach_only_themselves_and_are_heard_later(task, monkeypatch):
    monkeypatch.setattr("mustango.train_vocoder.ALONE", 1)
    monkeypatch.setattr("mustango.train_vocoder.RAMP", 1)
    batch = task.draw(np.random.default_rng(3), 2)
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
    assert all(torch.equal(a, b) for a, b in zip(taught, task.critics.parameters(), strict=True))
    vae, vocoder = task.model["vae"], task.model["vocoder"]
    assert all(p.grad is not None for p in (*vae.decoder.parameters(), *vocoder.parameters()))
    assert all(p.grad is None for p in (*vae.encoder.parameters(), *vae.quant_conv.parameters()))
    real = magnitudes(batch["waveform"], 8, 32)
    ours = real.clone().requires_grad_(True)
    assert torch.autograd.grad(task._judged(ours, real)[0], ours)[0].abs().max() > 0


def test_an_interrupted_run_remembers_its_critics_and_keeps_the_latents(task, tmp_path):
    encoder = {name: p.clone() for name, p in task.model["vae"].encoder.state_dict().items()}
    options = dict(lr=1e-4, batch_size=2, save_every=1)
    fit(task, tmp_path / "run", steps=1, **options)
    again = short(TrainWithCritics(tmp_path, tmp_path / "run"))
    fit(again, tmp_path / "run", steps=2, **options)
    assert again._lessons() == 2
    kept = AutoencoderKL.from_pretrained(tmp_path / "run" / "parts" / "vae").encoder.state_dict()
    assert all(torch.equal(encoder[name], kept[name]) for name in encoder)
    for kind in (TrainVAE, TrainVocoder):
        with pytest.raises(InputError, match="critics have gone on"):
            kind(tmp_path, tmp_path / "run")
