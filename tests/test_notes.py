"""Parts, melody and drums that are asked for: read, settled, played, told again; stems."""

import json
import os

import mido
import numpy as np
import pytest
from conftest import resolve

from musicbench import InputError
from musicbench.scores.score import read_score
from musicbench.sound.melody import hear_melody
from mustango.__main__ import main
from mustango.page.asked import PageRequest
from mustango.request.model_facts import ModelFacts
from mustango.request.notes import read_drums, read_melody, read_parts
from mustango.request.request import Request


def midi(path, notes, tempo=100, ticks=96):
    """Write [(track's name, channel, start in quarters, end, pitch), ...]."""
    file = mido.MidiFile(ticks_per_beat=ticks)
    for name in dict.fromkeys(note[0] for note in notes):
        track = mido.MidiTrack(
            [mido.MetaMessage("track_name", name=name), mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(tempo))]
        )
        events = []
        for track_name, channel, start, end, pitch in notes:
            if track_name == name:
                events += [(start, "note_on", channel, pitch), (end, "note_off", channel, pitch)]
        now = 0
        for place, kind, channel, pitch in sorted(events, key=lambda e: (e[0], e[1] == "note_on")):
            track.append(mido.Message(kind, channel=channel, note=pitch, velocity=80, time=round((place - now) * ticks)))
            now = place
        file.tracks.append(track)
    file.save(path)
    return path


TUNE = [("Piano", 0, 0, 2, 48), ("Piano", 0, 0, 2, 55), ("Melody", 1, 0, 1, 72), ("Melody", 1, 1, 1.5, 74), ("Melody", 1, 2, 4, 76)]
BEAT = [("Kit", 9, 0, 0.25, 36), ("Kit", 9, 1, 1.25, 38), ("Kit", 9, 1.5, 1.75, 42), ("Kit", 9, 2, 2.25, 75)]


def test_a_score_tells_its_lead_and_its_drums(tmp_path):
    score = read_score(midi(tmp_path / "tune.mid", TUNE + BEAT))
    assert score.notes == ((0, 1, 72), (1, 1.5, 74), (2, 4, 76)) and score.quarters_bpm == pytest.approx(100, abs=0.01)
    assert score.hits == ((0, "kick"), (1, "snare"), (1.5, "hats"), (2, "percussion"))


def test_the_lead_is_the_highest_voice_one_note_at_a_time(tmp_path):
    notes = [("a", 0, 0, 4, 40), ("b", 1, 0, 1, 60), ("b", 1, 0, 1, 67), ("b", 1, 1, 3, 65), ("b", 1, 2, 3, 69)]
    assert read_score(midi(tmp_path / "x.mid", notes)).notes == ((0, 1, 67), (1, 2, 65), (2, 3, 69))


def test_a_melody_goes_at_the_tempo_of_what_is_played(tmp_path):
    tune = read_melody(str(midi(tmp_path / "tune.mid", TUNE)))
    assert resolve("piano", tempo=60, duration=3, melody=tune).melody == ((0, 1, 72), (1, 1.5, 74), (2, 3, 76))  # cut at the end
    alone = resolve("piano", duration=4, melody=tune)
    assert alone.bpm == pytest.approx(100, abs=0.01) and any("tempo of the melody's file" in note for note in alone.notes)
    assert resolve("piano at 90 bpm", melody=tune).bpm == 90
    assert resolve("piano", tempo=120, melody=read_melody([[0.5, 1, 60]])).melody == ((0.5, 1, 60),)  # seconds stay


