"""Rows on their way into the space of a fit."""

import numpy as np
import pytest

from kmeans_service.arrays import Array
from kmeans_service.fitting import column_facts, entering
from kmeans_service.fitting.kernel import library
from kmeans_service.fitting.kernel.entering import enter, extents_of
from kmeans_service.fitting.kernel.rows import Rows
from kmeans_service.models import predictor


def test_rows_are_moved_to_their_mean_and_scaled_below_one() -> None:
    X = np.array([[0.0, 10], [2, 30]])
    space, columns = entering.enter(X)
    assert (space.shift.tolist(), space.scale) == ([1, 20], 1 / 16)
    assert X.tolist() == [[-1 / 16, -10 / 16], [1 / 16, 10 / 16]]
    assert columns.means.tolist() == [0, 0]
    assert columns.variances.tolist() == [1 / 256, 100 / 256]


def test_a_columns_sum_and_its_ends_are_found_in_one_look() -> None:
    found = extents_of(np.array([[1.0, -7, 0], [5, 2, 0], [-2, 8, 0]]))
    assert [each.tolist() for each in found] == [[4, 3, 0], [-2, -7, 0], [5, 8, 0]]


def data(n_samples: int, n_features: int) -> Array:
    r = np.random.default_rng(n_samples + n_features)
    made: Array = r.normal(1e6, 10.0 ** r.integers(-3, 4, n_features), (n_samples, n_features))
    return made


@pytest.mark.parametrize("n_features", [1, 2, 3, 4, 5, 11])
@pytest.mark.parametrize("n_samples", [1, 2, 2047, 2049, 5000])
def test_the_space_and_the_rows_are_those_of_numpy_to_the_bit(
    n_samples: int, n_features: int
) -> None:
    own, numpys = data(n_samples, n_features), data(n_samples, n_features)
    (space, columns), expected = entering.enter(own), predictor.take(numpys)
    np.testing.assert_array_equal(space.shift, expected.shift)
    assert space.scale == expected.scale
    np.testing.assert_array_equal(own, numpys)
    found = column_facts.columns_of([numpys], n_features)
    np.testing.assert_allclose(columns.variances, found.variances, rtol=1e-12)
    np.testing.assert_allclose(columns.means, found.means, rtol=0, atol=1e-15)


def test_two_threads_sum_the_columns_to_the_bits_of_one() -> None:
    one, two = (
        enter(Rows(data(10_001, 7), None, n_threads), np.full(7, 1e6), 0.25) for n_threads in (1, 2)
    )
    for of_one, of_two in zip(one, two, strict=True):
        np.testing.assert_array_equal(of_one, of_two)


def test_without_the_kernel_numpy_comes_to_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    with_kernel, without = data(100, 3), data(100, 3)
    space, _ = entering.enter(with_kernel)
    monkeypatch.setattr(library, "runs_here", lambda: False)
    other, _ = entering.enter(without)
    np.testing.assert_array_equal(with_kernel, without)
    assert (space.shift.tolist(), space.scale) == (other.shift.tolist(), other.scale)
