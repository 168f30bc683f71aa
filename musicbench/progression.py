"""Chords in time: the chord line that a user writes, read into a `Progression`; the beat grid.

Times are seconds, lengths beats of the meter.
"""

import math
import re
from dataclasses import dataclass
from itertools import accumulate

from musicbench import InputError
from musicbench.theory import NO_CHORD, Meter, ascii_accidentals, numeral_key, parse_symbol, quoted


def beat_grid(bpm, meter, duration_s, first_s=0.0, first_position=1):
    """Return (times, positions) of the beats in [0, duration_s): a steady pulse whose first beat is at `first_s`."""
    times, positions = [], []
    index = 0
    while (t := first_s + index * 60 / bpm) < duration_s - 1e-9:
        if t > -1e-9:
            times.append(round(max(t, 0.0), 6))
            positions.append((first_position - 1 + index) % meter.beats + 1)
        index += 1
    return times, positions


MAX_LINE = 20_000  # characters: 120 s with a chord on every beat
MAX_START_S = 100_000
ARROWS = "->|→|=>|>"
_AROUND_CHORDS = re.compile(r"([\w#]\([^()\s]*\))|[,;`*]")  # within a chord's own brackets, C:7(*5,b5), they belong to it
_BETWEEN_CHORDS = re.compile(rf" ?(?:{ARROWS}) ?|(?<!\S)(?:[+&—]|-+)(?!\S)|(?<=\S)-(?=[A-G]|[b#]?[IViv])")


def unfolded(line):
    """Write what stands between |: and :| (or from the start to :|) twice. Raises InputError for a |: left open."""
    *repeats, rest = line.replace(":|:", ":| |:").split(":|")
    played = []
    for part in repeats:
        before, _, repeated = part.rpartition("|:")
        played += [before, repeated, repeated]
    played.append(rest)
    if any("|:" in part for part in played):
        raise InputError(f"a repeat |: is left open in {quoted(line)}; end it with :| or write a plain bar line |")
    return " | ".join(part.strip(" |") for part in played if part.strip(" |"))


