"""Faults at one chosen call to AWS, in this process or in the child that computes a fit."""

import multiprocessing
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse

from harness.fake_aws.state import forget_clients


class Fault(StrEnum):
    BEFORE = "the process dies before the call"
    AFTER = "the process dies after the call"
    LOST = "the answer is lost once, and botocore asks again"
    THROTTLED = "AWS is busy once"


MOST_CALLS = 1000  # of one life
EVERY = -1  # for a target: each call, and what botocore makes of it is struck no more


class Died(BaseException):
    """The process ended here."""


class Faults:
    """A fault at the n-th call to AWS that is made under `watch`, once, or once at every call.

    `struck` says at which it was last, 0 if it did not come to that. The counters are shared with
    the processes that are forked from this one.
    """

    def __init__(self) -> None:
        self._fault = Fault.BEFORE
        self._target = 0
        self._watching = False
        self._calls = multiprocessing.Value("i", 0)
        self._struck = multiprocessing.Value("i", 0)
        self._callers = multiprocessing.Array("i", MOST_CALLS)
        self._watched: set[int] = set()

    def arm(self, fault: Fault, target: int) -> None:
        self._fault, self._target = fault, target
        self._calls.value, self._struck.value = 0, 0
        self._watched = set()

    @contextmanager
    def watch(self) -> Iterator[None]:
        self._watching = True
        try:
            yield
        finally:
            self._watching = False
            self._watched.add(self._calls.value)

    @property
    def struck(self) -> int:
        return int(self._struck.value)

    def last_calls(self) -> list[int]:
        """The calls since it was armed that no other follows under the same watch and process.

        Behind any other one, to die is to die before the next: nothing outside has changed between.
        """
        callers = self._callers[: self._calls.value + 1]
        return [
            number
            for number in range(1, len(callers))
            if number in self._watched or callers[number] != callers[number - 1]
        ]

    def _strikes(self, *faults: Fault) -> bool:
        """Whether this is the call, or one of them, once."""
        call, struck = self._calls.value, self._struck.value
        if not self._watching or self._fault not in faults or call == struck:
            return False
        if self._target != EVERY and (struck or call != self._target):
            return False
        self._struck.value = call
        return True

    def before_call(self, **_: Any) -> None:
        self._callers[self._calls.value] = os.getpid()
        self._calls.value += self._watching
        if self._strikes(Fault.BEFORE):
            raise Died

    def after_call(self, **_: Any) -> None:
        if self._strikes(Fault.AFTER):
            raise Died

    def before_send(self, request: Any, **_: Any) -> AWSResponse | None:
        return _busy(request.url) if self._strikes(Fault.THROTTLED) else None

    def needs_retry(self, **_: Any) -> float | None:
        """As after a connection that was closed before the answer came."""
        return 0.0 if self._strikes(Fault.LOST) else None


class Hurried:
    """A `time` in which botocore does not sleep before it asks again."""

    def sleep(self, _seconds: float) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)


class _Body:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self._content


def _busy(url: str) -> AWSResponse:
    """503, which every service's retry rules know."""
    headers: Any = {}
    return AWSResponse(url, 503, headers, _Body(b""))


@contextmanager
def injected(monkeypatch: pytest.MonkeyPatch) -> Iterator[Faults]:
    """Faults in all clients made from here on, as the child's are."""
    faults = Faults()
    session = boto3.Session()
    acts: dict[str, Any] = {
        "before-call": faults.before_call,
        "after-call": faults.after_call,
        "before-send": faults.before_send,
        "needs-retry": faults.needs_retry,
    }
    for name, act in acts.items():
        session.events.register(name, act)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", session)
    monkeypatch.setattr("botocore.endpoint.time", Hurried())
    forget_clients()
    yield faults
    forget_clients()
