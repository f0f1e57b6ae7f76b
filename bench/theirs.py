"""The original's server in its own environment, called as curl would."""

import http.client
import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bench.measure import OTHERS, ROOT
from bench.threads import of_others
from harness.api import BOUNDARY, FORM_TYPE, JSON_TYPE, form
from harness.ports import free_port

TIMEOUT = 600.0


class Theirs:
    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"

    def post(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        request = urllib.request.Request(f"{self.url}/kmeans/{path}", body, headers)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310
                return answer.status, answer.read()
        except urllib.error.HTTPError as refusal:
            return refusal.code, refusal.read()
        except (http.client.HTTPException, ConnectionError):
            return 0, b""

    def cpu(self) -> float:
        """CPU seconds that the server's process has used."""
        with urllib.request.urlopen(f"{self.url}/cpu", timeout=TIMEOUT) as answer:  # noqa: S310
            return float(answer.read())

    def upload(self, body: bytes) -> int:
        part = form(("file", f"{uuid.uuid4().hex}.csv", body))
        job: dict[str, Any] = json.loads(self._done("upload", part, FORM_TYPE))
        return int(job["job_id"])

    def fit(self, job_id: int, n_clusters: int) -> bytes:
        body = json.dumps({"job_id": job_id, "model_params": {"n_clusters": n_clusters}})
        return self._done("fit", body.encode(), JSON_TYPE)

    def predict(self, job_id: int, body: bytes) -> bytes:
        return self._done("predict", points_form(job_id, body), FORM_TYPE)

    def _done(self, path: str, body: bytes, headers: dict[str, str]) -> bytes:
        status, answer = self.post(path, body, headers)
        if status != 200:
            raise RuntimeError(f"{path}: {status} {answer[:200]!r}")
        return answer


def points_form(job_id: int, body: bytes) -> bytes:
    if BOUNDARY.encode() in body:
        raise ValueError("the points hold the boundary")
    return form(("job_id", None, str(job_id).encode()), ("file", "predict.csv", body))


@contextmanager
def serving() -> Iterator[Theirs]:
    port = free_port()
    server = subprocess.Popen(  # noqa: S603
        [OTHERS, "server.py", str(port)],
        cwd=ROOT / "bench" / "original",
        env=of_others(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        theirs = Theirs(port)
        _wait(theirs, server)
        yield theirs
    finally:
        server.kill()
        server.wait()


def _wait(theirs: Theirs, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            theirs.cpu()
        except OSError:
            if server.poll() is not None or time.monotonic() > deadline:
                sys.exit("the original's server did not start; `make bench` makes its environment")
            time.sleep(0.1)
        else:
            return