@dataclass(frozen=True)
class Progression:
    """Chords in time. Either `bars` (each a tuple of (chord, beats)) or `timed` ((start in seconds, chord), ...)."""

    bars: tuple = ()
    timed: tuple = ()

    @classmethod
    def parse(cls, text, meter=Meter(), key=None):  # noqa: B008 (frozen)
        """Read a chord line.

        `C G Am F`: one chord a bar. `C | G Am | F:2 G:2`: bars; the chords of a bar share it, `:n` gives beats (n up to
        the meter's beats; a larger number is a chord type, so `C:7` is C7 in 4/4), `%` is the bar before again. `0:C 2.5:G`: starts
        in seconds.
        What is between |: and :| is played twice; a lone / holds a chord for a beat where a bar has as many places as beats.
        Commas, arrows, dashes and other signs between chords are passed over. Roman numerals are read in `key` (when None in
        C major, or in C minor where the tonic is a small i). Raises InputError.
        """
        text = _AROUND_CHORDS.sub(lambda match: match[1] or " ", ascii_accidentals(text)).replace("‖", "|")
        text = "\n".join(" ".join(words) for words in map(str.split, text.splitlines()) if words)
        if len(text) > MAX_LINE:
            raise InputError(f"the chord line has {len(text)} characters, above {MAX_LINE}; shorten it")
        text = re.sub(r"\|+", "|", text.replace("|\n|", "|").replace("\n", " "))
        text = re.sub(r"(?i)\b([A-G][#b]?) (major|minor)\b", r"\1\2", _BETWEEN_CHORDS.sub(" ", text))
        text = unfolded(text) if "|:" in text or ":|" in text else text
        text = text if "|" in text else " ".join(token for token in text.split() if token != "/")
        key = key or numeral_key(text)
        tokens = text.replace("|", " ").split()
        if not tokens:
            raise InputError("no chords in the chord line; write chords such as 'C G Am F', or leave it out")
        if re.fullmatch(r"\d+(\.\d+)?s?:.+", tokens[0]):
            return cls(timed=cls._parse_timed(tokens, key))
        bars = [[token] for token in tokens]
        if "|" in text:
            bars = [bar.split() for bar in text.strip("| ").split("|")]
        if [] in bars:
            raise InputError(f"bar {bars.index([]) + 1} of {quoted(text)} is empty; write a chord, N for none, or drop a bar line")
        read = []
        for bar in bars:
            read.append(read[-1] if bar == ["%"] and read else cls._parse_bar(bar, meter, key))
        return cls(bars=tuple(read))

    @staticmethod
    def _parse_timed(tokens, key):
        timed = []
        for token in tokens:
            match = re.fullmatch(r"(\d+(?:\.\d+)?)s?:(.+)", token)
            if not match:
                raise InputError(f"{token!r} has no start time while the first chord has; write all as seconds:chord, '0:C 2.5:G'")
            start_s = float(match[1])
            if start_s > MAX_START_S:
                raise InputError(f"the chord time {quoted(match[1])} is above {MAX_START_S} s; give seconds from the clip's start")
            if timed and start_s <= timed[-1][0]:
                raise InputError(f"chord times must rise, but {token!r} comes after {timed[-1][0]:g} s")
            timed.append((start_s, parse_symbol(match[2], key)))
        return tuple(timed)

    @staticmethod
    def _parse_bar(tokens, meter, key):
        chords, lengths = [], []
        if len(tokens) == meter.beats:  # a lone / holds the chord
            tokens = list(accumulate(tokens, lambda chord, token: chord if token == "/" else token))
        tokens = [token for token in tokens if token != "/"]
        for token in tokens:
            match = re.fullmatch(r"(.+):(\d+(?:\.\d+)?)", token)
            if match and 0 < float(match[2]) <= meter.beats:
                chords.append(parse_symbol(match[1], key))
                lengths.append(float(match[2]))
            else:
                chords.append(parse_symbol(token, key))
                lengths.append(None)
        taken, open_places = sum(n for n in lengths if n), lengths.count(None)
        left = meter.beats - taken
        if left < -1e-9 or (open_places and left < 1e-9):
            raise InputError(f"the bar {' '.join(tokens)!r} holds {taken:g} beats or more, {meter} has {meter.beats}; shorten it")
        if not open_places:
            if left > 1e-9:
                raise InputError(
                    f"the bar {' '.join(tokens)!r} holds {taken:g} beats, {meter} has {meter.beats}; lengthen a chord, or set bars "
                    "apart with |: 'F:2 G:2 | C'"
                )
            return tuple(zip(chords, lengths, strict=True))
        return tuple((c, n or left / open_places) for c, n in zip(chords, lengths, strict=True))

    @property
    def chords(self):
        """All chords in order."""
        return [c for _, c in self.timed] or [c for bar in self.bars for c, _ in bar]

    def lay_out(self, bpm, duration_s, whole=True, longest_s=math.inf):
        """Return (chords, start times) over `duration_s`; bars are repeated until it is full, equal neighbours merged.

        Raises InputError when `whole` and a chord would start only after the end; `longest_s` is the longest clip to be had.
        """
        if self.timed:
            events = [(t, c) for t, c in self.timed]
            if events[0][0] > 0:
                events.insert(0, (0.0, NO_CHORD))
            length_s = duration_s
        else:
            events, beat = [], 0.0
            for bar in self.bars:
                for chord, beats in bar:
                    events.append((beat * 60 / bpm, chord))
                    beat += beats
            length_s = beat * 60 / bpm
        late = next(((t, c) for t, c in events if t >= duration_s - 1e-6), None)
        if late and whole:
            needed_s = math.ceil(round(max(length_s, events[-1][0] + 1), 6))
            longer = f", or a duration of {needed_s} s or more" if needed_s <= longest_s else ""
            raise InputError(
                f"chord {late[1]} would start at {late[0]:.2f} s, but the clip ends at {duration_s:.2f} s; "
                f"give fewer chords, several a bar ('C G | Am F'), a faster tempo{longer}"
            )
        chords, times, repeat = [], [], 0
        while repeat * length_s < duration_s - 1e-6:
            for t, chord in events:
                start_s = t + repeat * length_s
                if start_s < duration_s - 1e-6 and (not chords or chords[-1] != chord):
                    chords.append(chord)
                    times.append(round(start_s, 6))
            repeat += 1
        return chords, times
