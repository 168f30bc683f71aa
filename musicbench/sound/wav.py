"""WAV and AIFF files, chunk by chunk; AU, CAF and RF64; sizes in their headers that do not hold."""

import re
from dataclasses import dataclass, replace

from musicbench.sound.formats import HEAD, LEAST_SOUND, MAGIC, more_sound
from musicbench.sound.parts import MAX_PARTS, Part, read_at, size_of

UNKNOWN_BYTES = 0x7FFFF000  # a size in a header from here on is what writers say who do not know it


def chunk_parts(file, start, order):
    """Return (parts, where their sound ends) of WAV (order "little") or AIFF ("big") files that follow each other.

    Each chunk of sound is a part; the last goes on where sound follows that its size leaves out. Where a header's sizes
    do not hold there is one part up to the file's end, with the share of it that is there; both the file's and the
    sound's size must say that it is cut: what is missing may be a tag behind the sound.
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
    """Return ([(first, end) of each chunk of sound], where the last chunk ends).

    No chunks where their sizes are not to be trusted.
    """
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


@dataclass(frozen=True)
class Size:
    """Where a header says how many bytes of sound there are, how, and where they begin. extra: what it counts
    besides them."""

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
