"""The report: what it says, in which order, and that nothing in it is taken for markup."""

import json

import numpy as np
import pytest
import soundfile
from conftest import HOSTILE, Markup

from musicbench.markup import POLICY
from mustango.evaluate.scorecard import compared_markdown, markdown, page, rank, write_reports
from mustango.hear.metrics import METRICS, Mean

MEAN = {"value": 0.75, "low": 0.6, "high": 0.9, "n": 2}


@pytest.fixture
def folder(tmp_path):
    """A folder as an evaluation leaves it: two clips, one judge."""
    heard = {"beats": [[0.1, 0.6], []], "bpm": 120.0, "chords": ["C:maj", "A:min7"], "chords_time": [0, 1], "key": None}
    (tmp_path / "heard" / "model").mkdir(parents=True)
    rows = []
    for name in ("good", "bad"):
        (tmp_path / "heard" / "model" / f"{name}.json").write_text(json.dumps({"heard": {"librosa": heard}}))
        soundfile.write(tmp_path / f"{name}.wav", 0.1 * np.sin(np.arange(16000)), 8000)
        rows.append(
            {"id": name, "prompt": "<b>calm & low</b>", "bpm": 120, "meter": "4/4", "key": ["A", "minor"], "beats": [[0, 0.5, 1, 1.5], [1, 2, 3, 4]],
             "chords": ["C:maj", "A:min"], "chords_time": [0, 1], "duration": 2.0, "seed": 0}
        )  # fmt: skip
    (tmp_path / "targets.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return tmp_path


@pytest.fixture
def report(folder):
    setup = {
        "set": "composed:2",
        "model": "mini",
        "weights": "ab12",
        "audio": None,
        "steps": 20,
        "guidance": 3.0,
        "given": True,
        "seed": 5,
    }
    few = MEAN | {"n": 1, "low": None, "high": None}
    return {
        "setup": setup | {"judges": ["librosa"]},
        "clips": 2,
        "judges": [{"name": "librosa", "licence": "ISC", "hears": ["beats", "chords"]}],
        "embedding": {"name": "MusiCNN (MTT)", "licence": "ISC"},
        "judges not used": ["madmom: not installed"],
        "seconds": {"generating": 12.3},
        "machine": {"cores": 2, "workers": 2, "load": 1.5},
        "rows": [
            {"metric": "majmin", "judge": "librosa", "columns": {"model": MEAN, "dropped": few}, "shares": {"model / real": MEAN}},
            {"metric": "beat F", "judge": "librosa", "columns": {"model": MEAN}, "shares": {}},
            {
                "metric": "FAD",
                "judge": "MusiCNN (MTT)",
                "columns": {"model": MEAN | {"value": 12.34, "low": 11, "high": 13}},
                "shares": {},
            },
        ],
        "problems": [{"column": "model", "id": "bad", "what": "silent <script>"}],
        "paths": {"model": {name: str(folder / f"{name}.wav") for name in ("good", "bad")}},
        "scores": {
            "model": {"good": {"librosa": {"majmin": 0.9, "beat F": 1.0}}, "bad": {"librosa": {"majmin": 0.1, "beat F": 0.2}}}
        },
    }


def test_markdown_says_what_how_and_by_whom(report):
    text = markdown(report)
    assert (
        "composed:2, 2 clips, seed 5" in text
        and "weights ab12" in text
        and "librosa (ISC)" in text
        and "MusiCNN (MTT) (ISC)" in text
    )
    assert "| majmin | librosa | 0.750 [0.600, 0.900] | 0.750 N=1 | 75.0 % [60.0, 90.0] |" in text
    assert "| FAD | MusiCNN (MTT) | 12.3 [11.0, 13.0] |" in text and "Not used: madmom" in text and "## Problems (1)" in text
    assert text.index("## Tempo") < text.index("## Chords") < text.index("## Sound")


def test_worst_clips_come_first():
    scores = {"b": {"x": {"majmin": 0.5}}, "none": {"x": {"CK": 1.0}}, "a": {"x": {"majmin": 0.1}, "y": {"beat F": 0.2}}}
    assert rank(scores)[0] == ["a", "b", "none"]


@pytest.mark.slow
def test_page_holds_all_it_shows(report, folder):
    text = page(report, folder)
    assert text.index("<h3>bad") < text.index("<h3>good") and text.count("<audio") == 2 and text.count("data:image/png") == 2
    assert "<b>calm" not in text and "&lt;b&gt;calm &amp; low" in text and "<script" not in text
    assert "http://" not in text and "https://" not in text and 'src="/' not in text
    assert page(report, folder, clips=1).count("<audio") == 1


def test_hostile_text_stays_text_wherever_it_stands(report, folder):
    name = HOSTILE.replace("/", "|")
    rows = [json.loads(line) for line in (folder / "targets.jsonl").read_text().splitlines()]
    (folder / "targets.jsonl").write_text(
        "\n".join(json.dumps(r | {"id": name, "prompt": HOSTILE, "meter": HOSTILE}) for r in rows)
    )
    (folder / "heard" / "model" / "bad.json").rename(folder / "heard" / "model" / f"{name}.json")
    (judge,) = report["judges"]
    judge |= dict.fromkeys(("name", "licence"), HOSTILE)
    report["setup"] |= dict.fromkeys(("set", "model", "weights"), HOSTILE)
    report["judges not used"] = [HOSTILE]
    report["problems"] = [{"column": "model", "id": HOSTILE, "what": HOSTILE}]
    report["rows"][0]["judge"] = HOSTILE
    report["paths"]["model"] = {name: str(folder / "bad.wav")}
    report["scores"]["model"] = {name: {HOSTILE: {"majmin": 0.1}}}
    shown = Markup(page(report, folder))
    assert "script" not in shown.tags and shown.tags.count("img") == shown.tags.count("audio") == 1
    assert shown.tags.count("title") == shown.tags.count("style") == shown.tags.count("body") == 1
    assert "onerror" not in dict(shown.attributes) and shown.text.count(HOSTILE) == 12
    assert shown.text.count(name) == 1 and ("alt", f"spectrogram of {name}") in shown.attributes


def test_markdown_shows_text_from_elsewhere_as_text(report):
    hostile = HOSTILE + " | ![x](http://x/y) \x1b[2J\nnext"
    report["setup"] |= {"set": hostile, "model": hostile}
    report["problems"] = [{"column": hostile, "id": hostile, "what": hostile}]
    report["judges not used"] = [hostile]
    report["rows"][0]["judge"] = hostile
    text = markdown(report)
    assert "<script" not in text and "<img" not in text and "![x](" not in text and "\x1b" not in text and "\nnext" not in text
    assert [line.count("|") - line.count("\\|") for line in text.splitlines() if line.startswith("| majmin")] == [6]
    rows = [{"metric": "m", "judge": hostile, "a": 0.5, "b": 0.6, "difference": Mean(0.1, 0.05, 0.2, 9)}]
    compared = compared_markdown(rows, hostile, hostile)
    assert "<script" not in compared and "\x1b" not in compared and len(compared.splitlines()) == 6


@pytest.mark.slow
def test_a_browser_may_run_and_load_nothing_in_the_page(report, folder):
    assert (
        ("content", POLICY) in Markup(page(report, folder)).attributes
        and "script-src" not in POLICY
        and "default-src 'none'" in POLICY
    )


def test_page_of_clips_that_cannot_be_read(report, folder):
    (folder / "heard" / "model" / "bad.json").unlink()
    report["scores"]["model"]["bad"] = {"librosa": {"majmin": 0.0}}
    text = page(report, folder)
    assert text.index("<h3>bad") < text.index("<h3>good") and text.count("<audio") == 1


@pytest.mark.slow
def test_reports_are_written(report, folder):
    for path in write_reports(report, folder):
        assert path.read_text().startswith(("# Evaluation", "<!doctype html>"))


def test_a_difference_is_starred_where_its_interval_leaves_out_zero():
    rows = [
        {"metric": m, "judge": "j", "a": 0.5, "b": 0.6, "difference": Mean(0.1, low, 0.2, 9)}
        for m, low in (("majmin", 0.05), ("root", -0.05))
    ]
    lines = compared_markdown(rows, "A", "B").splitlines()
    assert lines[-2].count("*") == 1 and "+0.100 [+0.050, +0.200] * | 9 |" in lines[-2] and "*" not in lines[-1]


def test_every_metric_has_its_place():
    from mustango.evaluate.scorecard import GROUPS, MEANINGS

    placed = [metric for metrics in GROUPS.values() for metric in metrics]
    assert set(placed) == set(MEANINGS) >= set(METRICS) and len(placed) == len(set(placed))
