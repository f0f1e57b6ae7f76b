"""On a schedule: what nobody looks after any more is taken up again, deletions are finished."""

from typing import Any

from kmeans_service import config, telemetry
from kmeans_service.lifecycle import deletion, fits, leftovers, parts, reads
from kmeans_service.lifecycle.job import Job, Status
from kmeans_service.line import fit_requests, queue, shares, waiting
from kmeans_service.runs import orphans


@telemetry.logger().inject_lambda_context(clear_state=True)
@telemetry.metrics().log_metrics(capture_cold_start_metric=True)
def lambda_handler(_event: dict[str, Any], _context: Any) -> dict[str, int]:
    """The number of jobs that were looked after, by what was done, and of workers woken up.

    One job's failure holds up no other; all of them are raised at the end.
    """
    done = {"queued": 0, "deleted": 0, "lapsed": 0, "removed": 0, "woken": 0, "cancelled": 0}
    failures: list[Exception] = []
    try:
        done["cancelled"] = orphans.cancel_orphans()
    except Exception as error:  # noqa: BLE001 (raised below)
        telemetry.logger().exception("runs elsewhere could not be looked through")
        failures.append(error)
    for job in reads.due():
        try:
            action = _look_after(job)
        except Exception as error:  # noqa: BLE001 (raised below)
            telemetry.logger().exception("a job could not be looked after", job_id=job.job_id)
            failures.append(error)
        else:
            if action:
                done[action] += 1
    for record in leftovers.due():
        try:
            leftovers.remove(record)
        except Exception as error:  # noqa: BLE001 (raised below)
            telemetry.logger().exception("leftovers could not be removed", record=record.get("sk"))
            failures.append(error)
        else:
            done["removed"] += 1
    done["woken"] = _wake()
    telemetry.logger().info("swept", extra=done)
    if failures:
        raise ExceptionGroup("some jobs could not be looked after", failures)
    return done


def _wake() -> int:
    """Wake as many workers as there is work that may begin, less those that will be anyway."""
    startable = shares.startable()
    missing = max(0, startable - queue.visible()) if startable else 0
    queue.wake(missing)
    return missing


def _look_after(job: Job) -> str | None:
    """What was done; None if it is in good hands, or nothing can be done."""
    if job.status is Status.DAMAGED:
        telemetry.report_damage(job.owner, job.job_id)
        return None
    if job.status is Status.DELETING:
        if deletion.is_worked_at(job) or not orphans.are_over(job):
            return None
        deletion.finish(job)
        return "deleted"
    if job.status is Status.PENDING:
        parts.lapse(job)
        return "lapsed"
    work = waiting.fit_of(job)
    if waiting.is_in_line(work):
        fits.postpone(job, config.IN_LINE_SECONDS)
        return None
    if not fits.postpone(job, config.SWEEP_AFTER_SECONDS):
        return None
    fit_requests.resume(job, wake=False)
    return "queued"
