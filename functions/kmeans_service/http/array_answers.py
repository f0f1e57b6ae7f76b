"""Arrays as answers: labels and distances that were computed just now, and stored centers."""

from functools import partial
from math import isnan

from kmeans_service.arrays import Array, Labels
from kmeans_service.http import answers
from kmeans_service.http.answers import Answer, Headers
from kmeans_service.http.job_answers import labels_csv_answer, labels_json_answer
from kmeans_service.http.stored import Stored, etag
from kmeans_service.lifecycle.job import Job
from kmeans_service.media_types import BINARY, JSON
from kmeans_service.models.labels_to_text import to_csv, to_json
from kmeans_service.models.loading import centers_of, model_of


def predicted_answer(job: Job, labels: Labels, media_type: str, headers: Headers) -> Answer:
    """As CSV or as JSON; raises TooLarge."""
    if media_type == JSON:
        return labels_json_answer(to_json(labels), headers)
    return labels_csv_answer(to_csv(labels), f"{job.filename}.predicted.csv", headers)


def distances_answer(job: Job, distances: Array, media_type: str) -> Answer:
    """Distances of shape (n_samples, n_clusters) as CSV or as JSON."""
    if media_type == JSON:
        rows = [None if isnan(row[0]) else row for row in distances.tolist()]
        return answers.json_answer({"distances": rows})
    return answers.csv_answer(_rows_csv(distances), f"{job.filename}.distances.csv")


def stored_centers(job: Job, media_type: str) -> Stored:
    """A fit's centers as CSV or as JSON, or as .npy where they are many; raises NotFitted."""
    centers = job.published.centers
    return Stored(
        centers,
        f"{job.filename}.centers.npy",
        BINARY,
        carried=centers.size // 8 * answers.NUMBER_BYTES,
        encode=partial(_centers_answer, job, media_type),
        headers=etag(centers, media_type),
    )


def _centers_answer(job: Job, media_type: str, npy: bytes, headers: Headers) -> Answer:
    centers = centers_of(npy)
    if media_type != JSON:
        return answers.csv_answer(_rows_csv(centers), f"{job.filename}.centers.csv", headers)
    feature_names = model_of(job.published).feature_names
    names = {"feature_names": feature_names} if feature_names else {}
    return answers.json_answer({"centers": centers.tolist(), **names}, headers=headers)


def _rows_csv(rows: Array) -> str:
    """Numbers in their shortest form that reads back as the same float64; NaN is an empty line."""
    return "".join(
        ("" if isnan(row[0]) else ",".join(map(repr, row))) + "\n" for row in rows.tolist()
    )
