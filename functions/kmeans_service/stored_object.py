"""What the table knows of an object in the bucket."""

from dataclasses import dataclass


@dataclass(frozen=True)
class StoredObject:
    """An object of ours and the digest of its bytes when we wrote it."""

    key: str
    sha256: str
    size: int
