"""What a hostile internet and honest clients send at once, and what each must be answered.

A `Kind` makes one call: it sends a request, looks at the answer and says how that was.
"""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from bench.wire import Reply, hang_up, request, send
from harness import api
from harness.api import FORM_TYPE as FORM
from harness.api import JSON_TYPE as JSON

MODEL = b"1,2\n1,4\n1,0\n10,2\n10,4\n10,0\n"
POINTS = b"0,0\n12,3\n1,1\n11,1\n"
PARAMS = {"n_clusters": 2, "random_state": 0}


@dataclass
class World:
    """The service that is called, and what it has acknowledged so far.

    files    content by job id, of uploads that were answered 200
    fits     job ids of fits that were answered 200 or 202
    unfitted job ids that nobody has asked to fit yet
    """

    port: int
    headers: dict[str, str]
    labels: bytes = b""
    files: dict[int, bytes] = field(default_factory=dict)
    fits: set[int] = field(default_factory=set)
    unfitted: list[int] = field(default_factory=list)

    def request(
        self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b""
    ) -> bytes:
        return request(method, path, self.headers | (headers or {}), body)

    async def call(
        self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b""
    ) -> Reply:
        return await send(self.port, self.request(method, path, headers, body))


type Kind = Callable[[World, int], Awaitable[str]]
"""World and the call's number → "right", "gone", "503" or "429", or what was wrong."""


def form(**parts: bytes) -> bytes:
    """A field for every name; `file` is a file."""
    filenames = {"file": "file.csv"}
    return api.form(*((name, filenames.get(name), content) for name, content in parts.items()))


def points_of(number: int) -> bytes:
    """Six points in two groups that no clustering can mistake, other ones for each number."""
    rows = [(group * 1e6 + number, row + group) for group in (0, 1) for row in range(3)]
    return "".join(f"{x:.1f},{y}\n" for x, y in rows).encode()


def judged(reply: Reply, *statuses: int, is_right: bool = True) -> str:
    if reply.is_deliberate:
        return str(reply.status)
    if reply.status not in statuses:
        return f"{reply.status} {reply.body[:200]!r}"
    if reply.status >= 400 and not reply.is_problem:
        return f"{reply.status} without a problem document"
    return "right" if is_right else f"{reply.status} with a wrong body: {reply.body[:200]!r}"


# --- honest calls -----------------------------------------------------------------


async def upload(world: World, number: int) -> str:
    content = points_of(number)
    reply = await world.call("POST", "/kmeans/upload", FORM, form(file=content))
    if reply.status == 200:
        job_id = reply.json()["job_id"]
        world.files[job_id] = content
        world.unfitted.append(job_id)
    return judged(reply, 200)


async def fit(world: World, number: int) -> str:
    if not world.unfitted:
        return await upload(world, number)
    job_id = world.unfitted.pop()
    body = json.dumps({"job_id": job_id, "model_params": PARAMS}).encode()
    reply = await world.call("POST", "/kmeans/fit", JSON, body)
    if reply.status in (200, 202):
        world.fits.add(job_id)
    return judged(reply, 200, 202)


async def predict(world: World, _number: int) -> str:
    body = form(job_id=b"0", file=POINTS)
    reply = await world.call("POST", "/kmeans/predict", FORM, body)
    return judged(reply, 200, is_right=reply.body == world.labels)


