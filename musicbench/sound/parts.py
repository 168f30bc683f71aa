"""A part of a file, which a decoder can read as a file of its own, and the bytes it is made of."""

from bisect import bisect_right
from dataclasses import dataclass, replace

CHUNK = 1 << 20  # bytes that a search holds at a time
MAX_PARTS = 200  # of a file; what comes after is read with the last of them


@dataclass(frozen=True)
class Part:
    """A stretch of a file that a decoder can read as a file of its own.

    pieces: byte strings and (first, end) ranges of the file, one after the other. lost_s: how much sound is lost before
    it, 0 where none is. claimed: how many samples its header says, 0 where it does not, None where the decoder is to be
    asked. claimed_share: how much of the part is there, by the size in its header. is_cut: it has no end of its own.
    is_exact: `lost_s` is counted, not estimated. known: (byte, granule) of an Ogg page: up to that byte of the file the
    part's sound ends at that sample of its stream. is_rest: it goes on with the stream of the part before it. unread:
    how many bytes after it are neither its sound nor a tag.
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
