"""scikit-learn's KMeans.fit, without scikit-learn: the same draws, the same decisions.

Labels and n_iter are equal to those of scikit-learn 1.9.1 with one thread, for the same
`random_state`: not by luck. Its sums run over the rows in their order; ours change only by the rows
that have moved, and where the difference of the two could turn a decision, which the distances of
the second nearest centers tell, the rows are summed as scikit-learn sums them.
"""

from dataclasses import dataclass

import numpy as np

from kmeans_service.arrays import Array
from kmeans_service.fitting.kernel.assignment import Assignment, rounding
from kmeans_service.fitting.kernel.clusters import Clusters
from kmeans_service.fitting.kernel.library import address, library
from kmeans_service.fitting.kernel.rows import Rows
from kmeans_service.fitting.kernel.seeding import kmeans_plusplus, random_rows

RESTARTS_OF_RANDOM = 10
ALARMS = 3  # after so many, there are equal distances in the data itself


@dataclass(frozen=True)
class Fit:
    """What a fit has found.

    labels   shape (n_samples,), int32
    centers  shape (n_clusters, n_features)
    inertia  the weighted sum of squared distances to the nearest center
    """

    labels: Array
    centers: Array
    inertia: float
    n_iter: int


def lloyd(
    rows: Rows,
    n_clusters: int,
    *,
    init: str | Array = "k-means++",
    n_init: int | str = "auto",
    max_iter: int = 300,
    tolerance: float = 0.0,
    random_state: int = 0,
) -> Fit:
    """The best of n_init runs.

    init       "k-means++", "random", or centers of shape (n_clusters, n_features)
    tolerance  scikit-learn's `tol` times the mean of the columns' variances
    """
    random = np.random.RandomState(random_state)
    best = run(rows, _start(rows, n_clusters, init, random), max_iter, tolerance)
    for _ in range(1, _n_runs(init, n_init)):
        found = run(rows, _start(rows, n_clusters, init, random), max_iter, tolerance)
        if found.inertia < best.inertia and not _same(found, best):
            best = found
    rows.forget_tiles()
    return best


def _n_runs(init: str | Array, n_init: int | str) -> int:
    if not isinstance(init, str):
        return 1
    if n_init == "auto":
        return RESTARTS_OF_RANDOM if init == "random" else 1
    return int(n_init)


def _start(rows: Rows, n_clusters: int, init: str | Array, random: np.random.RandomState) -> Array:
    if not isinstance(init, str):
        return np.array(init, dtype=np.float64)
    draw = random_rows if init == "random" else kmeans_plusplus
    return draw(rows, n_clusters, random)


def _same(a: Fit, b: Fit) -> bool:
    """Whether the two partitions are one, as scikit-learn compares them."""
    of_b = np.full(len(a.centers), -1, dtype=np.int32)
    of_b[a.labels] = b.labels
    return bool((of_b[a.labels] == b.labels).all())


def run(rows: Rows, centers: Array, max_iter: int, tolerance: float) -> Fit:
    """Lloyd's iterations from the given centers on."""
    iterations = _Iterations(rows, centers, max_iter)
    n_iter, changed, shift = 0, True, np.inf
    while n_iter < max_iter and changed and shift > tolerance:
        previous = iterations.centers
        changed = iterations.step()
        shift = _shift(iterations.centers, previous)
        n_iter += 1
    labels, centers = iterations.finish(strict=not changed)
    X, weights = rows.X, rows.weights
    inertia = library().inertia(*map(address, (X, weights, labels)), *X.shape, address(centers))
    return Fit(labels, centers, inertia, n_iter)


def _shift(centers: Array, previous: Array) -> float:
    shifts = np.sqrt(((centers - previous) ** 2).sum(axis=1))
    return float((shifts**2).sum())


class _Iterations:
    def __init__(self, rows: Rows, centers: Array, max_iter: int) -> None:
        self.rows, self.centers = rows, centers
        self.assignment = Assignment(rows, len(centers), again=max_iter > 1)
        self.clusters = Clusters(rows, len(centers))
        # Those that the centers are the means of; none of a row at first.
        self.labels = np.full(rows.n_samples, -1, dtype=np.int32)
        # Sums of weighted rows are always made in their order.
        self.exact = rows.weights is not None
        self._alarms = 0
        self.radius = max(rows.radius, float(np.sqrt((centers**2).sum(axis=1).max())))
        self.rounding = rounding(rows, centers)

    def step(self) -> bool:
        """Labels for the centers, then centers for the labels; whether a label has changed."""
        self._assign()
        labels = self.assignment.labels
        changed = self._sum(labels)
        if (self.clusters.weights == 0).any():
            self.exact = True
            self.clusters.sum(labels)
            self.clusters.relocate(labels, self.centers)
        self.centers = self.clusters.centers()
        return changed

    def finish(self, strict: bool) -> tuple[Array, Array]:
        """The labels, and the centers they belong to."""
        if self.clusters.error > 0:
            self._sum_in_order()
        if not strict:
            self._assign()
        return self.assignment.labels, self.centers

    def _assign(self) -> None:
        near = self.assignment.update(self.centers, self._margin())
        if near and self.clusters.error > 0:
            # Two centers are so near to being equally near that it takes the last bits to decide.
            self._alarms += 1
            self.exact = self._alarms > ALARMS
            self._sum_in_order()
            self.assignment.forget()
            near = self.assignment.update(self.centers, self._margin())
        if near:
            self.assignment.ask_blas(self.centers)

    def _sum_in_order(self) -> None:
        self.clusters.sum(self.labels)
        self.centers = self.clusters.centers()

    def _sum(self, labels: Array) -> bool:
        """Sum the rows; whether a label has changed."""
        if self.clusters.summed and not self.exact:
            return self.clusters.move(labels, self.labels) > 0
        first = not self.clusters.summed
        self.clusters.sum(labels)
        changed = first or not np.array_equal(labels, self.labels)
        np.copyto(self.labels, labels)
        return changed

    def _margin(self) -> float:
        """What two squared distances, less the row's squared norm, can be off by together."""
        return 8 * self.radius * self.clusters.error + self.rounding
