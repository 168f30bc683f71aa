"""Where the sound lies in a file: MP3 frames, Ogg streams, FLAC frames, past tags, junk and damage. Nothing is decoded here.

Sources: ISO 11172-3 (MPEG frame headers), the Xing header as LAME writes it, RFC 3533 (Ogg), RFC 9639 (FLAC), ID3v2.4.
"""

import re
from dataclasses import dataclass, replace
from functools import lru_cache

CHUNK = 1 << 20  # bytes that a search holds at a time
HEAD = 1 << 16  # how far from its beginning a file's format is looked for
MAGIC = re.compile(rb"fLaC[\0\x80]\0\0\x22|OggS\0\x02|RIFF....WAVE|RF64....WAVE|FORM....AIF[FC]", re.DOTALL)
UNKNOWN_BYTES = 0x7FFFF000  # a size in a header from here on is what writers say who do not know it
AUDIO_START = re.compile(
    rb"fLaC|OggS\0\x02|ID3[\x02-\x04]|\.snd|caff\0\x01|RIFF....WAVE|RF64....WAVE|riff\.\x91\xcf\x11|FORM....AIF[FC]", re.DOTALL
)


@dataclass(frozen=True)
class Part:
    """A stretch of a file that a decoder can read as a file of its own.

    pieces: byte strings and (first, end) ranges of the file, one after the other. lost_s: how much sound is lost before it, 0 where
    none is. claimed: how many samples its header says, 0 where it does not, None where the decoder is to be asked. claimed_share: how much
    of the part is there, by the size in its header. is_cut: it has no end of its own.
    """

    pieces: tuple
    lost_s: float = 0.0
    claimed: int | None = None
    claimed_share: float = 1.0
    is_cut: bool = False


class Pieces:
    """The pieces of a part as a file to read; it never raises, as it is called from C."""

    def __init__(self, file, pieces):
        self._file, self._pieces, self._position = file, [], 0
        self._size = 0
        for piece in pieces:
            length = len(piece) if isinstance(piece, bytes) else piece[1] - piece[0]
            self._pieces.append((self._size, length, piece))
            self._size += length

    def tell(self):
        return self._position

    def seek(self, offset, whence=0):
        base = (0, self._position, self._size)[whence]
        self._position = min(max(base + offset, 0), self._size)
        return self._position

    def read(self, count=-1):
        count = self._size - self._position if count < 0 else count
        parts = []
        for first, length, piece in self._pieces:
            if count > 0 and first <= self._position < first + length:
                data = self._read_piece(piece, self._position - first, min(count, first + length - self._position))
                parts.append(data)
                self._position += len(data)
                count -= len(data)
        return b"".join(parts)

    def _read_piece(self, piece, offset, count):
        if isinstance(piece, bytes):
            return piece[offset : offset + count]
        try:
            return read_at(self._file, piece[0] + offset, count)
        except OSError:  # as if the file ended here
            return b""

    def place(self):
        """Return where in the file the next byte lies that comes from the file."""
        for first, length, piece in self._pieces:
            if self._position < first + length and not isinstance(piece, bytes):
                return piece[0] + max(self._position - first, 0)
        return self._pieces[-1][2][1]


def read_at(file, position, count):
    file.seek(position)
    return file.read(count)


def size_of(file):
    return file.seek(0, 2)


def find_bytes(file, pattern, position, end):
    """Yield (position, match) of a compiled pattern of up to 16 bytes in a file's range, in order."""
    while position < end:
        data = read_at(file, position, min(CHUNK, end - position))
        is_last = position + len(data) >= end or not data
        for match in pattern.finditer(data):
            if is_last or match.start() < len(data) - 16:
                yield position + match.start(), match
        position += len(data) if is_last else len(data) - 16
        if is_last:
            return


def is_sound_by_content(path):
    """Tell whether a file begins as sound files do, whatever its name. A file that cannot be read does not."""
    try:
        with open(path, "rb") as file:
            return bool(AUDIO_START.match(file.read(16)))
    except OSError:
        return False


