"""One evaluation: clips of a test set in columns, what the judges hear in them, and the tables of scores. Resumable.

The columns: `model` (or a folder of anyone's audio); `real`, the set's own audio, the ceiling of what the judges can hear; `round
trip`, that audio through the model's VAE and vocoder; `shuffled`, the model's audio against another clip's labels, the floor;
`dropped`, the model without the controls. An evaluation's folder holds setup.json, targets.jsonl, audio/COLUMN/ID.flac,
heard/COLUMN/ID.json and ID.EMBEDDING.npz, and the reports.
"""

import hashlib
import json
import os
import time
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from musicbench import InputError, __version__
from musicbench.files import make_folder, save_json, written_whole
from musicbench.music.theory import Chord, Key
from musicbench.sound.audio import load_audio
from musicbench.sound.features import Heard
from musicbench.sound.opening import file_sha256
from mustango.evaluate.clips import REFERENCE, check_sources, given_audio, made_clips, real_clips, results, worker_pool
from mustango.evaluate.testsets import load_cases
from mustango.hear.embeddings import frechet_distance, kernel_distance, load_embedder, tag_divergence
from mustango.hear.judges import DEFAULT_JUDGES, JUDGES, is_silent, load_judge
from mustango.hear.metrics import METRICS, Mean, bootstrap, clip_scores
from mustango.release.checkpoint import BUNDLED, model_folder, read_json

COLUMNS = ("model", "real", "round trip", "shuffled", "dropped")


@dataclass(frozen=True)
class Setup:
    """What an evaluation is. `audio`: a folder that stands in for the model. `given`: whether the model gets the controls.

    takes: how many the model makes of each clip; the one is judged in which madmom hears most of what was asked.
    """

    set: str
    model: str = BUNDLED
    audio: str | None = None
    real: str | None = None  # folder of a file set's own audio, if it does not lie beside the file
    steps: int = 20
    guidance: float = 3.0
    takes: int = 1
    device: str = "cpu"
    given: bool = True
    limit: int | None = None
    seed: int = 0  # of the shuffling and the intervals
    dropped: int = 30  # clips of the column without controls
    columns: tuple = COLUMNS
    judges: tuple = ()  # () takes the default ones that are installed
    embedding: str = "musicnn"

    def check(self):
        """Return (the setup with the columns and judges that can be used, [why others cannot]). Raises InputError."""
        unknown = set(self.columns) - set(COLUMNS)
        if unknown:
            raise InputError(f"unknown column {min(unknown)!r}; choose from {', '.join(COLUMNS)}")
        columns = tuple(c for c in COLUMNS if c in self.columns and not (self.audio and c in ("round trip", "dropped")))
        alone = {("shuffled",): "the model's audio against other labels; write --columns model,shuffled"}
        if not self.given:
            alone |= {("dropped",): "the model without controls, as all is made with --words-only; leave one of the two out"}
        if not self.audio and columns in alone:
            raise InputError(f"column {columns[0]} alone shows nothing: it is {alone[columns]}")
        for option in ("audio", "real"):
            if getattr(self, option) and not Path(getattr(self, option)).is_dir():
                raise InputError(f"no folder {getattr(self, option)}; --{option} takes a folder with an audio file for each clip")
        judges, missing = [], []
        for name in self.judges or DEFAULT_JUDGES:
            try:
                load_judge(name)
                judges.append(name)
            except InputError as error:
                if self.judges:
                    raise
                missing.append(f"{name}: {error}")
        if self.embedding != "none":
            embedder(self.embedding)
        return replace(self, columns=columns, judges=tuple(judges)), missing


embedder = cache(load_embedder)


# ---------------------------------------------------------------------------------------------------- hearing


def to_json(heard):
    return {
        "beats": [list(heard.beat_times), list(heard.beat_positions)],
        "bpm": heard.bpm,
        "chords": [c.harte() for c in heard.chords],
        "chords_time": list(heard.chord_times),
        "key": [heard.key.tonic, heard.key.mode] if heard.key else None,
    }


