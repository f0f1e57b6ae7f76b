"""The estimator that scikit-learn's KMeans would be after the fit, as a joblib pickle."""

import io
import platform
from dataclasses import replace
from typing import Any

import joblib
import numpy as np
import scipy
import sklearn
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import Normalizer, StandardScaler

from kmeans_service.arrays import Array
from kmeans_service.models.columns import Columns
from kmeans_service.models.scores import Scores
from kmeans_service.recipes.recipe import Recipe
from kmeans_service.recipes.transform import Transform

# In the order in which they are read back.
VERSIONS = {
    "joblib": joblib.__version__,
    "numpy": np.__version__,
    "python": platform.python_version(),
    "scikit-learn": sklearn.__version__,
    "scipy": scipy.__version__,
}


def estimator_of(recipe: Recipe, init: str | Array) -> KMeans:
    """scikit-learn's own, not fitted yet; `init` is the method's name, or an array.

    It has no swap search: of such a fit it is one of lloyd.
    """
    known = replace(recipe, algorithm="lloyd") if recipe.algorithm == "swap" else recipe
    return KMeans(**(known.model_params | {"init": init}))


def pickled(
    recipe: Recipe,
    centers: Array,
    scores: Scores,
    columns: Columns | None = None,
    transform: Transform | None = None,
) -> bytes:
    """As KMeans.fit leaves it behind, but for labels_, which grows with n_samples.

    Where not all columns are clustered as they are, it is a Pipeline that takes the file's: of a
    DataFrame the used ones by their names, of an array all of them.

    centers  shape (n_clusters, n_features), in the units of the data or of the transform
    """
    estimator = _kmeans(recipe, centers, scores)
    if columns and (transform or columns.used is not None):
        steps = _steps(transform) if transform else []
        estimator = Pipeline([("columns", _chooser(columns)), *steps, ("kmeans", estimator)])
    buffer = io.BytesIO()
    joblib.dump(estimator, buffer)
    return buffer.getvalue()


def _kmeans(recipe: Recipe, centers: Array, scores: Scores) -> Any:
    given = recipe.init
    init = given if isinstance(given, str) else np.array(given, dtype=np.float64)
    estimator: Any = estimator_of(recipe, init)
    estimator.cluster_centers_ = centers
    estimator.inertia_, estimator.n_iter_ = scores.inertia, scores.n_iter
    estimator.n_features_in_, estimator._n_features_out = centers.shape[1], centers.shape[0]
    estimator._n_threads = 1
    return estimator


def _chooser(columns: Columns) -> ColumnTransformer:
    """Of the used columns; fitted without names, as pandas is not here, and then told them."""
    chosen = ("used", "passthrough", list(columns.positions))
    chooser: Any = ColumnTransformer([chosen]).fit(np.zeros((1, columns.n_features)))
    if names := columns.feature_names:
        # A column without a name is called so by pandas.
        called = [name or f"Unnamed: {position}" for position, name in enumerate(names)]
        chooser.feature_names_in_ = np.array(called, dtype=object)
    return chooser


def _steps(transform: Transform) -> list[tuple[str, Any]]:
    """Fitted to two rows of what is filled in, so that this is their mean; then told the rest."""
    rows = np.stack([transform.fill, transform.fill])
    scaler: Any = StandardScaler().fit(rows)
    scaler.mean_, scaler.scale_ = transform.shift, 1 / transform.scale
    scaler.var_ = scaler.scale_**2
    steps = [("impute", SimpleImputer().fit(rows)), ("scale", scaler)]
    return [*steps, ("normalize", Normalizer().fit(rows))] if transform.normalize else steps
