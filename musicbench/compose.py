"""Seed -> a composed piece, rendered through SoundFonts and synthesisers, with exact labels and a caption.

`plan` draws what a piece is (key, meter, tempo, chords, style, instruments, form); `arrange` writes its notes; `render` makes it sound.
`compose` does all three. Everything that is drawn comes from seeded generators, so a seed is a piece. Controls that are given (chords,
tempo, ...) replace what would be drawn: the same arranger then plays those.
"""

from dataclasses import replace

import numpy as np

from musicbench.arranging import arrange
from musicbench.piece_tags import describe
from musicbench.piece_words import caption
from musicbench.planning import check_styles, plan
from musicbench.rendering import render, render_parts
from musicbench.soundfonts import check_sample_rate, find_soundfont

__all__ = [
    "arrange",
    "caption",
    "check_sample_rate",
    "check_styles",
    "compose",
    "describe",
    "find_soundfont",
    "plan",
    "render",
    "render_parts",
]


def compose(seed, duration_s=10.24, sample_rate=24000, soundfont=None, **controls):
    """Compose, render and caption the piece of a seed; `controls` as in `plan`. The caption states no control sentences.

    soundfont: a file that is the only one to play from; else the SoundFonts that are installed are mixed.
    """
    clip = render(plan(seed, **controls), duration_s, sample_rate, soundfont)
    return replace(clip, caption=caption(clip.tags, np.random.default_rng([seed, 4])))
