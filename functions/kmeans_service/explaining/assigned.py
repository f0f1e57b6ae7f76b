"""What is said of rows beside their clusters: how far they are, what is next, how sure it is."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from kmeans_service.arrays import Array
from kmeans_service.models.model import Model
from kmeans_service.models.nearest import CHUNK

# Distances to all centers that are held at a time.
_HELD = 2**20
_MOST_ROWS = 32 * CHUNK


@dataclass(frozen=True, eq=False)
class Assigned:
    """Of so many rows, shape (n_samples,) each; -1 and NaN of a row that the fit would drop.

    labels     index of the nearest center
    distances  to it, Euclidean, in the space of the fit's transform
    second     index of the second nearest center; -1 where there is one cluster
    margins    (second distance - distance) / second distance, from 0 on a border to 1 in a center:
               the simplified silhouette of Hruschka et al. (2004); 0 where both distances are 0
    """

    labels: Array
    distances: Array
    second: Array
    margins: Array

    def some(self, part: slice) -> "Assigned":
        return Assigned(
            self.labels[part], self.distances[part], self.second[part], self.margins[part]
        )

    def outliers(self, limits: Array) -> Array:
        """Which rows are further from their center than the limit of their cluster, bool."""
        found: Array = self.distances > limits[self.labels]
        return found


def assign(model: Model, points: Array) -> Assigned:
    """points   shape (n_samples, n_used), as `Model.predict` takes them"""
    labels, found = model.predict(points), model.distances(points)
    rows = np.arange(len(points))
    nearest = found[rows, labels]
    found[rows, labels] = np.inf
    second = found.argmin(axis=1).astype(np.int32)
    beyond = found[rows, second]
    with np.errstate(invalid="ignore", divide="ignore"):
        margins = np.where(beyond > 0, np.maximum((beyond - nearest) / beyond, 0.0), 0.0)
    alone = (labels < 0) | np.isinf(beyond)
    second[alone], margins[alone] = -1, np.nan
    return Assigned(labels, np.where(labels < 0, np.nan, nearest), second, margins)


def in_step(
    blocks: Iterable[tuple[Array, Array]], n_clusters: int
) -> Iterator[tuple[Array, Array]]:
    """The same rows, in blocks for `assign`: as many at a time as `predict` multiplies together.

    So a row is labelled alike wherever it comes from, exact ties included.
    """
    most = max(CHUNK, min(_MOST_ROWS, _HELD // n_clusters // CHUNK * CHUNK))
    held: list[tuple[Array, Array]] = []
    n_held = 0
    for block in blocks:
        held.append(block)
        n_held += len(block[0])
        if n_held >= most:
            rows, ends = _joined(held)
            whole = n_held // most * most
            for start in range(0, whole, most):
                yield rows[start : start + most], ends[start : start + most]
            held, n_held = [(rows[whole:], ends[whole:])], n_held - whole
    if n_held:
        yield _joined(held)


def _joined(blocks: list[tuple[Array, Array]]) -> tuple[Array, Array]:
    rows, ends = zip(*blocks, strict=True)
    return np.concatenate(rows), np.concatenate(ends)
