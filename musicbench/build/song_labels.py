"""All that is given of a song beside its caption: labels and other facts, from its own files and the manifests' columns."""

import json
import os
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from itertools import pairwise
from operator import itemgetter
from pathlib import Path
from typing import Any

from musicbench import InputError
from musicbench.build.charsets import decoded
from musicbench.build.columns import caption_names, file_field, plain_name
from musicbench.build.given_labels import GAP_S, GivenLabels, as_counted
from musicbench.build.jams import read_jams
from musicbench.build.label_columns import Fault, Read, read_labels
from musicbench.build.metadata import TAGS, joined, plain_value
from musicbench.build.songs import MAX_SIDECAR_BYTES, TIMED, sidecars
from musicbench.files import printable
from musicbench.scores.tempo_map import read_tempo_map
from musicbench.sound.features import bpm_of

LABEL_FILES = (".jams", ".mid", ".midi", ".MID")  # named like a song, in the order in which they count
TEMPO_OFF = 0.06  # by which a tempo may differ from that of the beats, as a share
BEYOND_S, MIDI_BEYOND_S = 2.0, 10.0  # by which times may lie beyond a song's end: they are left out


@dataclass(frozen=True)
class SongFacts:
    """What is given of a song that lasts `lasts_s`. told: lines on what of it is not used."""

    labels: GivenLabels
    metadata: dict[str, Any]
    told: list[str]
    lasts_s: float

    def made_of(self) -> dict[str, Any]:
        """Return what tells two of these apart, nothing where nothing is given."""
        labels = {name: given for name, given in self.labels.to_json().items() if given}
        return {name: value for name, value in (("labels", labels), ("metadata", self.metadata), ("told", self.told)) if value}

    def needless(self) -> list[str]:
        """Return what need not be heard in the song, as its labels are given from beginning to end."""
        return self.labels.needless(0.0, self.lasts_s)

    def spares(self, unheard: Collection[str]) -> bool:
        """Tell whether nothing is missed of a song in which this was not heard."""
        return set(unheard) <= set(self.needless())

    def with_tags(self, tags: Mapping[str, str]) -> dict[str, Any]:
        """Return what is known of the song beside labels, by its file's tags, too."""
        return joined(self.metadata, {name: plain_value(tags[name]) for name in TAGS if name in tags})


def said_of_song(folder: Path, song: str, columns: Mapping[str, Any], length_s: Callable[[], float]) -> SongFacts:
    """Return what is given of a song: by its own .json, .jams or .mid file, else by the manifests' columns.

    song: its path in `folder`. length_s: tells how long it is; asked only where something is given.
    """
    files = list(sidecars(folder / song, (".json", ".JSON", *LABEL_FILES)))
    if not columns and not files:
        return SongFacts(GivenLabels(), {}, [], float("inf"))
    lasts_s = length_s()
    of_columns = read_labels({plain_name(name): value for name, value in columns.items()})
    sources: list[tuple[Path, Read, Mapping[str, Any]]] = [(file, *_read(file, lasts_s)) for file in files]
    sources.append((folder / song, of_columns._replace(faults=[]), columns))  # their faults are told of the manifest
    labels, known, told = GivenLabels(), [], []
    for file, read, facts in sources:
        inside, beyond = _within(read.labels, lasts_s)
        labels = labels.or_else(inside)
        known.append(_not_used(facts, read) if not beyond else facts)
        told += [_line(os.path.relpath(file, folder), fault) for fault in (*read.faults, *beyond)]
    against = contradictions(labels)
    labels = labels.without(fault.kind for fault in against)
    told += [_line(song, fault) for fault in against]
    if (given_s := labels.chords_last_s(lasts_s)) and given_s < lasts_s - GAP_S:
        remedy = "clips in which some are missing have those that are heard"
        told.append(printable(f"{song}: its chords are given for {given_s:.1f} of {lasts_s:.1f} s; {remedy}"))
    return SongFacts(labels, joined(known[-1], *known[:-1]), told, lasts_s)


