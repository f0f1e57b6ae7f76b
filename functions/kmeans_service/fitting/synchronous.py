"""POST fit: the fit itself where it fits the gateway's time, otherwise the worker's."""

import math
import time
from dataclasses import dataclass

from kmeans_service import config
from kmeans_service.errors import FitConflict, FitFailed
from kmeans_service.fitting import attempt, capacity
from kmeans_service.fitting.attempt import OutOfTime
from kmeans_service.fitting.engines.engine import AttemptCrashed
from kmeans_service.lifecycle import fits, reads
from kmeans_service.lifecycle.fits import ClaimRefused
from kmeans_service.lifecycle.job import Input, Job, Status, fit_id_of
from kmeans_service.lifecycle.lease import FenceLost
from kmeans_service.line.queue import enqueue_fit
from kmeans_service.models.published import Published
from kmeans_service.recipes.params import check_against_data
from kmeans_service.recipes.recipe import Recipe
from kmeans_service.storage import data_bucket

POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Outcome:
    """The job as it stands, and its labels as CSV where this very call computed them."""

    job: Job
    labels_csv: bytes | None = None


def fit(
    owner: str, job_id: int, recipe: Recipe, seconds: float, arrived: float = math.inf
) -> Outcome:
    """Fit the job by this recipe, waiting no longer than `seconds`.

    arrived  when the request arrived, in epoch seconds

    The outcome's job is SUCCEEDED, or still active, and then somebody else goes on with it.
    Raises the ServiceError that the request is refused with or the fit failed with.
    """
    deadline = time.monotonic() + seconds
    job = reads.get(owner, job_id)
    given = job.checked_input
    check_against_data(recipe, given.n_samples, given.n_features)
    recipe = recipe.seeded()
    there = job.is_fitted_with(fit_id_of(given, recipe))
    if there and _is_whole(job.published):
        return Outcome(job)
    if seconds <= 0 or not _is_small(given, recipe):
        return _in_background(fits.request(job, recipe, arrived, anew=there))
    job, ours = fits.begin(job, recipe, arrived, anew=there)
    fit_id = job.fit_id or ""
    if job.is_fitted_with(fit_id):
        return Outcome(job)
    try:
        claimed = job if ours else fits.claim(_of_fit(job, fit_id))
        return Outcome(*attempt.run_claimed(claimed, deadline - time.monotonic(), final=False))
    except (ClaimRefused, FenceLost):
        return Outcome(_wait(owner, job_id, fit_id, deadline))
    except (OutOfTime, AttemptCrashed):
        return _in_background(_of_fit(reads.get(owner, job_id), fit_id))


def _in_background(job: Job) -> Outcome:
    """The worker does it, unless it is done already."""
    fit_id = job.fit_id or ""
    if not job.is_fitted_with(fit_id):
        enqueue_fit(_of_fit(job, fit_id))
    return Outcome(job)


def _is_whole(model: Published) -> bool:
    """Whether the fit need not be computed anew: nothing of it is lost, and it was computed right.

    Versions that stored no predictor lost the digits of data far from zero: out of core in the
    fit itself, in memory in the scores.
    """
    if model.before and not model.before.predictor:
        return False
    return data_bucket().has([each.key for each in model.objects])


def _is_small(given: Input, recipe: Recipe) -> bool:
    """Whether the fit has a chance to end in time; if not, it is cut off and goes to the worker."""
    work = recipe.iteration_work(given.n_samples, given.n_features)
    return (
        work <= config.MAX_SYNCHRONOUS_WORK
        and given.size <= config.MAX_SYNCHRONOUS_BYTES
        and capacity.fits_here(given.n_samples, given.n_features, recipe)
    )


def _wait(owner: str, job_id: int, fit_id: str, deadline: float) -> Job:
    """Somebody else is at this very fit: wait for its end, or until the deadline."""
    while True:
        job = _of_fit(reads.get(owner, job_id), fit_id)
        if not job.is_active or time.monotonic() >= deadline:
            return job
        time.sleep(POLL_SECONDS)


def _of_fit(job: Job, fit_id: str) -> Job:
    """The job, if it still is about this fit; raises FitConflict, or FitFailed as the fit did."""
    if job.fit_id != fit_id:
        raise FitConflict(f"Another fit of job {job.job_id} was asked for meanwhile")
    if job.status is Status.FAILED:
        error = job.error or {}
        raise FitFailed(error.get("detail", "The fit failed"), error=error)
    return job
