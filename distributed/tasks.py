"""What tasks find of their rows in the passes of a fit; all of it can be merged, in any order."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from distributed.parts import Part, PartWriter
from distributed.statistics import Sums
from kmeans_service.arrays import Array
from kmeans_service.fitting import entering
from kmeans_service.fitting.data import Mask, Prepared
from kmeans_service.fitting.indices import are_whole
from kmeans_service.fitting.kernel.assignment import BLAS_CLUSTERS, BLAS_FEATURES
from kmeans_service.fitting.kernel.entering import extents_of
from kmeans_service.fitting.kernel.exact import ExactSums, Powers, no_sums
from kmeans_service.fitting.passes import squared_distances
from kmeans_service.fitting.runs import nearest_centers
from kmeans_service.models.labels_to_text import csv_chunks
from kmeans_service.models.nearest import CHUNK
from kmeans_service.models.predictor import Space


@dataclass
class Shape:
    """What there is of a group's rows.

    n_fitted, n_weighted   those that are not dropped, and of them those that weigh something
    least, largest         of each column; largest_weight, of the weights
    are_whole              whether all weights are
    sums                   of each column, where it was known before what is above them
    """

    n_rows: int
    n_fitted: int
    n_weighted: int
    least: Array
    largest: Array
    largest_weight: float = 0.0
    are_whole: bool = True
    sums: ExactSums | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """How blocks become rows of a fit: entered into its space.

    prepared  what is made of them first; None: that was done
    """

    prepared: Prepared | None
    space: Space | None = None

    def of(self, blocks: Iterator[Any]) -> Iterator[tuple[Array, Array | None, Mask]]:
        for block in blocks:
            rows, weights, kept = self.prepared(block) if self.prepared else block
            if self.space and len(rows):
                entered = rows if rows.flags.writeable else rows.copy()
                rows = entering.enter_known(np.ascontiguousarray(entered), self.space)
            yield rows, weights, kept


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """Rows, and the centers that they are measured from."""

    fitted: Fitted
    centers: Array
    weight_power: int

    def no_sums(self, powers: Any) -> ExactSums:
        """Of each cluster, of what is below 2^power in magnitude before it is weighted."""
        return no_sums(len(self.centers), np.asarray(powers) + self.weight_power)

    def labelled(self, blocks: Iterator[Any]) -> Iterator[tuple[Array, Array, Array | None, Mask]]:
        for rows, weights, kept in self.fitted.of(blocks):
            yield rows, nearest_of(rows, self.centers), weights, kept


def nearest_of(rows: Array, centers: Array) -> Array:
    """As of all rows in one array: products are computed of so many rows at a time."""
    if not len(rows):
        return np.empty(0, dtype=np.int32)
    beyond = centers.shape[1] > BLAS_FEATURES or len(centers) > BLAS_CLUSTERS
    if beyond and len(rows) % CHUNK:
        missing = CHUNK - len(rows) % CHUNK
        filled = np.concatenate([rows, np.repeat(rows[-1:], missing, axis=0)])
        return nearest_centers(filled, centers)[: len(rows)]
    return nearest_centers(rows, centers)


@dataclass
class Clusters:
    sums: ExactSums
    sizes: NDArray[np.int64]
    weights: ExactSums

    def add(self, rows: Array, labels: Array, weights: Array | None) -> None:
        self.sums.add(rows, labels, weights)
        self.sizes += np.bincount(labels, minlength=len(self.sizes))
        if weights is not None:
            self.weights.add(weights.reshape(-1, 1), labels)

    def merge(self, other: Self) -> Self:
        self.sums.merge(other.sums)
        self.sizes += other.sizes
        self.weights.merge(other.weights)
        return self


def no_clusters(measured: Measured) -> Clusters:
    n_clusters, n_features = measured.centers.shape
    sums = measured.no_sums(np.zeros(n_features, dtype=np.int64))
    sizes = np.zeros(n_clusters, dtype=np.int64)
    return Clusters(sums, sizes, measured.no_sums([0]))


@dataclass
class Farthest:
    distance: float
    index: int
    row: Array

    def merge(self, other: Self) -> Self:
        """Of equally far ones the first."""
        return max(self, other, key=lambda each: (each.distance, -each.index))


@dataclass
class Labelled:
    clusters: Clusters
    inertia: ExactSums
    parts: list[Part]

    def merge(self, other: Self) -> Self:
        self.clusters.merge(other.clusters)
        self.inertia.merge(other.inertia)
        self.parts += other.parts
        return self


@dataclass
class Around:
    within: ExactSums
    distances: ExactSums

    def merge(self, other: Self) -> Self:
        self.within.merge(other.within)
        self.distances.merge(other.distances)
        return self


def shape_of(shared: tuple[Fitted, Powers | None], _index: int, blocks: Iterator[Any]) -> Shape:
    fitted, powers = shared
    found = Shape(0, 0, 0, np.array(np.inf), np.array(-np.inf))
    found.sums = None if powers is None else no_sums(1, powers)
    for rows, weights, kept in fitted.of(blocks):
        found.n_rows += len(kept)
        found.n_fitted += len(rows)
        found.n_weighted += len(rows) if weights is None else int(np.count_nonzero(weights))
        if len(rows):
            rows = np.ascontiguousarray(rows)
            _, least, largest = extents_of(rows)
            found.least = np.minimum(found.least, least)
            found.largest = np.maximum(found.largest, largest)
            if found.sums is not None:
                found.sums.add(rows)
        if weights is not None:
            found.largest_weight = max(found.largest_weight, float(weights.max(initial=0.0)))
            found.are_whole = found.are_whole and are_whole(weights)
    return found


def sums(shared: tuple[Fitted, Any], _index: int, blocks: Iterator[Any]) -> Sums:
    fitted, powers = shared
    found = no_sums(1, powers)
    for rows, _, _ in fitted.of(blocks):
        found.add(np.ascontiguousarray(rows))
    return Sums(found)


@dataclass
class Drawn:
    """Rows of a sample and their weights, and what all rows of their group add up to.

    sums   of the columns, and of their squares behind them
    """

    rows: Array
    weights: Array | None
    sums: ExactSums


def drawn(shared: Any, index: int, blocks: Iterator[Any]) -> Drawn:
    """Of all fitted rows those with these numbers; `starts` are the first ones of the groups."""
    fitted, numbers, starts = shared
    at, n_features = starts[index], len(fitted.space.shift)
    first, last = np.searchsorted(numbers, (at, starts[index + 1]))
    own = numbers[first:last] - at
    parts, parts_weights, begin = [np.empty((0, n_features))], [], 0
    sums = no_sums(2, np.zeros(n_features, dtype=np.int64))
    for rows, weights, _ in fitted.of(blocks):
        some = slice(*np.searchsorted(own, (begin, begin + len(rows))))
        parts.append(rows[own[some] - begin])
        if weights is not None:
            parts_weights.append(weights[own[some] - begin])
        begin += len(rows)
        sums.add(rows)
        sums.add(rows * rows, np.ones(len(rows), dtype=np.int32))
    drawn_weights = np.concatenate(parts_weights) if parts_weights else None
    return Drawn(np.concatenate(parts), drawn_weights, sums)


def clusters(measured: Measured, _index: int, blocks: Iterator[Any]) -> Clusters:
    found = no_clusters(measured)
    for rows, labels, weights, _ in measured.labelled(blocks):
        found.add(rows, labels, weights)
    return found


def farthest(shared: tuple[Fitted, Array], index: int, blocks: Iterator[Any]) -> Farthest:
    fitted, centers = shared
    found = Farthest(-1.0, index, centers[0])
    for rows, labels, weights, _ in Measured(fitted, centers, 0).labelled(blocks):
        squared = squared_distances(rows, centers, labels)
        if weights is not None:
            squared[weights == 0] = -1
        worst = int(squared.argmax()) if len(squared) else 0
        if len(squared) and squared[worst] > found.distance:
            found = Farthest(float(squared[worst]), index, rows[worst].copy())
    return found


def label(shared: tuple[Measured, PartWriter], index: int, blocks: Iterator[Any]) -> Labelled:
    """Writes the labels of a group as the part of this number."""
    measured, writer = shared
    centers = measured.centers
    found = Labelled(no_clusters(measured), no_sums(1, _squared(measured)), [])
    with tempfile.TemporaryFile() as file:
        for rows, labels, weights, kept in measured.labelled(blocks):
            squared = squared_distances(rows, centers, labels)
            found.inertia.add(squared.reshape(-1, 1), None, weights)
            found.clusters.add(rows, labels, weights)
            placed = np.full(len(kept), -1, dtype=np.int32)
            placed[kept] = labels
            file.writelines(csv_chunks(placed))
        found.parts.append(writer.write(index, file))
    return found


def spread(shared: tuple[Measured, Array], _index: int, blocks: Iterator[Any]) -> Around:
    measured, centroids = shared
    found = Around(no_sums(1, _squared(measured)), measured.no_sums(_squared_power(measured)))
    for rows, labels, weights, _ in measured.labelled(blocks):
        squared = squared_distances(rows, centroids, labels)
        found.within.add(squared.reshape(-1, 1), None, weights)
        found.distances.add(np.sqrt(squared).reshape(-1, 1), labels, weights)
    return found


def _squared_power(measured: Measured) -> NDArray[np.int64]:
    """Rows and means are below 1; an empty cluster's center may not be, and has no rows."""
    return np.array([2 + measured.centers.shape[1].bit_length()], dtype=np.int64)


def _squared(measured: Measured) -> NDArray[np.int64]:
    return _squared_power(measured) + measured.weight_power
