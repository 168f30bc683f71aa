"""Rows and their sound packed as shards, WebDataset tar files or Parquet: in place of single files, not beside them.

A song's shard is drawn by its name's digest, so shards are a shuffle of the songs, and their rows are shuffled. A shard
is written as soon as all its songs are done; then their single files are deleted.
"""

import json
import tarfile
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path

import numpy as np

from musicbench import InputError
from musicbench.build.dataset import as_text
from musicbench.build.index import Index, file_state
from musicbench.build.marks import marked_rows
from musicbench.build.settings import digest_of
from musicbench.build.shelves import SPLITS, mark_of
from musicbench.files import inside, make_folder, written_whole

SUFFIX = {"webdataset": "tar", "parquet": "parquet"}
SHARD_BYTES = 10**9
ROWS_A_GROUP = 100  # of Parquet, which holds a group in memory


def shard_of(name: str, shards: int) -> int:
    """Return the number of a song's shard by its name (`songs.song_id`)."""
    return int(name[-16:], 16) % shards


def shard_paths(out: Path, form: str, number: int) -> dict[str, Path]:
    """Return the files of a shard by split."""
    return {split: out / "shards" / f"{split}-{number:06d}.{SUFFIX[form]}" for split in SPLITS}


def is_packed(out: Path, form: str, number: int, marks: Iterable[str], index: Index) -> bool:
    """Tell whether a shard is there, of songs with these `marks` (`index.file_state`)."""
    return index.fact(f"shard {number}") == _state(out, form, number, marks)


def _state(out, form, number, marks):
    return digest_of(form, list(marks), [file_state(path) for path in shard_paths(out, form, number).values()])


def pack(out: Path, form: str, number: int, paths: Iterable[str], index: Index) -> None:
    """Write a shard of the marked songs `paths` and delete their single audio files."""
    marks = [mark_of(out, path) for path in paths]
    rows = [json.loads(line) for mark in marks if mark.is_file() for line in marked_rows(mark)]
    make_folder(out / "shards")
    for split, path in shard_paths(out, form, number).items():
        own = [row for row in rows if row["location"].startswith(f"{split}/")]
        order = np.random.default_rng([number, len(own)]).permutation(len(own))
        if own:
            (_write_tar if form == "webdataset" else _write_parquet)(path, [own[i] for i in order], out)
        else:
            path.unlink(missing_ok=True)
    index.fact(f"shard {number}", _state(out, form, number, map(file_state, marks)))
    for row in rows:
        inside(out, row["location"]).unlink(missing_ok=True)


def sweep_shards(out: Path, form: str, shards: int) -> None:
    """Delete shards of another form or of more shards."""
    keep = {path for number in range(shards) for path in shard_paths(out, form, number).values()} if form in SUFFIX else set()
    for path in (out / "shards").glob("*-" + "[0-9]" * 6 + ".*"):
        if path.suffix[1:] in SUFFIX.values() and path not in keep:
            path.unlink()


def _write_tar(path, rows, out):
    """Write <id>.flac and <id>.json of each row; the same rows are the same bytes."""
    with written_whole(path) as temporary, tarfile.open(temporary, "w") as tar:
        for row in rows:
            audio = inside(out, row["location"])
            text = json.dumps(as_text(row), ensure_ascii=False).encode()
            for suffix, data in ((audio.suffix, audio.read_bytes()), (".json", text)):
                entry = tarfile.TarInfo(audio.stem + suffix)
                entry.size = len(data)
                tar.addfile(entry, BytesIO(data))


def check_parquet() -> None:
    """Raise InputError unless Parquet files can be written here."""
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError:
        raise InputError("Parquet needs pyarrow; pip install pyarrow, or leave --parquet out") from None


def _write_parquet(path, rows, out):
    """Write rows with a column `audio`, {bytes, path}, known to `datasets` as sound."""
    import pyarrow
    import pyarrow.parquet

    schema = _schema(rows[0])
    with written_whole(path) as temporary, pyarrow.parquet.ParquetWriter(temporary, schema) as file:
        for first in range(0, len(rows), ROWS_A_GROUP):
            packed = [
                {"audio": {"bytes": inside(out, row["location"]).read_bytes(), "path": row["location"]}, **as_text(row)}
                for row in rows[first : first + ROWS_A_GROUP]
            ]
            file.write_table(pyarrow.Table.from_pylist(packed, schema))


def _schema(row):
    """Return the columns of a row's Parquet file, the same whatever is empty in it."""
    import pyarrow

    sound = pyarrow.struct({"bytes": pyarrow.binary(), "path": pyarrow.string()})
    told = {"info": {"features": {"audio": {"_type": "Audio"}}}}  # to the library `datasets`
    columns = {"audio": sound, **{name: pyarrow.infer_type([value]) for name, value in as_text(row).items()}}
    return pyarrow.schema(columns, metadata={"huggingface": json.dumps(told)})
