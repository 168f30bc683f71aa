"""Where a song's files lie in a dataset folder: on 256 shelves, so that no folder has a million files."""

import os
import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from musicbench.build.songs import song_id

SPLITS = ("train", "validation", "test")
CLIP = re.compile(r"\d{4,}(?:_\d+)?\.(?:flac|ogg)")
AUDIO = re.compile(rf"(?P<song>[A-Za-z0-9-]+-[0-9a-f]{{16}})-{CLIP.pattern}")
MARK = re.compile(r"(?P<song>[A-Za-z0-9-]+-[0-9a-f]{16})(?:\.jsonl?)?")


def shelf(name: str) -> str:
    """Return the folder of a song by its name, which ends in a digest (`songs.song_id`)."""
    return name[-2:]


def mark_of(out: Path | str, path: str) -> Path:
    """Return the path of the file that says that a song is done, and holds its rows."""
    name = song_id(path)
    return Path(out, "parts", shelf(name), f"{name}.jsonl")


def heard_of(out: Path | str, path: str) -> Path:
    """Return the path of the file with what was heard in a song."""
    name = song_id(path)
    return Path(out, "heard", shelf(name), f"{name}.json")


def said_of(out: Path | str, path: str) -> Path:
    """Return the path of the file with what a captioner said of a song's clips."""
    name = song_id(path)
    return Path(out, "said", shelf(name), f"{name}.json")


def location(split: str, name: str, clip: str, suffix: str) -> str:
    """Return the place of a clip's audio file in a dataset folder."""
    return f"{split}/{shelf(name)}/{clip}.{suffix}"


def files_on(folder: Path) -> Iterator[os.DirEntry]:
    """Yield what lies on the shelves of a folder."""
    for place in sorted(folder.iterdir()) if folder.is_dir() else ():
        if place.is_dir():
            yield from os.scandir(place)


def audio_counts(folder: Path) -> Counter:
    """Return how many audio files each song has on the shelves of a split; quick, as there may be millions."""
    counts = Counter()
    for place in folder.iterdir() if folder.is_dir() else ():
        parts = (name.rpartition("-") for name in os.listdir(place)) if place.is_dir() else ()
        counts.update(song for song, _, clip in parts if _is_clip(clip))
    return counts


@lru_cache(1 << 16)
def _is_clip(ending):
    return bool(CLIP.fullmatch(ending))
