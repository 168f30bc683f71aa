"""Labels that somebody gave are read in any usual form, cut to clips exactly, and hold before those heard."""

import json

import mido
import pytest

from musicbench import InputError
from musicbench.build.dataset import as_text, with_values
from musicbench.build.given_labels import GivenLabels, longest
from musicbench.build.jams import jams_of, read_jams, write_jams
from musicbench.build.label_columns import read_labels
from musicbench.build.manifests import read_manifests
from musicbench.build.song_labels import contradictions, said_of_song
from musicbench.hearing.evidence import HARMONY, PULSE
from musicbench.hearing.heard import HeardClip
from musicbench.music.chords import Chord
from musicbench.music.keys import Key
from musicbench.music.meters import Meter
from musicbench.scores.tempo_map import read_tempo_map

BEATS = tuple((0.5 * i, i % 4 + 1) for i in range(8))
TIMES, POSITIONS = (list(each) for each in zip(*BEATS, strict=True))
CHORDS = ((0.0, Chord.parse("C")), (2.0, Chord.parse("F#:min7/b3")), (3.5, Chord()))
WHOLE = {
    "bpm": 120.0,
    "key": ["C", "major"],
    "chords": ["C", "F#m7/A", "N"],
    "chords_time": [0.0, 2.0, 3.5],
    "beats": [TIMES, POSITIONS],
}

READ = {  # columns, the label read, its value from the start
    "bpm": ({"bpm": 120.25}, "tempo", 120.25),
    "tempo as text": ({"tempo": "~ 93,5 BPM"}, "tempo", 93.5),
    "numpy's bpm": ({"bpm": [88.0]}, "tempo", 88.0),
    "key": ({"key": "F# minor"}, "key", Key("F#", "minor")),
    "published key": ({"key": ["Eb", "minor"]}, "key", Key("Eb", "minor")),
    "key as text of a list": ({"key": "['Eb', 'minor']"}, "key", Key("Eb", "minor")),
    "short key": ({"initial_key": "Bbm"}, "key", Key("Bb", "minor")),
    "harte's key": ({"key": "A:min"}, "key", Key("A", "minor")),
    "signs": ({"musical_key": "B♭ major"}, "key", Key("Bb", "major")),
    "two columns": ({"key": "D", "scale": "minor"}, "key", Key("D", "minor")),
    "spotify's key": ({"key": 9, "mode": 0}, "key", Key("A", "minor")),
    "camelot": ({"key": "8A"}, "key", Key("A", "minor")),
    "meter": ({"time_signature": "3/4"}, "meter", Meter(3, 4)),
    "beats a bar": ({"time_signature": 4}, "meter", Meter(4, 4)),
    "beats a bar as text": ({"meter": "3.0"}, "meter", Meter(3, 4)),
}  # fmt: skip


@pytest.mark.parametrize("form", READ)
def test_columns_are_read_in_the_forms_people_write(form):
    columns, kind, value = READ[form]
    read = read_labels(columns)
    assert getattr(read.labels, kind) == ((0.0, value),) and not read.faults and read.used == set(columns)


@pytest.mark.parametrize(
    "columns",
    [
        {"beats": [TIMES, POSITIONS]},
        {"beats": json.dumps([TIMES, POSITIONS])},
        {"beats": [list(pair) for pair in BEATS]},
        {"beats": [{"time": time, "position": position} for time, position in BEATS]},
        {"beat_times": str(TIMES), "beat_positions": str(POSITIONS)},
        {"beats": " ".join(map(str, TIMES)), "downbeats": "0.0 2.01"},
        {"beat_times": TIMES, "downbeats": [0.0, 2.0]},
    ],
)
def test_beats_in_any_form(columns):
    read = read_labels(columns)
    assert read.labels.beats == BEATS and not read.faults


