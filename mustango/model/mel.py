"""Waveform -> log-mel spectrogram, and its folding into the channels the VAE reads.

Shapes: B batch, N samples, T frames, M mel bands.
"""

import math
from typing import Any

import torch
import torch.nn.functional as F
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from librosa.filters import mel as mel_filters


class LogMel(ModelMixin, ConfigMixin):
    """The mel front end. Defaults are the released Mustango's (TacotronSTFT: natural log, clamp at 1e-5, slaney mels).

    `mean` and `std` normalise the log-mel; `fold` = (frames, bands) that are moved into channels before the VAE, so that it
    works on (B, f_t * f_m, T / f_t, M / f_m). `sharpening_taps`: length (odd) of the filters of `sharpened`, 0 for none.
    """

    __module__ = "mustango"  # under which model folders name it

    config: Any  # diffusers gives it: the arguments of __init__ as attributes
    mel_basis: torch.Tensor
    sharpening: torch.Tensor

    _keys_to_ignore_on_load_unexpected = ["mel_basis"]  # which older models saved

    @register_to_config
    def __init__(
        self,
        sample_rate: int = 16000,
        n_fft: int = 1024,
        hop_length: int = 160,
        n_mels: int = 64,
        f_min: float = 0.0,
        f_max: float = 8000.0,
        htk: bool = False,
        floor: float = 1e-5,
        mean: float = 0.0,
        std: float = 1.0,
        fold: tuple = (1, 1),
        sharpening_taps: int = 0,
    ):
        super().__init__()
        bank = mel_filters(sr=sample_rate, n_fft=n_fft, n_mels=n_mels, fmin=f_min, fmax=f_max, htk=htk)
        # (M, K). Saved only where there is nothing else to save: diffusers cannot load a part without weights.
        self.register_buffer("mel_basis", torch.from_numpy(bank), persistent=not sharpening_taps)
        if sharpening_taps:
            self.register_buffer("sharpening", torch.zeros(n_mels, sharpening_taps))  # (M, taps)
            self.sharpening[:, sharpening_taps // 2] = 1

    def frames(self, duration_s: float) -> int:
        """Return how many mel frames cover `duration_s`."""
        return math.ceil(round(duration_s * self.config.sample_rate) / self.config.hop_length)

    @torch.no_grad()
    def forward(self, waveform: torch.Tensor) -> torch.Tensor:
        """Return the normalised log-mel (B, T, M) of a waveform (B, N) in [-1, 1]; T = N // hop_length + 1."""
        c = self.config
        window = torch.hann_window(c.n_fft, device=waveform.device)
        spectrum = torch.stft(waveform.float(), c.n_fft, c.hop_length, window=window, pad_mode="reflect", return_complex=True)
        mels = torch.matmul(self.mel_basis.float(), spectrum.abs())
        return (torch.log(mels.clamp(min=c.floor)).transpose(1, 2) - c.mean) / c.std

    def folded(self, mels: torch.Tensor) -> torch.Tensor:
        """Move (B, T, M) into the VAE's (B, f_t * f_m, T / f_t, M / f_m)."""
        f_t, f_m = self.config.fold
        batch, frames, bands = mels.shape
        mels = mels.reshape(batch, frames // f_t, f_t, bands // f_m, f_m)
        return mels.permute(0, 2, 4, 1, 3).reshape(batch, f_t * f_m, frames // f_t, bands // f_m)

    def unfolded(self, folded: torch.Tensor) -> torch.Tensor:
        """Undo `folded`."""
        f_t, f_m = self.config.fold
        batch, _, rows, columns = folded.shape
        mels = folded.reshape(batch, f_t, f_m, rows, columns).permute(0, 3, 1, 4, 2)
        return mels.reshape(batch, rows * f_t, columns * f_m)

    def sharpened(self, mels: torch.Tensor) -> torch.Tensor:
        """Return log-mels (B, T, M) out of the VAE with their quick changes as strong as in real ones.

        A filter over time for each band (`mustango train sharpen` measures them), after Takamichi et al., "Postfilters to modify the
        modulation spectrum for statistical parametric speech synthesis" (IEEE/ACM TASLP 24(4), 2016).
        """
        taps = self.config.sharpening_taps
        if not taps:
            return mels
        padded = F.pad(mels.transpose(1, 2), (taps // 2, taps // 2), mode="replicate")
        return F.conv1d(padded, self.sharpening[:, None].to(padded.device), groups=mels.shape[2]).transpose(1, 2)
