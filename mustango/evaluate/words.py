"""Do words work? What a prompt says, measured in the sound, beside the same measure on the composer's own audio.

    instrument, drums    a probe trained on composed audio alone names the asked one
    moods                of two takes that differ in one word, the right one is louder, busier or brighter
    contradictions       a tempo or chords that were given win over the prompt's
    silences             nothing but drums sounds in bars without a chord, and where the prompt asks for drums alone
    repetition           no two seeds of one prompt sound alike

Composed clips are drawn by seed; those that the probe learns from are of other seeds than those it is asked about.
"""

from collections import defaultdict
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from musicbench import InputError
from musicbench.compose.compose import find_soundfont, render
from musicbench.files import make_folder, save_json, written_whole
from musicbench.hearing.by_madmom import hear, madmom
from musicbench.sound.audio import load_audio, save_audio
from mustango import GUIDANCE, STEPS
from mustango.evaluate.clips import generate_clip, make_clips, results, round_trip_clip, sample_rate_of, worker_pool
from mustango.evaluate.probe import Probe, measures, musicnn, timbre, tone
from mustango.evaluate.run import fingerprint
from mustango.evaluate.testsets import DURATION_S
from mustango.evaluate.word_cases import (
    PAIRS,
    WordCases,
    control_wins,
    drums_asked,
    instrument_cases,
    only_drums_heard,
)
from mustango.hear.metrics import bootstrap
from mustango.release.files import read_json
from mustango.release.folder import BUNDLED
from mustango.request.model_facts import read_facts

PROBE_CLIPS = 1500
REPEATED = "upbeat acoustic guitar pop with drums"
BEATS_A_BAR = (3, 4)


@dataclass(frozen=True)
class WordsSetup:
    """How many clips are made, with which model, and how.

    count: clips for the instruments; an eighth of it for each pair of moods, for breaks and for drums alone, a quarter
    for contradictions and for repetition.
    """

    count: int = 200
    seed: int = 7
    model: str = BUNDLED
    device: str = "cpu"
    steps: int = STEPS
    guidance: float = GUIDANCE
    takes: int = 1


def evaluate_words(setup, folder, workers):
    """Run the evaluation in `folder`, going on with what is there.

    Returns the report, and writes words.json and words.md. Raises InputError.
    """
    if setup.count < 8:
        raise InputError(f"{setup.count} clips of words are too few; give 8 or more")
    find_soundfont()
    read_facts(setup.model)
    musicnn()
    madmom(BEATS_A_BAR)
    folder = Path(folder)
    about = _open(folder, setup)
    cases = WordCases.drawn(setup.seed, setup.count)
    pieces, seeds = cases.pieces, range(setup.count // 4)
    rate, problems = sample_rate_of(setup.model), []
    asked = {id_: (generate_clip, setup, c.prompt, c.controls, DURATION_S, c.seed) for id_, (c, _) in pieces.items()}
    again = {f"seed-{seed:03d}": (generate_clip, setup, REPEATED, {}, DURATION_S, seed) for seed in seeds}
    with worker_pool(workers if setup.device == "cpu" else 1) as pool:
        probe = train_probe(pool, setup.seed + 1, folder / "probe.npz", rate)
        composed = {id_: (render_clip, piece, rate) for id_, (_, piece) in pieces.items()}
        clips = {
            "composed": make_clips(pool, "composed", folder / "composed", composed, problems),
            "model": make_clips(pool, "model", folder / "model", asked | again, problems),
        }
        if problems:
            raise InputError(f"clip {problems[0]['id']} was {problems[0]['what']}")
        repeated = {id_: clips["model"][id_] for id_ in again}
        trips = {id_: (round_trip_clip, setup, path) for id_, path in repeated.items()}
        alike = make_clips(pool, "round trip", folder / "round-trip", trips, problems)
        found = {
            column: {kind: _listen(pool, kind, {id_: paths[id_] for id_ in ids}) for kind, ids in cases.kinds.items()}
            for column, paths in clips.items()
        }
        takes, trips = (np.array(list(_listen(pool, "embedded", paths).values())) for paths in (repeated, alike))

    scores = {column: _scores(probe, cases, heard) for column, heard in found.items()}
    rows = [{"what": what, **{column: asdict(bootstrap(scores[column][what])) for column in scores}} for what in scores["composed"]]
    report = {"setup": about, "rows": rows, "repetition": repetition(takes, trips)}
    save_json(folder / "words.json", report)
    with written_whole(folder / "words.md") as temporary:
        temporary.write_text(words_markdown(report), encoding="utf-8")
    return report


def _open(folder, setup):
    """Make the evaluation's folder, or check that it holds this one; returns what it is. Raises InputError."""
    about = {name: value for name, value in asdict(setup).items() if name != "device"}
    about |= {"weights": fingerprint(setup.model)}
    make_folder(folder)
    kept = folder / "setup.json"
    if kept.is_file() and read_json(kept) != about:
        raise InputError(f"{folder} holds another evaluation; choose another folder")
    save_json(kept, about)
    return about


def _scores(probe, cases, heard):
    """Return {what was asked: [0.0 or 1.0 of each clip or pair]} of one column; heard: {kind: {id: what was heard}}."""
    scores = defaultdict(list)
    for case, piece in cases.instruments:
        for what, right in probe.right(heard["timbre"][case.id], piece.comping, drums_asked(case.prompt)).items():
            scores[what].append(right)
    for moods, (less, _), (more, _) in cases.pairs:
        measure = PAIRS[moods][2]
        right = heard["measures"][more.id][measure] > heard["measures"][less.id][measure]
        scores[f"{' / '.join(moods)}: {measure}"].append(float(right))
    for case, piece, what, said in cases.contradictions:
        right = control_wins(case, piece, what, said, heard["heard"][case.id])
        scores[f"given {what} win over the prompt's"].append(right)
    for case, piece, what in cases.silences:
        scores[f"{what}: nothing but drums"].append(only_drums_heard(piece, heard["tone"][case.id]))
    return scores


def repetition(takes, trips):
    """Say how far apart takes (N, D) of one prompt lie: cosine distances of their embeddings.

    `alike` counts the pairs that lie closer than a take and its own round trip (N, D), which the ear takes for the
    same.
    """
    takes, trips = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (takes, trips))
    between = (1 - takes @ takes.T)[np.triu_indices(len(takes), 1)]
    own = 1 - (takes * trips).sum(axis=1)
    return {
        "takes": len(takes),
        "closest": float(between.min()),
        "median": float(np.median(between)),
        "own round trip": float(np.median(own)),
        "alike": int((between < np.median(own)).sum()),
    }


