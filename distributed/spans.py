"""Files cut into ranges of bytes, of which each has the lines that begin in it.

Where the cuts fall changes nothing: a range ends where its last row does, and the next one begins
there, also where a cell goes on over a line break.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kmeans_service.streams import ByteStream
from kmeans_service.tables.csv_lines import BLOCK_BYTES, pieces_from

MB = 1024**2
LEAST_BYTES, MOST_BYTES = 64 * MB, 512 * MB

type Open = Callable[[int, int], ByteStream]
"""The bytes of a file from the first place to before the second one."""

# What is read at first of a line that goes on behind its range.
_BEYOND = 64 * 1024


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes of a file.

    file     its place among the files
    is_exact whether rows begin and end exactly there; else those are meant that begin there
    is_last  whether it has the file's end
    """

    file: int
    begin: int
    end: int
    is_exact: bool
    is_last: bool


def range_bytes(size: int, at_once: int) -> int:
    """Of files of this size together, so many of whose ranges are read at once: in full rounds."""
    rounds = max(1, math.ceil(size / (at_once * MOST_BYTES)))
    return max(LEAST_BYTES, math.ceil(size / (rounds * at_once)))


def cuts(file: int, begin: int, size: int, range_bytes: int, *, most: int) -> list[Span]:
    """All bytes of a file from `begin` on, in ranges of so many bytes.

    most   where the last range begins at the latest: before a mark at the file's end
    """
    starts = [begin, *(at for at in range(range_bytes, size, range_bytes) if begin < at <= most)]
    ends = [*starts[1:], size]
    return [
        Span(file, start, end, start == begin, end == size)
        for start, end in zip(starts, ends, strict=True)
    ]


class Text:
    """The bytes of the lines that begin in a range; `begin` is known once they were begun with.

    limit   a line that goes on for more bytes behind the range is not read to its end
    """

    def __init__(self, opened: Open, span: Span, size: int, limit: int) -> None:
        self._opened, self._span, self._size, self._limit = opened, span, size, limit
        self.begin = span.begin

    def pieces(self) -> Iterator[bytes]:
        if self._span.begin >= self._span.end:
            return
        if self._span.is_exact and self._span.is_last:
            yield from self._read(self._span.begin, self._size)
            return
        last = b""
        for piece in self._begun():
            yield piece
            last = piece
        if last and not last.endswith(b"\n"):
            yield from self._rest()

    def _begun(self) -> Iterator[bytes]:
        """From where the first line begins to where the range ends."""
        begin, end = self._span.begin, self._span.end
        if self._span.is_exact:
            yield from self._read(begin, end)
            return
        at, found = begin - 1, False
        for piece in self._read(at, end):
            if found:
                yield piece
                continue
            after = piece.find(b"\n") + 1
            at += after or len(piece)
            found = after > 0
            if found and after < len(piece):
                self.begin = at
                yield piece[after:]
        self.begin = max(self.begin, at) if found else end

    def _rest(self) -> Iterator[bytes]:
        """Of the last line, what goes on behind the range."""
        at, step = self._span.end, _BEYOND
        while at < self._size and at - self._span.end <= self._limit:
            for piece in self._read(at, min(at + step, self._size)):
                end = piece.find(b"\n") + 1
                yield piece[:end] if end else piece
                if end:
                    return
            at += step

    def _read(self, begin: int, end: int) -> Iterator[bytes]:
        return pieces_from(self._opened(begin, end), BLOCK_BYTES)
