"""A prompt and what is given beside it, on the way to Controls: how long, in what meter, how fast, on which beats."""

import math
import re
from dataclasses import replace

from musicbench import InputError, quoted
from musicbench.music.keys import MODES, Key
from musicbench.music.meters import Meter, read_meter
from musicbench.music.progression import beat_grid, read_sheet
from musicbench.music.tempo import MAX_BPM, MIN_BPM, parse_tempo, word_tempo
from musicbench.prompt.facts import drums_alone, read_prompt
from musicbench.prompt.forms import form_at_the_end
from musicbench.prompt.genres import Leaning
from mustango.request.beats import check_inside, steady
from mustango.request.bounds import CHART, check_length, read_duration
from mustango.request.choosing import choose_tempo, rng_of, tempo_range
from mustango.request.controls import ASKED
from mustango.request.givenchords import with_plain_chords, with_sheet


def bars_meant(duration, chart_bars):
    """Return how many bars "8 bars" or "chart" mean with a chord line of `chart_bars`. Raises InputError for chords in seconds."""
    if duration == CHART and not chart_bars:
        raise InputError(
            "the chords are in seconds, so 'chart' does not say how long the last is; give the duration in seconds or bars"
        )
    return chart_bars if duration == CHART else int(duration.split()[0])


def _seconds(duration, progression, bpm, meter, longest_s, beat_map):
    """Return how long "8 bars" or "chart" of a progression last. Raises InputError for bars that are too few for its chords."""
    written = len(progression.bars)
    bars = bars_meant(duration, written)
    duration_s = _length(bars, bpm, meter, beat_map)
    named = f"a duration of {bars} bar{'s' * (bars > 1)} of {meter} at {bpm:g} bpm, {duration_s:.4g} s,"
    check_length(named, duration_s, longest_s)
    if bars < written:
        raise InputError(
            f"the chords fill {written} bars, above {bars}; give fewer, several a bar ('C G | Am F'), or '{written} bars'"
        )
    return duration_s


def _length(bars, bpm, meter, beat_map):
    """Return how many seconds bars last."""
    return beat_map.seconds(bars * meter.beats) if beat_map else bars * meter.beats * 60 / bpm


def fast_enough_bpm(bpm, progression, duration_s, prompt, meter):
    """Return a chosen tempo, faster where a beat of the last chord would not be heard; as it is where that would be far too fast."""
    beats = 1 + sum(n for bar in progression.bars for _, n in bar) - progression.bars[-1][-1][1]
    needed, most = float(math.ceil(60 * beats / duration_s)), min(1.3 * tempo_range(prompt, meter)[1], MAX_BPM)
    return needed if bpm < needed <= most else bpm  # else they are refused, and the remedies named


SAME_BPM = 0.04  # tempi that differ by no more than this share are the same, as in MIREX's tests
SAME_WORD = 0.25  # a tempo word means a range


def chords_stated(prompt, stated, key=None):
    """Return the chord line that a prompt states, by what `read_prompt` found: N for drums alone, unless a key is asked for; or None."""
    return stated.chords or ("N" if not (key or stated.key) and drums_alone(prompt) else None)


def _as_written(value):
    """Return what somebody asked for as JSON can hold it."""
    if isinstance(value, (list, tuple)):
        return [str(part) for part in value]
    return value if isinstance(value, (str, int, float, type(None))) else str(value)


def _in_own_mode(prompt, key):
    """Return a stated key, in minor where a form or a scale of the prompt lives there and it does not say "major": "Andalusian cadence in A".

    The word "minor" of a name tells no key: "minor plagal cadence in C".
    """
    form = Leaning.of(prompt).form
    if key and form and form.mode == "major" and "minor" in form.name and prompt.lower().count("minor") == 1:
        return Key(key.tonic, "major")
    if key is None or Leaning.of(prompt).own_mode != "minor" or re.search(r"\bmaj(?:or)?\b", prompt, re.IGNORECASE):
        return key
    return Key(key.tonic, "minor")


