"""`make empty`: removes every object of a stack's bucket for good, so that the bucket can go.

    make empty ARGS='--stack kmeans'
    make empty ARGS='--bucket kmeans-data-0b1a…'    what a stack that is gone has left behind

S3 deletes no bucket that holds anything, and in a versioned one nothing goes by itself: old
versions and markers of deletions count too. It asks twice; each --yes answers one question.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError


class Refused(Exception):
    """It cannot be done; the message is the sentence the user sees."""


@dataclass
class Content:
    """How much a bucket holds."""

    versions: int = 0
    markers: int = 0
    size: int = 0  # bytes

    def __str__(self) -> str:
        return (
            f"{self.versions:,} versions of objects ({self.size:,} bytes) and {self.markers:,} "
            "markers of deleted ones"
        )


def pages(s3: Any, bucket: str) -> Iterator[tuple[list[Any], list[Any]]]:
    """Versions and delete markers, a thousand of both together at most."""
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        yield page.get("Versions", []), page.get("DeleteMarkers", [])


def content(s3: Any, bucket: str) -> Content:
    found = Content()
    for versions, markers in pages(s3, bucket):
        found.versions += len(versions)
        found.markers += len(markers)
        found.size += sum(version["Size"] for version in versions)
    return found


def empty(s3: Any, bucket: str) -> int:
    """Removes what is there, and what comes meanwhile; how much it was. Raises Refused."""
    removed = 0
    while found := [entry for part in next(pages(s3, bucket)) for entry in part]:
        doomed = [{"Key": entry["Key"], "VersionId": entry["VersionId"]} for entry in found]
        answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": doomed, "Quiet": True})
        errors = answer.get("Errors", [])
        removed += len(doomed) - len(errors)
        if errors:
            raise Refused(f"S3 refused {_told(errors)}; removed were {removed:,}.")
    return removed


def _told(errors: list[Any]) -> str:
    first = errors[0]
    return f"{len(errors):,}, first {first['Key']} ({first['Code']}: {first.get('Message', '')})"


# --- the command ------------------------------------------------------------------


def bucket_of(stack: str) -> str:
    """The one that the stack says it has; raises Refused."""
    try:
        found = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    except (BotoCoreError, ClientError) as error:
        raise Refused(f"The stack {stack} cannot be read: {error}") from error
    outputs = {entry["OutputKey"]: entry["OutputValue"] for entry in found.get("Outputs", [])}
    if "DataBucketName" not in outputs:
        raise Refused(f"The stack {stack} names no bucket: it is not one of this service.")
    bucket: str = outputs["DataBucketName"]
    return bucket


def _agrees(question: str, wanted: str, answered: bool) -> bool:
    """Whether the user types what is wanted, or has said so beforehand."""
    if answered:
        return True
    print(question, end=" ", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip() == wanted


def _run(given: argparse.Namespace) -> None:
    bucket = given.bucket or bucket_of(given.stack)
    name = given.stack or bucket
    s3, account = boto3.client("s3"), boto3.client("sts").get_caller_identity()["Account"]
    found = content(s3, bucket)
    print(f"Bucket {bucket} of account {account}: {found}.", file=sys.stderr)
    if not found.versions + found.markers:
        print("It is empty.", file=sys.stderr)
        return
    if not _agrees(f"To remove all of it for good, type {name}:", name, given.yes > 0):
        raise Refused("That is not the name; nothing was removed.")
    if not _agrees("Nobody can bring it back. To go on, type remove:", "remove", given.yes > 1):
        raise Refused("Nothing was removed.")
    print(f"Removed {empty(s3, bucket):,}; it is empty.", file=sys.stderr)


def _arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make empty", description=(__doc__ or "").splitlines()[0])
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--stack", help="a stack on AWS, whose bucket is meant")
    which.add_argument("--bucket", help="the bucket itself, where the stack is gone")
    parser.add_argument("--yes", action="count", default=0, help="answers a question; twice: both")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    given = _arguments(arguments)
    try:
        _run(given)
    except (Refused, BotoCoreError, ClientError) as refusal:
        print(refusal, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
