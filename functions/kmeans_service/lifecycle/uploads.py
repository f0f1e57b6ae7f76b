"""A table becomes a job: read, stored, and only then known to the table."""

from typing import Any

from kmeans_service import config, keys
from kmeans_service.errors import InvalidParameter, ServiceError
from kmeans_service.json_values import shown
from kmeans_service.lifecycle import asides, creation, inputs, parts, reads
from kmeans_service.lifecycle.job import Input, Job
from kmeans_service.media_types import BINARY
from kmeans_service.owners import quota
from kmeans_service.owners.quota import Holdings
from kmeans_service.recipes.recipe import Recipe
from kmeans_service.storage import data_bucket, sha256_of
from kmeans_service.tables.dialect import Reading
from kmeans_service.tables.table import Table


def checked_filename(value: Any) -> str:
    """A file name is data, never part of a key: any text of sensible length."""
    if not _is_filename(value):
        raise InvalidParameter(
            f"filename is {shown(value)}; "
            f"allowed is a text of 1 to {config.MAX_FILENAME_LENGTH} characters",
            field="filename",
        )
    name: str = value
    return name


def _is_filename(value: Any) -> bool:
    if not isinstance(value, str) or not 1 <= len(value) <= config.MAX_FILENAME_LENGTH:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON lets through
        return False
    return True


def store(owner: str, filename: str, body: bytes, table: Table, reading: Reading) -> int:
    """The job of this upload, new or already there; `table` is what reading the body found.

    Raises TooManyJobs or StorageFull.
    """
    key, digest = keys.new_input(owner), sha256_of(body)
    given = inputs.of_table(table, reading, key, None, digest, len(body))
    bucket = data_bucket()
    admitted = creation.admit(owner, filename, given)
    if isinstance(admitted, int):
        return admitted
    bucket.put(given.key, body, "text/csv")
    given = asides.without_names(owner, asides.with_profile(owner, given, table))
    try:
        job_id = creation.create(owner, filename, given, held=admitted, warnings=table.guesses)
    except ServiceError:  # others took the room, or the ids, meanwhile
        bucket.delete(given.key)
        asides.forget(given)
        raise
    winner = reads.get(owner, job_id).input
    if winner is None or winner.key != given.key:
        bucket.delete(given.key)
        asides.forget(given)
    return job_id


def store_to_convert(owner: str, filename: str, body: bytes, reading: Reading) -> int:
    """The PENDING job of a file that the worker lets be converted, new or already there.

    The job comes first, the file after it: sent again, what was lost between them is made good.
    Raises TooManyJobs or StorageFull.
    """
    digest = sha256_of(body)
    given = Input("", None, digest, len(body), 0, 0, None, reading=reading.said())
    job_id = creation.create(owner, filename, given, converting=True)
    if reads.get(owner, job_id).is_converting:
        data_bucket().put_unless_there(keys.awaited_input(owner, job_id), body, BINARY)
    return job_id


def reserve(owner: str, filename: str, recipe: Recipe | None, reading: Reading) -> dict[str, Any]:
    """A PENDING job and the presigned POST that its file goes to.

    The form takes a file as large as there is room for. Raises TooManyJobs or StorageFull.
    """
    job_id, held = _reserved(owner, filename, recipe, reading)
    limits = config.limits()
    room = limits.stored_bytes - held.stored_bytes
    max_bytes = min(limits.file_bytes, config.ONE_PIECE_BYTES, room)
    key = keys.awaited_input(owner, job_id)
    return {
        "job_id": job_id,
        **data_bucket().presigned_post(key, max_bytes),
        "expires_in": config.PRESIGNED_SECONDS,
        "max_bytes": max_bytes,
    }


def reserve_parts(
    owner: str, filename: str, size: int, recipe: Recipe | None, reading: Reading
) -> Job:
    """A PENDING job whose file of so many bytes comes in parts; raises as `reserve`."""
    job_id, _ = _reserved(owner, filename, recipe, reading, in_parts=size)
    return parts.begin(parts.find(owner, job_id))


def _reserved(
    owner: str, filename: str, recipe: Recipe | None, reading: Reading, in_parts: int = 0
) -> tuple[int, Holdings]:
    held = quota.room_for(owner, in_parts or 1)
    init = None
    if recipe:
        recipe, init = asides.without_init(keys.inputs_of(owner), None, recipe.seeded())
    try:
        said = reading.said()
        job_id = creation.create(
            owner, filename, None, recipe, held, init=init, reading=said, in_parts=in_parts
        )
    except ServiceError:
        if init:
            data_bucket().delete(init.key)
        raise
    return job_id, held
