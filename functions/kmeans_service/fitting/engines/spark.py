"""A run of Spark elsewhere, for what is beyond this function: started here, looked at now and then.

Nobody waits for it. What `start` notes in the job's item is all that whoever looks next needs.
"""

from dataclasses import replace

from botocore.exceptions import ClientError

from kmeans_service import aws, config
from kmeans_service.fitting.engines import collecting
from kmeans_service.fitting.engines.engine import (
    AttemptCrashed,
    Busy,
    Fitted,
    GoesOn,
)
from kmeans_service.lifecycle import fits
from kmeans_service.lifecycle.job import Job, Run, Spent
from kmeans_service.lifecycle.lease import FenceLost
from kmeans_service.runs import application
from kmeans_service.runs.application import Order, State
from kmeans_service.runs.order import order_for
from kmeans_service.runs.progress import progress_of
from kmeans_service.table import clock


def start(claimed: Job) -> None:
    """Begin the claim's run, and note it in the job; raises GoesOn, as it does from here on.

    Raises Busy where the application takes no run now, FenceLost, or FitFailed.
    """
    processors = application.chosen().processors
    claimed = _without_run_before(claimed)
    order = order_for(claimed, processors)
    run_id = _started(claimed, order)
    until = clock.seconds(config.RUN_WAITS_SECONDS + 60 * order.minutes)
    try:
        fits.run_elsewhere(claimed, Run(run_id, claimed.fence, until))
    except FenceLost:
        application.cancel(run_id)
        raise
    raise GoesOn


def _without_run_before(claimed: Job) -> Job:
    """A run of the fence before is ended, and counted as far as it is known."""
    if claimed.run is None:
        return claimed
    state = application.state_of(claimed.run.run_id)
    if state and not state.is_over:
        application.cancel(claimed.run.run_id)
    return with_spent(claimed, state)


def _started(claimed: Job, order: Order) -> str:
    try:
        return application.start(claimed, order)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if aws.is_transient(error):
            raise Busy(code) from error
        raise AttemptCrashed(f"its run could not be started ({code})", str(error)) from error


def with_spent(job: Job, state: State | None) -> Job:
    """The job, what its run has used being counted."""
    return replace(job, spent=(job.spent or Spent()) + (state.used if state else Spent()))


def look(job: Job) -> State | None:
    """The state of a run that is over, None where there is none (any more); else raises GoesOn.

    Raises FenceLost, and AttemptCrashed of a run that has waited and worked too long.
    """
    run = job.run
    if run is None:
        raise ValueError("a job that is looked at has a run")
    state = application.state_of(run.run_id)
    if state is None or state.is_over:
        return state
    if run.until < clock.seconds():
        application.cancel(run.run_id)
        how = f"its run was {state.name} for too long, and was cancelled"
        raise AttemptCrashed(how, state.detail)
    fits.report_run(job, progress_of(job) or fits.WAITING)
    raise GoesOn


def collect(job: Job, state: State | None) -> Fitted:
    """What the run has stored; raises RunRefused or AttemptCrashed."""
    if state is None or state.name != application.SUCCEEDED:
        name = state.name if state else "gone"
        detail = state.detail if state else "there is no such run"
        raise AttemptCrashed(f"its run ended {name}", detail)
    return collecting.collect(job)
