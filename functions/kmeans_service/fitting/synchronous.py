"""POST fit: the fit itself where it fits the gateway's time, otherwise the worker's."""

import math
import time
from dataclasses import dataclass

from kmeans_service import config
from kmeans_service.errors import FitConflict, FitFailed
from kmeans_service.fitting import attempt, capacity
from kmeans_service.fitting.aligning import aligned
from kmeans_service.lifecycle import converting, fits, reads
from kmeans_service.lifecycle.fits import ClaimRefused
from kmeans_service.lifecycle.job import Input, Job, Status
from kmeans_service.lifecycle.lease import FenceLost, OutOfTime
from kmeans_service.line import fit_requests
from kmeans_service.recipes.recipe import Recipe
from kmeans_service.recipes.work import choice_work
from kmeans_service.runs.running import AttemptCrashed

POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Outcome:
    """The job as it stands, and its labels as CSV where this very call computed them."""

    job: Job
    labels_csv: bytes | None = None

    @property
    def is_done(self) -> bool:
        return self.job.status is Status.SUCCEEDED


def fit(
    owner: str, job_id: int, recipe: Recipe, seconds: float, arrived: float = math.inf
) -> Outcome:
    """Fit the job by this recipe, waiting no longer than `seconds`.

    arrived  when the request arrived, in epoch seconds

    The outcome's job is SUCCEEDED, or somebody else goes on with it; where its file is being
    converted, the fit begins after that.
    Raises the ServiceError that the request is refused with or the fit failed with.
    """
    deadline = time.monotonic() + seconds
    job = reads.get(owner, job_id)
    if job.is_converting and converting.ask(job, aligned(job, recipe)):
        return Outcome(_wait_for_file(owner, job_id, deadline))
    if job.is_converting:
        job = reads.get(owner, job_id)
    recipe = aligned(job, recipe)
    if seconds <= 0 or not _is_small(job.checked_input, recipe):
        return Outcome(_not_failed(fit_requests.request(job, recipe, arrived)))
    job, ours = fit_requests.begin(job, recipe, arrived)
    fit_id = job.fit_id or ""
    if job.is_fitted_with(fit_id):
        return Outcome(job)
    try:
        claimed = job if ours else fits.claim(_not_failed(job))
        return Outcome(*attempt.run_claimed(claimed, deadline - time.monotonic(), final=False))
    except (ClaimRefused, FenceLost):
        return Outcome(_wait(owner, job_id, fit_id, deadline))
    except (OutOfTime, AttemptCrashed):
        return Outcome(_resumed(_of_fit(reads.get(owner, job_id), fit_id)))


def _resumed(job: Job) -> Job:
    """The worker does it, unless it is done already."""
    if job.is_active:
        fit_requests.resume(job)
    return job


def _is_small(given: Input, recipe: Recipe) -> bool:
    """Whether the fit has a chance to end in time; if not, it is cut off and goes to the worker."""
    shape = given.n_samples, recipe.n_clustered(given.n_features)
    work = recipe.iteration_work(*shape)
    return (
        recipe.engine != "spark"
        and given.dataset is None
        and work <= config.MAX_SYNCHRONOUS_WORK
        and choice_work(recipe, *shape) <= config.MAX_SYNCHRONOUS_CHOICE
        and given.rows.size <= config.MAX_SYNCHRONOUS_BYTES
        and capacity.fits_here(*shape, recipe)
    )


def _wait(owner: str, job_id: int, fit_id: str, deadline: float) -> Job:
    """Somebody else is at this very fit: wait for its end, or until the deadline."""
    while True:
        job = _of_fit(reads.get(owner, job_id), fit_id)
        if not job.is_active or time.monotonic() >= deadline:
            return job
        time.sleep(POLL_SECONDS)


def _wait_for_file(owner: str, job_id: int, deadline: float) -> Job:
    """The worker begins the fit once the file is converted: wait for its end, or the deadline."""
    while True:
        job = reads.get(owner, job_id)
        if job.status is Status.SUCCEEDED or time.monotonic() >= deadline:
            return _not_failed(job)
        time.sleep(POLL_SECONDS)
        _not_failed(job)


def _of_fit(job: Job, fit_id: str) -> Job:
    """The job, if it still is about this fit; raises FitConflict, or FitFailed as the fit did."""
    if job.fit_id != fit_id:
        raise FitConflict(f"Another fit of job {job.job_id} was asked for meanwhile")
    return _not_failed(job)


def _not_failed(job: Job) -> Job:
    if job.status is Status.FAILED:
        error = job.error or {}
        raise FitFailed(error.get("detail", "The fit failed"), error=error)
    return job