@pytest.mark.parametrize(
    "columns",
    [
        {"chords": ["C", "F#m7/A", "N"], "chords_time": [0, 2, 3.5]},
        {"chords": "['C', 'F#m7/A', 'N']", "chords_time": "[0. 2. 3.5]"},
        {"chords": "C F#m7/A N", "chord_times": "0;2;3.5"},
        {"chords": [[0, "C"], [2, "F#:min7/b3"], [3.5, "N"]]},
        {"chord": [{"start": 0, "end": 2, "chord": "C"}, {"start": 2, "end": 3.5, "chord": "F#m7/A"}, {"time": 3.5, "chord": "N"}]},
    ],
)
def test_chords_in_any_form(columns):
    read = read_labels(columns)
    assert read.labels.chords == CHORDS and not read.faults


UNUSABLE = {
    "bpm 0": ({"bpm": 0}, "outside 20-300"),
    "a negative bpm": ({"bpm": -120}, "outside 20-300"),
    "a word": ({"tempo": "Allegro"}, "no number"),
    "no key": ({"key": "H#"}, "no key"),
    "spotify's key alone": ({"key": 9}, "no key"),
    "no chord": ({"chords": ["C", "Zz"], "chords_time": [0, 1]}, "'Zz' is no chord"),
    "no times": ({"chords": "C G Am F"}, "no times"),
    "other numbers": ({"chords": "C G", "chords_time": "0 1 2"}, "2 chords have 3 times"),
    "times back and forth": ({"chords": "C G", "chords_time": "2 1"}, "do not ascend"),
    "beats back and forth": ({"beats": [0.5, 0.2]}, "do not ascend"),
    "beats below 0": ({"beats": [-0.5, 0.2]}, "below 0"),
    "positions": ({"beats": [[0, 1], [1, 9]]}, "outside 1-7"),
    "no list": ({"beats": "four on the floor"}, "no list of seconds"),
    "no meter": ({"meter": "waltz"}, "no meter"),
    "downbeats alone": ({"downbeats": [0, 2]}, "no beats beside it"),
}  # fmt: skip


@pytest.mark.parametrize("form", UNUSABLE)
def test_what_cannot_be_used_is_told_in_the_manifests_line(tmp_path, form):
    columns, why = UNUSABLE[form]
    (tmp_path / "metadata.jsonl").write_text(json.dumps({"file_name": "a.wav", "caption": "A harp.", **columns}))
    captions, given, (line,) = read_manifests(tmp_path, ["a.wav"])
    assert captions == {"a.wav": "A harp."} and why in line and "a.wav" in line and "\n" not in line
    assert json.loads(given["a.wav"]).keys() == columns.keys()  # what is no label is passed on as it is
    assert read_labels(json.loads(given["a.wav"])).labels == GivenLabels()


@pytest.mark.parametrize("value", [None, "", "nan", "N/A", float("nan"), "-", []])
def test_what_is_missing_is_no_fault(value):
    assert read_labels({"bpm": value, "key": value, "beats": value, "chords": value}) == (GivenLabels(), set(), [])


# ---------------------------------------------------------------------------------------------------- cut to clips


def heard(start_s=0.0, **labels):
    own = {"bpm": 60.0, "meter": Meter(3, 4), "key": Key("D"), "chords": (Chord.parse("D"),), "chord_times": (0.0,)}
    own |= {"beat_times": (0.1, 1.1, 2.1), "beat_positions": (1, 2, 3), "key_probability": 0.8, "confidence": {"key": 0.8}}
    return HeardClip(start_s=start_s, duration_s=2.5, **(own | labels))


def test_given_labels_are_cut_to_a_clip_and_keep_their_values():
    labels = GivenLabels(BEATS, ((0.0, 121.5),), (), CHORDS, ((0.0, Key("Cb")),))
    clip = labels.over(heard(1.5), 2.0)
    assert clip.beat_times == (0.0, 0.5, 1.0, 1.5, 2.0) and clip.beat_positions == (4, 1, 2, 3, 4)
    assert clip.chord_times == (0.0, 0.5, 2.0) and clip.chords == tuple(chord for _, chord in CHORDS)
    assert (clip.bpm, clip.meter, clip.key, clip.key_probability) == (121.5, Meter(4, 4), Key("Cb"), 1.0)
    assert clip.confidence == dict.fromkeys(("beats", "tempo", "meter", "chords", "key"), 1.0)
    assert set(clip.sources().values()) == {"given"}


