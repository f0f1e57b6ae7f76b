"""A run from its claim to its end: begun once under a fence, looked at by whoever comes by.

Nobody waits for it. What `begin` has noted is all that whoever looks next needs.
"""

import json
from collections.abc import Callable
from typing import Any, NoReturn

from botocore.exceptions import ClientError

from kmeans_service import aws, config
from kmeans_service.lifecycle.job import Run, Spent
from kmeans_service.lifecycle.lease import FenceLost
from kmeans_service.runs import application
from kmeans_service.runs.application import Order, State
from kmeans_service.storage import ObjectMissing, data_bucket
from kmeans_service.table import clock

# Of a result: pointers and scores. One that is larger is none.
MOST_BYTES = 10_000_000


class AttemptCrashed(Exception):
    """The work ended without a result; `how`, in words for who asked for it."""

    def __init__(self, how: str, detail: str) -> None:
        super().__init__(detail)
        self.how = how


class GoesOn(Exception):
    """The work goes on elsewhere: there is nothing to do but to look at it again later."""


class Busy(Exception):
    """The engine takes no work now; it is tried again later, and no attempt is spent."""


class RunRefused(Exception):
    """The run found what the work is refused for: `problem`, as its owner is told."""

    def __init__(self, problem: dict[str, Any]) -> None:
        super().__init__(str(problem["detail"]))
        self.problem = problem


def begin(name: str, fence: int, order: Order, note: Callable[[Run], Any]) -> NoReturn:
    """Begin the run of a claim, and have it noted; raises GoesOn, as it does from here on.

    Raises Busy where the application takes no run now, AttemptCrashed, and FenceLost as `note`.
    """
    run_id = _started(name, order)
    until = clock.seconds(config.RUN_WAITS_SECONDS + 60 * order.minutes)
    try:
        note(Run(run_id, fence, until))
    except FenceLost:
        application.cancel(run_id)
        raise
    raise GoesOn


def _started(name: str, order: Order) -> str:
    try:
        return application.start(name, order)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if aws.is_transient(error):
            raise Busy(code) from error
        raise AttemptCrashed(f"its run could not be started ({code})", str(error)) from error


def spent_before(run: Run | None, spent: Spent | None) -> Spent | None:
    """What was spent until now: the run of a fence before is ended, and counted as far as it is
    known.
    """
    if run is None:
        return spent
    state = application.state_of(run.run_id)
    if state and not state.is_over:
        application.cancel(run.run_id)
    return with_used(spent, state)


def with_used(spent: Spent | None, state: State | None) -> Spent:
    return (spent or Spent()) + (state.used if state else Spent())


def look(run: Run | None, hold: Callable[[], Any]) -> State | None:
    """The state of a run that is over, None where there is none (any more); else raises GoesOn.

    hold   renews the lease of one that goes on
    Raises FenceLost as `hold`, and AttemptCrashed of a run that has waited and worked too long.
    """
    if run is None:
        raise ValueError("what is looked at has a run")
    state = application.state_of(run.run_id)
    if state is None or state.is_over:
        return state
    if run.until < clock.seconds():
        application.cancel(run.run_id)
        how = f"its run was {state.name} for too long, and was cancelled"
        raise AttemptCrashed(how, state.detail)
    hold()
    raise GoesOn


def result_of(state: State | None, prefix: str) -> Any:
    """What a run that is over says that it found; raises RunRefused or AttemptCrashed.

    Raises ValueError of what is no JSON.
    """
    if state is None or state.name != application.SUCCEEDED:
        name = state.name if state else "gone"
        detail = state.detail if state else "there is no such run"
        raise AttemptCrashed(f"its run ended {name}", detail)
    found = _read(f"{prefix}result.json")
    match found:
        case {"status": "refused", "problem": {"type": str(), "detail": str()} as problem}:
            raise RunRefused(problem)
    return found


def no_result(found: Any) -> AttemptCrashed:
    return AttemptCrashed("its run left no result", repr(found)[:200])


def damaged(error: Exception) -> AttemptCrashed:
    return AttemptCrashed("what its run stored is damaged", repr(error))


def _read(key: str) -> Any:
    try:
        opened = data_bucket().open(key, None)
    except ObjectMissing:
        return None
    return json.loads(opened.stream.read(MOST_BYTES))
