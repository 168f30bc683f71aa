"""Does a build hold at 100,000 songs? python benchmarks/many_songs.py FOLDER --songs 100000 --kills 20

Writes so many synthetic songs of 1 s into FOLDER, a caption for every second one in a manifest, one in a thousand twice. Plans them, then
builds rows without sound (`--rows-only --hear none`, no tagger) with two workers, and kills the main process or a worker with SIGKILL at
random moments, starting again where it was the main process. In the end it counts songs that are lost, rows that come twice and files that
differ from a build that was never killed, and times a run with nothing to do. CPU seconds are of the main process and its workers; on a
busy machine they say more than the clock. What is in FOLDER already is kept: run again to go on.
"""

import argparse
import json
import os
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
import time
from collections import Counter
from hashlib import sha256
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from musicbench.build.index import INDEX

ROOT = Path(__file__).resolve().parent.parent
RATE, A_FOLDER, TWICE_EVERY = 8000, 1000, 1000
RECIPE = "clip_s = 1.0\nhop_s = 1.0\nmin_s = 1.0\nsemitones = [-1]\ntempo_copies = 1\ndynamics_copies = 0\n"
ROWS_A_SONG = 3
TICKS = os.sysconf("SC_CLK_TCK")


def wav(number):
    """Return the bytes of a WAV file: a struck chord, another for each number."""
    t, rng = np.arange(RATE) / RATE, np.random.default_rng(number)
    tones = sum(np.sin(2 * np.pi * 110 * 2 ** rng.uniform(0, 2) * ratio * t) for ratio in (1, 1.25, 1.5))
    data = (4000 * tones * (1 - t * 4 % 1) + rng.normal(0, 200, RATE)).astype("<i2").tobytes()
    head = struct.pack(
        "<4sI8sIHHIIHH4sI", b"RIFF", 36 + len(data), b"WAVEfmt ", 16, 1, 1, RATE, 2 * RATE, 2, 16, b"data", len(data)
    )
    return head + data


def write_songs(folder, count):
    """Write the songs that are not there, and their manifest; returns how many differ."""
    for number in range(count):
        path = folder / f"{number // A_FOLDER:04d}" / f"take {number:06d}.wav"
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(wav(number - 1 if number % TWICE_EVERY == TWICE_EVERY - 1 else number))
    named = (f"{n // A_FOLDER:04d}/take {n:06d}.wav,A plucked chord in take {n} of many.\n" for n in range(0, count, 2))
    (folder / "metadata.csv").write_text("file_name,caption\n" + "".join(named))
    return count - count // TWICE_EVERY


class Run:
    """A command that runs: what it and its workers took, as far as /proc tells; of one that has ended, all of it."""

    def __init__(self, words, log):
        no_tagger = {"XDG_CACHE_HOME": str(log.parent / "cache")}
        environment = os.environ | no_tagger | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "musicbench", *map(str, words)]
        self.begun, self._file = time.monotonic(), log.open("a")
        self.process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=self._file, stderr=self._file)
        self.cpu, self.peak_mb = {}, 0.0

    def workers(self):
        try:
            found = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
            return [pid for pid in map(int, found) if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]
        except OSError:
            return []

    def look(self):
        for pid in (self.process.pid, *self.workers()):
            try:
                numbers = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
                self.cpu[pid] = (int(numbers[11]) + int(numbers[12])) / TICKS
                peak = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
            except OSError:
                continue
            if pid == self.process.pid and peak:
                self.peak_mb = max(self.peak_mb, int(peak[1]) / 1024)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.end()

    def end(self):
        """Wait until it ends; returns its exit status."""
        while self.process.poll() is None:
            self.look()
            time.sleep(0.2)
        self.seconds = time.monotonic() - self.begun
        self._file.close()
        return self.process.returncode


def marks(out):
    return sum(1 for shelf in (out / "parts").glob("*") for name in os.listdir(shelf) if name[0] != "." and name.endswith(".jsonl"))


def build_killed(words, out, log, moments, rng):
    """Build, killed each time so many songs are done; returns the runs and whom it hit."""
    runs, hit, run = [Run(words, log)], Counter(), None
    for moment in moments:
        while (run := runs[-1]).process.poll() is None and marks(out) < moment:
            run.look()
            time.sleep(0.5)
        time.sleep(rng.uniform(0, 2))
        run.look()
        workers = run.workers()
        if run.process.poll() is not None:
            break
        if rng.random() < 0.5 and workers:
            os.kill(rng.choice(workers), signal.SIGKILL)
            hit["worker"] += 1
        else:
            run.kill()
            hit["main process"] += 1
            runs.append(Run(words, log))
    if status := runs[-1].end():
        sys.exit(f"the build ended with {status}; see {log}")
    return runs, hit


def digests(out):
    files = (path for path in out.rglob("*") if path.is_file() and path.name != INDEX)  # which knows the files' times
    return {str(path.relative_to(out)): sha256(path.read_bytes()).hexdigest() for path in files}


def tell(what, runs):
    seconds, cpu = sum(run.seconds for run in runs), sum(sum(run.cpu.values()) for run in runs)
    peak = max(run.peak_mb for run in runs)
    print(f"{what}: {seconds:.0f} s ({seconds / 60:.1f} minutes), {cpu:.0f} CPU s, main process at most {peak:.0f} MB", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--songs", type=int, default=100_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    place, rng = options.folder.absolute(), random.Random(options.seed)
    songs, out, whole, log = place / "songs", place / "killed", place / "whole", place / "log.txt"
    songs.mkdir(parents=True, exist_ok=True)
    (place / "recipe.toml").write_text(RECIPE)
    begun = time.monotonic()
    different = write_songs(songs, options.songs)
    print(f"{options.songs} songs written: {time.monotonic() - begun:.0f} s", flush=True)
    recipe = ["--recipe", place / "recipe.toml", "--rows-only"]

    def words(folder):
        return ["build", songs, folder, *recipe, "--hear", "none", "--workers", "2"]

    (run := Run(["plan", songs, *recipe], log)).end()
    tell("planned", [run])
    shutil.rmtree(out, ignore_errors=True)
    moments = sorted(rng.randrange(different) for _ in range(options.kills))
    runs, hit = build_killed(words(out), out, log, moments, rng)
    tell(f"built, killed: {', '.join(f'{who} {count} times' for who, count in hit.items())}", runs)
    (run := Run(words(out), log)).end()
    tell("a run with nothing to do", [run])
    (run := Run(words(whole), log)).end()
    tell("built, never killed", [run])

    ids, sources = Counter(), set()
    for line in (out / "rows.jsonl").open():
        row = json.loads(line)
        ids[row["id"]] += 1
        sources.add(row["source"])
    there, wanted = digests(out), digests(whole)
    counts = {
        "songs lost": different - len(sources),
        "rows lost": different * ROWS_A_SONG - len(ids),
        "rows twice": sum(count > 1 for count in ids.values()),
        "files that differ": sum(there.get(name) != wanted.get(name) for name in there.keys() | wanted),
    }
    print(", ".join(f"{what}: {count}" for what, count in counts.items()), f"of {len(ids)} rows in {len(there)} files", flush=True)
    return 1 if any(counts.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
