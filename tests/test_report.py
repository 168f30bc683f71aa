import base64
import json
import os
import re
import shutil
from io import BytesIO

import numpy as np
import pytest
import soundfile
from conftest import HOSTILE, Markup
from test_features import RATE, C, G, triads

from musicbench import InputError
from musicbench import __main__ as command
from musicbench.build.dataset import read_rows, row_clip
from musicbench.build.report import write_report
from musicbench.files import save_json_lines
from musicbench.markup import POLICY
from musicbench.sound.audio import save_audio


def row(number, transforms, **more):
    return {
        "dataset": "x", "location": f"train/a_{number}.flac", "main_caption": "<b>loud & clear</b>", "alt_caption": "", "bpm": 120.0,
        "beats": [[0.0, 0.5], [1, 2]], "chords": ["C:maj"], "chords_time": [0.0], "key": ["C", "major"], "id": f"a_{number}", "base_id": "a",
        "duration": 2.0, "sample_rate": RATE, "source": "a.wav", "transforms": transforms, **more,
    }  # fmt: skip


@pytest.mark.slow
def test_report_holds_everything_and_needs_nothing(tmp_path, capsys):
    (tmp_path / "train").mkdir()
    rows = [row(0, []), row(1, [{"transform": "pitch", "semitones": 2}]), row(2, [{"transform": "tempo", "rate": 1.1}])]
    rows.append(row(3, [], bpm=None, key=None, beats=[[], []], chords=[], chords_time=[], meter=None, base_id="b"))
    for r in rows:
        save_audio(tmp_path / r["location"], triads([C, G], 120)[: 2 * RATE], RATE)
    save_json_lines(tmp_path / "rows.jsonl", rows)
    save_json_lines(tmp_path / "rejected.jsonl", [{"source": "<script>.mp3", "clip_start": None, "reason": "cannot be read"}])
    assert command.main(["inspect", str(tmp_path), "--rows", "2"]) == 0
    page = (tmp_path / "report.html").read_text()
    assert capsys.readouterr().out.strip().endswith("report.html")
    assert page.count("<audio") == page.count("<img") == 2 + 3
    assert "<b>loud" not in page and "<script>" not in page and "&lt;script&gt;.mp3" in page
    assert not re.findall(r"(?:src|href)='?(?!data:)[a-z]", page), "the page loads something"
    for word in ("Before and after", "pitch", "tempo", "120-139", "C major"):
        assert word in page
    first = page
    command.main(["inspect", str(tmp_path), "--rows", "2"])
    assert (tmp_path / "report.html").read_text() == first


def made(folder, rows, rejected=()):
    """Write a dataset's tables and a second of sound for each row that names a place for it; returns its page."""
    (folder / "train").mkdir(parents=True, exist_ok=True)
    for r in rows:
        if str(r.get("location", "")).startswith("train/") and ".." not in r["location"]:
            save_audio(folder / r["location"], triads([C, G], 120)[:RATE], RATE)
    save_json_lines(folder / "rows.jsonl", rows)
    save_json_lines(folder / "rejected.jsonl", rejected)
    assert command.main(["inspect", str(folder)]) == 0
    return (folder / "report.html").read_text()


FIELDS = (*row(0, []), "own_caption", "meter", "clipped", "tags", "seed", "contradicted", "prompt_ch", "keyprob", "not_heard", "x")


@pytest.mark.slow
@pytest.mark.parametrize(
    "shape", [lambda t: t, lambda t: [t], lambda t: [[t], [t]], lambda t: {t: t}, lambda t: [{"transform": t, t: t}]]
)
def test_a_payload_in_any_field_of_any_row_is_text(tmp_path, monkeypatch, shape):
    """In each field in turn, as it is, in lists and as a name; of rows, of rejects, and of all that lies beside them."""
    for name in ("clip_png", "_mp3"):
        monkeypatch.setattr(f"musicbench.build.report.{name}", lambda *_, **__: b"")
    rows = [row(0, [])] + [row(1, []) | {name: shape(HOSTILE)} for name in FIELDS if name != "location"]
    rows += [row(2, []) | {name: shape(HOSTILE) for name in ("main_caption", "alt_caption", "id", "source", "base_id")}]
    told = {"source": "a", "clip_start": None, "reason": "b"}
    rejected = [told | {name: shape(HOSTILE)} for name in (*told, "x")] + [dict.fromkeys(told, shape(HOSTILE))]
    for name in ("build.json", "manifests.txt", "test_a.jsonl"):
        (tmp_path / name).write_text(json.dumps({HOSTILE: HOSTILE}))
    page = Markup(made(tmp_path, rows, rejected))
    assert "script" not in page.tags and "a" not in page.tags and "iframe" not in page.tags
    assert page.tags.count("meta") == 3 and page.tags.count("img") == page.tags.count("audio") <= len(rows)
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert ("content", POLICY) in page.attributes


