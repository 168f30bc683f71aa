"""Songs in, rows out: the same whatever the workers, kills and engine; bad songs are named and the rest goes on."""

import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import types
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import ROOT
from test_features import AM, RATE, C, F, G, triads

from musicbench import InputError, load
from musicbench.__main__ import main
from musicbench.build import song_hearing, song_rows
from musicbench.build.build import build
from musicbench.build.copies import base_of, sound_of_copy
from musicbench.build.copy_loading import RowSounds
from musicbench.build.dataset import NOT_ALWAYS_HEARD, read_rows, row_captions, row_clip, with_values
from musicbench.build.engines import Engine
from musicbench.build.index import INDEX
from musicbench.build.moved_captions import moved_caption
from musicbench.build.poor_sound import POOR_SOUND
from musicbench.build.recipe import Recipe
from musicbench.build.settings import Settings
from musicbench.build.song_rows import Built
from musicbench.build.songs import find_songs, segments, song_id
from musicbench.build.splits import print_song
from musicbench.files import alone_in
from musicbench.hearing.heard import Heard
from musicbench.hearing.song import Hearing
from musicbench.music.chords import Chord
from musicbench.music.keys import Key
from musicbench.music.meters import Meter
from musicbench.prompt.facts import read_prompt, same_facts
from musicbench.sound.audio import load_audio
from musicbench.sound.soundfiles import SoundFile

pytest.importorskip("madmom", reason="madmom is not installed (requirements-madmom.txt)")

RECIPE = Recipe(clip_s=4.0, hop_s=4.0, min_s=3.0, semitones=(-1, 2), tempo_copies=1, combined_copies=1, test_share=0.4)
TOML = """clip_s = 4.0
hop_s = 4.0
min_s = 3.0
semitones = [-1, 2]
tempo_copies = 1
combined_copies = 1
test_share = 0.4
"""


@pytest.fixture(scope="module")
def songs(tmp_path_factory):
    """Three songs of about 9, 8 and 5 s, one of them in a folder and with a caption of its own."""
    folder = tmp_path_factory.mktemp("songs")
    (folder / "album").mkdir()
    soundfile.write(folder / "one.wav", np.stack([triads([C, AM, F, G, C], 120)] * 2, axis=1)[: 9 * RATE], RATE)
    soundfile.write(folder / "album" / "one.wav", triads([G, C, F, G], 120), RATE)
    soundfile.write(folder / "Ünï çødé 音.wav", triads([AM, F, C, G], 180), RATE)
    (folder / "album" / "one.txt").write_text("A plucked tune at 120 bpm. It is in G major. It sounds like a toy.")
    return folder


@pytest.fixture(scope="module")
def built(songs, tmp_path_factory):
    out = tmp_path_factory.mktemp("built") / "out"
    return out, build(songs, out, Settings(RECIPE))


def digests(folder):
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file() and p.name != INDEX  # which knows the files' times
    }


def nothing_built(engine, task, jobs, **_):
    """Instead of `Engine.each`: no song comes to anything."""
    return ((job, task(*job) if task is print_song else Built(is_marked=False)) for job in jobs)


def test_rows_and_files(songs, built):
    out, summary = built
    rows = read_rows(out)
    assert (summary.songs, summary.rows, summary.rejected_songs) == (3, len(rows), 0)
    assert len(rows) == (2 + 2 + 1) * (1 + 2 + 1 + 1 + 1)
    assert len({row["id"] for row in rows}) == len(rows) and {row["dataset"] for row in rows} == {songs.name}
    for row in rows:
        info = soundfile.info(out / row["location"])
        assert info.samplerate == 24000 and info.frames / 24000 == pytest.approx(row["duration"], abs=0.001)
        assert row["duration"] <= 4.0 and all(0 <= t < row["duration"] for t in row["beats"][0] + row["chords_time"])
        assert len(row["chords"]) == len(row["chords_time"]) and row["chords_time"][:1] in ([], [0.0])
        assert row["source_sha256"] == hashlib.sha256((songs / row["source"]).read_bytes()).hexdigest()
    splits = {}
    for row in rows:
        splits.setdefault(row["base_id"], set()).add(row["location"].split("/")[0])
    assert all(len(where) == 1 for where in splits.values())
    full = [row["duration"] for row in rows if row["base_id"].endswith("-0000") and row["source"] != "Ünï çødé 音.wav"]
    assert full == [4.0] * len(full)  # the sound after a clip fills its faster copies


def test_labels_of_copies_follow_the_original(built):
    rows = read_rows(built[0])
    originals = {row["id"]: row for row in rows if not row["transforms"]}
    for row in rows:
        original = originals[row["base_id"]]
        semitones = sum(step.get("semitones", 0) for step in row["transforms"])
        rate = next((step["rate"] for step in row["transforms"] if "rate" in step), 1.0)
        if original["bpm"]:
            assert row["bpm"] == pytest.approx(original["bpm"] * rate, abs=0.02)
        if original["key"]:
            key = Key(*row["key"])
            assert key.same_as(Key(*original["key"]).transposed(semitones))
            stated = read_prompt(row["prompt_key"]).key  # none where the song's caption states another
            assert stated.same_as(key) if stated else "prompt_key" in row["contradicted"], "a shifted copy states the shifted key"
        moved = [Chord.parse(c).transposed(semitones) for c in original["chords"]]
        both = min(len(moved), len(row["chords"]))  # a faster copy holds more, a slower one less
        assert [Chord.parse(c) for c in row["chords"]][:both] == moved[:both] and (rate != 1 or len(moved) == both)
        for old, new in zip(original["beats"][0], row["beats"][0], strict=False):
            assert new == pytest.approx(old / rate, abs=1e-5)
        assert bool(row["prompt_aug"]) == any(step["transform"] == "dynamics" for step in row["transforms"])


def test_a_row_can_be_replayed(songs, built):
    row = next(row for row in read_rows(built[0]) if len(row["transforms"]) == 3 and row["clip_start"] > 0)
    with SoundFile(songs / row["source"]) as file:
        samples = {start_s: samples for start_s, samples, _ in segments(file, RECIPE)}[row["clip_start"]]
    copy, gain_db = sound_of_copy(base_of(samples, RATE, 24000), row["transforms"], RECIPE.clip_s)
    assert row["gain_db"] == gain_db
    np.testing.assert_allclose(copy, load_audio(built[0] / row["location"])[0], atol=2e-5)


