"""A Request -> the Controls of a take: what the prompt states is read; what nobody said is chosen by rule and seed, and said to be so."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from musicbench import InputError
from musicbench.music.keys import Key
from musicbench.music.numerals import numeral_key, parse_symbol
from musicbench.music.progression import MAX_START_S
from mustango.request.beats import BeatMap, check_inside, check_rising, read_beats
from mustango.request.bounds import read_number
from mustango.request.controls import Controls
from mustango.request.model_facts import ModelFacts
from mustango.request.request import Request, as_line
from mustango.request.settling import Settling

FIFTHS = {letter: place for place, letter in enumerate("FCGDAEB", -1)}  # above C; a sharp adds 7
MOST_IN_SIGNATURE = 7  # sharps or flats


def plain_key(text: str) -> str:
    """Return a key's text under its usual name, if it would need more than 7 sharps or flats: "Abb dorian" as "G dorian".

    Raises InputError for what is no key.
    """
    key = Key.parse(text)
    fifths = FIFTHS[key.tonic[0]] + 7 * (key.tonic.count("#") - key.tonic.count("b")) - 3 * (key.mode == "minor")
    if abs(fifths) <= MOST_IN_SIGNATURE:
        return text
    usual, mode = Key.of(key.pitch_class, key.mode), text.split()[-1]
    with suppress(InputError):
        if Key.parse(f"{usual.tonic} {mode}") == usual:
            return f"{usual.tonic} {mode}"
    return str(usual)


def read(request: Request, facts: ModelFacts, take: int = 0, predict: Callable[[str], Any] | None = None) -> Controls:
    """Settle tempo, meter, key and chords of a take: what is given, else what the prompt states, else chosen by rule and seed.

    What is chosen is drawn by seed from what the prompt's words mean; but the key of given chords is theirs, and the tempo faster where
    they would not fit. A prompt for drums alone states that there is no chord. What the prompt asks beyond what the model knows is noted.

    predict(prompt) -> ((times, positions), PredictedChords): asked, if given, instead of choosing; with the request's predictors
    "neural" its beats and chords also come before what the prompt states. Raises InputError for what cannot be read or does not fit
    into the duration.
    """
    given, key_note, always = request.given, (), request.predictors == "neural"
    if given["key"] is not None and (plain := plain_key(given["key"])) != given["key"]:
        key_note = (f"the key {given['key'].strip()} is written {plain}",)
        given |= {"key": plain}
    settling = Settling(request.prompt, given, request.seed + take, facts.longest_s)
    settling.settle_duration(facts.window_s)
    pulse, predicted_chords = read_beats(request.beats), None
    if predict:
        predicted_pulse, predicted_chords = settling.ask(predict, always, pulse is not None)
        pulse = pulse or predicted_pulse
    meter = settling.settle_meter(pulse)
    _take_tempo_of_a_score(settling, request, meter, pulse)
    bpm = settling.settle_tempo(pulse, meter)
    pulse = settling.played_pulse(pulse, meter)
    beat_map = BeatMap(pulse, meter, bpm) if pulse else None
    settling.note_what_was_stated(meter, bpm)
    timed = _read_timed(request.chords, request.chords_time, settling.given_key)
    progression, key, bpm = settling.settle_chords(timed, predicted_chords, meter, bpm, always)
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
        symbols, times = progression.lay_out(bpm, duration_s, is_whole, facts.longest_s)
    beat_times, positions = settling.beats(pulse, bpm, meter, duration_s)
    asked = settling.asked(request.chords) | ({"key": request.given["key"]} if key_note else {})
    controls = Controls(
        bpm=bpm, meter=meter, key=key, chords=tuple(symbols), chord_times=tuple(times), beat_times=tuple(beat_times),
        beat_positions=tuple(positions), duration_s=duration_s, origin=settling.origin,
        notes=tuple(dict.fromkeys((*key_note, *settling.notes))), asked=asked, text=request.prompt,
        left_to_predictors=settling.left_to_predictors, parts=request.parts, **_events(request, bpm, meter, beat_map, duration_s),
    )  # fmt: skip
    return facts.knows.told(request.prompt, controls) if facts.knows else controls


def _take_tempo_of_a_score(settling, request, meter, pulse):
    """Let a melody or drums of a score give the tempo where nothing else does."""
    told = {name: line.quarters_bpm for name in ("melody", "drums") if (line := getattr(request, name)) and line.quarters_bpm}
    if told and not pulse and settling.given["tempo"] is None and settling.stated.tempo is None:
        name, bpm = next(iter(told.items()))
        settling.given |= {"tempo": round(bpm * meter.unit / 4, 3)}
        settling.notes.append(f"{settling.given['tempo']:g} bpm is the tempo of the {name}'s file")


def _events(request, bpm, meter, beat_map, duration_s):
    """Return the melody and the hits of a request in seconds, scores at the pace of what is played."""

    def seconds(quarters):
        beats = quarters * meter.unit / 4
        return beat_map.seconds(beats) if beat_map else beats * 60 / bpm

    lines = {"melody": request.melody, "hits": request.drums}
    return {name: line.in_seconds(seconds, duration_s) for name, line in lines.items() if line}


def _read_timed(chords, chords_time, key):
    """Return [(time, chord), ...] of a list of symbols and their times; None where there are no times. Raises InputError."""
    if chords_time is None:
        return None
    if not isinstance(chords, (list, tuple)) or not isinstance(chords_time, (list, tuple)) or len(chords) != len(chords_time):
        raise InputError("chords and chords_time are no two lists of one length; give a time for each chord")
    times = [read_number("chords_time", t, low=0, high=MAX_START_S) for t in chords_time]
    check_rising("chord", times)
    key = key or numeral_key(as_line(chords))
    return [(t, parse_symbol(str(c), key)) for t, c in zip(times, chords, strict=True)] or None
