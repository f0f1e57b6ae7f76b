"""Work in this very process, for what is over before it could have to be cut off."""

from collections.abc import Callable

from kmeans_service.fitting.engines.engine import Progress
from kmeans_service.fitting.engines.outcome import Outcome, Say, outcome_of, result_of


class Here[T]:
    """`work`, done when it is first looked at."""

    def __init__(self, work: Callable[[Say], T]) -> None:
        self._work = work
        self._outcome: Outcome | None = None

    def poll(self, _seconds: float) -> Progress | None:
        self._outcome = outcome_of(self._work, lambda _progress: None)
        return None

    def collect(self) -> T:
        """What the work returned; raises the ServiceError that it raised, or AttemptCrashed."""
        if self._outcome is None:
            raise ValueError("the work is collected before it was looked at")
        result: T = result_of(self._outcome)
        return result

    def close(self) -> None:
        """It is over."""
