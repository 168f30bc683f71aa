"""Clip: mono samples with what is known about them; resampled, cropped, labelled."""

from dataclasses import dataclass, field, replace

import numpy as np

from musicbench.music.annotation import Annotation
from musicbench.music.dynamics import Dynamics


@dataclass(frozen=True)
class Clip(Annotation):
    """A stretch of mono sound, samples (n,) in float32, with its Annotation, its caption and tags of what sounds."""

    samples: np.ndarray
    sample_rate: int
    caption: str = ""
    tags: dict = field(default_factory=dict)
    dynamics: Dynamics | None = None

    @property
    def duration_s(self) -> float:
        return len(self.samples) / self.sample_rate

    def cropped(self, start_s: float, duration_s: float) -> "Clip":
        """Cut a stretch out; a chord that began before it starts at 0, events outside are dropped."""
        first, count = round(start_s * self.sample_rate), round(duration_s * self.sample_rate)
        return replace(super().cropped(start_s, duration_s), samples=self.samples[first : first + count])

    def resampled(self, sample_rate: int) -> "Clip":
        """Return the clip at another sample rate (soxr, high quality)."""
        if sample_rate == self.sample_rate:
            return self
        import soxr

        return replace(self, samples=soxr.resample(self.samples, self.sample_rate, sample_rate), sample_rate=sample_rate)