def contradictions(labels: GivenLabels) -> list[Fault]:
    """Return the given tempo and meter that the given beats gainsay; the beats count."""
    faults: dict[str, Fault] = {}
    for start_s, bpm, beats in _with_beats(labels.tempo, labels.beats):
        counted = bpm_of([time for time, _ in beats])
        if counted and abs(as_counted(bpm, _value_at(labels.meter, start_s), counted) / counted - 1) > TEMPO_OFF:
            faults.setdefault("tempo", Fault("tempo", "tempo", f"{bpm:g}", f"the beats go at {counted:g} bpm"))
    for _, meter, beats in _with_beats(labels.meter, labels.beats):
        highest = max(position or 0 for _, position in beats)
        if highest and len(beats) >= 2 * highest and highest != meter.beats:
            faults.setdefault("meter", Fault("meter", "meter", str(meter), f"the beats are counted to {highest}"))
    return [*faults.values()]


def _with_beats(spans, beats):
    """Yield (start, value, the beats inside) of spans in which both are given."""
    for (start_s, value), (end_s, _) in pairwise([*spans, (float("inf"), None)]):
        inside = beats[bisect_left(beats, start_s, key=itemgetter(0)) : bisect_left(beats, end_s, key=itemgetter(0))]
        if value is not None and inside:
            yield start_s, value, inside


def _value_at(spans, time_s):
    """Return the value that holds at a time, None where there is none."""
    place = bisect_right(spans, time_s, key=itemgetter(0))
    return spans[place - 1][1] if place else None


def _not_used(fields, read):
    return {name: value for name, value in fields.items() if plain_name(name) not in read.used}


def _read(file: Path, lasts_s: float) -> tuple[Read, dict[str, Any]]:
    """Return (what a file beside a song says of labels, its other facts)."""
    try:
        if file.suffix.lower() == ".jams":
            read = read_jams(file)
            return Read(read.labels, set(), read.faults), {**read.metadata}
        if file.suffix.lower() == ".json":
            return _of_json(file)
        tempo_map = read_tempo_map(file)
    except InputError as error:
        return _unread(str(error).replace(str(file), "it"))
    except (OSError, ValueError) as error:
        return _unread(f"it cannot be read ({str(error)[:100]})")
    ends = max((time for time, _ in tempo_map.beats), default=0.0)
    beats = tempo_map.beats
    if ends <= lasts_s + MIDI_BEYOND_S:
        beats = tuple(beat for beat in beats if beat[0] < lasts_s)
    labels = GivenLabels(beats=beats, tempo=tempo_map.tempo, meter=tempo_map.meter, key=tempo_map.key)
    return Read(labels, set(), []), {}


def _unread(why):
    return Read(GivenLabels(), set(), [Fault("", "", "", why)]), {}


def _of_json(file):
    """Return what a song's own .json file holds beside a caption; that it cannot be read is told with the captions."""
    with file.open("rb") as opened:
        text, _ = decoded(opened.read(MAX_SIDECAR_BYTES))
    try:
        value = json.loads(text or "")
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        return Read(GivenLabels(), set(), []), {}
    captions = {*caption_names(value), *TIMED, file_field(value)}
    fields = plain_value({name: inner for name, inner in value.items() if name not in captions}) or {}
    return read_labels({plain_name(name): inner for name, inner in fields.items()}), fields


def _within(labels, lasts_s):
    """Return labels without the kinds whose times lie beyond a song, and faults of these."""
    faults, kept = [], {}
    for kind, given in vars(labels).items():
        last_s = max((time for time, value in given if value is not None or kind == "beats"), default=0.0)
        if last_s > lasts_s + BEYOND_S:
            faults.append(Fault(kind, kind, "", f"they go on until {last_s:g} s, the song lasts {lasts_s:.1f} s"))
        else:
            kept[kind] = tuple(each for each in given if each[0] < lasts_s)
    return GivenLabels(**kept), faults


def _line(name, fault):
    what = f"its {fault.column} {fault.value}".rstrip() if fault.column else ""
    return printable(f"{name}: " + (f"{what} not used; {fault.why}" if what else f"not used; {fault.why}"))
