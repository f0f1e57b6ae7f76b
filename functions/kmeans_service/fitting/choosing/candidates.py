"""Each number of clusters that is tried: the best clusters of so many, and how good they are."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from kmeans_service.arrays import Array
from kmeans_service.fitting import indices
from kmeans_service.fitting.choosing.agreement import adjusted_rand
from kmeans_service.fitting.kernel.assignment import nearest
from kmeans_service.fitting.kernel.rows import Rows
from kmeans_service.fitting.kernel.swap import searched, swap
from kmeans_service.recipes.work import (
    CHOICE_STEPS,
    N_SPLITS,
    PATIENCE_OF_HALVES,
    PATIENCE_OF_REFERENCES,
    ROWS_SPLIT,
    SearchWork,
    search_work,
    short_search,
)

type Draw = np.random.Generator


@dataclass(frozen=True)
class Candidate:
    """None where an index is not defined.

    inertia    in the units of the data
    stability  the median agreement (adjusted Rand index) of the clusters of two random halves
    gap        how much less the logarithm of the inertia is than that of uniform references
    gap_error  its standard error, as the gap statistic has it
    """

    n_clusters: int
    inertia: float
    silhouette: float | None
    calinski_harabasz: float | None
    davies_bouldin: float | None
    stability: float | None
    gap: float | None
    gap_error: float | None = None

    def as_json(self) -> dict[str, Any]:
        found = asdict(self)
        del found["gap_error"]
        return found


def judged(Z: Array, n_clusters: int, seed: int) -> tuple[float, dict[str, Any]]:
    """The inertia of so many clusters, and their indices.

    Z  shape (n_samples, n_features), all of which is searched
    """
    rows = Rows(Z)
    work = search_work(len(Z), Z.shape[1], n_clusters)
    found = swap(rows, n_clusters, work=work, max_iter=CHOICE_STEPS, random_state=seed)
    means = indices.means_of(indices.chunks_of(Z, found.labels, n_clusters), n_clusters, Z.shape[1])
    over_all = indices.over_all_rows(indices.chunks_of(Z, found.labels, n_clusters), means)
    scores = over_all | indices.silhouette(Z, found.labels)
    return found.inertia, scores


def stability(Z: Array, n_clusters: int, draw: Draw) -> float | None:
    """The median over some splits of how far the clusters of one half agree with the other's.

    Both halves' clusters label the rows of both. None where a half has not more rows than clusters.
    """
    size = min(len(Z), ROWS_SPLIT)
    if size // 2 <= n_clusters:
        return None
    return float(np.median([_agreement(Z, n_clusters, size, draw) for _ in range(N_SPLITS)]))


def _agreement(Z: Array, n_clusters: int, size: int, draw: Draw) -> float:
    drawn = Z[draw.choice(len(Z), size, replace=False)]
    both = Rows(drawn)
    halves = (drawn[: size // 2], drawn[size // 2 :])
    seeds = draw.integers(2**32, size=2).tolist()
    a, b = (
        nearest(both, _searched(half, n_clusters, seed, PATIENCE_OF_HALVES)[0])
        for half, seed in zip(halves, seeds, strict=True)
    )
    return adjusted_rand(a, b)


def _searched(Z: Array, n_clusters: int, seed: int, patience: int) -> tuple[Array, float]:
    work = SearchWork(short_search(len(Z), n_clusters, patience))
    return searched(Rows(Z), n_clusters, work=work, patience=patience, random_state=seed)


@dataclass(frozen=True)
class Profile:
    """Of few rows: for each number of clusters the inertia and the silhouette of all of them."""

    inertias: Array
    silhouettes: Array

    def largest(self, at: slice) -> float:
        """Silhouette of these numbers."""
        return float(self.silhouettes[at].max())


def profile_of(Z: Array, numbers: Sequence[int], seed: int) -> Profile:
    """Of short searches, the same for data and for what it is compared with."""
    distances, rows = indices.distances_between(Z), Rows(Z)
    inertias, silhouettes = np.empty(len(numbers)), np.empty(len(numbers))
    for place, n_clusters in enumerate(numbers):
        centers, inertias[place] = _searched(Z, n_clusters, seed, PATIENCE_OF_REFERENCES)
        silhouettes[place] = mean_silhouette(distances, nearest(rows, centers), n_clusters)
    return Profile(inertias, silhouettes)


def mean_silhouette(distances: Array, labels: Array, n_clusters: int) -> float:
    """As `indices.silhouettes` has it, of known distances: shape (n_samples, n_samples)."""
    each = np.arange(len(labels))
    member = np.zeros((len(labels), n_clusters))
    member[each, labels] = 1
    sums, sizes = distances @ member, member.sum(axis=0)
    others = sums / np.maximum(sizes, 1)
    others[:, sizes == 0] = np.inf
    others[each, labels] = np.inf
    next_one, size = others.min(axis=1), sizes[labels]
    within = sums[each, labels] / np.maximum(size - 1, 1)
    larger = np.maximum(next_one, within)
    known = (size > 1) & np.isfinite(larger) & (larger > 0)
    return float(
        np.divide(next_one - within, larger, where=known, out=np.zeros(len(labels))).mean()
    )
