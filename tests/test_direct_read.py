"""Reads of the table past botocore's client, and what becomes of them when something is wrong."""

import json
import multiprocessing
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials, ReadOnlyCredentials
from botocore.exceptions import ClientError
from urllib3.util import wait_for_read

from harness.api import Client
from harness.fake_aws.state import forget_clients
from kmeans_service import aws, config
from kmeans_service.fitting.engines.child import Child
from kmeans_service.table import direct_read, queries
from kmeans_service.table.keys import job_key

KEY = job_key("tester", 0)
REQUEST = {"TableName": "jobs", "Key": KEY, "ConsistentRead": True}
ITEM = {"Item": {"pk": {"S": "O#tester"}}}


class DynamoDb:
    """A stand-in that answers what a test says, and counts who connects."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, bytes]] = []
        self.connections = self.calls = 0
        self.hangs_up = False


@pytest.fixture
def dynamodb(monkeypatch: pytest.MonkeyPatch) -> Iterator[DynamoDb]:
    fake = DynamoDb()

    class Connection(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            fake.connections += 1

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            fake.calls += 1
            status, body = fake.answers.pop(0) if fake.answers else (200, json.dumps(ITEM).encode())
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            self.close_connection = fake.hangs_up

        do_GET = do_POST  # noqa: N815 (the server asks for it)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Connection)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_address[1]}")
    forget_clients()
    config.settings.cache_clear()
    yield fake
    server.shutdown()
    server.server_close()
    forget_clients()


def error(name: str) -> bytes:
    return json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{name}"}).encode()


@pytest.mark.parametrize("token", [None, "a-session's-token"])
def test_the_signature_is_botocores(token: str | None) -> None:
    body = json.dumps(REQUEST).encode()
    ours = direct_read.signed(
        "host:1234", "eu-central-1", ReadOnlyCredentials("id", "secret", token), body
    )
    headers = {"Content-Type": direct_read.CONTENT_TYPE, "X-Amz-Target": direct_read.TARGET}
    request = AWSRequest("POST", "http://host:1234/", headers=headers, data=body)
    SigV4Auth(Credentials("id", "secret", token), "dynamodb", "eu-central-1").add_auth(request)
    if ours["x-amz-date"] == request.headers["X-Amz-Date"]:  # not over a second's turn
        assert ours["authorization"] == request.headers["Authorization"]
    assert ours.get("x-amz-security-token") == request.headers.get("X-Amz-Security-Token")


def test_a_read_answers_what_the_client_would(client: Client) -> None:
    client.upload()
    name = config.settings().jobs_table
    theirs = aws.dynamodb().get_item(TableName=name, Key=KEY, ConsistentRead=True)["Item"]
    asked: list[object] = []
    aws.dynamodb().meta.events.register("before-call", lambda **_: asked.append(1))
    assert queries.get_item(KEY) == theirs
    assert queries.get_item(job_key("tester", 99)) is None
    assert asked == []


def test_one_connection_is_kept(dynamodb: DynamoDb) -> None:
    for _ in range(5):
        assert direct_read.get_item(REQUEST) == ITEM
    assert (dynamodb.connections, dynamodb.calls) == (1, 5)


def test_a_connection_that_was_closed_meanwhile_is_made_anew(dynamodb: DynamoDb) -> None:
    dynamodb.hangs_up = True
    for _ in range(3):
        assert direct_read.get_item(REQUEST) == ITEM
        _wait_for_the_end_of_the_connection()
    assert dynamodb.connections == 3


def _wait_for_the_end_of_the_connection() -> None:
    connection = direct_read._connections.connection
    assert connection is not None
    if connection.sock:
        assert wait_for_read(connection.sock, 5)


@pytest.mark.parametrize(
    "answer",
    [
        (500, b""),
        (503, b"busy"),
        (400, error("ThrottlingException")),
        (200, b"{torn"),
    ],
)
def test_the_client_asks_again_where_there_is_no_plain_answer(
    dynamodb: DynamoDb, answer: tuple[int, bytes]
) -> None:
    dynamodb.answers = [answer]
    assert queries.get_item(KEY) == ITEM["Item"]
    assert dynamodb.calls == 2
    assert direct_read.get_item(REQUEST) == ITEM


def test_a_refusal_is_the_clients_error(dynamodb: DynamoDb) -> None:
    dynamodb.answers = [(400, error("ResourceNotFoundException"))] * 2
    with pytest.raises(ClientError, match="ResourceNotFound"):
        queries.get_item(KEY)


@pytest.mark.usefixtures("dynamodb")
def test_nothing_is_read_past_a_proxy_or_without_credentials(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(aws, "credentials", lambda: None)
        assert direct_read.get_item(REQUEST) is None
    direct_read._connections.forget()
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    assert direct_read.get_item(REQUEST) is None
    direct_read._connections.forget()


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_every_thread_and_process_has_its_own_connection(dynamodb: DynamoDb) -> None:
    def read() -> None:
        assert direct_read.get_item(REQUEST) == ITEM

    starts: list[Callable[..., Any]] = [
        threading.Thread,
        multiprocessing.get_context("fork").Process,
    ]
    read()
    for start in starts:
        other = start(target=read)
        other.start()
        other.join()
        assert getattr(other, "exitcode", 0) == 0
    read()
    assert (dynamodb.connections, dynamodb.calls) == (3, 4)


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
@pytest.mark.parametrize(
    "call",
    [
        lambda: aws.dynamodb().get_item(TableName="jobs", Key=KEY)["Item"]["pk"]["S"],
        lambda: aws.s3().get_object(Bucket="data", Key="a.csv")["Body"].read().decode(),
        lambda: aws.sqs().get_queue_url(QueueName="line").get("QueueUrl", ""),
    ],
    ids=["dynamodb", "s3", "sqs"],
)
def test_a_fit_in_a_child_never_reads_the_answers_of_its_parent(
    dynamodb: DynamoDb, call: Callable[[], str]
) -> None:
    """On one connection they would: the parent renews the lease while the child reads the file."""
    told = call()
    child = Child(lambda _say: call())
    try:
        while child.poll(10) is not None:
            pass
        assert child.collect() == told
    finally:
        child.close()
    assert call() == told
    assert (dynamodb.connections, dynamodb.calls) == (2, 3)
