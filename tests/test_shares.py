"""Who works next: fair shares between owners, whatever is lost, killed, deleted or sent twice."""

import json
import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from harness.api import ASYNC, MODEL_CSV, Client
from harness.system import (
    deliver,
    drop,
    item,
    items_under,
    job,
    let_leases_run_out,
    sweep,
    take_messages,
    work_off,
)
from harness.system import waiting as in_line
from kmeans_service import config
from kmeans_service.fitting import clustering
from kmeans_service.lifecycle import fits
from kmeans_service.line import queue, shares, waiting
from kmeans_service.line.shares import Slot
from kmeans_service.line.waiting import Work
from kmeans_service.table.values import marshal
from worker import app

LONG, SHORT = 600, 1


@pytest.fixture
def workers(aws: Any, monkeypatch: pytest.MonkeyPatch) -> Any:  # noqa: ARG001
    """Set how many workers there are."""

    def deploy(number: int) -> None:
        monkeypatch.setenv("WORKER_CONCURRENCY", str(number))
        config.settings.cache_clear()

    deploy(2)
    return deploy


def wait(owner: str, since: int, seconds: int = SHORT) -> Work:
    work = Work(owner, since, f"J{since}", seconds)
    assert waiting.add(work)
    return work


def take() -> Slot:
    slot = shares.take(math.inf)
    assert isinstance(slot, Slot)
    return slot


def taken() -> str:
    slot = take()
    return f"{slot.work.owner}{slot.work.since}"


def finish(slot: Slot) -> None:
    waiting.done(slot.work)
    slot.free()


@pytest.mark.usefixtures("workers")
def test_while_another_waits_no_owner_takes_the_last_worker() -> None:
    """Two workers, a with long and short work, then b: a holds one, b the other."""
    wait("a", 1, LONG)
    wait("a", 2)
    wait("b", 3)
    assert [taken(), taken()] == ["a1", "b3"]


@pytest.mark.usefixtures("workers")
def test_alone_an_owner_takes_all_workers_for_short_work_and_leaves_one_beside_long() -> None:
    wait("a", 1, LONG)
    wait("a", 2, LONG)
    assert taken() == "a1"
    assert shares.take(math.inf) is None
    wait("a", 3, config.LONG_SECONDS)
    assert taken() == "a3"
    wait("a", 4)
    assert shares.take(math.inf) is None  # as many as there are workers, and no more


def test_whose_owner_holds_fewest_goes_first_and_then_the_oldest(workers: Any) -> None:
    workers(5)
    for since, owner in enumerate("aaabbc", start=1):
        wait(owner, since)
    assert [taken() for _ in range(5)] == ["a1", "b4", "c6", "a2", "b5"]


def test_twenty_owners_with_ten_pieces_each_take_turns(workers: Any) -> None:
    workers(5)
    for owner in range(20):
        for number in range(10):
            wait(f"o{owner:02}", 1 + 10 * owner + number, LONG)
    begun: list[str] = []
    running = [take() for _ in range(4)]
    assert shares.take(math.inf) is None  # one is left for what is short
    wait("small", 1000)
    slot = take()
    assert slot.work.owner == "small"
    finish(slot)
    while running:
        slot = running.pop(0)
        begun.append(slot.work.owner)
        finish(slot)
        if isinstance(following := shares.take(math.inf), Slot):
            running.append(following)
    assert len(begun) == 200
    for turn in range(9):  # in each of which everybody's came once
        assert len(set(begun[20 * turn : 20 * turn + 20])) == 20


@pytest.mark.parametrize("number", [2, 3, 7])
def test_no_share_is_overdrawn_whoever_comes_and_goes(workers: Any, number: int) -> None:
    """All workers at once, each taking, holding and ending."""
    workers(number)
    for since in range(1, 31):
        wait("abc"[since % 3 if since > 15 else 0], since, LONG if since % 2 else SHORT)
    done: list[str] = []

    def work() -> None:
        while isinstance(slot := shares.take(math.inf), Slot):
            held = shares.read().held
            assert max(held.values()) <= number
            done.append(slot.work.name)
            finish(slot)

    with ThreadPoolExecutor(number) as pool:
        for running in [pool.submit(work) for _ in range(number)]:
            running.result()
    work()
    assert sorted(done) == sorted(f"J{since}" for since in range(1, 31))
    assert (in_line(), shares.read().slots) == ([], {})


@pytest.mark.usefixtures("workers")
def test_of_two_workers_that_see_the_same_line_each_takes_something_else() -> None:
    wait("a", 1)
    wait("b", 2)
    seen = shares.read()
    first, second = Slot(Work("a", 1, "J1", SHORT)), Slot(Work("a", 1, "J1", SHORT))
    assert shares._occupy(seen, first, "ab")
    assert not shares._occupy(seen, second, "ab")
    assert shares._occupy(seen, first, "ab"), "only the answer to the first try was lost"


