"""Fits: the data brought into their space, the best of their runs, and what is told of it."""

import platform
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from threadpoolctl import ThreadpoolController

from kmeans_service.arrays import Array
from kmeans_service.fitting import column_facts, entering, indices
from kmeans_service.fitting.choosing.asked import Say, chosen
from kmeans_service.fitting.choosing.choice import Choice
from kmeans_service.fitting.column_facts import Columns
from kmeans_service.fitting.indices import Means
from kmeans_service.fitting.runs import Run, best_run, nearest_centers
from kmeans_service.models.continuing import Continued
from kmeans_service.models.numbers import Numbers
from kmeans_service.models.predictor import Predictor, Space
from kmeans_service.models.scores import Scores, scores_of
from kmeans_service.recipes.recipe import Recipe

SAMPLE_RESTARTS = 10

# Looked up once, by the process that fits are forked from.
_THREADPOOLS = ThreadpoolController()

VERSIONS = {"python": platform.python_version(), "numpy": np.__version__}


@dataclass(frozen=True)
class Clustering:
    """A fit's results.

    predictor  the fit's space and its centers there
    centers    shape (n_clusters, n_features), float64, in the units of the data
    labels     shape (n_samples,), int32
    scores     inertia, n_iter, cluster_sizes and the indices
    columns    of the data, in the fit's space
    choice     why there are so many clusters, where their number was chosen
    gain       the share of the inertia that a swap search has found to be too much
    continued  the clusters' numbers, of a fit that was aligned
    distinct   how many different rows there are, as far as n_clusters
    """

    predictor: Predictor
    centers: Array
    labels: Array
    scores: Scores
    columns: Columns
    distinct: int
    gain: float
    continued: Numbers | None = None
    choice: Choice | None = None


type Arrange = Callable[[Space, Array], Continued]
"""How clusters with these centers, in this space of a fit, are ordered and numbered."""


def fit(
    X: Array,
    recipe: Recipe,
    algorithm: str | None = None,
    weights: Array | None = None,
    arrange: Arrange | None = None,
    say: Say = lambda _progress: None,
) -> Clustering:
    """KMeans(**recipe.model_params).fit(X, sample_weight=weights); raises FitFailed.

    X is used up: it is brought into the fit's space where it lies.

    X          shape (n_samples, n_features)
    algorithm  what computes it, if another than the recipe's
    weights    shape (n_samples,), none negative; None: all 1
    arrange    None: as the algorithm orders them
    """
    with one_thread():
        space, found = entering.enter(X)
        recipe, choice = chosen(X, recipe, space.scale, say)
        computed = replace(recipe, algorithm=algorithm or recipe.algorithm)
        init = starting_init(recipe, space)
        run = best_run(X, computed, init, found.mean_variance, weights)
        continued = arrange(space, run.centers) if arrange else None
        if continued:
            centers = run.centers[continued.order]
            # Anew: of equally near centers the first one counts, as it does in a prediction.
            run = replace(run, centers=centers, labels=nearest_centers(X, centers))
        means, scores = _judged(X, run, weights)
        return finished(
            Predictor(space, run.centers),
            recipe,
            run,
            means,
            scores | {"method": "in_memory"},
            found,
            column_facts.in_chunks(X),
            continued,
            choice,
        )


def _judged(Z: Array, run: Run, weights: Array | None) -> tuple[Means, dict[str, Any]]:
    """The clusters' means, and the indices."""
    n_clusters, n_features = run.centers.shape
    labelled = partial(indices.chunks_of, Z, run.labels, n_clusters, weights)
    means = indices.means_of(labelled(), n_clusters, n_features)
    scores = indices.over_all_rows(labelled(), means)
    return means, scores | indices.silhouette(Z, run.labels, weights)


def one_thread() -> AbstractContextManager[Any]:
    """A context in which BLAS and OpenMP compute every sum in one order, whatever the function."""
    limit: AbstractContextManager[Any] = _THREADPOOLS.limit(limits=1)
    return limit


def starting_init(recipe: Recipe, space: Space) -> str | Array:
    """The method's name, or the given centers in the fit's space."""
    given = recipe.init
    return given if isinstance(given, str) else space.enter(np.array(given, dtype=np.float64))


# For fits that hold only a part of the rows at a time.


def starting_centers(
    sample: Array, recipe: Recipe, space: Space, weights: Array | None = None
) -> tuple[Array, str | None]:
    """The centers of the best of some fits to a sample, or those that were given.

    And why a swap search ended, if it was one.
    """
    init = starting_init(recipe, space)
    if not isinstance(init, str):
        return init, None
    found = column_facts.columns_of([sample], sample.shape[1])
    run = best_run(sample, _of_a_sample(recipe), init, found.mean_variance, weights)
    return run.centers, run.stopped_by


def _of_a_sample(recipe: Recipe) -> Recipe:
    if recipe.algorithm == "swap":
        return recipe
    # What a sample cannot show is made up for by more restarts than scikit-learn's one.
    restarts = SAMPLE_RESTARTS if recipe.n_init == "auto" else recipe.n_init
    return replace(recipe, n_init=restarts, algorithm="lloyd")  # elkan keeps bounds in memory


def finished(
    found: Predictor,
    recipe: Recipe,
    run: Run,
    means: Means,
    scores: dict[str, Any],
    columns_found: Columns,
    rows: Any,
    continued: Continued | None = None,
    choice: Choice | None = None,
) -> Clustering:
    """The results of a run, in the units of the data."""
    space = found.space
    basic = {
        "inertia": space.inertia(run.inertia),
        "n_iter": int(run.n_iter),
        "cluster_sizes": means.sizes.tolist(),
        "cluster_weights": means.weights.tolist() if means.are_weighted else None,
        "stopped_by": run.stopped_by,
        "n_clusters": choice.n_clusters if choice else None,
    }
    n_clusters = recipe.n_clusters
    distinct = n_clusters if means.sizes.all() else column_facts.distinct_rows(rows, n_clusters)
    centers = space.leave(run.centers)
    told = scores_of(basic | scores)
    gain = 0.0 if not run.better else 1 - run.better / run.inertia
    numbers = continued.numbers if continued else None
    return Clustering(
        found, centers, run.labels, told, columns_found, distinct, gain, numbers, choice
    )
