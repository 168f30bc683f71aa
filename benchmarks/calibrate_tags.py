"""From which probabilities MusiCNN's tags may be said: fitted on one folder of composed clips, tested on another.

    python benchmarks/hear_composed.py CALIBRATION; python benchmarks/hear_composed.py TEST
    python benchmarks/calibrate_tags.py TEST CALIBRATION ...

A word is right where the clip's tags have it: of the composer's instruments one of that kind, of its styles one of that family.
The threshold is the lowest from which 92 % of the calibration clips are right, counting two wrong clips more than there are, so
that a word needs 23 clips at least. The last column of the table is what counts: clips that were not used for calibration.
"""

import sys
from pathlib import Path

import numpy as np
from hear_composed import heard

from musicbench.build.dataset import read_rows
from musicbench.compose.instruments import INSTRUMENTS as PLAYED
from musicbench.hearing.tagger import INSTRUMENTS, STYLES, instruments_heard, styles_heard

RIGHT, WRONG_BESIDES = 0.92, 2
_ALL = {instrument.kind for instrument in PLAYED.values()}
_SYNTHS = {
    kind for kind in _ALL if "synth" in kind or kind in ("303", "808 bass", "hoover", "reese bass", "wobble bass", "fm bass", "pluck", "donk")
} | {"chip sound", "braam"}  # fmt: skip
_BOWED = {"strings", "violin", "viola", "cello", "tremolo strings"}
KINDS = {  # the composer's kinds for which a word is right
    "distorted guitar": {"distorted guitar"},
    "electric guitar": {"distorted guitar", "electric guitar", "muted guitar"},
    "acoustic guitar": {"acoustic guitar"},
    "plucked strings": {
        "acoustic guitar",
        "sitar",
        "banjo",
        "koto",
        "shamisen",
        "harp",
        "hammered dulcimer",
        "harpsichord",
        "pizzicato",
    },
    "piano": {"piano", "honky tonk piano"},
    "synthesizer": _SYNTHS,
    "choir": {"choir"},
    "flute": {"flute", "pan flute", "recorder", "piccolo", "shakuhachi"},
    "violin": {"violin"},
    "strings": _BOWED | {"pizzicato"},
    "harp": {"harp"},
    "sitar": {"sitar"},
    "harpsichord": {"harpsichord"},
}
_METAL = {"metal", "thrash", "doom metal", "hard rock"}
_DANCE = {
    "house", "deep house", "techno", "acid house", "trance", "psytrance", "drum and bass", "jungle", "dubstep", "uk garage", "disco", "electro",
    "future bass", "hardstyle", "gabber", "eurodance", "synth-pop", "reggaeton", "dancehall", "afrobeats", "electronic", "hyperpop", "breakbeat",
}  # fmt: skip
FAMILIES = {
    "metal": _METAL,
    "punk": {"punk", "indie rock", *_METAL},
    "rock": _METAL | {"rock", "punk", "indie rock", "post-rock", "progressive rock", "surf rock", "rock and roll", "new wave"},
    "techno": {"techno", "acid house", "trance", "psytrance", "house", "deep house", "hardstyle", "gabber"},
    "electronic": _DANCE
    | {"synthwave", "downtempo", "ambient", "dark ambient", "trip hop", "chiptune", "drone", "trap", "drill", "idm"},
    "dance": _DANCE,
    "ambient": {"ambient", "dark ambient", "drone", "new age", "downtempo"},
    "jazz": {"jazz", "swing", "gypsy jazz", "bossa nova", "ragtime", "bebop", "boogie woogie", "big band"},
    "classical": {
        "classical",
        "baroque",
        "chamber music",
        "romantic",
        "renaissance",
        "impressionism",
        "minimalism",
        "waltz",
        "hymn",
    },
    "folk": {
        "folk",
        "country",
        "bluegrass",
        "celtic",
        "jig",
        "slip jig",
        "reel",
        "flamenco",
        "andean",
        "lullaby",
        "medieval",
        "hawaiian",
    },
    "country": {"country", "bluegrass", "rock and roll"},
    "funk": {"funk", "soul", "disco", "afrobeat"},
    "hip hop": {"hip hop", "trap", "drill", "lo-fi", "trip hop"},
    "choral": {"gregorian chant", "hymn", "a cappella", "gospel", "madrigal"},
}


def is_right(word: str, row: dict) -> bool:
    """Return whether a word for an instrument or a style is right of a composed row."""
    if word == "drums":
        return bool(row["tags"]["drums"])
    if word in KINDS:
        return bool(KINDS[word] & {PLAYED[name].kind for _, name in row["tags"]["voices"]})
    return row["tags"]["style"] in FAMILIES[word]


def threshold(scores: np.ndarray, right: np.ndarray) -> float | None:
    """Return the lowest score from which RIGHT of the clips are right, None where none is."""
    order = np.argsort(-scores)
    share = np.cumsum(right[order]) / (np.arange(1, len(order) + 1) + WRONG_BESIDES)
    enough = np.flatnonzero(share >= RIGHT)
    return round(float(scores[order[enough.max()]]), 3) if len(enough) else None


def _read(folder):
    found, rows = heard(folder), {row["seed"]: row for row in read_rows(folder)}
    return [(rows[seed], one["tags"]) for seed, one in found.items()]


def main():
    test, *others = (_read(Path(folder)) for folder in sys.argv[1:])
    calibration = [one for folder in others for one in folder]
    print(
        f"{len(calibration)} clips to calibrate, {len(test)} to test\nword               least    now      said  right | said  right in test"
    )
    for one in (*INSTRUMENTS, *STYLES):
        scores = np.array([one.score(tags) for _, tags in calibration])
        right = np.array([is_right(one.word, row) for row, _ in calibration])
        least = threshold(scores, right)
        line = f"{one.word:18} {least!s:8} {one.least!s:8}"
        if least is not None:
            kept = [is_right(one.word, row) for row, tags in test if one.score(tags) >= least]
            said = right[scores >= least]
            line += f" {len(said):4} {said.mean():6.2f} | {len(kept):4} {np.mean(kept) if kept else float('nan'):6.2f}"
        print(line)
    for name, words in (("instruments", instruments_heard), ("styles", styles_heard)):
        said = [(word, is_right(word, row)) for row, tags in test for word in words(tags)]
        clips = sum(bool(words(tags)) for _, tags in test)
        right = np.mean([is_so for _, is_so in said]) if said else float("nan")
        print(f"{name} as they are said now: {len(said)} words in {clips} of {len(test)} test clips, right {right:.1%}")


if __name__ == "__main__":
    main()
