"""Clip: mono samples with what is known about them; resampled, cropped, labelled."""

from dataclasses import dataclass, field, replace

import numpy as np

from musicbench.music.theory import Chord, Dynamics, Key, Meter


@dataclass(frozen=True)
class Clip:
    """A stretch of mono sound and its labels. Labels that are not known are None or empty.

    samples: float32 (n,); beats: times and positions; chords with their start times, each lasting until the next; melody: notes of
    the lead, (start in seconds, end, MIDI pitch); hits: strokes of drums, (time in seconds, name of the drum).
    """

    samples: np.ndarray
    sample_rate: int
    beat_times: tuple = ()
    beat_positions: tuple = ()
    bpm: float | None = None
    meter: Meter | None = None
    chords: tuple[Chord, ...] = ()
    chord_times: tuple = ()
    key: Key | None = None
    caption: str = ""
    tags: dict = field(default_factory=dict)
    dynamics: Dynamics | None = None
    melody: tuple = ()
    hits: tuple = ()

    @property
    def duration_s(self) -> float:
        return len(self.samples) / self.sample_rate

    def cropped(self, start_s: float, duration_s: float) -> "Clip":
        """Cut a stretch out; a chord that began before it starts at 0, events outside are dropped."""
        first, count = round(start_s * self.sample_rate), round(duration_s * self.sample_rate)
        beats = [
            (round(t - start_s, 6), p)
            for t, p in zip(self.beat_times, self.beat_positions, strict=True)
            if -1e-6 < t - start_s < duration_s - 1e-6
        ]
        ends = (*self.chord_times[1:], float("inf"))[: len(self.chords)]
        chords = [
            (max(round(t - start_s, 6), 0.0) + 0.0, c)
            for t, end, c in zip(self.chord_times, ends, self.chords, strict=True)
            if end - start_s > 1e-6 and t - start_s < duration_s - 1e-6
        ]
        melody = [
            (max(round(start - start_s, 6), 0.0), min(round(end - start_s, 6), duration_s), pitch)
            for start, end, pitch in self.melody
            if end - start_s > 1e-6 and start - start_s < duration_s - 1e-6
        ]
        return replace(
            self,
            samples=self.samples[first : first + count],
            beat_times=tuple(max(t, 0.0) for t, _ in beats),
            beat_positions=tuple(p for _, p in beats),
            chords=tuple(c for _, c in chords),
            chord_times=tuple(t for t, _ in chords),
            melody=tuple(melody),
            hits=tuple((round(t - start_s, 6), drum) for t, drum in self.hits if -1e-6 < t - start_s < duration_s - 1e-6),
        )

    def resampled(self, sample_rate: int) -> "Clip":
        """Return the clip at another sample rate (soxr, high quality)."""
        if sample_rate == self.sample_rate:
            return self
        import soxr

        return replace(self, samples=soxr.resample(self.samples, self.sample_rate, sample_rate), sample_rate=sample_rate)

    def labels(self) -> dict:
        """Return the labels under the dataset's field names (`musicbench.build.dataset`)."""
        return {
            "beats": [list(self.beat_times), list(self.beat_positions)],
            "bpm": self.bpm,
            "meter": str(self.meter) if self.meter else None,
            "chords": [c.harte(self.key) for c in self.chords],
            "chords_time": list(self.chord_times),
            "key": [self.key.tonic, self.key.mode] if self.key else None,
        }

    def note_labels(self) -> dict:
        """Return the labels of single notes, which composed clips have: melody and drum hits."""
        return {"melody": [list(note) for note in self.melody], "hits": [list(hit) for hit in self.hits]}
