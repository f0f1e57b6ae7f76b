"""The fit protocol: request, claim under a fence and a lease, publish: each a conditional write."""

import json
import math
import time
import uuid
from dataclasses import replace
from typing import Any

from kmeans_service import config
from kmeans_service.errors import FitConflict, NotUploaded, Unavailable
from kmeans_service.lifecycle import asides, asking, leftovers, reads
from kmeans_service.lifecycle.asked import Asked
from kmeans_service.lifecycle.items import job_from_item, model_attribute
from kmeans_service.lifecycle.job import Job, Status
from kmeans_service.models.published import Published
from kmeans_service.owners import quota
from kmeans_service.table import table
from kmeans_service.table.keys import job_key


class ClaimRefused(Exception):
    """The claim's condition did not hold; `job` is what stands there instead, None if nothing."""

    def __init__(self, job: Job | None) -> None:
        super().__init__(job and job.status)
        self.job = job


class FenceLost(Exception):
    """Somebody else has taken over, or the job is gone: nothing of this attempt may be seen.

    `job` is what stands there instead, None if nothing.
    """

    def __init__(self, job: Job | None) -> None:
        super().__init__(job and job.status)
        self.job = job


def request(job: Job, asked: Asked, arrived: float = math.inf, *, anew: bool = False) -> Job:
    """UPLOADED, SUCCEEDED or FAILED → QUEUED; the same fit again is left as it is.

    Where another fit meets what is asked for, the job comes with that.

    anew     also if the job, as it was read, is published with this very fit
    arrived  when the client's wish arrived, in epoch seconds. A different fit that was active
             at any time since then is in its way, even if it has ended by now.
    Raises JobNotFound, JobGone, NotUploaded, or FitConflict if another fit is active.
    """
    change = "SET #status = :status, attempt = :zero, due_at = :due, "
    values = {
        ":status": Status.QUEUED.value,
        ":zero": 0,
        ":due": table.seconds(config.SWEEP_AFTER_SECONDS),
    }
    try:
        return job_from_item(asking.ask(job, asked, arrived, anew, change, values))
    except table.ConditionFailed:
        return _met(asked, asides.whole(reads.get(job.owner, job.job_id)))


def begin(
    job: Job, asked: Asked, arrived: float = math.inf, *, anew: bool = False
) -> tuple[Job, bool]:
    """As `request` and `claim` in one write, and whether it was made: else, as `request`.

    For who asks and fits at once. Raises as `request` does.
    """
    claimant = uuid.uuid4().hex
    change = (
        "ADD fence :one SET #status = :status, attempt = :one, started_at = :now, "
        "claimant = :claimant, lease_until = :due, due_at = :due, "
    )
    values = {
        ":status": Status.RUNNING.value,
        ":one": 1,
        ":claimant": claimant,
        ":due": table.seconds(config.LEASE_SECONDS),
    }
    try:
        return job_from_item(asking.ask(job, asked, arrived, anew, change, values)), True
    except table.ConditionFailed as failed:
        found = failed.item
        if found and found.get("claimant") == {"S": claimant}:
            return job_from_item(found), True  # ours: only the answer to the first try was lost
    return _met(asked, asides.whole(reads.get(job.owner, job.job_id))), False


def _met(asked: Asked, job: Job) -> Job:
    if asked.is_met_by(job):
        return job
    if job.input is None:
        raise NotUploaded(f"The file of job {job.job_id} has not arrived")
    raise FitConflict(
        f"Another fit of job {job.job_id} is active, or was while this request waited; "
        "look at the job, then ask again"
    )


def claim(job: Job) -> Job:
    """QUEUED, or RUNNING past its lease → RUNNING under a new fence; raises ClaimRefused.

    The lease is short, and `report` renews it: a crash is noticed within it.
    """
    claimant = uuid.uuid4().hex
    values = {
        ":running": Status.RUNNING.value,
        ":queued": Status.QUEUED.value,
        ":claimant": claimant,
        ":fit": job.fit_id,
        ":second": table.seconds(),
        ":now": table.timestamp(),
        ":lease": table.seconds(config.LEASE_SECONDS),
        ":max": config.MAX_ATTEMPTS,
        ":one": 1,
        ":active": table.LOOKED_AFTER,
    }
    try:
        item = table.update(
            job_key(job.owner, job.job_id),
            "SET #status = :running, lease_until = :lease, due_at = :lease, started_at = :now, "
            "gsi1pk = :active, claimant = :claimant ADD fence :one, attempt :one",
            "fit_id = :fit AND attempt < :max AND "
            "(#status = :queued OR (#status = :running AND lease_until < :second))",
            values,
        )
    except table.ConditionFailed as failed:
        found = failed.item
        if found and found.get("claimant") == {"S": claimant}:
            return job_from_item(found)  # ours: only the answer to the first try was lost
        raise ClaimRefused(job_from_item(found) if found else None) from None
    return job_from_item(item)


