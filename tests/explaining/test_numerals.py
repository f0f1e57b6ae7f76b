"""Numbers as people write them."""

import pytest

from kmeans_service.explaining.numerals import apart, number, percent, percents, shortest_between
from kmeans_service.explaining.report.figures import short


@pytest.mark.parametrize(
    ("one", "other", "spread", "texts"),
    [
        (54.0, 38.0, 14.0, ("54", "38")),
        (1.5, 4.9, 1.76, ("1.5", "4.9")),
        (2.8, 3.2, 0.43, ("2.8", "3.2")),
        (5.01, 6.32, 0.83, ("5.01", "6.32")),
        (5.0, 6.0, 0.83, ("5", "6")),
        (2015.0, 2011.0, 3.0, ("2015", "2011")),
        (1234567.0, 12.0, 4e5, ("1,234,567", "12")),
        (54.01, 54.04, 14.0, ("54.01", "54.04")),
        (3e20, 1e-12, 1e20, ("3e+20", "1e-12")),
        (-0.001, 9.0, 4.0, ("0", "9")),
    ],
)
def test_two_numbers_are_told_with_as_many_digits_as_the_spread_deserves(
    one: float, other: float, spread: float, texts: tuple[str, str]
) -> None:
    assert apart(one, other, spread, whole=one == int(one)) == texts


def test_numbers_that_differ_never_look_the_same() -> None:
    assert apart(1e6, 1e6 + 1e-9, 5.0) == ("1,000,000.000000000", "1,000,000.000000001")


def test_a_number_far_from_one_has_an_exponent() -> None:
    assert number(1.23456e20, 0) == "1.23e+20"


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0, "0 %"),
        (0.004, "under 1 %"),
        (0.195, "20 %"),
        (0.996, "over 99 %"),
        (1.0, "100 %"),
    ],
)
def test_no_share_is_rounded_to_none_or_all(share: float, text: str) -> None:
    assert percent(share) == text


def test_shares_that_differ_do_so_in_words() -> None:
    assert percents(0.92, 0.12) == ("92 %", "12 %")
    assert percents(0.004, 0.0001) == ("0.4 %", "under 0.1 %")


@pytest.mark.parametrize(
    ("below", "above", "found"),
    [
        (1.9, 3.0, 2.0),
        (4.95, 5.1, 5.0),
        (0.6, 1.0, 0.8),
        (-3.0, -1.0, -2.0),
        (1.0, 1.0000000000000002, 1.0),
    ],
)
def test_a_threshold_is_the_roundest_number_between(
    below: float, above: float, found: float
) -> None:
    assert shortest_between(below, above) == found
    assert below <= found < above


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0.0, "0"),
        (1.0, "1"),
        (2 / 3, "0.6667"),
        (123.456, "123.5"),
        (12345.67, "12,346"),
        (0.00012345, "0.0001234"),
        (9.99996, "10"),
        (-1.5, "-1.5"),
    ],
)
def test_a_score_is_shown_in_four_digits(value: float | None, text: str) -> None:
    assert short(value) == text
