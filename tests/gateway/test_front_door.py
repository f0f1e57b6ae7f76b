"""What the local gateway passes on, and what it answers itself."""

import asyncio

from aiohttp import web
from aiohttp.test_utils import TestClient

from harness.service.gateway import through_gateway
from local.bodies import BODY_LIMIT
from local.contract import GATEWAY
from local.lanes import functions_by_segment
from local.template import load_yaml


def test_method_query_repeated_headers_and_body_pass_unchanged() -> None:
    body = bytes(range(256)) * 100

    async def backend(request: web.Request) -> web.Response:
        assert request.raw_path == "/stage/kmeans/jobs/a%2Fb?x=1&x=2&y=%20"
        assert request.method == "PATCH"
        assert request.headers.getall("X-Many") == ["1", "2"]
        assert request.headers["X-Forwarded-For"] == "127.0.0.1"
        assert request.headers["X-Forwarded-Proto"] == "http"
        assert await request.read() == body
        answer = web.Response(status=422, body=body, headers={"Content-Type": "text/csv"})
        answer.headers.extend([("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])
        return answer

    async def ask(client: TestClient[web.Request, web.Application]) -> None:
        from yarl import URL

        url = URL("/kmeans/jobs/a%2Fb?x=1&x=2&y=%20", encoded=True)
        headers = [("X-Many", "1"), ("X-Many", "2")]
        async with client.patch(url, data=body, headers=headers) as answer:
            assert answer.status == 422
            assert answer.headers.getall("Set-Cookie") == ["a=1", "b=2"]
            assert answer.headers["Content-Type"] == "text/csv"
            assert await answer.read() == body

    through_gateway(backend, ask)


def test_a_body_over_the_gateways_limit_is_413() -> None:
    async def backend(request: web.Request) -> web.Response:
        return web.Response(text=str(len(await request.read())))

    async def ask(client: TestClient[web.Request, web.Application]) -> None:
        async with client.post("/kmeans/upload", data=b"x" * BODY_LIMIT) as answer:
            assert (answer.status, await answer.text()) == (200, str(BODY_LIMIT))
        async with client.post("/kmeans/upload", data=b"x" * (BODY_LIMIT + 1)) as answer:
            assert answer.status == 413
            assert answer.content_type == "application/problem+json"
            assert set(await answer.json()) >= {"type", "title", "status", "detail"}

    through_gateway(backend, ask)


def test_a_burst_waits_in_line_and_what_does_not_fit_is_told_to_come_back() -> None:
    at_once = 0

    async def backend(_request: web.Request) -> web.Response:
        nonlocal at_once
        at_once += 1
        assert at_once == 1
        await asyncio.sleep(0.2)
        at_once -= 1
        return web.Response()

    async def ask(client: TestClient[web.Request, web.Application]) -> None:
        answers = await asyncio.gather(*(client.get("/kmeans/health") for _ in range(5)))
        assert sorted(answer.status for answer in answers) == [200, 200, 503, 503, 503]
        refused = next(answer for answer in answers if answer.status == 503)
        assert refused.content_type == "application/problem+json"
        assert int(refused.headers["Retry-After"]) > 0

    through_gateway(backend, ask)


def test_lanes_follow_the_contract() -> None:
    served = functions_by_segment(load_yaml(GATEWAY))
    assert served["fit"] == served["fit_predict"] == "FitFunction"
    assert served["predict"] == "PredictFunction"
    assert served["jobs"] == "JobsFunction"
