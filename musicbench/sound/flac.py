"""FLAC files: their headers and frames, also where the beginning is lost (RFC 9639)."""

import re

from musicbench.sound.parts import CHUNK, MAX_PARTS, Part, find_bytes, read_at, size_of

FLAC_START, FLAC_SYNC = re.compile(rb"fLaC[\0\x80]\0\0\x22"), re.compile(rb"\xff[\xf8\xf9]")


def flac_parts(file, start):
    """Return the FLAC files that follow each other in a file, each a part that claims no length, so that all of it
    is decoded."""
    end = size_of(file)
    starts = [place for place, _ in find_bytes(file, FLAC_START, start, end)][:MAX_PARTS]
    return [_flac_part(file, first, last) for first, last in zip(starts, [*starts[1:], end], strict=True)]


def _flac_part(file, start, end):
    head = read_at(file, start + 18, 8)
    claimed = int.from_bytes(head, "big") & (2**36 - 1)
    return Part(((start, start + 18), _no_total(head), (start + 26, end)), claimed=claimed)


def flac_rate(file, part):
    """Return the sample rate that the header of a FLAC part says."""
    return int.from_bytes(read_at(file, part.pieces[0][0] + 18, 3), "big") >> 4


def _no_total(head):
    return (int.from_bytes(head, "big") >> 36 << 36).to_bytes(8, "big")


def flac_parts_after(file, part, position, sample):
    """Yield (part, first sample, place) at each frame of a FLAC part from `position` on that says that it lies at
    `sample` or later."""
    (start, _), _, (_, end) = part.pieces
    info = read_at(file, start, 42)
    header = info[:4] + b"\x80" + info[5:18] + _no_total(info[18:26]) + info[26:42]  # 0x80: no other metadata follows
    block_samples = int.from_bytes(info[10:12], "big")
    for place, match in find_bytes(file, FLAC_SYNC, max(position, start + 42), end):
        head = read_at(file, place, 16)
        number = _flac_frame_number(head)
        if number is None or not _is_frame_of(head, info):
            continue
        first = number if match[0][1] & 1 else number * block_samples
        if first >= sample:
            yield Part((header, (place, end))), first, place


FLAC_RATES = (0, 88200, 176400, 192000, 8000, 16000, 22050, 24000, 32000, 44100, 48000, 96000)  # by the code in a frame's header
FLAC_BITS = {1: 8, 2: 12, 4: 16, 5: 20, 6: 24, 7: 32}
FLAC_BLOCKS = {1: 192, **{code: 576 << code - 2 for code in range(2, 6)}, **{code: 256 << code - 8 for code in range(8, 16)}}


def headless_flac_part(file, start):
    """Return the part of a FLAC file without its beginning: its frames, with a header made of what they say.

    None where there are none.
    """
    frames, end = [], size_of(file)
    for place, _ in find_bytes(file, FLAC_SYNC, start, min(end, start + CHUNK)):
        head = read_at(file, place, 16)
        if _flac_frame_number(head) is not None:
            frames.append((place, head))
    kinds = [(head[1], head[2] & 15, head[3]) for _, head in frames]
    usual = max(set(kinds), key=kinds.count, default=None)
    if kinds.count(usual) < 3:
        return None
    first, head = frames[kinds.index(usual)]
    block, rate, bits = FLAC_BLOCKS.get(head[2] >> 4), head[2] & 15, FLAC_BITS.get(head[3] >> 1 & 7)
    if not bits or not 0 < rate < len(FLAC_RATES):
        return None
    sizes = (block, block) if block and not head[1] & 1 else (16, 65535)
    channels = 2 if head[3] >> 4 > 7 else (head[3] >> 4) + 1
    about = FLAC_RATES[rate] << 44 | channels - 1 << 41 | bits - 1 << 36
    info = sizes[0].to_bytes(2, "big") + sizes[1].to_bytes(2, "big") + bytes(6) + about.to_bytes(8, "big") + bytes(16)
    return Part((b"fLaC\x80\0\0\x22" + info, (first, end)), claimed=0)


def _is_frame_of(head, info):
    """Return whether a frame's header has the rate, channels and bits of a FLAC stream's own (`info`, from "fLaC"
    on)."""
    about = int.from_bytes(info[18:26], "big")
    rate, channels, bits = about >> 44, (about >> 41 & 7) + 1, (about >> 36 & 31) + 1
    rate_code, channel_code, bits_code = head[2] & 15, head[3] >> 4, head[3] >> 1 & 7
    is_rate = not rate or rate_code in (0, 12, 13, 14) or FLAC_RATES[rate_code] == rate
    is_channels = channel_code + 1 == channels or (channel_code in (8, 9, 10) and channels == 2)
    return is_rate and is_channels and (bits_code == 0 or FLAC_BITS.get(bits_code) == bits)


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
