"""The bucket: objects that are written once, checked by digest before use, and removed for good."""

import hashlib
import posixpath
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import IO, Any, cast

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from kmeans_service import aws, config, direct
from kmeans_service.errors import JobGone, ModelDamaged
from kmeans_service.stored_object import StoredObject
from kmeans_service.streams import ByteStream

# One part in memory at a time, and as small as S3 takes them: it has 10,000 at most, 50 GB.
_IN_PARTS = TransferConfig(
    multipart_threshold=5 * 1024**2, multipart_chunksize=5 * 1024**2, use_threads=False
)

LOST_FILE = "The file was deleted or has expired; upload it again"
LOST_RESULT = (
    "What the fit had stored was deleted or has expired. Ask for the same fit again "
    "(POST /kmeans/fit with this job_id and its model_params): it is computed anew"
)


class ObjectMissing(Exception):
    """There is no object under this key (any more)."""


def is_missing(error: ClientError) -> bool:
    """Whether S3 says that there is no such object, or no such version of it."""
    return error.response["Error"]["Code"] in ("NoSuchKey", "NoSuchVersion", "404")


@dataclass(frozen=True)
class OpenObject:
    """An object being read: its bytes, their number, and what its writer noted on it.

    again       opens it once more, from its beginning
    version_id  the version that was asked for
    """

    stream: IO[bytes]
    size: int
    metadata: dict[str, str]
    again: Callable[[], IO[bytes]]
    version_id: str | None = None


def sha256_of(body: bytes | memoryview) -> str:
    return hashlib.sha256(body).hexdigest()


