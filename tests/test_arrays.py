"""Passes over rows of few columns, several rows at a time."""

import numpy as np
import pytest

from kmeans_service.arrays import LINE, in_lines
from kmeans_service.fitting import column_facts
from kmeans_service.models.predictor import mean_of, take


def test_lines_and_what_is_left_are_all_rows() -> None:
    rows = np.arange(2.0 * (LINE + 3)).reshape(-1, 2)
    lines, rest = in_lines(rows)
    assert (lines.shape, rest.shape) == ((2, LINE), (3, 2))
    assert [*lines.ravel(), *rest.ravel()] == rows.ravel().tolist()


def test_what_is_done_to_lines_is_done_to_the_rows() -> None:
    rows = np.zeros((LINE, 3))
    for part in in_lines(rows):
        part += 1
    assert (rows == 1).all()


def test_rows_that_lie_otherwise_are_refused_and_not_copied() -> None:
    with pytest.raises(ValueError, match="copy"):
        in_lines(np.zeros((2, LINE)).T)


def test_a_column_of_1_and_3_has_mean_2_and_variance_1() -> None:
    found = column_facts.columns_of([np.array([[1.0, 5], [3, 5]])], 2)
    assert found.means.tolist() == [2, 5]
    assert found.variances.tolist() == [1, 0]


@pytest.mark.parametrize("seed", range(200))
def test_the_mean_is_numpys_to_the_last_bit(seed: int) -> None:
    """Of one column, too, which numpy adds up in another order: of every tenth."""
    r = np.random.default_rng(seed)
    n_features = int(r.integers(1, 70)) if seed % 10 else 1
    X = r.normal(1000 * r.normal(), 2, (int(r.integers(1, 4000)), n_features))
    mean, before = X.mean(axis=0), X.copy()
    np.testing.assert_array_equal(mean_of(X), mean)
    space = take(X)
    np.testing.assert_array_equal(space.shift, mean)
    np.testing.assert_array_equal(X, (before - mean) * space.scale)
