"""Did a take obey? What was asked beside what was heard, in one small record; and which of several takes obeyed best."""

from dataclasses import dataclass

from musicbench.hearing.by_madmom import hear
from musicbench.music.keys import Key
from mustango.hear.metrics import beats_f_measure

TEMPO_TOLERANCE = 0.04  # of the asked tempo, as in the tempo tests of MIREX
OCTAVES = {2.0: "twice as fast", 0.5: "half as fast"}  # the same pulse, counted otherwise
CHORDS_ENOUGH = 0.9  # of the time; above it chords are obeyed


@dataclass(frozen=True)
class Scores:
    """Asked and heard tempo, key and beats, and the share of the clip in which the heard chord is the asked one.

    None where nothing was heard; `reasons` says why ({"beats" | "chords" | "key": text}). Music without a chord asks for no key (None),
    and to hear no chord in it is right.
    """

    bpm_asked: float
    bpm_heard: float | None
    key_asked: Key | None
    key_heard: Key | None
    chords_matched: float | None
    reasons: dict
    beats_asked: tuple = ()
    beats_heard: tuple = ()

    @property
    def tempo_obeyed(self):
        """True when the heard tempo is within 4 % of the asked one; None when none was heard, or the octave of the asked one."""
        return None if self.bpm_heard is None or self.tempo_octave else self._times_asked(1.0)

    @property
    def tempo_octave(self):
        """How a heard tempo of twice or half the asked one (within 4 %) counts the same pulse, in words; "" otherwise."""
        return next((words for times, words in OCTAVES.items() if self.bpm_heard and self._times_asked(times)), "")

    def _times_asked(self, times):
        return abs(self.bpm_heard / self.bpm_asked / times - 1) <= TEMPO_TOLERANCE

    @property
    def chords_obeyed(self):
        """True when more than 0.9 of the time is matched; None when no chord was heard."""
        return None if self.chords_matched is None else self.chords_matched > CHORDS_ENOUGH

    @property
    def key_obeyed(self):
        """True when the heard key is the asked one; None when none was heard or asked."""
        if self.key_heard is None or self.key_asked is None:
            return None
        return self.key_asked.same_as(self.key_heard)

    @property
    def key_is_relative(self):
        """True when the heard key is the relative of the asked one: another key of the same notes."""
        return bool(self.key_heard and self.key_asked) and self.key_asked.relative.same_as(self.key_heard)

    @property
    def share(self):
        """How much of what was asked was heard, 0 to 1: the mean of chords, beats (F measure) and, where one is asked, key.

        What was not heard counts 0. Raises InputError where mir_eval is not installed.
        """
        shares = [
            self.chords_matched or 0.0,
            beats_f_measure(self.beats_asked, self.beats_heard),
            *([float(self.key_obeyed or 0.0)] if self.key_asked else []),
        ]
        return sum(shares) / len(shares)


def matched_share(asked, asked_times, heard, heard_times, duration_s):
    """Return the share of `duration_s` in which both chord lists name the same root and major or minor.

    Each chord lasts until the next one starts; before the first there is none (N).
    """
    edges = sorted({0.0, duration_s, *(t for t in (*asked_times, *heard_times) if 0 < t < duration_s)})

    def at(chords, times, t):
        sounding = [c for c, start_s in zip(chords, times, strict=True) if start_s <= t]
        chord = sounding[-1].reduced("majmin") if sounding else None
        return (None, None) if chord is None or chord.root is None else (chord.root, chord.quality)

    same_s = sum(
        end - start
        for start, end in zip(edges, edges[1:], strict=False)
        if at(asked, asked_times, start) == at(heard, heard_times, start)
    )
    return same_s / duration_s


def compare(controls, heard):
    """Return the Scores of a take from its controls (`mustango.request.controls.Controls`) and `musicbench.hearing.heard.Heard`."""
    matched, key = None, controls.key_heard_in
    if heard.chords or not key:
        matched = matched_share(controls.chords, controls.chord_times, heard.chords, heard.chord_times, controls.duration_s)
    beats = tuple(controls.beat_times), tuple(heard.beat_times)
    return Scores(controls.bpm, heard.bpm, key, heard.key, matched, dict(heard.reasons), *beats)


def best_take(output):
    """Return (index, [Scores]) of the take of a MustangoOutput in which madmom hears most of what was asked of it.

    Raises InputError when madmom or mir_eval is not installed.
    """
    heard = [hear(audio, output.sample_rate) for audio in output.audios]
    scores = [compare(controls, h) for controls, h in zip(output.controls, heard, strict=True)]
    return max(range(len(scores)), key=lambda i: scores[i].share), scores
