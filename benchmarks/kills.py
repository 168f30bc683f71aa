"""Commands killed at random moments: python benchmarks/kills.py --kills 20 --model MODEL --released FOLDER

Each of generate, build, train, evaluate and convert (with --released, a folder in the released layout) is started, killed with SIGKILL
after a random part of the time that it takes, and started again, so many times; then it may run to its end. Counted are: processes that
outlive it by more than 30 s, files under their own names that are not whole, and, at the end, what differs from a run that was never killed,
comes twice or is left over.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import soundfile

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from musicbench.build.index import INDEX
from musicbench.sound.audio import is_whole_audio

ROOT = Path(__file__).resolve().parent.parent
OUTLIVES_S = 30
RATE = 16000


@dataclass(frozen=True)
class Command:
    """A command that writes `place`: its words, how a place is made ready for it, and the files of it that must be the same in the end."""

    words: Callable[[Path], list]
    made_same: str = "**/*"
    ready: Callable[[Path], object] = lambda place: None
    whole_at_once: bool = False  # its place is there when all is done, and then it is not made again


def song(path, root=220.0, seconds=8):
    """Write a song of plain chords."""
    t = np.arange(seconds * RATE) / RATE
    tones = sum(np.sin(2 * np.pi * root * ratio * 2 ** (np.floor(t / 2) % 4 / 4) * t) for ratio in (1, 1.25, 1.5))
    soundfile.write(path, 0.1 * tones * (1 - (t * 2 % 1)), RATE)


def commands(inputs, model, released):
    """Write what the commands need into a folder; returns {name: Command}."""
    for name in ("songs", "data/train"):
        (inputs / name).mkdir(parents=True)
    rows = []
    for number in range(3):
        song(inputs / "songs" / f"{number}.wav", 200 + 30 * number)
        song(inputs / "data" / "train" / f"{number}.flac", 200 + 30 * number)
        labels = {
            "bpm": 120.0,
            "chords": ["C:maj"],
            "chords_time": [0.0],
            "beats": [[0.0, 0.5, 1.0, 1.5], [1, 2, 3, 4]],
            "key": ["C", "major"],
        }
        rows.append(
            {
                "id": str(number),
                "dataset": "x",
                "location": f"train/{number}.flac",
                "main_caption": "piano",
                "duration": 8.0,
                **labels,
            }
        )
    (inputs / "data" / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    prompts = [{"prompt": "piano", "duration": 2, "seed": number, "chords": "C"} for number in range(3)]
    (inputs / "prompts.jsonl").write_text("".join(json.dumps(line) + "\n" for line in prompts))
    (inputs / "plain.toml").write_text(
        "clip_s = 4.0\nhop_s = 4.0\nmin_s = 3.0\nsemitones = [2]\ntempo_copies = 1\ndynamics_copies = 1\n"
    )
    heard = ["--judges", "librosa", "--embedding", "none", "--columns", "model,real", "--workers", "2", "--steps", "2"]
    steps = ["--steps", "4", "--batch-size", "2", "--loaders", "1"]
    made = {
        "generate": Command(
            lambda place: ["mustango", "generate", "--prompts", inputs / "prompts.jsonl", "-o", place, "--resume", "--steps", "2", "--model", model]
        ),
        "build": Command(
            lambda place: ["musicbench", "build", inputs / "songs", place, "--recipe", inputs / "plain.toml", "--workers", "2"]
        ),
        "train": Command(
            lambda place: ["mustango", "train", "munet", "-o", place, "--data", inputs / "data", *steps], "parts/**/*",
            lambda place: run(["mustango", "train", "start", "-o", place, "--from", model]),
        ),
        "evaluate": Command(
            lambda place: ["mustango", "evaluate", "--set", inputs / "data" / "rows.jsonl", "-o", place, "--model", model, *heard],
            "[ah]*/**/*",
        ),
    }  # fmt: skip
    if released:
        tokenizer = Path(released) / "tokenizer"
        given = [f"--{role}tokenizer={tokenizer}" for role in ("", "beat-", "chord-")] if tokenizer.is_dir() else []
        made["convert"] = Command(lambda place: ["mustango", "convert", released, place, *given], whole_at_once=True)
    return made


def start(words, **options):
    environment = os.environ | {"PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"} | options
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, "-m", *map(str, words)], env=environment, cwd=ROOT, **quiet)


def run(words):
    """Run a command to its end."""
    process = start(words)
    error = process.communicate()[1]
    if process.returncode:
        sys.exit(f"{' '.join(map(str, words))} ended with {process.returncode}: {error[-500:]}")


def alive(mark):
    """Return the processes that carry a mark in their environment, zombies left out."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"KILLS={mark}\0".encode() in (folder / "environ").read_bytes():
                found.append(int(folder.name))
        except OSError:  # it has ended, or is another user's
            continue
    return found


