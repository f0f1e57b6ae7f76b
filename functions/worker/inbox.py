"""What the queue brings: work that is not in line yet is put there; the rest only wakes us up."""

import json
import time
from typing import Any

from kmeans_service import config, telemetry
from kmeans_service.errors import JobGone, JobNotFound
from kmeans_service.lifecycle import elsewhere, reads
from kmeans_service.line import fit_requests, queue, waiting
from kmeans_service.line.waiting import Work
from kmeans_service.runs import application
from worker import arrivals

# https://docs.aws.amazon.com/emr/latest/EMR-Serverless-UserGuide/using-eventbridge.html
RUN_CHANGED = "EMR Serverless Job Run State Change"


def note(message: dict[str, Any]) -> None:
    """Put in line what a message names: S3's notification, a run's end, or a fit itself."""
    if "in_line" in message:
        return
    if "job_id" in message:
        _note_fit(message["owner"], message["job_id"], message["fit_id"])
    if message.get("detail-type") == RUN_CHANGED:
        _note_run(message["detail"])
    for record in message.get("Records", []):  # S3's own test message has none
        arrival = arrivals.arrival_of(record)
        work = arrivals.work_of(arrival, record)
        if work is None:
            telemetry.logger().warning("ignored an object that is nobody's", key=arrival.key)
        else:
            waiting.add(work)


def _note_run(detail: dict[str, Any]) -> None:
    """A run has ended: whoever takes its job next looks at it."""
    found = application.read_name(detail.get("jobRunName", ""))
    if found is None:
        return
    owner, job_id, what, fence = found
    if not elsewhere.is_result(what):
        _note_fit(owner, job_id, what)
    elif work := elsewhere.work_for(owner, job_id, what, fence):
        waiting.add(Work(owner, int(time.time() * 1000), what, 0, what=work))


def _note_fit(owner: str, job_id: int, fit_id: str) -> None:
    try:
        job = reads.get(owner, job_id)
    except (JobGone, JobNotFound):
        return
    if job.is_active_with(fit_id):
        fit_requests.resume(job, wake=False)


def drain() -> int:
    """Note all that is in the queue, so that a file dropped last has its place in line too.

    The number of messages taken: of them no other worker is woken up.
    """
    taken = 0
    if not config.settings().fit_queue_url:
        return taken
    for messages in queue.receive():
        noted = [receipt for receipt, body in messages if _is_noted(body)]
        if noted:
            queue.forget(noted)
        taken += len(noted)
    return taken


def _is_noted(body: str) -> bool:
    """What cannot be noted is left to come again, and to end among the dead letters."""
    try:
        note(json.loads(body))
    except Exception:  # noqa: BLE001 (logged, and the message comes again)
        telemetry.logger().warning("a message was not handled: it comes again", exc_info=True)
        return False
    return True
