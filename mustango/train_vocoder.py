"""Train the vocoder twice: to give a mel's magnitudes, then by the sound they make.

Magnitudes that are right on average are smooth, fit no waveform and sound dull. In the second training phases are found for them,
then held fixed, and the waveform is judged: critics (discriminators) learn to tell its spectrograms from real ones, after Jang et
al., "UnivNet" (2106.07889), section 2.2; the vocoder learns to pass them while it stays near the target.
Shapes: B batch, T frames, M mel bands, K frequency bins, N samples.
"""

from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

from musicbench import InputError
from mustango.mel import LogMel
from mustango.train import MEL, begin, part, read_crops, save_part, training_rows
from mustango.vocoder import ISTFTVocoder

VOCODER = dict(sample_rate=24000, n_mels=192, n_fft=3072, hop_length=384, channels=256, hidden=768, layers=6)
SPECTRA = {(3072, 384): 1.0, (1024, 256): 0.5}  # (n_fft, hop) of the spectra that are compared: their weights
ALONE, RAMP = 250, 100  # steps in which the critics learn before they are heard, and in which their weight grows


def half_through_vae(vae, mel, mels):
    """Return mels (B, T, M) whose second half went through the VAE, so that a vocoder learns to mend what it does; T: whole rows."""
    half = len(mels) // 2
    with torch.no_grad():
        latents = vae.encode(mel.folded(mels[half:])).latent_dist.mode()
        return torch.cat([mels[:half], mel.unfolded(vae.decode(latents).sample)])


def magnitude_distance(ours, real):
    """Return how far STFT magnitudes (B, K, T) are from the real ones: L1 of roots, relative, and L1 of logs.

    The bins below 3 kHz, where chords are heard, count three times.
    """
    nyquist = MEL["sample_rate"] / 2
    weight = torch.where(torch.linspace(0, nyquist, ours.shape[1])[:, None] < 3000, 3.0, 1.0)
    weight = weight / weight.mean()
    roots = (weight * (ours.sqrt() - real.sqrt()).abs()).mean() / (weight * real.sqrt()).mean()
    logs = (weight * ((ours + 1e-2).log() - (real + 1e-2).log()).abs()).mean()
    return roots, logs


