"""How a set of clips sounds: embeddings that others trained, and the distances FAD, KAD and KL on them.

An embedder turns a clip into frames (F, D), one each few seconds, and, where it can, class probabilities (F, K). None of them is
part of generating. MusiCNN's weights come with pip's `musicnn` (`make judges` converts them), so it works offline; CLAP's the user
fetches. They could not be fetched where this was built: CLAP's way is tested on a random model.
"""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from musicbench import InputError
from musicbench.hearing.tagger import MusiCNN
from musicbench.model_folders import LOCAL, loaded_within, reason

# ---------------------------------------------------------------------------------------------------- embedders


class CLAP:
    """LAION's CLAP through transformers: frames are audio embeddings of up to 10 s; `words` embeds a prompt beside them."""

    name, licence, sample_rate = "CLAP", "Apache-2.0 (LAION's weights)", 48000

    def __init__(self, folder=None):
        from huggingface_hub import snapshot_download
        from transformers import ClapModel, ClapProcessor

        source = folder or "laion/larger_clap_music"
        try:
            place = source if Path(source).is_dir() else snapshot_download(str(source), local_files_only=True)
            with loaded_within(place):
                self.model = ClapModel.from_pretrained(place, **LOCAL).eval()
                self.processor = ClapProcessor.from_pretrained(place, **LOCAL)
        except (OSError, ValueError) as error:
            raise InputError(
                f"no CLAP model at {source} ({reason(error)}); fetch it once with "
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
        raise InputError(f"unknown embedding {name!r:.40}; choose one of {', '.join(EMBEDDERS)}, or none")
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
