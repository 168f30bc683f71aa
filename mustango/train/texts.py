"""The captions that a clip is told by: which there are, and some of their sentences left out."""

import math

import numpy as np

from musicbench.build.clauses import sentences
from musicbench.build.dataset import row_captions
from mustango.train.recipe import Recipe


def captions_of(row: dict, recipe: Recipe) -> list[str]:
    """Return the captions of a row that are drawn between: its wordings, or the main and the original one."""
    if recipe.wordings:
        return row_captions(row, recipe.wordings)
    return [row["main_caption"], row.get("alt_caption") or row["main_caption"]]


def with_sentences_dropped(text: str, rng: np.random.Generator, share: float, usual: float) -> str:
    """Return a caption, now and then without 20 to 50 % of its sentences, as the original was trained.

    share: how often that is of captions of the `usual` number of sentences; of longer ones less often.
    """
    own = sentences(text)
    if rng.random() * len(own) / usual >= share:
        return text
    left_out = (0.2 + 0.3 * rng.random()) * len(own)
    count = math.floor(left_out) if len(own) < 4 else math.ceil(left_out)
    gone = set(rng.choice(len(own), count, replace=False).tolist())
    return " ".join(sentence for place, sentence in enumerate(own) if place not in gone)
