"""Reads of the table: consistent, as they decide what is done next, but those of the index."""

from collections.abc import Iterator
from typing import Any

from boto3.dynamodb.conditions import Key as KeyAttr

from kmeans_service import aws, config, direct
from kmeans_service.table.expressions import Condition, Rendered
from kmeans_service.table.keys import Key

MOST_IN_A_PAGE = 2_000
type Item = dict[str, Any]


def get_item(key: Key) -> Item | None:
    """The item as DynamoDB types it, or None."""
    request: Any = {"TableName": config.settings().jobs_table, "Key": key, "ConsistentRead": True}
    answer: Any = direct.dynamodb("GetItem", request)
    if answer is None:
        answer = aws.dynamodb().get_item(**request)
    item: Item | None = answer.get("Item")
    return item


def below(
    pk: str,
    prefix: str,
    only: Condition | None = None,
    *,
    expected: int | None = None,
    newest_first: bool = False,
    after: Key | None = None,
) -> Iterator[list[Item]]:
    """Pages of the items under `pk` whose sort keys begin with the prefix, and that are `only` so.

    expected  how many are likely to be wanted
    after     the key of the last item that is not to come again
    """
    query = _query(KeyAttr("pk").eq(pk) & KeyAttr("sk").begins_with(prefix), only)
    query |= {"ConsistentRead": True, "ScanIndexForward": not newest_first}
    return _pages(query | ({"ExclusiveStartKey": after} if after else {}), expected)


def due(group: str, until: int, only: Condition | None = None) -> Iterator[list[Item]]:
    """Pages of a group of the sparse index, due by then (eventually consistent)."""
    query = _query(KeyAttr("gsi1pk").eq(group) & KeyAttr("due_at").lte(until), only)
    return _pages(query | {"IndexName": "active"})


def behind(pk: str, place: str, count: int) -> list[Item]:
    """The first items whose sort keys are greater than `place`."""
    query: Any = _query(KeyAttr("pk").eq(pk) & KeyAttr("sk").gt(place))
    return aws.dynamodb().query(**query, ConsistentRead=True, Limit=count)["Items"]


def _query(key: Condition, only: Condition | None = None) -> dict[str, Any]:
    rendered = Rendered().condition("KeyConditionExpression", key)
    rendered.condition("FilterExpression", only)
    return {"TableName": config.settings().jobs_table, **rendered.arguments}


def _pages(request: Any, expected: int | None = None) -> Iterator[list[Item]]:
    """As large as they come, or `expected` items at first.

    What is filtered out counts too, so that the pages grow until enough was found.
    """
    while True:
        if expected:
            request["Limit"], expected = expected, min(4 * expected, MOST_IN_A_PAGE)
        answer = aws.dynamodb().query(**request)
        yield answer["Items"]
        if "LastEvaluatedKey" not in answer:
            return
        request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
