"""One pass over the rows of a finished fit: what is counted of all of them, and a draw."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from kmeans_service.arrays import Array
from kmeans_service.explaining.described import Described, Rows
from kmeans_service.explaining.drawing import Draw, Drawer
from kmeans_service.models.model import Model

# Of the draw that quantiles and rules are taken from.
MOST_ROWS = 100_000
MOST_NUMBERS = 4_000_000


@dataclass(frozen=True, eq=False)
class Gathered:
    """Of all rows that were fitted.

    sizes      shape (n_clusters,)
    n_dropped  rows that the fit dropped
    numbers    present cells of each cluster and column, shape (n_clusters, n_columns)
    means      of these, in the user's units; NaN where there is none
    spread     standard deviation of each column, over all its present cells
    levels     of each category, by the column's place: rows of each cluster and level, shape
               (n_clusters, n_levels + 2), other texts and missing cells behind the levels
    typical    the row nearest to each center, from 0 in the file, -1 of an empty cluster
    distances  how far it is, in the units of the fit's rows
    """

    sizes: NDArray[np.int64]
    n_dropped: int
    numbers: Array
    means: Array
    spread: Array
    levels: dict[int, NDArray[np.int64]]
    typical: NDArray[np.int64]
    distances: Array
    draw: Draw


def gather(rows: Rows, columns: tuple[Described, ...], model: Model, sizes: Array) -> Gathered:
    """What clusters are described by; `sizes` are those that the fit has counted."""
    most = max(len(sizes), min(MOST_ROWS, MOST_NUMBERS // len(columns)))
    moments = _Moments(len(sizes), len(columns))
    tallies = {
        place: _Tally(len(sizes), len(column.levels))
        for place, column in enumerate(columns)
        if column.levels is not None
    }
    nearest = _Nearest(model, np.array([column.used for column in columns]))
    drawer = Drawer(sizes, most)
    first = n_dropped = 0
    for values, labels, lines in rows():
        kept = labels >= 0
        n_dropped += len(labels) - int(kept.sum())
        moments.add(values[kept], labels[kept])
        for place, tally in tallies.items():
            tally.add(values[kept, place], labels[kept])
        nearest.add(first, values, labels)
        drawer.add(values, labels, lines)
        first += len(labels)
    numbers, means, spread = moments.found()
    return Gathered(
        np.asarray(sizes, dtype=np.int64),
        n_dropped,
        numbers,
        means,
        spread,
        {place: tally.counts for place, tally in tallies.items()},
        nearest.rows,
        nearest.distances,
        drawer.drawn(),
    )


class _Moments:
    """Sums of each cluster, less what the first rows have on average: no offset costs digits."""

    def __init__(self, n_clusters: int, n_columns: int) -> None:
        self._shift: Array | None = None
        self._n = np.zeros((n_clusters, n_columns))
        self._sums = np.zeros((n_clusters, n_columns))
        self._squares = np.zeros(n_columns)

    def add(self, values: Array, labels: Array) -> Self:
        present = ~np.isnan(values)
        if self._shift is None and len(values):
            first = np.where(present, values, 0.0).sum(axis=0)
            self._shift = first / np.maximum(present.sum(axis=0), 1)
        if self._shift is None:
            return self
        shifted = np.where(present, values - self._shift, 0.0)
        self._n += _grouped(present.astype(np.float64), labels, len(self._n))
        self._sums += _grouped(shifted, labels, len(self._n))
        self._squares += np.einsum("ij,ij->j", shifted, shifted)
        return self

    def found(self) -> tuple[Array, Array, Array]:
        """Counts, means and standard deviations."""
        shift = np.zeros(len(self._squares)) if self._shift is None else self._shift
        means = np.where(self._n > 0, self._sums / np.maximum(self._n, 1) + shift, np.nan)
        n = np.maximum(self._n.sum(axis=0), 1)
        variance = self._squares / n - (self._sums.sum(axis=0) / n) ** 2
        return self._n, means, np.sqrt(np.maximum(variance, 0.0))


def _grouped(values: Array, labels: Array, n_clusters: int) -> Array:
    """Sums of the rows of each cluster."""
    order = np.argsort(labels, kind="stable")
    starts = np.searchsorted(labels[order], np.arange(n_clusters + 1))
    some = np.flatnonzero(np.diff(starts))
    sums = np.zeros((n_clusters, values.shape[1]))
    if len(some):
        sums[some] = np.add.reduceat(values[order], starts[some], axis=0)
    return sums


class _Tally:
    """Rows of each cluster and level."""

    def __init__(self, n_clusters: int, n_levels: int) -> None:
        self.counts = np.zeros((n_clusters, n_levels + 2), dtype=np.int64)

    def add(self, codes: Array, labels: Array) -> Self:
        n_clusters, width = self.counts.shape
        places = np.where(np.isnan(codes), width - 1, codes)
        places = np.where(places < 0, width - 2, places).astype(np.int64)
        cells = labels.astype(np.int64) * width + places
        found = np.bincount(cells, minlength=n_clusters * width)
        self.counts += found.reshape(n_clusters, width)
        return self


class _Nearest:
    """The row nearest to each center, in the fit's space; of equally near ones the first."""

    def __init__(self, model: Model, used: NDArray[np.bool_]) -> None:
        self._model, self._used = model, used
        self.rows = np.full(model.n_clusters, -1, dtype=np.int64)
        self.distances = np.full(model.n_clusters, np.inf)

    def add(self, first: int, values: Array, labels: Array) -> Self:
        """The rows from the one with this index on."""
        places = np.flatnonzero(labels >= 0)
        labels = labels[places].astype(np.int64)
        far = self._distances(values[places][:, self._used], labels)
        order = np.lexsort((far, labels))
        clusters, begins = np.unique(labels[order], return_index=True)
        found = order[begins]
        nearer = far[found] < self.distances[clusters]
        self.rows[clusters[nearer]] = first + places[found[nearer]]
        self.distances[clusters[nearer]] = far[found[nearer]]
        return self

    def _distances(self, raw: Array, labels: Array) -> Array:
        z = entered(self._model, raw) - self._model.predictor.centers[labels]
        lengths: Array = np.sqrt(np.einsum("ij,ij->i", z, z)) / self._model.predictor.space.scale
        return lengths


def entered(model: Model, raw: Array) -> Array:
    """Fitted rows, shape (n, n_used), in the space that the model's centers are in."""
    rows = model.transform.apply(raw) if model.transform else raw
    return model.predictor.space.enter(rows)
