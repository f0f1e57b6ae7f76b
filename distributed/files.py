"""The files of a fit in their bucket, read by ranges, as they were when it was asked for."""

import io
from dataclasses import dataclass
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from distributed.spans import Open
from kmeans_service import aws
from kmeans_service.errors import JobGone
from kmeans_service.storage import is_missing
from kmeans_service.streams import ByteStream

_REPLACED = ("PreconditionFailed", "412")


@dataclass(frozen=True, slots=True)
class File:
    """An object; it is this version, or has this ETag."""

    key: str
    size: int
    version_id: str | None = None
    etag: str | None = None

    @property
    def name(self) -> str:
        return self.key.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Files:
    """All of them, in the order of their rows."""

    bucket: str
    files: tuple[File, ...]

    def opened(self, file: int) -> Open:
        return partial(_open, self.bucket, self.files[file])


def _open(bucket: str, file: File, begin: int, end: int) -> ByteStream:
    """Raises JobGone."""
    if not file.size:
        return io.BytesIO()  # of which S3 has no range
    pinned: dict[str, Any] = {}
    if file.version_id:
        pinned["VersionId"] = file.version_id
    elif file.etag:
        pinned["IfMatch"] = file.etag
    try:
        answer = aws.s3().get_object(
            Bucket=bucket, Key=file.key, Range=f"bytes={begin}-{end - 1}", **pinned
        )
    except ClientError as error:
        if not is_missing(error) and error.response["Error"]["Code"] not in _REPLACED:
            raise
        said = f"{file.name}: the file was deleted, replaced or has expired"
        raise JobGone(said, file=file.name) from error
    if answer["ContentLength"] != end - begin:
        raise RuntimeError(f"{file.key}: {answer['ContentLength']} bytes of {begin} to {end} came")
    return answer["Body"]
