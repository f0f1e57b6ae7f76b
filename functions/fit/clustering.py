"""scikit-learn's KMeans: the only module that imports sklearn.cluster."""

import io
import platform
import warnings
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any

import joblib
import numpy as np
import scipy
import sklearn
from sklearn.cluster import KMeans
from sklearn.cluster._k_means_common import _is_same_clustering
from sklearn.cluster._kmeans import _kmeans_single_elkan, _kmeans_single_lloyd, _labels_inertia
from sklearn.utils import check_array, check_random_state
from sklearn.utils.extmath import row_norms
from threadpoolctl import ThreadpoolController

from fit import columns, indices
from fit.columns import Columns
from kmeans_service import predictor
from kmeans_service.errors import FitFailed
from kmeans_service.predictor import Array, Predictor, Space

SAMPLE_RESTARTS = 10

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

    predictor  the fit's space and its centers there
    centers    shape (n_clusters, n_features), float64, in the units of the data
    labels     shape (n_samples,), int32
    pickle     the fitted estimator by joblib, without labels_ (it grows with n_samples)
    scores     inertia, n_iter, cluster_sizes and the indices
    columns    of the data, in the fit's space
    distinct   how many different rows there are, as far as n_clusters
    """

    predictor: Predictor
    centers: Array
    labels: Array
    pickle: bytes
    scores: dict[str, Any]
    columns: Columns
    distinct: int


@dataclass(frozen=True)
class Run:
    """One run of the algorithm, in a fit's space."""

    labels: Array
    inertia: float
    centers: Array
    n_iter: int


def fit(X: Array, params: dict[str, Any], algorithm: str | None = None) -> Clustering:
    """KMeans(**params).fit(X), X of shape (n_samples, n_features); raises FitFailed.

    X is used up: it is brought into the fit's space where it lies.

    algorithm  what computes it, if another than the one in params
    """
    computed = params | {"algorithm": algorithm or params["algorithm"]}
    with one_thread():
        space = predictor.take(X)
        found = columns.columns_of(columns.in_chunks(X), X.shape[1])
        run = best_run(X, computed, starting_init(params, space), found.mean_variance)
        sizes, scores = _judged(X, run)
        return finished(
            Predictor(space, run.centers),
            params,
            run,
            sizes,
            scores | {"method": "in_memory"},
            found,
            columns.in_chunks(X),
        )


def _judged(Z: Array, run: Run) -> tuple[Array, dict[str, Any]]:
    """The clusters' sizes, and the indices."""
    n_clusters, n_features = run.centers.shape
    labelled = partial(indices.chunks_of, Z, run.labels, n_clusters)
    means = indices.means_of(labelled(), n_clusters, n_features)
    scores = indices.over_all_rows(labelled(), means)
    return means.sizes, scores | indices.silhouette(Z, run.labels)


def one_thread() -> AbstractContextManager[Any]:
    """A context in which BLAS and OpenMP compute every sum in one order, whatever the function."""
    limit: AbstractContextManager[Any] = _THREADPOOLS.limit(limits=1)
    return limit


def starting_init(params: dict[str, Any], space: Space) -> str | Array:
    """The method's name, or the given centers in the fit's space."""
    given = params["init"]
    return given if isinstance(given, str) else space.enter(np.array(given, dtype=np.float64))


def best_run(Z: Array, params: dict[str, Any], init: str | Array, mean_variance: float) -> Run:
    """What KMeans.fit does between centering its data and moving the centers back.

    Z is in the fit's space, and so are the centers that it returns: moved to where the data was
    they have lost digits already. Labels, iterations and, moved back, centers and inertia are those
    of KMeans.fit to the last bit, which a test sees to at every update of scikit-learn.
    """
    estimator = KMeans(**(params | {"init": init, "tol": 0}))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # n_init with given centers, elkan with one
        estimator._check_params_vs_input(Z)
    single = _kmeans_single_elkan if estimator._algorithm == "elkan" else _kmeans_single_lloyd
    tolerance = params["tol"] * mean_variance
    random_state = check_random_state(params["random_state"])
    try:
        weights, norms = np.ones(len(Z)), row_norms(Z, squared=True)
        best: Run | None = None
        for _ in range(estimator._n_init):
            start = estimator._init_centroids(Z, norms, init, random_state, weights)
            labels, inertia, centers, n_iter = single(
                Z, weights, start, max_iter=params["max_iter"], tol=tolerance, n_threads=1
            )
            if best is None or (
                inertia < best.inertia
                and not _is_same_clustering(labels, best.labels, len(centers))
            ):
                best = Run(labels, float(inertia), centers, n_iter)
    except MemoryError:
        raise FitFailed("The data does not fit the memory of the function") from None
    assert best is not None  # noqa: S101 (n_init is 1 or more)
    return best


# For fits that hold only a part of the rows at a time.


def starting_centers(sample: Array, params: dict[str, Any], space: Space) -> Array:
    """The centers of the best of some fits to a sample, or those that were given."""
    init = starting_init(params, space)
    if not isinstance(init, str):
        return init
    # What a sample cannot show is made up for by more restarts than scikit-learn's one.
    restarts = SAMPLE_RESTARTS if params["n_init"] == "auto" else params["n_init"]
    plain = params | {"n_init": restarts, "algorithm": "lloyd"}  # elkan keeps bounds in memory
    found = columns.columns_of([sample], sample.shape[1])
    return best_run(sample, plain, init, found.mean_variance).centers


def nearest_centers(points: Array, centers: Array) -> Array:
    """Index of the nearest center of each point, as KMeans.predict gives it."""
    labels: Array = _labels_inertia(points, np.ones(len(points)), centers, 1, return_inertia=False)
    return labels


def finished(
    found: Predictor,
    params: dict[str, Any],
    run: Run,
    sizes: Array,
    scores: dict[str, Any],
    columns_found: Columns,
    rows: Any,
) -> Clustering:
    """The results of a run, in the units of the data."""
    space = found.space
    basic = {
        "inertia": space.inertia(run.inertia),
        "n_iter": int(run.n_iter),
        "cluster_sizes": sizes.tolist(),
    }
    n_clusters = params["n_clusters"]
    distinct = n_clusters if sizes.all() else columns.distinct_rows(rows, n_clusters)
    centers = space.leave(run.centers)
    pickle = _pickle(params, centers, basic)
    return Clustering(found, centers, run.labels, pickle, basic | scores, columns_found, distinct)


def _pickle(params: dict[str, Any], centers: Array, scores: dict[str, Any]) -> bytes:
    """An estimator as KMeans.fit leaves it behind, but for labels_."""
    given = params["init"]
    init = given if isinstance(given, str) else np.array(given, dtype=np.float64)
    estimator = KMeans(**(params | {"init": init}))
    estimator.cluster_centers_ = centers
    estimator.inertia_, estimator.n_iter_ = scores["inertia"], scores["n_iter"]
    estimator.n_features_in_, estimator._n_features_out = centers.shape[1], centers.shape[0]
    estimator._n_threads = 1
    buffer = io.BytesIO()
    joblib.dump(estimator, buffer)
    return buffer.getvalue()
