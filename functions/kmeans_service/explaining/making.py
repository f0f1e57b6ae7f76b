"""Makes what was asked of a model: in the request that asks for it, or in the worker."""

import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import NoReturn

from kmeans_service import config, telemetry
from kmeans_service.errors import FitConflict, JobGone, JobNotFound, NotMade, ServiceError
from kmeans_service.explaining.makers import MAKERS, maker, warnings_of
from kmeans_service.lifecycle import explanations, reads, results
from kmeans_service.lifecycle.explanations import Explanation
from kmeans_service.lifecycle.job import Job
from kmeans_service.lifecycle.lease import FenceLost, OutOfTime
from kmeans_service.lifecycle.results import ResultStatus
from kmeans_service.line import queue, waiting
from kmeans_service.line.waiting import Work
from kmeans_service.problems import problem_document
from kmeans_service.recipes.engines import DEPLOY
from kmeans_service.runs import making as runs_making
from kmeans_service.runs.orders import Todo
from kmeans_service.runs.running import AttemptCrashed, Busy, GoesOn
from kmeans_service.storage import data_bucket
from kmeans_service.stored_object import StoredObject
from kmeans_service.streams import HashingStream, Keep, Pieces


def answered(job: Job, name: str, asked: dict[str, object], seconds: float) -> Explanation:
    """What the maker of this name makes of the job's model: SUCCEEDED, FAILED, or PENDING in line.

    seconds   the time that there is to make it at once
    Raises NotFitted, or the ServiceError that says why it cannot be made.
    """
    making = maker(name)
    new = explanations.of(job, name, making.VERSION, asked)
    found = _found(new)
    if found and found.status is not ResultStatus.PENDING:
        return found
    is_dataset = job.checked_input.dataset is not None
    elsewhere = is_dataset and _may_be_elsewhere(job, name)  # or refused, which is told at once
    estimate = 0.0 if is_dataset else making.seconds(job, asked)
    at_once = min(config.MADE_AT_ONCE_SECONDS, seconds)
    if found is None and not elsewhere and estimate <= at_once:
        try:
            return _at_once(job, new, time.monotonic() + seconds)
        except OutOfTime:
            telemetry.logger().info("what was to be made at once goes to the worker", made=name)
    found = found or explanations.ask(new)
    if found.status is ResultStatus.PENDING:
        work = waiting.explanation_of(found, estimate)
        if waiting.add(work):
            queue.wake(1)
    return found


def _found(new: Explanation) -> Explanation | None:
    """As it stands; None where it is to be made, also where the object was deleted."""
    found = explanations.find(new)
    if found and found.result and not data_bucket().is_there(found.result.key):
        explanations.forget(found, found.result)
        return None
    return found


def needed(job: Job, name: str, keep: Keep) -> StoredObject:
    """What another maker makes of the model, for one that needs it; made now if it is not there."""
    new = explanations.of(job, name, maker(name).VERSION, {})
    found = _found(new)
    if found is None or found.result is None:
        found = _made(job, new, keep)
    if found.result is None:
        raise ValueError("what is made has a result")
    return found.result


def is_made(job: Job, name: str) -> bool:
    """Whether what another maker makes of the model is there already."""
    return made(job, name) is not None


def made(job: Job, name: str) -> StoredObject | None:
    """What another maker has made of the model, if somebody asked for it."""
    found = explanations.find(explanations.of(job, name, maker(name).VERSION, {}))
    return found.result if found else None


def _at_once(job: Job, new: Explanation, deadline: float) -> Explanation:
    """Raises OutOfTime."""

    def keep() -> None:
        if time.monotonic() > deadline:
            raise OutOfTime

    return _made(job, new, keep)


def _made(job: Job, new: Explanation, keep: Keep) -> Explanation:
    """Made here and now, without a lease: who asks at the same time makes it as well."""
    stored = _stored(job, new, f"r-{uuid.uuid4().hex}", keep)
    try:
        noted = explanations.note(_with_warnings(new, stored), stored)
    except ServiceError:
        data_bucket().delete(stored.key)
        raise
    if noted.result != stored:
        data_bucket().delete(stored.key)
    return noted


def _with_warnings(new: Explanation, stored: StoredObject) -> Explanation:
    return replace(new, warnings=warnings_of(new.maker, stored))


