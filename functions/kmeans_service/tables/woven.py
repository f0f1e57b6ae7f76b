"""A file's text as it was written, byte for byte, with cells put behind its rows.

Rows end where the grammar says that they do. What stands between them, comments, blank lines, a
byte order mark, DOS's end mark, is carried along; only what is packed is unpacked.
"""

import codecs
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kmeans_service.arrays import Array
from kmeans_service.tables.bytes_in import Source, is_little, unpacked, without_end_mark
from kmeans_service.tables.csv_lines import BLOCK_BYTES, BYTE_ORDER_MARK, pieces_from
from kmeans_service.tables.dialect import Dialect

type Behind = tuple[Array, list[bytes]]
"""Ends of rows, as `read_numbered` has them, and for each what is put behind it, in UTF-8."""


@dataclass(frozen=True, slots=True)
class Part:
    """What is meant of a text that others stand before or behind.

    first      number of the line that it begins with
    skipped    lines that are left out where it begins, a byte order mark too; None: nothing is
    line_break what a last line is given that has none, where the text of another file follows,
               and what DOS ended its files with is left out; None: none follows
    is_little  of UTF-16, how it is written; None: as it is read
    """

    first: int = 1
    skipped: int | None = None
    line_break: bytes | None = None
    is_little: bool | None = None


def woven(
    source: Source, dialect: Dialect, behind: Iterable[Behind], most_bytes: int
) -> Iterator[bytes]:
    """The file's text with that in it, in its own encoding, a piece at a time.

    behind   in the order of the rows
    A character that the encoding does not have becomes a question mark.
    """
    raw = unpacked(pieces_from(source(), BLOCK_BYTES), BLOCK_BYTES, most_bytes)
    return woven_part(raw, dialect, behind, Part())


def woven_part(
    raw: Iterator[bytes], dialect: Dialect, behind: Iterable[Behind], part: Part
) -> Iterator[bytes]:
    """As `woven`, of a part of a text that is not packed (any more)."""
    text = _text(raw, dialect, part)
    line_break = b"\r" if dialect.old_mac else b"\n"
    pieces = text.pieces if part.skipped is None else _without_mark(text.pieces)
    if part.line_break is not None:
        pieces = _closed(without_end_mark(pieces), line_break, part.line_break)
    rows, first, begin = _Rows(behind), part.first, part.first + (part.skipped or 0)
    for lines, ended in _lines(pieces, line_break):
        for at, surplus, cells in rows.until(first + len(lines)):
            lines[at - first] = _with(lines[at - first], text.encoded(cells), surplus)
        if left := lines[max(0, begin - first) :]:
            yield text.written(line_break.join(left) + (line_break if ended else b""))
        first += len(lines)
    if part.line_break is None:
        yield text.rest()


def _with(line: bytes, cells: bytes, surplus: int) -> bytes:
    stop = len(line.rstrip(b"\r\x1a")) - surplus
    return line[:stop] + cells + line[stop:]


def _lines(pieces: Iterable[bytes], line_break: bytes) -> Iterator[tuple[list[bytes], bool]]:
    """Lines without their breaks, and whether the last of them has one."""
    left = b""
    for piece in pieces:
        whole, ended, left = (left + piece).rpartition(line_break)
        if ended:
            yield whole.split(line_break), True
    if left:
        yield [left], False


def _closed(pieces: Iterator[bytes], line_break: bytes, closing: bytes) -> Iterator[bytes]:
    last = b""
    for piece in pieces:
        yield piece
        last = piece or last
    if last and not last.endswith(line_break):
        yield closing


def _without_mark(pieces: Iterator[bytes]) -> Iterator[bytes]:
    first = next(pieces, b"")
    while len(first) < len(BYTE_ORDER_MARK) and (piece := next(pieces, b"")):
        first += piece
    yield first.removeprefix(BYTE_ORDER_MARK)
    yield from pieces


class _Rows:
    """What is put behind rows, taken as far as the lines have come."""

    def __init__(self, behind: Iterable[Behind]) -> None:
        self._behind = iter(behind)
        self._left: Behind | None = None

    def until(self, line: int) -> Iterator[tuple[int, int, bytes]]:
        """Of each row that ends before this line the number of its last line, and what surplus
        stays behind the cells.
        """
        while (found := self._left or next(self._behind, None)) is not None:
            ends, cells = found
            count = int(ends[:, 0].searchsorted(line, side="right"))
            part = ends[:count].tolist()
            for (after, surplus), text in zip(part, cells[:count], strict=True):
                yield after - 1, surplus, text
            self._left = (ends[count:], cells[count:]) if count < len(ends) else None
            if self._left:
                return


class _Text:
    """Bytes in which a line break is one byte: those of the file."""

    def __init__(self, raw: Iterator[bytes], encoding: str) -> None:
        self.pieces = raw
        self._encoding = encoding

    def encoded(self, cells: bytes) -> bytes:
        if cells.isascii() or self._encoding == "utf-8":
            return cells
        return cells.decode().encode(self._encoding, "replace")

    def written(self, text: bytes) -> bytes:
        return text

    def rest(self) -> bytes:
        return b""


class _Utf16(_Text):
    """The same of UTF-16: as UTF-8 meanwhile, in which lone surrogates stay what they are."""

    def __init__(self, raw: Iterator[bytes], written_little: bool | None) -> None:
        first = next(raw, b"")
        while len(first) < 2 and (piece := next(raw, b"")):
            first += piece
        little = is_little(first)
        self._decoder = codecs.getincrementaldecoder(_utf16(little))("surrogatepass")
        self._name = _utf16(little if written_little is None else written_little)
        super().__init__(self._decoded(first, raw), "utf-8")

    def _decoded(self, first: bytes, raw: Iterator[bytes]) -> Iterator[bytes]:
        yield self._decoder.decode(first).encode("utf-8", "surrogatepass")
        for piece in raw:
            yield self._decoder.decode(piece).encode("utf-8", "surrogatepass")

    def written(self, text: bytes) -> bytes:
        return text.decode("utf-8", "surrogatepass").encode(self._name, "surrogatepass")

    def rest(self) -> bytes:
        """Half a character at the file's end."""
        return self._decoder.getstate()[0]


def _utf16(is_little: bool) -> str:
    return "utf-16-le" if is_little else "utf-16-be"


def _text(raw: Iterator[bytes], dialect: Dialect, part: Part) -> _Text:
    if dialect.encoding == "utf-16":
        return _Utf16(raw, part.is_little)
    return _Text(raw, dialect.encoding)
