"""The line, and the slots of those who work, as time passes."""

import math
from typing import Any

import pytest

from harness.api import Client
from harness.system import OWNER, items_under
from harness.timing import EXPIRY, Clock
from kmeans_service import config
from kmeans_service.line import shares, waiting
from kmeans_service.line.shares import Slot
from kmeans_service.line.waiting import Work


def slot_of(owner: str = OWNER) -> Slot:
    """That of a worker which has begun with what the owner has in line."""
    assert waiting.add(Work(owner, 1, "J0", 600))
    taken = shares.take(math.inf)
    assert isinstance(taken, Slot)
    return taken


@pytest.mark.usefixtures("aws")
def test_a_slot_is_its_workers_until_it_runs_out_and_then_anybodys(clock: Clock) -> None:
    slot = slot_of()
    clock.pass_by(config.SLOT_SECONDS)
    assert shares.take(math.inf) is None
    clock.pass_by(1)
    again = shares.take(math.inf)
    assert isinstance(again, Slot)
    assert again.work == slot.work


@pytest.mark.usefixtures("aws")
def test_a_worker_that_goes_on_keeps_its_slot_and_writes_it_seldom(clock: Clock, aws: Any) -> None:
    slot = slot_of()
    written: list[str] = []
    aws.dynamodb().meta.events.register(
        "before-call", lambda model, **_: written.append(model.name)
    )
    for _ in range(300):  # five minutes, as a stream of points is read
        clock.pass_by(1)
        slot.keep()
    assert written == ["UpdateItem"] * (300 // config.REPORT_SECONDS)
    assert shares.take(math.inf) is None
    slot.free()
    assert shares.read().slots == {}


@pytest.mark.usefixtures("aws")
def test_what_was_put_off_is_not_begun_before_its_time(clock: Clock) -> None:
    """But for the seconds that clocks of machines may differ by."""
    work = Work(OWNER, int(clock.now * 1000), "J0", 1)
    assert waiting.add(work)
    waiting.put_off(work, 60)
    assert shares.take(math.inf) is None
    clock.pass_by(60 - waiting.CLOCKS_DIFFER - 1)
    assert shares.take(math.inf) is None
    clock.pass_by(1)
    taken = shares.take(math.inf)
    assert isinstance(taken, Slot)
    assert taken.work.since == int((clock.now + waiting.CLOCKS_DIFFER) * 1000)
    waiting.done(taken.work)
    taken.free()
    assert shares.take(math.inf) is None


@pytest.mark.usefixtures("aws")
def test_who_asks_late_stands_behind_who_asked_early_whoever_is_delivered_first() -> None:
    for owner, since in (("b", 2), ("a", 1), ("c", 3)):
        assert waiting.add(Work(owner, since, "J0", 1))
        assert not waiting.add(Work(owner, since, "J0", 1))  # sent twice, it stands there once
    taken = [shares.take(math.inf) for _ in range(2)]
    assert [slot.work.owner for slot in taken if isinstance(slot, Slot)] == ["a", "b"]


def test_what_stands_in_line_expires_with_everything_else(clock: Clock, queued: Client) -> None:
    assert queued.get("/kmeans/jobs/0").json()["status"] == "QUEUED"
    [line] = [found for found in items_under("Q") if found["sk"] != "#SHARES"]
    assert line["expires_at"] == int(clock.now) + EXPIRY
