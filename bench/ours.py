"""The real handlers in this process, on an AWS of moto's in another one.

A call is what the Lambda runtime does with it: the event from JSON, the handler, its answer to
JSON. What moto and the client take is not counted.
"""

import json
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import pytest

from bench.measure import cpu_seconds
from bench.theirs import points_form
from harness import contract
from harness.api import FORM_TYPE, JSON_TYPE, Context, event, form
from harness.fake_aws.state import empty_aws, forget_clients, serving_aws

# A body of more bytes does not fit a Lambda event as base64.
INLINE_BYTES = 4_400_000
WORKER_SECONDS = 890.0


@dataclass
class Ours:
    """All handlers; `cpu` is the CPU time that they have used."""

    _spent: float = field(default=0.0)

    def cpu(self) -> float:
        return self._spent

    def call(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, Any]:
        """Status and body of the answer."""
        text = json.dumps(event("POST", f"/kmeans/{path}", body, headers))
        handler = contract.handler_of(f"/kmeans/{path}")
        before = cpu_seconds()
        answer = json.dumps(handler(json.loads(text), Context()), ensure_ascii=False)
        self._spent += cpu_seconds() - before
        read = json.loads(answer)
        if read["statusCode"] >= 400:
            raise RuntimeError(f"{path}: {read['body']}")
        return read["statusCode"], read["body"]

    def upload(self, body: bytes) -> int:
        """A new job of this file, through the bucket where it is too large for an event."""
        name = f"{uuid.uuid4().hex}.csv"
        if len(body) <= INLINE_BYTES:
            _, answer = self.call("upload", form(("file", name, body)), FORM_TYPE)
            return int(json.loads(answer)["job_id"])
        wanted = json.dumps({"filename": name}).encode()
        reserved = json.loads(self.call("uploads", wanted, JSON_TYPE)[1])
        self.work(_put(reserved["fields"]["key"], body))
        return int(reserved["job_id"])

    def fit(self, job_id: int, n_clusters: int) -> None:
        """Fitted, here or, where the handler leaves it to the queue, by the worker."""
        params = {"n_clusters": n_clusters, "random_state": 0}
        wanted = json.dumps({"job_id": job_id, "model_params": params}).encode()
        status, _ = self.call("fit", wanted, JSON_TYPE)
        if status == 202:
            for message in _messages():
                self.work({"eventSource": "aws:sqs", "messageId": "1", "body": message})

    def predict(self, job_id: int, body: bytes) -> bytes:
        """The labels, out of the bucket where points or labels are too many for an event."""
        if len(body) <= INLINE_BYTES:
            _, answer = self.call("predict", points_form(job_id, body), FORM_TYPE)
            return str(answer).encode()
        record = self.put_points(job_id, body)
        self.work(record)
        key = record["s3"]["object"]["key"].removeprefix("pending/").removesuffix(".csv")
        return _only_object(f"results/{key.replace('/predictions/', '/')}/")

    def put_points(self, job_id: int, body: bytes) -> dict[str, Any]:
        """Points as a client puts them into the bucket: S3's record of it, for the worker."""
        wanted = json.dumps({"job_id": job_id}).encode()
        reserved = json.loads(self.call("predictions", wanted, JSON_TYPE)[1])
        return _put(reserved["fields"]["key"], body)

    def work(self, record: dict[str, Any]) -> None:
        """The worker's turn with one message or record."""
        from worker.app import lambda_handler

        before = cpu_seconds()
        answer = lambda_handler({"Records": [record]}, Context(WORKER_SECONDS))
        self._spent += cpu_seconds() - before
        if answer["batchItemFailures"]:
            raise RuntimeError("the worker failed the message")


def _put(key: str, body: bytes) -> dict[str, Any]:
    from kmeans_service import aws, config

    bucket = config.settings().data_bucket
    version = aws.s3().put_object(Bucket=bucket, Key=key, Body=body)["VersionId"]
    return {"eventSource": "aws:s3", "s3": {"object": {"key": quote(key), "versionId": version}}}


def _messages() -> list[str]:
    from kmeans_service import aws, config

    queue = config.settings().fit_queue_url
    found = aws.sqs().receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    for message in found:
        aws.sqs().delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return [message["Body"] for message in found]


def _only_object(prefix: str) -> bytes:
    from kmeans_service import aws, config

    bucket = config.settings().data_bucket
    [found] = aws.s3().list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]
    return aws.s3().get_object(Bucket=bucket, Key=found["Key"])["Body"].read()


@contextmanager
def serving() -> Iterator[Ours]:
    with serving_aws() as url, on(url) as service:
        yield service


@contextmanager
def on(url: str) -> Iterator[Ours]:
    """On an AWS that is there, which is emptied."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("DEFAULT_OWNER", "bench")
        forget_clients()  # of a server before this one
        empty_aws(url, monkeypatch)
        yield Ours()


os.environ.setdefault("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1769")
