"""One evaluation: clips of a test set in columns, what the judges hear in them, and the tables of scores. Resumable.

The columns: `model` (or a folder of anyone's audio); `real`, the set's own audio, the ceiling of what the judges can
hear; `round trip`, that audio through the model's VAE and vocoder; `shuffled`, the model's audio against another clip's
labels, the floor; `dropped`, the model without the controls. An evaluation's folder holds setup.json, targets.jsonl,
audio/COLUMN/ID.flac, heard/COLUMN/ID.json and ID.EMBEDDING.npz, and the reports.
"""

import hashlib
import json
import os
import time
from dataclasses import asdict, replace
from pathlib import Path

from threadpoolctl import threadpool_limits

from musicbench import InputError, __version__
from musicbench.files import make_folder, save_json, written_whole
from mustango.evaluate.clips import check_sources, given_audio, made_clips, real_clips, worker_pool
from mustango.evaluate.hearing import hear_all, load_embeddings
from mustango.evaluate.scores import score_clips, tabulate
from mustango.evaluate.setup import embedder
from mustango.evaluate.sound import sound_rows
from mustango.evaluate.testsets import load_cases
from mustango.hear.judges import JUDGES
from mustango.release.files import check_regular, read_json
from mustango.release.folder import model_folder

SAME = ("set", "model", "audio", "steps", "guidance", "takes", "given", "real")  # what a folder's audio depends on


def evaluate(setup, folder, workers=None):
    """Run an evaluation in `folder`, going on with what is there, and return the report as a dict.

    Raises InputError.
    """
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


def _plain(mean):
    """Return a Mean as a dict for JSON, which knows no NaN: None where there is no number."""
    return {name: None if value != value else value for name, value in asdict(mean).items()}


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


def _processor_seconds():
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


# ---------------------------------------------------------------------------------------------------- its folder


def _open(folder, setup, cases):
    """Make the evaluation's folder, or check that it holds this evaluation. Raises InputError."""
    about = {name: getattr(setup, name) for name in SAME} | {"version": __version__}
    about["weights"] = None if setup.audio else fingerprint(setup.model)
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
        check_regular(path)
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        if not all(isinstance(row, dict) and isinstance(row.get("id"), str) for row in rows):
            raise ValueError("a line of it is no target with an id")
        return rows
    except InputError:
        raise
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"cannot read {path} ({error}); run mustango evaluate -o {folder} again") from None


def fingerprint(model):
    """Return a digest of a model's weights and configs."""
    digest = hashlib.sha256()
    for path in sorted(model_folder(model).rglob("*")):
        if path.suffix in (".safetensors", ".bin", ".ckpt", ".json") and not path.is_dir():
            check_regular(path)
            with path.open("rb") as file:
                while some := file.read(1 << 20):
                    digest.update(some)
    return digest.hexdigest()[:16]
