"""How many different values each column has: counted in ranges, and known of all of them together.

A survey counts values until it has room for no more, those of all columns together; from then on a
column that has another one has "more". What a range finds is sent where it is little. Where that
does not decide, the range is counted once more, by who knows the values of all ranges before it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from distributed.reading import Rows, Written
from distributed.spans import Span
from kmeans_service.tables import survey as surveys
from kmeans_service.tables.library import library
from kmeans_service.tables.survey import SLOTS, Survey

type Values = NDArray[np.uint64]

# Values of a column that a range sends; and all columns of all ranges that send at once.
MOST_SENT, ALL_SENT = 2**16, 2**25
# Ranges that are counted once more; a column that is still open then has "more".
MOST_AGAIN = 64


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """Different values that a survey met.

    values, owners   each, and the column that it is of; of columns that have few
    many             of each column, whether it has more of them
    """

    values: Values
    owners: NDArray[np.uint16]
    many: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """The values of all ranges so far, in order; of each column how many, and whether more."""

    values: Values
    counts: NDArray[np.int64]
    more: NDArray[np.bool_]


def survey_of_range(written: Written, span: Span) -> Survey:
    """One that counts different values as far as they may be sent, which keeps it fast."""
    n_slots = min(8 * MOST_SENT, n_slots_for(written, span))
    capacity = min(2 * MOST_SENT, surveys.MOST_DISTINCT)
    return Survey(written.format, 1, owners=True, n_slots=n_slots, capacity=capacity)


def n_slots_for(written: Written, span: Span, n_known: int = 0) -> int:
    """A cell takes a byte at least, and its delimiter another one."""
    if written.wholes[span.file]:
        return SLOTS
    return min(SLOTS, 1 << (span.end - span.begin + 2 * n_known + 1024).bit_length())


def seen(survey: Survey, few: int) -> Seen:
    """Of columns with at most `few` values."""
    values, owners = _slots(survey)
    counts = np.bincount(owners, minlength=len(survey.columns))
    more = np.array([bool(column.more) for column in survey.columns])
    many = more | (counts > few)
    sent = ~many[owners]
    return Seen(values[sent], owners[sent], many)


def _slots(survey: Survey) -> tuple[Values, NDArray[np.uint16]]:
    slots = np.frombuffer(survey.slots, dtype=np.uint64)
    places = np.flatnonzero(slots)
    return slots[places], np.frombuffer(survey.owners, dtype=np.uint16)[places]


def count_again(shared: tuple[Written, Known], span: Span) -> Known:
    """What is known once this span is counted as well."""
    written, known = shared
    values = np.ascontiguousarray(known.values)
    n_slots = n_slots_for(written, span, len(values))
    survey = Survey(written.format, 1, owners=True, n_slots=n_slots)
    library().know_values(survey.c, values.ctypes.data, len(values))
    for column, more in zip(survey.columns, known.more.tolist(), strict=True):
        column.more = more
    for block in Rows(written, span).blocks():
        survey.read(block)
        if all(column.more for column in survey.columns):
            break
    counts = known.counts + [column.distinct for column in survey.columns]
    more = np.array([bool(column.more) for column in survey.columns])
    return Known(np.sort(_slots(survey)[0]), counts, more)


class Distinct:
    """Of all ranges in their order; `again` counts a span, somewhere, as `count_again` does."""

    def __init__(self, n_columns: int, again: Callable[[Known, Span], Known]) -> None:
        counts, more = np.zeros(n_columns, dtype=np.int64), np.zeros(n_columns, dtype=bool)
        self.known = Known(np.empty(0, dtype=np.uint64), counts, more)
        self._again, self._left = again, MOST_AGAIN

    def add(self, found: Seen, span: Span) -> None:
        known = self.known
        is_open = ~known.more
        if not is_open.any():
            return
        fresh, owners = self._fresh(found)
        unsure = bool((found.many & is_open).any())
        n_values, room = len(known.values), surveys.MOST_DISTINCT
        if not unsure and n_values + len(fresh) <= room:
            counts = known.counts + np.bincount(owners, minlength=len(known.counts))
            values = np.union1d(known.values, fresh) if len(fresh) else known.values
            self.known = Known(values, counts, known.more)
        elif not unsure and n_values >= room + room // 8:  # texts have more room
            self._has_more(owners)
        elif self._left:
            self._left -= 1
            self.known = self._again(known, span)
        else:
            self._has_more(np.concatenate([np.flatnonzero(found.many), owners]))

    def _fresh(self, found: Seen) -> tuple[Values, NDArray[np.uint16]]:
        """Values of open columns that are not known."""
        known = self.known.values
        places = np.minimum(np.searchsorted(known, found.values), max(0, len(known) - 1))
        new = np.ones(len(found.values), dtype=bool)
        if len(known):
            new = known[places] != found.values
        new &= ~self.known.more[found.owners]
        return found.values[new], found.owners[new]

    def _has_more(self, columns: NDArray[np.integer]) -> None:
        more = self.known.more.copy()
        more[columns] = True
        self.known = Known(self.known.values, self.known.counts, more)
