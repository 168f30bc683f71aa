"""The controls of one clip as they are played, and their chords written as a line."""

import math
from dataclasses import dataclass, field

from musicbench.music.annotation import Annotation, spans
from musicbench.music.barlengths import shares
from musicbench.music.keys import Key
from musicbench.music.meters import Meter

SAID = {"given": "", "prompt": " (prompt)", "predicted": " (predicted)", "chosen": " (chosen)"}  # a control's origin, in a summary
ASKED = ("chords", "tempo", "key", "meter", "duration")


@dataclass(frozen=True, kw_only=True)
class Controls(Annotation):
    """The controls of one clip of `duration_s`, as they are played.

    parts: which sound, None where that is left open; melody and hits are empty where they are.
    origin: where each of ASKED comes from: given, prompt, predicted or chosen. asked: what was asked for of ASKED, as it was
    written; None where nobody asked. notes: what is played otherwise than it was asked, and why. text: what the text encoder is
    given, the prompt and what its style implies ("no drums"). left_to_predictors: which of tempo, meter and chords the model's
    predictors will tell when the music is made; until then they are as the prompt and rules have them.
    """

    bpm: float
    meter: Meter
    key: Key
    duration_s: float
    parts: tuple | None = None
    origin: dict = field(default_factory=dict)
    notes: tuple = ()
    asked: dict = field(default_factory=dict)
    text: str = ""
    left_to_predictors: frozenset = frozenset()

    @property
    def key_heard_in(self):
        """The key, or None where no chord sounds that it could be heard in."""
        return self.key if any(chord.root is not None for chord in self.chords) else None


TICKS = 12  # a beat: halves, thirds and quarters


def chord_line(controls):
    """Write the chords of `controls` as a chord line that gives the same chords at the same times again, a loop once."""
    tick_s, ticks = 60 / controls.bpm / TICKS, controls.meter.beats * TICKS
    bars = {}
    for chord, (start_s, end_s) in zip(controls.chords, spans(controls.chord_times, controls.duration_s), strict=True):
        name, first, last = chord.lead_sheet(controls.key), round(start_s / tick_s), math.ceil((end_s - 1e-4) / tick_s - 1e-3)
        if abs(first * tick_s - start_s) > 1e-4 or (not bars and first):  # between the ticks, or late: starts in seconds
            return " ".join(
                f"{round(t, 6):.10g}:{c.lead_sheet(controls.key)}"
                for t, c in zip(controls.chord_times, controls.chords, strict=True)
            )
        last = max(last, first + 1)
        while first < last:
            until = min(last, (first // ticks + 1) * ticks)
            bars.setdefault(first // ticks, []).append((name, until - first))
            first = until
    bars = _once([bar for _, bar in sorted(bars.items())])
    name, _ = bars[-1].pop()
    bars[-1].append((name, ticks - sum(n for _, n in bars[-1])))  # the clip may end within a bar
    if all(len(bar) == 1 for bar in bars):
        return " ".join(bar[0][0] for bar in bars)
    return " | ".join(map(_written, bars)) + " |"


def _written(bar):
    """Write a bar [(name, ticks), ...], without counts where its chords share it as a chord line without them is read."""
    beats = [n / TICKS for _, n in bar]
    is_read_so = beats == shares(sum(beats), len(bar))
    return " ".join(name if is_read_so else f"{name}:{n:.12g}" for (name, _), n in zip(bar, beats, strict=True))


def _once(bars):
    """Return the shortest beginning of bars [[(name, ticks), ...], ...] that gives them all when repeated; the last may be cut short."""
    *whole, last = bars

    def begins(bar):
        name, count = bar[min(len(last), len(bar)) - 1]
        return last[:-1] == bar[: len(last) - 1] and last[-1][0] == name and last[-1][1] <= count

    for n in range(1, len(bars)):
        if whole[n:] == whole[: len(whole) - n] and begins(whole[(len(bars) - 1) % n]):
            return bars[:n]
    return bars
