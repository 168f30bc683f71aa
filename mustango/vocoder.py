"""Mel -> waveform: ConvNeXt blocks at frame rate and an inverse-STFT head, then a few Griffin-Lim steps.

Blocks after Siuzdak, "Vocos: Closing the gap between time-domain and Fourier-based neural vocoders" (2306.00814), section 3.
Shapes: B batch, T frames, M mel bands, C channels, K frequency bins, N samples.
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
    """Predict magnitude and phase of a short-time spectrum from mel frames and invert it.

    The window is as long as the mel's, so that a bin holds one partial of a chord and its magnitude follows from the mel
    almost at once. refine_steps: fast Griffin-Lim steps (Perraudin et al. 2013) that make the predicted phases consistent.
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
    ):
        super().__init__()
        bins = n_fft // 2 + 1
        self.embed = nn.Conv1d(n_mels, channels, 7, padding=3)
        self.norm_in = nn.LayerNorm(channels, eps=1e-6)
        self.blocks = nn.ModuleList(ConvNeXtBlock(channels, hidden, 1 / layers) for _ in range(layers))
        self.norm_out = nn.LayerNorm(channels, eps=1e-6)
        self.head = nn.Linear(channels, 4 * bins)
        self.skip = nn.Linear(n_mels, bins)
        advance = 2 * torch.pi * (torch.arange(bins) * hop_length % n_fft) / n_fft
        self.register_buffer("advance", advance, persistent=False)

    @torch.no_grad()
    def start_from(self, mel):
        """Set the skip layer so that an untrained vocoder's magnitudes are the front end's bands, interpolated."""
        basis = mel.mel_basis  # (M, K)
        shares = (basis / basis.sum(dim=0).clamp(min=1e-8)).T
        self.skip.weight.copy_(shares * mel.config.std)
        self.skip.bias.copy_(shares @ (mel.config.mean - basis.sum(dim=1).log()))

    def predict(self, mels):
        """Return magnitudes and unit phasors (B, K, T + 1) of mels (B, T, M).

        A convolution cannot turn a phase steadily, since a steady tone's frames look all alike to it. So each bin's phase is
        that of a state that turns by a predicted angle every frame (bin centre plus offset) and is pulled, by a predicted
        amount, to a predicted phase: held notes keep turning, onsets start anew.
        """
        mels = torch.cat([mels, mels[:, -1:]], dim=1)
        x = self.norm_in(self.embed(mels.transpose(1, 2)).transpose(1, 2))
        for block in self.blocks:
            x = block(x)
        correction, offset, hold, phase = self.head(self.norm_out(x)).float().chunk(4, dim=-1)
        magnitude = (self.skip(mels).float() + correction).clamp(max=8).exp()
        hold = torch.sigmoid(hold + 2)
        turn = torch.polar(hold, self.advance + torch.pi * torch.tanh(offset))
        pull = torch.polar(1 - hold, phase)
        state, states = torch.zeros_like(pull[:, 0]), []
        for t in range(pull.shape[1]):
            state = turn[:, t] * state + pull[:, t]
            states.append(state)
        state = torch.stack(states, dim=2)
        return magnitude.transpose(1, 2), state / state.abs().clamp(min=1e-3)

    def invert(self, spectrum):
        """Return the waveform (B, T * hop_length) of a complex spectrum (B, K, T + 1)."""
        c = self.config
        window = torch.hann_window(c.n_fft, device=spectrum.device)
        return torch.istft(spectrum, c.n_fft, c.hop_length, window=window, length=(spectrum.shape[2] - 1) * c.hop_length)

    def refined(self, magnitude, phasor, momentum=0.99):
        """Return phasors that agree better with the magnitudes, by fast Griffin-Lim from the ones given."""
        c = self.config
        window = torch.hann_window(c.n_fft, device=magnitude.device)
        previous = torch.zeros_like(phasor)
        for _ in range(c.refine_steps):
            waveform = self.invert(magnitude * phasor)
            consistent = torch.stft(waveform, c.n_fft, c.hop_length, window=window, return_complex=True)
            phasor = consistent - momentum / (1 + momentum) * previous
            phasor = phasor / phasor.abs().clamp(min=1e-8)
            previous = consistent
        return phasor

    def forward(self, mels):
        """Return the waveform (B, T * hop_length) of normalised log-mels (B, T, M)."""
        magnitude, phasor = self.predict(mels)
        return self.invert(magnitude * self.refined(magnitude, phasor))
