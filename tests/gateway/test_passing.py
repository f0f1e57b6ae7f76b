"""What passes the gateway, in both directions."""

import asyncio
import base64
import gzip
import json
import time
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from harness.service.gateway import Asked, through_gateway
from local import bodies, gateway, http_server
from local.contract import GATEWAY
from local.template import load_yaml


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
