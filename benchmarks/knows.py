"""What does a model know of what the composer plays? Measured in its sound, beside the same measure on the composer's own audio.

    python benchmarks/knows.py knows/ --probes-only          # composes what the probes learn from; once, for all models
    python benchmarks/knows.py knows/ --model FOLDER --workers 2
    python benchmarks/knows.py knows/ --only melody stems --count 0.5

Measures (--only):

    instruments  a probe of 40 instruments, trained on composed audio alone, names the one that plays alone
    styles       a probe of 30 styles, trained so, names the one that the prompt asks for
    tags         MusiCNN's tags tell 20 prompts apart: the area under the ROC curve of each prompt's tags, averaged
    drums        120 prompts with and without drums, heard by a probe trained on composed parts
    parts        a part alone: no pitch beside drums, nothing above a bass, no drums beside chords or lead, by such probes
    melody       a given melody, heard by pYIN in the lead alone and in the whole (onset within 0.1 s and pitch class)
    stems        they add up to the take; how far apart onsets of two stems lie, and from the grid of sixteenths
    rhythm       four takes of a prompt: how onset strength over a bar correlates between them

Clips, and what is heard in them, are kept in the folder: the composer's and the probes' for all models, a model's under the digest of
its weights, where knows.md and knows.json are written after each measure. Run again, it goes on where it was stopped. --count makes so
many times the usual clips. Needs FluidSynth and MusiCNN's weights (`make judges`).
"""

import argparse
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from musicbench import InputError
from musicbench.compose.compose import find_soundfont, plan
from musicbench.compose.rendering import render_parts
from musicbench.files import save_json, written_whole
from musicbench.hearing.tagger import tags
from musicbench.music.progression import beat_grid
from musicbench.sound.audio import load_audio, save_audio
from musicbench.sound.master import finished
from musicbench.sound.melody import hear_melody
from mustango import GUIDANCE
from mustango.evaluate.clips import generate_clip, make_clips, pipeline_of, results, sample_rate_of, worker_pool
from mustango.evaluate.known_cases import (
    PARTS_ALONE,
    RHYTHM_BPM,
    SOLO_SECONDS,
    TAGGED,
    drummed,
    instruments,
    melodies,
    parts_alone,
    rhythms,
    stemmed,
    styles,
    tagged,
)
from mustango.evaluate.measured import (
    area_under_curve,
    bar_pattern,
    mean_correlation,
    melody_f_measure,
    nearest_gaps,
    onset_strength,
    onset_times,
)
from mustango.evaluate.probe import fitted, musicnn, timbre
from mustango.evaluate.run import fingerprint
from mustango.evaluate.words import interval_text
from mustango.hear.metrics import bootstrap
from mustango.release.folder import BUNDLED
from mustango.request.model_facts import read_facts

SEED = 7
PROBE_SEED = 1007  # of what the probes learn from
PROBE_CLIPS = {"instruments": 14, "styles": 20, "parts": 250}  # of each instrument and style; pieces, each whole and in parts
# What must not be heard beside a part alone: one of the labels of `_parts_known`.
FORBIDDEN = {"drums": "pitched", "bass": "above the bass", "chords": "drums", "lead": "drums"}
RHYTHM_BAR_S = 4 * 60 / RHYTHM_BPM


@dataclass(frozen=True)
class Making:
    """How the model's clips are made, as `mustango.evaluate.clips.generate_clip` takes it."""

    model: str = BUNDLED
    steps: int = 10
    guidance: float = GUIDANCE
    device: str = "cpu"
    takes: int = 1


