"""Better clusterings than restarts find: the swap search of layers/numpy/kmeans/swap.c.

Among many rows the search is for those of a sample; Lloyd's iterations over all rows follow. The
search ends by counted distances, never by the clock: the same request has the same bits.
"""

import ctypes
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from kmeans_service.arrays import Array
from kmeans_service.fitting.kernel.assignment import nearest
from kmeans_service.fitting.kernel.library import Search, address, library
from kmeans_service.fitting.kernel.lloyd import Fit, run
from kmeans_service.fitting.kernel.rows import Rows
from kmeans_service.recipes.work import TELLING_GAIN, SearchWork

SAMPLE = 20_000
SAMPLE_A_CLUSTER = 10
# Among few rows a jump costs next to nothing, and Lloyd's steps are in the way of Hartigan's moves.
# Patience and steps were measured: docs/decisions.md.
FEW_ROWS = 1_000
PATIENCE_OF_FEW, STEPS_OF_FEW = 500, 2
PATIENCE, STEPS = 150, 6
# Where a fit has much to gain, some of the first jumps tell: who goes on from one is less patient.
HASTE = 3
# Of scikit-learn's `tol` for what follows a search: what it leaves off is more than what tells the
# best clusters from the next best, and there is not far to go.
SHARPER = 0.01


@dataclass(frozen=True)
class SwapFit(Fit):
    """stopped_by  why no better one was looked for:
    "optimum"   there is none: one cluster, or every row lies on its center
    "patience"  so many jumps in a row were for nothing
    "work"      all distances that the search may compute are computed
    "max_iter"  Lloyd's iterations over all rows, after a search among a sample, were cut off
    """

    stopped_by: str


def searched(
    rows: Rows, n_clusters: int, *, work: SearchWork, patience: int, random_state: int = 0
) -> tuple[Array, float]:
    """The centers and the inertia of one short search among few rows, for comparisons."""
    found = _search(rows, n_clusters, random_state, work, patience=patience)
    return found.centers, found.inertia


def sample_size(n_clusters: int) -> int:
    """Of so many rows all are searched, and of more a sample."""
    return max(SAMPLE, SAMPLE_A_CLUSTER * n_clusters)


def swap(
    rows: Rows,
    n_clusters: int,
    *,
    work: SearchWork,
    n_init: int = 1,
    max_iter: int = 300,
    tolerance: float = 0.0,
    random_state: int = 0,
) -> SwapFit:
    """The best of n_init searches, its clusters numbered by weight and then by coordinates.

    work  what each search may do
    """
    sample = _sample(rows, sample_size(n_clusters), random_state)
    seeds = np.random.SeedSequence(random_state).generate_state(n_init, np.uint64).tolist()
    found = [_search(sample, n_clusters, seed, work) for seed in seeds]
    best = min(found, key=lambda one: one.inertia)
    fit = run(rows, best.centers, max_iter, tolerance * SHARPER)
    cut_off = sample is not rows and fit.n_iter == max_iter
    labels, centers = numbered(fit.centers, lambda some: _labelled(rows, some))
    return SwapFit(
        labels, centers, fit.inertia, fit.n_iter, "max_iter" if cut_off else best.stopped_by
    )


def better(rows: Rows, fit: Fit, *, most_work: float, random_state: int = 0) -> float:
    """The inertia, of all rows, that a search comes to which goes on from a fit.

    The fit's own where a sample that was searched does not promise a telling gain.

    most_work  squared distances that the search may compute
    """
    sample = _sample(rows, sample_size(len(fit.centers)), random_state)
    found = _search(sample, len(fit.centers), random_state, SearchWork(most_work), fit.centers)
    if sample is rows:
        return found.inertia
    before = run(sample, fit.centers, 0, 0.0).inertia
    if found.inertia > before * (1 - TELLING_GAIN):
        return fit.inertia
    del sample  # its memory is wanted for the look at all rows
    return run(rows, found.centers, 1, 0.0).inertia


def numbered[Labels](
    centers: Array, labelled: Callable[[Array], tuple[Labels, Array]]
) -> tuple[Labels, Array]:
    """The heaviest cluster's center first, of equals the one with the smaller coordinates.

    labelled  of centers: what stands for the labels, and each cluster's weight
    Returns   what stands for the labels, and the centers
    """
    labels, weights = labelled(centers)
    while True:
        order = np.lexsort((*centers.T[::-1], -weights))
        if (order == np.arange(len(order))).all():
            return labels, centers
        centers = centers[order]
        # A row that is as near to another center goes to the first one, as it does when predicted:
        # that only adds to those before, so the order comes to rest.
        labels, weights = labelled(centers)


def _labelled(rows: Rows, centers: Array) -> tuple[Array, Array]:
    labels = nearest(rows, centers)
    return labels, np.bincount(labels, rows.weights, minlength=len(centers))


@dataclass(frozen=True)
class _Found:
    centers: Array
    inertia: float
    stopped_by: str


def _search(
    rows: Rows,
    n_clusters: int,
    seed: int,
    work: SearchWork,
    start: Array | None = None,
    patience: int | None = None,
) -> _Found:
    """One search, from k-means++ or from given centers."""
    shape = (rows.n_samples, rows.n_features, n_clusters)
    centers = np.empty(shape[:0:-1]) if start is None else start.copy()
    workspace = np.empty(library().search_workspace(*shape))
    few = rows.n_samples <= FEW_ROWS
    usual, steps = (PATIENCE_OF_FEW, STEPS_OF_FEW) if few else (PATIENCE, STEPS)
    patience = patience or (usual if start is None else usual // HASTE)
    search = Search(
        *map(address, (rows.X, rows.weights)),
        *shape,
        start is not None,
        seed,
        patience,
        steps,
        work.distances,
        work.more_a_step,
        *map(address, (workspace, centers)),
    )
    library().swap_search(ctypes.byref(search))
    return _Found(centers, search.inertia, _why_it_ended(search))


def _why_it_ended(search: Search) -> str:
    if search.in_vain >= search.patience:
        return "patience"
    return "work" if search.work >= search.most_work else "optimum"


def _sample(rows: Rows, size: int, seed: int) -> Rows:
    if rows.n_samples <= size:
        return rows
    drawn = np.random.default_rng(seed).choice(rows.n_samples, size, replace=False, shuffle=False)
    drawn.sort()
    return Rows(rows.X[drawn], None if rows.weights is None else rows.weights[drawn])
