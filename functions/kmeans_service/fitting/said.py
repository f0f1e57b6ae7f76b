"""What a fit has made of a table, in sentences."""

from collections.abc import Mapping, Sequence

from kmeans_service.errors import quoted
from kmeans_service.recipes.levels import MOST_LEVELS
from kmeans_service.recipes.plan import LEFT_OUT, USED, Plan
from kmeans_service.recipes.recipe import Recipe
from kmeans_service.tables.profile import Column
from kmeans_service.tables.refusals import count

SHOWN = 5


def of_plan(plan: Plan, recipe: Recipe) -> list[str]:
    """What was left out, and what was filled in."""
    return [sentence for sentence in (_left_out(plan), _filled(plan, recipe)) if sentence]


def of_levels(columns: Sequence[Column], counts: Sequence[Mapping[str | None, int]]) -> list[str]:
    """Of categories that have more texts than indicators, what became of the others.

    counts  of each column, how often each text occurs
    """
    return [
        f"{_called(column)} has {n_texts:,} different texts: the {MOST_LEVELS} most frequent have "
        "an indicator each, all others one together."
        for column, counted in zip(columns, counts, strict=True)
        if (n_texts := len(counted.keys() - {None})) > MOST_LEVELS
    ]


def _left_out(plan: Plan) -> str | None:
    found = [each for each in plan.columns if each.role == LEFT_OUT]
    if not found:
        return None
    shown = "; ".join(f"{_called(each.column)}, as {each.reason}" for each in found[:SHOWN])
    more = f"; and {len(found) - SHOWN:,} more" if len(found) > SHOWN else ""
    return f"Left out: {shown}{more}."


def _called(column: Column) -> str:
    return quoted(column.name) if column.name else f"column {column.number}"


def _filled(plan: Plan, recipe: Recipe) -> str | None:
    missing = recipe.preprocessing.missing
    gaps = [column for column in plan.of(USED) if column.n_missing]
    if not gaps or missing not in ("mean", "median"):
        return None
    cells = sum(column.n_missing for column in gaps)
    of = f"{len(gaps):,} columns" if len(gaps) > 1 else "one column"
    return f"Missing cells became the {missing} of their column: {cells:,} in {of}."


def of_rows(dropped: int, recipe: Recipe) -> list[str]:
    """How many rows were dropped."""
    if not dropped:
        return []
    which = "a" if recipe.preprocessing.missing == "drop" else "every"
    rows = count(dropped, "row")
    return [f"Dropped, without a label: {rows} in which {which} used cell is missing."]
