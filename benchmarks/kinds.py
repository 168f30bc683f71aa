"""Is music told from what is none? python benchmarks/kinds.py --music FOLDER --speech FOLDER --effects FOLDER

Prints the share of stretches of 10 s that are taken for the wrong kind: composed pieces, composed solo drums, drones and
singing made by rule, noises made by rule, and what lies in the folders: real music, speech (short files are joined with
pauses, such as Debian's asterisk-core-sounds-en-wav or what espeak-ng writes) and effects. Needs FluidSynth with
pyfluidsynth, and a SoundFont. Seeds from 61000, and warzone2100-music and nexuiz-music, were used to fit.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from scipy.signal import butter, sosfilt
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from musicbench.build.songs import find_songs
from musicbench.compose.compose import compose, plan
from musicbench.hearing.kinds import no_music
from musicbench.sound.audio import load_audio

RATE, SECONDS = 22050, 10.0
COUNT = round(SECONDS * RATE)


def band(rng, low, high):
    return sosfilt(butter(2, [low, high], "band", fs=RATE, output="sos"), rng.normal(size=COUNT))


def slow(rng, every_s, low=-1.0, high=1.0):
    at = np.arange(0, SECONDS + 2 * every_s, every_s)
    return np.interp(np.arange(COUNT) / RATE, at, rng.uniform(low, high, len(at)))


def thunder(rng):
    samples, times = 0.01 * rng.normal(size=COUNT), np.arange(COUNT) / RATE
    for _ in range(rng.integers(1, 5)):
        start_s, high = rng.uniform(0, 8), rng.uniform(120, 600)
        rumble = band(rng, 20, high) * (1 + 0.8 * slow(rng, 0.3)) * np.exp(-np.maximum(times - start_s, 0) / rng.uniform(0.5, 3))
        samples += rumble / np.abs(rumble).max() * (times >= start_s)
    return samples


def clicks(rng):
    samples = 0.0003 * rng.normal(size=COUNT)
    for place in rng.integers(0, COUNT - 300, rng.integers(2, 14)):
        length = rng.integers(5, 200)
        samples[place : place + length] += rng.normal(size=length) * np.exp(-np.arange(length) / rng.uniform(3, 60))
    return samples


def rain(rng):
    samples = 0.02 * rng.normal(size=COUNT)
    for place in rng.integers(0, COUNT - 200, rng.integers(200, 1500)):
        samples[place : place + 60] += rng.normal(size=60) * np.exp(-np.arange(60) / 10) * rng.exponential(0.15)
    return samples


def drone(rng):
    times, hz = np.arange(COUNT) / RATE, rng.uniform(50, 300)
    parts = [share * np.sin(2 * np.pi * hz * k * times + k) for k, share in enumerate(rng.dirichlet(np.ones(8)), 1)]
    return sum(part * (1 + 0.4 * slow(rng, 3.0)) for part in parts)


def sung(rng):
    """Sung notes on a scale, with vibrato, glides into them and breaths between them."""
    samples, place, base = 0.0005 * rng.normal(size=COUNT), 0, rng.uniform(110, 330)
    while place < COUNT - RATE // 4:
        count = min(round(rng.uniform(0.25, 1.2) * RATE), COUNT - place)
        times = np.arange(count) / RATE
        bend = 0.3 * np.sin(2 * np.pi * rng.uniform(4.8, 6.2) * times) - rng.uniform(0, 2) * np.exp(-times / 0.04)
        turns = np.cumsum(base * 2 ** ((rng.choice([0, 2, 4, 5, 7, 9, 12]) + bend) / 12)) / RATE
        wave = sum(np.sin(2 * np.pi * k * turns) / k**1.2 for k in range(1, 20))
        vowel = sum(
            sosfilt(butter(1, [hz * 0.85, hz * 1.18], "band", fs=RATE, output="sos"), wave)
            for hz in rng.choice([400, 700, 1200, 2200], 2)
        )
        samples[place : place + count] += (vowel + 0.1 * wave) * np.minimum(1, np.minimum(times, times[::-1]) / 0.06)
        place += count + round(rng.choice([0, 0, 0.03, 0.25]) * RATE)
    return samples


NOISES = {
    "white noise": lambda rng: rng.normal(size=COUNT),
    "wind": lambda rng: band(rng, rng.uniform(200, 500), rng.uniform(900, 3000)) * (1 + 0.9 * slow(rng, 1.0)),
    "thunder": thunder,
    "clicks in silence": clicks,
    "rain": rain,
}
ODD_MUSIC = {"drone": drone, "singing alone": sung}


def solo_drums(count, first):
    """Yield composed pieces for drums alone."""
    seed, found = first, 0
    while found < count:
        piece = plan(seed)
        if piece.drums and not piece.voices:
            found += 1
            yield compose(seed, SECONDS, RATE).samples
        seed += 1


def stretches(folder, count, is_joined, rng):
    """Yield stretches of the files of a folder: spread over long ones, or short ones joined with pauses."""
    paths = find_songs(folder)
    if not is_joined:
        for path in paths[:: max(len(paths) // count, 1)][:count]:
            samples = load_audio(Path(folder) / path, RATE)[0]
            if len(samples) > COUNT:
                start = int(0.4 * (len(samples) - COUNT))
                yield samples[start : start + COUNT]
        return
    for _ in range(count):
        parts = []
        while sum(map(len, parts)) < COUNT:
            parts += [load_audio(Path(folder) / str(rng.choice(paths)), RATE)[0], np.zeros(round(rng.uniform(0.05, 0.6) * RATE))]
        yield np.concatenate(parts)[:COUNT]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=40, help="stretches of each kind")
    parser.add_argument("--seed", type=int, default=70000)
    for name in ("music", "speech", "effects"):
        parser.add_argument(f"--{name}", action="append", default=[])
    options = parser.parse_args()
    seeds, rng = range(options.seed, options.seed + options.count), np.random.default_rng(options.seed)
    kinds = {("composed music", True): (compose(seed, SECONDS, RATE).samples for seed in seeds)}
    kinds["composed music at -40 dB", True] = (0.01 * compose(seed, SECONDS, RATE).samples for seed in seeds[::2])
    kinds["composed solo drums", True] = solo_drums(options.count // 2, options.seed)
    for is_music, made in ((True, ODD_MUSIC), (False, NOISES)):
        kinds |= {(name, is_music): (make(np.random.default_rng(seed)) for seed in seeds) for name, make in made.items()}
    for name, is_joined in (("music", False), ("speech", True), ("effects", True)):
        for folder in getattr(options, name):
            kinds[f"{name}: {folder}", name == "music"] = stretches(folder, options.count, is_joined, rng)
    print("| what | is music | stretches | wrong |\n|---|---|---|---|")
    for (name, is_music), sounds in tqdm(kinds.items()):
        wrong = [(no_music(np.asarray(s, np.float32) / max(np.abs(s).max(), 1), RATE) is not None) == is_music for s in sounds]
        tqdm.write(f"| {name} | {'yes' if is_music else 'no'} | {len(wrong)} | {np.mean(wrong):.3f} |")


if __name__ == "__main__":
    main()
