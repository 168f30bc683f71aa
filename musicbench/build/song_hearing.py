"""What is heard in a song, clip by clip; kept, so that its rows can be made anew without hearing it again."""

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np

from musicbench.build.marks import read_object
from musicbench.build.songs import clipped_share, fault_of, without_dc
from musicbench.files import make_folder, save_json
from musicbench.hearing.evidence import ALL
from musicbench.hearing.heard import HeardClip
from musicbench.hearing.song import Hearing, Listened, listen
from musicbench.hearing.sound_facts import SoundFacts, measured
from musicbench.hearing.tagger import tags, why_no_tags

MAX_FAULTS, MAX_SHOWN = 100, 5  # of a song, that are named; in one line


@dataclass(frozen=True)
class SongClip:
    """A clip of a song: its place in the decoded sound, and what of it needs its samples to be known.

    first, frames: place, and length with the sound after it, in samples at `rate`. facts, tags: of the clip alone, how it
    sounds in numbers and the probabilities of `tagger.tags`. listened: of the clip and the sound after it.
    """

    index: int
    first: int
    frames: int
    rate: int
    facts: SoundFacts
    tags: dict
    dc_removed: float
    clipped: float

    @property
    def start_s(self) -> float:
        """Where the clip begins, in seconds from the start of the song."""
        return round(self.first / self.rate, 3)

    @property
    def read_s(self) -> float:
        """How long the clip is with the sound after it, in seconds."""
        return self.frames / self.rate

    def to_json(self) -> dict:
        """Return an object from which `of_json` makes the same again."""
        return {**vars(self), "facts": self.facts.row()}

    @classmethod
    def of_json(cls, read: dict) -> Self:
        """Read what `to_json` returned."""
        return cls(**{**read, "facts": SoundFacts(**read["facts"])})


@dataclass
class HeardSong:
    """What is heard in a song: its clips and their labels. `faults`: (start in seconds or None for the whole song,
    reason) of what is not used. needless: what was not heard (`evidence.ALL`), as its labels are given."""

    tags: dict = field(default_factory=dict)
    clips: list[tuple[SongClip, HeardClip]] = field(default_factory=list)
    faults: list[tuple[float | None, str]] = field(default_factory=list)
    versions: dict = field(default_factory=dict)
    needless: list[str] = field(default_factory=list)

    def save(self, path: Path, made_of: dict) -> None:
        """Write what was heard, and of what."""
        make_folder(path.parent)
        clips = [[clip.to_json(), heard.to_json()] for clip, heard in self.clips]
        save_json(path, {"made_of": made_of, **vars(self), "clips": clips})

    @classmethod
    def read(cls, path: Path, made_of: dict) -> Self | None:
        """Return what was heard of the same, or None where it is to be heard."""
        read = read_object(path)
        if read.pop("made_of", None) != made_of:
            return None
        clips = [(SongClip.of_json(clip), HeardClip.of_json(heard)) for clip, heard in read["clips"]]
        return cls(**{**read, "clips": clips, "faults": [(start_s, reason) for start_s, reason in read["faults"]]})


def finite(samples: np.ndarray) -> np.ndarray:
    """Return what comes before the first sample that is no number."""
    fine = np.isfinite(samples)
    return samples if fine.all() else samples[: fine.argmin()]


def listened_clip(
    place: tuple[int, int, int],
    sound: tuple[np.ndarray, np.ndarray],
    length: int,
    hearing: Hearing,
    wanted: Collection[str] = ALL,
) -> tuple[SongClip, Listened]:
    """Listen to a clip.

    place: its number, its first sample and the rate. sound: the mono samples of the clip, `length` of them, and of what
    comes after it; its loudest channel. wanted: what is to be heard of it.
    """
    (index, first, rate), mono = place, finite(sound[0])
    samples, dc_removed = without_dc(mono)
    known = {} if why_no_tags() else tags(samples[:length], rate)
    facts, clipped = measured(samples[:length], rate), clipped_share(sound[1][:length])
    clip = SongClip(index, first, len(mono), rate, facts, known, dc_removed, clipped)
    return clip, listen(clip.start_s, samples, rate, hearing, wanted)


def clip_fault(sound: tuple[np.ndarray, np.ndarray], length: int, rate: int, channels: int) -> str | None:
    """Say why a clip cannot be used, or return None; `sound` and `length` as of `listened_clip`."""
    mono, loudest = sound
    fault = fault_of(mono[:length], rate)
    if fault and channels > 1 and fault_of(loudest[:length], rate) is None:
        return "silence when mixed to mono: its channels cancel each other; turn the sign of one of them"
    return fault


def song_faults(file, heard: HeardSong, min_s: float) -> list[tuple[float | None, str]]:
    """Return what is wrong with a song beside its single clips, when all of it was read."""
    found: list[tuple[float | None, str]] = []
    if not heard.clips and not heard.faults:
        reason = f"no {min_s:g} s of it are without damage"
        if file.decoded_s < min_s:
            reason = f"it lasts {int(file.decoded_s * 100) / 100:.2f} s, below {min_s:g} s"
        return [(None, "; ".join([reason, *(reason for _, reason in file.faults[:MAX_SHOWN])]))]
    found += [(round(time_s, 3), reason) for time_s, reason in file.faults[:MAX_FAULTS]]
    if not heard.clips:
        found.append((None, f"no clip of it can be used: {(heard.faults + found)[0][1]}"))
    return found
