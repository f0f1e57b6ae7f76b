"""Single rows of a file, as it has them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from kmeans_service import config
from kmeans_service.tables.bytes_in import Source
from kmeans_service.tables.columns import ColumnReader, Layout, Role
from kmeans_service.tables.csv_lines import BLOCK_BYTES, csv_limits
from kmeans_service.tables.grammar import Format, read_row
from kmeans_service.tables.survey import Block, blocks
from kmeans_service.tables.table import Table, text_pieces


@dataclass(frozen=True, slots=True)
class FileRow:
    """line    from 1, where the row begins; `cells` are the texts of its cells"""

    line: int
    cells: tuple[str, ...]


def file_rows(source: Source, table: Table, wanted: Iterable[int]) -> dict[int, FileRow]:
    """The rows with these indices, from 0, in one pass over the file."""
    return dict(_Finder(table, sorted(set(wanted))).found(source))


class _Finder:
    """Passes over rows as they are counted, and reads those that are wanted."""

    def __init__(self, table: Table, wanted: list[int]) -> None:
        dialect = table.dialect
        self._table, self._wanted = table, wanted
        self._format = Format(dialect.n_cells, dialect.delimiter, dialect.decimal, csv_limits())
        layout = Layout((Role.SKIPPED,) * dialect.n_cells)
        self._reader = ColumnReader(layout, self._format, table.first_line)

    def found(self, source: Source) -> Iterator[tuple[int, FileRow]]:
        begun = not self._table.dialect.header
        most = config.limits().file_bytes
        for block in blocks(text_pieces(source, self._table.dialect, BLOCK_BYTES, most)):
            if not begun:
                begun = self._pass_header(block)
            if begun:
                yield from self._in(block)
            if not self._wanted:
                return

    def _pass_header(self, block: Block) -> bool:
        line = self._table.dialect.skipped + 1
        header = read_row(block.text, 0, self._format, line, whole=block.whole)
        block.begin = header.end if header else 0
        return header is not None

    def _in(self, block: Block) -> Iterator[tuple[int, FileRow]]:
        while self._wanted:
            left = self._wanted[0] - self._reader.n_rows
            if self._reader.read(block, np.empty((left, 0))) < left:
                return
            row = self._read(block)
            if row is None:
                return
            yield self._wanted.pop(0), row

    def _read(self, block: Block) -> FileRow | None:
        """The next row that has cells; None where it is not whole."""
        at, line = block.begin, self._reader.line
        while row := read_row(block.text, at, self._format, line, whole=block.whole):
            if row.cells:
                cells = row.cells[: self._format.n_cells]
                return FileRow(line, tuple(cell.text for cell in cells))
            at, line = row.end, line + row.n_lines
        return None
