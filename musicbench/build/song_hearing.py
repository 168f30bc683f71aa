"""What is heard in a song, clip by clip; kept, so that its rows can be made anew without hearing it again."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np

from musicbench.build.marks import read_object
from musicbench.build.songs import clipped_share, fault_of, without_dc
from musicbench.files import make_folder, save_json
from musicbench.music.annotation import Annotation
from musicbench.sound.features import hear, sound_facts

MAX_FAULTS, MAX_SHOWN = 100, 5  # of a song, that are named; in one line


@dataclass(frozen=True)
class HeardClip:
    """A clip of a song: its place in the decoded sound, and what is heard in it and in the sound after it.

    first, frames: place, and length with the sound after it, in samples at `rate`. facts: numbers of how it sounds.
    """

    index: int
    first: int
    frames: int
    rate: int
    labels: Annotation
    key_probability: float | None
    reasons: dict
    facts: dict
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
        return {**vars(self), "labels": {**self.labels.labels(), **self.labels.note_labels()}}

    @classmethod
    def of_json(cls, read: dict) -> Self:
        return cls(**{**read, "labels": Annotation.of_row(read["labels"])})


@dataclass
class HeardSong:
    """What is heard in a song. `faults`: (start in seconds or None for the whole song, reason) of what is not used."""

    tags: dict = field(default_factory=dict)
    clips: list[HeardClip] = field(default_factory=list)
    faults: list[tuple[float | None, str]] = field(default_factory=list)
    versions: dict = field(default_factory=dict)

    def save(self, path: Path, made_of: dict) -> None:
        """Write what was heard, and of what."""
        make_folder(path.parent)
        save_json(path, {"made_of": made_of, **vars(self), "clips": [clip.to_json() for clip in self.clips]})

    @classmethod
    def read(cls, path: Path, made_of: dict) -> Self | None:
        """Return what was heard of the same, or None where it is to be heard."""
        read = read_object(path)
        if read.pop("made_of", None) != made_of:
            return None
        faults = [(start_s, reason) for start_s, reason in read["faults"]]
        return cls(**{**read, "clips": list(map(HeardClip.of_json, read["clips"])), "faults": faults})


def finite(samples: np.ndarray) -> np.ndarray:
    """Return what comes before the first sample that is no number."""
    fine = np.isfinite(samples)
    return samples if fine.all() else samples[: fine.argmin()]


def heard_clip(index: int, first: int, rate: int, sound: tuple[np.ndarray, np.ndarray], length: int) -> HeardClip:
    """Hear a clip that begins at the sample `first` of a song.

    sound: the mono samples of the clip, `length` of them, and of what comes after it; its loudest channel.
    """
    mono, loudest = finite(sound[0]), sound[1]
    samples, dc_removed = without_dc(mono)
    heard = hear(samples, rate)
    return HeardClip(
        index, first, len(mono), rate, Annotation(**heard.by_name()), heard.key_probability, heard.reasons,
        sound_facts(samples[:length], rate), dc_removed, clipped_share(loudest[:length]),
    )  # fmt: skip


def clip_fault(sound: tuple[np.ndarray, np.ndarray], length: int, rate: int, channels: int) -> str | None:
    """Say why a clip cannot be used, or return None; `sound` and `length` as of `heard_clip`."""
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
