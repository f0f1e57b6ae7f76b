"""What a cluster is: counted by hand where rows are few, and again from the data where many."""

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_iris, load_wine

from harness.explaining.fits import Fit, fit_of
from kmeans_service.explaining.clusters import as_json, rule_text
from kmeans_service.explaining.described import Described
from kmeans_service.explaining.file_rows import FileRow
from kmeans_service.explaining.sentences import ALONE, ORDINARY

AGES = [[50.0, 10], [54, 12], [58, 14], [20, 80], [24, 82], [28, 90]]
TYPICAL = {row: FileRow(row + 2, (f"row {row}",)) for row in range(7)}


@pytest.fixture
def ages() -> Fit:
    species = Described(3, "kind", used=False, reason="it holds text", levels=("a", "b"))
    codes = np.array([0, 0, 1, 1, -1, np.nan])
    return fit_of(AGES, ["age", "spending"], [0, 0, 0, 1, 1, 1], beside=(species, codes))


def test_a_small_fit_is_described_as_by_hand(ages: Fit) -> None:
    explained = ages.explained()
    first, second = explained.clusters
    assert (first.size, first.share, first.typical, first.distance) == (3, 0.5, 1, 0.0)
    assert [center.value for center in first.center] == [54.0, 12.0, "a"]
    assert first.center[2].share == 2 / 3
    # (20, 80), (24, 82), (28, 90) have their middle at (24, 84): 2 away from the second.
    assert (second.typical, second.distance) == (4, 2.0)
    assert [center.value for center in second.center] == [24.0, 84.0, "b"]
    assert second.center[2].share == 1 / 3
    assert first.sentence == (
        "Much lower spending (median 12 against 82) and much higher age (median 54 against 24), "
        "compared with the other rows."
    )


def test_what_sets_apart_is_the_difference_in_standard_deviations(ages: Fit) -> None:
    spending, age = ages.explained().clusters[0].sets_apart
    X = np.array(AGES)
    assert (spending.place, age.place) == (1, 0)
    assert np.isclose(age.difference, 30 / X[:, 0].std(), rtol=1e-14)
    assert np.isclose(spending.difference, -72 / X[:, 1].std(), rtol=1e-14)
    assert (age.inside, age.rest) == (54.0, 24.0)
    assert age.quantiles is not None
    own, rest = age.quantiles
    assert (own.low, own.lower, own.median, own.upper, own.high) == (50.4, 52, 54, 56, 57.6)
    assert (rest.lower, rest.median, rest.upper) == (22, 24, 26)


def test_a_rule_is_the_leaf_that_has_most_of_the_cluster(ages: Fit) -> None:
    explained = ages.explained()
    rule = explained.clusters[0].rule
    assert rule is not None
    assert rule_text(rule, explained.columns) in ("age above 40", "spending at most 50")
    assert (rule.coverage, rule.precision, explained.rules.fidelity) == (1.0, 1.0, 1.0)


def test_the_answer_says_what_is_described_and_was_not_used(ages: Fit) -> None:
    found = as_json(ages.explained(), TYPICAL)
    assert [column["used"] for column in found["columns"]] == [True, True, False]
    assert found["notes"] == [
        "The column kind is described, but the fit did not use it: it holds text."
    ]
    assert found["sample_size"] is None
    first = found["clusters"][0]
    assert first["typical_row"] == {"line": 3, "distance": 0.0, "cells": ["row 1"]}
    assert first["center"][2] == {"column": 3, "name": "kind", "value": "a", "share": 2 / 3}
    assert list(first["sets_apart"][0]["quantiles"]) == ["0.05", "0.25", "0.5", "0.75", "0.95"]
    assert [each["column"] for each in first["sets_apart"]] == [2, 1]


def test_dropped_rows_count_nowhere_and_are_told() -> None:
    fit = fit_of([*AGES, [1000.0, 1000]], ["age", "spending"], [0, 0, 0, 1, 1, 1, 1])
    dropped = Fit(fit.values, np.array([0, 0, 0, 1, 1, 1, -1]), fit.columns, fit.model)
    explained = dropped.explained()
    assert [cluster.size for cluster in explained.clusters] == [3, 3]
    assert "1 rows were dropped" in as_json(explained, TYPICAL)["notes"][0]
    assert "1000" not in explained.clusters[1].sentence


