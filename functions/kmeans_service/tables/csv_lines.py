"""A CSV file cut into blocks of whole lines, whatever its size and wherever it comes from.

Blocks are what keeps memory bounded, and what keeps one odd cell from slowing the whole file.
Where the cuts fall changes nothing: not what is accepted, not the line an error names.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from kmeans_service import config
from kmeans_service.errors import InvalidCsv, TooLarge
from kmeans_service.streams import ByteStream

BLOCK_BYTES = 128 * 1024
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class CsvLimits:
    """What a file may hold at most.

    Lines and the header are measured in bytes, cells in characters without the spaces around
    them. A `cell_length` below 130 binds names only: plain numbers pass that are shorter.
    """

    cell_length: int = config.Limits.cell_length
    line_length: int = config.Limits.line_length
    header_length: int = config.MAX_HEADER_BYTES
    columns: int = config.Limits.columns
    rows: int = config.Limits.rows


def csv_limits() -> CsvLimits:
    """The limits of this deployment."""
    limits = config.limits()
    return CsvLimits(
        cell_length=limits.cell_length,
        line_length=limits.line_length,
        columns=limits.columns,
        rows=limits.rows,
    )


@dataclass
class Block:
    """Whole lines without the last one's line break; `line` is the first one's number, from 1.

    Who learns `n_lines` while reading the block sets it, and spares counting them.
    """

    line: int
    text: bytes

    @cached_property
    def n_lines(self) -> int:
        return self.text.count(b"\n") + 1

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Every line's number and its text without the line break."""
        line, begin = self.line, 0
        while begin <= len(self.text):
            text, begin = self.line_at(begin)
            yield line, text
            line += 1

    def line_at(self, begin: int) -> tuple[bytes, int]:
        """The text of the line that begins there, and where the next one does."""
        end = self.text.find(b"\n", begin)
        if end < 0:
            return self.text[begin:], len(self.text) + 1
        return self.text[begin:end].removesuffix(b"\r"), end + 1


def pieces_of(body: bytes | memoryview, size: int) -> Iterator[bytes]:
    view = memoryview(body)
    for start in range(0, len(view), size):
        yield bytes(view[start : start + size])


def pieces_from(stream: ByteStream, size: int) -> Iterator[bytes]:
    """Pieces of `size` bytes, also from a stream whose reads return less than was asked for."""
    while piece := stream.read(size):
        parts = [piece]
        missing = size - len(piece)
        while missing > 0 and (part := stream.read(missing)):
            parts.append(part)
            missing -= len(part)
        yield b"".join(parts)


def blocks_of_lines(pieces: Iterable[bytes], limits: CsvLimits) -> Iterator[Block]:
    """The file's lines in blocks, without byte order mark and without blank lines at the end.

    pieces   the file in order, each piece no longer than a line may be
    Raises InvalidCsv for a blank line between others, TooLarge for a line too long.
    """
    line = 1
    blank: int | None = None
    for lines, line_feed in _whole_lines(pieces, limits.line_length):
        first_end = lines.find(b"\n")
        if (first_end if first_end >= 0 else len(lines)) > limits.line_length:
            raise line_too_long(line, limits)
        whole = lines.removeprefix(BYTE_ORDER_MARK) if line == 1 else lines
        text = _without_blank_end(whole, line_feed)
        if text:
            if blank:
                raise blank_line(blank)
            block = Block(line, text)
            yield block
            line += block.n_lines
        blank_lines = whole.count(b"\n", len(text)) + len(line_feed) - bool(text)
        if blank_lines > 0:
            blank = blank or line
            line += blank_lines


def _whole_lines(pieces: Iterable[bytes], line_length: int) -> Iterator[tuple[bytes, bytes]]:
    """Lines up to a line feed, and that line feed, or none after the end of the file.

    A line longer than allowed comes unfinished, to be refused.
    """
    begun = b""
    for piece in pieces:
        end = piece.rfind(b"\n")
        if end < 0:
            begun += piece
        else:
            yield b"".join((begun, memoryview(piece)[:end])), b"\n"
            begun = piece[end + 1 :]
        if len(begun) > line_length:
            break
    if begun:
        yield begun, b""


def _without_blank_end(text: bytes, line_feed: bytes) -> bytes:
    """The text without its last line break and without blank lines after its last row."""
    rows = text.rstrip(b" \t\r\n")
    end = text[len(rows) :] + line_feed
    # A carriage return that no line feed follows is an error, and stays to be found.
    stray = end.replace(b"\r\n", b"\n\n").rfind(b"\r") + 1
    return rows + end[:stray] if stray else rows


def blank_line(line: int) -> InvalidCsv:
    return InvalidCsv(
        f"line {line} is blank; blank lines are allowed only at the end of the file", line=line
    )


def line_too_long(line: int, limits: CsvLimits) -> TooLarge:
    return TooLarge(
        f"line {line} is longer than the {limits.line_length:,} bytes a line may have", line=line
    )
