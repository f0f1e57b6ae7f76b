"""One AWS for all tests, empty for each: moto over HTTP, with what the template declares."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import contract
from tests.api import Client

ROOT = Path(__file__).parent.parent
BUCKET, TABLE, QUEUE = "kmeans-test-data", "kmeans-test-jobs", "kmeans-test-fits"

# Before any handler is imported: boto3 and Powertools read these.
os.environ |= {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_REGION": "eu-central-1",
    "POWERTOOLS_SERVICE_NAME": "kmeans",
    "POWERTOOLS_METRICS_NAMESPACE": "KMeansService",
    "DATA_BUCKET": BUCKET,
    "JOBS_TABLE": TABLE,
    "DEFAULT_OWNER": "tester",
    "JOB_EXPIRY_DAYS": "30",
    "MAX_REQUESTS_PER_MINUTE": "1000000",  # all tests are one owner
    # GNU OpenMP hangs in a forked child whose parent has used its threads.
    "OMP_NUM_THREADS": "1",
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(ready: Callable[[], Any], seconds: float = 30) -> Any:
    """What `ready` answers once it answers something true."""
    deadline = time.monotonic() + seconds
    while not (answer := ready()):
        assert time.monotonic() < deadline, "it did not come to be in time"
        time.sleep(0.05)
    return answer


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Clock:
    """Wall-clock time that stands still until the test lets it pass."""

    def __init__(self, now: int) -> None:
        self.now: float = now

    def time(self) -> float:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock(int(time.time()))
    monkeypatch.setattr(time, "time", clock.time)
    return clock


@pytest.fixture(scope="session")
def aws_endpoint() -> Iterator[str]:
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, str(ROOT / "tests" / "aws_server.py"), str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_until(lambda: listens(port))
    yield f"http://127.0.0.1:{port}"
    server.kill()
    server.wait()


@pytest.fixture
def aws(aws_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An empty bucket, table and queue; the module that makes the clients."""
    return empty_aws(aws_endpoint, monkeypatch)


@pytest.fixture(scope="module")
def shared_client(aws_endpoint: str) -> Iterator[Client]:
    """As `client`, for a module whose tests build on what is there."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        empty_aws(aws_endpoint, monkeypatch)
        yield _client()


def empty_aws(aws_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    import requests

    requests.post(f"{aws_endpoint}/moto-api/reset", timeout=10).raise_for_status()
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws_endpoint)
    from kmeans_service import aws, config, rate, storage

    forget_clients()
    for made in (config.settings, config.limits, rate.meter, storage.data_bucket):
        made.cache_clear()
    # All calls share one resolver, whose event a thread must have read before it waits for AWS.
    monkeypatch.setattr(rate, "WINDOW_SECONDS", 10**9)
    aws.s3().create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    aws.s3().put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    queue = aws.sqs().create_queue(QueueName=QUEUE)["QueueUrl"]
    monkeypatch.setenv("FIT_QUEUE_URL", queue)
    aws.dynamodb().create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
            {"AttributeName": "gsi1pk", "AttributeType": "S"},
            {"AttributeName": "due_at", "AttributeType": "N"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "active",
                "KeySchema": [
                    {"AttributeName": "gsi1pk", "KeyType": "HASH"},
                    {"AttributeName": "due_at", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
    rate.meter().spend(os.environ["DEFAULT_OWNER"])
    return aws


def forget_clients() -> None:
    from kmeans_service import aws

    for client in (aws.s3, aws.dynamodb, aws.sqs):
        client.cache_clear()


@pytest.fixture
def client(aws: Any) -> Client:  # noqa: ARG001 (the calls need it)
    return _client()


def _client() -> Client:
    return Client(lambda _method, path: contract.handler_of(path))
