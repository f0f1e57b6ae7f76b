"""How many clusters: the choice, its verdict, and what they are made of."""

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_iris, load_wine
from sklearn.metrics import adjusted_rand_score, silhouette_score

from kmeans_service.arrays import Array
from kmeans_service.fitting import indices
from kmeans_service.fitting.choosing.agreement import adjusted_rand
from kmeans_service.fitting.choosing.candidates import mean_silhouette, stability
from kmeans_service.fitting.choosing.choice import Choice, choose, sample_of
from kmeans_service.fitting.choosing.references import KINDS, PRINCIPAL_BOX

LINE = np.array([[0.0], [1.0], [10.0], [11.0]])


def in_space(X: Array) -> Array:
    Z = np.array(X - X.mean(axis=0), order="C")
    Z /= np.abs(Z).max()
    return Z


def chosen(X: Array, most: int = 6, seed: int = 3, **given: Any) -> Choice:
    return choose(in_space(X), range(2, most + 1), seed, **given)


def test_labels_that_are_the_same_but_for_their_numbers_agree_wholly() -> None:
    assert adjusted_rand(np.array([0, 0, 1, 1]), np.array([1, 1, 0, 0])) == 1.0


def test_of_four_rows_crossed_pairs_agree_less_than_chance() -> None:
    # No pair of 6 is together in both, 2 in each: (0 - 2 * 2 / 6) / (2 - 2 * 2 / 6).
    assert adjusted_rand(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])) == pytest.approx(-0.5)


@pytest.mark.parametrize("seed", range(5))
def test_agreement_is_that_of_scikit_learn(seed: int) -> None:
    a, b = np.random.default_rng(seed).integers(0, 4, (2, 100))
    assert adjusted_rand(a, b) == pytest.approx(adjusted_rand_score(a, b))


def test_the_silhouette_of_two_pairs_on_a_line() -> None:
    # Of 0 and 11: 1 - 1 / 10.5; of 1 and 10: 1 - 1 / 9.5.
    found = mean_silhouette(indices.distances_between(LINE), np.array([0, 0, 1, 1]), 2)
    assert found == pytest.approx(1 - (1 / 10.5 + 1 / 9.5) / 2)


def test_a_row_alone_and_an_empty_cluster_count_as_they_do_for_scikit_learn() -> None:
    X = np.random.default_rng(0).normal(size=(40, 3))
    labels = np.array([0] + [1, 3] * 19 + [1])
    found = mean_silhouette(indices.distances_between(X), labels, 5)
    assert found == pytest.approx(silhouette_score(X, labels))


def test_references_are_as_many_rows_within_the_box_of_the_data() -> None:
    rows = np.random.default_rng(0).normal(size=(50, 2)) * [3, 1]
    for kind in KINDS[1:2]:
        for drawn in kind.of(rows, np.random.default_rng(1)):
            assert drawn.shape == rows.shape
            assert (drawn >= rows.min(axis=0)).all()
            assert (drawn <= rows.max(axis=0)).all()


def test_gaussian_references_have_the_correlation_and_the_skewness_of_the_data() -> None:
    draw = np.random.default_rng(0)
    x = draw.exponential(size=5_000)
    rows = np.column_stack([x, -x + draw.exponential(size=5_000)])
    drawn = next(KINDS[2].of(rows - rows.mean(axis=0), draw))
    assert np.cov(drawn.T) == pytest.approx(np.cov(rows.T), abs=0.2)
    assert (((drawn[:, 0] - drawn[:, 0].mean()) / drawn[:, 0].std()) ** 3).mean() > 1.5


def test_a_column_without_any_spread_is_drawn_as_one() -> None:
    rows = np.column_stack([np.random.default_rng(0).normal(size=30), np.zeros(30)])
    for kind in KINDS:
        assert np.abs(next(kind.of(rows, np.random.default_rng(0)))[:, 1]).max() < 1e-12


def test_halves_of_clusters_that_are_apart_agree() -> None:
    rows = in_space(np.concatenate([np.zeros((20, 2)), np.ones((20, 2))]))
    assert stability(rows, 2, np.random.default_rng(0)) == 1.0
    assert stability(rows[:6], 3, np.random.default_rng(0)) is None


def test_iris_has_two_or_three_clusters_and_wine_has_three() -> None:
    iris, wine = load_iris().data, load_wine().data
    assert chosen(iris).n_clusters in (2, 3)
    assert chosen(iris).verdict == "clear"
    found = chosen(wine / wine.std(axis=0))
    assert found.n_clusters == 3
    assert found.verdict != "none"


@pytest.mark.parametrize("shape", ["uniform", "normal", "exponential"])
def test_where_there_are_no_clusters_the_verdict_says_so(shape: str) -> None:
    rows = getattr(np.random.default_rng(11), shape)(size=(300, 3))
    found = chosen(rows)
    assert found.verdict == "none"
    assert not all(bar.beaten for bar in found.evidence.references)
    assert found.n_clusters >= 2


@pytest.mark.parametrize("n_groups", [2, 3])
def test_groups_along_a_line_are_as_many_as_there_are(n_groups: int) -> None:
    group = np.arange(60) % n_groups
    X = (8.0 * group + np.random.default_rng(5).normal(size=60))[:, np.newaxis]
    found = chosen(X, most=10)
    assert (
        found.candidates[-1].calinski_harabasz
        > found.candidates[  # type: ignore[operator]
            n_groups - 2
        ].calinski_harabasz
    )
    assert (found.n_clusters, found.evidence.index) == (n_groups, "silhouette")
    assert found.verdict == "clear"


def test_an_index_that_has_a_peak_proposes() -> None:
    assert chosen(load_iris().data).evidence.index == "calinski_harabasz"


def test_a_choice_is_repeated_to_the_bit() -> None:
    rows = load_iris().data
    assert chosen(rows) == chosen(rows)


def test_each_number_is_told_when_its_turn_comes_and_shown_in_units_of_the_data() -> None:
    told: list[int] = []
    found = chosen(load_iris().data, scale=0.25, say=told.append)
    assert told == [candidate.n_clusters for candidate in found.candidates] == [2, 3, 4, 5, 6]
    plain = chosen(load_iris().data)
    assert found.candidates[0].inertia == plain.candidates[0].inertia * 16


def test_of_more_rows_than_a_choice_looks_at_some_are_drawn_in_their_order() -> None:
    rows = np.arange(30_000, dtype=float)[:, np.newaxis]
    sample = sample_of(rows, 5)
    assert len(sample) == 20_000
    assert (np.diff(sample[:, 0]) > 0).all()


def test_the_gap_is_to_uniform_references() -> None:
    assert PRINCIPAL_BOX in KINDS
    found = chosen(load_iris().data)
    assert all(candidate.gap is not None and candidate.gap > 0 for candidate in found.candidates)
