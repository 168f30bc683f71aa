"""How clips sound beside others: distances between sets of their embeddings, and what tags and words say."""

import numpy as np

from mustango.evaluate.clips import REFERENCE
from mustango.evaluate.scores import shuffled_onto
from mustango.evaluate.setup import COLUMNS
from mustango.hear.embeddings import frechet_distance, kernel_distance, tag_divergence
from mustango.hear.metrics import Mean, bootstrap


def set_distance(distance, clips, reference, seed=0, draws=40):
    """Return the Mean of `distance` between the frames of two lists of clips, with an interval by halves.

    The spread of the distance over random halves of both lists (drawn without replacement, so that no clip counts
    twice) estimates the standard error of the whole.
    """
    value = distance(np.concatenate(clips), np.concatenate(reference))
    rng, halves = np.random.default_rng([seed, 4]), []
    if min(len(clips), len(reference)) >= 4:
        for _ in range(draws):
            x, y = ([c[i] for i in rng.permutation(len(c))[: len(c) // 2]] for c in (clips, reference))
            halves.append(distance(np.concatenate(x), np.concatenate(y)))
    error = 1.96 * float(np.std(halves)) if halves else float("nan")
    return Mean(value, value - error, value + error, len(clips))


def halves(real, ids):
    """Split the clips that have audio of their own: ({id: embedding} of the reference, ids of the half that is judged).

    FAD depends on the size of sets, and a clip is not to be compared with its own original.
    """
    ids = [id_ for id_ in ids if id_ in real]
    return {id_: real[id_] for id_ in ids[1::2]}, ids[::2]


def sound_rows(embedded, cases, name, embedder_, seed=0):
    """Return rows as `tabulate`'s for FAD, KAD, KL and, where the embedder knows words, the CLAP score."""
    real = embedded.get("real", {})
    columns = {c: embedded[c] for c in COLUMNS if embedded.get(c)}
    held_out, judged = embedded.get(REFERENCE, {}), columns
    if not held_out:
        held_out, ids = halves(real, [case.id for case in cases])
        judged = {c: {id_: clips[id_] for id_ in ids if id_ in clips} for c, clips in columns.items()}
    reference = [frames for frames, _ in held_out.values()]
    rows = []
    for metric, distance in (("FAD", frechet_distance), ("KAD", kernel_distance)):
        row = {"metric": metric, "judge": name, "columns": {}, "shares": {}}
        for column, clips in judged.items():
            frames = [f for f, _ in clips.values()]
            if sum(map(len, frames)) > 1 and sum(map(len, reference)) > 1:
                row["columns"][column] = set_distance(distance, frames, reference, seed)
        if row["columns"]:
            rows.append(row)
    others = shuffled_onto(cases, seed)
    divergence = {}
    for column in ("model", "round trip", "shuffled", "dropped"):
        clips = embedded.get("model" if column == "shuffled" else column, {})
        pairs = {n: others[n].id if column == "shuffled" and others else n for n in clips}
        if column == "shuffled" and not others:
            continue
        values = {n: tag_divergence(clips[n][1], real[o][1]) for n, o in pairs.items() if o in real and len(clips[n][1])}
        if values:
            divergence[column] = bootstrap(list(values.values()), seed=seed)
    if divergence:
        rows.append({"metric": "KL", "judge": name, "columns": divergence, "shares": {}})
    if hasattr(embedder_, "words"):
        words = {case.id: embedder_.words(case.prompt) for case in cases if case.prompt}
        scores = {}
        for column, clips in columns.items():
            for id_, (frames, _) in clips.items():
                if id_ in words:
                    scores.setdefault(column, []).append(float(frames.mean(axis=0) @ words[id_]))
                    if column == "model" and others and others[id_].id in words:
                        scores.setdefault("shuffled", []).append(float(frames.mean(axis=0) @ words[others[id_].id]))
        columns = {c: bootstrap(scores[c], seed=seed) for c in COLUMNS if c in scores}
        rows.append({"metric": "CLAP score", "judge": name, "columns": columns, "shares": {}})
    return rows
