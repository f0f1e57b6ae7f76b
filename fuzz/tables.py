"""Tables of any dialect: C, the grammar without C, and the plain reading of it must agree.

The verdict, its words and its place, the counts of every column and the bits of every number are
the same, wherever the blocks are cut.
"""

import io
import math
import zlib
from collections.abc import Callable
from itertools import pairwise
from typing import Any, override

import numpy as np

from fuzz import reference
from fuzz.fault import FaultError
from fuzz.reference import MISSING, OTHER, FaultAtError
from kmeans_service.errors import ServiceError
from kmeans_service.tables import grammar, survey
from kmeans_service.tables.cells import FIRST_BOOLEAN, Kind
from kmeans_service.tables.columns import Layout, Role, read_blocks, read_columns
from kmeans_service.tables.csv_lines import CsvLimits
from kmeans_service.tables.dialect import Dialect
from kmeans_service.tables.grammar import Format
from kmeans_service.tables.profile import BOOLEAN, NUMBERS
from kmeans_service.tables.survey import Survey
from kmeans_service.tables.table import Table, read_table

LIMITS = (CsvLimits(), CsvLimits(), CsvLimits(rows=3), CsvLimits(line_length=40))
BLOCK_SIZES = (*range(1, 24), 64, 1000)


def table(body: bytes) -> bool:
    """Whether it was taken."""
    choice = zlib.crc32(body)
    limits = LIMITS[choice % len(LIMITS)]
    size = BLOCK_SIZES[choice // 7 % len(BLOCK_SIZES)]
    delimiter = ",;\t| "[choice // 11 % 5] if choice % 3 == 0 else ","
    _compare_rows(body, Format(1 + choice // 13 % 4, delimiter, ".", limits), size)
    whole = _verdict(lambda: _read(body, limits, 128 * 1024))
    blocks = _verdict(lambda: _read(body, limits, size))
    if whole != blocks:
        raise FaultError(f"in blocks of {size}: {blocks!r:.700}; whole: {whole!r:.700}")
    if not isinstance(whole, Table):
        return False
    _compare_arrays(body, whole, limits, size)
    return True


def _verdict(read: Callable[[], Any]) -> Any:
    try:
        return read()
    except ServiceError as refused:
        return type(refused), refused.detail, refused.members


def _read(body: bytes, limits: CsvLimits, size: int) -> Table:
    return read_table(lambda: io.BytesIO(body), limits=limits, block_bytes=size)


# --- rows of one format ---------------------------------------------------------------


def _compare_rows(body: bytes, format: Format, size: int) -> None:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return
    fast = _verdict(lambda: _counted(body, format, len(body) + 1))
    for name, other in (
        (f"in blocks of {size}", _verdict(lambda: _counted(body, format, size))),
        ("without C", _verdict(lambda: _counted(body, format, size, slow=True))),
    ):
        if other != fast:
            raise FaultError(f"{name}: {other!r:.900}; by C: {fast!r:.900}")
    if format.limits != CsvLimits():
        return  # the reference knows no limits
    try:
        rows = reference.rows(text, format.delimiter, format.n_cells)
    except FaultAtError as fault:
        place = fast[2] if isinstance(fast, tuple) and len(fast) == 3 else {}
        if (place.get("line"), place.get("column")) != fault.place:
            raise FaultError(f"a fault at {fault.place}; found: {fast!r:.700}") from None
        return
    if len(fast) == 3:
        raise FaultError(f"nothing is wrong by the grammar; found: {fast!r:.700}")
    _compare_counts(rows, fast, format)


class _WithoutC(Survey):
    """Leaves every row to the grammar."""

    @override
    def read(self, block: survey.Block) -> None:
        begin = block.begin
        while begin < len(block.text):
            line = int(self.c.line)
            row = grammar.read_row(block.text, begin, self.format, line, whole=block.whole)
            if row is None:
                break
            if not row.cells:
                self.c.blanks += 1
            elif self.n_rows >= self.format.limits.rows:
                raise grammar.too_many_rows(line, self.format.limits)
            else:
                self.add(grammar.check_width(row, self.format.n_cells, line))
            self.c.line += row.n_lines
            begin = row.end
        block.begin = begin


def _counted(body: bytes, format: Format, size: int, *, slow: bool = False) -> Any:
    counted = (_WithoutC if slow else Survey)(format, 1)
    counted.run(body[at : at + size] for at in range(0, len(body), size))
    return counted.n_rows, counted.n_blank, int(counted.c.line), counted.counts()


def _compare_counts(rows: list[reference.Row], found: Any, format: Format) -> None:
    if found[0] != len(rows):
        raise FaultError(f"{len(rows)} rows by the grammar, {found[0]} found")
    for index, counts in enumerate(found[3]):
        cells = [reference.value_of(row.texts[index], format.decimal) for row in rows]
        numbers = [cell for cell in cells if isinstance(cell, float)]
        expected = {
            "numbers": len(numbers),
            "missing": cells.count(MISSING),
            "others": cells.count(OTHER),
            "whole": sum(number.is_integer() for number in numbers),
            "rises": sum(b > a for a, b in pairwise(numbers)),
            "steps": sum(b == a + 1 for a, b in pairwise(numbers)),
            "least": min(numbers, default=0.0).hex(),
            "largest": max(numbers, default=0.0).hex(),
            "missing at": _first(rows, cells, index, lambda cell: cell == MISSING),
            "other at": _first(rows, cells, index, lambda cell: cell == OTHER),
        }
        kinds = counts.kinds
        actual = {
            "numbers": kinds[Kind.NUMBER],
            "missing": kinds[Kind.EMPTY] + kinds[Kind.MISSING],
            "others": kinds[Kind.NEAR] + kinds[Kind.OTHER],
            "whole": counts.whole,
            "rises": counts.rises,
            "steps": counts.steps,
            "least": counts.least.hex(),
            "largest": counts.largest.hex(),
            "missing at": counts.missing.line if counts.missing else None,
            "other at": counts.other.line if counts.other else None,
        }
        if actual != expected or sum(kinds[FIRST_BOOLEAN:]) != sum(
            isinstance(cell, tuple) for cell in cells
        ):
            raise FaultError(f"column {index + 1}: {actual}, by the grammar {expected}")
        mean = math.fsum(numbers) / len(numbers) if numbers else 0.0
        if abs(counts.mean - mean) > 1e-9 * max(map(abs, numbers), default=1.0):
            raise FaultError(f"column {index + 1}: mean {counts.mean!r}, not {mean!r}")


def _first(
    rows: list[reference.Row], cells: list[Any], index: int, holds: Callable[[Any], bool]
) -> int | None:
    return next(
        (row.lines[index] for row, cell in zip(rows, cells, strict=True) if holds(cell)), None
    )


# --- the arrays of a table ------------------------------------------------------------


def _compare_arrays(body: bytes, found: Table, limits: CsvLimits, size: int) -> None:
    """The columns of numbers and booleans, and of another as levels, as the plain reading has."""
    roles = [
        {NUMBERS: Role.NUMBER, BOOLEAN: Role.BOOLEAN}.get(column.kind, Role.LEVEL)
        for column in found.columns
    ]
    layout = Layout(tuple(roles), ((),) * roles.count(Role.LEVEL))
    arguments = (lambda: io.BytesIO(body), found.dialect, layout)
    X = read_columns(*arguments, found.n_rows, limits)
    parts = list(read_blocks(*arguments, limits, block_bytes=size))
    if not np.array_equal(np.vstack(parts).view(np.uint64), X.view(np.uint64)):
        raise FaultError(f"the arrays in blocks of {size} are others")
    _compare_values(body, found, roles, X)


def _compare_values(body: bytes, found: Table, roles: list[Role], X: Any) -> None:
    dialect: Dialect = found.dialect
    if dialect.encoding != "utf-8" or dialect.old_mac or dialect.gzip or b"\x1a" in body:
        return
    text = body.decode().removeprefix("\ufeff")
    text = "\n".join(text.split("\n")[dialect.skipped :])
    width = dialect.n_cells
    if dialect.header:
        rows = _behind_header(text, dialect)
    else:
        rows = reference.rows(text, dialect.delimiter, width)
    if len(rows) != found.n_rows:
        raise FaultError(f"{len(rows)} rows by the grammar, {found.n_rows} in the table")
    for row, values in zip(rows, X.tolist(), strict=True):
        for cell, role, value in zip(row.texts[:width], roles, values, strict=True):
            expected = reference.value_of(cell, dialect.decimal)
            if role == Role.LEVEL:
                continue
            number = (
                math.nan
                if expected == MISSING
                else float(expected[1])
                if isinstance(expected, tuple)
                else expected
            )
            if not isinstance(number, float) or number.hex() != value.hex():
                raise FaultError(f"{cell!r} on line {row.line} is read as {value!r}")


def _behind_header(text: str, dialect: Dialect) -> list[reference.Row]:
    """The rows behind the first one, which may have fewer cells."""
    at, line = 0, 1
    while (blank := reference._blank_line(text, at, dialect.delimiter)) is not None:
        at, line = blank, line + 1
    _, at, line = reference._row(text, at, dialect.delimiter, line)
    return reference.rows(text[at:], dialect.delimiter, dialect.n_cells, line)
