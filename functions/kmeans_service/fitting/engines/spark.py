"""A run of Spark elsewhere, for a fit that is beyond this function: as `runs.running` has it."""

from dataclasses import replace
from typing import NoReturn

from kmeans_service.errors import FitFailed
from kmeans_service.fitting.engines import collecting
from kmeans_service.fitting.engines.engine import Fitted
from kmeans_service.lifecycle import fits
from kmeans_service.lifecycle.job import WAITING, Job
from kmeans_service.runs import application, orders, running
from kmeans_service.runs.application import NoEngine, State
from kmeans_service.runs.order import order_for
from kmeans_service.runs.progress import progress_of


def start(claimed: Job) -> NoReturn:
    """Begin the claim's run; raises GoesOn and the like, as `running.begin`, or FitFailed."""
    try:
        processors = application.chosen().processors
    except NoEngine as error:
        raise FitFailed(str(error)) from None
    claimed = replace(claimed, spent=running.spent_before(claimed.run, claimed.spent))
    order = order_for(orders.of_fit(claimed), processors)
    name = application.name_of(claimed.owner, claimed.job_id, claimed.fit_id or "", claimed.fence)
    running.begin(name, claimed.fence, order, lambda run: fits.run_elsewhere(claimed, run))


def with_spent(job: Job, state: State | None) -> Job:
    """The job, what its run has used being counted."""
    return replace(job, spent=running.with_used(job.spent, state))


def look(job: Job) -> State | None:
    """As `running.look`; raises FitFailed where the deployment has no engine any more."""

    def hold() -> None:
        fits.report_run(job, progress_of(job.fit_prefix) or WAITING)

    try:
        return running.look(job.run, hold)
    except NoEngine as error:
        raise FitFailed(str(error)) from None


def collect(job: Job, state: State | None) -> Fitted:
    """What the run has stored; raises RunRefused or AttemptCrashed."""
    return collecting.collect(job, state)
