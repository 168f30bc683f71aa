import base64
import re
from io import BytesIO

import numpy as np
import pytest
import soundfile
from conftest import HOSTILE, Markup
from test_features import RATE, C, G, triads

from musicbench import __main__ as command
from musicbench.files import save_json_lines
from musicbench.sound.audio import save_audio


def row(number, transforms, **more):
    return {
        "dataset": "x", "location": f"train/a_{number}.flac", "main_caption": "<b>loud & clear</b>", "alt_caption": "", "bpm": 120.0,
        "beats": [[0.0, 0.5], [1, 2]], "chords": ["C:maj"], "chords_time": [0.0], "key": ["C", "major"], "id": f"a_{number}", "base_id": "a",
        "duration": 2.0, "sample_rate": RATE, "source": "a.wav", "transforms": transforms, **more,
    }  # fmt: skip


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
    assert command.main(["inspect", str(tmp_path)]) == 2


def test_rates_that_mp3_lacks_are_heard(tmp_path):
    (tmp_path / "train").mkdir()
    save_json_lines(tmp_path / "rows.jsonl", [row(0, [])])
    save_audio(tmp_path / "train" / "a_0.flac", np.resize(triads([C], 120), 96000), 96000)
    assert command.main(["inspect", str(tmp_path)]) == 0
    (sound,) = re.findall("base64,([^']*)'></audio>", (tmp_path / "report.html").read_text())
    info = soundfile.info(BytesIO(base64.b64decode(sound)))
    assert info.samplerate == 48000 and abs(info.duration - 1) < 0.1


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
