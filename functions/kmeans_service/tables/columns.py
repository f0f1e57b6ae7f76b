"""The used columns of a table as arrays: C reads the rows, the grammar each row that C leaves."""

from collections.abc import Iterator, Sequence
from ctypes import byref, c_size_t, c_uint64
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from kmeans_service import config
from kmeans_service.arrays import Array
from kmeans_service.tables.bytes_in import Source
from kmeans_service.tables.cells import FIRST_BOOLEAN, Kind, is_missing_text, kind_and_value
from kmeans_service.tables.csv_lines import BLOCK_BYTES, CsvLimits, csv_limits
from kmeans_service.tables.dialect import Dialect
from kmeans_service.tables.grammar import (
    Cell,
    Format,
    check_width,
    read_row,
    shown,
    surplus_of,
    too_many_rows,
)
from kmeans_service.tables.library import c_format, library
from kmeans_service.tables.refusals import cell_too_long, refusal
from kmeans_service.tables.survey import Block, blocks
from kmeans_service.tables.table import text_pieces


class Role(IntEnum):
    """What is read of a cell; as `enum role` of csv_columns.c has it."""

    SKIPPED = 0
    NUMBER = 1
    BOOLEAN = 2
    LEVEL = 3


@dataclass(frozen=True, slots=True)
class Layout:
    """What is read of each row.

    roles    of its cells, in the file's order
    levels   for each cell with the role LEVEL the texts that are known, in order
    """

    roles: tuple[Role, ...]
    levels: tuple[tuple[str, ...], ...] = ()

    @property
    def n_used(self) -> int:
        return sum(role != Role.SKIPPED for role in self.roles)


