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
from functools import cache
from typing import NoReturn

from kmeans_service.csv_lines import CsvLimits
from kmeans_service.errors import InvalidCsv, TooLarge, quoted

_QUOTED = re.compile(rb'"((?:[^"]++|"")*+)"')
_LINE_BREAK = re.compile(rb"\r*+(?:\n|\Z)")


@dataclass(frozen=True, slots=True)
class Format:
    """What a row is made of; as `struct format` of csv_table.c has it."""

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


def _row(text: bytes, begin: int, format: Format, line: int, *, whole: bool) -> Row | None:
    patterns = _patterns(format.delimiter)
    at = patterns.blanks.match(text, begin).end() if format.delimiter == " " else begin  # type: ignore[union-attr]
    blank = patterns.blank_line.match(text, begin)
    if blank:
        if blank.end() < len(text) or text.endswith(b"\n") or whole:
            return Row([], blank.end(), 1)
        return None
    cells: list[Cell] = []
    n_lines = 1
    while True:
        at = patterns.blanks.match(text, at).end()  # type: ignore[union-attr]
        if text[at : at + 1] == b'"':
            found = _QUOTED.match(text, at)
            if not found:
                if whole:
                    raise refusal(
                        f"{shown(text[at : at + 60])} opens a quote that is never closed",
                        line + n_lines - 1,
                        len(cells) + 1,
                    )
                return None
            cells.append(Cell(found[1].strip(b" \t"), quoted=True, down=n_lines - 1))
            n_lines += found[1].count(b"\n")
        else:
            found = patterns.bare.match(text, at)
            cells.append(Cell(found[0].strip(b" \t"), quoted=False, down=n_lines - 1))  # type: ignore[index]
        at = end = found.end()  # type: ignore[union-attr]
        at = patterns.blanks.match(text, at).end()  # type: ignore[union-attr]
        if text[at : at + 1] == format.delimiter.encode():
            at += 1
            continue
        line_break = _LINE_BREAK.match(text, at)
        if line_break:
            if line_break.end() == len(text) and not line_break[0].endswith(b"\n") and not whole:
                return None
            return Row(cells, line_break.end(), n_lines)
        if format.delimiter == " " and at > end:
            continue
        if at == len(text) and not whole:
            return None
        if text[at : at + 1] == b"\r" and not whole and not text[at:].strip(b"\r"):
            return None
        _refuse_behind(text, at, cells, line + n_lines - 1)


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
    if 0 <= first:
        return InvalidCsv(
            f"line {line} opens a quote that is not closed within the {most:,} bytes"
            " that a row may have",
            line=line,
        )
    return TooLarge(f"line {line} is longer than the {most:,} bytes a line may have", line=line)


def shown(content: bytes) -> str:
    return quoted(content.decode("utf-8", "backslashreplace"))


def refusal(what: str, line: int, column: int) -> InvalidCsv:
    return InvalidCsv(f"line {line}, column {column}: {what}", line=line, column=column)


def too_many_rows(line: int, limits: CsvLimits) -> TooLarge:
    return TooLarge(f"more than the {limits.rows:,} rows a file may have", line=line)


def number_too_long(line: int, column: int, limits: CsvLimits) -> TooLarge:
    return TooLarge(
        f"line {line}, column {column}: longer than the {limits.cell_length:,} characters"
        " a cell may have",
        line=line,
        column=column,
    )


def count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
