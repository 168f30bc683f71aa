"""Where the sound lies in a file: MP3 frames, Ogg streams, FLAC frames, past tags, junk and damage. Nothing is decoded here.

Sources: ISO 11172-3 (MPEG frame headers), the Xing header as LAME writes it, RFC 3533 (Ogg), RFC 9639 (FLAC), ID3v2.4.
"""

import re
import zlib
from bisect import bisect_right
from dataclasses import dataclass, replace
from functools import lru_cache

CHUNK = 1 << 20  # bytes that a search holds at a time
HEAD = 1 << 16  # how far from its beginning a file's format is looked for
MAGIC = re.compile(rb"fLaC[\0\x80]\0\0\x22|OggS\0\x02|RIFF....WAVE|RF64....WAVE|FORM....AIF[FC]", re.DOTALL)
MAX_PARTS = 200  # of a file; what comes after is read with the last of them
MAX_MISSING_S = 60  # more is not lost at one place but by a header that lies
LEAST_FRAMES = 12  # of MP3, after each other, that no other sound holds by chance
MAX_FALSE_STARTS = 50_000  # places that look like the beginning of an MP3 frame and are none
UNKNOWN_BYTES = 0x7FFFF000  # a size in a header from here on is what writers say who do not know it
KINDS = {b"fL": "flac", b"Og": "ogg", b"RI": "riff", b"RF": "", b"FO": "form"}
FORMATS = {b"fL": "FLAC", b"Og": "Ogg", b"RI": "WAV", b"RF": "WAV", b"FO": "AIFF"}
AUDIO_START = re.compile(
    rb"fLaC|OggS\0\x02|ID3[\x02-\x04]|\.snd|caff\0\x01|RIFF....WAVE|RF64....WAVE|riff\.\x91\xcf\x11|FORM....AIF[FC]", re.DOTALL
)


@dataclass(frozen=True)
class Part:
    """A stretch of a file that a decoder can read as a file of its own.

    pieces: byte strings and (first, end) ranges of the file, one after the other. lost_s: how much sound is lost before it, 0 where
    none is. claimed: how many samples its header says, 0 where it does not, None where the decoder is to be asked. claimed_share: how much
    of the part is there, by the size in its header. is_cut: it has no end of its own. is_exact: `lost_s` is counted, not estimated.
    known: (byte, granule) of an Ogg page: up to that byte of the file the part's sound ends at that sample of its stream. is_rest: it
    goes on with the stream of the part before it. unread: how many bytes after it are neither its sound nor a tag.
    """

    pieces: tuple
    lost_s: float = 0.0
    claimed: int | None = None
    claimed_share: float = 1.0
    is_cut: bool = False
    is_exact: bool = True
    known: tuple | None = None
    is_rest: bool = False
    unread: int = 0

    def up_to(self, byte):
        """Return the part without what lies behind a byte of the file."""
        pieces = [piece if isinstance(piece, bytes) else (piece[0], min(piece[1], byte)) for piece in self.pieces]
        return replace(self, pieces=tuple(piece for piece in pieces if isinstance(piece, bytes) or piece[0] < piece[1]))


class Pieces:
    """The pieces of a part as a file to read; it never raises, as it is called from C."""

    def __init__(self, file, pieces):
        self._file, self._pieces, self._position = file, [], 0
        self._size = 0
        for piece in pieces:
            length = len(piece) if isinstance(piece, bytes) else piece[1] - piece[0]
            self._pieces.append((self._size, length, piece))
            self._size += length
        self._starts = [first for first, _, _ in self._pieces]

    def tell(self):
        return self._position

    def seek(self, offset, whence=0):
        base = (0, self._position, self._size)[whence]
        self._position = min(max(base + offset, 0), self._size)
        return self._position

    def read(self, count=-1):
        count = self._size - self._position if count < 0 else count
        parts = []
        for number in range(max(bisect_right(self._starts, self._position) - 1, 0), len(self._pieces)):
            first, length, piece = self._pieces[number]
            if count <= 0:
                break
            if first <= self._position < first + length:
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
            head = file.read(256)
            return bool(AUDIO_START.match(head)) or (head.startswith(b"MATLAB 5.0") and b"samplerate" in head)
    except OSError:
        return False


