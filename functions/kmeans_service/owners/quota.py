"""What an owner has, and whether there is room for more.

Two counters stand beside `next_id` in the owner's META item: their jobs, and the bytes of all
objects that their items name: files, models, what models have replaced, results of predictions.
Every transaction by which an item comes to name one, or does so no more, moves them too. DynamoDB
alone removes items without a word, those that have expired: from `exact_until` on the counters may
be too high. So where they stand in the way from then on, and only there, all is counted anew.
"""

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from kmeans_service import config
from kmeans_service.errors import OverQuota, StorageFull, TooManyJobs
from kmeans_service.lifecycle.job import GONE
from kmeans_service.table import table
from kmeans_service.table.keys import owner_key
from kmeans_service.table.values import marshal, stored_bytes_in, unmarshal

NEVER = 10**10  # the year 2286
# What the counters count. Those of versions before, which have no such note, are of files alone.
COUNTED = "files and results"
_KINDS = ("J#", "P#", "L#")


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
    item = unmarshal(table.get_item(meta_key(owner)) or {})
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
        jobs += item["sk"]["S"].startswith("J#")
        stored_bytes += stored_bytes_in(item)
        ends = item.get("expires_at", {}).get("N")
        until = min(until, int(ends)) if ends else until
    values = {
        ":jobs": jobs,
        ":bytes": stored_bytes,
        ":until": until,
        ":id": held.next_id,
        ":old_jobs": held.jobs,
        ":old_bytes": held.stored_bytes,
        ":counted": COUNTED,
    }
    with suppress(table.ConditionFailed):
        table.update(
            meta_key(owner),
            "SET jobs = :jobs, stored_bytes = :bytes, exact_until = :until, counted = :counted",
            "next_id = :id AND (attribute_not_exists(jobs) OR "
            "(jobs = :old_jobs AND stored_bytes = :old_bytes))",
            values,
        )
        return Holdings(held.next_id, jobs, stored_bytes, until)
    return read(owner)


def _live_items(owner: str) -> Iterator[dict[str, Any]]:
    """All items that name objects, and have not expired."""
    gone = {f":{status.value.lower()}": status.value for status in GONE}
    for kind in _KINDS:
        query = {
            "KeyConditionExpression": "pk = :pk AND begins_with(sk, :kind)",
            "FilterExpression": f"NOT #status IN ({', '.join(gone)}) AND NOT expires_at <= :now",
            "ExpressionAttributeNames": {"#status": "status"},
            "ExpressionAttributeValues": marshal(
                {":pk": owner_key(owner), ":kind": kind, ":now": table.seconds(), **gone}
            ),
            "ConsistentRead": True,
        }
        for page in table.pages(query):
            yield from page


def new_job(owner: str, held: Holdings, size: int, expires_at: int) -> dict[str, Any]:
    """The part of a job's making: it takes the next id, and there still is room for it."""
    limits = config.limits()
    values = {
        ":next": held.next_id + 1,
        ":until": min(held.exact_until, expires_at),
        ":one": 1,
        ":size": size,
        ":counted": COUNTED,
    }
    condition = "attribute_not_exists(next_id)"
    if held.next_id:
        condition = (
            "next_id = :id AND counted = :counted AND jobs < :most_jobs AND stored_bytes <= :room"
        )
        values |= {
            ":id": held.next_id,
            ":most_jobs": limits.jobs,
            ":room": limits.stored_bytes - size,
        }
    update = (
        "SET next_id = :next, exact_until = :until, counted = :counted "
        "ADD jobs :one, stored_bytes :size"
    )
    return {"Update": table.expression(meta_key(owner), update, condition, values)}


def new_file(owner: str, size: int) -> dict[str, Any]:
    """The part of a file's arrival at a job that waited for it: there still is room."""
    values = {":size": size, ":room": config.limits().stored_bytes - size}
    update, condition = "ADD stored_bytes :size", "stored_bytes <= :room"
    return {"Update": table.expression(meta_key(owner), update, condition, values)}


def more(owner: str, size: int) -> dict[str, Any]:
    """The part of a publication: results are counted, and never refused."""
    values = {":size": size, ":counted": COUNTED}
    update, condition = "ADD stored_bytes :size", "counted = :counted"
    return {"Update": table.expression(meta_key(owner), update, condition, values)}


def less(owner: str, size: int, *, exact: bool = True) -> dict[str, Any]:
    """The part of a job's deletion; without an exact size, all is counted when it matters next."""
    values = {":minus_one": -1, ":minus_size": -size} | ({} if exact else {":zero": 0})
    update, condition = "ADD jobs :minus_one, stored_bytes :minus_size", "attribute_exists(jobs)"
    if not exact:
        update += " SET exact_until = :zero"
    return {"Update": table.expression(meta_key(owner), update, condition, values)}


def meta_key(owner: str) -> dict[str, Any]:
    return marshal({"pk": owner_key(owner), "sk": "META"})
