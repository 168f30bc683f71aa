"""Rows on disk: JSON Lines beside audio files, field for field as MusicBench publishes them; resumable, many workers."""

import json
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from musicbench import InputError, __version__, captions
from musicbench.clip import save_audio
from musicbench.compose import compose, find_soundfont

ROWS = "rows.jsonl"


def read_rows(folder):
    """Return the rows of a dataset folder; a torn last line (a killed writer's) is left out. Raises InputError."""
    path = Path(folder) / ROWS
    if not path.is_file():
        raise InputError(f"no {ROWS} in {folder}; make a dataset first: musicbench compose --count 1000 -o {folder}")
    rows, lines = [], path.read_text(encoding="utf-8").split("\n")
    for number, line in enumerate(lines[:-1], 1):
        try:
            rows.append(json.loads(line))
        except ValueError:
            raise InputError(f"{path} line {number} is not JSON; delete the line or make the dataset anew") from None
    return rows


def composed_row(seed, folder, duration_s, sample_rate, soundfont):
    """Compose one piece into `folder`/audio and return its row."""
    clip = compose(seed, duration_s, sample_rate, soundfont)
    location = f"audio/{seed:08d}.flac"
    save_audio(Path(folder) / location, clip.samples, sample_rate)
    rng = np.random.default_rng([seed, 7])
    sentences = {
        "prompt_aug": "",
        "prompt_ch": captions.chord_sentence(clip, rng),
        "prompt_bt": captions.beat_sentence(clip, rng),
        "prompt_bpm": captions.tempo_sentence(clip, rng),
        "prompt_key": captions.key_sentence(clip, rng),
    }
    return {
        "dataset": "composed",
        "location": location,
        "main_caption": clip.caption,
        "alt_caption": captions.training_captions(clip, seed, 1)[0],
        **sentences,
        **clip.labels(),
        "keyprob": 1.0,
        "is_audioset_eval_mcaps": False,
        "tags": clip.tags,
        "seed": seed,
        "duration": duration_s,
        "sample_rate": sample_rate,
        "version": __version__,
    }


def write_composed(folder, count, first_seed=0, duration_s=10.24, sample_rate=24000, workers=1, soundfont=None):
    """Compose pieces of the seeds `first_seed`.. into `folder`; those already there are kept. Returns how many were made."""
    folder = Path(folder)
    soundfont = find_soundfont(soundfont)
    try:
        (folder / "audio").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make the folder {folder} ({error.strerror}); choose another place") from None
    path = folder / ROWS
    have = set()
    if path.exists():
        text = path.read_text(encoding="utf-8")
        if not text.endswith("\n"):  # torn by a kill
            path.write_text(text[: text.rfind("\n") + 1], encoding="utf-8")
        have = {row["seed"] for row in read_rows(folder)}
    seeds = [seed for seed in range(first_seed, first_seed + count) if seed not in have]
    started = time.monotonic()
    with ProcessPoolExecutor(workers) as pool, path.open("a", encoding="utf-8") as lines:
        jobs = pool.map(
            composed_row, seeds, *([value] * len(seeds) for value in (folder, duration_s, sample_rate, soundfont)), chunksize=8
        )
        for done, row in enumerate(jobs, 1):
            lines.write(json.dumps(row, ensure_ascii=False) + "\n")
            lines.flush()
            if sys.stderr.isatty() or done == len(seeds) or done % 500 == 0:
                rate = done / (time.monotonic() - started)
                end = "\n" if done == len(seeds) or not sys.stderr.isatty() else ""
                print(
                    f"\r{done}/{len(seeds)} clips, {rate:.1f}/s, {(len(seeds) - done) / rate:.0f} s left ", end=end, file=sys.stderr
                )
    return len(seeds)
