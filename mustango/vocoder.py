"""Mel -> waveform: ConvNeXt blocks at frame rate give STFT magnitudes, whose slopes, mended by a refiner where chords are heard,
give the phases; a postfilter mends what is smeared.

Blocks after Siuzdak, "Vocos: Closing the gap between time-domain and Fourier-based neural vocoders" (2306.00814), section 3. Phases
after Prusa, Balazs and Sondergaard, "A noniterative method for reconstruction of phase from STFT magnitude" (1609.00291). Postfilter:
the idea of Kaneko et al., "Generative adversarial network-based postfilter for STFT spectrograms" (Interspeech 2017), as gains.
Shapes: B batch, T frames, M mel bands, C channels, K frequency bins, N samples.
"""

import math

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from librosa.filters import mel as mel_filters
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order, minimum_spanning_tree
from torch import nn

HANN_WIDTH = 0.25645  # a Hann window of length L is nearly the Gaussian exp(-pi t^2 / (HANN_WIDTH L^2))
QUIETEST = 1e-6  # magnitude
# Magnitudes that fit no waveform cancel out in part, which dulls the sound; a step mends most of it, more change nothing one hears.
GRIFFIN_LIM_STEPS = 1


def loudest_tree(logs):
    """Return the maximal spanning tree of log-magnitudes (K, T): nodes are bins, edges lead to the four bins around, as loud as both ends.

    Given as the bin before each on the way from the loudest bin, which stands for itself, (K * T,), int32. Built after Boruvka: the
    edge to the loudest bin around belongs to the tree, and joins bins to hills; what is left is the tree of the edges between hills.
    """
    bins, frames = logs.shape
    nodes = np.arange(logs.size, dtype=np.int32).reshape(logs.shape)
    padded = np.pad(logs, 1, constant_values=-np.inf)
    # The last node first: of equals argmax takes it, so that no ring of equals arises.
    around = np.stack([padded[2:, 1:-1], padded[1:-1, 2:], padded[1:-1, :-2], padded[:-2, 1:-1]])
    upwards = nodes + np.array([frames, 1, -1, -frames], dtype=np.int32)[around.argmax(axis=0)]
    nodes, upwards = nodes.ravel(), upwards.ravel()
    hill = np.where(upwards[upwards] == nodes, np.minimum(nodes, upwards), upwards)
    while (hill != hill[hill]).any():
        hill = hill[hill]

    grid, logs = nodes.reshape(bins, frames), logs.ravel()
    edges = np.concatenate([[grid[:, :-1].ravel(), grid[:, 1:].ravel()], [grid[:-1].ravel(), grid[1:].ravel()]], axis=1)
    edges = edges[:, hill[edges[0]] != hill[edges[1]]]
    edges = edges[:, np.argsort(-logs[edges].sum(axis=0))]  # the loudest first
    ends = np.sort(hill[edges], axis=0).astype(np.int64)
    _, loudest = np.unique(ends[0] * logs.size + ends[1], return_index=True)  # of each pair of hills
    ends, edges = ends[:, loudest], edges[:, loudest]
    _, ends = np.unique(ends, return_inverse=True)
    hills = ends.max(initial=0) + 1
    kept = minimum_spanning_tree(csr_array((loudest + 1, ends.reshape(edges.shape)), shape=(hills, hills)))
    edges = edges[:, np.isin(loudest + 1, kept.data)]

    ends = np.concatenate([[nodes, upwards], edges], axis=1)
    root = int(logs.argmax())
    _, before = breadth_first_order(csr_array((np.ones(ends.shape[1]), ends), shape=(logs.size, logs.size)), root, directed=False)
    before[root] = root
    return before