def test_a_clip_that_nothing_is_given_of_keeps_what_is_heard():
    clip, labels = heard(20.0), GivenLabels(BEATS, chords=(*CHORDS[:2], (4.0, None)))
    assert labels.over(clip, 2.0) == clip and set(clip.sources().values()) == {"heard"}
    missing = heard(beat_times=(), beat_positions=(), bpm=None, reasons={"tempo": "not sure", "key": "none"})
    told = GivenLabels(tempo=((0.0, 90.0),)).over(missing, 2.0)
    assert told.bpm == 90.0 and told.reasons == {"key": "none"}
    assert told.sources() == {"tempo": "given", "meter": "heard", "chords": "heard", "key": "heard"}


def test_beats_without_positions_are_counted_as_those_heard():
    labels = GivenLabels(tuple((0.1 + i, None) for i in range(4)))
    assert labels.over(heard(), 2.0).beat_positions == (1, 2, 3)
    late = GivenLabels(tuple((0.6 + i, None) for i in range(4)))  # between those heard
    assert "beats" not in late.over(heard(), 2.0).given


def test_a_tempo_in_six_eight_counts_dotted_beats():
    assert GivenLabels(tempo=((0, 60.0),), meter=((0, Meter(6, 8)),)).over(heard(), 2.0).bpm == 180.0
    assert GivenLabels(tempo=((0, 160.0),), meter=((0, Meter(6, 8)),)).over(heard(), 2.0).bpm == 160.0


def test_of_two_values_the_one_that_lasts_longer_holds():
    spans = ((0.0, "a"), (3.0, "b"), (5.0, None))
    assert [longest(spans, start, start + 2) for start in (0, 1.5, 2.5, 4.5, 6)] == ["a", "a", "b", None, None]


def test_what_is_given_from_beginning_to_end_need_not_be_heard():
    end_s = 4.0
    assert GivenLabels(BEATS).needless(0, end_s) == [PULSE]
    assert GivenLabels(BEATS[:4]).needless(0, end_s) == []
    assert GivenLabels(chords=CHORDS).needless(0, end_s) == []  # the key is heard by chords, too
    assert GivenLabels(chords=CHORDS, key=((0.0, Key("C")),)).needless(0, end_s) == [HARMONY]
    assert GivenLabels(chords=((0.0, CHORDS[0][1]), (3.7, None)), key=((0.0, Key("C")),)).needless(0, end_s) == [HARMONY]
    assert GivenLabels(chords=((0.0, CHORDS[0][1]), (3.0, None)), key=((0.0, Key("C")),)).needless(0, end_s) == []
    assert GivenLabels(tempo=((0.0, 90.0),), meter=((0.0, Meter()),), key=((0.0, Key("C")),)).needless(0, end_s) == []


# ---------------------------------------------------------------------------------------------------- files


def jams(tmp_path, *annotations, **facts):
    (tmp_path / "a.jams").write_text(json.dumps({"annotations": list(annotations), "file_metadata": {"duration": 4, **facts}}))
    return read_jams(tmp_path / "a.jams")


def annotation(namespace, *values):
    return {"namespace": namespace, "data": [{"time": t, "duration": d, "value": v, "confidence": None} for t, d, v in values]}


