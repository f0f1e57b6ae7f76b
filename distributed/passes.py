"""The passes of a fit over groups of rows: the same to the last bit for any groups."""

import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np

from distributed import tasks
from distributed.fleet import Kept
from distributed.parts import Parts
from distributed.tasks import Clusters, Fitted, Measured, Shape
from kmeans_service.arrays import Array
from kmeans_service.fitting import column_facts
from kmeans_service.fitting.column_facts import Columns
from kmeans_service.fitting.data import Prepared
from kmeans_service.fitting.indices import Means, Spread
from kmeans_service.fitting.kernel.exact import ExactSums, Powers, no_sums, power_above
from kmeans_service.fitting.passes import Weighted
from kmeans_service.models.predictor import Space, scale_of


class GroupPasses:
    """As `fitting.passes.Passes` has it.

    kept       blocks of rows
    prepared   what is made of them in each pass; None: they are rows, weights and masks
    """

    def __init__(
        self, kept: Kept, prepared: Prepared | None, shapes: Sequence[Shape], parts: Parts
    ) -> None:
        self._kept, self._parts = kept, parts
        some = [shape for shape in shapes if shape.n_fitted]
        self._n = sum(shape.n_fitted for shape in some)
        self._starts = [0, *itertools.accumulate(shape.n_fitted for shape in shapes)]
        self._n_weighted = sum(shape.n_weighted for shape in some)
        self._all_whole = all(shape.are_whole for shape in some)
        largest_weight = max(shape.largest_weight for shape in some)
        self._is_weighted = largest_weight > 0
        self._weight_power = math.frexp(largest_weight)[1]
        self.space = _space(kept, Fitted(prepared), some, self._n)
        self._fitted = Fitted(prepared, self.space)
        self._sums = np.zeros((2, self.n_features))

    @property
    def n_features(self) -> int:
        return len(self.space.shift)

    def chunks(self) -> Iterator[Array]:
        return (rows for rows, _, _ in self._fitted.of(self._kept.blocks()) if len(rows))

    def sample(self, seed: int, size: int) -> Weighted:
        """The same rows that are drawn where they lie in one file."""
        size = min(self._n, size)
        numbers = np.sort(np.random.default_rng(seed).choice(self._n, size, replace=False))
        found = self._kept.each(tasks.drawn, (self._fitted, numbers, self._starts))
        for other in found[1:]:
            found[0].sums.merge(other.sums)
        self._sums = found[0].sums.totals()
        rows = np.concatenate([each.rows for each in found])
        weights = [each.weights for each in found if each.weights is not None]
        return rows, np.concatenate(weights) if weights else None

    def columns(self) -> Columns:
        """Of all rows, which were added up where the sample was drawn."""
        return column_facts.from_sums(self._n, *self._sums)

    def means(self, centers: Array) -> Means:
        return self._as_means(self._kept.fold(tasks.clusters, self._with(centers)))

    def farthest(self, centers: Array) -> Array:
        return self._kept.fold(tasks.farthest, (self._fitted, centers)).row

    def label(self, centers: Array) -> tuple[Means, float]:
        with self._parts.writing() as writer:
            found = self._kept.fold(tasks.label, (self._with(centers), writer))
            self._parts.finish(found.parts)
        return self._as_means(found.clusters), float(found.inertia.totals()[0, 0])

    def spread(self, centers: Array, centroids: Array) -> Spread:
        found = self._kept.fold(tasks.spread, (self._with(centers), centroids))
        within = float(found.within.totals()[0, 0])
        return Spread(within, found.distances.totals()[:, 0])

    def _with(self, centers: Array) -> Measured:
        return Measured(self._fitted, centers, self._weight_power)

    def _as_means(self, found: Clusters) -> Means:
        weights = found.weights.totals()[:, 0] if self._is_weighted else None
        return Means.summed(
            found.sums.totals(),
            found.sizes,
            weights,
            n_weighted=self._n_weighted,
            whole=self._all_whole,
        )


def _space(kept: Kept, fitted: Fitted, shapes: Sequence[Shape], n: int) -> Space:
    """Around the mean of all rows."""
    least = np.min([shape.least for shape in shapes], axis=0)
    largest = np.max([shape.largest for shape in shapes], axis=0)
    powers = power_above(np.maximum(np.abs(least), np.abs(largest)))
    shift = _sums(kept, fitted, shapes, powers).totals()[0] / n
    extent = float(max((largest - shift).max(), (shift - least).max()))
    return Space(shift, scale_of(extent))


def _sums(kept: Kept, fitted: Fitted, shapes: Sequence[Shape], powers: Powers) -> ExactSums:
    """Of all rows: as they were added up with these powers, or else in a pass of its own."""
    found = [sums for shape in shapes if (sums := shape.sums) and (sums.powers == powers).all()]
    if len(found) < len(shapes):
        return kept.fold(tasks.sums, (fitted, powers)).exact
    total = no_sums(1, powers)
    for sums in found:
        total.merge(sums)
    return total
