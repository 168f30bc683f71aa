"""Train the VAE on folded log-mels."""

import numpy as np
import torch
from diffusers import AutoencoderKL

from mustango.model.mel import LogMel
from mustango.train.parts import begin, save_part
from mustango.train.rows import MEL, check_front_end, read_crops, training_rows

VAE = dict(
    in_channels=32, out_channels=32, latent_channels=16, sample_size=160, layers_per_block=1, norm_num_groups=16,
    down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2,
    block_out_channels=(128, 192), mid_block_add_attention=False,
)  # fmt: skip


class TrainVAE:
    """AutoencoderKL on folded log-mels: L1 and L2 plus a small KL term."""

    name = "vae"

    def __init__(self, folder, run, device="cpu", seconds=5.12, kl_weight=2e-4):
        check_front_end(run)
        self.folder, self.rows, self.kl_weight = folder, training_rows(folder), kl_weight
        self.mel = LogMel(**MEL).to(device)
        self.model = begin(AutoencoderKL, VAE, run, "vae").to(device)
        self.samples = round(seconds * MEL["sample_rate"])
        # Harmonics, which tell chords apart, lie low; the top half of the bands is mostly cymbals and breath.
        bands = torch.linspace(1.6, 0.4, MEL["n_mels"], device=device)
        self.weight = self.mel.folded(bands.expand(1, MEL["fold"][0], -1))

    def draw(self, rng, size, at=(0, 0)):
        return {"waveform": read_crops(self.rows, self.folder, rng, size, self.samples, (0.5, 1.2))}

    def loss(self, batch):
        folded = self.mel.folded(self.mel(batch["waveform"])[:, :-1])
        posterior = self.model.encode(folded).latent_dist
        z = posterior.sample()
        rebuilt = self.model.decode(z).sample
        error = (rebuilt - folded).abs()
        l1, l2 = (self.weight * error).mean(), (self.weight * error.square()).mean()
        kl = posterior.kl().mean() / z[0].numel()
        terms = {"l1": l1, "kl": kl, "std": posterior.mean.std()}
        return l1 + 0.5 * l2 + self.kl_weight * kl, {name: term.detach() for name, term in terms.items()}

    def save(self, parts):
        """Write the VAE with the scaling factor that gives its latents unit variance."""
        with torch.no_grad():
            waveform = self.draw(np.random.default_rng(0), 16)["waveform"].to(self.weight.device)
            z = self.model.encode(self.mel.folded(self.mel(waveform)[:, :-1])).latent_dist.mean
        self.model.register_to_config(scaling_factor=round(1 / z.std().item(), 4), shift_factor=round(z.mean().item(), 4))
        save_part(self.model, parts / "vae")
        save_part(self.mel, parts / "mel")