def sound_start(file):
    """Return (position, kind) of where a file's format begins: kind "flac", "ogg", "riff", "form" or "" for all others.

    Tags and up to 64 KiB of junk before it are passed.
    """
    start = after_id3(file, 0, size_of(file))
    found = MAGIC.search(read_at(file, start, HEAD))
    if not found or (found.start() and _is_run(file, start, size_of(file), LEAST_FRAMES)):
        return start, ""
    return start + found.start(), KINDS[found[0][:2]]


def after_id3(file, position, end, most=1000):
    """Return where the ID3v2 tags at a place end, of many the first `most`; a tag that claims more than the file holds is none."""
    for _ in range(most):
        head = read_at(file, position, 10)
        if len(head) < 10 or head[:3] != b"ID3" or max(head[6:10]) > 127:
            return position
        size = 10 + sum(byte << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
        if position + size > end:
            return position
        position += size
    return position


def other_sound(file, position, kind):
    """Return (place, format) of a sound file of another kind that begins in a file at `position` or later; None where there is none."""
    end = size_of(file)
    for place, match in find_bytes(file, MAGIC, position, end):
        if KINDS[match[0][:2]] != kind:
            return place, FORMATS[match[0][:2]]
    if kind != "mp3":
        place = _Runs(file, end).next(position, least=LEAST_FRAMES)
        if place is not None and end - place > 1000:
            return place, "MP3"
    return None


# ---------------------------------------------------------------------------------------------------- WAV and AIFF


def chunk_parts(file, start, order):
    """Return (parts, where their sound ends) of WAV (order "little") or AIFF ("big") files that follow each other.

    Each chunk of sound is a part; the last goes on where sound follows that its size leaves out. Where a header's sizes do not hold
    there is one part up to the file's end, with the share of it that is there; both the file's and the sound's size must say that it
    is cut: what is missing may be a tag behind the sound.
    """
    end, parts = size_of(file), []
    while len(parts) < MAX_PARTS:
        sounds, stop = _sound_chunks(file, start, end, order)
        if not sounds:
            parts.append(_whole_chunk_part(file, start, end, order))
            return parts, end
        header = (start, sounds[0][0])
        parts.append(Part((header, (sounds[0][0], stop if len(sounds) == 1 else sounds[0][1]))))
        parts += [Part((header, sound)) for sound in sounds[1:]]
        if not _is_chunk_file(read_at(file, stop, 12), order):
            break
        start = stop
    last, (place, sound_end) = parts[-1], sounds[-1]
    sound_stop, unread = sound_end, 0
    if stop - sound_end < 2:  # no chunk comes after it
        sound_stop, unread = more_sound(file, sound_end, end)
    if sound_stop > sound_end:
        size = min(sound_stop - place - 8, 0xFFFFFFFF).to_bytes(4, order)
        parts[-1] = replace(last, pieces=(last.pieces[0], (place, place + 4), size, (place + 8, sound_stop)))
        return parts, sound_stop
    parts[-1] = replace(last, unread=unread)
    return parts, stop


def _sound_chunks(file, start, end, order):
    """Return ([(first, end) of each chunk of sound], where the last chunk ends); no chunks where their sizes are not to be trusted."""
    name, sounds, position = (b"data" if order == "little" else b"SSND"), [], start + 12
    is_named = read_at(file, start, 4) in (b"RIFF", b"FORM")
    for _ in range(10 * MAX_PARTS):
        head = read_at(file, position, 12)
        size = int.from_bytes(head[4:8], order)
        stop = position + 8 + size
        if len(head) < 8 or stop > end or not re.fullmatch(rb"[ -~]{4}", head[:4]) or MAGIC.match(head):
            break
        if head[:4] == name:
            sounds.append((position, stop))
        is_padded = size % 2 and stop < end and not _is_chunk_file(read_at(file, stop, 12), order)
        position = stop + is_padded
    is_trusted = is_named and sounds and all(last - first > 8 for first, last in sounds)
    return (sounds if is_trusted else []), position


def _is_chunk_file(head, order):
    form = rb"RIFF....WAVE" if order == "little" else rb"FORM....AIF[FC]"
    return bool(re.match(form, head, re.DOTALL))


def _whole_chunk_part(file, start, end, order):
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


def rebuilt_wav_part(file, start):
    """Return the part of a WAV file whose chunks before the sound have sizes that do not hold, or None."""
    head, end = read_at(file, start, HEAD), size_of(file)
    form, data = head.find(b"fmt "), head.find(b"data")
    if form < 0 or data < form:
        return None
    size = int.from_bytes(head[form + 4 : form + 8], "little")
    place = start + data + 4
    return Part((b"RIFF\xff\xff\xff\xffWAVE", (start + form, start + form + 8 + size), b"data\xff\xff\xff\xff", (place + 4, end)))


# ---------------------------------------------------------------------------------------------------- sizes that do not hold

NO_SOUND = (  # how what is no sound begins: tags, chunks of sound files, pictures, archives, documents
    b"ID3", b"TAG", b"APETAGEX", b"LYRICS", b"LIST", b"id3 ", b"cue ", b"smpl", b"bext", b"iXML", b"_PMX", b"JUNK", b"junk", b"PAD ", b"FLLR",
    b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"PK\3\4", b"\x1f\x8b", b"Rar!", b"%PDF",
)  # fmt: skip
LEAST_SOUND = 1000  # bytes; less is no sound that somebody misses
TEXT = bytes(range(32, 127)) + b"\t\r\n"
FOREIGN = (  # (where, what is there, its name) of formats that are not read
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "WMA or other Windows Media"), (4, b"ftyp", "MP4"), (0, b"\x1aE\xdf\xa3", "WebM or Matroska"),
    (0, b"\xff\xf1", "AAC"), (0, b"\xff\xf9", "AAC"), (0, b"ADIF", "AAC"), (0, b"\x0b\x77", "AC-3"), (0, b"\x7f\xfe\x80\x01", "DTS"),
    (0, b"wvpk", "WavPack"), (0, b"TTA1", "True Audio"), (0, b"MAC ", "Monkey's Audio"), (0, b"MPCK", "Musepack"), (0, b"MP+", "Musepack"),
    (0, b"DSD ", "DSD"), (0, b"FRM8", "DSD"), (0, b"#!AMR", "AMR"), (0, b".ra\xfd", "RealAudio"), (0, b".RMF", "RealMedia"),
    (28, b"Speex   ", "Speex in Ogg"), (28, b"\x80theora", "Theora in Ogg"), (0, b"ajkg", "Shorten"), (0, b"tBaK", "TAK"), (0, b"OFR ", "OptimFROG"),
    (0, b"MThd", "MIDI"), (8, b"AVI ", "AVI video"), (0, b"FLV\1", "Flash video"), (0, b"PK\3\4", "a ZIP archive"), (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"\xff\xd8\xff", "a JPEG picture"), (0, b"\x89PNG", "a PNG picture"), (0, b"%PDF", "a PDF"),
)  # fmt: skip
CODECS = {
    b"mp4a": "AAC",
    b"alac": "ALAC",
    b"ac-3": "AC-3",
    b"A_OPUS": "Opus",
    b"A_VORBIS": "Vorbis",
    b"A_AAC": "AAC",
    b"A_FLAC": "FLAC",
}


