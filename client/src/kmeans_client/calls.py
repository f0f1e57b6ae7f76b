"""What all groups of calls are made of."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, TypeVar

import httpx

from kmeans_client import auth as credentials
from kmeans_client import problems
from kmeans_client.answers import Job, Pending
from kmeans_client.problems import InvalidInput, TookTooLong
from kmeans_client.results import Labels
from kmeans_client.transport import Retrying, Transport, pauses, read_json, silent

JSON = {"Accept": "application/json"}
ENDED = {"SUCCEEDED", "FAILED"}
LOCAL = "http://localhost:8080/kmeans"

Watch = Callable[[Job], None]
WatchPending = Callable[[Pending], None]
Self = TypeVar("Self", bound="Calls")


class Calls:
    """A service, and who calls it.

    url       of the service, with or without `/kmeans`; default: `make run` on this machine
    token     an API token, `km_…`
    auth      another httpx.Auth instead, such as AwsSignature()
    patience  seconds that a call is tried again for while the service is busy or not reached
    retrying  is told why, each time that a call is about to be tried again

    Every call raises a KMeansError, and no other error of a service or of the network.
    """

    def __init__(
        self,
        url: str = LOCAL,
        token: str | None = None,
        *,
        auth: httpx.Auth | None = None,
        patience: float = 90,
        retrying: Retrying = silent,
    ) -> None:
        given = auth or (credentials.Token(token) if token else None)
        self._transport = Transport(url, given, patience, retrying)

    @property
    def url(self) -> str:
        return self._transport.url

    def close(self) -> None:
        self._transport.close()

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _get(self, path: str, **query: Any) -> Any:
        """JSON, made first where it has to be."""
        return read_json(self._read(path, JSON, **query))

    def _read(
        self,
        path: str,
        headers: dict[str, str] | None = None,
        watch: WatchPending | None = None,
        **query: Any,
    ) -> httpx.Response:
        given = {name: value for name, value in query.items() if value is not None}
        return self._transport.made(path, headers=headers, params=given, watch=watch)

    def _post(
        self, path: str, body: Any, repeatable: bool = True, **headers: str
    ) -> httpx.Response:
        return self._send_json("POST", path, body, repeatable, headers)

    def _send_json(
        self, method: str, path: str, body: Any, repeatable: bool, headers: dict[str, str]
    ) -> httpx.Response:
        named = {**JSON, "Content-Type": "application/json", **headers}
        return self._transport.call(
            method, path, content=as_json(body), headers=named, repeatable=repeatable
        )

    def get_job(self, job_id: int) -> Job:
        """The job's state."""
        job: Job = read_json(self._transport.call("GET", f"/jobs/{job_id}", headers=JSON))
        return job

    def wait_for_file(
        self, job_id: int, *, timeout: float | None = None, watch: Watch | None = None
    ) -> Job:
        """The job, once its file is there: checked, and converted where it had to be.

        Raises the problem that the file was refused for, or TookTooLong.
        """
        return self._wait(job_id, lambda job: job["status"] != "PENDING", timeout, watch)

    def wait_for_fit(
        self, job_id: int, *, timeout: float | None = None, watch: Watch | None = None
    ) -> Job:
        """The job, once its fit has ended.

        watch  is told the job at every look: its status and `progress`

        Raises the problem that the fit failed for, or TookTooLong.
        """
        return self._wait(job_id, lambda job: job["status"] in ENDED, timeout, watch)

    def _wait(
        self,
        job_id: int,
        ended: Callable[[Job], bool],
        timeout: float | None,
        watch: Watch | None,
    ) -> Job:
        deadline = None if timeout is None else time.monotonic() + timeout
        for pause in pauses():
            job = self.get_job(job_id)
            if watch:
                watch(job)
            if job["status"] == "FAILED":
                raise failure(job)
            if ended(job):
                return job
            if deadline is not None and time.monotonic() > deadline:
                raise TookTooLong(f"Job {job_id} is still {job['status']} after {timeout:g} s")
            time.sleep(pause)
        raise AssertionError("pauses never end")


def labels_in(answer: httpx.Response, job_id: int) -> Labels:
    """Of an answer in JSON, or in CSV where JSON would be too large."""
    if "json" in answer.headers.get("Content-Type", ""):
        return Labels(read_json(answer)["labels"], job_id)
    labels = Labels.of_csv(answer.text)
    labels.job_id = job_id
    return labels


def as_json(value: Any) -> str:
    """With NumPy's numbers and arrays as Python's; raises InvalidInput for what JSON has not."""
    try:
        return json.dumps(value, default=_plain, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInput(f"A parameter cannot be sent as JSON: {error}") from None


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{value!r:.60} is a {type(value).__name__}")


def failure(job: Job) -> problems.Problem:
    """Why a job is FAILED: the problem that the service keeps with it."""
    error = job.get("error", {})
    members = {"title": "Fit failed", **error, "error": error}
    members.setdefault("type", f"{problems.TYPE}fit-failed")
    return problems.problem(int(error.get("status", 422)), members)
