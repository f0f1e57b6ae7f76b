"""What a newer model has replaced: removed when no presigned URL leads to it any more.

pk         sk                      what
O#{owner}  L#{job_id}#{fence}      the objects of the model that this fence's has replaced

Written in the transaction that publishes the newer one, worked off by the sweeper. With them goes
all that attempts before this fence left behind: none of it was ever seen.
"""

import re
from collections.abc import Iterator
from dataclasses import asdict
from itertools import batched
from typing import Any

from kmeans_service import config
from kmeans_service.lifecycle.job import Job
from kmeans_service.owners import quota
from kmeans_service.storage import data_bucket
from kmeans_service.table import table
from kmeans_service.table.keys import owner_key
from kmeans_service.table.values import marshal, stored_bytes_in, unmarshal

# Of the sparse index, beside the jobs that somebody must look after.
LEFT = "LEFT"
# The clocks of two machines, and of S3, may differ.
MARGIN_SECONDS = 60
_ATTEMPT = re.compile(r"models/[^/]+/[0-9]+/[^/]+/([0-9]+)/[^/]+")


def note(claimed: Job) -> list[dict[str, Any]]:
    """The part of a publication: what the claim's model replaces; nothing if there is nothing."""
    if claimed.model is None and claimed.fence <= 1:
        return []
    objects = claimed.model.objects if claimed.model else ()
    values = {
        "pk": owner_key(claimed.owner),
        "sk": f"L#{claimed.job_id:010d}#{claimed.fence:010d}",
        "owner": claimed.owner,
        "job_id": claimed.job_id,
        "fence": claimed.fence,
        "objects": [asdict(each) for each in objects],
        "gsi1pk": LEFT,
        "due_at": table.seconds(config.PRESIGNED_SECONDS + MARGIN_SECONDS),
        "expires_at": max(claimed.expires_at, table.expiry()),
    }
    return [{"Put": {"TableName": table.table_name(), "Item": marshal(values)}}]


def due() -> Iterator[dict[str, Any]]:
    """Records whose time has come (eventually consistent)."""
    query = {
        "IndexName": "active",
        "KeyConditionExpression": "gsi1pk = :left AND due_at <= :now",
        "ExpressionAttributeValues": marshal({":left": LEFT, ":now": table.seconds()}),
    }
    for page in table.pages(query):
        yield from page


def remove(record: dict[str, Any]) -> None:
    """Remove the objects, and then the record, with which they are counted out."""
    values = unmarshal(record)
    owner, job_id, fence = values["owner"], values["job_id"], values["fence"]

    def is_left(key: str) -> bool:
        attempt = _ATTEMPT.fullmatch(key)
        return attempt is not None and int(attempt[1]) < fence

    data_bucket().delete_prefix(f"models/{owner}/{job_id}/", is_left)
    forget(owner, [record])


def forget_job(owner: str, job_id: int) -> None:
    """Remove what the table still has of a deleted job's objects, and count it out."""
    for kind in ("L#", "P#"):
        query = {
            "KeyConditionExpression": "pk = :pk AND begins_with(sk, :kind)",
            "ExpressionAttributeValues": marshal(
                {":pk": owner_key(owner), ":kind": f"{kind}{job_id:010d}#"}
            ),
            "ConsistentRead": True,
        }
        for page in table.pages(query):
            for records in batched(page, 50, strict=False):
                forget(owner, list(records))


def forget(owner: str, records: list[dict[str, Any]]) -> None:
    """Remove records that name objects, and count these out, once; those that are gone are gone."""
    for _ in table.tries():
        _ = quota.read(owner)  # which makes sure that there are counters
        deletions = [{"Delete": _deletion(record)} for record in records]
        size = sum(map(stored_bytes_in, records))
        if not table.transact([*deletions, quota.more(owner, -size)]):
            return
        keys = [{name: record[name] for name in ("pk", "sk")} for record in records]
        records = [found for key in keys if (found := table.get_item(key))]
        if not records:
            return


def _deletion(record: dict[str, Any]) -> dict[str, Any]:
    """Of a record as it was read: a prediction may just be getting its result."""
    return {
        "TableName": table.table_name(),
        "Key": {name: record[name] for name in ("pk", "sk")},
        "ConditionExpression": "attribute_exists(pk) AND "
        + ("#result = :result" if "result" in record else "attribute_not_exists(#result)"),
        "ExpressionAttributeNames": {"#result": "result"},
        **(
            {"ExpressionAttributeValues": {":result": record["result"]}}
            if "result" in record
            else {}
        ),
    }
