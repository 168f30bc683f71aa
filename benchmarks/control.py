"""Does the music obey? Random control sets, heard by detectors that know nothing of our model.

    python benchmarks/control.py --count 40 --seed 7 -o out/

Four columns a detector: our audio; composed audio of the same controls (the ceiling); that audio through VAE and vocoder;
our audio against another set's labels (the floor). Needs requirements-eval.txt, FluidSynth and a SoundFont.

Judges: Chordino (GPL-2, through chord-extractor's plugin), madmom (code BSD, models CC BY-NC-SA: measuring only).
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

import numpy as np
import soxr

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from musicbench import InputError  # noqa: E402
from musicbench.clip import save_audio  # noqa: E402
from musicbench.compose import compose  # noqa: E402
from musicbench.theory import Chord, Meter, Progression, beat_grid, tempo_class  # noqa: E402

PROMPTS = (
    "piano pop with drums", "acoustic guitar folk song with violin", "electric piano lo-fi beat with drums",
    "strings and flute, classical, no drums", "rock with electric guitar and drums", "organ gospel with drums",
    "jazz with piano, acoustic bass and drums", "synth pad electronic track with drums", "harp lullaby",
    "reggae with organ and drums",
)  # fmt: skip
QUALITIES = ("maj", "min", "7", "maj7", "min7", "sus4", "dim")


def make_controls(count, seed):
    """Draw control sets: 2-8 chords over all roots, tempo 60-170, 3/4 or 4/4, only as many chords as fit into 10 s."""
    rng = np.random.default_rng(seed)
    sets = []
    for index in range(count):
        meter = Meter(*[(4, 4), (3, 4)][int(rng.random() < 0.3)])
        bpm = int(rng.integers(60, 171))
        bars = int(10 * bpm / 60 // meter.beats)
        wanted = int(rng.integers(2, 9))
        chords = []
        while len(chords) < wanted:
            chord = Chord(int(rng.integers(12)), str(rng.choice(QUALITIES, p=[0.28, 0.26, 0.13, 0.12, 0.13, 0.05, 0.03])))
            if not chords or chord != chords[-1]:
                chords.append(chord)
        names = [c.lead_sheet() for c in chords]
        if wanted <= bars:
            line = " ".join(names)
        else:  # two a bar where one a bar does not fit
            names = names[: 2 * bars]
            line = " | ".join(" ".join(names[i : i + 2]) for i in range(0, len(names), 2))
        sets.append(
            {
                "id": f"{index:03d}",
                "prompt": PROMPTS[index % len(PROMPTS)],
                "chords": line,
                "tempo": bpm,
                "meter": str(meter),
                "duration": 10.0,
                "seed": int(rng.integers(2**31)),
            }
        )
    return sets


# ---------------------------------------------------------------------------------------------------- detectors


def chordino(samples, sample_rate):
    """Return (start, Harte label) pairs heard by Chordino: chord-extractor's copy of the plugin, run by vamphost."""
    from importlib.util import find_spec

    os.environ["VAMP_PATH"] = str(Path(find_spec("chord_extractor").origin).parent / "_lib")
    import vamp

    heard = []
    for change in vamp.collect(samples, sample_rate, "nnls-chroma:chordino", parameters={"rollon": 1})["list"]:
        try:
            heard.append((float(change["timestamp"]), Chord.parse(change["label"]).harte()))
        except InputError:
            heard.append((float(change["timestamp"]), "N"))
    return heard


class Madmom:
    """madmom's CNN chord recogniser and its RNN + DBN downbeat tracker (3 or 4 beats a bar), loaded once."""

    def __init__(self):
        from madmom.features.chords import CNNChordFeatureProcessor, CRFChordRecognitionProcessor
        from madmom.features.downbeats import DBNDownBeatTrackingProcessor, RNNDownBeatProcessor

        self.features, self.crf = CNNChordFeatureProcessor(), CRFChordRecognitionProcessor()
        self.rnn, self.dbn = RNNDownBeatProcessor(), DBNDownBeatTrackingProcessor(beats_per_bar=[3, 4], fps=100)

    def hear(self, samples, sample_rate):
        """Return ((start, Harte label) pairs, beat times)."""
        from madmom.audio.signal import Signal

        signal = Signal(soxr.resample(samples, sample_rate, 44100), sample_rate=44100)
        chords = [(float(start), str(label)) for start, _, label in self.crf(self.features(signal))]
        return chords, np.asarray(self.dbn(self.rnn(signal)), float).reshape(-1, 2)[:, 0]


# ---------------------------------------------------------------------------------------------------- scores


def chord_scores(heard, times, labels, duration_s, names=("majmin", "sevenths")):
    """Duration-weighted agreement of heard (start, label) pairs with asked labels (mir_eval)."""
    import mir_eval

    def spans(starts):
        return np.array([starts, [*starts[1:], duration_s]]).T

    heard = [(t, label) for t, label in heard if t < duration_s - 0.01] or [(0.0, "N")]
    heard[0] = (0.0, heard[0][1])
    ref, est = spans(list(times)), spans([t for t, _ in heard])
    scores = mir_eval.chord.evaluate(ref, list(labels), est, [label for _, label in heard])
    return {name: scores[name] for name in names}


