"""What is measured in the sound: which instrument plays, are there drums (by a probe); level, pace, brightness."""

from functools import cache

import numpy as np

from musicbench.sound.features import loudness_db
from mustango.hear.embeddings import load_embedder


@cache
def musicnn():
    return load_embedder("musicnn")


def timbre(samples, sample_rate):
    """Return what the probe knows of a clip (D,).

    These are MusiCNN's pooled features, and level, spread and changes of 96 mel bands.
    """
    model = musicnn()
    mels = model.log_mels(samples, sample_rate)
    steps = np.diff(mels, axis=0)
    rises, falls = np.maximum(steps, 0).mean(0), np.maximum(-steps, 0).mean(0)
    bands = [mels.mean(0), mels.std(0, ddof=1), rises, falls, np.quantile(mels, 0.1, axis=0)]
    return np.concatenate([model.pooled(model.patches(mels)).mean(0), *bands])


def fitted(features, labels):
    """Return a logistic regression on `timbre` (N, D) that tells labels (N,) apart."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000)).fit(features, labels)


class Probe:
    """Logistic regressions on `timbre`: which of INSTRUMENTS plays the chords, and whether there are drums."""

    def __init__(self, features, instruments, drums):
        self.instruments, self.drums = fitted(features, instruments), fitted(features, drums)

    def right(self, features, instrument, drums):
        """Return {"instrument": 0 or 1, "drums": 0 or 1} for what was asked (drums None: not asked)."""
        heard = {"instrument": float(self.instruments.predict(features[None])[0] == instrument)}
        return heard if drums is None else heard | {"drums": float(self.drums.predict(features[None])[0] == drums)}


def measures(samples, sample_rate):
    """Return {measure: number} for the pairs of moods: loudness in dB, onsets a second, spectral centroid in Hz."""
    import librosa

    onsets = librosa.onset.onset_detect(y=samples, sr=sample_rate)
    return {
        "loudness": float(np.median(loudness_db(samples, sample_rate))),
        "onsets a second": len(onsets) * sample_rate / len(samples),
        "spectral centroid": float(librosa.feature.spectral_centroid(y=samples, sr=sample_rate).mean()),
    }


def tone(samples, sample_rate):
    """Return the power (2, frames) of what is held between 80 and 2,500 Hz, and of all.

    What is held is found by median filters (Driedger et al. 2014).
    """
    import librosa

    spectrum = np.abs(librosa.stft(samples, n_fft=4096, hop_length=1024))
    frequency = librosa.fft_frequencies(sr=sample_rate, n_fft=4096)
    held = librosa.decompose.hpss(spectrum, margin=(3.0, 1.0))[0][(frequency > 80) & (frequency < 2500)]
    return np.stack([np.square(held).sum(axis=0), np.square(spectrum).sum(axis=0)])
