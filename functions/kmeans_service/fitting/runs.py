"""The runs of a fit in memory: the compiled kernel's, or scikit-learn's own.

Of lloyd both have the same answers. The kernel is faster and takes less memory; scikit-learn
computes what the kernel is not held to: elkan, whose ties fall otherwise than lloyd's, and starts
so far from the data that rounding decides what they come to. And everything where the kernel does
not run, but swap, which only the kernel has.
"""

import warnings
from collections.abc import Callable
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
from kmeans_service.fitting.kernel.lloyd import Fit, lloyd
from kmeans_service.fitting.kernel.rows import Rows
from kmeans_service.fitting.kernel.swap import better, swap
from kmeans_service.recipes.recipe import Recipe
from kmeans_service.recipes.work import further_search, search_work

# In a fit's space, where all data is within 1.
FAR_OFF = 1e6

if library.runs_here():
    library.library()  # loaded once, by the process that all fits are forked from


@dataclass(frozen=True)
class Run:
    """One run of the algorithm, in a fit's space.

    stopped_by  why a swap search ended; None: there was none
    better      the inertia that a search came to that went on from here; None: none did
    """

    labels: Array
    inertia: float
    centers: Array
    n_iter: int
    stopped_by: str | None = None
    better: float | None = None


def best_run(Z: Array, recipe: Recipe, init: str | Array, mean_variance: float) -> Run:
    """What KMeans.fit does between centering its data and moving the centers back.

    Z is in the fit's space, and so are the centers that it returns: moved to where the data was
    they have lost digits already. Labels, iterations and, moved back, centers and inertia are those
    of KMeans.fit to the last bit, which a test sees to at every update of scikit-learn.
    """
    try:
        return _computed_by(recipe, init)(Z, recipe, init, recipe.tol * mean_variance)
    except MemoryError:
        raise FitFailed("The data does not fit the memory of the function") from None


def _computed_by(recipe: Recipe, init: str | Array) -> Callable[..., Run]:
    if recipe.algorithm == "swap":
        return _by_swap
    kernels = may_be_the_kernels(recipe) and (isinstance(init, str) or _are_near(init))
    return _by_kernel if kernels else _by_scikit_learn


def may_be_the_kernels(recipe: Recipe) -> bool:
    return recipe.algorithm != "elkan" and library.runs_here()


def _are_near(centers: Array) -> bool:
    return float(np.abs(centers).max()) < FAR_OFF


def nearest_centers(Z: Array, centers: Array) -> Array:
    """Index of the nearest center of each row, as KMeans.predict gives it."""
    if library.runs_here() and _are_near(centers):
        return nearest(Rows(Z), centers)
    labels: Array = _labels_inertia(Z, np.ones(len(Z)), centers, 1, return_inertia=False)
    return labels


def _by_swap(Z: Array, recipe: Recipe, _init: str | Array, tolerance: float) -> Run:
    if not library.runs_here():
        raise FitFailed('algorithm "swap" needs a processor with AVX2; ask for "lloyd" here')
    rows = Rows(Z)
    found = swap(
        rows,
        recipe.n_clusters,
        work=search_work(rows.n_samples, rows.n_features, recipe.n_clusters),
        n_init=recipe.n_searches,
        max_iter=recipe.max_iter,
        tolerance=tolerance,
        random_state=recipe.seed,
    )
    return Run(found.labels, found.inertia, found.centers, found.n_iter, found.stopped_by)


def _by_kernel(Z: Array, recipe: Recipe, init: str | Array, tolerance: float) -> Run:
    rows = Rows(Z)
    found = lloyd(
        rows,
        recipe.n_clusters,
        init=init,
        n_init=recipe.n_init,
        max_iter=recipe.max_iter,
        tolerance=tolerance,
        random_state=recipe.seed,
    )
    further = _search_further(rows, found, recipe)
    return Run(found.labels, found.inertia, found.centers, found.n_iter, better=further)


def _search_further(rows: Rows, found: Fit, recipe: Recipe) -> float | None:
    """What a search comes to from one start by k-means++, which seldom finds the best clusters.

    Not asked for where more starts, or another one, were chosen.
    """
    if (recipe.init, recipe.n_init) != ("k-means++", "auto"):
        return None
    work = further_search(rows.n_samples, recipe.n_clusters, found.n_iter)
    return better(rows, found, most_work=work, random_state=recipe.seed)


def estimator_of(recipe: Recipe, init: str | Array) -> KMeans:
    """scikit-learn's own, not fitted yet; `init` is the method's name, or an array.

    It has no swap search: of such a fit it is one of lloyd.
    """
    known = replace(recipe, algorithm="lloyd") if recipe.algorithm == "swap" else recipe
    return KMeans(**(known.model_params | {"init": init}))


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
