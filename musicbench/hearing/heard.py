"""What is heard in a clip: its labels, how sure each of them is, and why a label is missing."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from musicbench.music.annotation import Annotation
from musicbench.music.meters import Meter
from musicbench.music.tempo import beats_counted

LABELS = ("beats", "tempo", "meter", "chords", "key")
METERS = {2: Meter(2, 4), 3: Meter(3, 4), 4: Meter(4, 4), 6: Meter(6, 8)}


@dataclass(frozen=True)
class Heard(Annotation):
    """What was heard in a clip; None or empty where nothing was, with the reason under one of LABELS.

    confidence: from 0 to 1 for labels that are there. Of those with about .8, about 80 % are right on composed audio:
    tempo, the pace within 4 %; meter, the number of beats in a bar; key, tonic and mode; beats, an F-measure of at least
    .8 within 70 ms; chords, the share of the time in which root and mode are right. given: which labels somebody gave in
    place of those heard.
    """

    key_probability: float | None = None
    reasons: dict = field(default_factory=dict)
    confidence: dict = field(default_factory=dict)
    given: tuple[str, ...] = ()

    def sources(self) -> dict[str, str]:
        """Return where each of the LABELS that are there comes from, "given" or "heard"."""
        there = self.beat_times, self.bpm, self.meter, self.chords, self.key
        return {label: "given" if label in self.given else "heard" for label, value in zip(LABELS, there, strict=True) if value}

    @property
    def pace_bpm(self) -> float | None:
        """The beats a minute that people tap: in 6/8 the dotted ones, a third of those counted."""
        return self.bpm and self.bpm / beats_counted(self.meter)

    def without(self, label: str, reason: str) -> Self:
        """Return this without one of LABELS, and with the reason. What counts beats goes with them: without a meter
        there are no numbered beats."""
        nothing = {
            "beats": {"beat_times": (), "beat_positions": ()},
            "tempo": {"bpm": None},
            "meter": {"meter": None, "beat_times": (), "beat_positions": ()},
            "chords": {"chords": (), "chord_times": ()},
            "key": {"key": None, "key_probability": None},
        }[label]
        lost = ("meter", "beats") if label == "meter" else (label,)
        return replace(
            self,
            **nothing,
            reasons={**self.reasons, **{name: self.reasons.get(name, reason) for name in lost}},
            confidence={name: value for name, value in self.confidence.items() if name not in lost},
        )


@dataclass(frozen=True, kw_only=True)
class HeardClip(Heard):
    """What was heard in a clip of a song, which begins at `start_s` and lasts `duration_s`, its context included.

    Times of labels count from the clip's start. `no_music` says why it is no music, or is None; then it has no labels.
    """

    start_s: float
    duration_s: float
    no_music: str | None = None

    def to_json(self) -> dict:
        """Return an object of lists, texts and numbers from which `of_json` makes the same again."""
        return {
            "start_s": self.start_s,
            "duration_s": self.duration_s,
            "no_music": self.no_music,
            **self.labels(),
            "key_probability": self.key_probability,
            "confidence": dict(self.confidence),
            "reasons": dict(self.reasons),
        }

    @classmethod
    def of_json(cls, row: Mapping) -> Self:
        """Read what `to_json` returned."""
        labels = Annotation.of_row(row).by_name()
        labels["meter"] = Meter.parse(row["meter"]) if row["meter"] else None  # never guessed from the beats
        own = ("start_s", "duration_s", "no_music", "key_probability", "confidence", "reasons")
        return cls(**labels, **{name: row[name] for name in own})


def nothing_heard(reason: str) -> Heard:
    """Return a Heard without labels, all for one reason."""
    return Heard(reasons=dict.fromkeys(("beats", "chords", "key"), reason))
