"""Whatever a sound file claims or has been through, it is read, or named with the reason, in bounded memory."""

import os
import pickle

import numpy as np
import pytest
import soundfile
from odd_audio import DAMAGED, NAMED, RATE, encoded, flac_claiming, id3v2, odd_files, patched, tone, without_info_frame

from musicbench import InputError
from musicbench.files import printable
from musicbench.sound import flac, formats, mp3, ogg, parts, soundfiles, wav
from musicbench.sound.audio import is_whole_audio, load_audio
from musicbench.sound.soundfiles import SoundFile

FILES = odd_files()


@pytest.mark.slow
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
    with pytest.raises(InputError, match="ends after 2.0 of the"):
        load_audio(tmp_path / "x.flac")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50e6


def test_what_is_too_long_is_refused_and_a_song_is_left_there(tmp_path, monkeypatch):
    (tmp_path / "x.wav").write_bytes(encoded(tone(3), "WAV"))
    monkeypatch.setattr("musicbench.sound.audio.MAX_LOADED", 2 * RATE)
    with pytest.raises(InputError, match="lasts more than 2 s; cut it"):
        load_audio(tmp_path / "x.wav")
    monkeypatch.setattr("musicbench.sound.soundfiles.MAX_SOUND_S", 1)
    monkeypatch.setattr("musicbench.sound.soundfiles.BLOCK_SAMPLES", 1 << 12)
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


def heard(folder, data):
    """Return (the sound with silence where it is lost, faults, how many blocks come after damage) of a file's bytes."""
    (folder / "x").write_bytes(data)
    with SoundFile(folder / "x") as file:
        blocks = list(file.blocks())
    sound = np.zeros(blocks[-1].first + len(blocks[-1].samples), np.float32)
    for block in blocks:
        sound[block.first : block.first + len(block.samples)] = block.samples[:, 0]
    return sound, file.faults, sum(block.is_after_damage for block in blocks)


