"""API Gateway waits 29 seconds from when it received a request, whenever the function began."""

import time
from typing import Any

import pytest

from harness.api import JSON_TYPE, Answer, Client, event
from harness.system import take_messages


def late(client: Client, seconds: float, owner: str | None = None) -> Answer:
    """A fit whose request the gateway received so long ago, as after a cold start."""
    body = b'{"job_id": 0}'
    given = event("POST", "/kmeans/fit", body, JSON_TYPE, owner)
    given["requestContext"]["requestTimeEpoch"] = int((time.time() - seconds) * 1000)
    return client.send(given)


@pytest.mark.parametrize(
    ("seconds", "status"),
    [
        (0, 200),
        (10, 200),
        (26.5, 202),  # nothing is left of the gateway's 29 s but what the answer takes
        (40, 202),
        (3600, 200),  # a saved event, played again
        (-5, 200),  # the gateway's clock is ahead of ours
        (-3600, 200),
    ],
)
def test_a_late_start_hands_the_fit_over_before_the_gateway_gives_up(
    client: Client, seconds: float, status: int
) -> None:
    client.upload()
    assert late(client, seconds).status == status
    assert len(take_messages()) == (status == 202)


def test_the_time_in_which_a_fit_may_answer_is_counted_from_the_gateways_own(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kmeans_service.fitting import synchronous

    given: list[float] = []
    fit = synchronous.fit

    def seen(owner: str, job_id: int, params: Any, seconds: float, *more: Any) -> Any:
        given.append(seconds)
        return fit(owner, job_id, params, seconds, *more)

    monkeypatch.setattr(synchronous, "fit", seen)
    client.upload()
    for seconds in (0, 15):
        late(client, seconds)
    assert given[0] == 20
    assert 10 < given[1] <= 29 - 15 - 3


def test_sam_local_which_waits_as_long_as_it_takes_is_answered_in_full(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its first call makes the function's image, within the request's time."""
    monkeypatch.setenv("AWS_SAM_LOCAL", "true")
    client.upload()
    assert late(client, 60).status == 200


@pytest.mark.parametrize("prefer", ["wait=20", "respond-async"])
def test_a_fit_that_was_asked_for_while_another_was_active_is_refused_though_that_has_ended(
    client: Client, prefer: str
) -> None:
    """Its function began late; who asked first has the model that they were told of."""
    client.upload()
    assert client.fit(0).status == 200
    body = b'{"job_id": 0, "model_params": {"n_clusters": 3}}'
    given = event("POST", "/kmeans/fit", body, JSON_TYPE | {"Prefer": prefer})
    given["requestContext"]["requestTimeEpoch"] = int((time.time() - 10) * 1000)
    refused = client.send(given)
    assert refused.status == 409
    assert client.get("/kmeans/jobs/0").json()["model_params"]["n_clusters"] == 2
    assert take_messages() == []
