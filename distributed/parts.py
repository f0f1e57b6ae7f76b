"""One object that many tasks write, a part each; a part that is written twice is the same one."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

from kmeans_service import aws
from kmeans_service.stored_object import StoredObject

# Of one part, as S3 takes it.
MOST_PART_BYTES = 5 * 1024**3
_READ_BYTES = 1024**2


@dataclass(frozen=True, slots=True)
class Part:
    number: int
    etag: str


@dataclass(frozen=True, slots=True)
class PartWriter:
    """Writes parts of an object that is begun; numbers are from 0 on, in the object's order."""

    bucket: str
    key: str
    upload_id: str

    def write(self, index: int, file: IO[bytes]) -> Part:
        file.seek(0)
        answer = aws.s3().upload_part(
            Bucket=self.bucket,
            Key=self.key,
            UploadId=self.upload_id,
            PartNumber=index + 1,
            Body=file,
        )
        return Part(index + 1, answer["ETag"])


class Parts:
    """An object in parts: written by tasks, finished by who has all of them."""

    def __init__(self, bucket: str, key: str, content_type: str) -> None:
        self._bucket, self._key, self._type = bucket, key, content_type
        self._upload_id = ""

    @contextmanager
    def writing(self) -> Iterator[PartWriter]:
        """Nothing is left of the parts if it fails."""
        answer = aws.s3().create_multipart_upload(
            Bucket=self._bucket, Key=self._key, ContentType=self._type
        )
        self._upload_id = answer["UploadId"]
        try:
            yield PartWriter(self._bucket, self._key, self._upload_id)
        except BaseException:
            aws.s3().abort_multipart_upload(
                Bucket=self._bucket, Key=self._key, UploadId=self._upload_id
            )
            raise

    def finish(self, parts: Sequence[Part]) -> None:
        """All that were written, in any order."""
        order = sorted(parts, key=lambda part: part.number)
        listed: Any = [{"PartNumber": part.number, "ETag": part.etag} for part in order]
        aws.s3().complete_multipart_upload(
            Bucket=self._bucket,
            Key=self._key,
            UploadId=self._upload_id,
            MultipartUpload={"Parts": listed},
        )

    def stored(self) -> StoredObject:
        """The finished object: read once, for the digest that all of its readers check."""
        body = aws.s3().get_object(Bucket=self._bucket, Key=self._key)["Body"]
        digest, size = hashlib.sha256(), 0
        while piece := body.read(_READ_BYTES):
            digest.update(piece)
            size += len(piece)
        return StoredObject(self._key, digest.hexdigest(), size)
