"""What is shown of something that is not there yet: in the words in which a job shows its fit."""

from typing import Any

from kmeans_service.lifecycle.job import WAITING
from kmeans_service.lifecycle.results import Result
from kmeans_service.runs import cost
from kmeans_service.runs.progress import progress_of


def how_far(found: Result) -> dict[str, Any]:
    """Which attempt it is, how far its run is, and what those before it have cost."""
    progress = (progress_of(found.run_prefix) or WAITING) if found.is_elsewhere else None
    view = {"attempt": found.attempt or None, "progress": progress, "spent": spent_on(found)}
    return {name: value for name, value in view.items() if value is not None}


def spent_on(found: Result) -> dict[str, float] | None:
    """None where it had no run."""
    return cost.shown(found.spent) if found.spent else None
