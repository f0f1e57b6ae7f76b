"""Every number in a sentence is counted again from the data; every word that compares holds."""

import re
from collections.abc import Iterator

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine

from harness.explaining.fits import Fit, fit_of
from kmeans_service.arrays import Array
from kmeans_service.explaining.described import Described
from kmeans_service.explaining.sentences import called

HIGHER = (
    r"(?P<much>much )?(?P<way>higher|lower) {name} \((?P<what>median|mean) (\S+) against (\S+)\)"
)
BAND = r"{name} (?:from (\S+) to (\S+?)|(\S+?))(?= and |, and )"


def fits() -> Iterator[Fit]:
    rng = np.random.default_rng(3)
    for load in (load_iris, load_wine, load_breast_cancer, load_diabetes):
        data = load()
        for n_clusters in (2, 3, 5):
            for scaling in ("none", "standard"):
                yield fit_of(data.data, list(data.feature_names), None, n_clusters, scaling=scaling)
    corners = np.array([[0, 0], [10, 0], [0, 10], [10, 10], [5, 5]])
    X = corners[rng.integers(0, 5, 1000)] + rng.normal(0, 0.7, (1000, 2))
    yield fit_of(X, ["income (k$)", "x; y"], None, 5)
    yield fit_of(rng.exponential(1e6, (400, 3)), ["a", "b", "c"], None, 6, scaling="standard")
    yield fit_of(1.6e12 + rng.integers(0, 9, (300, 1)) * 864e5, ["when"], None, 3)


def near(text: str, value: float) -> bool:
    """Whether it is the value, rounded to the digits that are shown."""
    plain = text.replace(",", "")
    _, _, decimals = plain.partition(".")
    return abs(float(plain) - value) <= 0.5 * 10.0 ** -len(decimals) * (1 + 1e-9)


def check_difference(found: re.Match[str], inside: Array, rest: Array) -> None:
    middle = np.median if found["what"] == "median" else np.mean
    assert near(found.group(4), middle(inside)), found[0]
    assert near(found.group(5), middle(rest)), found[0]
    assert (middle(inside) > middle(rest)) == (found["way"] == "higher"), found[0]
    quarters = np.quantile(inside, (0.25, 0.75)), np.quantile(rest, (0.25, 0.75))
    beyond = quarters[0][0] > quarters[1][1] or quarters[0][1] < quarters[1][0]
    assert bool(found["much"]) == beyond, found[0]
    gap = abs(inside.mean() - rest.mean()) / np.concatenate([inside, rest]).std()
    assert gap >= 0.5 - 1e-9, found[0]


def check_sentence(fit: Fit, label: int, sentence: str) -> int:
    """How many of its numbers were counted again."""
    own = fit.labels == label
    text = sentence[:1].lower() + sentence[1:]
    counted = 0
    within = np.ones(len(own), dtype=bool)
    for place, column in enumerate(fit.columns):
        name, cells = re.escape(called(column)), fit.values[:, place]
        for found in re.finditer(HIGHER.format(name=name), text):
            check_difference(found, cells[own], cells[~own])
            counted += 1
        for found in re.finditer(BAND.format(name=f"(?<=have |.and ){name}"), text):
            low, high = (float((end or found[3]).replace(",", "")) for end in found.groups()[:2])
            within &= (cells >= low) & (cells <= high)
            counted += 1
    shares = re.search(r"low: (.+) of these rows .* and (.+) of the other rows do\.", text)
    if shares:
        assert shares[1] == share_text(within[own].mean())
        assert shares[2] == share_text(within[~own].mean())
    return counted


def share_text(share: float) -> str:
    if share in (0, 1):
        return "all" if share else "none"
    if not 0.01 <= share <= 0.99:
        return "under 1 %" if share < 0.01 else "over 99 %"
    return f"{share:.0%}".replace("%", " %")


@pytest.mark.parametrize("fit", list(fits()), ids=lambda fit: f"{fit.values.shape}-{fit.sizes}")
def test_every_number_of_every_sentence_is_that_of_the_data(fit: Fit) -> None:
    for cluster in fit.explained().clusters:
        numbers = len(re.findall("against| to |(?<=have) ", cluster.sentence))
        counted = check_sentence(fit, cluster.label, cluster.sentence)
        assert counted or "Nothing sets this cluster apart" in cluster.sentence, cluster.sentence
        assert 1 <= counted <= 3 or not numbers
        told = re.findall("against", cluster.sentence)
        assert len(told) in (0, counted), cluster.sentence


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Annual Income (k$)", "Annual Income (k$)"),
        ("Größe", "Größe"),
        (None, "column 3"),
        ("2nd", "“2nd”"),
        ("is higher; and", "“is higher; and”"),
        ("a\nb\u202ec", "“a b c”"),
        ("x" * 100, f"“{'x' * 59}…”"),
    ],
)
def test_a_name_that_a_sentence_could_be_misread_by_is_quoted(name: str | None, shown: str) -> None:
    assert called(Described(3, name)) == shown