def from_json(row):
    return Heard(
        beat_times=tuple(row["beats"][0]), beat_positions=tuple(row["beats"][1]), bpm=row["bpm"],
        chords=tuple(map(Chord.parse, row["chords"])), chord_times=tuple(row["chords_time"]),
        key=Key(*row["key"]) if row["key"] else None,
    )  # fmt: skip


def hear_clip(path, saved, judges, embedding):
    """Let judges and embedder hear a file; what `saved` (JSON, with an .npz beside it) holds of the same file is kept.

    Returns the record: sha256, sample_rate, duration, silent, heard by judge, embedded; `fault` where it cannot be read.
    """
    try:
        digest = file_sha256(path)
    except InputError as error:
        return _faulty({"heard": {}, "embedded": []}, error, saved, embedding)
    record = read_json(saved) if saved.is_file() else {}
    if record.get("sha256") != digest:
        record = {"sha256": digest, "heard": {}, "embedded": []}
    todo = [name for name in judges if name not in record["heard"]]
    embed = embedding != "none" and not (embedding in record["embedded"] and _embedded_file(saved, embedding).is_file())
    if "silent" in record and not todo and not embed:
        return record
    try:
        samples, rate = load_audio(path)
        if not len(samples) or not np.isfinite(samples).all():
            raise InputError("no samples" if not len(samples) else "holds numbers that are not finite")
    except InputError as error:
        return _faulty(record, error, saved, embedding)
    record |= {"sample_rate": rate, "duration": len(samples) / rate, "silent": bool(is_silent(samples, rate))}
    for name in todo:
        judge = load_judge(name)
        try:
            record["heard"][name] = to_json(Heard() if record["silent"] else judge(samples, rate))
        except InputError:
            raise
        except Exception as error:  # a clip that no program foresaw does not stop the others
            return _faulty(record, f"{name} cannot hear it ({type(error).__name__}: {error})", saved, embedding)
    saved.parent.mkdir(parents=True, exist_ok=True)
    if embed:
        frames, tags = embedder(embedding)(samples, rate)
        with written_whole(_embedded_file(saved, embedding)) as temporary, temporary.open("wb") as file:
            np.savez(file, frames=frames, tags=np.zeros(0) if tags is None else tags.mean(axis=0))
        record["embedded"] = list(dict.fromkeys([*record["embedded"], embedding]))
    save_json(saved, record)
    return record


def _faulty(record, reason, saved, embedding):
    """Return a record with a fault; what is saved of the file that was here before is deleted."""
    for left in (saved, _embedded_file(saved, embedding)):
        left.unlink(missing_ok=True)
    return record | {"fault": str(reason)}


def _embedded_file(saved, embedding):
    name, _, weights = embedding.partition("=")
    which = f"-{hashlib.sha256(weights.encode()).hexdigest()[:8]}" if weights else ""
    return saved.with_name(f"{saved.name.removesuffix('.json')}.{name}{which}.npz")


def hear_all(clips, folder, setup, workers):
    """Hear all clips {column: {id: path}} in parallel; returns {column: {id: record}}. Held-out clips are only embedded."""
    jobs = {}
    ids = dict.fromkeys(id_ for paths in clips.values() for id_ in paths)
    with worker_pool(workers) as pool:
        for id_ in ids:  # clip by clip, so that what a stopped run has heard makes a smaller set (--limit)
            for column in (c for c, paths in clips.items() if id_ in paths):
                saved = folder / "heard" / column.replace(" ", "-") / f"{id_}.json"
                judges = () if column == REFERENCE else setup.judges
                jobs[column, id_] = pool.submit(hear_clip, clips[column][id_], saved, judges, setup.embedding)
        heard = results("hearing", jobs)
    return {column: {id_: heard[column, id_] for id_ in paths} for column, paths in clips.items()}


# ---------------------------------------------------------------------------------------------------- scores


def shuffled_onto(cases, seed):
    """Return {id: another case}: one cycle through all of them in an order drawn by seed; {} for a single case."""
    order = np.random.default_rng([seed, 3]).permutation(len(cases))
    ring = [cases[i] for i in order]
    return {case.id: other for case, other in zip(ring, ring[1:] + ring[:1], strict=True)} if len(cases) > 1 else {}