@pytest.mark.usefixtures("workers")
def test_the_slot_of_a_dead_worker_is_anybodys_and_a_renewed_one_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wait("a", 1)
    slot = take()
    let_leases_run_out()
    monkeypatch.setattr(config, "REPORT_SECONDS", 0)
    slot.text = shares.read().slots[slot.name]
    slot.keep()
    assert shares.take(math.inf) is None
    let_leases_run_out()
    again = take()
    assert again.work == slot.work
    slot.keep()
    slot.free()
    assert shares.read().slots == {again.name: again.text}


@pytest.mark.usefixtures("workers")
def test_an_owner_with_a_thousand_pieces_hides_nobody() -> None:
    for since in range(1, 1001):
        wait("a", since, LONG)
    wait("b", 2000)
    wait("c", 2001)
    assert [taken(), taken()] == ["a1", "b2000"]


def test_fewer_workers_after_a_deployment_take_nothing_away(workers: Any) -> None:
    workers(5)
    for since in range(1, 7):
        wait("a", since)
    slots = [take() for _ in range(5)]
    workers(2)
    wait("b", 10)
    assert taken() == "b10"
    assert shares.take(math.inf) is None
    for slot in slots:
        finish(slot)
    assert taken() == "a6"


def test_long_work_of_two_owners_takes_turns_and_leaves_a_worker_for_a_third(
    workers: Any,
) -> None:
    workers(2)
    for since in range(1, 4):
        wait("a", since, LONG)
    for since in range(4, 7):
        wait("b", since, LONG)
    turns = []
    for _ in range(6):
        slot = take()
        assert shares.take(math.inf) is None
        turns.append(slot.work.owner)
        wait("c", 100 + len(turns))
        short = take()
        assert short.work.owner == "c"
        finish(short)
        finish(slot)
    assert "".join(turns) == "ababab"


@pytest.mark.usefixtures("workers")
def test_the_item_of_all_shares_stays_small(workers: Any) -> None:
    workers(1_000)
    slots = {f"{n:012x}": Slot(wait_for("o" * 60 + f"{n:04}")).text for n in range(1_000)}
    owners = ["o" * 60 + f"{n:04}" for n in range(5_000)]
    served = {shares.mark_of(owner): 10**9 for owner in owners}
    kept = shares._served(shares.Shares(10**9, slots, served), Slot(wait_for("me")), owners)
    assert len(kept) == shares.MOST_SERVED
    size = sum(len(name) + len(text) + 5 for name, text in slots.items())
    assert size + sum(len(mark) + 12 for mark in kept) < 100_000


def wait_for(owner: str) -> Work:
    return Work(owner, 1, "J1", SHORT)


@pytest.mark.usefixtures("workers")
def test_what_would_take_longer_than_there_is_time_is_named_and_left() -> None:
    work = wait("a", 1, LONG)
    assert shares.take(LONG - 1) == work
    assert shares.read().slots == {}


@pytest.mark.usefixtures("workers")
def test_a_slot_that_cannot_be_read_is_nobodys(aws: Any) -> None:
    broken = {
        "pk": "Q",
        "sk": "#SHARES",
        "version": 1,
        "slots": {"x": "", "y": "soon a b", "z": "1"},
    }
    aws.dynamodb().put_item(TableName=config.settings().jobs_table, Item=marshal(broken))
    wait("a", 1)
    assert taken() == "a1"


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
    assert deliver(json.dumps({"in_line": True})) == 0
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
    left = iter([60, 31, 10.01])
    monkeypatch.setattr(app, "_seconds", lambda _: next(left) - app.CLOSING_SECONDS)
    assert deliver(json.dumps({"in_line": True})) == 0
    found = item(1, "a")
    assert (found["status"], found["attempt"]) == ("QUEUED", 0)
    monkeypatch.undo()


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
    assert sweep() == {"queued": 1, "deleted": 0, "removed": 0, "woken": 1}
    work_off()
    assert item(1, "a")["status"] == "SUCCEEDED"


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


def test_an_object_whose_handling_crashes_is_given_up_and_its_job_says_so(
    client: Client, workers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    workers(2)
    from harness.system import let_all_be_ready
    from worker import arrivals

    def crash(*_: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(arrivals, "shape_of", crash)
    assert deliver(drop("incoming/tester/bomb.csv", MODEL_CSV)) == 1
    for _ in range(config.MAX_ATTEMPTS - 1):
        let_all_be_ready()
        assert deliver(json.dumps({"in_line": True})) == 1
    let_all_be_ready()
    with pytest.raises(app.GaveUp):
        deliver(json.dumps({"in_line": True}))
    assert len(take_messages()) == 1  # for what else there is
    assert in_line() == []
    view = client.get("/kmeans/jobs/0").json()
    assert view["status"] == "FAILED"
    assert "crashed" in view["error"]["detail"]


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