def foreign_format(file):
    """Return the name of the format of a file if it is known and not read, else ""."""
    head = read_at(file, after_id3(file, 0, size_of(file)), HEAD)
    form = next((name for place, magic, name in FOREIGN if head[place:].startswith(magic)), "")
    ends = head + read_at(file, max(size_of(file) - CHUNK, 0), CHUNK) if form in ("MP4", "WebM or Matroska") else b""
    codec = next((name for mark, name in CODECS.items() if mark in ends), "")
    return f"{codec} in {form}" if codec else form


def is_text(data):
    """Tell whether bytes are those of a text in a Latin script."""
    return len(data.translate(None, TEXT)) < len(data) / 50


def more_sound(file, position, end):
    """Return (where the sound ends that follows a sound, `position` where none does; how many bytes there are neither sound nor tag)."""
    start = read_at(file, position, CHUNK)
    if len(start) < LEAST_SOUND or not any(start) or start.startswith(NO_SOUND):
        return position, 0
    found = [place for place, _ in find_bytes(file, MAGIC, position, end)][:1]
    found += [place for place in [_Runs(file, end).next(position, least=LEAST_FRAMES)] if place is not None]
    stop = min([end, *found])
    if stop - position < LEAST_SOUND:  # the other sound is told
        return position, 0
    if is_text(start[:HEAD]):
        return position, end - position
    return stop, 0


@dataclass(frozen=True)
class Size:
    """Where a header says how many bytes of sound there are, how, and where they begin. extra: what it counts besides them."""

    place: int
    width: int
    order: str
    first: int
    extra: int = 0


