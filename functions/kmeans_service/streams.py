"""Streams of bytes, and some that do something as they are read."""

import hashlib
import io
import sys
from collections.abc import Callable, Iterator
from typing import Protocol

type Keep = Callable[[], None]


class ByteStream(Protocol):
    """A file opened for reading bytes, or the body of an object in S3."""

    def read(self, size: int, /) -> bytes: ...


class Kept:
    """Reads from a binary stream; `keep` is called before each piece."""

    def __init__(self, stream: ByteStream, keep: Keep) -> None:
        self._stream = stream
        self._keep = keep

    def read(self, size: int = sys.maxsize, /) -> bytes:
        self._keep()
        return self._stream.read(size)


class WholeRead:
    """Opens a file as often as it is asked, and knows the digest of all of its bytes in the end.

    opened   opens it from its beginning
    """

    def __init__(self, opened: Callable[[], ByteStream]) -> None:
        self._opened = opened
        self._last: HashingStream | None = None

    def __call__(self) -> ByteStream:
        """A reader reads its last stream to the end, unless it refuses what it has read."""
        self._last = HashingStream(self._opened())
        return self._last

    def finish(self) -> "HashingStream":
        """The last stream, with all of the file's bytes read."""
        stream = self._last or HashingStream(self._opened())
        stream.drain()
        return stream


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


class Pieces:
    """What an iterator gives, to be read as a file is."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    def read(self, size: int, /) -> bytes:
        read = io.BytesIO()
        while missing := size - read.tell():
            piece = self._rest or next(filter(None, self._pieces), b"")
            if not piece:
                break
            read.write(piece[:missing])
            self._rest = piece[missing:]
        return read.getvalue()
