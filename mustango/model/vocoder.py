"""Mel -> waveform: ConvNeXt blocks at frame rate give STFT magnitudes, whose slopes give the phases; a refiner mends both where
chords are heard, a postfilter what is smeared.

Blocks after Siuzdak, "Vocos: Closing the gap between time-domain and Fourier-based neural vocoders" (2306.00814), section 3. Phases
after Prusa, Balazs and Sondergaard, "A noniterative method for reconstruction of phase from STFT magnitude" (1609.00291). Postfilter:
the idea of Kaneko et al., "Generative adversarial network-based postfilter for STFT spectrograms" (Interspeech 2017), as gains.
Shapes: B batch, T frames, M mel bands, C channels, K frequency bins, N samples.
"""

import math
from typing import Any

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


def maximum_spanning_tree(along_time: np.ndarray, along_frequency: np.ndarray) -> np.ndarray:
    """Return the maximum spanning tree of a spectrum's bins, for edges' weights from frame to frame (K, T - 1), bin to bin (K - 1, T).

    Given as the bin before each on the way from the first bin, which stands for itself, (K * T,), int32. Built after Boruvka: the
    heaviest edge of each bin belongs to the tree, and joins bins to hills; what is left is the tree of the edges between hills.
    """
    bins, frames = len(along_time), along_frequency.shape[1]
    grid = np.arange(bins * frames, dtype=np.int32).reshape(bins, frames)
    later, above = (np.full(grid.shape, -np.inf, along_time.dtype) for _ in range(2))
    later[:, :-1], above[:-1] = along_time, along_frequency
    # The last node first: of equals argmax takes it, so that no ring of equals arises.
    around = np.stack([above, later, np.roll(later, 1, axis=1), np.roll(above, 1, axis=0)])
    upwards = (grid + np.array([frames, 1, -1, -frames], dtype=np.int32)[around.argmax(axis=0)]).ravel()
    nodes = grid.ravel()
    hill = np.where(upwards[upwards] == nodes, np.minimum(nodes, upwards), upwards)
    while (hill != hill[hill]).any():
        hill = hill[hill]

    edges = np.concatenate([[grid[:, :-1].ravel(), grid[:, 1:].ravel()], [grid[:-1].ravel(), grid[1:].ravel()]], axis=1)
    weights = np.concatenate([along_time.ravel(), along_frequency.ravel()])
    between = hill[edges[0]] != hill[edges[1]]
    edges = edges[:, between][:, np.argsort(-weights[between])]  # the heaviest first
    ends = np.sort(hill[edges], axis=0).astype(np.int64)
    _, heaviest = np.unique(ends[0] * grid.size + ends[1], return_index=True)  # of each pair of hills
    ends, edges = ends[:, heaviest], edges[:, heaviest]
    _, ends = np.unique(ends, return_inverse=True)
    hills = ends.max(initial=0) + 1
    kept = minimum_spanning_tree(csr_array((heaviest + 1, ends.reshape(edges.shape)), shape=(hills, hills)))
    edges = edges[:, np.isin(heaviest + 1, kept.data)]

    ends = np.concatenate([[nodes, upwards], edges], axis=1)
    _, before = breadth_first_order(csr_array((np.ones(ends.shape[1]), ends), shape=(grid.size, grid.size)), 0, directed=False)
    before[0] = 0
    return before


def slopes_of(logs: torch.Tensor, hop_length: int, n_fft: int) -> tuple[torch.Tensor, ...]:
    """Return how the phases of log-magnitudes (B, K, T) of a Hann window's STFT move: turns (B, K, T - 1), delays (B, K - 1, T).

    For a Gaussian window the slopes of the log-magnitude are the slopes of the phase: along frequency they tell how far a bin
    turns from frame to frame, along time how the phase moves from bin to bin. Returned too, in the same shapes, are the weights of
    both, the product of the two bins' magnitudes, as a log: what is loud stands out from the errors.
    """
    width = HANN_WIDTH * n_fft / hop_length
    advance = 2 * torch.pi * (hop_length / n_fft * torch.arange(logs.shape[1]) % 1).to(logs)[:, None]  # of a bin's own frequency
    along_frequency, along_time = torch.gradient(logs, dim=(1, 2))
    turns = advance + along_frequency / width
    delays = -torch.pi - width * along_time  # phases count from the start of the window
    turns, delays = (turns[:, :, 1:] + turns[:, :, :-1]) / 2, (delays[:, 1:] + delays[:, :-1]) / 2
    return turns, delays, logs[:, :, 1:] + logs[:, :, :-1], logs[:, 1:] + logs[:, :-1]


