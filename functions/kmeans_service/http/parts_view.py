"""An upload in parts as its owner sees it: what has come, and where the rest goes."""

from typing import Any

from kmeans_service import config
from kmeans_service.lifecycle import parts
from kmeans_service.lifecycle.job import Job
from kmeans_service.lifecycle.parts import Part


def parts_view(job: Job) -> dict[str, Any]:
    found = parts.listed(job)
    come = job.input.size if job.input else 0
    return {
        "job_id": job.job_id,
        "size": come + sum(part.size for part in found),
        "received": come + sum(part.size for part in found if part.url is None),
        "parts": list(map(_part, found)),
        "expires_in": config.PRESIGNED_SECONDS,
    }


def _part(part: Part) -> dict[str, Any]:
    """The first byte is where the parts before it end."""
    view = {"part": part.number, "size": part.size, "url": part.url}
    return {name: value for name, value in view.items() if value is not None}
