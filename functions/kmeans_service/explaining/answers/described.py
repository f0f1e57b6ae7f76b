"""A model's clusters without names, as JSON: of it `clusters` and `report` are made."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from kmeans_service.explaining import clusters
from kmeans_service.explaining.file_rows import file_rows
from kmeans_service.explaining.finished import finished, with_categories
from kmeans_service.explaining.plans import planned
from kmeans_service.explaining.training import training_of
from kmeans_service.lifecycle.job import Job
from kmeans_service.line.estimates import description_seconds
from kmeans_service.media_types import JSON
from kmeans_service.streams import Keep

VERSION = 1
QUERY = ()
SUFFIX = ".json"
WEIGHTED = "The rows' weights are in the centers alone: else every row counts as one."


def media_type(_job: Job) -> str:
    return JSON


def asked(_job: Job, _query: Mapping[str, str]) -> dict[str, Any]:
    return {}


def seconds(job: Job, _asked: Mapping[str, Any]) -> float:
    return description_seconds(job)


def make(job: Job, _asked: Mapping[str, Any], keep: Keep) -> Iterator[bytes]:
    with training_of(job, keep) as training:
        fit = with_categories(finished(training), planned(job))
        sizes = job.published.scores.cluster_sizes
        explained = clusters.explain(fit.rows, fit.columns, fit.model, sizes)
    typical = (each.typical for each in explained.clusters)
    wanted = [row for row in typical if row is not None]
    # Behind the check: what is left of the file, once they are found, need not be read again.
    rows = file_rows(training.points.source, fit.table, wanted)
    document = clusters.as_json(explained, rows)
    if fit.model.columns.weight is not None:
        document["notes"].append(WEIGHTED)
    yield json.dumps(document, allow_nan=False).encode()