def phases_of(
    turns: torch.Tensor,
    delays: torch.Tensor,
    turn_weights: torch.Tensor,
    delay_weights: torch.Tensor,
) -> torch.Tensor:
    """Return phases (K, T) in double precision, up to one constant, from turns (K, T - 1) and delays (K - 1, T), with gradients.

    These are summed up along the maximum spanning tree of their weights, in the same shapes, so that errors stay where weights are low.
    """
    tree = maximum_spanning_tree(*(weights.detach().cpu().numpy() for weights in (turn_weights, delay_weights)))
    before = torch.from_numpy(tree).to(turns.device).long()
    nodes = torch.arange(len(before), device=turns.device)
    steps, first = nodes - before, torch.minimum(nodes, before)  # a step is 1 a frame, T a bin
    turns, delays = F.pad(turns, (0, 1)).flatten()[first], F.pad(delays, (0, 0, 0, 1)).flatten()[first]
    phases = (steps.sign() * torch.where(steps.abs() == 1, turns, delays)).double()
    while before.any():  # each round adds a way twice as long
        phases = phases + phases.index_select(0, before)
        before = before.index_select(0, before)
    return phases.reshape(delay_weights.shape[0] + 1, -1)


def band_shares(mel_basis: torch.Tensor) -> torch.Tensor:
    """Return how much of each bin lies in each band (K, M), in all 1, of a mel basis (M, K)."""
    return (mel_basis / mel_basis.sum(dim=0).clamp(min=1e-8)).T


class ConvNeXtBlock(nn.Module):
    """Depthwise convolution in time, then a two-layer perceptron per frame, with a learned residual scale."""

    def __init__(self, channels: int, hidden: int, scale: float) -> None:
        super().__init__()
        self.depthwise = nn.Conv1d(channels, channels, 7, padding=3, groups=channels)
        self.norm = nn.LayerNorm(channels, eps=1e-6)
        self.expand = nn.Linear(channels, hidden)
        self.project = nn.Linear(hidden, channels)
        self.scale = nn.Parameter(torch.full((channels,), scale))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.depthwise(x.transpose(1, 2)).transpose(1, 2)
        return x + self.scale * self.project(F.gelu(self.expand(self.norm(h))))


