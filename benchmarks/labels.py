"""Do labels survive the transforms? Detectors on composed clips with exact labels: python benchmarks/labels.py --count 100

Each clip is judged as it is, and after each transform against its moved labels. If labels move with the sound, detectors agree with
the moved labels as well as with the first. Chords: duration-weighted majmin. Beats: F at 70 ms, of all clips and of those whose
tempo is one that madmom's tracker can name (55-215 bpm) before and after both changes of tempo. Key: exact. The last row, pitch
and tempo lowered together by 3 semitones by resampling alone, shows what detectors lose on sound that no stretcher has touched.
Needs `make judges`, FluidSynth with pyfluidsynth, and a SoundFont.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import soxr
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from musicbench.compose.compose import compose
from musicbench.music.dynamics import Dynamics
from musicbench.sound.augment import change_dynamics, change_tempo, shift_pitch
from mustango.hear.judges import load_judge
from mustango.hear.metrics import Target, clip_scores


def slower_tape(clip, semitones):
    """Lower pitch and tempo together by resampling alone, which harms nothing: what is lost here is the detector's."""
    ratio = 2 ** (semitones / 12)
    slower = change_tempo(shift_pitch(clip, semitones), ratio)  # for its labels
    return replace(slower, samples=soxr.resample(clip.samples, clip.sample_rate * ratio, clip.sample_rate))


TRANSFORMS = {
    "none": lambda clip: clip,
    "pitch -3": lambda clip: shift_pitch(clip, -3),
    "pitch +3": lambda clip: shift_pitch(clip, 3),
    "tempo x1.2": lambda clip: change_tempo(clip, 1.2),
    "tempo /1.2": lambda clip: change_tempo(clip, 1 / 1.2).cropped(0, clip.duration_s),
    "dynamics": lambda clip: change_dynamics(clip, Dynamics("crescendo", "start", 5.0, 0.2)),
    "slower tape": lambda clip: slower_tape(clip, -3).cropped(0, clip.duration_s),
}
COLUMNS = (("Chordino", "majmin"), ("madmom", "majmin"), ("madmom", "beat F"), ("madmom", "CK"))
TRACKED_BPM = (55 * 1.2, 215 / 1.2)


def scores(clip, judges):
    """Return the COLUMNS of a clip."""
    target = Target(duration_s=clip.duration_s, **clip.by_name())
    found = {judge.name: clip_scores(target, judge(clip.samples, clip.sample_rate), judge.hears) for judge in judges}
    return [float(found[judge].get(metric, np.nan)) for judge, metric in COLUMNS]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=9000, help="first seed of the composed clips")
    options = parser.parse_args()
    judges = [load_judge("madmom"), load_judge("chordino")]
    rows, tracked = {name: [] for name in TRANSFORMS}, []
    for seed in tqdm(range(options.seed, options.seed + options.count)):
        clip = compose(seed, 10.0, 24000)
        tracked.append(TRACKED_BPM[0] <= clip.bpm <= TRACKED_BPM[1])
        for name, transform in TRANSFORMS.items():
            rows[name].append(scores(transform(clip), judges))
    beats = COLUMNS.index(("madmom", "beat F"))
    means = {name: [*np.nanmean(values, axis=0), np.nanmean(np.array(values)[tracked, beats])] for name, values in rows.items()}
    columns = [*(" ".join(column) for column in COLUMNS), f"beat F, {sum(tracked)} clips of 66-179 bpm"]
    print(f"{options.count} composed clips, seeds from {options.seed}; points of 100, difference to none in brackets")
    print("| transform | " + " | ".join(columns) + " |\n" + "|---" * (len(columns) + 1) + "|")
    for name, values in means.items():
        cells = (
            f"{100 * v:.1f}" + (f" ({100 * (v - first):+.1f})" if name != "none" else "")
            for v, first in zip(values, means["none"], strict=True)
        )
        print(f"| {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
