"""A file that is sent in parts, so that an upload which broke can go on: S3's multipart upload.

The job is PENDING and holds the upload; its bytes count from the start. Each part's URL takes
exactly as many bytes as the part has. What is not completed within a day is aborted by the sweeper.
"""

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from kmeans_service import config
from kmeans_service.errors import (
    FileArrived,
    InvalidParameter,
    JobGone,
    NotUploaded,
    PartsMissing,
    TooLarge,
)
from kmeans_service.json_values import shown
from kmeans_service.lifecycle import creation, reads
from kmeans_service.lifecycle.job import Job, PartedUpload, Status
from kmeans_service.problems import problem_document
from kmeans_service.storage import ObjectMissing, data_bucket
from kmeans_service.table import writes
from kmeans_service.table.expressions import Condition, has, removes, sets
from kmeans_service.table.keys import job_key
from kmeans_service.table.writes import ConditionFailed

NAMED = 5
ENDED = "The upload has ended: it was aborted, or not completed within a day; begin another"


def checked_size(value: Any) -> int:
    """Raises InvalidParameter, or TooLarge for a file that is none's."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise InvalidParameter(
            f"size is {shown(value)}; allowed is the number of bytes that the file has",
            field="size",
        )
    most = config.limits().file_bytes
    if value > most:
        raise TooLarge(
            f"size is {value:,}; at most {most:,} bytes are taken", field="size", max_bytes=most
        )
    return value


@dataclass(frozen=True)
class Part:
    """A part of an upload; `url` is where it goes, None once it has come."""

    number: int
    size: int
    url: str | None


def find(owner: str, job_id: int) -> Job:
    """The job whose file comes in parts, or has come; raises JobGone, JobNotFound, NotUploaded."""
    job = reads.get(owner, job_id)
    if job.parts is None and job.input is None:
        if job.status is Status.PENDING:
            raise NotUploaded(f"The file of job {job_id} is not sent in parts")
        raise JobGone(ENDED)
    return job


def begin(job: Job) -> Job:
    """The job with an upload that S3 knows; begun once, whatever dies in between."""
    parts = job.parts
    if parts is None or parts.upload_id:
        return job
    upload_id = data_bucket().begin_parts(parts.key)
    begun = sets(parts=replace(parts, upload_id=upload_id).as_item())
    try:
        writes.update(job_key(job.owner, job.job_id), begun, _holds(parts))
    except ConditionFailed:  # somebody else has begun it, or it has ended
        data_bucket().abort_parts(parts.key, upload_id)
        return find(job.owner, job.job_id)
    return replace(job, parts=replace(parts, upload_id=upload_id))


def listed(job: Job) -> list[Part]:
    """All parts, those that are missing with a URL that is good for a while; raises JobGone."""
    if job.parts is None:
        return []
    parts, come = job.parts, _received(job)
    return [
        Part(number, size, None if come.get(number) == size else _url(parts, number, size))
        for number, size in parts.sizes()
    ]


def _url(parts: PartedUpload, number: int, size: int) -> str:
    return data_bucket().presigned_part(parts.key, parts.upload_id, number, size)


def complete(job: Job) -> Job:
    """Make the file of its parts; S3 then tells the worker. The same again changes nothing.

    Of a large file S3 may take longer than a request has: that all parts have come is noted before,
    and who asks again then finds that S3 has made the file of them.
    Raises PartsMissing, or JobGone.
    """
    parts = job.parts
    if parts is None or job.input:
        return job
    if not parts.completed:
        return _complete(job, parts)
    with suppress(ObjectMissing):  # it knows the upload no more
        data_bucket().complete_parts(parts.key, parts.upload_id)
    change = removes("gsi1pk", "due_at")
    writes.is_updated(job_key(job.owner, job.job_id), change, _holds(parts))
    return job


def _complete(job: Job, parts: PartedUpload) -> Job:
    come = _received(job)
    missing = [number for number, size in parts.sizes() if come.get(number) != size]
    if missing:
        more = f" and {len(missing) - NAMED:,} more" if len(missing) > NAMED else ""
        raise PartsMissing(
            f"of {len(parts.sizes()):,} parts, {len(missing):,} have not come, or not with "
            f"their bytes: {', '.join(map(str, missing[:NAMED]))}{more}. "
            f"GET /kmeans/uploads/{job.job_id} answers where they go"
        )
    done = sets(parts=replace(parts, completed=True).as_item())
    writes.is_updated(job_key(job.owner, job.job_id), done, _holds(parts))
    return complete(find(job.owner, job.job_id))  # which somebody else may have ended meanwhile


def abort(job: Job) -> None:
    """PENDING → FAILED without a file; what has come of it is removed, and counts no more.

    Raises FileArrived where all of it has come.
    """
    if job.input:
        raise FileArrived(f"The file of job {job.job_id} has come; delete the job")
    end(job, "The upload was aborted; begin another")


def lapse(job: Job) -> None:
    """As `abort`, of an upload that nobody has completed in time."""
    end(job, "The upload was not completed within a day; begin another")


def end(job: Job, reason: str) -> None:
    creation.refuse(job, problem_document(NotUploaded(reason)))
    remove(job)


def remove(job: Job) -> None:
    """What S3 holds of an upload that never became a file."""
    parts = job.parts
    if parts and parts.upload_id:
        data_bucket().abort_parts(parts.key, parts.upload_id)


def _received(job: Job) -> dict[int, int]:
    """The bytes of each part that has come, by its number."""
    parts = job.parts
    if parts is None:
        return {}
    if parts.completed:  # S3 has the file, and knows the upload no more
        return dict(parts.sizes())
    try:
        return data_bucket().received_parts(parts.key, parts.upload_id)
    except ObjectMissing:
        raise JobGone(ENDED) from None


def _holds(parts: PartedUpload) -> Condition:
    return has({"status": Status.PENDING, "parts": parts.as_item()})