@pytest.mark.browser
@pytest.mark.skipif(not (shutil.which("chromium") or shutil.which("chromium-browser")), reason="no chromium")
@pytest.mark.parametrize("escaped", [True, False])
def test_a_browser_runs_nothing_in_a_report(tmp_path, escaped):
    """Also where something slipped through unescaped: the policy lets no script run, nothing load, and no form go out."""
    from playwright.sync_api import sync_playwright

    payload = (
        "<script>document.title='ran'</script><img src=x onerror=\"document.title='ran'\"><iframe srcdoc=\"<script>top.document.title='ran'"
        '</script>"></iframe><link rel=stylesheet href=http://127.0.0.1:9/a.css><base href=http://127.0.0.1:9/>'
    )
    page = made(
        tmp_path / "data", [row(0, [], main_caption=payload)], [{"source": payload, "clip_start": payload, "reason": payload}]
    )
    if not escaped:
        page = page.replace("<h2>Rejected</h2>", f"<h2>Rejected</h2>{payload}")
        (tmp_path / "data" / "report.html").write_text(page)
    asked = []
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        shown = browser.new_page()
        shown.on("requestfinished", lambda request: asked.append(request.url))
        shown.on("requestfailed", lambda request: asked.append(request.url) if request.failure != "csp" else None)
        shown.goto((tmp_path / "data" / "report.html").as_uri())
        assert shown.title() == "data" and (payload in shown.inner_text("body")) is True
        assert shown.evaluate("document.querySelector('article img').naturalWidth") > 0, "the report's own picture is shown"
        browser.close()
    assert [url for url in asked if not url.startswith(("data:", "file:", "about:"))] == [], "all else was stopped by the policy"


@pytest.mark.parametrize(
    "place", ["../secret.flac", "/secret.flac", "train/../../secret.flac", "train/link.flac", "away/secret.flac", "a\0b"]
)
def test_no_file_outside_the_dataset_is_read(tmp_path, place):
    save_audio(tmp_path / "secret.flac", triads([C], 120)[:RATE], RATE)
    folder = tmp_path / "data"
    (folder / "train").mkdir(parents=True)
    (folder / "train" / "link.flac").symlink_to(tmp_path / "secret.flac")
    (folder / "away").symlink_to(tmp_path)
    named = str(tmp_path / "secret.flac") if place.startswith("/") else place
    save_json_lines(folder / "rows.jsonl", [row(0, [], location=named)])
    assert command.main(["inspect", str(folder)]) == 0
    page = (folder / "report.html").read_text()
    assert "<audio" not in page and "is not inside" in page


def test_sound_without_end_is_told_before_memory_is_full(tmp_path, monkeypatch):
    """A FLAC of silence is tiny; what it decodes to is not."""
    monkeypatch.setattr("musicbench.build.report.MOST_S", 5)
    save_json_lines(tmp_path / "rows.jsonl", [row(0, [])])
    (tmp_path / "train").mkdir()
    soundfile.write(tmp_path / "train" / "a_0.flac", np.zeros(6 * RATE), RATE)
    assert command.main(["inspect", str(tmp_path)]) == 0
    page = (tmp_path / "report.html").read_text()
    assert "lasts more than 5 s" in page and "<audio" not in page


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_in_a_rows_place_does_not_hang(tmp_path):
    (tmp_path / "train").mkdir()
    os.mkfifo(tmp_path / "train" / "a_0.flac")
    save_json_lines(tmp_path / "rows.jsonl", [row(0, [])])
    assert command.main(["inspect", str(tmp_path)]) == 0
    assert "no regular file" in (tmp_path / "report.html").read_text()


