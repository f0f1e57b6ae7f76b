"""Something that is made for an owner later on: PENDING until it is there, or has failed.

Large predictions are such results, and what is made of a model when somebody asks for it. An
attempt has a fence and a lease as a fit has. A crash leaves the work in line, where it is found
when the lease is over; the attempt after the last one fails it.
"""

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any, Self

from boto3.dynamodb.conditions import Attr

from kmeans_service import config
from kmeans_service.errors import ServiceError
from kmeans_service.lifecycle import lease, reads
from kmeans_service.lifecycle.job import GONE, Run, Spent
from kmeans_service.lifecycle.lease import FenceLost, Lease, OutOfTime
from kmeans_service.owners import quota
from kmeans_service.problems import problem_document
from kmeans_service.stored_object import StoredObject
from kmeans_service.streams import Keep
from kmeans_service.table import clock, writes
from kmeans_service.table.expressions import THERE, Change, Condition, adds, removes, sets
from kmeans_service.table.keys import Key, job_key
from kmeans_service.table.values import unmarshal
from kmeans_service.table.writes import Action, Item, checking


class LeaseHeld(Exception):
    """Another worker is at the same work: it is to be looked at again later."""


class ResultStatus(StrEnum):
    PENDING = "PENDING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


PENDING = ResultStatus.PENDING


@dataclass(frozen=True)
class Result:
    """Of a job; `result` is where it lies, `error` a problem document.

    attempt  that was begun last, from 1; 0: none
    run      that makes it, which goes on by itself
    spent    by its runs that are over
    is_long  whether it was tried here, and there was not time enough
    crash    how the last attempt crashed
    """

    owner: str
    job_id: int
    name: str
    status: ResultStatus = PENDING
    result: StoredObject | None = None
    error: dict[str, Any] | None = None
    attempt: int = 0
    fence: int = 0
    run: Run | None = None
    spent: Spent | None = None
    is_long: bool = False
    crash: str = ""

    @property
    def key(self) -> Key:
        raise NotImplementedError

    @property
    def run_prefix(self) -> str:
        """Where the claim's run works, if it has one."""
        raise NotImplementedError

    @property
    def is_elsewhere(self) -> bool:
        """Whether it goes on in a run of its own, under this very fence."""
        run = self.run
        return self.status is PENDING and run is not None and run.fence == self.fence

    def crashed(self, times: int) -> ServiceError:
        """What its owner is told when it has failed by that."""
        raise NotImplementedError

    def failed(self, error: dict[str, Any]) -> Change:
        return sets(status=ResultStatus.FAILED, error=json.dumps(error))

    def still_wanted(self) -> Action:
        """A check of its job: whoever deletes that counts out its results, and must miss none."""
        return checking(job_key(self.owner, self.job_id), job_is_there())

    def check_wanted(self) -> None:
        """Raises what stands in the way for good: JobGone."""
        reads.get(self.owner, self.job_id)

    def read(self, item: Item) -> Self:
        values = unmarshal(item)
        return replace(
            self,
            status=ResultStatus(values["status"]),
            result=StoredObject(**values["result"]) if "result" in values else None,
            error=json.loads(values["error"]) if "error" in values else None,
            attempt=values.get("attempt", 0),
            fence=values.get("fence", 0),
            run=Run(**values["run"]) if "run" in values else None,
            spent=Spent(**values["spent"]) if "spent" in values else None,
            is_long=values.get("is_long", False),
            crash=values.get("crash", ""),
        )


def job_is_there() -> Condition:
    return THERE & ~Attr("status").is_in(GONE)


def claim[R: Result](result: R) -> R | None:
    """Begin an attempt, under a new fence and a short lease; None if there is nothing (more) to do.

    The attempt after the last one makes it FAILED. Raises LeaseHeld.
    """
    attempt = Attr("attempt")
    left = attempt.not_exists() | attempt.lt(config.MAX_ATTEMPTS)
    try:
        item = lease.claim(result.key, lease.renewed() | adds(attempt=1), is_nobodys() & left)
    except writes.ConditionFailed as failed:
        found = unmarshal(failed.item or {})
        if found.get("status") == PENDING:
            _give_up(result, found)
        return None
    return replace(result, fence=int(item["fence"]["N"]))


