"""What would 1,000 workers wait for? python benchmarks/scale.py [--engine ray]

Measures what the main process does for a song and a row, in CPU seconds, which a busy machine does not stretch as it does the clock:
songs are stand-ins of 44 bytes, and a "worker" that writes a mark of made-up rows at once. Each figure is a slope between two sizes, so
that what a start costs is not in it. Then it models a build on so many workers: what is asked of the main process and of the storage.
"""

import argparse
import json
import os
import pickle
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from musicbench.build import build as building
from musicbench.build.engines import Engine
from musicbench.build.index import Done, Index
from musicbench.build.marks import Mark
from musicbench.build.settings import Settings
from musicbench.build.shelves import location, mark_of
from musicbench.build.song_rows import Built, Given
from musicbench.build.songs import song_id
from musicbench.hearing.song import Hearing

ROOT = Path(__file__).resolve().parent.parent
COPIES, CLIPS = 12, 24  # rows of a clip; clips of a song of four minutes
FLAC_BYTES = 280_000  # of a clip of 10 s at 24 kHz, about
ROW = {
    "dataset": "songs", "location": "", "main_caption": "A calm pop song with an acoustic guitar and soft drums. " * 3,
    "alt_caption": "A calm pop song with an acoustic guitar and soft drums. " * 3, "prompt_aug": "", "prompt_ch": "The chords are Am, F, C, G.",
    "prompt_bt": "The beat counts to 4.", "prompt_bpm": "The tempo is 120 bpm.", "prompt_key": "The key is A minor.",
    "beats": [[round(0.02 + 0.5 * i, 2) for i in range(20)], [i % 4 + 1 for i in range(20)]], "bpm": 120.0, "chords": ["A:min", "F:maj"] * 3,
    "chords_time": [0.0, 1.9, 3.4, 5.1, 6.8, 8.2], "key": ["A", "minor"], "confidence": {"tempo": 0.98, "meter": 0.95, "key": 0.9}, "id": "",
    "base_id": "song-0123456789abcdef-0000", "transforms": [{"transform": "tempo", "rate": 1.1}], "source": "album/a song of some name.mp3",
    "source_sha256": "0" * 64, "contradicted": "", "versions": {"musicbench": "0.2.0", "soxr": "1.0"},
}  # fmt: skip
spent_s = 0.0  # of the stand-in for a worker


