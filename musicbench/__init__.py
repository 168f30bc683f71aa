"""Songs -> captioned, augmented training rows.

Conventions, everywhere in this package and in `mustango`:

- times and durations are seconds from the start of the clip, as floats;
- tempo is in counted beats per minute (`bpm`); 6/8 counts six eighths, so its beat is the eighth note;
- a beat's position counts from 1, the downbeat;
- frequencies are in Hz, gains in dB, pitches MIDI note numbers, pitch classes 0..11 with C = 0;
- chords are written Harte style (`A:min7/b3`) in data and lead-sheet style (`Am7/C`) for people;
- audio is float32 in [-1, 1], mono, shape (samples,).

A mistake a user can make raises `InputError`: one line with the value, the bound and the remedy.
"""

import argparse
import os
import re
import sys
from collections.abc import Callable, Collection, Sequence
from difflib import get_close_matches
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NoReturn

__version__ = "0.2.0"


class InputError(ValueError):
    """A mistake in what the user gave; its text is one line that names the value and the remedy."""


def quoted(text: object) -> str:
    """Quote what a user wrote, shortened, for a message."""
    text = str(text)
    return repr(text if len(text) <= 40 else text[:37] + "...")


def on_one_line(text: object) -> str:
    """Return text as a terminal shows it on one line: control characters, which files from strangers may hold, are spelled out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(text).strip().replace("\n", " "))


def check_installed(what: str, extra: str, *modules: str) -> None:
    """Raise InputError unless the modules that something needs are installed; `extra` is the package's extra that brings them."""
    missing = next((module for module in modules if find_spec(module) is None), None)
    if missing:
        raise InputError(f"{what} needs {missing}; pip install 'mustango[{extra}]'")


def positive(text: str) -> int:
    """Read a command-line option that is a whole number from 1."""
    value = whole(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is below 1; give a whole number from 1")
    return value


def whole(text: str) -> int:
    """Read a command-line option that is a whole number."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a whole number; give a whole number") from None


def number(text: str) -> float:
    """Read a command-line option that is a number."""
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if value != value:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a number; give a number")
    return value


# What argparse says, and what a `Parser` says.
_MESSAGES = (
    (r"argument (.+?): invalid choice: (.+) (\(choose from .+\))", "{0} {1} is unknown {2}"),
    (r"argument (.+?): expected (?:one|at least one) argument", "{0} lacks its value; give one"),
    (r"argument (.+?): expected (\d+) arguments", "{0} takes {1} values; give them all"),
    (r"argument (.+?): not allowed with argument (.+)", "{0} and {1} exclude each other; leave one of the two out"),
    (r"argument (.+?): ignored explicit argument (.+)", "{0} takes no value; leave {1} out"),
    (r"argument (.+?): (.+)", "{0} {1}"),
    (r"unrecognized arguments: (.+)", "unknown: {0}; put text of several words in quotes, and see {prog} --help for the options"),
    (r"the following arguments are required: (.+)", "missing: {0}; see {prog} --help"),
    (r"(.+) stands before the command; (.+)", "{0} stands before the command; {1}"),
    (r"(unknown option .+)", "{0}"),
    (r"(.+)", "{0}; see {prog} --help"),
)


class Parser(argparse.ArgumentParser):
    """An argument parser that says in one line what is wrong and what would be right; the exit status is 2.

    Options are written in full. Empty text is refused as the value of any option or argument but those in `may_be_empty`.
    """

    def __init__(self, *args: Any, may_be_empty: Collection[str] = (), **options: Any) -> None:
        super().__init__(*args, allow_abbrev=False, **options)
        self.may_be_empty = may_be_empty

    def parse_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> Any:
        """Return the options. Prints one line and exits when something is wrong."""
        args = sys.argv[1:] if args is None else list(args)
        self._check_first(args)
        options, unknown = self.parse_known_args(args, namespace)
        if unknown:
            self._refuse(unknown, args)
        return options

    def _refuse(self, unknown, args):
        """Stop at words that no option takes: name the option that is meant, and the command's own help."""
        commands = next((action.choices for action in self._actions if isinstance(action, argparse._SubParsersAction)), {})
        parser = next((commands[word] for word in args if word in commands), self)
        dashed = [word for word in args if word.startswith(("\u2013", "\u2014")) or (word in unknown and word.startswith("-"))]
        if dashed:
            first = dashed[0].partition("=")[0]
            word = first.lstrip("-\u2013\u2014")  # long dashes, as phones and word processors make of two
            names = [name for name in parser._option_string_actions if name.startswith("--")]
            near = get_close_matches(f"--{word}", names, 1, 0.6)
            meant = f"did you mean {near[0]}? " if near else ""
            self.error(f"unknown option {first}; {meant}{parser.prog} --help lists them")
        self.error(f"unrecognized arguments: {' '.join(text or repr(text) for text in unknown)}")

    def error(self, message: str) -> NoReturn:
        """Print one line to standard error and exit."""
        message = " ".join(message.split())
        found, said = next((match, said) for wanted, said in _MESSAGES if (match := re.fullmatch(wanted, message)))
        parts = [_shortened(part) for part in found.groups()]
        print(f"{self.prog.split()[0]}: {said.format(*parts, prog=self.prog)}", file=sys.stderr)
        sys.exit(2)

    def _check_first(self, args):
        """Stop at an option that stands where a command is expected, before its value is taken for the command."""
        commands = next((action.choices for action in self._actions if isinstance(action, argparse._SubParsersAction)), None)
        first = args[0].partition("=")[0] if args else ""
        if not commands or not first.startswith("-") or first in self._option_string_actions:
            return
        knows = [name for name, parser in commands.items() if first in parser._option_string_actions]
        if knows:
            self.error(f"{first} stands before the command; options stand after it: {self.prog} {knows[0]} ... {first} ...")
        self._refuse(args[:1], args)

    def _check_value(self, action, value):
        super()._check_value(action, value)
        if value == "" and action.dest not in self.may_be_empty:
            raise argparse.ArgumentError(action, "is empty; give a value, or leave it out")


def _shortened(text, most=120):
    return text if len(text) <= most else f"{text[:most]}..."


def run_command(program: str, command: Callable[[Any], Any], options: Any, stopped: str = "stopped") -> Any:
    """Run a program's command; returns its exit status, 2 after an InputError, which is told in one line."""
    try:
        status = command(options)
        print(end="", flush=True)
        return status
    except InputError as error:
        print(f"{program}: {on_one_line(error)}", file=sys.stderr, flush=True)
        return 2
    except KeyboardInterrupt:
        print(f"{program}: {stopped}", file=sys.stderr)
        return 130
    except BrokenPipeError:  # whoever read the output has gone, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def __getattr__(name):
    """`load` of `musicbench.build.copy_loading` is looked up when it is used, so that this package imports nothing of its own."""
    if name == "load":
        return import_module("musicbench.build.copy_loading").load
    raise AttributeError(f"module 'musicbench' has no attribute {name!r}")
