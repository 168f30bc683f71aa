"""How well heard clips match what was asked: scores clip by clip, and their means with intervals."""

import numpy as np

from musicbench.hearing.heard import Heard
from mustango.evaluate.hearing import from_json
from mustango.evaluate.setup import COLUMNS
from mustango.hear.judges import JUDGES
from mustango.hear.metrics import METRICS, bootstrap, clip_scores


def shuffled_onto(cases, seed):
    """Return {id: another case}: one cycle through all of them in an order drawn by seed; {} for a single case."""
    order = np.random.default_rng([seed, 3]).permutation(len(cases))
    ring = [cases[i] for i in order]
    return {case.id: other for case, other in zip(ring, ring[1:] + ring[:1], strict=True)} if len(cases) > 1 else {}


def score_clips(cases, records, judges, seed=0):
    """Return {column: {id: {judge: {metric: value}}}} of heard records; the column `shuffled` comes from `model`'s.

    A clip in which nothing was heard scores as such and is not left out; one that cannot be read is not among the
    records.
    """
    others = shuffled_onto(cases, seed)
    scores = {}
    for column in ("model", "real", "round trip", "dropped"):
        scores[column] = {}
        for case in cases:
            if case.id not in records.get(column, {}):
                continue
            target = case.asked if column in ("model", "dropped") else case.labels
            heard = _heard(records[column][case.id], judges)
            scores[column][case.id] = {n: clip_scores(target, h, JUDGES[n].hears) for n, h in heard.items()}
            if column == "model" and others:
                shuffled = {n: clip_scores(others[case.id].asked, h, JUDGES[n].hears) for n, h in heard.items()}
                scores.setdefault("shuffled", {})[case.id] = shuffled
    return {column: scores[column] for column in COLUMNS if scores.get(column)}


def _heard(record, judges):
    return {name: from_json(record["heard"][name]) if name in record["heard"] else Heard() for name in judges}


def tabulate(scores, judges, seed=0):
    """Return rows {metric, judge, columns: {column: Mean}, shares: {"model / real", "round trip / real": Mean}}."""
    rows = []
    for metric in METRICS:
        for judge in judges:
            values = {
                column: {name: by_judge[judge][metric] for name, by_judge in clips.items() if metric in by_judge.get(judge, {})}
                for column, clips in scores.items()
            }
            values = {column: found for column, found in values.items() if found}
            if values:
                rows.append(_row(metric, JUDGES[judge].name, values, seed))
    return rows


def _row(metric, judge, values, seed):
    row = {
        "metric": metric,
        "judge": judge,
        "columns": {c: bootstrap(list(v.values()), seed=seed) for c, v in values.items()},
        "shares": {},
    }
    for column in ("model", "round trip"):
        both = [name for name in values.get(column, {}) if name in values.get("real", {})]
        if both and any(values["real"][name] for name in both):
            row["shares"][f"{column} / real"] = bootstrap(
                [values[column][n] for n in both], [values["real"][n] for n in both], seed=seed
            )
    return row
