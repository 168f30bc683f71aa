"""Prompt -> beats and chords: what it states is read; what nobody said is chosen by rule and seed, and said to be so."""

import math
import re
import zlib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace

import numpy as np

from musicbench import InputError
from musicbench.compose.styles import MAJOR_LOOPS, MINOR_LOOPS
from musicbench.music.progression import MAX_START_S, Progression, beat_grid, key_of_line, read_sheet, shares
from musicbench.music.theory import (
    MAX_BPM,
    MIN_BPM,
    MODES,
    Key,
    Meter,
    likely_key,
    numeral_key,
    parse_symbol,
    parse_tempo,
    read_meter,
    word_tempo,
)
from musicbench.prompt.facts import drums_alone, read_prompt
from musicbench.prompt.forms import bars_of, form_at_the_end
from musicbench.prompt.genres import Leaning
from musicbench.prompt.lexicon import Phrases
from musicbench.prompt.sounds import words_of
from musicbench.prompt.tunes import unknown_name
from mustango.request.beats import BeatMap, Pulse, check_inside, check_rising, steady

# Words that tell the pace: the tempos they mean where no style is named, and the part of a style's range they mean where one is.
_PACES = (
    ("very slow, very slowly, extremely slow, glacial", (50, 65), (-0.3, -0.1)),
    ("very fast, extremely fast, furious, frantic, breakneck", (160, 180), (1.0, 1.2)),
    ("as fast as, as slow as, how fast, how slow, so fast, so slow", None, None),
    ("medium, mid tempo, midtempo, moderate, moderately, medium tempo", (92, 116), (0.15, 0.4)),
    ("slow, slowly, slower, sleepy, sleep, unhurried", (62, 88), (-0.25, 0.15)),
    ("fast, faster, racing, quick, rapid, speedy, fast paced", (138, 168), (0.7, 1.1)),
    ("calm, calming, peaceful, relaxing, relaxed, relax, gentle, gently, soothing, tranquil, serene, chill, mellow, sad, somber", (62, 88), (-0.15, 0.35)),
    ("upbeat, energetic, dance, dancing, driving, lively, happy, bouncy, exciting", (112, 132), (0.5, 1.0)),
)  # fmt: skip
_ANY_PACE = (88, 126)
_MINOR = """sad, dark, moody, somber, sombre, melancholy, melancholic, melancholia, tense, epic, dramatic, mysterious, minor, night, nocturnal, sorrowful,
    mournful, gloomy, brooding, ominous, sinister, eerie, haunting, haunted, spooky, creepy, scary, evil, aggressive, angry, menacing, tragic, heartbroken,
    lonely, bleak, doom, grim, gothic, mystical"""
_MAJOR = "happy, cheerful, joyful, joyous, sunny, uplifting, bright, playful, major, carefree, celebratory, triumphant, sweet, feel good, optimistic"


SAID = {"given": "", "prompt": " (prompt)", "predicted": " (predicted)", "chosen": " (chosen)"}  # a control's origin, in a summary
ASKED = ("chords", "tempo", "key", "meter", "duration")


@dataclass(frozen=True)
class Controls:
    """The controls of one clip, as they are played.

    origin: where each of ASKED comes from: given, prompt, predicted or chosen. asked: what was asked for of ASKED, as it was
    written; None where nobody asked. Beats: times and positions; chords with their start times; notes: what is played otherwise
    than it was asked, and why. text: what the text encoder is given, the prompt and what its style implies ("no drums").
    """

    bpm: float
    meter: Meter
    key: Key
    chords: tuple
    chord_times: tuple
    beat_times: tuple
    beat_positions: tuple
    duration_s: float
    origin: dict = field(default_factory=dict)
    notes: tuple = ()
    asked: dict = field(default_factory=dict)
    text: str = ""

    @property
    def key_heard_in(self):
        """The key, or None where no chord sounds that it could be heard in."""
        return self.key if any(chord.root is not None for chord in self.chords) else None


MAX_PROMPT, MAX_STEPS, MAX_COUNT, MAX_SEED, MAX_GUIDANCE = 10_000, 1000, 64, 2**32 - 65, 30
MAX_POSITION = 32  # of a beat in its bar, whatever the model takes


