"""Annotation: what is known of a stretch of music in time; read from and written as the fields of a row."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Self

from musicbench.music.chords import Chord
from musicbench.music.keys import Key
from musicbench.music.meters import Meter, meter_counted_to


@dataclass(frozen=True, kw_only=True)
class Annotation:
    """Labels of a stretch of music. Those that are not known are None or empty.

    beats: times and positions; chords with their start times, each lasting until the next; melody: notes of the lead,
    (start in seconds, end, MIDI pitch); hits: strokes of drums, (time in seconds, name of the drum).
    """

    beat_times: tuple = ()
    beat_positions: tuple = ()
    bpm: float | None = None
    meter: Meter | None = None
    chords: tuple[Chord, ...] = ()
    chord_times: tuple = ()
    key: Key | None = None
    melody: tuple = ()
    hits: tuple = ()

    @classmethod
    def of_row(cls, row: Mapping) -> Self:
        """Read the labels of a row, ours or as published: chords in any spelling, the meter from the beats where it is
        not given.

        Chords that are not as many as their times are left out.
        """
        times, positions = row["beats"] if row.get("beats") else ([], [])
        meter = Meter.parse(row["meter"]) if row.get("meter") else meter_counted_to(int(max(positions, default=0)))
        key, chords, chord_times = row.get("key"), row.get("chords") or (), row.get("chords_time") or ()
        if len(chords) != len(chord_times):
            chords = chord_times = ()
        return cls(
            beat_times=tuple(map(float, times)),
            beat_positions=tuple(map(int, positions)),
            bpm=row.get("bpm"),
            meter=meter,
            chords=tuple(Chord.parse(c) for c in chords),
            chord_times=tuple(map(float, chord_times)),
            key=Key.parse(" ".join(key)) if key else None,
            melody=tuple((float(start), float(end), int(pitch)) for start, end, pitch in row.get("melody") or ()),
            hits=tuple((float(time), str(drum)) for time, drum in row.get("hits") or ()),
        )

    def labels(self) -> dict:
        """Return the fields of a row that hold the labels, but for single notes."""
        return {
            "beats": [list(self.beat_times), list(self.beat_positions)],
            "bpm": self.bpm,
            "meter": str(self.meter) if self.meter else None,
            "chords": [c.harte(self.key) for c in self.chords],
            "chords_time": list(self.chord_times),
            "key": [self.key.tonic, self.key.mode] if self.key else None,
        }

    def note_labels(self) -> dict:
        """Return the fields of a row that hold single notes, which composed clips have: melody and drum hits."""
        return {"melody": [list(note) for note in self.melody], "hits": [list(hit) for hit in self.hits]}

    def by_name(self) -> dict[str, Any]:
        """Return the labels by their names here, as what is made with the same labels takes them."""
        return {label.name: getattr(self, label.name) for label in fields(Annotation)}

    def chord_spans(self, end_s: float) -> list[tuple[float, float, Chord]]:
        """Return (start, end, chord) of each chord; the last lasts until `end_s`."""
        return [(*span, chord) for span, chord in zip(spans(self.chord_times, end_s), self.chords, strict=True)]

    def transposed(self, semitones: int) -> Self:
        """Return the labels of the music moved by semitones: chords, key and melody."""
        return replace(
            self,
            chords=tuple(c.transposed(semitones) for c in self.chords),
            key=self.key and self.key.transposed(semitones),
            melody=tuple((start, end, pitch + semitones) for start, end, pitch in self.melody),
        )

    def paced(self, rate: float) -> Self:
        """Return the labels of the music played `rate` times as fast: every time is divided by it, bpm multiplied."""
        return replace(
            self,
            beat_times=tuple(round(t / rate, 6) for t in self.beat_times),
            chord_times=tuple(round(t / rate, 6) for t in self.chord_times),
            bpm=self.bpm and round(self.bpm * rate, 2),
            melody=tuple((round(start / rate, 6), round(end / rate, 6), pitch) for start, end, pitch in self.melody),
            hits=tuple((round(t / rate, 6), drum) for t, drum in self.hits),
        )

    def cropped(self, start_s: float, duration_s: float) -> Self:
        """Return the labels of a stretch; a chord that began before it starts at 0, events outside are dropped."""
        beats = [
            (round(t - start_s, 6), p)
            for t, p in zip(self.beat_times, self.beat_positions, strict=True)
            if -1e-6 < t - start_s < duration_s - 1e-6
        ]
        chords = [
            (max(round(t - start_s, 6), 0.0) + 0.0, c)
            for t, end, c in self.chord_spans(float("inf"))
            if end - start_s > 1e-6 and t - start_s < duration_s - 1e-6
        ]
        melody = [
            (max(round(start - start_s, 6), 0.0), min(round(end - start_s, 6), duration_s), pitch)
            for start, end, pitch in self.melody
            if end - start_s > 1e-6 and start - start_s < duration_s - 1e-6
        ]
        return replace(
            self,
            beat_times=tuple(max(t, 0.0) for t, _ in beats),
            beat_positions=tuple(p for _, p in beats),
            chords=tuple(c for _, c in chords),
            chord_times=tuple(t for t, _ in chords),
            melody=tuple(melody),
            hits=tuple((round(t - start_s, 6), drum) for t, drum in self.hits if -1e-6 < t - start_s < duration_s - 1e-6),
        )


def spans(times: Iterable[float], end_s: float) -> list[tuple[float, float]]:
    """Return (start, end) of what begins at `times` and lasts until the next begins, the last until `end_s`."""
    times = list(times)
    return list(zip(times, [*times[1:], end_s], strict=False))
