"""Sums that are the same to the last bit in whatever parts they are taken."""

import math

import numpy as np
import pytest

from kmeans_service.arrays import Array
from kmeans_service.fitting.kernel import library
from kmeans_service.fitting.kernel.exact import ExactSums, no_sums, power_above

pytestmark = pytest.mark.skipif(not library.runs_here(), reason="the kernel needs AVX2")


def summed(X: Array, cuts: list[int], labels: Array, k: int, weights: Array | None) -> ExactSums:
    """In parts that end at the cuts, the last ones first."""
    powers = power_above(np.abs(X).max(axis=0))
    found = no_sums(k, powers)
    for begin, end in reversed(list(zip([0, *cuts], [*cuts, len(X)], strict=True))):
        part = no_sums(k, powers)
        own = None if weights is None else weights[begin:end]
        part.add(X[begin:end], labels[begin:end], own)
        found.merge(part)
    return found


def test_what_rounding_would_lose_is_there() -> None:
    X = np.array([[1.0], [2.0**-60], [-1.0], [2.0**-60]])
    sums = no_sums(1, power_above(np.array([1.0])))
    sums.add(X)
    assert X.sum() != 2.0**-59
    assert sums.totals().tolist() == [[2.0**-59]]


def test_rows_are_added_to_their_clusters_times_their_weights() -> None:
    X, labels = np.array([[1.0, -2.0], [3.0, 4.0], [5.0, 6.0]]), np.array([1, 0, 1], dtype=np.int32)
    found = summed(X, [], labels, 3, np.array([0.5, 1.0, 0.25]))
    assert found.totals().tolist() == [[3.0, 4.0], [1.75, 0.5], [0.0, 0.0]]


@pytest.mark.parametrize("weighted", [False, True])
def test_every_way_to_cut_the_rows_gives_the_same_bits(weighted: bool) -> None:
    rng = np.random.default_rng(3)
    X = rng.normal(size=(20_001, 3)) * [1e-3, 1.0, 1e50]
    labels = rng.integers(0, 5, len(X)).astype(np.int32)
    weights = rng.random(len(X)) if weighted else None
    whole = summed(X, [], labels, 5, weights)
    for cuts in ([1], [8191, 8192, 8193], sorted(rng.integers(0, len(X), 40).tolist())):
        assert np.array_equal(summed(X, cuts, labels, 5, weights).words, whole.words)
    products = X if weights is None else X * weights[:, np.newaxis]
    exact = [[math.fsum(products[labels == c, f]) for f in range(3)] for c in range(5)]
    np.testing.assert_allclose(whole.totals(), exact, rtol=2**-52)
