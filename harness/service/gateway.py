"""A gateway alone, in front of any backend."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from local.bodies import BODY_LIMIT
from local.gateway import Gateway
from local.lanes import Lane

type Ask = Callable[[TestClient[web.Request, web.Application]], Awaitable[None]]


def through_gateway(
    backend: Callable[[web.Request], Awaitable[web.Response]], ask: Ask, width: int = 1
) -> None:
    """Asks a gateway with a lane of one request, one more waiting, in front of `backend`."""

    async def main() -> None:
        behind = web.Application(client_max_size=2 * BODY_LIMIT)
        behind.router.add_route("*", "/{path:.*}", backend)
        async with TestServer(behind) as server:
            target = str(server.make_url("/stage"))
            gateway = Gateway(target, {}, Lane(width, 1), port=8080, data=Path.cwd())
            async with TestClient(TestServer(gateway.application())) as client:
                await ask(client)

    asyncio.run(main())


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
