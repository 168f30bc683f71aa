"""How well songs are heard: python benchmarks/hearing.py --count 20 [--songs FOLDER]

Songs of 60 s are composed, with exact labels, and cut into clips of 10 s as the builder cuts them. Each row is a way of
hearing: a detector on each clip alone; its song's vote; the labels of the vote that are sure enough (the builder's
default); those on which librosa agrees. In a cell: the share that is right of the labels that are there, and in brackets
the share of clips that have one. tempo: the counted beats or the pace within 4 %; key: tonic and mode; beats: an F-measure
of at least .8; chords: the share of the time. With --songs: how far librosa, and essentia where it is installed, agree with
madmom on real songs (fetch_music.sh): each clip alone, after the vote, and on those labels that are sure. Needs madmom, FluidSynth with pyfluidsynth, and a SoundFont.
"""

import argparse
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from musicbench.build.recipe import Recipe
from musicbench.build.songs import find_songs, segments
from musicbench.compose.compose import compose
from musicbench.hearing.agreement import agreed, beat_f, disagreements, same_chords
from musicbench.hearing.by_madmom import hear
from musicbench.hearing.detectors import load_detector
from musicbench.hearing.heard import HeardClip
from musicbench.hearing.song import Hearing, hear_song
from musicbench.hearing.threads import use_one_thread
from musicbench.music.tempo import beats_counted
from musicbench.sound.soundfiles import SoundFile

RATE, SONG_S, CLIP_S, CONTEXT_S = 44100, 60.0, 10.0, 2.5
LABELS = ("tempo", "meter", "beats", "key", "chords")
EVERYTHING = dict(least={}, only_music=False)


class Once:
    """A detector that keeps what it found in a clip, so that more than one way of hearing asks its networks once."""

    def __init__(self, name):
        self.detector, self.kept = load_detector(name), {}

    def __getattr__(self, name):
        return getattr(self.detector, name)

    def evidence(self, samples, rate, wanted=()):  # all of it is wanted
        key = hash(samples.tobytes())
        if key not in self.kept:
            self.kept[key] = self.detector.evidence(samples, rate)
        return self.kept[key]


def clips_of(samples):
    starts = np.arange(0, len(samples) / RATE - 5, CLIP_S)
    return [(float(s), samples[round(s * RATE) : round((s + CLIP_S + CONTEXT_S) * RATE)], RATE) for s in starts]


def truth_of(song, heard):
    return song.cropped(heard.start_s, heard.duration_s)


def right(truth, heard):
    """Return how right each label is that is there."""
    found = {}
    if heard.bpm and truth.bpm:
        pace = truth.bpm / beats_counted(truth.meter)
        found["tempo"] = min(abs(np.log(heard.bpm / truth.bpm)), abs(np.log(heard.pace_bpm / pace))) < np.log(1.04)
    if heard.meter and truth.meter:
        found["meter"] = heard.meter.beats == truth.meter.beats
    if heard.beat_times and truth.beat_times:
        found["beats"] = beat_f(heard.beat_times, truth.beat_times) >= 0.8
    if heard.key and truth.key:
        found["key"] = heard.key.same_as(truth.key)
    if heard.chords and truth.chords:
        found["chords"] = same_chords(truth, heard, heard.duration_s)
    return found


def ways(clips):
    """Return the ways of hearing a song's clips by name."""
    one, two = (hear_song(clips, Hearing(name, **EVERYTHING)) for name in ("madmom", "librosa"))
    sure = hear_song(clips, Hearing(only_music=False))
    old = [hear(samples, rate) for _, samples, rate in clips]
    return {
        "madmom, a clip alone": [
            HeardClip(start_s=c.start_s, duration_s=c.duration_s, **h.by_name()) for h, c in zip(old, one, strict=True)
        ],
        "madmom, the song's vote": one,
        "those that are sure (default)": sure,
        "those on which librosa agrees": [agreed(a, b, "librosa", a.duration_s) for a, b in zip(one, two, strict=True)],
        "sure, and librosa agrees": [agreed(a, b, "librosa", a.duration_s) for a, b in zip(sure, two, strict=True)],
        "librosa, the song's vote": two,
        "librosa, those that are sure": hear_song(clips, Hearing("librosa", only_music=False)),
    }


