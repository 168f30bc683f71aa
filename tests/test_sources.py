"""Rows are learnt from wherever they lie; bad ones are left out, counted and named, or stop the training where they are many."""

import json
import shutil
import sys
import tarfile

import numpy as np
import pytest
from test_adapters import write_rows

from musicbench import InputError
from musicbench.files import save_json_lines
from mustango.__main__ import main
from mustango.train import latents as encoding
from mustango.train.recipe import Recipe
from mustango.train.sources import Source, leave_out, open_source, tell_left_out


@pytest.fixture
def data(tmp_path):
    return write_rows(tmp_path / "data", 4)


def rows_of(data):
    return [json.loads(line) for line in open(f"{data}/rows.jsonl")]


def sounds(source):
    return [source.load(row, 60.0) for row in source.rows]


def same(source, other):
    return all(
        np.array_equal(a, b) and rate == other_rate
        for (a, rate), (b, other_rate) in zip(sounds(source), sounds(other), strict=True)
    )


def test_published_rows_are_read_beside_their_audio_root(data, tmp_path):
    rows = [
        row
        | {"location": row["location"].removeprefix("train/"), "prompt_ch": "The chords are C.", "beats": [[0.5, 1.0], [1.0, 2.0]]}
        for row in rows_of(data)
    ]
    save_json_lines(tmp_path / "MusicBench_train.json", rows)
    source = open_source(tmp_path / "MusicBench_train.json", f"{data}/train")
    assert same(source, open_source(data)) and len(source.rows) == 4
    with pytest.raises(InputError, match="no folder .*nowhere"):
        open_source(tmp_path / "MusicBench_train.json", tmp_path / "nowhere")
    save_json_lines(tmp_path / "evil.json", [rows[0] | {"location": "../rows.jsonl"}])
    with pytest.raises(InputError, match="is not inside"):
        open_source(tmp_path / "evil.json", f"{data}/train").load({"location": "../rows.jsonl"}, 60.0)


def packed(data, path, rows):
    with tarfile.open(path, "w") as tar:
        for row in rows:
            key = row["location"].split("/")[1].split(".")[0]
            (path.parent / "row.json").write_text(json.dumps(row))
            tar.add(f"{data}/{row['location']}", f"{key}.wav")
            tar.add(path.parent / "row.json", f"{key}.json")
    (path.parent / "row.json").unlink()


def test_shards_are_read_where_they_lie(data, tmp_path):
    rows, folder = rows_of(data), tmp_path / "shards"
    folder.mkdir()
    packed(data, folder / "train-000000.tar", rows[:2])
    packed(data, folder / "train-000001.tar", rows[2:])
    wanted = open_source(data)
    for name in (folder, f"{folder}/train-*.tar", f"file://{folder}/train-*.tar"):
        assert same(open_source(name), wanted)
    (tmp_path / "built").mkdir()
    shutil.copytree(folder, tmp_path / "built" / "shards")
    assert same(open_source(tmp_path / "built"), wanted)
    assert len({row["location"] for row in open_source(folder).rows}) == 4
    (folder / "train-000001.tar").write_bytes(b"no tar at all" * 100)
    with pytest.raises(InputError, match="cannot read the shard"):
        open_source(folder)


def test_data_sets_on_the_hub_are_read_from_their_cache(data, monkeypatch):
    import datasets

    rows = rows_of(data)
    table = datasets.Dataset.from_list(
        [{"main_caption": row["main_caption"], "sound": f"{data}/{row['location']}"} for row in rows]
    )
    held = table.cast_column("sound", datasets.Audio(decode=False))
    asked = []
    monkeypatch.setattr(datasets, "load_dataset", lambda name, split: asked.append((name, split)) or held)
    assert same(open_source("owner/songs"), open_source(data)) and asked == [("owner/songs", "train")]
    monkeypatch.setattr(datasets, "load_dataset", lambda name, split: table.remove_columns("sound"))
    with pytest.raises(InputError, match="no column of audio"):
        open_source("owner/songs")
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(InputError, match="pip install datasets"):
        open_source("owner/songs")


