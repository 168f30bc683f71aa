"""Rows on disk: JSON Lines beside audio files, field for field as MusicBench publishes them; packed as tar shards or Parquet."""

import json
import sys
import tarfile
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from io import BytesIO
from pathlib import Path

import numpy as np

from musicbench import InputError, __version__
from musicbench.build import captions
from musicbench.compose.compose import check_sample_rate, check_styles, compose, find_soundfont
from musicbench.files import alone_in, make_folder, written_whole
from musicbench.music.theory import Chord, Key, Meter
from musicbench.sound.audio import save_audio
from musicbench.sound.clip import Clip

ROWS = "rows.jsonl"
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
)  # fields that differ in shape from row to row
# Null or empty in some rows, perhaps in all of a split.
NOT_ALWAYS_HEARD = ("bpm", "meter", "chords", "chords_time", "key", "keyprob")
ROWS_A_GROUP = 100  # of Parquet, which holds a group in memory


def rows_file(folder: Path | str) -> Path:
    """Return the file with the rows of a dataset folder, or the file itself. Raises InputError where there is none."""
    path = Path(folder) / ROWS if Path(folder).is_dir() else Path(folder)
    if not path.is_file():
        raise InputError(f"no {ROWS} in {folder}; make a dataset first: musicbench compose --count 1000 -o {folder}")
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


