"""JAMS files (JSON Annotated Music Specification, Humphrey et al. 2014): labels of a song read from one, rows written as such.

The format is plain JSON, so that nothing need be installed; the library `jams` reads and checks what is written here.
"""

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from musicbench import InputError, __version__
from musicbench.build.dataset import with_values
from musicbench.build.given_labels import GivenLabels
from musicbench.build.label_columns import (
    Fault,
    Unusable,
    check_times,
    chord_of,
    key_of,
    meter_of,
    numbered,
    spans_of,
)
from musicbench.build.stretches import Stretch, columns_of, seconds, stretches
from musicbench.build.texts import is_missing
from musicbench.files import make_folder, printable, save_json
from musicbench.music.annotation import Annotation, spans
from musicbench.music.tempo import parse_tempo

JAMS_VERSION = "0.3.5"  # of the schema
KINDS = {"beat_position": "beats", "beat": "beats", "chord_harte": "chords", "chord": "chords", "key_mode": "key", "tempo": "tempo"}
MODES = {"ionian", "dorian", "phrygian", "lydian", "mixolydian", "aeolian", "locrian"}
FACTS = {"title": "title", "artist": "artist", "release": "album"}  # of file_metadata
MOST_BYTES = 1 << 26


class ReadJams(NamedTuple):
    """What a JAMS file says: labels, what is no label, what cannot be used."""

    labels: GivenLabels
    metadata: dict[str, str]
    faults: list[Fault]


def read_jams(path: Path | str) -> ReadJams:
    """Read a JAMS file: of annotations of one kind the first that can be used. Raises OSError and ValueError."""
    if Path(path).stat().st_size > MOST_BYTES:
        raise ValueError(f"it holds more than {MOST_BYTES >> 20} MiB")
    try:
        read = json.loads(Path(path).read_bytes())
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    annotations = read.get("annotations") if isinstance(read, dict) else None
    if not isinstance(annotations, list):
        raise ValueError("it holds no list of annotations")
    labels, faults = GivenLabels(), []
    order = list(KINDS)
    known = [each for each in annotations if isinstance(each, dict) and each.get("namespace") in KINDS]
    for annotation in sorted(known, key=lambda each: order.index(each["namespace"])):
        try:
            labels = labels.or_else(_labels_of(annotation))
        except Unusable as error:
            faults.append(Fault(KINDS[annotation["namespace"]], annotation["namespace"], "", str(error)))
    facts = read.get("file_metadata")
    said = {ours: facts[name] for name, ours in FACTS.items() if facts.get(name)} if isinstance(facts, dict) else {}
    return ReadJams(labels, said, [fault for fault in faults if not getattr(labels, fault.kind)])


def _labels_of(annotation):
    """Return the labels of an annotation. Raises Unusable."""
    data = columns_of(annotation.get("data"))
    if not data:
        return GivenLabels()
    said = stretches(data, ("value",)) if isinstance(data, list) else None
    if annotation["namespace"] == "beat" and said is None and isinstance(data, list):  # beats may have no value
        times = [seconds(each.get("time")) for each in data if isinstance(each, dict)]
        known = [Stretch(time, None, None) for time in times if time is not None]
        said = known if len(known) == len(data) else None
    if said is None:
        raise Unusable("its data have no times and values")
    return {"beats": _beats, "chords": _chords, "key": _keys, "tempo": _tempi}[KINDS[annotation["namespace"]]](said, data)


def _beats(said, data):
    said = sorted(said, key=lambda each: each.start_s)
    times, values = [each.start_s for each in said], [each.said for each in said]
    check_times(times)
    if not all(isinstance(value, dict) for value in values):
        return GivenLabels(beats=numbered(times, values))
    meters = [(time, meter_of(value.get("num_beats"), value.get("beat_units"))) for time, value in zip(times, values, strict=True)]
    told = meters if all(meter for _, meter in meters) else []
    changes = tuple(each for i, each in enumerate(told) if i == 0 or each[1] != told[i - 1][1])
    return GivenLabels(beats=numbered(times, [value.get("position") for value in values]), meter=changes)


def _chords(said, data):
    return GivenLabels(chords=spans_of((start_s, end_s, chord_of(symbol)) for start_s, end_s, symbol in said))


def _keys(said, data):
    named = [each for each in said if not is_missing(each.said) and str(each.said) != "N"]
    return GivenLabels(key=spans_of((start_s, end_s or None, key_of(_key_text(value))) for start_s, end_s, value in named))


