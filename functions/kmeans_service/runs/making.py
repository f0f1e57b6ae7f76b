"""What an owner waits for, made by a run where it is long: attempted, begun, looked at."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NoReturn

from kmeans_service import telemetry
from kmeans_service.errors import JobGone, ServiceError
from kmeans_service.lifecycle import elsewhere, results
from kmeans_service.lifecycle.results import PENDING, Result
from kmeans_service.problems import problem_document
from kmeans_service.runs import application, running
from kmeans_service.runs.application import NoEngine, State
from kmeans_service.runs.order import order_for
from kmeans_service.runs.orders import Todo
from kmeans_service.runs.running import AttemptCrashed, RunRefused
from kmeans_service.storage import data_bucket
from kmeans_service.stored_object import StoredObject
from kmeans_service.table.values import UNREADABLE


def attempted[R: Result](
    found: R | None, again: Callable[[], R | None], attempt: Callable[[R], Any]
) -> None:
    """Attempts at a result that is pending: it is claimed, or in a run already.

    again   finds it anew, after an attempt that has crashed and is given back
    Raises as `results.claim` and `attempt`, but for AttemptCrashed.
    """
    while found and found.status is PENDING:
        started = found if found.is_elsewhere else results.claim(found)
        if started is None:
            return
        try:
            attempt(started)
        except AttemptCrashed as crash:
            telemetry.logger().error("a run crashed", job_id=found.job_id, detail=str(crash))
            found = again()
        else:
            return


def begin(claimed: Result, todo: Todo, work: Mapping[str, Any]) -> NoReturn:
    """Begin the claim's run; raises GoesOn and the like, as `running.begin`, or `todo.failed`.

    work   what stands in line, to look at it
    """
    processors = application.chosen().processors
    spent = running.spent_before(claimed.run, todo.spent)
    order = order_for(replace(todo, spent=spent), processors)
    noted = replace(claimed, spent=spent)
    name = application.name_of(
        claimed.owner, claimed.job_id, elsewhere.name_of(claimed), claimed.fence
    )
    running.begin(name, claimed.fence, order, lambda run: results.run_elsewhere(noted, run, work))


def look[R: Result](found: R, failed: type[ServiceError]) -> tuple[R, StoredObject] | None:
    """What the run of a result has stored, if it is over: then to be published.

    None where it has failed, and says why. Raises GoesOn, FenceLost, and AttemptCrashed, the
    attempt being given back.
    """
    ended = found
    try:
        state = running.look(found.run, lambda: results.hold_run(found))
        ended = replace(found, spent=running.with_used(found.spent, state))
        return ended, _collected(ended, state)
    except RunRefused as refused:
        results.fail(ended, refused.problem)
    except NoEngine as error:
        results.fail(ended, problem_document(failed(str(error))))
    except AttemptCrashed as crash:
        results.release(ended, crash=crash.how)
        raise
    return None


def _collected(ended: Result, state: State | None) -> StoredObject:
    """Raises RunRefused, or AttemptCrashed where anything is not as it should be."""
    try:
        found = running.result_of(state, ended.run_prefix)
        match found:
            case {"status": "made", "result": dict() as stored}:
                return _checked(ended, StoredObject(**stored))
    except (*UNREADABLE, JobGone) as error:
        raise running.damaged(error) from error
    raise running.no_result(found)


def _checked(ended: Result, found: StoredObject) -> StoredObject:
    """Raises ValueError of what is not there as it is said."""
    if not found.key.startswith(ended.run_prefix):
        raise ValueError(f"{found.key} is not the run's")
    if len(bytes.fromhex(found.sha256)) != 32 or data_bucket().size(found.key) != found.size:
        raise ValueError(f"{found.key} is another object")
    return found
