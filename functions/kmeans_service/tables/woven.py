"""A file's text as it was written, byte for byte, with cells put behind its rows.

Rows end where the grammar says that they do. What stands between them, comments, blank lines, a
byte order mark, DOS's end mark, is carried along; only what is packed is unpacked.
"""

import codecs
from collections.abc import Iterable, Iterator

from kmeans_service.arrays import Array
from kmeans_service.tables.bytes_in import Source, is_little, unpacked
from kmeans_service.tables.csv_lines import BLOCK_BYTES, pieces_from
from kmeans_service.tables.dialect import Dialect

type Behind = tuple[Array, list[bytes]]
"""Ends of rows, as `read_numbered` has them, and for each what is put behind it, in UTF-8."""


def woven(
    source: Source, dialect: Dialect, behind: Iterable[Behind], most_bytes: int
) -> Iterator[bytes]:
    """The file's text with that in it, in its own encoding, a piece at a time.

    behind   in the order of the rows
    A character that the encoding does not have becomes a question mark.
    """
    text = _text(source, dialect, most_bytes)
    yield from _woven(text, b"\r" if dialect.old_mac else b"\n", behind, 1)


def woven_part(
    raw: Iterator[bytes], dialect: Dialect, behind: Iterable[Behind], first: int
) -> Iterator[bytes]:
    """As `woven`, of a part of a file that is not packed, whose line breaks are single bytes.

    first   the number of the line that the part begins with
    """
    yield from _woven(_Text(raw, dialect.encoding), b"\n", behind, first)


def _woven(
    text: "_Text", line_break: bytes, behind: Iterable[Behind], first: int
) -> Iterator[bytes]:
    rows = _Rows(behind)
    for lines, ended in _lines(text.pieces, line_break):
        for at, surplus, cells in rows.until(first + len(lines)):
            lines[at - first] = _with(lines[at - first], text.encoded(cells), surplus)
        first += len(lines)
        yield text.written(line_break.join(lines) + (line_break if ended else b""))
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

    def __init__(self, raw: Iterator[bytes]) -> None:
        first = next(raw, b"")
        while len(first) < 2 and (piece := next(raw, b"")):
            first += piece
        self._name = "utf-16-le" if is_little(first) else "utf-16-be"
        self._decoder = codecs.getincrementaldecoder(self._name)("surrogatepass")
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


def _text(source: Source, dialect: Dialect, most_bytes: int) -> _Text:
    raw = unpacked(pieces_from(source(), BLOCK_BYTES), BLOCK_BYTES, most_bytes)
    if dialect.encoding == "utf-16":
        return _Utf16(raw)
    return _Text(raw, dialect.encoding)