def score_clips(cases, records, judges, seed=0):
    """Return {column: {id: {judge: {metric: value}}}} of heard records; the column `shuffled` comes from `model`'s.

    A clip in which nothing was heard scores as such and is not left out; one that cannot be read is not among the records.
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


# ---------------------------------------------------------------------------------------------------- sound


def load_embeddings(clips, folder, embedding):
    """Return {column: {id: (frames (F, D), tags (K,) or empty)}} of those of {column: ids} that were embedded."""
    found = {}
    for column, ids in clips.items():
        saved = folder / "heard" / column.replace(" ", "-")
        files = {id_: _embedded_file(saved / f"{id_}.json", embedding) for id_ in ids}
        found[column] = {id_: (file["frames"], file["tags"]) for id_, file in _npz(files)}
    return found


def _npz(files):
    for id_, path in files.items():
        if path.is_file():
            with np.load(path) as file:
                yield id_, file


def set_distance(distance, clips, reference, seed=0, draws=40):
    """Return the Mean of `distance` between the frames of two lists of clips, with an interval by halves.

    The spread of the distance over random halves of both lists (drawn without replacement, so that no clip counts twice)
    estimates the standard error of the whole.
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
    """Split the clips that have audio of their own: ({id: embedding} of one half, the reference; ids of the other, which is judged).

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


# ---------------------------------------------------------------------------------------------------- the run

SAME = ("set", "model", "audio", "steps", "guidance", "takes", "given", "real")  # what a folder's audio depends on


def _open(folder, setup, cases):
    """Make the evaluation's folder, or check that it holds this evaluation. Raises InputError."""
    about = {name: getattr(setup, name) for name in SAME} | {"weights": None if setup.audio else fingerprint(setup.model)}
    make_folder(folder)
    path = folder / "setup.json"
    if path.is_file():
        before = read_json(path)
        if "real" not in before or not (folder / "audio" / "round-trip").is_dir():  # nothing depends on it yet
            before["real"] = about["real"]
        changed = next((name for name in about if before.get(name) != about[name]), None)
        if changed:
            raise InputError(
                f"{folder} holds another evaluation ({changed} {before.get(changed)}, now {about[changed]}); choose another folder"
            )
    before = {case["id"]: case for case in read_targets(folder)} if (folder / "targets.jsonl").is_file() else {}
    changed = [case.id for case in cases if before.get(case.id, case.row()) != case.row()]
    if changed and not setup.audio:
        raise InputError(f"{folder} holds clips of other targets ({changed[0]}); choose another folder")
    save_json(path, about)
    rows = before | {case.id: case.row() for case in cases}  # of a smaller set (--limit) the others' audio stays, too
    with written_whole(folder / "targets.jsonl") as temporary:
        temporary.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows.values()), encoding="utf-8")


def read_targets(folder):
    """Return the rows of an evaluation's targets.jsonl. Raises InputError."""
    path = Path(folder) / "targets.jsonl"
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {path} ({error}); run mustango evaluate -o {folder} again") from None


