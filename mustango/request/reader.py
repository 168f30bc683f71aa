"""Prompt -> beats and chords: what it states is read; what nobody said is chosen by rule and seed, and said to be so."""

from musicbench import InputError
from musicbench.music.numerals import numeral_key, parse_symbol
from musicbench.music.progression import MAX_START_S
from mustango.request.beats import BeatMap, check_inside, check_rising, read_beats
from mustango.request.bounds import read_number
from mustango.request.controls import Controls
from mustango.request.settling import Settling


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
    settling = Settling(prompt, given, seed, longest_s)
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
