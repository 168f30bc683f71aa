"""What is alike is never in two splits: by sound, by title, by a given value; whatever the order, and when songs are added."""

import json
import random
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from musicbench import InputError
from musicbench.__main__ import main
from musicbench.build import splits
from musicbench.build.build import build
from musicbench.build.dataset import read_rows
from musicbench.build.engines import Engine
from musicbench.build.index import INDEX, Index
from musicbench.build.near_copies import near_copies
from musicbench.build.recipe import Recipe
from musicbench.build.settings import Settings
from musicbench.build.song_rows import Built
from musicbench.build.splits import Songs, components, drawn_split, split_songs
from musicbench.build.titles import title_of, titles_of
from musicbench.hearing.heard import Heard
from musicbench.hearing.song import Hearing
from musicbench.sound.fingerprint import fingerprint, why_no_fingerprints

RATE = 16000
needs_chromaprint = pytest.mark.skipif(bool(why_no_fingerprints()), reason=why_no_fingerprints())
PLAIN = Recipe(semitones=(), tempo_copies=0, dynamics_copies=0, test_share=0.2, validation_share=0.2)
QUICK = Settings(PLAIN, hearing=Hearing("none", only_music=False), form="rows")


def tune(seed, seconds=8.0, rate=RATE):
    """Return chords of plucked tones, drawn by seed."""
    rng, samples = np.random.default_rng(seed), np.zeros(round(seconds * rate), np.float32)
    for start_s in np.arange(0, seconds - 0.5, 0.25):
        time = np.arange(round(0.5 * rate)) / rate
        for note in rng.choice(24, 3, replace=False):
            tone = sum(np.sin(2 * np.pi * 220 * 2 ** (note / 12) * k * time) / k for k in (1, 2, 3))
            first = round(start_s * rate)
            samples[first : first + len(time)] += 0.08 * tone * np.exp(-5 * time)
    return samples


def copied(samples, *, gain=1.0, later_s=0.0, **form):
    """Return the bytes of a sound file."""
    data = BytesIO()
    soundfile.write(data, (gain * samples)[round(later_s * RATE) :], RATE, **form)
    return data.getvalue()


MP3 = {"format": "MP3", "bitrate_mode": "CONSTANT", "compression_level": 0.2}


@needs_chromaprint
@pytest.mark.slow
def test_copies_of_a_recording_are_found_and_nothing_else(tmp_path):
    ways = [
        {"gain": 0.89, "format": "WAV"}, MP3, {"format": "OGG"}, {"later_s": 0.2, "format": "WAV"}, {"later_s": 0.062, "format": "WAV"},
        {"gain": 0.89, "later_s": 0.2, **MP3}, {"later_s": 2.5, "format": "FLAC"},
    ]  # fmt: skip
    prints = []
    for seed in range(2 * len(ways)):
        (tmp_path / "a").write_bytes(copied(tune(seed), format="WAV"))
        prints.append(fingerprint(tmp_path / "a")[0].tobytes())
    for seed, way in enumerate(ways):
        (tmp_path / "a").write_bytes(copied(tune(seed), **way))
        prints.append(fingerprint(tmp_path / "a")[0].tobytes())
    found = near_copies(prints)
    assert {(copy.first, copy.second) for copy in found} == {(seed, 2 * len(ways) + seed) for seed in range(len(ways))}
    for copy, way in zip(found, ways, strict=True):
        assert copy.later_s == pytest.approx(way.get("later_s", 0), abs=0.13) and 0.9 <= copy.alike <= 1
        assert copy.overlap[1] > 0.9


@needs_chromaprint
def test_silence_tones_and_odd_files_are_like_nothing(tmp_path):
    hum = np.sin(np.arange(8 * RATE) * 2 * np.pi * 440 / RATE)
    odd = [np.zeros(8 * RATE), np.zeros(9 * RATE), hum, 0.5 * hum, tune(1, 1.0), tune(1, 1.0), np.full(8 * RATE, np.nan)]
    prints = []
    for samples in odd:
        soundfile.write(tmp_path / "a.wav", samples, RATE, subtype="FLOAT")
        prints.append(fingerprint(tmp_path / "a.wav")[0].tobytes())
    assert near_copies(prints) == [] == near_copies([]) == near_copies([b""])
    for rate in (4000, 384_000):
        soundfile.write(tmp_path / "a.wav", tune(1, 4.0)[: 3 * rate], rate)
        fingerprint(tmp_path / "a.wav")


