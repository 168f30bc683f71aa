"""What `generate --resume` takes for made: a whole file with a whole sidecar, no stump of either."""

import json

import pytest
from odd_audio import encoded, tone

from mustango.cli import takes

SOUND, ABOUT = encoded(tone(2), "FLAC"), json.dumps({"duration": 2.0, "seed": 1})


@pytest.mark.parametrize(
    ("sound", "about", "is_written"),
    [
        (SOUND, ABOUT, True),
        (None, ABOUT, False),
        (SOUND, None, False),
        (b"", ABOUT, False),
        (SOUND[:200], ABOUT, False),
        (SOUND[: len(SOUND) // 2], ABOUT, False),
        (encoded(tone(1), "FLAC"), ABOUT, False),
        (SOUND, "", False),
        (SOUND, ABOUT[:-3], False),
        (SOUND, "[]", False),
        (SOUND, '{"duration": null}', False),
    ],
)
def test_only_whole_takes_are_made_already(tmp_path, sound, about, is_written):
    if sound is not None:
        (tmp_path / "a.flac").write_bytes(sound)
    if about is not None:
        (tmp_path / "a.json").write_text(about)
    assert takes.is_written(tmp_path / "a.flac") == is_written
