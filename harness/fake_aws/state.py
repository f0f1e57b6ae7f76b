"""An AWS of moto, empty but for what the template declares."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from harness import PROJECT
from harness.fake_aws.environment import BUCKET, QUEUE, TABLE


@contextmanager
def serving_aws() -> Iterator[str]:
    """The URL of an AWS of our own, in a process of its own."""
    server = subprocess.Popen(
        [sys.executable, str(PROJECT / "harness/fake_aws/server.py")],
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