@dataclass(frozen=True)
class Run:
    """One run: the pool, how clips are made, the two folders, the sample rate and how many times the usual counts."""

    pool: object
    making: Making
    folder: Path
    composed: Path
    rate: int
    scale: float

    def times(self, count):
        """Return so many times the usual count, one or more."""
        return max(1, round(count * self.scale))

    def heard(self, name, asked, how, stems=False):
        """Make the clips of [Asked] with the model and with the composer; return {column: [what `how` hears in each]}."""
        make = generate_stems if stems else generate
        wanted = {
            "composed": (self.composed, {one.id: (compose_stems if stems else compose, one, self.rate) for one in asked}),
            "model": (self.folder, {one.id: (make, self.making, one) for one in asked}),
        }
        found = {}
        for column, (folder, jobs) in wanted.items():
            problems = []
            paths = make_clips(self.pool, f"{name}, {column}", folder / name, jobs, problems)
            if problems:
                raise InputError(f"clip {problems[0]['id']} was {problems[0]['what']}")
            listened = {id_: self.pool.submit(listen, how, path) for id_, path in paths.items()}
            found[column] = [*results(f"{name}, heard", listened).values()]
        return found


# ---------------------------------------------------------------------------------------------------- clips, and what is heard


def generate(making, asked, path):
    """Write what the model makes of an Asked."""
    generate_clip(making, asked.prompt, asked.controls, asked.duration_s, asked.seed, path)


def compose(asked, sample_rate, path):
    """Write the composer's audio of an Asked."""
    clip, stems = render_parts(asked.piece, asked.duration_s, sample_rate)
    samples = (
        sum((stems[part] for part in asked.parts if part in stems), np.zeros_like(clip.samples)) if asked.parts else clip.samples
    )
    save_audio(path, samples, sample_rate)


def generate_stems(making, asked, path):
    """Write the model's take, and beside it its stems (.npz) and whether their sum, finished, is the take to the bit."""
    pipeline = pipeline_of(making.model, making.device)
    how = {"steps": making.steps, "guidance": making.guidance, "stems": True}
    output = pipeline(asked.prompt, **asked.controls, duration=asked.duration_s, seed=asked.seed, **how)
    stems, rate = output.stems[0], output.sample_rate
    mixed = finished(np.sum([*stems.values()], axis=0), rate, 0.0, None)[0]
    _save_stems(path, stems, np.array_equal(mixed, output.audios[0]))
    save_audio(path, output.audios[0], rate)


def compose_stems(asked, sample_rate, path):
    """Write the composer's mix and stems."""
    clip, stems = render_parts(asked.piece, asked.duration_s, sample_rate)
    _save_stems(path, stems, np.array_equal(sum(stems.values(), np.zeros_like(clip.samples)), clip.samples))
    save_audio(path, clip.samples, sample_rate)


def _save_stems(path, stems, adds_up):
    with written_whole(path.with_suffix(".npz")) as temporary, temporary.open("wb") as file:
        np.savez(file, adds_up=adds_up, **stems)


def _onsets_of_stems(path):
    """Return rows (stem's number, onset s) of the stems beside a clip; the first row is whether they add up, twice."""
    rate = load_audio(path)[1]
    with np.load(path.with_suffix(".npz")) as kept:
        rows = [(float(kept["adds_up"]),) * 2]
        for number, part in enumerate(PARTS_ALONE):
            rows += [(number, time) for time in onset_times(kept[part], rate)] if part in kept else []
    return np.array(rows)


def _tag_probabilities(samples, sample_rate):
    return np.array([*tags(samples, sample_rate).values()])


def _notes(samples, sample_rate):
    return np.array(hear_melody(samples, sample_rate)).reshape(-1, 3)


HEARING = {"timbre": timbre, "tags": _tag_probabilities, "melody": _notes, "rhythm": onset_strength}


def listen(how, path):
    """Return what is heard in a clip, one of HEARING or "stems", as an array that is kept beside it."""
    kept = path.with_suffix(f".{how}.npy")
    if not kept.is_file():
        heard = _onsets_of_stems(path) if how == "stems" else HEARING[how](*load_audio(path))
        with written_whole(kept) as temporary, temporary.open("wb") as file:
            np.save(file, heard)
    return np.load(kept)


# ---------------------------------------------------------------------------------------------------- probes


def _known(asked, sample_rate):
    return timbre(render_parts(asked.piece, asked.duration_s, sample_rate)[0].samples, sample_rate)