def read_number(name, value, kind=float, low=-math.inf, high=math.inf):
    """Return a number or its text as `kind`, None as None. Raises InputError when it is none or outside `low`-`high`."""
    if value is None:
        return None
    wanted = "a whole number" if kind is int else "a number"
    try:
        number = kind(value)
    except (TypeError, ValueError, OverflowError):
        number = None
    if number is None or isinstance(value, bool) or number != number or (isinstance(value, float) and number != value):
        raise InputError(f"{name} {repr(value)[:40]} is not {wanted}; give {wanted}")
    if not low <= number <= high:
        raise InputError(f"{name} {str(value)[:40]} is outside {low}-{high}; give {wanted} within it")
    return number


CHART = "chart"


_NUMBER = r"(?:\d+(?:[.,]\d{1,2}(?!\d)|\.\d*)?|\.\d+)"  # with a decimal point or comma
_MINUTES_WORD, _SECONDS_WORD = r"[ -]?(?:m|mins?|minutes?)\.?", r"[ -]?(?:s|secs?|seconds?)\.?"
_CLOCK = re.compile(r"(\d+):([0-5]\d(?:\.\d+)?)(?: ?(?:m|mins?|minutes?))?")  # "1:30"
_MINUTES = re.compile(
    rf"({_NUMBER}){_MINUTES_WORD}(?:(?: and|,)? ?(\d+(?:\.\d+)?)(?:{_SECONDS_WORD})?)?"
)  # "2 minutes", "1 min 30 s"
_SECONDS = re.compile(rf"([-+]?{_NUMBER})(?:{_SECONDS_WORD})?")  # "90 s", "2,5"
_BARS = re.compile(rf"([-+]?{_NUMBER})[ -]?(?:bars?|measures?)")


def read_duration(value):
    """Return seconds as float; bars as text, "8 bars" or CHART, those of the chord line once; None for None or no text.

    Seconds may be written "90", "90 s", "1:30", "1.5 minutes", "1 min 30 s" or "2,5". Raises InputError for anything else.
    """
    number = value
    if isinstance(value, str):
        text = " ".join(value.lower().split())
        if not text:
            return None
        if text == CHART:
            return CHART
        if bars := _BARS.fullmatch(text):
            return _read_bars(bars[1])
        number = _seconds_written(text)
    try:
        return read_number("duration", number)
    except InputError as error:
        raise InputError(f"{error} of seconds, minutes ('1:30'), whole bars ('8 bars'), or 'chart' (the chords once)") from None


def _read_bars(text):
    """Return "8 bars". Raises InputError for a number of bars that is not whole or below one."""
    bars = float(text.replace(",", "."))
    if not bars.is_integer():
        raise InputError(f"a duration of {text} bars is not whole; give a whole number of bars, or seconds ('10 s')")
    if bars < 1:
        raise InputError(f"a duration of {text[:40]} bars is below 1; give a whole number of bars from 1, or seconds ('10 s')")
    if bars >= 10**6:
        raise InputError(f"a duration of {text[:40]} bars is longer than any model's clip; give fewer bars, or seconds ('10 s')")
    return f"{int(bars)} bars"


def _seconds_written(text):
    """Return a text's seconds as float or as the text of a number; the text itself where it has none."""
    if clock := _CLOCK.fullmatch(text):
        return 60 * float(clock[1]) + float(clock[2])
    if minutes := _MINUTES.fullmatch(text):
        return 60 * float(minutes[1].replace(",", ".")) + float(minutes[2] or 0)
    seconds = _SECONDS.fullmatch(text)
    return seconds[1].replace(",", ".") if seconds else text


def check_length(named, duration_s, longest_s):
    """Raise InputError, which begins with `named`, unless a model whose longest clip is `longest_s` makes clips of `duration_s`."""
    if not 1 <= duration_s <= longest_s:
        raise InputError(f"{named} is outside 1-{longest_s:g} s, what this model makes; give seconds or bars within it")


