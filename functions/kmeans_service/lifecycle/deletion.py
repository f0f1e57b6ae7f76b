"""A job's end: marked, its objects removed once nobody can be writing any, then a tombstone."""

import time
from typing import Any

from kmeans_service.errors import Unavailable
from kmeans_service.lifecycle import asides, leftovers, reads
from kmeans_service.lifecycle.creation import find_upload, upload_key
from kmeans_service.lifecycle.items import job_or_damaged
from kmeans_service.lifecycle.job import Job, Status
from kmeans_service.owners import quota
from kmeans_service.storage import data_bucket
from kmeans_service.table import table
from kmeans_service.table.keys import job_key
from kmeans_service.table.values import marshal


def delete(owner: str, job_id: int) -> None:
    """Delete the job; raises JobNotFound or JobGone.

    From here on it is gone for everybody. Its objects go now, or with the sweeper if a fit may
    still be writing some: that fit loses its fence, and its lease runs out.
    """
    for _ in table.tries():
        if _begin(reads.find(owner, job_id)):
            break
    else:
        raise Unavailable(f"Job {job_id} is changing")
    # Only now do its input and its lease stand still.
    item = table.get_item(job_key(owner, job_id))
    if item and not has_live_lease(marked := job_or_damaged(item)):
        finish(marked)


def has_live_lease(job: Job) -> bool:
    return job.lease_until >= time.time()


def finish(job: Job) -> None:
    """Remove all of a DELETING job's objects and leave the tombstone."""
    if job.input is not None:
        # A key that users write to has other versions, which are other jobs' files.
        data_bucket().delete(job.input.key, job.input.version_id)
        asides.forget(job.input)
    if job.init is not None:
        data_bucket().delete(job.init.key)
    remove_objects(job.owner, job.job_id)
    leftovers.forget_job(job.owner, job.job_id)
    _bury(job)


def remove_objects(owner: str, job_id: int) -> None:
    """Remove every object that lies under the job's id."""
    for kind in ("pending", "models", "results"):
        data_bucket().delete_prefix(f"{kind}/{owner}/{job_id}/")


def _begin(job: Job) -> bool:
    """Any → DELETING, in one transaction with forgetting the upload and counting the job out.

    False if the job or its owner's counters are changing.
    """
    _ = quota.read(job.owner)  # which makes sure that there are counters
    damaged = job.status is Status.DAMAGED
    condition, values = ("", {}) if damaged else _as_it_was(job)
    mark = table.expression(
        job_key(job.owner, job.job_id),
        "SET #status = :deleting, gsi1pk = :active, due_at = :due",
        "attribute_exists(pk) AND NOT #status IN (:deleting, :deleted) AND NOT expires_at <= :now"
        + condition,
        {
            ":deleting": Status.DELETING.value,
            ":deleted": Status.DELETED.value,
            ":active": table.LOOKED_AFTER,
            ":due": table.seconds(),
            ":now": table.seconds(),
            **values,
        },
    )
    counted_out = quota.less(job.owner, job.stored_bytes, exact=not damaged)
    return not table.transact([{"Update": mark}, counted_out, *_forget_upload(job)])


def _as_it_was(job: Job) -> tuple[str, dict[str, Any]]:
    """No file has come and no model meanwhile: they are what is counted out."""
    condition = "" if job.input else " AND attribute_not_exists(#input)"
    if job.model is None:
        return condition + " AND attribute_not_exists(#model)", {}
    return condition + " AND #model.centers.#key = :centers", {":centers": job.model.centers.key}


def _forget_upload(job: Job) -> list[dict[str, Any]]:
    """Nothing to forget if the same upload again would not lead to this job."""
    given = job.input
    if given is None or find_upload(job.owner, job.filename, given.sha256) != job.job_id:
        return []
    forget = {
        "TableName": table.table_name(),
        "Key": upload_key(job.owner, job.filename, given.sha256),
        "ConditionExpression": "job_id = :id",
        "ExpressionAttributeValues": marshal({":id": job.job_id}),
    }
    return [{"Delete": forget}]


def _bury(job: Job) -> None:
    """DELETING → DELETED: a tombstone that expires; the id stays used."""
    table.update_job(
        job.owner,
        job.job_id,
        "SET #status = :deleted, expires_at = :expires REMOVE filename, #input, #model, "
        "#error, params, init, drawn, crash, fit_id, progress, lease_until, gsi1pk, due_at",
        "#status = :deleting",
        {
            ":deleting": Status.DELETING.value,
            ":deleted": Status.DELETED.value,
            ":expires": table.expiry(),
        },
    )
