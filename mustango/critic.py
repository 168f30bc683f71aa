"""The vocoder's second training: through the phases it finds, judged by what comes out and by critics of its spectrograms.

Magnitudes that are right on average are smooth, fit no waveform and sound dull. Critics (discriminators) learn to tell them from
real ones, after Jang et al., "UnivNet" (2106.07889), section 2.2; the vocoder learns to pass them while it stays near the target.
Shapes: B batch, K frequency bins, T frames, N samples.
"""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

from musicbench.dataset import read_rows
from mustango.mel import LogMel
from mustango.train import MEL, part, read_crops
from mustango.vocoder import ISTFTVocoder

WINDOWS = {3072: 1.0, 1024: 0.5}  # of the spectra that are compared: their weights
ALONE, RAMP = 250, 100  # steps in which the critics learn before they are heard, and in which their weight grows


def spectrum(waveform, n_fft, hop_length):
    """Return STFT magnitudes (B, K, T) of waveforms (B, N), no frame reaching over an end."""
    window = torch.hann_window(n_fft)
    return torch.stft(waveform, n_fft, hop_length, window=window, center=False, return_complex=True).abs()


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
            for before, after, (high, stride) in zip(widths, widths[1:], shapes, strict=False)
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

    Half of the mels come through the VAE, so that it learns to mend what MuNet gives. Bins below 3 kHz count three times.
    """

    name = "critic"

    def __init__(self, folder, run, seconds=1.024, critic_lr=6e-4):
        self.folder, self.rows = folder, read_rows(folder)
        self.mel = LogMel(**MEL)
        self.model = ISTFTVocoder.from_pretrained(part(run, "vocoder"), dtype=torch.float32)
        self.vae = AutoencoderKL.from_pretrained(part(run, "vae")).eval().requires_grad_(False)
        self.samples = round(seconds * MEL["sample_rate"])
        self.critics = nn.ModuleList([Critic(3072, 384), Critic(768, 192)])
        self.optimizer = torch.optim.AdamW(self.critics.parameters(), lr=critic_lr, betas=(0.8, 0.99))
        self.kept = {"critics": self.critics, "critics_optimizer": self.optimizer}

    def batch(self, rng, size):
        """Return mels (B, T, M) and the waveform from the first frame's centre to the last's, (B, (T - 1) * hop_length)."""
        hop, margin = MEL["hop_length"], 4
        waveform = read_crops(self.rows, self.folder, rng, size, self.samples + 2 * MEL["n_fft"])
        waveform *= torch.from_numpy(rng.uniform(0.4, 1.2, (size, 1)).astype(np.float32))
        mels = self.mel(waveform)
        mels = mels[:, : mels.shape[1] // 8 * 8]
        with torch.no_grad():
            latents = self.vae.encode(self.mel.folded(mels[size // 2 :])).latent_dist.mode()
            mels = torch.cat([mels[: size // 2], self.mel.unfolded(self.vae.decode(latents).sample)])
        last = mels.shape[1] - margin
        return mels[:, margin:last], waveform[:, margin * hop : (last - 1) * hop]

    def loss(self, batch):
        mels, real = batch
        magnitudes = self.model.magnitudes(mels)
        ours = self.model.invert(torch.polar(magnitudes, self.model.phases(magnitudes)))
        inside = slice(MEL["n_fft"] // 2, -(MEL["n_fft"] // 2))  # frames over the ends are not whole
        ours, real = ours[:, inside], real[:, inside]
        apart = sum(weight * self._apart(ours, real, n_fft) for n_fft, weight in WINDOWS.items())
        told = self._teach(ours.detach(), real)
        ramp = min(max((self._taught() - ALONE) / RAMP, 0.0), 1.0)
        fooled, unlike = self._judged(ours, real) if ramp else (torch.zeros(()), torch.zeros(()))
        loss = apart + ramp * (fooled + unlike)
        return loss, {"apart": apart.item(), "told": told, "fooled": fooled.item(), "unlike": unlike.item()}

    @staticmethod
    def _apart(ours, real, n_fft):
        hop = n_fft // 8 if n_fft == MEL["n_fft"] else n_fft // 4
        ours, real = (spectrum(x, n_fft, hop).clamp(min=1e-7) for x in (ours, real))
        bins = torch.arange(n_fft // 2 + 1)[:, None]
        weight = torch.where(bins * MEL["sample_rate"] / n_fft < 3000, 3.0, 1.0)
        weight = weight / weight.mean()
        roots = (weight * (ours.sqrt() - real.sqrt()).abs()).mean() / (weight * real.sqrt()).mean()
        logs = (weight * ((ours + 1e-2).log() - (real + 1e-2).log()).abs()).mean()
        return 2 * roots + logs

    def _taught(self):
        """Return how many steps the critics have had."""
        state = next(iter(self.optimizer.state.values()), None)
        return int(state["step"]) if state else 0

    def _teach(self, ours, real):
        loss = sum((c(real)[0] - 1).square().mean() + c(ours)[0].square().mean() for c in self.critics)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def _judged(self, ours, real):
        """Return how far the critics' verdicts on ours are from real, and how far their features are apart, relative."""
        self.critics.requires_grad_(False)
        fooled = unlike = 0.0
        for critic in self.critics:
            verdict, features = critic(ours)
            with torch.no_grad():
                wanted = critic(real)[1]
            fooled = fooled + (verdict - 1).square().mean()
            unlike = unlike + sum((a - b).abs().mean() / b.abs().mean() for a, b in zip(features, wanted, strict=True)) / len(
                wanted
            )
        self.critics.requires_grad_(True)
        return fooled, unlike

    def save(self, parts):
        self.model.save_pretrained(Path(parts) / "vocoder")
