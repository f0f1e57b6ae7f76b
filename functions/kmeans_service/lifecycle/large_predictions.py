"""Large predictions: points come through a presigned upload, labels lie in the bucket.

pk         sk                       what
O#{owner}  P#{job_id}#{uuid}        status, and then the result or the error; give_up_at,
                                    and the attempt and the lease of who works at it

An attempt has a fence and a lease as a fit has. A crash leaves its points in line, where they are
found when the lease is over; the attempt after the last one fails the prediction. One that no
points ever came for has failed from `give_up_at` on.
"""

import json
import math
import re
import time
import uuid
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from kmeans_service import aws, config
from kmeans_service.errors import (
    JobNotFound,
    PredictionFailed,
    PredictionNotFound,
    Unavailable,
    quoted,
)
from kmeans_service.lifecycle import reads
from kmeans_service.lifecycle.job import GONE, Job
from kmeans_service.owners import quota
from kmeans_service.problems import problem_document
from kmeans_service.storage import data_bucket
from kmeans_service.stored_object import StoredObject
from kmeans_service.table import table
from kmeans_service.table.keys import job_key, owner_key
from kmeans_service.table.values import marshal, unmarshal

_ID = re.compile("([0-9]{1,10})-([0-9a-f]{32})")


class LeaseHeld(Exception):
    """Another worker is at the same points: they are to be looked at again later."""


class PredictionTaken(Exception):
    """Somebody else has taken it over, or it is gone: nothing of this attempt may be seen."""


class PredictionStatus(StrEnum):
    PENDING = "PENDING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


@dataclass(frozen=True)
class Prediction:
    """One large prediction; `result` is the labels as CSV, `error` a problem document."""

    owner: str
    job_id: int
    name: str
    status: PredictionStatus
    result: StoredObject | None = None
    error: dict[str, Any] | None = None
    fence: int = 0

    @property
    def prediction_id(self) -> str:
        return f"{self.job_id}-{self.name}"

    @property
    def result_key(self) -> str:
        """Where the claim's attempt writes; no other attempt ever does."""
        return f"results/{self.owner}/{self.job_id}/{self.name}/{self.fence}.csv"

    @property
    def upload_key(self) -> str:
        return f"pending/{self.owner}/{self.job_id}/predictions/{self.name}.csv"


def reserve(job: Job) -> dict[str, Any]:
    """A prediction of the job's model, waiting for its points, and where they go to.

    Raises NotFitted, or StorageFull where there is no room for a result.
    """
    _ = job.published  # raises NotFitted
    quota.room_for(job.owner, size=1, jobs=0)
    prediction = Prediction(job.owner, job.job_id, uuid.uuid4().hex, PredictionStatus.PENDING)
    item = {
        "status": prediction.status.value,
        "expires_at": job.expires_at,
        "give_up_at": table.seconds(config.PREDICTION_SECONDS),
    }
    aws.dynamodb().put_item(TableName=table.table_name(), Item=_key(prediction) | marshal(item))
    max_bytes = config.limits().file_bytes
    return {
        "prediction_id": prediction.prediction_id,
        "job_id": job.job_id,
        **data_bucket().presigned_post(prediction.upload_key, max_bytes),
        "expires_in": config.PRESIGNED_SECONDS,
        "max_bytes": max_bytes,
    }


def find(owner: str, prediction_id: str) -> Prediction:
    """The prediction; raises PredictionNotFound."""
    parsed = _ID.fullmatch(prediction_id)
    missing = PredictionNotFound(f"There is no prediction {quoted(prediction_id)}")
    if not parsed:
        raise missing
    named = Prediction(owner, int(parsed[1]), parsed[2], PredictionStatus.PENDING)
    item = unmarshal(table.get_item(_key(named)) or {})
    if not item:
        with suppress(JobNotFound):
            reads.get(owner, named.job_id)  # raises JobGone, with which its predictions went
    if not item or item["expires_at"] <= time.time():
        raise missing
    status = PredictionStatus(item["status"])
    error = json.loads(item["error"]) if "error" in item else None
    if status is PredictionStatus.PENDING and item.get("give_up_at", math.inf) <= time.time():
        status = PredictionStatus.FAILED
        error = _failure("No points came, or they could not be worked off in time")
    result = StoredObject(**item["result"]) if "result" in item else None
    return Prediction(owner, named.job_id, named.name, status, result, error)