def check_options(prompt, duration, seed, count, steps, guidance, negative_prompt="", *, longest_s):
    """Raise InputError for a generation option outside its bounds. `longest_s` is the longest clip the model makes."""
    for name, text in (("prompt", prompt), ("negative prompt", negative_prompt)):
        if not isinstance(text, str):
            raise InputError(f"the {name} is {type(text).__name__}; give text")
        if len(text) > MAX_PROMPT:
            raise InputError(f"the {name} has {len(text)} characters, above {MAX_PROMPT}; shorten it")
        if any("\ud800" <= c <= "\udfff" for c in text):
            raise InputError(f"the {name} is not UTF-8 text; write it in UTF-8")
    duration = read_duration(duration)
    if isinstance(duration, float):
        check_length(f"duration {duration:g} s", duration, longest_s)
    for name, value, low, high in (("steps", steps, 1, MAX_STEPS), ("count", count, 1, MAX_COUNT), ("seed", seed, 0, MAX_SEED)):
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise InputError(f"{name} {str(value)[:40]} is outside {low}-{high}; give a whole number within it")
    guidance = read_number("guidance", guidance)
    if not 0 <= guidance <= MAX_GUIDANCE:
        raise InputError(f"guidance {guidance:g} is outside 0-{MAX_GUIDANCE}; 3 is usual, 1 turns it off")


def _phrases(entries):
    return Phrases((phrase.strip(), value) for phrases, value in entries for phrase in phrases.split(","))


_PACE_WORDS = _phrases((words, (tempos, part)) for words, tempos, part in _PACES)
_MODE_WORDS = _phrases([(_MINOR, "minor"), (_MAJOR, "major")])


def _said(phrases, prompt):
    """Return what the first of a table's phrases in a prompt means, those denied apart; None where there is none."""
    return next((found.value for found in phrases.find(words_of(prompt)) if not found.denied and found.value != (None, None)), None)


def tempo_range(prompt, meter):
    """Return the tempos (low, high) that a prompt's words mean, in counted beats of `meter`: its style's, of which "slow" is the lower part."""
    leaning = Leaning.of(prompt)
    pace = _said(_PACE_WORDS, leaning.rest)
    if leaning.bpm is None:
        return tuple(_counted(bpm, meter) for bpm in (pace[0] if pace else _ANY_PACE))
    low, high = leaning.bpm
    if pace:
        low, high = (low + share * (high - low) for share in pace[1])
    in_eighths = Meter.parse(leaning.meter or "4/4").unit == 8
    if in_eighths and meter.unit != 8:
        low, high = low / 2, high / 2
    elif meter.unit == 8 and not in_eighths:
        low, high = _counted(low, meter), _counted(high, meter)
    return max(low, MIN_BPM), min(high, MAX_BPM)


def _counted(bpm, meter):
    """Return a chosen pace in counted beats: eighths go twice as fast, up to 200 a minute."""
    return min(2 * bpm, max(bpm, 200.0)) if meter.unit == 8 else bpm


def _choose_tempo(prompt, meter, place):
    """Return a whole number of beats a minute at `place` (0 to 1) of what the prompt's words mean."""
    low, high = tempo_range(prompt, meter)
    return float(min(math.floor(low + place * (high - low + 1)), math.floor(high)))


def _choose_mode(prompt, place):
    """Return "major" or "minor": what moods say, else the style; by `place` (0 to 1) where the style has both."""
    leaning = Leaning.of(prompt)
    if leaning.form and leaning.form.mode:
        return leaning.form.mode
    mode = _said(_MODE_WORDS, prompt) or leaning.mode
    if mode is None and leaning.bpm:
        mode = "major" if place < 0.5 else "minor"
    return mode or "major"


def _choose_loop(prompt, mode, rng):
    """Return a loop of Roman numerals: one of the style's, else any."""
    usual = MAJOR_LOOPS[:8] if mode == "major" else MINOR_LOOPS[:8]
    return str(rng.choice(Leaning.of(prompt).loops(mode) or usual))


def rng_of(prompt, seed):
    """Return the generator that what nobody says is drawn from: of the seed and of the prompt's words, whatever their case and blanks."""
    words = " ".join(prompt.casefold().split()).encode("utf-8", "surrogatepass")
    return np.random.default_rng([seed, 6, zlib.crc32(words)])


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


def _bars(duration, chart_bars):
    """Return how many bars "8 bars" or "chart" mean with a chord line of `chart_bars`. Raises InputError for chords in seconds."""
    if duration == CHART and not chart_bars:
        raise InputError(
            "the chords are in seconds, so 'chart' does not say how long the last is; give the duration in seconds or bars"
        )
    return chart_bars if duration == CHART else int(duration.split()[0])


