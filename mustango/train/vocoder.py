"""Measure what the VAE softens; train the vocoder on mels that went through it, then its refiner, then its postfilter on the
waveforms that come of that.

Magnitudes that are right on average fit no waveform, and finding phases for them smears onsets:
the postfilter learns gains that bring what came of it nearer to the real waveform, in windows of several lengths (the distances of
Yamamoto et al., "Parallel WaveGAN", 1910.11480, section 2.2).
Shapes: B batch, T frames, M mel bands, K frequency bins, N samples.
"""

import copy
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL
from tqdm import tqdm

from musicbench import InputError
from mustango.model.mel import LogMel
from mustango.model.vocoder import ISTFTVocoder, phases_of, slopes_of
from mustango.train.checks import part
from mustango.train.parts import begin, save_part
from mustango.train.rows import MEL, check_front_end, read_crops, training_rows

VOCODER = dict(
    sample_rate=24000, n_mels=192, n_fft=3072, hop_length=384, channels=384, hidden=1152, layers=6, postfilter_channels=224,
    refiner_channels=96,
)  # fmt: skip
CROP_S = 5.12  # what the VAE sees at once, as the normalisation in it needs more than what is judged
GAINS = (0.4, 1.2)  # how loud crops are made
SHARPENING = dict(clips=200, frames=64, taps=31)  # frames: of a stretch whose changes are measured, a second
LONG_WINDOWS = (4096, 8192, 16384)  # samples, in which the refiner is judged
WINDOWS = (512, 1024, 2048, 8192)  # samples, in which the postfilter is judged: from where drums are to where semitones are


def magnitudes(waveform, margin, n_fft=MEL["n_fft"], hop=MEL["hop_length"]):
    """Return STFT magnitudes (B, K, T) of waveforms (B, N), of windows whose middle lies `margin` mel frames or more from both ends."""
    rest = margin * MEL["hop_length"] - n_fft // 2
    window = torch.hann_window(n_fft, device=waveform.device)
    return torch.stft(waveform[:, rest:-rest], n_fft, hop, window=window, center=False, return_complex=True).abs().clamp(min=1e-7)


@torch.no_grad()
def through_vae(vae, mel, waveform):
    """Return the mels (B, T, M) of waveforms (B, N) as they come out of the VAE, not sharpened: else the vocoder learns to undo that."""
    latents = vae.encode(mel.folded(mel(waveform)[:, :-1])).latent_dist.mode()
    return mel.unfolded(vae.decode(latents).sample)


def untouched_since(run, *tasks):
    """Raise InputError if one of the tasks has gone on with a run's vocoder, of which the caller's own state knows nothing."""
    for task in tasks:
        if (Path(run) / task / "state.pt").exists():
            raise InputError(
                f"`mustango train {task}` has gone on with the vocoder of {run}; delete {run}/{task}, or use a new run folder"
            )