def write_rows(path: Path | str, rows: Iterable[dict]) -> None:
    """Write rows as JSON Lines, whole or not at all."""
    with written_whole(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def write_metadata(folder: Path | str, rows: list[dict]) -> None:
    """Write the rows of an audiofolder's split as `folder`/metadata.jsonl; without rows there is none.

    What can be empty or null is JSON text: readers infer each column's type from one split's values, and the splits must agree.
    """
    path = Path(folder) / "metadata.jsonl"
    if rows:
        write_rows(
            path, [{"file_name": Path(row["location"]).name, **_as_text(row, STRUCTURED + NOT_ALWAYS_HEARD)} for row in rows]
        )
    else:
        path.unlink(missing_ok=True)


def row_clip(row: dict) -> Clip:
    """Return a soundless Clip with the labels of a row, ours or as published (chords in any spelling; meter from the beats).

    Chords that are not as many as their times are left out. Raises InputError for labels that cannot be read.
    """
    try:
        return _read_labels(row)
    except (TypeError, ValueError, AttributeError, KeyError, OverflowError) as error:
        raise InputError(f"the labels of {row.get('location')} cannot be read ({error}); mend or delete its row") from None


def _read_labels(row):
    times, positions = row["beats"] if row.get("beats") else ([], [])
    if row.get("meter"):
        meter = Meter.parse(row["meter"])
    else:
        highest = int(max(positions, default=0))
        meter = Meter(highest, 8 if highest == 6 else 4) if 2 <= highest <= 7 else None
    key, chords, chord_times = row.get("key"), row.get("chords") or (), row.get("chords_time") or ()
    if len(chords) != len(chord_times):
        chords = chord_times = ()
    return Clip(
        np.zeros(0, np.float32), row.get("sample_rate") or 44100,
        tuple(map(float, times)), tuple(map(int, positions)), row.get("bpm"), meter,
        tuple(Chord.parse(c) for c in chords), tuple(map(float, chord_times)),
        Key.parse(" ".join(key)) if key else None, row.get("own_caption") or row["main_caption"], row.get("tags") or {}, None,
        tuple((float(start), float(end), int(pitch)) for start, end, pitch in row.get("melody") or ()),
        tuple((float(time), str(drum)) for time, drum in row.get("hits") or ()),
    )  # fmt: skip


def row_captions(row: dict, count: int) -> list[str]:
    """Return `count` training captions of a row.

    Composed rows: other words each. Others, ours or as published: the main caption, which is a paraphrase, in 85 % of cases, else
    the original one (MusicBench).
    """
    if row.get("tags"):
        return captions.training_captions(row_clip(row), row["seed"], count)
    rng = np.random.default_rng(list(row["location"].encode()))
    original = row.get("alt_caption") or row["main_caption"]
    return [row["main_caption"] if rng.random() < 0.85 else original for _ in range(count)]


# ---------------------------------------------------------------------------------------------------- packing


def write_webdataset(folder: Path | str, shard_bytes: int = 10**9) -> list[Path]:
    """Pack a dataset folder's rows as WebDataset tar shards of about `shard_bytes`, `shards`/train-000000.tar ...; returns them.

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
    """Pack a dataset folder's rows, audio bytes included, as Parquet files `parquet`/train-000000.parquet ...; returns them.

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


# ---------------------------------------------------------------------------------------------------- composed rows


def composed_row(
    seed: int,
    folder: Path | str,
    duration_s: float,
    sample_rate: int,
    soundfont: str | None,
    styles: Sequence[str] = (),
    apart: float = 0.0,
) -> dict:
    """Compose one piece, of one of `styles` if there are any, into `folder`/audio and return its row.

    `sources` are the SoundFonts and the patches that it was played with, `parts` those of drums, bass, chords and lead that sound,
    which are fewer than `tags` has where some are kept apart.
    """
    clip = compose(seed, duration_s, sample_rate, soundfont, apart, style=styles)
    tags = dict(clip.tags)
    sources, kept = tags.pop("sources"), tags.pop("kept", tags["parts"])
    location = f"audio/{seed:08d}.flac"
    save_audio(Path(folder) / location, clip.samples, sample_rate)
    sentences = captions.control_sentences(clip, np.random.default_rng([seed, 7]))
    return {
        "dataset": "composed",
        "location": location,
        "main_caption": clip.caption,
        "alt_caption": captions.training_captions(clip, seed, 1)[0],
        "prompt_aug": "",
        **{name: sentence or "" for name, sentence in sentences.items()},
        **clip.labels(),
        **clip.note_labels(),
        "parts": kept,
        "keyprob": 1.0 if clip.key else None,
        "is_audioset_eval_mcaps": False,
        "tags": tags,
        "sources": sources,
        "seed": seed,
        "duration": duration_s,
        "sample_rate": sample_rate,
        "version": __version__,
    }


def write_composed(
    folder: Path | str,
    count: int,
    first_seed: int = 0,
    duration_s: float = 10.24,
    sample_rate: int = 24000,
    workers: int = 1,
    soundfont: str | None = None,
    styles: Sequence[str] = (),
    apart: float = 0.0,
) -> int:
    """Compose pieces of the seeds `first_seed`.. into `folder`; those already there are kept. Returns how many were made.

    soundfont: the only one to play from, else those that are installed are mixed. styles: those to draw from, else all. apart: the
    share of pieces of which some parts alone are kept.

    Raises InputError, also for a folder with rows that were not composed, or with another duration or sample rate.
    """
    folder = Path(folder)
    if first_seed < 0:
        raise InputError(f"seed {first_seed} is below 0; give a whole number from 0")
    check_sample_rate(sample_rate)
    check_styles(styles)
    find_soundfont(soundfont)
    with alone_in(folder):
        seeds = _seeds_left(folder, range(first_seed, first_seed + count), duration_s, sample_rate)
        with (folder / ROWS).open("a", encoding="utf-8") as lines:
            try:
                _write_composed_rows(lines, seeds, workers, folder, duration_s, sample_rate, soundfont, tuple(styles), apart)
            except BrokenProcessPool:
                raise InputError(
                    "a worker was killed, perhaps for memory; run the same command again, with fewer --workers"
                ) from None
    return len(seeds)


def _seeds_left(folder, wanted, duration_s, sample_rate):
    """Return those of the seeds `wanted` that are not yet in a folder of composed rows, made ready for more. Raises InputError."""
    path = folder / ROWS
    rows = read_rows(folder) if path.exists() else []
    if (folder / "build.json").exists() or any(row.get("dataset") != "composed" for row in rows):
        raise InputError(f"{folder} holds a dataset that was not composed; give another folder")
    for row in rows:
        there = row.get("duration", duration_s), row.get("sample_rate", sample_rate)
        if there != (duration_s, sample_rate):
            raise InputError(
                f"{folder} holds pieces of {there[0]:g} s at {there[1]} Hz, not {duration_s:g} s at {sample_rate}; "
                f"give --duration {there[0]:g} --sample-rate {there[1]}, or another folder"
            )
    kept = [row for row in rows if row.get("seed") not in wanted or (folder / row.get("location", "")).is_file()]
    make_folder(folder / "audio")
    if path.exists() and (len(kept) < len(rows) or not path.read_bytes().endswith(b"\n")):  # audio was lost, or a kill tore it
        write_rows(path, kept)
    have = {row.get("seed") for row in kept}
    return [seed for seed in wanted if seed not in have]


def _write_composed_rows(lines, seeds, workers, *settings):
    started = time.monotonic()
    with ProcessPoolExecutor(workers) as pool:
        jobs = pool.map(composed_row, seeds, *([value] * len(seeds) for value in settings), chunksize=8)
        for done, row in enumerate(jobs, 1):
            lines.write(json.dumps(row, ensure_ascii=False) + "\n")
            lines.flush()
            if sys.stderr.isatty() or done == len(seeds) or done % 500 == 0:
                rate = done / (time.monotonic() - started)
                end = "\n" if done == len(seeds) or not sys.stderr.isatty() else ""
                print(
                    f"\r{done}/{len(seeds)} clips, {rate:.1f}/s, {(len(seeds) - done) / rate:.0f} s left ", end=end, file=sys.stderr
                )
