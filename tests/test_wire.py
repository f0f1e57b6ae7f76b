"""Bytes that no HTTP client would send, on the port of a running service.

Each is answered, soon, with a problem document and no 5xx; and nothing of it stays behind.
"""

import asyncio
import gzip
import json
import re
import time
from collections.abc import Iterator

import pytest

from bench.wire import Reply, request, send
from harness.service.running import Service, serving
from local.bodies import BODY_LIMIT

CLOSE = b"Host: x\r\nConnection: close\r\n"
JSON = CLOSE + b"Content-Type: application/json\r\n"
FORM = CLOSE + b"Content-Type: multipart/form-data; boundary=x\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
SECRET = b"km_canary-7c1e"


def head(path: bytes, method: bytes = b"GET", headers: bytes = CLOSE) -> bytes:
    return method + b" " + path + b" HTTP/1.1\r\n" + headers + b"\r\n"


def post(path: bytes, headers: bytes, body: bytes) -> bytes:
    return head(path, b"POST", headers) + body


def sized(body: bytes, coding: bytes) -> bytes:
    length = b"Content-Length: %d\r\n" % len(body)
    return post(b"/kmeans/upload", FORM + b"Content-Encoding: " + coding + b"\r\n" + length, body)


JOBS, FIT = b"/kmeans/jobs", b"/kmeans/fit"
BOMB = gzip.compress(b"1,2\n" * 25_000_000)  # 100 MB

