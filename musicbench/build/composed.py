"""Rows of pieces composed by seed: written into a dataset folder one after the other, and gone on with after a stop."""

import sys
import time
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path

import numpy as np

from musicbench import InputError, __version__
from musicbench.build.captions import control_sentences, training_captions
from musicbench.build.dataset import ROWS, read_rows
from musicbench.build.engines import processes
from musicbench.compose.compose import check_sample_rate, check_styles, compose, find_soundfont
from musicbench.compose.soundfonts import import_fluidsynth
from musicbench.files import alone_in, json_line, make_folder, save_json_lines, sweep_torn
from musicbench.sound.audio import save_audio


@dataclass(frozen=True)
class Composer:
    """How all pieces of a dataset are composed.

    soundfont: the only one to play from, else those that are installed are mixed. styles: those to draw from, else all.
    apart: the share of pieces of which some parts alone are kept.
    """

    duration_s: float = 10.24
    sample_rate: int = 24000
    soundfont: str | None = None
    styles: tuple = ()
    apart: float = 0.0

    def check(self) -> None:
        """Raise InputError where pieces cannot be composed so."""
        check_sample_rate(self.sample_rate)
        check_styles(self.styles)
        find_soundfont(self.soundfont)
        import_fluidsynth()


def write_composed(
    folder: Path | str,
    count: int,
    first_seed: int = 0,
    composer: Composer | None = None,
    workers: int = 1,
) -> int:
    """Compose pieces of the seeds `first_seed`.. into `folder`; those already there are kept.

    Returns how many were made. Raises InputError, also for a folder with rows that were not composed, or with another
    duration or sample rate.
    """
    folder, composer = Path(folder), composer or Composer()
    if first_seed < 0:
        raise InputError(f"seed {first_seed} is below 0; give a whole number from 0")
    composer.check()
    with alone_in(folder):
        seeds = _seeds_left(folder, range(first_seed, first_seed + count), composer)
        with (folder / ROWS).open("a", encoding="utf-8") as lines:
            _write_rows(lines, seeds, workers, folder, composer)
    return len(seeds)


def _seeds_left(folder, wanted, composer):
    """Return those of the seeds `wanted` that are not yet in a folder of composed rows, made ready for more.

    Raises InputError.
    """
    path, (duration_s, sample_rate) = folder / ROWS, (composer.duration_s, composer.sample_rate)
    rows = read_rows(folder) if path.exists() else []
    if (folder / "build.json").exists() or any(row.get("dataset") != "composed" for row in rows):
        raise InputError(f"{folder} holds a dataset that was not composed; give another folder")
    for row in rows:
        there = row.get("duration", duration_s), row.get("sample_rate", sample_rate)
        if there != (duration_s, sample_rate):
            raise InputError(
                f"{folder} holds pieces of {there[0]:g} s at {there[1]} Hz, not {duration_s:g} s at {sample_rate}; "
                f"give --duration {there[0]:g} --sample-rate {there[1]}, or another folder"
            )
    kept = [row for row in rows if row.get("seed") not in wanted or (folder / row.get("location", "")).is_file()]
    make_folder(folder / "audio")
    sweep_torn(folder / "audio")
    if path.exists() and (len(kept) < len(rows) or not path.read_bytes().endswith(b"\n")):  # audio was lost, or a kill tore it
        save_json_lines(path, kept)
    have = {row.get("seed") for row in kept}
    return [seed for seed in wanted if seed not in have]


def _write_rows(lines, seeds, workers, folder, composer):
    started = time.monotonic()
    with processes(workers) as pool:
        jobs = pool.map(composed_row, seeds, repeat(folder), repeat(composer), chunksize=8)
        for done, row in enumerate(jobs, 1):
            lines.write(json_line(row))
            lines.flush()
            if sys.stderr.isatty() or done == len(seeds) or done % 500 == 0:
                rate = done / (time.monotonic() - started)
                end = "\n" if done == len(seeds) or not sys.stderr.isatty() else ""
                left_s = (len(seeds) - done) / rate
                print(f"\r{done}/{len(seeds)} clips, {rate:.1f}/s, {left_s:.0f} s left ", end=end, file=sys.stderr)


def composed_row(seed: int, folder: Path | str, composer: Composer) -> dict:
    """Compose one piece into `folder`/audio and return its row.

    `sources` are the SoundFonts and the patches that it was played with, `parts` those of drums, bass, chords and lead
    that sound, which are fewer than `tags` has where some are kept apart.
    """
    clip = compose(
        seed, composer.duration_s, composer.sample_rate, composer.soundfont, composer.apart, style=tuple(composer.styles)
    )
    tags = dict(clip.tags)
    sources, kept = tags.pop("sources"), tags.pop("kept", tags["parts"])
    location = f"audio/{seed:08d}.flac"
    save_audio(Path(folder) / location, clip.samples, composer.sample_rate)
    sentences = control_sentences(clip, np.random.default_rng([seed, 7]))
    return {
        "dataset": "composed",
        "location": location,
        "main_caption": clip.caption,
        "alt_caption": training_captions(clip, seed, 1)[0],
        "prompt_aug": "",
        **{name: sentence or "" for name, sentence in sentences.items()},
        **clip.labels(),
        **clip.note_labels(),
        "parts": kept,
        "keyprob": 1.0 if clip.key else None,
        "is_audioset_eval_mcaps": False,
        "tags": tags,
        "sources": sources,
        "seed": seed,
        "duration": composer.duration_s,
        "sample_rate": composer.sample_rate,
        "version": __version__,
    }
