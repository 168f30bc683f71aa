"""Test sets: what clips should be. Drawn by seed for the composer, or read from JSON Lines rows as MusicBench publishes them."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from musicbench import InputError, quoted
from musicbench.compose.compose import caption, compose, plan
from musicbench.compose.compose import describe as tags_of
from musicbench.music.chords import Chord
from musicbench.music.keys import Key
from musicbench.music.meters import Meter, meter_counted_to
from musicbench.music.numerals import roman_chord
from musicbench.music.progression import Progression, beat_grid
from mustango.hear.metrics import Target
from mustango.request.bounds import read_number
from mustango.request.json_lines import check_id, read_objects
from mustango.request.request import MAX_SEED


@dataclass(frozen=True)
class Case:
    """One clip of a test set.

    asked: what the generator is to obey. labels: what holds for the set's own audio (the same, unless the controls cannot say
    all of it). controls: what the generator is given. audio: the set's own clip, if it has one. notes: what could not be read.
    least_s: how long a clip lasts at least; what is shorter is none of this case.
    """

    id: str
    prompt: str
    asked: Target
    labels: Target
    controls: dict
    seed: int = 0
    audio: str | None = None
    notes: tuple = field(default=())
    least_s: float = 0.0

    def row(self):
        """Return the case as a row that `read_cases` reads."""
        told = {"id": self.id, "prompt": self.prompt, "duration": self.labels.duration_s, "seed": self.seed}
        return told | self.labels.labels()


# ---------------------------------------------------------------------------------------------------- composed sets

DURATION_S = 10.0
QUALITY_SHARES = {"maj": 0.28, "min": 0.26, "7": 0.13, "maj7": 0.12, "min7": 0.13, "sus4": 0.05, "dim": 0.03}
# Loops that leave no doubt about their key: they begin on the tonic and hold its dominant.
KEY_LOOPS = {
    "major": ("I IV V I", "I ii V I", "I vi IV V", "I IV I V", "I vi ii V", "I V I IV V I"),
    "minor": ("i iv V i", "i ii° V i", "i VI iv V", "i iv i V", "i VI V i", "i V i iv V i"),
}
LEAST_SHARE, LEAST_GUESSED_SHARE = 0.9, 0.5  # of a case's duration that a clip lasts; of the usual one, where a row says none
# Styles of the composed sets: tonal music with a plain pulse, so that what judges miss is the model's fault.
SET_STYLES = (
    "pop", "rock", "jazz", "bossa nova", "folk", "country", "classical", "ambient", "electronic", "funk", "reggae",
    "lo-fi", "latin", "blues", "ballad", "cinematic", "baroque", "march", "musette", "lullaby", "tropical", "gospel", "hymn", "disco",
)  # fmt: skip
HELD_OUT = 1  # the second stream of draws of a seed: pieces of other controls, the reference of the distances


def _random_chords(rng):
    chords, wanted = [], int(rng.integers(2, 9))
    while len(chords) < wanted:
        quality = str(rng.choice(list(QUALITY_SHARES), p=list(QUALITY_SHARES.values())))
        chord = Chord(int(rng.integers(12)), quality)
        if not chords or chord != chords[-1]:
            chords.append(chord)
    return chords


def _key_chords(rng, key):
    chords = [roman_chord(symbol, key) for symbol in str(rng.choice(KEY_LOOPS[key.mode])).split()]
    dominant = (key.pitch_class + 7) % 12
    if rng.random() < 0.5:
        chords = [replace(c, quality="7") if c.root == dominant else c for c in chords]
    return chords


def composed_piece(case):
    """Return the composer's Plan of a composed case: its controls, all else by its seed."""
    meter = Meter.parse(case.controls["meter"])
    return plan(
        case.seed,
        chords=Progression.parse(case.controls["chords"], meter),
        bpm=float(case.controls["tempo"]),
        meter=meter,
        key=case.asked.key,
        lead_in=False,
        style=SET_STYLES,
    )


