"""The levels of a category: which of its texts have an indicator of their own. No NumPy.

Two rows that differ in one category are 1 apart: an indicator is 1 / sqrt(2) or 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

from kmeans_service.tables.profile import Column

INDICATOR = sqrt(0.5)
MOST_LEVELS = 50
# Of a column with more, nearly all would be "other": it is none to sort rows by.
MOST_TEXTS = 10_000
# Cells that are missing among numbers, and texts here.
SIGNS = 2


@dataclass(frozen=True, slots=True)
class Levels:
    """The texts of a category that have an indicator, in order.

    other    whether the rest has one together, behind them; without it, unknown texts have none
    missing  whether missing cells have one, behind the texts
    """

    texts: tuple[str, ...]
    other: bool
    missing: bool

    @property
    def width(self) -> int:
        return len(self.texts) + self.missing + self.other

    def named(self, column: str) -> list[str]:
        """What the indicators of a column of this name are called, in their order."""
        texts = [f"{column}={text}" for text in self.texts]
        return texts + [f"{column} (missing)"] * self.missing + [f"{column} (other)"] * self.other


def levels_of(counts: Mapping[str | None, int], *, missing: bool = True) -> Levels:
    """The levels of a category whose texts occur so often: the most frequent ones.

    Of equally frequent ones those that come last in order, which is how scikit-learn's
    `max_categories` chooses.

    counts   of None, the missing cells
    missing  whether these may have an indicator
    """
    order = sorted((n, text) for text, n in counts.items() if text is not None)
    texts = sorted(text for _, text in order[-MOST_LEVELS:])
    return Levels(tuple(texts), len(order) > MOST_LEVELS, missing and counts.get(None, 0) > 0)


def most_indicators(column: Column, *, missing: bool) -> int:
    """As many as a category can have at most, which its profile tells; mostly, it has as many."""
    distinct = column.counts.distinct
    texts = MOST_TEXTS if distinct is None else distinct + min(SIGNS, column.n_missing)
    return min(texts, MOST_LEVELS + 1) + (missing and column.n_missing > 0)
