"""On a schedule: lost fits are queued again, deletions that stopped half-way are finished."""

from typing import Any

from kmeans_service import http
from kmeans_service.jobs import deletion, fits, reads
from kmeans_service.jobs.job import Status
from kmeans_service.queue import enqueue_fit


@http.logger().inject_lambda_context(clear_state=True)
@http.metrics().log_metrics(capture_cold_start_metric=True)
def lambda_handler(_event: dict[str, Any], _context: Any) -> dict[str, int]:
    """The number of jobs that were looked after, by what was done."""
    done = {"queued": 0, "deleted": 0}
    for job in reads.due():
        if job.status is Status.DELETING:
            if not deletion.has_live_lease(job):
                deletion.finish(job)
                done["deleted"] += 1
        elif fits.postpone(job):
            enqueue_fit(job)
            done["queued"] += 1
    http.logger().info("swept", extra=done)
    return done
