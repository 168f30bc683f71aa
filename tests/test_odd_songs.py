"""Odd files through `musicbench build`: it ends, and each file is read or named."""

import os
import subprocess
import sys

import numpy as np
import pytest
from conftest import ROOT
from odd_audio import NAMED, RATE, READ, encoded, patched, tone, write_odd_files

from musicbench import InputError
from musicbench.__main__ import main
from musicbench.build.build import build
from musicbench.build.dataset import read_rows
from musicbench.build.engines import Engine
from musicbench.build.recipe import Recipe
from musicbench.build.settings import Settings
from musicbench.build.song_rows import build_song
from musicbench.hearing.heard import Heard
from musicbench.sound.audio import load_audio

PLAIN = Recipe(clip_s=4.0, hop_s=4.0, min_s=2.0, semitones=(), tempo_copies=0, dynamics_copies=0)
UNUSED = {
    "wav-constant.wav",
    "wav-silence.wav",
    "wav-nan.wav",
    "wav-infinite.wav",
    "wav-of-whole-numbers.wav",
    "wav-far-too-loud.wav",
}  # read, and rejected by what is heard


@pytest.fixture(autouse=True)
def deaf(hears):
    hears(lambda samples, rate: Heard())


def outcome(out):
    """Return (seconds of rows by source, reasons by source)."""
    seconds, reasons = {}, {}
    for row in read_rows(out):
        seconds[row["source"]] = seconds.get(row["source"], 0) + row["duration"]
    for entry in read_rows(out / "rejected.jsonl"):
        reasons.setdefault(entry["source"], []).append(entry["reason"])
    return seconds, reasons


@pytest.mark.slow
def test_each_odd_file_is_read_or_named(tmp_path):
    (tmp_path / "songs").mkdir()
    files = write_odd_files(tmp_path / "songs")
    build(tmp_path / "songs", tmp_path / "out", Settings(PLAIN))
    seconds, reasons = outcome(tmp_path / "out")
    for name, (_, expected, lasts_s) in files.items():
        is_long = lasts_s >= PLAIN.min_s and expected != NAMED and name not in UNUSED
        assert (seconds.get(name, 0) > max(lasts_s - PLAIN.min_s, 0)) == is_long, (name, reasons.get(name))
        assert (name in reasons) == (expected != READ or not is_long), (name, reasons.get(name))
    for name in ("pipe.wav", "loop.wav", "nowhere.flac", "linked.wav"):
        assert len(reasons[name]) == 1
    assert "caf\\xe9.wav" in seconds
    assert all(len(reason.splitlines()) == 1 and str(tmp_path) not in reason for told in reasons.values() for reason in told)


