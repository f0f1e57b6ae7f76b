"""Tables read from bytes."""

import io
from typing import Any

from kmeans_service.tables.columns import Layout, Role, read_columns
from kmeans_service.tables.dialect import parse_reading
from kmeans_service.tables.profile import BOOLEAN, NUMBERS
from kmeans_service.tables.table import Table, read_table


def read(body: bytes, **reading: Any) -> Table:
    return read_table(lambda: io.BytesIO(body), parse_reading(reading))


def numbers(body: bytes, **reading: Any) -> list[list[float]]:
    """The columns of numbers and booleans, row by row."""
    table = read(body, **reading)
    roles = {NUMBERS: Role.NUMBER, BOOLEAN: Role.BOOLEAN}
    layout = Layout(tuple(roles.get(column.kind, Role.SKIPPED) for column in table.columns))
    X = read_columns(lambda: io.BytesIO(body), table.dialect, layout, table.n_rows)
    assert len(X) == table.n_rows
    found: list[list[float]] = X.tolist()
    return found
