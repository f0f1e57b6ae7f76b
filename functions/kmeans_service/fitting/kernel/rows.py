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
        tiles = self.room_for_tiles()

        def make(start: int, n: int) -> float:
            largest: float = library().make_float_tiles(
                address(self.X, start), n, self.n_features, address(tiles, start)
            )
            return largest

        self.keep_tiles(tiles, make)
        return tiles

    @property
    def has_tiles(self) -> bool:
        return "float_tiles" in self.__dict__

    def room_for_tiles(self) -> Array:
        n_samples = -(-self.n_samples // TILE) * TILE
        return np.empty((n_samples, self.n_features), dtype=np.float32)

    def keep_tiles(self, tiles: Array | None, make: Callable[[int, int], float]) -> None:
        """Keep the tiles that make(start, n) writes some of, and with them the radius.

        tiles  None: they are there already, and make does something else
        make   its answer is the largest squared norm of these rows
        """
        norms: list[float] = []
        self.in_ranges(lambda start, n: norms.append(make(start, n)))
        if tiles is not None:
            self.__dict__.update(float_tiles=tiles, radius=float(np.sqrt(max(norms))))

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
