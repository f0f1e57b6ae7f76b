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
from sklearn.preprocessing import Normalizer, OneHotEncoder, StandardScaler

from kmeans_service.arrays import Array
from kmeans_service.models.columns import Columns
from kmeans_service.models.scores import Scores
from kmeans_service.recipes.levels import INDICATOR, Levels
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
    DataFrame the used ones by their names, of an array all of them. A text that is missing is NaN.

    centers  shape (n_clusters, n_features), in the units of the data or of the transform
    """
    estimator = _kmeans(recipe, centers, scores)
    if columns and (transform or columns.used is not None):
        steps = _steps(columns, transform)
        estimator = Pipeline([*steps, ("kmeans", estimator)])
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


def _steps(columns: Columns, transform: Transform | None) -> list[tuple[str, Any]]:
    """From the file's columns to what is clustered."""
    numbers = list(columns.numbers)
    if transform is None:
        return [("columns", _told(columns, [("used", "passthrough", numbers)], _rows(columns, 2)))]
    if columns.categories:
        steps = [("columns", _with_categories(columns, transform))]
    else:
        chosen = _told(columns, [("used", "passthrough", numbers)], _rows(columns, 2))
        steps = [("columns", chosen), *_of_numbers(transform)]
    return [*steps, ("normalize", Normalizer())] if transform.normalize else steps


def _rows(columns: Columns, n_samples: int) -> Any:
    return np.zeros((n_samples, columns.n_features), dtype=object)


def _told(columns: Columns, parts: list[Any], rows: Any, weight: float = 1.0) -> Any:
    """Fitted to rows without names, as pandas is not here, and then told them.

    weight   of all parts but the first
    """
    weights = {name: weight for name, _, _ in parts[1:]} or None
    chooser: Any = ColumnTransformer(parts, transformer_weights=weights).fit(rows)
    if names := columns.feature_names:
        # A column without a name is called so by pandas.
        called = [name or f"Unnamed: {position}" for position, name in enumerate(names)]
        chooser.feature_names_in_ = np.array(called, dtype=object)
    return chooser


def _of_numbers(transform: Transform) -> list[tuple[str, Any]]:
    """Fitted to two rows of what is filled in, so that this is their mean; then told the rest."""
    rows = np.stack([transform.fill, transform.fill])
    scaler: Any = StandardScaler().fit(rows)
    scaler.mean_, scaler.scale_ = transform.shift, 1 / transform.scale
    scaler.var_ = scaler.scale_**2
    return [("impute", SimpleImputer().fit(rows)), ("scale", scaler)]


def _with_categories(columns: Columns, transform: Transform) -> Any:
    """Fitted to rows in which each level stands twice, and once a text for all others.

    The numbers' part is fitted by itself, and put in place of the one that these rows have fitted.
    """
    texts = [_texts(levels) for levels in transform.levels]
    rows = _rows(columns, max(map(len, texts)))
    parts: list[Any] = []
    numbers = columns.numbers
    if numbers:
        rows[:, list(numbers)] = transform.fill
        parts.append(("numbers", Pipeline(_of_numbers(transform)), list(numbers)))
    else:
        parts.append(("numbers", "drop", []))
    for position, levels, column in zip(columns.categories, transform.levels, texts, strict=True):
        rows[: len(column), position] = column
        rows[len(column) :, position] = column[0]
        parts.append((f"levels {position + 1}", _encoder(levels), [position]))
    chooser = _told(columns, parts, rows, INDICATOR)
    if numbers:
        fitted = Pipeline(_of_numbers(transform))
        chooser.transformers_[0] = ("numbers", fitted, list(numbers))
    return chooser


def _texts(levels: Levels) -> list[Any]:
    """A column that an encoder learns the levels from."""
    known = [*levels.texts, *[np.nan] * levels.missing]
    other = "other"
    while other in levels.texts:
        other += "_"
    return [*known, *known, *[other] * levels.other]


def _encoder(levels: Levels) -> OneHotEncoder:
    if levels.other:
        return OneHotEncoder(
            min_frequency=2, handle_unknown="infrequent_if_exist", sparse_output=False
        )
    return OneHotEncoder(handle_unknown="ignore", sparse_output=False)
