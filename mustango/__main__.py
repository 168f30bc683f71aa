"""Command line: python -m mustango generate | page | serve | train | evaluate | convert. Asking for help does not load torch."""

import sys

from musicbench import Parser, __version__, run_command
from mustango.cli import convert, evaluate, generate, page, serve, train

COMMANDS = {"generate": generate, "page": page, "serve": serve, "train": train, "evaluate": evaluate, "convert": convert}


def build_parser():
    parser = Parser("mustango", description="Make music from a prompt, chords and a tempo.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        command.add_options(commands.add_parser(name, **command.ABOUT))
    return parser


def main(arguments=None):
    """Run the command line; returns the exit status."""
    options = build_parser().parse_args(arguments)
    return run_command("mustango", COMMANDS[options.command].run, options)


if __name__ == "__main__":
    sys.exit(main())
