"""What AWS answers on a bad day, and what becomes of it: busy is 503, our mistakes are 500."""

import json
import re
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)

from harness import contract, faults
from harness.api import MODEL_CSV, Client, Context, event
from harness.system import OWNER, item, keys, put
from kmeans_service import aws as aws_module
from kmeans_service.errors import JobGone, ModelDamaged
from kmeans_service.storage import ObjectMissing, data_bucket, sha256_of


def client_error(code: str, status: int = 400, *reasons: str) -> ClientError:
    response: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    if reasons:
        response["CancellationReasons"] = [{"Code": reason} for reason in reasons]
    return ClientError(response, "AnyCall")


BUSY = [
    *(
        client_error(code)
        for code in (
            "ProvisionedThroughputExceededException",
            "RequestLimitExceeded",
            "RequestTimeout",
            "SlowDown",
            "ThrottlingException",
            "TransactionConflictException",
            "TransactionInProgressException",
        )
    ),
    client_error("TransactionCanceledException", 400, "None", "TransactionConflict"),
    client_error("TransactionCanceledException", 400, "Throttling", "None"),
    client_error("InternalError", 500),
    client_error("503", 503),
    EndpointConnectionError(endpoint_url="https://aws"),
    ConnectTimeoutError(endpoint_url="https://aws"),
    ReadTimeoutError(endpoint_url="https://aws"),
]
OURS = [
    client_error("ValidationException"),
    client_error("AccessDenied", 403),
    client_error("NoSuchBucket", 404),
    client_error("ResourceNotFoundException"),
    client_error("TransactionCanceledException", 400, "None", "ValidationError"),
    client_error("ConditionalCheckFailedException", 499),
    ValueError("no answer of AWS's"),
]


@pytest.mark.parametrize("error", BUSY, ids=str)
def test_the_same_call_may_succeed_later(error: Exception) -> None:
    assert aws_module.is_transient(error)


@pytest.mark.parametrize("error", OURS, ids=str)
def test_the_same_call_would_fail_again(error: Exception) -> None:
    assert not aws_module.is_transient(error)


def answer_once(client: Any, operation: str, status: int, body: bytes) -> list[str]:
    struck: list[str] = []

    def answer(request: Any, **_: Any) -> AWSResponse | None:
        if struck:
            return None
        struck.append(request.url)
        return AWSResponse(request.url, status, {}, faults._Body(body))

    client.meta.events.register(f"before-send.*.{operation}", answer)
    return struck


def status_of(method: str, path: str) -> int:
    status: int = contract.handler_of(path)(event(method, path), Context())["statusCode"]
    return status


@pytest.mark.parametrize(
    ("code", "status"), [("ThrottlingException", 503), ("AccessDeniedException", 500)]
)
def test_a_list_that_dynamodb_refuses_is_busy_or_our_fault(
    client: Client, aws: Any, monkeypatch: pytest.MonkeyPatch, code: str, status: int
) -> None:
    monkeypatch.setattr("botocore.endpoint.time", faults.Hurried())
    client.upload()
    body = json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}"}).encode()

    def answer(request: Any, **_: Any) -> AWSResponse:
        return AWSResponse(request.url, 400, {}, faults._Body(body))

    aws.dynamodb().meta.events.register("before-send.*.Query", answer)
    assert status_of("GET", "/kmeans/jobs") == status


# --- objects --------------------------------------------------------------------------------


@pytest.mark.usefixtures("aws")
def test_an_object_is_written_once_and_the_same_bytes_again_are_no_error() -> None:
    bucket = data_bucket()
    first = bucket.put("inputs/a.csv", b"1,2\n", "text/csv")
    assert (first.key, first.size, first.sha256) == ("inputs/a.csv", 4, sha256_of(b"1,2\n"))
    assert bucket.put("inputs/a.csv", b"1,2\n", "text/csv") == first
    with pytest.raises(ClientError):
        bucket.put("inputs/a.csv", b"3,4\n", "text/csv")
    assert bucket.get(first) == b"1,2\n"
    assert keys() == ["inputs/a.csv"]