def interval_text(measured):
    """Return a mean with its interval and count, as `bootstrap` gives them, as a table's cell."""
    return f"{measured['value']:.3f} [{measured['low']:.3f}, {measured['high']:.3f}] N={measured['n']}"


def words_markdown(report):
    """Return the report as a Markdown table."""
    setup, apart = report["setup"], report["repetition"]
    lines = [
        f"Words: model {setup['model']} (weights {setup['weights']}), {setup['steps']} steps, guidance "
        f"{setup['guidance']:g}, seed {setup['seed']}. Shares of clips or pairs, with 95 % intervals; "
        "composed: the same measure on the composer's audio.",
        "",
        "| what | model | composed | model / composed |",
        "|---|---|---|---|",
    ]
    for row in report["rows"]:
        cells = [interval_text(row[column]) for column in ("model", "composed")]
        ratio = f"{100 * row['model']['value'] / row['composed']['value']:.1f} %" if row["composed"]["value"] else "-"
        lines.append(f"| {row['what']} | {' | '.join(cells)} | {ratio} |")
    lines += [
        "",
        f'Repetition, {apart["takes"]} seeds of "{REPEATED}", cosine distance of MusiCNN embeddings: closest pair '
        f"{apart['closest']:.4f}, median {apart['median']:.4f}; a take and its own round trip "
        f"{apart['own round trip']:.4f}; pairs closer than that: {apart['alike']}.",
    ]
    return "\n".join(lines) + "\n"


# ---------------------------------------------------------------------------------------------------- the clips


def render_clip(piece, sample_rate, path):
    """Write the composer's audio of a piece."""
    save_audio(path, render(piece, DURATION_S, sample_rate).samples, sample_rate)


def _known(piece, sample_rate):
    return timbre(render(piece, DURATION_S, sample_rate).samples, sample_rate)


def _listened(kind, path):
    samples, rate = load_audio(path)
    if kind == "heard":
        return hear(samples, rate, BEATS_A_BAR)
    if kind == "embedded":
        return musicnn()(samples, rate)[0].mean(axis=0)
    return {"timbre": timbre, "measures": measures, "tone": tone}[kind](samples, rate)


def _listen(pool, kind, paths):
    jobs = {id_: pool.submit(_listened, kind, path) for id_, path in paths.items()}
    return results(kind, jobs)


def train_probe(pool, seed, path, sample_rate):
    """Return the Probe trained on composed clips of a seed; what it learns from is kept in `path` (.npz)."""
    if not path.is_file():
        cases = instrument_cases(seed, PROBE_CLIPS)
        jobs = {case.id: pool.submit(_known, piece, sample_rate) for case, piece in cases}
        features = list(results("probe", jobs).values())
        labels = {"instruments": [p.comping for _, p in cases], "drums": [p.groove != "none" for _, p in cases]}
        with written_whole(path) as temporary, temporary.open("wb") as file:
            np.savez(file, features=features, **labels)
    with np.load(path) as known:
        return Probe(known["features"], known["instruments"], known["drums"])
