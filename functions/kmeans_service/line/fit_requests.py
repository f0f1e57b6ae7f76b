"""A fit is asked for, whoever asks: POST fit and fit_predict, or a file that arrives.

It is decided whether the fit is there already, was asked for before or is new; the job says so, the
work stands in line, and a worker is woken. Whatever dies on the way, the sweeper resumes it.
"""

import math

from kmeans_service.lifecycle import fits
from kmeans_service.lifecycle.job import Job, fit_id_of
from kmeans_service.lifecycle.planning import planned
from kmeans_service.line import queue, waiting
from kmeans_service.models.published import Published
from kmeans_service.recipes.recipe import Recipe
from kmeans_service.storage import data_bucket


def request(
    job: Job,
    recipe: Recipe,
    arrived: float = math.inf,
    *,
    once: bool = False,
    wake: bool = True,
) -> Job:
    """The job with this fit: as it is where it is there, else QUEUED, or active as it was before.

    arrived  when the client's wish arrived, in epoch seconds
    once     a fit that has failed is left as it is, too, and so is one that something is lost of
    wake     a worker is woken for it
    Raises what the fit is refused with: see `planned`, and `lifecycle.fits.request`.
    """
    recipe = _checked(job, recipe)
    fit_id = fit_id_of(job.checked_input, recipe)
    ended = once and job.fit_id == fit_id and not job.is_active
    if ended or _is_there(job, fit_id):
        return job
    job = fits.request(job, recipe, arrived, anew=job.is_fitted_with(fit_id))
    if job.is_active:
        resume(job, wake=wake)
    return job


def begin(job: Job, recipe: Recipe, arrived: float = math.inf) -> tuple[Job, bool]:
    """As `request`, for who fits at once: whether the job is RUNNING now, and the caller's."""
    recipe = _checked(job, recipe)
    fit_id = fit_id_of(job.checked_input, recipe)
    if _is_there(job, fit_id):
        return job, False
    return fits.begin(job, recipe, arrived, anew=job.is_fitted_with(fit_id))


def resume(job: Job, *, wake: bool = True) -> None:
    """Put an active fit in line, where it may stand already, and wake a worker for it."""
    waiting.add(waiting.fit_of(job))
    if wake:
        queue.wake_for(job)


def _checked(job: Job, recipe: Recipe) -> Recipe:
    """As it is for the job's file, with its seed."""
    return planned(job.checked_input, recipe).seeded()


def _is_there(job: Job, fit_id: str) -> bool:
    return job.is_fitted_with(fit_id) and _is_whole(job.published)


def _is_whole(model: Published) -> bool:
    """Whether the fit need not be computed anew: nothing of it is lost, and it was computed right.

    Versions that stored no predictor lost the digits of data far from zero: out of core in the
    fit itself, in memory in the scores.
    """
    if model.before and not model.before.predictor:
        return False
    return data_bucket().has([each.key for each in model.objects])
