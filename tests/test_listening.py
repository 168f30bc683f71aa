"""A training plays prompts now and then: clips of its averaged weights, and how well they obey."""

import csv
import json
import shutil
import sys
from types import SimpleNamespace

import pytest
import torch
from test_adapters import write_rows

from musicbench import InputError
from musicbench.hearing.heard import Heard
from musicbench.music.chords import Chord
from mustango.__main__ import main
from mustango.train import listening

LINE = {"prompt": "calm piano", "chords": "C", "tempo": 120, "duration": 1, "steps": 2}
HEARD = Heard(beat_times=(0.0, 0.5), bpm=120.0, chords=(Chord(0), Chord(7)), chord_times=(0.0, 0.5))  # half the time C


@pytest.fixture
def judge(monkeypatch):
    """Stands for a judge that always hears HEARD."""
    monkeypatch.setattr(listening, "load_judge", lambda name: lambda samples, rate: HEARD)
    monkeypatch.setattr(listening, "load_mir_eval", lambda: None)


def begin(folder, tmp_path, *lines):
    """Return the command that trains a run of the tiny model; its prompts lie beside it."""
    data = write_rows(tmp_path / "data", 3)
    (tmp_path / "prompts.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines or (LINE,)))
    assert main(["train", "start", "-o", str(tmp_path / "run"), "--from", str(folder)]) == 0
    return ["train", "munet", "-o", str(tmp_path / "run"), "--data", data, "--batch-size", "2", "--lr", "1e-2", "--log", "none"]


@pytest.mark.slow
def test_clips_and_scores_are_written_and_change_nothing(tiny_folder, tmp_path, judge):
    train = begin(tiny_folder, tmp_path, LINE, LINE | {"chords": "G", "tempo": 90})
    shutil.copytree(tmp_path / "run", tmp_path / "deaf")
    listen = [*train, "--listen-every", "2", "--listen-to", str(tmp_path / "prompts.jsonl")]
    assert main([*listen, "--steps", "2"]) == 0
    munet = tmp_path / "run" / "munet"
    shutil.rmtree(munet / "clips")  # as if it was killed after it had saved
    (munet / "listened.csv").unlink()
    assert main([*listen, "--steps", "4"]) == 0
    assert sorted(path.name for path in (munet / "clips").iterdir()) == ["00000002", "00000004"]
    lines = [*csv.DictReader((munet / "listened.csv").open())]
    assert [line["step"] for line in lines] == ["2", "4"] and {line["judge"] for line in lines} == {"madmom"}
    for line in lines:  # of C half is heard, of G half; the beats of one, its tempo too
        assert [float(line[name]) for name in ("clips", "chords", "tempo")] == [2, 0.5, 0.5] and 0.5 < float(line["beats"]) < 1
    first, later = ((munet / "clips" / step / "1.wav").read_bytes() for step in ("00000002", "00000004"))
    assert first != later

    deaf = [str(tmp_path / "deaf") if word == str(tmp_path / "run") else word for word in train]
    assert main([*deaf, "--steps", "4"]) == 0
    states = [torch.load(tmp_path / run / "munet" / "state.pt", weights_only=True) for run in ("run", "deaf")]
    assert all(torch.equal(states[0]["model"][name], value) for name, value in states[1]["model"].items())

    again = ["generate", "--prompts", str(munet / "clips" / "00000004" / "1.json"), "-o", str(tmp_path / "again")]
    assert main(again) == 0  # by the run's parts, which hold the averaged weights
    assert (tmp_path / "again" / "00001.wav").read_bytes() == later


@pytest.mark.slow
def test_an_adapter_is_heard_and_so_it_is_told_where_no_scores_can_be(tiny_folder, tmp_path, monkeypatch, capsys):
    def missing():
        raise InputError("scores need mir_eval")

    monkeypatch.setattr(listening, "load_mir_eval", missing)
    shown = []
    writer = SimpleNamespace(
        add_scalar=lambda *_: None, flush=lambda: None, add_audio=lambda name, sound, step, rate: shown.append((name, step, sound.shape, rate))
    )  # fmt: skip
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", SimpleNamespace(SummaryWriter=lambda *_, **__: writer))
    train = ["adapter" if word == "munet" else word for word in begin(tiny_folder, tmp_path)]
    listen = ["--listen-every", "1", "--listen-to", str(tmp_path / "prompts.jsonl")]
    assert main([*train[:-2], *listen, "--steps", "2", "--rank", "2"]) == 0
    assert "listening: clips without scores: scores need mir_eval" in capsys.readouterr().out
    out = tmp_path / "run" / "lora"
    assert not (out / "listened.csv").exists()
    assert (out / "clips" / "00000001" / "1.wav").read_bytes() != (out / "clips" / "00000002" / "1.wav").read_bytes()
    again = ["generate", "--prompts", str(out / "clips" / "00000002" / "1.json"), "-o", str(tmp_path / "again")]
    assert main(again) == 0  # the sidecar names the adapter
    assert (tmp_path / "again" / "00001.wav").read_bytes() == (out / "clips" / "00000002" / "1.wav").read_bytes()
    assert shown == [("listened/1", 1, (1, 8000), 8000), ("listened/1", 2, (1, 8000), 8000)]


@pytest.mark.slow
def test_what_cannot_be_played_does_not_stop_a_training(tiny_folder, tmp_path, monkeypatch, capsys, judge):
    def broken(*_):
        raise InputError("the model gives numbers that are not finite")

    train = begin(tiny_folder, tmp_path)
    monkeypatch.setattr(listening, "pipeline_of", broken)
    assert main([*train, "--listen-every", "1", "--steps", "2"]) == 0
    assert "listening: not at step 1: the model gives numbers" in capsys.readouterr().out
    munet = tmp_path / "run" / "munet"
    assert (munet / "state.pt").is_file() and not (munet / "listened.csv").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "arguments", "says"),
    [
        (LINE, ["--listen-to", "prompts.jsonl"], "without --listen-every"),
        (LINE | {"temp": 3}, ["--listen-to", "prompts.jsonl", "--listen-every", "1"], "unknown field 'temp'"),
        (LINE | {"duration": 9999}, ["--listen-to", "prompts.jsonl", "--listen-every", "1"], "9999"),
        (LINE, ["--listen-to", "missing.jsonl", "--listen-every", "1"], "missing.jsonl"),
        (LINE, ["--listen-every", "0"], "--listen-every"),
    ],
)
def test_bad_prompts_are_told_before_the_first_step(tiny_folder, tmp_path, monkeypatch, capsys, line, arguments, says):
    monkeypatch.chdir(tmp_path)
    train = begin(tiny_folder, tmp_path, line)
    capsys.readouterr()
    try:
        assert main([*train, "--steps", "2", *arguments]) == 2
    except SystemExit as stopped:  # by the parser
        assert stopped.code == 2
    assert says in capsys.readouterr().err
    assert not (tmp_path / "run" / "munet" / "state.pt").exists()


def test_prompts_of_our_own_can_be_played():
    from mustango.request.model_facts import ModelFacts

    settled = listening.settled_prompts(None, ModelFacts(10.24, 10.24))
    assert [len(one.takes) for one in settled] == [1] * len(listening.PROMPTS)
    assert [str(one.takes[0].bpm) for one in settled] == [str(float(line["tempo"])) for line in listening.PROMPTS]
