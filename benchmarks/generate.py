"""How long a clip takes on this machine, and how much memory: python benchmarks/generate.py

Prints the warm time of a clip (of 10 s, or --duration) as a share of its length, the whole command from a cold start, `--help`, and the peak
resident memory of the command.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROMPT = "upbeat piano pop with drums"
CONTROLS = {"chords": "C G Am F", "tempo": 120}


def command(*arguments):
    """Run the command line; returns (seconds, peak memory in MiB of that process)."""
    started = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "mustango", *arguments], cwd=ROOT, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"mustango {' '.join(arguments)} ended with status {status}")
    return time.perf_counter() - started, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--duration", type=float, default=10.0)
    options = parser.parse_args()

    help_s = statistics.median(command("--help")[0] for _ in range(options.repeats))
    with tempfile.TemporaryDirectory() as folder:
        out = str(Path(folder) / "x.wav")
        asked = {**CONTROLS, "steps": options.steps, "duration": options.duration}
        given = [word for name, value in asked.items() for word in (f"--{name}", str(value))]
        whole_s, peak_mib = command("generate", PROMPT, *given, "-o", out)

    sys.path.insert(0, str(ROOT))
    import torch

    from mustango.pipeline import load_pipeline

    pipeline = load_pipeline(quiet=True)
    pipeline(PROMPT, **CONTROLS, duration=10.0, steps=2)
    times = []
    for seed in range(options.repeats):
        started = time.perf_counter()
        pipeline(PROMPT, **asked, seed=seed)
        times.append(time.perf_counter() - started)
    warm_s = statistics.median(times)
    print(f"{os.cpu_count()} cores, {torch.get_num_threads()} threads, {options.steps} steps with guidance")
    share = warm_s / options.duration
    print(f"warm {options.duration:g} s clip: {warm_s:.2f} s = {share:.2f} of its length (median of {options.repeats})")
    print(f"whole command, cold: {whole_s:.1f} s, peak memory {peak_mib:.0f} MiB")
    print(f"mustango --help: {help_s:.2f} s (median of {options.repeats})")


if __name__ == "__main__":
    main()