@pytest.mark.slow
def test_a_melody_is_heard_in_sound():
    rate, pitches = 22050, (60, 64, 67, 72)
    tones = [np.sin(2 * np.pi * 440 * 2 ** ((p - 69) / 12) * np.arange(rate // 2) / rate) for p in pitches]
    heard = hear_melody(np.concatenate(tones).astype(np.float32), rate)
    assert [pitch for _, _, pitch in heard] == list(pitches)
    assert [start for start, _, _ in heard] == pytest.approx([0, 0.5, 1, 1.5], abs=0.05)
    assert hear_melody(np.zeros(rate, np.float32), rate) == ()


@pytest.mark.parametrize(
    ("read", "value", "says"),
    [
        (read_parts, "drums,kazoo", "'kazoo'"), (read_parts, 5, "no names"), (read_parts, [], "no names"), (read_melody, "nowhere.mid", "nowhere.mid"),
        (read_melody, [[0, 1]], "no list"), (read_melody, [[1, 0, 60]], "none"), (read_melody, [[0, 1, 200]], "none"), (read_melody, [["a", 1, 60]], "no list"),
        (read_drums, "loop.wav", "no MIDI file"), (read_drums, [[0, "gong"]], "gong"), (read_drums, [[float("nan"), "kick"]], "no list"),
    ],
)  # fmt: skip
def test_what_is_no_part_melody_or_drums_is_refused(read, value, says):
    with pytest.raises(InputError, match=says):
        read(value)


def test_files_that_are_no_scores_are_named(tmp_path):
    for name, data in (
        ("empty.mid", b""),
        ("noise.mid", b"\xff" * 400),
        ("cut.mid", midi(tmp_path / "t.mid", TUNE).read_bytes()[:40]),
    ):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(InputError, match=name):
            read_melody(str(tmp_path / name))
    with pytest.raises(InputError, match="no notes"):
        read_melody(str(midi(tmp_path / "beat.mid", BEAT)))
    with pytest.raises(InputError, match="no drums"):
        read_drums(str(midi(tmp_path / "tune.mid", TUNE)))
    with pytest.raises(InputError, match="no lead among the parts"):
        Request(parts="bass", melody=[[0, 1, 60]]).checked(10)


def test_a_score_costs_as_much_as_it_is_long(tmp_path, monkeypatch):
    """The name of a track, for which mido walks through the track, is asked for once a track."""
    asked = []
    name = mido.MidiTrack.name
    monkeypatch.setattr(mido.MidiTrack, "name", property(lambda track: asked.append(1) or name.fget(track), name.fset))
    path = midi(tmp_path / "long.mid", [("Melody", 1, n, n + 1, 60 + n % 12) for n in range(200)])
    asked.clear()
    assert len(read_score(path).notes) == 200 and len(asked) == 1


HEAD = b"MThd" + (6).to_bytes(4, "big") + bytes([0, 1, 0, 1, 0, 96])


def one_track(path, events):
    """Write a MIDI file of one track with these bytes as its events."""
    path.write_bytes(HEAD + b"MTrk" + len(events).to_bytes(4, "big") + events)
    return path


NOTE = b"\x00\x91\x3c\x50\x60\x91\x3c\x00"


def test_a_tempo_of_zero_is_none(tmp_path):
    score = read_score(one_track(tmp_path / "x.mid", b"\x00\xff\x51\x03\0\0\0" + NOTE + b"\x00\xff\x51\x03\x07\xa1\x20"))
    assert score.notes == ((0, 1, 60),) and score.quarters_bpm == 120


@pytest.mark.parametrize(
    ("events", "says"),
    [
        (b"\0" * (1 << 20), "holds more than 1024 KiB"),
        (b"\xff" * 20_000 + NOTE, "without end"),
        (b"\xff" * 500 + NOTE, "which no music has"),
        (b"\x00\xff\x59\x02\x7f\x7f" + NOTE, "no MIDI file"),
    ],
)
def test_scores_that_would_never_be_read_are_named(tmp_path, events, says):
    with pytest.raises(InputError, match=says):
        read_score(one_track(tmp_path / "x.mid", events))


@pytest.mark.parametrize("place", ["/dev/zero", "pipe.mid"])
def test_a_pipe_or_device_is_no_score(tmp_path, monkeypatch, place):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe.mid")
    with pytest.raises(InputError, match="a pipe or a device"):
        read_score(place)


@pytest.mark.slow
def test_what_is_asked_is_told_and_made_again(tmp_path, monkeypatch, capsys, tiny_folder):
    monkeypatch.chdir(tmp_path)
    midi(tmp_path / "tune.mid", TUNE + BEAT)
    asked = [
        "--parts",
        "lead, drums",
        "--melody",
        "tune.mid",
        "--drums",
        "tune.mid",
        "--chords",
        "C",
        "--duration",
        "2",
        "--steps",
        "1",
    ]
    assert main(["generate", "piano", *asked, "--model", str(tiny_folder), "-o", "a.wav"]) == 0
    told = json.loads((tmp_path / "a.json").read_text())
    assert told["parts"] == ["drums", "lead"] and told["melody"][0] == [0, 0.6, 72] and told["drums"][1] == [0.6, "snare"]
    (tmp_path / "again.jsonl").write_text(json.dumps(told))
    assert main(["generate", "--prompts", "again.jsonl", "--model", str(tiny_folder), "-o", "again"]) == 0
    assert (tmp_path / "again" / "00001.wav").read_bytes() == (tmp_path / "a.wav").read_bytes()
    line = {
        "prompt": "piano",
        "parts": ["lead", "drums"],
        "melody": "tune.mid",
        "drums": "tune.mid",
        "chords": "C",
        "duration": 2,
        "steps": 1,
    }
    (tmp_path / "line.jsonl").write_text(json.dumps(line))
    for resume in ((), ("--resume",)):
        assert main(["generate", "--prompts", "line.jsonl", "--model", str(tiny_folder), "-o", "line", *resume]) == 0
    assert "1 of 1 prompts are made already" in capsys.readouterr().out
    assert (tmp_path / "line" / "00001.wav").read_bytes() == (tmp_path / "a.wav").read_bytes()


@pytest.mark.slow
def test_stems_sum_to_the_take(tiny_pipeline):
    out = tiny_pipeline("piano", duration=2.0, steps=1, chords="C", tempo=120, stems=True, count=2)
    assert [set(parts) for parts in out.stems] == [{"drums", "bass", "chords", "lead"}] * 2
    parts = tiny_pipeline("piano", duration=2.0, steps=1, chords="C", tempo=120, parts="bass,lead", stems=True)
    assert set(parts.stems[0]) == {"bass", "lead"}
    np.testing.assert_allclose(parts.stems[0]["bass"], out.stems[0]["bass"], atol=1e-2)
    mix = np.sum([*out.stems[0].values()], axis=0)
    assert np.corrcoef(mix, out.audios[0])[0, 1] > 0.99  # but for what finishes the sound


def test_a_model_that_knows_no_parts_says_so():
    asked = resolve("piano", parts=("lead",), melody=read_melody([[0, 1, 60]]))
    with pytest.raises(InputError, match="cannot be told of parts and melody"):
        ModelFacts(10, 10).played(asked)


def test_the_page_reads_no_file_of_the_server(tmp_path):
    facts = ModelFacts(10, 10, takes_notes=True)
    (controls,) = PageRequest("piano", melody="[[0, 1, 60]]", drums=[[0, "kick"]], parts="lead,drums").settled(facts).takes
    assert controls.melody == ((0, 1, 60),) and controls.hits == ((0, "kick"),) and controls.parts == ("drums", "lead")
    path = str(midi(tmp_path / "tune.mid", TUNE + BEAT))
    for name in ("melody", "drums"):
        with pytest.raises(InputError, match=f"{name} .* no JSON"):
            PageRequest("piano", **{name: path}).settled(facts)
