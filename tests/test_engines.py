"""What is done by many workers is done once, also when some of them are killed."""

import os
import signal
from pathlib import Path

import pytest

from musicbench.build.engines import TRIES, Engine

GOOD, ONCE, ALWAYS = range(3)


def work(folder, number, kind, on_step=None):
    """Note the try; end the worker, as the kernel does where memory is short, the first time or each time."""
    tries = len(list(Path(folder).glob(f"{number}-*")))
    Path(folder, f"{number}-{tries}").touch()
    if kind == ALWAYS or (kind == ONCE and not tries):
        os.kill(os.getpid(), signal.SIGKILL)
    return number * number


KINDS = [GOOD, ONCE, GOOD, ALWAYS, GOOD, GOOD]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["local", "ray"])
def test_a_killed_worker_costs_its_job_a_try_and_a_job_that_kills_is_given_up(tmp_path, monkeypatch, name):
    if name == "ray":
        pytest.importorskip("ray", reason="ray is not installed")
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join([os.path.dirname(__file__), os.environ.get("PYTHONPATH", "")]))
    jobs = ((str(tmp_path), number, kind) for number, kind in enumerate(KINDS))
    results = Engine(name, 2).each(work, jobs, killed=lambda job: f"{job[1]} killed its workers")
    found = sorted((job[1], result) for job, result in results)
    assert found == [(0, 0), (1, 1), (2, 4), (3, "3 killed its workers"), (4, 16), (5, 25)]
    if name == "ray":  # the others go on beside it
        tries = [len(list(tmp_path.glob(f"{number}-*"))) for number in range(len(KINDS))]
        assert tries == [1, 2, 1, TRIES, 1, 1]
