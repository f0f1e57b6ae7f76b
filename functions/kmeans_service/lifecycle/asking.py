"""How a job's item comes to hold the fit that is asked for, and what that fit begins from."""

from collections.abc import Callable
from typing import Any

from boto3.dynamodb.conditions import Attr

from kmeans_service import keys
from kmeans_service.lifecycle import asides
from kmeans_service.lifecycle.items import init_attribute, recipe_attributes
from kmeans_service.lifecycle.job import Job, Status, fit_id_of
from kmeans_service.recipes.recipe import Recipe
from kmeans_service.storage import data_bucket
from kmeans_service.stored_object import StoredObject
from kmeans_service.table import clock
from kmeans_service.table.expressions import Change, Condition, removes, sets
from kmeans_service.table.keys import LOOKED_AFTER, Key, job_key
from kmeans_service.table.writes import ConditionFailed, Item

# The year 2286: later than any request.
MAX_SECONDS = 1e10

type Write = Callable[[Key, Change, Condition], Item]


def ask(
    job: Job, recipe: Recipe, arrived: float, anew: bool, change: Change, write: Write
) -> dict[str, Any]:
    """The item as `write` then leaves it, changed so too.

    Raises ConditionFailed, and NotUploaded where there is no file.
    """
    fit_id = fit_id_of(job.checked_input, recipe)
    prefix = keys.fit(job.owner, job.job_id, fit_id)
    lean, init = asides.without_init(prefix, job, recipe)
    asked = _asked_for(fit_id, lean, init)
    try:
        item = write(
            job_key(job.owner, job.job_id), asked | change, _may_ask(job, fit_id, arrived, anew)
        )
    except ConditionFailed as failed:
        if not _names(failed.item, init):
            _forget_init(init, job.init)
        raise
    _forget_init(job.init, init)
    return item


def _names(item: Item | None, init: StoredObject | None) -> bool:
    """Whether the item has these initial centers: only the answer to the first try was lost."""
    return item is not None and item.get("init") == {"S": init_attribute(init)}


def _forget_init(init: StoredObject | None, other: StoredObject | None) -> None:
    """Remove initial centers that no fit is to begin from any more."""
    if init and init != other:
        data_bucket().delete(init.key)


def _asked_for(fit_id: str, recipe: Recipe, init: StoredObject | None) -> Change:
    """The fit, and nothing of the one before it."""
    wanted = sets(
        fit_id=fit_id,
        **recipe_attributes(recipe),
        queued_at=clock.timestamp(),
        gsi1pk=LOOKED_AFTER,
    )
    begins_from = sets(init=init_attribute(init)) if init else removes("init")
    before = removes(
        *("error", "crash", "finished_at", "progress", "started_at", "lease_until"),
        *("run", "spent", "is_long"),
    )
    return wanted | begins_from | before


def _may_ask(job: Job, fit_id: str, arrived: float, anew: bool) -> Condition:
    """The job has a file and no fit that is active, or was since then, nor this one's model."""
    status = Attr("status")
    another = Attr("model.fit_id").ne(fit_id) | Attr("fence").eq(job.fence if anew else -1)
    fittable = (
        status.eq(Status.UPLOADED)
        | status.eq(Status.FAILED)
        | (status.eq(Status.SUCCEEDED) & another)
    )
    ended = Attr("finished_ms")
    quiet = ended.not_exists() | ended.lte(int(min(arrived, MAX_SECONDS) * 1000))
    return Attr("input").exists() & fittable & quiet
