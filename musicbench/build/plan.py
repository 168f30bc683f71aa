"""How much a build would make of a folder of songs, and how long it would take: told from a sample, with intervals."""

import os
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from musicbench.build.copies import base_of, sound_of_copy
from musicbench.build.recipe import Recipe
from musicbench.build.remote import is_url, listed_songs, local_path, song_file, url_of
from musicbench.build.settings import Settings
from musicbench.build.song_hearing import clip_fault, finite, listened_clip
from musicbench.build.songs import datasets_in, find_songs, segments
from musicbench.files import json_line
from musicbench.sound.audio import encoded_audio
from musicbench.sound.soundfiles import SoundFile

MEASURED = 400  # songs whose length is read, of those that there are
FETCHED = 40  # of songs at a URL, each fetched for it
TRIED = 24  # clips, at least where there are so many, that are heard and copied to see how long it takes
LATEST = 12  # of a song's clips, the last that is tried
DRAWS = 400  # of the bootstrap
ROW_BYTES = 1700  # of a row in rows.jsonl; another of each lies in its song's mark


@dataclass(frozen=True)
class Estimate:
    """A figure, and where it lies with a probability of 95 %."""

    mean: float
    low: float
    high: float

    def __str__(self):
        figure, low, high = map(_short, (self.mean, self.low, self.high))
        return figure if low == high else f"{figure} ({low} to {high})"

    def times(self, other: "float | Estimate") -> "Estimate":
        """Return the product with a number, or with an Estimate that is independent."""
        if not isinstance(other, Estimate):
            return Estimate(self.mean * other, self.low * other, self.high * other)
        mean = self.mean * other.mean
        if not mean:
            return Estimate(0.0, 0.0, 0.0)
        below = np.hypot(1 - self.low / self.mean, 1 - other.low / other.mean)
        above = np.hypot(self.high / self.mean - 1, other.high / other.mean - 1)
        return Estimate(mean, mean * max(1 - float(below), 0), mean * (1 + float(above)))


@dataclass(frozen=True)
class Lengths:
    """How long songs are: their number, hours and clips."""

    songs: int
    hours: Estimate
    clips: Estimate
    rows_a_clip: int

    def __str__(self):
        rows = self.clips.times(self.rows_a_clip)
        return f"{self.songs} songs, hours: {self.hours}; clips: {self.clips}; rows: {rows}"


@dataclass(frozen=True)
class Plan:
    """What a build would make and take."""

    lengths: Lengths
    rows: Estimate
    size: Estimate
    core_hours: Estimate
    clips_tried: int

    def __str__(self):
        return "\n".join(
            [
                f"songs       {self.lengths.songs}",
                f"hours       {self.lengths.hours}",
                f"clips       {self.lengths.clips}",
                f"rows        {self.rows}",
                f"gigabytes   {self.size.times(1e-9)}",
                f"core-hours  {self.core_hours}",
                f"({self.clips_tried} clips tried here; in brackets where a figure lies with a probability of 95 %)",
            ]
        )


def plan_build(songs: Path | str, settings: Settings | None = None) -> Plan:
    """Return the Plan of a build, from the lengths of a sample of the songs and a few clips made here.

    Raises InputError where there are no songs.
    """
    settings = settings or Settings()
    with tempfile.TemporaryDirectory(prefix="musicbench-") as folder:
        return _plan_of(listed_songs(str(songs), Path(folder)) if is_url(songs) else local_path(songs), settings)


