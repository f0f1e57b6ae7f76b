"""The columns of a table: of what kind each is, and what its cells are like."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kmeans_service.tables.cells import BOOLEANS, FIRST_BOOLEAN, FIRST_PAIR_OF_LETTERS, Kind
from kmeans_service.tables.survey import Counts, Place

UNNAMED = "Unnamed: 0"  # by pandas, of an index that was written and read
EMPTY, NUMBERS, BOOLEAN, TEXT, MIXED = "empty", "numbers", "boolean", "text", "mixed"


@dataclass(frozen=True, slots=True)
class Column:
    """One column; `number` counts from 1, `name` is None where it has none.

    in_header   whether the file has a header, in which a name may be lacking
    """

    number: int
    name: str | None
    counts: Counts
    in_header: bool = True

    @property
    def n_missing(self) -> int:
        return self.counts.kinds[Kind.EMPTY] + self.counts.kinds[Kind.MISSING]

    @property
    def n_rows(self) -> int:
        return sum(self.counts.kinds)

    @property
    def n_present(self) -> int:
        return self.n_rows - self.n_missing

    @property
    def words(self) -> tuple[str, str] | None:
        """The words for 1 and for 0 that every present cell is one of; None for no such column."""
        present = self.n_present
        if not present or self.counts.kinds[Kind.NUMBER] == present:  # as in most
            return None
        for index, pair in enumerate(BOOLEANS):
            kind = FIRST_BOOLEAN + 2 * index
            ones, zeros = self.counts.kinds[kind : kind + 2]
            if ones + zeros == present:
                letters = index >= FIRST_PAIR_OF_LETTERS
                return pair if not letters or (ones and zeros) else None
        return None

    @property
    def n_numbers(self) -> int:
        """Cells that are numbers, or that stand for 1 and 0."""
        return self.n_present if self.words else self.counts.kinds[Kind.NUMBER]

    @property
    def n_others(self) -> int:
        return self.n_present - self.n_numbers

    @property
    def is_numeric(self) -> bool:
        """Whether half or more of its present cells are numbers, or nearly."""
        near = self.counts.kinds[Kind.NEAR]
        return self.n_present > 0 and 2 * (self.n_numbers + near) >= self.n_present

    @property
    def names_rows(self) -> bool:
        """Whether it is the first column, and without a name, as R and pandas write row names."""
        return self.number == 1 and self.in_header and self.name in (None, UNNAMED)

    @property
    def kind(self) -> str:
        if not self.n_present:
            return EMPTY
        if self.words:
            return BOOLEAN
        if not self.is_numeric:
            return TEXT
        return MIXED if self.n_others else NUMBERS

    @property
    def first_other(self) -> Place | None:
        """The first cell that is neither number nor missing, in a column that is to be numbers."""
        places = [place for place in (self.counts.other, self.counts.boolean) if place]
        return min(places, key=lambda place: place.line) if places and self.n_others else None

    @property
    def mean(self) -> float | None:
        if self.words:
            ones = sum(self.counts.kinds[FIRST_BOOLEAN::2])
            return ones / self.n_present
        return self.counts.mean if self.n_numbers else None

    @property
    def deviation(self) -> float | None:
        """The standard deviation of all its numbers, which divides by how many there are."""
        if self.words:
            mean = self.mean or 0.0
            return math.sqrt(mean * (1 - mean))
        count = self.counts.kinds[Kind.NUMBER]
        return math.sqrt(self.counts.squares / count) if count else None

    @property
    def least(self) -> float | None:
        if self.words:
            return 0.0 if sum(self.counts.kinds[FIRST_BOOLEAN + 1 :: 2]) else 1.0
        return self.counts.least if self.n_numbers else None

    @property
    def largest(self) -> float | None:
        if self.words:
            return 1.0 if sum(self.counts.kinds[FIRST_BOOLEAN::2]) else 0.0
        return self.counts.largest if self.n_numbers else None

    def as_json(self) -> dict[str, Any]:
        """As `GET jobs/{id}/columns` answers it, but for its role."""
        places = (("first_missing", self.counts.missing), ("first_other", self.first_other))
        return {
            "number": self.number,
            "name": self.name,
            "kind": self.kind,
            "numbers": self.n_numbers,
            "missing": self.n_missing,
            "others": self.n_others,
            "distinct": "more" if self.counts.distinct is None else self.counts.distinct,
            "least": self.least,
            "largest": self.largest,
            "mean": self.mean,
            "sd": self.deviation,
        } | {key: {"line": place.line, "found": place.text} for key, place in places if place}


def columns_of(
    names: Sequence[str | None] | None, counts: Sequence[Counts], n_cells: int
) -> tuple[Column, ...]:
    texts = names if names is not None else [None] * n_cells
    return tuple(
        Column(number, name, count, names is not None)
        for number, (name, count) in enumerate(zip(texts, counts, strict=True), start=1)
    )
