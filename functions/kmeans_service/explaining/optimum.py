"""How sure the optimum of a fit is: what many starts and a search come to on the same rows."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from kmeans_service.arrays import Array
from kmeans_service.fitting import entering
from kmeans_service.fitting.choosing.agreement import adjusted_rand
from kmeans_service.fitting.clustering import one_thread
from kmeans_service.fitting.runs import best_run
from kmeans_service.models.predictor import Predictor
from kmeans_service.recipes.recipe import Recipe

SAME = 1e-6  # of the inertia: what rounding and the tolerance leave open
NEAR = 0.01
TELLING_GAP, TELLING_AGREEMENT = 1e-3, 0.95

type Keep = Callable[[], None]


@dataclass(frozen=True)
class Audit:
    """Inertias are in the units of what was clustered.

    inertia             of the model
    best_inertia        the least that the model, the starts or the search have
    gap                 how much more the model has, as a share of the least
    reached             share of the starts that come to the least
    within_one_percent  share of them that come to no more than 1 % above it
    distinct_optima     how many different inertias the starts come to
    agreement           of the model's clusters with those of the least (adjusted Rand index)
    """

    n_starts: int
    inertia: float
    best_inertia: float
    gap: float
    reached: float
    within_one_percent: float
    distinct_optima: int
    agreement: float


def audit(
    X: Array,
    weights: Array | None,
    predictor: Predictor,
    inertia: float,
    recipe: Recipe,
    n_starts: int,
    keep: Keep,
) -> Audit:
    """Of a model that was fitted to these rows; X is used up.

    X          shape (n_samples, n_features), as they were clustered
    inertia    of the model
    keep       called between the runs
    """
    with one_thread():
        labels = predictor.predict(X)
        space, found = entering.enter(X)
        start = replace(recipe, algorithm="lloyd", n_init=1)
        init = recipe.init if isinstance(recipe.init, str) else "k-means++"
        seeds = np.random.SeedSequence(recipe.seed).generate_state(n_starts).tolist()
        reached, best, best_labels = [], inertia, labels
        for place in range(n_starts + 1):
            keep()
            searches = place == n_starts
            asked = _search(recipe) if searches else replace(start, random_state=seeds[place])
            run = best_run(
                X, asked, "k-means++" if searches else init, found.mean_variance, weights
            )
            came_to = space.inertia(run.inertia)
            if not searches:
                reached.append(came_to)
            if came_to < best * (1 - SAME):
                best, best_labels = came_to, run.labels
    return _told(np.array(reached), inertia, best, adjusted_rand(labels, best_labels))


def _search(recipe: Recipe) -> Recipe:
    return replace(recipe, algorithm="swap", init="k-means++", n_init="auto")


def _told(reached: Array, inertia: float, best: float, agreement: float) -> Audit:
    ordered = np.sort(reached)
    apart = np.diff(ordered) > SAME * ordered[1:]
    return Audit(
        len(reached),
        inertia,
        best,
        inertia / best - 1 if best else 0.0,
        float((reached <= best * (1 + SAME)).mean()),
        float((reached <= best * (1 + NEAR)).mean()),
        1 + int(apart.sum()),
        agreement,
    )


def warnings_of(found: Audit, recipe: Recipe) -> list[str]:
    """What somebody who relies on the clusters would want to know, and what to ask for instead."""
    ask = '"n_init": 10' if recipe.algorithm == "swap" else '"algorithm": "swap"'
    if found.gap > TELLING_GAP:
        return [
            f"Clusters with {found.gap:.2%} less inertia were found, which agree with these by "
            f"{found.agreement:.2f} of 1: a fit with {ask} looks for them."
        ]
    if found.agreement < TELLING_AGREEMENT:
        return [
            "Other clusters are as good, and agree with these by "
            f"{found.agreement:.2f} of 1 only: the data does not decide. A fit with {ask} looks "
            "further, one with another number of clusters may be surer."
        ]
    return []
