"""Commands that are killed, or run twice: one writes at a time, what is left over goes at the next start, and no worker stays."""

import os
import shutil
import subprocess
import sys

import pytest
from conftest import HANG_S, ROOT

from musicbench import InputError
from musicbench.files import LOCK, alone_at, alone_in, sweep_torn
from mustango.__main__ import main
from mustango.release.folder import model_written_whole
from mustango.train.parts import mend_run

TORN = ".state-0123456789abcdef.pt"  # how `written_whole` names what it writes


@pytest.mark.slow
def test_two_trainings_do_not_write_one_run(tiny_folder, tmp_path, capsys):
    run = tmp_path / "run"
    with alone_in(run):
        assert main(["train", "start", "-o", str(run), "--from", str(tiny_folder)]) == 2
        assert os.listdir(run) == [LOCK] and "another run is writing" in capsys.readouterr().err
    assert main(["train", "start", "-o", str(run), "--from", str(tiny_folder)]) == 0
    assert os.listdir(run) == ["parts"]
    with alone_in(run):
        assert main(["train", "bundle", "-o", str(run), "--to", str(tmp_path / "model")]) == 2
    with alone_at(tmp_path / "model"):
        assert main(["train", "bundle", "-o", str(run), "--to", str(tmp_path / "model")]) == 2
    assert capsys.readouterr().err.count("another run is writing") == 2
    assert sorted(os.listdir(tmp_path)) == ["run"]


def test_two_evaluations_do_not_write_one_folder(tmp_path, capsys):
    (tmp_path / "set.jsonl").write_text('{"id": "a", "prompt": "piano"}\n')
    (tmp_path / "audio").mkdir()
    with alone_in(tmp_path / "out"):
        command = [
            "evaluate",
            "--set",
            str(tmp_path / "set.jsonl"),
            "--audio",
            str(tmp_path / "audio"),
            "-o",
            str(tmp_path / "out"),
        ]
        assert main(command) == 2
    assert "another run is writing" in capsys.readouterr().err


@pytest.mark.slow
def test_two_runs_of_prompts_do_not_write_one_folder(tiny_folder, tmp_path, capsys):
    (tmp_path / "prompts.jsonl").write_text('{"prompt": "piano", "duration": 2, "chords": "C"}\n')
    command = ["generate", "--prompts", str(tmp_path / "prompts.jsonl"), "-o", str(tmp_path / "out"), "--steps", "2"]
    command += ["--model", str(tiny_folder)]
    with alone_in(tmp_path / "out"):
        assert main(command) == 2
        assert os.listdir(tmp_path / "out") == [LOCK] and "another run is writing" in capsys.readouterr().err
    assert main(command) == 0
    assert sorted(os.listdir(tmp_path / "out")) == ["00001.json", "00001.wav"]


def test_two_conversions_do_not_write_one_model(tmp_path):
    with model_written_whole(tmp_path / "model") as first:
        (first / "a").write_text("1")
        with pytest.raises(InputError, match="another run is writing"), model_written_whole(tmp_path / "model"):
            pass
        assert (first / "a").read_text() == "1", "the second has taken nothing away"
    assert os.listdir(tmp_path) == ["model"] and (tmp_path / "model" / "a").is_file()


def test_a_training_that_comes_to_nothing_leaves_no_folder(tmp_path, capsys):
    (tmp_path / "encoder").mkdir()
    (tmp_path / "encoder" / "config.json").write_text("{}")
    assert main(["train", "text", "-o", str(tmp_path / "run"), "--text-encoder", str(tmp_path / "encoder")]) == 2
    assert capsys.readouterr().err.count("\n") == 1 and os.listdir(tmp_path) == ["encoder"]


