"""What the page shows is text, and what a request names stays within takes."""

import os
import time
from types import SimpleNamespace

import pytest

from musicbench import InputError
from musicbench.features import Heard
from mustango.obeyed import compare
from mustango.reader import resolve
from mustango.studio import Progress, Request, Take
from mustango.web import (
    KEPT_S,
    Files,
    Gate,
    picture_html,
    plan_html,
    progress_html,
    scores_html,
    status_html,
    sweep_once,
    take_name,
)

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


def plan(chords="", prompt="piano", tempo=120, auto=False, key="Auto", meter="Auto", duration=10.24, seed=0):
    return plan_html(prompt, chords, tempo, auto, key, meter, duration, seed)


def test_plan_shows_bars():
    shown, bpm = plan("C | G Am | F:3 G:1")
    assert bpm == 120 and shown.count("<li>") == 3 and "3 bars = 6.0 s" in shown
    assert '<span style="flex:3">F</span><span style="flex:1">G</span>' in shown
    assert all(f">{name}<" in plan("I V vi IV", key="A major")[0] for name in ("A", "E", "F#m", "D"))
    assert "2.5 s: G" in plan("0:C 2.5:G")[0]


def test_plan_says_what_is_chosen_and_what_is_wrong():
    assert "140 bpm (prompt)" in plan(prompt="jazz at 140 bpm", auto=True)[0]
    assert "(chosen)" in plan(auto=True)[0] and plan(None, None, None, True, None, None, 10.24, None)[1]
    for line, says in (("C H", "&#x27;H&#x27;"), ("C | | G", "bar 2"), ("C G " * 20, "fewer chords")):
        shown, bpm = plan(line)
        assert 'role="alert"' in shown and says in shown and bpm is None
    for typed in ({"seed": -5}, {"duration": None}, {"duration": 0.2}, {"tempo": 9}):  # as it comes while one is typing
        assert 'role="alert"' in plan(**typed)[0]


def take(prompt=EVIL, remedy=EVIL):
    controls = resolve("piano", chords="C G", tempo=120, duration_s=4.0)
    heard = Heard(bpm=121.0, chords=controls.chords, chord_times=controls.chord_times, reasons={"key": EVIL})
    files = {name: SimpleNamespace() for name in ("wav", "flac", "midi", "json", "picture")}
    return Take("0" * 32, **files, request=Request(prompt), controls=controls, seed=1, scores=compare(controls, heard),
                heard_chords=(EVIL,), remedy=remedy)  # fmt: skip


def test_nothing_is_shown_as_html():
    shown = [
        plan(EVIL)[0], plan(prompt=EVIL)[0], plan(key=EVIL)[0], plan(meter=EVIL)[0], status_html(EVIL, "error"),
        progress_html(Progress(EVIL, 0.5, time.monotonic())), scores_html(take()), picture_html(take()),
    ]  # fmt: skip
    for text in shown:
        assert "<script" not in text and "<img src=x" not in text, text


def test_scores_and_names():
    shown = scores_html(take("p", ""))
    assert "121 bpm" in shown and "100% of the time" in shown and shown.count("obeyed") == 2
    assert take_name(3, take("calm  piano\nsong")) == "3. calm piano song, 120 bpm, seed 1"
    assert "no prompt" in take_name(1, take(" ")) and len(take_name(1, take("x" * 500))) < 80


# ---------------------------------------------------------------------------------------------------- files


@pytest.fixture
def files(tmp_path):
    return Files(tmp_path)


def session(hash_):
    return SimpleNamespace(session_hash=hash_)


def test_sessions_have_folders_nobody_can_guess(files, tmp_path):
    one, other = files.session(session("a")), files.session(session("b"))
    assert one == files.session(session("a")) != other and one.parent == files.root and len(one.name) == 32
    assert Files(tmp_path).session(session("a")) != one  # another server, another secret
    for hostile in ("../..", "/etc", None, "a/b"):
        assert files.session(session(hostile)).parent == files.root