def test_captions(built):
    rows = [row for row in read_rows(built[0]) if row["source"] == "album/one.wav"]
    for row in rows:
        assert "It sounds like a toy." in row["own_caption"] and row["alt_caption"].startswith(row["own_caption"])
        assert same_facts(row["main_caption"], row["alt_caption"])
        rate = next((step["rate"] for step in row["transforms"] if step["transform"] == "tempo"), 1)
        semitones = next((step["semitones"] for step in row["transforms"] if step["transform"] == "pitch"), 0)
        stated = read_prompt(row["own_caption"])
        assert stated.tempo == round(120 * rate) and stated.key.same_as(Key("G").transposed(semitones))
    assert any(row["main_caption"] != row["alt_caption"] for row in rows)
    plain, full = read_rows(built[0] / "test_a.jsonl"), read_rows(built[0] / "test_b.jsonl")
    assert len(plain) == len(full) > 0
    for a, b in zip(plain, full, strict=True):
        assert a["main_caption"] == a["own_caption"] and not a["transforms"]
        assert all(b[name] in b["main_caption"] for name in ("prompt_ch", "prompt_bt", "prompt_bpm", "prompt_key"))


def test_what_is_heard_of_a_pitch_copy_is_what_was_heard_of_its_original(built):
    rows = [row for row in read_rows(built[0]) if row["source"] != "album/one.wav"]
    originals = {row["base_id"]: row["own_caption"] for row in rows if not row["transforms"]}
    copies = [row for row in rows if {step["transform"] for step in row["transforms"]} == {"pitch"}]
    assert copies and all(row["own_caption"] == originals[row["base_id"]] for row in copies)
    assert len(set(originals.values())) == len(originals) and all(len(text.split()) > 3 for text in originals.values())


@pytest.mark.parametrize(
    "text",
    [
        "The audio quality is poor.", "The recording quality is bad.", "The sound quality is very low.", "bad audio recording quality",
        "The quality of the recording is poor.", "Poor audio-quality with hissing.", "This is an amateur recording.",
        "The recording is noisy and in mono.", "A low-fidelity tape.", "A muffled recording.",
        "The sound is muffled and distorted.", "A band with bad sound.",
    ],
)  # fmt: skip
def test_poor_sound_is_recognised(text):
    assert POOR_SOUND.search(text)


@pytest.mark.parametrize(
    "text",
    ["a poor man's ballad", "high quality recording", "bad boy rap", "The audio quality is not bad.", "a distorted guitar",
     "The vocal quality is low-pitched.", "an amateur choir", "The recording is in mono.",
     "The guitar sound is distorted.", "bad sound effects"],
)  # fmt: skip
def test_good_sound_is_not_taken_for_poor(text):
    assert not POOR_SOUND.search(text)


@pytest.mark.slow
def test_two_workers_and_another_run_give_the_same(songs, built, tmp_path):
    summary = build(songs, tmp_path / "two", Settings(RECIPE), engine=Engine(workers=2))
    assert summary == built[1] and digests(tmp_path / "two") == digests(built[0])
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "two" / "train").rglob("*.flac")}
    build(songs, tmp_path / "two", Settings(RECIPE))
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "two" / "train").rglob("*.flac")} == before
    with pytest.raises(InputError, match="another seed"):
        build(songs, tmp_path / "two", Settings(RECIPE, seed=1))
    build(songs, tmp_path / "two", Settings(replace(RECIPE, semitones=())), overwrite=True)
    assert len(read_rows(tmp_path / "two")) == 5 * 4


@pytest.mark.slow
def test_rows_survive_kills(songs, built, tmp_path):
    """Set MUSICBENCH_KILLS for more than the two of everyday."""
    (tmp_path / "recipe.toml").write_text(TOML)
    out, rng = tmp_path / "out", random.Random(1)
    command = [sys.executable, "-m", "musicbench", "build", songs, out, "--recipe", tmp_path / "recipe.toml"]
    for number in range(int(os.environ.get("MUSICBENCH_KILLS", 2))):
        workers = ["--workers", str(1 + number % 2)]
        process = subprocess.Popen([*command, *workers], cwd=ROOT, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        wanted = rng.randrange(1, 12)
        have = len(list(out.glob("t*/*/*.flac"))) if out.exists() else 0
        while process.poll() is None:  # kill it when it has written so many files more
            if out.exists() and len(list(out.glob("t*/*/*.flac"))) >= have + wanted:
                break
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert main(["build", str(songs), str(out), "--recipe", str(tmp_path / "recipe.toml")]) == 0
    assert digests(out) == digests(built[0])


def test_a_worker_ends_with_the_process_that_started_it(tmp_path):
    """Even in the middle of its work."""
    (tmp_path / "work.py").write_text("""
import os, time
from musicbench.build.engines import processes

def work():
    print(os.getpid(), flush=True)
    time.sleep(300)
    print("outlived", flush=True)

if __name__ == "__main__":
    with processes(1) as pool:
        pool.submit(work).result()
""")
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, tmp_path / "work.py"], stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout.readline().strip().isdecimal()
        process.send_signal(signal.SIGKILL)
        assert process.stdout.read() == ""  # until the worker, too, has closed it


@pytest.mark.slow
def test_a_stop_inside_a_song_costs_one_clip(songs, built, tmp_path, monkeypatch):
    listen, heard = song_hearing.listen, []

    def stops(*clip):
        if len(heard) == 3:
            raise KeyboardInterrupt
        heard.append(1)
        return listen(*clip)

    with monkeypatch.context() as stopping, pytest.raises(KeyboardInterrupt):
        stopping.setattr(song_hearing, "listen", stops)
        build(songs, tmp_path / "out", Settings(RECIPE))
    monkeypatch.setattr(song_hearing, "listen", lambda *clip: heard.append(1) or listen(*clip))
    build(songs, tmp_path / "out", Settings(RECIPE))
    assert len(heard) == 5 and digests(tmp_path / "out") == digests(built[0])
    assert not any(path.is_dir() for name in ("parts", "heard") for path in (tmp_path / "out" / name).glob("*/*"))


@pytest.mark.slow
def test_songs_and_captions_that_changed_end_with_the_files_of_a_new_build(tmp_path):
    recipe, sound = replace(RECIPE, semitones=(), tempo_copies=0, combined_copies=0, test_share=0.0), triads([C, G, C, G], 120)
    songs, out = tmp_path / "songs", tmp_path / "out"
    songs.mkdir()
    for number, name in enumerate(("gone", "shorter", "told", "listed"), 2):
        soundfile.write(songs / f"{name}.wav", sound / number, RATE)
    build(songs, out, Settings(recipe))
    (out / "train" / "notes.flac").write_text("mine")
    (songs / "gone.wav").unlink()
    soundfile.write(songs / "shorter.wav", sound[: 4 * RATE], RATE)
    (songs / "told.txt").write_text("A toy piano plays.")
    (songs / "metadata.jsonl").write_text('{"file_name": "listed.wav", "caption": "A toy harp plays."}\n')
    build(songs, out, Settings(recipe))
    build(songs, tmp_path / "new", Settings(recipe))
    assert (out / "train" / "notes.flac").read_text() == "mine"
    (out / "train" / "notes.flac").unlink()
    assert digests(out) == digests(tmp_path / "new")
    told = {row["source"]: row["own_caption"] for row in read_rows(out)}
    assert (told["told.wav"], told["listed.wav"]) == ("A toy piano plays.", "A toy harp plays.")


