"""Parallel predicts over HTTP: are the answers right, and how many come in a second?

Every caller has points of its own, and knows the right labels from having asked alone before.
"""

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from bench import theirs
from bench.theirs import Theirs, points_form
from harness.api import FORM_TYPE
from harness.service.running import Service

CALLERS = 4
type Post = Callable[[str, bytes, dict[str, str]], tuple[int, bytes]]


@dataclass(frozen=True)
class Load:
    right: int
    wrong: int
    refused: int
    seconds: float

    @property
    def calls(self) -> int:
        return self.right + self.wrong + self.refused

    def __str__(self) -> str:
        return f"{self.right} of {self.calls} right, {self.wrong} wrong, {self.refused} failed"


def of_theirs(model: bytes, calls: int) -> Load:
    with theirs.serving() as server:
        return _load(server, model, calls)


def of_ours(service: Service, model: bytes, calls: int) -> Load:
    """The embedded default, `make run`."""
    return _load(Theirs(service.port), model, calls)


def _load(server: Theirs, model: bytes, calls: int) -> Load:
    job_id = server.upload(model)
    server.fit(job_id, 3)
    bodies = [
        points_form(job_id, _rows(model, caller, 20 + 10 * caller)) for caller in range(CALLERS)
    ]
    expected = [_predict(server.post, body)[1] for body in bodies]
    _in_parallel(server.post, bodies, expected, 2 * CALLERS)  # a worker for each caller
    return _in_parallel(server.post, bodies, expected, calls)


def _rows(model: bytes, caller: int, rows: int) -> bytes:
    lines = model.splitlines(keepends=True)
    return b"".join(lines[caller * 100 : caller * 100 + rows])


def _predict(post: Post, body: bytes) -> tuple[int, bytes]:
    return post("predict", body, FORM_TYPE)


def _in_parallel(post: Post, bodies: list[bytes], expected: list[bytes], calls: int) -> Load:
    def call(number: int) -> str:
        caller = number % CALLERS
        status, answer = _predict(post, bodies[caller])
        if status != 200:
            return "refused"
        return "right" if answer == expected[caller] else "wrong"

    begin = time.monotonic()
    with ThreadPoolExecutor(CALLERS) as pool:
        found = Counter(pool.map(call, range(calls)))
    seconds = time.monotonic() - begin
    return Load(found["right"], found["wrong"], found["refused"], seconds)