def _key_text(value):
    tonic, _, mode = str(value).partition(":")
    return f"{tonic} {mode or 'major'}"


def _tempi(said, data):
    """Return tempi, of several at once the surest."""
    best: dict[float, tuple[float, float]] = {}
    for each, entry in zip(said, data, strict=True):
        sure = seconds(entry.get("confidence")) or 0.0
        try:
            bpm = parse_tempo(each.said)
        except ValueError:
            raise Unusable(f"{str(each.said)[:20]} is no tempo of 20-300 bpm") from None
        if sure > best.get(each.start_s, (-1.0, 0.0))[0]:
            best[each.start_s] = sure, bpm
    return GivenLabels(tempo=tuple((time, bpm) for time, (_, bpm) in sorted(best.items())))


# ---------------------------------------------------------------------------------------------------- rows -> JAMS


def jams_of(row: Mapping[str, Any]) -> dict:
    """Return a row, as rows.jsonl has it or as published, as a JAMS object. Raises ValueError and the like for labels that cannot be read."""
    row = with_values(dict(row))
    labels, lasts_s = Annotation.of_row(row), float(row.get("duration") or row.get("clip_s") or 10.0)
    sure, sources = row.get("confidence") or {}, row.get("label_sources") or {}
    metadata = row.get("metadata") or {}
    told = {name: str(metadata.get(ours, "")) for name, ours in FACTS.items()}
    annotations = [
        _annotation(namespace, kind, list(data), lasts_s, sources.get(kind, ""))
        for kind, namespace, data in (
            ("beats", "beat_position" if labels.meter else "beat", _beat_data(labels, sure.get("beats"))),
            ("chords", "chord_harte", _chord_data(labels, lasts_s, sure.get("chords"))),
            ("key", "key_mode", [(0.0, lasts_s, f"{labels.key.tonic}:{labels.key.mode}", sure.get("key"))] if labels.key else []),
            ("tempo", "tempo", [(0.0, lasts_s, labels.bpm, sure.get("tempo", 1.0))] if labels.bpm else []),
        )
    ]
    identifiers = {name: str(row[name]) for name in ("id", "source", "source_sha256") if row.get(name)}
    ours = ("location", "main_caption", "alt_caption", "transforms", "clip_start", "metadata")
    return {
        "annotations": [annotation for annotation in annotations if annotation["data"]],
        "file_metadata": {**told, "duration": lasts_s, "identifiers": identifiers, "jams_version": JAMS_VERSION},
        "sandbox": {name: row[name] for name in ours if name in row},
    }


def _annotation(namespace, kind, data, lasts_s, source):
    names = ("time", "duration", "value", "confidence")
    about = dict.fromkeys(("version", "corpus", "annotation_rules", "validation"), "")
    about |= {"annotation_tools": f"musicbench {__version__}", "data_source": source or "", "annotator": {}}
    return {
        "namespace": namespace,
        "data": [dict(zip(names, entry, strict=True)) for entry in data],
        "annotation_metadata": {**about, "curator": {"name": "", "email": ""}},
        "sandbox": {"label": kind},
        "time": 0,
        "duration": lasts_s,
    }


def _beat_data(labels, sure) -> Iterator[tuple]:
    measure = 0
    for i, (time, position) in enumerate(zip(labels.beat_times, labels.beat_positions, strict=True)):
        measure += position == 1 and i > 0
        value = {"position": position, "measure": measure, "num_beats": labels.meter.beats, "beat_units": labels.meter.unit}
        yield time, 0.0, value, sure


def _chord_data(labels, lasts_s, sure) -> Iterator[tuple]:
    for (start_s, end_s), chord in zip(spans(labels.chord_times, lasts_s), labels.chords, strict=True):
        yield start_s, round(max(end_s - start_s, 0.0), 6), chord.harte(labels.key), sure


def write_jams(rows: Iterable[dict], folder: Path | str) -> int:
    """Write a JAMS file of each row, <id>.jams in up to 256 folders; returns how many. Raises InputError for labels that
    cannot be read."""
    count = 0
    for row in rows:
        name = Path(str(row.get("id") or row.get("location") or count)).name
        name = name if row.get("id") else Path(name).stem
        try:
            content = jams_of(row)
        except (TypeError, ValueError, AttributeError, KeyError, OverflowError) as error:
            raise InputError(f"the labels of {printable(name)} cannot be read ({error}); mend or delete its row") from None
        place = Path(folder) / f"{zlib.crc32(name.encode()) % 256:02x}"
        make_folder(place)
        save_json(place / f"{name}.jams", content)
        count += 1
    return count
