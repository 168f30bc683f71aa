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

__version__ = "0.1.0"


class InputError(ValueError):
    """A mistake in what the user gave; its text is one line that names the value and the remedy."""


def positive(text):
    """Read a command-line option that is a whole number from 1."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} is below 1")
    return value