def slopes_of(logs, hop_length, n_fft):
    """Return how the phases of log-magnitudes (B, K, T) of a Hann window's STFT move: turns (B, K, T - 1), delays (B, K - 1, T).

    For a Gaussian window the slopes of the log-magnitude are the slopes of the phase: along frequency they tell how far a bin
    turns from frame to frame, along time how the phase moves from bin to bin.
    """
    width = HANN_WIDTH * n_fft / hop_length
    advance = 2 * torch.pi * (hop_length / n_fft * torch.arange(logs.shape[1]) % 1).to(logs)[:, None]  # of a bin's own frequency
    along_frequency, along_time = torch.gradient(logs, dim=(1, 2))
    turns = advance + along_frequency / width
    delays = -torch.pi - width * along_time  # phases count from the start of the window
    return (turns[:, :, 1:] + turns[:, :, :-1]) / 2, (delays[:, 1:] + delays[:, :-1]) / 2


def phases_of(logs, turns, delays):
    """Return phases (K, T) of log-magnitudes (K, T), up to one constant, from turns (K, T - 1) and delays (K - 1, T).

    These are summed up outwards from the loudest bin, along the spanning tree of the loudest ways, so that errors made in silence
    stay there.
    """
    before, nodes = loudest_tree(logs), np.arange(logs.size)
    turns, delays = np.pad(turns, ((0, 0), (0, 1))).ravel(), np.pad(delays, ((0, 1), (0, 0))).ravel()
    step, first = nodes - before, np.minimum(nodes, before)  # 1 a frame, T a bin
    phases = np.sign(step) * np.where(np.abs(step) == 1, turns[first], delays[first]).astype(np.float64)
    root = logs.argmax()
    while (before != root).any():  # each round adds a way twice as long
        phases += phases[before]
        before = before[before]
    return phases.reshape(logs.shape)


def band_shares(mel_basis):
    """Return how much of each bin lies in each band (K, M), in all 1, of a mel basis (M, K)."""
    return (mel_basis / mel_basis.sum(dim=0).clamp(min=1e-8)).T


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


class Refiner(nn.Module):
    """Corrections to what log-magnitudes' slopes tell of the phases, in the lowest bins, where chords are heard.

    Where partials meet, slightly wrong magnitudes have quite wrong slopes. Convolutions over frequency and time see the ridges and
    zeros around; `place` tells them where they are on the mel scale, whose bands are wider above. After Masuyama et al., "Phase
    reconstruction based on recurrent phase unwrapping with deep neural networks" (ICASSP 2020). Untrained, it changes nothing.
    """

    def __init__(self, mel_basis, bins, channels, dilations=(1, 2, 4, 4)):
        super().__init__()
        self.register_buffer("shares", band_shares(mel_basis)[:bins], persistent=False)
        self.embed = nn.Conv2d(4, channels, 3, padding=1)
        self.place = nn.Parameter(0.02 * torch.randn(channels, bins, 1))
        self.first = nn.ModuleList(nn.Conv2d(channels, channels, 3, padding=(1, d), dilation=(1, d)) for d in dilations)
        self.second = nn.ModuleList(nn.Conv2d(channels, channels, 3, padding=1) for _ in dilations)
        self.head = nn.Conv2d(channels, 2, 3, padding=1)
        for layer in (*self.second, self.head):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, logs, mels):
        """Return what to add to turns (B, K, T - 1) and delays (B, K - 1, T) of log-magnitudes (B, K, T); mels (B, T, M)."""
        along_frequency, along_time = torch.gradient(logs, dim=(1, 2))
        bands = torch.einsum("km,btm->bkt", self.shares.to(mels.dtype), mels)
        x = torch.stack([logs / 3, along_frequency.clamp(-3, 3), along_time.clamp(-3, 3), bands], dim=1)
        x = x.to(mels.dtype).contiguous(memory_format=torch.channels_last)  # twice as fast on a CPU
        x = self.embed(x) + self.place
        for first, second in zip(self.first, self.second, strict=True):
            x = x + second(F.gelu(first(F.gelu(x))))
        turned, delayed = self.head(F.gelu(x)).float().unbind(dim=1)
        return turned[:, :, :-1], delayed[:, :-1]