def stand_in(songs, path, out, settings, given, on_step=None, *, rows):
    """Do as `song_rows.build_song` does, without sound."""
    global spent_s
    begun, name, made = time.process_time(), song_id(path), []
    for number in range(rows):
        clip = f"{name}-{number // COPIES:04d}_{number % COPIES}"
        place = location("train", name, clip, "flac")
        made.append(ROW | {"location": place, "id": clip})
        if settings.form == "files":
            (out / place).parent.mkdir(parents=True, exist_ok=True)
            (out / place).touch()
    Mark({"settings": settings.by_name()}, "", [], made).save(mark_of(out, path))
    spent_s += time.process_time() - begun
    return Built(rows, 0, rows // COPIES)


def measured(songs, rows, form):
    """Build so many stand-ins, and again; returns the CPU seconds of both, of the tables, and the peak memory in MB."""
    with tempfile.TemporaryDirectory() as folder:
        place, settings = Path(folder), Settings(hearing=Hearing("none"), form=form)
        for number in range(songs):
            path = place / "songs" / f"{number // 1000:03d}" / f"take {number:06d}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"RIFF" + number.to_bytes(40, "big"))
        building.build_song = lambda *job, **named: stand_in(*job, **named, rows=rows)
        tables_s, write = 0.0, building.write_tables

        def timed(*arguments, **named):
            nonlocal tables_s
            begun = time.process_time()
            write(*arguments, **named)
            tables_s += time.process_time() - begun

        building.write_tables = timed
        begun = time.process_time()
        building.build(place / "songs", place / "out", settings)
        first_s, first_tables_s = time.process_time() - begun - spent_s, tables_s
        begun = time.process_time()
        building.build(place / "songs", place / "out", settings)
        again_s = time.process_time() - begun
        mark = next((place / "out" / "parts").glob("*/*.jsonl"))
        return {
            "first": first_s - first_tables_s, "tables": first_tables_s, "again": again_s, "mark bytes": mark.stat().st_size,
            "MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }  # fmt: skip


def apart(*size):
    """Measure in a process of its own, whose memory is its alone."""
    words = [sys.executable, __file__, "--measure", *map(str, size)]
    done = subprocess.run(words, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT)
    return json.loads(done.stdout)


def nothing(*job, on_step=None):
    return Built(288, 0, 24)


def pool_s(engine, count):
    """Return the main process's CPU seconds for a job that does nothing, and the bytes of a job and its result."""
    job = (
        "/songs",
        "an album/a song of some name.mp3",
        "/out",
        Settings(),
        Given("A calm pop song with an acoustic guitar.", "0" * 16),
    )
    times = {}
    for jobs in (1, count):
        begun = time.process_time()
        for _ in engine.each(nothing, (job for _ in range(jobs))):
            pass
        times[jobs] = time.process_time() - begun
    return (times[count] - times[1]) / (count - 1), len(pickle.dumps(job)) + len(pickle.dumps(nothing()))


def index_s(count):
    with tempfile.TemporaryDirectory() as folder, Index(folder) as index:
        begun = time.process_time()
        for number in range(count):
            index.put(
                f"album/song {number}.mp3",
                Done(f"song-{number:016x}", "0" * 16, "12345 1234567890123456789", 274, 14, 0, False, False),
            )
        return (time.process_time() - begun) / count


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--measure", nargs=3, metavar=("SONGS", "ROWS", "FORM"), help="one size alone, as JSON")
    parser.add_argument("--songs", type=int, default=2000, help="the larger number of stand-ins (default 2000)")
    parser.add_argument("--engine", default="local")
    parser.add_argument("--workers", type=int, default=1000, help="of the modelled build (default 1000)")
    parser.add_argument(
        "--clip-s", type=float, default=1.4, help="core-seconds of a clip, as `musicbench plan` tells (default 1.4)"
    )
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measured(int(options.measure[0]), int(options.measure[1]), options.measure[2])))
        return
    os.environ["OMP_NUM_THREADS"] = "1"
    few, song_rows = options.songs // 4, COPIES * CLIPS
    small, many, long = (apart(*size, "rows") for size in ((few, COPIES), (options.songs, COPIES), (few, song_rows)))
    files, more_files = (apart(few // 4, rows, "files") for rows in (COPIES, song_rows))
    job_s, job_bytes = pool_s(Engine(options.engine, 2), options.songs)

    def a_song(what):
        return (many[what] - small[what]) / (options.songs - few)

    def a_row(what, less=small, greater=long, songs=few):
        return max(greater[what] - less[what], 0) / (songs * (song_rows - COPIES))

    again, audio = a_song("again"), a_row("again", files, more_files, few // 4)
    print(
        f"a song, main process: {1e3 * a_song('first'):.2f} ms of a first build, and {1e3 * job_s:.2f} ms to hand it to a {options.engine} worker"
    )
    print(
        f"  of it {1e3 * index_s(5000):.3f} ms in the index; {job_bytes} bytes to a worker and back; {1e6 * a_song('MB') / 1e3:.2f} kB of memory"
    )
    print(f"a row, main process: {1e6 * a_row('first'):.2f} us while building; {1e6 * a_row('tables'):.1f} us in rows.jsonl, and "
          f"{1e6 * a_row('tables', files, more_files, few // 4):.1f} us with metadata.jsonl")  # fmt: skip
    print(
        f"nothing to do: {1e3 * again:.2f} ms a song, {1e6 * a_row('again'):.2f} us a row without audio files, {1e6 * audio:.2f} us a row with them"
    )
    print(
        f"a mark of {song_rows} rows: {long['mark bytes'] / 1e3:.0f} kB; memory of the main process: {small['MB']:.0f} MB and the songs'"
    )

    rows, songs = 14e6, 14e6 / song_rows
    print(f"\nnothing to do over {rows:,.0f} rows of {songs:,.0f} songs: {songs * again + rows * a_row('again'):.0f} s without audio files, "
          f"{songs * again + rows * audio:.0f} s with them; {small['MB'] + songs * a_song('MB'):.0f} MB")  # fmt: skip
    rate = options.workers / (CLIPS * options.clip_s)
    share = rate * (a_song("first") + job_s + song_rows * a_row("first"))
    print(
        f"{options.workers} workers, {options.clip_s:g} core-seconds a clip, songs of {CLIPS} clips: {rate:.0f} songs/s, {rate * song_rows:,.0f} rows/s"
    )
    print(
        f"  main process: {share:.1%} of a core, so {options.workers / share:,.0f} workers keep it busy; {rate * job_bytes / 1e3:.0f} kB/s to workers and back"
    )
    print(f"  storage: {rate:.0f} songs/s read (8 MB each: {8 * rate:.0f} MB/s); {(2 + CLIPS) * rate:.0f} files/s, of which 2 a song stay, and {rate * long['mark bytes'] / 1e6:.0f} MB/s of marks; "
          f"with audio {rate * (song_rows + CLIPS):,.0f} files/s and {rate * song_rows * FLAC_BYTES / 1e9:.1f} GB/s more")  # fmt: skip
    hours = [1e6 * song_rows * cost / 3600 for cost in (a_row("tables"), a_row("tables", files, more_files, few // 4))]
    print(
        f"  at the end, one core: tables of a million songs, whose rows took {1e6 / rate / 3600:.1f} h: {hours[0]:.1f} h; {hours[1]:.1f} h with audio files"
    )


if __name__ == "__main__":
    main()
