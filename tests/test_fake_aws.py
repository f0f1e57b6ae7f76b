"""The AWS of the tests answers as AWS does, where ours is not as moto has it."""

from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest

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


def test_an_item_comes_back_as_it_was_put_with_attributes_of_every_type(aws: Any) -> None:
    key: Any = {"pk": {"S": "a"}, "sk": {"S": "b"}}
    aws.dynamodb().put_item(TableName=TABLE, Item=key | OF_EVERY_TYPE)
    assert aws.dynamodb().get_item(TableName=TABLE, Key=key)["Item"] == key | OF_EVERY_TYPE


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
