"""The grammar of a table's rows in the plainest words, a character at a time: what the service's
own ways to read it are held to. It shares nothing with them but the words for missing."""

import re
from dataclasses import dataclass, field

from kmeans_service.tables.cells import BOOLEANS, MISSING_WORDS

MISSING, OTHER = "missing", "other"
type Value = float | str | tuple[str, bool]
"""A number; MISSING; a boolean as the first word of its pair, and which it is; else OTHER."""


class FaultAtError(Exception):
    """The first place that breaks the grammar."""

    def __init__(self, line: int, column: int) -> None:
        super().__init__(line, column)
        self.place = line, column


@dataclass
class Row:
    line: int
    texts: list[str] = field(default_factory=list)
    quoted: list[bool] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)


def rows(text: str, delimiter: str, n_cells: int, line: int = 1) -> list[Row]:
    """The rows of the text; raises FaultAtError."""
    found: list[Row] = []
    at = 0
    while at < len(text):
        blank = _blank_line(text, at, delimiter)
        if blank is not None:
            at, line = blank, line + 1
            continue
        row, at, line = _row(text, at, delimiter, line)
        _check_width(row, n_cells)
        found.append(row)
    return found


def _blank_line(text: str, at: int, delimiter: str) -> int | None:
    while at < len(text) and text[at] in " \t" + delimiter:
        at += 1
    return _line_break(text, at)


def _line_break(text: str, at: int) -> int | None:
    while at < len(text) and text[at] == "\r":
        at += 1
    if at == len(text):
        return at
    return at + 1 if text[at] == "\n" else None


def _skip(text: str, at: int, delimiter: str) -> int:
    blanks = " " if delimiter == "\t" else " \t"
    while at < len(text) and text[at] in blanks:
        at += 1
    return at


def _row(text: str, at: int, delimiter: str, line: int) -> tuple[Row, int, int]:
    row = Row(line)
    while True:
        at = _skip(text, at, delimiter)
        cell_line = line
        if text[at : at + 1] == '"':
            content, at = _quoted(text, at, line, len(row.texts) + 1)
            line += content.count("\n")
            row.quoted.append(True)
        else:
            begin = at
            stops = delimiter + "\r\n\0" + ("\t" if delimiter == " " else "")
            while at < len(text) and text[at] not in stops:
                at += 1
            content = text[begin:at]
            row.quoted.append(False)
        row.texts.append(content.strip(" \t"))
        row.lines.append(cell_line)
        before, at = at, _skip(text, at, delimiter)
        if text[at : at + 1] == delimiter:
            at += 1
            continue
        end = _line_break(text, at)
        if end is not None:
            return row, end, line + 1
        if delimiter == " " and at > before:
            continue
        raise FaultAtError(line, len(row.texts))


def _quoted(text: str, at: int, line: int, column: int) -> tuple[str, int]:
    """What stands between the quotes, doubled ones as they are, and where it goes on."""
    begin = at + 1
    at = begin
    while at < len(text):
        if text[at] != '"':
            at += 1
        elif text[at + 1 : at + 2] == '"':
            at += 2
        else:
            return text[begin:at], at + 1
    raise FaultAtError(line, column)


def _check_width(row: Row, n_cells: int) -> None:
    surplus = zip(row.texts[n_cells:], row.quoted[n_cells:], strict=True)
    if len(row.texts) < n_cells:
        raise FaultAtError(row.line, len(row.texts) + 1)
    if any(text or quoted for text, quoted in surplus):
        raise FaultAtError(row.line, n_cells + 1)


def value_of(cell: str, mark: str) -> Value:
    text = cell.strip(" \t\xa0")
    if text in MISSING_WORDS:
        return MISSING
    for pair in BOOLEANS:
        if text in pair:
            return pair[0], text == pair[0]
    point = re.escape(mark)
    if re.fullmatch(f"[+-]?([0-9]+({point}[0-9]*)?|{point}[0-9]+)([eE][+-]?[0-9]+)?", text):
        value = float(text.replace(mark, "."))
        return value + 0.0 if abs(value) <= 1e100 else OTHER
    return OTHER if any(character.isalnum() for character in text) else MISSING
