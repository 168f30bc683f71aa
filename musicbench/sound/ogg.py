"""Ogg files: the streams that follow each other in pages, and where pages are lost (RFC 3533)."""

import re
import zlib
from dataclasses import dataclass, replace

from musicbench.sound.parts import MAX_PARTS, Part, find_bytes, read_at, size_of

OGG_PAGE = re.compile(b"OggS")
MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


@dataclass(frozen=True)
class Page:
    """An Ogg page: the file's range [start, end), its flags, the sample at which its sound ends (below 0: none
    does), stream, number."""

    start: int
    end: int
    flags: int
    granule: int
    serial: bytes
    number: int


def ogg_parts(file, start):
    """Return the streams of an Ogg file that follow each other (a "chain"), each a part, or several where pages are
    lost."""
    end = size_of(file)
    links = [[]]
    for page in _ogg_pages(file, start, end):
        is_new = page.flags & 2 and links[-1] and not links[-1][-1].flags & 2
        if is_new and len(links) < MAX_PARTS:
            links.append([])
        links[-1].append(page)
    if not links[0]:
        return [Part(((start, end),))]
    ends = [*(link[0].start for link in links[1:]), end]
    parts = []
    for link, last in zip(links, ends, strict=True):
        head = read_at(file, link[0].start + 28, 12)
        if head[:5] == b"\x7fFLAC":
            parts.append(_flac_in_ogg(file, link))
            continue
        skipped = int.from_bytes(head[10:12], "little") if head[:8] == b"OpusHead" else 0
        parts += _link_parts(link, last, skipped)
    return [*parts[:-1], replace(parts[-1], is_cut=not links[-1][-1].flags & 4)]


def _ogg_pages(file, start, end):
    """Yield the pages whose checksums are right, in order.

    False pages are looked at until they cost more than the file is worth.
    """
    position, budget = start, 4 * (end - start) + (1 << 24)
    for place, _ in find_bytes(file, OGG_PAGE, start, end):
        if place < position:
            continue
        head = read_at(file, place, 27 + 255)
        length = 27 + head[26] + sum(head[27 : 27 + head[26]]) if len(head) > 26 else 0
        budget -= length + 64
        if budget < 0:
            return
        if length and head[4] == 0 and place + length <= end and _is_page(read_at(file, place, length)):
            granule, number = int.from_bytes(head[6:14], "little", signed=True), int.from_bytes(head[18:22], "little")
            position = place + length
            yield Page(place, position, head[5], granule, head[14:18], number)


def _is_page(data):
    return page_checksum(data) == data[22:26]


def page_checksum(page):
    """Return the four bytes of an Ogg page's checksum: a CRC of polynomial 04C11DB7, which zlib computes on mirrored
    bits."""
    mirrored = (page[:22] + bytes(4) + page[26:]).translate(MIRRORED)
    return (zlib.crc32(mirrored, 0xFFFFFFFF) ^ 0xFFFFFFFF).to_bytes(4, "big").translate(MIRRORED)


def _link_parts(pages, end, skipped):
    """Return the parts of one stream: a new one, which begins with the stream's headers, after each gap in the pages'
    numbers.

    skipped: how many samples the decoder of such a part takes off its end, as an Opus stream has them at its beginning.
    """
    start, count = pages[0].start, next((number for number, page in enumerate(pages) if page.granule != 0), len(pages))
    header, pages = pages[:count], pages[count:]
    gaps = [place for place in range(1, len(pages)) if pages[place].number != pages[place - 1].number + 1][: MAX_PARTS - 1]
    is_sound = header and pages and header[-1].number + 1 == len(header)
    if not is_sound or len({page.serial for page in header + pages}) > 1:
        return [Part(((start, end),))]
    parts = []
    if pages[0].number != len(header):  # its beginning is lost; a part without sound stands for it
        parts.append(Part(((start, header[-1].end),), known=(header[-1].end, skipped)))
    for first, last in zip([0, *gaps], [*gaps, len(pages)], strict=True):
        ends = [page for page in pages[first:last] if page.granule > 0]
        if not ends:
            continue
        stop = end if last == len(pages) else pages[last - 1].end
        pieces = ((start, header[-1].end), (pages[first].start, stop))
        parts.append(Part(pieces, known=(ends[0].end, ends[0].granule - (skipped if parts else 0)), is_rest=bool(parts)))
    if len(parts) <= 1 and not gaps:
        return [Part(((start, end),), known=parts[0].known if parts else None)]
    return parts or [Part(((start, end),))]


def _flac_in_ogg(file, pages):
    """Return the part of a FLAC stream in Ogg pages: what they hold is a FLAC file but for 9 bytes before it."""
    pieces = []
    for page in pages:
        body = page.start + 27 + read_at(file, page.start + 26, 1)[0]
        pieces.append((body + (0 if pieces else 9), page.end))
    return Part(tuple(pieces), claimed=max(page.granule for page in pages))


def ogg_sound_end(file, start):
    """Return where the last Ogg page ends."""
    return max((page.end for page in _ogg_pages(file, start, size_of(file))), default=start)
