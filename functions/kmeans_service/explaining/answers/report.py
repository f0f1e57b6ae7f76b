"""The answer of GET /kmeans/jobs/{job_id}/report."""

from collections.abc import Iterator, Mapping
from typing import Any

from kmeans_service.explaining import making
from kmeans_service.explaining.answers import described, drawn, named
from kmeans_service.explaining.answers.contents import content_of
from kmeans_service.explaining.report.page import page
from kmeans_service.lifecycle.job import Job
from kmeans_service.media_types import HTML
from kmeans_service.streams import Keep

VERSION = 1
QUERY = ()
SUFFIX = ".html"


def media_type(_job: Job) -> str:
    return f"{HTML}; charset=utf-8"


def asked(job: Job, _query: Mapping[str, str]) -> dict[str, Any]:
    audited = making.is_made(job, "audit")
    return named.version(job) | {"of": [described.VERSION, drawn.VERSION], "audited": audited}


def seconds(job: Job, _asked: Mapping[str, Any]) -> float:
    return named.seconds(job, "described") + named.seconds(job, "drawn")


def make(job: Job, _asked: Mapping[str, Any], keep: Keep) -> Iterator[bytes]:
    yield page(content_of(job, keep)).encode()
