"""The front door of `make run`: a long line, slow clients, a full disk, a host that is away."""

import asyncio
import base64
import gzip
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from bench.wire import Reply, send
from harness.service.gateway import through_gateway
from local import bodies, disk, gateway, http_server, lanes
from local.contract import GATEWAY
from local.template import load_yaml

type Asked = TestClient[web.Request, web.Application]


async def is_deliberate(answer: Any) -> bool:
    return (
        answer.status == 503
        and answer.content_type == "application/problem+json"
        and int(answer.headers["Retry-After"]) > 0
    )


async def until(ready: Callable[[], Any]) -> None:
    async with asyncio.timeout(30):
        while not ready():
            await asyncio.sleep(0.005)


class Backend:
    """Answers when it is told to; `made` are the paths that it was asked for."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.go_on = asyncio.Event()

    async def answer(self, request: web.Request) -> web.Response:
        self.made.append(request.path.removeprefix("/stage"))
        await request.read()
        await self.go_on.wait()
        return web.Response()


async def at_once(_request: web.Request) -> web.Response:
    return web.Response()


def test_nobody_waits_in_line_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "WAIT_SECONDS", 0.1)
    backend = Backend()

    async def ask(client: Asked) -> None:
        first = asyncio.create_task(client.get("/kmeans/health"))
        await until(lambda: backend.made)
        assert await is_deliberate(await client.get("/kmeans/health"))
        assert not first.done()
        backend.go_on.set()
        assert (await first).status == 200

    through_gateway(backend.answer, ask)


def test_a_request_whose_client_is_gone_when_its_turn_comes_is_not_made() -> None:
    backend = Backend()

    async def ask(client: Asked) -> None:
        first = asyncio.create_task(client.get("/kmeans/first"))
        await until(lambda: backend.made)
        second = asyncio.create_task(client.get("/kmeans/second"))
        await asyncio.sleep(0.1)  # gateway and client share a loop: it is in line by then
        second.cancel()
        await asyncio.sleep(0.1)
        backend.go_on.set()
        assert (await first).status == 200
        assert (await client.get("/kmeans/third")).status == 200
        assert backend.made == ["/kmeans/first", "/kmeans/third"]

    through_gateway(backend.answer, ask)


def test_a_host_that_does_not_answer_is_a_503() -> None:
    async def backend(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async def ask(client: Asked) -> None:
        assert await is_deliberate(await client.post("/kmeans/fit", data=b"{}"))

    through_gateway(backend, ask)


# --- bodies -----------------------------------------------------------------------


def post(length: int, body: bytes) -> bytes:
    return b"POST /kmeans/fit HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % length + body


async def begin(client: Asked, length: int, body: bytes) -> asyncio.StreamWriter:
    """A client that sends this much of its body and waits."""
    _, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(post(length, body))
    await writer.drain()
    return writer


def with_slow_clients(
    slow: list[tuple[int, bytes]], ask: Callable[[Asked], Awaitable[None]]
) -> None:
    """Asks a gateway at which these bodies, announced length and begin, have not ended."""

    async def all_of_it(client: Asked) -> None:
        writers = [await begin(client, length, body) for length, body in slow]
        await asyncio.sleep(0.1)  # a gateway that waited for nothing would have read them by now
        try:
            await ask(client)
        finally:
            for writer in writers:
                writer.transport.abort()

    through_gateway(at_once, all_of_it)


def test_bodies_that_wait_have_a_limit_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "BODIES_LIMIT", 1_000_000)
    backend = Backend()

    async def ask(client: Asked) -> None:
        first = asyncio.create_task(client.post("/kmeans/fit", data=b"x" * 600_000))
        await until(lambda: backend.made)
        assert await is_deliberate(await client.post("/kmeans/fit", data=b"x" * 600_000))
        backend.go_on.set()
        assert (await client.get("/kmeans/health")).status == 200
        assert (await first).status == 200
        assert (await client.post("/kmeans/fit", data=b"x" * 600_000)).status == 200

    through_gateway(backend.answer, ask)


def test_what_is_announced_and_does_not_come_takes_no_memory() -> None:
    async def ask(client: Asked) -> None:
        answer = await client.post("/kmeans/fit", data=b"x" * bodies.BODY_LIMIT)
        assert answer.status == 200

    with_slow_clients([(bodies.BODY_LIMIT, b"x")] * 40, ask)


def test_who_sends_slowly_is_cut_off_when_others_need_the_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bodies, "BODIES_LIMIT", 1_000_000)
    monkeypatch.setattr(bodies, "PATIENCE", 0)

    async def ask(client: Asked) -> None:
        for _ in range(3):
            answer = await client.post("/kmeans/fit", data=b"x" * 600_000)
            assert answer.status == 200

    with_slow_clients([(200_000, b"x" * 199_000)] * 5, ask)


def test_nobody_is_cut_off_in_the_first_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "BODIES_LIMIT", 1_000_000)

    async def ask(client: Asked) -> None:
        assert await is_deliberate(await client.post("/kmeans/fit", data=b"x" * 600_000))

    with_slow_clients([(200_000, b"x" * 199_000)] * 5, ask)


def test_a_body_that_never_comes_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.2)

    async def ask(client: Asked) -> None:
        assert client.port is not None
        reply: Reply = await send(client.port, post(20, b"{"))
        assert (reply.status, reply.is_problem) == (408, True)

    through_gateway(at_once, ask)


def test_as_many_bodies_wait_as_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "BODIES_LIMIT", 1000)

    async def backend(request: web.Request) -> web.Response:
        return web.Response(text=str(len(await request.read())))

    async def ask(client: Asked) -> None:
        assert (await client.post("/kmeans/fit", data=b"x" * 1000)).status == 200
        assert await is_deliberate(await client.post("/kmeans/fit", data=b"x" * 1001))
        assert (await client.post("/kmeans/fit", data=b"x" * 1000)).status == 200

    through_gateway(backend, ask)


def test_a_body_of_unknown_length_takes_what_has_come_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bodies, "BODIES_LIMIT", 1000)

    async def chunks(size: int) -> AsyncIterator[bytes]:
        for _ in range(size // 100):
            yield b"x" * 100

    async def ask(client: Asked) -> None:
        assert (await client.post("/kmeans/fit", data=chunks(1000))).status == 200
        assert await is_deliberate(await client.post("/kmeans/fit", data=chunks(1100)))
        assert (await client.post("/kmeans/fit", data=chunks(1000))).status == 200

    through_gateway(at_once, ask)


# --- what passes ------------------------------------------------------------------


def test_headers_about_one_connection_go_no_further_in_either_direction() -> None:
    """RFC 9110, 7.6.1: those that are known, and those that `Connection` names."""
    alone = {
        "Keep-Alive": "timeout=5",
        "Proxy-Authenticate": "Basic",
        "Proxy-Authorization": "Basic secret",
        "Proxy-Connection": "keep-alive",
        "TE": "trailers",
        "Trailer": "X-Sum",
        "Upgrade": "websocket",
        "X-Named": "by Connection",
        "x-named-too": "in any case",
    }
    named = {"Connection": "X-Named , X-NAMED-TOO"}

    async def backend(request: web.Request) -> web.Response:
        assert not alone.keys() & {*request.headers.keys()}
        assert "X-Named" not in request.headers
        assert "X-Named-Too" not in request.headers
        assert request.headers["X-Kept"] == "1"
        answer = web.Response(headers={**alone, **named, "X-Kept": "2"})
        answer.headers.popall("Upgrade")  # which aiohttp's own client would take up
        return answer

    async def ask(client: Asked) -> None:
        answer = await client.get("/kmeans/jobs", headers={**alone, **named, "X-Kept": "1"})
        assert answer.status == 200
        assert answer.headers["X-Kept"] == "2"
        for name in {*alone} - {"Upgrade", "Keep-Alive"}:
            assert name not in answer.headers, name

    through_gateway(backend, ask)


def test_what_the_client_says_of_its_way_here_is_kept_and_added_to() -> None:
    async def backend(request: web.Request) -> web.Response:
        assert request.headers["X-Forwarded-For"] == "10.0.0.1, 127.0.0.1"
        assert request.headers["X-Forwarded-Proto"] == "http"
        assert request.headers["X-Forwarded-Port"] == "8080"
        assert request.headers["Accept"] == "*/*"
        assert "User-Agent" not in request.headers
        assert "Content-Type" not in request.headers
        return web.Response()

    async def ask(client: Asked) -> None:
        headers = {"X-Forwarded-For": "10.0.0.1", "X-Forwarded-Proto": "gopher"}
        skipped = ("User-Agent", "Accept", "Content-Type")
        answer = await client.get("/kmeans/jobs", headers=headers, skip_auto_headers=skipped)
        assert answer.status == 200

    through_gateway(backend, ask)


def test_the_time_of_arrival_is_that_before_the_wait_in_line() -> None:
    times: list[tuple[float, float]] = []

    async def backend(request: web.Request) -> web.Response:
        told = request.headers["X-Request-Start"]
        assert told.startswith("t=")
        times.append((float(told[2:]), time.time()))
        await asyncio.sleep(0.3)
        return web.Response()

    async def ask(client: Asked) -> None:
        began = time.time()
        forged = {"X-Request-Start": "t=1"}
        both = [client.get("/kmeans/health", headers=forged) for _ in range(2)]
        assert [answer.status for answer in await asyncio.gather(*both)] == [200, 200]
        (first, _), (second, forwarded) = times
        assert began - 0.01 <= min(first, second)
        assert forwarded - second >= 0.25

    through_gateway(backend, ask)


def test_a_body_of_no_type_is_bytes_and_its_own_type_stays() -> None:
    types: list[str | None] = []

    async def backend(request: web.Request) -> web.Response:
        types.append(request.headers.get("Content-Type"))
        assert await request.read() == b"x"
        return web.Response()

    async def ask(client: Asked) -> None:
        for headers in ({}, {"Content-Type": "text/csv"}):
            await client.post(
                "/kmeans/fit", data=b"x", headers=headers, skip_auto_headers=("Content-Type",)
            )
        assert types == ["application/octet-stream", "text/csv"]

    through_gateway(backend, ask)


def test_redirects_and_cookies_and_packed_answers_pass_as_they_are() -> None:
    packed = gzip.compress(b"1,2\n" * 100)

    async def backend(request: web.Request) -> web.Response:
        assert "Cookie" not in request.headers
        if request.path.endswith("/jobs"):
            headers = {"Location": "/elsewhere", "Set-Cookie": "a=1"}
            return web.Response(status=303, headers=headers)
        return web.Response(body=packed, headers={"Content-Encoding": "gzip"})

    async def ask(client: Asked) -> None:
        moved = await client.get("/kmeans/jobs", allow_redirects=False)
        assert (moved.status, moved.headers["Location"]) == (303, "/elsewhere")
        client.session.cookie_jar.clear()
        answer = await client.get("/kmeans/health")
        assert answer.headers["Content-Encoding"] == "gzip"
        assert await answer.read() == b"1,2\n" * 100

    through_gateway(backend, ask)


@pytest.mark.parametrize("size", [10_240, 10_241])
def test_headers_have_a_limit_together(size: int) -> None:
    seen: list[int] = []

    async def backend(_request: web.Request) -> web.Response:
        seen.append(1)
        return web.Response()

    async def ask(client: Asked) -> None:
        host = f"{client.host}:{client.port}"
        base = {"Host": host, "Accept": "*/*"}
        used = sum(len(name) + len(value) for name, value in base.items())
        filling = {f"X-{n}": "y" * 4000 for n in range(2)}
        used += sum(len(name) + len(value) for name, value in filling.items())
        filling["Z"] = "z" * (size - used - 1)
        answer = await client.get(
            "/kmeans/jobs",
            headers=base | filling,
            skip_auto_headers=("User-Agent", "Accept-Encoding"),
        )
        assert answer.status == (200 if size == 10_240 else 431)
        assert bool(seen) == (size == 10_240)

    through_gateway(backend, ask)


def test_a_path_outside_the_service_reaches_no_backend() -> None:
    async def backend(_request: web.Request) -> web.Response:
        raise AssertionError("it was passed on")

    async def ask(client: Asked) -> None:
        for path in ("/", "/kmeansx", "/_ministack/health", "/x/kmeans/jobs"):
            answer = await client.get(path)
            assert answer.status == 404
            assert (await answer.json())["status"] == 404

    through_gateway(backend, ask)


def test_every_function_has_a_lane_of_its_own_as_wide_as_it_was_told() -> None:
    """Of its paths together: two fits take what one fit and one fit_predict take."""
    contract = load_yaml(GATEWAY)
    made = gateway.gateway_for("", contract, 1, Path(), {"FitFunction": 2, "": 7}, waiting=3)
    served = made._lanes
    assert served["fit"] is served["fit_predict"]
    assert served["predict"] is not served["fit"]
    assert served["fit"]._free._value == 2
    assert served["predict"]._free._value == served["upload"]._free._value == 7
    assert {lane._length for lane in served.values()} == {3}
    assert made._others not in served.values()


def test_a_body_that_no_event_can_carry_is_refused_in_the_gateways_own_words() -> None:
    stated = load_yaml(GATEWAY)["x-amazon-apigateway-gateway-responses"]
    words = json.loads(stated["REQUEST_TOO_LARGE"]["responseTemplates"]["application/json"])
    assert words["detail"] == bodies.TOO_LARGE
    # As Lambda's runtime would get it, with as many headers as API Gateway lets through.
    headers = {"x": "y" * (http_server.HEADERS_LIMIT - 1)}
    event: dict[str, Any] = {"headers": headers, "multiValueHeaders": {"x": [headers["x"]]}}
    event["body"] = base64.b64encode(bytes(bodies.BODY_LIMIT)).decode()
    assert 0.99 * bodies.EVENT_LIMIT < len(json.dumps(event)) < bodies.EVENT_LIMIT

    async def backend(request: web.Request) -> web.Response:
        return web.Response(text=str(len(await request.read())))

    async def ask(client: Asked) -> None:
        async with client.post("/kmeans/upload", data=bytes(bodies.BODY_LIMIT + 1)) as answer:
            assert (answer.status, (await answer.json())["detail"]) == (413, words["detail"])
            assert "Retry-After" not in answer.headers

    through_gateway(backend, ask)


def test_the_gateway_tells_nobody_to_repeat_what_can_never_be_carried() -> None:
    stated = load_yaml(GATEWAY)["x-amazon-apigateway-gateway-responses"]
    for kind in ("REQUEST_TOO_LARGE", "INTEGRATION_FAILURE"):
        assert "gatewayresponse.header.Retry-After" not in stated[kind]["responseParameters"]
        words = json.loads(stated[kind]["responseTemplates"]["application/json"])
        assert words["status"] not in (429, 503)
        assert "4.5 MB" in words["detail"]
        assert "kmeans/uploads" in words["detail"]
        assert "10 MB" not in words["detail"]


def test_head_has_the_length_that_get_would_have_and_no_body() -> None:
    async def backend(request: web.Request) -> web.Response:
        assert request.headers["X-Forwarded-Prefix"] == "/"
        return web.Response(body=b"x" * 12_345)

    async def ask(client: Asked) -> None:
        for path in ("/kmeans/", "/kmeans", "/kmeans/jobs/0/labels"):
            async with client.head(path, headers={"X-Forwarded-Prefix": "/other"}) as answer:
                assert (answer.status, await answer.read()) == (200, b"")
                assert answer.headers["Content-Length"] == "12345"

    through_gateway(backend, ask)


# --- a full disk ------------------------------------------------------------------


def test_on_a_full_disk_nothing_is_stored_but_the_rest_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def ask(client: Asked) -> None:
        for path in ("upload", "uploads", "fit", "fit_predict", "predictions", "unknown"):
            answer = await client.post(f"/kmeans/{path}", data=b"{}")
            assert answer.status == 507, path
            assert answer.content_type == "application/problem+json"
            assert "DELETE /kmeans/jobs" in (await answer.json())["detail"]
        for path in ("predict", "transform", "score"):
            assert (await client.post(f"/kmeans/{path}", data=b"{}")).status == 200, path
        assert (await client.get("/kmeans/jobs")).status == 200
        assert (await client.delete("/kmeans/jobs/0")).status == 200

    monkeypatch.setattr(disk, "RESERVE", 10**18)
    through_gateway(at_once, ask)


def test_a_disk_that_fills_up_during_the_request_is_no_fault_of_the_service(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def backend(_request: web.Request) -> web.Response:
        monkeypatch.setattr(disk, "RESERVE", 10**18)
        return web.Response(status=503)

    async def ask(client: Asked) -> None:
        assert (await client.post("/kmeans/upload", data=b"x")).status == 507

    through_gateway(backend, ask)
