"""Are recordings that are there twice found, and no others? python benchmarks/duplicates.py --count 2000

Pairs: of every composed clip one copy, in turn 1 dB softer, as MP3 at 128 kbit/s, as Ogg Vorbis, without its first 200 ms, and
combinations; how many of them are found among all clips and copies. False pairs: what is found among the clips alone, no two of
which are the same. `--growth`: how long the search takes among 10,000 and 100,000 recordings of two minutes and how much memory
(random words; a tenth are copies). Needs Chromaprint with pyacoustid, FluidSynth with pyfluidsynth, and a SoundFont.
"""

import argparse
import resource
import sys
import time
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import soundfile
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from musicbench.build.composed import write_composed
from musicbench.build.dataset import read_rows
from musicbench.build.near_copies import near_copies
from musicbench.sound.audio import load_audio
from musicbench.sound.fingerprint import fingerprint

COPIES = ("softer", "mp3", "ogg", "later", "softer later", "softer mp3", "later mp3", "softer later mp3", "softer later ogg")


def copied(samples, rate, changes):
    """Return the bytes of a sound file with changed sound."""
    if "softer" in changes:
        samples = samples * 10 ** (-1 / 20)
    if "later" in changes:
        samples = samples[round(0.2 * rate) :]
    data = BytesIO()
    if "mp3" in changes:  # a level of 0.2 is 129 kbit/s at 24 kHz
        soundfile.write(data, samples, rate, format="MP3", bitrate_mode="CONSTANT", compression_level=0.2)
    else:
        soundfile.write(data, samples, rate, format="OGG" if "ogg" in changes else "FLAC")
    return data.getvalue()


def heard(paths, folder):
    """Return (the words of all clips, those of a copy of each)."""
    clips, copies = [], []
    for number, path in enumerate(tqdm(paths, unit="clip")):
        clips.append(fingerprint(path)[0].tobytes())
        copy = Path(folder) / "copy"
        copy.write_bytes(copied(*load_audio(path), COPIES[number % len(COPIES)].split()))
        copies.append(fingerprint(copy)[0].tobytes())
    return clips, copies


def random_prints(recordings, rng):
    """Yield the words of recordings of two minutes, every tenth a copy of the one before it."""
    words = np.zeros(0, np.uint32)
    for number in range(recordings):
        if number % 10 < 9:
            words = rng.integers(0, 1 << 24, 950, np.uint32)
            yield words.tobytes()
        else:
            yield (words ^ (rng.random(950) < 0.6).astype(np.uint32)).tobytes()


def tell_growth(recordings, rng):
    began, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = near_copies(random_prints(recordings, rng))
    more = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(
        f"{recordings} recordings of two minutes: {time.process_time() - began:.0f} s, {more / 1024:.0f} MB more, {len(found)} pairs"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2000, help="composed clips")
    parser.add_argument("--seed", type=int, default=5_000_000, help="of the first clip")
    parser.add_argument("--growth", action="store_true", help="search random words alone")
    parser.add_argument("--clips", help="a folder of composed clips to keep or to go on with")
    options = parser.parse_args()
    if options.growth:
        for recordings in (10_000, 100_000):
            tell_growth(recordings, np.random.default_rng(0))
        return
    with TemporaryDirectory() as folder:
        place = options.clips or f"{folder}/clips"
        write_composed(place, options.count, options.seed)
        paths = [Path(place) / row["location"] for row in read_rows(place)][: options.count]
        clips, copies = heard(paths, folder)
    false = near_copies(clips)
    pairs = {(copy.first, copy.second): copy for copy in near_copies(clips + copies)}
    found = [pairs.get((number, len(clips) + number)) for number in range(len(clips))]
    print(f"false pairs among {len(clips)} clips: {len(false)} {[(copy.first, copy.second, copy.alike) for copy in false][:9]}")
    print(f"pairs found of {len(found)}: {sum(map(bool, found)) / len(found):.4f}")
    for number, name in enumerate(COPIES):
        own = found[number :: len(COPIES)]
        alike = min((copy.alike for copy in own if copy), default=0)
        print(f"  {name:17} {sum(map(bool, own)) / len(own):.4f} of {len(own)}, least alike {alike:.3f}")


if __name__ == "__main__":
    main()