def test_one_bad_row_in_a_hundred_is_left_out_and_named_more_stop(data, tmp_path, capsys):
    good = rows_of(data)[0]
    path = tmp_path / "rows.json"
    bad = {"location": "bad.wav"}
    save_json_lines(path, [good] * 99 + [bad])
    source = open_source(path, data)
    tell_left_out(source)
    told = capsys.readouterr().out
    assert len(source.rows) == 99 and "1 of 100 rows" in told and "bad.wav" in told and "row 100" in told
    with pytest.raises(InputError, match=r"has no main_caption.*\(2 of 100 rows cannot be used"):
        save_json_lines(path, [good] * 98 + [bad] * 1 + [{"location": "worse.wav"}])
        open_source(path, data)
    leave_out(source, {})  # no more than before


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"location": None}, "has no location"), ({"main_caption": 5}, "has no main_caption"), ({"beats": "x"}, "cannot be read"),
        ({"chords": ["H7"], "chords_time": [0.0]}, "cannot be read"), ({"location": "train/none.wav"}, "has no audio at train/none.wav"),
        ({"location": "../x.wav"}, "is not inside"), ({"key": 5}, "cannot be read"),
    ],
)  # fmt: skip
def test_bad_rows_are_refused_in_one_line(data, change, says):
    rows = rows_of(data)
    save_json_lines(f"{data}/rows.jsonl", [rows[0] | change, *rows[1:]])
    with pytest.raises(InputError, match=says) as caught:
        open_source(data)
    assert "\n" not in str(caught.value)


def test_sound_that_cannot_be_read_is_found_when_it_is_encoded():
    def load(row, most_s):
        if row["location"] == "7":
            raise InputError("7 is damaged")
        return np.ones(100, np.float32), 8000

    source = Source("many", [{"location": str(number)} for number in range(200)], load, str)
    waveforms, bad = encoding.waveforms_of(source, source.rows[:10], 8000, 120, Recipe())
    assert bad == {7: "7 is damaged"} and waveforms.shape == (10, 120)
    assert not waveforms[7].any() and (waveforms[6, :100] == 1).all()


@pytest.mark.slow
def test_a_bad_sound_is_not_learnt_from_and_is_known_again(tiny_folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("mustango.train.sources.MOST_BAD", 0.3)
    data = write_rows(tmp_path / "data", 4)
    (tmp_path / "data" / "train" / "2.wav").write_bytes(b"RIFF of nothing")
    train = ["train", "adapter", "-o", "run", "--data", data, "--from", str(tiny_folder), "--batch-size", "2", "--steps"]
    assert main([*train, "1"]) == 0
    for _ in range(2):
        told = capsys.readouterr().out
        assert "1 of 4 rows" in told and "train/2.wav" in told
        assert main([*train[:6], *train[8:], "2"]) == 0
    about = json.loads((tmp_path / "run" / "adapter" / "about.json").read_text())
    assert about["learnt_from"]["rows"] == 3
    shutil.rmtree(tmp_path / "run")
    monkeypatch.setattr("mustango.train.sources.MOST_BAD", 0.01)
    assert main([*train, "1"]) == 2
    assert "1 of 4 rows cannot be used" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--data", "nowhere"], "no rows.jsonl"), (["--data", "data", "--audio", "nowhere"], "no folder nowhere"), (["--data", "none/*.tar"], "has no rows"),
        (["--data", "s4://x/y.tar"], "cannot read s4://x/y.tar"), (["--data", "data/rows.jsonl", "--accumulate", "3"], "equal shares"),
    ],
)  # fmt: skip
def test_bad_places_of_rows_get_one_line(tiny_folder, tmp_path, monkeypatch, capsys, options, says):
    monkeypatch.chdir(tmp_path)
    write_rows(tmp_path / "data", 1)
    assert main(["train", "adapter", "-o", "run", "--from", str(tiny_folder), *options, "--steps", "1", "--batch-size", "2"]) == 2
    told = capsys.readouterr().err
    assert says in told and told.splitlines()[-1].startswith("mustango: ") and "Traceback" not in told
