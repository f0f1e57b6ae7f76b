"""The nearest center of each row, for centers that move."""

import ctypes

import numpy as np

from kmeans_service.arrays import Array
from kmeans_service.fitting.kernel.library import Centers, Drift, address, library
from kmeans_service.fitting.kernel.rows import UNIT, Rows

LANES = 8
# From so many clusters, or clusters times features, on a bound spares more than it costs, and from
# so many on it pays to know how far a row's own center has come.
BOUNDED_CLUSTERS, BOUNDED_PRODUCTS, OWN_PRODUCTS = 32, 64, 400
# OpenBLAS sums a product in the order of the features, as C does, up to these sizes.
BLAS_FEATURES, BLAS_CLUSTERS = 32, 256
BLAS_ROWS = 256  # scikit-learn makes its product of so many rows at a time


class Assignment:
    """Labels, and where there are many clusters what is known of each row's distances.

    labels  shape (n_samples,), int32
    """

    def __init__(self, rows: Rows, n_clusters: int, *, again: bool = True) -> None:
        """again: whether other centers will follow often enough for what is known to pay."""
        self.rows = rows
        self.tiles = rows.float_tiles if again else None
        self.labels = np.zeros(rows.n_samples, dtype=np.int32)
        self.until = None
        products = n_clusters * rows.n_features
        if again and (n_clusters >= BOUNDED_CLUSTERS or products >= BOUNDED_PRODUCTS):
            self.until = np.full(rows.n_samples, -np.inf, dtype=np.float32)
        self._centers: Array | None = None
        own = n_clusters >= BOUNDED_CLUSTERS or products >= OWN_PRODUCTS
        self._drifts, self._most = np.zeros(n_clusters) if own else None, 0.0

    def update(self, centers: Array, margin: float) -> bool:
        """Bring the labels to these centers.

        Returns whether some row's two nearest centers are within `margin`, in squared distance.
        """
        C, X = library(), self.rows.X
        known, _kept = known_centers(centers)
        self._move(centers)
        drift = Drift(address(self._drifts), self._most, margin)
        size = C.nearest_workspace(X.shape[1])

        def work(start: int, n: int) -> int:
            workspace = np.empty(size)
            near: int = C.nearest(
                address(X, start),
                address(self.tiles, start),
                n,
                ctypes.byref(known),
                ctypes.byref(drift),
                address(self.labels, start),
                address(self.until, start),
                address(workspace),
            )
            return near

        n_near = self.rows.in_ranges(work)
        self._centers = centers
        return n_near > 0

    def _move(self, centers: Array) -> None:
        """How far the centers have come, rounded up."""
        if self._centers is None or self.until is None:
            return
        moved = np.sqrt(((centers - self._centers) ** 2).sum(axis=1)) * (1 + 1e-10)
        if self._drifts is not None:
            self._drifts += moved
            self._most += float(moved.max())
        else:
            self._most += float(np.sort(moved)[-2:].sum())

    def forget(self) -> None:
        """Know nothing of the rows again."""
        if self.until is not None:
            self.until[:] = -np.inf

    def ask_blas(self, centers: Array) -> None:
        """Decide again by the product that scikit-learn takes its distances from.

        Its last bits depend on the shape, on the machine, and on the version of BLAS.
        """
        n_clusters, n_features = centers.shape
        if n_features <= BLAS_FEATURES and n_clusters <= BLAS_CLUSTERS:
            return
        norms, factors = squared_norms(centers), -2 * centers.T
        for start in range(0, self.rows.n_samples, BLAS_ROWS):
            part = slice(start, start + BLAS_ROWS)
            self.labels[part] = (norms + self.rows.X[part] @ factors).argmin(axis=1)
        self.forget()


def nearest(rows: Rows, centers: Array) -> Array:
    """Index of the nearest center of each row, int32: as scikit-learn decides, ties included."""
    found = Assignment(rows, len(centers), again=False)
    if found.update(centers, rounding(rows, centers)):
        found.ask_blas(centers)
    return found.labels


def rounding(rows: Rows, centers: Array) -> float:
    """What two squared distances, less the row's squared norm, can be off by together."""
    radius = max(rows.radius, float(np.sqrt((centers**2).sum(axis=1).max())))
    return 16 * (rows.n_features + 4) * UNIT * radius**2


def known_centers(centers: Array) -> tuple[Centers, tuple[Array, ...]]:
    """What C must know of them, and the arrays that this points to."""
    n_clusters, n_features = centers.shape
    tiles = -(-n_clusters // LANES)
    norms = np.full(tiles * LANES, np.inf)
    norms[:n_clusters] = squared_norms(centers)
    factors = np.zeros((tiles * LANES, n_features))
    factors[:n_clusters] = -2 * centers
    kept = (
        centers,
        np.ascontiguousarray(factors.reshape(tiles, LANES, n_features).transpose(0, 2, 1)),
        norms,
        factors[:n_clusters].astype(np.float32),
        norms[:n_clusters].astype(np.float32),
    )
    largest = float(norms[:n_clusters].max())
    return Centers(n_clusters, n_features, *map(address, kept), largest), kept


def squared_norms(rows: Array) -> Array:
    """Rounded as scikit-learn's row_norms does."""
    norms: Array = np.einsum("ij,ij->i", rows, rows)
    return norms
