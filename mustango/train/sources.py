"""Where rows to learn from come from: our dataset folders, JSON Lines beside a folder of sound, shards of tar files, data sets on the hub.

Rows that cannot be used are left out, counted and named; where they are more than one in a hundred, that is an error.
"""

import json
import tarfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import numpy as np

from musicbench import InputError
from musicbench.build.copy_loading import RowSounds
from musicbench.build.dataset import read_rows, row_clip, with_values
from musicbench.build.index import file_state
from musicbench.files import inside, printable
from musicbench.sound.audio import load_audio
from mustango.release.hub import is_hub_id

MOST_BAD = 0.01  # of all rows
NEEDED = ("location", "main_caption")
AUDIO = (".flac", ".wav", ".ogg", ".opus", ".mp3")
MOST_BYTES = 1 << 28  # of a row's audio file in a shard


@dataclass
class Source:
    """Rows, and how their sound is read: `load(row, most_s)` returns (samples (n,) float32, rate) or raises InputError.

    state: of a row, what tells that its sound has changed.
    """

    name: str
    rows: list[dict]
    load: Callable[[dict, float], tuple[np.ndarray, int]]
    state: Callable[[dict], str]
    bad: dict[str, str] = field(default_factory=dict)  # {row: why it is left out}
    count: int = 0  # of rows, those that are left out among them

    def __post_init__(self):
        self.count = self.count or len(self.rows)


def is_source_elsewhere(data: str) -> bool:
    """Return whether rows lie neither in a folder nor in a file here: shards by pattern or address, or a data set on the hub."""
    return "://" in data or "*" in data or data.endswith(".tar") or is_hub_id(data)


def open_source(data: Path | str, audio: Path | str | None = None) -> Source:
    """Return the rows of a dataset folder, a JSON Lines file, tar shards (a pattern, an address), or a hub id.

    audio: the folder that the locations of a JSON Lines file are in, its own when None. Raises InputError.
    """
    data = str(data)
    if any((Path(data) / "shards").glob("train-*.tar")):  # where `musicbench build --webdataset` puts them
        source = _shards(f"{data}/shards/train-*.tar")
    elif Path(data).is_dir() and not any(Path(data).glob("*.tar")):
        source = _folder(data)
    elif Path(data).is_dir() or data.endswith(".tar"):
        source = _shards(data if data.endswith(".tar") else f"{data}/*.tar")
    elif is_hub_id(data):
        source = _hub_rows(data)
    elif Path(data).is_file():
        source = _file(data, Path(audio or Path(data).parent))
    else:
        raise InputError(f"no rows {data}; give a dataset folder, a JSON Lines file, shards such as 'data/*.tar', or a hub id")
    return _usable(source)


def leave_out(source: Source, bad: dict[str, str]) -> None:
    """Take note of rows that cannot be used. Raises InputError where they are more than one in a hundred."""
    source.bad |= bad
    if len(source.bad) > MOST_BAD * source.count:
        why = next(iter(source.bad.values()))
        raise InputError(f"{why} ({len(source.bad)} of {source.count} rows cannot be used, above one in a hundred)")


def tell_left_out(source: Source) -> None:
    """Say how many rows are left out, and name the first."""
    if source.bad:
        names = ", ".join(map(printable, [*source.bad][:5])) + (", ..." if len(source.bad) > 5 else "")
        print(f"{len(source.bad)} of {source.count} rows of {source.name} are left out: {names}", flush=True)
        print(f"the first: {next(iter(source.bad.values()))}", flush=True)


def _usable(source):
    """Return a source without the rows that lack a field or whose labels cannot be read, its values read. Raises InputError."""
    rows, bad = [], {}
    for number, row in enumerate(source.rows, 1):
        try:
            lacks = next((name for name in NEEDED if not isinstance(row.get(name), str)), None)
            if lacks:
                raise InputError(f"row {number} of {source.name} has no {lacks}; make the dataset anew, or delete the row")
            if row["location"].startswith("test/"):
                continue
            row = {"dataset": Path(source.name).stem} | with_values(row)
            row_clip(row)
        except InputError as error:
            bad[str(row.get("location") or f"row {number}")] = str(error)
        else:
            rows.append(row)
    leave_out(source, bad)
    if not rows:
        raise InputError(f"{source.name} has no rows to train on; make some: musicbench compose --count 1000 -o {source.name}")
    source.rows = rows
    return source


# ---------------------------------------------------------------------------------------------------- kinds of sources


