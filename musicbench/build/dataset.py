"""Rows on disk: JSON Lines beside audio files, field for field as MusicBench publishes them.

Packed as tar shards or Parquet.
"""

import json
import tarfile
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path

import numpy as np

from musicbench import InputError
from musicbench.build import captions
from musicbench.files import json_line, written_whole
from musicbench.music.annotation import Annotation
from musicbench.sound.clip import Clip

ROWS = "rows.jsonl"
# Fields that differ in shape from row to row.
STRUCTURED = ("beats", "transforms", "not_heard", "versions", "tags", "melody", "hits", "parts", "sources")
# Null or empty in some rows, perhaps in all of a split.
NOT_ALWAYS_HEARD = ("bpm", "meter", "chords", "chords_time", "key", "keyprob")
ROWS_A_GROUP = 100  # of Parquet, which holds a group in memory


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
    path = rows_file(folder)
    rows, lines = [], path.read_bytes().split(b"\n")
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            rows.append(json.loads(line))
        except ValueError:  # not UTF-8 included
            if number == len(lines):
                break
            raise InputError(f"{path} line {number} is not JSON; delete the line or make the dataset anew") from None
        if not isinstance(rows[-1], dict):
            raise InputError(f"{path} line {number} is no object of fields; delete the line or make the dataset anew")
    return rows


def metadata_line(row: dict) -> str:
    """Return a row as a line of the metadata.jsonl of its split's audiofolder.

    What can be empty or null is JSON text: readers infer each column's type from one split's values, and the splits
    must agree.
    """
    name = row["location"].split("/", 1)[1]
    return json_line({"file_name": name, **_as_text(row, STRUCTURED + NOT_ALWAYS_HEARD)})


def row_clip(row: dict) -> Clip:
    """Return a soundless Clip with the labels of a row, ours or as published (`Annotation.of_row`).

    Raises InputError for labels that cannot be read.
    """
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


# ---------------------------------------------------------------------------------------------------- packing


def write_webdataset(folder: Path | str, shard_bytes: int = 10**9) -> list[Path]:
    """Pack a dataset folder's rows as WebDataset tar shards of about `shard_bytes`, `shards`/train-000000.tar ...;
    returns them.

    A sample is <id>.flac and <id>.json. Shards of the same rows are the same bytes.
    """
    folder, written = Path(folder), []
    for name, shard in _shards(folder, shard_bytes):
        written.append(folder / "shards" / f"{name}.tar")
        written[-1].parent.mkdir(exist_ok=True)
        with written_whole(written[-1]) as temporary, tarfile.open(temporary, "w") as tar:
            for row in shard:
                audio = folder / row["location"]
                text = json.dumps(row, ensure_ascii=False).encode()
                for suffix, data in ((audio.suffix, audio.read_bytes()), (".json", text)):
                    entry = tarfile.TarInfo(audio.stem + suffix)
                    entry.size = len(data)
                    tar.addfile(entry, BytesIO(data))
    remove_packed(folder / "shards", keep=written)
    return written


def check_parquet() -> None:
    """Raise InputError unless Parquet files can be written here."""
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError:
        raise InputError("Parquet needs pyarrow; pip install pyarrow, or leave --parquet out") from None


def write_parquet(folder: Path | str, shard_bytes: int = 10**9) -> list[Path]:
    """Pack a dataset folder's rows, audio bytes included, as Parquet files `parquet`/train-000000.parquet ...; returns
    them.

    The column `audio` is {bytes, path} and known to `datasets` as sound. Needs pyarrow; raises InputError without it.
    """
    check_parquet()
    import pyarrow
    import pyarrow.parquet

    folder, written = Path(folder), []
    for name, shard in _shards(folder, shard_bytes):
        written.append(folder / "parquet" / f"{name}.parquet")
        written[-1].parent.mkdir(exist_ok=True)
        schema = _schema(shard[0])
        with written_whole(written[-1]) as temporary, pyarrow.parquet.ParquetWriter(temporary, schema) as file:
            for first in range(0, len(shard), ROWS_A_GROUP):
                packed = [
                    {
                        "audio": {"bytes": (folder / row["location"]).read_bytes(), "path": row["location"]},
                        **_as_text(row, STRUCTURED),
                    }
                    for row in shard[first : first + ROWS_A_GROUP]
                ]
                file.write_table(pyarrow.Table.from_pylist(packed, schema))
    remove_packed(folder / "parquet", keep=written)
    return written


def _schema(row):
    """Return the columns of a row's Parquet file, the same whatever is empty in it."""
    import pyarrow

    number, text = pyarrow.float64(), pyarrow.string()
    types = {
        "bpm": number, "keyprob": number, "meter": text, "key": pyarrow.list_(text), "chords": pyarrow.list_(text),
        "chords_time": pyarrow.list_(number), **dict.fromkeys(STRUCTURED, text),
    }  # fmt: skip
    sound = pyarrow.struct({"bytes": pyarrow.binary(), "path": text})
    told = {"info": {"features": {"audio": {"_type": "Audio"}}}}  # to the library `datasets`
    columns = {"audio": sound, **{name: types.get(name) or pyarrow.infer_type([value]) for name, value in row.items()}}
    return pyarrow.schema(columns, metadata={"huggingface": json.dumps(told)})


def remove_packed(folder: Path | str, keep: Iterable[Path] = ()) -> None:
    """Delete the shards in `folder` that are not in `keep`, in either packing."""
    for path in Path(folder).glob("*-" + "[0-9]" * 6 + ".*"):
        if path.suffix in (".tar", ".parquet") and path not in keep:
            path.unlink()


def _as_text(row, names):
    return {name: json.dumps(value, ensure_ascii=False) if name in names else value for name, value in row.items()}


def _shards(folder, shard_bytes):
    """Yield (name, rows) of shards: those of one split until their audio reaches `shard_bytes`."""
    splits = {}
    for row in read_rows(folder):
        splits.setdefault(row["location"].split("/")[0], []).append(row)
    for split, rows in splits.items():
        shard, size, number = [], 0, 0
        for row in rows:
            shard.append(row)
            size += (folder / row["location"]).stat().st_size
            if size >= shard_bytes or row is rows[-1]:
                yield f"{split}-{number:06d}", shard
                shard, size, number = [], 0, number + 1