@pytest.mark.slow
def test_a_build_of_lying_files_ends_in_little_memory(tmp_path):
    """Under a limit on memory that what the headers claim would break many times."""
    (tmp_path / "songs").mkdir()
    files = write_odd_files(tmp_path / "songs")
    for name in files:
        if not name.startswith(("flac-no-total", "flac-2", "ogg-joined", "mp3-says", "wav-4", "wav-255")):
            (tmp_path / "songs" / name).unlink()
    code = "import sys, musicbench.hearing.song as song; song.no_music = lambda *_: None; from musicbench.__main__ import main; sys.exit(main(sys.argv[1:]))"
    command = ["build", str(tmp_path / "songs"), str(tmp_path / "out"), "--recipe", "plain", "--hear", "none"]
    limited = f"ulimit -v 4000000; exec {sys.executable} -c '{code}' \"$@\""
    done = subprocess.run(["bash", "-c", limited, "bash", *command], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
    assert "MemoryError" not in (tmp_path / "out" / "rejected.jsonl").read_text()
    assert len({row["source"] for row in read_rows(tmp_path / "out")}) >= 10


def test_a_clip_does_not_go_over_a_large_damage_and_lies_where_its_row_says(tmp_path):
    (tmp_path / "songs").mkdir()
    sound = tone(14)
    data = encoded(sound, "FLAC")
    junk = np.random.default_rng(0).bytes(len(data) // 5)
    (tmp_path / "songs" / "a.flac").write_bytes(patched(data, len(data) * 2 // 5, junk))
    build(tmp_path / "songs", tmp_path / "out", Settings(PLAIN))
    starts_s = []
    for row in read_rows(tmp_path / "out"):
        made, _ = load_audio(tmp_path / "out" / row["location"], RATE)
        made, at = made[100:-100], round(row["clip_start"] * RATE) + 100
        away = [np.abs(made - sound[at + lag : at + lag + len(made)]).mean() for lag in range(-12, 13)]  # a row says milliseconds
        assert min(away) < 0.01
        starts_s.append(row["clip_start"])
    assert starts_s[0] == 0.0 and len(starts_s) == 2 and 8.4 < starts_s[1] < 9
    assert "s cannot be decoded" in " ".join(outcome(tmp_path / "out")[1]["a.flac"])


def test_a_file_that_changes_while_it_is_read_is_named_and_made_again(tmp_path, hears):
    (tmp_path / "songs").mkdir()
    (tmp_path / "out").mkdir()
    song = tmp_path / "songs" / "a.wav"
    song.write_bytes(encoded(tone(5), "WAV"))

    def grows(samples, rate):
        with song.open("ab") as file:
            file.write(b"more")
        return Heard()

    hears(grows)
    summary = build(tmp_path / "songs", tmp_path / "out" / "x", Settings(PLAIN))
    hears(lambda samples, rate: Heard())
    assert (summary.rows, summary.rejected_songs) == (0, 1)
    assert "changed while it was read" in outcome(tmp_path / "out" / "x")[1]["a.wav"][0]
    assert build(tmp_path / "songs", tmp_path / "out" / "x", Settings(PLAIN)).rows == 1


def test_a_song_that_vanishes_is_named(tmp_path):
    built = build_song(tmp_path, "gone.wav", tmp_path, Settings(PLAIN))
    assert (built.train, built.test, built.is_marked) == (0, 0, False) and "No such file" in built.rejected[0]["reason"]


def test_a_build_tells_what_it_read_of_manifests(tmp_path, capsys):
    (tmp_path / "songs").mkdir()
    for name in ("a", "b"):
        (tmp_path / "songs" / f"{name}.wav").write_bytes(encoded(tone(5, 300 + ord(name)), "WAV"))
    (tmp_path / "songs" / "metadata.csv").write_bytes("File_Name; caption\na.wav; A café harp\nx.wav; Gone\n".encode("utf-16"))
    (tmp_path / "songs" / "captions.json").write_text("{oops")
    for _ in range(2):
        assert main(["build", str(tmp_path / "songs"), str(tmp_path / "out"), "--recipe", "plain"]) == 0
        said = capsys.readouterr().err
        assert "metadata.csv: captions of 1 of 2 songs; captions from column caption; 1 of 2 rows name no song: x.wav" in said
        assert "captions.json: not used; it is neither JSON nor JSON Lines" in said
    told = {row["source"]: row["own_caption"] for row in read_rows(tmp_path / "out")}
    assert told["a.wav"] == "A café harp" and told["b.wav"] != "A café harp"


def dies_of(name, *, on_step):
    if name == "deadly":
        os._exit(9)
    on_step()
    return name


@pytest.mark.slow
def test_a_song_that_kills_its_worker_costs_no_other(tmp_path):
    jobs = [(name,) for name in ("a", "deadly", "b", "c")]
    done = dict(Engine(workers=2).each(dies_of, jobs, killed=lambda job: f"{job[0]} was killed"))
    assert done == {("a",): "a", ("deadly",): "deadly was killed", ("b",): "b", ("c",): "c"}
    with pytest.raises(InputError, match="a worker was killed"):
        list(Engine(workers=2).each(dies_of, jobs))


def test_hidden_files_are_rejected_by_name_and_empty_ones_are_empty(tmp_path, capsys):
    songs = tmp_path / "songs"
    songs.mkdir()
    for name in ("a.wav", ".b.wav"):
        (songs / name).write_bytes(encoded(tone(5) + 0.2, "WAV"))
    for name in ("c.mp3", "d.flac"):
        (songs / name).touch()
    summary = build(songs, tmp_path / "out", Settings(PLAIN))
    _, reasons = outcome(tmp_path / "out")
    assert "begins with a dot" in reasons[".b.wav"][0] and "1 hidden sound file" in capsys.readouterr().err
    assert "it is empty" in reasons["c.mp3"][0] and "it is empty" in reasons["d.flac"][0]
    assert (summary.songs, summary.rejected_songs, summary.same_songs) == (3, 2, 0)
    for row in read_rows(tmp_path / "out"):
        made, _ = load_audio(tmp_path / "out" / row["location"])
        assert abs(row["dc_removed"] - 0.2) < 0.01 and abs(made.mean()) < 1e-3 and row["clipped"] == 0