def outliving(mark):
    """Wait for the processes that carry a mark to end; returns those that do not, killed now."""
    ends = time.monotonic() + OUTLIVES_S
    while (left := alive(mark)) and time.monotonic() < ends:
        time.sleep(0.1)
    for number in left:
        os.kill(number, signal.SIGKILL)
    return left


def killed(words, after_s):
    """Start a command and kill it; returns (whether it had ended, with success, before; the processes that outlive it)."""
    mark = f"{os.getpid()}-{time.monotonic_ns()}"
    process = start(words, KILLS=mark)
    try:
        error = process.communicate(timeout=after_s)[1]
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
        error = None
    left = outliving(mark)
    if error is not None and process.returncode:
        print(f"  ended with {process.returncode}: {error.strip().splitlines()[-1][:300]}", flush=True)
    return error is not None and process.returncode == 0, left


def is_whole(path):
    """Tell whether a file is whole, as its suffix says what it should be."""
    from safetensors import SafetensorError, safe_open

    try:
        if path.suffix in (".wav", ".flac"):
            return is_whole_audio(path)
        if path.suffix == ".json":
            json.loads(path.read_text())
        elif path.suffix == ".jsonl":
            [json.loads(line) for line in path.read_text().splitlines()]
        elif path.suffix == ".safetensors":
            with safe_open(path, "pt"):
                pass
    except (OSError, ValueError, SafetensorError):
        return False
    return True


def files(place, pattern="**/*"):
    return sorted(path for path in place.glob(pattern) if path.is_file() and path.name != INDEX)  # which knows the files' times


def hidden(place):
    return [*place.rglob(".*"), *place.parent.glob(f".{place.name}.*")]


def digests(place, pattern):
    return {str(path.relative_to(place)): sha256(path.read_bytes()).hexdigest() for path in files(place, pattern)}


def steps_twice(place):
    """Return how many steps stand twice in the curves of a training."""
    lists = [[line.split(",")[0] for line in path.read_text().splitlines()[1:]] for path in place.glob("*/curve.csv")]
    return sum(len(steps) - len(set(steps)) for steps in lists)


def try_command(name, command, folder, kills, rng):
    """Kill a command so many times, then let it end; returns the counts of what went wrong."""
    whole, place = folder / name / "whole", folder / name / "killed"
    whole.parent.mkdir()
    for once in (folder / name / "once", whole):  # the first run is slower, so that kills drawn by it would come too late
        command.ready(once)
        begun = time.monotonic()
        run(command.words(once))
    lasts_s, wanted = time.monotonic() - begun, digests(whole, command.made_same)
    counts = dict.fromkeys(("ended before", "processes left", "not whole", "differ", "twice", "left over"), 0)

    def compare():
        found = digests(place, command.made_same)
        differ = [file for file in sorted(found.keys() | wanted) if found.get(file) != wanted.get(file)]
        if differ:
            print(f"  differ: {', '.join(differ)}", flush=True)
        counts["differ"] += len(differ)
        counts["twice"] += steps_twice(place)
        counts["left over"] += len(hidden(place))
        shutil.rmtree(place)
        command.ready(place)

    command.ready(place)
    for _ in range(kills):
        ended, left = killed(command.words(place), rng.uniform(0, lasts_s))
        counts["processes left"] += len(left)
        counts["not whole"] += sum(not is_whole(path) for path in files(place) if not path.name.startswith("."))
        if ended or (command.whole_at_once and place.exists()):  # killed while it went out
            counts["ended before"] += 1
            compare()
    run(command.words(place))
    compare()
    return counts | {"seconds whole": round(lasts_s, 1)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--model", default="mustango-mini")
    parser.add_argument("--released", help="a folder in the released layout, for convert")
    parser.add_argument("--commands", default="generate,build,train,evaluate,convert")
    options = parser.parse_args()
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        made = commands(Path(folder) / "inputs", options.model, options.released)
        for name in options.commands.split(","):
            if name in made:
                counts = try_command(name, made[name], Path(folder), options.kills, random.Random(options.seed))
                bad += sum(counts[what] for what in ("processes left", "not whole", "differ", "twice", "left over"))
                print(
                    f"{name}: {options.kills} kills; " + ", ".join(f"{what} {count}" for what, count in counts.items()), flush=True
                )
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
