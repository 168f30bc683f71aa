"""What a wheel holds is enough: installed into a folder of its own, it plays outside the checkout. Its dependencies are this environment's."""

import json
import os
import shutil
import subprocess
import sys

import pytest
from conftest import ROOT


def run(place, *arguments, **environment):
    done = subprocess.run(
        [sys.executable, *arguments], cwd=place, env={**os.environ, **environment}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.mark.slow
@pytest.mark.model
def test_a_wheel_plays_outside_the_checkout(tmp_path):
    pytest.importorskip("setuptools")
    installed, away = tmp_path / "installed", tmp_path / "away"
    away.mkdir()
    source = tmp_path / "source"
    for folder in ("musicbench", "mustango", "checkpoints"):
        shutil.copytree(ROOT / folder, source / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / file, source)
    run(away, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(tmp_path / "dist"), str(source))
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    run(away, "-m", "pip", "install", "-q", "--no-deps", "--target", str(installed), str(wheel))
    asked = ["calm piano", "--chords", "C G", "--tempo", "120", "--duration", "4", "--steps", "2", "-o", "clip.wav"]
    run(away, "-m", "mustango", "generate", *asked, PYTHONPATH=str(installed))
    assert (
        json.loads((away / "clip.json").read_text())["chords"] == ["C:maj", "G:maj"] and (away / "clip.wav").stat().st_size > 1000
    )
    where = run(away, "-c", "import mustango, musicbench; print(mustango.__file__, musicbench.__file__)", PYTHONPATH=str(installed))
    assert where.count(str(installed)) == 2
    for name in ("report.html", "scorecard.html", "page.js", "page.css", "parts.html"):
        assert list(installed.rglob(name)), f"the wheel has no {name}"
