"""An AWS of moto, empty but for what the template declares."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from copy import copy
from functools import cache
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest

from harness import PROJECT
from harness.fake_aws.environment import ACCOUNT, BUCKET, QUEUE, TABLE
from harness.fake_aws.functions import Functions
from local.template import load_template

OF_A_TABLE = ("BillingMode", "KeySchema", "AttributeDefinitions", "GlobalSecondaryIndexes")


@contextmanager
def serving_aws() -> Iterator[str]:
    """The URL of an AWS of our own, in a process of its own."""
    server = subprocess.Popen(
        [sys.executable, "-m", "harness.fake_aws.server"],
        cwd=PROJECT,
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


def empty_aws(aws_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws_endpoint)
    from kmeans_service import aws, config, storage
    from kmeans_service.owners import rate

    clients_as_made()
    functions = Functions()
    monkeypatch.setattr(aws, "functions", cache(lambda: functions))
    known = (config.settings, config.limits, config.distributed)
    for made in (*known, rate.meter, storage.data_bucket):
        made.cache_clear()
    # One batch of requests lasts for a test's few calls, however many minutes it takes.
    monkeypatch.setattr(rate, "WINDOW_SECONDS", 10**9)
    _begin(aws_endpoint)
    monkeypatch.setenv("FIT_QUEUE_URL", f"{aws_endpoint}/{ACCOUNT}/{QUEUE}")
    rate.meter().spend(os.environ["DEFAULT_OWNER"])
    return aws


@cache
def declared(resource: str) -> dict[str, Any]:
    """What the template says of it."""
    properties: dict[str, Any] = load_template()["Resources"][resource]["Properties"]
    return properties


def _begin(aws_endpoint: str) -> None:
    """Bucket, queue and table, in as much as moto has it and a handler goes by it."""
    versioning = declared("DataBucket")["VersioningConfiguration"]
    table = {name: declared("JobsTable")[name] for name in OF_A_TABLE}
    name = json.dumps([versioning, table])
    if _post(aws_endpoint, "/emptied", name) == 404:
        _make(versioning, table)
        assert _post(aws_endpoint, "/begun", name) == 204


def _post(aws_endpoint: str, path: str, name: str) -> int:
    connection = HTTPConnection(urlsplit(aws_endpoint).netloc, timeout=10)
    with closing(connection):
        connection.request("POST", path, name)
        return connection.getresponse().status


def _make(versioning: Any, table: Any) -> None:
    from kmeans_service import aws

    aws.s3().create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    aws.s3().put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration=versioning)
    aws.sqs().create_queue(QueueName=QUEUE)
    aws.dynamodb().create_table(TableName=TABLE, **table)


_made: dict[str, tuple[Any, Any]] = {}  # clients, and what was hung into them from the start


def clients_as_made() -> None:
    """Clients take long to make: those that are there lose what a test has hung into them."""
    from kmeans_service import aws

    for make in (aws.s3, aws.dynamodb, aws.sqs):
        known, handlers = _made.get(make.__name__, (None, None))
        if not make.cache_info().currsize or make() is not known:
            make.cache_clear()
            known = make()
            handlers = copy(_hung_into(known)._handlers)
            _made[make.__name__] = known, handlers
        if _hung_into(known)._handlers._root != handlers._root:
            _hung_into(known)._handlers = copy(handlers)
            _hung_into(known)._lookup_cache = {}


def _hung_into(client: Any) -> Any:
    return client.meta.events._emitter


def watched_calls_are_the_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    """Writes do not go past a client that a test has hung something into: it is to see them."""
    from kmeans_service import direct

    sent = direct._sent

    def unless_watched(client: Any, method: str, path: str, headers: Any, body: bytes) -> Any:
        is_read = headers.get("x-amz-target", "").endswith(".GetItem")
        if is_read or not _is_watched(client):
            return sent(client, method, path, headers, body)
        return None

    monkeypatch.setattr(direct, "_sent", unless_watched)


def _is_watched(client: Any) -> bool:
    known, handlers = _made[client.meta.service_model.service_name]
    return client is not known or _hung_into(client)._handlers._root != handlers._root


def forget_clients() -> None:
    from kmeans_service import aws

    for client in (aws.s3, aws.dynamodb, aws.sqs):
        client.cache_clear()
