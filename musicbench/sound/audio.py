"""Sound in memory and in files: read as mono, checked to be whole, written as WAV, FLAC or OGG."""

import os
from io import BytesIO
from pathlib import Path

import numpy as np

from musicbench import InputError
from musicbench.files import check_writable, printable, written_whole
from musicbench.sound.master import CEILING_DBTP, MARGIN_DB, true_peak_db
from musicbench.sound.ogg import page_checksum
from musicbench.sound.soundfiles import SoundFile

AUDIO_SUFFIXES = (".wav", ".flac", ".ogg")
OGG_BLOCK = 1 << 16  # samples
MAX_LOADED = 1 << 28  # samples that are held at once, of one channel: an hour and a half at 48 kHz


def load_audio(path: Path | str, sample_rate: int | None = None, most_s: float = float("inf")) -> tuple[np.ndarray, int]:
    """Read an audio file as float32: (samples, rate), mono by the average of the channels.

    Raises InputError, also for a file that is damaged or holds more than 2**28 samples or `most_s` seconds, and so before
    the memory is full.
    """
    blocks, count = [], 0
    with SoundFile(path) as file:
        for block in file.blocks():
            blocks.append(block.samples.mean(axis=1))
            count += len(blocks[-1])
            most = min(MAX_LOADED, most_s * file.sample_rate)
            if count > most:
                raise InputError(f"{printable(path)} lasts more than {most / file.sample_rate:.0f} s; cut it")
        for time_s, reason in file.faults[:1]:
            raise InputError(f"{printable(path)} is damaged at {time_s:.1f} s ({reason}); make or copy it anew")
        samples, rate = np.concatenate([np.zeros(0, np.float32), *blocks]), file.sample_rate
    if sample_rate and sample_rate != rate:
        import soxr

        samples, rate = soxr.resample(samples, rate, sample_rate), sample_rate
    return samples, rate


def is_whole_audio(path: Path | str, duration_s: float = 0.0, tolerance_s: float = 0.01) -> bool:
    """Tell whether an audio file holds sound, all that its header claims, and at least `duration_s` but for
    `tolerance_s`."""
    try:
        with SoundFile(path) as file:
            for _ in file.blocks():
                pass
            return not file.faults and file.decoded_s > max(duration_s - tolerance_s, 0)
    except InputError:
        return False


def check_audio_path(path: Path | str) -> None:
    """Raise InputError unless audio can be written to `path`: suffix known, folder there and writable."""
    path = Path(path)
    if len(os.fsencode(path.name)) > 255:
        raise InputError(f"the name {path.name[:40]}... has {len(os.fsencode(path.name))} bytes, above 255; choose a shorter one")
    if path.suffix.lower() not in AUDIO_SUFFIXES:
        raise InputError(f"cannot write audio as {path.name!r}; end the name in one of {', '.join(AUDIO_SUFFIXES)}")
    if path.is_dir():
        raise InputError(f"{path} is a folder; give a file name such as {path / 'music.wav'}")
    if not path.parent.is_dir():
        raise InputError(f"the folder {path.parent} does not exist; make it first or choose another place")
    check_writable(path.parent)


def save_audio(path: Path | str, samples: np.ndarray, sample_rate: int) -> None:
    """Write mono float samples as 16-bit WAV or FLAC or as OGG Vorbis, by suffix.

    An OGG's true peaks are at most -1 dBTP.
    """
    path = Path(path)
    check_audio_path(path)
    # a full disk is told by Python's write, not always by libsndfile's
    data = encoded_audio(samples, sample_rate, path.suffix[1:].upper())
    with written_whole(path) as temporary:
        temporary.write_bytes(data)


def encoded_audio(samples: np.ndarray, sample_rate: int, kind: str) -> bytes:
    """Return the bytes of mono float samples as 16-bit "WAV" or "FLAC", as "OPUS", or as "OGG" Vorbis, whose true peaks
    are at most -1 dBTP."""
    import soundfile

    samples = np.clip(samples, -1, 1)
    if kind == "OGG":
        return _vorbis(samples, sample_rate)
    data = BytesIO()
    if kind == "OPUS":
        soundfile.write(data, samples, sample_rate, format="OGG", subtype="OPUS")
        return _numbered_alike(data.getvalue())
    soundfile.write(data, samples, sample_rate, format=kind, subtype="PCM_16")
    return data.getvalue()


def _vorbis(samples, sample_rate):
    """Return the bytes of an OGG Vorbis file, turned down until its true peaks, which the codec moves, are below the
    ceiling again."""
    import soundfile

    for _ in range(4):
        data = _vorbis_as_it_is(samples, sample_rate)
        over_db = true_peak_db(soundfile.read(BytesIO(data))[0]) - CEILING_DBTP
        if over_db <= 0:
            break
        samples = samples * 10 ** (-(over_db + MARGIN_DB) / 20)
    return _numbered_alike(data)


def _vorbis_as_it_is(samples, sample_rate):
    """Write Vorbis in blocks: libsndfile 1.2 overflows the stack on a long one."""
    import soundfile

    data = BytesIO()
    with soundfile.SoundFile(data, "w", sample_rate, 1, format="OGG", subtype="VORBIS") as file:
        for first in range(0, len(samples), OGG_BLOCK):
            file.write(samples[first : first + OGG_BLOCK])
    return data.getvalue()


def _numbered_alike(data):
    """Return an OGG's bytes with the stream's number, which libsndfile draws anew each time, as 1: the same sound gives
    the same bytes.

    Each page (RFC 3533, section 6) has that number at byte 14 and a checksum at byte 22.
    """
    pages, start = bytearray(data), 0
    while start < len(pages):
        segments = pages[start + 26]
        end = start + 27 + segments + sum(pages[start + 27 : start + 27 + segments])
        pages[start + 14 : start + 18] = (1).to_bytes(4, "little")
        pages[start + 22 : start + 26] = page_checksum(pages[start:end])
        start = end
    return bytes(pages)
