"""The first centers, drawn as scikit-learn draws them from the same random numbers."""

import ctypes

import numpy as np

from kmeans_service.arrays import Array
from kmeans_service.fitting.kernel.assignment import squared_norms
from kmeans_service.fitting.kernel.library import FloatCandidates, Round, address, library
from kmeans_service.fitting.kernel.rows import TILE, Rows

# Up to so many rows NumPy is fast, and makes scikit-learn's own roundings: among few rows it is
# they that decide between candidates that are equally good.
FEW_ROWS = 6_000
FILTERED_FEATURES = 8
# What sums of a block in float32 are off by at most, in parts of them.
SUMMED = 2.0**-17


def random_rows(rows: Rows, n_clusters: int, random: np.random.RandomState) -> Array:
    probabilities = _probabilities(rows)
    drawn = random.choice(rows.n_samples, size=n_clusters, replace=False, p=probabilities)
    return rows.X[drawn]


def _probabilities(rows: Rows) -> Array:
    weights = np.ones(rows.n_samples) if rows.weights is None else rows.weights
    probabilities: Array = weights / weights.sum()
    return probabilities


def _first_row(rows: Rows, random: np.random.RandomState) -> int:
    """What random.choice draws with one number, and without a look at all equal probabilities."""
    if rows.weights is None and rows.n_samples > FEW_ROWS:
        state = random.get_state()
        at = random.random_sample() * rows.n_samples
        if 0.01 < at % 1 < 0.99:  # else it is rounding that decides
            return int(at)
        random.set_state(state)
    return int(random.choice(rows.n_samples, p=_probabilities(rows)))


def kmeans_plusplus(rows: Rows, n_clusters: int, random: np.random.RandomState) -> Array:
    """Centers by greedy k-means++, of 2 + log(n_clusters) candidates each."""
    n_candidates = 2 + int(np.log(n_clusters))
    first = _first_row(rows, random)
    draws: _Draws | _PlainDraws | _FilteredDraws
    if rows.n_samples <= FEW_ROWS:
        draws = _Draws(rows, first)
    elif rows.n_features >= FILTERED_FEATURES and n_clusters > 1:
        draws = _FilteredDraws(rows, first)
    else:
        draws = _PlainDraws(rows, first)
    others = [draws.next(random.uniform(size=n_candidates)) for _ in range(1, n_clusters)]
    return rows.X[[first, *others]]


class _Draws:
    """scikit-learn's steps in NumPy."""

    def __init__(self, rows: Rows, first: int) -> None:
        self.X, self.norms = rows.X, squared_norms(rows.X)
        self.weights = np.ones(rows.n_samples) if rows.weights is None else rows.weights
        self.closest = self._distances(self.X[first, np.newaxis])
        self.potential = self.closest @ self.weights

    def _distances(self, points: Array) -> Array:
        squared: Array = -2 * (points @ self.X.T)
        squared += squared_norms(points)[:, np.newaxis]
        squared += self.norms
        return np.maximum(squared, 0, out=squared)

    def next(self, uniform: Array) -> int:
        summed = np.cumsum(self.weights * self.closest)
        drawn = np.searchsorted(summed, uniform * self.potential)
        np.clip(drawn, None, len(self.X) - 1, out=drawn)
        squared = self._distances(self.X[drawn])
        np.minimum(self.closest, squared, out=squared)
        potentials = squared @ self.weights.reshape(-1, 1)
        best = int(potentials.argmin())
        self.potential, self.closest = potentials[best], squared[best]
        return int(drawn[best])


