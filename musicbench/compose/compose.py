"""Seed -> a composed piece, rendered through SoundFonts and synthesisers, with exact labels and a caption.

`plan` draws what a piece is (key, meter, tempo, chords, style, instruments, form); `arrange` writes its notes; `render`
makes it sound. `compose` does all three. Everything that is drawn comes from seeded generators, so a seed is a piece.
Controls that are given (chords, tempo, ...) replace what would be drawn: the same arranger then plays those.
"""

from dataclasses import replace

import numpy as np

from musicbench.compose.arranging import arrange
from musicbench.compose.piece_tags import describe
from musicbench.compose.piece_words import caption
from musicbench.compose.planning import check_styles, plan
from musicbench.compose.rendering import render, render_parts
from musicbench.compose.soundfonts import check_sample_rate, find_soundfont

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


QUIETEST = 0.01  # of full scale: a part that is softer than this is not kept alone


def compose(seed, duration_s=10.24, sample_rate=24000, soundfont=None, apart=0.0, **controls):
    """Compose, render and caption the piece of a seed; `controls` as in `plan`.

    The caption states no control sentences. soundfont: a file that is the only one to play from; else the SoundFonts
    that are installed are mixed. apart: the share of seeds of which some parts alone are kept, at their levels in the
    mix; tags, but for `kept`, and caption are those of the whole.
    """
    clip, stems = render_parts(plan(seed, **controls), duration_s, sample_rate, soundfont)
    clip = replace(clip, caption=caption(clip.tags, np.random.default_rng([seed, 4])))
    rng = np.random.default_rng([seed, 8])
    return some_parts(clip, stems, rng) if rng.random() < apart else clip


def some_parts(clip, stems, rng):
    """Return a clip with the sound of some of its parts alone, half of the time of one, and their notes.

    `tags["kept"]` names them.
    """
    heard = [part for part in clip.tags["parts"] if part in stems and np.abs(stems[part]).max() >= QUIETEST]
    if len(heard) < 2:
        return clip
    count = 1 if rng.random() < 0.5 else int(rng.integers(1, len(heard)))
    drawn = set(rng.permutation(heard)[:count])
    kept = [part for part in heard if part in drawn]
    return replace(
        clip,
        samples=sum((stems[part] for part in kept), np.zeros_like(clip.samples)),
        tags={**clip.tags, "kept": kept},
        melody=clip.melody if "lead" in kept else (),
        hits=clip.hits if "drums" in kept else (),
    )