@pytest.mark.slow
def test_rows_alone_are_enough(songs, built, tmp_path, monkeypatch):
    """What is made of a row when it is read is bit for bit what a build wrote, in whatever order, of whatever name."""
    shutil.copytree(songs, tmp_path / "songs")
    shutil.copyfile(songs / "one.wav", os.fsencode(tmp_path / "songs") + b"/caf\xe9.wav")
    (tmp_path / "songs" / "one.wav").unlink()
    build(tmp_path / "songs", tmp_path / "audio", Settings(RECIPE))
    out = tmp_path / "rows"
    made = build(tmp_path / "songs", out, Settings(RECIPE, form="rows"))
    rows, written = read_rows(out), read_rows(tmp_path / "audio")
    assert (
        rows == [row | {"gain_db": None} for row in written]
        and made.rows == len(rows)
        and not list(out.rglob("*.flac"))
        and not (out / "train").exists()
    )
    random.Random(0).shuffle(rows)
    (tmp_path / "songs").rename(tmp_path / "moved")
    sounds = RowSounds(out, tmp_path / "moved")
    for row in rows:
        sound, rate = sounds.load(row)
        there, rate_there = load(tmp_path / "audio", row)
        assert rate == rate_there == 24000 and sound.dtype == there.dtype == np.float32 and np.array_equal(sound, there)
    assert np.array_equal(load(out, row, tmp_path / "moved")[0], sound)
    with pytest.raises(InputError, match="no song .*; give the folder of songs"):
        load(out, row)
    for odd in ("../secret.wav", "/etc/secret.wav"):
        with pytest.raises(InputError, match="is not inside"):
            load(out, row | {"source": odd}, tmp_path / "moved")
    soundfile.write(tmp_path / "moved" / "album" / "one.wav", np.zeros(10), RATE)
    with pytest.raises(InputError, match="album/one.wav is shorter than its row says"):
        load(out, next(row for row in rows if row["source"] == "album/one.wav"), tmp_path / "moved")


def not_done(*_, **__):
    raise AssertionError("this was to be kept")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["hear", "copy"])
def test_what_changed_settings_leave_as_it_is_is_kept(songs, built, tmp_path, monkeypatch, name):
    """Of other captions neither hearing nor sound is made anew, of other copies no hearing; the rows are a new build's."""
    out, settings = tmp_path / "out", Settings(RECIPE)
    shutil.copytree(built[0], out)
    changed = {
        "hear": replace(settings, recipe=replace(RECIPE, semitones=(1,), sample_rate=16000)),
        "copy": replace(settings, recipe=replace(RECIPE, keep_poor_sound=True)),
    }[name]
    monkeypatch.setattr("musicbench.build.paraphrases.Paraphraser.check", lambda self: None)
    monkeypatch.setattr("musicbench.build.paraphrases.Paraphraser.__call__", lambda self, text, rng: text.upper())
    with pytest.raises(InputError, match="built with another .* give --overwrite to make anew what depends on it"):
        build(songs, out, changed)
    monkeypatch.setattr(song_hearing, "listen", not_done)
    if name == "copy":
        monkeypatch.setattr("musicbench.build.song_rows.sound_of_copy", not_done)
    build(songs, out, changed, overwrite=True)
    rows = read_rows(out)
    assert all(row["main_caption"] == row["alt_caption"].upper() for row in rows)
    assert len({row["location"] for row in rows}) == len(rows) == len(list(out.glob("t*/*/*.flac")))
    assert {soundfile.info(out / row["location"]).samplerate for row in rows} == {changed.recipe.sample_rate}
    if name == "hear":
        monkeypatch.undo()
        monkeypatch.setattr("musicbench.build.paraphrases.Paraphraser.check", lambda self: None)
        monkeypatch.setattr("musicbench.build.paraphrases.Paraphraser.__call__", lambda self, text, rng: text.upper())
        build(songs, tmp_path / "new", changed)
        assert digests(out) == digests(tmp_path / "new")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("reason", "is_said"), [("no clear pulse: mean strength 0.05", True), ("not sure: confidence 0.70, below 0.9", False)]
)
def test_only_what_has_no_pulse_is_said_to_have_none(songs, tmp_path, hears, reason, is_said):
    hears(lambda samples, rate: Heard(bpm=None if is_said else 125.0, reasons={"beats": reason}))
    build(songs, tmp_path / "out", Settings(Recipe.named("plain")))
    told = [row["own_caption"] for row in read_rows(tmp_path / "out") if row["source"] != "album/one.wav"]
    without = re.compile(r"no (?:regular|steady|clear)|free time|without a (?:beat|pulse|clear)|unmetered|drift|floats|pulse")
    assert told and all(bool(without.search(text)) == is_said for text in told), told


@pytest.mark.slow
def test_a_captioner_is_asked_once_and_what_it_says_moves_with_copies(songs, tmp_path, monkeypatch):
    asked = []

    class Stub:
        def __init__(self, way, model):
            pass

        def check(self):
            pass

        def __call__(self, samples, rate, seed):
            asked.append((len(samples) / rate, seed))
            return "A toy tune at 100 bpm."

    for place in ("build", "song_rows"):
        monkeypatch.setattr(f"musicbench.build.{place}.Captioner", Stub)
    settings = Settings(RECIPE, hearing=Hearing("none", only_music=False), captioner=("https://example.org", "any"))
    build(songs, tmp_path / "out", settings)
    assert [seconds for seconds, _ in asked] == [4.0] * len(asked) and len({seed for _, seed in asked}) == len(asked) == 5
    for row in read_rows(tmp_path / "out"):
        rate = next((step["rate"] for step in row["transforms"] if "rate" in step), 1.0)
        if row["source"] == "album/one.wav":
            assert "toy tune" not in row["own_caption"], "its own caption holds"
        else:
            assert read_prompt(row["own_caption"]).tempo == pytest.approx(100 * rate, abs=0.6), (row["own_caption"], row["id"])
    monkeypatch.setattr(Stub, "__call__", not_done)
    build(songs, tmp_path / "out", replace(settings, recipe=replace(RECIPE, semitones=(1,))), overwrite=True)
    assert "toy tune" in read_rows(tmp_path / "out")[0]["own_caption"] + read_rows(tmp_path / "out")[-1]["own_caption"]


