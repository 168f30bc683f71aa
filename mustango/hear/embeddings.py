"""How a set of clips sounds: embeddings that others trained, and the distances FAD, KAD and KL on them.

An embedder turns a clip into frames (F, D), one each few seconds, and, where it can, class probabilities (F, K). None of them is
part of generating. MusiCNN's weights come with pip's `musicnn` (`make judges` converts them), so it works offline; CLAP's the user
fetches. They could not be fetched where this was built: CLAP's way is tested on a random model.
"""

import os
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file

from musicbench import InputError

# ---------------------------------------------------------------------------------------------------- embedders


MUSICNN = "musicnn-mtt.safetensors"


def musicnn_file():
    """Return where MusiCNN's weights lie, which `benchmarks/convert_musicnn.py` writes."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mustango" / MUSICNN


class MusiCNN:
    """MusiCNN (Pons and Serra, "musicnn: pre-trained convolutional neural networks for music audio tagging", 2019) in torch.

    Frames are the penultimate layer, 200 numbers for each 3 s of sound; classes are 50 tags of MagnaTagATune.
    """

    name, licence, sample_rate = "MusiCNN (MTT)", "ISC", 16000
    window = 187  # frames of 16 ms

    def __init__(self, folder=None):
        path = Path(folder, MUSICNN) if folder else musicnn_file()
        try:
            self.weights = load_file(path)
        except FileNotFoundError:
            raise InputError(f"the embedding MusiCNN has no weights ({path}); run: make judges") from None
        except (OSError, SafetensorError) as error:
            raise InputError(f"cannot read MusiCNN's weights {path} ({error}); run: make judges") from None

    def _normal(self, x, number):
        name = "batch_normalization" + (f"_{number}" if number else "")
        mean, var, gamma, beta = (self.weights[f"{name}/{part}"] for part in ("moving_mean", "moving_variance", "gamma", "beta"))
        return F.batch_norm(x, mean, var, gamma, beta, eps=1e-3)

    def _convolved(self, x, number):
        name = "conv2d" + (f"_{number}" if number else "")
        kernel = self.weights[f"{name}/kernel"].permute(3, 2, 0, 1)
        return self._normal(F.relu(F.conv2d(x, kernel, self.weights[f"{name}/bias"])), number + 1)

    @torch.no_grad()
    def pooled(self, patches):
        """Return the convolutions' features (B, 1506), maximum and mean over time side by side, of log-mel patches (B, T, 96)."""
        x = self._normal(patches[:, None], 0)
        timbral = [self._convolved(F.pad(x, (0, 0, 3, 3)), i).amax(3) for i in (0, 1)]
        same = ((63, 64), (31, 32), (15, 16))  # TensorFlow's "same" for kernels of 128, 64, 32 frames
        temporal = [self._convolved(F.pad(x, (0, 0, *pad)), i).amax(3) for i, pad in zip((2, 3, 4), same, strict=True)]
        layers = [torch.cat([*timbral, *temporal], 1)]
        for i in (5, 6, 7):
            stacked = F.pad(layers[-1].transpose(1, 2)[:, None], (0, 0, 3, 3))
            out = self._convolved(stacked, i)[..., 0]
            layers.append(out + layers[-1] if i > 5 else out)
        features = torch.cat(layers, 1)
        return torch.stack([features.amax(2), features.mean(2)], 2).flatten(1)

    @torch.no_grad()
    def forward(self, patches):
        """Return (penultimate (B, 200), tag probabilities (B, 50)) of log-mel patches (B, T, 96)."""
        hidden = F.relu(self._normal(self.pooled(patches), 9) @ self.weights["dense/kernel"] + self.weights["dense/bias"])
        hidden = self._normal(hidden, 10)
        return hidden, torch.sigmoid(hidden @ self.weights["dense_1/kernel"] + self.weights["dense_1/bias"])

    def log_mels(self, samples, sample_rate):
        """Return the log-mels (T, 96) of mono samples; short clips are repeated to 3 s."""
        import librosa

        samples = _resampled(samples, sample_rate, self.sample_rate)
        samples = np.resize(samples, max(len(samples), self.window * 256))
        mels = librosa.feature.melspectrogram(y=samples, sr=self.sample_rate, n_fft=512, hop_length=256, n_mels=96)
        return torch.from_numpy(np.log10(10000 * mels.T + 1).astype(np.float32))

    def patches(self, mels):
        """Cut log-mels (T, 96) into whole windows (B, 187, 96)."""
        return mels.unfold(0, self.window, self.window).transpose(1, 2)

    def __call__(self, samples, sample_rate):
        """Return (frames (F, 200), tag probabilities (F, 50)) of mono samples."""
        frames, tags = self.forward(self.patches(self.log_mels(samples, sample_rate)))
        return frames.numpy(), tags.numpy()


