"""Refusals that every reader of a table says in the same words."""

from kmeans_service.errors import InvalidCsv, TooLarge
from kmeans_service.tables.csv_lines import CsvLimits


def refusal(what: str, line: int, column: int) -> InvalidCsv:
    return InvalidCsv(f"line {line}, column {column}: {what}", line=line, column=column)


def cell_too_long(line: int, column: int, limits: CsvLimits) -> TooLarge:
    return TooLarge(
        f"line {line}, column {column}: longer than the {limits.cell_length:,} characters"
        " a cell may have",
        line=line,
        column=column,
    )


def count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
