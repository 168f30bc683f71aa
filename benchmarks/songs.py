"""Real songs through VAE and vocoder: python benchmarks/songs.py SONGS --clips 40

Stretches of 10 s, spread evenly over the songs (see fetch_music.sh). Prints, for the vocoder alone and for VAE and vocoder, the mean
distance of log-mels in dB over bands less than 60 dB below the loudest, and how much of the time judges hear the same chord as in
the original, silence left out. `--pictures FOLDER` draws the first stretches.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from musicbench.build.songs import find_songs
from musicbench.sound.audio import load_audio
from musicbench.sound.picture import clip_png
from mustango.hear.judges import is_silent, load_judge
from mustango.hear.metrics import Target, chord_scores
from mustango.pipeline import load_pipeline

SECONDS = 10.24


def stretches(folder, count, rate):
    """Yield `count` stretches, as many from each song as its length calls for, brought to one peak level."""
    songs = {path: load_audio(Path(folder) / path, rate)[0] for path in find_songs(folder)}
    places = [(path, at) for path, x in songs.items() for at in range(0, len(x) - round(SECONDS * rate), round(SECONDS * rate))]
    for i in np.linspace(0, len(places) - 1, min(count, len(places))).round().astype(int):
        path, at = places[i]
        samples = songs[path][at : at + round(SECONDS * rate)]
        if not is_silent(samples, rate):
            yield samples * 0.8 / np.abs(samples).max()


def agreement(judge, original, ours, rate):
    """Return the share of time in which a judge hears the same root and mode in both."""
    first = judge(original, rate)
    if not first.chords:
        return np.nan
    target = Target(duration_s=len(original) / rate, chords=first.chords, chord_times=(0.0, *first.chord_times[1:]))
    return chord_scores(target, judge(ours, rate)).get("majmin", np.nan)


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("songs")
    parser.add_argument("--clips", type=int, default=40)
    parser.add_argument("--model", default="mustango-mini")
    parser.add_argument("--judges", default="chordino,madmom,librosa")
    parser.add_argument("--pictures", type=Path)
    options = parser.parse_args()
    pipeline = load_pipeline(options.model)
    mel, rate = pipeline.mel, pipeline.mel.config.sample_rate
    judges = [load_judge(name) for name in options.judges.split(",")]
    db = 20 / np.log(10) * mel.config.std  # of a normalised log-mel
    rows = {"vocoder": [], "VAE and vocoder": []}
    for number, samples in enumerate(tqdm(list(stretches(options.songs, options.clips, rate)), unit="clip")):
        wave = torch.from_numpy(np.ascontiguousarray(samples))[None]
        mels = mel(wave)[:, :-1]
        made = {"vocoder": mels, "VAE and vocoder": pipeline.decode(pipeline.latents_of(mels))}
        for way, given in made.items():
            ours = np.asarray(pipeline.vocode(given, SECONDS)[0])
            again = mel(torch.from_numpy(ours)[None])[:, :-1]
            apart = (again - mels).abs()[mels > mels.max() - 60 / db].mean().item()
            rows[way].append([apart * db, *(agreement(judge, samples, ours, rate) for judge in judges)])
            if options.pictures and number < 4:
                options.pictures.mkdir(exist_ok=True)
                for kind, sound in ((way, ours), ("original", samples)):
                    (options.pictures / f"{number} {kind}.png").write_bytes(clip_png(sound, rate))
    print(f"{len(rows['vocoder'])} stretches of {SECONDS} s; mean and, in brackets, the worst")
    print("| through | log-mel, dB | " + " | ".join(f"same chord, {judge.name}" for judge in judges) + " |")
    print("|---" * (2 + len(judges)) + "|")
    for way, values in rows.items():
        values = np.array(values, float)
        cells = [f"{values[:, 0].mean():.2f} ({values[:, 0].max():.2f})"]
        cells += [f"{np.nanmean(column):.3f} ({np.nanmin(column):.3f})" for column in values[:, 1:].T]
        print(f"| {way} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
