"""A job's end: marked, its objects removed once nobody can be writing any, then a tombstone."""

import time
from typing import Any

from kmeans_service.errors import JobGone, Unavailable
from kmeans_service.jobs import reads, table
from kmeans_service.jobs.creation import upload_key
from kmeans_service.jobs.items import job_key, marshal
from kmeans_service.jobs.job import Job, Status
from kmeans_service.storage import data_bucket


def delete(owner: str, job_id: int) -> None:
    """Delete the job; raises JobNotFound or JobGone.

    From here on it is gone for everybody. Its objects go now, or with the sweeper if a fit may
    still be writing some: that fit loses its fence, and its lease runs out.
    """
    job = reads.get(owner, job_id)
    _begin(job)
    if not has_live_lease(job):
        finish(job)


def has_live_lease(job: Job) -> bool:
    return job.lease_until >= time.time()


def finish(job: Job) -> None:
    """Remove all of a DELETING job's objects and leave the tombstone."""
    bucket = data_bucket()
    if job.input is not None:
        bucket.delete(job.input.key)
    for kind in ("pending", "models", "results"):
        bucket.delete_prefix(f"{kind}/{job.owner}/{job.job_id}/")
    _bury(job)


def _begin(job: Job) -> None:
    """Any → DELETING, in one transaction with forgetting the upload."""
    mark = table.expression(
        job_key(job.owner, job.job_id),
        "SET #status = :deleting, gsi1pk = :active, due_at = :due",
        "attribute_exists(pk) AND NOT #status IN (:deleting, :deleted)",
        {
            ":deleting": Status.DELETING.value,
            ":deleted": Status.DELETED.value,
            ":active": table.LOOKED_AFTER,
            ":due": max(table.seconds(), job.lease_until),
        },
    )
    actions: list[Any] = [{"Update": mark}]
    if job.input is not None:
        forget = {
            "TableName": table.table_name(),
            "Key": upload_key(job.owner, job.filename, job.input.sha256),
            "ConditionExpression": "attribute_not_exists(job_id) OR job_id = :id",
            "ExpressionAttributeValues": marshal({":id": job.job_id}),
        }
        actions.append({"Delete": forget})
    obstacles = table.transact(actions)
    if "ConditionalCheckFailed" in obstacles:
        raise JobGone(f"Job {job.job_id} was deleted or has expired")
    if obstacles:
        raise Unavailable(f"Job {job.job_id} is changing")


def _bury(job: Job) -> None:
    """DELETING → DELETED: a tombstone that expires; the id stays used."""
    table.update_job(
        job.owner,
        job.job_id,
        "SET #status = :deleted, expires_at = :expires REMOVE filename, #input, #model, "
        "#error, params, fit_id, progress, lease_until, gsi1pk, due_at",
        "#status = :deleting",
        {
            ":deleting": Status.DELETING.value,
            ":deleted": Status.DELETED.value,
            ":expires": table.expiry(),
        },
    )
