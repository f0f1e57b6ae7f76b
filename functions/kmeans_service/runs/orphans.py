"""Runs that nobody waits for: of a job that was deleted, of a fence that was lost, or of a start
whose answer was. They are found in the application's own list, and cancelled.
"""

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from kmeans_service import config, telemetry
from kmeans_service.errors import JobGone, JobNotFound, ModelDamaged
from kmeans_service.lifecycle import elsewhere, reads
from kmeans_service.lifecycle.job import Job, Status
from kmeans_service.runs import application


def cancel_orphans() -> int:
    """How many there were."""
    if config.distributed() is None:
        return 0
    orphans = [(run_id, name) for run_id, name in application.going_on() if not _is_wanted(name)]
    for run_id, name in orphans:
        telemetry.logger().warning("cancelled a run that nobody waits for", run=name)
        application.cancel(run_id)
    return len(orphans)


def _is_wanted(name: str) -> bool:
    """Whether a job is RUNNING under the fence that the run was started for, or waits for what it
    makes.

    A run is started after its claim: one that is in the list has a job that says so.
    """
    found = application.read_name(name)
    if found is None:
        return True  # not ours to end
    owner, job_id, what, fence = found
    try:
        job = reads.get(owner, job_id)
    except (JobGone, JobNotFound):
        return False
    except ModelDamaged:
        return True
    if elsewhere.is_result(what):
        return _is_result_wanted(job, elsewhere.work_for(owner, job_id, what, fence))
    return (job.status, job.fit_id, job.fence) == (Status.RUNNING, what, fence)


def _is_result_wanted(job: Job, work: dict[str, Any] | None) -> bool:
    """Of what is made of a model, unless a newer one has replaced that."""
    if work is None:
        return False
    return "of_model" not in work or (
        job.model is not None and job.model.centers.key == work["of_model"]
    )


def end_runs_of(deleted: Job | None) -> None:
    """Cancel them at once, where that can be done; where it cannot, the next sweep does."""
    if deleted is None or config.distributed() is None:
        return
    try:
        for run_id in elsewhere.runs_of(deleted):
            application.cancel(run_id)
    except (BotoCoreError, ClientError):
        telemetry.logger().exception("a deleted job's runs are left to the sweep")


def are_over(job: Job) -> bool:
    """Whether no run of a deleted job writes any more; those that may are cancelled."""
    if config.distributed() is None:
        return True
    found = [_is_over(run_id) for run_id in elsewhere.runs_of(job)]
    return all(found)


def _is_over(run_id: str) -> bool:
    state = application.state_of(run_id)
    if state is None or state.is_over:
        return True
    application.cancel(run_id)
    return False
