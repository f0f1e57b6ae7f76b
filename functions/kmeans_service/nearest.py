"""The nearest center of each point, with NumPy alone."""

from typing import Any

import numpy as np

type Array = np.ndarray[Any, np.dtype[Any]]

# Rows at a time: scikit-learn's own chunk size; a chunk stays in the cache.
CHUNK = 256


def nearest(points: Array, centers: Array) -> Array:
    """Index of the nearest center for each point.

    points   shape (n_samples, n_features), finite
    centers  shape (n_clusters, n_features)
    Returns  shape (n_samples,), int32; ties go to the lower index.
    Source: ||p - c||^2 = ||p||^2 - 2 p.c + ||c||^2, whose first term is constant per row.
    """
    labels = np.empty(len(points), dtype=np.int32)
    minus_two_centers = np.ascontiguousarray(-2.0 * centers.T)
    squared_norms = np.einsum("ij,ij->i", centers, centers)
    for start in range(0, len(points), CHUNK):
        chunk = points[start : start + CHUNK]
        labels[start : start + CHUNK] = (chunk @ minus_two_centers + squared_norms).argmin(axis=1)
    return labels


def distances(points: Array, centers: Array) -> Array:
    """Euclidean distance of each point to every center, as KMeans.transform gives it.

    Returns  shape (n_samples, n_clusters)
    """
    return np.sqrt(_squared_distances(points, centers))


def score(points: Array, centers: Array) -> float:
    """Minus the sum of squared distances to the nearest center, as KMeans.score gives it."""
    own = centers[nearest(points, centers)]
    difference = points - own
    return -float(np.einsum("ij,ij->", difference, difference))


def _squared_distances(points: Array, centers: Array) -> Array:
    """Differences first: the expanded form loses the digits of small distances."""
    squared = np.empty((len(points), len(centers)))
    for cluster, center in enumerate(centers):
        difference = points - center
        np.einsum("ij,ij->i", difference, difference, out=squared[:, cluster])
    return squared
