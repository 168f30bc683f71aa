"""Are copies as loud as their originals? python benchmarks/loudness.py SONGS --clips 20

Clips of real songs (see fetch_music.sh) are copied as the builder does, as they are and driven 6 dB into full scale, as
loud music is. Prints for pitch and for tempo copies how far they lie from the original's loudness (ITU-R BS.1770-4), the
share within 1 dB, the share of samples at full scale, and how loud they would be if each were divided by its peak.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from musicbench.build.recipe import Recipe
from musicbench.build.song_rows import make_copy
from musicbench.build.songs import find_songs, segments
from musicbench.sound import augment
from musicbench.sound.clip import Clip
from musicbench.sound.master import loudness_of
from musicbench.sound.soundfiles import SoundFile

FULL_SCALE = 32767 / 32768


def clips_of(folder, count, recipe):
    """Yield one clip with its context from the third place on of so many songs."""
    paths = find_songs(folder)
    for path in paths[:: max(len(paths) // count, 1)][:count]:
        with SoundFile(Path(folder) / path) as file:
            for index, (_, samples, _) in enumerate(segments(file, recipe)):
                if index == 3:
                    yield Clip(samples, file.sample_rate).resampled(recipe.sample_rate)
                    break


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("songs")
    parser.add_argument("--clips", type=int, default=20)
    options = parser.parse_args()
    recipe, found = Recipe(), {}
    for clip in tqdm(clips_of(options.songs, options.clips, recipe), unit="clip"):
        loud = Clip(np.clip(2 * clip.samples / np.abs(clip.samples).max(), -1, 1).astype(np.float32), clip.sample_rate)
        for way, source in (("as it is", clip), ("driven 6 dB into full scale", loud)):
            original = make_copy(source, [], recipe.clip_s)
            aim = loudness_of(original.samples, clip.sample_rate)
            for steps in recipe.draw_copies(np.random.default_rng(0), source.duration_s):
                kind = steps[0]["transform"]
                if aim is None or kind == "dynamics":
                    continue
                copy = make_copy(source, steps, recipe.clip_s)
                raw = augment.apply(source, steps).cropped(0, recipe.clip_s).samples
                divided = loudness_of(raw / max(np.abs(raw).max(), 1), clip.sample_rate) - aim
                apart = loudness_of(copy.samples, clip.sample_rate) - aim
                found.setdefault((way, kind), []).append((apart, np.mean(np.abs(copy.samples) >= FULL_SCALE), divided))
    print("| clips | copies | number | within 1 dB | furthest, dB | samples at full scale | divided by its peak: furthest, dB |")
    print("|---" * 7 + "|")
    for (way, kind), values in found.items():
        apart, clipped, divided = np.array(values).T
        print(
            f"| {way} | {kind} | {len(apart)} | {np.mean(np.abs(apart) <= 1):.3f} | {np.abs(apart).max():.2f} | {clipped.mean():.1e} | "
            f"{np.abs(divided).max():.1f} |"
        )


if __name__ == "__main__":
    main()
