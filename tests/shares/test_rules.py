"""Workers are shared among owners: the rules, on the line alone."""

import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from harness.shares import LONG, SHORT, take
from harness.system import let_leases_run_out
from harness.system import waiting as in_line
from kmeans_service import config
from kmeans_service.line import shares, waiting
from kmeans_service.line.shares import Slot
from kmeans_service.line.waiting import Work
from kmeans_service.table.values import marshal


def wait(owner: str, since: int, seconds: int = SHORT) -> Work:
    work = Work(owner, since, f"J{since}", seconds)
    assert waiting.add(work)
    return work


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


def test_whose_turn_came_last_longest_ago_goes_before_older_work_of_whom_was_just_served(
    workers: Any,
) -> None:
    workers(1)
    for since, owner in enumerate("aab", start=1):
        wait(owner, since)
    first = take()
    assert (first.work.owner, first.work.since) == ("a", 1)
    finish(first)
    assert taken() == "b3"


@pytest.mark.thorough
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


@pytest.mark.thorough
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


@pytest.mark.thorough
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
