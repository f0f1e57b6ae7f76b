"""The queue's consumer: fits that were asked for, and files that arrived in the bucket."""

import json
from typing import Any

from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from fit import arrivals, attempt
from fit.isolated import ChildDied
from kmeans_service import config, http
from kmeans_service.errors import FitFailed, JobGone, JobNotFound, ServiceError
from kmeans_service.jobs import fits, reads
from kmeans_service.jobs.fits import ClaimRefused, FenceLost
from kmeans_service.jobs.job import Job
from kmeans_service.problems import problem_document

# What publishing and a last word to the log take.
CLOSING_SECONDS = 10.0

VANISHED = "its function ended without a word, as it does when it runs out of memory or time"

_processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


def _handle(message: dict[str, Any], context: Any) -> None:
    """One message: a fit's name, or a notification of S3's."""
    if "job_id" in message:
        _fit_named(message["owner"], message["job_id"], message["fit_id"], context)
        return
    for record in message.get("Records", []):  # S3's own test message has none
        job = arrivals.handle(arrivals.arrival_of(record), _seconds(context))
        if job is not None:
            _fit(job, context)


def _fit_named(owner: str, job_id: int, fit_id: str, context: Any) -> None:
    try:
        job = reads.get(owner, job_id)
    except (JobGone, JobNotFound):
        return
    if job.is_active_with(fit_id):
        _fit(job, context)


def _fit(job: Job, context: Any) -> None:
    """Fit the job, again after a crash, until its attempts are spent.

    A live lease means that another delivery is at it: this one has nothing to do, and if the
    other dies, the sweeper finds the lease run out.
    """
    while True:
        try:
            with http.timed("FitDuration"):
                attempt.run(job, _seconds(context), final=True)
        except ClaimRefused as refused:
            _give_up_if_spent(refused.job, job.fit_id)
        except FenceLost:
            http.logger().warning("the fit was taken over or deleted", job_id=job.job_id)
        except ChildDied as death:
            http.logger().error("an attempt crashed", job_id=job.job_id, detail=str(death))
            continue
        except ServiceError as error:
            http.logger().info("the fit failed", job_id=job.job_id, reason=type(error).__name__)
            http.count("FitsFailed")
            http.count_damage(error)
        else:
            http.count("Fits")
            http.count("RowsFitted", job.input.n_samples if job.input else 0)
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


def _record(record: SQSRecord, lambda_context: Any) -> None:
    try:
        _handle(json.loads(record.body), lambda_context)
    except Exception:
        http.logger().warning("a message was not handled: it comes again", exc_info=True)
        raise


@http.logger().inject_lambda_context(clear_state=True)
@http.metrics().log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """An SQS batch, or a bare S3 notification as `sam local generate-event s3 put` makes it."""
    records = event.get("Records") or []
    if records and records[0].get("eventSource") == "aws:s3":
        _handle(event, context)
        return {"batchItemFailures": []}
    answer: Any = process_partial_response(
        event=event, record_handler=_record, processor=_processor, context=context
    )
    http.logger().info("worked", records=len(records), failures=answer["batchItemFailures"])
    result: dict[str, Any] = answer
    return result