def test_a_run_with_nothing_to_do_reads_no_song(songs, built, tmp_path, monkeypatch):
    shutil.copytree(built[0], tmp_path / "out")
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*") if path.name not in (INDEX, "build.json")}
    monkeypatch.setattr("musicbench.build.build.build_song", not_done)
    for place in ("song_rows", "plan"):
        monkeypatch.setattr(f"musicbench.build.{place}.SoundFile.__init__", not_done)
    (tmp_path / "out" / "train" / "00").mkdir(exist_ok=True)
    assert build(songs, tmp_path / "out", Settings(RECIPE)) == built[1]
    kept = {path for path, time in times.items() if path.is_file() and path.stat().st_mtime_ns != time}
    assert {path.name for path in kept} <= {"manifests.txt"}


@pytest.mark.slow
def test_the_index_may_be_lost_or_damaged(songs, built, tmp_path, monkeypatch):
    shutil.copytree(built[0], tmp_path / "out")
    monkeypatch.setattr(song_hearing, "listen", not_done)
    for damage in (
        Path.unlink,
        lambda path: path.write_bytes(b"SQLite format 3\0" + bytes(5000)),
        lambda path: path.write_text("x"),
    ):
        damage(tmp_path / "out" / INDEX)
        assert build(songs, tmp_path / "out", Settings(RECIPE)) == built[1] and digests(tmp_path / "out") == digests(built[0])


def test_other_versions_are_told_and_may_be_accepted(songs, built, tmp_path, monkeypatch):
    shutil.copytree(built[0], tmp_path / "out")
    now = song_rows.versions() | {"soxr": "9.9"}
    monkeypatch.setattr("musicbench.build.preparing.versions", lambda: now)
    with pytest.raises(InputError, match=r"was begun with soxr .*, now 9\.9; give --accept-versions to go on"):
        build(songs, tmp_path / "out", Settings(RECIPE))
    monkeypatch.setattr(song_hearing, "listen", not_done)
    assert build(songs, tmp_path / "out", Settings(RECIPE), accept_versions=True) == built[1]
    assert build(songs, tmp_path / "out", Settings(RECIPE)) == built[1], "asked once"
    assert read_rows(tmp_path / "out") == read_rows(built[0]), "rows tell what they were made with"


@pytest.mark.slow
def test_bad_songs_are_named_and_the_rest_goes_on(songs, tmp_path, capsys):
    bad = tmp_path / "bad"
    (bad / "folder.wav").mkdir(parents=True)
    good = triads([C, G], 120)[: 4 * RATE]
    soundfile.write(bad / "good.wav", good, RATE)
    (bad / "empty.wav").write_bytes(b"")
    (bad / "corrupt.mp3").write_bytes(b"ID3" + bytes(range(256)) * 40)
    (bad / "words.flac").write_text("no music here")
    (bad / "words.mp3").write_text("no music here either")
    soundfile.write(bad / "torn.flac", load_audio(songs / "one.wav")[0], RATE)
    os.truncate(bad / "torn.flac", os.path.getsize(bad / "torn.flac") // 4)
    soundfile.write(bad / "vorbis.ogg", good, RATE)
    soundfile.write(bad / "layer3.mp3", good, RATE)
    soundfile.write(bad / "second.wav", good[:RATE], RATE)
    soundfile.write(bad / "nearly.wav", good[: 3 * RATE - 1], RATE)
    soundfile.write(bad / "silence.wav", np.zeros(5 * RATE), RATE)
    soundfile.write(bad / "quiet.wav", np.zeros((5 * RATE, 2)), RATE)
    soundfile.write(bad / "inverted.flac", np.stack([good, -good], axis=1), RATE)
    broken = good.copy()
    broken[1000] = np.nan
    soundfile.write(bad / "nan.wav", broken, RATE, subtype="FLOAT")
    soundfile.write(bad / "high.wav", np.repeat(good, 4), 192000 - 15600)
    soundfile.write(bad / "bits.wav", good, RATE, subtype="PCM_U8")
    soundfile.write(bad / "surround.wav", np.stack([good] * 6, axis=1), RATE)
    soundfile.write(bad / "misnamed.wav", good, RATE, format="FLAC")
    (bad / "poor.txt").write_text("A low quality recording of a band.")
    soundfile.write(bad / "poor.wav", good / 2, RATE)
    soundfile.write(bad / ("long" * 60 + ".wav"), good / 3, RATE)
    (bad / "._good.wav").write_bytes(b"what macOS keeps beside a file")
    os.mkfifo(bad / "pipe.wav")
    soundfile.write(bad / "latin.wav", good[::-1], RATE)
    os.rename(bad / "latin.wav", os.fsencode(bad) + b"/caf\xe9.wav")
    (bad / "loop").symlink_to(bad, target_is_directory=True)
    (bad / "dangling.wav").symlink_to(bad / "nothing.wav")
    (tmp_path / "plain.toml").write_text(
        "semitones = []\ntempo_copies = 0\ndynamics_copies = 0\nclip_s = 4\nmin_s = 3\nhop_s = 4\n"
    )
    assert main(["build", str(bad), str(tmp_path / "out"), "--recipe", str(tmp_path / "plain.toml"), "--strict"]) == 1
    assert "rejected (see rejected.jsonl): 14 songs" in capsys.readouterr().out
    reasons = {entry["source"]: entry["reason"] for entry in read_rows(tmp_path / "out" / "rejected.jsonl")}
    words = {
        "empty.wav": "it is empty", "corrupt.mp3": "cannot be read", "words.flac": "cannot be read", "words.mp3": "holds no audio", "second.wav": "1.00 s, below 3",
        "nearly.wav": "lasts 2.99 s, below 3 s", "inverted.flac": "channels cancel each other",
        "silence.wav": "silence: less", "quiet.wav": "silence: less", "nan.wav": "not numbers", "pipe.wav": "no regular file", "poor.wav": "poor sound", "dangling.wav": "cannot be read",
    }  # fmt: skip
    for name, word in words.items():
        assert word in reasons[name], (name, reasons[name])
        assert "exist" not in reasons[name] or name == "dangling.wav", reasons[name]
    rows = read_rows(tmp_path / "out")
    made = Counter(row["source"] for row in rows)
    assert {
        "good.wav",
        "high.wav",
        "bits.wav",
        "surround.wav",
        "misnamed.wav",
        "vorbis.ogg",
        "layer3.mp3",
        "long" * 60 + ".wav",
        "caf\\xe9.wav",
    } <= set(made)
    assert "torn.flac" in reasons
    assert not set(made) & set(words)
    surround, plain = (
        load_audio(tmp_path / "out" / row["location"])[0] for row in rows if row["source"] in ("good.wav", "surround.wav")
    )
    np.testing.assert_allclose(surround, plain, atol=2e-4)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["flac", "wav"])
