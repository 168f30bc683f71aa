"""The sound of a row: from its audio file, or made of its song as the row says, where rows alone were written."""

import os
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from threading import Lock

import numpy as np
import soundfile

from musicbench import InputError
from musicbench.build.copies import base_of, sound_of_copy
from musicbench.build.marks import read_object
from musicbench.build.remote import is_url, song_file
from musicbench.files import inside, printable
from musicbench.sound.audio import encoded_audio, load_audio
from musicbench.sound.soundfiles import SoundFile

_ESCAPED = re.compile(rb"\\x([0-9a-f]{2})")  # what `files.path_text` makes of bytes that are no UTF-8


class RowSounds:
    """Gives the sound of rows of a dataset folder.

    songs: the folder of songs that the rows were made of, or its URL; None: where the build read them. Rows that follow each other,
    as rows.jsonl has them, are made several times as fast as rows in random order, as a song is decoded from its start.
    """

    def __init__(self, folder: Path | str, songs: Path | str | None = None) -> None:
        self.folder = Path(folder) if Path(folder).is_dir() else Path(folder).parent
        self._songs = songs
        self._song: _Song | None = None
        self._base: tuple | None = None
        self._one_by_one = Lock()

    def load(self, row: dict, most_s: float = float("inf")) -> tuple[np.ndarray, int]:
        """Return (samples (n,) float32, rate) of a row: bit for bit what its audio file holds.

        Threads may call it; of rows without audio one is made at a time. Raises InputError, also for a file of more than
        `most_s` seconds, and for a row that names one outside the dataset or the folder of songs.
        """
        path = inside(self.folder, row["location"])
        if path.is_file():
            return load_audio(path, most_s=most_s)
        if "source_frames" not in row:
            raise InputError(f"no audio file {printable(path)}, and its row does not say how to make it; build the dataset anew")
        with self._one_by_one:
            sound, _ = sound_of_copy(self._base_clip(row), row["transforms"], row["clip_s"])
        with soundfile.SoundFile(BytesIO(encoded_audio(sound, row["sample_rate"], "FLAC"))) as file:
            return file.read(dtype="float32"), file.samplerate

    def _base_clip(self, row):
        """Return the clip that a row's copy is made of; the last one is kept."""
        name, first, frames = row["source"], row["source_first"], row["source_frames"]
        wanted = name, first, frames, row["sample_rate"]
        if self._base is None or self._base[0] != wanted:
            if self._song is None or self._song.name != name:
                self._song = _Song(*self._place(name), name)
            samples = self._song.read(first, frames)
            if len(samples) < frames:
                raise InputError(f"{printable(name)} is shorter than its row says; give the folder with the song as it was built")
            self._base = wanted, base_of(samples, row["source_rate"], row["sample_rate"])
        return self._base[1]

    def _place(self, name):
        """Return (the folder or URL of the songs, a song's path in it)."""
        songs = self._songs or read_object(self.folder / "build.json").get("songs")
        if not songs:
            raise InputError(f"{self.folder} has rows without audio; give the folder of their songs")
        if os.path.isabs(name) or ".." in Path(name).parts:  # a link may lead elsewhere: the build read it, too
            raise InputError(f"{printable(name)[:200]} is not inside {printable(songs)}; mend or delete its row")
        unescaped = os.fsdecode(_ESCAPED.sub(lambda byte: bytes([int(byte[1], 16)]), os.fsencode(name)))
        for path in (name, unescaped):
            if is_url(songs) or Path(songs, path).is_file():
                return songs, path
        path = Path(songs, unescaped)
        raise InputError(f"no song {printable(path)}; give the folder of songs that {self.folder} was built from")


class _Song:
    """A song's sound, mono; stretches that come in order are read without starting again."""

    def __init__(self, songs, path, name):
        self.songs, self.path, self.name = songs, path, name
        self._begin()

    def _begin(self):
        self._blocks, self._held, self._first = self._read(), np.zeros(0, np.float32), 0

    def _read(self) -> Iterator[tuple[int, np.ndarray]]:
        with song_file(self.songs, self.path) as path, SoundFile(path) as file:
            for block in file.blocks():
                yield block.first, block.samples.mean(axis=1)

    def read(self, first, count):
        """Return the samples from `first` on, `count` or as many as there are without a gap."""
        if first < self._first:
            self._begin()
        while self._first + len(self._held) < first + count:
            block = next(self._blocks, None)
            if block is None:
                break
            start, samples = block
            if start != self._first + len(self._held):  # what lies between is lost
                self._held, self._first = samples, start
            else:
                past = min(max(first - self._first, 0), len(self._held))
                self._held, self._first = np.concatenate([self._held[past:], samples]), self._first + past
        return self._held[first - self._first : first - self._first + count] if first >= self._first else self._held[:0]


def load(folder: Path | str, row: dict, songs: Path | str | None = None) -> tuple[np.ndarray, int]:
    """Return (samples (n,) float32, rate) of one row of a dataset folder; see `RowSounds`, which is quicker for many."""
    return RowSounds(folder, songs).load(row)
