"""Calls over HTTP: tried again where that is safe, waited for where the service says so."""

import random
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx

from kmeans_client import problems
from kmeans_client._version import __version__
from kmeans_client.problems import ConnectionLost, NoService, TookTooLong

ACCEPTED, SEE_OTHER, CONFLICT = 202, 303, 409
# The service did nothing: whatever was asked for may be asked for again.
REFUSED_FOR_NOW = {429, 503}
# Something between us and it gave up: only what may be done twice is.
LOST_ON_THE_WAY = {502, 504}
# A fit is answered within 29 seconds; the rest is what a slow network may need.
TIMEOUT = httpx.Timeout(60, connect=10)


Retrying = Callable[[str], None]
"""Is told why a call is tried again."""


def silent(_why: str) -> None:
    """Tells nobody."""


def address(url: str) -> str:
    """The service's own address, below which all paths lie: `…/kmeans`."""
    given = url.rstrip("/")
    if not given.startswith(("http://", "https://")):
        raise NoService(f"{url!r} is no URL of a service, such as http://localhost:8080/kmeans")
    return given if given.endswith("/kmeans") else f"{given}/kmeans"


def pauses(first: float = 0.1, most: float = 2.0) -> Iterator[float]:
    """Seconds between looks at something that goes on: short at first, then longer."""
    pause = first
    while True:
        yield pause
        pause = min(pause * 1.5, most)