class _PlainDraws:
    """The same in C, in one pass a center."""

    def __init__(self, rows: Rows, first: int) -> None:
        self.rows = rows
        self.closest = np.full(rows.n_samples, np.inf)
        self.last = rows.X[first].copy()
        self.potentials = self._try(self.last[np.newaxis])[:, 0]

    def _try(self, candidates: Array) -> Array:
        """The potential of each block with each of the candidates."""
        C, X, weights = library(), self.rows.X, self.rows.weights
        round = Round(X.shape[1], len(candidates), address(self.last), address(candidates))
        block = C.seeding_block()
        potentials = np.empty((-(-len(X) // block), len(candidates)))
        size = C.seeding_workspace(X.shape[1])

        def work(start: int, n: int) -> None:
            workspace = np.empty(size)
            C.try_candidates(
                address(X, start),
                address(weights, start),
                n,
                ctypes.byref(round),
                address(self.closest, start),
                address(potentials, start // block),
                address(workspace),
            )

        self.rows.in_ranges(work)
        return potentials

    def next(self, uniform: Array) -> int:
        drawn = _drawn(self.rows, uniform, self.last, self.closest, self.potentials)
        candidates = self.rows.X[drawn]
        potentials = self._try(candidates)
        best = int(potentials.sum(axis=0).argmin())
        self.potentials, self.last = potentials[:, best].copy(), candidates[best].copy()
        return int(drawn[best])


def _drawn(
    rows: Rows, uniform: Array, last: Array | None, closest: Array, potentials: Array
) -> Array:
    """The rows at which the potential, summed up, reaches these parts of the whole.

    last  the center that `closest` does not know of yet; None: it knows of all
    """
    drawn = np.empty(len(uniform), dtype=np.int64)
    library().draw_rows(
        address(rows.X),
        address(rows.weights),
        *rows.X.shape,
        *map(address, (last, closest, potentials, uniform)),
        len(uniform),
        address(drawn),
    )
    return drawn


class _FilteredDraws:
    """The same for many features: float32 tells which candidate is best, and for which rows."""

    def __init__(self, rows: Rows, first: int) -> None:
        self.rows = rows
        self.closest = np.empty(rows.n_samples)
        self.potentials = np.empty(-(-rows.n_samples // library().seeding_block()))
        self._chosen: tuple[_Tried, int] | None = None
        self._measure_to(rows.X[first].copy())

    def _measure_to(self, center: Array) -> None:
        """The first center: of all rows, which are written in float32 on the way."""
        C, X, weights = library(), self.rows.X, self.rows.weights
        block = C.seeding_block()
        tiles = None if self.rows.has_tiles else self.rows.room_for_tiles()

        def work(start: int, n: int) -> float:
            largest: float = C.measure_first(
                address(X, start),
                address(weights, start),
                *(n, X.shape[1]),
                address(center),
                address(tiles, start),
                address(self.closest, start),
                address(self.potentials, start // block),
            )
            return largest

        self.rows.keep_tiles(tiles, work)

    def next(self, uniform: Array) -> int:
        if self._chosen:  # the last center of all needs no potential
            tried, chosen = self._chosen
            tried.choose(chosen, self.closest, self.potentials)
        drawn = _drawn(self.rows, uniform, None, self.closest, self.potentials)
        tried = _Tried(self.rows, self.rows.X[drawn])
        best = tried.best(self.closest)
        self._chosen = tried, best
        return int(drawn[best])


class _Tried:
    """Candidates of a round, and the rows that each is perhaps closer to."""

    def __init__(self, rows: Rows, candidates: Array) -> None:
        self.rows, self.candidates, self.block = rows, candidates, library().seeding_block()
        self.perhaps = np.empty((-(-rows.n_samples // TILE), len(candidates)), dtype=np.uint16)
        self.round = Round(rows.n_features, len(candidates), None, address(candidates))
        self.gains = np.empty((-(-rows.n_samples // self.block), len(candidates)))

    def best(self, closest: Array) -> int:
        """Which of them lowers the potential most."""
        gains, errors = self.estimate(closest)
        best = int(gains.argmax())
        rivals = gains + errors >= gains[best] - errors[best]
        return int(self.measure(closest).argmax()) if rivals.sum() > 1 else best

    def estimate(self, closest: Array) -> tuple[Array, Array]:
        """By how much each lowers the potential, by float32, and what that is off by at most."""
        tiles, weights, terms = self.rows.float_tiles, self.rows.weights, np.empty_like(self.gains)
        factors = (-2 * self.candidates).astype(np.float32)
        norms = squared_norms(self.candidates).astype(np.float32)
        known = FloatCandidates(address(factors), address(norms))

        def work(start: int, n: int) -> None:
            library().estimate_gains(
                address(tiles, start),
                address(weights, start),
                n,
                self.rows.n_features,
                ctypes.byref(known),
                len(norms),
                address(closest, start),
                address(self.gains, start // self.block),
                address(terms, start // self.block),
                address(self.perhaps, start // TILE),
            )

        self.rows.in_ranges(work)
        gains = self.gains.sum(axis=0)
        return gains, _float_error(self.rows.n_features + 8) * terms.sum(axis=0) + SUMMED * gains

    def measure(self, closest: Array) -> Array:
        """By how much each lowers the potential, by float64."""
        X, weights = self.rows.X, self.rows.weights

        def work(start: int, n: int) -> None:
            library().measure_gains(
                address(X, start),
                address(weights, start),
                n,
                ctypes.byref(self.round),
                address(self.perhaps, start // TILE),
                address(closest, start),
                address(self.gains, start // self.block),
            )

        self.rows.in_ranges(work)
        measured: Array = self.gains.sum(axis=0)
        return measured

    def choose(self, chosen: int, closest: Array, potentials: Array) -> None:
        """Tell the rows, and the potentials of their blocks, of a candidate."""
        X, weights = self.rows.X, self.rows.weights

        def work(start: int, n: int) -> None:
            library().choose_candidate(
                address(X, start),
                address(weights, start),
                n,
                ctypes.byref(self.round),
                chosen,
                address(self.perhaps, start // TILE),
                address(closest, start),
                address(potentials, start // self.block),
            )

        self.rows.in_ranges(work)


def _float_error(n_features: int) -> float:
    """As C has it: of squared distances in float32, in parts of |x|^2 + |c|^2."""
    return (n_features + 8) * 2.0**-23
