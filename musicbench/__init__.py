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
import re
import sys

__version__ = "0.1.0"


class InputError(ValueError):
    """A mistake in what the user gave; its text is one line that names the value and the remedy."""


def positive(text):
    """Read a command-line option that is a whole number from 1."""
    value = whole(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is below 1; give a whole number from 1")
    return value


def whole(text):
    """Read a command-line option that is a whole number."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a whole number; give a whole number") from None


def number(text):
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
    (r"(.+)", "{0}; see {prog} --help"),
)


class Parser(argparse.ArgumentParser):
    """An argument parser that says in one line what is wrong and what would be right; the exit status is 2."""

    def error(self, message):
        """Print one line to standard error and exit."""
        message = " ".join(message.split())
        wanted, said = next(pair for pair in _MESSAGES if re.fullmatch(pair[0], message))
        parts = [_shortened(part) for part in re.fullmatch(wanted, message).groups()]
        print(f"{self.prog.split()[0]}: {said.format(*parts, prog=self.prog)}", file=sys.stderr)
        sys.exit(2)


def _shortened(text, most=120):
    return text if len(text) <= most else f"{text[:most]}..."