def beat_scores(heard, times, bpm):
    """Beat F at 70 ms over the whole clip, and tempo class within one (TBT), bpm by least squares on the beats."""
    import mir_eval

    f = mir_eval.beat.f_measure(np.asarray(times), heard) if len(heard) else 0.0
    heard_bpm = 60 / np.polyfit(np.arange(len(heard)), heard, 1)[0] if len(heard) > 2 else None
    near = heard_bpm is not None and abs(tempo_class(heard_bpm) - tempo_class(bpm)) <= 1
    return {"beat F": f, "TBT": float(near)}


def judge(samples, sample_rate, madmom, path):
    """Write a clip to `path` and run every detector on it."""
    save_audio(path, samples, sample_rate)
    chords, beats = madmom.hear(samples, sample_rate)
    return {"chords": {"Chordino": chordino(samples, sample_rate), "madmom CNN": chords}, "beats": beats}


def score(heard, truth):
    row = {}
    for detector, chords in heard["chords"].items():
        names = ("majmin", "sevenths") if detector == "Chordino" else ("majmin",)
        for name, value in chord_scores(chords, truth["times"], truth["labels"], truth["duration"], names).items():
            row[f"{detector} {name}"] = value
    for name, value in beat_scores(heard["beats"], truth["beats"], truth["bpm"]).items():
        row[f"madmom {name}"] = value
    return row


def truth_of(request):
    meter = Meter.parse(request["meter"])
    chords, times = Progression.parse(request["chords"], meter).lay_out(request["tempo"], request["duration"])
    beats, _ = beat_grid(request["tempo"], meter, request["duration"])
    return {
        "times": times,
        "labels": [c.harte() for c in chords],
        "beats": beats,
        "bpm": request["tempo"],
        "duration": request["duration"],
    }


def composed_audio(request, sample_rate):
    """The composer's piece of the same controls."""
    meter = Meter.parse(request["meter"])
    progression = Progression.parse(request["chords"], meter)
    clip = compose(
        request["seed"], request["duration"], sample_rate,
        chords=progression, bpm=float(request["tempo"]), meter=meter, lead_in=False,
    )  # fmt: skip
    return clip.samples


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--model", default="mustango-mini")
    parser.add_argument("--guidance", type=float, default=3.0)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--skip-reference", action="store_true", help="judge only our audio")
    parser.add_argument("-o", "--out", help="keep the audio and figures here")
    options = parser.parse_args()

    import torch

    from mustango.pipeline import load_pipeline

    pipeline = load_pipeline(options.model)
    rate = pipeline.mel.config.sample_rate
    madmom = Madmom()
    folder = Path(options.out or tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    requests = make_controls(options.count, options.seed)
    truths, heard = [truth_of(r) for r in requests], {"ours": [], "composed": [], "round trip": []}
    for request in requests:
        controls = {k: request[k] for k in ("chords", "tempo", "meter", "duration", "seed")}
        audio = {"ours": pipeline(request["prompt"], **controls, steps=options.steps, guidance=options.guidance).audios[0]}
        if not options.skip_reference:
            audio["composed"] = composed_audio(request, rate)
            with torch.no_grad():
                wave = pipeline.mel.padded(torch.from_numpy(audio["composed"])[None])
                folded = pipeline.mel.folded(pipeline.mel(wave)[:, :-1])
                mels = pipeline.mel.unfolded(pipeline.vae.decode(pipeline.vae.encode(folded).latent_dist.mode()).sample)
                audio["round trip"] = pipeline.vocode(mels, request["duration"])[0]
        for column, samples in audio.items():
            heard[column].append(judge(samples, rate, madmom, folder / f"{request['id']}-{column.replace(' ', '-')}.wav"))
        print(".", end="", flush=True, file=sys.stderr)
    print(file=sys.stderr)

    columns = {name: [score(h, t) for h, t in zip(hs, truths, strict=True)] for name, hs in heard.items() if hs}
    shuffled = truths[1:] + truths[:1]
    columns["shuffled"] = [score(h, t) for h, t in zip(heard["ours"], shuffled, strict=True)]
    names = list(columns["ours"][0])
    table = {c: {n: float(np.mean([row[n] for row in rows])) for n in names} for c, rows in columns.items()}
    print(
        f"{options.count} control sets, seed {options.seed}, model {options.model}, steps {options.steps}, guidance {options.guidance:g}"
    )
    print("| heard by | " + " | ".join(columns) + " | ours / composed |\n" + "|---" * (len(columns) + 2) + "|")
    for n in names:
        share = f"{table['ours'][n] / table['composed'][n]:.1%}" if "composed" in table else ""
        print(f"| {n} | " + " | ".join(f"{table[c][n]:.3f}" for c in columns) + f" | {share} |")
    (folder / "control.json").write_text(json.dumps({"table": table, "rows": columns}, indent=1))


if __name__ == "__main__":
    main()
