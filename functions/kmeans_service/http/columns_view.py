"""A job's table as its owner sees it: the JSON of GET /kmeans/jobs/{job_id}/columns."""

import json
from collections.abc import Mapping
from typing import Any

from kmeans_service import config
from kmeans_service.errors import InvalidParameter, quoted
from kmeans_service.recipes.plan import plan, roles
from kmeans_service.recipes.planned import Planned
from kmeans_service.recipes.preprocessing import Preprocessing
from kmeans_service.tables.table import Table

# Of all columns together; what stands before and behind them is short.
ROOM_BYTES = config.MAX_ANSWER_BYTES - 500_000


def columns_view(
    table: Table, asked: Preprocessing, first: int, indicators: Mapping[int, list[str]]
) -> str:
    """The columns from this number on, as many as fill an answer; the rest is behind a cursor.

    indicators   of the job's fit, by the number of their column
    """
    found = roles(table, asked)
    refusal, warnings = _outlook(table, asked)
    shown, following = _page(found[first - 1 :], indicators)
    head = {"reading": table.dialect.shown(), "n_rows": table.n_rows, "n_columns": len(found)}
    tail = {
        "refused": refusal,
        "warnings": [*table.guesses, *warnings],
        "next_cursor": str(following) if following else None,
    }
    said = {name: value for name, value in tail.items() if value}
    return json.dumps(head)[:-1] + f', "columns": [{", ".join(shown)}]' + _members(said) + "}"


def _outlook(table: Table, asked: Preprocessing) -> tuple[str | None, tuple[str, ...]]:
    """What a fit is refused for, and what it warns of."""
    try:
        return None, plan(table, asked).warnings
    except InvalidParameter as refusal:
        return refusal.detail, ()


def _page(
    found: tuple[Planned, ...], indicators: Mapping[int, list[str]]
) -> tuple[list[str], int | None]:
    """The texts of so many columns, and the number of the one that has no room any more."""
    shown: list[str] = []
    size = 0
    for planned in found:
        number = planned.column.number
        known = {"indicators": indicators[number]} if number in indicators else {}
        text = json.dumps(planned.column.as_json() | planned.as_json() | known, ensure_ascii=False)
        size += len(json.dumps(text))
        if shown and size > ROOM_BYTES:
            return shown, number
        shown.append(text)
    return shown, None


def _members(values: dict[str, Any]) -> str:
    text = json.dumps(values, ensure_ascii=False)[1:-1]
    return f", {text}" if text else ""


def first_column(cursor: str | None, n_columns: int) -> int:
    """Raises InvalidParameter for a cursor that no answer of this job had."""
    if cursor is None:
        return 1
    if not cursor.isascii() or not cursor.isdecimal() or not 1 <= int(cursor[:9]) <= n_columns:
        raise InvalidParameter(
            f"cursor is {quoted(cursor)}; allowed is the next_cursor of the page before",
            field="cursor",
        )
    return int(cursor)
