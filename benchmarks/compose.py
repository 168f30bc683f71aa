"""How fast does the composer write and render? Clips against processor time: python benchmarks/compose.py --count 20"""

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from musicbench.compose import compose


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=20)
    options = parser.parse_args()
    compose(0)  # the first one loads the SoundFont
    started = time.process_time()
    sounded_s = sum(compose(seed).duration_s for seed in range(1, options.count + 1))
    print(f"{options.count} clips: {sounded_s / (time.process_time() - started):.0f} times real time on one core")


if __name__ == "__main__":
    main()