class Postfilter(nn.Module):
    """Gains for the spectrum of a vocoded waveform in windows a third as long as the vocoder's, two a mel frame.

    Magnitudes that fit no waveform leave onsets smeared over the long window; in short ones, beside the mel, that can be seen
    and mended. Untrained, it changes nothing.
    """

    def __init__(self, n_mels, n_fft, hop_length, channels, layers=5):
        super().__init__()
        self.n_fft, self.hop_length = n_fft // 6 * 2, hop_length // 2
        bins = self.n_fft // 2 + 1
        self.embed = nn.Conv1d(n_mels + bins, channels, 3, padding=1)
        self.norm_in = nn.LayerNorm(channels, eps=1e-6)
        self.blocks = nn.ModuleList(ConvNeXtBlock(channels, 3 * channels, 1 / layers) for _ in range(layers))
        self.norm_out = nn.LayerNorm(channels, eps=1e-6)
        self.head = nn.Linear(channels, bins)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def log_gains(self, magnitudes, mels):
        """Return log-gains (B, K, T) within +-3 for magnitudes (B, K, T) and mels (B, T, M) at the same frames."""
        logs = (magnitudes + 1e-3).log() / 3 + 1
        x = torch.cat([mels.transpose(1, 2), logs.to(mels.dtype)], dim=1)
        x = self.norm_in(self.embed(x).transpose(1, 2))
        for block in self.blocks:
            x = block(x)
        return 3 * torch.tanh(self.head(self.norm_out(x)).float() / 3).transpose(1, 2)

    def forward(self, waveform, mels, strength=1.0):
        """Return the waveform (B, T * hop) mended; `mels` (B, T, M) are those it was made of. strength: the gains' exponent."""
        window = torch.hann_window(self.n_fft, device=waveform.device)
        spectrum = torch.stft(waveform, self.n_fft, self.hop_length, window=window, return_complex=True)
        mels = torch.cat([mels.repeat_interleave(2, dim=1), mels[:, -1:]], dim=1)
        gains = (strength * self.log_gains(spectrum.abs(), mels)).exp()
        return torch.istft(spectrum * gains, self.n_fft, self.hop_length, window=window, length=waveform.shape[1])


