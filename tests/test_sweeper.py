"""The sweeper: what nobody looks after any more is taken up again."""

from typing import Any

import pytest

from harness.api import ASYNC, MODEL_CSV, Client
from harness.faults import Died
from harness.system import (
    item,
    job,
    keys,
    let_leases_run_out,
    looked_after,
    sweep,
    take_messages,
    work_off,
)
from kmeans_service.lifecycle import deletion, fits, reads
from kmeans_service.lifecycle.job import Job
from kmeans_service.storage import DataBucket


def test_what_is_in_good_hands_is_left_alone(client: Client) -> None:
    client.upload()
    client.fit(0, **ASYNC)
    assert looked_after() == {"queued": 0, "deleted": 0}
    fits.claim(job())
    assert looked_after() == {"queued": 0, "deleted": 0}


def test_a_queued_job_whose_message_was_lost_is_queued_again_and_once(client: Client) -> None:
    client.upload()
    client.fit(0, **ASYNC)
    take_messages()
    let_leases_run_out()
    assert [sweep()["woken"] for _ in range(2)] == [1, 0]
    assert work_off() == 0
    assert item()["status"] == "SUCCEEDED"


def test_a_running_job_whose_lease_ran_out_is_queued_again(client: Client) -> None:
    client.upload()
    client.fit(0, **ASYNC)
    take_messages()
    fits.claim(job())
    let_leases_run_out()
    assert sweep()["woken"] == 1
    assert work_off() == 0
    assert (item()["status"], item()["fence"]) == ("SUCCEEDED", 2)


def test_a_finished_job_is_in_nobodys_hands(client: Client) -> None:
    client.upload()
    client.fit(0)
    assert "due_at" not in item()
    let_leases_run_out()
    assert looked_after() == {"queued": 0, "deleted": 0}


def test_a_deletion_that_stopped_half_way_is_finished(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.upload()
    client.fit(0)

    def die(*_: Any) -> None:
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr(DataBucket, "delete_prefix", die)
        with pytest.raises(Died):
            client.call("DELETE", "/kmeans/jobs/0")
    assert client.get("/kmeans/jobs/0").status == 410
    assert len(keys("models/")) == 3
    assert looked_after() == {"queued": 0, "deleted": 1}
    assert (item()["status"], keys()) == ("DELETED", [])
    assert looked_after() == {"queued": 0, "deleted": 0}


def test_one_job_that_cannot_be_looked_after_holds_up_no_other(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        client.upload(MODEL_CSV, f"{number}.csv")
        client.fit(number, **ASYNC)
    take_messages()
    let_leases_run_out()
    postpone = fits.postpone

    def postpone_but_0(found: Job) -> bool:
        if found.job_id == 0:
            raise RuntimeError("for the test")
        return postpone(found)

    monkeypatch.setattr(fits, "postpone", postpone_but_0)
    with pytest.raises(ExceptionGroup):
        sweep()
    assert len(take_messages()) == 2


def test_an_index_that_lags_behind_does_no_harm(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The index still shows a queued job and one being deleted; both have moved on."""
    client.upload(filename="a.csv")
    client.upload(filename="b.csv")
    client.fit(0, **ASYNC)
    stale = [job(0)]
    with monkeypatch.context() as patch:
        patch.setattr(deletion, "finish", lambda _: None)
        client.call("DELETE", "/kmeans/jobs/1")
    stale += reads.due()
    assert len(stale) == 2
    work_off()
    sweep()
    before = [item(0), item(1)]
    monkeypatch.setattr(reads, "due", lambda: iter(stale))
    assert looked_after() == {"queued": 0, "deleted": 1}
    assert [item(0), item(1)] == before
    assert client.predict().status == 200