def test_a_song_that_breaks_off_keeps_what_came_before(tmp_path, capsys, hears, suffix):
    hears(lambda samples, rate: NOTHING)
    (tmp_path / "songs").mkdir()
    torn = tmp_path / "songs" / f"torn.{suffix}"
    soundfile.write(torn, np.tile(triads([C, AM, F, G], 120), 3)[: 20 * RATE], RATE)
    os.truncate(torn, round(0.6 * os.path.getsize(torn)))
    (tmp_path / "recipe.toml").write_text(TOML)
    assert main(["build", str(tmp_path / "songs"), str(tmp_path / "out"), "--recipe", str(tmp_path / "recipe.toml")]) == 0
    rows, rejected = (read_rows(tmp_path / "out" / name) for name in ("rows.jsonl", "rejected.jsonl"))
    assert rows and f"{len(rows)} rows of 1 songs in" in (out := capsys.readouterr().out) and "rejected.jsonl): 0 songs" in out
    if suffix == "flac":  # a cut WAV file tells its length by what is left
        (entry,) = rejected
        assert "it ends after" in entry["reason"] and 8 <= entry["clip_start"] <= 14


@pytest.mark.parametrize(("duration_s", "count"), [(0.0, 0), (0.5, 0), (2.9, 0), (3.0, 1), (6.9, 1), (7.0, 2)])
def test_what_is_too_short_is_no_clip(duration_s, count):
    assert len(RECIPE.starts(duration_s)) == count


@pytest.mark.slow
def test_an_unforeseen_error_costs_one_song_until_it_is_mended(songs, built, tmp_path, monkeypatch, capsys):
    def breaks(text, *given):
        if "toy" in text:
            raise KeyError("an\nerror")
        return moved_caption(text, *given)

    (tmp_path / "recipe.toml").write_text(TOML)
    command = ["build", str(songs), str(tmp_path / "out"), "--recipe", str(tmp_path / "recipe.toml"), "--strict"]
    with monkeypatch.context() as broken:
        broken.setattr("musicbench.build.song_rows.moved_caption", breaks)
        assert main(command) == 1
    (entry,) = read_rows(tmp_path / "out" / "rejected.jsonl")
    assert (entry["source"], entry["clip_start"]) == ("album/one.wav", None) and "KeyError: 'an\\nerror'" in entry["reason"]
    assert {row["source"] for row in read_rows(tmp_path / "out")} == {"one.wav", "Ünï çødé 音.wav"}
    assert main(command) == 0 and digests(tmp_path / "out") == digests(built[0])


@pytest.mark.slow
@pytest.mark.parametrize("error", [KeyboardInterrupt, InputError])
def test_what_concerns_all_songs_stops_the_build(songs, tmp_path, monkeypatch, error):
    def stop(*_):
        raise error

    monkeypatch.setattr("musicbench.build.song_hearing.listen", stop)
    with pytest.raises(error):
        build(songs, tmp_path / "out", Settings(RECIPE))


