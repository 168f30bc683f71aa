"""A picture of a clip: log-mel spectrogram, beats as lines, lanes of chords."""

from io import BytesIO

import numpy as np

PAGE_S = 20  # seconds on the width of a page
LANE_COLORS = ("#4c78a8", "#f58518", "#54a24b", "#b279a2")


def pages(duration_s):
    """Return how many page widths the picture of a clip takes: one, more for long clips."""
    return max(duration_s / PAGE_S, 1)


def clip_png(samples, sample_rate, *, beat_times=(), beat_positions=(), lanes=(), dark=False):
    """Draw a clip as PNG bytes.

    Beats are lines, a bar's first beat a stronger one. lanes: (name, times, labels) each, drawn below the spectrogram; a label
    lasts until the next, the last to the end.
    """
    import librosa
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    ink, paper = ("#e6e6e6", "#15171c") if dark else ("#222222", "#ffffff")
    duration_s = len(samples) / sample_rate
    width = pages(duration_s)
    figure = Figure(figsize=(10 * width, 3.4 + 0.36 * len(lanes)), dpi=90, facecolor=paper, layout="constrained")
    heights = [8, *[1] * len(lanes)]
    rows = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights, squeeze=False)[:, 0]

    power = librosa.feature.melspectrogram(
        y=np.asarray(samples, np.float32), sr=sample_rate, n_fft=2048, hop_length=512, n_mels=128, fmax=min(sample_rate / 2, 10000)
    )
    top = rows[0]
    top.imshow(
        10 * np.log10(power + 1e-10), origin="lower", aspect="auto", extent=(0, duration_s, 0, 128), cmap="magma",
        vmax=10 * np.log10(power.max() + 1e-10), vmin=10 * np.log10(power.max() + 1e-10) - 80,
    )  # fmt: skip
    marks = [hz for hz in (110, 440, 1000, 2000, 4000, 8000) if hz < sample_rate / 2]
    scale = librosa.mel_frequencies(130, fmin=0, fmax=min(sample_rate / 2, 10000))
    top.set_yticks(np.interp(marks, scale, np.arange(130) - 1), [f"{hz:g} Hz" for hz in marks])
    for time_s, position in zip(beat_times, beat_positions or [0] * len(beat_times), strict=True):
        first = position == 1
        for row in rows:
            row.axvline(time_s, color="white" if row is top else ink, lw=1.2 if first else 0.6, alpha=0.9 if first else 0.4)

    for row, (name, times, labels), color in zip(rows[1:], lanes, LANE_COLORS * len(lanes), strict=False):
        ends = [*list(times)[1:], duration_s]
        for index, (start_s, end_s, label) in enumerate(zip(times, ends, labels, strict=True)):
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
    buffer = BytesIO()
    figure.savefig(buffer, format="png", facecolor=paper)
    return buffer.getvalue()
