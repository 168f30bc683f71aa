"""What judges and embedders hear in an evaluation's clips, in parallel, kept in files beside them."""

import hashlib

import numpy as np

from musicbench import InputError
from musicbench.files import save_json, written_whole
from musicbench.hearing.heard import Heard
from musicbench.music.chords import Chord
from musicbench.music.keys import Key
from musicbench.sound.audio import load_audio
from musicbench.sound.opening import file_sha256
from mustango.evaluate.clips import MOST_S, REFERENCE, results, worker_pool
from mustango.evaluate.setup import embedder
from mustango.hear.judges import is_silent, load_judge
from mustango.release.files import read_json


def hear_all(clips, folder, setup, workers):
    """Hear all clips {column: {id: path}} in parallel; returns {column: {id: record}}.

    Held-out clips are only embedded.
    """
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


def hear_clip(path, saved, judges, embedding):
    """Let judges and embedder hear a file; what `saved` (JSON, with an .npz beside it) holds of the same file is kept.

    Returns the record: sha256, sample_rate, duration, silent, heard by judge, embedded; `fault` where it cannot be
    read.
    """
    try:
        digest = file_sha256(path)
    except InputError as error:
        return _faulty({"heard": {}, "embedded": []}, error, saved, embedding)
    record = read_json(saved) if saved.is_file() else {}
    kept = isinstance(record.get("heard"), dict) and isinstance(record.get("embedded"), list)
    if record.get("sha256") != digest or not kept:
        record = {"sha256": digest, "heard": {}, "embedded": []}
    todo = [name for name in judges if name not in record["heard"]]
    embed = embedding != "none" and not (embedding in record["embedded"] and _embedded_file(saved, embedding).is_file())
    if "silent" in record and not todo and not embed:
        return record
    try:
        samples, rate = load_audio(path, most_s=MOST_S)
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


# ---------------------------------------------------------------------------------------------------- embedded


def _embedded_file(saved, embedding):
    name, _, weights = embedding.partition("=")
    which = f"-{hashlib.sha256(weights.encode()).hexdigest()[:8]}" if weights else ""
    return saved.with_name(f"{saved.name.removesuffix('.json')}.{name}{which}.npz")


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
