"""Beats, chords and key by librosa (ISC, no models): onsets, templates and key profiles; what is made with it may be sold."""

import tempfile
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from musicbench.hearing.evidence import ALL, HARMONY, PULSE, Evidence, nothing_found, proposed_tempi, unheard
from musicbench.music.chords import Chord
from musicbench.music.chordtypes import intervals_of

RATE, HOP, CHROMA_HOP = 22050, 256, 2048
FPS = RATE / HOP
LOW_BANDS = 12  # of the mel spectrogram's 128: kick and bass
QUALITIES = ("maj", "min", "7", "maj7", "min7")
# Faraldo, Jorda and Herrera's profiles (2017), "bgate", from the tonic up. On real songs they fit better than probe tone ratings.
KEY_PROFILES = {
    "major": (1.0, 0.0, 0.42, 0.0, 0.53, 0.37, 0.0, 0.77, 0.0, 0.38, 0.21, 0.3),
    "minor": (1.0, 0.0, 0.36, 0.39, 0.0, 0.38, 0.0, 0.74, 0.27, 0.0, 0.42, 0.23),
}
# Krumhansl and Kessler's probe tone ratings (1982), by which `mustango evaluate` judges.
PROBE_TONE_RATINGS = {
    "major": (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    "minor": (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
}
KEY_SHARPNESS = 50.0  # nats between a profile that fits and one that does not correlate
TEMPO_NATS = 9.0  # a second, of onsets that repeat themselves exactly
METER_NATS = 15.0  # for each standard error by which first beats stand out
TIGHTNESS = 100.0  # how firmly beats keep their tempo (Ellis 2007)


class LibrosaDetector:
    """librosa as a detector (see `musicbench.hearing.detectors`)."""

    name, licence, may_be_sold = "librosa", "ISC", True
    beats_a_bar, least_strength = (2, 3, 4, 6), 0.5

    def __init__(self):
        compile_once()

    def evidence(self, samples: np.ndarray, sample_rate: int, wanted: Collection[str] = ALL) -> Evidence:
        """Find onsets, chords and key in mono samples."""
        duration_s = len(samples) / sample_rate
        fault = unheard(samples, sample_rate)
        if fault:
            return nothing_found(duration_s, fault)
        wave = at_rate(samples, sample_rate, RATE)
        chroma = chroma_of(wave)
        pulse = _pulse(wave, chroma) if PULSE in wanted else np.zeros((0, 2), np.float16)
        if HARMONY not in wanted:
            return Evidence(duration_s, pulse, FPS, np.zeros(0))
        chords, times = template_chords(chroma)
        scores = KEY_SHARPNESS * key_fits(chroma) if chroma.max() > 1e-6 else np.zeros(0)
        return Evidence(duration_s, pulse, FPS, scores.astype(np.float32), chords, times)

    def proposals(self, evidence: Evidence) -> list[tuple[float, float]]:
        """Return (beats a minute, strength) that a clip may have."""
        return proposed_tempi(evidence.pulse[:, :1], evidence.fps)

    def scores(self, evidence: Evidence, bpm: float, beats_a_bar: tuple[int, ...]) -> np.ndarray:
        """Return for each number of beats a bar how well beats at a tempo explain a clip, in nats."""
        onsets = evidence.pulse[:, 0].astype(float)
        again = TEMPO_NATS * evidence.duration_s * _repeats(onsets, 60 * evidence.fps / bpm)
        beats = _beat_frames(onsets, evidence.fps, bpm)
        accents = evidence.pulse[np.minimum(beats, len(onsets) - 1), 1].astype(float)
        return np.array([again + METER_NATS * _first_beat(accents, count)[1] for count in beats_a_bar])

    def track(self, evidence: Evidence, bpm: float, beats: int) -> tuple[np.ndarray, np.ndarray]:
        """Return (times in seconds, positions in the bar) of beats at a tempo, so many a bar."""
        onsets = evidence.pulse[:, 0].astype(float)
        frames = _beat_frames(onsets, evidence.fps, bpm)
        accents = evidence.pulse[np.minimum(frames, len(onsets) - 1), 1].astype(float)
        first = _first_beat(accents, beats)[0]
        return frames / evidence.fps, (np.arange(len(frames)) - first) % beats + 1


def at_rate(samples: np.ndarray, sample_rate: int, rate: int) -> np.ndarray:
    """Return samples at another rate."""
    if sample_rate == rate:
        return samples
    import soxr

    return soxr.resample(samples, sample_rate, rate)


@cache
def compile_once() -> None:
    """Call what librosa compiles at its first call and keeps on disk, in one process at a time.

    Where two compile at once they can leave files that crash every later call (https://github.com/numba/numba/issues/10128).
    """
    from filelock import FileLock

    noise = np.random.default_rng(0).normal(0, 0.1, 2 * RATE).astype(np.float32)
    with FileLock(Path(tempfile.gettempdir()) / "musicbench-librosa.lock"):
        chroma = chroma_of(noise)
        template_chords(chroma)
        _pulse(noise, chroma)


def chroma_of(wave: np.ndarray) -> np.ndarray:
    """Return the constant-Q chroma (12, frames) of samples at RATE."""
    import librosa

    return librosa.feature.chroma_cqt(y=wave, sr=RATE, hop_length=CHROMA_HOP, norm=2)


def key_fits(chroma: np.ndarray, profiles: Mapping[str, Sequence[float]] = KEY_PROFILES) -> np.ndarray:
    """Return how well the mean of a chroma correlates with each key, C to B major and C to B minor."""
    mean = chroma.mean(axis=1)
    return np.array([np.corrcoef(mean, np.roll(profile, root))[0, 1] for profile in profiles.values() for root in range(12)])


def template_chords(chroma: np.ndarray) -> tuple[tuple[Chord, ...], tuple[float, ...]]:
    """Return (chords, start times) of a chroma (12, frames) by templates, smoothed by a Viterbi path."""
    import librosa

    chords = [Chord(root, quality) for quality in QUALITIES for root in range(12)]
    templates = np.zeros((len(chords), 12))
    for row, chord in zip(templates, chords, strict=True):
        row[[(chord.root + s) % 12 for s in intervals_of(chord.quality)]] = 1
    templates /= np.linalg.norm(templates, axis=1, keepdims=True)
    fit = np.exp(20 * (templates @ chroma))
    stay = librosa.sequence.transition_loop(len(chords), 0.9)
    path = librosa.sequence.viterbi_discriminative(fit / fit.sum(axis=0), stay)
    times = librosa.frames_to_time(np.arange(len(path)), sr=RATE, hop_length=CHROMA_HOP)
    new = [i for i in range(len(path)) if i == 0 or path[i] != path[i - 1]]
    return tuple(chords[path[i]] for i in new), tuple(round(float(times[i]), 4) for i in new)


def _pulse(wave, chroma):
    """Return (frames, 2): onsets, and accents as first beats have them: low onsets and changes of chroma."""
    import librosa

    mel = librosa.power_to_db(librosa.feature.melspectrogram(y=wave, sr=RATE, hop_length=HOP))
    onsets = librosa.onset.onset_strength(S=mel, sr=RATE, hop_length=HOP)
    low = librosa.onset.onset_strength(S=mel[:LOW_BANDS], sr=RATE, hop_length=HOP)
    step = CHROMA_HOP // HOP
    before = np.pad(chroma, ((0, 0), (2, 0)), mode="edge")[:, :-2]
    change = np.repeat(1 - (np.pad(chroma, ((0, 0), (0, 1)), mode="edge")[:, 1:] * before).sum(axis=0), step)
    change = np.pad(change, (0, max(len(onsets) - len(change), 0)))[: len(onsets)]
    accents = _standard(low) + _standard(change)
    return np.stack([_standard(onsets), accents], axis=1).astype(np.float16)


def _standard(values):
    return values / (values.std() + 1e-6)


def _repeats(onsets, lag):
    """Return the autocorrelation of onsets at a lag of frames and, half as much, at twice that, -1 to 1."""
    strength, found = onsets - onsets.mean(), 0.0
    for times, share in ((1, 2 / 3), (2, 1 / 3)):
        near = range(max(round(times * lag) - 1, 1), round(times * lag) + 2)
        products = [np.dot(strength[k:], strength[:-k]) / max(len(strength) - k, 1) for k in near if k < len(strength) - 1]
        found += share * max(products, default=0.0)
    return found / (strength.var() + 1e-9)


def _beat_frames(onsets, fps, bpm):
    """Return the frames of beats near a tempo by dynamic programming (Ellis 2007)."""
    period = 60 * fps / bpm
    smooth = np.convolve(onsets, np.exp(-0.5 * (np.arange(-round(period), round(period) + 1) * 32 / period) ** 2), "same")
    smooth /= smooth.std() + 1e-9
    offsets = np.arange(-round(2 * period), -max(round(period / 2), 1) + 1)
    costs = -TIGHTNESS * np.log(-offsets / period) ** 2
    best, came = smooth.copy(), np.full(len(smooth), -1)
    for frame in range(-int(offsets[-1]), len(smooth)):
        inside = offsets[frame + offsets >= 0]
        reached = best[frame + inside] + costs[len(offsets) - len(inside) :]
        k = int(reached.argmax())
        if reached[k] > 0:
            best[frame], came[frame] = smooth[frame] + reached[k], frame + inside[k]
    last = len(best) - round(period)
    frame = max(last, 0) + int(best[max(last, 0) :].argmax())
    frames = []
    while frame >= 0:
        frames.append(frame)
        frame = came[frame]
    return np.array(frames[::-1])


def _first_beat(accents, beats):
    """Return (which beat is a first one, by how many standard errors first beats stand out) of so many beats a bar."""
    if len(accents) < 2 * beats:
        return 0, 0.0
    spread = accents.std() + 1e-9
    means = [(accents[i::beats].mean() - accents.mean()) / spread * np.sqrt(len(accents[i::beats])) for i in range(beats)]
    return int(np.argmax(means)), float(max(means))
