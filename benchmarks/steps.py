"""What fewer steps, guidance intervals and caching cost and save: a table of time, calls, obedience and sound.

    python benchmarks/steps.py --count 16 --settings default fast draft "steps=8 scheduler=unipc guidance_interval=0.2:0.8"

Control sets of `mustango evaluate --set composed:N:37`, played with each setting from the same seeds. Time is the processor's
seconds of a clip, so that a busy machine tells the same; calls count clips through the denoiser, a call that reuses its lower
levels as its share of the operations. Obedience is what madmom hears (chords: majmin share of the time; beats: F; key); FAD is
MusiCNN's distance to the first setting's clips. Needs what evaluating needs.
"""

import argparse
import sys
from pathlib import Path
from time import process_time

import numpy as np
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from mustango import PRESETS
from mustango.evaluate.testsets import composed_case
from mustango.hear.embeddings import frechet_distance, load_embedder
from mustango.hear.judges import load_judge
from mustango.hear.metrics import clip_scores
from mustango.pipeline import load_pipeline

SEED = 37
FIGURES = ("majmin", "beat F", "TBT", "CK")
NAMED = {"default": {}, "twelve": {"steps": 12}} | PRESETS


def settings_of(text):
    """Return the settings of a name, or of "steps=8 scheduler=unipc"."""
    if text in NAMED:
        return NAMED[text]
    return {name: int(value) if value.isdecimal() else value for name, value in (word.split("=") for word in text.split())}


class Calls:
    """How many clips went through the denoiser, and how many of them reused its lower levels."""

    def __init__(self, unet):
        self.whole = self.reused = 0
        unet.register_forward_pre_hook(self._count, with_kwargs=True)

    def _count(self, _unet, inputs, options):
        if options.get("reuse"):
            self.reused += len(inputs[0])
        else:
            self.whole += len(inputs[0])


def play(pipeline, case, settings):
    """Return a case's clip and the processor's seconds it took."""
    begun = process_time()
    audio = pipeline(case.prompt, **case.controls, duration=case.labels.duration_s, seed=case.seed, **settings).audios[0]
    return audio, process_time() - begun


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=16)
    parser.add_argument("--model", default="mustango-mini")
    parser.add_argument("--settings", nargs="+", default=list(NAMED))
    options = parser.parse_args()
    pipeline, judge, embedder = load_pipeline(options.model, quiet=True), load_judge("madmom"), load_embedder("musicnn")
    rate, calls = pipeline.mel.config.sample_rate, Calls(pipeline.unet)
    cases = [composed_case(SEED, index) for index in range(options.count)]
    play(pipeline, cases[0], {"steps": 2})
    reference = None
    print(f"{options.count} clips of 10 s")
    print("| settings | whole calls | reused | seconds | " + " | ".join(FIGURES) + " | FAD |")
    print("|---" * (5 + len(FIGURES)) + "|")
    for text in options.settings:
        taken, scores, frames = [], [], []
        calls.whole = calls.reused = 0
        for case in tqdm(cases, desc=text, leave=False):
            audio, seconds = play(pipeline, case, settings_of(text))
            taken.append(seconds)
            scores.append(clip_scores(case.asked, judge(audio, rate), judge.hears))
            frames.append(embedder(audio, rate)[0])
        frames = np.concatenate(frames)
        reference = frames if reference is None else reference
        means = [np.mean([s[name] for s in scores if s.get(name) is not None] or [np.nan]) for name in FIGURES]
        shown = [f"{mean:.3f}" for mean in means] + [f"{frechet_distance(frames, reference):.2f}"]
        numbers = [f"{calls.whole / len(cases):.1f}", f"{calls.reused / len(cases):.1f}", f"{np.median(taken):.2f}"]
        print(f"| {text} | " + " | ".join(numbers + shown) + " |", flush=True)


if __name__ == "__main__":
    main()
