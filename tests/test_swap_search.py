"""The swap search: better clusterings than restarts find, and that it stays inside its arrays."""

import ctypes
import os
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits, load_iris, load_wine

from harness.data.guarded import Guarded
from kmeans_service.arrays import Array
from kmeans_service.fitting.kernel import swap as searches
from kmeans_service.fitting.kernel.library import Search, library
from kmeans_service.fitting.kernel.lloyd import lloyd, run
from kmeans_service.fitting.kernel.rows import Rows
from kmeans_service.fitting.kernel.swap import SwapFit, better, numbered, swap
from kmeans_service.recipes.work import SearchWork, search_work


def swapped(X: Array, n_clusters: int, weights: Array | None = None, **how: Any) -> SwapFit:
    """Of the rows brought to their mean, as a fit brings them."""
    Z = np.ascontiguousarray(X - np.average(X, axis=0, weights=weights))
    work = how.pop("work", search_work(*Z.shape, n_clusters))
    return swap(Rows(Z, weights), n_clusters, work=work, **how)


def inertia_of(X: Array, labels: Array) -> float:
    groups = [X[labels == label] for label in np.unique(labels)]
    return float(sum(((group - group.mean(axis=0)) ** 2).sum() for group in groups))


def test_two_pairs_of_points_are_two_clusters() -> None:
    found = swap(Rows(np.array([[5.0, 0], [-5, 0], [-5, 2], [5, -2]])), 2, work=SearchWork(1000))
    assert found.centers.tolist() == [[-5, 1], [5, -1]]
    assert found.labels.tolist() == [1, 0, 0, 1]
    assert found.inertia == 4


def test_hartigans_moves_leave_what_lloyd_rests_at() -> None:
    """Cut before 2, the row at 0.5 is nearer to its center at -0.75 than to the one at 2.

    Cut behind -2 it is better: where 0.5 goes, the center comes to meet it.
    """
    X = np.array([[-2.0], [0.5], [2.0]])
    rests = run(Rows(X), np.array([[-0.75], [2.0]]), 300, 0.0)
    assert rests.labels.tolist() == [0, 0, 1]
    assert rests.inertia == pytest.approx(2 * 1.25**2)
    found = better(Rows(X), rests, most_work=8 * 3 * 6)
    assert found == pytest.approx(2 * 0.75**2)


def test_clusters_are_numbered_by_size_and_then_by_coordinates() -> None:
    X = np.array([[20.0], [5.0], [0.1], [0], [9], [9], [9]])
    assert swapped(X, 4).labels.tolist() == [3, 2, 1, 1, 0, 0, 0]


def test_clusters_of_one_size_are_numbered_by_all_coordinates() -> None:
    X = np.array([[1.0, 2], [1, 2], [1, 1], [1, 1], [0, 9], [0, 9]])
    assert swapped(X, 3).labels.tolist() == [2, 2, 1, 1, 0, 0]


def test_weight_counts_where_clusters_are_numbered() -> None:
    found = swapped(np.array([[0.0], [0], [9]]), 2, weights=np.array([1.0, 1, 5]))
    assert found.labels.tolist() == [1, 1, 0]


def test_a_tie_that_a_new_number_turns_is_counted_again() -> None:
    """The row in the middle is of the cluster that comes first."""
    X = np.array([[0.0], [1.0], [2.0], [2.0]])

    def labelled(centers: Array) -> tuple[Array, Array]:
        labels = ((X - centers.T) ** 2).argmin(axis=1)
        return labels, np.bincount(labels, minlength=2)

    labels, centers = numbered(np.array([[2.0], [0.0]]), labelled)
    assert centers.tolist() == [[2], [0]]
    assert labels.tolist() == [1, 0, 0, 0]
    labels, centers = numbered(np.array([[0.0], [2.0]]), labelled)
    assert centers.tolist() == [[0], [2]]
    assert labels.tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize("weighted", [False, True])
def test_rows_whose_centers_float32_cannot_tell_apart_are_told_by_float64(weighted: bool) -> None:
    """Two places far from each other, at each three clusters a millionth of that apart."""
    r = np.random.default_rng(5)
    places = np.array([[far + 1e-6 * near] for far in (-1, 1) for near in (-1, 0, 1)])
    X = np.repeat(places, 30, axis=0) + r.normal(0, 1e-8, (180, 1))
    weights = np.full(180, 2.0) if weighted else None
    centers, inertia = searches.searched(
        Rows(X, weights), 6, work=SearchWork(1e5), patience=50, random_state=3
    )
    np.testing.assert_allclose(np.sort(centers, axis=0), places, rtol=0, atol=1e-8)
    assert inertia == pytest.approx((2 if weighted else 1) * 180 * 1e-16, rel=0.3)


