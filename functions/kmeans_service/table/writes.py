"""Writes of the table: each under a condition, alone or several in one transaction."""

import random
import time
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from botocore.exceptions import ClientError

from kmeans_service import aws, config, direct
from kmeans_service.table.expressions import NOT_THERE, Change, Condition, Rendered
from kmeans_service.table.keys import Key

TRIES = 200
type Item = dict[str, Any]
# A part of a transaction.
type Action = dict[str, dict[str, Any]]


class ConditionFailed(Exception):
    """The condition of a write did not hold; `item` is what stands there, None if nothing."""

    def __init__(self, item: Item | None) -> None:
        super().__init__()
        self.item = item


class ItemTooLarge(Exception):
    """The item would have more than the 400 KB that DynamoDB takes."""


def updating(key: Key, change: Change, condition: Condition) -> Action:
    return {"Update": _request(change, condition) | {"Key": key}}


def putting(item: Item, condition: Condition | None = None) -> Action:
    return {"Put": _request(None, condition) | {"Item": item}}


def deleting(key: Key, condition: Condition) -> Action:
    return {"Delete": _request(None, condition) | {"Key": key}}


def checking(key: Key, condition: Condition) -> Action:
    return {"ConditionCheck": _request(None, condition) | {"Key": key}}


def _request(change: Change | None, condition: Condition | None) -> dict[str, Any]:
    rendered = Rendered().condition("ConditionExpression", condition)
    if change:
        rendered.change(change)
    return {"TableName": config.settings().jobs_table, **rendered.arguments}


def update(key: Key, change: Change, condition: Condition) -> Item:
    """The item after the update; raises ConditionFailed or ItemTooLarge."""
    request: Any = updating(key, change, condition)["Update"] | {
        "ReturnValues": "ALL_NEW",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    answer: Any = direct.dynamodb("UpdateItem", request)
    try:
        answer = answer or aws.dynamodb().update_item(**request)
    except ClientError as error:
        if _says_too_large(error):
            raise ItemTooLarge from error
        if not _says_condition_failed(error):
            raise
        found: Any = error.response
        raise ConditionFailed(found.get("Item")) from None
    item: Item = answer["Attributes"]
    return item


def is_updated(key: Key, change: Change, condition: Condition) -> bool:
    """Whether the condition held and the item was changed."""
    try:
        update(key, change, condition)
    except ConditionFailed:
        return False
    return True


def put(item: Item) -> None:
    aws.dynamodb().put_item(TableName=config.settings().jobs_table, Item=item)


def put_new(item: Item) -> bool:
    """Whether the item was put; False if there is one under its key."""
    request: Any = putting(item, NOT_THERE)["Put"]
    try:
        aws.dynamodb().put_item(**request)
    except ClientError as error:
        if not _says_condition_failed(error):
            raise
        return False
    return True


def delete(key: Key) -> None:
    aws.dynamodb().delete_item(TableName=config.settings().jobs_table, Key=key)


def tries() -> Iterator[int]:
    """For what many do at once: the more often it failed, the further apart the next tries."""
    for number in range(TRIES):
        yield number
        time.sleep(random.uniform(0, 0.01 * min(number + 1, 20)))  # noqa: S311


def transact(actions: Sequence[Action]) -> set[str]:
    """All of the actions or none: the codes of what stood in the way, empty if they were made.

    Conflicts with another transaction and failed conditions are answers; all else raises.
    """
    client = aws.dynamodb()
    # Asked for again under its token, a transaction that was made is not made twice.
    request: Any = {"TransactItems": actions, "ClientRequestToken": uuid.uuid4().hex}
    if direct.dynamodb("TransactWriteItems", request) is not None:
        return set()
    try:
        client.transact_write_items(**request)
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


def _says_condition_failed(error: ClientError) -> bool:
    return error.response["Error"]["Code"] == "ConditionalCheckFailedException"


def _says_too_large(error: ClientError) -> bool:
    """It has no code of its own."""
    told = error.response["Error"]
    return told["Code"] == "ValidationException" and "Item size" in told["Message"]
