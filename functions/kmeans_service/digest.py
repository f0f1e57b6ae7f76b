"""A stream that is hashed as it is read."""

import hashlib
import sys

from kmeans_service.csv_lines import ByteStream


class HashingStream:
    """Reads from a binary stream; `sha256` and `size` are of the bytes read so far."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._hash = hashlib.sha256()
        self.size = 0

    def read(self, size: int = sys.maxsize, /) -> bytes:
        chunk = self._stream.read(size)
        self._hash.update(chunk)
        self.size += len(chunk)
        return chunk

    def drain(self) -> None:
        """Read what is left."""
        while self.read(1024**2):
            pass

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()
