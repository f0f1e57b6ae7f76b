"""A large prediction: points streamed from the bucket, labels streamed back, memory bounded."""

import hashlib
import tempfile
import time

from kmeans_service.dataset import read_blocks
from kmeans_service.errors import PredictionFailed, ServiceError
from kmeans_service.jobs import reads
from kmeans_service.jobs.job import Job, StoredObject
from kmeans_service.labels import csv_chunks
from kmeans_service.models import centers_of, check_features
from kmeans_service.nearest import nearest
from kmeans_service.predictions import Prediction, PredictionStatus, fail, succeed
from kmeans_service.problems import problem_document
from kmeans_service.storage import OpenObject, data_bucket


def run(job: Job, prediction: Prediction, opened: OpenObject, seconds: float) -> None:
    """Predict the points within `seconds`; what is wrong with them is the prediction's error.

    Points that came twice change nothing. Raises JobGone if the job went meanwhile.
    """
    if prediction.status is not PredictionStatus.PENDING:
        return
    try:
        result = _predict(job, prediction, opened, time.monotonic() + seconds)
    except ServiceError as error:
        fail(prediction, problem_document(error))
        return
    reads.get(job.owner, job.job_id)  # whoever deleted it did not see the result
    succeed(prediction, result)


def _predict(job: Job, prediction: Prediction, opened: OpenObject, deadline: float) -> StoredObject:
    model = job.published
    centers = centers_of(model.centers)
    digest = hashlib.sha256()
    rows = read_blocks(opened.stream)
    check_features(model, rows.n_features, rows.feature_names)
    with tempfile.TemporaryFile() as file:
        for points in rows:
            for chunk in csv_chunks(nearest(points, centers)):
                digest.update(chunk)
                file.write(chunk)
            if time.monotonic() > deadline:
                raise PredictionFailed("The points are too many for the time there is")
        size = file.tell()
        file.seek(0)
        data_bucket().upload(prediction.result_key, file, "text/csv")
    return StoredObject(prediction.result_key, digest.hexdigest(), size)
