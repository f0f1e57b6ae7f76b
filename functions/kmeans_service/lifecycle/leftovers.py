"""What a newer model has replaced: removed when no presigned URL leads to it any more.

pk         sk                      what
O#{owner}  L#{job_id}#{fence}      the objects of the model that this fence's has replaced

Written in the transaction that publishes the newer one, worked off by the sweeper. With them goes
all that attempts before this fence left behind: none of it was ever seen.
"""

from collections.abc import Iterator
from dataclasses import asdict
from itertools import batched

from kmeans_service import config, keys
from kmeans_service.lifecycle.job import Job
from kmeans_service.owners import quota
from kmeans_service.storage import data_bucket
from kmeans_service.table import clock, queries, writes
from kmeans_service.table.expressions import THERE, has
from kmeans_service.table.keys import (
    EXPLANATION,
    LEFT,
    LEFTOVER,
    PREDICTION,
    explained_fence,
    key_of,
    leftover_key,
    of_job,
    owner_key,
)
from kmeans_service.table.values import exactly, marshal, stored_bytes_in, unmarshal
from kmeans_service.table.writes import Action, Item, deleting, putting

# The clocks of two machines, and of S3, may differ.
MARGIN_SECONDS = 60


def note(claimed: Job) -> list[Action]:
    """The part of a publication: what the claim's model replaces; nothing if there is nothing."""
    if claimed.model is None and claimed.fence <= 1:
        return []
    objects = claimed.model.objects if claimed.model else ()
    values = {
        "owner": claimed.owner,
        "job_id": claimed.job_id,
        "fence": claimed.fence,
        "objects": [asdict(each) for each in objects],
        "gsi1pk": LEFT,
        "due_at": clock.seconds(config.PRESIGNED_SECONDS + MARGIN_SECONDS),
        "expires_at": max(claimed.expires_at, clock.expiry()),
    }
    key = leftover_key(claimed.owner, claimed.job_id, claimed.fence)
    return [putting(key | marshal(values))]


def due() -> Iterator[Item]:
    """Records whose time has come (eventually consistent)."""
    for page in queries.due(LEFT, clock.seconds()):
        yield from page


def remove(record: Item) -> None:
    """Remove the objects, and then the records, with which they are counted out."""
    values = unmarshal(record)
    owner, job_id, fence = values["owner"], values["job_id"], values["fence"]

    def is_left(key: str) -> bool:
        of = keys.fence_of(key)
        return of is not None and of < fence

    data_bucket().delete_prefix(keys.models_of(owner, job_id), is_left)
    for page in queries.below(owner_key(owner), of_job(EXPLANATION, job_id)):
        for explanations in batched(
            (e for e in page if explained_fence(e) < fence), 50, strict=False
        ):
            forget(owner, list(explanations))
    forget(owner, [record])


def forget_job(owner: str, job_id: int) -> None:
    """Remove what the table still has of a deleted job's objects, and count it out."""
    for kind in (LEFTOVER, PREDICTION, EXPLANATION):
        for page in queries.below(owner_key(owner), of_job(kind, job_id)):
            for records in batched(page, 50, strict=False):
                forget(owner, list(records))


def forget(owner: str, records: list[Item]) -> None:
    """Remove records that name objects, and count these out, once; those that are gone are gone."""
    for _ in writes.tries():
        _ = quota.read(owner)  # which makes sure that there are counters
        size = sum(map(stored_bytes_in, records))
        if not writes.transact([*map(_deletion, records), quota.more(owner, -size)]):
            return
        keys = map(key_of, records)
        records = [found for key in keys if (found := queries.get_item(key))]
        if not records:
            return


def _deletion(record: Item) -> Action:
    """Of a record as it was read: a prediction may just be getting its result."""
    result = exactly(record["result"]) if "result" in record else None
    return deleting(key_of(record), THERE & has({"result": result}))
