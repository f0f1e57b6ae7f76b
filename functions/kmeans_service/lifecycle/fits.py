"""The fit protocol: request, claim under a fence and a lease, publish: each a conditional write."""

import json
import math
import time
from dataclasses import asdict, replace
from typing import Any

from boto3.dynamodb.conditions import Attr

from kmeans_service import config
from kmeans_service.errors import FitConflict
from kmeans_service.lifecycle import asides, asking, lease, leftovers, reads
from kmeans_service.lifecycle.items import input_attribute, job_from_item, model_attribute
from kmeans_service.lifecycle.job import WAITING, Input, Job, Run, Status, fit_id_of
from kmeans_service.lifecycle.lease import Lease
from kmeans_service.models.published import Published
from kmeans_service.owners import quota
from kmeans_service.recipes.recipe import Recipe
from kmeans_service.table import clock, writes
from kmeans_service.table.expressions import Change, Condition, adds, has, removes, sets
from kmeans_service.table.keys import LOOKED_AFTER, job_key
from kmeans_service.table.writes import ConditionFailed

# What a job has only while a fit of it is active.
NOT_ACTIVE = removes("lease_until", "gsi1pk", "due_at", "progress")


class ClaimRefused(Exception):
    """The claim's condition did not hold; `job` is what stands there instead, None if nothing."""

    def __init__(self, job: Job | None) -> None:
        super().__init__(job and job.status)
        self.job = job


def request(job: Job, recipe: Recipe, arrived: float = math.inf, *, anew: bool = False) -> Job:
    """UPLOADED, SUCCEEDED or FAILED → QUEUED; the same fit again is left as it is.

    Where another fit meets what is asked for, the job comes with that.

    recipe   with its seed
    anew     also if the job, as it was read, is published with this very fit
    arrived  when the client's wish arrived, in epoch seconds. A different fit that was active
             at any time since then is in its way, even if it has ended by now.
    Raises JobNotFound, JobGone, NotUploaded, or FitConflict if another fit is active.
    """
    due = clock.seconds(config.SWEEP_AFTER_SECONDS)
    queued = sets(status=Status.QUEUED, attempt=0, due_at=due)
    try:
        return job_from_item(asking.ask(job, recipe, arrived, anew, queued, writes.update))
    except ConditionFailed:
        return _met(recipe, asides.whole(reads.get(job.owner, job.job_id)))


def begin(
    job: Job, recipe: Recipe, arrived: float = math.inf, *, anew: bool = False
) -> tuple[Job, bool]:
    """As `request` and `claim` in one write, and whether it was made: else, as `request`.

    For who asks and fits at once. Raises as `request` does.
    """
    begun = _running()
    begun |= sets(attempt=1, queued_at=begun.sets["started_at"])
    try:
        return job_from_item(asking.ask(job, recipe, arrived, anew, begun, lease.claim)), True
    except ConditionFailed:
        return _met(recipe, asides.whole(reads.get(job.owner, job.job_id))), False


def _met(recipe: Recipe, job: Job) -> Job:
    if job.fit_id == fit_id_of(job.checked_input, recipe):
        return job
    if job.recipe is not None and recipe.is_redrawn(job.recipe):
        return job
    raise FitConflict(
        f"Another fit of job {job.job_id} is active, or was while this request waited; "
        "look at the job, then ask again"
    )


def claim(job: Job) -> Job:
    """QUEUED, or RUNNING past its lease → RUNNING under a new fence; raises ClaimRefused.

    The lease is short, and `report` renews it: a crash is noticed within it.
    """
    claimable = _is_nobodys(job) & Attr("attempt").lt(config.MAX_ATTEMPTS)
    change = _running() | sets(gsi1pk=LOOKED_AFTER) | adds(attempt=1)
    try:
        return job_from_item(lease.claim(job_key(job.owner, job.job_id), change, claimable))
    except ConditionFailed as failed:
        raise ClaimRefused(job_from_item(failed.item) if failed.item else None) from None


def _running() -> Change:
    return sets(status=Status.RUNNING, started_at=clock.timestamp()) | lease.renewed("due_at")


def _is_nobodys(job: Job) -> Condition:
    """This fit waits, or whoever was at it is not any more."""
    waits = Attr("status").eq(Status.QUEUED)
    crashed = Attr("status").eq(Status.RUNNING) & lease.is_over()
    return has({"fit_id": job.fit_id}) & (waits | crashed)


