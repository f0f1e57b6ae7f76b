"""HTTP/1.1 written by hand, a connection each: also what no client library would send."""

import asyncio
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

HOST = "127.0.0.1"
PATIENCE = 120.0  # seconds for an answer


@dataclass(frozen=True)
class Reply:
    """What came back; a status of 0 is no answer at all, `body` then says why."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def is_problem(self) -> bool:
        """Whether it is a whole problem document (RFC 9457) that speaks of this status."""
        if self.headers.get("content-type") != "application/problem+json":
            return False
        document = json.loads(self.body)
        return bool(document["status"] == self.status and document["detail"])

    @property
    def is_deliberate(self) -> bool:
        """Whether it asks to come back later, and says when."""
        later = self.headers.get("retry-after", "")
        return self.status in (429, 503) and later.isdecimal() and self.is_problem

    def json(self) -> Any:
        return json.loads(self.body)


def request(
    method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b""
) -> bytes:
    named = {"Host": "localhost", "Connection": "close", **(headers or {})}
    if body:
        named.setdefault("Content-Length", str(len(body)))
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in named.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


async def send(port: int, *pieces: bytes, pause: float = 0.0) -> Reply:
    """The answer to the pieces, which are sent one after the other with a pause between them."""
    try:
        async with asyncio.timeout(PATIENCE):
            return await _send(port, pieces, pause)
    except (OSError, TimeoutError, asyncio.IncompleteReadError, ValueError) as error:
        return Reply(0, {}, repr(error).encode())


async def hang_up(port: int, piece: bytes, pause: float) -> None:
    """Send a piece of a request and go."""
    with suppress(OSError):
        _, writer = await asyncio.open_connection(HOST, port)
        writer.write(piece)
        await asyncio.sleep(pause)
        writer.transport.abort()


async def _send(port: int, pieces: Sequence[bytes], pause: float) -> Reply:
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        for number, piece in enumerate(pieces):
            if number:
                await asyncio.sleep(pause)
            writer.write(piece)
        return await _reply(reader)
    finally:
        writer.close()


async def _reply(reader: asyncio.StreamReader) -> Reply:
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[:-2]
    status = int(first.split()[1])
    pairs = (line.partition(":") for line in lines)
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    if status == 100:
        return await _reply(reader)
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Reply(status, headers, body)
