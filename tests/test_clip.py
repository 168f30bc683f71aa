import errno
import io
import os
import stat
import subprocess
import sys
import time
from contextlib import nullcontext

import numpy as np
import pytest
import soundfile
from conftest import ROOT

from musicbench import InputError
from musicbench.files import LOCK, alone_in, save_json, written_whole
from musicbench.music.chords import Chord
from musicbench.music.keys import Key
from musicbench.music.meters import Meter
from musicbench.sound.audio import load_audio, save_audio
from musicbench.sound.clip import Clip


def clip():
    chords = tuple(Chord.parse(c) for c in ("C", "G", "Am"))
    times = tuple(i * 0.5 for i in range(12))
    return Clip(
        np.arange(6000, dtype=np.float32),
        1000,
        beat_times=times,
        beat_positions=tuple(i % 4 + 1 for i in range(12)),
        bpm=120.0,
        meter=Meter(),
        chords=chords,
        chord_times=(0.0, 2.0, 4.0),
        key=Key("C"),
    )


def test_cropping_moves_the_labels():
    cut = clip().cropped(1.2, 3.0)
    assert cut.samples[0] == 1200 and len(cut.samples) == 3000
    assert cut.beat_times == (0.3, 0.8, 1.3, 1.8, 2.3, 2.8) and cut.beat_positions == (4, 1, 2, 3, 4, 1)
    assert [str(c) for c in cut.chords] == ["C", "G", "Am"] and cut.chord_times == (0.0, 0.8, 2.8)
    assert [str(c) for c in clip().cropped(2.0, 2.0).chords] == ["G"]


def test_labels_use_the_dataset_names():
    labels = clip().labels()
    assert set(labels) == {"beats", "bpm", "meter", "chords", "chords_time", "key"}
    assert labels["chords"] == ["C:maj", "G:maj", "A:min"] and labels["key"] == ["C", "major"]


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg"])
def test_audio_round_trips(tmp_path, suffix):
    tone = 0.5 * np.sin(np.arange(24000) * 2 * np.pi * 440 / 24000).astype(np.float32)
    save_audio(tmp_path / f"x{suffix}", tone, 24000)
    again, rate = load_audio(tmp_path / f"x{suffix}")
    assert rate == 24000 and np.abs(again - tone).max() < (0.05 if suffix == ".ogg" else 1e-4)
    assert os.listdir(tmp_path) == [f"x{suffix}"]


@pytest.mark.slow
def test_minutes_of_ogg_are_written(tmp_path):
    """In a process of its own: the library that writes them has been known to crash."""
    code = f"import numpy; from musicbench.sound.audio import save_audio; save_audio({str(tmp_path / 'x.ogg')!r}, numpy.zeros(150 * 24000), 24000)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
    samples, rate = load_audio(tmp_path / "x.ogg")
    assert len(samples) == 150 * rate


def test_mono_is_the_average_and_rates_convert(tmp_path):
    soundfile.write(tmp_path / "s.wav", np.stack([np.full(4000, 0.5), np.full(4000, -0.1)], 1), 8000)
    mono, rate = load_audio(tmp_path / "s.wav", 16000)
    assert rate == 16000 and len(mono) == 8000 and abs(mono[4000] - 0.2) < 1e-3


def test_bad_files_are_named(tmp_path):
    (tmp_path / "x.wav").write_text("no sound")
    for name in ("x.wav", "missing.wav"):
        with pytest.raises(InputError, match=name):
            load_audio(tmp_path / name)
    (tmp_path / "x.mp3").write_text("no sound")
    with pytest.raises(InputError, match="x.mp3 as audio .it holds no audio"):
        load_audio(tmp_path / "x.mp3")
    with pytest.raises(InputError, match="x.mp5"):
        save_audio(tmp_path / "x.mp5", np.zeros(4), 8000)
    with pytest.raises(InputError, match="does not exist"):
        save_audio(tmp_path / "no" / "x.wav", np.zeros(4), 8000)
    with pytest.raises(InputError, match="is a folder"):
        (tmp_path / "d.wav").mkdir()
        save_audio(tmp_path / "d.wav", np.zeros(4), 8000)


