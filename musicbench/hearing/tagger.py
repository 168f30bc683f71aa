"""Instruments and styles by MusiCNN's two models, which pip's `musicnn` brings: no network, no torch, no TensorFlow.

MTT was trained on MagnaTagATune, MSD on the Million Song Dataset; each says how likely 50 tags are. `benchmarks/calibrate_tags.py`
measured on composed audio from which probability on a tag may be said; where no threshold is right often enough the tag is
never said. The weights are ISC; `make judges` installs and converts them.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from musicbench import InputError

MTT_TAGS = (
    "guitar", "classical", "slow", "techno", "strings", "drums", "electronic", "rock", "fast", "piano", "ambient", "beat", "violin",
    "vocal", "synth", "female", "indian", "opera", "male", "singing", "vocals", "no vocals", "harpsichord", "loud", "quiet", "flute",
    "woman", "male vocal", "no vocal", "pop", "soft", "sitar", "solo", "man", "classic", "choir", "voice", "new age", "dance",
    "male voice", "female vocal", "beats", "harp", "cello", "no voice", "weird", "country", "metal", "female voice", "choral",
)  # fmt: skip
MSD_TAGS = (
    "rock", "pop", "alternative", "indie", "electronic", "female vocalists", "dance", "00s", "alternative rock", "jazz", "beautiful",
    "metal", "chillout", "male vocalists", "classic rock", "soul", "indie rock", "mellow", "electronica", "80s", "folk", "90s", "chill",
    "instrumental", "punk", "oldies", "blues", "hard rock", "ambient", "acoustic", "experimental", "female vocalist", "guitar",
    "hip hop", "70s", "party", "country", "easy listening", "sexy", "catchy", "funk", "electro", "heavy metal", "progressive rock",
    "60s", "rnb", "indie pop", "sad", "house", "happy",
)  # fmt: skip
MODELS = {"mtt": MTT_TAGS, "msd": MSD_TAGS}


def musicnn_file(model: str = "mtt") -> Path:
    """Return where the weights of a model in MODELS lie, which `benchmarks/convert_musicnn.py` writes."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mustango" / f"musicnn-{model}.safetensors"


