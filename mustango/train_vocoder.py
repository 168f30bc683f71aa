"""Train the vocoder on mels of real clips; then the VAE's decoder and the vocoder together, against critics.

Mels and magnitudes that are right on average are smooth: no waveform has such magnitudes, and they sound dull. In the second
training critics (discriminators) learn to tell spectrograms from real ones, after Jang et al., "UnivNet" (2106.07889), section 2.2;
decoder and vocoder learn to pass them while they stay near the target. The encoder, and so the latents, stay as they are.
Shapes: B batch, T frames, M mel bands, K frequency bins, N samples.
"""

from itertools import pairwise
from pathlib import Path

import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

from mustango.mel import LogMel
from mustango.train import MEL, before_critics, begin, part, read_crops, save_part, training_rows
from mustango.vocoder import ISTFTVocoder

VOCODER = dict(sample_rate=24000, n_mels=192, n_fft=3072, hop_length=384, channels=384, hidden=1152, layers=6)
MARGIN = 8  # frames that the vocoder sees on either side of those that are judged
GAINS = (0.4, 1.2)  # how loud crops are made
ALONE, RAMP = 250, 250  # steps in which the critics learn before they are heard, and in which their weight grows


def magnitudes(waveform, first, count):
    """Return the STFT magnitudes (B, K, count) of waveforms (B, N), from frame `first` of the mel on."""
    n_fft, hop = MEL["n_fft"], MEL["hop_length"]
    stretch = waveform[:, first * hop - n_fft // 2 : (first + count - 1) * hop + n_fft // 2]
    window = torch.hann_window(n_fft, device=waveform.device)
    return torch.stft(stretch, n_fft, hop, window=window, center=False, return_complex=True).abs()


def magnitude_distance(ours, real):
    """Return how far STFT magnitudes (B, K, T) are from the real ones: L1 of roots, relative, and L1 of logs.

    The bins below 3 kHz, where chords are heard, count three times.
    """
    nyquist = MEL["sample_rate"] / 2
    weight = torch.where(torch.linspace(0, nyquist, ours.shape[1], device=ours.device)[:, None] < 3000, 3.0, 1.0)
    weight = weight / weight.mean()
    roots = (weight * (ours.sqrt() - real.sqrt()).abs()).mean() / (weight * real.sqrt()).mean()
    logs = (weight * ((ours + 1e-2).log() - (real + 1e-2).log()).abs()).mean()
    return roots, logs


class TrainVocoder:
    """The vocoder's magnitudes, from mels of real clips."""

    name = "vocoder"

    def __init__(self, folder, run, device="cpu", seconds=1.024):
        before_critics(run, "vocoder")
        self.folder, self.rows = folder, training_rows(folder)
        self.mel = LogMel(**MEL).to(device)
        self.model = begin(ISTFTVocoder, VOCODER, run, "vocoder")
        if not (Path(run) / "parts" / "vocoder").is_dir():
            self.model.start_from_mels()
        self.model.to(device)
        self.frames = round(seconds * MEL["sample_rate"] / MEL["hop_length"])

    def draw(self, rng, size):
        samples = (self.frames + 2 * MARGIN) * MEL["hop_length"]
        return {"waveform": read_crops(self.rows, self.folder, rng, size, samples, GAINS)}

    def loss(self, batch):
        mels = self.mel(batch["waveform"])[:, MARGIN : MARGIN + self.frames]
        real = magnitudes(batch["waveform"], MARGIN, self.frames)
        roots, logs = magnitude_distance(self.model.magnitudes(mels), real)
        return 2 * roots + logs, {"roots": roots.detach(), "logs": logs.detach()}

    def save(self, parts):
        save_part(self.model, parts / "vocoder")


class Critic(nn.Module):
    """Call patches of log-magnitudes real (1) or made (0). The frequency is given as a second channel.

    pool: how many neighbouring bins are taken together before.
    """

    def __init__(self, pool=1, channels=32):
        super().__init__()
        self.pool = pool
        widths = [2, channels, 2 * channels, 4 * channels, 4 * channels]
        shapes = [(9, (3, 1)), (9, (3, 1)), (5, (2, 2)), (5, (2, 1))]  # bins a patch, strides in frequency and time
        self.layers = nn.ModuleList(
            weight_norm(nn.Conv2d(before, after, (high, 3), stride, padding=(high // 2, 1)))
            for before, after, (high, stride) in ((*pair, shape) for pair, shape in zip(pairwise(widths), shapes, strict=True))
        )
        self.head = weight_norm(nn.Conv2d(4 * channels, 1, 3, padding=1))

    def forward(self, spectra):
        """Return verdicts on magnitudes (B, K, T) and the features of every layer, which are compared too."""
        logs = (F.avg_pool2d(spectra[:, None], (self.pool, 1)).clamp(min=1e-4).log() + 3) / 3
        height = torch.linspace(-1, 1, logs.shape[2], device=logs.device)[:, None]
        x = torch.cat([logs, height.expand_as(logs)], dim=1)
        features = []
        for layer in self.layers:
            x = F.leaky_relu(layer(x), 0.2)
            features.append(x)
        return self.head(x), features


class TrainWithCritics:
    """The VAE's decoder and the vocoder by the magnitudes they make of a clip's latents.

    Distances of mels and magnitudes, and critics (least squares, features matched), which learn alone for ALONE steps, then count
    more and more for RAMP steps.
    """

    name = "critic"

    def __init__(self, folder, run, device="cpu", seconds=5.12, heard_s=1.536, critic_lr=2e-4):
        self.folder, self.rows = folder, training_rows(folder)
        self.mel = LogMel(**MEL).to(device)
        vae = AutoencoderKL.from_pretrained(part(run, "vae"))
        vae.encoder.requires_grad_(False)
        vae.quant_conv.requires_grad_(False)
        vocoder = ISTFTVocoder.from_pretrained(part(run, "vocoder"), dtype=torch.float32)
        self.model = nn.ModuleDict({"vae": vae, "vocoder": vocoder}).to(device)
        self.critics = nn.ModuleList([Critic(1), Critic(4)]).to(device)
        self.optimizer = torch.optim.AdamW(self.critics.parameters(), lr=critic_lr, betas=(0.8, 0.99))
        self.companions = {"critics": self.critics, "critics_optimizer": self.optimizer}
        self.frames, self.heard = (round(s * MEL["sample_rate"] / MEL["hop_length"]) for s in (seconds, heard_s))

    def draw(self, rng, size):
        return {"waveform": read_crops(self.rows, self.folder, rng, size, self.frames * MEL["hop_length"], GAINS)}

    def loss(self, batch):
        """Decode whole crops, as the normalisation in the VAE needs it; the magnitudes in their middle are judged."""
        vae, waveform, first = self.model["vae"], batch["waveform"], (self.frames - self.heard) // 2
        mels = self.mel(waveform)[:, :-1]
        with torch.no_grad():
            latents = vae.encode(self.mel.folded(mels)).latent_dist.mode()
        rebuilt = self.mel.unfolded(vae.decode(latents).sample)
        seen = self.model["vocoder"].magnitudes(rebuilt[:, first - MARGIN : first + self.heard + MARGIN])
        ours, real = seen[..., MARGIN:-MARGIN], magnitudes(waveform, first, self.heard)
        roots, logs = magnitude_distance(ours, real)
        terms = {"mels": (rebuilt - mels).abs().mean(), "roots": roots, "logs": logs, "critics": self._teach(ours.detach(), real)}
        loss = terms["mels"] + 2 * roots + logs
        ramp = min(max((self._lessons() - ALONE) / RAMP, 0.0), 1.0)
        if ramp:
            terms["adversarial"], terms["features"] = self._judged(ours, real)
            loss = loss + ramp * (terms["adversarial"] + terms["features"])
        else:
            terms["adversarial"] = terms["features"] = torch.zeros(())
        return loss, {name: term.detach() for name, term in terms.items()}

    def _lessons(self):
        """Return how many steps the critics have had."""
        state = next(iter(self.optimizer.state.values()), None)
        return int(state["step"]) if state else 0

    def _teach(self, ours, real):
        """Take a step with the critics; returns their loss."""
        loss = sum((c(real)[0] - 1).square().mean() + c(ours)[0].square().mean() for c in self.critics)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.critics.parameters(), 10.0)
        self.optimizer.step()
        return loss

    def _judged(self, ours, real):
        """Return how far the critics' verdicts on ours are from "real", and how far their features are apart, relative."""
        self.critics.requires_grad_(False)
        adversarial = features = 0.0
        for critic in self.critics:
            verdict, seen = critic(ours)
            with torch.no_grad():
                wanted = critic(real)[1]
            adversarial = adversarial + (verdict - 1).square().mean()
            distances = [(a - b).abs().mean() / b.abs().mean() for a, b in zip(seen, wanted, strict=True)]
            features = features + sum(distances) / len(distances)
        self.critics.requires_grad_(True)
        return adversarial, features

    def save(self, parts):
        save_part(self.model["vae"], parts / "vae")
        save_part(self.model["vocoder"], parts / "vocoder")
