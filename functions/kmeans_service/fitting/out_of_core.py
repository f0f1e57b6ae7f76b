"""Rows that lie in a file, a chunk of them in memory at a time, and the passes over them."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import IO

import numpy as np

from kmeans_service.arrays import Array, Labels
from kmeans_service.fitting import column_facts, entering, indices, passes
from kmeans_service.fitting.clustering import Arrange, Clustering
from kmeans_service.fitting.column_facts import Columns
from kmeans_service.fitting.engines.outcome import Say
from kmeans_service.fitting.indices import Labelled, Means, Spread
from kmeans_service.fitting.passes import Weighted, squared_distances
from kmeans_service.fitting.runs import nearest_centers
from kmeans_service.models.labels_to_text import csv_chunks
from kmeans_service.models.nearest import CHUNK
from kmeans_service.models.predictor import Space, scale_of
from kmeans_service.recipes.recipe import Recipe

type Place = Callable[[Labels], Labels]

CHUNK_BYTES = 4 * 1024**2


def _as_they_are(labels: Labels) -> Labels:
    return labels


@dataclass(frozen=True)
class RowFile:
    """Rows of float64 in a file, and the space that they are fitted in.

    weighted   whether behind each row its weight follows
    """

    file: IO[bytes]
    n_samples: int
    n_features: int
    space: Space
    weighted: bool = False

    def chunks(self) -> Iterator[Array]:
        """All rows in the fit's space, in arrays of shape (some, n_features)."""
        return (chunk for chunk, _ in self.weighted_chunks())

    def weighted_chunks(self) -> Iterator[Weighted]:
        """The same, and the rows' weights.

        Of as many rows as products are computed at a time, or a multiple: their last bits depend
        on it, and predictions are to agree.
        """
        row_bytes = 8 * (self.n_features + self.weighted)
        rows = max(1, CHUNK_BYTES // (CHUNK * row_bytes)) * CHUNK
        self.file.seek(0)
        while len(numbers := self._next(rows, row_bytes // 8)):
            if self.weighted:
                weights = numbers[:, -1].copy()
                yield self.space.enter(numbers[:, : self.n_features]), weights
            else:
                yield entering.enter_known(numbers, self.space), None

    def _next(self, n_rows: int, n_numbers: int) -> Array:
        """The next rows of the file, as they are there; fewer at its end."""
        numbers = np.empty((n_rows, n_numbers))
        n_read = self.file.readinto(numbers.data)  # type: ignore[attr-defined]
        return numbers[: n_read // (8 * n_numbers)]

    def sample(self, seed: int, size: int) -> Weighted:
        """Rows drawn without replacement, in their order; all of them if they are few."""
        size = min(self.n_samples, size)
        drawn = np.sort(np.random.default_rng(seed).choice(self.n_samples, size, replace=False))
        parts, weights, start = [], [], 0
        for chunk, weights_of_chunk in self.weighted_chunks():
            first, last = np.searchsorted(drawn, (start, start + len(chunk)))
            places = drawn[first:last] - start
            parts.append(chunk[places])
            if weights_of_chunk is not None:
                weights.append(weights_of_chunk[places])
            start += len(chunk)
        return np.concatenate(parts), np.concatenate(weights) if weights else None


def spill(
    blocks: Iterable[Array], n_features: int, file: IO[bytes], *, weighted: bool = False
) -> RowFile:
    """Write the rows, shape (some, n_features) each, to the file as they are parsed.

    weighted   whether each has one number more, its weight
    """
    n_samples = 0
    mean = np.zeros(n_features)
    least, most = np.full_like(mean, np.inf), np.full_like(mean, -np.inf)
    for whole in blocks:
        file.write(whole.data)
        block = whole[:, :n_features]
        n_samples += len(block)
        mean = mean + (block.mean(axis=0) - mean) * (len(block) / n_samples)
        least = np.minimum(least, block.min(axis=0))
        most = np.maximum(most, block.max(axis=0))
    extent = float(max((most - mean).max(), (mean - least).max()))
    return RowFile(file, n_samples, n_features, Space(mean, scale_of(extent)), weighted)


@dataclass(frozen=True)
class InFile:
    """The passes over rows in a file; labels go to another one, as CSV.

    place     puts labels where their rows stand in the file
    """

    rows: RowFile
    labels_file: IO[bytes]
    place: Place = _as_they_are

    @property
    def n_features(self) -> int:
        return self.rows.n_features

    @property
    def space(self) -> Space:
        return self.rows.space

    def chunks(self) -> Iterator[Array]:
        return self.rows.chunks()

    def sample(self, seed: int, size: int) -> Weighted:
        return self.rows.sample(seed, size)

    def columns(self) -> Columns:
        return column_facts.columns_of(self.rows.chunks(), self.n_features)

    def means(self, centers: Array) -> Means:
        return indices.means_of(self._labelled(centers), *centers.shape)

    def farthest(self, centers: Array) -> Array:
        farthest: Array = centers[0]
        distance = -1.0
        for chunk, labels, weights in self._labelled(centers):
            squared = squared_distances(chunk, centers, labels)
            if weights is not None:
                squared[weights == 0] = -1
            worst = int(squared.argmax())
            if squared[worst] > distance:
                farthest, distance = chunk[worst].copy(), float(squared[worst])
        return farthest

    def label(self, centers: Array) -> tuple[Means, float]:
        means = Means(*centers.shape)
        inertia = 0.0
        for chunk, labels, weights in self._labelled(centers):
            squared = squared_distances(chunk, centers, labels)
            inertia += float(squared.sum() if weights is None else squared @ weights)
            means.add(chunk, labels, weights)
            self.labels_file.writelines(csv_chunks(self.place(labels)))
        return means, inertia

    def spread(self, centers: Array, centroids: Array) -> Spread:
        return indices.spread_of(self._labelled(centers), centroids)

    def _labelled(self, centers: Array) -> Labelled:
        for chunk, weights in self.rows.weighted_chunks():
            yield chunk, nearest_centers(chunk, centers), weights


def fit(
    rows: RowFile,
    recipe: Recipe,
    labels_file: IO[bytes],
    say: Say,
    *,
    place: Place = _as_they_are,
    arrange: Arrange | None = None,
) -> Clustering:
    """KMeans of all rows; their labels go to `labels_file`, and `labels` is empty."""
    return passes.fit(InFile(rows, labels_file, place), recipe, say, "out_of_core", arrange)
