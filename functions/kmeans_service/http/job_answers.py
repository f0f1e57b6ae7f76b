"""Answers that several handlers give: a fit's labels, and a job to follow."""

from kmeans_service import config
from kmeans_service.http import answers
from kmeans_service.http.job_view import job_path, job_view
from kmeans_service.http.request import Request
from kmeans_service.lifecycle import asides
from kmeans_service.lifecycle.job import Job
from kmeans_service.media_types import CSV, JSON
from kmeans_service.models.stored_labels import ROW_BYTES, csv_to_json
from kmeans_service.storage import data_bucket


def elsewhere(
    request: Request,
    key: str,
    filename: str,
    media_type: str,
    headers: answers.Headers | None = None,
    version_id: str | None = None,
) -> answers.Answer:
    """303 to an object that no answer can carry, signed for the method that follows."""
    disposition = answers.content_disposition(filename)
    url = data_bucket().presigned(request.method, key, disposition, media_type, version_id)
    return answers.see_other(url, headers)


def labels_answer(
    request: Request,
    job: Job,
    labels_csv: bytes | None,
    media_type: str,
    headers: answers.Headers,
) -> answers.Answer:
    """The published labels; a presigned URL of them where they are too large for an answer."""
    stored = job.published.labels
    filename = f"{job.filename}.labels.csv"
    if labels_csv is None:
        # Each line feed is two bytes in the JSON string that carries the answer.
        if stored.size + stored.size // ROW_BYTES > config.MAX_ANSWER_BYTES:
            return elsewhere(request, stored.key, filename, CSV, headers)
        labels_csv = data_bucket().get(stored)
    if media_type == JSON:
        return labels_json_answer(csv_to_json(labels_csv), headers)
    return labels_csv_answer(labels_csv, filename, headers)


def labels_csv_answer(
    labels_csv: bytes | bytearray, filename: str, headers: answers.Headers
) -> answers.Answer:
    answers.check_answer_size(labels_csv)
    return answers.csv_answer(labels_csv.decode(), filename, headers)


def labels_json_answer(labels: str, headers: answers.Headers) -> answers.Answer:
    """An object of the labels, a JSON array, and the job's id where a header names it."""
    job = f'"job_id": {headers["X-Job-Id"]}, ' if "X-Job-Id" in headers else ""
    text = f'{{{job}"labels": {labels}}}'
    answers.check_answer_size(text.encode())
    return answers.json_answer(text, headers=headers)


def accepted(request: Request, job: Job, headers: answers.Headers) -> answers.Answer:
    """202: the work goes on; follow the job."""
    follow = {
        "Location": job_path(request.root, job.job_id),
        "Retry-After": str(config.RETRY_AFTER_SECONDS),
    }
    return answers.json_answer(
        job_view(asides.whole(job), request.root), 202, {**follow, **headers}
    )