def test_jams_files_are_read(tmp_path):
    beats = [(t, 0, {"position": p, "measure": 0, "num_beats": 4, "beat_units": 4}) for t, p in BEATS]
    chords = annotation("chord_harte", (0, 2, "C"), (2, 1.5, "F#:min7/b3"), (3.5, 0.5, "N"))
    tempo = annotation("tempo", (0, 4, 60.0), (0, 4, 120.0))
    tempo["data"][1]["confidence"] = 0.9
    read = jams(
        tmp_path,
        annotation("beat_position", *beats),
        chords,
        annotation("key_mode", (0, 4, "Eb:minor")),
        tempo,
        title="T",
        release="R",
    )
    assert read.labels.beats == BEATS and read.labels.meter == ((0.0, Meter(4, 4)),)
    assert read.labels.chords == (*CHORDS, (4.0, None)) and read.labels.key == ((0.0, Key("Eb", "minor")), (4.0, None))
    assert read.labels.tempo == ((0.0, 120.0),) and read.metadata == {"title": "T", "album": "R"} and not read.faults
    dense = {"namespace": "beat", "data": {"time": TIMES, "duration": [0] * 8, "value": POSITIONS, "confidence": [None] * 8}}
    assert jams(tmp_path, dense).labels.beats == BEATS
    unnumbered = annotation("beat", *((t, 0, None) for t in TIMES))
    assert jams(tmp_path, unnumbered).labels.beats == tuple((t, None) for t in TIMES)


def test_jams_that_cannot_be_used_are_told(tmp_path):
    read = jams(
        tmp_path, annotation("chord", (0, 1, "Zz")), annotation("key_mode", (0, 1, "H:major")), annotation("tempo", (0, 1, 0))
    )
    assert read.labels == GivenLabels() and [fault.column for fault in read.faults] == ["chord", "key_mode", "tempo"]
    for text in ("", "{", "[1]", '{"annotations": 5}', "[" * 100_000):
        (tmp_path / "a.jams").write_text(text)
        facts = said_of_song(tmp_path, "a.wav", {}, lambda: 10.0)
        assert facts.labels == GivenLabels() and len(facts.told) == 1 and facts.told[0].startswith("a.jams: not used; ")


def midi(path, *messages, notes=8, every=480):
    file, track = mido.MidiFile(), mido.MidiTrack()
    file.tracks.append(track)
    track.extend(mido.MetaMessage(kind, **told) for kind, told in messages)
    for _ in range(notes):
        track.append(mido.Message("note_on", note=60, velocity=80, time=0))
        track.append(mido.Message("note_off", note=60, time=every() if callable(every) else every))
    file.save(path)
    return path


def test_midi_files_tell_tempo_meter_key_and_beats(tmp_path):
    told = (
        ("set_tempo", {"tempo": 400_000}),
        ("time_signature", {"numerator": 6, "denominator": 8}),
        ("key_signature", {"key": "F#m"}),
    )
    read = read_tempo_map(midi(tmp_path / "a.mid", *told, notes=6))
    assert read.beats[:7] == tuple((0.2 * i, i % 6 + 1) for i in range(7)) or read.beats[1] == (0.2, 2)
    assert (len(read.beats), read.tempo, read.meter) == (12, ((0.0, 300.0),), ((0.0, Meter(6, 8)),))
    assert read.key == ((0.0, Key("F#", "minor")),)
    bare = read_tempo_map(midi(tmp_path / "a.mid", ("set_tempo", {"tempo": 500_000})))
    assert bare.beats == tuple((0.5 * i, None) for i in range(8)) and not bare.meter and bare.tempo == ((0.0, 120.0),)
    assert not read_tempo_map(midi(tmp_path / "a.mid")).tempo  # which tells none


def test_tempo_changes_of_midi(tmp_path):
    file, track = mido.MidiFile(), mido.MidiTrack()
    file.tracks.append(track)
    track.append(mido.MetaMessage("set_tempo", tempo=500_000))
    track.append(mido.MetaMessage("set_tempo", tempo=1_000_000, time=4 * 480))
    track.append(mido.Message("note_on", note=60, velocity=80, time=2 * 480))
    file.save(tmp_path / "a.mid")
    read = read_tempo_map(tmp_path / "a.mid")
    assert [t for t, _ in read.beats] == [0.0, 0.5, 1.0, 1.5, 2.0, 3.0] and read.tempo == ((0.0, 120.0), (2.0, 60.0))


