"""How good a clustering is: the usual indices, of rows in a fit's space.

Calinski–Harabasz and Davies–Bouldin are taken over all rows, a chunk at a time, whatever the
clusters' sizes. Silhouette compares every pair of rows, so it is taken over a sample.
Definitions: https://scikit-learn.org/stable/modules/clustering.html#clustering-performance-evaluation
"""

from collections.abc import Iterable
from typing import Any

import numpy as np

from kmeans_service.arrays import Array
from kmeans_service.fitting.kernel import library
from kmeans_service.fitting.kernel.library import address

type Labelled = Iterable[tuple[Array, Array]]

SILHOUETTE_SAMPLE = 1_000
CHUNK_BYTES = 1024**2


def chunks_of(Z: Array, labels: Array, n_clusters: int) -> Labelled:
    """All rows with their labels, in parts that a processor's cache holds.

    Or of as many rows as there are clusters, as each part's sums have a row for each.
    """
    rows = max(n_clusters, CHUNK_BYTES // (8 * Z.shape[1]))
    for start in range(0, len(Z), rows):
        yield Z[start : start + rows], labels[start : start + rows]


class Means:
    """The clusters' means, of rows that are added a chunk at a time.

    sums   shape (n_clusters, n_features)
    sizes  shape (n_clusters,)
    """

    def __init__(self, n_clusters: int, n_features: int) -> None:
        self.sums = np.zeros((n_clusters, n_features))
        self.sizes = np.zeros(n_clusters, dtype=np.int64)
        self._weights = np.zeros(n_clusters)

    def add(self, rows: Array, labels: Array) -> None:
        """Both contiguous, labels int32."""
        if library.runs_here():
            arrays = map(address, (rows, None, labels))
            library.library().add_rows(
                *arrays, *rows.shape, address(self.sums), address(self._weights)
            )
        else:
            for feature, column in enumerate(rows.T):
                self.sums[:, feature] += np.bincount(labels, column, len(self.sums))
        self.sizes += np.bincount(labels, minlength=len(self.sums))

    def of_clusters(self) -> Array:
        """Zero for a cluster without rows."""
        means: Array = self.sums / np.maximum(self.sizes, 1)[:, np.newaxis]
        return means


def means_of(labelled: Labelled, n_clusters: int, n_features: int) -> Means:
    means = Means(n_clusters, n_features)
    for rows, labels in labelled:
        means.add(rows, labels)
    return means


def over_all_rows(labelled: Labelled, means: Means) -> dict[str, float]:
    """Calinski–Harabasz and Davies–Bouldin; nothing where they are not defined."""
    present = np.flatnonzero(means.sizes)
    sizes = means.sizes[present]
    n_samples = int(sizes.sum())
    if not 2 <= len(present) <= n_samples - 1:
        return {}
    centroids = means.of_clusters()
    distances = np.zeros(len(means.sizes))
    within = 0.0
    for rows, labels in labelled:
        difference = rows - centroids[labels]
        squared = np.einsum("ij,ij->i", difference, difference)
        within += float(squared.sum())
        distances += np.bincount(labels, np.sqrt(squared), len(distances))
    centroids = centroids[present]
    center = means.sums.sum(axis=0) / n_samples
    between = float(sizes @ np.square(centroids - center).sum(axis=1))
    freedom = (n_samples - len(present)) / (len(present) - 1)
    scores = {"davies_bouldin": _davies_bouldin(centroids, distances[present] / sizes)}
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


def silhouette(Z: Array, labels: Array) -> dict[str, Any]:
    """Silhouette of a sample of these rows, and how many they were; nothing if not defined."""
    rows = sampled(len(Z))
    sample, labels = Z[rows], labels[rows]
    if not 2 <= len(np.unique(labels)) <= len(labels) - 1:
        return {}
    value = float(silhouettes(sample, labels).mean())
    return {"silhouette": value, "sample_size": len(labels)} if np.isfinite(value) else {}


def silhouettes(rows: Array, labels: Array) -> Array:
    """How much nearer each row is to its own cluster's rows than to the next cluster's, -1 to 1.

    Ordered by their labels; 0 of a row that is alone in its cluster.
    """
    order = np.argsort(labels, kind="stable")
    _, starts, sizes = np.unique(labels[order], return_index=True, return_counts=True)
    own = (np.arange(len(rows)), np.repeat(np.arange(len(sizes)), sizes))
    sums = np.add.reduceat(_distances(rows[order]), starts, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        within = sums[own] / (sizes[own[1]] - 1)
        means = sums / sizes
        means[own] = np.inf
        others = means.min(axis=1)
        found = (others - within) / np.maximum(within, others)
    return np.nan_to_num(found)


def _distances(rows: Array) -> Array:
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