def requests(files):
    """Return paths that must not be served, among files that exist."""
    own = files.session(session("me")) / ("1" * 32)
    own.mkdir(parents=True)
    (own / "take.wav").write_bytes(b"RIFF")
    (own / ".hidden").write_text("x")
    upload = files.root / ("a" * 64)
    upload.mkdir()
    (upload / "song.wav").write_bytes(b"RIFF")
    return own, [
        "/etc/passwd", "../../etc/passwd", "..%2f..%2fetc/passwd", "%2e%2e/%2e%2e/etc/passwd", "....//....//etc/passwd",
        f"{own}/../../../../etc/passwd", f"{own}/../{own.name}/take.wav", f"{own}/take.wav/..", f"{own}//take.wav", f"{own}/./take.wav",
        f"{own}/take.wav\x00.png", f"{own}/take.wav\n", f"{own}/.hidden", str(own), str(files.root), f"{own.parent}/take.wav",
        "file:///etc/passwd", "http://127.0.0.1/x", "//etc/passwd", "~/.bashrc", "/proc/self/environ", "C:\\Windows\\win.ini",
        "\\\\host\\share", "．．/．．/etc/passwd", f"{upload}/song.wav", str(own / "take.wav").upper(), "",
    ]  # fmt: skip


def test_only_files_of_takes_are_served(files):
    gate, (own, hostile) = Gate(None, files), requests(files)

    def answer(path, before="/gradio_api/file="):
        return gate.refusal({"method": "GET", "path": before + path, "headers": []})

    assert answer(f"{own}/take.wav") is None
    for path in hostile:
        for before in ("/gradio_api/file=", "/gradio_api/file/", "//gradio_api/file="):
            assert answer(path, before) == (403, "no such file"), path
    for closed in ("/gradio_api/proxy=http://x", "/gradio_api/deep_link", "/monitoring/summary"):
        assert answer("", closed)[0] == 403
    assert answer("", "/config") is None


def test_sizes_are_bounded(files, monkeypatch):
    def post(path, length):
        headers = [] if length is None else [(b"content-length", str(length).encode())]
        return Gate(None, files).refusal({"method": "POST", "path": path, "headers": headers})

    assert post("/gradio_api/queue/join", 1000) is None and post("/gradio_api/queue/join", 2**21)[0] == 413
    assert post("/gradio_api/upload", 2**21) is None and post("/gradio_api/upload", 2**31)[0] == 413
    assert post("/gradio_api/upload", None)[0] == 411 and post("/gradio_api/upload", "-5")[0] == 411
    monkeypatch.setattr("mustango.web.MAX_DISK", 100)
    assert post("/gradio_api/upload", 200)[0] == 507


def test_only_uploads_are_songs(files, tmp_path):
    own, hostile = requests(files)
    song = files.root / ("a" * 64) / "song.wav"
    assert files.songs([{"path": str(song)}]) == [song] and files.songs(None) == []
    link = song.with_name("link.wav")
    link.symlink_to("/etc/passwd")
    for path in (*hostile, str(own / "take.wav"), str(link), f"{song}/../song.wav", str(song.with_name("gone.wav")), None, 5):
        if path != str(song):
            with pytest.raises(InputError, match="upload it again"):
                files.songs([{"path": path}])
    for records in (["x"], [{}], [[str(song)]]):
        with pytest.raises(InputError, match="upload it again"):
            files.songs(records)


def test_old_files_are_deleted(files):
    old, new = (files.session(session(name)) / ("2" * 32) / "x.wav" for name in ("old", "new"))
    for path in (old, new):
        path.parent.mkdir(parents=True)
        path.write_bytes(b"x")
    long_ago = time.time() - KEPT_S - 120
    for path in (old, old.parent, old.parent.parent):
        os.utime(path, (long_ago, long_ago))
    beside = new.with_name("y.wav")  # of a dataset that is still being built
    beside.write_bytes(b"y")
    os.utime(beside, (long_ago, long_ago))
    sweep_once(files.root)  # deleting the file makes its folder young again
    assert not old.exists() and new.exists() and beside.exists()
