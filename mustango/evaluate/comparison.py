"""Two evaluations of one set, paired clip by clip."""

from pathlib import Path

import numpy as np

from musicbench import InputError
from musicbench.model_folders import reason
from mustango.evaluate.clips import REFERENCE
from mustango.evaluate.hearing import load_embeddings
from mustango.evaluate.run import read_targets
from mustango.evaluate.sound import halves
from mustango.hear.embeddings import frechet_distance, kernel_distance
from mustango.hear.judges import JUDGES
from mustango.hear.metrics import METRICS, Mean, bootstrap
from mustango.release.files import read_json


def compare(first, second, seed=0):
    """Return rows {metric, judge, a, b, difference: Mean} of two evaluations' model columns, paired clip by clip.

    The interval is the bootstrap's over clips of b - a. FAD and KAD are measured as in the reports, on the clips that
    both have; their interval comes from random halves, the same for both. Raises InputError when the sets differ.
    """
    try:
        return _compared(first, second, seed)
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{first} or {second} holds a report that cannot be read ({reason(error)}); evaluate anew") from error


def _compared(first, second, seed):
    folders = [Path(first), Path(second)]
    reports, targets = [], []
    for folder in folders:
        if not (folder / "report.json").is_file():
            raise InputError(f"no report.json in {folder}; run mustango evaluate -o {folder} first")
        reports.append(read_json(folder / "report.json"))
        targets.append({row["id"]: row for row in read_targets(folder)})
    rows, scores = [], [report["scores"].get("model", {}) for report in reports]
    shared = [name for name in targets[0] if name in scores[0] and targets[0][name] == targets[1].get(name)]
    if not shared:
        raise InputError(f"{first} and {second} hold no clip with the same targets; evaluate both on one set")
    judges = [j["name"] for j in reports[0]["judges"] if j in reports[1]["judges"]]
    keys = {JUDGES[key].name: key for key in reports[0]["setup"]["judges"] if key in JUDGES and JUDGES[key].name in judges}
    for metric in METRICS:
        for judge, key in keys.items():
            pairs = [
                [score[name][key][metric] for score in scores]
                for name in shared
                if all(metric in score.get(name, {}).get(key, {}) for score in scores)
            ]
            if pairs:
                a, b = np.array(pairs).T
                rows.append(
                    {
                        "metric": metric,
                        "judge": judge,
                        "a": float(a.mean()),
                        "b": float(b.mean()),
                        "difference": bootstrap(b - a, seed=seed),
                    }
                )
    return rows + _compare_sound(folders, reports, shared, seed)


def _compare_sound(folders, reports, shared, seed):
    embeddings = {report["setup"]["embedding"] for report in reports}
    if len(embeddings) > 1 or embeddings == {"none"}:
        return []
    embedding = embeddings.pop()
    embedded = [load_embeddings(r["paths"], folder, embedding) for r, folder in zip(reports, folders, strict=True)]
    models = [{id_: frames for id_, (frames, _) in found.get("model", {}).items()} for found in embedded]
    held_out, judged = embedded[0].get(REFERENCE, {}), shared
    if not held_out:
        held_out, judged = halves(embedded[0].get("real", {}), shared)
    reference = [frames for frames, _ in held_out.values()]
    both = [i for i in judged if all(i in model for model in models)]
    if not reference or len(both) < 4:
        return []
    rows, rng = [], np.random.default_rng([seed, 4])
    for metric, distance in (("FAD", frechet_distance), ("KAD", kernel_distance)):
        a, b = (distance(np.concatenate([m[i] for i in both]), np.concatenate(reference)) for m in models)
        differences = []
        for _ in range(40):
            ids = [both[i] for i in rng.permutation(len(both))[: len(both) // 2]]
            onto = np.concatenate([reference[i] for i in rng.permutation(len(reference))[: max(len(reference) // 2, 1)]])
            x, y = (distance(np.concatenate([m[i] for i in ids]), onto) for m in models)
            differences.append(y - x)
        error = 1.96 * float(np.std(differences))
        difference = Mean(b - a, b - a - error, b - a + error, len(both))
        rows.append({"metric": metric, "judge": reports[0]["embedding"]["name"], "a": a, "b": b, "difference": difference})
    return rows
