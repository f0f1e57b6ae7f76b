"""One attempt at a fit: claim, compute, publish. Every step is safe to die after."""

import time
from collections.abc import Callable
from contextlib import closing

from kmeans_service import config
from kmeans_service.errors import FitFailed, ServiceError
from kmeans_service.fitting.engines import choice
from kmeans_service.fitting.engines.engine import AttemptCrashed, Fitted
from kmeans_service.lifecycle import fits
from kmeans_service.lifecycle.job import Job
from kmeans_service.lifecycle.lease import FenceLost, OutOfTime
from kmeans_service.problems import problem_document
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
    Where time runs out, a final attempt fails the job; any other leaves it queued.
    Raises ClaimRefused, OutOfTime or AttemptCrashed (the job is queued again), FenceLost, or the
    ServiceError that the job failed with.
    """
    return run_claimed(fits.claim(job), seconds, final=final, keep=keep)


def run_claimed(
    claimed: Job, seconds: float, *, final: bool, keep: Callable[[], None] | None = None
) -> tuple[Job, bytes | None]:
    """As `run`, of a job that is claimed already."""
    try:
        return _finish(claimed, seconds, final, keep)
    except FenceLost:
        data_bucket().delete_prefix(claimed.fit_prefix)
        raise


def _finish(
    claimed: Job, seconds: float, final: bool, keep: Callable[[], None] | None
) -> tuple[Job, bytes | None]:
    try:
        fitted = _compute(claimed, seconds, keep)
    except OutOfTime:
        if not final:
            fits.release(claimed, spent=0)
            raise
        raise _failed(claimed, FitFailed(f"The fit did not finish in {seconds:.0f} s")) from None
    except AttemptCrashed as crash:
        fits.release(claimed, spent=1, crash=crash.how)
        raise
    except ServiceError as error:
        raise _failed(claimed, error) from None
    try:
        return fits.publish(claimed, fitted.published), fitted.labels_csv
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
    raise OutOfTime
