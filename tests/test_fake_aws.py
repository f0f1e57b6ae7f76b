"""The AWS of the tests answers as AWS does, where ours is not as moto has it."""

from copy import deepcopy
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from harness.fake_aws.environment import BUCKET, TABLE

OF_EVERY_TYPE = {
    "text": {"S": "a"},
    "none of it": {"S": ""},
    "number": {"N": "1.50"},
    "bytes": {"B": b"\x00\xff"},
    "truth": {"BOOL": False},
    "nothing": {"NULL": True},
    "texts": {"SS": ["a", "b"]},
    "numbers": {"NS": ["1", "2"]},
    "many bytes": {"BS": [b"\x00", b"\xff"]},
    "list": {"L": [{"S": "a"}, {"L": []}, {"M": {"b": {"B": b"\x01"}}}]},
    "map": {"M": {"S": {"S": "a"}, "deep": {"M": {"number": {"N": "2"}}}, "empty": {"M": {}}}},
}

A, B, C = (  # three items of one partition
    {"pk": {"S": "a"}, "sk": {"S": name}} for name in "abc"
)
GROWS = {
    "UpdateExpression": (
        "SET #list = list_append(#list, :more), #map.#deep.#number = #map.#deep.#number + :one"
        " ADD texts :texts REMOVE nothing"
    ),
    "ExpressionAttributeNames": {f"#{name}": name for name in ("list", "map", "deep", "number")},
    "ExpressionAttributeValues": {
        ":more": {"L": [{"S": "b"}]},
        ":one": {"N": "1"},
        ":texts": {"SS": ["b", "c"]},
    },
}
DELETED = {"Delete": {"TableName": TABLE, "Key": B}}
WRITES = [
    {"Update": {"TableName": TABLE, "Key": A, "ConditionExpression": "#list <> :one"} | GROWS},
    {"Put": {"TableName": TABLE, "Item": C}},
    DELETED,
]
UNMET = {
    "ConditionCheck": {
        "TableName": TABLE,
        "Key": A | {"sk": {"S": "d"}},
        "ConditionExpression": "attribute_exists(pk)",
    }
}


def test_an_item_comes_back_as_it_was_put_with_attributes_of_every_type(aws: Any) -> None:
    key: Any = {"pk": {"S": "a"}, "sk": {"S": "b"}}
    aws.dynamodb().put_item(TableName=TABLE, Item=key | OF_EVERY_TYPE)
    assert aws.dynamodb().get_item(TableName=TABLE, Key=key)["Item"] == key | OF_EVERY_TYPE


def test_an_update_changes_what_is_deep_in_an_item_and_tells_what_was_there(aws: Any) -> None:
    aws.dynamodb().put_item(TableName=TABLE, Item=A | OF_EVERY_TYPE)
    answer = aws.dynamodb().update_item(TableName=TABLE, Key=A, ReturnValues="ALL_OLD", **GROWS)
    assert answer["Attributes"] == A | OF_EVERY_TYPE
    assert _there(aws) == [A | _grown()]


def test_a_transaction_does_all_of_its_writes(aws: Any) -> None:
    _put(aws, A, B)
    aws.dynamodb().transact_write_items(TransactItems=WRITES)
    assert _there(aws) == [A | _grown(), C]


@pytest.mark.parametrize("fails", [UNMET, DELETED], ids=["unmet condition", "one item twice"])
def test_a_transaction_that_fails_changes_nothing(aws: Any, fails: Any) -> None:
    """And what is written afterwards is written to what is there."""
    _put(aws, A, B)
    for _ in range(2):
        with pytest.raises(ClientError):
            aws.dynamodb().transact_write_items(TransactItems=[*WRITES, fails])
        assert _there(aws) == [A | OF_EVERY_TYPE, B | OF_EVERY_TYPE]
    aws.dynamodb().update_item(TableName=TABLE, Key=B, **GROWS)
    assert _there(aws) == [A | OF_EVERY_TYPE, B | _grown()]


def test_a_condition_is_about_the_names_and_values_it_comes_with(aws: Any) -> None:
    _put(aws, A)
    for name, value, holds in [
        ("text", {"S": "a"}, True),
        ("text", {"S": "b"}, False),
        ("number", {"N": "1.5"}, True),
        ("absent", {"N": "1.5"}, False),
    ]:
        found = aws.dynamodb().query(
            TableName=TABLE,
            KeyConditionExpression="pk = :pk",
            FilterExpression="#name = :value AND NOT attribute_exists(absent)",
            ExpressionAttributeNames={"#name": name},
            ExpressionAttributeValues={":pk": {"S": "a"}, ":value": value},
        )
        assert found["Count"] == holds


def test_a_condition_with_a_reserved_word_is_refused_each_time(aws: Any) -> None:
    _put(aws, A)
    for _ in range(2):
        with pytest.raises(ClientError, match="reserved keyword: name"):
            aws.dynamodb().delete_item(
                TableName=TABLE,
                Key=A,
                ConditionExpression="name = :value",
                ExpressionAttributeValues={":value": {"S": "a"}},
            )
    assert _there(aws) == [A | OF_EVERY_TYPE]


def test_an_item_of_more_than_400_kb_is_refused(aws: Any) -> None:
    with pytest.raises(ClientError, match="Item size"):
        aws.dynamodb().put_item(
            TableName=TABLE, Item=A | {name: {"S": "é" * 100_000} for name in "xyz"}
        )


def test_versions_that_were_listed_are_still_there(aws: Any) -> None:
    for body in (b"1", b"2"):
        aws.s3().put_object(Bucket=BUCKET, Key="a", Body=body)
    for _ in range(2):
        listed = aws.s3().list_object_versions(Bucket=BUCKET)["Versions"]
        assert [one["IsLatest"] for one in listed] == [True, False]
        bodies = [
            aws.s3().get_object(Bucket=BUCKET, Key="a", VersionId=one["VersionId"])["Body"].read()
            for one in listed
        ]
        assert bodies == [b"2", b"1"]


def _put(aws: Any, *keys: Any) -> None:
    for key in keys:
        aws.dynamodb().put_item(TableName=TABLE, Item=key | OF_EVERY_TYPE)


def _there(aws: Any) -> Any:
    return aws.dynamodb().query(
        TableName=TABLE,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": "a"}},
    )["Items"]


def _grown() -> dict[str, Any]:
    grown: dict[str, Any] = deepcopy(OF_EVERY_TYPE)
    grown["list"]["L"].append({"S": "b"})
    grown["map"]["M"]["deep"]["M"]["number"]["N"] = "3"
    grown["texts"]["SS"].append("c")
    del grown["nothing"]
    return grown


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_a_connection_takes_the_next_call_after_every_answer(
    aws: Any, aws_endpoint: str, method: str
) -> None:
    aws.s3().put_object(Bucket=BUCKET, Key="a", Body=b"1, 2\n")
    connection = HTTPConnection(urlsplit(aws_endpoint).netloc, timeout=10)
    connection.connect()
    opened = connection.sock
    for key in ("missing", "a"):
        connection.request(method, f"/{BUCKET}/{key}", b"3, 4\n" if method == "PUT" else None)
        connection.getresponse().read()
    connection.request("GET", f"/{BUCKET}")
    assert connection.getresponse().status == 200
    assert connection.sock is opened
