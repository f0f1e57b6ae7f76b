"""The models that predictions are served from: plain arrays, checked by digest, kept warm."""

import io
from collections import OrderedDict
from typing import Protocol

import numpy as np

from kmeans_service.arrays import Array
from kmeans_service.errors import FeatureMismatch, quoted
from kmeans_service.lifecycle.job import Model
from kmeans_service.models import predictor
from kmeans_service.models.predictor import Predictor
from kmeans_service.storage import data_bucket
from kmeans_service.stored_object import StoredObject

# Of the largest model, 1,000 clusters of 10,000 features, it holds one.
MAX_WARM_BYTES = 100_000_000
_warm: OrderedDict[StoredObject, Predictor] = OrderedDict()


def predictor_of(model: Model) -> Predictor:
    """What the model predicts with; read once, as its object never changes."""
    stored = model.predictor or model.centers
    if stored not in _warm:
        body = data_bucket().get(stored)
        _warm[stored] = (predictor.from_npy if model.predictor else predictor.from_centers)(body)
    _warm.move_to_end(stored)
    while len(_warm) > 1 and sum(kept.size for kept in _warm) > MAX_WARM_BYTES:
        _warm.popitem(last=False)
    return _warm[stored]


def forget() -> None:
    """Read every model anew from here on."""
    _warm.clear()


def centers_of(npy: bytes) -> Array:
    """The stored centers, in the user's units, shape (n_clusters, n_features)."""
    centers: Array = np.load(io.BytesIO(npy), allow_pickle=False)
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
