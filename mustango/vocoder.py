"""Mel -> waveform: ConvNeXt blocks at frame rate give STFT magnitudes, which are refined with phases until they fit the mel.

Blocks after Siuzdak, "Vocos: Closing the gap between time-domain and Fourier-based neural vocoders" (2306.00814), section 3.
Shapes: B batch, T frames, M mel bands, C channels, K frequency bins, N samples.
"""

import torch
import torch.nn.functional as F
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from librosa.filters import mel as mel_filters
from torch import nn


class ConvNeXtBlock(nn.Module):
    """Depthwise convolution in time, then a two-layer perceptron per frame, with a learned residual scale."""

    def __init__(self, channels, hidden, scale):
        super().__init__()
        self.depthwise = nn.Conv1d(channels, channels, 7, padding=3, groups=channels)
        self.norm = nn.LayerNorm(channels, eps=1e-6)
        self.expand = nn.Linear(channels, hidden)
        self.project = nn.Linear(hidden, channels)
        self.scale = nn.Parameter(torch.full((channels,), scale))

    def forward(self, x):
        h = self.depthwise(x.transpose(1, 2)).transpose(1, 2)
        return x + self.scale * self.project(F.gelu(self.expand(self.norm(h))))


class ISTFTVocoder(ModelMixin, ConfigMixin):
    """Predict the magnitudes of a short-time spectrum from mel frames, find phases for them, invert.

    The window is as long as the mel's, so that a bin holds one partial of a chord and its magnitude follows from the mel.
    refine_steps: fast Griffin-Lim steps (Perraudin et al. 2013) after the single-pass phases. fit_below: up to this frequency in
    Hz they fit magnitudes to the mel. `f_max` to `std`: the mel front end's (`mustango.mel.LogMel`).
    """

    @register_to_config
    def __init__(
        self,
        sample_rate: int = 24000,
        n_mels: int = 192,
        n_fft: int = 3072,
        hop_length: int = 384,
        channels: int = 256,
        hidden: int = 768,
        layers: int = 6,
        refine_steps: int = 32,
        fit_below: float = 500.0,
        f_max: float = 12000.0,
        htk: bool = True,
        mean: float = -3.25,
        std: float = 2.0,
    ):
        super().__init__()
        bins = n_fft // 2 + 1
        basis = torch.from_numpy(mel_filters(sr=sample_rate, n_fft=n_fft, n_mels=n_mels, fmax=f_max, htk=htk))
        self.register_buffer("mel_basis", basis, persistent=False)  # (M, K)
        self.embed = nn.Conv1d(n_mels, channels, 7, padding=3)
        self.norm_in = nn.LayerNorm(channels, eps=1e-6)
        self.blocks = nn.ModuleList(ConvNeXtBlock(channels, hidden, 1 / layers) for _ in range(layers))
        self.norm_out = nn.LayerNorm(channels, eps=1e-6)
        self.head = nn.Linear(channels, bins)
        self.skip = nn.Linear(n_mels, bins)

    @torch.no_grad()
    def start_from_mels(self):
        """Set the skip layer so that an untrained vocoder's magnitudes are the mel's bands, interpolated."""
        basis = self.mel_basis
        shares = (basis / basis.sum(dim=0).clamp(min=1e-8)).T
        self.skip.weight.copy_(shares * self.config.std)
        self.skip.bias.copy_(shares @ (self.config.mean - basis.sum(dim=1).log()))

    def magnitudes(self, mels):
        """Return STFT magnitudes (B, K, T) of normalised log-mels (B, T, M)."""
        x = self.norm_in(self.embed(mels.transpose(1, 2)).transpose(1, 2))
        for block in self.blocks:
            x = block(x)
        return (self.skip(mels) + self.head(self.norm_out(x))).float().clamp(max=8).exp().transpose(1, 2)

    def phasors(self, magnitude):
        """Return unit phasors (B, K, T) in a single pass over magnitudes (after Beauregard et al. 2015).

        Every bin follows the strongest bin within a window's main lobe and turns at that peak's interpolated frequency.
        """
        c = self.config
        logs = magnitude.clamp(min=1e-5).log()
        below, above = logs.roll(1, dims=1), logs.roll(-1, dims=1)
        bend = (below - 2 * logs + above).clamp(max=-1e-3)
        frequency = torch.arange(logs.shape[1], device=logs.device)[:, None] + (0.5 * (below - above) / bend).clamp(-0.5, 0.5)
        lobe = F.pad(logs, (0, 0, 2, 2), value=-1e9).unfold(1, 5, 1).argmax(dim=-1)  # 0..4: the peak lies 2 below .. 2 above
        peak = (torch.arange(logs.shape[1], device=logs.device)[:, None] + lobe - 2).clamp(0, logs.shape[1] - 1)
        turn = 2 * torch.pi * c.hop_length / c.n_fft * frequency.gather(1, peak)
        angle, angles = torch.zeros_like(turn[..., 0]), []
        for t in range(turn.shape[2]):
            angle = angle.gather(1, peak[..., t]) + turn[..., t]
            angles.append(angle)
        # A partial's bins alternate in sign, since phases count from the start of the window.
        angles = torch.stack(angles, dim=2) + torch.pi * torch.arange(logs.shape[1], device=logs.device)[:, None]
        return torch.polar(torch.ones_like(angles), angles.remainder(2 * torch.pi))

    def refined(self, mels, magnitude, phasor, momentum=0.99):
        """Return a spectrum (B, K, T) that is nearly the STFT of a waveform, from magnitudes, phasors (B, K, T) and mels (B, T, M).

        Fast Griffin-Lim with the given magnitudes above `fit_below`. Below, where the partials of a chord share bins, it holds to
        the mels instead: a step takes the waveform's own magnitudes and multiplies each bin by the mean ratio of wanted to present
        mel in the bands that it feeds, which keeps the beating of two partials that a network smooths away.
        """
        c = self.config
        window = torch.hann_window(c.n_fft, device=magnitude.device)
        low = min(int(c.fit_below * c.n_fft / c.sample_rate), magnitude.shape[1])
        bands = int((self.mel_basis[:, :low] > 0).any(dim=1).sum())  # those that the low bins feed
        basis = self.mel_basis[:bands].float()
        shares = (basis / basis.sum(dim=0).clamp(min=1e-8)).T[:low]  # (low, bands)
        wanted = (mels[..., :bands].float() * c.std + c.mean).exp().transpose(1, 2)
        previous = torch.zeros_like(phasor)
        for _ in range(c.refine_steps):
            consistent = torch.stft(self.invert(magnitude * phasor), c.n_fft, c.hop_length, window=window, return_complex=True)
            phasor = consistent - momentum / (1 + momentum) * previous
            phasor = phasor / phasor.abs().clamp(min=1e-8)
            previous, own = consistent, consistent.abs().clamp(min=1e-5)
            fitted = own[:, :low] * (shares @ (wanted / (basis @ own).clamp(min=1e-5)).clamp(0.1, 10))
            magnitude = torch.cat([fitted, magnitude[:, low:]], dim=1)
        return magnitude * phasor

    def invert(self, spectrum):
        """Return the waveform (B, (T - 1) * hop_length) of a complex spectrum (B, K, T)."""
        c = self.config
        window = torch.hann_window(c.n_fft, device=spectrum.device)
        return torch.istft(spectrum, c.n_fft, c.hop_length, window=window, length=(spectrum.shape[2] - 1) * c.hop_length)

    def forward(self, mels):
        """Return the waveform (B, T * hop_length) of normalised log-mels (B, T, M)."""
        mels = torch.cat([mels, mels[:, -1:]], dim=1)
        magnitude = self.magnitudes(mels)
        return self.invert(self.refined(mels, magnitude, self.phasors(magnitude)))
