"""The number of clusters that H2O's `estimate_k` comes to, as its documentation and source tell it.

Deterministic, of standardised columns: one cluster, then one more at a time. The next center comes
of the cluster and the column with the widest range, split at the center; of Lloyd's passes there
are so many that hardly a row moves, ten at most. It ends where the inertia falls by less than
min(0.02 + 10 / n_samples + 2.5 / n_features², 0.8) of what it was.

Source: h2oai/h2o-3, KMeans.java and k-means.rst.
"""

import numpy as np

from bench.quality_sets import standardised
from kmeans_service.arrays import Array

MOST_PASSES, MOVED = 10, 1e-4


def estimated(X: Array, most: int) -> int:
    """The number of clusters of rows of shape (n_samples, n_features), from 1 to `most`."""
    Z = standardised(X)
    least = min(0.02 + 10 / len(Z) + 2.5 / Z.shape[1] ** 2, 0.8)
    centers, labels = Z.mean(axis=0, keepdims=True), np.full(len(Z), -1)
    inertia = 0.0
    for number in range(1, most + 1):
        before, (centers, labels, inertia) = inertia, _passes(Z, centers, labels)
        if number > 1 and before and (before - inertia) / before < least:
            return number - 1
        centers = _one_more(Z, centers, labels)
    return most


def _passes(Z: Array, centers: Array, labels: Array) -> tuple[Array, Array, float]:
    """The inertia is that of the last pass, before its centers moved."""
    for _ in range(MOST_PASSES):
        squares = ((Z - center) ** 2 @ np.ones(Z.shape[1]) for center in centers)
        distances = np.column_stack(list(squares))
        nearest = distances.argmin(axis=1)
        moved = int((nearest != labels).sum())
        labels, inertia = nearest, float(distances.min(axis=1).sum())
        centers = np.array([_mean(Z[labels == at], old) for at, old in enumerate(centers)])
        if moved < max(1, MOVED * len(Z)):
            break
    return centers, labels, inertia


def _mean(rows: Array, old: Array) -> Array:
    return rows.mean(axis=0) if len(rows) else old


def _one_more(Z: Array, centers: Array, labels: Array) -> Array:
    ranges = np.array([np.ptp(Z[labels == at], axis=0) for at in range(len(centers))])
    cluster, column = np.unravel_index(ranges.argmax(), ranges.shape)
    own = Z[labels == cluster]
    above = own[:, column] > centers[cluster, column]
    grown = np.vstack([centers, _mean(own[above], centers[cluster])])
    grown[cluster] = _mean(own[~above], centers[cluster])
    return grown
