"""The front door, http://localhost:PORT/kmeans/…: what API Gateway adds, and a queue for everybody.

Passes method, path, query, headers and body on as they are. Every function has its lane: so many
requests at once, so many waiting, and the rest is told to come back. Without it the emulator
would start a process for each request of a burst.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector, web
from aiohttp.http import HttpVersion10, HttpVersion11
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from local import disk
from local.bodies import BODY_LIMIT, Bodies, BodyError, too_large
from local.http_server import HEADERS_LIMIT, closing, problem
from local.lanes import FullError, Lane, functions_by_segment, segment_of

# What stores something, and so cannot be done on a full disk.
WRITING = ("PATCH", "POST", "PUT")
STORES_NOTHING = ("predict", "score", "transform")
RETRY_AFTER = 2  # seconds
# API Gateway waits 29 s; what a function may take, and then some for its first start.
TIMEOUT = ClientTimeout(total=90)

# What is asked so that its function starts: by the service once it is ready, for that is what
# everybody asks first, and by who hands out the page, for that takes longest to start.
FIRST = "/kmeans/upload"
AHEAD = "/kmeans/fit"

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


class Gateway:
    """The aiohttp application in front of one deployed API.

    target   URL of the deployed stage, without a final slash
    lanes    lane of every /kmeans/{segment}; `others` is for paths the contract does not know
    data     folder on the disk that all data goes to
    """

    def __init__(
        self, target: str, lanes: Mapping[str, Lane], others: Lane, port: int, data: Path
    ) -> None:
        self._target = target
        self._lanes = lanes
        self._others = others
        self._port = str(port)
        self._data = data
        self._bodies = Bodies()
        self._started: dict[Lane, asyncio.Task[None]] = {}  # ahead

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
                "The service and its page are at /kmeans/.",
            )
        if refusal := _refusal(request):
            return refusal
        segment = segment_of(path)
        stores = request.method in WRITING and segment not in STORES_NOTHING
        try:
            return await self._answer(request, self._lane(path), stores)
        except BodyError as error:
            return error.answer
        except FullError:
            return _come_back("Too many requests are waiting.")
        except TimeoutError:
            return _come_back("The function did not answer in time.")
        except ClientError:
            return _come_back("The function's host did not answer.")

    async def _answer(self, request: web.Request, lane: Lane, stores: bool) -> web.StreamResponse:
        arrived = time.time()
        async with self._bodies.arrived(request) as body:
            if stores and disk.free_bytes(self._data) < len(body) + disk.RESERVE:
                return self._disk_is_full()
            if (starting := self._started.get(lane)) and not starting.done():
                await asyncio.wait({starting})
            async with lane.place():
                if request.transport is None:
                    return web.Response()  # the client is gone: nobody reads this
                answer = await self._forward(request, body, arrived)
        if answer.status >= 500 and disk.free_bytes(self._data) < disk.RESERVE:
            return self._disk_is_full()  # it has filled up meanwhile
        if request.method == "GET" and segment_of(request.path) == "" and _is_page(answer):
            self.start_ahead(AHEAD)
        return answer

    def start_ahead(self, path: str) -> None:
        """The function of a path, and what lets calls through to it, once and before it is asked.

        Who asks meanwhile waits for it: a second process would take as long to start.
        """
        lane = self._lane(path)
        if lane not in self._started:
            self._started[lane] = asyncio.create_task(self._ask_ahead(lane, path))

    async def _ask_ahead(self, lane: Lane, path: str) -> None:
        headers = {"Host": f"localhost:{self._port}"}  # who is let through is kept by this name
        with suppress(FullError, ClientError, TimeoutError):
            async with (
                lane.place(),
                self._session.options(self._target + path, headers=headers),
            ):
                pass  # 405: it does nothing but start

    def _lane(self, path: str) -> Lane:
        return self._lanes.get(segment_of(path), self._others)

    def _disk_is_full(self) -> web.Response:
        free = disk.free_bytes(self._data) // 1_000_000
        detail = (
            f"The disk with {self._data} has {free} MB left: nothing more is stored. "
            "Make room there, or with DELETE /kmeans/jobs/{job_id}."
        )
        return problem(507, "insufficient-storage", "The disk is full", detail)

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


def _is_page(answer: web.StreamResponse) -> bool:
    return answer.status == 200 and answer.headers.get("Content-Type", "").startswith("text/html")


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
        return too_large()
    return None


def _come_back(why: str) -> web.Response:
    return problem(503, "unavailable", "Try again later", why, {"Retry-After": RETRY_AFTER})


def gateway_for(
    target: str,
    openapi: Mapping[str, Any],
    port: int,
    data: Path,
    concurrency: Mapping[str, int],
    waiting: int,
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
    return Gateway(target, lanes, Lane(concurrency[""], waiting), port, data)
