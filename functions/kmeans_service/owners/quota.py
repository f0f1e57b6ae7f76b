"""What an owner has, and whether there is room for more.

Two counters stand beside `next_id` in the owner's META item: their jobs, and the bytes of all
objects that their items name: files, models, what models have replaced, results of predictions,
what was made of models.
Every transaction by which an item comes to name one, or does so no more, moves them too. DynamoDB
alone removes items without a word, those that have expired: from `exact_until` on the counters may
be too high. So where they stand in the way from then on, and only there, all is counted anew.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass

from boto3.dynamodb.conditions import Attr

from kmeans_service import config
from kmeans_service.errors import OverQuota, StorageFull, TooManyJobs
from kmeans_service.table import live, queries, writes
from kmeans_service.table.expressions import Condition, adds, has, sets
from kmeans_service.table.keys import EXPLANATION, JOB, LEFTOVER, PREDICTION, meta_key, owner_key
from kmeans_service.table.values import stored_bytes_in, unmarshal
from kmeans_service.table.writes import Action, Item, updating

NEVER = 10**10  # the year 2286
# What the counters count. Those of versions before, which have no such note, are of files alone.
COUNTED = "files and results"
_KINDS = (JOB, PREDICTION, LEFTOVER, EXPLANATION)


@dataclass(frozen=True)
class Holdings:
    """An owner's counters; none of their jobs expires before `exact_until`, in epoch seconds."""

    next_id: int = 0
    jobs: int = 0
    stored_bytes: int = 0
    exact_until: int = NEVER


def room_for(owner: str, size: int, jobs: int = 1) -> Holdings:
    """The owner's counters, if so many more bytes and jobs fit.

    Raises TooManyJobs or StorageFull.
    """
    held = read(owner)
    while (refusal := _refusal(held, size, jobs)) and held.exact_until <= time.time():
        held = _count(owner, held)
    if refusal:
        raise refusal
    return held


def read(owner: str) -> Holdings:
    """The owner's counters as they stand; those of versions before are counted anew first."""
    item = unmarshal(queries.get_item(meta_key(owner)) or {})
    if item and (item.get("counted") != COUNTED or "jobs" not in item):
        before = item.get("jobs", 0), item.get("stored_bytes", 0)
        return _count(owner, Holdings(item["next_id"], *before))
    return Holdings(**{name: item[name] for name in Holdings.__annotations__ if name in item})


def _refusal(held: Holdings, size: int, jobs: int) -> OverQuota | None:
    limits = config.limits()
    if jobs and held.jobs + jobs > limits.jobs:
        return TooManyJobs(
            f"You have {held.jobs:,} jobs; at most {limits.jobs:,} are kept. "
            "Make room with DELETE /kmeans/jobs/{job_id}.",
            jobs=held.jobs,
            max_jobs=limits.jobs,
        )
    if held.stored_bytes + size > limits.stored_bytes:
        return StorageFull(
            f"Your files and their results have {held.stored_bytes:,} bytes; {size:,} more would "
            f"be over the {limits.stored_bytes:,} that are kept. "
            "Make room with DELETE /kmeans/jobs/{job_id}.",
            stored_bytes=held.stored_bytes,
            max_stored_bytes=limits.stored_bytes,
        )
    return None


def _count(owner: str, held: Holdings) -> Holdings:
    """The counters after counting, or as somebody else has changed them meanwhile."""
    jobs = stored_bytes = 0
    until = NEVER
    for item in _live_items(owner):
        jobs += item["sk"]["S"].startswith(JOB)
        stored_bytes += stored_bytes_in(item)
        ends = item.get("expires_at", {}).get("N")
        until = min(until, int(ends)) if ends else until
    change = sets(jobs=jobs, stored_bytes=stored_bytes, exact_until=until, counted=COUNTED)
    before = {"jobs": held.jobs, "stored_bytes": held.stored_bytes}
    as_read = has({"next_id": held.next_id}) & (Attr("jobs").not_exists() | has(before))
    if writes.is_updated(meta_key(owner), change, as_read):
        return Holdings(held.next_id, jobs, stored_bytes, until)
    return read(owner)


def _live_items(owner: str) -> Iterator[Item]:
    """All items that name objects, and have not expired."""
    for kind in _KINDS:
        for page in queries.below(owner_key(owner), kind, live.is_there()):
            yield from page


def new_job(owner: str, held: Holdings, size: int, expires_at: int) -> Action:
    """The part of a job's making: it takes the next id, and there still is room for it."""
    until = min(held.exact_until, expires_at)
    change = sets(next_id=held.next_id + 1, exact_until=until, counted=COUNTED)
    return updating(meta_key(owner), change | adds(jobs=1, stored_bytes=size), _room(held, size))


def _room(held: Holdings, size: int) -> Condition:
    if not held.next_id:
        return has({"next_id": None})
    as_read = has({"next_id": held.next_id, "counted": COUNTED})
    return as_read & Attr("jobs").lt(config.limits().jobs) & _bytes_fit(size)


def _bytes_fit(size: int) -> Condition:
    return Attr("stored_bytes").lte(config.limits().stored_bytes - size)


def new_file(owner: str, size: int) -> Action:
    """The part of a file's arrival at a job that waited for it: there still is room."""
    return updating(meta_key(owner), adds(stored_bytes=size), _bytes_fit(size))


def more(owner: str, size: int) -> Action:
    """The part of a publication: results are counted, and never refused."""
    return updating(meta_key(owner), adds(stored_bytes=size), has({"counted": COUNTED}))


def less(owner: str, size: int, *, exact: bool = True) -> Action:
    """The part of a job's deletion; without an exact size, all is counted when it matters next."""
    change = adds(jobs=-1, stored_bytes=-size)
    if not exact:
        change |= sets(exact_until=0)
    return updating(meta_key(owner), change, Attr("jobs").exists())