def _seconds(duration, progression, bpm, meter, longest_s, beat_map):
    """Return how long "8 bars" or "chart" of a progression last. Raises InputError for bars that are too few for its chords."""
    written = len(progression.bars)
    bars = _bars(duration, written)
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


def _fast_enough(bpm, progression, duration_s, prompt, meter):
    """Return a chosen tempo, faster where a beat of the last chord would not be heard; as it is where that would be far too fast."""
    beats = 1 + sum(n for bar in progression.bars for _, n in bar) - progression.bars[-1][-1][1]
    needed, most = float(math.ceil(60 * beats / duration_s)), min(1.3 * tempo_range(prompt, meter)[1], MAX_BPM)
    return needed if bpm < needed <= most else bpm  # else they are refused, and the remedies named


def chords_stated(prompt, stated, key=None):
    """Return the chord line that a prompt states, by what `read_prompt` found: N for drums alone, unless a key is asked for; or None."""
    return stated.chords or ("N" if not (key or stated.key) and drums_alone(prompt) else None)


def resolve(
    prompt,
    *,
    chords=None,
    chords_time=None,
    tempo=None,
    meter=None,
    key=None,
    beats=None,
    duration=None,
    seed=0,
    predict=None,
    always_predict=False,
    window_s=10.24,
    longest_s=120.0,
    knows=None,
):
    """Settle tempo, meter, key and chords: what is given, else what the prompt states, else chosen by rule and `seed`.

    What is chosen is drawn by seed from what the prompt's words mean; but the key of given chords is theirs, and the tempo faster where
    they would not fit. A prompt for drums alone states that there is no chord. Empty text gives nothing.

    chords: a chord line or a list of symbols, one a bar or, with chords_time, each at its time (s). tempo: bpm or a tempo word.
    meter: "3/4". key: "A minor". beats: [[times (s)], [positions in the bar]], taken as they are; tempo and meter follow from them
    unless they are given too. duration: seconds, "8 bars", or "chart", the bars of the chord line once; when None what the prompt
    states, else `window_s`. longest_s: the longest clip to be had. knows: what the model knows (`mustango.request.knows.Knows`); what the
    prompt asks beyond it is noted.
    predict(prompt) -> ((times, positions), PredictedChords): asked, if given, instead of choosing; with `always_predict` its beats and
    chords also come before what the prompt states. Raises InputError for what cannot be read or does not fit into the duration.
    """
    if isinstance(key, (list, tuple)):  # as a sidecar has it
        key = " ".join(map(str, key))
    given = {"chords": _read_line(chords), "tempo": tempo, "key": key, "meter": meter, "duration": duration}
    given = {name: None if isinstance(value, str) and not value.strip() else value for name, value in given.items()}
    settling = _Settling(prompt, given, seed, longest_s)
    settling.settle_duration(window_s)
    pulse, predicted_chords = read_beats(beats), None
    if predict:
        predicted_pulse, predicted_chords = settling.ask(predict, always_predict, pulse is not None)
        pulse = pulse or predicted_pulse
    meter = settling.settle_meter(pulse)
    bpm = settling.settle_tempo(pulse, meter)
    pulse = settling.played_pulse(pulse, meter)
    beat_map = BeatMap(pulse, meter, bpm) if pulse else None
    settling.note_what_was_stated(meter, bpm)
    timed = _read_timed(chords, chords_time, settling.given_key)
    progression, key, bpm = settling.settle_chords(timed, predicted_chords, meter, bpm, always_predict)
    duration_s = settling.settle_seconds(progression, bpm, meter, beat_map)
    settling.note_another_length(duration_s, bpm, meter, beat_map)

    if settling.origin["chords"] == "predicted":
        timed = predicted_chords
    is_whole = settling.origin["chords"] in ("given", "predicted") or not (settling.form or settling.origin["chords"] == "chosen")
    if timed:  # they go to the model as they are: the same chord twice, none before the first
        times, symbols = zip(*timed, strict=True)
        check_inside("chord", times, duration_s)
    elif beat_map and progression.bars:
        symbols, times = beat_map.lay_out(progression, duration_s, is_whole)
    else:
        symbols, times = progression.lay_out(bpm, duration_s, is_whole, longest_s)
    beat_times, positions = settling.beats(pulse, bpm, meter, duration_s)
    controls = Controls(
        bpm, meter, key, tuple(symbols), tuple(times), tuple(beat_times), tuple(positions), duration_s, settling.origin,
        tuple(dict.fromkeys(settling.notes)), settling.asked(chords), prompt,
    )  # fmt: skip
    return knows.told(prompt, controls) if knows else controls


