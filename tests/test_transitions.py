"""Every change of a job from every state: those of docs/architecture.md happen, no others."""

import dataclasses
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from harness.api import ASYNC, Client
from harness.system import OWNER, fitted_recipe, item, job, overwrite, take_messages
from kmeans_service import aws, config
from kmeans_service.errors import FitFailed, ServiceError
from kmeans_service.lifecycle import creation, deletion, fits
from kmeans_service.lifecycle.fits import ClaimRefused
from kmeans_service.lifecycle.items import job_from_item
from kmeans_service.lifecycle.job import Input, Job, Status
from kmeans_service.lifecycle.lease import FenceLost
from kmeans_service.problems import problem_document
from kmeans_service.recipes.recipe import Recipe
from kmeans_service.table.keys import job_key
from kmeans_service.table.values import marshal

REASON = problem_document(FitFailed("for the test"))
FILE = Input("pending/tester/0/input.csv", "v", "0" * 64, 10, 5, 2, None)
# DAMAGED is what is shown of a job, and no state of one.
STATES = [status for status in Status if status != "DAMAGED"]


def standing_job() -> Job:
    """As it lies there, also where it is gone for everybody."""
    table = config.settings().jobs_table
    found = aws.dynamodb().get_item(TableName=table, Key=job_key(OWNER, 0), ConsistentRead=True)
    return job_from_item(found["Item"])


def request_another(known: Job) -> None:
    fits.request(known, Recipe(n_clusters=1))


def publish(known: Job) -> None:
    fits.publish(known, dataclasses.replace(known.published, fit_id="this fit"))


def replace(stored: dict[str, Any]) -> None:
    """Put an item back as it was."""
    aws.dynamodb().put_item(TableName=config.settings().jobs_table, Item=marshal(stored))


# Who does it, and the states from which it may be done. Everybody knows the job as it stands.
CHANGES: dict[str, tuple[Callable[[Job], Any], set[Status]]] = {
    "request another fit": (request_another, {Status.UPLOADED, Status.SUCCEEDED, Status.FAILED}),
    "claim": (fits.claim, {Status.QUEUED, Status.RUNNING}),
    "report": (lambda known: fits.report(known, {"stage": "FITTING"}), {Status.RUNNING}),
    "publish": (publish, {Status.RUNNING}),
    "fail": (lambda known: fits.fail(known, REASON), {Status.RUNNING}),
    "hand back": (lambda known: fits.release(known, spent=0), {Status.RUNNING}),
    "take a file": (lambda known: creation.arrive(known, FILE), {Status.PENDING}),
    "refuse a file": (
        lambda known: creation.refuse(known, REASON),
        {Status.PENDING, Status.UPLOADED},
    ),
    "delete": (
        lambda known: deletion.delete(known.owner, known.job_id),
        set(STATES) - {Status.DELETING, Status.DELETED},
    ),
    "leave a tombstone": (deletion.finish, {Status.DELETING}),
}


@pytest.fixture
def running(client: Client) -> Client:
    """Job 0 has a model, and a newer fit of it runs whose lease is over."""
    client.upload()
    assert client.fit(0, {"n_clusters": 2}).status == 200
    assert client.fit(0, {"n_clusters": 3}, **ASYNC).status == 202
    take_messages()
    fits.claim(job())
    overwrite(item(), lease_until=1)
    return client


@pytest.mark.thorough
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.usefixtures("running")
def test_a_change_is_made_from_its_states_and_from_no_others(change: str) -> None:
    act, states = CHANGES[change]
    stored = item()
    for status in STATES:
        replace(stored | {"status": status.value})
        before = item()
        with suppress(ServiceError, ClaimRefused, FenceLost):
            act(standing_job())
        assert (item() != before) == (status in states), status


@pytest.mark.parametrize("change", ["report", "publish", "fail", "hand back"])
@pytest.mark.usefixtures("running")
def test_only_the_holder_of_the_fence_of_this_fit_changes_a_running_job(change: str) -> None:
    act, _ = CHANGES[change]
    before = item()
    for other in ({"fence": 1}, {"fence": 3}, {"fit_id": "another fit"}):
        with pytest.raises(FenceLost):
            act(dataclasses.replace(standing_job(), **other))
        assert item() == before
    act(standing_job())
    assert item() != before