def _form_asked(prompt, stated):
    """Return the Form that a prompt names where it does not write the chords, or plays drums alone, or None.

    The numerals of a minor ii-V-i are its name.
    """
    form = Leaning.of(prompt).form
    is_name = form and form.name == "minor ii v i" and not re.search("[A-G7|]", stated.chords or "")
    return form if is_name or chords_stated(prompt, stated) is None else None


class TimeSettling:
    """A prompt and what is given beside it, on the way to Controls. Each step adds to `origin` and `notes`."""

    def __init__(self, prompt, given, seed, longest_s):
        given, plain_notes = with_plain_chords(given)
        given, sheet_notes = with_sheet(given)
        self.prompt, self.given, self.longest_s = prompt, given, longest_s
        self.given_key = Key.parse(given["key"]) if given["key"] is not None else None
        self.given_meter, counted = read_meter(given["meter"]) if given["meter"] is not None else (None, None)
        self.stated = read_prompt(prompt, self.given_key, self.given_meter)
        style_meter = Leaning.of(prompt).meter
        if style_meter and not (self.given_meter or self.stated.meter):  # "jig, dotted quarter = 60"
            self.stated = replace(read_prompt(prompt, self.given_key, Meter.parse(style_meter)), meter=None)
        self.stated = replace(self.stated, key=_in_own_mode(prompt, self.stated.key))
        self.form = _form_asked(prompt, self.stated)
        self.stated_chords = None if self.form else chords_stated(prompt, self.stated, self.given_key)
        if self.stated_chords and not self.stated.meter:
            self.stated = replace(self.stated, meter=read_sheet(self.stated_chords).meter)
        self.rng = rng_of(prompt, seed)
        # drawn whether they are needed or not, so that what is given does not change what is chosen; then the loop
        self.place_of_tempo, self.place_of_mode, self.drawn_tonic = self.rng.random(), self.rng.random(), int(self.rng.integers(12))
        self.origin, self.notes = {}, [*([counted] if counted else []), *plain_notes, *sheet_notes]
        if ending := form_at_the_end(prompt):
            self.notes.append(f"a clip is one loop, without the {ending} at its end")
        self.left_to_predictors = frozenset()  # which of tempo, meter and chords they will tell
        self.without_pulse = None  # why predicted beats are not played, if so
        if self.given_key and re.search(MODES, str(given["key"]), re.IGNORECASE):
            self.notes.append(f"the key {given['key']} is played as {self.given_key}")

    def asked(self, chords):
        """Return what options or prompt ask for, as it was written; `chords` as they were given."""
        stated = self.stated
        said = {
            "chords": self.form.name if self.form else self.stated_chords, "tempo": stated.tempo_word or stated.tempo, "key": stated.key and str(stated.key),
            "meter": stated.meter and str(stated.meter), "duration": stated.duration,
        }  # fmt: skip
        given = self.given if self.given["chords"] is None else self.given | {"chords": chords}
        return {name: _as_written(given[name] if given[name] is not None else said[name]) for name in ASKED}

    def settle_duration(self, window_s):
        """Set `duration`: seconds, or bars as text."""
        if self.given["duration"] is not None:
            self.duration, self.origin["duration"] = read_duration(self.given["duration"]), "given"
        elif self.stated.duration is not None:
            self.duration, self.origin["duration"] = read_duration(self.stated.duration), "prompt"
            if not isinstance(self.duration, str):
                self.duration = self._possible(self.duration, f"{self.duration:g} s")
        else:
            self.duration, self.origin["duration"] = window_s, "chosen"
        self.window_s = window_s

    def _possible(self, duration_s, said):
        """Return the seconds that a prompt states, or the nearest that the model makes, with a note."""
        possible_s = min(max(duration_s, 1.0), self.longest_s)
        if possible_s != duration_s:
            self.notes.append(
                f"{said} in the prompt is outside 1-{self.longest_s:g} s, what this model makes; {possible_s:g} s is played"
            )
        return possible_s

    def settle_seconds(self, progression, bpm, meter, beat_map):
        """Return how many seconds the clip lasts. Raises InputError for given bars that are too few or too many."""
        if self.origin["duration"] == "chosen":
            return self._fitted(progression, bpm, meter, beat_map)
        if not isinstance(self.duration, str):
            return self.duration
        if self.origin["duration"] == "given":
            return _seconds(self.duration, progression, bpm, meter, self.longest_s, beat_map)
        bars, written = bars_meant(self.duration, len(progression.bars)), len(progression.bars)
        if bars < written:
            self.notes.append(f"{self.stated.duration} in the prompt is too short for its chords; their {written} bars are played")
        return self._possible(_length(max(bars, written), bpm, meter, beat_map), self.stated.duration)

    def _fitted(self, progression, bpm, meter, beat_map):
        """Return the chosen duration, or that of a chart that would not fit into it, with a note.

        Raises InputError for a chart that is longer than the model makes.
        """
        chart_s = _length(len(progression.bars), bpm, meter, beat_map) if progression.bars else 0.0
        fits = chart_s <= self.duration + 1e-6 or self.origin["chords"] == "chosen"
        if fits:
            return self.duration
        if self.form and chart_s > self.longest_s + 1e-6:
            self._note_cut_form(chart_s, self.longest_s)
            return self.longest_s
        if chart_s > self.longest_s + 1e-6:
            raise InputError(self._too_long(len(progression.bars), chart_s, bpm, meter, beat_map))
        self.notes.append(f"the chords fill {len(progression.bars)} bars, {chart_s:.4g} s at {bpm:.4g} bpm; that long is played")
        return chart_s

    def _note_cut_form(self, form_s, played_s):
        self.notes.append(f"the {self.form.name} takes {form_s:.4g} s at this tempo; the first {played_s:.4g} s of it are played")

    def _too_long(self, bars, chart_s, bpm, meter, beat_map):
        """Say that a chart is longer than the model makes, and what would help."""
        slowest = math.ceil(round(bars * meter.beats * 60 / self.longest_s, 6))
        faster = f", or {slowest} bpm or more" if slowest <= MAX_BPM and not beat_map else ""
        return (
            f"the chords fill {bars} bars of {meter}, {chart_s:.4g} s at {bpm:.4g} bpm, above the {self.longest_s:g} "
            "s that this model "
            f"makes; give fewer chords, several a bar ('C G | Am F'){faster}"
        )

    def note_another_length(self, duration_s, bpm, meter, beat_map):
        """Note a length that the prompt states beside another that is given."""
        stated = self.stated.duration
        if self.origin["duration"] != "given" or stated is None:
            return
        said = read_duration(stated)
        stated_s = said if isinstance(said, float) else _length(int(said.split()[0]), bpm, meter, beat_map)
        if abs(stated_s - duration_s) > 0.05:
            said = stated if isinstance(stated, str) else f"{stated:g} s"
            self._note_another(said, f"{duration_s:.4g} s is played")

    def _note_another(self, said, instead):
        self.notes.append(f"the prompt says {said}; {instead}")

    def ask(self, predict, always, beats_given):
        """Return what the predictors tell of what is open, (Pulse or None, [(time, chord), ...] or None)."""
        open_tempo = self.given["tempo"] is None and (always or self.stated.tempo is None) and not beats_given
        open_meter = self.given["meter"] is None and self.stated.meter is None and Leaning.of(self.prompt).meter is None
        open_chords = self.given["chords"] is None and (always or (self.stated_chords is None and not self.form))
        wanted = {"tempo", "meter"} if not beats_given and (always or (open_tempo and open_meter)) else set()
        wanted |= {"chords"} if open_chords else set()
        wanted = {name for name in wanted if self.given[name] is None}
        if not (wanted or always):
            return None, None
        if isinstance(self.duration, str) and (open_tempo or open_chords):
            self._leave_bars_out()
        within_s = math.inf if isinstance(self.duration, str) else self.duration
        told = predict(self.prompt)
        if told is None:  # they are asked when the music is made
            self.left_to_predictors = frozenset(wanted)
            return None, None
        (times, positions), heard = told
        pulse, chords = None, None
        if not beats_given and (always or (open_tempo and open_meter)):
            pulse, left_out = steady(times, positions, within_s)
            if self.given["tempo"] is None:  # before which predicted beats do not come
                self._note_left_out(pulse, left_out)
        if open_chords:
            chords = [(t, c) for t, c in zip(heard.times, heard.chords, strict=True) if t < within_s] or None
            self.notes += heard.notes
            if chords is None:
                why = "starts within the clip" if heard.chords else "can be read"
                instead = "what the prompt says is played" if self.stated_chords else "chords are chosen by rule"
                self.notes.append(f"no predicted chord {why}; {instead}")
        return pulse, chords

    def _note_left_out(self, pulse, left_out):
        """Note predicted beats that are left out beside those that are played; where none is, `beats` notes the grid in their place."""
        if pulse and left_out:
            self.notes.append(f"{left_out}; the other {len(pulse.times)} are played")
        elif left_out:
            self.without_pulse = left_out

    def _leave_bars_out(self):
        """Raise InputError for a given duration in bars, which predicted beats cannot be counted in; leave a stated one out."""
        if self.origin["duration"] == "given":
            raise InputError(
                f"a duration of {quoted(self.duration)} needs a tempo and chords, and the model's predictors tell theirs in "
                "seconds; give "
                "both, a duration in seconds, or predictors reader"
            )
        self.notes.append(
            f"{self.stated.duration} in the prompt is left out, as the predictors tell seconds; {self.window_s:g} s is played"
        )
        self.duration, self.origin["duration"] = self.window_s, "chosen"

    def settle_meter(self, pulse):
        """Return the meter. Raises InputError for given beats that count beyond a given meter."""
        stated, given = self.stated.meter, self.given_meter
        if given:
            self.origin["meter"] = "given"
            if pulse and pulse.origin == "given" and not pulse.fits(given):
                highest = max(pulse.positions)
                if highest > given.beats:
                    raise InputError(
                        f"beat position {highest} is above the {given.beats} beats of {given}; give positions from 1 "
                        f"to {given.beats}, "
                        "or another meter"
                    )
                self.notes.append(f"the given beats count to {highest}, not to {given.beats} as {given} does")
            return given
        if pulse and pulse.meter and not (stated and pulse.fits(stated)):
            self.origin["meter"] = pulse.origin
            if stated:
                self._leave_out(stated, f"the {pulse.origin} beats, in {pulse.meter}, are played")
            if max(pulse.positions) == 1:
                self.notes.append(f"the {pulse.origin} bars have one beat each; they are written {pulse.meter}, the shortest meter")
            return pulse.meter
        self.origin["meter"] = "prompt" if stated else "chosen"
        return stated or Meter.parse(Leaning.of(self.prompt).meter or "4/4")

    def _leave_out(self, said, instead):
        self.notes.append(f"{said} in the prompt is left out; {instead}")

    def settle_tempo(self, pulse, meter):
        """Return the bpm. Raises InputError for given beats that go at another tempo than the given one, or at none."""
        word = self.stated.tempo_word
        self.stated_bpm = word_tempo(word, meter) if word else self.stated.tempo
        given = self.given["tempo"]
        if given is not None:
            bpm, word, self.origin["tempo"] = parse_tempo(given, meter), str(given).strip(), "given"
            if pulse and pulse.bpm and pulse.origin == "given":
                return self._tempo_of_given(pulse, bpm)
        elif pulse and pulse.bpm:
            return self._tempo_of(pulse)
        elif self.stated_bpm is not None:
            bpm, self.origin["tempo"] = self.stated_bpm, "prompt"
        else:
            bpm, self.origin["tempo"] = choose_tempo(self.prompt, meter, self.place_of_tempo), "chosen"
        if bpm == MAX_BPM and (word or "").isalpha():
            self.notes.append(f"{word} in {meter} is more than {MAX_BPM} counted beats a minute; {MAX_BPM} is played")
        return bpm

    def _tempo_of_given(self, pulse, bpm):
        """Return the tempo of given beats beside a given tempo: the latter, or the beats' own where it is a word."""
        given = self.given["tempo"]
        is_word = str(given).strip().isalpha()
        if abs(pulse.bpm / bpm - 1) > (SAME_WORD if is_word else SAME_BPM):
            raise InputError(f"the beats go at {pulse.bpm:.4g} bpm, but the tempo is {given}; leave one of the two out")
        return pulse.bpm if is_word else bpm

    def _tempo_of(self, pulse):
        """Return the tempo of a pulse beside which none is given, with a note where the prompt states another."""
        bpm, self.origin["tempo"] = pulse.bpm, pulse.origin
        if not MIN_BPM <= bpm <= MAX_BPM:
            raise InputError(f"the beats go at {bpm:.4g} bpm, outside {MIN_BPM}-{MAX_BPM}; give beats within it")
        word = self.stated.tempo_word
        if self.stated_bpm and abs(bpm / self.stated_bpm - 1) > (SAME_WORD if word else SAME_BPM):
            self._leave_out(word or f"{self.stated_bpm:g} bpm", f"the {pulse.origin} beats, at {bpm:.4g} bpm, are played")
        return bpm

    def note_what_was_stated(self, meter, bpm):
        """Add the reading's notes on what is played as the prompt states it, and one on each of tempo, meter and key given otherwise."""
        stated, given = self.stated, self.given
        heard = self.origin["tempo"] in ("given", "predicted")
        holds = {
            "tempo": bpm == self.stated_bpm or not (heard and (given["tempo"] is not None or self.stated_bpm)),
            "meter": stated.meter in (meter, None), "key": self.given_key in (None, stated.key),
            "chords": given["chords"] in (None, stated.chords) and not self._is_named_by_numerals(), "duration": given["duration"] in (None, stated.duration),
        }  # fmt: skip
        self.notes += [note for name, note in stated.notes if holds.get(name, True)]
        if given["tempo"] is not None and self.stated_bpm:
            word = stated.tempo_word
            if abs(bpm / self.stated_bpm - 1) > (SAME_WORD if word else 1e-6):
                self._note_another(word or f"{self.stated_bpm:g} bpm", f"{bpm:g} bpm is played")
        if self.given_meter and stated.meter not in (meter, None):
            self._note_another(stated.meter, f"{meter} is played")
        if self.given_key and stated.key and not self.given_key.same_as(stated.key):
            self._note_another(stated.key, f"{self.given_key} is played")

    def _is_named_by_numerals(self):
        """Return whether the form is called by numerals, which are no chords then: "backdoor ii-V"."""
        return self.form is not None and any("ii v" in word for word in self.form.words)

    def played_pulse(self, pulse, meter):
        """Return the pulse that is played, or None for a grid: a given tempo comes before predicted beats, a given meter counts them."""
        if pulse is None or pulse.origin == "given":
            return pulse
        if self.given["tempo"] is not None:
            return None
        return pulse.counted(meter) if self.given_meter else pulse

    def beats(self, pulse, bpm, meter, duration_s):
        """Return beat times and positions: the pulse's, or a grid's."""
        if pulse is None:
            if self.without_pulse:
                self.notes.append(f"{self.without_pulse}; a steady grid at {bpm:.4g} bpm in {meter} is played")
            return beat_grid(bpm, meter, duration_s)
        if pulse.origin == "given":
            check_inside("beat", pulse.times, duration_s)
            if pulse.times[-1] < duration_s - 3 * 60 / bpm:
                self.notes.append(f"the given beats end at {pulse.times[-1]:g} s of {duration_s:g} s")
        return pulse.times, pulse.positions
