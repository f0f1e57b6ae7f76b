"""How an aligned fit numbers its clusters: as those of its source that they continue."""

from dataclasses import dataclass

import numpy as np

from kmeans_service.arrays import Array
from kmeans_service.models.matching import Matches, matches
from kmeans_service.models.numbers import Numbers


@dataclass(frozen=True, eq=False)
class Continued:
    """order     of the clusters that were found, by the labels that they get, shape (n_clusters,)
    numbers   by these labels
    """

    order: Matches
    numbers: Numbers


def continued(old: Array, numbers: Numbers, new: Array) -> Continued:
    """A cluster keeps the number of the one that it continues, and its label where there is one.

    old, new   centers in one space, shapes (n_old, n_features), (n_new, n_features)
    numbers    of the old ones
    The others take the labels that are left, in their order, and numbers that were never given.
    """
    found = matches(old, new)
    n_new = len(new)
    order = np.full(n_new, -1)
    keeps = np.flatnonzero((found >= 0) & (found < n_new))
    order[found[keeps]] = keeps
    order[order < 0] = np.setdiff1d(np.arange(n_new), keeps)
    fresh = iter(range(numbers.next, numbers.next + n_new))
    given = tuple(numbers.of[at] if at >= 0 else next(fresh) for at in found[order].tolist())
    return Continued(order, Numbers(given, next(fresh, numbers.next + n_new), numbers.line))
