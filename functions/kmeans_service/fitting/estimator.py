"""The estimator that scikit-learn's KMeans would be after the fit, as a joblib pickle."""

import io
import platform
from dataclasses import replace

import joblib
import numpy as np
import scipy
import sklearn
from sklearn.cluster import KMeans

from kmeans_service.arrays import Array
from kmeans_service.models.scores import Scores
from kmeans_service.recipes.recipe import Recipe

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


def pickled(recipe: Recipe, centers: Array, scores: Scores) -> bytes:
    """As KMeans.fit leaves it behind, but for labels_, which grows with n_samples.

    centers  shape (n_clusters, n_features), in the units of the data
    """
    given = recipe.init
    init = given if isinstance(given, str) else np.array(given, dtype=np.float64)
    estimator = estimator_of(recipe, init)
    estimator.cluster_centers_ = centers
    estimator.inertia_, estimator.n_iter_ = scores.inertia, scores.n_iter
    estimator.n_features_in_, estimator._n_features_out = centers.shape[1], centers.shape[0]
    estimator._n_threads = 1
    buffer = io.BytesIO()
    joblib.dump(estimator, buffer)
    return buffer.getvalue()