@pytest.mark.parametrize("seed", range(5))
def test_the_proven_optimum_of_iris_is_found(seed: int) -> None:
    found = swapped(load_iris().data, 3, random_state=seed)
    assert found.inertia == pytest.approx(78.851441426146, rel=1e-12)
    assert np.bincount(found.labels).tolist() == [62, 50, 38]


@pytest.mark.parametrize(
    ("X", "n_clusters"),
    [
        (load_iris().data, 6),
        (load_iris().data, 10),
        (load_wine().data, 3),
        (load_digits().data, 10),
    ],
)
def test_it_is_not_worse_than_restarts(X: Array, n_clusters: int) -> None:
    best = KMeans(n_clusters, n_init=20, random_state=0).fit(X).inertia_
    for seed in range(3):
        assert swapped(X, n_clusters, random_state=seed).inertia <= best * (1 + 1e-6)


@given(
    st.lists(st.tuples(st.integers(-4, 4), st.integers(-4, 4)), min_size=2, max_size=7),
    st.integers(1, 3),
    st.integers(0, 99),
)
def test_of_few_rows_no_partition_is_better(
    points: list[tuple[int, int]], n_clusters: int, seed: int
) -> None:
    X = np.array(points, dtype=float)
    n_clusters = min(n_clusters, len(X))
    every = product(range(n_clusters), repeat=len(X))
    least = min(inertia_of(X, np.array(labels)) for labels in every)
    found = swapped(X, n_clusters, random_state=seed)
    assert found.inertia == pytest.approx(least, rel=1e-9, abs=1e-9)


@given(st.integers(0, 2**32 - 1))
def test_no_row_is_nearer_to_another_center_and_centers_are_means(seed: int) -> None:
    r = np.random.default_rng(seed)
    n, d, k = int(r.integers(20, 400)), int(r.integers(1, 12)), int(r.integers(1, 18))
    X = r.normal(size=(n, d)) if r.random() < 0.5 else np.round(r.normal(size=(n, d)) * 3)
    weights = r.integers(1, 5, n).astype(float) if r.random() < 0.5 else None
    Z = np.ascontiguousarray(X - np.average(X, axis=0, weights=weights))
    found = swap(Rows(Z, weights), k, work=SearchWork(2e5), random_state=seed)
    squared = ((Z[:, np.newaxis] - found.centers) ** 2).sum(axis=2)
    own = squared[np.arange(n), found.labels]
    assert (own <= squared.min(axis=1) + 1e-9).all()
    assert found.inertia == pytest.approx(float(own.sum() if weights is None else own @ weights))
    sizes = np.bincount(found.labels, weights, minlength=k)
    assert (np.diff(sizes) <= 0).all()
    for cluster in np.flatnonzero(sizes):
        mine = found.labels == cluster
        mean = np.average(Z[mine], axis=0, weights=None if weights is None else weights[mine])
        np.testing.assert_allclose(found.centers[cluster], mean, atol=1e-9)


def test_a_row_of_weight_two_is_two_rows() -> None:
    r = np.random.default_rng(3)
    X, weights = r.normal(size=(60, 2)), r.integers(1, 4, 60)
    often = swapped(np.repeat(X, weights, axis=0), 4)
    found = swapped(X, 4, weights=weights.astype(float))
    assert found.inertia == pytest.approx(often.inertia, rel=1e-9)
    np.testing.assert_array_equal(np.repeat(found.labels, weights), often.labels)


def test_rows_without_weight_change_nothing() -> None:
    r = np.random.default_rng(4)
    X, far = r.normal(size=(80, 3)), np.full((20, 3), 50.0)
    weights = np.repeat([1.0, 0.0], [80, 20])
    found = swapped(np.concatenate([X, far]), 4, weights=weights)
    assert found.inertia == pytest.approx(swapped(X, 4).inertia, rel=1e-9)


def test_the_same_seed_gives_the_same_bits_and_another_another_search() -> None:
    X = np.random.default_rng(4).uniform(size=(3_000, 4))
    one, two = (swapped(X, 12, random_state=7, work=SearchWork(1e6)) for _ in range(2))
    np.testing.assert_array_equal(one.labels, two.labels)
    np.testing.assert_array_equal(one.centers, two.centers)
    other = swapped(X, 12, random_state=8, work=SearchWork(1e6))
    assert not np.array_equal(one.centers, other.centers)


def test_more_searches_are_not_worse() -> None:
    X = np.random.default_rng(4).uniform(size=(2_000, 4))
    one, three = (swapped(X, 30, work=SearchWork(1e6), n_init=n) for n in (1, 3))
    assert three.inertia <= one.inertia


def searched(X: Array, n_clusters: int, most_work: float, more_work: float = 0) -> Search:
    centers = np.empty((n_clusters, X.shape[1]))
    workspace = np.empty(library().search_workspace(*X.shape, n_clusters))
    at = [array.ctypes.data for array in (X, workspace, centers)]
    shape = (*X.shape, n_clusters)
    made = Search(at[0], None, *shape, False, 1, 150, 6, most_work, more_work, at[1], at[2])
    library().swap_search(ctypes.byref(made))
    return made


