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

from kmeans_service import aws
from kmeans_service.lifecycle.job import Job
from kmeans_service.line.estimates import fit_seconds
from kmeans_service.table import table
from kmeans_service.table.values import UNREADABLE, marshal, unmarshal

LINE = "Q"
# In seconds: no work waits for a clock that is behind that of who put it in line.
CLOCKS_DIFFER = 10


@dataclass(frozen=True)
class Work:
    """Something to do for an owner.

    since    its place in the owner's line, epoch milliseconds: it is not begun before
    name     what it is, the same however often it is asked for
    seconds  an estimate of how long it takes
    tries    how often it was begun, where nobody else counts
    what     the job and its fit, or an object that came into the bucket
    """

    owner: str
    since: int
    name: str
    seconds: int
    tries: int = 0
    what: dict[str, Any] = field(default_factory=dict, hash=False)

    @property
    def sort_key(self) -> str:
        return f"{self.owner}#{self.since:013d}#{self.name}"

    def tried(self) -> "Work":
        return replace(self, tries=self.tries + 1)


def fit_of(job: Job) -> Work:
    """The fit that a QUEUED or RUNNING job is about."""
    if job.input is None or job.params is None:
        raise ValueError("a job that is to be fitted has a file and parameters")
    queued = datetime.fromisoformat(job.times["queued_at"]).timestamp()
    what = {"job_id": job.job_id, "fit_id": job.fit_id}
    seconds = int(fit_seconds(job.params, job.input))
    return Work(job.owner, int(queued * 1000), f"J{job.job_id}", seconds, what=what)


def add(work: Work) -> bool:
    """Put the work in line; False if it stands there already."""
    values = {"seconds": work.seconds, "what": json.dumps(work.what), "tries": work.tries}
    item = _key(work) | marshal(values | {"expires_at": table.expiry()})
    return table.put_new(item)


def is_in_line(work: Work) -> bool:
    return table.get_item(_key(work)) is not None


def done(work: Work) -> None:
    aws.dynamodb().delete_item(TableName=table.table_name(), Key=_key(work))


def begin(work: Work) -> int:
    """Which try this is, counted before it may crash; raises ConditionFailed if it is gone."""
    item = table.update(_key(work), "ADD tries :one", "attribute_exists(pk)", {":one": 1})
    return int(item["tries"]["N"])


def put_off(work: Work, seconds: float) -> None:
    """Back into line, behind whatever has come until then."""
    add(replace(work, since=int(table.seconds(seconds) * 1000)))
    done(work)


def lines(depth: int) -> Iterator[list[Work]]:
    """Of every owner's line, what is among the first `depth` and whose time has come."""
    now = table.seconds(CLOCKS_DIFFER) * 1000
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
    query: Any = {
        "TableName": table.table_name(),
        "KeyConditionExpression": "pk = :line AND sk > :place",
        "ExpressionAttributeValues": marshal({":line": LINE, ":place": place}),
        "ConsistentRead": True,
        "Limit": depth,
    }
    return [_work(item) for item in aws.dynamodb().query(**query)["Items"]]


def _work(item: dict[str, Any]) -> Work:
    """What cannot be read is nothing to do: whoever takes it removes it."""
    owner, since, name = item["sk"]["S"].split("#", 2)
    try:
        values = unmarshal(item)
        seconds, tries = int(values["seconds"]), int(values["tries"])
        return Work(owner, int(since), name, seconds, tries, dict(json.loads(values["what"])))
    except UNREADABLE:
        return Work(owner, int(since), name, 0, 0, {})


def _key(work: Work) -> dict[str, Any]:
    return marshal({"pk": LINE, "sk": work.sort_key})
