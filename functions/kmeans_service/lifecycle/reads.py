"""Reading jobs: what is gone, by deletion or by time, is gone for everybody."""

import base64
import binascii
import time
from collections.abc import Iterator
from typing import Any

from kmeans_service import config
from kmeans_service.errors import InvalidParameter, JobGone, JobNotFound, ModelDamaged
from kmeans_service.lifecycle.items import job_or_damaged
from kmeans_service.lifecycle.job import GONE, Job, Status
from kmeans_service.table import table
from kmeans_service.table.keys import job_key, owner_key
from kmeans_service.table.values import marshal


def next_id(owner: str) -> int:
    """The id that the owner's next job will have."""
    item = table.get_item(marshal({"pk": owner_key(owner), "sk": "META"}))
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
    item = table.get_item(job_key(owner, job_id)) if job_id <= config.MAX_JOB_ID else None
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
    values: dict[str, Any] = {
        ":pk": owner_key(owner),
        ":j": "J#",
        ":deleting": Status.DELETING.value,
        ":deleted": Status.DELETED.value,
        ":now": table.seconds(),
    }
    # Not "expires_at > :now": a record that lacks it is to be seen.
    condition = "NOT #status IN (:deleting, :deleted) AND NOT expires_at <= :now"
    if status:
        condition += " AND #status = :status"
        values[":status"] = status
    query = {
        "KeyConditionExpression": "pk = :pk AND begins_with(sk, :j)",
        "FilterExpression": condition,
        "ExpressionAttributeNames": {"#status": "status"},
        "ExpressionAttributeValues": marshal(values),
        "ScanIndexForward": False,
        "ConsistentRead": True,
    }
    if cursor:
        query["ExclusiveStartKey"] = job_key(owner, _read_cursor(cursor))
    for page in table.pages(query, expected):
        yield from map(job_or_damaged, page)


def due() -> Iterator[Job]:
    """The jobs that somebody should have looked after by now (eventually consistent)."""
    query = {
        "IndexName": "active",
        "KeyConditionExpression": "gsi1pk = :active AND due_at <= :now",
        "ExpressionAttributeValues": marshal(
            {":active": table.LOOKED_AFTER, ":now": table.seconds()}
        ),
    }
    for page in table.pages(query):
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
