"""A training killed at random steps: python benchmarks/kill_training.py --kills 10 --processes 1 2

`mustango train munet` is started, killed with SIGKILL at a random moment between two random lines of its curve, and started again, so many
times; then it may run to its end. Of several processes (torchrun's, which train on the CPU by gloo) a random one is killed, which may be
torchrun itself. Counted are: processes that outlive it by more than 30 s, files that are not whole, lines of the curve that differ from
those of a training that was never killed, or come twice, and weights that differ in the end.
"""

import argparse
import csv
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from kills import alive, commands, digests, files, hidden, is_whole, outliving, run, start, steps_twice

SAVES_EVERY = 2  # steps; a line of the curve each time


def train(place, data, steps, processes):
    """Return the words that train in so many processes."""
    launcher = ["torch.distributed.run", "--standalone", "--nproc_per_node", processes, "-m"] if processes > 1 else []
    how = ["--steps", steps, "--save-every", SAVES_EVERY, "--batch-size", "4", "--lr", "1e-3"]
    return [*launcher, "mustango", "train", "munet", "-o", place, "--data", data, *how]


def curve(place):
    """Return the lines of a run's curve, without their times."""
    path = place / "munet" / "curve.csv"
    if not path.is_file():
        return []
    with path.open(newline="") as file:
        return [{name: value for name, value in line.items() if name != "seconds"} for line in csv.DictReader(file)]


def kill_at(words, place, step, later_s, rng):
    """Start a training and kill one of its processes when its curve has reached a step, a while later; returns those that outlive it.

    None: it ended before.
    """
    mark = f"{os.getpid()}-{time.monotonic_ns()}"
    process = start(words, KILLS=mark)
    while process.poll() is None and (
        step and not any(int(line["step"]) >= step for line in curve(place) if (line.get("step") or "").isdigit())
    ):
        time.sleep(0.02)
    time.sleep(later_s)
    if process.poll() is not None:
        print(f"  ended with {process.returncode}: {process.stderr.read().strip()[-300:]}", flush=True)
        return None
    os.kill(rng.choice(alive(mark)), signal.SIGKILL)
    process.communicate()
    return outliving(mark)


def kill_training(folder, data, model, processes, kills, rng):
    """Kill a training so many times at growing random steps, then let it end; returns the counts of what went wrong."""
    whole, place = folder / f"whole-{processes}", folder / f"killed-{processes}"
    steps = SAVES_EVERY * (kills + 2)
    run(["mustango", "train", "start", "-o", whole, "--from", model])
    shutil.copytree(whole, place)
    begun = time.monotonic()
    run(train(whole, data, steps, processes))
    line_s = (time.monotonic() - begun) / (kills + 2)
    counts = dict.fromkeys(
        ("ended before", "processes left", "not whole", "lines differ", "twice", "weights differ", "left over"), 0
    )
    for step in sorted(SAVES_EVERY * rng.randrange(kills + 1) for _ in range(kills)):
        left = kill_at(train(place, data, steps, processes), place, step, rng.uniform(0, line_s), rng)
        counts["ended before"] += left is None
        counts["processes left"] += len(left or ())
        counts["not whole"] += sum(not is_whole(path) for path in files(place) if not path.name.startswith("."))
    run(train(place, data, steps, processes))
    lines, weights = [curve(one) for one in (whole, place)], [digests(one, "parts/**/*") for one in (whole, place)]
    counts["lines differ"] = sum(a != b for a, b in zip(*lines, strict=False)) + abs(len(lines[0]) - len(lines[1]))
    counts["weights differ"] = sum(weights[0].get(name) != weights[1].get(name) for name in weights[0].keys() | weights[1])
    counts["twice"], counts["left over"] = steps_twice(place), len(hidden(place))
    return counts | {"lines": len(lines[0])}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--model", default="mustango-mini")
    options = parser.parse_args()
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        commands(Path(folder) / "inputs", options.model, None)
        for processes in options.processes:
            rng = random.Random(options.seed)
            counts = kill_training(Path(folder), Path(folder) / "inputs" / "data", options.model, processes, options.kills, rng)
            bad += sum(value for name, value in counts.items() if name not in ("lines", "ended before"))
            told = ", ".join(f"{name} {value}" for name, value in counts.items())
            print(f"{processes} {'process' if processes == 1 else 'processes'}: {options.kills} kills; {told}", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
