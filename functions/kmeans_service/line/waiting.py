"""What waits for the worker: a line for each owner, kept in the table, in the order of its coming.

pk   sk                         what
Q    {owner}#{since}#{name}     one piece of work: what to do, and how long it may take

It stands there until it is done, also while somebody is at it (`shares` knows who): whatever dies
meanwhile, the work is not lost. Messages of the queue only wake a worker up.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from typing import Any

from kmeans_service.lifecycle.explanations import Explanation
from kmeans_service.lifecycle.job import Job
from kmeans_service.line.estimates import fit_seconds
from kmeans_service.table import clock, queries, writes
from kmeans_service.table.expressions import THERE, adds
from kmeans_service.table.keys import LINE, Key, work_key, work_of
from kmeans_service.table.values import UNREADABLE, marshal, unmarshal

# In seconds: no work waits for a clock that is behind that of who put it in line.
CLOCKS_DIFFER = 10


@dataclass(frozen=True)
class Work:
    """Something to do for an owner.

    since    its place in the owner's line, epoch milliseconds: it is not begun before
    name     what it is, the same however often it is asked for
    seconds  an estimate of how long it takes
    tries    how often it was begun, where nobody else counts
    what     the job and its fit, an object that came into the bucket, or what a model is asked for
    """

    owner: str
    since: int
    name: str
    seconds: int
    tries: int = 0
    what: dict[str, Any] = field(default_factory=dict, hash=False)

    @property
    def key(self) -> Key:
        return work_key(self.owner, self.since, self.name)

    def tried(self) -> "Work":
        return replace(self, tries=self.tries + 1)


def fit_of(job: Job) -> Work:
    """The fit that a QUEUED or RUNNING job is about."""
    if job.input is None or job.recipe is None:
        raise ValueError("a job that is to be fitted has a file and a recipe")
    queued = datetime.fromisoformat(job.times["queued_at"]).timestamp()
    what = {"job_id": job.job_id, "fit_id": job.fit_id}
    elsewhere = job.is_elsewhere or job.recipe.engine == "spark"
    seconds = 0 if elsewhere else int(fit_seconds(job.recipe, job.input))
    return Work(job.owner, int(queued * 1000), f"J{job.job_id}", seconds, what=what)


def explanation_of(asked: Explanation, seconds: float) -> Work:
    """What is to be made of a model, with an estimate of how long it takes."""
    what = {
        "explain": asked.maker,
        "asked": asked.asked,
        "job": asked.job_id,
        "of_model": asked.of_model,
    }
    name = f"E{asked.job_id}-{asked.name}"
    return Work(asked.owner, asked.since, name, int(seconds), what=what)


def add(work: Work) -> bool:
    """Put the work in line; False if it stands there already."""
    values = {"seconds": work.seconds, "what": json.dumps(work.what), "tries": work.tries}
    item = work.key | marshal(values | {"expires_at": clock.expiry()})
    return writes.put_new(item)


def is_in_line(work: Work) -> bool:
    return queries.get_item(work.key) is not None


def done(work: Work) -> None:
    writes.delete(work.key)


def begin(work: Work) -> int:
    """Which try this is, counted before it may crash; raises ConditionFailed if it is gone."""
    item = writes.update(work.key, adds(tries=1), THERE)
    return int(item["tries"]["N"])


def put_off(work: Work, seconds: float) -> None:
    """Back into line, behind whatever has come until then."""
    add(replace(work, since=int(clock.seconds(seconds) * 1000)))
    done(work)


def lines(depth: int) -> Iterator[list[Work]]:
    """Of every owner's line, what is among the first `depth` and whose time has come."""
    now = clock.seconds(CLOCKS_DIFFER) * 1000
    place = "$"  # an owner's name has no such character, and none that is smaller
    while found := _behind(place, depth):
        owners = [work.owner for work in found]
        last = owners[-1]
        if len(found) == depth and owners[0] != last:
            found = found[: owners.index(last)]  # the rest of that line is on the next page
            place = last
        else:
            place = f"{last}$"  # behind the whole line
        for _, line in groupby(found, lambda work: work.owner):
            if ready := [work for work in line if work.since <= now]:
                yield ready


def _behind(place: str, depth: int) -> list[Work]:
    return [_work(item) for item in queries.behind(LINE, place, depth)]


def _work(item: dict[str, Any]) -> Work:
    """What cannot be read is nothing to do: whoever takes it removes it."""
    owner, since, name = work_of(item)
    try:
        values = unmarshal(item)
        seconds, tries = int(values["seconds"]), int(values["tries"])
        return Work(owner, since, name, seconds, tries, dict(json.loads(values["what"])))
    except UNREADABLE:
        return Work(owner, since, name, 0, 0, {})
