"""How work ends: with a result, a refusal or a crash, as it is told from one process to another."""

import traceback
from collections.abc import Callable
from typing import Any

from kmeans_service.errors import ServiceError
from kmeans_service.fitting.engines.engine import Progress
from kmeans_service.runs.running import AttemptCrashed

type Say = Callable[[Progress], None]
type Outcome = tuple[str, Any]


def outcome_of(work: Callable[[Say], Any], say: Say) -> Outcome:
    try:
        return "done", work(say)
    except ServiceError as error:
        return "refused", error
    except BaseException as error:  # noqa: BLE001 (it is reported to the attempt, whole)
        how = (
            f"it ended with an unexpected {type(error).__name__}, which our log has the details of"
        )
        return "crashed", (how, traceback.format_exc())


def result_of(outcome: Outcome) -> Any:
    """What the work returned; raises what it was refused with, or AttemptCrashed."""
    kind, value = outcome
    if kind == "refused":
        raise value
    if kind == "crashed":
        raise AttemptCrashed(*value)
    return value
