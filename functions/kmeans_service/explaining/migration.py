"""Which rows went from which cluster of another job's fit to which of this one's."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from kmeans_service import config
from kmeans_service.arrays import Array
from kmeans_service.errors import (
    FitConflict,
    InvalidParameter,
    JobGone,
    JobNotFound,
    ModelDamaged,
    NotFitted,
    quoted,
)
from kmeans_service.explaining import moves
from kmeans_service.explaining.moves import Moves, Repeated
from kmeans_service.lifecycle import asides, inputs, reads
from kmeans_service.lifecycle.job import Job
from kmeans_service.lifecycle.names import names_of
from kmeans_service.line.estimates import BYTES_PER_SECOND
from kmeans_service.media_types import JSON
from kmeans_service.storage import LOST_RESULT, ObjectMissing, data_bucket
from kmeans_service.streams import ByteStream, Keep, Kept, WholeRead
from kmeans_service.tables.table import Table
from kmeans_service.tables.texts import DIGEST_BYTES, digests_of

VERSION = 1
QUERY = ("from", "key")
SUFFIX = ".json"
# Of either file, where rows are joined by a key: what is held of them has 20 bytes a row.
MAX_KEYED_ROWS = 10_000_000
ROWS_PER_SECOND = 200_000


def media_type(_job: Job) -> str:
    return JSON


def asked(job: Job, query: Mapping[str, str]) -> dict[str, Any]:
    """Raises InvalidParameter, and JobNotFound or NotFitted of the other job."""
    other, key = _other(job, query.get("from")), query.get("key")
    if key is None:
        _check_rows(job, other)
    else:
        for each in (job, other):
            _column(each, inputs.table_of(each.checked_input), key)
    return {
        "from": other.job_id,
        "of_model": other.published.centers.key,
        "key": key,
        "names": [names_of(each).version for each in (other, job)],
    }


def seconds(job: Job, asked: Mapping[str, Any]) -> float:
    """The other file is likely to be as large."""
    given = job.checked_input
    read = given.rows.size / BYTES_PER_SECOND if asked["key"] is not None else 0.0
    return 2 * (read + given.n_samples / ROWS_PER_SECOND)


def make(job: Job, asked: Mapping[str, Any], keep: Keep) -> Iterator[bytes]:
    other = _found(job.owner, asked["from"])
    if other.published.centers.key != asked["of_model"]:
        raise FitConflict(f"Job {other.job_id} was fitted anew meanwhile; ask again")
    found = _counted(job, other, asked["key"], keep)
    yield json.dumps(_document(job, other, asked["key"], found), ensure_ascii=False).encode()


def _other(job: Job, text: str | None) -> Job:
    if text is None:
        raise InvalidParameter(
            "the query parameter 'from' is missing; it is the id of the job to compare with",
            field="from",
        )
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(config.MAX_JOB_ID))):
        raise InvalidParameter(f"from is {quoted(text)}; allowed is a job's id", field="from")
    return _found(job.owner, int(text))


def _found(owner: str, job_id: int) -> Job:
    """Fitted, and there; raises JobNotFound or NotFitted."""
    try:
        other = reads.get(owner, job_id)
        _ = other.published
    except (JobNotFound, JobGone) as missing:
        raise JobNotFound(f"from: {missing.detail}", field="from") from None
    except NotFitted as unfitted:
        raise NotFitted(f"from: {unfitted.detail}", field="from") from None
    return other


def _check_rows(job: Job, other: Job) -> None:
    ours, theirs = job.checked_input.n_samples, other.checked_input.n_samples
    if ours != theirs:
        raise InvalidParameter(
            f"job {job.job_id} has {ours:,} rows and job {other.job_id} has {theirs:,}: which of "
            "them are the same is not known; name the column that tells, with key=COLUMN",
            field="key",
        )


def _column(job: Job, table: Table, key: str) -> int:
    """The place of the column of this name, or else of this number from 1."""
    names, width = table.names or (), len(table.columns)
    if key in names:
        return names.index(key)
    if key.isascii() and key.isdigit() and len(key) < 10 and 1 <= int(key) <= width:
        return int(key) - 1
    raise InvalidParameter(
        f"key is {quoted(key)}, and the file of job {job.job_id} has no such column; allowed is "
        f"the name of a column of both files, or its number from 1 to {width}",
        field="key",
    )


def _counted(job: Job, other: Job, key: str | None, keep: Keep) -> Moves:
    shape = (len(other.published.numbers), len(job.published.numbers))
    old, new = _labels(other, keep), _labels(job, keep)
    if key is None:
        return moves.by_row(old, new, shape)
    keyed = [
        (_keys(each, key, keep), np.concatenate(list(labels)))
        for each, labels in ((other, old), (job, new))
    ]
    return moves.by_key(keyed[0], keyed[1], shape)


def _labels(job: Job, keep: Keep) -> Iterator[Array]:
    """Raises JobGone or ModelDamaged."""
    stored = job.published.labels

    def opened() -> ByteStream:
        try:
            return Kept(data_bucket().open(stored.key, None).stream, keep)
        except ObjectMissing:
            raise JobGone(LOST_RESULT) from None

    source = WholeRead(opened)
    stream = source()
    yield from moves.labels_in(iter(lambda: stream.read(moves.BLOCK_BYTES), b""))
    if source.finish().sha256 != stored.sha256:
        raise ModelDamaged("The stored labels are not those that were written")


def _keys(job: Job, key: str, keep: Keep) -> Array:
    """Digests of a column's cells, shape (n_samples,); raises InvalidParameter."""
    given = asides.whole(job).checked_input
    if given.n_samples > MAX_KEYED_ROWS:
        raise InvalidParameter(
            f"key: the file of job {job.job_id} has {given.n_samples:,} rows; at most "
            f"{MAX_KEYED_ROWS:,} are joined by a key",
            field="key",
        )
    table = inputs.table_of(given)
    column = _column(job, table, key)
    found = np.empty(given.n_samples, dtype=f"S{DIGEST_BYTES}")
    at = 0
    with inputs.reading(given, keep) as source:
        for digests in digests_of(source, table, column):
            if None in digests:
                raise _no_key(job, key, f"row {at + digests.index(None) + 1} has no value there")
            found[at : at + len(digests)] = digests
            at += len(digests)
    try:
        moves.check_different(found)
    except Repeated as twice:
        rows = f"rows {twice.first + 1} and {twice.second + 1} have the same value there"
        raise _no_key(job, key, rows) from None
    return found


