"""The worker: woken by the queue, it does what is next in line, and what is next after that."""

import json
import math
from dataclasses import replace
from typing import Any

from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from kmeans_service import config, telemetry
from kmeans_service.errors import FitConflict, FitFailed, JobGone, JobNotFound, ServiceError
from kmeans_service.explaining import making
from kmeans_service.fitting import attempt
from kmeans_service.lifecycle import fits, reads
from kmeans_service.lifecycle.fits import ClaimRefused
from kmeans_service.lifecycle.job import Job
from kmeans_service.lifecycle.lease import FenceLost, OutOfTime
from kmeans_service.lifecycle.results import LeaseHeld
from kmeans_service.line import queue, shares, waiting
from kmeans_service.line.shares import Slot
from kmeans_service.line.waiting import Work
from kmeans_service.problems import problem_document
from kmeans_service.runs.running import AttemptCrashed, Busy, GoesOn
from worker import arrivals, inbox

# What publishing and a last word to the log take.
CLOSING_SECONDS = 10.0
# With less than this left, and what the next work is likely to take, it is left to another worker.
AGAIN_SECONDS = 20.0

VANISHED = "its function ended without a word, as it does when it runs out of memory or time"


class GaveUp(Exception):
    """Raised out of the handler, for the alarm on its errors: somebody should look at it."""


_processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


def _work_off(context: Any) -> bool:
    """Do what is next in line, for as long as there is time: whether nothing went wrong.

    Whoever ends while something could begin wakes another worker up for it.
    """
    whole, seconds = True, math.inf
    while True:
        drained = inbox.drain()
        taken = shares.take(seconds)
        if taken is not None and (drained or isinstance(taken, Work)):
            queue.wake(min(max(drained, 1), shares.startable()))
        if not isinstance(taken, Slot):
            return whole
        try:
            whole &= _is_done(taken, context, final=seconds == math.inf)
        except (
            OutOfTime
        ):  # it was begun late: it stays in line for a worker that has all of its time
            queue.wake(1)
            return whole
        seconds = _seconds(context) - AGAIN_SECONDS


def _is_done(slot: Slot, context: Any, *, final: bool) -> bool:
    """Whether the work was done, or put off for a reason; False if it failed, and comes again."""
    try:
        if "job_id" in slot.work.what:
            _fit_named(slot, context, final)
        elif "key" in slot.work.what:
            _handle_arrival(slot, context)
        elif "explain" in slot.work.what:
            making.run(slot.work, _seconds(context), final=final, keep=slot.keep)
        else:
            telemetry.logger().error("what stood in line cannot be read", owner=slot.work.owner)
            telemetry.count("IntegrityFailures")
    except (FitConflict, LeaseHeld, Busy):
        waiting.put_off(slot.work, config.PUT_OFF_SECONDS)
        queue.wake(1, delay=config.PUT_OFF_SECONDS)
    except GoesOn:
        waiting.put_off(replace(slot.work, seconds=0), config.LOOK_SECONDS)
        queue.wake(1, delay=config.LOOK_SECONDS)
    except (OutOfTime, GaveUp):
        raise
    except Exception:  # noqa: BLE001 (logged, and the work comes again)
        telemetry.logger().warning("work was not done: it comes again", exc_info=True)
        waiting.put_off(slot.work.tried(), config.PUT_OFF_SECONDS)
        return False
    else:
        waiting.done(slot.work)
    finally:
        slot.free()
    return True


def _handle_arrival(slot: Slot, context: Any) -> None:
    """An object that came into the bucket; the fit that it asks for stands in line from then on."""
    arrival = arrivals.Arrival(slot.work.what["key"], slot.work.what.get("version_id"))
    tries = waiting.begin(slot.work)
    if tries > config.MAX_ATTEMPTS and not arrivals.is_points(arrival):
        arrivals.give_up(arrival, tries - 1)
        waiting.done(slot.work)
        queue.wake(1)
        raise GaveUp(f"the handling of an object crashed {tries - 1} times")
    arrivals.handle(arrival, _seconds(context), slot.keep)


def _fit_named(slot: Slot, context: Any, final: bool) -> None:
    what = slot.work.what
    try:
        job = reads.get(slot.work.owner, what["job_id"])
    except (JobGone, JobNotFound):
        return
    if job.is_active_with(what["fit_id"]):
        _fit(job, slot, context, final)


def _fit(job: Job, slot: Slot, context: Any, final: bool) -> None:
    """Fit the job, again after a crash, until its attempts are spent.

    A live lease means that a request is at it: there is nothing to do, and if that one dies, the
    sweeper finds the lease run out. Raises OutOfTime where this was not the final word.
    """
    while True:
        try:
            with telemetry.timed("FitDuration"):
                attempt.run(job, _seconds(context), final=final, keep=slot.keep)
        except ClaimRefused as refused:
            _give_up_if_spent(refused.job, job.fit_id)
        except GoesOn:
            telemetry.logger().info("the fit goes on elsewhere", job_id=job.job_id)
        except FenceLost:
            telemetry.logger().warning("the fit was taken over or deleted", job_id=job.job_id)
        except AttemptCrashed as crash:
            telemetry.logger().error("an attempt crashed", job_id=job.job_id, detail=str(crash))
            job = replace(job, run=None)  # another attempt begins with another run
            continue
        except ServiceError as error:
            telemetry.logger().info(
                "the fit failed", job_id=job.job_id, reason=type(error).__name__
            )
            telemetry.count("FitsFailed")
            telemetry.count_damage(error)
        else:
            telemetry.count("Fits")
            telemetry.count("RowsFitted", job.input.n_samples if job.input else 0)
        return


def _seconds(context: Any) -> float:
    return float(context.get_remaining_time_in_millis()) / 1000 - CLOSING_SECONDS


def _give_up_if_spent(job: Job | None, fit_id: str | None) -> None:
    if job is None or job.fit_id != fit_id or job.attempt < config.MAX_ATTEMPTS:
        return
    error = FitFailed(
        f"The fit crashed {job.attempt} times; the last time, {job.crash or VANISHED}"
    )
    fits.give_up(job, problem_document(error))


def _record(record: SQSRecord) -> None:
    try:
        inbox.note(json.loads(record.body))
    except Exception:
        telemetry.logger().warning("a message was not handled: it comes again", exc_info=True)
        raise


@telemetry.logger().inject_lambda_context(clear_state=True)
@telemetry.metrics().log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """An SQS batch, or a bare S3 notification as `sam local generate-event s3 put` makes it."""
    records = event.get("Records") or []
    if records and records[0].get("eventSource") == "aws:s3":
        inbox.note(event)
        _work_off(context)
        return {"batchItemFailures": []}
    answer: Any = process_partial_response(
        event=event, record_handler=_record, processor=_processor, context=context
    )
    if not _work_off(context):
        failed = [{"itemIdentifier": record["messageId"]} for record in records]
        answer = {"batchItemFailures": failed}
    telemetry.logger().info("worked", records=len(records), failures=answer["batchItemFailures"])
    result: dict[str, Any] = answer
    return result
