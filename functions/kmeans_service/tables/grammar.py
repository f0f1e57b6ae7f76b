"""The grammar of a table's rows, which says of every row what C does not vouch for.

    row    = cell *(delimiter cell) EOL          as many cells as the first row has
    cell   = WS (DQUOTE quoted DQUOTE / bare) WS
    quoted = anything; a quote in it is written twice, a line may break
    bare   = anything but delimiter, CR, LF and NUL; a quote within it is text
    EOL    = *CR LF, or the end of the file      WS = *(SP / HTAB)

Where the delimiter is a space, any run of spaces and tabs is one, and before and after a row it is
none. Rows of nothing but delimiters and WS are passed over. Empty cells behind the last one that a
row should have are passed over too.
"""

import re
from dataclasses import dataclass
from enum import Enum, auto
from functools import cache
from typing import NoReturn

from kmeans_service.errors import InvalidCsv, TooLarge, quoted
from kmeans_service.tables.csv_lines import CsvLimits
from kmeans_service.tables.refusals import count, refusal

_QUOTED = re.compile(rb'"((?:[^"]++|"")*+)"')
_LINE_BREAK = re.compile(rb"\r*+(?:\n|\Z)")


@dataclass(frozen=True, slots=True)
class Format:
    """What a row is made of; as `struct format` of table.h has it."""

    n_cells: int
    delimiter: str
    decimal: str
    limits: CsvLimits


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell's bytes without quotes and blanks around them; doubled quotes are still doubled.

    down    by how many lines it begins below its row
    """

    content: bytes
    quoted: bool
    down: int = 0

    @property
    def text(self) -> str:
        content = self.content.replace(b'""', b'"') if self.quoted else self.content
        return content.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of a row, none where it is passed over, and where the next one begins."""

    cells: list[Cell]
    end: int
    n_lines: int


def read_row(text: bytes, begin: int, format: Format, line: int, *, whole: bool) -> Row | None:
    """The row that begins there; None if the text ends before it does.

    line    its number, for what is refused
    whole   whether the text ends where the file does
    Raises InvalidCsv and TooLarge for the first place that breaks the grammar.
    """
    length = format.limits.line_length + 1
    left = len(text) - begin
    if not whole and left <= length and text.find(b"\n", begin) < 0:
        return None  # as the end of most blocks is
    if left > length:  # no more is looked at, so that the verdict is the same in any block
        text, whole = text[: begin + length + 1], False
    row = _row(text, begin, format, line, whole=whole)
    if left > length and (row is None or row.end - begin > length):
        raise _too_long(text, begin, format, line)
    return row


def check_width(row: Row, n_cells: int, line: int) -> list[Cell]:
    """The cells, as many as there should be."""
    found = len(row.cells)
    surplus = row.cells[n_cells:]
    if found < n_cells or any(cell.content or cell.quoted for cell in surplus):
        raise InvalidCsv(
            f"line {line} has {count(found, 'cell')}, the first line has {n_cells}",
            line=line,
            column=min(found, n_cells) + 1,
        )
    return row.cells[:n_cells]


def surplus_of(text: bytes, begin: int, row: Row, format: Format) -> int:
    """Bytes of the delimiters, and blanks, behind as many cells as a row should have."""
    behind = len(row.cells) - format.n_cells
    if behind <= 0 or format.delimiter == " ":
        return 0
    line = text[begin : row.end].rstrip(b"\r\n")
    cells = line.rsplit(format.delimiter.encode(), behind)[1:]
    return behind + sum(map(len, cells))


def _row(text: bytes, begin: int, format: Format, line: int, *, whole: bool) -> Row | None:
    patterns = _patterns(format.delimiter)
    blank = patterns.blank_line.match(text, begin)
    if blank:
        ended = whole or text[blank.end() - 1 : blank.end()] == b"\n"
        return Row([], blank.end(), 1) if ended else None
    cells: list[Cell] = []
    at, n_lines = begin, 1
    while True:
        found = _cell(text, _end(patterns.blanks, text, at), patterns, n_lines - 1)
        if found is None and not whole:
            return None
        if found is None:
            raise _never_closed(text, at, line + n_lines - 1, len(cells) + 1)
        cell, at = found
        cells.append(cell)
        if len(cells) > format.limits.columns and cell.content:
            raise _too_many_cells(line, format.limits)
        n_lines += cell.content.count(b"\n") if cell.quoted else 0
        after, at = _after(text, at, format, whole=whole)
        if after is _After.END_OF_ROW:
            return Row(cells, at, n_lines)
        if after is _After.END_OF_TEXT:
            return None
        if after is _After.NEITHER:
            _refuse_behind(text, at, cells, line + n_lines - 1)


