"""One attempt at a fit: claim, compute, publish. Every step is safe to die after."""

import time
from collections.abc import Callable
from contextlib import closing

from kmeans_service import config
from kmeans_service.errors import FitFailed, ServiceError
from kmeans_service.fitting.engines import choice, spark
from kmeans_service.fitting.engines.engine import Fitted
from kmeans_service.lifecycle import fits
from kmeans_service.lifecycle.job import Job
from kmeans_service.lifecycle.lease import FenceLost, OutOfTime
from kmeans_service.problems import problem_document
from kmeans_service.runs.running import AttemptCrashed, Busy, RunRefused
from kmeans_service.storage import data_bucket
from kmeans_service.table.writes import ItemTooLarge

TOO_LARGE_TO_PUBLISH = (
    "What the fit found does not fit into the job's record of 400 KB; "
    "shorten the columns' names, or ask for fewer clusters"
)


def run(
    job: Job, seconds: float, *, final: bool, keep: Callable[[], None] | None = None
) -> tuple[Job, bytes | None]:
    """Fit the job's data within `seconds` and publish: the job as published, and its labels as CSV.

    The labels are None where no answer can carry them.

    keep   called now and then while it is computed
    Where time runs out, a final attempt fails the job, or leaves it for a run elsewhere where there
    is one; any other leaves it queued.
    Raises ClaimRefused, OutOfTime, Busy or AttemptCrashed (the job is queued again), GoesOn where
    it is in a run elsewhere, FenceLost, or the ServiceError that the job failed with.
    """
    if job.is_elsewhere:
        return _look(job)
    return run_claimed(fits.claim(job), seconds, final=final, keep=keep)


def _look(job: Job) -> tuple[Job, bytes | None]:
    """Publish what the job's run has found, if it is over; raises as `run` does."""
    try:
        state = spark.look(job)
    except AttemptCrashed as crash:
        fits.release(job, spent=1, crash=crash.how)
        raise
    except ServiceError as error:  # the deployment has no such engine any more
        raise _failed(job, error) from None
    ended = spark.with_spent(job, state)
    return _guarded(ended, lambda: _finish(ended, lambda: spark.collect(ended, state), final=True))


def run_claimed(
    claimed: Job, seconds: float, *, final: bool, keep: Callable[[], None] | None = None
) -> tuple[Job, bytes | None]:
    """As `run`, of a job that is claimed already."""

    def compute() -> Fitted:
        if choice.is_elsewhere(claimed):
            spark.start(claimed)
        return _compute(claimed, seconds, keep)

    return _guarded(claimed, lambda: _finish(claimed, compute, final=final))


def _guarded[T](claimed: Job, work: Callable[[], T]) -> T:
    """Nothing that was written stays where the fence is lost."""
    try:
        return work()
    except FenceLost:
        data_bucket().delete_prefix(claimed.fit_prefix)
        raise


def _finish(
    claimed: Job, compute: Callable[[], Fitted], *, final: bool
) -> tuple[Job, bytes | None]:
    try:
        fitted = compute()
    except OutOfTime as late:
        is_long = final and choice.may_be_elsewhere(claimed)
        if final and not is_long:
            raise _failed(claimed, FitFailed(f"The fit did not finish in {late}")) from None
        fits.release(claimed, spent=0, is_long=is_long)
        raise
    except Busy:
        fits.release(claimed, spent=0)
        raise
    except RunRefused as refused:
        fits.fail(claimed, refused.problem)
        raise FitFailed(str(refused)) from None
    except AttemptCrashed as crash:
        fits.release(claimed, spent=1, crash=crash.how)
        raise
    except ServiceError as error:
        raise _failed(claimed, error) from None
    try:
        return fits.publish(claimed, fitted.published, fitted.read), fitted.labels_csv
    except ItemTooLarge:
        raise _failed(claimed, FitFailed(TOO_LARGE_TO_PUBLISH)) from None


def _failed(claimed: Job, error: ServiceError) -> ServiceError:
    fits.fail(claimed, problem_document(error))
    return error


def _compute(claimed: Job, seconds: float, keep: Callable[[], None] | None) -> Fitted:
    """The fit by its engine; meanwhile, the lease is renewed and progress reported."""
    until = time.monotonic() + seconds
    with closing(choice.engine_of(claimed).start(claimed)) as work:
        while (left := until - time.monotonic()) > 0:
            progress = work.poll(min(left, config.REPORT_SECONDS))
            if progress is None:
                return work.collect()
            fits.report(claimed, progress)
            if keep:
                keep()
    raise OutOfTime(f"{seconds:.0f} s")
