"""Songs and datasets at URLs come to the same rows as those in folders; what cannot be is said."""

import hashlib
import http.server
import json
import os
import re
import shutil
import threading
import uuid
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import soundfile
from test_features import AM, RATE, C, F, G, triads

from musicbench import InputError, load
from musicbench.__main__ import main
from musicbench.build.build import build
from musicbench.build.dataset import read_rows
from musicbench.build.index import INDEX
from musicbench.build.plan import plan_build
from musicbench.build.recipe import Recipe
from musicbench.build.remote import Sent, listed_songs
from musicbench.build.settings import Settings
from musicbench.hearing.song import Hearing

fsspec = pytest.importorskip("fsspec", reason="fsspec is not installed")

RECIPE = Recipe(clip_s=2.0, hop_s=2.0, min_s=1.0, semitones=(2,), tempo_copies=0, dynamics_copies=0, test_share=0.4)
ROWS, FILES = (Settings(RECIPE, hearing=Hearing("none"), form=form) for form in ("rows", "files"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three songs in a folder `songs`, two with captions."""
    place = tmp_path_factory.mktemp("here") / "songs"
    (place / "al bum").mkdir(parents=True)
    soundfile.write(place / "one.wav", triads([C, AM], 120), RATE)
    soundfile.write(place / "al bum" / "zwei ü.flac", triads([F, G], 120), RATE)
    soundfile.write(place / "three.wav", triads([G, C], 120), RATE)
    (place / "one.txt").write_text("A toy piano plays.")
    (place / "metadata.csv").write_text("file_name,caption\nal bum/zwei ü.flac,A toy organ plays.\n")
    return place


@pytest.fixture(autouse=True)
def no_tagger(monkeypatch):
    """Without it a song is heard in no time."""
    monkeypatch.setattr("musicbench.build.song_hearing.why_no_tags", lambda: "not in a test")


@pytest.fixture
def bucket():
    """A place in memory of its own."""
    place = f"memory://{uuid.uuid4().hex}"
    yield place
    fsspec.filesystem("memory").rm(place, recursive=True)


def put(folder, url):
    system = fsspec.filesystem(url.partition("://")[0])
    for path in folder.rglob("*"):
        if path.is_file():
            system.pipe_file(f"{url}/{path.relative_to(folder)}", path.read_bytes())


def digests(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.relative_to(folder).parts[0][0] != "." and path.name not in (INDEX, "build.json")
    }


def at(url):
    """Return the digests of what is at a URL."""
    system = fsspec.filesystem(url.partition("://")[0])
    root = system._strip_protocol(url)
    names = {name: os.path.relpath(name, root) for name in system.find(root)}
    return {short: hashlib.sha256(system.cat_file(name)).hexdigest() for name, short in names.items() if short != "build.json"}


@pytest.mark.parametrize("settings", [ROWS, FILES], ids=["rows", "files"])
def test_a_build_from_url_to_url_is_the_same(folder, bucket, tmp_path, settings):
    put(folder, f"{bucket}/songs")
    made = build(folder, tmp_path / "here", settings)
    assert made.rows and build(f"{bucket}/songs", f"{bucket}/set", settings, work=tmp_path / "work") == made
    assert digests(tmp_path / "work") == digests(tmp_path / "here") == at(f"{bucket}/set")
    shutil.rmtree(tmp_path / "work")  # another machine goes on
    assert build(f"{bucket}/songs", f"{bucket}/set", settings, work=tmp_path / "work") == made
    assert digests(tmp_path / "work") == digests(tmp_path / "here") == at(f"{bucket}/set")
    stand_ins = [path for path in (tmp_path / "work" / ".songs").rglob("*") if path.suffix in (".wav", ".flac")]
    assert len(stand_ins) == 3 and not any(any(path.read_bytes()) for path in stand_ins), "no sound is kept"


def test_songs_that_change_at_a_url_are_made_again_and_no_other(folder, bucket, tmp_path, monkeypatch):
    put(folder, f"{bucket}/songs")
    build(f"{bucket}/songs", f"{bucket}/set", ROWS, work=tmp_path / "work")
    before, built = at(f"{bucket}/set"), []
    made = build.__globals__["build_song"]

    def told(songs, path, *rest, **named):
        built.append(path)
        return made(songs, path, *rest, **named)

    monkeypatch.setattr("musicbench.build.build.build_song", told)
    build(f"{bucket}/songs", f"{bucket}/set", ROWS, work=tmp_path / "work")
    assert not built and at(f"{bucket}/set") == before
    system = fsspec.filesystem("memory")
    system.pipe_file(f"{bucket}/songs/three.wav", (folder / "one.wav").read_bytes())
    system.rm_file(f"{bucket}/songs/one.wav")
    system.rm_file(f"{bucket}/songs/one.txt")
    build(f"{bucket}/songs", f"{bucket}/set", ROWS, work=tmp_path / "work")
    assert built == ["three.wav"]
    after = at(f"{bucket}/set")
    assert {Path(name).stem for name in before.keys() - after.keys()} == {
        name.stem for name in (Path(name) for name in before) if name.name.startswith("one-")
    }


def test_rows_of_songs_at_a_url_are_rendered(folder, bucket, tmp_path):
    put(folder, f"{bucket}/songs")
    build(f"{bucket}/songs", tmp_path / "set", ROWS)
    build(folder, tmp_path / "here", FILES)
    for row, written in zip(read_rows(tmp_path / "set"), read_rows(tmp_path / "here"), strict=True):
        for songs in (None, f"{bucket}/songs"):
            assert np.array_equal(load(tmp_path / "set", row, songs)[0], load(tmp_path / "here", written)[0])


def test_a_plan_of_songs_at_a_url(folder, bucket):
    put(folder, f"{bucket}/songs")
    assert plan_build(f"{bucket}/songs", ROWS).lengths == plan_build(folder, ROWS).lengths


def test_what_cannot_be_at_a_url_is_said(folder, bucket, tmp_path, capsys):
    for words, said in [
        ([f"{bucket}/none", tmp_path / "out"], "no audio file in"),
        ([folder, "https://example.org/out"], "is no place to write to; give one of"),
        (["nonsense://x", tmp_path / "out"], "cannot open 'nonsense://x'"),
        ([folder, tmp_path / "out", "--work", tmp_path], "--work .* is for a dataset at a URL"),
    ]:
        assert main(["build", *map(str, words), "--hear", "none"]) == 2
        error = capsys.readouterr().err.strip().splitlines()[-1]
        assert re.search(said, error), error
    system = fsspec.filesystem("memory")
    system.pipe_file(f"{bucket}/set/mine.txt", b"mine")
    with pytest.raises(InputError, match="is not empty and no build of ours"):
        Sent(f"{bucket}/set", tmp_path / "work")
    for name in ("../out.wav", "a/../../out.wav", "a//b.wav", ".hidden.wav"):
        system.pipe_file(f"{bucket}/songs/{name}", b"RIFF")
    listed = listed_songs(f"{bucket}/songs", tmp_path / "listed")
    assert [path.name for path in listed.iterdir()] == [".url.json"] and not (tmp_path / "out.wav").exists()


@pytest.fixture
def server(folder):
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as serving:
        thread = threading.Thread(target=serving.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{serving.server_port}"
        serving.shutdown()


def test_songs_that_a_table_names_are_read_over_http(folder, server, tmp_path):
    pytest.importorskip("aiohttp", reason="aiohttp is not installed")
    names = ["one.wav", f"{server}/three.wav", "al bum/zwei ü.flac", "https://elsewhere.org/four.wav", "../five.wav", "gone.wav"]
    (folder / "list.jsonl").write_text("".join(json.dumps({"file_name": n, "caption": f"A toy plays {n}."}) + "\n" for n in names))
    try:
        assert build(f"{server}/list.jsonl", tmp_path / "out", ROWS).rejected_songs == 1
    finally:
        (folder / "list.jsonl").unlink()
    assert {row["source"] for row in read_rows(tmp_path / "out")} == {"one.wav", "three.wav", "al bum/zwei ü.flac"}
    assert "FileNotFoundError" in json.loads((tmp_path / "out" / "rejected.jsonl").read_text())["reason"]


@pytest.mark.slow
def test_s3_by_moto(folder, tmp_path, monkeypatch):
    pytest.importorskip("s3fs", reason="s3fs is not installed")
    moto = pytest.importorskip("moto.server", reason="moto[server] is not installed")
    serving = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    serving.start()
    try:
        host, port = serving.get_host_and_port()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "testing")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        fsspec.filesystem("s3").mkdir("bucket")
        put(folder, "s3://bucket/songs")
        made = build(folder, tmp_path / "here", FILES)
        assert build("s3://bucket/songs", "s3://bucket/set", FILES, work=tmp_path / "work") == made
        assert digests(tmp_path / "here") == at("s3://bucket/set")
    finally:
        serving.stop()
