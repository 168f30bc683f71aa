"""The recipes make what they say, from nothing."""

import os
import subprocess
import sys

import numpy as np
import pytest
from conftest import ROOT, needs_fluidsynth

from mustango.pipeline import load_pipeline


def recipe(*arguments, **environment):
    environment = os.environ | {"PYTHON": sys.executable, "PYTHONPATH": str(ROOT), "DEVICE": "cpu", "WORKERS": "2"} | environment
    return subprocess.run([ROOT / "recipes" / "mini.sh", *arguments], env=environment, capture_output=True, text=True)


@pytest.mark.slow
@pytest.mark.skipif("RECIPES" not in os.environ, reason="minutes of work; RECIPES=1 runs it")
@needs_fluidsynth
def test_the_bundled_models_recipe_makes_a_model_that_plays(tmp_path):
    """Two steps of each training at the bundled model's sizes. It stops where its time is up, and the same command goes on."""
    stopped = recipe("--tiny", tmp_path, MINUTES="0.0001")
    assert stopped.returncode == 75 and "the same command goes on" in stopped.stderr, stopped.stderr
    done = recipe("--tiny", tmp_path)
    assert done.returncode == 0, done.stderr
    pipeline = load_pipeline(str(tmp_path / "model"))
    bundled = load_pipeline()
    for name in ("mel", "vae", "vocoder", "unet", "conditioner", "text_encoder"):
        made, ours = ({k: v.shape for k, v in getattr(p, name).state_dict().items()} for p in (pipeline, bundled))
        for shapes in (made, ours):  # more can be told than when the bundled model was trained
            shapes.pop("control.convs.0.weight", None)
        assert made == ours, name
    audio = pipeline("calm piano", chords="C G", tempo=120, duration=4.0, steps=2).audios[0]
    assert audio.shape == (4 * 24000,) and 0 < np.abs(audio).max() < 1
    again = recipe("--tiny", tmp_path)
    assert again.returncode == 0 and again.stdout.count("done before") == 9
