"""How fast does the composer write and render? Clips against processor time: python benchmarks/compose.py --count 20"""

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from musicbench.compose.compose import compose


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100)
    options = parser.parse_args()
    for seed in range(10):
        compose(seed)  # the first ones load the SoundFonts
    taken = []
    for seed in range(10, 10 + options.count):
        started = time.process_time()
        duration_s = compose(seed).duration_s
        taken.append(time.process_time() - started)
    mean_s = sum(taken) / len(taken)
    print(
        f"{options.count} clips of {duration_s:g} s on one core: {mean_s:.2f} s each, 95 % below {sorted(taken)[int(0.95 * len(taken))]:.2f} s; "
        f"{duration_s / mean_s:.0f} times real time"
    )


if __name__ == "__main__":
    main()
