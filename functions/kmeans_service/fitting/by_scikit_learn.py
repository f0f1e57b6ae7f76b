"""The runs of a fit by parts of scikit-learn, in its space. Importing it runs none of them."""

import warnings
from dataclasses import replace

import numpy as np
from sklearn.cluster._k_means_common import _is_same_clustering
from sklearn.cluster._kmeans import _kmeans_single_elkan, _kmeans_single_lloyd, _labels_inertia
from sklearn.utils import check_random_state
from sklearn.utils.extmath import row_norms
from threadpoolctl import ThreadpoolController

from kmeans_service.arrays import Array
from kmeans_service.fitting.estimator import estimator_of
from kmeans_service.recipes.recipe import Recipe

# Of SciPy and OpenMP too, which are loaded only by now.
_THREADPOOLS = ThreadpoolController()


def nearest(Z: Array, centers: Array) -> Array:
    """Index of the nearest center of each row."""
    with _THREADPOOLS.limit(limits=1):
        labels: Array = _labels_inertia(Z, np.ones(len(Z)), centers, 1, return_inertia=False)
    return labels


def best_run(
    Z: Array, weights: Array | None, recipe: Recipe, init: str | Array, tolerance: float
) -> tuple[Array, float, Array, int]:
    """Labels, inertia, centers and iterations."""
    weights = np.ones(len(Z)) if weights is None else weights
    with _THREADPOOLS.limit(limits=1):
        return _best_run(Z, weights, recipe, init, tolerance)


def _best_run(
    Z: Array, weights: Array, recipe: Recipe, init: str | Array, tolerance: float
) -> tuple[Array, float, Array, int]:
    estimator = estimator_of(replace(recipe, tol=0), init)  # `tolerance` is computed already
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # n_init with given centers, elkan with one
        estimator._check_params_vs_input(Z)
    single = _kmeans_single_elkan if estimator._algorithm == "elkan" else _kmeans_single_lloyd
    random_state = check_random_state(recipe.seed)
    norms = row_norms(Z, squared=True)
    best: tuple[Array, float, Array, int] | None = None
    for _ in range(estimator._n_init):
        start = estimator._init_centroids(Z, norms, init, random_state, weights)
        labels, inertia, centers, n_iter = single(
            Z, weights, start, max_iter=recipe.max_iter, tol=tolerance, n_threads=1
        )
        if best is None or (
            inertia < best[1] and not _is_same_clustering(labels, best[0], len(centers))
        ):
            best = labels, float(inertia), centers, n_iter
    assert best is not None  # noqa: S101 (n_init is 1 or more)
    return best