def modulation_power(mels, frames):
    """Return how strongly mels (B, T, M) change at each rate, (M, frames // 2 + 1), by stretches of so many frames."""
    stretches = mels.unfold(1, frames, frames // 2)
    stretches = (stretches - stretches.mean(dim=3, keepdim=True)) * torch.hann_window(frames, device=mels.device)
    return torch.fft.rfft(stretches).abs().square().mean(dim=(0, 1))


def sharpening_filters(real, softened, taps):
    """Return filters (M, taps) that bring modulation powers (M, K) to the real ones' (M, K), fourfold at most, and leave levels."""
    gains = (real.clamp(min=1e-6) / softened.clamp(min=1e-6)).sqrt().clamp(max=4)
    gains[:, :2] = 1
    window = torch.hann_window(taps + 2, periodic=False)[1:-1]
    filters = torch.fft.irfft(gains).roll(taps // 2, dims=1)[:, :taps] * window
    return filters + (1 - filters.sum(dim=1, keepdim=True)) * window / window.sum()


def measure_sharpening(folder, run, seed=0):
    """Measure on a dataset's clips what quick changes the VAE of a run softens; keep filters against it in the run's mel."""
    check_front_end(run)
    rows, vae = training_rows(folder), AutoencoderKL.from_pretrained(part(run, "vae")).eval()
    mel, rng = LogMel(**MEL, sharpening_taps=SHARPENING["taps"]), np.random.default_rng(seed)
    samples = round(CROP_S * MEL["sample_rate"] / MEL["hop_length"]) * MEL["hop_length"]
    real, softened = 0, 0
    for _ in tqdm(range(SHARPENING["clips"] // 8), desc="sharpening", disable=None):
        waveform = read_crops(rows, folder, rng, 8, samples, GAINS)
        real += modulation_power(mel(waveform)[:, :-1], SHARPENING["frames"])
        softened += modulation_power(through_vae(vae, mel, waveform), SHARPENING["frames"])
    mel.sharpening.copy_(sharpening_filters(real, softened, SHARPENING["taps"]))
    save_part(mel, Path(run) / "parts" / "mel")


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


def band_distance(ours, real):
    """Return how far magnitudes (B, K, T) of a part of the spectrum are from the real ones: L1 of roots, relative, and of logs."""
    floor = 0.02 * real.mean(dim=(1, 2), keepdim=True) + 1e-3
    roots = (ours.sqrt() - real.sqrt()).abs().mean() / real.sqrt().mean()
    logs = ((ours + floor) / (real + floor)).log().abs().mean()
    return 2 * roots + logs / 2


def slope_errors(slopes, trust, later, earlier):
    """Return three errors, (3,), of slopes of phases (B, ...), each between the bins `earlier` and `later` of a real spectrum.

    The mean of 1 - cos by loudness, by its square, and how unlikely errors are in a von Mises distribution of log-concentration `trust`.
    """
    ways = later * earlier.conj()
    off, loudness = 1 - torch.cos(slopes - ways.angle()), ways.abs().clamp(min=1e-9) ** 0.25
    unlikely = trust.exp() * off + torch.special.i0e(trust.exp()).log()
    means = [(w * x).sum() / w.sum() for w, x in ((loudness, off), (loudness.square(), off), (loudness, unlikely))]
    return torch.stack(means)


class TrainVocoder:
    """The vocoder's magnitudes, from mels of real clips as they come out of the VAE."""

    name = "vocoder"
    undone_by_going_on = ("refiner", "postfilter")
    margin = 8  # frames that the vocoder sees on either side of those that are judged

    def __init__(self, folder, run, device="cpu", heard_s=1.024, bf16=False):
        untouched_since(run, *self.undone_by_going_on)
        check_front_end(run)
        self.folder, self.rows, self.bf16 = folder, training_rows(folder), bf16
        self.mel = LogMel(**MEL).to(device)
        self.vae = AutoencoderKL.from_pretrained(part(run, "vae")).eval().to(device)
        new = not (Path(run) / "parts" / "vocoder").is_dir()
        self.model = begin(ISTFTVocoder, VOCODER, run, "vocoder")
        if new:
            self.model.start_from_mels()
        for later in filter(None, (self.model.refiner, self.model.postfilter)):
            later.requires_grad_(False)
        self.model.to(device)
        self.frames, self.heard = (round(s * MEL["sample_rate"] / MEL["hop_length"]) for s in (CROP_S, heard_s))

    def draw(self, rng, size, at=(0, 0)):
        return {"waveform": read_crops(self.rows, self.folder, rng, size, self.frames * MEL["hop_length"], GAINS)}

    def stretch(self, batch):
        """Return the mels (B, T, M) from the middle of a batch's crops, margins and all, and the waveforms (B, N) that they are of."""
        first = (self.frames - self.heard) // 2 - self.margin
        last = first + self.heard + 2 * self.margin
        mels = through_vae(self.vae, self.mel, batch["waveform"])[:, first:last]
        return mels, batch["waveform"][:, first * MEL["hop_length"] : (last - 1) * MEL["hop_length"]]

    def loss(self, batch):
        mels, waveform = self.stretch(batch)
        with torch.autocast(mels.device.type, torch.bfloat16, enabled=self.bf16):
            ours = self.model.magnitudes(mels)[..., self.margin : -self.margin]
        roots, logs = magnitude_distance(ours, magnitudes(waveform, self.margin))
        return 2 * roots + logs, {"roots": roots.detach(), "logs": logs.detach()}

    def save(self, parts):
        save_part(self.model, parts / "vocoder")


class TrainRefiner(TrainVocoder):
    """The vocoder's refiner, on what VAE and vocoder make of real clips: through the phases, by the sound of the lowest bins.

    In windows that tell semitones apart partials must keep their frequency for as long. The slopes themselves count too, most where
    it trusts them.
    """

    name = "refiner"
    undone_by_going_on = ("postfilter",)
    margin = 24  # half of the longest window is 21 frames

    def __init__(self, folder, run, device="cpu", heard_s=3.072, bf16=False):
        part(run, "vocoder")  # must be there
        super().__init__(folder, run, device, heard_s, bf16)
        if self.model.refiner is None:
            raise InputError(f"the vocoder of {run} has no refiner; begin a new run folder, or set its config's refiner_channels")
        self.model.requires_grad_(False)
        self.model.refiner.requires_grad_(True)

    def loss(self, batch):
        mels, waveform = self.stretch(batch)
        with torch.autocast(mels.device.type, torch.bfloat16, enabled=self.bf16):
            logs = self.model.log_magnitudes(mels)
            levels, *added = self.model.refiner(logs, mels)
        slopes = [x[:, : a.shape[1]] + a for x, a in zip(slopes_of(logs, MEL["hop_length"], MEL["n_fft"]), added, strict=True)]
        phases = torch.stack([phases_of(*clip) for clip in zip(*slopes, strict=True)])
        bins = phases.shape[1]
        window = torch.hann_window(MEL["n_fft"], device=waveform.device)
        real = torch.stft(waveform, MEL["n_fft"], MEL["hop_length"], window=window, return_complex=True)[:, :bins]

        spectra = torch.polar((logs[:, :bins] + levels).exp(), phases.float()), real
        sounds = [self.model.invert(F.pad(x, (0, 0, 0, MEL["n_fft"] // 2 + 1 - bins))) for x in spectra]
        sound = 0
        for n_fft in LONG_WINDOWS:
            lowest = round(0.97 * bins * n_fft / MEL["n_fft"])
            sound = sound + band_distance(*(magnitudes(x, self.margin, n_fft, n_fft // 8)[:, :lowest] for x in sounds))

        inside = slice(self.margin, -self.margin)
        (turns, delays, turn_trust, delay_trust), real = (x[..., inside] for x in (*slopes[:2], *added[2:])), real[..., inside]
        off_turns = slope_errors(turns, turn_trust, real[:, :, 1:], real[:, :, :-1])
        off_delays = slope_errors(delays, delay_trust, real[:, 1:], real[:, :-1])
        terms = {"sound": sound, "turns": off_turns[0], "delays": off_delays[0]}
        return sound + 0.3 * (off_turns + off_delays).sum(), {name: term.detach() for name, term in terms.items()}


class TrainPostfilter:
    """The vocoder's postfilter, on what VAE, vocoder and refiner make of real clips. Batches are vocoded where they are drawn."""

    name = "postfilter"
    margin = 12  # frames on either side that are not judged; the longest window reaches as far

    def __init__(self, folder, run, device="cpu", heard_s=1.408):
        check_front_end(run)
        self.folder, self.rows = folder, training_rows(folder)
        self.mel = LogMel(**MEL)
        self.vae = AutoencoderKL.from_pretrained(part(run, "vae")).eval()
        part(run, "vocoder")  # must be there
        self.vocoder = begin(ISTFTVocoder, VOCODER, run, "vocoder").eval()
        if self.vocoder.postfilter is None:
            raise InputError(
                f"the vocoder of {run} has no postfilter; begin a new run folder, or set its config's postfilter_channels"
            )
        self.model = copy.deepcopy(self.vocoder.postfilter).to(device)
        self.frames, self.heard = (round(s * MEL["sample_rate"] / MEL["hop_length"]) for s in (CROP_S, heard_s))

    @torch.no_grad()
    def draw(self, rng, size, at=(0, 0)):
        waveform = read_crops(self.rows, self.folder, rng, size, self.frames * MEL["hop_length"], GAINS)
        first = (self.frames - self.heard) // 2
        mels = through_vae(self.vae, self.mel, waveform)[:, first : first + self.heard]
        real = waveform[:, first * MEL["hop_length"] : (first + self.heard) * MEL["hop_length"]]
        return {"waveform": real, "vocoded": self.vocoder.unfiltered(mels), "mels": mels}

    def loss(self, batch):
        waveforms = self.model(batch["vocoded"], batch["mels"]), batch["waveform"]
        distances = []
        for n_fft in WINDOWS:
            ours, real = (magnitudes(waveform, self.margin, n_fft, n_fft // 4) for waveform in waveforms)
            distances.append(torch.stack(magnitude_distance(ours, real)))
        roots, logs = torch.stack(distances).mean(dim=0)
        return 2 * roots + logs, {"roots": roots.detach(), "logs": logs.detach()}

    def save(self, parts):
        self.vocoder.postfilter.load_state_dict(self.model.state_dict())
        save_part(self.vocoder, parts / "vocoder")
