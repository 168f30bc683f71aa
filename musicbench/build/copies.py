"""A clip's copies: what their labels are, and how they sound; each can be had without the other."""

from dataclasses import dataclass, replace

import numpy as np

from musicbench.build.songs import without_dc
from musicbench.music.annotation import Annotation
from musicbench.music.dynamics import Dynamics
from musicbench.sound import augment
from musicbench.sound.clip import Clip
from musicbench.sound.levels import below_full_scale, level
from musicbench.sound.master import loudness_of


@dataclass(frozen=True, kw_only=True)
class Copy(Annotation):
    """The labels of a clip as a copy's steps move them, how long the copy lasts, and its change of loudness."""

    duration_s: float
    dynamics: Dynamics | None = None


def labels_of_copy(labels: Annotation, steps: list[dict], read_s: float, clip_s: float) -> Copy:
    """Move a clip's labels by a copy's steps.

    labels: those of the clip and the sound after it, `read_s` together; the copy lasts `clip_s` or what there is.
    """
    dynamics = None
    for step in steps:
        if step["transform"] == "pitch":
            labels = labels.transposed(step["semitones"])
        elif step["transform"] == "tempo":
            labels, read_s = labels.paced(step["rate"]), read_s / step["rate"]
        else:
            dynamics = Dynamics(*(step[name] for name in ("kind", "where", "turn_s", "floor")))
    moved = labels.cropped(0, clip_s)
    return Copy(duration_s=min(clip_s, read_s), dynamics=dynamics, **moved.by_name())


def base_of(samples: np.ndarray, rate: int, sample_rate: int) -> Clip:
    """Return a clip (n,) of a song, without its constant offset, at the rate of the dataset; its copies are made of
    it."""
    return Clip(without_dc(samples)[0], rate).resampled(sample_rate)


def sound_of_copy(base: Clip, steps: list[dict], clip_s: float) -> tuple[np.ndarray, float]:
    """Apply a copy's steps to a clip with the sound after it, crop it to `clip_s` and bring it to the original's loudness;
    dynamics come last.

    Returns (samples (n,), the gain in dB that the loudness took).
    """
    dynamics = [step for step in steps if step["transform"] == "dynamics"]
    original, gain_db = base.cropped(0, clip_s), 0.0
    copy = original = replace(original, samples=below_full_scale(original.samples, original.sample_rate))
    if len(dynamics) < len(steps):
        copy = augment.apply(base, [step for step in steps if step not in dynamics]).cropped(0, clip_s)
        copy, gain_db = level(copy, loudness_of(original.samples, original.sample_rate))
    return augment.apply(copy, dynamics).samples, gain_db
