"""Finished fits as arrays: rows, columns, a model, and its labels."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from sklearn.cluster import KMeans

from kmeans_service.arrays import Array
from kmeans_service.explaining.clusters import Explained, explain
from kmeans_service.explaining.described import Described
from kmeans_service.models.columns import Columns
from kmeans_service.models.model import Model
from kmeans_service.models.predictor import Predictor, take
from kmeans_service.recipes.preprocessing import STRICT
from kmeans_service.recipes.transform import Transform, learn


@dataclass(frozen=True, eq=False)
class Fit:
    """values  of the described columns, categories as indices behind the used ones"""

    values: Array
    labels: Array
    columns: tuple[Described, ...]
    model: Model

    def rows(self, size: int = 7) -> Iterator[tuple[Array, Array, Array]]:
        """Below a header of one line."""
        lines = np.arange(len(self.values)) + 2
        for start in range(0, len(self.values), size):
            part = slice(start, start + size)
            yield self.values[part], self.labels[part], lines[part]

    @property
    def sizes(self) -> list[int]:
        kept = self.labels[self.labels >= 0]
        return np.bincount(kept, minlength=self.model.n_clusters).tolist()

    def explained(self) -> Explained:
        return explain(self.rows, self.columns, self.model, self.sizes)


def fit_of(
    X: Array,
    names: Sequence[str],
    labels: Sequence[int] | None = None,
    n_clusters: int = 2,
    *,
    scaling: str = "none",
    beside: tuple[Described, Array] | None = None,
) -> Fit:
    """Rows in clusters with these labels, whose centers are their means, or as KMeans finds them.

    beside   a category that the fit did not use, and its codes
    """
    X = np.ascontiguousarray(X, dtype=np.float64)
    transform = _transform(X, scaling)
    Z = transform.apply(X) if transform else X.copy()
    space = take(Z)
    if labels is None:
        labels = KMeans(n_clusters, n_init=10, random_state=0).fit_predict(Z)
    found = np.asarray(labels)
    centers = np.array([Z[found == label].mean(axis=0) for label in range(found.max() + 1)])
    columns = tuple(
        Described(number, name, whole=bool((X[:, number - 1] % 1 == 0).all()))
        for number, name in enumerate(names, start=1)
    )
    values = X
    if beside:
        columns, values = (*columns, beside[0]), np.column_stack([X, beside[1]])
    model = Model(Columns(X.shape[1], tuple(names)), Predictor(space, centers), transform)
    return Fit(values, found, columns, model)


def _transform(X: Array, scaling: str) -> Transform | None:
    asked = replace(STRICT, scaling=scaling)
    changes = scaling != "none" or np.isnan(X).any()
    return learn(lambda: iter([X]), [False] * X.shape[1], (), asked) if changes else None
