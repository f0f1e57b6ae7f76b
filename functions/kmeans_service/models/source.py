"""What an aligned fit continues: the clusters of another, copied when the fit was asked for."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from kmeans_service.arrays import Array
from kmeans_service.models import manifest
from kmeans_service.models.columns import Columns
from kmeans_service.models.loading import model_of
from kmeans_service.models.manifest import from_npy
from kmeans_service.models.numbers import Numbers, numbers_of
from kmeans_service.models.published import Published
from kmeans_service.recipes.transform import Transform, transform_of
from kmeans_service.storage import data_bucket


@dataclass(frozen=True, eq=False)
class Source:
    """A model's clusters.

    scaling   what was asked for: of normalised rows, centers in other scales mean nothing
    centers   as the model's job answers them, shape (n_clusters, n_features)
    names     of clusters, by their numbers
    """

    columns: Columns
    transform: Transform | None
    scaling: str
    centers: Array
    numbers: Numbers
    names: dict[int, str]

    @property
    def is_normalized(self) -> bool:
        return self.transform is not None and self.transform.normalize

    def as_json(self) -> dict[str, Any]:
        return {
            "columns": manifest.columns_as_json(self.columns),
            "transform": self.transform and self.transform.as_json(),
            "scaling": self.scaling,
            "centers": self.centers.tolist(),
            "numbers": self.numbers.as_json(),
            "names": self.names,
        }


def source_from(document: dict[str, Any]) -> Source:
    """What `as_json` gave."""
    transform = document["transform"] and transform_of(document["transform"])
    return Source(
        manifest.columns_of(document["columns"], transform),
        transform,
        document["scaling"],
        np.array(document["centers"], dtype=np.float64),
        numbers_of(document["numbers"]),
        {int(number): name for number, name in document["names"].items()},
    )


def source_of(published: Published, names: dict[int, str]) -> Source:
    """Raises JobGone or ModelDamaged."""
    model = model_of(published)
    scaling = "none"
    if published.manifest and model.transform:
        scaling = manifest.load(published.manifest).recipe.preprocessing.scaling
    centers = from_npy(data_bucket().get(published.centers))
    return Source(model.columns, model.transform, scaling, centers, published.numbering, names)
