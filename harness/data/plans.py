"""Plans of tables that are written as text."""

import io
from typing import Any

from kmeans_service.recipes.plan import Plan, plan
from kmeans_service.recipes.preprocessing import parse_preprocessing
from kmeans_service.tables.table import Table, read_table


def table(text: str) -> Table:
    return read_table(lambda: io.BytesIO(text.encode()))


def rows(header: str, *columns: list[Any]) -> str:
    lines = [",".join(map(str, row)) for row in zip(*columns, strict=True)]
    return "\n".join([header, *lines])


def planned(text: str, **asked: Any) -> Plan:
    return plan(table(text), parse_preprocessing(asked))
