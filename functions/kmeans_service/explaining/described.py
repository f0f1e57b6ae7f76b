"""The columns that clusters are described by: those of the fit, and categories beside them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kmeans_service.arrays import Array

type Rows = Callable[[], Iterator[tuple[Array, Array, Array]]]
"""All rows of a file, as often as it is asked: the described columns, shape (some, n_described),
the rows' labels, shape (some,), -1 where the fit dropped a row, and the lines that they begin in.

A missing cell is NaN. Of a category there is the index of its level, or -1 for another text.
"""


@dataclass(frozen=True, slots=True)
class Described:
    """One column of the file.

    number  from 1
    used    whether the fit used it; if not, `reason` says why
    levels  a category's texts, in order; None of a column of numbers
    others  of a category that was used: what else has an indicator, other texts or missing cells
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
    others: tuple[str, ...] = ()

    @property
    def called(self) -> str:
        return self.name or f"column {self.number}"

    @property
    def indicators(self) -> tuple[str, ...]:
        """What the fit has made of a category that it used."""
        return (*self.levels, *self.others) if self.used and self.levels is not None else ()
