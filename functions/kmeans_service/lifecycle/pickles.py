"""The pickle of a published model, made when somebody asks for it: noted in the job and counted.

While a fit runs, the model that it will replace is as its claim has read it, to the byte: a pickle
that is made meanwhile is not noted. It goes with that model, or is noted the next time.
"""

from dataclasses import asdict, replace

from boto3.dynamodb.conditions import Attr

from kmeans_service.errors import Unavailable
from kmeans_service.lifecycle import reads
from kmeans_service.lifecycle.items import as_text
from kmeans_service.lifecycle.job import Job, Status
from kmeans_service.owners import quota
from kmeans_service.stored_object import StoredObject
from kmeans_service.table import writes
from kmeans_service.table.expressions import Change, has
from kmeans_service.table.keys import job_key
from kmeans_service.table.writes import Action, updating


def note(job: Job, pickle: StoredObject, versions: dict[str, str]) -> Job:
    """The job with the pickle of its model, this one or one that somebody noted before.

    Raises JobGone or JobNotFound; the pickle is of no job then.
    """
    for _ in writes.tries():
        published = job.published
        _ = quota.read(job.owner)  # which makes sure that there are counters
        actions = [_noting(job, pickle, versions), quota.more(job.owner, pickle.size)]
        noted = not writes.transact(actions)
        found = job if noted else reads.get(job.owner, job.job_id)
        if found.published.pickle:
            return found
        if noted or found.status is Status.RUNNING or found.published != published:
            return replace(job, model=replace(published, pickle=pickle, versions=versions))
        job = found
    raise Unavailable(f"Job {job.job_id} is changing")


def _noting(job: Job, pickle: StoredObject, versions: dict[str, str]) -> Action:
    change = Change({("model", "model"): asdict(pickle), ("model", "versions"): as_text(versions)})
    same = Attr("model.centers.key").eq(job.published.centers.key) & has({"model.model": None})
    still = ~Attr("status").is_in([Status.RUNNING, Status.DELETING, Status.DELETED])
    return updating(job_key(job.owner, job.job_id), change, same & still)