class ColumnReader:
    """Reads rows of the layout: numbers as they are, NaN for a missing cell, 1 and 0 for booleans.

    A level is its index, -1 if it is none of the known ones, and NaN if it is missing.

    most_known   ways to write a level that are kept in mind, of each column; None: all
    """

    most_known: int | None = 10_000

    def __init__(self, layout: Layout, format: Format, line: int) -> None:
        self.layout, self.format = layout, format
        self._line = c_uint64(line)
        self._roles = bytes(layout.roles)
        used = [role for role in layout.roles if role != Role.SKIPPED]
        self._level_places = [place for place, role in enumerate(used) if role == Role.LEVEL]
        self.known: list[dict[bytes, float]] = [
            {level.encode(): float(index) for index, level in enumerate(levels)}
            for levels in layout.levels
        ]
        self.n_rows = 0

    @property
    def line(self) -> int:
        """Of what is read next."""
        return self._line.value

    def read(self, block: Block, room: Array, ends: Array | None = None) -> int:
        """Fills the room, shape (any, n_used), with rows of the block; returns how many.

        ends    filled with the ends of the rows, as `read_numbered` gives them
        It stops before a row that is not whole, and where the room is full.
        """
        filled, begin = 0, c_size_t(block.begin)
        format = c_format(self.format, whole=block.whole)
        while begin.value < len(block.text) and filled < len(room):
            rows = room[filled : filled + self.format.limits.rows - self.n_rows]
            behind = None if ends is None else ends[filled:]
            n_rows = self._read(block.text, begin, format, rows, behind)
            filled += n_rows
            self.n_rows += n_rows
            if begin.value >= len(block.text) or filled == len(room):
                break
            line = self._line.value
            row = read_row(block.text, begin.value, self.format, line, whole=block.whole)
            if row is None:
                break
            if row.cells:
                if self.n_rows >= self.format.limits.rows:
                    raise too_many_rows(line, self.format.limits)
                room[filled] = self._values(check_width(row, self.format.n_cells, line))
                if ends is not None:
                    surplus = surplus_of(block.text, begin.value, row, self.format)
                    ends[filled] = line + row.n_lines, surplus
                filled += 1
                self.n_rows += 1
            self._line.value += row.n_lines
            begin.value = row.end
        block.begin = begin.value
        return filled

    def _read(
        self, text: bytes, begin: c_size_t, format: object, rows: Array, ends: Array | None
    ) -> int:
        # Each cell but a row's last has a delimiter behind it.
        rows = rows[: 1 + (len(text) - begin.value) // self.format.n_cells]
        levels = np.empty((len(rows), len(self._level_places), 2), dtype=np.uint64)
        n_rows: int = library().read_columns(
            text,
            len(text),
            byref(begin),
            byref(format),  # type: ignore[arg-type]
            self._roles,
            byref(self._line),
            rows.ctypes.data,
            levels.ctypes.data,
            None if ends is None else ends.ctypes.data,
            len(rows),
        )
        for index, place in enumerate(self._level_places):
            known = self.known[index]
            spans = levels[:n_rows, index].tolist()
            rows[:n_rows, place] = [
                self._level(text[start : start + length], known) for start, length in spans
            ]
        return n_rows

    def _level(self, content: bytes, known: dict[bytes, float]) -> float:
        found = known.get(content)
        if found is None:
            found = self._unknown_level(content, known)
            if self.most_known is None or len(known) < self.most_known:
                known[content] = found
        return found

    def _unknown_level(self, content: bytes, known: dict[bytes, float]) -> float:
        """A text that is none of the levels as it is written: missing, quoted twice, or new."""
        text = content.replace(b'""', b'"')
        if is_missing_text(text.decode("utf-8", "replace"), self.format.decimal):
            return float("nan")
        return known.get(text, -1.0)

    def _values(self, cells: Sequence[Cell]) -> list[float]:
        values = []
        levels = iter(self.known)
        for column, (cell, role) in enumerate(zip(cells, self.layout.roles, strict=True), start=1):
            if role == Role.LEVEL:
                values.append(self._level(cell.content, next(levels)))
            elif role != Role.SKIPPED:
                values.append(self._value(cell, role, column))
        return values

    def _value(self, cell: Cell, role: Role, column: int) -> float:
        text = cell.content.decode("utf-8", "replace")
        kind, value = kind_and_value(text, self.format.decimal)
        line = self._line.value + cell.down
        if kind == Kind.NUMBER:
            if len(cell.content) > self.format.limits.cell_length:
                raise cell_too_long(line, column, self.format.limits)
            return value
        if kind in (Kind.EMPTY, Kind.MISSING):
            return float("nan")
        if role == Role.BOOLEAN and kind >= FIRST_BOOLEAN:
            return float((kind - FIRST_BOOLEAN) % 2 == 0)
        raise refusal(f"{shown(cell.content)} is no number", line, column)


def cells_of_header(source: Source, dialect: Dialect) -> int:
    """How many cells the header of a file has; there may be fewer names than cells in a row."""
    limits = csv_limits()
    format = Format(dialect.n_cells, dialect.delimiter, dialect.decimal, limits)
    size = min(BLOCK_BYTES, limits.line_length)
    for block in blocks(text_pieces(source, dialect, size, config.limits().file_bytes)):
        header = read_row(block.text, 0, format, dialect.skipped + 1, whole=block.whole)
        if header is not None:
            return len(header.cells)
    return 0


def read_columns(
    source: Source,
    dialect: Dialect,
    layout: Layout,
    n_rows: int,
    limits: CsvLimits | None = None,
    block_bytes: int = BLOCK_BYTES,
) -> Array:
    """All rows, shape (n_rows, n_used), of a file that was found to have so many."""
    X = np.empty((n_rows, layout.n_used))
    return X[: fill(X, source, dialect, layout, limits, block_bytes)]


def fill(
    room: Array,
    source: Source,
    dialect: Dialect,
    layout: Layout,
    limits: CsvLimits | None = None,
    block_bytes: int = BLOCK_BYTES,
) -> int:
    """As `read_columns`, into rows that are there already; returns how many."""
    filled = 0
    for reader, block in begun(source, dialect, layout, limits, block_bytes):
        filled += reader.read(block, room[filled:])
    return filled


def read_blocks(
    source: Source,
    dialect: Dialect,
    layout: Layout,
    limits: CsvLimits | None = None,
    block_bytes: int = BLOCK_BYTES,
) -> Iterator[Array]:
    """The rows of a file of any size, as arrays of shape (some, n_used)."""
    for rows, _ in read_numbered(source, dialect, layout, limits, block_bytes):
        yield rows


def read_numbered(
    source: Source,
    dialect: Dialect,
    layout: Layout,
    limits: CsvLimits | None = None,
    block_bytes: int = BLOCK_BYTES,
) -> Iterator[tuple[Array, Array]]:
    """As `read_blocks`, and where each row ends, shape (some, 2), uint64.

    That is the number of the line behind it, and how many bytes stand between its last cell and its
    line break: delimiters too many, and blanks.
    """
    for reader, block in begun(source, dialect, layout, limits, block_bytes):
        yield from rooms(reader, block, dialect)


def rooms(reader: ColumnReader, block: Block, dialect: Dialect) -> Iterator[tuple[Array, Array]]:
    """All rows of a block, as arrays of shape (some, n_used), and where they end."""
    while True:
        most = 1 + (len(block.text) - block.begin) // dialect.n_cells
        room, ends = np.empty((most, reader.layout.n_used)), np.empty((most, 2), dtype=np.uint64)
        n_rows = reader.read(block, room, ends)
        if n_rows:
            yield room[:n_rows], ends[:n_rows]
        if n_rows < most:
            break


def begun(
    source: Source,
    dialect: Dialect,
    layout: Layout,
    limits: CsvLimits | None,
    block_bytes: int,
    made: type[ColumnReader] = ColumnReader,
) -> Iterator[tuple[ColumnReader, Block]]:
    """A reader and the blocks that it is to read, the header behind it."""
    limits = limits or csv_limits()
    size = min(block_bytes, limits.line_length)
    format = Format(dialect.n_cells, dialect.delimiter, dialect.decimal, limits)
    line = dialect.skipped + 1
    reader = None if dialect.header else made(layout, format, line)
    # The digest of a file is checked where it is stored: a size needs no second bound here.
    for block in blocks(text_pieces(source, dialect, size, config.limits().file_bytes)):
        if reader is None:
            header = read_row(block.text, 0, format, line, whole=block.whole)
            if header is None:
                continue
            block.begin = header.end
            reader = made(layout, format, line + header.n_lines)
        yield reader, block