@pytest.mark.slow
def test_bad_commands(songs, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    (tmp_path / "bad.toml").write_text("clip = 3")
    (tmp_path / "worse.toml").write_text("tempo_range = [0.5, 3]")
    table = [
        (["/no/such", "out"], "no folder"),
        ([str(tmp_path / "empty"), str(tmp_path / "out")], "no audio file"),
        ([str(songs), str(tmp_path / "full")], "not empty"),
        ([str(songs), str(tmp_path / "full"), "--overwrite"], "not empty"),
        ([str(songs), str(tmp_path / "no" / "such")], "does not exist"),
        ([str(songs), str(tmp_path / "out"), "--recipe", "cake"], "unknown recipe"),
        ([str(songs), str(tmp_path / "out"), "--recipe", str(tmp_path / "bad.toml")], "unknown field 'clip'"),
        ([str(songs), str(tmp_path / "out"), "--recipe", str(tmp_path / "worse.toml")], "tempo_range"),
        ([str(songs), str(tmp_path / "out"), "--recipe", str(tmp_path / "none.toml")], "cannot read the recipe"),
        ([str(songs), str(tmp_path / "out"), "--paraphrase", "magic"], "cannot paraphrase"),
        ([str(songs), str(tmp_path / "out"), "--paraphrase", str(tmp_path / "empty")], "cannot load a text2text model"),
        ([str(songs), str(tmp_path / "out"), "--paraphrase-model", "gpt"], "--paraphrase-model gpt is of a service"),
        ([str(songs), str(tmp_path / "out"), "--paraphrase", str(tmp_path / "empty"), "--paraphrase-model", "gpt"], "of a service"),
        ([str(songs), str(tmp_path / "out"), "--seed", "-1"], "below 0"),
        ([str(songs), str(tmp_path / "out"), "--address", "127.0.0.1:1"], "is for --engine ray"),
    ]
    for arguments, words in table:
        assert main(["build", *arguments]) == 2, arguments
        error = capsys.readouterr().err
        assert words in error and len(error.splitlines()) == 1, (arguments, error)
    assert (tmp_path / "full" / "thesis.txt").read_text() == "mine" and not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("sample_rate = 24000.5", "no whole number"), ("sample_rate = true", "outside 8000-192000"), ("tempo_copies = 2.0", "no whole number"),
        ('keep_poor_sound = "no"', "neither true nor false"), ("keep_poor_sound = 1", "neither true nor false"), ("semitones = [0]", "without 0"),
        ("semitones = [true]", "different whole numbers"), ("semitones = [1, 1]", "different whole numbers"), ("semitones = [13]", "-12 to 12"),
        ("semitones = 3", "not iterable"), ("floor_range = [0.1, true]", "no range"), ("clip_s = nan", "outside 1-600"), ("hop_s = '1'", "outside"),
    ],
)  # fmt: skip
def test_bad_recipes(tmp_path, line, words):
    (tmp_path / "bad.toml").write_text(line)
    with pytest.raises(InputError, match=words):
        Recipe.load(tmp_path / "bad.toml")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda text: text[:20], "does not hold"), (lambda text: "[]", "does not hold"), (lambda text: "", "does not hold"),
        (lambda text: text.replace('"seed"', '"more": 1, "seed"'), "another more"), (lambda text: text.replace('"seed"', '"sead"'), "another s"),
    ],
)  # fmt: skip
def test_settings_that_are_no_builds_are_named(songs, tmp_path, monkeypatch, capsys, change, words):
    settings = tmp_path / "out" / "build.json"
    monkeypatch.setattr("musicbench.build.engines.Engine.each", nothing_built)
    assert main(["build", str(songs), str(tmp_path / "out")]) == 1, "no rows"
    settings.write_text(change(settings.read_text()))
    assert main(["build", str(songs), str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("musicbench: ") and words in error and "--overwrite" in error
    assert main(["build", str(songs), str(tmp_path / "out"), "--overwrite"]) == 1


@pytest.mark.slow
def test_lost_files_and_torn_marks_are_made_again(songs, built, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(built[0], out)
    lost = next(out.glob("t*/*/one-*.flac"))
    lost.unlink()
    torn, odd = sorted(path for path in (out / "parts").rglob("*.jsonl") if not lost.name.startswith(path.stem))
    torn.write_text(torn.read_text()[:100])
    odd.write_text("[]")
    build(songs, out, Settings(RECIPE))
    assert digests(out) == digests(built[0])


@pytest.mark.slow
def test_songs_that_are_there_twice_are_built_once(songs, built, tmp_path, capsys):
    shutil.copytree(songs, tmp_path / songs.name)
    (tmp_path / songs.name / "two.wav").symlink_to("one.wav")
    shutil.copyfile(songs / "one.wav", tmp_path / songs.name / "zwei.wav")
    (tmp_path / "recipe.toml").write_text(TOML)
    assert main(["build", str(tmp_path / songs.name), str(tmp_path / "out"), "--recipe", str(tmp_path / "recipe.toml")]) == 0
    assert "2 songs (2 the same as another), 0 clips" in capsys.readouterr().out
    reasons = {entry["source"]: entry["reason"] for entry in read_rows(tmp_path / "out" / "rejected.jsonl")}
    assert reasons == dict.fromkeys(["two.wav", "zwei.wav"], "the same bytes as one.wav")
    assert (tmp_path / "out" / "rows.jsonl").read_bytes() == (built[0] / "rows.jsonl").read_bytes()


def test_two_builds_do_not_share_a_folder(songs, built, tmp_path, capsys):
    out = tmp_path / "out"
    shutil.copytree(built[0], out)
    writing = out / "train" / ".x-0123456789abcdef.flac"
    writing.touch()
    with alone_in(out):
        assert main(["build", str(songs), str(out)]) == 2
        error = capsys.readouterr().err.strip().splitlines()[-1]
        assert error.startswith(f"musicbench: another run is writing {out}; ") and writing.exists()
    assert build(songs, out, Settings(RECIPE)) == built[1] and digests(out) == digests(
        built[0]
    )  # what a killed writer left is gone


@pytest.mark.parametrize("number", range(5))
def test_a_kill_at_any_point_of_the_start_leaves_a_folder_that_goes_on(songs, tmp_path, monkeypatch, number):
    """Killed before the file system's first to fifth change: the folder, the settings' temporary file, its renaming, folders."""
    monkeypatch.setattr("musicbench.build.engines.Engine.each", nothing_built)
    with monkeypatch.context() as killed:
        changes = iter(range(number + 1))

        def or_killed(change):
            def changed(*arguments, **options):
                if next(changes) == number:
                    raise KeyboardInterrupt
                return change(*arguments, **options)

            return changed

        for place, name in ((Path, "mkdir"), (Path, "touch"), (os, "replace")):
            killed.setattr(place, name, or_killed(getattr(place, name)))
        killed.setattr(Path, "unlink", lambda *_, **__: None)  # the dead clean nothing up
        with pytest.raises(KeyboardInterrupt):
            build(songs, tmp_path / "out", Settings(RECIPE))
    build(songs, tmp_path / "out", Settings(RECIPE))
    assert not list((tmp_path / "out").rglob(".*"))


def test_song_names():
    assert song_id("a/x.wav") != song_id("b/x.wav") and song_id("a/x.wav").startswith("x-")
    assert song_id("音.wav").startswith("song-") and len(song_id("y" * 300 + ".wav")) < 70
    assert song_id("Ünï çødé.wav").isascii()


@pytest.mark.slow
def test_a_fault_after_a_clip_ends_its_context_only(songs, tmp_path):
    samples, rate = load_audio(songs / "Ünï çødé 音.wav")
    samples = samples.copy()
    samples[round(4.2 * rate) :] = np.nan
    (tmp_path / "songs").mkdir()
    soundfile.write(tmp_path / "songs" / "a.wav", samples, rate, subtype="FLOAT")
    recipe = Recipe(clip_s=4.0, hop_s=4.0, min_s=3.0, semitones=(2,), tempo_copies=2, combined_copies=0, dynamics_copies=0)
    summary = build(tmp_path / "songs", tmp_path / "out", Settings(recipe))
    assert (summary.rows, summary.rejected_songs, summary.rejected_clips) == (4, 0, 0)
    for row in read_rows(tmp_path / "out"):
        made = load_audio(tmp_path / "out" / row["location"])[0]
        assert np.isfinite(made).all() and np.sqrt(np.mean(made[-len(made) // 4 :] ** 2)) > 0.01  # it sounds to its end


@pytest.mark.parametrize("hop_s", [4.0, 5.0, 2.5, 7.3])
def test_segments_cover_a_song(tmp_path, monkeypatch, hop_s):
    soundfile.write(tmp_path / "ramp.wav", np.arange(52000) / 80000, 4000, subtype="FLOAT")
    recipe = Recipe(clip_s=4.0, hop_s=hop_s, min_s=1.0, tempo_copies=1)
    monkeypatch.setattr("musicbench.sound.soundfiles.BLOCK_SAMPLES", 5000)
    with SoundFile(tmp_path / "ramp.wav") as file:
        parts = list(segments(file, recipe))
    assert [start for start, _, _ in parts] == pytest.approx(recipe.starts(13.0)) and len(parts) == int(12 / hop_s) + 1
    for start, samples, _ in parts:
        first = round(start * 4000)
        np.testing.assert_allclose(samples, np.arange(first, min(first + 20000, 52000)) / 80000, atol=1e-6)


def test_what_lies_between_clips_is_not_kept(tmp_path):
    import tracemalloc

    soundfile.write(tmp_path / "long.flac", np.zeros(4000 * 4000, np.int16), 4000)
    with SoundFile(tmp_path / "long.flac") as file:
        tracemalloc.start()
        starts = [start for start, _, _ in segments(file, Recipe(clip_s=4.0, hop_s=3600.0, min_s=1.0))]
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert starts == [0, 3600] and peak < 3600 * 4000  # bytes; the samples of a hop are four times that


def test_found_songs_are_sorted_and_linked_folders_left(songs):
    assert find_songs(songs) == sorted(["one.wav", "album/one.wav", "Ünï çødé 音.wav"])


@pytest.mark.slow
def test_a_dataset_among_the_songs_is_no_song(tmp_path):
    (tmp_path / "album").mkdir()
    soundfile.write(tmp_path / "album" / "a.wav", triads([C, G], 120)[: 4 * RATE], RATE)
    for name in ("out", "out", "album/more"):
        made = build(tmp_path, tmp_path / name, Settings(replace(RECIPE, semitones=(), tempo_copies=0, combined_copies=0)))
        assert (made.songs, made.rows) == (1, 2)
    assert (tmp_path / "album" / "more" / "manifests.txt").read_text() == "out: left out; another build wrote it\n"
    assert find_songs(tmp_path, leave_out=[tmp_path / "album" / ".." / "out", tmp_path / "album" / "more"]) == [
        os.path.join("album", "a.wav")
    ]


@pytest.fixture(scope="module")
def packed(songs, tmp_path_factory):
    """The songs' dataset as tar shards and as Parquet, three shards of each."""
    folder, several = tmp_path_factory.mktemp("packed"), pytest.MonkeyPatch()
    several.setattr("musicbench.build.preparing.SHARD_BYTES", 300_000)
    for form in ("webdataset", "parquet"):
        build(songs, folder / form, Settings(RECIPE, form=form), engine=Engine(workers=1))
    several.undo()
    return folder


def samples_of(shards):
    """Return {name: (bytes of sound, row)} of tar shards."""
    found = {}
    for shard in shards:
        with tarfile.open(shard) as tar:
            for entry in tar:
                found.setdefault(Path(entry.name).stem, {})[Path(entry.name).suffix] = tar.extractfile(entry).read()
    return found


@pytest.mark.slow
def test_shards_hold_what_single_files_hold(built, packed):
    shards = sorted((packed / "webdataset" / "shards").iterdir())
    assert (
        len({shard.name for shard in shards}) > 2
        and not list(packed.rglob("*.flac"))
        and not (packed / "webdataset" / "train").exists()
    )
    found, rows = samples_of(shards), {row["id"]: row for row in read_rows(built[0])}
    assert found.keys() == rows.keys() and read_rows(packed / "webdataset") == list(rows.values())
    for name, sample in found.items():
        assert sample[".flac"] == (built[0] / rows[name]["location"]).read_bytes()
        assert with_values(json.loads(sample[".json"])) == rows[name]
    for shard in shards:
        places = [list(rows).index(name) for name in samples_of([shard])]
        assert len({rows[name]["location"].split("/")[0] for name in samples_of([shard])}) == 1
        assert len(places) < 8 or places != sorted(places), "shuffled"


@pytest.mark.slow
def test_shards_are_made_again_where_they_or_their_songs_changed(songs, packed, tmp_path):
    shutil.copytree(songs, tmp_path / songs.name)
    shutil.copytree(packed / "webdataset", tmp_path / "out")
    out, settings = tmp_path / "out", Settings(RECIPE, form="webdataset")
    shards = sorted((out / "shards").iterdir())
    shards[0].write_bytes(shards[0].read_bytes()[:1000])
    (out / "shards" / "notes.tar").write_text("mine")
    untouched = {shard: shard.stat().st_mtime_ns for shard in shards[1:]}
    build(tmp_path / songs.name, out, settings)
    assert digests(out / "shards") == digests(packed / "webdataset" / "shards") | {"notes.tar": hashlib.sha256(b"mine").hexdigest()}
    other = shards[0].name.split("-")[1]
    assert all(shard.stat().st_mtime_ns == time for shard, time in untouched.items() if other not in shard.name)
    (out / "shards" / "notes.tar").unlink()
    (tmp_path / songs.name / "one.txt").write_text("A toy harp.")
    build(tmp_path / songs.name, out, settings)
    told = {
        row["source"]: row["own_caption"]
        for row in map(json.loads, (s[".json"] for s in samples_of((out / "shards").iterdir()).values()))
    }
    assert told["one.wav"] == "A toy harp." and not list(out.rglob("*.flac"))
    build(tmp_path / songs.name, out, Settings(RECIPE), overwrite=True)
    build(tmp_path / songs.name, tmp_path / "new", Settings(RECIPE))
    assert {n: d for n, d in digests(out).items() if n != "build.json"} == {
        n: d for n, d in digests(tmp_path / "new").items() if n != "build.json"
    }


@pytest.mark.parametrize("form", ["webdataset", "parquet"])
def test_shards_load_with_the_types_of_an_audiofolder(packed, built, tmp_path, form):
    datasets = pytest.importorskip("datasets")
    files = sorted(map(str, (packed / form / "shards").glob("train-*")))
    with pytest.MonkeyPatch().context() as there:
        without_torchcodec(there)
        table = datasets.load_dataset(form, data_files=files, cache_dir=str(tmp_path / "cache"))["train"]
    rows = {row["id"]: row for row in read_rows(built[0]) if row["location"].startswith("train/")}
    if form == "webdataset":
        told = [row["json"] for row in table.remove_columns("flac")]
    else:
        assert table.features["audio"] == datasets.Audio(), "known as sound"
        told = list(table.cast_column("audio", datasets.Audio(decode=False)))
        assert all(row["audio"]["bytes"] == (built[0] / row["location"]).read_bytes() for row in told)
    assert len(told) == len(rows)
    lines = map(json.loads, (built[0] / "train" / "metadata.jsonl").read_text().splitlines())
    of_audiofolder = {line.pop("id"): line for line in lines}
    for row in told:
        assert with_values({name: row[name] for name in rows[row["id"]]}) == rows[row["id"]]
        kinds = {name: type(row[name]) for name in rows[row["id"]] if name != "id"}
        assert kinds == {name: type(value) for name, value in of_audiofolder[row["id"]].items() if name != "file_name"}


@pytest.mark.slow
def test_opus_is_small(songs, built, tmp_path):
    out = tmp_path / "out"
    build(songs, out, Settings(replace(RECIPE, semitones=(), tempo_copies=0, combined_copies=0), audio="opus"))
    rows = read_rows(out)
    assert rows and all(row["location"].endswith(".ogg") for row in rows)
    for row in rows[:2]:
        sound, rate = load(out, row)
        flac = built[0] / row["location"].replace(".ogg", ".flac")
        assert rate == 24000 and len(sound) == round(row["duration"] * rate)
        assert (out / row["location"]).stat().st_size < flac.stat().st_size / 3
    with pytest.raises(InputError, match="Opus has no 22050 Hz; give a sample_rate of 8000"):
        Settings(replace(RECIPE, sample_rate=22050), audio="opus")


def without_torchcodec(monkeypatch):
    """datasets asks for torchcodec, which needs FFmpeg, even where only paths and bytes are read."""
    try:
        import torchcodec  # noqa: F401
    except (ImportError, RuntimeError):
        for name in ("torchcodec", "torchcodec.encoders"):
            monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
        sys.modules["torchcodec.encoders"].AudioEncoder = None


@pytest.fixture
def load_audiofolder(tmp_path, monkeypatch):
    """Return a function that loads a dataset folder as users do, sound left as files."""
    datasets = pytest.importorskip("datasets")
    without_torchcodec(monkeypatch)

    def load_folder(folder):
        table = datasets.load_dataset("audiofolder", data_dir=str(folder), cache_dir=str(tmp_path / "cache"))
        return table.cast_column("audio", datasets.Audio(decode=False))

    return load_folder


def test_audiofolder(built, load_audiofolder):
    table = load_audiofolder(built[0])
    rows = {row["id"]: row for row in read_rows(built[0])}
    assert {name: len(part) for name, part in table.items()} == Counter(row["location"].split("/")[0] for row in rows.values())
    row = next(iter(table.values()))[0]
    assert json.loads(row["beats"]) == rows[row["id"]]["beats"] and row["main_caption"] == rows[row["id"]]["main_caption"]


NOTHING = Heard()
EVERYTHING = Heard(
    0.9, {"beats": "quiet"}, beat_times=(0.5, 1), beat_positions=(1, 2), bpm=120.5, meter=Meter(4, 4), chords=(Chord(0, "maj"),),
    chord_times=(0.0,), key=Key("C", "major"),
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("heard", [(NOTHING, EVERYTHING), (EVERYTHING, NOTHING), (NOTHING, NOTHING), (EVERYTHING, EVERYTHING)])
@pytest.mark.parametrize("recipe", [RECIPE, Recipe.named("plain")])
def test_splits_have_the_same_columns_whatever_is_heard(tmp_path, monkeypatch, hears, load_audiofolder, recipe, heard):
    """All that is optional is absent from one split, from both, from none."""
    (tmp_path / "songs").mkdir()
    for name in ("one", "two"):
        soundfile.write(tmp_path / "songs" / f"{name}.wav", triads([C, G, C, G], 180) * (0.2 if name == "one" else 1), RATE)
    monkeypatch.setattr("musicbench.build.splits.why_no_fingerprints", lambda: "not in this test")  # the songs are one recording
    monkeypatch.setattr("musicbench.build.splits.drawn_split", lambda name, recipe: "test" if "one" in name else "train")
    hears(lambda samples, rate: heard[int(np.abs(samples).max() < 0.3)])
    build(tmp_path / "songs", tmp_path / "out", Settings(recipe))
    kinds = []
    for split in ("train", "test"):
        rows = [json.loads(line) for line in (tmp_path / "out" / split / "metadata.jsonl").read_text().splitlines()]
        kinds += [{name: type(value) for name, value in row.items()} for row in rows]
    assert all(kind == kinds[0] for kind in kinds) and set(kinds[0].values()) <= {str, int, float, bool}
    table = load_audiofolder(tmp_path / "out")
    assert set(table) == {"train", "test"} and table["train"].features == table["test"].features
    rows = {row["id"]: row for row in read_rows(tmp_path / "out")}
    for told in (*table["train"], *table["test"]):
        assert {name: json.loads(told[name]) for name in NOT_ALWAYS_HEARD} == {
            name: rows[told["id"]][name] for name in NOT_ALWAYS_HEARD
        }


def test_published_rows_are_read(tmp_path):
    row = {
        "dataset": "MusicBench", "location": "data_aug2/-0SdAVK79lg_1.wav", "main_caption": "A guitar plays.", "alt_caption": "Guitar.",
        "prompt_aug": "", "prompt_ch": "", "prompt_bt": "", "prompt_bpm": "", "prompt_key": "", "beats": [[0.42, 0.9], [1.0, 2.0]],
        "bpm": 126.05, "chords": ["Gbm7", "G", "N"], "chords_time": [0.46, 1.2, 3.0], "key": ["F#", "minor"], "keyprob": [0.9],
        "is_audioset_eval_mcaps": False,
    }  # fmt: skip
    (tmp_path / "MusicBench_train.json").write_text(json.dumps(row) + "\n")
    read = read_rows(tmp_path / "MusicBench_train.json")
    clip = row_clip(read[0])
    assert [c.harte() for c in clip.chords] == ["F#:min7", "G:maj", "N"] and str(clip.key) == "F# minor" and clip.meter.beats == 2
    taken = Counter(row_captions(read[0], 400))
    assert set(taken) == {"A guitar plays.", "Guitar."} and taken["A guitar plays."] / 400 == pytest.approx(0.85, abs=0.06)
    (tmp_path / "none.json").write_text(
        json.dumps({**row, "beats": [[], []], "bpm": None, "key": None, "chords": [], "chords_time": []})
    )
    clip = row_clip(read_rows(tmp_path / "none.json")[0])
    assert (clip.bpm, clip.meter, clip.key, clip.chords) == (None, None, None, ())
    assert row_clip(row | {"chords_time": [0.46, 1.2]}).cropped(1, 2).chords == ()
    for odd in ({"chords": ["H:foo"], "chords_time": [0]}, {"beats": [[0.5], ["x"]]}, {"beats": [[0.5]]}, {"meter": "4"}):
        with pytest.raises(InputError, match=f"labels of {row['location']} cannot be read"):
            row_clip(row | odd)
    assert set(row_captions(row | {"dataset": "composed"}, 9)) <= {"A guitar plays.", "Guitar."}  # a folder may be named so


@pytest.mark.slow
def test_ray_gives_the_same(songs, built, tmp_path):
    pytest.importorskip("ray", reason="ray is not installed")
    assert build(songs, tmp_path / "ray", Settings(RECIPE), engine=Engine("ray")) == built[1]
    assert digests(tmp_path / "ray") == digests(built[0])


@pytest.mark.slow
def test_a_full_disk_stops_with_one_line(songs, tmp_path, monkeypatch, capsys):
    import errno

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    assert main(["build", str(songs), str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert "No space left" in error
    assert not list(Path(tmp_path / "out").rglob("*.flac")) and not (tmp_path / "out" / "rows.jsonl").exists()


def test_a_ray_cluster_that_does_not_answer_is_named(songs, tmp_path, capsys):
    pytest.importorskip("ray", reason="ray is not installed")
    assert main(["build", str(songs), str(tmp_path / "out"), "--engine", "ray", "--address", "127.0.0.1:1"]) == 2
    assert "no Ray cluster at 127.0.0.1:1" in capsys.readouterr().err
