"""The row groups of a Parquet file, each as a file of its own, read by its range of bytes.

arrow-rs, as arro3 has it, reads whole files. So a group's bytes are put where they were in a file
that is empty else, before a footer that names this group alone. Of the footer only the list of
groups is taken apart; what it says of columns goes on as it is.

Source: https://parquet.apache.org/docs/file-format/, and Thrift's compact protocol,
https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from distributed.spans import Open
from kmeans_service.errors import InvalidCsv
from kmeans_service.tables.csv_lines import pieces_from

MARK = b"PAR1"
TAIL_BYTES = 8  # the footer's length, and the mark
PIECE_BYTES = 1024**2
MOST_FOOTER_BYTES = 64 * 1024**2

# Of FileMetaData, RowGroup, ColumnChunk and ColumnMetaData, in parquet.thrift.
ROW_GROUPS = 4
COLUMNS, N_ROWS = 1, 3
META_DATA = 3
PACKED_BYTES, DATA, DICTIONARY = 7, 9, 11


@dataclass(frozen=True, slots=True)
class RowGroup:
    """Where its bytes lie, and a footer that names it alone."""

    begin: int
    end: int
    n_rows: int
    footer: bytes

    def write(self, opened: Open, path: Path) -> None:
        """A file that has this group where it was, and no other."""
        with path.open("wb") as file:
            file.write(MARK)
            if self.end > self.begin:
                file.seek(self.begin)
                for piece in pieces_from(opened(self.begin, self.end), PIECE_BYTES):
                    file.write(piece)
            file.write(self.footer)
            file.write(len(self.footer).to_bytes(4, "little") + MARK)


def row_groups(opened: Open, size: int) -> list[RowGroup]:
    """Those of a file of so many bytes, of one without rows a group that has none.

    Raises InvalidCsv for a footer that cannot be read.
    """
    footer = _footer(opened, size)
    try:
        return list(_taken_apart(footer, size)) or [RowGroup(0, 0, 0, footer)]
    except (IndexError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise InvalidCsv("the Parquet file cannot be read: its footer is damaged") from error


def _footer(opened: Open, size: int) -> bytes:
    tail = b"" if size < TAIL_BYTES else _read(opened, size - TAIL_BYTES, size)
    length = int.from_bytes(tail[:4], "little")
    if tail[4:] != MARK or length + TAIL_BYTES > size:
        raise InvalidCsv("the Parquet file is cut off, encrypted or damaged: it has no footer")
    if length > MOST_FOOTER_BYTES:
        raise InvalidCsv(f"the Parquet file has a footer of {length:,} bytes, which is no table's")
    return _read(opened, size - TAIL_BYTES - length, size - TAIL_BYTES)


def _read(opened: Open, begin: int, end: int) -> bytes:
    return b"".join(pieces_from(opened(begin, end), PIECE_BYTES))


def _taken_apart(footer: bytes, size: int) -> Iterator[RowGroup]:
    compact = _Compact(footer)
    where = compact.struct_places()[ROW_GROUPS]
    begin, groups = compact.items(where)
    after = groups[-1][1] if groups else begin
    for first, last in groups:
        found = _Compact(footer, first).struct()
        chunks = [chunk[META_DATA] for chunk in found.get(COLUMNS, [])]
        starts = [chunk.get(DICTIONARY) or chunk[DATA] for chunk in chunks]
        starts = [min(start, chunk[DATA]) for start, chunk in zip(starts, chunks, strict=True)]
        ends = [at + chunk[PACKED_BYTES] for at, chunk in zip(starts, chunks, strict=True)]
        if not starts or min(starts) < len(MARK) or max(ends) > size - len(footer) - TAIL_BYTES:
            raise ValueError("a group lies outside of the file")
        one = bytes([0x10 | _STRUCT]) + footer[first:last]
        yield RowGroup(min(starts), max(ends), found[N_ROWS], footer[:where] + one + footer[after:])


_TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = 1, 2, 3, 7, 8, 9, 10, 11, 12


class _Compact:
    """Values of Thrift's compact protocol, from a place on; a struct is a dict by field numbers."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        self._data, self._at = data, at

    def struct(self) -> dict[int, Any]:
        return {field: self._value(kind) for field, kind in self._fields()}

    def struct_places(self) -> dict[int, int]:
        """Where the value of each field begins."""
        places = {}
        for field, kind in self._fields():
            places[field] = self._at
            self._value(kind)
        return places

    def items(self, at: int) -> tuple[int, list[tuple[int, int]]]:
        """Where the first item of a list of structs begins, and where each begins and ends."""
        self._at = at
        n, _ = self._size()
        begin, found = self._at, []
        for _ in range(n):
            first = self._at
            self.struct()
            found.append((first, self._at))
        return begin, found

    def _fields(self) -> Iterator[tuple[int, int]]:
        field = 0
        while head := self._byte():
            delta = head >> 4
            field = field + delta if delta else self._zigzag()
            yield field, head & 15

    def _value(self, kind: int) -> Any:
        match kind:
            case 1 | 2:
                return kind == _TRUE
            case 3:
                return self._byte()
            case 4 | 5 | 6:
                return self._zigzag()
            case 7:
                return self._bytes(8)
            case 8:
                return self._bytes(self._varint())
            case 9 | 10:
                n, of = self._size()
                return [self._item(of) for _ in range(n)]
            case 11:
                return self._map()
            case 12:
                return self.struct()
        raise ValueError(f"there is no kind {kind}")

    def _item(self, kind: int) -> Any:
        """In a list, a boolean is a byte."""
        return self._byte() == _TRUE if kind in (_TRUE, _FALSE) else self._value(kind)

    def _map(self) -> dict[Any, Any]:
        n = self._varint()
        kinds = self._byte() if n else 0
        return {self._item(kinds >> 4): self._item(kinds & 15) for _ in range(n)}

    def _size(self) -> tuple[int, int]:
        head = self._byte()
        n = head >> 4
        return (self._varint() if n == 15 else n), head & 15

    def _byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1]

    def _bytes(self, n: int) -> bytes:
        begin, self._at = self._at, self._at + n
        if self._at > len(self._data):
            raise ValueError("it ends too early")
        return self._data[begin : self._at]

    def _varint(self) -> int:
        value = shift = 0
        while (byte := self._byte()) & 0x80:
            value |= (byte & 0x7F) << shift
            shift += 7
        return value | byte << shift

    def _zigzag(self) -> int:
        value = self._varint()
        return value >> 1 ^ -(value & 1)