def is_nobodys() -> Condition:
    """It is not done, and nobody is at it."""
    return Attr("status").eq(PENDING) & (Attr("lease_until").not_exists() | lease.is_over())


def _give_up(result: Result, found: dict[str, Any]) -> None:
    """The last attempt crashed too; raises LeaseHeld if somebody is at it."""
    if lease.is_live(found.get("lease_until", 0)):
        raise LeaseHeld
    with suppress(FenceLost):
        error = problem_document(result.crashed(found["attempt"]))
        fail(replace(result, fence=found.get("fence", 0)), error)


def kept(claimed: Result, seconds: float, keep: Keep) -> Keep:
    """Keeps the lease, and whatever `keep` does, when it is called again and again.

    It raises OutOfTime after so many seconds, or FenceLost.
    """
    deadline = time.monotonic() + seconds
    renewed = time.monotonic()

    def called() -> None:
        nonlocal renewed
        now = time.monotonic()
        if now > deadline:
            raise OutOfTime
        if now - renewed > config.REPORT_SECONDS:
            renew(claimed)
            renewed = now
        keep()

    return called


def renew(claimed: Result) -> None:
    """The lease goes on; raises FenceLost."""
    _lease(claimed).write(lease.renewed())


def release(claimed: Result, *, spent: int = 1, crash: str = "", is_long: bool = False) -> None:
    """End an attempt that did not succeed: the next may begin at once.

    crash    how it crashed; is_long: it takes longer than anybody here has time
    """
    noted: dict[str, Any] = {"crash": crash} if crash else {}
    if is_long:
        noted["is_long"] = True
    with suppress(FenceLost):
        _lease(claimed).write(
            removes("lease_until") | adds(attempt=spent - 1) | sets(**noted) | _run_is_over(claimed)
        )


def run_elsewhere(claimed: Result, run: Run, work: Mapping[str, Any]) -> None:
    """It notes its run, which goes on by itself; raises FenceLost.

    work   what stands in line, to look at it
    """
    spent = {"spent": asdict(claimed.spent)} if claimed.spent else {}
    noted = sets(run=asdict(run), work=json.dumps(work), **spent)
    _lease(claimed).write(noted | _run_is_held())


def hold_run(claimed: Result) -> None:
    """Whoever looks at a run renews the lease; raises FenceLost."""
    _lease(claimed).write(_run_is_held())


def _run_is_held() -> Change:
    return sets(lease_until=clock.seconds(config.RUN_LEASE_SECONDS))


def _run_is_over(claimed: Result) -> Change:
    if claimed.run is None:
        return Change()
    spent = {"spent": asdict(claimed.spent)} if claimed.spent else {}
    return sets(**spent) | removes("run", "work")


def succeed(claimed: Result, stored: StoredObject) -> None:
    """PENDING → SUCCEEDED, the object counted; raises FenceLost, or JobGone."""

    def look_again() -> None:
        claimed.check_wanted()
        quota.read(claimed.owner)  # which makes sure that there are counters

    try:
        _lease(claimed).publish(
            sets(status=ResultStatus.SUCCEEDED, result=asdict(stored)) | _run_is_over(claimed),
            [quota.more(claimed.owner, stored.size), claimed.still_wanted()],
            is_made=lambda item: unmarshal(item).get("result") == asdict(stored),
            before_again=look_again,
        )
    except FenceLost:
        claimed.check_wanted()
        raise


def fail(claimed: Result, error: dict[str, Any]) -> None:
    """PENDING → FAILED; raises FenceLost."""
    _lease(claimed).write(claimed.failed(error) | _run_is_over(claimed))


def _lease(claimed: Result) -> Lease:
    """Of a version that knew no fences, a prediction has none."""
    return Lease(claimed.key, {"status": PENDING, "fence": claimed.fence or None})
