"""HTTP as it comes from anybody: what is none is refused with a problem document, and not logged.

aiohttp answers such a request as plain text and prints it with a traceback; but the line that
cannot be read may hold a token.
"""

import asyncio
import json
import socket
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

# Seconds for the head of a request to arrive, and for the next one on a connection to begin.
HEAD_SECONDS = 60
SHUTDOWN_SECONDS = 10
HEADERS_LIMIT = 10_240  # bytes; API Gateway's own


@asynccontextmanager
async def serving(
    application: web.Application, listeners: list[socket.socket]
) -> AsyncIterator[None]:
    """Serves the application on the sockets; requests in flight have some seconds at the end."""
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    server = runner.server
    assert server is not None  # noqa: S101 (it was set up)
    loop = asyncio.get_running_loop()

    def connection() -> Connection:
        # A body is passed on as it came: nothing is unpacked before its size is known.
        return Connection(
            server,
            loop=loop,
            keepalive_timeout=HEAD_SECONDS,
            auto_decompress=False,
            max_field_size=2 * HEADERS_LIMIT,  # beyond its own limit one header is a 431
        )

    doors = [await loop.create_server(connection, sock=listener) for listener in listeners]
    try:
        yield
    finally:
        for door in doors:
            door.close()
        await runner.cleanup()


class Connection(web.RequestHandler):
    """One client's connection."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,  # noqa: ARG002 (aiohttp's signature)
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002
    ) -> web.StreamResponse:
        if isinstance(exc, HttpProcessingError):
            answer = malformed(exc)
        else:
            self.log_exception("Error handling a request", exc_info=exc)
            answer = closing(
                problem(
                    status, "internal-error", "Internal error", "Something went wrong on our side"
                )
            )
        return answer

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        if isinstance(resp, web.HTTPException):  # aiohttp's own: CONNECT, OPTIONS *, Expect
            resp = closing(problem(resp.status, "malformed-request", resp.reason, str(resp.text)))
        return await super().finish_response(request, resp, start_time)


def malformed(error: HttpProcessingError) -> web.Response:
    """The answer to bytes that are no HTTP."""
    reason = error.message.partition(":")[0]  # behind it stands what was sent
    detail = f"This is not HTTP: {reason[:100]}"
    return closing(problem(400, "malformed-request", "Malformed request", detail))


def closing(answer: web.Response) -> web.Response:
    """An answer that ends the connection: nobody waits for the rest of what is being sent."""
    answer.force_close()
    return answer


def problem(
    status: int, kind: str, title: str, detail: str, headers: Mapping[str, Any] | None = None
) -> web.Response:
    """A problem document such as the functions answer, RFC 9457."""
    document = {
        "type": f"urn:kmeans-service:problem:{kind}",
        "title": title,
        "status": status,
        "detail": detail,
        "request_id": str(uuid.uuid4()),
    }
    stated = {name: str(value) for name, value in (headers or {}).items()}
    return web.Response(
        status=status,
        body=json.dumps(document).encode(),
        headers={"Content-Type": "application/problem+json", **stated},
    )