async def drip(world: World, _number: int) -> str:
    """A prediction from a client with a very slow line."""
    body = form(job_id=b"0", file=POINTS)
    whole = world.request("POST", "/kmeans/predict", FORM, body)
    cuts = range(0, len(whole), len(whole) // 6)
    pieces = [whole[start : start + cuts.step] for start in cuts]
    reply = await send(world.port, *pieces, pause=0.7)
    return judged(reply, 200, is_right=reply.body == world.labels)


def get(path: str, *statuses: int, headers: dict[str, str] | None = None) -> Kind:
    async def kind(world: World, _number: int) -> str:
        return judged(await world.call("GET", path, headers), *(statuses or (200,)))

    return kind


async def read_back(world: World, number: int) -> str:
    """The file of an upload that was acknowledged, while others go on."""
    if not world.files:
        return await predict(world, number)
    job_id = random.choice(list(world.files))  # noqa: S311 (no secret)
    reply = await world.call("GET", f"/kmeans/jobs/{job_id}/input")
    return judged(reply, 200, is_right=reply.body == world.files[job_id])


# --- the others ---------------------------------------------------------------------


def bad(method: str, path: str, status: int, headers: dict[str, str], body: bytes = b"") -> Kind:
    async def kind(world: World, _number: int) -> str:
        return judged(await world.call(method, path, headers, body), status)

    return kind


def raw(text: bytes, *statuses: int) -> Kind:
    async def kind(world: World, _number: int) -> str:
        return judged(await send(world.port, text), *statuses)

    return kind


async def wrong_token(world: World, _number: int) -> str:
    """A closed service refuses it, an open one takes no notice."""
    token = {"Authorization": f"Bearer km_{random.randbytes(16).hex()}"}  # noqa: S311
    whole = request("GET", "/kmeans/jobs/0", token)
    return judged(await send(world.port, whole), 401 if world.headers else 200)


async def gone(world: World, _number: int) -> str:
    """A client that hangs up: in its body, or before its answer."""
    whole = world.request("POST", "/kmeans/predict", FORM, form(job_id=b"0", file=POINTS))
    await hang_up(world.port, whole[: random.choice((40, len(whole) - 5, len(whole)))], 0.05)  # noqa: S311
    return "gone"


CUT = form(file=MODEL)[:-30]
HUGE = {"X-Huge": "y" * 8000, "X-Huger": "y" * 8000}
PACKED = FORM | {"Content-Encoding": "gzip"}
LIE = FORM | {"Content-Length": "50000000"}
CHUNKED = b"POST /kmeans/fit HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"

# Of a hundred calls, so many are of each kind.
MIX: dict[str, tuple[int, Kind]] = {
    "predict": (18, predict),
    "upload": (10, upload),
    "fit": (6, fit),
    "job": (8, get("/kmeans/jobs/0")),
    "labels": (5, get("/kmeans/jobs/0/labels")),
    "centers": (3, get("/kmeans/jobs/0/centers")),
    "jobs": (4, get("/kmeans/jobs?limit=5")),
    "input read back": (4, read_back),
    "health": (2, get("/kmeans/health")),
    "a slow client": (2, drip),
    "a client that hangs up": (2, gone),
    "a wrong token": (6, wrong_token),
    "an unknown job": (3, get("/kmeans/jobs/9999999999", 404)),
    "a job that is no number": (2, get("/kmeans/jobs/..%2F0", 404, 422)),
    "an unknown path": (2, get("/kmeans/nothing", 404)),
    "a wrong method": (3, bad("PUT", "/kmeans/jobs", 405, {})),
    "broken multipart": (3, bad("POST", "/kmeans/upload", 400, FORM, CUT)),
    "broken JSON": (3, bad("POST", "/kmeans/fit", 400, JSON, b'{"job_id": 0')),
    "deep JSON": (1, bad("POST", "/kmeans/fit", 400, JSON, b"[" * 50_000)),
    "a wrong parameter": (2, bad("POST", "/kmeans/fit", 422, JSON, b'{"job_id": "0"}')),
    "broken CSV": (3, bad("POST", "/kmeans/upload", 422, FORM, form(file=b"x,y\na,b\n"))),
    "compressed": (1, bad("POST", "/kmeans/upload", 415, PACKED, form(file=MODEL))),
    "50 MB announced": (1, bad("POST", "/kmeans/upload", 413, LIE, b"1,2")),
    "huge headers": (2, bad("GET", "/kmeans/jobs", 431, HUGE)),
    "no HTTP": (2, raw(b"\x16\x03\x01\0\xa5\x01\r\n\r\n", 400)),
    "a broken chunk": (2, raw(CHUNKED + b"zz\r\n\r\n", 400)),
}


def schedule(calls: int, seed: int) -> list[str]:
    """Names of kinds in the order they are sent, mixed; the same for the same seed."""
    names = [name for name, (share, _) in MIX.items() for _ in range(share)]
    return random.Random(seed).choices(names, k=calls)  # noqa: S311


async def settle(world: World, attempts: int = 100) -> None:
    """Make job 0, fitted, and learn what predictions must be answered; raises if that fails."""
    body = form(file=MODEL)
    wanted = json.dumps({"job_id": 0, "model_params": PARAMS}).encode()
    await patiently(world, attempts, "POST", "/kmeans/upload", FORM, body)
    await patiently(world, attempts, "POST", "/kmeans/fit", JSON, wanted)
    points = form(job_id=b"0", file=POINTS)
    reply = await patiently(world, attempts, "POST", "/kmeans/predict", FORM, points)
    first, second, *others = reply.body.splitlines()
    if first == second or others != [first, second]:
        raise RuntimeError(f"these are no labels of the points: {reply.body!r}")
    world.labels = reply.body


async def patiently(
    world: World,
    attempts: int,
    method: str,
    path: str,
    headers: dict[str, str] | None = None,
    body: bytes = b"",
) -> Reply:
    """The answer, asked for again as long as the service is busy; raises if it is a refusal."""
    for _ in range(attempts):
        reply = await world.call(method, path, headers, body)
        if not reply.is_deliberate:
            break
        await asyncio.sleep(float(reply.headers["retry-after"]) / 4)
    if not 200 <= reply.status < 300:
        raise RuntimeError(f"{method} {path}: {reply.status} {reply.body[:300]!r}")
    return reply
