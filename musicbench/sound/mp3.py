"""MP3 files: runs of frames past tags, junk and damage (ISO 11172-3; the Xing header as LAME writes it; ID3v2.4)."""

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from musicbench.sound.parts import MAX_PARTS, Part, find_bytes, read_at, size_of

MAX_MISSING_S = 60  # more is not lost at one place but by a header that lies
LEAST_FRAMES = 12  # of MP3, after each other, that no other sound holds by chance
MAX_FALSE_STARTS = 50_000  # places that look like the beginning of an MP3 frame and are none
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
HEADER = (  # what follows the first byte of a frame's header: version and layer, bitrate and rate
    rb"[\xe2-\xe7\xf2-\xf7\xfa-\xff][" + b"".join(b"\\x%x0-\\x%xb" % (bitrate, bitrate) for bitrate in range(1, 15)) + b"]"
)
SYNC = re.compile(rb"\xff(?=" + HEADER + rb")")


def after_id3(file, position, end, most=1000):
    """Return where the ID3v2 tags at a place end, of many the first `most`.

    A tag that claims more than the file holds is none.
    """
    for _ in range(most):
        head = read_at(file, position, 10)
        if len(head) < 10 or head[:3] != b"ID3" or max(head[6:10]) > 127:
            return position
        size = 10 + sum(byte << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
        if position + size > end:
            return position
        position += size
    return position


@dataclass(frozen=True)
class Frame:
    """What an MPEG frame's header says. kind: what all frames of a stream share.

    xing: where in it a Xing header lies.
    """

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


@dataclass(frozen=True)
class Run:
    """Frames of one kind that follow each other.

    start and end: in the file; count: of frames; varies: their sizes differ; claimed: how many frames its Xing header
    says, None where it says none; has_info: a frame with such a header comes first.
    """

    first: Frame
    start: int
    end: int
    count: int
    varies: bool
    claimed: int | None
    has_info: bool


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


def mp3_parts(file, end=None):
    """Return the parts of an MP3 file: runs of frames of one kind, each with a length in its header that is not below
    its own.

    Tags, and junk before the first frame, are no damage; other bytes between frames are. No part where there are no
    frames. `end`: where it ends, if that is not the file's end.
    """
    end, parts, found, lost_s, is_exact = end or size_of(file), [], [], 0.0, True
    first_tag = after_id3(file, 0, end, most=1)
    runs = Runs(file, end)
    position = runs.next(after_id3(file, 0, end))
    while position is not None and len(parts) < MAX_PARTS:
        run = _run_at(file, position, end)
        parts.append(replace(_run_part(file, run, lost_s), is_exact=is_exact))
        after_tags = _after_tags(file, run.end, end)
        position = runs.next(after_tags)
        if position is not None:
            lost_s, is_exact = _lost_s(file, run, after_tags, position)
        found.append(run)
    if not parts:
        return []
    missing = _missing_frames(found)
    if missing is not None:
        parts[1] = replace(parts[1], lost_s=missing * found[0].first.duration_s, is_exact=True)
    if position is not None:
        parts[-1] = replace(parts[-1], is_cut=True)
    if first_tag:
        parts[0] = replace(parts[0], pieces=((0, first_tag), *parts[0].pieces))
    if read_at(file, max(end - 128, 0), 3) == b"TAG":
        parts[-1] = replace(parts[-1], pieces=(*parts[-1].pieces, (end - 128, end)))
    return parts


def _missing_frames(runs):
    """Return how many frames are lost between the two runs of a file whose header counts them.

    None where that is not known.
    """
    if len(runs) != 2 or runs[0].claimed is None or runs[1].has_info or runs[0].first.kind != runs[1].first.kind:
        return None
    missing = runs[0].claimed - runs[0].count - runs[1].count
    return missing if 0 <= missing * runs[0].first.duration_s <= MAX_MISSING_S else None


def _lost_s(file, run, after_tags, position):
    """Return (how much sound is lost between a run and the next, whether that is counted).

    Zeros before another file are no loss.
    """
    before, kind = run.end, run.first
    head = read_at(file, position, 48)
    frame = _frame(head[:4])
    is_other = head[frame.xing : frame.xing + 4] in (b"Xing", b"Info") or frame.kind != kind.kind
    has_tag = any(read_at(file, before, after_tags - before))
    first = after_tags if is_other or has_tag else before
    if first == position:
        return 0.0, True
    bytes_a_frame = (run.end - run.start) / (run.count + run.has_info)
    frames = round((position - first) / bytes_a_frame)
    is_exact = not run.varies and abs(position - first - frames * bytes_a_frame) <= 2  # else bytes are cut out, who knows how many
    return max(frames, not is_exact) * kind.duration_s, is_exact


class Runs:
    """Looks for runs of frames, once from the beginning of a file to its end."""

    def __init__(self, file, end):
        self._file, self._end, self._false = file, end, 0
        self._places = find_bytes(file, SYNC, 0, end)

    def next(self, position, least=3):
        """Return where the next run at `position` or later begins: `least` frames, or fewer up to the file's end.

        None where none is.
        """
        for place, _ in self._places:
            if place < position:
                continue
            if is_run(self._file, place, self._end, least):
                return place
            self._false += 1
            if self._false > MAX_FALSE_STARTS:
                return None
        return None


def is_run(file, position, end, least):
    """Return whether `least` frames follow each other from a place on, or fewer up to the file's end.

    One or two at the end are no run where LEAST_FRAMES are wanted: other sound holds them by chance.
    """
    kind = None
    for number in range(1, least + 1):
        frame = _frame(read_at(file, position, 4))
        if not frame or (kind and frame.kind != kind):
            return False
        kind, position = frame.kind, position + frame.length
        if position == end:
            return least < LEAST_FRAMES or number >= 3
    return True


def _run_at(file, position, end):
    """Return the Run that begins at a place."""
    first, start, count, bitrates, claimed, has_info = _frame(read_at(file, position, 4)), position, 0, set(), None, False
    while position < end:
        head = read_at(file, position, 48)
        frame = _frame(head[:4])
        if not frame or frame.kind != first.kind:
            break
        is_info = head[frame.xing : frame.xing + 4] in (b"Xing", b"Info")
        if is_info and position > start:
            break  # another file begins
        if is_info:
            has_info = True
            has_count = head[frame.xing + 7] & 1
            claimed = int.from_bytes(head[frame.xing + 8 : frame.xing + 12], "big") if has_count else None
        else:
            count += 1
            bitrates.add(frame.bitrate)
        position += frame.length
    return Run(first, start, min(position, end), count, len(bitrates) > 1, claimed, has_info)


def _run_part(file, run, lost_s):
    """Return the part of a run; where a decoder would stop early or guess its length, a Xing header that tells it
    comes first."""
    frames, first, claimed = (run.start, run.end), run.first, run.claimed
    if first.kind[1] != 3:
        return Part((frames,), lost_s)
    if claimed is not None and abs(claimed - run.count) > 1:
        pieces = _xing_frame(file, run), (run.start + first.length, run.end)
        return Part(pieces, lost_s, max(claimed, run.count) * first.samples)
    if claimed is None and run.varies:
        return Part((_xing_frame(file, run), frames), lost_s)
    return Part((frames,), lost_s)


def _xing_frame(file, run):
    head = bytearray(read_at(file, run.start, 4))
    head[1] |= 1  # no checksum
    head[2] = 0x80 | head[2] & 0x0C  # a middle bitrate, which has room for it
    frame = _frame(bytes(head))
    data = bytearray(frame.length)
    data[:4] = head
    data[frame.xing : frame.xing + 12] = b"Xing" + (1).to_bytes(4, "big") + run.count.to_bytes(4, "big")
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
