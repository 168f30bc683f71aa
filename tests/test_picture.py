"""Pictures of sound."""

from io import BytesIO

import numpy as np
import pytest
from matplotlib.image import imread

from musicbench.music.meters import Meter
from musicbench.music.progression import beat_grid
from musicbench.sound.picture import (
    GAP_HEIGHT,
    LANE_HEIGHT,
    MARGIN_LEFT,
    MARGIN_RIGHT,
    NUMBERS_HEIGHT,
    PIECE_WIDTH,
    SOUND_HEIGHT,
    clip_png,
    piece_lines,
    piece_png,
    piece_scale_s,
)

RATE = 8000


def test_lines_have_four_bars_each():
    times, positions = beat_grid(120, Meter(3, 4), 20.0)
    assert piece_lines(times, positions, 20.0) == ((0.0, 6.0), (6.0, 12.0), (12.0, 18.0), (18.0, 20.0))
    assert piece_lines((), (), 20.0) == ((0.0, 8.0), (8.0, 16.0), (16.0, 20.0))  # no bars
    upbeat = piece_lines((0.5, 1.0, 1.5, 2.0), (2, 1, 2, 1), 2.5)
    assert upbeat == ((0.0, 2.5),) and piece_scale_s(upbeat) == 2.5


@pytest.mark.parametrize(("bpm", "duration_s"), [(120, 8.0), (97, 31.0), (240, 1.0), (20, 30.0)])
def test_lines_hold_the_whole_piece(bpm, duration_s):
    lines = piece_lines(*beat_grid(bpm, Meter(), duration_s), duration_s)
    assert lines[0][0] == 0 and lines[-1][1] == duration_s
    assert all(end == start for (_, end), (start, _) in zip(lines, lines[1:], strict=False))


def drawn(png):
    return imread(BytesIO(png))[..., :3]


def test_a_piece_shows_sound_where_it_is():
    """A click at 10.5 s, in the second line of four bars, is bright there and nowhere else."""
    samples = np.zeros(16 * RATE)
    samples[round(10.5 * RATE)] = 1.0
    times, positions = beat_grid(120, Meter(), 16.0)
    lanes = [("asked", (0.0, 8.0), ("C", "G"))]
    image = drawn(piece_png(samples, RATE, beat_times=times, beat_positions=positions, lanes=lanes))
    line_height = NUMBERS_HEIGHT + SOUND_HEIGHT + LANE_HEIGHT + GAP_HEIGHT
    assert image.shape[:2] == (2 * line_height, PIECE_WIDTH)
    width = PIECE_WIDTH - MARGIN_LEFT - MARGIN_RIGHT
    beats_x = MARGIN_LEFT + np.arange(16) * width / 16
    for line, bright_s in ((0, None), (1, 2.5)):
        row = image[line * line_height + NUMBERS_HEIGHT + 20].sum(axis=1)
        between = [x for x in range(MARGIN_LEFT, PIECE_WIDTH - MARGIN_RIGHT) if np.abs(beats_x - x).min() > 6]
        bright = [x for x in between if row[x] > 0.5]
        at_s = [(x - MARGIN_LEFT) / width * 8 for x in bright]
        assert (not at_s) if bright_s is None else (at_s and all(abs(t - bright_s) < 0.4 for t in at_s))


def test_a_piece_can_be_dark():
    beats = dict(beat_times=(0.0, 0.5), beat_positions=(1, 2))
    light, dark = (drawn(piece_png(np.zeros(RATE), RATE, **beats, dark=dark)) for dark in (False, True))
    assert light[0, 0].mean() > 0.9 and dark[0, 0].mean() < 0.2


def test_a_clip_is_one_line():
    png = clip_png(np.random.default_rng(0).normal(0, 0.1, RATE), RATE, beat_times=(0.0, 0.5), lanes=[("asked", (0.0,), ("C",))])
    assert drawn(png).shape[1] > drawn(png).shape[0]
