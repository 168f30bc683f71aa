"""A sound file read block by block, whatever its header claims: damage and joins are passed, and what is lost is
said."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from musicbench.sound.flac import flac_parts, flac_parts_after, flac_rate, headless_flac_part
from musicbench.sound.formats import other_sound, sound_start
from musicbench.sound.mp3 import mp3_parts
from musicbench.sound.ogg import ogg_parts, ogg_sound_end
from musicbench.sound.opening import fault_of_file, open_regular, unreadable
from musicbench.sound.parts import Part, Pieces, read_at, size_of
from musicbench.sound.wav import chunk_parts, rebuilt_wav_part, sized_parts, unfinished_wav_part

MIN_RATE, MAX_RATE = 4000, 768_000  # Hz; what is outside is no music but a header that lies
MAX_SOUND_S = 24 * 3600  # what is read of one file
BLOCK_SAMPLES = 1 << 18  # of all channels together
MAX_RESUMES = 1000  # places of a damaged FLAC file where reading is taken up again
READ_AHEAD = 1 << 21  # bytes that a decoder may hold and has not decoded
FILL_S = 2.5  # what is lost at one place and lasts no longer, as an Ogg page does, is filled with silence
LOST_S = 0.25  # less than this is not told, as encoders pad
ODD_PACE = 4000, 4_000_000  # bytes a second; less or more is no usual sound file
UNKNOWN_SAMPLES = 1 << 60  # what libsndfile says where a header says nothing


@dataclass
class Block:
    """samples: float32 (n, channels); first: where it lies, in samples.

    is_after_damage: sound right before it is lost.
    """

    samples: np.ndarray
    first: int
    is_after_damage: bool = False


class SoundFile:
    """An open sound file. `blocks` gives its sound once, in order; then `faults` says where and why some of it is lost.

    sample_rate, channels, tags: of the file's first stream. claimed_s: how long its headers say that it lasts, None
    where they do not. decoded_s: how much of it was decoded. faults: (seconds, reason). Raises InputError where nothing
    can be read.
    """

    def __init__(self, path: Path | str) -> None:
        self.path, self.decoded_s, self.faults = path, 0.0, []
        self._lost_s = 0.0  # what `faults` name so far
        self._position = self._place = 0  # samples given; a byte of the file that is not behind the last one decoded
        self._other = None  # (place, format) of another sound file in it
        self._file = open_regular(path)
        try:
            self._open()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()

    def _open(self):
        try:
            self._start, self._kind = sound_start(self._file)
            self._parts = self._find_parts()
            stream = self._open_first()
            self.sample_rate, self.channels, self.tags = stream.samplerate, stream.channels, stream.copy_metadata()
            self.claimed_s = self._claim(stream)
        except _reading_errors() as error:
            raise unreadable(self.path, *fault_of_file(self._file, error)) from None
        if not MIN_RATE <= self.sample_rate <= MAX_RATE:
            reason = f"its header says {self.sample_rate} Hz, outside {MIN_RATE}-{MAX_RATE}"
            raise unreadable(self.path, reason, "mend the header, or convert the file")

    @property
    def likely_s(self) -> float:
        """Return how long the file lasts by its headers, or by its beginning and its size where these would be odd."""
        size = size_of(self._file)
        if not self.claimed_s or not ODD_PACE[0] < size / self.claimed_s < ODD_PACE[1]:
            return min(self._by_its_beginning_s(size), MAX_SOUND_S)
        return min(self.claimed_s, MAX_SOUND_S)

    def _by_its_beginning_s(self, size):
        stream = self._stream(self._parts[0])
        before = stream.name.place()
        samples = len(next(self._decoded(stream), ()))
        after = stream.name.place()
        used = after - before if after > before else after - self._start  # opening it may have read all
        return samples / stream.samplerate * max((size - self._start) / max(used, 1), 1)

    def _find_parts(self):
        if self._kind == "flac":
            self._other = other_sound(self._file, self._start + 42, "flac")
            return flac_parts(self._file, self._start)
        if self._kind == "ogg":
            self._other = other_sound(self._file, ogg_sound_end(self._file, self._start), "ogg")
            return ogg_parts(self._file, self._start)
        if self._kind:
            parts, end = chunk_parts(self._file, self._start, "little" if self._kind == "riff" else "big")
            self._other = other_sound(self._file, end, self._kind)
            return parts
        if read_at(self._file, self._start, 1) == b"\xff":
            return self._find_mp3_parts()
        if sized := sized_parts(self._file, self._start):
            return sized
        return [Part(((self._start, size_of(self._file)),))]

    def _find_mp3_parts(self):
        parts = mp3_parts(self._file)
        if not parts:
            return [Part(((self._start, size_of(self._file)),))]
        self._kind = "mp3"
        first = next(piece for piece in reversed(parts[0].pieces) if not isinstance(piece, bytes))
        self._other = other_sound(self._file, first[0], "mp3")
        return (self._other and mp3_parts(self._file, self._other[0])) or parts

    def _open_first(self):
        """Open the first part that can be.

        Where there is none, find the frames of an MP3 file after what lies before them.
        """
        stream, fault = self._first_stream()
        if not stream and not self._kind:
            self._parts = self._find_mp3_parts()
            stream, fault = self._first_stream()
        if not stream and self._kind == "flac":
            return self._open_after_metadata(fault)
        if not stream:
            stream = self._open_mended()
        if not stream:
            raise fault
        if stream.format == "WAV" and not stream.frames:
            self._parts = [unfinished_wav_part(self._file, self._start) or self._parts[0]]
            return self._stream(self._parts[0])
        return stream

    def _open_mended(self):
        """Open a WAV file with a header made anew, or a FLAC file that has none; None where it is neither."""
        if self._kind == "riff":
            part = rebuilt_wav_part(self._file, self._start)
        else:
            part = None if self._kind else headless_flac_part(self._file, self._start)
        if not part:
            return None
        stream = self._stream(part)
        self._parts = [part]
        if not self._kind:
            self.faults.append((0.0, "its beginning is lost; what is left of its FLAC frames is read"))
        return stream

    def _first_stream(self) -> tuple[Any, Any]:
        """Return (stream, None) of the first part that can be opened; where none can, (None, the first's error).

        The parts before it are left out.
        """
        faults = []
        for number, part in enumerate(self._parts):
            try:
                stream = self._stream(part)
            except _reading_errors() as error:
                faults.append(error)
                continue
            if number:
                self._parts = self._parts[number:]
                self.faults.append((0.0, "its beginning cannot be decoded"))
            return stream, None
        return None, faults[0]

    def _open_after_metadata(self, fault):
        """Open a FLAC file whose metadata is damaged at its first frame that can be read."""
        for part, _, place in flac_parts_after(self._file, self._parts[0], 0, 0):
            self._place = place
            try:
                return self._stream(part)
            except _reading_errors():
                continue
        raise fault

    def _stream(self, part):
        """Open a part for reading in order."""
        import soundfile

        stream = soundfile.SoundFile(cast(Any, Pieces(self._file, part.pieces)))
        stream.seekable = lambda: False  # else each block is followed by a seek, which fails where a header lies
        return stream

    def _claim(self, first):
        """Return how many seconds the headers claim in all; None where one claims nothing."""
        claims = []
        for number, part in enumerate(self._parts):
            if part.lost_s or part.is_rest:
                continue  # counted with the part before it
            try:
                stream = self._stream(self._whole(number)) if number or part.known else first
            except _reading_errors():
                continue
            frames = stream.frames if part.claimed is None else part.claimed
            if not 0 < frames < UNKNOWN_SAMPLES:
                return None
            claims.append(frames / stream.samplerate / part.claimed_share)
        return sum(claims) if claims else None

    def _whole(self, number):
        """Return a part with the rests of its stream, as its header claims a length for all of them."""
        part, ends = self._parts[number], []
        for rest in self._parts[number + 1 :]:
            if not rest.is_rest:
                break
            ends.append(rest.pieces[-1][1])
        return replace(part, pieces=(*part.pieces[:-1], (part.pieces[-1][0], ends[-1]))) if ends else part

    # ------------------------------------------------------------------------------------------------ reading

    def blocks(self) -> Iterator[Block]:
        """Yield the Blocks of the file's sound at its first sample rate; what is lost is in `faults` in the end.

        Where up to `FILL_S` are lost there is silence, so that what follows lies where it did.
        """
        decoded = 0
        for part, first in self._all_parts():
            lost = max(first - self._position, round(part.lost_s * self.sample_rate))
            for samples in self._part_blocks(part):
                is_filled = part.is_exact and lost <= FILL_S * self.sample_rate
                if lost:
                    yield from self._gap(lost, is_filled)
                yield Block(samples, self._position, bool(lost) and not is_filled)
                lost = 0
                self._position += len(samples)
                decoded += len(samples)
                self.decoded_s = decoded / self.sample_rate
                if self._position > MAX_SOUND_S * self.sample_rate:
                    self.faults.append(
                        (MAX_SOUND_S, f"what comes after {MAX_SOUND_S // 3600} hours is left out; cut it into files")
                    )
                    return
        self._tell_loss()

    def _gap(self, lost, is_filled):
        """Go over a place where samples are lost; yield silence for them if it is to be filled."""
        start_s, lost_s = self._position / self.sample_rate, lost / self.sample_rate
        self.faults.append((start_s, f"it is damaged: {lost_s:.2f} s cannot be decoded"))
        self._lost_s += lost_s
        if is_filled:
            yield Block(np.zeros((lost, self.channels), np.float32), self._position)
        self._position += lost

    def _tell_loss(self):
        end_s, claimed_s = self._position / self.sample_rate, self.claimed_s
        if claimed_s and self.decoded_s + self._lost_s < claimed_s - LOST_S:
            if self.faults or self._kind == "ogg":
                reason = f"{claimed_s - self.decoded_s:.1f} of {claimed_s:.1f} s cannot be decoded"
            else:
                reason = f"it ends after {end_s:.1f} of the {claimed_s:.1f} s that its header claims"
            self.faults.append((end_s, reason))
        elif self._parts[-1].is_cut:
            self.faults.append((end_s, f"it breaks off after {end_s:.1f} s"))
        if self._parts[-1].unread:
            self.faults.append((end_s, f"{self._parts[-1].unread} bytes after its sound are not read, as they are no sound"))
        if self._other:
            place, form = self._other
            size = size_of(self._file) - place
            self.faults.append((end_s, f"after it comes other sound, {size} bytes of {form}, which is not read; split the file"))

    def _all_parts(self):
        """Yield (part, the sample that it begins at or later)."""
        origin = 0
        for part in self._parts:
            if part.known and not part.is_rest:
                origin = self._position - self._stream_place(part)
            yield part, (origin + self._stream_place(part)) if part.is_rest else 0
            if self._kind == "flac":
                yield from self._flac_rest(part)

    def _stream_place(self, part):
        """Return where the first sample that is decoded of a part lies in its Ogg stream, at the file's sample rate."""
        byte, granule = part.known
        try:
            stream = self._stream(part.up_to(byte))
        except _reading_errors():
            return 0
        granules_a_s = 48000 if stream.subtype == "OPUS" else stream.samplerate
        decoded = sum(map(len, self._decoded(stream)))
        return round((granule / granules_a_s - decoded / stream.samplerate) * self.sample_rate)

    def _flac_rest(self, part):
        """Yield what can be read of a FLAC part after the place where decoding stopped, until there is no frame
        left."""
        base = self._position - self._part_samples
        place, stretch = 0, self.sample_rate / (flac_rate(self._file, part) or self.sample_rate)
        if part.claimed and abs(self._part_samples - part.claimed * stretch) <= 1:
            return  # all is there: what looks like a frame in it is none
        for _ in range(MAX_RESUMES):
            place = max(place, self._place - READ_AHEAD)
            found = next(flac_parts_after(self._file, part, place, round((self._position - base) / stretch)), None)
            if not found:
                return
            rest, first, place = found
            place += 1
            yield rest, base + round(first * stretch)

    def _part_blocks(self, part):
        self._part_samples = 0
        try:
            stream = self._stream(part)
        except _reading_errors():
            return
        for samples in _at_rate(self._decoded(stream), stream, self.sample_rate):
            self._part_samples += len(samples)
            yield samples

    def _decoded(self, stream):
        """Yield arrays (n, channels) until the stream ends or cannot be decoded further."""
        done, count, is_whole = 0, max(BLOCK_SAMPLES // stream.channels, 4096), True
        while is_whole:
            buffer = np.empty((count, stream.channels), np.float32)
            self._place = stream.name.place()
            try:
                got = len(stream.read(out=buffer))
            except _reading_errors():
                got, is_whole = _decoded_before_error(stream, done, count), False
            if not got:
                return
            done += got
            yield buffer[:got]


def _decoded_before_error(stream, done, count):
    """Return how many samples of a block were decoded before an error."""
    try:
        return min(max(stream.tell() - done, 0), count)
    except _reading_errors():
        return 0


def _at_rate(blocks, stream, sample_rate):
    """Yield blocks of a stream at another sample rate."""
    if stream.samplerate == sample_rate:
        yield from blocks
        return
    import soxr

    resampler = soxr.ResampleStream(stream.samplerate, sample_rate, stream.channels, dtype="float32")
    nothing = np.zeros((0, stream.channels), np.float32)
    for samples in blocks:
        yield resampler.resample_chunk(samples).reshape(-1, stream.channels)
    yield resampler.resample_chunk(nothing, last=True).reshape(-1, stream.channels)


def _reading_errors():
    import soundfile

    return soundfile.SoundFileError, OSError, ValueError, TypeError
