"""Whether a file's first row holds the names of its columns, and what these are.

A row of numbers is a header only where it is 0 … d-1 without decimal marks, for at least two
columns, and every cell below has a mark: so pandas writes an array. Any other row of numbers is
data: a table must not lose its first row to a header that it does not have.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from kmeans_service.errors import InvalidCsv, quoted
from kmeans_service.tables.cells import FIRST_BOOLEAN, MISSING_WORDS, Kind, kind_and_value
from kmeans_service.tables.csv_lines import CsvLimits
from kmeans_service.tables.dialect import AUTO, Dialect, Reading
from kmeans_service.tables.grammar import Cell
from kmeans_service.tables.profile import Column
from kmeans_service.tables.refusals import cell_too_long
from kmeans_service.tables.sniff import Head, Sniffed
from kmeans_service.tables.survey import Counts

_GAPS = " \t-–—?.*/"


@dataclass(frozen=True, slots=True)
class Choice:
    """`numeric`: a header of numbers, which holds only as long as all cells below have a mark."""

    present: bool
    numeric: bool = False
    guesses: tuple[str, ...] = ()


def choose(sniffed: Sniffed, reading: Reading) -> Choice:
    """By the first row and the rows of the file's beginning."""
    if reading.header != AUTO:
        return Choice(reading.header == "present")
    first = [kind_and_value(cell.text, sniffed.decimal)[0] for cell in sniffed.first]
    if all(kind == Kind.NUMBER for kind in first):
        return _of_numbers(sniffed)
    if Kind.NUMBER not in first:
        return Choice(not _looks_like_rows(sniffed, first))
    if any(_names_numbers(sniffed, index, kind) for index, kind in enumerate(first)):
        return Choice(present=True)
    if first[0] == Kind.EMPTY and _counts_up(sniffed.first[1:]):
        return Choice(present=True)
    return _mixed(sniffed, first)


def row_after_all() -> Choice:
    """A first row of 0 … d-1 that is data, as some number below it has no decimal mark."""
    return Choice(
        present=False,
        guesses=(
            "the first line counts 0, 1, … and can be a header; read as data: header decides",
        ),
    )


def _of_numbers(sniffed: Sniffed) -> Choice:
    if not _counts_up(sniffed.first) or len(sniffed.first) < 2 or not sniffed.rows:
        return Choice(present=False)
    pointed = all(sniffed.decimal in cell.text for row in sniffed.rows for cell in row)
    return Choice(present=True, numeric=True) if pointed else row_after_all()


def _counts_up(cells: Sequence[Cell]) -> bool:
    return bool(cells) and all(cell.text == str(index) for index, cell in enumerate(cells))


def _looks_like_rows(sniffed: Sniffed, first: list[int]) -> bool:
    """Whether a first row without numbers is one of booleans or gaps, like those below it."""
    if not sniffed.rows or len(sniffed.rows[0]) != len(first):
        return False
    return all(
        _is_gap(cell.text) or (kind >= FIRST_BOOLEAN and _same_words(sniffed, index, kind))
        for index, (cell, kind) in enumerate(zip(sniffed.first, first, strict=True))
    )


def _is_gap(text: str) -> bool:
    """Whether it is what people write for a missing cell; another sign may be a name."""
    return text in MISSING_WORDS or not text.strip(_GAPS)


def _same_words(sniffed: Sniffed, index: int, kind: int) -> bool:
    below = {kind_and_value(text, sniffed.decimal)[0] for text in _below(sniffed, index)}
    other = kind + 1 if (kind - FIRST_BOOLEAN) % 2 == 0 else kind - 1
    return bool({kind, other} & below)


def _names_numbers(sniffed: Sniffed, index: int, kind: int) -> bool:
    """Whether a cell is a word above a column of numbers."""
    if kind in (Kind.NUMBER, Kind.EMPTY, Kind.MISSING):
        return False
    kinds = [kind_and_value(text, sniffed.decimal)[0] for text in _below(sniffed, index)]
    present = [found for found in kinds if found not in (Kind.EMPTY, Kind.MISSING)]
    return bool(present) and 2 * present.count(Kind.NUMBER) >= len(present)


def _below(sniffed: Sniffed, index: int) -> list[str]:
    # Where the header has one name fewer, its first stands above the second cells.
    shift = max(0, sniffed.n_cells - len(sniffed.first))
    return [row[index + shift].text for row in sniffed.rows if index + shift < len(row)]


def _mixed(sniffed: Sniffed, first: list[int]) -> Choice:
    """Numbers above numbers and words above words: data, unless nothing speaks for it."""
    numbers = [cell.text for cell, kind in zip(sniffed.first, first, strict=True) if kind == 0]
    words = [index for index, kind in enumerate(first) if kind == Kind.OTHER]
    repeated = any(sniffed.first[index].text in _below(sniffed, index) for index in words)
    like_names = all(text.isdigit() for text in numbers) and len(set(numbers)) == len(numbers)
    if repeated or not like_names or not sniffed.rows or not words:
        return Choice(present=False)
    return Choice(
        present=False,
        guesses=("the first line can be names or a row; read as a row: header decides",),
    )


def names(
    sniffed: Sniffed,
    dialect: Dialect,
    counts: list[Counts],
    n_rows: int,
    limits: CsvLimits,
    line: int,
) -> tuple[str | None, ...] | None:
    """A name for each cell of a row, None for one without; None where there is no header."""
    if not dialect.header:
        return None
    texts: list[str | None] = []
    for column, cell in enumerate(sniffed.first[: dialect.n_cells], start=1):
        name = " ".join(cell.text.replace("\0", " ").split())
        if len(name) > limits.cell_length:
            raise cell_too_long(line + cell.down, column, limits)
        texts.append(name or None)
    while len(texts) < dialect.n_cells:
        trailing = counts[-1].kinds[Kind.EMPTY] == n_rows
        texts = [*texts, None] if trailing else [None, *texts]
    return _distinct(texts)


def _distinct(texts: list[str | None]) -> tuple[str | None, ...]:
    """Repeated names get the first suffix that is free: x, x.1, x.2, as pandas has it."""
    taken = set(texts)
    seen: dict[str, int] = {}
    found: list[str | None] = []
    for text in texts:
        name = text
        if text is not None and text in seen:
            while name in taken:
                name = f"{text}.{seen[text]}"
                seen[text] += 1
        elif text is not None:
            seen[text] = 1
        found.append(name)
    return tuple(found)


def comment_guess(head: Head, dialect: Dialect) -> tuple[str, ...]:
    """A sentence where the last comment may have been the header."""
    cells = head.comment.split(dialect.delimiter if dialect.delimiter != " " else None)
    kinds = {kind_and_value(cell, dialect.decimal)[0] for cell in cells}
    if dialect.header or dialect.n_cells < 2 or len(cells) != dialect.n_cells:
        return ()
    if kinds & {Kind.NUMBER, Kind.EMPTY}:
        return ()
    return (
        f"line {head.skipped} begins with # and has as many cells as the rows; passed over as a "
        "comment: without its # it is the header",
    )


def check_numbers(columns: Sequence[Column]) -> None:
    """Raise InvalidCsv where no column holds numbers."""
    if any(column.is_numeric and not column.names_rows for column in columns):
        return
    shown = ", ".join(f"{_called(column)} ({column.kind})" for column in columns[:5])
    more = ", …" if len(columns) > 5 else ""
    raise InvalidCsv(
        f"the file has no column of numbers, and k-means needs one: it has {shown}{more}"
    )


def _called(column: Column) -> str:
    if column.names_rows:
        return "row names"
    return quoted(column.name) if column.name else f"column {column.number}"
