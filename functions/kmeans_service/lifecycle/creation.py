"""How a job comes to be: with its file, or waiting for it."""

import hashlib
import json
import time
from dataclasses import replace
from typing import Any

from boto3.dynamodb.conditions import Attr

from kmeans_service import config, keys
from kmeans_service.errors import OverQuota, Unavailable
from kmeans_service.lifecycle import reads
from kmeans_service.lifecycle.items import init_attribute, input_attribute, recipe_attributes
from kmeans_service.lifecycle.job import CONVERTING, Input, Job, PartedUpload, Status, upload_id_of
from kmeans_service.owners import quota
from kmeans_service.owners.quota import Holdings
from kmeans_service.recipes.recipe import Recipe
from kmeans_service.stored_object import StoredObject
from kmeans_service.table import clock, queries, writes
from kmeans_service.table.expressions import NOT_THERE, Condition, has, removes, sets
from kmeans_service.table.keys import LOOKED_AFTER, Key, event_key, job_key, upload_key
from kmeans_service.table.values import marshal, stored_bytes_in, unmarshal
from kmeans_service.table.writes import putting, updating

# What only a job has whose file is on its way.
NOT_ON_ITS_WAY = ("progress", "parts", "gsi1pk", "due_at")


def find_upload(owner: str, filename: str, given: Input) -> int | None:
    """The job that was made for this file name and these bytes, if it has not expired."""
    item = unmarshal(queries.get_item(key_of_upload(owner, filename, given)) or {})
    return item["job_id"] if item and item["expires_at"] > time.time() else None


def admit(owner: str, filename: str, given: Input | None, size: int = 0) -> Holdings | int:
    """The owner's counters where there is room for one more job, or the job of this very upload.

    Raises TooManyJobs or StorageFull.
    """
    refusal: OverQuota | None = None
    try:
        held = quota.room_for(owner, given.stored_bytes if given else size)
    except OverQuota as error:
        refusal = error
    # Looked for last: what took the room may have been this very upload, sent at the same time.
    found = find_upload(owner, filename, given) if given else None
    if found is not None:
        return found
    if refusal:
        raise refusal
    return held


def create(
    owner: str,
    filename: str,
    given: Input | None,
    recipe: Recipe | None = None,
    held: Holdings | None = None,
    *,
    warnings: tuple[str, ...] = (),
    init: StoredObject | None = None,
    reading: dict[str, str] | None = None,
    converting: bool = False,
    in_parts: int = 0,
) -> int:
    """A new job's id, or that of the job which this very upload already made.

    The job is UPLOADED, or PENDING if its file has yet to come; `recipe` is then that of the
    fit that its arrival starts. Ids are dense from 0.

    held       the owner's counters, where there was room a moment ago
    warnings   about the file, a sentence each
    init       where the parameters' initial centers are
    reading    how a file that has yet to come is to be read
    converting the file is put where the worker is told of it, to be converted: PENDING until then
    in_parts   bytes of a file that will be sent in parts: they count from now on
    Raises TooManyJobs or StorageFull, and Unavailable if the counters are contended beyond reason.
    """
    for _ in writes.tries():
        admitted = held or admit(owner, filename, given, in_parts)
        if isinstance(admitted, int):
            return admitted
        job = _new_job(owner, admitted.next_id, filename, given)
        if converting and given:
            job |= _to_convert(owner, admitted.next_id, given)
        if in_parts:
            job |= _in_parts(owner, admitted.next_id, in_parts)
        if recipe:
            job |= recipe_attributes(recipe)
        if warnings:
            job["warnings"] = list(warnings)
        if init:
            job["init"] = init_attribute(init)
        if reading:
            job["reading"] = reading
        if _create(admitted, job, given):
            return admitted.next_id
        held = None
    raise Unavailable("Too many uploads at once")


def _create(held: Holdings, job: dict[str, Any], given: Input | None) -> bool:
    """One transaction: the counters move on, the job is there, its upload is known; or nothing."""
    owner, expires_at = job["owner"], job["expires_at"]
    item = job_key(owner, job["job_id"]) | marshal(job)
    actions = [
        quota.new_job(owner, held, stored_bytes_in(item), expires_at),
        putting(item, _is_free()),
    ]
    if given:
        upload = key_of_upload(owner, job["filename"], given)
        upload |= marshal({"job_id": job["job_id"], "expires_at": expires_at})
        actions.append(putting(upload, _is_free()))
    return not writes.transact(actions)