def _no_key(job: Job, key: str, why: str) -> InvalidParameter:
    return InvalidParameter(
        f"key is {quoted(key)}, which tells no rows apart in the file of job {job.job_id}: {why}; "
        "allowed is a column in which every row has a value of its own",
        field="key",
    )


def _document(job: Job, other: Job, key: str | None, found: Moves) -> dict[str, Any]:
    both = int(found.matrix.sum())
    ours, theirs = np.array(job.published.numbers), np.array(other.published.numbers)
    stayed = int(found.matrix[theirs[:, np.newaxis] == ours].sum())
    return {
        "job_id": job.job_id,
        "from": other.job_id,
        **({"key": key} if key is not None else {}),
        "clusters": _clusters(job, found.matrix.sum(axis=0) + found.arrived),
        "clusters_from": _clusters(other, found.matrix.sum(axis=1) + found.left),
        "matrix": found.matrix.tolist(),
        "arrived": found.arrived.tolist(),
        "left": found.left.tolist(),
        "n_both": both,
        "n_stayed": stayed,
    }


def _clusters(job: Job, sizes: Array) -> list[dict[str, Any]]:
    names = names_of(job).clusters
    return [
        {"label": label, "number": number, "name": names.get(number), "size": size}
        for label, (number, size) in enumerate(
            zip(job.published.numbers, sizes.tolist(), strict=True)
        )
    ]
