"""Columns that hold labels of a song: tempo, meter, key, chords, beats, under the names that people give them."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from musicbench import InputError
from musicbench.build.given_labels import NEAR_S, GivenLabels
from musicbench.build.stretches import columns_of, listed, seconds, stretches
from musicbench.build.texts import is_missing
from musicbench.music.chords import Chord
from musicbench.music.keys import Key
from musicbench.music.meters import MAX_BEATS, Meter, meter_counted_to, read_meter
from musicbench.music.tempo import parse_tempo
from musicbench.prompt.tonics import on_camelot_wheel

# Names as `columns.plain_name` spells them.
TEMPO = ("bpm", "tempo", "tempo_bpm", "bpm_tempo", "beats_per_minute")
METER = ("meter", "metre", "time_signature", "timesignature", "time_sig", "meter_signature")
KEY = ("key", "musical_key", "key_mode", "initial_key", "initialkey", "tonality", "song_key", "key_signature", "key_name", "keys")
MODE = ("mode", "key_scale", "scale", "key_mode")
CHORDS = ("chords", "chord", "chord_progression", "chord_sequence", "chord_labels", "chords_harte")
CHORD_TIMES = ("chords_time", "chord_times", "chords_times", "chord_time", "chord_starts", "chords_start", "chord_onsets")
BEATS = ("beats", "beat", "beat_times", "beats_time", "beat_time", "beats_times")
POSITIONS = ("beat_positions", "beats_positions", "beats_position", "beat_position", "beat_numbers")
DOWNBEATS = ("downbeats", "downbeat", "downbeat_times", "downbeats_time")
LABEL_COLUMNS = {*TEMPO, *METER, *KEY, *MODE, *CHORDS, *CHORD_TIMES, *BEATS, *POSITIONS, *DOWNBEATS}
_CHORD_WORDS = ("chord", "value", "label", "symbol", "name")
_POSITION_WORDS = ("position", "beat", "value", "label", "number")
_PITCH_NAMES = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
_NO_KEY = ("-1", "-1.0")  # as Spotify writes it
_ACCIDENTALS = {"♯": "#", "♭": "b"}


class Fault(NamedTuple):
    """A label that is given and cannot be used. kind: of `heard.LABELS`."""

    kind: str
    column: str
    value: str
    why: str


class Read(NamedTuple):
    """What columns say. used: the names of those whose labels are used."""

    labels: GivenLabels
    used: set[str]
    faults: list[Fault]


class Unusable(Exception):
    """A label that cannot be used; says why."""


def read_labels(columns: Mapping[str, Any]) -> Read:
    """Return the labels in a song's columns, named as `columns.plain_name` spells them."""
    there = {name: value for name, value in columns.items() if name in LABEL_COLUMNS and not is_missing(value)}
    there = {name: value for name, value in there.items() if name not in KEY or str(value) not in _NO_KEY}
    readers: dict[str, tuple[tuple[str, ...], tuple[tuple[str, ...], ...], Callable]] = {
        "tempo": (TEMPO, (), _tempo),
        "meter": (METER, (), _meter),
        "key": (KEY, (MODE,), _key),
        "chords": (CHORDS, (CHORD_TIMES,), _chords),
        "beats": (BEATS, (POSITIONS, DOWNBEATS), _beats),
    }
    labels, used, faults = {}, set(), []
    for kind, (names, others, read) in readers.items():
        column = next((name for name in names if name in there), None)
        if column is None:
            faults += [_alone(kind, name, there) for some in others for name in some if name in there and kind != "key"]
            continue
        beside = [next((name for name in some if name in there and name != column), None) for some in others]
        try:
            labels[kind] = read(there[column], *(there[name] if name else None for name in beside))
            used |= {name for name in (column, *beside) if name}
        except Unusable as error:
            faults.append(Fault(kind, column, _shown(there[column]), str(error)))
    return Read(GivenLabels(**labels), used, faults)


def _alone(kind, column, there):
    return Fault(kind, column, _shown(there[column]), f"there are no {kind} beside it")


