"""Rows brought into the space of their fit, and what their columns are like there."""

import numpy as np

from kmeans_service.arrays import Array
from kmeans_service.fitting.kernel.library import address, library
from kmeans_service.fitting.kernel.rows import Rows


def extents_of(X: Array) -> tuple[Array, Array, Array]:
    """Of each column the sum, row after row, the least number and the largest one."""
    sums, least, most = found = tuple(np.empty(X.shape[1]) for _ in range(3))
    library().column_extents(address(X), *X.shape, *map(address, found))
    return sums, least, most


def enter(rows: Rows, shift: Array, scale: float) -> tuple[Array, Array]:
    """Make the rows (x - shift) * scale where they lie; of each column the sum and that of squares.

    scale  a power of two
    """
    X, C = rows.X, library()
    block = C.entering_block()
    totals = np.empty((-(-len(X) // block), 2, X.shape[1]))

    def work(start: int, n: int) -> None:
        C.enter_rows(
            address(X, start),
            n,
            X.shape[1],
            address(shift),
            scale,
            address(totals, start // block),
        )

    rows.in_ranges(work)
    sums, squares = totals.sum(axis=0)
    return sums, squares
