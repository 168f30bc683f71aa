"""Labels of a song that somebody gave: they replace those heard in its clips."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from typing import Any

from musicbench.hearing.evidence import HARMONY, PULSE
from musicbench.hearing.heard import LABELS, HeardClip
from musicbench.hearing.song import Pace
from musicbench.music.chords import Chord
from musicbench.music.keys import Key
from musicbench.music.meters import Meter, meter_counted_to
from musicbench.music.tempo import counted_bpm
from musicbench.sound.features import bpm_of

LEAST_BEATS = 2  # of a clip, below which they count as not given
GAP_S = 0.5  # in which a chord that has ended goes on, where nothing else is given
NEAR_S = 0.07  # two times of one beat
SAME_PHASE = 0.7  # of the beats heard, that must lie on given ones to tell where bars begin
NEEDED = {PULSE: ("beats", "tempo", "meter"), HARMONY: ("chords", "key")}  # for what is heard together


@dataclass(frozen=True)
class GivenLabels:
    """Labels of a song, by kind (`heard.LABELS`), times in seconds from its start.

    beats: (time, position in the bar or None). The others: (start, value), which holds until the next begins; a value of None
    ends what is given.
    """

    beats: tuple[tuple[float, int | None], ...] = ()
    tempo: tuple[tuple[float, float | None], ...] = ()
    meter: tuple[tuple[float, Meter | None], ...] = ()
    chords: tuple[tuple[float, Chord | None], ...] = ()
    key: tuple[tuple[float, Key | None], ...] = ()

    def or_else(self, other: "GivenLabels") -> "GivenLabels":
        """Return these labels, and another's where there are none of a kind."""
        return GivenLabels(**{name: getattr(self, name) or getattr(other, name) for name in KINDS})

    def without(self, kinds: Iterable[str]) -> "GivenLabels":
        """Return these labels without some kinds."""
        return replace(self, **dict.fromkeys(kinds, ()))

    def to_json(self) -> dict[str, list]:
        """Return what tells two of these apart."""
        return {name: [[time, None if value is None else str(value)] for time, value in getattr(self, name)] for name in KINDS}

    def pace(self, start_s: float, lasts_s: float) -> Pace | None:
        """Return what is given of how fast a clip goes whose beats are heard."""
        bpm, meter = (longest(spans, start_s, start_s + lasts_s) for spans in (self.tempo, self.meter))
        return None if self.beats or not (bpm or meter) else Pace(bpm, meter and meter.beats)

    def heard_paces(self) -> list:
        """Return what of these labels the beats that are heard depend on."""
        of = self.to_json()
        return [of["tempo"], of["meter"]] if not self.beats and (self.tempo or self.meter) else []

    def needless(self, first_s: float, end_s: float) -> list[str]:
        """Return what need not be heard (PULSE, HARMONY), as its labels are given from one time to another."""
        return [what for what, kinds in NEEDED.items() if all(self._covers(kind, first_s, end_s) for kind in kinds)]

    def _covers(self, kind, first_s, end_s):
        if kind in ("tempo", "meter") and self._covers("beats", first_s, end_s):
            return True
        if kind == "beats":
            period_s = max((b - a for a, b in pairwise(time for time, _ in self.beats)), default=0.0)
            numbered = self.beats and all(position for _, position in self.beats)
            return bool(numbered) and self.beats[0][0] < first_s + 2 * period_s and self.beats[-1][0] > end_s - 2 * period_s
        return _covered(getattr(self, kind), first_s, end_s)

    def chords_last_s(self, lasts_s: float) -> float:
        """Return for how long chords are given in a song."""
        spans = pairwise([*self.chords, (lasts_s, None)])
        return sum(min(end_s, lasts_s) - start_s for (start_s, value), (end_s, _) in spans if value is not None)

    def over(self, heard: HeardClip, clip_s: float) -> HeardClip:
        """Return what was heard in a clip with the labels that are given in place of those heard.

        clip_s: how long a clip is without the sound after it.
        """
        start_s, lasts_s = heard.start_s, heard.duration_s
        labels: dict[str, dict[str, Any]] = {}
        if beats := self._beats_in(start_s, lasts_s, heard):
            times, positions = zip(*beats, strict=True)
            labels["beats"] = {"beat_times": times, "beat_positions": positions}
            if bpm := bpm_of(times):
                labels["tempo"] = {"bpm": bpm}
            if meter := meter_counted_to(max(positions)):
                labels["meter"] = {"meter": meter}
        end_s = start_s + min(clip_s, lasts_s)
        if meter := longest(self.meter, start_s, end_s):
            labels["meter"] = {"meter": meter}
        if bpm := longest(self.tempo, start_s, end_s):
            of_clip = labels.get("meter", {"meter": heard.meter})["meter"]
            labels["tempo"] = {"bpm": as_counted(bpm, of_clip, labels.get("tempo", {}).get("bpm"))}
        if chords := _chords_in(self.chords, start_s, end_s, lasts_s):
            labels["chords"] = {"chord_times": tuple(t for t, _ in chords), "chords": tuple(c for _, c in chords)}
        if key := longest(self.key, start_s, end_s):
            labels["key"] = {"key": key, "key_probability": 1.0}
        return _with(heard, labels)

    def _beats_in(self, start_s, lasts_s, heard):
        """Return the given (time, position) of a clip from its start; [] where there are too few, or no positions."""
        beats = [(round(t - start_s, 6), p) for t, p in self.beats if -1e-6 < t - start_s < lasts_s]
        beats = [(max(t, 0.0), p) for t, p in beats]
        if len(beats) < LEAST_BEATS or all(position for _, position in beats):
            return beats if len(beats) >= LEAST_BEATS else []
        of_clip = longest(self.meter, start_s, start_s + lasts_s) or heard.meter
        times = [t for t, _ in beats]
        first = _first_position(times, heard, of_clip.beats) if of_clip else None
        return [(t, (first - 1 + i) % of_clip.beats + 1) for i, t in enumerate(times)] if first else []