@pytest.mark.parametrize("there", [("unet", ".unet.new"), (".unet.old", ".unet.new"), (".unet.old", "unet"), (".unet.old",)])
def test_a_killed_training_is_mended_at_the_next_start(tmp_path, there):
    """Killed before a part is replaced, between the two renames, and after."""
    for name in there:
        (tmp_path / "parts" / name).mkdir(parents=True)
        (tmp_path / "parts" / name / "config.json").write_text(name)
    (tmp_path / ".parts.new").mkdir()
    for folder in ("munet", "munet/cache/0123", "munet/.before.new", "munet/clips/.00000200.new"):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / folder / TORN).write_text("half")
    mend_run(tmp_path)
    wanted = "unet" if "unet" in there else ".unet.new" if ".unet.new" in there else ".unet.old"
    assert (tmp_path / "parts" / "unet" / "config.json").read_text() == wanted
    assert not list(tmp_path.rglob(".*"))


def test_only_what_is_old_goes_where_others_may_write(tmp_path):
    for name, age_s in (("old", 7200), ("new", 0)):
        path = tmp_path / f".{name}-0123456789abcdef.wav"
        path.touch()
        os.utime(path, (path.stat().st_mtime - age_s,) * 2)
    sweep_torn(tmp_path, older_s=3600)
    assert os.listdir(tmp_path) == [".new-0123456789abcdef.wav"]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="kill is another thing there")
def test_an_evaluations_workers_end_with_a_killed_one():
    code = """
import os, sys, time
from mustango.evaluate.clips import worker_pool
if __name__ == "__main__":
    with worker_pool(2) as pool:
        print(pool.submit(os.getpid).result(), flush=True)
        pool.submit(time.sleep, 10**6)
        pool.submit(time.sleep, 10**6)
        time.sleep(10**6)
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=ROOT)
    assert int(process.stdout.readline()) != process.pid
    process.kill()
    process.communicate(timeout=HANG_S)  # the workers hold the pipe's other end until they end


@pytest.mark.slow
@pytest.mark.skipif("KILLS" not in os.environ, reason="takes a minute and a half; set KILLS=1")
@pytest.mark.skipif(not shutil.which("sh") or not os.path.isdir("/proc/self"), reason="needs /proc")
def test_a_killed_evaluation_goes_on_and_ends_the_same(tiny_folder, tmp_path):
    """`benchmarks/kills.py` does the same for every command, many times."""
    sys.path.insert(0, str(ROOT / "benchmarks"))
    import random

    import kills

    command = kills.commands(tmp_path / "inputs", tiny_folder, None)["evaluate"]
    counts = kills.try_command("evaluate", command, tmp_path, 1, random.Random(3))
    assert not any(counts[what] for what in ("processes left", "not whole", "differ", "twice", "left over")), counts


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="kill is another thing there")
def test_processes_that_train_together_end_with_a_killed_launcher():
    worker = """
import os, time
from mustango.train.processes import end_with_launcher
end_with_launcher()
print(os.getpid(), flush=True)
time.sleep(10**6)
"""
    launcher = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {worker!r}])"
    process = subprocess.Popen([sys.executable, "-c", launcher], stdout=subprocess.PIPE, cwd=ROOT)
    assert int(process.stdout.readline()) != process.pid
    process.kill()
    process.communicate(timeout=HANG_S)  # the worker holds the pipe's other end until it ends


@pytest.mark.slow
@pytest.mark.skipif("KILLS" not in os.environ, reason="takes a minute; set KILLS=1")
@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs /proc")
@pytest.mark.parametrize("processes", [1, 2])
def test_a_training_killed_at_random_steps_has_the_same_curve(tiny_folder, tmp_path, monkeypatch, processes):
    """`benchmarks/kill_training.py` kills more often."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import random

    import kill_training
    import kills

    kills.commands(tmp_path / "inputs", tiny_folder, None)
    data, rng = tmp_path / "inputs" / "data", random.Random(3)
    counts = kill_training.kill_training(tmp_path, data, tiny_folder, processes, 2, rng)
    assert counts.pop("lines") == 4
    assert not any(counts.values()), counts
