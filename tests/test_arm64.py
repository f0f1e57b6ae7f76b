"""The kernel of the arm64 layer: bit for bit what it computes here."""

from collections.abc import Iterator

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from harness.arm64 import kernel_on_arm64
from harness.data.kernel_recipes import Recipe, recipe
from kmeans_service.arrays import Array
from kmeans_service.fitting.kernel.lloyd import Fit, lloyd
from kmeans_service.fitting.kernel.rows import Rows
from kmeans_service.fitting.kernel.swap import swap
from kmeans_service.recipes.work import SearchWork


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    with threadpool_limits(1):
        yield


def by_lloyd(made: Recipe) -> Fit:
    return lloyd(
        Rows(made.X, made.weights),
        made.n_clusters,
        init=made.init,
        n_init=made.n_init,
        max_iter=made.max_iter,
        tolerance=made.tol,
        random_state=made.random_state,
    )


def assert_equal(here: Fit, there: Fit) -> None:
    np.testing.assert_array_equal(here.labels, there.labels)
    np.testing.assert_array_equal(here.centers, there.centers)
    assert (here.inertia, here.n_iter) == (there.inertia, there.n_iter)


def on_both(fit: Recipe) -> None:
    here = by_lloyd(fit)
    with kernel_on_arm64() as processor:
        there = by_lloyd(fit)
    assert processor.n_calls > 0
    assert_equal(here, there)


@pytest.mark.thorough
@pytest.mark.parametrize("seed", range(12))
def test_the_fits_of_recipes_are_the_same_to_the_bit(seed: int) -> None:
    on_both(recipe(seed))


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(12, 200))
def test_the_fits_of_many_recipes_are_the_same_to_the_bit(seed: int) -> None:
    on_both(recipe(seed))


def rows_around(n_samples: int, n_features: int, n_clusters: int) -> Array:
    r = np.random.default_rng(n_samples)
    centers = 3 * r.normal(size=(n_clusters, n_features))
    made: Array = r.normal(size=(n_samples, n_features))
    return made + centers[r.integers(0, n_clusters, n_samples)]


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("n_samples", "n_features", "n_clusters"),
    [(7_001, 2, 8), (6_500, 3, 40), (6_200, 17, 5)],
    ids=["drawn in one pass", "with bounds", "drawn with a filter"],
)
def test_fits_of_many_rows_are_the_same_to_the_bit(
    n_samples: int, n_features: int, n_clusters: int
) -> None:
    X = rows_around(n_samples, n_features, n_clusters)
    on_both(Recipe(X, None, n_clusters, "k-means++", 1, 20, 1e-4, 3))


@pytest.mark.parametrize("weighted", [False, True])
def test_a_swap_search_is_the_same_to_the_bit(weighted: bool) -> None:
    X = rows_around(300, 2, 7)
    rows = Rows(X, np.arange(1.0, 301) if weighted else None)
    here = swap(rows, 7, work=SearchWork(200_000))
    with kernel_on_arm64() as processor:
        there = swap(Rows(rows.X, rows.weights), 7, work=SearchWork(200_000))
    assert processor.n_calls > 0
    assert_equal(here, there)
