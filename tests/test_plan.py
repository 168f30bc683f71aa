"""What a plan tells is what a build makes."""

import numpy as np
import pytest
import soundfile
from test_features import AM, RATE, C, F, G, triads

from musicbench.build.build import build
from musicbench.build.index import INDEX
from musicbench.build.plan import plan_build
from musicbench.build.recipe import Recipe
from musicbench.build.settings import Settings
from musicbench.hearing.song import Hearing

RECIPE = Recipe(clip_s=2.0, hop_s=2.0, min_s=1.0, semitones=(2,), tempo_copies=0, dynamics_copies=0)


@pytest.fixture
def songs(tmp_path, monkeypatch):
    """Six songs of 2 to 12 s, one that is half silent, one that cannot be read."""
    monkeypatch.setattr("musicbench.build.song_hearing.why_no_tags", lambda: "not in a test")
    folder = tmp_path / "songs"
    folder.mkdir()
    for number in range(1, 7):
        soundfile.write(folder / f"{number}.wav", triads(([C, AM, F, G] * 2)[number : number * 3 // 2 + 1], 100 + 8 * number), RATE)
    soundfile.write(folder / "half.flac", np.concatenate([triads([C, G], 120), np.zeros(4 * RATE)]), RATE)
    (folder / "broken.mp3").write_bytes(bytes(range(256)) * 20)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("form", ["files", "rows"])
def test_a_plan_tells_rows_and_bytes(songs, tmp_path, form):
    settings = Settings(RECIPE, hearing=Hearing("none"), form=form)
    plan, made = plan_build(songs, settings), build(songs, tmp_path / "out", settings)
    size = sum(path.stat().st_size for path in (tmp_path / "out").rglob("*") if path.is_file() and path.name != INDEX)
    assert (
        made.rejected_clips
        and plan.rows.mean == pytest.approx(made.rows, rel=0.15)
        and plan.rows.low <= made.rows <= plan.rows.high
    )
    assert plan.size.mean == pytest.approx(size, rel=0.15 if form == "files" else 0.3) and plan.core_hours.mean > 0
    assert "core-hours" in str(plan) and f"rows        {plan.rows}" in str(plan)