def _shown(cell):
    return " ".join(str(cell).split())[:40]


def _tempo(cell):
    cell = cell[0] if isinstance(cell, (list, tuple)) and len(cell) == 1 else cell
    if not isinstance(cell, (int, float, str)) or isinstance(cell, bool):
        raise Unusable("it is no number of beats a minute")
    number = re.sub(r"(?i)[~≈]|\b(?:beats per minute|bpm)\b|[♩=]", " ", str(cell)).strip()
    if not re.fullmatch(r"[+-]?\d+(?:[.,]\d+)?(?:e[+-]?\d+)?", number):
        raise Unusable("it is no number of beats a minute")
    try:
        return ((0.0, parse_tempo(f"{float(number.replace(',', '.')):.10g}")),)
    except InputError:
        raise Unusable("it is outside 20-300") from None


def _meter(cell):
    number = re.fullmatch(r"(\d+)(?:\.0+)?", str(cell).strip())
    meter = meter_counted_to(int(number[1])) if number and len(number[1]) < 3 else None
    return ((0.0, meter or _read(lambda: read_meter(cell)[0], "it is no meter such as 3/4")),)


def _key(cell, mode):
    parts = listed(cell) if isinstance(cell, (list, tuple)) or str(cell).lstrip().startswith("[") else None
    if parts is not None:
        cell = " ".join(map(str, parts))
    return ((0.0, key_of(cell, mode)),)


def key_of(cell: object, mode: object = None) -> Key:
    """Return a key from "A minor", "F#m", "8A", "C:min", or a pitch class and a mode as Spotify has them. Raises Unusable."""
    text = re.sub("[♯♭]", lambda sign: _ACCIDENTALS[sign[0]], str(cell)).strip()
    beside = {"0": "minor", "1": "major", "0.0": "minor", "1.0": "major"}.get(str(mode).strip(), str(mode or "").strip())
    if re.fullmatch(r"(?:\d|1[01])(?:\.0)?", text) and beside:
        text = _PITCH_NAMES[int(float(text))]
    if on_wheel := on_camelot_wheel(text):
        return on_wheel
    if re.fullmatch(r"[A-Ga-g][#b]?", text) and beside:
        text = f"{text} {beside}"
    key = _read(lambda: Key.parse(text), "it is no key such as A minor")
    if beside.lower()[:3] in ("maj", "min") and not key.mode.startswith(beside.lower()[:3]):
        raise Unusable(f"beside it stands {beside}")
    return key


def _read(read, why):
    try:
        return read()
    except InputError:
        raise Unusable(why) from None


def _chords(cell, times):
    entries = listed(columns_of(cell))
    if not entries:
        raise Unusable("it is no list of chords")
    timed = stretches(entries, _CHORD_WORDS) if times is None else None
    if timed:
        return spans_of([(start_s, end_s, chord_of(said)) for start_s, end_s, said in timed])
    if times is None:
        raise Unusable("there are no times for them")
    starts = _times(times)
    if len(starts) != len(entries):
        raise Unusable(f"{len(entries)} chords have {len(starts)} times")
    return spans_of([(start_s, None, chord_of(said)) for start_s, said in zip(starts, entries, strict=True)])


def chord_of(said: object) -> Chord:
    """Return the chord that a symbol names. Raises Unusable."""
    if is_missing(said) or str(said).strip() in ("N", "X", "NC", "N.C."):
        return Chord()
    return _read(lambda: Chord.parse(str(said), keep_spelling=True), f"{str(said)[:20]!r} is no chord")


def spans_of(spans: Iterable[tuple[float, float | None, Any]]) -> tuple:
    """Return (start, value) of (start, end or None, value); where nothing is said after an end, a value of None. Raises Unusable."""
    given, last_s = [], None
    for start_s, end_s, value in spans:
        if last_s is not None and start_s > last_s + NEAR_S:
            given.append((last_s, None))
        given.append((start_s, value))
        last_s = end_s
    check_times([time for time, _ in given])
    return (*given, (last_s, None)) if last_s is not None and given and last_s > given[-1][0] else tuple(given)