def composed_case(seed, index, stream=0):
    """Draw case `index` of the composed set of a seed; it does not depend on how many are drawn.

    Tempo 60-170, 3/4 or 4/4. Half of the cases have 2-8 chords on any roots, half a loop that establishes its key, which is
    asked too. Prompts are the composer's words for the piece of the same seed.
    """
    rng = np.random.default_rng([seed, index, stream, 11])
    meter = Meter(*[(4, 4), (3, 4)][int(rng.random() < 0.3)])
    bpm = int(rng.integers(60, 171))
    bars = int(DURATION_S * bpm / 60 // meter.beats)
    key = Key.of(int(rng.integers(12)), str(rng.choice(["major", "minor"]))) if index % 2 else None
    chords = _key_chords(rng, key) if key else _random_chords(rng)
    names = [c.lead_sheet() for c in chords]
    if len(names) <= bars:
        line = " ".join(names)
    else:  # two a bar where one a bar does not fit
        names = names[: 2 * bars]
        line = " | ".join(" ".join(names[i : i + 2]) for i in range(0, len(names), 2))
    laid, times = Progression.parse(line, meter).lay_out(bpm, DURATION_S)
    beats, positions = beat_grid(bpm, meter, DURATION_S)
    target = Target(
        duration_s=DURATION_S, beat_times=tuple(beats), beat_positions=tuple(positions), bpm=float(bpm), meter=meter,
        chords=tuple(laid), chord_times=tuple(times), key=key,
    )  # fmt: skip
    controls = {"chords": line, "tempo": bpm, "meter": str(meter)} | ({"key": str(key)} if key else {})
    case = Case(f"{index:04d}", "", target, target, controls, int(rng.integers(10**9, 2**31)), least_s=LEAST_SHARE * DURATION_S)
    return replace(case, prompt=caption(tags_of(composed_piece(case), DURATION_S), rng))


def composed_audio(case, sample_rate):
    """Compose and render the piece of a composed case: mono samples. Needs FluidSynth."""
    piece = composed_piece(case)
    return compose(
        case.seed, DURATION_S, sample_rate,
        chords=piece.progression, bpm=piece.bpm, meter=piece.meter, key=case.asked.key, lead_in=False,
    ).samples  # fmt: skip


# ---------------------------------------------------------------------------------------------------- sets from files

MOST_SAID_BPM, MAX_DURATION_S = 1000, 3600  # what a row may say, whatever a generator can play


def _rise(times):
    return all(float(a) < float(b) for a, b in zip(times, times[1:], strict=False))


def _labels(row, where, notes):
    """Read the Target of a row; what cannot be read is left out, with a note."""
    key, chords, times = row.get("key"), row.get("chords") or [], row.get("chords_time") or []
    beats = row.get("beats") or [[], []]
    duration = read_number("duration", row.get("duration") or DURATION_S, low=0.1, high=MAX_DURATION_S)
    try:
        key = Key.parse(" ".join(map(str, key)) if isinstance(key, list) else key) if key else None
    except InputError as error:
        key = notes.append(str(error))
    try:
        chords = [Chord.parse(str(c)) for c in chords]
    except InputError as error:
        chords = notes.append(f"chords left out: {error}") or []
    if times and len(times) != len(chords) and chords:
        notes.append(f"chord times left out: {len(times)} times for {len(chords)} chords")
        times = []
    times = [max(float(t), 0.0) for t in times]
    if times and chords and not _rise(times):
        chords, times = notes.append("chords left out: their times do not rise") or [], []
    if times and chords:
        kept = [(t, c) for t, c in zip(times, chords, strict=True) if t < duration]
        times, chords = [t for t, _ in kept], [c for _, c in kept]
    if not isinstance(beats, list) or len(beats) != 2 or len(beats[0]) != len(beats[1]):
        raise InputError(f"{where}: beats are no two lists of one length; write [[times], [positions]]")
    if not _rise(beats[0]):
        beats = notes.append("beats left out: their times do not rise") or [[], []]
    bpm = read_number("bpm", row.get("tempo") if row.get("bpm") is None else row["bpm"], low=1, high=MOST_SAID_BPM)
    return Target(
        duration_s=duration, beat_times=tuple(map(float, beats[0])), beat_positions=tuple(int(p) for p in beats[1]), bpm=bpm,
        meter=Meter.parse(row["meter"]) if row.get("meter") else None, chords=tuple(chords),
        chord_times=tuple(times) if chords else (), key=key,
    )  # fmt: skip


def _controls(labels, given):
    """Return (controls, asked) of a file's case: all that the generator can be told, or only the words."""
    if not given:
        return {}, replace(labels, beat_times=(), beat_positions=labels.beat_positions, chord_times=())
    controls, asked, meter = {}, labels, labels.meter
    if labels.bpm:
        controls["tempo"] = labels.bpm
        positions = labels.beat_positions
        meter = meter or meter_counted_to(max(positions, default=0))
        # The generator counts from its first sample, wherever the first beat of the set's own clip lies.
        beats, counted = beat_grid(labels.bpm, meter, labels.duration_s) if meter else ((), ())
        asked = replace(asked, beat_times=tuple(beats), beat_positions=tuple(counted))
    if meter:
        controls["meter"] = str(meter)
    if labels.key:
        controls["key"] = str(labels.key)
    if labels.chord_times:
        pairs = zip(labels.chord_times, labels.chords, strict=True)
        controls["chords"] = " ".join(f"{t:.6f}:{c.lead_sheet()}" for t, c in pairs)
    elif labels.chords:
        controls["chords"] = " ".join(c.lead_sheet() for c in labels.chords)
    return controls, asked


def read_cases(path, given=True, limit=None):
    """Read a set from JSON Lines: MusicBench's published fields, our rows, or sidecars. Raises InputError naming the line.

    Used of a row: id, location or file_name; prompt or main_caption; bpm, key, chords, chords_time, beats, meter, duration,
    seed (drawn from the id where a row has none, or one that an earlier row has). given: whether the generator gets the labels
    as controls, or the words only. A row's own audio lies beside the file.
    """
    cases, seen, seeds = [], set(), set()
    for number, where, row in read_objects(path, "give composed:N or a JSON Lines file"):
        if limit and len(cases) == limit:
            break
        audio = row.get("location") or row.get("file_name") or row.get("audio")
        if audio and not isinstance(audio, str):
            raise InputError(f"{where}: audio {quoted(audio)} is no text; write the name of a file")
        name = str(row.get("id") or (Path(audio).stem if audio else f"{number:05d}"))
        check_id(name, seen, where)
        notes = []
        try:
            labels = _labels(row, where, notes)
            seed = read_number("seed", row.get("seed"), int, 0, MAX_SEED)
        except InputError as error:
            raise InputError(str(error) if str(error).startswith(where) else f"{where}: {error}") from None
        except (TypeError, ValueError, OverflowError) as error:
            raise InputError(f"{where} has a field that cannot be read ({error}); see MusicBench's rows for the forms") from None
        if seed is None or seed in seeds:  # of no row, or of a whole dataset
            seed = int(np.random.default_rng([seed or 0, *name.encode()]).integers(10**9, 2**31))
        seeds.add(seed)
        controls, asked = _controls(labels, given)
        prompt = row.get("prompt") or row.get("main_caption") or ""
        own = str(Path(path).parent / audio) if audio else None
        least_s = labels.duration_s * (LEAST_SHARE if row.get("duration") else LEAST_GUESSED_SHARE)
        cases.append(Case(name, str(prompt), asked, labels, controls, seed, own, tuple(notes), least_s))
    return cases


def load_cases(text, given=True, limit=None):
    """Return the cases of a set: `composed:N`, `composed:N:SEED` or the name of a JSON Lines file. Raises InputError."""
    kind, _, rest = str(text).partition(":")
    if kind != "composed":
        return read_cases(text, given, limit)
    try:
        count, seed = (int(part) for part in (rest.split(":") + ["7"])[:2])
    except ValueError:
        raise InputError(f"unknown set {quoted(text)}; write composed:N or composed:N:SEED, such as composed:200") from None
    if count < 1 or seed < 0:
        raise InputError(f"unknown set {quoted(text)}: {min(count, seed)} is too low; write composed:N with N of 1 or more")
    return [composed_case(seed, index) for index in range(min(count, limit or count))]
