"""A large prediction: points streamed from the bucket, labels streamed back, memory bounded."""

import io
import time
from collections.abc import Iterator

from kmeans_service import http
from kmeans_service.dataset import RowBlocks, read_blocks
from kmeans_service.digest import HashingStream
from kmeans_service.errors import PredictionFailed, ServiceError
from kmeans_service.jobs import reads
from kmeans_service.jobs.job import Job, StoredObject
from kmeans_service.labels import csv_chunks
from kmeans_service.models import check_features, predictor_of
from kmeans_service.predictions import (
    Prediction,
    PredictionStatus,
    claim,
    fail,
    release,
    succeed,
)
from kmeans_service.predictor import Predictor
from kmeans_service.problems import problem_document
from kmeans_service.storage import OpenObject, data_bucket

# What the last part and the closing words take.
LEASE_MARGIN_SECONDS = 30.0


def run(job: Job, prediction: Prediction, opened: OpenObject, seconds: float) -> None:
    """Predict the points within `seconds`; what is wrong with them is the prediction's error.

    Points that came twice change nothing. Raises JobGone if the job went meanwhile, and LeaseHeld.
    """
    if prediction.status is not PredictionStatus.PENDING:
        return
    if not claim(prediction, seconds + LEASE_MARGIN_SECONDS):
        return
    try:
        _attempt(job, prediction, opened, seconds)
    except Exception:
        release(prediction)
        raise


def _attempt(job: Job, prediction: Prediction, opened: OpenObject, seconds: float) -> None:
    try:
        result = _predict(job, prediction, opened, time.monotonic() + seconds)
    except ServiceError as error:
        http.logger().info("the prediction failed", job_id=job.job_id, reason=type(error).__name__)
        http.count_damage(error)
        fail(prediction, problem_document(error))
        return
    reads.get(job.owner, job.job_id)  # whoever deleted it did not see the result
    succeed(prediction, result)


def _predict(job: Job, prediction: Prediction, opened: OpenObject, deadline: float) -> StoredObject:
    model = job.published
    predictor = predictor_of(model)
    rows = read_blocks(opened.stream)
    check_features(model, rows.n_features, rows.feature_names)
    labels = HashingStream(_Stream(_labels_csv(rows, predictor, deadline)))
    data_bucket().upload(prediction.result_key, labels, "text/csv")
    return StoredObject(prediction.result_key, labels.sha256, labels.size)


def _labels_csv(rows: RowBlocks, predictor: Predictor, deadline: float) -> Iterator[bytes]:
    for points in rows:
        yield from csv_chunks(predictor.predict(points))
        if time.monotonic() > deadline:
            raise PredictionFailed("The points are too many for the time there is")


class _Stream:
    """What an iterator gives, to be read as a file is."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    def read(self, size: int, /) -> bytes:
        read = io.BytesIO()
        while missing := size - read.tell():
            piece = self._rest or next(self._pieces, b"")
            if not piece:
                break
            read.write(piece[:missing])
            self._rest = piece[missing:]
        return read.getvalue()
