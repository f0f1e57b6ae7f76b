"""Sums of rows that are the same to the last bit in whatever parts and order they are taken.

Integers of 128 bits count multiples of a power of two. Of numbers below 2^e each is taken to a
multiple of 2^(e - 79): a double keeps all of its digits down to 2^-26 of the largest.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kmeans_service.arrays import Array
from kmeans_service.fitting.kernel.library import address, library

type Powers = NDArray[np.int64]
"""Of two, one for each feature."""

BITS = 90
_LOW, _HIGH = 0, 1


@dataclass(eq=False)
class ExactSums:
    """Of rows by their clusters; sums that are made elsewhere can be added.

    powers  of each feature: what is added is below 2^power in magnitude
    words   shape (n_clusters, n_features, 2): lower and upper half of each integer
    """

    powers: Powers
    words: NDArray[np.uint64]

    def add(self, rows: Array, labels: Array | None = None, weights: Array | None = None) -> None:
        """Rows of shape (any, n_features), times their weights; all contiguous, labels int32."""
        n_clusters = len(self.words)
        scales = np.ldexp(1.0, -self.powers)
        parts = np.zeros((n_clusters, 2, len(scales)))
        arrays = map(address, (rows, weights, labels))
        library().add_exactly(
            *arrays, *rows.shape, n_clusters, *map(address, (scales, parts, self.words))
        )

    def merge(self, other: "ExactSums") -> None:
        low = self.words[..., _LOW] + other.words[..., _LOW]
        carried = low < other.words[..., _LOW]
        self.words[..., _HIGH] += other.words[..., _HIGH] + carried
        self.words[..., _LOW] = low

    def totals(self) -> Array:
        """Shape (n_clusters, n_features), each rounded from its integer."""
        negative = self.words[..., _HIGH] >> np.uint64(63) == 1
        low = np.where(negative, ~self.words[..., _LOW] + np.uint64(1), self.words[..., _LOW])
        high = np.where(negative, ~self.words[..., _HIGH], self.words[..., _HIGH])
        high += negative & (low == 0)
        magnitude = high.astype(np.float64) * 2.0**64 + low.astype(np.float64)
        found: Array = np.ldexp(np.where(negative, -magnitude, magnitude), self.powers - BITS)
        return found


def no_sums(n_clusters: int, powers: Powers) -> ExactSums:
    words = np.zeros((n_clusters, len(powers), 2), dtype=np.uint64)
    return ExactSums(powers, words)


def power_above(extent: Array) -> Powers:
    """Of each number the least power of two that is above it, in magnitude; 0 for zero."""
    return np.frexp(np.abs(extent))[1].astype(np.int64)
