"""The model that predictions are served from: plain centers, checked by digest, kept warm."""

import io
from functools import lru_cache
from typing import Any, Protocol

import numpy as np

from kmeans_service.errors import FeatureMismatch, quoted
from kmeans_service.jobs.job import StoredObject
from kmeans_service.storage import data_bucket

type Array = np.ndarray[Any, np.dtype[Any]]


@lru_cache(maxsize=32)
def centers_of(stored: StoredObject) -> Array:
    """The centers, shape (n_clusters, n_features); read once, as their object never changes."""
    centers: Array = np.load(io.BytesIO(data_bucket().get(stored)), allow_pickle=False)
    centers.setflags(write=False)
    return centers


class Features(Protocol):
    """What a model, or the file that one is made of, says of its columns."""

    @property
    def n_features(self) -> int: ...
    @property
    def feature_names(self) -> tuple[str, ...] | None: ...


def check_features(model: Features, n_features: int, names: tuple[str, ...] | None) -> None:
    """Raise FeatureMismatch unless points of these features can be put to the model."""
    if n_features != model.n_features:
        raise FeatureMismatch(
            f"the points have {n_features} feature{'s' * (n_features != 1)}, "
            f"but the model was fitted with {model.n_features}",
            expected=model.n_features,
            found=n_features,
        )
    if names is None or model.feature_names is None:
        return
    for column, (name, fitted) in enumerate(zip(names, model.feature_names, strict=True), start=1):
        if name != fitted:
            raise FeatureMismatch(
                f"column {column} is named {quoted(name)}, but the model was fitted with "
                f"{quoted(fitted)} there",
                column=column,
            )