def publish(claimed: Job, model: Published) -> Job:
    """RUNNING → SUCCEEDED: the model is seen from here on; raises FenceLost or ItemTooLarge.

    With it, its bytes are counted, and what it replaces is noted down to be removed.
    """
    now = _now()
    values = _held_by(claimed) | {
        ":status": Status.SUCCEEDED.value,
        ":value": model_attribute(model),
        **now,
    }
    update = table.expression(
        job_key(claimed.owner, claimed.job_id),
        "SET #model = :value, #status = :status, finished_at = :now, finished_ms = :ms "
        "REMOVE lease_until, gsi1pk, due_at, progress, crash, #error",
        _HELD,
        values,
    )
    counted = quota.more(claimed.owner, model.stored_bytes)
    for _ in table.tries():
        if not table.transact([{"Update": update}, counted, *leftovers.note(claimed)]):
            times = claimed.times | {"finished_at": now[":now"]}
            done = replace(claimed, status=Status.SUCCEEDED, times=times, progress=None)
            return replace(done, model=model, error=None, crash=None)
        item = table.get_item(job_key(claimed.owner, claimed.job_id))
        found = job_from_item(item) if item else None
        # Only the answer was lost, even if the job has moved on since: the objects are in use.
        if found is not None and found.model == model:
            return found
        if found is None or not _is_done(found, claimed, Status.RUNNING):
            raise FenceLost(found)
        _ = quota.read(claimed.owner)  # which makes sure that there are counters
    raise Unavailable(f"Job {claimed.job_id} is changing")


def fail(claimed: Job, error: dict[str, Any]) -> None:
    """RUNNING → FAILED with the reason; raises FenceLost."""
    _finish(
        claimed,
        "SET #status = :status, #error = :value, finished_at = :now, finished_ms = :ms "
        "REMOVE lease_until, gsi1pk, due_at, progress",
        Status.FAILED,
        json.dumps(error),
    )


def release(claimed: Job, *, spent: int, crash: str = "") -> None:
    """RUNNING → QUEUED for another to finish; a crash has spent an attempt, a handover none.

    crash  how the attempt crashed
    """
    _finish(
        claimed,
        "SET #status = :status, attempt = attempt - :value, due_at = :due, queued_at = :now, "
        "crash = :crash REMOVE lease_until, started_at, progress",
        Status.QUEUED,
        1 - spent,
        {":due": table.seconds(config.SWEEP_AFTER_SECONDS), ":crash": crash or claimed.crash or ""},
    )


def report(claimed: Job, progress: dict[str, Any]) -> None:
    """Say how far the attempt is, and renew its lease; raises FenceLost."""
    lease = table.seconds(config.LEASE_SECONDS)
    update = "SET #status = :status, progress = :value, lease_until = :lease, due_at = :lease"
    _finish(claimed, update, Status.RUNNING, progress, {":lease": lease})


def give_up(job: Job, error: dict[str, Any]) -> None:
    """A job whose every attempt crashed → FAILED; nothing if somebody is still at it."""
    values = {
        ":failed": Status.FAILED.value,
        ":error": json.dumps(error),
        ":second": table.seconds(),
        ":queued": Status.QUEUED.value,
        ":running": Status.RUNNING.value,
        ":fit": job.fit_id,
        ":max": config.MAX_ATTEMPTS,
    } | _now()
    table.update_job(
        job.owner,
        job.job_id,
        "SET #status = :failed, #error = :error, finished_at = :now, finished_ms = :ms "
        "REMOVE lease_until, gsi1pk, due_at, progress",
        "fit_id = :fit AND attempt >= :max AND "
        "(#status = :queued OR (#status = :running AND lease_until < :second))",
        values,
    )


def _now() -> dict[str, Any]:
    """One reading of the clock, as it is shown and as it is compared."""
    milliseconds = int(time.time() * 1000)
    return {":now": table.timestamp(milliseconds / 1000), ":ms": milliseconds}


def _finish(
    claimed: Job,
    update: str,
    status: Status,
    value: Any,
    more: dict[str, Any] | None = None,
) -> Job:
    """An update that only the holder of the fence can make; raises FenceLost."""
    values = _held_by(claimed) | {":status": status.value, ":value": value} | (more or {})
    values |= {name: value for name, value in _now().items() if name in update}
    try:
        item = table.update(job_key(claimed.owner, claimed.job_id), update, _HELD, values)
    except table.ConditionFailed as failed:
        found = job_from_item(failed.item) if failed.item else None
        if found is None or not _is_done(found, claimed, status):
            raise FenceLost(found) from None
        return found
    return job_from_item(item)


_HELD = "#status = :running AND fit_id = :fit AND fence = :fence"


def _held_by(claimed: Job) -> dict[str, Any]:
    running = Status.RUNNING.value
    return {":running": running, ":fit": claimed.fit_id, ":fence": claimed.fence}


def _is_done(found: Job, claimed: Job, status: Status) -> bool:
    """Whether the update was made before: only the answer to its first try was lost."""
    return (found.status, found.fit_id, found.fence) == (status, claimed.fit_id, claimed.fence)


def postpone(job: Job, seconds: float) -> bool:
    """Give a due job more time before it is looked at again; False if it has moved on."""
    due = table.seconds(seconds)
    values = {":due": due, ":status": job.status.value, ":was": job.due_at}
    held = "#status = :status AND due_at = :was"
    return table.update_job(job.owner, job.job_id, "SET due_at = :due", held, values)
