"""The vocoder's second training: phases are found for its magnitudes, then held fixed, and the waveform is judged.

Magnitudes that are right on average are smooth, fit no waveform and sound dull. Critics (discriminators) learn to tell them from
real ones, after Jang et al., "UnivNet" (2106.07889), section 2.2; the vocoder learns to pass them while it stays near the target.
Shapes: B batch, T frames, M mel bands, K frequency bins, N samples.
"""

from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

from mustango.mel import LogMel
from mustango.train import MEL, half_through_vae, magnitude_distance, part, read_crops, save_part, training_rows
from mustango.vocoder import ISTFTVocoder

SPECTRA = {(3072, 384): 1.0, (1024, 256): 0.5}  # (n_fft, hop) of the spectra that are compared: their weights
ALONE, RAMP = 250, 100  # steps in which the critics learn before they are heard, and in which their weight grows


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


class TrainVocoderWithCritics:
    """The vocoder by its sound: spectra of its waveform against the real one's, and critics (least squares, features matched).

    The critics learn alone for ALONE steps, then count more and more for RAMP steps.
    """

    name = "critic"

    def __init__(self, folder, run, seconds=1.024, critic_lr=6e-4):
        self.folder, self.rows = folder, training_rows(folder)
        self.mel = LogMel(**MEL)
        self.model = ISTFTVocoder.from_pretrained(part(run, "vocoder"), dtype=torch.float32)
        self.vae = AutoencoderKL.from_pretrained(part(run, "vae")).eval().requires_grad_(False)
        self.samples = round(seconds * MEL["sample_rate"])
        self.critics = nn.ModuleList([Critic(MEL["n_fft"], MEL["hop_length"]), Critic(768, 192)])
        self.optimizer = torch.optim.AdamW(self.critics.parameters(), lr=critic_lr, betas=(0.8, 0.99))
        self.companions = {"critics": self.critics, "critics_optimizer": self.optimizer}

    def batch(self, rng, size):
        """Return mels (B, T, M) and the waveform from the first frame's centre to the last's, (B, (T - 1) * hop_length)."""
        hop = MEL["hop_length"]
        margin = MEL["n_fft"] // 2 // hop  # frames whose windows reach over an end
        waveform = read_crops(self.rows, self.folder, rng, size, self.samples + 2 * MEL["n_fft"])
        waveform *= torch.from_numpy(rng.uniform(0.4, 1.2, (size, 1)).astype(np.float32))
        mels = self.mel(waveform)
        mels = half_through_vae(self.vae, self.mel, mels[:, : mels.shape[1] // 8 * 8])
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

    def save(self, parts):
        save_part(self.model, parts / "vocoder")
