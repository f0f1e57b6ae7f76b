"""An owner's requests in a minute: counted in the table, spent from memory.

pk         sk              what
O#{owner}  RATE#{minute}   granted, the requests that have been handed out

An execution environment takes requests in batches of a hundredth of the limit, one write for each
batch, and lets its calls spend them. So small limits are kept to the request, and large ones cost
next to nothing.
"""

import time
from functools import cache

from boto3.dynamodb.conditions import Attr

from kmeans_service import aws, config
from kmeans_service.errors import TooManyRequests
from kmeans_service.table import writes
from kmeans_service.table.expressions import adds, sets
from kmeans_service.table.keys import rate_key

WINDOW_SECONDS = 60
_USED_UP = -1


class Meter:
    """What this execution environment has left of every owner's requests in this minute."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._batch = max(1, limit // 100)
        self._window = 0
        self._left: dict[str, int] = {}

    def spend(self, owner: str) -> bool:
        """Whether one more request could be counted; raises TooManyRequests.

        It is let in all the same where DynamoDB is too busy to count.
        """
        now = time.time()
        window = int(now // WINDOW_SECONDS)
        if window != self._window:
            self._window, self._left = window, {}
        left, counted = self._left.get(owner, 0), True
        if left == 0:
            left, counted = self._next_batch(owner, window)
        if left == _USED_UP:
            self._left[owner] = _USED_UP
            raise self._refusal(now)
        self._left[owner] = left - 1
        return counted

    def _next_batch(self, owner: str, window: int) -> tuple[int, bool]:
        """Requests to spend, _USED_UP for none; and whether the table knows of them."""
        change = sets(expires_at=(window + 2) * WINDOW_SECONDS) | adds(granted=self._batch)
        granted = Attr("granted")
        some_left = granted.not_exists() | granted.lt(self._limit)
        try:
            item = writes.update(rate_key(owner, window), change, some_left)
        except writes.ConditionFailed:
            return _USED_UP, True
        except Exception as error:
            if not aws.is_transient(error):
                raise
            return self._batch, False
        excess = max(0, int(item["granted"]["N"]) - self._limit)
        return self._batch - excess, True

    def _refusal(self, now: float) -> TooManyRequests:
        seconds = WINDOW_SECONDS - int(now % WINDOW_SECONDS)
        return TooManyRequests(
            f"Your {self._limit:,} requests of this minute are used up; "
            f"the next one begins in {seconds} s",
            retry_after=seconds,
        )


@cache
def meter() -> Meter:
    return Meter(config.limits().requests_per_minute)
