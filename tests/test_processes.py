"""Several processes learn what one learns from the same batches; parts of a batch one after the other, too."""

import csv
import os
import shutil
import subprocess
import sys

import pytest
import torch
from conftest import HANG_S, ROOT
from test_adapters import write_rows
from test_train import Toy, final

from musicbench import InputError
from mustango.__main__ import main
from mustango.model.conditioning import Conditioning
from mustango.train.checks import launched
from mustango.train.loop import Batches, Course, fit
from mustango.train.processes import Processes


class Shared(Toy):
    """Without noise that is drawn for a whole batch."""

    def loss(self, batch):
        error = (self.model(batch["x"]) - batch["y"]).square()
        return error.mean(), {"extra": error.detach().max()}


def test_a_batch_in_parts_teaches_the_same(tmp_path):
    options = dict(lr=0.1, batch_size=8, steps=12, log_every=3)
    for parts in (1, 4):
        fit(Shared(), tmp_path / str(parts), Course(**options), processes=Processes(accumulate=parts))
    for name, value in final(tmp_path / "1").items():
        torch.testing.assert_close(final(tmp_path / "4")[name], value, atol=1e-6, rtol=0)
    losses = [[float(r["loss"]) for r in csv.DictReader((tmp_path / p / "toy" / "curve.csv").open())] for p in ("1", "4")]
    assert losses[0] == pytest.approx(losses[1], abs=2e-5) and losses[0][-1] < losses[0][0]
    with pytest.raises(InputError, match="does not fall into 3 equal shares"):
        fit(Shared(), tmp_path / "3", Course(**options), processes=Processes(accumulate=3))


def test_shares_are_a_batch():
    whole = Batches(Shared(), 0, 6)[5, 0][1]["x"]
    shares = [Batches(Shared(), 0, 6, 3)[5, share][1]["x"] for share in range(3)]
    assert torch.equal(torch.cat(shares), whole)


def test_attention_that_is_computed_again_has_the_same_gradients(tiny_pipeline):
    unet = tiny_pipeline.unet
    torch.manual_seed(0)
    sample, gradients, kept = torch.randn(2, 4, 8, 2), [], []
    masks = {name: torch.ones(2, 3, dtype=torch.bool) for name in ("text_mask", "beat_mask", "chord_mask")}
    times = {name: torch.rand(2, 3) for name in ("beat_times", "chord_times")}
    told = {name: torch.randn(2, 3, 24) for name in ("text", "beats", "chords")}
    channels = unet.config.control_channels
    condition = Conditioning(**told, **masks, **times, text_pooled=torch.randn(2, 24), control=torch.randn(2, channels, 64))

    def count(tensor):
        kept[-1] += tensor.numel()
        return tensor

    for again in (False, True):
        kept.append(0)
        unet.requires_grad_(True).zero_grad()
        if again:
            unet.enable_gradient_checkpointing()
        with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
            loss = unet(sample, torch.tensor([10, 500]), condition).square().mean()
        loss.backward()
        gradients.append({name: parameter.grad.clone() for name, parameter in unet.named_parameters()})
    unet.disable_gradient_checkpointing()
    unet.requires_grad_(False).zero_grad()
    assert gradients[0].keys() == gradients[1].keys() and all(
        torch.equal(gradients[0][name], gradients[1][name]) for name in gradients[0]
    )
    assert kept[1] < 0.8 * kept[0]  # what convolutions keep stays


def command(launcher, *arguments):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"}
    done = subprocess.run(
        [sys.executable, "-m", *launcher, *arguments], env=environment, capture_output=True, text=True, timeout=HANG_S
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


TORCHRUN = ("torch.distributed.run", "--standalone", "--nproc_per_node", "2", "-m", "mustango")
ACCELERATE = (
    "accelerate.commands.launch",
    "--cpu",
    "--num_processes",
    "2",
    "--num_machines",
    "1",
    "--mixed_precision",
    "no",
    "-m",
    "mustango",
)


@pytest.mark.slow
@pytest.mark.parametrize(
    "launcher",
    [
        TORCHRUN,
        pytest.param(
            ACCELERATE, marks=pytest.mark.skipif("RECIPES" not in os.environ, reason="a minute of work; RECIPES=1 runs it")
        ),
    ],
    ids=["torchrun", "accelerate"],
)
def test_two_processes_learn_what_one_does(tiny_folder, tmp_path, launcher):
    """Two CPU processes by gloo: the same weights after some steps as one has; and they go on where they were stopped."""
    data = write_rows(tmp_path / "data", 4)
    assert main(["train", "start", "-o", str(tmp_path / "one"), "--from", str(tiny_folder)]) == 0
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    train = ["train", "munet", "--data", data, "--batch-size", "4", "--lr", "1e-2"]
    for steps in ("1", "3"):
        assert main([*train, "-o", str(tmp_path / "one"), "--steps", steps]) == 0
        told = command(launcher, *train, "-o", str(tmp_path / "two"), "--steps", steps)
        assert told.count(f"munet: step {steps}") == 1  # one process tells
        states = [torch.load(tmp_path / name / "munet" / "state.pt", weights_only=True) for name in ("one", "two")]
        assert states[1]["step"] == int(steps)
        if steps == "1":  # the optimizer's first average is the gradient, scaled
            gradients = [torch.cat([own["exp_avg"].flatten() for own in state["optimizer"]["state"].values()]) for state in states]
            assert gradients[0].abs().max() > 0
            torch.testing.assert_close(gradients[1], gradients[0], atol=1e-5 * float(gradients[0].abs().max()), rtol=1e-4)
    losses = [
        [float(row["loss"]) for row in csv.DictReader((tmp_path / name / "munet" / "curve.csv").open())] for name in ("one", "two")
    ]
    assert losses[1] == pytest.approx(losses[0], rel=1e-3)


def test_what_launchers_say_is_read(monkeypatch):
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert launched() == (1, 2)
    monkeypatch.setenv("RANK", "first")
    with pytest.raises(InputError, match="RANK and WORLD_SIZE are first and 2"):
        launched()
