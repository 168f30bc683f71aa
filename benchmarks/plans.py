"""Does `musicbench plan` tell what a build makes? python benchmarks/plans.py --songs 12

Plans and builds three folders: composed songs, short files, and a mixture of lengths, formats and files that cannot be used. Prints what
was planned beside what was made: rows, bytes, and CPU seconds. Then it gives each song a caption and builds again: the share of the first
build's CPU seconds that new captions take. Needs FluidSynth and a SoundFont, as `musicbench compose` does.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from musicbench.build.build import build
from musicbench.build.composed import Composer, write_composed
from musicbench.build.index import INDEX
from musicbench.build.plan import plan_build
from musicbench.build.settings import Settings
from musicbench.build.songs import find_songs
from musicbench.hearing.song import Hearing
from musicbench.sound.audio import load_audio

RATE = 24000


def pieces(folder, count, seconds):
    """Return so many composed pieces as samples."""
    write_composed(folder, count, 0, Composer(seconds, RATE), 1)
    return [load_audio(path)[0] for path in sorted((folder / "audio").glob("*.*"))]


def write_folders(place, count, composed):
    """Write the three folders of songs."""
    rng = np.random.default_rng(0)
    for name in ("composed", "short", "mixture"):
        (place / name).mkdir()
    for number, samples in enumerate(composed):
        soundfile.write(place / "composed" / f"{number}.flac", samples, RATE)
        soundfile.write(place / "short" / f"{number}.wav", samples[: int(RATE * rng.uniform(2, 9))], RATE)
        length = min(int(RATE * rng.lognormal(2.7, 0.6)), len(samples))
        form = ("flac", "wav", "ogg", "mp3")[number % 4]
        soundfile.write(place / "mixture" / f"{number}.{form}", samples[:length], RATE)
    soundfile.write(place / "mixture" / "silence.wav", np.zeros(12 * RATE), RATE)
    (place / "mixture" / "broken.mp3").write_bytes(rng.bytes(5000))


def beside(what, planned, made):
    off = planned.mean / made - 1 if made else 0.0
    print(f"  {what}: planned {planned}, made {made:,.3g} ({off:+.1%})", flush=True)
    return abs(off)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--songs", type=int, default=12, help="of each folder (default 12)")
    parser.add_argument("--seconds", type=float, default=31.0, help="of a composed song (default 31)")
    parser.add_argument("--hear", default="madmom")
    parser.add_argument("--rows-only", action="store_true")
    options = parser.parse_args()
    settings, worst = Settings(hearing=Hearing(options.hear), form="rows" if options.rows_only else "files"), 0.0
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        write_folders(place, options.songs, pieces(place / "pieces", options.songs, options.seconds))
        for name in ("composed", "short", "mixture"):
            songs, out = place / name, place / f"{name}-built"
            plan, begun = plan_build(songs, settings), time.process_time()
            made = build(songs, out, settings)
            first_s = time.process_time() - begun
            size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file() and path.name != INDEX)
            print(f"{name}: {made.songs} songs", flush=True)
            worst = max(worst, beside("rows", plan.rows, made.rows), beside("bytes", plan.size, size),
                        beside("CPU seconds", plan.core_hours.times(3600), first_s))  # fmt: skip
            captions = "".join(f"{path},A tune that nobody knows by name.\n" for path in find_songs(songs))
            (songs / "metadata.csv").write_text("file_name,caption\n" + captions)
            begun = time.process_time()
            build(songs, out, settings)
            again_s = time.process_time() - begun
            print(f"  new captions: {again_s:.1f} CPU s, {again_s / first_s:.1%} of the first build", flush=True)
    print(f"the furthest off: {worst:.1%}")


if __name__ == "__main__":
    main()
