"""How fast is the builder? Ours against the published way, side by side on the same clips: python benchmarks/build.py SONGS

The published way detects beats, chords and key on every copy and runs one Rubber Band process a copy, through temporary files.
Both use the same detectors here, madmom, and make the 12 rows of a clip. The rates are clips per second of processor time, and
two workers against one in wall time. Needs the command `rubberband` (Debian: rubberband-cli).
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from musicbench.build.build import build
from musicbench.build.recipe import Recipe
from musicbench.build.settings import Settings
from musicbench.build.songs import find_songs, segments
from musicbench.hearing.by_madmom import hear
from musicbench.sound.audio import save_audio
from musicbench.sound.augment import apply
from musicbench.sound.clip import Clip
from musicbench.sound.soundfiles import SoundFile


def processor_s():
    """Return the processor time of this process and its ended children."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def cut(songs, folder, recipe, count):
    """Write the first clips of the songs as files of their own, so that both ways have the same work; returns their number."""
    written = 0
    for path in find_songs(songs):
        with SoundFile(Path(songs) / path) as file:
            for _, samples, _ in segments(file, recipe):
                save_audio(folder / f"{written:04d}.wav", samples[: round(recipe.clip_s * file.sample_rate)], file.sample_rate)
                written += 1
                if written == count:
                    return written
    return written


def published_way(path, out, recipe, rng):
    """Make the original and 11 copies of a clip, each written, stretched by a process and heard again."""
    samples, rate = soundfile.read(path, dtype="float32")
    clip = Clip(samples, rate).resampled(recipe.sample_rate)
    for number, steps in enumerate([[], *recipe.draw_copies(rng, clip.duration_s)]):
        target = out / f"{path.stem}_{number}.wav"
        soundfile.write(target, clip.samples, clip.sample_rate)
        options = {
            "pitch": lambda step: ["--pitch", str(step["semitones"])],
            "tempo": lambda step: ["--tempo", str(step["rate"])],
        }
        if steps and steps[0]["transform"] in options:
            shifted = target.with_suffix(".out.wav")
            subprocess.run(
                ["rubberband", "--quiet", *options[steps[0]["transform"]](steps[0]), target, shifted],
                check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            shifted.replace(target)
        elif steps:
            soundfile.write(target, apply(clip, steps).samples, clip.sample_rate)
        copy, rate = soundfile.read(target, dtype="float32")
        hear(copy[: round(recipe.clip_s * rate)], rate)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("songs", help="folder of songs")
    parser.add_argument("--clips", type=int, default=12, help="clips to build in each way (default 12)")
    parser.add_argument("--more", type=int, default=120, help="clips to build with one worker and with two (default 120)")
    parser.add_argument("--engine", choices=("local", "ray"), default="local", help="what the two workers run on (default local)")
    options = parser.parse_args()
    if not shutil.which("rubberband"):
        sys.exit("rubberband is not installed; Debian: apt-get install rubberband-cli")
    recipe = Recipe()
    with tempfile.TemporaryDirectory() as place:
        place = Path(place)
        for name in ("songs", "theirs", "more"):
            (place / name).mkdir()
        count = cut(options.songs, place / "songs", recipe, options.clips)
        hear(np.random.default_rng(0).normal(size=441000).astype(np.float32) * 0.1, 44100)  # load the models

        started = processor_s()
        build(place / "songs", place / "ours", Settings(recipe))
        ours_s = processor_s() - started
        started = processor_s()
        for index, path in enumerate(sorted((place / "songs").iterdir())):
            published_way(path, place / "theirs", recipe, np.random.default_rng(index))
        theirs_s = processor_s() - started
        walls = {}
        more = cut(options.songs, place / "more", recipe, options.more)
        for workers in (1, 2):  # both in processes of their own, which load the models
            wall = time.perf_counter()
            subprocess.run(
                [sys.executable, "-m", "musicbench", "build", place / "more", place / f"with{workers}", "--workers", str(workers),
                 "--engine", options.engine],
                check=False, cwd=Path(__file__).resolve().parent.parent, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
            )  # fmt: skip
            walls[workers] = time.perf_counter() - wall
    print(f"{count} clips of 10 s, 12 rows each")
    print("| way | clips a second and core | processor seconds a clip |\n|---|---|---|")
    print(f"| ours | {count / ours_s:.3f} | {ours_s / count:.2f} |")
    print(f"| published way | {count / theirs_s:.3f} | {theirs_s / count:.2f} |")
    print(f"\nours / published way: {theirs_s / ours_s:.1f} times as many clips a second and core")
    print(
        f"two {options.engine} workers / one, {more} clips: {walls[1] / walls[2]:.2f} times as fast ({walls[1]:.0f} s, {walls[2]:.0f} s wall, start included)"
    )


if __name__ == "__main__":
    main()