def _cell(text: bytes, at: int, patterns: "_Patterns", down: int) -> tuple[Cell, int] | None:
    """The cell that begins there, and where it ends; None for one whose quote is not closed."""
    if text[at : at + 1] == b'"':
        quoted = _QUOTED.match(text, at)
        return (Cell(quoted[1].strip(b" \t"), True, down), quoted.end()) if quoted else None
    end = _end(patterns.bare, text, at)
    return Cell(text[at:end].strip(b" \t"), False, down), end


class _After(Enum):
    NEXT_CELL = auto()
    END_OF_ROW = auto()
    END_OF_TEXT = auto()
    NEITHER = auto()


def _after(text: bytes, begin: int, format: Format, *, whole: bool) -> tuple[_After, int]:
    """What stands behind a cell, and where the next one, or the next row, begins."""
    at = _end(_patterns(format.delimiter).blanks, text, begin)
    if text[at : at + 1] == format.delimiter.encode():
        return _After.NEXT_CELL, at + 1
    line_break = _LINE_BREAK.match(text, at)
    if line_break and (whole or line_break[0].endswith(b"\n")):
        return _After.END_OF_ROW, line_break.end()
    if line_break:  # none but carriage returns up to where the text ends
        return _After.END_OF_TEXT, at
    if format.delimiter == " " and at > begin:
        return _After.NEXT_CELL, at
    return _After.NEITHER, at


def _end(pattern: re.Pattern[bytes], text: bytes, begin: int) -> int:
    """Where the match ends of a pattern that always matches."""
    found = pattern.match(text, begin)
    return found.end() if found else begin


def _never_closed(text: bytes, at: int, line: int, column: int) -> InvalidCsv:
    begun = shown(text[at : at + 60].lstrip(b" \t"))
    return refusal(f"{begun} opens a quote that is never closed", line, column)


def _refuse_behind(text: bytes, at: int, cells: list[Cell], line: int) -> NoReturn:
    """Something stands behind a cell that neither ends it nor the row."""
    column = len(cells)
    if text[at : at + 1] == b"\0":
        raise refusal("a NUL byte, which no text has", line, column)
    if text[at : at + 1] == b"\r":
        raise refusal(
            f"{shown(cells[-1].content)} is followed by a line break that is neither LF nor CRLF",
            line,
            column,
        )
    raise refusal(
        f"something stands behind the quote that closes {shown(cells[-1].content)}; "
        "a quote within one is written twice",
        line,
        column,
    )


@dataclass(frozen=True, slots=True)
class _Patterns:
    blanks: re.Pattern[bytes]
    bare: re.Pattern[bytes]
    blank_line: re.Pattern[bytes]


@cache
def _patterns(delimiter: str) -> _Patterns:
    blanks = rb"[ ]*+" if delimiter == "\t" else rb"[ \t]*+"
    ends = {" ": rb" \t"}.get(delimiter, re.escape(delimiter.encode()))
    return _Patterns(
        re.compile(blanks),
        re.compile(rb"[^\r\n\0" + ends + rb"]*+"),
        re.compile(rb"[ \t" + re.escape(delimiter.encode()) + rb"]*+\r*+(?:\n|\Z)"),
    )


def _too_long(text: bytes, begin: int, format: Format, line: int) -> TooLarge | InvalidCsv:
    most = format.limits.line_length
    first = text.find(b"\n", begin, begin + most + 1)
    if first >= 0:
        return InvalidCsv(
            f"line {line} opens a quote that is not closed within the {most:,} bytes"
            " that a row may have",
            line=line,
        )
    return TooLarge(f"line {line} is longer than the {most:,} bytes a line may have", line=line)


def shown(content: bytes) -> str:
    return quoted(content.decode("utf-8", "backslashreplace"))


def _too_many_cells(line: int, limits: CsvLimits) -> TooLarge:
    return TooLarge(
        f"line {line} has more than the {limits.columns:,} cells a row may have", line=line
    )


def too_many_rows(line: int, limits: CsvLimits) -> TooLarge:
    return TooLarge(f"more than the {limits.rows:,} rows a file may have", line=line)