def fingerprint(model):
    """Return a digest of a model's weights and configs."""
    digest = hashlib.sha256()
    for path in sorted(model_folder(model).rglob("*")):
        if path.suffix in (".safetensors", ".bin", ".ckpt", ".json"):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def evaluate(setup, folder, workers=None):
    """Run an evaluation in `folder`, going on with what is there, and return the report as a dict. Raises InputError."""
    workers, folder = workers or os.cpu_count() or 1, Path(folder)
    cases = load_cases(setup.set, setup.given, setup.limit)
    setup, missing = setup.check()
    check_sources(setup)
    if setup.audio:  # the audio of others is judged by the labels as they stand
        cases = [replace(case, asked=case.labels) for case in cases]
    problems = [{"column": "set", "id": case.id, "what": note} for case in cases for note in case.notes]
    given = {"model": given_audio(cases, setup.audio, problems)} if setup.audio else {}
    _open(folder, setup, cases)
    clock = _Clock()
    with worker_pool(workers if setup.device == "cpu" else 1) as pool:
        clips = given | real_clips(pool, setup, cases, folder / "audio", given, problems)
        clock.took("composing")
        if not setup.audio:
            clips |= made_clips(pool, setup, cases, folder / "audio", clips, problems)
            clock.took("generating")
    records = hear_all(clips, folder, setup, workers)
    clock.took("hearing")
    _leave_out_short(records, cases, ("model", "real") if setup.audio else ("real",))
    problems += faults(records)
    records = {column: {id_: record for id_, record in clips.items() if "fault" not in record} for column, clips in records.items()}
    scores = score_clips(cases, records, setup.judges, setup.seed)
    rows, found = tabulate(scores, setup.judges, setup.seed), None
    if setup.embedding != "none":
        found = embedder(setup.embedding)
        embedded = load_embeddings(records, folder, setup.embedding)
        with threadpool_limits(1):  # many small matrices: more threads only wait for each other
            rows += sound_rows(embedded, cases, found.name, found, setup.seed)
    clock.took("scoring")
    used = [JUDGES[name] for name in setup.judges]
    report = {
        "setup": asdict(setup) | {"version": __version__, "weights": read_json(folder / "setup.json")["weights"]},
        "clips": len(cases),
        "judges": [{"name": judge.name, "licence": judge.licence, "hears": list(judge.hears)} for judge in used],
        "embedding": found and {"name": found.name, "licence": found.licence},
        "judges not used": missing,
        "seconds": clock.seconds | {"processor time": clock.processor_s},
        "machine": {"cores": os.cpu_count(), "workers": workers, "load": round(os.getloadavg()[0], 1)},
        "rows": [
            row | {part: {c: _plain(mean) for c, mean in row[part].items()} for part in ("columns", "shares")} for row in rows
        ],
        "problems": problems,
        "paths": {column: {name: str(path) for name, path in paths.items()} for column, paths in clips.items()},
        "scores": scores,
    }
    save_json(folder / "report.json", report)
    return report


class _Clock:
    """The seconds that each stage takes, and the processor time of all."""

    def __init__(self):
        self.seconds, self._started, self._spent = {}, time.monotonic(), _processor_seconds()

    def took(self, stage):
        self.seconds[stage] = round(time.monotonic() - self._started, 1)
        self._started = time.monotonic()

    @property
    def processor_s(self):
        return round(_processor_seconds() - self._spent, 1)


def _plain(mean):
    """Return a Mean as a dict for JSON, which knows no NaN: None where there is no number."""
    return {name: None if value != value else value for name, value in asdict(mean).items()}


def _processor_seconds():
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _leave_out_short(records, cases, columns):
    """Give records of clips that are no whole clip a fault; what a model makes may be as short as its longest."""
    for case in cases:
        for column in columns:
            record = records.get(column, {}).get(case.id, {})
            if record.get("duration", case.least_s) < case.least_s:
                record["fault"] = f"lasts {record['duration']:.3g} of {case.labels.duration_s:g} s"


def faults(records):
    """Return what is wrong with heard clips: unreadable, too short, silent, of another sample rate than most."""
    problems = []
    for column, clips in records.items():
        rates = [record["sample_rate"] for record in clips.values() if "sample_rate" in record]
        usual = max(set(rates), key=rates.count) if rates else None
        for name, record in clips.items():
            said = []
            if "fault" in record:
                said.append(f"left out: {record['fault']}")
            elif record["silent"]:
                said.append("silent; counted as nothing heard")
            elif record["sample_rate"] != usual:
                said.append(f"sample rate {record['sample_rate']} Hz, most have {usual} Hz")
            problems += [{"column": column, "id": name, "what": what} for what in said]
    return problems


# ---------------------------------------------------------------------------------------------------- two evaluations


def compare(first, second, seed=0):
    """Return rows {metric, judge, a, b, difference: Mean} of two evaluations' model columns, paired clip by clip.

    The interval is the bootstrap's over clips of b - a. FAD and KAD are measured as in the reports, on the clips that both have;
    their interval comes from random halves, the same for both. Raises InputError when the sets differ.
    """
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
