"""The nearest center of each point, with NumPy alone."""

import numpy as np

from kmeans_service.arrays import Array

# scikit-learn's own number of rows at a time: the last bits of a product depend on it, and with
# them which of two centers at the same distance is the nearest.
CHUNK = 256
# Up to so many clusters, one pass a cluster over many rows is faster than one argmin a row.
FEW_CLUSTERS = 16
CHUNKS_OF_FEW_CLUSTERS = 32
# Numbers that a processor's cache holds, and as many as are a long row for it.
CACHED = 128 * 1024
LONG = 1024


def nearest(points: Array, centers: Array, shift: Array | None = None, scale: float = 1.0) -> Array:
    """Index of the nearest center for each point, as KMeans.predict gives it.

    points   shape (n_samples, n_features), finite
    centers  shape (n_clusters, n_features)
    shift    shape (n_features,): the centers are among (points - shift) * scale
    scale    a power of two, which changes no digit
    Returns  shape (n_samples,), int32; ties go to the lower index.
    Source: ||p - c||^2 = ||p||^2 - 2 p.c + ||c||^2, whose first term is constant per row.
    """
    few = len(centers) <= FEW_CLUSTERS and len(points) > CHUNK
    smallest, chunks = (_smallest_of_few, CHUNKS_OF_FEW_CLUSTERS) if few else (_smallest, 1)
    rows = max(1, min(chunks, CACHED // (CHUNK * points.shape[1]))) * CHUNK
    labels = np.empty(len(points), dtype=np.int32)
    factors = (-2.0 * scale * centers).T
    squared_norms = np.einsum("ij,ij->i", centers, centers)
    shifts = None if shift is None else np.tile(shift, (max(1, LONG // len(shift)), 1))
    room = np.empty((min(rows, len(points)), points.shape[1]))
    for start in range(0, len(points), rows):
        part = slice(start, start + rows)
        z = points[part] if shifts is None else _less(points[part], shifts, room)
        labels[part] = smallest(_product(z, factors), squared_norms)
    return labels


def _less(points: Array, shifts: Array, room: Array) -> Array:
    """The points less what each row of `shifts` is, so many rows at a time as one long one."""
    less = room[: len(points)]
    whole = len(points) // len(shifts) * len(shifts)
    long = (-1, shifts.size)
    np.subtract(points[:whole].reshape(long), shifts.ravel(), out=less[:whole].reshape(long))
    np.subtract(points[whole:], shifts[0], out=less[whole:])
    return less


def _product(points: Array, factors: Array) -> Array:
    """points @ factors, CHUNK rows at a time, without the other routine BLAS has for one row."""
    product = np.empty((len(points), factors.shape[1]))
    whole = len(points) // CHUNK * CHUNK
    if whole:
        chunks = points[:whole].reshape(-1, CHUNK, points.shape[1])
        np.matmul(chunks, factors, out=product[:whole].reshape(-1, CHUNK, factors.shape[1]))
    rest = points[whole:]
    if len(rest) == 1:
        product[whole] = (np.repeat(rest, 2, axis=0) @ factors)[0]
    else:
        np.matmul(rest, factors, out=product[whole:])
    return product


def _smallest(product: Array, squared_norms: Array) -> Array:
    labels: Array = (product + squared_norms).argmin(axis=1)
    return labels


def _smallest_of_few(product: Array, squared_norms: Array) -> Array:
    """As `_smallest`, for up to 256 clusters."""
    smallest, *others = np.add(product.T, squared_norms[:, np.newaxis], order="C")
    labels = np.zeros(len(product), dtype=np.uint8)
    for label, row in enumerate(others, start=1):
        # Labels only rise: the last cluster that was closer has the largest.
        np.maximum(labels, (row < smallest) * np.uint8(label), out=labels)
        np.minimum(smallest, row, out=smallest)
    return labels


def distances(points: Array, centers: Array) -> Array:
    """Euclidean distance of each point to every center, as KMeans.transform gives it.

    Returns  shape (n_samples, n_clusters)
    """
    return np.sqrt(_squared_distances(points, centers))


def score(points: Array, centers: Array, weights: Array | None = None) -> float:
    """Minus the sum of squared distances to the nearest center, as KMeans.score gives it.

    weights  shape (n_samples,), how much each distance counts; None: all alike
    """
    own = centers[nearest(points, centers)]
    difference = points - own
    if weights is None:
        return -float(np.einsum("ij,ij->", difference, difference))
    return -float(np.einsum("ij,ij->i", difference, difference) @ weights)


def _squared_distances(points: Array, centers: Array) -> Array:
    """Differences first: the expanded form loses the digits of small distances."""
    squared = np.empty((len(points), len(centers)))
    for cluster, center in enumerate(centers):
        difference = points - center
        np.einsum("ij,ij->i", difference, difference, out=squared[:, cluster])
    return squared
