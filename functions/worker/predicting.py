"""A large prediction: points streamed from the bucket, labels streamed back, memory bounded."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from kmeans_service import config, telemetry
from kmeans_service.errors import JobGone, NeedsConversion, PredictionFailed, ServiceError
from kmeans_service.lifecycle import results
from kmeans_service.lifecycle.job import Job
from kmeans_service.lifecycle.large_predictions import Prediction
from kmeans_service.lifecycle.lease import FenceLost
from kmeans_service.lifecycle.results import PENDING
from kmeans_service.models.labels_to_text import csv_chunks
from kmeans_service.models.loading import model_of
from kmeans_service.models.model import Model
from kmeans_service.models.points import PointsTable
from kmeans_service.problems import problem_document
from kmeans_service.storage import OpenObject, data_bucket
from kmeans_service.stored_object import StoredObject
from kmeans_service.streams import HashingStream, Keep, Pieces
from kmeans_service.tables.dialect import Reading
from worker import conversion
from worker.conversion import Converted


def run(job: Job, prediction: Prediction, opened: OpenObject, seconds: float, keep: Keep) -> None:
    """Predict the points within `seconds`; what is wrong with them is the prediction's error.

    Points that came twice change nothing. Raises JobGone if the job went meanwhile, and LeaseHeld.
    """
    if prediction.status is not PENDING:
        return
    claimed = results.claim(prediction)
    if claimed is None:
        return
    try:
        _attempt(job, claimed, opened, seconds, keep)
    except (FenceLost, JobGone) as reason:
        telemetry.logger().warning("the prediction was taken over or deleted", job_id=job.job_id)
        data_bucket().delete(claimed.result_key)
        if isinstance(reason, JobGone):
            raise
    except Exception:
        results.release(claimed)
        raise


def _attempt(job: Job, claimed: Prediction, opened: OpenObject, seconds: float, keep: Keep) -> None:
    try:
        result = _predict(job, claimed, opened, time.monotonic() + seconds, keep)
    except ServiceError as error:
        telemetry.logger().info(
            "the prediction failed", job_id=job.job_id, reason=type(error).__name__
        )
        telemetry.count_damage(error)
        results.fail(claimed, problem_document(error))
        return
    results.succeed(claimed, result)


def _predict(
    job: Job, claimed: Prediction, opened: OpenObject, deadline: float, keep: Keep
) -> StoredObject:
    model = model_of(job.published)
    try:
        rows = PointsTable.read(opened.again, model.columns, complete=model.is_complete)
    except NeedsConversion:
        with _converted(claimed, opened.version_id, keep) as converted:
            rows = PointsTable.read(
                lambda: data_bucket().open(converted.rows.key, None).stream,
                model.columns,
                complete=model.is_complete,
                reading=converted.reading,
            )
            return _stored(claimed, rows, model, deadline)
    return _stored(claimed, rows, model, deadline)


@contextmanager
def _converted(claimed: Prediction, version_id: str | None, keep: Keep) -> Iterator[Converted]:
    """The points as CSV, which are there for as long as they are needed."""

    def kept() -> None:
        keep()
        results.renew(claimed)

    key = claimed.upload_key
    try:
        yield conversion.convert(key, version_id, claimed.owner, Reading(), kept)
    finally:
        conversion.forget(key, version_id, claimed.owner)


def _stored(claimed: Prediction, rows: PointsTable, model: Model, deadline: float) -> StoredObject:
    labels = HashingStream(Pieces(_labels_csv(claimed, rows, model, deadline)))
    data_bucket().upload(claimed.result_key, labels, "text/csv")
    return StoredObject(claimed.result_key, labels.sha256, labels.size)


def _labels_csv(
    claimed: Prediction, rows: PointsTable, model: Model, deadline: float
) -> Iterator[bytes]:
    """The lease is renewed between the blocks, none of which takes long."""
    renewed = time.monotonic()
    for labels in model.predict_blocks(rows.blocks()):
        yield from csv_chunks(labels)
        now = time.monotonic()
        if now > deadline:
            raise PredictionFailed("The points are too many for the time there is")
        if now - renewed > config.REPORT_SECONDS:
            results.renew(claimed)
            renewed = now