def _is_free() -> Condition:
    """Nothing is overwritten but what has expired and DynamoDB has not removed yet."""
    return NOT_THERE | Attr("expires_at").lte(clock.seconds())


def _new_job(
    owner: str,
    job_id: int,
    filename: str,
    given: Input | None,
) -> dict[str, Any]:
    now = clock.timestamp()
    values = {
        "owner": owner,
        "job_id": job_id,
        "filename": filename,
        "status": Status.UPLOADED.value if given else Status.PENDING.value,
        "created_at": now,
        "uploaded_at": now if given else None,
        "input": input_attribute(given) if given else None,
        "expires_at": clock.expiry(),
    }
    return {name: value for name, value in values.items() if value is not None}


def _in_parts(owner: str, job_id: int, size: int) -> dict[str, Any]:
    upload = PartedUpload(keys.awaited_input(owner, job_id), size, config.PART_BYTES)
    due = clock.seconds(config.PARTS_SECONDS)
    return {"parts": upload.as_item(), "gsi1pk": LOOKED_AFTER, "due_at": due}


def _to_convert(owner: str, job_id: int, given: Input) -> dict[str, Any]:
    placed = replace(given, key=keys.awaited_input(owner, job_id))
    return {
        "status": Status.PENDING.value,
        "input": input_attribute(placed),
        "reading": given.reading,
        "progress": CONVERTING,
    }


def key_of_upload(owner: str, filename: str, given: Input) -> Key:
    return upload_key(owner, upload_id_of(filename, given))


def arrive(job: Job, given: Input, warnings: tuple[str, ...] = ()) -> bool:
    """PENDING → UPLOADED with its file; False if the job was not waiting for one.

    warnings   about the file, a sentence each

    Raises StorageFull if the owner has no room for it.
    """
    change = sets(
        status=Status.UPLOADED,
        input=input_attribute(given),
        uploaded_at=clock.timestamp(),
        warnings=list(warnings),
    ) | removes(*NOT_ON_ITS_WAY)
    arrival = updating(job_key(job.owner, job.job_id), change, has({"status": Status.PENDING}))
    more = given.stored_bytes - job.file_bytes
    for _ in writes.tries():
        quota.room_for(job.owner, more, jobs=0)
        if not writes.transact([arrival, quota.new_file(job.owner, more)]):
            return True
        if reads.get(job.owner, job.job_id).status is not Status.PENDING:
            return False
    raise Unavailable("Too many uploads at once")


def converting(job: Job) -> None:
    """Say that the file of a PENDING job has come and is being converted."""
    key = job_key(job.owner, job.job_id)
    writes.is_updated(key, sets(progress=CONVERTING), has({"status": Status.PENDING}))


def refuse(job: Job, error: dict[str, Any], given: Input | None = None) -> bool:
    """PENDING or UPLOADED → FAILED: what came cannot be used; False if the job has moved on.

    given   the job's file, where it was that before it was looked at
    """
    refused = sets(status=Status.FAILED, error=json.dumps(error), finished_at=clock.timestamp())
    refused |= removes(*NOT_ON_ITS_WAY)
    if given:
        refused |= sets(input=input_attribute(given))
    refusable = Attr("status").is_in((Status.PENDING, Status.UPLOADED))
    key, held = job_key(job.owner, job.job_id), has({"status": job.status}) & refusable
    if job.parts is None:
        return writes.is_updated(key, refused, held)
    action = updating(key, refused, held & Attr("parts").exists())
    for _ in writes.tries():
        _ = quota.read(job.owner)  # which makes sure that there are counters
        if not writes.transact([action, quota.more(job.owner, -job.parts.size)]):
            return True
        if reads.get(job.owner, job.job_id).status is not job.status:
            return False
    raise Unavailable("Too many uploads at once")


def is_handled(owner: str, event: str) -> bool:
    """Whether `remember` was told of this event."""
    return queries.get_item(_event_key(owner, event)) is not None


def remember(owner: str, event: str) -> None:
    """Note an event that has been handled, for as long as it may be delivered again."""
    item = _event_key(owner, event) | marshal({"expires_at": clock.expiry()})
    writes.put(item)


def _event_key(owner: str, event: str) -> Key:
    digest = hashlib.sha256(event.encode(errors="surrogatepass")).hexdigest()
    return event_key(owner, digest)