def publish(claimed: Job, model: Published, read: Input | None = None) -> Job:
    """RUNNING → SUCCEEDED: the model is seen from here on; raises FenceLost or ItemTooLarge.

    read   the job's input, where the fit was the first to read it
    With it, its bytes are counted, and what it replaces is noted down to be removed.
    """
    ended = _ended()
    change = (
        sets(model=model_attribute(model), status=Status.SUCCEEDED) | ended | _run_is_over(claimed)
    )
    more = model.stored_bytes
    if read and claimed.input:
        change |= sets(input=input_attribute(read))
        more += read.stored_bytes - claimed.input.stored_bytes
    made_before = _lease(claimed).publish(
        change | NOT_ACTIVE | removes("crash", "error"),
        [quota.more(claimed.owner, more), *leftovers.note(claimed)],
        # Even if the job has moved on since: the objects are in use.
        is_made=lambda item: _has(job_from_item(item), model),
        before_again=lambda: quota.read(claimed.owner),  # which makes sure that there are counters
    )
    if made_before:
        return job_from_item(made_before)
    times = claimed.times | {"finished_at": ended.sets["finished_at"]}
    done = replace(claimed, status=Status.SUCCEEDED, times=times, progress=None, run=None)
    return replace(done, model=model, input=read or claimed.input, error=None, crash=None)


def _has(job: Job, model: Published) -> bool:
    """Whether the job's model is this one, be there a pickle of it by now or not."""
    return job.model is not None and job.model.without_pickle == model.without_pickle


def fail(claimed: Job, error: dict[str, Any]) -> None:
    """RUNNING → FAILED with the reason; raises FenceLost."""
    _lease(claimed).write(_failed(error) | _run_is_over(claimed))


def _failed(error: dict[str, Any]) -> Change:
    return sets(status=Status.FAILED, error=json.dumps(error)) | _ended() | NOT_ACTIVE


def release(claimed: Job, *, spent: int, crash: str = "", is_long: bool = False) -> None:
    """RUNNING → QUEUED for another to finish; a crash has spent an attempt, a handover none.

    crash    how the attempt crashed
    is_long  it takes longer than anybody here has time
    """
    queued = sets(
        status=Status.QUEUED,
        due_at=clock.seconds(config.SWEEP_AFTER_SECONDS),
        queued_at=clock.timestamp(),
        crash=crash or claimed.crash or "",
        is_long=is_long or claimed.is_long,
    )
    given_back = adds(attempt=spent - 1) | removes("lease_until", "started_at", "progress")
    _lease(claimed).write(queued | given_back | _run_is_over(claimed))


def run_elsewhere(claimed: Job, run: Run) -> Job:
    """The job notes its run, which goes on by itself; raises FenceLost."""
    noted = sets(run=asdict(run), progress=WAITING) | _run_is_held()
    if claimed.spent:
        noted |= sets(spent=asdict(claimed.spent))
    return job_from_item(_lease(claimed).write(noted))


def report_run(claimed: Job, progress: dict[str, Any]) -> None:
    """As `report`, of a job whose fit runs elsewhere: whoever looks renews the lease."""
    _lease(claimed).write(sets(progress=progress) | _run_is_held())


def _run_is_held() -> Change:
    now = clock.seconds()
    return sets(lease_until=now + config.RUN_LEASE_SECONDS, due_at=now + config.LOOK_SECONDS)


def _run_is_over(claimed: Job) -> Change:
    """With the last word on a run, what it has used is noted."""
    if claimed.run is None:
        return Change()
    spent = {"spent": asdict(claimed.spent)} if claimed.spent else {}
    return sets(**spent) | removes("run")


def report(claimed: Job, progress: dict[str, Any]) -> None:
    """Say how far the attempt is, and renew its lease; raises FenceLost."""
    _lease(claimed).write(sets(progress=progress) | lease.renewed("due_at"))


def give_up(job: Job, error: dict[str, Any]) -> None:
    """A job whose every attempt crashed → FAILED; nothing if somebody is still at it."""
    spent = _is_nobodys(job) & Attr("attempt").gte(config.MAX_ATTEMPTS)
    writes.is_updated(job_key(job.owner, job.job_id), _failed(error), spent)


def _ended() -> Change:
    """One reading of the clock, as it is shown and as it is compared."""
    milliseconds = int(time.time() * 1000)
    return sets(finished_at=clock.timestamp(milliseconds / 1000), finished_ms=milliseconds)


def _lease(claimed: Job) -> Lease:
    held = {"status": Status.RUNNING, "fit_id": claimed.fit_id, "fence": claimed.fence}
    return Lease(job_key(claimed.owner, claimed.job_id), held)


def postpone(job: Job, seconds: float) -> bool:
    """Give a due job more time before it is looked at again; False if it has moved on."""
    untouched = has({"status": job.status, "due_at": job.due_at})
    key = job_key(job.owner, job.job_id)
    return writes.is_updated(key, sets(due_at=clock.seconds(seconds)), untouched)