def sized_parts(file, start):
    """Return the part of an AU, CAF or RF64 file with a size in its header that holds; [] of other files."""
    end, head = size_of(file), read_at(file, start, 4)
    size = SIZES[head](file, start, end) if head in SIZES else None
    if not size or not start < size.first < end:
        return []
    said = int.from_bytes(read_at(file, size.place, size.width), size.order) - size.extra
    there, share, unread = end - size.first, 1.0, 0
    if LEAST_SOUND <= said <= there:
        stop, unread = (size.first + said, 0) if _is_chunk(file, size, said, end) else more_sound(file, size.first + said, end)
        there = stop - size.first
    elif there < said < UNKNOWN_BYTES:
        share = there / said
    fixed = (there + size.extra).to_bytes(size.width, size.order)
    pieces = ((start, size.place), fixed, (size.place + size.width, end if unread else size.first + there))
    if LEAST_SOUND <= said == there:
        pieces = ((start, end),)
    return [Part(pieces, claimed_share=share, unread=unread)]


def _is_chunk(file, size, said, end):
    """Tell whether a chunk with a name follows the sound, as far as the format has chunks."""
    if size.width < 8:
        return False
    width, place = (8 if size.order == "big" else 4), size.first + said
    for at in (place, place + 1):
        head = read_at(file, at, 4 + width)
        if re.match(rb"[ -~]{4}", head) and int.from_bytes(head[4:], size.order) <= end - at:
            return True
    return False


def _au_size(file, start, _):
    order = "big" if read_at(file, start, 4) == b".snd" else "little"
    return Size(start + 8, 4, order, start + int.from_bytes(read_at(file, start + 4, 4), order))


def _caf_size(file, start, end):
    position = start + 8
    while position < end:
        head = read_at(file, position, 12)
        if head[:4] == b"data":
            return Size(position + 4, 8, "big", position + 16, extra=4)
        position += 12 + int.from_bytes(head[4:], "big")
    return None


def _rf64_size(file, start, end):
    if read_at(file, start + 12, 4) != b"ds64":
        return None
    position = start + 12
    while position < end:
        head = read_at(file, position, 8)
        if head[:4] == b"data":
            return Size(start + 28, 8, "little", position + 8)
        size = int.from_bytes(head[4:], "little")
        position += 8 + size + size % 2
    return None


SIZES = {b".snd": _au_size, b"dns.": _au_size, b"caff": _caf_size, b"RF64": _rf64_size}


# ---------------------------------------------------------------------------------------------------- Ogg

OGG_PAGE = re.compile(b"OggS")
MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


@dataclass(frozen=True)
class Page:
    """An Ogg page: the file's range [start, end), its flags, the sample at which its sound ends (below 0: none does), stream, number."""

    start: int
    end: int
    flags: int
    granule: int
    serial: bytes
    number: int


