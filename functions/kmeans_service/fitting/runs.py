"""The runs of a fit in memory: the compiled kernel's, or scikit-learn's own.

Of lloyd both have the same answers. The kernel is faster and takes less memory; scikit-learn
computes what the kernel is not held to: elkan, whose ties fall otherwise than lloyd's, and starts
so far from the data that rounding decides what they come to. And everything where the kernel does
not run, but swap, which only the kernel has.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from kmeans_service import config
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
# From so many numbers on a pass over them is long, beside the start of a thread.
SHARED_VALUES = 500_000

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


def rows_of(Z: Array, weights: Array | None = None) -> Rows:
    """The rows, shared by as many threads as this function has processors, if they are many.

    How many changes no bit.
    """
    return Rows(Z, weights, config.processors() if Z.size >= SHARED_VALUES else 1)


def best_run(
    Z: Array,
    recipe: Recipe,
    init: str | Array,
    mean_variance: float,
    weights: Array | None = None,
) -> Run:
    """What KMeans.fit does between centering its data and moving the centers back.

    Z is in the fit's space, and so are the centers that it returns: moved to where the data was
    they have lost digits already. Labels, iterations and, moved back, centers and inertia are those
    of KMeans.fit to the last bit, which a test sees to at every update of scikit-learn.

    weights  shape (n_samples,), none negative; None: all 1
    """
    tolerance = recipe.tol * mean_variance
    try:
        return _computed_by(recipe, init)(rows_of(Z, weights), recipe, init, tolerance)
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
        return nearest(rows_of(Z), centers)
    labels: Array = _scikit_learn().nearest(Z, centers)
    return labels


def _by_swap(rows: Rows, recipe: Recipe, _init: str | Array, tolerance: float) -> Run:
    if not library.runs_here():
        raise FitFailed('algorithm "swap" needs a processor with AVX2; ask for "lloyd" here')
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


def _by_kernel(rows: Rows, recipe: Recipe, init: str | Array, tolerance: float) -> Run:
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


def _by_scikit_learn(rows: Rows, recipe: Recipe, init: str | Array, tolerance: float) -> Run:
    return Run(*_scikit_learn().best_run(rows.X, rows.weights, recipe, init, tolerance))


def _scikit_learn() -> Any:
    """Imported where it computes, as the import takes longer than most fits."""
    from kmeans_service.fitting import by_scikit_learn

    return by_scikit_learn


def prepare(recipe: Recipe) -> None:
    """Import what these fits need, once, by the process that they are forked from."""
    if not may_be_the_kernels(recipe):
        _scikit_learn()
