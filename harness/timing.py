"""Time for tests: a clock that stands still, waiting for something, calls at once."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any


def wait_until(ready: Callable[[], Any], seconds: float = 30) -> Any:
    """What `ready` answers once it answers something true."""
    deadline = time.monotonic() + seconds
    while not (answer := ready()):
        assert time.monotonic() < deadline, "it did not come to be in time"
        time.sleep(0.05)
    return answer


class Clock:
    """Wall-clock time that stands still until the test lets it pass."""

    def __init__(self, now: int) -> None:
        self.now: float = now

    def time(self) -> float:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += seconds


def at_once[T](calls: Sequence[Callable[[], T]]) -> list[T]:
    with ThreadPoolExecutor(len(calls)) as pool:
        return [running.result() for running in [pool.submit(call) for call in calls]]


LEASE, SLOT, SWEPT_AFTER, DAY = 60, 65, 120, 86_400
EXPIRY = 30 * DAY
