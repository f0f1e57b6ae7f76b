"""Runs of a job beside that of its fit: of what is made for its owner, found by a run's name."""

import json
import re
from contextlib import suppress
from typing import Any

from kmeans_service import config, keys
from kmeans_service.lifecycle.explanations import Explanation
from kmeans_service.lifecycle.job import Job
from kmeans_service.lifecycle.results import PENDING, Result
from kmeans_service.table import queries
from kmeans_service.table.keys import (
    EXPLANATION,
    PREDICTION,
    Key,
    explanation_key,
    of_job,
    owner_key,
    prediction_key,
)
from kmeans_service.table.values import UNREADABLE, unmarshal
from kmeans_service.table.writes import Item

# No fit's id begins so.
_PREDICTION = re.compile("P([0-9a-f]{32})")
_EXPLANATION = re.compile("E([0-9]+)-([a-z]+-[0-9a-f]{16})")


def name_of(claimed: Result) -> str:
    """What it is called in the name of a run: its kind, the fence of the model, its own name."""
    if isinstance(claimed, Explanation):
        return f"E{keys.fence_of(claimed.of_model) or 0}-{claimed.name}"
    return f"P{claimed.name}"


def is_result(what: str) -> bool:
    """Whether a run of this is none of a fit."""
    return what.startswith(("P", "E"))


def work_for(owner: str, job_id: int, what: str, fence: int) -> dict[str, Any] | None:
    """What stands in line to look at the run; None where nobody waits for it (any more)."""
    key = _key(owner, job_id, what)
    item = queries.get_item(key) if key else None
    if not item:
        return None
    values = unmarshal(item)
    if (values["status"], values.get("fence")) != (PENDING, fence):
        return None
    work: dict[str, Any] = json.loads(values.get("work", "{}"))
    return work


def _key(owner: str, job_id: int, what: str) -> Key | None:
    if found := _PREDICTION.fullmatch(what):
        return prediction_key(owner, job_id, found[1])
    if found := _EXPLANATION.fullmatch(what):
        return explanation_key(owner, job_id, int(found[1]), found[2])
    return None


def runs_of(job: Job) -> list[str]:
    """Ids of the runs that may be writing for the job, that of its fit too."""
    found = [job.run.run_id] if job.run else []
    if config.distributed() is None:
        return found
    for kind in (PREDICTION, EXPLANATION):
        for page in queries.below(owner_key(job.owner), of_job(kind, job.job_id)):
            found += filter(None, map(_run_of, page))
    return found


def _run_of(item: Item) -> str | None:
    """Of one that is made there; None also of what cannot be read."""
    with suppress(*UNREADABLE):
        values = unmarshal(item)
        if values["status"] == PENDING:
            return str(values["run"]["run_id"])
    return None
