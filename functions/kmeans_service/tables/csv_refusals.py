"""What is wrong with a cell of a CSV file, in words that name its line and column."""

import re

from kmeans_service.errors import InvalidCsv, quoted
from kmeans_service.tables.refusals import refusal

QUOTED_TEXT = re.compile(r'"(?:[^"]++|"")*+"')
_NOT_UTF8 = re.compile(r"[\udc80-\udcff]")
_OTHER_SEPARATOR = re.compile(r"[0-9][;\t ]")


def fault_of(cell: str) -> str | None:
    """What is wrong with a cell whether it is to be a number or a name."""
    if not cell:
        return "the cell is empty"
    if _NOT_UTF8.search(cell):
        return f"{shown(cell)} is not UTF-8"
    if "\r" in cell:
        return f"{shown(cell)} holds a line break that is neither LF nor CRLF"
    return None


def bad_cell(cell: str, line: int, column: int, hint: str = "") -> InvalidCsv:
    fault = fault_of(cell)
    if fault:
        return refusal(fault, line, column)
    if cell.startswith('"') and not QUOTED_TEXT.match(cell):
        return refusal(f"{shown(cell)} opens a quote that its line does not close", line, column)
    if _OTHER_SEPARATOR.search(cell):
        hint = "; cells are separated by commas"
    what = f"{shown(cell)} is not a finite decimal number such as -1.5 or 2e3"
    return refusal(what + hint, line, column)


def shown(cell: str) -> str:
    return quoted(cell.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace"))
