"""The front door, http://localhost:PORT/kmeans/…: what API Gateway adds, and a queue for everybody.

Passes method, path, query, headers and body on as they are. Every function has its lane: so many
requests at once, so many waiting, and the rest is told to come back. Without it the emulator
would start a process for each request of a burst.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector, web
from aiohttp.http import HttpVersion10, HttpVersion11
from aiohttp.http_exceptions import HttpProcessingError
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from local.http_server import closing, malformed, problem

HEADERS_LIMIT = 10_240  # bytes; API Gateway's own
EVENT_LIMIT = 6 * 1024 * 1024  # bytes; Lambda's own
# What fits an event as base64, beside the headers, which stand there twice: 4.7 MB.
BODY_LIMIT = (EVENT_LIMIT - 4 * HEADERS_LIMIT) // 4 * 3
# As openapi.yaml's REQUEST_TOO_LARGE.
TOO_LARGE = (
    "A body may have 4.5 MB: send a larger file through POST kmeans/uploads, points to predict "
    "through POST kmeans/predictions. The same request again is refused again"
)
BODIES_LIMIT = 256 * 1024 * 1024  # bytes of all the bodies that wait here at once
BODY_SECONDS = 30  # for a body to arrive
WAIT_SECONDS = 60  # in line
TOO_SLOW = f"The body did not arrive within {BODY_SECONDS} seconds."
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


class FullError(Exception):
    """As many requests as may wait are waiting already, or this one has waited long enough."""


class BodyError(Exception):
    """The body did not arrive whole; `answer` says why."""

    def __init__(self, answer: web.Response) -> None:
        super().__init__()
        self.answer = answer


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
            served[_segment(path)] = uri.split("${")[-1].partition(".")[0]
    return served


def _segment(path: str) -> str:
    return "".join(path.split("/")[2:3])


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
        self._room = BODIES_LIMIT

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
        path = request.raw_path.partition("?")[0]
        if path.split("/")[1:2] != ["kmeans"]:
            return problem(
                404,
                "route-not-found",
                "No such path",
                "The service is at /kmeans/, its page at /kmeans/ui/.",
            )
        if refusal := _refusal(request):
            return refusal
        lane = self._lanes.get(_segment(path), self._others)
        try:
            return await self._answer(request, lane)
        except BodyError as error:
            return error.answer
        except FullError:
            return _come_back("Too many requests are waiting.")
        except TimeoutError:
            return _come_back("The function did not answer in time.")
        except ClientError:
            return _come_back("The function's host did not answer.")

    async def _answer(self, request: web.Request, lane: Lane) -> web.StreamResponse:
        arrived = time.time()
        with self._room_for(request):
            body = await _body(request)
            async with lane.place():
                if request.transport is None:
                    return web.Response()  # the client is gone: nobody reads this
                return await self._forward(request, body, arrived)

    @contextmanager
    def _room_for(self, request: web.Request) -> Iterator[None]:
        """Memory for a body; raises FullError if the others that wait have all there is."""
        size = request.content_length if request.content_length is not None else BODY_LIMIT
        size *= request.body_exists
        if size > self._room:
            raise FullError
        self._room -= size
        try:
            yield
        finally:
            self._room += size

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
            headers = _end_to_end(answer.headers)
            if request.method == "HEAD" and "Content-Length" in answer.headers:
                headers["Content-Length"] = answer.headers["Content-Length"]  # what GET would have
            return web.Response(status=answer.status, headers=headers, body=await answer.read())

    def _as_behind_api_gateway(
        self, request: web.Request, has_body: bool, arrived: float
    ) -> CIMultiDict[str]:
        headers = _end_to_end(request.headers)
        forwarded = [*headers.popall("X-Forwarded-For", []), request.remote or ""]
        headers["X-Forwarded-For"] = ", ".join(forwarded)
        headers["X-Forwarded-Proto"] = "http"
        headers["X-Forwarded-Port"] = self._port
        # Unlike API Gateway's, a stage's name is in no path that clients of this door see.
        headers["X-Forwarded-Prefix"] = "/"
        # The emulator's own time of arrival is after the wait in the lane.
        headers["X-Request-Start"] = f"t={arrived:.3f}"
        # RFC 9110, 12.5.1. Without it the emulator, unlike AWS, leaves binary answers as base64.
        headers.setdefault("Accept", "*/*")
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


def _refusal(request: web.Request) -> web.Response | None:
    """The answer to what API Gateway lets nobody send, None for everything else."""
    if request.version not in (HttpVersion10, HttpVersion11):
        return closing(
            problem(400, "malformed-request", "Malformed request", "Speak HTTP/1.1 or HTTP/1.0.")
        )
    if sum(len(name) + len(value) for name, value in request.raw_headers) > HEADERS_LIMIT:
        detail = f"The headers may have {HEADERS_LIMIT} bytes together."
        return closing(problem(431, "malformed-request", "Headers too large", detail))
    if (request.content_length or 0) > BODY_LIMIT:
        return _too_large()
    return None


async def _body(request: web.Request) -> bytes:
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise BodyError(_too_large()) from None
    except TimeoutError:
        slow = closing(problem(408, "malformed-request", "Too slow", TOO_SLOW))
        raise BodyError(slow) from None
    except HttpProcessingError as error:  # a chunk that is none
        raise BodyError(malformed(error)) from None
    except (web.RequestPayloadError, ConnectionError):  # the client is gone: nobody reads this
        raise BodyError(web.Response()) from None


def _too_large() -> web.Response:
    return closing(problem(413, "too-large", "Too large", TOO_LARGE))


def _come_back(why: str) -> web.Response:
    return problem(503, "unavailable", "Try again later", why, {"Retry-After": RETRY_AFTER})


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