class DataBucket:
    def __init__(self, name: str) -> None:
        self.name = name

    def uri(self, key: str) -> str:
        return f"s3://{self.name}/{key}"

    @property
    def address(self) -> str:
        """What every presigned URL begins with: the endpoint and the bucket, its first folder."""
        return f"{aws.s3().meta.endpoint_url}/{self.name}"

    def put(self, key: str, body: bytes, content_type: str) -> StoredObject:
        """Write a new object; an existing one is never overwritten.

        A repeated write of the same bytes, after an answer that was lost, is no error.
        """
        refusal = self.put_unless_there(key, body, content_type)
        if refusal and sha256_of(self._read(key, None)) != sha256_of(body):
            raise refusal
        return StoredObject(key, sha256_of(body), len(body))

    def put_unless_there(self, key: str, body: bytes, content_type: str) -> ClientError | None:
        """Write a new object, or return what S3 says where one is there already."""
        if direct.put_object(self.name, key, body, content_type):
            return None
        try:
            aws.s3().put_object(
                Bucket=self.name, Key=key, Body=body, ContentType=content_type, IfNoneMatch="*"
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "PreconditionFailed":
                raise
            return error
        return None

    def upload(self, key: str, file: ByteStream, content_type: str) -> None:
        """Write an object of any size, a part at a time; nothing is there if reading fails."""
        aws.s3().upload_fileobj(
            cast(IO[bytes], file),  # a file that cannot be sought is read part by part
            self.name,
            key,
            ExtraArgs={"ContentType": content_type},
            Config=_IN_PARTS,
        )

    def get(self, stored: StoredObject) -> bytes:
        """The bytes of an object of ours; raises as `checked` does."""
        return self.checked(stored.key, None, stored.sha256, LOST_RESULT)

    def checked(
        self, key: str, version_id: str | None, sha256: str, lost: str = LOST_FILE
    ) -> bytes:
        """The object's bytes, if they still are what was written.

        Raises ModelDamaged if they are not, JobGone if the object was deleted; `lost` says so.
        """
        try:
            body = self._read(key, version_id)
        except ObjectMissing:
            raise JobGone(lost) from None
        if sha256_of(body) != sha256:
            raise ModelDamaged("The stored object is not the one that was written")
        return body

    def _read(self, key: str, version_id: str | None) -> bytes:
        return self.open(key, version_id).stream.read()

    def open(self, key: str, version_id: str | None) -> OpenObject:
        """The object as a stream; raises ObjectMissing.

        A 403 is no missing object: every role that reads may list, so that S3 tells them apart.
        """
        version: Any = {"VersionId": version_id} if version_id else {}
        try:
            answer = aws.s3().get_object(Bucket=self.name, Key=key, **version)
        except ClientError as error:
            if is_missing(error):
                raise ObjectMissing(key) from None
            raise
        stream: Any = answer["Body"]
        size, metadata = answer["ContentLength"], answer["Metadata"]
        again = lambda: self.open(key, version_id).stream  # noqa: E731
        return OpenObject(stream, size, metadata, again, version_id)

    def is_there(self, key: str) -> bool:
        return self.size(key) is not None

    def size(self, key: str) -> int | None:
        """Bytes of the object; None where it is not there."""
        try:
            return int(aws.s3().head_object(Bucket=self.name, Key=key)["ContentLength"])
        except ClientError as error:
            if not is_missing(error):
                raise
        return None

    def has(self, keys: list[str]) -> bool:
        """Whether all of these objects of one fit are there, by one call."""
        pages = aws.s3().get_paginator("list_object_versions")
        found: set[str] = set()
        prefix = f"{posixpath.commonpath(keys)}/"
        for page in pages.paginate(Bucket=self.name, Prefix=prefix):
            found |= {each["Key"] for each in page.get("Versions", []) if each["IsLatest"]}
        return found.issuperset(keys)

    def delete(self, key: str, version_id: str | None = None) -> None:
        """Remove this version of the object, or all of them; an absent one is no error."""
        if version_id is None:
            self._delete_versions(key, lambda found: found == key)
        else:
            aws.s3().delete_object(Bucket=self.name, Key=key, VersionId=version_id)

    def delete_prefix(self, prefix: str, doomed: Callable[[str], bool] | None = None) -> None:
        """Remove every version of every object below the prefix, or of those that are doomed."""
        self._delete_versions(prefix, doomed or (lambda _key: True))

    def _delete_versions(self, prefix: str, is_doomed: Callable[[str], bool]) -> None:
        pages = aws.s3().get_paginator("list_object_versions")
        for page in pages.paginate(Bucket=self.name, Prefix=prefix):
            found: Iterable[Any] = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            doomed = [
                (version["Key"], version["VersionId"])
                for version in found
                if is_doomed(version["Key"])
            ]
            if doomed:
                self.delete_all(doomed)

    def delete_all(self, doomed: Iterable[tuple[str, str | None]]) -> None:
        """Remove these keys' versions, a thousand at most; an absent one is no error.

        Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
        """
        objects: Any = [
            {"Key": key, **({"VersionId": version_id} if version_id else {})}
            for key, version_id in doomed
        ]
        answer = aws.s3().delete_objects(
            Bucket=self.name, Delete={"Objects": objects, "Quiet": True}
        )
        if answer.get("Errors"):
            raise RuntimeError(f"S3 could not delete: {answer['Errors'][0]}")

    def presigned(
        self,
        method: str,
        key: str,
        disposition: str,
        content_type: str,
        version_id: str | None = None,
    ) -> str:
        """A URL that answers this object for a few minutes, to GET or to HEAD, and to no cache."""
        version: dict[str, str] = {"VersionId": version_id} if version_id else {}
        return aws.s3().generate_presigned_url(
            "head_object" if method == "HEAD" else "get_object",
            Params={
                "Bucket": self.name,
                "Key": key,
                "ResponseContentType": content_type,
                "ResponseContentDisposition": disposition,
                "ResponseCacheControl": config.NOT_CACHED,
                **version,
            },
            ExpiresIn=config.PRESIGNED_SECONDS,
        )

    def presigned_post(self, key: str, max_bytes: int) -> dict[str, Any]:
        """`url` and `fields` of a form POST of one object, under exactly this key."""
        return aws.s3().generate_presigned_post(
            self.name,
            key,
            Conditions=[["content-length-range", 1, max_bytes]],
            ExpiresIn=config.PRESIGNED_SECONDS,
        )

    # --- an object that is sent in parts -------------------------------------------------

    def begin_parts(self, key: str) -> str:
        """The id of a new upload."""
        answer = aws.s3().create_multipart_upload(Bucket=self.name, Key=key)
        return answer["UploadId"]

    def presigned_part(self, key: str, upload_id: str, number: int, size: int) -> str:
        """A URL to PUT this part to, of exactly so many bytes."""
        return aws.s3().generate_presigned_url(
            "upload_part",
            Params={
                "Bucket": self.name,
                "Key": key,
                "UploadId": upload_id,
                "PartNumber": number,
                "ContentLength": size,
            },
            ExpiresIn=config.PRESIGNED_SECONDS,
        )

    def received_parts(self, key: str, upload_id: str) -> dict[int, int]:
        """The bytes of each part that has come, by its number; raises ObjectMissing."""
        return {part["PartNumber"]: part["Size"] for part in self._parts(key, upload_id)}

    def _parts(self, key: str, upload_id: str) -> list[Any]:
        pages = aws.s3().get_paginator("list_parts")
        try:
            found = pages.paginate(Bucket=self.name, Key=key, UploadId=upload_id)
            return [part for page in found for part in page.get("Parts", [])]
        except ClientError as error:
            raise _no_upload(error, key) from None

    def complete_parts(self, key: str, upload_id: str) -> None:
        """Make the object of all parts that have come; raises ObjectMissing."""
        come: Any = [
            {"PartNumber": part["PartNumber"], "ETag": part["ETag"]}
            for part in self._parts(key, upload_id)
        ]
        try:
            aws.s3().complete_multipart_upload(
                Bucket=self.name, Key=key, UploadId=upload_id, MultipartUpload={"Parts": come}
            )
        except ClientError as error:
            raise _no_upload(error, key) from None

    def abort_parts(self, key: str, upload_id: str) -> None:
        """Remove what has come; an upload that is not there is no error."""
        try:
            aws.s3().abort_multipart_upload(Bucket=self.name, Key=key, UploadId=upload_id)
        except ClientError as error:
            _no_upload(error, key)


def _no_upload(error: ClientError, key: str) -> ObjectMissing:
    """S3 knows of no such upload; raises any other error."""
    if error.response["Error"]["Code"] not in ("NoSuchUpload", "404"):
        raise error
    return ObjectMissing(key)


@cache
def data_bucket() -> DataBucket:
    """The bucket that the environment names."""
    return DataBucket(config.settings().data_bucket)
