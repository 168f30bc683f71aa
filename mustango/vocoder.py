"""Mel -> waveform: ConvNeXt blocks at frame rate and an inverse-STFT head whose phases turn by themselves.

Blocks after Siuzdak, "Vocos: Closing the gap between time-domain and Fourier-based neural vocoders" (2306.00814), section 3.
Shapes: B batch, T frames, M mel bands, C channels, N samples.
"""

import torch
import torch.nn.functional as F
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
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
    """Predict magnitude and phase of a short-time spectrum from mel frames and invert it."""

    @register_to_config
    def __init__(
        self,
        sample_rate: int = 24000,
        n_mels: int = 192,
        n_fft: int = 1536,
        hop_length: int = 384,
        channels: int = 256,
        hidden: int = 768,
        layers: int = 8,
    ):
        super().__init__()
        self.embed = nn.Conv1d(n_mels, channels, 7, padding=3)
        self.norm_in = nn.LayerNorm(channels, eps=1e-6)
        self.blocks = nn.ModuleList(ConvNeXtBlock(channels, hidden, 1 / layers) for _ in range(layers))
        self.norm_out = nn.LayerNorm(channels, eps=1e-6)
        self.head = nn.Linear(channels, 4 * (n_fft // 2 + 1))
        bins = torch.arange(n_fft // 2 + 1)
        self.register_buffer("advance", 2 * torch.pi * (bins * hop_length % n_fft) / n_fft, persistent=False)

    def spectrum(self, mels):
        """Return the complex spectrum (B, n_fft / 2 + 1, T + 1) of mels (B, T, M).

        A convolution cannot turn a phase steadily, since a steady tone's frames look all alike to it. So each bin's phase is
        that of a state that turns by a predicted angle every frame (bin centre plus offset) and is pulled, by a predicted
        amount, to a predicted phase: held notes keep turning, onsets start anew. Magnitudes are predicted directly.
        """
        mels = torch.cat([mels, mels[:, -1:]], dim=1)
        x = self.norm_in(self.embed(mels.transpose(1, 2)).transpose(1, 2))
        for block in self.blocks:
            x = block(x)
        log_magnitude, offset, hold, phase = self.head(self.norm_out(x)).float().chunk(4, dim=-1)
        hold = torch.sigmoid(hold + 2)
        turn = torch.polar(hold, self.advance + torch.pi * torch.tanh(offset))
        pull = torch.polar(1 - hold, phase)
        state, states = torch.zeros_like(pull[:, 0]), []
        for t in range(pull.shape[1]):
            state = turn[:, t] * state + pull[:, t]
            states.append(state)
        state = torch.stack(states, dim=2)
        magnitude = log_magnitude.clamp(max=6).exp().transpose(1, 2)
        return magnitude * state / state.abs().clamp(min=1e-3)

    def forward(self, mels):
        """Return the waveform (B, T * hop_length) of normalised log-mels (B, T, M)."""
        c = self.config
        window = torch.hann_window(c.n_fft, device=mels.device)
        return torch.istft(self.spectrum(mels), c.n_fft, c.hop_length, window=window, length=mels.shape[1] * c.hop_length)
