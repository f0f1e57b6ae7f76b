"""Versions of the bucket's objects: which there were at a time, what S3 says of each, their end."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from itertools import batched
from typing import Any

from botocore.exceptions import ClientError

from kmeans_service import aws
from kmeans_service.storage import ObjectMissing, data_bucket, is_missing

# Calls at once, as many as a client of boto3 has connections: each waits for S3.
AT_ONCE = 10
DELETED_AT_ONCE = 1000


@dataclass(frozen=True)
class Version:
    """An object as it was written.

    version_id  None in a bucket without versions
    crc64nvme   of its bytes, base64; None where S3 was not given it and has not made it
    """

    key: str
    version_id: str | None
    size: int
    etag: str
    crc64nvme: str | None = None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


type _Found = tuple[datetime, bool, dict[str, Any]]
"""When it was written, whether it is the last one, and what S3 lists of it."""


def as_of(prefix: str, mark: str, version_id: str | None) -> list[Version]:
    """The objects below a prefix that were there when this version of the mark was written.

    In the order of their keys' bytes, the mark left out. Raises ObjectMissing if the mark is gone.
    S3 tells times in seconds: what was written in the mark's own second is taken as before it.
    """
    found = list(_listed(prefix))
    when = next(
        (
            modified
            for modified, is_last, each in found
            if each["Key"] == mark and _is_version(each, version_id, is_last=is_last)
        ),
        None,
    )
    if when is None:
        raise ObjectMissing(mark)
    newest: dict[str, _Found] = {}
    for each in found:
        key = each[2]["Key"]
        if each[0] <= when and (key not in newest or each[:2] > newest[key][:2]):
            newest[key] = each
    # A delete marker has no size.
    there = [each for *_, each in newest.values() if "Size" in each and each["Key"] != mark]
    return [_version(each) for each in sorted(there, key=lambda each: each["Key"].encode())]


def _is_version(each: dict[str, Any], version_id: str | None, *, is_last: bool) -> bool:
    return "Size" in each and (each["VersionId"] == version_id if version_id else is_last)


def _listed(prefix: str) -> Iterator[_Found]:
    """All versions and delete markers, of each key the newest ones first."""
    pages = aws.s3().get_paginator("list_object_versions")
    for page in pages.paginate(Bucket=data_bucket().name, Prefix=prefix):
        listed: list[Any] = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        for each in listed:
            yield each["LastModified"], each["IsLatest"], each


def _version(each: dict[str, Any]) -> Version:
    version_id = each["VersionId"]
    return Version(
        each["Key"], None if version_id == "null" else version_id, each["Size"], each["ETag"]
    )


def with_checksums(versions: Sequence[Version], keep: Callable[[], None]) -> list[Version]:
    """With what S3 has of each; raises ObjectMissing for one that is gone meanwhile.

    keep   called now and then
    """
    found: list[Version] = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for some in batched(versions, 8 * AT_ONCE, strict=False):
            found += pool.map(_with_checksum, some)
            keep()
    return found


def _with_checksum(version: Version) -> Version:
    try:
        head = aws.s3().head_object(**_named(version), ChecksumMode="ENABLED")
    except ClientError as error:
        if not is_missing(error):
            raise
        raise ObjectMissing(version.key) from None
    return replace(version, crc64nvme=head.get("ChecksumCRC64NVME"))


def _named(version: Version) -> dict[str, Any]:
    named: dict[str, Any] = {"Bucket": data_bucket().name, "Key": version.key}
    return named | ({"VersionId": version.version_id} if version.version_id else {})


def delete(versions: Sequence[Version]) -> None:
    """Remove exactly these; those that are gone are no error."""
    for some in batched(versions, DELETED_AT_ONCE, strict=False):
        data_bucket().delete_all((each.key, each.version_id) for each in some)
