"""Calls past botocore's clients, and what becomes of them when something is wrong."""

import hashlib
import json
import multiprocessing
import os
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials, ReadOnlyCredentials
from botocore.exceptions import ClientError
from botocore.httpsession import get_cert_path
from urllib3.util import wait_for_read

from harness.api import Client
from harness.fake_aws.state import forget_clients
from harness.system import counted, lie_there, sweep
from kmeans_service import aws, config, direct
from kmeans_service.fitting.engines.child import Child
from kmeans_service.storage import data_bucket
from kmeans_service.table import queries, writes
from kmeans_service.table.expressions import NOT_THERE, adds, has, sets
from kmeans_service.table.keys import job_key

KEY = job_key("tester", 0)
REQUEST = {"TableName": "jobs", "Key": KEY, "ConsistentRead": True}
ITEM = {"Item": {"pk": {"S": "O#tester"}}}
SENT = direct._sent


class DynamoDb:
    """A stand-in that answers what a test says, and counts who connects."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, bytes]] = []
        self.bodies: list[bytes] = []
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
            fake.bodies.append(self.rfile.read(int(self.headers.get("Content-Length", 0))))
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


def signed_by_botocore(
    auth: type[SigV4Auth], service: str, request: AWSRequest, token: str | None
) -> AWSRequest:
    auth(Credentials("id", "secret", token), service, "eu-central-1").add_auth(request)
    return request


def check_signature(ours: dict[str, str], theirs: AWSRequest) -> None:
    if ours["x-amz-date"] == theirs.headers["X-Amz-Date"]:  # not over a second's turn
        assert ours["authorization"] == theirs.headers["Authorization"]
    assert ours.get("x-amz-security-token") == theirs.headers.get("X-Amz-Security-Token")


@pytest.mark.parametrize("token", [None, "a-session's-token"])
def test_the_signature_is_botocores(token: str | None) -> None:
    body = json.dumps(REQUEST).encode()
    headers = {"content-type": direct.JSON_1_0, "x-amz-target": "DynamoDB_20120810.GetItem"}
    known = ReadOnlyCredentials("id", "secret", token)
    where = "eu-central-1/dynamodb"
    ours = direct.signed("POST", "/", headers | {"host": "host:1234"}, body, where, known)
    request = AWSRequest("POST", "http://host:1234/", headers=headers, data=body)
    check_signature(ours, signed_by_botocore(SigV4Auth, "dynamodb", request, token))


@pytest.mark.parametrize("token", [None, "a-session's-token"])
def test_the_signature_of_an_object_is_botocores(token: str | None) -> None:
    """Of a key that is not written in an address as it is."""
    path, body = "/data/fits/al%20ice/0/la%2Bb%C3%A9ls~1.csv", b"0\n1\n"
    headers = {
        "content-type": "text/csv",
        "if-none-match": "*",
        "x-amz-content-sha256": hashlib.sha256(body).hexdigest(),
    }
    known = ReadOnlyCredentials("id", "secret", token)
    where = "eu-central-1/s3"
    ours = direct.signed("PUT", path, headers | {"host": "host:1234"}, body, where, known)
    request = AWSRequest("PUT", f"http://host:1234{path}", headers=headers, data=body)
    request.context["client_config"] = Config(s3={"payload_signing_enabled": True})
    check_signature(ours, signed_by_botocore(S3SigV4Auth, "s3", request, token))


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
        assert direct.dynamodb("GetItem", REQUEST) == ITEM
    assert (dynamodb.connections, dynamodb.calls) == (1, 5)


def test_a_connection_that_was_closed_meanwhile_is_made_anew(dynamodb: DynamoDb) -> None:
    dynamodb.hangs_up = True
    for _ in range(3):
        assert direct.dynamodb("GetItem", REQUEST) == ITEM
        _wait_for_the_end_of_the_connection()
    assert dynamodb.connections == 3


def _wait_for_the_end_of_the_connection() -> None:
    connection = direct._connections.known[aws.dynamodb().meta.endpoint_url]
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
    assert direct.dynamodb("GetItem", REQUEST) == ITEM


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
        assert direct.dynamodb("GetItem", REQUEST) is None
    direct._connections.forget()
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    assert direct.dynamodb("GetItem", REQUEST) is None
    direct._connections.forget()


@pytest.mark.parametrize(("more", "direct_calls"), [("/", 1), ("/below/a/path", 0)])
def test_an_endpoint_below_a_path_is_the_clients(
    dynamodb: DynamoDb, monkeypatch: pytest.MonkeyPatch, more: str, direct_calls: int
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"{os.environ['AWS_ENDPOINT_URL']}{more}")
    forget_clients()
    assert (direct.dynamodb("GetItem", REQUEST) is not None) == bool(direct_calls)
    assert dynamodb.calls == direct_calls


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_every_thread_and_process_has_its_own_connection(dynamodb: DynamoDb) -> None:
    def read() -> None:
        assert direct.dynamodb("GetItem", REQUEST) == ITEM

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


# --- writes ---------------------------------------------------------------------------------


@pytest.fixture
def asked(client: Client) -> list[str]:  # noqa: ARG001 (an AWS)
    """What is asked of the clients; what goes past them is not."""
    asked: list[str] = []
    for each in (aws.dynamodb(), aws.s3()):
        each.meta.events.register("before-call", lambda model, **_: asked.append(model.name))
    return asked


@pytest.fixture
def past(monkeypatch: pytest.MonkeyPatch, asked: list[str]) -> list[str]:  # noqa: ARG001
    """Calls go past the clients, watched as they are: what is sent so."""
    sent: list[str] = []

    def send(client: Any, method: str, path: str, headers: dict[str, str], body: bytes) -> Any:
        sent.append(headers.get("x-amz-target", method).rpartition(".")[2])
        return SENT(client, method, path, headers, body)

    monkeypatch.setattr(direct, "_sent", send)
    return sent


def test_writes_go_past_the_clients(asked: list[str], past: list[str]) -> None:
    assert writes.update(KEY, sets(a=1), NOT_THERE) == KEY | {"a": {"N": "1"}}
    assert writes.transact([writes.updating(KEY, adds(a=1), has({"a": 1}))]) == set()
    stored = data_bucket().put("models/a b+é~.csv", b"0\n1\n", "text/csv")
    assert (past, asked) == (["UpdateItem", "TransactWriteItems", "PUT"], [])
    assert queries.get_item(KEY) == KEY | {"a": {"N": "2"}}
    found = aws.s3().get_object(Bucket=data_bucket().name, Key="models/a b+é~.csv")
    assert (found["Body"].read(), found["ContentType"]) == (b"0\n1\n", "text/csv")
    assert data_bucket().get(stored) == b"0\n1\n"


@pytest.mark.usefixtures("past")
def test_what_a_write_past_the_client_is_refused_for_is_the_clients_answer(
    asked: list[str],
) -> None:
    writes.update(KEY, sets(a=1), NOT_THERE)
    with pytest.raises(writes.ConditionFailed) as refused:
        writes.update(KEY, sets(a=2), NOT_THERE)
    assert refused.value.item == KEY | {"a": {"N": "1"}}
    taken = writes.transact([writes.updating(KEY, sets(a=2), NOT_THERE)])
    assert taken == {"ConditionalCheckFailed"}
    data_bucket().put("models/a", b"0", "text/csv")
    assert data_bucket().put_unless_there("models/a", b"1", "text/csv") is not None
    assert asked == ["UpdateItem", "TransactWriteItems", "PutObject"]


def test_a_large_object_is_the_clients(asked: list[str], past: list[str]) -> None:
    data_bucket().put("models/large", bytes(direct.SMALL_BYTES + 1), "text/csv")
    assert (past, asked) == ([], ["PutObject"])


def test_a_transaction_is_made_again_under_its_token(dynamodb: DynamoDb) -> None:
    dynamodb.answers = [(500, b""), (200, b"{}")]
    assert writes.transact([writes.updating(KEY, sets(a=1), NOT_THERE)]) == set()
    first, second = (json.loads(body)["ClientRequestToken"] for body in dynamodb.bodies)
    assert first == second


def test_nothing_is_doubled_where_every_answer_past_the_clients_is_lost(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each write was made, and is made again by the client, from the upload to the deletion."""

    def lose(client: Any, method: str, path: str, headers: dict[str, str], body: bytes) -> None:
        SENT(client, method, path, headers, body)

    monkeypatch.setattr(direct, "_sent", lose)
    assert client.upload().json()["job_id"] == 0
    assert client.fit(0).status == 200
    held = client.get("/kmeans/jobs?usage=true").json()["usage"]
    assert (held["jobs"], held["stored_bytes"]) == (1, lie_there(aws))
    assert client.get("/kmeans/jobs/0").json()["status"] == "SUCCEEDED"
    # moto does not know a transaction by its token, as DynamoDB does: the job is gone already.
    assert client.call("DELETE", "/kmeans/jobs/0").status == 410
    sweep()
    assert lie_there(aws) == counted() == 0


@pytest.mark.parametrize("bundle", ["", "/own/certificates.pem"])
def test_certificates_are_those_that_the_clients_go_by(
    monkeypatch: pytest.MonkeyPatch, bundle: str
) -> None:
    trusted: list[str | None] = []
    monkeypatch.setenv("AWS_CA_BUNDLE", bundle)
    monkeypatch.setattr(ssl, "create_default_context", lambda cafile: trusted.append(cafile))
    direct._connection("https://dynamodb.eu-central-1.amazonaws.com")
    assert trusted == [bundle or get_cert_path(True)]