def test_one_cluster_has_nothing_to_be_set_apart_from() -> None:
    explained = fit_of(AGES, ["age", "spending"], [0] * 6).explained()
    assert explained.clusters[0].sentence == ALONE
    assert explained.clusters[0].sets_apart == ()


def test_a_cluster_that_nothing_sets_apart_is_said_to_be_so() -> None:
    X = np.array([[0.0], [1], [2], [3], [0], [1], [2], [3]])
    explained = fit_of(X, ["x"], [0, 0, 0, 0, 1, 1, 1, 1]).explained()
    assert [cluster.sentence for cluster in explained.clusters] == [ORDINARY, ORDINARY]


def test_a_cluster_in_the_middle_is_told_by_where_it_lies() -> None:
    X = np.array([[0.0], [1], [5], [5.5], [6], [10], [11]])
    middle = fit_of(X, ["x"], [0, 0, 1, 1, 1, 2, 2]).explained().clusters[1]
    assert middle.sentence == (
        "Neither high nor low: all of these rows have x from 5 to 6, and none of the other rows do."
    )


def test_a_flag_and_a_category_are_told_by_their_shares() -> None:
    words = Described(1, "smoker", words=("yes", "no"))
    X = np.array([[1.0], [1], [1], [0], [0], [0], [0], [1]])
    fit = fit_of(X, ["smoker"], [0, 0, 0, 0, 1, 1, 1, 1])
    explained = Fit(fit.values, fit.labels, (words,), fit.model).explained()
    assert explained.clusters[0].sentence == (
        "More often yes in smoker (75 % against 25 %), compared with the other rows."
    )
    assert explained.clusters[1].sentence == (
        "More often no in smoker (75 % against 25 %), compared with the other rows."
    )


def test_no_offset_costs_digits() -> None:
    X = np.array(AGES) + 1.6e12
    explained = fit_of(X, ["age", "spending"], [0, 0, 0, 1, 1, 1]).explained()
    age = next(each for each in explained.clusters[0].sets_apart if each.place == 0)
    assert np.isclose(age.difference, 30 / np.array(AGES)[:, 0].std(), rtol=1e-6)
    assert explained.rules.fidelity == 1.0


def test_a_cluster_without_a_leaf_has_no_rule_and_the_answer_says_so() -> None:
    X = np.zeros((6, 1))
    explained = fit_of(X, ["x"], [0, 0, 0, 1, 0, 0]).explained()
    assert explained.clusters[1].rule is None
    assert explained.rules.fidelity == 5 / 6
    notes = as_json(explained, TYPICAL)["notes"]
    assert notes == ["The cluster labelled 1 has no rule: no leaf of the tree names it."]


@pytest.mark.parametrize(
    ("load", "n_clusters", "scaling"),
    [(load_iris, 3, "none"), (load_wine, 3, "standard"), (load_breast_cancer, 2, "none")],
)
def test_rules_name_the_cluster_of_nearly_every_row_and_are_what_they_say(
    load: object, n_clusters: int, scaling: str
) -> None:
    X, names = load().data, load().feature_names  # type: ignore[operator]
    fit = fit_of(X, list(names), n_clusters=n_clusters, scaling=scaling)
    explained = fit.explained()
    assert explained.rules.fidelity >= 0.97
    for cluster in explained.clusters:
        rule = cluster.rule
        assert rule is not None
        holds = np.ones(len(X), dtype=bool)
        for condition in rule.conditions:
            cells = X[:, condition.place]
            holds &= condition.above is None or cells > condition.above
            holds &= condition.up_to is None or cells <= condition.up_to
        own = fit.labels == cluster.label
        assert np.isclose(rule.coverage, holds[own].mean())
        assert np.isclose(rule.precision, own[holds].mean())


def test_large_data_is_described_by_a_draw_that_the_answer_tells_of(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("kmeans_service.explaining.gathering.MOST_ROWS", 50)
    X = np.concatenate([np.random.default_rng(0).normal(c, 1, (500, 2)) for c in (0, 9)])
    explained = fit_of(X, ["x", "y"], [0] * 500 + [1] * 500).explained()
    assert explained.sample_size == 50
    assert [cluster.size for cluster in explained.clusters] == [500, 500]
    assert np.isclose(explained.clusters[0].sets_apart[0].difference, -1.95, atol=0.05)
    notes = as_json(explained, {each.typical or 0: FileRow(1, ()) for each in explained.clusters})
    assert "50 rows drawn at random" in notes["notes"][0]