def test_a_row_nested_without_end_is_one_line(tmp_path, capsys):
    (tmp_path / "rows.jsonl").write_text('{"a":' * 100_000 + "\n{}\n")
    assert command.main(["inspect", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_inspect_of_nothing(tmp_path, capsys):
    assert command.main(["inspect", str(tmp_path)]) == 2
    assert "no rows.jsonl" in capsys.readouterr().err


@pytest.mark.parametrize("line", ['{"a": 1}', "[1]"])
def test_rows_that_are_none_are_named(tmp_path, capsys, line):
    (tmp_path / "rows.jsonl").write_text(line + "\n")
    assert command.main(["inspect", str(tmp_path)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    save_json_lines(tmp_path / "rows.jsonl", [])
    (tmp_path / "rejected.jsonl").write_text(line + "\n")
    assert command.main(["inspect", str(tmp_path)]) == 0 and "in rejected.jsonl it" in (tmp_path / "report.html").read_text()


@pytest.mark.slow
def test_rates_that_mp3_lacks_are_heard(tmp_path):
    (tmp_path / "train").mkdir()
    save_json_lines(tmp_path / "rows.jsonl", [row(0, [])])
    save_audio(tmp_path / "train" / "a_0.flac", np.resize(triads([C], 120), 96000), 96000)
    assert command.main(["inspect", str(tmp_path)]) == 0
    (sound,) = re.findall("base64,([^']*)'></audio>", (tmp_path / "report.html").read_text())
    info = soundfile.info(BytesIO(base64.b64decode(sound)))
    assert info.samplerate == 48000 and abs(info.duration - 1) < 0.1


@pytest.mark.slow
def test_damaged_rows_and_files_are_named_beside_the_others(tmp_path, capsys):
    (tmp_path / "train").mkdir()
    odd = [
        {"location": 5},
        {"beats": [[0], ["x"]]},
        {"chords": [7]},
        {"duration": "long"},
        {"transforms": [1]},
        {"key": "H"},
        {"meter": 4},
    ]
    rows = [row(0, []), row(1, []), row(2, []), row(3, []), *(row(4, []) | change for change in odd), {"a": 1}]
    for number in range(2):
        save_audio(tmp_path / rows[number]["location"], triads([C, G], 120)[: 2 * RATE], RATE)
    (tmp_path / rows[2]["location"]).write_bytes((tmp_path / rows[1]["location"]).read_bytes()[:20000])
    save_json_lines(tmp_path / "rows.jsonl", rows)
    assert command.main(["inspect", str(tmp_path)]) == 0
    page = (tmp_path / "report.html").read_text()
    assert page.count("<audio") == 2 and "is damaged at" in page and "No such file" in page
    assert len(re.findall(r"<tr><td>\d+<td>", page.split("Damaged rows")[1].split("</table>")[0])) == len(odd) + 1


DEEP = "[" * 100_000
ODD_LINES = [
    json.dumps(row(1, [], main_caption="\ud800")), json.dumps(row(1, [], other=["\ud800"])), json.dumps(row(1, [], beats=DEEP)),
    json.dumps(row(1, []))[:-1] + ', "other": ' + "[" * 500 + "]" * 500 + "}", DEEP, "[]", '{"a": 1',
    json.dumps(row(1, [], beats=[[0.0] * 30_000, [1] * 30_000])), json.dumps(row(1, [], hits=[[0, "kick"]] * 30_000)),
]  # fmt: skip


def test_a_line_that_is_no_row_is_listed_as_damaged(tmp_path):
    rejected = {"source": "a", "clip_start": None, "reason": "b"}
    (tmp_path / "rejected.jsonl").write_text(
        "\n".join(json.dumps(rejected | {"reason": text}) for text in ("\ud800", "c\x1b[2Jd", "e")) + "\n"
    )
    (tmp_path / "rows.jsonl").write_text("\n".join([*ODD_LINES, json.dumps(row(0, [])), json.dumps(row(0, [], key="H")), ""]))
    page = write_report(tmp_path).read_text(encoding="utf-8")
    table = page.split("Damaged rows")[1].split("</table>")[0]
    numbers = [int(number) for number in re.findall(r"<tr><td>(\d+)<td>", table)]
    assert numbers == [*range(1, len(ODD_LINES) + 1), len(ODD_LINES) + 2, 1]
    assert "half a letter" in table and "in rejected.jsonl it holds" in table and "more than 20000 beats" in table
    assert "\x1b" not in page and r"c\x1b[2Jd" in page


@pytest.mark.parametrize("line", ODD_LINES)
def test_a_line_that_is_no_row_is_told_in_one_line(tmp_path, line):
    (tmp_path / "rows.jsonl").write_text(line + "\n")
    with pytest.raises(InputError) as told:
        [row_clip(row) for row in read_rows(tmp_path)]
    assert len(str(told.value)) < 400 and "\n" not in str(told.value)


@pytest.mark.slow
def test_hostile_text_stays_text_wherever_it_stands(tmp_path):
    folder = tmp_path / HOSTILE.replace("/", "|")
    (folder / "train").mkdir(parents=True)
    step = {"transform": HOSTILE, "to": HOSTILE}
    everywhere = dict.fromkeys(("main_caption", "alt_caption", "id", "base_id", "source"), HOSTILE)
    rows = [row(0, [], **everywhere), row(1, [step], **everywhere), row(2, [], id=HOSTILE), row(3, [], key=HOSTILE)]
    for number in range(2):
        save_audio(folder / rows[number]["location"], triads([C, G], 120)[: 2 * RATE], RATE)
    save_json_lines(folder / "rows.jsonl", rows)
    save_json_lines(folder / "rejected.jsonl", [{"source": HOSTILE, "clip_start": HOSTILE, "reason": HOSTILE}])
    assert command.main(["inspect", str(folder)]) == 0
    page = Markup((folder / "report.html").read_text())
    assert "script" not in page.tags and page.tags.count("img") == page.tags.count("audio") == 4
    assert page.tags.count("title") == page.tags.count("style") == page.tags.count("body") == 1
    assert "onerror" not in dict(page.attributes) and page.text.count(HOSTILE) > 20
    assert page.text.count(folder.name) == 3  # in title, heading and the path of the file that is not there