class ISTFTVocoder(ModelMixin, ConfigMixin):
    """Predict the magnitudes of a short-time spectrum from mel frames, find phases for them, invert, and mend the result.

    The window is as long as the mel's, so that a bin holds one partial of a chord and its magnitude follows from the mel.
    `f_max` to `std`: the mel front end's (`mustango.mel.LogMel`). postfilter_channels, refiner_channels: 0 for no postfilter or
    refiner; the refiner mends the lowest `refiner_bins`, at the defaults those below 3 kHz.
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
        f_max: float = 12000.0,
        htk: bool = True,
        mean: float = -3.25,
        std: float = 2.0,
        postfilter_channels: int = 0,
        refiner_channels: int = 0,
        refiner_bins: int = 384,
    ):
        super().__init__()
        bins = n_fft // 2 + 1
        assert not refiner_channels or refiner_bins <= bins
        basis = torch.from_numpy(mel_filters(sr=sample_rate, n_fft=n_fft, n_mels=n_mels, fmax=f_max, htk=htk))
        self.register_buffer("mel_basis", basis, persistent=False)  # (M, K)
        self.embed = nn.Conv1d(n_mels, channels, 7, padding=3)
        self.norm_in = nn.LayerNorm(channels, eps=1e-6)
        self.blocks = nn.ModuleList(ConvNeXtBlock(channels, hidden, 1 / layers) for _ in range(layers))
        self.norm_out = nn.LayerNorm(channels, eps=1e-6)
        self.head = nn.Linear(channels, bins)
        self.skip = nn.Linear(n_mels, bins)
        self.refiner = Refiner(basis, refiner_bins, refiner_channels) if refiner_channels else None
        self.postfilter = Postfilter(n_mels, n_fft, hop_length, postfilter_channels) if postfilter_channels else None

    @torch.no_grad()
    def start_from_mels(self):
        """Set the skip layer so that an untrained vocoder's magnitudes are the mel's bands, interpolated."""
        shares = band_shares(self.mel_basis)
        self.skip.weight.copy_(shares * self.config.std)
        self.skip.bias.copy_(shares @ (self.config.mean - self.mel_basis.sum(dim=1).log()))

    def log_magnitudes(self, mels):
        """Return the logs of STFT magnitudes (B, K, T), QUIETEST or louder, of normalised log-mels (B, T, M)."""
        x = self.norm_in(self.embed(mels.transpose(1, 2)).transpose(1, 2))
        for block in self.blocks:
            x = block(x)
        return (self.skip(mels) + self.head(self.norm_out(x))).float().clamp(math.log(QUIETEST), 8).transpose(1, 2)

    def magnitudes(self, mels):
        """Return STFT magnitudes (B, K, T) of normalised log-mels (B, T, M)."""
        return self.log_magnitudes(mels).exp()

    def invert(self, spectrum):
        """Return the waveform (B, (T - 1) * hop_length) of a complex spectrum (B, K, T)."""
        c = self.config
        window = torch.hann_window(c.n_fft, device=spectrum.device)
        return torch.istft(spectrum, c.n_fft, c.hop_length, window=window, length=(spectrum.shape[2] - 1) * c.hop_length)

    def slopes(self, logs, mels):
        """Return turns (B, K, T - 1) and delays (B, K - 1, T) of log-magnitudes (B, K, T), mended by the refiner if there is one."""
        turns, delays = slopes_of(logs, self.config.hop_length, self.config.n_fft)
        if self.refiner is not None:
            bins = self.config.refiner_bins
            clips = zip(logs[:, :bins].split(1), mels.split(1), strict=True)  # one by one, which bounds memory
            turned, delayed = (torch.cat(x) for x in zip(*(self.refiner(*clip) for clip in clips), strict=True))
            turns = torch.cat([turns[:, :bins] + turned, turns[:, bins:]], dim=1)
            delays = torch.cat([delays[:, : bins - 1] + delayed, delays[:, bins - 1 :]], dim=1)
        return turns, delays

    @torch.no_grad()
    def phases(self, logs, turns, delays):
        """Return phases (B, K, T) for log-magnitudes (B, K, T), whose phases move by turns and delays."""
        c, clips = self.config, zip(*(x.cpu().numpy() for x in (logs, turns, delays)), strict=True)
        phases = torch.from_numpy(np.stack([phases_of(*clip) for clip in clips]) % (2 * np.pi)).to(logs)
        magnitudes, window = logs.exp(), torch.hann_window(c.n_fft, device=logs.device)
        for _ in range(GRIFFIN_LIM_STEPS):
            waveform = self.invert(torch.polar(magnitudes, phases))
            phases = torch.stft(waveform, c.n_fft, c.hop_length, window=window, return_complex=True).angle()
        return phases

    def unfiltered(self, mels):
        """Return the waveform (B, T * hop_length) of normalised log-mels (B, T, M), as it is before the postfilter."""
        mels = torch.cat([mels, mels[:, -1:]], dim=1)
        logs = self.log_magnitudes(mels)
        return self.invert(torch.polar(logs.exp(), self.phases(logs, *self.slopes(logs, mels))))

    def forward(self, mels, postfilter_strength=1.0):
        """Return the waveform (B, T * hop_length) of normalised log-mels (B, T, M). postfilter_strength: its gains' exponent."""
        waveform = self.unfiltered(mels)
        return waveform if self.postfilter is None else self.postfilter(waveform, mels, postfilter_strength)
