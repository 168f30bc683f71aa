"""Vocoder, refiner and postfilter are compared with the right sound at the right time, and each learns alone."""

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL

from musicbench import InputError
from musicbench.files import save_json_lines
from musicbench.sound.audio import save_audio
from mustango.model.mel import LogMel
from mustango.model.vocoder import ISTFTVocoder, slopes_of
from mustango.train.loop import Course, fit
from mustango.train.rows import MEL
from mustango.train.vae import VAE
from mustango.train.vocoder import (
    SHARPENING,
    VOCODER,
    WINDOWS,
    TrainPostfilter,
    TrainRefiner,
    TrainVocoder,
    magnitude_distance,
    magnitudes,
    measure_sharpening,
    modulation_power,
    sharpening_filters,
    slope_errors,
)

HOP = MEL["hop_length"]


@pytest.fixture
def run(tmp_path):
    """A run folder within a dataset of two clips, with a small VAE and a vocoder that has learnt nothing."""
    rng = np.random.default_rng(0)
    rows = []
    for i in range(2):
        times = np.arange(10 * MEL["sample_rate"]) / MEL["sample_rate"]
        samples = sum(np.sin(2 * np.pi * rng.uniform(100, 2000) * times) for _ in range(4)) * 0.1 * (1 + np.sin(3 * times)) / 2
        save_audio(tmp_path / f"{i}.flac", samples.astype(np.float32), MEL["sample_rate"])
        rows.append({"location": f"{i}.flac"})
    save_json_lines(tmp_path / "rows.jsonl", rows)
    torch.manual_seed(0)
    AutoencoderKL(**(VAE | {"block_out_channels": (16, 16)})).save_pretrained(tmp_path / "run" / "parts" / "vae")
    vocoder = ISTFTVocoder(
        **(VOCODER | {"channels": 16, "hidden": 16, "layers": 1, "postfilter_channels": 8, "refiner_channels": 4})
    )
    vocoder.start_from_mels()
    vocoder.save_pretrained(tmp_path / "run" / "parts" / "vocoder")
    return tmp_path / "run"


def short(kind, run):
    task = kind(run.parent, run)
    task.frames, task.heard = 64, 40
    return task


def weights(module):
    return {name: tensor.clone() for name, tensor in module.state_dict().items()}


def test_magnitudes_are_those_of_the_mels_frames(run):
    """The mel of the magnitudes is the mel: so the vocoder is asked for the sound of the frames it is given."""
    task = short(TrainVocoder, run)
    waveform = task.draw(np.random.default_rng(1), 2)["waveform"]
    mels = task.mel(waveform)
    spectra = magnitudes(waveform, 10)
    again = ((task.mel.mel_basis @ spectra).clamp(min=1e-5).log().transpose(1, 2) - MEL["mean"]) / MEL["std"]
    torch.testing.assert_close(again, mels[:, 10:-10], atol=1e-3, rtol=0)


def test_the_vocoder_is_judged_by_the_sound_of_its_own_frames(run, monkeypatch):
    """A vocoder that knows the clip has no loss; the clip a frame later has."""
    task = short(TrainVocoder, run)
    batch = task.draw(np.random.default_rng(2), 2)
    first = (task.frames - task.heard) // 2 - task.margin
    whole = torch.stft(batch["waveform"], MEL["n_fft"], HOP, window=torch.hann_window(MEL["n_fft"]), return_complex=True).abs()
    mels = task.mel(batch["waveform"])[:, :-1]
    monkeypatch.setattr("mustango.train.vocoder.through_vae", lambda *_: mels)
    losses = []
    for shift in (0, 1):
        frames = whole[..., first + shift :][..., : task.heard + 2 * task.margin]
        monkeypatch.setattr(task.model, "magnitudes", lambda _, frames=frames: frames.clamp(min=1e-7))
        losses.append(task.loss(batch)[0].item())
    assert losses[0] < 1e-3 < 0.03 < losses[1]


