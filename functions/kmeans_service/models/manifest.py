"""The manifest: a model as JSON in its fit's prefix; publishing points the job at it.

    version    of this form; a reader refuses a newer one
    fit_id     whose fit it is
    recipe     the fit's, with its seed
    columns    n_features, and feature_names and used where there are any
    transform  `Transform.as_json`; absent: rows are clustered as they are
    space      shift of each clustered column, and scale: z = (x - shift) * scale
    centers    shape, and in the fit's space the numbers, or the object beside that holds them
    numbers    of the clusters, by their labels; absent: they are the labels
    scores, versions

What a reader does not know it passes over: members may be added. JSON keeps every double as it is.
"""

import io
import json
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from kmeans_service.arrays import Array
from kmeans_service.errors import ModelDamaged
from kmeans_service.media_types import BINARY, JSON
from kmeans_service.models.columns import Columns
from kmeans_service.models.model import Model
from kmeans_service.models.numbers import Numbers, numbers_of
from kmeans_service.models.predictor import Predictor, Space
from kmeans_service.models.scores import Scores, scores_of
from kmeans_service.recipes.recipe import Recipe, recipe_of
from kmeans_service.recipes.transform import Transform, transform_of
from kmeans_service.storage import data_bucket
from kmeans_service.stored_object import StoredObject

VERSION = 1
# Centers of more lie beside the manifest.
INLINE_NUMBERS = 2_000


@dataclass(frozen=True, eq=False)
class Manifest:
    """A model, and the fit that made it."""

    fit_id: str
    recipe: Recipe
    model: Model
    scores: Scores
    versions: dict[str, str]
    continued: Numbers | None = None


def store(manifest: Manifest, prefix: str) -> tuple[StoredObject, StoredObject | None]:
    """Where the manifest lies below the prefix, and the array beside it if it has one."""
    centers = manifest.model.predictor.centers
    beside = None
    if centers.size > INLINE_NUMBERS:
        beside = data_bucket().put(f"{prefix}fitted_centers.npy", npy(centers), BINARY)
    text = json.dumps(_document(manifest, beside), allow_nan=False, sort_keys=True)
    return data_bucket().put(f"{prefix}manifest.json", text.encode(), JSON), beside


def _document(manifest: Manifest, beside: StoredObject | None) -> dict[str, Any]:
    model = manifest.model
    space, centers = model.predictor.space, model.predictor.centers
    where = {"object": asdict(beside)} if beside else {"numbers": centers.tolist()}
    document = {
        "version": VERSION,
        "fit_id": manifest.fit_id,
        "recipe": manifest.recipe.as_json(),
        "columns": columns_as_json(model.columns),
        "space": {"shift": space.shift.tolist(), "scale": space.scale},
        "centers": {"shape": list(centers.shape), **where},
        "scores": manifest.scores.as_json(),
        "versions": manifest.versions,
    }
    if manifest.continued:
        document["numbers"] = manifest.continued.as_json()
    return document | ({"transform": model.transform.as_json()} if model.transform else {})


def columns_as_json(columns: Columns) -> dict[str, Any]:
    """All but the texts of categories, which the transform has."""
    found = {name: value for name, value in asdict(columns).items() if value is not None}
    del found["texts"]
    return found


def load(stored: StoredObject) -> Manifest:
    """Raises JobGone or ModelDamaged; the digest of all that is read is checked."""
    document = json.loads(data_bucket().get(stored))
    if document["version"] > VERSION:
        raise ModelDamaged("The model was stored by a newer version of the service")
    transform, numbers = _transform(document), document.get("numbers")
    return Manifest(
        document["fit_id"],
        recipe_of(document["recipe"]),
        Model(
            columns_of(document["columns"], transform),
            Predictor(_space(document["space"]), _centers(document["centers"])),
            transform,
        ),
        scores_of(document["scores"]),
        document["versions"],
        numbers and numbers_of(numbers),
    )


def columns_of(document: dict[str, Any], transform: Transform | None) -> Columns:
    """What `columns_as_json` wrote."""
    return Columns(
        document["n_features"],
        _tuple(document.get("feature_names")),
        _tuple(document.get("used")),
        tuple(document.get("booleans", ())),
        document.get("weight"),
        tuple(document.get("categories", ())),
        tuple(levels.texts for levels in transform.levels) if transform else (),
    )


def _transform(document: dict[str, Any]) -> Transform | None:
    return transform_of(document["transform"]) if "transform" in document else None


def _tuple(values: list[Any] | None) -> tuple[Any, ...] | None:
    return None if values is None else tuple(values)


def _space(document: dict[str, Any]) -> Space:
    return Space(_frozen(np.array(document["shift"], dtype=np.float64)), document["scale"])


def _centers(document: dict[str, Any]) -> Array:
    if "object" in document:
        found = from_npy(data_bucket().get(StoredObject(**document["object"])))
    else:
        found = _frozen(np.array(document["numbers"], dtype=np.float64))
    if list(found.shape) != document["shape"]:
        raise ModelDamaged("The centers are not those that the model was stored with")
    return found


def npy(array: Array) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def from_npy(body: bytes) -> Array:
    found: Array = np.load(io.BytesIO(body), allow_pickle=False)
    return _frozen(found)


def _frozen(array: Array) -> Array:
    array.setflags(write=False)
    return array