class Refiner(nn.Module):
    """Corrections of the magnitudes and of what their slopes tell of the phases, in the lowest bins, where chords are heard.

    Where partials meet, slightly wrong magnitudes have quite wrong slopes. Convolutions over frequency and time, folded 2 x 2 into
    channels, see the ridges and zeros around, and what lies an octave and a twelfth above, where semitones lie further apart;
    `place` tells them where they are. They also tell how far each slope is to be trusted. Untrained, it changes nothing. After Masuyama
    et al., "Phase reconstruction based on recurrent phase unwrapping with deep neural networks" (ICASSP 2020).
    """

    shares: torch.Tensor

    def __init__(
        self,
        mel_basis: torch.Tensor,
        bins: int,
        channels: int,
        dilations: tuple[int, ...] = (1, 2, 4, 2),
    ) -> None:
        super().__init__()
        self.bins = bins  # even, at most a third of all
        self.register_buffer("shares", band_shares(mel_basis)[:bins], persistent=False)
        self.embed = nn.Conv2d(4 * (4 + 2 + 3), channels, 3, padding=1)
        self.place = nn.Parameter(0.02 * torch.randn(channels, bins // 2, 1))
        self.first = nn.ModuleList(nn.Conv2d(channels, channels, 3, padding=(1, d), dilation=(1, d)) for d in dilations)
        self.second = nn.ModuleList(nn.Conv2d(channels, channels, 3, padding=1) for _ in dilations)
        self.head = nn.Conv2d(channels, 4 * 5, 3, padding=1)
        for layer in (*self.second, self.head):
            for parameter in layer.parameters():
                nn.init.zeros_(parameter)

    def harmonics(self, logs: torch.Tensor, n: int) -> torch.Tensor:
        """Return the n-th harmonics of folded bins (B, 4 n, K / 2, T / 2): of k and k + 1 these are n k to n k + 2 n - 1."""
        squares = logs[:, : n * self.bins].unflatten(1, (-1, 2 * n)).unflatten(3, (-1, 2))  # (B, K / 2, 2 n, T / 2, 2)
        return squares.permute(0, 2, 4, 1, 3).flatten(1, 2) / 3

    def forward(self, logs: torch.Tensor, mels: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Return what to add to log-magnitudes (B, K, T), turns (B, K, T - 1), delays (B, K - 1, T) and to both's weights, K = `bins`.

        logs: log-magnitudes (B, 3 K or more, T). mels (B, T, M). Weights are logs of a von Mises distribution's concentration.
        """
        frames = logs.shape[2]
        if frames % 2:
            logs, mels = torch.cat([logs, logs[:, :, -1:]], dim=2), torch.cat([mels, mels[:, -1:]], dim=1)
        own = logs[:, : self.bins]
        along_frequency, along_time = torch.gradient(own, dim=(1, 2))
        bands = torch.einsum("km,btm->bkt", self.shares.to(mels.dtype), mels)
        x = torch.stack([own / 3, along_frequency.clamp(-3, 3), along_time.clamp(-3, 3), bands], dim=1)
        x = torch.cat([F.pixel_unshuffle(x, 2), self.harmonics(logs, 2), self.harmonics(logs, 3)], dim=1)
        x = x.to(mels.dtype).contiguous(memory_format=torch.channels_last)  # twice as fast on a CPU
        x = self.embed(x) + self.place
        for first, second in zip(self.first, self.second, strict=True):
            x = x + second(F.gelu(first(F.gelu(x))))
        x = F.pixel_shuffle(self.head(F.gelu(x)).float(), 2)[..., :frames]
        levels, turns, delays, turn_weights, delay_weights = x.unbind(dim=1)
        turn_weights, delay_weights = turn_weights.clamp(-4, 6), delay_weights.clamp(-4, 6)
        return levels, turns[:, :, :-1], delays[:, :-1], turn_weights[:, :, :-1], delay_weights[:, :-1]


class Postfilter(nn.Module):
    """Gains for the spectrum of a vocoded waveform in windows a third as long as the vocoder's, two a mel frame.

    Magnitudes that fit no waveform leave onsets smeared over the long window; in short ones, beside the mel, that can be seen
    and mended. Untrained, it changes nothing.
    """

    def __init__(self, n_mels: int, n_fft: int, hop_length: int, channels: int, layers: int = 5) -> None:
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

    def log_gains(self, magnitudes: torch.Tensor, mels: torch.Tensor) -> torch.Tensor:
        """Return log-gains (B, K, T) within +-3 for magnitudes (B, K, T) and mels (B, T, M) at the same frames."""
        logs = (magnitudes + 1e-3).log() / 3 + 1
        x = torch.cat([mels.transpose(1, 2), logs.to(mels.dtype)], dim=1)
        x = self.norm_in(self.embed(x).transpose(1, 2))
        for block in self.blocks:
            x = block(x)
        return 3 * torch.tanh(self.head(self.norm_out(x)).float() / 3).transpose(1, 2)

    def forward(self, waveform: torch.Tensor, mels: torch.Tensor, strength: float = 1.0) -> torch.Tensor:
        """Return the waveform (B, T * hop) mended; `mels` (B, T, M) are those it was made of. strength: the gains' exponent."""
        window = torch.hann_window(self.n_fft, device=waveform.device)
        spectrum = torch.stft(waveform, self.n_fft, self.hop_length, window=window, return_complex=True)
        mels = torch.cat([mels.repeat_interleave(2, dim=1), mels[:, -1:]], dim=1)
        gains = (strength * self.log_gains(spectrum.abs(), mels)).exp()
        return torch.istft(spectrum * gains, self.n_fft, self.hop_length, window=window, length=waveform.shape[1])


class ISTFTVocoder(ModelMixin, ConfigMixin):
    """Predict the magnitudes of a short-time spectrum from mel frames, find phases for them, invert, and mend the result.

    The window is as long as the mel's, so that a bin holds one partial of a chord and its magnitude follows from the mel.
    `f_max` to `std`: the mel front end's (`mustango.model.mel.LogMel`). postfilter_channels, refiner_channels: 0 for no postfilter or
    refiner; the refiner mends the lowest `refiner_bins`, even and at most a third of all, at the defaults those below 1.5 kHz.
    """

    __module__ = "mustango"  # under which model folders name it

    config: Any  # diffusers gives it: the arguments of __init__ as attributes
    mel_basis: torch.Tensor

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
        refiner_bins: int = 192,
    ):
        super().__init__()
        bins = n_fft // 2 + 1
        assert not refiner_channels or (3 * refiner_bins <= bins and refiner_bins % 2 == 0)
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
    def start_from_mels(self) -> None:
        """Set the skip layer so that an untrained vocoder's magnitudes are the mel's bands, interpolated."""
        shares = band_shares(self.mel_basis)
        self.skip.weight.copy_(shares * self.config.std)
        self.skip.bias.copy_(shares @ (self.config.mean - self.mel_basis.sum(dim=1).log()))

    def log_magnitudes(self, mels: torch.Tensor) -> torch.Tensor:
        """Return the logs of STFT magnitudes (B, K, T), QUIETEST or louder, of normalised log-mels (B, T, M)."""
        x = self.norm_in(self.embed(mels.transpose(1, 2)).transpose(1, 2))
        for block in self.blocks:
            x = block(x)
        return (self.skip(mels) + self.head(self.norm_out(x))).float().clamp(math.log(QUIETEST), 8).transpose(1, 2)

    def magnitudes(self, mels: torch.Tensor) -> torch.Tensor:
        """Return STFT magnitudes (B, K, T) of normalised log-mels (B, T, M)."""
        return self.log_magnitudes(mels).exp()

    def invert(self, spectrum: torch.Tensor) -> torch.Tensor:
        """Return the waveform (B, (T - 1) * hop_length) of a complex spectrum (B, K, T)."""
        c = self.config
        window = torch.hann_window(c.n_fft, device=spectrum.device)
        return torch.istft(spectrum, c.n_fft, c.hop_length, window=window, length=(spectrum.shape[2] - 1) * c.hop_length)

    def refined(self, logs: torch.Tensor, mels: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Return log-magnitudes (B, K, T) and, as `slopes_of` does, slopes and weights; all mended by the refiner if there is one."""
        plain = (logs, *slopes_of(logs, self.config.hop_length, self.config.n_fft))
        if self.refiner is None:
            return plain
        clips = zip(logs.split(1), mels.split(1), strict=True)  # one by one, which bounds memory
        added = (torch.cat(x) for x in zip(*(self.refiner(*clip) for clip in clips), strict=True))
        return tuple(x + F.pad(a, (0, 0, 0, x.shape[1] - a.shape[1])) for x, a in zip(plain, added, strict=True))

    @torch.no_grad()
    def phases(self, logs: torch.Tensor, *slopes: torch.Tensor) -> torch.Tensor:
        """Return phases (B, K, T) for log-magnitudes (B, K, T), from slopes and weights as of `slopes_of`."""
        c, clips = self.config, zip(*(x.cpu() for x in slopes), strict=True)
        phases = torch.stack([phases_of(*clip) for clip in clips]).remainder(2 * torch.pi).to(logs)
        magnitudes, window = logs.exp(), torch.hann_window(c.n_fft, device=logs.device)
        for _ in range(GRIFFIN_LIM_STEPS):
            waveform = self.invert(torch.polar(magnitudes, phases))
            phases = torch.stft(waveform, c.n_fft, c.hop_length, window=window, return_complex=True).angle()
        return phases

    def unfiltered(self, mels: torch.Tensor) -> torch.Tensor:
        """Return the waveform (B, T * hop_length) of normalised log-mels (B, T, M), as it is before the postfilter."""
        mels = torch.cat([mels, mels[:, -1:]], dim=1)
        logs, *slopes = self.refined(self.log_magnitudes(mels), mels)
        return self.invert(torch.polar(logs.exp(), self.phases(logs, *slopes)))

    def forward(self, mels: torch.Tensor, postfilter_strength: float = 1.0) -> torch.Tensor:
        """Return the waveform (B, T * hop_length) of normalised log-mels (B, T, M). postfilter_strength: its gains' exponent."""
        waveform = self.unfiltered(mels)
        return waveform if self.postfilter is None else self.postfilter(waveform, mels, postfilter_strength)
