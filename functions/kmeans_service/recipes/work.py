"""What fits cost, counted in advance: multiplications, and distances of the swap search."""

import math
from dataclasses import dataclass

from kmeans_service.recipes.recipe import Recipe

LANES = 8  # the search counts centers in whole eights
# Of more rows a search does no more; and from so many on Lloyd's iterations are what a fit costs.
MOST_ROWS, MANY_ROWS, ROWS_OF_MANY = 50_000, 500_000, 20_000
# A dozen starts of scikit-learn's take as long, whatever the shape: docs/decisions.md.
LEAST_WORK, OTHER_WORK = 5e7, 24
LOOKS, COUNTED_STEPS = 85, 20
LEAST_FURTHER = 3e6
SHORT_STEPS, JUMP = 30, 8
# A choice of their number: of so many rows at most, and Lloyd's steps after each search; of so many
# the data is compared with references.
ROWS_OF_CHOICE, CHOICE_STEPS, ROWS_COMPARED = 20_000, 20, 600
# With 19 references of three kinds, by short searches; the halves are of so many rows at most.
N_COMPARED, PATIENCE_OF_REFERENCES = 58, 10
N_SPLITS, ROWS_SPLIT, PATIENCE_OF_HALVES = 5, 4_000, 60
TELLING_GAIN = 1e-3  # of the inertia: what a user is told of


@dataclass(frozen=True)
class SearchWork:
    """What a swap search may do.

    distances    squared distances that it may compute
    more_a_step  and so many more for each Lloyd's step of its start, of COUNTED_STEPS at most

    Data on which Lloyd's takes many steps is data on which every jump takes many, and so does the
    start of scikit-learn's that the cost of a search is measured by.
    """

    distances: float
    more_a_step: float = 0

    @property
    def most(self) -> float:
        return self.distances + COUNTED_STEPS * self.more_a_step


def search_work(n_samples: int, n_features: int, n_clusters: int) -> SearchWork:
    """Of one search, where a fit asks for `swap`."""
    rows = ROWS_OF_MANY if n_samples >= MANY_ROWS else min(n_samples, MOST_ROWS)
    looks = rows * -(-n_clusters // LANES) * LANES
    least = LEAST_WORK / (n_features + OTHER_WORK)
    return SearchWork(least + (LOOKS + n_features / 2) * looks, n_features / 3 * looks)


def further_search(n_samples: int, n_clusters: int, n_iter: int) -> float:
    """Distances that a search from a fit's result may compute: a tenth of what the fit has."""
    candidates = 2 + int(math.log(n_clusters))
    return max(LEAST_FURTHER, n_samples * n_clusters * (candidates + n_iter) / 10)


def short_search(n_samples: int, n_clusters: int, patience: int) -> float:
    """Distances of a search that is part of a comparison: a start, and jumps in vain."""
    return n_samples * (SHORT_STEPS * n_clusters + JUMP * patience)


def choice_work(recipe: Recipe, n_samples: int, n_features: int) -> int:
    """Multiplications of a choice of n_clusters; 0 where that is given."""
    choice = recipe.choice
    if choice is None:
        return 0
    rows, few = min(n_samples, ROWS_OF_CHOICE), min(n_samples, ROWS_COMPARED)
    half = min(n_samples, ROWS_SPLIT) // 2
    search = search_work(rows, n_features, choice.most).most + rows * choice.most * CHOICE_STEPS
    halves = 2 * N_SPLITS * short_search(half, choice.most, PATIENCE_OF_HALVES)
    compared = short_search(few, choice.most, PATIENCE_OF_REFERENCES)
    each = search + halves + N_COMPARED * compared
    return int((choice.most - choice.least + 1) * n_features * each)


def fit_work(recipe: Recipe, n_samples: int, n_features: int) -> int:
    """Multiplications of all iterations, as `MaxWork` counts them, and of what `swap` searches."""
    iterations = recipe.iteration_work(n_samples, n_features) * recipe.max_iter
    iterations += choice_work(recipe, n_samples, n_features)
    if recipe.algorithm != "swap":
        return iterations
    search = search_work(n_samples, n_features, recipe.n_clusters).most * n_features
    return iterations + int(search) * recipe.n_searches
