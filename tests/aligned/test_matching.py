"""Which clusters continue which, by their centers: cases that can be worked out by hand."""

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from kmeans_service.models.continuing import continued
from kmeans_service.models.matching import REACH, assigned, matches
from kmeans_service.models.numbers import Numbers, first_numbers


def on_a_line(*numbers: float) -> np.ndarray:
    return np.array([[float(number)] for number in numbers])


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        pytest.param((0, 10), (10, 0), [1, 0], id="the same, in another order"),
        pytest.param((0, 10), (8, 2), [1, 0], id="both have moved, by a third of the way"),
        pytest.param((0, 10, 20), (10, 20), [1, 2], id="the first is gone"),
        pytest.param((0, 10), (0, 10, 30), [0, 1, -1], id="there is one more"),
        pytest.param((0, 10, 11), (0, 10.5, 40), [0, 1, -1], id="two are one, and one is new"),
        pytest.param((0, 10), (0, 9, 11.5), [0, 1, -1], id="one is two: the nearer one goes on"),
        pytest.param((0, 10), (0, 18), [0, -1], id="too far: more than three quarters of the way"),
        pytest.param((0, 10), (0, 17), [0, 1], id="near enough"),
        pytest.param((5,), (500,), [0], id="a single cluster goes on as a single one"),
        pytest.param((5,), (4, 40), [0, -1], id="a single one is two"),
        pytest.param((4, 40), (5,), [0], id="two are a single one"),
        pytest.param((3, 3), (3, 3), [0, 1], id="centers that are one"),
        pytest.param((0, 1e300), (0, 1e300), [0, 1], id="farther than a square may be"),
    ],
)
def test_clusters_continue_what_they_are_near(
    old: tuple[float, ...], new: tuple[float, ...], found: list[int]
) -> None:
    assert matches(on_a_line(*old), on_a_line(*new)).tolist() == found


def test_the_best_for_all_counts_and_not_for_the_first() -> None:
    """4.4 is nearer to 0 than to 10; but then nothing would go on as 10, and -4 as nothing."""
    assert matches(on_a_line(0, 10, 50), on_a_line(4.4, -4, 50)).tolist() == [1, 0, 2]


@pytest.mark.parametrize("n_parts", range(2, 30))
def test_a_cluster_goes_on_as_one_of_its_equal_parts_however_many(n_parts: int) -> None:
    parts = np.vstack([np.eye(n_parts), 100 + np.zeros(n_parts)])
    whole = np.vstack([np.full(n_parts, 1 / n_parts), 100 + np.zeros(n_parts)])
    split, merged = matches(whole, parts).tolist(), matches(parts, whole).tolist()
    assert sorted(split)[-2:] == [0, 1]
    assert merged[0] in range(n_parts)
    assert np.sqrt((n_parts - 1) / (2 * n_parts)) < REACH


@pytest.mark.parametrize("seed", range(200))
def test_the_assignment_costs_as_little_as_scipys(seed: int) -> None:
    random = np.random.default_rng(seed)
    n_rows = int(random.integers(1, 9))
    n_columns = int(random.integers(n_rows, 12))
    costs = random.integers(0, 4, (n_rows, n_columns)) + random.random() * (seed % 2)
    columns = assigned(costs.astype(float))
    assert len(set(columns.tolist())) == n_rows
    best = costs[linear_sum_assignment(costs)].sum()
    assert costs[np.arange(n_rows), columns].sum() == pytest.approx(best, abs=1e-12)


# --- labels and numbers ----------------------------------------------------------------


def test_labels_and_numbers_are_kept_and_new_ones_take_what_is_left() -> None:
    """The second goes on as the first, and the first of the new ones is new."""
    found = continued(on_a_line(0, 10), Numbers((4, 2), 7, "f"), on_a_line(30, 10, 0))
    assert found.order.tolist() == [2, 1, 0]
    assert found.numbers == Numbers((4, 2, 7), 8, "f")


def test_a_label_that_is_not_there_any_more_is_not_kept_and_the_number_is() -> None:
    found = continued(on_a_line(0, 10, 20), first_numbers(3, "f"), on_a_line(20, 0))
    assert found.order.tolist() == [1, 0]
    assert found.numbers == Numbers((0, 2), 3, "f")


def test_numbers_of_clusters_that_are_gone_are_never_given_again() -> None:
    numbers = first_numbers(3, "f")
    numbers = continued(on_a_line(0, 10, 20), numbers, on_a_line(0, 10)).numbers
    numbers = continued(on_a_line(0, 10), numbers, on_a_line(0, 10, 20)).numbers
    assert numbers == Numbers((0, 1, 3), 4, "f")
