"""What is said about songs is read, or the file that says it wrongly is named."""

import unicodedata

import pytest

from musicbench import InputError
from musicbench.songs import read_manifest, song_text


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("metadata.csv", "file_name,caption\na.wav,café\n".encode("latin-1"), "no CSV file in UTF-8"),
        ("metadata.jsonl", b'{"file_name": "a.wav"}\n[1]\n', "names no file"),
        ("metadata.jsonl", b'{"file_name": 5, "caption": "A harp."}\n', "names no file"),
        ("metadata.jsonl", b"\xff\n", "not JSON Lines"),
    ],
)
def test_a_bad_manifest_is_named(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=rf"{name}.*{words}"):
        read_manifest(tmp_path, [])


def test_manifests_are_read(tmp_path):
    (tmp_path / "metadata.csv").write_bytes(b"\xef\xbb\xbffile_name,caption\na.wav,A harp.\n")  # as spreadsheets write it
    (tmp_path / "metadata.jsonl").write_text('{"file_name": "./b.wav", "caption": "A\u2028lute."}\n', encoding="utf-8")
    assert read_manifest(tmp_path, ["a.wav", "b.wav"]) == {"a.wav": "A harp.", "b.wav": "A\u2028lute."}


def test_manifests_name_songs_in_many_ways(tmp_path, capsys):
    accented = unicodedata.normalize("NFD", "café.wav")
    songs = ["a.wav", "x/b.wav", "x/twice.wav", "y/twice.wav", "z/d.wav", accented]
    rows = [
        ("a.wav", "A."),
        ("b.wav", "B."),
        ("café.wav", "C."),
        (str(tmp_path / "z" / "d.wav"), "D."),
        ("twice.wav", "E."),
        ("o/a.wav", "F."),
    ]
    (tmp_path / "metadata.csv").write_text("filename,caption\n" + "".join(f"{name},{caption}\n" for name, caption in rows))
    assert read_manifest(tmp_path, songs) == {"a.wav": "A.", "x/b.wav": "B.", accented: "C.", "z/d.wav": "D."}
    assert capsys.readouterr().err == "2 of 6 captions of metadata.csv name no song: twice.wav, o/a.wav\n"


def test_texts_without_a_song_are_told(tmp_path, capsys):
    for name in ("a.TXT", "cafe\u0301.txt", "B.txt"):
        (tmp_path / name).write_text("A harp.")
    assert read_manifest(tmp_path, ["a.wav", "caf\u00e9.wav", "b.wav"]) == {}
    assert capsys.readouterr().err == "1 of 3 .txt files name no song: B.txt\n"
    assert song_text(tmp_path / "caf\u00e9.wav", "", {}) == song_text(tmp_path / "a.wav", "", {}) == ("A harp.", "")


@pytest.mark.parametrize(
    ("name", "content", "caption"),
    [
        ("a.txt", "\ufeffA  harp.\n".encode(), "A harp."),
        ("a.txt", "A harp: é.".encode("utf-16"), "A harp: é."),
        ("a.json", '\ufeff{"caption": "A harp."}'.encode(), "A harp."),
        ("a.json", b'{"caption": ["A harp.", "A lyre."]}', "A harp."),
        ("a.json", b'{"caption": 5, "text": [], "prompt": "A harp."}', "A harp."),
        ("a.json", b'{"caption": 5}', "From the manifest."),
        ("a.json", b"[", "From the manifest."),
        ("metadata.jsonl", b'{"file_name": "a.wav", "caption": ["A harp."]}\n', "A harp."),
        ("metadata.jsonl", b'{"file_name": "a.wav", "caption": 5}\n', ""),
    ],
)
def test_captions_are_read_in_any_encoding_and_shape(tmp_path, name, content, caption):
    (tmp_path / name).write_bytes(content)
    manifest = read_manifest(tmp_path, ["a.wav"]).get("a.wav", "") if name == "metadata.jsonl" else "From the manifest."
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