def ogg_parts(file, start):
    """Return the streams of an Ogg file that follow each other (a "chain"), each a part, or several where pages are lost."""
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
    """Yield the pages whose checksums are right, in order; false pages are looked at until they cost more than the file is worth."""
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
    """Tell whether an Ogg page's checksum is right: a CRC of polynomial 04C11DB7, which zlib computes on mirrored bits."""
    mirrored = (data[:22] + bytes(4) + data[26:]).translate(MIRRORED)
    crc = zlib.crc32(mirrored, 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{crc:032b}"[::-1], 2) == int.from_bytes(data[22:26], "little")


def _link_parts(pages, end, skipped):
    """Return the parts of one stream: a new one, which begins with the stream's headers, after each gap in the pages' numbers.

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


# ---------------------------------------------------------------------------------------------------- FLAC

FLAC_START, FLAC_SYNC = re.compile(rb"fLaC[\0\x80]\0\0\x22"), re.compile(rb"\xff[\xf8\xf9]")


def flac_parts(file, start):
    """Return the FLAC files that follow each other in a file, each a part that claims no length, so that all of it is decoded."""
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
    """Yield (part, first sample, place) at each frame of a FLAC part from `position` on that says that it lies at `sample` or later."""
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
    """Return the part of a FLAC file without its beginning: its frames, with a header made of what they say; None where there are none."""
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
    """Return whether a frame's header has the rate, channels and bits of a FLAC stream's own (`info`, from "fLaC" on)."""
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
HEADER = (  # what follows the first byte of a frame's header: version and layer, bitrate and rate
    rb"[\xe2-\xe7\xf2-\xf7\xfa-\xff][" + b"".join(b"\\x%x0-\\x%xb" % (bitrate, bitrate) for bitrate in range(1, 15)) + b"]"
)
SYNC = re.compile(rb"\xff(?=" + HEADER + rb")")


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


def mp3_parts(file, end=None):
    """Return the parts of an MP3 file: runs of frames of one kind, each with a length in its header that is not below its own.

    Tags, and junk before the first frame, are no damage; other bytes between frames are. No part where there are no frames. `end`:
    where it ends, if that is not the file's end.
    """
    end, parts, found, lost_s, is_exact = end or size_of(file), [], [], 0.0, True
    first_tag = after_id3(file, 0, end, most=1)
    runs = _Runs(file, end)
    position = runs.next(after_id3(file, 0, end))
    while position is not None and len(parts) < MAX_PARTS:
        run = _walk_run(file, position, end)
        parts.append(replace(_run_part(file, run, lost_s), is_exact=is_exact))
        after_tags = _after_tags(file, run["end"], end)
        position = runs.next(after_tags)
        if position is not None:
            lost_s, is_exact = _lost_s(file, run, after_tags, position)
        found.append(run)
    if not parts:
        return []
    missing = _missing_frames(found)
    if missing is not None:
        parts[1] = replace(parts[1], lost_s=missing * found[0]["first"].duration_s, is_exact=True)
    if position is not None:
        parts[-1] = replace(parts[-1], is_cut=True)
    if first_tag:
        parts[0] = replace(parts[0], pieces=((0, first_tag), *parts[0].pieces))
    if read_at(file, max(end - 128, 0), 3) == b"TAG":
        parts[-1] = replace(parts[-1], pieces=(*parts[-1].pieces, (end - 128, end)))
    return parts


def _missing_frames(runs):
    """Return how many frames are lost between the two runs of a file whose header counts them; None where that is not known."""
    if len(runs) != 2 or runs[0]["claimed"] is None or runs[1]["has_info"] or runs[0]["first"].kind != runs[1]["first"].kind:
        return None
    missing = runs[0]["claimed"] - runs[0]["count"] - runs[1]["count"]
    return missing if 0 <= missing * runs[0]["first"].duration_s <= MAX_MISSING_S else None


def _lost_s(file, run, after_tags, position):
    """Return (how much sound is lost between a run and the next, whether that is counted); zeros before another file are no loss."""
    before, kind = run["end"], run["first"]
    head = read_at(file, position, 48)
    frame = _frame(head[:4])
    is_other = head[frame.xing : frame.xing + 4] in (b"Xing", b"Info") or frame.kind != kind.kind
    has_tag = any(read_at(file, before, after_tags - before))
    first = after_tags if is_other or has_tag else before
    if first == position:
        return 0.0, True
    bytes_a_frame = (run["end"] - run["start"]) / (run["count"] + run["has_info"])
    frames = round((position - first) / bytes_a_frame)
    is_exact = (
        not run["varies"] and abs(position - first - frames * bytes_a_frame) <= 2
    )  # else bytes are cut out, who knows how many
    return max(frames, not is_exact) * kind.duration_s, is_exact


class _Runs:
    """Looks for runs of frames, once from the beginning of a file to its end."""

    def __init__(self, file, end):
        self._file, self._end, self._false = file, end, 0
        self._places = find_bytes(file, SYNC, 0, end)

    def next(self, position, least=3):
        """Return where the next run at `position` or later begins: `least` frames, or fewer up to the file's end; None where none is."""
        for place, _ in self._places:
            if place < position:
                continue
            if _is_run(self._file, place, self._end, least):
                return place
            self._false += 1
            if self._false > MAX_FALSE_STARTS:
                return None
        return None


def _is_run(file, position, end, least):
    kind = None
    for _ in range(least):
        frame = _frame(read_at(file, position, 4))
        if not frame or (kind and frame.kind != kind):
            return False
        kind, position = frame.kind, position + frame.length
        if position == end:
            return True
    return True


def _walk_run(file, position, end):
    """Return a run of frames: its first frame and place, its end, how many frames, whether their sizes differ, what Xing claims."""
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
    return {
        "first": first, "start": start, "end": min(position, end), "count": count, "varies": len(bitrates) > 1, "claimed": claimed, "has_info": has_info,
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
