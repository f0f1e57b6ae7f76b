"""The clusters of one model that continue those of another: which, by their centers alone.

The centers are assigned so that the least is lost in all. That is the linear sum assignment
problem, solved by shortest augmenting paths (Jonker and Volgenant, 1987). `scipy.optimize`, which
has it too, takes 0.27 s of CPU to import: more than most fits.
"""

import numpy as np
from numpy.typing import NDArray

from kmeans_service.arrays import Array

type Matches = NDArray[np.intp]

# Of the way to a neighbour. A mean is nearer than 0.71 of it to each of the equally distant centers
# that a cluster is split into, however many, or that are merged into it: sqrt((m - 1) / 2m).
REACH = 0.75


def matches(old: Array, new: Array) -> Matches:
    """Index of the old center that each new one continues, or -1; shape (n_new,).

    old, new   shapes (n_old, n_features) and (n_new, n_features), in one space

    A center continues another that is within REACH of the distance from either to its nearest
    neighbour in its own model. Of the pairs that may be, those are chosen by which the sum of
    1 - (distance / reach)² is the largest.
    """
    costs = np.minimum(np.square(_shares(old, new)), 1.0)
    if len(new) <= len(old):
        of_new, of_old = np.arange(len(new)), assigned(costs)
    else:
        of_new, of_old = assigned(costs.T), np.arange(len(old))
    near = costs[of_new, of_old] < 1
    found = np.full(len(new), -1)
    found[of_new[near]] = of_old[near]
    return found


def _shares(old: Array, new: Array) -> Array:
    """Distances of new centers to old ones, shape (n_new, n_old), as shares of the farthest."""
    with np.errstate(over="ignore", invalid="ignore"):
        between = _distances(new, old)
        reach = REACH * np.minimum(_separations(new)[:, np.newaxis], _separations(old))
        # Far beyond doubles, two distances have no ratio: they are not near.
        return np.nan_to_num(between / reach, nan=np.inf)


def _separations(centers: Array) -> Array:
    """Of each center to the nearest one that lies elsewhere; infinite where there is none."""
    between = _distances(centers, centers)
    return np.where(between > 0, between, np.inf).min(axis=1)


def _distances(these: Array, those: Array) -> Array:
    return np.array([np.sqrt(np.square(those - one).sum(axis=1)) for one in these])


def assigned(costs: Array) -> Matches:
    """The column of each row, all different, by which the sum of the costs is the least.

    costs   shape (n_rows, n_columns), n_rows <= n_columns, finite
    """
    found = _Assignment(costs)
    for row in range(len(costs)):
        found.add(row)
    return found.column_at


class _Assignment:
    """The best assignment of the rows so far, with the prices that prove it.

    Each cost is at least the sum of its row's price and its column's, and as much where they are
    assigned to each other.
    """

    def __init__(self, costs: Array) -> None:
        self.costs = costs
        self.of_rows, self.of_columns = map(np.zeros, costs.shape)
        self.column_at, self.row_at = (np.full(count, -1) for count in costs.shape)

    def add(self, free: int) -> None:
        """Assign one more row: along the shortest path to a free column, others give theirs up."""
        lengths = np.full(len(self.row_at), np.inf)
        before = np.full(len(self.row_at), free)
        done = np.zeros(len(self.row_at), dtype=bool)
        row, length = free, 0.0
        while row >= 0:
            paths = length + self.costs[row] - self.of_rows[row] - self.of_columns
            nearer = ~done & (paths < lengths)
            lengths[nearer], before[nearer] = paths[nearer], row
            column = int(np.where(done, np.inf, lengths).argmin())
            length, row = float(lengths[column]), int(self.row_at[column])
            done[column] = row >= 0
        self._raise_prices(free, length, lengths, done)
        self._assign(free, column, before)

    def _raise_prices(self, free: int, length: float, lengths: Array, done: Array) -> None:
        self.of_rows[free] += length
        self.of_rows[self.row_at[done]] += length - lengths[done]
        self.of_columns[done] -= length - lengths[done]

    def _assign(self, free: int, column: int, before: Array) -> None:
        while column >= 0:
            row = int(before[column])
            given_up = -1 if row == free else int(self.column_at[row])
            self.row_at[column], self.column_at[row] = row, column
            column = given_up
