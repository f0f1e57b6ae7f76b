"""What goes wrong with a run elsewhere, or with the call that starts it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from harness.elsewhere import Elsewhere
from harness.faults import Died
from kmeans_service import aws
from local.spark.endpoint import Refused


@contextmanager
def hooked(when: str, do: Callable[..., None]) -> Iterator[None]:
    events = aws.spark().meta.events
    events.register(f"{when}.emr-serverless.StartJobRun", do)
    try:
        yield
    finally:
        events.unregister(f"{when}.emr-serverless.StartJobRun", do)


@contextmanager
def throttled(spark: Elsewhere, call: str) -> Iterator[None]:
    """The application takes no such call now, however often botocore asks."""

    def refuse(_asked: Any) -> Any:
        raise Refused(429, "ThrottlingException", "rate exceeded")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(spark.runs, call, refuse)
        patched.setattr("botocore.endpoint.time.sleep", lambda _seconds: None)
        yield


def fails(_prefix: str) -> int:
    return 1


@contextmanager
def dying_with_the_answer() -> Iterator[None]:
    """The worker dies with the answer to its start of a run, which nobody has noted then."""

    def die(**_: Any) -> None:
        raise Died

    with hooked("after-call", die), pytest.raises(Died):
        yield
