"""Who is served at once, and who waits: a lane for every function."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

WAIT_SECONDS = 60  # in line


class FullError(Exception):
    """As many requests as may wait are waiting already, or this one has waited long enough."""


class Lane:
    """A function's share: `width` requests at once, `length` more waiting."""

    def __init__(self, width: int, length: int) -> None:
        self._free = asyncio.Semaphore(width)
        self._waiting = 0
        self._length = length

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Waits for its turn; raises FullError if too many wait already, or it takes too long."""
        if self._free.locked() and self._waiting >= self._length:
            raise FullError
        self._waiting += 1
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._free.acquire()
        except TimeoutError:
            raise FullError from None
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._free.release()


def functions_by_segment(openapi: Mapping[str, Any]) -> dict[str, str]:
    """Which function serves /kmeans/{segment}…, by its logical id, as the contract's URIs say.

    The segment of /kmeans itself is empty.
    """
    served = {}
    for path, methods in openapi["paths"].items():
        for method in methods.values():
            uri = str(method["x-amazon-apigateway-integration"]["uri"])
            served[segment_of(path)] = uri.split("${")[-1].partition(".")[0]
    return served


def segment_of(path: str) -> str:
    return "".join(path.split("/")[2:3])