def test_nothing_half_written(tmp_path):
    save_json(tmp_path / "x.json", {"a": 1})
    before = (tmp_path / "x.json").read_text()
    with pytest.raises(RuntimeError), written_whole(tmp_path / "x.json") as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert (tmp_path / "x.json").read_text() == before and os.listdir(tmp_path) == ["x.json"]
    assert stat.S_IMODE((tmp_path / "x.json").stat().st_mode) & 0o400


def test_files_get_the_rights_of_the_umask_which_is_left_alone(tmp_path, monkeypatch):
    before = os.umask(0o027)
    monkeypatch.setattr(os, "umask", None)
    try:
        save_json(tmp_path / "x.json", {})
    finally:
        monkeypatch.undo()
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "x.json").stat().st_mode) == 0o640


def test_crop_without_labels():
    assert Clip(np.zeros(100, np.float32), 10).cropped(2, 5).duration_s == 5


def test_the_same_sound_gives_the_same_ogg(tmp_path):
    tone = 0.5 * np.sin(np.arange(240000) * 2 * np.pi * 440 / 24000)
    drawn = io.BytesIO()
    soundfile.write(drawn, tone, 24000, format="OGG", subtype="VORBIS")  # whose stream has a number of its own
    save_audio(tmp_path / "x.ogg", tone, 24000)
    data = (tmp_path / "x.ogg").read_bytes()
    numbers = {data[i + 14 : i + 18] for i in range(len(data)) if data[i : i + 4] == b"OggS"}
    assert numbers == {b"\1\0\0\0"} and data.count(b"OggS") > 3
    drawn.seek(0)
    assert np.array_equal(
        soundfile.read(tmp_path / "x.ogg")[0], soundfile.read(drawn)[0]
    )  # pages with a wrong CRC would be left out


HOLDER = """
import sys, time
from musicbench.files import alone_in
with alone_in(sys.argv[1]):
    print("held", flush=True)
    time.sleep(300)
"""


def test_one_process_at_a_time_writes_a_folder_and_a_killed_one_holds_nothing(tmp_path):
    folder = tmp_path / "out"
    with subprocess.Popen([sys.executable, "-c", HOLDER, folder], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        begun = time.monotonic()
        with pytest.raises(InputError, match="another run is writing .*; wait for it or give another folder"), alone_in(folder):
            pass
        assert time.monotonic() - begun < 5 and os.listdir(folder) == [LOCK]
        process.kill()
    with alone_in(folder), pytest.raises(InputError, match="another run is writing"), alone_in(folder):
        pass
    assert os.listdir(folder) == []


def test_a_lock_goes_when_the_work_fails(tmp_path):
    with pytest.raises(RuntimeError), alone_in(tmp_path):
        raise RuntimeError
    with alone_in(tmp_path):
        assert os.listdir(tmp_path) == [LOCK]
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("code", "says"), [(errno.EROFS, "cannot be written"), (errno.EACCES, "another user's"), (errno.ENOLCK, "")]
)
def test_folders_that_cannot_be_written_or_locked(tmp_path, monkeypatch, code, says):
    """A file system that is read only; a lock file that another user's run has; a network's folder without locks, which is used as it is."""

    def fails(*_, **__):
        raise OSError(code, os.strerror(code))

    if code == errno.EROFS:
        monkeypatch.setattr("tempfile.TemporaryFile", fails)
    else:
        monkeypatch.setattr("filelock.FileLock.acquire", fails)
    with pytest.raises(InputError, match=says) if says else nullcontext() as refused, alone_in(tmp_path):
        assert not says
    assert not says or "\n" not in str(refused.value)
    assert os.listdir(tmp_path) == []
