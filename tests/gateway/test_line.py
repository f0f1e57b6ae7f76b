"""Who waits at the gateway, and for how long."""

import asyncio

import pytest
from aiohttp import web

from harness.service.gateway import Asked, Backend, is_deliberate, through_gateway, until
from local import lanes


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


def test_who_is_given_the_page_finds_the_function_that_fits_started() -> None:
    made: list[tuple[str, str]] = []

    async def backend(request: web.Request) -> web.Response:
        made.append((request.method, request.path.removeprefix("/stage")))
        return web.Response(content_type=request.headers["Accept"])

    async def ask(client: Asked) -> None:
        for media_type in ("application/json", "text/html"):
            async with client.get("/kmeans/", headers={"Accept": media_type}) as answer:
                assert answer.status == 200
        await until(lambda: len(made) == 3)
        assert made == [("GET", "/kmeans/"), ("GET", "/kmeans/"), ("OPTIONS", "/kmeans/fit")]

    through_gateway(backend, ask)


def test_who_asks_while_a_function_starts_ahead_waits_and_starts_no_second_one() -> None:
    made: list[str] = []
    started = asyncio.Event()

    async def backend(request: web.Request) -> web.Response:
        made.append(request.method)
        if request.method == "OPTIONS":
            await started.wait()
        return web.Response(content_type=request.headers["Accept"])

    async def ask(client: Asked) -> None:
        html = {"Accept": "text/html"}
        assert (await client.get("/kmeans/", headers=html)).status == 200
        fit = asyncio.create_task(client.post("/kmeans/fit", data=b"{}", headers=html))
        await asyncio.sleep(0.1)  # gateway and client share a loop: it is there by then
        assert made == ["GET", "OPTIONS"]
        started.set()
        assert (await fit).status == 200
        assert (await client.get("/kmeans/", headers=html)).status == 200
        assert made == ["GET", "OPTIONS", "POST", "GET"]  # and nothing is started twice

    through_gateway(backend, ask, width=4)
