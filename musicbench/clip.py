"""Clip: mono samples with what is known about them; load, save, resample, crop."""

import json
import os
import secrets
import tempfile
import zlib
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout

from musicbench import InputError
from musicbench.master import CEILING_DBTP, MARGIN_DB, true_peak_db
from musicbench.soundfiles import SoundFile, printable
from musicbench.theory import Chord, Dynamics, Key, Meter

AUDIO_SUFFIXES = (".wav", ".flac", ".ogg")
LOCK = ".lock"  # of a folder that is being written
OGG_BLOCK = 1 << 16  # samples
MAX_LOADED = 1 << 28  # samples that are held at once, of one channel: an hour and a half at 48 kHz


@dataclass(frozen=True)
class Clip:
    """A stretch of mono sound and its labels. Labels that are not known are None or empty.

    samples: float32 (n,); beats: times and positions; chords with their start times, each lasting until the next; melody: notes of
    the lead, (start in seconds, end, MIDI pitch); hits: strokes of drums, (time in seconds, name of the drum).
    """

    samples: np.ndarray
    sample_rate: int
    beat_times: tuple = ()
    beat_positions: tuple = ()
    bpm: float | None = None
    meter: Meter | None = None
    chords: tuple[Chord, ...] = ()
    chord_times: tuple = ()
    key: Key | None = None
    caption: str = ""
    tags: dict = field(default_factory=dict)
    dynamics: Dynamics | None = None
    melody: tuple = ()
    hits: tuple = ()

    @property
    def duration_s(self):
        return len(self.samples) / self.sample_rate

    def cropped(self, start_s, duration_s):
        """Cut a stretch out; a chord that began before it starts at 0, events outside are dropped."""
        first, count = round(start_s * self.sample_rate), round(duration_s * self.sample_rate)
        beats = [
            (round(t - start_s, 6), p)
            for t, p in zip(self.beat_times, self.beat_positions, strict=True)
            if -1e-6 < t - start_s < duration_s - 1e-6
        ]
        ends = (*self.chord_times[1:], float("inf"))[: len(self.chords)]
        chords = [
            (max(round(t - start_s, 6), 0.0) + 0.0, c)
            for t, end, c in zip(self.chord_times, ends, self.chords, strict=True)
            if end - start_s > 1e-6 and t - start_s < duration_s - 1e-6
        ]
        melody = [
            (max(round(start - start_s, 6), 0.0), min(round(end - start_s, 6), duration_s), pitch)
            for start, end, pitch in self.melody
            if end - start_s > 1e-6 and start - start_s < duration_s - 1e-6
        ]
        return replace(
            self,
            samples=self.samples[first : first + count],
            beat_times=tuple(max(t, 0.0) for t, _ in beats),
            beat_positions=tuple(p for _, p in beats),
            chords=tuple(c for _, c in chords),
            chord_times=tuple(t for t, _ in chords),
            melody=tuple(melody),
            hits=tuple((round(t - start_s, 6), drum) for t, drum in self.hits if -1e-6 < t - start_s < duration_s - 1e-6),
        )

    def resampled(self, sample_rate):
        """Return the clip at another sample rate (soxr, high quality)."""
        if sample_rate == self.sample_rate:
            return self
        import soxr

        return replace(self, samples=soxr.resample(self.samples, self.sample_rate, sample_rate), sample_rate=sample_rate)

    def labels(self):
        """Return the labels under the dataset's field names (`musicbench.dataset`)."""
        return {
            "beats": [list(self.beat_times), list(self.beat_positions)],
            "bpm": self.bpm,
            "meter": str(self.meter) if self.meter else None,
            "chords": [c.harte(self.key) for c in self.chords],
            "chords_time": list(self.chord_times),
            "key": [self.key.tonic, self.key.mode] if self.key else None,
        }

    def note_labels(self):
        """Return the labels of single notes, which composed clips have: melody and drum hits."""
        return {"melody": [list(note) for note in self.melody], "hits": [list(hit) for hit in self.hits]}


def load_audio(path, sample_rate=None):
    """Read an audio file as float32: (samples, rate), mono by the average of the channels.

    Raises InputError, also for a file that is damaged or holds more than 2**28 samples, and so before the memory is full.
    """
    blocks, count = [], 0
    with SoundFile(path) as file:
        for block in file.blocks():
            blocks.append(block.samples.mean(axis=1))
            count += len(blocks[-1])
            if count > MAX_LOADED:
                raise InputError(f"{printable(path)} lasts more than {MAX_LOADED // file.sample_rate} s; cut it")
        for time_s, reason in file.faults[:1]:
            raise InputError(f"{printable(path)} is damaged at {time_s:.1f} s ({reason}); make or copy it anew")
        samples, rate = np.concatenate([np.zeros(0, np.float32), *blocks]), file.sample_rate
    if sample_rate and sample_rate != rate:
        import soxr

        samples, rate = soxr.resample(samples, rate, sample_rate), sample_rate
    return samples, rate


