"""How a job's item comes to hold the fit that is asked for, and what that fit begins from."""

import json
from dataclasses import replace
from typing import Any

from kmeans_service.lifecycle import asides
from kmeans_service.lifecycle.asked import Asked
from kmeans_service.lifecycle.items import init_attribute
from kmeans_service.lifecycle.job import Job, Status
from kmeans_service.storage import data_bucket
from kmeans_service.stored_object import StoredObject
from kmeans_service.table import table
from kmeans_service.table.keys import job_key

# The year 2286: later than any request.
MAX_SECONDS = 1e10


def ask(
    job: Job, asked: Asked, arrived: float, anew: bool, change: str, values: dict[str, Any]
) -> dict[str, Any]:
    """The item as it then is; raises ConditionFailed."""
    prefix = f"models/{job.owner}/{job.job_id}/{asked.fit_id}/"
    params, init = asides.without_init(prefix, job, asked.params)
    try:
        item = _asked_for(job, replace(asked, params=params), init, arrived, anew, change, values)
    except table.ConditionFailed:
        _forget_init(init, job.init)
        raise
    _forget_init(job.init, init)
    return item


def _forget_init(init: StoredObject | None, other: StoredObject | None) -> None:
    """Remove initial centers that no fit is to begin from any more."""
    if init and init != other:
        data_bucket().delete(init.key)


def _asked_for(
    job: Job,
    asked: Asked,
    init: StoredObject | None,
    arrived: float,
    anew: bool,
    change: str,
    values: dict[str, Any],
) -> dict[str, Any]:
    gone = ["#error", "crash", "finished_at", "progress"]
    gone += [name for name in ("started_at", "lease_until") if f"{name} =" not in change]
    gone += [] if init else ["init"]
    return table.update(
        job_key(job.owner, job.job_id),
        f"{change} fit_id = :fit, params = :params, drawn = :drawn, queued_at = :now, "
        f"gsi1pk = :active{', init = :init' if init else ''} REMOVE {', '.join(gone)}",
        "attribute_exists(#input) AND (#status = :uploaded OR #status = :failed OR "
        "(#status = :succeeded AND (#model.fit_id <> :fit OR fence = :anew))) AND "
        "(attribute_not_exists(finished_ms) OR finished_ms <= :arrived)",
        {
            ":uploaded": Status.UPLOADED.value,
            ":succeeded": Status.SUCCEEDED.value,
            ":failed": Status.FAILED.value,
            ":fit": asked.fit_id,
            ":anew": job.fence if anew else -1,
            ":params": json.dumps(asked.params, sort_keys=True),
            ":drawn": asked.drawn,
            ":now": table.timestamp(),
            ":active": table.LOOKED_AFTER,
            ":arrived": int(min(arrived, MAX_SECONDS) * 1000),
            ":init": init_attribute(init),
            **values,
        },
    )
