"""Do neighbours mend labels (Embroid, Guha et al., 2307.11031)? python benchmarks/smoothing.py COMPOSED --clips 300

COMPOSED is a dataset with exact labels (`musicbench compose`). Three labels of its clips are put to the vote of the clips that are nearest in
embedding space: the key by the mean chroma, chords by the chroma of their stretch, each in all twelve transpositions; drums or none, as a
caption says it, by MusiCNN. Printed is how many are right before and after: of labels as librosa hears them, of exact ones, and of exact
ones of which a fifth are replaced by others. `own`: how much a clip's own label counts beside its neighbours' share.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import soxr

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from musicbench.build.dataset import read_rows, row_clip
from musicbench.hearing.by_librosa import CHROMA_HOP, RATE, chroma_of, key_fits, template_chords
from musicbench.hearing.tagger import MusiCNN, why_no_tags
from musicbench.music.keys import Key
from musicbench.sound.audio import load_audio

NEIGHBOURS, SHARPNESS, OWN = 30, 20.0, (0.0, 0.3, 0.6)
CHROMA_HOP_S = CHROMA_HOP / RATE
KEYS = [Key.of(root, mode) for mode in ("major", "minor") for root in range(12)]


def turned(labels, semitones):
    """Return keys or chords (12 major, 12 minor), transposed."""
    return labels // 12 * 12 + (labels + semitones) % 12


def shares(places, groups, labels, classes, turns=1):
    """Return the share of each class among the neighbours of embeddings (N, D) in other groups, (N, classes).

    turns: 12 where embeddings are chroma and labels keys or chords.
    """
    places = places / np.linalg.norm(places, axis=1, keepdims=True).clip(1e-9)
    all_places = np.concatenate([np.roll(places, turn, axis=1) for turn in range(turns)])
    all_labels = np.concatenate([turned(labels, turn) if turns > 1 else labels for turn in range(turns)])
    found = np.zeros((len(places), classes))
    for own, place in enumerate(places):
        near = all_places @ place
        near[np.tile(groups == groups[own], turns)] = -np.inf
        top = np.argpartition(-near, NEIGHBOURS)[:NEIGHBOURS]
        np.add.at(found[own], all_labels[top], np.exp(SHARPNESS * (near[top] - near[top].max())))
    return found / found.sum(axis=1, keepdims=True)


def judge(name, places, groups, exact, heard, classes, turns=1):
    """Print how many labels are right before and after the vote."""
    rng = np.random.default_rng(0)
    spoiled = np.where(rng.random(len(exact)) < 0.2, rng.permutation(exact), exact)
    for what, labels in (("heard", heard), ("exact", exact), ("a fifth replaced", spoiled)):
        if labels is None:
            continue
        voted = shares(places, groups, labels, classes, turns)
        after = [np.mean((voted + own * np.eye(classes)[labels]).argmax(axis=1) == exact) for own in OWN]
        told = ", ".join(f"own {own:g}: {right:.3f}" for own, right in zip(OWN, after, strict=True))
        flagged, wrong = voted[np.arange(len(labels)), labels] < 0.1, labels != exact
        right = f"; flagged {flagged.mean():.2f}, of these wrong {wrong[flagged].mean():.2f}" if flagged.any() else ""
        print(f"{name}, {what}: before {np.mean(labels == exact):.3f}; {told}{right}", flush=True)


def chord_of(chord):
    """Return a chord as one of 12 major and 12 minor ones, None where it is neither."""
    chord = chord.reduced("majmin")
    return None if chord is None or chord.root is None else chord.root + 12 * (chord.quality == "min")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--clips", type=int, default=300)
    options = parser.parse_args()
    rows = [row for row in read_rows(options.data) if row.get("key")]
    rows = [rows[place] for place in np.random.default_rng(0).permutation(len(rows))[: options.clips]]
    embed = None if why_no_tags() else MusiCNN()
    clips, sounds, chords = [], [], []  # (mean chroma, exact, heard key), embeddings, (chroma, clip, exact, heard chord)
    for number, row in enumerate(rows):
        clip = row_clip(row)
        samples, rate = load_audio(options.data / row["location"])
        chroma = chroma_of(soxr.resample(samples, rate, RATE))
        mean = chroma.mean(axis=1)
        exact = next(place for place, key in enumerate(KEYS) if key.same_as(clip.key))
        clips.append((mean - mean.mean(), exact, int(np.nanargmax(key_fits(chroma)))))
        if embed:
            sounds.append(embed(samples, rate)[0].mean(axis=0))
        names, times = template_chords(chroma)
        for name, start, end in zip(names, times, [*times[1:], row["duration"]], strict=True):
            sounding = [asked for asked, time in zip(clip.chords, clip.chord_times, strict=True) if time <= (start + end) / 2]
            asked, heard = chord_of(sounding[-1]) if sounding else None, chord_of(name)
            if end - start >= 0.3 and asked is not None and heard is not None:
                part = chroma[:, int(start / CHROMA_HOP_S) : max(int(end / CHROMA_HOP_S), int(start / CHROMA_HOP_S) + 1)]
                chords.append((part.mean(axis=1), number, asked, heard))
    places, exact, heard = map(np.array, zip(*clips, strict=True))
    print(f"{len(clips)} clips, {len(chords)} chords")
    judge("key", places, np.arange(len(clips)), exact, heard, 24, turns=12)
    places, groups, exact, heard = map(np.array, zip(*chords, strict=True))
    judge("chords", places, groups, exact, heard, 24, turns=12)
    if embed:
        places = np.array(sounds)
        places = (places - places.mean(axis=0)) / places.std(axis=0).clip(1e-6)
        judge("drums", places, np.arange(len(clips)), np.array([bool(row["tags"].get("drums")) for row in rows], int), None, 2)


if __name__ == "__main__":
    main()