def test_the_work_that_is_done_is_little_more_than_may_be() -> None:
    X = np.random.default_rng(5).uniform(size=(3_000, 2))
    for most in (1e6, 3e6):
        assert most <= searched(X, 12, most).work < most + 3 * 3_000 * 16


def test_steps_of_the_start_are_worth_more_work() -> None:
    X = np.random.default_rng(5).uniform(size=(3_000, 2))
    done = searched(X, 12, 1e6, 1e4)
    assert 1e6 + 1e4 <= done.most_work <= 1e6 + 20e4


def test_why_it_ended_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    r = np.random.default_rng(4)
    X = r.normal(0, 0.1, (3_000, 2)) + r.integers(0, 3, (3_000, 2))
    assert swapped(X, 9, work=SearchWork(1e9)).stopped_by == "patience"
    assert swapped(X, 12, work=SearchWork(1e6)).stopped_by == "work"
    assert swapped(X, 1).stopped_by == "optimum"
    assert swapped(np.repeat(X[:5], 3, axis=0), 5).stopped_by == "optimum"
    monkeypatch.setattr(searches, "SAMPLE", 500)
    assert swapped(X, 12, max_iter=1).stopped_by == "max_iter"


def test_a_sample_of_many_rows_is_enough() -> None:
    r = np.random.default_rng(5)
    X = r.normal(0, 0.1, (60_000, 2)) + r.integers(0, 5, (60_000, 2))
    found = swapped(X, 25)
    assert found.inertia == pytest.approx(60_000 * 2 * 0.01, rel=0.02)
    assert len(found.labels) == 60_000


@pytest.mark.parametrize("n_clusters", [1, 2, 3, 5, 6])
def test_more_clusters_than_distinct_rows_are_no_problem(n_clusters: int) -> None:
    X = np.array([[0.0], [0], [1], [1], [1], [4]])
    found = swapped(X, n_clusters)
    assert found.inertia == pytest.approx({1: 65 / 6, 2: 1.2}.get(n_clusters, 0), abs=1e-12)


@pytest.mark.parametrize("factor", [1e-150, 1e-6, 1.0])
def test_clusters_that_are_tiny_beside_their_distances_are_found(factor: float) -> None:
    r = np.random.default_rng(6)
    X = np.repeat(np.eye(4), 50, axis=0) + r.normal(0, 1e-5, (200, 4))
    assert np.bincount(swapped(X * factor, 4).labels).tolist() == [50] * 4


# --- going on from a fit ----------------------------------------------------------


def test_a_search_that_goes_on_is_never_worse_than_the_fit() -> None:
    for seed in range(20):
        rows = Rows(np.random.default_rng(seed).normal(size=(300, 3)))
        fit = lloyd(rows, 7, random_state=seed)
        assert better(rows, fit, most_work=1e5) <= fit.inertia * (1 + 1e-12)


def test_among_many_rows_what_is_better_is_better_for_all_of_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(searches, "SAMPLE", 500)
    r = np.random.default_rng(7)
    X = r.normal(0, 0.1, (4_000, 2)) + r.integers(0, 3, (4_000, 2)) - 1
    rows = Rows(X)
    poor = run(rows, X[:9] * 0.01 + [1.0, 1.0], 300, 0.0)
    found = better(rows, poor, most_work=1e6)
    assert found < poor.inertia * 0.7
    assert found >= swap(rows, 9, work=SearchWork(1e7)).inertia * (1 - 1e-12)
    best = swap(rows, 9, work=SearchWork(1e7))
    assert better(rows, best, most_work=1e6) == best.inertia


# --- bounds -----------------------------------------------------------------------


def search_at_the_edge(n: int, d: int, k: int, *, weighted: bool, goes_on: bool) -> None:
    """Over rows, weights, centers and a workspace that end with their page."""
    C, r = library(), np.random.default_rng(n)
    rooms = [Guarded(1 << 17) for _ in range(4)]
    X = r.normal(size=(n, d))
    search = Search(
        rooms[0].placed(X),
        rooms[1].placed(np.ones(n)) if weighted else None,
        *(n, d, k, goes_on),
        *(1, 20, 2, 1e6, 0),
        rooms[2].placed(np.full(C.search_workspace(n, d, k), np.nan)),
        rooms[3].placed(X[:k].copy()),
    )
    C.swap_search(ctypes.byref(search))


def test_not_one_byte_beyond_any_array_is_touched() -> None:
    child = os.fork()  # which such a byte would kill
    if child == 0:
        for n, d in product((1, 7, 8, 9, 40, 513), (1, 2, 3, 4, 5, 9)):
            for k in {1, min(n, 2), min(n, 9)}:
                search_at_the_edge(n, d, k, weighted=bool(n % 2), goes_on=bool(d % 2))
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
