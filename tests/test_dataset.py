import hashlib
import json

import pytest
from conftest import needs_fluidsynth

from musicbench import InputError
from musicbench.__main__ import main
from musicbench.dataset import read_rows, write_composed

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


@needs_fluidsynth
def test_rows_are_the_same_for_any_workers_and_after_a_kill(tmp_path):
    write_composed(tmp_path / "one", 6, duration_s=2.0, sample_rate=16000)
    write_composed(tmp_path / "two", 6, duration_s=2.0, sample_rate=16000, workers=2)
    assert digests(tmp_path / "one") == digests(tmp_path / "two")
    rows = read_rows(tmp_path / "one")
    assert len(rows) == 6 and set(rows[0]) >= FIELDS
    lines = (tmp_path / "two" / "rows.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "two" / "rows.jsonl").write_text("".join(lines[:3]) + lines[3][:20])  # what a kill leaves
    assert write_composed(tmp_path / "two", 6, duration_s=2.0, sample_rate=16000) == 3
    assert digests(tmp_path / "one") == digests(tmp_path / "two")


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
    assert not (tmp_path / "y").exists()
    assert "none.sf2" in capsys.readouterr().err
