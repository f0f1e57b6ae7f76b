"""A model: from the columns of a file, by a transform, to the centers in the space of its fit."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kmeans_service.arrays import Array
from kmeans_service.models.columns import Columns, feature_names
from kmeans_service.models.predictor import Predictor
from kmeans_service.recipes.transform import Transform


@dataclass(frozen=True, eq=False)
class Model:
    """Applied to the used columns as the file had them, shape (n_samples, n_used).

    transform  what is made of these before the fit; None: nothing
    A row that the fit would drop has the label -1, and no distance.
    """

    columns: Columns
    predictor: Predictor
    transform: Transform | None = None

    @property
    def n_clusters(self) -> int:
        return len(self.predictor.centers)

    @property
    def feature_names(self) -> list[str | None] | None:
        """Of what is clustered: the columns of numbers, and then the indicators."""
        return feature_names(self.columns, self.transform.levels if self.transform else ())

    @property
    def is_complete(self) -> bool:
        """Whether it was fitted to rows without missing cells, and takes no others."""
        return self.transform is None

    def predict(self, points: Array) -> Array:
        """Index of the nearest center of each point, shape (n_samples,), int32."""
        rows, kept = self._transformed(points)
        labels = self.predictor.predict(rows)
        if kept is None:
            return labels
        placed = np.full(len(points), -1, dtype=np.int32)
        placed[kept] = labels
        return placed

    def predict_blocks(self, blocks: Iterable[Array]) -> Iterator[Array]:
        """As `predict` of all blocks in one array, a part at a time, exact ties included."""
        if self.is_complete:
            yield from self.predictor.predict_blocks(blocks)
        else:
            yield from map(self.predict, blocks)

    def distances(self, points: Array) -> Array:
        """Euclidean distance to every center, in the units of what the transform makes."""
        rows, kept = self._transformed(points)
        distances = self.predictor.distances(rows)
        if kept is None:
            return distances
        placed = np.full((len(points), self.n_clusters), np.nan)
        placed[kept] = distances
        return placed

    def score(self, points: Array, weights: Array | None = None) -> float:
        """Minus the sum of squared distances to the nearest center, times the weights."""
        rows, kept = self._transformed(points)
        if weights is not None and kept is not None:
            weights = weights[kept]
        return self.predictor.score(rows, weights)

    def _transformed(self, points: Array) -> tuple[Array, NDArray[np.bool_] | None]:
        """The rows that are not dropped, and which these are; None: all."""
        if self.transform is None:
            return points, None
        kept = self.transform.kept(points)
        if kept.all():
            return self.transform.apply(points), None
        return self.transform.apply(points[kept]), kept
