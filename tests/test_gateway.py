"""The front door of `make run`: a long line, a client that is gone, a host that is away."""

import asyncio
import time

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from local import gateway
from tests.test_local_stack import through_gateway

type Asked = TestClient[web.Request, web.Application]


async def is_deliberate(answer: web.Response) -> bool:
    return (
        answer.status == 503
        and answer.content_type == "application/problem+json"
        and int(answer.headers["Retry-After"]) > 0
    )


def test_nobody_waits_in_line_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "WAIT_SECONDS", 0.2)

    async def backend(_request: web.Request) -> web.Response:
        await asyncio.sleep(1)
        return web.Response()

    async def ask(client: Asked) -> None:
        began = time.monotonic()
        first = asyncio.create_task(client.get("/kmeans/health"))
        await asyncio.sleep(0.1)
        assert await is_deliberate(await client.get("/kmeans/health"))
        assert time.monotonic() - began < 0.9
        assert (await first).status == 200

    through_gateway(backend, ask)


def test_a_request_whose_client_is_gone_when_its_turn_comes_is_not_made() -> None:
    made: list[str] = []

    async def backend(request: web.Request) -> web.Response:
        made.append(request.path)
        await asyncio.sleep(0.5)
        return web.Response()

    async def ask(client: Asked) -> None:
        first = asyncio.create_task(client.get("/kmeans/first"))
        await asyncio.sleep(0.1)
        second = asyncio.create_task(client.get("/kmeans/second"))
        await asyncio.sleep(0.1)
        second.cancel()
        assert (await first).status == 200
        assert (await client.get("/kmeans/third")).status == 200
        assert made == ["/stage/kmeans/first", "/stage/kmeans/third"]

    through_gateway(backend, ask)


def test_a_host_that_does_not_answer_is_a_503() -> None:
    async def backend(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async def ask(client: Asked) -> None:
        assert await is_deliberate(await client.post("/kmeans/fit", data=b"{}"))

    through_gateway(backend, ask)


def test_bodies_that_wait_have_a_limit_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "BODIES_LIMIT", 1_000_000)

    async def backend(request: web.Request) -> web.Response:
        await request.read()
        await asyncio.sleep(0.3)
        return web.Response()

    async def ask(client: Asked) -> None:
        first = asyncio.create_task(client.post("/kmeans/fit", data=b"x" * 600_000))
        await asyncio.sleep(0.1)
        assert await is_deliberate(await client.post("/kmeans/fit", data=b"x" * 600_000))
        assert (await client.get("/kmeans/health")).status == 200
        assert (await first).status == 200
        assert (await client.post("/kmeans/fit", data=b"x" * 600_000)).status == 200

    through_gateway(backend, ask)
