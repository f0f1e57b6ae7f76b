"""The models that predictions are served from: checked by digest, kept warm."""

import json
from collections import OrderedDict
from dataclasses import replace

from kmeans_service.arrays import Array
from kmeans_service.models import manifest, predictor
from kmeans_service.models.manifest import from_npy
from kmeans_service.models.model import Model
from kmeans_service.models.published import BeforeManifests, Published
from kmeans_service.storage import data_bucket
from kmeans_service.stored_object import StoredObject

# Of the largest model, 1,000 clusters of 10,000 features, it holds one.
MAX_WARM_BYTES = 100_000_000
_warm: OrderedDict[StoredObject, tuple[Model, int]] = OrderedDict()


def model_of(published: Published) -> Model:
    """The model; read once, as its objects never change. Raises JobGone or ModelDamaged."""
    key = published.manifest or published.centers
    if key not in _warm:
        model = _read(published)
        _warm[key] = model, key.size + model.predictor.centers.nbytes
    _warm.move_to_end(key)
    while len(_warm) > 1 and sum(size for _, size in _warm.values()) > MAX_WARM_BYTES:
        _warm.popitem(last=False)
    return _warm[key][0]


def forget() -> None:
    """Read every model anew from here on."""
    _warm.clear()


def centers_of(npy: bytes) -> Array:
    """The stored centers, in the user's units, shape (n_clusters, n_features)."""
    return from_npy(npy)


def _read(published: Published) -> Model:
    if published.manifest:
        return manifest.load(published.manifest).model
    if published.before is None:
        raise ValueError("a model has a manifest, or is older than they are")
    return _read_older(published.before, published.centers)


def _read_older(before: BeforeManifests, centers: StoredObject) -> Model:
    columns = before.columns
    if before.names:
        names = json.loads(data_bucket().get(before.names))
        columns = replace(columns, feature_names=tuple(names))
    if before.predictor:
        return Model(columns, predictor.from_rows(from_npy(data_bucket().get(before.predictor))))
    return Model(columns, predictor.from_centers(from_npy(data_bucket().get(centers))))
