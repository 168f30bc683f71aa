"""Command line: python -m musicbench compose."""

import argparse
import sys

from musicbench import InputError, __version__


def _count(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} is below 1")
    return value


def build_parser():
    parser = argparse.ArgumentParser("musicbench", description="Make training rows for text-to-music models.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True)
    compose = commands.add_parser("compose", help="compose, render and label pieces by seed")
    compose.add_argument("-o", "--out", required=True, metavar="DIR", help="dataset folder; what is there is kept")
    compose.add_argument("--count", type=_count, default=100, help="pieces (default 100)")
    compose.add_argument("--seed", type=int, default=0, help="first seed; pieces take seed, seed+1, ... (default 0)")
    compose.add_argument("--duration", type=float, default=10.24, help="seconds (default 10.24)")
    compose.add_argument("--sample-rate", type=_count, default=24000, help="Hz (default 24000)")
    compose.add_argument("--workers", type=_count, default=1, help="processes (default 1)")
    compose.add_argument("--soundfont", help="SF2 or SF3 file (default: $MUSICBENCH_SOUNDFONT, then FluidR3)")
    return parser


def main(arguments=None):
    """Run the command line; returns the exit status."""
    options = build_parser().parse_args(arguments)
    try:
        from musicbench.dataset import write_composed

        if not 1 <= options.duration <= 600:
            raise InputError(f"duration {options.duration:g} s is outside 1-600; give seconds")
        made = write_composed(
            options.out, options.count, options.seed, options.duration, options.sample_rate, options.workers, options.soundfont
        )
        print(f"{made} pieces composed into {options.out}")
    except InputError as error:
        print(f"musicbench: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("musicbench: stopped; run again to go on", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
