"""Pictures of sound: a clip on one line, or a whole piece in lines of four bars, with beats and lanes of chords."""

from io import BytesIO

import numpy as np

from musicbench.music.annotation import spans

PAGE_S = 20  # seconds on the width of a page
LANE_COLORS = ("#4c78a8", "#f58518", "#54a24b", "#b279a2")
FMAX_HZ = 10_000
RANGE_DB = 80  # below the loudest, the darkest

# A piece: pixels. On a phone the picture is shown at about a third of its size.
PIECE_WIDTH, MARGIN_LEFT, MARGIN_RIGHT = 1000, 136, 8
NUMBERS_HEIGHT, SOUND_HEIGHT, LANE_HEIGHT, GAP_HEIGHT = 40, 130, 46, 18
TEXT_SIZE = 32
BARS_A_LINE = 4
LINE_S = 8.0  # of a line where there are no bars
DPI = 72  # so that points are pixels


def clip_png(samples, sample_rate, *, beat_times=(), beat_positions=(), lanes=(), dark=False):
    """Draw a clip as PNG bytes.

    Beats are lines, a bar's first beat a stronger one. lanes: (name, times, labels) each, drawn below the spectrogram;
    a label lasts until the next, the last to the end.
    """
    import librosa
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    ink, paper = _colors(dark)
    duration_s = len(samples) / sample_rate
    width = max(duration_s / PAGE_S, 1)
    figure = Figure(figsize=(10 * width, 3.4 + 0.36 * len(lanes)), dpi=90, facecolor=paper, layout="constrained")
    heights = [8, *[1] * len(lanes)]
    rows = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights, squeeze=False)[:, 0]

    top, power_db = rows[0], _power_db(samples, sample_rate)
    top.imshow(
        power_db, origin="lower", aspect="auto", extent=(0, duration_s, 0, 128), cmap="magma",
        vmax=power_db.max(), vmin=power_db.max() - RANGE_DB,
    )  # fmt: skip
    marks = [hz for hz in (110, 440, 1000, 2000, 4000, 8000) if hz < sample_rate / 2]
    scale = librosa.mel_frequencies(130, fmin=0, fmax=min(sample_rate / 2, FMAX_HZ))
    top.set_yticks(np.interp(marks, scale, np.arange(130) - 1), [f"{hz:g} Hz" for hz in marks])
    for time_s, position in zip(beat_times, beat_positions or [0] * len(beat_times), strict=True):
        first = position == 1
        for row in rows:
            row.axvline(time_s, color="white" if row is top else ink, lw=1.2 if first else 0.6, alpha=0.9 if first else 0.4)

    for row, (name, times, labels), color in zip(rows[1:], lanes, LANE_COLORS * len(lanes), strict=False):
        for index, ((start_s, end_s), label) in enumerate(zip(spans(times, duration_s), labels, strict=True)):
            row.axvspan(start_s, end_s, color=color, alpha=0.75 if index % 2 else 0.5, lw=0)
            if (end_s - start_s) * width / max(duration_s, 1e-9) > 0.008 * len(str(label)) + 0.004:
                row.text((start_s + end_s) / 2, 0.5, str(label), ha="center", va="center", fontsize=8, color=ink, clip_on=True)
        row.set_ylim(0, 1)
        row.set_yticks([0.5], [name])
    rows[-1].set_xlim(0, duration_s)
    rows[-1].set_xlabel("seconds")
    rows[-1].xaxis.set_major_locator(MaxNLocator(int(9 * width), steps=[1, 2, 5, 10]))
    for row in rows:
        row.set_facecolor(paper)
        row.tick_params(colors=ink, labelsize=8)
        row.xaxis.label.set_color(ink)
        for spine in row.spines.values():
            spine.set_color(ink)
            spine.set_alpha(0.3)
    return _png(figure, paper)


def piece_lines(beat_times, beat_positions, duration_s):
    """Return the lines of a piece's picture as (start, end) in seconds: four bars each, or 8 s where there are no
    bars."""
    starts = [t for t, position in zip(beat_times, beat_positions, strict=True) if position == 1 and t < duration_s]
    edges = starts[::BARS_A_LINE] or list(np.arange(0.0, duration_s, LINE_S))
    if starts and starts[0] > 0:  # an upbeat stands before the first bar
        edges[0] = 0.0
    return tuple(spans(edges, duration_s))


def piece_scale_s(lines):
    """Return how many seconds the width of a line stands for: the longest line fills it, and a single one that has
    not four bars."""
    return max(end_s - start_s for start_s, end_s in lines)


