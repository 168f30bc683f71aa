"""A build with labels, facts and captions with times that are given: they are in the rows, and a change makes little anew."""

import json

import numpy as np
import pytest
import soundfile

from musicbench.__main__ import main
from musicbench.build import song_hearing
from musicbench.build.build import build
from musicbench.build.dataset import read_rows
from musicbench.build.recipe import Recipe
from musicbench.build.settings import Settings
from musicbench.hearing.evidence import ALL, HARMONY, PULSE
from musicbench.hearing.song import Hearing

RATE = 8000
RECIPE = Recipe(
    clip_s=4.0, hop_s=4.0, min_s=3.0, sample_rate=8000, semitones=(2,), tempo_copies=1, dynamics_copies=0, test_share=0.0
)
SETTINGS = Settings(RECIPE, hearing=Hearing("none", only_music=False), form="rows")
BEATS = [[0.5 * i for i in range(17)], [i % 4 + 1 for i in range(17)]]
A = {
    "file_name": "a.wav",
    "caption": "A tune. At 0:06 drums enter.",
    "beats": BEATS,
    "bpm": 120.5,
    "key": "C minor",
    "artist": "Ann",
    "id": 7,
}
B = {"file_name": "b.wav", "caption": "[0:00] Strings. [0:05] Brass.", "bpm": 0, "chords": "C Zz", "chords_time": "0 4"}


def not_done(*_, **__):
    raise AssertionError("this was done already")


def write_manifest(folder, *rows):
    (folder / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def write_jams(folder, key):
    chords = [{"time": 4.0 * i, "duration": 4.0, "value": value, "confidence": 1} for i, value in enumerate(("C", "G:7"))]
    keys = [{"time": 0, "duration": 8.5, "value": key, "confidence": 1}]
    annotations = [{"namespace": "chord", "data": chords}, {"namespace": "key_mode", "data": keys}]
    (folder / "b.jams").write_text(json.dumps({"annotations": annotations, "file_metadata": {"title": "Bee"}}))


@pytest.fixture
def songs(tmp_path):
    folder = tmp_path / "songs"
    folder.mkdir()
    for seed, name in enumerate(("a", "b")):
        noise = 0.1 * np.random.default_rng(seed).standard_normal(round(8.2 * RATE))
        soundfile.write(folder / f"{name}.wav", noise, RATE)
    write_manifest(folder, A, B)
    write_jams(folder, "Eb:minor")
    return folder


def rows_of(out, source, **step):
    wanted = list(step)
    return [
        row
        for row in read_rows(out)
        if row["source"] == source and [n for s in row["transforms"] for n in s if n in wanted] == wanted
    ]


def test_given_labels_facts_and_times_are_in_the_rows(songs, tmp_path, capsys):
    out = tmp_path / "out"
    build(songs, out, SETTINGS)
    first, second = (row for row in rows_of(out, "a.wav") if not row["transforms"])
    assert (second["bpm"], second["key"], second["keyprob"], second["meter"]) == (120.5, ["C", "minor"], 1.0, "4/4")
    assert second["beats"][0] == [0.5 * i for i in range(8)] and second["beats"][1][:2] == [1, 2]
    assert second["label_sources"] == dict.fromkeys(("beats", "tempo", "meter", "key"), "given")
    assert second["metadata"] == {"artist": "Ann", "id": 7} and [name for name, _ in second["not_heard"]] == ["chords"]
    assert (first["own_caption"], second["own_caption"]) == ("A tune.", "A tune. At 0:02 drums enter.")
    assert {row["key"][0] for row in rows_of(out, "a.wav", semitones=2)} == {"D"}
    for row in rows_of(out, "a.wav", rate=1):
        rate = row["transforms"][0]["rate"]
        assert row["bpm"] == pytest.approx(120.5 * rate, abs=0.01) and row["beats"][0][1] == pytest.approx(0.5 / rate, abs=1e-5)
    first, second = (row for row in rows_of(out, "b.wav") if not row["transforms"])
    assert (first["chords"], second["chords"], second["chords_time"]) == (["C:maj"], ["G:7"], [0.0])
    assert first["bpm"] is None and first["key"] == ["Eb", "minor"] and first["metadata"]["title"] == "Bee"
    assert second["own_caption"] == "Until 1 second: Strings. From 1 second on: Brass."
    told = (out / "manifests.txt").read_text()
    assert told.count("outside 20-300: b.wav (0)") == 1 == told.count("'Zz' is no chord") and told in capsys.readouterr().err
    assert main(["jams", str(out), "-o", str(tmp_path / "jams")]) == 0
    assert len(list((tmp_path / "jams").rglob("*.jams"))) == len(read_rows(out))


def test_a_changed_label_makes_only_its_songs_rows_anew(songs, tmp_path, monkeypatch):
    out, again = tmp_path / "out", tmp_path / "again"
    build(songs, out, SETTINGS)
    before = read_rows(out)
    monkeypatch.setattr(song_hearing, "listen", not_done)
    write_manifest(songs, {**A, "bpm": 118, "beats": [[0.25 + 0.5 * i for i in range(16)], [1, 2] * 8]}, B)
    write_jams(songs, "G:major")
    build(songs, out, SETTINGS)
    after = read_rows(out)
    assert {row["bpm"] for row in after if row["source"] == "a.wav" and not row["transforms"]} == {118}
    assert {row["key"][0] for row in after if row["source"] == "b.wav" and not row["transforms"]} == {"G"}
    assert [row["id"] for row in after] == [row["id"] for row in before]
    monkeypatch.undo()
    build(songs, again, SETTINGS)
    assert read_rows(again) == after  # as if built so at once


def test_a_detector_hears_only_what_is_not_given(songs, tmp_path, monkeypatch):
    wanted, listen = [], song_hearing.listen
    monkeypatch.setattr(song_hearing, "listen", lambda *given: wanted.append(list(given[-1])) or listen(*given))
    build(songs, tmp_path / "out", SETTINGS)
    assert wanted == [[HARMONY]] * 2 + [[PULSE]] * 2
    write_manifest(songs, {key: value for key, value in A.items() if key != "beats"}, B)
    wanted.clear()
    build(songs, tmp_path / "out", SETTINGS)
    assert wanted == [list(ALL)] * 2  # beats that were given are to be heard now, at the given tempo


def test_times_beyond_a_song_are_told_again_by_a_run_that_does_nothing(songs, tmp_path, monkeypatch):
    out = tmp_path / "out"
    write_manifest(songs, {**A, "beats": [[0.5, 99.0], [1, 2]]})
    build(songs, out, SETTINGS)
    line = "a.wav: its beats not used; they go on until 99 s, the song lasts 8.2 s\n"
    assert line in (out / "manifests.txt").read_text()
    monkeypatch.setattr("musicbench.build.build.build_song", not_done)
    build(songs, out, SETTINGS)
    assert line in (out / "manifests.txt").read_text()
