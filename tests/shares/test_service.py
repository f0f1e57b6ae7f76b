"""Workers are shared among owners, as callers see it."""

import json
from typing import Any

import pytest

from harness.api import ASYNC, MODEL_CSV, Client
from harness.limits import Set
from harness.shares import LONG, SHORT, take
from harness.system import (
    deliver,
    drop,
    item,
    items_under,
    job,
    let_leases_run_out,
    sweep,
    take_messages,
    wake_worker,
    work_off,
)
from harness.system import waiting as in_line
from kmeans_service import config
from kmeans_service.fitting import clustering
from kmeans_service.lifecycle import fits
from kmeans_service.line import queue, shares
from kmeans_service.line.shares import Slot
from kmeans_service.line.waiting import Work
from kmeans_service.table.values import marshal
from worker import app


def owner_of(client: Client, owner: str) -> Client:
    return Client(client._route, owner)


def ask(client: Client, owner: str, n_jobs: int = 1) -> None:
    """Fits in the background, as many jobs."""
    for number in range(n_jobs):
        owner_of(client, owner).upload(MODEL_CSV + b"%d, 0\n" % number, f"{number}.csv")
        assert owner_of(client, owner).fit(number, **ASYNC).status == 202


def test_a_message_wakes_for_whoever_is_next_not_for_whom_it_names(
    client: Client, workers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    workers(3)
    ask(client, "a", 2)
    ask(client, "b")
    [first, *_] = take_messages()
    for _ in range(2):  # which others are at
        take()
    begun: list[str] = []
    monkeypatch.setattr(app, "_fit_named", lambda slot, *_: begun.append(slot.work.owner))
    assert deliver(first) == 0
    assert begun == ["a"]


def test_putting_off_spends_no_receive_and_no_attempt(client: Client, workers: Any) -> None:
    workers(2)
    ask(client, "a", 3)
    for found in items_under("Q"):  # all of them long
        if found["sk"] != "#SHARES":
            found["seconds"] = LONG
            queue.aws.dynamodb().put_item(
                TableName=config.settings().jobs_table, Item=marshal(found)
            )
    held = take()
    bodies = take_messages()
    assert deliver(*bodies) == 0
    assert [item(number, "a")["attempt"] for number in range(3)] == [0, 0, 0]
    assert take_messages() == []
    held.free()  # its worker ends, and looks what is next
    assert wake_worker() == 0
    work_off()
    assert [item(number, "a")["status"] for number in range(3)] == ["SUCCEEDED"] * 3


def test_who_ends_without_time_for_what_is_next_wakes_another_worker(
    client: Client, workers: Any
) -> None:
    workers(2)
    ask(client, "a", 2)
    first, _ = take_messages()
    assert deliver(first, seconds=25) == 0
    assert [item(number, "a")["status"] for number in range(2)] == ["SUCCEEDED", "QUEUED"]
    [wake] = take_messages()
    assert deliver(wake, seconds=25) == 0
    assert item(1, "a")["status"] == "SUCCEEDED"


def test_a_fit_begun_late_that_runs_out_of_time_waits_for_a_whole_worker(
    client: Client, workers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first is fitted; the second, begun in what time is left, is not failed for it."""
    workers(2)
    ask(client, "a", 2)
    take_messages()
    monkeypatch.setattr(config, "BRIEF_WORK", 0)  # a child computes even this, and is looked at
    left = iter([60, 31, 10.01])
    monkeypatch.setattr(app, "_seconds", lambda _: next(left) - app.CLOSING_SECONDS)
    assert wake_worker() == 0
    found = item(1, "a")
    assert (found["status"], found["attempt"]) == ("QUEUED", 0)
    monkeypatch.undo()


@pytest.mark.thorough
def test_a_lost_wake_up_is_made_good_by_the_sweeper_and_not_multiplied(
    client: Client, workers: Any
) -> None:
    workers(3)
    ask(client, "a", 10)
    take_messages()
    let_leases_run_out("a")
    assert [sweep()["woken"] for _ in range(3)] == [3, 0, 0]
    assert len(take_messages()) == 3
    let_leases_run_out("a")
    assert sweep()["queued"] == 0


def test_a_worker_killed_at_its_work_is_noticed_by_its_slot(client: Client, workers: Any) -> None:
    workers(2)
    ask(client, "a")
    take_messages()
    take()
    fits.claim(job(0, "a"))  # and there it dies
    assert sweep()["woken"] == 0
    let_leases_run_out("a")
    assert sweep()["woken"] == 1
    work_off()
    assert (item(0, "a")["status"], item(0, "a")["attempt"]) == ("SUCCEEDED", 2)
    assert shares.read().slots == {}


def test_a_waiting_job_that_is_deleted_leaves_the_line(client: Client, workers: Any) -> None:
    workers(2)
    ask(client, "a", 2)
    assert owner_of(client, "a").call("DELETE", "/kmeans/jobs/0").status == 204
    assert work_off() == 0
    assert in_line() == []
    assert item(1, "a")["status"] == "SUCCEEDED"


def test_messages_sent_twice_are_one_fit(
    client: Client, workers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    workers(2)
    ask(client, "a")
    bodies = take_messages()
    assert deliver(*bodies * 3) == 0
    monkeypatch.setattr(clustering, "fit", None)
    assert deliver(*bodies) == 0
    assert item(0, "a")["fence"] == 1


def test_what_the_version_before_queued_is_worked_off_with_its_message_and_without(
    client: Client, workers: Any
) -> None:
    """It knew no lines: its messages name the fit, its jobs are QUEUED and stand nowhere."""
    workers(2)
    ask(client, "a", 2)
    take_messages()
    for found in items_under("Q"):
        key = marshal({"pk": "Q", "sk": found["sk"]})
        queue.aws.dynamodb().delete_item(TableName=config.settings().jobs_table, Key=key)
    named = {"owner": "a", "job_id": 0, "fit_id": item(0, "a")["fit_id"]}
    assert deliver(json.dumps(named)) == 0
    assert item(0, "a")["status"] == "SUCCEEDED"
    let_leases_run_out("a")
    assert sweep() == {
        "queued": 1,
        "deleted": 0,
        "lapsed": 0,
        "removed": 0,
        "woken": 1,
        "cancelled": 0,
    }
    work_off()
    assert item(1, "a")["status"] == "SUCCEEDED"


@pytest.mark.thorough
def test_a_file_dropped_behind_a_hundred_of_anothers_is_next_but_one(
    client: Client, workers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    workers(2)
    mine = [drop(f"incoming/a/{n}.csv", MODEL_CSV + b"%d, 1\n" % n) for n in range(100)]
    theirs = drop("incoming/b/five.csv", MODEL_CSV)
    for body in [*mine[1:], theirs]:
        queue.aws.sqs().send_message(QueueUrl=config.settings().fit_queue_url, MessageBody=body)
    handled: list[str] = []
    real = app._is_done

    def is_done(slot: Slot, *context: Any, **options: Any) -> bool:
        handled.append(slot.work.owner)
        if len(handled) == 4:
            raise KeyboardInterrupt
        return real(slot, *context, **options)

    monkeypatch.setattr(app, "_is_done", is_done)
    other = Slot(Work("a", 0, "another worker's", SHORT))
    assert shares._occupy(shares.read(), other, "ab")
    with pytest.raises(KeyboardInterrupt):
        deliver(mine[0])
    assert handled[0] == "b"
    assert len(in_line()) >= 97
    assert len(client.get("/kmeans/jobs").json()["jobs"]) <= 3


@pytest.fixture
def given_up(workers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """An object has come in whose handling crashed again and again."""
    workers(2)
    from harness.system import let_all_be_ready
    from worker import checked

    def crash(*_: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(checked, "read_table", crash)
    assert deliver(drop("incoming/tester/bomb.csv", MODEL_CSV)) == 1
    for _ in range(config.MAX_ATTEMPTS - 1):
        let_all_be_ready()
        assert wake_worker() == 1
    let_all_be_ready()
    with pytest.raises(app.GaveUp):
        wake_worker()


@pytest.mark.usefixtures("given_up")
def test_an_object_whose_handling_crashes_is_given_up_and_its_job_says_so(client: Client) -> None:
    assert len(take_messages()) == 1  # for what else there is
    assert in_line() == []
    view = client.get("/kmeans/jobs/0").json()
    assert view["status"] == "FAILED"
    assert "crashed" in view["error"]["detail"]


@pytest.mark.usefixtures("full", "given_up")
def test_it_is_given_up_as_well_where_its_owner_has_no_room_for_a_job(client: Client) -> None:
    assert len(take_messages()) == 1
    assert in_line() == []
    assert len(client.get("/kmeans/jobs").json()["jobs"]) == 1


@pytest.fixture
def full(client: Client, limit: Set) -> None:
    limit(jobs=1)
    client.upload(filename="the_only_one.csv")


def test_what_stands_in_line_and_cannot_be_read_holds_up_nobody(
    client: Client, workers: Any, aws: Any
) -> None:
    workers(2)
    broken = {"pk": "Q", "sk": "a#0000000000001#J0", "what": "{", "seconds": "x"}
    aws.dynamodb().put_item(TableName=config.settings().jobs_table, Item=marshal(broken))
    ask(client, "a")
    assert work_off() == 0
    assert item(0, "a")["status"] == "SUCCEEDED"
    assert in_line() == []