def test_many_copies_of_one_recording_are_one_group():
    """Of words that many share only some pairs are compared, which connect all of them."""
    rng = np.random.default_rng(0)
    one, prints = rng.integers(0, 2**32, 300, np.uint32), []
    for _ in range(40):
        noisy = one ^ np.where(rng.random(300) < 0.3, np.uint32(1) << rng.integers(0, 32, 300, np.uint32), np.uint32(0))
        prints += [noisy[rng.integers(0, 30) :].tobytes(), rng.integers(0, 2**32, 300, np.uint32).tobytes()]
    found = near_copies(prints)
    names = list(map(str, range(80)))
    groups = components(names, [(str(copy.first), str(copy.second)) for copy in found])
    assert sorted(map(len, groups))[-1] == 40 and len(groups) == 41 and len(found) < 40 * 39 / 2


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9))), st.randoms(use_true_random=False))
def test_groups_do_not_depend_on_the_order_of_what_is_alike(pairs, rng):
    names, edges = list("abcdefghij"), [("abcdefghij"[one], "abcdefghij"[other]) for one, other in pairs]
    groups = components(names, edges)
    rng.shuffle(edges)
    assert components(names, [edge[::-1] for edge in edges]) == groups and sorted(sum(groups, [])) == names
    of = {name: number for number, group in enumerate(groups) for name in group}
    assert all(of[one] == of[other] for one, other in edges) and len(groups) >= len(names) - len(edges)


SAME = [
    "Some Song.wav", "flac/Some Song.FLAC", "Some Song (Official Audio).mp3", "01 - Some Song.flac", "Some Song-live.ogg",
    "Some Song [Remastered 2011].mp3", "some_song.wav", "Some Song_part1.wav", "Some Song-000.wav", "Some Song_seg3.wav", "1-03 Some Song.mp3",
    "Some Song - Live at the Old Hall.mp3", "Some Song (feat. Somebody).mp3", "Some Song - 2011 Remaster.mp3", "Some Song (1).mp3",
    "Some Song (Official Video) [HD].mp3", "Some Song part 2 of 5.wav", "Some Song_10s-20s.wav", "A1. Some Song.flac", "01_Some Song (Live).mp3",
    "Some Song_vocals.wav", "Some Song_no_vocals.wav", "Some Song (Instrumental).wav", "some_song-drums.wav", "Some Song [dQw4w9WgXcQ].opus",
    "Some Song (slowed + reverb).mp3", "Some Song copy.wav", "Some Song copy 2.wav", "Some Song ft. Bob.mp3",
]  # fmt: skip
OTHERS = [
    "Some Other Song.wav", "Live and Let Die.mp3", "Video Killed the Radio Star.mp3", "Radio.mp3", "Part of Me.mp3", "Clip.mp3", "Demo.mp3",
    "1979.mp3", "The Final Song.mp3", "音.mp3", "Die Remix Band.mp3",
    "Some Piano.wav", "Bass.wav", "Carbon Drums.wav", "The Copy Cat.mp3",
]  # fmt: skip


def test_versions_and_segments_of_a_song_share_a_title():
    titles, told = titles_of([*SAME, *OTHERS])
    assert {titles[name] for name in SAME} == {"some song"}, titles
    assert len({titles[name] for name in OTHERS} | {"some song"}) == len(OTHERS) + 1 and not told
    assert titles_of(["Cafe\u0301.wav", "Caf\u00e9 (Live).wav"])[0]["Cafe\u0301.wav"] == title_of("caf\u00e9.mp3")


@pytest.mark.parametrize("name", ["01", "track 3", "mixture", "Track_07"])
def test_names_that_are_no_titles_do_not_put_all_albums_in_one_split(name):
    paths = [f"album {number}/{name}.wav" for number in range(200)]
    titles = titles_of([*paths, "other.wav"])[0]
    drawn = [drawn_split(titles[path], Recipe(test_share=0.5)) for path in paths]
    assert 60 < drawn.count("test") < 140
    assert [titles[path] for path in paths] == list(titles_of([path.replace("wav", "mp3") for path in paths])[0].values())


