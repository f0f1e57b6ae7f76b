"""Bodies at the gateway: their memory, and those who send slowly."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web

from bench.wire import Reply, send
from harness.service.gateway import Asked, Backend, at_once, is_deliberate, through_gateway, until
from local import bodies


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