def check_times(times: list[float]) -> None:
    """Raise Unusable for times that are below 0 or do not ascend."""
    if any(time < 0 for time in times):
        raise Unusable("a time is below 0")
    if any(b <= a for a, b in zip(times, times[1:], strict=False)):
        raise Unusable("their times do not ascend")


def _times(cell):
    entries = listed(cell)
    times = [time for time in map(seconds, entries or ()) if time is not None]
    if not times or len(times) < len(entries or ()):
        raise Unusable("their times are no list of seconds")
    return times


def _beats(cell, positions, downbeats):
    entries = listed(columns_of(cell))
    if not entries:
        raise Unusable("it is no list of times")
    times, numbers = _times_and_positions(entries)
    check_times(times)
    if positions is not None:
        numbers = listed(positions) or []
    elif downbeats is not None and None in numbers:
        numbers = _counted(times, _times(downbeats))
    return numbered(times, numbers)


def _times_and_positions(entries):
    """Return times and positions (None where there are none) of beats: times, [times, positions], pairs or objects."""
    if len(entries) == 2 and all(isinstance(each, (list, tuple)) for each in entries):
        times, numbers = entries
        is_pair_of_pairs = len(times) == 2 == len(numbers) and seconds(times[0]) is not None and seconds(numbers[0]) is not None
        ascends = not is_pair_of_pairs or (seconds(times[0]) or 0) < (seconds(times[1]) or 0)
        if len(times) == len(numbers) and ascends and not _are_beat_pairs(entries):
            return _times(times), list(numbers)
    plain = [time for time in map(seconds, entries) if time is not None]
    if len(plain) == len(entries):
        return plain, [None] * len(plain)
    pairs = stretches(entries, _POSITION_WORDS)
    if pairs is None:
        raise Unusable("their times are no list of seconds")
    return [pair.start_s for pair in pairs], [pair.said for pair in pairs]


def _are_beat_pairs(entries):
    """Tell whether two lists of two are (time, position) each, not two times and two positions."""
    (a, m), (b, n) = entries if all(len(each) == 2 for each in entries) else ((0, 0), (0, 0))
    is_counted = all(str(number).removesuffix(".0").isdigit() for number in (m, n))
    return is_counted and not str(b).removesuffix(".0").isdigit()


def numbered(times: list[float], numbers: list) -> tuple:
    """Return beats as (time, position or None). Raises Unusable."""
    if all(number is None for number in numbers):
        return tuple((time, None) for time in times)
    if len(numbers) != len(times):
        raise Unusable(f"{len(times)} beats have {len(numbers)} positions")
    found = [int(float(number)) if re.fullmatch(r"\d+(?:\.0+)?", str(number)) else 0 for number in numbers]
    if not all(1 <= number <= MAX_BEATS for number in found):
        raise Unusable(f"a position in the bar is outside 1-{MAX_BEATS}")
    return tuple(zip(times, found, strict=True))


def _counted(times, downbeats):
    """Return the positions of beats by those that begin bars; those before the first are counted to fit it."""
    is_first = [any(abs(time - downbeat) <= NEAR_S for downbeat in downbeats) for time in times]
    if not any(is_first):
        raise Unusable("no downbeat lies on a beat")
    first = is_first.index(True)
    positions, beats = [], max(_gap(is_first), first, 1)
    for i in range(len(times)):
        before = beats - first + i + 1 if i < first else 1
        positions.append(before if i < first else 1 if is_first[i] else positions[-1] + 1)
    return positions


def _gap(is_first):
    places = [i for i, first in enumerate(is_first) if first]
    gaps = [b - a for a, b in zip(places, places[1:], strict=False)]
    return max(set(gaps), key=gaps.count, default=0)


def meter_of(beats: object, unit: object) -> Meter | None:
    """Return the meter of so many beats a bar, each a 1/`unit` note; None where there is none."""
    try:
        return read_meter(f"{int(str(beats))}/{int(str(unit))}")[0]
    except (InputError, ValueError):
        return None
