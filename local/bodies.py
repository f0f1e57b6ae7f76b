"""Bodies of requests, in memory that they share: it is taken as bytes arrive, not as announced.

Where it runs out, the bodies that have been arriving for longest are cut off, so that whoever sends
slowly is in nobody's way for longer than PATIENCE.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from local.http_server import HEADERS_LIMIT, closing, malformed, problem
from local.lanes import FullError

EVENT_LIMIT = 6 * 1024 * 1024  # bytes; Lambda's own
# What fits an event as base64, beside the headers, which stand there twice: 4.7 MB.
BODY_LIMIT = (EVENT_LIMIT - 4 * HEADERS_LIMIT) // 4 * 3
# As API Gateway's REQUEST_TOO_LARGE.
TOO_LARGE = (
    "A body may have 4.5 MB: send a larger file through POST kmeans/uploads, points to predict "
    "through POST kmeans/predictions. The same request again is refused again"
)
BODIES_LIMIT = 256 * 1024 * 1024  # bytes of all the bodies that wait here at once
BODY_SECONDS = 30  # for a body to arrive
PATIENCE = 5  # seconds that it has for it in any case
TOO_SLOW = (
    f"The body did not arrive within {BODY_SECONDS} seconds, or not within {PATIENCE} "
    "while others were waiting."
)


class BodyError(Exception):
    """The body did not arrive whole; `answer` says why."""

    def __init__(self, answer: web.Response) -> None:
        super().__init__()
        self.answer = answer


@dataclass(eq=False)
class _Arriving:
    """A body on its way: its deadline, when it began, what has come."""

    timeout: asyncio.Timeout
    began: float
    chunks: list[bytes] = field(default_factory=list)
    size: int = 0


class Bodies:
    """The memory, and who is using it."""

    def __init__(self) -> None:
        self._free = BODIES_LIMIT
        self._arriving: list[_Arriving] = []  # the oldest first

    @asynccontextmanager
    async def arrived(self, request: web.Request) -> AsyncIterator[bytes]:
        """The whole body, whose memory is held until the end of the block.

        Raises BodyError, and FullError if the others that wait have all the memory.
        """
        body = await self._read(request)
        try:
            yield body
        finally:
            self._free += len(body)

    async def _read(self, request: web.Request) -> bytes:
        try:
            async with asyncio.timeout(BODY_SECONDS) as timeout:
                arriving = _Arriving(timeout, asyncio.get_running_loop().time())
                self._arriving.append(arriving)
                try:
                    return await self._collect(request, arriving)
                finally:
                    self._forget(arriving)
        except TimeoutError:
            slow = closing(problem(408, "malformed-request", "Too slow", TOO_SLOW))
            raise BodyError(slow) from None
        except HttpProcessingError as error:  # a chunk that is none
            raise BodyError(malformed(error)) from None
        except (web.RequestPayloadError, ConnectionError):  # the client is gone: nobody reads this
            raise BodyError(web.Response()) from None

    async def _collect(self, request: web.Request, arriving: _Arriving) -> bytes:
        async for chunk in request.content.iter_any():
            if arriving.size + len(chunk) > BODY_LIMIT:
                raise BodyError(too_large())
            self._take(arriving, len(chunk))
            arriving.chunks.append(chunk)
        if arriving not in self._arriving:  # cut off as its last bytes came
            raise TimeoutError
        self._free -= arriving.size  # what `_forget` gives back is held by the caller now
        return b"".join(arriving.chunks)

    def _take(self, arriving: _Arriving, size: int) -> None:
        """Raises FullError, and TimeoutError if this body has been cut off."""
        while self._free < size and (slowest := self._slowest()):
            self._forget(slowest)
            slowest.timeout.reschedule(0)  # it ends as if its time were over
        if arriving not in self._arriving:
            raise TimeoutError
        if self._free < size:
            raise FullError
        self._free -= size
        arriving.size += size

    def _slowest(self) -> _Arriving | None:
        now = asyncio.get_running_loop().time()
        oldest = self._arriving[0] if self._arriving else None
        return oldest if oldest and now - oldest.began > PATIENCE else None

    def _forget(self, arriving: _Arriving) -> None:
        if arriving in self._arriving:
            self._arriving.remove(arriving)
        self._free += arriving.size
        arriving.size = 0
        arriving.chunks.clear()


def too_large() -> web.Response:
    return closing(problem(413, "too-large", "Too large", TOO_LARGE))
