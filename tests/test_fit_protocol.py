"""Who may fit, whose fit is seen: requests at once, leases, fences and deletions."""

import dataclasses
import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest

from harness.api import ASYNC, MODEL_CSV, PREDICT_CSV, Client
from harness.held_fits import Held, before_fitting, sleep
from harness.system import (
    deliver,
    fitted_recipe,
    item,
    job,
    keys,
    let_leases_run_out,
    looked_after,
    put,
    take_messages,
    work_off,
)
from harness.timing import at_once, wait_until
from kmeans_service import config
from kmeans_service.fitting import attempt
from kmeans_service.lifecycle import deletion, fits
from kmeans_service.lifecycle.fits import ClaimRefused
from kmeans_service.lifecycle.job import Job
from kmeans_service.lifecycle.lease import FenceLost
from kmeans_service.recipes.recipe import Recipe


def test_of_20_different_fits_at_once_exactly_one_wins(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.upload()
    held = Held()
    before_fitting(monkeypatch, held.wait)
    with ThreadPoolExecutor(20) as pool:
        calls = [pool.submit(client.fit, 0, {"random_state": n}) for n in range(20)]
        wait_until(lambda: sum(call.done() for call in calls) == 19)
        held.go_on()
        answers = [call.result() for call in calls]
    assert sorted(answer.status for answer in answers) == [200] + [409] * 19
    assert item()["fence"] == 1
    winner = [answer.status for answer in answers].index(200)
    assert fitted_recipe().random_state == winner


@pytest.mark.thorough
def test_100_times_the_same_fit_at_once_is_one_fit(client: Client) -> None:
    client.upload()
    answers = at_once([lambda: client.fit(0, {"n_clusters": 3})] * 100)
    assert {answer.status for answer in answers} <= {200, 202}
    assert len({answer.body for answer in answers if answer.status == 200}) == 1
    work_off()
    found = item()
    assert (found["status"], found["fence"], found["attempt"]) == ("SUCCEEDED", 1, 1)
    assert len(keys("models/")) == 3


def test_repeating_a_fit_or_saying_its_defaults_is_the_same_fit(client: Client) -> None:
    client.upload()
    first = client.fit(0)
    for params in ({}, {"n_clusters": 2}, Recipe().model_params):
        assert client.fit(0, params).body == first.body
    assert item()["fence"] == 1


def test_another_fit_replaces_the_model_and_predictions_serve_the_old_one_until_then(
    client: Client,
) -> None:
    client.upload()
    client.fit(0, {"n_clusters": 1})
    assert client.predict().labels() == [0, 0]
    assert client.fit(0, {"n_clusters": 2}, **ASYNC).status == 202
    assert client.predict().labels() == [0, 0]
    work_off()
    assert sorted(client.predict().labels()) == [0, 1]


def test_a_live_lease_cannot_be_claimed_and_one_that_ran_out_can(client: Client) -> None:
    client.upload()
    client.fit(0, **ASYNC)
    assert fits.claim(job()).fence == 1
    with pytest.raises(ClaimRefused):
        fits.claim(job())
    let_leases_run_out()
    taken = fits.claim(job())
    assert (taken.fence, taken.attempt) == (2, 2)


def test_the_end_of_a_fit_is_one_time_however_it_is_written(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock that strides between any two readings of it."""
    client.upload()
    client.fit(0, **ASYNC)
    take_messages()
    claimed = fits.claim(job())
    began, readings = time.time(), itertools.count()
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: began + 100 * (1 + next(readings)))
        fits.fail(claimed, {"detail": "no"})
    shown = datetime.fromisoformat(item()["finished_at"]).timestamp()
    assert round(shown * 1000) == item()["finished_ms"]


def test_a_fit_that_is_asked_for_anew_shows_nothing_of_the_one_that_failed(client: Client) -> None:
    client.upload()
    client.fit(0, **ASYNC)
    claimed = fits.claim(job())
    fits.report(claimed, {"stage": "FITTING"})
    fits.fail(claimed, {"type": "urn:kmeans:problem:fit-failed", "detail": "no"})
    failed = client.get("/kmeans/jobs/0").json()
    assert (failed["status"], failed["error"]["detail"]) == ("FAILED", "no")
    client.fit(0, **ASYNC)
    asked = client.get("/kmeans/jobs/0").json()
    assert asked["status"] == "QUEUED"
    assert not {"error", "progress", "started_at", "finished_at"} & asked.keys()
    assert not {"crash", "lease_until", "run", "spent", "is_long"} & item().keys()


def test_a_report_renews_the_lease(client: Client) -> None:
    client.upload()
    client.fit(0, **ASYNC)
    claimed = fits.claim(job())
    let_leases_run_out()
    fits.report(claimed, {"stage": "FITTING"})
    with pytest.raises(ClaimRefused):
        fits.claim(job())
    assert client.get("/kmeans/jobs/0").json()["progress"] == {"stage": "FITTING"}


def test_who_lost_the_fence_can_neither_publish_nor_report_nor_fail_nor_hand_back(
    client: Client,
) -> None:
    client.upload()
    client.fit(0)
    model = job().published
    client.fit(0, {"n_clusters": 3}, **ASYNC)
    slow = fits.claim(job())
    let_leases_run_out()
    fits.claim(job())
    before = item()
    late = dataclasses.replace(model, fit_id=slow.fit_id or "")
    for act in (
        lambda: fits.publish(slow, late),
        lambda: fits.report(slow, {}),
        lambda: fits.fail(slow, {"detail": "late"}),
        lambda: fits.release(slow, spent=0),
    ):
        with pytest.raises(FenceLost):
            act()
    assert item() == before


def test_a_worker_that_outlives_its_lease_removes_what_it_wrote(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.upload()
    client.fit(0, **ASYNC)
    bodies = take_messages()
    compute = attempt._compute

    def compute_slowly(claimed: Job, *rest: Any) -> Any:
        monkeypatch.setattr(attempt, "_compute", compute)
        fitted = compute(claimed, *rest)
        let_leases_run_out()
        assert deliver(*bodies) == 0  # another one takes over, and publishes
        return fitted

    monkeypatch.setattr(attempt, "_compute", compute_slowly)
    assert deliver(*bodies) == 0
    found = item()
    assert (found["status"], found["fence"]) == ("SUCCEEDED", 2)
    assert keys(dataclasses.replace(job(), fence=1).fit_prefix) == []
    assert len(keys(job().fit_prefix)) == 3
    assert client.predict().status == 200


def test_a_worker_that_outlives_its_lease_cannot_publish_while_another_is_at_it(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.upload()
    client.fit(0, **ASYNC)
    compute = attempt._compute

    def compute_slowly(claimed: Job, *rest: Any) -> Any:
        fitted = compute(claimed, *rest)
        let_leases_run_out()
        fits.claim(job())
        return fitted

    monkeypatch.setattr(attempt, "_compute", compute_slowly)
    assert work_off() == 0
    assert (item()["status"], item()["fence"]) == ("RUNNING", 2)
    assert client.predict().status == 409
    assert keys("models/") == []


def test_deleting_a_job_stops_its_running_fit_and_nothing_is_left(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config, "REPORT_SECONDS", 0.1)
    before_fitting(monkeypatch, sleep(30))
    client.upload()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(client.fit)
        while item()["status"] != "RUNNING":
            pass
        assert client.call("DELETE", "/kmeans/jobs/0").status == 204
        assert running.result(timeout=10).status == 410
    assert client.get("/kmeans/jobs/0").status == 410
    assert item()["status"] == "DELETING"
    let_leases_run_out()
    assert looked_after() == {"queued": 0, "deleted": 1}
    assert (item()["status"], keys()) == ("DELETED", [])


def test_a_fit_claimed_while_its_job_is_being_deleted_leaves_nothing(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The claim comes after the deletion has read the job, before it is marked."""
    client.upload()
    client.fit(0, **ASYNC)
    begin = deletion._begin

    def claim_first(found: Job) -> bool:
        fits.claim(found)
        return begin(found)

    monkeypatch.setattr(deletion, "_begin", claim_first)
    assert client.call("DELETE", "/kmeans/jobs/0").status == 204
    put("models/tester/0/fit/1/centers.npy", b"written by a fit that then died")
    assert looked_after() == {"queued": 0, "deleted": 0}
    let_leases_run_out()
    assert looked_after() == {"queued": 0, "deleted": 1}
    assert keys() == []


def test_the_answer_to_a_fit_is_never_another_fits_labels(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one waits for its fit that somebody else is at, that one fails and another is done."""
    client.upload()
    client.fit(0, {"n_clusters": 3}, **ASYNC)
    claimed = fits.claim(job())
    real = fits.claim

    def claim(found: Job) -> Job:
        monkeypatch.setattr(fits, "claim", real)
        fits.fail(claimed, {"detail": "for the test"})
        assert client.fit(0, {"n_clusters": 1}).status == 200
        return real(found)

    monkeypatch.setattr(fits, "claim", claim)
    assert client.fit(0, {"n_clusters": 3}).status == 409


def test_a_job_can_be_deleted_though_the_same_file_was_uploaded_twice_in_two_ways(
    client: Client,
) -> None:
    """Its file came later, so the upload that is known is another job's."""
    client.post_json("/kmeans/uploads", {"filename": "model.csv"})
    assert client.upload().json()["job_id"] == 1
    put("pending/tester/0/input.csv", MODEL_CSV)
    deliver('{"Records": [{"s3": {"object": {"key": "pending/tester/0/input.csv"}}}]}')
    assert item(0)["status"] == "UPLOADED"
    assert client.call("DELETE", "/kmeans/jobs/0").status == 204
    assert client.upload().json()["job_id"] == 1
    assert client.fit(1).status == client.predict(PREDICT_CSV, 1).status == 200