def piece_png(samples, sample_rate, *, beat_times, beat_positions, lanes=(), dark=False):
    """Draw a whole piece as PNG bytes, in the lines of `piece_lines`, one under the other and of one height.

    Each line has the numbers of its bars, the spectrogram with the beats, and the lanes: (name, times, labels) each, as
    in `clip_png`. The time runs from `MARGIN_LEFT` to `MARGIN_RIGHT` pixels before the right edge.
    """
    from matplotlib.figure import Figure

    ink, paper = _colors(dark)
    duration_s = len(samples) / sample_rate
    lines = piece_lines(beat_times, beat_positions, duration_s)
    line_height = NUMBERS_HEIGHT + SOUND_HEIGHT + LANE_HEIGHT * len(lanes) + GAP_HEIGHT
    height = line_height * len(lines)
    figure = Figure(figsize=(PIECE_WIDTH / DPI, height / DPI), dpi=DPI, facecolor=paper)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.axis("off")
    power_db, bar = _power_db(samples, sample_rate), 0
    pixels_a_s = (PIECE_WIDTH - MARGIN_LEFT - MARGIN_RIGHT) / piece_scale_s(lines)
    beats = list(zip(beat_times, beat_positions, strict=True))
    for number, (start_s, end_s) in enumerate(lines):
        line = _Line(axes, start_s, end_s, pixels_a_s, number * line_height, ink)
        line.draw_sound(power_db, duration_s)
        bar = line.draw_beats(beats, bar, len(lanes))
        for place, lane in enumerate(lanes):
            line.draw_lane(place, *lane, duration_s)
    axes.set_xlim(0, PIECE_WIDTH)
    axes.set_ylim(height, 0)
    return _png(figure, paper)


class _Line:
    """One line of a piece's picture, drawn on axes that count pixels from the top left."""

    def __init__(self, axes, start_s, end_s, pixels_a_s, top, ink):
        self.axes, self.start_s, self.end_s, self.pixels_a_s, self.ink = axes, start_s, end_s, pixels_a_s, ink
        self.top, self.sound_top = top, top + NUMBERS_HEIGHT
        self.sound_bottom = self.sound_top + SOUND_HEIGHT

    def x(self, time_s):
        """Return the pixel of a time, which is held within the line."""
        return MARGIN_LEFT + (min(max(time_s, self.start_s), self.end_s) - self.start_s) * self.pixels_a_s

    def draw_sound(self, power_db, duration_s):
        frames = power_db.shape[1]
        first, last = (round(t / duration_s * frames) for t in (self.start_s, self.end_s))
        loudest_db = power_db.max()
        self.axes.imshow(
            power_db[:, first : max(last, first + 1)], origin="lower", aspect="auto", cmap="magma", vmax=loudest_db,
            vmin=loudest_db - RANGE_DB,
            extent=(self.x(self.start_s), self.x(self.end_s), self.sound_bottom, self.sound_top),
        )  # fmt: skip
        self._write(
            MARGIN_LEFT - 12,
            (self.sound_top + self.sound_bottom) / 2,
            f"{self.start_s // 60:.0f}:{self.start_s % 60:02.0f}",
            "right",
        )

    def draw_beats(self, beats, bar, lanes):
        """Draw the beats and the numbers of the bars; returns the number of the last bar."""
        bottom = self.sound_bottom + lanes * LANE_HEIGHT
        for time_s, position in beats:
            if not self.start_s <= time_s < self.end_s:
                continue
            x, first = self.x(time_s), position == 1
            if first:
                bar += 1
                self._write(x + 4, self.top + NUMBERS_HEIGHT / 2, str(bar), "left", alpha=0.8)
            self.axes.vlines(
                x, self.sound_top, self.sound_bottom, color="white", lw=4 if first else 1.5, alpha=0.9 if first else 0.5
            )
            self.axes.vlines(x, self.sound_bottom, bottom, color=self.ink, lw=2 if first else 1, alpha=0.6 if first else 0.25)
        return bar

    def draw_lane(self, place, name, times, labels, duration_s):
        from matplotlib.patches import Rectangle

        top = self.sound_bottom + place * LANE_HEIGHT
        self._write(MARGIN_LEFT - 12, top + LANE_HEIGHT / 2, name, "right")
        for index, ((start_s, end_s), label) in enumerate(zip(spans(times, duration_s), labels, strict=True)):
            left, right = self.x(start_s), self.x(end_s)
            if right - left < 1:
                continue
            color, alpha = LANE_COLORS[place % len(LANE_COLORS)], 0.75 if index % 2 else 0.5
            self.axes.add_patch(Rectangle((left, top), right - left, LANE_HEIGHT, color=color, alpha=alpha, lw=0))
            fitting = (right - left - 4) / (0.62 * max(len(str(label)), 1))  # a letter is about as wide as 0.62 of its height
            if fitting >= 0.4 * TEXT_SIZE:
                self._write((left + right) / 2, top + LANE_HEIGHT / 2, str(label), "center", min(fitting, TEXT_SIZE))

    def _write(self, x, y, text, where, size=TEXT_SIZE, alpha=1.0):
        self.axes.text(x, y, text, ha=where, va="center_baseline", fontsize=size, color=self.ink, alpha=alpha)


def _colors(dark):
    """Return the colours of ink and paper."""
    return ("#e6e6e6", "#15171c") if dark else ("#222222", "#ffffff")


def _power_db(samples, sample_rate):
    """Return the mel spectrogram (128, frames) in dB."""
    import librosa

    power = librosa.feature.melspectrogram(
        y=np.asarray(samples, np.float32),
        sr=sample_rate,
        n_fft=2048,
        hop_length=512,
        n_mels=128,
        fmax=min(sample_rate / 2, FMAX_HZ),
    )
    return 10 * np.log10(power + 1e-10)


def _png(figure, paper):
    buffer = BytesIO()
    figure.savefig(buffer, format="png", facecolor=paper)
    return buffer.getvalue()