class TrainVocoder:
    """The vocoder's magnitudes, from mels of real clips, half of them through the VAE."""

    name = "vocoder"

    def __init__(self, folder, run, seconds=1.024):
        self.folder, self.rows = folder, training_rows(folder)
        self.mel = LogMel(**MEL)
        self.model = self.vocoder(run)
        self.vae = AutoencoderKL.from_pretrained(part(run, "vae")).eval().requires_grad_(False)
        self.samples = round(seconds * MEL["sample_rate"])

    @staticmethod
    def vocoder(run):
        """Return the vocoder to train."""
        if (Path(run) / "critic" / "state.pt").exists():
            raise InputError(f"critics have gone on with the vocoder of {run}; delete {run}/critic, or use a new run folder")
        model = begin(ISTFTVocoder, VOCODER, run, "vocoder")
        if not (Path(run) / "parts" / "vocoder").is_dir():
            model.start_from_mels()
        return model

    def sounds(self, rng, size):
        """Return mels (B, T, M), half of them through the VAE, and waveforms (B, N) that reach a window over both ends."""
        waveform = read_crops(self.rows, self.folder, rng, size, self.samples + 2 * MEL["n_fft"])
        waveform *= torch.from_numpy(rng.uniform(0.4, 1.2, (size, 1)).astype(np.float32))
        mels = self.mel(waveform)
        return half_through_vae(self.vae, self.mel, mels[:, : mels.shape[1] // 8 * 8]), waveform

    def batch(self, rng, size):
        mels, waveform = self.sounds(rng, size)
        window = torch.hann_window(MEL["n_fft"])
        magnitudes = torch.stft(waveform, MEL["n_fft"], MEL["hop_length"], window=window, return_complex=True).abs()
        first, count = MEL["n_fft"] // MEL["hop_length"], self.samples // MEL["hop_length"]
        return mels[:, first : first + count], magnitudes[..., first : first + count]

    def loss(self, batch):
        mels, real = batch
        roots, logs = magnitude_distance(self.model.magnitudes(mels), real)
        return 2 * roots + logs, {"roots": roots.item(), "logs": logs.item()}

    def save(self, parts):
        save_part(self.model, parts / "vocoder")


def spectrum(waveform, n_fft, hop_length):
    """Return STFT magnitudes (B, K, T) of waveforms (B, N), no frame reaching over an end."""
    window = torch.hann_window(n_fft)
    return torch.stft(waveform, n_fft, hop_length, window=window, center=False, return_complex=True).abs()


def spectral_distance(ours, real, n_fft, hop_length):
    """Return how far waveforms (B, N) are apart by their magnitudes, see `magnitude_distance`."""
    roots, logs = magnitude_distance(*(spectrum(x, n_fft, hop_length).clamp(min=1e-7) for x in (ours, real)))
    return 2 * roots + logs


class Critic(nn.Module):
    """Call patches of a log-spectrogram real (1) or made (0). The frequency is given as a second channel."""

    def __init__(self, n_fft, hop_length, channels=16):
        super().__init__()
        self.n_fft, self.hop_length = n_fft, hop_length
        self.register_buffer("height", torch.linspace(-1, 1, n_fft // 2 + 1)[:, None], persistent=False)
        widths = [2, channels, 2 * channels, 4 * channels, 4 * channels]
        shapes = [(9, (3, 1)), (9, (3, 1)), (5, (2, 2)), (5, (2, 1))]  # bins a patch, strides in frequency and time
        self.layers = nn.ModuleList(
            weight_norm(nn.Conv2d(before, after, (high, 3), stride, padding=(high // 2, 1)))
            for before, after, (high, stride) in ((*pair, shape) for pair, shape in zip(pairwise(widths), shapes, strict=True))
        )
        self.head = weight_norm(nn.Conv2d(4 * channels, 1, 3, padding=1))

    def forward(self, waveform):
        """Return verdicts on waveforms (B, N) and the features of every layer, which are compared too."""
        logs = (spectrum(waveform, self.n_fft, self.hop_length).clamp(min=1e-4).log() + 3) / 3
        x = torch.stack([logs, self.height.expand_as(logs)], dim=1)
        features = []
        for layer in self.layers:
            x = F.leaky_relu(layer(x), 0.2)
            features.append(x)
        return self.head(x), features


class TrainVocoderWithCritics(TrainVocoder):
    """The vocoder by its sound: spectra of its waveform against the real one's, and critics (least squares, features matched).

    The critics learn alone for ALONE steps, then count more and more for RAMP steps.
    """

    name = "critic"

    def __init__(self, folder, run, seconds=1.024, critic_lr=6e-4):
        super().__init__(folder, run, seconds)
        self.critics = nn.ModuleList([Critic(MEL["n_fft"], MEL["hop_length"]), Critic(768, 192)])
        self.optimizer = torch.optim.AdamW(self.critics.parameters(), lr=critic_lr, betas=(0.8, 0.99))
        self.companions = {"critics": self.critics, "critics_optimizer": self.optimizer}

    @staticmethod
    def vocoder(run):
        return ISTFTVocoder.from_pretrained(part(run, "vocoder"), dtype=torch.float32)

    def batch(self, rng, size):
        """Return mels (B, T, M) and the waveform from the first frame's centre to the last's, (B, (T - 1) * hop_length)."""
        hop = MEL["hop_length"]
        margin = MEL["n_fft"] // 2 // hop  # frames whose windows reach over an end
        mels, waveform = self.sounds(rng, size)
        last = mels.shape[1] - margin
        return mels[:, margin:last], waveform[:, margin * hop : (last - 1) * hop]

    def loss(self, batch):
        mels, real = batch
        magnitudes = self.model.magnitudes(mels)
        ours = self.model.invert(torch.polar(magnitudes, self.model.phases(magnitudes)))
        inside = slice(MEL["n_fft"] // 2, -(MEL["n_fft"] // 2))
        ours, real = ours[:, inside], real[:, inside]
        spectra = sum(weight * spectral_distance(ours, real, *sizes) for sizes, weight in SPECTRA.items())
        taught = self._teach(ours.detach(), real)
        ramp = min(max((self._lessons() - ALONE) / RAMP, 0.0), 1.0)
        adversarial, features = self._judged(ours, real) if ramp else (torch.zeros(()), torch.zeros(()))
        terms = {"spectra": spectra, "critics": taught, "adversarial": adversarial, "features": features}
        return spectra + ramp * (adversarial + features), {name: term.item() for name, term in terms.items()}

    def _lessons(self):
        """Return how many steps the critics have had."""
        state = next(iter(self.optimizer.state.values()), None)
        return int(state["step"]) if state else 0

    def _teach(self, ours, real):
        """Take a step with the critics; returns their loss."""
        loss = sum((c(real)[0] - 1).square().mean() + c(ours)[0].square().mean() for c in self.critics)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if not torch.isfinite(nn.utils.clip_grad_norm_(self.critics.parameters(), 10.0)):
            raise RuntimeError("critic: the critics' gradient is not finite; the last saved state is kept")
        self.optimizer.step()
        return loss.detach()

    def _judged(self, ours, real):
        """Return how far the critics' verdicts on ours are from "real", and how far their features are apart, relative."""
        self.critics.requires_grad_(False)
        adversarial = features = 0.0
        for critic in self.critics:
            verdict, seen = critic(ours)
            with torch.no_grad():
                wanted = critic(real)[1]
            adversarial = adversarial + (verdict - 1).square().mean()
            features = features + sum((a - b).abs().mean() / b.abs().mean() for a, b in zip(seen, wanted, strict=True)) / len(
                wanted
            )
        self.critics.requires_grad_(True)
        return adversarial, features
