"""A model's rows in two dimensions without names, as JSON: of it `projection` is made."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from kmeans_service.explaining import projection
from kmeans_service.explaining.finished import finished
from kmeans_service.explaining.training import training_of
from kmeans_service.lifecycle.job import Job
from kmeans_service.line.estimates import drawing_seconds
from kmeans_service.media_types import JSON
from kmeans_service.streams import Keep

VERSION = 1
QUERY = ()
SUFFIX = ".json"


def media_type(_job: Job) -> str:
    return JSON


def asked(_job: Job, _query: Mapping[str, str]) -> dict[str, Any]:
    return {}


def seconds(job: Job, _asked: Mapping[str, Any]) -> float:
    return drawing_seconds(job)


def make(job: Job, _asked: Mapping[str, Any], keep: Keep) -> Iterator[bytes]:
    with training_of(job, keep) as training:
        fit = finished(training)
        sizes = job.published.scores.cluster_sizes
        projected = projection.project(fit.rows, fit.columns, fit.model, sizes)
    yield json.dumps(projection.as_json(projected), allow_nan=False).encode()
