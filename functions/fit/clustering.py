"""scikit-learn's KMeans: the only module that imports sklearn."""

import io
import os
import platform
import warnings
from dataclasses import dataclass
from typing import Any

import joblib
import numpy as np
import scipy
import sklearn
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import (
    calinski_harabasz_score,
    davies_bouldin_score,
    silhouette_score,
)
from threadpoolctl import threadpool_limits

from kmeans_service.errors import FitFailed

# Silhouette compares every pair of rows, the other two every row with every center.
SILHOUETTE_SAMPLE = 1_000
INDEX_SAMPLE = 20_000

type Array = np.ndarray[Any, np.dtype[Any]]

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
    """KMeans(**params).fit(X), X of shape (n_samples, n_features); raises FitFailed."""
    arguments = params | {"init": _init(params["init"])}
    with threadpool_limits(_cpus()), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct points than clusters
        try:
            estimator = KMeans(**arguments).fit(X)
        except MemoryError:
            raise FitFailed("The data does not fit the memory of the function") from None
        if not np.isfinite(estimator.inertia_):
            raise FitFailed("The inertia is not finite: scale the data to smaller numbers")
        labels = estimator.labels_
        scores = _scores(X, labels, estimator)
    del estimator.labels_
    return Clustering(estimator.cluster_centers_, labels, _pickle(estimator), scores)


def _init(given: Any) -> Any:
    return given if isinstance(given, str) else np.array(given, dtype=np.float64)


def _cpus() -> int:
    return len(os.sched_getaffinity(0))


def _pickle(estimator: KMeans) -> bytes:
    buffer = io.BytesIO()
    joblib.dump(estimator, buffer)
    return buffer.getvalue()


def _scores(X: Array, labels: Array, estimator: KMeans) -> dict[str, Any]:
    sizes = np.bincount(labels, minlength=estimator.n_clusters)
    scores: dict[str, Any] = {
        "inertia": float(estimator.inertia_),
        "n_iter": int(estimator.n_iter_),
        "cluster_sizes": sizes.tolist(),
    }
    rows = _sample(len(X), INDEX_SAMPLE)
    if _has_indices(labels[rows]):
        scores["calinski_harabasz"] = float(calinski_harabasz_score(X[rows], labels[rows]))
        scores["davies_bouldin"] = float(davies_bouldin_score(X[rows], labels[rows]))
    rows = _sample(len(X), SILHOUETTE_SAMPLE)
    if _has_indices(labels[rows]):
        scores["silhouette"] = float(silhouette_score(X[rows], labels[rows]))
        scores["sample_size"] = len(labels[rows])
    return {name: value for name, value in scores.items() if np.all(np.isfinite(value))}


def _sample(n_samples: int, size: int) -> Any:
    """All rows, or so many drawn without replacement; the same ones for the same n_samples."""
    if n_samples <= size:
        return slice(None)
    return np.random.default_rng(0).choice(n_samples, size, replace=False, shuffle=False)


def _has_indices(labels: Array) -> bool:
    """scikit-learn defines the indices for 2 to n_samples - 1 clusters."""
    return 2 <= len(np.unique(labels)) <= len(labels) - 1
