"""How a job comes to be: with its file, or waiting for it."""

import hashlib
import json
import random
import time
from typing import Any

from kmeans_service import aws
from kmeans_service.errors import Unavailable
from kmeans_service.jobs import table
from kmeans_service.jobs.items import (
    input_attribute,
    job_sort_key,
    marshal,
    owner_key,
    unmarshal,
)
from kmeans_service.jobs.job import Input, Job, Status, upload_id_of
from kmeans_service.jobs.reads import next_id

TRIES = 200


def find_upload(owner: str, filename: str, sha256: str) -> int | None:
    """The job that was made for this file name and these bytes, if it has not expired."""
    item = unmarshal(table.get_item(upload_key(owner, filename, sha256)) or {})
    return item["job_id"] if item and item["expires_at"] > time.time() else None


def create(
    owner: str, filename: str, given: Input | None, params: dict[str, Any] | None = None
) -> int:
    """A new job's id, or that of the job which this very upload already made.

    The job is UPLOADED, or PENDING if its file has yet to come; `params` are then those of the
    fit that its arrival starts. Ids are dense from 0.
    Raises Unavailable if the owner's counter is contended beyond reason.
    """
    for attempt in range(TRIES):
        if given is not None:
            found = find_upload(owner, filename, given.sha256)
            if found is not None:
                return found
        job_id = next_id(owner)
        if _create_as(job_id, _new_job(owner, job_id, filename, given, params)):
            return job_id
        # Others took this id: the more of them, the further apart the next tries.
        time.sleep(random.uniform(0, 0.01 * min(attempt + 1, 20)))  # noqa: S311
    raise Unavailable("Too many uploads at once")


def _create_as(job_id: int, job: dict[str, Any]) -> bool:
    """One transaction: the counter moves on, the job is there, its upload is known; or nothing."""
    counter = table.expression(
        marshal({"pk": job["pk"], "sk": "META"}),
        "SET next_id = :next",
        "next_id = :id OR (attribute_not_exists(next_id) AND :id = :zero)",
        {":next": job_id + 1, ":id": job_id, ":zero": 0},
    )
    actions: list[Any] = [{"Update": counter}, {"Put": _put_new(marshal(job))}]
    if "input" in job:
        upload = upload_key(job["owner"], job["filename"], job["input"]["sha256"])
        upload |= marshal({"job_id": job_id, "expires_at": job["expires_at"]})
        actions.append({"Put": _put_new(upload)})
    return not table.transact(actions)


def _put_new(item: dict[str, Any]) -> dict[str, Any]:
    """Nothing is overwritten but what has expired and DynamoDB has not removed yet."""
    return {
        "TableName": table.table_name(),
        "Item": item,
        "ConditionExpression": "attribute_not_exists(pk) OR expires_at <= :now",
        "ExpressionAttributeValues": marshal({":now": table.seconds()}),
    }


def _new_job(
    owner: str,
    job_id: int,
    filename: str,
    given: Input | None,
    params: dict[str, Any] | None,
) -> dict[str, Any]:
    now = table.timestamp()
    values = {
        "pk": owner_key(owner),
        "sk": job_sort_key(job_id),
        "owner": owner,
        "job_id": job_id,
        "filename": filename,
        "status": Status.UPLOADED.value if given else Status.PENDING.value,
        "created_at": now,
        "uploaded_at": now if given else None,
        "input": input_attribute(given) if given else None,
        "params": json.dumps(params, sort_keys=True) if params else None,
        "expires_at": table.expiry(),
    }
    return {name: value for name, value in values.items() if value is not None}


def upload_key(owner: str, filename: str, sha256: str) -> dict[str, Any]:
    return marshal({"pk": owner_key(owner), "sk": f"UP#{upload_id_of(filename, sha256)}"})


def arrive(job: Job, given: Input) -> bool:
    """PENDING → UPLOADED with its file; False if the job was not waiting for one."""
    return table.update_job(
        job.owner,
        job.job_id,
        "SET #status = :uploaded, #input = :input, uploaded_at = :now",
        "#status = :pending",
        {
            ":pending": Status.PENDING.value,
            ":uploaded": Status.UPLOADED.value,
            ":input": input_attribute(given),
            ":now": table.timestamp(),
        },
    )


def refuse(job: Job, error: dict[str, Any]) -> bool:
    """PENDING or UPLOADED → FAILED: what came cannot be used; False if the job has moved on."""
    return table.update_job(
        job.owner,
        job.job_id,
        "SET #status = :failed, #error = :error, finished_at = :now",
        "#status = :was AND #status IN (:pending, :uploaded)",
        {
            ":was": job.status.value,
            ":pending": Status.PENDING.value,
            ":uploaded": Status.UPLOADED.value,
            ":failed": Status.FAILED.value,
            ":error": json.dumps(error),
            ":now": table.timestamp(),
        },
    )


def is_handled(owner: str, event: str) -> bool:
    """Whether `remember` was told of this event."""
    return table.get_item(_event_key(owner, event)) is not None


def remember(owner: str, event: str) -> None:
    """Note an event that has been handled, for as long as it may be delivered again."""
    item = _event_key(owner, event) | marshal({"expires_at": table.expiry()})
    aws.dynamodb().put_item(TableName=table.table_name(), Item=item)


def _event_key(owner: str, event: str) -> dict[str, Any]:
    digest = hashlib.sha256(event.encode(errors="surrogatepass")).hexdigest()
    return marshal({"pk": owner_key(owner), "sk": f"EV#{digest}"})