def _parts_known(seed, sample_rate):
    """Return [(features, part names)] of a piece: whole, each part alone, and all but one."""
    clip, stems = render_parts(plan(seed, lead_in=False), SOLO_SECONDS, sample_rate)
    stems = {part: samples for part, samples in stems.items() if np.abs(samples).max() > 0.01}
    sets = {tuple(stems), *((part,) for part in stems), *(tuple(p for p in stems if p != part) for part in stems)} - {()}
    mixes = {kept: sum((stems[part] for part in kept), np.zeros_like(clip.samples)) for kept in sorted(sets)}
    return [(timbre(samples, sample_rate), "+".join(kept)) for kept, samples in mixes.items()]


def learnt(run, name):
    """Return (features (N, D), labels (N,)) that a probe learns from, kept in the folder of what is composed."""
    path = run.composed / f"probe-{name}.npz"
    if not path.is_file():
        count = PROBE_CLIPS[name]
        if name == "parts":
            jobs = {i: run.pool.submit(_parts_known, PROBE_SEED * 10**6 + i, run.rate) for i in range(count)}
            found = [one for piece in results("probe of parts", jobs).values() for one in piece]
        else:
            drawn = {"instruments": instruments, "styles": styles}[name](PROBE_SEED, count)
            jobs = {one.id: run.pool.submit(_known, one, run.rate) for one, _ in drawn}
            found = zip(results(f"probe of {name}", jobs).values(), (label for _, label in drawn), strict=True)
        features, labels = zip(*found, strict=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(path) as temporary, temporary.open("wb") as file:
            np.savez(file, features=np.array(features, np.float32), labels=np.array(labels))
    with np.load(path) as kept:
        return kept["features"], kept["labels"]


def parts_probe(run, label):
    """Return (the probe of a label, "drums", "pitched" or "above the bass"; {part: score above which it is heard beside that part}).

    97 % of the composed clips of a part alone lie below, when the probe has not learnt from them.
    """
    from sklearn.model_selection import KFold, cross_val_predict

    features, kept = learnt(run, "parts")
    beside = {"drums": {"drums"}, "pitched": {"bass", "chords", "lead"}, "above the bass": {"drums", "chords", "lead"}}[label]
    labels = [bool(set(names.split("+")) & beside) for names in kept]
    probe = fitted(features, labels)
    scores = cross_val_predict(probe, features, labels, cv=KFold(5), method="decision_function")  # a piece's clips lie together
    return probe, {part: max(0.0, float(np.quantile(scores[kept == part], 0.97))) for part in PARTS_ALONE if part in kept}


# ---------------------------------------------------------------------------------------------------- measures


def row(what, values, bound, of=False):
    """Return a row: the means of {column: values}; the model's, or its share of the composer's (`of`), against a bound."""
    return _bounded(what, {column: asdict(bootstrap(numbers)) for column, numbers in values.items()}, bound, of, False)


def median_row(what, values, bound=None, above_composed=0.0):
    """Return a row of medians, at most a bound, or so much above the composer's."""
    medians = {}
    for column, numbers in values.items():
        if not len(numbers):
            raise InputError(f"nothing is heard of {what} ({column}); make more clips with a higher --count")
        draws = np.random.default_rng(0).choice(numbers, (1000, len(numbers)))
        low, high = np.percentile(np.median(draws, axis=1), [2.5, 97.5])
        medians[column] = {"value": float(np.median(numbers)), "low": float(low), "high": float(high), "n": len(numbers)}
    return _bounded(what, medians, medians["composed"]["value"] + above_composed if bound is None else bound, False, True)


def _bounded(what, figures, bound, of_composed, below):
    model, composed = (figures[column]["value"] for column in ("model", "composed"))
    ratio = model / composed if composed else None
    measured = ratio if of_composed else model
    holds = measured is not None and (measured <= bound if below else measured >= bound)
    return {
        "what": what, **figures, "ratio": ratio, "bound": bound, "of_composed": of_composed, "below": below, "holds": bool(holds),
    }  # fmt: skip


def probed(run, name, drawn):
    """Return the row of a probe that names the label of each clip."""
    probe, labels = fitted(*learnt(run, name)), np.array([label for _, label in drawn])
    heard = run.heard(name, [one for one, _ in drawn], "timbre")
    right = {column: (probe.predict(np.array(features)) == labels).astype(float) for column, features in heard.items()}
    return [row(f"{name}: {len(set(labels))}, named by a probe", right, 0.85, of=True)]


def measure_instruments(run):
    return probed(run, "instruments", instruments(SEED, run.times(2)))


def measure_styles(run):
    return probed(run, "styles", styles(SEED, run.times(2)))


def measure_tags(run):
    drawn = tagged(SEED, run.times(4))
    names = [*tags(np.zeros(48000, np.float32), 16000)]
    numbers, areas = np.array([number for _, number in drawn]), {}
    for column, heard in run.heard("tags", [one for one, _ in drawn], "tags").items():
        logs = np.log(np.array(heard) + 1e-3)
        scores = [logs[:, [names.index(tag) for tag in fitting]].mean(axis=1) for _, fitting, _ in TAGGED]
        areas[column] = [area_under_curve(score[numbers == i], score[numbers != i]) for i, score in enumerate(scores)]
    by_prompt = {prompt: {column: areas[column][i] for column in areas} for i, (prompt, _, _) in enumerate(TAGGED)}
    return [row(f"tags: area under the curve, {len(TAGGED)} prompts", areas, 0.85) | {"by prompt": by_prompt}]


def measure_drums(run):
    drawn = drummed(SEED, run.times(2))
    probe, wanted = parts_probe(run, "drums")[0], np.array([label for _, label in drawn])
    heard = run.heard("drums", [one for one, _ in drawn], "timbre")
    right = {column: (probe.predict(np.array(features)) == wanted).astype(float) for column, features in heard.items()}
    wrong = sorted({one.prompt for (one, _), fine in zip(drawn, right["model"], strict=True) if not fine})
    rows = [row(f"drums: as {len(drawn)} prompts have it", right, 0.97) | {"wrong": wrong}]
    for label, name in ((True, "there"), (False, "not there")):
        rows.append(row(f"drums: {name} where wanted so", {c: v[wanted == label] for c, v in right.items()}, 0.97))
    return rows


def measure_parts(run):
    drawn = parts_alone(SEED, run.times(15))
    probes = {label: parts_probe(run, label) for label in set(FORBIDDEN.values())}

    def is_clean(part, features):
        probe, bounds = probes[FORBIDDEN[part]]
        return float(probe.decision_function(features[None])[0] <= bounds[part])

    heard = run.heard("parts", [one for one, _ in drawn], "timbre")
    clean = {
        column: np.array([is_clean(part, one) for one, (_, part) in zip(features, drawn, strict=True)])
        for column, features in heard.items()
    }
    rows, parts = [row("parts alone: nothing else heard", clean, 0.95)], np.array([part for _, part in drawn])
    for part, other in FORBIDDEN.items():
        own = {column: values[parts == part] for column, values in clean.items()}
        rows.append(row(f"{part} alone: nothing {other}" if other != "drums" else f"{part} alone: no drums", own, 0.95))
    return rows


def measure_melody(run):
    drawn, rows = melodies(SEED, run.times(16)), []
    for place, name in enumerate(("lead alone", "whole")):
        heard = run.heard("melody", [one[place] for one in drawn], "melody")
        scores = {c: [melody_f_measure(asked, notes) for (*_, asked), notes in zip(drawn, all_notes, strict=True)]
                  for c, all_notes in heard.items()}  # fmt: skip
        rows.append(row(f"melody: F-measure in the {name}", scores, 0.8, of=True))
    return rows


def measure_stems(run):
    asked = stemmed(SEED, run.times(6))
    adds_up, between, to_grid = {}, {}, {}
    for column, heard in run.heard("stems", asked, "stems", stems=True).items():
        adds_up[column] = [rows[0, 0] for rows in heard]
        gaps, grid_gaps = [], []
        for one, rows in zip(asked, heard, strict=True):
            stems = [rows[1:][rows[1:, 0] == number, 1] for number in range(len(PARTS_ALONE))]
            sixteenths = beat_grid(4 * one.piece.bpm, one.piece.meter, one.duration_s + 1)[0]
            gaps += [1000 * nearest_gaps(a, b) for i, a in enumerate(stems) for b in stems[i + 1 :]]
            grid_gaps += [1000 * nearest_gaps(times, sixteenths) for times in stems]
        between[column], to_grid[column] = np.concatenate(gaps), np.concatenate(grid_gaps)
    return [
        row("stems: sum is the take, to the bit", adds_up, 1.0),
        median_row("stems: onsets of two stems apart, median ms", between, above_composed=10),
        median_row("stems: onsets from the grid, median ms", to_grid, above_composed=10),
    ]


def measure_rhythm(run):
    drawn = rhythms(SEED, run.times(6))
    correlations = {}
    for column, heard in run.heard("rhythm", [one for one, _ in drawn], "rhythm").items():
        patterns = np.array([bar_pattern(strength, run.rate, RHYTHM_BAR_S) for strength in heard])
        correlations[column] = [mean_correlation(patterns[first : first + 4]) for first in range(0, len(drawn), 4)]
    return [median_row(f"rhythm: correlation of four takes, median of {len(drawn) // 4} prompts", correlations, 0.7)]


TOLD_NOTES = ("parts", "melody", "stems")  # measures of what only some models can be told
MEASURES = {
    "instruments": measure_instruments,
    "styles": measure_styles,
    "tags": measure_tags,
    "drums": measure_drums,
    "parts": measure_parts,
    "melody": measure_melody,
    "stems": measure_stems,
    "rhythm": measure_rhythm,
}


# ---------------------------------------------------------------------------------------------------- the report


def markdown(report):
    """Return the report as a Markdown table."""
    making = report["making"]
    lines = [
        f"What is known: model {making['model']} (weights {report['weights']}), {making['steps']} steps, guidance {making['guidance']:g}. Means over clips "
        "with 95 % intervals; composed: the same measure on the composer's audio.",
        "",
        "| what | model | composed | model / composed | bound | holds |",
        "|---|---|---|---|---|---|",
    ]
    for one in report["rows"]:
        cells = [interval_text(one[column]) for column in ("model", "composed")]
        ratio = f"{100 * one['ratio']:.1f} %" if one["ratio"] is not None and one["of_composed"] else "-"
        bound = f"{'at most' if one['below'] else 'at least'} {one['bound']:.3g}{' of composed' if one['of_composed'] else ''}"
        lines.append(f"| {one['what']} | {' | '.join(cells)} | {ratio} | {bound} | {'yes' if one['holds'] else 'no'} |")
    if report["not told"]:
        lines += [
            "",
            f"The model cannot be told of parts and melody, so there is nothing to measure of: {', '.join(report['not told'])}.",
        ]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="for clips, what is heard in them, and the report")
    parser.add_argument("--model", default=BUNDLED)
    parser.add_argument("--only", nargs="+", choices=MEASURES, default=list(MEASURES), metavar="NAME", help=", ".join(MEASURES))
    parser.add_argument("--count", type=float, default=1.0, help="so many times the usual clips (1)")
    parser.add_argument("--steps", type=int, default=Making.steps, help=f"of denoising ({Making.steps})")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--probes-only", action="store_true", help="compose what the probes learn from, and stop")
    options = parser.parse_args()
    find_soundfont()
    musicnn()
    making = Making(options.model, options.steps)
    weights, rate = fingerprint(options.model), sample_rate_of(options.model)
    folder = options.folder / f"{weights}-{options.steps}"
    folder.mkdir(parents=True, exist_ok=True)
    report = {"making": asdict(making), "weights": weights, "count": options.count, "rows": [], "not told": []}
    takes_notes = read_facts(options.model).takes_notes
    with worker_pool(options.workers) as pool:
        run = Run(pool, making, folder, options.folder / f"composed-{rate}", rate, options.count)
        if options.probes_only:
            for name in PROBE_CLIPS:
                learnt(run, name)
            return
        for name in options.only:
            if name in TOLD_NOTES and not takes_notes:
                report["not told"].append(name)
            else:
                report["rows"] += MEASURES[name](run)
            save_json(folder / "knows.json", report)
            with written_whole(folder / "knows.md") as temporary:
                temporary.write_text(markdown(report), encoding="utf-8")
    print(markdown(report), end="")


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        sys.exit(f"error: {error}")
