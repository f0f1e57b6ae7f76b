"""Which process computes a fit, and that scikit-learn is loaded only where it computes."""

import os
import sys
from typing import Any

import pytest

from harness.api import Client
from kmeans_service import fitting

BY_SCIKIT_LEARN = "by_scikit_learn"
# May take long, so that they must be cut off where there is no time left.
LONG: list[dict[str, Any]] = [
    {"n_clusters": 2, "n_init": 20},
    {"n_clusters": 2, "algorithm": "swap"},
]


@pytest.fixture
def forks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    made: list[int] = []
    fork = os.fork

    def noted() -> int:
        made.append(os.getpid())
        return fork()

    monkeypatch.setattr(os, "fork", noted)
    return made


@pytest.fixture
def no_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Importing any of it fails, here and in children; what imported it before is forgotten."""
    for name in ["sklearn", *sys.modules]:
        if name.partition(".")[0] == "sklearn":
            monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, f"{fitting.__name__}.{BY_SCIKIT_LEARN}", raising=False)
    monkeypatch.delattr(fitting, BY_SCIKIT_LEARN, raising=False)


def test_a_brief_fit_is_computed_by_the_function_itself(client: Client, forks: list[int]) -> None:
    client.upload()
    assert client.fit(0, {"n_clusters": 2}).status == 200
    assert forks == []


@pytest.mark.parametrize("params", [*LONG, {"n_clusters": 2, "algorithm": "elkan"}])
def test_a_fit_that_may_have_to_be_cut_off_is_a_child(
    client: Client, forks: list[int], params: dict[str, Any]
) -> None:
    client.upload()
    assert client.fit(0, params).status == 200
    assert forks == [os.getpid()]


@pytest.mark.usefixtures("no_scikit_learn")
@pytest.mark.parametrize("params", [{"n_clusters": 2}, {"n_clusters": "auto"}, *LONG])
def test_an_attempt_of_the_kernels_needs_no_scikit_learn(
    client: Client, params: dict[str, Any]
) -> None:
    client.upload()
    assert client.fit(0, params).status == 200


@pytest.mark.usefixtures("no_scikit_learn")
def test_elkan_does_need_it(client: Client) -> None:
    client.upload()
    with pytest.raises(AssertionError, match="500 is not documented"):
        client.fit(0, {"n_clusters": 2, "algorithm": "elkan"})
