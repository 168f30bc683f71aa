"""Uploaded songs -> dataset rows in one ZIP file and a report, by the code of `musicbench build`, with progress to watch."""

import shutil
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from secrets import token_hex

from musicbench import InputError
from musicbench.sound.soundfiles import SoundFile
from mustango.page.line import Line, Who
from mustango.page.work import Progress, watched

RECIPES = ("musicbench", "plain")
KINDS = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".aif", ".aiff")
MAX_SONGS, MAX_SONG_S = 20, 600
REPORT_ROWS = 6  # shown in the report, which holds their sound


@dataclass(frozen=True)
class Built:
    """A finished dataset: the ZIP file (None where there are no rows), the report (an HTML file), how many songs, rows and rejected
    songs there are, and "song: reason" of each rejected one.
    """

    zip: Path | None
    report: Path
    songs: int
    rows: int
    rejected: int
    reasons: tuple

    @property
    def finished_in(self):
        """The folder of the ZIP file and the report."""
        return self.report.parent


def check_songs(paths):
    """Raise InputError unless there are 1 to 20 audio files by name."""
    if not 1 <= len(paths) <= MAX_SONGS:
        raise InputError(f"{len(paths)} songs; give 1 to {MAX_SONGS}")
    for path in paths:
        if path.suffix.lower() not in KINDS:
            raise InputError(f"{path.name} is no song by its name; give {' '.join(KINDS)}")


def check_lengths(paths, on_block=lambda: None):
    """Raise InputError where a song holds more than 10 minutes of sound, whatever its header claims; calls `on_block` as it reads."""
    for path in paths:
        if _lasts_longer(path, MAX_SONG_S, on_block):
            raise InputError(f"{path.name} lasts longer than {MAX_SONG_S} s; cut it")


def _lasts_longer(path, limit_s, on_block):
    try:
        file = SoundFile(path)
    except InputError:  # the build says in its report what is wrong with it
        return False
    with file:
        for block in file.blocks():
            on_block()
            if block.first + len(block.samples) > limit_s * file.sample_rate:
                return True
    return False


class Builder:
    """Builds datasets one after the other, in one thread. line: whose turn it is, and how long a request may take."""

    def __init__(self, line=None):
        self._line = line or Line(places=41)
        self._worker = ThreadPoolExecutor(1, "builder")

    def build(self, paths, recipe, folder, who=Who(), listened=lambda: True):  # noqa: B008 it is frozen
        """Yield Progress while working and the Built in the end. Files go into a new folder with a random name in `folder`.

        Closing the generator stops the work at the next clip. who, listened: as for `Studio.play`. Raises InputError.
        """
        check_songs(paths)
        if recipe not in RECIPES:
            raise InputError(f"unknown recipe {recipe!r:.40}; choose one of {', '.join(RECIPES)}")
        folder = Path(folder) / token_hex(16)
        with self._line.place(who, listened) as place:
            while before := self._line.before(place):
                yield Progress(f"Waiting for its turn; {before} before it")
            make = partial(self._make, paths, recipe, folder, place)
            for event in watched(self._worker, make, Progress("Listening to the songs")):
                place.check_listener()
                yield event

    def _make(self, paths, recipe, folder, place, emit):
        _build(paths, recipe, folder, self._line.in_time(place, emit))


def _build(paths, recipe, place, emit):
    from musicbench.build.build import build
    from musicbench.build.dataset import read_rows
    from musicbench.build.recipe import Recipe
    from musicbench.build.report import write_report
    from musicbench.build.settings import Settings

    check_lengths(paths, lambda: emit(Progress("Listening to the songs")))
    songs, out = place / "songs", place / "dataset"
    songs.mkdir(parents=True)
    try:
        for number, path in enumerate(paths, 1):
            shutil.copyfile(path, songs / f"{number:02d}-{path.name}")
        started = time.monotonic()

        def on_progress(done, total):
            over_at = time.monotonic() + (time.monotonic() - started) / done * (total - done) if done else None
            emit(Progress(f"{done} of {total} clips", done / max(total, 1), over_at))

        made = build(songs, out, Settings(Recipe.named(recipe)), on_progress=on_progress)
        emit(Progress("Packing", 1.0))
        report = shutil.copyfile(write_report(out, REPORT_ROWS), place / "report.html")
        reasons = tuple(f"{r['source']}: {r['reason']}" for r in read_rows(out / "rejected.jsonl") if r["clip_start"] is None)
        packed = _packed(out, place / "dataset.zip") if made.rows else None
        emit(Built(packed, report, made.songs, made.rows, made.rejected_songs, reasons))
    finally:
        shutil.rmtree(songs, ignore_errors=True)
        shutil.rmtree(out, ignore_errors=True)


def _packed(folder, path):
    """Pack a dataset folder without what only another build needs; audio is compressed already."""
    with zipfile.ZipFile(path, "w") as packed:
        for file in sorted(folder.rglob("*")):
            if file.is_file() and file.relative_to(folder).parts[0] not in ("parts", "heard", "said", "index.sqlite"):
                packed.write(file, file.relative_to(folder))
    return path
