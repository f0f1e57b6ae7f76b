"""How good a clustering is: the usual indices, of rows in a fit's space.

Calinski–Harabasz and Davies–Bouldin are taken over all rows, a chunk at a time, whatever the
clusters' sizes. Silhouette compares every pair of rows, so it is taken over a sample.
Definitions: https://scikit-learn.org/stable/modules/clustering.html#clustering-performance-evaluation
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import scipy.sparse
from scipy.spatial.distance import pdist, squareform
from sklearn.metrics import silhouette_score

from kmeans_service.arrays import Array

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

    def add(self, rows: Array, labels: Array) -> None:
        ones = (np.ones(len(rows)), labels, np.arange(len(rows) + 1))
        self.sums += scipy.sparse.csr_matrix(ones, shape=(len(rows), len(self.sums))).T @ rows
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
    apart = squareform(pdist(centroids))
    if not spreads.any() or not apart.any():
        return 0.0
    apart[apart == 0] = np.inf
    return float(((spreads[:, np.newaxis] + spreads) / apart).max(axis=1).mean())


def silhouette(Z: Array, labels: Array) -> dict[str, Any]:
    """Silhouette of a sample of these rows, and how many they were; nothing if not defined."""
    rows = sampled(len(Z))
    sample, labels = Z[rows], labels[rows]
    if not 2 <= len(np.unique(labels)) <= len(labels) - 1:
        return {}
    value = float(silhouette_score(sample, labels))
    return {"silhouette": value, "sample_size": len(labels)} if np.isfinite(value) else {}


def sampled(n_samples: int) -> Any:
    """All rows, or as many as a sample has; the same ones for the same n_samples."""
    if n_samples <= SILHOUETTE_SAMPLE:
        return slice(None)
    draw = np.random.default_rng(0)
    return draw.choice(n_samples, SILHOUETTE_SAMPLE, replace=False, shuffle=False)