KINDS = tuple(f.name for f in fields(GivenLabels))


def as_counted(bpm: float, meter: Meter | None, beats_bpm: float | None = None) -> float:
    """Return the counted beats a minute of a given tempo, see `counted_bpm`; as it is, where that lies nearer to the given beats."""
    counted = counted_bpm(bpm, meter)
    return min((counted, bpm), key=lambda each: abs(each - beats_bpm)) if beats_bpm else counted


def longest(spans: Sequence[tuple[float, Any]], start_s: float, end_s: float) -> Any:
    """Return the value that holds longest from one time to another, None where there is none."""
    lasting: dict[Any, float] = {}
    for (first_s, value), (next_s, _) in pairwise([*spans, (float("inf"), None)]):
        shared_s = min(next_s, end_s) - max(first_s, start_s)
        if shared_s > 0:
            lasting[value] = lasting.get(value, 0.0) + shared_s
    return max(lasting, key=lambda value: lasting[value], default=None)


def _covered(spans, first_s, end_s):
    """Tell whether something is given all the time, but for short gaps and what is before the first second of it."""
    return bool(spans) and spans[0][0] <= first_s + 1 and _missing_s(spans, first_s, end_s) <= GAP_S


def _missing_s(spans, first_s, end_s):
    """Return for how long nothing is given from one time to another, once something is."""
    gaps = [(t, end) for (t, value), (end, _) in pairwise([*spans, (float("inf"), None)]) if value is None]
    return sum(max(min(end, end_s) - max(t, first_s), 0.0) for t, end in gaps)


def _chords_in(chords, start_s, end_s, lasts_s):
    """Return the given (time, chord) of a clip from its start; [] where none is given, or not for all of it."""
    if longest(chords, start_s, end_s) is None:
        return []
    here = [(t, c) for (t, c), (end, _) in pairwise([*chords, (float("inf"), None)]) if t < start_s + lasts_s and end > start_s]
    if _missing_s(chords, start_s, end_s) > GAP_S:
        return []
    return [(max(round(t - start_s, 6), 0.0), c) for t, c in here if c is not None]


def _first_position(times, heard, beats):
    """Return the position of the first of some beats, by which most lie where those heard are counted the same; None where
    the two do not go together."""
    places = [(min(range(len(times)), key=lambda i: abs(times[i] - t)), t, p) for t, p in _numbered(heard)]
    votes = [(p - 1 - i) % beats for i, t, p in places if abs(times[i] - t) <= NEAR_S]
    if heard.meter is None or heard.meter.beats != beats or len(votes) < max(SAME_PHASE * len(places), 1):
        return None
    return max(range(beats), key=votes.count) + 1


def _numbered(heard):
    return list(zip(heard.beat_times, heard.beat_positions, strict=True))


def _with(heard, labels):
    """Return what was heard with labels, by kind, in place of its own."""
    values = {name: value for own in labels.values() for name, value in own.items()}
    reasons = {label: reason for label, reason in heard.reasons.items() if label not in labels}
    sure = heard.confidence | dict.fromkeys(labels, 1.0)
    sure = {label: sure[label] for label in LABELS if label in sure}
    return replace(heard, **values, reasons=reasons, confidence=sure, given=tuple(labels))
