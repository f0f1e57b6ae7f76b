"""How good a clustering is: the usual indices, of rows in a fit's space.

Calinski–Harabasz and Davies–Bouldin are taken over all rows, a chunk at a time, whatever the
clusters' sizes. Silhouette compares every pair of rows, so it is taken over a sample.
A row of weight w counts as w rows where all weights are whole; others first get a mean of 1, as the
first and the last of these indices have no meaning for fewer rows than clusters.
Definitions: https://scikit-learn.org/stable/modules/clustering.html#clustering-performance-evaluation
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from kmeans_service.arrays import Array
from kmeans_service.fitting.kernel import library
from kmeans_service.fitting.kernel.library import address

type Labelled = Iterable[tuple[Array, Array, Array | None]]
"""Rows, their labels, and their weights; None: all 1."""

SILHOUETTE_SAMPLE = 1_000
CHUNK_BYTES = 1024**2


def chunks_of(Z: Array, labels: Array, n_clusters: int, weights: Array | None = None) -> Labelled:
    """All rows with their labels, in parts that a processor's cache holds.

    Or of as many rows as there are clusters, as each part's sums have a row for each.
    """
    rows = max(n_clusters, CHUNK_BYTES // (8 * Z.shape[1]))
    for start in range(0, len(Z), rows):
        part = slice(start, start + rows)
        yield Z[part], labels[part], None if weights is None else weights[part]


class Means:
    """The clusters' means, of rows that are added a chunk at a time.

    sums     shape (n_clusters, n_features), of the rows times their weights
    weights  shape (n_clusters,)
    sizes    shape (n_clusters,), how many rows there are, whatever they weigh
    """

    def __init__(self, n_clusters: int, n_features: int) -> None:
        self.sums = np.zeros((n_clusters, n_features))
        self.weights = np.zeros(n_clusters)
        self.sizes = np.zeros(n_clusters, dtype=np.int64)
        self._whole, self._n_weighted = True, 0
        self.are_weighted = False

    def add(self, rows: Array, labels: Array, weights: Array | None = None) -> None:
        """All contiguous, labels int32."""
        before = self.weights.copy()
        if library.runs_here():
            arrays = map(address, (rows, weights, labels))
            library.library().add_rows(
                *arrays, *rows.shape, address(self.sums), address(self.weights)
            )
        else:
            for feature, column in enumerate(rows.T):
                weighted = column if weights is None else column * weights
                self.sums[:, feature] += np.bincount(labels, weighted, len(self.sums))
            self.weights += np.bincount(labels, weights, len(self.sums))
        if weights is None:
            self.sizes += (self.weights - before).astype(np.int64)  # of ones: exact
        else:
            self.sizes += np.bincount(labels, minlength=len(self.sums))
        self._whole = self._whole and are_whole(weights)
        self._n_weighted += len(rows) if weights is None else int(np.count_nonzero(weights))
        self.are_weighted = weights is not None

    @classmethod
    def summed(
        cls, sums: Array, sizes: Array, weights: Array | None, *, n_weighted: int, whole: bool
    ) -> "Means":
        """Of rows that were added up elsewhere.

        n_weighted  how many of them weigh something; whole: whether all weights are
        """
        found = cls(*sums.shape)
        found.sums, found.sizes = sums, sizes
        found.weights = sizes.astype(np.float64) if weights is None else weights
        found._whole, found._n_weighted = whole, n_weighted
        found.are_weighted = weights is not None
        return found

    def of_clusters(self) -> Array:
        """Zero for a cluster without weight."""
        means: Array = self.sums / np.where(self.weights > 0, self.weights, 1)[:, np.newaxis]
        return means

    @property
    def counted(self) -> float:
        """How many rows a weight of 1 counts as."""
        return 1.0 if self._whole else self._n_weighted / float(self.weights.sum())


def are_whole(weights: Array | None) -> bool:
    return weights is None or bool((weights == np.floor(weights)).all())


def means_of(labelled: Labelled, n_clusters: int, n_features: int) -> Means:
    means = Means(n_clusters, n_features)
    for rows, labels, weights in labelled:
        means.add(rows, labels, weights)
    return means


@dataclass(frozen=True)
class Spread:
    """Of rows around the centroids of their clusters, each times its weight.

    within     sum of squared distances
    distances  shape (n_clusters,), sums of distances
    """

    within: float
    distances: Array


def spread_of(labelled: Labelled, centroids: Array) -> Spread:
    distances = np.zeros(len(centroids))
    within = 0.0
    for rows, labels, weights in labelled:
        difference = rows - centroids[labels]
        squared = np.einsum("ij,ij->i", difference, difference)
        within += float(squared.sum() if weights is None else squared @ weights)
        distance = np.sqrt(squared)
        distances += np.bincount(
            labels, distance if weights is None else distance * weights, len(distances)
        )
    return Spread(within, distances)


def over_all_rows(labelled: Labelled, means: Means) -> dict[str, float]:
    """Calinski–Harabasz and Davies–Bouldin; nothing where they are not defined."""
    return of_spread(means, lambda centroids: spread_of(labelled, centroids))


def of_spread(means: Means, spread: Callable[[Array], Spread]) -> dict[str, float]:
    """As `over_all_rows`, of what is found of the rows and the clusters' centroids."""
    present = np.flatnonzero(means.weights)
    sizes = means.weights[present] * means.counted
    n_samples = float(sizes.sum())
    if not 2 <= len(present) <= n_samples - 1:
        return {}
    centroids = means.of_clusters()
    found = spread(centroids)
    within = found.within * means.counted
    centroids = centroids[present]
    center = means.sums.sum(axis=0) / means.weights.sum()
    between = float(sizes @ np.square(centroids - center).sum(axis=1))
    freedom = (n_samples - len(present)) / (len(present) - 1)
    spreads = found.distances[present] / means.weights[present]
    scores = {"davies_bouldin": _davies_bouldin(centroids, spreads)}
    # scikit-learn's value for clusters that are points.
    scores["calinski_harabasz"] = between * freedom / within if within else 1.0
    return {name: value for name, value in scores.items() if np.isfinite(value)}


