"""A job's end: marked, its objects removed once nobody can be writing any, then a tombstone."""

from boto3.dynamodb.conditions import Attr

from kmeans_service import keys
from kmeans_service.errors import Unavailable
from kmeans_service.lifecycle import asides, datasets, elsewhere, lease, leftovers, parts, reads
from kmeans_service.lifecycle.creation import find_upload, key_of_upload
from kmeans_service.lifecycle.items import job_or_damaged
from kmeans_service.lifecycle.job import Job, Status
from kmeans_service.lifecycle.names import as_named
from kmeans_service.owners import quota
from kmeans_service.storage import data_bucket
from kmeans_service.table import clock, live, queries, writes
from kmeans_service.table.expressions import THERE, Condition, has, removes, sets
from kmeans_service.table.keys import LOOKED_AFTER, job_key
from kmeans_service.table.writes import Action, deleting, updating


def delete(owner: str, job_id: int) -> Job | None:
    """Delete the job, and return what is left of it to end: None for nothing.

    From here on it is gone for everybody. Its objects go now, or with the sweeper if a fit may
    still be writing some: that fit loses its fence, and its lease runs out, or its run is
    cancelled. Raises JobNotFound or JobGone.
    """
    for _ in writes.tries():
        if _begin(reads.find(owner, job_id)):
            break
    else:
        raise Unavailable(f"Job {job_id} is changing")
    # Only now do its input and its lease stand still.
    item = queries.get_item(job_key(owner, job_id))
    marked = job_or_damaged(item) if item else None
    if marked is None or is_in_hands(marked):
        return marked
    finish(marked)
    return None


def is_in_hands(job: Job) -> bool:
    """Whether somebody may be writing: who holds the lease, or a run, until it is cancelled."""
    return is_worked_at(job) or bool(elsewhere.runs_of(job))


def is_worked_at(job: Job) -> bool:
    """Whether a worker holds the lease; that of a run is its own."""
    return lease.is_live(job.lease_until) and job.run is None


def finish(job: Job) -> None:
    """Remove all of a DELETING job's objects and leave the tombstone."""
    if job.input is not None:
        if job.input.dataset:
            datasets.remove(job.input)
        # A key that users write to has other versions, which are other jobs' files.
        data_bucket().delete(job.input.key, job.input.version_id)
        asides.forget(job.input)
    parts.remove(job)
    if job.init is not None:
        data_bucket().delete(job.init.key)
    remove_objects(job.owner, job.job_id)
    leftovers.forget_job(job.owner, job.job_id)
    _bury(job)


def remove_objects(owner: str, job_id: int) -> None:
    """Remove every object that lies under the job's id."""
    for prefix in keys.all_of_job(owner, job_id):
        data_bucket().delete_prefix(prefix)


def _begin(job: Job) -> bool:
    """Any → DELETING, in one transaction with forgetting the upload and counting the job out.

    False if the job or its owner's counters are changing.
    """
    _ = quota.read(job.owner)  # which makes sure that there are counters
    damaged = job.status is Status.DAMAGED
    marked = sets(status=Status.DELETING, gsi1pk=LOOKED_AFTER, due_at=clock.seconds())
    there = THERE & live.is_there()
    as_read = there if damaged else there & _as_it_was(job)
    actions = [
        updating(job_key(job.owner, job.job_id), marked, as_read),
        quota.less(job.owner, job.stored_bytes, exact=not damaged),
        *_forget_upload(job),
    ]
    return not writes.transact(actions)


def _as_it_was(job: Job) -> Condition:
    """No file has come meanwhile, no model, no pickle of it, no names: what is counted out."""
    if job.model:
        model: Condition = Attr("model.centers.key").eq(job.model.centers.key)
        model = model if job.model.pickle else model & has({"model.model": None})
    else:
        model = has({"model": None})
    model &= Attr("parts").exists() if job.parts else has({"parts": None})
    model &= as_named(job)
    if job.input is None:
        return model & has({"input": None})
    return model & Attr("input.n_samples").eq(job.input.n_samples)  # more is kept once it is read


def _forget_upload(job: Job) -> list[Action]:
    """Nothing to forget if the same upload again would not lead to this job."""
    given = job.input
    if given is None or find_upload(job.owner, job.filename, given) != job.job_id:
        return []
    key = key_of_upload(job.owner, job.filename, given)
    return [deleting(key, has({"job_id": job.job_id}))]


def _bury(job: Job) -> None:
    """DELETING → DELETED: a tombstone that expires; the id stays used."""
    gone = removes(
        *("filename", "input", "model", "error", "params", "init", "drawn", "crash", "fit_id"),
        *("progress", "lease_until", "gsi1pk", "due_at", "parts", "name", "names", "audited"),
        *("run", "spent", "is_long"),
    )
    buried = sets(status=Status.DELETED, expires_at=clock.expiry()) | gone
    key = job_key(job.owner, job.job_id)
    writes.is_updated(key, buried, has({"status": Status.DELETING}))