def claim(prediction: Prediction) -> Prediction | None:
    """Begin an attempt, under a new fence and a short lease; None if there is nothing (more) to do.

    The attempt after the last one makes the prediction FAILED. Raises LeaseHeld.
    """
    claimant, now = uuid.uuid4().hex, table.seconds()
    values = {
        ":pending": PredictionStatus.PENDING.value,
        ":claimant": claimant,
        ":now": now,
        ":lease": now + config.LEASE_SECONDS,
        ":max": config.MAX_ATTEMPTS,
        ":one": 1,
    }
    try:
        item = table.update(
            _key(prediction),
            "SET lease_until = :lease, claimant = :claimant ADD attempt :one, fence :one",
            "#status = :pending AND (attribute_not_exists(lease_until) OR lease_until < :now) "
            "AND (attribute_not_exists(attempt) OR attempt < :max)",
            values,
        )
    except table.ConditionFailed as failed:
        found = unmarshal(failed.item or {})
        if found.get("status") != PredictionStatus.PENDING:
            return None
        if found.get("claimant") != claimant:
            _give_up(prediction, found, now)
            return None
        return replace(prediction, fence=found["fence"])  # only the first answer was lost
    return replace(prediction, fence=int(item["fence"]["N"]))


def _give_up(prediction: Prediction, found: dict[str, Any], now: int) -> None:
    """The last attempt crashed too; raises LeaseHeld if somebody is at it."""
    if found.get("lease_until", 0) >= now:
        raise LeaseHeld
    fence = found.get("fence", 0)
    with suppress(PredictionTaken):
        error = _failure(f"The prediction crashed {found['attempt']} times")
        fail(replace(prediction, fence=fence), error)


def renew(claimed: Prediction) -> None:
    """The lease goes on; raises PredictionTaken."""
    values = {":lease": table.seconds(config.LEASE_SECONDS)}
    _change(claimed, "SET lease_until = :lease", values)


def release(claimed: Prediction) -> None:
    """End an attempt that did not crash, and did not succeed either: the next may begin at once."""
    with suppress(PredictionTaken):
        _change(claimed, "REMOVE lease_until", {})


def succeed(claimed: Prediction, result: StoredObject) -> None:
    """PENDING → SUCCEEDED, the result counted; raises PredictionTaken, or JobGone."""
    values = {":status": PredictionStatus.SUCCEEDED.value, ":value": asdict(result)}
    update = "SET #status = :status, #result = :value"
    held, held_by = _held(claimed)
    actions: list[Any] = [
        {"Update": table.expression(_key(claimed), update, held, values | held_by)},
        quota.more(claimed.owner, result.size),
        {"ConditionCheck": _job_is_there(claimed)},
    ]
    for _ in table.tries():
        if not table.transact(actions):
            return
        found = unmarshal(table.get_item(_key(claimed)) or {})
        if found.get("result") == asdict(result):
            return  # only the answer was lost
        reads.get(claimed.owner, claimed.job_id)
        if (found.get("status"), found.get("fence")) != (PredictionStatus.PENDING, claimed.fence):
            raise PredictionTaken
        _ = quota.read(claimed.owner)  # which makes sure that there are counters
    raise Unavailable("The job is changing")


def _job_is_there(claimed: Prediction) -> dict[str, Any]:
    """Whoever deletes the job counts out its predictions, and must not miss one."""
    gone = {f":{status.value.lower()}": status.value for status in GONE}
    return {
        "TableName": table.table_name(),
        "Key": job_key(claimed.owner, claimed.job_id),
        "ConditionExpression": f"attribute_exists(pk) AND NOT #status IN ({', '.join(gone)})",
        "ExpressionAttributeNames": {"#status": "status"},
        "ExpressionAttributeValues": marshal(gone),
    }


def fail(claimed: Prediction, error: dict[str, Any]) -> None:
    """PENDING → FAILED; raises PredictionTaken."""
    _finish(claimed, PredictionStatus.FAILED, "#error", json.dumps(error))


def _finish(claimed: Prediction, status: PredictionStatus, attribute: str, value: Any) -> None:
    values = {":status": status.value, ":value": value}
    _change(claimed, f"SET #status = :status, {attribute} = :value", values, status)


def _change(
    claimed: Prediction,
    change: str,
    values: dict[str, Any],
    status: PredictionStatus = PredictionStatus.PENDING,
) -> None:
    """An update that only the holder of the fence can make, once; raises PredictionTaken."""
    held, held_by = _held(claimed)
    try:
        table.update(_key(claimed), change, held, values | held_by)
    except table.ConditionFailed as failed:
        found = unmarshal(failed.item or {})
        # Done already, if only the answer to the first try was lost.
        if (found.get("status"), found.get("fence", 0)) != (status, claimed.fence):
            raise PredictionTaken from None


def _held(claimed: Prediction) -> tuple[str, dict[str, Any]]:
    """The condition that the fence is still held, and its values."""
    pending = {":pending": PredictionStatus.PENDING.value}
    if not claimed.fence:  # of a version that knew none
        return "#status = :pending AND attribute_not_exists(fence)", pending
    return "#status = :pending AND fence = :fence", pending | {":fence": claimed.fence}


def _failure(detail: str) -> dict[str, Any]:
    return problem_document(PredictionFailed(f"{detail}; send the points again"))


def _key(prediction: Prediction) -> dict[str, Any]:
    sk = f"P#{prediction.job_id:010d}#{prediction.name}"
    return marshal({"pk": owner_key(prediction.owner), "sk": sk})
