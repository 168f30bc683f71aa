"""What a recording sounds like, in words of 32 bits, by Chromaprint: the same for a copy that is softer, coded, or begins later.

Chromaprint is no part of the installation: pyacoustid (MIT) finds its library (LGPL-2.1), which the system brings.
"""

from functools import cache
from pathlib import Path

import numpy as np

from musicbench.sound.soundfiles import SoundFile

MOST_S = 120.0  # of a recording
WORD_S = 1365 / 11025  # between two words
REMEDY = "pip install pyacoustid and the system's library (Debian: libchromaprint1)"


@cache
def why_no_fingerprints() -> str:
    """Say why recordings cannot be compared here, "" where they can."""
    try:
        import chromaprint  # noqa: F401
    except ImportError as error:
        return f"songs are compared by their titles alone ({error}); {REMEDY}, and copies of a recording are found by sound"
    return ""


def fingerprint(path: Path | str) -> tuple[np.ndarray, dict]:
    """Return (words uint32, the file's tags) of a sound file's first two minutes; less than three seconds have no words.

    Without Chromaprint there are no words. Raises InputError where the file cannot be read.
    """
    with SoundFile(path) as file:
        tags = dict(file.tags)
        return (np.zeros(0, np.uint32) if why_no_fingerprints() else _words(file)), tags


def _words(file):
    import chromaprint

    printer, left = chromaprint.Fingerprinter(), round(MOST_S * file.sample_rate)
    printer.start(file.sample_rate, 1)
    for block in file.blocks():
        samples = np.nan_to_num(block.samples[:left].mean(axis=1), posinf=0, neginf=0)
        printer.feed((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
        left -= len(samples)
        if left <= 0:
            break
    words, _ = chromaprint.decode_fingerprint(printer.finish())
    return np.array(words, np.uint32)
