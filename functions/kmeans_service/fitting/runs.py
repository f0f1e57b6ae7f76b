"""The runs of a fit in memory: the compiled kernel's, or scikit-learn's own.

Both have the same answers. The kernel is faster and takes less memory; scikit-learn computes what
the kernel is not held to: elkan, whose ties fall otherwise than lloyd's, and starts so far from the
data that rounding decides what they come to. And everything where the kernel does not run.
"""

import warnings
from dataclasses import dataclass, replace

import numpy as np
from sklearn.cluster import KMeans
from sklearn.cluster._k_means_common import _is_same_clustering
from sklearn.cluster._kmeans import _kmeans_single_elkan, _kmeans_single_lloyd, _labels_inertia
from sklearn.utils import check_random_state
from sklearn.utils.extmath import row_norms

from kmeans_service.arrays import Array
from kmeans_service.errors import FitFailed
from kmeans_service.fitting.kernel import library
from kmeans_service.fitting.kernel.assignment import nearest
from kmeans_service.fitting.kernel.lloyd import lloyd
from kmeans_service.fitting.kernel.rows import Rows
from kmeans_service.recipes.recipe import Recipe

# In a fit's space, where all data is within 1.
FAR_OFF = 1e6

if library.runs_here():
    library.library()  # loaded once, by the process that all fits are forked from


@dataclass(frozen=True)
class Run:
    """One run of the algorithm, in a fit's space."""

    labels: Array
    inertia: float
    centers: Array
    n_iter: int


def best_run(Z: Array, recipe: Recipe, init: str | Array, mean_variance: float) -> Run:
    """What KMeans.fit does between centering its data and moving the centers back.

    Z is in the fit's space, and so are the centers that it returns: moved to where the data was
    they have lost digits already. Labels, iterations and, moved back, centers and inertia are those
    of KMeans.fit to the last bit, which a test sees to at every update of scikit-learn.
    """
    kernels = may_be_the_kernels(recipe) and (isinstance(init, str) or _are_near(init))
    compute = _by_kernel if kernels else _by_scikit_learn
    try:
        return compute(Z, recipe, init, recipe.tol * mean_variance)
    except MemoryError:
        raise FitFailed("The data does not fit the memory of the function") from None


def may_be_the_kernels(recipe: Recipe) -> bool:
    return recipe.algorithm == "lloyd" and library.runs_here()


def _are_near(centers: Array) -> bool:
    return float(np.abs(centers).max()) < FAR_OFF


def nearest_centers(Z: Array, centers: Array) -> Array:
    """Index of the nearest center of each row, as KMeans.predict gives it."""
    if library.runs_here() and _are_near(centers):
        return nearest(Rows(Z), centers)
    labels: Array = _labels_inertia(Z, np.ones(len(Z)), centers, 1, return_inertia=False)
    return labels


def _by_kernel(Z: Array, recipe: Recipe, init: str | Array, tolerance: float) -> Run:
    found = lloyd(
        Rows(Z),
        recipe.n_clusters,
        init=init,
        n_init=recipe.n_init,
        max_iter=recipe.max_iter,
        tolerance=tolerance,
        random_state=recipe.seed,
    )
    return Run(found.labels, found.inertia, found.centers, found.n_iter)


def estimator_of(recipe: Recipe, init: str | Array) -> KMeans:
    """scikit-learn's own, not fitted yet; `init` is the method's name, or an array."""
    return KMeans(**(recipe.model_params | {"init": init}))


def _by_scikit_learn(Z: Array, recipe: Recipe, init: str | Array, tolerance: float) -> Run:
    estimator = estimator_of(replace(recipe, tol=0), init)  # `tolerance` is computed already
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # n_init with given centers, elkan with one
        estimator._check_params_vs_input(Z)
    single = _kmeans_single_elkan if estimator._algorithm == "elkan" else _kmeans_single_lloyd
    random_state = check_random_state(recipe.seed)
    weights, norms = np.ones(len(Z)), row_norms(Z, squared=True)
    best: Run | None = None
    for _ in range(estimator._n_init):
        start = estimator._init_centroids(Z, norms, init, random_state, weights)
        labels, inertia, centers, n_iter = single(
            Z, weights, start, max_iter=recipe.max_iter, tol=tolerance, n_threads=1
        )
        if best is None or (
            inertia < best.inertia and not _is_same_clustering(labels, best.labels, len(centers))
        ):
            best = Run(labels, float(inertia), centers, n_iter)
    assert best is not None  # noqa: S101 (n_init is 1 or more)
    return best
