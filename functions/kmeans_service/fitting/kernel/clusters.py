"""The centers of labelled rows, as scikit-learn averages them."""

import numpy as np

from kmeans_service.arrays import Array
from kmeans_service.fitting.kernel.library import address, library
from kmeans_service.fitting.kernel.rows import UNIT, Rows

# Of rows whose distances are measured at a time: a few copies of them are held.
MEASURED_BYTES = 1024**2


class Clusters:
    """The sums of the rows of each cluster.

    Summed in the order of the rows the centers are scikit-learn's to the bit. Rows that have moved
    since change the sums at less cost, and by other roundings: `error` is what they come to.
    """

    def __init__(self, rows: Rows, n_clusters: int) -> None:
        self.rows, self.summed = rows, False
        self.sums = np.zeros((n_clusters, rows.n_features))
        self.weights = np.zeros(n_clusters)
        self._counted = np.zeros(n_clusters)
        self._moves = np.zeros(n_clusters, dtype=np.int64)

    def sum(self, labels: Array) -> None:
        """Sum the rows in their order."""
        self.sums[:], self.weights[:], self._moves[:] = 0, 0, 0
        X, weights = self.rows.X, self.rows.weights
        library().add_rows(
            *map(address, (X, weights, labels)), *X.shape, address(self.sums), address(self.weights)
        )
        self._counted, self.summed = self.weights.copy(), True

    def move(self, labels: Array, previous: Array) -> int:
        """Change the sums of all weights 1 by those rows whose label has changed; their number.

        previous  the labels that the sums are of; becomes the labels
        """
        arrays = (self.sums, self.weights, self._moves)
        moved: int = library().move_rows(
            *map(address, (self.rows.X, labels, previous)),
            *self.rows.X.shape,
            *map(address, arrays),
        )
        return moved

    @property
    def error(self) -> float:
        """How far the centers can be from those of sums in the order of the rows."""
        if not self._moves.any():
            return 0.0
        steps = (self._counted + self._moves) ** 2 + self.weights**2
        return float((steps / np.maximum(self.weights, 1)).max()) * self.rows.radius * UNIT * 1.1

    def centers(self) -> Array:
        """The means; an empty cluster gets those of the largest one, as scikit-learn has it."""
        filled = self.weights > 0
        means = self.sums * (1 / np.where(filled, self.weights, 1))[:, np.newaxis]
        if not filled.all():
            largest = int(self.weights.argmax())
            before = ~filled & (np.arange(len(filled)) < largest)  # it is a sum yet, there
            means[~filled] = means[largest]
            means[before] = self.sums[largest]
        return means

    def relocate(self, labels: Array, centers: Array) -> None:
        """Give each empty cluster one of the rows that are farthest from their centers.

        centers  those that the labels were found with
        NumPy's own partition tells which rows these are: it also decides among equal distances.
        """
        X, weights = self.rows.X, self.rows.weights
        empty = np.flatnonzero(self.weights == 0)
        distances = np.empty(len(X))
        n_rows = max(1, MEASURED_BYTES // (8 * X.shape[1]))
        for start in range(0, len(X), n_rows):
            part = slice(start, start + n_rows)
            distances[part] = ((X[part] - centers[labels[part]]) ** 2).sum(axis=1)
        farthest = np.argpartition(distances, -len(empty))[: -len(empty) - 1 : -1]
        if distances.max() == 0:
            return
        for cluster, row in zip(empty, farthest, strict=True):
            weight = 1.0 if weights is None else weights[row]
            self.sums[labels[row]] -= X[row] * weight
            self.sums[cluster] = X[row] * weight
            self.weights[cluster] = weight
            self.weights[labels[row]] -= weight