def test_a_write_that_is_refused_is_not_taken_for_one_that_was_made_before(aws: Any) -> None:
    data_bucket().put("inputs/a.csv", b"1,2\n", "text/csv")
    refused = b"<Error><Code>AccessDenied</Code></Error>"
    answer_once(aws.s3(), "PutObject", 403, refused)
    with pytest.raises(ClientError, match="AccessDenied"):
        data_bucket().put("inputs/a.csv", b"1,2\n", "text/csv")


@pytest.mark.parametrize("code", ["NoSuchKey", "NoSuchVersion"])
def test_an_object_that_is_not_there_is_told_from_one_that_may_not_be_read(
    aws: Any, code: str
) -> None:
    answer_once(aws.s3(), "GetObject", 404, f"<Error><Code>{code}</Code></Error>".encode())
    with pytest.raises(ObjectMissing):
        data_bucket().open("models/x", None)
    answer_once(aws.s3(), "GetObject", 403, b"<Error><Code>AccessDenied</Code></Error>")
    with pytest.raises(ClientError, match="AccessDenied"):
        data_bucket().open("models/x", None)


@pytest.mark.usefixtures("aws")
def test_an_object_is_read_in_the_version_that_was_checked_and_in_no_other() -> None:
    first = put("incoming/a.csv", b"first")
    put("incoming/a.csv", b"second")
    bucket = data_bucket()
    assert bucket.checked("incoming/a.csv", first, sha256_of(b"first")) == b"first"
    with pytest.raises(ModelDamaged):
        bucket.checked("incoming/a.csv", None, sha256_of(b"first"))
    bucket.delete("incoming/a.csv", first)
    assert keys() == ["incoming/a.csv"]
    with pytest.raises(JobGone):
        bucket.checked("incoming/a.csv", first, sha256_of(b"first"))


def test_a_link_is_to_one_object_in_one_version_under_its_name_for_a_quarter_of_an_hour(
    client: Client, aws: Any
) -> None:
    client.upload()
    named = ('attachment; filename="x"', "text/csv")
    url = data_bucket().presigned("GET", "inputs/a b.csv", *named, "v7")
    assert "/inputs/a%20b.csv?" in url
    for part in (
        "response-content-type=text%2Fcsv",
        "response-content-disposition=attachment%3B%20filename%3D%22x%22",
        "response-cache-control=",
        "versionId=v7",
        "X-Amz-Expires=900",
        "X-Amz-Algorithm=AWS4-HMAC-SHA256",
    ):
        assert part in url
    assert "versionId" not in data_bucket().presigned("GET", "inputs/a.csv", *named)
    assert aws.s3().meta.endpoint_url in url


def test_keys_hold_ids_and_no_name_of_a_users(client: Client) -> None:
    client.upload(filename="secret name.csv")
    client.fit(0)
    shapes = (
        rf"inputs/{OWNER}/[0-9a-f-]{{36}}\.csv",
        rf"models/{OWNER}/0/[0-9a-f]{{32}}/1/(centers\.npy|labels\.csv|manifest\.json)",
    )
    for key in keys():
        assert any(re.fullmatch(shape, key) for shape in shapes), key
    assert item()["input"]["key"] in keys()
    assert client.get("/kmeans/jobs/0/input").body == MODEL_CSV


def test_a_call_says_which_program_makes_it_and_nothing_of_the_machine(
    client: Client,  # noqa: ARG001 (an AWS)
) -> None:
    agents: list[bytes] = []

    def note(request: Any, **_: Any) -> None:
        agents.append(request.headers["User-Agent"])

    events = aws_module.s3().meta.events
    events.register("before-send.s3", note)
    data_bucket().put("models/agent", b"", "text/csv")
    events.unregister("before-send.s3", note)
    [agent] = agents
    assert agent.startswith(b"kmeans-service ")
    assert not re.search(rb"os/|md/|lang/", agent)