def _davies_bouldin(centroids: Array, spreads: Array) -> float:
    """Mean over the clusters of their likeness to the cluster that is most like them."""
    apart = _distances_between(centroids)
    if not spreads.any() or not apart.any():
        return 0.0
    apart[apart == 0] = np.inf
    return float(((spreads[:, np.newaxis] + spreads) / apart).max(axis=1).mean())


def _distances_between(centroids: Array) -> Array:
    """By their differences: near ones keep their digits."""
    apart = np.empty((len(centroids), len(centroids)))
    for row, centroid in enumerate(centroids):
        difference = centroids - centroid
        np.einsum("ij,ij->i", difference, difference, out=apart[row])
    return np.sqrt(apart)


def silhouette(Z: Array, labels: Array, weights: Array | None = None) -> dict[str, Any]:
    """Silhouette of a sample of these rows, and how many they were; nothing if not defined."""
    if weights is None:
        rows, counts = sampled(len(Z)), None
    else:
        some = np.flatnonzero(weights)
        rows = some[sampled(len(some))]
        counts = _counts(weights[rows])
    sample, labels = Z[rows], labels[rows]
    n_samples = len(labels) if counts is None else counts.sum()
    if not 2 <= len(np.unique(labels)) <= n_samples - 1:
        return {}
    found, weights = silhouettes(sample, labels, counts), _ordered(counts, labels)
    value = float(np.average(found, weights=weights))
    return {"silhouette": value, "sample_size": len(labels)} if np.isfinite(value) else {}


def _counts(weights: Array) -> Array:
    return weights if are_whole(weights) else weights * (len(weights) / weights.sum())


def _ordered(counts: Array | None, labels: Array) -> Array | None:
    return None if counts is None else counts[np.argsort(labels, kind="stable")]


def silhouettes(rows: Array, labels: Array, counts: Array | None = None) -> Array:
    """How much nearer each row is to its own cluster's rows than to the next cluster's, -1 to 1.

    Ordered by their labels; 0 of a row that is alone in its cluster.

    counts  as how many rows each counts, none 0
    """
    order = np.argsort(labels, kind="stable")
    _, starts, numbers = np.unique(labels[order], return_index=True, return_counts=True)
    own = (np.arange(len(rows)), np.repeat(np.arange(len(numbers)), numbers))
    distances = distances_between(rows[order])
    weights = np.ones(len(rows)) if counts is None else counts[order]
    if counts is not None:
        distances *= weights
    sums = np.add.reduceat(distances, starts, axis=1)
    sizes = np.add.reduceat(weights, starts)
    with np.errstate(divide="ignore", invalid="ignore"):
        within = sums[own] / np.maximum(sizes[own[1]] - 1.0, 0.0)
        means = sums / sizes
        means[own] = np.inf
        others = means.min(axis=1)
        found = (others - within) / np.maximum(within, others)
    return np.nan_to_num(found)


def distances_between(rows: Array) -> Array:
    """Between all pairs, as scikit-learn computes them: by one product."""
    norms = np.einsum("ij,ij->i", rows, rows)
    squared = rows @ rows.T
    squared *= -2
    squared += norms[:, np.newaxis]
    squared += norms
    np.maximum(squared, 0, out=squared)
    np.fill_diagonal(squared, 0)
    return np.sqrt(squared, out=squared)


def sampled(n_samples: int) -> Any:
    """All rows, or as many as a sample has; the same ones for the same n_samples."""
    if n_samples <= SILHOUETTE_SAMPLE:
        return slice(None)
    draw = np.random.default_rng(0)
    return draw.choice(n_samples, SILHOUETTE_SAMPLE, replace=False, shuffle=False)
