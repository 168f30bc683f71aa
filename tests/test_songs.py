"""What is said about songs is read, or the file that says it wrongly is named."""

import os

import numpy as np
import pytest
import soundfile

from musicbench.build.manifests import read_manifests
from musicbench.build.songs import caption_lines, clipped_share, fault_of, find_songs, passed_over, song_text, without_dc


def test_what_sounds_is_found_by_content_and_what_is_named_so_by_name(tmp_path):
    (tmp_path / "folder.wav").mkdir()
    files = {
        "song": b"RIFF\0\0\0\0WAVEfmt ",
        "mine.bak": b"fLaC",
        "cover.jpg": b"\xff\xd8\xff",
        "picture.webp": b"RIFF\0\0\0\0WEBP",
        "folder.wav/x.MP3": b"",
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    os.mkfifo(tmp_path / "pipe.wav")
    os.mkfifo(tmp_path / "pipe")
    assert find_songs(tmp_path) == ["folder.wav/x.MP3", "mine.bak", "pipe.wav", "song"]


def test_a_text_is_found_under_any_spelling_of_the_songs_name(tmp_path):
    for name in ("a.TXT", "cafe\u0301.txt"):
        (tmp_path / name).write_text("A harp.")
    assert song_text(tmp_path / "caf\u00e9.wav", "", {}) == song_text(tmp_path / "a.wav", "", {}) == ("A harp.", "")


@pytest.mark.parametrize(
    ("name", "content", "caption"),
    [
        ("a.txt", "\ufeffA  harp.\n".encode(), "A harp."),
        ("a.txt", "A harp: é.".encode("utf-16"), "A harp: é."),
        ("a.txt", "A harp: é.".encode("latin-1"), "A harp: é."),
        ("a.txt", b"nan", "From the manifest."),
        ("a.json", b'{"caption": "N/A", "description": "A harp."}', "A harp."),
        ("a.json", b'{"caption": "A \\ud83c harp."}', "A ? harp."),
        ("a.json", b"[" * 100000, "From the manifest."),
        ("a.json", '\ufeff{"caption": "A harp."}'.encode(), "A harp."),
        ("a.json", b'{"caption": ["A harp.", "A lyre."]}', "A harp."),
        ("a.json", b'{"caption": 5, "text": [], "prompt": "A harp."}', "A harp."),
        ("a.json", b'{"caption": 5}', "From the manifest."),
        ("a.json", b"[", "From the manifest."),
        ("a.json", b'{"Caption": "A harp."}', "A harp."),
        ("a.json", b'[{"caption": "A harp."}]', "A harp."),
        ("a.json", b'{"a.wav": {"Description": "A harp."}}', "A harp."),
        ("a.json", b'"A harp."', "A harp."),
        ("a.json", b'{"title": "A harp"}', "From the manifest."),
        ("a.txt", b'"A harp."\n', "A harp."),
        ("a.txt", b"NaN\n", "From the manifest."),
        ("a.txt", b" TBD \r\n", "From the manifest."),
        ("metadata.jsonl", b'{"file_name": "a.wav", "caption": ["A harp."]}\n', "A harp."),
        ("metadata.jsonl", b'{"file_name": "a.wav", "caption": 5}\n', ""),
    ],
)
def test_captions_are_read_in_any_encoding_and_shape(tmp_path, name, content, caption):
    (tmp_path / name).write_bytes(content)
    manifest = read_manifests(tmp_path, ["a.wav"])[0].get("a.wav", "") if name == "metadata.jsonl" else "From the manifest."
    assert song_text(tmp_path / "a.wav", manifest, {}) == (caption, "")


@pytest.mark.parametrize(
    ("tag", "genre"),
    [
        ("Drum & Bass", "Drum & Bass"), ("R'n'B", "R'n'B"), ("Hip-Hop/Rap", "Hip-Hop"), ("blues; 120 bpm; c major", "blues"),
        ("Música, Pop", "Música"), ("(17)", ""), ("(17)Rock", "Rock"), ("17", ""), ("Other", ""), ("unknown genre", ""), ("Misc.", ""),
        ("120 bpm blues", ""), ("c major blues", ""), ("[Live] *rock*", "Live rock"), ("x" * 41, ""), ("", ""),
    ],
)  # fmt: skip
def test_genres_are_plain_words(tmp_path, tag, genre):
    assert song_text(tmp_path / "a.wav", "", {"genre": tag, "comment": "Ripped with a fine tool."}) == ("", genre)


def test_a_songs_own_file_without_a_caption_is_named(tmp_path):
    files = {
        "a.txt": "A harp.",
        "b.txt": "NaN\n",
        "c.json": "{oops",
        "d.json": '{"size": 90}',
        "f.json": '{"bpm": 90}',
        "e.json": '[{"caption": "A lyre."}]',
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    lines = caption_lines(tmp_path, ["a.wav", "b.wav", "c.wav", "d.wav", "e.wav"], {"d.wav": "A lute."})
    assert [line.split(": not used; ")[0] for line in lines[:3]] == ["b.txt", "c.json", "d.json"]
    assert lines[3:] == ["2 songs without a caption, which gets one of what is heard: b.wav, c.wav"]
    assert "no caption" in lines[0] and "no JSON" in lines[1]


def test_what_a_song_says_itself_beside_a_manifest_is_told(tmp_path):
    (tmp_path / "a.txt").write_text("A harp.")
    (tmp_path / "b.txt").write_bytes("雨の日のピアノ".encode("shift_jis"))
    (tmp_path / "c.txt").write_text("A very long text. " * 200)
    (tmp_path / "d.txt").write_bytes(bytes(range(160, 256)))
    lines = caption_lines(tmp_path, ["a.wav", "b.wav", "c.wav", "d.wav"], {"a.wav": "A lute.", "d.wav": "A drum."})
    words = ("encoding that is not clear", "1 text read as Shift-JIS: b.txt", "more than 2000 characters", "its own holds: a.wav")
    assert len(lines) == 4 and all(word in line for word, line in zip(words, lines, strict=True)), lines
    assert song_text(tmp_path / "b.wav", "", {})[0] == "雨の日のピアノ" and song_text(tmp_path / "c.wav", "", {})[0].endswith(
        "text."
    )


def test_what_is_passed_over_is_told(tmp_path, monkeypatch):
    for name in (
        "a.wav",
        "sub/.b.flac",
        ".c",
        "._a.wav",
        ".d.txt",
        ".hidden/e.mp3",
        ".git/config",
        "locked/f.wav",
        "g.raw",
        "h.mat",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"fLaC" if name == ".c" else b"")
    (tmp_path / "elsewhere").symlink_to(tmp_path.parent, target_is_directory=True)
    scan = os.scandir

    def refuses(path):
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuses)
    hidden, lines = passed_over(tmp_path)
    assert hidden == [".c", "sub/.b.flac"] and find_songs(tmp_path) == ["a.wav"]
    words = (
        "locked: a folder that cannot be read (Permission denied)",
        "2 hidden sound files",
        "1 hidden folder with sound",
        "2 files not used that may be sound",
        "1 linked folder,",
    )
    assert len(lines) == 5 and all(word in line for word, line in zip(words, lines, strict=True)), lines


def test_matlab_files_with_sound_are_songs(tmp_path):
    for kind in ("MAT5", "WAV"):
        soundfile.write(tmp_path / f"{kind}.mat", np.zeros(9000), 8000, format=kind)
    (tmp_path / "labels.mat").write_bytes(b"MATLAB 5.0 MAT-file" + bytes(500))
    assert find_songs(tmp_path) == ["MAT5.mat", "WAV.mat"]


def test_an_offset_is_taken_off_and_clipping_is_counted():
    time_s = np.arange(44100) / 44100
    sound = (0.5 * np.sin(2 * np.pi * 441.7 * time_s)).astype(np.float32)
    assert without_dc(sound)[0] is sound and clipped_share(sound) == 0
    plain, level = without_dc(sound + 0.25)
    assert abs(level - 0.25) < 1e-3 and np.abs(plain - sound).max() < 1e-3
    for drive, share in ((1.5, 0.54), (4.0, 0.84)):
        assert abs(clipped_share(np.clip(sound * 2 * drive, -1, 1)) - share) < 0.02
    assert clipped_share(np.clip(sound * 2 * 1.5, -1, 1) * 0.3) > 0.5, "turned down after it was clipped"
    assert clipped_share(sound[:2]) == clipped_share(sound[:0]) == 0


def test_numbers_that_are_too_large_are_not_called_no_numbers():
    with np.errstate(over="ignore"):
        assert "infinite or above" in fault_of(np.full(50, 1e300).astype(np.float32), 8000)
    assert "not numbers" in fault_of(np.full(50, np.nan, np.float32), 8000)
