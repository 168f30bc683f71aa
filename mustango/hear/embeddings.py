"""How a set of clips sounds: embeddings that others trained, and the distances FAD, KAD and KL on them.

An embedder turns a clip into frames (F, D), one each few seconds, and, where it can, class probabilities (F, K). None of them is
part of generating. MusiCNN comes whole with pip's `musicnn`, so it works offline; the others need weights that the user fetches.
Their weights could not be fetched where this was built: CLAP's way is tested on a random model, PANNs and VGGish are not tested.
"""

import struct
from contextlib import redirect_stdout
from importlib.util import find_spec
from io import StringIO
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from musicbench import InputError

# ---------------------------------------------------------------------------------------------------- TensorFlow's files


def _varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def _entries(table, offset, size):
    """Yield (key, value) of one block of a LevelDB table: keys share prefixes, the block ends with its restart points."""
    block = table[offset : offset + size]
    end = len(block) - 4 - 4 * struct.unpack("<I", block[-4:])[0]
    at, key = 0, b""
    while at < end:
        shared, at = _varint(block, at)
        own, at = _varint(block, at)
        length, at = _varint(block, at)
        key = key[:shared] + block[at : at + own]
        yield key, block[at + own : at + own + length]
        at += own + length


def _fields(message):
    """Yield (number, value) of a protocol buffer message: integers, or bytes."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        if tag & 7 == 0:
            value, at = _varint(message, at)
        else:
            length, at = _varint(message, at) if tag & 7 == 2 else ({1: 8, 5: 4}[tag & 7], at)
            value, at = message[at : at + length], at + length
        yield tag >> 3, value


def read_tensorflow(prefix):
    """Read the float32 variables of a TensorFlow checkpoint `prefix`.index and .data as {name: array}; no TensorFlow needed."""
    index, data = (Path(f"{prefix}{suffix}").read_bytes() for suffix in (".index", ".data-00000-of-00001"))
    footer, at, handle = index[-48:], 0, []
    while len(handle) < 4:  # offset and size of the meta index, then of the index of blocks
        value, at = _varint(footer, at)
        handle.append(value)
    tensors = {}
    for _, block in _entries(index, *handle[2:]):
        offset, at = _varint(block, 0)
        for name, message in _entries(index, offset, _varint(block, at)[0]):
            entry = dict(_fields(message))
            if not name or entry.get(1) != 1:  # the header, or not float32
                continue
            shape = [dict(_fields(size)).get(1, 0) for number, size in _fields(entry.get(2, b"")) if number == 2]
            start = entry.get(4, 0)
            tensors[name.decode()] = np.frombuffer(data[start : start + entry[5]], "<f4").reshape(shape)
    return tensors


# ---------------------------------------------------------------------------------------------------- embedders


class MusiCNN:
    """MusiCNN (Pons and Serra, "musicnn: pre-trained convolutional neural networks for music audio tagging", 2019) in torch.

    Frames are the penultimate layer, 200 numbers for each 3 s of sound; classes are 50 tags of MagnaTagATune.
    """

    name, licence, sample_rate = "MusiCNN (MTT)", "ISC", 16000
    window = 187  # frames of 16 ms

    def __init__(self, folder=None):
        package = find_spec("musicnn")
        if folder is None and package is None:
            raise InputError("the embedding MusiCNN needs the package musicnn; run: pip install --no-deps musicnn==0.1.0")
        folder = Path(folder or Path(package.origin).parent / "MTT_musicnn")
        try:
            weights = read_tensorflow(f"{folder}/")
        except OSError as error:
            raise InputError(f"cannot read MusiCNN's weights in {folder} ({error.strerror}); install musicnn 0.1.0 again") from None
        self.weights = {name: torch.from_numpy(w.copy()) for name, w in weights.items() if "Adam" not in name}

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


class PANNs:
    """PANNs' CNN14 (Kong et al., 2020): frames of 2048 numbers, 527 AudioSet classes; the embedding of Mustango's FD and KL."""

    name, licence, sample_rate = "PANNs CNN14", "MIT, weights CC BY 4.0", 32000

    def __init__(self, folder=None):
        home = Path.home() / "panns_data"  # where panns-inference looks for its list of classes
        weights, classes = Path(folder or home) / "Cnn14_mAP=0.431.pth", home / "class_labels_indices.csv"
        missing = [str(path) for path in (weights, classes) if not path.is_file()]
        if find_spec("panns_inference") is None or missing:
            raise InputError(
                f"PANNs needs the packages panns-inference and torchlibrosa{' and ' if missing else ''}{' and '.join(missing)}; "
                "https://github.com/qiuqiangkong/panns_inference says where to get them"
            )
        with redirect_stdout(StringIO()):
            from panns_inference import AudioTagging

            self.model = AudioTagging(checkpoint_path=str(weights), device="cpu")

    def __call__(self, samples, sample_rate):
        """Return (frames (1, 2048), classes (1, 527)) of the whole clip."""
        classes, frame = self.model.inference(_resampled(samples, sample_rate, self.sample_rate)[None])
        return np.asarray(frame), np.asarray(classes)


class VGGish:
    """VGGish (Hershey et al., 2017), the embedding of the first FAD: 128 numbers for each 0.96 s."""

    name, licence, sample_rate = "VGGish", "Apache-2.0", 16000

    def __init__(self, folder=None):
        if folder is None or not Path(folder, "hubconf.py").is_file():
            raise InputError(
                "VGGish needs a copy of https://github.com/harritaylor/torchvggish with its weights; name it: --embedding vggish=FOLDER"
            )
        self.model = torch.hub.load(str(folder), "vggish", source="local", postprocess=False).eval()

    @torch.no_grad()
    def __call__(self, samples, sample_rate):
        """Return (frames (F, 128), None)."""
        return self.model(_resampled(samples, sample_rate, self.sample_rate), self.sample_rate).cpu().numpy(), None


EMBEDDERS = {"musicnn": MusiCNN, "clap": CLAP, "panns": PANNs, "vggish": VGGish}


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
