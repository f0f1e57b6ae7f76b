"""How sure the optimum of a fit is: what many starts and a search come to on the same rows."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from kmeans_service.arrays import Array
from kmeans_service.explaining.numerals import percent
from kmeans_service.fitting import entering
from kmeans_service.fitting.choosing.agreement import adjusted_rand
from kmeans_service.fitting.clustering import one_thread
from kmeans_service.fitting.runs import best_run
from kmeans_service.models.predictor import Predictor
from kmeans_service.recipes.preprocessing import STRICT
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
    gap                 how much more the model has, as a share of the least; None of nothing
    reached             share of the starts that come to the least
    within_one_percent  share of them that come to no more than 1 % above it
    distinct_optima     how many different inertias the starts come to
    agreement           of the model's clusters with those of the least (adjusted Rand index)
    """

    n_starts: int
    inertia: float
    best_inertia: float
    gap: float | None
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
) -> tuple[Audit, Recipe]:
    """Of a model that was fitted to these rows, and the recipe that comes to the least inertia.

    X          shape (n_samples, n_features), as they were clustered; it is used up
    inertia    of the model
    keep       called between the runs
    """
    with one_thread():
        labels = predictor.predict(X)
        space, found = entering.enter(X)
        reached, best, best_labels, best_recipe = [], inertia, labels, recipe
        for tried, init in _tried(recipe, n_starts):
            keep()
            run = best_run(X, tried, init, found.mean_variance, weights)
            came_to = space.inertia(run.inertia)
            if tried.algorithm != "swap":
                reached.append(came_to)
            if came_to < best * (1 - SAME):
                best, best_labels, best_recipe = came_to, run.labels, tried
    agreement = adjusted_rand(labels, best_labels)
    return _told(np.array(reached), inertia, best, agreement), best_recipe


def _tried(recipe: Recipe, n_starts: int) -> Iterator[tuple[Recipe, str]]:
    """A search, and starts, with how they begin: each can be asked for as it is."""
    init = recipe.init if isinstance(recipe.init, str) else "k-means++"
    yield replace(recipe, algorithm="swap", init="k-means++", n_init="auto"), "k-means++"
    for seed in np.random.SeedSequence(recipe.seed).generate_state(n_starts).tolist():
        yield replace(recipe, algorithm="lloyd", init=init, n_init=1, random_state=seed), init


def _told(reached: Array, inertia: float, best: float, agreement: float) -> Audit:
    ordered = np.sort(reached)
    apart = np.diff(ordered) > SAME * ordered[1:]
    return Audit(
        len(reached),
        inertia,
        best,
        (inertia - best) / best if best else (None if inertia else 0.0),
        float((reached <= best * (1 + SAME)).mean()),
        float((reached <= best * (1 + NEAR)).mean()),
        1 + int(apart.sum()),
        agreement,
    )


def warnings_of(found: Audit, recipe: Recipe, job_id: int) -> tuple[str, ...]:
    """What somebody who relies on the clusters would want to know, and what to ask for instead.

    recipe   what comes to the least inertia
    """
    is_telling = found.gap is None or found.gap > TELLING_GAP
    if not is_telling and found.agreement >= TELLING_AGREEMENT:
        return ()
    less = f"Clusters with {percent(1 - found.best_inertia / found.inertia)} less inertia"
    if not is_telling:
        less = "Other clusters that are as good"
    return (
        f"{less} were found by an audit; these agree with them by {found.agreement:.2f} of 1. "
        f"To have them: POST /kmeans/fit with {_request(recipe, job_id)}.",
    )


def _request(recipe: Recipe, job_id: int) -> str:
    """Its body, but for what may be long."""
    params, usual = recipe.model_params, Recipe().model_params
    told = {
        name: value
        for name, value in params.items()
        if name in ("algorithm", "n_clusters", "random_state") or value != usual[name]
    }
    body = json.dumps({"job_id": job_id, "model_params": told})
    as_before = {
        "preprocessing": recipe.preprocessing != STRICT,
        "align_to": recipe.align_to is not None,
    }
    same = " and ".join(name for name, is_given in as_before.items() if is_given)
    return f"{body}, and {same} as before" if same else body
