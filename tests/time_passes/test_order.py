"""Who waited, and who came later."""

import json

import pytest

from harness.api import ASYNC, Client
from harness.system import OWNER, deliver, item, job, take_messages, work_off
from harness.timing import DAY, LEASE, Clock
from kmeans_service.errors import FitFailed
from kmeans_service.lifecycle import fits
from kmeans_service.problems import problem_document

REASON = problem_document(FitFailed("for the test"))


def fit_that_arrived(client: Client, at: float, n_clusters: int) -> int:
    """A fit's status, of a request that waited in a proxy's queue since then."""
    answer = client.fit(0, {"n_clusters": n_clusters}, X_Request_Start=f"t={at:.3f}")
    return answer.status


def test_of_different_fits_that_were_asked_for_together_the_first_to_finish_wins(
    clock: Clock, client: Client
) -> None:
    client.upload()
    arrived = clock.now
    clock.pass_by(10)
    assert client.fit(0, {"n_clusters": 2}).status == 200
    clock.pass_by(10)
    assert fit_that_arrived(client, arrived, 3) == 409
    assert fit_that_arrived(client, arrived + 9.999, 3) == 409
    assert fit_that_arrived(client, arrived, 2) == 200
    assert fit_that_arrived(client, arrived + 10, 3) == 200


@pytest.mark.parametrize("crashes", [0, 3])
def test_a_failed_fit_stood_in_the_way_of_those_that_waited_too(
    clock: Clock, client: Client, crashes: int
) -> None:
    client.upload()
    arrived = clock.now
    client.fit(0, {"n_clusters": 2}, **ASYNC)
    take_messages()
    claimed = fits.claim(job())
    if crashes:
        for _ in range(crashes - 1):
            clock.pass_by(LEASE + 1)
            claimed = fits.claim(job())
        clock.pass_by(LEASE + 1)
        deliver(json.dumps({"owner": OWNER, "job_id": 0, "fit_id": claimed.fit_id}))
    else:
        clock.pass_by(5)
        fits.fail(claimed, REASON)
    assert client.get("/kmeans/jobs/0").json()["status"] == "FAILED"
    failed_at = clock.now
    clock.pass_by(1)
    assert fit_that_arrived(client, arrived, 3) == 409
    assert fit_that_arrived(client, failed_at, 3) == 200


def test_the_gateways_own_time_of_arrival_counts_as_well(clock: Clock, client: Client) -> None:
    from harness import contract
    from harness.api import JSON_TYPE, Context, answer_of, event

    client.upload()
    body = json.dumps({"job_id": 0, "model_params": {"n_clusters": 3}}).encode()
    waited = event("POST", "/kmeans/fit", body, JSON_TYPE)
    assert waited["requestContext"]["requestTimeEpoch"] == clock.now * 1000
    clock.pass_by(10)
    assert client.fit(0, {"n_clusters": 2}).status == 200
    clock.pass_by(1)
    assert answer_of(contract.handler_of("/kmeans/fit")(waited, Context())).status == 409


@pytest.mark.parametrize(("ago", "status"), [(299, 409), (301, 200), (10 * DAY, 200)])
def test_a_request_that_is_played_again_is_a_new_one(
    clock: Clock, client: Client, ago: int, status: int
) -> None:
    """No queue holds a request for more than five minutes: such a time is no time of arrival."""
    client.upload()
    assert client.fit(0, {"n_clusters": 2}).status == 200
    clock.pass_by(1)
    assert fit_that_arrived(client, clock.now - ago, 3) == status


def test_a_queued_job_shows_nothing_of_the_fit_before(client: Client) -> None:
    client.upload()
    client.fit(0, {"n_clusters": 2}, **ASYNC)
    claimed = fits.claim(job())
    fits.report(claimed, {"stage": "FITTING"})
    fits.fail(claimed, REASON)
    view = client.get("/kmeans/jobs/0").json()
    assert view["error"]["detail"] == REASON["detail"]
    assert "progress" not in view
    assert client.fit(0, {"n_clusters": 3}, **ASYNC).status == 202
    view = client.get("/kmeans/jobs/0").json()
    assert view["status"] == "QUEUED"
    assert not {"error", "started_at", "finished_at", "progress"} & view.keys()
    assert "lease_until" not in item()
    work_off()
    view = client.get("/kmeans/jobs/0").json()
    assert view["status"] == "SUCCEEDED"
    assert not {"error", "progress"} & view.keys()
