"""A training logs curves, draws them, and says before its first step what it will take."""

import re
import sys
from types import SimpleNamespace

import pytest
import torch
from test_train import Toy, final

from mustango.__main__ import main
from mustango.train.curves import Curves
from mustango.train.loop import Course, fit
from mustango.train.plan import plan_of
from mustango.train.processes import Learner

OPTIONS = dict(lr=0.3, batch_size=8, save_every=10, log_every=5)


def test_a_curve_is_drawn(tmp_path):
    fit(Toy(), tmp_path, Course(steps=10, **OPTIONS), held_out=Toy())
    first = (tmp_path / "toy" / "curve.png").read_bytes()
    assert first.startswith(b"\x89PNG")
    fit(Toy(), tmp_path, Course(steps=30, **OPTIONS), held_out=Toy())
    assert (tmp_path / "toy" / "curve.png").read_bytes() != first


def test_tensorboard_has_the_curves_and_forgets_what_comes_again(tmp_path, monkeypatch):
    written = []

    class SummaryWriter:
        def __init__(self, folder, purge_step):
            written.append(("begin", folder, purge_step))

        def add_scalar(self, name, value, step):
            written.append((name, value, step))

        def flush(self):
            pass

    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", SimpleNamespace(SummaryWriter=SummaryWriter))
    fit(Toy(), tmp_path, Course(steps=10, **OPTIONS))
    fit(Toy(), tmp_path, Course(steps=15, **OPTIONS))
    folder = str(tmp_path / "toy" / "tensorboard")
    assert [one for one in written if one[0] == "begin"] == [("begin", folder, 1), ("begin", folder, 11)]
    assert [step for name, _, step in written if name == "curve/loss"] == [5, 10, 15]
    del written[:]
    fit(Toy(), tmp_path / "none", Course(steps=5, log="none", **OPTIONS))
    assert not written and (tmp_path / "none" / "toy" / "curve.csv").is_file()


def test_weights_and_biases_is_asked_for_by_name(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "wandb", None)
    assert main(["train", "munet", "-o", str(tmp_path / "run"), "--data", str(tmp_path), "--log", "wandb"]) == 2
    assert "pip install wandb" in capsys.readouterr().err and not (tmp_path / "run").exists()
    logged = []
    run = SimpleNamespace(log=lambda numbers, step: logged.append((step, numbers)))
    monkeypatch.setitem(sys.modules, "wandb", SimpleNamespace(init=lambda **_: run))
    Curves(tmp_path, 0, "wandb").add("held_out", {"step": 3, "loss": 0.5})
    assert logged == [(3, {"held_out/loss": 0.5})]


def test_a_plan_is_told_and_changes_nothing(tmp_path, capsys):
    fit(Toy(), tmp_path / "planned", Course(steps=10, plans=True, **OPTIONS))
    told = capsys.readouterr().out.splitlines()
    assert re.match(r"toy: 0\.00 of 0\.00 million numbers are learnt; memory: .*; [\d.]+ s a step, 10 steps in 0 min", told[0])
    assert sum("million" in line for line in told) == 1
    fit(Toy(), tmp_path / "plain", Course(steps=10, **OPTIONS))
    assert all(
        torch.equal(a, b) for a, b in zip(final(tmp_path / "planned").values(), final(tmp_path / "plain").values(), strict=True)
    )


def test_a_plan_counts_and_measures():
    model = torch.nn.Sequential(torch.nn.Linear(1000, 500), torch.nn.ReLU(), torch.nn.Linear(500, 1))
    model[2].requires_grad_(False)
    task = SimpleNamespace(model=model, loss=lambda batch: (model(batch["x"]).square().mean(), {}))
    batch = {"x": torch.randn(64, 1000)}
    plan = plan_of(Learner(task), model, batch, averages=True)
    assert plan.learnt == 500_500 and plan.numbers == 501_001
    assert plan.bytes_of["weights"] == 4 * 501_001 and plan.bytes_of["optimizer"] == 2 * plan.bytes_of["averages"] == 8 * 500_500
    assert plan.bytes_of["activations"] == pytest.approx(64 * 500 * 4, abs=64 * 4 * 2)  # what comes out of the first layer, once
    assert all(parameter.grad is None for parameter in model.parameters())
    assert "6,000 steps" in plan.text(6000, 2).replace("6000", "6,000") and plan.text(1, 1).endswith("0 min")