def sound_start(file):
    """Return (position, kind) of where a file's format begins: kind "flac", "ogg", "riff", "form" or "" for all others.

    Tags and up to 64 KiB of junk before it are passed.
    """
    start = after_id3(file, 0, size_of(file))
    found = MAGIC.search(read_at(file, start, HEAD))
    if not found:
        return start, ""
    return start + found.start(), {b"fL": "flac", b"Og": "ogg", b"RI": "riff", b"FO": "form"}.get(found[0][:2], "")


def after_id3(file, position, end):
    """Return where the ID3v2 tags at a place end; a tag that claims more than the file holds is none."""
    while True:
        head = read_at(file, position, 10)
        if len(head) < 10 or head[:3] != b"ID3" or max(head[6:10]) > 127:
            return position
        size = 10 + sum(byte << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
        if position + size > end:
            return position
        position += size


# ---------------------------------------------------------------------------------------------------- WAV and AIFF


def chunk_part(file, start, order):
    """Return the part of a WAV (order "little") or AIFF ("big") file, with the share that is there of what its header's sizes say.

    Both the file's and the sound's size must say that it is cut: what is missing may be a tag behind the sound.
    """
    end = size_of(file)
    head = read_at(file, start, HEAD)
    place = head.find(b"data" if order == "little" else b"SSND")
    shares = [_share(head, chunk, end - start, order) for chunk in (0, place) if chunk >= 0]
    return Part(((start, end),), claimed_share=max(shares))


def _share(head, chunk, size, order):
    said, there = int.from_bytes(head[chunk + 4 : chunk + 8], order), size - chunk - 8
    return there / said if 0 < there < said < UNKNOWN_BYTES else 1.0


def unfinished_wav_part(file, start):
    """Return the part of a WAV file whose recorder never wrote the size of its data, or None."""
    end = size_of(file)
    head = read_at(file, start, HEAD)
    place = head.find(b"data\0\0\0\0")
    if place < 0 or end - start - place < 1000:
        return None
    place += start + 4
    return Part(((start, place), b"\xff\xff\xff\xff", (place + 4, end)))


# ---------------------------------------------------------------------------------------------------- Ogg

OGG_PAGE = re.compile(b"OggS")


def ogg_parts(file, start):
    """Return the streams of an Ogg file that follow each other (a "chain"), each a part."""
    end = size_of(file)
    starts, position, was_first, is_cut = [start], start, True, True
    while position is not None and position + 27 <= end:
        head = read_at(file, position, 27 + 255)
        if head[:4] != b"OggS":
            position = next((place for place, _ in find_bytes(file, OGG_PAGE, position + 1, end)), None)
            continue
        is_first = bool(head[5] & 2)
        if is_first and not was_first:
            starts.append(position)
        was_first = is_first
        position += 27 + head[26] + sum(head[27 : 27 + head[26]])
        is_cut = not head[5] & 4 or position > end
    parts = [Part(((first, last),)) for first, last in zip(starts, [*starts[1:], end], strict=True)]
    return [*parts[:-1], replace(parts[-1], is_cut=is_cut)]


# ---------------------------------------------------------------------------------------------------- FLAC

FLAC_START, FLAC_SYNC = re.compile(rb"fLaC[\0\x80]\0\0\x22"), re.compile(rb"\xff[\xf8\xf9]")


def flac_parts(file, start):
    """Return the FLAC files that follow each other in a file, each a part that claims no length, so that all of it is decoded."""
    end = size_of(file)
    starts = [place for place, _ in find_bytes(file, FLAC_START, start, end)]
    return [_flac_part(file, first, last) for first, last in zip(starts, [*starts[1:], end], strict=True)]


def _flac_part(file, start, end):
    head = read_at(file, start + 18, 8)
    claimed = int.from_bytes(head, "big") & (2**36 - 1)
    return Part(((start, start + 18), _no_total(head), (start + 26, end)), claimed=claimed)


def _no_total(head):
    return (int.from_bytes(head, "big") >> 36 << 36).to_bytes(8, "big")


def flac_parts_after(file, part, position, sample):
    """Yield (part, first sample, place) at each frame of a FLAC part from `position` on that says that it lies at `sample` or later."""
    (start, _), _, (_, end) = part.pieces
    info = read_at(file, start, 42)
    header = info[:4] + b"\x80" + info[5:18] + _no_total(info[18:26]) + info[26:42]  # 0x80: no other metadata follows
    block_samples = int.from_bytes(info[10:12], "big")
    for place, match in find_bytes(file, FLAC_SYNC, max(position, start + 42), end):
        number = _flac_frame_number(read_at(file, place, 16))
        if number is None:
            continue
        first = number if match[0][1] & 1 else number * block_samples
        if first >= sample:
            yield Part((header, (place, end))), first, place


def _flac_frame_number(head):
    """Return the number in a FLAC frame's header, of a frame or a sample; None where it is no header."""
    if len(head) < 16 or head[2] >> 4 == 0 or head[2] & 15 == 15 or head[3] & 1:
        return None
    length, number = _read_utf8(head, 4)
    if not length:
        return None
    length += 4 + {6: 1, 7: 2}.get(head[2] >> 4, 0) + {12: 1, 13: 2, 14: 2}.get(head[2] & 15, 0)
    return number if _crc8(head[:length]) == head[length] else None


def _read_utf8(data, place):
    """Return (bytes, value) of a number in FLAC's longer form of UTF-8; no bytes where it is none."""
    first = data[place]
    if first < 0x80:
        return 1, first
    length = 8 - (first ^ 0xFF).bit_length()
    rest = data[place + 1 : place + length]
    if not 2 <= length <= 7 or any(byte >> 6 != 2 for byte in rest):
        return 0, 0
    value = first & (0x7F >> length)
    for byte in rest:
        value = value << 6 | byte & 0x3F
    return length, value


def _crc8(data):
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ 0x07 if crc & 0x80 else crc << 1) & 0xFF
    return crc


