"""Rows on disk: JSON Lines beside audio files, field for field as MusicBench publishes them."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from musicbench import InputError
from musicbench.build import captions
from musicbench.files import json_line
from musicbench.music.annotation import Annotation
from musicbench.sound.clip import Clip

ROWS = "rows.jsonl"
# Fields that differ in shape from row to row.
STRUCTURED = (
    "beats",
    "transforms",
    "not_heard",
    "versions",
    "tags",
    "melody",
    "hits",
    "parts",
    "sources",
    "confidence",
    "label_sources",
    "metadata",
)
# Null or empty in some rows, perhaps in all of a split.
NOT_ALWAYS_HEARD = ("bpm", "meter", "chords", "chords_time", "key", "keyprob")


def rows_file(folder: Path | str) -> Path:
    """Return the file with the rows of a dataset folder, or the file itself. Raises InputError where there is none."""
    path = Path(folder) / ROWS if Path(folder).is_dir() else Path(folder)
    if not path.is_file():
        raise InputError(
            f"no {ROWS} in {folder}; give a dataset, as `musicbench build SONGS DATASET` or `musicbench compose -o DATASET` writes it"
        )
    return path


def read_rows(folder: Path | str) -> list[dict]:
    """Return the rows of a dataset folder, or of a JSON Lines file such as the published MusicBench_train.json.

    A torn last line (a killed writer's) is left out. Raises InputError.
    """
    return list(each_row(folder))


def each_row(folder: Path | str) -> Iterator[dict]:
    """Yield what `read_rows` returns, row by row."""
    path = rows_file(folder)
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):  # not UTF-8 included, and what is nested without end
                if not line.endswith(b"\n"):
                    return
                raise InputError(f"{path} line {number} is not JSON; delete the line or make the dataset anew") from None
            if not isinstance(row, dict):
                raise InputError(f"{path} line {number} is no object of fields; delete the line or make the dataset anew")
            yield row


def metadata_line(row: dict) -> str:
    """Return a row as a line of the metadata.jsonl of its split's audiofolder (`as_text`)."""
    name = row["location"].split("/", 1)[1]
    return json_line({"file_name": name, **as_text(row)})


def row_clip(row: dict) -> Clip:
    """Return a soundless Clip with the labels of a row, ours or as published (`Annotation.of_row`).

    Raises InputError for labels that cannot be read.
    """
    row = with_values(row)
    try:
        labels = Annotation.of_row(row).by_name()
        caption, tags = row.get("own_caption") or row["main_caption"], row.get("tags") or {}
    except (TypeError, ValueError, AttributeError, KeyError, OverflowError) as error:
        raise InputError(f"the labels of {row.get('location')} cannot be read ({error}); mend or delete its row") from None
    return Clip(np.zeros(0, np.float32), row.get("sample_rate") or 44100, caption, tags, **labels)


def row_captions(row: dict, count: int) -> list[str]:
    """Return `count` training captions of a row.

    Composed rows: other words each. Others, ours or as published: the main caption, which is a paraphrase, in 85 % of
    cases, else the original one (MusicBench).
    """
    if row.get("tags"):
        return captions.training_captions(row_clip(row), row["seed"], count)
    rng = np.random.default_rng(list(row["location"].encode()))
    original = row.get("alt_caption") or row["main_caption"]
    return [row["main_caption"] if rng.random() < 0.85 else original for _ in range(count)]


def as_text(row: dict) -> dict:
    """Return a row's fields as every form but rows.jsonl holds them: numbers, truth values and text, the same in each.

    What can be empty or null, and what has a shape of its own, is JSON text, as readers infer a field's type from few
    values. `row_clip` reads both.
    """
    return {
        name: json.dumps(value, ensure_ascii=False) if name in STRUCTURED + NOT_ALWAYS_HEARD else value
        for name, value in row.items()
    }


def with_values(row: dict) -> dict:
    """Return a row with those fields as values again that `as_text` has made text."""
    texts = {name: row[name] for name in STRUCTURED + NOT_ALWAYS_HEARD if isinstance(row.get(name), str)}
    read = {}
    for name, text in texts.items():
        try:
            read[name] = json.loads(text)
        except ValueError:  # a text that is its own value, as a published meter
            read[name] = text
    return {**row, **read}
