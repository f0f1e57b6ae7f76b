"""A model: from the columns of a file, by a transform, to the centers in the space of its fit."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kmeans_service.arrays import Array
from kmeans_service.models.columns import Columns
from kmeans_service.models.predictor import Predictor
from kmeans_service.recipes.transform import Transform


@dataclass(frozen=True, eq=False)
class Model:
    """Applied to rows as the file had them, shape (n_samples, columns.n_features).

    transform  what is made of the used columns before the fit; None: nothing
    """

    columns: Columns
    predictor: Predictor
    transform: Transform | None = None

    @property
    def n_clusters(self) -> int:
        return len(self.predictor.centers)

    def check(self, n_features: int, names: tuple[str, ...] | None) -> None:
        """Raise FeatureMismatch unless points of these columns can be put to the model."""
        self.columns.check(n_features, names)

    def predict(self, points: Array) -> Array:
        """Index of the nearest center of each point, shape (n_samples,), int32."""
        return self.predictor.predict(self._transformed(points))

    def predict_blocks(self, blocks: Iterable[Array]) -> Iterator[Array]:
        """As `predict` of all blocks in one array, a part at a time, exact ties included."""
        return self.predictor.predict_blocks(map(self._transformed, blocks))

    def distances(self, points: Array) -> Array:
        """Euclidean distance to every center, in the units of what the transform makes."""
        return self.predictor.distances(self._transformed(points))

    def score(self, points: Array) -> float:
        """Minus the sum of squared distances to the nearest center."""
        return self.predictor.score(self._transformed(points))

    def _transformed(self, points: Array) -> Array:
        used = self.columns.used
        rows = points if used is None else points[:, used]
        return rows if self.transform is None else self.transform.apply(rows)
