"""Large predictions: points come through a presigned upload, labels lie in the bucket.

pk         sk                       what
O#{owner}  P#{job_id}#{uuid}        status, and then the result or the error; give_up_at,
                                    and the attempt and the lease of who works at it

An attempt has a fence and a lease as a fit has. A crash leaves its points in line, where they are
found when the lease is over; the attempt after the last one fails the prediction. So does whoever
reads one past `give_up_at` that is in nobody's hands: no points came for it, or they were too slow.
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

from boto3.dynamodb.conditions import Attr

from kmeans_service import config, keys
from kmeans_service.errors import (
    JobNotFound,
    PredictionFailed,
    PredictionNotFound,
    quoted,
)
from kmeans_service.lifecycle import lease, reads
from kmeans_service.lifecycle.job import GONE, Job
from kmeans_service.lifecycle.lease import FenceLost, Lease
from kmeans_service.owners import quota
from kmeans_service.problems import problem_document
from kmeans_service.storage import data_bucket
from kmeans_service.stored_object import StoredObject
from kmeans_service.table import clock, queries, writes
from kmeans_service.table.expressions import THERE, Change, Condition, adds, removes, sets
from kmeans_service.table.keys import Key, job_key, prediction_key
from kmeans_service.table.values import marshal, unmarshal
from kmeans_service.table.writes import Action, Item, checking

_ID = re.compile("([0-9]{1,10})-([0-9a-f]{32})")


class LeaseHeld(Exception):
    """Another worker is at the same points: they are to be looked at again later."""


class PredictionStatus(StrEnum):
    PENDING = "PENDING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


PENDING = PredictionStatus.PENDING


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
        return keys.result(self.owner, self.job_id, self.name, self.fence)

    @property
    def upload_key(self) -> str:
        return keys.awaited_points(self.owner, self.job_id, self.name)


def reserve(job: Job) -> dict[str, Any]:
    """A prediction of the job's model, waiting for its points, and where they go to.

    Raises NotFitted, or StorageFull where there is no room for a result.
    """
    _ = job.published  # raises NotFitted
    quota.room_for(job.owner, size=1, jobs=0)
    prediction = Prediction(job.owner, job.job_id, uuid.uuid4().hex, PENDING)
    item = {
        "status": prediction.status,
        "expires_at": job.expires_at,
        "give_up_at": clock.seconds(config.PREDICTION_SECONDS),
    }
    writes.put(_key(prediction) | marshal(item))
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
    named = Prediction(owner, int(parsed[1]), parsed[2], PENDING)
    item = queries.get_item(_key(named))
    if not item:
        with suppress(JobNotFound):
            reads.get(owner, named.job_id)  # raises JobGone, with which its predictions went
    if not item or unmarshal(item)["expires_at"] <= time.time():
        raise missing
    return _of_item(named, _given_up_in_time(named, item))


def _of_item(named: Prediction, item: Item) -> Prediction:
    values = unmarshal(item)
    return replace(
        named,
        status=PredictionStatus(values["status"]),
        result=StoredObject(**values["result"]) if "result" in values else None,
        error=json.loads(values["error"]) if "error" in values else None,
    )


def _given_up_in_time(named: Prediction, item: Item) -> Item:
    """PENDING past `give_up_at`, and in nobody's hands → FAILED; or the item as it is."""
    now = time.time()
    values = unmarshal(item)
    if values["status"] != PENDING or values.get("give_up_at", math.inf) > now:
        return item
    failed = _failed(_failure("No points came, or they could not be worked off in time"))
    too_late = Attr("give_up_at").lte(int(now))
    try:
        return writes.update(_key(named), failed, _is_nobodys() & too_late)
    except writes.ConditionFailed as moved_on:
        return moved_on.item or item


def claim(prediction: Prediction) -> Prediction | None:
    """Begin an attempt, under a new fence and a short lease; None if there is nothing (more) to do.

    The attempt after the last one makes the prediction FAILED. Raises LeaseHeld.
    """
    attempt = Attr("attempt")
    left = attempt.not_exists() | attempt.lt(config.MAX_ATTEMPTS)
    try:
        item = lease.claim(
            _key(prediction), lease.renewed() | adds(attempt=1), _is_nobodys() & left
        )
    except writes.ConditionFailed as failed:
        found = unmarshal(failed.item or {})
        if found.get("status") == PENDING:
            _give_up(prediction, found)
        return None
    return replace(prediction, fence=int(item["fence"]["N"]))


def _is_nobodys() -> Condition:
    """It is not done, and nobody is at it."""
    return Attr("status").eq(PENDING) & (Attr("lease_until").not_exists() | lease.is_over())


def _give_up(prediction: Prediction, found: dict[str, Any]) -> None:
    """The last attempt crashed too; raises LeaseHeld if somebody is at it."""
    if lease.is_live(found.get("lease_until", 0)):
        raise LeaseHeld
    with suppress(FenceLost):
        error = _failure(f"The prediction crashed {found['attempt']} times")
        fail(replace(prediction, fence=found.get("fence", 0)), error)


def renew(claimed: Prediction) -> None:
    """The lease goes on; raises FenceLost."""
    _lease(claimed).write(lease.renewed())


def release(claimed: Prediction) -> None:
    """End an attempt that did not crash, and did not succeed either: the next may begin at once."""
    with suppress(FenceLost):
        _lease(claimed).write(removes("lease_until"))


def succeed(claimed: Prediction, result: StoredObject) -> None:
    """PENDING → SUCCEEDED, the result counted; raises FenceLost, or JobGone."""

    def look_again() -> None:
        reads.get(claimed.owner, claimed.job_id)  # raises JobGone
        quota.read(claimed.owner)  # which makes sure that there are counters

    try:
        _lease(claimed).publish(
            sets(status=PredictionStatus.SUCCEEDED, result=asdict(result)),
            [quota.more(claimed.owner, result.size), _job_is_there(claimed)],
            is_made=lambda item: unmarshal(item).get("result") == asdict(result),
            before_again=look_again,
        )
    except FenceLost:
        reads.get(claimed.owner, claimed.job_id)  # raises JobGone
        raise


def _job_is_there(claimed: Prediction) -> Action:
    """Whoever deletes the job counts out its predictions, and must not miss one."""
    there = THERE & ~Attr("status").is_in(GONE)
    return checking(job_key(claimed.owner, claimed.job_id), there)


def fail(claimed: Prediction, error: dict[str, Any]) -> None:
    """PENDING → FAILED; raises FenceLost."""
    _lease(claimed).write(_failed(error))


def _failed(error: dict[str, Any]) -> Change:
    return sets(status=PredictionStatus.FAILED, error=json.dumps(error))


def _failure(detail: str) -> dict[str, Any]:
    return problem_document(PredictionFailed(f"{detail}; send the points again"))


def _lease(claimed: Prediction) -> Lease:
    """Of a version that knew no fences, a prediction has none."""
    return Lease(_key(claimed), {"status": PENDING, "fence": claimed.fence or None})


def _key(prediction: Prediction) -> Key:
    return prediction_key(prediction.owner, prediction.job_id, prediction.name)