def composed(options):
    table, kept, sure = {}, 0, {label: [] for label in LABELS}
    for seed in tqdm(range(options.seed, options.seed + options.count), unit="song"):
        song = compose(seed, SONG_S, RATE)
        clips = clips_of(song.samples)
        kept += len(clips)
        for name, heard in ways(clips).items():
            for each in heard:
                for label, value in right(truth_of(song, each), each).items():
                    table.setdefault(name, {key: [] for key in LABELS})[label].append(float(value))
                    if name == "madmom, the song's vote":
                        sure[label].append((each.confidence[label], float(value)))
    print(f"{options.count} composed songs of {SONG_S:g} s, seeds from {options.seed}, {kept} clips; share right (share labelled)")
    print("| heard by | " + " | ".join(LABELS) + " |\n" + "|---" * (1 + len(LABELS)) + "|")
    for name, values in table.items():
        cells = (f"{np.mean(v):.3f} ({len(v) / kept:.2f})" if v else "- (0)" for v in (values[label] for label in LABELS))
        print(f"| {name} | " + " | ".join(cells) + " |")
    print("\n| confidence of the vote | " + " | ".join(LABELS) + " |\n" + "|---" * (1 + len(LABELS)) + "|")
    for low in (0.0, 0.5, 0.6, 0.7, 0.8, 0.9):
        high = low + 0.1 if low else 0.5
        inside = ([value for c, value in sure[label] if low <= c < high] for label in LABELS)
        print(f"| {low:.1f}-{high:.1f} | " + " | ".join(f"{np.mean(v):.2f} ({len(v)})" if v else "-" for v in inside) + " |")


def alone(clips, name):
    return [clip for each in clips for clip in hear_song([each], Hearing(name, **EVERYTHING))]


def real(options):
    """Print how far the free detectors agree with madmom on real songs: heard alone, as voted, and of what is sure."""
    recipe, counts = Recipe(), {}
    ways = {
        "each clip alone": alone,
        "the song's vote": lambda clips, name: hear_song(clips, Hearing(name, **EVERYTHING)),
        "those that are sure": lambda clips, name: hear_song(
            clips, Hearing(name, only_music=False) if name == "madmom" else Hearing(name, **EVERYTHING)
        ),
    }
    for path in tqdm(find_songs(options.songs)[:: options.every], unit="song"):
        with SoundFile(Path(options.songs) / path) as file:
            clips = [(start, samples, file.sample_rate) for start, samples, _ in segments(file, recipe)][: options.clips]
        for way, hears in ways.items():
            found = hears(clips, "madmom")
            for other in options.others:
                for mine, theirs in zip(found, hears(clips, other), strict=True):
                    count(mine, theirs, counts.setdefault((way, other), {label: [] for label in LABELS}))
    print(f"\nreal songs of {options.songs}: share of madmom's labels on which another detector agrees (labels)")
    print("| | " + " | ".join(LABELS) + " |\n" + "|---" * (1 + len(LABELS)) + "|")
    for (way, other), values in counts.items():
        cells = (f"{np.mean(values[label]):.3f} ({len(values[label])})" if values[label] else "- (0)" for label in LABELS)
        print(f"| {way}, {other} | " + " | ".join(cells) + " |")


def count(mine, theirs, agree):
    """Add to `agree` of each label that both have whether they agree."""
    differs = disagreements(mine, theirs, mine.duration_s)
    fields = {"tempo": "bpm", "meter": "meter", "beats": "beat_times", "key": "key", "chords": "chords"}
    for label, field in fields.items():
        if getattr(mine, field) and getattr(theirs, field):
            agree[label].append(label not in differs)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--seed", type=int, default=52000, help="first seed; 41000 to 41049 were used to fit")
    parser.add_argument("--songs", help="folder of real songs")
    parser.add_argument("--every", type=int, default=1, help="take every so many-th real song")
    parser.add_argument("--clips", type=int, default=9, help="of a real song at most")
    options = parser.parse_args()
    use_one_thread()
    import musicbench.hearing.song as song_module

    options.others = ["librosa", *(["essentia"] if find_spec("essentia") else [])]
    once = {name: Once(name) for name in ("madmom", *options.others)}
    song_module.load_detector = once.__getitem__
    if options.count:
        composed(options)
    if options.songs:
        real(options)


if __name__ == "__main__":
    main()