def lag_s(sound, noise, at_s, rate):
    """Return how much later than in `noise` a quarter of a second of it lies in a sound."""
    first, count = round(at_s * rate), rate // 4
    near = sound[first - rate // 2 : first + count + rate // 2]
    spectrum = np.fft.rfft(near) * np.conj(np.fft.rfft(noise[first : first + count], len(near)))
    return (np.argmax(np.fft.irfft(spectrum)) - rate // 2) / rate


CODED = {
    "ogg": ("OGG", None, 22050, {}),
    "ogg 44.1 kHz": ("OGG", None, 44100, {}),
    "opus": ("OGG", "OPUS", 48000, {}),
    "opus 24 kHz": ("OGG", "OPUS", 24000, {}),
    "mp3": ("MP3", None, 22050, {}),
    "mp3 constant": ("MP3", None, 44100, {"bitrate_mode": "CONSTANT", "compression_level": 0.6}),
    "mp3 constant, no info": ("MP3", None, 44100, {"bitrate_mode": "CONSTANT", "compression_level": 0.6}),
}


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["zeros", "noise", "cut"])
@pytest.mark.parametrize("form", CODED)
def test_after_damage_the_time_is_kept_and_the_place_is_named(tmp_path, form, damage):
    kind, subtype, rate, more = CODED[form]
    rng = np.random.default_rng(5)
    noise = np.convolve(rng.standard_normal(8 * rate) * 0.2, np.ones(8) / 8, "same").astype(np.float32)
    data = encoded(noise, kind, subtype, rate, **more)
    data = without_info_frame(data) if "no info" in form else data
    middle = len(data) // 2
    new = {"zeros": bytes(3000), "noise": rng.bytes(3000), "cut": b""}[damage]
    sound, faults, breaks = heard(tmp_path, data[:middle] + new + data[middle + 3000 :])
    ((at_s, reason),) = faults
    assert 2.5 < at_s < 4.5 and "it is damaged" in reason
    is_known = (form, damage) != ("mp3 constant, no info", "cut")
    assert breaks == 1 or is_known
    if is_known:
        shift_s = lag_s(sound, noise, 0.6, rate)  # of the encoder's delay, where the header that tells it no longer holds
        assert -0.001 < shift_s < 0.03 and abs(lag_s(sound, noise, 7, rate) - shift_s) < (0.03 if form == "mp3" else 0.003)


def test_joined_files_of_one_kind_are_read_and_of_two_are_named(tmp_path):
    a, b = tone(3), tone(2, 660)
    first, second = ({kind: encoded(sound, kind) for kind in ("WAV", "AIFF", "FLAC", "OGG", "MP3")} for sound in (a, b))
    for one in first:
        for other in second:
            sound, faults, _ = heard(tmp_path, first[one] + second[other])
            assert abs(len(sound) / RATE - (5 if one == other else 3)) < 0.1, (one, other)
            assert [one != other] == [bool(faults)], (one, other)
            if faults:
                assert 2.9 < faults[0][0] < 3.1 and f"of {other.replace('OGG', 'Ogg')}, which is not read" in faults[0][1]
    for tail in (b"RIFF", b"RIFFRIFFRIFF", b"junk" * 99, b"FORM", bytes(50), b"RIFF\xff\xff\0\0WAVE"):
        assert len(heard(tmp_path, first["WAV"] + tail)[0]) == 3 * RATE
        assert len(heard(tmp_path, first["AIFF"] + tail)[0]) == 3 * RATE


def test_a_second_chunk_of_sound_is_read(tmp_path):
    first, second = encoded(tone(3), "WAV"), encoded(tone(2, 660), "WAV")
    both = first + second[36:]
    sound, faults, _ = heard(tmp_path, patched(both, 4, (len(both) - 8).to_bytes(4, "little")))
    assert len(sound) == 5 * RATE and not faults
    assert np.abs(sound[3 * RATE :] - tone(2, 660)).max() < 1e-3


AU, CAF, RF64, WAV, AIFF = (encoded(tone(6), kind) for kind in ("AU", "CAF", "RF64", "WAV", "AIFF"))
PLACES = {  # (bytes, where the size is, how wide, its order, what it counts besides the sound, where the sound begins)
    "AU": (AU, 8, 4, "big", 0, 24),
    "AU, little": (b"dns." + b"".join(AU[at : at + 4][::-1] for at in range(4, 24, 4)) + np.frombuffer(AU[24:], ">i2").astype("<i2").tobytes(), 8, 4, "little", 0, 24),
    "CAF": (CAF, CAF.index(b"data") + 4, 8, "big", 4, CAF.index(b"data") + 16),
    "RF64": (RF64, 28, 8, "little", 0, RF64.index(b"data") + 8),
    "WAV": (WAV, 40, 4, "little", 0, 44),
    "AIFF": (AIFF, AIFF.index(b"SSND") + 4, 4, "big", 8, AIFF.index(b"SSND") + 16),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("said", [0, 100, 2**31 - 2, 2**31 - 1, 2**31, 2**32 - 1, 2**32 - 9, 2**62, -1, -9, "a third"])
@pytest.mark.parametrize("kind", PLACES)
def test_a_size_that_says_nothing_or_too_little_loses_nothing(tmp_path, kind, said):
    data, place, width, order, extra, _ = PLACES[kind]
    said = 2 * RATE * 2 + extra if said == "a third" else said
    is_signed = isinstance(said, int) and said < 0
    if not is_signed and said >= 2 ** (8 * width):
        return
    sound, faults, _ = heard(tmp_path, patched(data, place, said.to_bytes(width, order, signed=is_signed)))
    assert len(sound) == 6 * RATE and not faults and np.abs(sound - tone(6)).max() < 1e-3


@pytest.mark.parametrize("kind", PLACES)
def test_a_cut_file_says_of_how_much(tmp_path, kind):
    data, *_, first = PLACES[kind]
    sound, faults, _ = heard(tmp_path, data[: first + 4 * RATE * 2])
    assert len(sound) == 4 * RATE and "it ends after 4.0 of the 6.0 s" in faults[0][1]


@pytest.mark.parametrize(
    ("more", "is_told"),
    [(b"LIST" + bytes(3000), False), (b"ID3\4" + b"x" * 3000, False), (bytes(5000), False), (b"\xff\xd8\xff" + b"\1" * 3000, False), (b"Some words. " * 500, True)],
)  # fmt: skip
def test_what_follows_a_sound_and_is_none_is_not_read(tmp_path, more, is_told):
    for kind in ("WAV", "AU", "AIFF"):
        sound, faults, _ = heard(tmp_path, PLACES[kind][0] + more)
        assert len(sound) == 6 * RATE, kind
        assert bool(faults) == is_told and (not is_told or "6000 bytes after its sound are not read" in faults[0][1])


def test_flac_files_of_two_rates_are_joined_without_a_fault(tmp_path):
    for first, second in ((22050, 24000), (48000, 16000), (44100, 96000)):
        data = encoded(tone(5, rate=first), "FLAC", rate=first) + encoded(tone(4, 660, second), "FLAC", rate=second)
        sound, faults, _ = heard(tmp_path, data)
        assert not faults and len(sound) == pytest.approx(9 * first, abs=2)


@pytest.mark.slow
@pytest.mark.parametrize("subtype", [None, "OPUS"])
def test_a_damaged_page_of_ogg_costs_its_page(tmp_path, subtype):
    data = bytearray(encoded(tone(40, rate=48000), "OGG", subtype, 48000))
    pages = [place for place in range(len(data)) if data[place : place + 4] == b"OggS"]
    for page in pages[6:-4:5]:
        data[page + 300 : page + 330] = bytes(range(30))
    sound, faults, breaks = heard(tmp_path, bytes(data))
    assert len(faults) >= 6 and not breaks and len(sound) > 39 * 48000


@pytest.mark.parametrize(
    ("data", "form"),
    [
        (b"\0\0\0\x20ftypM4A \0\0\0\0" + bytes(200) + b"mp4a" + bytes(500), "AAC in MP4"),
        (b"\0\0\0\x20ftypqt  \0\0\0\0" + bytes(3_000_000) + b"alac" + bytes(500), "ALAC in MP4"),
        (b"\x1aE\xdf\xa3" + bytes(40) + b"webm" + bytes(99) + b"A_OPUS" + bytes(500), "Opus in WebM"),
        (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11" + bytes(900), "WMA"),
        (b"\x0b\x77" + bytes(900), "AC-3"),
        (id3v2(50) + b"\xff\xf1\x50\x80" + bytes(900), "AAC"),
        (b"wvpk" + bytes(900), "WavPack"),
        (b"MThd\0\0\0\6" + bytes(900), "MIDI"),
        (b"PK\3\4" + bytes(900), "a ZIP archive"),
    ],
)
def test_formats_that_are_not_read_are_named(tmp_path, data, form):
    (tmp_path / "x.mp3").write_bytes(data)
    with pytest.raises(InputError, match=f"{form}.* is not read.; convert it"):
        load_audio(tmp_path / "x.mp3")


def test_what_cannot_be_opened_has_a_remedy_of_its_own(tmp_path):
    (tmp_path / "link.wav").symlink_to("nothing.wav")
    (tmp_path / "empty.wav").touch()
    (tmp_path / "page.wav").write_text("<html>Not found</html>" * 9)
    ogg = encoded(tone(3), "OGG")
    (tmp_path / "tail.ogg").write_bytes(ogg[len(ogg) // 2 :])
    for name, words in (
        ("link.wav", "a link.; mend the link"),
        ("empty.wav", "it is empty.; copy it"),
        ("page.wav", "no audio but text"),
        ("tail.ogg", "first Ogg pages"),
    ):
        with pytest.raises(InputError, match=words):
            load_audio(tmp_path / name)


@pytest.mark.slow
@pytest.mark.parametrize("claimed", [0, 1, 2**36 - 1])
def test_how_long_a_file_lasts_is_told_by_its_beginning_where_its_header_lies(tmp_path, claimed):
    (tmp_path / "x").write_bytes(flac_claiming(encoded(tone(90), "FLAC"), claimed))
    with SoundFile(tmp_path / "x") as file:
        assert 80 < file.likely_s < 100


@pytest.mark.parametrize("sizes", [(300, 60_000), (300, 300_000), (70_000,) * 5, (10,) * 50])
def test_any_number_of_tags_is_passed(tmp_path, sizes):
    tags = b"".join(map(id3v2, sizes))
    for kind in ("MP3", "FLAC", "WAV"):
        sound, faults, _ = heard(tmp_path, tags + encoded(tone(2), kind))
        assert abs(len(sound) / RATE - 2) < 0.1 and not faults


def test_a_flac_file_without_its_beginning_keeps_the_rest(tmp_path):
    for rate, subtype in ((44100, "PCM_16"), (48000, "PCM_24")):
        data = encoded(tone(9, rate=rate), "FLAC", subtype, rate)
        sound, faults, _ = heard(tmp_path, data[len(data) // 3 :])
        count = len(sound)
        assert 5 * rate < count < 6.5 * rate and np.abs(sound - tone(9, rate=rate)[-count:]).max() < 1e-3
        assert faults[0][0] == 0 and "its beginning is lost" in faults[0][1]


FALSE_PAGE = b"OggS\0\2" + bytes(20) + b"\x01\x05"
CRAFTED = {
    "ones": b"\xff" * (1 << 20),
    "headers": b"\xff\xfb\x90" * 300_000,
    "pages": FALSE_PAGE * 40_000,
    "pages of 64 KiB": (b"OggS\0" + bytes(21) + b"\xff" * 256) * 4000,
    "short runs": ((b"\xff\xe3\x18\xc4" + bytes(68)) * 3 + b"xxxxx") * 5000,
    "flac starts": encoded(tone(1), "FLAC")[:42] + b"fLaC\0\0\0\x22" * 100_000,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CRAFTED)
def test_crafted_files_cost_little_reading(tmp_path, monkeypatch, name):
    """A file is looked at a few times, however many false beginnings it holds."""
    read, data = [], CRAFTED[name]
    plain = parts.read_at

    def counted(file, place, count):
        read.append(len(found := plain(file, place, count)))
        return found

    for module in (parts, mp3, ogg, flac, formats, wav):
        monkeypatch.setattr(module, "read_at", counted)
    (tmp_path / "x").write_bytes(data)
    try:
        with SoundFile(tmp_path / "x") as file:
            assert file.likely_s >= 0
    except InputError:
        pass
    assert sum(read) < 20 * len(data) + (1 << 26) and len(read) < 500_000


@pytest.mark.parametrize("subtype", [None, "OPUS"])
def test_an_ogg_file_whose_first_page_of_sound_is_lost_keeps_its_time(tmp_path, subtype):
    rate = 48000
    noise = np.convolve(np.random.default_rng(5).standard_normal(6 * rate) * 0.2, np.ones(8) / 8, "same").astype(np.float32)
    data = encoded(noise, "OGG", subtype, rate)
    place = data.index(b"OggS", data.index(b"OggS", 4) + 4)  # the third page; the first two hold headers
    sound, faults, _ = heard(tmp_path, patched(data, place + 200, bytes(90)))
    assert faults[0][0] == 0 and any("it is damaged" in reason for _, reason in faults)
    assert abs(lag_s(sound, noise, 4, rate)) < 0.01


def test_a_flac_that_is_decoded_whole_is_not_searched_for_more(tmp_path, monkeypatch):
    """In one of a hundred files something in the last frames looks like a frame."""
    path = tmp_path / "whole.flac"
    soundfile.write(path, np.random.default_rng(0).uniform(-0.5, 0.5, 24000), 24000)
    monkeypatch.setattr(soundfiles, "flac_parts_after", lambda *_: pytest.fail("it was searched"))
    samples, _ = load_audio(path)
    assert len(samples) == 24000


def test_a_frame_of_another_stream_is_none_of_this_one(tmp_path):
    def frame_and_info(rate, channels):
        path = tmp_path / f"{rate}-{channels}.flac"
        soundfile.write(path, np.random.default_rng(1).uniform(-0.5, 0.5, (rate, channels)), rate)
        with path.open("rb") as file:
            (part,) = flac.flac_parts(file, 0)
            _, _, place = next(flac.flac_parts_after(file, part, 0, 0))
            return parts.read_at(file, place, 16), parts.read_at(file, 0, 42)

    kinds = [frame_and_info(*kind) for kind in ((24000, 1), (24000, 2), (44100, 1))]
    for i, (frame, _) in enumerate(kinds):
        assert [flac._is_frame_of(frame, info) for _, info in kinds] == [j == i for j in range(3)]


def test_a_frame_of_mp3_at_the_end_of_other_sound_is_chance(tmp_path):
    place = tmp_path / "noise"
    place.write_bytes(bytes(5000) + bytes.fromhex("ffe7e7fd") + bytes(1024))  # as the end of a FLAC of ours was
    with place.open("rb") as file:
        assert mp3.is_run(file, 5000, 6028, 3) and not mp3.is_run(file, 5000, 6028, mp3.LEAST_FRAMES)
        assert formats.other_sound(file, 0, "flac") is None