def _read_line(chords):
    """Return chords as a chord line; None for none. Raises InputError."""
    if not isinstance(chords, (str, list, tuple, type(None))):
        raise InputError(f"chords are {repr(chords)[:40]}; give a chord line such as 'C G Am F' or a list of symbols")
    return " ".join(str(c) for c in chords) if isinstance(chords, (list, tuple)) else chords


def _read_timed(chords, chords_time, key):
    """Return [(time, chord), ...] of a list of symbols and their times; None where there are no times. Raises InputError."""
    if chords_time is None:
        return None
    if not isinstance(chords, (list, tuple)) or not isinstance(chords_time, (list, tuple)) or len(chords) != len(chords_time):
        raise InputError("chords and chords_time are no two lists of one length; give a time for each chord")
    times = [read_number("chords_time", t, low=0, high=MAX_START_S) for t in chords_time]
    check_rising("chord", times)
    key = key or numeral_key(_read_line(chords))
    return [(t, parse_symbol(str(c), key)) for t, c in zip(times, chords, strict=True)] or None


def _as_written(value):
    """Return what somebody asked for as JSON can hold it."""
    if isinstance(value, (list, tuple)):
        return [str(part) for part in value]
    return value if isinstance(value, (str, int, float, type(None))) else str(value)


SAME_BPM = 0.04  # tempi that differ by no more than this share are the same, as in MIREX's tests
SAME_WORD = 0.25  # a tempo word means a range


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


def _with_sheet(given):
    """Return (what is given, with the tempo, meter and key that a given chord line says where no option does; notes on other tempi)."""
    if given["chords"] is None:
        return given, []
    sheet, notes = read_sheet(given["chords"]), []
    said = {"tempo": sheet.tempo, "meter": sheet.meter and str(sheet.meter), "key": sheet.key and str(sheet.key)}
    if given["tempo"] is not None and sheet.tempo is not None:
        meter = read_meter(given["meter"] or said["meter"] or "4/4")[0]
        if abs(parse_tempo(sheet.tempo, meter) / parse_tempo(given["tempo"], meter) - 1) > 1e-6:
            notes.append(f"the chord line says {_in_bpm(sheet.tempo)}; {_in_bpm(given['tempo'])} is played")
    return {name: said.get(name) if value is None else value for name, value in given.items()}, notes


def _in_bpm(tempo):
    return f"{tempo:g} bpm" if isinstance(tempo, (int, float)) else str(tempo)


def _form_asked(prompt, stated):
    """Return the Form that a prompt names where it does not write the chords, or plays drums alone, or None.

    The numerals of a minor ii-V-i are its name.
    """
    form = Leaning.of(prompt).form
    is_name = form and form.name == "minor ii v i" and not re.search("[A-G7|]", stated.chords or "")
    return form if is_name or chords_stated(prompt, stated) is None else None