# ---------------------------------------------------------------------------------------------------- MP3

BITRATES = {  # kbit/s by (is MPEG-1, layer)
    (True, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
RATES = (44100, 48000, 32000)  # of MPEG-1; MPEG-2 has the half, 2.5 a quarter
RATE_PARTS = {3: 1, 2: 2, 0: 4}
SYNC = re.compile(rb"\xff[\xe2-\xff]")


@dataclass(frozen=True)
class Frame:
    """What an MPEG frame's header says. kind: what all frames of a stream share; xing: where in it a Xing header lies."""

    length: int
    kind: tuple
    bitrate: int
    xing: int

    @property
    def samples(self):
        version, layer, _, _ = self.kind
        if layer == 1:
            return 384
        return 1152 if layer == 2 or version == 3 else 576

    @property
    def duration_s(self):
        return self.samples / self.kind[2]


@lru_cache(4096)
def _frame(head):
    """Return the Frame of a header of four bytes, or None."""
    if len(head) < 4 or head[0] != 0xFF or head[1] < 0xE0:
        return None
    version, layer, bitrate, rate = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3), head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or layer == 4 or bitrate in (0, 15) or rate == 3:
        return None
    is_first, is_mono, padding = version == 3, head[3] >> 6 == 3, head[2] >> 1 & 1
    hertz, bits = RATES[rate] // RATE_PARTS[version], BITRATES[is_first, layer][bitrate - 1] * 1000
    if layer == 1:
        length = (12 * bits // hertz + padding) * 4
    else:
        length = (72 if layer == 3 and not is_first else 144) * bits // hertz + padding
    side_bytes = {(True, True): 17, (True, False): 32, (False, True): 9, (False, False): 17}[is_first, is_mono]
    return Frame(length, (version, layer, hertz, is_mono), bitrate, 4 + side_bytes)


def mp3_parts(file):
    """Return the parts of an MP3 file: runs of frames of one kind, each with a length in its header that is not below its own.

    Tags, and junk before the first frame, are no damage; other bytes between frames are. No part where there are no frames.
    """
    end, parts, lost_s = size_of(file), [], 0.0
    tag_end = after_id3(file, 0, end)
    position = _next_run(file, tag_end, end)
    while position is not None:
        run = _walk_run(file, position, end)
        parts.append(_run_part(file, run, lost_s))
        after_tags = _after_tags(file, run["end"], end)
        position = _next_run(file, after_tags, end)
        bytes_a_s = (run["end"] - run["start"]) / (run["count"] * run["first"].duration_s or 1)
        lost_s = (position - after_tags) / bytes_a_s if position is not None else 0.0
    if not parts:
        return []
    if tag_end:
        parts[0] = replace(parts[0], pieces=((0, tag_end), *parts[0].pieces))
    if read_at(file, max(end - 128, 0), 3) == b"TAG":
        parts[-1] = replace(parts[-1], pieces=(*parts[-1].pieces, (end - 128, end)))
    return parts


def _next_run(file, position, end):
    """Return where the next run of frames begins: three that follow each other, or fewer up to the file's end; None where none is."""
    for place, _ in find_bytes(file, SYNC, position, end):
        if _is_run(file, place, end):
            return place
    return None


def _is_run(file, position, end):
    kind = None
    for _ in range(3):
        frame = _frame(read_at(file, position, 4))
        if not frame or (kind and frame.kind != kind):
            return False
        kind, position = frame.kind, position + frame.length
        if position == end:
            return True
    return True


def _walk_run(file, position, end):
    """Return a run of frames: its first frame and place, its end, how many frames, whether their sizes differ, what Xing claims."""
    first, start, count, bitrates, claimed = _frame(read_at(file, position, 4)), position, 0, set(), None
    while position < end:
        head = read_at(file, position, 48)
        frame = _frame(head[:4])
        if not frame or frame.kind != first.kind:
            break
        is_info = head[frame.xing : frame.xing + 4] in (b"Xing", b"Info")
        if is_info and position > start:
            break  # another file begins
        if is_info:
            has_count = head[frame.xing + 7] & 1
            claimed = int.from_bytes(head[frame.xing + 8 : frame.xing + 12], "big") if has_count else None
        else:
            count += 1
            bitrates.add(frame.bitrate)
        position += frame.length
    return {
        "first": first, "start": start, "end": min(position, end), "count": count, "varies": len(bitrates) > 1, "claimed": claimed,
    }  # fmt: skip


def _run_part(file, run, lost_s):
    """Return the part of a run; where a decoder would stop early or guess its length, a Xing header that tells it comes first."""
    frames, first, claimed = (run["start"], run["end"]), run["first"], run["claimed"]
    if first.kind[1] != 3:
        return Part((frames,), lost_s)
    if claimed is not None and abs(claimed - run["count"]) > 1:
        pieces = _xing_frame(file, run), (run["start"] + first.length, run["end"])
        return Part(pieces, lost_s, max(claimed, run["count"]) * first.samples)
    if claimed is None and run["varies"]:
        return Part((_xing_frame(file, run), frames), lost_s)
    return Part((frames,), lost_s)


def _xing_frame(file, run):
    head = bytearray(read_at(file, run["start"], 4))
    head[1] |= 1  # no checksum
    head[2] = 0x80 | head[2] & 0x0C  # a middle bitrate, which has room for it
    frame = _frame(bytes(head))
    data = bytearray(frame.length)
    data[:4] = head
    data[frame.xing : frame.xing + 12] = b"Xing" + (1).to_bytes(4, "big") + run["count"].to_bytes(4, "big")
    return bytes(data)


def _after_tags(file, position, end):
    """Return where the tags at a place end: ID3v1, ID3v2, APE, and zeros."""
    while position < end:
        head = read_at(file, position, 32)
        after = after_id3(file, position, end)
        if head[:3] == b"TAG":
            after = position + 128
        elif head[:8] == b"APETAGEX":
            after = position + 32 + int.from_bytes(head[12:16], "little")
        elif not any(head):
            after = position + len(head)
        if after == position:
            return position + len(head) - len(head.lstrip(b"\0\r\n"))
        position = after
    return min(position, end)
