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
MOST_DEEP, MOST_EVENTS = 20, 20_000  # lists in lists; beats, chords, notes of a row: half an hour of sixteenths at 170 bpm


def rows_file(folder: Path | str) -> Path:
    """Return the file with the rows of a dataset folder, or the file itself. Raises InputError where there is none."""
    path = Path(folder) / ROWS if Path(folder).is_dir() else Path(folder)
    if not path.is_file():
        raise InputError(
            f"no {ROWS} in {folder}; give a dataset, as `musicbench build SONGS DATASET` or `musicbench compose -o DATASET` writes it"
        )
    return path


def read_rows(folder: Path | str, damaged: list[tuple[int, str]] | None = None) -> list[dict]:
    """Return the rows of a dataset folder, or of a JSON Lines file such as the published MusicBench_train.json.

    A torn last line (a killed writer's) is left out. Of a line that is no row (number, what is wrong) goes to the list `damaged`.
    Raises InputError, where there is no such list for such a line, too.
    """
    return list(each_row(folder, damaged))


def each_row(folder: Path | str, damaged: list[tuple[int, str]] | None = None) -> Iterator[dict]:
    """Yield what `read_rows` returns, row by row."""
    path = rows_file(folder)
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            row = _parsed(line)
            if row is None and not line.endswith(b"\n"):
                return
            fault = _fault(row, line)
            if row is not None and not fault:
                yield row
            elif damaged is None:
                raise InputError(f"{path} line {number} {fault}; delete the line or make the dataset anew")
            else:
                damaged.append((number, f"it {fault}"))


def _parsed(line):
    try:
        return json.loads(line)
    except (ValueError, RecursionError):  # not UTF-8 included, and what is nested without end
        return None


def _fault(row, line):
    """Say what keeps the value of a line from being a row, or return None."""
    if row is None:
        return "is not JSON"
    if not isinstance(row, dict):
        return "is no object of fields"
    level: list = [row]
    for _ in range(MOST_DEEP):
        inner = [list(value.values()) if isinstance(value, dict) else value for value in level if isinstance(value, (dict, list))]
        level = [value for values in inner for value in values]
    if level:
        return "is nested too deeply"
    if b"\\ud" in line.lower():
        try:
            json_line(row).encode()
        except UnicodeEncodeError:
            return "holds half a letter"
    return None


def metadata_line(row: dict) -> str:
    """Return a row as a line of the metadata.jsonl of its split's audiofolder (`as_text`)."""
    name = row["location"].split("/", 1)[1]
    return json_line({"file_name": name, **as_text(row)})


def row_clip(row: dict) -> Clip:
    """Return a soundless Clip with the labels of a row, ours or as published (`Annotation.of_row`).

    Raises InputError for labels that cannot be read.
    """
    row = with_values(row)
    for name, value in row.items():
        if name in STRUCTURED + NOT_ALWAYS_HEARD and _longest(value) > MOST_EVENTS:
            raise InputError(f"{row.get('location')} has more than {MOST_EVENTS} {name}; mend or delete its row")
    try:
        labels = Annotation.of_row(row).by_name()
        caption, tags = row.get("own_caption") or row["main_caption"], row.get("tags") or {}
    except (TypeError, ValueError, AttributeError, KeyError, OverflowError, RecursionError) as error:
        raise InputError(f"the labels of {row.get('location')} cannot be read ({error}); mend or delete its row") from None
    return Clip(np.zeros(0, np.float32), row.get("sample_rate") or 44100, caption, tags, **labels)


def _longest(value):
    """Return the length of a list, or of the longest list in it."""
    if not isinstance(value, list):
        return 0
    return max([len(value), *(len(inner) for inner in value[:2] if isinstance(inner, list))])


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
        except (ValueError, RecursionError):  # a text that is its own value, as a published meter
            read[name] = text
    return {**row, **read}
