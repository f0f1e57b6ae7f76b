"""The one grammar of a CSV file, checked at the speed of C and without NumPy.

    file    = [BOM] [header EOL] row *(EOL row) *(EOL blank)
    header  = name *("," name)              as many names as the rows have cells
    row     = cell *("," cell)
    cell    = WS (number / DQUOTE number DQUOTE) WS
    number  = [+-] (digits ["." *digit] / "." digits) [("e" / "E") [+-] digits]
    name    = WS (text / DQUOTE quoted-text DQUOTE) WS
    EOL     = LF / CRLF          WS = *(SP / HTAB)          blank = WS

The encoding is UTF-8, digits are ASCII, no number is beyond 1e100 in magnitude. Names are not
empty and no two are the same; in a quoted one, a quote is written twice and a comma is text, but
a line never breaks. What reads as a number elsewhere (nan, inf, 1_000) is no name either: a file
of measurements must not lose its first row to a header it does not have.

`check` and `tables/dataset.py` accept and refuse the same files with the same words, as
both leave each line to `CsvRows.read` that their fast way does not vouch for.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, islice
from typing import NoReturn

from kmeans_service.config import MAX_MAGNITUDE
from kmeans_service.errors import InvalidCsv, TooLarge, quoted
from kmeans_service.streams import ByteStream
from kmeans_service.tables.csv_lines import (
    BLOCK_BYTES,
    Block,
    CsvLimits,
    blank_line,
    blocks_of_lines,
    csv_limits,
    pieces_from,
    pieces_of,
)
from kmeans_service.tables.csv_refusals import (
    QUOTED_TEXT,
    bad_cell,
    fault_of,
    shown,
)
from kmeans_service.tables.refusals import cell_too_long, count, refusal

_DECIMAL = r"(?:[0-9]++(?:\.[0-9]*+)?+|\.[0-9]++)"
_NUMBER = re.compile(rf'("?)([+-]?{_DECIMAL}(?:[eE][+-]?[0-9]++)?)\1')
_TEXT_CELL = re.compile(r'([ \t]*+"(?:[^"]++|"")*+"[ \t]*+|[^,]*+)(,|\Z)')


@dataclass(frozen=True, slots=True)
class CsvShape:
    """What a valid file holds; `feature_names` of None means that it has no header."""

    feature_names: tuple[str, ...] | None
    n_samples: int
    n_features: int


def check(body: bytes | memoryview, limits: CsvLimits | None = None) -> CsvShape:
    """The shape of a CSV file; raises InvalidCsv or TooLarge that name line and column."""
    rows = open_csv(body, limits)
    n_samples = 0
    for block in rows.blocks:
        rows.verify(block)
        n_samples += block.n_lines
    return CsvShape(rows.feature_names, n_samples, rows.n_features)


@dataclass(frozen=True, slots=True)
class CsvRows:
    """A file whose first line is read; `blocks` yields the rows, header excluded, unverified."""

    feature_names: tuple[str, ...] | None
    n_features: int
    blocks: Iterator[Block]
    limits: CsvLimits

    def matches(self, text: bytes) -> bool:
        """Whether these are rows without anything unusual; False calls for `read`."""
        return _rows_pattern(self.n_features).fullmatch(text) is not None

    def verify(self, block: Block) -> None:
        """Raises for the first place in the block that breaks the grammar."""
        if not self.matches(block.text):
            for line, text in block.lines():
                if not self.matches(text):
                    self._read_row(line, text)

    def read(self, line: int, text: bytes) -> list[float]:
        """The numbers of one line; raises for the first place in it that breaks the grammar.

        Every number is the one nearest to its decimal form, as `float` reads it.
        """
        if self.matches(text):
            return list(map(float, text.replace(b'"', b"").split(b",")))
        return self._read_row(line, text)

    def _read_row(self, line: int, row: bytes) -> list[float]:
        text = _decoded(row)
        if not text.strip(" \t"):
            raise blank_line(line)
        values = []
        for column, cell in enumerate(_cells(text), start=1):
            if column > self.n_features:
                self._refuse_row(line, sum(1 for _ in _cells(text)), column)
            values.append(_number(cell, line, column, self.limits))
        if len(values) < self.n_features:
            self._refuse_row(line, len(values), len(values) + 1)
        return values

    def _refuse_row(self, line: int, found: int, column: int) -> NoReturn:
        raise InvalidCsv(
            f"line {line} has {count(found, 'cell')}, the first line has {self.n_features}",
            line=line,
            column=column,
        )


def open_csv(
    source: bytes | memoryview | ByteStream,
    limits: CsvLimits | None = None,
    block_bytes: int = BLOCK_BYTES,
) -> CsvRows:
    """The file with its first line read and the rest to come; raises InvalidCsv or TooLarge.

    limits   None for those of this deployment
    """
    limits = limits or csv_limits()
    size = min(block_bytes, limits.line_length)
    if isinstance(source, bytes | memoryview):
        pieces = pieces_of(source, size)
    else:
        pieces = pieces_from(source, size)
    blocks = blocks_of_lines(pieces, limits)
    first = next(blocks, None)
    if first is None:
        raise InvalidCsv("the file is empty; it needs at least one row of numbers", line=1)
    head, line_break, rest = first.text.partition(b"\n")
    names, n_features = _read_first_line(head.removesuffix(b"\r") if line_break else head, limits)
    if names is None:
        rows = chain([first], blocks)
    else:
        rows = chain([Block(2, rest)] if rest else [], blocks)
    return CsvRows(names, n_features, _some_rows(_within_limit(rows, limits)), limits)


@lru_cache(maxsize=64)
def _rows_pattern(n_features: int) -> re.Pattern[bytes]:
    """Rows of this many cells whose numbers are plainly shorter and smaller than the limits.

    No step of it can be undone, so that it takes time in proportion to the text. Up to 20 digits
    before the point and an exponent up to 79 stay below 1e100.
    """
    decimal = r"[+-]?+(?:[0-9]{1,20}+(?:\.[0-9]{0,100}+)?+|\.[0-9]{1,100}+)"
    number = rf"{decimal}(?:[eE](?:-[0-9]{{1,3}}+|\+?+(?:[0-7][0-9]|[0-9])))?+"
    cell = rf'[ \t]*+(?:{number}|"{number}")[ \t]*+'
    row = rf"{cell}(?:,{cell}){{{n_features - 1}}}+"
    return re.compile(rf"{row}(?:\r?+\n{row})*+".encode())


def _some_rows(blocks: Iterator[Block]) -> Iterator[Block]:
    first = next(blocks, None)
    if first is None:
        raise InvalidCsv("the file has a header and no rows of numbers after it", line=2)
    yield first
    yield from blocks


def _within_limit(blocks: Iterator[Block], limits: CsvLimits) -> Iterator[Block]:
    """The blocks up to the row that is one too many, then TooLarge."""
    left = limits.rows
    for block in blocks:
        # A row has two bytes at least, so most blocks need not be counted before they are read.
        if len(block.text) // 2 >= left and block.n_lines > left:
            lines = block.text.split(b"\n", left + 1)
            if left:
                yield Block(block.line, b"\n".join(lines[:left]).removesuffix(b"\r"))
            line = block.line + left
            if not lines[left].strip(b" \t\r"):
                raise blank_line(line)
            raise TooLarge(f"more than the {limits.rows:,} rows a file may have", line=line)
        yield block
        left -= block.n_lines


def _cells(text: str) -> Iterator[str]:
    """The cells of a line as they are written, without the spaces around them."""
    end = 0
    separator = ","
    while separator and (cell := _TEXT_CELL.match(text, end)):
        yield cell[1].strip(" \t")
        end, separator = cell.end(), cell[2]


def _decoded(line: bytes) -> str:
    """The line's text, in which bytes that are not UTF-8 become lone surrogates."""
    return line.decode("utf-8", "surrogateescape")


