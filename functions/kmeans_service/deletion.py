"""A job's end: marked, its objects removed once nobody can be writing any, then a tombstone."""

import time

from kmeans_service.job import Job
from kmeans_service.jobs import job_table
from kmeans_service.storage import data_bucket


def delete(owner: str, job_id: int) -> None:
    """Delete the job; raises JobNotFound or JobGone.

    From here on it is gone for everybody. Its objects go now, or with the sweeper if a fit may
    still be writing some: that fit loses its fence, and its lease runs out.
    """
    job = job_table().get(owner, job_id)
    job_table().begin_delete(job)
    if not has_live_lease(job):
        finish(job)


def has_live_lease(job: Job) -> bool:
    return job.lease_until >= time.time()


def finish(job: Job) -> None:
    """Remove all of a DELETING job's objects and leave the tombstone."""
    bucket = data_bucket()
    if job.input is not None:
        bucket.delete(job.input.key)
    bucket.delete_prefix(f"pending/{job.owner}/{job.job_id}.csv")
    bucket.delete_prefix(f"models/{job.owner}/{job.job_id}/")
    bucket.delete_prefix(f"predictions/{job.owner}/{job.job_id}/")
    job_table().finish_delete(job)
