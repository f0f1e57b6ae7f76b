"""Answers about a job: what its fit and its predictions have in the bucket, and a job to follow."""

import math
from functools import partial

from kmeans_service import config
from kmeans_service.errors import ChoiceNotFound, NotUploaded
from kmeans_service.http import answers
from kmeans_service.http.answers import Answer, Headers
from kmeans_service.http.job_view import job_path, job_view
from kmeans_service.http.request import Request
from kmeans_service.http.stored import Stored, etag
from kmeans_service.lifecycle import asides
from kmeans_service.lifecycle.job import Job
from kmeans_service.media_types import BINARY, CSV, JSON
from kmeans_service.models.labels_from_text import ROW_BYTES, csv_to_json
from kmeans_service.storage import LOST_FILE, LOST_RESULT
from kmeans_service.stored_object import StoredObject


def stored_labels(job: Job, media_type: str) -> Stored:
    """A fit's labels as CSV or as JSON; raises NotFitted."""
    labels = job.published.labels
    filename = f"{job.filename}.labels.csv"
    return Stored(
        labels,
        filename,
        CSV,
        # Each line feed is two bytes in the JSON string that carries the answer.
        carried=labels.size + labels.size // ROW_BYTES,
        encode=partial(_labels_answer, media_type, filename),
        headers=etag(labels, media_type),
    )


def _labels_answer(media_type: str, filename: str, csv: bytes, headers: Headers) -> Answer:
    if media_type == JSON:
        return labels_json_answer(csv_to_json(csv), headers)
    return labels_csv_answer(csv, filename, headers)


def stored_choice(job: Job) -> Stored:
    """Why the fit has so many clusters; raises NotFitted, or ChoiceNotFound where it was told."""
    choice = job.published.choice
    if choice is None:
        raise ChoiceNotFound(
            f"Job {job.job_id} was fitted with a number of clusters that was given. To have it "
            'chosen, POST /kmeans/fit with "model_params": {"n_clusters": "auto"}, or '
            '{"n_clusters": {"min": 2, "max": 20}}'
        )
    return _stored_json(choice, f"{job.filename}.choice.json", LOST_RESULT)


def _stored_json(stored: StoredObject, filename: str, lost: str) -> Stored:
    return Stored(
        stored,
        filename,
        JSON,
        carried=2 * stored.size,  # each quotation mark is two bytes in the string that carries it
        encode=lambda body, headers: answers.json_answer(body.decode(), headers=headers),
        headers=etag(stored),
        lost=lost,
    )


def stored_input(job: Job) -> Stored:
    """The file as it came, of a dataset which files it has; raises NotUploaded."""
    given = job.input
    if given is None:
        raise NotUploaded(f"The file of job {job.job_id} has not arrived")
    if given.dataset:
        return _stored_json(given.dataset, f"{job.filename}.files.json", LOST_FILE)
    file = StoredObject(given.key, given.sha256, given.size)
    is_text = given.n_samples > 0 and not given.converted
    media_type = f"{CSV}; charset=utf-8" if is_text else BINARY
    return Stored(
        file,
        job.filename,
        CSV if is_text else BINARY,
        carried=_as_base64(file),
        encode=partial(answers.binary_answer, media_type, job.filename),
        headers=etag(file),
        version_id=given.version_id,
        lost=LOST_FILE,
    )


def stored_model(job: Job) -> Stored:
    """The estimator as a joblib pickle, of a job that has it; raises NotFitted."""
    model, filename = job.published.pickle, f"{job.filename}.joblib"
    if model is None:
        raise ValueError("the pickle is made before it is answered")
    versions = job.published.versions.items()
    about = {
        "X-Model-Sha256": model.sha256,
        "X-Library-Versions": ", ".join(f"{name}={version}" for name, version in versions),
    }
    return Stored(
        model,
        filename,
        BINARY,
        carried=_as_base64(model),
        encode=partial(answers.binary_answer, BINARY, filename),
        headers=etag(model) | about,
    )


def stored_prediction(result: StoredObject, job: Job) -> Stored:
    """The labels of a large prediction, which a URL leads to however few they are."""
    filename = f"{job.filename}.predicted.csv"
    return Stored(result, filename, CSV, math.inf, partial(_labels_answer, CSV, filename))


def _as_base64(stored: StoredObject) -> float:
    """Four bytes for three, and some for the headers that come with a file."""
    return stored.size * 11 / 8


def labels_csv_answer(csv: bytes | bytearray, filename: str, headers: Headers) -> Answer:
    answers.check_answer_size(csv)
    return answers.csv_answer(csv.decode(), filename, headers)


def labels_json_answer(labels: str, headers: Headers) -> Answer:
    """An object of the labels, a JSON array, and the job's id where a header names it."""
    job = f'"job_id": {headers["X-Job-Id"]}, ' if "X-Job-Id" in headers else ""
    text = f'{{{job}"labels": {labels}}}'
    answers.check_answer_size(text.encode())
    return answers.json_answer(text, headers=headers)


def accepted(request: Request, job: Job, headers: Headers) -> Answer:
    """202: the work goes on; follow the job."""
    follow = {
        "Location": job_path(request.root, job.job_id),
        "Retry-After": str(config.RETRY_AFTER_SECONDS),
    }
    return answers.json_answer(
        job_view(asides.whole(job), request.root), 202, {**follow, **headers}
    )
