"""The k-means of C: scikit-learn's answers, and that it stays inside its arrays."""

import os
import warnings
from collections.abc import Iterator

import numpy as np
import pytest
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

from harness.data.kernel_recipes import Recipe, recipe
from kmeans_service.arrays import Array
from kmeans_service.fitting.kernel import library as libraries
from kmeans_service.fitting.kernel.assignment import Assignment
from kmeans_service.fitting.kernel.lloyd import Fit, lloyd
from kmeans_service.fitting.kernel.rows import Rows
from kmeans_service.fitting.kernel.seeding import _Tried
from kmeans_service.fitting.kernel.swap import swap
from kmeans_service.recipes.work import SearchWork

RECIPES = int(os.environ.get("KERNEL_RECIPES", "200"))


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """More would make scikit-learn's own sums depend on which thread was first."""
    with threadpool_limits(1):
        yield


def by_sklearn(made: Recipe) -> KMeans:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return KMeans(
            made.n_clusters,
            init=made.init,
            n_init=made.n_init,
            max_iter=made.max_iter,
            tol=made.tol,
            random_state=made.random_state,
        ).fit(made.X, sample_weight=made.weights)


def by_kernel(made: Recipe, n_threads: int = 1) -> tuple[Fit, Array]:
    """The fit, and its centers where the data was."""
    means, variance = made.X.mean(axis=0), np.var(made.X, axis=0).mean()
    X = np.ascontiguousarray(made.X - means)
    found = lloyd(
        Rows(X, made.weights, n_threads),
        made.n_clusters,
        init=made.init if isinstance(made.init, str) else made.init - means,
        n_init=made.n_init,
        max_iter=made.max_iter,
        tolerance=made.tol * variance,
        random_state=made.random_state,
    )
    return found, found.centers + means


def test_two_pairs_of_points_are_two_clusters() -> None:
    X = np.array([[-5.0, 0], [-5, 2], [5, 0], [5, -2]])
    found = lloyd(Rows(X), 2, init=np.array([[-5.0, 0], [5, 0]]))
    assert found.labels.tolist() == [0, 0, 1, 1]
    assert found.centers.tolist() == [[-5, 1], [5, -1]]
    assert (found.inertia, found.n_iter) == (4, 2)


def test_a_weight_counts_a_row_so_often() -> None:
    X = np.array([[0.0], [3], [10]])
    found = lloyd(Rows(X, np.array([2.0, 1, 1])), 2, init=np.array([[0.0], [10]]))
    assert found.centers.tolist() == [[1], [10]]
    assert found.inertia == 2 * 1 + 4


def test_an_empty_cluster_takes_the_row_farthest_from_its_center() -> None:
    X = np.array([[0.0], [1], [2], [30]])
    found = lloyd(Rows(X), 2, init=np.array([[0.0], [1000]]))
    assert found.labels.tolist() == [0, 0, 0, 1]


def test_of_two_centers_equally_near_the_first_is_taken() -> None:
    found = lloyd(Rows(np.array([[-1.0], [0], [1]])), 2, init=np.array([[-1.0], [1]]), max_iter=1)
    assert (
        found.labels[1]
        == by_sklearn(
            Recipe(np.array([[-1.0], [0], [1]]), None, 2, np.array([[-1.0], [1]]), 1, 1, 0, 0)
        ).labels_[1]
    )


@pytest.mark.thorough
@pytest.mark.usefixtures("each_library")
def test_labels_and_n_iter_are_those_of_scikit_learn() -> None:
    unequal = []
    for seed in range(RECIPES):
        made = recipe(seed)
        reference, (found, centers) = by_sklearn(made), by_kernel(made)
        spread = made.X.std() + 1e-300
        if (
            found.n_iter != reference.n_iter_
            or (found.labels != reference.labels_).any()
            or np.abs(centers - reference.cluster_centers_).max() > 1e-12 * spread
            or not np.isclose(found.inertia, reference.inertia_, rtol=1e-12, atol=1e-300)
        ):
            unequal.append((seed, made.X.shape, made.n_clusters))
    assert unequal == []


@pytest.mark.parametrize(
    ("n_samples", "n_features", "n_clusters"),
    [(30_000, 2, 8), (30_000, 3, 100), (8_000, 10, 10), (9_000, 40, 30), (2_000, 20, 700)],
)
@pytest.mark.parametrize("whole_numbers", [False, True])
def test_many_rows_are_labelled_as_by_scikit_learn(
    n_samples: int, n_features: int, n_clusters: int, whole_numbers: bool
) -> None:
    r = np.random.default_rng(n_samples)
    X = (
        r.normal(size=(n_samples, n_features))
        + r.normal(size=(5, n_features))[r.integers(0, 5, n_samples)]
    )
    made = Recipe(
        np.round(X * 2) if whole_numbers else X, None, n_clusters, "k-means++", 1, 60, 1e-4, 1
    )
    reference, (found, centers) = by_sklearn(made), by_kernel(made)
    np.testing.assert_array_equal(found.labels, reference.labels_)
    assert found.n_iter == reference.n_iter_
    np.testing.assert_allclose(centers, reference.cluster_centers_, rtol=0, atol=1e-12)


