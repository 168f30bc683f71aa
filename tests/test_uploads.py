"""Uploaded songs become rows in a ZIP file; what is no song is refused."""

import json
import stat
import zipfile
from threading import Event

import numpy as np
import pytest
import soundfile
from conftest import HANG_S
from odd_audio import flac_claiming
from test_features import AM, RATE, C, F, G, triads

from musicbench import InputError
from musicbench.hearing.heard import Heard
from mustango.page.uploads import Builder, Built, check_lengths, check_songs
from mustango.page.work import Progress


@pytest.fixture
def song(tmp_path):
    path = tmp_path / "a" / "son<g>.wav"
    path.parent.mkdir()
    soundfile.write(path, triads([C, AM, F, G], 120)[: 7 * RATE], RATE)
    return path


def soundlike(song, number):
    """Write the song again, so many times softer, for the same bytes are built once."""
    samples, rate = soundfile.read(song)
    soundfile.write(song.with_name(f"{number}.wav"), samples / number, rate)
    return song.with_name(f"{number}.wav")


def test_only_songs_are_taken(tmp_path, song):
    for paths, says in (([], "0 songs"), ([song] * 21, "21 songs")):
        with pytest.raises(InputError, match=says):
            check_songs(paths)
    for name in ("x.zip", "x.py", "x.html", "x", "x.wav.exe", ".wav"):
        (tmp_path / name).write_bytes(song.read_bytes())
        with pytest.raises(InputError, match="no song by its name"):
            check_songs([song, tmp_path / name])
    long = tmp_path / "long.flac"
    soundfile.write(long, np.zeros(601 * 8000, np.float32), 8000)
    with pytest.raises(InputError, match="longer than 600 s"):
        check_lengths([song, long])
    with pytest.raises(InputError, match="longer than 600 s"):
        list(Builder().build([long], "plain", tmp_path / "session"))
    assert not (tmp_path / "session").exists()
    check_songs([song] * 20)
    soundfile.write(long, np.zeros(59 * 8000, np.float32), 8000)
    for claimed in (0, 2**36 - 1, 1):  # a length is a claim
        long.write_bytes(flac_claiming(long.read_bytes(), claimed))
        check_lengths([long])


def test_listening_to_the_songs_is_told_and_can_be_stopped(tmp_path, song):
    heard, long = [], tmp_path / "long.flac"
    soundfile.write(long, np.zeros(500 * 8000, np.float32), 8000)

    def stop():
        heard.append(1)
        if len(heard) == 3:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        check_lengths([song, long], stop)
    assert len(heard) == 3
    builder = Builder()
    watching = builder.build([long], "plain", tmp_path / "session")
    assert next(watching).text == "Listening to the songs"
    watching.close()
    builder._worker.shutdown()
    assert not (tmp_path / "session").exists() or [list(p.iterdir()) for p in (tmp_path / "session").iterdir()] == [[]]


def test_a_zip_with_links_is_refused_unopened(tmp_path):
    path = tmp_path / "songs.zip"
    with zipfile.ZipFile(path, "w") as packed:
        link = zipfile.ZipInfo("song.wav")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        packed.writestr(link, "/etc/passwd")
        packed.writestr("../../evil.wav", "x")
    with pytest.raises(InputError, match="no song by its name"):
        list(Builder().build([path], "plain", tmp_path / "session"))
    assert not (tmp_path / "session").exists() and not (tmp_path.parent / "evil.wav").exists()


def test_unknown_recipe(tmp_path, song):
    with pytest.raises(InputError, match="unknown recipe '/etc/passwd'"):
        list(Builder().build([song], "/etc/passwd", tmp_path))


@pytest.mark.slow
def test_build(tmp_path, song):
    pytest.importorskip("madmom", reason="madmom is not installed (requirements-madmom.txt)")
    broken = song.with_name("broken.wav")
    broken.write_text("this is text")
    softer = soundlike(song, 2)
    events = list(Builder().build([song, softer, softer, broken], "plain", tmp_path / "session"))
    told, built = [e for e in events if isinstance(e, Progress)], events[-1]
    assert isinstance(built, Built) and (built.songs, built.rows, built.rejected) == (4, 2, 2)
    assert told[-1].share == 1 and any("1 of 2 clips" in p.text for p in told)
    with zipfile.ZipFile(built.zip) as packed:
        names = packed.namelist()
        rows = [json.loads(line) for line in packed.read("rows.jsonl").decode().splitlines()]
    assert {"rows.jsonl", "rejected.jsonl", "report.html", "build.json"} <= set(names) and sum(
        n.endswith(".flac") for n in names
    ) == 2
    assert not any(n.startswith(("/", "..")) for n in names) and str(tmp_path) not in json.dumps(rows)
    assert (
        "broken.wav" in built.report.read_text()
        and "the same bytes as" in built.report.read_text()
        and "<g>" not in built.report.read_text()
    )
    assert sorted(p.name for p in built.zip.parent.iterdir()) == ["dataset.zip", "report.html"]


def test_of_songs_that_are_all_rejected_there_is_the_reason_and_no_zip(tmp_path, song):
    silence = song.with_name("silence.wav")
    soundfile.write(silence, np.zeros(7 * RATE), RATE)
    built = list(Builder().build([silence], "plain", tmp_path / "session"))[-1]
    assert (built.zip, built.songs, built.rows, built.rejected) == (None, 1, 0, 1)
    assert len(built.reasons) == 1 and "silence.wav: " in built.reasons[0] and "no clip of it can be used" in built.reasons[0]
    assert [p.name for p in built.report.parent.iterdir()] == ["report.html"]


@pytest.mark.slow
def test_closing_stops_the_build_at_the_next_clip(tmp_path, song, hears):
    builder, heard, closed = Builder(), [], Event()

    def hear(samples, rate):
        heard.append(len(samples))
        if len(heard) == 2:
            assert closed.wait(HANG_S)
        return Heard()

    hears(hear)
    watching = builder.build([soundlike(song, number) for number in range(1, 21)], "plain", tmp_path / "session")
    for event in watching:
        if event.text.startswith("1 of 20"):
            break
    watching.close()
    closed.set()
    builder._worker.shutdown()  # waits for the work
    assert len(heard) <= 2
    assert [list(p.iterdir()) for p in (tmp_path / "session").iterdir()] == [[]]