# What is sent, and the statuses that may be answered.
CASES: dict[str, tuple[bytes, set[int]]] = {
    # the request line
    "HTTP/1.0": (b"GET /kmeans/jobs HTTP/1.0\r\n\r\n", {200}),
    "HTTP/0.9": (b"GET /kmeans/jobs\r\n\r\n", {400}),
    "HTTP/2.0": (b"GET /kmeans/jobs HTTP/2.0\r\nHost: x\r\n\r\n", {400}),
    "HTTP/9.9": (b"GET /kmeans/jobs HTTP/9.9\r\nHost: x\r\n\r\n", {400}),
    "the preface of HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {400}),
    "TLS": (bytes.fromhex("16030100a5010000a10303") + bytes(160), {400}),
    "no HTTP at all": (b"\0\1\2\3\xff\r\n\r\n", {400}),
    "line feeds only": (b"GET /kmeans/jobs HTTP/1.1\nHost: x\n\n", {400}),
    "TRACE": (head(JOBS, b"TRACE"), {404, 405}),
    "CONNECT": (head(b"example.com:443", b"CONNECT"), {404}),
    "CONNECT to a path": (head(JOBS, b"CONNECT"), {404, 405}),
    "OPTIONS of everything": (head(b"*", b"OPTIONS"), {404}),
    "an unknown method": (head(JOBS, b"BREW"), {400}),
    "a method in small letters": (head(JOBS, b"get"), {400}),
    "a method of 5,000 letters": (head(JOBS, b"A" * 5000), {400}),
    "another host's URL": (head(b"http://evil.example/kmeans/jobs"), {404}),
    "two slashes first": (head(b"//kmeans/jobs"), {404}),
    "two slashes": (head(b"/kmeans//jobs"), {404}),
    "dots": (head(b"/kmeans/../kmeans/jobs"), {404}),
    "dots to the emulator": (head(b"/kmeans/../../../_ministack/health"), {404}),
    "dots in percent": (head(b"/kmeans/%2e%2e/%2e%2e/_ministack/health"), {404}),
    "a slash in percent": (head(b"/kmeans%2Fjobs"), {404}),
    "a slash in percent behind": (head(b"/kmeans/jobs%2F77"), {404}),
    "backslashes": (head(b"/kmeans/..\\..\\x"), {404}),
    "a NUL": (head(b"/kmeans/jobs\0"), {400}),
    "a NUL in percent": (head(b"/kmeans/jobs/%00"), {404, 422}),
    "a line break in percent": (head(b"/kmeans/jobs/%0d%0aX:%20y"), {401, 404, 422}),
    "bytes above 127": (head(b"/kmeans/\xff\xfe"), {400}),
    "no UTF-8 in percent": (head(b"/kmeans/%ff%fe"), {404}),
    "no hexadecimal in percent": (head(b"/kmeans/%zz"), {404}),
    "a space": (head(b"/kmeans/jo bs"), {400}),
    "a query that is no UTF-8": (head(b"/kmeans/jobs?limit=%ff"), {422}),
    "1,000 parameters": (head(b"/kmeans/jobs?" + b"&".join(b"a%d" % i for i in range(999))), {422}),
    "a path of 100,000": (head(b"/kmeans/" + b"x" * 100_000), {400, 414}),
    # the headers
    "no host": (head(JOBS, headers=b""), {400}),
    "two hosts": (head(JOBS, headers=CLOSE + b"Host: y\r\n"), {400}),
    "a header of 100,000": (head(JOBS, headers=CLOSE + b"X: " + b"y" * 100_000 + b"\r\n"), {400}),
    "headers of 16,000": (head(JOBS, headers=CLOSE + (b"X: " + b"y" * 8000 + b"\r\n") * 2), {431}),
    "a header of 9,000": (head(JOBS, headers=CLOSE + b"X: " + b"y" * 9000 + b"\r\n"), {200}),
    "a header of 11,000": (head(JOBS, headers=CLOSE + b"X: " + b"y" * 11_000 + b"\r\n"), {431}),
    "5,000 headers": (head(JOBS, headers=CLOSE + b"X: y\r\n" * 5000), {400}),
    "a header without colon": (head(JOBS, headers=CLOSE + b"colon\r\n"), {400}),
    "a header name with a space": (head(JOBS, headers=CLOSE + b"a b: c\r\n"), {400}),
    "a folded header": (head(JOBS, headers=CLOSE + b"A: b\r\n c\r\n"), {400}),
    "a header with a NUL": (head(JOBS, headers=CLOSE + b"A: b\0c\r\n"), {400}),
    "a header with a return": (head(JOBS, headers=CLOSE + b"A: b\rc\r\n"), {400}),
    "headers of any byte": (head(JOBS, headers=CLOSE + b"Accept: */*\r\nA: \xff\xfe\r\n"), {200}),
    "an upgrade": (head(JOBS, headers=CLOSE + b"Upgrade: websocket\r\n"), {200}),
    "an unknown expectation": (post(FIT, JSON + b"Expect: 200-maybe\r\n", b""), {400, 417}),
    "hop-by-hop credentials": (
        head(JOBS, headers=b"Host: x\r\nConnection: close, host\r\n"),
        {200},
    ),
    # the body
    "a negative length": (post(FIT, JSON + b"Content-Length: -1\r\n", b"x"), {400}),
    "a length of letters": (post(FIT, JSON + b"Content-Length: abc\r\n", b"x"), {400}),
    "two lengths": (post(FIT, JSON + b"Content-Length: 1\r\nContent-Length: 2\r\n", b"xx"), {400}),
    "a length of 20 digits": (
        post(FIT, JSON + b"Content-Length: " + b"9" * 20 + b"\r\n", b""),
        {400},
    ),
    "100 MB announced": (post(FIT, JSON + b"Content-Length: 100000000\r\n", b"x"), {413}),
    "more than the length": (
        post(FIT, JSON + b"Content-Length: 2\r\n", b"{}GET / HTTP/1.1\r\n\r\n"),
        {400, 422},
    ),
    "length and chunks": (
        post(FIT, JSON + b"Content-Length: 3\r\n" + CHUNKED, b"0\r\n\r\n"),
        {400},
    ),
    "chunks": (post(FIT, JSON + CHUNKED, b"2\r\n{}\r\n0\r\n\r\n"), {422}),
    "chunks with a trailer": (post(FIT, JSON + CHUNKED, b"2\r\n{}\r\n0\r\nX: y\r\n\r\n"), {422}),
    "a chunk that is none": (post(FIT, JSON + CHUNKED, b"zz\r\n{}\r\n0\r\n\r\n"), {400}),
    "another transfer coding": (post(FIT, JSON + b"Transfer-Encoding: gzip\r\n", b"x"), {400}),
    "gzip that is none": (sized(b"{}", b"gzip"), {415}),
    "a gzip bomb": (sized(BOMB, b"gzip"), {415}),
    "deflate that is none": (sized(b"\xff\xff", b"deflate"), {415}),
    "brotli": (sized(b"\x0b\x02\x80{}\x03", b"br"), {415}),
}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with serving(tmp_path_factory.mktemp("wire")) as running:
        yield running