def _plan_of(songs, settings):
    paths = find_songs(songs, leave_out=datasets_in(songs))
    rng = np.random.default_rng(settings.seed)
    lengths = lengths_of(songs, paths, settings.recipe)
    chosen = rng.permutation(len(paths))[:TRIED]
    tried = np.array(
        [row for i in chosen for row in _tried(songs, paths[i], settings, rng, -(-TRIED // len(chosen)))], float
    ).reshape(-1, 4)

    def a_clip(column):
        """Return the mean of a column; a clip counts as often as it stands for others."""
        return _bootstrapped(np.arange(len(tried)), lambda some: float(np.average(tried[some, column], weights=tried[some, 3])))

    seconds, size, used = map(a_clip, range(3))
    rows = lengths.clips.times(used).times(lengths.rows_a_clip)
    return Plan(lengths, rows, lengths.clips.times(size), lengths.clips.times(seconds).times(1 / 3600), len(tried))


def lengths_of(songs: Path, paths: list[str], recipe: Recipe) -> Lengths:
    """Return how long songs are, by the headers of a sample of them and by the bytes of all."""
    rng, sizes, read = np.random.default_rng(0), _sizes(songs, paths), []
    chosen = rng.permutation(len(paths))[: FETCHED if url_of(songs) else MEASURED]
    for index in chosen:
        seconds = 0.0
        with suppress(Exception), song_file(songs, paths[index]) as path, SoundFile(path) as file:
            seconds = file.likely_s  # the build says what is wrong with it
        read.append((sizes[index], seconds, len(recipe.starts(seconds))))
    table, rows = np.array(read, float).reshape(-1, 3), len(recipe.draw_copies(rng, recipe.clip_s)) + 1
    kinds = [os.path.splitext(path)[1].lower() for path in paths]
    hours, clips = (_total(table, column, [kinds[i] for i in chosen], sizes, kinds) for column in (1, 2))
    return Lengths(len(paths), hours.times(1 / 3600), clips, rows)


def _sizes(songs, paths):
    sizes = np.zeros(len(paths))
    for index, path in enumerate(paths):
        with suppress(OSError):
            sizes[index] = os.stat(songs / path).st_size
    return sizes


def _total(table, column, sampled, sizes, kinds):
    """Estimate the sum of a column over all songs: its share a byte, by kind of file, times the bytes of all."""
    if len(table) == len(sizes):
        return Estimate(*[float(table[:, column].sum())] * 3)
    of_all = {kind: sum(size for size, other in zip(sizes, kinds, strict=True) if other == kind) for kind in set(kinds)}
    sampled = np.array(sampled)

    def total(rows):
        found, known = 0.0, 0.0
        for kind, size in of_all.items():
            own = rows[sampled[rows] == kind]
            if (of_own := table[own, 0].sum()) > 0:
                found += table[own, column].sum() / of_own * size
                known += size
        return found * sum(of_all.values()) / known if known else 0.0

    return _bootstrapped(np.arange(len(table)), total)


def _bootstrapped(values: np.ndarray, figure: Callable) -> Estimate:
    """Return a figure of a sample with its interval, from samples of the sample."""
    rng = np.random.default_rng(0)
    draws = [figure(values[rng.integers(len(values), size=len(values))]) for _ in range(DRAWS)] if len(values) else [0.0]
    low, high = np.percentile(draws, (2.5, 97.5))
    return Estimate(float(figure(values)) if len(values) else 0.0, float(low), float(high))


def _tried(songs, path, settings, rng, most):
    """Hear and copy up to `most` clips of a song; returns rows of (core-seconds, bytes, 1 or 0 if it would be rejected, for how many of the
    song's clips it stands)."""
    found = []
    with suppress(Exception), song_file(songs, path) as sound_path, SoundFile(sound_path) as file:
        count = len(settings.recipe.starts(file.likely_s))
        chosen = rng.permutation(min(count, LATEST))[:most]
        for index, (start_s, *sound) in enumerate(islice(segments(file, settings.recipe), max(chosen, default=-1) + 1)):
            if index in chosen:
                place = index, round(start_s * file.sample_rate), file.sample_rate
                found.append((*_clip_cost(place, sound, settings, file.channels), count / len(chosen)))
    return found


def _clip_cost(place, sound, settings, channels):
    """Hear and copy a clip; returns (core-seconds, bytes, 1 or 0 if it would be rejected)."""
    recipe, rate = settings.recipe, place[2]
    length = round(recipe.clip_s * rate)
    mono, loudest = sound
    listened_clip(place, (mono[: rate * 2], loudest[: rate * 2]), length, settings.hearing)  # what is loaded once is loaded now
    began = time.process_time()
    if clip_fault(sound, length, rate, channels):
        return time.process_time() - began, 0, 0
    clip, listened = listened_clip(place, sound, length, settings.hearing)
    if listened.no_music:
        return time.process_time() - began, 0, 0
    size, copies = len(json_line(clip.to_json())), [[], *recipe.draw_copies(np.random.default_rng(place[0]), clip.read_s)]
    size += 2 * ROW_BYTES * len(copies)
    if settings.form != "rows":
        base = base_of(finite(mono), rate, recipe.sample_rate)
        for steps in copies:
            size += len(encoded_audio(sound_of_copy(base, steps, recipe.clip_s)[0], recipe.sample_rate, settings.audio.upper()))
    return time.process_time() - began, size, 1


def _short(number):
    return f"{number:.3g}" if number < 1000 else f"{number:,.0f}"