@pytest.mark.thorough
def test_two_threads_give_the_bits_of_one() -> None:
    for n_features, n_clusters in ((2, 8), (24, 40)):
        X = np.random.default_rng(1).normal(size=(20_001, n_features))
        made = Recipe(X, None, n_clusters, "k-means++", 2, 300, 1e-4, 5)
        (one, _), (two, _) = by_kernel(made), by_kernel(made, n_threads=2)
        np.testing.assert_array_equal(one.labels, two.labels)
        np.testing.assert_array_equal(one.centers, two.centers)
        assert (one.inertia, one.n_iter) == (two.inertia, two.n_iter)


@pytest.mark.parametrize(("n_features", "n_clusters"), [(1, 3), (2, 8), (10, 10), (24, 40)])
def test_wider_vectors_give_the_same_bits(
    n_features: int, n_clusters: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    X = np.random.default_rng(1).normal(size=(8_003, n_features))
    made = Recipe(X, None, n_clusters, "k-means++", 2, 300, 1e-4, 5)
    wide = [by_kernel(made)[0], swapped(X, n_clusters)]
    monkeypatch.setattr(libraries, "name_here", lambda: "kmeans")
    for here, there in zip(wide, [by_kernel(made)[0], swapped(X, n_clusters)], strict=True):
        np.testing.assert_array_equal(here.labels, there.labels)
        np.testing.assert_array_equal(here.centers, there.centers)
        assert (here.inertia, here.n_iter) == (there.inertia, there.n_iter)


def swapped(X: Array, n_clusters: int) -> Fit:
    return swap(Rows(X - X.mean(axis=0)), n_clusters, work=SearchWork(3e6))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("n_samples", "n_features"), [(16, 1), (700, 3), (5_003, 17)])
def test_the_gains_of_candidates_are_off_by_no_more_than_they_are_said_to_be(
    n_samples: int, n_features: int, weighted: bool
) -> None:
    r = np.random.default_rng(n_samples)
    X = r.normal(size=(n_samples, n_features)) * 10.0 ** r.integers(-3, 1, n_features)
    weights = r.uniform(0, 3, n_samples) if weighted else None
    closest, tried = ((X - X[0]) ** 2).sum(axis=1), _Tried(Rows(X, weights), X[:9].copy())
    gains, errors = tried.estimate(closest)
    measured = tried.measure(closest)
    lowered = closest - ((X[:, np.newaxis] - X[:9]) ** 2).sum(axis=2).T
    expected = np.maximum(lowered, 0) @ (np.ones(n_samples) if weights is None else weights)
    np.testing.assert_allclose(measured, expected, rtol=1e-12, atol=1e-15 * closest.sum() + 1e-300)
    assert (np.abs(gains - measured) <= errors).all()
    assert (errors < 1e-3 * closest.sum()).all()


# --- bounds ---------------------------------------------------------------------


@pytest.mark.parametrize(("n_features", "n_clusters"), [(12, 50), (7, 10), (50, 9)])
@pytest.mark.parametrize("step", [0.05, 1e-3])
def test_bounds_of_moving_centers_lose_no_row(
    n_features: int, n_clusters: int, step: float
) -> None:
    r = np.random.default_rng(8)
    X = r.normal(size=(4_000, n_features))
    bounded, centers = Assignment(Rows(X), n_clusters), X[:n_clusters].copy()
    for _ in range(12):
        bounded.update(centers, 1e-12)
        fresh = Assignment(Rows(X), n_clusters)
        fresh.update(centers, 1e-12)
        np.testing.assert_array_equal(bounded.labels, fresh.labels)
        squared = ((X[:, np.newaxis] - centers) ** 2).sum(axis=2)
        np.testing.assert_array_equal(bounded.labels, squared.argmin(axis=1))
        centers = centers + r.normal(0, step, centers.shape)


@pytest.mark.parametrize("n_clusters", [7, 40])
def test_a_row_is_not_certain_once_two_centers_may_have_met_at_it(n_clusters: int) -> None:
    """One center comes, and its own goes, by half of what the two distances differ by."""
    centers = np.full((n_clusters, 10), 90.0)
    centers[:2] = 0.0
    centers[0, 0], centers[1, 0] = -2, 4
    known = Assignment(Rows(np.zeros((20, 10))), n_clusters)
    known.update(centers, 0.0)
    assert known.labels.tolist() == 20 * [0]
    for moved, nearest in ((0.9, 0), (1.1, 1)):
        there = centers.copy()
        there[0, 0], there[1, 0] = -2 - moved, 4 - moved
        known.update(there, 0.0)
        assert known.labels.tolist() == 20 * [nearest]


@pytest.mark.parametrize("seed", [1000, 1787, 5174, 6539, 6812])
def test_rows_between_two_centers_are_decided_by_sums_in_scikit_learns_order(seed: int) -> None:
    """Points on a grid of tenths, which no double holds: the last bit of a sum turns a label."""
    r = np.random.default_rng(seed)
    n, k = int(r.integers(100, 400)), int(r.integers(3, 12))
    X = r.integers(-9, 10, size=(n, 2)) * 0.1
    made = Recipe(X, None, k, X[r.choice(n, k, replace=False)].copy(), 1, 300, 0, 0)
    reference, (found, _) = by_sklearn(made), by_kernel(made)
    np.testing.assert_array_equal(found.labels, reference.labels_)
    assert found.n_iter == reference.n_iter_