def test_a_numbered_collection_is_not_one_song():
    genres = [f"blues.{number:05}.wav" for number in range(100)] + [f"{name}-{part}.wav" for name in "abcde" for part in range(9)]
    titles, told = titles_of(genres)
    assert len(set(titles.values())) == 100 + 5 and len(told) == 1 and told[0].startswith("100 names are 'blues' and a number")
    assert len(set(titles_of([f"loop_{number}.wav" for number in range(20)])[0].values())) == 20


def test_odd_names_have_titles():
    for name in (
        "",
        " ",
        "-" * 255,
        "(" * 255,
        "(live" * 50,
        "1." * 120,
        "live " * 50,
        "[" + "a" * 250,
        "part " * 50,
        "\udce9",
        "01 - ()",
    ):
        path = f"{name}.wav"
        assert titles_of([path])[0][path]


def files(folder, names):
    """Write a file of a moment, each of its own sound, for each name."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / name, np.random.default_rng(list(name.encode())).normal(0, 0.1, 800), 8000)
    return sorted(names)


def split(folder, paths, settings=QUICK, values=None, same=None):
    """Return the Splits of songs in folder/songs, decided in the folder itself."""
    with Index(folder) as index:
        songs = Songs(folder / "songs", sorted(paths), same or {}, values or {})
        return split_songs(folder, songs, settings, index, Engine(), lambda done, total: None)


def test_songs_that_are_added_move_nothing(tmp_path):
    rng, names = random.Random(0), [f"title {number} {'abc'[number % 3]}.wav" for number in range(30)]
    names = files(tmp_path / "songs", names)
    some = rng.sample(names, 12)
    first = split(tmp_path, some).of
    assert {"train", "validation", "test"} == set(first.values())
    more = split(tmp_path, names).of
    assert first.items() <= more.items()
    (tmp_path / INDEX).unlink()
    assert split(tmp_path, names).of == more, "the index may be lost"
    (tmp_path / "splits.jsonl").unlink()
    assert split(tmp_path, names).of == more, "as if all had been there from the beginning"
    for odd in ("torn", "", "[]", '{"made_of": {}}\n3', '{"made_of": 1}\n{"song": "x"}'):
        (tmp_path / "splits.jsonl").write_text(odd)
        assert split(tmp_path, names).of == more


def test_groups_that_are_joined_late_go_where_a_model_may_have_learnt_from_them(tmp_path):
    names = [f"song {letter}.wav" for letter in "abcdefghijkl"]
    paths = files(tmp_path / "songs", [*names, "bridge.wav"])
    before = split(tmp_path, names).of
    in_train, in_test = (next(path for path in names if before[path] == name) for name in ("train", "test"))
    values = {in_train: "X", in_test: "x", "bridge.wav": "X"}
    joined = split(tmp_path, paths, values=values)
    assert joined.of[in_train] == joined.of[in_test] == joined.of["bridge.wav"] == "train"
    assert {path: own for path, own in joined.of.items() if path not in values} == {
        path: own for path, own in before.items() if path not in values
    }
    assert any(line.startswith("1 song moved to another split") and in_test in line for line in joined.lines)
    assert split(tmp_path, paths, values=values).lines == (), "told once"


def test_a_new_copy_of_a_test_song_is_tested(tmp_path):
    names = [f"song {letter}.wav" for letter in "abcdefghijkl"]
    files(tmp_path / "songs", names)
    before = split(tmp_path, names).of
    tested = next(path for path in names if before[path] == "test")
    copy = tested.replace(".wav", " (Official Audio).wav")
    files(tmp_path / "songs", [copy])
    assert split(tmp_path, [*names, copy]).of == before | {copy: "test"}
    rows = read_rows(tmp_path / "duplicates.jsonl")
    assert rows == [{"song": tested, "like": copy, "alike": None, "by": "title", "later_s": None}]


def test_titles_count_within_one_value(tmp_path):
    names = files(tmp_path / "songs", ["a/Intro.wav", "b/Intro.wav", "c/Intro.wav", "X-000.wav", "X-001.wav"])
    split(tmp_path, names, values={"a/Intro.wav": "Ada", "c/Intro.wav": "Cy", "X-001.wav": "ADA"})
    groups = {row["song"]: row["group"] for row in read_rows(tmp_path / "splits.jsonl")[1:]}
    assert groups == {
        "a/Intro.wav": "X-000.wav", "b/Intro.wav": "X-000.wav", "c/Intro.wav": "c/Intro.wav", "X-000.wav": "X-000.wav",
        "X-001.wav": "X-000.wav",
    }  # fmt: skip


def test_other_shares_are_drawn_anew(tmp_path):
    names = files(tmp_path / "songs", [f"song {number} x.wav" for number in range(40)])
    split(tmp_path, names)
    other = Settings(Recipe(test_share=0.5), hearing=QUICK.hearing, form="rows")
    drawn = split(tmp_path, names, other).of
    assert set(drawn.values()) == {"train", "test"} and 10 < list(drawn.values()).count("test") < 30


def test_a_group_of_most_songs_is_told(tmp_path):
    names = files(tmp_path / "songs", [f"{word}.wav" for word in "one two three four five six seven eight nine ten".split()])
    told = split(tmp_path, names, values=dict.fromkeys(names[:8], "Somebody")).lines
    assert any(line.startswith("8 of 10 songs share the split ") for line in told)


# ---------------------------------------------------------------------------------------------------- whole builds


@pytest.fixture(scope="module")
def songs(tmp_path_factory):
    """Tunes of 8 s: six, an MP3 of one that begins later, a softer Ogg of another; a manifest with artists."""
    folder = tmp_path_factory.mktemp("tunes")
    for seed in range(6):
        soundfile.write(folder / f"{'abcdef'[seed]}.wav", tune(seed), RATE)
    (folder / "other name.mp3").write_bytes(copied(tune(0), later_s=0.2, gain=0.89, **MP3))
    (folder / "z.ogg").write_bytes(copied(tune(1), gain=0.89, format="OGG"))
    lines = [
        "file_name,Artist,licence",
        "a.wav,Ada,CC BY 4.0",
        "b.wav,Bo,CC0",
        "c.wav,ADA,CC0",
        "d.wav,Various Artists,CC0",
        "e.wav,N/A,",
    ]
    (folder / "metadata.csv").write_text("\n".join(lines))
    return folder


def places(folder):
    return {row["source"]: row["location"].split("/")[0] for row in read_rows(folder)}


@needs_chromaprint
@pytest.mark.slow
def test_a_build_keeps_copies_of_a_recording_in_one_split(songs, tmp_path, monkeypatch, capsys, hears):
    hears(lambda samples, rate: Heard())
    made = build(songs, tmp_path / "out", QUICK)
    told = capsys.readouterr().err
    assert "2 songs of a recording that is there twice, see duplicates.jsonl: other name.mp3, z.ogg" in told
    where = places(tmp_path / "out")
    assert where["a.wav"] == where["other name.mp3"] and where["b.wav"] == where["z.ogg"] and made.songs == 8
    by_sound = {(row["like"], row["song"]): row for row in read_rows(tmp_path / "out" / "duplicates.jsonl") if row["by"] == "sound"}
    assert set(by_sound) == {("a.wav", "other name.mp3"), ("b.wav", "z.ogg")}
    assert by_sound["a.wav", "other name.mp3"]["later_s"] == pytest.approx(0.2, abs=0.13)
    monkeypatch.setattr(splits, "fingerprint", lambda path: pytest.fail("nothing changed"))
    monkeypatch.setattr(splits, "near_copies", lambda prints: pytest.fail("nothing changed"))
    assert build(songs, tmp_path / "out", QUICK) == made
    assert "twice" not in capsys.readouterr().err.splitlines()[-1]


@needs_chromaprint
@pytest.mark.slow
def test_copies_of_a_recording_can_be_left_out(songs, tmp_path, capsys, hears):
    hears(lambda samples, rate: Heard())
    recipe = tmp_path / "plain.toml"
    recipe.write_text("semitones = []\ntempo_copies = 0\ndynamics_copies = 0\n")
    command = [
        "build",
        str(songs),
        str(tmp_path / "out"),
        "--recipe",
        str(recipe),
        "--hear",
        "librosa",
        "--rows-only",
        "--drop-duplicates",
    ]
    assert main(command) == 0
    assert "2 songs (2 the same as another)" in capsys.readouterr().out
    reasons = {row["source"]: row["reason"] for row in read_rows(tmp_path / "out" / "rejected.jsonl")}
    assert reasons == {"other name.mp3": "the same recording as a.wav", "z.ogg": "the same recording as b.wav"}
    assert places(tmp_path / "out").keys() == {f"{name}.wav" for name in "abcdef"}
    assert main(command) == 0 and "2 songs (2 the same as another)" in capsys.readouterr().out


@pytest.mark.slow
def test_songs_are_split_by_a_column_or_a_tag(songs, tmp_path, capsys, hears):
    hears(lambda samples, rate: Heard())
    settings = Settings(PLAIN, hearing=QUICK.hearing, form="rows", split_by="artist")
    build(songs, tmp_path / "out", settings)
    groups = {row["song"]: row["group"] for row in read_rows(tmp_path / "out" / "splits.jsonl")[1:]}
    assert groups["a.wav"] == groups["c.wav"] and len({groups[f"{name}.wav"] for name in "abdef"}) == 5
    (tmp_path / "tagged").mkdir()
    for number in range(4):
        with soundfile.SoundFile(tmp_path / "tagged" / f"song{'wxyz'[number]}.ogg", "w", RATE, 1) as file:
            file.album = "One" if number < 3 else "Two"
            file.write(tune(number, 1.0))
    (tmp_path / "set").mkdir()
    with Index(tmp_path / "set") as index:
        paths = sorted(path.name for path in (tmp_path / "tagged").iterdir())
        by_album = Settings(PLAIN, split_by="album")
        split_songs(tmp_path / "set", Songs(tmp_path / "tagged", paths, {}, {}), by_album, index, Engine(), lambda *_: None)
    assert len({row["group"] for row in read_rows(tmp_path / "set" / "splits.jsonl")[1:]}) == 2
    assert main(["build", str(songs), str(tmp_path / "no"), "--split-by", "Band Name"]) == 2
    assert "has a column 'band_name'" in capsys.readouterr().err and not (tmp_path / "no").exists()


@pytest.mark.slow
def test_a_validation_split_is_written_like_the_others(songs, tmp_path, hears):
    hears(lambda samples, rate: Heard())
    settings = Settings(PLAIN, hearing=QUICK.hearing)
    made = build(songs, tmp_path / "out", settings)
    where = places(tmp_path / "out")
    assert set(where.values()) == {"train", "validation", "test"} and made.rows == 8
    for name in set(where.values()):
        lines = (tmp_path / "out" / name / "metadata.jsonl").read_text().splitlines()
        assert {json.loads(line)["source"] for line in lines} == {path for path, own in where.items() if own == name}
        assert all((tmp_path / "out" / name / json.loads(line)["file_name"]).is_file() for line in lines)
    none = Settings(Recipe(semitones=(), tempo_copies=0, dynamics_copies=0), hearing=QUICK.hearing)
    build(songs, tmp_path / "out", none, overwrite=True)
    build(songs, tmp_path / "new", none)
    trees = [sorted(str(path.relative_to(out)) for path in out.rglob("*.flac")) for out in (tmp_path / "out", tmp_path / "new")]
    assert trees[0] == trees[1] and not any(name.startswith("validation") for name in trees[0])
    for share, word in (("0.6", "above 1 together"), ("2", "outside 0-1")):
        (tmp_path / "bad.toml").write_text(f"test_share = 0.5\nvalidation_share = {share}\n")
        with pytest.raises(InputError, match=word):
            Recipe.load(tmp_path / "bad.toml")


def test_without_chromaprint_titles_are_compared_and_that_is_said(songs, tmp_path, monkeypatch, capsys):
    for place in ("splits", "build"):
        monkeypatch.setattr(f"musicbench.build.{place}.why_no_fingerprints", lambda: "songs are compared by their titles alone")
    monkeypatch.setattr(splits, "fingerprint", lambda path: pytest.fail("there is none"))
    built = lambda engine, task, jobs, **_: ((job, Built(is_marked=False)) for job in jobs)  # noqa: E731
    monkeypatch.setattr("musicbench.build.engines.Engine.each", built)
    build(songs, tmp_path / "out", QUICK)
    assert "songs are compared by their titles alone\n" in (tmp_path / "out" / "manifests.txt").read_text()
    assert not (tmp_path / "out" / "duplicates.jsonl").read_text()
    assert len({row["group"] for row in read_rows(tmp_path / "out" / "splits.jsonl")[1:]}) == 8


def test_a_song_that_cannot_be_read_is_split_all_the_same(tmp_path):
    files(tmp_path / "songs", ["good.wav"])
    (tmp_path / "songs" / "bad.wav").write_text("no sound")
    assert split(tmp_path, ["bad.wav", "good.wav", "gone.wav"]).of.keys() == {"bad.wav", "good.wav", "gone.wav"}
    assert Path(tmp_path / "splits.jsonl").is_file()
