"""On a schedule: lost fits are queued again, deletions that stopped half-way are finished."""

from typing import Any

from kmeans_service import http
from kmeans_service.jobs import deletion, fits, reads
from kmeans_service.jobs.job import Job, Status
from kmeans_service.queue import enqueue_fit


@http.logger().inject_lambda_context(clear_state=True)
@http.metrics().log_metrics(capture_cold_start_metric=True)
def lambda_handler(_event: dict[str, Any], _context: Any) -> dict[str, int]:
    """The number of jobs that were looked after, by what was done.

    One job's failure holds up no other; all of them are raised at the end.
    """
    done = {"queued": 0, "deleted": 0}
    failures: list[Exception] = []
    for job in reads.due():
        try:
            action = _look_after(job)
        except Exception as error:  # noqa: BLE001 (raised below)
            http.logger().exception("a job could not be looked after", job_id=job.job_id)
            failures.append(error)
        else:
            if action:
                done[action] += 1
    http.logger().info("swept", extra=done)
    if failures:
        raise ExceptionGroup("some jobs could not be looked after", failures)
    return done


def _look_after(job: Job) -> str | None:
    """What was done: queued or deleted; None if somebody else is at it, or nothing can be done."""
    if job.status is Status.DAMAGED:
        http.report_damage(job)
        return None
    if job.status is Status.DELETING:
        if deletion.has_live_lease(job):
            return None
        deletion.finish(job)
        return "deleted"
    if not fits.postpone(job):
        return None
    enqueue_fit(job)
    return "queued"
