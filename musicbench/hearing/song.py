"""A song, clip by clip -> what is heard in each clip, voted over the song."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Self

import numpy as np

from musicbench import InputError
from musicbench.hearing.agreement import agreed
from musicbench.hearing.confidence import beat_facts, chord_facts, confidence, key_facts
from musicbench.hearing.detectors import DETECTORS, Detector, load_detector
from musicbench.hearing.evidence import ALL, Evidence, nothing_found, strength_at
from musicbench.hearing.heard import LABELS, Heard, HeardClip
from musicbench.hearing.kinds import no_music
from musicbench.hearing.voting import Beat, VotedKey, voted_beats, voted_keys
from musicbench.music.keys import Key
from musicbench.music.meters import meter_counted_to
from musicbench.music.tempo import counted_bpm
from musicbench.sound.features import bpm_of

TOGETHER = 60  # clips that vote together at most: ten minutes, so that memory and time do not grow faster than a song
LEAST_BEATS = 4  # of a clip
SURE = 1e3  # nats by which another pace is worse than one that is given
NO_PULSE = "no clear pulse"  # how the reason begins why such a clip has no beats; not that of beats of which one is not sure


@dataclass(frozen=True)
class Hearing:
    """How songs are heard. All of it is plain data: `dataclasses.asdict` tells two settings apart.

    detector: one of DETECTORS. agree: a second one that must hear the same, else a label is left out ("" for none).
    least: the least confidence of a label that is kept. vote: whether a song's clips vote, or each is heard alone.
    only_music: whether clips that are no music are told apart.
    """

    detector: str = "madmom"
    agree: str = ""
    least: Mapping[str, float] = field(default_factory=lambda: {"tempo": 0.8, "meter": 0.9, "key": 0.78})
    vote: bool = True
    only_music: bool = True

    def __post_init__(self):
        for name in (self.detector, *([self.agree] if self.agree else [])):
            if name not in DETECTORS:
                raise InputError(f"unknown detector {name!r:.40}; choose from {', '.join(DETECTORS)}")
        if self.agree in (self.detector, "none"):
            raise InputError(f"{self.agree} cannot check {self.detector}; give another second detector")
        for label, least in self.least.items():
            if label not in LABELS or not 0 <= least <= 1:
                raise InputError(
                    f"a least confidence of {least!r:.40} for {label!r:.40}; give 0 to 1 for one of {', '.join(LABELS)}"
                )


@dataclass(frozen=True)
class Listened:
    """A clip of which only what was found is kept. lasts_s: how much of it comes before the next clip begins."""

    start_s: float
    duration_s: float
    no_music: str | None
    found: tuple[Evidence, ...]  # of the detector and, where it is asked, the second one

    def to_json(self) -> dict:
        """Return an object from which `of_json` makes the same again."""
        return {**vars(self), "found": [evidence.to_json() for evidence in self.found]}

    @classmethod
    def of_json(cls, read: Mapping) -> Self:
        """Read what `to_json` returned."""
        return cls(**{**read, "found": tuple(map(Evidence.of_json, read["found"]))})


class Pace(NamedTuple):
    """What is known of a clip whose beats are to be heard: its tempo, how many beats its bars have; None where it is not."""

    bpm: float | None
    beats: int | None


def hear_song(clips: Iterable[tuple[float, np.ndarray, int]], settings: Hearing | None = None) -> list[HeardClip]:
    """Return what is heard in each clip, (start in seconds, mono samples, rate), of one song, in their order.

    The clips are asked for once; their samples are not kept. Raises InputError when a detector is not installed.
    """
    settings = settings or Hearing()
    return voted([listen(start_s, samples, rate, settings) for start_s, samples, rate in clips], settings)


def voted(
    clips: Sequence[Listened], settings: Hearing, pace_of: Callable[[float, float], Pace | None] | None = None
) -> list[HeardClip]:
    """Return what is heard in each clip of one song, in their order; up to TOGETHER of them vote together.

    pace_of(start, length in seconds): what is given of a clip's pace, at which its beats are then sought.
    """
    together, pace_of = TOGETHER if settings.vote else 1, pace_of or (lambda start_s, lasts_s: None)
    return [heard for few in _batched(clips, together) for heard in _voted(few, _detectors(settings), settings, pace_of)]


def _batched(clips, count):
    return (clips[first : first + count] for first in range(0, len(clips), count))


def _detectors(settings):
    return [load_detector(name) for name in (settings.detector, settings.agree) if name]


def listen(start_s: float, samples: np.ndarray, rate: int, settings: Hearing, wanted: Collection[str] = ALL) -> Listened:
    """Return all that needs a clip's samples, of PULSE and HARMONY what is wanted.

    Raises InputError when a detector is not installed.
    """
    duration_s, detectors = len(samples) / rate, _detectors(settings)
    fault = no_music(samples, rate) if settings.only_music else None
    if fault:
        return Listened(start_s, duration_s, fault, tuple(nothing_found(duration_s, fault) for _ in detectors))
    return Listened(start_s, duration_s, None, tuple(detector.evidence(samples, rate, wanted) for detector in detectors))


def _voted(clips, detectors, settings, pace_of):
    first = _heard(clips, 0, detectors[0], settings.least, pace_of)
    if settings.agree:
        second = _heard(clips, 1, detectors[1], {}, pace_of)
        checked = zip(clips, first, second, strict=True)
        first = [agreed(mine, other, settings.agree, clip.duration_s) for clip, mine, other in checked]
    return [
        HeardClip(
            start_s=clip.start_s, duration_s=clip.duration_s, no_music=clip.no_music, **heard.by_name(),
            key_probability=heard.key_probability, reasons=heard.reasons, confidence=heard.confidence,
        )
        for clip, heard in zip(clips, first, strict=True)
    ]  # fmt: skip


def _heard(clips, which, detector, least, pace_of) -> list[Heard]:
    found = [clip.found[which] for clip in clips]
    ends = [clip.start_s for clip in clips[1:]] + [float("inf")]
    lasts_s = [min(clip.duration_s, end - clip.start_s) for clip, end in zip(clips, ends, strict=True)]
    beats = [
        _paced(beat, pace_of(clip.start_s, lasts))
        for beat, clip, lasts in zip(voted_beats(detector, found), clips, lasts_s, strict=True)
    ]
    votes = zip(found, beats, voted_keys(found, lasts_s), strict=True)
    return [heard_of(detector, evidence, beat, key, least) for evidence, beat, key in votes]


def _paced(beat, pace):
    """Return how a clip goes as voted, at the pace that is given."""
    if beat is None or pace is None:
        return beat
    beats, bpm = pace.beats or beat.beats, beat.bpm
    if pace.bpm or beats != beat.beats:
        stated = pace.bpm or (bpm / 3 if beat.beats == 6 else bpm)
        bpm = counted_bpm(stated, meter_counted_to(beats))
    pace_margin, meter_margin = SURE if pace.bpm else beat.pace_margin, SURE if pace.beats else beat.meter_margin
    return replace(beat, bpm=bpm, beats=beats, pace_margin=pace_margin, meter_margin=meter_margin)


def heard_of(detector: Detector, evidence: Evidence, beat: Beat | None, key: VotedKey | None, least: Mapping[str, float]) -> Heard:
    """Return a clip's labels by what was found in it and what its song voted, without those that are not sure enough."""
    labels, sure, reasons = {}, {}, dict(evidence.reasons)
    for label in ("tempo", "meter"):
        if "beats" in reasons:
            reasons[label] = reasons["beats"]
    if beat:
        _add_beats(detector, evidence, beat, labels, sure, reasons)
    if key:
        sure["key"] = confidence(detector.name, "key", key_facts(key.probability, key.clips))
        labels |= {"key": Key.of(key.root, key.mode), "key_probability": sure["key"]}
    if evidence.chords:
        labels |= {"chords": evidence.chords, "chord_times": evidence.chord_times}
        heard = Heard(**labels)
        facts = chord_facts(heard.chord_spans(evidence.duration_s), evidence.duration_s, key.probability if key else 0.0)
        sure["chords"] = confidence(detector.name, "chords", facts)
    heard = Heard(**labels, reasons=reasons, confidence=sure)
    for label, bound in least.items():
        if label in sure and sure[label] < bound:
            heard = heard.without(label, f"not sure: confidence {sure[label]:.2f}, below {bound:g}")
            if label == "tempo":  # at another pace the beats are others
                heard = heard.without("beats", heard.reasons["tempo"])
    return heard


def _add_beats(detector, evidence, beat, labels, sure, reasons):
    """Add beats, tempo and meter near what the song voted, or the reason why the clip has none."""
    times, positions = detector.track(evidence, beat.bpm, beat.beats)
    fault = None
    if len(times) < LEAST_BEATS:
        fault = f"{len(times)} beats found, fewer than {LEAST_BEATS}"
    else:
        strength = strength_at(times, evidence.pulse.astype(float), evidence.fps)
        if strength < detector.least_strength:
            fault = f"{NO_PULSE}: mean strength at the beats {strength:.2f}, below {detector.least_strength:g}"
    if fault:
        reasons |= dict.fromkeys(("beats", "tempo", "meter"), fault)
        return
    bpm = bpm_of(times) or beat.bpm
    facts = beat_facts(beat, strength, bpm)
    labels |= {
        "beat_times": tuple(round(float(t), 4) for t in times),
        "beat_positions": tuple(int(p) for p in positions),
        "bpm": bpm,
        "meter": meter_counted_to(beat.beats),
    }
    for label in ("beats", "tempo", "meter"):
        sure[label] = confidence(detector.name, label, facts)