@pytest.mark.usefixtures("running")
def test_a_claim_is_for_the_fit_that_was_asked_for() -> None:
    before = item()
    with pytest.raises(ClaimRefused):
        fits.claim(dataclasses.replace(standing_job(), fit_id="another fit"))
    assert item() == before


@pytest.mark.usefixtures("running")
def test_three_attempts_are_the_most() -> None:
    stored = item()
    for status in (Status.QUEUED, Status.RUNNING):
        for attempt, claimed in ((0, True), (2, True), (3, False), (4, False)):
            replace(stored | {"status": status.value, "attempt": attempt})
            with suppress(ClaimRefused):
                fits.claim(standing_job())
            assert item()["attempt"] == attempt + claimed


@pytest.mark.thorough
@pytest.mark.usefixtures("running")
def test_only_an_active_job_whose_attempts_are_spent_is_given_up() -> None:
    stored = item()
    for status in STATES:
        for attempt in (2, 3):
            replace(stored | {"status": status.value, "attempt": attempt})
            before = item()
            fits.give_up(standing_job(), REASON)
            given_up = attempt == 3 and status in (Status.QUEUED, Status.RUNNING)
            assert (item() != before) == given_up, (status, attempt)
    replace(stored | {"status": "QUEUED", "attempt": 3})
    fits.give_up(dataclasses.replace(standing_job(), fit_id="another fit"), REASON)
    assert item()["status"] == "QUEUED"


@pytest.mark.usefixtures("running")
def test_a_job_that_moved_on_or_was_put_off_already_is_put_off_no_more() -> None:
    known = standing_job()
    for moved in ({"status": "QUEUED"}, {"status": "RUNNING", "due_at": 1}):
        overwrite(item(), **moved)
        before = item()
        assert not fits.postpone(known, 120)
        assert item() == before
    overwrite(item(), due_at=known.due_at)
    assert fits.postpone(known, 120)
    assert item()["due_at"] > known.due_at


def test_the_fit_whose_model_is_there_is_made_again_only_if_a_newer_one_failed(
    client: Client,
) -> None:
    client.upload()
    assert client.fit(0, {"n_clusters": 2}).status == 200
    fits.request(job(), fitted_recipe())
    assert item()["status"] == "SUCCEEDED"
    overwrite(item(), status="FAILED")
    fits.request(job(), fitted_recipe())
    assert item()["status"] == "QUEUED"


def test_a_job_without_a_file_is_not_fitted_whatever_its_state(client: Client) -> None:
    client.post_json("/kmeans/uploads", {"filename": "later.csv"})
    for status in ("PENDING", "FAILED", "UPLOADED"):
        overwrite(item(), status=status)
        before = item()
        with suppress(ServiceError):
            request_another(standing_job())
        assert item() == before


def test_a_published_fit_is_seen_at_once_and_is_in_nobodys_hands(running: Client) -> None:
    claimed = standing_job()
    model = dataclasses.replace(claimed.published, fit_id=claimed.fit_id or "")
    fits.report(claimed, {"stage": "STORING"})
    fits.publish(claimed, model)
    view = running.get("/kmeans/jobs/0").json()
    assert view["status"] == "SUCCEEDED"
    assert "progress" not in view
    assert view["finished_at"] >= view["started_at"]
    assert not {"lease_until", "gsi1pk", "due_at", "error"} & item().keys()
    assert job().is_fitted_with(claimed.fit_id or "")


def test_a_failed_fit_keeps_the_model_before_it_and_is_in_nobodys_hands(running: Client) -> None:
    claimed = standing_job()
    fits.report(claimed, {"stage": "FITTING"})
    fits.fail(claimed, REASON)
    view = running.get("/kmeans/jobs/0").json()
    assert (view["status"], view["error"]["detail"]) == ("FAILED", "for the test")
    assert view["finished_at"] >= view["started_at"]
    assert "progress" not in view
    assert not {"lease_until", "gsi1pk", "due_at"} & item().keys()
    assert running.predict().status == 200
