"""The text of a span: in UTF-8, from where its first row begins to where its last one ends."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from distributed import parquet
from distributed.spans import Open, Span, Text
from kmeans_service.tables.bytes_in import (
    END_BYTES,
    decoded,
    end_mark_begins,
    unpacked,
    without_end_mark,
)
from kmeans_service.tables.csv_lines import BLOCK_BYTES, CsvLimits
from kmeans_service.tables.dialect import Dialect
from kmeans_service.tables.grammar import Format
from kmeans_service.tables.survey import Block, blocks


class Source(Protocol):
    """Files, in the order of their rows."""

    def opened(self, file: int) -> Open: ...


@dataclass(frozen=True, slots=True)
class Written:
    """How the files are written.

    sizes       bytes of each
    begins      place of the first row of data, in each
    lines       before it
    wholes      whether each is one span: packed, or its line breaks are no single bytes
    most_bytes  that one may unpack to
    is_parquet  whether a span is a group of rows: its number, and the next one
    """

    source: Source
    dialect: Dialect
    limits: CsvLimits
    sizes: tuple[int, ...]
    begins: tuple[int, ...]
    lines: tuple[int, ...]
    wholes: tuple[bool, ...]
    most_bytes: int
    is_parquet: bool = False

    @property
    def format(self) -> Format:
        dialect = self.dialect
        return Format(dialect.n_cells, dialect.delimiter, dialect.decimal, self.limits)


class Rows:
    """The rows of a span, a block of text at a time."""

    def __init__(self, written: Written, span: Span) -> None:
        self._written, self._span = written, span
        size = written.sizes[span.file]
        self._opened = written.source.opened(span.file)
        self._text = Text(self._opened, span, size, written.limits.line_length)
        self._raw_bytes = self._left = 0
        self.n_bytes = 0  # of its text in UTF-8, so far

    @property
    def begin(self) -> int:
        """Where the first row begins, once it was read."""
        return self._text.begin

    @property
    def end(self) -> int:
        """Where the last row ends, once all were read."""
        if self._span.is_last:
            return self._span.end
        return self.begin + self._raw_bytes - self._left

    def blocks(self) -> Iterator[Block]:
        """Whoever reads them sets `begin` of each to where it has stopped."""
        for block in blocks(self._measured()):
            block.whole = block.whole and self._span.is_last
            yield block
            left = block.text[block.begin :]
            # What is left is in UTF-8, and the file may be in Windows-1252.
            utf8 = self._written.dialect.encoding != "windows-1252"
            self._left = len(left) if utf8 else len(left.decode())

    def _measured(self) -> Iterator[bytes]:
        for piece in self.pieces():
            self.n_bytes += len(piece)
            yield piece

    def pieces(self) -> Iterator[bytes]:
        written = self._written
        if written.is_parquet:
            size = written.sizes[self._span.file]
            return parquet.text_of_group(self._opened, size, self._span.begin)
        if written.wholes[self._span.file]:
            return self._of_whole_file()
        text = decoded(self._counted(), written.dialect.encoding, begins=False)
        return without_end_mark(text) if self._span.is_last else text

    def _counted(self) -> Iterator[bytes]:
        for piece in self._text.pieces():
            self._raw_bytes += len(piece)
            yield piece

    def _of_whole_file(self) -> Iterator[bytes]:
        written, file = self._written, self._span.file
        size = min(BLOCK_BYTES, written.limits.line_length)
        raw = unpacked(self._text.pieces(), size, written.most_bytes)
        text = decoded(raw, written.dialect.encoding)
        if written.dialect.old_mac:
            text = (piece.replace(b"\r", b"\n") for piece in text)
        return _behind_lines(without_end_mark(text), written.lines[file])


def _behind_lines(text: Iterator[bytes], lines: int) -> Iterator[bytes]:
    for piece in text:
        rest = piece
        while lines and (end := rest.find(b"\n")) >= 0:
            rest, lines = rest[end + 1 :], lines - 1
        if not lines and rest:
            yield rest


def last_cut(opened: Open, size: int) -> int:
    """Where a file may be cut at the latest: before the mark that DOS ended its files with."""
    begin = max(0, size - END_BYTES)
    end = opened(begin, size).read(size - begin) if size else b""
    mark = end_mark_begins(end)
    return size if mark is None else begin + mark
