"""What a wheel holds is enough: installed into a folder of its own, it plays outside the checkout. Its dependencies are this environment's."""

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from conftest import ROOT


def run(place, *arguments, **environment):
    done = subprocess.run(
        [sys.executable, *arguments], cwd=place, env={**os.environ, **environment}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def installed_from(source, tmp_path):
    """Build a wheel of a copied source, install it into a folder of its own and return that."""
    pytest.importorskip("setuptools")
    dist, installed = tmp_path / "dist", tmp_path / "installed"
    run(tmp_path, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(dist), str(source))
    (wheel,) = dist.glob("*.whl")
    run(tmp_path, "-m", "pip", "install", "-q", "--no-deps", "--target", str(installed), str(wheel))
    return installed


@pytest.mark.slow
@pytest.mark.model
def test_a_wheel_plays_outside_the_checkout(tmp_path):
    source, away = tmp_path / "source", tmp_path / "away"
    away.mkdir()
    for folder in ("musicbench", "mustango", "checkpoints"):
        shutil.copytree(ROOT / folder, source / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / file, source)
    installed = installed_from(source, tmp_path)
    asked = ["calm piano", "--chords", "C G", "--tempo", "120", "--duration", "4", "--steps", "2", "-o", "clip.wav"]
    run(away, "-m", "mustango", "generate", *asked, PYTHONPATH=str(installed))
    assert (
        json.loads((away / "clip.json").read_text())["chords"] == ["C:maj", "G:maj"] and (away / "clip.wav").stat().st_size > 1000
    )
    where = run(away, "-c", "import mustango, musicbench; print(mustango.__file__, musicbench.__file__)", PYTHONPATH=str(installed))
    assert where.count(str(installed)) == 2
    for name in ("report.html", "scorecard.html", "page.js", "page.css", "parts.html"):
        assert list(installed.rglob(name)), f"the wheel has no {name}"


@pytest.mark.slow
def test_musicbench_alone_builds_a_dataset_without_torch(tmp_path):
    pytest.importorskip("madmom", reason="madmom is not installed (requirements-madmom.txt)")
    source, away = tmp_path / "source" / "musicbench", tmp_path / "away"
    (away / "songs").mkdir(parents=True)
    shutil.copytree(ROOT / "musicbench", source, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    before = {path for path in source.rglob("*") if path.is_file()}
    installed = installed_from(source, tmp_path)
    assert {path for path in source.rglob("*") if path.is_file() and "egg-info" not in str(path)} == before
    time = np.arange(6 * 22050) / 22050
    for hz in (220.0, 330.0):
        soundfile.write(away / "songs" / f"{hz:g}.wav", 0.3 * np.sin(2 * np.pi * hz * time) * np.exp(-8 * (time % 0.5)), 22050)
    code = """
import sys
class Missing:
    def find_spec(self, name, *_):
        if name.partition(".")[0] in ("torch", "transformers", "diffusers", "mustango"):
            raise ImportError(name)
sys.meta_path.insert(0, Missing())
from musicbench.__main__ import main
sys.exit(main(sys.argv[1:]))
"""
    for asked in (["--help"], ["build", "--help"], ["inspect", "--help"], ["compose", "--help"]):
        assert "usage: musicbench" in run(away, "-c", code, *asked, PYTHONPATH=str(installed))
    assert run(away, "-c", code, "build", "songs", "rows", "--recipe", "plain", PYTHONPATH=str(installed)).startswith(
        "2 rows of 2 songs"
    )
    assert "report.html" in run(away, "-c", code, "inspect", "rows", PYTHONPATH=str(installed))