class CLAP:
    """LAION's CLAP through transformers: frames are audio embeddings of up to 10 s; `words` embeds a prompt beside them."""

    name, licence, sample_rate = "CLAP", "Apache-2.0 (LAION's weights)", 48000

    def __init__(self, folder=None):
        from transformers import ClapModel, ClapProcessor

        source = folder or "laion/larger_clap_music"
        try:
            self.model = ClapModel.from_pretrained(source, local_files_only=True).eval()
            self.processor = ClapProcessor.from_pretrained(source, local_files_only=True)
        except (OSError, ValueError) as error:
            raise InputError(
                f"no CLAP model at {source} ({str(error).splitlines()[0][:120]}); fetch it once with "
                "`hf download laion/larger_clap_music`, or name its folder: --embedding clap=FOLDER"
            ) from None
        self.name = f"CLAP ({Path(str(source)).name})"

    @torch.no_grad()
    def __call__(self, samples, sample_rate):
        """Return (frames (F, D), None): one embedding for each 10 s."""
        samples = _resampled(samples, sample_rate, self.sample_rate)
        windows = [samples[i : i + 480000] for i in range(0, max(len(samples) - 240000, 1), 480000)]
        inputs = self.processor(audio=windows, sampling_rate=self.sample_rate, return_tensors="pt")
        return _normed(self.model.get_audio_features(**inputs)), None

    @torch.no_grad()
    def words(self, text):
        """Return the embedding (D,) of a prompt."""
        inputs = self.processor(text=[text], return_tensors="pt", padding=True, truncation=True)
        return _normed(self.model.get_text_features(**inputs))[0]


EMBEDDERS = {"musicnn": MusiCNN, "clap": CLAP}


def load_embedder(text):
    """Return the embedder named `text`: one of EMBEDDERS, or name=FOLDER with its weights. Raises InputError."""
    name, _, folder = text.partition("=")
    if name not in EMBEDDERS:
        raise InputError(f"unknown embedding {name!r}; choose one of {', '.join(EMBEDDERS)}, or none")
    return EMBEDDERS[name](folder or None)


def _resampled(samples, sample_rate, wanted):
    import soxr

    samples = np.asarray(samples, np.float32)
    return samples if sample_rate == wanted else soxr.resample(samples, sample_rate, wanted)


def _normed(features):
    features = getattr(features, "pooler_output", features)
    return F.normalize(features, dim=-1).numpy()


# ---------------------------------------------------------------------------------------------------- distances


def frechet_distance(frames, reference):
    """Return the Frechet distance of two sets of frames (N, D), each taken as a Gaussian (FAD: Kilgour et al., 2019).

    It grows as the sets get smaller: compare sets of equal size. Raises InputError for fewer than 2 frames.
    """
    x, y = (np.asarray(f, np.float64) for f in (frames, reference))
    if min(len(x), len(y)) < 2:
        raise InputError(f"FAD needs at least 2 frames a set, there are {len(x)} and {len(y)}; give more or longer clips")
    covariance_x, covariance_y = (np.atleast_2d(np.cov(f.T)) for f in (x, y))
    # tr sqrt(Cx Cy) is the sum of the singular values of sqrt(Cx) sqrt(Cy), which stays real for sets of few frames.
    roots = _root(covariance_x) @ _root(covariance_y)
    cross = np.linalg.svd(roots, compute_uv=False).sum()
    return float(np.sum((x.mean(0) - y.mean(0)) ** 2) + np.trace(covariance_x) + np.trace(covariance_y) - 2 * cross)


def _root(covariance):
    values, vectors = np.linalg.eigh(covariance)
    return (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T


def kernel_distance(frames, reference):
    """Return 100 times the unbiased squared maximum mean discrepancy of two sets (KAD: Chung et al., 2025), Gaussian kernel.

    Its bandwidth is the median distance within the reference. Unlike FAD it does not depend on the size of the sets; for
    equal distributions it scatters around 0. Raises InputError for fewer than 2 frames.
    """
    x, y = (np.asarray(f, np.float64) for f in (frames, reference))
    if min(len(x), len(y)) < 2:
        raise InputError(f"KAD needs at least 2 frames a set, there are {len(x)} and {len(y)}; give more or longer clips")
    squared_xx, squared_yy, squared_xy = (_squared(*pair) for pair in ((x, x), (y, y), (x, y)))
    bandwidth = np.median(np.sqrt(squared_yy[np.triu_indices(len(y), 1)])) or 1.0
    kernel_xx, kernel_yy, kernel_xy = (np.exp(-s / (2 * bandwidth**2)) for s in (squared_xx, squared_yy, squared_xy))

    def within(kernel):
        return (kernel.sum() - np.trace(kernel)) / (len(kernel) * (len(kernel) - 1))

    return float(100 * (within(kernel_xx) + within(kernel_yy) - 2 * kernel_xy.mean()))


def _squared(x, y):
    return np.clip((x**2).sum(1)[:, None] + (y**2).sum(1) - 2 * x @ y.T, 0, None)


def tag_divergence(heard, real):
    """Return KL(real || heard) of two clips' mean class probabilities (K,), each scaled to sum 1."""
    p, q = (np.asarray(v, np.float64) + 1e-7 for v in (real, heard))
    p, q = p / p.sum(), q / q.sum()
    return float(np.sum(p * np.log(p / q)))