class Transport:
    """One service, and how patient we are with it.

    patience   seconds that a call is tried again for where the service is busy or not reached
    retrying   is told why a call is about to be tried again
    """

    def __init__(
        self,
        url: str,
        auth: httpx.Auth | None,
        patience: float,
        retrying: Retrying = silent,
    ) -> None:
        self.url = address(url)
        self.patience = patience
        self._retrying = retrying
        certificates = httpx.create_ssl_context()  # read once: it takes longer than a small call
        self._http = httpx.Client(
            auth=auth,
            verify=certificates,
            timeout=TIMEOUT,
            headers={"User-Agent": f"kmeans-service-client/{__version__}"},
        )
        # The bucket is sent no credentials: its URLs are signed, and S3 refuses two kinds at once.
        self._bucket = httpx.Client(verify=certificates, timeout=TIMEOUT)
        self._answered = False

    def close(self) -> None:
        self._http.close()
        self._bucket.close()

    def call(
        self, method: str, path: str, *, repeatable: bool = True, **request: Any
    ) -> httpx.Response:
        """The service's answer, below 400; of a 303, what lies where it leads.

        path        below the service's address
        repeatable  whether doing it twice is the same as doing it once
        """
        answer = self._tried(method, self.url + path, repeatable, request)
        if answer.status_code == SEE_OTHER:
            return _with_headers_of(answer, self.fetch(answer.headers["Location"]))
        return answer

    def made(
        self,
        path: str,
        *,
        timeout: float | None = None,
        watch: Callable[[Any], None] | None = None,
        **request: Any,
    ) -> httpx.Response:
        """What is made when it is asked for: asked for until it is there.

        watch  is told what is answered meanwhile
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        for pause in pauses():
            answer = self.call("GET", path, **request)
            if answer.status_code != ACCEPTED:
                return answer
            if watch:
                watch(read_json(answer))
            if deadline is not None and time.monotonic() > deadline:
                raise TookTooLong(
                    f"{path} is not there after {timeout:g} s; it is still being made"
                )
            time.sleep(pause)
        raise AssertionError("pauses never end")

    def fetch(self, url: str) -> httpx.Response:
        """What a presigned URL leads to."""
        return self._checked(self._again(lambda: self._bucket.get(self.absolute(url)), True))

    def send_to_bucket(self, method: str, url: str, **request: Any) -> httpx.Response:
        """Once: who sends a file knows how to go on. Raises ConnectionLost."""
        try:
            return self._bucket.request(method, self.absolute(url), **request)
        except httpx.TransportError as error:
            raise ConnectionLost(f"The connection to the bucket broke: {error}") from error

    def absolute(self, url: str) -> str:
        return str(httpx.URL(self.url).join(url))

    def _tried(
        self, method: str, url: str, repeatable: bool, request: dict[str, Any]
    ) -> httpx.Response:
        try:
            return self._checked(
                self._again(lambda: self._http.request(method, url, **request), repeatable)
            )
        except httpx.TransportError as error:
            raise self._unreached(error) from error

    def _again(self, send: Callable[[], httpx.Response], repeatable: bool) -> httpx.Response:
        """The first answer that says more than "not now", or the last one within our patience."""
        deadline = time.monotonic() + self.patience
        for pause in pauses(0.2, 5):
            answer: httpx.Response | None = None
            try:
                answer = send()
                self._answered = True
                if not _not_now(answer, repeatable):
                    return answer
                pause = _retry_after(answer) or pause
                why = _refusal(answer)
            except httpx.TransportError as error:
                if not self._may_repeat(error, repeatable) or time.monotonic() + pause > deadline:
                    raise
                why = f"does not answer ({_words(error)})"
            if time.monotonic() + pause > deadline and answer is not None:
                return answer
            self._retrying(f"{self.url} {why}; trying again for up to {self.patience:g} s")
            # Not all who were sent away come back at the same moment.
            time.sleep(pause * random.uniform(1, 1.25))  # noqa: S311 (no secret)
        raise AssertionError("pauses never end")

    def _may_repeat(self, error: httpx.TransportError, repeatable: bool) -> bool:
        """Who never answered is told of at once; who does not listen has done nothing."""
        return self._answered and (repeatable or isinstance(error, httpx.ConnectError))

    def _unreached(self, error: httpx.TransportError) -> problems.KMeansError:
        if self._answered:
            return ConnectionLost(f"{self.url} does not answer any more: {_words(error)}")
        return NoService(f"No service answers at {self.url}: {_words(error)}")

    def _checked(self, answer: httpx.Response) -> httpx.Response:
        if answer.status_code < 400:
            return answer
        members = _problem_document(answer)
        if members is None and answer.status_code in (404, 405, 501):
            raise NoService(
                f"{answer.url} is not of a k-means service: it answered {answer.status_code} "
                f"as {answer.headers.get('Content-Type', 'nothing')}"
            )
        raise problems.problem(
            answer.status_code, members or {"detail": answer.text[:300]}, _retry_after(answer)
        )


def read_json(answer: httpx.Response) -> Any:
    """Raises NoService where something else than a k-means service has answered."""
    try:
        return answer.json()
    except ValueError:
        raise NoService(
            f"{answer.url} is not of a k-means service: it answered no JSON but "
            f"{answer.headers.get('Content-Type', 'nothing')}"
        ) from None


def _with_headers_of(answer: httpx.Response, found: httpx.Response) -> httpx.Response:
    """What the service says of an object stands in its own answer, not in the bucket's."""
    ours = {name: value for name, value in answer.headers.items() if name.startswith("x-")}
    found.headers.update(ours)
    return found


def _not_now(answer: httpx.Response, repeatable: bool) -> bool:
    again = answer.status_code == CONFLICT and "Retry-After" in answer.headers
    return (
        answer.status_code in REFUSED_FOR_NOW
        or again
        or (repeatable and answer.status_code in LOST_ON_THE_WAY)
    )


def _refusal(answer: httpx.Response) -> str:
    members = _problem_document(answer) or {}
    said = members.get("detail") or members.get("title") or answer.reason_phrase
    return f"answered {answer.status_code}: {said}"


def _retry_after(answer: httpx.Response) -> float | None:
    """Seconds; None where the answer has none that is a number."""
    said = answer.headers.get("Retry-After", "")
    return float(said) if said.isdigit() else None


def _problem_document(answer: httpx.Response) -> dict[str, Any] | None:
    if "json" not in answer.headers.get("Content-Type", ""):
        return None
    try:
        members = answer.json()
    except ValueError:
        return None
    return members if isinstance(members, dict) and "title" in members else None


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