def test_a_transcription_with_a_tempo_that_is_none_is_told(tmp_path):
    lengths = iter(range(137, 100_000, 61))
    midi(tmp_path / "a.mid", ("set_tempo", {"tempo": 500_000}), notes=60, every=lambda: next(lengths) % 700 + 50)
    with pytest.raises(InputError, match="its notes do not keep"):
        read_tempo_map(tmp_path / "a.mid")
    (line,) = said_of_song(tmp_path, "a.wav", {}, lambda: 99.0).told
    assert line.startswith("a.mid: not used; it tells a tempo")


def test_a_songs_own_files_hold_before_the_manifests_and_times_lie_in_the_song(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps({"caption": "A harp.", "bpm": 121, "Artist": "Ann", "beats": [TIMES, POSITIONS]}))
    columns = {"bpm": 80, "key": "C", "artist": "Bob", "url": "x"}
    facts = said_of_song(tmp_path, "a.wav", columns, lambda: 4.0)
    assert facts.labels.tempo == ((0.0, 121.0),) and facts.labels.key == ((0.0, Key("C")),) and facts.labels.beats == BEATS
    assert facts.metadata == {"artist": "Bob", "url": "x"} and not facts.told
    assert facts.with_tags({"title": "T", "artist": "Cid", "genre": "x"}) == {"artist": "Bob", "url": "x", "title": "T"}
    short = said_of_song(tmp_path, "a.wav", columns, lambda: 1.0)
    assert not short.labels.beats and "they go on until 3.5 s, the song lasts 1.0 s" in short.told[0]


@pytest.mark.parametrize(
    "columns, without, said",
    [
        ({"bpm": 90}, ["bpm"], "its tempo 90 not used; the beats go at 120 bpm"),
        ({"bpm": 60}, ["bpm"], "its tempo 60 not used; the beats go at 120 bpm"),
        ({"meter": "3/4"}, ["meter"], "its meter 3/4 not used; the beats are counted to 4"),
        ({"bpm": 118, "meter": "4/4"}, [], ""),
        ({"key": "C major", "mode": "major"}, [], ""),
    ],
)
def test_labels_that_the_beats_gainsay_are_told(tmp_path, columns, without, said):
    facts = said_of_song(tmp_path, "a.wav", {"beats": [TIMES, POSITIONS], **columns}, lambda: 4.0)
    left = {"bpm": facts.labels.tempo, "meter": facts.labels.meter, "key": facts.labels.key}
    assert [column for column in columns if column in left and not left[column]] == without
    assert facts.labels.beats == BEATS and facts.told == ([f"a.wav: {said}"] if said else [])


def test_a_slow_midi_file_in_six_eight_keeps_the_tempo_of_its_beats(tmp_path):
    midi(
        tmp_path / "a.mid",
        ("time_signature", {"numerator": 6, "denominator": 8}),
        ("set_tempo", {"tempo": 1_200_000}),
        notes=24,
        every=240,
    )
    facts = said_of_song(tmp_path, "a.wav", {}, lambda: 14.0)
    assert facts.labels.tempo == ((0.0, 100.0),) and not facts.told  # eighths a minute
    assert facts.labels.over(heard(), 2.5).bpm == 100.0


def test_beats_and_tempi_are_compared_once_each():
    """Of as many as a MIDI file may tell: what each span holds is looked up."""

    class Counted(tuple):
        reads = 0

        def __getitem__(self, place):
            Counted.reads += 1
            return super().__getitem__(place)

        def __iter__(self):
            Counted.reads += len(self)
            return super().__iter__()

    beats = Counted((0.5 * i, i % 4 + 1) for i in range(10_000))
    tempo, meter = (tuple((2.0 * i, value) for i in range(2500)) for value in (120.0, Meter(4, 4)))
    assert contradictions(GivenLabels(beats=beats, tempo=tempo, meter=meter)) == [] and 0 < Counted.reads < 20 * len(beats)