def is_whole_audio(path, duration_s=0.0, tolerance_s=0.01):
    """Tell whether an audio file holds sound, all that its header claims, and at least `duration_s` but for `tolerance_s`."""
    try:
        with SoundFile(path) as file:
            for _ in file.blocks():
                pass
            return not file.faults and file.decoded_s > max(duration_s - tolerance_s, 0)
    except InputError:
        return False


@contextmanager
def written_whole(path):
    """Give a temporary path beside `path` that becomes `path` only if the block ends well; else it is removed.

    Raises InputError when the folder does not exist or cannot be written.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.stem[:40]}-{secrets.token_hex(8)}{path.suffix}")
    try:
        temporary.touch(exist_ok=False)
    except OSError as error:
        raise InputError(f"cannot write {path} ({error.strerror}); choose a folder that exists and can be written") from None
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        raise InputError(f"cannot write {path} ({error.strerror or error}); choose another place") from None
    finally:
        temporary.unlink(missing_ok=True)


def sweep_torn(folder):
    """Delete what writers that were killed left in a folder in which nobody writes now."""
    for left in Path(folder).glob(".*-" + "[0-9a-f]" * 16 + ".*"):
        left.unlink()


def check_audio_path(path):
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


def check_folder(path):
    """Raise InputError unless files can be written into the folder `path`, which may yet have to be made."""
    path = Path(path)
    place = path if path.exists() else path.absolute().parent
    if path.exists() and not path.is_dir():
        raise InputError(f"{path} is a file; give a folder")
    if not place.is_dir():
        raise InputError(f"the folder {place} does not exist; make it first or choose another place")
    check_writable(place)


def check_writable(folder):
    """Raise InputError unless files can be made in a folder; by making one, as rights do not tell everything, and for no more than a moment."""
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        raise InputError(f"the folder {folder} cannot be written; choose another place") from None


def make_folder(folder):
    """Make a folder and those above it where they are missing. Raises InputError."""
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make the folder {folder} ({error.strerror}); choose another place") from None


@contextmanager
def alone_in(folder):
    """Make a folder if need be and keep others who ask so out of it, where its file system has locks; for it holds `LOCK` meanwhile.

    What a killed process leaves of it is no lock. Raises InputError when somebody is writing there, or the folder cannot be made or
    written.
    """
    make_folder(folder)
    check_writable(folder)
    lock = FileLock(Path(folder, LOCK), blocking=False, fallback_to_soft=False)
    try:
        lock.acquire()
    except Timeout:
        raise InputError(f"another run is writing {folder}; wait for it or give another folder") from None
    except PermissionError:
        raise InputError(
            f"cannot lock {folder}, as {LOCK} in it is another user's; wait for that run, or delete the file where there is none"
        ) from None
    except OSError:  # a network's folder may have no locks
        pass
    try:
        yield
    finally:
        with suppress(OSError):
            Path(folder, LOCK).unlink()  # while it is held: who has opened it sees that it is gone and begins anew
        lock.release()


def save_audio(path, samples, sample_rate):
    """Write mono float samples as 16-bit WAV or FLAC or as OGG Vorbis, by suffix; an OGG's true peaks are at most -1 dBTP."""
    path = Path(path)
    check_audio_path(path)
    # a full disk is told by Python's write, not always by libsndfile's
    data = encoded_audio(samples, sample_rate, path.suffix[1:].upper())
    with written_whole(path) as temporary:
        temporary.write_bytes(data)


def encoded_audio(samples, sample_rate, kind):
    """Return the bytes of mono float samples as 16-bit "WAV" or "FLAC", or "OGG" Vorbis, whose true peaks are at most -1 dBTP."""
    import soundfile

    samples = np.clip(samples, -1, 1)
    if kind == "OGG":
        return _vorbis(samples, sample_rate)
    data = BytesIO()
    soundfile.write(data, samples, sample_rate, format=kind, subtype="PCM_16")
    return data.getvalue()


def _vorbis(samples, sample_rate):
    """Return the bytes of an OGG Vorbis file, turned down until its true peaks, which the codec moves, are below the ceiling again."""
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


_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def _numbered_alike(data):
    """Return an OGG's bytes with the stream's number, which libsndfile draws anew each time, as 1: the same sound gives the same bytes.

    Each page (RFC 3533, section 6) has that number at byte 14 and at 22 a CRC, which goes through bits the other way round than zlib's.
    """
    pages, start = bytearray(data), 0
    while start < len(pages):
        segments = pages[start + 26]
        end = start + 27 + segments + sum(pages[start + 27 : start + 27 + segments])
        pages[start + 14 : start + 18], pages[start + 22 : start + 26] = (1).to_bytes(4, "little"), bytes(4)
        checksum = zlib.crc32(pages[start:end].translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
        pages[start + 22 : start + 26] = checksum.to_bytes(4, "big").translate(_REVERSED)
        start = end
    return bytes(pages)


def save_json(path, data):
    """Write JSON, two spaces of indent."""
    with written_whole(path) as temporary:
        temporary.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
