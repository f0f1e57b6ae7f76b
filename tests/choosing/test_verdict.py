"""What clusters have to be better than, worked out by hand."""

import pytest

from kmeans_service.fitting.choosing.verdict import (
    CALINSKI_HARABASZ,
    SILHOUETTE,
    Bar,
    Evidence,
    bar_of,
    deviations,
)

BEATEN, NOT_BEATEN = (Bar("uniform", 2, 0.35, 0.4, 0.4, beaten) for beaten in (True, False))


def bar(silhouette: float, stability: float | None, index: str = CALINSKI_HARABASZ) -> Bar:
    """Of references with silhouettes of 0.3 and 0.4: in the mean 0.35, 0.05 off it."""
    return bar_of("uniform", silhouette, [0.3, 0.4], deviations(stability, index))


def evidence(stability: float | None, *bars: Bar) -> Evidence:
    return Evidence(0.5, 100, bars, stability, 0.9, CALINSKI_HARABASZ)


def test_stable_clusters_have_to_be_better_than_each_reference() -> None:
    assert [bar(found, 0.8).beaten for found in (0.4, 0.401)] == [False, True]
    assert bar(0.5, 0.8) == Bar("uniform", 2, pytest.approx(0.35), 0.4, 0.4, True)


@pytest.mark.parametrize("stability", [0.79, None])
def test_of_doubtful_clusters_four_standard_deviations_are_asked_for(
    stability: float | None,
) -> None:
    assert bar(0.5, stability).needed == pytest.approx(0.35 + 4 * 0.05)
    assert [bar(found, stability).beaten for found in (0.549, 0.551)] == [False, True]


def test_where_the_silhouette_alone_proposed_the_number_three_are_asked_for() -> None:
    assert bar(0.5, 0.8, SILHOUETTE).needed == pytest.approx(0.35 + 3 * 0.05)
    assert [bar(found, 0.8, SILHOUETTE).beaten for found in (0.499, 0.501)] == [False, True]
    assert bar(0.5, 0.79, SILHOUETTE).needed == pytest.approx(0.35 + 4 * 0.05)


def test_clusters_that_two_halves_agree_on_are_clear_and_others_are_not_stable() -> None:
    told = [evidence(found, BEATEN, BEATEN).verdict for found in (0.9, 0.899, None)]
    assert told == ["clear", "unstable", "unstable"]


def test_one_kind_of_references_that_is_as_good_is_enough_for_no_clusters() -> None:
    assert evidence(1.0, BEATEN, NOT_BEATEN).verdict == "none"
