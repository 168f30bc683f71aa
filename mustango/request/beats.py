"""Beats that follow no grid, given or predicted: what tempo and meter they tell, and where bars begin on them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from musicbench import InputError
from musicbench.music.meters import Meter, meter_counted_to
from musicbench.music.progression import MAX_START_S
from musicbench.music.tempo import MAX_BPM, MIN_BPM
from mustango.request.bounds import read_number

MAX_POSITION = 32  # of a beat in its bar, whatever the model takes


@dataclass(frozen=True)
class Pulse:
    """Beats that need no grid: times and positions, "given" or "predicted"."""

    times: tuple
    positions: tuple
    origin: str

    @property
    def bpm(self):
        """The tempo by least squares; None for fewer than two beats."""
        if len(self.times) < 2:
            return None
        return 60 / float(np.polyfit(np.arange(len(self.times)), self.times, 1)[0])

    @property
    def meter(self):
        """The meter that the highest position tells; None for fewer than two beats."""
        if len(self.times) < 2:
            return None
        return meter_counted_to(max(*self.positions, 2)) or Meter(max(self.positions), 4)

    def fits(self, meter):
        """Return whether the positions count the beats of a meter, as far as they go."""
        highest = max(self.positions)
        counts_again = any(b <= a for a, b in zip(self.positions, self.positions[1:], strict=False))
        return highest == meter.beats or (highest < meter.beats and not counts_again)

    def counted(self, meter):
        """Return the same times, counted anew in a meter."""
        return replace(self, positions=tuple(i % meter.beats + 1 for i in range(len(self.times))))


def steady(times, positions, duration_s):
    """Return (Pulse or None, what is left out or None): the predicted beats that go forward within `duration_s`, if they are a pulse."""
    told = [(t, int(p)) for t, p in zip(times, positions, strict=True)]
    forward, at = [], []
    for t, position in told:
        if t >= 0 and (not forward or t > forward[-1][0]):
            forward.append((t, position))
        else:
            at.append(f"{t:g}")
    shown = ", ".join(at[:4]) + (", ..." if len(at) > 4 else "")
    left_out = f"predicted beats at {shown} s are left out: they do not go forward" if at else None
    kept = [(t, p) for t, p in forward if t < duration_s]
    if len(kept) < 3:
        count = (
            f"only {len(kept)} of the {len(told)} predicted beats go forward within the clip" if told else "no beats are predicted"
        )
        return None, count
    pulse = Pulse(tuple(t for t, _ in kept), tuple(p for _, p in kept), "predicted")
    if not MIN_BPM <= pulse.bpm <= MAX_BPM:
        return None, f"the {len(kept)} predicted beats are no pulse of {MIN_BPM}-{MAX_BPM} bpm and are left out"
    return pulse, left_out


class BeatMap:
    """Where counted beats fall in seconds: beat 0 is a pulse's first downbeat; at `bpm` before its first beat and after its last."""

    def __init__(self, pulse, meter, bpm):
        self.times, self.beat_s, self.places = pulse.times, 60 / bpm, []
        bar, before = (0 if pulse.positions[0] == 1 else -1), 0
        for position in pulse.positions:
            bar += position <= before
            before = position
            self.places.append(bar * meter.beats + position - 1)

    def seconds(self, place):
        """Return when a beat falls."""
        if place < self.places[0]:
            return self.times[0] + (place - self.places[0]) * self.beat_s
        if place > self.places[-1]:
            return self.times[-1] + (place - self.places[-1]) * self.beat_s
        return float(np.interp(place, self.places, self.times))

    def place(self, seconds):
        """Return which beat falls there, a fraction between two."""
        if seconds > self.times[-1]:
            return self.places[-1] + (seconds - self.times[-1]) / self.beat_s
        return float(np.interp(seconds, self.times, self.places))

    def lay_out(self, progression, duration_s, whole):
        """Return (chords, start times) of bars from the first downbeat on; the first chord also sounds before it.

        Raises InputError when `whole` and a chord would start only after the end.
        """
        last = sum(beats for bar in progression.bars for _, beats in bar) - progression.bars[-1][-1][1]
        if whole and self.seconds(last) >= duration_s - 1e-6:
            raise InputError(
                f"chord {progression.chords[-1]} would start at {self.seconds(last):.2f} s, but the clip ends at {duration_s:.2f} s; "
                "give fewer chords, several a bar ('C G | Am F'), or a longer duration"
            )
        chords, places = progression.lay_out(60, max(self.place(duration_s), 0.01), whole=False)
        return chords, [0.0, *(round(self.seconds(place), 6) for place in places[1:])]


def check_rising(name, times):
    """Raise InputError, which begins with `name`, unless each of the times is above the one before it."""
    for before, after in zip(times, times[1:], strict=False):
        if after <= before:
            raise InputError(f"{name} times must rise, but {after:g} s comes after {before:g} s")


def check_inside(name, times, duration_s):
    """Raise InputError, which begins with `name`, unless the last of rising times is before the clip's end."""
    if times and times[-1] >= duration_s:
        longer = f", or a duration above {times[-1]:g} s" if times[-1] < MAX_START_S else ""
        raise InputError(
            f"{name} {len(times)} is at {times[-1]:g} s, but the clip ends at {duration_s:g} s; leave out what comes later{longer}"
        )


def read_beats(beats):
    """Return given beats [[times], [positions]] as a Pulse; None for none. Raises InputError."""
    if beats is None or (isinstance(beats, (str, list, tuple)) and len(beats) == 0):
        return None
    parts = [part.tolist() if isinstance(part, np.ndarray) else part for part in beats] if isinstance(beats, Iterable) else []
    if isinstance(beats, str) or len(parts) != 2 or not all(isinstance(part, (list, tuple)) for part in parts):
        raise InputError(f"beats {repr(beats)[:40]} are no two lists; give [[times in seconds], [positions in the bar]]")
    if len(parts[0]) != len(parts[1]):
        raise InputError(f"beats have {len(parts[0])} times and {len(parts[1])} positions; give a position for each time")
    if not parts[0]:
        return None
    times = tuple(read_number("beat time", t, low=0, high=MAX_START_S) for t in parts[0])
    check_rising("beat", times)
    return Pulse(times, tuple(read_number("beat position", p, int, 1, MAX_POSITION) for p in parts[1]), "given")
