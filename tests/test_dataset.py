import errno
import hashlib
import json
import os

import pytest
from conftest import needs_fluidsynth

from musicbench import InputError
from musicbench.__main__ import main
from musicbench.build import composed
from musicbench.build.composed import Composer, write_composed
from musicbench.build.dataset import read_rows
from musicbench.files import alone_in

FIELDS = {
    "dataset",
    "location",
    "main_caption",
    "beats",
    "bpm",
    "chords",
    "chords_time",
    "key",
    "keyprob",
    "is_audioset_eval_mcaps",
}


def digests(folder):
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.mark.slow
@needs_fluidsynth
def test_rows_are_the_same_for_any_workers_and_after_a_kill(tmp_path):
    write_composed(tmp_path / "one", 6, composer=Composer(2.0, 16000))
    write_composed(tmp_path / "two", 6, composer=Composer(2.0, 16000), workers=2)
    assert digests(tmp_path / "one") == digests(tmp_path / "two")
    rows = read_rows(tmp_path / "one")
    assert len(rows) == 6 and set(rows[0]) >= FIELDS
    lines = (tmp_path / "two" / "rows.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "two" / "rows.jsonl").write_text("".join(lines[:3]) + lines[3][:20])  # what a kill leaves
    assert write_composed(tmp_path / "two", 6, composer=Composer(2.0, 16000)) == 3
    assert digests(tmp_path / "one") == digests(tmp_path / "two")


@pytest.mark.slow
@needs_fluidsynth
def test_command_line(tmp_path, capsys):
    assert main(["compose", "--count", "2", "--seed", "9", "--duration", "1.5", "-o", str(tmp_path / "x")]) == 0
    assert [row["seed"] for row in read_rows(tmp_path / "x")] == [9, 10]
    assert "2 pieces" in capsys.readouterr().out


def test_bad_input(tmp_path, capsys):
    with pytest.raises(InputError, match="no rows.jsonl"):
        read_rows(tmp_path)
    (tmp_path / "rows.jsonl").write_text(json.dumps({"a": 1}) + "\n{oops\n")
    with pytest.raises(InputError, match="line 2"):
        read_rows(tmp_path)
    assert main(["compose", "-o", str(tmp_path / "y"), "--duration", "0"]) == 2
    assert main(["compose", "-o", str(tmp_path / "y"), "--soundfont", "/none.sf2"]) == 2
    assert main(["compose", "-o", str(tmp_path / "y"), "--soundfont", __file__]) == 2
    assert main(["compose", "-o", str(tmp_path / "y"), "--sample-rate", "192000"]) == 2
    assert main(["compose", "-o", str(tmp_path / "y"), "--seed", "-1"]) == 2
    assert not (tmp_path / "y").exists()
    assert "none.sf2" in capsys.readouterr().err


def test_lines_that_are_no_rows_are_named(tmp_path):
    for line in (b"[1]", b"5", b'{"a": "\xff"}'):
        (tmp_path / "rows.jsonl").write_bytes(b'{"a": 1}\n' + line + b"\n")
        with pytest.raises(InputError, match="line 2"):
            read_rows(tmp_path)
    (tmp_path / "rows.jsonl").write_bytes('{"a": 1}\n{"b": "é'.encode()[:-1])  # torn within a letter
    assert read_rows(tmp_path) == [{"a": 1}]


def test_what_a_killed_writer_left_goes(tmp_path, monkeypatch):
    monkeypatch.setattr(Composer, "check", lambda self: None)
    (tmp_path / "audio").mkdir()
    for name in (".00000000-0123456789abcdef.flac", "00000000.flac"):
        (tmp_path / "audio" / name).touch()
    write_composed(tmp_path, 0)
    assert [path.name for path in (tmp_path / "audio").iterdir()] == ["00000000.flac"]


def test_a_full_disk_loses_no_rows(tmp_path, monkeypatch):
    monkeypatch.setattr(Composer, "check", lambda self: None)
    text = '{"dataset": "composed", "seed": 0}\n{"dataset": "comp'
    (tmp_path / "rows.jsonl").write_text(text)

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(InputError, match="No space left"):
        write_composed(tmp_path, 1)
    assert (tmp_path / "rows.jsonl").read_text() == text


def test_two_runs_do_not_compose_into_one_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(Composer, "check", lambda self: None)
    (tmp_path / "rows.jsonl").touch()  # of a run that has composed nothing yet
    with alone_in(tmp_path), pytest.raises(InputError, match="another run is writing"):
        write_composed(tmp_path, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["rows.jsonl"]


def test_composing_keeps_out_of_other_datasets(tmp_path, monkeypatch):
    monkeypatch.setattr(Composer, "check", lambda self: None)
    (tmp_path / "rows.jsonl").write_text('{"dataset": "songs", "seed": 0}\n')
    with pytest.raises(InputError, match="was not composed"):
        write_composed(tmp_path, 1)
    (tmp_path / "rows.jsonl").unlink()
    (tmp_path / "build.json").write_text("{}")
    with pytest.raises(InputError, match="was not composed"):
        write_composed(tmp_path, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["build.json"]


@pytest.mark.slow
@needs_fluidsynth
def test_a_piece_whose_audio_is_lost_is_composed_again(tmp_path):
    made = dict(composer=Composer(1.0, 16000))
    write_composed(tmp_path / "whole", 3, **made)
    write_composed(tmp_path / "lost", 3, **made)
    (tmp_path / "lost" / "audio" / "00000001.flac").unlink()
    assert write_composed(tmp_path / "lost", 1, **made) == 0 and len(read_rows(tmp_path / "lost")) == 3  # seed 1 is not asked for
    assert write_composed(tmp_path / "lost", 3, **made) == 1 and write_composed(tmp_path / "lost", 3, **made) == 0
    whole, again = (sorted(read_rows(tmp_path / name), key=lambda row: row["seed"]) for name in ("whole", "lost"))
    assert whole == again
    assert digests(tmp_path / "whole" / "audio") == digests(tmp_path / "lost" / "audio")


@pytest.mark.parametrize("other", [["--duration", "5"], ["--sample-rate", "16000"]])
def test_one_folder_has_one_duration_and_one_rate(tmp_path, monkeypatch, capsys, other):
    monkeypatch.setattr(Composer, "check", lambda self: None)
    row = {"dataset": "composed", "seed": 0, "location": "audio/00000000.flac", "duration": 10.24, "sample_rate": 24000}
    (tmp_path / "rows.jsonl").write_text(json.dumps(row) + "\n")
    assert main(["compose", "-o", str(tmp_path), "--count", "1", *other]) == 2
    error = capsys.readouterr().err
    assert "give --duration 10.24 --sample-rate 24000, or another folder" in error and len(error.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["rows.jsonl"]


def killed(*_):
    os._exit(9)


@pytest.mark.slow
def test_a_killed_worker_is_told_in_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(Composer, "check", lambda self: None)
    monkeypatch.setattr(composed, "composed_row", killed)
    assert main(["compose", "-o", str(tmp_path / "x"), "--count", "2"]) == 2
    assert "a worker was killed" in capsys.readouterr().err
