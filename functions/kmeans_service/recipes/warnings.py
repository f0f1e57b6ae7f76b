"""What a practitioner would want to know of a plan, in sentences."""

from collections.abc import Sequence

from kmeans_service.errors import quoted
from kmeans_service.recipes import rules
from kmeans_service.recipes.identifiers import CLASSES, WEIGHTS, words
from kmeans_service.recipes.planned import Planned
from kmeans_service.recipes.preprocessing import Preprocessing
from kmeans_service.tables.cells import Kind
from kmeans_service.tables.profile import Column

FEW_VALUES = 10
ROWS_A_VALUE = 5
MOST_OF_VARIANCE = 0.9


def warnings_of(planned: Sequence[Planned], asked: Preprocessing) -> tuple[str, ...]:
    used = [found.column for found in planned if found.role == "used"]
    weighted = any(found.role == "weight" for found in planned)
    found = [found.reason for found in planned if found.rule == "last_resort"]
    found += [sentence for column in used if (sentence := _time(column))]
    found += [sentence for column in used if (sentence := _gaps(column))]
    found += [sentence for column in used if (sentence := _class(column, planned))]
    if not weighted:
        found += [sentence for column in used if (sentence := _weight(column))]
    if asked.scaling == "none" and asked.normalize == "none":
        found += variance(used)
    return tuple(found)


def _called(column: Column) -> str:
    return quoted(column.name) if column.name else f"column {column.number}"


def _time(column: Column) -> str | None:
    if not rules.is_time(column):
        return None
    return f"{_called(column)} is used, and by its name it is a time: leave it out unless it counts"


def _gaps(column: Column) -> str | None:
    if 2 * column.n_missing <= column.n_rows:
        return None
    return f"{_called(column)} is missing in {column.n_missing:,} of {column.n_rows:,} rows"


def _class(column: Column, planned: Sequence[Planned]) -> str | None:
    counts = column.counts
    last = column.number == len(planned)
    named = bool(CLASSES & set(words(column.name or "")))
    distinct = counts.distinct or 0
    few = 2 <= distinct <= FEW_VALUES and counts.kinds[Kind.NUMBER] >= ROWS_A_VALUE * distinct
    if not few or counts.whole < counts.kinds[Kind.NUMBER] or not (last or named):
        return None
    return (
        f"{_called(column)} holds whole numbers of {distinct} values only: if they are classes, "
        "leave it out"
    )


def _weight(column: Column) -> str | None:
    if not WEIGHTS & set(words(column.name or "")):
        return None
    return f"{_called(column)} may say how much each row counts: if so, make it weight_column"


def variance(used: Sequence[Column]) -> list[str]:
    """A sentence where one column holds nearly all of the distances."""
    variances = [(column.deviation or 0.0) ** 2 for column in used]
    total = sum(variances)
    largest = max(variances, default=0.0)
    if len(used) < 2 or not total or largest < MOST_OF_VARIANCE * total:
        return []
    column = used[variances.index(largest)]
    return [
        f"{_called(column)} holds {largest / total:.0%} of the variance and decides alone; "
        'scaling "standard" lets each column count alike'
    ]
