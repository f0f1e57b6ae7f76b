"""Reading jobs: what is gone, by deletion or by time, is gone for everybody."""

import base64
import binascii
import time
from collections.abc import Iterator

from boto3.dynamodb.conditions import Attr

from kmeans_service import config
from kmeans_service.errors import InvalidParameter, JobGone, JobNotFound, ModelDamaged
from kmeans_service.lifecycle.items import job_or_damaged
from kmeans_service.lifecycle.job import GONE, Job, Status
from kmeans_service.table import clock, live, queries
from kmeans_service.table.keys import JOB, LOOKED_AFTER, job_key, meta_key, owner_key


def next_id(owner: str) -> int:
    """The id that the owner's next job will have."""
    item = queries.get_item(meta_key(owner))
    return int(item["next_id"]["N"]) if item else 0


def get(owner: str, job_id: int) -> Job:
    """The job; raises JobNotFound, JobGone if it was deleted or has expired, ModelDamaged."""
    job = find(owner, job_id)
    if job.status is Status.DAMAGED:
        raise ModelDamaged((job.error or {})["detail"])
    return job


def find(owner: str, job_id: int) -> Job:
    """As `get`, also a DAMAGED job."""
    gone = JobGone(f"Job {job_id} was deleted or has expired")
    item = queries.get_item(job_key(owner, job_id)) if job_id <= config.MAX_JOB_ID else None
    if item is None:
        # DynamoDB removes expired items; their ids are below the counter for ever.
        if job_id < next_id(owner):
            raise gone
        raise JobNotFound(f"There is no job {job_id}")
    job = job_or_damaged(item)
    if job.status in GONE or 0 < job.expires_at <= time.time():
        raise gone
    return job


def newest(
    owner: str, expected: int, cursor: str | None = None, status: str | None = None
) -> Iterator[Job]:
    """An owner's jobs, newest first, read as they are asked for; DAMAGED where one cannot be read.

    expected   how many are likely to be asked for
    cursor     of the last job that is not to come again, as `cursor_of` makes it
    """
    only = live.is_there()
    if status:
        only &= Attr("status").eq(status)
    after = job_key(owner, _read_cursor(cursor)) if cursor else None
    pages = queries.below(
        owner_key(owner), JOB, only, expected=expected, newest_first=True, after=after
    )
    for page in pages:
        yield from map(job_or_damaged, page)


def due() -> Iterator[Job]:
    """The jobs that somebody should have looked after by now (eventually consistent)."""
    for page in queries.due(LOOKED_AFTER, clock.seconds()):
        yield from map(job_or_damaged, page)


def cursor_of(job: Job) -> str:
    return base64.urlsafe_b64encode(f"J{job.job_id}".encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> int:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
        if not (text[:1] == "J" and text[1:].isdecimal() and len(text) < 12):
            raise ValueError(text)
    except (binascii.Error, ValueError):
        raise InvalidParameter(
            "cursor is not one of ours; allowed is the next_cursor of a page", field="cursor"
        ) from None
    return int(text[1:])