def ask(service: Service, *pieces: bytes, pause: float = 0.0) -> Reply:
    return asyncio.run(send(service.port, *pieces, pause=pause))


@pytest.mark.parametrize("name", CASES)
def test_what_no_client_sends_is_answered_at_once(service: Service, name: str) -> None:
    sent, statuses = CASES[name]
    began = time.monotonic()
    reply = ask(service, sent)
    assert reply.status in statuses, reply
    assert reply.status < 400 or reply.is_problem, reply
    assert len(reply.body) < 1000
    assert time.monotonic() - began < 20


def test_a_client_that_asks_whether_to_go_on_is_told_so(service: Service) -> None:
    asked = JSON + b"Expect: 100-continue\r\nContent-Length: 2\r\n"
    assert ask(service, head(FIT, b"POST", asked), b"{}", pause=0.3).status == 422


def test_requests_sent_before_their_answers_are_answered_in_order(service: Service) -> None:
    async def pipeline() -> list[int]:
        reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
        for path in (b"/kmeans/health", b"/kmeans/nothing", b"/kmeans/health"):
            writer.write(head(path, headers=b"Host: x\r\n"))
        writer.write(head(b"/kmeans/jobs/7"))
        answers = await reader.read()
        writer.close()
        return [int(status) for status in re.findall(rb"HTTP/1\.1 ([0-9]{3})", answers)]

    assert asyncio.run(pipeline()) == [200, 404, 200, 404]


def test_bytes_one_by_one_are_a_request_too(service: Service) -> None:
    whole = post(FIT, JSON + b"Content-Length: 13\r\n", b'{"job_id": 7}')
    pieces = [whole[place : place + 1] for place in range(len(whole))]
    assert ask(service, *pieces, pause=0.005).status == 404


def test_a_body_too_large_is_refused_though_nobody_said_how_large(service: Service) -> None:
    chunk = b"100000\r\n" + b"1" * 0x100000 + b"\r\n"
    reply = ask(service, post(FIT, JSON + CHUNKED, chunk * (BODY_LIMIT // 0x100000 + 1)))
    assert (reply.status, reply.is_problem) == (413, True)


def test_a_hundred_silent_clients_are_in_nobodys_way(service: Service) -> None:
    async def crowd() -> Reply:
        halves = [request("GET", "/kmeans/jobs")[:30], post(FIT, JSON + CHUNKED, b"5\r\n1"), b""]
        silent = [await asyncio.open_connection("127.0.0.1", service.port) for _ in range(100)]
        for number, (_, writer) in enumerate(silent):
            writer.write(halves[number % 3])
        reply = await send(service.port, request("GET", "/kmeans/jobs"))
        for _, writer in silent:
            writer.transport.abort()
        return reply

    began = time.monotonic()
    assert asyncio.run(crowd()).status == 200
    assert time.monotonic() - began < 10


def test_nothing_of_a_request_that_cannot_be_read_is_printed(service: Service) -> None:
    for broken in (b"Authorization Bearer " + SECRET + b"\r\n", b"A: \0" + SECRET + b"\r\n"):
        reply = ask(service, head(JOBS, headers=CLOSE + broken))
        assert reply.status == 400
        assert SECRET not in reply.body
    assert SECRET.decode() not in service.said()
    assert "Traceback" not in service.said()


def test_after_all_of_this_it_serves_as_before(service: Service) -> None:
    reply = ask(service, request("GET", "/kmeans/jobs"))
    assert (reply.status, json.loads(reply.body)) == (200, {"jobs": []})
    assert len(service.processes()) < 20


def test_the_file_comes_back_as_bytes_though_the_client_accepts_nothing_in_particular(
    service: Service,
) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n1,2\r\n--x--'
    length = b"Content-Length: %d\r\n" % len(body)
    assert ask(service, post(b"/kmeans/upload", FORM + length, body)).status == 200
    assert ask(service, head(b"/kmeans/jobs/0/input")).body == b"1,2"
