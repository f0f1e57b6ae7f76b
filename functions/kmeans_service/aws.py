"""boto3 clients, made on first use and reused by every request of the process."""

from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionError, HTTPClientError

if TYPE_CHECKING:
    from botocore.credentials import ReadOnlyCredentials
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

# A name alone: botocore puts its own together twice a call, a fifth of the call's CPU time.
USER_AGENT = "kmeans-service"
_USUAL: Any = {
    "retries": {"mode": "standard", "total_max_attempts": 4},
    "connect_timeout": 3,
    "read_timeout": 20,
    "user_agent": USER_AGENT,
}


@cache
def s3() -> "S3Client":
    """Path-style addressing, so that a presigned URL works on AWS and on one local host name."""
    config = Config(signature_version="s3v4", s3={"addressing_style": "path"}, **_USUAL)
    return boto3.client("s3", config=config)


@cache
def dynamodb() -> "DynamoDBClient":
    return boto3.client("dynamodb", config=Config(**_USUAL))


@cache
def sqs() -> "SQSClient":
    return boto3.client("sqs", config=Config(**_USUAL))


@cache
def functions() -> "LambdaClient":
    """Whoever is called is waited for as long as a function may take, and called once."""
    once: Any = {"mode": "standard", "total_max_attempts": 1}
    patient = Config(**_USUAL | {"retries": once, "read_timeout": 900})
    return boto3.client("lambda", config=patient)


@cache
def spark() -> Any:
    """EMR Serverless. It has no types here: four calls of one module are made of it."""
    return boto3.client("emr-serverless", config=Config(**_USUAL))


def credentials() -> "ReadOnlyCredentials | None":
    """Those that the clients sign with, refreshed where they run out."""
    found = (boto3.DEFAULT_SESSION or boto3.Session()).get_credentials()
    return found.get_frozen_credentials() if found else None


_BUSY = {
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestTimeout",
    "SlowDown",
    "ThrottlingException",
    "TransactionConflictException",
    "TransactionInProgressException",
}


def is_transient(error: Exception) -> bool:
    """Whether the same call may succeed later: AWS was busy, or the network failed."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if status >= 500:  # whatever its code, which may be "503" and no more
            return True
        reasons = error.response.get("CancellationReasons") or []
        codes = {reason.get("Code", "") + "Exception" for reason in reasons}
        return not _BUSY.isdisjoint(codes | {error.response["Error"]["Code"]})
    return isinstance(error, (ConnectionError, HTTPClientError))


def close_connections() -> None:
    """Make new connections from here on, as a forked process must; the clients stay."""
    for client in (s3, dynamodb, sqs, functions):
        if client.cache_info().currsize:
            client().close()
