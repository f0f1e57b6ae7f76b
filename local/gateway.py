"""The front door, http://localhost:PORT/kmeans/…: what API Gateway adds, and a queue for everybody.

Passes method, path, query, headers and body on as they are. Every function has its lane: so many
requests at once, so many waiting, and the rest is told to come back. Without it the emulator
would start a process for each request of a burst.
"""

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector, web
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

BODY_LIMIT = 10 * 1024 * 1024  # bytes; API Gateway's own
TOO_LARGE = f"A body may have {BODY_LIMIT} bytes; larger files go through POST /kmeans/uploads."
RETRY_AFTER = 2  # seconds
# API Gateway waits 29 s; what a function may take, and then some for its first start.
TIMEOUT = ClientTimeout(total=90)

# RFC 9110, 7.6.1: these are about one connection. Content-Length is set anew.
HOP_BY_HOP = {
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "content-length",
    "expect",
}
Headers = CIMultiDict[str] | CIMultiDictProxy[str]


class LaneFullError(Exception):
    """As many requests as may wait are waiting already."""


class Lane:
    """A function's share: `width` requests at once, `length` more waiting."""

    def __init__(self, width: int, length: int) -> None:
        self._free = asyncio.Semaphore(width)
        self._waiting = 0
        self._length = length

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Waits for its turn; raises LaneFullError at once if too many wait already."""
        if self._free.locked() and self._waiting >= self._length:
            raise LaneFullError
        self._waiting += 1
        try:
            await self._free.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._free.release()


def functions_by_segment(openapi: Mapping[str, Any]) -> dict[str, str]:
    """Which function serves /kmeans/{segment}…, by its logical id, as the contract's URIs say."""
    served = {}
    for path, methods in openapi["paths"].items():
        for method in methods.values():
            uri = str(method["x-amazon-apigateway-integration"]["uri"])
            served[path.split("/")[2]] = uri.split("${")[-1].split(".Arn}")[0]
    return served


class Gateway:
    """The aiohttp application in front of one deployed API.

    target   URL of the deployed stage, without a final slash
    lanes    lane of every /kmeans/{segment}; `others` is for paths the contract does not know
    """

    def __init__(self, target: str, lanes: Mapping[str, Lane], others: Lane, port: int) -> None:
        self._target = target
        self._lanes = lanes
        self._others = others
        self._port = str(port)

    def application(self) -> web.Application:
        app = web.Application(client_max_size=BODY_LIMIT)
        app.cleanup_ctx.append(self._with_session)
        app.router.add_route("*", "/{path:(?s:.*)}", self.answer)
        return app

    async def _with_session(self, _app: web.Application) -> AsyncIterator[None]:
        async with ClientSession(
            timeout=TIMEOUT,
            auto_decompress=False,
            cookie_jar=DummyCookieJar(),
            connector=TCPConnector(limit=0),
        ) as self._session:
            yield

    async def answer(self, request: web.Request) -> web.StreamResponse:
        segments = request.raw_path.partition("?")[0].split("/")
        if segments[1:2] != ["kmeans"]:
            return _problem(
                404,
                "route-not-found",
                "No such path",
                "The service is at /kmeans/, its page at /kmeans/ui/.",
            )
        arrived = time.time()
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return _problem(413, "too-large", "Too large", TOO_LARGE)
        lane = self._lanes.get(segments[2] if len(segments) > 2 else "", self._others)
        try:
            async with lane.place():
                return await self._forward(request, body, arrived)
        except LaneFullError:
            return _problem(
                503,
                "unavailable",
                "Try again later",
                "Too many requests are waiting.",
                {"Retry-After": RETRY_AFTER},
            )
        except TimeoutError:
            return _problem(
                504, "unavailable", "Try again later", "The function did not answer in time."
            )
        except ClientError:
            return _problem(
                502, "unavailable", "Try again later", "The function's host did not answer."
            )

    async def _forward(
        self, request: web.Request, body: bytes, arrived: float
    ) -> web.StreamResponse:
        async with self._session.request(
            request.method,
            URL(self._target + request.raw_path, encoded=True),
            headers=self._as_behind_api_gateway(request, bool(body), arrived),
            data=body or None,
            allow_redirects=False,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        ) as answer:
            return web.Response(
                status=answer.status, headers=_end_to_end(answer.headers), body=await answer.read()
            )

    def _as_behind_api_gateway(
        self, request: web.Request, has_body: bool, arrived: float
    ) -> CIMultiDict[str]:
        headers = _end_to_end(request.headers)
        forwarded = [*headers.popall("X-Forwarded-For", []), request.remote or ""]
        headers["X-Forwarded-For"] = ", ".join(forwarded)
        headers["X-Forwarded-Proto"] = "http"
        headers["X-Forwarded-Port"] = self._port
        # The emulator's own time of arrival is after the wait in the lane.
        headers["X-Request-Start"] = f"t={arrived:.3f}"
        if has_body:
            # A body of no declared type would be decoded as text on its way to the function.
            headers.setdefault("Content-Type", "application/octet-stream")
        return headers


def _end_to_end(headers: Headers) -> CIMultiDict[str]:
    named = {name.strip().lower() for name in headers.get("Connection", "").split(",")}
    return CIMultiDict(
        (name, value)
        for name, value in headers.items()
        if name.lower() not in HOP_BY_HOP and name.lower() not in named
    )


def _problem(
    status: int, kind: str, title: str, detail: str, headers: Mapping[str, Any] | None = None
) -> web.Response:
    """A problem document such as the functions answer, RFC 9457."""
    problem = {
        "type": f"urn:kmeans-service:problem:{kind}",
        "title": title,
        "status": status,
        "detail": detail,
        "request_id": str(uuid.uuid4()),
    }
    stated = {name: str(value) for name, value in (headers or {}).items()}
    return web.Response(
        status=status,
        body=json.dumps(problem).encode(),
        headers={"Content-Type": "application/problem+json", **stated},
    )


def gateway_for(
    target: str, openapi: Mapping[str, Any], port: int, concurrency: Mapping[str, int], waiting: int
) -> Gateway:
    """A gateway whose lanes follow the contract.

    concurrency   requests at once by function, and "" for every function not named
    waiting       requests that may wait in each lane
    """
    served = functions_by_segment(openapi)
    lane_of = {
        function: Lane(concurrency.get(function, concurrency[""]), waiting)
        for function in served.values()
    }
    lanes = {segment: lane_of[function] for segment, function in served.items()}
    return Gateway(target, lanes, Lane(concurrency[""], waiting), port)
