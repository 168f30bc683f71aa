"""Do long clips obey to their end, and sound as they began? python benchmarks/long.py --count 16 --duration 120

Composed control sets (those of `mustango evaluate --set composed:N:31`), played for `--duration` seconds by the model and by the composer. What
judges hear in the first, the middle and the last ten seconds, and how far apart these sound by MusiCNN (cosine distance of
embeddings; "others": the first ten seconds of two different clips). Needs what composing and evaluating need.
"""

import argparse
import sys
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from musicbench.compose.compose import compose
from mustango.evaluate.testsets import composed_case, composed_piece
from mustango.hear.embeddings import load_embedder
from mustango.hear.judges import load_judge
from mustango.hear.metrics import Target, clip_scores
from mustango.pipeline import load_pipeline

SEED, PART_S = 31, 10.0
SHOWN = {"chordino": ("majmin", "sevenths"), "madmom": ("majmin", "beat F", "downbeat F", "TBT", "CK")}


def scores_of(part, key):
    """Return {"judge, metric": score} of a Clip by its own labels."""
    target = Target(duration_s=PART_S, **part.by_name() | {"key": key})
    scores = {}
    for name, figures in SHOWN.items():
        judge = load_judge(name)
        found = clip_scores(target, judge(part.samples, part.sample_rate), judge.hears)
        scores |= {f"{judge.name}, {figure}": found[figure] for figure in figures if figure in found}
    return scores


def apart(a, b):
    """Return the cosine distance of two embeddings."""
    return 1 - float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=16)
    parser.add_argument("--duration", type=float, default=120.0)
    parser.add_argument("--model", default="mustango-mini")
    options = parser.parse_args()
    pipeline = load_pipeline(options.model, quiet=True)
    embedder = load_embedder("musicnn")
    rate = pipeline.mel.config.sample_rate
    starts = {"first": 0.0, "middle": (options.duration - PART_S) / 2, "last": options.duration - PART_S}
    rows, sounds = {}, {"model": [], "composed": []}
    for index in tqdm(range(options.count), unit="clip"):
        case = composed_case(SEED, index)
        piece = composed_piece(case)
        composed = compose(
            case.seed, options.duration, rate,
            chords=piece.progression, bpm=piece.bpm, meter=piece.meter, key=case.asked.key, lead_in=False,
        )  # fmt: skip
        played = pipeline(case.prompt, **case.controls, duration=options.duration, seed=case.seed).audios[0]
        for who, clip in (("model", replace(composed, samples=played)), ("composed", composed)):
            parts = {name: clip.cropped(start_s, PART_S) for name, start_s in starts.items()}
            for name, part in parts.items():
                for figure, score in scores_of(part, case.asked.key).items():
                    rows.setdefault(figure, {}).setdefault((who, name), []).append(score)
            sounds[who].append([embedder(part.samples, rate)[0].mean(0) for part in parts.values()])
    print(f"{options.count} clips of {options.duration:g} s")
    print("| heard by | " + " | ".join(f"{who}, {name} 10 s" for who in sounds for name in starts) + " |")
    print("|---" * (1 + 2 * len(starts)) + "|")
    for figure, cells in rows.items():
        means = [np.mean(cells[who, name]) for who in sounds for name in starts]
        print(f"| {figure} | " + " | ".join(f"{mean:.3f}" for mean in means) + " |")
    for who, clips in sounds.items():
        within = np.mean([apart(clip[0], clip[-1]) for clip in clips])
        others = np.mean([apart(a[0], b[0]) for a, b in combinations(clips, 2)] or [np.nan])
        print(f"first and last ten seconds, {who}: {within:.3f} apart (others: {others:.3f})")


if __name__ == "__main__":
    main()
