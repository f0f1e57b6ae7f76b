"""Fits as time passes: leases, crashes, handovers."""

import json
import math

import pytest

from harness.api import Client
from harness.system import OWNER, deliver, item, job, sweep, take_messages, work_off
from harness.timing import DAY, LEASE, SLOT, SWEPT_AFTER, Clock
from kmeans_service.lifecycle import fits, reads
from kmeans_service.lifecycle.fits import ClaimRefused
from kmeans_service.lifecycle.job import Job
from kmeans_service.line import shares, waiting
from kmeans_service.line.shares import Slot

NOTHING = {"queued": 0, "deleted": 0, "lapsed": 0, "removed": 0, "woken": 0, "cancelled": 0}
FOUND = NOTHING | {"woken": 1}


def begun() -> tuple[Slot, Job]:
    """As a worker begins: it holds a slot, and then the job."""
    slot = shares.take(math.inf)
    assert isinstance(slot, Slot)
    return slot, fits.claim(job())


def test_a_fit_whose_worker_died_is_found_a_minute_after_its_last_sign_of_life(
    clock: Clock, queued: Client
) -> None:
    slot, claimed = begun()
    clock.pass_by(50)
    fits.report(claimed, {"stage": "FITTING"})
    slot.keep()
    clock.pass_by(SLOT)
    assert sweep() == NOTHING
    clock.pass_by(1)
    assert sweep() == FOUND
    assert work_off() == 0
    assert (item()["status"], item()["fence"]) == ("SUCCEEDED", 2)
    assert queued.predict().status == 200


def test_a_fit_that_died_before_it_ever_reported_is_found_as_soon(
    clock: Clock, queued: Client
) -> None:
    begun()
    clock.pass_by(SLOT + 1)
    assert sweep() == FOUND
    assert queued.get("/kmeans/jobs/0").json()["status"] == "RUNNING"


@pytest.mark.thorough
@pytest.mark.usefixtures("queued")
def test_a_fit_that_reports_is_left_alone_however_long_it_takes(clock: Clock) -> None:
    slot, claimed = begun()
    message = json.dumps({"owner": OWNER, "job_id": 0, "fit_id": claimed.fit_id})
    for _ in range(20):
        clock.pass_by(LEASE - 1)
        assert not [*reads.due()]  # no sweep has to look at it
        assert sweep() == NOTHING
        fits.report(claimed, {"stage": "FITTING"})
        slot.keep()
        assert deliver(message) == 0
    assert sweep() == NOTHING
    assert (item()["status"], item()["fence"], item()["attempt"]) == ("RUNNING", 1, 1)


@pytest.mark.usefixtures("queued")
def test_a_fit_that_is_handed_back_is_looked_after_two_minutes_later(clock: Clock) -> None:
    """Whatever became of the message by which it goes on."""
    claimed = fits.claim(job())
    clock.pass_by(LEASE - 1)
    fits.release(claimed, spent=0)
    clock.pass_by(SWEPT_AFTER - 1)
    assert not [*reads.due()]
    clock.pass_by(1)
    assert len([*reads.due()]) == 1


@pytest.mark.usefixtures("queued")
def test_a_lease_is_good_for_a_minute_and_not_for_a_second_more(clock: Clock) -> None:
    fits.claim(job())
    clock.pass_by(LEASE)
    with pytest.raises(ClaimRefused):
        fits.claim(job())
    clock.pass_by(1)
    assert fits.claim(job()).fence == 2


@pytest.mark.usefixtures("queued")
def test_a_lost_message_is_sent_again_by_the_next_sweep_and_once() -> None:
    for _ in range(3):
        assert [sweep(), sweep()] == [FOUND, NOTHING]
        assert len(take_messages()) == 1


@pytest.mark.usefixtures("queued")
def test_a_queued_job_that_stands_in_no_line_is_put_there_after_two_minutes(clock: Clock) -> None:
    """Whoever asked for the fit died before that."""
    waiting.done(waiting.fit_of(job()))
    clock.pass_by(SWEPT_AFTER - 1)
    assert sweep() == NOTHING
    clock.pass_by(1)
    assert sweep() == FOUND | {"queued": 1}
    assert work_off() == 0
    assert item()["status"] == "SUCCEEDED"


@pytest.mark.usefixtures("queued")
def test_a_fit_handed_back_shows_nothing_of_its_attempt(client: Client) -> None:
    claimed = fits.claim(job())
    fits.report(claimed, {"stage": "FITTING"})
    fits.release(claimed, spent=0)
    view = client.get("/kmeans/jobs/0").json()
    assert view["status"] == "QUEUED"
    assert not {"progress", "started_at", "finished_at", "error"} & view.keys()
    assert sweep() == FOUND
    assert work_off() == 0
    assert (item()["status"], item()["attempt"]) == ("SUCCEEDED", 1)


@pytest.mark.parametrize("spent", [0, 1])
@pytest.mark.usefixtures("queued")
def test_a_crash_costs_an_attempt_and_a_handover_none(spent: int) -> None:
    fits.release(fits.claim(job()), spent=spent)
    assert item()["attempt"] == spent
    assert fits.claim(job()).attempt == spent + 1


@pytest.mark.usefixtures("queued")
def test_a_message_delivered_twice_does_no_harm_to_a_healthy_last_attempt(clock: Clock) -> None:
    """Two attempts crashed; the third is fine, and its message comes once more."""
    for attempt in (1, 2, 3):
        claimed = fits.claim(job())
        assert claimed.attempt == attempt
        message = json.dumps({"owner": OWNER, "job_id": 0, "fit_id": claimed.fit_id})
        assert deliver(message) == 0
        assert item()["status"] == "RUNNING"
        if attempt < 3:
            clock.pass_by(LEASE + 1)
    fits.report(claimed, {"stage": "STORING"})
    assert item()["status"] == "RUNNING"


@pytest.mark.usefixtures("queued")
def test_after_three_crashes_the_next_message_fails_the_job_once_the_lease_is_over(
    clock: Clock, client: Client
) -> None:
    for _ in range(3):
        claimed = fits.claim(job())
        clock.pass_by(LEASE + 1)
    message = json.dumps({"owner": OWNER, "job_id": 0, "fit_id": claimed.fit_id})
    clock.pass_by(-1)
    assert deliver(message) == 0
    assert item()["status"] == "RUNNING"
    clock.pass_by(1)
    assert deliver(message) == 0
    view = client.get("/kmeans/jobs/0").json()
    assert (view["status"], view["attempt"]) == ("FAILED", 3)
    assert "progress" not in view
    assert not {"gsi1pk", "due_at", "lease_until"} & item().keys()
    clock.pass_by(DAY)
    assert sweep() == NOTHING
