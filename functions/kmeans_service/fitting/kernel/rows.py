"""The rows of a fit, and threads that share them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kmeans_service.arrays import Array
from kmeans_service.fitting.kernel.library import address, library

# Threads share the rows by ranges that begin at a multiple of this, which is one of all blocks
# that C sums by: so the sums do not depend on how many threads there are.
RANGE = 2048
TILE = 16
UNIT = 2.0**-53  # what float64 rounds off at most, in parts of the result


@dataclass(frozen=True)
class Rows:
    """Rows to cluster.

    X        shape (n_samples, n_features), float64, C-contiguous, its columns' means near zero
    weights  shape (n_samples,), float64, none negative; None: all 1
    """

    X: Array
    weights: Array | None = None
    n_threads: int = 1

    @property
    def n_samples(self) -> int:
        return len(self.X)

    @property
    def n_features(self) -> int:
        return int(self.X.shape[1])

    @cached_property
    def radius(self) -> float:
        """The largest norm of a row."""
        return float(np.sqrt(library().largest_norm(address(self.X), *self.X.shape)))

    @cached_property
    def float_tiles(self) -> Array:
        """The rows in float32, as C reads them sixteen at once; half as much memory again."""
        n_samples = -(-self.n_samples // TILE) * TILE
        tiles = np.empty((n_samples, self.n_features), dtype=np.float32)
        norms: list[float] = []

        def work(start: int, n: int) -> None:
            norms.append(
                library().make_float_tiles(
                    address(self.X, start), n, self.n_features, address(tiles, start)
                )
            )

        self.in_ranges(work)
        self.__dict__["radius"] = float(np.sqrt(max(norms)))  # found on the way
        return tiles

    def forget_tiles(self) -> None:
        """Let go of their memory; they are made anew where they are asked for again."""
        self.__dict__.pop("float_tiles", None)

    def in_ranges(self, work: Callable[[int, int], int | None]) -> int:
        """Calls work(start, n) for ranges that are all rows together; the sum of its answers."""
        if self.n_threads == 1 or self.n_samples <= RANGE:
            return work(0, self.n_samples) or 0
        size = -(-self.n_samples // (RANGE * self.n_threads)) * RANGE
        starts = range(0, self.n_samples, size)
        with ThreadPoolExecutor(self.n_threads) as threads:
            return sum(
                threads.map(
                    lambda start: work(start, min(size, self.n_samples - start)) or 0, starts
                )
            )
