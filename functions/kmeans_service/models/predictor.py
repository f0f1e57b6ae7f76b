"""What predictions are made with: the space that a fit was computed in, and its centers there.

z = (x - shift) * scale. A double has some 16 digits: of data far from zero, most of them say how
far, and products of such numbers lose the rest. Less their mean, the numbers keep their digits, as
a difference of doubles that are near each other is exact. The scale is a power of two, which
changes no digit, and keeps squares between the largest and the smallest double.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from kmeans_service.arrays import Array, in_lines
from kmeans_service.models import nearest

# Numbers of a CSV reach 1e100: with it they are far from overflow.
LARGEST_SCALE_POWER = 600
# Rows whose squared distances overflow are measured at this scale.
FAR = math.ldexp(1.0, -LARGEST_SCALE_POWER)


@dataclass(frozen=True, eq=False)
class Space:
    """Where a fit is computed: shift of shape (n_features,), scale a power of two."""

    shift: Array
    scale: float

    def enter(self, points: Array) -> Array:
        """The points there, as a new array."""
        z: Array = points - self.shift
        if self.scale != 1.0:
            z *= self.scale
        return z

    def leave(self, z: Array) -> Array:
        """Points of the space in the user's units."""
        points: Array = z / self.scale + self.shift
        return points

    def inertia(self, squared: float) -> float:
        """A sum of squared distances in the user's units; 0.0 below the smallest double."""
        return squared / self.scale / self.scale


def take(X: Array) -> Space:
    """The space of these data, which are brought into it where they lie.

    The shift is the mean to the last bit that KMeans computes and subtracts itself.
    """
    shift = mean_of(X)
    lines, rest = in_lines(X)
    lines -= np.tile(shift, lines.shape[1] // len(shift))
    rest -= shift
    space = Space(shift, scale_of(float(max(X.max(), -X.min()))))
    if space.scale != 1.0:
        X *= space.scale
    return space


def mean_of(X: Array) -> Array:
    """X.mean(axis=0) to the last bit: both add row after row, but where there is one column."""
    if X.shape[1] == 1:
        return np.asarray(X.mean(axis=0))
    return np.asarray(np.einsum("ij->j", X) / len(X))


def scale_of(extent: float) -> float:
    """The power of two that brings `extent`, the largest magnitude, below 1; 1.0 for zero."""
    if extent == 0:
        return 1.0
    return math.ldexp(1.0, min(-math.frexp(extent)[1], LARGEST_SCALE_POWER))


@dataclass(frozen=True, eq=False)
class Predictor:
    """A fit's centers in its space, shape (n_clusters, n_features)."""

    space: Space
    centers: Array

    def predict(self, points: Array) -> Array:
        """Index of the nearest center of each point, int32; of the fitted rows, their labels.

        Only elkan, whose bounds decide a tie, may have labelled such a row otherwise.
        """
        return nearest.nearest(points, self.centers, self.space.shift, self.space.scale)

    def predict_blocks(self, blocks: Iterable[Array]) -> Iterator[Array]:
        """As `predict` of all blocks in one array, a part at a time, exact ties included.

        Rows that a block ends with are taken with the next one: which of them are multiplied
        together decides the last bits.
        """
        rest = np.empty((0, self.centers.shape[1]))
        for block in blocks:
            points = np.concatenate([rest, block])
            whole = len(points) // nearest.CHUNK * nearest.CHUNK
            yield self.predict(points[:whole])
            rest = points[whole:]
        yield self.predict(rest)

    def distances(self, points: Array) -> Array:
        """Euclidean distance of each point to every center, in the points' units."""
        z = self.space.enter(points)
        with np.errstate(over="ignore"):
            found = nearest.distances(z, self.centers)
        far = ~np.isfinite(found).all(axis=1)
        if far.any():
            found[far] = nearest.distances(z[far] * FAR, self.centers * FAR) / FAR
        found /= self.space.scale
        return found

    def score(self, points: Array, weights: Array | None = None) -> float:
        """Minus the sum of squared distances to the nearest center, times the weights."""
        z = self.space.enter(points)
        with np.errstate(over="ignore", invalid="ignore"):
            found = self.space.inertia(nearest.score(z, self.centers, weights))
        if math.isfinite(found):
            return found
        squared = np.square(self.distances(points).min(axis=1))
        return -float(squared.sum() if weights is None else squared @ weights)


def from_rows(rows: Array) -> Predictor:
    """Of a model that an older version stored, in one array: the shift, the scale in each column,
    the centers.
    """
    return Predictor(Space(rows[0], float(rows[1, 0])), rows[2:])


def from_centers(centers: Array) -> Predictor:
    """Of a model that a still older version stored, as centers alone: shifted by their mean."""
    centers = centers.copy()
    return Predictor(take(centers), centers)
