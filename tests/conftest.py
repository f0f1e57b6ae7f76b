"""One AWS for all tests, empty for each: moto over HTTP, with what the template declares."""

import os
import random
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

from harness import contract
from harness.api import Client

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


# The same examples in every run, however busy the machine: a gate does not fail by chance. Others
# are looked for by `make fuzz`, and by PYTEST_ARGS='--hypothesis-profile=explore'.
settings.register_profile(
    "gate",
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("explore", settings.get_profile("gate"), derandomize=False)
settings.load_profile("gate")

# What a module imports if it starts a whole service, or reads what `make build` makes.
_SERVICE = re.compile(
    r"^from (harness\.service\.running|tests\.test_closed_service) import"
    r"|^pytestmark = pytest\.mark\.services",
    re.M,
)
_BUILD = re.compile(r"^from harness\.template\.sam import .*\b(build|installed|env\w+)\b", re.M)


@cache
def _group(module: Path) -> str:
    """Tests of one group run one after the other; the others of a module are a group as well."""
    source = module.read_text()
    if _SERVICE.search(source):
        return "services"
    return "builds" if _BUILD.search(source) else module.stem


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Services come first, as they take longest; `make unit` runs what needs neither them nor
    builds.
    """
    groups = {item.path: _group(item.path) for item in items}
    for item in items:
        if groups[item.path] == item.path.stem:
            item.add_marker(pytest.mark.unit)
    order = {"services": 0, "builds": 1}
    items.sort(key=lambda item: order.get(groups[item.path], 2))


class _Groups(LoadScopeScheduling):  # type: ignore[misc]
    """A group goes to one worker as a whole, so that nothing of it goes on at the same time."""

    def _split_scope(self, nodeid: str) -> str:
        return _group(ROOT / nodeid.partition("::")[0])


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    return _Groups(config, log)


def free_port() -> int:
    """A port that nobody listens on, nor any other test that runs at the same time will.

    Below those that the system hands out, one of which could be taken before it is used here.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first = 10_000 + worker % 10 * 2_000
    for port in random.SystemRandom().sample(range(first, first + 2_000), 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")


def wait_until(ready: Callable[[], Any], seconds: float = 30) -> Any:
    """What `ready` answers once it answers something true."""
    deadline = time.monotonic() + seconds
    while not (answer := ready()):
        assert time.monotonic() < deadline, "it did not come to be in time"
        time.sleep(0.05)
    return answer


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


@contextmanager
def serving_aws() -> Iterator[str]:
    """The URL of an AWS of our own, in a process of its own."""
    server = subprocess.Popen(
        [sys.executable, str(ROOT / "harness/fake_aws/server.py")],
        stdin=subprocess.PIPE,  # whose end is that of this process
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert server.stdout is not None
    try:
        yield server.stdout.readline().strip()  # which it says once it listens
    finally:
        server.kill()
        server.wait()


@pytest.fixture(scope="session")
def aws_endpoint() -> Iterator[str]:
    if given := os.environ.get("AWS_OF_TESTS"):  # `make mutants` has one for many runs
        yield given
        return
    with serving_aws() as url:
        yield url


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
    from kmeans_service import aws, config, storage
    from kmeans_service.owners import rate

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
