"""Prompt -> beats and chords: what it states is read; what nobody said is chosen by rule and seed, and said to be so."""

import math
import re
import zlib
from dataclasses import dataclass, field

import numpy as np

from musicbench import InputError
from musicbench.facts import drums_alone, read_prompt
from musicbench.genres import Leaning
from musicbench.lexicon import Phrases, read_words
from musicbench.progression import Progression, beat_grid
from musicbench.styles import MAJOR_LOOPS, MINOR_LOOPS
from musicbench.theory import MAX_BPM, MIN_BPM, MODES, Key, Meter, likely_key, numeral_key, parse_tempo, word_tempo

# Words that tell the pace: the tempos they mean where no style is named, and the part of a style's range they mean where one is.
_PACES = (
    ("very slow, very slowly, extremely slow, glacial", (50, 65), (-0.3, -0.1)),
    ("very fast, extremely fast, furious, frantic, breakneck", (160, 180), (1.0, 1.2)),
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


@dataclass(frozen=True)
class Controls:
    """The controls of one clip, resolved. `origin` says of each of tempo, meter, key, chords: given, prompt, predicted or chosen.

    Beats: times and positions; chords with their start times; notes: what was not taken as it was asked, and why; text: what the text
    encoder is given, the prompt and what its style implies ("no drums").
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
    text: str = ""

    @property
    def key_heard_in(self):
        """The key, or None where no chord sounds that it could be heard in."""
        return self.key if any(chord.root is not None for chord in self.chords) else None


MAX_PROMPT, MAX_STEPS, MAX_COUNT, MAX_SEED, MAX_GUIDANCE = 10_000, 1000, 64, 2**32 - 65, 30


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
        raise InputError(f"{name} {value} is outside {low}-{high}; give {wanted} within it")
    return number


CHART = "chart"


def read_duration(value):
    """Return seconds as float; bars as text, "8 bars" or CHART, which are those of the chord line once; None as None. Raises InputError."""
    number = value
    if isinstance(value, str):
        text = " ".join(value.lower().split())
        if text == CHART:
            return CHART
        if bars := re.fullmatch(r"0*([1-9][0-9]{0,5})[ -]?bars?", text):
            return f"{int(bars[1])} bars"
        number = re.sub(r"(?<=\d) ?s(?:ec|econds?)?$", "", text)
    try:
        return read_number("duration", number)
    except InputError as error:
        raise InputError(f"{error} of seconds, whole bars ('8 bars'), or 'chart' (the chords once)") from None


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
            raise InputError(f"{name} {value} is outside {low}-{high}; give a whole number within it")
    guidance = read_number("guidance", guidance)
    if not 0 <= guidance <= MAX_GUIDANCE:
        raise InputError(f"guidance {guidance:g} is outside 0-{MAX_GUIDANCE}; 3 is usual, 1 turns it off")


def _phrases(entries):
    return Phrases((phrase.strip(), value) for phrases, value in entries for phrase in phrases.split(","))


_PACE_WORDS = _phrases((words, (tempos, part)) for words, tempos, part in _PACES)
_MODE_WORDS = _phrases([(_MINOR, "minor"), (_MAJOR, "major")])


def _said(phrases, prompt):
    """Return what the first of a table's phrases in a prompt means, those denied apart; None where there is none."""
    return next((found.value for found in phrases.find(read_words(prompt)) if not found.denied), None)


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


def steady(times, positions, duration_s):
    """Take predicted beats that go forward: (bpm by least squares, times, positions), or None when fewer than three do."""
    kept = [(t, int(p)) for i, (t, p) in enumerate(zip(times, positions, strict=True)) if t >= 0 and (i == 0 or t > max(times[:i]))]
    kept = [(t, p) for t, p in kept if t < duration_s]
    if len(kept) < 3:
        return None
    bpm = 60 / float(np.polyfit(np.arange(len(kept)), [t for t, _ in kept], 1)[0])
    return (bpm, tuple(t for t, _ in kept), tuple(p for _, p in kept)) if MIN_BPM <= bpm <= MAX_BPM else None


def _bars(duration, chart_bars):
    """Return how many bars "8 bars" or "chart" mean with a chord line of `chart_bars`. Raises InputError for chords in seconds."""
    if duration == CHART and not chart_bars:
        raise InputError(
            "the chords are in seconds, so 'chart' does not say how long the last is; give the duration in seconds or bars"
        )
    return chart_bars if duration == CHART else int(duration.split()[0])


def _seconds(duration, progression, bpm, meter, longest_s):
    """Return how long "8 bars" or "chart" of a progression last. Raises InputError for bars that are too few for its chords."""
    written = len(progression.bars)
    bars = _bars(duration, written)
    duration_s = bars * meter.beats * 60 / bpm
    named = f"a duration of {bars} bar{'s' * (bars > 1)} of {meter} at {bpm:g} bpm, {duration_s:.4g} s,"
    check_length(named, duration_s, longest_s)
    if bars < written:
        raise InputError(
            f"the chords fill {written} bars, above {bars}; give fewer, several a bar ('C G | Am F'), or '{written} bars'"
        )
    return duration_s


def _fast_enough(bpm, progression, duration_s, prompt, meter):
    """Return a chosen tempo, faster where a beat of the last chord would not be heard; as it is where that would be far too fast."""
    beats = 1 + sum(n for bar in progression.bars for _, n in bar) - progression.bars[-1][-1][1]
    needed, most = float(math.ceil(60 * beats / duration_s)), min(1.3 * tempo_range(prompt, meter)[1], MAX_BPM)
    return needed if bpm < needed <= most else bpm  # else they are refused, and the remedies named


def chords_stated(prompt, stated, key=None):
    """Return the chord line that a prompt states, by what `read_prompt` found: N for drums alone, unless a key is asked for; or None."""
    return stated.chords or ("N" if not (key or stated.key) and drums_alone(prompt) else None)


def resolve(prompt, *, chords=None, tempo=None, meter=None, key=None, duration, seed=0, predict=None, longest_s=120.0, knows=None):
    """Settle tempo, meter, key and chords: what is given, else what the prompt states, else chosen by rule and `seed`.

    What is chosen is drawn by seed from what the prompt's words mean; but the key of given chords is theirs, and the tempo faster where
    they would not fit. A prompt for drums alone states that there is no chord.

    chords: a chord line or a list of symbols (one a bar). tempo: bpm or a tempo word. meter: "3/4". key: "A minor".
    duration: seconds, "8 bars", or "chart", the bars of the chord line once. longest_s: the longest clip to be had.
    knows: what the model knows (`mustango.knows.Knows`); what the prompt asks beyond it is noted.
    predict(prompt) -> ((times, positions), PredictedChords): asked, if given, instead of choosing. Raises InputError for what
    cannot be read or does not fit into `duration`.
    """
    given_key, given_meter = (kind.parse(value) if value is not None else None for kind, value in ((Key, key), (Meter, meter)))
    stated, rng = read_prompt(prompt, given_key, given_meter), rng_of(prompt, seed)
    place_of_tempo, place_of_mode, drawn_tonic = rng.random(), rng.random(), int(rng.integers(12))  # needed or not; then the loop
    origin, beats, duration = {}, None, read_duration(duration)
    in_bars = isinstance(duration, str)
    notes = []
    if given_key and re.search(MODES, str(key), re.IGNORECASE):
        notes.append(f"the key {key} is played as {given_key}")
    open_tempo = tempo is None and stated.tempo is None
    stated_chords = chords_stated(prompt, stated, given_key)
    open_chords = chords is None and stated_chords is None
    predicted_chords = None
    if predict and (open_tempo or open_chords):
        if in_bars:
            raise InputError(
                f"a duration of {duration!r} needs a tempo and chords, and the model's predictors tell theirs in seconds; give both, "
                "a duration in seconds, or predictors reader"
            )
        predicted_beats, heard = predict(prompt)
        notes += heard.notes
        if open_tempo and meter is None and stated.meter is None and len(predicted_beats[0]) > 2:
            beats = steady(*predicted_beats, duration)
        if open_chords:
            predicted_chords = [(t, c) for t, c in zip(heard.times, heard.chords, strict=True) if t < duration]

    def settle(name, given, read, parse, choose):
        origin[name] = "given" if given is not None else "prompt" if read is not None else "chosen"
        return parse(given) if given is not None else read if read is not None else choose()

    meter = settle("meter", meter, stated.meter, Meter.parse, lambda: Meter.parse(Leaning.of(prompt).meter or "4/4"))
    stated_bpm = word_tempo(stated.tempo_word, meter) if stated.tempo_word else stated.tempo
    bpm = settle(
        "tempo", tempo, stated_bpm, lambda value: parse_tempo(value, meter), lambda: _choose_tempo(prompt, meter, place_of_tempo)
    )
    as_stated = {
        "tempo": tempo is None or bpm == stated_bpm, "meter": meter == stated.meter, "key": given_key in (None, stated.key),
        "chords": chords in (None, stated.chords),
    }  # fmt: skip
    notes += [note for name, note in stated.notes if as_stated[name]]
    word = stated.tempo_word or "" if tempo is None else str(tempo).strip()
    if bpm == MAX_BPM and word.isalpha():
        notes.append(f"{word} in {meter} is more than {MAX_BPM} counted beats a minute; {MAX_BPM} is played")
    if beats:
        bpm, meter = beats[0], Meter(max(max(beats[2]), 2), 4)
        origin["tempo"] = origin["meter"] = "predicted"
    if not isinstance(chords, (str, list, tuple, type(None))):
        raise InputError(f"chords are {chords!r}; give a chord line such as 'C G Am F' or a list of symbols")
    if chords is not None and not isinstance(chords, str):
        chords = " ".join(str(c) for c in chords)
    line = chords if chords is not None else stated_chords
    if line is not None or predicted_chords:
        if line is not None:
            progression = Progression.parse(line, meter, given_key or stated.key)
            origin["chords"] = "given" if chords is not None else "prompt"
        else:
            progression = Progression(timed=tuple(predicted_chords))
            origin["chords"] = "predicted"
        own_key = numeral_key(line or "") or likely_key(progression.chords) or Key("C")
        key = settle("key", key, stated.key, Key.parse, lambda: own_key)
        if origin["tempo"] == "chosen" and progression.bars and not in_bars:
            bpm = _fast_enough(bpm, progression, duration, prompt, meter)
            if bpm > tempo_range(prompt, meter)[1]:
                notes.append(f"{bpm:g} bpm, faster than usual for the prompt, lets all chords be heard within {duration:g} s")
    else:
        mode = _choose_mode(prompt, place_of_mode)
        key = settle("key", key, stated.key, Key.parse, lambda: Key.of(drawn_tonic, mode))
        loop, bar_s = _choose_loop(prompt, key.mode, rng).split(), 60 / bpm * meter.beats
        bars = _bars(duration, len(loop)) if in_bars else max(math.ceil(duration / bar_s - 1e-6), 1)
        progression = Progression.parse(" ".join(loop[:bars]), meter, key)
        origin["chords"] = "chosen"
    duration_s = _seconds(duration, progression, bpm, meter, longest_s) if in_bars else duration
    if predicted_chords:  # they go to the model as they are: the same chord twice, none before the first
        times, symbols = zip(*predicted_chords, strict=True)
    else:
        symbols, times = progression.lay_out(bpm, duration_s, longest_s=longest_s)
    beat_times, positions = beats[1:] if beats else beat_grid(bpm, meter, duration_s)
    controls = Controls(
        bpm, meter, key, tuple(symbols), tuple(times), tuple(beat_times), tuple(positions), duration_s, origin, tuple(notes), prompt
    )
    return knows.told(prompt, controls) if knows else controls


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
    """Write a bar [(name, ticks), ...], without counts where its chords share it evenly."""
    even = len({n for _, n in bar}) == 1
    return " ".join(name if even else f"{name}:{n / TICKS:.10g}" for name, n in bar)


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
