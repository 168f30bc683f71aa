"""What is said about songs is read, or the file that says it wrongly is named."""

import pytest

from musicbench import InputError
from musicbench.songs import read_manifest


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
        read_manifest(tmp_path)


def test_manifests_are_read(tmp_path):
    (tmp_path / "metadata.csv").write_bytes(b"\xef\xbb\xbffile_name,caption\na.wav,A harp.\n")  # as spreadsheets write it
    (tmp_path / "metadata.jsonl").write_text('{"file_name": "./b.wav", "caption": "A\u2028lute."}\n', encoding="utf-8")
    assert read_manifest(tmp_path) == {"a.wav": "A harp.", "b.wav": "A\u2028lute."}