def test_a_key_and_another_mode_beside_it_are_told():
    assert "beside it stands minor" in read_labels({"key": "C major", "mode": "minor"}).faults[0].why
    assert "beside it stands major" in read_labels({"key": "Bbm", "mode": "major"}).faults[0].why


def test_chords_that_end_before_the_song_are_told(tmp_path):
    chords = {"chords": [[0, 2, "C"], [2, 8, "G"], [9, 20, "F"]]}
    (line,) = said_of_song(tmp_path, "a.wav", chords, lambda: 25.0).told
    assert line == "a.wav: its chords are given for 19.0 of 25.0 s; clips in which some are missing have those that are heard"
    assert not said_of_song(tmp_path, "a.wav", chords | {"chords": [[0, 24.8, "C"]]}, lambda: 25.0).told


# ---------------------------------------------------------------------------------------------------- rows as JAMS

ROW = {
    "id": "a-0123456789abcdef-0000_1", "location": "train/ef/a.flac", "duration": 4.0, "confidence": {"tempo": 0.9}, "meter": "4/4",
    "label_sources": {"tempo": "heard"}, "metadata": {"artist": "Ann"}, "transforms": [{"transform": "pitch", "semitones": 2}], **WHOLE,
}  # fmt: skip


def test_rows_become_jams_files_and_come_back(tmp_path):
    assert write_jams([ROW, {**ROW, "id": "b"}], tmp_path) == 2
    path = next(tmp_path.rglob(f"{ROW['id']}.jams"))
    read = read_jams(path)
    assert read.labels.beats == BEATS and read.labels.chords == (*CHORDS, (4.0, None))
    assert read.labels.tempo == ((0.0, 120.0),) and read.labels.key[0] == (0.0, Key("C")) and read.metadata == {"artist": "Ann"}
    written = json.loads(path.read_text())
    assert written["sandbox"]["transforms"] == ROW["transforms"] and written["file_metadata"]["duration"] == 4.0
    assert jams_of(as_text(ROW)) == written  # a row of any form
    assert jams_of({"location": "x.wav"})["annotations"] == []
    with pytest.raises(InputError, match="labels of b cannot be read"):
        write_jams([{**ROW, "id": "b", "key": ["H", "major"]}], tmp_path)


def test_jams_files_are_valid(tmp_path):
    library = pytest.importorskip("jams", reason="jams is not installed (pip install jams)")
    write_jams([ROW, {**ROW, "id": "b", "meter": None, "beats": [[], []], "key": None, "bpm": None}], tmp_path)
    for path in tmp_path.rglob("*.jams"):
        library.load(str(path), validate=True, strict=True)


def test_metadata_can_be_written_whatever_a_table_holds(tmp_path):
    odd = {
        "a\ud800": "b\ud800",
        "title": "T\x07\u200b",
        "n": float("nan"),
        "inf": [float("inf"), 1],
        "none": "<NA>",
        "deep": {"x": {"y": 1}},
    }
    (tmp_path / "metadata.jsonl").write_text(json.dumps({"file_name": "a.wav", **odd}))
    _, columns, _ = read_manifests(tmp_path, ["a.wav"])
    facts = said_of_song(tmp_path, "a.wav", json.loads(columns["a.wav"]), lambda: 9.0)
    assert facts.metadata == {"a?": "b?", "title": "T", "inf": [None, 1], "deep": {"x": {"y": 1}}}
    (tmp_path / "rows.jsonl").write_text(json.dumps(facts.metadata, ensure_ascii=False), encoding="utf-8")


def test_metadata_is_text_in_every_form_but_rows():
    text = as_text(ROW)
    assert isinstance(text["metadata"], str) and with_values(text)["metadata"] == {"artist": "Ann"}
