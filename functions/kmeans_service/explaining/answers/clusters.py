"""The answer of GET /kmeans/jobs/{job_id}/clusters."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from kmeans_service.explaining.answers import described, named
from kmeans_service.lifecycle.job import Job
from kmeans_service.media_types import JSON
from kmeans_service.streams import Keep

VERSION = described.VERSION
QUERY = ()
SUFFIX = ".json"


def media_type(_job: Job) -> str:
    return JSON


def asked(job: Job, _query: Mapping[str, str]) -> dict[str, Any]:
    return named.version(job)


def seconds(job: Job, _asked: Mapping[str, Any]) -> float:
    return named.seconds(job, "described")


def make(job: Job, _asked: Mapping[str, Any], keep: Keep) -> Iterator[bytes]:
    document = named.with_names(job, "described", "clusters", keep)
    yield json.dumps(document, ensure_ascii=False).encode()