def test_the_real_sound_is_as_near_as_can_be(run):
    waveform = short(TrainVocoder, run).draw(np.random.default_rng(2), 2)["waveform"]
    for n_fft in WINDOWS:
        real, noisy = (magnitudes(x, 12, n_fft, n_fft // 4) for x in (waveform, waveform + 0.01 * torch.randn_like(waveform)))
        for nearest, farther in zip(magnitude_distance(real, real), magnitude_distance(noisy, real), strict=True):
            assert nearest < 1e-6 < 0.05 < farther


def test_the_vocoder_learns_without_refiner_and_postfilter(run):
    task = short(TrainVocoder, run)
    before = weights(task.model)
    fit(task, run, Course(steps=4, lr=1e-3, batch_size=2))
    after = ISTFTVocoder.from_pretrained(run / "parts" / "vocoder").state_dict()
    unchanged = {name for name in before if torch.equal(before[name], after[name])}
    assert unchanged == {name for name in before if name.startswith(("postfilter.", "refiner."))}


@pytest.mark.slow
def test_the_refiner_learns_alone(run):
    task = short(TrainRefiner, run)
    task.frames = 96
    before = weights(ISTFTVocoder.from_pretrained(run / "parts" / "vocoder"))
    fit(task, run, Course(steps=4, lr=1e-3, batch_size=2))
    after = ISTFTVocoder.from_pretrained(run / "parts" / "vocoder").state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed and all(name.startswith("refiner.") for name in changed)
    with pytest.raises(InputError, match="train refiner` has gone on with the vocoder"):
        TrainVocoder(run.parent, run)


@pytest.mark.slow
def test_what_is_held_out_is_judged_with_what_was_learnt(run):
    task, held_out = short(TrainRefiner, run), short(TrainRefiner, run)
    task.frames = held_out.frames = 96
    fit(task, run, Course(steps=6, lr=1e-2, batch_size=2, save_every=3), held_out=held_out)
    losses = [float(line.split(",")[1]) for line in (run / "refiner" / "held_out.csv").read_text().splitlines()[1:]]
    assert losses[-1] < losses[0]


def test_the_refiner_is_judged_by_the_sound_of_its_own_frames(run, monkeypatch):
    """The clip's own magnitudes and slopes lose nothing; those of a frame later do, and so do slopes that are a little off."""
    task = short(TrainRefiner, run)
    task.frames = 96
    batch = task.draw(np.random.default_rng(2), 2)
    first, bins = (task.frames - task.heard) // 2 - task.margin, task.model.config.refiner_bins
    whole = torch.stft(batch["waveform"], MEL["n_fft"], HOP, window=torch.hann_window(MEL["n_fft"]), return_complex=True)
    found = []
    for shift, off in ((0, 0.0), (1, 0.0), (0, 0.3)):
        x = whole[..., first + shift :][..., : task.heard + 2 * task.margin]
        logs = x.abs().clamp(min=1e-6).log()
        turns, delays = (x[:, :, 1:] * x[:, :, :-1].conj()).angle(), (x[:, 1:] * x[:, :-1].conj()).angle()
        plain = slopes_of(logs, HOP, MEL["n_fft"])
        nothing = torch.zeros_like
        added = nothing(logs), turns - plain[0] + off, delays - plain[1], nothing(turns), nothing(delays)
        added = [a[:, : bins + a.shape[1] - logs.shape[1]] for a in added]
        monkeypatch.setattr(task.model, "log_magnitudes", lambda _, logs=logs: logs)
        monkeypatch.setattr(task.model.refiner, "forward", lambda *_, added=added: added)
        found.append(task.loss(batch)[1])
    for name in ("sound", "turns"):
        assert found[0][name] < 1e-3 < 0.01 < min(found[1][name], found[2][name])


def test_slopes_count_by_their_loudness():
    later, earlier = torch.tensor([[[1j, 1e-8]]]), torch.tensor([[[1.0 + 0j, 1e-8]]])
    right, wrong = torch.tensor([[[torch.pi / 2, 3.0]]]), torch.tensor([[[-torch.pi / 2, 0.0]]])
    trust = torch.zeros(1, 1, 2)
    assert (slope_errors(right, trust, later, earlier)[:2] < 0.02).all()
    assert (slope_errors(wrong, trust, later, earlier)[:2] > 1.97).all()


def test_trust_is_best_where_it_is_deserved():
    """Of errors drawn from a von Mises distribution its own concentration is the likeliest."""
    errors = torch.from_numpy(np.random.default_rng(0).vonmises(0, 4, (1, 50, 80))).float()
    ones = torch.ones(1, 50, 80, dtype=torch.complex64)
    unlikely = [slope_errors(errors, torch.full((1, 50, 80), float(np.log(k))), ones, ones)[2].item() for k in (1, 2, 4, 8, 16)]
    assert int(np.argmin(unlikely)) == 2


@pytest.mark.slow
def test_the_postfilter_learns_alone(run):
    task = short(TrainPostfilter, run)
    batch = task.draw(np.random.default_rng(4), 2)
    assert batch["waveform"].shape == batch["vocoded"].shape == (2, 40 * HOP)
    assert batch["mels"].shape == (2, 40, MEL["n_mels"])
    before = weights(ISTFTVocoder.from_pretrained(run / "parts" / "vocoder"))
    fit(task, run, Course(steps=4, lr=1e-3, batch_size=2))
    after = ISTFTVocoder.from_pretrained(run / "parts" / "vocoder").state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed and all(name.startswith("postfilter.") for name in changed)
    for earlier in (TrainVocoder, TrainRefiner):
        with pytest.raises(InputError, match="train postfilter` has gone on with the vocoder"):
            earlier(run.parent, run)


def test_the_postfilter_is_judged_at_the_right_time(run):
    """What was vocoded is the real clip: nothing to mend. Half a window later: much."""
    task = short(TrainPostfilter, run)
    batch = task.draw(np.random.default_rng(5), 2)
    right = task.loss(batch | {"vocoded": batch["waveform"]})[0]
    late = task.loss(batch | {"vocoded": batch["waveform"].roll(256, dims=1)})[0]
    assert right < 1e-3 < 0.01 < late


@pytest.mark.parametrize("kind, name", [(TrainPostfilter, "postfilter"), (TrainRefiner, "refiner")])
def test_a_vocoder_without_what_is_to_learn_is_refused(run, kind, name):
    small = {"channels": 16, "hidden": 16, "layers": 1, "postfilter_channels": 0, "refiner_channels": 0}
    ISTFTVocoder(**(VOCODER | small)).save_pretrained(run / "parts" / "vocoder")
    with pytest.raises(InputError, match=f"has no {name}"):
        kind(run.parent, run)
    config = run / "parts" / "vocoder" / "config.json"
    config.write_text(config.read_text().replace(f'"{name}_channels": 0', f'"{name}_channels": 8'))
    assert sum(p.requires_grad for p in kind(run.parent, run).model.parameters())


def test_a_vocoder_of_another_version_is_refused(run):
    config = run / "parts" / "vocoder" / "config.json"
    config.write_text(config.read_text().replace('"refiner_channels": 4', '"refiner_channels": 8'))
    with pytest.raises(InputError, match="of another version of ISTFTVocoder"):
        TrainRefiner(run.parent, run)


def test_filters_undo_what_was_softened():
    """Mels softened in time, in each band in another way, change as quickly as before once they are filtered."""
    torch.manual_seed(0)
    real = torch.randn(4, 2000, 3)
    kernels = torch.tensor([[0.0, 1.0, 0.0], [0.15, 0.7, 0.15], [0.18, 0.64, 0.18]])
    soft = torch.nn.functional.conv1d(real.transpose(1, 2), kernels[:, None], groups=3, padding=1).transpose(1, 2)
    power = [modulation_power(mels, SHARPENING["frames"]) for mels in (real, soft)]
    mel = LogMel(n_mels=3, sharpening_taps=SHARPENING["taps"])
    mel.sharpening.copy_(sharpening_filters(*power, SHARPENING["taps"]))
    assert mel.sharpening.sum(dim=1).tolist() == pytest.approx([1.0] * 3)
    assert (power[1] / power[0]).min() < 0.1
    ratio = modulation_power(mel.sharpened(soft), SHARPENING["frames"]) / power[0]
    assert ratio[:, 2:].sqrt().sub(1).abs().max() < 0.1


@pytest.mark.slow
def test_what_the_vae_softens_is_measured(run, monkeypatch):
    """A VAE that halves all changes is answered by filters that double the quick ones."""
    monkeypatch.setitem(SHARPENING, "clips", 8)
    monkeypatch.setattr("mustango.train.vocoder.through_vae", lambda vae, mel, waveform: mel(waveform)[:, :-1] / 2)
    measure_sharpening(run.parent, run)
    filters = LogMel.from_pretrained(run / "parts" / "mel").sharpening
    gains = torch.fft.rfft(torch.nn.functional.pad(filters, (0, SHARPENING["frames"] - SHARPENING["taps"]))).abs()
    torch.testing.assert_close(gains[:, 8:], torch.full_like(gains[:, 8:], 2.0), atol=0.05, rtol=0)
    assert gains[:, 0].sub(1).abs().max() < 1e-4
