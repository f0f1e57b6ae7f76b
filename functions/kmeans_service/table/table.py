"""What all writes and reads of the table share."""

import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from kmeans_service import aws, config
from kmeans_service.table import direct_read
from kmeans_service.table.keys import job_key
from kmeans_service.table.values import marshal

# Of the sparse index: the jobs that somebody must look after.
LOOKED_AFTER = "ACTIVE"
TRIES = 200
MOST_IN_A_PAGE = 2_000
# Attribute names that are words which DynamoDB reserves.
_RESERVED = {
    "#status": "status",
    "#input": "input",
    "#error": "error",
    "#model": "model",
    "#result": "result",
    "#key": "key",
}


def timestamp(at: float | None = None) -> str:
    """Now, or another time in epoch seconds, as it is shown."""
    return datetime.fromtimestamp(time.time() if at is None else at, UTC).isoformat(
        timespec="milliseconds"
    )


def seconds(ahead: float = 0) -> int:
    """Now, or a time ahead, as it is compared."""
    return int(time.time() + ahead)


def expiry() -> int:
    return seconds(config.settings().job_expiry_days * 86_400)


def table_name() -> str:
    return config.settings().jobs_table


def get_item(key: dict[str, Any]) -> dict[str, Any] | None:
    """The item as DynamoDB types it, or None. Consistent: reads decide what is done next."""
    request: Any = {"TableName": table_name(), "Key": key, "ConsistentRead": True}
    answer: Any = direct_read.get_item(request)
    if answer is None:
        answer = aws.dynamodb().get_item(**request)
    item: dict[str, Any] | None = answer.get("Item")
    return item


def pages(query: dict[str, Any], expected: int | None = None) -> Iterator[list[dict[str, Any]]]:
    """The items of a query, a page at a time: as large as they come, or `expected` items at first.

    What is filtered out counts too, so that the pages grow until enough was found.
    """
    request: Any = {"TableName": table_name(), **query}
    while True:
        if expected:
            request["Limit"], expected = expected, min(4 * expected, MOST_IN_A_PAGE)
        answer = aws.dynamodb().query(**request)
        yield answer["Items"]
        if "LastEvaluatedKey" not in answer:
            return
        request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def expression(
    key: dict[str, Any],
    update: str,
    condition: str,
    values: dict[str, Any],
    names: dict[str, str] | None = None,
) -> dict[str, Any]:
    """The arguments of a conditional update; `names` are those that only this one has."""
    used = {name: real for name, real in _RESERVED.items() if name in update + condition}
    used |= names or {}
    return {
        "TableName": table_name(),
        "Key": key,
        "UpdateExpression": update,
        "ConditionExpression": condition,
        **({"ExpressionAttributeNames": used} if used else {}),
        "ExpressionAttributeValues": marshal(values),
    }


class ConditionFailed(Exception):
    """The condition of a write did not hold; `item` is what stands there, None if nothing."""

    def __init__(self, item: dict[str, Any] | None) -> None:
        super().__init__()
        self.item = item


class ItemTooLarge(Exception):
    """The item would have more than the 400 KB that DynamoDB takes."""


def _says_too_large(error: ClientError) -> bool:
    """It has no code of its own."""
    told = error.response["Error"]
    return told["Code"] == "ValidationException" and "Item size" in told["Message"]


def update(
    key: dict[str, Any],
    change: str,
    condition: str,
    values: dict[str, Any],
    names: dict[str, str] | None = None,
) -> dict[str, Any]:
    """The item after the update; raises ConditionFailed or ItemTooLarge."""
    arguments: Any = expression(key, change, condition, values, names)
    try:
        answer = aws.dynamodb().update_item(
            **arguments,
            ReturnValues="ALL_NEW",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    except ClientError as error:
        if _says_too_large(error):
            raise ItemTooLarge from error
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        found: Any = error.response
        raise ConditionFailed(found.get("Item")) from None
    return answer["Attributes"]


def put_new(item: dict[str, Any]) -> bool:
    """Whether the item was put; False if there is one under its key."""
    condition = "attribute_not_exists(pk)"
    try:
        aws.dynamodb().put_item(TableName=table_name(), Item=item, ConditionExpression=condition)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        return False
    return True


def update_job(
    owner: str, job_id: int, change: str, condition: str, values: dict[str, Any]
) -> bool:
    """Whether the condition held and the job was changed."""
    try:
        update(job_key(owner, job_id), change, condition, values)
    except ConditionFailed:
        return False
    return True


def tries() -> Iterator[int]:
    """For what many do at once: the more often it failed, the further apart the next tries."""
    for number in range(TRIES):
        yield number
        time.sleep(random.uniform(0, 0.01 * min(number + 1, 20)))  # noqa: S311


def transact(actions: list[Any]) -> set[str]:
    """All of the actions or none: the codes of what stood in the way, empty if they were made.

    Conflicts with another transaction and failed conditions are answers; all else raises.
    """
    client = aws.dynamodb()
    try:
        client.transact_write_items(TransactItems=actions)
    except client.exceptions.TransactionCanceledException as error:
        if "Item size" in str(error.response["CancellationReasons"]):
            raise ItemTooLarge from error
        codes = {str(reason.get("Code")) for reason in error.response["CancellationReasons"]}
        if codes.isdisjoint(("ConditionalCheckFailed", "TransactionConflict")):
            raise
        return codes - {"None"}
    except ClientError as error:
        if _says_too_large(error):
            raise ItemTooLarge from error
        raise
    return set()