def _number(cell: str, line: int, column: int, limits: CsvLimits) -> float:
    if len(cell) > limits.cell_length:
        raise cell_too_long(line, column, limits)
    found = _NUMBER.fullmatch(cell)
    if not found:
        raise bad_cell(cell, line, column)
    value = float(found[2])
    if abs(value) > MAX_MAGNITUDE:
        raise refusal(f"{quoted(cell)} is beyond 1e100 in magnitude", line, column)
    return value


def _read_first_line(line: bytes, limits: CsvLimits) -> tuple[tuple[str, ...] | None, int]:
    """The names, or None where the first line is a row, and the number of columns."""
    text = _decoded(line)
    if not text.strip(" \t"):
        raise blank_line(1)
    cells = list(islice(_cells(text), limits.columns + 1))
    if len(cells) > limits.columns:
        raise TooLarge(f"line 1 has more than the {limits.columns:,} cells a row may have", line=1)
    numeric = [_NUMBER.fullmatch(cell) is not None for cell in cells]
    if all(numeric):
        return None, len(cells)
    if any(numeric):
        column = numeric.index(False) + 1
        raise bad_cell(cells[column - 1], 1, column, hint="; a header has no numbers")
    if len(line.rstrip(b" \t")) > limits.header_length:
        raise TooLarge(
            f"line 1 is longer than the {limits.header_length:,} bytes a header may have", line=1
        )
    return _names(cells, limits), len(cells)


def _names(cells: list[str], limits: CsvLimits) -> tuple[str, ...]:
    columns: dict[str, int] = {}
    for column, cell in enumerate(cells, start=1):
        if len(cell) > limits.cell_length:
            raise cell_too_long(1, column, limits)
        name = _name(cell, column)
        if name in columns:
            raise refusal(f"{quoted(name)} is also the name of column {columns[name]}", 1, column)
        columns[name] = column
    return tuple(columns)


def _name(cell: str, column: int) -> str:
    name = cell
    if '"' in cell:
        if not QUOTED_TEXT.fullmatch(cell):
            raise refusal(f"{shown(cell)} has a quote that does not enclose it", 1, column)
        name = cell[1:-1].replace('""', '"')
    fault = fault_of(name if name.strip() else "")
    if fault or "\0" in name or _is_float_elsewhere(name):
        raise refusal(fault or f"{shown(cell)} is neither a name nor a number", 1, column)
    return name


def _is_float_elsewhere(name: str) -> bool:
    try:
        float(name)
    except ValueError:
        return False
    return True