def _stored(job: Job, new: Explanation, attempt: str, keep: Keep) -> StoredObject:
    making = maker(new.maker)
    pieces = HashingStream(Pieces(making.make(job, new.asked, keep)))
    key = new.key_of(attempt)
    data_bucket().upload(key, pieces, making.media_type(job))
    return StoredObject(key, pieces.sha256, pieces.size)


def run(work: Work, seconds: float, *, final: bool, keep: Keep) -> None:
    """An attempt in the worker at what stands in line; nothing if there is nothing (more) to do.

    final   whether an attempt that takes longer fails; else it is left to another worker
    Raises OutOfTime, LeaseHeld, Busy, and GoesOn while it is in a run elsewhere.
    """
    what = work.what
    try:
        job = reads.get(work.owner, what["job"])
    except (JobGone, JobNotFound):
        return
    if what["explain"] not in MAKERS or not job.model:
        return
    if job.model.centers.key != what["of_model"]:
        return  # replaced by a newer fit, with which it goes
    version = maker(what["explain"]).VERSION
    new = explanations.of(job, what["explain"], version, what["asked"])

    def attempt(started: Explanation) -> None:
        if started.is_elsewhere:
            _look(started)
        else:
            _attempt(job, started, work, seconds, final, keep)

    find = partial(explanations.find, new)
    runs_making.attempted(find(), find, attempt)


def _look(started: Explanation) -> None:
    try:
        found = runs_making.look(started, NotMade)
    except FenceLost:
        data_bucket().delete_prefix(started.run_prefix)
        return
    if found:
        _publish(*found)


def _is_beyond(job: Job, claimed: Explanation) -> bool:
    """Whether a run makes it: of what one fitted, what is long by an estimate, or was tried."""
    if not _may_be_elsewhere(job, claimed.maker):
        return False
    if claimed.is_long or job.published.scores.method == "spark":
        return True
    return maker(claimed.maker).seconds(job, claimed.asked) > config.WORKER_SECONDS


def _may_be_elsewhere(job: Job, name: str) -> bool:
    """Whether there is an engine for it, which goes by a model that has a manifest."""
    if config.distributed() is None or not hasattr(maker(name), "todo"):
        return False
    return job.published.manifest is not None


def _begin(job: Job, claimed: Explanation, work: Work) -> NoReturn:
    todo: Callable[[Job, Explanation], Todo] = vars(maker(claimed.maker))["todo"]
    runs_making.begin(claimed, todo(job, claimed), work.what)


def _attempt(
    job: Job, claimed: Explanation, work: Work, seconds: float, final: bool, keep: Keep
) -> None:
    attempt = str(claimed.fence)
    try:
        if _is_beyond(job, claimed):
            _begin(job, claimed, work)
        stored = _stored(job, claimed, attempt, results.kept(claimed, seconds, keep))
    except OutOfTime:
        is_long = final and _may_be_elsewhere(job, claimed.maker)
        if is_long or not final:
            results.release(claimed, spent=0, is_long=is_long)
            raise
        _fail(claimed, _too_long(job, claimed, seconds))
    except GoesOn:
        raise
    except Busy:
        results.release(claimed, spent=0)
        raise
    except FenceLost:
        telemetry.logger().warning("another attempt has taken over", made=claimed.maker)
    except ServiceError as error:
        telemetry.count_damage(error)
        _fail(claimed, error)
    except Exception as crash:
        results.release(claimed, crash=crash.how if isinstance(crash, AttemptCrashed) else "")
        raise
    else:
        _publish(claimed, stored)


def _too_long(job: Job, claimed: Explanation, seconds: float) -> NotMade:
    said = f"It did not finish in {seconds:.0f} s, of a file of {job.checked_input.size:,} bytes"
    if config.distributed() is None and hasattr(maker(claimed.maker), "todo"):
        said += f". {DEPLOY}"
    return NotMade(said)


def _publish(claimed: Explanation, stored: StoredObject) -> None:
    try:
        results.succeed(_with_warnings(claimed, stored), stored)
    except (FenceLost, JobGone, FitConflict):
        telemetry.logger().warning("what was made is not wanted any more", made=claimed.maker)
        data_bucket().delete(stored.key)
        data_bucket().delete_prefix(claimed.run_prefix)


def _fail(claimed: Explanation, error: ServiceError) -> None:
    telemetry.logger().info("it was not made", made=claimed.maker, reason=type(error).__name__)
    with suppress(FenceLost):
        results.fail(claimed, problem_document(error))
