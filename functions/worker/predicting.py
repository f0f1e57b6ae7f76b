"""A large prediction: points streamed from the bucket, labels streamed back, memory bounded."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from kmeans_service import telemetry
from kmeans_service.errors import JobGone, NeedsConversion, PredictionFailed, ServiceError
from kmeans_service.explaining import making
from kmeans_service.lifecycle import large_predictions, results
from kmeans_service.lifecycle.job import Job
from kmeans_service.lifecycle.large_predictions import Prediction
from kmeans_service.lifecycle.lease import FenceLost, OutOfTime
from kmeans_service.media_types import CSV
from kmeans_service.models.labels_to_text import csv_chunks
from kmeans_service.models.loading import model_of
from kmeans_service.models.model import Model
from kmeans_service.models.points import PointsTable
from kmeans_service.problems import problem_document
from kmeans_service.runs import making as runs_making
from kmeans_service.runs.running import AttemptCrashed, Busy, GoesOn
from kmeans_service.storage import OpenObject, data_bucket
from kmeans_service.stored_object import StoredObject
from kmeans_service.streams import HashingStream, Keep, Pieces
from kmeans_service.tables.dialect import Reading
from worker import beyond, conversion
from worker.conversion import Converted


def run(job: Job, prediction: Prediction, opened: OpenObject, seconds: float, keep: Keep) -> None:
    """Predict the points within `seconds`; what is wrong with them is the prediction's error.

    Points that came twice change nothing. What is beyond the worker is left to a run elsewhere,
    where there may be one. Raises JobGone if the job went meanwhile, LeaseHeld, Busy, GoesOn while
    it is in a run, and OutOfTime where it is one's from now on.
    """

    def attempt(started: Prediction) -> None:
        try:
            if started.is_elsewhere:
                _look(started)
            else:
                _attempt(job, started, opened, seconds, keep)
        except (FenceLost, JobGone) as reason:
            _remove(started)
            if isinstance(reason, JobGone):
                raise

    find = partial(large_predictions.find, job.owner, prediction.prediction_id)
    runs_making.attempted(prediction, find, attempt)


def _remove(started: Prediction) -> None:
    """What was written for nobody."""
    telemetry.logger().warning("a prediction was taken over or deleted", job_id=started.job_id)
    data_bucket().delete(started.result_key)
    data_bucket().delete_prefix(started.run_prefix)


def _look(started: Prediction) -> None:
    """Publish what its run has found, if that is over."""
    if found := runs_making.look(started, PredictionFailed):
        results.succeed(*found)


def _attempt(job: Job, claimed: Prediction, opened: OpenObject, seconds: float, keep: Keep) -> None:
    """One that ends without a word is given back, as far as it is known to have ended."""
    try:
        _predict_or_refuse(job, claimed, opened, seconds, keep)
    except (GoesOn, FenceLost, JobGone):
        raise
    except (Busy, OutOfTime) as late:
        results.release(claimed, spent=0, is_long=isinstance(late, OutOfTime))
        raise
    except Exception as crash:
        results.release(claimed, crash=crash.how if isinstance(crash, AttemptCrashed) else "")
        raise


def _predict_or_refuse(
    job: Job, claimed: Prediction, opened: OpenObject, seconds: float, keep: Keep
) -> None:
    try:
        result = _made(job, claimed, opened, seconds, keep)
    except ServiceError as error:
        _fail(job, claimed, error)
    else:
        results.succeed(claimed, result)


def _made(
    job: Job, claimed: Prediction, opened: OpenObject, seconds: float, keep: Keep
) -> StoredObject:
    """Raises OutOfTime where a run elsewhere may have it."""
    if beyond.is_beyond(job, claimed, opened):
        beyond.begin(job, claimed, opened)
    try:
        return _predict(job, claimed, opened, results.kept(claimed, seconds, keep))
    except OutOfTime:
        if beyond.may_be(job, claimed, opened):
            raise
        raise beyond.too_long(claimed, opened, seconds) from None


def _fail(job: Job, claimed: Prediction, error: ServiceError) -> None:
    reason = type(error).__name__
    telemetry.logger().info("the prediction failed", job_id=job.job_id, reason=reason)
    telemetry.count_damage(error)
    results.fail(claimed, problem_document(error))


def _predict(job: Job, claimed: Prediction, opened: OpenObject, keep: Keep) -> StoredObject:
    model = model_of(job.published)
    try:
        points = PointsTable.read(opened.again, model.columns, complete=model.is_complete)
    except NeedsConversion:
        with _converted(claimed, opened.version_id, keep) as converted:
            points = PointsTable.read(
                lambda: data_bucket().open(converted.rows.key, None).stream,
                model.columns,
                complete=model.is_complete,
                reading=converted.reading,
            )
            return _stored(job, claimed, points, keep)
    return _stored(job, claimed, points, keep)


@contextmanager
def _converted(claimed: Prediction, version_id: str | None, keep: Keep) -> Iterator[Converted]:
    """The points as CSV, which are there for as long as they are needed."""
    key = claimed.upload_key
    try:
        yield conversion.convert(key, version_id, claimed.owner, Reading(), keep)
    finally:
        conversion.forget(key, version_id, claimed.owner)


def _stored(job: Job, claimed: Prediction, points: PointsTable, keep: Keep) -> StoredObject:
    if claimed.outlier_quantile is None:
        pieces = labels_csv(model_of(job.published), points)
    else:
        pieces = _rows_csv(job, points, claimed.outlier_quantile, keep)
    result = HashingStream(Pieces(_kept(pieces, keep)))
    data_bucket().upload(claimed.result_key, result, CSV)
    return StoredObject(claimed.result_key, result.sha256, result.size)


def _kept(pieces: Iterator[bytes], keep: Keep) -> Iterator[bytes]:
    """The lease is renewed between the pieces, none of which takes long."""
    for piece in pieces:
        yield piece
        keep()


def labels_csv(model: Model, points: PointsTable) -> Iterator[bytes]:
    for labels in model.predict_blocks(points.blocks()):
        yield from csv_chunks(labels)


def _rows_csv(job: Job, points: PointsTable, share: float, keep: Keep) -> Iterator[bytes]:
    from kmeans_service.explaining import distances, rows, written  # with what labels do without

    limits = distances.limits_at(making.needed(job, "distances", keep), share)
    return written.written(points, model_of(job.published), limits, rows.cluster_names(job))
