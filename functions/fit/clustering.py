"""scikit-learn's KMeans: the only module that imports sklearn."""

import io
import os
import platform
import warnings
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import joblib
import numpy as np
import scipy.sparse
import sklearn
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import (
    calinski_harabasz_score,
    davies_bouldin_score,
    pairwise_distances_argmin,
    silhouette_score,
)
from sklearn.utils import check_array
from threadpoolctl import ThreadpoolController

from kmeans_service.errors import FitFailed

# Silhouette compares every pair of rows, the other two every row with every center.
SILHOUETTE_SAMPLE = 1_000
INDEX_SAMPLE = 20_000
SAMPLE_RESTARTS = 10

# https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
MEGABYTES_PER_VCPU = 1769

type Array = np.ndarray[Any, np.dtype[Any]]

# What is looked up once in a process. Every fit is a process of its own: here it is done already
# by the one that they are all forked from. Nothing here may run OpenMP.
_THREADPOOLS = ThreadpoolController()
check_array(np.zeros((1, 1)))

VERSIONS = {
    "python": platform.python_version(),
    "scikit-learn": sklearn.__version__,
    "numpy": np.__version__,
    "scipy": scipy.__version__,
    "joblib": joblib.__version__,
}


@dataclass(frozen=True)
class Clustering:
    """A fit's results.

    centers  shape (n_clusters, n_features), float64
    labels   shape (n_samples,), int32
    pickle   the fitted estimator by joblib, without labels_ (it grows with n_samples)
    scores   inertia, n_iter, cluster_sizes and the indices
    """

    centers: Array
    labels: Array
    pickle: bytes
    scores: dict[str, Any]


def fit(X: Array, params: dict[str, Any]) -> Clustering:
    """KMeans(**params).fit(X), X of shape (n_samples, n_features); raises FitFailed.

    The fit centers X in place; afterwards X is as it was but for its values' last bits.
    """
    with all_cpus():
        estimator = _fitted(X, params)
        labels = estimator.labels_
        scores = _basic_scores(estimator, np.bincount(labels, minlength=estimator.n_clusters))
        scores |= _indices(X, labels) | {"method": "in_memory"}
    del estimator.labels_
    return Clustering(estimator.cluster_centers_, labels, _pickle(estimator), scores)


def _fitted(X: Array, params: dict[str, Any]) -> KMeans:
    given = params["init"]
    init = given if isinstance(given, str) else np.array(given, dtype=np.float64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct points than clusters
        try:
            estimator = KMeans(**(params | {"init": init}), copy_x=False).fit(X)
            return estimator.set_params(copy_x=True)  # an own copy is all that this would change
        except MemoryError:
            raise FitFailed("The data does not fit the memory of the function") from None


def all_cpus() -> AbstractContextManager[Any]:
    """A context in which BLAS and OpenMP use the CPUs that the function really has."""
    limit: AbstractContextManager[Any] = _THREADPOOLS.limit(limits=_cpus())
    return limit


def _cpus() -> int:
    """Those that can be seen, but as many as the memory pays for: Lambda shows two for one."""
    visible = len(os.sched_getaffinity(0))
    memory = int(os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", visible * MEGABYTES_PER_VCPU))
    return min(visible, max(1, round(memory / MEGABYTES_PER_VCPU)))


# For fits that hold only a part of the rows at a time.


def starting_centers(sample: Array, params: dict[str, Any]) -> Array:
    """The centers of the best of some fits to a sample, or those that were given."""
    if not isinstance(params["init"], str):
        return np.array(params["init"], dtype=np.float64)
    # What a sample cannot show is made up for by more restarts than scikit-learn's one.
    restarts = SAMPLE_RESTARTS if params["n_init"] == "auto" else params["n_init"]
    centers: Array = _fitted(sample, params | {"n_init": restarts}).cluster_centers_
    return centers


def nearest_centers(points: Array, centers: Array) -> Array:
    """Index of the nearest center of each point."""
    labels: Array = pairwise_distances_argmin(points, centers)
    return labels


def add_by_label(sums: Array, points: Array, labels: Array) -> None:
    """Add each point to its label's row of `sums`, shape (n_clusters, n_features)."""
    ones = (np.ones(len(points)), labels, np.arange(len(points) + 1))
    sums += scipy.sparse.csr_matrix(ones, shape=(len(points), len(sums))).T @ points


def from_centers(
    sample: Array,
    centers: Array,
    params: dict[str, Any],
    inertia: float,
    n_iter: int,
    sizes: Array,
) -> Clustering:
    """What a fit to all rows has found elsewhere, as an estimator of scikit-learn's."""
    # A fit to the centers themselves makes the estimator whole; then it gets what was found.
    estimator = KMeans(**(params | {"init": centers, "n_init": 1, "max_iter": 1})).fit(centers)
    estimator.set_params(init=params["init"], n_init=params["n_init"], max_iter=params["max_iter"])
    estimator.cluster_centers_, estimator.inertia_, estimator.n_iter_ = centers, inertia, n_iter
    del estimator.labels_
    scores = _basic_scores(estimator, sizes) | _indices(sample, nearest_centers(sample, centers))
    scores["method"] = "out_of_core"
    return Clustering(centers, np.empty(0, dtype=np.int32), _pickle(estimator), scores)


def _pickle(estimator: KMeans) -> bytes:
    buffer = io.BytesIO()
    joblib.dump(estimator, buffer)
    return buffer.getvalue()


def _basic_scores(estimator: KMeans, sizes: Array) -> dict[str, Any]:
    if not np.isfinite(estimator.inertia_):
        raise FitFailed("The inertia is not finite: scale the data to smaller numbers")
    return {
        "inertia": float(estimator.inertia_),
        "n_iter": int(estimator.n_iter_),
        "cluster_sizes": sizes.tolist(),
    }


def _indices(X: Array, labels: Array) -> dict[str, Any]:
    """The usual indices, over a sample of the rows where there are many."""
    scores: dict[str, Any] = {}
    rows = _sample(len(X), INDEX_SAMPLE)
    if _has_indices(labels[rows]):
        scores["calinski_harabasz"] = float(calinski_harabasz_score(X[rows], labels[rows]))
        scores["davies_bouldin"] = float(davies_bouldin_score(X[rows], labels[rows]))
    rows = _sample(len(X), SILHOUETTE_SAMPLE)
    if _has_indices(labels[rows]):
        scores["silhouette"] = float(silhouette_score(X[rows], labels[rows]))
        scores["sample_size"] = len(labels[rows])
    return {name: value for name, value in scores.items() if np.isfinite(value)}


def _sample(n_samples: int, size: int) -> Any:
    """All rows, or so many drawn without replacement; the same ones for the same n_samples."""
    if n_samples <= size:
        return slice(None)
    return np.random.default_rng(0).choice(n_samples, size, replace=False, shuffle=False)


def _has_indices(labels: Array) -> bool:
    """scikit-learn defines the indices for 2 to n_samples - 1 clusters."""
    return 2 <= len(np.unique(labels)) <= len(labels) - 1
