"""The columns that clusters are described by: those of the fit, and categories beside them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kmeans_service.arrays import Array

type Rows = Callable[[], Iterator[tuple[Array, Array]]]
"""All rows of a file, as often as it is asked: the described columns, shape (some, n_described),
and the rows' labels, shape (some,), -1 where the fit dropped a row.

A missing cell is NaN. Of a category there is the index of its level, or -1 for another text.
"""


@dataclass(frozen=True, slots=True)
class Described:
    """One column of the file.

    number  from 1
    used    whether the fit used it; if not, `reason` says why
    levels  a category's texts, in order; None of a column of numbers
    words   of a column of booleans, those for 1 and 0; of numbers that are 1 and 0, these
    whole   whether all its numbers are whole
    fill    what the fit took for a missing cell
    """

    number: int
    name: str | None
    used: bool = True
    reason: str = ""
    levels: tuple[str, ...] | None = None
    words: tuple[str, str] | None = None
    whole: bool = False
    fill: float = 0.0

    @property
    def called(self) -> str:
        return self.name or f"column {self.number}"
