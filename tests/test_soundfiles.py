"""Whatever a sound file claims or has been through, it is read, or named with the reason, in bounded memory."""

import os
import pickle

import numpy as np
import pytest
from odd_audio import DAMAGED, NAMED, RATE, encoded, flac_claiming, odd_files, patched, tone

from musicbench import InputError
from musicbench.clip import is_whole_audio, load_audio
from musicbench.soundfiles import SoundFile, printable

FILES = odd_files()


@pytest.mark.parametrize("name", FILES, ids=lambda name: name[:40].encode("ascii", "backslashreplace").decode())
def test_odd_files_are_read_or_named(tmp_path, name):
    data, outcome, lasts_s = FILES[name]
    (tmp_path / name).write_bytes(data)
    if outcome == NAMED:
        with pytest.raises(InputError) as told, SoundFile(tmp_path / name) as file:
            list(file.blocks())
            assert file.decoded_s > 0, "nothing was read and nothing said"
        assert printable(name) in str(told.value) and "\n" not in str(told.value)
        return
    with SoundFile(tmp_path / name) as file:
        blocks = list(file.blocks())
    assert lasts_s <= file.decoded_s <= lasts_s + 1.2
    ends = [block.first + len(block.samples) for block in blocks]
    assert all(end == block.first or block.is_after_damage for end, block in zip(ends, blocks[1:], strict=False))
    assert bool(file.faults) == (outcome == DAMAGED), file.faults


@pytest.mark.parametrize("kind", ["FLAC", "MP3"])
def test_what_follows_a_small_damage_lies_where_it_did(tmp_path, kind):
    """Silence stands for what is lost: a click at 5 s is still at 5 s."""
    click = tone(7)
    click[5 * RATE : 5 * RATE + 200] = 1
    data = encoded(click, kind)
    (tmp_path / "x").write_bytes(patched(data, len(data) // 2, bytes(range(256)) * 3))
    with SoundFile(tmp_path / "x") as file:
        sound = np.concatenate([block.samples[:, 0] for block in file.blocks()])
    ((at_s, reason),) = file.faults[:1]
    assert 3 < at_s < 4 and "it is damaged" in reason
    assert abs(np.argmax(np.convolve(sound, np.ones(200), "same")) / RATE - 5) < 0.08


def test_a_large_damage_begins_a_new_stretch(tmp_path):
    data = encoded(tone(9), "FLAC")
    (tmp_path / "x.flac").write_bytes(patched(data, len(data) // 3, np.random.default_rng(0).bytes(len(data) // 3)))
    with SoundFile(tmp_path / "x.flac") as file:
        (after,) = [block for block in file.blocks() if block.is_after_damage]
    assert 5.5 < after.first / RATE < 7 and after.first + len(after.samples) == 9 * RATE


def test_a_length_is_a_claim(tmp_path):
    """Memory is asked for what is decoded, not for what a header says."""
    import tracemalloc

    (tmp_path / "x.flac").write_bytes(flac_claiming(encoded(tone(2), "FLAC"), 2**36 - 1))
    tracemalloc.start()
    with pytest.raises(InputError, match="breaks off after 2.0 of"):
        load_audio(tmp_path / "x.flac")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50e6


def test_what_is_too_long_is_refused_and_a_song_is_left_there(tmp_path, monkeypatch):
    (tmp_path / "x.wav").write_bytes(encoded(tone(3), "WAV"))
    monkeypatch.setattr("musicbench.clip.MAX_LOADED", 2 * RATE)
    with pytest.raises(InputError, match="lasts more than 2 s; cut it"):
        load_audio(tmp_path / "x.wav")
    monkeypatch.setattr("musicbench.soundfiles.MAX_SOUND_S", 1)
    monkeypatch.setattr("musicbench.soundfiles.BLOCK_SAMPLES", 1 << 12)
    with SoundFile(tmp_path / "x.wav") as file:
        sound = [block.samples for block in file.blocks()]
    assert 1 < sum(map(len, sound)) / RATE < 1.3 and "is left out; cut it" in file.faults[0][1]


@pytest.mark.parametrize(
    ("data", "duration_s", "is_whole"),
    [
        (encoded(tone(2), "WAV"), 2.0, True),
        (encoded(tone(2), "FLAC"), 2.0, True),
        (encoded(tone(2), "OGG"), 2.0, True),
        (encoded(tone(2), "WAV"), 1.5, True),
        (encoded(tone(2), "WAV"), 3.0, False),
        (b"", 0.0, False),
        (encoded(tone(0), "WAV"), 0.0, False),
        (encoded(tone(2), "WAV")[:50000], 0.0, False),
        (encoded(tone(2), "FLAC")[:50000], 0.0, False),
        (encoded(tone(2), "OGG")[:10000], 0.0, False),
        (b"text", 0.0, False),
    ],
)
def test_whole_files_are_known(tmp_path, data, duration_s, is_whole):
    (tmp_path / "x.wav").write_bytes(data)
    assert is_whole_audio(tmp_path / "x.wav", duration_s) == is_whole


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.wav")
    with pytest.raises(InputError, match="no regular file") as told:
        load_audio(tmp_path / "pipe.wav")
    sent = pickle.loads(pickle.dumps(told.value))  # as from a worker
    assert str(sent) == str(told.value) and sent.reason == told.value.reason
    assert not is_whole_audio(tmp_path / "pipe.wav")


@pytest.mark.parametrize("seed", range(40))
def test_garbled_files_are_read_or_named(tmp_path, seed):
    """Any file with bytes changed, cut out or put in: only an InputError comes of it."""
    rng = np.random.default_rng(seed)
    name = sorted(FILES)[int(rng.integers(len(FILES)))]
    data = bytearray(FILES[name][0])
    for _ in range(int(rng.integers(1, 6))):
        place, count = int(rng.integers(len(data) + 1)), int(rng.integers(1, 400))
        near = place if rng.random() < 0.5 else place % 200
        data[near : near + (count if rng.random() < 0.5 else 0)] = rng.bytes(count if rng.random() < 0.7 else 0)
    (tmp_path / "x").write_bytes(bytes(data))
    try:
        with SoundFile(tmp_path / "x") as file:
            assert sum(len(block.samples) for block in file.blocks()) < 60 * 384000
    except InputError as error:
        assert "cannot read" in str(error)