def _folder(data):
    def has_sound(row):
        location = row.get("location")
        return not isinstance(location, str) or "source_frames" in row or inside(data, location).is_file()

    found = read_rows(data)
    rows, bad = [], {}
    for number, row in enumerate(found, 1):
        if has_sound(row):
            rows.append(row)
        else:
            bad[row["location"]] = (
                f"row {number} of {data} has no audio at {row['location']}; make the dataset anew, or delete the row"
            )
    return Source(data, rows, RowSounds(data).load, lambda row: file_state(Path(data) / row["location"]), bad, len(found))


def _file(data, root):
    if not root.is_dir():
        raise InputError(f"no folder {root}; give the folder that the locations of {data} are in as --audio")
    return Source(
        data, read_rows(data), lambda row, most_s: load_audio(inside(root, row["location"]), most_s=most_s),
        lambda row: file_state(root / row["location"]),
    )  # fmt: skip


def _shards(pattern):
    """Return the rows of tar files, WebDataset's form: KEY.json beside KEY.flac; read where they lie, by fsspec."""
    import fsspec

    try:
        filesystem, paths = fsspec.core.url_to_fs(pattern)
        paths = sorted(filesystem.glob(paths)) if "*" in paths else [paths]
    except (ImportError, ValueError, OSError) as error:
        raise InputError(f"cannot read {pattern[:200]} ({' '.join(str(error).split())[:160]})") from None
    rows, places = [], {}
    for path in paths:
        try:
            found = list(_rows_of_shard(filesystem, path))
        except (tarfile.TarError, OSError, ValueError) as error:
            raise InputError(f"cannot read the shard {path} ({' '.join(str(error).split())[:160]}); get it whole again") from None
        for row, where in found:
            rows.append(row)
            places[row["location"]] = where
    if not rows:
        raise InputError(f"{pattern} has no rows; shards hold KEY.json beside KEY.flac")
    return Source(pattern, rows, partial(_from_shard, filesystem, places), lambda row: str(places[row["location"]]))


def _rows_of_shard(filesystem, path):
    """Yield (row, (path, offset, size, suffix)) of a tar file."""
    told: dict[str, dict[str, Any]] = {}
    with filesystem.open(path, "rb") as file, tarfile.open(fileobj=file, mode="r:") as tar:
        for entry in tar:
            key, suffix = entry.name.rpartition(".")[0], Path(entry.name).suffix.lower()
            if suffix == ".json":
                content = tar.extractfile(entry)
                assert content is not None
                told.setdefault(key, {})["row"] = json.loads(content.read(1 << 24))
            elif suffix in AUDIO:
                told.setdefault(key, {})["place"] = (path, entry.offset_data, entry.size, suffix)
    for key, parts in told.items():
        row = parts.get("row")
        if isinstance(row, dict):
            yield row | {"location": f"{path}/{key}"}, parts.get("place")


def _from_shard(filesystem, places, row, most_s):
    place = places[row["location"]]
    if place is None:
        raise InputError(f"{printable(row['location'])} has no audio beside it; make the shard anew")
    path, offset, size, suffix = place
    if size > MOST_BYTES:
        raise InputError(f"{printable(row['location'])} has {size >> 20} MB of audio, above {MOST_BYTES >> 20}; cut it")
    with filesystem.open(path, "rb") as file:
        file.seek(offset)
        return _decoded(file.read(size), suffix, most_s)


def _decoded(content, suffix, most_s):
    """Return (samples, rate) of the bytes of a sound file."""
    with NamedTemporaryFile(suffix=suffix) as file:
        file.write(content)
        file.flush()
        return load_audio(file.name, most_s=most_s)


def _hub_rows(name):
    """Return the rows of a data set on the hub, fetched once into its cache, from where they are mapped into memory."""
    try:
        import datasets
    except ImportError:
        raise InputError(
            f"{name} is a data set on the hub, which needs the package datasets; pip install datasets soundfile"
        ) from None
    try:
        found = datasets.load_dataset(name, split="train")
    except Exception as error:  # the hub's, the connection's, or those of the files of somebody
        said = " ".join(str(error).split())[:160]
        raise InputError(f"cannot get the data set {name} ({said}); check name and connection, or give a folder") from None
    column = next((key for key, kind in found.features.items() if isinstance(kind, datasets.Audio)), None)
    if column is None:
        raise InputError(f"the data set {name} has no column of audio; give its JSON Lines file with --audio FOLDER")
    sounds = found.select_columns([column]).cast_column(column, datasets.Audio(decode=False))
    rows = [{"location": str(number), **row} for number, row in enumerate(found.remove_columns([column]))]
    places = {row["location"]: number for number, row in enumerate(rows)}

    def load(row, most_s):
        held = sounds[places[row["location"]]][column]
        content = held["bytes"] if held.get("bytes") else Path(held["path"]).read_bytes()
        return _decoded(content, Path(held.get("path") or "x.wav").suffix, most_s)

    return Source(name, rows, load, lambda row: str(found._fingerprint))