class _Settling:
    """A prompt and what is given beside it, on the way to Controls. Each step adds to `origin` and `notes`."""

    def __init__(self, prompt, given, seed, longest_s):
        given, sheet_notes = _with_sheet(given)
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
        self.origin, self.notes = {}, [*([counted] if counted else []), *sheet_notes]
        if ending := form_at_the_end(prompt):
            self.notes.append(f"a clip is one loop, without the {ending} at its end")
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

    # -------------------------------------------------------------------------------------------- how long

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
        bars, written = _bars(self.duration, len(progression.bars)), len(progression.bars)
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
            f"the chords fill {bars} bars of {meter}, {chart_s:.4g} s at {bpm:.4g} bpm, above the {self.longest_s:g} s that this model "
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

    # -------------------------------------------------------------------------------------------- beats

    def ask(self, predict, always, beats_given):
        """Return what the predictors tell of what is open, (Pulse or None, [(time, chord), ...] or None)."""
        open_tempo = self.given["tempo"] is None and (always or self.stated.tempo is None) and not beats_given
        open_meter = self.given["meter"] is None and self.stated.meter is None and Leaning.of(self.prompt).meter is None
        open_chords = self.given["chords"] is None and (always or (self.stated_chords is None and not self.form))
        if not (always or open_tempo or open_chords):
            return None, None
        if isinstance(self.duration, str) and (open_tempo or open_chords):
            self._leave_bars_out()
        within_s = math.inf if isinstance(self.duration, str) else self.duration
        told = predict(self.prompt)
        if told is None:  # a dry run, which does not hear them
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
                f"a duration of {self.duration!r} needs a tempo and chords, and the model's predictors tell theirs in seconds; give "
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
                        f"beat position {highest} is above the {given.beats} beats of {given}; give positions from 1 to {given.beats}, "
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
            bpm, self.origin["tempo"] = _choose_tempo(self.prompt, meter, self.place_of_tempo), "chosen"
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

    # -------------------------------------------------------------------------------------------- chords

    def settle_chords(self, timed, predicted, meter, bpm, always):
        """Return (Progression, key, bpm): a chosen tempo is made faster where not all chords would be heard."""
        stated, given_line = self.stated, self.given["chords"]
        if given_line is None and not predicted and self.stated_chords is None:
            return *self._choose_chords(meter, bpm), bpm
        if timed:
            progression, self.origin["chords"] = Progression(timed=tuple(timed)), "given"
        elif given_line is None and predicted:
            progression, self.origin["chords"] = Progression(timed=tuple(predicted)), "predicted"
        else:
            line = self.stated_chords if given_line is None else given_line
            progression = Progression.parse(line, meter, self.given_key or stated.key)
            self.notes += progression.notes
            self.origin["chords"] = "prompt" if given_line is None else "given"
        key = self._settle_key(progression)
        if self.origin["chords"] == "given":
            self._note_other_chords(progression, meter)
        if self.origin["chords"] in ("given", "prompt"):
            self._note_other_key(progression, key)
        if self.origin["chords"] == "predicted" and always:
            self._note_predicted(progression, key, meter)
        if self.origin["tempo"] == "chosen" and progression.bars and not isinstance(self.duration, str):
            bpm = _fast_enough(bpm, progression, self.duration, self.prompt, meter)
            if bpm > tempo_range(self.prompt, meter)[1]:
                self.notes.append(
                    f"{bpm:g} bpm, faster than usual for the prompt, lets all chords be heard within {self.duration:g} s"
                )
        return progression, key, bpm

    def _settle_key(self, progression):
        """Return the key: given, stated, or that of the chords."""
        if self.given_key or self.stated.key:
            self.origin["key"] = "given" if self.given_key else "prompt"
            return self.given_key or self.stated.key
        self.origin["key"] = "chosen"
        line = {"given": self.given["chords"], "prompt": self.stated_chords}.get(self.origin["chords"])
        return (key_of_line(line) if line else None) or likely_key(progression.chords) or Key("C")

    def _note_other_chords(self, progression, meter):
        """Note chords that the prompt states beside others that are given."""
        key = self.given_key or self.stated.key
        line = self._form_line(key or self._settle_key(progression)) if self.form else self.stated_chords
        if line is None:
            return
        said = ()
        with suppress(InputError):  # more beats than the meter has
            said = _without_repeats(Progression.parse(line, meter, key or self._settle_key(progression)).chords)
        played = _without_repeats(progression.chords)
        same = len(played) >= len(said) > 0 and all(chord == said[i % len(said)] for i, chord in enumerate(played))
        if not same:
            stated = f"the chords {self.stated_chords}" if self.stated.chords else "drums alone"
            self._note_another(self.form.name if self.form else stated, "the given chords are played")

    def _note_other_key(self, progression, key):
        """Note a key that is asked for beside chords that all belong to another and not all to it; numerals are in any key."""
        line = self.given["chords"] if self.origin["chords"] == "given" else self.stated_chords
        heard, in_any_key = likely_key(progression.chords), line is not None and key_of_line(line) is not None
        if self.origin["key"] == "chosen" or heard is None or in_any_key or set(heard.scale) == set(key.scale):
            return
        if _belong(progression.chords, heard) and not _belong(progression.chords, key):
            said = f"the prompt says {key}" if key == self.stated.key else f"{key} is asked for"
            self.notes.append(f"{said}; the chords are in {heard} and are played as they are")

    def _note_predicted(self, progression, key, meter):
        """Note what was asked of chords and key where predicted chords are played."""
        if self.form:
            self.notes.append(f"the {self.form.name} in the prompt is left out; the predicted chords are played")
        if self.stated_chords is not None:
            said = Progression.parse(self.stated_chords, meter, self.given_key or self.stated.key).chords
            played = _without_repeats(progression.chords)
            if said != played[: len(said)]:
                self.notes.append(f"the chords {self.stated_chords} in the prompt are left out; the predicted ones are played")
        heard = likely_key(progression.chords)
        if heard and not any(heard.same_as(near) for near in (key, key.relative)):
            self.notes.append(f"{key} is asked for; the predicted chords are in {heard}")

    def _choose_chords(self, meter, bpm):
        """Return (Progression, key) that nobody asked for."""
        mode = _choose_mode(self.prompt, self.place_of_mode)
        if self.given_key or self.stated.key:
            self.origin["key"], key = "given" if self.given_key else "prompt", self.given_key or self.stated.key
        else:
            self.origin["key"], key = "chosen", Key.of(self.drawn_tonic, mode)
        if self.form:
            return self._play_form(key, meter, bpm), key
        self.origin["chords"] = "chosen"
        loop, bar_s = bars_of(_choose_loop(self.prompt, key.mode, self.rng)), 60 / bpm * meter.beats
        if isinstance(self.duration, str):
            bars = _bars(self.duration, len(loop))
        else:
            bars = max(math.ceil(self.duration / bar_s - 1e-6), 1)
        progression = _in_bars(loop[:bars], meter, key)
        if name := unknown_name(self.prompt):
            played = " ".join(loop)
            self.notes.append(
                f"'{name}' is not known here, only what the words say is used; {played} is played; to have others write 'chords: ...'"
            )
        return progression, key

    def _form_line(self, key):
        return self.form.major if key.mode == "major" else self.form.minor

    def _play_form(self, key, meter, bpm):
        """Return the Progression of the form that the prompt names, as much as fits into a length that is asked for."""
        self.origin["chords"] = "prompt"
        bars, bar_s = bars_of(self._form_line(key)), 60 / bpm * meter.beats
        self.notes += [self.form.note] if self.form.note else []
        if self.origin["duration"] == "chosen":
            return _in_bars(bars, meter, key)
        if isinstance(self.duration, str):
            room = _bars(self.duration, len(bars))
        else:
            room = max(math.ceil(self.duration / bar_s - 1e-6), 1)
        if room < len(bars):
            self.notes.append(f"the {self.form.name} has {len(bars)} bars; the first {room} are played")
        return _in_bars(bars[:room], meter, key)


def _in_bars(bars, meter, key):
    """Return the Progression of bars of numerals."""
    return Progression.parse(" | ".join(bars) if any(" " in bar for bar in bars) else " ".join(bars), meter, key)


def _without_repeats(chords):
    """Return chords without those that are as the one before."""
    return [chord for i, chord in enumerate(chords) if i == 0 or chord != chords[i - 1]]


def _belong(chords, key):
    """Return whether all notes of chords are in a key's scale, in minor with the raised seventh beside it."""
    notes = {*key.scale, (key.pitch_class + 11) % 12} if key.mode == "minor" else set(key.scale)
    return all(notes.issuperset(chord.pitch_classes) for chord in chords if chord.root is not None)


TICKS = 12  # a beat: halves, thirds and quarters


def chord_line(controls):
    """Write the chords of `controls` as a chord line that gives the same chords at the same times again, a loop once."""
    ends = (*controls.chord_times[1:], controls.duration_s)
    tick_s, ticks = 60 / controls.bpm / TICKS, controls.meter.beats * TICKS
    bars = {}
    for chord, start_s, end_s in zip(controls.chords, controls.chord_times, ends, strict=True):
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