class MusiCNN:
    """MusiCNN (Pons and Serra, "musicnn: pre-trained convolutional neural networks for music audio tagging", 2019) in numpy.

    Frames are the penultimate layer, 200 numbers for each 3 s of sound; classes are the 50 tags of the model. B patches of T
    frames of 16 ms, each of 96 mel bands.
    """

    licence, sample_rate = "ISC", 16000
    window = 187  # frames of a patch

    def __init__(self, folder: Path | str | None = None, model: str = "mtt"):
        """Load a model in MODELS, from a folder or from where `make judges` put it. Raises InputError."""
        self.name = f"MusiCNN ({model.upper()})"
        path = Path(folder, musicnn_file(model).name) if folder else musicnn_file(model)
        self.weights = _read_weights(path)

    def _normal(self, x, number):
        """Normalise a batch over its last axis, the channels."""
        name = "batch_normalization" + (f"_{number}" if number else "")
        mean, var, gamma, beta = (self.weights[f"{name}/{part}"] for part in ("moving_mean", "moving_variance", "gamma", "beta"))
        scale = gamma / np.sqrt(var + 1e-3)
        return x * scale + (beta - mean * scale)

    def _convolved(self, x, number):
        """Convolve (B, T, F) to (B, T', F', channels), without padding."""
        name = "conv2d" + (f"_{number}" if number else "")
        kernel = self.weights[f"{name}/kernel"]
        height, width, _, channels = kernel.shape
        flat = kernel.reshape(height * width, channels)
        windows = np.lib.stride_tricks.sliding_window_view(x, (height, width), axis=(1, 2))
        out = np.stack([part.reshape(-1, height * width) @ flat for part in windows])  # a patch at a time: less memory
        out = out.reshape(*windows.shape[:3], channels) + self.weights[f"{name}/bias"]
        return self._normal(np.maximum(out, 0, out=out), number + 1)

    def pooled(self, patches: np.ndarray) -> np.ndarray:
        """Return the convolutions' features (B, 1506), maximum and mean over time side by side, of log-mel patches (B, T, 96)."""
        x = self._normal(patches[..., None], 0)[..., 0]
        timbral = [self._convolved(np.pad(x, ((0, 0), (3, 3), (0, 0))), i).max(2) for i in (0, 1)]
        same = ((63, 64), (31, 32), (15, 16))  # TensorFlow's "same" for kernels of 128, 64, 32 frames
        temporal = [self._convolved(np.pad(x, ((0, 0), pad, (0, 0))), i).max(2) for i, pad in zip((2, 3, 4), same, strict=True)]
        layers = [np.concatenate([*timbral, *temporal], 2)]
        for i in (5, 6, 7):
            out = self._convolved(np.pad(layers[-1], ((0, 0), (3, 3), (0, 0))), i)[:, :, 0]
            layers.append(out + layers[-1] if i > 5 else out)
        features = np.concatenate(layers, 2)
        return np.stack([features.max(1), features.mean(1)], 2).reshape(len(patches), -1)

    def forward(self, patches: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return (penultimate (B, 200), tag probabilities (B, 50)) of log-mel patches (B, T, 96)."""
        hidden = self._normal(self.pooled(patches), 9) @ self.weights["dense/kernel"] + self.weights["dense/bias"]
        hidden = self._normal(np.maximum(hidden, 0), 10)
        return hidden, 1 / (1 + np.exp(-(hidden @ self.weights["dense_1/kernel"] + self.weights["dense_1/bias"])))

    def log_mels(self, samples: np.ndarray, sample_rate: int) -> np.ndarray:
        """Return the log-mels (T, 96) of mono samples; short clips are repeated to 3 s."""
        import librosa
        import soxr

        samples = np.asarray(samples, np.float32)
        if sample_rate != self.sample_rate:
            samples = soxr.resample(samples, sample_rate, self.sample_rate)
        samples = np.resize(samples, max(len(samples), self.window * 256))
        mels = librosa.feature.melspectrogram(y=samples, sr=self.sample_rate, n_fft=512, hop_length=256, n_mels=96)
        return np.log10(10000 * mels.T + 1).astype(np.float32)

    def patches(self, mels: np.ndarray) -> np.ndarray:
        """Cut log-mels (T, 96) into whole windows (B, 187, 96)."""
        count = len(mels) // self.window
        return mels[: count * self.window].reshape(count, self.window, mels.shape[1])

    def __call__(self, samples: np.ndarray, sample_rate: int) -> tuple[np.ndarray, np.ndarray]:
        """Return (frames (F, 200), tag probabilities (F, 50)) of mono samples."""
        return self.forward(self.patches(self.log_mels(samples, sample_rate)))


def _read_weights(path: Path) -> dict[str, Any]:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return load_file(path)
    except FileNotFoundError:
        raise InputError(f"MusiCNN has no weights ({path}); run: make judges") from None
    except (OSError, SafetensorError) as error:
        raise InputError(f"cannot read MusiCNN's weights {path} ({error}); run: make judges") from None


def why_no_tags() -> str | None:
    """Say in one line why nothing can be heard of instruments and styles here, None where it can."""
    try:
        _models()
    except ImportError as error:
        return f"instruments and styles are not heard: {error}; pip install safetensors"
    except InputError as error:
        return f"instruments and styles are not heard: {error}"
    return None


@cache
def _models():
    return {name: MusiCNN(model=name) for name in MODELS}


def tags(samples: np.ndarray, sample_rate: int) -> dict[str, float]:
    """Return the mean probability of each tag in mono samples, {"mtt:piano": .9, "msd:rock": .1, ...}.

    Raises InputError where the weights are missing.
    """
    models, found = _models(), {}
    mels = models["mtt"].log_mels(samples, sample_rate)  # both models take the same
    for name, model in models.items():
        probabilities = model.forward(model.patches(mels))[1].mean(axis=0)
        found |= {f"{name}:{tag}": round(float(p), 4) for tag, p in zip(MODELS[name], probabilities, strict=True)}
    return found


@dataclass(frozen=True)
class Said:
    """A word for what is heard: said where the mean logarithm of its tags' probabilities reaches `least`; None: never."""

    word: str
    tags: tuple[str, ...]
    least: float | None

    def score(self, probabilities: Mapping[str, float]) -> float:
        """Return the mean logarithm of the tags' probabilities."""
        return float(np.mean([np.log(probabilities[tag] + 1e-3) for tag in self.tags]))


# `least` as `python benchmarks/calibrate_tags.py TEST CALIBRATION ...` prints them: right in 92 % of the calibration clips.
INSTRUMENTS = (
    Said("drums", ("mtt:drums", "mtt:beat"), -2.616),
    Said("distorted guitar", ("mtt:rock", "mtt:metal", "msd:punk"), -2.465),
    Said("electric guitar", ("mtt:rock", "msd:indie rock", "msd:punk"), -2.417),
    Said("acoustic guitar", ("msd:acoustic", "msd:guitar"), None),
    Said("plucked strings", ("msd:acoustic", "msd:guitar", "msd:folk"), -2.479),
    Said("piano", ("mtt:piano",), None),
    Said("synthesizer", ("mtt:techno", "msd:electronic", "msd:dance"), None),
    Said("choir", ("mtt:choral", "mtt:vocal"), None),
    Said("flute", ("mtt:flute",), None),
    Said("violin", ("mtt:violin",), None),
    Said("strings", ("mtt:strings", "mtt:violin", "mtt:cello"), None),
    Said("harp", ("mtt:harp",), None),
    Said("sitar", ("mtt:sitar", "mtt:indian"), None),
    Said("harpsichord", ("mtt:harpsichord",), None),
)
STYLES = (
    Said("metal", ("mtt:metal", "msd:metal"), None),
    Said("punk", ("msd:punk", "mtt:rock"), None),
    Said("rock", ("mtt:rock", "msd:rock"), -1.28),
    Said("techno", ("mtt:techno", "msd:house"), None),
    Said("electronic", ("mtt:electronic", "msd:electronic"), None),
    Said("dance", ("mtt:dance", "msd:dance", "msd:party"), None),
    Said("ambient", ("mtt:ambient", "msd:ambient"), None),
    Said("jazz", ("msd:jazz",), None),
    Said("classical", ("mtt:classical", "mtt:classic"), None),
    Said("folk", ("msd:folk", "msd:acoustic"), None),
    Said("country", ("mtt:country", "msd:country"), None),
    Said("funk", ("msd:funk",), None),
    Said("hip hop", ("msd:hip hop",), None),
    Said("choral", ("mtt:choral", "mtt:choir"), None),
)
MAX_INSTRUMENTS = 3
_WIDER = {
    "distorted guitar": {"electric guitar"},
    "acoustic guitar": {"plucked strings"},
    "violin": {"strings"},
    "harp": {"plucked strings"},
}


def instruments_heard(probabilities: Mapping[str, float]) -> list[str]:
    """Return the instruments that may be named of a clip's tags, at most three, the clearest first."""
    clear = {
        one.word: one.score(probabilities) - one.least
        for one in INSTRUMENTS
        if one.least is not None and one.score(probabilities) >= one.least
    }
    wider = {word for narrow in clear for word in _WIDER.get(narrow, ())}
    return sorted(set(clear) - wider, key=lambda word: -clear[word])[:MAX_INSTRUMENTS]


def styles_heard(probabilities: Mapping[str, float]) -> list[str]:
    """Return the styles that may be named of a clip's tags, the narrowest first."""
    return [one.word for one in STYLES if one.least is not None and one.score(probabilities) >= one.least]
